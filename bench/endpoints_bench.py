# SPDX-License-Identifier: Apache-2.0
"""What telling endpoints of webhooks costs the engine, in processor time a mail.

A bulk of unsigned mail is delivered while nobody is told; then the endpoint is switched on and told
all of it, in order, as its events come: nothing else happens then, so that what is measured is the
telling alone: reading events, deciding, bodies, signatures, calls, progress. Once more while 100
endpoints of the installation hang at another destination, nine of the same account; and once more
while 90 others hang at its own host (calls to one host are bounded over all accounts). What the
engine takes when it is idle is left out. The receiver's processor time is not counted.
  --mails N   of the bulk, instead of 200,000
  --rounds N  instead of 3
  --quick     a tenth, once
"""
import argparse
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, ROOT, BenchStack  # noqa: E402  (first: it adds folders)
from figures import figure, median  # noqa: E402
import bench_mails  # noqa: E402
import process_info  # noqa: E402
from api import Api  # noqa: E402

sys.path.insert(0, str(ROOT / "tests/system/webhooks"))

from receiver import Receiver  # noqa: E402

TEXT = bench_mails.text_of(2048)
HANGING = 100
BESIDE = 90
OF_AN_ACCOUNT = 10
IDLE_SECONDS = 10
TOLD_SECONDS_MAX = 600


class Counting:
    """A URL that counts what it is told instead of keeping it."""

    def __init__(self, hook):
        self.events = self.calls = 0
        self.url = hook.url
        self.lock = threading.Lock()
        hook.take, self.challenged = self.take, hook.take

    def take(self, call):
        if call.json.get("type") == "endpoint.challenge":
            return self.challenged(call)
        with self.lock:
            self.events += len(call.events)
            self.calls += 1
        return 200, b""


def registered(api, url):
    return api.call("POST", "/webhooks", {"url": url})["webhook"]


def idle_rate(pid):
    """Processor time a second of an engine with nothing to do."""
    before = process_info.cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (process_info.cpu_seconds(pid) - before) / IDLE_SECONDS


class Telling:
    def __init__(self, stack, api, hook, mails):
        self.stack, self.api, self.hook, self.mails = stack, api, hook, mails
        self.name = registered(api, hook.url)

    def cost(self):
        """(microseconds a mail, events/s) of one bulk."""
        self.api.call("PATCH", f"/webhooks/{self.name}", {"enabled": False})
        delivery = self.stack.draft(TEXT)
        self.stack.fill(delivery, (f"user{i}@one.example" for i in range(self.mails)))
        self.stack.send(delivery, self.mails)
        pid = self.stack.engine.pid
        idle = idle_rate(pid)
        told, calls = self.hook.events, self.hook.calls
        before, began = process_info.cpu_seconds(pid), time.monotonic()
        self.api.call("PATCH", f"/webhooks/{self.name}", {"enabled": True})
        while self.hook.events - told < self.mails:
            if time.monotonic() - began > TOLD_SECONDS_MAX:
                raise RuntimeError(f"told {self.hook.events - told} of {self.mails}")
            time.sleep(0.05)
        seconds = time.monotonic() - began
        used = process_info.cpu_seconds(pid) - before - idle * seconds
        events = self.hook.events - told
        figure("events_a_call", events / (self.hook.calls - calls), "events")
        return used * 1e6 / self.mails, events / seconds


def hang(stack, mine, others, receiver, prefix):
    """Registers endpoints that answer nothing but their challenge, `mine` of an account that has
    them already and ten each of new ones; each gets something to tell."""
    forever = threading.Event()

    def answer(_):
        forever.wait()
        return 500

    accounts = list(mine)
    for number in range(others + 9 * len(mine)):
        # One place of the first account is taken.
        if (number + len(mine)) % OF_AN_ACCOUNT == 0:
            name = f"{prefix}{number}"
            stack.add_named_account(name)
            accounts.append(Api(stack.api_port, admin_token(stack, name)))
        hook = receiver.hook(f"{prefix}{number}")
        hook.answer = answer
        registered(accounts[-1], hook.url)
    for one in accounts:
        one.call("POST", "/deliveries/transaction", {
            "from": {"email": "shop@plain.example"}, "to": "somebody@one.example", "subject": "x",
            "text_part": "x"})


def admin_token(stack, account):
    shown = stack.command("key", "add", account, "--scopes", "send,read,content,admin")
    return next(line.split()[-1] for line in shown.splitlines() if line.startswith("bearer token"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--mails", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    mails = options.mails // 10 if options.quick else options.mails
    rounds = 1 if options.quick else options.rounds
    config = ["connections_max = 20", "messages_per_connection = 1000", "[outbound]",
              'allow = ["127.0.0.1:*", "127.0.0.9:*"]']
    with Receiver() as receiver, Receiver("127.0.0.9") as elsewhere, \
            BenchStack(options.binary, {"one.example": FAST}, config) as stack:
        api = Api(stack.api_port, admin_token(stack, "tester"))
        telling = Telling(stack, api, Counting(receiver.hook("all")), mails)

        def measure(what):
            costs, rates = zip(*(telling.cost() for _ in range(rounds)))
            figure(f"told{what}_cpu", median(costs), "us/mail")
            figure(f"told{what}", median(rates), "events/s")

        measure("")
        hang(stack, [api], HANGING - 9, elsewhere, "hanging")
        stack.wait_for(lambda: stack.metric("todoku_webhook_endpoints") == HANGING + 1,
                       "all endpoints taken")
        measure("_100_hang")
        hang(stack, [], BESIDE, receiver, "beside")
        stack.wait_for(lambda: stack.metric("todoku_webhook_endpoints") == HANGING + BESIDE + 1,
                       "those of its host, too")
        measure("_90_hang_beside")
        figure("failing", stack.metric("todoku_webhook_endpoints", status="failing"), "endpoints")


if __name__ == "__main__":
    main()
