# SPDX-License-Identifier: Apache-2.0
"""What fails comes back to its sender, once, whatever happens to the engine.

TODOKU_SEED repeats the moments of the kills.

    bounce_test.py TODOKU                         who is told what
    bounce_test.py TODOKU --kill [--postgres]     kill -9 while reports are made
"""
import collections
import contextlib
import email
import email.policy
import os
import pathlib
import random
import re
import ssl
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "store_postgres", "delivery")]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from installation import Installation, check, check_equal, run  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from ports import free_port  # noqa: E402
from relay_test import Relay  # noqa: E402

BOSS = "boss@sender.example"
RECEIVERS = {"receiver.example": [], "sender.example": []}
MAILS = 120
KILLS = 5


def message(subject="order", fields=()):
    lines = ["From: news@sender.example", "To: a@receiver.example", f"Subject: {subject}",
             "Message-ID: <one@sender.example>", *fields, "", "the text", ""]
    return "\r\n".join(lines).encode()


def hand_in(client, recipients, mail_from=BOSS, options=(), octets=None):
    """`recipients`: (address, options) of each; the delivery's number."""
    code, text = client.mail(mail_from, list(options))
    check_equal(code, 250, f"MAIL ({text})")
    for address, wishes in recipients:
        code, text = client.rcpt(address, list(wishes))
        check_equal(code, 250, f"RCPT ({text})")
    code, text = client.data(octets or message())
    check_equal(code, 250, f"the message ({text})")
    return int(re.search(rb"delivery (\d+)", text).group(1))


class Report:
    """One that has arrived, as a program of its sender reads it."""

    def __init__(self, octets):
        self.mail = email.message_from_bytes(octets, policy=email.policy.default)
        check_equal(self.mail.get_content_type(), "multipart/report", "its type")
        check_equal(self.mail.get_param("report-type"), "delivery-status", "its kind")
        text, status, *rest = self.mail.get_payload()
        self.text = text.get_content()
        check_equal(status.get_content_type(), "message/delivery-status", "its second part")
        self.of_mail, *self.recipients = status.get_payload()
        self.returned = rest[0] if rest else None

    def finals(self):
        return sorted(self.actions())

    def actions(self):
        return {each["Final-Recipient"].split(";")[1].strip(): each["Action"]
                for each in self.recipients}


def reports(stack):
    return [Report(mail) for mail in stack.mails() if b"From: Mail Delivery" in mail or
            b"MAILER-DAEMON@" in mail]


def await_reports(stack, count):
    stack.wait_for(lambda: len(reports(stack)) >= count, f"{count} reports", 30)
    return reports(stack)


