# SPDX-License-Identifier: Apache-2.0
"""Whom mail is not sent to: hard errors that stop an address, the contract's list of them, and the
account's own suppression list."""
import csv
import io
import re
import urllib.parse
import zipfile

from door import Checks, arrived, eventually, issued, mails_to, new_account

# api_test.py's receivers.
GONE = "gone.example"        # 550 5.1.1 to every recipient
DISLIKED = "disliked.example"  # 550 5.7.1, by reputation


class Suppressions(Checks):
    def sent(self, to, account=None, **fields):
        """A transaction, and its counts once it is over."""
        account = account or self.account
        delivery = self.ok(account.send({"to": to, **fields}), 201)["delivery_id"]
        return eventually(lambda: (lambda d: d if d["status"] == "SENT" else None)(
            account.detail(delivery)), f"the end of {delivery}")

    def bulk(self, to, account=None, **fields):
        account = account or self.account
        begun = {"from": {"email": "shop@sender.example", "name": ""}, "subject": "s",
                 "text_part": "t", **fields}
        delivery = self.ok(account.request("POST", "/deliveries/bulk/begin", begun),
                           201)["delivery_id"]
        self.ok(account.request("PUT", f"/deliveries/bulk/update/{delivery}",
                                {"to": [{"email": one} for one in to]}))
        self.ok(account.request("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate"))
        return eventually(lambda: (lambda d: d if d["status"] == "SENT" else None)(
            account.detail(delivery)), f"the end of {delivery}")

    def add(self, email, account=None, status=201, **fields):
        return self.ok((account or self.account).request(
            "POST", "/suppressions", {"email": email, **fields}), status)

    def look(self, email, account=None):
        return self.ok((account or self.account).request("GET", f"/suppressions?email={email}"))

    def test_the_second_hard_error_stops_an_address(self):
        account = new_account("errors")
        address = f"nobody@{GONE}"
        for _ in range(2):
            self.assertEqual(1, self.sent(address, account)["hard_error_count"])
        told = self.ok(account.request("GET", "/errors"))["data"]
        self.assertEqual([address], [one["email"] for one in told])
        self.assertEqual("550", told[0]["response_code"])
        self.assertIn("5.1.1", told[0]["response_message"])
        self.assertRegex(told[0]["error_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$")
        third = self.sent(address, account)
        self.assertEqual((0, 1), (third["hard_error_count"], third["drop_count"]))
        self.assertEqual(1, self.bulk([address, "other@fast.example"], account)["drop_count"])

    def test_what_a_filter_refuses_stops_nobody(self):
        account = new_account("filters")
        for _ in range(3):
            self.assertEqual(1, self.sent(f"reader@{DISLIKED}", account)["hard_error_count"])
        self.assertEqual([], self.ok(account.request("GET", "/errors"))["data"])
        self.assertEqual([], self.look(f"reader@{DISLIKED}", account)["data"])

    def test_errors_are_paged_and_sorted(self):
        account = new_account("pages")
        for local in ("a", "b", "c"):
            for _ in range(2):
                self.sent(f"{local}@{GONE}", account)

        def listed(query):
            answer = self.ok(account.request("GET", f"/errors?{query}"))
            return [one["email"][0] for one in answer["data"]]
        self.assertEqual(["c", "b", "a"], listed("size=10&page=1&sort=error_time:desc"))
        self.assertEqual(["a", "b"], listed("size=2&page=1&sort=updated_time:asc"))
        self.assertEqual(["c"], listed("size=2&page=2&sort=updated_time:asc"))
        self.assertEqual([], listed("size=1000&page=1000"))
        self.assertEqual([], listed("error_end=2020-01-01T00:00:00%2B09:00"))
        self.assertEqual(3, len(listed("error_start=2020-01-01T00:00:00%2B09:00")))
        for wrong in ("size=0", "size=1001", "page=0", "sort=email:asc", "error_start=tomorrow"):
            with self.subTest(wrong):
                self.refused(account.request("GET", f"/errors?{wrong}"),
                             wrong.split("=", 1)[0], status=400)

    def test_the_list_of_errors_is_exported(self):
        account = new_account("exports")
        for local in ("a", "b"):
            for _ in range(2):
                self.sent(f"{local}@{GONE}", account)
        self.refused(account.request("POST", "/errors/list", {"email": f"z@{GONE}"}),
                     status=404, text="no data found.")
        self.refused(account.request("POST", "/errors/list", {"response_code": [421]}),
                     status=404, text="no data found.")
        for body, rows in (({}, 2), ({"email": f"A@{GONE}"}, 1), ({"response_code": [550]}, 2),
                           (None, 2)):
            job = self.ok(account.request("POST", "/errors/list", body), 201)["job_id"]
            told = eventually(lambda: (lambda a: a.json if a.json["percentage"] == 100 else None)(
                account.request("GET", f"/errors/list/{job}")), f"export {job}")
            self.assertEqual({"percentage", "status", "total_count", "error_file_url"}, set(told))
            self.assertEqual(("FINISHED", rows), (told["status"], told["total_count"]))
            self.assertTrue(told["error_file_url"].endswith(f"/errors/list/{job}/download"))
            answer = account.request("GET", f"/errors/list/{job}/download")
            self.assertEqual("application/zip", answer.headers["content-type"])
            with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
                names = archive.namelist()
                self.assertEqual(1, len(names))
                lines = list(csv.reader(io.StringIO(archive.read(names[0]).decode())))
            self.assertEqual(["id", "date", "email", "response_code", "message"], lines[0])
            self.assertEqual(rows, len(lines) - 1)
            for line in lines[1:]:
                self.assertTrue(line[2].endswith(GONE) and line[3] == "550" and int(line[0]) > 0)
        other = new_account("exports")
        self.refused(other.request("GET", f"/errors/list/{job}"), status=404)
        self.refused(other.request("GET", f"/errors/list/{job}/download"), status=404)

    def test_entries_are_added_looked_up_and_removed(self):
        self.assertTrue(self.add("Ada@FAST.example", note="asked by telephone")["added"])
        self.assertFalse(self.add("ada@fast.example", status=200)["added"])
        told = self.look("ADA@fast.example")
        self.assertEqual("ada@fast.example", told["email"])
        self.assertEqual(("manual", "all"), (told["data"][0]["reason"], told["data"][0]["scope"]))
        self.assertEqual(1, self.sent("ada@fast.example")["drop_count"])
        self.assertEqual([], mails_to("ada@fast.example"))
        self.ok(self.account.request("DELETE", "/suppressions?email=ada@fast.example"))
        self.assertEqual(0, self.sent("ada@fast.example")["drop_count"])
        arrived("ada@fast.example")
        self.assertEqual("manual", self.look("ada@fast.example")["removed"][0]["reason"])
        self.refused(self.account.request("DELETE", "/suppressions?email=ada@fast.example"),
                     status=404)

    def test_repeats_make_nothing_twice(self):
        account = new_account("repeats")

        def twice(path, body, status):
            key = {"Idempotency-Key": f"once-{path}"}
            first, again = (account.request("POST", path, body, headers=key) for _ in range(2))
            self.assertEqual((status, status), (first.status, again.status))
            self.assertEqual(first.json, again.json)
            self.assertEqual("true", again.headers.get("idempotency-replayed"))
            other = account.request("POST", path, {**body, "email": f"z@{GONE}"}, headers=key)
            self.assertEqual(409, other.status)
        twice("/suppressions", {"email": "once@fast.example"}, 201)
        for _ in range(2):
            self.sent(f"a@{GONE}", account)
        twice("/errors/list", {"email": f"a@{GONE}"}, 201)
        rows = b"email\nonce@fast.example\nnew@fast.example\nno address\n"
        key = {"Idempotency-Key": "list", "Content-Type": "text/csv"}
        first, again = (account.request("POST", "/suppressions/import", rows, headers=key)
                        for _ in range(2))
        self.assertEqual((2, 0, 1), tuple(first.json[name] for name in ("added", "changed", "failed")))
        self.assertEqual(first.json, again.json)
        self.assertEqual("true", again.headers.get("idempotency-replayed"))
        self.assertEqual(409, account.request("POST", "/suppressions/import", rows + b"x@y.example\n",
                                              headers=key).status)

    def test_who_is_dropped_is_in_events_log_and_usages(self):
        account = new_account("dropped")
        self.add("gil@fast.example", account)
        delivery = self.sent("gil@fast.example", account)
        self.assertEqual(1, delivery["drop_count"])
        row, = self.ok(account.request("GET", "/logs/mails/results?status[]=DROP"))["data"]
        self.assertEqual(("gil@fast.example", "554(errors)"),
                         (row["email"], row["last_response_code"]))
        self.assertIn("by hand", row["last_response_message"])
        events = self.ok(account.request("GET", "/events"))["data"]
        self.assertEqual(["accepted", "dropped", "delivery_finished"],
                         [event["kind"] for event in events])
        self.assertEqual(row["last_response_message"], events[1]["message"])
        self.assertEqual(1, self.ok(account.request("GET", "/usages/latest"))["current"])

    def test_an_opt_out_is_taken_back_only_with_a_reason(self):
        self.add("ben@fast.example", reason="unsubscribe")
        path = "/suppressions?email=ben@fast.example"
        self.refused(self.account.request("DELETE", path), "why", status=400)
        self.assertEqual(1, len(self.look("ben@fast.example")["data"]))
        self.ok(self.account.request("DELETE", f"{path}&why=subscribed%20again"))
        told = self.look("ben@fast.example")
        self.assertEqual([], told["data"])
        self.assertEqual("subscribed again", told["removed"][0]["why"])
        self.assertRegex(told["removed"][0]["actor"], r"^API key \d+$")

    def test_who_opted_out_still_gets_a_password_reset(self):
        self.add("cyd@fast.example", reason="unsubscribe")
        self.assertEqual(0, self.sent("cyd@fast.example", subject="reset")["drop_count"])
        self.assertEqual(1, self.bulk(["cyd@fast.example"])["drop_count"])
        self.assertEqual(0, self.bulk(["cyd@fast.example"], purpose="notice")["drop_count"])
        self.assertEqual(1, self.sent("cyd@fast.example", purpose="advertisement")["drop_count"])

    def test_who_left_a_list_gets_the_others(self):
        self.add("dan@fast.example", reason="unsubscribe", list_id="weekly")
        self.assertEqual(1, self.bulk(["dan@fast.example"], list_id="weekly")["drop_count"])
        self.assertEqual(0, self.bulk(["dan@fast.example"], list_id="monthly")["drop_count"])

    def test_a_domain_can_be_stopped(self):
        account = new_account("domains")
        self.add("other.example", account)
        self.assertEqual(1, self.sent("anybody@other.example", account)["drop_count"])
        self.assertEqual(0, self.sent("anybody@fast.example", account)["drop_count"])

    def test_lists_go_in_and_out_as_csv(self):
        account = new_account("csv")
        rows = ["email,reason,scope,list_id,note", "a@fast.example,unsubscribe,,,",
                "b@fast.example,,,,gone away", "nobody,,,,", "other.example,complaint,all,,"]
        told = self.ok(account.request("POST", "/suppressions/import",
                                       "\n".join(rows).encode(), content_type="text/csv"))
        self.assertEqual((2, 0, 2), (told["added"], told["changed"], told["failed"]))
        self.assertEqual([4, 5], [one["row"] for one in told["errors"]])
        answer = account.request("GET", "/suppressions/export")
        self.assertEqual("text/csv; charset=utf-8", answer.headers["content-type"])
        lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
        self.assertEqual({("a@fast.example", "unsubscribe", "advertisements", ""),
                          ("b@fast.example", "imported", "advertisements", "gone away")},
                         {(line["email"], line["reason"], line["scope"], line["note"])
                          for line in lines})
        told = self.ok(account.request("POST", "/suppressions/import", answer.body,
                                       content_type="text/csv"))
        self.assertEqual((0, 2, 0), (told["added"], told["changed"], told["failed"]))

    def load(self, account, octets, status=200, content_type="text/csv", **how):
        return self.ok(account.request("POST", "/suppressions/import", octets,
                                       content_type=content_type, **how), status)

    def test_a_list_may_come_in_a_form(self):
        account = new_account("form")
        rows = b"email,reason\na@fast.example,complaint\n"
        file = ('name="file"; filename="a.csv"', "text/csv", rows)
        told = self.ok(account.multipart("POST", "/suppressions/import",
                                         [('name="note"', None, b"last week's"), file]))
        self.assertEqual((1, 0), (told["added"], told["failed"]))
        self.assertEqual("complaint", self.look("a@fast.example", account)["data"][0]["reason"])
        for parts in ([], [file, file]):
            self.refused(account.multipart("POST", "/suppressions/import",
                                           [('name="data"', None, b"x"), *parts]), "file")
        self.refused(account.request("POST", "/suppressions/import", b"--x\r\n" + rows,
                                     content_type="multipart/form-data; boundary=x"))
        for other in ("application/json", "multipart/mixed; boundary=x"):
            self.container_error(account.request("POST", "/suppressions/import", rows,
                                                 content_type=other), 415)
        # As curl --data-binary sends it.
        self.assertEqual(1, self.load(account, b"b@fast.example\n",
                                      content_type="application/x-www-form-urlencoded")["added"])

    def test_a_list_that_is_not_utf8_is_refused_as_a_whole(self):
        account = new_account("encodings")
        text = "email,note\n" + "a@fast.example,\n" * 3000 + "b@fast.example,東京\n"
        for encoding, told in (("shift_jis", "line 3002: it looks like Shift_JIS; save it as"),
                               ("euc_jp", "line 3002: it looks like EUC-JP; save it as UTF-8"),
                               ("iso2022_jp", "line 3002: it looks like ISO-2022-JP; save it as"),
                               ("utf-16", "it looks like UTF-16; save it as UTF-8")):
            with self.subTest(encoding):
                octets = text.encode(encoding)
                message, = self.refused(account.request(
                    "POST", "/suppressions/import", octets, content_type="text/csv"))
                self.assertTrue(message.startswith(told), message)
                rows = account.stack.directory / "encoded.csv"
                rows.write_bytes(octets)
                shown = account.stack.command("suppression", "import", str(rows), "--account",
                                              account.name, statuses=(1,), with_errors=True)
                self.assertIn(message.rstrip("."), shown)
        message, = self.refused(account.request(
            "POST", "/suppressions/import", b"a@fast.example\nb@fast.example,\xff\x80\xff\n",
            content_type="text/csv"))
        self.assertEqual("line 2: is not valid UTF-8.", message)
        self.assertEqual([], self.ok(account.request("GET", "/suppressions"))["data"])
        self.assertEqual(2, self.load(account, b"\xef\xbb\xbf" + text.encode())["added"])

    def test_a_row_for_which_there_is_no_room_fails_alone(self):
        account = new_account("full")
        lists = "".join(f"full@fast.example,list{i}\n" for i in range(202))
        others = "".join(f"user{i}@fast.example,\n" for i in range(1400))
        told = self.load(account, ("email,list_id\n" + others + lists + others).encode())
        self.assertEqual((1600, 1400, 2), (told["added"], told["changed"], told["failed"]))
        self.assertEqual([1602, 1603], [one["row"] for one in told["errors"]])
        self.assertEqual("email: has 200 entries already, as many as one address may have",
                         told["errors"][0]["message"])
        self.refused(account.request("POST", "/suppressions", {
            "email": "full@fast.example", "list_id": "another"}), "email", status=400)

    def test_the_first_errors_are_told_in_order(self):
        account = new_account("errors")
        rows = [f"user{i}@fast.example" if i % 2 else "nobody" for i in range(1000)]
        told = self.load(account, "\n".join(rows).encode())
        self.assertEqual((500, 500), (told["added"], told["failed"]))
        self.assertEqual(list(range(1, 201, 2)), [one["row"] for one in told["errors"]])

    def test_a_note_is_kept_whole_or_refused(self):
        account = new_account("notes")
        self.add("a@fast.example", account, note="あ" * 500)
        self.assertEqual("あ" * 500, self.look("a@fast.example", account)["data"][0]["note"])
        self.refused(account.request("POST", "/suppressions", {
            "email": "b@fast.example", "note": "あ" * 501}), "note", status=400)
        told = self.load(account, ("email,reason,response_code,message\n"
                                   f"c@fast.example,hard_error,550,{'あ' * 500}\n"
                                   f"d@fast.example,hard_error,550,{'あ' * 501}\n").encode())
        self.assertEqual((1, 1), (told["added"], told["failed"]))
        self.assertEqual("あ" * 500, self.look("c@fast.example", account)
                         ["data"][0]["cause"]["response_message"])
        why = urllib.parse.quote("い" * 500)
        self.ok(account.request("DELETE", f"/suppressions?email=a@fast.example&why={why}"))
        self.assertEqual("い" * 500, self.look("a@fast.example", account)["removed"][0]["why"])

    def test_what_nobody_sees_is_no_reason_and_no_part_of_an_address(self):
        account = new_account("invisible")
        self.add("\u200bAda@fast.example\u3000\ufeff", account, reason="unsubscribe")
        address = urllib.parse.quote("\ufeffada@fast.example\u200b ")
        self.assertEqual("ada@fast.example", self.look(address, account)["email"])
        for nothing in ("\u200b", "\u200b \u3000\u2060", "\u2800"):
            self.refused(account.request(
                "DELETE", f"/suppressions?email={address}&why={urllib.parse.quote(nothing)}"),
                "why", status=400)
        self.refused(account.request("POST", "/suppressions", {"email": "\u200b"}), "email",
                     text="is required.")
        message, = self.refused(account.request("POST", "/suppressions", {
            "email": "b@fast.example", "list_id": "a\u200bb"}), "list_id")
        self.assertIn("U+200B ZERO WIDTH SPACE at character 2", message)
        for fields, path in (({"list_id": "a\u00adb"}, ("list_id",)),
                             ({"tags": ["ok", "\u202eevil"]}, ("tags", "1"))):
            self.refused(account.send(fields), *path, status=400)
        self.ok(account.send({"tags": ["春 の\u3000市"], "list_id": "週刊"}), 201)
        self.ok(account.request("DELETE", f"/suppressions?email={address}&why=asked"))

    def test_a_page_goes_on_over_what_stops_nothing(self):
        account = new_account("gaps")
        self.add("first@fast.example", account)
        for i in range(6):
            self.sent(f"once{i}@{GONE}", account)  # one hard error stops nothing
        self.add("second@fast.example", account)
        self.add("third@fast.example", account)
        found, cursor = [], ""
        while cursor is not None:
            page = self.ok(account.request("GET", f"/suppressions?limit=1&cursor={cursor}"))
            self.assertTrue(len(page["data"]) == 1 or page["next"] is None, page)
            found += [one["email"] for one in page["data"]]
            cursor = page["next"]
        self.assertEqual(["first@fast.example", "second@fast.example", "third@fast.example"],
                         found)

    def test_one_hard_error_changes_nothing_of_what_somebody_put(self):
        account = new_account("own")
        address = f"own@{GONE}"
        self.add(address, account, reason="hard_error", scope="advertisements", days=3650,
                 note="says the old system")
        before, = self.look(address, account)["data"]
        self.assertEqual(1, self.sent(address, account)["hard_error_count"])
        after, = self.look(address, account)["data"]
        for field in ("scope", "note", "expires_time", "created_time"):
            self.assertEqual(before[field], after[field])
        self.assertEqual(1, self.sent(address, account)["hard_error_count"])
        after, = self.look(address, account)["data"]
        self.assertEqual(("all", before["note"], before["expires_time"]),
                         (after["scope"], after["note"], after["expires_time"]))
        self.assertEqual(1, self.sent(address, account)["drop_count"])

    def test_what_an_export_holds_comes_back_as_it_was(self):
        account, other = new_account("out"), new_account("in")
        for entry in ({"email": "=1+1@fast.example", "note": "=SUM(A1)", "days": 14},
                      {"email": "+ada@fast.example", "reason": "hard_error", "days": 3},
                      {"email": "@other.example", "note": "'quoted"},
                      {"email": "'=q@fast.example", "note": "''-x"},
                      {"email": "=q@fast.example", "reason": "unsubscribe", "list_id": "'-news"},
                      {"email": "=q@fast.example", "reason": "unsubscribe", "list_id": "-news"},
                      {"email": "list@fast.example", "reason": "unsubscribe", "list_id": "news"}):
            self.ok(account.request("POST", "/suppressions", entry), 201)
        header = b"email,reason,expires,response_code,message\n"
        told = self.ok(account.request(
            "POST", "/suppressions/import", header +
            b'c@fast.example,hard_error,2099-04-01T09:00:00+09:00,550,"no, nobody"\n'
            b"d@fast.example,hard_error,2001-04-01T09:00:00+09:00,550,\n"
            b"e@fast.example,hard_error,soon,550,\nf@fast.example,hard_error,,5x0,\n"
            b"g@fast.example,complaint,2099-04-01T09:00:00+09:00,,\n", content_type="text/csv"))
        self.assertEqual((1, 4), (told["added"], told["failed"]), told)
        kept = account.request("GET", "/suppressions/export").body
        self.assertIn(b"2099-04-01T09:00:00+09:00", kept)
        told = self.ok(other.request("POST", "/suppressions/import", kept, content_type="text/csv"))
        self.assertEqual((8, 0), (told["added"], told["failed"]), told)
        def rows(octets):
            return [[line[name] for name in line if name != "created"]
                    for line in csv.DictReader(io.StringIO(octets.decode()))]
        self.assertEqual(sorted(rows(kept)),
                         sorted(rows(other.request("GET", "/suppressions/export").body)))

    def test_addresses_alone_are_a_list(self):
        account = new_account("plain")
        plain = self.ok(account.request("POST", "/suppressions/import", b"c@fast.example\n",
                                        content_type="text/csv"))
        self.assertEqual(1, plain["added"])

    def test_a_list_is_gone_through_by_its_cursor(self):
        account = new_account("cursor")
        wanted = {f"user{i}@fast.example" for i in range(7)}
        for email in sorted(wanted):
            self.add(email, account)
        found, cursor = [], ""
        while cursor is not None:
            page = self.ok(account.request("GET", f"/suppressions?limit=3&cursor={cursor}"))
            found += [one["email"] for one in page["data"]]
            cursor = page["next"]
        self.assertEqual(sorted(wanted), sorted(found))
        self.refused(account.request("GET", "/suppressions?cursor=x"), "cursor", status=400)

    def test_nobody_sees_another_accounts_list(self):
        mine, other = new_account("mine"), new_account("other")
        self.add("eve@fast.example", mine)
        self.assertEqual([], self.ok(other.request("GET", "/suppressions"))["data"])
        self.assertEqual([], self.look("eve@fast.example", other)["data"])
        self.refused(other.request("DELETE", "/suppressions?email=eve@fast.example"), status=404)
        self.assertEqual(0, self.sent("eve@fast.example", other)["drop_count"])

    def test_wrong_entries_are_refused_by_their_fields(self):
        for field, body in (("email", {}), ("email", {"email": "nobody"}),
                            ("reason", {"email": "a@fast.example", "reason": "dislike"}),
                            ("scope", {"email": "a@fast.example", "scope": "some"}),
                            ("scope", {"email": "a@fast.example", "reason": "unsubscribe",
                                       "scope": "all"}),
                            ("list_id", {"email": "a@fast.example", "scope": "list"}),
                            ("days", {"email": "a@fast.example", "days": 0}),
                            ("days", {"email": "a@fast.example", "days": "x"}),
                            ("days", {"email": "a@fast.example", "reason": "complaint",
                                      "days": 5}),
                            ("note", {"email": "a@fast.example", "note": "x" * 501})):
            with self.subTest(body):
                self.refused(self.account.request("POST", "/suppressions", body), field,
                             status=400)

    def test_labels_are_taken_and_judged(self):
        self.ok(self.account.send({"tags": ["spring", "東京"], "list_id": "x", "purpose": "notice"}),
                201)
        for path, fields in ((("tags",), {"tags": ["x"] * 11}), (("tags",), {"tags": "x"}),
                             (("tags", "0"), {"tags": ["x" * 65]}),
                             (("list_id",), {"list_id": "x" * 65}),
                             (("purpose",), {"purpose": "fun"})):
            with self.subTest(fields):
                self.refused(self.account.send(fields), *path, status=400)
        self.ok(self.account.send({"tags": ["x" * 64] * 10, "list_id": "x" * 64}), 201)

    def test_a_key_needs_the_scope(self):
        stack = self.account.stack
        token = issued(stack.command("key", "add", self.account.name, "--scopes", "send,read"))[2]
        self.assertEqual(403, self.account.request("GET", "/suppressions", token=token).status)
        self.assertEqual(200, self.account.request("GET", "/errors", token=token).status)

    def test_the_command_line_does_the_same(self):
        account = new_account("cli")
        stack = account.stack
        stack.command("suppression", "add", "fay@fast.example", "--account", account.name,
                      "--reason", "unsubscribe", "--note", "by letter")
        self.assertIn("by letter", stack.command("suppression", "list", "--account", account.name))
        self.assertIn("unsubscribe", stack.command("suppression", "look", "fay@fast.example",
                                                   "--account", account.name))
        stack.command("suppression", "remove", "fay@fast.example", "--account", account.name,
                      statuses=(1,))
        stack.command("suppression", "remove", "fay@fast.example", "--account", account.name,
                      "--why", "again")
        stack.command("suppression", "add", "fay@fast.example", "--account", account.name,
                      "--days", "3")
        for what in (("list",), ("look", "fay@fast.example")):
            shown = stack.command("suppression", *what, "--account", account.name)
            self.assertEqual(2, len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d JST", next(
                line for line in shown.splitlines() if "manual" in line))), shown)
        stack.command("suppression", "remove", "fay@fast.example", "--account", account.name)
        shown = stack.command("suppression", "look", "fay@fast.example", "--account", account.name)
        self.assertRegex(shown, r"(?m)^Removed on .* JST: manual, by an operator$")
        self.assertRegex(shown, r"(?m)^Removed on .* JST: unsubscribe, by an operator: again$")
        rows = stack.directory / "stops.csv"
        rows.write_text("email,reason\n" + "".join(
            f"user{i}@fast.example,complaint\n" for i in range(30_000)))
        self.assertIn("30000", stack.command("suppression", "import", str(rows), "--account",
                                             account.name))
        out = stack.command("suppression", "export", "--account", account.name)
        self.assertEqual(30_001, len(out.splitlines()))
        # The header holds for all slices in which the command sends a list, also after sep=.
        rows.write_text("sep=;\nreason;email\n" + "".join(
            f"complaint;user{i}@fast.example\n" for i in range(30_000)) + "\nmanual;nobody\n")
        shown = stack.command("suppression", "import", str(rows), "--account", account.name,
                              statuses=(1,), with_errors=True)
        self.assertIn("Added: 0, changed: 30000, failed: 1.", shown)
        self.assertIn("row 30004: email: ", shown)
        # A list of domains has no header, though its first line has no @.
        rows.write_text("".join(f"shop{i}.example\n" for i in range(30_000)))
        self.assertIn("Added: 30000, changed: 0, failed: 0.", stack.command(
            "suppression", "import", str(rows), "--account", account.name))
