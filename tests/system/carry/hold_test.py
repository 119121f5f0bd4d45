# SPDX-License-Identifier: Apache-2.0
"""Staging on a snapshot of production: nothing is accepted or sent before somebody has said so.

usage: hold_test.py TODOKU
"""
import json
import pathlib
import signal
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "store_postgres"))

from on_postgres import (DATABASE, USER, OnPostgres, check, check_equal, run)  # noqa: E402
from api import is_ready  # noqa: E402

CONFIG = ("[delivery]", "bulk_retry_seconds = [1, 2]", "[cluster]", 'name = "production"')
WAITING = [f"w{i}@one.example" for i in range(600)]
SLOW = {"one.example": ["delay = { body = 0.2 }"], "two.example": []}


def asked(port, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def begin(stack):
    """What waits: a bulk on its way, and a reserved one, which is returned."""
    bulk = stack.bulk(WAITING)
    later = stack.draft()
    stack.fill(later, ["reserved@two.example"])
    stack.commit(later, at=time.time() + 3600)
    stack.wait_for(lambda: stack.counts(bulk)[1] > 3, "the bulk on its way")
    return later


def configured(stack, name, database=DATABASE):
    """A configuration of staging, and its port."""
    config, port = stack.write_second(
        name, address=f'"{stack.server.address(database, USER)}"')
    config.write_text(config.read_text().replace('name = "production"', 'name = "staging"'))
    return config, port


def stands_in_hold(stack, config, port, name, differs="production"):
    """The process, which is in HOLD."""
    process = stack.start_second(config, port, name)
    if stack.engine.poll() is not None:
        stack.engine = process  # whose end ends any waiting
    stack.wait_for(lambda: "HOLD" in stack.engine_log(name), f"{name}'s word in the log")
    stack.wait_for(lambda: stack.listens("127.0.0.1", port), f"{name}'s API")
    status, said, _ = asked(port, "/readyz")
    check_equal(status, 503, f"/readyz of {name}, which said {said}")
    check("HOLD" in said and differs in said, f"/readyz of {name}: {said}")
    for body in (None, b"{}"):
        status, said, headers = asked(port, "/api/v1/deliveries/transaction", body)
        check_equal(status, 503, f"the API of {name}")
        check("HOLD" in said and differs in said and headers["Retry-After"], said)
    check_equal(asked(port, "/healthz")[0], 200, "/healthz: nobody is to restart it")
    status, said, _ = stack.run_other(config, "status")
    check_equal(status, 0, said)
    check("HOLD" in said and differs in said and "todoku cluster adopt" in said, said)
    status, said, _ = stack.run_other(config, "status", "--lang", "ja")
    check("引き継ぐには" in said, said)
    stack.refuses(f"a change in {name}", config, ["HOLD"], "account", "add", "somebody")
    return process


def ends(process):
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(15), 0, "exit status in HOLD")
    check(time.monotonic() - began < 5, "it ends at once")


def beside_production(stack):
    """A process of staging that reaches the database of production itself."""
    config, port = configured(stack, "strayed")
    process = stands_in_hold(stack, config, port, "strayed")
    stack.refuses("adopting what is served", config, ["an engine works on this store"],
                  "cluster", "adopt", "--send-waiting")
    stack.refuses("cancelling what is served", config, ["an engine works on this store"],
                  "cluster", "adopt", "--cancel-waiting")
    check(is_ready(stack.api_port), "production is not disturbed")
    ends(process)


def snapshot(stack, name):
    stack.server.sql(f"CREATE DATABASE {name} TEMPLATE {DATABASE} OWNER {USER}", "postgres")


def cancels(stack):
    snapshot(stack, "copy1")
    config, port = configured(stack, "staging", "copy1")
    process = stands_in_hold(stack, config, port, "staging", f"/{DATABASE} and")
    before = len(stack.settled_log())
    said = stack.run_other(config, "cluster", "adopt")
    check_equal(said[0], 1, f"adopt without a word about what waits: {said[1]}")
    check("2 deliveries with" in said[1] and "--cancel-waiting" in said[1], said[1])
    check("/copy1" in said[1] and '"staging" here' in said[1], f"what differs: {said[1]}")
    check_equal(asked(port, "/readyz")[0], 503, "still in HOLD")
    said = stack.run_other(config, "cluster", "adopt", "--cancel-waiting", "--json")
    check_equal(said[0], 0, said[1])
    answer = json.loads(said[1])
    check(answer["adopted"] and answer["cancelled"], said[1])
    stack.wait_for(lambda: is_ready(port), "the engine that goes on")
    check_equal(stack.run_other(config, "cluster", "adopt")[0], 0, "nothing to adopt any more")
    said = stack.run_other(config, "explain", WAITING[-1])[1]
    check("cancelled" in said and "withdrawn by an operator" in said, f"a story: {said}")
    said = stack.run_other(config, "explain", WAITING[-1], "--lang", "ja")[1]
    check("取り消しました" in said, f"a story: {said}")
    said = stack.run_other(config, "explain", "reserved@two.example")[1]
    check("withdrawn" in said, f"the story of what was reserved: {said}")
    time.sleep(1.5)
    check_equal(len(stack.settled_log()), before, "arrivals after what waited was cancelled")
    check("to go" in stack.run_other(config, "status")[1], "status")
    ends(process)


def sends(stack):
    snapshot(stack, "copy2")
    config, port = configured(stack, "second", "copy2")
    process = stands_in_hold(stack, config, port, "second")
    before = len(stack.settled_log())
    check_equal(stack.run_other(config, "cluster", "adopt", "--send-waiting")[0], 0, "adopt")
    stack.wait_for(lambda: is_ready(port), "the engine that goes on")
    stack.wait_for(lambda: len(stack.log()) > before, "what waited is sent")
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(60), 0, "exit status")


def holds(binary, server):
    with OnPostgres(binary, server, receivers=SLOW, config=CONFIG,
                    site_defaults=["connections_max = 2"]) as stack:
        later = begin(stack)
        beside_production(stack)
        check_equal(stack.terminate()[0], 0, "exit status of production")
        cancels(stack)
        sends(stack)
        # Under its own names production goes on.
        stack.start_engine()
        check_equal(stack.status_of(later), "RESERVE", "what production has reserved")


if __name__ == "__main__":
    sys.exit(run(holds))
