# SPDX-License-Identifier: Apache-2.0
"""A source that fails a check three times rests, and the other one sends; a resolver that lies rests
none; what is mended comes back by itself; a listing is told and rests nothing; the last one sends, and
what fails at both rests neither."""
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system/delivery"))

from installation import QUICK, Installation, check, check_equal, run  # noqa: E402
from dns_proxy import DnsProxy  # noqa: E402

RIGHT = ["10.2.0.192.in-addr.arpa. 1 PTR mx1.sender.example.",
         "mx1.sender.example. 1 A 192.0.2.10"]
WRONG = ["11.2.0.192.in-addr.arpa. 1 PTR mx2.sender.example.",
         "mx2.sender.example. 1 A 192.0.2.99"]
MENDED = [WRONG[0], "mx2.sender.example. 1 A 192.0.2.11"]
LIST = ["2.0.0.127.bl.example. A 127.0.0.2", "10.2.0.192.bl.example. A 127.0.0.3"]


class Examined(Installation):
    """Two sources, looked at every second, by way of a resolver that lies when told so."""

    def __init__(self, binary, zone):
        self.proxy = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        sources = []
        for number, name in enumerate(("one", "two")):
            sources += ["[[egress]]", f'name = "{name}"', f'bind_ipv4 = "127.0.3.{number + 1}"',
                        f'public_address = "192.0.2.{number + 10}"',
                        f'hello_name = "mx{number + 1}.sender.example"']
        super().__init__(binary, {"good.example": []}, config=[
            *QUICK, "[doctor]", "interval_seconds = 1",
            f'port_25_hosts = ["127.0.0.1:{port}"]', "[[doctor.blocklist]]", 'zone = "bl.example"',
            'page = "https://bl.example/"', *sources], zone=zone)

    def start_dns(self):
        super().start_dns()
        self.real_port = self.dns_port
        self.proxy = DnsProxy(self.real_port)
        self.proxy.__enter__()
        self.dns_port = self.proxy.port

    def serve_zone(self, lines):
        """The name server anew, at the same port, with other lines."""
        path = self.directory / "root.zone"
        kept = [line for line in path.read_text().splitlines() if line not in self.zone]
        path.write_text("\n".join(kept + lines) + "\n")
        self.zone = lines
        self.proxy.mode = "silent"
        for words in (["stop", self.directory / "dns"],
                      ["start", self.directory / "dns", str(self.real_port), f".={path}"]):
            subprocess.run([ROOT / "tools/local_dns", *words], check=True, capture_output=True)
        self.proxy.mode = "honest"

    def close(self):
        super().close()
        self.listener.close()
        if self.proxy is not None:
            self.proxy.__exit__()

    def logged(self, *words):
        lines = (self.directory / "engine.log").read_text(errors="replace").splitlines()
        return [line for line in lines if all(word in line for word in words)]

    def await_looks(self, count):
        wanted = self.metric("todoku_source_looks_total") + count
        self.wait_for(lambda: self.metric("todoku_source_looks_total") >= wanted, "looks")

    def rests(self, source):
        return self.metric("todoku_source_resting", source=source) == 1.0

    def sent_from(self, count, name):
        """Addresses from which `count` mails to other people come."""
        before = len(self.log())
        self.settle(*[self.transaction(f"{name}{number}@good.example") for number in range(count)])
        return {entry["client"] for entry in self.await_arrivals(before + count)[before:]}


def a_source_rests_and_returns(binary):
    with Examined(binary, RIGHT + WRONG + LIST) as stack:
        stack.wait_for(lambda: stack.rests("two"), "the rest of two")
        check(not stack.rests("one"), "one rests")
        check_equal(len(stack.logged("source rests", "two", "confirmation")), 1, "lines of the rest")
        check_equal(stack.metric("todoku_source_check_failed", source="two", check="confirmation"),
                    1.0, "the failed check")
        check_equal(stack.metric("todoku_source_check_failed", source="one"), 0.0, "checks of one")
        check_equal(stack.sent_from(12, "resting"), {"127.0.3.1"}, "who sends while two rests")
        check_equal(stack.metric("todoku_source_listed", source="one", list="bl.example"), 1.0,
                    "the listing")
        listed = stack.logged("an address is on a blocklist")
        check_equal(len(listed), 1, "lines of the listing")
        check("https://bl.example/" in listed[0] and "192.0.2.10" in listed[0], listed[0])
        stack.serve_zone(RIGHT + MENDED + LIST)
        stack.wait_for(lambda: not stack.rests("two"), "the return of two")
        check_equal(len(stack.logged("source sends again", "two", "the check passes")), 1,
                    "lines of the return")
        check_equal(stack.sent_from(24, "back"), {"127.0.3.1", "127.0.3.2"}, "who sends then")


def a_resolver_that_lies_rests_nobody(binary):
    with Examined(binary, RIGHT + WRONG + LIST) as stack:
        stack.wait_for(lambda: stack.rests("two"), "the rest of two")
        for mode in ("deny", "invent"):
            stack.proxy.mode = mode
            stack.await_looks(6)
            check(not stack.rests("one"), f"one rests by the lie {mode}")
            check_equal(stack.metric("todoku_source_check_failed", source="one"), 0.0, mode)
        check_equal(len(stack.logged("an address is off a blocklist")), 0, "ends of listings")


def the_last_one_sends(binary):
    with Examined(binary, WRONG) as stack:
        stack.wait_for(lambda: stack.logged("source fails a check and sends all the same"),
                       "the last one")
        stack.await_looks(6)
        check_equal(len([name for name in ("one", "two") if stack.rests(name)]), 1, "who rests")
        check_equal(len(stack.sent_from(6, "last")), 1, "who sends")


def what_both_fail_rests_nobody(binary):
    with Examined(binary, LIST) as stack:
        words = "source fails a check and sends all the same"
        stack.wait_for(lambda: stack.logged(words, "one") and stack.logged(words, "two"), "both told")
        stack.await_looks(6)
        check(not any(stack.rests(name) for name in ("one", "two")), "one rests")
        check_equal(stack.sent_from(24, "both"), {"127.0.3.1", "127.0.3.2"}, "who sends")


if __name__ == "__main__":
    sys.exit(run(a_source_rests_and_returns, a_resolver_that_lies_rests_nobody, the_last_one_sends,
                 what_both_fail_rests_nobody))
