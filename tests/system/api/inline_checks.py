# SPDX-License-Identifier: Apache-2.0
"""Parts that html_part shows by their Content-ID: what arrives, what is told of them, what is refused."""
import base64
import email
import json
import re

import door
from door import Checks, arrived, data_part, draft, eventually, file_part, mail, new_account

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
HTML = '<html><body><p>__name__ 様</p><img src="cid:logo"><td background="cid:map%40example.jp">' \
       '</body></html>'


def part(content_id="logo", content=PNG, mime="image/png", **fields):
    out = {"content_id": content_id, "mime": mime,
           "content": base64.b64encode(content).decode(), **fields}
    return {name: value for name, value in out.items() if value is not ...}


def inline_file(octets=PNG, name="logo.png", media_type="image/png", content_id=None):
    """A part of a form; `content_id` in its own header."""
    if content_id is not None:
        media_type += f"\r\nContent-ID: {content_id}"
    return f'name="inline"; filename="{name}"', media_type, octets


def kinds(message):
    """The tree of media types."""
    if not message.is_multipart():
        return message.get_content_type()
    return [message.get_content_type(), *map(kinds, message.iter_parts())]


def shown_by_html(message):
    """{id as the HTML says it: part} of a mail, read as a mail program does (RFC 2387, RFC 2392)."""
    html = message.get_body(("html",)).get_content()
    parts = {one["Content-ID"].strip("<>"): one for one in message.walk() if one["Content-ID"]}
    return {reference: parts[reference] for reference in re.findall(r'"cid:([^"]*)"', html)}


