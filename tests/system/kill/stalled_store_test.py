# SPDX-License-Identifier: Apache-2.0
"""A disk whose syncs do not return: sending stops at delivery.unrecorded_max at the latest, and
before where the store cannot be told whose mail is begun next; a kill then makes no more mails go
twice than the engine said.

The second argument is the library of tests/support/stall_sync.c.
"""
import collections
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402

RECIPIENTS = 3_000
UNRECORDED_MAX = 40
DOMAIN = "one.example"
failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def start_bulk(stack):
    rows = "email\n" + "".join(f"r{i}@{DOMAIN}\n" for i in range(RECIPIENTS))
    delivery = stack.api.call("POST", "/deliveries/bulk/begin", {
        "from": {"email": "news@sender.example"}, "subject": "お知らせ",
        "text_part": "こんにちは。"})["delivery_id"]
    stack.api.call_multipart("POST", f"/deliveries/{delivery}/emails/import", {"immediate": True},
                             [("list.csv", "text/csv", rows.encode())])
    return delivery


def wait_until_quiet(stack):
    """Arrivals, once none has come for longer than the sink keeps them from its log."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < 2.5:
        time.sleep(0.2)
        now = len(stack.arrivals())
        if now != count:
            count, since = now, time.monotonic()
    return count


def stall(binary, library, connections):
    """Stalls in the middle of a bulk, looks, kills, and lets the next run go on."""
    with Stack(binary, {DOMAIN: ["delay = { body = 0.001 }"]},
               ["[delivery]", f"unrecorded_max = {UNRECORDED_MAX}"],
               site_defaults=[f"connections_max = {connections}"]) as stack:
        stack.kill_engine()
        stalled = stack.directory / "stalled"
        os.environ.update(LD_PRELOAD=library, TODOKU_STALL_FILE=str(stalled))
        try:
            stack.start_engine()
        finally:
            del os.environ["LD_PRELOAD"]
        delivery = start_bulk(stack)
        stack.wait_for(lambda: len(stack.arrivals()) > 200, "the first arrivals")
        stalled.touch()
        arrived = wait_until_quiet(stack)
        unrecorded = stack.metric("todoku_unrecorded_outcomes")
        print(f"{connections} connections: {int(unrecorded)} unrecorded (limit {UNRECORDED_MAX}), "
              f"{arrived} of {RECIPIENTS} arrived", flush=True)
        check(arrived < RECIPIENTS, "all had gone out before the disk stalled: test too slow")
        check(0 < unrecorded < UNRECORDED_MAX + connections,
              f"{unrecorded} outcomes unrecorded with {connections} connections")
        peak = stack.metric("todoku_unrecorded_outcomes_peak")
        check(unrecorded <= peak < UNRECORDED_MAX + connections, f"the peak was {peak}")
        check(stack.metric("todoku_mails_in_hand") == 0, "a mail is in hand")
        stack.kill_engine()
        stalled.unlink()
        stack.start_engine()
        stack.wait_for(lambda: stack.status_of(delivery) == "SENT", "the delivery's end", 60)
        time.sleep(1.5)  # the sink writes its log about every second
        counts = collections.Counter(address for address, _ in stack.arrivals())
        repeated = sum(counts.values()) - len(counts)
        print(f"{connections} connections: {repeated} went twice after the kill", flush=True)
        check(len(counts) == RECIPIENTS, f"{RECIPIENTS - len(counts)} recipients lost")
        check(repeated <= unrecorded, f"{repeated} went twice")


if __name__ == "__main__":
    for width in (1, 6):
        stall(sys.argv[1], sys.argv[2], width)
    print("\n".join(failures) or "ok")
    sys.exit(1 if failures else 0)
