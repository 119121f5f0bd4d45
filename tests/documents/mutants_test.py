# SPDX-License-Identifier: Apache-2.0
"""The checks that tests/mutation takes out of the engine are where it says, once, and the tests that
are to fail for them are there: the run itself, which takes a build, is not part of ./test."""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/mutation"))

import mutate  # noqa: E402


class Mutants(unittest.TestCase):
    def test_every_check_is_in_its_place_once(self):
        for mutant in mutate.MUTANTS:
            with self.subTest(mutant.name):
                text = (ROOT / mutant.where).read_text()
                self.assertEqual(1, text.count(mutant.text), mutant.where)
                self.assertIn("OUT", mutant.without)

    def test_every_proof_is_a_test_that_there_is(self):
        for mutant in mutate.MUTANTS:
            with self.subTest(mutant.name):
                if mutant.proof.endswith(".py"):
                    self.assertTrue((ROOT / "tests/system" / mutant.proof).is_file())
                    continue
                module, suite, name = mutant.proof.split(".")
                text = (ROOT / "tests/system/api" / f"{module}.py").read_text()
                self.assertIn(f"\nclass {suite}(", text)
                self.assertIn(f"    def {name}(self", text)

    def test_names_are_their_own_and_enough(self):
        names = [mutant.name for mutant in mutate.MUTANTS]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 10)


if __name__ == "__main__":
    unittest.main()
