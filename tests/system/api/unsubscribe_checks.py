# SPDX-License-Identifier: Apache-2.0
"""The link of List-Unsubscribe as it arrived: who may leave by it, what stops, and what does not."""
import http.client
import re

import door
from door import Account, Checks, arrived, eventually
from open_checks import PUBLIC_URL, Tracking

LINK = re.compile(rb"^List-Unsubscribe:\s*<" + re.escape(PUBLIC_URL.encode())
                  + rb"(/unsubscribe/[A-Za-z0-9_-]+)>", re.MULTILINE)
BUTTON = re.compile(r'name="form" value="([A-Za-z0-9_-]+)"')
ONE_CLICK = b"List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"


class Unsubscribes(Checks):
    @classmethod
    def setUpClass(cls):
        cls.shared = door.world.stack
        cls.addClassCleanup(setattr, door.world, "stack", cls.shared)
        cls.stack = cls.enterClassContext(door.world.stack_like(Tracking))
        door.world.stack = cls.stack
        cls.account = Account(cls.stack, "unsubscribes")
        cls.numbers = iter(range(1_000))

    def address(self):
        return f"Leaver{next(self.numbers)}@fast.example"

    def open(self, method, link, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.api_port, timeout=60)
        try:
            connection.request(method, link, body, headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def one_click(self, link, **headers):
        return self.open("POST", link, ONE_CLICK, **{"Content-Type": URLENCODED, **headers})

    def press(self, link, form, **headers):
        return self.open("POST", link, f"form={form}", **{"Content-Type": URLENCODED, **headers})

    def sent(self, to, purpose="advertisement", **fields):
        self.ok(self.account.send({"to": to, "purpose": purpose, **fields}), 201)
        return arrived(to)

    def link_of(self, message):
        return LINK.search(message.octets).group(1).decode()

    def test_the_link_of_a_preview_opens_nothing(self):
        to = self.address()
        message = self.sent(to)
        delivery = self.account.listed()[0]["delivery_id"]
        shown = self.account.request("GET", f"/deliveries/{delivery}/preview?format=eml").body
        link, dead = self.link_of(message), LINK.search(shown).group(1).decode()
        self.assertEqual((len(message.octets), len(link)), (len(shown), len(dead)))
        self.assertNotEqual(link, dead)
        self.assertEqual(404, self.one_click(dead)[0].status)
        self.assertEqual([], self.opt_outs(to))
        self.assertEqual(200, self.one_click(link)[0].status)

    def opt_outs(self, address):
        told = self.ok(self.account.request("GET", f"/suppressions?email={address}"))["data"]
        return [(entry["scope"], entry.get("list_id") or "") for entry in told
                if entry["reason"] == "unsubscribe"]

    def is_dropped(self, to, **fields):
        delivery = self.ok(self.account.send({"to": to, **fields}), 201)["delivery_id"]
        ended = eventually(lambda: (lambda d: d if d["status"] == "SENT" else None)(
            self.account.detail(delivery)), f"the end of {delivery}")
        return ended["drop_count"] == 1

    def test_an_advertisement_has_it_and_no_other_mail(self):
        message = self.sent(self.address())
        link = self.link_of(message)
        self.assertIn(b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", message.octets)
        self.assertNotIn(b"leaver", link.lower().encode())
        for purpose in ("notice", "transactional"):
            self.assertNotIn(b"List-Unsubscribe", self.sent(self.address(), purpose).octets)
        own = self.sent(self.address(), list_unsubscribe={"url": "https://example.jp/out"})
        self.assertIn(b"<https://example.jp/out>", own.octets)
        self.assertNotIn(b"/unsubscribe/", own.octets)
        mailto = self.sent(self.address(), list_unsubscribe={"mailto": "mailto:out@example.jp"})
        self.link_of(mailto)
        self.assertIn(b"<mailto:out@example.jp>", mailto.octets)

    def test_one_click_stops_advertisements_and_nothing_else(self):
        to = self.address()
        link = self.link_of(self.sent(to))
        answer, _ = self.one_click(link)
        self.assertEqual(200, answer.status)
        self.assertIsNone(answer.getheader("Location"))
        self.assertIsNone(answer.getheader("Set-Cookie"))
        self.assertEqual([("advertisements", "")], self.opt_outs(to))
        self.assertTrue(self.is_dropped(to, purpose="advertisement"))
        self.assertFalse(self.is_dropped(to, purpose="transactional"))
        self.assertEqual(200, self.one_click(link)[0].status, "once more")
        self.assertEqual([("advertisements", "")], self.opt_outs(to))
        told = self.ok(self.account.request("GET", f"/events?kind[]=unsubscribed&email={to}"))["data"]
        self.assertEqual([("unsubscribed", to.lower())],
                         [(event["kind"], event["email"].lower()) for event in told])

    def test_the_link_in_the_texts_is_that_of_the_header(self):
        to = self.address()
        message = self.sent(to, text_part="Leave: __unsubscribe_url__",
                            html_part='<p><a href="__unsubscribe_url__">退会</a></p>')
        link = PUBLIC_URL + self.link_of(message)
        self.assertIn(f"Leave: {link}", message.get_body(("plain",)).get_content())
        self.assertIn(f'href="{link}"', message.get_body(("html",)).get_content())
        self.assertEqual(200, self.open("GET", self.link_of(message))[0].status)
        self.assertEqual([], self.opt_outs(to), "a scanner opens links")
        self.one_click(self.link_of(message))
        self.assertEqual([("advertisements", "")], self.opt_outs(to))

    def test_of_a_bulk_and_of_an_import_too(self):
        for name, add in (("bulk", lambda delivery, to: self.ok(self.account.request(
                "PUT", f"/deliveries/bulk/update/{delivery}", {"to": [{"email": to}]}))),
                          ("import", lambda delivery, to: self.imported(
                              f'"email"\r\n"{to}"\r\n'.encode(), {}, delivery))):
            with self.subTest(name):
                to = self.address()
                delivery = self.draft(text_part="Leave: __unsubscribe_url__")
                add(delivery, to)
                self.ok(self.account.request("PATCH",
                                             f"/deliveries/bulk/commit/{delivery}/immediate"))
                message = arrived(to)
                link = self.link_of(message)
                self.assertIn(PUBLIC_URL + link, message.get_body(("plain",)).get_content())
                self.assertIn(b"List-Unsubscribe-Post", message.octets)
                self.one_click(link)
                self.assertEqual([("advertisements", "")], self.opt_outs(to))

    def test_where_there_is_no_link_its_code_is_refused(self):
        for purpose in ("notice", "transactional", None):
            with self.subTest(purpose):
                self.refused(self.account.send({
                    "to": self.address(), "text_part": "__unsubscribe_url__",
                    **({"purpose": purpose} if purpose else {})}), "text_part")
        delivery = self.draft(text_part="__unsubscribe_url__")
        path = f"/deliveries/bulk/update/{delivery}"
        self.refused(self.account.request("PUT", path, {"purpose": "notice"}), "text_part")
        self.refused(self.account.send({
            "to": self.address(), "insert_code": [{"key": "__unsubscribe_url__", "value": "x"}]}),
            "insert_code", "0", "key")

    def test_the_same_as_a_form_in_parts(self):
        to = self.address()
        link = self.link_of(self.sent(to))
        body = (b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--b--\r\n")
        answer, _ = self.open("POST", link, body, **{"Content-Type": "multipart/form-data; boundary=b"})
        self.assertEqual(200, answer.status)
        self.assertEqual([("advertisements", "")], self.opt_outs(to))

    def test_a_list_is_left_alone(self):
        to = self.address()
        link = self.link_of(self.sent(to, list_id="weekly"))
        self.one_click(link)
        self.assertEqual([("list", "weekly")], self.opt_outs(to))
        self.assertTrue(self.is_dropped(to, purpose="advertisement", list_id="weekly"))
        self.assertFalse(self.is_dropped(to, purpose="advertisement", list_id="daily"))

    def test_whoever_only_looks_leaves_nothing(self):
        to = self.address()
        link = self.link_of(self.sent(to, list_id="weekly"))
        answer, page = self.open("GET", link)
        self.assertEqual(200, answer.status)
        self.assertEqual("no-store", answer.getheader("Cache-Control"))
        self.assertEqual("no-referrer", answer.getheader("Referrer-Policy"))
        self.assertIn("frame-ancestors 'none'", answer.getheader("Content-Security-Policy"))
        self.assertIn("le***@fast.example", page.lower())
        self.assertNotIn(to.lower(), page.lower())
        self.open("HEAD", link)
        for body in (b"", b"List-Unsubscribe=", b"List-Unsubscribe=no", b"form=x", b"x" * 9_000):
            answer, _ = self.open("POST", link, body, **{"Content-Type": URLENCODED})
            self.assertIn(answer.status, (400, 413), body[:40])
        self.assertEqual([], self.opt_outs(to))

    def test_the_pages_buttons(self):
        to = self.address()
        link = self.link_of(self.sent(to, list_id="weekly"))
        _, page = self.open("GET", link, **{"Accept-Language": "ja"})
        self.assertIn('lang="ja"', page)
        self.assertIn("リスト「weekly」だけ停止する", page)
        only_list, everything = BUTTON.findall(page)
        _, page = self.press(link, only_list)
        self.assertEqual([("list", "weekly")], self.opt_outs(to))
        undo, = BUTTON.findall(page)
        self.assertEqual(200, self.press(link, undo)[0].status)
        self.assertEqual([], self.opt_outs(to))
        self.assertFalse(self.is_dropped(to, purpose="advertisement", list_id="weekly"))
        self.press(link, everything)
        self.assertEqual([("advertisements", "")], self.opt_outs(to))

    def test_whoever_left_by_one_click_reads_so_and_may_take_it_back(self):
        to = self.address()
        link = self.link_of(self.sent(to, list_id="weekly"))
        self.one_click(link)
        _, page = self.open("GET", link)
        self.assertIn("You are unsubscribed already", page)
        everything, undo = BUTTON.findall(page)
        self.assertEqual([("list", "weekly")], self.opt_outs(to), "looking changes nothing")
        self.assertIn("You get this mail again", self.press(link, undo)[1])
        self.assertEqual([], self.opt_outs(to))
        _, page = self.press(link, everything)
        self.press(link, everything)
        _, again = self.open("GET", link, **{"Accept-Language": "ja"})
        self.assertIn("すでに配信を停止しています", again)
        undo, = BUTTON.findall(again)
        self.assertEqual(200, self.press(link, undo)[0].status)
        self.assertEqual([], self.opt_outs(to))

    def test_undo_takes_back_what_it_did_and_no_more(self):
        to = self.address()
        link = self.link_of(self.sent(to, list_id="weekly"))
        _, page = self.open("GET", link)
        only_list, everything = BUTTON.findall(page)
        _, page = self.press(link, only_list)
        undo, = BUTTON.findall(page)
        self.press(link, everything)
        _, page = self.press(link, undo)
        self.assertIn("Undone in part", page)
        self.assertEqual([("advertisements", "")], self.opt_outs(to))
        _, page = self.press(link, undo)
        self.assertIn("There is nothing to undo", page)

    def test_who_has_left_very_many_lists_leaves_everything(self):
        to = self.address()
        rows = "".join(f"{to},unsubscribe,list{n}\n" for n in range(200))
        self.ok(self.account.multipart("POST", "/suppressions/import", [
            ('name="file"; filename="a.csv"', "text/csv",
             ("email,reason,list_id\n" + rows).encode())]))
        link = self.link_of(self.sent(to, list_id="weekly"))
        self.assertEqual(200, self.one_click(link)[0].status)
        self.assertIn(("advertisements", ""), self.opt_outs(to))
        self.assertTrue(self.is_dropped(to, purpose="advertisement", list_id="weekly"))

    def test_it_is_undone_a_few_times_a_day_and_no_more(self):
        to = self.address()
        link = self.link_of(self.sent(to))
        _, page = self.open("GET", link)
        leave, = BUTTON.findall(page)
        for _ in range(3):
            _, page = self.press(link, leave)
            undo, = BUTTON.findall(page)
            self.assertEqual(200, self.press(link, undo)[0].status)
        self.assertEqual(200, self.press(link, undo)[0].status, "there is nothing to undo")
        self.press(link, leave)
        self.assertEqual(429, self.press(link, undo)[0].status)
        self.assertEqual([("advertisements", "")], self.opt_outs(to), "who leaves always may")

    def test_a_button_of_another_link_does_nothing(self):
        victim, other = self.address(), self.address()
        link, others = self.link_of(self.sent(victim)), self.link_of(self.sent(other))
        _, page = self.open("GET", others)
        button, = BUTTON.findall(page)
        self.assertEqual(400, self.press(link, button)[0].status)
        self.assertEqual([], self.opt_outs(victim))

    def test_a_link_that_was_changed_is_none(self):
        to = self.address()
        link = self.link_of(self.sent(to))
        for changed in (link[:-1] + ("A" if link[-1] != "A" else "B"), link + "A", "/unsubscribe/x",
                        "/unsubscribe/" + "A" * 3_000, "/unsubscribe/%00"):
            self.assertIn(self.one_click(changed)[0].status, (400, 404), changed[:60])
            self.assertIn(self.open("GET", changed)[0].status, (400, 404), changed[:60])
        self.assertEqual([], self.opt_outs(to))

    def test_who_was_erased_is_not_brought_back_by_the_link(self):
        to = self.address()
        link = self.link_of(self.sent(to))
        self.one_click(link)
        self.stack.command("personal-data", "delete", to, "--yes")
        self.assertEqual(200, self.one_click(link)[0].status)
        listed = self.stack.command("suppression", "list", "--account", self.account.name)
        self.assertIn("erased:", listed)
        self.assertNotIn(to.lower(), listed.lower())
        self.assertTrue(self.is_dropped(to, purpose="advertisement"))

    def test_it_works_when_the_delivery_is_gone(self):
        to = self.address()
        delivery = self.ok(self.account.send({"to": to, "purpose": "advertisement"}), 201)
        link = self.link_of(arrived(to))
        number = delivery["delivery_id"]
        eventually(lambda: self.account.detail(number)["status"] == "SENT", f"the end of {number}")
        self.ok(self.account.request("DELETE", f"/deliveries/{number}"))
        answer, page = self.open("GET", link)
        self.assertEqual(200, answer.status)
        self.assertIn("gets mail from sender.example.", page)
        self.assertEqual(200, self.one_click(link)[0].status)
        self.assertEqual([("advertisements", "")], self.opt_outs(to))
