# SPDX-License-Identifier: Apache-2.0
"""The guides for those who come from elsewhere: each example, cut out of its page and run as it
stands against an engine, prints what the page says, and its mail arrives.

usage: guides_test.py TODOKU

A block of a language in RUN is an example; a block `text` right behind it is what it prints, with …
for what differs from run to run. The Japanese page has the same examples, word for word.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import patience  # noqa: E402
from stack import ROOT, Stack  # noqa: E402

PAGES = ("from-blastengine", "from-other-services")
RUN = {"sh": ("bash", "-euo", "pipefail"), "js": ("node",), "python": ("/usr/bin/python3",),
       "php": ("php",)}
ENDING = {"sh": "sh", "js": "mjs", "python": "py", "php": "php"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SENDER, RECEIVERS = "example.jp", {"example.com": []}
ARRIVES_WITHIN = 30  # seconds


class Failed(Exception):
    pass


def blocks(page):
    return BLOCK.findall((ROOT / "docs" / page).read_text())


def examples(page):
    """[(language, code, what it prints or None)]"""
    found = []
    for language, text in blocks(page):
        if language in RUN:
            found.append([language, text, None])
        elif language == "text" and found:
            found[-1][2] = text
    return found


def pattern(printed):
    return ".*".join(re.escape(piece) for piece in printed.strip().split("…"))


def run(stack, folder, number, example):
    language, code, printed = example
    path = folder / f"example{number}.{ENDING[language]}"
    path.write_text(code)
    done = subprocess.run([*RUN[language], str(path)], cwd=folder, text=True, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                               "TODOKU": f"http://127.0.0.1:{stack.api_port}/api/v1",
                               "LOGIN_ID": stack.login_id, "API_KEY": stack.api_key,
                               "TOKEN": stack.api.token})
    if done.returncode != 0:
        raise Failed(f"{code}\nended with {done.returncode}: {done.stdout}")
    if printed is not None and not re.fullmatch(pattern(printed), done.stdout.strip(), re.DOTALL):
        raise Failed(f"{code}\nprints\n{done.stdout}\nand not\n{printed}")


def addresses(page):
    """Whom the examples write to."""
    text = "".join(code for _, code, _ in examples(page)).replace("\\n", " ")
    return set(re.findall(r"[\w.+-]+@example\.com", text))


def check_arrivals(stack, page):
    wanted = addresses(page)
    until = patience.until(ARRIVES_WITHIN)
    while not wanted <= (there := {to.strip("<>") for to, _ in stack.arrivals()}):
        if time.monotonic() > until:
            raise Failed(f"{page}: nothing came to {wanted - there}")
        time.sleep(0.1)
    counts = [to.strip("<>") for to, _ in stack.arrivals()]
    twice = {to for to in wanted if counts.count(to) != 1}
    if twice:
        raise Failed(f"{page}: not one mail each to {twice}")


def check_page(binary, name):
    english, japanese = examples(f"{name}.md"), examples(f"{name}.ja.md")
    if english != japanese:
        raise Failed(f"{name}: the examples of the two languages differ")
    languages = {language for language, _, _ in english}
    if languages != set(RUN):
        raise Failed(f"{name}: examples in {languages} only")
    # A page has an installation of its own, as its reader does.
    with Stack(binary, RECEIVERS) as stack:
        stack.vouch("tester", SENDER)
        folder = stack.directory / "examples"
        folder.mkdir()
        for number, example in enumerate(english):
            run(stack, folder, number, example)
        check_arrivals(stack, f"{name}.md")
    print(f"{name}: {len(english)} examples")


def main():
    missing = [program for program, *_ in RUN.values() if shutil.which(program) is None]
    if missing:
        raise Failed(f"{missing} are not installed: tools/install test")
    for name in PAGES:
        check_page(sys.argv[1], name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
