# SPDX-License-Identifier: Apache-2.0
"""Probes: test mails leave as all mail does, and Debian's dovecot says in which folder they are;
what misses the inbox is told to the operators by another way."""
import email
import json
import os
import pathlib
import sys
import threading

from installation import QUICK, Installation, check, check_equal, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from imap_server import DOVECOT, JUNK, ImapServer  # noqa: E402

INBOX, JUNKED, REFUSED = "inbox.example", "junk.example", "refused.example"
OPERATORS = "ops.example"  # a smarthost that is none of the engine's
RECEIVERS = {OPERATORS: [], INBOX: [], JUNKED: [], REFUSED: ["[[receiver.rule]]", 'at = "rcpt"',
                                                  'reply = "550 5.7.1 not from you"']}
VERDICTS = (b"Authentication-Results: mx.receiver.example;\r\n dkim=none;\r\n"
            b" spf=pass smtp.mailfrom=a@sender.example; dmarc=fail header.from=sender.example\r\n"
            b"Authentication-Results: elsewhere.example; dmarc=pass\r\n")


def mailbox(domain, imap, password="right"):
    name = domain.partition(".")[0]
    secret = imap.folder / f"{name}.secret"
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    return ["[[probe.mailbox]]", f'name = "{name}"', f'address = "seed@{domain}"',
            'host = "localhost"', f"port = {imap.port}", f'ca_file = "{imap.certificate}"',
            f'user = "{name}"', f'password_file = "{secret}"',
            'authserv_id = "receiver.example"']


class Filing(threading.Thread):
    """The receivers' own delivery: what their sink has taken comes into their mailboxes."""

    def __init__(self, folder, imap):
        super().__init__(daemon=True)
        self.folder, self.imap = folder, imap
        self.ended = threading.Event()

    def run(self):
        filed = set()
        while not self.ended.wait(0.1):
            for envelope in self.folder.glob("*.json"):
                if envelope.name in filed:
                    continue
                filed.add(envelope.name)
                message = VERDICTS + envelope.with_suffix(".eml").read_bytes()
                if f"seed@{INBOX}" in envelope.read_text():
                    self.imap.deliver("inbox", "", message)
                elif f"seed@{JUNKED}" in envelope.read_text():
                    self.imap.deliver("junk", JUNK, message)


def alarms_of(stack):
    """What operators were told by mail."""
    told = []
    for envelope in (stack.directory / "taken").glob("*.json"):
        if f"ops@{OPERATORS}" in envelope.read_text():
            told.append(email.message_from_bytes(envelope.with_suffix(".eml").read_bytes()))
    return told


def operators_were_told(stack):
    stack.wait_for(lambda: alarms_of(stack), "a mail to the operators")
    mail = alarms_of(stack)[0]
    check("todoku on mail.sender.example: 1 alarm" in mail["Subject"], mail["Subject"])
    text = mail.get_payload(decode=True).decode()
    check("- probe did not reach the inbox" in text and "place=" in text, text)
    stack.wait_for(lambda: stack.metric("todoku_alarms_told_total", way="mail", became="told") >= 1,
                   "the count of it")


def checked(stack, imap):
    listed = stack.command("probe", "list")
    check(f"seed@{INBOX}" in listed, listed)
    asked = json.loads(stack.command("--json", "probe", "run", statuses=(1,)))
    probes = {probe["mailbox"]: probe for probe in asked["probes"]}
    check_equal({name: probe["place"] for name, probe in probes.items()},
                {"inbox": "inbox", "junk": "junk", "refused": "refused"}, "the places")
    for name, folder in (("inbox", "INBOX"), ("junk", JUNK)):
        probe = probes[name]
        check_equal((probe["spf"], probe["dkim"], probe["dmarc"]), ("pass", "none", "fail"), name)
        check_equal((probe["folder"], probe["source"]), (folder, "default"), name)
        check(probe["seconds"] >= 0 and probe["over"], probe)
        check_equal(imap.messages(name), 0, f"mails left in {name}")
    check("550" in probes["refused"]["detail"], probes["refused"])
    check_equal(stack.metric("todoku_probes_total", mailbox="junk", place="junk"), 1.0, "junk")
    history = stack.command("probe", "history", "--mailbox", "junk")
    check("junk" in history and JUNK in history and "inbox.example" not in history, history)
    operators_were_told(stack)
    alone = json.loads(stack.command("--json", "probe", "run", "--mailbox", "inbox"))
    check_equal([probe["place"] for probe in alone["probes"]], ["inbox"], "one of them")
    check("no such mailbox" in stack.command("probe", "run", "--mailbox", "nobody", statuses=(1,),
                                             with_errors=True), "a mailbox that is not there")


def probes_say_where_they_are(binary):
    with ImapServer({"inbox": "right", "junk": "right"}) as imap:
        config = [*QUICK, "[probe]", 'account = "tester"', 'from = ["probe@sender.example"]',
                  *(line for domain in (INBOX, JUNKED, REFUSED) for line in mailbox(domain, imap))]
        stack = Installation(binary, RECEIVERS, config)
        stack.config += ["[alarms]", f'mail_to = ["ops@{OPERATORS}"]', "gather_seconds = 0",
                         'mail_from = "todoku@sender.example"', 'via_tls = "none"',
                         f'via = "smtp://{stack.address_of(0)}:{stack.mail_port}"']
        stack.sink_config = [f'store_directory = "{stack.directory}/taken"']
        (stack.directory / "taken").mkdir()
        filing = Filing(stack.directory / "taken", imap)
        filing.start()
        try:
            with stack:
                checked(stack, imap)
        finally:
            filing.ended.set()
            filing.join()


if __name__ == "__main__":
    if not os.path.exists(DOVECOT):
        print("dovecot-imapd is not installed")
        sys.exit(77)
    sys.exit(run(probes_say_where_they_are))
