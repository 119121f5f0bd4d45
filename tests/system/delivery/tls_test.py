# SPDX-License-Identifier: Apache-2.0
"""TLS is used where it can be, policies hold, and how good it was is told in the story."""
import os
import sys

from installation import Installation, check, check_equal, run

TLS = "TLSv1.3"
UNVERIFIED = "TLS, certificate not verified"
# Receiver's TLS: what the sink saw, what the story says.
KINDS = {
    "none": ("", "no TLS (STARTTLS not offered)"),
    "good": (TLS, UNVERIFIED),  # of an authority that this machine does not know
    "self_signed": (TLS, UNVERIFIED),
    "expired": (TLS, UNVERIFIED),
    "wrong_name": (TLS, UNVERIFIED),
    "broken": ("", "no TLS ("),
}
CONFIG = ["[delivery]", "transactional_retry_seconds = [60]", "[sites.strict]",
          'domains = ["strict.example"]', 'tls = "required"', "[sites.never]",
          'domains = ["never.example"]', 'tls = "none"']
ZONE = ["strict.example. MX 10 mx.self-signed.example.", "never.example. MX 10 mx.good.example."]


def domain_of(kind):
    return f"{kind.replace('_', '-')}.example"


def is_used_as_far_as_it_goes_and_told(binary):
    receivers = {domain_of(kind): [f'tls = "{kind}"'] for kind in KINDS}
    with Installation(binary, receivers, CONFIG, zone=ZONE) as stack:
        sent = [stack.transaction(f"a@{domain}") for domain in receivers]
        strict = stack.transaction("a@strict.example")
        never = stack.transaction("a@never.example")
        stack.settle(*sent, never)
        log = stack.await_arrivals(len(sent) + 1)
        tls_seen = {entry["rcpt_to"]: entry["tls"] or "" for entry in log}
        for kind, (seen, told) in KINDS.items():
            address = f"a@{domain_of(kind)}"
            check(tls_seen[address].startswith(seen) and bool(tls_seen[address]) == bool(seen),
                  f"{kind}: the receiver saw {tls_seen[address]!r}")
            story = stack.explain(address)
            check(f", {told}" in story and "Attempt 2" not in story, f"{kind}, {told}:\n{story}")
        check("self-signed certificate" in stack.explain("a@self-signed.example"), "the reason")
        check(tls_seen["a@never.example"] == "" and
              "no TLS (switched off for this site)" in stack.explain("a@never.example"),
              "a site without TLS")
        story = stack.await_story("a@strict.example", "Attempt 1")
        check("deferred:" in story and "does not prove its name" in story and
              "ended at STARTTLS" in story, story)
        check_equal(stack.counts(strict)[1], 0, "mails to a site whose TLS is not good enough")
        check("検証" in stack.explain("a@good.example", "ja"), "the Japanese story")


def is_proven_by_the_authorities_of_the_configuration(binary):
    receivers = {"good.example": ['tls = "good"'], "wrong-name.example": ['tls = "wrong_name"']}
    stack = Installation(binary, receivers, CONFIG,
                         sink_config=['certificates_file = "authorities.pem"'],
                         zone=["strict.example. MX 10 mx.good.example."])
    os.environ["TODOKU_SMTP_OUT__TLS_CA_FILE"] = str(stack.directory / "authorities.pem")
    try:
        with stack:
            sent = [stack.transaction(f"a@{domain}")
                    for domain in ("good.example", "wrong-name.example", "strict.example")]
            stack.settle(*sent)
            for domain, told in (("good.example", "TLS, certificate verified"),
                                 ("strict.example", "TLS, certificate verified"),
                                 ("wrong-name.example", UNVERIFIED)):
                story = stack.explain(f"a@{domain}")
                check(told in story, f"{domain}, {told}:\n{story}")
    finally:
        del os.environ["TODOKU_SMTP_OUT__TLS_CA_FILE"]


if __name__ == "__main__":
    sys.exit(run(is_used_as_far_as_it_goes_and_told,
                 is_proven_by_the_authorities_of_the_configuration))
