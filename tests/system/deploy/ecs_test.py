# SPDX-License-Identifier: Apache-2.0
"""The ECS target against a recorder of AWS's calls, each held against the service's own model.

usage: ecs_test.py STAND-IN_FOR_AWS
"""
import contextlib
import os
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "deploy")]

import aws_model  # noqa: E402
from aws_recorder import Recorder  # noqa: E402
from verbs import aws  # noqa: E402
from verbs.ecs import EcsTarget  # noqa: E402
from verbs.target import Deployed, TargetError  # noqa: E402
from world_of_test import NAME, world  # noqa: E402

SETTINGS = {"kind": "ecs", "ecs": {"name": NAME, "region": "ap-northeast-1", "patience_seconds": 10,
                                   "poll_seconds": 0.01, "api_url": "https://mail.example.jp"}}
ROLES = ("events", "scheduler", "courier", "api", "smtp-in")


class OnAws(unittest.TestCase):
    def setUp(self):
        self.said = []
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.recorder = stack.enter_context(Recorder(folder / "aws", world(), STAND_IN))
            before = dict(os.environ)
            stack.callback(lambda: (os.environ.clear(), os.environ.update(before)))
            os.environ.update(self.recorder.environment(), PATH=f"{self.recorder.bin}:{os.environ['PATH']}")
            self.folder = folder
            self.target = EcsTarget("ecs", SETTINGS, folder)
            self.addCleanup(stack.pop_all().close)

    def tearDown(self):
        strange = [call for call in self.recorder.calls() if call["service"] == "?"]
        self.assertEqual(strange, [], "every call is of AWS's own model")

    def faults(self, **faults):
        self.recorder.write("faults.json", faults)

    def operations(self):
        return [call["operation"] for call in self.recorder.calls()]

    def versions_of(self, role):
        return sorted(t["version"] for t in self.recorder.world()["tasks"]
                      if t["group"] == f"service:{role}" and t["status"] == "RUNNING")

    def refuses(self, act, *words):
        with self.assertRaises(TargetError) as caught:
            act()
        for word in words:
            self.assertIn(word, str(caught.exception))


class Looking(OnAws):
    def test_services_and_tasks_are_those_of_the_installation(self):
        self.assertEqual([(s.name, s.count) for s in self.target.services()],
                         [("events", 1), ("scheduler", 2), ("courier", 3), ("api", 2), ("smtp-in", 2)])
        tasks = self.target.tasks()
        self.assertEqual(len(tasks), 10)
        self.assertEqual({(t.version, t.state, t.canary) for t in tasks}, {("1.0", "ready", False)})

    def test_versions_are_the_engines_images_the_newest_last(self):
        self.assertEqual(self.target.versions(), ["1.0", "2.0"])

    def test_what_is_remembered_is_found_by_another(self):
        self.target.remember(Deployed("2.0", "1.0", None))
        self.assertEqual(EcsTarget("ecs", SETTINGS, self.folder).deployed(), Deployed("2.0", "1.0", None))

    def test_before_the_first_roll_nothing_is_remembered(self):
        all_there_is = self.recorder.world()
        all_there_is["parameters"].clear()
        self.recorder.write("world.json", all_there_is)
        self.assertEqual(self.target.deployed(), Deployed())

    def test_two_verbs_do_not_change_it_at_once(self):
        with self.target.lock():
            other = EcsTarget("ecs", SETTINGS, self.folder)
            self.refuses(lambda: other.lock().__enter__(), "another verb", f"process {os.getpid()}", "delete-parameter")
        with self.target.lock():
            pass

    def test_a_failing_verb_leaves_no_lock(self):
        with self.assertRaises(ValueError), self.target.lock():
            raise ValueError
        self.assertNotIn(f"/todoku/{NAME}/deploying", self.recorder.world()["parameters"])