def a_failure_comes_back_to_its_sender(binary):
    with Relay(binary, receivers=RECEIVERS) as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            delivery = hand_in(
                client, [("bounce-550.one@receiver.example",
                          ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;first+2Btag@receiver.example"]),
                         ("good@receiver.example", ["NOTIFY=FAILURE"])],
                options=["RET=HDRS", "ENVID=QQ314159"])
        report, = await_reports(stack, 1)
        check_equal(report.mail["To"], BOSS, "To")
        check(report.mail["From"].addresses[0].username == "MAILER-DAEMON", report.mail["From"])
        check_equal(report.mail["Auto-Submitted"], "auto-replied", "Auto-Submitted")
        check_equal(report.of_mail["Original-Envelope-Id"], "QQ314159", "ENVID")
        told, = report.recipients
        check_equal(told["Final-Recipient"], "rfc822; bounce-550.one@receiver.example", "whom")
        check_equal(told["Original-Recipient"].replace(" ", ""),
                    "rfc822;first+tag@receiver.example", "ORCPT")
        check_equal(told["Action"], "failed", "Action")
        check(re.fullmatch(r"5\.\d+\.\d+", told["Status"]), told["Status"])
        check(told["Diagnostic-Code"].startswith("smtp; 550 "), told["Diagnostic-Code"])
        check_equal(report.returned.get_content_type(), "text/rfc822-headers", "RET=HDRS")
        back = report.returned.get_content()
        check("Subject: order" in back and "the text" not in back, back)
        arrivals = [entry for entry in stack.await_arrivals(2) if entry["rcpt_to"] == BOSS]
        check_equal([entry["mail_from"] for entry in arrivals], [""], "the report's MAIL FROM")
        # It is mail of the account's, and seen as such.
        own = stack.api.call("GET", "/deliveries/all?size=10")["data"]
        check_equal(sorted(each["delivery_type"] for each in own), ["SMTP", "SMTP"], "deliveries")
        check(delivery in [each["delivery_id"] for each in own], own)
        check_equal(stack.counts(delivery)[1:3], (1, 1), "the mail")


def the_mail_itself_comes_back_in_its_language(binary):
    with Relay(binary, receivers=RECEIVERS) as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            hand_in(client, [("bounce@receiver.example", [])],
                    octets=message("=?utf-8?B?44GU5rOo5paH?=", ["Auto-Submitted: auto-generated"]))
        report, = await_reports(stack, 1)
        check("届け" in report.mail["Subject"] and "550" in report.text, report.text)
        check_equal(report.returned.get_content_type(), "message/rfc822", "the mail")
        check("the text" in report.returned.get_content().get_content(), "the text")


def who_must_not_be_told_is_not(binary):
    with Relay(binary, receivers=RECEIVERS) as stack:
        stack.command("account", "add", "other")
        loud = stack.credential("loud")
        silent = stack.credential("silent", "--bounces", "false")
        bad = ("bounce@receiver.example", [])
        with stack.connect(("loud", loud)) as client:
            hand_in(client, [(bad[0], ["NOTIFY=NEVER"])])
            hand_in(client, [(bad[0], ["NOTIFY=SUCCESS,DELAY"])])
            hand_in(client, [bad], mail_from="")
            hand_in(client, [bad], mail_from="victim@receiver.example")
            hand_in(client, [bad], octets=message(fields=["Auto-Submitted: auto-replied"]))
            # Whose address is no more: its report fails, and nothing is said of that.
            gone = hand_in(client, [bad], mail_from="bounce@sender.example")
        with stack.connect(("silent", silent)) as client:
            hand_in(client, [bad])
        stack.wait_for(lambda: stack.metric("todoku_bounce_reports_untold_total") == 5,
                       "those of whom nobody is told")
        reasons = {reason: stack.metric("todoku_bounce_reports_untold_total", reason=reason)
                   for reason in ("null_sender", "is_report", "foreign_sender", "switched_off")}
        check_equal(reasons, {"null_sender": 2, "is_report": 1, "foreign_sender": 1,
                              "switched_off": 1}, f"why (mail {gone})")
        with stack.connect(("loud", loud)) as client:
            hand_in(client, [bad, ("bounce.two@receiver.example", [])])
        report, = await_reports(stack, 1)
        check_equal(report.finals(), ["bounce.two@receiver.example", "bounce@receiver.example"],
                    "of whom")
        check_equal(stack.metric("todoku_bounce_reports_total"), 2, "reports, with the one refused")


def delays_and_success_are_told_as_wished(binary):
    extra = ["delay_notice_hours = 0.0005"]
    relay = Relay(binary, extra, receivers=RECEIVERS)  # the sink does not offer DSN
    relay.config.insert(1, "greylist_retry_seconds = [1, 2]")
    with relay as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            hand_in(client, [("defer@receiver.example", []),
                             ("defer.two@receiver.example", ["NOTIFY=FAILURE"]),
                             ("good@receiver.example", ["NOTIFY=SUCCESS"]),
                             ("fine@receiver.example", [])])
        told = {}

        def all_told():
            for report in reports(stack):
                told.update(report.actions())
            return len(told) >= 2

        stack.wait_for(all_told, "both", 30)
        check_equal(told, {"defer@receiver.example": "delayed",
                           "good@receiver.example": "relayed"}, "what is told")


def nothing_is_told_where_it_is_switched_off(binary):
    with Relay(binary, ["bounces = false"], receivers=RECEIVERS) as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            hand_in(client, [("bounce@receiver.example", [])])
        stack.wait_for(lambda: stack.metric("todoku_bounce_reports_untold_total",
                                            reason="switched_off") == 1, "what is not told")
        check_equal(reports(stack), [], "reports")


# ---- kill -9 ------------------------------------------------------------------------------------

class Killed:
    """What both kinds of installation have in common."""

    connect = Relay.connect
    credential = Relay.credential
    mails = Relay.mails
    paths = Relay.paths


class OnFile(Killed, Installation):
    pass


class OnServer(Killed, OnPostgres):
    pass


def told_of(stack):
    """By recipient, the Message-IDs of reports: one that was being sent may arrive twice."""
    told = collections.defaultdict(set)
    for report in reports(stack):
        for final in report.finals():
            told[final].add(report.mail["Message-ID"])
    return told


def killed(stack, port, dice):
    stack.starttls = port
    stack.tls = ssl.create_default_context()
    stack.tls.check_hostname = False
    stack.tls.verify_mode = ssl.CERT_NONE
    password = stack.credential("shop")
    wanted = set()
    for round_ in range(KILLS):
        with stack.connect(("shop", password)) as client:
            for number in range(MAILS // KILLS):
                name = f"bounce.r{round_}n{number}"
                recipients = [(f"{name}{end}@receiver.example", []) for end in "ab"]
                hand_in(client, recipients, options=[f"ENVID={name}"])
                wanted |= {address for address, _ in recipients}
        time.sleep(dice.uniform(0, 4))
        stack.kill_engine()
        stack.start_engine()
    stack.wait_for(lambda: wanted <= set(told_of(stack)), "every report", 90)
    # One more, behind which nothing is left to be told a second time.
    with stack.connect(("shop", password)) as client:
        hand_in(client, [("bounce.last@receiver.example", [])])
    stack.wait_for(lambda: "bounce.last@receiver.example" in told_of(stack), "the last", 30)
    twice = [(address, ids) for address, ids in told_of(stack).items() if len(ids) != 1]
    check(not twice, f"{len(twice)} were told of more than once, such as {twice[:3]}")
    print(f"{len(wanted)} failures, {len(reports(stack))} reports")


def kill_test():
    seed = int(os.environ.get("TODOKU_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed} (TODOKU_SEED={seed} repeats it)", flush=True)
    port = free_port()
    config = ["[delivery]", "transactional_retry_seconds = [1, 2, 5]",
              "site_rest_first_seconds = 1", "[smtp_in]", "enabled = true",
              "[[smtp_in.listener]]", f'address = "127.0.0.1:{port}"',
              "[smtp_in.anomaly]", "unknown_users_percent = 0"]
    with contextlib.ExitStack() as held:
        kind, server = OnFile, ()
        if "--postgres" in sys.argv:
            kind, server = OnServer, (held.enter_context(PostgresServer()),)
        stack = kind(sys.argv[1], *server, receivers=RECEIVERS, config=config,
                     sink_config=['store_directory = "mails"'])
        killed(held.enter_context(stack), port, random.Random(seed))
    return 0


if __name__ == "__main__":
    sys.exit(kill_test() if "--kill" in sys.argv else
             run(a_failure_comes_back_to_its_sender, the_mail_itself_comes_back_in_its_language,
                 who_must_not_be_told_is_not, delays_and_success_are_told_as_wished,
                 nothing_is_told_where_it_is_switched_off))
