# SPDX-License-Identifier: Apache-2.0
"""The zone example.jp on real name servers (knot), for an installation that sends from it."""
import itertools
import json
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system/support"))
sys.path.insert(0, str(ROOT / "tools/demo"))

try:
    import dns.rdatatype
    import dns.zone
except ImportError:
    sys.exit("missing: apt-get install python3-dnspython")
import home  # noqa: E402
import patience  # noqa: E402
from home import HomeTest  # noqa: E402
from ports import free_port  # noqa: E402

ADDRESSES = ["127.0.0.1", "127.0.0.2"]
HEAD = """$TTL 60
example.jp. IN SOA ns1.example.jp. hostmaster.example.jp. {serial} 3600 600 86400 300
example.jp. IN NS ns1.example.jp.
example.jp. IN NS ns2.example.jp.
ns1.example.jp. IN A 127.0.0.1
ns2.example.jp. IN A 127.0.0.2
"""
ROOT_ZONE = """$TTL 60
. IN SOA ns.invalid. hostmaster.invalid. {serial} 3600 600 86400 60
. IN NS ns.invalid.
"""
SENDER = ["--source", "192.0.2.1", "--source", "2001:db8::1", "--return-path", "bounce.example.jp",
          "--reports", "dmarc@example.com"]


class Knot:
    """One server, with the zone example.jp and a root for all else."""
    serials = itertools.count(1)

    def __init__(self, folder, addresses, port):
        self.folder, self.addresses, self.port = folder, addresses, port
        (folder / "run").mkdir(parents=True)
        self.conf = folder / "knot.conf"
        zones = "".join(f'  - domain: "{zone}"\n    file: "{folder / file}"\n'
                        for zone, file in ((".", "root.zone"), ("example.jp", "jp.zone")))
        self.conf.write_text(f"""server:
    rundir: "{folder}/run"
    listen: [{", ".join(f"{address}@{port}" for address in addresses)}]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: "{folder}/knot.log"
    any: info
database:
    storage: "{folder}/db"
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
{zones}""")
        self.process = None

    def write(self, records, elsewhere):
        serial = next(Knot.serials)
        (self.folder / "jp.zone").write_text(HEAD.format(serial=serial) + records)
        (self.folder / "root.zone").write_text(ROOT_ZONE.format(serial=serial) + elsewhere)
        return serial

    def start(self):
        with open(self.folder / "out.log", "w") as log:
            self.process = subprocess.Popen(["/usr/sbin/knotd", "-c", str(self.conf)], stdout=log,
                                            stderr=log)

    def serve(self, records, elsewhere):
        serial = self.write(records, elsewhere)
        if self.process is None:
            self.start()
        else:
            subprocess.run(["/usr/sbin/knotc", "-c", str(self.conf), "-b", "zone-reload"],
                           check=True, capture_output=True, timeout=600)
        self.wait_for(serial)

    def wait_for(self, serial):
        """A zone that cannot be loaded is a mistake of the test."""
        end = patience.until(20)
        told = []
        while time.monotonic() < end:
            told = [subprocess.run(["kdig", "+short", "+timeout=1", "+retry=0", "-p",
                                    str(self.port), "@" + self.addresses[0], zone, "SOA"], text=True,
                                   capture_output=True, timeout=60).stdout.split()
                    for zone in (".", "example.jp")]
            if all(len(soa) > 2 and soa[2] == str(serial) for soa in told):
                return
            time.sleep(0.02)
        raise AssertionError(f"{told}: " + (self.folder / "knot.log").read_text()[-2000:])

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


def read_zone(text):
    """{(name, type): [data]} of what one pastes."""
    zone = dns.zone.from_text(HEAD.format(serial=1) + text, origin="example.jp", relativize=False)
    records = {}
    for name, _, data in zone.iterate_rdatas():
        kind = dns.rdatatype.to_text(data.rdtype)
        if kind not in ("SOA", "NS") and not str(name).startswith("ns"):
            records.setdefault((str(name), kind), []).append(data.to_text())
    return records


def write_zone(records):
    return "".join(f"{name} IN {kind} {value}\n"
                   for (name, kind), values in records.items() for value in values)


def joined(value):
    return "".join(value[1:-1].split('" "'))


def strings(text):
    return " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


class DomainCase(HomeTest):
    apart = True  # a server for each address, which may say different things

    def setUp(self):
        super().setUp()
        self.port = free_port(*ADDRESSES, with_udp=True)
        parts = [[address] for address in ADDRESSES] if self.apart else [ADDRESSES]
        self.servers = [Knot(self.home / part[0], part, self.port) for part in parts]
        self.tool("account", "add", "shop")
        self.asked = ["--resolver", f"127.0.0.1:{self.port}", "--port", str(self.port), *SENDER]
        self.elsewhere = ""

    def tearDown(self):
        for server in self.servers:
            server.stop()
        super().tearDown()

    def serve(self, records, which=None):
        text = records if isinstance(records, str) else write_zone(records)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.serve(text, self.elsewhere),
                          [self.servers[i] for i in which] if which else self.servers))

    def run_check(self, *words):
        done = subprocess.run([home.BINARY, "--config", str(self.config), "--json", *words],
                              text=True, capture_output=True, timeout=600)
        self.assertTrue(done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        return done.returncode, answer["findings"]

    def check(self, *words):
        return self.run_check("domain", "check", "example.jp", *self.asked, *words)

    def setup_green(self):
        self.serve("")
        pasted = self.tool("domain", "setup", "example.jp", "--zone-file", *self.asked)
        lines = pasted.splitlines(keepends=True)
        elsewhere = [line[2:] for line in lines if "_report._dmarc.example.com" in line]
        self.assertEqual(len(elsewhere), 1, pasted)
        self.elsewhere = elsewhere[0]
        self.serve(pasted)
        return read_zone(pasted)