class Rolling(OnAws):
    def test_each_service_becomes_the_new_version_and_back(self):
        for role in ROLES:
            self.target.canary(role, "2.0", self.said.append)
            self.target.replace(role, "2.0", self.said.append)
        self.assertEqual({t.version for t in self.target.tasks()}, {"2.0"})
        self.assertEqual([s.count for s in self.target.services()], [1, 2, 3, 2, 2])
        for role in ROLES:
            self.target.replace(role, "1.0", self.said.append)
        self.assertEqual({t.version for t in self.target.tasks()}, {"1.0"})

    def test_a_new_revision_differs_in_the_image_only(self):
        self.target.replace("api", "2.0", self.said.append)
        definitions = self.recorder.world()["definitions"]
        old, new = (next(d for d in definitions.values() if d["family"] == "mail-api" and d["revision"] == r)
                    for r in (1, 2))
        new["containerDefinitions"][1]["image"] = new["containerDefinitions"][1]["image"].replace(":2.0", ":1.0")
        for key in ("containerDefinitions", "volumes", "cpu", "memory", "taskRoleArn", "executionRoleArn",
                    "networkMode", "requiresCompatibilities", "runtimePlatform"):
            self.assertEqual(new[key], old[key], key)
        registered = next(c for c in self.recorder.calls() if c["operation"] == "RegisterTaskDefinition")
        self.assertEqual(registered["input"]["tags"], [{"key": "installation", "value": NAME}])

    def test_again_changes_nothing(self):
        self.target.replace("api", "2.0", self.said.append)
        changes = [o for o in self.operations() if o.startswith(("Register", "Update", "Run"))]
        self.target.replace("api", "2.0", self.said.append)
        self.assertEqual([o for o in self.operations() if o.startswith(("Register", "Update", "Run"))], changes)

    def test_a_task_is_tried_behind_the_balancer_and_then_ended_in_order(self):
        task = self.target.canary("api", "2.0", self.said.append)
        self.assertEqual((task.service, task.version, task.state, task.canary), ("api", "2.0", "ready", True))
        self.assertEqual(self.versions_of("api"), ["1.0", "1.0"])
        self.assertIn("healthy", self.recorder.world()["targets"].values())
        self.assertEqual(self.target.canary("api", "2.0", self.said.append).id, task.id)
        self.target.replace("api", "2.0", self.said.append)
        operations = self.operations()
        self.assertLess(operations.index("DeregisterTargets"), operations.index("StopTask"))
        self.assertEqual(self.versions_of("api"), ["2.0", "2.0"])
        self.assertFalse([t for t in self.target.tasks() if t.canary])

    def test_of_couriers_the_first_is_tried_and_the_others_wait(self):
        self.target.canary("courier", "2.0", self.said.append)
        for _ in range(5):
            self.target.services()
        self.assertEqual(self.versions_of("courier"), ["1.0", "1.0", "2.0"])
        self.target.replace("courier", "2.0", self.said.append)
        self.assertEqual(self.versions_of("courier"), ["2.0"] * 3)
        numbers = self.recorder.world()["services"]["courier"]["numbers"]
        self.assertEqual(numbers, {"minimumHealthyPercent": 50, "maximumPercent": 100})

    def test_a_version_that_ends_is_no_canary_and_leaves_nothing(self):
        for fate in ("ends", "unready", "stuck"):
            for role in ("api", "courier"):
                with self.subTest(fate=fate, role=role):
                    self.faults(versions={"2.0": fate})
                    target = EcsTarget("ecs", SETTINGS, self.folder)
                    target._settings.patience_seconds = 0.5
                    self.refuses(lambda t=target, r=role: t.canary(r, "2.0", self.said.append), role)
                    target.replace(role, "1.0", self.said.append)
                    self.assertEqual(set(self.versions_of(role)), {"1.0"})
                    self.assertFalse([t for t in target.tasks() if t.version == "2.0"])

    def test_what_ecs_rolls_back_is_told_with_its_reason(self):
        self.faults(versions={"2.0": "ends"})
        self.refuses(lambda: self.target.replace("scheduler", "2.0", self.said.append), "scheduler",
                     "rolled it back by itself", "failed to start")
        self.target.replace("scheduler", "1.0", self.said.append)
        self.assertEqual(self.versions_of("scheduler"), ["1.0", "1.0"])

    def test_after_going_back_terraform_finds_the_old_revision_the_newest(self):
        self.target.canary("api", "2.0", self.said.append)
        self.target.replace("api", "1.0", self.said.append)
        self.assertNotIn("UpdateService", self.operations())
        active = [d["revision"] for d in self.recorder.world()["definitions"].values()
                  if d["family"] == "mail-api" and d["status"] == "ACTIVE"]
        self.assertEqual(active, [1])

    def test_a_service_that_never_becomes_stable_is_given_up(self):
        self.faults(versions={"2.0": "stuck"})
        self.target._settings.patience_seconds = 1
        self.refuses(lambda: self.target.replace("api", "2.0", self.said.append), "not all tasks are of 2.0", "1 s")


