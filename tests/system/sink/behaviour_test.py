# SPDX-License-Identifier: Apache-2.0
"""Every behaviour that a sink can be told to show, seen from the other end of the connection."""
import argparse
import contextlib
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

TOOL = None
MESSAGE = b"Message-ID: <%s@example.com>\r\nSubject: x\r\n\r\nHello.\r\n"


class Running:
    """A sink process; `address` is its first listener, `report()` its latest words."""

    def __init__(self, folder, arguments):
        self.last = None
        self.report_file = os.path.join(folder, "report.json")
        self.process = subprocess.Popen(
            [TOOL, "sink", "--seed", "7", "--report-file", self.report_file, *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        while not os.path.exists(self.report_file):
            if self.process.poll() is not None:
                raise AssertionError(self.process.stderr.read().decode())
            time.sleep(0.01)
        self.listening = {name: [tuple(at.rsplit(":", 1)) for at in counts["listening"]]
                          for name, counts in self._read()["receivers"].items()}
        first = next(iter(self.listening.values()))[0]
        self.address = (first[0], int(first[1]))

    def _read(self):
        with open(self.report_file, encoding="utf-8") as file:
            return json.load(file)

    def end(self):
        """Stops it and returns its last report; more than once, if need be."""
        if self.last is None:
            self.process.send_signal(signal.SIGTERM)
            errors = self.process.communicate(timeout=600)[1]
            if self.process.returncode != 0 or b"unhandled" in errors:
                raise AssertionError(errors.decode())
            self.last = self._read()
        return self.last


class Wire:
    """SMTP by hand: one line out, one reply in."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=20)
        self.file = self.socket.makefile("rb")

    def reply(self):
        """The code of the next reply; 0: the connection was closed."""
        try:
            while True:
                line = self.file.readline()
                if len(line) < 4:
                    return 0
                self.text = line[4:].decode().rstrip("\r\n")
                if line[3:4] == b" ":
                    return int(line[:3])
        except ConnectionResetError:
            return 0

    def say(self, line):
        try:
            self.socket.sendall(line.encode() + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return 0
        return self.reply()

    def close(self):
        self.file.close()
        self.socket.close()


class SinkTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.sink = None

    def start(self, receiver="", top="", arguments=()):
        config = os.path.join(self.folder, "sink.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'{top}\n[[receiver]]\nname = "r"\nlisten = "127.0.0.1:0"\n'
                       f'hostname = "mx.example.jp"\n{receiver}\n')
        self.run_sink(["--config", config, *arguments])

    def run_sink(self, arguments):
        if self.sink:
            self.sink.end()
            os.remove(self.sink.report_file)
        self.sink = Running(self.folder, arguments)
        self.addCleanup(self.sink.end)

    def total(self):
        return self.sink.end()["total"]

    def wire(self, hello=True):
        wire = Wire(self.sink.address)
        self.addCleanup(wire.close)
        if hello:
            self.assertEqual(wire.reply(), 220)
            self.assertEqual(wire.say("EHLO client.example.com"), 250)
        return wire

    def send(self, recipient="b@example.jp", number=b"1", wire=None):
        """The codes of one mail's replies until something is refused."""
        wire = wire or self.wire()
        codes = [wire.say("MAIL FROM:<a@example.com>"), wire.say(f"RCPT TO:<{recipient}>")]
        if codes == [250, 250]:
            codes.append(wire.say("DATA"))
            if codes[-1] == 354:
                wire.socket.sendall(MESSAGE % number)
                codes.append(wire.say("."))
        return codes

    # Recipients and words.

    def test_address_rules_show_everything_at_one_domain(self):
        self.start()
        self.assertEqual(self.send("b@example.jp"), [250, 250, 354, 250])
        self.assertEqual(self.send("bounce-552.9@example.jp"), [250, 552])
        self.assertEqual(self.send("defer-451@example.jp"), [250, 451])
        self.assertEqual(self.send("grey@example.jp"), [250, 450])
        self.assertEqual(self.send("grey@example.jp"), [250, 250, 354, 250])
        self.assertEqual(self.send("late-554@example.jp"), [250, 250, 354, 554])
        self.assertEqual(self.send("close-data@example.jp"), [250, 250, 0])
        self.assertEqual(self.send("close-body@example.jp"), [250, 250, 354, 0])
        report = self.sink.end()
        self.assertEqual(report["total"]["messages"], 3)
        self.assertEqual(report["total"]["taken_silently"], 1)
        self.assertEqual(report["total"]["closed_by_script"], 2)
        self.assertEqual(report["domains"]["example.jp"]["refused"], 1)
        self.assertEqual(report["domains"]["example.jp"]["deferred"], 2)

    def test_a_provider_refuses_in_its_own_words(self):
        self.start('provider = "docomo"')
        wire = self.wire()
        wire.say("MAIL FROM:<a@example.com>")
        self.assertEqual(wire.say("RCPT TO:<bounce@docomo.example>"), 550)
        self.assertEqual(wire.text, "Unknown user bounce@docomo.example")

    def test_only_its_domains_are_served(self):
        self.start('domains = ["example.jp", "*.example.jp"]')
        wire = self.wire()
        wire.say("MAIL FROM:<a@example.com>")
        self.assertEqual(wire.say("RCPT TO:<b@sub.example.jp>"), 250)
        self.assertEqual(wire.say("RCPT TO:<b@example.com>"), 554)

    def test_odds_defer_and_refuse_a_share(self):
        self.start("fail_4xx = 0.3\nfail_5xx = 0.2")
        wire = self.wire()
        wire.say("MAIL FROM:<a@example.com>")
        classes = [wire.say(f"RCPT TO:<user{i}@example.jp>") // 100 for i in range(300)]
        self.assertAlmostEqual(classes.count(5), 60, delta=25)
        self.assertAlmostEqual(classes.count(4), 72, delta=30)

    def test_greylisting_accepts_the_second_try(self):
        self.start("greylist = { tries = 2 }")
        self.assertEqual(self.send(), [250, 450])
        self.assertEqual(self.send(), [250, 250, 354, 250])

    def test_greylisting_by_time_waits(self):
        self.start("greylist = { seconds = 3600 }")
        for _ in range(4):
            self.assertEqual(self.send(), [250, 450])

    def test_rules_answer_at_any_moment(self):
        for at, expected in [("connect", 421), ("hello", 550), ("mail", 450), ("rcpt", 451),
                             ("data", 452), ("body", 554)]:
            self.start(f'[[receiver.rule]]\nat = "{at}"\nreply = "{expected} x"')
            wire = self.wire(hello=False)
            codes = [wire.reply(), wire.say("EHLO c"), wire.say("MAIL FROM:<>"),
                     wire.say("RCPT TO:<b@example.jp>"), wire.say("DATA")]
            if codes[-1] == 354:
                codes.append(wire.say("."))
            self.assertIn(expected, codes, at)

    # Limits.

    def test_too_many_messages_on_a_connection_meet_421(self):
        self.start("messages_per_connection_max = 2")
        wire = self.wire()
        self.assertEqual(self.send(wire=wire), [250, 250, 354, 250])
        self.assertEqual(self.send(wire=wire), [250, 250, 354, 250])
        self.assertEqual(wire.say("MAIL FROM:<a@example.com>"), 421)
        self.assertEqual(wire.reply(), 0)

    def test_too_many_connections_meet_421(self):
        self.start("connections_max = 1")
        first = self.wire()
        second = self.wire(hello=False)
        self.assertEqual(second.reply(), 421)
        self.assertEqual(first.say("NOOP"), 250)
        self.assertEqual(self.total()["connections_peak"], 2)

    def test_too_many_messages_a_second_are_deferred(self):
        self.start("messages_per_second_max = 3")
        wire = self.wire()
        start = time.time()
        codes = []
        while codes.count(450) < 20:
            codes.append(wire.say("MAIL FROM:<a@example.com>"))
            wire.say("RSET")
        seconds = int(time.time()) - int(start) + 1
        self.assertLessEqual(codes.count(250), 3 * seconds)

    def test_too_large_messages_and_too_many_recipients(self):
        self.start("size_max = 100\nrecipients_max = 1")
        wire = self.wire()
        self.assertEqual(wire.say("MAIL FROM:<a@example.com> SIZE=101"), 552)
        self.assertEqual(wire.say("MAIL FROM:<a@example.com>"), 250)
        self.assertEqual(wire.say("RCPT TO:<b@example.jp>"), 250)
        self.assertEqual(wire.say("RCPT TO:<c@example.jp>"), 452)
        self.assertEqual(wire.say("DATA"), 354)
        self.assertEqual(wire.say("x" * 200 + "\r\n."), 552)

    # Time.

    def test_delays_hold_back_one_verb(self):
        self.start("delay = { rcpt = 0.3 }")
        wire = self.wire()
        start = time.monotonic()
        wire.say("MAIL FROM:<a@example.com>")
        between = time.monotonic()
        wire.say("RCPT TO:<b@example.jp>")
        self.assertGreaterEqual(time.monotonic() - between, 0.3)
        self.assertLess(between - start, 10)

    def test_a_tarpit_answers_octet_by_octet(self):
        self.start("tarpit = 0.01")
        start = time.monotonic()
        wire = self.wire(hello=False)
        self.assertEqual(wire.reply(), 220)
        self.assertGreaterEqual(time.monotonic() - start, 0.01 * len("220 mx.example.jp ESMTP\r\n"))

    # Closing.

    def test_closes_at_each_moment(self):
        script = ["EHLO c", "MAIL FROM:<>", "RCPT TO:<b@example.jp>", "DATA", ".", "QUIT"]
        for step, at in enumerate(["connect", "hello", "mail", "rcpt", "data", "body", "quit"]):
            self.start(f'close_at = "{at}"')
            wire = self.wire(hello=False)
            codes = [wire.reply()] + [wire.say(line) for line in script]
            self.assertEqual(codes.index(0), step, at)
            total = self.total()
            self.assertEqual(total["closed_by_script"], 1, at)
            self.assertEqual(total["taken_silently"], 1 if at == "body" else 0)

    def test_closes_at_bdat(self):
        self.start('close_at = "bdat"')
        wire = self.wire()
        wire.say("MAIL FROM:<>")
        wire.say("RCPT TO:<b@example.jp>")
        self.assertEqual(wire.say("BDAT 2 LAST\r\n"), 0)

    def test_connections_that_break_within_a_mail_are_counted(self):
        self.start()
        wire = self.wire()
        wire.say("MAIL FROM:<>")
        wire.close()
        while True:
            with open(self.sink.report_file, encoding="utf-8") as file:
                if json.load(file)["total"]["broken_off"] == 1:
                    break
            time.sleep(0.05)

    # TLS.

    def tls_error(self, mode):
        """None if the handshake proves the host; else why not."""
        trusted = os.path.join(self.folder, "trusted.pem")
        self.start(f'tls = "{mode}"', f'certificates_file = "{trusted}"')
        context = ssl.create_default_context()
        if os.path.getsize(trusted):
            context.load_verify_locations(trusted)
        wire = self.wire()
        if wire.say("STARTTLS") != 220:
            return "refused"
        wire.socket.settimeout(0.5 if mode == "stalled" else 20)
        try:
            with context.wrap_socket(wire.socket, server_hostname="mx.example.jp") as secured:
                secured.sendall(b"EHLO again\r\n")
                self.assertTrue(secured.recv(4096).startswith(b"250-"))
                return None
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except (ssl.SSLError, OSError) as error:
            return type(error).__name__

    def test_good_tls_proves_the_host(self):
        self.assertIsNone(self.tls_error("good"))
        self.assertEqual(self.total()["tls_sessions"], 1)

    def test_self_signed_certificates_prove_nothing(self):
        self.assertIn("self-signed", self.tls_error("self_signed").replace("self signed",
                                                                           "self-signed"))

    def test_expired_certificates_are_only_expired(self):
        self.assertEqual(self.tls_error("expired"), "certificate has expired")

    def test_wrong_names_are_only_wrong(self):
        self.assertIn("Hostname mismatch", self.tls_error("wrong_name"))

    def test_a_broken_handshake_fails(self):
        self.assertEqual(self.tls_error("broken"), "SSLError")
        self.assertEqual(self.total()["tls_failures"], 1)

    def test_a_stalled_handshake_hangs(self):
        self.assertIn("imeout", self.tls_error("stalled"))

    def test_without_tls_starttls_is_not_known(self):
        self.assertEqual(self.tls_error("none"), "refused")

    # Extensions.

    def test_extensions_can_be_missing(self):
        self.start('without = ["PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE", '
                   '"ENHANCEDSTATUSCODES"]')
        with smtplib.SMTP(*self.sink.address) as client:
            client.ehlo()
            self.assertEqual(list(client.esmtp_features), ["help"])

    def test_a_receiver_may_know_only_helo(self):
        self.start("ehlo = false")
        wire = self.wire(hello=False)
        wire.reply()
        self.assertEqual(wire.say("EHLO c"), 502)
        self.assertEqual(wire.say("HELO c"), 250)
        self.assertEqual(self.send(wire=wire), [250, 250, 354, 250])

    def test_login_is_asked_for(self):
        self.start('auth_user = "user"\nauth_password = "secret"')
        with smtplib.SMTP(*self.sink.address) as client:
            client.ehlo()
            self.assertEqual(client.mail("a@example.com")[0], 530)
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("user", "wrong")
            client.login("user", "secret")
            self.assertEqual(client.mail("a@example.com")[0], 250)

    # Records.

    def test_duplicates_are_found_across_connections(self):
        self.start()
        for number in [b"1", b"2", b"1", b"1"]:
            self.send(number=number)
        report = self.sink.end()
        self.assertEqual(report["total"]["duplicates"], 2)
        self.assertEqual(report["domains"]["example.jp"]["duplicates"], 2)

    def test_a_load_generator_of_others_is_content(self):
        self.start()
        subprocess.run(["/usr/sbin/smtp-source", "-s", "5", "-m", "200", "-l", "10000", "-f",
                        "a@example.com", "-t", "b@example.jp",
                        "%s:%d" % self.sink.address], check=True, timeout=600)
        total = self.total()
        self.assertEqual(total["messages"], 200)
        self.assertEqual(total["connections"], 200)
        self.assertGreaterEqual(total["octets"], 200 * 10000)

    def test_several_receivers_are_counted_apart(self):
        self.start('\n[[receiver]]\nname = "second"\nlisten = ["127.0.1.1:0", "127.0.1.2:0"]')
        for host, port in self.sink.listening["second"]:
            with contextlib.closing(Wire((host, int(port)))) as wire:
                self.assertEqual(wire.reply(), 220)
                wire.say("EHLO c")
                self.send(wire=wire)
        receivers = self.sink.end()["receivers"]
        self.assertEqual(receivers["second"]["messages"], 2)
        self.assertEqual(receivers["r"]["messages"], 0)

    def test_the_command_line_makes_a_receiver_too(self):
        self.run_sink(["--listen", "127.0.0.1:0", "--provider", "gmail", "--without", "CHUNKING",
                       "--delay", "quit=0.01", "--greylist-tries", "2"])
        self.assertEqual(self.send(), [250, 450])
        self.assertEqual(self.send(), [250, 250, 354, 250])
        self.assertEqual(self.sink.end()["seed"], 7)

    def test_without_a_report_file_the_report_is_printed(self):
        process = subprocess.Popen([TOOL, "sink", "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        while b"sink started" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGUSR1)
        line = b""
        text = b""
        while line != b"}\n":
            line = process.stdout.readline()
            text += line
        seed = json.loads(text)["seed"]
        process.send_signal(signal.SIGINT)
        last = json.loads(process.stdout.read())
        process.stdout.close()
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(last["seed"], seed)

    def test_mistakes_end_it_with_a_sentence(self):
        for arguments, said in [
                (["--listen", "0.0.0.0:0"], "not a loopback address"),
                ([], "listen is missing"),
                (["--listen", "127.0.0.1:0", "--tls", "bad"], "--tls: cannot be"),
                (["--listen", "127.0.0.1:0", "--delay", "rcpt"], "--delay: cannot be"),
                (["--listen", "127.0.0.1:0", "--dkim-sample", "1"], "needs a key file"),
                (["--config", "/nonexistent"], "cannot read /nonexistent")]:
            done = subprocess.run([TOOL, "sink", *arguments], capture_output=True, timeout=600)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(said, done.stderr.decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parsed, rest = parser.parse_known_args()
    TOOL = os.path.abspath(parsed.tool)
    unittest.main(argv=[__file__, *rest])
