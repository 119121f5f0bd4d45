# SPDX-License-Identifier: Apache-2.0
"""`POST /deliveries/{id}/preflight`, `todoku deliveries preflight` and the commit that follows it,
against a real name server: a delivery that would arrive, and others with one thing wrong each."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system/support"))

from stack import Stack  # noqa: E402  (first: it knows where the others are)
from ports import free_port  # noqa: E402

PROGRAM = sys.argv.pop(1)

# From domains, each with a key of its own; what stands in the zone beside that.
ALL = ("mx", "spf", "dmarc", "key")
DOMAINS = {
    "green.example": ALL,
    "unsigned.example": ("mx", "spf", "dmarc"),
    "keyless.example": ("mx", "spf", "dmarc", "no record"),
    "nodmarc.example": ("mx", "spf", "key"),
    "nospf.example": ("mx", "dmarc", "key"),
    "nohost.example": ("spf", "dmarc", "key"),
}
NOTICES = ("株式会社とどく 東京都千代田区千代田1-1\n配信停止 https://green.example/leave\n"
           "お問い合わせ info@green.example\n")
UNSUBSCRIBE = {"url": "https://green.example/leave", "one_click": True}
CONFIG = ("[[egress]]", 'name = "main"', 'bind_ipv4 = "127.0.0.1"',
          'public_address = "192.0.2.1"', 'hello_name = "mail.sender.example"')


class SignedStack(Stack):
    """Its zone is made when the account has its keys."""

    def start_dns(self):
        self.dns_port = free_port(with_udp=True)

    def add_account(self):
        super().add_account()
        lines = ["$ORIGIN .", "$TTL 60", "@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60",
                 "@ NS ns.invalid.", 'bounce.sender.example. TXT "v=spf1 ip4:192.0.2.1 -all"',
                 "mail.sender.example. A 192.0.2.1", "list.example. MX 10 mx.list.example.",
                 "mx.list.example. A 127.0.2.1", "null.example. MX 0 .",
                 "docomo.ne.jp. MX 10 mx.list.example."]
        for domain, parts in DOMAINS.items():
            lines.append(f'exists.{domain}. TXT "x"')
            if "mx" in parts:
                lines.append(f"{domain}. MX 10 mx.list.example.")
            if "spf" in parts:
                lines.append(f'{domain}. TXT "v=spf1 ip4:192.0.2.1 -all"')
            if "dmarc" in parts:
                lines.append(f'_dmarc.{domain}. TXT "v=DMARC1; p=none"')
            if "key" in parts or "no record" in parts:
                shown = json.loads(self.command("--json", "dkim", "generate", "--account", "tester",
                                                "--domain", domain, "--selector", "s1"))
                record = next(value for value in shown.values()
                              if isinstance(value, str) and value.startswith("v=DKIM1"))
                strings = " ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
                if "key" in parts:
                    lines.append(f"s1._domainkey.{domain}. TXT {strings}")
        path = self.directory / "root.zone"
        path.write_text("\n".join(lines) + "\n")
        subprocess.run([ROOT / "tools/local_dns", "start", self.directory / "dns",
                        str(self.dns_port), f".={path}"], check=True, capture_output=True)


class Preflight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = SignedStack(PROGRAM, {"list.example": []}, CONFIG)
        cls.stack.__enter__()
        cls.addClassCleanup(cls.stack.close)

    def restart(self):
        self.stack.kill_engine()
        self.stack.start_engine()

    def call(self, method, path, body=None, language="en"):
        """(status, headers, JSON)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.api_port, timeout=30)
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body),
                           {"Authorization": f"Bearer {self.stack.api.token}",
                            "Content-Type": "application/json", "Accept-Language": language})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers, json.loads(text)

    def draft(self, domain="green.example", to=("a@list.example", "b@list.example"), **fields):
        body = {"from": {"email": f"news@{domain}", "name": "とどく"}, "subject": "sale",
                "text_part": NOTICES, "list_unsubscribe": UNSUBSCRIBE,
                "purpose": "advertisement", **fields}
        body = {key: value for key, value in body.items() if value is not None}
        status, _, answer = self.call("POST", "/deliveries/bulk/begin", body)
        self.assertEqual(status, 201, answer)
        delivery = answer["delivery_id"]
        if to:
            status, _, answer = self.call("PUT", f"/deliveries/bulk/update/{delivery}",
                                          {"to": [{"email": each} for each in to]})
            self.assertEqual(status, 200, answer)
        return delivery

    def preflight(self, delivery, language="en"):
        status, _, answer = self.call("POST", f"/deliveries/{delivery}/preflight",
                                      language=language)
        self.assertEqual(status, 200, answer)
        return answer

    def wrong(self, delivery):
        return {f["code"] for f in self.preflight(delivery)["findings"] if f["outcome"] != "pass"}

    def test_one_that_arrives(self):
        answer = self.preflight(self.draft())
        self.assertEqual([f for f in answer["findings"] if f["outcome"] != "pass"], [])
        self.assertEqual((answer["outcome"], answer["breaks_bulk_rules"]), ("pass", False))
        codes = {f["code"] for f in answer["findings"]}
        self.assertLessEqual({"signature_passes", "spf_passes", "dmarc_passes", "from_is_there",
                              "one_click_ready", "header_in_order", "law_complete"}, codes)
        self.assertEqual(answer["coverage"], {
            "recipients": 2, "domains_asked": 1, "smaller_domains_asked": 0, "domains_answered": 1,
            "recipients_asked": 2, "domains_of_sample": False, "sampled": 2, "composed": 2})

    def test_each_thing_that_is_wrong(self):
        self.assertEqual(self.wrong(self.draft("unsigned.example")),
                         {"signature_missing", "dmarc_fails"})
        self.assertEqual(self.wrong(self.draft("keyless.example")),
                         {"signature_fails", "dmarc_fails", "one_click_unsigned"})
        self.assertEqual(self.wrong(self.draft("nodmarc.example")), {"dmarc_missing"})
        self.assertEqual(self.wrong(self.draft("nohost.example")), {"from_is_nowhere"})
        self.assertEqual(self.wrong(self.draft("nospf.example")), set())
        self.assertEqual(self.wrong(self.draft("nospf.example", to=["a@docomo.ne.jp"])),
                         {"spf_of_from_fails"})
        by_mail = {"mailto": "mailto:leave@green.example"}
        self.assertEqual(self.wrong(self.draft(list_unsubscribe=by_mail)), {"one_click_missing"})
        self.assertEqual(self.wrong(self.draft(list_unsubscribe={"url": "http://green.example/"})),
                         {"one_click_not_https"})
        self.assertEqual(self.wrong(self.draft(to=["a@list.example", "b@null.example",
                                                   "c@nowhere.invalid"])),
                         {"audience_takes_no_mail", "audience_no_such_domain"})
        self.assertEqual(self.wrong(self.draft(text_part="sale")),
                         {"law_sender_missing", "law_address_missing", "law_opt_out_missing",
                          "law_contact_missing"})
        self.assertEqual(self.wrong(self.draft(to=())), {"audience_empty"})
        self.assertEqual(self.wrong(self.draft(subject="Re: sale")), {"header_subject_feigns"})

    def test_an_advertisement_without_a_way_out_is_given_the_hosted_one(self):
        self.addCleanup(self.restart)
        self.addCleanup(os.environ.pop, "TODOKU_API__PUBLIC_URL")
        os.environ["TODOKU_API__PUBLIC_URL"] = "https://mail.sender.example"
        self.restart()
        findings = self.preflight(self.draft(list_unsubscribe=None))["findings"]
        self.assertEqual([f["code"] for f in findings if f["outcome"] != "pass"], [])
        self.assertIn("https://mail.sender.example/", next(
            f["sentence"] for f in findings if f["code"] == "one_click_ready"))

    def test_transactional_mail_is_never_held(self):
        self.stack.command("account", "preflight", "tester", "enforce")
        try:
            status, headers, _ = self.call("POST", "/deliveries/transaction", {
                "from": {"email": "shop@unsigned.example"}, "to": "a@list.example",
                "subject": "order", "text_part": "thanks"})
            self.assertEqual((status, headers["X-Todoku-Preflight"]), (201, None))
        finally:
            self.stack.command("account", "preflight", "tester", "warn")

    def test_findings_speak_the_language_of_the_request(self):
        delivery = self.draft("nodmarc.example")
        said = {}
        for language in ("en", "ja"):
            said[language] = next(f["sentence"] for f in self.preflight(delivery, language)["findings"]
                                  if f["code"] == "dmarc_missing")
        self.assertEqual(said["en"], "nodmarc.example has no DMARC record.")
        self.assertIn("レコードがありません", said["ja"])

    def test_who_is_not_there(self):
        for path in ("/deliveries/999999/preflight", "/deliveries/x/preflight",
                     "/deliveries/-1/preflight"):
            status, _, answer = self.call("POST", path)
            self.assertEqual(status, 404, answer)

    def test_the_command(self):
        environment = {**os.environ, "TODOKU_API_KEY": self.stack.api_key,
                       "TODOKU_PROFILE_FILE": str(self.stack.directory / "none.toml")}
        for domain, status in (("green.example", 0), ("unsigned.example", 1)):
            done = subprocess.run(
                [self.stack.binary, "--url", f"http://127.0.0.1:{self.stack.api_port}", "--account",
                 "tester", "--json", "deliveries", "preflight", str(self.draft(domain))],
                capture_output=True, text=True, env=environment)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn("findings", json.loads(done.stdout))

    def test_the_commit(self):
        def commit(delivery):
            return self.call("PATCH", f"/deliveries/bulk/commit/{delivery}",
                             {"reservation_time": "2027-06-01T00:00:00+09:00"})

        def told(domain):
            """What a commit says of it that knew all: on a busy machine one may know too late."""
            for _ in range(50):
                status, headers, answer = commit(self.draft(domain))
                self.assertEqual((status, set(answer)), (200, {"delivery_id"}))
                said = headers["X-Todoku-Preflight"]
                if not any(word in said for word in ("determined", "_open")):
                    return said
            return said
        self.assertEqual(told("green.example"), "pass")
        self.assertTrue(told("unsigned.example").startswith("fail; signature_missing"))
        self.stack.command("account", "preflight", "tester", "enforce")
        try:
            delivery = self.draft("unsigned.example")
            status, _, answer = commit(delivery)
            self.assertEqual(status, 400)
            self.assertEqual(set(answer["error_messages"]["preflight"]),
                             {"signature_missing", "dmarc_fails"})
            self.assertEqual(self.stack.status_of(delivery), "EDIT")
            self.assertEqual(commit(self.draft())[0], 200)
            self.assertEqual(commit(self.draft(text_part="sale"))[0], 200, "the law's are warnings")
        finally:
            self.stack.command("account", "preflight", "tester", "off")
        status, headers, _ = commit(self.draft("unsigned.example"))
        self.assertEqual((status, headers["X-Todoku-Preflight"]), (200, None))
        self.stack.command("account", "preflight", "tester", "warn")


if __name__ == "__main__":
    unittest.main()
