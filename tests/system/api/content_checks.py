# SPDX-License-Identifier: Apache-2.0
"""What a mail says: HTML alone, values of every kind, and what would make it show as another."""
import email
import itertools
import json

import door
from door import Checks, arrived, data_part, file_part, mail

HTML = ("<html><head><title>no</title><style>p{}</style></head><body>"
        "<div style='display:none'>今日だけ</div><h1>__name__ 様</h1>"
        "<p>ご注文は<a href='https://shop.example/?id=%%id%%&amp;x=1'>こちら</a>&copy;</p></body>")
TEXT = "今日だけ\n\n山田 様\n\nご注文はこちら <https://shop.example/?id=7&x=1>©"
CODES = [{"key": "__name__", "value": "山田"}, {"key": "%%id%%", "value": 7}]


class HtmlAlone(Checks):
    def check(self, to, text=TEXT):
        message = arrived(to)
        self.assertEqual("multipart/alternative", message.get_content_type())
        self.assertEqual(text.splitlines(),
                         message.get_body(("plain",)).get_content().strip().splitlines())
        html = message.get_body(("html",)).get_content()
        self.assertIn("<h1>山田 様</h1>", html)

    def test_a_transaction_gets_a_text(self):
        for number, text_part in enumerate((..., None, "")):
            to = f"html{number}@fast.example"
            delivery = self.accepted(self.send({"to": to, "text_part": text_part,
                                                "html_part": HTML, "insert_code": CODES}))
            self.check(to)
            self.assertEqual("", self.detail(delivery)["text_part"])

    def test_a_bulk_gets_one_from_the_html_that_it_has_in_the_end(self):
        delivery = self.draft(text_part=..., html_part="<p>before</p>")
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {
            "html_part": HTML, "to": [{"email": "bulk-html@fast.example", "insert_code": CODES}]}))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.check("bulk-html@fast.example")

    def test_an_update_may_take_one_part_away_but_not_both(self):
        delivery = self.draft(text_part="t", html_part="<p>h</p>")
        path = f"/deliveries/bulk/update/{delivery}"
        self.ok(self.put(path, {"text_part": ""}))
        self.refused(self.put(path, {"html_part": ""}), "text_part", text="is required.")
        detail = self.detail(delivery)
        self.assertEqual(("", "<p>h</p>"), (detail["text_part"], detail["html_part"]))
        self.ok(self.put(path, {"text_part": "t", "html_part": ""}))

    def test_in_iso_2022_jp_it_is_no_reason_for_another_charset(self):
        self.accepted(self.send({"to": "htmljapan@fast.example", "text_part": "", "html_part": HTML,
                                 "encode": "ISO-2022-JP", "insert_code": CODES}))
        self.check("htmljapan@fast.example", TEXT.replace("©", "(C)"))

    def test_an_account_can_have_it_off(self):
        account = door.new_account("htmlonly")
        said = door.world.stack.command("account", "text-from-html", account.name, "off")
        self.assertIn("without a text part", said)
        self.assertRegex(door.world.stack.command("account", "list"), rf"{account.name} .* off")
        numbers = itertools.count()

        def send():
            to = f"alone{next(numbers)}@fast.example"
            self.accepted(account.send({"to": to, "text_part": "", "html_part": "<p>x</p>"}))
            return arrived(to).get_content_type()
        # An engine that runs sees the change within two seconds.
        door.eventually(lambda: send() == "text/html", "HTML alone")

    def test_hostile_html_is_taken_in_no_time(self):
        html = "<b>" * 12_000 + "</i>" * 8_000
        self.accepted(self.send({"to": "hostile@fast.example", "text_part": "", "html_part": html}))
        self.assertEqual("text/html", arrived("hostile@fast.example").get_content_type())


class Values(Checks):
    def test_numbers_and_booleans_are_their_text(self):
        values = [(9007199254740993, "9007199254740993"), (-5, "-5"), (0.1, "0.1"), (1.50, "1.5"),
                  (True, "true"), (False, "false"), (None, ""), (18446744073709551615,
                                                                "18446744073709551615")]
        self.accepted(self.send({
            "to": "numbers@fast.example", "text_part": " ".join(f"[__k{n}__]" for n in range(8)),
            "insert_code": [{"key": f"__k{n}__", "value": value}
                            for n, (value, _) in enumerate(values)]}))
        self.assertEqual(" ".join(f"[{text}]" for _, text in values),
                         arrived("numbers@fast.example").get_content().strip())

    def test_numbers_are_put_in_as_they_were_written(self):
        numbers = ["100.00", "12345678901234567890123", "1e2", "-0.10", "1E400", "-0", "0"]
        body = json.dumps(mail(to="literals@fast.example", text_part=" ".join(
            f"[__k{n}__]" for n in range(len(numbers))), insert_code=[
                {"key": f"__k{n}__", "value": f"#{n}#"} for n in range(len(numbers))]))
        for n, number in enumerate(numbers):
            body = body.replace(f'"#{n}#"', number)
        self.accepted(self.post("/deliveries/transaction", body.encode()))
        self.assertEqual(" ".join(f"[{number}]" for number in numbers),
                         arrived("literals@fast.example").get_content().strip())
        self.refused(self.post("/deliveries/transaction",
                               json.dumps(mail(subject="#")).replace('"#"', "1.50").encode()),
                     "subject", text="must be a string.")

    def test_of_single_recipients_and_updates_too(self):
        delivery = self.draft(text_part="__n__")
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"to": [
            {"email": "n0@fast.example", "insert_code": [{"key": "__n__", "value": 12}]}]}))
        added = self.ok(self.post(f"/deliveries/{delivery}/emails", {
            "email": "n1@fast.example", "insert_code": [{"key": "__n__", "value": True}]}), 201)
        self.assertEqual([{"key": "__n__", "value": "true"}],
                         self.get(f"/deliveries/-/emails/{added['email_id']}").json["insert_code"])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.assertEqual("12", arrived("n0@fast.example").get_content().strip())

    def test_a_value_may_be_the_whole_body(self):
        body = "本文の一行。\n" * 4_000
        self.accepted(self.send({"to": "body@fast.example", "text_part": "__body__",
                                 "insert_code": [{"key": "__body__", "value": body}]}))
        self.assertEqual(body.split(), arrived("body@fast.example").get_content().split())


