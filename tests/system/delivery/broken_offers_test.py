# SPDX-License-Identifier: Apache-2.0
"""Receivers that offer PIPELINING or CHUNKING and do not bear them: every mail arrives, once, by the
way that works, at its first attempt; only the first mail meets it."""
import sys

from installation import Installation, check, check_equal, check_exactly_once, run

CONFIG = ["[delivery]", "bulk_retry_seconds = [60]", "transactional_retry_seconds = [60]"]
BDAT_REFUSED = ["[[receiver.rule]]", 'at = "bdat"', 'reply = "502 5.5.1 Command not implemented"']
BDAT_CLOSES = ["[[receiver.rule]]", 'at = "bdat"', "close = true"]


def arrives_at_the_first_attempt(binary):
    receivers = {
        "refuses-bdat.example": BDAT_REFUSED,
        "dies-at-bdat.example": BDAT_CLOSES,
        "bdat-alone.example": ['without = ["PIPELINING"]', *BDAT_CLOSES],
        "refuses-groups.example": ['pipelined = "refused"'],
        "closes-at-groups.example": ['pipelined = "closed"'],
        "closes-at-data.example": ['without = ["CHUNKING"]', 'pipelined = "closed"'],
        "bears-neither.example": ['pipelined = "refused"', *BDAT_REFUSED],
    }
    addresses = [f"r{i}@{domain}" for domain in receivers for i in range(30)]
    with Installation(binary, receivers, CONFIG) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=40)
        check_equal(stack.counts(delivery), (len(addresses), len(addresses), 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses)
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 0.0, "deferred mails")
        check(stack.metric("todoku_smtp_broken_offers_total") >= len(receivers),
              "what the sites stumbled over is counted")
        for domain in receivers:
            story = stack.explain(f"r0@{domain}")
            check("Attempt 1" in story and "Attempt 2" not in story, story)
        # What was learnt is known to the next mail.
        before = stack.report()["total"]
        later = stack.transaction("later@dies-at-bdat.example")
        stack.settle(later)
        after = stack.report()["total"]
        check_equal(after["closed_by_script"], before["closed_by_script"], "met once more")


def can_be_switched_off_for_a_site(binary):
    config = [*CONFIG, "[sites.plain]", 'domains = ["plain.example"]', "chunking = false",
              "pipelining = false"]
    with Installation(binary, {"plain.example": BDAT_CLOSES}, config) as stack:
        delivery = stack.transaction("a@plain.example")
        stack.settle(delivery)
        check_equal(stack.counts(delivery)[1], 1, "sent")
        check_equal(stack.metric("todoku_smtp_broken_offers_total"), 0.0, "nothing was met")
        replies = stack.report()["total"]["replies"]
        check_equal(replies.get("354"), 1, "DATA")
        shown = stack.command("config", "show", "--sites")
        check("chunking = false" in shown and "pipelining = false" in shown, shown)


if __name__ == "__main__":
    sys.exit(run(arrives_at_the_first_attempt, can_be_switched_off_for_a_site))
