# SPDX-License-Identifier: Apache-2.0
"""kill -9 while mails are accepted, their outcomes recorded, endpoints told; restart, until done.

No event is missing from the stream or from an endpoint, or is told under two ids; what a reader saw
before a kill stands where it stood; counts are those of the events; no idempotency key is forgotten.
TODOKU_SEED repeats the moments of the kills. With --forgetful the receiver loses one call that it
has taken, and the test has to fail.

    told_events_test.py TODOKU [--postgres] [--forgetful]
"""
import collections
import contextlib
import itertools
import os
import pathlib
import random
import sys
import threading
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "api", "store_postgres", "webhooks")]

import door  # noqa: E402
import patience  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from receiver import Receiver  # noqa: E402
from stack import Stack  # noqa: E402
from told import check, check_signatures, check_told, count, read_on  # noqa: E402

BULK = 2_000
TRANSACTIONS = 600  # at least: they go on for as long as there are kills
SENDERS = 4
KILLS = 6
DOMAINS = ("one.example", "two.example", "three.example")
DONE_SECONDS = 180


def answered(ask, wanted=(200, 201), seconds=90):
    """The JSON of an answer, asked until there is one: the engine is killed meanwhile."""
    until = patience.until(seconds)
    while True:
        with contextlib.suppress(OSError, door.http.client.HTTPException):
            answer = ask()
            if answer.status in wanted:
                return answer.json
            check(answer.status in (409, 429, 503), f"{answer}")
        check(time.monotonic() < until, f"no answer within {seconds} s")
        time.sleep(0.05)


class Sender(threading.Thread):
    """Posts each mail under a key of its own, as often as it takes."""

    def __init__(self, account, first, enough):
        super().__init__(daemon=True)
        self.account = account
        self.first = first
        self.enough = enough
        self.made = {}  # delivery by number
        self.trouble = None

    def numbers(self):
        for number in itertools.count(self.first, SENDERS):
            if number >= TRANSACTIONS and self.enough.wait(0.05):
                return
            yield number

    def ask(self, number):
        fields = {"to": f"t{number}@{DOMAINS[number % len(DOMAINS)]}", "tags": ["single"]}
        return self.account.send(fields, headers={"Idempotency-Key": f"mail-{number}"})

    def run(self):
        try:
            for number in self.numbers():
                self.made[number] = answered(lambda n=number: self.ask(n))["delivery_id"]
        except Exception as trouble:  # told by the main thread
            self.trouble = trouble


class Tail(threading.Thread):
    """Reads the stream as it grows, over all kills."""

    def __init__(self, account):
        super().__init__(daemon=True)
        self.account = account
        self.seen = []
        self.cursor = ""
        self.enough = threading.Event()
        self.trouble = None

    def run(self):
        try:
            while not self.enough.is_set():
                events, self.cursor = read_on(
                    lambda path: answered(lambda: self.account.request("GET", path)), self.cursor)
                self.seen += events
                time.sleep(0.05)
        except Exception as trouble:  # told by the main thread
            self.trouble = trouble


class Kills:
    """By turns in the middle of a call to the endpoint, and whenever."""

    def __init__(self, stack, hook, chance):
        self.stack = stack
        self.hook = hook
        self.chance = chance
        self.held = None
        hook.answer = self.answer

    def answer(self, _):
        held = self.held
        if held is not None:
            held.wait(30)
        return 500 if self.chance.random() < 0.02 else 200

    def kill(self, in_a_call):
        time.sleep(self.chance.uniform(0.1, 0.9))
        if in_a_call:
            self.held = threading.Event()
            door.eventually(lambda: self.hook.open > 0, "a call", 60)
        self.stack.kill_engine()
        under_way = self.hook.open
        if in_a_call:
            self.held.set()
            self.held = None
        self.stack.start_engine()
        return under_way


def bulk(account):
    delivery = answered(lambda: account.request("POST", "/deliveries/bulk/begin", door.draft()))
    rows = [f"b{number}@{DOMAINS[number % len(DOMAINS)]}" for number in range(BULK)]
    csv = "\n".join(["email", *rows]).encode()
    answered(lambda: account.import_csv(delivery["delivery_id"], csv, {"immediate": True}))
    return delivery["delivery_id"]


def check_stream(stream, delivery, made, account):
    check(len({event["event_id"] for event in stream}) == len(stream), "ids of events are unique")
    stories = collections.Counter((event["delivery_id"], event.get("email"), event["kind"])
                                  for event in stream if event.get("email"))
    for (of, email, kind), times in stories.items():
        check(times == 1 or kind == "deferred", f"{kind} of {email} in {of} is told {times} times")
    counts = answered(lambda: account.request("GET", f"/deliveries/{delivery}"))
    check(counts["sent_count"] == count(stream, "sent", delivery) == BULK, f"{counts}")
    mails = set(made.values())
    check(len(mails) == len(made) >= TRANSACTIONS, "each mail is one delivery")
    for kind in ("accepted", "sent", "delivery_finished"):
        of = {event["delivery_id"] for event in stream
              if event["kind"] == kind and event["delivery_id"] != delivery}
        check(of == mails, f"{kind}: of {len(of)} transactions, not {len(mails)}")


