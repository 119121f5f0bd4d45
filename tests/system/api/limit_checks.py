# SPDX-License-Identifier: Apache-2.0
"""Every limit of the contract, at it and one beyond; what is refused leaves nothing behind."""
import json

import door
from door import Checks, data_part, draft, file_part, mail

REFUSED_EXTENSIONS = (
    "ade adp apk appx appxbundle bat bz2 cab chm cmd com cpl dll dmg ex ex_ exe gz hta ins isp iso "
    "jar js jse lib lnk mde msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys tgz vb vbe "
    "vbs vxd wsc wsf wsh zip").split()


def address(octets):
    """An address of so many octets."""
    domain = ".".join(["d" * 60] * 3 + ["example"])
    rest = octets - len(domain) - 1
    if rest < 1:
        return "a@" + "b" * (octets - 5) + ".jp"
    if rest <= 64:
        return "a" * rest + "@" + domain
    return "a" * 64 + "@" + "c" * (rest - 65) + "." + domain


# Of the addresses of address(): accounts that send from them need to own these.
DOMAINS = (address(254).split("@")[1], address(6).split("@")[1])


class Limits(Checks):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for domain in DOMAINS:
            door.world.stack.vouch(cls.account.name, domain)

    def both(self, good, bad, *path):
        """Transaction and draft take `good` and refuse `bad` at `path`."""
        self.accepted(self.send(good))
        self.ok(self.delete(f"/deliveries/{self.draft(**good)}"))
        with self.nothing_stored():
            self.refused(self.send(bad), *path)
            self.refused(self.post("/deliveries/bulk/begin", draft(**bad)), *path)
        delivery = self.draft()
        before = self.detail(delivery)
        self.refused(self.put(f"/deliveries/bulk/update/{delivery}", bad), *path)
        self.assertEqual(before, self.detail(delivery))
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", good))
        self.ok(self.delete(f"/deliveries/{delivery}"))

    def one(self, good, bad, *path):
        """The same for what only transactions have."""
        for fields in good:
            self.accepted(self.send(fields))
        with self.nothing_stored():
            for fields in bad:
                self.refused(self.send(fields), *path)

    def test_subject(self):
        self.both({"subject": "件" * 256}, {"subject": "件" * 257}, "subject")
        self.both({"subject": "x"}, {"subject": ""}, "subject")

    def test_text_part(self):
        self.both({"text_part": "本" * 30 * 1024}, {"text_part": "本" * (30 * 1024 + 1)}, "text_part")
        self.both({"text_part": " "}, {"text_part": ""}, "text_part")
        self.both({"text_part": "", "html_part": "<p>x</p>"}, {"text_part": "", "html_part": ""},
                  "text_part")

    def test_html_part(self):
        self.both({"html_part": "本" * 70 * 1024}, {"html_part": "本" * (70 * 1024 + 1)}, "html_part")
        for construct in ("<![CDATA[x]]>", '<?xml version="1.0"?>'):
            self.both({"html_part": "<p>CDATA xml</p>"}, {"html_part": f"<p>{construct}</p>"},
                      "html_part")

    def test_from_and_reply_to(self):
        for field in ("from", "reply_to"):
            good = {"email": "a@sender.example", "name": "名" * 50}
            self.both({field: good}, {field: {**good, "name": "名" * 51}}, field, "name")
            self.both({field: {"email": address(254)}}, {field: {"email": address(255)}}, field,
                      "email")
            self.both({field: {"email": "a@b.jp"}}, {field: {"email": "a@b.j"}}, field, "email")

    def test_required_fields_are_named(self):
        with self.nothing_stored():
            for field, path in (("from", ("from", "email")), ("to", ("to",)),
                                ("subject", ("subject",)),
                                ("text_part", ("text_part",))):
                for value in (..., None):
                    self.refused(self.send({field: value}), *path, text="is required.")
                    if field != "to":
                        answer = self.post("/deliveries/bulk/begin",
                                           draft(**{field: value}))
                        self.refused(answer, *path, text="is required.")

    def test_to(self):
        self.one([{"to": "a@b.jp"}, {"to": address(254)}],
                 [{"to": "a@b.j"}, {"to": address(255)}, {"to": ""}], "to")

    def test_cc_and_bcc(self):
        for field in ("cc", "bcc"):
            ten = [f"{field}{number}@fast.example" for number in range(10)]
            self.one([{field: ten}], [{field: [*ten, "eleven@fast.example"]}], field)
            self.one([], [{field: [*ten[:9], "a@b.j"]}], field, "9")
        delivery = self.accepted(self.send({
            "cc": [f"c{n}@fast.example" for n in range(10)],
            "bcc": [f"b{n}@fast.example" for n in range(10)]}))
        self.assertEqual(21, self.detail(delivery)["total_count"])

    def test_insert_codes_by_number(self):
        codes = [{"key": f"__k{number}__", "value": str(number)} for number in range(51)]
        self.one([{"insert_code": codes[:50]}], [{"insert_code": codes}], "insert_code")
        delivery = self.draft()
        for count, status in ((50, 201), (51, 400)):
            answer = self.post(f"/deliveries/{delivery}/emails", {
                "email": "a@fast.example", "insert_code": codes[:count]})
            self.assertEqual(status, answer.status, answer)
        answer = self.put(f"/deliveries/bulk/update/{delivery}", {
            "to": [{"email": "a@fast.example"}, {"email": "b@fast.example", "insert_code": codes}]})
        self.refused(answer, "to", "1", "insert_code")
        self.assertEqual(1, self.detail(delivery)["total_count"])

    def test_insert_code_keys(self):
        good = ["__a__", "%%a%%", "__" + "k" * 16 + "__", "%%" + "K9" * 8 + "%%", "__123__"]
        short_or_long = ["", "____", "__" + "k" * 17 + "__", "%%%%"]
        malformed = ["__a%%", "%%a__", "__a_b__", "__a b__", "__名__", "_abc_", "name!", "__a-b__",
                     "{{abc}}", "__abc_", "__a\n__"]
        self.one([{"insert_code": [{"key": key, "value": "v"}]} for key in good],
                 [{"insert_code": [{"key": key,
                                    "value": "v"}]} for key in short_or_long + malformed],
                 "insert_code", "0", "key")
        for key in short_or_long:
            self.refused(self.send({"insert_code": [{"key": key, "value": "v"}]}),
                         "insert_code", "0", "key",
                         text="the character length is not in the range 5 through 20.")
        self.one([], [{"insert_code": [{"key": "__a__", "value": "1"},
                                       {"key": "__a__", "value": "2"}]}],
                 "insert_code", "1", "key")
        # What one client makes of a code by mistake.
        self.one([], [{"insert_code": [{"__a__": "v"}]}], "insert_code", "0", "key")

    def test_insert_code_values(self):
        self.one([{"insert_code": [{"key": "__a__", "value": value}]}
                  for value in ("", "値" * 71_680, " ", None)] + [{"insert_code": [{"key": "__a__"}]}],
                 [{"insert_code": [{"key": "__a__", "value": "値" * 71_681}]}],
                 "insert_code", "0", "value")

    def test_recipients_of_an_update(self):
        delivery = self.draft(["before@fast.example"])
        to = [{"email": f"r{number}@fast.example"} for number in range(51)]
        path = f"/deliveries/bulk/update/{delivery}"
        self.refused(self.put(path, {"to": to, "subject": "not kept"}), "to")
        detail = self.detail(delivery)
        self.assertEqual((1, "件名"), (detail["total_count"], detail["subject"]))
        self.ok(self.put(path, {"to": to[:50]}))
        self.assertEqual(50, self.detail(delivery)["total_count"])
        self.refused(self.put(path, {"to": [*to[:49], {"email": "bad"}]}),
                     "to", "49", "email")
        self.assertEqual(50, self.detail(delivery)["total_count"])

    def test_list_unsubscribe(self):
        url = "https://sender.example/" + "u" * (450 - 23)
        mailto = "mailto:out@sender.example?subject=" + "s" * (450 - 34)
        self.assertEqual((450, 450), (len(url), len(mailto)))
        self.both({"list_unsubscribe": {"url": url, "mailto": mailto}},
                  {"list_unsubscribe": {"url": url + "u"}}, "list_unsubscribe", "url")
        self.both({"list_unsubscribe": {"mailto": mailto}},
                  {"list_unsubscribe": {"mailto": mailto + "s"}}, "list_unsubscribe", "mailto")
        self.both({"list_unsubscribe": {"url": "http://sender.example/"}},
                  {"list_unsubscribe": {"mailto": "out@sender.example"}}, "list_unsubscribe",
                  "mailto")
        for bad in ("sender.example/out", "ftp://sender.example/", "mailto:https://sender.example/",
                    "javascript:alert(1)", "https://sender example/", "https:///out",
                    "https://s.example/" + "届" * 100, "https://s.example/\r\nX: y"):
            self.both({"list_unsubscribe": {"url": "HTTPS://sender.example/__no__"}},
                      {"list_unsubscribe": {"url": bad}}, "list_unsubscribe", "url")
        for bad in ("mailto:", "https://sender.example/", "mailto:a@",
                    "mailto:a@b.example>, <mailto:c@d.example>"):
            self.both({"list_unsubscribe": {"mailto": "MailTo:%%no%%@sender.example"}},
                      {"list_unsubscribe": {"mailto": bad}}, "list_unsubscribe", "mailto")


