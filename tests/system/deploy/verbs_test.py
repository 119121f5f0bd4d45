#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs that the rehearsal does not use, for real on a local target: each repeated, each refused
where it should be, and a roll that is killed on its way, which the next verb finishes or takes back.

usage: verbs_test.py TODOKU
"""
import json
import os
import signal
import subprocess
import sys
import time

from local_stand import ROOT, USER, LocalStand, check, check_equal
from postgres_server import PostgresServer
from whole import WHOLE  # noqa: E402
from verbs.words import DECLINED, DONE, FAILED, WRONG_CALL

SERVICES = {"events": 1, "scheduler": 1, "courier": 2, "api": 1}


def begins(stand):
    stand.push("1")
    check("version 1 is there already" in stand.push("1"), "a second push is told")
    check("a version never changes" in stand.push("1", {"OTHER": "1"}, status=FAILED),
          "another image under the same version")
    check("would change 3 things" in stand.verb("plan"), "what plan tells")
    stand.verb("apply")
    check("would change nothing" in stand.verb("plan"), "what plan tells after apply")
    check("smoke.token: No such file" in stand.verb("roll", "--no-trial", status=FAILED), "without a token")
    token = stand.directory / "smoke.token"
    token.write_text("of nobody\n")
    check("steps of the schema are missing" in stand.verb("roll", "--no-trial", status=FAILED),
          "a roll before migrate")
    token.unlink()
    stand.verb("migrate")
    check("nothing was missing" in stand.verb("migrate"), "a second migrate")
    stand.begin_account()
    check("nothing runs" in stand.verb("status", status=FAILED), "before the first roll")
    stand.verb("roll", "--no-trial")
    check("runs already" in stand.verb("roll"), "a second roll")
    told = json.loads(stand.verb("status", "--json"))
    check_equal((told["current"], told["sound"], len(told["tasks"])), ("1", True, 5), "in JSON")
    check("takes nothing away" in stand.verb("contract"), "no contraction was released yet")
    stand.verb("smoke")
    said = stand.verb("once", "--", "nodes")
    check(all(role in said for role in SERVICES), f"not all roles are among the nodes: {said}")


def refuses(stand):
    def run(*words):
        return subprocess.run([ROOT / "deploy/bin" / words[0], *words[1:]], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL,
                              env={k: v for k, v in os.environ.items() if k != "DEPLOY_TARGET"})

    where = f"local:{stand.directory}"
    check_equal(run("roll").returncode, WRONG_CALL, "without a target")
    check_equal(run("roll", "--target", where, "--watch", "-1").returncode, WRONG_CALL, "--watch -1")
    for words in (("drain", "courier"), ("rollback", "--version", "1"), ("restore", "x")):
        done = run(words[0], "--target", where, *words[1:])
        check_equal(done.returncode, DECLINED, f"{words[0]} that nobody answers")
        check("--yes" in done.stdout, done.stdout)
    check("was not pushed" in stand.verb("roll", "--version", "9", status=FAILED), "of no version")
    check("no version is known" in stand.verb("rollback", status=FAILED), "back to nothing")
    check("neither a service nor a task" in stand.verb("drain", "x", status=FAILED), "of nobody")
    with stand.target().lock():
        check("another verb is at work" in stand.verb("roll", status=FAILED), "beside another verb")
    check(stand.is_all_of("1"), "what was refused changed something")


def drains_and_resumes(stand):
    task = next(task.id for task in stand.target().tasks() if task.service == "courier")
    stand.verb("drain", task)
    stand.verb("drain", task)
    left = [task for task in stand.target().tasks() if task.service == "courier"]
    check_equal(len(left), 1, "couriers that are left")
    stand.verb("status")
    stand.verb("smoke")
    stand.verb("resume", task)
    stand.verb("resume", "courier")
    check(stand.is_all_of("1"), "not all is back")
    stand.verb("scale", "courier", 3)
    tasks = stand.target().tasks()
    check_equal(sum(task.service == "courier" for task in tasks), 3, "couriers")
    stand.verb("scale", "courier", 2)
    check(stand.is_all_of("1"), "not as many as before")
    check("no task of courier is left then: nothing is sent until" in stand.verb("drain", "courier"), "what it leaves")
    for verb, status in (("status", FAILED), ("roll", FAILED), ("plan", DONE)):
        said = stand.verb(verb, status=status)
        check("courier: 0 of 2, drained by hand at " in said and "nothing is sent" in said, f"{verb} tells: {said}")
    check("nothing is missing" not in said, "plan finds nothing")
    check_equal(json.loads(stand.verb("status", "--json", status=FAILED))["sound"], False, "what it is in JSON")
    stand.verb("resume", "courier")
    stand.verb("smoke")


def is_kept_running(stand):
    target = stand.target()
    task = next(task for task in target.tasks() if task.service == "events")
    state = target.folder / "tasks" / task.id / "state.json"

    os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)
    stand.wait_for(lambda: target.work.restarts(task) == 1 and stand.is_all_of("1"), "the task again")
    check("killed by signal 9" in stand.verb("status"), "status does not tell why")


def is_broken_off(stand):
    """kill -9 of a roll in the middle: what runs is told, and either way leads out."""
    stand.push("2")
    for verb, words, version in (("rollback", (), "1"), ("roll", ("--watch", "0"), "2")):
        roll = subprocess.Popen([ROOT / "deploy/bin/roll", "--target", f"local:{stand.directory}",
                                 "--version", "2", "--no-trial", "--watch", "60"],
                                stdout=subprocess.DEVNULL)
        stand.wait_for(lambda: "2" in stand.versions_running(), "a first task of version 2")
        roll.kill()
        roll.wait()
        said = stand.verb("status", status=FAILED)
        check("a roll to 2 is under way or was broken off" in said, said)
        stand.verb(verb, *words)
        check(stand.is_all_of(version), f"not all is of version {version}")
        stand.verb("status")
    stand.verb("rollback")
    check(stand.is_all_of("1"), "not all is of version 1")


def is_restored(stand):
    deliveries = "SELECT count(*) FROM deliveries"
    before = stand.sql(deliveries)
    copy = stand.directory / "copy"
    stand.verb("backup", "--to", copy)
    check_equal(copy.stat().st_mode & 0o777, 0o600, "who may read the copy")
    check("is there already" in stand.verb("backup", "--to", copy, status=FAILED), "over a copy")
    stand.verb("smoke")
    check(stand.sql(deliveries) != before, "the smoke mail is in the store")
    stand.sql(f"SET ROLE {USER}; CREATE TABLE of_a_later_version(a bigint)")
    check("is no whole copy" in stand.verb("restore", stand.directory / "todoku.toml",
                                           status=FAILED), "of what is no copy")
    check(stand.is_all_of("1"), "a restore that was refused ended something")
    stand.verb("restore", copy)
    check_equal(stand.sql(deliveries), before, "deliveries after the restore")
    check_equal(stand.sql("SELECT to_regclass('of_a_later_version') IS NULL"), "t", "only the copy's tables")
    check(stand.is_all_of("1"), "not all is back after the restore")
    stand.verb("smoke")


def main():
    with PostgresServer() as server, LocalStand(sys.argv[1], server, services=SERVICES) as stand:
        parts = (begins, refuses, drains_and_resumes, is_kept_running, is_broken_off, is_restored)
        for part in parts if WHOLE else parts[:4]:
            began = time.monotonic()
            part(stand)
            print(f"{part.__name__}: ok after {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
