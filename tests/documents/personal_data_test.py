# SPDX-License-Identifier: Apache-2.0
"""docs/personal-data.md and its Japanese page: every table of the stores is named, none that there is not,
and every key of the configuration that one page names is on the other one, too."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("personal-data.md", "personal-data.ja.md")
SCHEMAS = ("sqlite", "postgres")
HEADINGS = {"personal-data.md": "## What is kept where", "personal-data.ja.md": "## 何がどこにあるか"}


def tables_of_schemas():
    text = "".join(file.read_text() for kind in SCHEMAS
                   for file in sorted((ROOT / f"src/store/{kind}").glob("schema*")))
    return set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", text))


def tables_of_page(page):
    part = (ROOT / "docs" / page).read_text().split(HEADINGS[page])[1]
    rows = re.findall(r"(?m)^\| (`[^|]*) \|", part)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


class PersonalData(unittest.TestCase):
    def test_every_table_is_on_the_pages_once(self):
        for page in PAGES:
            named = tables_of_page(page)
            self.assertEqual(set(named), tables_of_schemas(), page)
            self.assertEqual(len(named), len(set(named)), page)

    def test_both_pages_have_the_same_rows_and_keys(self):
        english, japanese = ((ROOT / "docs" / page).read_text() for page in PAGES)
        for what in (r"(?m)^\|", r"(?m)^todoku .*", r"`(?:retention|events|journal)\.\w+`"):
            count = {page: sorted(match.split("#")[0].strip() for match in re.findall(what, text))
                     for page, text in (("en", english), ("ja", japanese))}
            self.assertEqual(count["en"], count["ja"], what)


if __name__ == "__main__":
    unittest.main()
