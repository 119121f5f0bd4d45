# SPDX-License-Identifier: Apache-2.0
"""Keeps one task of a local target running, as a container engine does: `keeper.py FOLDER`.

Takes ports for it that are its own, starts it, ends it where it takes more memory than it may, starts
it again a bounded number of times when it ends by itself, and ends it by SIGTERM, after a patience
by SIGKILL. FOLDER/task.json says what to keep, FOLDER/state.json tells what is; both are whole at
any time. Ends when it has nothing to keep, or when its folder is gone.

task.json: command, environment, listens ({name of a variable: "127.0.0.1"}, each given an address
with a port), memory_max_mb, restarts_max, patience_seconds.
state.json: state ("running", "ended"), keeper, pid, addresses (by variable), restarts, memory_mb,
detail.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "tools/demo")]

from ports import free_port  # noqa: E402
from verbs.images import plain_environment, write_whole  # noqa: E402

LOOK_SECONDS = 0.1
RESTART_SECONDS = (0.5, 1, 2, 4, 8)


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.task = json.loads((folder / "task.json").read_text())
        self.addresses = {variable: f"{host}:{free_port(host)}"
                          for variable, host in self.task["listens"].items()}
        self.process = None
        self.restarts = 0
        self.memory_peak_mb = 0
        self.killed_for = ""
        self.detail = ""
        self.told_to_end = False

    def tell(self, state):
        if not self.folder.exists():
            return
        write_whole(self.folder / "state.json", json.dumps({
            "state": state, "keeper": os.getpid(),
            "pid": self.process.pid if self.process else None, "addresses": self.addresses,
            "restarts": self.restarts, "memory_mb": self.memory_peak_mb, "detail": self.detail}))

    def start(self):
        with open(self.folder / "log", "ab") as log:
            try:
                self.process = subprocess.Popen(
                    self.task["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.folder, start_new_session=True,
                    env={**plain_environment(), **self.task["environment"], **self.addresses})
            except OSError as error:
                self.process = None
                self.detail = f"cannot be started: {error.strerror}"
                log.write((self.detail + "\n").encode())
        self.tell("running")

    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "told_to_end", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.start()
        while not self.told_to_end:
            time.sleep(LOOK_SECONDS)
            if not self.folder.exists():
                return self.kill()
            if self.process is None or self.process.poll() is not None:
                if not self.start_again():
                    return self.tell("ended")
            else:
                self.look_at_memory()
        self.end()
        return self.tell("ended")

    def start_again(self):
        """False if it has been started again often enough. What it ended of is told from then on."""
        if self.process is not None:
            status = self.process.returncode
            self.detail = self.killed_for or (f"killed by signal {-status}" if status < 0
                                              else f"ended by itself with status {status}")
            self.killed_for = ""
        if self.restarts >= self.task["restarts_max"]:
            self.detail += f", after {self.restarts} restarts"
            return False
        until = time.monotonic() + RESTART_SECONDS[min(self.restarts, len(RESTART_SECONDS) - 1)]
        self.restarts += 1
        self.tell("running")
        while time.monotonic() < until:
            if self.told_to_end or not self.folder.exists():
                return True
            time.sleep(LOOK_SECONDS)
        self.start()
        return True

    def look_at_memory(self):
        memory_mb = resident_mb(self.process.pid)
        self.memory_peak_mb = max(self.memory_peak_mb, memory_mb)
        if memory_mb > self.task["memory_max_mb"]:
            self.killed_for = (f"killed at {memory_mb} MB of memory, of "
                               f"{self.task['memory_max_mb']} that it may have")
            self.process.kill()
            self.process.wait()

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(self.task["patience_seconds"])
            self.detail = "" if status == 0 else f"ended with status {status} when it was asked to"
        except subprocess.TimeoutExpired:
            self.kill()
            self.detail = f"killed: it did not end in {self.task['patience_seconds']} s"

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def resident_mb(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


if __name__ == "__main__":
    Keeper(pathlib.Path(sys.argv[1])).run()
