# SPDX-License-Identifier: Apache-2.0
"""Does memory end somewhere: rounds of the same work until the caches are full, and beyond.

A round: 600 bulks of 20 recipients, of which a part is deleted, reserved or sent, and 2,000
transactions. What grows with the work done is a leak; the caches (contents, pages of the database)
grow too, up to their bounds. `soak` shows the same under trouble, but fills them within hours.
  --rounds N     instead of 40
  --quick        6 rounds: too few to say anything
"""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, PLAIN, BenchStack  # noqa: E402  (first: it knows the others' place)
from figures import figure, median  # noqa: E402
import bench_mails  # noqa: E402
import process_info  # noqa: E402

BULKS, TRANSACTIONS, RECIPIENTS, CALLERS = 600, 2_000, 20, 4
TEXT = bench_mails.text_of(2048)


def bulk(stack, number):
    delivery = stack.draft(TEXT)
    stack.api.call("PUT", f"/deliveries/bulk/update/{delivery}", {
        "to": [{"email": f"u{number}-{index}@{'one' if index % 2 else 'two'}.example",
                "insert_code": [{"key": "__name__", "value": f"n{index}"}]}
               for index in range(RECIPIENTS)]})
    if number % 5 == 0:
        stack.api.call("DELETE", f"/deliveries/{delivery}")
    elif number % 5 == 1:
        stack.reserve(delivery, 86_400)
    else:
        stack.commit(delivery)


def transaction(stack, number):
    stack.api.call("POST", "/deliveries/transaction", {
        "from": {"email": f"shop@{PLAIN}"}, "to": f"t{number}@one.example", "subject": "x",
        "text_part": "x"})


def work(stack, number):
    """Returns the memory in MB when all of the round has gone out."""
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(lambda index: bulk(stack, number * BULKS + index), range(BULKS)))
        list(callers.map(lambda index: transaction(stack, number * TRANSACTIONS + index),
                         range(TRANSACTIONS)))
    going = 3 * BULKS // 5 * RECIPIENTS * (number + 1) + TRANSACTIONS * (number + 1)
    stack.wait_for(lambda: stack.metric("todoku_outcomes_total") >= going, "the round", 120)
    time.sleep(1)
    return process_info.memory_now(stack.engine.pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds = options.rounds or (6 if options.quick else 40)
    # A small cache of contents is full soon; the database's has its own size.
    os.environ["TODOKU_DELIVERY__CONTENT_CACHE_BYTES"] = str(1024 * 1024)
    with BenchStack(options.binary, {"one.example": FAST, "two.example": FAST},
                    site_defaults=["connections_max = 20"]) as stack:
        figure("memory_at_start", process_info.memory_now(stack.engine.pid), "MB")
        levels = []
        for number in range(rounds):
            levels.append(work(stack, number))
            figure(f"memory_round_{number + 1}", levels[-1], "MB")
    half, quarter = rounds // 2, max(1, rounds // 4)
    middle, last = median(levels[half:half + quarter]), median(levels[-quarter:])
    figure("recipients", rounds * (BULKS * RECIPIENTS + TRANSACTIONS), "recipients")
    figure("memory_third_quarter", middle, "MB")
    figure("memory_last_quarter", last, "MB")
    figure("memory_growth", (last - middle) / middle * 100, "%")


if __name__ == "__main__":
    main()
