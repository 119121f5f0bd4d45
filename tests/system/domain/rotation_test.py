#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From an empty zone of the platform to a changed key: keys by CNAME are published with knsupdate in
a real name server, sign once everybody gets them, and change by themselves. After each step another
implementation verifies a mail, and in none a key that signs is missing in the zone."""
import json
import re
import sqlite3
import subprocess
import unittest

from knot_zone import ADDRESSES, ROOT_ZONE, free_port, home
from home import HomeTest

from api import Api  # noqa: E402

try:
    import dkim
    import dns.resolver
except ImportError:
    raise SystemExit("missing: apt-get install python3-dnspython python3-dkim python3-nacl")

ZONE = "dkim.example.com"
HEAD = """$TTL 2
{zone}. IN SOA ns1.{zone}. hostmaster.{zone}. {serial} 3600 600 86400 1
{zone}. IN NS ns1.{zone}.
ns1.{zone}. IN A 127.0.0.1
"""
CONFIG = """
[engine]
drain_seconds = 5
[api]
listen = "127.0.0.1:{api}"
[dns]
servers = ["127.0.0.1:{dns}"]
check_names = ["."]
timeout_seconds = 2
[doctor]
domain_server_port = {dns}
domain_checks = false
[smtp_out]
hello_name = "mail.example.jp"
return_path_domain = "bounce.example.jp"
allow_private_receivers = true
[sites.defaults]
port = {mail}
[dkim]
platform_zone = "{zone}"
hook = ["{hook}"]
hook_seconds = 5
rotate_days = 0
record_ttl_seconds = 1
"""
SINK = """store_directory = "{home}/mail"
[[receiver]]
name = "one.example"
hostname = "mx.one.example"
listen = ["127.0.2.1:{mail}"]
"""
HOOK = """#!/bin/sh
[ -e {home}/broken ] && {{ echo "the hook is broken" >&2; exit 3; }}
{{ echo "server 127.0.0.1 {port}"; cat; }} | exec knsupdate -t 3
"""
KNOT = """server:
    rundir: "{folder}/run"
    listen: [127.0.0.1@{port}]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: "{folder}/knot.log"
    any: info
database:
    storage: "{folder}/db"
acl:
  - id: here
    address: 127.0.0.1
    action: update
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
  - domain: "."
    file: "{folder}/root.zone"
  - domain: "example.jp"
    file: "{folder}/jp.zone"
  - domain: "{zone}"
    file: "{folder}/dkim.zone"
    zonefile-load: whole
    acl: here
