# SPDX-License-Identifier: Apache-2.0
"""Mail of a sandbox never leaves the machine and ends as its addresses ask; an account with allowed
recipients sends to nobody else; `serve --dev` takes no folder but its own (docs/sandbox.md).

usage: sandbox_test.py TODOKU
"""
import json
import pathlib
import smtplib
import socket
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parents[2] / "tools/demo"), str(HERE.parent / "support"),
             str(HERE.parent / "webhooks")]

from home import BINARY, HomeTest  # noqa: E402, F401
from ports import free_port  # noqa: E402
from receiver import Receiver  # noqa: E402

AT = "sandbox.invalid"
REAL = "trap.example"  # a domain that nobody has; of which nobody may ask for a trial


class Names:
    """A name server that notes what it is asked and knows nothing (SERVFAIL)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = set()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                packet, who = self.socket.recvfrom(4096)
            except OSError:
                return
            labels, place = [], 12
            while place < len(packet) and packet[place]:
                labels.append(packet[place + 1:place + 1 + packet[place]].decode("latin-1").lower())
                place += 1 + packet[place]
            self.asked.add(".".join(labels))
            self.socket.sendto(packet[:2] + b"\x81\x82" + packet[4:6] + bytes(6) + packet[12:place + 5],
                               who)

    def asked_of(self, domain):
        return any(name == domain or name.endswith("." + domain) for name in set(self.asked))


class SandboxTest(HomeTest):
    def setUp(self):
        super().setUp()
        self.names = Names()
        self.addCleanup(self.names.socket.close)
        self.api_port, self.smtp_port = free_port(), free_port()
        self.config.write_text(f"""[api]
