# SPDX-License-Identifier: Apache-2.0
"""The load of a soak: workers that register mail of every kind while the engine comes and goes,
and an auditor that follows what was acknowledged to its end.

Every delivery has a key, which its recipients' addresses begin with ("KEY-7@…"), so that what
arrived can be counted without keeping addresses. The engine's restarts interrupt calls: then
nothing was promised, and what was meant is given up, not repeated."""
import collections
import random
import threading
import time

from api import Api, ApiError

from bench_stack import PLAIN, SIGNED
import bench_mails

TEXT = bench_mails.text_of(2048)
BULK_MAILS = 1_000
BULK_SECONDS = 3  # between two bulks
TRANSACTION_SECONDS = 0.2  # between two transactions of one worker
TERMINAL = ("SENT", "FAILED")


class Acknowledged:
    """A delivery that a 2xx was given for."""

    def __init__(self, key, delivery, mails):
        self.key = key
        self.delivery = delivery
        self.mails = mails


class Ledger:
    """What the workers share: deliveries to follow, latencies since the last look, tallies."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = collections.deque()
        self.drafts = collections.deque()  # perhaps left over by an interrupted call
        self.latencies = []
        self.sent = {}  # by key: recipients that the engine calls delivered
        self.tally = collections.Counter()
        self.wrong = []

    def acknowledge(self, key, delivery, mails):
        with self.lock:
            self.tally["acknowledged"] += mails
            self.open.append(Acknowledged(key, delivery, mails))

    def take_latencies(self):
        with self.lock:
            out, self.latencies = self.latencies, []
        return out


class Worker(threading.Thread):
    """Does one step after the other until it is told to stop."""

    def __init__(self, stack, ledger, name, seed):
        super().__init__(name=name, daemon=True)
        self.stack = stack
        self.api = Api(stack.api_port, stack.api.token)
        self.ledger = ledger
        self.chance = random.Random(f"{seed} {name}")
        self.stopping = threading.Event()
        self.failure = None
        self.count = 0

    def run(self):
        try:
            while not self.stopping.is_set():
                try:
                    self.step()
                except ApiError:
                    with self.ledger.lock:
                        self.ledger.tally["interrupted"] += 1
                    self.stopping.wait(0.1)
        except Exception as error:  # told at the end, instead of a thread that is silently gone
            self.failure = error

    def next_key(self):
        self.count += 1
        return f"{self.name}x{self.count}"


class Transactions(Worker):
    def __init__(self, stack, ledger, name, seed, domains):
        super().__init__(stack, ledger, name, seed)
        self.domains = domains

    def step(self):
        key = self.next_key()
        sender = self.chance.choice((PLAIN, SIGNED))
        began = time.monotonic()
        delivery = self.api.call("POST", "/deliveries/transaction", {
            "from": {"email": f"shop@{sender}"}, "to": f"{key}-0@{self.chance.choice(self.domains)}",
            "subject": "ご注文 __name__ 様", "text_part": TEXT,
            "insert_code": [{"key": "__name__", "value": f"受信者{key}"}]})["delivery_id"]
        with self.ledger.lock:
            self.ledger.latencies.append(time.monotonic() - began)
        self.ledger.acknowledge(key, delivery, 1)
        self.stopping.wait(TRANSACTION_SECONDS)


class Bulks(Worker):
    """Imports; sends at once or by reservation; takes some back."""

    def __init__(self, stack, ledger, name, seed, domains):
        super().__init__(stack, ledger, name, seed)
        self.domains = domains

    def step(self):
        key = self.next_key()
        delivery = self.stack.draft(TEXT, self.chance.random() < 0.5, self.api)
        try:
            self.use(key, delivery)
        except ApiError:
            self.ledger.drafts.append(delivery)
            raise
        self.stopping.wait(BULK_SECONDS)

    def use(self, key, delivery):
        mails = self.chance.randrange(BULK_MAILS // 2, BULK_MAILS * 3 // 2)
        self.stack.fill(delivery, (f"{key}-{number}@{self.chance.choice(self.domains)}"
                                   for number in range(mails)), self.api)
        choice = self.chance.random()
        if choice < 0.6:
            self.stack.commit(delivery, self.api)
            self.ledger.acknowledge(key, delivery, mails)
        elif choice < 0.85:
            self.stack.reserve(delivery, self.chance.uniform(2, 10), self.api)
            self.ledger.acknowledge(key, delivery, mails)
        else:
            self.stack.reserve(delivery, 600, self.api)
            self.api.call("PATCH", f"/deliveries/{delivery}/cancel")
            self.api.call("DELETE", f"/deliveries/{delivery}")


class Auditor(Worker):
    """Follows every acknowledged delivery to its end, counts, and removes most of them."""

    def step(self):
        left = len(self.ledger.open)
        while left > 0 and not self.stopping.is_set():
            left -= 1
            entry = self.ledger.open.popleft()
            try:
                settled = self.settle(entry)
            except ApiError:
                self.ledger.open.append(entry)
                raise
            if not settled:
                self.ledger.open.append(entry)
        while self.ledger.drafts:
            self.remove_draft(self.ledger.drafts[0])
            self.ledger.drafts.popleft()
        self.stopping.wait(0.5)

    def settle(self, entry):
        counts = self.stack.detail(entry.delivery, self.api)
        if counts["status"] not in TERMINAL:
            return False
        ended = {name: counts[f"{name}_count"] for name in ("sent", "hard_error", "soft_error",
                                                            "drop")}
        if counts["total_count"] != entry.mails or sum(ended.values()) != entry.mails:
            self.ledger.wrong.append(f"{entry.key}: {entry.mails} mails became {counts}")
        with self.ledger.lock:
            self.ledger.sent[entry.key] = ended["sent"]
            self.ledger.tally.update(ended)
        if self.chance.random() < 0.9:
            try:
                self.api.call("DELETE", f"/deliveries/{entry.delivery}")
            except ApiError:
                pass  # interrupted: it stays, or is gone already
        return True

    def remove_draft(self, delivery):
        """What an interrupted call left behind, unless it has become more than a draft."""
        try:
            if self.stack.detail(delivery, self.api)["status"] in ("EDIT", "RESERVE"):
                self.api.call("DELETE", f"/deliveries/{delivery}")
        except ApiError as error:
            if "no answer" in str(error) or " 503 " in str(error):
                raise
