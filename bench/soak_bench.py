# SPDX-License-Identifier: Apache-2.0
"""Hours of mixed load: does anything grow, is anything lost?

Bulks, transactions, imports, reservations, cancellations and deletions, to receivers that are fast,
slow, greylisting, flaky, lying (they take a mail and hang up without a word), closing, limiting,
dead. The first part runs undisturbed and shows whether memory, files, threads, store and latency
stay flat; in the second the engine is stopped (SIGTERM) and killed (SIGKILL) again and again. At
the end every acknowledged mail must be in a terminal state, and what the engine calls delivered
must have arrived.
  soak MINUTES      default 60; --quick: 2
  --seed N          repeats load and restarts, as far as time allows
Exit status 1: something was lost, is unsettled, or was repeated beyond promise 3's bound.
"""
import argparse
import collections
import json
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import BenchStack  # noqa: E402  (first: it knows where the others are)
from figures import figure, median, percentile, slope  # noqa: E402
from soak_load import Auditor, Bulks, Ledger, Transactions  # noqa: E402
import process_info  # noqa: E402

UNRECORDED_MAX = 256
CONNECTIONS_MAX = 5
UNDISTURBED = 0.6  # of the time
DRAIN_SECONDS = 10
RECEIVERS = {
    "good.example": [], "fine.example": [], "tls.example": ['tls = "good"'],
    "slow.example": ["delay = { body = 0.1 }"], "grey.example": ["greylist = { tries = 2 }"],
    "flaky.example": ["fail_4xx = 0.1", "fail_5xx = 0.02"],
    "limiting.example": ["messages_per_connection_max = 20", "connections_max = 4"],
    "broken-tls.example": ['tls = "broken"'],
    "lying.example": ["[[receiver.rule]]", 'at = "body"', "odds = 0.02", "close = true"],
    "closing.example": ["[[receiver.rule]]", 'at = "rcpt"', "odds = 0.02", "close = true"],
}
LYING = "@lying.example"
DEAD = "dead.example"  # nobody listens there
UNKNOWN = "unknown.example"  # no such domain
CONFIG = ["[limits]", "drafts_max = 1000", "[engine]", f"drain_seconds = {DRAIN_SECONDS}",
          "[delivery]", f"unrecorded_max = {UNRECORDED_MAX}", "bulk_retry_seconds = [2, 5, 10]",
          "transactional_retry_seconds = [2, 5, 10]", "site_rest_first_seconds = 2",
          "greylist_retry_seconds = []", "rate_retry_seconds = []", "refused_retry_seconds = []",
          "site_rest_longest_seconds = 10", "bulk_expiry_hours = 0.02",
          "transactional_expiry_hours = 0.02"]
TRANSACTION_WORKERS = 4


class SoakStack(BenchStack):
    keeps_arrivals = True


