# SPDX-License-Identifier: Apache-2.0
"""Starting programs in the background and stopping them by their own process ids.

DIR/pids has a line "name pid start-time" for each. The start time (of /proc) keeps a number that
now belongs to another program from being taken for ours.
"""
import os
import signal
import subprocess
import time


def start_time(pid):
    """When the process began, in the kernel's ticks since boot; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    # A zombie has ended; its parent has only not asked yet.
    return None if fields[0] in "ZX" else int(fields[19])


def remember(directory, name, pid):
    with open(directory / "pids", "a", encoding="utf-8") as file:
        file.write(f"{name} {pid} {start_time(pid)}\n")


def recall(directory):
    """(name, pid) of those processes in DIR/pids that still run, in the order of their start."""
    try:
        lines = (directory / "pids").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    alive = []
    for line in lines:
        name, pid, began = line.split()
        if began != "None" and start_time(int(pid)) == int(began):
            alive.append((name, int(pid)))
    return alive


def start(directory, name, command, environment=None):
    """Starts `command` in a session of its own, its output in DIR/<name>.log; returns its pid."""
    with open(directory / f"{name}.log", "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   cwd=directory, start_new_session=True,
                                   env={**os.environ, **(environment or {})})
    remember(directory, name, process.pid)
    return process


def exit_status(pid):
    """Of a process that has ended and was started by this one; 0 of any other."""
    try:
        _, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status)


def stop(pid, patience):
    """Asks the process to end and, after `patience` seconds, ends it. What is to be told of it."""
    began = start_time(pid)
    if began is None:
        return "had ended by itself"
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while start_time(pid) == began:
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            return f"killed, it did not end in {patience} s"
        time.sleep(0.02)
    status = exit_status(pid)
    return f"ended with status {status}" if status else ""


def stop_all(directory, patience=20):
    """Stops what DIR/pids names, the engine first, so that it finds its receivers to the end.

    (name, complaint) of each; the complaint is empty for those that ended as they should.
    """
    stopped = [(name, stop(pid, patience)) for name, pid in reversed(recall(directory))]
    if stopped:
        (directory / "pids").unlink()
    return stopped


def tail(path, lines=8):
    try:
        text = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join("    " + line for line in text[-lines:])
