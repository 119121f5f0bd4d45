# SPDX-License-Identifier: Apache-2.0
"""A cluster of processes on this machine, over a PostgreSQL server that is there already: what the
verbs are rehearsed on, and a small installation's own. The images are the very same; each task runs
the engine of its image with that image's shared objects.

FOLDER/target.toml:

    kind = "local"
    settings = "todoku.toml"          # of every process the same; beside it, master.key
    [services]                        # tasks of each role
    events = 1
    scheduler = 2
    courier = 2
    api = 2
    [balancer]                        # where clients reach the API
    api = "127.0.0.1:8025"
    [roll]                            # all of them with their defaults
    ready_seconds = 60
    drain_seconds = 40
    leave_seconds = 1                 # between the last new connection to a task and its SIGTERM
    memory_max_mb = 1024
    restarts_max = 3
    [smoke]
    from = "smoke@sender.example"     # of the account whose bearer token is in this file
    token_file = "smoke.token"
    to = [["todoku sink", "smoke@sink.example"]]
    [store]                           # for backup and restore (local_store.py)
    database = "host=/run/postgresql dbname=mail user=todoku"
    password_file = "password"        # if it wants one

The relay (smtp-in) is not among the services of a local target. Beside the file are made: images/,
tasks/, ended/, state.json, lock, balancer/.
"""
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import subprocess
import tomllib

from verbs import figures, local_data, local_store
from verbs.images import Images, plain_environment, write_whole
from verbs.local_tasks import Tasks, read
from verbs.target import ORDER, Deployed, Ran, Service, Target, TargetError

ROLL = {"ready_seconds": 60, "drain_seconds": 40, "leave_seconds": 1, "memory_max_mb": 1024,
        "restarts_max": 3}
LIMITS = {"ready_seconds": (1, 3600), "drain_seconds": (1, 3600), "leave_seconds": (0, 300),
          "memory_max_mb": (64, 1 << 20), "restarts_max": (0, 1000)}
RUN_SECONDS = 600
# Not smtp-in: an old and a new task would listen at the same ports, which the settings name.
ROLES = ("events", "scheduler", "courier", "api")


