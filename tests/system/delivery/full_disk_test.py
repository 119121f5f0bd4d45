# SPDX-License-Identifier: Apache-2.0
"""A full disk under the data folder: requests are refused with words that help, nothing that was
acknowledged is lost or goes twice, the log is not flooded, and all goes on by itself when there is
room again.

The data folder is a small tmpfs in a mount namespace of this test; skipped where none can be made.
"""
import http.client
import json
import os
import subprocess
import sys
import time

from installation import Installation, check, check_equal, check_exactly_once, run
import processes  # (installation knows where it is)

SKIPPED = 77
DISK_BYTES = 24 << 20
BULK = 900
HOLD_SECONDS = 6
# Each part of the engine tells once that the disk refuses it, and once that it no longer does.
LOG_LINES_MAX = 8
UNRECORDED_MAX = 50
CONNECTIONS_MAX = 5  # to each of the two receivers
DRAIN_SECONDS = 2


def in_own_mount_namespace():
    """Starts this program again where it may mount, and does not return."""
    for flags in (["--mount"], ["--mount", "--map-root-user"]):
        command = ["unshare", *flags, "--propagation", "private"]
        if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                          capture_output=True).returncode == 0:
            os.environ["TODOKU_MAY_MOUNT"] = "1"
            os.execvp("unshare", [*command, sys.executable, "-B", *sys.argv])
    print("skipped: neither root nor user namespaces, so no small disk can be mounted")
    sys.exit(SKIPPED)


