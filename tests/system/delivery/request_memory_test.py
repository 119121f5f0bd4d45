# SPDX-License-Identifier: Apache-2.0
"""Bodies that come slowly fill no more than their room, and others get in."""
import re
import socket
import sys
import threading

from installation import Installation, check, check_equal, run
from api import Api  # installation knows where it is

MIB = 1024 * 1024
CLIENTS = 150
OCTETS = int(2.4 * MIB)  # 360 MiB of all
ROOM = 128 * MIB


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


class SlowClients:
    """Each sends a large body but for its end, and then nothing."""

    def __init__(self, port, token):
        self.port, self.token = port, token
        self.answers = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.be_slow, args=(i,)) for i in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def be_slow(self, index):
        head = (f"POST /api/v1/deliveries/transaction HTTP/1.1\r\nHost: a\r\n"
                f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {OCTETS}\r\n\r\n")
        with socket.socket() as client:
            client.bind((f"127.0.30.{1 + index // 10}", 0))  # no client has too many connections
            client.settimeout(5)
            client.connect(("127.0.0.1", self.port))
            try:
                client.sendall(head.encode() + b'{"subject":"' + b"a" * (OCTETS - 30))
                client.settimeout(0.2)
                while not self.over.is_set():
                    try:
                        self.answers.append(client.recv(4096))
                        break
                    except TimeoutError:
                        pass
            except OSError:
                self.answers.append(b"")


def slow_bodies_leave_memory_and_room(binary):
    with Installation(binary, {"one.example": []}) as stack:
        shown = stack.command("account", "add", "neighbour")
        stack.vouch("neighbour")
        token = re.search(r"^bearer token\s+(\S+)$", shown, re.MULTILINE)[1]
        neighbour = Api(stack.api_port, token)
        mail = {"from": {"email": "news@sender.example"}, "to": "a@one.example", "subject": "s"}
        before = resident(stack.engine.pid)
        held = 0
        slow_token = stack.api.token
        with SlowClients(stack.api_port, slow_token) as slow:
            stack.wait_for(lambda: stack.metric("todoku_http_bodies_bytes") > 20 * MIB, "bodies")
            for text in ("short", "x" * 25_000, "short", "x" * 25_000):
                neighbour.call("POST", "/deliveries/transaction", {**mail, "text_part": text})
                held = max(held, stack.metric("todoku_http_bodies_bytes", server="api"))
                stack.transaction("a@one.example")  # of the same account, and small
            stack.wait_for(lambda: stack.metric("todoku_http_bodies_refused_total") > 0, "a refusal")
            stack.wait_for(lambda: len(slow.answers) > CLIENTS / 4, "answers")
            grown = resident(stack.engine.pid) - before
            refused = [answer for answer in slow.answers if answer.startswith(b"HTTP/1.1 503")]
        check(held <= ROOM, f"{held} octets held")
        check(grown < 2 * ROOM, f"{grown / MIB:.0f} MiB more")
        check(refused and b"Retry-After: " in refused[0], slow.answers[:3])
        stack.wait_for(lambda: stack.metric("todoku_http_bodies_bytes") == 0, "the room")
        check_equal(stack.metric("todoku_unhandled_exceptions_total"), 0.0, "exceptions")


if __name__ == "__main__":
    sys.exit(run(slow_bodies_leave_memory_and_room))
