# SPDX-License-Identifier: Apache-2.0
"""A target in memory: services of two tasks, and a fault at any one call that it gets."""
import contextlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "deploy"))

from verbs.target import (ORDER, Deployed, Ran, Service, Target, Task,  # noqa: E402
                          TargetError)


class FakeTarget(Target):
    """`fails_at`: the number of the call that raises `fault`, the first one being 1; with
    `stays` every later one fails, too. `bad`: {version: set of what is wrong with it}, of "start",
    "alarm" and "smoke"."""

    name = "fake"

    def __init__(self, running="1", versions=("1", "2"), fails_at=0, stays=False, bad=None,
                 fault=TargetError):
        self.known = list(versions)
        self.at = Deployed(running)
        self.fails_at, self.stays, self.bad, self.fault = fails_at, stays, bad or {}, fault
        self.calls = 0
        self.missing_steps = 0
        self.known_steps, self.least = {}, {}  # by version; 17 and 1 where it is not here
        self.contractions = 0
        self.refuses = {}  # words: what it says to them
        self.too_old = set()  # versions that cannot work on the tables
        self.ran = []  # (version, words)
        self.made = 0
        self.there = []
        self.ready_least = {}
        self.starting_is_broken = False
        if running:
            for service in self.wanted():
                for _ in range(service.count):
                    self.add(service.name, running)

    # ---- faults ----------------------------------------------------------------------------

    def called(self, what):
        self.calls += 1
        if self.calls == self.fails_at or (self.stays and 0 < self.fails_at <= self.calls):
            raise self.fault(f"call {self.calls} ({what}) fails")

    def smoke(self, meanwhile):
        self.called("smoke")
        meanwhile()
        if any("smoke" in self.bad.get(task.version, ()) for task in self.there):
            raise TargetError("the smoke mail is HARDERROR")

    # ---- tasks -----------------------------------------------------------------------------

    def wanted(self):
        return [Service(name, 2) for name in ORDER]

    def of(self, service):
        return [task for task in self.there if task.service == service]

    def add(self, service, version):
        if "start" in self.bad.get(version, ()):
            raise TargetError(f"a task of {service}, version {version}, is not ready")
        self.made += 1
        task = Task(f"{service}-{self.made}", service, version, "ready")
        self.there.append(task)
        return task

    def remove(self, task):
        self.there.remove(task)
        if len(self.of(task.service)) < 2:
            raise AssertionError(f"{task.service} was left with {self.of(task.service)}")

    def canary(self, service, version, say):
        self.called("canary")
        same = [task for task in self.of(service) if task.version == version]
        if same:
            return same[0]
        new = self.add(service, version)
        if len(self.of(service)) > 2:
            self.remove(self.of(service)[0])
        return new

    def replace(self, service, version, say):
        while any(task.version != version for task in self.of(service)) or len(self.of(service)) < 2:
            self.called("replace")
            old = [task for task in self.of(service) if task.version != version]
            self.add(service, version)
            if len(self.of(service)) > 2:
                self.remove(old[0])
        for task in self.of(service)[2:]:
            self.remove(task)

    def services(self):
        return self.wanted()

    def tasks(self):
        return list(self.there)

    def run_once(self, version, words, say):
        self.called("run_once")
        self.ran.append((version, " ".join(words)))
        if version in self.too_old:
            return Ran(1, "the database has schema step 18 and this program knows up to 17")
        if self.ran[-1][1] in self.refuses:
            return Ran(1, self.refuses[self.ran[-1][1]])
        return Ran(0, json.dumps({"missing": self.missing_steps, "contractions": self.contractions,
                                  "steps": [{}] * self.known_steps.get(version, 17),
                                  "worked_on_by": self.least.get(version, 1)}))

    def watch(self, version):
        self.called("watch")

        def look():
            self.called("look")
            return ["8 of 10 attempts failed"] if "alarm" in self.bad.get(version, ()) else []
        return look

    # ---- the rest --------------------------------------------------------------------------

    def push(self, archive, version, say):
        self.known.append(version)
        return version

    def versions(self):
        return list(self.known)

    def deployed(self):
        return self.at

    def remember(self, deployed):
        self.called("remember")
        self.at = deployed

    @contextlib.contextmanager
    def lock(self):
        yield

    def api(self):
        return "http://127.0.0.1:1", "token"

    def smoke_recipients(self):
        return []

    def smoke_sender(self):
        return "smoke@sender.example"

    def plan(self, say):
        return 0

    def apply(self, say):
        pass

    def scale(self, service, count, say):
        pass

    def drain(self, what, say):
        pass

    def resume(self, what, say):
        pass

    def backup(self, to, say):
        return to

    def restore(self, copy, say):
        pass
