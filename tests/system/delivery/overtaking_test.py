# SPDX-License-Identifier: Apache-2.0
"""Transactional mail overtakes bulk to the same site, and no account waits behind another's bulk."""
import datetime
import statistics
import sys
import time

from installation import FROM, Installation, check, check_equal, run
from api import Api  # installation knows where it is

MANY = 6_000
# A receiver that takes its time, so that the bulk fills its lanes for the whole test.
SLOW = ["delay = { body = 0.05 }"]


def add_account(stack, name):
    shown = stack.command("account", "add", name)
    stack.vouch(name)
    token = next(line.split()[-1] for line in shown.splitlines() if line.startswith("bearer token"))
    return Api(stack.api_port, token)


def moment(entry):
    return datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()


def a_single_mail_does_not_wait_behind_a_bulk(binary):
    config = ["[sites.one]", 'domains = ["one.example"]', "connections_max = 10"]
    with Installation(binary, {"one.example": SLOW}, config) as stack:
        big = stack.bulk([f"b{i}@one.example" for i in range(MANY)])
        stack.await_arrivals(200)
        other = add_account(stack, "other")
        sent = {}
        for number in range(40):
            address = f"t{number}@one.example"
            sent[address] = time.time()
            (stack.api if number % 2 else other).call("POST", "/deliveries/transaction", {
                "from": FROM, "to": address, "subject": "ご注文", "text_part": "至急"})
            time.sleep(0.1)
        # Another account's small bulk leaves among the first account's many.
        stack.wait_for(lambda: sum(e["rcpt_to"] in sent for e in stack.log()) == len(sent),
                       "the transactional mails", 10)
        log = stack.log()
        check(len(log) < MANY, "the bulk ended too early: the test shows nothing")
        check_equal(stack.status_of(big), "SENDING", "status of the bulk")
        waits = sorted(moment(e) - sent[e["rcpt_to"]] for e in log if e["rcpt_to"] in sent)
        median, worst = statistics.median(waits), waits[-1]
        print(f"accept to arrival, median\t{median * 1000:.0f}\tms (50 are the receiver's)\n"
              f"accept to arrival, worst\t{worst * 1000:.0f}\tms", flush=True)
        check(median < 0.5 and worst < 3, f"median {median:.2f} s, worst {worst:.2f} s")

        account, stack.api = stack.api, other
        began = time.monotonic()
        small = stack.bulk([f"s{i}@one.example" for i in range(50)])
        stack.settle(small, seconds=15)
        print(f"another account's bulk of 50\t{time.monotonic() - began:.1f}\ts", flush=True)
        stack.api = account
        check_equal(stack.status_of(big), "SENDING", "status of the bulk")


if __name__ == "__main__":
    sys.exit(run(a_single_mail_does_not_wait_behind_a_bulk))
