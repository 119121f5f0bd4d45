# SPDX-License-Identifier: Apache-2.0
"""What a local target is made of: plan and apply, scale, drain and resume. See local.py; its store is in
local_store.py.
"""
import datetime
import os

from verbs import rollout
from verbs.target import IDLE, ORDER, TargetError

TASKS_MAX = 64  # of a service


def missing(target):
    """[(what is to be made, how)]"""
    wanted = []
    for name in ("images", "tasks", "ended"):
        if not (target.folder / name).is_dir():
            wanted.append((f"folder {target.folder / name}",
                           lambda path=target.folder / name: path.mkdir(mode=0o700)))
    key = target.folder / "master.key"
    if not key.exists():
        wanted.append((f"a new master key {key}", lambda: write_key(key)))
    return wanted


def write_key(path):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w",
              encoding="ascii") as file:
        file.write(os.urandom(32).hex() + "\n")


def plan(target, say):
    if not target.settings_file().exists():
        raise TargetError(f"{target.settings_file()} is not there: write it first "
                          "(docs/operating.md, \"Several processes\")")
    found = missing(target)
    for what, _ in found:
        say(f"is missing and would be made: {what}")
    for service in target.services():
        there = [task for task in target.tasks() if task.service == service.name]
        if len(there) != service.count:
            say(f"{service.name}: {len(there)} tasks, {service.count} are wanted: "
                "`roll` of the current version changes it")
    if "database" not in target.settings["store"]:
        say(f"[store] database is missing in {target.folder / 'target.toml'}: without it backup and restore are refused "
            "(deploy/README.md, \"A local target\")")
    differing = target.differing()
    if differing:
        say(f"settings differ from what runs ({', '.join(differing)}): `roll` of the current version replaces these tasks")
    drained = [rollout.drained(target, service) for service in target.services() if service.drained]
    for sentence in drained:
        say(sentence)
    if not found and not drained and not differing and "database" in target.settings["store"]:
        say("nothing is missing")
    return len(found)


def apply(target, say):
    for what, make in missing(target):
        say(f"making {what}")
        make()


def scale(target, service, count, say):
    """Keeps so many tasks of the service from now on, and none of them is drained any more."""
    if service not in target.settings["services"]:
        raise TargetError(f"{service!r} is no service of {target.name}: there are "
                          f"{', '.join(target.settings['services'])}")
    if not 0 <= count <= TASKS_MAX:
        raise TargetError(f"{count} tasks of {service}: there may be 0 to {TASKS_MAX}")
    state = target.state()
    say(f"{service}: {count} tasks are wanted")
    target.write_state(scaled={**state.get("scaled", {}), service: count},
                       drained={name: out for name, out in state.get("drained", {}).items()
                                if name != service})
    current = target.deployed().current
    if current is not None:
        target.replace(service, current, say)


# ---- out of work and back ------------------------------------------------------------------------

def service_of(target, what):
    if what in {service.name for service in target.services()}:
        return what, [task for task in target.tasks() if task.service == what]
    there = [task for task in target.tasks() if task.id == what]
    if there:
        return there[0].service, there
    raise TargetError(f"{what!r} is neither a service nor a task; tasks: "
                      f"{', '.join(task.id for task in target.tasks()) or 'none'}")


def drain(target, what, say):
    """A task, or all of a service. The count that is wanted is lower until `resume`."""
    if what not in ORDER and (target.folder / "ended" / what).is_dir():
        say(f"{what} has ended already")
        return
    service, there = service_of(target, what)
    drained = dict(target.state().get("drained", {}))
    # First what is wanted, so that nobody starts another one in its place. By their ids: a verb that was
    # broken off here and is called again counts none of them twice.
    known = drained.get(service, [])
    new = [task.id for task in there if task.id not in known]
    drained[service] = known + new
    since = dict(target.state().get("drained_since", {}))
    if new:
        since[service] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    target.write_state(drained=drained, drained_since=since)
    for task in there:
        target.retire(task, say)


def drain_leaves(target, what):
    if what not in ORDER and (target.folder / "ended" / what).is_dir():
        return ""
    service, there = service_of(target, what)
    known = target.state().get("drained", {}).get(service, [])
    new = [task for task in there if task.id not in known]
    count = target.count_of(service)
    if not new or len(new) < count:
        return ""
    return f"no task of {service} is left then: {IDLE[service]} until `resume {service}`"


def resume(target, what, say):
    """All that was drained of the service (or of the service that the task was of)."""
    service = what if what in target.settings["services"] else what.rpartition("-")[0]
    if service not in target.settings["services"]:
        raise TargetError(f"{what!r} is of no service of {target.name}")
    current = target.deployed().current
    drained = dict(target.state().get("drained", {}))
    if not drained.pop(service, []):
        say(f"nothing of {service} is drained")
    target.write_state(drained=drained)
    if current is None:
        say(f"no version runs yet: `roll` begins the tasks of {service}")
        return
    target.replace(service, current, say)
