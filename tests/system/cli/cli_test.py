#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command line of the real binary: the same words do the same, engine running or stopped."""
import base64
import hashlib
import json
import os
import pathlib
import re
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from home import BINARY, HomeTest  # noqa: E402


class CommandLine(HomeTest):
    def run_json(self, *words):
        return json.loads(self.tool("--json", *words))

    def both_ways(self, name):
        """Accounts, keys and DKIM keys, whoever does the work."""
        key = self.run_json("account", "add", name)["key"]
        # blastengine-api.md, section 1.2.
        digest = hashlib.sha256((key["login_id"] + key["api_key"]).encode()).hexdigest()
        self.assertEqual(key["bearer_token"], base64.b64encode(digest.encode()).decode())
        self.assertIn(f"there is an account {name} already",
                      self.tool("account", "add", name, status=1))
        second = self.run_json("key", "add", name, "--label", "ci")
        self.assertNotEqual(second["api_key"], key["api_key"])
        self.tool("key", "revoke", name, str(key["id"]))
        listed = self.tool("key", "list", name)
        self.assertRegex(listed, r"first +\S+ +anywhere +revoked")
        self.assertRegex(listed, r"ci +\S+ +anywhere +active")
        for secret in (key["api_key"], second["api_key"], second["bearer_token"]):
            self.assertNotIn(secret, listed, "a key is shown once")
        self.tool("account", "suspend", name)
        self.tool("account", "weight", name, "7")
        self.assertRegex(self.tool("account", "list"), rf"{name} +suspended +7 +1 ")
        self.tool("account", "resume", name)
        self.assertRegex(self.tool("account", "list"), rf"{name} +active +7 +1 ")
        self.dkim_both_ways(name)
        nobody = ("explain", "taro@example.jp")
        self.assertIn("no mail to this address", self.tool(*nobody, status=1))
        self.assertIn("記録はありません", self.tool(*nobody, "--lang", "ja", status=1))
        self.assertIn("there is no account nobody",
                      self.tool("key", "list", "nobody", status=1))

    def dkim_both_ways(self, name):
        words = ("--account", name, "--domain", "example.jp")
        made = self.tool("dkim", "generate", *words, "--selector", "s1")
        self.assertIn("s1._domainkey.example.jp", made)
        self.assertIn("v=DKIM1; k=rsa; p=", made)
        self.tool("dkim", "generate", *words, "--selector", "s2", "--ed25519")
        self.assertIn("already", self.tool("dkim", "generate", *words, "--selector", "s1",
                                               status=1))
        self.assertRegex(self.tool("dkim", "list", "--account", name), r"s2 +ed25519-sha256")
        record = re.search(r"^value +(.*)$", made, re.MULTILINE).group(1)
        self.assertIn(record, self.tool("dkim", "show", *words, "--selector", "s1"))
        self.tool("dkim", "remove", *words, "--selector", "s2")
        self.assertNotIn("s2", self.tool("dkim", "list", "--account", name))

    # ---- the tests -------------------------------------------------------------------------

    def test_does_the_same_with_the_engine_stopped_and_running(self):
        self.both_ways("stopped")
        self.start()
        self.both_ways("running")
        before = self.run_json("account", "list")
        self.stop()
        self.assertEqual(self.run_json("account", "list"), before)

    def test_refuses_an_rsa_key_whose_numbers_do_not_belong_together(self):
        right = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True, text=True,
                               capture_output=True).stdout
        der = bytearray(base64.b64decode("".join(right.strip().split("\n")[1:-1])))
        der[-1] ^= 2  # qInv is the last of a key's numbers (RFC 8017 appendix A.1.2)
        wrong = "\n".join(["-----BEGIN RSA PRIVATE KEY-----",
                           *re.findall(".{1,64}", base64.b64encode(der).decode()),
                           "-----END RSA PRIVATE KEY-----", ""])
        (self.home / "right.pem").write_text(right)
        (self.home / "wrong.pem").write_text(wrong)
        self.tool("account", "add", "shop")
        words = ("dkim", "import", "--account", "shop", "--domain", "example.jp", "--selector", "s1")
        told = self.tool(*words, "--pem", str(self.home / "wrong.pem"), status=1)
        self.assertIn("the RSA private key is damaged: qInv times q is not 1 modulo p", told)
        self.assertNotIn("s1", self.tool("dkim", "list", "--account", "shop"))
        self.tool(*words, "--pem", str(self.home / "right.pem"))
        self.assertIn("s1", self.tool("dkim", "list", "--account", "shop"))

    def test_keeps_keys_to_itself(self):
        key = self.run_json("account", "add", "shop")["key"]
        self.tool("dkim", "generate", "--account", "shop", "--domain", "example.jp")
        self.assertEqual(stat.S_IMODE((self.home / "master.key").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((self.home / "data").stat().st_mode), 0o700)
        master = (self.home / "master.key").read_bytes().strip()
        for file in (self.home / "data").rglob("*"):
            octets = file.read_bytes()
            for secret in (key["api_key"].encode(), key["bearer_token"].encode(), master,
                           b"PRIVATE KEY"):
                self.assertNotIn(secret, octets, file)
        self.start()
        admin = self.home / "data" / "admin.sock"
        self.assertEqual(stat.S_IMODE(admin.stat().st_mode) & 0o077, 0)
        self.stop()

    def in_memory(self, *wanted):
        """Which of these octets the engine has somewhere in its memory."""
        found = set()
        with open(f"/proc/{self.engine.pid}/maps") as maps, \
                open(f"/proc/{self.engine.pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if not rights.startswith("rw"):
                    continue
                begin, end = (int(number, 16) for number in span.split("-"))
                try:
                    memory.seek(begin)
                    octets = memory.read(end - begin)
                except OSError:  # a place of the kernel's
                    continue
                found |= {each for each in wanted if each in octets}
        return found

    def post_at_socket(self, path, body, framing):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.data / "admin.sock"))
            head = f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n{framing}\r\n\r\n"
            connection.sendall(head.encode())
            for piece in body:
                connection.sendall(piece)
            answer = b""
            while octets := connection.recv(65536):
                answer += octets
        return answer.split(b" ", 2)[1]

    def test_the_engine_forgets_an_imported_key(self):
        self.tool("account", "add", "shop")
        self.start()
        try:
            self.assertEqual({b"mail.example.jp"}, self.in_memory(b"mail.example.jp"))
        except PermissionError:
            self.skipTest("the memory of a process cannot be read here")
        pem = self.home / "key.pem"
        words = ("--account", "shop", "--domain", "example.jp")
        subprocess.run(["openssl", "genrsa", "-out", pem, "2048"], check=True, capture_output=True)
        lines = pem.read_bytes().split(b"\n")[2:-3]
        self.tool("dkim", "import", *words, "--selector", "s1", "--pem", str(pem))
        self.assertEqual(set(), self.in_memory(*lines))
        # Refused: a wrong name, one that is long, in pieces that make the server's memory grow.
        text = pem.read_text()
        for name, padding in (("privat_key", 0), ("private_key", 200_000)):
            body = json.dumps({"account": "shop", "domain": "example.jp", "selector": "s2",
                               name: text + "\n" * padding}).encode()
            self.assertEqual(b"400", self.post_at_socket("/dkim", [body],
                                                         f"Content-Length: {len(body)}"), name)
            chunks = [b"%x\r\n%s\r\n" % (len(body[at:at + 900]), body[at:at + 900])
                      for at in range(0, len(body), 900)]
            self.assertEqual(b"400", self.post_at_socket("/dkim", [*chunks, b"0\r\n\r\n"],
                                                         "Transfer-Encoding: chunked"), name)
            self.assertEqual(set(), self.in_memory(*lines), name)
        self.stop()

    def fill(self, path):
        """Connections that are begun and left alone, until there is no room for one more."""
        held = []
        while True:
            connection = socket.socket(socket.AF_UNIX)
            self.addCleanup(connection.close)
            connection.settimeout(0.5)
            try:
                connection.connect(path)
                connection.sendall(b"GET /status HTTP/1.1\r\n")
            except BlockingIOError:  # the system's queue of this socket is full
                return held
            except (BrokenPipeError, ConnectionResetError):  # made room for another
                pass
            held.append(connection)
            self.assertLess(len(held), 15_000)

    def test_idle_connections_do_not_keep_the_operator_out(self):
        self.start()
        self.fill(str(self.data / "admin.sock"))
        self.assertIn("running", self.tool("status"))
        self.stop()

    def test_an_idle_connection_is_ended_soon(self):
        self.start()
        with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as kept:
            for connection in (silent, kept):
                connection.connect(str(self.data / "admin.sock"))
                connection.settimeout(20)
            kept.sendall(b"GET /readyz HTTP/1.1\r\nHost: engine\r\n\r\n")
            self.assertIn(b"HTTP/1.1 ", kept.recv(65536))
            for connection in (silent, kept):
                while connection.recv(65536):
                    pass
        self.stop()

    def test_says_so_where_the_admin_socket_has_no_place(self):
        self.data.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as engine:
            engine.bind(str(self.data / "admin.sock"))
            engine.listen(0)
            self.fill(str(self.data / "admin.sock"))
            for language, words in (("en", "an engine is running, but"), ("ja", "エンジンは動作中")):
                told = self.tool("status", "--lang", language, status=1)
                self.assertIn(words, told)
                self.assertNotIn("in use by the process", told)

    def test_drains_on_request_and_exits_with_zero(self):
        self.tool("account", "add", "shop")
        self.assertIn("not running", self.tool("drain", status=1))
        self.assertIn("not running", self.tool("healthcheck", status=1))
        self.start()
        self.assertIn("It has stopped.", self.tool("drain"))
        self.assertEqual(self.engine.wait(timeout=600), 0)

    def test_finds_every_mistake_of_a_configuration(self):
        self.assertIn("no mistakes found", self.tool("config", "check"))
        self.config.write_text("[api]\nlistne = \"127.0.0.1:1\"\n[limits]\nto_max = 0\n"
                               "[sites.google]\nport = 0\n")
        said = self.tool("config", "check", status=1)
        self.assertIn("todoku.toml:2: there is no key api.listne (did you mean api.listen?)", said)
        self.assertIn("todoku.toml:4: limits.to_max is 0, but must be from 1 to 10000", said)
        self.assertIn("todoku.toml:6: sites.google.port must be", said)  # the sites' with the others
        self.assertIn("todoku.toml:2", self.tool("serve", status=1))
        self.assertIn("looked at once these are mended", said)
        self.config.unlink()
        said = self.tool("config", "check", status=1)
        self.assertIn("cannot read it", said)
        self.assertNotIn("looked at once", said)  # no key is wrong
        self.config.write_text("[sitez.x]\na = 1\n[sites.d]\ndomains = \"x\"\n")
        said = self.tool("config", "check", status=1)
        self.assertIn("there is no section sitez (did you mean sites?)", said)
        self.assertIn("todoku.toml:4: sites.d.domains must be a list of domain names", said)
        self.config.write_text("[sites.google]\nconections_max = 5\n")
        self.assertIn("sites.google.conections_max is not a key of a site (did you mean connections_max?)",
                      self.tool("config", "check", status=1))

    def test_speaks_the_language_of_its_user(self):
        self.tool("account", "add", "first")
        plain = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "C.UTF-8"}
        japanese = "誤りは見つかりませんでした"
        for env, words, is_japanese in (
                ({}, (), False),
                ({"LANG": "ja_JP.UTF-8"}, (), True),
                ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "C"}, (), False),
                ({"LC_ALL": "ja_JP.UTF-8", "LC_MESSAGES": "C"}, (), True),
                ({"LC_ALL": "ja_JP.UTF-8", "TODOKU_LANG": "en"}, (), False),
                ({"TODOKU_LANG": "ja"}, (), True),
                ({"TODOKU_LANG": "ja"}, ("--lang", "en"), False),
                ({}, ("--lang", "ja"), True)):
            said = self.tool("config", "check", *words, env=plain | env)
            self.assertEqual(japanese in said, is_japanese, (env, words, said))
        self.assertIn("停止中", self.tool("status", "--lang", "ja", env=plain))
        self.assertIn("記録はありません", self.tool("explain", "taro@example.jp", status=1,
                                                    env=plain | {"TODOKU_LANG": "ja"}))

    def test_what_others_wrote_cannot_speak_to_the_terminal(self):
        """Words that come back in an answer: controls and what turns text around are shown as "?"."""
        evil = "a\x1b[31m\u202eb"
        self.tool("account", "add", "shop")
        config = self.home / f"{evil}.toml"
        for words, status in (
                (("explain", evil), 1), (("explain", f"{evil}@example.jp"), 1),
                (("explain", "a@example.jp", "--account", evil), 1),
                (("explain", "a@example.jp", "--limit", evil), 2),
                (("key", "add", evil), 1), (("key", "list", evil), 1),
                (("key", "add", "shop", "--label", evil), 1), (("key", "revoke", "shop", evil), 2),
                (("stuck", "release", evil, "1"), 1), (("stuck", "--limit", evil), 2),
                (("account", "add", evil), 1), (("account", "suspend", evil), 1),
                (("account", "weight", "shop", evil), 2),
                (("account", "text-from-html", "shop", evil), 2),
                (("account", "preflight", "shop", evil), 2),
                (("dkim", "generate", "--account", evil, "--domain", "example.jp"), 1),
                (("dkim", "generate", "--account", "shop", "--domain", evil), 1),
                (("dkim", "import", "--account", "shop", "--domain", "example.jp", "--selector", "s",
                  "--pem", evil), 1),
                (("dkim", "list", "--account", evil), 1), (("dkim", evil), 2), ((evil,), 2),
                ((f"--{evil}",), 2), (("status", "--lang", evil), 2), (("config", "check", str(config)), 1),
                (("serve", "--roles", evil), 1), (("sink", f"--{evil}"), 2)):
            with self.subTest(words=words):
                said = self.tool(*words, status=status)
                self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\u202e]")
        config.write_text("[api]\nlisten = \"127.0.0.1:0\"\n")
        self.assertNotRegex(self.tool("config", "check", str(config)), "[\x1b\u202e]")
        self.assertNotRegex(self.tool("config", "show", str(config)), "[\x1b\u202e]")

    def test_a_key_that_is_to_open_nothing_is_not_made(self):
        """As of a variable of the shell that is not set."""
        self.tool("account", "add", "shop")
        for option in ("--scopes", "--networks"):
            self.assertIn("is empty", self.tool("key", "add", "shop", option, "", status=1))

    def test_times_have_their_zone(self):
        self.tool("account", "add", "shop")
        self.tool("dkim", "generate", "--account", "shop", "--domain", "example.jp")
        self.start()
        time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d JST"
        for words in (("account", "list"), ("key", "list", "shop"), ("dkim", "list"), ("status",)):
            self.assertRegex(self.tool(*words), time)
        self.assertRegex(self.run_json("account", "list")["accounts"][0]["created"], "T.*Z$")

    def test_who_only_looks_begins_no_store(self):
        for words in (("status",), ("explain", "a@example.jp"), ("account", "list"), ("stuck",),
                      ("drain",), ("account", "suspend", "shop"), ("key", "add", "shop"),
                      ("dkim", "generate", "--account", "shop", "--domain", "example.jp"),
                      ("stuck", "release", "--all")):
            said = self.tool(*words, status=1)
            self.assertIn("there is no store in ", said)
            self.assertFalse(self.data.exists(), words)
        self.assertIn("データがありません", self.tool("status", "--lang", "ja", status=1))
        self.tool("account", "add", "shop")
        self.assertIn("shop", self.tool("account", "list"))

    def without_configuration(self, *words):
        folder = self.home / "elsewhere"
        folder.mkdir(exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TODOKU_")}
        done = subprocess.run([BINARY, *words], text=True, capture_output=True, timeout=600,
                              cwd=folder, env=environment)
        return folder, done

    def test_what_begins_without_a_configuration_says_so_aloud(self):
        folder, first = self.without_configuration("account", "add", "shop")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("NO CONFIGURATION was found (looked at todoku.toml here and "
                      f"/etc/todoku/todoku.toml), so a new installation begins in {folder}/data",
                      first.stderr)
        self.assertIn(f"{folder}/data に新しい環境を作成します", first.stderr)
        _, second = self.without_configuration("account", "add", "other")
        self.assertEqual((second.returncode, "NO CONFIGURATION" in second.stderr), (0, False))
        (folder / "todoku.toml").write_text('[data]\ndirectory = "other"\n')
        _, third = self.without_configuration("account", "add", "shop")
        self.assertEqual((third.returncode, "NO CONFIGURATION" in third.stderr), (0, False))

    def test_the_last_key_is_not_revoked_in_silence(self):
        key = self.run_json("account", "add", "shop")["key"]
        self.run_json("key", "add", "shop")
        self.assertNotIn("last one", self.tool("key", "revoke", "shop", str(key["id"])))
        self.assertIn("nobody can hand in mail for account shop",
                      self.tool("key", "revoke", "shop", str(key["id"] + 1)))

    def test_a_selector_is_never_given_twice(self):
        self.tool("account", "add", "shop")
        words = ("--account", "shop", "--domain", "example.jp")
        first = self.run_json("dkim", "generate", *words)["selector"]
        self.tool("dkim", "remove", *words, "--selector", first)
        self.assertEqual(self.run_json("dkim", "generate", *words)["selector"], f"{first}-2")

    def test_shows_values_and_where_they_came_from(self):
        shown = self.tool("config", "show", env={"TODOKU_LIMITS__TO_MAX": "7",
                                                     "TODOKU_MASTER_KEY": "ab" * 32})
        self.assertRegex(shown, r"to_max = 7 +# TODOKU_LIMITS__TO_MAX")
        self.assertRegex(shown, r"drain_seconds = 5 +# .*todoku.toml:4")
        self.assertRegex(shown, r"cc_max = 10 +# default")
        self.assertNotIn("abab", shown)
        defaults = self.tool("config", "show", "--defaults", "--lang", "ja")
        self.config.write_text(defaults.replace(":8025", ":0"))  # it may be taken
        self.assertIn("no mistakes found", self.tool("config", "check"))

    def test_finds_what_a_relay_would_miss(self):
        begin = self.config.read_text()
        self.config.write_text(begin + "[smtp_in]\nenabled = true\n[[smtp_in.listener]]\n"
                               "address = \"127.0.0.1:0\"\ntls = \"none\"\nauth = \"networks\"\n"
                               "networks = [\"127.0.0.0/8\"]\naccount = \"office\"\n"
                               "from_domain = \"example.jp\"\n")
        self.tool("account", "add", "shop")
        said = self.tool("config", "check", status=1)
        self.assertIn("smtp_in.listener 127.0.0.1:0: account: there is no account office", said)
        self.tool("account", "add", "office")
        self.assertIn("no mistakes found", self.tool("config", "check"))
        self.config.write_text(begin + "[smtp_in]\nsocket = \"nowhere/submission.sock\"\n")
        said = self.tool("config", "check", status=1)
        self.assertRegex(said, "smtp_in.socket: .*/nowhere is no folder")

    def test_refuses_to_start_with_another_master_key(self):
        self.tool("account", "add", "shop")
        self.tool("dkim", "generate", "--account", "shop", "--domain", "example.jp")
        said = self.tool("serve", status=1, env={"TODOKU_MASTER_KEY": "ab" * 32})
        self.assertIn("is not the one that this data was written with", said)


if __name__ == "__main__":
    unittest.main()
