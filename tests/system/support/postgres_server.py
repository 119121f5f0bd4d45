# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL server for tests, in a folder of its own, reached by a socket in it.

Its superuser `keeper` needs no password; every other role needs the one that it was given. It does
not outlive the `with`, nor the process that started it.
"""
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import patience

KEEPER = "keeper"
ENCODING = ("--locale=C.UTF-8", "-E", "UTF8")
# What is committed outlives the server, if not the machine.
SETTINGS = ("listen_addresses=", "max_connections=40", "shared_buffers=64MB", "fsync=off",
            "full_page_writes=off", "unix_socket_permissions=0777", "log_min_messages=fatal",
            "password_encryption=scram-sha-256")
PR_SET_PDEATHSIG = 1


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[4]))
    if not found:
        raise RuntimeError("PostgreSQL's server is not installed: tools/install test")
    return found[-1].parent


class PostgresServer:
    """`settings`: more of them than ours."""

    def __init__(self, settings=()):
        self.settings = (*SETTINGS, *settings)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="todoku-pg-"))
        self.programs = programs()
        self.process = None
        # Its programs refuse to be root's.
        self.owner = pwd.getpwnam("postgres") if os.getuid() == 0 else None

    def __enter__(self):
        try:
            self.folder.chmod(0o711)
            if self.owner:
                os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
            self.fill_folder()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def fill_folder(self):
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-U", KEEPER, "-N", "--auth=trust", *ENCODING)
        (data / "pg_hba.conf").write_text(f"local all {KEEPER} trust\n"
                                          f"local replication {KEEPER} trust\n"
                                          "local all all scram-sha-256\n")

    def run(self, program, *words):
        subprocess.run([self.programs / program, *words], check=True, capture_output=True, cwd="/",
                       **self.as_owner())

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process is not None:
            self.signal_all(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def signal_all(self, number):
        """Of the server and all that serve sessions: SIGSTOP is a server whose network swallows
        everything, SIGKILL a machine that is gone, and SIGCONT one that comes back."""
        pids = [self.process.pid]
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                pids.append(int(path.parent.name))
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def as_owner(self):
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid,
                "extra_groups": []} if self.owner else {}

    def start(self):
        libc = ctypes.CDLL(None)
        settings = [word for setting in self.settings for word in ("-c", setting)]
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", "-c",
             f"unix_socket_directories={self.folder}", *settings],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT), **self.as_owner())
        until = patience.until(20)
        while not self.answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError("PostgreSQL does not start")
            time.sleep(0.05)

    def stop(self):
        """As a restart does: sessions are ended."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def stop_at_once(self):
        """As a crash does it."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)

    def answers(self):
        done = subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder], check=False)
        return done.returncode == 0

    def sql(self, statements, database="postgres"):
        """What psql prints of the answers, without headings."""
        done = subprocess.run([self.programs / "psql", "-X", "-q", "-A", "-t", "-v",
                               "ON_ERROR_STOP=1", "-h", self.folder, "-U", KEEPER, "-d", database,
                               "-c", statements], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{statements}: {done.stderr}")
        return done.stdout.strip()

    def make_user(self, name, password):
        self.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")

    def make_database(self, name, owner, encoding="UTF8"):
        locale = "C.UTF-8" if encoding == "UTF8" else "C"
        self.sql(f"CREATE DATABASE {name} OWNER {owner} ENCODING '{encoding}' LOCALE '{locale}' "
                 "TEMPLATE template0")

    def address(self, database, user):
        return f"host={self.folder} dbname={database} user={user}"
