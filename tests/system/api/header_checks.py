# SPDX-License-Identifier: Apache-2.0
"""What arrives: the right mail for each recipient, and no header that nobody asked for."""
import door
from door import Checks, arrived, data_part, file_part, header_lines, mail

BREAKS = ("\r\n", "\n", "\r", "\u2028", "\u0085", "\x0b", "\x0c", "\0", "\r\n\r\n", "\n ")
INJECTION = "X-Injected: yes"
# Every field that a mail of ours may have.
KNOWN = {"Date", "Message-ID", "From", "To", "Cc", "Reply-To", "Subject", "MIME-Version",
         "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post",
         "DKIM-Signature", "Feedback-ID"}


class Injection(Checks):
    number = 0

    def address(self):
        Injection.number += 1
        return f"inject{Injection.number}@fast.example"

    def check(self, octets):
        names = header_lines(octets)
        self.assertLessEqual(set(names), KNOWN)
        self.assertEqual(len(names), len(set(names)), names)
        self.assertNotIn(b"\nX-Injected", octets.replace(b"\r\n\r\n", b"\0", 1).split(b"\0")[0])
        head = octets.split(b"\r\n\r\n", 1)[0]
        self.assertNotIn(b"\0", head)
        self.assertTrue(all(octet < 0x80 for octet in head))
        for line in octets.split(b"\r\n"):
            self.assertNotIn(b"\n", line)
            self.assertNotIn(b"\r", line)
            self.assertLessEqual(len(line), 998)

    def test_line_breaks_in_what_becomes_a_header_are_refused(self):
        with self.nothing_stored():
            for text in ("\r\n", "\n", "\r", "\0", "\x0b", "\x7f", "\t\r\n "):
                bad = f"a{text}{INJECTION}"
                with self.subTest(repr(text)):
                    self.refused(self.send({"subject": bad}), "subject")
                    self.refused(self.send({"from": {"email": "a@sender.example", "name": bad}}),
                                 "from", "name")
                    self.refused(self.send(
                        {"reply_to": {"email": "a@sender.example", "name": bad}}), "reply_to",
                                 "name")
                    self.refused(self.send({"list_unsubscribe": {
                        "url": f"https://s.example/{text}{INJECTION}"}}), "list_unsubscribe", "url")
                    self.refused(self.send({"list_unsubscribe": {
                        "mailto": f"mailto:a@s.example{text}{INJECTION}"}}), "list_unsubscribe",
                                 "mailto")

    def test_insert_codes_cannot_begin_a_header(self):
        for text in BREAKS:
            if text == "\0":
                continue  # no value may hold it
            with self.subTest(repr(text)):
                to = self.address()
                value = f"値{text}{INJECTION}{text}"
                self.accepted(self.send({
                    "to": to, "subject": "件名 __bad__ と __bad__", "html_part": "<p>__bad__</p>",
                    "list_unsubscribe": {"mailto": "mailto:out@sender.example?subject=__bad__",
                                         "url": "https://sender.example/out?u=__bad__"},
                    "insert_code": [{"key": "__bad__", "value": value}]}))
                message = arrived(to)
                self.check(message.octets)
                self.assertIn(INJECTION, message["Subject"])

    def test_insert_codes_of_an_import_cannot_either(self):
        to = self.address()
        row = f'email,__bad__\n{to},"a\r\n{INJECTION}\r\n\r\nbody"\n'
        delivery = self.draft(subject="__bad__",
                              list_unsubscribe={"url": "https://s.example/__bad__"})
        self.imported(row.encode(), {"immediate": True}, delivery)
        self.check(arrived(to).octets)

    def test_an_unsubscribe_address_cannot_be_left_by_an_insert_code(self):
        to = self.address()
        self.accepted(self.send({
            "to": to, "list_unsubscribe": {"url": "https://sender.example/__id__"},
            "insert_code": [{"key": "__id__", "value": "1>, <mailto:evil@evil.example> <x"}]}))
        field = arrived(to)["List-Unsubscribe"]
        self.assertEqual((1, 1), (field.count("<"), field.count(">")), field)

    def test_names_cannot_become_addresses(self):
        for name in ('" <evil@evil.example>, "', "evil@evil.example", "a\\", '"', "a, b; c:",
                     "=?x?=",
                     "山田 <x@y.example>", "(comment)"):
            with self.subTest(name):
                to = self.address()
                sender = {"email": "shop@sender.example", "name": name}
                self.accepted(self.send({"to": to, "from": sender, "reply_to": sender}))
                message = arrived(to)
                self.check(message.octets)
                for field in ("From", "Reply-To"):
                    found = message[field].addresses
                    self.assertEqual(["shop@sender.example"], [a.addr_spec for a in found])
                    self.assertEqual(name, found[0].display_name)

    def test_file_names_cannot_break_out(self):
        to = self.address()
        files = [('name="file"; filename*=utf-8\'\'a%0D%0AX-Injected:%20yes.txt', "text/plain",
                  b"1"),
                 ('name="file"; filename="a%22%0D%0AX-Injected: yes.txt"', "text/plain", b"2"),
                 ('name="file"; filename="b.txt"', "text/plain\tX-Injected", b"3"),
                 ('name="file"; filename="c.txt"', 'text/plain; name="x\\"; y', b"4")]
        self.accepted(self.multipart("POST", "/deliveries/transaction",
                                     [data_part(mail(to=to)), *files]))
        message = arrived(to)
        self.check(message.octets)
        parts = list(message.iter_attachments())
        self.assertEqual([b"1", b"2", b"3", b"4"], [p.get_payload(decode=True) for p in parts])
        for part in parts:
            self.assertNotIn("X-Injected", part.keys())

    def test_a_body_with_dots_and_boundaries_stays_a_body(self):
        to = self.address()
        text = ".\r\n..\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n--=_\r\nFrom here\r\n" + "長" * 2000
        self.accepted(self.send({"to": to, "text_part": text}))
        message = arrived(to)
        self.check(message.octets)
        self.assertEqual(text.splitlines(), message.get_content().rstrip("\n").splitlines())
        self.assertEqual(1, len(door.mails_to(to)))


