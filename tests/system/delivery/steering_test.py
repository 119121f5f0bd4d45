# SPDX-License-Identifier: Apache-2.0
"""pause, resume and stop of what goes out: what the receiver sees, and that counts are exact."""
import sys
import time

from installation import QUICK, Installation, check, check_equal, run
from steering import (ADDRESSES, CONFIG, SLOW, is_paused_and_goes_on, is_stopped_where_it_is,
                      progress)


def a_paused_delivery_stands_still_and_goes_on(binary):
    with Installation(binary, {SLOW: []}, CONFIG) as stack:
        is_paused_and_goes_on(stack, stack.bulk(ADDRESSES), stack.api)


def a_stopped_delivery_ends_where_it_is(binary):
    with Installation(binary, {SLOW: []}, CONFIG) as stack:
        is_stopped_where_it_is(stack, stack.bulk(ADDRESSES), stack.api)
        reached = {entry["rcpt_to"] for entry in stack.log()}
        missed = next(address for address in ADDRESSES if address not in reached)
        check("was stopped" in stack.explain(missed), stack.explain(missed))


def a_deferred_transaction_is_stopped(binary):
    later = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']
    with Installation(binary, {"later.example": later}, QUICK) as stack:
        delivery = stack.transaction("a@later.example")
        stack.await_story("a@later.example", "Attempt 1")
        stack.api.call("POST", f"/deliveries/{delivery}/stop")
        stack.wait_for(lambda: progress(stack.api, delivery)["state"] == "stopped", "its end", 30)
        told = progress(stack.api, delivery)
        check_equal((told["cancelled"], told["deferred"], told["pending"]), (1, 0, 0),
                    "(cancelled, deferred, pending)")
        attempts = stack.explain("a@later.example").count("Attempt ")
        time.sleep(4)  # retries come after 1 and 2 seconds
        check_equal(stack.explain("a@later.example").count("Attempt "), attempts, "attempts")


if __name__ == "__main__":
    sys.exit(run(a_paused_delivery_stands_still_and_goes_on, a_stopped_delivery_ends_where_it_is,
                 a_deferred_transaction_is_stopped))
