#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/terraform by its checker: nothing is found in what is shipped, and each of the faults that are put into a
copy is, at its file. Besides, with no Terraform and no AWS: the configuration files that the modules would write,
before the engine's own `config check`, and how couriers share sources, before a stand-in of EC2.

usage: terraform_test.py TODOKU"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from faults import CHANGES, FAULTS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TERRAFORM = ROOT / "deploy/terraform"
BINARY = None


def check(*folders, **environment):
    done = subprocess.run([TERRAFORM / "check", *folders], capture_output=True, text=True, timeout=600,
                          env={**os.environ, **environment})
    if done.returncode not in (0, 1) or done.stderr:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.splitlines()


def copy_to(folder):
    for kind in ("modules", "examples"):
        shutil.copytree(TERRAFORM / kind, folder / kind)


def rendered(text, values):
    """The template as Terraform would write it: names, members, jsonencode, `for` and `if`, with ~ at their ends."""
    def value(expression, names):
        found = re.fullmatch(r"jsonencode\((.*)\)", expression)
        if found:
            inner = found[1]
            if inner[0] == "[":
                return json.dumps([value(each.strip(), names) for each in inner[1:-1].split(",")])
            return json.dumps(value(inner, names))
        at = names
        for part in expression.split("."):
            at = at[part]
        return at

    def expand(text, names):
        directive = re.search(r"%\{ (for|if) (.*?) ~\}\n", text)
        if not directive:
            return re.sub(r"\$\{(.*?)\}", lambda found: str(value(found[1], names)), text)
        depth, end = 1, directive.end()
        for found in re.finditer(r"%\{ (for|if|endfor|endif)\b.*?~\}\n", text[directive.end():]):
            depth += -1 if found[1].startswith("end") else 1
            if depth == 0:
                inner, end = text[directive.end():directive.end() + found.start()], directive.end() + found.end()
                break
        made = ""
        if directive[1] == "if":
            made = expand(inner, names) if value(directive[2], names) else ""
        else:
            variables, over = directive[2].split(" in ")
            items = value(over, names)
            for item in items.items() if isinstance(items, dict) else items:
                bound = variables.split(", ")
                made += expand(inner, {**names, **(dict(zip(bound, item)) if len(bound) > 1 else {bound[0]: item})})
        return expand(text[:directive.start()], names) + made + expand(text[end:], names)

    return expand(text, values)


def change(folder, name, file, pattern, instead):
    text = (folder / file).read_text()
    changed, times = re.subn(f"(?s){pattern}", instead, text, count=1)
    if times != 1 or changed == text:
        raise RuntimeError(f"{name}: {file} has no {pattern}")
    (folder / file).write_text(changed)


class SettingsTest(unittest.TestCase):
    """The configuration files, and the list of sources, before the engine itself."""
    SOURCES = [{"name": f"out-{number}", "hello_name": f"out{number}.example.jp", "private_ip": f"10.20.17.{number}",
                "public_ip": f"192.0.2.{number}"} for number in (1, 2)]

    INBOUND = {"takes_inbound": True, "is_inbound": False, "inbound_port": 2526, "inbound_host": "mx.example.jp",
               "forward_to": "ops@example.com", "forward_account": "house", "report_addresses": ["dmarc@example.jp"]}

    def shown(self, relay, role=None, **inbound):
        text = rendered((TERRAFORM / "modules/settings/settings.toml.tftpl").read_text(), {
            "name": "mail", "drain_seconds": 100, "metrics_port": 9102, "api_port": 8025,
            "database_address": "postgresql://todoku@db.example.jp:5432/todoku?sslmode=verify-full",
            "region": "ap-northeast-1", "api_host": "mail.example.jp", "smtp_host": "smtp.example.jp",
            "return_path_domain": "bounce.example.jp", "proxy_networks": ["10.20.0.0/24", "10.20.1.0/24"],
            "relay": relay, "relay_ports": {"implicit": 2465, "starttls": 2587},
            **self.INBOUND, **inbound})
        egress = rendered((TERRAFORM / "modules/settings/egress.tftpl").read_text(), {"sources": self.SOURCES})
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "todoku.toml"
            file.write_text(text)
            done = subprocess.run([BINARY, "--config", file, "config", "show"], capture_output=True, text=True,
                                  env={"PATH": "/usr/bin:/bin", "TODOKU_STORE__POSTGRES__PASSWORD": "x", "TODOKU_EGRESS": egress,
                                       "TODOKU_ENGINE__ROLES": role or ("smtp-in" if relay else "courier")})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_engine_takes_the_common_file(self):
        shown = self.shown(relay=False)
        for source in self.SOURCES:
            for value in source.values():
                self.assertIn(f'"{value}"', shown)
        self.assertNotIn("2587", shown)

    def test_the_engine_takes_the_relays_file(self):
        shown = self.shown(relay=True)
        for port in ("2465", "2587"):
            self.assertIn(f"0.0.0.0:{port}", shown)

    def test_the_engine_takes_the_file_of_inbound(self):
        shown = self.shown(False, "inbound", is_inbound=True)
        for value in ("0.0.0.0:2526", "mx.example.jp", "ops@example.com", "dmarc@example.jp", "/etc/todoku/relay.pem"):
            self.assertIn(value, shown)
        self.assertNotIn("0.0.0.0:2526", self.shown(False, takes_inbound=False))


