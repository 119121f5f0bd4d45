# SPDX-License-Identifier: Apache-2.0
"""An installation in a folder of its own: a configuration, the program, at most one engine at a time
that is minded. Nobody is at port 9 of loopback: no question leaves the machine."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import patience

BINARY = str(pathlib.Path(sys.argv.pop()).resolve()) if len(sys.argv) > 1 else ""

CONFIG = """[api]
listen = "127.0.0.1:0"
[engine]
drain_seconds = 5
[dns]
servers = ["127.0.0.1:9"]
[smtp_out]
hello_name = "mail.example.jp"
"""


class HomeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="todoku-operate-")
        self.home = pathlib.Path(self.folder.name)
        self.data = self.home / "data"
        self.config = self.home / "todoku.toml"
        self.config.write_text(CONFIG)
        self.engine = None

    def tearDown(self):
        if self.engine is not None and self.engine.poll() is None:
            self.engine.kill()
            self.engine.wait()
        self.folder.cleanup()

    def tool(self, *words, status=0, env=None, prefix=()):
        """What it said: on standard output if it succeeds, else on standard error, if anything."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("TODOKU_", "LC_"))}
        environment["LANG"] = "C.UTF-8"
        done = subprocess.run([*prefix, BINARY, "--config", str(self.config), *words], text=True,
                              capture_output=True, timeout=600, env=environment | (env or {}))
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        self.assertNotIn("terminate called", done.stderr)
        return done.stdout if status == 0 else done.stderr or done.stdout

    def start(self, *words):
        with open(self.home / "engine.log", "a") as log:
            self.engine = subprocess.Popen(
                [BINARY, "serve", "--config", str(self.config), *words], stderr=log)
        self.wait_for(self.answers, "the engine")

    def answers(self):
        """True once it answers at its socket; a Unix socket is reached from any network."""
        self.assertIsNone(self.engine.poll(), (self.home / "engine.log").read_text())
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.data / "admin.sock")) == 0

    def api_port(self):
        """Waited for: operators are answered before the API listens."""
        def found():
            return re.search(r"http://127\.0\.0\.1:(\d+)", self.tool("status"))
        self.wait_for(found, "the API")
        return int(found()[1])

    def wait_for(self, condition, what, seconds=20):
        until = patience.until(seconds)
        while not condition():
            self.assertLess(time.monotonic(), until, f"waited in vain for {what}")
            time.sleep(0.05)

    def stop(self):
        self.engine.send_signal(signal.SIGTERM)
        self.assertEqual(self.engine.wait(timeout=600), 0)

    def log(self):
        return (self.home / "engine.log").read_text()
