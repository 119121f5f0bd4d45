# SPDX-License-Identifier: Apache-2.0
"""Every operation of docs/openapi.json, called wrongly in every way that bad_input knows: refused in
the contract's shape (its section 1.8), never a failure of the engine, and nothing is stored of it.

TODOKU_SEED repeats what is spoilt by chance.
"""
import itertools
import os
import secrets

import bad_input
import door
from bad_input import Operation
from door import JSON, Checks, draft
from openapi_checks import REQUESTS, media, operations
from provisioning_checks import Provisioned

BY_CHANCE = 40  # a body


def wishes():
    return {"kinds": ["recipient.hard_error"], "tags": ["spring"], "domains": ["sender.example"],
            "purposes": ["notice"], "insert_codes": False, "single": False}


NUMBERS = itertools.count()


def webhook():
    return {"url": "https://hooks.example.com/x", "form": "contract", "signature": "hmac", **wishes()}


# Rights beyond those that a key has by itself.
MANAGING = ("/domains", "/accounts", "/webhooks", "/reports")
RIGHT = {**REQUESTS,
         "commitBulk": lambda: {"reservation_time": "2099-01-01"},
         "addDomain": lambda: {"domain": "another.example"},
         "consentToDomain": lambda: {"to": "customer"},
         "addAccount": lambda: {"name": "customer", "weight": 2, "with_key": False},
         "changeAccount": lambda: {"weight": 2, "mails_per_day": 0},
         "addKey": lambda: {"label": "x", "scopes": "send", "days": 1},
         "rotateKey": lambda: {"overlap_hours": 1},
         "createTemplate": lambda: {"name": f"t{next(NUMBERS)}", "subject": "{{a|b}}",
                                    "text_part": "{{c}}", "escape": "html"},
         "changeTemplate": lambda: {"subject": "{{a|b}}", "text_part": "{{c}}"},
         "createWebhook": lambda: webhook(),
         "changeWebhook": lambda: {"enabled": True, **wishes()},
         "rotateWebhookSecret": lambda: {"overlap_hours": 1},
         "replayWebhook": lambda: {"from": "2026-01-01", "delivery_id": 1}}
# What is called on something that is there, so that what is wrong is all that keeps it from being
# done; the others are about what is not there.
ON_A_DRAFT = {"updateBulk", "commitBulk", "addRecipient", "changeRecipient", "importRecipients",
              "getDelivery", "getRecipient"}


def example_of(description):
    """The body that the description shows, for what is not in RIGHT."""
    kinds = media(description.get("requestBody", {}))
    return kinds.get(JSON, {}).get("example")


def shape_of(answer):
    """Why a refusal has not the contract's shape, or None."""
    if not answer.headers.get("content-type", "").startswith(JSON):
        return "no JSON"
    if len(answer.body) > 65_536:
        return "too long"
    content = answer.json
    keys = set(content)
    if keys not in ({"error_messages"}, {"status", "error", "message", "path", "error_messages"},
                    {"data", "accepted_count", "refused_count", "error_messages"}):
        return f"members {keys}"
    return misshapen(content["error_messages"])


def misshapen(found):
    if isinstance(found, dict):
        if not found:
            return "an empty object"
        return next(filter(None, map(misshapen, found.values())), None)
    if not isinstance(found, list) or not found:
        return f"{found!r} where a list of sentences belongs"
    if not all(isinstance(text, str) and 0 < len(text) < 2_000 for text in found):
        return f"{found!r} are no sentences"
    return None


def named(answer):
    """The members that a refusal speaks of."""
    content = answer.json
    names = set(content["error_messages"])
    for mail in content.get("data", ()):
        names |= {"mails"} | set(mail.get("error_messages", {}))
    return names


