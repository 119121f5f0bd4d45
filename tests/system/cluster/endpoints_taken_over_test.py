# SPDX-License-Identifier: Apache-2.0
"""Two processes with the role events over one PostgreSQL server. One tells all endpoints until it
is killed in the middle of a call: the other takes them over, in the order of each recipient, and
nothing is lost. Then that one ends in order, and hands over without telling anything twice.

usage: endpoints_taken_over_test.py TODOKU QUEUE_KIND [WORK_FOLDER]
"""
import http.client
import json
import pathlib
import sys
import threading
import time

from on_cluster import DOMAINS, OnCluster, addresses, check, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "webhooks"))

from receiver import Receiver  # noqa: E402
from told import check_signatures, check_told, read_on  # noqa: E402

BULK = 900
HOOKS = 4
ROLES = {"api1": "api", "scheduler1": "scheduler", "courier1": "courier", "events1": "events",
         "events2": "events"}
SLOW = {domain: ["delay = { body = 0.02 }"] for domain in DOMAINS}
FOUND_DEAD = 60  # seconds: a lease, and the next look


class Telling(OnCluster):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.config += ["[outbound]", 'allow = ["127.0.0.1:*"]']

    def ask(self, method, path, body=None):
        port = self.parts["api1"].api_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, {
                "Authorization": f"Bearer {self.api.token}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        check(answer.status < 300, f"{method} {path}: {answer.status} {text}")
        return json.loads(text)

    def tells(self, name):
        return int(self.metric_of(name, "todoku_webhook_endpoints"))

    def stream(self):
        return read_on(lambda path: self.ask("GET", path), "")[0]

    def sent(self, mails):
        """Waits for their outcomes; the stream then."""
        self.wait_for(lambda: sum(event["kind"] == "sent" for event in self.stream()) >= mails,
                      "all outcomes", 120)
        self.wait_for(lambda: self.stream()[-1]["kind"] == "delivery_finished", "the end")
        return self.stream()


def all_told(stack, hooks, stream, seconds):
    ids = {event["event_id"] for event in stream}
    stack.wait_for(lambda: all(ids <= set(dict(hook.events)) for hook in hooks),
                   "all events at all endpoints", seconds)
    for hook in hooks:
        check_told(hook, stream)
        check_signatures(hook, hook.secret)


def taken_over_from_one_that_was_killed(stack, hooks):
    stack.wait_for(lambda: stack.tells("events1") + stack.tells("events2") == HOOKS,
                   "endpoints taken")
    dead, left = "events1", "events2"
    if stack.tells(dead) == 0:
        dead, left = left, dead
    print(f"{dead} tells {stack.tells(dead)} of {HOOKS}")
    released = threading.Event()
    stack.bulk(addresses("first", BULK))
    stack.wait_for(lambda: all(len(hook.events) > 100 for hook in hooks), "events told")
    for hook in hooks:
        hook.answer = lambda _: 200 if released.wait(30) else 500
    stack.wait_for(lambda: any(hook.open for hook in hooks), "a call")
    stack.kill(dead)
    killed = time.monotonic()
    under_way = sum(hook.open for hook in hooks)
    released.set()
    stack.wait_for(lambda: stack.tells(left) == HOOKS, "endpoints taken over", FOUND_DEAD)
    print(f"killed with {under_way} calls under way; "
          f"taken over after {time.monotonic() - killed:.1f} s")
    stream = stack.sent(BULK)
    all_told(stack, hooks, stream, FOUND_DEAD)
    twice = [len(hook.events) - len(dict(hook.events)) for hook in hooks]
    print(f"{len(stream)} events at each of {HOOKS}, told twice: {twice}")
    return left


def handed_over_by_one_that_ends(stack, hooks, old):
    before = [len(hook.events) - len(dict(hook.events)) for hook in hooks]
    stack.start_process("events3", "events")
    stack.wait_for(stack.parts["events3"].is_ready, "events3")
    delivery = stack.draft()
    stack.fill(delivery, addresses("second", BULK), immediate=True)
    seen = [len(hook.events) for hook in hooks]
    stack.wait_for(lambda: all(len(hook.events) > count + 50 for hook, count in zip(hooks, seen)),
                   "events told")
    stack.end(old)
    ended = time.monotonic()
    stack.wait_for(lambda: stack.tells("events3") == HOOKS, "endpoints handed over", 20)
    print(f"handed over within {time.monotonic() - ended:.1f} s")
    stream = stack.sent(2 * BULK)
    all_told(stack, hooks, stream, 60)
    after = [len(hook.events) - len(dict(hook.events)) for hook in hooks]
    check(after == before, f"told twice by handing over: {before}, then {after}")
    check(stack.metric_of("events3", "todoku_unhandled_exceptions_total") == 0.0, "exceptions")


def endpoints_taken_over(binary, server, queue):
    with Receiver() as receiver, Telling(binary, server, queue, ROLES, SLOW) as stack:
        stack.use("api1")
        shown = stack.run_other(stack.parts["api1"].config, "key", "add", "tester", "--scopes",
                                "send,read,content,admin")[1]
        stack.api.token = next(line.split()[-1] for line in shown.splitlines()
                               if line.startswith("bearer token"))
        hooks = [receiver.hook(f"hook{number}") for number in range(HOOKS)]
        for hook in hooks:
            hook.secret = stack.ask("POST", "/webhooks", {"url": hook.url})["secret"]
        left = taken_over_from_one_that_was_killed(stack, hooks)
        handed_over_by_one_that_ends(stack, hooks, left)


if __name__ == "__main__":
    sys.exit(run(endpoints_taken_over))
