# SPDX-License-Identifier: Apache-2.0
"""A whole installation for tests: local DNS, scripted receivers, the engine, in one folder.

    with Stack(todoku_binary, receivers, config) as stack:
        stack.api.call("POST", "/deliveries/transaction", {...})

Everything listens on loopback ports that were free a moment before. Nothing outlives the `with`.
"""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools/demo"))

import patience  # noqa: E402
import processes  # noqa: E402
from api import Api, is_ready  # noqa: E402
from ports import free_port  # noqa: E402

READY_SECONDS = 30


class Stack:
    """`receivers`: {domain: lines of its [[receiver]] table}. `config`: tables of the engine's
    configuration; `site_defaults`: lines of its [sites.defaults]; `sink_config`: the sink's own;
    `zone`: more lines of the root zone; `broken_zones`: zones that answer SERVFAIL; `private`:
    whether receivers may have private addresses, such as those of the sink; `smtp_out`: lines of
    that table."""

    def __init__(self, binary, receivers, config=(), sink_config=(), site_defaults=(), zone=(),
                 broken_zones=(), private=True, smtp_out=()):
        self.binary = str(pathlib.Path(binary).resolve())
        self.receivers = receivers
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="todoku-test-"))
        self.api_port = free_port()
        self.mail_port = free_port("127.0.2.1")
        self.config = list(config)
        self.sink_config = list(sink_config)
        self.site_defaults = list(site_defaults)
        self.zone = list(zone)
        self.broken_zones = list(broken_zones)
        self.private = private
        self.smtp_out = list(smtp_out)
        self.engine = None
        self.api = None
        self.login_id = self.api_key = None

    # ---- life ------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.start_dns()
            self.start_sink()
            self.write_config()
            self.add_account()
            self.start_engine()
        except BaseException:
            self.show_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.show_logs()
        self.close()

    def close(self):
        processes.stop_all(self.directory, patience=20)
        subprocess.run([ROOT / "tools/local_dns", "stop", self.directory / "dns"], check=False,
                       capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def show_logs(self):
        for name in ("engine", "sink"):
            print(f"--- {name}.log", file=sys.stderr)
            print(processes.tail(self.directory / f"{name}.log", 25), file=sys.stderr)

    # ---- parts -----------------------------------------------------------------------------

    def address_of(self, index):
        return f"127.0.2.{index + 1}"

    def start_dns(self):
        zone = ["$ORIGIN .", "$TTL 60", "@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60",
                "@ NS ns.invalid."]
        for index, domain in enumerate(self.receivers):
            zone += [f"{domain}. MX 10 mx.{domain}.", f"mx.{domain}. A {self.address_of(index)}"]
        zone += self.zone
        path = self.directory / "root.zone"
        path.write_text("\n".join(zone) + "\n")
        done = subprocess.run([ROOT / "tools/local_dns", "start", self.directory / "dns", "0",
                               f".={path}", *[f"{zone}=" for zone in self.broken_zones]],
                              check=True, capture_output=True, text=True)
        self.dns_port = int(done.stdout.split()[-1])

    def start_sink(self):
        lines = [f'report_file = "{self.directory}/report.json"',
                 f'arrival_log_file = "{self.directory}/arrivals.jsonl"', *self.sink_config]
        for index, (domain, rules) in enumerate(self.receivers.items()):
            lines += ["[[receiver]]", f'name = "{domain}"', f'hostname = "mx.{domain}"',
                      f'listen = ["{self.address_of(index)}:{self.mail_port}"]', *rules]
        path = self.directory / "sink.toml"
        path.write_text("\n".join(lines) + "\n")
        processes.start(self.directory, "sink", [self.binary, "sink", "--config", str(path)])
        self.wait_for(lambda: self.listens(self.address_of(0), self.mail_port), "the sink")

    def write_config(self):
        lines = ["[api]", f'listen = "127.0.0.1:{self.api_port}"', "rate_limit_per_minute = 0",
                 "[dns]", f'servers = ["127.0.0.1:{self.dns_port}"]',
                 'check_names = ["."]',  # what our small DNS and the public one have in common
                 "[smtp_out]", 'hello_name = "mail.sender.example"',
                 'return_path_domain = "bounce.sender.example"',
                 f"allow_private_receivers = {str(self.private).lower()}", *self.smtp_out,
                 "[sites.defaults]", f"port = {self.mail_port}", *self.site_defaults, *self.config]
        if "[protection]" not in self.config:  # receivers that refuse are what is tested
            lines += ["[protection]", "enabled = false"]
        (self.directory / "todoku.toml").write_text("\n".join(lines) + "\n")

    def command(self, *arguments, statuses=(0,), with_errors=False):
        done = subprocess.run([self.binary, "--config", str(self.directory / "todoku.toml"),
                               *arguments], capture_output=True, text=True, cwd=self.directory)
        if done.returncode not in statuses:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if with_errors else "")

    def add_account(self):
        shown = self.command("account", "add", "tester")
        fields = dict(re.findall(r"^(login id|API key|bearer token)\s+(\S+)$", shown, re.MULTILINE))
        self.login_id, self.api_key = fields["login id"], fields["API key"]
        self.api = Api(self.api_port, fields["bearer token"])
        self.vouch("tester")

    def vouch(self, account, domain="sender.example"):
        """Beside others an account sends only from what is its own."""
        self.command("domain", "add", account, domain, "--proven")

    def start_engine(self):
        self.engine = processes.start(
            self.directory, "engine",
            [self.binary, "serve", "--config", str(self.directory / "todoku.toml")])
        self.wait_for(lambda: is_ready(self.api_port), "the engine")

    def kill_engine(self):
        self.engine.kill()
        self.engine.wait()

    # ---- looking ---------------------------------------------------------------------------

    @staticmethod
    def listens(address, port):
        with socket.socket() as probe:
            return probe.connect_ex((address, port)) == 0

    def wait_for(self, condition, what, seconds=READY_SECONDS):
        until = patience.until(seconds)
        while not condition():
            if self.engine is not None and self.engine.poll() is not None:
                raise RuntimeError(f"the engine ended with {self.engine.returncode}")
            if time.monotonic() > until:
                raise RuntimeError(f"waited {seconds} s for {what}")
            time.sleep(0.05)

    def arrivals(self):
        """[(recipient, message id)] of every mail that arrived, in order."""
        path = self.directory / "arrivals.jsonl"
        if not path.exists():
            return []
        out = []
        for line in path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line may be in the making
            out.append((entry["rcpt_to"], entry["message_id"]))
        return out

    def status_of(self, delivery):
        return self.api.call("GET", f"/deliveries/{delivery}")["status"]

    def metric(self, name, **labels):
        """The sum over those series of a metric that have these labels; 0 if there is none."""
        return self.metric_at(self.api_port, name, **labels)

    @staticmethod
    def metric_at(port, name, **labels):
        """The same of whoever shows metrics at this port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics",
                                    timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        series = re.compile(rf"{re.escape(name)}(\{{.*\}})? (\S+)$")
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [series.match(line) for line in lines]
        return sum((float(each[2]) for each in found
                    if each and all(label in (each[1] or "") for label in wanted)), 0.0)
