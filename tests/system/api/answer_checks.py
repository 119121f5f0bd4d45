# SPDX-License-Identifier: Apache-2.0
"""What answers look like: key sets, types, dates, ids, lists, downloads."""
import csv
import datetime
import io
import re
import urllib.parse
import zipfile

import door
from door import FROM, Checks, data_part, file_part, mail

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00\Z")
LIST_KEYS = {"delivery_id", "delivery_type", "status", "from", "subject", "created_time",
             "updated_time", "delivery_time", "reservation_time"}
COUNT_KEYS = {"total_count", "sent_count", "drop_count", "soft_error_count", "hard_error_count",
              "open_count"}
DETAIL_KEYS = LIST_KEYS | COUNT_KEYS | {"text_part", "html_part", "attaches"}
JST = datetime.timezone(datetime.timedelta(hours=9))


def query(**parameters):
    return "/deliveries?" + urllib.parse.urlencode(parameters, doseq=True)


class Details(Checks):
    def test_a_draft_has_exactly_the_keys_of_the_contract(self):
        delivery = self.draft(["a@fast.example"])
        detail = self.detail(delivery)
        self.assertEqual(DETAIL_KEYS, set(detail))
        self.assertEqual((delivery, "BULK", "EDIT"),
                         (detail["delivery_id"], detail["delivery_type"], detail["status"]))
        self.assertEqual(FROM, detail["from"])
        self.assertEqual(("件名", "本文", ""),
                         (detail["subject"], detail["text_part"], detail["html_part"]))
        self.assertIsNone(detail["delivery_time"])
        self.assertIsNone(detail["reservation_time"])
        self.assertEqual([], detail["attaches"])
        for key in COUNT_KEYS:
            self.assertEqual(1 if key == "total_count" else 0, detail[key], key)
        for key in ("created_time", "updated_time"):
            self.assertRegex(detail[key], DATE)
            age = datetime.datetime.now(JST) - datetime.datetime.fromisoformat(detail[key])
            self.assertLess(abs(age.total_seconds()), 60)

    def test_a_sent_transaction_has_its_time_and_counts(self):
        delivery = self.accepted(self.send(
            {"from": {"email": "shop@sender.example"}, "cc": ["sent2@fast.example"],
             "to": "sent1@fast.example"}))
        detail = door.eventually(lambda: (lambda d: d if d["status"] == "SENT" else None)(
            self.detail(delivery)), "SENT")
        self.assertEqual(DETAIL_KEYS, set(detail))
        self.assertEqual("TRANSACTION", detail["delivery_type"])
        self.assertEqual({"email": "shop@sender.example", "name": ""}, detail["from"])
        self.assertRegex(detail["delivery_time"], DATE)
        self.assertEqual((2, 2), (detail["total_count"], detail["sent_count"]))

    def test_attachments_are_listed(self):
        content = {"from": FROM, "subject": "s", "text_part": "t"}
        answer = self.multipart("POST", "/deliveries/bulk/begin", [
            data_part(content), file_part("一覧.pdf", b"%PDF" * 10, "application/pdf"),
            file_part("b.txt", b"", "text/plain")])
        delivery = self.ok(answer, 201)["delivery_id"]
        attaches = self.detail(delivery)["attaches"]
        self.assertEqual([("一覧.pdf", "application/pdf", 40), ("b.txt", "text/plain", 0)],
                         [(a["file_name"], a["mime"], a["size"]) for a in attaches])
        for attached in attaches:
            self.assertEqual({"delivery_attach_id", "file_name", "mime", "size", "created_time",
                              "updated_time"}, set(attached))
            self.assertIsInstance(attached["delivery_attach_id"], int)
            self.assertRegex(attached["created_time"], DATE)
        self.ok(self.delete(f"/deliveries/{delivery}"))

    def test_a_recipient_has_exactly_its_keys(self):
        delivery = self.draft()
        codes = [{"key": "__name__", "value": "山田"}, {"key": "%%no%%", "value": ""}]
        added = self.ok(self.post(f"/deliveries/{delivery}/emails", {
            "email": "Yamada@Fast.Example", "insert_code": codes}), 201)
        self.assertEqual(["email_id"], list(added))
        email = added["email_id"]
        found = self.ok(self.get(f"/deliveries/-/emails/{email}"))
        self.assertEqual({"email_id", "email", "delivery_id", "insert_code", "created_time",
                          "updated_time"}, set(found))
        self.assertEqual((email, "Yamada@fast.example", delivery, codes),
                         (found["email_id"], found["email"], found["delivery_id"],
                          found["insert_code"]))
        self.assertRegex(found["created_time"], DATE)
        changed = self.ok(self.put(f"/deliveries/-/emails/{email}",
                                   {"email": "sato@fast.example"}))
        self.assertEqual({"email_id": email}, changed)
        found = self.ok(self.get(f"/deliveries/-/emails/{email}"))
        self.assertEqual(("sato@fast.example", []), (found["email"], found["insert_code"]))
        gone = self.ok(self.delete(f"/deliveries/-/emails/{email}"))
        self.assertEqual({"email_id": email}, gone)
        self.refused(self.get(f"/deliveries/-/emails/{email}"), status=404)
        self.assertEqual(0, self.detail(delivery)["total_count"])

    def test_ids_are_positive_and_below_two_to_the_31st(self):
        delivery = self.draft(["a@fast.example"])
        email = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": "b@fast.example"}), 201)["email_id"]
        for number in (delivery, email):
            self.assertTrue(0 < number < 2**31)
        self.assertGreater(self.draft(), delivery)

    def test_every_answer_has_a_content_type_and_json(self):
        delivery = self.draft(["a@fast.example"])
        self.assertEqual({"delivery_id": delivery}, self.ok(self.account.request(
            "PUT", f"/deliveries/bulk/update/{delivery}", {"subject": "新しい件名"})))
        self.assertEqual({"delivery_id": delivery}, self.ok(self.account.request(
            "PATCH", f"/deliveries/bulk/commit/{delivery}",
            {"reservation_time": "2027-05-01T10:00:00+09:00"})))
        self.assertEqual({"delivery_id": delivery}, self.ok(self.account.request(
            "PATCH", f"/deliveries/{delivery}/cancel")))
        self.assertEqual({"delivery_id": delivery}, self.ok(self.account.request(
            "DELETE", f"/deliveries/{delivery}")))
        self.refused(self.get(f"/deliveries/{delivery}"), status=404)

    def test_update_changes_only_what_is_given(self):
        delivery = self.draft(["a@fast.example"], html_part="<p>h</p>")
        before = self.detail(delivery)
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {}))
        for change, key, value in (({"subject": "s2"}, "subject", "s2"),
                                   ({"text_part": "t2"}, "text_part", "t2"),
                                   ({"html_part": ""}, "html_part", ""),
                                   ({"from": {"email": "n@sender.example", "name": None}}, "from",
                                    {"email": "n@sender.example", "name": ""}),
                                   ({"to": []}, "total_count", 0),
                                   ({"to": [{"email": "b@fast.example"}]}, "total_count", 1)):
            self.ok(self.put(f"/deliveries/bulk/update/{delivery}", change))
            before[key] = value
            after = self.detail(delivery)
            self.assertEqual({**before, "updated_time": after["updated_time"]}, after, change)