"""


class Rotation(HomeTest):
    def setUp(self):
        super().setUp()
        self.dns = free_port(ADDRESSES[0], with_udp=True)
        self.api = free_port()
        hook = self.home / "hook"
        hook.write_text(HOOK.format(home=self.home, port=self.dns))
        hook.chmod(0o755)
        self.mail_port = free_port("127.0.2.1")
        self.config.write_text(CONFIG.format(api=self.api, dns=self.dns, zone=ZONE, hook=hook,
                                             mail=self.mail_port))
        sink = self.home / "sink.toml"
        sink.write_text(SINK.format(home=self.home, mail=self.mail_port))
        with open(self.home / "sink.log", "w") as log:
            self.sink = subprocess.Popen([home.BINARY, "sink", "--config", str(sink)], stdout=log,
                                         stderr=log)
        self.folder_of_knot = self.home / "knot"
        (self.folder_of_knot / "run").mkdir(parents=True)
        (self.folder_of_knot / "root.zone").write_text(
            ROOT_ZONE.format(serial=1) +
            "one.example. IN MX 10 mx.one.example.\nmx.one.example. IN A 127.0.2.1\n")
        (self.folder_of_knot / "dkim.zone").write_text(HEAD.format(zone=ZONE, serial=1))
        self.aliases("", serial=1)
        conf = self.folder_of_knot / "knot.conf"
        conf.write_text(KNOT.format(folder=self.folder_of_knot, port=self.dns, zone=ZONE))
        self.conf = conf
        with open(self.folder_of_knot / "out.log", "w") as log:
            self.knot = subprocess.Popen(["/usr/sbin/knotd", "-c", str(conf)], stdout=log,
                                         stderr=log)
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers, self.resolver.port = ["127.0.0.1"], self.dns
        self.resolver.lifetime = 3
        self.wait_for(lambda: self.texts("nothing." + ZONE) == [], "the name server")

    def tearDown(self):
        for process in (self.knot, self.sink):
            process.terminate()
            process.wait()
        super().tearDown()

    def aliases(self, records, serial):
        (self.folder_of_knot / "jp.zone").write_text(
            HEAD.format(zone="example.jp", serial=serial) + records)
        if serial > 1:
            subprocess.run(["/usr/sbin/knotc", "-c", str(self.conf), "-b", "zone-reload",
                            "example.jp"],
                           check=True, capture_output=True, timeout=600)

    def texts(self, name):
        """None: nobody answers. An authoritative server follows a CNAME in its own zone alone."""
        try:
            answer = self.resolver.resolve(name, "TXT", raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.DNSException:
            return None
        for rrset in answer.response.answer:
            if rrset.rdtype == dns.rdatatype.CNAME and answer.rrset is None:
                return self.texts(rrset[0].target.to_text())
        return ["".join(part.decode() for part in record.strings) for record in answer.rrset or ()]

    def keys(self):
        done = subprocess.run([home.BINARY, "--config", str(self.config), "--json", "domain", "keys",
                               "example.jp"], text=True, capture_output=True, timeout=600)
        answer = json.loads(done.stdout)["domains"][0]
        return answer, {slot["slot"]: slot["state"] for slot in answer["slots"]}

    def reaches(self, slot, state):
        try:
            self.wait_for(lambda: self.keys()[1][slot] == state, f"{slot} to be {state}", 90)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.keys()[0]} {self.log()[-2000:]}") from error

    def signing(self):
        return json.loads(self.tool("--json", "dkim", "list"))["keys"]

    def mails(self):
        return sorted((self.home / "mail").glob("*.eml"))

    def a_mail_verifies(self, wanted):
        """By dkimpy, which looks the keys up by the CNAMEs; with signatures of these selectors."""
        before = set(self.mails())
        Api(self.api, self.token).call("POST", "/deliveries/transaction", {
            "from": {"email": "news@example.jp"}, "to": "a@one.example", "subject": "hello",
            "text_part": "hello"})
        self.wait_for(lambda: set(self.mails()) - before, "the mail")
        octets = (set(self.mails()) - before).pop().read_bytes()
        selectors = set()
        for index in range(len(wanted)):
            verifier = dkim.DKIM(octets)
            self.assertTrue(verifier.verify(
                idx=index, dnsfunc=lambda name, timeout=5: "".join(
                    self.texts(name.decode())).encode()), octets)
            selectors.add(verifier.signature_fields[b"s"].decode())
        self.assertEqual(selectors, wanted)

    def all_that_sign_are_published(self):
        """What a receiver gets by the CNAME is the key that the engine signs with."""
        signing = self.signing()
        for key in signing:
            self.assertEqual(self.texts(key["dns_name"]), [key["dns_record"]], key["selector"])
        return {key["selector"] for key in signing}

    def as_if_earlier(self, days):
        """The engine stopped, and all that was noted so long ago."""
        self.stop()
        back = days * 86_400 * 1_000
        with sqlite3.connect(self.data / "todoku.db") as store:
            rows = store.execute("SELECT domain, state FROM key_slots WHERE account > 0").fetchall()
            for domain, state in rows:
                lines = bytes(state).decode().split("\n")
                moved = [re.sub(r"\b\d{13,}\b", lambda at: str(int(at.group()) - back), line)
                         if line.startswith("slot ") else line for line in lines]
                store.execute("UPDATE key_slots SET state = ?, look = 1 WHERE domain = ?",
                              ("\n".join(moved).encode(), domain))
        self.start()

    def test_from_an_empty_zone_to_a_changed_key(self):
        shown = self.tool("account", "add", "shop")
        self.token = re.search(r"^bearer token\s+(\S+)$", shown, re.MULTILINE).group(1)
        self.tool("domain", "add", "shop", "example.jp", "--proven")
        self.start()
        shown = json.loads(self.tool("--json", "domain", "setup", "example.jp", "--by", "cname",
                                     "--resolver", f"127.0.0.1:{self.dns}", "--port",
                                     str(self.dns)))
        aliases = [record for record in shown["records"] if record["type"] == "CNAME"]
        self.assertEqual(len(aliases), 4, shown)
        self.reaches("a", "published")
        self.assertEqual(self.signing(), [], "nobody could look them up")
        self.wait_for(lambda: "waits" in self.keys()[0], "the look")
        self.assertEqual(self.keys()[0]["waits"]["code"], "alias_missing")
        self.aliases("".join(record["zone_entry"] for record in aliases), serial=2)
        self.reaches("a", "signing")
        first = self.all_that_sign_are_published()
        self.assertEqual(len(first), 2)
        self.a_mail_verifies(first)

        # A hook that fails: the old keys go on, and it is tried again.
        (self.home / "broken").touch()
        self.tool("domain", "rotate", "example.jp")
        self.wait_for(lambda: "waits" in self.keys()[0], "the failure")
        waits = self.keys()[0]["waits"]
        self.assertEqual(waits["code"], "not_written")
        self.assertIn("the hook is broken", waits["sentence"])
        self.assertEqual(self.all_that_sign_are_published(), first)
        self.a_mail_verifies(first)
        # Killed while it waits, it goes on from there.
        self.engine.kill()
        self.engine.wait()
        (self.home / "broken").unlink()
        self.start()
        self.reaches("b", "signing")
        self.assertEqual(self.keys()[1]["a"], "leaving")
        both = self.all_that_sign_are_published()
        self.assertEqual(len(both), 4, "the old ones stay")
        self.a_mail_verifies(both - first)

        self.as_if_earlier(1)
        self.reaches("a", "drained")
        self.as_if_earlier(6)
        self.assertEqual(self.keys()[1]["a"], "drained")
        self.as_if_earlier(2)
        self.reaches("a", "free")
        second = self.all_that_sign_are_published()
        self.assertEqual(len(second), 2)
        self.assertEqual(second, both - first)
        self.a_mail_verifies(second)
        self.wait_for(lambda: not self.keys()[0]["slots"][0]["in_zone"], "the zone")
        for selector in first:
            self.assertEqual(self.texts(f"{selector}._domainkey.example.jp"), [])
        check = subprocess.run([home.BINARY, "--config", str(self.config), "--json", "domain",
                                "check", "example.jp", "--resolver", f"127.0.0.1:{self.dns}",
                                "--port", str(self.dns)], text=True, capture_output=True, timeout=600)
        codes = [f["code"] for f in json.loads(check.stdout)["findings"]
                 if f["code"].startswith("dkim")]
        self.assertEqual(sorted(codes), ["dkim_cname_ok"] * 2 + ["dkim_ok"] * 2)


if __name__ == "__main__":
    unittest.main()
