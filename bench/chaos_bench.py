# SPDX-License-Identifier: Apache-2.0
"""A cluster over PostgreSQL while its processes are killed, cut off from the store, stood still and
rolled, and the database restarts and fails over, by a printed seed.

The ledger goes by acknowledged request: a request that got no answer, or another than 201, gets a
new mark and may arrive or not. At the end nothing that was acknowledged is lost; every repeat is
matched to a kill, a cut or a stand-still of the process that sent its first copy, shortly before it
or as long after it as that process may have gone on, and one that is not matched fails; and no
receiver ever saw more connections than the limit of its lanes.

With --without a safeguard is taken away (src/base/safeguard.h): seeds from the given one on are
tried until one shows it, and none is the failure.

usage: chaos_bench.py TODOKU [--quick] [--seed N] [--mails N] [--without SAFEGUARD]
"""
import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/system/cluster"), str(ROOT / "tests/system/support")]

from on_cluster import (CONNECTIONS, DOMAINS, FROM, SOURCES, OnCluster,  # noqa: E402
                        queue_lines)
from api import Api, ApiError  # noqa: E402
from ports import free_port  # noqa: E402
from postgres_pair import PostgresPair  # noqa: E402
from socket_relay import SocketRelay  # noqa: E402

ROLES = {"api1": "api", "api2": "api", "scheduler1": "scheduler", "scheduler2": "scheduler",
         "courier1": "courier", "courier2": "courier", "courier3": "courier",
         "events1": "events"}
RECEIVERS = {domain: ["delay = { body = 0.005 }"] for domain in DOMAINS}
LEASE = 15        # seconds: of a process that cannot renew it
UNRECORDED = 10   # seconds that an outcome may be on its way to the store, at the most
IN_HAND = 2       # seconds that a mail takes which was begun
BULK = 2_000      # recipients of each bulk
END_WITHIN = 240  # seconds after the last trouble


SAFEGUARDS = ("token_checked", "lapse_respected", "unknown_commit_asked", "handover_waits")


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.unknown = set()

    def note(self, addresses, taken):
        with self.lock:
            (self.acknowledged if taken else self.unknown).update(addresses)

    def size(self):
        with self.lock:
            return len(self.acknowledged)


class Trouble:
    """What was done to a process, from when to when (time.time())."""

    def __init__(self, process, what, begun):
        self.process, self.what, self.begun, self.ended = process, what, begun, None

    def explains(self, sender, first_copy):
        """Whether the outcome of that copy may have been lost by it: no mail is begun by a process
        that was killed, nor where a lease has ended; what was in hand goes on where that is not
        known, or when a process goes on that stood still."""
        if self.process != sender:
            return False
        last = {"killed": self.begun, "stands still": self.ended}.get(self.what,
                                                                      self.begun + LEASE)
        return self.begun - UNRECORDED <= first_copy <= last + IN_HAND


class CutPair(PostgresPair):
    """Each process reaches both servers over relays of its own, by names that all have in common."""

    def __init__(self):
        super().__init__()
        self.port = free_port("127.0.4.1")
        self.next_host = 1
        self.open_relays = contextlib.ExitStack()

    def __exit__(self, *_):
        self.open_relays.close()
        super().__exit__()

    def relays(self):
        """New ones to both servers, and the part of an address that leads over them."""
        relays, hosts = [], []
        for server in (self.first, self.second):
            hosts.append(f"127.0.4.{self.next_host}")
            self.next_host += 1
            relays.append(self.open_relays.enter_context(
                SocketRelay(server.folder, hosts[-1], self.port)))
        return relays, f"hostaddr={','.join(hosts)}"

    def address(self, database, user):
        _, self.plain = self.relays()
        return (f"host=first.example,second.example port={self.port},{self.port} {self.plain} "
                f"dbname={database} user={user}")


class CutCluster(OnCluster):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.relays = {}
        self.ways = {}

    def start_process(self, name, roles):
        self.relays[name], self.ways[name] = self.server.relays()
        return super().start_process(name, roles)

    def common_lines(self, name):
        return [line.replace(self.server.plain, self.ways[name])
                for line in super().common_lines(name)]


