# SPDX-License-Identifier: Apache-2.0
"""What `todoku bounce classify --batch` makes of tests/corpus/returned, beside what its labels say.

A part is kept aside: no rule is tuned by it. Counted are the class, permanence, the recipient (of mails)
and false suppressions.
"""
import collections
import csv
import hashlib
import json
import pathlib
import re
import subprocess

CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus/returned"
KINDS = ("replies", "mails")


def is_kept(name):
    """Those of the third gathering, and of the mails that are written by hand a third, by a hash.
    A genuine mail has before its first dot the name of the reply that it quotes: no refusal is in
    both parts."""
    first = name.split(".")[0]
    if re.fullmatch("[rst][0-9a-f]{7}|f[0-9]", first):
        return first.startswith("t")
    return int(hashlib.sha256(first.encode()).hexdigest(), 16) % 3 == 0


def rows(path):
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def labelled(kind):
    """[(the case as --batch reads it, its label)]"""
    if kind == "replies":
        return [({"id": row["id"], "reply": row["reply"]}, row) for row in rows(CORPUS / "replies.tsv")]
    return [({"id": row["file"], "file": str(CORPUS / row["file"])}, row)
            for row in rows(CORPUS / "labels.tsv")]


def classified(binary, cases):
    asked = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    done = subprocess.run([binary, "bounce", "classify", "--batch"], input=asked, capture_output=True,
                          text=True, check=True)
    return {told["id"]: told for told in map(json.loads, done.stdout.splitlines())}


class Count:
    def __init__(self):
        self.all = self.kind = self.permanence = self.recipient = self.suppressed = 0
        self.confused = collections.Counter()
        self.wrong = []

    def add(self, case, label, told):
        kinds = label["class"].split("|")
        name = told.get("class", "no answer")
        self.all += 1
        self.kind += name in kinds
        permanence = ("yes" if told.get("permanent") else "no") in label["permanent"].split("|")
        self.permanence += permanence
        recipient = "recipient" not in label or (told.get("recipient") or "") == label["recipient"]
        self.recipient += recipient
        suppressed = told.get("suppress") is True and label["suppress"] == "no"
        self.suppressed += suppressed
        if name not in kinds:
            self.confused[kinds[0], name] += 1
        if name not in kinds or not permanence or not recipient or suppressed:
            self.wrong.append((case, label, told))

    def share(self, name):
        return getattr(self, name) / self.all if self.all else 1.0


def counts(binary, kind):
    """{(part, language): Count}, the parts being tuning and kept, the languages en, ja and all."""
    result = collections.defaultdict(Count)
    cases = labelled(kind)
    told = classified(binary, [case for case, _ in cases])
    for case, label in cases:
        part = "kept" if is_kept(case["id"]) else "tuning"
        for language in (label["language"], "all"):
            result[part, language].add(case, label, told.get(case["id"], {}))
    return result