class Drafts(Checks):
    def test_thirty_drafts_and_not_one_more(self):
        drafts = [self.draft() for _ in range(30)]
        with self.nothing_stored():
            answer = self.post("/deliveries/bulk/begin", draft())
            self.assertIn("30", self.refused(answer)[0])
        self.ok(self.delete(f"/deliveries/{drafts[0]}"))
        self.draft()
        self.assertEqual(400, self.post("/deliveries/bulk/begin", draft()).status)
        self.accepted(self.send({}))


class Attachments(Checks):
    def sent(self, files):
        return self.multipart("POST", "/deliveries/transaction", [data_part(mail()), *files])

    def begun(self, files):
        return self.multipart("POST", "/deliveries/bulk/begin", [data_part(draft()), *files])

    def test_one_mebibyte_in_all(self):
        half = file_part("a.bin", b"\0" * 512 * 1024)
        self.accepted(self.sent([half, half]))
        with self.nothing_stored():
            for answer in (self.sent([half, half, file_part("b.bin", b"1")]),
                           self.begun([half, half, file_part("b.bin", b"1")])):
                self.refused(answer, "file")

    def test_a_hundred_files(self):
        files = [file_part(f"{number}.txt", b"x") for number in range(101)]
        delivery = self.accepted(self.sent(files[:100]))
        self.assertEqual(100, len(self.detail(delivery)["attaches"]))
        with self.nothing_stored():
            self.refused(self.sent(files), "file")

    def test_refused_extensions(self):
        with self.nothing_stored():
            for extension in REFUSED_EXTENSIONS:
                name = f"invoice.pdf.{extension.upper() if len(extension) % 2 else extension}"
                answer = self.sent([file_part(), file_part(name)])
                self.assertIn(name, self.refused(answer, "file", "1")[0])
            # Windows drops these at the end of a name, and then it is a program.
            for name in ("setup.exe.", "setup.exe ", "setup.exe . ."):
                self.refused(self.sent([file_part(name)]), "file", "0")

    def test_other_names_are_taken(self):
        for name in ("a.pdf", "a", "exe", "a.zipx", "a.exe.txt", "添付.xlsx", ".profile"):
            with self.subTest(name):
                self.accepted(self.sent([file_part(name)]))

    def test_a_file_needs_a_name(self):
        with self.nothing_stored():
            for disposition in ('name="file"', 'name="file"; filename=""'):
                self.refused(self.sent([(disposition, "text/plain", b"x")]), "file", "0")
            self.refused(self.sent([file_part("n" * 300 + ".txt")]), "file", "0")


