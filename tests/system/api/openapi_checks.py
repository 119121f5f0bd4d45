# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json is what the engine does: served as it is, its examples and the engine's answers
fit its schemas, and each limit in a schema of a request is taken at its boundary and refused beyond."""
import copy
import json
import pathlib

import jsonschema

import door
from door import Checks, data_part, draft, file_part, mail
from event_checks import Stream
from limit_checks import DOMAINS, address

FILE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
OPENAPI = json.loads(FILE.read_text())


def resolved(schema):
    while "$ref" in schema:
        at = OPENAPI
        for step in schema["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        schema = at
    return schema


def misfit(value, schema):
    """Why `value` does not fit, or None."""
    validator = jsonschema.Draft202012Validator({**schema, "components": OPENAPI["components"]})
    return jsonschema.exceptions.best_match(validator.iter_errors(value))


def operations():
    for path, item in OPENAPI["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def media(of):
    return resolved(of).get("content", {})


def answer_schema(operation_id, status):
    for _, _, operation in operations():
        if operation["operationId"] == operation_id:
            return media(operation["responses"][str(status)])["application/json"]["schema"]
    raise KeyError(operation_id)


# ---- values at a limit ---------------------------------------------------------------------------

def text_of(name, schema, length):
    """A value of so many characters that only its length can make wrong."""
    if schema.get("format") == "email":
        return address(length) if length >= 6 else "a@b.jp"[:length]
    if name == "content_id":
        return "c" * length
    if name == "key":
        return "__" + "k" * (length - 4) + "__" if length > 4 else "_" * length
    for beginning in {"url": ("https://e.jp/",), "mailto": ("mailto:a@e.jp?subject=",)}.get(name, ()):
        return beginning + "x" * (length - len(beginning))
    return "本" * length


def items_of(schema, count):
    """So many different elements."""
    one = resolved(schema["items"])
    if "content_id" in one.get("properties", {}):
        return [{**inline_part(), "content_id": f"part{number}"} for number in range(count)]
    if one.get("format") == "email":
        return [f"r{number}@fast.example" for number in range(count)]
    if "key" in one.get("properties", {}):
        return [{"key": f"__k{number}__", "value": "v"} for number in range(count)]
    if one.get("type") == "string":
        return [f"tag {number}" for number in range(count)]
    if "email" in one.get("properties", {}):
        return [{"email": f"r{number}@fast.example"} for number in range(count)]
    return [mail() for _ in range(count)]


def boundaries(schema, path=()):
    """(path, value that is taken, value that is refused) for each limit below an object; ... as a
    value takes the member out."""
    schema = resolved(schema)
    for name, given in schema.get("properties", {}).items():
        member = resolved(given)
        here = (*path, name)
        if name in schema.get("required", ()):
            yield here, None, ...
        if "maxLength" in member:
            yield here, *(text_of(name, member, member["maxLength"] + more) for more in (0, 1))
        if member.get("minLength", 0) > 0:
            yield here, *(text_of(name, member, member["minLength"] - less) for less in (0, 1))
        for word in member.get("enum", ()):
            yield here, word, "another"
        if "maxItems" in member:
            yield here, *(items_of(member, member["maxItems"] + more) for more in (0, 1))
        if member.get("minItems", 0) > 0:
            yield here, *(items_of(member, member["minItems"] - less) for less in (0, 1))
        if member.get("type") == "object":
            yield from boundaries(member, here)
        elif member.get("type") == "array" and "properties" in resolved(member["items"]):
            yield from boundaries(member["items"], (*here, 0))


def having(body, path, value):
    """`body` with `value` at `path`, what leads there being made where it is not."""
    body = copy.deepcopy(body)
    at = body
    for step, following in zip(path, path[1:]):
        if step == 0:
            at = at[0]
            continue
        if step not in at:
            at[step] = [{"key": "__a__"} if step == "insert_code" else {}] if following == 0 else {}
            if step in ("from", "reply_to"):
                at[step]["email"] = "other@sender.example"
        at = at[step]
    if value is ...:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value
    return body


# What each request is like when nothing is wrong with it.
def recipient():
    return {"email": "to@fast.example", "insert_code": [{"key": "__a__", "value": "v"}]}


def inline_part():
    return {"content_id": "logo", "mime": "image/png", "content": "eA=="}


def shows():
    return {"html_part": '<img src="cid:logo">', "inline_parts": [inline_part()]}


def goes():
    return {"pace": {"mails": 600, "per": "minute"},
            "quiet_hours": {"from": "21:00", "until": "08:00", "time_zone": "Asia/Tokyo"}}


REQUESTS = {
    "sendTransaction": lambda: {**mail(), "insert_code": [{"key": "__a__", "value": "v"}], **shows()},
    "sendTransactionBatch": lambda: {"mails": [{**mail(), **shows()}]},
    "beginBulk": lambda: {**draft(), **shows(), **goes()},
    "updateBulk": lambda: {"to": [recipient()], **shows(), **goes()},
    "commitBulk": lambda: {"reservation_time": "2099-01-01"},
    "addRecipient": recipient,
    "changeRecipient": recipient,
    "addSuppression": lambda: {"email": "stopped@elsewhere.example"},
}
# Commits need a time that is near, and are looked at by state_checks (other starts by
# waiting_checks); an export needs something to export (suppression_checks, verb_checks);
# domain_checks, provisioning_checks, webhook_checks and template_checks look at the rest.
WITHOUT_BOUNDARIES = {"commitBulk", "moveStart", "addDomain", "consentToDomain", "addAccount",
                      "changeAccount", "addKey", "rotateKey", "exportErrors", "exportRecipients",
                      "setPace", "setQuietHours", "resendMail",
                      "createWebhook", "changeWebhook", "rotateWebhookSecret", "replayWebhook",
                       "createTemplate", "changeTemplate",
                      # People decide, not keys: system/console.
                      "approveDelivery", "sendBackDelivery",
                      # What they take beginBulk and updateBulk take, by the same checks.
                      "previewChangedDelivery", "previewContent", "lintDelivery", "lintContent"}


class Description(Checks):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for domain in DOMAINS:
            door.world.stack.vouch(cls.account.name, domain)

    def open(self, target, headers=None):
        return door.ask(door.world.stack.api_port, "GET", target, None, headers or {})

    def test_is_served_as_it_is(self):
        answer = self.open("/docs/openapi.json")
        self.assertEqual((200, "application/json"), (answer.status, answer.headers["content-type"]))
        self.assertEqual(FILE.read_bytes(), answer.body)
        self.assertEqual("3.1.0", OPENAPI["openapi"])

    def test_pages_in_both_languages(self):
        english = self.open("/docs?lang=en").body.decode()
        self.assertIn('lang="en"', english)
        japanese = self.open("/docs", {"Accept-Language": "ja"}).body.decode()
        self.assertIn('lang="ja"', japanese)
        self.assertEqual(japanese, self.open("/docs?lang=ja").body.decode())
        for _, path, operation in operations():
            self.assertIn(f"</span>{path}</code></h2>", english)
            self.assertIn(operation["x-ja"]["summary"], japanese)
        self.assertIn("default-src 'none'", self.open("/docs").headers["content-security-policy"])

    def test_examples_fit(self):
        seen = 0
        for _, path, operation in operations():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for kind in (one for body in bodies for one in media(body).values()):
                if "example" in kind:
                    seen += 1
                    self.assertIsNone(misfit(kind["example"], kind["schema"]), path)
        self.assertGreater(seen, 100)

    def test_every_operation_tells_who_may_call_it_and_what_it_refuses(self):
        for method, path, operation in operations():
            scopes = set(operation["x-todoku-scope"].split(", "))
            self.assertLessEqual(scopes, {"send", "read", "content", "suppress", "admin"}, path)
            self.assertLessEqual({"401", "403", "429", "503"}, set(operation["responses"]), path)
            if "{" in path:
                self.assertIn("404", operation["responses"], f"{method} {path}")

    def fits(self, answer, operation_id, status):
        content = self.ok(answer, status)
        self.assertIsNone(misfit(content, answer_schema(operation_id, status)), answer)
        return content

    def test_answers_fit(self):
        delivery = self.fits(self.send({"cc": ["cc@fast.example"]}), "sendTransaction", 201)
        self.fits(self.get(f"/deliveries/{delivery['delivery_id']}"), "getDelivery", 200)
        self.fits(self.post("/deliveries/transaction/batch", {"mails": [mail(), mail(to="x")]}),
                  "sendTransactionBatch", 207)
        made = self.fits(self.multipart("POST", "/deliveries/bulk/begin",
                                        [data_part(draft()), file_part()]), "beginBulk", 201)
        number = made["delivery_id"]
        self.fits(self.get(f"/deliveries/{number}"), "getDelivery", 200)
        one = self.fits(self.post(f"/deliveries/{number}/emails", recipient()), "addRecipient", 201)
        self.fits(self.get(f"/deliveries/-/emails/{one['email_id']}"), "getRecipient", 200)
        job = self.fits(self.account.import_csv(number, b"email\nbad\nb@fast.example\n",
                                                {"ignore_errors": True}), "importRecipients", 201)
        self.account.end_of(job["job_id"])
        self.fits(self.account.job(job["job_id"]), "getImport", 200)
        job = self.fits(self.account.stream(number, b'{"email":"c@fast.example"}\n', "?dry_run=true"),
                        "streamRecipients", 201)
        self.account.end_of(job["job_id"])
        self.fits(self.get(f"/deliveries/-/emails/import/{job['job_id']}/findings"),
                  "getImportFindings", 200)
        self.fits(self.get("/deliveries"), "listDeliveries", 200)
        log = door.eventually(lambda: self.ok(self.get("/logs/mails/results"))["data"], "a log row")
        self.fits(self.get("/logs/mails/results"), "searchLogs", 200)
        self.fits(self.get(f"/logs/mails/{log[0]['maillog_id']}"), "getLog", 200)
        self.fits(self.get("/explain?email=cc@fast.example"), "explainMail", 200)
        told = self.fits(self.get("/explain?domain=fast.example"), "explainMail", 200)
        self.assertIn("sites", told)
        self.fits(self.get(f"/explain?delivery_id={delivery['delivery_id']}"), "explainMail", 200)
        self.fits(self.get("/usages?month_ago=2"), "listUsages", 200)
        month = self.fits(self.get("/usages/latest"), "latestUsage", 200)["month"]
        self.fits(self.get(f"/usages/{month}"), "getUsage", 200)
        self.fits(self.get("/usages/days?days=2"), "listUsageDays", 200)
        self.fits(self.get("/events"), "listEvents", 200)
        self.fits(self.post("/events/ticket"), "makeEventTicket", 201)
        self.fits(self.get("/tags"), "listTags", 200)
        self.fits(self.get("/deliveries/approvals"), "listApprovals", 200)
        with Stream(self.account, f"?delivery_id={self.draft(['watched@fast.example'])}&progress=true") as stream:
            self.assertIsNone(misfit(stream.progress(lambda told: True)[0],
                                     {"$ref": "#/components/schemas/WatchedProgress"}))
        self.fits(self.get("/errors"), "listErrors", 200)
        entry = {"email": "fits@elsewhere.example", "reason": "unsubscribe", "list_id": "weekly"}
        self.fits(self.post("/suppressions", entry), "addSuppression", 201)
        self.fits(self.get("/suppressions"), "listSuppressions", 200)
        self.fits(self.get("/suppressions?email=fits@elsewhere.example"), "listSuppressions", 200)
        self.fits(self.delete("/suppressions?email=fits@elsewhere.example&why=w"),
                  "removeSuppressions", 200)
        refusal = OPENAPI["components"]["schemas"]["Refusal"]
        for answer in (self.send({"subject": ""}), self.get("/deliveries/999999999"),
                       self.get("/deliveries", token="x")):
            self.assertIsNone(misfit(answer.json, refusal), answer)
        self.ok(self.delete(f"/deliveries/{number}"))

    def call(self, operation_id, body):
        """The operation's answer to `body`, on a draft of its own."""
        for method, path, operation in operations():
            if operation["operationId"] != operation_id:
                continue
            ids = {}
            if "{" in path:
                ids["delivery_id"] = self.draft()
                if "{email_id}" in path:
                    ids["email_id"] = self.ok(self.post(f"/deliveries/{ids['delivery_id']}/emails",
                                                        recipient()), 201)["email_id"]
            answer = self.account.request(method.upper(), path.format(**ids), body)
            if "delivery_id" in ids:
                self.delete(f"/deliveries/{ids['delivery_id']}")
            if operation_id == "beginBulk" and answer.status == 201:
                self.delete(f"/deliveries/{answer.json['delivery_id']}")
            return answer
        raise KeyError(operation_id)

    def test_every_limit_of_a_request_is_its_boundary(self):
        tried = 0
        for _, _, operation in operations():
            name = operation["operationId"]
            kinds = media(operation.get("requestBody", {}))
            if "application/json" not in kinds or name in WITHOUT_BOUNDARIES:
                continue
            for path, good, bad in boundaries(kinds["application/json"]["schema"]):
                right = REQUESTS[name]()
                with self.subTest(operation=name, path=path):
                    if good is not None:
                        answer = self.call(name, having(right, path, good))
                        self.assertLess(answer.status, 300, answer)
                    answer = self.call(name, having(right, path, bad))
                    # A mail of a batch is refused for itself.
                    self.assertEqual(400, answer.status, answer)
                    tried += 1
        self.assertGreater(tried, 80)

    def test_every_limit_of_a_search_is_its_boundary(self):
        for method, path, operation in operations():
            if method != "get" or "{" in path:
                continue  # these are somebody's: report_checks
            for parameter in map(resolved, operation.get("parameters", ())):
                schema = resolved(parameter["schema"])
                if parameter["in"] != "query":
                    continue
                name = parameter["name"]
                pairs = []
                if "maximum" in schema:
                    pairs += [(schema["maximum"], schema["maximum"] + 1),
                              (schema["minimum"], schema["minimum"] - 1)]
                if "maxLength" in schema:
                    pairs.append(tuple(address(schema["maxLength"] + more) if name == "email" else
                                       "x" * (schema["maxLength"] + more) for more in (0, 1)))
                # Of causes, which are told without an address, there are 50 at most.
                beside = "email=a@example.jp&" if (path, name) == ("/explain", "limit") else ""
                for good, bad in pairs:
                    with self.subTest(path=path, name=name):
                        self.ok(self.get(f"{path}?{beside}{name}={good}"))
                        self.assertEqual(400, self.get(f"{path}?{beside}{name}={bad}").status)
        self.ok(self.get("/explain?limit=50"))
        self.assertEqual(400, self.get("/explain?limit=51").status)
