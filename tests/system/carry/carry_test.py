# SPDX-License-Identifier: Apache-2.0
"""What waited in a store of SQLite goes out from PostgreSQL, each mail once.

usage: carry_test.py TODOKU
"""
import http.client
import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "store_postgres"))

from on_postgres import (DATABASE, PASSWORD, RECEIVERS, USER, Installation, addresses,  # noqa: E402
                         check, check_equal, check_exactly_once, run)
from api import is_ready  # noqa: E402
import processes  # noqa: E402

BULK = 2_000
CONFIG = ("[delivery]", "bulk_retry_seconds = [1, 2]", "transactional_retry_seconds = [1, 2]",
          "[cluster]", 'name = "production"')
SLOW = {domain: ["delay = { body = 0.05 }"] for domain in RECEIVERS}


class OnSqlite(Installation):
    def __init__(self, binary, server):
        super().__init__(binary, SLOW, config=CONFIG, site_defaults=["connections_max = 4"])
        self.server = server
        server.make_user(USER, PASSWORD)
        server.make_database(DATABASE, USER)
        secret = self.directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD + "\n")

    def write_new(self, folder):
        """The configuration of the new installation."""
        path = self.directory / "new.toml"
        path.write_text((self.directory / "todoku.toml").read_text() + "\n".join(
            ["[store]", 'kind = "postgres"', "[store.postgres]",
             f'address = "{self.server.address(DATABASE, USER)}"', 'password_file = "password"',
             "[data]", f'directory = "{folder}"']) + "\n")
        return path

    def run_new(self, *words, status=0):
        done = subprocess.run([self.binary, "--config", str(self.directory / "new.toml"), *words],
                              capture_output=True, text=True, cwd=self.directory, check=False,
                              timeout=600)
        check_equal(done.returncode, status, f"{words}, which said {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self, name, config):
        return processes.start(self.directory, name,
                               [self.binary, "serve", "--config", str(config)])


def refuses_what_cannot_be_carried(stack):
    source = f"sqlite:{stack.directory}/data"
    said = stack.run_new("migrate", "--from", source, "--to", "postgres", status=1)
    check("old store" in said, f"while its engine runs: {said}")


def errors_of(stack, job):
    """(status, octets) of the archive of what was wrong with a list."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=20)
    try:
        connection.request("GET", f"/api/v1/deliveries/-/emails/import/{job}/errorinfo/download",
                           None, {"Authorization": f"Bearer {stack.api.token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def import_with_an_error(stack):
    """The job's number."""
    job = stack.api.call_multipart(
        "POST", f"/deliveries/{stack.draft()}/emails/import", {"ignore_errors": True},
        [("list.csv", "text/csv", b"email\nsound@one.example\nwithout an at\n")])["job_id"]
    stack.wait_for(lambda: stack.api.call(
        "GET", f"/deliveries/-/emails/import/{job}")["status"] == "FINISHED", "the import")
    return job


def waits_on_sqlite(stack):
    """(addresses, deliveries)"""
    stack.transaction("first@one.example")
    job = import_with_an_error(stack)
    errors = errors_of(stack, job)
    check(errors[0] == 200 and errors[1], "what was wrong with a list")
    many = addresses("bulk", BULK)
    bulk = stack.bulk(many)
    later = stack.draft()
    stack.fill(later, ["reserved@two.example"])
    stack.commit(later, at=time.time() + 15)
    stack.wait_for(lambda: stack.counts(bulk)[1] > BULK // 10, "the bulk on its way")
    refuses_what_cannot_be_carried(stack)
    status, _ = stack.terminate()
    check_equal(status, 0, "exit status")
    return ["first@one.example", "reserved@two.example", *many], bulk, later, job, errors


def carries(stack):
    new = stack.write_new("new-data")
    source = f"sqlite:{stack.directory}/data"
    said = stack.run_new("migrate", "--from", source, status=1)
    check("todoku migrate up" in said, f"without tables: {said}")
    stack.run_new("migrate", "up")
    began = time.monotonic()
    said = stack.run_new("migrate", "--from", source, "--to", "postgres")
    print(said)
    check("recipients" in said and "Carried from" in said, said)
    print(f"carried in {time.monotonic() - began:.1f} s")
    said = stack.run_new("migrate", "--from", source, status=1)
    check("is not empty" in said, f"a second time: {said}")
    return new


def old_engine_stands_in_hold(stack):
    stack.engine = old = stack.start("old", stack.directory / "todoku.toml")
    stack.wait_for(lambda: "HOLD" in stack.log_of("old"), "the old engine's word")
    said = stack.command("status")
    check("HOLD" in said and "was carried" in said, f"status of the old one: {said}")
    check(not is_ready(stack.api_port), "the old engine is not ready")
    began = time.monotonic()
    old.send_signal(signal.SIGTERM)
    check_equal(old.wait(15), 0, "exit status in HOLD")
    check(time.monotonic() - began < 5, "it ends at once")


def goes_on(binary, server):
    with OnSqlite(binary, server) as stack:
        stack.write_new("new-data")
        stack.log_of = lambda name: (stack.directory / f"{name}.log").read_text(errors="replace")
        wanted, bulk, later, job, errors = waits_on_sqlite(stack)
        new = carries(stack)
        old_engine_stands_in_hold(stack)
        stack.engine = stack.start("new", new)
        stack.wait_for(lambda: is_ready(stack.api_port), "the engine on PostgreSQL")
        check_equal(errors_of(stack, job), errors, "what was wrong with the list of before")
        after = stack.transaction("after@three.example")
        stack.settle(bulk, later, after, seconds=60)
        check_equal(stack.counts(bulk)[:2], (BULK, BULK), "recipients of the bulk")
        check_exactly_once(stack.settled_log(), [*wanted, "after@three.example"])
        said = stack.run_new("explain", "first@one.example")
        check("delivered" in said, f"the story of a mail of before: {said}")
        nodes = json.loads(stack.run_new("nodes", "--json"))["nodes"]
        check_equal(len(nodes), 1, f"nodes {nodes}")
        check_equal(nodes[0]["state"], "alive", "its state")
        check("api" in nodes[0]["roles"] and nodes[0]["host"], f"node {nodes[0]}")
        print(stack.run_new("nodes"))


if __name__ == "__main__":
    sys.exit(run(goes_on))
