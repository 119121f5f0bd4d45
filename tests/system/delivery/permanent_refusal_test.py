# SPDX-License-Identifier: Apache-2.0
"""Permanent refusals at each stage, and a bulk in which every recipient fares differently."""
import sys
import zlib

from installation import Installation, check, check_equal, check_exactly_once, run

RECEIVERS = {
    "rcpt.example": ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "550 5.1.1 nobody of that name"'],
    "mail.example": ["[[receiver.rule]]", 'at = "mail"', 'reply = "553 5.1.8 sender not liked"'],
    "data.example": ['without = ["CHUNKING"]', "[[receiver.rule]]", 'at = "data"',
                     'reply = "554 5.5.1 no data here"'],
    "body.example": ["[[receiver.rule]]", 'at = "body"', 'reply = "554 5.7.1 this is spam"'],
    "plain.example": ['without = ["CHUNKING", "PIPELINING", "ENHANCEDSTATUSCODES"]', "ehlo = false",
                      "[[receiver.rule]]", 'at = "rcpt"', 'local = "gone*"', 'reply = "550 gone"'],
    "mixed.example": [],
}
STAGES = {
    "a@rcpt.example": ("ended at RCPT TO", "550 5.1.1 nobody of that name"),
    "a@mail.example": ("ended at MAIL FROM", "553 5.1.8 sender not liked"),
    "a@data.example": ("ended at the content", "554 5.5.1 no data here"),
    "a@body.example": ("ended at the content", "554 5.7.1 this is spam"),
    "gone@plain.example": ("ended at RCPT TO", "550 gone"),
}


def tells_stage_and_words(binary):
    with Installation(binary, RECEIVERS) as stack:
        deliveries = {address: stack.transaction(address) for address in STAGES}
        stack.settle(*deliveries.values())
        for address, (stage, words) in STAGES.items():
            check_equal(stack.counts(deliveries[address]), (1, 0, 1, 0), f"counts of {address}")
            story = stack.explain(address)
            check(f"{stage}\n" in story, f"{address}: not {stage!r} in\n{story}")
            check(f"answer: {words}\n" in story, f"{address}: not {words!r} in\n{story}")
            check("Attempt 2" not in story and "bounced:" in story, story)
            check(words in stack.explain(address, "ja"), f"{address}: the Japanese story")
        check_equal(stack.settled_log(), [], "arrivals")


def each_recipient_of_a_bulk_has_its_own_result(binary):
    kinds = {"bounce-550": 40, "defer-452": 30, "late-554": 20, "grey-2": 30, "ok": 180}
    addresses = [f"{kind}.{i}@mixed.example" for kind, count in kinds.items() for i in range(count)]
    addresses += [f"r{i}@plain.example" for i in range(20)]
    addresses += [f"gone{i}@plain.example" for i in range(10)]
    config = ["[delivery]", "bulk_retry_seconds = [2]", "bulk_expiry_hours = 0.005",
              "greylist_retry_seconds = [1]"]
    with Installation(binary, RECEIVERS, config) as stack:
        # In an order that mixes the kinds within every connection.
        delivery = stack.bulk(sorted(addresses, key=lambda address: zlib.crc32(address.encode())))
        stack.settle(delivery, seconds=60)
        delivered = [a for a in addresses if a.startswith(("grey-2", "ok", "r"))]
        check_equal(stack.counts(delivery), (330, 230, 70, 30), "counts")
        check_exactly_once(stack.settled_log(), delivered)
        for address, verdict, words in (
                ("bounce-550.7@mixed.example", "bounced", "550 5.1.1 <bounce-550.7@mixed.example>"),
                ("late-554.3@mixed.example", "bounced", "answer: 554 "),
                ("defer-452.5@mixed.example", "expired", "answer: 452 "),
                ("grey-2.9@mixed.example", "delivered", "Greylisted"),
                ("gone4@plain.example", "bounced", "answer: 550 gone"),
                ("ok.100@mixed.example", "delivered", "250 ")):
            story = stack.explain(address)
            check(f"1. {verdict}:" in story and words in story, f"{verdict}, {words}:\n{story}")


if __name__ == "__main__":
    sys.exit(run(tells_stage_and_words, each_recipient_of_a_bulk_has_its_own_result))
