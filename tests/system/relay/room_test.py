# SPDX-License-Identifier: Apache-2.0
"""What messages that are under way take of memory is bounded, and no account takes all of it."""
import re
import smtplib
import sys

from relay_test import FROM, MESSAGE, Relay, check, check_equal, run

CONNECTIONS = 360
OF_OTHER = MESSAGE.replace(b"news@sender.example>\r\nTo", b"a@other.example>\r\nTo")
HEAD = b"X-Long: " + b"x" * 900 + b"\r\n"
HEADS = HEAD * (1_000_000 // len(HEAD))  # no end of the header section
RESIDENT_MAX = 700_000_000  # half of the 512 MiB that messages have, and the engine


def resident(stack):
    with open(f"/proc/{stack.engine.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024


def header_sections_are_bounded_and_leave_others_room(binary):
    with Relay(binary, ["connections_per_network_max = 0", "account_connections_max = 0"]) as stack:
        stack.command("account", "add", "other")
        stack.vouch("other", "other.example")
        greedy = ("greedy", stack.credential("greedy", "--connections", "0"))
        shown = stack.command("smtp-credential", "add", "other", "modest")
        modest = ("modest", re.search(r"^password\s+(\S+)$", shown, re.MULTILINE).group(1))
        clients = []
        for _ in range(CONNECTIONS):
            client = stack.connect(greedy)
            clients.append(client)
            client.mail(FROM)
            client.rcpt("a@receiver.example")
            check_equal(client.docmd("DATA")[0], 354, "DATA")
            client.send(HEADS)
        check(resident(stack) < RESIDENT_MAX, f"{resident(stack)} octets")
        with stack.connect(modest) as client:
            client.sendmail("a@other.example", ["b@receiver.example"], OF_OTHER)
        answers = []
        for client in clients:
            client.send(MESSAGE + b".\r\n")
            answers.append(client.getreply()[0])
        check_equal(set(answers), {250, 452}, "the answers")
        # What was refused has given its room back, and so has what was kept.
        for client in clients:
            try:
                client.sendmail(FROM, ["c@receiver.example"], MESSAGE)
            except smtplib.SMTPResponseException as error:
                raise AssertionError(f"afterwards: {error}") from error
            client.close()


if __name__ == "__main__":
    sys.exit(run(header_sections_are_bounded_and_leave_others_room))
