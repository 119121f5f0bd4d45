# SPDX-License-Identifier: Apache-2.0
"""What the DNS says about a domain decides: no mail, never, not now, or which host."""
import sys

from installation import Installation, check, check_equal, run

ZONE = ["null.example. MX 0 .", "implicit.example. A 127.0.2.1",
        "alias.example. CNAME good.example.", "private.example. MX 10 mx.private.example.",
        "mx.private.example. A 10.1.2.3", "lost.example. MX 10 mx.nowhere.example."]


def answers_decide(binary):
    with Installation(binary, {"good.example": []}, zone=ZONE) as stack:
        for address in ("a@implicit.example", "a@alias.example"):
            delivery = stack.transaction(address)
            stack.settle(delivery)
            check_equal(stack.counts(delivery), (1, 1, 0, 0), f"counts of {address}")
        for address, sentence in (("a@null.example", "5.1.10 null.example accepts no mail"),
                                  ("a@missing.example",
                                   "5.1.2 missing.example does not exist in the DNS")):
            delivery = stack.transaction(address)
            stack.settle(delivery)
            check_equal(stack.counts(delivery), (1, 0, 1, 0), f"counts of {address}")
            story = stack.explain(address)
            check("bounced:" in story and sentence in story, story)
        stack.transaction("a@lost.example")
        story = stack.await_story("a@lost.example", "Attempt 1")
        check("while looking up the receiver" in story, story)


def a_failing_name_server_is_temporary(binary):
    with Installation(binary, {"good.example": []}, broken_zones=["broken.example"]) as stack:
        stack.transaction("a@broken.example")
        story = stack.await_story("a@broken.example", "Attempt 1")
        check("deferred:" in story and "while looking up the receiver" in story, story)
        delivery = stack.transaction("a@good.example")
        stack.settle(delivery, seconds=3)


def private_receivers_are_refused_by_default(binary):
    with Installation(binary, {"good.example": []}, zone=ZONE, private=False) as stack:
        before = stack.report()["total"]["connections"]
        for address in ("a@private.example", "a@good.example"):
            delivery = stack.transaction(address)
            story = stack.await_story(address, "Attempt 1")
            check("while looking up the receiver" in story, story)
            check_equal(stack.counts(delivery)[1], 0, "sent")
            check("allow_private_receivers" in story, story)
        check_equal(stack.report()["total"]["connections"], before, "connections")


if __name__ == "__main__":
    sys.exit(run(answers_decide, a_failing_name_server_is_temporary,
                 private_receivers_are_refused_by_default))
