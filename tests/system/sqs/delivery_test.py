# SPDX-License-Identifier: Apache-2.0
"""Mail goes out over queues on SQS, through an outage of SQS and a purge of its queues.

usage: delivery_test.py TODOKU WORK_FOLDER
"""
import sys
import time

from on_sqs import (KEY, RECEIVERS, SECRET, Installation, SqsProxy, addresses, check,
                    check_all_arrived, check_equal, queue_config, run, set_environment)

PURGED, LATER = 300, 200
SOURCE = "default"  # where no [[egress]] is configured
OUTAGE = 5  # seconds
RUNG_AGAIN = 60  # seconds until lost bells have been rung again
CALLS_PER_1000 = 20


def survives_an_outage_and_a_purge(binary, emulator):
    set_environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    with SqsProxy(emulator.port) as proxy, \
            Installation(binary, RECEIVERS, queue_config(proxy)) as stack:
        first = addresses("first", 1000)
        before = sum(proxy.calls.values())
        delivery = stack.bulk(first)
        stack.settle(delivery)
        calls = sum(proxy.calls.values()) - before
        print(f"{calls} calls for 1,000 bulk mails: {dict(proxy.calls)}")
        check(calls <= CALLS_PER_1000, f"{calls} calls for 1,000 mails")

        # Nobody hears the bells before they are gone.
        purged = addresses("purged", PURGED)
        proxy.fail("ReceiveMessage", "throttle", times=1000)
        proxy.break_polls_off()
        time.sleep(0.5)  # they look for that five times a second
        sent = proxy.calls["SendMessageBatch"]
        lost = stack.bulk(purged)
        stack.wait_for(lambda: proxy.calls["SendMessageBatch"] > sent, "bells")
        time.sleep(0.5)
        for traffic in ("bulk", "transactional"):
            url = proxy.queue_url(f"todoku-test-{SOURCE}-{traffic}")
            proxy.ask("PurgeQueue", {"QueueUrl": url})
        proxy.faults.clear()
        rung = time.monotonic()

        # Meanwhile, nobody answers at all.
        proxy.down = True
        began = time.monotonic()
        later = addresses("later", LATER)
        delayed = stack.bulk(later)
        urgent = stack.transaction("urgent@one.example")
        stack.settle(urgent)  # needs no queue
        check(time.monotonic() - began < OUTAGE, "a transaction waited for SQS")
        time.sleep(max(0.0, OUTAGE - (time.monotonic() - began)))
        check(stack.metric("todoku_sqs_failures_total") > 0, "failures are counted")
        proxy.down = False
        stack.settle(delayed, seconds=40)
        print(f"after the outage: {time.monotonic() - began - OUTAGE:.1f} s")
        stack.settle(lost, seconds=RUNG_AGAIN)
        print(f"after the purge: {time.monotonic() - rung:.1f} s")
        stack.settled_log()
        check_all_arrived(stack, first, purged, later, ["urgent@one.example"])
        check_equal(proxy.refusals, [], "signatures refused")
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 10, f"stopping took {seconds:.1f} s: a poll was waited for")


if __name__ == "__main__":
    sys.exit(run(survives_an_outage_and_a_purge, sys.argv[2]))
