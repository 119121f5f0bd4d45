# SPDX-License-Identifier: Apache-2.0
"""A backup that is restored in the middle of a bulk: nobody gets a second copy, who opted out in between
gets none, and what is released goes out. Without the journal the same look finds second copies."""
import json
import os
import stat
import sys
import time
import urllib.request

from installation import (QUICK, Failed, Installation, check, check_equal, check_exactly_once, processes,
                          run)
import patience
from api import ApiError, is_ready

PACE = 200  # mails a second: what the site takes
SLOW = "slow.example"
CONFIG = [*QUICK, "[sites.slow]", f'domains = ["{SLOW}"]', f"messages_per_second = {PACE}"]
ADDRESSES = [f"r{i}@{SLOW}" for i in range(2_000)]


def installation(binary, journal=True):
    stack = Installation(binary, {SLOW: []}, CONFIG)
    if journal:
        stack.config += ["[journal]", f'directory = "{stack.directory}/journal"']
    return stack


def arrived(log):
    return {entry["rcpt_to"] for entry in log}


def back_up(stack, recipients=len(ADDRESSES)):
    """While it sends."""
    told = json.loads(stack.command("--json", "backup", "--to", "copy.db"))
    copy = stack.directory / "copy.db"
    check_equal(stat.S_IMODE(copy.stat().st_mode), 0o600, "who may read the backup")
    check_equal(told["recipients"], recipients, "recipients in the backup")
    check("there already" in stack.command("backup", "--to", "copy.db", statuses=(1,),
                                           with_errors=True), "a file that is there stays")
    check(b"BEGIN PRIVATE KEY" not in copy.read_bytes(), "keys are sealed")


def stand_still(stack, delivery):
    """Paused, all outcomes in the store, and the store's in the journal."""
    stack.api.call("POST", f"/deliveries/{delivery}/pause")
    stack.wait_for(lambda: stack.metric("todoku_mails_in_hand") == 0, "what was in hand", 60)
    count = len(stack.settled_log())
    stack.wait_for(lambda: stack.counts(delivery)[1] == count, "their outcomes")
    records = -1
    while records != stack.metric("todoku_journal_records_total"):
        records = stack.metric("todoku_journal_records_total")
        time.sleep(1)  # several of its turns
    check_equal(stack.metric("todoku_journal_lag_seconds"), 0.0, "how far the journal is behind")
    return count


def restore(stack):
    stack.kill_engine()
    refused = stack.command("restore", "--from", "copy.db", statuses=(1,), with_errors=True)
    check("--replace" in refused, f"a store that is there is not replaced unasked: {refused}")
    told = json.loads(stack.command("--json", "restore", "--from", "copy.db", "--replace"))
    check(os.path.exists(stack.directory / told["replaced"]), "the old one is kept")
    check_equal(told["other_key"], False, "whether the key is another one")


def hold(stack, word):
    """It stands in HOLD, and says why and what to do."""
    stack.engine = processes.start(
        stack.directory, "engine",
        [stack.binary, "serve", "--config", str(stack.directory / "todoku.toml")])
    stack.wait_for(lambda: stack.listens("127.0.0.1", stack.api_port), "the engine in HOLD")
    status = stack.command("status", statuses=(0, 1))
    check("HOLD" in status and word in status, status)
    check(not is_ready(stack.api_port), "it is not ready")
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.api_port}/healthz", timeout=60) as answer:
        check_equal(answer.status, 200, "it lives")
    try:
        stack.api.call("GET", "/usages")
    except ApiError as error:
        check(" 503 " in str(error) and word in str(error), f"its answer: {error}")
        return
    raise Failed("it answers as if it did not hold")


def patiently(stack, *words):
    """The copy was made of an engine at work: it can be taken over when the lease in it has lapsed."""
    until = patience.until(25)
    while True:
        told = stack.command(*words, statuses=(0, 1), with_errors=True)
        if "an engine works on this store" not in told or time.monotonic() > until:
            return told
        time.sleep(1)


def goes_on(stack):
    stack.wait_for(lambda: is_ready(stack.api_port), "the engine")


