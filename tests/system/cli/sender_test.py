#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of senders (docs/cli.md): the real binary speaks to a running engine as any client of
the REST API does, by words, profiles, signals and exit statuses."""
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402

BINARY = str(pathlib.Path(sys.argv.pop()).resolve()) if len(sys.argv) > 1 else ""
RECEIVERS = {"good.example": [], "slow.example": [],
             "gone.example": ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "550 5.1.1 nobody"']}
FROM = ("--from", "News <news@sender.example>", "--subject", "ご案内")
MAIL = (*FROM, "--text", "こんにちは。")


class Senders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(BINARY, RECEIVERS, ["[sites.slow]", 'domains = ["slow.example"]',
                                              "messages_per_second = 4"])
        cls.enterClassContext(cls.stack)
        cls.home = cls.stack.directory / "sender"
        cls.home.mkdir()
        cls.environment = {key: value for key, value in os.environ.items()
                           if not key.startswith(("TODOKU_", "LC_"))}
        cls.environment |= {"LANG": "C.UTF-8", "HOME": str(cls.home), "XDG_CONFIG_HOME": ""}
        key = cls.file("key", cls.stack.api_key + "\n")
        cls.url = f"http://127.0.0.1:{cls.stack.api_port}"
        cls.call("profile", "set", "--url", cls.url, "--account", "tester", "--key-file", key)

    @classmethod
    def file(cls, name, text):
        path = cls.home / name
        path.write_text(text)
        return str(path)

    @classmethod
    def begin(cls, *words, **more):
        return subprocess.Popen([BINARY, *words], text=True, stdout=subprocess.PIPE, cwd=cls.home,
                                stderr=subprocess.PIPE, env=cls.environment | more)

    @classmethod
    def call(cls, *words, status=0, **more):
        """What it said: on standard output if it succeeds, else on standard error."""
        process = cls.begin(*words, **more)
        out, err = process.communicate(timeout=600)
        if process.returncode != status:
            raise AssertionError(f"{words}: {process.returncode}, not {status}: {out}{err}")
        return out if status == 0 else err

    def read(self, *words, **more):
        return json.loads(self.call(*words, "--json", **more))

    def addresses(self, domain, count, name):
        return self.file(name, "email,__name__\n" +
                         "".join(f"r{i}@{domain},n{i}\n" for i in range(count)))

    # ---- the tests -------------------------------------------------------------------------

    def test_a_mail_arrives_and_is_told_of(self):
        attachment = self.file("plan.txt", "content")
        words = ("send", *MAIL, "--to", "one@good.example", "--tag", "first", "--attach", attachment,
                 "--header", "X-Order: 7", "--idempotency-key", "order-7")
        delivery = self.read(*words)["delivery_id"]
        self.assertEqual(self.read(*words)["delivery_id"], delivery, "once")
        self.stack.wait_for(lambda: self.stack.status_of(delivery) == "SENT", "the mail")
        told = self.call("delivery", str(delivery))
        for words in ("status            SENT", "sent_count        1", "plan.txt, text/plain, 7"):
            self.assertIn(words, told)
        row = self.read("logs", "--delivery", str(delivery))["data"][0]
        self.assertEqual((row["email"], row["status"]), ("one@good.example", "SENT"))
        self.assertIn("250", self.call("log", str(row["maillog_id"])))
        self.assertIn("one@good.example", self.call("events", "--tag", "first"))
        self.assertRegex(self.call("deliveries", "--type", "TRANSACTION"), rf"{delivery} +TRANSACTION")
        self.assertGreater(self.read("usage")["months"][0]["current"], 0)

    def test_several_get_a_mail_each(self):
        process = self.begin("send", *MAIL, "--to", "a@good.example", "--to", "wrong", "--to",
                             "b@good.example")
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(out.count("accepted as delivery"), 2)
        self.assertIn("wrong: to: ", err)

    def test_a_bulk_is_seen_to_its_end(self):
        self.file("list.csv", "email,__name__\n" +
                  "".join(f"r{i}@{'gone' if i % 10 == 0 else 'good'}.example,n{i}\n"
                          for i in range(100)))
        process = self.begin("bulk", "send", *MAIL, "--csv", "list.csv", "--at", "now", "--json")
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 0, err)
        told = json.loads(out)
        self.assertEqual((told["state"], told["delivered"], told["bounced"]), ("sent", 90, 10))
        self.assertIn("import  100%", err)
        self.assertNotIn("\r", err, "no bar where nobody watches")
        self.assertRegex(self.call("bulk", "list"), rf"{told['delivery_id']} +BULK +SENT")

    def test_a_reservation_is_taken_back(self):
        csv = self.addresses("good.example", 2, "two.csv")
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        delivery = str(self.read("bulk", "send", *MAIL, "--csv", csv, "--at", at)["delivery_id"])
        self.assertEqual(self.read("bulk", "show", delivery)["state"], "reserve")
        self.assertIn("RESERVE", self.call("bulk", "pause", delivery, status=1))
        self.call("bulk", "cancel", delivery)
        self.call("bulk", "delete", delivery)
        self.call("bulk", "show", delivery, status=5)

    def test_a_wrong_list_sends_nothing(self):
        self.file("wrong.csv", "email\na@good.example\nnobody\n")
        told = self.call("bulk", "send", *MAIL, "--csv", "wrong.csv", "--at", "now", status=1)
        self.assertIn("errorinfo/download", told)
        self.assertIn("Nothing was sent.", told)

    def test_who_leaves_a_bulk_can_go_on(self):
        csv = self.addresses("slow.example", 40, "slow.csv")
        process = self.begin("bulk", "send", *MAIL, "--csv", csv, "--at", "now")
        delivery = process.stdout.readline().split()[1]
        self.stack.wait_for(lambda: self.read("bulk", "show", delivery)["state"] == "sending",
                            "its begin")
        time.sleep(1.2)  # a look or two
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 130)
        self.assertIn(f"todoku bulk show {delivery} --follow", err)
        self.call("bulk", "pause", delivery)
        self.assertEqual(self.read("bulk", "show", delivery)["state"], "paused")
        self.call("bulk", "resume", delivery)
        self.call("bulk", "stop", delivery)
        self.assertEqual(self.read("bulk", "show", delivery, "--follow")["state"], "stopped")

    def test_a_delivery_is_watched_over_a_restart(self):
        csv = self.addresses("good.example", 4, "watched.csv")
        delivery = str(self.read("bulk", "send", *MAIL, "--csv", csv, "--at", "now", "--pace", "1/hour",
                                 "--detach")["delivery_id"])
        watcher = self.begin("deliveries", "watch", delivery, "--json")
        told = json.loads(watcher.stdout.readline())
        self.assertEqual((told["delivery_id"], told["total"]), (int(delivery), 4))
        self.stack.kill_engine()
        self.stack.start_engine()
        self.call("bulk", "pace", delivery, "none")
        lines, err = watcher.communicate(timeout=600)
        self.assertEqual(watcher.returncode, 0, err)
        last = json.loads(lines.splitlines()[-1])
        self.assertEqual((last["state"], last["delivered"] + last["unknown"]), ("sent", 4))
        # Of what is over the end is told at once.
        self.assertIn("sent", self.call("deliveries", "watch", delivery))

    def test_events_are_followed_and_resumed(self):
        cursor = str(self.home / "cursor")
        self.call("send", *MAIL, "--to", "before@good.example")
        self.assertIn("before@good.example", self.call("events", "--cursor-file", cursor))
        follower = self.begin("events", "--follow", "--json", "--cursor-file", cursor,
                              "--email", "after@good.example")
        self.call("send", *MAIL, "--to", "after@good.example")
        event = json.loads(follower.stdout.readline())
        self.assertEqual((event["kind"], event["email"]), ("accepted", "after@good.example"))
        first = event["event_id"]
        seen = [first]
        # The engine goes and comes again: the follower goes on after what it has seen.
        self.stack.kill_engine()
        self.stack.start_engine()
        self.call("send", *MAIL, "--to", "after@good.example")
        while event["kind"] != "accepted" or event["event_id"] == first:
            event = json.loads(follower.stdout.readline())
            seen.append(event["event_id"])
        self.assertEqual(sorted(set(seen)), seen, "each once, in order")
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=600)
        self.assertEqual(follower.returncode, 0)
        self.assertNotIn("before@good.example", self.call("events", "--cursor-file", cursor))

    def test_the_suppression_list_is_the_same_command(self):
        remote = ("--url", self.url)
        self.call("suppression", "add", "stop@good.example", "--note", "asked", *remote)
        for more in (remote, ("--account", "tester", "--config",
                              str(self.stack.directory / "todoku.toml"))):
            self.assertRegex(self.call("suppression", "list", *more), "stop@good.example +manual +all")
        self.assertIn("asked", self.call("suppression", "look", "stop@good.example", *remote))
        self.file("stops.csv", "email,reason\nx@good.example,manual\nnobody,manual\n")
        self.assertIn("row 3", self.call("suppression", "import", "stops.csv", *remote, status=1))
        exported = self.call("suppression", "export", *remote)
        self.assertRegex(exported, r'(?m)^"x@good.example","manual","all",.*""$')
        self.assertEqual(self.stack.command("suppression", "export", "--account", "tester"), exported)
        self.assertIn("removed: 1", self.call("suppression", "remove", "stop@good.example", *remote))
        self.assertIn("without --url", self.call("explain", "a@good.example", *remote, status=2))

    def test_domains_and_webhooks_need_an_administrators_key(self):
        remote = ("--url", self.url)
        self.assertIn("admin", self.call("domain", "list", *remote, status=6))
        key = json.loads(self.stack.command("--json", "key", "add", "tester", "--scopes",
                                            "read,send,admin"))["api_key"]
        own = {"TODOKU_API_KEY": key}
        self.assertIn("sender.example", self.call("domain", "list", *remote, **own))
        self.assertIn("_todoku-challenge.new.example",
                      self.call("domain", "add", "tester", "new.example", *remote, **own))
        self.call("domain", "verify", "tester", "new.example", *remote, status=1, **own)
        self.call("domain", "remove", "tester", "new.example", *remote, **own)
        self.assertEqual(self.read("webhook", "list", **own)["data"], [])
        self.assertIn("url", self.call("webhook", "add", "http://127.0.0.1/x", status=1, **own))
        self.call("webhook", "calls", "wh_none", status=5, **own)

    def test_exit_statuses(self):
        self.assertIn("to: ", self.call("send", *MAIL, "--to", "wrong", status=1))
        self.call("send", *MAIL, status=2)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            self.call("deliveries", "--url", url, TODOKU_API_KEY="k", status=3)
        self.call("delivery", "2000000000", status=5)
        self.call("deliveries", TODOKU_API_KEY="wrong", status=6)
        self.assertIn("番号", self.call("delivery", "--help", LANG="ja_JP.UTF-8"))

    def test_a_profile_that_others_may_read_is_refused(self):
        path = self.file("open.toml", '[default]\naccount = "tester"\nkey = "k"\n')
        os.chmod(path, 0o644)
        self.assertIn("chmod 600", self.call("deliveries", TODOKU_PROFILE_FILE=path, status=2))
        listed = self.call("profile", "list")
        self.assertIn(self.url, listed)
        self.assertNotIn(self.stack.api_key, listed)

    def test_a_certificate_has_to_be_trusted(self):
        class Empty(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"data":[]}')

            def log_message(self, *_):
                pass

        certificate, key = self.home / "cert.pem", self.home / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
        server.handle_error = lambda *_: None  # who does not trust it breaks off
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        words = ("deliveries", "--url", f"https://localhost:{server.server_port}", "--json")
        self.call(*words, TODOKU_API_KEY="k", status=3)
        self.assertEqual(self.call(*words, "--ca", str(certificate), TODOKU_API_KEY="k"),
                         '{"data":[]}\n')

    def test_bash_completes_what_there_is(self):
        script = self.file("completion.bash", self.call("completion", "bash"))
        asked = ("source {}; COMP_WORDS=({}); COMP_CWORD={}; _todoku; echo \"${{COMPREPLY[@]}}\"")

        def completed(*words):
            line = asked.format(script, " ".join(f"'{word}'" for word in words), len(words) - 1)
            return subprocess.run(["bash", "-c", line], check=True, text=True,
                                  capture_output=True).stdout.split()

        self.assertIn("bulk", completed("todoku", "b"))
        self.assertEqual(completed("todoku", "bulk", "pau"), ["pause"])
        self.assertEqual(completed("todoku", "--json", "bulk", "send", "--cs"), ["--csv"])
        for shell in ("zsh", "fish"):
            text = self.call("completion", shell)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=text, text=True, check=True)

    @unittest.skipUnless(shutil.which("groff"), "groff shows the pages")
    def test_man_pages_are_sound(self):
        for words in ((), ("bulk", "send"), ("send", "--lang", "ja")):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-k"], text=True, check=True,
                                  capture_output=True, input=self.call("man", *words))
            self.assertEqual(done.stderr, "", words)
            self.assertIn("--idempotency-key", done.stdout.replace("‐", "-").replace("−", "-"))


if __name__ == "__main__":
    unittest.main()
