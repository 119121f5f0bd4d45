# SPDX-License-Identifier: Apache-2.0
"""`account suspend` stops what an account sends: deliveries that are under way, and retries; what is
in hand goes out, others are not held up, and resume lets it all go on."""
import re
import sys
import time

from installation import QUICK, Installation, check, check_equal, check_exactly_once, run

RECIPIENTS = 4_000


def a_delivery_under_way_stops_and_goes_on(binary):
    addresses = [f"r{i}@slow.example" for i in range(RECIPIENTS)]
    config = [*QUICK, "[sites.slow]", 'domains = ["slow.example"]', "messages_per_second = 200"]
    with Installation(binary, {"slow.example": []}, config) as stack:
        delivery = stack.bulk(addresses)
        stack.await_arrivals(100)
        said = stack.command("account", "suspend", "tester")
        check("Within 2 s its requests are refused" in said, said)
        check("of 1 deliveries that have been started are still to go" in said, said)
        check("todoku account resume tester" in said, said)
        to_go = int(re.search(r"^(\d+) recipients", said, re.M)[1])
        in_hand = int(re.search(r"Of them (\d+) at most still go out", said)[1])
        left = lambda: int(re.search(r"account tester, (\d+) recipients to go",
                                     stack.command("status"))[1])
        stack.wait_for(lambda: left() <= to_go - in_hand, "what is in hand", 20)
        time.sleep(2)
        check_equal(left(), to_go - in_hand, "to go while it is suspended")
        check(left() > 0, "all had gone out before it stopped: test too slow")
        waits = sorted(set(addresses) - {entry["rcpt_to"] for entry in stack.settled_log()})
        story = stack.explain(waits[0])
        check("nothing as long as the account is suspended" in story, story)
        check("アカウントが停止中" in stack.explain(waits[0], "ja"), "in Japanese")
        said = stack.command("account", "resume", "tester")
        check("go on within a minute" in said, said)
        stack.settle(delivery, seconds=40)
        check_exactly_once(stack.settled_log(), addresses)


def retries_stop_too(binary):
    later = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']
    with Installation(binary, {"later.example": later}, QUICK) as stack:
        stack.transaction("a@later.example")
        stack.await_story("a@later.example", "Attempt 1")
        stack.command("account", "suspend", "tester")
        time.sleep(1)
        attempts = stack.explain("a@later.example").count("Attempt ")
        time.sleep(4)  # retries come after 1 and 2 seconds
        story = stack.explain("a@later.example")
        check_equal(story.count("Attempt "), attempts, "attempts while it is suspended")
        check("nothing as long as the account is suspended" in story, story)
        stack.command("account", "resume", "tester")
        check("suspended" not in stack.explain("a@later.example"), "once it is resumed")


if __name__ == "__main__":
    sys.exit(run(a_delivery_under_way_stops_and_goes_on, retries_stop_too))
