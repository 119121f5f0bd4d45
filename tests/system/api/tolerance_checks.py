# SPDX-License-Identifier: Apache-2.0
"""Section 6.14 of the contract: what clients in the wild send and must be understood."""
import json

import door
from door import FROM, JSON, Checks, Raw, data_part, draft, file_part, form, mail


class Bodies(Checks):
    EMPTY = {"none": None, "empty": b"", "object": b"{}", "null": b"null", "spaces": b" \r\n "}

    def test_calls_that_need_no_body_take_any(self):
        for name, body in {**self.EMPTY, "something": b'{"x":[1]}'}.items():
            with self.subTest(name):
                delivery = self.draft(["a@fast.example"])
                self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}",
                                   {"reservation_time": "2027-06-01T00:00:00Z"}))
                self.ok(self.patch(f"/deliveries/{delivery}/cancel", body))
                self.ok(self.get(f"/deliveries/{delivery}", body))
                self.ok(self.get("/deliveries?", body))
                email = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                          {"email": "b@fast.example"}), 201)["email_id"]
                self.ok(self.delete(f"/deliveries/-/emails/{email}", body))
                self.ok(self.delete(f"/deliveries/{delivery}", body))

    def test_immediate_commit_takes_every_body(self):
        for name, body in self.EMPTY.items():
            with self.subTest(name):
                delivery = self.draft(["a@fast.example"])
                self.assertEqual({"delivery_id": delivery}, self.ok(self.account.request(
                    "PATCH", f"/deliveries/bulk/commit/{delivery}/immediate", body)))

    def test_a_commit_without_a_time_names_the_field(self):
        delivery = self.draft(["a@fast.example"])
        for name, body in self.EMPTY.items():
            with self.subTest(name):
                self.refused(self.patch(f"/deliveries/bulk/commit/{delivery}", body),
                             "reservation_time")

    def test_an_update_without_a_body_changes_nothing(self):
        delivery = self.draft(["a@fast.example"])
        for name, body in self.EMPTY.items():
            with self.subTest(name):
                self.ok(self.put(f"/deliveries/bulk/update/{delivery}", body))
        self.assertEqual(1, self.detail(delivery)["total_count"])

    def test_json_body_on_get_and_bare_question_marks(self):
        delivery = self.draft()
        self.ok(self.get("/deliveries?size=1", {"size": 1}))
        self.ok(self.get(f"/deliveries/{delivery}?", {"delivery_id": delivery}))
        self.ok(self.get(f"/deliveries/{delivery}?"))
        self.ok(self.delete(f"/deliveries/{delivery}?"))

    def test_no_length_at_all_means_no_body(self):
        delivery = self.draft(["a@fast.example"])
        with Raw(self.account.stack.api_port) as raw:
            raw.send(door.head(self.account, "PATCH",
                               f"/deliveries/bulk/commit/{delivery}/immediate"))
            self.ok(raw.answer())

    def test_chunked_json(self):
        body = json.dumps(mail()).encode()
        with Raw(self.account.stack.api_port) as raw:
            raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                               "Transfer-Encoding: chunked", "Content-Type: application/json"))
            for octet in range(0, len(body), 7):
                piece = body[octet:octet + 7]
                raw.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            raw.send(b"0\r\n\r\n")
            self.accepted(raw.answer())

    def test_escaped_and_spaced_json_with_a_byte_order_mark(self):
        body = b"\xef\xbb\xbf\r\n" + json.dumps(mail(), indent=2,
                                                ensure_ascii=True).encode() + b"\n"
        self.accepted(self.post("/deliveries/transaction", body))

    def test_unknown_members_and_headers_are_ignored(self):
        self.accepted(self.send({"nothing": {"x": [1]}, "tags": None}, headers={
            "X-Blastengine-Client": "mcp", "X-Blastengine-Client-Version": "1",
            "X-Blastengine-MCP-Tool": "t", "X-Blastengine-MCP-Mode": "m", "Accept": "text/html"}))

    def test_cancel_has_an_alias(self):
        delivery = self.draft(["a@fast.example"])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}",
                           {"reservation_time": "2027-06-01T00:00:00Z"}))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/cancel"))
        self.assertEqual("EDIT", self.detail(delivery)["status"])


