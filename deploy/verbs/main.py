# SPDX-License-Identifier: Apache-2.0
"""The verbs, as deploy/bin has them: `main.run("roll")`. What each does is in its help; how they end
is in words.py."""
import argparse
import dataclasses
import json
import os
import signal
import tempfile
import traceback

from verbs import rollout, smoke, tables, trial
from verbs.images import Archive, Images
from verbs.target import IDLE, NeedsAHand, TargetError, open_target
from verbs.words import (DECLINED, DONE, FAILED, NEEDS_A_HAND, Declined, Words, table)

ARCHIVE = "build/image/todoku.oci.tar"
EPILOG = ("exit status: 0 done, 1 failed (nothing that runs was changed), 2 wrong call, 3 rolled back, "
          "4 needs a hand, 5 declined")


def means(target, given, words):
    return rollout.Means(words.say, lambda meanwhile: smoke_mail(target, words, meanwhile),
                         trial_of(target, given, words), lambda: smoke_is_prepared(target),
                         watch_seconds=target.watch_seconds if given.watch is None else given.watch,
                         look_seconds=target.look_seconds)


def trial_of(target, given, words):
    if given.no_trial:
        return None
    image = target.image(given.version)
    if image is not None:
        return lambda: trial.run(image, given.ready)
    if not os.path.exists(given.archive):
        words.say(f"the image of {given.version} is not on this machine: --archive names it")
        return None
    with Archive(given.archive) as archive:
        if archive.tag != given.version:
            words.say(f"{given.archive} is of version {archive.tag}")
            return None

    def unpacked():
        with tempfile.TemporaryDirectory(prefix="todoku-image-") as folder:
            images = Images(folder)
            images.add(given.archive, given.version, words.say)
            trial.run(images.get(given.version), given.ready)
    return unpacked


def smoke_is_prepared(target):
    """TargetError where a smoke mail is wanted and cannot be sent, without a look at what runs."""
    if target.smoke_recipients():
        target.smoke_sender()
        target.api()


def smoke_mail(target, words, meanwhile=lambda: None):
    recipients = target.smoke_recipients()
    if not recipients:
        words.say("no smoke mail: the target names no recipients")
        return
    url, token = target.api()
    smoke.send(smoke.Api(url, token), target.smoke_sender(), recipients, words.say,
               meanwhile=meanwhile)


# ---- the verbs -----------------------------------------------------------------------------------

def push(target, given, words):
    version = target.push(given.archive, given.version, words.say)
    words.say(f"version {version} can be rolled")
    return DONE


def migrate(target, given, words):
    """Takes the steps of the schema that are missing and take nothing away; what runs goes on working after them,
    or else somebody has to want it."""
    version = newest_of(target, given, words)
    if given.no_way_back:
        words.ask(f"after this, older versions may not work on the tables of {target.name} any more")
    else:
        tables.check_expansion(target, version, words.say)
    ran = target.run_once(version, ["migrate", "up"], words.say)
    words.say(ran.words())
    return DONE if ran.status == 0 else FAILED


def contract(target, given, words):
    """Takes away what only the version before needed: once it is certain that nobody goes back to it."""
    at = target.deployed()
    if at.rolling:
        raise TargetError(f"a roll to {at.rolling} is under way or was broken off: finish it first")
    version = given.version or at.current
    if version is None:
        raise TargetError("nothing runs yet: `migrate` makes all of an empty store")
    steps = tables.look(target, version, words.say).contractions
    if not steps:
        words.say(f"version {version} takes nothing away that is still there")
        return DONE
    words.ask(f"{steps} steps take away what versions before {version} work with at {target.name}: there is no way "
              f"back to {at.previous or 'them'} after this")
    ran = target.run_once(version, ["migrate", "contract"], words.say)
    words.say(ran.words())
    return DONE if ran.status == 0 else FAILED


def plan(target, given, words):
    count = target.plan(words.say)
    words.say(f"`apply` would change {count} things" if count else "`apply` would change nothing")
    return DONE


def apply(target, given, words):
    if not target.plan(words.say):
        return DONE
    words.ask(f"this changes what {target.name} is made of")
    target.apply(words.say)
    return DONE


def roll(target, given, words):
    given.version = newest_of(target, given, words)
    return rollout.roll(target, given.version, means(target, given, words))


def smoke_(target, given, words):
    smoke_mail(target, words)
    return DONE


def rollback(target, given, words):
    at = target.deployed()
    # One that was broken off goes back to what ran; one that was finished to what ran before.
    version = given.version or (at.current if at.rolling else at.previous)
    if version is None:
        words.say("failed: no version is known that ran before; --version names one")
        return FAILED
    words.ask(f"version {version} replaces {at.rolling or at.current} at {target.name}")
    given.version, given.no_trial = version, True
    return rollout.roll_back(target, version, means(target, given, words))


def drain(target, given, words):
    leaves = target.drain_leaves(given.what)
    words.ask(f"{given.what} takes no more work at {target.name}" + (f"; {leaves}" if leaves else ""))
    target.drain(given.what, words.say)
    return DONE


def resume(target, given, words):
    target.resume(given.what, words.say)
    return DONE


def backup(target, given, words):
    words.say(f"copy: {target.backup(given.to, words.say)}")
    return DONE


def restore(target, given, words):
    words.ask(f"the store of {target.name} is replaced by {given.copy}; what is in it now is lost")
    target.restore(given.copy, words.say)
    return DONE


