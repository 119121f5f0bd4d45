# SPDX-License-Identifier: Apache-2.0
"""The runbooks, followed to the letter: every command of todoku in docs/runbooks.md is given to a working
engine, in order, with names put in for the capitals, and does what its section means.

usage: runbooks_followed_test.py TODOKU
"""
import datetime
import json
import os
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "webhooks"),
                str(HERE.parents[1] / "documents")]

from receiver import Receiver  # noqa: E402
from runbooks_test import commands, sections  # noqa: E402
from stack import Stack  # noqa: E402

BINARY = None
SLOW = [f"r{number}@slow.example" for number in range(200)]
REACHED = "taro@receiver.example"
FOLLOWED = {}  # {section: what its commands said}


class Follower:
    """Puts in what the runbooks leave open, and makes what a command is about."""

    def __init__(self, stack, receiver):
        self.stack, self.receiver = stack, receiver
        self.values = {}

    def bulk(self, **commit):
        """A bulk delivery that takes minutes, or is reserved."""
        csv = "email\n" + "\n".join(SLOW) + "\n"
        path = self.stack.directory / "list.csv"
        path.write_text(csv)
        said = self.stack.command("--json", "bulk", "send", "--from", "news@sender.example", "--subject", "News",
                                  "--text", "News", "--csv", str(path), "--detach", "--at",
                                  commit.get("at", "now"))
        return re.search(r'"delivery_id":\s*(\d+)', said)[1]

    def leaked_keys(self):
        told = json.loads(self.stack.command("--json", "key", "list", "tester"))
        return [each for each in told["keys"] if each["label"] == "leaked"]

    def begin(self, anchor):
        stack = self.stack
        self.values = {"ACCOUNT": "tester", "NAME": f"scanner-{anchor}", "ADDRESS": REACHED, "SOURCE": "default",
                       "/etc/todoku/todoku.toml": str(stack.directory / "todoku.toml")}
        stack.command("smtp-credential", "add", "tester", self.values["NAME"])
        wanted = commands(sections("runbooks.md")[anchor])
        if any("1234" in words for words in wanted):
            self.values["1234"] = self.bulk()
        if any("1235" in words for words in wanted):
            self.values["1235"] = self.bulk(at=(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat(
                timespec="seconds"))
        if any(words[1:3] == ["key", "revoke"] for words in wanted):
            stack.command("key", "add", "tester", "--label", "leaked")
            self.values["12"] = str(self.leaked_keys()[0]["id"])
        if any(words[1:3] == ["reports", "show"] for words in wanted):
            stack.command("domain", "add", "tester", "example.jp", "--proven")
        if any("wh_1" in words for words in wanted):
            said = stack.command("--json", "webhook", "add", self.receiver.hook("orders").url)
            self.values["wh_1"] = re.search(r"wh_\w+", said)[0]

    def before(self, anchor, words):
        # The last two there are one or the other.
        if anchor == "smtp-credential-held" and words[2] in ("release", "drop"):
            self.stack.command("smtp-credential", "hold", "tester", self.values["NAME"])

    def follow(self, anchor, words):
        self.before(anchor, words)
        given = [self.values.get(word, word) for word in words[1:]]
        statuses = NOT_HERE.get(" ".join(words[1:3]), (0,))
        return self.stack.command(*given, statuses=statuses, with_errors=True)

    def end(self, anchor):
        if anchor == "smtp-credential-held":  # what was dropped was not the owner's: see key-leaked
            self.stack.command("smtp-credential", "release", "tester", self.values["NAME"])
        if "1234" in self.values:
            self.stack.command("account", "resume", "tester")
            self.stack.command("account", "weight", "tester", "100")
            self.stack.command("bulk", "stop", self.values["1234"], statuses=(0, 1))


# What there is nothing of here: a mail that is set aside, an address that receivers see, a zone, a
# mailbox for probes.
NOT_HERE = {"stuck release": (0, 1), "doctor --source": (0, 1, 2), "domain check": (0, 1, 2),
            "domain history": (0, 1, 2),
            "probe run": (1,)}


class RunbooksFollowedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(BINARY, {"receiver.example": [], "slow.example": []},
                          config=["[outbound]", 'allow = ["127.0.0.1:*"]'],
                          site_defaults=["messages_per_second = 1"])
        cls.stack.__enter__()
        cls.addClassCleanup(cls.stack.close)
        key = cls.stack.command("key", "add", "tester", "--scopes", "send,read,content,suppress,admin")
        fields = dict(re.findall(r"^(API key|bearer token)\s+(\S+)$", key, re.MULTILINE))
        cls.stack.api.token = fields["bearer token"]
        os.environ |= {"TODOKU_ACCOUNT": "tester", "TODOKU_API_KEY": fields["API key"], "TODOKU_LANG": "en"}
        cls.stack.api.call("POST", "/deliveries/transaction", {
            "from": {"email": "shop@sender.example"}, "to": REACHED, "subject": "a", "text_part": "a"})
        cls.stack.wait_for(cls.stack.arrivals, "a mail")
        follower = cls.follower = Follower(cls.stack, cls.enterClassContext(Receiver()))
        for anchor, text in sections("runbooks.md").items():
            follower.begin(anchor)
            FOLLOWED[anchor] = "\n".join(follower.follow(anchor, words) for words in commands(text)
                                         if words[0] == "todoku")
            follower.end(anchor)

    def test_every_section_was_followed(self):
        self.assertEqual(list(FOLLOWED), list(sections("runbooks.md")))

    def test_the_engine_is_ready(self):
        self.assertIn("ready", FOLLOWED["engine-down"])

    def test_a_leaked_key_and_password_open_nothing(self):
        told = self.stack.command("key", "list", "tester")
        self.assertRegex(told, r"(?m)^\d+ +leaked .* revoked")

    def test_wrong_mail_has_stopped(self):
        said = FOLLOWED["wrong-mail-went-out"]
        number = re.search(r"Delivery (\d+): stop", said)[1]
        self.assertRegex(self.stack.command("bulk", "show", number), r"(?m)^pending +0$")
        self.assertNotIn("News", self.stack.command("bulk", "list", "--status", "RESERVE"))
        slow = [who for who, _ in self.stack.arrivals() if who in SLOW]
        self.assertLess(len(slow), len(SLOW))

    def test_nobody_is_held(self):
        told = self.stack.command("smtp-credential", "list", "--account", "tester")
        self.assertNotIn("held", told.replace("smtp-credential-held", ""))


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(warnings="ignore")
