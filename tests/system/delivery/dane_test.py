# SPDX-License-Identifier: Apache-2.0
"""Receivers with TLSA records in a signed zone (DANE, RFC 7672) are held to them: the right mails go,
the others wait, and the story says why."""
import hashlib
import subprocess
import sys

from installation import Installation, check, check_equal, run
from stack import ROOT

ZONE = "dane.example"
CONFIG = ["[delivery]", "transactional_retry_seconds = [600]",
          "[sites.off]", f'domains = ["off.{ZONE}"]', "dane = false"]
TLS = "TLSv1.3 TLS_AES_256_GCM_SHA384"
# Whose mail goes, and how that is told.
GOES = {
    "right": f"TLS, certificate verified ({TLS} (DANE))",
    "expired": f"TLS, certificate verified ({TLS} (DANE))",   # usage 3 does not look at dates
    "misnamed": f"TLS, certificate verified ({TLS} (DANE))",  # nor at names
    "authority": f"TLS, certificate verified ({TLS} (DANE))",
    "absent": f"TLS, certificate not verified ({TLS} (self-signed certificate))",
    "unusable": f"TLS, certificate not verified ({TLS} (self-signed certificate; its TLSA records "
                "cannot be used))",
    "off": f"TLS, certificate not verified ({TLS} (self-signed certificate))",
}
NAMED = "the receiver's certificate is not one that its TLSA records (DANE) name"
# Whose mail waits, and what the story says.
WAITS = {
    "wrong": (NAMED, "no matching DANE TLSA records"),
    "expired-authority": (NAMED, "certificate has expired"),
    "clear": ("the receiver does not offer STARTTLS, which its TLSA records (DANE) require",),
    "servfail": (f"the TLSA records (DANE) of mx.servfail.{ZONE} could not be looked up",
                 "SERVFAIL"),
    "bogus": (f"the TLSA records (DANE) of mx.bogus.{ZONE} could not be looked up",
              "DNSSEC validation of TLSA"),
}
DOMAINS = [*GOES, *WAITS]


class Certificates:
    """Made in `directory`; NAME.pem and NAME.key."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.make("authority-itself", "authority.example")

    def openssl(self, *arguments, octets=None):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True,
                              cwd=self.directory, input=octets).stdout

    def make(self, name, host, authority=None, days=30):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-keyout", f"{name}.key"]
        if authority is None and days > 0:
            self.openssl("req", "-x509", *key, "-out", f"{name}.pem", "-subj", f"/CN={host}",
                         "-addext", f"subjectAltName=DNS:{host}", "-days", str(days))
            return
        self.openssl("req", *key, "-out", f"{name}.csr", "-subj", f"/CN={host}")
        (self.directory / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
        signer = (["-signkey", f"{name}.key"] if authority is None else
                  ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial"])
        self.openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-days", str(days),
                     "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        if authority is not None:
            with open(self.directory / f"{name}.pem", "a") as chain:
                chain.write((self.directory / f"{authority}.pem").read_text())

    def key_digest(self, name):
        """TLSA data for selector 1, matching 1."""
        pem = self.openssl("x509", "-in", f"{name}.pem", "-pubkey", "-noout")
        return hashlib.sha256(self.openssl("pkey", "-pubin", "-outform", "DER", octets=pem)).hexdigest()


class SignedInstallation(Installation):
    """The receivers' zone is signed, and the engine has its trust anchor."""

    def __init__(self, binary):
        super().__init__(binary, {}, CONFIG)
        self.certificates = made = Certificates(self.directory / "certificates")
        for name in DOMAINS:
            host = "elsewhere.example" if name == "misnamed" else f"mx.{name}.{ZONE}"
            made.make(name, host, "authority-itself" if "authority" in name else None,
                      -1 if "expired" in name else 30)
        for name in DOMAINS:
            tls = 'tls = "none"' if name == "clear" else 'tls = "good"'
            self.receivers[f"{name}.{ZONE}"] = [
                tls, f'certificate_file = "{made.directory}/{name}.pem"',
                f'private_key_file = "{made.directory}/{name}.key"']
        # Not signed itself, with a host whose records nobody has to believe.
        self.zone = [f"insecure.example. MX 10 mx.wrong.{ZONE}.",
                     f"elsewhere.example. A {self.address_of(DOMAINS.index('absent'))}"]

    def records(self):
        """TLSA records by domain; of `bogus` in a zone of its own, which is not signed."""
        made, stranger = self.certificates, "ab" * 32
        authority = made.key_digest("authority-itself")
        return {
            "right": [f"3 1 1 {stranger}", f"3 1 1 {made.key_digest('right')}"],
            "expired": [f"3 1 1 {made.key_digest('expired')}"],
            "misnamed": [f"3 1 1 {made.key_digest('misnamed')}"],
            "authority": [f"2 1 1 {authority}"],
            "unusable": [f"1 1 1 {stranger}", "3 1 1 abcd"],
            "off": [f"3 1 1 {stranger}"],
            "wrong": [f"3 1 1 {stranger}"],
            "expired-authority": [f"2 1 1 {authority}"],
            "clear": [f"3 1 1 {stranger}"],
            # So that the zone does not prove that there are none; others are asked for them.
            "servfail": [f"3 1 1 {stranger}"],
            "bogus": [f"3 1 1 {stranger}"],
        }

    def zone_file(self, name, lines):
        path = self.directory / f"{name}.zone"
        path.write_text("\n".join([
            f"$ORIGIN {name}.", "$TTL 60", "@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60",
            "@ NS ns.invalid.", *lines]) + "\n")
        return f"{name}={path}"

    def start_dns(self):
        lines = []
        for index, name in enumerate(DOMAINS):
            lines += [f"{name} MX 10 mx.{name}", f"mx.{name} A {self.address_of(index)}"]
            lines += [f"_25._tcp.mx.{name} TLSA {record}" for record in self.records().get(name, [])]
        # Its records stand under the name that it is an alias of.
        lines += ["alias MX 10 mx.alias", "mx.alias CNAME mx.right"]
        # An alias that leads out of signed DNS: its records stand under its own name, and another
        # key than that of who is found there.
        lines += ["out MX 10 mx.out", "mx.out CNAME elsewhere.example.",
                  "_25._tcp.mx.out TLSA 3 1 1 " + "ab" * 32]
        unsigned = f"_tcp.mx.bogus.{ZONE}"
        root = self.directory / "root.zone"
        root.write_text("\n".join([
            "$ORIGIN .", "$TTL 60", "@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60",
            "@ NS ns.invalid.", *self.zone]) + "\n")
        dns = self.directory / "dns"
        done = subprocess.run(
            [ROOT / "tools/local_dns", "start", dns, "0", f".={root}",
             "signed:" + self.zone_file(ZONE, lines),
             self.zone_file(unsigned, ["_25 TLSA 3 1 1 " + self.certificates.key_digest("bogus")]),
             f"_tcp.mx.servfail.{ZONE}="],
            check=True, capture_output=True, text=True)
        self.dns_port = int(done.stdout.split()[-1])
        anchor = subprocess.run([ROOT / "tools/local_dns", "ds", dns, ZONE], check=True,
                                capture_output=True, text=True).stdout
        (self.directory / "anchor").write_text(
            "\n".join(line for line in anchor.splitlines() if " DS " in f" {line} ") + "\n")

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace(
            "[dns]\n", f'[dns]\ntrust_anchor_files = ["{self.directory}/anchor"]\n'))