def folded_and_released(binary):
    with installation(binary) as stack:
        delivery = stack.bulk(ADDRESSES)
        stack.await_arrivals(200)
        back_up(stack)
        stack.await_arrivals(900)
        count = stand_still(stack, delivery)
        before = arrived(stack.log())
        waiting = [address for address in ADDRESSES if address not in before]
        gone = {waiting[0]: "unsubscribe", waiting[50]: "manual", waiting[-1]: "complaint"}
        for address, reason in gone.items():
            stack.command("suppression", "add", address, "--account", "tester", "--reason", reason)
        back = waiting[99]
        stack.command("suppression", "add", back, "--account", "tester", "--reason", "manual")
        stack.command("suppression", "remove", back, "--account", "tester", "--reason", "manual")
        time.sleep(1.5)  # several turns of the journal
        restore(stack)
        hold(stack, "todoku restore fold")
        for words in (("restore", "release"), ("cluster", "adopt", "--send-waiting"),
                      ("restore", "end", "--as", "unknown")):
            check("restore fold" in patiently(stack, *words), f"{words} before it is folded in")
        told = json.loads(patiently(stack, "--json", "restore", "fold"))
        print(f"folded: {told}", flush=True)
        known = told["outcomes"] + told["known"]  # of what the copy does not know
        check(0 < known <= count, f"outcomes in the journal: {known} of {count}")
        check(told["stops"] in (3, 4), f"entries, one of which was removed at once: {told['stops']}")
        check_equal(told["removals"], 1, "removals of such")
        check_equal(told["waiting_recipients"], len(ADDRESSES) - count, "who still waits")
        check_equal(told["missing"], 0, "records that are missing")
        again = json.loads(patiently(stack, "--json", "restore", "fold"))
        check_equal((again["outcomes"], again["known"]), (0, known), "folded in once more")
        check_equal(arrived(stack.settled_log()), before, "nothing goes out in HOLD")
        check("go on" in stack.command("restore", "release"), "what it says of the release")
        goes_on(stack)
        check_equal(stack.counts(delivery)[1], count, "those who have it")
        check_equal(arrived(stack.settled_log()), before, "the pause is folded in, too")
        stack.api.call("PATCH", f"/deliveries/{delivery}/resume")
        stack.settle(delivery, seconds=60)
        check_exactly_once(stack.settled_log(), [a for a in ADDRESSES if a not in gone])
        check("HOLD" not in stack.command("status"), "it holds no more")
        stack.kill_engine()
        stack.start_engine()


def killed_in_flight_and_ended(binary):
    """What cannot be proven is ended as unknown: no second copy, whatever was on its way."""
    with installation(binary) as stack:
        delivery = stack.bulk(ADDRESSES)
        later = stack.draft()
        stack.fill(later, [f"later@{SLOW}"])
        stack.commit(later, at=time.time() + 3600)
        stack.await_arrivals(200)
        back_up(stack, len(ADDRESSES) + 1)
        stack.await_arrivals(700)
        restore(stack)
        hold(stack, "todoku restore fold")
        told = json.loads(patiently(stack, "--json", "restore", "fold"))
        reached = arrived(stack.settled_log())
        ended = json.loads(stack.command("--json", "restore", "end", "--as", "unknown"))
        print(f"folded: {told}, ended: {ended}, arrived before: {len(reached)}", flush=True)
        check(told["outcomes"] > 200, f"outcomes that were folded in: {told}")
        check_equal(ended["ended"], told["waiting_recipients"] - 1, "who was ended")
        check_equal(ended["released"], 1, "what is for later is left")
        goes_on(stack)
        progress = stack.api.call("GET", f"/deliveries/{delivery}/progress")
        check_equal(progress["delivered"] + progress["unknown"], len(ADDRESSES), f"{progress}")
        check("not known" in stack.explain(ADDRESSES[-1]), stack.explain(ADDRESSES[-1]))
        check_equal(stack.status_of(later), "RESERVE", "what is for later")
        other = stack.bulk([f"new{i}@{SLOW}" for i in range(10)])
        stack.settle(other)
        log = stack.settled_log()
        check_exactly_once(log, reached | {f"new{i}@{SLOW}" for i in range(10)})


def without_the_journal(binary):
    """The look that the others take finds what happens without it."""
    with installation(binary, journal=False) as stack:
        delivery = stack.bulk(ADDRESSES)
        stack.await_arrivals(200)
        back_up(stack)
        stack.await_arrivals(700)
        restore(stack)
        hold(stack, "todoku cluster adopt")
        check("nothing to do" in patiently(stack, "restore", "fold"), "there is nothing to fold")
        patiently(stack, "cluster", "adopt", "--send-waiting")
        goes_on(stack)
        stack.settle(delivery, seconds=60)
        try:
            check_exactly_once(stack.settled_log(), ADDRESSES)
        except Failed as error:
            check("arrivals of distinct recipients" in str(error), f"{error}")
            return
        raise Failed("without the journal nobody got a second copy: the look sees nothing")


if __name__ == "__main__":
    sys.exit(run(folded_and_released, killed_in_flight_and_ended, without_the_journal))
