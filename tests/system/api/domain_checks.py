# SPDX-License-Identifier: Apache-2.0
"""Who may send as whom: claims of domains, their proof in the DNS, and what every door says of a
From address that is not proven."""
import door
from door import Checks, draft, issued, mail
from stack import Stack
from txt_proxy import TxtProxy

WARNING = "x-todoku-warning"


class DomainStack(Stack):
    """Its engine asks a name server whose TXT records change. Nobody is vouched for."""

    def start_dns(self):
        super().start_dns()
        self.names = TxtProxy(self.dns_port)
        self.names.__enter__()
        self.dns_port = self.names.port

    def close(self):
        if hasattr(self, "names"):
            self.names.__exit__()
        super().close()

    def vouch(self, account, domain="sender.example"):
        pass


def sender(domain):
    return {"from": {"email": f"shop@{domain}"}}


class OfDomains(Checks):
    @classmethod
    def setUpClass(cls):
        cls.stack = DomainStack(door.world.stack.binary, {"fast.example": []})
        cls.stack.__enter__()
        cls.addClassCleanup(cls.stack.__exit__, None, None, None)
        cls.account = door.Account(cls.stack, "shop")
        cls.other = door.Account(cls.stack, "other")

    def manager(self, account):
        """A token with the scope admin alone."""
        return issued(self.stack.command("key", "add", account.name, "--scopes", "admin"))[2]

    def claim(self, account, token, domain):
        return self.ok(account.request("POST", "/domains", {"domain": domain}, token=token), 201)

    def verify(self, account, token, domain):
        return self.ok(account.request("POST", f"/domains/{domain}/verify", token=token))

    def proven(self, account, domain):
        token = self.manager(account)
        claim = self.claim(account, token, domain)
        self.stack.names.texts[claim["dns_name"]] = claim["dns_record"]
        self.assertEqual("proven", self.verify(account, token, domain)["state"])
        return token, claim