class Labels(Checks):
    def test_names_and_subjects_show_as_they_are(self):
        name = "\u202eko\u2066shop\u2069\u200f\u2800"
        self.accepted(self.multipart("POST", "/deliveries/transaction", [data_part(mail(
            to="labels@fast.example", subject="件\u202e名\u2028__v__",
            **{"from": {"email": "shop@sender.example", "name": name}},
            insert_code=[{"key": "__v__", "value": "a\u202eb\u2066c"}])),
            file_part("a\u202egpj.txt")]))
        message = arrived("labels@fast.example")
        self.assertEqual("koshop", message["From"].addresses[0].display_name)
        self.assertEqual("件名abc", message["Subject"])
        self.assertEqual(["agpj.txt"], [p.get_filename() for p in message.iter_attachments()])

    def test_an_encoded_word_is_no_local_part(self):
        bad = "=?utf-8?q?ceo=40bank.example?=@sender.example"
        with self.nothing_stored():
            for field in ("from", "reply_to"):
                self.refused(self.send({field: {"email": bad}}), field, "email")
            self.refused(self.send({"to": bad}), "to")
            self.refused(self.send({"cc": [bad]}), "cc", "0")

    def test_addresses_are_canonical(self):
        self.accepted(self.send({"to": "canonical@fast.example.", "cc": ["c@Other.Example."],
                                 "from": {"email": "shop@Sender.Example."}}))
        octets = arrived("canonical@fast.example").octets
        for line in (b"To: canonical@fast.example", b"Cc: c@other.example",
                     b"From: shop@sender.example"):
            self.assertIn(b"\r\n" + line + b"\r\n", octets)

    def test_no_line_of_a_body_begins_with_from(self):
        for number, text in enumerate(("From here on", "a\nFrom __v__\n", "__v__")):
            to = f"fromline{number}@fast.example"
            self.accepted(self.send({"to": to, "subject": "s", "text_part": text,
                                     "html_part": "From <b>x</b>\nFrom y",
                                     "insert_code": [{"key": "__v__", "value": "From v"}]}))
            message = arrived(to)
            self.assertNotIn(b"\nFrom ", message.octets)
            self.assertEqual(text.replace("__v__", "From v").split(),
                             message.get_body(("plain",)).get_content().split())


class Files(Checks):
    def test_what_the_sender_says_of_a_file_stays(self):
        self.accepted(self.multipart("POST", "/deliveries/transaction", [
            data_part(mail(to="calendar@fast.example")),
            file_part("i.ics", b"BEGIN:VCALENDAR", 'text/calendar; method=REQUEST; charset="UTF-8"'),
            file_part("s.csv", "表".encode("shift_jis"), "text/csv; charset=Shift_JIS; name=x.exe")]))
        calendar, table = arrived("calendar@fast.example").iter_attachments()
        self.assertEqual(("REQUEST", "UTF-8", "i.ics"), (
            calendar.get_param("method"), calendar.get_param("charset"), calendar.get_filename()))
        self.assertEqual("表", table.get_content())
        self.assertEqual("s.csv", table.get_param("name"))

    def test_a_file_in_another_part_is_not_lost_in_silence(self):
        with self.nothing_stored():
            self.refused(self.multipart("POST", "/deliveries/transaction", [
                data_part(mail()), ('name="attachment"; filename="a.pdf"', "application/pdf", b"%PDF")]),
                "attachment", text='is not a part for files; attachments come in parts named "file", '
                                   'parts of the HTML in parts named "inline".')

    def test_nor_is_one_without_a_file_name_or_without_any_name(self):
        data = json.dumps(mail()).encode()
        head = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n' + data
        for fields, field in (
                ("Content-ID: <logo>\r\nContent-Type: image/png", "Content-Disposition"),
                ("Content-Disposition: form-data\r\nContent-Type: image/png", "Content-Disposition"),
                ("Content-Type: text/plain", "Content-Disposition"),
                ('Content-Disposition: form-data; name="logo"\r\nContent-Type: image/png', "logo"),
                ('Content-Disposition: form-data; name="logo"\r\nContent-ID: <logo>', "logo")):
            with self.subTest(fields), self.nothing_stored():
                self.refused(self.account.request(
                    "POST", "/deliveries/transaction",
                    head + f"\r\n--b\r\n{fields}\r\n\r\npixels\r\n--b--\r\n".encode(),
                    content_type="multipart/form-data; boundary=b"), field)
        more = "Content-Disposition: form-data; name=\"note\"\r\n\r\nof an old client"
        self.accepted(self.account.request(
            "POST", "/deliveries/transaction", head + f"\r\n--b\r\n{more}\r\n--b--\r\n".encode(),
            content_type="multipart/form-data; boundary=b"))

    def test_a_name_cannot_hide_a_refused_extension(self):
        with self.nothing_stored():
            for name in ("a.exe::$DATA", "a.exe.", "a.exe ", "a.exe\u00a0", "a\u202egpj.exe", "ａ．ｅｘｅ",
                         "a.e\u200bxe", "a.exe\u3000.", "a\u2024EXE"):
                with self.subTest(name):
                    self.refused(self.multipart("POST", "/deliveries/transaction", [
                        data_part(mail()), file_part(name)]), "file", "0")


