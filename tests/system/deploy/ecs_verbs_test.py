# SPDX-License-Identifier: Apache-2.0
"""The verbs of deploy/bin as people and pipelines call them, on ECS as the recorder plays it: how each ends, and what
then runs.

usage: ecs_verbs_test.py STAND-IN_FOR_AWS
"""
import contextlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "deploy")]

from aws_recorder import Recorder  # noqa: E402
from image_archive import write_archive  # noqa: E402
from verbs.images import Archive  # noqa: E402
from world_of_test import COUNTS, IMAGE, NAME, world  # noqa: E402

DONE, FAILED, WRONG_CALL, ROLLED_BACK, NEEDS_A_HAND, DECLINED = range(6)


class Api(http.server.BaseHTTPRequestHandler):
    """Takes smoke mails, of which each is delivered; `refusals` are the answers before that."""
    refusals = []
    taken = 0  # smoke mails before the refusals: the one by what runs

    def answer(self, status, body):
        octets = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def do_POST(self):  # noqa: N802
        self.rfile.read(int(self.headers["Content-Length"]))
        if Api.taken:
            Api.taken -= 1
            self.answer(201, {"delivery_id": 7})
        elif Api.refusals:
            self.answer(Api.refusals.pop(0), {"error_messages": {}})
        else:
            self.answer(201, {"delivery_id": 7})

    def do_GET(self):  # noqa: N802
        self.answer(200, {"data": [{"status": "SENT"}]})

    def log_message(self, *_):
        pass


class OnEcs(unittest.TestCase):
    ROLES = ("scheduler", "courier", "api")  # one of each kind: without a balancer, on instances, behind one

    def setUp(self):
        Api.refusals, Api.taken = [], 0
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.recorder = stack.enter_context(Recorder(self.folder / "aws", world(roles=self.ROLES), STAND_IN))
            api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
            threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            stack.callback(api.server_close)
            stack.callback(api.shutdown)
            (self.folder / "mail.toml").write_text(f"""
kind = "ecs"
[ecs]
name = "{NAME}"
region = "ap-northeast-1"
api_url = "http://127.0.0.1:{api.server_port}"
terraform = "terraform"
patience_seconds = 3
poll_seconds = 0.01
[smoke]
from = "smoke@example.jp"
to = [["a mailbox", "smoke@example.com"]]
""", encoding="utf-8")
            self.addCleanup(stack.pop_all().close)

    def tearDown(self):
        self.assertEqual([c for c in self.recorder.calls() if c["service"] == "?"], [], "all calls are of the model")

    def verb(self, verb, *words, expect=DONE):
        done = subprocess.run([ROOT / "deploy/bin" / verb, "--target", self.folder / "mail.toml", *words],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=self.folder,
                              env={**os.environ, **self.recorder.environment(), "TODOKU_SMOKE_TOKEN": "of-the-test",
                                   "PATH": f"{self.recorder.bin}:/usr/bin:/bin"})
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.assertNotIn("of-the-test", done.stdout + done.stderr)
        self.errors = done.stderr
        return done.stdout

    def roll(self, expect, *words):
        return self.verb("roll", "--version", "2.0", "--watch", "1", *words, expect=expect)

    def faults(self, **faults):
        self.recorder.write("faults.json", faults)

    def running(self):
        return {t["version"] for t in self.recorder.world()["tasks"] if t["status"] == "RUNNING"}

    def deployed(self):
        return json.loads(self.recorder.world()["parameters"][f"/todoku/{NAME}/deployed"])

    def all_are(self, version, previous=None):
        self.assertEqual(self.running(), {version})
        self.assertEqual(self.deployed(), {"current": version, "previous": previous, "rolling": None})
        self.assertNotIn(f"/todoku/{NAME}/deploying", self.recorder.world()["parameters"])

    def stand_in(self, name, text):
        path = self.recorder.bin / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


class RollAll(OnEcs):
    ROLES = tuple(COUNTS)

    def test_a_good_version_runs_everywhere_and_can_be_gone_back_from(self):
        self.roll(DONE)
        self.all_are("2.0", "1.0")
        self.assertIn("runs already", self.roll(DONE))
        self.assertIn("2.0", self.verb("status"))
        self.verb("rollback", "--yes")
        self.all_are("1.0", "2.0")