class Addresses(Checks):
    GOOD = ("a@fast.example", "a.b+c@fast.example", "A_B-c'd@sub.fast.example",
            '"a b"@fast.example',
            "a..b@fast.example", ".a@fast.example", "a.@fast.example", "a@日本.example",
            "!#$%&'*+-/=?^_`{|}~@fast.example")
    BAD = ("plain-text", "@fast.example", "a@fast", "a@@fast.example", "a b@fast.example",
           "a@fast..example", "a@-fast.example", "a@fast.example.", "<a@fast.example>",
           "名 <a@fast.example>", "a@fast.example\r\nBcc: b@fast.example", "a\0b@fast.example",
           "a@fast.example, b@fast.example", "a@fast.example;b@fast.example", "a@fa st.example",
           "a@127.0.0.1:25", "a\u0085b c@fast.example", "a\u200b@fast.example", "a@fast\u00ad.example",
           "a@[日本]", "x" * 61 + "..@" + ".".join(["d" * 60] * 3) + ".example")
    # Addresses, but of nobody that mail is sent to.
    NOWHERE = ("a@[127.0.0.1]", "a@[IPv6:2001:db8::1]", "a@127.0.0.1", "a@fast.123",
               "a@１２７.0.0.1")
    AROUND = ((" ", ""), ("", " "), ("\u3000", "\u00a0"), ("\ufeff", "\u200b"), ("\t", "\r\n"),
              ("\u2028 ", "\u2060"))

    def test_good_ones(self):
        delivery = self.draft()
        for text in self.GOOD:
            with self.subTest(text):
                self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": text}), 201)

    def test_bad_ones_are_refused_everywhere(self):
        delivery = self.draft()
        with self.nothing_stored():
            for text in self.BAD + self.NOWHERE:
                if text == "a@fast.example.":
                    continue  # a trailing dot is the DNS's own way of writing the same domain
                with self.subTest(text):
                    self.refused(self.send({"to": text}), "to")
                    self.refused(self.send({"cc": [text]}), "cc", "0")
                    self.refused(self.send({"bcc": ["a@fast.example", text]}), "bcc", "1")
                    if text not in self.NOWHERE:
                        self.refused(self.send({"from": {"email": text}}), "from", "email")
                    self.refused(self.post(f"/deliveries/{delivery}/emails",
                                           {"email": text}), "email")
                    self.refused(self.account.request(
                        "PUT", f"/deliveries/bulk/update/{delivery}", {"to": [{"email": text}]}),
                        "to", "0", "email")
        self.assertEqual(0, self.detail(delivery)["total_count"])
        for text in self.NOWHERE:
            self.assertIn(b"domain names only", self.send({"to": text}).body)

    def test_what_is_invisible_around_an_address_is_taken_off(self):
        for number, (before, after) in enumerate(self.AROUND):
            def given(name):
                return f"{before}{name}{number}@fast.example{after}"

            with self.subTest(ascii(given("x"))):
                delivery = self.accepted(self.send({
                    "from": {"email": f"{before}shop@sender.example{after}"},
                    "reply_to": {"email": f"{before}help@sender.example{after}"},
                    "to": given("to"), "cc": [given("cc")], "bcc": [given("bcc")]}))
                self.assertEqual("shop@sender.example", self.detail(delivery)["from"]["email"])
                for name in ("to", "cc", "bcc"):
                    message = door.arrived(f"{name}{number}@fast.example")
                    self.assertEqual(("shop@sender.example", "help@sender.example",
                                      f"to{number}@fast.example", f"cc{number}@fast.example"),
                                     tuple(message[field] for field in
                                           ("From", "Reply-To", "To", "Cc")))
        delivery = self.draft()
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {
            "from": {"email": "\u200bbulk@sender.example"}, "to": [{"email": " u0@fast.example "}]}))
        self.assertEqual("bulk@sender.example", self.detail(delivery)["from"]["email"])
        added = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": "u1@fast.example\u3000"}), 201)["email_id"]
        self.assertEqual("u1@fast.example",
                         self.get(f"/deliveries/-/emails/{added}").json["email"])
        self.ok(self.put(f"/deliveries/-/emails/{added}", {"email": "\ufeffu2@fast.example"}))
        _, job = self.imported("email\n\u3000u3@fast.example\u200b\n".encode(), None, delivery)
        self.assertEqual("FINISHED", job["status"])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        for to in ("u0", "u2", "u3"):
            self.assertEqual(f"{to}@fast.example", door.arrived(f"{to}@fast.example")["To"])

    def test_what_is_invisible_inside_is_named(self):
        text = ("invalid e-mail format: it has the invisible character "
                "U+200B ZERO WIDTH SPACE at character 6.")
        delivery = self.draft()
        bad = "order\u200b@sender.example"
        with self.nothing_stored():
            for field in ("from", "reply_to"):
                self.refused(self.send({field: {"email": bad}}), field, "email", text=text)
                self.refused(self.post("/deliveries/bulk/begin", draft(**{field: {"email": bad}})),
                             field, "email", text=text)
                self.refused(self.put(f"/deliveries/bulk/update/{delivery}",
                                      {field: {"email": bad}}), field, "email", text=text)
            self.refused(self.send({"to": bad}), "to", text=text)

    def test_a_sender_is_ascii_before_the_at(self):
        delivery = self.draft()
        with self.nothing_stored():
            for field in ("from", "reply_to"):
                value = {field: {"email": "届く@sender.example"}}
                for answer in (self.send(value), self.post("/deliveries/bulk/begin", draft(**value)),
                               self.put(f"/deliveries/bulk/update/{delivery}", value)):
                    self.assertIn("beyond ASCII", self.refused(answer, field, "email")[0])

    def test_a_recipient_beyond_ascii_gets_mail_from_a_server_that_can(self):
        self.accepted(self.send({"to": "届く@fast.example"}))
        message = door.arrived("届く@fast.example")
        self.assertIn(b"\r\nTo: =?UTF-8?B?", message.octets)

    def test_an_address_named_twice_gets_one_mail(self):
        delivery = self.accepted(self.send({
            "to": "twice@fast.example", "cc": ["Twice@Fast.Example", "c@fast.example"],
            "bcc": ["twice@fast.example"]}))
        self.assertEqual(2, self.detail(delivery)["total_count"])


