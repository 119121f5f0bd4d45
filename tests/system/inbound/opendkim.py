# SPDX-License-Identifier: Apache-2.0
"""OpenDKIM as a filter of mail that comes in: it verifies signatures of one domain, whose key it has."""
import pathlib
import subprocess
import tempfile
import time

import dkim
import patience

DOMAIN, SELECTOR = "reporter.example", "s1"


class OpenDkim:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="opendkim-")
        directory = pathlib.Path(self.folder.name)
        self.socket = directory / "socket"
        self.key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout"], input=self.key, check=True,
                                capture_output=True).stdout.decode().splitlines()
        (directory / "keys").write_text(
            f"{SELECTOR}._domainkey.{DOMAIN} v=DKIM1; k=rsa; p={''.join(public[1:-1])}\n")
        (directory / "internal").write_text("192.0.2.1\n")  # and not this machine
        (directory / "conf").write_text("\n".join([
            "Mode v", f"Socket local:{self.socket}", f"TestPublicKeys {directory}/keys",
            f"InternalHosts {directory}/internal", "AlwaysAddARHeader yes", "AuthservID mx.sender.example",
            "RequireSafeKeys no", "Background no", f"PidFile {directory}/pid"]) + "\n")
        self.process = subprocess.Popen(["/usr/sbin/opendkim", "-x", directory / "conf", "-f"])
        until = patience.until(60)
        while not self.socket.exists() and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.05)

    def signed(self, mail):
        return dkim.sign(mail, SELECTOR.encode(), DOMAIN.encode(), self.key,
                         canonicalize=(b"simple", b"simple")) + mail

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self.folder.cleanup()
