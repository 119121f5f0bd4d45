# SPDX-License-Identifier: Apache-2.0
"""`todoku explain` says why a mail that is due does not go: what it waits for, until when, and when
it would be given up; and what a mail that may have gone twice has behind it."""
import sys

from installation import Installation, check, check_equal, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [1]", "bulk_retry_seconds = [60]",
          "site_rest_first_seconds = 60"]
CLOSED = ["[[receiver.rule]]", 'at = "connect"', 'reply = "421 4.3.2 come back later"']


def a_site_that_rests(binary):
    with Installation(binary, {"closed.example": CLOSED}, CONFIG) as stack:
        stack.transaction("first@closed.example")
        stack.await_story("first@closed.example", "Attempt 1")
        stack.transaction("second@closed.example")
        story = stack.await_story("second@closed.example", "it waits: mx.closed.example rests until ")
        for words in ("after a failure: 421 4.3.2 come back later", "Site: mx.closed.example",
                      "it is given up at "):
            check(words in story, f"{words!r} is not in the story:\n{story}")
        check("Attempt" not in story, f"it was not tried:\n{story}")
        for words in ("休止しているため待機しています", "421 4.3.2 come back later", "に打ち切ります"):
            stack.await_story("second@closed.example", words, "ja")
        # The first one is due after a second, and waits all the same.
        stack.await_story("first@closed.example", "attempt 2 is due, but it waits: mx.closed.example")


def a_pace_that_is_used_up(binary):
    config = [*CONFIG, "[sites.slow]", 'domains = ["slow.example"]', "messages_per_second = 1"]
    with Installation(binary, {"slow.example": []}, config) as stack:
        stack.bulk([f"r{i}@slow.example" for i in range(60)])
        stack.wait_for(lambda: stack.metric("todoku_outcomes_total", state="delivered") > 0,
                       "the first mail")
        story = stack.explain("r59@slow.example")
        check("messages_per_second" in story or "it waits behind" in story, story)


def a_mail_server_without_a_public_address(binary):
    zone = [f"{name}.example. MX 10 mx.{name}.example." for name in ("inside", "local", "zero")]
    zone += ["mx.inside.example. A 10.1.2.3", "mx.local.example. A 127.0.0.1",
             "mx.zero.example. A 0.0.0.0"]
    with Installation(binary, {"good.example": []}, CONFIG, zone=zone, private=False) as stack:
        for name, address in (("inside", "10.1.2.3"), ("local", "127.0.0.1"), ("zero", "0.0.0.0")):
            delivery = stack.transaction(f"a@{name}.example")
            story = stack.await_story(f"a@{name}.example", "Attempt 1")
            check(f"mx.{name}.example {address}" in story, story)
            check("could not be looked up" not in story, story)
            check("deferred" in story, story)
            check_equal(stack.counts(delivery)[2], 0, "hard errors")


def a_receiver_that_says_nothing(binary):
    """The mail is in its hands: what is awaited, since when and until when, at each moment.

    It offers CHUNKING, so that a small mail goes out with the commands."""
    moments = {"mail": ("The receiver's answer at MAIL FROM is awaited until ",
                        "MAIL FROM の段階で、受信側の応答を最長で "),
               "body": ("The whole mail is out, and the receiver's answer to it is awaited until ",
                        "メールは送り終え、それに対する受信側の応答を最長で ")}
    silent = {f"{at}.example": [f"delay = {{ {at} = 600 }}"] for at in moments}
    with Installation(binary, silent, [*CONFIG, "[engine]", "drain_seconds = 1"]) as stack:
        for at in moments:
            stack.transaction(f"a@{at}.example")
        for at, (english, japanese) in moments.items():
            story = stack.await_story(f"a@{at}.example", english)
            check(f"it is being sent to mx.{at}.example from " in story, story)
            check("it is given up at " in story, story)
            story = stack.await_story(f"a@{at}.example", japanese, "ja")
            check(f"mx.{at}.example へ送信中です" in story, story)


def a_mail_that_may_have_gone_twice(binary):
    closes = ["[[receiver.rule]]", 'at = "bdat"', "close = true"]
    with Installation(binary, {"dies.example": closes}, CONFIG) as stack:
        delivery = stack.transaction("a@dies.example")
        stack.settle(delivery)
        check_equal(stack.counts(delivery)[1], 1, "sent")
        story = stack.explain("a@dies.example")
        check("sent twice in this attempt" in story and "it may arrive twice" in story, story)
        check("二重に届くことがあります" in stack.explain("a@dies.example", "ja"), "in Japanese")


if __name__ == "__main__":
    sys.exit(run(a_site_that_rests, a_pace_that_is_used_up, a_mail_server_without_a_public_address,
                 a_receiver_that_says_nothing, a_mail_that_may_have_gone_twice))
