# SPDX-License-Identifier: Apache-2.0
"""The limits of the machine, to be told beside our figures: RSA, Postfix's test programs, disk."""
import os
import pathlib
import re
import subprocess
import time


def rsa_signatures(processes_count, seconds):
    """RSA-2048 signatures/s of `openssl speed`: of one process by processor time, of several by
    the wall."""
    command = ["openssl", "speed", "-seconds", str(seconds)]
    if processes_count > 1:
        command += ["-multi", str(processes_count)]
    done = subprocess.run([*command, "rsa2048"], check=True, capture_output=True, text=True)
    return float(re.search(r"^rsa 2048 bits\s+\S+\s+\S+\s+([0-9.]+)", done.stdout, re.M).group(1))


def smtp_sink(address):
    """The command line of Postfix's smtp-sink."""
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    return ["/usr/sbin/smtp-sink", *user, address, "1000"]


def smtp_source(address, mails, octets, connections, sender="a@plain.example",
                recipient="b@one.example"):
    """Sends by Postfix's smtp-source, returns the seconds it took."""
    began = time.monotonic()
    subprocess.run(["/usr/sbin/smtp-source", "-s", str(connections), "-l", str(octets), "-m",
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
