# SPDX-License-Identifier: Apache-2.0
"""The SQS emulator (npm fauxqs) as a child process.

    with SqsEmulator(work_folder) as emulator:
        emulator.port
"""
import fcntl
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent / "sqs"
NODE_NEEDED = 20


def npm_install(folder, *packages):
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                    "--loglevel=error", *packages], cwd=folder, check=True)


def node_program(folder):
    """Node.js as installed if it is young enough, else npm's package of it."""
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.", shown)
    if found and int(found[1]) >= NODE_NEEDED:
        return "node"
    program = folder / "node_modules/node/bin/node"
    if not program.exists():
        npm_install(folder, "--no-save", f"node@{NODE_NEEDED}")
    return str(program)


class SqsEmulator:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None
        self.port = 0

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as lock:  # several tests share the folder
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in ("package.json", "emulator.mjs"):
                shutil.copy(HERE / name, self.folder)
            if not (self.folder / "node_modules/fauxqs/package.json").exists():
                npm_install(self.folder)
            node = node_program(self.folder)
        self.process = subprocess.Popen([node, "emulator.mjs"],
                                        cwd=self.folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
