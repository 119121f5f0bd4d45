# SPDX-License-Identifier: Apache-2.0
"""A store that is shipped as it changes, a machine that is lost under load, and what is restored elsewhere: all that
was acknowledged before the figure of the lag says, and nothing that was tampered with."""
import json
import os
import pathlib
import shutil
import sys
import threading
import time

from installation import QUICK, Installation, check, check_equal, processes, run
from api import ApiError, is_ready

SITE = "one.example"


def installation(binary):
    stack = Installation(binary, {SITE: []}, QUICK)
    stack.config += ["[shipping]", f'to = "{stack.directory}/elsewhere"']
    return stack


def await_first_copy(stack):
    stack.wait_for(lambda: stack.metric("todoku_ship_snapshots_total") >= 1, "the first copy")


def accept_until(stack, ended, acknowledged):
    number = 0
    while not ended.is_set():
        number += 1
        try:
            delivery = stack.transaction(f"r{number}-{threading.get_ident()}@{SITE}")
        except (ApiError, OSError):
            return  # it was killed
        acknowledged.append((delivery, time.monotonic()))


def lose_machine(stack):
    """All but what was shipped, and the master key, which is kept apart."""
    shutil.rmtree(stack.directory / "data")


def begin_in_hold(stack):
    stack.engine = processes.start(stack.directory, "engine",
                                   [stack.binary, "serve", "--config", str(stack.directory / "todoku.toml")])
    stack.wait_for(lambda: "HOLD" in stack.command("status", statuses=(0, 1)), "the engine in HOLD")


def take_over(stack, *words):
    """The leases in it have to lapse first."""
    stack.wait_for(lambda: "an engine works on this store" not in
                   stack.command("cluster", "adopt", *words, statuses=(0, 1), with_errors=True), "the take-over", 30)
    stack.wait_for(lambda: is_ready(stack.api_port), "the engine")


def segments(stack):
    return sorted((stack.directory / "elsewhere").glob("*/s-*"), key=lambda path: path.stat().st_mtime_ns)


def killed_under_load(binary):
    with installation(binary) as stack:
        await_first_copy(stack)
        ended, acknowledged = threading.Event(), []
        threads = [threading.Thread(target=accept_until, args=(stack, ended, acknowledged)) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun = len(segments(stack))
        stack.wait_for(lambda: len(segments(stack)) >= begun + 4 and len(acknowledged) > 100, "some seconds of load", 60)
        asked = time.monotonic()
        lag = stack.metric("todoku_ship_lag_seconds")
        stack.kill_engine()
        ended.set()
        for thread in threads:
            thread.join()
        lose_machine(stack)
        told = json.loads(stack.command("--json", "restore", "--from", "elsewhere"))
        covered = [delivery for delivery, at in acknowledged if at < asked - lag]
        print(f"acknowledged {len(acknowledged)}, lag {lag:.2f} s, must be there {len(covered)}, are there "
              f"{told['deliveries']}, the last change of {told['at']}", flush=True)
        check(len(covered) > 50, "mails that the figure covers")
        begin_in_hold(stack)
        take_over(stack, "--cancel-waiting")
        for delivery in covered:
            stack.api.call("GET", f"/deliveries/{delivery}")
        check(told["deliveries"] <= len(acknowledged) + len(threads), "deliveries that nobody sent")


def changed_octets_and_earlier_states(binary):
    with installation(binary) as stack:
        await_first_copy(stack)
        first = stack.transaction(f"first@{SITE}")
        stack.settle(first)
        shipped = len(segments(stack))
        stack.wait_for(lambda: len(segments(stack)) > shipped + 1, "what was committed since", 30)
        between = time.time()
        second = stack.transaction(f"second@{SITE}")
        stack.settle(second)
        check_equal(stack.terminate()[0], 0, "how it ended")  # ships what is left
        lose_machine(stack)
        last = segments(stack)[-1]
        octets = last.read_bytes()
        last.write_bytes(octets[:200] + bytes([octets[200] ^ 1]) + octets[201:])
        refused = stack.command("restore", "--from", "elsewhere", statuses=(1,), with_errors=True)
        check("is damaged" in refused and last.name in refused and "all is well until" in refused, refused)
        check(not pathlib.Path(stack.directory / "data/todoku.db").exists(), "nothing was restored")
        last.write_bytes(octets)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(between))
        told = json.loads(stack.command("--json", "restore", "--from", "elsewhere", "--at", at))
        check_equal(told["deliveries"], 1, f"deliveries at {at}")
        told = json.loads(stack.command("--json", "restore", "--from", "elsewhere", "--replace"))
        check_equal(told["deliveries"], 2, "deliveries in the newest state")
        check(os.path.exists(stack.directory / told["replaced"]), "the other one is kept")


if __name__ == "__main__":
    sys.exit(run(killed_under_load, changed_octets_and_earlier_states))