class Unsubscribing(Checks):
    def test_uris_are_made_valid(self):
        self.accepted(self.send({
            "to": "uris@fast.example", "list_unsubscribe": {
                "url": "https://日本語.example/50% off?n=__n__,届", "one_click": True,
                "mailto": "mailto:out@日本語.example?subject=a, b"},
            "insert_code": [{"key": "__n__", "value": "<x>"}]}))
        octets = arrived("uris@fast.example").octets
        self.assertIn(b"<https://xn--wgv71a119e.example/50%25%20off?n=%3Cx%3E%2C%E5%B1%8A>", octets)
        self.assertIn(b"<mailto:out@xn--wgv71a119e.example?subject=a%2C%20b>", octets)
        self.assertIn(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", octets)

    def test_one_that_is_too_long_with_its_values_is_left_out_whole(self):
        self.accepted(self.send({
            "to": "longuri@fast.example", "list_unsubscribe": {"url": "https://s.example/__n__"},
            "insert_code": [{"key": "__n__", "value": "x" * 900}]}))
        octets = arrived("longuri@fast.example").octets
        self.assertNotIn(b"List-Unsubscribe", octets)

    def test_one_click_is_offered_of_a_page_that_is_said_to_take_it(self):
        page = {"url": "https://s.example/leave"}
        for to, said, offered in (("unsaid", page, 0), ("declared", {**page, "one_click": True}, 1),
                                  ("declined", {**page, "one_click": False}, 0)):
            with self.subTest(to):
                self.accepted(self.multipart("POST", "/deliveries/transaction", [data_part(mail(
                    to=f"{to}@fast.example", list_unsubscribe=said))]))
                octets = arrived(f"{to}@fast.example").octets
                self.assertIn(b"List-Unsubscribe: <https://s.example/leave>", octets)
                self.assertEqual(offered, octets.count(b"List-Unsubscribe-Post"))

    def test_the_code_of_a_link_that_there_is_not_is_refused(self):
        """The engine of these checks has no public URL."""
        text = "__unsubscribe_url__"
        for field in ("text_part", "html_part"):
            with self.subTest(field):
                self.refused(self.send({"purpose": "advertisement", field: text}), field)
                self.refused(self.post("/deliveries/bulk/begin", door.draft(**{field: text})), field)

    def test_one_click_wants_an_https_url(self):
        for said in ({"one_click": True}, {"one_click": True, "url": "http://s.example/"},
                     {"one_click": True, "mailto": "mailto:out@s.example"}):
            with self.subTest(said):
                self.refused(self.send({"list_unsubscribe": said}), "list_unsubscribe", "one_click")
        self.refused(self.send({"list_unsubscribe": {"url": "https://s.example/", "one_click": "maybe"}}),
                     "list_unsubscribe", "one_click")
        delivery = self.draft(list_unsubscribe={"url": "https://s.example/", "one_click": True})
        path = f"/deliveries/bulk/update/{delivery}"
        self.refused(self.put(path, {"list_unsubscribe": {"url": "http://s.example/"}}),
                     "list_unsubscribe", "one_click")
        self.ok(self.put(path, {"list_unsubscribe": {"url": "http://s.example/", "one_click": False}}))

    def test_long_ones_stand_on_one_line(self):
        url = "https://s.example/" + "届" * 97
        self.accepted(self.send({"to": "line@fast.example", "list_unsubscribe": {
            "url": url, "mailto": "mailto:out@sender.example"}}))
        octets = arrived("line@fast.example").octets
        self.assertIn(b"<https://s.example/" + b"%E5%B1%8A" * 97 + b">", octets)
        self.assertEqual(2, len(email.message_from_bytes(octets)["List-Unsubscribe"].split(",")))
