# SPDX-License-Identifier: Apache-2.0
"""Which signals begin the drain, which end it, and which are not the engine's."""
import contextlib
import signal
import sys
import time

from installation import QUICK, Installation, check, check_equal, check_exactly_once, run

CONFIG = [*QUICK, "[engine]", "drain_seconds = 10"]
SLOW = {"slow.example": ["delay = { body = 3 }"]}


@contextlib.contextmanager
def started_with(disposition, *signals):
    """What is started meanwhile inherits it."""
    before = {each: signal.signal(each, disposition) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def await_drain(stack):
    log = stack.directory / "engine.log"
    stack.wait_for(lambda: "draining" in log.read_text(), "the drain")


def what_it_was_started_to_ignore_it_ignores(binary):
    # As by nohup, and by a script that puts it into the background.
    with started_with(signal.SIG_IGN, signal.SIGHUP, signal.SIGINT), \
            Installation(binary, {"one.example": [], **SLOW}, CONFIG) as stack:
        for each in (signal.SIGHUP, signal.SIGINT, signal.SIGINT):
            stack.engine.send_signal(each)
            time.sleep(0.2)
        stack.settle(stack.transaction("a@one.example"))
        check("draining" not in (stack.directory / "engine.log").read_text(), "it drains")
        stack.transaction("a@slow.example")
        stack.await_story("a@slow.example", "The whole mail is out")
        stack.engine.send_signal(signal.SIGTERM)
        await_drain(stack)
        for _ in range(3):
            stack.engine.send_signal(signal.SIGINT)
            time.sleep(0.1)
        check_equal(stack.engine.wait(12), 0, "exit status")
        stack.engine = None
        check_exactly_once(stack.settled_log(), ["a@one.example", "a@slow.example"])


def each_of_them_begins_the_drain(binary):
    with started_with(signal.SIG_DFL, signal.SIGHUP, signal.SIGINT), \
            Installation(binary, {"one.example": []}, CONFIG) as stack:
        for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            stack.engine.send_signal(each)
            check_equal(stack.engine.wait(60), 0, f"exit status after {each.name}")
            stack.engine = None
            stack.start_engine()


def only_a_second_interrupt_ends_a_drain(binary):
    with started_with(signal.SIG_DFL, signal.SIGHUP, signal.SIGINT), \
            Installation(binary, SLOW, CONFIG) as stack:
        cases = ((signal.SIGTERM, 1, 0), (signal.SIGTERM, 2, -signal.SIGINT),
                 (signal.SIGINT, 1, -signal.SIGINT))
        for number, (begun, again, status) in enumerate(cases):
            stack.transaction(f"a{number}@slow.example")
            stack.await_story(f"a{number}@slow.example", "The whole mail is out")
            stack.engine.send_signal(begun)
            await_drain(stack)
            for _ in range(again):
                time.sleep(0.3)
                stack.engine.send_signal(signal.SIGINT)
            check_equal(stack.engine.wait(12), status, f"{begun.name} and {again} x SIGINT")
            stack.engine = None
            (stack.directory / "engine.log").write_text("")
            stack.start_engine()


if __name__ == "__main__":
    sys.exit(run(what_it_was_started_to_ignore_it_ignores, each_of_them_begins_the_drain,
                 only_a_second_interrupt_ends_a_drain))
