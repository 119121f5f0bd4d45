#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand accounts: lists are complete, whoever answers, and a start does not mind."""
import json
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from home import HomeTest  # noqa: E402

ACCOUNTS = 100_000


class ManyAccounts(HomeTest):
    def add_accounts(self):
        self.tool("account", "add", "first")
        with sqlite3.connect(self.data / "todoku.db") as store:
            store.executemany(
                "INSERT INTO accounts(name, weight, suspended, created, next_delivery_id,"
                " next_email_id, next_job_id) VALUES(?, 1, 0, 0, 1, 1, 1)",
                ((f"account{i}",) for i in range(ACCOUNTS)))
            store.execute("INSERT INTO api_keys(account, label, token, created)"
                          " SELECT key, 'made', 'token' || key, 0 FROM accounts WHERE key > 1")
            store.execute("INSERT INTO dkim_keys(account, domain, selector, algorithm, sealed,"
                          " dns_record, created) SELECT key, name || '.example', 's1',"
                          " 'ed25519-sha256', x'00', 'v=DKIM1', 0 FROM accounts"
                          " WHERE key BETWEEN 2 AND 5001")
        store.close()

    def check_lists(self):
        lines = self.tool("account", "list").splitlines()
        self.assertEqual(len(lines), ACCOUNTS + 2)  # with the heading and the first
        self.assertRegex(lines[-1], rf"^account{ACCOUNTS - 1} +active +1 +1 ")
        listed = json.loads(self.tool("--json", "account", "list"))
        self.assertEqual(len(listed["accounts"]), ACCOUNTS + 1)
        self.assertEqual(len({each["name"] for each in listed["accounts"]}), ACCOUNTS + 1)

    def test_lists_all_of_them(self):
        self.add_accounts()
        self.check_lists()
        self.assertEqual(len(self.tool("dkim", "list").splitlines()), 5_001)
        self.assertEqual(len(self.tool("dkim", "list", "--account", "account7").splitlines()), 2)
        with sqlite3.connect(self.data / "todoku.db") as store:
            store.execute("DELETE FROM dkim_keys")  # nobody can sign with those
        store.close()
        self.start()
        self.check_lists()


if __name__ == "__main__":
    unittest.main()
