# SPDX-License-Identifier: Apache-2.0
"""A database that loses an answer, or whose tables somebody else holds: what was stored in doubt
goes out by itself, and whoever asks meanwhile is told in time what is true.

usage: held_test.py TODOKU
"""
import collections
import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time

from on_postgres import (DATABASE, DOMAINS, FROM, RECEIVERS, USER, OnPostgres, check, check_equal,
                         run)
from api import is_ready
from postgres_proxy import PostgresProxy
import processes

ANSWERED_WITHIN = 5.5  # seconds, whatever is locked
GOES_WITHIN = 45  # seconds after the database is back
CLIENTS = 8
SLOW = "slow.example"
ENDS_WITHIN = 8  # seconds; the mails in hand take one


class BehindProxy(OnPostgres):
    def __init__(self, binary, server, proxy):
        super().__init__(binary, server, receivers={**RECEIVERS, SLOW: ["delay = { body = 1 }"]},
                         site_defaults=["connections_max = 4"])
        self.proxy = proxy
        self.config = [f'address = "{proxy.address(DATABASE, USER)}"'
                       if line.startswith("address = ") else line for line in self.config]

    def post_text(self, to, **more):
        """(status, body, seconds)"""
        body = json.dumps({"from": FROM, "to": to, "subject": "s", "text_part": "t", **more})
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)
        began = time.monotonic()
        connection.request("POST", "/api/v1/deliveries/transaction", body, {
            "Authorization": f"Bearer {self.api.token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, time.monotonic() - began

    def times_stored(self, to):
        local, domain = to.split("@")
        return int(self.sql("SELECT count(*) FROM recipients r JOIN batches b ON b.number = r.batch"
                            f" WHERE r.address = '{local}@' AND b.domain = '{domain}'"))

    def times_arrived(self, to):
        return collections.Counter(each for each, _ in self.arrivals())[to]

    @contextlib.contextmanager
    def locked(self, table):
        """By somebody else, for as long as the `with` lasts."""
        holder = subprocess.Popen(
            [self.server.programs / "psql", "-X", "-q", "-h", self.server.folder, "-U", "keeper",
             "-d", DATABASE, "-c", f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;"
             " SELECT pg_sleep(120)"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(lambda: self.sql("SELECT count(*) FROM pg_locks WHERE granted AND mode ="
                                       " 'AccessExclusiveLock'") != "0", "the lock")
        try:
            yield
        finally:
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
            holder.wait(60)


def in_our_words(text):
    return not any(word in text for word in ("ERROR", "FATAL", "SQLSTATE", "server closed"))


def goes_by_itself_after_a_lost_answer(stack):
    to, once = "doubt@one.example", "doubt-once@two.example"
    for address, more in ((to, {}), (once, {"duplicate_policy": "at_most_once"})):
        stack.proxy.lose_answer(b"INSERT INTO deliveries(")
        status, text, seconds = stack.post_text(address, **more)
        check_equal(status, 503, f"status when the answer to the commit was lost: {text}")
        check("not known whether" in text and in_our_words(text), text)
        check(seconds < ANSWERED_WITHIN, f"answered after {seconds:.1f} s")
        check(stack.proxy.lost.is_set(), "the answer was not lost")
        stack.proxy.come_back()
        check_equal(stack.times_stored(address), 1, f"{address} in the database")
        stack.wait_for(lambda: is_ready(stack.api_port), "readiness", 20)
    began = time.monotonic()
    stack.wait_for(lambda: stack.times_arrived(to) and stack.times_arrived(once),
                   "mail whose commit was in doubt", GOES_WITHIN)
    print(f"stored in doubt, sent {time.monotonic() - began:.1f} s after the database was back")
    check(stack.metric("todoku_forgotten_batches_total") >= 2, "who counted what was forgotten")
    stack.settled_log()
    check_equal((stack.times_arrived(to), stack.times_arrived(once)), (1, 1), "arrivals")


def tells_in_time_what_is_true(stack, table):
    answers, stop = [], threading.Event()

    def keep_posting(client):
        while not stop.is_set():
            to = f"{table}{client}-{len(answers)}-{time.monotonic_ns()}@{DOMAINS[client % 3]}"
            answers.append((to, *stack.post_text(to)))
            time.sleep(0.1)

    clients = [threading.Thread(target=keep_posting, args=(n,)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    with stack.locked(table):
        time.sleep(7)
    stack.wait_for(lambda: answers[-1][1] == 201, "mail is taken again", 10)
    stop.set()
    for client in clients:
        client.join()
    slowest = max(seconds for *_, seconds in answers)
    told = collections.Counter(status for _, status, _, _ in answers)
    print(f"{table} locked: {dict(told)}, the slowest after {slowest:.1f} s")
    check(set(told) == {201, 503}, f"answers {told}")
    check(slowest < ANSWERED_WITHIN, f"answered after {slowest:.1f} s")
    for to, status, text, _ in answers:
        check(in_our_words(text), text)
        stored = stack.times_stored(to)
        if status == 201 or "nothing was stored" in text:
            check_equal(stored, 1 if status == 201 else 0, f"{to}, answered {status} {text}")
        else:
            check("not known whether" in text and stored <= 1, f"{to}: {stored} times; {text}")


def starts_when_the_lock_is_gone(stack):
    check_equal(stack.terminate()[0], 0, "exit status")
    stack.engine = None  # none is to run until the table is locked
    with stack.locked("nodes"):
        stack.engine = processes.start(stack.directory, "engine", [
            stack.binary, "serve", "--config", str(stack.directory / "todoku.toml")])
        stack.wait_for(lambda: "the database cannot be reached yet" in stack.engine_log(),
                       "the log's word", 20)
        check(stack.engine.poll() is None, stack.engine_log())
    stack.wait_for(lambda: is_ready(stack.api_port), "the engine that waited", 20)
    stack.settle(stack.transaction("waited@one.example"))


def ends_at_once_without_a_lease(stack):
    """Somebody else has the store, and there is nothing left to do."""
    stack.bulk([f"slow{i}@{SLOW}" for i in range(300)])
    stack.wait_for(lambda: stack.metric("todoku_mails_in_hand") > 0, "mails in hand")
    now = "(extract(epoch FROM now()) * 1000)::bigint"
    stack.sql("BEGIN; UPDATE nodes SET void = 1;"
              f" INSERT INTO nodes VALUES(999999999999, 'other', 'all', 'x', {now}, 0);"
              f" INSERT INTO node_leases VALUES(999999999999, {now} + 14000); COMMIT")
    stack.wait_for(lambda: "this process counted as dead" in stack.engine_log(), "the log's word")
    stack.wait_for(lambda: stack.metric("todoku_mails_in_hand") == 0, "mails that were in hand")
    status, seconds = stack.terminate(60)
    print(f"ended without a lease after {seconds:.1f} s")
    check_equal(status, 0, "exit status")
    check(seconds < ENDS_WITHIN, f"it took {seconds:.1f} s to end with nothing to do")


def is_held(binary, server):
    with PostgresProxy(server) as proxy, BehindProxy(binary, server, proxy) as stack:
        stack.settle(stack.transaction("first@one.example"))
        goes_by_itself_after_a_lost_answer(stack)
        for table in ("batches", "nodes"):
            tells_in_time_what_is_true(stack, table)
        starts_when_the_lock_is_gone(stack)
        ends_at_once_without_a_lease(stack)


if __name__ == "__main__":
    sys.exit(run(is_held))
