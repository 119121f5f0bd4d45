# SPDX-License-Identifier: Apache-2.0
"""`todoku doctor` says of each source what is so: right, wrong and missing names, listed addresses,
lists that answer with errors of their own, ports that are closed; and nothing of a resolver that is
dead or lies."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system/support"))
sys.path.insert(0, str(ROOT / "tools/demo"))

from dns_proxy import DnsProxy  # noqa: E402
from ports import free_port  # noqa: E402

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()

# name of the source: (public address, EHLO name)
SOURCES = {
    "right": ("192.0.2.10", "mx1.sender.example"),
    "missing": ("192.0.2.11", "mx2.sender.example"),
    "wrong": ("192.0.2.12", "mx3.sender.example"),
    "generic": ("192.0.2.13", "mx4.sender.example"),
    "misnamed": ("192.0.2.14", "mx1.sender.example"),
    "listed": ("192.0.2.15", "mx6.sender.example"),
    "hidden": ("", "mx7.sender.example"),
}
ZONE = """$ORIGIN .
$TTL 60
@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60
@ NS ns.invalid.
10.2.0.192.in-addr.arpa. PTR mx1.sender.example.
mx1.sender.example. A 192.0.2.10
mx2.sender.example. A 192.0.2.11
12.2.0.192.in-addr.arpa. PTR mx3.sender.example.
mx3.sender.example. A 192.0.2.99
13.2.0.192.in-addr.arpa. PTR 192-0-2-13.dyn.provider.example.
192-0-2-13.dyn.provider.example. A 192.0.2.13
mx4.sender.example. A 192.0.2.13
14.2.0.192.in-addr.arpa. PTR mx5.sender.example.
mx5.sender.example. A 192.0.2.14
15.2.0.192.in-addr.arpa. PTR mx6.sender.example.
mx6.sender.example. A 192.0.2.15
2.0.0.127.bl.example. A 127.0.0.2
15.2.0.192.bl.example. A 127.0.0.4
15.2.0.192.bl.example. TXT "https://bl.example/why?192.0.2.15"
2.0.0.127.refuses.example. A 127.255.255.254
10.2.0.192.refuses.example. A 127.255.255.254
15.2.0.192.refuses.example. A 127.255.255.254
2.0.0.127.everybody.example. A 127.0.0.2
1.0.0.127.everybody.example. A 127.0.0.2
*.everybody.example. A 127.0.0.2
ns.gone.example. A 192.0.2.53
"""


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="todoku-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        folder = pathlib.Path(cls.folder.name)
        (folder / "root.zone").write_text(ZONE)
        started = subprocess.run([ROOT / "tools/local_dns", "start", folder / "dns", "0",
                                  f".={folder}/root.zone", "broken.example="],
                                 check=True, capture_output=True, text=True)
        cls.addClassCleanup(subprocess.run, [ROOT / "tools/local_dns", "stop", folder / "dns"],
                            capture_output=True)
        cls.dns = int(started.stdout.split()[-1])
        cls.receivers = []
        for _ in range(2):
            listener = socket.create_server(("127.0.0.1", 0))
            cls.addClassCleanup(listener.close)
            cls.receivers.append(listener.getsockname()[1])
        cls.config = folder / "todoku.toml"
        cls.write(cls.receivers)

    @classmethod
    def write(cls, ports, lists=("bl.example",)):
        hosts = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        lines = ["[dns]", f'servers = ["127.0.0.1:{cls.dns}"]', 'check_names = ["."]', "[data]",
                 f'directory = "{cls.folder.name}/data"', "[doctor]", f"port_25_hosts = [{hosts}]"]
        for zone in lists:
            lines += ["[[doctor.blocklist]]", f'zone = "{zone}"', f'page = "https://{zone}/"',
                      'text = "Please remove {address}."']
        for index, (name, (address, hello)) in enumerate(SOURCES.items()):
            lines += ["[[egress]]", f'name = "{name}"', f'hello_name = "{hello}"',
                      f'bind_ipv4 = "127.0.3.{index + 1}"']
            if address:
                lines.append(f'public_address = "{address}"')
        cls.config.write_text("\n".join(lines) + "\n")

    def doctor(self, *words, lang="en"):
        """(status, {code: finding})"""
        done = subprocess.run([PROGRAM, "--config", self.config, "--json", "--lang", lang, "doctor",
                               *words], capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        self.assertEqual(done.stderr, "")
        return done.returncode, {each["code"]: each for each in json.loads(done.stdout)["findings"]}

    def outcomes(self, *words):
        status, findings = self.doctor(*words)
        return status, {code: each["outcome"] for code, each in findings.items()}

    def test_one_that_is_in_order(self):
        self.assertEqual(self.outcomes("--source", "right"), (0, {
            "ptr_present": "pass", "ptr_confirmed": "pass", "hello_own": "pass",
            "port_25_open": "pass", "blocklist_clear": "pass"}))

    def test_a_missing_name(self):
        status, findings = self.doctor("--source", "missing")
        self.assertEqual(status, 1)
        self.assertEqual(findings["ptr_missing"]["outcome"], "fail")
        self.assertEqual(findings["ptr_missing"]["paste"],
                         "11.2.0.192.in-addr.arpa. IN PTR mx2.sender.example.\n")
        self.assertEqual(findings["hello_confirmed"]["outcome"], "pass")
        self.assertIn("gmail", findings["ptr_missing"]["minded_by"])

    def test_a_name_that_does_not_lead_back(self):
        status, findings = self.doctor("--source", "wrong")
        self.assertEqual(status, 1)
        self.assertEqual(findings["ptr_differs"]["outcome"], "fail")
        self.assertEqual(findings["hello_differs"]["outcome"], "fail")
        self.assertEqual(findings["ptr_differs"]["paste"],
                         "mx3.sender.example. IN A 192.0.2.12\n")

    def test_a_name_of_many_lines(self):
        status, outcomes = self.outcomes("--source", "generic")
        self.assertEqual((status, outcomes["ptr_generic"]), (0, "warning"))

    def test_a_hello_name_of_another(self):
        status, outcomes = self.outcomes("--source", "misnamed")
        self.assertEqual((status, outcomes["hello_differs"]), (1, "fail"))
        self.assertEqual(outcomes["ptr_confirmed"], "pass")

    def test_a_listed_address(self):
        status, findings = self.doctor("--source", "listed")
        self.assertEqual(status, 1)
        listed = findings["blocklist_listed"]
        self.assertEqual(listed["outcome"], "fail")
        self.assertIn("127.0.0.4: https://bl.example/why?192.0.2.15", listed["found"])
        self.assertIn("Please remove 192.0.2.15.", listed["advice"])
        self.assertIn("https://bl.example/", listed["advice"])
        _, japanese = self.doctor("--source", "listed", lang="ja")
        self.assertIn("載っている", japanese["blocklist_listed"]["sentence"])

    def test_lists_that_answer_with_errors_of_their_own(self):
        for zone in ("refuses.example", "everybody.example", "gone.example", "broken.example"):
            self.write(self.receivers, (zone,))
            with self.subTest(zone):
                status, outcomes = self.outcomes("--source", "right")
                self.assertEqual(status, 2)
                self.assertEqual({code for code, outcome in outcomes.items()
                                  if outcome == "not_determined"},
                                 {"blocklist_unanswered" if zone == "broken.example"
                                  else "blocklist_error"})
        self.write(self.receivers)

    def test_of_a_private_address_nothing_is_known(self):
        status, outcomes = self.outcomes("--source", "hidden")
        self.assertEqual(status, 2)
        self.assertEqual(outcomes["address_unknown"], "not_determined")
        self.assertNotIn("fail", outcomes.values())

    def test_port_25_that_is_closed(self):
        self.write([free_port(), free_port()])
        self.assertEqual(self.outcomes("--source", "right")[1]["port_25_closed"], "fail")
        self.write([free_port()])
        self.assertEqual(self.outcomes("--source", "right")[1]["port_25_unknown"],
                         "not_determined")
        self.write([free_port(), self.receivers[1]])
        self.assertEqual(self.outcomes("--source", "right")[1]["port_25_open"], "pass")
        self.write(self.receivers)

    def test_a_resolver_that_lies_proves_nothing(self):
        for mode in ("deny", "empty", "invent", "silent"):
            with self.subTest(mode), DnsProxy(self.dns) as proxy:
                proxy.mode = mode
                status, outcomes = self.outcomes("--source", "right", "--resolver",
                                                 f"127.0.0.1:{proxy.port}")
                self.assertEqual(status, 2)
                self.assertEqual(set(outcomes.values()) - {"pass"}, {"not_determined"})
                self.assertNotIn("ptr_present", outcomes)

    def test_a_server_that_is_dead_proves_nothing(self):
        status, outcomes = self.outcomes("--source", "listed", "--resolver",
                                         f"127.0.0.1:{free_port(with_udp=True)}")
        self.assertEqual(status, 2)
        self.assertEqual(outcomes, {
            "ptr_unanswered": "not_determined", "hello_unanswered": "not_determined",
            "port_25_open": "pass", "blocklist_unanswered": "not_determined"})

    def test_all_of_it(self):
        status, findings = self.doctor()
        self.assertEqual(status, 1)
        self.assertEqual({each["subject"] for each in findings.values()} - set(SOURCES), {"server"})
        self.assertEqual(findings["dns_honest"]["outcome"], "pass")
        self.assertEqual(findings["dnssec_off"]["outcome"], "warning")
        done = subprocess.run([PROGRAM, "--config", self.config, "--lang", "en", "doctor"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("  [FAIL] 192.0.2.11 has no name (PTR record)\n", done.stdout)
        self.assertIn("11.2.0.192.in-addr.arpa. IN PTR mx2.sender.example.\n", done.stdout)

    def test_wrong_words(self):
        for words in (["--source", "nobody"], ["--resolver", "1.2.3"]):
            done = subprocess.run([PROGRAM, "--config", self.config, "doctor", *words],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
