# SPDX-License-Identifier: Apache-2.0
"""A deployment rehearsed: a cluster of processes of an image, under load, gets a version 2 by the very
verbs (deploy/bin), then versions that are broken in four ways. Nothing that was acknowledged is lost,
no call fails and no source is silent for over five seconds while the good one comes; each broken one
is seen and goes back by itself.

The versions are one binary: the image's configuration makes them what they are. With --quick the file
system of the first, too, is made by deploy/image/root.py alone, without buildah.

usage: rehearsal_bench.py TODOKU [--leak LIBRARY] [--quick] [--load N] [--watch SECONDS]
"""
import argparse
import datetime
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/system/deploy")]

from local_stand import DOMAINS, SOURCES, Load, LocalStand, check, check_equal  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

SILENT_MAX = 5  # seconds, of a source
ARRIVE_WITHIN = 60


def broken_versions(leak):
    """(version, what is wrong, what its image sets, more words for `roll`, its exit status, the words
    of which it says one). The first two are seen by the trial, and again where there is none. What
    fails mails is seen by its figures or by the smoke mail, whichever is first."""
    ends = {"TODOKU_ADMIN__SOCKET": "/nonexistent/admin.sock"}
    unready = {"TODOKU_DNS__SERVERS": "127.0.0.1:9", "TODOKU_DNS__CHECK_NAMES": "missing.example"}
    return (
        ("3-ends", "does not start", ends, (), 1, ("ends at its start",)),
        ("3-ends", "does not start, tried in earnest", ends, ("--no-trial",), 3,
         ("ends at its start",)),
        ("4-unready", "starts and is not ready", unready, (), 1, ("is not ready",)),
        ("4-unready", "starts and is not ready, tried in earnest", unready,
         ("--no-trial", "--watch", "3"), 3, ("is not ready",)),
        ("5-fails", "is ready and fails mails",
         {"TODOKU_SMTP_OUT__ALLOW_PRIVATE_RECEIVERS": "false"}, ("--watch", "3"), 3,
         ("attempts failed", "the smoke mail to")),
        ("6-leaks", "leaks until it is killed", {"LD_PRELOAD": str(leak)}, (), 3,
         ("of memory",)))


class Rehearsal:
    def __init__(self, stand, load, given):
        self.stand, self.load, self.given = stand, load, given
        self.figures = []

    def tell(self, name, value, unit):
        print(f"rehearsal/{name}\t{value}\t{unit}", flush=True)

    def begin(self):
        if self.given.quick:
            self.stand.push("1")
        else:
            self.stand.push_built("1")
        self.stand.verb("apply")
        self.stand.verb("migrate")
        self.stand.begin_account()
        self.stand.verb("roll", "--version", "1", "--no-trial")
        self.stand.verb("status")
        self.load.start()
        self.stand.wait_for(lambda: set(SOURCES) <= {hello for _, _, hello in self.arrived()},
                            "mail from both sources", 30)

    def arrived(self):
        """[(seconds since 1970, recipient, source)]"""
        return [(datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp(),
                 entry["rcpt_to"], entry["hello"].split(".")[0]) for entry in self.stand.log()]

    def good(self):
        self.stand.push("2")
        began, failed = time.time(), len(self.load.failed)
        self.stand.verb("roll", "--version", "2", "--watch", self.given.watch)
        took = time.time() - began
        check(self.stand.is_all_of("2"), "not all tasks are of version 2")
        self.silence = (began, time.time())
        check_equal(self.load.failed[failed:], [], "calls that failed while version 2 came")
        self.tell("good/roll", f"{took:.1f}", "s")

    def bad(self):
        for version, what, environment, more, status, words in broken_versions(self.given.leak):
            if self.given.quick and version == "4-unready" and more:
                continue
            print(f"\n==> a version that {what}", flush=True)
            self.stand.push(version, environment)
            began, failed = time.time(), len(self.load.failed)
            said = self.stand.verb("roll", "--version", version, "--ready", self.given.ready,
                                   "--watch", self.given.watch_broken, *more, status=status)
            check(any(word in said for word in words), f"a version that {what} ends by another reason: {said}")
            check(self.stand.is_all_of("2"), f"not all is of version 2 after {version}")
            self.stand.verb("status")
            self.tell(f"{version}/seen_and_back", f"{time.time() - began:.1f}", "s")
            self.tell(f"{version}/failed_calls", len(self.load.failed) - failed, "calls")

    def judge(self):
        self.load.end()
        wanted = set(self.load.acknowledged)
        until = time.monotonic() + ARRIVE_WITHIN
        while not wanted <= {to for _, to, _ in self.arrived()} and time.monotonic() < until:
            time.sleep(0.5)
        came = self.arrived()
        lost = wanted - {to for _, to, _ in came}
        orders = [to for _, to, _ in came if to.startswith("order")]
        silent = {source: longest_gap([at for at, _, from_ in came if from_ == source], *self.silence)
                  for source in SOURCES}
        self.tell("acknowledged", len(wanted), "mails")
        self.tell("lost", len(lost), "mails")
        self.tell("twice", len(orders) - len(set(orders)), "mails")
        self.tell("failed_calls", len(self.load.failed), "calls")
        for source, seconds in silent.items():
            self.tell(f"good/silent/{source}", f"{seconds:.1f}", "s at most")
        check_equal(sorted(lost)[:5], [], f"{len(lost)} mails are lost, such as")
        for source, seconds in silent.items():
            check(seconds <= SILENT_MAX, f"source {source} was silent for {seconds:.1f} s")

    def back_and_forth(self):
        """By hand, and what was restored."""
        self.stand.verb("rollback", "--watch", "0")
        check(self.stand.is_all_of("1"), "not all is of version 1 after rollback")


def longest_gap(times, begun, ended):
    inside = sorted(at for at in times if begun <= at <= ended)
    edges = [begun, *inside, ended]
    return max(b - a for a, b in zip(edges, edges[1:]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("todoku")
    parser.add_argument("--leak", type=pathlib.Path, help="the library of tests/system/deploy/leak.cc")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--load", type=float, help="transactions a second")
    parser.add_argument("--watch", type=float, help="seconds, of the good version")
    given = parser.parse_args()
    given.load = given.load or (20 if given.quick else 100)
    given.watch = given.watch or (2 if given.quick else 20)
    given.watch_broken = 10 if given.quick else 60
    given.ready = 8 if given.quick else 30
    if given.leak is None:
        build = pathlib.Path(given.todoku).resolve().parents[1]
        given.leak = build / "tests/system/deploy/libtodoku_leak.so"
    with PostgresServer() as server, LocalStand(given.todoku, server) as stand:
        rehearsal = Rehearsal(stand, Load(stand, given.load), given)
        rehearsal.begin()
        rehearsal.good()
        rehearsal.bad()
        rehearsal.back_and_forth()
        rehearsal.judge()
    print(f"rehearsal: ok, to {len(DOMAINS)} domains")
    return 0


if __name__ == "__main__":
    sys.exit(main())
