# SPDX-License-Identifier: Apache-2.0
"""Accounts and keys over the API: who may, from where, and that it is on record."""
import door
from door import Checks, issued
from stack import Stack


class Provisioned:
    """A stack that lets its account `operator` manage accounts."""
    networks = '["127.0.0.0/8"]'

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace(
            "rate_limit_per_minute = 0", "rate_limit_per_minute = 0\n"
            f'provisioning_account = "operator"\nprovisioning_networks = {self.networks}'))

    def operator(self):
        operator = door.Account(self, "operator")
        operator.token = issued(self.command("key", "add", "operator", "--scopes", "admin"))[2]
        return operator


class ProvisioningStack(Provisioned, Stack):
    pass


class ElsewhereStack(ProvisioningStack):
    networks = '["192.0.2.0/24"]'


class Provisioning(Checks):
    def test_an_operators_key_sets_up_a_customer(self):
        with ProvisioningStack(door.world.stack.binary, {"fast.example": []}) as stack:
            operator = stack.operator()
            made = self.ok(operator.request("POST", "/accounts", {"name": "customer"}), 201)
            self.assertEqual("customer", made["name"])
            customer = door.Account.__new__(door.Account)
            customer.stack, customer.name = stack, "customer"
            customer.token = made["key"]["bearer_token"]
            self.assertIn(customer.name, [each["name"] for each in self.ok(
                operator.request("GET", "/accounts"))["accounts"]])
            listed = {each["name"]: each for each in self.ok(
                operator.request("GET", "/accounts"))["accounts"]}
            for name in ("customer", "operator"):
                self.assertEqual(listed[name], self.ok(operator.request("GET", f"/accounts/{name}")))
            self.refused(operator.request("GET", "/accounts/nobody"), status=404)
            self.refused(operator.request("POST", "/accounts", {"name": "customer"}), status=409)
            self.refused(operator.request("POST", "/accounts", {"name": "a b"}))
            stack.vouch("customer")
            self.accepted(customer.send({}))
            self.ok(operator.request("PATCH", "/accounts/customer", {"suspended": True}))
            door.eventually(lambda: customer.send({}).status == 423, "the suspension")
            self.ok(operator.request("PATCH", "/accounts/customer", {"suspended": False}))
            door.eventually(lambda: customer.send({}).status == 201, "the resumption")
            key = self.ok(operator.request("POST", "/accounts/customer/keys",
                                           {"label": "二", "scopes": "send"}), 201)
            rotated = self.ok(operator.request(
                "POST", f"/accounts/customer/keys/{key['id']}/rotate", {"overlap_hours": 0}), 201)
            new = rotated["key"]["bearer_token"]
            self.accepted(customer.send({}, token=new))
            door.eventually(lambda: customer.send({}, token=key["bearer_token"]).status == 401,
                            "the end of the rotated key")
            listed = self.ok(operator.request("GET", "/accounts/customer/keys"))["keys"]
            self.assertEqual(3, len(listed))
            self.assertNotIn("bearer_token", listed[0])
            self.ok(operator.request("DELETE", f"/accounts/customer/keys/{rotated['key']['id']}"))
            door.eventually(lambda: customer.send({}, token=new).status == 401, "the revocation")
            self.refused(operator.request("GET", "/accounts/nobody/keys"), status=404)
            listed = self.ok(operator.request(
                "POST", "/accounts/customer/keys",
                {"scopes": ["send", "read"], "networks": ["192.0.2.0/24"]}), 201)
            self.assertEqual(("send,read", ["192.0.2.0/24"]),
                             (listed["scopes"], listed["networks"]))
            for language, word in (("en", "list of texts"), ("ja", "配列")):
                wrong = operator.request("POST", "/accounts/customer/keys",
                                         {"scopes": [1], "days": "90"},
                                         headers={"Accept-Language": language})
                told = wrong.json["error_messages"]
                self.assertEqual(400, wrong.status)
                self.assertEqual({"scopes", "days"}, set(told))
                self.assertIn(word, told["scopes"][0])
            self.repeated(operator, customer)
            for empty in ({"scopes": ""}, {"networks": ""}):
                self.refused(operator.request("POST", "/accounts/customer/keys", empty))
            log = (stack.directory / "engine.log").read_text()
            for words in ("/api/v1/accounts", "/api/v1/accounts/customer", "operator"):
                self.assertIn(words, [line for line in log.splitlines() if "provisioning" in line
                                      and words in line][0])

    def repeated(self, operator, customer):
        """Under a name each is made once, and shown again with the key that it has."""
        for path, body, other in (
                ("/accounts", {"name": "twice"}, {"name": "twice", "weight": 2}),
                ("/accounts/customer/keys", {"label": "named"}, {"label": "other"}),
                ("/accounts/customer/keys", {"label": "door", "scopes": "ses"}, {"scopes": "ses"}),
                ("/domains", {"domain": "named.example"}, {"domain": "other.example"})):
            key = {"Idempotency-Key": f"once-{path}-{len(body)}"}
            first, again = (operator.request("POST", path, body, headers=key) for _ in range(2))
            self.assertEqual((201, 201), (first.status, again.status), again.json)
            if path == "/domains":  # it may have been looked at meanwhile
                self.assertEqual(first.json["domain"], again.json["domain"])
            else:
                self.assertEqual(first.json, again.json)
            self.assertNotIn("idempotency-replayed", first.headers)
            self.assertEqual("true", again.headers.get("idempotency-replayed"))
            self.assertEqual(409, operator.request("POST", path, other, headers=key).status)
        key = {"Idempotency-Key": "revoked"}
        path = "/accounts/customer/keys"
        made = self.ok(operator.request("POST", path, {"label": "short"}, headers=key), 201)
        self.accepted(customer.send({}, token=made["bearer_token"]))
        self.ok(operator.request("DELETE", f"{path}/{made['id']}"))
        self.refused(operator.request("POST", path, {"label": "short"}, headers=key), status=409)

    def test_a_suspended_operator_changes_nothing_and_cannot_resume_itself(self):
        with ProvisioningStack(door.world.stack.binary, {"fast.example": []}) as stack:
            operator = stack.operator()
            stack.command("account", "suspend", "operator")
            door.eventually(lambda: operator.request("POST", "/accounts", {"name": "x"}).status
                            == 423, "the suspension")
            for method, path, body in (("PATCH", "/accounts/operator", {"suspended": False}),
                                       ("POST", "/accounts/operator/keys", {}),
                                       ("POST", "/domains", {"domain": "late.example"})):
                self.refused(operator.request(method, path, body), status=423)
            self.ok(operator.request("GET", "/accounts"))

    def test_nobody_else_may(self):
        with ProvisioningStack(door.world.stack.binary, {"fast.example": []}) as stack:
            operator, tenant = stack.operator(), door.Account(stack, "tenant")
            admin = issued(stack.command("key", "add", "tenant", "--scopes",
                                         "send,read,content,suppress,admin"))[2]
            send = issued(stack.command("key", "add", "operator", "--scopes", "send"))[2]
            for account, token in ((tenant, admin), (tenant, tenant.token), (operator, send)):
                for method, path, body in (("GET", "/accounts", None),
                                           ("POST", "/accounts", {"name": "x"}),
                                           ("GET", "/accounts/operator", None),
                                           ("PATCH", "/accounts/operator", {"suspended": True}),
                                           ("GET", "/accounts/operator/keys", None),
                                           ("POST", "/accounts/operator/keys", {}),
                                           ("DELETE", "/accounts/operator/keys/1", None),
                                           ("POST", "/accounts/operator/keys/1/rotate", {})):
                    with self.subTest(f"{account.name} {method} {path}"):
                        self.refused(account.request(method, path, body, token=token), status=403)
            names = {each["name"] for each in self.ok(
                operator.request("GET", "/accounts"))["accounts"]}
            self.assertEqual({"tester", "operator", "tenant"}, names)

    def test_only_from_the_networks_that_are_listed(self):
        with ElsewhereStack(door.world.stack.binary, {"fast.example": []}) as stack:
            self.refused(stack.operator().request("GET", "/accounts"), status=403)

    def test_it_is_closed_unless_it_is_opened(self):
        token = issued(door.world.stack.command("key", "add", self.account.name, "--scopes",
                                                "admin"))[2]
        self.refused(self.account.request("GET", "/accounts", token=token), status=403)


