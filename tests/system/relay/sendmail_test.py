# SPDX-License-Identifier: Apache-2.0
"""todoku sendmail as ordinary users of the machine call it: by hand, PHP's mail(), cron.

Run by root, who can be everybody else.
"""
import contextlib
import os
import pathlib
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "delivery"))
from installation import Installation, check, check_equal, run  # noqa: E402
from relay_test import FROM, MESSAGE, Relay, free_port, without_ours  # noqa: E402

USER = pwd.getpwnam("www-data")
STRANGER = pwd.getpwnam("games")
# A root of a file system in which there is no other sendmail: every program of /usr/sbin is as it
# was, but for sendmail, which is ours. Postfix's own folders are empty.
WITHOUT_POSTFIX = r"""set -eu
mkdir "$FOLDER/sbin"
mount --bind /usr/sbin "$FOLDER/sbin"
mount -t tmpfs none /usr/sbin
for program in "$FOLDER"/sbin/*; do ln -s "$program" /usr/sbin/; done
rm -f /usr/sbin/sendmail /usr/sbin/postfix /usr/sbin/postdrop
ln -s "$PROGRAM" /usr/sbin/sendmail
for folder in /etc/postfix /usr/lib/postfix /var/spool/postfix; do
  if [ -d "$folder" ]; then mount -t tmpfs none "$folder"; fi
done
"""
CRON = WITHOUT_POSTFIX + r"""mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mount -t tmpfs -o mode=1730 none /var/spool/cron/crontabs
: >"$FOLDER/crontab"
mount --bind "$FOLDER/crontab" /etc/crontab
printf 'TODOKU_SUBMISSION_SOCKET=%s\nMAILTO=root\n@reboot echo the job has said something\n' \
  "$TODOKU_SUBMISSION_SOCKET" >/var/spool/cron/crontabs/www-data
chown www-data:crontab /var/spool/cron/crontabs/www-data
chmod 600 /var/spool/cron/crontabs/www-data
exec cron -f
"""


class Machine(Installation):
    """An engine with a submission socket, and a sendmail for everybody in a folder that everybody may
    enter."""

    def __init__(self, binary, extra=()):
        self.public = pathlib.Path(tempfile.mkdtemp(prefix="todoku-sendmail-"))
        self.public.chmod(0o755)
        self.socket = self.place_of_socket()
        super().__init__(binary, {"receiver.example": [], "sender.example": []}, [
            "[delivery]", "transactional_retry_seconds = [1, 2]", "[smtp_in]",
            'hostname = "relay.sender.example"', f'socket = "{self.socket}"', *extra],
            sink_config=['store_directory = "mails"'])
        self.sendmail = self.public / "sendmail"
        self.sendmail.symlink_to(self.binary)

    def place_of_socket(self):
        return self.public / "submission.sock"

    credential = Relay.credential
    paths, mails, await_mails = Relay.paths, Relay.mails, Relay.await_mails

    def user(self, *options, uid=USER.pw_uid):
        self.credential(f"user{uid}", "--uid", str(uid), "--from", FROM, *options)

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "TODOKU_SUBMISSION_SOCKET": str(self.socket),
                "TODOKU_LANG": "en", "TODOKU_SUBMISSION_SECONDS": "20", **more}

    def start(self, *words, who=USER, program=None, **more):
        return subprocess.Popen(
            ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups",
             str(program or self.sendmail), *words], env=self.environment(**more), cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def call(self, *words, octets=MESSAGE, **more):
        """The exit status, and what it said."""
        called = self.start(*words, **more)
        out, err = called.communicate(octets, timeout=600)
        return called.returncode, (out + err).decode(errors="replace")

    def send(self, *words, **more):
        status, said = self.call(*words, **more)
        check_equal((status, said), (0, ""), f"sendmail {' '.join(words)}")

    def close(self):
        super().close()
        shutil.rmtree(self.public, ignore_errors=True)


@contextlib.contextmanager
def machine(binary, *options):
    with Machine(binary) as made:
        made.user(*options)
        yield made


def lf(message):
    return message.replace(b"\r\n", b"\n")


def a_message_goes_on_as_it_was_written(binary):
    with machine(binary) as here:
        check_equal(here.socket.stat().st_mode & 0o777, 0o666, "the socket's mode")
        here.send("-i", "a@receiver.example", octets=lf(MESSAGE))
        here.send("-i", "-f", FROM, "a@receiver.example", octets=MESSAGE)
        eight_bit = MESSAGE.replace(b"From here", "届きました。".encode())
        here.send("-oi", "a@receiver.example", octets=lf(eight_bit))
        first, second, third = sorted(here.await_mails(3), key=lambda mail: (b"\xe5" in mail, mail))
        for mail in (first, second):
            check_equal(without_ours(mail), MESSAGE, "the message")
        check_equal(without_ours(third), eight_bit, "an 8-bit message")
        received = (f"Received: from localhost\r\n (uid {USER.pw_uid})\r\n by relay.sender.example "
                    "with ESMTPA\r\n for <a@receiver.example>;")
        check(received.encode() in first, f"Received: {first[:500]}")
        status, said = here.call("-v", "-i", "a@receiver.example")
        check(status == 0 and "kept as delivery 4" in said, said)


