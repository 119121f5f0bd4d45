# SPDX-License-Identifier: Apache-2.0
"""Can the hot operations of store/work.h be merged on PostgreSQL, and what is it worth?

Starts a private server of PostgreSQL on loopback in a temporary folder (synchronous_commit and fsync
on, autovacuum off), as user postgres where this runs as root, and runs todoku_pg_sketch against it:
everything through a proxy that makes a network of 0, 0.5 and 2 ms a round trip, merged and, for
contrast, singly.

  --quick    one round a case, two networks, fewer batches
"""
import argparse
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile

SETTINGS = ("shared_buffers=512MB max_wal_size=4GB synchronous_commit=on fsync=on full_page_writes=on"
            " autovacuum=off listen_addresses=127.0.0.1 unix_socket_directories= max_connections=20").split()
USER = "sketch"


def server_programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                   key=lambda path: int(path.parent.name))
    if not found:
        sys.exit("PostgreSQL's server is not installed: tools/install bench")
    return found[-1]


def unprivileged():
    """What its programs are run by: they refuse to be root's."""
    return ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server():
    programs = server_programs()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pg_sketch."))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", free_port()

    def call(program, *arguments):
        subprocess.run([*unprivileged(), programs / program, *arguments], check=True, cwd="/",
                       stdout=subprocess.DEVNULL)
    try:
        call("initdb", "-D", data, "-U", USER, "--auth=trust", "--locale=C.UTF-8", "-E", "UTF8")
        options = " ".join(f"-c {setting}" for setting in [*SETTINGS, f"port={port}"])
        call("pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield port
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    with server() as port:
        sys.exit(subprocess.run([options.program, str(port), USER,
                                 *(["--quick"] if options.quick else [])], check=False).returncode)


if __name__ == "__main__":
    main()
