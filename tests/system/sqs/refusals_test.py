# SPDX-License-Identifier: Apache-2.0
"""Settings with which SQS cannot be used end the start with a sentence that says what to do.

usage: refusals_test.py TODOKU WORK_FOLDER
"""
import subprocess
import sys

from on_sqs import (KEY, RECEIVERS, SECRET, Installation, SqsProxy, check, queue_config, run,
                    set_environment)

KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
SETTINGS = {
    "wrong region": (KEYS, {"region": "us-east-1"}, "queue.sqs.region"),
    "unknown key": ({**KEYS, "AWS_ACCESS_KEY_ID": "AKIDOTHER"}, {},
                    "give current ones in AWS_ACCESS_KEY_ID"),
    "wrong secret": ({**KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"}, {},
                     "check AWS_SECRET_ACCESS_KEY"),
    "no credentials": ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}, {},
                       "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the task"),
    "foreign giver": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}, {},
                      "nobody is asked for credentials there"),
    "half of a key": ({"AWS_ACCESS_KEY_ID": KEY}, {}, "need one another"),
    "no region": (KEYS, {"region": ""}, "queue.sqs.region is empty"),
    "no queue": (KEYS, {"more": ("create = false",)},
                 "make a standard queue of this name, or set queue.sqs.create"),
    "FIFO": (KEYS, {}, "is a FIFO queue: make it a standard queue"),
}


class Stopped(Installation):
    def start_engine(self):
        pass

    def add_account(self):
        pass


def says_what_to_do(binary, emulator):
    with SqsProxy(emulator.port) as proxy:
        set_environment(**KEYS)
        with Stopped(binary, RECEIVERS, queue_config(proxy)) as stack:
            for name, (variables, changes, sentence) in SETTINGS.items():
                proxy.pretend_fifo = name == "FIFO"
                set_environment(**variables)
                stack.config = queue_config(proxy, *changes.get("more", ()),
                                            region=changes.get("region", "ap-northeast-1"))
                stack.write_config()
                done = subprocess.run([stack.binary, "serve", "--config",
                                       str(stack.directory / "todoku.toml")],
                                      capture_output=True, text=True, timeout=600)
                check(done.returncode != 0 and sentence in done.stderr,
                      f"{name}: {done.returncode}: {done.stderr}")
                check(SECRET not in done.stderr, f"{name}: the secret is told")
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    sys.exit(run(says_what_to_do, sys.argv[2]))
