# SPDX-License-Identifier: Apache-2.0
"""JSON that is none, or that holds the wrong things: named by path, and nothing stored."""
import json

import door
from door import JSON, Checks, draft, file_part, mail

OTHERS = {"a string": "text", "a number": 7, "a boolean": True, "an array": [["x"]],
          "an object": {"x": 1}}


class MalformedJson(Checks):
    BROKEN = {"open": b'{"subject":', "bare word": b"{subject: 1}", "single quotes": b"{'a': 1}",
              "trailing comma": b'{"a":1,}', "two values": b"{}{}", "array": b"[]",
              "string": b'"x"',
              "number": b"5", "NUL inside": b'{"a":"\0"}',
              "line break in a string": b'{"a":"x\ny"}',
              "comment": b'{"a":1/**/}', "NaN": b'{"a":NaN}',
              "lone surrogate": b'{"subject":"\\ud800"}',
              "invalid UTF-8": b'{"subject":"\xff\xfe"}',
              "Shift_JIS": b'{"subject":"\x8c\x8f\x96\xbc"}',
              "overlong UTF-8": b'{"subject":"\xc0\xaf"}',
              "UTF-8 surrogate": b'{"subject":"\xed\xa0\x80"}',
              "UTF-16": '{"subject":"x"}'.encode("utf-16"), "deep": b"[" * 10_000,
              "deep object": b'{"a":' * 100 + b"1" + b"}" * 100}

    def test_every_endpoint_with_a_body_refuses_what_is_no_json_object(self):
        delivery = self.draft(["a@fast.example"])
        email = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": "b@fast.example"}), 201)["email_id"]
        before = self.detail(delivery)
        endpoints = [("POST", "/deliveries/transaction"), ("POST", "/deliveries/bulk/begin"),
                     ("PUT", f"/deliveries/bulk/update/{delivery}"),
                     ("PATCH", f"/deliveries/bulk/commit/{delivery}"),
                     ("POST", f"/deliveries/{delivery}/emails"),
                     ("PUT", f"/deliveries/-/emails/{email}")]
        with self.nothing_stored():
            for name, body in self.BROKEN.items():
                for method, path in endpoints:
                    with self.subTest(f"{name}: {method} {path}"):
                        self.refused(self.account.request(method, path, body))
        self.assertEqual(before, self.detail(delivery))

    def test_required_bodies_may_not_be_empty(self):
        with self.nothing_stored():
            for body in (None, b"", b"null", b" "):
                for path in ("/deliveries/transaction", "/deliveries/bulk/begin"):
                    with self.subTest(f"{path} {body}"):
                        self.refused(self.post(path, body))

    def test_the_place_of_the_mistake_is_told(self):
        answer = self.post("/deliveries/transaction", b'{\n "a": 1,\n "b" 2}')
        self.assertIn("line 3", self.refused(answer)[0])

    def test_the_form_of_the_refusal_is_the_same_inside_multipart(self):
        with self.nothing_stored():
            for name, body in self.BROKEN.items():
                with self.subTest(name):
                    self.refused(self.multipart("POST", "/deliveries/transaction", [
                        file_part(), ('name="data"', JSON, body)]))


