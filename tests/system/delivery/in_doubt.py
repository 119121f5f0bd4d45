# SPDX-License-Identifier: Apache-2.0
"""A bulk that is stopped, and whose process is killed at once: who is in doubt then."""
from installation import check, check_equal
from steering import adds_up, exported, progress

DOMAINS = ("one.example", "two.example")
# A mail is with its receiver for so long that each connection has one when the process dies.
RECEIVERS = {domain: ["delay = { body = 0.3 }"] for domain in DOMAINS}
CONNECTIONS = 5  # of a lane
SITE_DEFAULTS = [f"connections_max = {CONNECTIONS}"]
RECIPIENTS = 4_000
ADDRESSES = [f"r{i}@{DOMAINS[i % len(DOMAINS)]}" for i in range(RECIPIENTS)]
TOGETHER = 8  # neighbours of whom it is said at once that they are begun (store/work.h)
# For each connection those that were said to be begun with its mail. What a process holds by then,
# and would be in doubt if nothing were said, is some ten seconds of mail, whole batches of 500.
IN_DOUBT_OF_A_LANE = CONNECTIONS * TOGETHER


def stop(stack, api, before=lambda: None):
    """A delivery that is stopped with mails at their receivers and batches in hand."""
    delivery = stack.bulk(ADDRESSES)
    stack.await_arrivals(3 * CONNECTIONS)
    before()
    check_equal(api.call("POST", f"/deliveries/{delivery}/stop"), {"delivery_id": delivery},
                "the answer")
    return delivery


def only_those_begun_are_in_doubt(stack, delivery, api, seconds=60, lanes=len(DOMAINS)):
    stack.wait_for(lambda: progress(api, delivery)["state"] == "stopped", "its end", seconds)
    told = progress(api, delivery)
    print(told, flush=True)
    adds_up(told)
    most = lanes * IN_DOUBT_OF_A_LANE
    check(1 <= told["unknown"] <= most, f"{told['unknown']} in doubt, of at most {most}")
    _, rows = exported(stack, api, delivery)
    states = {row["email"]: row["state"] for row in rows}
    check_equal(len(states), RECIPIENTS, "each recipient once")
    for entry in stack.settled_log():
        state = states[entry["rcpt_to"]]
        check(state in ("delivered", "unknown"), f"{entry['rcpt_to']} arrived, and is told as {state}")
    return told
