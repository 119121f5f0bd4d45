# SPDX-License-Identifier: Apache-2.0
"""Transactions: how many are accepted a second, how long the answer takes, when the mail arrives.

An answer comes after the mail is on disk (fdatasync), so the disk is measured beside: single syncs
of 4 KB a second. Three installations, interleaved, medians of the rounds:
  kept          accepting alone (role api), data on the real disk
  kept_tmpfs    the same, data in /dev/shm: what is left when the disk costs nothing
  delivering    everything: what is accepted goes out, unsigned, to smtp-sink on the same cores
Then accept-to-sink (promise 5): signed mail, alone and while a bulk to the same site goes out.
  --quick       shorter; a bulk of 50,000 instead of a million
  --only PARTS  of kept,kept_tmpfs,delivering,alone,during_bulk
  --connections N   of the client while it measures the limit (128)
"""
import argparse
import contextlib
import json
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, SIGNED, BenchStack  # noqa: E402  (first: it knows the others' place)
from figures import Rounds, figure  # noqa: E402
import bench_mails  # noqa: E402
import load_tools  # noqa: E402
import machine  # noqa: E402
import process_info  # noqa: E402

DOMAIN = "one.example"
CONNECTIONS = 128
ROUNDS = 3
ASKED_RATE = 5_000  # half of the aim
ARRIVAL_RATE = 50  # transactions a second whose way to the receiver is timed
# Not in our way: the engine's own limits, and room for what piles up while it only accepts.
LANES = ["connections_max = 20", "messages_per_connection = 1000"]


class Accepting(BenchStack):
    """`folder`: where the data is kept."""

    def __init__(self, binary, folder, delivers, receivers, **more):
        config = ["[data]", f'directory = "{folder}"']
        if not delivers:
            config += ["[engine]", 'roles = ["api"]']
        super().__init__(binary, receivers, config, site_defaults=LANES, **more)
        self.folder = folder
        self.number = 0

    def load(self, seconds, rate=0, connections=CONNECTIONS, sender="shop@plain.example"):
        """Values of todoku_accept_load by name, and `engine_cpu`, seconds a request."""
        pid = self.engine.pid
        cpu = process_info.cpu_seconds(pid)
        values = load_tools.run(self.binary, "accept", port=self.api_port, token=self.api.token,
                                connections=connections, seconds=seconds, rate=rate,
                                sender=sender, first=self.number)
        self.number += int(values["accepted"] + values["refused"])
        values["engine_cpu"] = ((process_info.cpu_seconds(pid) - cpu) /
                                max(1, values["accepted"]))
        return values

    def settle(self, patience=300):
        self.wait_for(lambda: self.metric("todoku_queue_recipients") == 0, "the queue", patience)


def make_folder(where):
    return pathlib.Path(tempfile.mkdtemp(prefix="todoku-accept-", dir=where))


@contextlib.contextmanager
def accepting(binary, where, delivers):
    folder = make_folder(where)
    try:
        with Accepting(binary, folder / "data", delivers, {DOMAIN: FAST}) as stack:
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report_accepting(name, rounds):
    figure(f"accept_{name}", rounds.median(f"{name}-max"), "requests/s")
    figure(f"accept_{name}_cpu", rounds.median(f"{name}-max", "engine_cpu") * 1e6, "us/request")
    figure(f"accept_{name}_client_cpu", rounds.median(f"{name}-max", "client_cpu"), "cores")
    for value in ("p50", "p99", "max"):
        figure(f"accept_{name}_{value}_at_the_limit", rounds.median(f"{name}-max", value), "ms")
    for load in ("half", "5000"):
        case = f"{name}-{load}"
        figure(f"accept_{name}_rate_at_{load}", rounds.median(case), "requests/s")
        for value in ("p50", "p99", "max"):
            figure(f"accept_{name}_{value}_at_{load}", rounds.median(case, value), "ms")


INSTALLATIONS = {"kept": (None, False), "kept_tmpfs": ("/dev/shm", False),
                 "delivering": (None, True)}