class Domains(OfDomains):
    def test_a_record_in_the_dns_proves_a_domain_and_those_below_it(self):
        token = self.manager(self.account)
        claim = self.claim(self.account, token, "Shop.Example.")
        self.assertEqual(("shop.example", "unproven", "_todoku-challenge.shop.example"),
                         (claim["domain"], claim["state"], claim["dns_name"]))
        self.refused(self.send(sender("shop.example")), "from", "email")
        unproven = self.verify(self.account, token, "shop.example")
        self.assertEqual(("unproven", False), (unproven["state"], unproven["record_found"]))
        self.stack.names.failing.add(claim["dns_name"])
        self.assertIn("trouble", self.verify(self.account, token, "shop.example"))
        self.stack.names.failing.clear()
        self.stack.names.texts[claim["dns_name"]] = "todoku-domain-verification=another"
        wrong = self.verify(self.account, token, "shop.example")
        self.assertEqual(("unproven", "todoku-domain-verification=another"),
                         (wrong["state"], wrong["found_instead"]))
        # What was remembered of it being otherwise does not count.
        self.stack.names.texts[claim["dns_name"]] = claim["dns_record"]
        self.assertEqual("proven", self.verify(self.account, token, "shop.example")["state"])
        for domain in ("shop.example", "news.shop.example", "SHOP.example"):
            answer = self.send(sender(domain))
            self.accepted(answer)
            self.assertNotIn(WARNING, answer.headers)
        for domain in ("notshop.example", "shop.example.com", "example"):
            self.refused(self.send(sender(domain)), "from", "email")
        listed = self.ok(self.account.request("GET", "/domains", token=token))["domains"]
        self.assertIn("shop.example", [each["domain"] for each in listed])
        self.ok(self.account.request("DELETE", "/domains/shop.example", token=token))
        self.refused(self.send(sender("shop.example")), "from", "email")
        again = self.claim(self.account, token, "shop.example")
        self.assertNotEqual(claim["dns_record"], again["dns_record"], "it is never used again")
        self.assertEqual("unproven", self.verify(self.account, token, "shop.example")["state"])

    def test_every_door_asks(self):
        self.proven(self.account, "doors.example")
        good, bad = sender("doors.example"), sender("others.example")
        batch = self.post("/deliveries/transaction/batch", {"mails": [mail(**good), mail(**bad)]})
        answers = self.ok(batch, 207)["data"]
        self.assertEqual([201, 400], [each["status"] for each in answers])
        self.assertEqual(["email"], list(answers[1]["error_messages"]["from"]))
        self.refused(self.post("/deliveries/bulk/begin", draft(**bad)), "from", "email")
        begun = self.draft(["a@fast.example"], **good)
        self.refused(self.put(f"/deliveries/bulk/update/{begun}", bad), "from", "email")
        self.ok(self.put(f"/deliveries/bulk/update/{begun}", sender("x.doors.example")))
        self.stack.command("domain", "remove", "shop", "doors.example")
        self.refused(self.patch(f"/deliveries/bulk/commit/{begun}/immediate"), "from", "email")
        answer = self.account.import_csv(begun, b"email\nb@fast.example\n", {"immediate": True})
        self.refused(answer, "from", "email")
        for language, word in (("en", "proven"), ("ja", "ドメイン")):
            told = self.refused(self.send(bad, headers={"Accept-Language": language}),
                                "from", "email")
            self.assertIn(word, told[0])

    def test_another_accounts_domain_needs_its_consent(self):
        owner, _ = self.proven(self.account, "corp.example")
        token = self.manager(self.other)
        claim = self.claim(self.other, token, "mail.corp.example")
        self.stack.names.texts[claim["dns_name"]] = claim["dns_record"]
        refused = self.verify(self.other, token, "mail.corp.example")
        self.assertEqual(("unproven", "corp.example"), (refused["state"], refused["needs_consent"]))
        self.refused(self.other.send(sender("mail.corp.example")), "from", "email")
        shared = self.account.request("POST", "/domains/corp.example/consent", {"to": "other"},
                                      token=owner)
        self.assertEqual(["other"], self.ok(shared)["consents"])
        self.assertEqual("proven", self.verify(self.other, token, "mail.corp.example")["state"])
        self.accepted(self.other.send(sender("mail.corp.example")))
        self.accepted(self.send(sender("corp.example")))
        self.refused(self.send(sender("mail.corp.example")), "from", "email")
        self.refused(self.other.send(sender("corp.example")), "from", "email")
        self.ok(self.account.request("POST", "/domains/corp.example/consent",
                                     {"to": "other", "withdrawn": True}, token=owner))
        self.assertEqual("lapsed", self.verify(self.other, token, "mail.corp.example")["state"])
        self.refused(self.other.send(sender("mail.corp.example")), "from", "email")

    def test_a_claim_that_is_not_proven_is_in_nobodys_way(self):
        self.claim(self.account, self.manager(self.account), "free.example")
        self.proven(self.other, "free.example")

    def test_what_cannot_be_claimed(self):
        token = self.manager(self.account)
        for wrong in ("co.jp", "com", "jp", "", "a b.example", "[192.0.2.1]", "x" * 300):
            with self.subTest(wrong[:20]):
                self.refused(self.account.request("POST", "/domains", {"domain": wrong},
                                                  token=token))
        for body, field in (({}, "domain"), ([], "main"), ({"domain": 5}, "domain"),
                            ({"domain": "a.example", "account": "other"}, "account"),
                            ({"domain": "a.example", "prove": True}, "main")):
            answer = self.account.request("POST", "/domains", body, token=token)
            self.assertEqual(400, answer.status, answer)
            self.assertIn(field, answer.json["error_messages"])
        self.refused(self.account.request("POST", "/domains",
                                          {"domain": "mine.example", "proven": True}, token=token),
                     status=403)
        self.claim(self.account, token, "twice.example")
        self.refused(self.account.request("POST", "/domains", {"domain": "twice.example"},
                                          token=token), status=409)
        self.refused(self.account.request("POST", "/domains/none.example/verify", token=token),
                     status=404)
        self.refused(self.account.request("GET", "/domains"), status=403)

    def test_another_accounts_claims_are_not_seen(self):
        self.claim(self.account, self.manager(self.account), "seen.example")
        token = self.manager(self.other)
        listed = self.ok(self.other.request("GET", "/domains", token=token))["domains"]
        self.assertEqual({"other"}, {each["account"] for each in listed} | {"other"})
        for method, path in (("POST", "/domains/seen.example/verify"),
                             ("GET", "/domains/seen.example/records"),
                             ("POST", "/domains/seen.example/keys"),
                             ("DELETE", "/domains/seen.example")):
            self.refused(self.other.request(method, path, token=token), status=404)
        self.refused(self.other.request("GET", "/domains?account=shop", token=token), "account")


