# SPDX-License-Identifier: Apache-2.0
"""Real clients hand in mail: swaks, gsasl's mechanisms, msmtp, curl, nodemailer, Postfix as a host that
relays.

usage: clients_test.py TODOKU WORK_FOLDER
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "delivery"))
from installation import check, check_equal, run  # noqa: E402
from ports import free_port  # noqa: E402
from relay_test import FROM, MESSAGE, Relay, without_ours  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(sys.argv.pop(2) if len(sys.argv) > 2 else tempfile.gettempdir())
POSTFIX_MAILS = 1000
POSTFIX = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
mail_owner = postfix
setgid_group = postdrop
myhostname = host.client.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
relayhost = [127.0.0.1]:{relay}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = inline:{{ {{ [127.0.0.1]:{relay} = shop:{password} }} }}
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = encrypt
default_process_limit = 20
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
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
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


def call(*words, octets=None, **more):
    done = subprocess.run([str(word) for word in words], input=octets, capture_output=True,
                          timeout=600, check=False, **more)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def swaks_sends_by_each_mechanism(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        for mechanism in ("PLAIN", "LOGIN"):
            status, said = call("swaks", "--server", "127.0.0.1", "--port", stack.starttls, "--tls",
                                "--auth", mechanism, "--auth-user", "shop", "--auth-password",
                                password, "--from", FROM, "--to", "a@receiver.example")
            check_equal(status, 0, f"swaks, {mechanism}: {said}")
        status, said = call("swaks", "--server", "127.0.0.1", "--port", stack.implicit, "--tlsc",
                            "--auth", "PLAIN", "--auth-user", "shop", "--auth-password", password,
                            "--from", FROM, "--to", "a@receiver.example")
        check_equal(status, 0, f"swaks under TLS: {said}")
        status, said = call("swaks", "--server", "127.0.0.1", "--port", stack.starttls, "--from", FROM,
                            "--to", "a@receiver.example")
        check(status != 0 and "530" in said, f"swaks in clear: {said}")
        stack.await_mails(3)


def gsasl_speaks_every_mechanism(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
            for given, wanted in ((password, True), ("a wrong one", False)):
                status, said = call(
                    "gsasl", "--client", "--smtp", "--connect", f"127.0.0.1:{stack.starttls}",
                    "--mechanism", mechanism, "--authentication-id", "shop", "--password", given,
                    "--hostname", "relay.sender.example", "--x509-ca-file=", "--no-cb",
                    "--quality-of-protection=qop-auth", octets=b"QUIT\r\n")
                check_equal("235 2.7.0" in said, wanted, f"{mechanism}, {given!r} ({status}): {said}")


def msmtp_and_curl_send(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        secret = stack.directory / "password"
        secret.write_text(password)
        status, said = call(
            "msmtp", "--host=127.0.0.1", f"--port={stack.starttls}", "--tls=on",
            "--tls-starttls=on", "--tls-certcheck=off", "--auth=on", "--user=shop",
            f"--passwordeval=cat {secret}", f"--from={FROM}", "--", "a@receiver.example",
            octets=MESSAGE.replace(b"\r\n", b"\n"))
        check_equal(status, 0, f"msmtp: {said}")
        path = stack.directory / "message.eml"
        path.write_bytes(MESSAGE)
        for url in (f"smtp://127.0.0.1:{stack.starttls}", f"smtps://127.0.0.1:{stack.implicit}"):
            status, said = call("curl", "-sS", "--insecure", "--ssl-reqd", "--url", url, "--user",
                                f"shop:{password}", "--mail-from", FROM, "--mail-rcpt",
                                "a@receiver.example", "--upload-file", path)
            check_equal(status, 0, f"curl, {url}: {said}")
        mails = stack.await_mails(3)
        check_equal([without_ours(mail) for mail in mails[1:]], [MESSAGE] * 2, "curl's messages")


def nodemailer_sends_what_applications_send(binary):
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "nodemailer.js"):
        shutil.copy(HERE / name, WORK)
    if not (WORK / "node_modules/nodemailer").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                        "--loglevel=error"], cwd=WORK, check=True)
    with Relay(binary) as stack:
        password = stack.credential("shop")
        status, said = call("node", "nodemailer.js", stack.starttls, stack.implicit, password,
                            cwd=WORK)
        check_equal(status, 0, f"nodemailer: {said}")
        mails = stack.await_mails(3)
        check(all(b"hidden@receiver.example" not in mail for mail in mails), "Bcc")


def postfix_relays_a_thousand(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="todoku-postfix-"))
    with Relay(binary, ["connections_per_network_max = 0"]) as stack:
        password = stack.credential("shop")
        port = free_port()
        configuration = folder / "etc"
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        folder.chmod(0o755)
        (configuration / "main.cf").write_text(
            POSTFIX.format(folder=folder, relay=stack.starttls, password=password))
        (configuration / "master.cf").write_text(MASTER.format(port=port))
        shutil.chown(folder / "data", "postfix")
        subprocess.run(["postfix", "-c", configuration, "set-permissions"], check=False,
                       capture_output=True)
        call("postfix", "-c", configuration, "check")
        log = (folder / "log").open("wb")
        host = subprocess.Popen(["postfix", "-c", configuration, "start-fg"], stdout=log, stderr=log)
        try:
            stack.wait_for(lambda: stack.listens("127.0.0.1", port), "Postfix")
            status, said = call("smtp-source", "-c", "-f", FROM, "-t", "a@receiver.example", "-F",
                                message_file(folder), "-m", POSTFIX_MAILS, "-s", 10, "-N",
                                f"127.0.0.1:{port}")
            check_equal(status, 0, f"smtp-source: {said}")
            try:
                stack.await_mails(POSTFIX_MAILS, 120)
            except RuntimeError:
                print((folder / "log").read_text(errors="replace")[-3000:])
                raise
            time.sleep(1.5)
            check_equal(len(stack.mails()), POSTFIX_MAILS, "mails")
        finally:
            subprocess.run(["postfix", "-c", configuration, "stop"], check=False,
                           capture_output=True)
            host.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def message_file(folder):
    path = folder / "message"
    path.write_bytes(MESSAGE.replace(b"\r\n", b"\n"))
    return path


if __name__ == "__main__":
    tests = [swaks_sends_by_each_mechanism, gsasl_speaks_every_mechanism, msmtp_and_curl_send,
             nodemailer_sends_what_applications_send]
    if os.geteuid() == 0:  # Postfix's master is root's
        tests.append(postfix_relays_a_thousand)
    sys.exit(run(*tests))
