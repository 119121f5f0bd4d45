#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is kept of an address is told and erased through the command line: afterwards no octet of it is in
the database's files, and an opt-out still holds."""
import http.client
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from home import BINARY, HomeTest  # noqa: E402

TARO = "taro-no-yamada@example.jp"
OCTETS = (b"taro-no-yamada", b"Taro no Yamada")


class PersonalData(HomeTest):
    def setUp(self):
        super().setUp()
        with open(self.config, "a") as config:
            config.write(f'[journal]\ndirectory = "{self.home / "journal"}"\n')
        self.start()
        key = json.loads(self.tool("--json", "account", "add", "shop"))["key"]
        self.token = key["bearer_token"]

    def api(self, method, path, body=None, status=200):
        client = http.client.HTTPConnection("127.0.0.1", self.api_port(), timeout=60)
        client.request(method, "/api/v1" + path, body and json.dumps(body),
                       {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        answer = client.getresponse()
        text = answer.read()
        client.close()
        self.assertEqual(answer.status, status, text)
        return json.loads(text)

    def send(self, to, subject="Taro no Yamada, your order"):
        return self.api("POST", "/deliveries/transaction",
                        {"from": {"email": "shop@example.jp"}, "to": to, "subject": subject,
                         "text_part": "Dear Taro no Yamada", "encode": "UTF-8"}, 201)

    def ask(self, *words):
        """Whatever becomes of it."""
        subprocess.run([BINARY, "--config", str(self.config), *words], capture_output=True,
                       timeout=600)

    def found(self):
        """Where an octet of it is."""
        places = []
        for folder in (self.data, self.home / "journal"):
            for file in sorted(folder.rglob("*")):
                if file.is_file() and any(octets.lower() in file.read_bytes().lower()
                                          for octets in OCTETS):
                    places.append(file.name)
        return places

    def exported(self):
        return json.loads(self.tool("personal-data", "export", TARO))

    def test_told_and_erased(self):
        self.send(TARO)
        told = self.exported()
        self.assertEqual([mail["address"] for mail in told["mails"]], [TARO])
        self.assertEqual(told["suppressions"], [])

        # Nobody answers: it is on its way, and says so.
        left = self.tool("personal-data", "delete", TARO, "--yes", status=1)
        self.assertIn("1 mails to it were not erased: they are on their way", left)
        self.assertIn("--yes", self.tool("personal-data", "delete", TARO, status=2))

        def erased():
            self.ask("personal-data", "delete", TARO, "--stop", "--yes")
            return self.exported()["mails"] == []
        self.wait_for(erased, "nobody having it in hand")
        self.assertEqual(self.exported()["mails"], [])

        # An opt-out goes on, and is found by nothing but its address.
        self.tool("suppression", "add", "--account", "shop", TARO, "--reason", "unsubscribe",
                  "--note", "Taro no Yamada by telephone")
        self.stop()
        self.assertIn("go on stopping mail, kept as a hash: 1",
                      self.tool("personal-data", "delete", TARO, "--yes"))
        listed = self.tool("suppression", "list", "--account", "shop")
        self.assertIn("erased:", listed)
        self.assertNotIn("taro-no-yamada", listed)
        look = self.tool("suppression", "look", "--account", "shop", TARO)
        self.assertIn("unsubscribe", look)
        self.assertNotIn("Yamada", look)
        # What the journal was told of the opt-out stays there for its time.
        self.assertEqual([name for name in self.found() if not name.endswith(".tdj")], [])

        self.start()
        self.api("POST", "/deliveries/transaction",
                 {"from": {"email": "shop@example.jp"}, "to": TARO, "subject": "news",
                  "text_part": "buy", "purpose": "advertisement"}, 201)
        state = self.exported()["mails"][0]["state"]
        self.assertEqual(state, "dropped", "the opt-out holds")

        audit = json.loads(self.tool("--json", "audit", "list", "--address", TARO))["audit"]
        self.assertIn("personal_data.delete", {line["action"] for line in audit})
        self.assertTrue(all(line["actor"].startswith("operator, uid ") for line in audit))
        self.assertEqual(json.loads(self.tool("--json", "audit", "list", "--address",
                                              "jiro@example.jp"))["audit"], [])

    def test_who_looks_at_texts_is_on_record_once_in_a_while(self):
        sent = self.send("jiro@example.jp")
        for _ in range(3):
            seen = self.api("GET", f"/deliveries/{sent['delivery_id']}")
            self.assertIn("Yamada", seen["text_part"])
        audit = json.loads(self.tool("--json", "audit", "list"))["audit"]
        self.assertEqual([(line["action"], line["account"], line["delivery_id"], line["origin"])
                          for line in audit],
                         [("content", "shop", sent["delivery_id"], "127.0.0.1")])
        # For people in the reader's zone, and the instant itself.
        instant = audit[0]["at"]
        self.assertIn(f" JST  {instant}  ", self.tool("audit", "list"))
        self.assertIn(f" UTC  {instant}  ", self.tool("audit", "list", "--utc"))

    def test_an_account_has_times_of_its_own(self):
        self.assertIn("as retention.content_days says", self.tool("account", "retention", "shop"))
        told = self.tool("account", "retention", "shop", "--content-days", "30")
        self.assertIn("30 days", told)
        self.assertIn("as retention.story_days says", told)


if __name__ == "__main__":
    unittest.main()