class Samples:
    """Measures the running engine every few seconds."""

    def __init__(self, stack, ledger):
        self.stack = stack
        self.ledger = ledger
        self.taken = []

    def take(self, at):
        pid = self.stack.engine.pid
        files = (self.stack.directory / "data").glob("todoku.db*")
        latencies = self.ledger.take_latencies()
        self.taken.append({
            "at": at, "memory": process_info.memory_now(pid),
            "files": process_info.open_files(pid), "threads": process_info.threads(pid),
            "store": sum(file.stat().st_size for file in files) / 2**20,
            "queued": self.stack.metric("todoku_queue_recipients"),
            "p50": median(latencies) * 1e3 if latencies else None,
            "p99": percentile(latencies, 0.99) * 1e3 if latencies else None})

    def report(self, until):
        """Of each value its level in the second and in the last quarter, and the slope between."""
        units = {"memory": "MB", "files": "files", "threads": "threads", "store": "MB",
                 "queued": "recipients", "p50": "ms", "p99": "ms"}
        for name, unit in units.items():
            points = [(sample["at"] / 3600, sample[name]) for sample in self.taken
                      if sample["at"] <= until and sample[name] is not None]
            points = points[len(points) // 4:]  # the first quarter warms up
            if len(points) < 3:
                continue
            third = len(points) // 3
            label = f"accept_{name}" if name in ("p50", "p99") else name
            figure(f"soak_{label}_early", median([y for _, y in points[:third]]), unit)
            figure(f"soak_{label}_late", median([y for _, y in points[-third:]]), unit)
            figure(f"soak_{label}_slope", slope(points), f"{unit}/hour")


class Disturbances:
    def __init__(self, stack, chance, seconds_between):
        self.stack = stack
        self.chance = chance
        self.between = seconds_between
        self.kills = self.stops = 0
        self.restart_seconds = []

    def next_after(self, at):
        return at + self.chance.uniform(0.5, 1.5) * self.between

    def restart(self):
        if self.chance.random() < 0.5:
            self.kills += 1
            self.stack.kill_engine()
        else:
            self.stops += 1
            self.stack.engine.send_signal(signal.SIGTERM)
            status = self.stack.engine.wait(DRAIN_SECONDS + 20)
            if status != 0:
                raise RuntimeError(f"SIGTERM ended the engine with {status}")
        began = time.monotonic()
        self.stack.start_engine()
        self.restart_seconds.append(time.monotonic() - began)


def run_load(stack, ledger, seconds, seed):
    """The load, the samples and the restarts; returns (samples, disturbances)."""
    domains = [*RECEIVERS, DEAD, UNKNOWN]
    workers = [Transactions(stack, ledger, f"t{number}", seed, domains)
               for number in range(TRANSACTION_WORKERS)]
    workers += [Bulks(stack, ledger, "b", seed, domains), Auditor(stack, ledger, "a", seed)]
    samples = Samples(stack, ledger)
    disturbances = Disturbances(stack, random.Random(f"{seed} restarts"),
                                min(60, seconds * (1 - UNDISTURBED) / 5))
    for worker in workers:
        worker.start()
    began = time.monotonic()
    next_sample, sample_every = 0.0, max(1.0, seconds / 500)
    next_restart = disturbances.next_after(seconds * UNDISTURBED)
    while (at := time.monotonic() - began) < seconds:
        if at >= next_sample:
            samples.take(at)
            next_sample += sample_every
        if at >= next_restart:
            disturbances.restart()
            next_restart = disturbances.next_after(time.monotonic() - began)
        if stack.engine.poll() is not None:
            raise RuntimeError(f"the engine ended with {stack.engine.returncode}")
        time.sleep(0.1)
    for worker in workers:
        worker.stopping.set()
    for worker in workers:
        worker.join(120)
        if worker.failure:
            raise RuntimeError(f"worker {worker.name}: {worker.failure!r}")
    return samples, disturbances


def settle(stack, ledger, seed, patience=300):
    """Follows what is still open to its end; the number of deliveries that have none."""
    auditor = Auditor(stack, ledger, "last", seed)
    auditor.start()
    until = time.monotonic() + patience
    while ledger.open and time.monotonic() < until:
        time.sleep(0.5)
    auditor.stopping.set()
    auditor.join(60)
    return len(ledger.open)


def count_arrivals(path):
    """By key how many recipients arrived; repeated mails, of honest receivers and of lying ones."""
    by_key, seen = collections.Counter(), set()
    repeated = {True: 0, False: 0}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            recipient = entry["rcpt_to"]
            mail = hash((recipient, entry["message_id"]))
            if mail in seen:
                repeated[recipient.endswith(LYING)] += 1
                continue
            seen.add(mail)
            by_key[recipient.partition("-")[0]] += 1
    return by_key, repeated[False], repeated[True]


def report_end(stack, ledger, unsettled, disturbances):
    """The last figures; True if every promise was kept."""
    time.sleep(1.5)  # the sink writes its log about every second
    by_key, repeated, repeated_lying = count_arrivals(stack.directory / "arrivals.jsonl")
    lost = sum(max(0, sent - by_key[key]) for key, sent in ledger.sent.items())
    connections = CONNECTIONS_MAX * len(RECEIVERS)
    bound = disturbances.kills * (connections + UNRECORDED_MAX)
    exceptions = stack.metric("todoku_unhandled_exceptions_total")
    for name in ("acknowledged", "sent", "hard_error", "soft_error", "drop", "interrupted"):
        unit = "calls" if name == "interrupted" else "recipients"
        figure(f"soak_{name}", ledger.tally[name], unit)
    figure("soak_kills", disturbances.kills, "")
    figure("soak_stops", disturbances.stops, "")
    if disturbances.restart_seconds:
        figure("soak_restart_longest", max(disturbances.restart_seconds), "s")
    figure("soak_memory_at_end", process_info.memory_now(stack.engine.pid), "MB")
    figure("soak_files_at_end", process_info.open_files(stack.engine.pid), "files")
    figure("soak_unsettled", unsettled, "deliveries")
    figure("soak_wrong_counts", len(ledger.wrong), "deliveries")
    figure("soak_lost", lost, "recipients")
    figure("soak_repeated", repeated, "mails")
    figure("soak_repeated_bound", bound, "mails")
    figure("soak_repeated_by_liars", repeated_lying, "mails")
    figure("soak_unhandled_exceptions", exceptions, "")
    for line in ledger.wrong[:5]:
        print(line, file=sys.stderr)
    return not (unsettled or ledger.wrong or lost or repeated > bound or exceptions)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("minutes", nargs="?", type=float)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    minutes = options.minutes or (2 if options.quick else 60)
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {seed} (--seed {seed} repeats it)", file=sys.stderr, flush=True)
    zone = [f"{DEAD}. MX 10 mx.{DEAD}.", f"mx.{DEAD}. A 127.0.2.250"]
    ledger = Ledger()
    with SoakStack(options.binary, RECEIVERS, CONFIG, zone=zone,
                   site_defaults=[f"connections_max = {CONNECTIONS_MAX}"]) as stack:
        stack.sign()
        samples, disturbances = run_load(stack, ledger, minutes * 60, seed)
        unsettled = settle(stack, ledger, seed)
        samples.report(minutes * 60 * UNDISTURBED)
        kept = report_end(stack, ledger, unsettled, disturbances)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
