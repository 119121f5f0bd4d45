#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package, in a clean Debian root that mmdebstrap makes of this machine's own package
sources: installed, at work as its unit starts it, upgraded, removed, purged. Needs root. No systemd
runs there: what the unit says is read, and done by hand."""
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from debian_root import needed, package, run, unpack  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = None
UNIT = ROOT / "deploy/debian/todoku.service"
EXPOSURE_MAX = 2.0  # of 10; what is left is that it speaks to networks


class PackageTest(unittest.TestCase):
    """Each step stands on the one before: they run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="todoku-package-")
        folder = pathlib.Path(cls.work.name)
        cls.old = package(BINARY, "1.0.0~rc1")
        cls.new = package(BINARY, "1.0.0")
        cls.root = folder / "root"
        unpack(cls.root, cls.old)
        cls.enter(cls.root, "apt-get", "install", "--yes", "--no-install-recommends", *needed(cls.old),
                  env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    @staticmethod
    def enter(root, *command, **more):
        """In the root, which has /proc and a network of nothing but loopback."""
        words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c",
                 'ip link set lo up; mount -t proc proc "$0/proc"; exec chroot "$0" "$@"', root, *command]
        return run(*words, **more)

    def inside(self, *command, **more):
        return self.enter(self.root, *command, **more)

    def dpkg(self, *words):
        return self.inside("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", *words)

    def install(self, deb):
        (self.root / "tmp/todoku.deb").write_bytes(deb.read_bytes())
        return self.dpkg("--install", "/tmp/todoku.deb")

    def at(self, name):
        return self.root / name.lstrip("/")

    # As the unit does it: its user, its folders, its command.
    WORKS = r"""
install -d -o todoku -g todoku -m 700 /var/lib/todoku
cd /var/lib/todoku
user='setpriv --reuid=todoku --regid=todoku --init-groups --no-new-privs'
$user /usr/bin/todoku serve --config /etc/todoku/todoku.toml 2>/tmp/log &
engine=$!
until grep -q 'engine started' /tmp/log; do
  kill -0 $engine || { cat /tmp/log; exit 1; }
  sleep 0.1
done
$user /usr/bin/todoku status >&2 || { cat /tmp/log; exit 1; }
$user /usr/bin/todoku "$@" || exit 1
kill -TERM $engine
wait $engine
"""

    def works(self, *command):
        return self.inside("sh", "-c", self.WORKS, "sh", *command).stdout

    def test_1_installs(self):
        self.install(self.old)
        self.assertRegex(self.at("/etc/passwd").read_text(), r"(?m)^todoku:.*:/var/lib/todoku:")
        for name in ("/usr/bin/todoku", "/etc/todoku/todoku.toml", "/usr/share/man/man1/todoku.1.gz",
                     "/lib/systemd/system/todoku.service",
                     "/usr/share/bash-completion/completions/todoku"):
            self.assertTrue(self.at(name).exists(), name)
        self.assertTrue(list(self.at("/etc/systemd/system").rglob("*todoku*")),
                        "it is started with the machine")
        done = self.inside("todoku", "--config", "/etc/todoku/todoku.toml", "config", "check")
        self.assertEqual(done.returncode, 0)

    def test_2_works_as_its_user(self):
        self.assertIn("login id", self.works("account", "add", "shop"))
        data = self.at("/var/lib/todoku")
        self.assertEqual(data.stat().st_mode & 0o777, 0o700)
        self.assertEqual((data / "master.key").stat().st_mode & 0o777, 0o600)

    def test_3_an_upgrade_keeps_data_and_what_was_configured(self):
        config = self.at("/etc/todoku/todoku.toml")
        config.write_text(config.read_text() + "\n[engine]\ndrain_seconds = 7\n")
        self.install(self.new)
        self.assertIn("drain_seconds = 7", config.read_text())
        self.assertIn("1.0.0\n", self.dpkg("--status", "todoku").stdout)
        accounts = self.works("account", "list", "--json")
        self.assertIn("shop", accounts)

    def test_3a_the_way_back_keeps_them_too(self):
        """Of one schema, as releases are that changed none, or on PostgreSQL only added to it."""
        self.works("account", "add", "news")
        self.install(self.old)
        self.assertIn("1.0.0~rc1\n", self.dpkg("--status", "todoku").stdout)
        self.assertIn("drain_seconds = 7", self.at("/etc/todoku/todoku.toml").read_text())
        accounts = self.works("account", "list", "--json")
        for name in ("shop", "news"):
            self.assertIn(name, accounts)
        self.install(self.new)

    def test_4_a_removal_keeps_data_and_configuration(self):
        self.dpkg("--remove", "todoku")
        self.assertFalse(self.at("/usr/bin/todoku").exists())
        self.assertTrue(self.at("/etc/todoku/todoku.toml").exists())
        self.assertTrue(self.at("/var/lib/todoku/data/todoku.db").exists())

    def test_5_a_purge_leaves_nothing_but_mail(self):
        said = self.dpkg("--purge", "todoku")
        self.assertIn("/var/lib/todoku is kept", said.stderr)
        self.assertFalse(self.at("/etc/todoku/todoku.toml").exists())
        self.assertTrue(self.at("/var/lib/todoku/master.key").exists())
        self.assertEqual([str(path) for path in self.at("/etc").rglob("*todoku*")], [])

    def test_6_it_can_be_installed_again_over_what_was_kept(self):
        self.install(self.new)
        self.assertIn("shop", self.works("account", "list", "--json"))


class UnitTest(unittest.TestCase):
    def test_it_is_hardened(self):
        done = run("systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager",
                   UNIT, check=False)
        weights = json.loads(done.stdout)
        # The figure that systemd-analyze shows: its table, weighed.
        shown = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT, check=False)
        figure = float(re.search(r"exposure level for todoku.service: ([0-9.]+)", shown.stdout)[1])
        print(f"systemd-analyze security: {figure} of 10")
        self.assertLessEqual(figure, EXPOSURE_MAX)
        self.assertGreater(len(weights), 50)

    def test_one_that_stands_still_is_ended(self):
        unit = UNIT.read_text()
        self.assertRegex(unit, r"(?m)^WatchdogSec=120$")
        self.assertRegex(unit, r"(?m)^NotifyAccess=main$")
        self.assertRegex(unit, r"(?m)^Restart=on-failure$")  # which a watchdog's end is (systemd.service(5))

    def test_it_is_read_without_a_complaint(self):
        done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", UNIT, check=False)
        complaints = [line for line in done.stderr.splitlines()
                      if "todoku.service" in line and "is not executable" not in line]
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(warnings="ignore")
