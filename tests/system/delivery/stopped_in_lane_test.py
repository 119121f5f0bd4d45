# SPDX-License-Identifier: Apache-2.0
"""An address that comes onto a suppression list while its mail waits for a connection, claimed
before, gets nothing any more: couriers hear of it within half a second."""
import sys

from installation import Installation, check, check_equal, run

# One connection, which takes a mail a second: the rest waits in the lane, the last for ten seconds.
SLOW = {"slow.example": ["delay = { body = 1 }"]}
ONE_CONNECTION = ["connections_max = 1"]
ADDRESSES = [f"r{i}@slow.example" for i in range(10)]


def in_the_lane(stack, address):
    """Its batch is claimed, and it waits for a connection."""
    stack.wait_for(lambda: len(stack.log()) > 0, "the first arrival")
    story = stack.explain(address)
    check("Attempt" not in story, story)


def what_waits_in_a_lane_is_stopped(binary):
    stopped = ADDRESSES[7:]
    with Installation(binary, SLOW, site_defaults=ONE_CONNECTION) as stack:
        delivery = stack.bulk(ADDRESSES)
        in_the_lane(stack, ADDRESSES[-1])
        for address in stopped:
            stack.api.call("POST", "/suppressions", {"email": address})
        stack.settle(delivery, seconds=30)
        arrived = [entry["rcpt_to"] for entry in stack.settled_log()]
        check_equal(sorted(arrived), ADDRESSES[:7], "arrivals")
        check_equal(stack.detail(delivery)["drop_count"], len(stopped), "dropped")
        for address in stopped:
            story = stack.explain(address)
            check("put on the suppression list by hand" in story, story)
        rows = stack.api.call("GET", "/logs/mails/results?status[]=DROP")["data"]
        check_equal({row["last_response_code"] for row in rows}, {"554(errors)"}, "codes")
        events = stack.api.call("GET", f"/events?delivery_id={delivery}&kind=dropped")["data"]
        check_equal(sorted(event["email"] for event in events), stopped, "events")


def whoever_is_taken_off_again_gets_it(binary):
    with Installation(binary, SLOW, site_defaults=ONE_CONNECTION) as stack:
        delivery = stack.bulk(ADDRESSES[:6])
        in_the_lane(stack, ADDRESSES[5])
        stack.api.call("POST", "/suppressions", {"email": ADDRESSES[5]})
        stack.api.call("DELETE", f"/suppressions?email={ADDRESSES[5]}")
        stack.settle(delivery, seconds=30)
        check_equal(stack.counts(delivery)[:2], (6, 6), "total, sent")


def an_opt_out_lets_a_password_reset_through(binary):
    with Installation(binary, SLOW, site_defaults=ONE_CONNECTION) as stack:
        mails = [stack.transaction(address) for address in ADDRESSES[:6]]
        in_the_lane(stack, ADDRESSES[5])
        stack.api.call("POST", "/suppressions",
                       {"email": ADDRESSES[5], "reason": "unsubscribe"})
        stack.settle(*mails, seconds=30)
        check_equal(stack.counts(mails[5])[:2], (1, 1), "total, sent")


if __name__ == "__main__":
    sys.exit(run(what_waits_in_a_lane_is_stopped, whoever_is_taken_off_again_gets_it,
                 an_opt_out_lets_a_password_reset_through))
