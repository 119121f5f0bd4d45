#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How a version comes to run and goes back (deploy/verbs/rollout.py), on a target in memory: each
call that it makes fails once, and from some call on all of them do. Whatever happens, no service has
fewer tasks than it should, and the exit status says truly what runs."""
import contextlib
import dataclasses
import io
import types
import unittest
from unittest import mock

from fake_target import FakeTarget, TargetError
from verbs import main, rollout
from verbs.target import ORDER, Deployed, NeedsAHand
from verbs.words import (DONE, FAILED, NEEDS_A_HAND, ROLLED_BACK, Declined, Words)


class RolloutTest(unittest.TestCase):
    def setUp(self):
        self.said = []

    def means(self, target, trial=None):
        return rollout.Means(self.said.append, target.smoke, trial, sleep=lambda _: None,
                             watch_seconds=3)

    def roll(self, target, version="2", trial=None):
        return rollout.roll(target, version, self.means(target, trial))

    def versions_of(self, target):
        return {task.version for task in target.tasks()}

    def told(self):
        return "\n".join(self.said)

    def test_a_good_version_runs_and_the_one_before_is_remembered(self):
        target = FakeTarget()
        self.assertEqual(self.roll(target), DONE)
        self.assertEqual(self.versions_of(target), {"2"})
        self.assertEqual(target.at, Deployed("2", "1"))
        self.assertEqual(len(target.tasks()), 2 * len(ORDER))

    def test_again_changes_nothing(self):
        target = FakeTarget()
        self.roll(target)
        ids, calls = [task.id for task in target.tasks()], target.calls
        self.assertEqual(self.roll(target), DONE)
        self.assertEqual([task.id for task in target.tasks()], ids)
        self.assertEqual(target.calls, calls)
        self.assertIn("runs already", self.told())

    def test_services_come_in_their_order_and_go_back_in_the_reverse(self):
        target = FakeTarget(bad={"2": {"alarm"}})
        self.assertEqual(self.roll(target), ROLLED_BACK)
        first = self.told().splitlines()
        self.assertIn("events", next(line for line in first if "first, of" in line))
        self.assertNotIn("scheduler:", self.told())  # the alarm of the first canary is enough

    def test_the_first_version_needs_no_other(self):
        target = FakeTarget(running=None)
        self.assertEqual(self.roll(target, "1"), DONE)
        self.assertEqual(self.versions_of(target), {"1"})
        self.assertEqual(target.at, Deployed("1"))

    def test_a_first_version_that_fails_needs_a_hand(self):
        target = FakeTarget(running=None, bad={"1": {"start"}})
        self.assertEqual(self.roll(target, "1"), NEEDS_A_HAND)
        self.assertEqual(target.at, Deployed(rolling="1"))
        self.assertIn("nothing ran before", self.told())

    def test_a_version_that_was_not_pushed_is_refused(self):
        target = FakeTarget()
        self.assertEqual(self.roll(target, "3"), FAILED)
        self.assertEqual(target.calls, 0)
        self.assertIn("version 3 was not pushed; there are: 1, 2", self.told())

    def test_a_trial_that_fails_changes_nothing(self):
        def trial():
            raise TargetError("version 2 ends at its start with status 1")
        target = FakeTarget()
        self.assertEqual(self.roll(target, trial=trial), FAILED)
        self.assertEqual((self.versions_of(target), target.at), ({"1"}, Deployed("1")))
        self.assertIn("ends at its start", self.told())

    def test_a_smoke_mail_that_what_runs_does_not_send_either_changes_nothing(self):
        target = FakeTarget(bad={"1": {"smoke"}})
        ids = [task.id for task in target.tasks()]
        self.assertEqual(self.roll(target), FAILED)
        self.assertEqual(([task.id for task in target.tasks()], target.at), (ids, Deployed("1")))
        self.assertIn("version 1, which runs, does not send the smoke mail either", self.told())
        self.assertIn("deploy/bin/rollback", self.told())

    def test_what_runs_is_not_asked_where_it_is_what_is_mended(self):
        target = FakeTarget(bad={"1": {"smoke"}})
        target.there.pop()
        self.assertEqual(self.roll(target, "1"), NEEDS_A_HAND)  # it began, and saw it at the end
        self.assertEqual(len(target.tasks()), 2 * len(ORDER))

    def test_a_smoke_mail_that_nobody_can_send_changes_nothing(self):
        def prepared():
            raise TargetError("smoke.token: No such file or directory")
        for running, at in ((None, Deployed()), ("1", Deployed("1"))):
            with self.subTest(running):
                target = FakeTarget(running=running)
                means = dataclasses.replace(self.means(target), prepared=prepared)
                for verb in (rollout.roll, rollout.roll_back):
                    self.assertEqual(verb(target, "2", means), FAILED)
                    self.assertEqual((target.at, self.versions_of(target) - {running}), (at, set()))
                self.assertIn("smoke.token: No such file", self.told())

    def test_a_missing_step_of_the_schema_changes_nothing(self):
        target = FakeTarget()
        target.missing_steps = 2
        self.assertEqual(self.roll(target), FAILED)
        self.assertEqual((self.versions_of(target), target.at), ({"1"}, Deployed("1")))
        self.assertIn("2 steps of the schema are missing: deploy/bin/migrate first", self.told())

    def test_each_kind_of_bad_version_is_seen_and_rolled_back(self):
        for fault in ("start", "alarm", "smoke"):
            with self.subTest(fault):
                target = FakeTarget(bad={"2": {fault}})
                self.assertEqual(self.roll(target), ROLLED_BACK)
                self.assertEqual((self.versions_of(target), target.at), ({"1"}, Deployed("1")))

    def test_a_version_that_cannot_go_back_is_told(self):
        target = FakeTarget(bad={"1": {"start"}, "2": {"alarm"}}, running=None)
        target.bad["1"] = set()
        for service in target.wanted():
            target.add(service.name, "1"), target.add(service.name, "1")
        target.at, target.bad["1"] = Deployed("1"), {"start"}
        self.assertEqual(self.roll(target), NEEDS_A_HAND)
        self.assertEqual(target.at, Deployed("1", rolling="2"))
        self.assertIn("needs a hand", self.told())

    def check_truth(self, target, status):
        """What the status says is what is."""
        for service in ORDER:
            self.assertGreaterEqual(len(target.of(service)), 2)
        runs = self.versions_of(target)
        if status == DONE:
            self.assertEqual((runs, target.at), ({"2"}, Deployed("2", "1")))
        elif status in (FAILED, ROLLED_BACK):
            self.assertEqual((runs, target.at), ({"1"}, Deployed("1")))
        else:
            self.assertEqual(status, NEEDS_A_HAND)
            self.assertEqual(target.at, Deployed("1", rolling="2"))
            self.assertIn("needs a hand", self.told())

    def test_a_fault_at_any_call(self):
        seen = set()
        for stays, fault in ((False, TargetError), (True, TargetError), (False, OSError)):
            for call in range(1, 1000):
                self.said = []
                target = FakeTarget(fails_at=call, stays=stays, fault=fault)
                status = self.roll(target)
                with self.subTest(call=call, stays=stays, fault=fault):
                    self.check_truth(target, status)
                seen.add(status)
                if target.calls < call:
                    break
        self.assertEqual(seen, {DONE, FAILED, ROLLED_BACK, NEEDS_A_HAND})

    def test_after_any_fault_the_same_verb_goes_on(self):
        for call in range(1, 1000):
            target = FakeTarget(fails_at=call, stays=True)
            self.roll(target)
            if target.calls < call:
                break
            target.fails_at = 0
            with self.subTest(call):
                self.assertEqual(self.roll(target), DONE)
                self.check_truth(target, DONE)

    def test_a_roll_that_was_broken_off_goes_back_to_what_ran(self):
        target = FakeTarget()
        target.canary("events", "2", self.said.append)
        target.at = Deployed("1", "0", rolling="2")
        self.assertEqual(rollout.roll_back(target, "1", self.means(target)), DONE)
        self.assertEqual((self.versions_of(target), target.at), ({"1"}, Deployed("1", "0")))

    def test_a_roll_back_and_forth(self):
        target = FakeTarget()
        self.roll(target)
        self.assertEqual(rollout.roll_back(target, "1", self.means(target)), DONE)
        self.assertEqual((self.versions_of(target), target.at), ({"1"}, Deployed("1", "2")))

    def test_a_roll_back_to_what_does_not_start_leaves_what_runs(self):
        target = FakeTarget()
        self.roll(target)
        target.bad["1"] = {"start"}
        self.assertEqual(rollout.roll_back(target, "1", self.means(target)), ROLLED_BACK)
        self.assertEqual((self.versions_of(target), target.at), ({"2"}, Deployed("2", "1")))


    def test_a_roll_back_to_what_cannot_work_on_the_tables_changes_nothing(self):
        target = FakeTarget()
        self.roll(target)
        ids = [task.id for task in target.tasks()]
        target.too_old = {"1"}
        self.assertEqual(rollout.roll_back(target, "1", self.means(target)), FAILED)
        self.assertEqual(([task.id for task in target.tasks()], target.at), (ids, Deployed("2", "1")))
        self.assertIn("has schema step 18 and this program knows up to 17", self.told())


    def test_how_long_is_watched_is_the_targets_affair_unless_it_is_said(self):
        target, paused = FakeTarget(), []
        target.watch_seconds, target.look_seconds = 300, 15
        for given, expected in ((None, [15] * 20), (4, [4]), (0, [])):
            with self.subTest(given):
                said = types.SimpleNamespace(watch=given, no_trial=True)
                means = dataclasses.replace(main.means(target, said, Words("roll")), sleep=paused.append)
                rollout.watch(lambda: [], means)
                self.assertEqual(paused, expected)
                paused.clear()


class MigrateTest(unittest.TestCase):
    def migrate(self, target, version=None, no_way_back=False, yes=False):
        """-> (how it ended, what it said)"""
        out = io.StringIO()
        given = types.SimpleNamespace(version=version, no_way_back=no_way_back)
        try:
            return main.migrate(target, given, Words("migrate", yes, out, io.StringIO())), out.getvalue()
        except (TargetError, Declined) as error:
            return type(error), str(error)

    def ups(self, target):
        return [version for version, words in target.ran if words == "migrate up"]

    def test_without_a_version_it_takes_the_one_that_roll_takes_and_says_so(self):
        target = FakeTarget(versions=("1", "2", "3"))
        status, said = self.migrate(target)
        self.assertEqual((status, self.ups(target)), (DONE, ["3"]))
        self.assertIn("version 3, which was pushed last", said)
        said = []
        given = types.SimpleNamespace(version=None, no_trial=True, watch=0, archive="")
        self.assertEqual(main.roll(target, given, types.SimpleNamespace(say=said.append)), DONE)
        self.assertEqual({task.version for task in target.tasks()}, {"3"})
        self.assertIn("version 3, which was pushed last", said[0])

    def test_what_the_running_version_can_work_on_is_taken(self):
        target = FakeTarget()
        target.missing_steps, target.known_steps, target.least = 1, {"1": 17, "2": 18}, {"2": 17}
        self.assertEqual(self.migrate(target, "2")[0], DONE)
        self.assertEqual(self.ups(target), ["2"])

    def test_what_it_could_not_work_on_is_only_taken_where_somebody_wants_it(self):
        target = FakeTarget()
        target.missing_steps, target.known_steps, target.least = 1, {"1": 17, "2": 18}, {"2": 18}
        status, said = self.migrate(target, "2", yes=True)
        self.assertEqual((status, self.ups(target)), (TargetError, []))
        self.assertIn("versions that know 18 steps or more", said)
        self.assertIn("version 1, which runs, knows 17", said)
        self.assertEqual((self.migrate(target, "2", no_way_back=True)[0], self.ups(target)), (Declined, []))
        self.assertEqual(self.migrate(target, "2", no_way_back=True, yes=True)[0], DONE)
        self.assertEqual(self.ups(target), ["2"])

    def test_a_version_that_does_not_say_who_can_work_on_its_tables(self):
        target = FakeTarget()
        target.missing_steps, target.least = 1, {"2": None}
        status, said = self.migrate(target, "2")
        self.assertEqual((status, self.ups(target)), (TargetError, []))
        self.assertIn("nobody knows which versions", said)

    def test_nothing_that_is_missing_takes_nothing_away(self):
        target = FakeTarget()
        target.least = {"2": 18}
        self.assertEqual(self.migrate(target, "2")[0], DONE)

    def test_where_nothing_runs_there_is_nobody_to_take_it_from(self):
        target = FakeTarget(running=None)
        target.missing_steps, target.least = 18, {"2": 18}
        self.assertEqual(self.migrate(target, "2")[0], DONE)


class ContractTest(unittest.TestCase):
    def contract(self, target, version=None, yes=False):
        """-> (how it ended, what it said)"""
        out = io.StringIO()
        try:
            return main.contract(target, types.SimpleNamespace(version=version), Words("contract", yes, out, io.StringIO())), \
                out.getvalue()
        except (TargetError, Declined) as error:
            return type(error), str(error)

    def test_it_is_taken_by_the_version_that_runs_once_somebody_wants_it(self):
        target = FakeTarget("2")
        target.at = Deployed("2", "1")
        target.contractions = 1
        status, said = self.contract(target)
        self.assertEqual(status, Declined)
        self.assertNotIn(("2", "migrate contract"), target.ran)
        status, said = self.contract(target, yes=True)
        self.assertEqual((status, target.ran[-1]), (DONE, ("2", "migrate contract")))

    def test_where_nothing_is_to_be_taken_away_nobody_is_asked(self):
        target = FakeTarget("2")
        status, said = self.contract(target)
        self.assertEqual(status, DONE)
        self.assertIn("takes nothing away", said)
        self.assertNotIn("migrate contract", [words for _, words in target.ran])

    def test_it_waits_for_the_end_of_a_roll_and_for_a_first_one(self):
        target = FakeTarget("1")
        target.contractions = 1
        target.at = Deployed("1", None, "2")
        status, said = self.contract(target, yes=True)
        self.assertEqual((status, target.ran), (TargetError, []))
        self.assertIn("a roll to 2 is under way", said)
        target.at = Deployed(None)
        self.assertEqual(self.contract(target, yes=True)[0], TargetError)

    def test_a_refusal_of_the_engine_is_a_failure_that_changed_nothing(self):
        target = FakeTarget("1")
        target.contractions = 1
        target.too_old = set()
        target.refuses = {"migrate contract": "2 processes of other versions"}
        status, said = self.contract(target, yes=True)
        self.assertEqual(status, FAILED)
        self.assertIn("2 processes of other versions", said)


class StatusTest(unittest.TestCase):
    def test_it_tells_a_failure_that_changed_nothing_from_one_after_which_nothing_runs(self):
        for fault, status in ((TargetError, FAILED), (NeedsAHand, NEEDS_A_HAND), (OSError, NEEDS_A_HAND)):
            with self.subTest(fault), mock.patch.object(main, "open_target", lambda _: FakeTarget()), \
                    mock.patch.object(FakeTarget, "restore", side_effect=fault("no")), \
                    contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(main.run("restore", ["--target", "x", "--yes", "copy"]), status)


class Teletype(io.StringIO):
    def isatty(self):
        return True


class WordsTest(unittest.TestCase):
    def ask(self, answers, yes=False):
        out = io.StringIO()
        Words("drain", yes, out, answers).ask("courier takes no more work")
        return out.getvalue()

    def test_yes_beforehand(self):
        self.assertIn("(--yes)", self.ask(io.StringIO(), yes=True))

    def test_nobody_to_ask_is_no(self):
        with self.assertRaisesRegex(Declined, "--yes says it beforehand"):
            self.ask(io.StringIO("y\n"))

    def test_only_yes_is_yes(self):
        self.assertIn("Go on?", self.ask(Teletype("y\n")))
        for answer in ("", "\n", "n\n", "yes please\n"):
            with self.assertRaises(Declined):
                self.ask(Teletype(answer))


if __name__ == "__main__":
    unittest.main(warnings="ignore")
