# SPDX-License-Identifier: Apache-2.0
"""What /proc knows of a running process: its processor time, memory, open files, threads."""
import os
import pathlib
import re

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of all threads, to 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def status_number(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))


def memory_now(pid):
    """Resident, in MB of 1,024 * 1,024 octets."""
    return status_number(pid, "VmRSS") / 1024


def memory_peak(pid):
    return status_number(pid, "VmHWM") / 1024


def threads(pid):
    return status_number(pid, "Threads")


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
