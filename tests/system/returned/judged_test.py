# SPDX-License-Identifier: Apache-2.0
"""How well the words of receivers and the mails that come back are understood.

usage: judged_test.py TODOKU [--wrong]   --wrong: shows each mistake of the tuning part
"""
import sys

from judged import KINDS, counts

# What the project aims at, in both parts: class 90 %, permanence 98 %, no false suppression. The
# classes of the kept part are not there yet; they do not get worse.
CLASS_MIN = {"tuning": 0.90, "kept": 0.75}
PERMANENCE_MIN, RECIPIENT_MIN = 0.98, 0.98
CASES_MIN = {"replies": 300, "mails": 400}


def main():
    binary, failures = sys.argv[1], []
    for kind in KINDS:
        found = counts(binary, kind)
        for (part, language), count in sorted(found.items()):
            print(f"{kind} {part} {language}: {count.all} cases, class {count.share('kind'):.1%}, permanence "
                  f"{count.share('permanence'):.1%}, recipient {count.share('recipient'):.1%}, "
                  f"false suppressions {count.suppressed}")
            if language != "all":
                continue
            for (meant, told), times in count.confused.most_common():
                print(f"    {times} x {meant} taken for {told}")
            for name, least in (("kind", CLASS_MIN[part]), ("permanence", PERMANENCE_MIN),
                                ("recipient", RECIPIENT_MIN)):
                if count.share(name) < least:
                    failures.append(f"{kind} {part}: {name} {count.share(name):.1%}, not {least:.0%}")
            if count.suppressed:
                failures.append(f"{kind} {part}: {count.suppressed} false suppressions")
            if part == "tuning" and "--wrong" in sys.argv:
                for case, label, told in count.wrong:
                    print(f"      {case['id']} {case.get('reply', '')} meant {label['class']}/{label['permanent']}/"
                          f"{label.get('recipient', '')} told {told}")
        whole = sum(found[part, "all"].all for part in ("kept", "tuning"))
        if whole < CASES_MIN[kind]:
            failures.append(f"{whole} {kind}, not {CASES_MIN[kind]}")
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