class Roll(OnEcs):
    def test_a_version_that_ends_goes_back_by_itself(self):
        self.faults(versions={"2.0": "ends"})
        self.assertIn("exit status 1", self.roll(ROLLED_BACK))
        self.all_are("1.0")

    def test_a_version_that_is_never_ready_goes_back_by_itself(self):
        self.faults(versions={"2.0": "stuck"})
        self.roll(ROLLED_BACK)
        self.all_are("1.0")

    def test_an_alarm_while_the_first_is_watched_goes_back_by_itself(self):
        self.faults(alarms={f"{NAME}-set-aside": 3})
        self.assertIn("set-aside", self.roll(ROLLED_BACK))
        self.all_are("1.0")

    def test_a_smoke_mail_that_is_refused_goes_back_by_itself(self):
        Api.refusals, Api.taken = [500], 1
        self.assertIn("answered 500", self.roll(ROLLED_BACK))
        self.all_are("1.0")

    def test_a_smoke_mail_that_what_runs_does_not_send_is_no_fault_of_the_version(self):
        Api.refusals = [403]
        self.assertIn("1.0, which runs, does not send the smoke mail either", self.roll(FAILED))
        self.all_are("1.0")
        self.assertIsNone(self.deployed()["rolling"])

    def test_where_nothing_takes_mail_any_more_a_hand_is_needed_and_what_runs_is_told(self):
        Api.refusals, Api.taken = [500] * 99, 1
        told = self.roll(NEEDS_A_HAND)
        self.assertIn("of 1.0 ready", told)
        self.assertEqual(self.deployed()["rolling"], "2.0")
        Api.refusals = []
        self.verb("rollback", "--yes")
        self.all_are("1.0")

    def test_without_the_right_to_update_services_it_goes_back_and_names_it(self):
        self.faults(refuse=[{"operation": "UpdateService", "code": "AccessDeniedException", "words": "not authorized"}])
        self.assertIn("ecs:UpdateService", self.roll(ROLLED_BACK))
        self.all_are("1.0")

    def test_without_the_right_to_run_tasks_nothing_is_changed(self):
        self.faults(refuse=[{"operation": "RunTask", "code": "AccessDeniedException", "words": "not authorized"}])
        self.assertIn("ecs:RunTask", self.roll(FAILED))
        self.all_are("1.0")

    def test_while_aws_is_busy_it_goes_on(self):
        self.faults(refuse=[{"operation": o, "code": "ThrottlingException", "times": 2}
                            for o in ("UpdateService", "DescribeTasks", "RunTask", "PutParameter")])
        self.roll(DONE)
        self.all_are("2.0", "1.0")

    def test_tables_that_are_behind_are_said_before_anything_is_changed(self):
        self.recorder.write("world.json", self.recorder.world() | {"once_says": '{"missing": 2}'})
        self.assertIn("migrate first", self.roll(FAILED))
        self.all_are("1.0")

    def test_another_verb_at_work_is_waited_for_by_nobody(self):
        there_is = self.recorder.world()
        there_is["parameters"][f"/todoku/{NAME}/deploying"] = "ci-7, process 12, since 2026-01-05 12:00:00 UTC"
        self.recorder.write("world.json", there_is)
        self.assertIn("ci-7, process 12", self.roll(FAILED))
        self.assertEqual(self.running(), {"1.0"})

    def test_a_version_that_was_not_pushed(self):
        self.assertIn("3.0", self.verb("roll", "--version", "3.0", expect=FAILED))


