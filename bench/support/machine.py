# SPDX-License-Identifier: Apache-2.0
"""The limits of the machine, to be told beside our figures: RSA, Postfix's test programs, disk."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import figures

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
TOO_BUSY = 0.15  # cores; a quiet machine with idle installations has a few hundredths


def busy_seconds():
    """Processor time since boot that was not idle; with what the host took from us (steal)."""
    user, nice, system, _, _, irq, softirq, steal = (
        int(each) for each in pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / CLOCK_TICKS


class Quiet:
    """Looks, before something is measured, what the rest of the machine takes of the cores. A
    busy neighbour spoils ratios, too: the scheduler shares by session or group, so the engine, the
    receiver and openssl lose unequally, whatever the neighbour's nice value."""

    def __init__(self):
        self.taken = []

    def look(self, seconds=0.3):
        busy, began = busy_seconds(), time.monotonic()
        time.sleep(seconds)
        self.taken.append((busy_seconds() - busy) / (time.monotonic() - began))

    def report(self):
        figures.figure("others_busy_median", figures.median(self.taken), "cores")
        figures.figure("others_busy_worst", max(self.taken), "cores")
        if max(self.taken) > TOO_BUSY:
            print("other programs were busy: do not trust these figures", file=sys.stderr)


def rsa_signatures(processes_count, seconds):
    """RSA-2048 signatures/s of `openssl speed`: of one process by processor time, of several by
    the wall."""
    command = ["openssl", "speed", "-seconds", str(seconds)]
    if processes_count > 1:
        command += ["-multi", str(processes_count)]
    done = subprocess.run([*command, "rsa2048"], check=True, capture_output=True, text=True)
    return float(re.search(r"^rsa 2048 bits\s+\S+\s+\S+\s+([0-9.]+)", done.stdout, re.M).group(1))


def postfix_program(name):
    """Where Postfix's test program is; ends with a sentence where it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        sys.exit(f"{name} is not installed (Debian's package postfix): tools/install test")
    return path


def smtp_sink(address):
    """The command line of Postfix's smtp-sink."""
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    return [postfix_program("smtp-sink"), *user, address, "1000"]


def smtp_source(address, mails, octets, connections, sender="a@plain.example",
                recipient="b@one.example"):
    """Sends by Postfix's smtp-source, returns the seconds it took."""
    began = time.monotonic()
    subprocess.run([postfix_program("smtp-source"), "-s", str(connections), "-l", str(octets), "-m",
                    str(mails), "-d", "-f", sender, "-t", recipient, address], check=True)
    return time.monotonic() - began


def syncs_per_second(directory, seconds, in_place=False):
    """Writes of 4 KB there, an fdatasync after each, one after the other: appended, so that the
    file grows with each, or over 16 MB that are there already, as a write-ahead log in use."""
    path = pathlib.Path(directory) / "sync-probe"
    block = b"\0" * 4096
    blocks = 4096
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if in_place:
            os.write(file, block * blocks)
            os.fsync(file)
        count, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            os.pwrite(file, block, (count % blocks if in_place else count) * len(block))
            os.fdatasync(file)
            count += 1
        return count / (time.monotonic() - began)
    finally:
        os.close(file)
        path.unlink()
