# SPDX-License-Identifier: Apache-2.0
"""`duplicate_policy: at_most_once`: what may have arrived when the process died is told as unknown
and never sent again; everything else goes on as usual."""
import sys

from installation import Installation, check, check_equal, run
from api import ApiError  # installation knows where it is

AT_ONCE = ["[delivery]", "transactional_retry_seconds = [1]", "site_rest_first_seconds = 1"]
POLICY = {"duplicate_policy": "at_most_once"}


def killed_with_the_mail_on_its_way(binary):
    with Installation(binary, {"slow.example": ["delay = { body = 600 }"]}, AT_ONCE) as stack:
        once = stack.transaction("once@slow.example", **POLICY)
        again = stack.transaction("again@slow.example")
        for address in ("once", "again"):
            stack.await_story(f"{address}@slow.example", "The whole mail is out")
        stack.kill_engine()
        # What the store knows is told while nobody runs, and nothing is promised that does not come.
        dead = stack.explain("once@slow.example")
        check("it was on its way when the engine ended: it may have arrived" in dead, dead)
        check("as soon as it is its turn" not in dead and "not running" in dead, dead)
        check("送信の途中でエンジンが終了しました" in stack.explain("once@slow.example", "ja"), "ja")
        dead = stack.explain("again@slow.example")
        check("if it was just being sent, it goes a second time" in dead, dead)
        stack.start_engine()
        stack.restart_sink({"slow.example": []})
        stack.settle(again)
        stack.settle(once)
        check_equal(stack.counts(once), (1, 0, 0, 1), "total, sent, hard errors, soft errors")
        check_equal(stack.counts(again), (1, 1, 0, 0), "of the other")
        arrived = lambda: [recipient for recipient, _ in stack.arrivals()]
        stack.wait_for(lambda: "again@slow.example" in arrived(), "the other mail")
        check("once@slow.example" not in arrived(), arrived())
        story = stack.explain("once@slow.example")
        check("unknown" in story and "may have arrived" in story, story)
        check("届いている可能性" in stack.explain("once@slow.example", "ja"), "in Japanese")
        check_equal(stack.metric("todoku_unknown_recipients_total"), 1.0, "counted")
        check_equal(stack.detail(once).get("duplicate_policy"), "at_most_once", "told again")
        check("duplicate_policy" not in stack.detail(again), "of the other")


def what_surely_did_not_arrive_is_tried_again(binary):
    refusing = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']
    with Installation(binary, {"later.example": refusing}, AT_ONCE) as stack:
        delivery = stack.transaction("a@later.example", **POLICY)
        stack.await_story("a@later.example", "Attempt 1")
        stack.restart_sink({"later.example": []})
        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        check("Attempt 2" in stack.explain("a@later.example"), "the second attempt")


def an_answer_that_is_lost_is_the_end_of_it(binary):
    closes = ["[[receiver.rule]]", 'at = "body"', "close = true"]
    with Installation(binary, {"dies.example": closes}, AT_ONCE) as stack:
        delivery = stack.transaction("a@dies.example", **POLICY)
        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 0, 0, 1), "counts")


def a_drain_at_a_receiver_silent_before_the_content_is_no_doubt(binary):
    # The receiver offers CHUNKING: what may go twice flies along with MAIL and RCPT.
    silent = {"mute.example": ["delay = { rcpt = 300 }"]}
    with Installation(binary, silent, [*AT_ONCE, "[engine]", "drain_seconds = 1"]) as stack:
        sent = [stack.transaction(f"a{i}@mute.example", **POLICY) for i in range(3)]
        story = stack.await_story("a0@mute.example", "RCPT TO")
        check("The whole mail is out" not in story, story)
        check_equal(stack.terminate()[0], 0, "exit status")
        stack.engine = None
        stack.restart_sink({"mute.example": []})
        stack.start_engine()
        stack.settle(*sent)
        for delivery in sent:
            check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        check_equal(len(stack.settled_log()), len(sent), "arrivals")


def a_policy_that_is_none_is_refused(binary):
    with Installation(binary, {"any.example": []}) as stack:
        for path, more in (("/deliveries/transaction", {"to": "a@any.example"}),
                           ("/deliveries/bulk/begin", {})):
            try:
                stack.api.call("POST", path, {
                    "from": {"email": "news@sender.example"}, "subject": "s", "text_part": "t",
                    "duplicate_policy": "exactly_once", **more})
            except ApiError as error:
                check(" 400 " in str(error) and "at_least_once, at_most_once" in str(error), error)
            else:
                check(False, f"{path} took it")


if __name__ == "__main__":
    sys.exit(run(killed_with_the_mail_on_its_way, what_surely_did_not_arrive_is_tried_again,
                 an_answer_that_is_lost_is_the_end_of_it,
                 a_drain_at_a_receiver_silent_before_the_content_is_no_doubt,
                 a_policy_that_is_none_is_refused))
