# SPDX-License-Identifier: Apache-2.0
"""Mail servers of others return our mail to us: a Postfix here, live; Exim, OpenSMTPD and sendmail as
they wrote into tests/corpus/returned. What they return ends at the recipient whose return path it
came to; forged and mangled ones end nobody else.

usage: returned_test.py TODOKU
"""
import os
import pathlib
import re
import shutil
import smtplib
import socketserver
import sys
import threading

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "delivery", "inbound")]
sys.path.append(str(SYSTEM.parents[1] / "bench/support"))

from installation import check, check_equal, run  # noqa: E402
from inbound_test import Inbound  # noqa: E402
from judged import CORPUS, is_kept, rows  # noqa: E402
from postfix import PostfixWithOpenDkim  # noqa: E402

RETURNS = "bounce.sender.example"
REFUSALS = {"nobody": "550 5.1.1 <{}>: Recipient address rejected: User unknown",
            "full": "552 5.2.2 Mailbox full",
            "filtered": "554 5.7.1 Message looks like spam"}
OTHERS = ("exim", "opensmtpd", "sendmail")
# bounce(8) returns to us, all else goes to who refuses it.
ROUTES = "transport_maps = inline:{{{{ {{{{ {domain} = smtp:[127.0.0.1]:{port} }}}} }}}}\n"


class Refusing(socketserver.StreamRequestHandler):
    """A receiver that refuses whom its name says, "filtered" after the content."""

    def handle(self):
        self.wfile.write(b"220 mx.receiver.example ESMTP\r\n")
        address = ""
        while line := self.rfile.readline():
            verb = line[:4].upper()
            answer = "250 2.0.0 Ok"
            if verb == b"RCPT":
                address = re.search(rb"<(.*)>", line).group(1).decode()
                if not address.startswith("filtered"):
                    answer = self.refusal(address)
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                answer = self.refusal(address)
            elif verb == b"QUIT":
                answer = "221 2.0.0 Bye"
            self.wfile.write(answer.encode() + b"\r\n")

    @staticmethod
    def refusal(address):
        return REFUSALS[address.split("@")[0]].format(address)


class Refuser(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Gateway(PostfixWithOpenDkim):
    """A Postfix that takes mail for its receiver and can only return it; it signs nothing."""

    def __init__(self, receiver, inbound_port):
        super().__init__(receiver, 5, processes=20)
        self.routes = ROUTES.format(domain=RETURNS, port=inbound_port)

    def write(self, name, text):
        super().write(name, text + (self.routes if name == "conf/main.cf" else ""))

    def start_opendkim(self):
        pass

    def take(self, mail_from, to, returns):
        host, port = self.doors[False].split(":")
        with smtplib.SMTP(host, int(port), timeout=600) as client:
            client.ehlo("sender.example")
            code, text = client.mail(mail_from, [f"RET={returns}"])
            check_equal(code, 250, f"MAIL ({text})")
            code, text = client.rcpt(to, ["NOTIFY=FAILURE"])
            check_equal(code, 250, f"RCPT ({text})")
            code, text = client.data(f"From: news@sender.example\r\nTo: {to}\r\nSubject: order\r\n\r\n"
                                     "Thank you.\r\n")
            check_equal(code, 250, f"the mail ({text})")


def is_ended(stack, delivery):
    return stack.counts(delivery) == (1, 0, 1, 0)


def a_postfix_returns_each_to_its_own(stack, gateway):
    sent = {name: stack.sent(f"{name}@receiver.example") for name in REFUSALS}
    for place, (name, (_, path)) in enumerate(sent.items()):
        gateway.take(path, f"{name}@receiver.example", ("HDRS", "FULL")[place % 2])
    for name, (delivery, _) in sent.items():
        stack.wait_for(lambda delivery=delivery: is_ended(stack, delivery), f"what is returned of {name}", 60)
    stopped = [address for address in stack.stopped() if address.split("@")[0] in REFUSALS]
    check_equal(stopped, ["nobody@receiver.example"], "addresses that are stopped")
    for name, words in (("nobody", "5.1.1"), ("full", "5.2.2"), ("filtered", "5.7.1")):
        check(words in stack.explain(f"{name}@receiver.example"), f"the story of {name}")


def genuine(mta):
    """(octets, the recipient) of a mail by which it says that nobody is there."""
    row = next(row for row in rows(CORPUS / "labels.tsv")
               if row["provenance"].startswith(mta) and row["class"] == "mailbox" and row["language"] == "en"
               and " 5.1.1 " in row["provenance"] and not is_kept(row["file"]))
    return (CORPUS / row["file"]).read_bytes(), row["recipient"]


def the_others_return_to_theirs_and_to_nobody_else(stack):
    beside = "beside@receiver.example"
    untouched, path_beside = stack.sent(beside)
    for mta in OTHERS:
        octets, named = genuine(mta)
        to, cut, odd = (f"{mta}-{what}@receiver.example" for what in ("whole", "cut", "odd"))
        delivery, path = stack.sent(to)
        local, domain = path.split("@")
        swapped = local[:-6] + ("b" if local[-6] != "b" else "d") + local[-5:]
        stack.returns(f"{swapped}@{domain}", octets.replace(named.encode(), to.encode()), 550)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), f"what a forged return path of {mta} changes")
        stack.returns(path, octets.replace(named.encode(), to.encode()))
        check(is_ended(stack, delivery), f"{mta}: {stack.counts(delivery)}")
        check(to in stack.stopped(), f"{mta}: nobody is there, and it is not stopped")
        # Cut off before it says why: whose it is is known, and it stops nobody.
        delivery, path = stack.sent(cut)
        stack.returns(path, octets[:octets.index(b"\r\n\r\n") + 60] if b"\r\n\r\n" in octets
                      else octets[:octets.index(b"\n\n") + 60])
        check(is_ended(stack, delivery), f"{mta}, cut off: {stack.counts(delivery)}")
        check(cut not in stack.stopped(), f"{mta}: what was cut off stops an address")
        # It names somebody else, whose return path this is not.
        delivery, path = stack.sent(odd)
        stack.returns(path, octets.replace(named.encode(), beside.encode()))
        check_equal(stack.counts(untouched), (1, 1, 0, 0), f"somebody whom a mail of {mta} names")
        check(beside not in stack.stopped(), f"{mta}: a name in a mail stops an address")
    check(path_beside, "its return path")


def mail_servers_return_our_mail(binary):
    with Inbound(binary) as stack:
        the_others_return_to_theirs_and_to_nobody_else(stack)
        if os.geteuid() != 0 or not shutil.which("postfix"):
            print("no Postfix can be run here: its part is skipped")
            return
        with Refuser(("127.0.0.1", 0), Refusing) as refuser, \
                Gateway(refuser.server_address, stack.port) as gateway:
            a_postfix_returns_each_to_its_own(stack, gateway)


if __name__ == "__main__":
    sys.exit(run(mail_servers_return_our_mail))
