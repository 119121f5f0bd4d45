#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of a local target by themselves: what figures are an alarm, what of an image is unpacked,
what settings are refused, and a task that is kept running."""
import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "deploy"))

from image_archive import write_archive  # noqa: E402
from verbs import figures, keeper, local, local_data, main, one_off, rollout, trial  # noqa: E402
from verbs.figures import Figures  # noqa: E402
from verbs.images import Images, is_inside, write_whole  # noqa: E402
from verbs.target import Deployed, Ran, Task, TargetError  # noqa: E402
from verbs.words import DONE, FAILED, NEEDS_A_HAND, Words  # noqa: E402

METRICS = """\
# HELP todoku_outcomes_total Outcomes of attempts by site and state.
todoku_outcomes_total{site="other",state="delivered"} 5
todoku_outcomes_total{site="a \\" b",state="deferred"} 3
todoku_outcomes_total{site="other",state="bounced"} 2
todoku_http_requests_total{server="api",route="GET /x",status="200"} 7
todoku_http_requests_total{server="api",route="GET /x",status="503"} 4
todoku_http_requests_total{server="api",route="GET /x",status="500"} 1
todoku_http_requests_total{server="metrics",route="GET /readyz",status="500"} 9
todoku_unhandled_exceptions_total 0
"""


class FiguresTest(unittest.TestCase):
    def test_what_is_read(self):
        self.assertEqual(figures.read(METRICS), Figures(10, 5, 12, 1, 0))

    def test_a_task_that_began_anew_counts_from_zero(self):
        self.assertEqual(Figures(5, 1).less(Figures(3, 1)), Figures(2, 0))
        self.assertEqual(Figures(2, 1).less(Figures(3, 1)), Figures(2, 1))

    def test_failures_are_an_alarm_where_the_version_before_had_fewer(self):
        bad = Figures(20, 10)
        self.assertEqual(len(figures.alarms(bad, Figures(100, 5))), 1)
        self.assertEqual(len(figures.alarms(bad, Figures())), 1)
        self.assertEqual(figures.alarms(bad, Figures(100, 40)), [])
        self.assertEqual(figures.alarms(Figures(9, 9), Figures()), [])  # too few to tell

    def test_faults_of_ours_are_an_alarm_at_once(self):
        self.assertEqual(len(figures.alarms(Figures(requests=900, server_errors=1), Figures())), 1)
        self.assertEqual(len(figures.alarms(Figures(exceptions=1), Figures())), 1)

    def test_who_does_not_answer(self):
        self.assertEqual(figures.ask("127.0.0.1:1", "/readyz")[0], 0)


class ImagesTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.folder = pathlib.Path(work.name)
        (self.folder / "root/usr/bin").mkdir(parents=True)
        (self.folder / "root/usr/bin/todoku").write_text("#!/bin/sh\necho $GREETING $1\n")
        (self.folder / "root/usr/bin/todoku").chmod(0o4755)
        (self.folder / "root/bin").symlink_to("usr/bin")
        self.images = Images(self.folder / "images")

    def archive(self, name, **more):
        write_archive(self.folder / "root", self.folder / name, "1", **more)
        return self.folder / name

    def add(self, path, version=None):
        return self.images.add(path, version, lambda _: None)

    def test_it_is_unpacked_once_and_runs(self):
        path = self.archive("a.tar", environment={"GREETING": "hello"})
        self.assertEqual(self.add(path), ("1", True))
        self.assertEqual(self.add(path), ("1", False))
        image = self.images.get("1")
        self.assertEqual(image.environment, {"GREETING": "hello"})
        done = subprocess.run(image.command("you"), env=image.environment, capture_output=True,
                              text=True)
        self.assertEqual(done.stdout, "hello you\n")
        self.assertEqual((image.root / "usr/bin/todoku").stat().st_mode & 0o7777, 0o755)

    def test_versions_with_the_same_layers_share_them(self):
        self.add(self.archive("a.tar"))
        self.add(self.archive("b.tar", environment={"A": "b"}), "2")
        self.assertEqual(self.images.get("1").root, self.images.get("2").root)
        self.assertEqual(self.images.versions(), ["1", "2"])

    def test_a_version_never_changes(self):
        self.add(self.archive("a.tar"))
        with self.assertRaisesRegex(TargetError, "version 1 is there.*a version never changes"):
            self.add(self.archive("b.tar", environment={"A": "b"}))

    def test_names_that_are_no_version(self):
        path = self.archive("a.tar")
        for name in ("../up", "a b", "a/b"):
            with self.assertRaisesRegex(TargetError, "cannot be a version"):
                self.add(path, name)

    def test_a_broken_archive_is_refused(self):
        path = self.archive("a.tar")
        with tarfile.open(path) as archive:
            files = {each.name: archive.extractfile(each).read() for each in archive}
        layer = max(files, key=lambda name: len(files[name]))
        files[layer] = files[layer][:-1] + b"x"
        with tarfile.open(self.folder / "b.tar", "w") as archive:
            for name, octets in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(octets)
                archive.addfile(info, io.BytesIO(octets))
        with self.assertRaisesRegex(TargetError, "have another digest"):
            self.add(self.folder / "b.tar")
        self.assertEqual(self.images.versions(), [])
        (self.folder / "c.tar").write_text("no archive")
        with self.assertRaisesRegex(TargetError, "is no archive of an image"):
            self.add(self.folder / "c.tar")

    def test_nothing_gets_outside_of_its_folder(self):
        for name, target in (("../out", None), ("/abs", None), ("a", "/etc/passwd"),
                             ("a/b", "../../x"), ("dev", "device"), ("d/.wh.gone", None)):
            with self.subTest(name):
                with self.assertRaisesRegex(TargetError, "not unpacked here"):
                    self.add(self.archive("bad.tar", extra=(name, target)), "bad")
        self.assertEqual(list((self.folder / "images").rglob("making-*")), [])

    def test_inside(self):
        for text, inside in (("a/b", True), ("a/../b", True), ("..", False), ("a/../../b", False),
                             ("/a", False)):
            self.assertEqual(is_inside(pathlib.PurePosixPath(text)), inside, text)


class SettingsTest(unittest.TestCase):
    def test_what_is_wrong_is_named(self):
        good = {"kind": "local", "services": {"api": 2}}
        self.assertEqual(local.checked(good, "t")["roll"], local.ROLL)
        for change, words in (({"services": {}}, r"\[services\] is \{\}"),
                              ({"services": {"web": 1}}, "services.web is 1; it must be one of"),
                              ({"services": {"smtp-in": 1}}, "services.smtp-in is 1; it must be one of"),
                              ({"services": {"api": 0}}, "services.api is 0; .* from 1 to 64"),
                              ({"services": {"api": True}}, "services.api is True"),
                              ({"roll": {"ready": 1}}, "roll.ready is 1; it must be one of"),
                              ({"roll": {"drain_seconds": 0}}, "from 1 to 3600"),
                              ({"balancer": {"events": "x"}}, "balancer.events"),
                              ({"colour": 1}, "colour is 1; it must be left out")):
            with self.assertRaisesRegex(TargetError, words):
                local.checked({**good, **change}, "t")

    def test_the_example_on_both_pages_is_complete_and_right(self):
        known = None
        for page in ("README.md", "README.ja.md"):
            text = (ROOT / "deploy" / page).read_text(encoding="utf-8")
            example = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
            self.assertEqual(local.checked(example, page)["roll"], local.ROLL)
            self.assertEqual(set(example), {"kind", "settings", "services", "balancer", "smoke", "store", "roll"})
            self.assertEqual((set(example["store"]), set(example["services"]), example["roll"]),
                             ({"database", "password_file"}, set(local.ROLES), local.ROLL))
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "todoku.toml").touch()
                target, said = local.LocalTarget("x", example, folder), []
                target.apply(lambda _: None)
                target.plan(said.append)
                self.assertNotIn("[store]", "".join(said))
            shape = {name: set(value) for name, value in example.items() if isinstance(value, dict)}
            self.assertIn(known, (None, shape))
            known = shape


class DrainTest(unittest.TestCase):
    def test_one_that_was_broken_off_counts_a_task_once(self):
        with tempfile.TemporaryDirectory() as folder:
            target = local.LocalTarget("x", {"services": {"courier": 3}}, folder)
            path = pathlib.Path(folder) / "tasks/courier-1"
            path.mkdir(parents=True)
            write_whole(path / "task.json", json.dumps({"service": "courier", "version": "1"}))

            def broken_off(task):
                raise KeyboardInterrupt(task.id)

            with mock.patch.object(target.work, "end", broken_off):
                for _ in range(2):
                    with self.assertRaises(KeyboardInterrupt):
                        target.drain("courier-1", lambda _: None)
            self.assertEqual([service.count for service in target.services()], [2])
            target.drain("courier-1", lambda _: None)
            self.assertEqual([service.count for service in target.services()], [2])

    def test_a_service_of_which_nothing_is_left_is_told_everywhere(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "todoku.toml").touch()
            target = local.LocalTarget("x", {"services": {"courier": 1}}, folder)
            local_data.apply(target, lambda _: None)
            target.remember(Deployed("1"))
            path = pathlib.Path(folder) / "tasks/courier-1"
            path.mkdir(parents=True)
            write_whole(path / "task.json", json.dumps({"service": "courier", "version": "1"}))
            self.assertIn("no task of courier is left then: nothing is sent", target.drain_leaves("courier-1"))
            target.drain("courier-1", lambda _: None)
            self.assertEqual(target.drain_leaves("courier"), "")  # it is so already
            words = r"courier: 0 of 1, drained by hand at [-0-9]+ [0-9:]+ UTC: nothing is sent; `resume courier`"
            out, said = io.StringIO(), []
            given = types.SimpleNamespace(json=False)
            self.assertEqual(main.status(target, given, Words("status", out=out)), FAILED)
            self.assertRegex(out.getvalue(), words)
            target.plan(said.append)
            self.assertIn("[store] database is missing in", said[0])
            self.assertRegex(said[1], words)
            self.assertNotIn("nothing is missing", said)
            with mock.patch.object(target, "versions", lambda: ["1"]):
                self.assertEqual(rollout.roll(target, "1", rollout.Means(said.append, None)), FAILED)
            self.assertRegex(said[-1], words)

    def test_before_the_first_roll_nothing_is_sound(self):
        with tempfile.TemporaryDirectory() as folder:
            target, out = local.LocalTarget("x", {"services": {"courier": 1}}, folder), io.StringIO()
            self.assertEqual(main.status(target, types.SimpleNamespace(json=True), Words("status", out=out)), FAILED)
            self.assertFalse(json.loads(out.getvalue())["sound"])


class ChangedSettingsTest(unittest.TestCase):
    """Two couriers of version 1, whose processes are not there: they are ready once they are made."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.folder = pathlib.Path(folder)
        self.settings("a = 1")
        self.target = local.LocalTarget("x", {"services": {"courier": 2}, "roll": {"leave_seconds": 0},
                                              "store": {"database": ""}}, folder)
        self.target.apply(lambda _: None)
        work, self.broken = self.target.work, False
        image = types.SimpleNamespace(version="1", environment={}, command=lambda *_: [])

        def start(service, image, environment, settings):
            if self.broken:
                raise TargetError("a task ends at its start")
            return work.look_at(work.make(service, image, environment, settings))

        for owner, name, stand_in in (
                (work, "start", start), (self.target.images, "get", lambda _: image),
                (work, "look_at", lambda path: Task(path.name, "courier", "1", "ready")),
                (self.target, "versions", lambda: ["1"]), (self.target, "watch", lambda _: lambda: []),
                (self.target, "run_once", lambda *_: Ran(0, '{"missing": 0}'))):
            self.enterContext(mock.patch.object(owner, name, stand_in))
        self.target.replace("courier", "1", lambda _: None)
        self.target.remember(Deployed("1", "0"))

    def settings(self, text):
        (self.folder / "todoku.toml").write_text(text)

    def roll(self):
        said = []
        status = rollout.roll(self.target, "1", rollout.Means(
            said.append, lambda _: None, sleep=lambda _: None, watch_seconds=1))
        return status, "\n".join(said)

    def ids(self):
        return [task.id for task in self.target.tasks()]

    def plan(self):
        said = []
        self.target.plan(said.append)
        return "\n".join(said)

    def test_they_are_seen_and_the_same_version_takes_them(self):
        self.settings("# a remark\na = 1")
        self.assertEqual(self.plan(), "nothing is missing")
        self.assertIn("nothing is to be done", self.roll()[1])
        self.settings("a = 2")
        self.assertIn("settings differ from what runs (courier-1, courier-2)", self.plan())
        status, said = self.roll()
        self.assertEqual((status, self.ids()), (DONE, ["courier-3", "courier-4"]))
        self.assertIn("courier-3 is watched", said)
        self.assertEqual(self.target.deployed(), Deployed("1", "0"))
        self.assertEqual(self.plan(), "nothing is missing")

    def test_settings_that_no_task_starts_with_leave_what_runs(self):
        self.settings("a = 2")
        self.broken = True
        status, said = self.roll()
        self.assertEqual((status, self.ids()), (NEEDS_A_HAND, ["courier-1", "courier-2"]))
        self.assertIn("Mend the settings, then roll again", said)
        self.settings("a = 1")
        self.assertEqual((self.roll()[0], self.ids()), (DONE, ["courier-1", "courier-2"]))
        self.assertEqual(self.target.deployed(), Deployed("1", "0"))

    def test_what_comes_back_does_not_replace_the_others(self):
        self.target.drain("courier-1", lambda _: None)
        self.settings("a = 2")
        self.target.resume("courier", lambda _: None)
        self.assertEqual(self.ids(), ["courier-2", "courier-3"])
        self.assertIn("settings differ from what runs (courier-2)", self.plan())

    def test_tasks_of_before_tell_nothing(self):
        for path in self.target.work.folders():
            write_whole(path / "task.json", json.dumps({"service": "courier", "version": "1"}))
        self.settings("a = 2")
        self.assertEqual(self.plan(), "nothing is missing")


class OnceTest(unittest.TestCase):
    def once(self, *ran):
        """-> (status, standard output, standard error)"""
        out, errors = io.StringIO(), io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors), \
                mock.patch.object(local.LocalTarget, "run_once", lambda *_: Ran(*ran)):
            (pathlib.Path(folder) / "target.toml").write_text('kind = "local"\n[services]\napi = 1\n')
            status = one_off.run("once", ["--target", f"local:{folder}", "--version", "1", "--", "nodes", "--json"])
        return status, out.getvalue(), errors.getvalue()

    def test_standard_output_and_status_are_the_commands_own(self):
        self.assertEqual(self.once(0, '{"nodes": []}\n', "a warning\n"), (0, '{"nodes": []}\n', "a warning\n"))
        status, out, errors = self.once(2, "", "no such option\n")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("no such option\n", errors)
        self.assertIn("its exit status is 2", errors)
        self.assertEqual(self.once(-9, "", "")[0], 137)


