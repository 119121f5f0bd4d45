# SPDX-License-Identifier: Apache-2.0
"""kill -9 while programs hand in mail by SMTP; restart, until done.

What got a 250 is delivered; what did not may be sent again; who repeats with an idempotency header
makes no second mail. TODOKU_SEED repeats the moments of the kills. With --forgetful the client sends
one repeat under another key, and the test has to fail.

    kill_test.py TODOKU [--postgres] [--forgetful]
"""
import collections
import contextlib
import os
import pathlib
import random
import re
import smtplib
import ssl
import sys
import threading
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "store_postgres", "delivery")]

import patience  # noqa: E402
from installation import Installation, check  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from ports import free_port  # noqa: E402

MAILS = 400  # at least: they go on for as long as there are kills
SENDERS = 4
KILLS = 5
DONE_SECONDS = 120
FROM = "news@sender.example"


def message(number, key):
    return (f"From: {FROM}\r\nTo: t{number}@one.example\r\nSubject: {number}\r\n"
            f"X-Todoku-Idempotency-Key: {key}\r\n\r\n" + "text\r\n" * 200).encode()


class Sender(threading.Thread):
    """Hands in each mail under a key of its own, as often as it takes."""

    def __init__(self, port, password, first, enough, forgetful):
        super().__init__(daemon=True)
        self.port, self.password = port, password
        self.first, self.enough, self.forgetful = first, enough, forgetful
        self.made = {}  # deliveries by number
        self.repeats = 0
        self.trouble = None
        self.client = None
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def connect(self):
        client = smtplib.SMTP("127.0.0.1", self.port, timeout=600)
        client.starttls(context=self.tls)
        client.login("shop", self.password)
        return client

    def hand_in(self, number, key):
        if self.client is None:
            self.client = self.connect()
        self.client.mail(FROM)
        self.client.rcpt(f"t{number}@one.example")
        code, text = self.client.data(message(number, key))
        if code // 100 == 4:
            raise OSError(f"{code} {text}")
        check(code == 250, f"{code} {text}")
        return int(re.search(rb"delivery (\d+)", text).group(1))

    def until_kept(self, number):
        until = patience.until(90)
        key = f"mail-{number}"
        while True:
            try:
                return self.hand_in(number, key)
            except (OSError, smtplib.SMTPException) as trouble:
                check(time.monotonic() < until, f"no answer within 90 s: {trouble}")
                self.client = None
                self.repeats += 1
                if self.forgetful:
                    key = f"forgotten-{number}-{self.repeats}"
                time.sleep(0.05)

    def run(self):
        try:
            number = self.first
            while number < MAILS or not self.enough.is_set():
                self.made[number] = self.until_kept(number)
                if self.made[number] != self.until_kept(number):
                    raise AssertionError(f"a repeat of {number} made another delivery")
                number += SENDERS
        except Exception as trouble:  # told by the main thread
            self.trouble = trouble


def accepted(stack):
    """How often each address was accepted, by the events."""
    counts = collections.Counter()
    cursor = ""
    while True:
        page = stack.api.call("GET", f"/events?count=1000&kind%5B%5D=accepted{cursor}")
        counts.update(event["email"] for event in page["data"])
        cursor = f"&cursor={page['next_cursor']}"
        if not page["has_more"]:
            return counts


def test(stack, port, dice, forgetful):
    shown = stack.command("smtp-credential", "add", "tester", "shop", "--options",
                          "idempotency-key")
    password = re.search(r"^password\s+(\S+)$", shown, re.MULTILINE).group(1)
    enough = threading.Event()
    senders = [Sender(port, password, first, enough, forgetful) for first in range(SENDERS)]
    for sender in senders:
        sender.start()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.3, 1.2))
        stack.kill_engine()
        stack.start_engine()
    enough.set()
    for sender in senders:
        sender.join(DONE_SECONDS)
        check(not sender.is_alive() and sender.trouble is None, f"a client: {sender.trouble}")
    made = {number: delivery for sender in senders for number, delivery in sender.made.items()}
    check(len(set(made.values())) == len(made), "two mails are one delivery")
    wanted = {f"t{number}@one.example" for number in made}
    stack.wait_for(lambda: wanted <= {to for to, _ in stack.arrivals()}, "every mail", DONE_SECONDS)
    twice = [(address, times) for address, times in accepted(stack).items() if times != 1]
    check(not twice, f"{len(twice)} were accepted more than once, such as {twice[:3]}")
    print(f"{len(made)} mails, {sum(sender.repeats for sender in senders)} broken off, "
          f"{len(stack.arrivals())} arrivals")


def main():
    seed = int(os.environ.get("TODOKU_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed} (TODOKU_SEED={seed} repeats it)", flush=True)
    port = free_port()
    config = ["[delivery]", "transactional_retry_seconds = [1, 2, 5]",
              "site_rest_first_seconds = 1", "[smtp_in]", "enabled = true",
              "[[smtp_in.listener]]", f'address = "127.0.0.1:{port}"']
    with contextlib.ExitStack() as held:
        kind, server = Installation, ()
        if "--postgres" in sys.argv:
            kind, server = OnPostgres, (held.enter_context(PostgresServer()),)
        stack = kind(sys.argv[1], *server, receivers={"one.example": []}, config=config)
        test(held.enter_context(stack), port, random.Random(seed), "--forgetful" in sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
