# SPDX-License-Identifier: Apache-2.0
"""Reservations start in time, survive restarts, are taken back, and are not forgotten."""
import sys
import time

from installation import Installation, check, check_equal, check_exactly_once, run

EXPIRY_SECONDS = 7.2
CONFIG = ["[delivery]", f"reservation_expiry_hours = {EXPIRY_SECONDS / 3600}"]


def prepared(stack, prefix):
    delivery = stack.draft()
    addresses = [f"{prefix}{i}@one.example" for i in range(10)]
    stack.fill(delivery, addresses)
    return delivery, addresses


def started_at(stack, delivery):
    """When its status left RESERVE, give or take 50 ms."""
    stack.wait_for(lambda: stack.status_of(delivery) != "RESERVE", "the start", 12)
    return time.time()


def whole_second(ahead):
    return int(time.time() + ahead) + 1


def start_within_a_second(binary):
    with Installation(binary, {"one.example": []}, CONFIG) as stack:
        delivery, addresses = prepared(stack, "a")
        at = whole_second(2)
        stack.commit(delivery, at)
        check_equal(stack.status_of(delivery), "RESERVE", "status")
        late = started_at(stack, delivery) - at
        check(-0.05 <= late <= 1, f"it started {late:.2f} s after its time")
        stack.settle(delivery)
        check_exactly_once(stack.settled_log(), addresses)

        cancelled, _ = prepared(stack, "b")
        stack.commit(cancelled, whole_second(2))
        stack.api.call("PATCH", f"/deliveries/{cancelled}/cancel", {})
        check_equal(stack.status_of(cancelled), "EDIT", "status after cancel")
        kept, kept_addresses = prepared(stack, "c")
        at = whole_second(4)
        stack.commit(kept, at)
        stack.terminate()
        stack.start_engine()
        check_equal(stack.status_of(kept), "RESERVE", "status after a restart")
        late = started_at(stack, kept) - at
        check(-0.05 <= late <= 1, f"after a restart it started {late:.2f} s after its time")
        stack.settle(kept)
        check_equal(stack.status_of(cancelled), "EDIT", "the cancelled one, past its time")
        check_exactly_once(stack.settled_log(), addresses + kept_addresses)


def missed_ones_start_late_or_fail_with_the_reason(binary):
    with Installation(binary, {"one.example": []}, CONFIG) as stack:
        expired, expired_addresses = prepared(stack, "e")
        missed, missed_addresses = prepared(stack, "m")
        at = whole_second(1)
        stack.commit(expired, at)
        stack.commit(missed, at + EXPIRY_SECONDS // 1)
        stack.kill_engine()
        time.sleep(max(0.0, at + EXPIRY_SECONDS + 0.8 - time.time()))
        stack.start_engine()
        stack.settle(expired, missed)
        check_equal(stack.status_of(missed), "SENT", "the one missed by a little")
        check_equal(stack.status_of(expired), "FAILED", "the one missed by too much")
        check_equal(stack.detail(expired)["drop_count"], len(expired_addresses), "drop_count")
        story = stack.explain(expired_addresses[0])
        check("passed while the engine was not running" in story, story)
        check_exactly_once(stack.settled_log(), missed_addresses)


def of_a_suspended_account_wait_and_say_so(binary):
    with Installation(binary, {"one.example": []}, CONFIG) as stack:
        delivery, addresses = prepared(stack, "s")
        stack.commit(delivery, whole_second(2))
        stack.command("account", "suspend", "tester")
        time.sleep(3.5)
        check_equal(stack.status_of(delivery), "RESERVE", "while it is suspended")
        story = stack.explain(addresses[0])
        check("todoku account resume tester" in story and "about to start" not in story, story)
        stack.command("account", "resume", "tester")
        stack.settle(delivery)
        check_equal(stack.status_of(delivery), "SENT", "once it is resumed")


if __name__ == "__main__":
    sys.exit(run(start_within_a_second, of_a_suspended_account_wait_and_say_so,
                 missed_ones_start_late_or_fail_with_the_reason))