class ContentTypes(Checks):
    def test_json_by_any_name(self):
        for content_type in (JSON, "application/json; charset=UTF-8", "application/json;",
                             "application/json ; charset=\"utf-8\" ;", "APPLICATION/JSON", None,
                             "text/plain", "text/json", "", ";", "nonsense"):
            with self.subTest(content_type):
                self.accepted(self.send({}, content_type=content_type))

    def test_other_types_and_encodings_are_told_what_to_send(self):
        for content_type in ("application/x-www-form-urlencoded", "text/xml"):
            with self.subTest(content_type):
                answer = self.send({}, content_type=content_type)
                self.assertIn("send application/json", self.container_error(answer, 415))
        answer = self.send({}, headers={"Content-Encoding": "gzip"})
        self.assertIn("'gzip' not supported", self.container_error(answer, 415))
        self.assertEqual("identity", answer.headers["accept-encoding"])
        for more in ({"content_type": "text/xml"}, {"headers": {"Content-Encoding": "gzip"}}):
            headers = {**more.pop("headers", {}), "Accept-Language": "ja"}
            answer = self.send({}, headers=headers, **more)
            self.assertIn("送信してください。", self.container_error(answer, 415))
            self.assertEqual([answer.json["message"]], answer.json["error_messages"]["main"])
        self.accepted(self.send({}, headers={"Content-Encoding": "Identity"}))

    def test_multipart_with_parameters(self):
        for content_type in ('multipart/form-data; boundary="b 1"; charset=UTF-8',
                             "multipart/form-data; charset=UTF-8; boundary=b 1",
                             "Multipart/Form-Data; BOUNDARY=\"b 1\";",
                             "multipart/form-data;boundary=\"b 1\""):
            with self.subTest(content_type):
                self.accepted(self.multipart(
                    "POST", "/deliveries/transaction", [data_part(mail()), file_part()],
                    boundary="b 1", content_type=content_type))


class Forms(Checks):
    def sent(self, parts, **how):
        return self.accepted(self.multipart("POST", "/deliveries/transaction", parts, **how))

    def attached(self, delivery):
        return [a["file_name"] for a in self.detail(delivery)["attaches"]]

    def test_data_part_by_any_name_before_or_after_the_files(self):
        for disposition in ('name="data"', 'name="data"; filename="data.json"',
                            'name="data"; filename="data"', 'name="data"; filename="base.json"',
                            'name="data"; filename="=?UTF-8?B?ZGF0YS5qc29u?="', "name=data",
                            "name=data; filename=data.json; filename*=utf-8''data.json",
                            'filename="data.json"; name="data"'):
            for order in (1, -1):
                with self.subTest(f"{disposition} {order}"):
                    delivery = self.sent([data_part(mail(), disposition), file_part()][::order])
                    self.assertEqual(["a.txt"], self.attached(delivery))

    def test_data_part_of_any_type(self):
        for media_type in (JSON, "application/json; charset=UTF-8", "text/plain;", None,
                           "('application/json', None)", "garbage"):
            with self.subTest(media_type):
                self.sent([file_part(), data_part(mail(), media_type=media_type)])

    def test_file_parts_of_any_type(self):
        for media_type in ("('text/plain', None)", "(None, None)", None, "", "a/b/c; x",
                           "text/plain; charset=UTF-8", "application/octet-stream"):
            with self.subTest(media_type):
                delivery = self.sent([file_part(media_type=media_type), data_part(mail())])
                self.assertEqual(["a.txt"], self.attached(delivery))

    def test_boundaries_that_begin_with_dashes(self):
        for boundary in ("----WebKitFormBoundaryx", "--b", "-", "--------------------------1"):
            with self.subTest(boundary):
                self.sent([data_part(mail()), file_part()], boundary=boundary)

    def test_file_names_in_every_spelling(self):
        for disposition, name in (
                ('name="file"; filename="見積.pdf"', "見積.pdf"),
                ('name="file"; filename="=?UTF-8?B?6KaL56mNLnBkZg==?="', "見積.pdf"),
                ("name=file; filename=\"=?utf-8?Q?=E8=A6=8B=E7=A9=8D.pdf?=\"", "見積.pdf"),
                ("name=file; filename=x.pdf; filename*=utf-8''%E8%A6%8B%E7%A9%8D.pdf", "見積.pdf"),
                ('name="file"; filename="C:\\\\dir\\\\a.pdf"', "a.pdf"),
                ('name="file"; filename="../../etc/a.pdf"', "a.pdf")):
            with self.subTest(disposition):
                delivery = self.sent([data_part(mail()), (disposition, "application/pdf", b"x")])
                self.assertEqual([name], self.attached(delivery))

    def test_chunked_upload_in_tiny_pieces(self):
        body = form([file_part("a.txt", b"\r\n--the-boundar\r\n" * 20), data_part(mail())])
        with Raw(self.account.stack.api_port) as raw:
            raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                               "Transfer-Encoding: chunked",
                               "Content-Type: multipart/form-data; boundary=the-boundary"))
            raw.send(b"".join(b"1\r\n" + body[i:i + 1] + b"\r\n" for i in range(len(body))))
            raw.send(b"0\r\n\r\n")
            delivery = self.accepted(raw.answer())
        self.assertEqual(340, self.detail(delivery)["attaches"][0]["size"])

    def test_other_parts_preamble_and_epilogue_are_ignored(self):
        body = b"preamble\r\n" + form([("name=other", None, b"?"), data_part(mail())]) + b"epilogue"
        self.accepted(self.post("/deliveries/transaction", body,
                                content_type="multipart/form-data; boundary=the-boundary"))

    def test_a_missing_data_part_is_named(self):
        with self.nothing_stored():
            answer = self.multipart("POST", "/deliveries/transaction", [file_part()])
            self.refused(answer, "data", text="is required.")


