# SPDX-License-Identifier: Apache-2.0
"""Accounts and keys over the API: who may, from where, and that it is on record."""
import door
from door import Checks, issued
from stack import Stack


class ProvisioningStack(Stack):
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
            log = (stack.directory / "engine.log").read_text()
            for words in ("/api/v1/accounts", "/api/v1/accounts/customer", "operator"):
                self.assertIn(words, [line for line in log.splitlines() if "provisioning" in line
                                      and words in line][0])

    def test_nobody_else_may(self):
        with ProvisioningStack(door.world.stack.binary, {"fast.example": []}) as stack:
            operator, tenant = stack.operator(), door.Account(stack, "tenant")
            admin = issued(stack.command("key", "add", "tenant", "--scopes",
                                         "send,read,content,suppress,admin"))[2]
            send = issued(stack.command("key", "add", "operator", "--scopes", "send"))[2]
            for account, token in ((tenant, admin), (tenant, tenant.token), (operator, send)):
                for method, path, body in (("GET", "/accounts", None),
                                           ("POST", "/accounts", {"name": "x"}),
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