class Records(OfDomains):
    """What to publish, told to whoever owns the domain."""

    def records(self, token, domain):
        told = self.ok(self.account.request("GET", f"/domains/{domain}/records", token=token))
        return told, {each["name"]: each for each in told["records"]}

    def test_they_are_told_before_anybody_has_looked(self):
        token = self.manager(self.account)
        claim = self.claim(self.account, token, "wanted.example")
        told, by_name = self.records(token, "wanted.example")
        self.assertFalse(told["has_keys"])
        self.assertNotIn("checked", told)
        self.assertEqual(claim["dns_record"], by_name[claim["dns_name"]]["value"])
        self.assertIn("_dmarc.wanted.example", by_name)
        self.assertEqual({"not_checked"}, {each["state"] for each in told["records"]})
        for each in told["records"]:
            self.assertTrue(each["purpose"] and each["purpose_ja"] and each["zone_entry"], each)

    def test_keys_are_made_once_and_their_private_halves_are_not_told(self):
        token = self.manager(self.account)
        self.claim(self.account, token, "keyed.example")
        made = self.account.request("POST", "/domains/keyed.example/keys", token=token)
        told = self.ok(made, 201)
        self.assertTrue(told["has_keys"])
        keys = [each for each in told["records"] if "._domainkey.keyed.example" in each["name"]]
        self.assertEqual(["k=ed25519", "k=rsa"],
                         [part for each in keys for part in each["value"].split("; ") if part.startswith("k=")])
        self.assertNotIn(b"PRIVATE", made.body)
        self.assertEqual(told, self.records(token, "keyed.example")[0])
        self.refused(self.account.request("POST", "/domains/keyed.example/keys", token=token), status=409)
        self.assertEqual(told, self.records(token, "keyed.example")[0], "nothing was made")

    def test_a_domain_below_one_that_signs_needs_none_of_its_own(self):
        token = self.manager(self.account)
        self.claim(self.account, token, "above.example")
        self.ok(self.account.request("POST", "/domains/above.example/keys", token=token), 201)
        self.claim(self.account, token, "news.above.example")
        told, by_name = self.records(token, "news.above.example")
        self.assertTrue(told["has_keys"])
        self.assertEqual(2, sum("._domainkey.above.example" in name for name in by_name))
        self.refused(self.account.request("POST", "/domains/news.above.example/keys", token=token), status=409)


class FirstAccount(Checks):
    @classmethod
    def setUpClass(cls):
        pass

    def test_starts_unproven_and_is_warned_until_there_is_another(self):
        with DomainStack(door.world.stack.binary, {"fast.example": []}) as stack:
            key = issued(stack.command("key", "add", "tester"))[2]
            tester = door.Account.__new__(door.Account)
            tester.stack, tester.name, tester.token = stack, "tester", key
            for answer in (tester.send({}), tester.request("GET", "/deliveries")):
                self.assertIn("not proven", answer.headers[WARNING])
                self.assertLess(answer.status, 300)
            stack.command("domain", "add", "tester", "proven.example", "--proven")
            self.assertNotIn(WARNING, tester.send(sender("proven.example")).headers)
            self.assertIn(WARNING, tester.send({}).headers)
            door.Account(stack, "second")
            self.refused(tester.send({}), "from", "email")
            self.accepted(tester.send(sender("proven.example")))

    def test_any_is_for_one_account(self):
        with DomainStack(door.world.stack.binary, {"fast.example": []},
                         ["[intake]", 'from_domains = "any"']) as stack:
            said = stack.command("account", "add", "zero")
            self.assertIn("tester has proven no domain", said)
            self.assertNotIn("has proven no domain", stack.command("account", "add", "one"))
            answer = door.Account(stack, "first").send({})
            self.refused(answer, "from", "email")
            stack.engine.terminate()
            stack.engine.wait(60)
            stack.command("serve", statuses=(1,))
