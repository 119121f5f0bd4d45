# SPDX-License-Identifier: Apache-2.0
"""A bulk that goes out at a known pace, to be paused, resumed and stopped."""
import csv
import io
import re
import time
import urllib.request
import zipfile
from collections import Counter

from installation import QUICK, check, check_equal, check_exactly_once

PACE = 200  # mails a second: what the site takes
SLOW = "slow.example"
CONFIG = [*QUICK, "[sites.slow]", f'domains = ["{SLOW}"]', f"messages_per_second = {PACE}"]
RECIPIENTS = 4_000
ADDRESSES = [f"r{i}@{SLOW}" for i in range(RECIPIENTS)]
# A process is to begin nothing later than a second after the answer, and the log of arrivals may be
# a second behind. Counted by the pace, which no load of the machine makes quicker; what is leased
# by then, about ten seconds of it, is far more.
LATE = 3 * PACE


def progress(api, delivery):
    return api.call("GET", f"/deliveries/{delivery}/progress")


def adds_up(told):
    states = ("pending", "deferred", "delivered", "bounced", "dropped", "expired", "cancelled",
              "unknown")
    check_equal(sum(told[state] for state in states), told["total"], f"counts of {told}")


def night():
    """Quiet hours that go on now, and for more than an hour."""
    now = time.gmtime()
    return {"from": f"{(now.tm_hour - 1) % 24:02}:00", "until": f"{(now.tm_hour + 2) % 24:02}:00",
            "time_zone": "UTC"}


def stand_still(stack, delivery, verb, api, others=0, order=("POST", None)):
    """How many have arrived once `verb`, said to the process of `api`, holds; it holds. `others`:
    mails that arrived of other deliveries. `order`: how it is said."""
    method, body = order
    before = len(stack.log()) - others
    check_equal(api.call(method, f"/deliveries/{delivery}/{verb}", body), {"delivery_id": delivery},
                "the answer")
    stack.wait_for(lambda: stack.metric("todoku_mails_in_hand") == 0, "what was in hand", 60)
    arrived, seen = len(stack.settled_log()) - others, -1
    while arrived != seen:  # what another process has in hand is in no metric of this one
        arrived, seen = len(stack.settled_log()) - others, arrived
    print(f"{verb}: {arrived - before} mails after it of {RECIPIENTS - before}", flush=True)
    check(arrived - before < LATE, f"{arrived - before} mails after the {verb}")
    check(arrived < RECIPIENTS, f"all had gone out before the {verb}")
    return arrived


def is_paused_and_goes_on(stack, delivery, api):
    stack.await_arrivals(100)
    arrived = stand_still(stack, delivery, "pause", api)
    stack.wait_for(lambda: progress(api, delivery)["delivered"] == arrived, "their outcomes")
    told = progress(api, delivery)
    check_equal(told["state"], "paused", "its state")
    adds_up(told)
    for _ in range(2):
        check_equal(len(stack.settled_log()), arrived, "arrivals while it is paused")
    check_equal(stack.status_of(delivery), "SENDING", "the contract's word")
    reached = {entry["rcpt_to"] for entry in stack.log()}
    waits = next(address for address in ADDRESSES if address not in reached)
    check("is paused" in stack.explain(waits), stack.explain(waits))
    check("一時停止中" in stack.explain(waits, "ja"), "in Japanese")
    api.call("PATCH", f"/deliveries/{delivery}/resume")
    stack.settle(delivery, seconds=60)
    check_exactly_once(stack.settled_log(), ADDRESSES)
    check_equal(progress(api, delivery)["state"], "sent", "its state in the end")


def keeps_quiet_and_goes_on(stack, delivery, api):
    """In quiet hours, which begin while it goes out and outlive a kill."""
    stack.await_arrivals(100)
    arrived = stand_still(stack, delivery, "quiet_hours", api, order=("PUT", night()))
    stack.wait_for(lambda: progress(api, delivery)["delivered"] == arrived, "their outcomes")
    told = progress(api, delivery)
    check_equal((told["state"], told["waits"]["because"]), ("sending", "quiet_hours"), "why it waits")
    adds_up(told)
    reached = {entry["rcpt_to"] for entry in stack.log()}
    waits = next(address for address in ADDRESSES if address not in reached)
    check("quiet hours" in stack.explain(waits), stack.explain(waits))
    stack.kill_engine()
    stack.start_engine()
    check_equal(len(stack.settled_log()), arrived, "arrivals in the quiet hours, after a kill")
    api.call("DELETE", f"/deliveries/{delivery}/quiet_hours")
    stack.settle(delivery, seconds=60)
    check_exactly_once(stack.settled_log(), ADDRESSES)