class JoinTest(unittest.TestCase):
    """A verb was broken off after a task of the API was ready and before the balancer had it."""

    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.target = local.LocalTarget("x", {"services": {"api": 1}, "balancer": {"api": "127.0.0.1:1"}}, folder)
        self.path = folder / "tasks/api-1"
        self.path.mkdir(parents=True)
        write_whole(self.path / "task.json", json.dumps({"service": "api", "version": "1"}))
        write_whole(self.path / "state.json", json.dumps({
            "state": "running", "keeper": 1, "detail": "",
            "addresses": {"TODOKU_METRICS__LISTEN": "127.0.0.1:2", "TODOKU_API__LISTEN": "127.0.0.1:3"}}))
        for name, answer in (("is_keeper", True), ("figures.ask", (200, ""))):
            self.enterContext(mock.patch(f"verbs.local_tasks.{name}", lambda *_, answer=answer: answer))
        self.begun = self.enterContext(mock.patch.object(self.target.work, "begin_balancer"))

    def doors(self):
        return json.loads((self.target.folder / "balancer/balancer.json").read_text())

    def test_it_does_not_count_as_ready(self):
        (task,) = self.target.tasks()
        self.assertEqual((task.state, task.detail), ("starting", "gets no requests from the balancer yet"))

    def test_the_next_verb_takes_it_up(self):
        for act in (self.target.replace, self.target.canary):
            (self.path / "joined").unlink(missing_ok=True)
            act("api", "1", lambda _: None)
            self.assertEqual([(task.id, task.state) for task in self.target.tasks()], [("api-1", "ready")])
            self.assertEqual(self.doors(), {"127.0.0.1:1": ["127.0.0.1:3"]})

    def test_so_does_it_where_only_the_mark_was_made(self):
        (self.path / "joined").touch()
        self.target.replace("api", "1", lambda _: None)
        self.assertEqual(self.doors(), {"127.0.0.1:1": ["127.0.0.1:3"]})
        self.begun.assert_called()


class KeeperTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.folder = pathlib.Path(work.name)

    def keep(self, script, **more):
        (self.folder / "task.json").write_text(json.dumps({
            "command": [sys.executable, "-c", script], "environment": {},
            "listens": {"LISTEN": "127.0.0.1"}, "memory_max_mb": 1000, "restarts_max": 1,
            "patience_seconds": 20, **more}))
        process = subprocess.Popen([sys.executable, "-B", keeper.__file__, str(self.folder)])
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def state(self):
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else {"state": "none"}

    def await_state(self, condition):
        until = time.monotonic() + 120
        while not condition(self.state()):
            self.assertLess(time.monotonic(), until, self.state())
            time.sleep(0.05)
        return self.state()

    def test_one_that_ends_is_begun_again_so_often_and_no_more(self):
        self.keep("import sys; print('x'); sys.exit(3)").wait(30)
        state = self.state()
        self.assertEqual((state["state"], state["restarts"]), ("ended", 1))
        self.assertEqual(state["detail"], "ended by itself with status 3, after 1 restarts")
        self.assertEqual((self.folder / "log").read_text(), "x\nx\n")

    def test_one_that_cannot_be_started(self):
        self.keep("", command=["/nonexistent"]).wait(30)
        self.assertIn("cannot be started", self.state()["detail"])

    def test_one_that_takes_too_much_memory_is_killed(self):
        self.keep("x = bytearray(b'1') * (300 << 20)\nimport time; time.sleep(60)",
                  memory_max_mb=100, restarts_max=0).wait(30)
        self.assertRegex(self.state()["detail"], r"^killed at \d+ MB of memory, of 100 that it may have")

    def test_it_is_ended_in_order(self):
        process = self.keep("import os, signal, sys, time\n"
                            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
                            "print(os.environ['LISTEN'], flush=True); time.sleep(60)")
        self.await_state(lambda _: (self.folder / "log").exists() and
                         (self.folder / "log").read_text())
        state = self.state()
        self.assertEqual((self.folder / "log").read_text().strip(), state["addresses"]["LISTEN"])
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        state = self.state()
        self.assertEqual((state["state"], state["detail"], state["restarts"]), ("ended", "", 0))

    def test_one_that_does_not_end_is_killed_after_its_patience(self):
        process = self.keep("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                            "print('on', flush=True); time.sleep(60)", patience_seconds=1)
        self.await_state(lambda _: (self.folder / "log").exists() and
                         (self.folder / "log").read_text())
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        self.assertEqual(self.state()["detail"], "killed: it did not end in 1 s")

    def test_it_goes_with_its_folder(self):
        process = self.keep("import time; time.sleep(60)")
        pid = self.await_state(lambda state: state.get("pid"))["pid"]
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        process.wait(30)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))
        self.folder.mkdir()


class NamesTest(unittest.TestCase):
    def question(self, name, kind):
        return (b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + trial.wire(name) +
                kind.to_bytes(2, "big") + b"\0\1")

    def test_its_answers(self):
        mx = trial.answer_to(self.question("Trial.Example", trial.MX))
        self.assertEqual((mx[:2], mx[7]), (b"\x12\x34", 1))
        self.assertTrue(mx.endswith(b"\2mx" + trial.wire(trial.DOMAIN)))
        address = trial.answer_to(self.question("mx.trial.example", trial.A))
        self.assertTrue(address.endswith(bytes((127, 0, 0, 1))))
        self.assertEqual(trial.answer_to(self.question("other.example", trial.A))[7], 0)

    def test_what_is_no_question(self):
        whole = self.question("trial.example", trial.A)
        for end in range(len(whole) - 2):
            self.assertIsNone(trial.answer_to(whole[:end]), end)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
