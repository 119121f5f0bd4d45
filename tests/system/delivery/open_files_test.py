# SPDX-License-Identifier: Apache-2.0
"""Open files are few: a flood of silent clients costs the others nothing, and what the engine lacks
itself is no attempt at a mail and no fault of a receiver's."""
import http.client
import json
import os
import re
import resource
import socket
import sys
import time

from installation import FROM, Installation, check, check_equal, run
import patience
import processes
from api import ApiError, is_ready

RECEIVERS = {"one.example": []}
FLOOD = 1_100
LIMIT = 1_024
# A second attempt would come much later than the end of this test.
CONFIG = ["[delivery]", "transactional_retry_seconds = [600]", "site_rest_first_seconds = 600"]


class Poor(Installation):
    """An engine that may have `limit` files open."""

    def __init__(self, binary, limit=LIMIT, **more):
        self.limit = limit
        super().__init__(binary, RECEIVERS, CONFIG, **more)

    def start_engine(self):
        self.engine = processes.start(
            self.directory, "engine",
            ["prlimit", f"--nofile={self.limit}:{self.limit}", self.binary, "serve", "--config",
             str(self.directory / "todoku.toml")])
        self.wait_for(lambda: is_ready(self.api_port), "the engine")

    def flood(self, addresses):
        """Silent connections from these addresses in turn; who is closed early does not matter."""
        clients = []
        for i in range(FLOOD):
            client = socket.socket()
            client.bind((addresses[i % len(addresses)], 0))
            client.connect(("127.0.0.1", self.api_port))
            clients.append(client)
        return clients

    def check_told_as_one_attempt(self, address):
        story = self.await_story(address, "Attempt 1")
        check("Attempt 2" not in story and "deferred" not in story, story)
        check_equal(self.metric("todoku_outcomes_total", state="deferred"), 0.0, "deferred mails")
        check_equal(self.metric("todoku_lanes", state="resting"), 0.0, "resting sites")

    def uploads(self):
        return list((self.directory / "data").glob("*.upload*"))

    def log_lines(self, words):
        log = (self.directory / "engine.log").read_text(errors="replace")
        return [line for line in log.splitlines() if words in line]


def allow_ourselves_the_flood():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most == resource.RLIM_INFINITY or most > FLOOD + 200


def one_silent_client_costs_the_others_nothing(binary):
    with Poor(binary) as stack:
        clients = stack.flood(["127.0.0.3"])
        sent = stack.transaction("a@one.example")
        stack.settle(sent)
        stack.check_told_as_one_attempt("a@one.example")
        check(is_ready(stack.api_port), "ready")
        stack.command("healthcheck")  # over the admin socket
        check(stack.metric("todoku_http_connections", server="api") <= 64 + 40,
              "connections of one client")
        check(stack.metric("todoku_http_connections_refused_total", server="api") >= FLOOD - 64,
              "refused connections")
        for client in clients:
            client.close()


def many_silent_clients_make_room(binary):
    with Poor(binary) as stack:
        clients = stack.flood([f"127.0.3.{i + 1}" for i in range(50)])
        stack.command("healthcheck")  # over the admin socket

        def accepted():
            # 503 with Retry-After: every connection is younger than a second.
            try:
                return stack.transaction("b@one.example")
            except ApiError:
                return None
        sent = []
        stack.wait_for(lambda: sent.append(accepted()) or sent[-1], "a place for a newcomer", 10)
        stack.settle(sent[-1])
        stack.check_told_as_one_attempt("b@one.example")
        check(stack.metric("todoku_http_connections_displaced_total", server="api") > 0,
              "connections that made room")
        limit = stack.metric("todoku_http_connections_limit", server="api")
        check(100 < limit < LIMIT, f"{limit} places for connections")
        check(stack.metric("process_open_fds") < LIMIT, "open files")
        for client in clients:
            client.close()


def lowest_free(pid):
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return next(number for number in range(len(taken) + 1) if number not in taken)


