# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for another's trouble: a tarpit among sites, an account with a million, weights.

  tarpit   50 sites, one of them answers an octet a second: how long the other 49 take, against an
           installation where all are well; in turns, medians of the rounds
  account  one account's large bulk goes out; another account's single mails, registered one after
           the other, each from its request to its outcome on record
  weights  accounts with weights 1 and 3 at one site, where its pace is the limit (a given number a
           second) and where the processor is: what each got while both had mail
  --quick         a bulk of 50,000 instead of a million, fewer mails a site
  --only PARTS    of tarpit,account,weights
"""
import argparse
import contextlib
import datetime
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, PLAIN, BenchStack  # noqa: E402  (first: it adds folders)
from figures import Rounds, figure, median  # noqa: E402
import bench_mails  # noqa: E402
import machine  # noqa: E402

TEXT = bench_mails.text_of(2048)
LANES = ["connections_max = 20", "messages_per_connection = 1000"]
SITES = 50
ROUNDS = 3
SINGLES = 20
PACE = 400  # mails a second that the paced site takes
WEIGHTS = (1, 3)


# ---- a tarpit ------------------------------------------------------------------------------

def sites(with_tarpit):
    out = {f"site{number}.example": [] for number in range(SITES)}
    if with_tarpit:
        out[f"site{SITES - 1}.example"] = ["tarpit = 1"]
    return out


def last_arrival(stack):
    """When the last mail came to any of the sites that are well, in seconds of the epoch."""
    receivers = json.loads((stack.directory / "report.json").read_text())["receivers"]
    last = max(receivers[f"site{number}.example"]["last_arrival"] for number in range(SITES - 1))
    return datetime.datetime.fromisoformat(last.replace("Z", "+00:00")).timestamp()


def all_but_one(stack, mails):
    """Sends `mails` to each site in one bulk; seconds until 49 sites have theirs, by the
    receivers' clocks, which are ours."""
    delivery = stack.draft(TEXT)
    stack.fill(delivery, (f"u{number}@site{number % SITES}.example"
                          for number in range(mails * SITES)))
    began = time.time()
    stack.commit(delivery)
    wanted = mails * (SITES - 1)
    stack.wait_for(lambda: stack.detail(delivery)["sent_count"] >= wanted, "49 sites", 300)
    time.sleep(1.5)  # the sink writes its report every second
    return last_arrival(stack) - began


def measure_tarpit(binary, quick):
    mails = 500 if quick else 2_000
    rounds = Rounds()
    with contextlib.ExitStack() as resources:
        well, ill = (resources.enter_context(
            BenchStack(binary, sites(tarpit), sink_config=["duplicates_max = 0"],
                       site_defaults=["connections_max = 10"])) for tarpit in (False, True))
        for _ in range(ROUNDS):
            rounds.add("well", seconds=all_but_one(well, mails))
            rounds.add("ill", seconds=all_but_one(ill, mails))
    figure("tarpit_without", rounds.median("well", "seconds"), "s")
    figure("tarpit_with", rounds.median("ill", "seconds"), "s")
    figure("tarpit_slowdown", rounds.median_of(
        lambda ill, well: ill / well, ("ill", "seconds"), ("well", "seconds")), "ratio")


# ---- another account -----------------------------------------------------------------------

def seconds_until_sent(stack, delivery, api, began):
    while stack.detail(delivery, api)["sent_count"] != 1:
        if time.monotonic() - began > 120:
            raise RuntimeError(f"delivery {delivery} waits since 120 s")
        time.sleep(0.005)
    return time.monotonic() - began


def single_transaction(stack, api, number):
    began = time.monotonic()
    delivery = api.call("POST", "/deliveries/transaction", {
        "from": {"email": f"shop@{PLAIN}"}, "to": f"t{number}@one.example", "subject": "ご注文",
        "text_part": "ありがとうございます。"})["delivery_id"]
    return seconds_until_sent(stack, delivery, api, began)


def single_bulk(stack, api, number):
    delivery = stack.draft(TEXT, api=api)
    api.call("PUT", f"/deliveries/bulk/update/{delivery}",
             {"to": [{"email": f"s{number}@one.example"}]})
    began = time.monotonic()
    stack.commit(delivery, api)
    return seconds_until_sent(stack, delivery, api, began)


def measure_account(binary, quick):
    mails = 50_000 if quick else 1_000_000
    with BenchStack(binary, {"one.example": FAST}, site_defaults=LANES) as stack:
        stack.sign()
        other = stack.add_named_account("other")
        large = stack.draft(TEXT, signed=True)
        stack.fill(large, (f"u{number}@one.example" for number in range(mails)))
        stack.commit(large)
        stack.wait_for(lambda: stack.detail(large)["sent_count"] > 500, "the large bulk")
        waits = {"transaction": [], "bulk": []}
        for number in range(SINGLES):
            waits["transaction"].append(single_transaction(stack, other, number))
            waits["bulk"].append(single_bulk(stack, other, number))
        if stack.detail(large)["status"] != "SENDING":
            raise RuntimeError("the large bulk ended too early: the figures would show nothing")
    for kind, seconds in waits.items():
        figure(f"other_account_{kind}_median", median(seconds), "s")
        figure(f"other_account_{kind}_worst", max(seconds), "s")


# ---- weights -------------------------------------------------------------------------------

def shares(stack, name, mails):
    """What the second account got for one mail of the first while both had mail waiting."""
    accounts = [stack.add_named_account(f"{name}{weight}", weight) for weight in WEIGHTS]
    deliveries = [stack.draft(TEXT, api=api) for api in accounts]
    for api, delivery in zip(accounts, deliveries):
        stack.fill(delivery, (f"u{number}@{name}.example" for number in range(mails)), api)
    for api, delivery in zip(accounts, deliveries):
        stack.commit(delivery, api)
    while True:
        sent = [stack.detail(delivery, api)["sent_count"]
                for api, delivery in zip(accounts, deliveries)]
        # Until one of them is through, both have mail waiting and the weights alone decide.
        if max(sent) >= 0.9 * mails:
            break
        time.sleep(0.01)
    figure(f"weights_1_3_{name}", sent[1] / max(1, sent[0]), "ratio")


def measure_weights(binary, quick):
    config = ["[sites.paced]", 'domains = ["paced.example"]', f"messages_per_second = {PACE}"]
    receivers = {"paced.example": FAST, "fast.example": FAST}
    with BenchStack(binary, receivers, config, site_defaults=LANES) as stack:
        shares(stack, "paced", 6_000 if quick else 24_000)
        shares(stack, "fast", 50_000 if quick else 400_000)


PARTS = {"tarpit": measure_tarpit, "account": measure_account, "weights": measure_weights}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    quiet = machine.Quiet()
    for part in options.only.split(","):
        quiet.look()
        PARTS[part](options.binary, options.quick)
    quiet.report()


if __name__ == "__main__":
    main()
