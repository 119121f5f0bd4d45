# SPDX-License-Identifier: Apache-2.0
"""A domain with many mail servers: a living one is found behind dead ones, and one that wants no
mail of ours does not keep it from the others (RFC 5321 section 5.1)."""
import sys

from installation import Installation, check, check_equal, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [60]", "bulk_retry_seconds = [60]",
          "site_rest_first_seconds = 60"]
# Nobody listens at 127.0.2.101 and above.
EIGHT = [line for i in range(1, 9) for line in (
    f"eight.example. MX {i} mx{i}.eight.example.",
    f"mx{i}.eight.example. A {'127.0.2.1' if i == 8 else f'127.0.2.{100 + i}'}")]
NO_SERVICE = ["[[receiver.rule]]", 'at = "connect"', 'reply = "554 5.7.1 no SMTP service for you"']
TWO = ["two.example. MX 10 mx.refusing.example.", "two.example. MX 20 mx.good.example."]


def the_eighth_host_lives(binary):
    with Installation(binary, {"good.example": []}, CONFIG, zone=EIGHT,
                      site_defaults=["idle_seconds = 0"]) as stack:
        first = stack.transaction("a@eight.example")
        stack.settle(first)
        story = stack.explain("a@eight.example")
        check("Attempt 1" in story and "mx8.eight.example" in story, story)
        dials = stack.metric("todoku_smtp_dials_total")
        check_equal(dials, 8.0, "dials")
        stack.wait_for(lambda: stack.metric("todoku_smtp_connections") == 0, "idle connections end")
        second = stack.transaction("b@eight.example")
        stack.settle(second)
        check_equal(stack.metric("todoku_smtp_dials_total"), dials + 1,
                    "dials: the dead are tried last now")
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 0.0, "deferred mails")


def a_refusal_at_the_greeting_leaves_the_other_hosts(binary):
    receivers = {"good.example": [], "refusing.example": NO_SERVICE}
    with Installation(binary, receivers, CONFIG, zone=TWO) as stack:
        delivery = stack.transaction("a@two.example")
        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        check("mx.good.example" in stack.explain("a@two.example"),
              stack.explain("a@two.example"))
        stack.transaction("a@refusing.example")
        story = stack.await_story("a@refusing.example", "Attempt 1")
        check("deferred" in story and "554 5.7.1 no SMTP service for you" in story, story)


if __name__ == "__main__":
    sys.exit(run(the_eighth_host_lives, a_refusal_at_the_greeting_leaves_the_other_hosts))