class ClaimTest(unittest.TestCase):
    """How couriers share the sources of a zone (modules/couriers/claim.sh)."""

    def setUp(self):
        self.work = tempfile.TemporaryDirectory(prefix="todoku-claim-")
        self.addCleanup(self.work.cleanup)
        folder = pathlib.Path(self.work.name)
        for name in ("aws", "curl", "ip"):
            (folder / name).symlink_to(HERE / "ec2_stand_in.py")
        self.file = folder / "state.json"
        self.save({"addresses": {f"eipalloc-{number}": {"private": f"10.20.17.{number}", "holder": ""}
                                 for number in range(1, 6)},
                   "private": {}, "system": {}, "calls": [], "taken_meanwhile": []})

    def save(self, state):
        self.file.write_text(json.dumps(state))

    def state(self):
        return json.loads(self.file.read_text())

    def claim(self, instance):
        done = subprocess.run(["bash", TERRAFORM / "modules/couriers/claim.sh", "mail", "ap-northeast-1a"],
                              capture_output=True, text=True, timeout=600,
                              env={"PATH": f"{self.work.name}:/usr/bin:/bin", "EC2_STATE": str(self.file),
                                   "INSTANCE": instance})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        state = self.state()
        held = [address["private"] for address in state["addresses"].values() if address["holder"] == instance]
        self.assertEqual(sorted(state["system"].get(instance, [])), sorted(f"{private}/32" for private in held))
        return len(held)

    def end(self, instance):
        """Addresses of an instance that ends are nobody's."""
        state = self.state()
        for address in state["addresses"].values():
            if address["holder"] == instance:
                address["holder"] = ""
        for of_instance in ("private", "system"):
            state[of_instance].pop(instance, None)
        self.save(state)

    def test_the_only_one_takes_all(self):
        self.assertEqual(self.claim("i-a"), 5)

    def test_one_that_comes_takes_its_share_and_no_more(self):
        self.claim("i-a")
        self.assertEqual(self.claim("i-b"), 2)
        self.assertEqual(self.claim("i-a"), 3)
        self.assertEqual(self.claim("i-c"), 1)

    def test_what_was_begun_is_finished(self):
        state = self.state()
        state["private"]["i-a"] = ["10.20.17.2"]
        self.save(state)
        self.assertEqual(self.claim("i-a"), 5)

    def test_what_is_even_stays(self):
        self.claim("i-a")
        self.claim("i-b")
        before = self.state()["addresses"]
        for instance in ("i-a", "i-b", "i-a"):
            self.claim(instance)
        self.assertEqual(self.state()["addresses"], before)

    def test_sources_of_one_that_ended_go_to_the_other(self):
        self.claim("i-a")
        self.claim("i-b")
        self.end("i-a")
        self.assertEqual(self.claim("i-b"), 5)

    def test_whoever_is_faster_keeps_it(self):
        state = self.state()
        state["taken_meanwhile"] = ["10.20.17.1"]
        self.save(state)
        self.assertEqual(self.claim("i-a"), 4)
        self.assertEqual(self.state()["addresses"]["eipalloc-1"]["holder"], "i-fast")

    def test_the_scripts_are_of_bash(self):
        for name in ("claim.sh", "boot.sh.tftpl"):
            done = subprocess.run(["bash", "-n", TERRAFORM / "modules/couriers" / name], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


class CheckerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="todoku-terraform-")
        cls.folders = []
        for number, (name, file, pattern, instead, _) in enumerate(FAULTS):
            folder = pathlib.Path(cls.work.name) / f"{number:03}"
            copy_to(folder)
            change(folder, name, file, pattern, instead)
            cls.folders.append(folder)
        cls.found = check(*cls.folders)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def test_finds_nothing_in_what_is_shipped(self):
        self.assertEqual(check(), [])

    def test_finds_each_fault(self):
        for folder, (name, file, _, _, rule) in zip(self.folders, FAULTS):
            with self.subTest(name):
                mine = [line.removeprefix(f"{folder}/") for line in self.found if line.startswith(f"{folder}/")]
                self.assertTrue([line for line in mine if f": {rule}: " in line],
                                f"not found by the rule {rule}; found: {mine}")

    def test_finds_what_the_engine_does_otherwise_by_now(self):
        with tempfile.TemporaryDirectory() as work:
            for each in ("src/queue/sqs", "src/ops", "src/net", "docs"):
                shutil.copytree(ROOT / each, pathlib.Path(work) / each)
            for name, file, pattern, instead, _ in CHANGES:
                change(pathlib.Path(work), name, file, pattern, instead)
            found = check(TODOKU_PROJECT=work)
        for name, *_, said in CHANGES:
            with self.subTest(name):
                self.assertTrue([line for line in found if said in line], found)

    def test_says_where_and_what_to_do(self):
        for line in self.found:
            if line.startswith("/"):
                self.assertRegex(line, r"^/\S+\.(tf|tftpl):[1-9]\d*: [a-z-]+: .+\. .+\.$")


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
