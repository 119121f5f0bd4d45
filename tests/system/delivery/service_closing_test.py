# SPDX-License-Identifier: Apache-2.0
"""421: after some mails it ends the connection only, at the greeting it gives the site a rest."""
import sys
import time

from installation import Installation, check, check_equal, check_exactly_once, run


def after_some_mails_it_only_ends_the_connection(binary):
    addresses = [f"r{i}@three.example" for i in range(200)]
    # A retry would come much later than the end of this test.
    config = ["[delivery]", "bulk_retry_seconds = [60]", "site_rest_first_seconds = 60"]
    receivers = {"three.example": ["messages_per_connection_max = 3"]}
    with Installation(binary, receivers, config) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=15)
        check_equal(stack.counts(delivery), (200, 200, 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses)
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 0.0, "deferred mails")
        check_equal(stack.metric("todoku_parked_recipients_total"), 0.0, "parked mails")


def at_the_greeting_the_site_rests(binary):
    addresses = [f"r{i}@closed.example" for i in range(400)]
    others = [f"r{i}@open.example" for i in range(50)]
    receivers = {
        "closed.example": ["[[receiver.rule]]", 'at = "connect"',
                           'reply = "421 4.3.2 come back later"'],
        "open.example": [],
    }
    config = ["[delivery]", "bulk_retry_seconds = [2]", "site_rest_first_seconds = 3"]
    with Installation(binary, receivers, config) as stack:
        delivery = stack.bulk(addresses + others)
        stack.wait_for(lambda: stack.counts(delivery)[1] == len(others), "the other site", 10)
        stack.wait_for(lambda: stack.metric("todoku_parked_recipients_total") > 0, "parking", 10)
        connections_max = 20
        tried = stack.metric("todoku_outcomes_total", state="deferred")
        check(0 < tried <= connections_max,
              f"{tried} attempts: only what was in the hands of opening connections is tried")
        time.sleep(1.5)  # it rests for 3 s, give or take a fifth
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), tried,
                    "attempts while the site rests")
        stories = [stack.explain(address) for address in addresses[:40]]
        tried_stories = [story for story in stories if "Attempt 1" in story]
        for story in tried_stories:
            check("421 4.3.2 come back later" in story and "greeting" in story, story)
        check(any("Attempt 1" not in story and "Next:" in story for story in stories),
              f"a parked mail is told without an attempt:\n{stories[0]}")
        stack.restart_sink({"closed.example": [], "open.example": []})
        stack.settle(delivery, seconds=30)
        check_equal(stack.counts(delivery), (450, 450, 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses + others)


if __name__ == "__main__":
    sys.exit(run(after_some_mails_it_only_ends_the_connection, at_the_greeting_the_site_rests))