class Fields(Checks):
    def test_absent_in_every_spelling(self):
        for fields in ({"html_part": None}, {"html_part": ""}, {"cc": []}, {"bcc": []},
                       {"cc": None, "bcc": None}, {"insert_code": []}, {"insert_code": None},
                       {"list_unsubscribe": {}}, {"list_unsubscribe": None},
                       {"list_unsubscribe": {"mailto": None, "url": None}},
                       {"list_unsubscribe": {"mailto": "", "url": ""}},
                       {"reply_to": None}, {"encode": None}, {"encode": ""},
                       {"from": {"email": "a@sender.example", "name": ""}},
                       {"from": {"email": "a@sender.example", "name": None}},
                       {"from": {"email": "a@sender.example"}}):
            with self.subTest(fields):
                delivery = self.accepted(self.send(fields))
                self.assertEqual("", self.detail(delivery)["html_part"])
                if "cc" not in fields and "bcc" not in fields and "insert_code" not in fields:
                    draft_id = self.draft(**fields)
                    self.assertEqual("", self.detail(draft_id)["html_part"])
                    self.ok(self.account.request(
                        "PUT", f"/deliveries/bulk/update/{draft_id}", fields))
                    self.ok(self.delete(f"/deliveries/{draft_id}"))

    def test_encodings_in_any_case(self):
        for name in ("utf-8", "UTF-8", "Utf-8", "iso-2022-jp", "ISO-2022-JP"):
            with self.subTest(name):
                self.accepted(self.send({"encode": name}))
        for name in ("Shift_JIS", "utf8", "UTF-16", " UTF-8"):
            with self.subTest(name):
                self.refused(self.send({"encode": name}), "encode")

    def test_a_list_with_one_address_is_an_address(self):
        self.accepted(self.send({"to": ["a@fast.example"]}))
        self.refused(self.send({"to": ["a@fast.example", "b@fast.example"]}), "to")
        self.refused(self.send({"to": []}), "to")
        self.refused(self.send({"to": "a@fast.example,b@fast.example"}), "to")


class UnknownMembers(Checks):
    def told(self, answer, names):
        self.assertEqual(names, answer.headers.get("x-todoku-unknown-fields"))
        return answer

    def test_what_nobody_read_is_named(self):
        extra = {"replyTo": "x", "from": {"email": "a@sender.example", "mail": 1},
                 "insert_code": [{"key": "__a__", "value": "b"}, {"key": "__b__", "val": "c"}]}
        self.accepted(self.told(self.send(extra), "from.mail, replyTo, insert_code[1].val"))
        self.accepted(self.told(self.send({}), None))
        delivery = self.draft()
        update = self.put(f"/deliveries/bulk/update/{delivery}", {"to": [
            {"email": "a@fast.example"}, {"email": "b@fast.example", "insert_codes": []}]})
        self.ok(self.told(update, "to[1].insert_codes"))
        self.ok(self.told(self.post(f"/deliveries/{delivery}/emails", {
            "email": "c@fast.example", "x": 1}), "x"), 201)
        self.told(self.patch(f"/deliveries/bulk/commit/{delivery}", {"time": 1}), "time")
        answer = self.account.import_csv(delivery, b"email\nd@fast.example\n",
                                         {"ignoreErrors": True})
        self.told(answer, "ignoreErrors")
        self.refused(self.told(self.send({"to": "", "To": "a@fast.example"}), "To"), "to")

    def test_what_keeps_a_mail_from_being_sent_twice_is_not_lost_by_a_slip(self):
        with self.nothing_stored():
            for name in ("duplicatePolicy", "DuplicatePolicy", "duplicate-policy"):
                self.refused(self.send({name: "at_most_once"}), "duplicate_policy",
                             text=f'is written "{name}" here; write duplicate_policy.')
        self.accepted(self.send({"duplicate_policies": "x", "duplicatePolicy": None}))
        delivery = self.draft(["a@fast.example"])
        path = f"/deliveries/bulk/update/{delivery}"
        self.refused(self.put(path, {"duplicate_policy": "at_most_once"}), "duplicate_policy")
        self.refused(self.put(path, {"duplicate_policy": "once"}), "duplicate_policy")
        self.ok(self.put(path, {"duplicate_policy": "at_least_once", "subject": "as before"}))
        self.assertEqual("as before", self.detail(delivery)["subject"])
        self.refused(self.patch(f"/deliveries/bulk/commit/{delivery}", {
            "reservation_time": "2027-06-01T00:00:00Z", "duplicate_policy": "at_most_once"}),
            "duplicate_policy")
        self.refused(self.account.import_csv(delivery, b"email\nb@fast.example\n",
                                             {"duplicate_policy": "at_most_once"}),
                     "duplicate_policy")
        once = self.draft(["a@fast.example"], duplicate_policy="at_most_once")
        self.ok(self.put(f"/deliveries/bulk/update/{once}", {"duplicate_policy": "at_most_once"}))
        self.refused(self.put(f"/deliveries/bulk/update/{once}", {
            "duplicate_policy": "at_least_once"}), "duplicate_policy")

    def test_however_many_and_of_whatever_letters(self):
        extra = {f"x{n:02d}": n for n in range(30)}
        names = ", ".join(f"x{n:02d}" for n in range(10))
        self.accepted(self.told(self.send(extra), f"{names} and 20 more"))
        self.accepted(self.told(self.send({"a,\r\nb\u00e9": 1, "y" * 5_000: 2}),
                                f"a???b??, {'y' * 64}"))


