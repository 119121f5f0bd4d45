# SPDX-License-Identifier: Apache-2.0
"""docs/capacity.md, its Japanese page and docs/autoscaling.svg are what bench/capacity.py makes of deploy/terraform
and docs/scale.md now; with the rules that stand there nothing waits for long, nobody flaps, and no courier is taken
away that the rest cannot do without.

usage: capacity_test.py PLAYER      (todoku_scaling_days)
"""
import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import capacity  # noqa: E402

PLAYER = None


class CapacityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rules = capacity.read_rules()
        cls.days = {curve: (rows, whole, dollars) for curve, rows, whole, dollars in capacity.days(PLAYER, cls.rules)}

    def oldest(self, curve):
        return max(row["oldest_seconds"] for row in self.days[curve][0])

    def test_nothing_waits_for_long(self):
        self.assertLess(self.oldest("quiet"), 60)
        self.assertLess(self.oldest("noon"), 25 * 60)
        self.assertLess(self.oldest("incident"), 60 * 60)
        for rows, _, _ in self.days.values():
            self.assertEqual(rows[-1]["waiting"], 0)

    def test_nobody_flaps(self):
        least, most = self.rules.couriers
        for curve, (_, whole, _) in self.days.items():
            self.assertLessEqual(whole["scalings"], 2 * (most - least) + 2, curve)

    def test_what_runs_is_never_cut_off(self):
        least, most = (self.rules.zones * each for each in self.rules.couriers)
        for curve, (rows, whole, _) in self.days.items():
            self.assertGreaterEqual(whole["spare_least"], 0, curve)
            counts = [row["paid"] for row in rows]
            self.assertGreaterEqual(min(row["couriers"] for row in rows), least, curve)
            self.assertLessEqual(max(counts), most, curve)
            # Ends while the engine drains, which Terraform gives it.
            drain = re.search(r"drain_seconds = (\d+)",
                              (ROOT / "deploy/terraform/modules/settings/main.tf").read_text())[1]
            self.assertLess(whole["ended_with"] / capacity.PACE, int(drain), curve)

    def test_a_rule_that_flaps_would_be_seen(self):
        wild = capacity.read_rules()
        wild.couriers_target, wild.couriers = 2, (1, 30)
        _, whole = capacity.play(PLAYER, "noon", wild, 0.0002)
        self.assertGreater(whole["scalings"], self.days["noon"][1]["scalings"])

    def test_the_rules_are_those_of_the_files(self):
        text = (ROOT / "deploy/terraform/modules/couriers/instances.tf").read_text()
        self.assertIn(f"target_value = {self.rules.couriers_target:.0f}", text)
        self.assertEqual((self.rules.zones, self.rules.couriers), (3, (1, 4)))

    def test_pages_and_plot_are_as_they_are_made(self):
        pages, plot = capacity.texts(PLAYER)
        remedy = "bench/capacity.py build/release/tests/scaling/todoku_scaling_days --write"
        for page, parts in pages.items():
            text = (ROOT / page).read_text()
            self.assertEqual(text, capacity.put_in(text, parts), f"{page}: {remedy}")
        self.assertEqual((ROOT / capacity.PLOT).read_text(), plot, remedy)
        xml.etree.ElementTree.fromstring(plot)


if __name__ == "__main__":
    PLAYER = sys.argv.pop(1)
    unittest.main()
