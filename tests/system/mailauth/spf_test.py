# SPDX-License-Identifier: Apache-2.0
"""Families of cases, judged by `todoku spf check --batch`, by pyspf and by Mail::SPF.

One name server on loopback answers todoku and Mail::SPF; pyspf takes a function instead. Where a
verdict differs, the difference must be one of DIFFERENCES, which name the section that decides it.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))

try:
    import spf
    from zone_server import SERVFAIL, ZoneServer
except ImportError:
    sys.exit("missing: apt-get install python3-spf python3-dnspython libmail-spf-perl")

ADDRESSES = ["192.0.2.1", "192.0.2.77", "198.51.100.9", "2001:db8::1", "2001:db8:0:1::9",
             "::ffff:192.0.2.1"]
CASES_OF_EACH_FAMILY = 400

# What all cases may name.
COMMON = {
    ("h4.example.com", "A"): ["192.0.2.1"],
    ("near.example.com", "A"): ["192.0.2.70", "192.0.2.71"],
    ("h6.example.com", "AAAA"): ["2001:db8::1"],
    ("both.example.com", "A"): ["192.0.2.77"],
    ("both.example.com", "AAAA"): ["2001:db8:0:1::9"],
    ("text.example.com", "TXT"): ["no addresses"],
    ("lame.example.com", "A"): SERVFAIL,
    ("lame.example.com", "AAAA"): SERVFAIL,
    ("lame.example.com", "MX"): SERVFAIL,
    ("lame.example.com", "TXT"): SERVFAIL,
    ("mx1.example.com", "MX"): ["10 h4.example.com.", "20 h6.example.com."],
    ("mx2.example.com", "MX"): ["10 nowhere.example.com.", "20 both.example.com."],
    ("mxlame.example.com", "MX"): ["10 h4.example.com.", "20 lame.example.com."],
    ("mxten.example.com", "MX"): [f"{i} m{i}.example.com." for i in range(10)],
    ("mxeleven.example.com", "MX"): [f"{i} m{i % 10}.x{i}.example.com." for i in range(11)],
    ("twice.example.com", "TXT"): ["v=spf1 -all", "v=spf1 +all"],
    ("pass.example.com", "TXT"): ["v=spf1 +all"],
    ("fail.example.com", "TXT"): ["v=spf1 -all", "something else"],
    ("softfail.example.com", "TXT"): ["v=spf1 ~all"],
    ("neutral.example.com", "TXT"): ["v=spf1 ?all"],
    ("bare.example.com", "TXT"): ["v=spf1"],
    ("broken.example.com", "TXT"): ["v=spf1 foo all"],
    ("v4.example.com", "TXT"): ["v=spf1 ip4:192.0.2.0/26 -all"],
    ("v6.example.com", "TXT"): ["v=spf1 ip6:2001:db8::/48 ?all"],
    ("void.example.com", "TXT"): ["v=spf1 a:nx1.example.com -all"],
    ("four.example.com", "TXT"): ["v=spf1" + " a:near.example.com" * 4 + " -all"],
    ("loop.example.com", "TXT"): ["v=spf1 include:loop.example.com all"],
    ("reloop.example.com", "TXT"): ["v=spf1 redirect=reloop.example.com"],
    ("expdom.example.com", "TXT"): ["v=spf1 exp=why.example.com -all"],
    ("why.example.com", "TXT"): ["%{l} at %{o} may not send from %{i}"],
    ("1.2.0.192.in-addr.arpa", "PTR"): ["h4.example.com.", "mail.example.jp."],
    ("77.2.0.192.in-addr.arpa", "PTR"): ["near.example.com."],
    ("mail.example.jp", "A"): ["192.0.2.1"],
    ("mail.example.jp", "TXT"): ["v=spf1 a -all"],
    ("1.2.0.192.in-addr.ex.example.com", "A"): ["127.0.0.2"],
    ("taro.ex.example.com", "A"): ["127.0.0.2"],
    ("tag.taro.ex.example.com", "A"): ["127.0.0.2"],
}
for i in range(10):
    COMMON[f"m{i}.example.com", "A"] = [f"192.0.2.{70 + i}"]

HOSTS = ["h4", "near", "h6", "both", "text", "nowhere", "mail"]
TARGETS = ["pass", "fail", "softfail", "neutral", "bare", "v4", "v6", "void", "four", "expdom"]
BAD_TARGETS = ["broken", "twice", "text", "nowhere", "lame", "loop", "reloop"]
PREFIXES = ["", "", "", "/24", "/26", "/0", "//64", "/25//48", "//0"]


def qualified(rng, term):
    return rng.choice(["", "+", "-", "~", "?"]) + term


def good_term(rng):
    host = rng.choice(HOSTS) + ".example.com"
    return qualified(rng, rng.choice([
        lambda: f"a:{host}{rng.choice(PREFIXES)}",
        lambda: f"mx:{rng.choice(['mx1', 'mx2', 'mxten', 'h4'])}.example.com{rng.choice(PREFIXES)}",
        lambda: f"include:{rng.choice(TARGETS)}.example.com",
        lambda: f"exists:{host}",
        lambda: "exists:%{ir}.%{v}.ex.example.com",
        lambda: "exists:%{l}.ex.example.com",
        lambda: "ptr", lambda: f"ptr:{host}", lambda: "a", lambda: "mx/25",
        lambda: f"ip4:192.0.2.{rng.randrange(256)}/{rng.randrange(33)}",
        lambda: f"ip6:2001:db8:0:{rng.randrange(3)}::/{rng.randrange(129)}",
        lambda: "ip4:192.0.2.1", lambda: "ip6:2001:db8::1",
    ])())


def ending(rng):
    return rng.choice([" -all", " ~all", " ?all", " +all", "", " redirect=v4.example.com",
                       " redirect=pass.example.com -all", " -all exp=why.example.com"])


def mechanisms(rng):
    return "v=spf1 " + " ".join(good_term(rng) for _ in range(rng.randrange(1, 4))) + ending(rng)


def troubles(rng):
    bad = rng.choice([f"include:{rng.choice(BAD_TARGETS)}.example.com",
                      f"redirect={rng.choice(BAD_TARGETS)}.example.com",
                      "a:lame.example.com", "mx:lame.example.com", "mx:mxlame.example.com",
                      "exists:lame.example.com", "mx:mxeleven.example.com"])
    terms = [good_term(rng), bad]
    rng.shuffle(terms)
    return "v=spf1 " + " ".join(terms) + rng.choice([" -all", "", " ?all"])


def limits(rng):
    fill = rng.choice(["a:near.example.com", "exists:h4.example.com"]).replace("exists", "-exists")
    return rng.choice([
        "v=spf1" + " a:near.example.com/32" * rng.randrange(8, 13) + " ?all",
        "v=spf1" + " mx:mxten.example.com" * rng.randrange(9, 12) + " ~all",
        "v=spf1" + "".join(f" a:nx{i}.example.com" for i in range(rng.randrange(1, 5))) + " ?all",
        "v=spf1" + "".join(f" mx:nx{i}.example.com" for i in range(rng.randrange(1, 5))) + " ?all",
        "v=spf1" + "".join(f" exists:nx{i}.example.com" for i in range(rng.randrange(1, 5))) + " ?all",
        "v=spf1" + " include:four.example.com" * rng.randrange(1, 4) + f" {fill} ~all",
    ])


def macros(rng):
    macro = "%{" + rng.choice("slodipvhSLODIPVH") + rng.choice(["", "1", "2", "3", "10", "200"]) + \
        rng.choice(["", "r", "R"]) + rng.choice(["", ".", "-", "+", "-+", "/", "_", "="]) + "}"
    tail = rng.choice([".ex.example.com", ".example.com", ".%{v}.ex.example.com"])
    return f"v=spf1 exists:{macro}{tail} " + rng.choice(["-all", "?all"])


def mutated(rng):
    record = "v=spf1 " + " ".join(good_term(rng) for _ in range(rng.randrange(1, 3))) + ending(rng)
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(7, len(record) + 1)
        what = rng.choice(list("/:=.%{} -+~?_0129azA\t") + ["//", "%{d}", "%%", "all", "\x7f"])
        record = rng.choice([record[:at] + what + record[at:], record[:at] + record[at + 1:],
                             record[:at] + what + record[at + 1:]])
    return record


FAMILIES = [mechanisms, troubles, limits, macros, mutated]


def cases():
    rng = random.Random(7208)
    made, zone = [], dict(COMMON)
    for family in FAMILIES:
        for number in range(CASES_OF_EACH_FAMILY):
            domain = f"{family.__name__}{number}.example.jp"
            record = family(rng)
            zone[domain, "TXT"] = [record]
            sender = rng.choice([f"taro@{domain}", f"taro@{domain}", f"tag-taro@{domain}",
                                 f"@{domain}", ""])
            made.append({"id": f"{family.__name__} {number}", "ip": rng.choice(ADDRESSES),
                         "mail_from": sender, "record": record,
                         "helo": domain if sender == "" else "mail.example.jp"})
    return made, zone


def has(pattern):
    return lambda case, ours, theirs: re.search(pattern, case["record"]) is not None


# (who, section that makes ours right, whether a case is of this kind)
DIFFERENCES = [
    ("Mail::SPF", "RFC 5234 section 2.3: the literal \"r\" of a grammar is in any case",
     has(r"%\{[A-Za-z]\d*R")),
    ("Mail::SPF", "section 5.6: no prefix of ip6, however short, matches an IPv4 address",
     has(r"ip6:\S*/\d\b")),
    ("Mail::SPF", "section 12: nothing follows a prefix length, and no domain is empty",
     has(r"/\d+[^\s/\d]|:/|(?:exists|include|ptr)/")),
    ("Mail::SPF", "section 4.8: a name with an empty label is a result, too, and no reason to die",
     lambda case, ours, theirs: theirs == "refused"),
    ("pyspf", "section 5.4: names are asked in order of preference, and a match is the end",
     lambda case, ours, theirs: "mx:mxlame" in case["record"] and theirs == "temperror"),
    ("pyspf", "section 4.6: macros that are none are found wherever they stand; \"r\" as above",
     has(r"%\{(?![A-Za-z](?!0)\d*r?[-.+,/_=]*\})")),
    ("pyspf", "section 12: domain-end is any macro-expand", has(r"%[%_-](?:[ /]|$)")),
    ("pyspf", "section 12: a macro-literal is visible", has(r"[\x00-\x1f\x7f]")),
]


class Counterparts(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.cases, cls.zone = cases()
        cls.server = ZoneServer(cls.zone)
        cls.server.__enter__()
        cls.ours = cls.todoku()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    @classmethod
    def todoku(cls):
        lines = [json.dumps({k: case[k] for k in ("id", "ip", "mail_from", "helo")}) + "\n"
                 for case in cls.cases]
        done = subprocess.run(
            [cls.program, "spf", "check", "--batch", "--resolver", f"127.0.0.1:{cls.server.port}"],
            input="".join(lines).encode(), stdout=subprocess.PIPE, timeout=600, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [a["id"] for a in answers] == [c["id"] for c in cls.cases]
        return answers

    def compare(self, who, words):
        unexplained = []
        self.assertEqual(len(words), len(self.cases))
        for case, ours, theirs in zip(self.cases, self.ours, words):
            if ours["result"] == theirs:
                continue
            if not any(name == who and of_kind(case, ours["result"], theirs)
                       for name, _, of_kind in DIFFERENCES):
                unexplained.append(f"{case}\n  ours {ours['result']}, {who} {theirs}\n  " +
                                   "\n  ".join(ours["trace"][-4:]))
        if unexplained:
            self.fail(f"{len(unexplained)} verdicts differ:\n" + "\n".join(unexplained[:40]))

    def pyspf_lookup(self, name, kind, *_args, **_kwargs):
        values = self.zone.get((name.rstrip(".").lower(), kind), [])
        if values == SERVFAIL:
            raise spf.TempError("DNS SERVFAIL")
        key = (name, kind)
        if kind == "MX":
            pairs = [value.split() for value in values]
            return [(key, (int(preference), host)) for preference, host in pairs]
        if kind == "TXT":
            return [(key, [value.encode()]) for value in values]
        return [(key, value.rstrip(".")) for value in values]

    def test_pyspf(self):
        spf.DNSLookup = self.pyspf_lookup
        answers = [spf.query(c["ip"], c["mail_from"], c["helo"], querytime=20).check()
                   for c in self.cases]
        self.compare("pyspf", [answer[0] for answer in answers])
        for case, ours, theirs in zip(self.cases, self.ours, answers):
            if ours["result"] == theirs[0] == "fail":
                explanation = "" if theirs[2] == spf.EXPLANATIONS["fail"] else theirs[2]
                # pyspf writes the digits of %{i} in capitals; section 7.4 does not.
                self.assertEqual(ours["explanation"].lower(), explanation.lower(), case)

    def test_mail_spf(self):
        lines = "".join(f"{c['ip']}\t{c['mail_from']}\t{c['helo']}\n" for c in self.cases)
        script = os.path.join(os.path.dirname(__file__), "mail_spf.pl")
        done = subprocess.run(["/usr/bin/perl", script, str(self.server.port)], input=lines.encode(),
                              stdout=subprocess.PIPE, timeout=600, check=True)
        self.compare("Mail::SPF", done.stdout.decode().split("\n")[:-1])

    def test_families_reach_every_result(self):
        words = {answer["result"] for answer in self.ours}
        self.assertEqual(words, {"neutral", "pass", "fail", "softfail", "temperror", "permerror"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    arguments, rest = parser.parse_known_args()
    Counterparts.program = arguments.program
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