class Watching(OnAws):
    def test_only_what_begins_afterwards_counts(self):
        self.faults(alarms={"mail-set-aside": 1, "mail-api-server-errors": 3, "other-alarm": 1})
        look = self.target.watch("2.0")
        self.assertEqual(look(), [])
        self.assertEqual(look(), ["the alarm mail-api-server-errors goes off"])

    def test_a_task_that_dies_later_is_told(self):
        self.faults(versions={"2.0": "dies"})
        self.target.canary("courier", "2.0", self.said.append)
        look = self.target.watch("2.0")
        seen = [look() for _ in range(6)]
        told = [word for words in seen for word in words]
        self.assertTrue(any("OutOfMemoryError" in word and "exit status 137" in word for word in told), told)

    def test_one_beside_its_service_that_dies_is_told(self):
        self.faults(versions={"2.0": "dies"})
        for role in ("scheduler", "api"):
            with self.subTest(role):
                self.target.canary(role, "2.0", self.said.append)
                look = self.target.watch("2.0")
                told = [word for _ in range(6) for word in look()]
                self.assertTrue(any(f"{role}: the task" in word and "beside the service ended" in word and
                                    "exit status 137" in word for word in told), told)

    def test_one_that_the_balancer_finds_unwell_is_told(self):
        self.target.canary("api", "2.0", self.said.append)
        look = self.target.watch("2.0")
        self.assertEqual(look(), [])
        there_is = self.recorder.world()
        address = next(t["address"] for t in there_is["tasks"] if t["group"] == "canary:api")
        (target,) = [key for key in there_is["targets"] if key.startswith(f"{address}:")]
        there_is["targets"][target] = "unhealthy"
        self.recorder.write("world.json", there_is)
        (told,) = look()
        self.assertIn("api: the balancer finds the task", told)

    def test_it_is_watched_for_as_long_as_alarms_take(self):
        """Those that go off soon, by Terraform's own numbers, and two minutes until figures are there."""
        text = (HERE.parents[2] / "deploy/terraform/modules/alarms/alarms.tf").read_text(encoding="utf-8")
        engine = [int(minutes) * 60 for minutes in re.findall(r"minutes = (\d+)", text)]
        self.assertGreaterEqual(len(engine), 5)
        soon = max(seconds for seconds in engine if seconds < 300)
        self.assertEqual(self.target.watch_seconds, soon + 120)


class Once(OnAws):
    def test_migrate_runs_as_a_task_of_the_new_version(self):
        ran = self.target.run_once("2.0", ["migrate", "up"], self.said.append)
        self.assertEqual((ran.status, ran.output), (0, '{"missing": 0}'))
        call = next(c for c in self.recorder.calls() if c["operation"] == "RunTask")["input"]
        self.assertEqual(call["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"], ["sg-migrate"])
        self.assertEqual(call["overrides"]["containerOverrides"], [{"name": "todoku", "command": ["migrate", "up"]}])
        self.assertTrue(call["taskDefinition"].endswith("mail-migrate:2"))

    def test_its_exit_status_is_told(self):
        self.recorder.write("world.json", self.recorder.world() | {"once_status": 1})
        self.assertEqual(self.target.run_once("1.0", ["migrate", "status"], self.said.append).status, 1)


class Refusing(OnAws):
    def test_throttled_calls_are_made_again(self):
        self.faults(refuse=[{"operation": "UpdateService", "code": "ThrottlingException", "times": aws.TRIES - 1}])
        self.target.replace("api", "2.0", self.said.append)
        self.assertEqual(self.versions_of("api"), ["2.0", "2.0"])

    def test_throttling_without_an_end_is_told(self):
        self.faults(refuse=[{"operation": "RegisterTaskDefinition", "code": "ThrottlingException"}])
        self.refuses(lambda: self.target.replace("api", "2.0", self.said.append), "busy", "RegisterTaskDefinition",
                     "(ThrottlingException: Rate exceeded)")
        self.assertEqual(self.versions_of("api"), ["1.0", "1.0"])

    def test_missing_rights_are_told_at_once_and_by_name(self):
        self.faults(refuse=[{"operation": "UpdateService", "code": "AccessDeniedException",
                             "words": "User: arn:aws:iam::111122223333:user/ci is not authorized"}])
        self.refuses(lambda: self.target.replace("api", "2.0", self.said.append), "ecs:UpdateService",
                     "not authorized")
        self.assertEqual(self.operations().count("UpdateService"), 1)

    def test_a_cluster_that_is_not_there(self):
        wrong = {**SETTINGS, "ecs": {**SETTINGS["ecs"], "cluster": "nothing"}}
        self.refuses(EcsTarget("ecs", wrong, self.folder).tasks, "Cluster not found")

    def test_without_the_command_line(self):
        os.environ["PATH"] = str(self.folder)
        self.refuses(self.target.versions, "apt install awscli")

    def test_settings_that_are_wrong_are_named(self):
        for key, value, words in (("regoin", "x", ["regoin"]), ("patience_seconds", 0.5, ["patience_seconds", "86400"]),
                                  ("poll_seconds", "often", ["poll_seconds"]), ("name", "", ["TODOKU_ECS_NAME"]),
                                  ("region", 1, ["region"])):
            with self.subTest(key=key):
                wrong = {"ecs": {**SETTINGS["ecs"], key: value}}
                self.refuses(lambda w=wrong: EcsTarget("ecs", w, self.folder), *words)

    def test_the_environment_goes_over_the_file(self):
        os.environ["TODOKU_ECS_NAME"] = "other"
        self.assertEqual(EcsTarget("ecs", SETTINGS, self.folder).name, "ecs:other")


