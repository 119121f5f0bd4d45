#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hands in the data folder: a second engine never gets in, nothing begins anew in silence, and what
is in the folder is for its owner alone."""
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import stat
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from home import HomeTest  # noqa: E402


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class DataFolder(HomeTest):
    # ---- one engine at a time ----------------------------------------------------------------

    def test_a_second_engine_is_kept_out_though_lock_file_and_socket_were_removed(self):
        self.start()
        (self.data / "todoku.db.lock").unlink()
        (self.data / "admin.sock").unlink()
        said = self.tool("serve", status=1)
        self.assertIn("is in use by another process", said)
        self.assertIn("todoku.db.lock", said)
        said = self.tool("account", "add", "shop", status=1)
        self.assertIn("in use", said)
        self.assertIsNone(self.engine.poll())
        self.stop()
        self.tool("account", "add", "shop")

    def test_a_second_engine_is_kept_out_though_it_comes_by_a_link(self):
        self.start()
        other = self.home / "other"
        other.mkdir(mode=0o700)
        for name in ("todoku.db", "todoku.db-wal", "todoku.db-shm"):
            (other / name).symlink_to(self.data / name)
        self.config.write_text(self.config.read_text() + '[data]\ndirectory = "other"\n')
        self.assertIn("is in use", self.tool("serve", status=1))
        self.config.write_text(self.config.read_text().replace('"other"', '"link"'))
        (self.home / "link").symlink_to(self.data)
        (self.data / "todoku.db.lock").unlink()
        (self.data / "admin.sock").unlink()
        self.assertIn("is in use", self.tool("serve", status=1))

    def test_a_second_engine_is_kept_out_though_it_comes_by_a_hard_link(self):
        self.start()
        other = self.home / "other"
        other.mkdir(mode=0o700)
        for name in ("todoku.db", "todoku.db-wal", "todoku.db-shm"):
            os.link(self.data / name, other / name)
        self.config.write_text(self.config.read_text() + '[data]\ndirectory = "other"\n')
        self.assertIn("hard link", self.tool("serve", status=1))
        self.assertIn("in use", self.tool("account", "list", status=1))
        with sqlite3.connect(self.data / "todoku.db") as reader:  # who only reads may
            reader.execute("SELECT count(*) FROM accounts").fetchone()
        reader.close()
        self.stop()
        self.tool("account", "list")

    def test_a_stopping_engine_leaves_the_socket_of_another_alone(self):
        self.start()
        (self.data / "admin.sock").unlink()
        with socket.socket(socket.AF_UNIX) as another:
            another.bind(str(self.data / "admin.sock"))
            self.stop()
            self.assertTrue((self.data / "admin.sock").exists())

    # ---- the database is taken from under the engine -----------------------------------------

    def is_noticed(self, *words):
        self.wait_for(lambda: "taken from under" in self.log(), "the news", 15)
        for word in words:
            self.assertIn(word, self.log())
        self.assertEqual(self.log().count("taken from under"), 1, "it is said once")
        said = self.tool("healthcheck", status=1)
        self.assertIn("store: the database", said)
        self.assertIn("nothing is accepted", self.tool("account", "add", "late", status=1))

    def test_a_removed_database_is_noticed_and_can_be_saved(self):
        self.start()
        self.tool("account", "add", "shop")
        for path in self.data.glob("todoku.db*"):
            path.unlink()
        self.is_noticed("was removed")
        copy = re.search(r"`cp (/proc/\S+) (\S+\.saved)`", self.log())
        self.assertIsNotNone(copy, self.log())
        time.sleep(1.5)  # what was in the log is in the file a second later
        shutil.copyfile(copy.group(1), copy.group(2))
        self.engine.kill()
        self.engine.wait()
        self.assertIn("todoku.db.saved", self.tool("serve", status=1))
        os.rename(copy.group(2), self.data / "todoku.db")
        self.assertIn("shop", self.tool("account", "list"))

    def test_a_removed_folder_is_saved_when_the_engine_stops(self):
        self.start()
        self.tool("account", "add", "shop")
        shutil.rmtree(self.data)
        self.wait_for(lambda: "taken from under" in self.log(), "the news", 15)
        self.stop()
        saved = self.data / f"todoku.db.saved-{self.engine.pid}"
        self.assertEqual(mode(saved), 0o600)
        said = self.tool("serve", status=1)
        self.assertIn(str(saved), said)
        saved.rename(self.data / "todoku.db")
        self.assertIn("shop", self.tool("account", "list"))

    def test_a_database_that_comes_back_is_used_again(self):
        self.start()
        self.data.rename(self.home / "away")
        self.wait_for(lambda: "was moved away" in self.log(), "the news", 15)
        (self.home / "away").rename(self.data)
        self.tool("account", "add", "shop")

    # ---- nothing begins anew in silence ------------------------------------------------------

    def refuses_to_begin(self, *words):
        said = self.tool("serve", status=1)
        for word in ("--new", "backup", *words):
            self.assertIn(word, said)
        # The tools would make a new store as well.
        self.assertIn("--new", self.tool("account", "list", status=1))

    def test_a_lost_database_beside_an_old_master_key_is_told_of(self):
        self.start()
        self.stop()
        shutil.rmtree(self.data)
        self.refuses_to_begin("is missing", str(self.home / "master.key"))
        self.start("--new")
        self.assertIn("new store begun", self.log())
        self.stop()
        self.start("--new")  # there is one: it is not touched
        self.stop()
        self.start()

    def test_an_emptied_database_is_told_of_and_its_log_is_left_alone(self):
        self.tool("account", "add", "shop")
        self.start()
        self.engine.kill()
        self.engine.wait()
        log = (self.data / "todoku.db-wal").read_bytes()
        self.assertTrue(log)
        os.truncate(self.data / "todoku.db", 0)
        self.refuses_to_begin("is empty", "todoku.db-wal")
        self.assertEqual((self.data / "todoku.db-wal").read_bytes(), log)

    def test_uploads_and_a_socket_tell_of_an_older_life_too(self):
        key = {"TODOKU_MASTER_KEY": "ab" * 32}
        self.data.mkdir(mode=0o700)
        (self.data / "import-1.upload").write_text("email\n")
        self.assertIn("1 uploaded lists", self.tool("serve", status=1, env=key))
        (self.data / "import-1.upload").unlink()
        self.tool("account", "add", "shop", env=key)

    def test_a_restore_that_was_broken_off_tells_of_an_older_life_too(self):
        key = {"TODOKU_MASTER_KEY": "ab" * 32}
        self.data.mkdir(mode=0o700)
        (self.data / "todoku.db.restoring").write_text("half")
        self.assertIn("todoku.db.restoring: run it again", self.tool("serve", status=1, env=key))
        (self.data / "todoku.db.restoring").unlink()
        self.tool("account", "add", "shop", env=key)

    def test_a_prepared_key_is_no_sign_where_it_comes_from_the_environment(self):
        self.tool("account", "add", "shop", env={"TODOKU_MASTER_KEY": "ab" * 32})

    def test_a_refused_start_has_begun_nothing(self):
        said = self.tool("serve", "--new", status=1, env={"TODOKU_MASTER_KEY": "no key"})
        self.assertIn("TODOKU_MASTER_KEY", said)
        self.assertFalse(self.data.exists())
        self.tool("account", "add", "shop", "--new", status=1, env={"TODOKU_MASTER_KEY": "no key"})
        self.assertFalse(self.data.exists())
        (self.home / "master.key").write_text("ab" * 32)
        os.chmod(self.home / "master.key", 0o600)
        self.assertIn("--new", self.tool("serve", status=1))
        self.assertFalse(self.data.exists())
        self.data.mkdir(mode=0o700)
        self.tool("serve", "--new", status=1, env={"TODOKU_MASTER_KEY": "no key"})
        self.assertFalse((self.data / "todoku.db").exists())
        listen = self.config.read_text()
        self.config.write_text(listen.replace("127.0.0.1:0", "192.0.2.1:8025"))
        self.assertIn("api.listen", self.tool("serve", "--new", status=1))
        self.assertFalse((self.data / "todoku.db").exists())
        self.config.write_text(listen)
        self.assertIn("--new", self.tool("serve", status=1))  # it is still to be said
        self.start("--new")

    def test_what_is_no_database_is_refused(self):
        self.data.mkdir(mode=0o700)
        (self.data / "todoku.db").mkdir()
        self.assertIn("todoku.db is no file", self.tool("serve", status=1))
        (self.data / "todoku.db").rmdir()
        os.mkfifo(self.data / "todoku.db")
        self.assertIn("todoku.db is no file", self.tool("serve", status=1))

    # ---- for its owner alone -----------------------------------------------------------------

    def test_a_folder_that_was_made_beforehand_is_closed_to_others(self):
        self.data.mkdir(mode=0o755)
        os.chmod(self.data, 0o755)
        before = os.umask(0)
        try:
            self.start()
        finally:
            os.umask(before)
        self.assertEqual(mode(self.data), 0o700)
        for path in [*self.data.iterdir(), self.home / "master.key"]:
            self.assertEqual(mode(path) & 0o077, 0, path)

    def test_a_folder_of_others_is_not_taken_from_them(self):
        self.data.mkdir()
        os.chmod(self.data, 0o755)
        (self.data / "somebody").mkdir()
        said = self.tool("serve", status=1)
        self.assertIn("others can read the data folder", said)
        self.assertIn("data.directory", said)
        self.assertEqual(mode(self.data), 0o755)
        self.assertFalse((self.data / "todoku.db").exists())
        (self.data / "somebody").rmdir()
        os.chmod(self.data, 0o1777)
        self.assertIn("others can read", self.tool("serve", status=1))


if __name__ == "__main__":
    unittest.main()