class Chaos:
    def __init__(self, stack, server, seed):
        self.stack, self.server = stack, server
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.troubles = []
        self.over = threading.Event()
        self.names = {}  # by roles: how many processes have come after the first ones
        self.failed_over = False
        self.started = time.monotonic()

    # ---- load ------------------------------------------------------------------------------

    def apis(self):
        return [name for name, part in list(self.stack.parts.items())
                if part.roles == "api" and part.process.poll() is None]

    def post_transactions(self, mark):
        dice = random.Random(mark)
        number = 0
        while not self.over.is_set():
            number += 1
            to = f"t{mark}x{number}@{dice.choice(DOMAINS)}"
            apis = self.apis()
            taken = bool(apis) and self.stack.try_to_post(dice.choice(apis), to)
            self.ledger.note([to], taken)
            time.sleep(0.02 if taken else 0.3)

    def post_bulks(self, most):
        number = 0
        while not self.over.is_set() and number * BULK < most:
            number += 1
            many = [f"b{number}x{i}@{DOMAINS[i % len(DOMAINS)]}" for i in range(BULK)]
            self.ledger.note(many, self.try_bulk(many))
            time.sleep(1)

    def try_bulk(self, many):
        """Whether it was acknowledged that it goes out to all of these: a list that was taken is
        imported and sent, whatever becomes of the node that took it."""
        apis = self.apis()
        if not apis:
            time.sleep(1)
            return False
        # As a balancer does it: each request goes to any of them.
        begin, fill = (Api(self.stack.parts[random.choice(apis)].api_port, self.stack.api.token)
                       for _ in range(2))
        csv = "email\n" + "".join(f"{address}\n" for address in many)
        try:
            delivery = begin.call("POST", "/deliveries/bulk/begin", {
                "from": FROM, "subject": "お知らせ", "text_part": "こんにちは。"})["delivery_id"]
            fill.call_multipart("POST", f"/deliveries/{delivery}/emails/import",
                               {"immediate": True}, [("list.csv", "text/csv", csv.encode())])
        except (ApiError, http.client.HTTPException) as error:
            print(f"a bulk was not acknowledged: {str(error)[:160]}", flush=True)
            return False
        return True

    # ---- trouble ---------------------------------------------------------------------------

    def begin(self, process, what):
        trouble = Trouble(process, what, time.time())
        self.troubles.append(trouble)
        print(f"{time.monotonic() - self.started:6.1f} s\t{time.time():.1f}\t{what}\t{process}",
              flush=True)
        return trouble

    def another(self, name):
        """A process in the place of one that is gone, under a name of its own."""
        roles = self.stack.parts.pop(name).roles
        count = self.names[roles] = self.names.get(roles, 0) + 1
        self.stack.start_process(f"{roles}{count}n", roles)

    def kill(self, name):
        trouble = self.begin(name, "killed")
        self.stack.kill(name)
        trouble.ended = time.time()
        self.another(name)

    def cut(self, name):
        trouble = self.begin(name, "cut off from the store")
        seconds = self.dice.choice((4, 20, 40))
        for relay in self.stack.relays[name]:
            relay.cut()
        time.sleep(seconds)
        for relay in self.stack.relays[name]:
            relay.mend()
        trouble.ended = time.time()

    def stand_still(self, name):
        trouble = self.begin(name, "stands still")
        process = self.stack.parts[name].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.dice.choice((4, 20)))
        process.send_signal(signal.SIGCONT)
        trouble.ended = time.time()

    def roll(self, name):
        self.begin(name, "rolled")
        self.troubles.pop()  # explains no repeat: it ends in order
        part = self.stack.parts[name]
        part.process.send_signal(signal.SIGTERM)
        part.process.wait(60)
        self.another(name)

    def restart_store(self, _):
        self.begin("the store", "restarts")
        self.server.now.stop_at_once()
        time.sleep(self.dice.uniform(0, 3))
        self.server.now.start()

    def fail_over(self, _):
        if self.failed_over:
            return self.restart_store(_)
        self.failed_over = True
        number = self.dice.choice((signal.SIGKILL, signal.SIGSTOP))
        self.begin("the store", f"fails over ({signal.Signals(number).name})")
        self.server.lose_first(number)
        time.sleep(3)
        self.server.take_over()
        if number == signal.SIGSTOP:
            time.sleep(5)
            self.server.first_comes_back()
        return None

    def make_trouble(self, times):
        kinds = [self.kill, self.kill, self.cut, self.stand_still, self.roll, self.restart_store]
        plan = [self.dice.choice(kinds) for _ in range(times - 1)]
        plan.insert(self.dice.randrange(times), self.fail_over)
        for act in plan:
            time.sleep(self.dice.uniform(2, 8))
            act(self.dice.choice(sorted(self.stack.parts)))

    # ---- judging ---------------------------------------------------------------------------

    def judge(self):
        arrivals = {}
        for entry in self.stack.log():
            at = datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
            arrivals.setdefault(entry["rcpt_to"], []).append((at, entry["hello"].split(".")[0]))
        lost = self.ledger.acknowledged - arrivals.keys()
        alien = arrivals.keys() - self.ledger.acknowledged - self.ledger.unknown
        repeats = unmatched = 0
        for to, copies in arrivals.items():
            copies.sort()
            for first_copy, sender in copies[:-1]:
                repeats += 1
                if not any(each.explains(sender, first_copy) for each in self.troubles):
                    unmatched += 1
                    print(f"unmatched: {to} {copies}", file=sys.stderr)
        report = json.loads((self.stack.directory / "report.json").read_text())
        peak = max(each["connections_peak"] for each in report["receivers"].values())
        limit = CONNECTIONS * len(SOURCES)
        for name, value, unit in (("acknowledged", len(self.ledger.acknowledged), "recipients"),
                                  ("not_acknowledged", len(self.ledger.unknown), "recipients"),
                                  ("lost", len(lost), "recipients"),
                                  ("alien", len(alien), "recipients"),
                                  ("repeats", repeats, "mails"),
                                  ("repeats_unmatched", unmatched, "mails"),
                                  ("connections_peak", peak, f"of {limit}")):
            print(f"chaos/{name}\t{value}\t{unit}", flush=True)
        if lost:
            print(f"lost, such as {sorted(lost)[:5]}", file=sys.stderr)
        return not lost and not alien and unmatched == 0 and peak <= limit

    # ---- all of it -------------------------------------------------------------------------

    def run(self, mails, times):
        threads = [threading.Thread(target=self.post_transactions, args=(mark,), daemon=True)
                   for mark in range(4)]
        threads.append(threading.Thread(target=self.post_bulks, args=(mails,), daemon=True))
        for thread in threads:
            thread.start()
        self.make_trouble(times)
        threads[-1].join(END_WITHIN)
        self.over.set()
        for thread in threads:
            thread.join(60)
        until = time.monotonic() + END_WITHIN
        while time.monotonic() < until:
            if self.ledger.acknowledged <= {to for to, _ in self.stack.arrivals()}:
                break
            time.sleep(1)
        time.sleep(3)
        return self.judge()