def holds_receivers_to_their_records(binary):
    with SignedInstallation(binary) as stack:
        sent = [stack.transaction(f"a@{name}.{ZONE}") for name in GOES]
        others = ["a@insecure.example", f"a@alias.{ZONE}"]
        sent += [stack.transaction(address) for address in others]
        waiting = {name: stack.transaction(f"a@{name}.{ZONE}") for name in WAITS}
        stack.transaction(f"a@out.{ZONE}")
        stack.settle(*sent)
        for name, told in GOES.items():
            story = stack.explain(f"a@{name}.{ZONE}")
            check(told in story and "Attempt 2" not in story, f"{name}, {told}:\n{story}")
        # The same host, by a domain of which nothing is proven, takes mail as any other does.
        story = stack.explain("a@insecure.example")
        check(f"mx.wrong.{ZONE}" in story and "TLS, certificate not verified" in story, story)
        story = stack.explain(f"a@alias.{ZONE}")
        check(f"mx.alias.{ZONE}" in story and "(DANE)" in story, story)
        for name, told in WAITS.items():
            story = stack.await_story(f"a@{name}.{ZONE}", "Attempt 1")
            check("deferred:" in story and all(words in story for words in told), f"{name}:\n{story}")
            check("_25._tcp" in story and "_25._tcp" in stack.explain(f"a@{name}.{ZONE}", "ja"),
                  f"{name}, what to do:\n{story}")
            check_equal(stack.counts(waiting[name])[1], 0, f"mails to {name}")
        story = stack.await_story(f"a@out.{ZONE}", "Attempt 1")
        check("deferred:" in story and NAMED in story, f"by an alias that leads out:\n{story}")
        log = stack.await_arrivals(len(sent))
        check_equal(sorted(entry["rcpt_to"] for entry in stack.settled_log()),
                    sorted([f"a@{name}.{ZONE}" for name in GOES] + others),
                    "arrivals")
        check(all(entry["tls"] for entry in log), "nothing went in clear text")
        check_equal(stack.metric("todoku_failures_total", cause="dane_failed"), 4.0, "of receivers")
        check_equal(stack.metric("todoku_failures_total", cause="tlsa_not_answered"), 2.0,
                    "of their name servers")
        check("TLSA レコード（DANE）で示されたものと一致しません" in
              stack.explain(f"a@wrong.{ZONE}", "ja"), "the Japanese story")


if __name__ == "__main__":
    sys.exit(run(holds_receivers_to_their_records))