class LocalTarget(Target):
    def __init__(self, where, settings, folder):
        self.name = where
        self.folder = pathlib.Path(folder)
        self.settings = checked(settings, where)
        self.images = Images(self.folder / "images")
        self.renewing = False
        self.work = Tasks(self.folder, self.settings["roll"], self.settings["balancer"])

    # ---- versions --------------------------------------------------------------------------

    def push(self, archive, version, say):
        version, is_new = self.images.add(archive, version, say)
        if not is_new:
            say(f"version {version} is there already, and is the same")
        return version

    def versions(self):
        return self.images.versions()

    def image(self, version):
        return self.images.get(version) if self.images.described(version) else None

    def state(self):
        return read(self.folder / "state.json") or {}

    def write_state(self, **changes):
        write_whole(self.folder / "state.json", json.dumps({**self.state(), **changes}, indent=1))

    def deployed(self):
        return Deployed(**self.state().get("deployed", {}))

    def remember(self, deployed):
        self.write_state(deployed=dataclasses.asdict(deployed))

    @contextlib.contextmanager
    def lock(self):
        with open(self.folder / "lock", "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                raise TargetError(f"{self.name}: another verb is at work: {file.read().strip()}") \
                    from error
            file.truncate(0)
            file.write(f"process {os.getpid()}")
            file.flush()
            yield

    # ---- tasks -----------------------------------------------------------------------------

    def services(self):
        """As many as `scale` said last, else the settings, less what was taken out by `drain`."""
        state = self.state()
        out = state.get("drained", {})
        since = state.get("drained_since", {})
        wanted = {**self.settings["services"], **state.get("scaled", {})}

        def service(name):
            less = min(wanted[name], len(out.get(name, [])))
            return Service(name, wanted[name] - less, less, since.get(name, "") if less else "")

        return [service(name) for name in ORDER if name in self.settings["services"]]

    def tasks(self):
        return self.work.all()

    def tasks_of(self, service):
        return [task for task in self.tasks() if task.service == service]

    def environment(self):
        return {"TODOKU_CONFIG": str(self.settings_file()),
                "TODOKU_SECRETS__MASTER_KEY_FILE": str(self.folder / "master.key")}

    def settings_file(self):
        return self.folder / self.settings["settings"]

    def settings_digest(self):
        """Of what a task gets of the settings: the same for another order, other remarks."""
        given = {name: self.settings["roll"][name] for name in ("memory_max_mb", "restarts_max", "drain_seconds")}
        try:
            octets = self.settings_file().read_bytes()
        except OSError as error:
            raise TargetError(f"{self.settings_file()} cannot be read: {error.strerror}") from error
        try:
            given["settings"] = tomllib.loads(octets.decode())
        except ValueError:  # the engine is who says what is wrong with it
            given["settings"] = octets.hex()
        return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()

    def differing(self):
        """Of a task that was begun before tasks kept a digest nobody knows."""
        there = {path.name: (read(path / "task.json") or {}).get("settings") for path in self.work.folders()}
        if not any(there.values()):
            return []
        now = self.settings_digest()
        return [name for name, digest in there.items() if digest not in (None, now)]

    def renew(self, wanted):
        self.renewing = wanted

    def is_of(self, task, version, differing):
        return task.version == version and task.id not in differing

    def to_renew(self):
        return set(self.differing()) if self.renewing else set()

    def begin(self, service, version, say):
        say(f"starting a task of {service}, version {version}")
        task = self.work.start(service, self.images.get(version), self.environment(), self.settings_digest())
        if service in self.settings["balancer"]:
            say(f"{task.id} is ready; it gets requests from now on")
            self.work.join(task)
        return task

    def retire(self, task, say):
        say(f"ending {task.id} of version {task.version} in order")
        told = self.work.end(task)
        if told:
            say(f"{task.id}: {told}")

    def canary(self, service, version, say):
        """The first of the service: it takes the place of an old one, and that one's share."""
        self.work.join_all(service, version, say)
        there, other = self.tasks_of(service), self.to_renew()
        for task in there:
            if self.is_of(task, version, other) and task.state == "ready":
                return task
        for task in there:
            if self.is_of(task, version, other):
                self.retire(task, say)
        new = self.begin(service, version, say)
        old = [task for task in there if not self.is_of(task, version, other)]
        if len(old) >= self.count_of(service):
            self.retire(old[0], say)
        return new

    def count_of(self, service):
        return next((each.count for each in self.services() if each.name == service), 0)

    def replace(self, service, version, say):
        self.work.join_all(service, version, say)
        there, other = self.tasks_of(service), self.to_renew()
        good = [task for task in there if self.is_of(task, version, other) and task.state == "ready"]
        old = [task for task in there if task not in good]
        for task in [task for task in old if task.state == "ended"]:
            say(f"{task.id} of version {task.version} had ended: {task.detail}")
            self.work.end(task)
            old.remove(task)
        while len(good) < self.count_of(service):
            good.append(self.begin(service, version, say))
            if old and len(good) + len(old) > self.count_of(service):
                self.retire(old.pop(0), say)
        for task in old + good[self.count_of(service):]:
            self.retire(task, say)

    def run_once(self, version, words, say):
        say(f"running `todoku {' '.join(words)}` of version {version}")
        image = self.images.get(version)
        folder = self.folder / "once"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        try:
            done = subprocess.run(image.command(*words), text=True, capture_output=True, check=False,
                                  stdin=subprocess.DEVNULL, cwd=folder, timeout=RUN_SECONDS,
                                  env={**plain_environment(), **image.environment,
                                       **self.environment(),
                                       "TODOKU_DATA__DIRECTORY": str(folder / "data")})
        except OSError as error:
            raise TargetError(f"todoku of version {version} cannot be run: {error.strerror}") \
                from error
        except subprocess.TimeoutExpired as error:
            raise TargetError(f"`todoku {' '.join(words)}` does not end in {RUN_SECONDS} s") \
                from error
        return Ran(done.returncode, done.stdout, done.stderr)

    # ---- looking ---------------------------------------------------------------------------

    def watch(self, version):
        before = figures.Figures()
        begun = {}
        for task in self.tasks():
            if task.state == "ended":
                continue
            now = self.work.figures(task)
            if task.version == version:
                begun[task.id] = (now, self.work.restarts(task))
            else:
                before = before.plus(now)

        def look():
            wrong, since = [], figures.Figures()
            for task in self.tasks():
                if task.version != version:
                    continue
                at_first, restarts = begun.get(task.id, (figures.Figures(), 0))
                if task.state != "ready":
                    wrong.append(f"{task.id} is {task.state}: {task.detail}")
                elif self.work.restarts(task) > restarts:
                    wrong.append(f"{task.id} was started again: {task.detail}")
                else:
                    since = since.plus(self.work.figures(task).less(at_first))
            return wrong + figures.alarms(since, before)

        return look

    def api(self):
        door = self.settings["balancer"].get("api")
        file = self.settings["smoke"].get("token_file")
        if not door or not file:
            raise TargetError(f"{self.name}: smoke mails need [balancer] api and [smoke] token_file")
        try:
            token = (self.folder / file).read_text().strip()
        except OSError as error:
            raise TargetError(f"{self.folder / file}: {error.strerror}: the bearer token that smoke mails are sent "
                              "with (deploy/README.md, \"The first time\")") from error
        if not token:
            raise TargetError(f"{self.folder / file} is empty: the bearer token that smoke mails are sent with is missing")
        return f"http://{door}", token

    def smoke_recipients(self):
        return [tuple(each) for each in self.settings["smoke"].get("to", ())]

    def smoke_sender(self):
        sender = self.settings["smoke"].get("from")
        if not sender:
            raise TargetError(f"{self.name}: smoke mails need [smoke] from")
        return sender

    # ---- infrastructure and data -----------------------------------------------------------

    def plan(self, say):
        return local_data.plan(self, say)

    def apply(self, say):
        local_data.apply(self, say)

    def scale(self, service, count, say):
        local_data.scale(self, service, count, say)

    def drain(self, what, say):
        local_data.drain(self, what, say)

    def drain_leaves(self, what):
        return local_data.drain_leaves(self, what)

    def resume(self, what, say):
        local_data.resume(self, what, say)

    def backup(self, to, say):
        return local_store.backup(self, to, say)

    def restore(self, copy, say):
        local_store.restore(self, copy, say)

    def end_all(self, say):
        """All tasks and the balancer, doors first."""
        for service in reversed(ORDER):
            for task in self.tasks_of(service):
                self.retire(task, say)
        self.work.end_balancer()


def checked(settings, where):
    """With defaults; TargetError names the field, the value and what may be."""
    def refuse(field, value, may):
        raise TargetError(f"{where}: {field} is {value!r}; it must be {may}")

    known = {"kind", "settings", "services", "balancer", "roll", "smoke", "store"}
    for name in settings:
        if name not in known:
            refuse(name, settings[name], f"left out: there are {', '.join(sorted(known))}")
    services = settings.get("services") or {}
    if not services:
        refuse("[services]", services, "a count of tasks for each role")
    for name, count in services.items():
        if name not in ROLES:
            refuse(f"services.{name}", count, f"one of {', '.join(ROLES)}")
        if type(count) is not int or not 1 <= count <= local_data.TASKS_MAX:
            refuse(f"services.{name}", count, f"a whole number from 1 to {local_data.TASKS_MAX}")
    roll = {**ROLL, **settings.get("roll", {})}
    for name, value in roll.items():
        if name not in LIMITS:
            refuse(f"roll.{name}", value, f"one of {', '.join(LIMITS)}")
        least, most = LIMITS[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) \
                or not least <= value <= most:
            refuse(f"roll.{name}", value, f"a number from {least} to {most}")
    balancer = settings.get("balancer", {})
    for name in balancer:
        if name != "api" or name not in services:
            refuse(f"balancer.{name}", balancer[name], "for api, which has to be in [services]")
    return {"settings": settings.get("settings", "todoku.toml"), "services": services,
            "roll": roll, "balancer": balancer, "smoke": settings.get("smoke", {}),
            "store": settings.get("store", {})}
