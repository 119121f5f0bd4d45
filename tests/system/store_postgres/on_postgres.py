# SPDX-License-Identifier: Apache-2.0
"""An installation whose store is on a PostgreSQL server of its own."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / "support"), str(SYSTEM / "delivery")]

from installation import (FROM, Installation, QUICK, check, check_equal,  # noqa: E402,F401
                          check_exactly_once)
import processes  # noqa: E402
from api import Api, ApiError, is_ready  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from ports import free_port  # noqa: E402

USER, PASSWORD, DATABASE = "todoku", "first pass word", "mail"
DOMAINS = ("one.example", "two.example", "three.example")
RECEIVERS = {domain: [] for domain in DOMAINS}


def addresses(mark, count):
    return [f"{mark}{i}@{DOMAINS[i % len(DOMAINS)]}" for i in range(count)]


class OnPostgres(Installation):
    """`server`: one that runs. The database is made, but not its tables."""

    def __init__(self, binary, server, receivers=RECEIVERS, **more):
        super().__init__(binary, receivers, **more)
        self.server = server
        server.make_user(USER, PASSWORD)
        server.make_database(DATABASE, USER)
        self.password_file = self.directory / "password"
        self.write_password(PASSWORD)
        self.config += ["[store]", 'kind = "postgres"', "[store.postgres]",
                        f'address = "{server.address(DATABASE, USER)}"',
                        'password_file = "password"']

    def write_password(self, password):
        """As tools do it that hand out secrets: the file is whole at any time."""
        new = self.directory / "password.new"
        new.touch(mode=0o600)
        new.write_text(password + "\n")
        new.rename(self.password_file)

    def add_account(self):
        self.before_tables()
        self.command("migrate", "up")
        super().add_account()

    def before_tables(self):
        """For a test to look at the database while it is empty."""

    def sql(self, statements):
        return self.server.sql(statements, DATABASE)

    # ---- a second installation on the same database ----------------------------------------

    def write_second(self, name="second", **replaced):
        """Another configuration: a folder and a port of its own; the same master key and database.
        `replaced`: lines by what they begin with."""
        port = free_port()
        lines = []
        for line in (self.directory / "todoku.toml").read_text().splitlines():
            for key, value in replaced.items():
                if line.startswith(f"{key} = "):
                    line = f"{key} = {value}"
            if line.startswith("listen = "):
                line = f'listen = "127.0.0.1:{port}"'
            lines.append(line)
        lines += ["[data]", f'directory = "{name}-data"']
        path = self.directory / f"{name}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path, port

    def run_other(self, config, *words, environment=None, seconds=30):
        """(exit status, all that it said, seconds)."""
        began = time.monotonic()
        done = subprocess.run([self.binary, "--config", str(config), *words], text=True,
                              capture_output=True, cwd=self.directory, check=False,
                              timeout=seconds, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout + done.stderr, time.monotonic() - began

    def refuses(self, what, config, words, *command, **how):
        """A command, `serve` if none is given, that ends with status 1 and says these words."""
        status, said, seconds = self.run_other(config, *(command or ("serve",)), **how)
        check_equal(status, 1, f"{what}: exit status, which said\n{said}\n")
        for word in words:
            check(word in said, f"{what}: {word!r} is not in\n{said}")
        check("terminate called" not in said, f"{what}: {said}")
        print(f"{what} ({seconds:.1f} s):\t{said.strip().splitlines()[-1]}", flush=True)
        return seconds

    # ---- asking ----------------------------------------------------------------------------

    def post(self, to):
        """(status, Retry-After, delivery or None, seconds) of a transaction."""
        body = json.dumps({"from": FROM, "to": to, "subject": "s", "text_part": "t"})
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)
        began = time.monotonic()
        try:
            connection.request("POST", "/api/v1/deliveries/transaction", body, {
                "Authorization": f"Bearer {self.api.token}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        delivery = json.loads(text).get("delivery_id") if answer.status < 300 else None
        return answer.status, answer.getheader("Retry-After"), delivery, time.monotonic() - began

    def is_sent(self, delivery):
        """Each connection comes back when it does: until then a question may get 503."""
        try:
            return self.status_of(delivery) == "SENT"
        except ApiError:
            return False

    def engine_log(self, name="engine"):
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def start_second(self, config, port, name="second"):
        return processes.start(self.directory, name,
                               [self.binary, "serve", "--config", str(config)])

    def start_api_node(self, name="second"):
        """(process, configuration, the API as the same client sees it there) of a node that takes
        requests and sends nothing."""
        config, port = self.write_second(name)
        with open(config, "a", encoding="utf-8") as file:
            file.write('[engine]\nroles = ["api"]\n')
        process = self.start_second(config, port, name)
        self.wait_for(lambda: is_ready(port) or process.poll() is not None, f"node {name}")
        check(process.poll() is None, self.engine_log(name))
        return process, config, Api(port, self.api.token)


def run(test):
    with PostgresServer() as server:
        test(sys.argv[1], server)
    print(f"{test.__name__}: ok")
    return 0
