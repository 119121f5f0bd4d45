# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while 20,000 mails and an import are under way; restart, until done.

Checks promises 1 and 3: every recipient that was acknowledged arrives, and no more mails go twice
than were in flight at the kills: one on each connection, and the outcomes not committed, which the
engine bounds (todoku_unrecorded_outcomes_limit) and counts (todoku_unrecorded_outcomes_peak).
TODOKU_SEED repeats the moments of the kills.
"""
import collections
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402  (first: it knows where the others are)
import patience  # noqa: E402
from api import Api, ApiError  # noqa: E402

FIRST_BULK = 12_000
SECOND_BULK = 6_000
TRANSACTIONS = 2_000
KILLS = 7
CONNECTIONS_MAX = 10
UNRECORDED_MAX = 64
DOMAINS = ("one.example", "two.example", "three.example", "four.example")
DONE_SECONDS = 240


def csv(prefix, count):
    rows = ["email,__name__"]
    rows += [f"{prefix}{i}@{DOMAINS[i % len(DOMAINS)]},受信者{i}" for i in range(count)]
    return ("\n".join(rows) + "\n").encode()


def until_answered(stack, call, seconds=60):
    """Repeats a call that a restart interrupts. Only for calls that may be repeated."""
    until = patience.until(seconds)
    while True:
        try:
            return call()
        except ApiError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def bulk(stack, subject):
    return until_answered(stack, lambda: stack.api.call("POST", "/deliveries/bulk/begin", {
        "from": {"email": "news@sender.example", "name": "お知らせ"},
        "subject": f"{subject} __name__ 様", "text_part": "こんにちは、__name__ 様。\n" * 5}))["delivery_id"]


class Bound:
    """What the engine says, before each kill, that the kill can make go twice."""

    def __init__(self):
        self.bound = self.peak = self.in_hand = 0
        self.broken = []

    def read(self, stack):
        connections = CONNECTIONS_MAX * len(DOMAINS)
        limit = stack.metric("todoku_unrecorded_outcomes_limit")
        peak = stack.metric("todoku_unrecorded_outcomes_peak")
        in_hand = stack.metric("todoku_mails_in_hand")
        self.bound += int(limit + connections)
        self.peak = max(self.peak, int(peak))
        self.in_hand = max(self.in_hand, int(in_hand))
        # Connections that were allowed to send together each bring one outcome.
        if not 0 < limit == UNRECORDED_MAX or peak >= limit + connections or in_hand > connections:
            self.broken.append(f"limit {limit}, peak {peak}, in hand {in_hand}")


class Sender(threading.Thread):
    """Posts transactions without pause and remembers which were acknowledged."""

    def __init__(self, port, token, first, count):
        super().__init__()
        self.api = Api(port, token)
        self.numbers = range(first, first + count)
        self.acknowledged = []

    def run(self):
        for number in self.numbers:
            address = f"t{number}@{DOMAINS[number % len(DOMAINS)]}"
            try:
                self.api.call("POST", "/deliveries/transaction", {
                    "from": {"email": "shop@sender.example"}, "to": address,
                    "subject": "ご注文", "text_part": "ありがとうございます。"})
                self.acknowledged.append(address)
            except ApiError:
                time.sleep(0.02)  # killed in the middle: nothing was promised


def main():
    seed = int(os.environ.get("TODOKU_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed} (TODOKU_SEED={seed} repeats it)", flush=True)
    chance = random.Random(seed)
    config = ["[delivery]", f"unrecorded_max = {UNRECORDED_MAX}", "bulk_retry_seconds = [1, 2, 5]",
              "transactional_retry_seconds = [1, 2, 5]", "site_rest_first_seconds = 1"]
    # A little patience per mail, so that kills find mails in flight.
    receivers = {domain: ["delay = { body = 0.004 }"] for domain in DOMAINS}
    with Stack(sys.argv[1], receivers, config) as stack:
        first = bulk(stack, "第一回")
        stack.api.call_multipart("POST", f"/deliveries/{first}/emails/import", {"immediate": True},
                                 [("a.csv", "text/csv", csv("a", FIRST_BULK))])
        senders = [Sender(stack.api_port, stack.api.token, i * TRANSACTIONS // 4, TRANSACTIONS // 4)
                   for i in range(4)]
        for sender in senders:
            sender.start()
        second = bulk(stack, "第二回")
        stack.api.call_multipart("POST", f"/deliveries/{second}/emails/import",
                                 {"immediate": True},
                                 [("b.csv", "text/csv", csv("b", SECOND_BULK))])
        bound = Bound()
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.2))
            bound.read(stack)
            stack.kill_engine()
            print(f"kill {kill + 1}: {len(stack.arrivals())} arrived", flush=True)
            stack.start_engine()
        for sender in senders:
            sender.join()

        expected = {f"a{i}@{DOMAINS[i % 4]}" for i in range(FIRST_BULK)}
        expected |= {f"b{i}@{DOMAINS[i % 4]}" for i in range(SECOND_BULK)}
        for sender in senders:
            expected |= set(sender.acknowledged)
        until = patience.until(DONE_SECONDS)
        while True:
            settled = (stack.status_of(first) == "SENT" and stack.status_of(second) == "SENT" and
                       not stack.api.call("GET", "/deliveries?status[]=SENDING&status[]=WAIT")["data"])
            if settled or time.monotonic() > until:
                break
            time.sleep(0.5)
        time.sleep(1.5)  # the sink writes its log about every second
        arrivals = stack.arrivals()

    counts = collections.Counter(arrivals)
    lost = expected - {address for address, _ in arrivals}
    repeated = sum(count - 1 for count in counts.values())
    print(f"acknowledged\t{len(expected)}\trecipients")
    print(f"arrived\t{len(counts)}\tdistinct mails")
    print(f"lost\t{len(lost)}\trecipients")
    print(f"repeated\t{repeated}\tmails (bound {bound.bound} of {KILLS} kills)")
    print(f"unrecorded\t{bound.peak}\tat once at most (limit {UNRECORDED_MAX})")
    print(f"in hand\t{bound.in_hand}\tmails at a kill at most")
    print(f"settled\t{'yes' if settled else 'no'}\t")
    if lost:
        print("for example:", sorted(lost)[:5])
    by_recipient = collections.Counter(address for address, _ in counts)
    twofold = [address for address, count in by_recipient.items() if count > 1]
    if twofold:
        print("different messages for one recipient:", twofold[:5])
    if bound.broken:
        print("the bound does not hold:", *bound.broken, sep="\n    ")
    kept = not lost and repeated <= bound.bound and not bound.broken
    return 0 if kept and settled and not twofold else 1


if __name__ == "__main__":
    sys.exit(main())
