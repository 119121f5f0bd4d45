# SPDX-License-Identifier: Apache-2.0
"""An address that comes onto a suppression list while its mail waits for a connection, claimed
before, gets nothing any more: couriers hear of it within half a second."""
import http.client
import json
import sys

from installation import Installation, check, check_equal, run

# One connection, which takes a mail a second: the rest waits in the lane, the last for ten seconds.
SLOW = {"slow.example": ["delay = { body = 1 }"]}
ONE_CONNECTION = ["connections_max = 1"]
LIST = 10_000  # more than couriers ask for at once
ADDRESSES = [f"r{i}@slow.example" for i in range(10)]


def in_the_lane(stack, address):
    """Its batch is claimed, and it waits for a connection."""
    stack.wait_for(lambda: len(stack.log()) > 0, "the first arrival")
    story = stack.explain(address)
    check("Attempt" not in story, story)


def import_list(stack, count):
    """A list of so many others, which couriers hear of as well."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=120)
    rows = "".join(f"other{i}@elsewhere.example\n" for i in range(count))
    connection.request("POST", "/api/v1/suppressions/import", "email\n" + rows, {
        "Authorization": f"Bearer {stack.api.token}", "Content-Type": "text/csv"})
    answer = connection.getresponse()
    check_equal((answer.status, json.loads(answer.read())["added"]), (200, count), "imported")
    connection.close()


def what_waits_in_a_lane_is_stopped(binary):
    stopped = ADDRESSES[7:]
    with Installation(binary, SLOW, site_defaults=ONE_CONNECTION) as stack:
        import_list(stack, LIST)
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