class BadInput(Checks):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(door.world.stack_like(Provisioned))
        cls.account = cls.stack.operator()
        cls.admin = cls.account.token
        cls.account.token = cls.stack.api.token  # of the account `tester`, for all but managing
        cls.stack.vouch("operator", "claimed.example")
        cls.account.request("POST", "/accounts", {"name": "customer"}, token=cls.admin)
        cls.key = cls.account.request("POST", "/accounts/customer/keys", {},
                                      token=cls.admin).json["id"]
        cls.webhook = cls.account.request("POST", "/webhooks", webhook(),
                                          token=cls.admin).json["webhook"]
        cls.template = cls.account.request("POST", "/templates", {
            "name": "there", "subject": "s", "text_part": "t"}).json["template_id"]
        cls.seed = os.environ.get("TODOKU_SEED") or str(secrets.randbelow(1 << 32))
        cls.made = 0

    # ---- calling ---------------------------------------------------------------------------------

    def ids_for(self, name, path):
        """What stands in its path; the draft that is there for it is the check's own."""
        values = {"domain": "claimed.example", "account": "customer", "id": str(self.key),
                  "month": "latest", "webhook": self.webhook, "template": self.template}
        if name == "revokeKey":
            values["id"] = bad_input.NOT_THERE
        if name == "removeWebhook":
            values["webhook"] = bad_input.NOT_THERE
        if name == "removeTemplate":
            values["template"] = bad_input.NOT_THERE
        if name in ON_A_DRAFT:
            values["delivery_id"] = self.ok(self.account.request(
                "POST", "/deliveries/bulk/begin", draft()), 201)["delivery_id"]
            self.made += 1
            self.drafts.append(values["delivery_id"])
            values["email_id"] = self.ok(self.account.request(
                "POST", f"/deliveries/{values['delivery_id']}/emails",
                {"email": "there@fast.example"}), 201)["email_id"]
        return {step[1:-1]: values.get(step[1:-1], bad_input.NOT_THERE)
                for step in path.split("/") if step.startswith("{")}

    def ask(self, wrong):
        path = wrong.target.partition("?")[0]
        token = self.admin if path.startswith(MANAGING) else self.account.token
        return door.ask(self.stack.api_port, wrong.method, f"/api/v1{wrong.target}", wrong.body,
                        {"Authorization": f"Bearer {token}", **wrong.headers})

    def judge(self, wrong, answer):
        self.assertLess(answer.status, 500, answer)
        if wrong.may is not None:
            self.assertIn(answer.status, wrong.may, answer)
        if answer.status >= 400 and wrong.method != "HEAD":
            self.assertIsNone(shape_of(answer), answer)
            if wrong.at is not None and not wrong.target.startswith(MANAGING):
                self.assertIn(wrong.at, named(answer), answer)
        if wrong.unknown and answer.status < 300:
            self.assertIn(wrong.unknown, answer.headers["x-todoku-unknown-fields"])

    def settle(self, wrong, answer):
        """Keeps count of what was taken after all, and waits for what it began."""
        if answer.status not in (201, 207) or wrong.target.startswith(MANAGING):
            return
        content = answer.json
        self.made += content.get("accepted_count", 1 if "delivery_id" in content else 0)
        if wrong.operation == "beginBulk":  # there may be thirty
            self.ok(self.account.request("DELETE", f"/deliveries/{content['delivery_id']}"))
            self.made -= 1
        if wrong.operation == "importRecipients":
            self.account.end_of(content["job_id"])

    def send_all(self, every):
        for wrong in every:
            with self.subTest(str(wrong)):
                answer = self.ask(wrong)
                self.sent += 1
                self.judge(wrong, answer)
                self.settle(wrong, answer)

    # ---- checking --------------------------------------------------------------------------------

    def stored(self):
        """How many deliveries there are, in pages."""
        count = 0
        for page in range(1, 1_000):
            found = self.ok(self.account.request("GET", f"/deliveries/all?size=1000&page={page}"))
            count += len(found["data"])
            if len(found["data"]) < 1_000:
                return count

    def attack(self, method, path, description):
        self.drafts = []
        name = description["operationId"]
        right = RIGHT[name]() if name in RIGHT else example_of(description)
        operation = Operation(method, path, description, self.ids_for(name, path), right)
        dice = bad_input.dice_of(self.seed, name)
        every = list(operation.all(bad_input.methods_by_path()[path], dice, BY_CHANCE))
        before = [self.detail(delivery) for delivery in self.drafts]
        count = self.stored()
        self.send_all(wrong for wrong in every if wrong.may is not None)
        # Of what must be refused nothing may be left.
        self.assertEqual(before, [self.detail(delivery) for delivery in self.drafts], name)
        self.assertEqual(count, self.stored(), name)
        self.made = 0
        self.send_all(wrong for wrong in every if wrong.may is None)
        self.assertEqual(count + self.made, self.stored(), name)
        for delivery in self.drafts:
            self.account.request("DELETE", f"/deliveries/{delivery}")

    def test_every_operation_refuses_what_is_wrong(self):
        print(f"TODOKU_SEED={self.seed}", end=" ", flush=True)
        self.sent = 0
        for method, path, description in operations():
            with self.subTest(description["operationId"]):
                self.attack(method, path, description)
                self.assertIsNone(self.stack.engine.poll())
        self.assertEqual(200, door.ask(self.stack.api_port, "GET", "/healthz", None, {}).status)
        self.assertEqual(0, self.stack.metric("todoku_unhandled_exceptions_total"))
        self.accepted(self.account.request("POST", "/deliveries/transaction", door.mail()))
        print(f"{self.sent} requests", end=" ", flush=True)
        self.assertGreater(self.sent, 5_000)
