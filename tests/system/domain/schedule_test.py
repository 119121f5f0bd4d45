#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A proven domain is checked by itself: what breaks later is told once, what nobody can answer for
changes nothing, and what is whole again is told, too."""
import json
import sqlite3
import subprocess
import unittest
import urllib.request

from knot_zone import DomainCase, free_port, home, write_zone

CONFIG = """
[engine]
drain_seconds = 5
[api]
listen = "127.0.0.1:{api}"
[dns]
servers = ["127.0.0.1:{dns}"]
check_names = ["."]
timeout_seconds = 2
[doctor]
domain_server_port = {dns}
[smtp_out]
hello_name = "mail.example.jp"
return_path_domain = "bounce.example.jp"
[[egress]]
name = "one"
bind_ipv4 = "127.0.0.1"
public_address = "192.0.2.1"
"""


class Schedule(DomainCase):
    def setUp(self):
        super().setUp()
        self.api = free_port()
        self.config.write_text(CONFIG.format(api=self.api, dns=self.port))
        self.asked = ["--resolver", f"127.0.0.1:{self.port}", "--port", str(self.port),
                      "--reports", "dmarc@example.com"]

    def history(self):
        done = subprocess.run([home.BINARY, "--config", str(self.config), "--json", "domain",
                               "history", "example.jp"], text=True, capture_output=True, timeout=600)
        return done.returncode, json.loads(done.stdout)

    def check_by_itself(self):
        """One more check, as if its time had come; what is known then."""
        if self.engine is not None:
            self.stop()
            with sqlite3.connect(self.data / "todoku.db") as store:
                changed = store.execute("UPDATE domains SET check_at = 1").rowcount
            self.assertEqual(changed, 1)
        self.start()
        self.wait_for(self.is_checked, "the check")
        return self.history()

    def is_checked(self):
        """The next one is due hours from now. Times are told in seconds, and two checks may be in one."""
        answer = self.history()[1]
        return answer.get("checked") is not None and answer["next"] > "2000"

    def told(self, what):
        return [line for line in self.log().splitlines() if what in line]

    def test_what_breaks_later_is_told_and_what_is_whole_again(self):
        self.serve("")
        self.tool("domain", "add", "shop", "example.jp", "--proven")
        green = self.setup_green()
        self.assertEqual(self.history()[0], 2, "never checked")
        status, answer = self.check_by_itself()
        self.assertEqual((status, answer["outcome"], answer["faults"], answer["changes"]),
                         (0, "pass", [], []))

        broken = {at: values for at, values in green.items() if "_dmarc" not in at[0]}
        self.serve(write_zone(broken))
        status, answer = self.check_by_itself()
        self.assertEqual((status, answer["outcome"]), (1, "fail"))
        self.assertEqual([(change["change"], change["code"]) for change in answer["changes"]],
                         [("broken", "dmarc_missing")])
        self.assertNotEqual(answer["faults"][0]["sentence"], answer["faults"][0]["sentence_ja"])
        since = answer["faults"][0]["since"]
        self.assertEqual(len(self.told("a domain fails a check")), 1)
        key = json.loads(self.tool("--json", "key", "add", "shop", "--scopes", "admin"))
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.api}/api/v1/domains/example.jp/history",
            headers={"Authorization": "Bearer " + key["bearer_token"]})
        with urllib.request.urlopen(asked, timeout=20) as response:
            self.assertEqual(json.load(response), answer)
        # The record that broke is missing, all others are there.
        asked.full_url = asked.full_url.replace("/history", "/records")
        with urllib.request.urlopen(asked, timeout=20) as response:
            told = json.load(response)
        states = {each["name"]: each["state"] for each in told["records"] if not each["optional"]}
        self.assertEqual([name for name, state in states.items() if state != "published"],
                         ["_dmarc.example.jp"])
        self.assertEqual((states["_dmarc.example.jp"], told["has_keys"]), ("missing", True))
        self.assertEqual(told["checked"], answer["checked"])

        # Nobody answers: the record may be anything.
        for server in self.servers:
            server.stop()
        self.stop()
        with sqlite3.connect(self.data / "todoku.db") as store:
            store.execute("UPDATE domains SET check_at = 1")
        self.start()
        self.wait_for(self.is_checked, "the try")
        unchanged = self.history()[1]
        self.assertEqual((unchanged["faults"], unchanged["changes"]),
                         (answer["faults"], answer["changes"]))
        self.assertEqual(len(self.told("a domain passes a check again")), 0)

        self.serve(write_zone(green))
        status, answer = self.check_by_itself()
        self.assertEqual((status, answer["faults"]), (0, []))
        self.assertEqual([(change["change"], change["code"]) for change in answer["changes"]],
                         [("whole", "dmarc_missing"), ("broken", "dmarc_missing")])
        self.assertEqual(answer["changes"][1]["at"], since)
        self.assertEqual(len(self.told("a domain passes a check again")), 1)
        self.assertEqual(len(self.told("a domain fails a check")), 1)


if __name__ == "__main__":
    unittest.main()