def recipients_of_the_header_get_it_and_bcc_is_not_told(binary):
    with machine(binary) as here:
        message = (b"To: a@receiver.example\nCc: C <c@receiver.example>,\n d@receiver.example\n"
                   b"Bcc: hidden@receiver.example\nSubject: x\n\ntext\n")
        here.send("-t", "-i", "e@receiver.example", octets=message)
        mails = here.await_mails(5)
        arrived = sorted(entry["rcpt_to"] for entry in here.await_arrivals(5))
        check_equal(arrived, [f"{name}@receiver.example" for name in ("a", "c", "d", "e", "hidden")],
                    "recipients")
        for mail in mails:
            check(b"hidden@" not in mail.split(b"\r\n\r\n", 1)[0].split(b"To: ", 1)[1], mail)
            check(f"From: {FROM}\r\n".encode() in mail, f"a From for who has none: {mail}")
        here.send("-t", "-i", octets=b"Resent-To: anew@receiver.example\n" + message)
        here.await_mails(6)
        check_equal(here.await_arrivals(6)[-1]["rcpt_to"], "anew@receiver.example", "sent anew")


def dots_end_a_message_or_do_not(binary):
    with machine(binary) as here:
        head = b"Subject: dots\n\n"
        here.send("a@receiver.example", octets=head + b"..two\nlast\n.\nafter\n")
        here.send("-i", "a@receiver.example", octets=head + b".\n..two\nlast\n")
        bodies = sorted(mail.split(b"\r\n\r\n", 1)[1] for mail in here.await_mails(2))
        check_equal(bodies, [b".\r\n..two\r\nlast\r\n", b"..two\r\nlast\r\n"], "the bodies")


def addresses_of_this_house_are_the_credentials(binary):
    with machine(binary) as here:
        here.send("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root",
                  octets=b"From: root (Cron Daemon)\nTo: root\nSubject: job\n\nsaid\n")
        mail, = here.await_mails(1)
        check(f"From: Cron Daemon <{FROM}>\r\n".encode() in mail, mail)
        entry, = here.await_arrivals(1)
        check_equal(entry["rcpt_to"], "root@sender.example", "the recipient")
        here.send("-F", "Night Report", "-f", "root@localhost", "www-data@web1",
                  octets=b"Subject: job\n\nsaid\n")
        mail = [mail for mail in here.await_mails(2) if b"Night" in mail][0]
        check(f"From: Night Report <{FROM}>\r\n".encode() in mail, mail)
        here.send("root", octets=b"the disk is full\nBcc: no field\n")
        mail = [mail for mail in here.await_mails(3) if b"the disk" in mail][0]
        check(mail.endswith(b"\r\n\r\nthe disk is full\r\nBcc: no field\r\n"), mail)
        raw = "Subject: Cron <root@web1> echo 届く".encode()
        here.send("root", octets=raw + b"\n\nsaid\n")
        check(any(raw + b"\r\n" in mail for mail in here.await_mails(4)), "a subject of cron's")
        here.command("smtp-credential", "change", "tester", f"user{USER.pw_uid}", "--from", "")
        status, said = here.call("a@receiver.example")
        check_equal(status, 78, f"a sender without an address ({said})")
        check("--from ADDRESS" in said, said)
        status, said = here.call("-f", FROM, "root")
        check_equal(status, 67, f"a recipient without an address ({said})")
        here.send("-i", "-f", FROM, "a@receiver.example")


def refusals_are_exit_statuses(binary):
    with machine(binary) as here:
        status, said = here.call("a@receiver.example", who=STRANGER)
        check_equal(status, 77, f"a stranger ({said})")
        check(f"uid {STRANGER.pw_uid}" in said and "smtp-credential add" in said, said)
        here.user(uid=STRANGER.pw_uid)
        here.send("-i", "a@receiver.example", who=STRANGER)
        here.command("smtp-credential", "revoke", "tester", f"user{STRANGER.pw_uid}")
        check_equal(here.call("a@receiver.example", who=STRANGER)[0], 77, "once revoked")
        other = MESSAGE.replace(b"news@sender.example>\r\nTo", b"boss@other.example>\r\nTo")
        here.command("account", "add", "other")  # now there is somebody to be taken for
        for octets, wanted in ((other, 77), (MESSAGE + b"a\0b\n", 65), (MESSAGE + b"a\rb\n", 65),
                               (b"From: a@sender.example\n" + MESSAGE, 65)):
            status, said = here.call("-i", "a@receiver.example", octets=octets)
            check_equal(status, wanted, f"{octets[:40]!r} ({said})")
        check_equal(here.call()[0], 64, "nobody to send to")
        check_equal(here.call("-bd")[0], 64, "no daemon")
        (here.public / "mailq").symlink_to(here.binary)
        check_equal(here.call(program=here.public / "mailq")[0], 0, "mailq")
        here.await_mails(1)
        check_equal(len(here.settled_log()), 1, "arrivals")


