# SPDX-License-Identifier: Apache-2.0
"""A synchronous standby takes over: from a server that is gone, and from one whose network swallows
everything, which comes back later and believes that nothing has happened. What was acknowledged
arrives, and mail is taken again soon.

usage: failover_test.py TODOKU
"""
import signal
import sys
import threading
import time

from on_postgres import DOMAINS, OnPostgres, check, check_equal
from postgres_pair import PostgresPair

BACK_WITHIN = 25  # seconds after the take-over
ANSWER_WITHIN = 8


class Load:
    """One transaction after another; what was acknowledged is kept."""

    def __init__(self, stack):
        self.stack = stack
        self.acknowledged = []  # (address, when)
        self.unanswered = []    # addresses that may or may not have been taken
        self.slowest = 0.0
        self.over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        count = 0
        while not self.over:
            count += 1
            to = f"load{count}@{DOMAINS[count % len(DOMAINS)]}"
            try:
                status, _, _, seconds = self.stack.post(to)
            except OSError:
                status, seconds = None, 0.0
            self.slowest = max(self.slowest, seconds)
            if status == 201:
                self.acknowledged.append((to, time.monotonic()))
            else:
                self.unanswered.append(to)
            time.sleep(0.01)

    def count(self):
        return len(self.acknowledged)

    def stop(self):
        self.over = True
        self.thread.join()


def await_more(stack, load, since, seconds, what):
    """Seconds from `since` until something was acknowledged after it."""
    stack.wait_for(lambda: any(when > since for _, when in load.acknowledged[-3:]), what, seconds)
    return next(when for _, when in load.acknowledged if when > since) - since


def fails_over(binary, number, comes_back):
    with PostgresPair() as pair, OnPostgres(binary, pair) as stack:
        load = Load(stack)
        try:
            stack.wait_for(lambda: load.count() > 50, "a load")
            pair.lose_first(number)
            time.sleep(2)
            pair.take_over()
            took_over = time.monotonic()
            after = await_more(stack, load, took_over, BACK_WITHIN, "mail that is taken again")
            if comes_back:
                pair.first_comes_back()
                # Connections to it are there still, and it says that it takes writes.
                time.sleep(4)
                await_more(stack, load, time.monotonic(), 5, "mail while the first is back")
        finally:
            load.stop()
        acknowledged = {to for to, _ in load.acknowledged}
        stack.wait_for(lambda: acknowledged <= {to for to, _ in stack.arrivals()},
                       "everything that was acknowledged", 60)
        arrived = [to for to, _ in stack.arrivals()]
        twice = {to for to in arrived if arrived.count(to) > 1} if len(arrived) != len(
            set(arrived)) else set()
        check(set(arrived) <= acknowledged | set(load.unanswered), "somebody else's mail arrived")
        check(not twice, f"{len(twice)} arrived twice, such as {sorted(twice)[:3]}")
        check(load.slowest < ANSWER_WITHIN, f"an answer took {load.slowest:.1f} s")
        check_equal(stack.metric("todoku_unhandled_exceptions_total"), 0.0, "exceptions")
        print(f"{signal.Signals(number).name}:\tmail is taken {after:.1f} s after the take-over, "
              f"{len(acknowledged)} acknowledged, {len(load.unanswered)} not, "
              f"slowest answer {load.slowest:.1f} s", flush=True)


def main():
    fails_over(sys.argv[1], signal.SIGKILL, comes_back=False)
    fails_over(sys.argv[1], signal.SIGSTOP, comes_back=True)
    print("failover: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
