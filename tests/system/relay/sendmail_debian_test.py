# SPDX-License-Identifier: Apache-2.0
"""todoku as the only sendmail of a Debian machine: the package, cron and PHP in a clean Debian root
without any other mail server, /usr/sbin/sendmail a symlink, and ordinary users who know of nothing
else. The engine is beside the root; its socket is where its users look for it. Needs root.

    sendmail_debian_test.py TODOKU
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "delivery", "relay")]

from debian_root import needed, package, run, unpack  # noqa: E402
from relay_test import FROM  # noqa: E402
from sendmail_test import Machine, USER  # noqa: E402

BINARY = None
# As Debian's cron reads it: its own folder, of the user.
CRONTAB = "MAILTO=root\n@reboot echo the job has said something\n"
PHP = '''exit(mail("a@receiver.example", "Order", "Thank you\n.\nbye\n",
    ["From" => "Shop <news@sender.example>", "Bcc" => "b@receiver.example"]) ? 0 : 1);'''


class Beside(Machine):
    """The engine, with its submission socket inside the root."""

    def __init__(self, root):
        self.root = root
        super().__init__(BINARY)

    def place_of_socket(self):
        return self.root / "run/todoku/submission.sock"


class DebianSendmailTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="todoku-debian-")
        cls.addClassCleanup(cls.work.cleanup)
        cls.root = pathlib.Path(cls.work.name) / "root"
        deb = package(BINARY, "1.0.0")
        unpack(cls.root, deb)
        cls.enter("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes",
                  "--no-install-recommends", "cron", "php-cli", *needed(deb))
        (cls.root / "tmp/todoku.deb").write_bytes(deb.read_bytes())
        cls.enter("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--install", "/tmp/todoku.deb")
        sendmail = cls.root / "usr/sbin/sendmail"
        assert not sendmail.exists(), "the root has a mail server already"
        sendmail.symlink_to("/usr/bin/todoku")
        folder = cls.root / "run/todoku"
        folder.mkdir()
        folder.chmod(0o755)
        cls.engine = cls.enterClassContext(Beside(cls.root))
        cls.engine.user()

    @classmethod
    def words(cls, *command):
        """In the root, with nothing of this process's environment."""
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"', str(cls.root), "env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command]

    @classmethod
    def enter(cls, *command, **more):
        return run(*cls.words(*command), **more)

    def as_user(self, *command, **more):
        return self.enter("setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups",
                          *command, **more)

    def mails_after(self, call, count):
        before = set(self.engine.paths())
        call()
        self.engine.await_mails(len(before) + count, 90)
        return [path.read_bytes() for path in set(self.engine.paths()) - before]

    def test_a_program_that_pipes_into_sendmail(self):
        mail, = self.mails_after(
            lambda: self.as_user("sendmail", "-t", "-i", input="To: a@receiver.example\n"
                                 "Subject: disk\n\nfull\n"), 1)
        self.assertIn(f"From: {FROM}\r\n".encode(), mail)
        self.assertTrue(mail.endswith(b"\r\n\r\nfull\r\n"), mail)
        done = self.as_user("sendmail", "-bp")  # who looks at the queue harms nothing
        self.assertEqual((done.returncode, done.stdout), (0, "Mail queue is empty\n"))

    def test_php_as_it_is_configured_by_debian(self):
        mails = self.mails_after(lambda: self.as_user("php", "-r", PHP), 2)
        for mail in mails:
            self.assertIn(b"\r\n\r\nThank you\r\n.\r\nbye\r\n", mail)
            self.assertIn(b"From: Shop <news@sender.example>\r\n", mail)
            self.assertNotIn(b"Bcc", mail)

    def test_cron_mails_what_a_job_says(self):
        table = self.root / "var/spool/cron/crontabs" / USER.pw_name
        table.write_text(CRONTAB)
        self.enter("chown", f"{USER.pw_name}:crontab", f"/var/spool/cron/crontabs/{USER.pw_name}")
        table.chmod(0o600)

        def start():
            cron = subprocess.Popen(self.words("cron", "-f"), stdout=subprocess.DEVNULL)
            self.addCleanup(cron.wait)
            self.addCleanup(cron.kill)  # and with it whatever runs in its namespace
        mail, = self.mails_after(start, 1)
        self.assertIn(b"the job has said something\r\n", mail)
        self.assertIn(f" (uid {USER.pw_uid})\r\n".encode(), mail)
        self.assertIn(b"Subject: Cron <www-data@", mail)
        self.engine.wait_for(lambda: "root@sender.example" in {
            entry["rcpt_to"] for entry in self.engine.log()}, "the mail to root")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("not root, who alone can be others: skipped")
        sys.exit(0)
    BINARY = sys.argv.pop(1)
    unittest.main()
