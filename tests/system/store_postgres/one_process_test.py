# SPDX-License-Identifier: Apache-2.0
"""One process at a time works on a database: a second is refused, takes over when the first has
stood still for longer than its lease, and the first then sends nothing.

usage: one_process_test.py TODOKU
"""
import signal
import sys
import time

from on_postgres import OnPostgres, addresses, check, check_equal, run
from api import is_ready

LEASE = 15  # seconds


def name_of_holder(stack):
    return stack.sql("SELECT name FROM nodes WHERE void = 0")


def refuses_a_second(stack, second):
    name = name_of_holder(stack)
    status, said, _ = stack.run_other(second, "account", "list")
    check(status == 0 and "tester" in said, f"a look from elsewhere: {said}")
    check(not (stack.directory / "second-data").exists(), "who only looks leaves nothing behind")
    seconds = stack.refuses("a second engine elsewhere", second,
                            [f"the process of node {name}", "only one may"])
    check(seconds < LEASE, f"it took {seconds:.0f} s to see that the first lives")
    stack.refuses("a second engine here", stack.directory / "todoku.toml",
                  ["the data folder", str(stack.engine.pid)])
    status, said, _ = stack.run_other(second, "account", "add", "other")
    check_equal(status, 0, f"a change from elsewhere, which said\n{said}\n")
    check_equal(name_of_holder(stack), name, "who holds the database")


def takes_over_from_one_that_stands_still(stack, second, port):
    stack.engine.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    other = stack.start_second(second, port)
    status, said, _ = stack.run_other(stack.directory / "todoku.toml", "status")
    check(status == 1 and "stands still" in said, f"of an engine that is stopped: {said}")
    while not is_ready(port):
        check(other.poll() is None, stack.engine_log("second"))
        check(time.monotonic() - began < 40, "the second does not take over")
        time.sleep(0.1)
    took = time.monotonic() - began
    print(f"taken over after {took:.1f} s")
    check(took > LEASE - 4, "the lease of the first was not waited out")
    check(name_of_holder(stack) != "", "somebody holds it")

    # It wakes up with mail in the store, and must leave it to the other.
    stack.engine.send_signal(signal.SIGCONT)
    stack.wait_for(lambda: "this process counted as dead" in stack.engine_log(), "the first's word")
    stack.wait_for(lambda: "only one may" in stack.engine_log(), "who has it instead")
    check(not is_ready(stack.api_port), "who has no lease is not ready")
    first_port, stack.api.port, stack.api_port = stack.api_port, port, port
    many = addresses("after", 300)
    stack.settle(stack.bulk(many), seconds=30)
    stack.settled_log()
    arrived = [to for to, _ in stack.arrivals() if to.startswith("after")]
    check_equal(sorted(arrived), sorted(many), "what arrived after the hand-over")
    check_equal(stack.metric("todoku_node_lapses_total"), 0.0, "lapses of the second")

    # The second ends in order, and the first goes on by itself.
    other.send_signal(signal.SIGTERM)
    check_equal(other.wait(30), 0, "exit status of the second")
    stack.api.port = stack.api_port = first_port
    stack.wait_for(lambda: is_ready(first_port), "the first, which has its turn again")
    stack.settle(stack.transaction("again@one.example"))


def one_at_a_time(binary, server):
    with OnPostgres(binary, server) as stack:
        second, port = stack.write_second()
        refuses_a_second(stack, second)
        takes_over_from_one_that_stands_still(stack, second, port)
        check_equal(stack.terminate()[0], 0, "exit status")


if __name__ == "__main__":
    sys.exit(run(one_at_a_time))