class SmallDisk(Installation):
    def __init__(self, binary, disk_bytes=DISK_BYTES, **more):
        self.disk_bytes = disk_bytes
        super().__init__(binary, {"one.example": [], "two.example": []},
                         ["[delivery]", f"unrecorded_max = {UNRECORDED_MAX}", "[engine]",
                          f"drain_seconds = {DRAIN_SECONDS}"],
                         site_defaults=[f"connections_max = {CONNECTIONS_MAX}",
                                        "messages_per_second = 60"], **more)
        self.data = self.directory / "data"
        self.data.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.disk_bytes},mode=0700", "none",
                        self.data], check=True)

    def close(self):
        processes.stop_all(self.directory)
        subprocess.run(["umount", "--lazy", self.data], check=False)
        super().close()

    def fill_disk(self, leave):
        facts = os.statvfs(self.data)
        with open(self.data / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, facts.f_bavail * facts.f_frsize - leave)

    def make_room(self, octets):
        with open(self.data / "ballast", "r+b") as file:
            file.truncate(max(0, file.seek(0, os.SEEK_END) - octets))

    def log_bytes(self):
        return (self.data / "todoku.db-wal").stat().st_size

    def empty_disk(self):
        (self.data / "ballast").unlink()

    def post(self, path, body, content_type="application/json"):
        """(status, Retry-After, text) of a POST, whatever it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)
        try:
            connection.request("POST", f"/api/v1{path}", body, {
                "Authorization": f"Bearer {self.api.token}", "Content-Type": content_type,
                "Accept-Language": "en-US"})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Retry-After"), answer.read().decode()
        finally:
            connection.close()

    def post_transaction(self, address):
        return self.post("/deliveries/transaction", json.dumps({
            "from": {"email": "shop@sender.example"}, "to": address, "subject": "receipt",
            "text_part": "Thank you.\n" * 1_000}))

    def log_lines(self):
        return (self.directory / "engine.log").read_text(errors="replace").splitlines()

    def readiness(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=60)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def check_refusal(answer):
    status, retry_after, text = answer
    check_equal(status, 503, f"status of a refusal, which said {text}")
    check(retry_after is not None and int(retry_after) > 0, f"Retry-After is {retry_after}")
    for words in ("disk", "full"):
        check(words in text, f"{words!r} is not in {text}")


def post_until_refused(stack, acknowledged):
    """Transactions until twenty in a row are refused, which were then all for the same reason."""
    refusals = 0
    for number in range(5_000):
        address = f"t{len(acknowledged)}n{number}@two.example"
        answer = stack.post_transaction(address)
        if answer[0] == 201:
            acknowledged.append(address)
            refusals = 0
            continue
        check_refusal(answer)
        refusals += 1
        if refusals == 20:
            return answer[2]
    raise RuntimeError("the disk did not get full")


def hold(stack, acknowledged):
    """While the disk is full: questions are answered, changes refused, and the log stays short."""
    before = len(stack.log_lines())
    until = time.monotonic() + HOLD_SECONDS
    asked = 0
    while time.monotonic() < until:
        address = f"hold{asked}@two.example"
        answer = stack.post_transaction(address)
        if answer[0] == 201:  # a checkpoint may have made room for one more
            acknowledged.append(address)
        else:
            check_refusal(answer)
        asked += 1
        stack.api.call("GET", "/deliveries?limit=1")
        time.sleep(0.05)
    lines = stack.log_lines()[before:]
    print(f"{asked} requests to a full disk in {HOLD_SECONDS} s: {len(lines)} lines of log",
          flush=True)
    check(len(lines) <= LOG_LINES_MAX, f"{len(lines)} lines of log, such as\n" +
          "\n".join(lines[-8:]))
    # A probe is small: it may fit where no mail does.
    status, text = stack.readiness()
    check(status == 200 or "disk" in text, f"readiness does not tell of the disk: {text}")
    unrecorded = stack.metric("todoku_unrecorded_outcomes")
    # What every connection had in hand when the limit was reached comes on top.
    check(unrecorded < UNRECORDED_MAX + 2 * CONNECTIONS_MAX, f"{unrecorded} outcomes unrecorded")


def refuses_and_recovers_by_itself(binary):
    addresses = [f"r{i}@one.example" for i in range(BULK)]
    acknowledged = []
    with SmallDisk(binary) as stack:
        pid = stack.engine.pid
        delivery = stack.draft()
        stack.fill(delivery, addresses)
        for _ in range(2):
            stack.fill_disk(leave=300_000)
            print(post_until_refused(stack, acknowledged), flush=True)
            hold(stack, acknowledged)
            stack.empty_disk()
            address = f"after{len(acknowledged)}@two.example"
            stack.wait_for(lambda: stack.post_transaction(address)[0] == 201, "an acceptance", 20)
            stack.wait_for(lambda: stack.readiness()[0] == 200, "readiness", 20)
            acknowledged.append(address)
            if stack.status_of(delivery) == "EDIT":
                stack.commit(delivery)
                stack.await_arrivals(100)
        stack.settle(delivery, seconds=60)
        stack.wait_for(lambda: not stack.api.call(
            "GET", "/deliveries?status[]=SENDING&status[]=WAIT")["data"], "the transactions", 60)
        check_equal(stack.engine.pid, pid, "the engine")
        check_exactly_once(stack.settled_log(), addresses + acknowledged)
        print(f"{len(acknowledged)} acknowledged beside {BULK} of a bulk: each arrived once")


def check_start_on_a_full_disk(stack):
    """It serves and refuses, or ends with a sentence, depending on what still fits."""
    stack.engine = processes.start(
        stack.directory, "engine",
        [stack.binary, "serve", "--config", str(stack.directory / "todoku.toml")])
    engine, stack.engine = stack.engine, None
    stack.wait_for(lambda: engine.poll() is not None or stack.listens("127.0.0.1", stack.api_port),
                   "the engine's start or end")
    if engine.poll() is None:
        check_refusal(stack.post_transaction("x@two.example"))
        engine.kill()
        engine.wait()
        return
    check_equal(engine.returncode, 1, "exit status")
    check("disk" in stack.log_lines()[-1], f"it ended with {stack.log_lines()[-1]}")


def ends_and_starts_on_a_full_disk(binary):
    acknowledged = []
    with SmallDisk(binary) as stack:
        stack.fill_disk(leave=300_000)
        post_until_refused(stack, acknowledged)
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < DRAIN_SECONDS + 4, f"it took {seconds:.1f} s to end on a full disk")
        check_start_on_a_full_disk(stack)
        stack.empty_disk()
        stack.start_engine()
        stack.wait_for(lambda: not stack.api.call(
            "GET", "/deliveries?status[]=SENDING&status[]=WAIT")["data"], "the transactions", 60)
        missing = set(acknowledged) - {entry["rcpt_to"] for entry in stack.settled_log()}
        check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")


def starts_each_time_in_the_room_that_was_made(binary):
    """The log of the database takes part of a small disk only, and gives it back at a start."""
    acknowledged = []
    with SmallDisk(binary, disk_bytes=64 << 20) as stack:
        for _ in range(4):
            stack.fill_disk(leave=3 << 20)
            post_until_refused(stack, acknowledged)
            stack.kill_engine()
            print(f"log of the database: {stack.log_bytes() >> 10} KB", flush=True)
            check(stack.log_bytes() < 12 << 20, f"the log takes {stack.log_bytes()} bytes")
            stack.make_room(8 << 20)
            stack.start_engine()
            stack.empty_disk()
        stack.wait_for(lambda: not stack.api.call(
            "GET", "/deliveries?status[]=SENDING&status[]=WAIT")["data"], "the transactions", 60)
        missing = set(acknowledged) - {entry["rcpt_to"] for entry in stack.settled_log()}
        check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")


if __name__ == "__main__":
    if "TODOKU_MAY_MOUNT" not in os.environ:
        in_own_mount_namespace()
    sys.exit(run(refuses_and_recovers_by_itself, ends_and_starts_on_a_full_disk,
                 starts_each_time_in_the_room_that_was_made))