def status(target, given, words):
    """1 where nothing was rolled yet, not all tasks are of one version and ready, a service has none at all, or a
    roll was broken off."""
    at, tasks, services = target.deployed(), target.tasks(), target.services()
    sound = at.rolling is None and at.current is not None and rollout.is_whole(target, at.current) \
        and all(service.count for service in services)
    if given.json:
        words.show(json.dumps({
            "target": target.name, "sound": sound, **dataclasses.asdict(at),
            "services": [dataclasses.asdict(service) for service in services],
            "tasks": [dataclasses.asdict(task) for task in tasks]}, ensure_ascii=False))
        return DONE if sound else FAILED
    words.show(f"{target.name}: version {at.current or 'none'}, before it {at.previous or 'none'}"
               + (f"; a roll to {at.rolling} is under way or was broken off" if at.rolling else ""))
    if tasks:
        words.show(table([("task", "version", "state", ""),
                          *((task.id, task.version, task.state, task.detail) for task in tasks)]))
    if at.current is None and at.rolling is None:
        words.show("nothing runs: `roll` brings a version to run")
    for service in services:
        there = sum(task.service == service.name for task in tasks)
        if service.drained:
            words.show(rollout.drained(target, service))
        elif service.count == 0:
            words.show(f"{service.name}: none is wanted: {IDLE[service.name]}")
        if there != service.count:
            words.show(f"{service.name}: {there} tasks, of {service.count} that are wanted")
    return DONE if sound else FAILED


def version_of(target, given):
    """The one that was named, or else the one that runs."""
    return given.version or target.deployed().current or newest(target)


def newest_of(target, given, words):
    """The one that was named, or else the one that was pushed last, which is said."""
    if given.version:
        return given.version
    version = newest(target)
    words.say(f"version {version}, which was pushed last: --version names another")
    return version


def newest(target):
    known = target.versions()
    if not known:
        raise TargetError("no version was pushed")
    return known[-1]


VERBS = {
    "push": (push, "gives the target an image as a version"),
    "migrate": (migrate, "brings the tables of the store to what a version needs, and takes nothing away (expand)"),
    "contract": (contract, "takes away what only the version before needed, once none of it runs"),
    "plan": (plan, "shows what apply would change"),
    "apply": (apply, "makes what the target is made of"),
    "roll": (roll, "brings a version to run, one task at a time; goes back by itself if it is not "
             "good"),
    "smoke": (smoke_, "sends smoke mails and waits until they are taken"),
    "rollback": (rollback, "goes back to the version before"),
    "drain": (drain, "takes a task or a service out of work, in order"),
    "resume": (resume, "brings back what was drained"),
    "backup": (backup, "copies the store as it is"),
    "restore": (restore, "replaces the store by a copy"),
    "status": (status, "what runs, of which version"),
}
# What those that have a version do without --version.
VERSIONS = {"push": "else the archive's own tag", "migrate": "else the one that was pushed last", "contract": "else the one that runs",
            "roll": "else the one that was pushed last",
            "rollback": "else the one before, or the one that a roll was broken off from"}
LOOK_ONLY = ("plan", "smoke", "status", "backup")


def seconds(text):
    value = float(text)
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 86400 seconds")
    return value


def parser_of(verb):
    parser = argparse.ArgumentParser(prog=f"deploy/bin/{verb}", description=VERBS[verb][1],
                                     epilog=EPILOG)
    parser.add_argument("--target", default=os.environ.get("DEPLOY_TARGET"), metavar="T",
                        help="local:FOLDER, ecs, or a TOML file; else the variable DEPLOY_TARGET")
    parser.add_argument("--yes", action="store_true", help="answers what would be asked")
    parser.add_argument("--version", metavar="V", help=VERSIONS.get(verb, argparse.SUPPRESS))
    if verb == "migrate":
        parser.add_argument("--no-way-back", action="store_true",
                            help="takes also steps after which the version that runs cannot work any more")
    if verb in ("push", "roll"):
        parser.add_argument("--archive", default=ARCHIVE, metavar="FILE",
                            help=f"the image ({ARCHIVE})")
    if verb in ("roll", "rollback"):
        parser.add_argument("--watch", type=seconds, metavar="SECONDS",
                            help="how long the first task of each service is watched (60; on ECS 300)")
        parser.add_argument("--ready", type=seconds, default=60, metavar="SECONDS",
                            help="how long the trial may take to be ready (60)")
        parser.add_argument("--no-trial", action="store_true",
                            help="do not try the version alone first")
    if verb in ("drain", "resume"):
        parser.add_argument("what", help="a task such as courier-3, or a service such as courier")
    if verb == "status":
        parser.add_argument("--json", action="store_true", help="one object, for programs")
    if verb == "backup":
        parser.add_argument("--to", required=True, metavar="NAME")
    if verb == "restore":
        parser.add_argument("copy", help="what backup made")
    return parser


def run(verb, arguments=None):
    parser = parser_of(verb)
    given = parser.parse_args(arguments)
    if not given.target:
        parser.error("--target is missing: local:FOLDER, ecs, or a TOML file")
    words = Words(verb, given.yes)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        target = open_target(given.target)
        if verb in LOOK_ONLY:
            return VERBS[verb][0](target, given, words)
        with target.lock():
            return VERBS[verb][0](target, given, words)
    except NeedsAHand as error:
        words.say(f"needs a hand: {error}")
        return NEEDS_A_HAND
    except TargetError as error:
        words.say(f"failed: {error}")
        return FAILED
    except Declined as error:
        words.say(str(error))
        return DECLINED
    except Exception:  # noqa: BLE001  a mistake of ours: who knows what was done before it
        words.say(f"broken off by a fault of the verb itself\n{traceback.format_exc()}")
        return NEEDS_A_HAND
    except KeyboardInterrupt:
        words.say("broken off: `status` shows what runs, the same verb goes on")
        return NEEDS_A_HAND