class Others(OnEcs):
    def image(self, program):
        """Its digest."""
        (self.folder / "root").mkdir(exist_ok=True)
        (self.folder / "root/todoku").write_bytes(program)
        write_archive(self.folder / "root", self.folder / "image.tar", "3.0")
        with Archive(self.folder / "image.tar") as archive:
            return archive.digest

    def test_push_gives_the_registry_the_very_image_once(self):
        digest = self.image(b"program")
        self.stand_in("skopeo", f"""#!/usr/bin/python3
import json, pathlib, sys
there = pathlib.Path({str(self.folder / "aws/world.json")!r})
world = json.loads(there.read_text())
auth = json.loads(pathlib.Path(sys.argv[sys.argv.index("--dest-authfile") + 1]).read_text())
assert list(auth["auths"]) == [{IMAGE.split("/")[0]!r}], auth
assert sys.argv[-1] == "docker://{IMAGE}:3.0", sys.argv
world["images"]["3.0"] = {{"digest": {digest!r}, "at": "2026-01-05T00:00:00+09:00"}}
there.write_text(json.dumps(world))
""")
        self.verb("push", "--archive", self.folder / "image.tar")
        self.stand_in("skopeo", "#!/bin/sh\nexit 1\n")
        self.verb("push", "--archive", self.folder / "image.tar")
        self.image(b"another")
        self.assertIn("never changes", self.verb("push", "--archive", self.folder / "image.tar", expect=FAILED))

    def test_migrate_takes_the_exit_status_of_the_task(self):
        self.verb("migrate", "--version", "2.0")
        self.recorder.write("world.json", self.recorder.world() | {"once_status": 1, "once_says": "no rights"})
        self.assertIn("no rights", self.verb("migrate", "--version", "2.0", expect=FAILED))

    def test_plan_and_apply_give_terraform_the_version_that_runs(self):
        self.stand_in("terraform", """#!/bin/sh
echo "$@" >>"$0.calls"
case $2 in
  plan) exit 2 ;;
  show) echo '{"resource_changes": [{"change": {"actions": ["no-op"]}}, {"change": {"actions": ["update"]}}]}' ;;
esac
""")
        self.assertIn("change 1 things", self.verb("plan"))
        self.verb("apply", expect=DECLINED)
        self.verb("apply", "--yes")
        calls = (self.recorder.bin / "terraform.calls").read_text(encoding="utf-8").splitlines()
        self.assertEqual([c.split()[1] for c in calls if " apply " in c], ["apply"])
        self.assertTrue(all("-var=image_tag=1.0" in c for c in calls if " plan " in c), calls)

    def test_terraform_that_fails_is_told(self):
        self.stand_in("terraform", "#!/bin/sh\necho 'Error: no bucket' >&2\nexit 1\n")
        self.assertIn("no bucket", self.verb("plan", expect=FAILED))

    def test_a_source_rests_only_when_somebody_says_yes(self):
        self.verb("drain", "out-1", expect=DECLINED)
        self.assertIn("AssociationId", self.recorder.world()["addresses"][0])
        self.verb("drain", "out-1", "--yes")
        self.assertNotIn("AssociationId", self.recorder.world()["addresses"][0])
        self.verb("resume", "out-1")
        self.verb("drain", "out-9", "--yes", expect=FAILED)

    def test_scale(self):
        self.verb("scale", "api", "14")
        self.verb("scale", "scheduler", "1", expect=DECLINED)
        self.verb("scale", "scheduler", "1", "--yes")
        self.assertEqual(self.recorder.world()["scaled"], {f"service/{NAME}/api": [14, 14],
                                                           f"service/{NAME}/scheduler": [1, 12]})
        self.verb("scale", "courier", "7")
        self.assertEqual([g["MinSize"] for g in self.recorder.world()["groups"].values()], [3, 2, 2])
        for wrong in (("api", "0"), ("api", "many"), ("post", "1")):
            self.verb("scale", *wrong, expect=WRONG_CALL)

    def test_a_command_of_the_engine_runs_once_and_tells_what_it_said(self):
        self.recorder.write("world.json", self.recorder.world() | {"once_says": "2 nodes"})
        self.assertEqual(self.verb("once", "--", "nodes", "--utc").strip(), "2 nodes")
        self.assertIn("todoku nodes --utc of", self.errors)
        self.assertEqual(self.verb("once", "--", "restore", "--from", "x", expect=FAILED), "")
        self.assertIn("deploy/bin/restore", self.errors)
        self.verb("once", expect=FAILED)
        self.recorder.write("world.json", self.recorder.world() | {"once_status": 2})
        self.verb("once", "--", "suppression", "remove", "a@example.jp", expect=2)

    def test_copies(self):
        self.verb("backup", "--to", "before-2-0")
        self.assertEqual(self.recorder.world()["snapshots"], {"before-2-0": "available"})
        self.assertIn("nothing was done", self.verb("restore", "before-2-0", "--yes", expect=FAILED))

    def test_status_tells_of_tasks_that_are_not_ready(self):
        there_is = self.recorder.world()
        there_is["tasks"][0]["health"] = "UNKNOWN"
        self.recorder.write("world.json", there_is)
        self.faults(versions={"1.0": "stuck"})
        self.assertIn("starting", self.verb("status", expect=FAILED))

    def test_smoke(self):
        self.assertIn("taken by a mailbox", self.verb("smoke"))


if __name__ == "__main__":
    STAND_IN = sys.argv.pop(1)
    unittest.main()
