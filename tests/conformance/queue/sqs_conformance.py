# SPDX-License-Identifier: Apache-2.0
"""Runs a test program with an SQS at TODOKU_TEST_SQS, in parts side by side: most of it waits.

usage: sqs_conformance.py PROGRAM WORK_FOLDER [ARGUMENT...]
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system/support"))

from sqs_emulator import SqsEmulator  # noqa: E402
from sqs_proxy import SqsProxy  # noqa: E402

PARTS = 6


def main():
    program, folder, *arguments = sys.argv[1:]
    status = 0
    with SqsEmulator(folder) as emulator:
        # Each part has faults of its own.
        proxies = [SqsProxy(emulator.port).__enter__() for _ in range(PARTS)]
        parts = [subprocess.Popen(
            [program, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TODOKU_TEST_SQS": proxy.url, "GTEST_TOTAL_SHARDS": str(PARTS),
                 "GTEST_SHARD_INDEX": str(index)}) for index, proxy in enumerate(proxies)]
        for part in parts:
            print(part.communicate()[0])
            status = status or part.returncode
        for proxy in proxies:
            proxy.__exit__()
    return status


if __name__ == "__main__":
    sys.exit(main())
