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
        # The receiver offers CHUNKING: the content is out before it says that it has enough.
        told = [story for story in map(stack.explain, addresses[:40])
                if "sent twice in this attempt: the whole mail was out when the receiver said 421"
                in story]
        check(told, f"no story tells it:\n{stack.explain(addresses[0])}")


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


def said_to_the_content_the_mail_waits_for_its_time(binary):
    closing = ["[[receiver.rule]]", 'at = "body"', 'reply = "421 4.3.2 shutting down"']
    config = ["[delivery]", "transactional_retry_seconds = [60]", "site_rest_first_seconds = 1"]
    with Installation(binary, {"closing.example": closing}, config) as stack:
        for address, policy in (("twice", {}), ("once", {"duplicate_policy": "at_most_once"})):
            delivery = stack.transaction(f"{address}@closing.example", **policy)
            story = stack.await_story(f"{address}@closing.example", "Attempt 1")
            check("421 4.3.2 shutting down" in story, story)
            time.sleep(2.5)
            story = stack.explain(f"{address}@closing.example")
            check("Attempt 2" not in story and "in this attempt" not in story, story)
            check_equal(stack.status_of(delivery), "SENDING", "status")
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 2.0, "attempts")


if __name__ == "__main__":
    sys.exit(run(said_to_the_content_the_mail_waits_for_its_time,
                 after_some_mails_it_only_ends_the_connection, at_the_greeting_the_site_rests))
