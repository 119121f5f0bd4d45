# SPDX-License-Identifier: Apache-2.0
"""docs/first-quarter.md, from `todoku serve --dev` to a webhook that received a bounce: each command
of the page run as it stands, one after the other in one shell and in an empty folder, prints what
the page says, and the engine's log has no alarm. The Japanese page has the same commands, word for
word.

usage: first_quarter_test.py TODOKU
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALARM = re.compile(r"\S+Z (warning|error) ")  # of the engine's log
AT_MOST = 240  # seconds, on however slow a machine


class Failed(Exception):
    pass


def steps(page):
    """[[commands, what they print or None]]"""
    found = []
    for language, text in BLOCK.findall((ROOT / "docs" / page).read_text()):
        if language == "sh":
            found.append([text, None])
        else:
            found[-1][1] = text
    return found


def pattern(printed):
    return ".*".join(re.escape(piece) for piece in printed.strip().split("…"))


def run(binary, folder, commands):
    """What each step printed; the shell ends with the first that fails."""
    (folder / "bin").mkdir()
    (folder / "bin/todoku").symlink_to(binary)
    work = folder / "work"
    work.mkdir()
    script = ["set -euo pipefail"]
    for number, text in enumerate(commands):
        script += [f"exec > '{folder}/{number}.out'", text]
    (folder / "script.sh").write_text("\n".join(script))
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("TODOKU_", "LC_")) and not key.lower().endswith("_proxy")}
    environment |= {"PATH": f"{folder}/bin:{os.environ['PATH']}", "LANG": "C.UTF-8",
                    "HOME": str(folder)}
    with open(folder / "errors", "w") as errors:
        shell = subprocess.Popen(["bash", str(folder / "script.sh")], cwd=work, stderr=errors,
                                 env=environment, start_new_session=True)
    try:
        status = shell.wait(timeout=AT_MOST)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)  # what it left in the background
        except ProcessLookupError:
            pass
        shell.wait()
    printed = [(folder / f"{number}.out") for number in range(len(commands))]
    printed = [path.read_text() if path.exists() else None for path in printed]
    return status, printed, (folder / "errors").read_text()


def main():
    english, japanese = steps("first-quarter.md"), steps("first-quarter.ja.md")
    if english != japanese:
        raise Failed("the commands of the two languages differ")
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="todoku-first-quarter-") as folder:
        status, printed, errors = run(binary, pathlib.Path(folder), [text for text, _ in english])
    for (commands, wanted), output in zip(english, printed):
        if output is None:
            raise Failed(f"nothing came to\n{commands}\nbefore: {printed}\n{errors}")
        if wanted is not None and not re.search(pattern(wanted), output, re.DOTALL):
            raise Failed(f"{commands}\nprints\n{output}\nand not\n{wanted}\n{errors}")
    if status != 0:
        raise Failed(f"ended with {status}: {errors}\n{printed[-1]}")
    alarms = [line for line in errors.splitlines() if ALARM.match(line)]
    if alarms:
        raise Failed(f"where all is well it is alarmed: {alarms}")
    print(f"{len(english)} steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
