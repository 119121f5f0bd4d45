# SPDX-License-Identifier: Apache-2.0
"""A release is signed and verified; whatever is changed, added, taken away or signed by another key is found.

usage: release_test.py
"""
import base64
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system/support"))
from whole import WHOLE  # noqa: E402

SIGN, VERIFY = ROOT / "deploy/bin/sign", ROOT / "deploy/bin/verify"
FILES = {"todoku.oci.tar": random.Random(1).randbytes(5000), "sbom.spdx.json": b"{}\n", "digest": b"sha256:00\n",
         "todoku_1.2.0~rc1+git1_amd64.deb": random.Random(2).randbytes(3000)}
VERSION = "1.2.0-rc1"


def run(*words, status=0):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != status:
        raise AssertionError(f"{words}: {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class ReleaseTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory(prefix="todoku-release-")
        self.addCleanup(work.cleanup)
        self.work = pathlib.Path(work.name)
        self.key, self.public = self.new_key("ours")
        for name, octets in FILES.items():
            (self.work / name).write_bytes(octets)

    def new_key(self, name, algorithm="ed25519"):
        private, public = self.work / f"{name}.pem", self.work / f"{name}.pub"
        run("openssl", "genpkey", "-algorithm", algorithm, "-out", private)
        private.chmod(0o600)
        run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
        return private, public

    def sign(self, *words, status=0, into="signed"):
        return run(SIGN, *(words or ("--key", self.key)), "--version", VERSION, "--into", self.work / into,
                   *(self.work / name for name in FILES), status=status)

    def verify(self, *words, status=0, key=None, folder="signed"):
        return run(VERIFY, "--key", key or self.public, *words, self.work / folder, status=status)

    def test_what_was_signed_is_told_as_that(self):
        self.sign()
        self.assertEqual(self.verify("--version", VERSION), f"todoku {VERSION}: 4 files as they were signed\n")
        for name, octets in FILES.items():
            self.assertEqual((self.work / "signed" / name).read_bytes(), octets)
        # Whoever has no verify reads it with what every machine has.
        run("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", self.public, "-in",
            self.work / "signed/SHA256SUMS", "-sigfile", self.raw_signature())

    def raw_signature(self):
        raw = self.work / "raw"
        raw.write_bytes(base64.b64decode((self.work / "signed/SHA256SUMS.sig").read_text()))
        return raw

    def test_any_altered_octet_is_found(self):
        self.sign()
        chance = random.Random(int(os.environ.get("TODOKU_SEED", "7")))
        for path in sorted((self.work / "signed").iterdir()):
            octets = path.read_bytes()
            small = path.name.startswith("SHA256SUMS.")
            places = range(0, len(octets), 1 if WHOLE else 9) if small else [0, len(octets) - 1, *(chance.randrange(len(octets)) for _ in range(4))]
            for place in places:
                changed = bytearray(octets)
                changed[place] ^= 1 << chance.randrange(8)
                path.write_bytes(changed)
                said = self.verify(status=1)
                self.assertIn("NOT as it was signed", said, f"{path.name}: octet {place}")
            for cut in (octets[:-1], octets + b"\n", b""):
                path.write_bytes(cut)
                self.verify(status=1)
            path.write_bytes(octets)
        self.verify()

    def test_a_file_that_is_missing_or_too_many_is_found(self):
        self.sign()
        folder = self.work / "signed"
        for name in [*FILES, "SHA256SUMS", "SHA256SUMS.sig"]:
            away = folder / name
            away.rename(self.work / "away")
            self.assertIn(name, self.verify(status=1))
            (self.work / "away").rename(away)
        for name in ("install.sh", ".hidden", "..odd", "todokuXoci.tar"):
            (folder / name).write_text("echo hello\n")
            self.assertIn(f"{name} is no file of the release", self.verify(status=1))
            (folder / name).unlink()
        for name in ("digest\nmore", "digest*", "[digest"):
            (folder / name).write_text("echo hello\n")
            self.assertIn("is no file of the release", self.verify(status=1))
            (folder / name).unlink()
        (folder / "digest").unlink()
        (folder / "digest").symlink_to(self.work / "digest")
        self.assertIn("digest is missing", self.verify(status=1))

    def test_another_key_and_an_older_release_are_found(self):
        self.sign()
        other, others_public = self.new_key("other")
        self.assertIn("signature", self.verify(key=others_public, status=1))
        self.sign("--key", other, into="others")
        self.assertIn("signature", self.verify(folder="others", status=1))
        shutil.copy(self.work / "others/SHA256SUMS.sig", self.work / "signed/SHA256SUMS.sig")
        self.verify(status=1)
        self.sign(into="again")
        self.assertIn(f"it is release {VERSION}", self.verify("--version", "1.3.0", folder="again", status=1))

    def test_a_list_that_somebody_else_made_leads_nowhere(self):
        """Signed by us, and odd all the same: a key that was lent must not lead out of the folder."""
        for line in ("0" * 64 + "  ../../etc/passwd", "0" * 64 + " *digest", "# comment", ""):
            folder = self.work / "odd"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "digest").write_bytes(FILES["digest"])
            (folder / "SHA256SUMS").write_text(f"# todoku release {VERSION}\n{line}\n")
            run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", folder / "SHA256SUMS", "-out",
                self.work / "raw")
            (folder / "SHA256SUMS.sig").write_text(base64.b64encode((self.work / "raw").read_bytes()).decode() + "\n")
            self.assertIn("the list has a line that is none", self.verify(folder="odd", status=1))

    def test_a_key_in_a_safe_signs_by_a_command(self):
        # As a service of keys does: octets in, base64 out.
        signer = self.work / "signer"
        signer.write_text(f'#!/bin/sh\ncat >"$1/in"\nopenssl pkeyutl -sign -rawin -inkey {self.key} -in "$1/in" | base64\n')
        signer.chmod(0o700)
        self.sign("--signer", f"{signer} {self.work}")
        self.verify()
        self.assertIn("no signature of Ed25519", self.sign("--signer", "echo AAAA", into="bad", status=2))
        self.assertFalse((self.work / "bad/SHA256SUMS").exists(), "an unfinished release looks like none")
        self.assertIn("the signer failed", self.sign("--signer", "false", into="worse", status=2))

    def test_what_cannot_be_signed_is_refused_with_its_reason(self):
        self.key.chmod(0o644)
        self.assertIn("others can read", self.sign(status=2))
        self.key.chmod(0o600)
        rsa, _ = self.new_key("rsa", "RSA")
        self.assertIn("is no private key of Ed25519", self.sign("--key", rsa, status=2))
        self.assertIn("who signs?", self.sign("--into", self.work / "signed", status=2))
        self.sign()
        self.assertIn("is not empty", self.sign(status=2))
        (self.work / "a b").write_text("")
        self.assertIn("cannot be called", run(SIGN, "--key", self.key, "--version", "1", "--into", self.work / "x",
                                              self.work / "a b", status=2))


if __name__ == "__main__":
    unittest.main(warnings="ignore")
