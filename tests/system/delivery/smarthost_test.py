# SPDX-License-Identifier: Apache-2.0
"""A source hands its mail to a smarthost, a real Postfix that wants a login: mail goes through, what it says of
a recipient counts, and what it says of us waits."""
import os
import pathlib
import shutil
import subprocess
import sys

from installation import Installation, check, check_equal, run
from ports import free_port

HOST = "smtp.hub.example"
PASSWORD = "right horse"
MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = {host}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
relayhost = [127.0.2.1]:{sink}
smtp_host_lookup = native
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/key.pem, {folder}/certificate.pem
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = {host}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/refused, permit_sasl_authenticated, reject
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
"""


class Hub:
    """Postfix in `folder`."""

    def __init__(self, folder, sink_port):
        self.folder, self.port = folder, free_port()
        for name in ("etc/sasl", "queue", "data", "log"):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        for parent in folder.parents[:1]:
            parent.chmod(0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-days",
                        "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"],
                       check=True, capture_output=True)
        # Debian's Postfix looks for it beside its main.cf.
        (folder / "etc/sasl/smtpd.conf").write_text(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: SCRAM-SHA-256 PLAIN LOGIN\n"
            f"sasldb_path: {folder}/users\n")
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", folder / "users", "-u", HOST, "shop"],
                       input=PASSWORD.encode(), check=True, capture_output=True)
        shutil.chown(folder / "users", "postfix")
        shutil.chown(folder / "data", "postfix")
        (folder / "refused").write_text("nobody@receiver.example 550 5.1.1 unknown user\n"
                                        "used.up@receiver.example 454 Throttling failure: Daily message quota exceeded.\n")
        (folder / "etc/main.cf").write_text(MAIN.format(folder=folder, host=HOST, sink=sink_port))
        (folder / "etc/master.cf").write_text(MASTER.format(port=self.port))
        subprocess.run(["postfix", "-c", folder / "etc", "check"], check=False, capture_output=True)
        self.process = subprocess.Popen(["postfix", "-c", folder / "etc", "start-fg"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log(self):
        path = self.folder / "log/mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], check=False, capture_output=True)
        self.process.wait(30)


class Behind(Installation):
    """Its only source sends through the hub."""

    def __init__(self, binary):
        super().__init__(binary, {"receiver.example": []}, ["[delivery]", "site_rest_first_seconds = 300"],
                         zone=[f"{HOST}. A 127.0.0.1"], site_defaults=["idle_seconds = 0"])
        self.hub = Hub(self.directory / "hub", self.mail_port)
        self.password = self.directory / "password"
        self.give(PASSWORD)
        self.config += ["[[egress]]", 'name = "hub"', f'via = "smtp://{HOST}:{self.hub.port}"',
                        'via_user = "shop@' + HOST + '"', f'via_password_file = "{self.password}"',
                        "[doctor]", "enabled = false"]
        os.environ["TODOKU_SMTP_OUT__TLS_CA_FILE"] = str(self.hub.folder / "certificate.pem")

    def give(self, password):
        self.password.write_text(password + "\n")
        self.password.chmod(0o600)

    def __exit__(self, kind, value, traceback):
        try:
            if kind is not None:
                print(self.hub.log()[-3000:], file=sys.stderr)
        finally:
            del os.environ["TODOKU_SMTP_OUT__TLS_CA_FILE"]
            self.hub.stop()
            super().__exit__(kind, value, traceback)


def alarms_of(stack):
    """How often it was said that the smarthost refuses us; its end says the same words behind."""
    lines = (stack.directory / "engine.log").read_text().splitlines()
    return sum(" error   a smarthost refuses this source" in line and "source=hub" in line for line in lines)


def takes_what_the_source_sends(binary):
    with Behind(binary) as stack:
        stack.wait_for(lambda: stack.listens("127.0.0.1", stack.hub.port), "Postfix")
        doctor = stack.command("doctor", "--source", "hub", statuses=(0, 1, 2))
        check(f"the smarthost {HOST}:{stack.hub.port} takes mail of this source, logged in" in doctor, doctor)

        good = stack.transaction("a@receiver.example")
        stack.settle(good)
        stack.wait_for(lambda: stack.log(), "the mail behind the smarthost")
        check("sasl_method=SCRAM-SHA-256" in stack.hub.log(), "how it logged in:\n" + stack.hub.log())
        story = stack.explain("a@receiver.example")
        check(HOST in story and "TLS, certificate verified" in story, story)

        # What it says of a recipient is the recipient's.
        stack.transaction("nobody@receiver.example")
        story = stack.await_story("nobody@receiver.example", "5.1.1 ")
        check("unknown user" in story, story)

        # What it says of us is not.
        stack.give("wrong horse")
        late = stack.transaction("late@receiver.example")
        story = stack.await_story("late@receiver.example", "smarthost")
        check("does not let us in" in story and "535" in story, story)
        check_equal(stack.counts(late)[2], 0, "hard errors")
        waits = stack.transaction("waits@receiver.example")
        check("スマートホスト" in stack.explain("late@receiver.example", "ja"), "the Japanese story")
        check(stack.metric("todoku_failures_total", cause="smarthost") >= 1.0, "the metric")
        doctor = stack.command("doctor", "--source", "hub", statuses=(1,))
        check("does not let this source log in" in doctor, doctor)
        # A login that was mended does not wait for the time at which the refused one is tried again.
        refused = stack.hub.log().count("authentication failed")
        stack.give(PASSWORD)
        stack.settle(waits)
        check_equal(stack.hub.log().count("authentication failed"), refused, "further wrong logins")
        check_equal(alarms_of(stack), 1, "alarms of the refused login")

        # Nor is what it says of our account there.
        used_up = stack.transaction("used.up@receiver.example")
        story = stack.await_story("used.up@receiver.example", "Daily message quota exceeded")
        check("the account there may not send now" in story, story)
        check_equal(stack.counts(used_up)[2], 0, "hard errors for the quota")
        stack.wait_for(lambda: alarms_of(stack) == 2, "its alarm")
        for path in pathlib.Path(stack.directory).glob("*.log"):
            check(b" horse" not in path.read_bytes(), f"the password is in {path.name}")


if __name__ == "__main__":
    if os.geteuid() != 0:  # Postfix's master is root's
        sys.exit(77)
    sys.exit(run(takes_what_the_source_sends))