class ImportOptions(Checks):
    CSV = b"email\ngood@fast.example\nbad\n"

    def test_options_in_every_spelling(self):
        for options, status in ((None, "FAILED"), (b"", "FAILED"), (b"null", "FAILED"),
                                (b"{}", "FAILED"), ({"ignore_errors": False}, "FAILED"),
                                ({"ignore_errors": "false"}, "FAILED"),
                                ({"ignore_errors": None, "immediate": None}, "FAILED"),
                                ({"ignore_errors": True}, "FINISHED"),
                                ({"ignore_errors": "true"}, "FINISHED"),
                                ({"ignore_errors": "True", "immediate": "false"}, "FINISHED")):
            with self.subTest(options):
                delivery, job = self.imported(self.CSV, options)
                self.assertEqual(status, job["status"])
                detail = self.detail(delivery)
                self.assertEqual(("EDIT", 1 if status == "FINISHED" else 0),
                                 (detail["status"], detail["total_count"]))
                self.ok(self.delete(f"/deliveries/{delivery}"))

    def test_data_after_the_file_and_with_a_file_name(self):
        delivery = self.draft()
        answer = self.multipart("POST", f"/deliveries/{delivery}/emails/import", [
            ("name=file; filename=address.csv", "('text/csv', None)", self.CSV),
            ('name="data"; filename="data.json"', JSON,
             b'{"ignore_errors":true,"immediate":false}')],
            boundary="--b")
        job = self.ok(answer, 201)["job_id"]
        self.assertEqual("FINISHED", self.account.end_of(job)["status"])

    def test_chunked_upload(self):
        delivery = self.draft()
        body = form([('name="file"; filename="a.csv"', "text/csv", b"email\na@fast.example\n")])
        with Raw(self.account.stack.api_port) as raw:
            raw.send(door.head(self.account, "POST", f"/deliveries/{delivery}/emails/import",
                               "Transfer-Encoding: chunked",
                               "Content-Type: multipart/form-data; boundary=the-boundary"))
            raw.send(b"".join(b"3\r\n" + body[i:i + 3] + b"\r\n" for i in range(0, len(body) - 3,
                                                                                3)))
            rest = body[(len(body) - 1) // 3 * 3:] if len(body) % 3 else body[-3:]
            raw.send(f"{len(rest):x}\r\n".encode() + rest + b"\r\n0\r\n\r\n")
            job = self.ok(raw.answer(), 201)["job_id"]
        self.assertEqual(1, self.account.end_of(job)["success_count"])

    def test_wrong_options_are_named_and_nothing_starts(self):
        delivery = self.draft()
        for options, path in (({"ignore_errors": "yes"}, ("ignore_errors",)),
                              ({"immediate": 1}, ("immediate",)), (b"[]", ("data",)),
                              (b"{", ("main",)), (b'"true"', ("data",))):
            with self.subTest(options):
                self.refused(self.account.import_csv(delivery, self.CSV, options), *path)
                self.assertEqual("EDIT", self.detail(delivery)["status"])
        answer = self.multipart("POST", f"/deliveries/{delivery}/emails/import",
                                [('name="data"', JSON, b"{}")])
        self.refused(answer, "file", text="is required.")