def measure_accepting(binary, quick, names, connections):
    seconds = 2 if quick else 10
    rounds, quiet = Rounds(), machine.Quiet()
    with contextlib.ExitStack() as resources:
        stacks = {name: resources.enter_context(accepting(binary, *INSTALLATIONS[name]))
                  for name in names}
        for stack in stacks.values():
            stack.load(1)
        for _ in range(ROUNDS):
            for name, stack in stacks.items():
                if name == "delivering":
                    stack.settle()
                quiet.look()
                rounds.add(f"{name}-disk",
                           appending=machine.syncs_per_second(stack.folder, 0.5),
                           in_place=machine.syncs_per_second(stack.folder, 0.5, in_place=True))
                rounds.add(f"{name}-max", **stack.load(seconds, 0, connections))
        for _ in range(ROUNDS):
            for name, stack in stacks.items():
                for load, rate in (("half", rounds.median(f"{name}-max") / 2),
                                   ("5000", ASKED_RATE)):
                    if name == "delivering":
                        stack.settle()
                    quiet.look()
                    rounds.add(f"{name}-{load}", **stack.load(seconds, rate))
        for name, stack in stacks.items():
            for kind in ("appending", "in_place"):
                figure(f"single_syncs_{kind}_{name}", rounds.median(f"{name}-disk", kind),
                       "fdatasync/s")
            report_accepting(name, rounds)
            figure(f"accept_{name}_memory_peak", process_info.memory_peak(stack.engine.pid), "MB")
        quiet.report()


def arrivals(stack):
    """What the receiver measured, from the time in the subject to the mail's last octet."""
    time.sleep(1.5)  # the sink writes its report every second
    latency = json.loads((stack.directory / "report.json").read_text())["latency"]
    if latency["count"] == 0:
        raise RuntimeError("no timed mail arrived")
    return latency


def measure_arriving(binary, quick, bulk):
    """Accept-to-sink of signed transactions, beside a bulk of `bulk` mails if it is not 0."""
    name = "during_bulk" if bulk else "alone"
    seconds = 10 if quick else 60
    sink = ['latency_header = "Subject"', "duplicates_max = 0"]
    folder = make_folder(None)
    try:
        with Accepting(binary, folder / "data", True, {DOMAIN: []}, sink_config=sink) as stack:
            stack.sign()
            quiet = machine.Quiet()
            quiet.look()
            if bulk:
                delivery = stack.draft(bench_mails.text_of(2048), signed=True)
                stack.fill(delivery, (f"u{number}@{DOMAIN}" for number in range(bulk)))
                stack.commit(delivery)
                stack.wait_for(lambda: stack.detail(delivery)["sent_count"] > 100, "the bulk")
            before = stack.detail(delivery)["sent_count"] if bulk else 0
            began = time.monotonic()
            values = stack.load(seconds, ARRIVAL_RATE, 16, f"shop@{SIGNED}")
            if bulk:
                counts = stack.detail(delivery)
                if counts["status"] != "SENDING":
                    print("the bulk ended before the transactions did", file=sys.stderr)
                figure("bulk_beside_transactions",
                       (counts["sent_count"] - before) / (time.monotonic() - began), "mails/s")
            stack.wait_for(lambda: stack.metric("todoku_queue_recipients",
                                                **{"class": "transactional"}) == 0, "the queue")
            latency = arrivals(stack)
        quiet.report()
        figure(f"accept_{name}_p50", values["p50"], "ms")
        figure(f"accept_{name}_p99", values["p99"], "ms")
        for value in ("p50", "p99", "max"):
            figure(f"accept_to_sink_{name}_{value}", latency[f"{value}_ms"], "ms")
        figure(f"accept_to_sink_{name}_count", latency["count"], "mails")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join([*INSTALLATIONS, "alone", "during_bulk"]))
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    options = parser.parse_args()
    parts = options.only.split(",")
    names = [name for name in INSTALLATIONS if name in parts]
    if names:
        measure_accepting(options.binary, options.quick, names, options.connections)
    if "alone" in parts:
        measure_arriving(options.binary, options.quick, 0)
    if "during_bulk" in parts:
        measure_arriving(options.binary, options.quick, 50_000 if options.quick else 1_000_000)


if __name__ == "__main__":
    main()
