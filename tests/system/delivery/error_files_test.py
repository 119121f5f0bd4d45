# SPDX-License-Identifier: Apache-2.0
"""Files of one account's clients, however slow, many or gone these are, cost the others nothing: no
time, no memory, no clean end. And what is no file of ours is not sent."""
import base64
import concurrent.futures
import http.client
import io
import json
import os
import re
import signal
import socket
import time
import urllib.request
import zipfile

from installation import FROM, Installation, check, check_equal, run
from api import Api, ApiError

RECEIVERS = {"one.example": []}
SOON = 5  # seconds that nobody waits for
PATIENCE = 120
ADDRESSES = 10  # of clients: one may have 64 connections


class House(Installation):
    """Two accounts: `api` is the first one's, `other` the second's."""

    def __init__(self, binary):
        super().__init__(binary, RECEIVERS)

    def __enter__(self):
        super().__enter__()
        shown = self.command("account", "add", "other")
        self.vouch("other")
        self.other = Api(self.api_port, re.search(r"bearer token\s+(\S+)", shown)[1])
        return self

    def error_file(self, rows, octets):
        """The path of an error file of so many rows, which do not get smaller by compression."""
        draft = self.draft()
        csv = b"email\n" + b"".join(b'"%s"\n' % base64.b64encode(os.urandom(octets * 3 // 4))
                                    for _ in range(rows))
        job = self.api.call_multipart("POST", f"/deliveries/{draft}/emails/import", {},
                                      [("list.csv", "text/csv", csv)])["job_id"]
        self.wait_for(lambda: self.api.call(
            "GET", f"/deliveries/-/emails/import/{job}")["status"] == "FAILED", "the import")
        return f"/api/v1/deliveries/-/emails/import/{job}/errorinfo/download"

    def fetch(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=PATIENCE)
        try:
            connection.request("GET", path, None, {"Authorization": f"Bearer {self.api.token}"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def begin(self, head, rest=b"", address=0):
        """A request of the first account that nobody reads the answer of."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.bind((f"127.0.9.{address % ADDRESSES + 1}", 0))
        client.connect(("127.0.0.1", self.api_port))
        client.sendall(f"{head} HTTP/1.1\r\nHost: localhost\r\n"
                       f"Authorization: Bearer {self.api.token}\r\n".encode() + rest + b"\r\n")
        return client

    def check_nobody_waits(self):
        """The other account's import and the operator's figures, at the same time."""
        draft = self.other.call("POST", "/deliveries/bulk/begin", {
            "from": FROM, "subject": "s", "text_part": "t"})["delivery_id"]

        def imported():
            job = self.other.call_multipart(
                "POST", f"/deliveries/{draft}/emails/import", {},
                [("list.csv", "text/csv", b"email\na@one.example\n")])["job_id"]
            path = f"/deliveries/-/emails/import/{job}"
            while self.other.call("GET", path)["percentage"] < 100:
                time.sleep(0.05)

        def answered(path):
            urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}{path}",
                                   timeout=PATIENCE).read()

        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = {"import": pool.submit(imported)}
            for path in ("/metrics", "/healthz", "/readyz"):
                asked[path] = pool.submit(answered, path)
            for what, answer in asked.items():
                try:
                    answer.result(PATIENCE)
                except (OSError, ApiError) as error:
                    check(False, f"{what}: {error}")
                took = time.monotonic() - begun
                check(took < SOON, f"{what} took {took:.1f} s")

    def memory(self):
        """Megabytes."""
        with open(f"/proc/{self.engine.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024

    def check_ends_well(self):
        self.engine.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        status = self.engine.wait(PATIENCE)
        check_equal(status, 0, "status at the end")
        check(time.monotonic() - begun < 20, "it took too long to end")


def abandoned_downloads_hold_up_nobody(binary):
    with House(binary) as stack:
        path = stack.error_file(200, 160_000)
        for i in range(450):
            stack.begin(f"GET {path}", address=i).close()
        stack.check_nobody_waits()
        status, headers, body = stack.fetch(path)
        check_equal(status, 200, "status")
        check_equal(int(headers["Content-Length"]), len(body), "length")
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            check_equal(len(archive.read(archive.namelist()[0]).splitlines()), 201, "rows")
        for i in range(450):
            stack.begin(f"GET {path}", address=i).close()
        stack.check_ends_well()


def downloads_are_not_in_memory(binary):
    with House(binary) as stack:
        path = stack.error_file(200, 160_000)
        before = stack.memory()
        clients = [stack.begin(f"GET {path}", address=i) for i in range(450)]
        answers = [http.client.HTTPResponse(client) for client in clients]
        statuses = []
        for answer in answers:
            answer.begin()
            statuses.append(answer.status)
            if answer.status == 503:
                check(1 <= int(answer.headers["Retry-After"]) <= 10, "Retry-After")
        check_equal(set(statuses), {200, 503}, "statuses")
        check(stack.memory() < before + 100, f"{stack.memory()} MB, {before} before")
        stack.check_nobody_waits()
        for answer, client in zip(answers, clients):
            answer.close()
            client.close()
        stack.wait_for(lambda: stack.fetch(path)[0] == 200, "a place for one more")
        stack.check_ends_well()


def slow_uploads_hold_up_nobody(binary):
    with House(binary) as stack:
        draft = stack.draft()
        clients = [stack.begin(
            f"POST /api/v1/deliveries/{draft}/emails/import",
            b"Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=b\r\n", i)
            for i in range(450)]
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for client in clients:
            try:
                client.sendall(part + b"email\n" * 20_000)
            except OSError:
                pass  # refused, and gone
        folder = stack.directory / "data"
        stack.wait_for(lambda: len(list(folder.glob("*.upload*"))) >= 16, "slow uploads")
        stack.check_nobody_waits()
        stack.check_ends_well()
        for client in clients:
            client.close()
        check_equal(list(folder.glob("*.upload*")), [], "what is left of them")


def what_is_no_file_is_not_sent(binary):
    with House(binary) as stack:
        path = stack.error_file(1, 100)
        [file] = (stack.directory / "data").glob("*.errors.*")
        check_equal(stack.fetch(path)[0], 200, "status")
        whole = file.read_bytes()

        def in_its_place(what, put):
            file.unlink(missing_ok=True)
            put()
            for _ in range(5):  # more than there are threads
                status, _, body = stack.fetch(path)
                check_equal(status, 404, f"status with {what}")
                check("no data found" in str(json.loads(body)), body)
            log = (stack.directory / "engine.log").read_text(errors="replace")
            told = [line for line in log.splitlines() if file.name in line and "error " in line]
            check(told, f"nothing is told of {what}")
            (stack.directory / "engine.log").write_text("")

        in_its_place("nothing", lambda: None)
        in_its_place("a link", lambda: file.symlink_to("/etc/hostname"))
        in_its_place("a pipe", lambda: os.mkfifo(file))
        in_its_place("a folder", file.mkdir)
        file.rmdir()
        file.write_bytes(whole)
        check_equal(stack.fetch(path)[2], whole, "the file again")
        stack.check_nobody_waits()
        stack.check_ends_well()


if __name__ == "__main__":
    raise SystemExit(run(abandoned_downloads_hold_up_nobody, downloads_are_not_in_memory,
                         slow_uploads_hold_up_nobody, what_is_no_file_is_not_sent))