class Caller:
    """A connection that stays open."""

    def __init__(self, stack):
        self.token = stack.api.token
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=20)
        self.connection.connect()

    def transaction(self, to):
        body = json.dumps({"from": FROM, "to": to, "subject": "s", "text_part": "t"})
        self.connection.request("POST", "/api/v1/deliveries/transaction", body,
                                {"Authorization": f"Bearer {self.token}",
                                 "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        check_equal(answer.status, 201, f"status ({told})")
        return told["delivery_id"]


def what_the_engine_lacks_is_no_attempt(binary):
    zone = ["two.example. MX 10 mx.one.example.", "three.example. MX 10 mx.one.example."]
    with Poor(binary, zone=zone, site_defaults=["idle_seconds = 1"]) as stack:
        stack.settle(stack.transaction("warm@one.example"))
        stack.wait_for(lambda: stack.metric("todoku_smtp_connections") == 0, "idle lanes")
        caller = Caller(stack)
        caller.transaction("warm@one.example")
        stack.wait_for(lambda: len(stack.log()) == 2, "the second mail")
        stack.wait_for(lambda: stack.metric("todoku_smtp_connections") == 0, "idle lanes")
        time.sleep(0.2)  # what asked for the metrics is gone, too
        pid = stack.engine.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(pid), LIMIT))
        known = caller.transaction("c@one.example")  # its route is remembered
        asked = caller.transaction("d@two.example")
        asked_too = caller.transaction("d@three.example")
        stack.wait_for(lambda: stack.log_lines("no connections to receivers"), "a line in the log")
        stack.wait_for(lambda: stack.log_lines("no questions to name servers"), "another", 25)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        stack.settle(known, asked, asked_too, seconds=30)
        for address in ("c@one.example", "d@two.example", "d@three.example"):
            stack.check_told_as_one_attempt(address)
        check(stack.metric("todoku_smtp_own_shortages_total") > 0, "counted connections")
        check(stack.metric("todoku_dns_own_shortages_total") > 0, "counted questions")
        check_equal(len(stack.log_lines("no connections to receivers")), 1, "lines")
        # Over it is once it has gone well for ten seconds (base/trouble.h).
        again = "connections to receivers are begun again"
        until = patience.until(30)
        while not stack.log_lines(again):
            check(time.monotonic() < until, "waited in vain for the end of it")
            stack.settle(caller.transaction("e@one.example"))
            time.sleep(1.2)  # the lane goes idle: the next mail begins a connection
        check_equal(len(stack.log_lines(again)), 1, "lines")
        check_equal(len(stack.log_lines("site rests")), 0, "resting sites")


def uploads_have_a_part_of_their_own(binary):
    with Poor(binary, limit=440) as stack:
        uploads_max = int(re.search(r"uploads=(\d+)", stack.log_lines("files divided")[0])[1])
        half = (uploads_max + 1) // 2  # what one account may have while the others have none
        draft = stack.draft()
        slow = [begin_upload(stack, draft) for _ in range(half)]
        stack.wait_for(lambda: len(stack.uploads()) == half, "slow uploads")
        with begin_upload(stack, draft) as client:
            answer = http.client.HTTPResponse(client)
            answer.begin()
            check_equal(answer.status, 503, "status of one upload more")
            check(answer.headers["Retry-After"], "Retry-After")
        slow.pop().close()
        stack.wait_for(lambda: len(stack.uploads()) == half - 1, "the end of a cut one")
        stack.fill(draft, ["a@one.example"])
        for client in slow:
            client.close()
        stack.wait_for(lambda: not stack.uploads(), "the end of all")


def begin_upload(stack, draft):
    """A client that has sent so much of a file that the engine has begun to write it."""
    client = socket.create_connection(("127.0.0.1", stack.api_port), timeout=20)
    client.sendall(
        f"POST /api/v1/deliveries/{draft}/emails/import HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {stack.api.token}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode()
        + b"email\n" * 20_000)
    return client


if __name__ == "__main__":
    if not allow_ourselves_the_flood():
        sys.exit(77)
    sys.exit(run(one_silent_client_costs_the_others_nothing, many_silent_clients_make_room,
                 what_the_engine_lacks_is_no_attempt, uploads_have_a_part_of_their_own))
