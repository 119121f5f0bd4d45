# SPDX-License-Identifier: Apache-2.0
"""A source reaches receivers through a proxy, real ones: microsocks (SOCKS5 with a login) and HAProxy, which is
told by the PROXY protocol. What is the matter with the proxy is no attempt at the recipient."""
import subprocess
import sys

from installation import Installation, check, check_equal, run
from ports import free_port

PASSWORD = "right horse"
SEEN = "127.0.7.7"  # by receivers
HAPROXY = """defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend out
  bind 127.0.0.1:{port} accept-proxy
  default_backend receivers
backend receivers
  source {seen}
  server any 0.0.0.0:0
"""


class Proxied(Installation):
    def __init__(self, binary, scheme, keys):
        super().__init__(binary, {"receiver.example": []}, [], site_defaults=["idle_seconds = 0"])
        self.proxy_port = free_port()
        self.password = self.directory / "password"
        self.give(PASSWORD)
        self.config += ["[[egress]]", 'name = "far"', f'proxy = "{scheme}://127.0.0.1:{self.proxy_port}"', *keys,
                        "[doctor]", "enabled = false"]

    def give(self, password):
        self.password.write_text(password + "\n")
        self.password.chmod(0o600)

    def start_proxy(self, *command):
        self.proxy = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        self.wait_for(lambda: self.listens("127.0.0.1", self.proxy_port), "the proxy")

    def end_proxy(self):
        self.proxy.kill()
        self.proxy.wait()

    def arrives_from_afar(self, address):
        before = len(self.log())
        self.settle(self.transaction(address))
        arrival = self.await_arrivals(before + 1)[-1]
        check_equal((arrival["rcpt_to"], arrival["client"]), (address, SEEN), "who came, from where")


def socks5_reaches_receivers(binary):
    keys = ['proxy_user = "shop"', 'proxy_password_file = "password"']
    with Proxied(binary, "socks5", keys) as stack:
        stack.start_proxy("microsocks", "-i", "127.0.0.1", "-p", stack.proxy_port, "-b", SEEN, "-u", "shop",
                          "-P", PASSWORD)
        try:
            stack.arrives_from_afar("a@receiver.example")
            stack.give("wrong horse")
            waits = stack.transaction("b@receiver.example")
            story = stack.await_story("b@receiver.example", "its proxy does not serve it")
            check("does not let us log in" in (stack.directory / "engine.log").read_text(), "the log")
            check_equal(stack.counts(waits)[2], 0, "hard errors")
            check("Attempt 2" not in story, story)
            stack.give(PASSWORD)
            stack.settle(waits, seconds=40)
        finally:
            stack.end_proxy()


def haproxy_is_told_where_to(binary):
    with Proxied(binary, "haproxy", ['public_address = "192.0.2.7"']) as stack:
        path = stack.directory / "haproxy.cfg"
        path.write_text(HAPROXY.format(port=stack.proxy_port, seen=SEEN))
        stack.start_proxy("haproxy", "-f", path)
        try:
            stack.arrives_from_afar("a@receiver.example")
        finally:
            stack.end_proxy()


if __name__ == "__main__":
    sys.exit(run(socks5_reaches_receivers, haproxy_is_told_where_to))
