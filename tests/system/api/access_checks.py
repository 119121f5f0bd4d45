# SPDX-License-Identifier: Apache-2.0
"""Who may call and how often: tokens, keys, suspended accounts, the rate limit, errors' form."""
import base64
import hashlib
import json
import re
import time

import door
from door import Checks, draft, eventually, issued, new_account
from stack import Stack

OF_OPERATORS = [("GET", "/domains", None), ("POST", "/domains", {}),
                ("POST", "/domains/a.example/verify", None),
                ("POST", "/domains/a.example/consent", {}), ("DELETE", "/domains/a.example", None),
                ("GET", "/domains/a.example/records", None),
                ("POST", "/domains/a.example/keys", None),
                ("GET", "/accounts", None), ("POST", "/accounts", {}),
                ("PATCH", "/accounts/other", {}), ("GET", "/accounts/other/keys", None),
                ("POST", "/accounts/other/keys", {}), ("DELETE", "/accounts/other/keys/1", None),
                ("POST", "/accounts/other/keys/1/rotate", {})]


def token_of(login_id, api_key):
    """Section 1.2 of the contract."""
    digest = hashlib.sha256((login_id + api_key).encode()).hexdigest()
    return base64.b64encode(digest.encode()).decode()


class Tokens(Checks):
    def test_our_reading_of_the_contract_gives_its_two_test_vectors(self):
        self.assertEqual("MWYwZWVlOGZjMTIwNjc2ZmM1ODk0OTJmMTUyMjhlZmIzZDAyMWYwYWVlNGIwMDZlZmIyN2M3"
                         "ZWUzM2Y1ZDZjOQ==", token_of("blastengine", "ABCDEFG"))
        self.assertEqual("NGY4YjlhNzE0OWYzMTFiNDE5OTJhMmJlYTQxMDlkMmE4MmY1MTNhZWVjNWVhZDRiOGFkNzgx"
                         "YzZmZmY3MTZjNg==", token_of("testUserId", "testApiKey"))

    def test_an_issued_key_makes_the_token_that_is_shown_and_works(self):
        account = self.account
        self.assertEqual(account.name, account.login_id)
        self.assertEqual(token_of(account.login_id, account.api_key), account.token)
        self.ok(account.request("GET", "/deliveries"))

    def test_every_endpoint_refuses_without_a_right_token(self):
        endpoints = [("POST", "/deliveries/transaction"),
                     ("POST", "/deliveries/transaction/batch"), ("POST", "/deliveries/bulk/begin"),
                     ("PUT", "/deliveries/bulk/update/1"), ("PATCH", "/deliveries/bulk/commit/1"),
                     ("PATCH", "/deliveries/bulk/commit/1/immediate"),
                     ("PATCH", "/deliveries/1/cancel"), ("DELETE", "/deliveries/1"),
                     ("GET", "/deliveries/1"), ("GET", "/deliveries"), ("GET", "/deliveries/all"),
                     ("POST", "/deliveries/1/emails"), ("GET", "/deliveries/-/emails/1"),
                     ("PUT", "/deliveries/-/emails/1"), ("DELETE", "/deliveries/-/emails/1"),
                     ("POST", "/deliveries/1/emails/import"),
                     ("POST", "/deliveries/1/emails/stream"),
                     ("GET", "/deliveries/-/emails/import/1"),
                     ("DELETE", "/deliveries/-/emails/import/1"),
                     ("GET", "/deliveries/-/emails/import/1/findings"),
                     ("GET", "/deliveries/-/emails/import/1/errorinfo/download"),
                     ("GET", "/events"), ("POST", "/events/ticket"),
                     *((method, path) for method, path, _ in OF_OPERATORS)]
        for method, path in endpoints:
            with self.subTest(f"{method} {path}"):
                self.refused(self.account.request(method, path, headers={"Authorization": None}),
                             status=401)

    def test_wrong_tokens_are_401(self):
        right = self.account.token
        wrong = ["", "Bearer", "Bearer ", f"Basic {right}", right, f"Bearer {right}x",
                 f"Bearer {right[:-1]}", f"Bearer {right.lower()}",
                 f"Bearer {base64.b64decode(right).decode()}", "Bearer " + "A" * 10_000]
        for value in wrong:
            with self.subTest(value[:40]):
                self.refused(self.get("/deliveries",
                                      headers={"Authorization": value}), status=401)

    def test_the_scheme_is_read_in_any_case(self):
        self.ok(self.account.request(
            "GET", "/deliveries", headers={"Authorization": f"bearer  {self.account.token} "}))

    def test_a_401_speaks_both_languages(self):
        for language, word in (("ja-JP", "認証"), ("en-US", "authentication")):
            answer = self.get("/deliveries",
                              headers={"Authorization": None, "Accept-Language": language})
            self.assertIn(word, self.refused(answer, status=401)[0])

    def begin(self, account):
        begun = account.request("POST", "/deliveries/bulk/begin", draft(html_part="<p>x</p>"))
        return self.ok(begun, 201)["delivery_id"]

    def key(self, account, *terms):
        return issued(door.world.stack.command("key", "add", account.name, *terms))[2]

    def test_a_key_opens_what_its_scopes_say(self):
        account = new_account("scopes")
        mail = {"from": {"email": "news@example.jp"}, "to": "a@inbox.example", "subject": "s",
                "text_part": "the text", "html_part": "<p>x</p>"}
        begun = self.begin(account)
        calls = {
            "send": [("POST", "/deliveries/transaction", mail),
                     ("POST", "/deliveries/transaction/batch", {"mails": [mail]}),
                     ("POST", "/deliveries/bulk/begin", {}),
                     ("PUT", f"/deliveries/bulk/update/{begun}", {}),
                     ("PATCH", f"/deliveries/bulk/commit/{begun}", {}),
                     ("PATCH", f"/deliveries/bulk/commit/{begun}/immediate", {}),
                     ("PATCH", f"/deliveries/{begun}/cancel", {}),
                     ("DELETE", f"/deliveries/{begun}", None),
                     ("POST", f"/deliveries/{begun}/emails", {}),
                     ("PUT", "/deliveries/-/emails/1", {}),
                     ("DELETE", "/deliveries/-/emails/1", None),
                     ("DELETE", "/deliveries/-/emails/import/1", None),
                     ("POST", f"/deliveries/{begun}/emails/import", None),
                     ("POST", f"/deliveries/{begun}/emails/stream", None)],
            "read": [("GET", "/deliveries", None), ("GET", "/deliveries/all", None),
                     ("GET", f"/deliveries/{begun}", None),
                     ("GET", f"/deliveries/{begun}/opens", None),
                     ("POST", f"/deliveries/{begun}/analysis/report", None),
                     ("GET", "/deliveries/-/analysis/report/1", None),
                     ("GET", "/deliveries/-/analysis/report/1/download", None),
                     ("GET", "/deliveries/-/emails/1", None)],
            "send,content": [("GET", "/deliveries/-/emails/import/1/errorinfo/download", None)],
            "admin": OF_OPERATORS,
        }
        for opened_by, endpoints in calls.items():
            others = set("send read content suppress admin".split()) - set(opened_by.split(","))
            token = self.key(account, "--scopes", ",".join(others))
            for method, path, body in endpoints:
                with self.subTest(f"{method} {path}"):
                    answer = account.request(method, path, body, token=token)
                    self.assertEqual([f"this API key lacks the scope {opened_by}."],
                                     self.refused(answer, status=403))
        self.ok(account.request("GET", f"/deliveries/{begun}"))
        self.assertEqual(404, account.request("GET", "/deliveries/-/emails/import/1",
                                              token=self.key(account, "--scopes", "send")).status)

    def test_texts_and_insert_codes_need_the_scope_content(self):
        account = new_account("withheld")
        begun = self.begin(account)
        to = {"email": "a@inbox.example", "insert_code": [{"key": "__name__", "value": "secret"}]}
        email = self.ok(account.request("POST", f"/deliveries/{begun}/emails", to), 201)["email_id"]
        token = self.key(account, "--scopes", "read")
        whole = self.ok(account.request("GET", f"/deliveries/{begun}"))
        answer = account.request("GET", f"/deliveries/{begun}", token=token)
        self.assertNotEqual("", whole["text_part"])
        self.assertEqual({**whole, "text_part": "", "html_part": ""}, self.ok(answer))
        self.assertEqual("text_part, html_part", answer.headers["x-todoku-withheld"])
        whole = self.ok(account.request("GET", f"/deliveries/-/emails/{email}"))
        self.assertEqual(to["insert_code"], whole["insert_code"])
        answer = account.request("GET", f"/deliveries/-/emails/{email}", token=token)
        self.assertEqual({**whole, "insert_code": []}, self.ok(answer))
        self.assertEqual("insert_code", answer.headers["x-todoku-withheld"])
        made = self.ok(account.request("POST", "/templates", {
            "name": "withheld", "subject": "s", "text_part": "secret", "html_part": "<p>secret</p>"}),
            201)
        whole = self.ok(account.request("GET", f"/templates/{made['template_id']}"))
        self.assertEqual("secret", whole["text_part"])
        answer = account.request("GET", f"/templates/{made['template_id']}", token=token)
        self.assertEqual({**whole, "text_part": "", "html_part": ""}, self.ok(answer))
        self.assertEqual("text_part, html_part", answer.headers["x-todoku-withheld"])
        for field in ("text_part", "html_part"):
            answer = account.request("GET", f"/deliveries?{field}=secret", token=token)
            self.assertEqual(["this API key lacks the scope content."],
                             self.refused(answer, status=403))
        self.ok(account.request("GET", "/deliveries?subject=x", token=token))

    def test_a_key_is_for_its_networks_and_can_be_rotated(self):
        account, stack = new_account("terms"), door.world.stack
        elsewhere = self.key(account, "--networks", "192.0.2.0/24,2001:db8::/32")
        answer = account.request("GET", "/deliveries", token=elsewhere)
        self.assertIn("may not be used from 127.0.0.1", self.refused(answer, status=401)[0])
        here = stack.command("key", "add", account.name, "--networks", "127.0.0.0/8", "--days", "2")
        number, token = re.search(r"Key (\d+) of account", here).group(1), issued(here)[2]
        self.ok(account.request("GET", "/deliveries", token=token))
        rotated = stack.command("key", "rotate", account.name, number, "--overlap-hours", "1")
        self.ok(account.request("GET", "/deliveries", token=issued(rotated)[2]))
        self.ok(account.request("GET", "/deliveries", token=token))
        number = re.search(r"Key (\d+) of account", rotated).group(1)
        at_once = stack.command("key", "rotate", account.name, number, "--overlap-hours", "0")
        self.ok(account.request("GET", "/deliveries", token=issued(at_once)[2]))
        eventually(lambda: account.request("GET", "/deliveries",
                                           token=issued(rotated)[2]).status == 401,
                   "the rotated key to stop working", 5)
        listed = stack.command("key", "list", account.name)
        self.assertIn("127.0.0.0/8", listed)
        self.assertIn("active until", listed)

    def test_several_keys_work_until_each_is_revoked(self):
        stack, account = door.world.stack, new_account("keys")
        shown = stack.command("key", "add", account.name, "--label", "second")
        second = issued(shown)[2]
        number = re.search(r"Key (\d+) of account", shown).group(1)
        self.assertNotEqual(second, account.token)
        self.ok(account.request("GET", "/deliveries"))
        self.ok(account.request("GET", "/deliveries", token=second))
        self.assertNotIn(second, stack.command("key", "list", account.name))
        stack.command("key", "revoke", account.name, number)
        eventually(lambda: account.request("GET", "/deliveries", token=second).status == 401,
                   "the key to stop working", 5)
        self.ok(account.request("GET", "/deliveries"))

    def test_a_key_that_is_revoked_while_the_body_comes_takes_nothing(self):
        stack, account = door.world.stack, new_account("revoked")
        delivery = self.draft_of(account)
        shown = stack.command("key", "add", account.name, "--label", "second")
        number = re.search(r"Key (\d+) of account", shown).group(1)
        account.token = issued(shown)[2]
        body = json.dumps(door.mail()).encode()
        upload = door.form([('name="file"; filename="a.csv"', "text/csv",
                             b"email\na@fast.example\n")])
        with door.Raw(stack.api_port) as sending, door.Raw(stack.api_port) as importing:
            sending.send(door.head(account, "POST", "/deliveries/transaction",
                                   f"Content-Length: {len(body)}") + body[:20])
            importing.send(door.head(account, "POST", f"/deliveries/{delivery}/emails/import",
                                     "Content-Type: multipart/form-data; boundary=the-boundary",
                                     f"Content-Length: {len(upload)}") + upload[:20])
            stack.command("key", "revoke", account.name, number)
            eventually(lambda: account.request("GET", "/deliveries").status == 401,
                       "the key to stop working", 5)
            sending.send(body[20:])
            self.refused(sending.answer(), status=401)
            importing.send(upload[20:])
            self.refused(importing.answer(), status=401)

    def draft_of(self, account):
        return self.ok(account.request("POST", "/deliveries/bulk/begin", draft()),
                       201)["delivery_id"]

    def test_an_account_sees_only_its_own(self):
        delivery = self.draft()
        other = new_account("other")
        self.refused(other.request("GET", f"/deliveries/{delivery + 1_000_000}"), status=404,
                     text="no data found.")
        self.assertEqual([], other.listed())


