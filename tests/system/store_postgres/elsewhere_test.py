# SPDX-License-Identifier: Apache-2.0
"""What tools say and do that reach the database, but not the engine that works on it.

usage: elsewhere_test.py TODOKU
"""
import signal
import subprocess
import sys
import time

from on_postgres import USER, OnPostgres, check, check_equal, run
from api import is_ready
import processes

ADDRESS = "slow@mute.example"
RECEIVERS = {"mute.example": ["delay = { body = 300 }"]}
CONFIG = ("[engine]", "drain_seconds = 1")
LEASE = 15  # seconds
OTHER_HOST = "other.example"
UNTRUE = ("todoku serve", "not running", "when it ended", "停止中")
AS_ANOTHER_HOST = ["unshare", "--user", "--map-root-user", "--uts", "sh", "-c",
                   f'hostname {OTHER_HOST} && exec "$0" "$@"']


def living_node(stack):
    return stack.sql("SELECT name FROM nodes WHERE void = 0")


def tells_where_the_engine_is(stack, config, **how):
    """By a mail that it has in hand."""
    node = living_node(stack)
    for language, words in (("en", f"The engine of node {node}"), ("ja", f"ノード {node}")):
        status, said, _ = stack.run_other(config, "explain", ADDRESS, "--lang", language, **how)
        check_equal(status, 0, f"explain, which said\n{said}")
        check(words in said, f"{words!r} is not in\n{said}")
        check(not any(each in said for each in UNTRUE), said)
        status, said, _ = stack.run_other(config, "status", "--lang", language, **how)
        check_equal(status, 0, f"status, which said\n{said}")
        check(node in said and not any(each in said for each in UNTRUE), said)
    for command in ("healthcheck", "drain"):
        stack.refuses(command, config, [f"runs as node {node}"], command, **how)


def goes_on_under_another_host_name(stack):
    """A container that is made anew, on the volume of one that was killed."""
    node = living_node(stack)
    stack.kill_engine()
    said = stack.explain(ADDRESS)
    check("start it with `todoku serve`" in said, f"a killed engine of this folder: {said}")
    other = AS_ANOTHER_HOST
    if subprocess.run([*other, "true"], check=False, capture_output=True).returncode != 0:
        print("host names cannot be changed here: the same one is taken")
        other = []
    began = time.monotonic()
    stack.engine = processes.start(stack.directory, "moved", [
        *other, stack.binary, "serve", "--config", str(stack.directory / "todoku.toml")])
    stack.wait_for(lambda: is_ready(stack.api_port), "the engine of another host name")
    took = time.monotonic() - began
    print(f"ready under another host name: {took:.1f} s")
    check(took < LEASE / 2, "it waits for the lease of the one before")
    check_equal(living_node(stack), node, "the node's name")
    if other:
        check(OTHER_HOST in stack.sql("SELECT roles FROM nodes WHERE void = 0"), "where it runs")


def begins_nothing_beside_an_old_store(stack):
    """By a database that is not the one meant, in which nobody has worked yet."""
    stack.server.make_database("empty", USER)
    wrong, _ = stack.write_second("wrong", address=f'"{stack.server.address("empty", USER)}"')
    check_equal(stack.run_other(wrong, "migrate", "up")[0], 0, "migrate up")
    folder = stack.directory / "wrong-data"
    folder.mkdir(mode=0o700)
    (folder / "todoku.db").touch(mode=0o600)
    old = ["a database of SQLite", "--new"]
    stack.refuses("serve", wrong, old)
    stack.refuses("a key", wrong, old, "key", "add", "tester")
    stack.refuses("an account", wrong, old, "account", "add", "tester")
    check_equal(stack.run_other(wrong, "account", "list")[0], 0, "who only looks")
    stack.refuses("serve again", wrong, old)
    status, said, _ = stack.run_other(wrong, "--new", "account", "add", "tester")
    check_equal(status, 0, f"a new one that is meant, which said\n{said}")


def from_elsewhere(binary, server):
    with OnPostgres(binary, server, receivers=RECEIVERS, config=CONFIG) as stack:
        stack.transaction(ADDRESS)
        stack.wait_for(lambda: stack.metric("todoku_smtp_connections") == 1, "the mail in hand")
        second, _ = stack.write_second()
        tells_where_the_engine_is(stack, second)
        tells_where_the_engine_is(stack, stack.directory / "todoku.toml", environment={
            "TODOKU_ADMIN__SOCKET": str(stack.directory / "nobody.sock")})
        goes_on_under_another_host_name(stack)
        stack.engine.send_signal(signal.SIGTERM)
        check_equal(stack.engine.wait(30), 0, "exit status")
        said = stack.run_other(second, "explain", ADDRESS)[1]
        check("start it with `todoku serve`" in said, f"when none runs anywhere: {said}")
        begins_nothing_beside_an_old_store(stack)


if __name__ == "__main__":
    sys.exit(run(from_elsewhere))