class Given(Checks):
    """Fields that the sender adds."""
    THREAD = {"In-Reply-To": "<one@example.com>",
              "References": "<zero@example.com> <one@example.com>"}

    def test_they_arrive_as_they_were_given(self):
        to = "threads@fast.example"
        self.accepted(self.send({"to": to, "headers": {
            **self.THREAD, "Auto-Submitted": "auto-generated", "X-Entity-Ref-ID": "__order__",
            "X-Note": "長い" * 100}, "insert_code": [
                {"key": "__order__", "value": "注文 42"}]}))
        message = arrived(to)
        for name, value in self.THREAD.items():
            self.assertEqual(value, message[name])
        self.assertEqual("auto-generated", message["Auto-Submitted"])
        self.assertEqual("注文 42", message["X-Entity-Ref-ID"])
        self.assertEqual("長い" * 100, message["X-Note"])
        self.assertIn(b"=?UTF-8?B?", message.octets)
        names = header_lines(message.octets)
        self.assertEqual(len(names), len(set(names)), names)

    def test_a_long_thread_is_folded(self):
        to = "long-thread@fast.example"
        ids = " ".join(f"<{n:040}@mail.example.com>" for n in range(15))
        self.accepted(self.send({"to": to, "headers": {"References": ids}}))
        message = arrived(to)
        self.assertEqual(ids, " ".join(message["References"].split()))
        self.assertLess(max(map(len, message.octets.split(b"\r\n\r\n")[0].split(b"\r\n"))), 100)

    def test_bulk_mail_has_them_and_an_update_replaces_them(self):
        delivery = self.draft(headers={"X-Campaign": "first", "X-Gone": "x"})
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {
            "headers": {"X-Campaign": "__name__"},
            "to": [{"email": "campaign@fast.example",
                    "insert_code": [{"key": "__name__", "value": "春"}]}]}))
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"subject": "they stay"}))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        message = arrived("campaign@fast.example")
        self.assertEqual("春", message["X-Campaign"])
        self.assertNotIn("X-Gone", message)

    def test_insert_codes_cannot_begin_another(self):
        for number, text in enumerate(BREAKS):
            if text == "\0":
                continue
            to = f"given-break{number}@fast.example"
            self.accepted(self.send({"to": to, "headers": {"X-A": "__bad__"}, "insert_code": [
                {"key": "__bad__", "value": f"a{text}{INJECTION}"}]}))
            self.assertNotIn("X-Injected", header_lines(arrived(to).octets))

    def test_names_that_are_ours_are_refused(self):
        with self.nothing_stored():
            for name in ("From", "to", "CC", "Bcc", "Subject", "Date", "Message-ID", "Sender",
                         "Reply-To", "Return-Path", "Received", "MIME-Version", "Content-Type",
                         "Content-Anything", "DKIM-Signature", "ARC-Seal", "List-Unsubscribe",
                         "List-Unsubscribe-Post", "Feedback-ID", "X-Todoku-A", "Resent-From",
                         "Authentication-Results", "X-", "Y-A", "X-A:", "X A", "X-é", "X-A\r\nBcc"):
                with self.subTest(name):
                    # What changes the text around it is shown to nobody.
                    shown = name.replace("\r", "?").replace("\n", "?")
                    self.refused(self.send({"headers": {name: "a@example.com"}}), "headers", shown)
            self.refused(self.send({"headers": {"X-" + "a" * 63: "x"}}), "headers",
                         "X-" + "a" * 62)
            self.refused(self.send({"headers": {"": "x"}}), "headers", "")

    def test_values_that_cannot_stand_there_are_refused(self):
        long_id = "<" + "a" * 900 + "@example.com>"
        with self.nothing_stored():
            for name, value in (
                    ("X-A", "a\r\nBcc: x"), ("X-A", "a\nb"), ("X-A", "a\0b"), ("X-A", "a\x7f"),
                    ("X-A", ""), ("X-A", " "), ("X-A", "x" * 999), ("X-A", 7), ("X-A", ["x"]),
                    ("X-A", {}), ("In-Reply-To", "one@example.com"), ("In-Reply-To", "<one>"),
                    ("In-Reply-To", "<@example.com>"), ("In-Reply-To", "<one@>"),
                    ("In-Reply-To", "<a b@example.com>"), ("In-Reply-To", "<é@example.com>"),
                    ("References", "<a@example.com>,<b@example.com>"),
                    ("References", "<a@example.com><b@example.com>"), ("References", long_id),
                    ("References", "__id__"), ("Auto-Submitted", "自動")):
                with self.subTest(f"{name}: {value!r}"):
                    self.refused(self.send({"headers": {name: value}}), "headers", name)
            for headers in ([], "X-A: b", 7, {f"X-{n}": "x" for n in range(21)}):
                with self.subTest(headers):
                    self.refused(self.send({"headers": headers}), "headers")
        self.accepted(self.send({"headers": {f"X-{n}": "x" for n in range(20)}}))
        self.accepted(self.send({"headers": {"X-" + "a" * 62: "x" * 998}}))

    def test_a_name_in_two_cases_is_one_too_many(self):
        self.refused(self.send({"headers": {"X-A": "1", "x-a": "2"}}), "headers", "x-a")

    def test_none_is_none(self):
        for headers in (None, {}, {"X-A": None}):
            self.accepted(self.send({"headers": headers}))