class Suspended(Checks):
    def test_a_suspended_account_is_423_and_back_after_resume(self):
        stack, account = door.world.stack, self.account
        delivery = self.draft(["a@fast.example"])
        email = self.ok(account.request("POST", f"/deliveries/{delivery}/emails",
                                        {"email": "b@fast.example"}), 201)["email_id"]
        reserved = self.draft(["a@fast.example"])
        self.ok(account.request("PATCH", f"/deliveries/bulk/commit/{reserved}",
                                {"reservation_time": "2027-06-01T00:00:00+09:00"}))
        stack.command("account", "suspend", account.name)
        try:
            eventually(lambda: account.send({}).status == 423, "the suspension", 5)
            refused = {
                "transaction": account.send({}),
                "begin": account.request("POST", "/deliveries/bulk/begin", draft()),
                "update": self.put(f"/deliveries/bulk/update/{delivery}", {"subject": "x"}),
                "commit": account.request("PATCH", f"/deliveries/bulk/commit/{delivery}",
                                          {"reservation_time": "2027-06-01T00:00:00+09:00"}),
                "immediate": self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"),
                "add": self.post(f"/deliveries/{delivery}/emails", {"email": "c@fast.example"}),
                "change": account.request("PUT", f"/deliveries/-/emails/{email}",
                                          {"email": "c@fast.example"}),
                "import": account.import_csv(delivery, b"email\nc@fast.example\n")}
            for name, answer in refused.items():
                with self.subTest(name):
                    self.assertIn("suspended", self.refused(answer, status=423)[0])
            answer = account.send({}, headers={"Accept-Language": "ja"})
            self.assertIn("停止", self.refused(answer, status=423)[0])
            self.ok(account.request("GET", f"/deliveries/{delivery}"))
            self.ok(account.request("GET", "/deliveries"))
            self.ok(account.request("PATCH", f"/deliveries/{reserved}/cancel"))
            self.ok(account.request("DELETE", f"/deliveries/{reserved}"))
        finally:
            stack.command("account", "resume", account.name)
        eventually(lambda: account.send({}).status == 201, "the resumption", 5)
        self.assertEqual("b@fast.example", self.ok(
            account.request("GET", f"/deliveries/-/emails/{email}"))["email"])


