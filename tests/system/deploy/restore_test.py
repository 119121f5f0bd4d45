#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a local target's store and tasks when a copy is put back (deploy/verbs/local_store.py): PostgreSQL and
its programs are real, the tasks and what versions say of the tables are not."""
import contextlib
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[2] / "deploy")]

from postgres_server import PostgresServer  # noqa: E402
from verbs import local_store  # noqa: E402
from verbs.local import LocalTarget  # noqa: E402
from verbs.target import Deployed, NeedsAHand, Ran, Task, TargetError  # noqa: E402

TABLES = """
CREATE TABLE todoku_schema(step bigint PRIMARY KEY, taken bigint NOT NULL);
INSERT INTO todoku_schema SELECT n, 0 FROM generate_series(1, 17) n;
CREATE TABLE meta(name text PRIMARY KEY, value bytea NOT NULL);
INSERT INTO meta VALUES('worked_on_by', '17');
CREATE TABLE mails(id bigint PRIMARY KEY, body text);
INSERT INTO mails SELECT n, md5(n::text) FROM generate_series(1, 20000) n;
"""
LATER = """
INSERT INTO todoku_schema VALUES(18, 0);
UPDATE meta SET value = '18';
CREATE TABLE audit(id bigint PRIMARY KEY);
CREATE VIEW of_the_operator AS SELECT id FROM mails;
"""


class Target(LocalTarget):
    """One task runs, of version 2, which knows `known` steps."""

    def __init__(self, address, folder, known=18):
        super().__init__("x", {"services": {"api": 1}, "store": {"database": address}}, folder)
        self.known, self.runs, self.broken, self.did = known, True, set(), []

    def deployed(self):
        return Deployed("2")

    def tasks(self):
        return [Task("api-1", "api", "2", "ready")] if self.runs else []

    def retire(self, task, say):
        self.did.append("end")
        self.runs = False

    def replace(self, service, version, say):
        self.did.append("begin")
        if "begin" in self.broken:
            raise TargetError("api-2 is not ready")
        self.runs = True

    def run_once(self, version, words, say):
        self.did.append(" ".join(words[:2]))
        if " ".join(words[:2]) in self.broken:
            return Ran(1, "no rights")
        return Ran(0, json.dumps({"missing": 0, "worked_on_by": self.known, "steps": [{}] * self.known}))


class RestoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(PostgresServer())
        cls.server.make_user("todoku", "secret")

    def setUp(self):
        self.said = []
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "password").write_text("secret")
        self.server.make_database("mail", "todoku")
        self.addCleanup(self.server.sql, "DROP DATABASE mail")
        self.target = Target(self.server.address("mail", "todoku"), self.folder)
        self.target.settings["store"]["password_file"] = "password"
        self.sql(TABLES)
        self.copy = self.folder / "copy"
        self.target.backup(self.copy, self.said.append)

    def sql(self, statements):
        return self.server.sql(f"SET ROLE todoku; {statements}", "mail")

    def restore(self, raises=None, *words):
        if raises is None:
            self.target.restore(self.copy, self.said.append)
            return
        with self.assertRaises(raises) as caught:
            self.target.restore(self.copy, self.said.append)
        self.assertIs(type(caught.exception), raises)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def is_as_it_was(self):
        self.assertEqual(self.sql("SELECT count(*) FROM todoku_schema"), "18")
        self.assertEqual(self.sql("SELECT count(*) FROM mails"), "1")
        self.assertEqual(self.sql("SELECT to_regclass('audit') IS NOT NULL"), "t")

    def goes_on(self):
        """As it was left by the version that runs."""
        self.sql(LATER + "DELETE FROM mails WHERE id > 1")

    def test_nothing_is_left_of_later_tables_and_the_version_takes_its_steps_again(self):
        self.goes_on()
        self.restore()
        self.assertEqual(self.sql("SELECT count(*) FROM mails"), "20000")
        self.assertEqual(self.sql("SELECT to_regclass('audit') IS NULL"), "t")
        self.assertEqual(self.target.did, ["migrate status", "end", "migrate up", "begin"])
        self.assertIn("the copy has 17 steps of the schema, version 2 needs 18", "\n".join(self.said))

    def test_of_as_many_steps_none_is_taken(self):
        self.target.known = 17
        self.restore()
        self.assertEqual(self.target.did, ["migrate status", "end", "begin"])

    def test_a_copy_that_the_version_cannot_work_on_ends_no_task(self):
        self.goes_on()
        self.copy = self.folder / "newer"
        self.target.backup(self.copy, self.said.append)
        self.target.known = 17
        self.restore(TargetError, "the copy has 18 steps", "version 2, which runs, knows 17")
        self.assertEqual(self.target.did, ["migrate status"])
        self.is_as_it_was()

    def test_a_copy_of_a_later_version_that_leaves_it_what_it_needs(self):
        self.goes_on()
        self.sql("UPDATE meta SET value = '17'")
        self.copy = self.folder / "newer"
        self.target.backup(self.copy, self.said.append)
        self.target.known = 17
        self.restore()
        self.assertEqual(self.target.did, ["migrate status", "end", "begin"])

    def test_a_copy_that_breaks_off_leaves_the_store_and_the_tasks_begin_again(self):
        self.goes_on()
        self.copy.write_bytes(self.copy.read_bytes()[:-200_000])
        local_store.run_list(self.copy)  # whose list is whole
        self.target.known = 17
        with contextlib.ExitStack() as stack:
            stack.enter_context(unittest.mock.patch.object(local_store, "steps_of", lambda _: (17, 17)))
            self.restore(TargetError, "was not put back", "pg_restore")
        self.assertEqual(self.target.did, ["migrate status", "end", "begin"])
        self.is_as_it_was()

    def test_a_database_that_refuses_it_is_told_and_left(self):
        self.goes_on()
        self.server.sql("CREATE TABLE another(a bigint)", "mail")  # of which todoku is not the owner
        self.server.sql("ALTER SCHEMA public OWNER TO keeper; GRANT ALL ON SCHEMA public TO todoku", "mail")
        self.restore(TargetError, "psql", "must be owner of table another")
        self.assertTrue(self.target.runs)
        self.is_as_it_was()

    def test_where_the_tasks_do_not_begin_again_a_hand_is_needed(self):
        self.target.broken = {"begin"}
        self.restore(NeedsAHand, "api-2 is not ready", "`roll --version 2` goes on")

    def test_where_the_steps_cannot_be_taken_a_hand_is_needed(self):
        self.target.broken = {"migrate up"}
        self.restore(NeedsAHand, "no task runs", "no rights")
        self.assertFalse(self.target.runs)

    def test_a_spoilt_store_does_not_keep_from_it(self):
        self.target.broken = {"migrate status"}
        self.sql("DROP TABLE todoku_schema")
        self.restore()
        self.assertEqual(self.target.did, ["migrate status", "end", "migrate up", "begin"])
        self.assertEqual(self.sql("SELECT count(*) FROM todoku_schema"), "17")

    def test_what_is_no_copy_of_a_store(self):
        self.sql("DROP TABLE todoku_schema")
        self.copy = self.folder / "other"
        self.target.backup(self.copy, self.said.append)
        self.restore(TargetError, "is no copy of a store")
        self.assertTrue(self.target.runs)


if __name__ == "__main__":
    unittest.main()
