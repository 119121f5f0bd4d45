#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A copy of a data folder, and a restored backup: in HOLD until somebody has said what becomes of it.
A folder that was only moved is the same store."""
import os
import pathlib
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import home  # noqa: E402
from home import CONFIG, HomeTest  # noqa: E402


class CopiedStore(HomeTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.tool("account", "add", "shop")
        self.wait_for(lambda: self.names_file() != "", "the names in the store")
        self.stop()

    def names_file(self):
        """Which file the store remembers."""
        with sqlite3.connect(self.data / "todoku.db", timeout=5) as db:
            row = db.execute("SELECT value FROM settings WHERE name = 'cluster'").fetchone()
        lines = row[0].splitlines() if row else []
        return next((str(line) for line in lines if "file" in str(line)), "")

    def stands_in_hold(self):
        self.assertIn("HOLD", self.tool("config", "check", status=1))
        self.assertIn("HOLD", self.tool("status"))
        self.assertIn("shop", self.tool("account", "list"))
        self.assertIn("HOLD", self.tool("account", "add", "another", status=1))
        self.start()
        self.wait_for(lambda: "HOLD" in self.log(), "its word in the log")
        self.assertIn("HOLD", self.tool("account", "add", "another", status=1))
        self.assertNotIn("another", self.tool("account", "list"))

    def goes_on(self):
        self.tool("account", "add", "another")
        self.assertNotIn("HOLD", self.tool("status"))

    def test_a_copied_folder_beside_the_original(self):
        copy = self.home / "copy"
        shutil.copytree(self.data, copy)
        self.data.rename(self.home / "original")
        copy.rename(self.data)
        self.stands_in_hold()
        self.tool("cluster", "adopt")
        self.wait_for(lambda: "the store was adopted" in self.log(), "the start")
        self.wait_for(lambda: "engine started" in self.log().split("adopted")[1], "the engine")
        self.goes_on()
        self.stop()
        # The original has stayed what it was.
        self.data.rename(copy)
        (self.home / "original").rename(self.data)
        self.tool("config", "check")
        self.goes_on()

    def test_a_backup_that_was_restored(self):
        database = self.data / "todoku.db"
        with sqlite3.connect(database) as db, sqlite3.connect(self.home / "backup.db") as backup:
            db.backup(backup)
        for file in self.data.glob("todoku.db*"):
            file.unlink()
        shutil.copy(self.home / "backup.db", database)
        os.chmod(database, 0o600)
        self.assertIn("HOLD", self.tool("account", "add", "another", status=1))
        self.tool("cluster", "adopt")
        self.tool("config", "check")
        self.goes_on()

    def test_a_backup_that_was_copied_over_the_file(self):
        """Its file is the same one, and it is older than what was served."""
        database = self.data / "todoku.db"
        backup = self.home / "backup.db"
        shutil.copy(database, backup)
        self.start()
        self.wait_for(lambda: self.answers(), "the engine")
        self.stop()
        made = os.stat(database).st_ino
        database.write_bytes(backup.read_bytes())
        self.assertEqual(os.stat(database).st_ino, made)
        self.stands_in_hold()
        self.assertIn("older", self.log())
        self.tool("cluster", "adopt")
        self.wait_for(lambda: "the store was adopted" in self.log(), "the start")
        self.wait_for(lambda: "engine started" in self.log().split("adopted")[1], "the engine")
        self.goes_on()
        self.stop()
        self.tool("config", "check")
        self.assertNotIn("HOLD", self.tool("status"))

    def test_what_the_folder_says_may_be_behind_and_is_no_need(self):
        age = self.data / "served.age"
        self.assertTrue(age.exists())
        kept = age.read_text()
        self.start()
        self.wait_for(lambda: age.read_text() != kept, "its getting older")
        self.stop()
        for text in (kept, "", "nonsense", None):
            if text is None:
                age.unlink()
            else:
                age.write_text(text)
            self.tool("config", "check")
            self.assertNotIn("HOLD", self.tool("status"), f"age {text!r}")

    def test_a_folder_that_was_moved(self):
        elsewhere = self.home / "elsewhere"
        self.data.rename(elsewhere)
        self.config.write_text(CONFIG + f'[data]\ndirectory = "{elsewhere}"\n')
        self.data = elsewhere
        self.start()
        self.goes_on()


if __name__ == "__main__":
    unittest.main()
