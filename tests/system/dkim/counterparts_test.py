# SPDX-License-Identifier: Apache-2.0
"""Messages of every kind, signed by us and verified by OpenDKIM and dkimpy, and the other way round.

No DNS is asked: dkimpy takes a look-up function, OpenDKIM a file of keys (TestPublicKeys).
"""
import argparse
import base64
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import dkim
    import dns.zone
except ImportError:
    sys.exit("missing: apt-get install python3-dkim python3-dnspython python3-nacl opendkim")

DOMAIN = "example.jp"
SELECTORS = {"r1": "rsa", "e1": "ed25519"}
NOW = int(time.time())  # dkimpy signs at no other time

HEAD = (
    b"From: =?UTF-8?B?5bGK44GP?= <news@example.jp>\r\n"
    b"To: suzuki@example.com\r\n"
    b"Subject: Hello\r\n"
    b"Date: Thu, 1 Jan 2026 09:00:00 +0900\r\n"
    b"Message-ID: <1@example.jp>\r\n"
    b"MIME-Version: 1.0\r\n"
)
TEXT = HEAD + b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def base64_lines(octets):
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


MESSAGES = {
    "text": TEXT + b"\r\nHello,\r\n\r\nit has arrived.\r\n",
    "text in Japanese, 8 bit": TEXT + "\r\n鈴木様\r\n\r\n届きました。\r\n".encode(),
    "html": HEAD
    + b"Content-Type: text/html; charset=UTF-8\r\n"
    + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    + b"<html><body>=E5=B1=8A=E3=81=8F\r\n<p>a =3D b=20\r\n</p></body></html>\r\n",
    "multipart with attachment": HEAD
    + b'Content-Type: multipart/mixed;\r\n boundary="=_b"\r\n\r\n'
    + b"--=_b\r\nContent-Type: text/plain; charset=UTF-8\r\n"
    + b"Content-Transfer-Encoding: base64\r\n\r\n"
    + base64_lines("届く\r\n".encode() * 40)
    + b"\r\n--=_b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    + b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64_lines(bytes(range(256)) * 1200)
    + b"\r\n--=_b--\r\n",
    "ISO-2022-JP": HEAD.replace(b"Hello", b"=?ISO-2022-JP?B?GyRCRk8kLxsoQg==?=")
    + b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"
    + "届きました。\r\n".encode("iso-2022-jp"),
    "Japanese encoded words, folded": TEXT.replace(
        b"Hello",
        b"=?UTF-8?B?44GK5b6F44Gf44Gb?=\r\n =?UTF-8?B?44GX44G+44GX44Gf?=\r\n\t=?UTF-8?Q?a?=",
    )
    + b"\r\nx\r\n",
    "folded and spaced fields": TEXT.replace(
        b"To: suzuki@example.com",
        b'To:   "Suzuki,  A" <a@example.com>,\r\n   b@example.com  ,\r\n\t c@example.com \t',
    )
    + b"\r\nx\r\n",
    "fields in UTF-8": TEXT.replace(b"Hello", "届く".encode()) + b"\r\nx\r\n",
    "names in other cases": TEXT.replace(b"Subject", b"SUBJECT").replace(b"From", b"fROM")
    + b"\r\nx\r\n",
    "cc, reply-to, list and feedback fields": TEXT
    + b"Cc: c@example.com\r\nReply-To: r@example.jp\r\n"
    + b"List-Unsubscribe: <https://example.jp/u/1>,\r\n <mailto:u@example.jp>\r\n"
    + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    + b"List-Id: news <news.example.jp>\r\nFeedback-ID: a:b:c\r\n"
    + b"In-Reply-To: <0@example.jp>\r\nReferences: <0@example.jp>\r\n <00@example.jp>\r\n"
    + b"\r\nx\r\n",
    "repeated fields": b"Received: from a\r\nReceived: from b\r\n"
    + TEXT
    + b"To: d@example.com\r\nReferences: <1@example.jp>\r\n\r\nx\r\n",
    "empty field": TEXT.replace(b"Subject: Hello", b"Subject:") + b"\r\nx\r\n",
    "empty body": TEXT + b"\r\n",
    "only blank lines": TEXT + b"\r\n\r\n\r\n\r\n",
    "only white space": TEXT + b"\r\n  \r\n\t\r\n \t \r\n",
    "blank lines before and after": TEXT + b"\r\n\r\n\r\nx\r\n\r\ny\r\n\r\n\r\n",
    "white space oddities": TEXT
    + b"\r\n  a  b\t\tc \t\r\n\td\r\n \r\ne \r\n\t\r\n  \r\nf  g   h\r\n \r\n",
    "dots at line starts": TEXT + b"\r\n.\r\n..\r\n.a\r\n",
    "long lines": TEXT + b"\r\n" + b"a b " * 240 + b"\r\n" + b"x" * 997 + b"\r\n",
    "large": TEXT + b"\r\n" + b"It arrives.  It really does. \r\n" * 20000,
}


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


