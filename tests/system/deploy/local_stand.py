# SPDX-License-Identifier: Apache-2.0
"""What a local target of the verbs needs around it: PostgreSQL, a name server, receivers (todoku sink,
and a Postfix in front of it where there is one), settings, and images of versions made of one binary.

    with PostgresServer() as server, LocalStand(binary, server) as stand:
        stand.push("1")
        stand.verb("migrate")
        stand.begin_account()
        stand.verb("roll", "--version", "1")
"""
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
ROOT = SYSTEM.parents[1]
sys.path[:0] = [str(SYSTEM / "store_postgres"), str(ROOT / "bench/support"), str(ROOT / "deploy")]

from on_postgres import (DATABASE, DOMAINS, FROM, USER, OnPostgres, check,  # noqa: E402,F401
                         check_equal)
from image_archive import pack, write_archive  # noqa: E402
from postfix import PostfixWithOpenDkim  # noqa: E402
from stack import Stack  # noqa: E402
from verbs.target import open_target  # noqa: E402

CONFIG = ("[queue]", 'kind = "store"', "[delivery]", "bulk_retry_seconds = [1, 2]",
          "transactional_retry_seconds = [1, 2]", "site_rest_first_seconds = 1")
SOURCES = ("east", "west")
SINK, POSTFIX = "sink.example", "postfix.example"
SERVICES = {"events": 1, "scheduler": 2, "courier": 2, "api": 2}
ROLL = {"ready_seconds": 20, "drain_seconds": 20, "leave_seconds": 0.5, "memory_max_mb": 400,
        "restarts_max": 1}


class LocalStand(OnPostgres):
    """`services`, `roll`: of target.toml."""

    def __init__(self, binary, server, services=None, roll=None):
        zone = [f"{POSTFIX}. MX 10 mx.{POSTFIX}.", f"mx.{POSTFIX}. A 127.0.0.1"]
        super().__init__(binary, server, {domain: [] for domain in (*DOMAINS, SINK)},
                         config=CONFIG, zone=zone)
        for index, source in enumerate(SOURCES):
            self.config += ["[[egress]]", f'name = "{source}"', f'bind_ipv4 = "127.0.3.{index + 1}"',
                            f'hello_name = "{source}.sender.example"']
        self.services, self.roll = services or SERVICES, {**ROLL, **(roll or {})}
        self.postfix = None
        self.open = contextlib.ExitStack()
        self.layer = None

    # ---- around it -------------------------------------------------------------------------

    def start_sink(self):
        super().start_sink()
        if PostfixWithOpenDkim.is_possible():
            self.postfix = self.open.enter_context(
                PostfixWithOpenDkim((self.address_of(0), self.mail_port), 10, processes=10))
            self.config += ["[sites.postfix]", f'domains = ["{POSTFIX}"]',
                            f"port = {self.postfix.doors[False].rpartition(':')[2]}"]

    def add_account(self):
        """Later: before the verb `migrate` the store has no tables."""

    def begin_account(self):
        Stack.add_account(self)
        token = self.directory / "smoke.token"
        token.touch(mode=0o600)
        token.write_text(self.api.token + "\n")

    def start_engine(self):
        """By the verbs: here only what they go by is written."""
        to = [("todoku sink", f"smoke@{SINK}")]
        if self.postfix:
            to.append(("Postfix", f"smoke@{POSTFIX}"))
        lines = ['kind = "local"', 'settings = "todoku.toml"', "[services]",
                 *(f"{name} = {count}" for name, count in self.services.items()),
                 "[balancer]", f'api = "127.0.0.1:{self.api_port}"', "[roll]",
                 *(f"{name} = {value}" for name, value in self.roll.items()),
                 "[smoke]", f'from = "{FROM["email"]}"', 'token_file = "smoke.token"',
                 f"to = {json.dumps([list(each) for each in to])}", "[store]",
                 f'database = "{self.server.address(DATABASE, USER)}"', 'password_file = "password"']
        (self.directory / "target.toml").write_text("\n".join(lines) + "\n")

    def close(self):
        if (self.directory / "target.toml").exists():
            with contextlib.suppress(Exception):
                self.target().end_all(lambda _: None)
        self.open.close()
        super().close()

    def target(self):
        return open_target(f"local:{self.directory}")

    # ---- the verbs -------------------------------------------------------------------------

    def verb(self, name, *words, status=0):
        """What it said. Fails unless it ends with this status."""
        began = time.monotonic()
        yes = [] if name == "once" else ["--yes"]  # which asks nothing
        done = subprocess.run([ROOT / "deploy/bin" / name, "--target", f"local:{self.directory}",
                               *yes, *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        said = done.stdout + done.stderr
        print("\n".join("    " + line for line in said.splitlines()))
        print(f"==> {name} {' '.join(map(str, words))}: status {done.returncode} after "
              f"{time.monotonic() - began:.1f} s", flush=True)
        check_equal(done.returncode, status, f"exit status of {name} {words}")
        return said

    def push_built(self, version):
        """The same of an image that deploy/bin/build makes, which takes longer."""
        into = self.directory / "built"
        subprocess.run([ROOT / "deploy/bin/build", "--binary", self.binary, "--version", version,
                        "--into", into], check=True)
        return self.verb("push", "--archive", into / "todoku.oci.tar")

    def push(self, version, environment=None, status=0):
        """One binary is all versions: they differ in what their images' configuration sets."""
        archive = self.directory / "image.tar"
        write_archive(None, archive, version, layer=self.root_layer(),
                      environment={"REHEARSAL": version, **(environment or {})})
        try:
            return self.verb("push", "--archive", archive, status=status)
        finally:
            archive.unlink()

    def root_layer(self):
        if self.layer is None:
            root = self.directory / "image-root"
            subprocess.run(["/usr/bin/python3", ROOT / "deploy/image/root.py", "--binary",
                            self.binary, "--version", "0", "--when", "0", "--into", root, "--sbom",
                            self.directory / "sbom.json"], check=True)
            self.layer = pack(root)
        return self.layer

    def versions_running(self):
        return {task.version for task in self.target().tasks()}

    def is_all_of(self, version):
        tasks = self.target().tasks()
        return len(tasks) == sum(self.services.values()) and \
            all(task.version == version and task.state == "ready" for task in tasks)


class Load(threading.Thread):
    """Posts transactions through the target's door, as clients do. `acknowledged`: their recipients;
    `failed`: calls that were not answered 201."""

    def __init__(self, stand, a_second=20):
        super().__init__(daemon=True)
        self.stand, self.pause = stand, 1 / a_second
        self.acknowledged, self.failed = [], []
        self.enough = threading.Event()

    def run(self):
        number = 0
        while not self.enough.wait(self.pause):
            number += 1
            to = f"order{number}@{DOMAINS[number % len(DOMAINS)]}"
            try:
                status = self.stand.post(to)[0]
            except Exception as error:  # noqa: BLE001
                status = repr(error)
            if status == 201:
                self.acknowledged.append(to)
            else:
                self.failed.append((time.time(), status))

    def end(self):
        self.enough.set()
        self.join()
