# SPDX-License-Identifier: Apache-2.0
"""A dead or slow receiver does not delay another; a dead first MX leaves it to the second."""
import sys
import time

from installation import Installation, check, check_equal, check_exactly_once, run


def others_do_not_wait(binary):
    receivers = {
        "good.example": [],
        "tarpit.example": ["tarpit = 2"],
        "mute.example": ["delay = { connect = 120 }"],
    }
    # Nobody listens at the address of this one.
    zone = ["dead.example. MX 10 mx.dead.example.", "mx.dead.example. A 127.0.9.9"]
    # Mixed in the list, so that they meet in batches, too: small domains share batches.
    domains = ("dead.example", "tarpit.example", "mute.example", "good.example")
    addresses = [f"r{i}@{domains[i % 4]}" for i in range(800)]
    good = addresses[3::4]
    with Installation(binary, receivers, ["[engine]", "drain_seconds = 1"], zone=zone) as stack:
        began = time.monotonic()
        delivery = stack.bulk(addresses)
        stack.wait_for(lambda: stack.counts(delivery)[1] == len(good), "the good receiver", 6)
        check_exactly_once(stack.settled_log(), good)
        print(f"good mails in\t{time.monotonic() - began:.2f}\ts (with import)", flush=True)
        second = stack.transaction("later@good.example")
        stack.settle(second, seconds=2)
        story = stack.explain("r0@dead.example")
        check("Next:" in story and "nothing more" not in story, story)


def the_second_mx_takes_over(binary):
    zone = ["twice.example. MX 10 mx1.twice.example.", "twice.example. MX 20 mx.good.example.",
            "mx1.twice.example. A 127.0.9.9"]
    busy = ["[[receiver.rule]]", 'at = "connect"', 'reply = "421 too busy"']
    zone += ["busy2.example. MX 10 mx.busy.example.", "busy2.example. MX 20 mx.good.example."]
    with Installation(binary, {"good.example": [], "busy.example": busy}, zone=zone) as stack:
        addresses = [f"r{i}@twice.example" for i in range(50)]
        addresses += [f"r{i}@busy2.example" for i in range(50)]
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=10)
        check_equal(stack.counts(delivery), (100, 100, 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses)
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 0.0, "deferred")
        story = stack.explain("r1@twice.example")
        check("mx.good.example" in story and "Attempt 2" not in story, story)


if __name__ == "__main__":
    sys.exit(run(others_do_not_wait, the_second_mx_takes_over))
