#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""todoku alarms test: one through each way that is configured, and what happened, without an engine."""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools/demo"))

from ports import free_port  # noqa: E402

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("TODOKU_")}


class Endpoint(http.server.BaseHTTPRequestHandler):
    status = 204
    called = []

    def do_POST(self):
        Endpoint.called.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(Endpoint.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def check_equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


class Trial:
    def __init__(self, folder, port):
        self.folder = folder
        self.port = port
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/hook"

    def run(self, to, status, **environment):
        config = self.folder / "todoku.toml"
        config.write_text(f"""
[alarms]
mail_to = {json.dumps(to)}
mail_from = "todoku@example.jp"
via = "smtp://127.0.0.1:{self.port}"
via_tls = "none"
""")
        done = subprocess.run([BINARY, "--config", config, "--json", "alarms", "test"], text=True,
                              capture_output=True, env=ENVIRONMENT | environment)
        if done.returncode != status:
            raise AssertionError(f"{to}: {done.returncode}: {done.stdout}{done.stderr}")
        return [(each["subject"], each["code"], each["sentence"] + each["found"])
                for each in json.loads(done.stdout)["findings"]] if done.stdout else done.stderr

    def report(self):
        return json.loads((self.folder / "report.json").read_text())


def all_ways_are_tried(trial):
    given = {"TODOKU_ALARMS__WEBHOOK_URL": trial.url}
    found = trial.run(["ops@example.com", "bounce-550.left@example.com"], 1, **given)
    check_equal([each[:2] for each in found],
                [("mail", "alarm_told"), ("mail", "alarm_address_refused"),
                 ("webhook", "alarm_told")], "findings")
    if "bounce-550.left@example.com: 550 " not in found[1][2]:
        raise AssertionError(f"who is refused, and why, is not said: {found[1]}")
    check_equal([alarm["event"] for alarm in Endpoint.called[-1]["alarms"]], ["this is a test"],
                "what the call tells")
    found = trial.run(["ops@example.com"], 0, **given)
    check_equal([each[1] for each in found], ["alarm_told"] * 2, "findings where all is well")


def what_fails_is_said(trial):
    found = trial.run(["bounce-550.left@example.com"], 1)
    check_equal([each[:2] for each in found], [("mail", "alarm_not_told")], "all are refused")
    if "bounce-550.left@example.com: 550 " not in found[0][2]:
        raise AssertionError(f"who is refused is not said: {found}")
    Endpoint.status = 500
    found = trial.run(["ops@example.com"], 1, TODOKU_ALARMS__WEBHOOK_URL=trial.url)
    check_equal([each[1] for each in found], ["alarm_told", "alarm_not_told"], "a call that fails")
    if "500" not in found[1][2] or trial.url in str(found):
        raise AssertionError(f"its status is not said, or its URL is: {found}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        port = free_port()
        sink = subprocess.Popen([BINARY, "sink", "--listen", f"127.0.0.1:{port}", "--report-file",
                                 folder / "report.json"], env=ENVIRONMENT,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not (folder / "report.json").exists():
                check_equal(sink.poll(), None, "the end of the sink")
                time.sleep(0.02)
            trial = Trial(folder, port)
            all_ways_are_tried(trial)
            what_fails_is_said(trial)
        finally:
            sink.terminate()
            sink.wait()
    print("ok")


if __name__ == "__main__":
    main()