def is_ordered_about_between_kills(stack, delivery, api, dice):
    """Paused, resumed and stopped at moments that `dice` chooses, its process killed now and then:
    nothing starts while it is paused, and counts are exact."""
    kills = 0

    def maybe_kill():
        nonlocal kills
        if dice.random() < 0.5:
            stack.kill_engine()
            stack.start_engine()
            kills += 1

    for _ in range(3):
        stack.await_arrivals(len(stack.log()) + dice.randrange(20, 200))
        maybe_kill()
        stand_still(stack, delivery, "pause", api)
        before = len(stack.settled_log())
        maybe_kill()
        check_equal(len(stack.settled_log()), before, "arrivals while it is paused")
        api.call("POST", f"/deliveries/{delivery}/resume")
    stack.await_arrivals(len(stack.log()) + dice.randrange(20, 100))
    api.call("POST", f"/deliveries/{delivery}/stop")
    maybe_kill()
    stack.wait_for(lambda: progress(api, delivery)["state"] == "stopped", "its end", 60)
    told = progress(api, delivery)
    adds_up(told)
    arrivals = Counter(entry["rcpt_to"] for entry in stack.settled_log())
    print(f"{kills} kills, {told}", flush=True)
    check(max(arrivals.values()) <= 1 + kills, f"more repeats than {kills} kills")
    check(told["delivered"] <= len(arrivals) <= told["delivered"] + told["unknown"],
          f"{len(arrivals)} reached, told as {told}")


def exported(stack, api, delivery, body=None):
    """(the job when it has ended, the rows of its file)."""
    job = api.call("POST", f"/deliveries/{delivery}/recipients/export", body or {})["job_id"]
    path = f"/deliveries/-/recipients/export/{job}"
    stack.wait_for(lambda: api.call("GET", path)["percentage"] == 100, "the export", 60)
    status = api.call("GET", path)
    check_equal(status["status"], "FINISHED", "the export's end")
    request = urllib.request.Request(f"http://127.0.0.1:{api.port}/api/v1{path}/download",
                                     headers={"Authorization": f"Bearer {api.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    name, = archive.namelist()
    return status, list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def is_exported_as_counted(stack, delivery, api):
    """Whom the stop has reached, and whom it has not: each once, as the receiver and the counts say."""
    reached = {entry["rcpt_to"] for entry in stack.log()}
    status, rows = exported(stack, api, delivery)
    told = progress(api, delivery)
    check_equal(Counter(row["state"] for row in rows),
                Counter(delivered=told["delivered"], cancelled=told["cancelled"]), "states")
    check_equal(sorted(row["email"] for row in rows), sorted(ADDRESSES), "each recipient once")
    check_equal(status["total_count"], RECIPIENTS, "total_count")
    of_this = {row["email"] for row in rows if row["state"] == "delivered"}
    check(of_this <= reached, "nobody is told to be reached who was not")
    for row in rows:
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00", row["time"]), f"{row}")
        check_equal(row["response_code"] != "", row["state"] == "delivered", f"its code: {row}")
    _, some = exported(stack, api, delivery, {"states": ["delivered"]})
    check_equal({row["email"] for row in some}, of_this, "those in one state")


def events_of(api):
    events, cursor = [], ""
    while True:
        page = api.call("GET", f"/events?count=1000{cursor}")
        events += page["data"]
        cursor = "&cursor=" + page["next_cursor"]
        if not page["has_more"]:
            return events


def is_stopped_where_it_is(stack, delivery, api, others=0):
    stack.await_arrivals(others + 100)
    arrived = stand_still(stack, delivery, "stop", api, others)
    at_once = stack.detail(delivery)
    check_equal(at_once["status"], "SENT", "its status")
    check_equal(at_once["sent_count"] + at_once["drop_count"], RECIPIENTS, "counts")
    stack.wait_for(lambda: progress(api, delivery)["state"] == "stopped", "its end", 60)
    check_equal(len(stack.settled_log()) - others, arrived, "arrivals after the stop")
    told = progress(api, delivery)
    check_equal((told["delivered"], told["cancelled"]), (arrived, RECIPIENTS - arrived),
                "(delivered, cancelled)")
    adds_up(told)
    events = [event for event in events_of(api) if event["delivery_id"] == delivery]
    kinds = [event["kind"] for event in events]
    check_equal(kinds.count("sent"), arrived, "events of those reached")
    check_equal((kinds.count("delivery_stopped"), kinds.count("cancelled")), (1, 0),
                "one event, not one for each")
    check_equal(kinds[-1], "delivery_finished", "the last event")
    is_exported_as_counted(stack, delivery, api)
