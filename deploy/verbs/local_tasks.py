# SPDX-License-Identifier: Apache-2.0
"""The tasks of a local target: a folder for each, kept by a process of its own (keeper.py).

FOLDER/tasks/ID: task.json, state.json, log, data/, and the marks `was-ready` and `joined` (it gets
connections from the balancer). One that has ended in order is moved to FOLDER/ended, of which the
last are kept for their logs.
"""
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/demo"))

import processes  # noqa: E402
from verbs import figures  # noqa: E402
from verbs.images import write_whole  # noqa: E402
from verbs.target import Task, TargetError  # noqa: E402

LOOK_SECONDS = 0.1
ENDED_KEPT = 20
# The variables by which each service is told where to listen for what the balancer passes on.
DOORS = {"api": "TODOKU_API__LISTEN"}
METRICS = "TODOKU_METRICS__LISTEN"
KEEPER_SECONDS = 10  # until it has told of itself
AGAIN_SECONDS = 5  # who was ready is asked again before it counts as unready


class Tasks:
    """`settings`: those of [roll], complete."""

    def __init__(self, folder, settings, balanced):
        self.folder = folder
        self.settings = settings
        self.balanced = balanced  # {service: address that clients use}

    # ---- looking ---------------------------------------------------------------------------

    def folders(self):
        """In the order of their making."""
        found = [path for path in (self.folder / "tasks").glob("*-*") if path.is_dir()]
        return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))

    def all(self):
        """One behind the balancer is ready only once it gets connections from there."""
        return [self.as_joined(self.look_at(path)) for path in self.folders()]

    def as_joined(self, task):
        if task.state != "ready" or self.is_joined(task):
            return task
        return dataclasses.replace(task, state="starting", detail="gets no requests from the balancer yet")

    def is_joined(self, task):
        return task.service not in self.balanced or \
            (self.folder / "tasks" / task.id / "joined").exists()

    def look_at(self, path):
        made, state = read(path / "task.json"), read(path / "state.json")
        if made is None:
            return Task(path.name, path.name.rpartition("-")[0], "?", "ended", "was never begun")

        def task(how, detail=""):
            return Task(path.name, made["service"], made["version"], how, detail)

        if state is None or state["state"] == "ended" or not is_keeper(state["keeper"], path):
            return task("ended", (state or {}).get("detail") or "its keeper is gone")
        status, said = figures.ask(state["addresses"][METRICS], "/readyz")
        if status == 200:
            (path / "was-ready").touch()
            return task("ready", state["detail"])
        if not (path / "was-ready").exists():
            return task("starting", state["detail"] or reasons(said))
        # Who was ready and does not say so may have missed one answer on a busy machine, or have ended
        # a moment ago: why is known once its keeper has looked.
        until = time.monotonic() + AGAIN_SECONDS
        while status != 200 and not state["detail"] and state["state"] != "ended" \
                and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            state = read(path / "state.json") or state
            status, said = figures.ask(state["addresses"][METRICS], "/readyz")
        if status == 200:
            return task("ready", state["detail"])
        return task("unready", state["detail"] or reasons(said))

    def address(self, task, variable=METRICS):
        return read(self.folder / "tasks" / task.id / "state.json")["addresses"][variable]

    def restarts(self, task):
        return (read(self.folder / "tasks" / task.id / "state.json") or {}).get("restarts", 0)

    def figures(self, task):
        status, text = figures.ask(self.address(task), "/metrics")
        return figures.read(text) if status == 200 else figures.Figures()

    def last_words(self, task):
        return processes.tail(self.folder / "tasks" / task.id / "log", 3)

    # ---- starting and ending ---------------------------------------------------------------

    def start(self, service, image, environment, settings=None):
        """A new task that is ready; TargetError with its last words if it does not become that, and
        then it is gone."""
        path = self.make(service, image, environment, settings)
        with open(path / "keeper.log", "ab") as log:
            subprocess.Popen([sys.executable, "-B", str(ROOT / "deploy/verbs/keeper.py"), str(path)],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             start_new_session=True)
        began = time.monotonic()
        while True:
            task = self.look_at(path)
            waited = time.monotonic() - began
            if task.state == "ready":
                return task
            broken = self.restarts(task) > 0 or (task.state == "ended" and
                                                 (waited > KEEPER_SECONDS or
                                                  (path / "state.json").exists()))
            if broken or waited > self.settings["ready_seconds"]:
                why = "ends at its start" if broken else \
                    f"is not ready after {self.settings['ready_seconds']} s"
                said = f"{task.id} of version {image.version} {why}: {task.detail}\n" \
                       f"{self.last_words(task)}".rstrip()
                self.end(task)
                raise TargetError(said)
            time.sleep(LOOK_SECONDS)

    def make(self, service, image, environment, settings):
        """`settings`: a digest of those that it begins with, by which a later verb sees that they changed."""
        number = 1 + max((int(path.name.rpartition("-")[2])
                          for place in ("tasks", "ended")
                          for path in (self.folder / place).glob("*-*")), default=0)
        path = self.folder / "tasks" / f"{service}-{number}"
        path.mkdir(parents=True)
        path.chmod(0o700)
        listens = {METRICS: "127.0.0.1"}
        if service in DOORS:
            listens[DOORS[service]] = "127.0.0.1"
        write_whole(path / "task.json", json.dumps({
            "service": service, "version": image.version, "settings": settings, "listens": listens,
            "command": image.command("serve"),
            "environment": {**image.environment, **environment,
                            "TODOKU_ENGINE__ROLES": service,
                            "TODOKU_DATA__DIRECTORY": str(path / "data")},
            "memory_max_mb": self.settings["memory_max_mb"],
            "restarts_max": self.settings["restarts_max"],
            "patience_seconds": self.settings["drain_seconds"]}), 0o600)
        return path

    def end(self, task):
        """In order: no more connections to it, then SIGTERM. What is to be told of it, or ""."""
        path = self.folder / "tasks" / task.id
        if (path / "joined").exists():
            (path / "joined").unlink()
            self.write_balancer()
            time.sleep(self.settings["leave_seconds"])
        state = read(path / "state.json")
        if state is not None and is_keeper(state["keeper"], path):
            os.kill(state["keeper"], signal.SIGTERM)
            until = time.monotonic() + self.settings["drain_seconds"] + KEEPER_SECONDS
            while is_keeper(state["keeper"], path):
                if time.monotonic() > until:
                    raise TargetError(f"{task.id} does not end: its keeper is process "
                                      f"{state['keeper']}")
                time.sleep(LOOK_SECONDS)
            state = read(path / "state.json") or state
        (self.folder / "ended").mkdir(exist_ok=True)
        path.rename(self.folder / "ended" / path.name)
        self.forget_old()
        return state["detail"] if state else ""

    def forget_old(self):
        kept = sorted((self.folder / "ended").glob("*-*"),
                      key=lambda path: int(path.name.rpartition("-")[2]))
        for path in kept[:-ENDED_KEPT]:
            shutil.rmtree(path, ignore_errors=True)

    # ---- the balancer ----------------------------------------------------------------------

    def join_all(self, service, version, say):
        """Those of this version that are ready: a verb that was broken off between their start and
        their joining, or in the midst of it, has left them without requests."""
        if service not in self.balanced:
            return
        for path in self.folders():
            task = self.look_at(path)
            if (task.service, task.version, task.state) == (service, version, "ready"):
                if not self.is_joined(task):
                    say(f"{task.id} is ready; it gets requests from now on")
                self.join(task)

    def join(self, task):
        """May be called again."""
        (self.folder / "tasks" / task.id / "joined").touch()
        self.write_balancer()
        self.begin_balancer()

    def write_balancer(self):
        doors = {}
        for service, door in self.balanced.items():
            doors[door] = [read(path / "state.json")["addresses"][DOORS[service]]
                           for path in self.folders()
                           if (path / "joined").exists() and path.name.startswith(f"{service}-")]
        (self.folder / "balancer").mkdir(exist_ok=True)
        write_whole(self.folder / "balancer/balancer.json", json.dumps(doors))

    def begin_balancer(self):
        folder = self.folder / "balancer"
        if not self.balanced or processes.recall(folder):
            return
        processes.start(folder, "balancer",
                        [sys.executable, "-B", str(ROOT / "deploy/verbs/balancer.py"), str(folder)])
        until = time.monotonic() + KEEPER_SECONDS
        for door in self.balanced.values():
            while figures.ask(door, "/healthz")[0] == 0:
                if time.monotonic() > until:
                    raise TargetError(f"the balancer does not listen at {door}; "
                                      f"{folder}/balancer.log says:\n"
                                      f"{processes.tail(folder / 'balancer.log')}")
                time.sleep(LOOK_SECONDS)

    def end_balancer(self):
        processes.stop_all(self.folder / "balancer", patience=5)


def is_keeper(pid, path):
    """Whether the process keeps this task: a number may belong to another one meanwhile."""
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        ended = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return False
    return str(path).encode() in words and not ended


def reasons(said):
    """What /readyz says, without what is well."""
    try:
        told = json.loads(said)
    except ValueError:
        return said.strip()[:200]
    return json.dumps(told, ensure_ascii=False)[:300]


def read(path):
    try:
        return json.loads(path.read_text())
    except OSError:
        return None