class Mails(Checks):
    def test_every_field_of_a_transaction_arrives(self):
        self.accepted(self.multipart("POST", "/deliveries/transaction", [data_part(mail(
            to="whole@fast.example", cc=["whole-cc@other.example"], bcc=["whole-bcc@other.example"],
            reply_to={"email": "reply@sender.example", "name": "返信先"}, subject="__name__ 様",
            text_part="こんにちは __name__ %%no%% __none__", html_part="<b>__name__</b>",
            list_unsubscribe={"mailto": "mailto:out@sender.example?subject=%%no%%",
                              "url": "https://sender.example/%%no%%"},
            insert_code=[{"key": "__name__", "value": "山田 太郎"}, {"key": "%%no%%", "value": "42"}])),
            file_part("見積.pdf", b"%PDF", "application/pdf")]))
        message = arrived("whole@fast.example")
        self.assertEqual("山田 太郎 様", message["Subject"])
        self.assertEqual("お店 <shop@sender.example>", str(message["From"]))
        self.assertEqual("返信先 <reply@sender.example>", str(message["Reply-To"]))
        self.assertEqual("whole@fast.example", str(message["To"]))
        self.assertEqual("whole-cc@other.example", str(message["Cc"]))
        self.assertIn("<https://sender.example/42>", message["List-Unsubscribe"])
        self.assertIn("<mailto:out@sender.example?subject=42>", message["List-Unsubscribe"])
        self.assertEqual("こんにちは 山田 太郎 42 __none__",
                         message.get_body(("plain",)).get_content().strip())
        self.assertEqual("<b>山田 太郎</b>", message.get_body(("html",)).get_content().strip())
        attached = list(message.iter_attachments())
        self.assertEqual([("見積.pdf", b"%PDF")], [(p.get_filename(), p.get_payload(decode=True))
                                                 for p in attached])
        for other in ("whole-cc@other.example", "whole-bcc@other.example"):
            copy = arrived(other)
            self.assertEqual(str(message["To"]), str(copy["To"]))
            self.assertNotIn(b"whole-bcc", copy.octets.split(b"\r\n\r\n")[0])

    def test_iso_2022_jp_is_what_it_says_and_falls_back_alone(self):
        for to, name, charset in (("jis@fast.example", "髙橋①㈱ｶﾅ", "iso-2022-jp"),
                                  ("emoji@fast.example", "山田😀", "utf-8")):
            self.accepted(self.send({
                "to": to, "encode": "ISO-2022-JP", "subject": "__name__ 様",
                "text_part": "__name__ 様",
                "insert_code": [{"key": "__name__", "value": name}]}))
            message = arrived(to)
            self.assertEqual(charset, message.get_content_charset())
            self.assertIn(f"=?{charset}?".encode(), message.octets.lower())

    def test_bulk_mail_is_personal(self):
        delivery = self.draft(subject="__name__ 様へ", text_part="__name__ 様 __name__")
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"to": [
            {"email": f"bulk{n}@fast.example", "insert_code": [{"key": "__name__",
                                                                "value": f"客{n}"}]}
            for n in range(3)]}))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        for n in range(3):
            message = arrived(f"bulk{n}@fast.example")
            self.assertEqual((f"客{n} 様へ", f"bulk{n}@fast.example"),
                             (message["Subject"], message["To"]))
            self.assertEqual(f"客{n} 様 客{n}", message.get_content().strip())

    def test_a_text_part_of_one_space_is_a_mail(self):
        self.accepted(self.send({"to": "space@fast.example", "text_part": " ",
                                 "html_part": "<p>html</p>"}))
        self.assertIn("html", arrived("space@fast.example").get_body(("html",)).get_content())