class Sizes(Checks):
    """A little text and a little value whose product is no mail any more."""
    TEXTS = {"text_part": "%%a%%" * 6_144, "html_part": "%%a%%" * 14_336}
    CODES = [{"key": "__b__", "value": "x"}, {"key": "%%a%%", "value": "x" * 4096}]
    PLAIN = [{"key": "%%a%%", "value": "山田"}]

    def too_big(self, answer, *path):
        text, = self.refused(answer, *path, "insert_code", "1", "value")
        self.assertRegex(text, r"^this value for %%a%% stands in 20480 places and makes a mail of "
                         r"\d{8,9} bytes; the limit is 10240000 bytes\.$")

    def test_transaction(self):
        everybody = {"cc": [f"c{n}@fast.example" for n in range(10)],
                     "bcc": [f"b{n}@fast.example" for n in range(10)]}
        with self.nothing_stored():
            self.too_big(self.send({**self.TEXTS, **everybody, "insert_code": self.CODES}))
        self.accepted(self.send({**self.TEXTS, "to": "large@fast.example",
                                 "insert_code": self.PLAIN}))
        html = door.arrived("large@fast.example").get_body(("html",)).get_content()
        self.assertEqual("山田" * 14_336, html.strip())

    def test_recipients_of_a_bulk(self):
        delivery = self.draft(**self.TEXTS)
        path = f"/deliveries/{delivery}/emails"
        self.too_big(self.post(path, {"email": "a@fast.example", "insert_code": self.CODES}))
        email = self.ok(self.post(path, {"email": "a@fast.example", "insert_code": self.PLAIN}),
                        201)["email_id"]
        self.too_big(self.put(f"/deliveries/-/emails/{email}",
                              {"email": "a@fast.example", "insert_code": self.CODES}))
        self.assertEqual(self.PLAIN,
                         self.get(f"/deliveries/-/emails/{email}").json["insert_code"])
        update = f"/deliveries/bulk/update/{delivery}"
        to = [{"email": "b@fast.example", "insert_code": self.PLAIN},
              {"email": "c@fast.example", "insert_code": self.CODES}]
        self.too_big(self.put(update, {"subject": "not kept", "to": to}), "to", "1")
        detail = self.detail(delivery)
        self.assertEqual((1, "件名"), (detail["total_count"], detail["subject"]))
        # With the texts that the same update brings.
        self.ok(self.put(update, {"text_part": "%%a%%", "html_part": "", "to": to}))
        self.too_big(self.put(update, {**self.TEXTS, "to": to}), "to", "1")
        self.assertEqual((2, "%%a%%"), (self.detail(delivery)["total_count"],
                                        self.detail(delivery)["text_part"]))

    def test_rows_of_an_import(self):
        rows = "email,__b__,%%a%%\na@fast.example,x,山田\n" + \
            "b@fast.example,x," + "x" * 4096 + "\n"
        delivery, job = self.imported(rows.encode(), {"ignore_errors": True},
                                      self.draft(**self.TEXTS))
        self.assertEqual(("FINISHED", 1, 1), (job["status"], job["success_count"],
                                              job["failed_count"]))
        self.assertEqual(1, self.detail(delivery)["total_count"])


class Bodies(Checks):
    def test_an_oversized_body_is_refused_without_being_kept(self):
        with self.nothing_stored():
            answer = self.post("/deliveries/transaction",
                               b'{"subject":"' + b"x" * (8 << 20) + b'"}')
            self.container_error(answer, 413)
            huge = json.dumps(mail(text_part="x" * (2 << 20))).encode()
            self.refused(self.post("/deliveries/transaction", huge), "text_part")

    def test_everything_at_its_limit_fits_even_escaped(self):
        fields = mail(subject="😀" * 256, text_part="😀" * 30 * 1024, html_part="😀" * 70 * 1024)
        body = json.dumps(fields, ensure_ascii=True).encode()
        self.assertGreater(len(body), 1_200_000)
        self.accepted(self.multipart("POST", "/deliveries/transaction", [
            file_part("a.bin", b"\xff" * (1 << 20)), ('name="data"', "application/json", body)]))
