# SPDX-License-Identifier: Apache-2.0
"""docs/try-your-client.md says how an unchanged client is tried: its commands, typed in order.

usage: try_client_test.py TODOKU WORK_FOLDER
"""
import email
import email.policy
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
SKIPPED = 77


def commands():
    """The document's shell blocks as one text for a shell to read. Each shell stops at a failure."""
    page = (ROOT / "docs/try-your-client.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    typed = []
    for block in blocks:
        typed.append(block)
        if block.splitlines()[-1].startswith("unshare "):
            typed.append("set -euo pipefail\n")
    return "set -euo pipefail\n" + "".join(typed)


def may_unshare():
    made = subprocess.run(["unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork",
                           "mount", "-t", "proc", "proc", "/proc"], capture_output=True)
    return made.returncode == 0


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def main():
    todoku, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    if not may_unshare():
        print("no namespaces here")
        return SKIPPED
    done = subprocess.run(["/bin/bash"], input=commands(), text=True, cwd=ROOT, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "TODOKU": str(todoku), "TRY": str(work)})
    print(done.stdout)
    if done.returncode != 0:
        print((work / "engine.log").read_text() if (work / "engine.log").exists() else "")
    expect(done.returncode == 0, f"the commands ended with {done.returncode}")
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
             for path in (work / "mails").glob("*.eml")]
    found = {mail["To"].addresses[0].addr_spec: mail for mail in mails}
    expect(set(found) == {"by-curl@mail.example", "by-client@mail.example"}, found)
    expect(found["by-client@mail.example"]["Subject"] == "Hello Yamada", "the subject")
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
