# SPDX-License-Identifier: Apache-2.0
"""Stored contents with insert codes and versions (docs/templates.md)."""
from door import Checks, arrived, mails_to
from openapi_checks import answer_schema, misfit

CALLED = "{{first_name|お客様}}様"


class Templates(Checks):
    def kept(self, name, **fields):
        """Its id."""
        made = self.ok(self.post("/templates", {"name": name, "subject": CALLED,
                                                "text_part": f"{CALLED}\n番号 {{{{number}}}}",
                                                **fields}), 201)
        return made["template_id"]

    def test_a_template_has_versions_and_a_delivery_keeps_its_own(self):
        number = self.kept("welcome", **{"from": {"email": "kept@sender.example", "name": "店"}})
        shown = self.ok(self.get("/templates/welcome"))
        self.assertIsNone(misfit(shown, answer_schema("getTemplate", 200)))
        self.assertEqual((number, 1, "html"),
                         (shown["template_id"], shown["version"], shown["escape"]))
        self.assertEqual([{"key": "{{first_name}}", "required": False},
                          {"key": "{{number}}", "required": True}], shown["codes"])
        draft = self.draft(template="welcome", subject=..., text_part=..., **{"from": ...})
        changed = self.ok(self.patch(f"/templates/{number}", {"subject": "新しい件名"}))
        self.assertEqual({"template_id": number, "version": 2}, changed)
        self.assertEqual(2, self.ok(self.patch("/templates/welcome", {"subject": "新しい件名"}))["version"],
                         "of the same content there is no new version")
        self.assertEqual([2, 1], [each["version"] for each in
                                  self.ok(self.get(f"/templates/{number}"))["versions"]])
        self.assertEqual(CALLED, self.ok(self.get("/templates/welcome?version=1"))["subject"])
        self.refused(self.get("/templates/welcome?version=3"), status=404)
        page = self.ok(self.get("/templates"))
        self.assertIsNone(misfit(page, answer_schema("listTemplates", 200)))
        self.assertIn("welcome", [each["name"] for each in page["data"]])
        self.refused(self.post("/templates", {"name": "welcome", "subject": "s", "text_part": "t"}),
                     "name")
        # What was begun has a copy, whatever becomes of the template.
        self.ok(self.delete("/templates/welcome"))
        self.refused(self.get(f"/templates/{number}"), status=404)
        detail = self.detail(draft)
        self.assertEqual((CALLED, "kept@sender.example", number, 1),
                         (detail["subject"], detail["from"]["email"], detail["template_id"],
                          detail["template_version"]))
        self.assertIsNone(misfit(detail, answer_schema("getDelivery", 200)))

    def test_a_mail_is_filled_in_and_escaped(self):
        self.kept("order", html_part="<p>{{first_name|お客様}} {{note|-}}</p>")
        self.ok(self.send({"to": "order@fast.example", "template": "order", "subject": ...,
                           "text_part": ..., "data": {"first_name": "<花子&>", "number": 7}}), 201)
        mail = arrived("order@fast.example")
        self.assertEqual("<花子&>様", mail["Subject"])
        text, html = (part.get_content() for part in mail.iter_parts())
        self.assertEqual(["<花子&>様", "番号 7"], text.splitlines()[:2])
        self.assertEqual("<p>&lt;花子&amp;&gt; -</p>", html.strip())
        self.ok(self.send({"to": "raw@fast.example", "template": "order", "subject": ...,
                           "text_part": ..., "escape": "none",
                           "data": {"first_name": "<b>花子</b>", "number": 7}}), 201)
        html = list(arrived("raw@fast.example").iter_parts())[1].get_content()
        self.assertEqual("<p><b>花子</b> -</p>", html.strip())
        # An ordinary delivery chooses, too; without a choice it is as the contract has it.
        for escape, shown in (("html", "&lt;b&gt;"), ("none", "<b>"), (..., "<b>")):
            to = f"plain-{escape if escape is not ... else 'nothing'}@fast.example"
            fields = {"to": to, "html_part": "<p>__a__{{b|c}}</p>", "escape": escape,
                      "insert_code": [{"key": "__a__", "value": "<b>"}]}
            self.ok(self.send({name: value for name, value in fields.items()
                               if value is not ...}), 201)
            html = list(arrived(to).iter_parts())[1].get_content()
            self.assertEqual(f"<p>{shown}{{{{b|c}}}}</p>", html.strip())

    def test_no_mail_has_a_hole(self):
        self.kept("holes")
        from_it = {"template": "holes", "subject": ..., "text_part": ...}
        with self.nothing_stored():
            self.refused(self.send({**from_it, "data": {"first_name": "x"}}), "data", "number")
            self.refused(self.send({**from_it, "data": {"number": None}}), "data", "number")
            self.refused(self.send({**from_it, "data": {"number": " \u200b"}}), "data", "number")
            self.refused(self.send({**from_it, "data": {"number": [1]}}), "data", "number")
            self.refused(self.send({**from_it, "template": "nowhere"}), "template")
            self.refused(self.send({**from_it, "template_version": 9, "data": {"number": 1}}),
                         "template")
            self.refused(self.send({**from_it, "text_part": "mine", "data": {"number": 1}}),
                         "text_part")
            self.refused(self.send({"data": {"number": 1}}), "data", "number")
            answer = self.post("/deliveries/transaction/batch", {"mails": [
                {"from": {"email": "a@sender.example"}, "to": "x@fast.example", "template": "holes"}]})
            self.assertEqual(400, answer.status, answer)
            self.assertEqual(["number"], list(answer.json["data"][0]["error_messages"]["data"]))

    def test_a_list_is_filled_row_by_row(self):
        self.kept("list")
        draft = self.draft(template="list", subject=..., text_part=...)
        self.refused(self.post(f"/deliveries/{draft}/emails", {"email": "list-a@fast.example"}),
                     "data", "number")
        self.ok(self.post(f"/deliveries/{draft}/emails",
                          {"email": "list-a@fast.example", "data": {"number": 1}}), 201)
        self.refused(self.put(f"/deliveries/bulk/update/{draft}", {"subject": "mine"}), "subject")
        rows = "email,first_name,number\nlist-b1@fast.example,花子,2\nlist-b2@fast.example,,3\n".encode()
        _, job = self.imported(rows, delivery=draft)
        self.assertEqual(2, job["success_count"], job)
        lacking = self.ok(self.account.import_csv(draft, b"email,first_name\nlist-c@fast.example,x\n",
                                                  {"ignore_errors": True}), 201)
        self.assertEqual(1, self.account.end_of(lacking["job_id"])["failed_count"])
        lines = b'{"email":"list-d@fast.example","data":{"number":"4"}}\n{"email":"list-e@fast.example"}\n'
        job = self.ok(self.account.stream(draft, lines, "?ignore_errors=true"), 201)
        end = self.account.end_of(job["job_id"])
        self.assertEqual((1, 1), (end["success_count"], end["failed_count"]))
        self.ok(self.patch(f"/deliveries/bulk/commit/{draft}/immediate"))
        said = {to: arrived(f"list-{to}@fast.example") for to in ("a", "b1", "b2", "d")}
        self.assertEqual({"a": "お客様様", "b1": "花子様", "b2": "お客様様", "d": "お客様様"},
                         {to: mail["Subject"] for to, mail in said.items()})
        self.assertIn("番号 2", said["b1"].get_content())
        self.assertEqual([], mails_to("list-c@fast.example"))

    def test_what_is_no_code_is_refused_by_name(self):
        for field in ("subject", "text_part", "html_part"):
            for text in ("{{#if a}}x{{/if}}", "{{{raw}}}", "{{ a b }}", "{{else}}"):
                with self.subTest(field=field, text=text):
                    told = self.refused(self.post("/templates", {
                        "name": "wrong", "subject": "s", "text_part": "t", field: text}), field)
                    self.assertIn("{{", told[0])
        self.refused(self.post("/templates", {
            "name": "wrong", "subject": "Hello {{a|{{b}}}}, bye", "text_part": "t"}), "subject")
        self.refused(self.post("/templates", {
            "name": "wrong", "subject": "s", "text_part": "t",
            "from": {"email": "a@sender.example", "name": "{{shop|X}}"}}), "from", "name")
        self.refused(self.post("/templates", {"name": "123", "subject": "s", "text_part": "t"}), "name")
        self.refused(self.post("/templates", {"name": "w", "subject": "s", "text_part": "t",
                                              "escape": "yes"}), "escape")

    def test_a_repeat_makes_no_second_template(self):
        key = {"Idempotency-Key": "a-template"}
        body = {"name": "once", "subject": "s", "text_part": "t"}
        first = self.ok(self.post("/templates", body, headers=key), 201)
        again = self.post("/templates", body, headers=key)
        self.assertEqual(first, self.ok(again, 201))
        self.assertEqual("true", again.headers["idempotency-replayed"])
        self.assertEqual(409, self.post("/templates", {**body, "name": "other"}, headers=key).status)
        # A mail repeated by its name is one, though the template says something else by now.
        mail = {"to": "repeated@fast.example", "template": "once", "subject": ..., "text_part": ...}
        named = {"Idempotency-Key": "a-mail"}
        sent = self.ok(self.send(mail, headers=named), 201)
        self.ok(self.patch("/templates/once", {"text_part": "another"}))
        self.assertEqual(sent, self.ok(self.send(mail, headers=named), 201))
