#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/ansible, from a bare Debian root to an engine that sends a mail: a run, a second one that
changes nothing, one with a mistake that is refused. Needs root.

Ansible reaches the root by what stands in for ssh, in a network of nothing but loopback. No systemd runs
there, and the kernel's settings are this machine's: the runs write what those would read, and do not
start or set it (todoku_apply). The engine is started with what its unit says, by hand."""
import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from debian_root import package, run, unpack  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from stack import ROOT, Stack, is_ready, processes  # noqa: E402
from whole import only_whole  # noqa: E402

PLAYBOOKS = ROOT / "deploy/ansible"
BINARY = None
CLONE_NEWNET = 0x40000000
SOURCE = "192.0.2.25"
RECEIVER = "receiver.example"
CONFIGURATION = "Configuration, which its engine has found in order"
SECRET = 'a "quoted" $value with `all` \\ of it'

HOLD = 'mount -t proc proc "$0/proc" && echo held && exec sleep infinity'
SSH = """#!/bin/sh
for command; do :; done
exec nsenter --target {holder} --mount --pid -- env -i HOME=/root TERM=dumb \\
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot {root} sh -c "$command"
"""
# What Ansible asks systemd, where the engine runs already.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/tmp/systemctl.calls
case $1 in
  show) printf 'LoadState=loaded\\nActiveState=active\\n' ;;
  is-enabled) echo enabled ;;
esac
"""


class Database(PostgresServer):
    """Reached by its address, too, as from another host."""

    def fill_folder(self):
        super().fill_folder()
        with open(self.folder / "data/pg_hba.conf", "a") as rules:
            rules.write("host all all 127.0.0.1/32 scram-sha-256\n")


class Host(Stack):
    """A root that Ansible makes a host of; name server and receiver are beside it."""

    def __init__(self, root, deb):
        super().__init__(BINARY, {RECEIVER: []})
        self.root, self.deb = root, deb
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", HOLD, str(root)],
            stdout=subprocess.PIPE, text=True)
        self.holder.stdout.readline()
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.ssh = self.directory / "ssh"
        self.ssh.write_text(SSH.format(holder=int(children.read_text().split()[0]), root=root))
        self.ssh.chmod(0o755)

    def variables(self):
        return {
            "ansible_user": "root", "ansible_ssh_executable": str(self.ssh),
            "ansible_ssh_transfer_method": "piped", "todoku_apply": ["addresses"],
            "todoku_package": str(self.deb), "todoku_interface": "lo",
            "todoku_environment": {"TODOKU_LANG": "en", "NOT_OURS": SECRET},
            "todoku_sources": [{"name": "main", "ipv4": SOURCE, "hello_name": "mail.sender.example"}],
            "todoku_relay_networks": ["198.51.100.0/24", "2001:db8::/32"], "todoku_certbot": True,
            "todoku_ntp_servers": ["192.0.2.123"],
            "todoku_config": {
                "api": {"listen": f"127.0.0.1:{self.api_port}"},
                "dns": {"servers": [f"127.0.0.1:{self.dns_port}"], "check_names": ["."]},
                "smtp_out": {"hello_name": "mail.sender.example", "allow_private_receivers": True},
                "sites": {"defaults": {"port": self.mail_port}, "quoted": {"domains": ["quoted.example"], "provider": "届く\"\\n"}},
            }}

    def play(self, *words, **changes):
        """(exit status, what was said)"""
        inventory = {"todoku": {"hosts": {"mail.example.jp": None},
                                "vars": {**self.variables(), **changes}}}
        path = self.directory / "inventory.yml"
        path.write_text(json.dumps(inventory))
        done = run("ansible-playbook", "-i", path, "site.yml", *words, check=False, cwd=PLAYBOOKS,
                   env={**os.environ, "HOME": str(self.directory), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"})
        return done.returncode, done.stdout + done.stderr

    def inside(self, command, check=True):
        return run(self.ssh, command, check=check)

    def at(self, name):
        return self.root / name.lstrip("/")

    # ---- what Stack asks for ---------------------------------------------------------------

    def command(self, *arguments, statuses=(0,), with_errors=False):
        words = " ".join(f"'{word}'" for word in arguments)
        done = self.inside(f"/usr/local/sbin/todoku-as-service {words}", check=False)
        if done.returncode not in statuses:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if with_errors else "")

    def start_engine(self):
        unit = self.at("/lib/systemd/system/todoku.service").read_text()
        words = re.search(r"(?m)^ExecStart=/usr/bin/todoku (.*)$", unit)[1]
        self.engine = processes.start(
            self.directory, "engine", [str(self.ssh), f"/usr/local/sbin/todoku-as-service {words}"])
        self.wait_for(lambda: is_ready(9025), "the engine")

    def close(self):
        self.holder.kill()  # and with it whatever runs in its namespace
        self.holder.wait()
        super().close()


def counts(said):
    recap = re.search(r"mail\.example\.jp\s+: (.*)", said)
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap[1])}


