# SPDX-License-Identifier: Apache-2.0
"""An installation whose queues are on SQS."""
import os
import pathlib
import sys

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / "support"), str(SYSTEM / "delivery")]

from installation import Installation, QUICK, check, check_equal  # noqa: E402,F401
from sqs_emulator import SqsEmulator  # noqa: E402,F401
from sqs_proxy import SqsProxy  # noqa: E402,F401

REGION = "ap-northeast-1"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG"
DOMAINS = ("one.example", "two.example", "three.example")
RECEIVERS = {domain: [] for domain in DOMAINS}


def queue_config(proxy, *more, region=REGION, prefix="todoku-test"):
    return ("[queue]", 'kind = "sqs"', "[queue.sqs]", f'region = "{region}"',
            f'endpoint = "{proxy.url}"', f'prefix = "{prefix}"', *more, *QUICK)


def set_environment(**variables):
    """Of the engine: no other variables of AWS than these."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)


def addresses(mark, count):
    return [f"{mark}{i}@{DOMAINS[i % len(DOMAINS)]}" for i in range(count)]


def check_all_arrived(stack, *groups):
    arrived = {to for to, _ in stack.arrivals()}
    for group in groups:
        missing = set(group) - arrived
        check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")


def run(test, work):
    """Runs `test(binary, emulator)`; the exit status."""
    with SqsEmulator(work) as emulator:
        test(sys.argv[1], emulator)
    print(f"{test.__name__}: ok")
    return 0
