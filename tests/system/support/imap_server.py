# SPDX-License-Identifier: Apache-2.0
"""Debian's dovecot as the IMAP server of a test: on loopback, over TLS, in a folder, as nobody.

    with ImapServer({"seed": "password"}) as server:
        server.deliver("seed", "Spamverdacht", message)
"""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

import patience
from ports import free_port

DOVECOT = "/usr/sbin/dovecot"
JUNK = "Spamverdacht"  # a name that says nothing: its special use does (RFC 6154)
CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox {junk} {{
    special_use = \\Junk
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class ImapServer:
    def __init__(self, users):
        self.users = users
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="todoku-imap-"))
        self.port = free_port()
        self.certificate = self.folder / "cert.pem"
        self.process = None
        self.count = 0
        # It refuses to work as root; whoever is not is good enough.
        self.owner = pwd.getpwnam("nobody") if os.getuid() == 0 else None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            log = self.folder / "dovecot.log"
            print("--- dovecot.log", log.read_text()[-3000:] if log.exists() else "", sep="\n")
        self.close()

    def start(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        self.folder / "key.pem", "-out", self.certificate],
                       check=True, capture_output=True)
        owner = self.owner or pwd.getpwuid(os.getuid())
        group = subprocess.run(["id", "-gn", owner.pw_name], check=True, capture_output=True,
                               text=True).stdout.strip()
        (self.folder / "run").mkdir()
        (self.folder / "users").write_text(
            "".join(f"{name}:{password}\n" for name, password in self.users.items()))
        for name in self.users:
            for box in ("", f".{JUNK}/"):
                for part in ("cur", "new", "tmp"):
                    (self.folder / "mail" / name / box / part).mkdir(parents=True)
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(CONFIGURATION.format(
            folder=self.folder, user=owner.pw_name, group=group, port=self.port, junk=JUNK))
        rights = {}
        if self.owner:
            rights = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            self.give_away()
        self.folder.chmod(0o755)
        self.process = subprocess.Popen([DOVECOT, "-F", "-c", configuration], **rights)
        until = patience.until(30)
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("dovecot does not listen")
            time.sleep(0.05)

    def give_away(self):
        subprocess.run(["chown", "-R", f"{self.owner.pw_uid}:{self.owner.pw_gid}", self.folder],
                       check=True)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def deliver(self, user, box, message):
        """Files the message (bytes); `box`: "" for the inbox."""
        self.count += 1
        place = self.folder / "mail" / user / (f".{box}" if box else "")
        waiting = place / "tmp" / f"{self.count}.todoku"
        waiting.write_bytes(message)
        if self.owner:
            os.chown(waiting, self.owner.pw_uid, self.owner.pw_gid)
        waiting.rename(place / "new" / waiting.name)

    def messages(self, user):
        """How many lie in any of its folders."""
        return sum(len([each for each in (self.folder / "mail" / user).glob(f"{box}{part}/*")
                        if each.is_file()])
                   for box in ("", ".*/") for part in ("cur", "new"))

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