def keep_logs(stack):
    kept = pathlib.Path(tempfile.mkdtemp(prefix="todoku-chaos-"))
    for path in [*stack.directory.glob("*.log"), *stack.directory.glob("*.jsonl")]:
        shutil.copy(path, kept)
    return kept


def run(given, todoku, seed, mails, times):
    print(f"seed {seed}", flush=True)
    work = pathlib.Path(given.todoku).resolve().parents[1] / "tests/sqs_emulator"
    with (CutPair() as server, queue_lines(given.queue, work) as queue,
          CutCluster(todoku, server, queue, ROLES, RECEIVERS) as stack):
        sound = Chaos(stack, server, seed).run(mails, times)
        if given.keep or (not sound and not given.without):
            print(f"the processes' logs and what arrived: {keep_logs(stack)}", file=sys.stderr)
    return sound


def try_without(given, mails, times):
    unguarded = pathlib.Path(given.todoku).resolve().parents[1] / "bench/todoku_unguarded"
    os.environ["TODOKU_WITHOUT"] = given.without
    for seed in range(given.seed, given.seed + given.seeds):
        if not run(given, unguarded, seed, mails, times):
            print(f"chaos: ok, without {given.without} seed {seed} fails")
            return 0
    print(f"chaos: FAILED, without {given.without} nothing fails")
    return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("todoku")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--mails", type=int)
    parser.add_argument("--times", type=int, help="troubles that are made")
    parser.add_argument("--queue", choices=("store", "sqs"), default="store")
    parser.add_argument("--without", choices=SAFEGUARDS, help="take this safeguard away")
    parser.add_argument("--seeds", type=int, default=10, help="with --without: how many are tried")
    parser.add_argument("--keep", action="store_true", help="the logs, even if all is well")
    given = parser.parse_args()
    mails = given.mails or (6_000 if given.quick else 200_000)
    times = given.times or (5 if given.quick else 25)
    if given.without:
        return try_without(given, mails, times)
    sound = run(given, given.todoku, given.seed, mails, times)
    print("chaos: ok" if sound else f"chaos: FAILED, seed {given.seed}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
