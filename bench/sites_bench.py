# SPDX-License-Identifier: Apache-2.0
"""One delivery to a hundred thousand domains, each of them a receiving site of its own.

The long tail of a real list: every site needs a route, a lane and a connection for one or two
mails. Beside it, on the same installation and in turns, a bulk of as many mails to one site.
  --domains N      instead of 100000; the delivery has twice as many recipients
  --connections N  smtp_out.connections_max, instead of its default
  --quick          10,000 domains
"""
import argparse
import os
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import BenchStack  # noqa: E402  (first: it knows where the others are)
from figures import figure  # noqa: E402
import bench_mails  # noqa: E402
import machine  # noqa: E402
import process_info  # noqa: E402

RECIPIENTS_PER_DOMAIN = 2
TEXT = bench_mails.text_of(2048)
SITE = "one.example"


class Peak:
    """The largest value of a metric while the block runs; looks once a second."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        self.value, self.over = 0, threading.Event()

    def watch(self):
        while not self.over.wait(1):
            self.value = max(self.value, self.stack.metric(self.name))

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def make_stack(binary, connections):
    if connections:
        os.environ["TODOKU_SMTP_OUT__CONNECTIONS_MAX"] = str(connections)
    # Without MX the domain itself is the host (RFC 5321 section 5.1), and so a site. The address is
    # that of the stack's first receiver.
    zone = ["*.tail.example. A 127.0.2.1"]
    return BenchStack(binary, {SITE: []}, zone=zone,
                      site_defaults=["connections_max = 20", "messages_per_connection = 1000"])


def send(stack, name, addresses, mails):
    delivery = stack.draft(TEXT)
    stack.fill(delivery, addresses)
    pid = stack.engine.pid
    cpu = process_info.cpu_seconds(pid)
    with Peak(stack, "todoku_smtp_connections") as connections:
        rate = mails / stack.send(delivery, mails)
    figure(name, rate, "mails/s")
    figure(f"{name}_cpu", (process_info.cpu_seconds(pid) - cpu) / mails * 1e6, "us/mail")
    figure(f"{name}_connections_peak", connections.value, "connections")
    figure(f"{name}_memory_peak", process_info.memory_peak(pid), "MB")

def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--domains", type=int)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    domains = options.domains or (10_000 if options.quick else 100_000)
    mails = RECIPIENTS_PER_DOMAIN * domains
    quiet = machine.Quiet()
    with make_stack(options.binary, options.connections) as stack:
        quiet.look()
        send(stack, "one_site", (f"u{number}@{SITE}" for number in range(mails)), mails)
        quiet.look()
        # Neighbours in the list have different domains.
        send(stack, "many_sites",
             (f"u{number}@d{number % domains}.tail.example" for number in range(mails)), mails)
        failed = stack.metric("todoku_outcomes_total") - 2 * mails
        figure("extra_outcomes", failed, "outcomes")
    quiet.report()


if __name__ == "__main__":
    main()
