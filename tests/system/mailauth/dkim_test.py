# SPDX-License-Identifier: Apache-2.0
"""Signed mails of four signers, changed in many ways, and signatures with any tags, verified by
`todoku dkim verify --batch`, OpenDKIM, dkimpy and Perl's Mail::DKIM.

One name server on loopback answers todoku and Mail::DKIM; OpenDKIM has its keys in a file, dkimpy
asks a function. Which signatures pass must be the same, but for DIFFERENCES, which name the section
that makes ours right.
"""
import argparse
import base64
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "dkim")]

try:
    import dkim
    import hand_signer
    from counterparts_test import MESSAGES
    from dkim_cases import CHANGES, DOMAIN, MAIL, endings, records, tags_for
    from zone_server import ZoneServer
except ImportError:
    sys.exit("missing: apt-get install python3-dkim python3-nacl python3-dnspython")

NOW = int(time.time())
CHANGES_OF_EACH = 5

# who: {pattern of a case's name: the section that makes ours right}; of RFC 6376 where no RFC is
# named.
DIFFERENCES = {
    "opendkim": {
        r" simple/.*: field (folded|spaced|folded over a white line)$":
            "3.4.1; its -t drops white space after the colon",
        r" simple/.*, (folded and spaced fields|empty field): ": "3.4.1, as before",
        r": no line end at the end$": "3.4.4",
        r"^tags: (a=|unknown tag) twice$": "3.2",
        r"^tags: a=rsa-sha1$": "RFC 8301, 3.1",
        r"^tags: h= names DKIM-Signature$": "3.5 (h=): others only, never itself",
        r"^tags: x= of 20 digits$": "3.5 (x=): more than 12 may be infinite",
        r"^record: n= of 3000 octets$": "3.6.1 (n=); its file has short lines",
        r"^tags: h= ends with a colon$": "3.5 (h=) and 6.1.1",
        r"^record: v= in the middle$": "3.6.1 (v=) and 6.1.2",
        r"^record: k=ed25519 of RSA$": "RFC 8463, 4",
        r"^record: Ed25519 without k=$": "3.6.1 (k=): rsa",
        r"^record: PKCS#1$": "3.6.1 (p=)",
        r"^record: p= twice$": "3.2",
        r"^record: another record first$": "3.6.2.2; its file has one a name",
    },
    "dkimpy": {
        r": white space before the colon$": "3.4.2",
        r": another From on top$": "5.4: what is signed is h='s; From twice is for RFC 5322, 3.6",
        r", (only white space|white space oddities): no line end at the end$": "3.4.4",
        r"^tags: a=rsa-sha1$": "RFC 8301, 3.1",
        r"^tags: l= (beyond the body|of 30 digits)$": "3.5 (l=)",
        r"^tags: q= of two$": "3.5 (q=)",
        r"^tags: h= names DKIM-Signature$": "3.5 (h=): others only, never itself",
        r"^tags: i= folded$": "2.11: white space means nothing",
        r"^tags: From not signed$": "5.4 and 6.1.1",
        r"^tags: h= (ends with a colon|is empty)$": "3.5 (h=) and 6.1.1",
        r"^tags: d= with a final dot$": "3.5 (d=)",
        r"^ending: white space ends$": "3.7: the white space around b= is deleted, too",
        r"^record: v= in the middle$": "3.6.1 (v=) and 6.1.2",
        r"^record: h=sha1$": "6.1.2",
        r"^record: s=x:email$": "3.6.1 (s=)",
        r"^record: t=s and i= below$": "3.6.1 (t=)",
        r"^record: another record first$": "3.6.2.2; it takes the first",
    },
    "Mail::DKIM": {
        r": no line end at the end$": "3.4.3",
        r"^tags: no [vh]=$": "3.5 (v=, h=) and 6.1.1",
        r"^tags: (a=|unknown tag) twice$": "3.2",
        r"^tags: a=rsa-sha1$": "RFC 8301, 3.1",
        r"^tags: l=0$": "3.5 (l=) and 8.2",
        r"^tags: l= (beyond the body|of 30 digits)$": "3.5 (l=)",
        r"^tags: t= is no number$": "3.5 (t=) and 6.1.1",
        r"^tags: from the future$": "3.5 (t=)",
        r"^tags: h= names DKIM-Signature$": "3.5 (h=): others only, never itself",
        r"^tags: i= folded$": "2.11: white space means nothing",
        r"^record: another record first$": "3.6.2.2; it takes the first, which is any",
        r"^tags: From not signed$": "5.4 and 6.1.1",
        r"^tags: h= (ends with a colon|is empty)$": "3.5 (h=) and 6.1.1",
        r"^tags: d= with a final dot$": "3.5 (d=)",
        r"^tags: bh= of nothing$": "3.5 (bh=)",
        r"^ending: two semicolons$": "3.2",
        r"^record: v= in the middle$": "3.6.1 (v=) and 6.1.2",
        r"^record: PKCS#1$": "3.6.1 (p=)",
        r"^record: 768 bits$": "RFC 8301, 3.2",
        r"^record: g= of another$": "3.6.1: g= is historic",
        r"^record: h=sha1:sha256$": "3.6.1 (h=): white space around the colon",
    },
}


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def base64_of(octets):
    return base64.b64encode(octets).decode()