class AnsibleTest(unittest.TestCase):
    """Each step stands on the one before: they run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="todoku-ansible-")
        root = pathlib.Path(cls.work.name) / "root"
        deb = package(BINARY, "1.0.0")
        unpack(root, deb)
        # Only this process and what it starts; what was fetched above needed the machine's network.
        if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
            raise unittest.SkipTest("no network of its own can be made here")
        run("ip", "link", "set", "lo", "up")
        cls.host = Host(root, deb)
        cls.host.start_dns()
        cls.host.start_sink()

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        cls.work.cleanup()

    def test_1_a_bare_system_becomes_a_host(self):
        status, said = self.host.play()
        self.assertEqual(status, 0, said)
        for unit in ("todoku", "todoku-addresses", "nftables", "chrony", "prometheus-node-exporter"):
            enabled = self.host.inside(f"systemctl is-enabled {unit}.service").stdout
            self.assertEqual(enabled.strip(), "enabled", unit)

    @only_whole
    def test_2_a_second_run_changes_nothing(self):
        status, said = self.host.play()
        self.assertEqual(status, 0, said)
        self.assertEqual(counts(said)["changed"], 0, said)

    def test_3_secrets_and_settings_are_where_the_engine_looks(self):
        stat = self.host.at("/etc/default/todoku").stat()
        self.assertEqual((stat.st_mode & 0o777, stat.st_uid), (0o600, 0))
        told = self.host.inside('. /etc/default/todoku; printf %s "$NOT_OURS"').stdout
        self.assertEqual(told, SECRET)
        shown = self.host.command("config", "show")
        self.assertIn(f'bind_ipv4 = "{SOURCE}"', shown)
        self.assertIn(SOURCE, self.host.inside("ip address show dev lo").stdout)
        self.assertIn("LimitNOFILE=1048576",
                      self.host.at("/etc/systemd/system/todoku.service.d/ansible.conf").read_text())

    def test_3_what_others_read_is_what_they_can_read(self):
        units = ("todoku", "todoku-addresses", "todoku-certificate-metrics")
        verified = self.host.inside("systemd-analyze verify --man=no " + " ".join(
            f"{unit}.service" for unit in units) + " todoku-certificate-metrics.timer", check=False)
        self.assertEqual([line for line in verified.stderr.splitlines() if "todoku" in line], [])
        told = self.host.inside("apt-config dump").stdout
        self.assertIn('APT::Periodic::Unattended-Upgrade "1";', told)
        self.assertIn('Unattended-Upgrade::Package-Blacklist:: "^todoku$";', told)
        self.host.inside("sysctl --dry-run --load /etc/sysctl.d/60-todoku.conf")
        told = self.host.inside("chronyd -p -f /etc/chrony/sources.d/todoku.sources").stdout
        self.assertEqual(told.strip(), "server 192.0.2.123 iburst")

    @only_whole
    def test_4_a_mistake_does_not_replace_what_works(self):
        before = self.host.at("/etc/todoku/todoku.toml").read_text()
        config = self.host.variables()["todoku_config"]
        for changed in ({"dns": {"servers": ["none"]}}, {"api": {"listen": "192.0.2.77:8025"}}):
            status, said = self.host.play("--start-at-task", CONFIGURATION,
                                          todoku_config={**config, **changed})
            self.assertNotEqual(status, 0, said)
            self.assertIn("failed to validate", said)
            self.assertEqual(self.host.at("/etc/todoku/todoku.toml").read_text(), before)
        self.assertEqual(list(self.host.at("/etc/todoku").glob(".candidate*")), [])

    def test_5_the_engine_sends_a_mail_from_its_source(self):
        self.host.add_account()
        self.host.start_engine()
        delivery = self.host.api.call("POST", "/deliveries/transaction", {
            "from": {"email": "shop@sender.example"}, "to": f"a@{RECEIVER}", "subject": "届く",
            "text_part": "from a host"})["delivery_id"]
        self.host.wait_for(lambda: self.host.status_of(delivery) == "SENT", "the mail")
        self.host.wait_for(self.host.arrivals, "its arrival")
        arrival = json.loads((self.host.directory / "arrivals.jsonl").read_text().splitlines()[0])
        self.assertEqual((arrival["client"], arrival["hello"]), (SOURCE, "mail.sender.example"))
        self.assertIn("main", self.host.command("explain", f"a@{RECEIVER}"))
        owner = self.host.at("/var/lib/todoku/data").stat().st_uid
        self.assertEqual(owner, self.host.at("/var/lib/todoku").stat().st_uid)
        self.assertNotEqual(owner, 0)

    @only_whole
    def test_6_it_is_restarted_only_where_something_changed(self):
        # Its own ports and addresses are no mistake while it runs.
        systemctl = self.host.at("/usr/local/sbin/systemctl")
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        calls = self.host.at("/tmp/systemctl.calls")
        for drain_seconds, restarts in ((30, []), (31, ["restart todoku.service"])):
            calls.unlink(missing_ok=True)
            status, said = self.host.play("--start-at-task", CONFIGURATION, todoku_drain_seconds=drain_seconds,
                                          todoku_apply=["addresses", "services"])
            self.assertEqual(status, 0, said)
            self.assertEqual([each for each in calls.read_text().splitlines() if "start" in each], restarts)
        systemctl.unlink()

    def test_7_a_renewed_certificate_is_put_in_place(self):
        lineage = self.host.at("/etc/letsencrypt/live/mail.example.jp")
        lineage.mkdir(parents=True)
        run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "30", "-subj",
            "/CN=mail.example.jp", "-keyout", lineage / "privkey.pem", "-out", lineage / "fullchain.pem")
        self.host.inside("RENEWED_LINEAGE=/etc/letsencrypt/live/mail.example.jp "
                         "/etc/letsencrypt/renewal-hooks/deploy/todoku")
        tls = self.host.at("/etc/todoku/tls")
        self.assertEqual({path.name: path.read_text() for path in tls.iterdir()},
                         {"mail.example.jp.key": (lineage / "privkey.pem").read_text(),
                          "mail.example.jp.crt": (lineage / "fullchain.pem").read_text()})
        self.assertEqual((tls / "mail.example.jp.key").stat().st_mode & 0o777, 0o640)
        (tls / "broken.crt").write_text("no certificate")
        self.host.inside("/usr/local/sbin/todoku-certificate-metrics")
        told = self.host.at("/var/lib/prometheus/node-exporter/todoku-certificates.prom").read_text()
        ends = dict(re.findall(r'_seconds\{file="(.*?)"\} (\d+)', told))
        self.assertEqual(ends["broken.crt"], "0")
        self.assertAlmostEqual(int(ends["mail.example.jp.crt"]), time.time() + 30 * 86400, delta=3600)

    @only_whole
    def test_8_the_firewall_has_its_table_once(self):
        looked = self.host.inside("nft list ruleset", check=False)
        if looked.returncode != 0:
            self.skipTest(f"this kernel has no nftables: {looked.stderr}")
        self.host.inside("nft --file /etc/nftables.conf")
        status, said = self.host.play("--tags", "firewall", todoku_ssh_port=2222,
                                      todoku_apply=["addresses", "firewall"])
        self.assertEqual(status, 0, said)
        rules = self.host.inside("nft list table inet todoku").stdout
        self.assertEqual(re.findall(r"ip saddr 0.0.0.0/0 tcp dport (\d+)", rules), ["2222"], rules)
        self.assertIn("ip6 saddr 2001:db8::/32 tcp dport { 465, 587 } accept", rules)
        self.assertNotIn(str(self.host.api_port), rules)  # nobody was named who may reach the API
        self.assertTrue(is_ready(9025), "over loopback everything goes on")

    @only_whole
    def test_9_on_postgresql_steps_of_the_schema_are_taken_before_the_engine_starts(self):
        self.host.command("drain")
        self.host.engine.wait(30)
        self.host.engine = None
        config = {**self.host.variables()["todoku_config"], "queue": {"kind": "store"},
                  "data": {"directory": "/var/lib/todoku/node"},
                  "store": {"kind": "postgres",
                            "postgres": {"address": "postgresql://todoku@127.0.0.1/todoku"}}}
        with Database(("listen_addresses=127.0.0.1",)) as server:
            server.make_user("todoku", SECRET)
            server.make_database("todoku", "todoku")
            for steps_taken in (True, False):
                status, said = self.host.play(
                    "--start-at-task", "Variables of the engine", todoku_config=config,
                    todoku_environment={"TODOKU_STORE__POSTGRES__PASSWORD": SECRET})
                self.assertEqual(status, 0, said)
                taken = "changed" in said.split("[engine : Steps that are missing are taken]")[1].split("TASK")[0]
                self.assertEqual(taken, steps_taken, said)
            self.assertEqual(counts(said)["changed"], 0, said)
            self.host.start_engine()
            self.assertIn("courier", self.host.command("nodes"))
            self.host.command("drain")
            self.host.engine.wait(30)
            self.host.engine = None


class PlaybooksTest(unittest.TestCase):
    def test_ansible_lint_has_nothing_to_say(self):
        with tempfile.TemporaryDirectory() as home:
            done = run("ansible-lint", "--offline", "--nocolor", check=False, cwd=PLAYBOOKS,
                       env={**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_engine_can_read_what_the_examples_make(self):
        for example in ("single", "cluster"):
            with self.subTest(example), tempfile.TemporaryDirectory() as folder:
                play = [{"hosts": "todoku", "gather_facts": False, "connection": "local",
                         "vars_files": [str(path) for path in PLAYBOOKS.glob("roles/*/defaults/main.yml")],
                         "tasks": [{"ansible.builtin.template": {
                             "src": str(PLAYBOOKS / "roles/engine/templates/todoku.toml.j2"),
                             "dest": folder + "/{{ inventory_hostname }}.toml"}}]}]
                path = pathlib.Path(folder) / "play.yml"
                path.write_text(json.dumps(play))
                run("ansible-playbook", "-i", PLAYBOOKS / "examples" / example / "inventory.yml", path,
                    env={**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8"})
                made = list(pathlib.Path(folder).glob("*.toml"))
                self.assertEqual(len(made), {"single": 1, "cluster": 4}[example])
                for each in made:
                    run(BINARY, "config", "show", "--config", each)


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(warnings="ignore")
