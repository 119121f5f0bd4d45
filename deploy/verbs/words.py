# SPDX-License-Identifier: Apache-2.0
"""How the verbs speak and ask, and how they end."""
import datetime
import sys

DONE = 0
FAILED = 1        # nothing that ran was changed, or only what was said
WRONG_CALL = 2
ROLLED_BACK = 3   # the version before runs as it did
NEEDS_A_HAND = 4  # what runs is not what should: the last lines say what does, and what to do
DECLINED = 5      # it was asked, and the answer was not yes


class Declined(Exception):
    """The question that was not answered with yes."""


class Words:
    def __init__(self, verb, yes=False, out=None, answers=None):
        self.verb, self.yes = verb, yes
        self.out = out or sys.stdout
        self.answers = answers or sys.stdin

    def say(self, sentence):
        """A step that is about to be taken, or what came of it. Each line tells when, in UTC."""
        at = datetime.datetime.now(datetime.UTC).strftime("%H:%M:%S")
        for line in str(sentence).splitlines() or [""]:
            print(f"{at}  {self.verb}  {line}", file=self.out, flush=True)

    def show(self, text):
        """What was asked for, as it is."""
        print(text, file=self.out, flush=True)

    @classmethod
    def aside(cls, verb):
        """Of a verb that asks nothing and whose standard output is a command's own: these go to standard error."""
        return cls(verb, out=sys.stderr)

    def ask(self, what):
        """Returns if the answer is yes; raises Declined otherwise. Without anybody to ask only
        --yes is one."""
        if self.yes:
            self.say(f"{what} (--yes)")
            return
        if not self.answers.isatty():
            raise Declined(f"{what}: nobody can be asked here; --yes says it beforehand")
        print(f"{what}. Go on? [y/N] ", end="", file=self.out, flush=True)
        if self.answers.readline().strip().lower() not in ("y", "yes"):
            raise Declined(f"{what}: declined; nothing was done")


def table(rows):
    """The first row is the heading."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)
