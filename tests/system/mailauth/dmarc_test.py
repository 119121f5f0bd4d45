# SPDX-License-Identifier: Apache-2.0
"""Families of mails, judged by `todoku dmarc check --batch`, by libopendmarc and by Mail::DMARC.

One name server on loopback answers all three; the others are handed what SPF and DKIM said, which
is held against what each mail was made to be. They speak RFC 7489 with the list of public suffixes:
what they say is compared with our answer by that standard. Where a verdict differs, the difference
must be one of DIFFERENCES, which name the section that decides it.
"""
import argparse
import ctypes
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))

SUFFIX_LIST = "/usr/share/publicsuffix/public_suffix_list.dat"
try:
    import dkim
    from zone_server import SERVFAIL, ZoneServer
    OPENDMARC = ctypes.CDLL("libopendmarc.so.2")
    open(SUFFIX_LIST, encoding="utf-8").close()
except (ImportError, OSError) as error:
    sys.exit(f"missing: apt-get install python3-dkim python3-dnspython libopendmarc2 "
             f"libmail-dmarc-perl publicsuffix ({error})")

CASES_OF_EACH_FAMILY = 80
IP = "192.0.2.1"


def make_key():
    pem = subprocess.run(["openssl", "genrsa", "1024"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=pem, check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return pem, "v=DKIM1; p=" + "".join(public.decode().split("\n")[1:-2])


def good_record(rng, org):
    tags = [f"p={rng.choice(['none', 'quarantine', 'reject', 'REJECT'])}"]
    for tag, values in (("sp", ["none", "quarantine", "reject"]), ("adkim", ["r", "s"]),
                        ("aspf", ["r", "s"]), ("fo", ["0", "1", "d:s"]), ("ri", ["3600"]),
                        ("rua", [f"mailto:dmarc@{org}"]), ("pct", ["100"]), ("rf", ["afrf"])):
        if rng.random() < 0.35:
            tags.append(f"{tag}={rng.choice(values)}")
    return "v=DMARC1;" + rng.choice(["", " "]) + rng.choice(["; ", ";", " ; "]).join(tags) + \
        rng.choice(["", ";"])


def wrong_record(rng, org):
    rua = rng.choice(["", f"; rua=mailto:dmarc@{org}", "; rua=dmarc"])
    return "v=DMARC1; " + rng.choice([
        "p=wrong", "p=", "sp=none", "p=reject; sp=wrong", "p=none; sp=", "p=quarantine; adkim=x",
        "p=reject; unknown=1", "p=reject; aspf=strict", "adkim=s; p=reject", "p=reject;; fo=z",
    ]) + rua


def policies(rng, org, author):
    yield org, [good_record(rng, org)]


def deeper(rng, org, author):
    if author != org:
        yield author, [good_record(rng, org)]
    if rng.random() < 0.7:
        yield org, [good_record(rng, org)]


def others_beside(rng, org, author):
    records = [good_record(rng, org), "v=spf1 -all", "something else", "v=DMARC2; p=reject"]
    rng.shuffle(records)
    yield rng.choice([org, author]), records


def troubles(rng, org, author):
    yield rng.choice([org, author]), rng.choice([
        [good_record(rng, org), good_record(rng, org)], SERVFAIL, ["v=spf1 -all"], [" "]])


def mistakes(rng, org, author):
    yield org, [wrong_record(rng, org)]


FAMILIES = [policies, deeper, others_beside, troubles, mistakes]


def cases(folder):
    rng = random.Random(9989)
    key, key_record = make_key()
    zone, made = {}, []
    for family in FAMILIES:
        for number in range(CASES_OF_EACH_FAMILY):
            name = f"{family.__name__.replace('_', '-')}{number}"
            org = name + rng.choice([".jp", ".co.jp", ".com", ".tokyo.jp"])
            author = rng.choice(["", "", "news.", "a.b."]) + org
            for domain, records in family(rng, org, author):
                zone[f"_dmarc.{domain}", "TXT"] = records
            others = [author, org, f"m.{org}", f"x.news.{org}", f"{name}.example.com", "example.jp"]
            sender, signer = rng.choice(others), rng.choice(others + [None] * 3)
            spf = rng.choice(["pass", "pass", "fail", "none"])
            for domain in {org, author}:
                zone[domain, "A"] = [IP]  # Mail::DMARC passes over what does not exist
            if spf != "none":
                sender = f"{name}.{sender}" if sender == "example.jp" else sender
                zone[sender, "TXT"] = ["v=spf1 +all" if spf == "pass" else "v=spf1 -all"]
            elif (sender, "TXT") in zone:
                spf = "pass" if zone[sender, "TXT"] == ["v=spf1 +all"] else "fail"
            mail = f"From: <taro@{author}>\r\nTo: <hanako@example.jp>\r\n" \
                   f"Subject: {name}\r\n\r\nHello\r\n".encode()
            signed = None
            if signer:
                zone[f"s._domainkey.{signer}", "TXT"] = [key_record]
                mail = dkim.sign(mail, b"s", signer.encode(), key) + mail
                signed = rng.choice(["pass", "pass", "fail"])
                if signed == "fail":
                    mail = mail.replace(b"Hello", b"Hallo")
            path = os.path.join(folder, f"{name}.eml")
            with open(path, "wb") as file:
                file.write(mail)
            made.append({"id": name, "ip": IP, "mail_from": f"a@{sender}", "helo": "mail.example.jp",
                         "file": path, "author": author, "made": (spf, signed)})
    return made, zone


class SocketAddress(ctypes.Structure):
    _fields_ = [("family", ctypes.c_ushort), ("port", ctypes.c_uint16.__ctype_be__),
                ("address", ctypes.c_ubyte * 4), ("zero", ctypes.c_ubyte * 8)]


class OpendmarcOptions(ctypes.Structure):  # OPENDMARC_LIB_T of opendmarc/dmarc.h
    _fields_ = [("tld_type", ctypes.c_int), ("tld_source_file", ctypes.c_char * 4096),
                ("nscount", ctypes.c_int), ("nsaddr_list", SocketAddress * 3)]


def opendmarc_word(case, answer):
    """(result, policy of a failure, SPF aligned, DKIM aligned) by libopendmarc."""
    OPENDMARC.opendmarc_policy_connect_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(OPENDMARC.opendmarc_policy_connect_init(IP.encode(), 4))
    OPENDMARC.opendmarc_policy_store_from_domain(context, case["author"].encode())
    outcome = {"pass": 1, "none": 0}.get(answer["spf"]["result"], 2)
    OPENDMARC.opendmarc_policy_store_spf(context, answer["spf"]["domain"].encode(), outcome, 1, None)
    for one in answer["signatures"]:
        OPENDMARC.opendmarc_policy_store_dkim(context, one["domain"].encode(), b"s",
                                              1 if one["result"] == "pass" else 2, None)
    status = OPENDMARC.opendmarc_policy_query_dmarc(context, case["author"].encode())
    word = {14: "none", 15: "pass", 16: "reject", 17: "quarantine", 18: "monitor"}.get(
        OPENDMARC.opendmarc_get_policy_to_enforce(context), "?")
    by_dkim, by_spf = ctypes.c_int(), ctypes.c_int()
    OPENDMARC.opendmarc_policy_fetch_alignment(context, ctypes.byref(by_dkim), ctypes.byref(by_spf))
    OPENDMARC.opendmarc_policy_connect_shutdown(context)
    if status in (4, 5):  # a bad value, p= is missing
        return ("permerror", "-", False, False)
    if status in (9, 10):  # no record, no such domain
        return ("none", "-", False, False)
    if status != 0:
        return ("temperror" if status == 11 else f"status {status}", "-", False, False)
    aligned = (by_spf.value == 4, by_dkim.value == 4)
    if word in ("pass", "none"):
        return (word, "-", *aligned)
    return ("fail", "none" if word == "monitor" else word, *aligned)


def our_word(answer):
    ours = answer["by_suffix_list"]
    policy = ours["policy"] if ours["result"] == "fail" else "-"
    return (ours["result"], policy, ours["spf_aligned"], ours["dkim_aligned"])


def texts(records):
    return [text for values in records.values() if values != SERVFAIL for text in values]


def fails(records, _ours, _theirs):
    return SERVFAIL in records.values()


def has_several(records, _ours, _theirs):
    return any(values != SERVFAIL and sum(text.startswith("v=DMARC1") for text in values) > 1
               for values in records.values())


def has_wrong(*wrong):
    """A tag of the record is one of `wrong`."""
    return lambda records, _ours, _theirs: any(
        tag.strip() in wrong for text in texts(records) for tag in text.split(";"))


def has_others(records, _ours, theirs):
    return theirs[0] in ("none", "status 3") and any(
        values != SERVFAIL and len({text.startswith("v=DMARC1") for text in values}) == 2
        for values in records.values())


def lacks_p(records):
    return any(text.startswith("v=DMARC1") and "p" not in
               {tag.partition("=")[0].strip() for tag in text.split(";")} for text in texts(records))


def lacks_policy(records, ours, _theirs):
    return ours[0] == "permerror" and any(
        {"p=wrong", "p=", "sp=wrong", "sp=none"} & {tag.strip() for tag in text.split(";")}
        for text in texts(records))


# (who, section that makes ours right, whether a difference is of this kind)
DIFFERENCES = [
    ("opendmarc", "RFC 9989 section 5.3.6: of a DNS that fails nothing is concluded", fails),
    ("Mail::DMARC", "RFC 9989 section 5.3.6", fails),
    ("opendmarc", "RFC 7489 section 6.6.3: several records are none", has_several),
    ("opendmarc", "RFC 7489 section 6.3: what is wrong is the default",
     has_wrong("adkim=x", "aspf=strict", "fo=z")),
    ("opendmarc", "RFC 7489 section 6.6.3: with rua= a wrong policy is none",
     lambda records, ours, theirs: theirs[0] == "permerror" and
     (has_wrong("p=wrong", "p=", "sp=wrong")(records, ours, theirs) or lacks_p(records))),
    ("opendmarc", "RFC 7489 section 6.6.3: other texts are discarded before records are counted",
     has_others),
    ("opendmarc", "RFC 7489 section 3.1.2: strict is the same domain, not one below it",
     lambda records, ours, theirs: has_wrong("aspf=s")(records, ours, theirs) and
     theirs[2] and not ours[2]),
    ("opendmarc", "RFC 9989 section 4.8: tags stand in any order after the version",
     has_wrong("adkim=s")),
    ("opendmarc", "RFC 7489 section 6.6.3: without p= and rua= no policy applies", lacks_policy),
    ("Mail::DMARC", "RFC 7489 section 6.6.3", lacks_policy),
]


class Counterparts(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.cases, cls.zone = cases(cls.folder.name)
        cls.server = ZoneServer(cls.zone)
        cls.server.__enter__()
        cls.ours = cls.todoku("--json")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.folder.cleanup()

    @classmethod
    def todoku(cls, *words):
        lines = [json.dumps({k: case[k] for k in ("id", "ip", "mail_from", "helo", "file")}) + "\n"
                 for case in cls.cases]
        done = subprocess.run(
            [cls.program, *words, "dmarc", "check", "--batch", "--resolver",
             f"127.0.0.1:{cls.server.port}"],
            input="".join(lines).encode(), stdout=subprocess.PIPE, timeout=600, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [a["id"] for a in answers] == [c["id"] for c in cls.cases]
        return answers

    def compare(self, who, words):
        unexplained = []
        self.assertEqual(len(words), len(self.cases))
        for case, answer, theirs in zip(self.cases, self.ours, words):
            ours = our_word(answer)
            records = {name: values for (name, _), values in self.zone.items()
                       if name in (f"_dmarc.{case['author']}", f"_dmarc.{self.org(case)}")}
            if ours == theirs or any(name == who and of_kind(records, ours, theirs)
                                     for name, _, of_kind in DIFFERENCES):
                continue
            unexplained.append(f"{case['id']} of {case['author']}, {answer['spf']}, "
                               f"{answer['signatures']}\n  {records}\n  ours {ours}, {who} {theirs}")
        self.assertFalse(unexplained, f"{len(unexplained)} verdicts differ:\n" +
                         "\n".join(unexplained[:40]))

    @staticmethod
    def org(case):
        return case["author"][case["author"].index(case["id"]):]

    def test_mails_are_what_they_were_made_to_be(self):
        for case, answer in zip(self.cases, self.ours):
            spf, signed = case["made"]
            self.assertEqual(answer["spf"]["result"], spf, case)
            self.assertEqual([one["result"] for one in answer["signatures"]],
                             [signed] if signed else [], case)

    def test_batch_has_the_members_of_the_verdict_by_tree_walk(self):
        for short, long in zip(self.todoku(), self.ours):
            self.assertEqual(list(short), ["id", "result", "policy", "domain", "spf_aligned",
                                           "dkim_aligned"])
            self.assertEqual(short, {name: long[name] for name in short})

    def test_opendmarc(self):
        options = OpendmarcOptions(tld_type=1, tld_source_file=SUFFIX_LIST.encode(), nscount=1)
        options.nsaddr_list[0] = SocketAddress(2, self.server.port, (127, 0, 0, 1))
        self.assertEqual(OPENDMARC.opendmarc_policy_library_init(ctypes.byref(options)), 0)
        self.compare("opendmarc", [opendmarc_word(case, answer)
                                   for case, answer in zip(self.cases, self.ours)])

    def test_mail_dmarc(self):
        lines = "".join(json.dumps({"author": case["author"], "spf": answer["spf"],
                                    "signatures": answer["signatures"]}) + "\n"
                        for case, answer in zip(self.cases, self.ours))
        script = os.path.join(os.path.dirname(__file__), "mail_dmarc.pl")
        done = subprocess.run(["/usr/bin/perl", script, str(self.server.port), SUFFIX_LIST],
                              input=lines.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=600, check=True)
        self.compare("Mail::DMARC", [self.mail_dmarc_word(json.loads(line))
                                     for line in done.stdout.splitlines()])

    @staticmethod
    def mail_dmarc_word(theirs):
        # Where no policy is found its result is left at "fail", with the reason.
        if theirs["result"] == "died":
            return ("died", theirs["reason"], False, False)
        if theirs.get("reason") in ("no policy", "too many policies"):
            return ("none", "-", False, False)
        if theirs.get("reason") == "no valid rua" or theirs["spf"] is None:
            return ("permerror", "-", False, False)
        # As it stands in the record, in any case.
        policy = theirs["disposition"].lower() if theirs["result"] == "fail" else "-"
        return (theirs["result"], policy, theirs["spf"] == "pass", theirs["dkim"] == "pass")

    def test_families_reach_every_result(self):
        for way in (self.ours, [answer["by_suffix_list"] for answer in self.ours]):
            self.assertEqual({answer["result"] for answer in way},
                             {"none", "pass", "fail", "temperror", "permerror"})
        self.assertEqual({answer["policy"] for answer in self.ours},
                         {"none", "quarantine", "reject"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    arguments, rest = parser.parse_known_args()
    Counterparts.program = arguments.program
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
