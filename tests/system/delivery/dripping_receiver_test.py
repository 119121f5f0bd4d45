# SPDX-License-Identifier: Apache-2.0
"""A receiver whose replies come an octet a second holds a connection no longer than one that is
silent (RFC 5321 section 4.5.3.2: the times are of commands)."""
import os
import socket
import sys
import threading
import time

from installation import Installation, check, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [60]"]
TIMES = {"TODOKU_SMTP_OUT__GREETING_SECONDS": "3", "TODOKU_SMTP_OUT__COMMAND_SECONDS": "3",
         "TODOKU_SMTP_OUT__DATA_END_SECONDS": "3"}
# Where it begins to drip, and what the story says.
MOMENTS = {"connect": "no answer to the greeting within 3 s",
           "EHLO": "no answer to EHLO within 3 s",
           "MAIL": "no answer to MAIL FROM within 3 s",
           "RCPT": "no answer to RCPT TO within 3 s",
           ".": "no answer to the content within 3 s"}


class Dripping:
    """Answers each command, but from `moment` on with a reply that never ends, ten octets a
    second."""

    def __init__(self, address, port, moment):
        self.moment = moment
        self.held = []  # seconds for which the client bore each drip
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        lines = client.makefile("rb")
        command = "connect"
        content = False
        while True:
            if command == self.moment:
                return self.drip(client)
            if not content or command in ("connect", "."):
                content = command == "DATA"
                client.sendall(b"354 go\r\n" if content else b"220 ok\r\n" if command == "connect"
                               else b"250 ok\r\n")
            line = lines.readline().decode(errors="replace").rstrip()
            if not line and not content:
                return None
            command = "" if content and line != "." else line.split(" ")[0].upper()

    def drip(self, client):
        began = time.monotonic()
        try:
            while True:
                for octet in b"250-and so on\r\n":
                    client.sendall(bytes([octet]))
                    time.sleep(0.1)
        except OSError:
            self.held.append(time.monotonic() - began)


def holds_no_connection(binary):
    domains = {f"{'end' if moment == '.' else moment.lower()}.example": moment
               for moment in MOMENTS}
    zone = []
    for index, domain in enumerate(domains):
        zone += [f"{domain}. MX 10 mx.{domain}.", f"mx.{domain}. A 127.0.8.{index + 1}"]
    os.environ.update(TIMES)
    try:
        with Installation(binary, {"good.example": []}, CONFIG, zone=zone) as stack:
            receivers = {domain: Dripping(f"127.0.8.{index + 1}", stack.mail_port, moment)
                         for index, (domain, moment) in enumerate(domains.items())}
            for domain in domains:
                stack.transaction(f"a@{domain}")
            for domain, moment in domains.items():
                story = stack.await_story(f"a@{domain}", "Attempt 1", seconds=20)
                check(MOMENTS[moment] in story, f"{domain}:\n{story}")
            stack.wait_for(lambda: all(each.held for each in receivers.values()), "the hang-ups")
            for domain, receiver in receivers.items():
                check(all(2 < held < 6 for held in receiver.held), f"{domain}: {receiver.held}")
    finally:
        for name in TIMES:
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(run(holds_no_connection))
