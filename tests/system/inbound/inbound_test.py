# SPDX-License-Identifier: Apache-2.0
"""Mail that comes back: what was sent to a receiver is returned by it, complained of, answered.

usage: inbound_test.py TODOKU
"""
import email
import email.policy
import pathlib
import re
import smtplib
import sys

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "delivery")]

from installation import Installation, check, check_equal, run  # noqa: E402
from opendkim import OpenDkim  # noqa: E402
from ports import free_port  # noqa: E402

CORPUS = SYSTEM.parent / "corpus" / "bounce"
AWAY = "From: {to}\nTo: x\nAuto-Submitted: auto-replied\nSubject: away\n\nBack on Monday.\n"
DELAYED = """From: MAILER-DAEMON@mx.receiver.example
Subject: Delayed
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.receiver.example

Final-Recipient: rfc822; {to}
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp; 451 4.4.1 later

--b--
"""
COMPLAINT = """From: fbl@provider.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Original-Mail-From: <{path}>
Original-Rcpt-To: <{to}>

--b
Content-Type: text/rfc822-headers

From: news@sender.example

--b--
"""


class Inbound(Installation):
    def __init__(self, binary):
        self.port = free_port()
        self.filter = OpenDkim()
        super().__init__(binary, {"receiver.example": []}, [
            "[suppression]", "hard_errors = 1",
            "[inbound]", "enabled = true", f'listen = ["127.0.0.1:{self.port}"]',
            'forward_to = "ops@receiver.example"', 'forward_account = "tester"',
            f'milters = ["{self.filter.socket}"]'],
            sink_config=['store_directory = "mails"'])

    def close(self):
        super().close()
        self.filter.close()

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace("[api]", '[api]\npublic_url = "https://mail.sender.example"', 1))

    def sent(self, to):
        """Sends a mail to the address; (delivery, its return path)."""
        delivery = self.transaction(to)
        self.settle(delivery)
        self.wait_for(lambda: any(entry["rcpt_to"] == to for entry in self.log()), f"mail to {to}")
        return delivery, [entry["mail_from"] for entry in self.log() if entry["rcpt_to"] == to][-1]

    def returns(self, path, octets, code=250):
        """Hands a mail in as a receiver does, from the null sender."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=600) as client:
            client.ehlo("mx.receiver.example")
            client.mail("")
            got, text = client.rcpt(path)
            if got == 250:
                got, text = client.data(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            check_equal(got, code, f"what is answered ({text})")

    def became(self, word):
        return self.metric("todoku_inbound_mails_total", became=word)

    def stopped(self):
        return [row["email"] for row in self.api.call("GET", "/errors")["data"]]

    def listed(self, address):
        return [(row["reason"], row["scope"])
                for row in self.api.call("GET", "/suppressions")["data"] if row["email"] == address]

    def mails_to(self, address):
        paths = (self.directory / "mails").rglob("*.eml")
        mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
        return [mail for mail in mails if mail["To"] == address]

    def kinds(self, delivery):
        events = self.api.call("GET", f"/events?delivery_id={delivery}&count=100")["data"]
        return [event["kind"] for event in events]


def report(to):
    """A returned mail of the corpus, of this address."""
    return (CORPUS / "report").read_bytes().replace(b"taro@example.jp", to.encode())


def a_returned_mail_ends_the_story_once(stack):
    to = "taro@receiver.example"
    delivery, path = stack.sent(to)
    stack.returns(path, AWAY.format(to=to).encode())
    stack.returns(path, DELAYED.format(to=to).encode())
    check_equal(stack.counts(delivery), (1, 1, 0, 0), "what changes nothing")
    check_equal((stack.became("auto_reply"), stack.became("delayed")), (1, 1), "what was counted")
    # Folded to lower case or raised, as some systems do.
    local, domain = path.split("@")
    stack.returns(f"{local.upper()}@{domain}", report(to))
    check_equal(stack.counts(delivery), (1, 0, 1, 0), "once it has come back")
    stack.returns(path, report(to))
    check_equal(stack.kinds(delivery).count("hard_error"), 1, "events of two returned mails")
    check_equal((stack.became("bounced"), stack.became("repeated")), (1, 1), "what was counted")
    story = stack.explain(to)
    check("came back" in story and "There is no such mailbox" in story, story)
    check("戻ってきました" in stack.explain(to, "ja"), "in Japanese")
    check_equal(stack.stopped(), [to], "addresses that are stopped")
    after = stack.transaction(to)
    stack.settle(after)
    check_equal(stack.detail(after)["drop_count"], 1, "the next one, which is not sent")


def what_is_not_ours_is_refused(stack):
    to = "jiro@receiver.example"
    delivery, path = stack.sent(to)
    local, domain = path.split("@")
    other = "a" if local[-8] != "a" else "c"
    forged = f"{local[:-8]}{other}{local[-7:]}@{domain}"
    for address in (forged, f"info@{domain}", f"{local}@elsewhere.example", to):
        stack.returns(address, report(to), 550)
    check_equal(stack.counts(delivery), (1, 1, 0, 0), "what a forged one changes")
    check_equal(stack.metric("todoku_inbound_unknown_recipients_total"), 4, "what was counted")
    # Cut off in the middle it is still known whose it is; nobody has said why, so it stops nobody.
    stack.returns(path, b"From: MAILER-DAEMON@mx.receiver.example\r\nSubject: failure notice\r\n\r\n"
                        b"Sorry, I was not able to deliver")
    check_equal(stack.counts(delivery), (1, 0, 1, 0), "a returned mail that was cut off")
    check(to not in stack.stopped(), "an address is stopped for what nobody understands")


def a_complaint_stops_advertisements_and_people_get_their_mail(stack):
    to = "hanako@receiver.example"
    delivery, path = stack.sent(to)
    complaint = COMPLAINT.format(path=path, to=to).encode()
    for _ in range(2):
        stack.returns("abuse@bounce.sender.example", complaint)
    check_equal(stack.kinds(delivery).count("complained"), 1, "events of two complaints")
    check_equal(stack.listed(to), [("complaint", "advertisements")], "the suppression list")
    check_equal(stack.counts(delivery), (1, 1, 0, 0), "its delivery")
    story = stack.explain(to)
    check(story.find(": accepted") < story.find("its reader calls it spam"), f"its story: {story}")
    stack.returns("postmaster@bounce.sender.example",
                  "From: A <a@b.example>\r\nSubject: =?utf-8?B?5Yqp44GR44Gm?=\r\n\r\nplease\r\n".encode())
    stack.wait_for(lambda: any(entry["rcpt_to"] == "ops@receiver.example"
                               for entry in stack.log()), "what is sent on")
    [forwarded] = stack.mails_to("ops@receiver.example")
    check_equal((forwarded["Subject"], forwarded["Reply-To"]), ("助けて", "a@b.example"), "what is forwarded")
    [enclosed] = [part for part in forwarded.walk() if part.get_content_type() == "message/rfc822"]
    check_equal(enclosed.get_payload(0).get_payload().strip(), "please", "what it encloses")


def a_filter_is_asked_and_what_it_writes_stays(stack):
    def forwards():
        return [entry for entry in stack.log() if entry["rcpt_to"] == "ops@receiver.example"]
    before = len(forwards())
    mail = b"From: a@reporter.example\r\nSubject:  signed\r\n\tmail\r\n\r\nspam\r\n"
    stack.returns("abuse@bounce.sender.example", stack.filter.signed(mail))
    stack.wait_for(lambda: len(forwards()) > before, "what is sent on")
    [forwarded] = [each for each in stack.mails_to("ops@receiver.example")
                   if each["Reply-To"] == "a@reporter.example"]
    [enclosed] = [part for part in forwarded.walk() if part.get_content_type() == "message/rfc822"]
    result = enclosed.get_payload(0)["Authentication-Results"]
    check("dkim=pass" in result and "header.d=reporter.example" in result, result)


def mail_waits_while_the_filter_is_away(stack):
    before = stack.metric("todoku_inbound_filtered_total", verdict="accepted")
    check(before > 5, f"mails that the filter has seen: {before}")
    stack.filter.stop()
    stack.returns("abuse@bounce.sender.example", b"From: b@b.example\r\n\r\nspam\r\n", 451)
    check_equal(stack.metric("todoku_inbound_filtered_total", verdict="away"), 1, "not asked")


def what_nobody_would_get_is_put_off(stack):
    ops = "ops@receiver.example"
    before = len(stack.mails_to(ops))
    stack.command("suppression", "add", ops, "--account", "tester", "--note", "left")
    stack.returns("abuse@bounce.sender.example", b"From: a@b.example\r\n\r\nspam\r\n", 451)
    put_off = stack.metric("todoku_inbound_forwards_put_off_total", because="suppressed")
    check_equal((put_off, len(stack.mails_to(ops))), (1, before), "put off, and sent on")
    stack.command("suppression", "remove", ops, "--account", "tester")


def who_writes_to_the_address_beside_the_link_leaves(stack):
    to = "saburo@receiver.example"
    delivery = stack.bulk([to])
    stack.settle(delivery)
    [mail] = stack.mails_to(to)
    field = "".join(mail["List-Unsubscribe"].split())
    address, token = re.search(r",<mailto:([^?>]+)\?subject=([^>]+)>$", field).groups()
    check_equal(address, "unsubscribe@bounce.sender.example", "where to write")
    answer = f"From: {to}\r\nSubject: {{}}\r\n\r\n"
    stack.returns(address, answer.format(token[:-1]).encode())
    check_equal(stack.listed(to), [], "after a wrong token")
    stack.returns(address, answer.format(f"Re:{token[:60]}\r\n {token[60:]}").encode())
    check_equal(stack.listed(to), [("unsubscribe", "advertisements")], "the suppression list")
    check_equal((stack.became("unsubscribed"), stack.became("not_understood")), (1, 1),
                "what was counted")
    stack.returns(address, answer.format(token).encode())
    check_equal(stack.kinds(delivery).count("unsubscribed"), 1, "events of who left, and wrote again")


def mail_that_comes_back(binary):
    with Inbound(binary) as stack:
        for told in (a_returned_mail_ends_the_story_once, what_is_not_ours_is_refused,
                     a_complaint_stops_advertisements_and_people_get_their_mail,
                     what_nobody_would_get_is_put_off, who_writes_to_the_address_beside_the_link_leaves,
                     a_filter_is_asked_and_what_it_writes_stays,
                     mail_waits_while_the_filter_is_away):
            told(stack)


if __name__ == "__main__":
    sys.exit(run(mail_that_comes_back))