class House(OnAws):
    def test_a_source_rests_and_comes_back(self):
        for _ in range(2):  # the second time changes nothing
            self.target.drain("out-1", self.said.append)
            address = self.recorder.world()["addresses"][0]
            self.assertNotIn("todoku:zone", address["tags"])
            self.assertNotIn("AssociationId", address)
        for _ in range(2):
            self.target.resume("out-1", self.said.append)
            tags = self.recorder.world()["addresses"][0]["tags"]
            self.assertEqual(tags["todoku:zone"], "ap-northeast-1a")
            self.assertNotIn("todoku:resting-zone", tags)

    def test_what_there_is_not_is_named(self):
        self.refuses(lambda: self.target.drain("out-9", self.said.append), "out-9")
        self.refuses(lambda: self.target.drain("i-0123456789abcdef0", self.said.append), "no instance")
        self.refuses(lambda: self.target.drain("f" * 32, self.said.append), "knows no task")

    def test_a_courier_is_drained_by_its_task_and_comes_back_by_its_instance(self):
        courier = next(t for t in self.target.tasks() if t.service == "courier")
        self.target.drain(courier.id, self.said.append)
        instances = self.recorder.world()["instances"]
        (drained,) = [i for i in instances.values() if i["status"] == "DRAINING"]
        self.target.resume(drained["ec2"], self.said.append)
        self.assertEqual({i["status"] for i in self.recorder.world()["instances"].values()}, {"ACTIVE"})

    def test_a_task_on_fargate_is_not_drained_by_hand(self):
        api = next(t for t in self.target.tasks() if t.service == "api")
        self.refuses(lambda: self.target.drain(api.id, self.said.append), "Fargate")

    def test_a_backup_is_a_snapshot_that_is_complete(self):
        self.assertEqual(self.target.backup("before-2-0", self.said.append), "before-2-0")
        self.assertEqual(self.recorder.world()["snapshots"], {"before-2-0": "available"})
        self.refuses(lambda: self.target.backup("no such name", self.said.append), "no such name")

    def test_a_restore_says_what_is_to_be_done_and_does_nothing(self):
        self.refuses(lambda: self.target.restore("nothing", self.said.append), "nothing not found")
        self.target.backup("copy", self.said.append)
        self.refuses(lambda: self.target.restore("copy", self.said.append), "nothing was done", "docs/operating.md")


class Model(unittest.TestCase):
    def test_what_is_not_of_the_model_is_seen(self):
        shape = aws_model.operation("ecs", "update-service").input_shape
        for wrong, word in (({"service": "api", "desired": 1}, "desired"), ({"cluster": "mail"}, "service"),
                            ({"service": "api", "desiredCount": "2"}, "desiredCount"),
                            ({"service": "api", "propagateTags": "ALL"}, "propagateTags")):
            with self.subTest(wrong=wrong):
                self.assertIn(word, "\n".join(aws_model.faults_of(shape, wrong)))
        self.assertEqual(aws_model.faults_of(shape, {"service": "api", "desiredCount": 2}), [])


class Rights(unittest.TestCase):
    def test_the_page_names_each_call_that_is_made(self):
        root = HERE.parents[2] / "deploy"
        page = (root / "gitlab/README.md").read_text(encoding="utf-8")
        called = set()
        for file in root.glob("verbs/ecs*.py"):
            called |= set(re.findall(r'\.call\(\s*"([\w-]+)", "([\w-]+)"', file.read_text(encoding="utf-8")))
        self.assertGreater(len(called), 25)
        for service, verb in sorted(called):
            self.assertIn(aws_model.operation(service, verb).name, page)


if __name__ == "__main__":
    print(f"held against {aws_model.date_of_model()}", file=sys.stderr)
    STAND_IN = sys.argv.pop(1)
    unittest.main()
