# SPDX-License-Identifier: Apache-2.0
"""Two processes of each role over one PostgreSQL server. One of each is killed on the way: every
mail that was acknowledged arrives, and nothing goes twice but what the killed courier had in hand.
Then the others end in order, and those that take their place go on at once.

usage: losing_processes_test.py TODOKU QUEUE_KIND [WORK_FOLDER]
"""
import sys
import threading
import time

from on_cluster import (CONNECTIONS, DOMAINS, OnCluster, SOURCES, UNRECORDED_MAX, addresses, check,
                        check_equal, run)

BULK = 1500
ROLES = {"api1": "api", "api2": "api", "scheduler1": "scheduler", "scheduler2": "scheduler",
         "courier1": "courier", "courier2": "courier", "events1": "events"}
SLOW = {domain: ["delay = { body = 0.02 }"] for domain in DOMAINS}
FOUND_DEAD = 60  # seconds: a lease, the grace of a new leader, the wait for the old one's sources
AT_ONCE = 8  # seconds
# Amazon SQS may give a hint to the poll of one that has just ended: it comes again later.
HEARD = {"store": 20, "sqs": 60}


class Writer(threading.Thread):
    """Posts transactions to both API nodes by turns, and remembers which were acknowledged."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack = stack
        self.acknowledged = []
        self.refused = 0
        self.enough = threading.Event()

    def run(self):
        number = 0
        while not self.enough.is_set():
            number += 1
            address = f"single{number}@{DOMAINS[number % len(DOMAINS)]}"
            name = ("api1", "api2")[number % 2]
            if self.stack.try_to_post(name, address):
                self.acknowledged.append(address)
            else:
                self.refused += 1
            time.sleep(0.02)


def shares_the_work(stack):
    """Who does what, before anybody is lost."""
    stack.wait_for(lambda: stack.leader() is not None, "a leader")
    stack.wait_for(lambda: stack.sources_of("courier1") + stack.sources_of("courier2") == 2,
                   "couriers for both sources")
    stack.use("api1")

    def rings():
        check(stack.try_to_post("api1", "ringing@one.example"), "a transaction")
        return stack.metric_of("api1", "todoku_transactions_rung_total") > 0

    stack.wait_for(rings, "an API node that knows of the sources", 10)
    began = time.monotonic()
    check(stack.try_to_post("api1", "first@one.example"), "a transaction")
    stack.await_arrivals_of(["first@one.example"], "a transaction that an API node rang for", 10)
    print(f"a transaction, until it is in the sink's log: {time.monotonic() - began:.1f} s")
    for name in ("api1", "scheduler1"):
        check_equal(stack.metric_of(name, "todoku_lanes"), 0.0, f"lanes of {name}")


def survives_kills(stack):
    writer = Writer(stack)
    writer.start()
    stack.use("api2")
    many = addresses("many", BULK)
    stack.bulk(many)
    stack.wait_for(lambda: len(stack.log()) > 150, "mail that goes out")
    # Whoever comes first may have both sources.
    dead, left = "courier1", "courier2"
    if stack.sources_of(dead) == 0:
        dead, left = left, dead
    print(f"{dead} has {stack.sources_of(dead)} of two sources")
    victims = (stack.leader(), dead, "api1")
    for name in victims:
        stack.kill(name)
    killed = time.monotonic()
    print(f"killed: {', '.join(victims)}; {len(writer.acknowledged)} acknowledged")
    stack.wait_for(lambda: stack.leader() is not None, "a new leader", 15)
    print(f"a new leader after {time.monotonic() - killed:.1f} s")
    stack.wait_for(lambda: stack.sources_of(left) == 2, "its sources taken", FOUND_DEAD)
    print(f"the sources taken over after {time.monotonic() - killed:.1f} s")
    writer.enough.set()
    writer.join()
    check(writer.refused > 0 and len(writer.acknowledged) > 100, "both were asked")
    stack.await_arrivals_of(many + writer.acknowledged, "all that was acknowledged", FOUND_DEAD)
    print(f"all arrived after {time.monotonic() - killed:.1f} s: {len(many)} of the bulk, "
          f"{len(writer.acknowledged)} transactions; {writer.refused} not acknowledged")

    twice = {to: by for to, by in stack.senders().items()
             if len(by) > 1 and to != "ringing@one.example"}
    bound = UNRECORDED_MAX + CONNECTIONS * len(DOMAINS) * len(SOURCES)
    print(f"{len(twice)} went twice, of {bound} that may")
    check(len(twice) <= bound, f"{len(twice)} went twice")
    for to, by in twice.items():
        check(len(by) == 2 and by[0] == dead, f"{to} was sent by {by}")
    stack.wait_for(lambda: stack.sql("SELECT count(*) FROM batches WHERE open > 0") == "0",
                   "the store to know of all")
    return left


def hands_over(stack, courier):
    """Those that are left end by SIGTERM, when others are there to take their place."""
    old = stack.leader()
    for name, roles in (("scheduler3", "scheduler"), ("courier3", "courier")):
        stack.start_process(name, roles)
        stack.wait_for(stack.parts[name].is_ready, name)
    check_equal(stack.sources_of("courier3"), 0, "sources of who waits")
    stack.end(old)
    ended = time.monotonic()
    stack.wait_for(lambda: stack.leader() == "scheduler3", "the new leader", AT_ONCE)
    print(f"a scheduler handed over within {time.monotonic() - ended:.1f} s")
    stack.end(courier)
    ended = time.monotonic()
    stack.wait_for(lambda: stack.sources_of("courier3") == 2, "the sources handed over", AT_ONCE)
    print(f"both sources handed over within {time.monotonic() - ended:.1f} s")
    after = addresses("after", 30)
    stack.use("api2")
    stack.bulk(after)
    check(stack.try_to_post("api2", "last@one.example"), "a transaction")
    stack.await_arrivals_of(after + ["last@one.example"], "what came after", HEARD[sys.argv[2]])
    imports_wait_for_who_runs_them(stack)
    for name in ("scheduler3", "courier3", "events2", "api2"):
        check_equal(stack.metric_of(name, "todoku_unhandled_exceptions_total"), 0.0, name)
        if name == "api2":
            tells_that_nobody_sends(stack)
        stack.end(name)
    check_equal(stack.sql("SELECT count(*) FROM nodes WHERE void = 0"), "0", "nodes at the end")


def imports_wait_for_who_runs_them(stack):
    """What an API process took before anybody has the role is not lost, and status tells."""
    stack.end("events1")
    stack.use("api2")
    listed = addresses("listed", 20)
    job = stack.begin_import(stack.draft(), listed, immediate=True)
    said = stack.run_other(stack.parts["api2"].config, "status")[1]
    check("with the role events" in said, f"status does not tell: {said}")
    check_equal(stack.import_status(job), "IMPORTING", "of a job that nobody runs")
    stack.start_process("events2", "events")
    stack.wait_for(lambda: stack.import_status(job) == "FINISHED", "the import", 30)
    stack.await_arrivals_of(listed, "what was imported", HEARD[sys.argv[2]])


def tells_that_nobody_sends(stack):
    check(stack.try_to_post("api2", "waits@one.example"), "a transaction that nobody sends")
    config = stack.parts["api2"].config
    for words in (("explain", "waits@one.example", "--lang", "en"), ("status",)):
        said = stack.run_other(config, *words)[1]
        check("with the role" in said and "courier" in said, f"{words} does not tell: {said}")


def loses_processes(binary, server, queue):
    with OnCluster(binary, server, queue, ROLES, SLOW) as stack:
        shares_the_work(stack)
        hands_over(stack, survives_kills(stack))


if __name__ == "__main__":
    sys.exit(run(loses_processes))
