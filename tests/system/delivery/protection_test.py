# SPDX-License-Identifier: Apache-2.0
"""Bulk mail that bounces too much is paused, at one receiver or as a whole; its owner is told and resumes it."""
import json
import sys

from installation import QUICK, Installation, check, check_equal, run

CONFIG = [*QUICK, "[protection]", "bounce_minimum = 50", "unknown_user_minimum = 40",
          "[sites.mixed]", 'domains = ["mixed.example"]', "messages_per_second = 40",
          "[sites.carrier]", 'domains = ["carrier.example"]', "messages_per_second = 40",
          "unknown_users_percent = 4"]
RECEIVERS = {"mixed.example": [], "carrier.example": [], "calm.example": []}


def told(stack, kind):
    events = stack.api.call("GET", f"/events?kind[]={kind}&count=1000")["data"]
    return [(event["rates_of"], event["because"]) for event in events]


def state(stack, delivery):
    return stack.api.call("GET", f"/deliveries/{delivery}/progress")["state"]


def rates(stack, *more):
    return json.loads(stack.command("--json", "rates", "show", "tester", *more))["rates"]


def a_bulk_of_dead_addresses_is_paused_until_somebody_resumes_it(binary):
    with Installation(binary, RECEIVERS, CONFIG) as stack:
        addresses = [f"{'bounce-550' if i % 4 == 0 else 'ok'}.{i}@mixed.example" for i in range(600)]
        delivery = stack.bulk(addresses)
        stack.wait_for(lambda: state(stack, delivery) == "paused", "the pause")
        whose = dict(told(stack, "protection_paused"))
        check(whose["account"].startswith("hard bounces: "), whose)
        check(whose["account"].endswith("; the limit is 10 %"), whose)
        check(f"delivery {delivery}" in whose, whose)
        shown = stack.command("rates", "show", "tester")
        check("HELD BACK" in shown and "not measurable" in shown, shown)
        total, sent, bounced, _ = stack.counts(delivery)
        check(sent + bounced < total, "the rest waits")
        stack.await_story("ok.599@mixed.example", "was paused to protect its sender (hard bounces: ")
        order = stack.transaction("a@calm.example")
        stack.settle(order)  # it is no bulk

        stack.api.call("POST", f"/deliveries/{delivery}/resume")
        levels = {each["level"] for each in rates(stack)}
        check_equal(levels, {"calm"}, "levels after it was resumed")
        check(told(stack, "protection_resumed"), "its owner was told")
        # Of the same kind is the rest: from here on it is counted anew.
        stack.wait_for(lambda: state(stack, delivery) == "paused", "the second pause")
        check(stack.metric("todoku_protection_total", level="paused") > 0, "the metric")


def unknown_users_at_a_carrier_hold_a_delivery_there_alone(binary):
    with Installation(binary, RECEIVERS, CONFIG) as stack:
        addresses = [f"{'bounce-550' if i % 20 == 0 else 'ok'}.{i}@carrier.example" for i in range(900)]
        addresses += [f"r{i}@calm.example" for i in range(200)]
        delivery = stack.bulk(addresses)
        stack.wait_for(lambda: any(each["level"] == "paused" for each in rates(stack, "--delivery", str(delivery))),
                       "the hold")
        check_equal([whose for whose, _ in told(stack, "protection_paused")],
                    [f"delivery {delivery} at carrier"], "what is held back")
        check_equal(state(stack, delivery), "sending", "the delivery as a whole")
        calm = lambda: sum("calm.example" in to for to, _ in stack.arrivals())  # noqa: E731
        stack.wait_for(lambda: calm() == 200, "the others")
        stack.await_story("ok.899@carrier.example", "is held back at carrier")
        progress = stack.api.call("GET", f"/deliveries/{delivery}/progress")
        check_equal([hold["receiver"] for hold in progress["holds"]], ["carrier"], "what /progress says")
        arrived = len(stack.arrivals())
        check(arrived < 900, f"{arrived} have arrived")
        stack.api.call("POST", f"/deliveries/{delivery}/resume")
        check_equal(stack.api.call("GET", f"/deliveries/{delivery}/progress")["holds"], [], "once it was resumed")
        stack.wait_for(lambda: len(stack.arrivals()) > arrived, "the carrier's next")
        stack.api.call("POST", f"/deliveries/{delivery}/stop")


def a_canary_goes_first_and_the_rest_waits(binary):
    with Installation(binary, RECEIVERS, CONFIG) as stack:
        limits = json.loads(stack.command("--json", "rates", "limit", "tester", "--canary", "60"))
        check_equal((limits["canary_recipients"], limits["canary_minutes"]), (60, None), "limits")
        delivery = stack.bulk([f"r{i}@calm.example" for i in range(1_200)])
        stack.wait_for(lambda: stack.arrivals(), "the canary")
        progress = stack.api.call("GET", f"/deliveries/{delivery}/progress")
        check(progress["canary_until"], progress)
        waits = "a few recipients at each receiver first"
        stack.await_story("r1199@calm.example", waits)
        before = stack.counts(delivery)[1]
        check(60 <= before <= 500, f"{before} were sent")
        check_equal(stack.counts(delivery)[1], before, "what was sent later")
        stack.api.call("POST", f"/deliveries/{delivery}/stop")


if __name__ == "__main__":
    sys.exit(run(a_bulk_of_dead_addresses_is_paused_until_somebody_resumes_it,
                 unknown_users_at_a_carrier_hold_a_delivery_there_alone,
                 a_canary_goes_first_and_the_rest_waits))
