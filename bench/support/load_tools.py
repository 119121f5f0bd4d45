# SPDX-License-Identifier: Apache-2.0
"""The programs that make load (bench/*_load.cc), and what they print."""
import pathlib
import subprocess
import sys


def command(binary, name, **options):
    """The command line of todoku_NAME_load; True is a flag, None and False are left out."""
    words = [str(pathlib.Path(binary).parents[1] / f"bench/todoku_{name}_load")]
    for option, value in options.items():
        if value is None or value is False:
            continue
        words.append(f"--{option}")
        if value is not True:
            words.append(str(value))
    return words


def values_of(text):
    values = {name: float(value) for name, value, _ in
              (line.split("\t") for line in text.splitlines())}
    if values.get("refused"):
        print(f"{values['refused']:.0f} were refused", file=sys.stderr)
    return values


def start(binary, name, **options):
    return subprocess.Popen(command(binary, name, **options), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def finish(running):
    """Its values, when it has ended; one that holds connections ends them now."""
    text, _ = running.communicate()
    if running.returncode != 0:
        raise RuntimeError(f"{running.args[0]} ended with {running.returncode}")
    return values_of(text)


def run(binary, name, **options):
    return finish(start(binary, name, **options))
