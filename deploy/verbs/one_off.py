# SPDX-License-Identifier: Apache-2.0
"""Two verbs for everyday work besides those of main.py: `once` (a command of the engine, in a task of its own, with the
target's settings and the version that runs) and `scale` (how many tasks a service has)."""
import argparse
import os
import sys

from verbs.local_data import TASKS_MAX
from verbs.main import EPILOG, version_of
from verbs.target import ORDER, TargetError, open_target
from verbs.words import DECLINED, DONE, FAILED, Declined, Words

# What changes whole stores has a verb of its own, which asks; and `serve` never ends.
NOT_ONCE = {"serve": "roll", "migrate": "migrate", "restore": "restore", "backup": "backup", "drain": "drain"}
ONCE_EPILOG = ("standard output and exit status are the command's own; the verb's words go to standard error, and its own "
               "status is 1 where the command could not be run, 2 of a wrong call")


def once(target, given, words):
    command = [word for word in given.words if word != "--"] if given.words[:1] == ["--"] else given.words
    if not command:
        raise TargetError("what is to be run? Such as: once --target T -- nodes")
    if command[0] in NOT_ONCE:
        raise TargetError(f"todoku {command[0]} is no command for a task that ends: deploy/bin/{NOT_ONCE[command[0]]}")
    ran = target.run_once(version_of(target, given), command, words.say)
    sys.stdout.write(ran.output)
    sys.stdout.flush()
    sys.stderr.write(ran.errors)
    if ran.status != 0:
        words.say(f"its exit status is {ran.status}")
    # As shells tell of a signal that ended it.
    return ran.status if ran.status >= 0 else 128 - ran.status


def scale(target, given, words):
    now = {service.name: service.count for service in target.services()}
    if given.service not in now:
        raise TargetError(f"{target.name} has no service {given.service!r}: it has {', '.join(now)}")
    if given.count < now[given.service]:
        words.ask(f"{given.service} of {target.name} goes from {now[given.service]} to {given.count}")
    target.scale(given.service, given.count, words.say)
    words.say(f"{given.service}: {given.count} are wanted")
    return DONE


def tasks(text):
    value = int(text)
    if not 1 <= value <= TASKS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {TASKS_MAX}")
    return value


def parser_of(verb):
    parser = argparse.ArgumentParser(prog=f"deploy/bin/{verb}", epilog=ONCE_EPILOG if verb == "once" else EPILOG, description={
        "once": "runs a command of the engine once, in a task of its own", "scale": "how many tasks a service has"}[verb])
    parser.add_argument("--target", default=os.environ.get("DEPLOY_TARGET"), metavar="T",
                        help="local:FOLDER, ecs, or a TOML file; else the variable DEPLOY_TARGET")
    if verb == "once":
        parser.add_argument("--version", metavar="V", help="else the one that runs")
        parser.add_argument("words", nargs=argparse.REMAINDER, help="such as: -- suppression look ADDRESS")
    else:
        parser.add_argument("--yes", action="store_true", help="answers what would be asked")
        parser.add_argument("service", choices=ORDER)
        parser.add_argument("count", type=tasks, metavar="COUNT", help=f"1 to {TASKS_MAX}")
    return parser


def run(verb, arguments=None):
    parser = parser_of(verb)
    given = parser.parse_args(arguments)
    if not given.target:
        parser.error("--target is missing: local:FOLDER, ecs, or a TOML file")
    words = Words.aside(verb) if verb == "once" else Words(verb, given.yes)
    try:
        target = open_target(given.target)
        if verb == "once":
            return once(target, given, words)
        with target.lock():
            return scale(target, given, words)
    except TargetError as error:
        words.say(f"failed: {error}")
        return FAILED
    except Declined as error:
        words.say(str(error))
        return DECLINED


def main(verb):
    sys.exit(run(verb))
