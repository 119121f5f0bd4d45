# SPDX-License-Identifier: Apache-2.0
"""The limits of a site hold: messages a second, connections at once, messages a connection. One
that only the receiver knows is found by its answers, and remembered."""
import datetime
import json
import sys

from installation import QUICK, Installation, check, check_equal, check_exactly_once, run

PACE = 25
SITES = ["[sites.paced]", 'domains = ["paced.example"]', f"messages_per_second = {PACE}",
         "[sites.narrow]", 'domains = ["narrow.example"]', "connections_max = 3",
         "[sites.short]", 'domains = ["short.example"]', "messages_per_connection = 4"]


def limits_hold(binary):
    receivers = {"paced.example": [], "narrow.example": ["delay = { body = 0.02 }"],
                 "short.example": []}
    counts = {"paced.example": 150, "narrow.example": 200, "short.example": 200}
    addresses = [f"r{i}@{domain}" for domain, count in counts.items() for i in range(count)]
    with Installation(binary, receivers, SITES) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=20)
        log = stack.settled_log()
        check_exactly_once(log, addresses)
        report = stack.report()["receivers"]

    times = sorted(datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
                   for entry in log if entry["rcpt_to"].endswith("@paced.example"))
    check(times[-1] - times[0] >= 0.95 * (len(times) - 1) / PACE,
          f"{len(times)} mails in {times[-1] - times[0]:.1f} s: faster than {PACE} a second")
    check(times[-1] - times[0] <= 1.3 * len(times) / PACE + 0.5,
          f"{len(times)} mails in {times[-1] - times[0]:.1f} s: much slower than {PACE} a second")
    most = max(sum(1 for time in times if start <= time < start + 1) for start in times)
    check(most <= PACE + 3, f"{most} arrivals within a second")
    print(f"most arrivals within a second\t{most}\t(pace {PACE})", flush=True)

    check(report["narrow.example"]["connections_peak"] <= 3,
          f"{report['narrow.example']['connections_peak']} connections at once")
    # One is the harness's own look whether the first receiver listens; not at this one.
    connections = report["short.example"]["connections"]
    check(connections >= 200 / 4, f"200 mails over {connections} connections")
    check_equal(report["short.example"]["replies"].get("421", 0), 0, "421")


def a_hidden_limit_is_found(binary):
    addresses = [f"r{i}@limited.example" for i in range(150)]
    receivers = {"limited.example": ["messages_per_second_max = 20"]}
    with Installation(binary, receivers, [*QUICK, "rate_retry_seconds = [1, 2]"]) as stack:
        delivery = stack.bulk(addresses)
        stack.settle(delivery, seconds=30)
        check_exactly_once(stack.settled_log(), addresses)
        refused = stack.report()["receivers"]["limited.example"]["replies"].get("450", 0)
        print(f"answers 'too much'\t{refused}\t(of {len(addresses)} mails)", flush=True)
        check(0 < refused <= 40, f"{refused} answers said that it was too much")
        check(stack.metric("todoku_lane_slowdowns_total", reason="too_fast") > 0, "no slowdown")
        stack.terminate()
        stack.start_engine()
        lanes = json.loads(stack.command("--json", "lanes", "--all"))["lanes"]
        check_equal([lane["site"] for lane in lanes], ["mx.limited.example"], "lanes")
        check(lanes[0]["throttled_at"] > 0 and lanes[0]["messages_per_second"] < 50, lanes[0])
        sources = json.loads(stack.command("--json", "sources"))["sources"]
        check_equal([(each["name"], each["state"], each["warm_up"]) for each in sources],
                    [(lanes[0]["source"], "no_plan", None)], "sources")
        shown = stack.command("lanes", "--all", "--lang", "ja")
        check("mx.limited.example" in shown and "多すぎる" in shown, shown)


if __name__ == "__main__":
    sys.exit(run(limits_hold, a_hidden_limit_is_found))
