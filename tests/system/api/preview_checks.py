# SPDX-License-Identifier: Apache-2.0
"""A mail before it is sent: what a preview shows is what arrives, but for what would open something;
and what lint finds, in deliveries and in contents that are stored nowhere."""
import email
import email.policy
import json
import re

import door
from door import Checks, arrived, data_part, draft, eventually, file_part, issued, mail, new_account
from openapi_checks import answer_schema, misfit

CODES = [{"key": "__name__", "value": "太郎"}]
NIGHT_THAT_IS_NONE = {"from": "25:00", "until": "08:00", "time_zone": "Asia/Tokyo"}
SIGNATURE = re.compile(rb"b=([A-Za-z0-9+/=\s]+?)(?:;|\r\n(?![ \t]))")


def parsed(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


class Previews(Checks):
    def fits(self, answer, operation):
        content = self.ok(answer)
        self.assertIsNone(misfit(content, answer_schema(operation, 200)), answer)
        return content

    def bulk(self, **fields):
        delivery = self.ok(self.post("/deliveries/bulk/begin", draft(**fields)), 201)["delivery_id"]
        self.addCleanup(self.delete, f"/deliveries/{delivery}")
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"to": [
            {"email": "first@fast.example", "insert_code": CODES},
            {"email": "second@fast.example",
             "insert_code": [{"key": "__name__", "value": "花子"}]}]}))
        return delivery

    def test_it_is_the_mail_of_a_recipient(self):
        delivery = self.bulk(text_part="__name__ 様 __code__", html_part="<p>__name__</p>")
        first = self.fits(self.get(f"/deliveries/{delivery}/preview"), "previewDelivery")
        self.assertEqual(("first@fast.example", True, "太郎 様 __code__", "<p>太郎</p>", "件名"),
                         tuple(first[name] for name in ("email", "is_recipient", "text_part",
                                                        "html_part", "subject")))
        self.assertEqual(["__code__"], first["missing_codes"])
        second = self.fits(self.get(f"/deliveries/{delivery}/preview?email=Second@FAST.example"),
                           "previewDelivery")
        self.assertEqual("花子 様 __code__", second["text_part"])
        headers = {field["name"]: field["value"] for field in second["headers"]}
        self.assertEqual("second@fast.example", headers["To"])
        self.refused(self.get(f"/deliveries/{delivery}/preview?email=nobody@fast.example"),
                     status=404)
        self.refused(self.get(f"/deliveries/{delivery}/preview?email=nobody"), "email")
        self.refused(self.get(f"/deliveries/{delivery}/preview?format=pdf"), "format")

    def test_its_html_is_a_page_without_any_right(self):
        delivery = self.bulk(text_part="__name__ 様", html_part="<p>__name__</p><LINK rel=preconnect>")
        page = self.get(f"/deliveries/{delivery}/preview?format=html&email=second@fast.example")
        self.assertEqual((200, "text/html; charset=utf-8"), (page.status, page.headers["content-type"]))
        text = page.body.decode()
        self.assertIn("<p>花子</p>", text)
        self.assertNotIn("<link", text.lower())
        policy = page.headers["content-security-policy"]
        self.assertTrue(policy.startswith(
            "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"), policy)
        self.assertNotIn("allow-", policy)
        self.assertEqual(("SAMEORIGIN", "nosniff", "no-store"),
                         tuple(page.headers[name] for name in ("x-frame-options",
                                                               "x-content-type-options",
                                                               "cache-control")))
        without = self.bulk(text_part="text")
        self.refused(self.get(f"/deliveries/{without}/preview?format=html"), status=404)

    def test_a_change_is_shown_and_not_made(self):
        delivery = self.bulk()
        before = self.detail(delivery)
        shown = self.fits(self.post(f"/deliveries/{delivery}/preview", {
            "subject": "別の件名", "text_part": "__name__ 様へ", "email": "nobody@fast.example",
            "insert_code": [{"key": "__name__", "value": "次郎"}]}), "previewChangedDelivery")
        self.assertEqual(("別の件名", "次郎 様へ", False),
                         (shown["subject"], shown["text_part"], shown["is_recipient"]))
        self.assertEqual(before, self.detail(delivery))
        self.refused(self.post(f"/deliveries/{delivery}/preview", {"subject": ""}), "subject")

    def test_a_change_is_judged_as_the_update_is(self):
        delivery = self.bulk()
        made = self.ok(self.post("/templates", {
            "name": "judged", "subject": "件名", "text_part": "{{code}}"}), 201)
        of_template = self.ok(self.post("/deliveries/bulk/begin", {
            "from": door.FROM, "template": made["template_id"]}), 201)["delivery_id"]
        self.addCleanup(self.delete, f"/deliveries/{of_template}")
        for draft_id, body, member in (
                (of_template, {"text_part": "別の本文"}, "text_part"),
                (of_template, {"to": [{"email": "a@fast.example"}]}, "to.0.data.code"),
                (delivery, {"purpose": "x"}, "purpose"),
                (delivery, {"list_id": "a\u202eb"}, "list_id"),
                (delivery, {"tags": ["x" * 65]}, "tags.0"),
                (delivery, {"to": [{"email": "nobody"}]}, "to.0.email"),
                (delivery, {"duplicate_policy": "at_most_once"}, "duplicate_policy"),
                (delivery, {"pace": {"mails": 0, "per": "minute"}}, "pace.mails"),
                (delivery, {"quiet_hours": NIGHT_THAT_IS_NONE}, "quiet_hours.from")):
            with self.subTest(body=body):
                update = self.put(f"/deliveries/bulk/update/{draft_id}", body)
                self.refused(update, *member.split("."))
                for door_name in ("preview", "lint"):
                    seen = self.post(f"/deliveries/{draft_id}/{door_name}", body)
                    self.assertEqual((update.status, update.json), (seen.status, seen.json))
        for body, member in (({"pace": {"mails": 0, "per": "minute"}}, "pace.mails"),
                             ({"quiet_hours": NIGHT_THAT_IS_NONE}, "quiet_hours.from"),
                             ({"list_id": "a\u202eb"}, "list_id")):
            begin = self.post("/deliveries/bulk/begin", draft(**body))
            self.refused(begin, *member.split("."))
            for door_name in ("preview", "lint"):
                seen = self.post(f"/deliveries/-/{door_name}", draft(**body))
                self.assertEqual((begin.status, begin.json), (seen.status, seen.json))

    def test_a_change_of_its_list_and_labels_is_shown(self):
        delivery = self.bulk(text_part="__name__ 様")
        path = f"/deliveries/{delivery}/preview"
        changed = {"list_id": "club", "to": [
            {"email": "third@fast.example", "insert_code": [{"key": "__name__", "value": "三郎"}]},
            {"email": "fourth@fast.example", "insert_code": CODES}]}
        shown = self.fits(self.post(path, changed), "previewChangedDelivery")
        self.assertEqual(("third@fast.example", True, "三郎 様"),
                         tuple(shown[name] for name in ("email", "is_recipient", "text_part")))
        shown = self.ok(self.post(path, {**changed, "email": "Fourth@fast.example"}))
        self.assertEqual("太郎 様", shown["text_part"])
        self.refused(self.post(path, {**changed, "email": "first@fast.example"}), status=404)
        found = self.ok(self.post(f"/deliveries/{delivery}/lint", changed))
        self.assertEqual({"recipients": 2, "sampled": 2, "composed": 2}, found["coverage"])
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"list_id": "club"}))
        stored = self.ok(self.get(path))
        list_of = lambda mail: [field for field in mail["headers"] if field["name"] in (
            "List-Id", "Feedback-ID")]
        self.assertEqual(list_of(stored), list_of(self.ok(self.post(path, {"list_id": "club"}))))

    def test_a_content_that_is_stored_nowhere(self):
        stored = self.account.listed()
        body = {**draft(text_part=..., html_part="<p>__name__ 様</p>"), "insert_code": CODES}
        shown = self.fits(self.multipart("POST", "/deliveries/-/preview",
                                         [data_part(body), file_part("請求書.txt", b"1" * 300)]),
                          "previewContent")
        self.assertEqual((None, "recipient@example.com", "太郎 様", "<p>太郎 様</p>"),
                         tuple(shown[name] for name in ("delivery_id", "email", "text_part",
                                                        "html_part")))
        self.assertEqual(["請求書.txt"], [file["file_name"] for file in shown["files"]])
        self.assertEqual(stored, self.account.listed())
        self.refused(self.post("/deliveries/-/preview", draft(subject=...)), "subject")
        answer = self.post("/deliveries/-/preview?format=eml&email=a@fast.example",
                           {**draft(), "delivery_type": "TRANSACTION"})
        self.assertEqual("message/rfc822", answer.headers["content-type"])
        message = parsed(answer.body)
        self.assertEqual(("a@fast.example", "件名"), (message["To"], message["Subject"]))

    def test_a_template_is_seen_with_values(self):
        made = self.ok(self.post("/templates", {
            "name": "previewed", "subject": "{{name|お客様}} 様", "text_part": "{{code}}"}), 201)
        body = {"from": door.FROM, "template": made["template_id"]}
        shown = self.fits(self.post("/deliveries/-/preview", {**body, "data": {"code": "A-1"}}),
                          "previewContent")
        self.assertEqual(("お客様 様", "A-1\n", []), tuple(shown[name] for name in (
            "subject", "text_part", "missing_codes")))
        shown = self.fits(self.post("/deliveries/-/preview", {**body, "data": {"name": "太郎"}}),
                          "previewContent")
        self.assertEqual(("太郎 様", ["{{code}}"]), (shown["subject"], shown["missing_codes"]))
        self.assertIn("template", self.post("/deliveries/-/preview", {
            **body, "template": "nowhere"}).json["error_messages"])

    def test_it_is_what_arrives_but_for_what_opens_something(self):
        import dkim  # python3-dkim, as system/delivery/signed_mail
        account = new_account("previewed")
        record = json.loads(door.world.stack.command(
            "--json", "dkim", "generate", "--account", account.name, "--domain", "sender.example",
            "--selector", "preview1"))
        text = next(value for value in record.values()
                    if isinstance(value, str) and value.startswith("v=DKIM1"))
        sent = []

        def signed():
            sent.append(f"previewed{len(sent)}@fast.example")
            account.send({"to": sent[-1], "html_part": "<p>本文</p>"})
            return b"DKIM-Signature" in arrived(sent[-1]).octets
        eventually(signed, "a mail that is signed")  # an engine that runs sees the key soon
        octets = arrived(sent[-1]).octets
        row = eventually(lambda: account.request(
            "GET", f"/logs/mails/results?email={sent[-1]}").json["data"], "its row in the log")[0]
        answer = account.request("GET", f"/deliveries/{row['delivery_id']}/preview?format=eml")
        self.assertEqual(200, answer.status, answer)
        shown = answer.body
        self.assertEqual(len(octets), len(shown))
        lookup = {"dnsfunc": lambda *_args, **_how: text.encode()}
        self.assertTrue(dkim.verify(octets, **lookup))
        self.assertFalse(dkim.verify(shown, **lookup))
        for signature in SIGNATURE.findall(shown.partition(b"Date:")[0]):
            self.assertEqual(set(b"A="), set(signature) - set(b" \t\r\n") | set(b"A="))
        real, dead = parsed(octets), parsed(shown)
        self.assertNotEqual(real["Message-ID"], dead["Message-ID"])
        for name in ("From", "To", "Subject", "Date"):
            self.assertEqual(real[name], dead[name])
        bodies = [[part.get_content() for part in message.walk() if not part.is_multipart()]
                  for message in (real, dead)]
        self.assertEqual(bodies[0], bodies[1])

    def test_who_may_look(self):
        delivery = self.bulk()
        shown = door.world.stack.command("key", "add", self.account.name, "--scopes", "send,read")
        token = issued(shown)[2]
        self.refused(self.get(f"/deliveries/{delivery}/preview", token=token), status=403,
                     text="this API key lacks the scope content.")
        answer = self.post(f"/deliveries/{delivery}/lint", token=token)
        self.assertEqual("subject, sentence, found", answer.headers["x-todoku-withheld"])

    def test_lint_finds_what_is_wrong(self):
        delivery = self.bulk(
            subject="__nmae__ 様", text_part="__first_name__ 様 __code__",
            html_part='<a href="http://localhost/">x</a><img src="https://example.jp/a.png">')
        found = self.fits(self.post(f"/deliveries/{delivery}/lint"), "lintDelivery")
        codes = {one["code"]: one for one in found["findings"] if one["outcome"] != "pass"}
        self.assertLessEqual({"insert_code_unknown", "insert_code_malformed", "link_leads_nowhere",
                              "image_without_alt", "html_only_pictures", "law_address_missing"},
                             set(codes))
        self.assertFalse([code for code in codes
                          if code.startswith(("dkim", "spf", "dmarc", "signature", "audience"))])
        self.assertEqual(("fail", {"recipients": 2, "sampled": 2, "composed": 2}),
                         (found["outcome"], found["coverage"]))
        self.assertIn("__name__", codes["insert_code_unknown"]["sentence"])

    def test_lint_of_a_content(self):
        body = {**mail(to=..., subject="注文😀", encode="ISO-2022-JP", text_part="__name__ 様"),
                "delivery_type": "TRANSACTION"}
        found = self.fits(self.post("/deliveries/-/lint", {**body, "insert_code": CODES}),
                          "lintContent")
        self.assertEqual({"charset_fell_back"},
                         {one["code"] for one in found["findings"] if one["outcome"] != "pass"})
        found = self.fits(self.post("/deliveries/-/lint", {**body, "subject": "注文"}),
                          "lintContent")
        self.assertEqual(("warning", {"insert_code_unknown"}),
                         (found["outcome"], {one["code"] for one in found["findings"]
                                             if one["outcome"] != "pass"}))
