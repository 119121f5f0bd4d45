# SPDX-License-Identifier: Apache-2.0
"""deploy/rundeck/jobs.yaml: the checker finds nothing in it and each fault that is put in; and each script of each job
is run, as Rundeck runs it, against a local cluster of the engine's processes.

usage: rundeck_test.py TODOKU
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE)]

import rundeck_check  # noqa: E402
from local_stand import LocalStand, check, check_equal  # noqa: E402
from api import Api  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from whole import WHOLE  # noqa: E402

JOBS = ROOT / "deploy/rundeck/jobs.yaml"
# (what of the file, by what it is replaced, a word of the finding): each is a fault.
FAULTS = [
    ("loglevel: INFO", "loglevel: LOUD", "loglevel"),
    ("keepgoing: false\n    strategy", "keepgoing: maybe\n    strategy", "keepgoing"),
    ("strategy: node-first", "strategy: parallel", "strategy"),
    ("  sequence:", "  sequenze:", "sequenze"),
    ("uuid: 6d3c1f52-0a52-4f0e-9c1f-0b5f6d9b7a02", "uuid: 6d3c1f52-0a52-4f0e-9c1f-0b5f6d9b7a01", "uuid"),
    ("- name: roll back", "- name: deploy a version", "two jobs"),
    ("      value: deploy/targets/production.toml", "      value: deploy/targets/other.toml", "none of its values"),
    ("      enforced: true\n", "", "values and enforced"),
    ("      regex: '[1-9]|[1-5][0-9]|6[0-4]'", "", "takes anything"),
    ("      regex: '[1-9]|[1-5][0-9]|6[0-4]'", "      regex: '[1-9'", "regex"),
    ("      regex: 'wh_[0-9a-z]{1,32}'", "      regex: '(wh_[0-9]{1,18})?'", "must not be empty"),
    ("      secure: true\n", "", "not secure"),
    ("      valueExposed: true\n", "", "valueExposed"),
    ("      storagePath: keys/project/todoku/admin-token\n", "", "storagePath"),
    ("\"$RD_OPTION_WHAT\"", "$RD_OPTION_WHAT", "without quotes"),
    ("\"$RD_OPTION_WHAT\"", "\"@option.what@\"", "becomes a command"),
    ("\"$RD_OPTION_WHAT\"", "\"$RD_OPTION_WHO\"", "no option"),
    ("${RD_OPTION_FROM:-}", "$RD_OPTION_FROM", "may be missing"),
    ("deploy/bin/rollback", "deploy/bin/roll-back", "no deploy/bin/roll-back"),
    ("set -euo pipefail\n", "\n", "set -euo pipefail"),
    ("          fi\n", "", "bash cannot read"),
    ("      - script: |-", "      - exec: |-", "only scripts"),
    ("  multipleExecutions: false\n", "", "multipleExecutions"),
    ("  loglevel: INFO\n", "  loglevel: INFO\n  loglevel: WARN\n", "twice"),
]


def check_the_checker():
    text = JOBS.read_text(encoding="utf-8")
    check_equal(rundeck_check.findings(text), [], "findings in jobs.yaml")
    for old, new, word in FAULTS:
        check(old in text, f"{old!r} is in jobs.yaml")
        found = rundeck_check.findings(text.replace(old, new, 1))
        check(any(word in what for what in found), f"{old!r} -> {new!r} was to be found by {word!r}: {found}")
    print(f"each of {len(FAULTS)} faults is found")


class Rundeck:
    """Runs jobs as Rundeck does on its own node: options by environment, steps in order, the first that fails ends it."""

    def __init__(self, root, secrets):
        self.jobs = {job["name"]: job for job in rundeck_check.loaded(JOBS.read_text(encoding="utf-8"))}
        self.root, self.secrets, self.ran = root, secrets, set()

    def run(self, name, expect=0, **given):
        """What it said."""
        job = self.jobs[name]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.root), "TODOKU_ROOT": str(self.root),
                       "WATCH_SECONDS": "1"}
        for option in job.get("options", []):
            value = given.pop(option["name"], self.secrets.get(option.get("storagePath")))
            if value is None and not option.get("required"):
                continue
            check(value is not None, f"{name}: option {option['name']} is given")
            if "regex" in option:
                check(re.fullmatch(option["regex"], value), f"{name}: {option['name']} takes {value!r}")
            environment[rundeck_check.variable(option["name"])] = value
        check_equal(given, {}, f"options that {name} does not have")
        said, status = "", 0
        for command in job["sequence"]["commands"]:
            with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as file:
                file.write(command["script"])
            os.chmod(file.name, 0o700)
            done = subprocess.run([file.name], env=environment, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, cwd="/")
            os.unlink(file.name)
            said += done.stdout + done.stderr
            self.ran.add((name, command["script"]))
            status = status or done.returncode
            if done.returncode != 0 and not job["sequence"]["keepgoing"]:
                break
        print(f"==> {name}: exit status {status}\n" + "".join(f"    {line}\n" for line in said.splitlines()), flush=True)
        check_equal(status, expect, f"exit status of {name}")
        for secret in self.secrets.values():
            check(secret not in said, f"{name} says no secret")
        return said

    def all_scripts(self):
        return {(name, command["script"]) for name, job in self.jobs.items() for command in job["sequence"]["commands"]}


class Hooks(http.server.BaseHTTPRequestHandler):
    """An endpoint that takes whatever comes, and proves that it is there (docs/webhooks.md, "The challenge")."""

    def do_POST(self):  # noqa: N802
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = said.get("data", {}).get("challenge", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def repository(folder):
    """The project as a node has it: a clone of where tags are pushed to, which has v2."""
    origin, clone = folder / "origin", folder / "clone"
    for name in ("deploy/bin", "deploy/verbs", "deploy/targets", "tools"):
        shutil.copytree(ROOT / name, origin / name, ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", origin, "-c", "user.name=test", "-c", "user.email=test@example.jp", "-c", "tag.gpgsign=false",
           "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet", "--initial-branch=main"], ["add", "-A"], ["commit", "--quiet", "-m", "All of it"]):
        subprocess.run([*git, *words], check=True)
    subprocess.run(["git", "clone", "--quiet", origin, clone], check=True)
    subprocess.run([*git, "tag", "v2"], check=True)
    return clone


def run_each(stand, rundeck, hooks_port):
    target = f"local:{stand.directory}"
    rundeck.run("deploy a version", target=target, version="2")
    check(stand.is_all_of("2"), "all tasks are of version 2")
    rundeck.run("deploy a version", target=target, version="3", expect=128)  # no such tag
    rundeck.run("what runs", target=target)
    rundeck.run("roll back", target=target)
    check(stand.is_all_of("1"), "all tasks are of version 1 again")
    check("takes nothing away" in rundeck.run("contract", target=target), "no contraction was released yet")

    courier = next(task.id for task in stand.target().tasks() if task.service == "courier")
    rundeck.run("drain", target=target, what=courier)
    check(courier not in {task.id for task in stand.target().tasks()}, f"{courier} has ended")
    rundeck.run("resume", target=target, what=courier)
    check(stand.is_all_of("1"), "a courier has come back")
    rundeck.run("drain", target=target, what="courier-99", expect=1)

    rundeck.run("scale", target=target, service="api", count="3")
    check_equal(sum(t.service == "api" for t in stand.target().tasks()), 3, "tasks of api")
    rundeck.run("scale", target=target, service="api", count="2")
    check(stand.is_all_of("1"), "the third has gone")

    look = rundeck.run("look at the queue", target=target)
    check("scheduler" in look, "who works on the store")
    look_after_mail(stand, rundeck, target, hooks_port)
    if WHOLE:
        copies(stand, rundeck, target)


def admin_token(stand):
    shown = stand.command("key", "add", "tester", "--scopes", "admin")
    return re.search(r"^bearer token\s+(\S+)$", shown, re.MULTILINE)[1]


def look_after_mail(stand, rundeck, target, hooks_port):
    address = "gone@one.example"
    subprocess.run([ROOT / "deploy/bin/once", "--target", target, "--", "suppression", "add", address, "--reason",
                    "hard_error"], check=True)
    check("hard_error" in rundeck.run("release an address", target=target, address=address), "why it was on the list")
    rundeck.run("release an address", target=target, address="never@one.example", expect=1)
    admin = Api(stand.api_port, rundeck.secrets["keys/project/todoku/admin-token"])
    endpoint = admin.call("POST", "/webhooks", {"url": f"http://127.0.0.1:{hooks_port}/"})
    url = f"http://127.0.0.1:{stand.api_port}"
    rundeck.run("replay webhooks", api_url=url, endpoint=endpoint["webhook"])
    rundeck.run("replay webhooks", api_url=url, endpoint=endpoint["webhook"], **{"from": "2026-01-05T09:00:00+09:00"})
    rundeck.run("replay webhooks", api_url=url, endpoint="wh_999", expect=22)


def copies(stand, rundeck, target):
    copy = str(stand.directory / "copy-1")
    rundeck.run("back up", target=target, to=copy)
    rundeck.run("back up", target=target, to=copy, expect=1)  # it is there
    rundeck.run("restore", target=target, copy=copy, sure="production", expect=5)
    rundeck.run("restore", target=target, copy=copy, sure=target)


def main():
    check_the_checker()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(PostgresServer())
        hooks = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hooks))
        threading.Thread(target=hooks.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(hooks.shutdown)
        stand = LocalStand(sys.argv[1], server)
        stand.config += ["[outbound]", f'allow = ["127.0.0.1:{hooks.server_port}"]']
        stack.enter_context(stand)
        for version in ("1", "2"):
            stand.push(version)
        stand.verb("migrate")
        stand.begin_account()
        stand.verb("roll", "--version", "1", "--watch", "0", "--no-trial")
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rundeck = Rundeck(repository(folder), {"keys/project/todoku/smoke-token": stand.api.token,
                                               "keys/project/todoku/admin-token": admin_token(stand)})
        run_each(stand, rundeck, hooks.server_port)
        missed = {name for name, script in rundeck.all_scripts() - rundeck.ran}
        check_equal(missed, set() if WHOLE else {"back up", "restore"}, "jobs of which a script was not run")
        print(f"{len(rundeck.all_scripts())} scripts of {len(rundeck.jobs)} jobs were run")


if __name__ == "__main__":
    main()
