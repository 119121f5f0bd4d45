# SPDX-License-Identifier: Apache-2.0
"""A Postfix of our own with an OpenDKIM milter, in one folder, as a relay to one receiver.

Tuned as a competent operator would: see main.cf below. Three doors, one through the milter, one
past it, and one whose mail stays in the queue (on hold), for those who measure acceptance alone.
Clients on this machine need no AUTH, and may use TLS. None writes logs: there is no syslog to write
to, or it is the machine's affair.
Needs root, as Postfix does.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from ports import free_port

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
relayhost = [{receiver_address}]:{receiver_port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtputf8_enable = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = {directory}/tls.pem
biff = no
message_size_limit = 0
# Take mail as fast as it comes, hand it on over as many connections as the engine has.
default_process_limit = {processes}
in_flow_delay = 0
qmgr_message_active_limit = 100000
initial_destination_concurrency = {connections}
default_destination_concurrency_limit = {connections}
smtp_destination_concurrency_limit = {connections}
smtp_connection_cache_on_demand = yes
smtp_connection_reuse_count_limit = 1000
milter_default_action = tempfail
milter_protocol = 6
"""

MASTER_CF = """\
127.0.0.1:{plain_port} inet n - n - - smtpd
127.0.0.1:{signed_port} inet n - n - - smtpd -o smtpd_milters=unix:{directory}/opendkim.sock
127.0.0.1:{held_port} inet n - n - - smtpd -o smtpd_recipient_restrictions=check_recipient_access,static:hold
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
"""

OPENDKIM_CONF = """\
Mode s
Domain signed.example
Selector s1
KeyFile {directory}/dkim.key
Canonicalization relaxed/relaxed
InternalHosts 127.0.0.0/8
Socket local:{directory}/opendkim.sock
UMask 000
RequireSafeKeys no
Syslog no
"""


def wait_for(condition, what, seconds):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class PostfixWithOpenDkim:
    def __init__(self, receiver, connections, processes=200):
        """`receiver`: (address, port) of the server that everything is handed to. `processes`: of
        each kind at most, so clients at once."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="todoku-postfix-"))
        self.opendkim = None
        plain, signed, self.held_port = free_port(), free_port(), free_port()
        self.doors = {False: f"127.0.0.1:{plain}", True: f"127.0.0.1:{signed}"}
        self.names = {"directory": self.directory, "receiver_address": receiver[0],
                      "receiver_port": receiver[1], "plain_port": plain, "signed_port": signed,
                      "held_port": self.held_port, "connections": connections,
                      "processes": processes}

    @staticmethod
    def is_possible():
        return os.getuid() == 0 and shutil.which("postfix") and shutil.which("opendkim")

    def __enter__(self):
        try:
            # Postfix's user comes through here to its queue.
            self.directory.chmod(0o755)
            for name in ("conf", "queue", "data"):
                (self.directory / name).mkdir()
            shutil.chown(self.directory / "data", "postfix")
            self.write("conf/main.cf", MAIN_CF)
            self.write("conf/master.cf", MASTER_CF)
            self.write("opendkim.conf", OPENDKIM_CONF)
            self.make_certificate()
            self.start_opendkim()
            self.postfix("start")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def write(self, name, text):
        (self.directory / name).write_text(text.format(**self.names))

    def make_certificate(self):
        made = self.directory / "tls.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=relay.example",
                        "-keyout", made, "-out", f"{made}.certificate"], check=True,
                       capture_output=True)
        with open(made, "a", encoding="utf-8") as file:
            file.write((self.directory / "tls.pem.certificate").read_text())

    def start_opendkim(self):
        subprocess.run(["openssl", "genrsa", "-out", self.directory / "dkim.key", "2048"],
                       check=True, capture_output=True)
        with open(self.directory / "opendkim.log", "ab") as log:
            self.opendkim = subprocess.Popen(
                ["opendkim", "-f", "-x", self.directory / "opendkim.conf"], stdout=log, stderr=log)
        wait_for((self.directory / "opendkim.sock").exists, "OpenDKIM", 10)

    def postfix(self, verb):
        done = subprocess.run(["postfix", "-c", self.directory / "conf", verb],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"postfix {verb}: {done.stdout}{done.stderr}")

    def waiting(self):
        """Mails in the queue."""
        return sum(len(os.listdir(self.directory / "queue" / name))
                   for name in ("incoming", "active"))

    def drain(self, patience):
        """Waits until every mail has left the queue for its receiver."""
        wait_for(lambda: self.waiting() == 0, "Postfix's queue", patience)
        deferred = sum(len(files) for _, _, files in os.walk(self.directory / "queue/deferred"))
        if deferred:
            raise RuntimeError(f"Postfix deferred {deferred} mails")

    def forget_held(self):
        """Removes what came in by the third door."""
        for path in (self.directory / "queue/hold").iterdir():
            path.unlink()

    def close(self):
        if (self.directory / "queue/pid/master.pid").exists():
            subprocess.run(["postfix", "-c", self.directory / "conf", "stop"], check=False,
                           capture_output=True)
        if self.opendkim is not None:
            self.opendkim.terminate()
            self.opendkim.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
