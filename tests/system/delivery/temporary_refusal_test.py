# SPDX-License-Identifier: Apache-2.0
"""A temporary refusal is told with the receiver's words and the next time, and then overcome."""
import re
import sys

from installation import Installation, check, check_equal, check_exactly_once, run

GREYLISTED = "450 4.2.0 <a@grey.example>: Recipient address rejected: Greylisted, try again later"


def tells_greylisting_and_delivers(binary):
    # Its own schedule: by the usual one the test would not end.
    config = ["[delivery]", "transactional_retry_seconds = [600]", "greylist_retry_seconds = [4]"]
    with Installation(binary, {"grey.example": ["greylist = { tries = 2 }"]}, config) as stack:
        delivery = stack.transaction("a@grey.example")
        story = stack.await_story("a@grey.example", "deferred:")
        check(GREYLISTED in story, f"the receiver's words are missing:\n{story}")
        check("ended at RCPT TO" in story, f"the stage is missing:\n{story}")
        check(re.search(r"Next: attempt 2 at \d{4}-\d\d-\d\d [\d:]{8} JST, in ", story),
              f"the next time is missing:\n{story}")
        japanese = stack.explain("a@grey.example", "ja")
        check("再送待ち" in japanese and GREYLISTED in japanese and "グレイリスト" in japanese,
              f"Japanese: {japanese}")
        check(re.search(r"今後: 2 回目の試行を \d{4}-\d\d-\d\d [\d:]{8} JST に行います", japanese),
              f"the next time is missing:\n{japanese}")
        check_equal(stack.status_of(delivery), "SENDING", "status while it waits")
        check_equal(stack.counts(delivery)[1:3], (0, 0), "sent and refused while it waits")

        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        story = stack.await_story("a@grey.example", "delivered:")
        check(GREYLISTED in story and "Attempt 2" in story and "250 2.0.0 Ok" in story,
              f"both attempts are in the story:\n{story}")
        check("Attempt 3" not in story, f"no more than two attempts:\n{story}")


def a_bulk_is_retried_when_it_is_due(binary):
    addresses = [f"r{i}@grey.example" for i in range(300)]
    config = ["[delivery]", "bulk_retry_seconds = [2]", "greylist_retry_seconds = [2]"]
    with Installation(binary, {"grey.example": ["greylist = { tries = 3 }"]}, config) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=30)
        check_equal(stack.counts(delivery), (300, 300, 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses)
        check_equal(stack.metric("todoku_outcomes_total", state="deferred"), 600.0,
                    "deferred attempts")
        check_equal(stack.metric("todoku_failures_total", cause="greylist"), 600.0,
                    "failures by cause")


def tells_what_is_temporary_though_its_code_is_not(binary):
    receivers = {"closed.example": ["[[receiver.rule]]", 'at = "connect"',
                                    'reply = "554 No SMTP service here"'],
                 "many.example": ["[[receiver.rule]]", 'at = "rcpt"',
                                  'reply = "552 Too many recipients"'],
                 "full.example": ["[[receiver.rule]]", 'at = "rcpt"',
                                  'reply = "552 5.2.2 Mailbox full"']}
    config = ["[delivery]", "transactional_retry_seconds = [300]", "refused_retry_seconds = [900]"]
    with Installation(binary, receivers, config) as stack:
        for address, state, words, cause, minutes in (
                ("a@closed.example", "deferred", "refuses to talk with us", "no_service", (14, 18)),
                ("a@many.example", "deferred", "no more recipients at once", "too_many_recipients",
                 (4, 6)),
                ("a@full.example", "bounced", "mailbox is full", "mailbox_full", None)):
            stack.transaction(address)
            story = stack.await_story(address, f"1. {state}:")
            check(words in story, f"{words}:\n{story}")
            check_equal(stack.metric("todoku_failures_total", cause=cause), 1.0, f"{cause} counted")
            if minutes:
                wait = int(re.search(r"in (\d+) min", story)[1])
                check(minutes[0] <= wait <= minutes[1], f"it waits {minutes} minutes:\n{story}")


def gives_up_in_the_end(binary):
    config = ["[delivery]", "transactional_retry_seconds = [1]",
              "transactional_expiry_hours = 0.001"]
    with Installation(binary, {"one.example": []}, config) as stack:
        delivery = stack.transaction("defer-451.1@one.example")
        stack.settle(delivery, seconds=10)
        check_equal(stack.counts(delivery), (1, 0, 0, 1), "counts")
        story = stack.explain("defer-451.1@one.example")
        check("expired:" in story and "451 " in story, story)
        check("期限" in stack.explain("defer-451.1@one.example", "ja"), "the Japanese story")


if __name__ == "__main__":
    sys.exit(run(tells_greylisting_and_delivers, a_bulk_is_retried_when_it_is_due,
                 tells_what_is_temporary_though_its_code_is_not, gives_up_in_the_end))