class Inline(Checks):
    def inline_parts(self, delivery):
        return self.ok(self.get(f"/deliveries/{delivery}/inline_parts"))

    def test_parts_of_json_are_shown_by_the_html(self):
        to = "inline1@fast.example"
        delivery = self.accepted(self.send({
            "to": to, "html_part": HTML, "insert_code": [{"key": "__name__", "value": "山田"}],
            "inline_parts": [part(file_name="ロゴ.png"),
                             part("map@example.jp", b"gif", "image/gif")]}))
        message = arrived(to)
        self.assertEqual(["multipart/alternative", "text/plain",
                          ["multipart/related", "text/html", "image/png", "image/gif"]],
                         kinds(message))
        related = list(message.iter_parts())[1]
        self.assertEqual("text/html", related.get_param("type"))
        self.assertEqual([], [defect for one in message.walk() for defect in one.defects])
        shown = shown_by_html(message)
        logo, picture = shown.values()
        self.assertEqual(["map@example.jp"], [one for one in shown if not one.startswith("logo.")])
        self.assertEqual((PNG, "ロゴ.png", "inline"),
                         (logo.get_content(), logo.get_filename(), logo.get_content_disposition()))
        self.assertEqual((b"gif", "map@example.jp"), (picture.get_content(), picture.get_filename()))
        self.assertIn("山田 様", message.get_body(("html",)).get_content())
        for one in shown:  # msg-id of RFC 5322 section 3.6.4
            self.assertRegex(one, r"^[\w.+-]+@[\w.-]+$")
        self.assertEqual({"delivery_id": delivery, "missing": []},
                         {name: value for name, value in self.inline_parts(delivery).items()
                          if name != "inline_parts"})
        told = self.inline_parts(delivery)["inline_parts"]
        self.assertEqual([("logo", "ロゴ.png", "image/png", len(PNG), True),
                          ("map@example.jp", "map@example.jp", "image/gif", 3, True)],
                         [(one["content_id"], one["file_name"], one["mime"], one["size"],
                           one["in_html"]) for one in told])
        self.assertEqual([one["delivery_attach_id"] for one in told],
                         [one["delivery_attach_id"] for one in self.detail(delivery)["attaches"]])

    def test_parts_of_a_form_beside_attachments(self):
        to = "inline2@fast.example"
        answer = self.multipart("POST", "/deliveries/transaction", [
            file_part("a.txt", b"attached"), inline_file(content_id="<logo>"),
            inline_file(b"jpg", "photo.jpg", "image/jpeg"),
            data_part(mail(to=to, html_part='<img src="cid:logo"><img src="cid:photo.jpg">'))])
        self.accepted(answer)
        self.assertNotIn("x-todoku-warning", answer.headers)
        message = arrived(to)
        self.assertEqual(["multipart/mixed",
                          ["multipart/alternative", "text/plain",
                           ["multipart/related", "text/html", "image/png", "image/jpeg"]],
                          "text/plain"], kinds(message))
        self.assertEqual([PNG, b"jpg"], [one.get_content() for one in shown_by_html(message).values()])
        attached, = message.iter_attachments()
        self.assertEqual(("a.txt", "attachment", None),
                         (attached.get_filename(), attached.get_content_disposition(),
                          attached["Content-ID"]))

    def test_what_is_shown_as_sent_is_what_arrived_and_dkim_verifies(self):
        import dkim  # python3-dkim, as system/delivery/signed_mail
        account = new_account("inlinesigned")
        record = json.loads(door.world.stack.command(
            "--json", "dkim", "generate", "--account", account.name, "--domain", "sender.example",
            "--selector", "inline1"))
        parts = [data_part(mail(to="x", html_part=HTML)), file_part(octets=b"attached" * 9000),
                 inline_file(content_id="logo"), inline_file(b"m" * 50_000, content_id="map@example.jp")]
        last = {}

        def signed():
            last["to"] = f"inline3.{len(last.setdefault('sent', []))}@fast.example"
            last["sent"].append(last["to"])
            parts[0] = data_part(mail(to=last["to"], html_part=HTML))
            self.ok(account.multipart("POST", "/deliveries/transaction", parts), 201)
            return b"DKIM-Signature" in arrived(last["to"]).octets
        eventually(signed, "a mail that is signed")
        octets = arrived(last["to"]).octets
        row = eventually(lambda: self.ok(account.request(
            "GET", f"/logs/mails/results?email={last['to']}"))["data"], "its row in the log")[0]
        told = account.request("GET", f"/deliveries/-/emails/{row['maillog_id']}/message.eml").body
        self.assertEqual(octets, told)
        text = next(value for value in record.values()
                    if isinstance(value, str) and value.startswith("v=DKIM1"))
        self.assertTrue(dkim.verify(octets, dnsfunc=lambda *_args, **_how: text.encode()))
        self.assertEqual(2, len(shown_by_html(email.message_from_bytes(
            octets, policy=email.policy.default))))

    def test_a_batch_takes_them_for_each_mail(self):
        answer = self.ok(self.post("/deliveries/transaction/batch", {"mails": [
            mail(to="inline4@fast.example", html_part='<img src="cid:logo">', inline_parts=[part()]),
            mail(to="inline5@fast.example", html_part='<img src="cid:gone">', inline_parts=[part()]),
            mail(to="inline6@fast.example", inline_parts=[part()])]}), 207)
        self.assertEqual([201, 201, 400], [one["status"] for one in answer["data"]])
        self.assertNotIn("warning", answer["data"][0])
        self.assertIn("cid:gone", answer["data"][1]["warning"])
        self.assertIn("inline_parts", answer["data"][2]["error_messages"])
        self.assertEqual(["logo"], [one.split(".")[0] for one in
                                    shown_by_html(arrived("inline4@fast.example"))])

    def test_a_bulk_has_them_from_its_beginning_or_by_an_update(self):
        made = self.multipart("POST", "/deliveries/bulk/begin", [
            data_part(draft(html_part='<p>__name__</p><img src="cid:logo">')), file_part(),
            inline_file(content_id="logo"), inline_file(b"x", content_id="old")])
        delivery = self.ok(made, 201)["delivery_id"]
        self.assertEqual("the inline part old is not in html_part", made.headers["x-todoku-warning"])
        update = f"/deliveries/bulk/update/{delivery}"
        self.ok(self.put(update, {"to": [
            {"email": f"inline7.{one}@fast.example",
             "insert_code": [{"key": "__name__", "value": f"name {one}"}]} for one in range(2)]}))
        self.assertEqual([("logo", True), ("old", False)], [
            (one["content_id"], one["in_html"])
            for one in self.inline_parts(delivery)["inline_parts"]])
        # Replaced as a whole; attachments stay.
        changed = self.put(update, {
            "inline_parts": [part("logo", b"new")],
            "html_part": '<p>__name__</p><img src="cid:logo"><img src="cid:no">'})
        self.ok(changed)
        self.assertIn("cid:no", changed.headers["x-todoku-warning"])
        told = self.inline_parts(delivery)
        self.assertEqual([("logo", 3)], [(one["content_id"], one["size"])
                                         for one in told["inline_parts"]])
        self.assertEqual(["no"], told["missing"])
        self.assertEqual(["a.txt", "logo"],
                         [one["file_name"] for one in self.detail(delivery)["attaches"]])
        # A form's do the same.
        self.ok(self.multipart("PUT", update, [
            data_part({"html_part": '<p>__name__</p><img src="cid:logo">'}),
            inline_file(b"newest", content_id="logo")]))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        for one in range(2):
            message = arrived(f"inline7.{one}@fast.example")
            self.assertEqual([b"newest"], [p.get_content() for p in shown_by_html(message).values()])
            self.assertIn(f"name {one}", message.get_body(("html",)).get_content())
        bodies = [shown_by_html(arrived(f"inline7.{one}@fast.example")) for one in range(2)]
        self.assertEqual(list(bodies[0]), list(bodies[1]), "an id is the delivery's")

    def test_lines_of_base64_may_be_short(self):
        octets = b"x" * 800_000
        plain = base64.b64encode(octets).decode()
        lines = "\r\n".join(plain[at:at + 4] for at in range(0, len(plain), 4))
        made = self.draft(html_part='<img src="cid:logo">',
                          inline_parts=[{**part(), "content": lines}])
        self.assertEqual(len(octets), self.inline_parts(made)["inline_parts"][0]["size"])

    def test_what_a_form_has_too_many_of_is_told(self):
        delivery = self.draft(html_part='<img src="cid:logo">', inline_parts=[part()])
        answer = self.multipart("PUT", f"/deliveries/bulk/update/{delivery}", [
            data_part({"subject": "x"}), *[file_part(f"{n}.txt") for n in range(101)],
            inline_file(b"new", content_id="logo")])
        self.refused(answer, "inline")

    def test_they_are_taken_out_again(self):
        delivery = self.draft(html_part='<img src="cid:logo">', inline_parts=[part()])
        update = f"/deliveries/bulk/update/{delivery}"
        self.refused(self.put(update, {"html_part": ""}), "inline_parts",
                     text="are shown by an html_part, and there is none.")
        self.assertEqual(1, len(self.inline_parts(delivery)["inline_parts"]))
        self.ok(self.put(update, {"subject": "others stay"}))
        self.assertEqual(1, len(self.inline_parts(delivery)["inline_parts"]))
        self.ok(self.put(update, {"inline_parts": [], "html_part": ""}))
        self.assertEqual([], self.inline_parts(delivery)["inline_parts"])
        self.assertEqual([], self.detail(delivery)["attaches"])

    def test_what_does_not_fit_together_is_told(self):
        answer = self.send({"to": "inline8@fast.example", "inline_parts": [part("unused")],
                            "html_part": '<img src="cid:gone"><p>cid:text</p>'})
        self.accepted(answer)
        self.assertEqual("html_part has cid:gone, but no inline part has that id; "
                         "the inline part unused is not in html_part",
                         answer.headers["x-todoku-warning"])
        answer = self.send({"to": "inline9@fast.example", "inline_parts": [part("a@example.jp")],
                            "html_part": '<img src="cid:__pic__">',
                            "insert_code": [{"key": "__pic__", "value": "a@example.jp"}]})
        self.accepted(answer)
        self.assertNotIn("x-todoku-warning", answer.headers)
        self.assertEqual(["a@example.jp"], list(shown_by_html(arrived("inline9@fast.example"))))

    def test_what_is_wrong_is_refused_by_its_field(self):
        def sent(parts, **fields):
            return self.send({"html_part": HTML, "inline_parts": parts, **fields})
        with self.nothing_stored():
            self.refused(sent([part()], html_part=...), "inline_parts",
                         text="are shown by an html_part, and there is none.")
            for wrong in ("a b", "ロゴ", "a@b@c", ".a", "a..b", "a@", "x\r\nBcc: y", "a/b", "a%20b",
                          "__logo__"):
                self.refused(sent([part(wrong)]), "inline_parts", "0", "content_id")
            self.refused(sent([part("a" * 129)]), "inline_parts", "0", "content_id")
            twice = sent([part(), part("Logo")])
            self.refused(twice, "inline_parts", "1", "content_id", text="is given more than once.")
            self.assertNotIn("x-todoku-warning", twice.headers)
            self.refused(sent([{**part(), "content": "data:image/png;base64,aGk="}]),
                         "inline_parts", "0", "content",
                         text='is a data: URL; give what follows "base64," alone.')
            for missing in ("content_id", "mime", "content"):
                for value in (..., None, ""):
                    wrong = {name: one for name, one in {**part(), missing: value}.items()
                             if one is not ...}
                    self.refused(sent([wrong]), "inline_parts", "0", missing, text="is required.")
            self.refused(sent([{**part(), "content": "no base64!"}]), "inline_parts", "0", "content",
                         text="is not base64.")
            self.refused(sent([part(file_name="a.exe")]), "inline_parts", "0", "file_name")
            self.refused(sent([part(file_name="a" * 256)]), "inline_parts", "0", "file_name")
            self.refused(sent("x"), "inline_parts")
            self.refused(sent(["x"]), "inline_parts", "0")
            self.refused(sent([part(f"i{n}", b"x") for n in range(101)]), "inline_parts")
            self.refused(sent([part(content=b"x" * (1 << 20)), part("b", b"x")]), "inline_parts")
            self.refused(self.send({"html_part": HTML, "inlineParts": [part()]}), "inline_parts")
            japanese = {"Accept-Language": "ja"}
            self.refused(self.send({"inline_parts": [part()]}, headers=japanese), "inline_parts",
                         text="html_partのないメールには指定できません。")
            self.refused(self.send({"html_part": HTML, "inline_parts": [{**part(), "content": "-"}]},
                                   headers=japanese), "inline_parts", "0", "content",
                         text="base64として不正です。")
            self.refused(self.multipart("POST", "/deliveries/transaction", [
                data_part(mail(html_part=HTML)), inline_file(name="社章.png")]),
                "inline_parts", "0", "content_id")

    def test_their_size_counts_with_that_of_attachments(self):
        half = b"x" * (1 << 19)
        files = [data_part(mail(html_part=HTML)), file_part(octets=half), inline_file(half)]
        self.accepted(self.multipart("POST", "/deliveries/transaction", files))
        files[2] = inline_file(half + b"x")
        self.refused(self.multipart("POST", "/deliveries/transaction", files), "file")
        whole = self.send({"to": "inline10@fast.example", "html_part": HTML,
                           "inline_parts": [part(content=b"y" * (1 << 20))]})
        self.accepted(whole)
        self.assertEqual([b"y" * (1 << 20)], [one.get_content() for one in arrived(
            "inline10@fast.example").walk() if one["Content-ID"]])
        made = self.ok(self.multipart("POST", "/deliveries/bulk/begin", [
            data_part(draft(html_part=HTML)), file_part(octets=half)]), 201)["delivery_id"]
        update = f"/deliveries/bulk/update/{made}"
        self.refused(self.put(update, {"inline_parts": [part(content=half + b"x")]}), "inline_parts")
        self.ok(self.put(update, {"inline_parts": [part(content=half)]}))
        self.ok(self.delete(f"/deliveries/{made}"))

    def test_a_repeat_is_the_same_however_they_come(self):
        key = {"Idempotency-Key": "inline-1"}
        fields = {"to": "inline11@fast.example", "html_part": HTML}
        first = self.accepted(self.send({**fields, "inline_parts": [part(file_name="logo.png")]},
                                        headers=key))
        again = self.multipart("POST", "/deliveries/transaction",
                               [data_part(mail(**fields)), inline_file(content_id="<logo>")],
                               headers=key)
        self.assertEqual((201, first, "true"), (again.status, again.json["delivery_id"],
                                                again.headers["idempotency-replayed"]))
        for other in (part("map@example.jp", file_name="logo.png"), part(content=b"other")):
            self.assertEqual(409, self.send({**fields, "inline_parts": [other]}, headers=key).status)

    def test_another_accounts_are_not_found(self):
        delivery = self.draft(html_part=HTML, inline_parts=[part()])
        self.assertEqual(404, new_account().request(
            "GET", f"/deliveries/{delivery}/inline_parts").status)