listen = "127.0.0.1:{self.api_port}"
rate_limit_per_minute = 0
[engine]
drain_seconds = 5
[dns]
servers = ["127.0.0.1:{self.names.port}"]
[smtp_out]
hello_name = "mail.example.jp"
[smtp_in]
enabled = true
[[smtp_in.listener]]
address = "127.0.0.1:{self.smtp_port}"
auth_in_clear = true
[outbound]
allow = ["127.0.0.0/8:*"]
[doctor]
enabled = false
domain_checks = false
""")

    def api_answers(self):
        with socket.socket() as knocking:
            return knocking.connect_ex(("127.0.0.1", self.api_port)) == 0

    def said(self, name, text):
        """What stands behind a name of a tool's answer."""
        return next(line for line in text.splitlines() if line.startswith(name))[len(name):].strip()

    def call(self, token, method, path, body=None):
        """(status, JSON)"""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}/api/v1{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                     "Accept-Language": "en"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"{}")

    def ok(self, *words):
        status, answer = self.call(*words)
        self.assertIn(status, (200, 201), answer)
        return answer

    def send(self, token, to, **more):
        return self.ok(token, "POST", "/deliveries/transaction",
                       {"from": {"email": "news@anybody.example.com"}, "to": to,
                        "subject": "trial", "text_part": "x", **more})["delivery_id"]

    def events(self, token):
        return self.ok(token, "GET", "/events?count=1000")["data"]

    def ends(self, token):
        """{address: kinds of what became of it, in order}"""
        kinds = {}
        for event in self.events(token):
            if event.get("email") and event["kind"] != "accepted":
                kinds.setdefault(event["email"], []).append(event["kind"])
        return kinds

    def wait_for_ends(self, token, wanted):
        self.wait_for(lambda: wanted.items() <= self.ends(token).items(),
                      f"{wanted}", seconds=60)

    def submit(self, user, password, to):
        """{address: (code, words)} of those that were refused."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=600) as client:
            client.login(user, password)
            try:
                return client.sendmail("news@example.jp", to,
                                       "From: news@example.jp\r\nSubject: by SMTP\r\n\r\nx\r\n")
            except smtplib.SMTPRecipientsRefused as refused:
                return refused.recipients

    def test_a_sandbox(self):
        real = self.said("bearer token", self.tool("account", "add", "shop"))
        key = self.tool("key", "add", "shop", "--sandbox", "--scopes",
                        "send,read,content,suppress,admin")
        self.assertEqual("shop.sandbox", self.said("login id", key))
        trial = self.said("bearer token", key)
        password = self.said("password", self.tool("smtp-credential", "add", "shop", "trials",
                                                   "--sandbox"))
        self.start()
        self.wait_for(self.api_answers, "the API")
        with Receiver() as receiver:
            hook = receiver.hook("trials")
            self.ok(trial, "POST", "/webhooks", {"url": hook.url})
            mailboxes = ("delivered", "rejected", "soft", "returned", "complained", "unsubscribed",
                         "opened", "nobody")
            self.send(trial, f"bounced+1@{AT}", cc=[f"{name}@{AT}" for name in mailboxes])
            self.send(trial, f"ken@{REAL}")
            self.send(trial, f"deferred@{AT}")
            bulk = self.ok(trial, "POST", "/deliveries/bulk/begin",
                           {"from": {"email": "news@anybody.example.com"}, "subject": "bulk",
                            "text_part": "x"})["delivery_id"]
            self.ok(trial, "PUT", f"/deliveries/bulk/update/{bulk}",
                    {"to": [{"email": f"bounced+bulk@{AT}"}, {"email": f"bulk@{REAL}"}]})
            self.ok(trial, "PATCH", f"/deliveries/bulk/commit/{bulk}/immediate", {})
            self.assertEqual({}, self.submit("trials", password,
                                             [f"smtp@{REAL}", f"bounced+smtp@{AT}"]))
            wanted = {f"bounced+1@{AT}": ["hard_error"], f"rejected@{AT}": ["hard_error"],
                      f"delivered@{AT}": ["sent"], f"soft@{AT}": ["soft_error"],
                      f"returned@{AT}": ["sent", "hard_error"],
                      f"complained@{AT}": ["sent", "complained"],
                      f"unsubscribed@{AT}": ["sent", "unsubscribed"],
                      f"opened@{AT}": ["sent", "opened"], f"nobody@{AT}": ["hard_error"],
                      f"ken@{REAL}": ["sent"], f"deferred@{AT}": ["deferred"],
                      f"bounced+bulk@{AT}": ["hard_error"], f"bulk@{REAL}": ["sent"],
                      f"smtp@{REAL}": ["sent"], f"bounced+smtp@{AT}": ["hard_error"]}
            self.wait_for_ends(trial, wanted)
            # All of it again: no bounce has put anybody on a list.
            self.send(trial, f"bounced+1@{AT}")
            self.wait_for_ends(trial, {f"bounced+1@{AT}": ["hard_error", "hard_error"]})
            for event in self.events(trial):
                if event["delivery_id"]:
                    self.assertTrue(event["sandbox"], event)
            self.wait_for(lambda: "recipient.complained" in hook.types(), "the webhook", 60)
            for _, event in hook.events:
                self.assertTrue(event["data"].get("sandbox"), event)
        self.assertEqual([], self.events(real), "apart from the account itself")
        for domain in (AT, REAL, "anybody.example.com", "example.jp"):
            self.assertFalse(self.names.asked_of(domain), self.names.asked)
        # What the trap is good for: the same mail of the account itself.
        self.send(real, f"ken@{REAL}")
        self.wait_for(lambda: self.names.asked_of(REAL), "the question that real mail asks")
        self.assertFalse(any(event.get("sandbox") for event in self.events(real)))

    def test_allowed_recipients(self):
        token = self.said("bearer token", self.tool("account", "add", "staging"))
        password = self.said("password", self.tool("smtp-credential", "add", "staging", "app"))
        said = self.tool("account", "allow", "staging", "Ken@example.org", "*.test.example.net")
        self.assertIn("ken@example.org\n*.test.example.net", said)
        self.assertEqual(said, self.tool("account", "allow", "staging"))
        wrong = self.tool("account", "allow", "staging", "no entry@", status=1)
        self.assertIn("entry@", wrong)
        self.assertIn("--sandbox", self.tool("account", "add", "staging.sandbox", status=1))
        self.start()
        self.wait_for(self.api_answers, "the API")
        mail = {"from": {"email": "a@example.jp"}, "subject": "x", "text_part": "x"}
        status, answer = self.call(token, "POST", "/deliveries/transaction",
                                   {**mail, "to": "ken@example.org", "bcc": ["jo@example.org"]})
        self.assertEqual(400, status)
        self.assertIn("jo@example.org", str(answer))
        self.assertIn("allowed recipients", str(answer))
        self.send(token, "ken@example.org")
        bulk = self.ok(token, "POST", "/deliveries/bulk/begin", mail)["delivery_id"]
        rows = {"to": [{"email": "a@x.test.example.net"}, {"email": "b@example.net"}]}
        status, answer = self.call(token, "PUT", f"/deliveries/bulk/update/{bulk}", rows)
        self.assertEqual((400, True), (status, "b@example.net" in str(answer)), answer)
        self.assertEqual(400, self.call(token, "POST", f"/deliveries/{bulk}/emails",
                                        {"email": "b@example.net"})[0])
        self.ok(token, "POST", f"/deliveries/{bulk}/emails", {"email": "a@x.test.example.net"})
        refused = self.submit("app", password, ["ken@example.org", "jo@example.org"])
        self.assertEqual([550], [code for code, _ in refused.values()])
        self.assertEqual(["jo@example.org"], list(refused))
        self.tool("account", "allow", "staging", "--everybody")
        self.wait_for(lambda: self.call(token, "PUT", f"/deliveries/bulk/update/{bulk}",
                                        rows)[0] == 200, "the end of the bounds")

    def test_a_place_to_try_in_is_its_own(self):
        def refused(*words):
            return self.tool_alone("serve", "--dev", "--dev-folder", str(self.home / "trial"), *words)

        (self.home / "trial").mkdir()
        self.assertIn("was not made by", refused())
        self.assertEqual([], list((self.home / "trial").iterdir()))
        (self.home / "trial").rmdir()
        self.assertIn("no --config", refused("--config", str(self.config)))
        self.assertFalse((self.home / "trial").exists())

    def tool_alone(self, *words):
        """What a command says that fails, without our configuration."""
        done = subprocess.run([BINARY, *words], cwd=self.home, capture_output=True, text=True,
                              timeout=600, check=False)
        self.assertEqual(1, done.returncode, done.stdout)
        return done.stderr


if __name__ == "__main__":
    unittest.main()