def check_keys(senders):
    """A key that was used before the last kill still names what it made."""
    for sender in senders:
        for number, delivery in list(sender.made.items())[::10]:
            answer = sender.ask(number)
            check(answer.status == 201 and answer.json["delivery_id"] == delivery, f"{answer}")
            check(answer.headers.get("idempotency-replayed") == "true", f"key {number}: {answer}")


def test(stack, receiver, chance):
    account = door.Account(stack, "owner")
    account.admin = door.issued(stack.command("key", "add", "owner", "--scopes", "read,admin"))[2]
    hook, quiet = receiver.hook("all"), receiver.hook("sent")
    secrets = {}
    for one, kinds in ((hook, []), (quiet, ["recipient.sent"])):
        made = account.request("POST", "/webhooks", {"url": one.url, "kinds": kinds},
                               token=account.admin)
        secrets[one] = answered(lambda answer=made: answer)["secret"]
    tail = Tail(account)
    tail.start()
    enough = threading.Event()
    senders = [Sender(account, first, enough) for first in range(SENDERS)]
    for sender in senders:
        sender.start()
    delivery = bulk(account)
    kills = Kills(stack, hook, chance)
    for number in range(KILLS):
        under_way = kills.kill(number % 2 == 0)
        print(f"kill {number + 1}: {under_way} calls under way, {len(hook.events)} events told, "
              f"{sum(len(sender.made) for sender in senders)} mails taken", flush=True)
    enough.set()
    for sender in senders:
        sender.join(DONE_SECONDS)
        check(sender.trouble is None and not sender.is_alive(), f"a sender: {sender.trouble}")
    made = {number: of for sender in senders for number, of in sender.made.items()}
    wanted = BULK + len(made)

    def sent():
        return count(read_on(lambda path: answered(lambda: account.request("GET", path)), "")[0],
                     "sent") >= wanted

    until = patience.until(DONE_SECONDS)
    while not sent() and time.monotonic() < until:
        # With which several processes died is set aside until somebody has looked at it: here kills
        # in a row find the same mail in hand now and then.
        if "No mail is set aside" not in stack.command("stuck"):
            print(stack.command("stuck", "release", "--all"), flush=True)
        time.sleep(0.5)
    door.eventually(lambda: account.detail(delivery)["status"] == "SENT", "the end of the bulk", 60)
    stream, _ = read_on(lambda path: answered(lambda: account.request("GET", path)), "")
    check_stream(stream, delivery, made, account)
    check_keys(senders)
    door.eventually(lambda: {each["event_id"] for each in stream} <= set(dict(hook.events)),
                    "all events at the endpoint", DONE_SECONDS)
    door.eventually(lambda: len(dict(quiet.events)) >= wanted, "those of one kind", DONE_SECONDS)
    if "--forgetful" in sys.argv:
        once = next(call for call in hook.taken
                    if sum(call.id == other.id for other in hook.taken) == 1)
        hook.taken = [call for call in hook.taken if call.id != once.id]
    check_told(hook, stream)
    check_told(quiet, [event for event in stream if event["kind"] == "sent"])
    for one, secret in secrets.items():
        check_signatures(one, secret)
    tail.enough.set()
    tail.join(60)
    check(tail.trouble is None and not tail.is_alive(), f"the reader: {tail.trouble}")
    check(tail.seen == stream[:len(tail.seen)], "what was read before a kill stands elsewhere now")
    check(len(tail.seen) > wanted, "the reader has followed")
    print(f"{len(stream)} events, told {len(hook.events)} times in {len(hook.calls)} calls")


def main():
    seed = int(os.environ.get("TODOKU_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed} (TODOKU_SEED={seed} repeats it)", flush=True)
    config = ["[delivery]", "bulk_retry_seconds = [1, 2, 5]",
              "transactional_retry_seconds = [1, 2, 5]", "site_rest_first_seconds = 1",
              "[outbound]", 'allow = ["127.0.0.1:*"]']
    # A little patience a mail, so that kills find some without an outcome.
    receivers = {domain: ["delay = { body = 0.01 }"] for domain in DOMAINS}
    with contextlib.ExitStack() as held:
        kind, server = Stack, ()
        if "--postgres" in sys.argv:
            kind, server = OnPostgres, (held.enter_context(PostgresServer()),)
        receiver = held.enter_context(Receiver())
        test(held.enter_context(kind(sys.argv[1], *server, receivers=receivers, config=config)),
             receiver, random.Random(seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
