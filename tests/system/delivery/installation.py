# SPDX-License-Identifier: Apache-2.0
"""An installation as the tests of delivering see it: what is sent, what arrives, what is told.

Only public doors are used: the API, the command-line tools, /metrics, signals, the sink's files.
"""
import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402  (first: it knows where the others are)
import patience  # noqa: E402
import processes  # noqa: E402

# Retries quick enough to be seen.
QUICK = ("[delivery]", "bulk_retry_seconds = [1, 2]", "transactional_retry_seconds = [1, 2]",
         "site_rest_first_seconds = 2")
FROM = {"email": "news@sender.example", "name": "お知らせ"}


class Failed(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failed(message)


def check_equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, not {wanted!r}")


class Installation(Stack):
    """Counts as unsound, at its end, if a task of the engine ended by an exception."""

    def __init__(self, binary, receivers, config=QUICK, **more):
        super().__init__(binary, receivers, config, **more)

    def __exit__(self, kind, value, traceback):
        try:
            if kind is None and self.engine is not None and self.engine.poll() is None:
                check_equal(self.metric("todoku_unhandled_exceptions_total"), 0.0,
                            "unhandled exceptions")
        except BaseException as error:
            kind = type(error)
            raise
        finally:
            super().__exit__(kind, value, traceback)

    # ---- sending ---------------------------------------------------------------------------

    def transaction(self, to, **fields):
        return self.api.call("POST", "/deliveries/transaction", {
            "from": FROM, "to": to, "subject": "ご注文", "text_part": "ありがとうございます。",
            **fields})["delivery_id"]

    def draft(self, **fields):
        return self.api.call("POST", "/deliveries/bulk/begin", {
            "from": FROM, "subject": "お知らせ", "text_part": "こんにちは。", **fields})["delivery_id"]

    def fill(self, delivery, addresses, immediate=False):
        """Imports the addresses and returns when they are in."""
        job = self.begin_import(delivery, addresses, immediate)
        self.wait_for(lambda: self.import_status(job) == "FINISHED", "the import")

    def begin_import(self, delivery, addresses, immediate=False):
        csv = "email\n" + "".join(f"{address}\n" for address in addresses)
        return self.api.call_multipart(
            "POST", f"/deliveries/{delivery}/emails/import", {"immediate": immediate},
            [("list.csv", "text/csv", csv.encode())])["job_id"]

    def import_status(self, job):
        return self.api.call("GET", f"/deliveries/-/emails/import/{job}")["status"]

    def bulk(self, addresses, **fields):
        delivery = self.draft(**fields)
        self.fill(delivery, addresses, immediate=True)
        return delivery

    def commit(self, delivery, at=None):
        path = f"/deliveries/bulk/commit/{delivery}"
        if at is None:
            return self.api.call("PATCH", f"{path}/immediate", {})
        zone = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + "Z"
        return self.api.call("PATCH", path, {"reservation_time": zone})

    # ---- what became of it -----------------------------------------------------------------

    def detail(self, delivery):
        return self.api.call("GET", f"/deliveries/{delivery}")

    def counts(self, delivery):
        """(total, sent, hard errors, soft errors)."""
        detail = self.detail(delivery)
        return tuple(detail[key] for key in ("total_count", "sent_count", "hard_error_count",
                                             "soft_error_count"))

    def settle(self, *deliveries, seconds=20):
        for delivery in deliveries:
            self.wait_for(lambda: self.status_of(delivery) in ("SENT", "FAILED"),
                          f"delivery {delivery}, which is {self.status_of(delivery)}", seconds)

    def explain(self, address, language="en"):
        return self.command("explain", address, "--lang", language, statuses=(0, 1))

    def await_story(self, address, words, language="en", seconds=15):
        """The story of `address` once it holds `words`."""
        until = patience.until(seconds)
        while True:
            story = self.explain(address, language)
            if words in story:
                return story
            check(time.monotonic() < until, f"{words!r} is not in the story:\n{story}")
            time.sleep(0.1)

    def await_arrivals(self, count, seconds=20):
        """Entries of the sink's log, at least `count`."""
        self.wait_for(lambda: len(self.log()) >= count, f"{count} arrivals", seconds)
        return self.log()

    def log(self):
        """The sink's log of arrivals, as written so far (about every second)."""
        path = self.directory / "arrivals.jsonl"
        lines = path.read_text(errors="replace").splitlines(True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def settled_log(self):
        """The log after everything that has arrived was written to it."""
        time.sleep(1.2)
        return self.log()

    def report(self):
        """The sink's report after everything that has happened was counted in it."""
        time.sleep(1.2)
        return json.loads((self.directory / "report.json").read_text())

    def restart_sink(self, receivers):
        """The receivers begin to behave in another way; the same domains in the same order."""
        for name, pid in processes.recall(self.directory):
            if name == "sink":
                processes.stop(pid, patience=5)
        self.receivers = receivers
        self.start_sink()

    # ---- stopping --------------------------------------------------------------------------

    def terminate(self, seconds=30):
        """SIGTERM; returns (exit status, seconds until the end)."""
        check_equal(self.metric("todoku_unhandled_exceptions_total"), 0.0, "unhandled exceptions")
        began = time.monotonic()
        self.engine.send_signal(signal.SIGTERM)
        status = self.engine.wait(seconds)
        return status, time.monotonic() - began


def check_exactly_once(log, addresses):
    arrived = [entry["rcpt_to"] for entry in log]
    missing = set(addresses) - set(arrived)
    check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")
    check_equal(len(arrived), len(set(arrived)), "arrivals of distinct recipients")
    check_equal(len(arrived), len(set(addresses)), "arrivals")


def run(*tests):
    """Runs each test with the engine's binary, which is the first argument; returns the status."""
    wanted = sys.argv[2:]
    status = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            test(sys.argv[1])
            verdict = "ok"
        except (Failed, RuntimeError) as error:
            verdict, status = f"FAILED: {error}", 1
        print(f"{test.__name__}\t{time.monotonic() - began:.1f} s\t{verdict}", flush=True)
    return status
