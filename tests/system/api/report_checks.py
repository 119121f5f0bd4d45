# SPDX-License-Identifier: Apache-2.0
"""What receivers report of a domain: taken in over the API and the command line, counted once, told
together, and nobody else's; whatever is no report is refused."""
import gzip
import json

import door
import report_files
from door import Checks, issued
from report_files import aggregate, compressed, mailbox, message, midnight, row, tls, zipped

OURS = "192.0.2.15"
STRANGER = "198.51.100.7"
CONFIG = ("[[egress]]", 'name = "one"', f'public_address = "{OURS}"')


class Plain:
    """A stack as it is."""


class DomainReports(Checks):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(door.world.stack_like(Plain, config=CONFIG))
        cls.account, cls.other = door.Account(cls.stack, "shop"), door.Account(cls.stack, "other")
        keys = {each.name: issued(cls.stack.command("key", "add", each.name, "--scopes", "admin"))
                for each in (cls.account, cls.other)}
        cls.tokens = {name: key[2] for name, key in keys.items()}
        cls.api_key = keys["shop"][1]
        cls.names = iter(range(1_000))

    def domain(self, account=None, name=None):
        """A fresh one that the account has."""
        name = name or f"d{next(self.names)}.example"
        self.stack.command("domain", "add", (account or self.account).name, name, "--proven")
        return name

    def give(self, octets, account=None, **how):
        account = account or self.account
        return account.request("POST", "/reports", octets, token=self.tokens[account.name],
                               content_type="application/octet-stream", **how)

    def taken(self, octets, account=None):
        return self.ok(self.give(octets, account))

    def told(self, domain, days=30, account=None):
        account = account or self.account
        return self.ok(account.request("GET", f"/domains/{domain}/reports?days={days}",
                                       token=self.tokens[account.name]))

    def only(self, octets, account=None):
        answer = self.taken(octets, account)
        self.assertEqual(1, len(answer["reports"]), answer)
        return answer["reports"][0]

    def test_who_sends_and_what_a_stricter_policy_would_do(self):
        domain = self.domain()
        rows = [row(OURS, 100), row(STRANGER, 40, dkim="fail", spf="fail"),
                row("203.0.113.5", 3, spf="fail", reason="forwarded")]
        given = {"google": compressed(aggregate(domain, rows, "google.example")),
                 "microsoft": zipped({"a.xml": aggregate(domain, rows, "microsoft.example",
                                                         shape="microsoft", begin=midnight(2))}),
                 "yahoo": aggregate(domain, rows, "yahoo.example", shape="yahoo")}
        for shape, octets in given.items():
            one = self.only(octets)
            self.assertEqual(("added", "dmarc", f"{shape}.example", domain, 143),
                             tuple(one[key] for key in ("outcome", "kind", "organization", "domain",
                                                        "messages")))
        for octets in given.values():
            self.assertEqual("repeated", self.only(octets)["outcome"])
        told = self.told(domain)
        self.assertEqual((3, 429, 309, 120), (told["reports"], *(
            told["dmarc"][key] for key in ("messages", "passed", "failed"))))
        self.assertEqual((300, 300), (told["ours"]["messages"], told["ours"]["passed"]))
        sources = {each["source_ip"]: each for each in told["sources"]}
        self.assertEqual(STRANGER, told["sources"][0]["source_ip"])
        self.assertEqual([True, False, False],
                         [sources[each]["ours"] for each in (OURS, STRANGER, "203.0.113.5")])
        self.assertEqual("198.51.100.0/24", sources[STRANGER]["network"])
        self.assertEqual([143, 286], [each["messages"] for each in told["days"]])
        found = {each["code"]: each for each in told["findings"]}
        self.assertEqual({"own_mail_passes", "strangers_fail", "policy_would_refuse"}, set(found))
        self.assertIn(f"120 of 429 messages would be refused, all of them from {STRANGER}",
                      found["policy_would_refuse"]["sentence"])
        self.assertIn("429 通のうち 120 通", found["policy_would_refuse"]["sentence_ja"])
        self.assertEqual(143, self.told(domain, days=2)["dmarc"]["messages"] -
                         self.told(domain, days=1)["dmarc"]["messages"])

    def test_a_named_request_is_answered_as_it_was(self):
        domain = self.domain()
        octets = aggregate(domain, [row(OURS, 1)], "named.example")
        first, again = (self.give(octets, headers={"Idempotency-Key": "once"}) for _ in range(2))
        self.assertEqual("added", self.ok(first)["reports"][0]["outcome"])
        self.assertEqual(first.json, self.ok(again))
        self.assertEqual("true", again.headers.get("idempotency-replayed"))
        self.assertEqual("repeated", self.only(octets)["outcome"])
        other = aggregate(domain, [row(OURS, 2)], "named.example")
        self.assertEqual(409, self.give(other, headers={"Idempotency-Key": "once"}).status)
        self.assertEqual(1, self.told(domain)["dmarc"]["messages"])

    def test_messages_and_mailboxes_carry_reports(self):
        domain = self.domain()
        rows = [row(OURS, 1)]
        made = [aggregate(domain, rows, report_id=str(number)) for number in range(6)]
        self.assertEqual("added", self.only(message(compressed(made[0]), "r.xml.gz"))["outcome"])
        self.assertEqual("added", self.only(message(zipped({"r.xml": made[1]}), "r.zip",
                                                    ("application", "octet-stream")))["outcome"])
        self.assertEqual("added", self.only(message(made[2], "r.xml", ("text", "xml"),
                                                    forwarded=True))["outcome"])
        both = self.taken(mailbox([message(compressed(made[3]), "a.xml.gz"),
                                   message(b"nothing", "a.txt", ("text", "plain")),
                                   message(compressed(made[4]), "b.xml.gz")]))
        self.assertEqual((2, 0, 1), (both["added"], both["repeated"], both["refused"]))
        form = self.account.multipart(
            "POST", "/reports", [('name="file"; filename="a.xml"', "text/xml", made[5]),
                                 ('name="file"; filename="b.xml"', "text/xml", made[0])],
            token=self.tokens["shop"])
        self.assertEqual(["added", "repeated"],
                         [each["outcome"] for each in self.ok(form)["reports"]])
        self.assertEqual(6, self.told(domain)["dmarc"]["messages"])

    def test_tls_reports_of_several_domains_go_to_those_who_have_them(self):
        ours, theirs = self.domain(), self.domain(self.other)
        report = tls({ours: (90, [("certificate-expired", f"mx1.{ours}", 10)]),
                      theirs: (5, []), "nobodys.example": (1, [])})
        answer = self.taken(compressed(report))
        self.assertEqual({ours: "added", theirs: "refused", "nobodys.example": "refused"},
                         {each["domain"]: each["outcome"] for each in answer["reports"]})
        told = self.told(ours)["tls"]
        self.assertEqual((90, 10), (told["successful"], told["failed"]))
        self.assertEqual([("certificate-expired", f"mx1.{ours}", 10)],
                         [(each["result"], each["receiving_mx"], each["sessions"])
                          for each in told["failures"]])
        finding = self.told(ours)["findings"][0]
        self.assertEqual("tls_fails", finding["code"])
        self.assertIn("has expired", finding["sentence"])
        self.assertTrue(finding["advice"] and finding["advice_ja"])

    def test_another_accounts_domain_is_not_there(self):
        theirs = self.domain(self.other)
        octets = aggregate(theirs, [row(STRANGER, 1)])
        self.assertEqual("refused", self.only(octets)["outcome"])
        self.assertEqual("added", self.only(octets, self.other)["outcome"])
        token = self.tokens["shop"]
        mine = self.account.request("GET", f"/domains/{theirs}/reports", token=token)
        none = self.account.request("GET", "/domains/nobodys.example/reports", token=token)
        self.assertEqual((404, 404), (mine.status, none.status))
        self.assertEqual(mine.body.replace(theirs.encode(), b""),
                         none.body.replace(b"nobodys.example", b""))
        self.assertEqual(403, self.account.request(
            "GET", f"/domains/{theirs}/reports", token=self.account.token).status)

    def test_a_subdomains_reports_go_to_who_has_it(self):
        parent = self.domain()
        self.assertEqual("added", self.only(aggregate(f"mail.{parent}", [row(OURS, 4)]))["outcome"])
        self.assertEqual(4, self.told(parent)["dmarc"]["messages"])
        self.domain(self.other, f"news.{parent}")
        octets = aggregate(f"x.news.{parent}", [row(OURS, 5)])
        self.assertEqual("refused", self.only(octets)["outcome"])
        self.assertEqual("added", self.only(octets, self.other)["outcome"])
        self.assertEqual(4, self.told(parent)["dmarc"]["messages"])

    def test_our_own_mail_that_begins_to_fail_is_told(self):
        domain = self.domain()
        self.taken(aggregate(domain, [row(OURS, 500)], report_id="good"))
        self.assertNotIn("own mail fails", self.log())
        self.taken(aggregate(domain, [row(OURS, 100, dkim="fail", spf="fail")], report_id="bad"))
        self.assertEqual(1, self.log().count(f"domain={domain}"))
        self.taken(aggregate(domain, [row(OURS, 100, dkim="fail", spf="fail")], report_id="worse"))
        self.assertEqual(1, self.log().count(f"domain={domain}"), "once for a day")
        finding = self.told(domain)["findings"][0]
        self.assertEqual(("own_mail_fails", "fail"), (finding["code"], finding["outcome"]))

    def log(self):
        return "".join(line for line in (self.stack.directory / "engine.log").read_text().splitlines(
            True) if "own mail fails" in line)

    def test_what_is_none_is_refused_and_harms_nobody(self):
        domain = self.domain()
        good = aggregate(domain, [row(OURS, 1)])
        year = 365 * report_files.DAY
        bomb = gzip.compress(b"<feedback>" + b" " * 70_000_000)
        wrong = {
            "no report": b"hello", "cut": good[:-30], "cut gzip": compressed(good)[:-20],
            "bomb": bomb, "zip in zip": zipped({"a.zip": zipped({"a.xml": good})}),
            "two in a zip": zipped({"a.xml": good, "b.xml": good}),
            "many in a zip": zipped({f"{number}.xml": good for number in range(100)}),
            "entities": good.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
                                     1),
            "wrong encoding": good.replace(b"UTF-8", b"x-unknown", 1),
            "a huge count": good.replace(b"<count>1<", b"<count>99999999999999999999<"),
            "a count below 0": good.replace(b"<count>1<", b"<count>-1<"),
            "1970": aggregate(domain, [row(OURS, 1)], begin=0),
            "the future": aggregate(domain, [row(OURS, 1)], begin=midnight(-10)),
            "too old": aggregate(domain, [row(OURS, 1)], begin=midnight(500)),
            "years": aggregate(domain, [row(OURS, 1)], begin=midnight(300), end=midnight(1) + year),
            "backwards": aggregate(domain, [row(OURS, 1)], end=midnight(3)),
            "no address": good.replace(OURS.encode(), b"<b>"),
            "a domain that is none": aggregate("-x-", [row(OURS, 1)]),
            "nothing in a message": b"From: a@example.com\n\nhello\n",
        }
        for what, octets in wrong.items():
            with self.subTest(what):
                one = self.only(octets)
                self.assertEqual("refused", one["outcome"], one)
                self.assertTrue(one["reason"] and one["reason_ja"], one)
                self.assertNotIn("root:", one["reason"])
        self.refused(self.give(b""))
        self.assertEqual(413, self.give(b" " * (25 << 20)).status)
        self.assertEqual(0, self.told(domain)["reports"])
        for days in ("0", "401", "x", "-1"):
            self.refused(self.account.request("GET", f"/domains/{domain}/reports?days={days}",
                                              token=self.tokens["shop"]), "days")
        # Rows that repeat are summed, and sums end.
        rows = [row(OURS, 1_000_000_000_000)] * 20_000
        self.assertEqual("added", self.only(compressed(aggregate(domain, rows)))["outcome"])
        self.assertEqual(2**53 - 1, self.told(domain)["dmarc"]["messages"])

    def test_hostile_text_is_shown_harmlessly(self):
        domain = self.domain()
        evil = "<script>alert(1)</script>\x1b[2J\u202e"
        octets = tls({domain: (1, [(evil, evil, 2)])}, organization=evil)
        self.assertEqual("added", self.only(octets)["outcome"])
        answer = self.account.request("GET", f"/domains/{domain}/reports", token=self.tokens["shop"])
        self.assertNotIn("\x1b", answer.body.decode())
        self.assertNotIn("\u202e", answer.body.decode())
        shown = self.stack.command("reports", "show", domain)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\u202e", shown)

    def test_the_command_line_takes_in_and_shows(self):
        domain = self.domain()
        folder = self.stack.directory / domain
        folder.mkdir()
        rows = [row(OURS, 9), row(STRANGER, 1, dkim="fail", spf="fail")]
        (folder / "a.xml.gz").write_bytes(compressed(aggregate(domain, rows, report_id="a")))
        (folder / "b.eml").write_bytes(message(compressed(aggregate(domain, rows, report_id="b")),
                                               "b.xml.gz"))
        (folder / "c.mbox").write_bytes(mailbox([message(compressed(aggregate(
            domain, rows, report_id=f"c{number}")), "c.xml.gz") for number in range(3)]))
        (folder / "bad.xml").write_bytes(b"<feedback>")
        files = [str(folder / name) for name in ("a.xml.gz", "b.eml", "c.mbox")]
        answer = json.loads(self.stack.command("reports", "import", *files, "--json"))
        self.assertEqual((5, 0, 0), tuple(answer[key] for key in ("added", "repeated", "refused")))
        again = self.stack.command("reports", "import", *files, str(folder / "bad.xml"),
                                   "--account", "shop", statuses=(1,))
        self.assertIn("0 added, 5 there already, 1 not taken", again)
        self.stack.command("reports", "import", str(folder / "none"), statuses=(2,))
        told = json.loads(self.stack.command("reports", "show", domain, "--json"))
        self.assertEqual(self.told(domain), told)
        shown = self.stack.command("reports", "show", domain, "--account", "shop", "--days", "5")
        self.assertIn(f"5 of 50 messages would be refused, all of them from {STRANGER}", shown)
        self.assertIn("ours", shown)
        japanese = self.stack.command("reports", "show", domain, "--lang", "ja")
        self.assertIn("50 通のうち 5 通が拒否されます", japanese)
        over_api = ("--json", "--account", "shop", "--url", f"http://127.0.0.1:{self.stack.api_port}",
                    "--key-file", self.key_file(folder))
        remote = json.loads(self.stack.command("reports", "show", domain, *over_api))
        self.assertEqual(told, remote)
        over = json.loads(self.stack.command("reports", "import", files[0], *over_api))
        self.assertEqual(1, over["repeated"])
        self.stack.command("reports", "show", "nobodys.example", statuses=(1,))

    def key_file(self, folder):
        path = folder / "key"
        path.write_text(self.api_key + "\n")
        path.chmod(0o600)
        return str(path)
