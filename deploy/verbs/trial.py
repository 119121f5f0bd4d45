# SPDX-License-Identifier: Apache-2.0
"""A version alone, on this machine, apart from everything that runs: the engine with all roles over a
store of its own, a name server and a receiver of its own. It has to start, be ready, send one mail
and end in order. Nothing of it outlives the call.
"""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/demo"))

import processes  # noqa: E402
from ports import free_port  # noqa: E402
from verbs import figures, smoke  # noqa: E402
from verbs.images import plain_environment  # noqa: E402
from verbs.target import TargetError  # noqa: E402

DOMAIN = "trial.example"
QUESTION_OCTETS_MAX = 512
MX, A = 15, 1


class Names(threading.Thread):
    """A name server for one domain: its MX is a name that has the address 127.0.0.1, and every other
    name has no such records."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = free_port(with_udp=True)
        self.socket.bind(("127.0.0.1", self.port))

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(QUESTION_OCTETS_MAX)
            except OSError:
                return
            answer = answer_to(query)
            if answer:
                self.socket.sendto(answer, client)

    def end(self):
        # close() alone leaves one that waits in recvfrom() where it is.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def answer_to(query):
    """RFC 1035 section 4: octets, or None for what is no question."""
    try:
        number, _, questions = struct.unpack("!HHH", query[:6])
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].lower())
            at += 1 + query[at]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    except (IndexError, struct.error):
        return None
    if questions != 1:
        return None
    asked, name = query[12:at + 5], b".".join(labels).decode(errors="replace")
    data = b""
    if kind == MX and name == DOMAIN:
        data = struct.pack("!H", 10) + b"\2mx" + wire(DOMAIN)
    elif kind == A and name == f"mx.{DOMAIN}":
        data = bytes((127, 0, 0, 1))
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b""
    # An answer with authority that recursion was had for; no error, whether or not there is any.
    return struct.pack("!HHHHHH", number, 0x8580, 1, 1 if data else 0, 0, 0) + asked + record


def wire(name):
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


class Trial:
    def __init__(self, image, folder, ready_seconds):
        self.image, self.folder, self.ready_seconds = image, pathlib.Path(folder), ready_seconds
        self.api, self.mail = free_port(), free_port()
        self.names = Names()

    def environment(self):
        return {**plain_environment(), **self.image.environment,
                "TODOKU_CONFIG": str(self.folder / "todoku.toml"),
                "TODOKU_DATA__DIRECTORY": str(self.folder / "data"),
                "TODOKU_SECRETS__MASTER_KEY_FILE": str(self.folder / "master.key"),
                "TODOKU_API__LISTEN": f"127.0.0.1:{self.api}",
                "TODOKU_SMTP_OUT__ALLOW_PRIVATE_RECEIVERS": "true"}

    def start(self, name, *words):
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(self.image.command(*words), stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, cwd=self.folder, env=self.environment(),
                                    start_new_session=True)

    def write(self):
        (self.folder / "todoku.toml").write_text(
            '[engine]\nroles = ["api", "scheduler", "courier", "events"]\n[dns]\n'
            f'servers = ["127.0.0.1:{self.names.port}"]\ncheck_names = []\n[smtp_out]\n'
            'hello_name = "trial.sender.example"\n'
            f'[sites.defaults]\nport = {self.mail}\n')
        (self.folder / "sink.toml").write_text(
            f'[[receiver]]\nname = "{DOMAIN}"\nhostname = "mx.{DOMAIN}"\n'
            f'listen = ["127.0.0.1:{self.mail}"]\n')

    def run(self):
        self.write()
        self.names.start()
        running = []
        try:
            token = self.add_account()
            running.append(self.start("sink", "sink", "--config", "sink.toml"))
            engine = self.start("engine", "serve")
            running.append(engine)
            self.await_ready(engine)
            smoke.send(smoke.Api(f"http://127.0.0.1:{self.api}", token), "smoke@sender.example",
                       [("a sink of its own", f"smoke@{DOMAIN}")], lambda _: None)
            engine.send_signal(signal.SIGTERM)
            status = engine.wait(60)
            if status != 0:
                raise self.failed(f"ends with status {status} when it is asked to")
        except subprocess.TimeoutExpired as error:
            raise self.failed("does not end in 60 s") from error
        except TargetError as error:
            if "version" in str(error):
                raise
            raise self.failed(f"sends no mail: {error}") from error
        finally:
            for process in running:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            self.names.end()

    def add_account(self):
        try:
            done = subprocess.run(self.image.command("account", "add", "trial"), text=True, check=False,
                                  capture_output=True, cwd=self.folder, env=self.environment(),
                                  timeout=self.ready_seconds)
        except OSError as error:
            raise self.failed(f"cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise self.failed(f"makes no account in {self.ready_seconds} s") from error
        token = re.search(r"(?m)^bearer token\s+(\S+)$", done.stdout)
        if done.returncode != 0 or not token:
            raise self.failed(f"makes no account (status {done.returncode}): "
                              f"{(done.stdout + done.stderr).strip()[-400:]}")
        return token[1]

    def await_ready(self, engine):
        until = time.monotonic() + self.ready_seconds
        while True:
            status, said = figures.ask(f"127.0.0.1:{self.api}", "/readyz")
            if status == 200:
                return
            if engine.poll() is not None:
                raise self.failed(f"ends at its start with status {engine.returncode}")
            if time.monotonic() > until:
                raise self.failed(f"is not ready after {self.ready_seconds} s: {said[:400]}")
            time.sleep(0.05)

    def failed(self, what):
        said = processes.tail(self.folder / "engine.log", 3)
        return TargetError(f"version {self.image.version} {what}{chr(10) if said else ''}{said}")


def run(image, ready_seconds=60):
    with tempfile.TemporaryDirectory(prefix="todoku-trial-") as folder:
        os.chmod(folder, 0o700)
        Trial(image, folder, ready_seconds).run()
