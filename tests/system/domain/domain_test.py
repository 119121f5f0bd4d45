#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A domain's set-up against real name servers (knot): from an empty zone to all green by pasting what
`domain setup` prints, and each record broken in turn, which `domain check` names."""
import copy
import json
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

from knot_zone import SENDER, DomainCase, home, joined, strings, read_zone, write_zone

from zone_server import SERVFAIL, ZoneServer


class Domain(DomainCase):
    def test_from_an_empty_zone_to_green(self):
        self.serve("")
        status, findings = self.check()
        self.assertEqual(status, 1)
        codes = {finding["code"] for finding in findings if finding["outcome"] == "fail"}
        self.assertEqual(codes, {"dkim_no_keys", "spf_from_missing", "spf_missing", "from_no_host",
                                 "return_path_no_host", "dmarc_missing"})
        green = self.setup_green()
        status, findings = self.check()
        self.assertEqual([f["code"] for f in findings if f["outcome"] != "pass"], [], findings)
        self.assertEqual(status, 0)
        # An answer that does not fit UDP is asked for over TCP.
        self.serve(write_zone(green) + "".join(
            f'example.jp. IN TXT "{i:03}{"x" * 200}"\n' for i in range(20)))
        status, findings = self.check()
        self.assertEqual(([f for f in findings if f["outcome"] != "pass"], status), ([], 0))
        # Nothing is left to paste, and no second keys are made.
        again = self.tool("domain", "setup", "example.jp", "--json", *self.asked)
        records = json.loads(again)["records"]
        self.assertEqual([r["name"] for r in records if not r["is_there"]], [])
        self.assertEqual(len([r for r in records if "_domainkey" in r["name"]]), 2)

    def test_a_record_that_is_there_is_merged(self):
        self.serve('example.jp. IN TXT "v=spf1 mx -all"\nexample.jp. IN MX 10 mx.example.jp.\n'
                   "mx.example.jp. IN A 198.51.100.1\n")
        records = json.loads(self.tool("domain", "setup", "example.jp", "--json",
                                       *self.asked))["records"]
        spf = next(r for r in records if r["name"] == "example.jp" and r["type"] == "TXT")
        self.assertEqual(spf["value"], "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 mx -all")
        self.assertTrue(spf["replaces"])
        self.assertEqual([(r["name"], r["value"]) for r in records if r["type"] == "A"],
                         [("mail.example.jp", "192.0.2.1")])

    def test_one_server_of_two(self):
        green = self.setup_green()
        self.serve({at: values for at, values in green.items() if "_dmarc" not in at[0]}, [1])
        # The second has the newer zone now, without the record: of two the newer one is believed.
        codes = [f["code"] for f in self.check()[1] if f["outcome"] != "pass"]
        self.assertEqual(codes, ["server_stale", "dmarc_missing"])
        self.serve(green)
        self.servers[1].stop()
        status, findings = self.check()
        self.assertEqual([f["code"] for f in findings if f["outcome"] != "pass"],
                         ["server_silent"])
        self.assertIn("ns2.example.jp (127.0.0.2)", findings[0]["subject"])
        self.assertEqual(status, 0)
        # Silence of all proves nothing.
        status, findings = self.run_check(
            "domain", "check", "example.jp", "--server", f"127.0.0.2:{self.port}", *self.asked)
        self.assertEqual([f["code"] for f in findings], ["servers_silent"])
        self.assertEqual(status, 2)
        _, findings = self.run_check("domain", "check", "example.jp", "--server",
                                     f"127.0.0.2:{self.port}", *self.asked, "--lang", "ja")
        self.assertRegex(findings[0]["sentence"], "到達できません|応答がありません")

    def test_new_keys_sign_once_they_are_published(self):
        green = self.setup_green()
        asked = ["--port", str(self.port)]

        def rotate(*words, status=0, resolver=self.port):
            done = subprocess.run([home.BINARY, "--config", str(self.config), "--json", "domain",
                                   "rotate", "example.jp", "--resolver",
                                   f"127.0.0.1:{resolver}", *asked, *words], text=True,
                                  capture_output=True, timeout=600)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            return json.loads(done.stdout)

        made = rotate()
        self.assertEqual((made["state"], len(made["keys"])), ("publish", 2))
        self.assertEqual(len(json.loads(self.tool("--json", "dkim", "list"))["keys"]), 2)
        waits = rotate(status=1)
        codes = [f["code"] for f in waits["findings"]]
        self.assertEqual(codes, ["servers_agree", "dkim_missing", "dkim_missing"])
        self.assertEqual((waits["state"], waits["keys"], waits["outcome"]),
                         ("waiting", made["keys"], "fail"))
        records = write_zone(green) + "".join(key["zone_entry"] for key in made["keys"])
        # On one server of two they are not published yet.
        self.serve(records, [0])
        self.assertEqual(rotate(status=1)["findings"][0]["code"], "server_stale")
        # The one that has them, named alone, is not the zone.
        one = ["--server", f"127.0.0.1:{self.port}"]
        left_out = [f for f in rotate(*one, status=2)["findings"] if f["outcome"] != "pass"]
        self.assertEqual([f["code"] for f in left_out], ["servers_left_out"])
        self.assertIn("ns2.example.jp (127.0.0.2)", left_out[0]["sentence"])
        self.serve(records)
        # Who validates gets nothing of a bogus zone, though all servers have the records.
        bogus = {("example.jp", "NS"): ["ns1.example.jp.", "ns2.example.jp."],
                 ("ns1.example.jp", "A"): ["127.0.0.1"], ("ns2.example.jp", "A"): ["127.0.0.2"]}
        bogus |= {(key["dns_name"], "TXT"): SERVFAIL for key in made["keys"]}
        with ZoneServer(bogus) as broken:
            found = rotate(resolver=broken.port, status=2)["findings"]
        codes = [f["code"] for f in found if f["outcome"] != "pass"]
        self.assertEqual(codes, ["lookup_undetermined"])
        self.assertEqual(len(json.loads(self.tool("--json", "dkim", "list"))["keys"]), 2)
        begun = rotate()
        self.assertEqual((begun["state"], len(begun["kept"])), ("signing", 2))
        self.assertEqual(len(json.loads(self.tool("--json", "dkim", "list"))["keys"]), 4)
        self.assertEqual(rotate()["state"], "overlap")
        self.assertEqual(self.check()[0], 0)

    def test_keys_in_a_zone_of_their_own(self):
        green = self.setup_green()
        with open(self.config, "a", encoding="utf-8") as config:
            config.write('[dkim]\nplatform_zone = "dkim.example.com"\nhook = ["/bin/true"]\n')
        shown = json.loads(self.tool("domain", "setup", "example.jp", "--by", "cname", "--json",
                                     *self.asked))
        below = {(record["name"], "CNAME"): [record["value"]]
                 for record in shown["records"] if record["type"] == "CNAME"}
        self.assertEqual(len(below), 4, shown)
        is_key = {at: "_domainkey" in at[0] for at in green}
        below |= {at: [joined(value) for value in green[at]] for at in green if is_key[at]}
        self.serve(write_zone({at: green[at] for at in green if not is_key[at]})
                   + "_domainkey.example.jp. IN NS ns3.example.jp.\nns3.example.jp. IN A 127.0.0.3\n")
        told = {("example.jp", "NS"): ["ns1.example.jp.", "ns2.example.jp."],
                ("_domainkey.example.jp", "NS"): ["ns3.example.jp."],
                ("ns1.example.jp", "A"): ["127.0.0.1"], ("ns2.example.jp", "A"): ["127.0.0.2"],
                ("ns3.example.jp", "A"): ["127.0.0.3"]}
        with ZoneServer(below, "127.0.0.3", self.port), ZoneServer(told | below) as resolver:
            _, findings = self.run_check(
                "domain", "check", "example.jp", "--resolver", f"127.0.0.1:{resolver.port}",
                "--port", str(self.port), *SENDER)
        codes = [f["code"] for f in findings if f["code"].startswith(("dkim_", "server"))]
        self.assertEqual(sorted(codes), ["dkim_cname_ok"] * 4 + ["dkim_ok"] * 2 + ["servers_agree"],
                         findings)

    def test_below_a_domain_that_signs_new_keys_wait(self):
        self.setup_green()
        for _ in range(2):
            answer = json.loads(self.tool("domain", "setup", "news.example.jp", "--json",
                                          *self.asked))
            self.assertTrue(answer["keys_wait"])
            names = [r["name"] for r in answer["records"] if "_domainkey" in r["name"]]
            self.assertEqual(len(names), 2, names)
            self.assertTrue(all(name.endswith("._domainkey.news.example.jp") for name in names))
        keys = json.loads(self.tool("--json", "dkim", "list"))["keys"]
        self.assertEqual({key["domain"] for key in keys}, {"example.jp"}, "who signs")

    def test_a_domain_that_nobody_serves(self):
        self.serve("")
        status, findings = self.run_check("domain", "check", "example.test", *self.asked)
        self.assertEqual(([f["code"] for f in findings], status), (["zone_not_found"], 1))
        with ZoneServer({("example.jp", "NS"): SERVFAIL}) as broken:
            status, findings = self.run_check("domain", "check", "example.jp", "--resolver",
                                              f"127.0.0.1:{broken.port}", *SENDER)
        self.assertEqual(([f["code"] for f in findings], status), (["zone_undetermined"], 2))


class BrokenInTurn(DomainCase):
    apart = False

    def breaks(self, green):
        """(code, zone) of each way to break it."""
        key = next((name, kind) for name, kind in green if "_domainkey" in name
                   and len(green[name, kind][0]) > 300)
        text = joined(green[key][0])
        bare = key[0].rstrip(".")
        dmarc, spf, path = (("_dmarc.example.jp.", "TXT"), ("example.jp.", "TXT"),
                            ("bounce.example.jp.", "TXT"))
        mx = ("bounce.example.jp.", "MX")

        def with_values(at, *values):
            zone = copy.deepcopy(green)
            zone[at] = list(values)
            return zone

        def moved(at, to):
            zone = copy.deepcopy(green)
            zone[to, at[1]] = zone.pop(at)
            return zone

        def alias(name, to):
            zone = {at: values for at, values in green.items() if at[0] != name}
            zone[name, "CNAME"] = [to]
            return zone

        quoted = strings(text).replace('"v=DKIM1', '"\\"v=DKIM1')
        deep = copy.deepcopy(green)
        deep[path] = ['"v=spf1 ' + " ".join(f"include:i{i}.example.jp" for i in range(11)) + ' -all"']
        for i in range(11):
            deep[f"i{i}.example.jp.", "TXT"] = ['"v=spf1 -all"']
        with_mx = copy.deepcopy(green)
        with_mx["example.jp.", "MX"] = ["10 mx.example.jp."]
        with_mx["mx.example.jp.", "A"] = ["198.51.100.25"]
        return [
            ("dkim_missing", with_values(key)),
            ("dkim_doubled", moved(key, bare + ".example.jp.")),
            ("dkim_underscore_lost", moved(key, key[0].replace("_", ""))),
            ("dkim_alias_broken", alias(key[0], "gone.example.com.")),
            ("dkim_quoted", with_values(key, quoted)),
            ("dkim_split", with_values(key, strings(text[:150]), strings(text[150:]))),
            ("dkim_cut", with_values(key, strings(text[:255]))),
            ("dkim_other_key", with_values(
                key, '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="')),
            ("dkim_revoked", with_values(key, '"v=DKIM1; k=rsa; p="')),
            ("dkim_unreadable", with_values(key, '"hello"')),
            ("dkim_several", with_values(
                key, strings(text),
                '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="')),
            ("dkim_testing", with_values(key, strings(text.replace("k=rsa", "t=y; k=rsa")))),
            ("spf_from_missing", with_values(spf)),
            ("spf_missing", with_values(path)),
            ("spf_doubled", moved(path, "bounce.example.jp.example.jp.")),
            ("spf_quoted", with_values(path, '"\\"v=spf1 ip4:192.0.2.1 -all\\""')),
            ("spf_several", with_values(path, *green[path], '"v=spf1 a -all"')),
            ("spf_unreadable", with_values(path, '"v=spf1 ipv4:192.0.2.1 -all"')),
            ("spf_lookups", deep),
            ("spf_permerror", with_values(path, '"v=spf1 include:nothing.example.com -all"')),
            ("spf_source_missing", with_values(path, '"v=spf1 ip4:192.0.2.1 -all"')),
            ("spf_allows_all", with_values(path, '"v=spf1 +all"')),
            ("from_no_host", with_values(("example.jp.", "A"))),
            ("from_null_mx", with_values(("example.jp.", "MX"), "0 .")),
            ("mx_no_address", {at: values for at, values in green.items()
                               if at[0] != "mail.example.jp."}),
            ("return_path_no_host", with_values(mx)),
            ("return_path_no_mx", with_values(mx) | {
                ("bounce.example.jp.", "A"): ["198.51.100.7"]}),
            ("dmarc_missing", with_values(dmarc)),
            ("dmarc_doubled", moved(dmarc, "_dmarc.example.jp.example.jp.")),
            ("dmarc_underscore_lost", moved(dmarc, "dmarc.example.jp.")),
            ("dmarc_quoted", with_values(dmarc, '"\\"v=DMARC1; p=none\\""')),
            ("dmarc_several", with_values(dmarc, *green[dmarc], '"v=DMARC1; p=reject"')),
            ("dmarc_unreadable", with_values(dmarc, '"p=none; v=DMARC1"')),
            ("dmarc_no_policy", with_values(dmarc, '"v=DMARC1; p=nothing"')),
            ("dmarc_no_reports", with_values(dmarc, '"v=DMARC1; p=reject"')),
            ("dmarc_report_unauthorised", with_values(
                dmarc, '"v=DMARC1; p=none; rua=mailto:x@elsewhere.example"')),
            ("dmarc_strict_spf", with_values(
                dmarc, '"v=DMARC1; p=none; aspf=s; rua=mailto:dmarc@example.com"')),
            ("mta_sts_missing", with_mx),
            ("tls_rpt_missing", with_mx),
        ]

    def test_each_record_broken_in_turn(self):
        green = self.setup_green()
        breaks = self.breaks(green)
        self.assertGreaterEqual(len({code for code, _ in breaks}), 30)
        told = {"sentence": {}, "sentence in Japanese": {}}
        for code, zone in breaks:
            with self.subTest(code):
                self.serve(zone)
                with ThreadPoolExecutor() as pool:
                    in_japanese = pool.submit(self.check, "--lang", "ja")
                    status, findings = self.check()
                    _, japanese = in_japanese.result()
                wrong = [f for f in findings if f["outcome"] != "pass"]
                found = [f for f in wrong if f["code"] == code]
                self.assertEqual(len(found), 1, wrong)
                if code not in ("mta_sts_missing", "tls_rpt_missing"):
                    self.assertEqual(len(wrong), 1, wrong)
                self.assertEqual(status, 1 if found[0]["outcome"] == "fail" else 0)
                self.assertTrue(found[0]["why"])
                said = next(f for f in japanese if f["code"] == code)
                self.assertNotEqual(said["sentence"], found[0]["sentence"])
                self.assertNotEqual(said["why"], found[0]["why"])
                self.assertRegex(said["sentence"] + said["why"], "[ぁ-んァ-ヶ]")
                told["sentence"].setdefault(found[0]["sentence"], []).append(code)
                told["sentence in Japanese"].setdefault(said["sentence"], []).append(code)
        for which, sentences in told.items():
            self.assertEqual([codes for codes in sentences.values() if len(codes) > 1], [],
                             f"one {which} for several faults")
            self.assertEqual(len(sentences), len(breaks))


if __name__ == "__main__":
    unittest.main()