class Counterparts(unittest.TestCase):
    tool = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.records = {}
        cls.zone_entries = {}
        cls.pems = {}
        for selector, kind in SELECTORS.items():
            pem = cls.path(selector + ".pem")
            name = f"{selector}._domainkey.{DOMAIN}"
            made = run([cls.tool, "generate", kind, pem, name], check=True)
            os.chmod(pem, 0o600)
            cls.pems[selector] = pem
            cls.records[name], cls.zone_entries[name] = made.stdout.decode().split("\n", 1)
        cls.write("records", "".join(f"{k}\t{v}\n" for k, v in cls.records.items()).encode())
        cls.write("opendkim.keys", "".join(f"{k} {v}\n" for k, v in cls.records.items()).encode())
        cls.write(
            "opendkim.conf",
            f"TestPublicKeys {cls.path('opendkim.keys')}\nMode v\nRequireSafeKeys no\n".encode(),
        )

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def write(cls, name, octets):
        with open(cls.path(name), "wb") as file:
            file.write(octets)

    def sign(self, message):
        keys = [f"{selector}={pem}" for selector, pem in self.pems.items()]
        done = run([self.tool, "sign", DOMAIN, str(NOW), *keys], input=message)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.endswith(message))
        return done.stdout

    def our_verdicts(self, message):
        done = run([self.tool, "verify", str(NOW), self.path("records")], input=message)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.decode().splitlines()
        return {fields[1]: fields[0] for fields in (line.split("\t") for line in lines)}

    def look_up(self, name, timeout=5):
        return self.records.get(name.decode().rstrip("."), "").encode()

    def dkimpy_verdicts(self, message):
        verdicts = {}
        for index in range(len(SELECTORS)):
            verifier = dkim.DKIM(message)
            try:
                good = verifier.verify(idx=index, dnsfunc=self.look_up)
            except dkim.ValidationError:  # its way to say that the body hash differs
                good = False
            selector = verifier.signature_fields[b"s"].decode()
            verdicts[selector] = "pass" if good else "fail"
        return verdicts

    def opendkim_verdicts(self, message):
        self.write("message.eml", message)
        done = run(
            ["/usr/sbin/opendkim", "-x", self.path("opendkim.conf"), "-vvv", "-t",
             self.path("message.eml")]
        )
        said = (done.stdout + done.stderr).decode()
        found = re.findall(r"dkim=(\w+)[^;]*header\.s=(\w+)", said)
        self.assertTrue(found, said)
        return {selector: verdict for verdict, selector in found}

    def signed_messages(self):
        for kind, message in MESSAGES.items():
            with self.subTest(kind):
                yield kind, self.sign(message)

    def test_zone_file_entries_hold_the_records(self):
        for name, entry in self.zone_entries.items():
            zone = dns.zone.from_text(
                "$TTL 60\n@ SOA ns.example.jp. a.example.jp. 1 2 3 4 5\n@ NS ns.example.jp.\n"
                + entry,
                origin=DOMAIN,
            )
            (record,) = zone.find_rdataset(name + ".", "TXT")
            self.assertTrue(all(len(part) <= 255 for part in record.strings))
            self.assertEqual(b"".join(record.strings).decode(), self.records[name])

    EVERY_PASS = dict.fromkeys(SELECTORS, "pass")

    def test_our_verifier_accepts_our_signatures(self):
        for _, signed in self.signed_messages():
            self.assertEqual(self.our_verdicts(signed), self.EVERY_PASS)

    def test_dkimpy_accepts_our_signatures(self):
        for _, signed in self.signed_messages():
            self.assertEqual(self.dkimpy_verdicts(signed), self.EVERY_PASS)

    def test_opendkim_accepts_our_signatures(self):
        for _, signed in self.signed_messages():
            self.assertEqual(self.opendkim_verdicts(signed), self.EVERY_PASS)

    def test_everyone_refuses_a_changed_message(self):
        signed = self.sign(MESSAGES["text"])
        for changed in (
            signed.replace(b"arrived", b"Arrived"),
            signed.replace(b"Subject: Hello", b"Subject: hello"),
            b"Subject: another\r\n" + signed,
            b"Cc: x@example.com\r\n" + signed,
        ):
            with self.subTest(changed[:20]):
                for verdicts in (
                    self.our_verdicts(changed),
                    self.dkimpy_verdicts(changed),
                    self.opendkim_verdicts(changed),
                ):
                    self.assertEqual(verdicts, dict.fromkeys(SELECTORS, "fail"))

    def test_our_verifier_accepts_signatures_of_dkimpy(self):
        forms = (b"relaxed", b"simple")
        for kind, message in MESSAGES.items():
            for selector, algorithm in SELECTORS.items():
                for header in forms:
                    for body in forms:
                        with self.subTest(f"{kind}, {algorithm}, {header}/{body}"):
                            signed = self.sign_with_dkimpy(
                                message, selector, algorithm, (header, body)
                            )
                            self.assertEqual(self.our_verdicts(signed), {selector: "pass"})

    def test_our_verifier_understands_partial_bodies_of_dkimpy(self):
        for form in (b"relaxed", b"simple"):
            signed = self.sign_with_dkimpy(
                MESSAGES["white space oddities"], "r1", "rsa", (form, form), length=True
            )
            self.assertIn(b"l=", signed)
            self.assertEqual(self.our_verdicts(signed + b"more\r\n"), {"r1": "pass"})
            self.assertEqual(self.our_verdicts(signed.replace(b"f  g", b"f  G")), {"r1": "fail"})

    def sign_with_dkimpy(self, message, selector, algorithm, forms, length=False):
        if algorithm == "rsa":
            with open(self.pems[selector], "rb") as file:
                key = file.read()
        else:
            # dkimpy wants the bare seed, which ends the PKCS#8 structure.
            with open(self.pems[selector], "rb") as file:
                lines = file.read().split(b"\n")
            key = base64.b64encode(base64.b64decode(b"".join(lines[1:-2]))[-32:])
        field = dkim.DKIM(message).sign(
            selector.encode(),
            DOMAIN.encode(),
            key,
            signature_algorithm=algorithm.encode() + b"-sha256",
            canonicalize=forms,
            length=length,
        )
        return field + message

    def test_our_verifier_accepts_signatures_of_opendkim(self):
        for kind, message in MESSAGES.items():
            for selector, algorithm in SELECTORS.items():
                # Not simple for headers: OpenDKIM's -t mode prints its field in another layout than
                # it signs, and refuses that itself. dkimpy covers that form.
                for forms in ("relaxed/relaxed", "relaxed/simple"):
                    with self.subTest(f"{kind}, {algorithm}, {forms}"):
                        signed = self.sign_with_opendkim(message, selector, algorithm, forms)
                        self.assertEqual(self.our_verdicts(signed), {selector: "pass"})

    def sign_with_opendkim(self, message, selector, algorithm, forms):
        self.write(
            "signing.conf",
            f"Mode s\nDomain {DOMAIN}\nSelector {selector}\nKeyFile {self.pems[selector]}\n"
            f"Canonicalization {forms}\nSignatureAlgorithm {algorithm}-sha256\n"
            "InternalHosts 0.0.0.0/0\nRequireSafeKeys no\nOversignHeaders From,Subject\n".encode(),
        )
        self.write("message.eml", message)
        done = run(
            ["/usr/sbin/opendkim", "-x", self.path("signing.conf"), "-vvv", "-t",
             self.path("message.eml")]
        )
        # It prints what it would tell the MTA to insert, with bare line feeds.
        found = re.search(rb"hname='DKIM-Signature' hvalue='([^']+)'", done.stdout)
        self.assertTrue(found, done.stdout + done.stderr)
        return b"DKIM-Signature: " + found[1].replace(b"\n", b"\r\n") + b"\r\n" + message


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    options, rest = parser.parse_known_args()
    Counterparts.tool = options.tool
    unittest.main(argv=[sys.argv[0], *rest])
