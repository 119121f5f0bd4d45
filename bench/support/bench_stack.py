# SPDX-License-Identifier: Apache-2.0
"""The installation that benchmarks measure: tests/system/support/stack.py, with smtp-sink for
receivers that are only to be fast, accounts, bulks and the waiting for them."""
import datetime
import itertools
import os
import pathlib
import re
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system/support"))

from stack import Stack  # noqa: E402  (first: it knows where the others are)
import processes  # noqa: E402
from api import Api  # noqa: E402

import bench_mails  # noqa: E402
import machine  # noqa: E402

# Every client of a bench has this machine's address.
os.environ.setdefault("TODOKU_API__CONNECTIONS_PER_CLIENT_MAX", "0")

FAST = None  # the rules of a receiver that is an smtp-sink
ROWS_PER_IMPORT = 1_000_000
SIGNED = "signed.example"
PLAIN = "plain.example"


class BenchStack(Stack):
    """`receivers`: {domain: lines of its table of `todoku sink`, or FAST}."""

    keeps_arrivals = False  # whether the sink writes a line for each recipient

    def start_sink(self):
        scripted = []
        for index, (domain, rules) in enumerate(self.receivers.items()):
            address = f"{self.address_of(index)}:{self.mail_port}"
            if rules is FAST:
                processes.start(self.directory, "sink", machine.smtp_sink(address))
            else:
                scripted += ["[[receiver]]", f'name = "{domain}"', f'hostname = "mx.{domain}"',
                             f'listen = ["{address}"]', *rules]
        self.scripted_sink = None
        if scripted:
            files = [f'report_file = "{self.directory}/report.json"']
            if self.keeps_arrivals:
                files.append(f'arrival_log_file = "{self.directory}/arrivals.jsonl"')
            path = self.directory / "sink.toml"
            path.write_text("\n".join([*files, *self.sink_config, *scripted]) + "\n")
            self.scripted_sink = processes.start(
                self.directory, "sink", [self.binary, "sink", "--config", str(path)])
        for index in range(len(self.receivers)):
            self.wait_for(lambda at=self.address_of(index): self.listens(at, self.mail_port),
                          "the receivers")

    def metric(self, name, **labels):
        """The sum over those series of a metric that have these labels; 0 if there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/metrics",
                                    timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        series = re.compile(rf"{re.escape(name)}(\{{.*\}})? (\S+)$")
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [series.match(line) for line in lines]
        return sum((float(each[2]) for each in found
                    if each and all(label in (each[1] or "") for label in wanted)), 0.0)

    # ---- accounts --------------------------------------------------------------------------

    def add_account(self):
        super().add_account()
        for domain in (SIGNED, PLAIN):
            self.vouch("tester", domain)

    def add_named_account(self, name, weight=None):
        """The API as another account sees it."""
        shown = self.command("account", "add", name)
        for domain in (SIGNED, PLAIN):
            self.vouch(name, domain)
        token = next(line.split()[-1] for line in shown.splitlines()
                     if line.startswith("bearer token"))
        if weight is not None:
            self.command("account", "weight", name, str(weight))
        return Api(self.api_port, token)

    def sign(self, account="tester"):
        """Mail from SIGNED is signed with RSA-2048 from now on."""
        self.command("dkim", "generate", "--account", account, "--domain", SIGNED, "--selector",
                     "s1")

    # ---- bulks -----------------------------------------------------------------------------

    def draft(self, text, signed=False, api=None):
        sender = SIGNED if signed else PLAIN
        return (api or self.api).call("POST", "/deliveries/bulk/begin", {
            "from": {"email": f"news@{sender}"}, "subject": bench_mails.SUBJECT,
            "text_part": text})["delivery_id"]

    def fill(self, delivery, addresses, api=None, patience=600):
        """Imports the addresses, in parts of a million; returns the seconds from the first octet
        of the upload to the end of the job, the making of the files left out."""
        api = api or self.api
        addresses = iter(addresses)
        seconds = 0.0
        while part := list(itertools.islice(addresses, ROWS_PER_IMPORT)):
            file = bench_mails.csv(part)
            began = time.monotonic()
            job = api.call_multipart("POST", f"/deliveries/{delivery}/emails/import", None,
                                     [("list.csv", "text/csv", file)])["job_id"]
            while True:
                state = api.call("GET", f"/deliveries/-/emails/import/{job}")
                if state["percentage"] == 100:
                    break
                if time.monotonic() - began > patience:
                    raise RuntimeError(f"an import is not done after {patience} s: {state}")
                time.sleep(0.02)
            if state["status"] != "FINISHED":
                raise RuntimeError(f"the import ended with {state}")
            seconds += time.monotonic() - began
        return seconds

    def commit(self, delivery, api=None):
        (api or self.api).call("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate")

    def reserve(self, delivery, seconds_ahead, api=None):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
            seconds=seconds_ahead)
        (api or self.api).call("PATCH", f"/deliveries/bulk/commit/{delivery}", {
            "reservation_time": at.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def detail(self, delivery, api=None):
        return (api or self.api).call("GET", f"/deliveries/{delivery}")

    def send(self, delivery, expected, patience=600, api=None):
        """Commits, waits for the last outcome, returns the seconds between the two."""
        began = time.monotonic()
        self.commit(delivery, api)
        while True:
            counts = self.detail(delivery, api)
            if counts["status"] == "SENT":
                break
            passed = time.monotonic() - began
            if passed > patience:
                raise RuntimeError(f"not sent after {patience} s: {counts}")
            # Asking costs both sides about a millisecond: often only when the end is near.
            done = counts["sent_count"] / expected
            left = passed * (1 - done) / done if done > 0 else 0
            time.sleep(min(max(left / 2, 0.01), 1))
        if counts["sent_count"] != expected:
            raise RuntimeError(f"not all {expected} were sent: {counts}")
        return time.monotonic() - began
