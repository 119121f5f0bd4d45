# SPDX-License-Identifier: Apache-2.0
"""docs/security.md and its Japanese page: the same tests in the same order, each of which is there; a row for every
key of the configuration that listens; the libraries that the program is made of.

usage: security_test.py TODOKU
"""
import importlib.machinery
import importlib.util
import pathlib
import re
import sys
import unittest

import conformance_table_test as table

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("docs/security.md", "docs/security.ja.md")
TODOKU = None


def dependencies():
    loader = importlib.machinery.SourceFileLoader("dependencies", str(ROOT / "tools/dependencies"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dependencies", loader))
    loader.exec_module(module)
    return module


def known_tests():
    fuzzed = {f"fuzz/{path.stem.removesuffix('_fuzz')}" for path in (ROOT / "tests/fuzz").glob("*_fuzz.cc")}
    return table.python_checks() | table.ctests() | table.unit_tests() | fuzzed


def proofs(page):
    """Last cells of the tables of threats."""
    found, inside = [], False
    for line in (ROOT / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and not inside:
            inside = cells[-1] in ("shown by", "示すテスト")
        elif line.startswith("|") and not set(line) <= set("|- "):
            found.append(cells[-1])
        elif not line.startswith("|"):
            inside = False
    return found


def listening_keys(reference):
    """Keys where others can come in: an address with a port of a socket that is our own, or a Unix socket."""
    section, keys = "", set()
    for line in reference.splitlines():
        section = (re.match(r"## `\[+([\w.]+)\]+`", line) or [None, section])[1]
        row = re.match(r"\| `(\w+)` \| ([^|]*) \|", line)
        if row and (row[2].startswith("an IP address and a port") or row[1] == "socket"):
            keys.add(f"{section}.{row[1]}")
    return keys


def rows_of_ports(page):
    text = (ROOT / page).read_text()
    return set(re.findall(r"(?m)^\| `([\w.]+)` \|", re.search(r"(?ms)^## (?:Ports|ポート).*?^## ", text)[0]))


class SecurityTest(unittest.TestCase):
    def test_every_test_that_is_named_is_there(self):
        known = known_tests()
        for page in PAGES:
            cells = proofs(page)
            self.assertGreater(len(cells), 30, page)
            for cell in cells:
                self.assertEqual(table.unproven(cell, known), [], f"{page}: {cell}")

    def test_both_pages_name_the_same(self):
        english, japanese = (proofs(page) for page in PAGES)
        self.assertEqual(english, japanese)

    def test_every_key_that_listens_has_a_row(self):
        keys = listening_keys((ROOT / "docs/configuration.md").read_text())
        self.assertGreaterEqual(len(keys), 5)
        for page in PAGES:
            rows = rows_of_ports(page)
            self.assertEqual(keys - rows, set(), page)
            self.assertEqual(rows - keys, {"smtp_in.enabled"}, page)

    def test_a_new_key_that_listens_is_seen(self):
        added = "\n## `[door]`\n| `listen` | an IP address and a port, such as 127.0.0.1:8025 | `` | A door. | |\n"
        self.assertEqual(listening_keys(added), {"door.listen"})

    def test_the_libraries_are_those_of_the_program(self):
        module = dependencies()
        made = module.tables(pathlib.Path(TODOKU))
        for page, language in module.PAGES.items():
            text = (ROOT / page).read_text()
            self.assertEqual(text, module.put_in(text, made[language]),
                             f"{page}: tools/dependencies {TODOKU} --write")

    def test_an_update_of_debian_changes_no_page(self):
        module = dependencies()
        self.assertEqual(module.series("3.0.15-1~deb12u1"), module.series("3.0.17-1~deb12u2"))
        self.assertNotEqual(module.series("3.0.15-1"), module.series("3.1.0-1"))


if __name__ == "__main__":
    TODOKU = sys.argv.pop(1)
    unittest.main()