class LimitedStack(Stack):
    """An engine with a low rate limit and nobody to send to."""
    RATE = 5

    def start_sink(self):
        pass

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace("rate_limit_per_minute = 0",
                                                 f"rate_limit_per_minute = {self.RATE}"))


class RateLimit(Checks):
    def test_the_limit_counts_down_per_account_and_ends_in_429(self):
        with LimitedStack(door.world.stack.binary, {"fast.example": []}) as stack:
            account, other = door.Account(stack, "limited"), door.Account(stack, "unlimited")
            for used in range(stack.RATE):
                answer = account.request("GET", "/deliveries" if used else "/deliveries/99")
                self.assertIn(answer.status, (200, 404))
                for name in ("x-ratelimit-remaining", "x-rate-limit-remaining"):
                    self.assertEqual(str(stack.RATE - used - 1), answer.headers[name])
            for language, word in (("en", "limit"), ("ja", "上限")):
                answer = account.send({}, headers={"Accept-Language": language})
                self.assertIn(word, self.refused(answer, status=429)[0])
                self.assertEqual("0", answer.headers["x-ratelimit-remaining"])
                seconds = int(answer.headers["x-rate-limit-retry-after-seconds"])
                self.assertTrue(1 <= seconds <= 60, seconds)
            self.ok(other.request("GET", "/deliveries"))
            self.assertEqual([], other.listed())
            # Of what is not counted, too: what is left to the account, or to any that is not known.
            for method, path, token, status, left in (
                    ("GET", "/nothing", other.token, 404, stack.RATE - 2),
                    ("PUT", "/deliveries/transaction", other.token, 405, stack.RATE - 2),
                    ("GET", "/nothing", account.token, 404, 0),
                    ("GET", "/nothing", "nobody", 404, stack.RATE),
                    ("GET", "/deliveries", "nobody", 401, stack.RATE)):
                with self.subTest(f"{method} {path} {status}"):
                    answer = other.request(method, path, token=token)
                    self.assertEqual(status, answer.status, answer)
                    for name in ("x-ratelimit-remaining", "x-rate-limit-remaining"):
                        self.assertEqual(str(left), answer.headers[name])

    def test_a_batch_of_mails_is_one_request(self):
        with LimitedStack(door.world.stack.binary, {"fast.example": []}) as stack:
            account = door.Account(stack, "limited")
            mails = [door.mail(to=f"{i}@fast.example") for i in range(stack.RATE + 10)]
            answer = account.request("POST", "/deliveries/transaction/batch", {"mails": mails})
            self.assertEqual(len(mails), self.ok(answer, 201)["accepted_count"])
            self.assertEqual(str(stack.RATE - 1), answer.headers["x-ratelimit-remaining"])

    def test_without_a_limit_there_is_no_header(self):
        began = time.monotonic()
        answer = self.get("/deliveries")
        self.assertNotIn("x-ratelimit-remaining", answer.headers)
        self.assertLess(time.monotonic() - began, 30)


