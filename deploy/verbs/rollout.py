# SPDX-License-Identifier: Apache-2.0
"""How a version comes to run, and how it goes back by itself. Only the interface of a target is used;
what takes time is given, so that a test has none to wait for.

    smoke      where something runs, a smoke mail by that: a missing token or a sender whose domain is
               not proven is no fault of the new version
    trial      the new version alone, apart from everything: it starts, is ready, sends a mail
    schema     the store has the tables that it needs
    service    of each in its order: one task first (canary), a smoke mail, alarms watched;
               then the rest, one at a time, each ready before an old one drains
    the end    all tasks looked at once more, and a last smoke mail

Whatever fails before the first task is replaced changes nothing (FAILED). From then on a failure
takes back, in the reverse order, what was replaced (ROLLED_BACK); if that fails as well, or nothing
ran before, what runs is said (NEEDS_A_HAND), and the target remembers what it was on the way to.
"""
import dataclasses
import time

from verbs import tables
from verbs.target import IDLE, Deployed, TargetError
from verbs.words import DONE, FAILED, NEEDS_A_HAND, ROLLED_BACK

# Whatever goes wrong, a full disk or a mistake of ours as well, what was changed has to go back.
FAULTS = Exception


class Alarm(Exception):
    """What the watched tasks told."""


@dataclasses.dataclass(frozen=True)
class Means:
    """What a roll uses besides the target. `trial()` and `smoke(meanwhile)` raise TargetError if they
    fail; the latter calls `meanwhile()` now and then as it waits. `trial` is None where it cannot be
    had."""
    say: object
    smoke: object
    trial: object = None
    prepared: object = lambda: None  # raises TargetError where no smoke mail can be sent: no token, no sender
    sleep: object = time.sleep
    watch_seconds: float = 60
    look_seconds: float = 1


def roll(target, version, means):
    """-> how it ended (words.py)."""
    try:
        known, at = target.versions(), target.deployed()
    except FAULTS as error:
        means.say(f"failed: {error}")
        return FAILED
    if version not in known:
        means.say(f"failed: version {version} was not pushed; there are: {', '.join(known) or 'none'}")
        return FAILED
    try:
        refuse_drained(target)
        if at.rolling not in (None, version):
            means.say(f"an earlier roll to {at.rolling} was broken off; going on to {version}")
        if at.current == version and at.rolling is None and is_whole(target, version) \
                and not target.differing():
            means.say(f"version {version} runs already, all of it; nothing is to be done")
            return DONE
        means.prepared()
        if at.rolling is None and at.current not in (None, version) and anything_runs(target):
            smoke_by_what_runs(at.current, version, means)
        try_alone(version, means)
        tables.check(target, version, means.say)
        target.remember(Deployed(at.current, at.previous, version))
    except FAULTS as error:
        means.say(f"failed, and nothing that runs was changed: {error}")
        return FAILED
    base = at.current if at.current != version else None
    changed = []
    try:
        target.renew(True)
        differing = target.differing() if base is None else []
        for service in target.services():
            changed.append(service.name)
            roll_service(target, service, version, means, first=base is None and not differing)
        finish(target, version, means)
        target.remember(Deployed(version, base or at.previous))
    except FAULTS as error:
        means.say(f"version {version} is not good: {error}")
        return back(target, base, changed, at, means)
    means.say(f"version {version} runs; before it ran {base or at.previous or 'none'}")
    return DONE


def roll_back(target, version, means):
    """To a version that ran before, if it can work on the tables as they are by now: all at once as
    far as the target can, doors first, without trial and watching. If it cannot, what was changed is
    brought forward again."""
    try:
        at = target.deployed()
        services = [service.name for service in target.services()]
        means.prepared()
        tables.check(target, version, means.say)
        target.remember(Deployed(at.current, at.previous, version))
    except FAULTS as error:
        means.say(f"failed, and nothing that runs was changed: {error}")
        return FAILED
    changed = []
    try:
        for name in reversed(services):
            changed.append(name)
            target.replace(name, version, means.say)
        finish(target, version, means)
        previous = at.current if at.current != version else at.previous
        target.remember(Deployed(version, previous))
    except FAULTS as error:
        means.say(f"version {version} cannot be gone back to: {error}")
        base = at.current if at.current != version else None
        return back(target, base, changed, at, means)
    means.say(f"version {version} runs")
    return DONE