class WrongTypes(Checks):
    def each(self, kinds, path, make):
        """`make(value)` for each value of another kind must be refused at `path`."""
        for kind, value in OTHERS.items():
            if kind not in kinds:
                with self.subTest(f"{path} is {kind}"):
                    self.refused(make(value), *path)

    def test_transactions(self):
        code = {"key": "__a__", "value": "v"}
        with self.nothing_stored():
            for field in ("subject", "text_part", "html_part", "encode"):
                self.each({"a string"}, (field,), lambda v, f=field: self.send({f: v}))
            for field in ("from", "reply_to", "list_unsubscribe"):
                if field != "from":
                    self.each({"an object"}, (field,), lambda v, f=field: self.send({f: v}))
            for field in ("cc", "bcc"):
                self.each({"an array"}, (field,), lambda v, f=field: self.send({f: v}))
                self.each({"a string"}, (field, "1"), lambda v, f=field: self.send(
                    {f: ["a@fast.example", v]}))
            self.each({"an array"}, ("insert_code",), lambda v: self.send({"insert_code": v}))
            self.each({"an object"}, ("insert_code", "1"),
                      lambda v: self.send({"insert_code": [code, v]}))
            for member, kinds in (("key", {"a string"}),
                                  ("value", {"a string", "a number", "a boolean"})):
                self.each(kinds, ("insert_code", "1", member), lambda v, m=member:
                          self.send({"insert_code": [code, {**code, "key": "__b__", m: v}]}))
            for member in ("mailto", "url"):
                self.each({"a string"}, ("list_unsubscribe", member), lambda v, m=member:
                          self.send({"list_unsubscribe": {m: v}}))
            self.each({"a string", "an array"}, ("to",), lambda v: self.send({"to": v}))

    def test_mailboxes(self):
        right = {"email": "a@sender.example", "name": "n"}
        with self.nothing_stored():
            for field in ("from", "reply_to"):
                for member in ("email", "name"):
                    self.each({"a string"}, (field, member), lambda v, f=field, m=member:
                              self.send({f: {**right, m: v}}))
            for value in ("a@sender.example", 1, [right]):
                self.refused(self.send({"from": value}), "from")

    def test_updates_and_recipients(self):
        delivery = self.draft(["a@fast.example"])
        email = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": "b@fast.example"}), 201)["email_id"]
        before = self.detail(delivery)

        def update(fields):
            return self.put(f"/deliveries/bulk/update/{delivery}", fields)

        self.each({"an array"}, ("to",), lambda v: update({"to": v}))
        self.each({"an object"}, ("to", "1"), lambda v: update({"to": [{"email": "c@fast.example"},
                                                                       v]}))
        self.each({"a string"}, ("to", "0", "email"), lambda v: update({"to": [{"email": v}]}))
        self.each({"an array"}, ("to", "0", "insert_code"), lambda v: update(
            {"to": [{"email": "c@fast.example", "insert_code": v}]}))
        self.each({"a string"}, ("to", "2", "insert_code", "0", "key"), lambda v: update(
            {"to": [{"email": "c@fast.example"}, {"email": "d@fast.example"},
                    {"email": "e@fast.example", "insert_code": [{"key": v, "value": "x"}]}]}))
        self.each({"a string"}, ("subject",), lambda v: update({"subject": v}))
        for method, path in (("POST", f"/deliveries/{delivery}/emails"),
                             ("PUT", f"/deliveries/-/emails/{email}")):
            self.each({"a string"}, ("email",), lambda v, m=method, p=path:
                      self.account.request(m, p, {"email": v}))
            self.each({"an array"}, ("insert_code",), lambda v, m=method, p=path:
                      self.account.request(m, p, {"email": "c@fast.example", "insert_code": v}))
            self.refused(self.account.request(method, path, {}), "email", text="is required.")
        self.each({"a string"}, ("reservation_time",), lambda v: self.account.request(
            "PATCH", f"/deliveries/bulk/commit/{delivery}", {"reservation_time": v}))
        self.assertEqual(before, self.detail(delivery))

    def test_a_wrong_type_in_a_form_leaves_nothing(self):
        with self.nothing_stored():
            self.refused(self.multipart("POST", "/deliveries/bulk/begin", [
                ('name="data"', JSON, json.dumps(draft(subject=5)).encode()), file_part()]),
                         "subject")

    def test_a_member_given_twice_is_refused_by_its_name(self):
        whole = json.dumps(mail()).encode()
        with self.nothing_stored():
            for body, name in ((whole[:-1] + b',"subject":"last"}', "subject"),
                               (whole[:-1] + b',"\\u0074o":"evil@fast.example"}', "to"),
                               (whole[:-1] + b',"reply_to":{"email":"a@b.jp","email":"c@d.jp"}}',
                                "email"),
                               (whole[:-1] + b',"x":{"y":[{"z":1,"z":2}]}}', "z")):
                with self.subTest(name):
                    self.assertIn(f'"{name}" twice', self.refused(
                        self.post("/deliveries/transaction", body))[0])
                    self.assertIn(f"「{name}」", self.refused(self.post(
                        "/deliveries/transaction", body, headers={"Accept-Language": "ja"}))[0])
            self.refused(self.multipart("POST", "/deliveries/transaction", [
                door.data_part(mail()), door.data_part(mail())]), "data",
                         text="is given more than once.")

    def test_a_wrong_type_hides_no_other_problem(self):
        code = {"key": "a_name", "value": "v"}
        with self.nothing_stored():
            answer = self.send({"subject": 5, "to": "nobody", "cc": ["good@fast.example", 7, "bad"],
                                "from": "shop@sender.example", "insert_code": [1, code]})
            self.assertEqual(400, answer.status, answer)
            self.assertEqual({
                "subject": ["must be a string."], "from": ["must be an object."],
                "cc": {"1": ["must be a string."],
                       "2": answer.json["error_messages"]["cc"].get("2")},
                "to": answer.json["error_messages"].get("to"),
                "insert_code": {"0": ["must be an object."],
                                "1": {"key": ["a_name: invalid format."]}}},
                answer.json["error_messages"])
            self.assertTrue(answer.json["error_messages"]["to"])
            self.assertTrue(answer.json["error_messages"]["cc"]["2"])
            answer = self.post("/deliveries/bulk/begin", draft(text_part=5, subject=""))
            self.assertEqual({"text_part", "subject"}, set(answer.json["error_messages"]))
        delivery = self.draft()
        answer = self.put(f"/deliveries/bulk/update/{delivery}",
                          {"subject": 5, "to": [1, {"email": "bad"}, {"email": 3}]})
        self.assertEqual({"subject", "to"}, set(answer.json["error_messages"]), answer)
        self.assertEqual({"0", "1", "2"}, set(answer.json["error_messages"]["to"]), answer)
        answer = self.post(f"/deliveries/{delivery}/emails", {"email": "bad", "insert_code": 5})
        self.assertEqual({"email", "insert_code"}, set(answer.json["error_messages"]), answer)

    def test_what_is_no_utf8_is_told_with_its_place(self):
        for body, place in ((b'{"subject":"\x8c\x8f"}', "octet 12 (line 1, column 13)"),
                            (b'{\n"a":"\xe5\x90', "octet 7 (line 2, column 6)")):
            answer = self.post("/deliveries/transaction", body)
            self.assertIn(f"not valid UTF-8 at {place}", self.refused(answer)[0])
            answer = self.post("/deliveries/transaction", body, headers={"Accept-Language": "ja"})
            self.assertIn("UTF-8", self.refused(answer)[0])
            self.assertNotIn("valid", self.refused(answer)[0])

    def test_no_field_takes_the_character_that_not_every_store_can_hold(self):
        """As an escape it is JSON, so it has to be refused by field."""
        delivery = self.draft(["a@fast.example"])
        before = self.detail(delivery)
        code = {"key": "__a__", "value": "a\0b"}
        content = {("from", "name"): {"from": {"email": "a@sender.example", "name": "a\0"}},
                   ("from", "email"): {"from": {"email": "a\0b@sender.example"}},
                   ("reply_to", "name"): {"reply_to": {"email": "a@sender.example", "name": "\0"}},
                   ("reply_to", "email"): {"reply_to": {"email": "a@sender.example\0"}},
                   ("subject",): {"subject": "a\0b"}, ("text_part",): {"text_part": "a\0b"},
                   ("html_part",): {"html_part": "a\0b"},
                   ("list_unsubscribe", "url"): {"list_unsubscribe": {"url": "https://s.example/\0"}},
                   ("list_unsubscribe", "mailto"): {"list_unsubscribe": {"mailto": "mailto:a\0"}}}
        others = {("to",): {"to": "a\0b@fast.example"}, ("cc", "0"): {"cc": ["a\0b@fast.example"]},
                  ("bcc", "0"): {"bcc": ["a@fast.example\0"]}, ("encode",): {"encode": "UTF-8\0"},
                  ("insert_code", "0", "value"): {"insert_code": [code]},
                  ("insert_code", "0", "key"): {"insert_code": [{"key": "__a\0__", "value": ""}]}}
        with self.nothing_stored():
            for path, fields in content.items():
                with self.subTest(path):
                    self.refused(self.send(fields), *path)
                    self.refused(self.post("/deliveries/bulk/begin", draft(**fields)), *path)
                    self.refused(self.put(f"/deliveries/bulk/update/{delivery}", fields), *path)
            for path, fields in others.items():
                with self.subTest(path):
                    self.refused(self.send(fields), *path)
            for fields, path in (({"email": "a\0@fast.example"}, ("email",)),
                                 ({"email": "b@fast.example", "insert_code": [code]},
                                  ("insert_code", "0", "value"))):
                self.refused(self.post(f"/deliveries/{delivery}/emails", fields), *path)
                self.refused(self.put(f"/deliveries/bulk/update/{delivery}", {"to": [fields]}),
                             "to", "0", *path)
            # Inside a form, and the name of a file.
            self.refused(self.multipart("POST", "/deliveries/transaction", [
                file_part(), door.data_part(mail(html_part="\0"))]), "html_part")
        self.assertEqual(before, self.detail(delivery))

    def test_searches_are_for_text(self):
        for name in ("text_part", "html_part", "subject", "from", "list_unsubscribe_url",
                     "list_unsubscribe_mailto"):
            self.refused(self.get(f"/deliveries?{name}=%FF"), name,
                         text="is not valid UTF-8.")
            self.ok(self.get(f"/deliveries?{name}=a%00b"))

    def test_odd_text_is_kept_as_it_is(self):
        for text in ("'; DROP TABLE delivery; --", "𠮷野家 😀 é e\u0301", "\u202eRTL", "a\u200bb",
                     "<script>alert(1)</script>", "{{x}} ${y} %s %00", "\\ud83d"):
            with self.subTest(text):
                delivery = self.draft(subject=text, text_part=text + "\r\n\t" + text,
                                      html_part=text)
                detail = self.detail(delivery)
                # A subject loses what turns it around; bodies are the sender's own.
                subject = text.replace("\u202e", "")
                self.assertEqual((subject, text + "\r\n\t" + text, text),
                                 (detail["subject"], detail["text_part"], detail["html_part"]))
                self.ok(self.delete(f"/deliveries/{delivery}"))
