# SPDX-License-Identifier: Apache-2.0
"""Receivers that hang up without a word, at each moment: nothing is lost, and only a message whose
answer was lost may arrive twice."""
import collections
import sys

from installation import Installation, check, check_equal, run

MOMENTS = ("connect", "hello", "mail", "rcpt", "data", "bdat", "body", "starttls")
CONFIG = ["[delivery]", "bulk_retry_seconds = [1]", "site_rest_first_seconds = 1",
          "site_rest_longest_seconds = 2"]


def half_of_the_time_at_every_moment(binary):
    receivers = {}
    for moment in MOMENTS:
        rules = ["[[receiver.rule]]", f'at = "{moment}"', "odds = 0.5", "close = true"]
        if moment == "data":
            rules = ['without = ["CHUNKING"]'] + rules
        if moment == "starttls":
            rules = ['tls = "self_signed"'] + rules
        receivers[f"{moment}.example"] = rules
    # Also without pipelining, where every command has a reply of its own.
    receivers["slow-body.example"] = ['without = ["CHUNKING", "PIPELINING"]', "[[receiver.rule]]",
                                      'at = "body"', "odds = 0.5", "close = true"]
    addresses = [f"r{i}@{domain}" for domain in receivers for i in range(8)]
    with Installation(binary, receivers, CONFIG, sink_config=["seed = 7"]) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=60)
        check_equal(stack.counts(delivery), (len(addresses), len(addresses), 0, 0), "counts")
        arrived = collections.Counter(entry["rcpt_to"] for entry in stack.settled_log())
        lost = set(addresses) - set(arrived)
        check(not lost, f"lost: {sorted(lost)[:5]}")
        twice = {address for address, count in arrived.items() if count > 1}
        in_doubt = {address for address in twice if address.endswith("body.example")}
        check_equal(twice - in_doubt, set(), "duplicates where the message was not yet taken")
        check(in_doubt, "no answer to a message was lost: the test shows nothing")
        report = stack.report()["total"]
        check_equal(report["duplicates"], report["taken_silently"],
                    "duplicates, against messages taken without an answer")


def a_lost_answer_is_told(binary):
    receivers = {"quiet.example": ['without = ["CHUNKING", "PIPELINING"]']}
    with Installation(binary, receivers, CONFIG) as stack:
        stack.transaction("close-body@quiet.example")
        story = stack.await_story("close-body@quiet.example", "Attempt 1")
        check("closed the connection" in story and "ended at the content" in story, story)
        stack.transaction("close-rcpt@quiet.example")
        story = stack.await_story("close-rcpt@quiet.example", "Attempt 1")
        check("closed the connection before it answered RCPT TO" in story, story)


if __name__ == "__main__":
    sys.exit(run(half_of_the_time_at_every_moment, a_lost_answer_is_told))