def what_cannot_be_read_is_not_sent(binary):
    """An error on standard input is not its end: half a mail would go."""
    with machine(binary) as here:
        sendmail = shlex.quote(str(here.sendmail))
        for words, ending in (("-i a@receiver.example", "< /"), ("-i a@receiver.example", "<&-"),
                              ("-i -t", "< /"), ("-bs", "< /"), ("-bs", "<&-")):
            done = subprocess.run(
                ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups",
                 "sh", "-c", f"{sendmail} {words} {ending}"], env=here.environment(), cwd="/",
                capture_output=True, timeout=600)
            check_equal(done.returncode, 74, f"{words} {ending}: {done.stderr.decode()}")
        for words in ("send --from a@sender.example --to b@receiver.example --subject s"
                      " --text-file -", "bulk send --from a@sender.example --subject s --text t --csv -"
                      " --at now", "dkim verify -"):
            for ending in ("< /", "<&-"):
                done = subprocess.run(
                    ["sh", "-c", f"{shlex.quote(str(here.binary))} {words} {ending}"],
                    env={**here.environment(), "TODOKU_API_KEY": "none", "HOME": "/nonexistent"},
                    capture_output=True, timeout=600)
                check_equal(done.returncode, 2, f"{words} {ending}: {done.stderr.decode()}")
                said = "Is a directory" if ending == "< /" else "Bad file descriptor"
                check(said in done.stderr.decode(), f"{words} {ending}: {done.stderr.decode()}")
        here.send("-i", "a@receiver.example")
        here.await_mails(1)
        check_equal(len(here.settled_log()), 1, "arrivals")


def a_mail_that_finds_no_room_is_not_sent(binary):
    """Its temporary file reaches a limit: a status, and no signal (SIGXFSZ)."""
    with machine(binary) as here:
        done = subprocess.run(
            ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups",
             "sh", "-c", f"ulimit -f 100; exec {shlex.quote(str(here.sendmail))} -i a@receiver.example"],
            env=here.environment(), cwd="/", input=MESSAGE + b"text\r\n" * 500_000,
            capture_output=True, timeout=600)
        check_equal(done.returncode, 74, done.stderr.decode())
        here.send("-i", "a@receiver.example")
        here.await_mails(1)
        check_equal(len(here.settled_log()), 1, "arrivals")