class Dates(Checks):
    def reserve(self, text):
        delivery = self.draft(["a@fast.example"])
        answer = self.patch(f"/deliveries/bulk/commit/{delivery}",
                            {"reservation_time": text})
        return delivery, answer

    def test_reservation_times_are_read_in_every_form(self):
        for text in ("2027-03-01T10:00:00+09:00", "2027-03-01T01:00:00Z",
                     "2027-03-01T01:00:00.000Z", "2027-03-01T10:00:00", "2027-03-01T10:00",
                     "2027-02-28T20:00:00-05:00", "2027-03-01 10:00:00", "2027-03-01T10:00:00+0900",
                     "2027-03-01T10:00:00.123456+09:00", "2027-03-01T10:00:00 09:00"):
            with self.subTest(text):
                delivery, answer = self.reserve(text)
                self.ok(answer)
                detail = self.detail(delivery)
                self.assertEqual(("RESERVE", "2027-03-01T10:00:00+09:00"),
                                 (detail["status"], detail["reservation_time"]))
                self.ok(self.delete(f"/deliveries/{delivery}"))

    def test_what_is_no_time_is_refused_and_the_draft_stays(self):
        for text in ("tomorrow", "2027-13-01T00:00:00Z", "2027-02-30T00:00:00Z",
                     "2027-03-01T25:00:00Z", "2027-03-01T10:00:00+9", "1772326800",
                     "2027-03-01T10:00:00Zjunk", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z",
                     1772326800, True, ["2027-03-01"], {}, "", None):
            with self.subTest(text):
                delivery, answer = self.reserve(text)
                self.refused(answer, "reservation_time")
                detail = self.detail(delivery)
                self.assertEqual(("EDIT", None), (detail["status"], detail["reservation_time"]))
                self.ok(self.delete(f"/deliveries/{delivery}"))

    def test_a_time_just_passed_is_taken(self):
        now = datetime.datetime.now(JST).isoformat(timespec="seconds")
        delivery, answer = self.reserve(now)
        self.ok(answer)
        door.eventually(lambda: self.detail(delivery)["status"] == "SENT", "SENT")