class Errors(Checks):
    def test_languages(self):
        chosen = {None: "en", "": "en", "en-US": "en", "ja-JP": "ja", "ja": "ja", "JA": "ja",
                  "en-US,en;q=0.9,ja;q=0.8": "en", "ja,en-US;q=0.9": "ja", "fr-FR": "en", "*": "en"}
        for header, language in chosen.items():
            with self.subTest(header):
                answer = self.send({"subject": ...}, headers={"Accept-Language": header})
                expected = {"en": "is required.", "ja": "必須項目です。"}[language]
                self.refused(answer, "subject", text=expected)

    def test_all_problems_are_told_at_once_in_the_structure_of_the_request(self):
        answer = self.post("/deliveries/transaction", {
            "from": {"email": "nobody"}, "cc": ["fine@fast.example", "bad"],
            "insert_code": [{"key": "__good__", "value": "v"}, {"key": "name", "value": "v"},
                            {"key": "__toolongtoolongtoolong__", "value": "v"}]})
        self.assertEqual(400, answer.status)
        messages = answer.json["error_messages"]
        self.assertEqual({"from", "to", "cc", "subject", "text_part", "insert_code"}, set(messages))
        self.assertEqual(["email"], list(messages["from"]))
        self.assertEqual(["1"], list(messages["cc"]))
        self.assertEqual({"1", "2"}, set(messages["insert_code"]))
        self.assertEqual(["the character length is not in the range 5 through 20."],
                         messages["insert_code"]["2"]["key"])

    def test_the_messages_that_clients_compare(self):
        self.refused(self.get("/deliveries/999999"), status=404,
                     text="no data found.")
        self.refused(self.send({"insert_code": [{"key": "_name_", "value": "v"}]}),
                     "insert_code", "0", "key", text="_name_: invalid format.")

    def test_an_unknown_path_is_the_containers_404(self):
        for path in ("/", "", "/nothing", "/deliveries/1/nothing", "/deliveries/transaction/1/2",
                     "/../../etc/passwd", "/deliveries/-/emails/import/1/errorinfo"):
            with self.subTest(path):
                self.container_error(self.get(path), 404)
        answer = self.get("/nothing", headers={"Accept-Language": "ja"})
        self.assertRegex(self.container_error(answer, 404), "^[^a-z]+URL[^a-z]+$")
        self.assertRegex(answer.json["message"], "^[^a-z]+URL[^a-z]+$")
        outside = door.ask(self.account.stack.api_port, "GET", "/api/v2/deliveries", None, {})
        self.container_error(outside, 404)

    def test_a_path_without_any_form_is_unknown(self):
        for method, path in (("PATCH", "/deliveries/bluk/cancel/1"), ("PUT", "/deliveries/7x/end"),
                             ("POST", "/deliveries/transaction/")):
            with self.subTest(f"{method} {path}"):
                answer = self.account.request(method, path)
                self.container_error(answer, 404)
                self.assertNotIn("allow", answer.headers)

    def test_a_wrong_method_is_the_containers_405_with_allow(self):
        for method, path, allowed in (("PUT", "/deliveries/transaction", "POST"),
                                      ("POST", "/deliveries/1", "GET"),
                                      ("POST", "/deliveries/abc", "GET"),
                                      ("POST", "/deliveries/transactoin", "GET"),
                                      ("PUT", "/deliveries/7x/cancel", "PATCH"),
                                      ("GET", "/deliveries/abc/emails", "POST"),
                                      ("DELETE", "/deliveries/all", "GET"),
                                      ("POST", "/deliveries/bulk/update/1", "PUT"),
                                      ("POST", "/deliveries/1/cancel", "PATCH")):
            answer = self.account.request(method, path)
            with self.subTest(f"{method} {path}"):
                self.container_error(answer, 405)
                self.assertIn(allowed, answer.headers["allow"])

    def test_a_content_type_that_cannot_be_json_is_the_containers_415(self):
        for content_type in ("application/x-www-form-urlencoded", "application/xml", "text/xml",
                             "multipart/mixed; boundary=b"):
            with self.subTest(content_type):
                answer = self.send({}, content_type=content_type)
                self.container_error(answer, 415)
        delivery = self.draft()
        answer = self.post(f"/deliveries/{delivery}/emails/import", b"email\n",
                           content_type="text/csv")
        self.container_error(answer, 415)

    def test_ids_that_are_none_are_no_data_found(self):
        for path in ("0", "-1", "abc", "1e3", "99999999999999999999999", "1.0", "%20", "%31x"):
            with self.subTest(path):
                self.refused(self.get(f"/deliveries/{path}"), status=404,
                             text="no data found.")