class Workshop:
    """Keys, their records, and mails signed with them."""

    def __init__(self, folder, tool):
        self.folder, self.tool, self.made = folder, tool, 0
        self.zone, self.cases, self.keys, self.p = {}, [], {}, {}
        for bits in (2048, 1024, 768):
            self.make_rsa(f"r{bits}", bits)
        seed = bytes(range(32))
        self.keys["e1"] = hand_signer.Ed25519(seed)
        self.seed = base64_of(seed).encode()
        self.p["e1"] = base64_of(bytes(self.keys["e1"].key.verify_key))
        self.keys["sha1"] = hand_signer.RsaSha1(self.read("r2048.pem"))
        for selector in ("r2048", "r1024"):
            self.publish(selector, [f"v=DKIM1; k=rsa; p={self.p[selector]}"])
        self.publish("e1", [self.keys["e1"].record()])
        # As PKCS#8, for todoku.
        self.write("e1.pem", b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(
            bytes.fromhex("302e020100300506032b657004220420") + seed) +
            b"\n-----END PRIVATE KEY-----\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, octets):
        with open(self.path(name), "wb") as file:
            file.write(octets)
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def make_rsa(self, name, bits):
        pem = self.path(name + ".pem")
        run(["openssl", "genrsa", "-traditional", "-out", pem, str(bits)], check=True)
        os.chmod(pem, 0o600)
        der = run(["openssl", "rsa", "-in", pem, "-pubout", "-outform", "DER"], check=True).stdout
        self.p[name] = base64_of(der)
        pkcs1 = run(["openssl", "rsa", "-in", pem, "-RSAPublicKey_out", "-outform", "DER"],
                    check=True).stdout
        self.p[name + " PKCS#1"] = base64_of(pkcs1)
        self.keys[name] = hand_signer.Rsa(self.read(name + ".pem"))

    def publish(self, selector, texts):
        if texts:
            self.zone[f"{selector}._domainkey.{DOMAIN}", "TXT"] = texts

    def add(self, name, octets):
        file = self.write(f"{len(self.cases)}.eml", octets)
        self.cases.append({"id": name, "file": file})

    # -- signers; each gives (selectors, signed mail)
    def by_todoku(self, mail):
        keys = [f"{s}={self.path(s + '.pem')}" for s in ("r2048", "e1")]
        return run([self.tool, "sign", DOMAIN, str(NOW), *keys], input=mail, check=True).stdout

    def by_dkimpy(self, mail, selector, forms, length):
        key = self.seed if selector == "e1" else self.read(selector + ".pem")
        field = dkim.DKIM(mail).sign(
            selector.encode(), DOMAIN.encode(), key,
            signature_algorithm=b"ed25519-sha256" if selector == "e1" else b"rsa-sha256",
            canonicalize=tuple(form.encode() for form in forms.split("/")), length=length)
        return field + mail

    def by_opendkim(self, mail, forms):
        config = self.write("signing.conf", (
            f"Mode s\nDomain {DOMAIN}\nSelector r2048\nKeyFile {self.path('r2048.pem')}\n"
            f"Canonicalization {forms}\nSignatureAlgorithm rsa-sha256\nInternalHosts 0.0.0.0/0\n"
            "RequireSafeKeys no\nOversignHeaders From\n").encode())
        done = run(["/usr/sbin/opendkim", "-x", config, "-vvv", "-t",
                    self.write("unsigned.eml", mail)])
        field = re.search(rb"hname='DKIM-Signature' hvalue='([^']+)'", done.stdout)[1]
        return b"DKIM-Signature: " + field.replace(b"\n", b"\r\n") + b"\r\n" + mail

    def by_mail_dkim(self, mails):
        """[(forms, mail)]"""
        lines = [f"{forms}\t{self.write(f'unsigned{i}.eml', mail)}\n"
                 for i, (forms, mail) in enumerate(mails)]
        done = run(["perl", os.path.join(HERE, "mail_dkim.pl"), "sign", self.path("r2048.pem"),
                    DOMAIN, "r2048"], input="".join(lines).encode(), check=True)
        fields = [line.replace(b"\\n", b"\r\n") for line in done.stdout.splitlines()]
        return [field + b"\r\n" + mail for field, (_, mail) in zip(fields, mails)]

    # -- families
    def add_changed(self):
        rng = random.Random(6376)
        every_form = [f"{h}/{b}" for h in ("simple", "relaxed") for b in ("simple", "relaxed")]
        signed = []
        for kind, mail in MESSAGES.items():
            if kind == "large":
                continue
            signed.append((f"todoku, {kind}", self.by_todoku(mail)))
            for forms in every_form:
                selector, length = rng.choice(["r2048", "r1024", "e1"]), rng.random() < 0.2
                signed.append((f"dkimpy {selector} {forms}{' l=' if length else ''}, {kind}",
                               self.by_dkimpy(mail, selector, forms, length)))
            # OpenDKIM's -t shows its field in another layout than it signs: no simple header.
            for forms in every_form[2:]:
                signed.append((f"opendkim {forms}, {kind}", self.by_opendkim(mail, forms)))
        pairs = [(forms, kind) for kind in MESSAGES if kind != "large" for forms in every_form]
        for (forms, kind), mail in zip(
                pairs, self.by_mail_dkim([(forms, MESSAGES[kind]) for forms, kind in pairs])):
            signed.append((f"Mail::DKIM {forms}, {kind}", mail))
        for name, mail in signed:
            for change in ["as it was"] + rng.sample(list(CHANGES)[1:], CHANGES_OF_EACH):
                self.add(f"{name}: {change}", CHANGES[change](mail))

    def add_by_hand(self):
        for name, (tags, how) in tags_for(NOW):
            key = self.keys[how.pop("key", "r2048")]
            self.add(f"tags: {name}",
                     hand_signer.sign(MAIL, tags + "; bh={bh}; b={b}", key, **how))
        base = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={DOMAIN}; h=from:to:subject; s="
        for name, ending in endings():
            self.add(f"ending: {name}",
                     hand_signer.sign(MAIL, base + "r2048" + ending, self.keys["r2048"]))
        given = records(self.p["r2048"], self.p["r1024"], self.p["r768"], self.p["r2048 PKCS#1"],
                        self.p["e1"])
        for number, (name, (key, texts, more)) in enumerate(given):
            self.publish(f"k{number}", texts)
            tags = base.replace("rsa", "ed25519") if key == "e1" else base
            self.add(f"record: {name}",
                     hand_signer.sign(MAIL, f"{tags}k{number}{more}; bh={{bh}}; b={{b}}",
                                      self.keys[key]))


class Counterparts(unittest.TestCase):
    program = tool = ""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        shop = cls.shop = Workshop(cls.temporary.name, cls.tool)
        shop.add_changed()
        shop.add_by_hand()
        cls.server = ZoneServer(shop.zone)
        cls.server.__enter__()
        cls.ours = cls.todoku()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.temporary.cleanup()

    @classmethod
    def todoku(cls):
        lines = "".join(json.dumps(case) + "\n" for case in cls.shop.cases)
        done = run([cls.program, "dkim", "verify", "--batch", "--resolver",
                    f"127.0.0.1:{cls.server.port}"], input=lines.encode(), timeout=600)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [a["id"] for a in answers] == [c["id"] for c in cls.shop.cases]
        return [answer["signatures"] for answer in answers]

    def compare(self, who, passed, only_rsa=False):
        """`passed`: of each case, the selectors of the signatures that pass."""
        wrong, same = [], 0
        for case, ours, theirs in zip(self.shop.cases, self.ours, passed, strict=True):
            mine = {s["selector"] for s in ours if s["result"] == "pass"}
            if only_rsa:
                mine, theirs = ({s for s in some if s != "e1"} for some in (mine, theirs))
            if only_rsa and ": Ed25519" in case["id"] or mine == theirs:
                same += 1
            elif not any(re.search(pattern, case["id"]) for pattern in DIFFERENCES[who]):
                wrong.append(f"{case['id']}\n    ours {ours}\n    {who} passes {theirs}")
        if wrong:
            self.fail(f"{len(wrong)} of {len(passed)} differ:\n" + "\n".join(wrong))
        self.assertGreater(same, len(passed) * 0.9)

    def test_what_nobody_changed_passes(self):
        for case, ours in zip(self.shop.cases, self.ours):
            if case["id"].endswith(": as it was"):
                self.assertEqual({s["result"] for s in ours}, {"pass"}, case["id"])

    def test_opendkim(self):
        keys = "".join(f"{name} {texts[0]}\n" for (name, _), texts in self.shop.zone.items())
        config = self.shop.write("verifying.conf", (
            f"TestPublicKeys {self.shop.write('keys', keys.encode())}\nMode v\n"
            "RequireSafeKeys no\n").encode())

        def verify(case):
            done = run(["/usr/sbin/opendkim", "-x", config, "-vvv", "-t", case["file"]])
            said = done.stdout.decode(errors="replace")
            return set(re.findall(r"dkim=pass[^;]*header\.s=([\w.]+)", said))

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.compare("opendkim", list(pool.map(verify, self.shop.cases)))

    def test_dkimpy(self):
        def look_up(name, timeout=5):
            texts = self.shop.zone.get((name.decode().rstrip(".").lower(), "TXT"), [""])
            return texts[0].encode()

        def verify(case, ours):
            good = set()
            with open(case["file"], "rb") as file:
                mail = file.read()
            for index, signature in enumerate(ours):
                try:
                    if dkim.DKIM(mail).verify(idx=index, dnsfunc=look_up):
                        good.add(signature["selector"])
                except dkim.DKIMException:
                    pass
                except Exception:  # it stumbles over what it does not expect
                    pass
            return good

        self.compare("dkimpy", [verify(c, o) for c, o in zip(self.shop.cases, self.ours)])

    def test_mail_dkim(self):
        done = run(["perl", os.path.join(HERE, "mail_dkim.pl"), "verify", str(self.server.port)],
                   input="".join(c["file"] + "\n" for c in self.shop.cases).encode(), check=True)
        results = [[word.rpartition("=") for word in line.split()]
                   for line in done.stdout.decode(errors="replace").splitlines()]
        self.compare("Mail::DKIM",
                     [{selector for selector, _, result in line if result == "pass"}
                      for line in results], only_rsa=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--tool", required=True)
    options, rest = parser.parse_known_args()
    Counterparts.program, Counterparts.tool = options.program, options.tool
    unittest.main(argv=[sys.argv[0], *rest])
