# SPDX-License-Identifier: Apache-2.0
"""The queue in the database: mail goes out by it, through an absence of the database and after the
table of its hints was emptied.

usage: queue_test.py TODOKU
"""
import sys
import time

from on_postgres import QUICK, OnPostgres, addresses, check, check_equal, run

FIRST, LOST = 1_000, 300
AWAY = 4  # seconds
RUNG_AGAIN = 60  # seconds until lost bells have been rung again
SETTLED_SECONDS = 40


def goes_out(stack):
    many = addresses("first", FIRST)
    before = stack.metric("todoku_store_queue_calls_total")
    bulk = stack.bulk(many)
    stack.settle(bulk, seconds=SETTLED_SECONDS)
    calls = stack.metric("todoku_store_queue_calls_total") - before
    print(f"{calls:.0f} pieces of work with bells for {FIRST} mails")
    check(stack.metric("todoku_store_queue_bells_total") > 0, "no bell was heard")
    stack.wait_for(lambda: stack.sql("SELECT count(*) FROM bells") == "0", "an empty table")
    return many


def survives_an_absence(stack):
    """Bells that are rung and taken while the database comes and goes; some are lost at the end."""
    many = addresses("lost", LOST)
    bulk = stack.bulk(many)
    stack.server.stop()
    time.sleep(AWAY)
    stack.server.start()
    stack.wait_for(lambda: stack.post("back@three.example")[2] is not None, "accepting again", 20)
    stack.sql("DELETE FROM bells")
    began = time.monotonic()
    stack.wait_for(lambda: stack.is_sent(bulk), "the bulk", RUNG_AGAIN)
    print(f"the bulk was sent {time.monotonic() - began:.1f} s after its bells were lost")
    check("the queue on the store is not usable" in stack.engine_log(), "the absence is told")
    return [*many, "back@three.example"]


def sends_by_the_database(binary, server):
    config = ("[queue]", 'kind = "store"', *QUICK)
    with OnPostgres(binary, server, config=config) as stack:
        wanted = goes_out(stack)
        wanted += survives_an_absence(stack)
        stack.settled_log()
        arrived = {to for to, _ in stack.arrivals()}
        missing = set(wanted) - arrived
        check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 10, f"stopping took {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(run(sends_by_the_database))