def programs_speak_smtp_with_it(binary):
    with machine(binary) as here:
        # A dialogue in one piece, as scripts write it; it is not said before the greeting.
        talk = (b"EHLO host\r\nMAIL FROM:<root>\r\nRCPT TO:<a@receiver.example>\r\nDATA\r\n"
                + MESSAGE.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
        status, said = here.call("-bs", octets=talk)
        check_equal(status, 0, said)
        codes = re.findall(r"^(\d\d\d) ", said, re.MULTILINE)
        check_equal(codes, ["220", "250", "250", "250", "354", "250", "221"], said)
        check("AUTH" not in said and "STARTTLS" not in said, f"what is offered: {said}")
        mail, = here.await_mails(1)
        check_equal(without_ours(mail), MESSAGE, "the message")
        status, said = here.call("-bs", octets=talk, who=STRANGER)
        check("530 5.7.0 No credential has uid" in said, said)


def highest_memory(process):
    """Of the program that the process has become, in KB, until its end."""
    highest = 0
    while process.poll() is None:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"^Name:\s+(?:todoku|sendmail)$[\s\S]*^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        highest = int(found.group(1)) if found else highest
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return highest


def large_messages_need_little_memory(binary):
    with machine(binary) as here:
        line = b"0123456789" * 7 + b"\n"
        for octets in (3_000_000, 40_000_000):
            message = MESSAGE + line * (octets // len(line))
            called = here.start("-i", "a@receiver.example")
            threading.Thread(target=lambda: (called.stdin.write(message), called.stdin.close())
                             ).start()
            used = highest_memory(called)
            check_equal(called.returncode, 0, called.stderr.read())
            check(0 < used < 40_000, f"{used} KB for {octets} octets")
        small, large = sorted(here.await_mails(2, 60), key=len)
        check_equal(without_ours(large), MESSAGE + line.replace(b"\n", b"\r\n") *
                    (40_000_000 // len(line)), "a large message")


def it_waits_for_the_engine_for_a_while(binary):
    with machine(binary) as here:
        here.kill_engine()  # its socket stays, and nobody listens
        status, said = here.call("a@receiver.example", TODOKU_SUBMISSION_SECONDS="1")
        check_equal(status, 75, f"without an engine ({said})")
        check("does not answer" in said, said)
        status, said = here.call("-bs", TODOKU_SUBMISSION_SECONDS="0")
        check(status == 75 and said.startswith("421 4.3.2"), said)
        waiting = here.start("-i", "a@receiver.example")
        waiting.stdin.write(MESSAGE)
        waiting.stdin.close()
        waiting.stdin = None
        here.start_engine()
        out, err = waiting.communicate(timeout=600)
        check_equal(waiting.returncode, 0, f"once the engine is there ({out + err})")
        here.await_mails(1)
        check_equal(here.terminate()[0], 0, "the engine's end")
        check(not here.socket.exists(), "its socket goes with it")


def the_network_takes_no_place_of_users(binary):
    """Of 16 connections 14 may come over the network, of one client 8."""
    port = free_port()
    devices = Relay.listener(port, 'tls = "none"', 'auth = "networks"',
                             'networks = ["127.0.0.0/8"]', 'account = "tester"',
                             'from_domain = "sender.example"')
    config = ["enabled = true", "connections_max = 16", *devices]
    with Machine(binary, config) as here, contextlib.ExitStack() as open_ones:
        here.user()

        def connect(number):
            client = open_ones.enter_context(socket.create_connection(
                ("127.0.0.1", port), timeout=20, source_address=(f"127.0.0.{number % 4 + 1}", 0)))
            return client.makefile("rb").readline()[:4]
        check_equal([connect(number) for number in range(14)], [b"220 "] * 14, "the network")
        check_equal(connect(0), b"421 ", "one more")
        here.send("-i", "a@receiver.example")
        here.await_mails(1)


def limits_hold_for_users(binary):
    with machine(binary, "--messages-per-minute", "1", "--connections", "1") as here:
        here.send("-i", "a@receiver.example")
        status, said = here.call("a@receiver.example", TODOKU_SUBMISSION_SECONDS="1")
        check_equal(status, 75, f"a second message in this minute ({said})")
        check("451 4.7.1 Too many messages of this credential" in said, said)


def php_sends_by_it(binary):
    with machine(binary) as here:
        script = here.public / "mail.php"
        script.write_text('<?php exit(mail("a@receiver.example", "Order", "Thank you\n.\nbye\n", '
                          '["From" => "Shop <news@sender.example>", "Bcc" => '
                          '"b@receiver.example"]) ? 0 : 1);\n')
        status, said = here.call("-d", f"sendmail_path={here.sendmail} -t -i", script,
                                 program="/usr/bin/php", octets=b"")
        check_equal((status, said), (0, ""), "mail()")
        for mail in here.await_mails(2):
            check(b"\r\n\r\nThank you\r\n.\r\nbye\r\n" in mail, mail)
            check(b"From: Shop <news@sender.example>\r\n" in mail and b"Bcc" not in mail, mail)


def cron_sends_by_it_where_there_is_no_other(binary):
    with machine(binary) as here:
        folder = here.public / "root"
        folder.mkdir()
        cron = subprocess.Popen(["unshare", "--mount", "sh", "-c", CRON],
                                env={**here.environment(), "FOLDER": str(folder),
                                     "PROGRAM": here.binary},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            mail, = here.await_mails(1, 90)
        finally:
            cron.terminate()
            print(cron.communicate(timeout=60)[0].decode(errors="replace"), end="")
        check(b"the job has said something\r\n" in mail, mail)
        check(f" (uid {USER.pw_uid})\r\n".encode() in mail, mail)
        check(f"<{FROM}>\r\n".encode() in mail and b"Cron" in mail, mail)
        entry, = here.await_arrivals(1)
        check_equal(entry["rcpt_to"], "root@sender.example", "to root")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("not root, who alone can be others: skipped")
        sys.exit(0)
    sys.exit(run(a_message_goes_on_as_it_was_written,
                 recipients_of_the_header_get_it_and_bcc_is_not_told,
                 dots_end_a_message_or_do_not, addresses_of_this_house_are_the_credentials,
                 refusals_are_exit_statuses, what_cannot_be_read_is_not_sent,
                 a_mail_that_finds_no_room_is_not_sent, programs_speak_smtp_with_it,
                 large_messages_need_little_memory, it_waits_for_the_engine_for_a_while,
                 the_network_takes_no_place_of_users, limits_hold_for_users, php_sends_by_it,
                 cron_sends_by_it_where_there_is_no_other))
