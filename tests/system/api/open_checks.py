# SPDX-License-Identifier: Apache-2.0
"""Openings: the image in a mail as it arrived, what a request for it counts, and the report."""
import csv
import http.client
import io
import re
import zipfile

import door
from door import Account, Checks, arrived, eventually

PUBLIC_URL = "https://mail.example.jp"
READER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE = "Mozilla/5.0"
IMAGE = re.compile(re.escape(f'<img src="{PUBLIC_URL}/open/') + r'([A-Za-z0-9_-]+)" ')


class Tracking:
    """An installation that is reached over https, whose receivers keep every mail."""

    def start_sink(self):
        (self.directory / "mails").mkdir()
        self.sink_config.append(f'store_directory = "{self.directory}/mails"')
        super().start_sink()

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace(
            "[api]", f'[api]\npublic_url = "{PUBLIC_URL}/"', 1))


class Opens(Checks):
    @classmethod
    def setUpClass(cls):
        cls.shared = door.world.stack
        cls.addClassCleanup(setattr, door.world, "stack", cls.shared)
        cls.stack = cls.enterClassContext(door.world.stack_like(Tracking))
        door.world.stack = cls.stack
        cls.account = Account(cls.stack, "opens")
        cls.numbers = iter(range(1_000))

    def address(self):
        return f"reader{next(self.numbers)}@fast.example"

    def load(self, token, agent=READER, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.api_port, timeout=60)
        try:
            connection.putrequest(method, f"/open/{token}", skip_accept_encoding=True)
            if agent is not None:
                connection.putheader("User-Agent", agent)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def sent(self, html="<html><body><p>お知らせ</p></body></html>", account=None, to=None, **fields):
        """(delivery, address, html as it arrived) of a transaction."""
        to = to or self.address()
        answer = (account or self.account).send({"to": to, "html_part": html, **fields})
        delivery = self.ok(answer, 201)["delivery_id"]
        return delivery, to, self.html_of(arrived(to))

    @staticmethod
    def html_of(message):
        part = message.get_body(("html",))
        return part.get_content() if part is not None else ""

    def token_of(self, html):
        return IMAGE.search(html).group(1)

    def counts(self, delivery, **wanted):
        def there():
            counts = self.ok(self.get(f"/deliveries/{delivery}/opens"))
            return counts if wanted.items() <= counts.items() else None
        return eventually(there, f"counts {wanted}")

    def opened(self, delivery):
        return [event for event in self.ok(self.get(
            f"/events?count=1000&kind=opened&delivery_id={delivery}"))["data"]]

    def test_the_image_is_in_the_html_alone_before_the_end_of_its_body(self):
        delivery, to, html = self.sent(text_part="本文だけ")
        self.assertRegex(html.replace("\n", ""),
                         "^<html><body><p>お知らせ</p><img src=\"[^\"]*\" width=\"1\" "
                         "height=\"1\" alt=\"\" border=\"0\">\r?</body></html>")
        message = arrived(to)
        self.assertNotIn("/open/", message.get_body(("plain",)).get_content())
        self.assertNotIn(to.encode(), re.search(rb"/open/[^\"]*", html.encode()).group(0))
        only_text = self.address()
        self.ok(self.account.send({"to": only_text}), 201)
        self.assertNotIn(b"/open/", arrived(only_text).octets)
        # What is shown as sent is what was sent, but for what the receiver put before it.
        log = self.row_of(delivery)
        shown = self.account.request(
            "GET", f"/deliveries/-/emails/{log['maillog_id']}/message.eml").body
        self.assertTrue(message.octets.endswith(shown), (message.octets, shown))

    def row_of(self, delivery):
        def there():
            rows = self.ok(self.get(f"/logs/mails/results?delivery_id={delivery}"))["data"]
            return rows[0] if rows else None
        return eventually(there, "a row in the log")

    def test_loading_it_is_an_opening(self):
        delivery, to, html = self.sent()
        row = self.row_of(delivery)
        self.assertIsNone(row["open_time"])
        self.assertEqual(0, self.account.detail(delivery)["open_count"])
        self.assertEqual({"delivery_id": delivery, "open_tracking": True, "opened": 0,
                          "prefetched": 0}, self.counts(delivery))
        answer, body = self.load(self.token_of(html))
        self.assertEqual((200, 43, b"GIF89a"), (answer.status, len(body), body[:6]))
        self.assertEqual("image/gif", answer.getheader("Content-Type"))
        self.assertEqual("no-store", answer.getheader("Cache-Control"))
        self.assertIsNone(answer.getheader("Set-Cookie"))
        self.counts(delivery, opened=1, prefetched=0)
        self.assertEqual(1, self.account.detail(delivery)["open_count"])
        row = self.row_of(delivery)
        self.assertRegex(row["open_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$")
        detail = self.ok(self.get(f"/logs/mails/{row['maillog_id']}"))
        self.assertEqual(row["open_time"], detail["open_time"])
        # Again within the hour: nothing more.
        for agent in (READER, GMAIL):
            self.load(self.token_of(html), agent)
        event, = self.opened(delivery)
        self.assertEqual((to, "reader", row["maillog_id"]),
                         (event["email"], event["opened_by"], event["maillog_id"]))
        other, _, html = self.sent()
        self.load(self.token_of(html))
        self.counts(other, opened=1)
        self.assertEqual(1, len(self.opened(delivery)), "one an hour")

    def test_who_loads_beforehand_is_no_reader(self):
        delivery, _, html = self.sent()
        self.load(self.token_of(html), APPLE)
        self.counts(delivery, opened=0, prefetched=1)
        self.assertEqual(0, self.account.detail(delivery)["open_count"])
        self.assertIsNone(self.row_of(delivery)["open_time"])
        self.load(self.token_of(html), GMAIL)
        self.counts(delivery, opened=1, prefetched=1)
        self.assertEqual(["prefetch", "image_proxy"],
                         [event["opened_by"] for event in self.opened(delivery)])

    def test_each_copy_has_its_own_image(self):
        to, cc, bcc = (self.address() for _ in range(3))
        delivery = self.ok(self.account.send({"to": to, "cc": [cc], "bcc": [bcc],
                                              "html_part": "<p>x</p>"}), 201)["delivery_id"]
        tokens = {one: self.token_of(self.html_of(arrived(one))) for one in (to, cc, bcc)}
        self.assertEqual(3, len(set(tokens.values())))
        self.load(tokens[bcc])
        self.counts(delivery, opened=1)
        self.assertEqual([bcc], [event["email"] for event in self.opened(delivery)])

    def test_the_answer_tells_nothing(self):
        _, _, html = self.sent()
        token = self.token_of(html)
        right, image = self.load(token)
        headers = {name for name, _ in right.getheaders()}
        for wrong in ("x", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), "A" * 5_000,
                      "a/b/c", token + "?x=1"):
            answer, body = self.load(wrong)
            self.assertEqual((200, image), (answer.status, body), wrong)
            self.assertEqual(headers, {name for name, _ in answer.getheaders()})
        answer, body = self.load(token, method="HEAD")
        self.assertEqual((200, b"", "43"), (answer.status, body, answer.getheader("Content-Length")))
        self.assertEqual(405, self.load(token, method="POST", Content_Length="0")[0].status)

    def test_a_head_opens_nothing(self):
        delivery, _, html = self.sent()
        self.load(self.token_of(html), method="HEAD")
        later, _, html = self.sent()
        self.load(self.token_of(html))
        self.counts(later, opened=1)
        self.assertEqual(0, self.counts(delivery)["opened"])

    def test_it_is_off_for_a_delivery_or_an_account_that_wants_none(self):
        delivery, _, html = self.sent(open_tracking=False)
        self.assertNotIn("/open/", html)
        self.assertFalse(self.counts(delivery)["open_tracking"])
        quiet = Account(self.stack, "quiet")
        self.stack.command("account", "open-tracking", "quiet", "off")

        def off():
            to = self.address()
            self.ok(quiet.send({"to": to, "html_part": "<p>x</p>"}), 201)
            return "/open/" not in self.html_of(arrived(to))
        eventually(off, "mail without the image")
        self.assertIn("/open/", self.sent(account=quiet, open_tracking=True)[2])
        self.refused(self.account.send({"html_part": "<p>x</p>", "open_tracking": "perhaps"}),
                     "open_tracking")

    def test_without_https_no_mail_has_it(self):
        stack, door.world.stack = door.world.stack, self.shared
        try:
            account = Account(self.shared, "plain")
            to = "plain@fast.example"
            self.ok(account.send({"to": to, "html_part": "<p>x</p>", "open_tracking": True}), 201)
            self.assertNotIn(b"/open/", arrived(to).octets)
        finally:
            door.world.stack = stack

    def report(self, delivery, **headers):
        job = self.ok(self.account.request(
            "POST", f"/deliveries/{delivery}/analysis/report", headers=headers), 201)["job_id"]
        path = f"/deliveries/-/analysis/report/{job}"
        status = eventually(lambda: (lambda s: s if s["percentage"] == 100 else None)(
            self.ok(self.get(path))), "the report")
        self.assertEqual("FINISHED", status["status"])
        self.assertEqual(f"{PUBLIC_URL}/api/v1{path}/download", status["mail_open_file_url"])
        answer = self.get(f"{path}/download")
        self.assertEqual((200, "application/zip"),
                         (answer.status, answer.headers["content-type"]))
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        name, = archive.namelist()
        rows = list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))
        return status, rows

    def test_the_report_has_a_row_for_each_who_opened(self):
        to, cc = self.address(), self.address()
        delivery = self.ok(self.account.send({"to": to, "cc": [cc], "bcc": [self.address()],
                                              "html_part": "<p>x</p>"}), 201)["delivery_id"]
        self.load(self.token_of(self.html_of(arrived(to))))
        self.load(self.token_of(self.html_of(arrived(cc))), APPLE)
        self.counts(delivery, opened=1, prefetched=1)
        status, rows = self.report(delivery)
        self.assertEqual(["id", "email", "open_time", "last_open_time", "open_times",
                          "prefetch_time"], rows[0])
        self.assertEqual(2, status["total_count"])
        told = {row[1]: row[2:] for row in rows[1:]}
        self.assertEqual({to, cc}, set(told))
        self.assertRegex(told[to][0], r"\+09:00$")
        self.assertEqual((told[to][0], "1", ""), (told[to][1], told[to][2], told[to][3]))
        self.assertEqual(["", "", "0"], told[cc][:3])
        self.assertRegex(told[cc][3], r"\+09:00$")
        unread, _, _ = self.sent()
        status, rows = self.report(unread, **{"Accept-Language": "ja-JP"})
        self.assertEqual((0, 1), (status["total_count"], len(rows)))
        self.assertEqual("メールアドレス", rows[0][1])

    def test_another_accounts_deliveries_and_jobs_are_not_found(self):
        delivery, _, _ = self.sent()
        job = self.ok(self.account.request("POST", f"/deliveries/{delivery}/analysis/report"),
                      201)["job_id"]
        stranger = Account(self.stack, "stranger")
        for method, path in (("GET", f"/deliveries/{delivery}/opens"),
                             ("POST", f"/deliveries/{delivery}/analysis/report"),
                             ("GET", f"/deliveries/-/analysis/report/{job}"),
                             ("GET", f"/deliveries/-/analysis/report/{job}/download")):
            self.assertEqual(404, stranger.request(method, path).status, path)