class Lists(Checks):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        account = cls.account
        cls.drafts = []
        for number in range(3):
            answer = account.request("POST", "/deliveries/bulk/begin", mail(
                to=..., subject=f"bulk 100% _{number}", html_part=f"<b>太字{number}</b>",
                text_part="本文が長い" * 10,
                list_unsubscribe={"mailto": f"mailto:out{number}@sender.example",
                                  "url": f"https://sender.example/out/{number}"}))
            cls.drafts.append(answer.json["delivery_id"])
        account.request("PUT", f"/deliveries/bulk/update/{cls.drafts[0]}",
                        {"to": [{"email": "a@fast.example"}]})
        account.request("PATCH", f"/deliveries/bulk/commit/{cls.drafts[0]}",
                        {"reservation_time": "2027-07-01T00:00:00+09:00"})
        cls.transaction = account.send({"subject": "single",
                                        "from": {"email": "one@sender.example"}}
                                       ).json["delivery_id"]
        door.eventually(lambda: account.detail(cls.transaction)["status"] == "SENT", "SENT")

    def found(self, path):
        answer = self.ok(self.get(path))
        self.assertEqual(["data"], list(answer))
        return [entry["delivery_id"] for entry in answer["data"]]

    def test_entries_have_exactly_the_keys_of_the_contract(self):
        for path in ("/deliveries", "/deliveries/all"):
            data = self.ok(self.get(path))["data"]
            self.assertEqual(4, len(data))
            for entry in data:
                self.assertEqual(LIST_KEYS, set(entry))
                self.assertEqual({"email", "name"}, set(entry["from"]))
                self.assertRegex(entry["created_time"], DATE)

    def test_entries_say_what_became_of_each_where_that_is_asked_for(self):
        data = self.ok(self.get("/deliveries/all?with_outcome=true"))["data"]
        counts = {"total_count", "sent_count", "drop_count", "soft_error_count", "hard_error_count"}
        for entry in data:
            self.assertEqual(LIST_KEYS | counts | {"state", "to"}, set(entry))
            self.assertEqual(entry["delivery_type"] == "BULK", entry["to"] is None)
        single = next(entry for entry in data if entry["delivery_id"] == self.transaction)
        self.assertEqual(("sent", 1, 1, 0), (single["state"], single["total_count"],
                                             single["sent_count"], single["hard_error_count"]))
        self.assertEqual(400, self.get("/deliveries/all?with_outcome=yes").status)

    def test_texts_match_as_substrings_without_patterns(self):
        first, second, third = self.drafts
        for parameters, expected in (({"subject": "_1"}, [second]),
                                     ({"subject": "100%"}, self.drafts),
                                     ({"subject": "0% _2"}, [third]), ({"subject": "b_lk"}, []),
                                     ({"subject": "%"}, self.drafts),
                                     ({"html_part": "太字0"}, [first]),
                                     ({"text_part": "長い本文"}, self.drafts),
                                     ({"from": "one@"}, [self.transaction]),
                                     ({"list_unsubscribe_url": "/out/2"}, [third]),
                                     ({"list_unsubscribe_mailto": "out1@"}, [second]),
                                     ({"subject": "bulk", "html_part": "0"}, [first]),
                                     ({"subject": "'; DROP TABLE delivery; --"}, [])):
            with self.subTest(parameters):
                self.assertEqual(sorted(expected), sorted(self.found(query(**parameters))))

    def test_arrays_are_taken_in_every_spelling(self):
        first, second, third = self.drafts
        for text in ("status[]=EDIT&status[]=SENT", "status%5B%5D=EDIT&status%5B%5D=SENT",
                     "status=EDIT&status=SENT", "status[0]=EDIT&status[1]=SENT",
                     "status=%5B%27EDIT%27%2C+%27SENT%27%5D", "status=['EDIT',%20'SENT']",
                     "status=EDIT,SENT", "status[]=EDIT&status[]=SENT&status[]=HARDERROR"):
            with self.subTest(text):
                self.assertEqual({second, third, self.transaction},
                                 set(self.found(f"/deliveries?{text}")))

    def test_types(self):
        for text, expected in (("delivery_type[]=BULK", set(self.drafts)),
                               ("delivery_type=TRANSACTION", {self.transaction}),
                               ("delivery_type[]=ALL", {*self.drafts, self.transaction}),
                               ("delivery_type[]=BULK&delivery_type[]=ALL",
                                {*self.drafts, self.transaction}),
                               ("delivery_type[]=SMTP&delivery_type[]=BULK", set(self.drafts)),
                               ("delivery_type[]=SMTP", set())):
            with self.subTest(text):
                for path in ("/deliveries", "/deliveries/all"):
                    self.assertEqual(expected, set(self.found(f"{path}?{text}")))

    def test_unknown_parameters_and_an_empty_query_are_ignored(self):
        everything = set(self.found("/deliveries"))
        for text in ("?", "?&&", "?nothing=1&x[]=2", "?status[]=NONSENSE", "?subject=", "?sort="):
            with self.subTest(text):
                self.assertEqual(everything, set(self.found("/deliveries" + text)))

    def test_pages(self):
        everything = self.found("/deliveries")
        self.assertEqual(sorted(everything, reverse=True), everything)
        self.assertEqual(everything[:2], self.found("/deliveries?size=2"))
        self.assertEqual(everything[2:], self.found("/deliveries?size=2&page=2"))
        self.assertEqual([], self.found("/deliveries?size=2&page=3"))
        self.assertEqual([], self.found("/deliveries?size=1000&page=1000"))
        for name, value in (("size", "0"), ("size", "1001"), ("page", "0"), ("page", "1001"),
                            ("size", "ten"), ("size", "-1"), ("page", "1.5"),
                            ("size", "99999999999999999999")):
            with self.subTest(f"{name}={value}"):
                self.refused(self.get(f"/deliveries?{name}={value}"), name)

    def test_sorting(self):
        self.assertEqual(self.transaction, self.found("/deliveries?sort=delivery_time:desc")[0])
        self.found("/deliveries?sort=delivery_time:asc,updated_time:desc")
        self.found("/deliveries?sort=delivery_time%3Aasc%2Cupdated_time%3Adesc")
        by_update = self.found("/deliveries?sort=updated_time:asc")
        self.assertEqual(by_update[-1:], self.found("/deliveries?sort=updated_time:desc&size=1"))
        self.refused(self.get("/deliveries?sort=subject:asc"), "sort")

    def test_periods_are_inclusive_and_take_every_date(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        started = self.detail(self.transaction)["delivery_time"]
        at = datetime.datetime.fromisoformat(started)
        for start in (started, urllib.parse.quote(started), at.astimezone(
                datetime.timezone.utc).isoformat().replace("+00:00", ".000Z"), "2020-01-01"):
            with self.subTest(start):
                self.assertEqual([self.transaction],
                                 self.found(f"/deliveries?delivery_start={start}"))
        end = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual([self.transaction], self.found(f"/deliveries?delivery_end={end}"))
        self.assertEqual([], self.found("/deliveries?delivery_end=2020-01-01"))
        self.assertEqual([], self.found(f"/deliveries?delivery_start={end}"))
        self.refused(self.get("/deliveries?delivery_start=soon"),
                     "delivery_start")

    def test_lengths_of_search_texts(self):
        for name, limit in (("text_part", 300), ("html_part", 300), ("subject", 30), ("from", 254),
                            ("list_unsubscribe_url", 450), ("list_unsubscribe_mailto", 450)):
            with self.subTest(name):
                self.assertEqual([], self.found(query(**{name: "語" * limit})))
                self.refused(self.get(query(**{name: "語" * (limit + 1)})), name)
        for name in ("status", "delivery_type"):
            self.found("/deliveries?" + "&".join([f"{name}[]=ALL"] * 10))
            self.refused(self.account.request(
                "GET", "/deliveries?" + "&".join([f"{name}[]=ALL"] * 11)), name)


class Downloads(Checks):
    CSV = ('email,__name__\r\nok@fast.example,"良い"\r\nbad,"悪い, ""人"""\r\n').encode()

    def test_the_status_of_a_job_without_errors_has_no_error_file(self):
        delivery, job = self.imported(b"email\na@fast.example\n")
        answer = self.ok(self.account.job(job["job_id"]))
        self.assertEqual({"percentage": 100, "status": "FINISHED", "success_count": 1,
                          "failed_count": 0, "total_count": 1}, answer)
        download = self.account.request(
            "GET", f"/deliveries/-/emails/import/{job['job_id']}/errorinfo/download")
        self.refused(download, status=404, text="no data found.")

    def test_a_link_leads_nowhere_that_a_request_has_chosen(self):
        _, job = self.imported(self.CSV, {"ignore_errors": True})
        own = f"127.0.0.1:{self.account.stack.api_port}"
        for host, expected in (("evil.example", own), ("evil.example:8025", own),
                               ("127.0.0.1.evil.example", own), ("198.51.100.7", own), (own, own),
                               (f"localhost:{self.account.stack.api_port}",
                                f"localhost:{self.account.stack.api_port}")):
            with self.subTest(host):
                answer = self.get(f"/deliveries/-/emails/import/{job['job_id']}",
                                  headers={"Host": host, "X-Forwarded-Host": "evil.example"})
                url = urllib.parse.urlsplit(self.ok(answer)["error_file_url"])
                self.assertEqual(("http", expected), (url.scheme, url.netloc))
        refused = self.get(f"/deliveries/-/emails/import/{job['job_id']}",
                           headers={"Host": "127.0.0.1@evil.example"})
        self.assertEqual(400, refused.status)

    def test_the_error_file_is_a_zip_with_one_quoted_csv(self):
        delivery, job = self.imported(self.CSV, {"ignore_errors": True})
        answer = self.ok(self.account.job(job["job_id"]))
        self.assertEqual({"percentage", "status", "success_count", "failed_count", "total_count",
                          "error_file_url"}, set(answer))
        self.assertEqual(("FINISHED", 1, 1, 2), (answer["status"], answer["success_count"],
                                                 answer["failed_count"], answer["total_count"]))
        url = urllib.parse.urlsplit(answer["error_file_url"])
        self.assertEqual(("http", f"127.0.0.1:{self.account.stack.api_port}"),
                         (url.scheme, url.netloc))
        download = door.ask(url.port, "GET", url.path, None,
                            {"Authorization": f"Bearer {self.account.token}"})
        self.assertEqual(200, download.status)
        self.assertEqual("application/zip", download.headers["content-type"])
        with zipfile.ZipFile(io.BytesIO(download.body)) as archive:
            self.assertEqual(1, len(archive.namelist()))
            self.assertIsNone(archive.testzip())
            octets = archive.read(archive.namelist()[0])
        text = octets.decode("utf-8")
        self.assertTrue(text.startswith('"エラーメッセージ","email","__name__"\r\n'), text)
        self.assertTrue(text.endswith("\r\n"))
        self.assertNotIn("\n", text.replace("\r\n", ""))
        rows = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual(["bad", '悪い, "人"'], rows[1][1:])
        self.assertRegex(rows[1][0], r"^\[.*email.*\]$")
        self.assertEqual(2, len(rows))
        self.refused(door.ask(url.port, "GET", url.path, None, {}), status=401)
        stranger = door.new_account("stranger")
        self.refused(stranger.request("GET", url.path.removeprefix("/api/v1")), status=404)
