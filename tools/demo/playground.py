# SPDX-License-Identifier: Apache-2.0
"""Everything that runs during the demonstration: name server, receivers, engine; their files."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import scenario
from api import Api, is_ready
from ports import free_port
from processes import recall, remember, start, stop_all, tail


class DemoError(Exception):
    """What went wrong, and what to do about it."""


ACCOUNT = "shop"
READY_SECONDS = 30


class Playground:
    def __init__(self, root, arguments):
        self.root = root
        self.data = arguments.data
        self.binary = arguments.binary
        self.binary_is_built_here = arguments.binary == root / "build/release/src/todoku"
        self.port = arguments.port
        self.config = self.data / "todoku.toml"
        self.began = time.monotonic()
        self.api = None
        self.sink = None
        self.started = False

    def say(self, text):
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    # ---- before ----------------------------------------------------------------------------------

    def clear(self):
        """Stops what an earlier run left, and begins with an empty folder."""
        if not os.access(self.binary, os.X_OK):
            raise DemoError(f"there is no program {self.binary}")
        for name, _ in stop_all(self.data):
            self.say(f"stopped of an earlier run: {name}")
        if self.data.exists():
            if any(self.data.iterdir()) and not (self.data / "made-by-run").exists():
                raise DemoError(f"{self.data} holds files of somebody else: name another --data")
            shutil.rmtree(self.data)
        self.data.mkdir(parents=True)
        self.data.chmod(0o700)
        (self.data / "made-by-run").touch()
        self.port = self.api_port()

    def api_port(self):
        if self.port == 0:
            return free_port()
        with socket.socket() as probe:
            # As the engine binds: a port whose connections are only ending counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise DemoError(f"port {self.port} of 127.0.0.1 cannot be used "
                                f"({error.strerror}): ./run --port N takes another one, "
                                "./run --port 0 a free one") from error
            return self.port

    # ---- starting --------------------------------------------------------------------------------

    def start(self):
        self.started = True
        dns_port = free_port(with_udp=True)
        mail_port = free_port(*(text.lstrip("-") for receiver in scenario.RECEIVERS
                                for _, _, text in receiver.hosts))
        self.config.write_text(scenario.engine_toml(self.port, mail_port, dns_port))
        (self.data / "sink.toml").write_text(
            scenario.sink_toml(self.data, mail_port, dns_port))
        dkim_entries = self.make_account()
        self.start_dns(dns_port, dkim_entries)
        self.start_sink(mail_port)
        self.start_engine()

    def make_account(self):
        """Account, API key and DKIM keys by the command line; the engine need not run for it."""
        account = self.todoku_json("account", "add", ACCOUNT)
        token = account["key"]["bearer_token"]
        token_file = self.data / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(token + "\n")
        self.api = Api(self.port, token)
        entries = []
        for selector, options in (("rsa1", []), ("ed1", ["--ed25519"])):
            key = self.todoku_json("dkim", "generate", "--account", ACCOUNT, "--domain",
                                   scenario.SENDER_DOMAIN, "--selector", selector, *options)
            entries.append(key["zone_entry"].rstrip("\n"))
        self.say(f"account {ACCOUNT} with an API key; DKIM keys (RSA-2048 and Ed25519) for "
                 f"{scenario.SENDER_DOMAIN}")
        return entries

    def start_dns(self, port, dkim_entries):
        zones = {receiver.domain: scenario.receiver_zone(receiver)
                 for receiver in scenario.RECEIVERS}
        zones[scenario.SENDER_DOMAIN] = scenario.sender_zone(dkim_entries)
        folder = self.data / "zones"
        folder.mkdir()
        arguments = []
        for domain, text in zones.items():
            (folder / f"{domain}.zone").write_text(text)
            arguments.append(f"{domain}={folder}/{domain}.zone")
        dns = self.data / "dns"
        done = subprocess.run([self.root / "tools/local_dns", "start", dns, str(port), *arguments],
                              capture_output=True, text=True, check=False)
        if (dns / "pid").exists():
            remember(self.data, "dns", int((dns / "pid").read_text()))
        if done.returncode != 0:
            raise DemoError(f"the name server did not start:\n{done.stderr}")
        self.say(f"name server (knot) on 127.0.0.1:{port} with {len(zones)} zones, the DKIM "
                 "records among them")

    def start_sink(self, port):
        self.sink = start(self.data, "sink", [self.binary, "sink", "--config", "sink.toml"])
        self.wait_for("the receivers", self.sink, (self.data / "report.json").exists)
        count = sum(len(receiver.listening) for receiver in scenario.RECEIVERS)
        self.say(f"receivers of {len(scenario.RECEIVERS)} domains on {count} addresses, port {port}")

    def start_engine(self):
        # The receivers' certificates are made up at their start: trust them as if a known
        # authority had signed them.
        trust = {"SSL_CERT_FILE": str(self.data / "certificates.pem")}
        engine = start(self.data, "engine",
                       [self.binary, "serve", "--config", self.config], trust)
        self.wait_for("the engine", engine, lambda: is_ready(self.port))
        self.say(f"engine on http://127.0.0.1:{self.port}")

    def wait_for(self, what, process, ready):
        until = time.monotonic() + READY_SECONDS
        name = "engine" if what == "the engine" else "sink"
        log = self.data / f"{name}.log"
        while not ready():
            if process.poll() is not None:
                raise DemoError(f"{what} ended at once; {log} says:\n{tail(log)}")
            if time.monotonic() > until:
                raise DemoError(f"{what} did not become ready in {READY_SECONDS} s; "
                                f"{log} says:\n{tail(log)}")
            time.sleep(0.05)

    # ---- using -----------------------------------------------------------------------------------

    def todoku(self, *arguments):
        done = subprocess.run([self.binary, "--config", self.config, *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoError(f"todoku {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def todoku_json(self, *arguments):
        return json.loads(self.todoku(*arguments, "--json"))

    def check_running(self):
        names = {name for name, _ in recall(self.data)}
        for name in ("dns", "sink", "engine"):
            if name not in names:
                raise DemoError(f"{name} has ended; {self.data}/{name}.log says:\n"
                                f"{tail(self.data / f'{name}.log')}")

    def report(self):
        """The sink's own count of what it got, written anew for this call."""
        file = self.data / "report.json"
        before = file.stat().st_mtime_ns
        if self.sink.poll() is None:
            self.sink.send_signal(signal.SIGUSR1)
            until = time.monotonic() + 5
            while file.stat().st_mtime_ns == before and time.monotonic() < until:
                time.sleep(0.02)
        return json.loads(file.read_text())

    def arrivals(self):
        """The sink's log: one entry for each mail and recipient that it took."""
        try:
            with open(self.data / "arrivals.jsonl", encoding="utf-8") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    # ---- after -----------------------------------------------------------------------------------

    def stop(self):
        """Stops everything. True if each ended as it should."""
        complaints = 0
        for name, complaint in stop_all(self.data) if self.started else []:
            complaints += bool(complaint)
            self.say(f"stopped: {name}{': ' if complaint else ''}{complaint}")
            if complaint:
                print(tail(self.data / f"{name}.log"))
        return complaints == 0