def smoke_by_what_runs(current, version, means):
    """TargetError if it is not taken: then one that is not taken later would tell nothing of the new version."""
    means.say(f"a smoke mail by version {current}, which runs")
    try:
        means.smoke(lambda: None)
    except TargetError as error:
        raise TargetError(f"version {current}, which runs, does not send the smoke mail either, so that it would tell "
                          f"nothing of {version}: {error}\nMend that first (the token, the sender's domain, the recipient), or "
                          "go back to what ran before: deploy/bin/rollback") from error


def anything_runs(target):
    return any(task.state == "ready" for task in target.tasks())


def refuse_drained(target):
    """TargetError where a service has no task because somebody drained it: no smoke mail would tell anything,
    and `resume` alone brings it back."""
    found = [drained(target, service) for service in target.services() if service.is_drained()]
    if found:
        raise TargetError("; ".join(found))


def drained(target, service):
    """The sentence for a service of which somebody drained tasks; "" of one that is as it should be."""
    if not service.drained:
        return ""
    there = sum(task.service == service.name for task in target.tasks())
    since = f" at {service.since}" if service.since else ""
    idle = f": {IDLE[service.name]}" if service.is_drained() else ""
    return f"{service.name}: {there} of {service.count + service.drained}, drained by hand{since}{idle}; " \
           f"`resume {service.name}` brings it back"


def try_alone(version, means):
    if means.trial is None:
        means.say(f"version {version} is not tried alone first")
        return
    means.say(f"trying version {version} alone, apart from everything that runs")
    means.trial()
    means.say("it starts, is ready and sends a mail")


def roll_service(target, service, version, means, first):
    name = service.name
    if service.count > 0 and not first:
        means.say(f"{name}: one task of {version} first, of {service.count}")
        task = target.canary(name, version, means.say)
        look = target.watch(version)
        means.say(f"{name}: {task.id} is watched for {means.watch_seconds:g} s")
        means.smoke(lambda: alarm(look))
        watch(look, means)
    means.say(f"{name}: {service.count} of version {version}")
    target.replace(name, version, means.say)


def alarm(look):
    wrong = look()
    if wrong:
        raise Alarm("; ".join(wrong))


def watch(look, means):
    waited, pause = 0, min(means.look_seconds, means.watch_seconds)
    while True:
        alarm(look)
        if waited >= means.watch_seconds:
            return
        means.sleep(pause)
        waited += pause


def finish(target, version, means):
    """All of it is of this version, and works."""
    means.smoke(lambda: None)
    if not is_whole(target, version):
        raise TargetError(f"not all is well at the end: {runs(target)}")


def is_whole(target, version):
    tasks = target.tasks()
    if any(task.version != version or task.state != "ready" for task in tasks):
        return False
    return all(sum(task.service == service.name for task in tasks) == service.count
               for service in target.services())


def back(target, base, changed, at, means):
    target.renew(False)
    if base is None and at.current is not None:
        means.say(f"needs a hand: version {at.current} ran before as well, and what changed of its settings is not taken "
                  f"back here. Now: {runs(target)}\nMend the settings, then roll again.")
        return NEEDS_A_HAND
    if base is None:
        means.say(f"nothing ran before that could be gone back to. Now: {runs(target)}\n"
                  "Mend the version or its settings, then roll again.")
        return NEEDS_A_HAND
    means.say(f"going back to version {base}")
    failed = []
    for name in reversed(changed):
        try:
            target.replace(name, base, means.say)
        except FAULTS as error:
            means.say(f"{name} cannot be brought back: {error}")
            failed.append(name)
    try:
        if not failed:
            finish(target, base, means)
            target.remember(Deployed(base, at.previous))
            means.say(f"rolled back: version {base} runs as before")
            return ROLLED_BACK
    except FAULTS as error:
        means.say(str(error))
    means.say(f"needs a hand: {runs(target)}\nThe target remembers the roll as broken off; "
              f"`roll --version {base}` takes it up again, `status` shows what there is.")
    return NEEDS_A_HAND


def runs(target):
    """In words, what runs now."""
    try:
        tasks = target.tasks()
    except FAULTS as error:
        return f"what runs cannot be told: {error}"
    return ", ".join(f"{task.id} of {task.version} {task.state}" for task in tasks) or "nothing runs"