class Limits(Checks):
    """Of an account, made by the command line."""

    def limit(self, account, **limits):
        words = [word for name, value in limits.items()
                 for word in (f"--{name.replace('_', '-')}", str(value))]
        door.world.stack.command("account", "limit", account.name, *words)

    def reached(self, answer, limit, most):
        """Refused by this limit, which is told when it is free again."""
        (told,) = self.refused(answer, status=429)
        self.assertIn(str(most), told)
        self.assertEqual(limit, answer.headers["x-todoku-limit"])
        seconds = int(answer.headers["retry-after"])
        self.assertEqual(str(seconds), answer.headers["x-rate-limit-retry-after-seconds"])
        return seconds

    def test_mails_a_day_and_a_month(self):
        for limit, longest in (("mails_per_day", 86_400), ("mails_per_month", 31 * 86_400)):
            account = door.new_account("limited")
            self.limit(account, **{limit: 3})
            self.accepted(account.send({"cc": ["a@fast.example"]}))
            seconds = self.reached(account.send({"cc": ["a@fast.example"]}), limit, 3)
            self.assertTrue(1 <= seconds <= longest, seconds)
            self.accepted(account.send({}))
            self.reached(account.send({}), limit, 3)
            batch = account.request("POST", "/deliveries/transaction/batch",
                                    {"mails": [door.mail(), door.mail()]})
            self.assertEqual(429, batch.status)
            self.assertEqual(limit, batch.headers["x-todoku-limit"])
            self.assertEqual([429, 429], [each["status"] for each in batch.json["data"]])
            # A bulk counts when it is committed.
            begun = self.ok(account.request("POST", "/deliveries/bulk/begin", door.draft()),
                            201)["delivery_id"]
            self.ok(account.request("PUT", f"/deliveries/bulk/update/{begun}",
                                    {"to": [{"email": "b@fast.example"}]}))
            path = f"/deliveries/bulk/commit/{begun}/immediate"
            self.reached(account.request("PATCH", path), limit, 3)
            self.assertEqual("EDIT", account.detail(begun)["status"])
            self.limit(account, **{limit: 4})
            door.eventually(lambda: account.request("PATCH", path).status == 200, "the commit")
            self.limit(account, **{limit: 0})
            door.eventually(lambda: account.send({}).status == 201, "no limit")

    def test_usages_tell_what_is_left_of_a_month(self):
        account = door.new_account("limited")
        self.limit(account, mails_per_month=5)
        self.accepted(account.send({"cc": ["a@fast.example"]}))

        def latest():
            return self.ok(account.request("GET", "/usages/latest"))
        door.eventually(lambda: latest()["remaining"] == 3, "what is left")
        self.assertEqual((2, "mails_per_month-5"), (latest()["current"], latest()["plan_id"]))
        (told,) = self.refused(account.send({"cc": [f"c{n}@fast.example" for n in range(5)]}))
        self.assertIn("6 mails", told)
        self.limit(account, mails_per_month=1)
        door.eventually(lambda: latest()["remaining"] == 0, "less than was used")

    def test_limits_are_told_before_they_bite(self):
        account = door.new_account("limited")
        self.limit(account, mails_per_day=5, mails_per_month=50)
        door.eventually(lambda: "ratelimit" in account.request("GET", "/usages/latest").headers,
                        "the limits to be known")
        sent = account.send({"cc": [f"c{n}@fast.example" for n in range(3)]})
        self.accepted(sent)
        self.assertEqual('"mails_per_day";q=5;w=86400, "mails_per_month";q=50',
                         sent.headers["ratelimit-policy"])
        day, month = sent.headers["ratelimit"].split(", ")
        self.assertRegex(day, r'^"mails_per_day";r=1;t=[0-9]+$')
        self.assertRegex(month, r'^"mails_per_month";r=46;t=[0-9]+$')
        listed = self.ok(account.request("GET", "/usages/days?days=1"))["limits"]
        self.assertEqual([("mails_per_day", 5, 4, 1), ("mails_per_month", 50, 4, 46)],
                         [(each["limit"], each["most"], each["used"], each["remaining"])
                          for each in listed])
        self.accepted(account.send({}))

        def told():
            page = self.ok(account.request("GET", "/events?kind[]=limit_near&kind[]=limit_reached"))
            return [(each["kind"], each["limit"], each["because"]) for each in page["data"]]
        # Both where a process told the store in between, else what is true by then.
        reached = ("limit_reached", "mails_per_day", "5 of 5 mails of this day are used")
        door.eventually(lambda: reached in told(), "the event")
        self.assertEqual([reached], [each for each in told() if each[0] == "limit_reached"])

    def test_an_import_that_commits_by_itself_is_not_for_an_account_with_such_a_limit(self):
        account = door.new_account("limited")
        self.limit(account, mails_per_month=100)
        begun = self.ok(account.request("POST", "/deliveries/bulk/begin", door.draft()),
                        201)["delivery_id"]
        csv = b"email\na@fast.example\n"
        self.refused(account.import_csv(begun, csv, {"immediate": True}), "immediate")
        self.ok(account.import_csv(begun, csv), 201)

    def test_mails_and_requests_a_minute(self):
        account = door.new_account("limited")
        self.limit(account, mails_per_minute=2)
        self.accepted(account.send({"cc": ["a@fast.example"]}))
        self.assertTrue(self.reached(account.send({}), "mails_per_minute", 2) <= 60)
        account = door.new_account("limited")
        self.limit(account, requests_per_minute=2)
        left = account.request("GET", "/deliveries").headers["x-rate-limit-remaining"]
        self.assertEqual("1", left)
        self.ok(account.request("GET", "/deliveries"))
        answer = account.request("GET", "/deliveries")
        self.assertTrue(self.reached(answer, "requests_per_minute", 2) <= 60)
        self.ok(self.account.request("GET", "/deliveries"))

    def test_what_is_refused_is_not_counted(self):
        account = door.new_account("limited")
        self.limit(account, mails_per_day=1)
        self.refused(account.send({"to": "nobody"}), "to")
        self.accepted(account.send({}))

    def test_a_restart_forgets_nothing(self):
        with Stack(door.world.stack.binary, {"fast.example": []}) as stack:
            account = door.Account(stack, "limited")
            stack.command("account", "limit", "limited", "--mails-per-day", "2")
            self.accepted(account.send({}))
            stack.engine.terminate()
            stack.engine.wait(60)
            stack.start_engine()
            self.accepted(account.send({}))
            self.reached(account.send({}), "mails_per_day", 2)
