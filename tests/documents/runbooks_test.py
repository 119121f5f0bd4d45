# SPDX-License-Identifier: Apache-2.0
"""docs/runbooks.md and its Japanese page: the same sections with the same commands, each with what is
seen, what it means, what to do and when it is over; every command of todoku is one that the program has,
with its options and as many words as it takes, and others are of a short list.

usage: runbooks_test.py TODOKU
"""
import functools
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TODOKU = None
PAGES = {"runbooks.md": ("What you see.", "What it means.", "What to do.", "It is over when"),
         "runbooks.ja.md": ("見えること。", "意味。", "手順。", "終わり。")}
OTHERS = {"systemctl", "journalctl", "apt-get", "aws", "certbot", "chronyc", "curl", "df", "dig", "du",
          "openssl", "psql", "/etc/letsencrypt/renewal-hooks/deploy/todoku"}
UNITS = {"todoku", "chrony"}


def sections(page):
    """{anchor: text}"""
    parts = re.split(r'(?m)^<a id="([\w-]+)"></a>$', (ROOT / "docs" / page).read_text())
    return dict(zip(parts[1::2], parts[2::2]))


def commands(text):
    """Words of every line of its shell blocks, without comments and leading assignments."""
    found = []
    for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", text):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words:
                found.append(words)
    return found


def spoken(text):
    """Commands of todoku in the running text: `todoku …`."""
    bare = re.sub(r"(?ms)^```sh\n.*?^```$", "", text)
    return [shlex.split(each) for each in re.findall(r"`(todoku [a-z][^`…]*)`", bare)]


@functools.cache
def help_of(*words):
    done = subprocess.run([TODOKU, "--lang", "en", *words, "--help"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def part(told, title):
    """All blocks of the title, also those of a group of options, which are indented."""
    blocks = re.findall(rf"(?ms)^(?:  )?{title}:\n(.*?)(?=^\S|^  [A-Z][a-z]+:$|\Z)", told)
    return re.sub(r"(?m)^    (?=\S)", "  ", "".join(blocks))


def complaint(words):
    """What is wrong with a command of todoku; empty if nothing is."""
    path, rest, own = [], list(words[1:]), help_of()
    globals_ = set(re.findall(r"--[a-z-]+", part(own, "Options")))
    positionals = []
    while rest:
        word = rest.pop(0)
        told = help_of(*path)
        if word.startswith("--"):
            option = re.search(rf"(?m)^ .*?{re.escape(word)}(?![a-z-])( [A-Z]{{2,}})?", part(told, "Options"))
            if not option and word not in globals_:
                return f"todoku {' '.join(path)} has no option {word}"
            takes = option[1] if option else re.search(rf"{word}( TEXT)?", part(own, "Options"))[1]
            if takes and not rest:
                return f"{word} needs a value"
            if takes:
                rest.pop(0)
        elif re.search(rf"(?m)^  {re.escape(word)}\s", part(told, "Subcommands")) and not positionals:
            path.append(word)
        else:
            positionals.append(word)
    told = help_of(*path)
    if not path or "SUBCOMMAND\n" in told.split("Options:")[0].replace("[SUBCOMMAND]", ""):
        return f"{' '.join(words)} is no whole command"
    names = re.findall(r"(?m)^  ([A-Z]+)\b", part(told, "Positionals"))
    needed = re.findall(r"(?m)^  ([A-Z]+)\b.*REQUIRED", part(told, "Positionals"))
    if not len(needed) <= len(positionals) <= len(names):
        return f"{' '.join(words)}: todoku {' '.join(path)} takes {names or 'no words'}"
    return ""


class RunbooksTest(unittest.TestCase):
    def test_every_section_has_its_parts(self):
        for page, parts in PAGES.items():
            for anchor, text in sections(page).items():
                where = [text.find(f"**{each}**") for each in parts]
                self.assertNotIn(-1, where, f"{page}#{anchor}: {parts}")
                self.assertEqual(where, sorted(where), f"{page}#{anchor}")
                self.assertTrue(commands(text), f"{page}#{anchor} has no commands")

    def test_both_pages_have_the_same_commands(self):
        english, japanese = (sections(page) for page in PAGES)
        self.assertEqual(list(english), list(japanese))
        for anchor in english:
            self.assertEqual(commands(english[anchor]), commands(japanese[anchor]), anchor)

    def test_every_command_is_there(self):
        for page in PAGES:
            for anchor, text in sections(page).items():
                for words in commands(text) + spoken(text):
                    if words[0] == "todoku":
                        self.assertEqual(complaint(words), "", f"{page}#{anchor}")
                    else:
                        self.assertIn(words[0], OTHERS, f"{page}#{anchor}")
                    if words[0] == "systemctl":
                        self.assertIn(words[2], UNITS)

    def test_the_check_sees_mistakes(self):
        for wrong in ("todoku resume", "todoku bulk pause", "todoku bulk pause 1 2", "todoku key revoke shop",
                      "todoku stuck --everything", "todoku bulk", "todoku explain a@example.jp --limit"):
            self.assertNotEqual(complaint(wrong.split()), "", wrong)

    def test_links_lead_to_sections(self):
        for page in PAGES:
            text = (ROOT / "docs" / page).read_text()
            for anchor in re.findall(r"\]\(#([\w-]+)\)", text):
                self.assertIn(anchor, sections(page))


if __name__ == "__main__":
    TODOKU = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
