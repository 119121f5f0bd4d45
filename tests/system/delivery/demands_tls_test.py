# SPDX-License-Identifier: Apache-2.0
"""A receiver that takes mail only over TLS (RFC 3207 section 4: 530) while TLS cannot be had: the
mail waits, the story says why, and it arrives once TLS works again."""
import sys

from installation import Installation, check, check_equal, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [1]", "bulk_retry_seconds = [1]",
          "[sites.plain]", 'domains = ["plain.example"]', 'tls = "none"']
DEMANDS = ["[[receiver.rule]]", 'at = "mail"',
           'reply = "530 5.7.0 Must issue a STARTTLS command first"']
UNAVAILABLE = ["[[receiver.rule]]", 'at = "starttls"',
               'reply = "454 4.7.0 TLS not available due to temporary reason"']
WORDS = "530 5.7.0 Must issue a STARTTLS command first (said without TLS: "
# What happens to TLS, and why the story says that there is none.
RECEIVERS = {
    "refuses.example": (['tls = "self_signed"', *DEMANDS, *UNAVAILABLE],
                        "STARTTLS refused: 454 4.7.0 TLS not available"),
    "fails.example": (['tls = "broken"', *DEMANDS], "TLS handshake: "),
    "never-offers.example": (DEMANDS, "STARTTLS not offered"),
    "plain.example": (['tls = "self_signed"', *DEMANDS], "switched off for this site"),
}


def is_no_bounce_and_its_story_speaks_of_tls(binary):
    receivers = {domain: rules for domain, (rules, _) in RECEIVERS.items()}
    with Installation(binary, receivers, CONFIG) as stack:
        sent = {domain: stack.transaction(f"a@{domain}") for domain in receivers}
        bulk = stack.bulk([f"r{i}@refuses.example" for i in range(20)])
        for domain, (_, why) in RECEIVERS.items():
            story = stack.await_story(f"a@{domain}", "Attempt 2")
            check("deferred" in story and "ended at STARTTLS" in story, f"{domain}:\n{story}")
            check(WORDS + why in story, f"{domain}, {why}:\n{story}")
            check("encrypted connection (TLS)" in story and "SPF" not in story,
                  f"{domain}, the advice:\n{story}")
            check(("your rules" in story) == (domain == "plain.example"), f"{domain}:\n{story}")
        check("TLS" in stack.explain("a@refuses.example", "ja"), "the Japanese story")
        check_equal(stack.metric("todoku_outcomes_total", state="bounced"), 0.0, "bounces")
        good = {domain: ['tls = "self_signed"'] for domain in receivers}
        stack.restart_sink(good)
        stack.settle(bulk, *sent.values())
        check_equal(stack.counts(bulk), (20, 20, 0, 0), "counts")
        for domain, delivery in sent.items():
            check_equal(stack.counts(delivery)[1], 1, f"sent to {domain}")


def other_refusals_bounce(binary):
    receivers = {"auth.example": ["[[receiver.rule]]", 'at = "mail"',
                                  'reply = "530 5.7.0 Authentication required"'],
                 # Inside of TLS it is nonsense that trying again does not mend.
                 "confused.example": ['tls = "self_signed"', *DEMANDS]}
    with Installation(binary, receivers, CONFIG) as stack:
        for domain in receivers:
            delivery = stack.transaction(f"a@{domain}")
            stack.settle(delivery)
            check_equal(stack.counts(delivery)[2], 1, f"hard errors at {domain}")


if __name__ == "__main__":
    sys.exit(run(is_no_bounce_and_its_story_speaks_of_tls, other_refusals_bounce))
