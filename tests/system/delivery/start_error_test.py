# SPDX-License-Identifier: Apache-2.0
"""What stops a start does it with exit status 1 and one sentence that says what to do."""
import fcntl
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import threading

from installation import Installation, check, check_equal, run


def start(stack, name="todoku.toml", environment=None, prefix=()):
    """(exit status, last line of what it said) of an engine that should not start."""
    done = subprocess.run([*prefix, stack.binary, "serve", "--config", str(stack.directory / name)],
                          capture_output=True, text=True, cwd=stack.directory, timeout=600,
                          env={**os.environ, **(environment or {})}, check=False)
    return done.returncode, done.stderr.strip()


def refuses(stack, words, what, **how):
    status, said = start(stack, **how)
    check_equal(status, 1, f"{what}: exit status, which said\n{said}\n")
    last = said.splitlines()[-1]
    for word in words:
        check(word in said, f"{what}: {word!r} is not in\n{said}")
    check("terminate called" not in said and "Assertion" not in said, f"{what}: {said}")
    print(f"{what}:\t{last}", flush=True)


def each_says_what_to_do(binary):
    with Installation(binary, {"one.example": []}) as stack:
        folder = stack.directory
        config = (folder / "todoku.toml").read_text()

        (folder / "wrong.toml").write_text(config + "\n[delivery2]\n")
        refuses(stack, ["delivery2"], "an unknown section", name="wrong.toml")
        (folder / "wrong.toml").write_text("[api\n")
        refuses(stack, ["wrong.toml"], "not TOML", name="wrong.toml")
        (folder / "wrong.toml").write_text(config.replace("port = ", "port = 99"))
        refuses(stack, ["port"], "a port that cannot be", name="wrong.toml")
        refuses(stack, ["missing.toml"], "no configuration", name="missing.toml")
        refuses(stack, ["data", str(stack.engine.pid)], "a second engine")

        check_equal(stack.terminate()[0], 0, "exit status of the drain")
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", stack.api_port))
            taken.listen()
            refuses(stack, [str(stack.api_port)], "a taken port")

        refuses(stack, ["may have 200 files open", "ulimit -n", "needs at least"], "few open files",
                prefix=("prlimit", "--nofile=200:200"))
        refuses(stack, ["master key"], "another master key",
                environment={"TODOKU_MASTER_KEY": "11" * 32})
        key = folder / "master.key"
        key.chmod(0o644)
        refuses(stack, ["master.key"], "a master key for everyone to read")
        key.chmod(0o600)

        database = folder / "data" / "todoku.db"
        with sqlite3.connect(database) as store:
            version = store.execute("PRAGMA user_version").fetchone()[0]
            store.execute(f"PRAGMA user_version = {version + 1000}")
        store.close()
        refuses(stack, ["newer"], "a newer database")
        with sqlite3.connect(database) as store:
            store.execute(f"PRAGMA user_version = {version}")
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()
        octets = database.read_bytes()
        for side in ("-wal", "-shm"):
            pathlib.Path(str(database) + side).unlink(missing_ok=True)
        database.write_bytes(b"no database at all" * 1000)
        refuses(stack, ["todoku.db"], "a file that is no database")
        database.write_bytes(octets[:4096] + b"\xAA" * (len(octets) - 4096))
        refuses(stack, ["todoku.db"], "a damaged database")
        database.write_bytes(octets)
        stack.start_engine()  # nothing of this has done any harm


def a_store_that_a_command_holds_is_waited_for(binary):
    with Installation(binary, {"one.example": []}) as stack:
        check_equal(stack.terminate()[0], 0, "exit status of the drain")
        held = os.open(stack.directory / "data", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX)
        threading.Timer(1, os.close, [held]).start()
        stack.start_engine()


if __name__ == "__main__":
    sys.exit(run(each_says_what_to_do, a_store_that_a_command_holds_is_waited_for))
