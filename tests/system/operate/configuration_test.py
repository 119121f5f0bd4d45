#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `config check` passes, this machine can serve; and what is wrong is said before anything is
sent."""
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import home  # noqa: E402
from home import CONFIG, HomeTest  # noqa: E402

# TEST-NET-1 (RFC 5737): no machine's own.
FOREIGN = "192.0.2.1"


class Configuration(HomeTest):
    def refused_by_both(self, *words):
        checked = self.tool("config", "check", status=1)
        served = self.tool("serve", status=1)
        for word in words:
            self.assertIn(word, checked)
            self.assertIn(word, served)
        self.assertFalse((self.data / "admin.sock").exists())

    def write(self, text, base=CONFIG):
        self.config.write_text(base + text)

    def test_files_that_cannot_be_used(self):
        (self.home / "broken.pem").write_text("no certificate")
        listen = 'listen = "127.0.0.1:0"\n'
        for certificate in ("missing.pem", "broken.pem"):
            self.config.write_text(CONFIG.replace(listen, listen +
                                                  f'tls_certificate_file = "{certificate}"\n'
                                                  f'tls_private_key_file = "{certificate}"\n'))
            self.refused_by_both("the API's certificate")
        for ca in ("missing.pem", "broken.pem"):
            self.write(f'tls_ca_file = "{ca}"\n')
            self.refused_by_both("smtp_out.tls_ca_file")
        servers = 'servers = ["127.0.0.1:9"]\n'
        self.config.write_text(CONFIG.replace(servers,
                                              servers + 'trust_anchor_files = ["missing.key"]\n'))
        self.refused_by_both("trust anchor", "missing.key")
        self.write("")
        (self.home / "master.key").write_text("no key")
        os.chmod(self.home / "master.key", 0o600)
        self.assertIn("master key", self.tool("config", "check", status=1))

    def test_addresses_that_are_not_this_machines(self):
        self.write(f'[[egress]]\nname = "one"\nbind_ipv4 = "127.0.0.1"\nipv4 = true\n'
                   f'[[egress]]\nname = "two"\nbind_ipv4 = "{FOREIGN}"\nipv4 = true\n')
        self.refused_by_both(f"the egress source two: {FOREIGN} is no address of this machine")
        self.config.write_text(CONFIG.replace("127.0.0.1:0", f"{FOREIGN}:8025"))
        self.refused_by_both("api.listen", FOREIGN)

    def test_an_address_that_is_lost_later_makes_it_unready(self):
        if os.geteuid() != 0 or shutil.which("ip") is None:
            self.skipTest("no network of its own can be made")
        self.write(f'[[egress]]\nname = "one"\nbind_ipv4 = "{FOREIGN}"\nipv4 = true\n')
        with open(self.home / "engine.log", "w") as log:
            self.engine = subprocess.Popen(
                ["unshare", "--net", "sh", "-c",
                 f'ip link set lo up; ip address add {FOREIGN}/32 dev lo; exec "$0" "$@"',
                 home.BINARY, "serve", "--config", str(self.config)], stderr=log)
        self.wait_for(self.answers, "the engine")
        lost = f"the egress source one: {FOREIGN} is no address of this machine"
        self.assertNotIn(lost, self.tool("healthcheck", status=1))  # of the resolver only
        subprocess.run(["nsenter", "--target", str(self.engine.pid), "--net",
                        "ip", "address", "del", f"{FOREIGN}/32", "dev", "lo"], check=True)
        self.wait_for(lambda: lost in self.tool("healthcheck", status=1), "the news", 10)
        # It never was ready, because of the resolver, so its end costs nothing.
        self.assertIn(lost, self.tool("healthcheck", "--live", status=1))

    def test_addresses_that_are_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.config.write_text(CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
            self.refused_by_both("api.listen", f"somebody listens at 127.0.0.1:{port}")
            self.write(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
            self.refused_by_both("metrics.listen")
        self.config.write_text(CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        self.start()
        self.assertIn("no mistakes found", self.tool("config", "check"))  # it is our own engine

    def test_a_wrong_key_hides_no_other_mistake(self):
        (self.home / "master.key").write_text("no key")
        os.chmod(self.home / "master.key", 0o600)
        wrong = CONFIG.replace("drain_seconds = 5", 'drain_seconds = "5"\nroles = ["scheduler"]')
        self.write('tls_ca_file = "missing.pem"\n'
                   f'[[egress]]\nname = "one"\nbind_ipv4 = "{FOREIGN}"\nipv4 = true\n',
                   wrong.replace('roles = ["scheduler"]', ""))
        said = self.tool("config", "check", status=1)
        for words in ("engine.drain_seconds must be", "smtp_out.tls_ca_file", "master key",
                      f"{FOREIGN} is no address of this machine", "looked at once these are mended"):
            self.assertIn(words, said)
        self.write("", wrong)
        said = self.tool("config", "check", status=1)
        self.assertIn("scheduler and courier need one another", said)
        # Where data is kept is not known: of the folder that nobody meant nothing is said.
        self.data.write_text("")
        self.write("[data]\ndirectory = 5\n")
        said = self.tool("config", "check", status=1)
        self.assertIn("data.directory must be", said)
        self.assertNotIn("is no folder", said)

    def test_a_folder_that_is_a_file(self):
        self.data.write_text("")
        self.refused_by_both("data")

    def test_data_that_cannot_be_used(self):
        def untouched():
            return {path: path.stat().st_mtime_ns for path in self.data.rglob("*")
                    if path.name != "todoku.db.lock"}

        key = {"TODOKU_MASTER_KEY": "ab" * 32}
        self.tool("config", "check", env=key)
        self.assertFalse(self.data.exists())
        self.start()
        self.assertIn("no mistakes found", self.tool("config", "check"))
        self.assertIn("an engine", self.tool("config", "check"))
        said = self.tool("config", "check", status=1, env=key)
        self.assertIn("is not the one that this data was written with", said)
        self.stop()
        before = untouched()
        self.assertIn("no mistakes found", self.tool("config", "check"))
        said = self.tool("config", "check", status=1, env=key)
        self.assertIn("is not the one that this data was written with", said)
        self.assertEqual(untouched(), before)
        (self.home / "master.key").rename(self.home / "kept.key")
        self.refused_by_both("the master key of this data is missing")
        (self.home / "kept.key").rename(self.home / "master.key")
        (self.data / "somebody").mkdir()
        os.chmod(self.data, 0o755)
        self.refused_by_both("others can read the data folder")
        (self.data / "somebody").rmdir()
        self.assertIn("no mistakes found", self.tool("config", "check"))  # serve will close it
        with sqlite3.connect(self.data / "todoku.db") as store:
            store.execute("PRAGMA user_version = 99")
        store.close()
        self.refused_by_both("schema version 99")
        (self.data / "todoku.db").unlink()
        self.refused_by_both("is missing", "--new")

    def test_variables_that_are_nearly_keys(self):
        for name in ("TODOKU_API_LISTEN", "TODOKU_APILISTEN"):
            said = self.tool("config", "check", status=1, env={name: "127.0.0.1:1"})
            self.assertIn(f"{name}: there is no such key (did you mean TODOKU_API__LISTEN?)", said)
            self.tool("serve", status=1, env={name: "127.0.0.1:1"})

    def test_the_system_refuses_threads(self):
        if os.geteuid() == 0:
            self.home.chmod(0o755)
            for path in (self.home, self.config):
                os.chown(path, 65534, 65534)
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        else:
            self.skipTest("other processes of this user count as well")
        said = self.tool("serve", status=1, prefix=(*prefix, "prlimit", "--nproc=4:4"))
        self.assertIn("the system refuses a thread", said)
        self.assertIn("ulimit -u", said)
        said = self.tool("account", "list", status=1, prefix=(*prefix, "prlimit", "--nproc=2:2"))
        self.assertIn("the system refuses a thread", said)


if __name__ == "__main__":
    unittest.main()
