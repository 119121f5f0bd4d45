# SPDX-License-Identifier: Apache-2.0
"""CSV imports: what is taken, what is a bad row, what is no such file; all or nothing."""
import csv
import io
import urllib.parse
import zipfile

import door
from door import Checks


class Imports(Checks):
    def errors(self, job):
        """The rows of the error file, its header first."""
        path = urllib.parse.urlsplit(job["error_file_url"]).path
        answer = self.get(path.removeprefix("/api/v1"))
        self.assertEqual(200, answer.status, answer)
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            text = archive.read(archive.namelist()[0]).decode("utf-8")  # fails on invalid UTF-8
        return list(csv.reader(io.StringIO(text, newline="")))

    def drop(self, delivery):
        self.ok(self.delete(f"/deliveries/{delivery}"))


class Files(Imports):
    def test_every_usual_form_of_csv(self):
        plain = "email,__name__\na@fast.example,名\nb@fast.example,二\n"
        for name, text in {
                "LF": plain, "CRLF": plain.replace("\n", "\r\n"),
                "no last line end": plain.rstrip("\n"),
                "quoted": '"email","__name__"\n"a@fast.example","名"\n"b@fast.example","二"\n',
                "byte order mark": "\ufeff" + plain, "blank lines": plain.replace("\n", "\n\n"),
                "short row": plain.replace(",二", ""), "filled row": plain.replace(",二", ","),
                "line break in a field": plain.replace("名", '"一\r\n行"'),
                "quotation marks": plain.replace("名", '"""名""、様"'), "CR": plain.replace("\n", "\r"),
        }.items():
            with self.subTest(name):
                delivery, job = self.imported(text.encode())
                self.assertEqual(("FINISHED", 2, 0, 2), (job["status"], job["success_count"],
                                                         job["failed_count"], job["total_count"]))
                self.assertEqual(2, self.detail(delivery)["total_count"])
                self.drop(delivery)

    def test_what_is_no_such_file_fails_and_imports_nothing(self):
        row = b"a@fast.example,x\n"
        for name, octets in {
                "empty": b"", "blank": b"\n\n", "no header": row,
                "wrong header": b"mail,__name__\n" + row,
                "email not first": b"__name__,email\nx,a@fast.example\n",
                "bad key": b"email,name\n" + row,
                "key too short": b"email,____\n" + row, "key twice": b"email,__a__,__a__\n" + row,
                "too many keys": b"email," +
                b",".join(b"__k%d__" % n for n in range(51)) + b"\n" + row,
                "wrong header in UTF-16": "mail\na@fast.example\n".encode("utf-16"),
                "header not UTF-8": b"email,__\x8c\x8f__\n" + row,
                "column without a key": b"email,,__a__\n" + row,
                "over-long header": b"email," + b"x" * (300 << 10) + b"\n" + row,
                "binary": bytes(range(256)) * 10, "zip": b"PK\x03\x04" + b"\0" * 100,
        }.items():
            for options in ({}, {"ignore_errors": True}):
                with self.subTest(f"{name} {options}"):
                    delivery, job = self.imported(octets, options)
                    self.assertEqual(("FAILED", 0), (job["status"], job["success_count"]))
                    detail = self.detail(delivery)
                    self.assertEqual(("EDIT", 0), (detail["status"], detail["total_count"]))
                    rows = self.errors(job)
                    self.assertEqual("エラーメッセージ", rows[0][0])
                    self.assertEqual(2, len(rows), rows)
                    self.assertRegex(rows[1][0], r"^\[.+\]$")
                    self.drop(delivery)

    def test_a_header_alone_is_an_empty_success(self):
        delivery, job = self.imported(b"email\r\n")
        self.assertEqual(("FINISHED", 0, 0), (job["status"], job["success_count"],
                                              job["total_count"]))
        self.assertNotIn("error_file_url", job)
        self.assertEqual("EDIT", self.detail(delivery)["status"])

    def test_immediate_with_nobody_to_send_to_has_failed_and_says_why(self):
        for octets, bad in ((b"email\r\n", 0), (b"email\nbad\n", 1)):
            delivery, job = self.imported(octets, {"immediate": True, "ignore_errors": True})
            self.assertEqual(("FAILED", 0, bad, bad), (job["status"], job["success_count"],
                                                       job["failed_count"], job["total_count"]))
            *_, last = self.errors(job)
            self.assertRegex(last[0], r"^\[file: there is nobody to send to, .* stays a draft\]$")
            self.assertEqual("EDIT", self.detail(delivery)["status"])
            self.drop(delivery)

    def test_truncated_and_broken_forms_start_nothing(self):
        delivery = self.draft()
        path = f"/deliveries/{delivery}/emails/import"
        whole = door.form([('name="file"; filename="a.csv"', "text/csv",
                            b"email\na@fast.example\n")])
        for name, body in {"no end": whole[:-20], "half a header": whole[:60], "nothing": b"",
                           "no boundary": b"email\n", "bare LF": whole.replace(b"\r\n", b"\n"),
                           "no file": door.form([('name="data"', door.JSON, b"{}")])}.items():
            with self.subTest(name):
                answer = self.post(path, body,
                                   content_type="multipart/form-data; boundary=the-boundary")
                self.assertEqual(400, answer.status, answer)
                self.assertIn("error_messages", answer.json)
                self.assertEqual("EDIT", self.detail(delivery)["status"])
        answer = self.post(path, whole, content_type="multipart/form-data")
        self.container_error(answer, 415)


class Rows(Imports):
    BAD_ROWS = {"no address": b",x", "not an address": b"plain,x", "two fields too many":
                b"b@fast.example,x,y,z", "not UTF-8 in a value": b"b@fast.example,\x8c\x8f\x96\xbc",
                "not UTF-8 in the address": b"b\xff@fast.example,x",
                "an invisible character in the address": "b\u200b@fast.example,x".encode(),
                "half a character at the end": b"b@fast.example,\xe5\x90",
                "over-long value": b"b@fast.example," + "値".encode() * 71_681,
                "over-long address": b"b" * 65 + b"@fast.example,x",
                "NUL": b"b\0@fast.example,x", "text after a quote": b'"b@fast.example"x,y',
                "over-long row": b"b@fast.example," + b"x" * (300 << 10),
                "line break in the address": b'"b@fast.example\r\nBcc: c@fast.example",x'}

    def test_each_bad_row_is_told_and_without_ignore_errors_nothing_is_imported(self):
        for name, row in self.BAD_ROWS.items():
            octets = b"email,__name__\na@fast.example,x\n" + row + (
                b"\nc@fast.example," + "漢字の値".encode() + b"\n")
            with self.subTest(name):
                delivery, job = self.imported(octets)
                self.assertEqual(("FAILED", 0, 1, 3), (job["status"], job["success_count"],
                                                       job["failed_count"], job["total_count"]))
                detail = self.detail(delivery)
                self.assertEqual(("EDIT", 0), (detail["status"], detail["total_count"]))
                self.assertEqual(2, len(self.errors(job)))
                _, job = self.imported(octets, {"ignore_errors": True}, delivery)
                self.assertEqual(("FINISHED", 2, 1, 3), (job["status"], job["success_count"],
                                                         job["failed_count"], job["total_count"]))
                self.assertEqual(2, self.detail(delivery)["total_count"])
                self.drop(delivery)

    def test_a_line_inside_a_quoted_field_is_no_row_and_a_stray_mark_costs_few(self):
        rows = b"".join(b"r%d@fast.example,x\n" % n for n in range(20_000))
        octets = b'email,__name__\n"stray@fast.example,x\n' + rows + (
            b'last@fast.example,"a note:\nnobody@fast.example,y\n')
        delivery, job = self.imported(octets, {"ignore_errors": True})
        self.assertEqual(("FINISHED", 19_801, 202, 20_003), (job["status"], job["success_count"],
                                                             job["failed_count"],
                                                             job["total_count"]))
        self.assertEqual(19_801, self.detail(delivery)["total_count"])
        _, first, second, *_, last, inside = self.errors(job)
        self.assertRegex(first[0], r"^\[row 2, column 1: has no closing quotation mark")
        self.assertEqual('"stray@fast.example,x', first[1])
        self.assertRegex(second[0], r"^\[row 3: lies inside a quoted field that began in row 2")
        self.assertRegex(last[0], r"^\[row 20003, column 2: has no closing quotation mark")
        self.assertRegex(inside[0], r"^\[row 20004: lies inside a quoted field that began in row 20")
        self.assertEqual("nobody@fast.example,y", inside[1])
        self.drop(delivery)

    def test_errors_say_row_column_and_what_helps(self):
        octets = ("email,__name__\r\nbad,x\r\nb@fast.example,y,z\r\nc@fast.example,"
                  ).encode() + "山田".encode("cp932") + b"\r\nd@fast.example," + b"v" * 71_681 + (
                      "\r\ne@fast.example,山田太郎\r\n".encode())
        _, job = self.imported(octets, {"ignore_errors": True})
        _, *rows = self.errors(job)
        for row, pattern in zip(rows, (r"^\[email: .*, row: 2\]$",
                                       r"^\[row 3: has 3 fields, the header has 2\]$",
                                       r"^\[__name__: is not valid UTF-8, row 4: .*Shift_JIS.*\]$",
                                       r"^\[__name__: the character length .*, row: 5\]$"),
                                strict=True):
            self.assertRegex(row[0], pattern)

    def test_a_row_that_is_no_csv_is_told_with_its_line_where_that_is_another(self):
        _, job = self.imported(b'email,__name__\n"a"b@fast.example,x\nc@fast.example,"two\nlines"\n'
                               b'd@fast.example,"x"y\n', {"ignore_errors": True})
        _, *rows = self.errors(job)
        for row, place in zip(rows, ("row 2, column 1: ", "row 4 (line 5), column 2: "), strict=True):
            self.assertTrue(row[0].startswith(f"[{place}"), row)

    def test_what_spreadsheets_leave_at_the_edges_is_nothing(self):
        for name, text in {"columns": "email,__name__,,\r\na@fast.example,x,,\r\nb@fast.example,,,\r\n",
                           "rows": "email,__name__\r\na@fast.example,x\r\nb@fast.example\r\n,\r\n,\r\n",
                           "mark and both": "\ufeffemail,__name__,\r\na@fast.example,x,\r\n"
                           "b@fast.example,x,\r\n,,\r\n",
                           "sep": "sep=;\r\nemail;__name__\r\na@fast.example;1,5\r\nb@fast.example;2\r\n",
                           }.items():
            with self.subTest(name):
                delivery, job = self.imported(text.encode())
                self.assertEqual(("FINISHED", 2, 0, 2), (job["status"], job["success_count"],
                                                         job["failed_count"], job["total_count"]))
                self.drop(delivery)

    def test_what_other_software_wrote_is_recognised(self):
        text = "email,__name__\n山田@fast.example,太郎\n"
        for octets, word in (("名前,email\n".encode("euc-jp"), "EUC-JP"),
                             (b"PK\x03\x04\x14\x00\x06\x00", "workbook")):
            with self.subTest(word):
                _, job = self.imported(octets, {"ignore_errors": True})
                self.assertEqual("FAILED", job["status"])
                self.assertIn(word, self.errors(job)[1][0])

    def test_an_address_that_comes_twice_gets_the_mail_of_its_first_row(self):
        octets = ("email,__name__\nOne@fast.example,first\ntwo@fast.example,x\nbad,x\n"
                  "one@FAST.example,second\n one@fast.example ,third\n").encode()
        delivery, job = self.imported(octets, {"ignore_errors": True})
        self.assertEqual(("FINISHED", 2, 1, 5), (job["status"], job["success_count"],
                                                 job["failed_count"], job["total_count"]))
        self.assertEqual({"job_id", "percentage", "status", "success_count", "failed_count",
                          "total_count", "error_file_url"}, set(job))
        answer = self.account.job(job["job_id"])
        self.assertEqual("2", answer.headers["x-todoku-folded-duplicates"])
        self.assertEqual(2, self.detail(delivery)["total_count"])
        delivery, job = self.imported(octets, {"ignore_errors": True, "keep_duplicates": "true"})
        self.assertEqual((4, 1, 5), (job["success_count"], job["failed_count"],
                                     job["total_count"]))
        self.assertNotIn("x-todoku-folded-duplicates", self.account.job(job["job_id"]).headers)
        self.assertEqual(4, self.detail(delivery)["total_count"])
        _, job = self.imported(octets)  # one row is bad
        self.assertEqual(("FAILED", 0, 1, 5), (job["status"], job["success_count"],
                                               job["failed_count"], job["total_count"]))
        self.assertEqual("2", self.account.job(job["job_id"]).headers["x-todoku-folded-duplicates"])

    def test_an_update_folds_as_well(self):
        delivery = self.draft(text_part="__a__")
        to = [{"email": email, "insert_code": [{"key": "__a__", "value": email}]}
              for email in ("Folded@fast.example", "single@fast.example", "folded@fast.EXAMPLE")]
        path = f"/deliveries/bulk/update/{delivery}"
        answer = self.put(path, {"to": to, "keep_duplicates": True})
        self.assertEqual({"delivery_id": delivery}, self.ok(answer))
        self.assertNotIn("x-todoku-folded-duplicates", answer.headers)
        self.assertEqual(3, self.detail(delivery)["total_count"])
        answer = self.put(path, {"to": to})
        self.assertEqual({"delivery_id": delivery}, self.ok(answer))
        self.assertEqual("1", answer.headers["x-todoku-folded-duplicates"])
        self.assertEqual(2, self.detail(delivery)["total_count"])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.assertEqual("Folded@fast.example",
                         door.arrived("folded@fast.example").get_content().strip())

    def test_no_formula_leaves_in_an_error_file(self):
        fields = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
        octets = io.StringIO(newline="")
        csv.writer(octets).writerows([["email", "__a__"], *[["bad", field] for field in fields]])
        _, job = self.imported(octets.getvalue().encode(), {"ignore_errors": True})
        self.assertEqual(["'" + field for field in fields], [row[2] for row in self.errors(job)[1:]])

    def test_an_upload_with_two_files_is_refused(self):
        delivery = self.draft()
        part = ('name="file"; filename="a.csv"', "text/csv", b"email\na@fast.example\n")
        answer = self.multipart("POST", f"/deliveries/{delivery}/emails/import", [part, part])
        self.refused(answer, "file", text="is given more than once.")

    def test_an_empty_field_is_an_empty_value_and_a_missing_one_is_none(self):
        delivery = self.draft(subject="s", text_part="__name__様__b__.")
        rows = "email,__name__,__b__\nfull@fast.example,山田,1\nempty@fast.example,,\n" \
            "quoted@fast.example,\"\",2\nshort@fast.example\n"
        self.imported(rows.encode(), {"immediate": True}, delivery)
        for name, text in {"full": "山田様1.", "empty": "様.", "quoted": "様2.",
                           "short": "__name__様__b__."}.items():
            self.assertEqual(text, door.arrived(f"{name}@fast.example").get_content().strip())
        # As by JSON.
        codes = [{"key": "__name__", "value": ""}, {"key": "__b__", "value": ""}]
        self.accepted(self.send({"to": "json@fast.example", "text_part": "__name__様__b__.",
                                 "insert_code": codes}))
        self.assertEqual("様.", door.arrived("json@fast.example").get_content().strip())

    def test_the_message_of_a_bad_address_looks_like_the_contracts(self):
        _, job = self.imported(b"email\nplain-text\n")
        self.assertRegex(self.errors(job)[1][0], r"^\[email: .*invalid e-mail format.*\]$")

    def test_a_failed_import_leaves_earlier_recipients_alone(self):
        delivery = self.draft(["before@fast.example"])
        _, job = self.imported(b"email\na@fast.example\nbad\n", None, delivery)
        self.assertEqual("FAILED", job["status"])
        self.assertEqual(1, self.detail(delivery)["total_count"])
        _, job = self.imported(b"email\na@fast.example\n", None, delivery)
        self.assertEqual("FINISHED", job["status"])
        self.assertEqual(2, self.detail(delivery)["total_count"])

    def test_a_late_bad_row_undoes_thousands_of_good_ones(self):
        rows = b"".join(b"r%d@fast.example\n" % n for n in range(5_000))
        delivery, job = self.imported(b"email\n" + rows + b"bad\n")
        self.assertEqual(("FAILED", 0, 1, 5_001), (job["status"], job["success_count"],
                                                   job["failed_count"], job["total_count"]))
        self.assertEqual(0, self.detail(delivery)["total_count"])

    def test_immediate_commits_at_the_end(self):
        delivery, job = self.imported("email,__name__\nimmediate@fast.example,今すぐ\n".encode(),
                                      {"immediate": "true"}, self.draft(subject="__name__"))
        self.assertEqual("FINISHED", job["status"])
        self.assertEqual("今すぐ", door.arrived("immediate@fast.example")["Subject"])
        door.eventually(lambda: self.detail(delivery)["status"] == "SENT", "SENT")

    def test_immediate_commits_nothing_that_failed(self):
        delivery, job = self.imported(b"email\nnever@fast.example\nbad\n", {"immediate": True})
        self.assertEqual("FAILED", job["status"])
        self.assertEqual("EDIT", self.detail(delivery)["status"])
        delivery, job = self.imported(b"email\nsome@fast.example\nbad\n",
                                      {"immediate": True, "ignore_errors": True})
        self.assertEqual("FINISHED", job["status"])
        door.arrived("some@fast.example")
        self.assertEqual([], door.mails_to("never@fast.example"))

    def test_what_was_wrong_is_told_in_the_language_asked_for(self):
        delivery = self.draft()
        octets = "email,__name__\nplain-text,x\nname＠fast.example,x\na@fast.example,x,y\n\"b\"c,x\n".encode()
        answer = self.account.import_csv(delivery, octets, {"ignore_errors": True},
                                         headers={"Accept-Language": "ja"})
        job = self.account.end_of(self.ok(answer, 201)["job_id"])
        _, *rows = self.errors(job)
        for row, words in zip(rows, ("[email: メールアドレスの形式が不正です (@がありません), 2行目]",
                                     "全角 (U+FF20)", "[4行目: 値が3個あります (見出しは2列)]",
                                     "[5行目、1列目: 閉じ引用符の後に文字があります"), strict=True):
            self.assertIn(words, row[0])
            self.assertNotIn("row", row[0])
        answer = self.account.import_csv(delivery, b"E-mail\n", headers={"Accept-Language": "ja"})
        job = self.account.end_of(self.ok(answer, 201)["job_id"])
        self.assertEqual("[file: 1行目: 見出しの最初の列は email でなければなりません (「E-mail」に"
                         "なっています)。email と書いてください]", self.errors(job)[1][0])

    def test_a_wrong_header_says_what_was_found_and_what_to_write(self):
        for header, words in (
                ("Email,__a__", '"Email"; write email, in small letters'),
                ("メールアドレス,__a__", '"メールアドレス"; write email'),
                ("name,email", 'must be "email", it is "name"'),
                ("email|__a__", 'separated by "|": separate them'),
                ("c1@good.example,x", "the header row is missing"),
                ("__name__,email", 'put column 2 ("email") first'),
                ("<html><body>", "it looks like HTML"),
                ("email,email", "a second column of addresses"),
                ("email,name", 'column 2 of the header ("name")'),
                ("email,__a__,__na me__", 'column 3 of the header ("__na me__")'),
                ("email,__a__,__na me__", "between two underscores"),
                ("email,__a__,__a__", "column 3")):
            with self.subTest(header):
                _, job = self.imported(f"{header}\na@fast.example,x\n".encode())
                self.assertEqual("FAILED", job["status"])
                self.assertIn(words, self.errors(job)[1][0])
                self.assertNotIn("header.", self.errors(job)[1][0])
                self.assertNotIn("\t", self.errors(job)[1][0])

    def test_blanks_around_the_names_of_a_header_are_nothing(self):
        delivery, job = self.imported(" email , __name__ , \nblank@fast.example, x \n".encode(),
                                      {"immediate": True}, self.draft(text_part="[__name__]"))
        self.assertEqual(("FINISHED", 1), (job["status"], job["success_count"]))
        text = door.arrived("blank@fast.example").get_content()
        self.assertEqual("[ x ]", text.strip(), "a value is taken as it stands")

    def test_what_stands_for_an_address_is_told_with_what_to_write(self):
        rows = {"花子 <h@good.example>": "write the address alone",
                "x@a.example;y@b.example": "more than one address", "a b@c.example": "has a space",
                "a(b@c.example": 'has "("', "mailto:a@c.example": "begins with mailto:",
                "#N/A": "an error value of a spreadsheet", "Ａ@good.example": "(U+FF21)",
                "a。b@good.example": "(U+3002)"}
        octets = io.StringIO(newline="")
        csv.writer(octets).writerows([["email"], *[[cell] for cell in rows]])
        _, job = self.imported(octets.getvalue().encode(), {"ignore_errors": True})
        self.assertEqual(len(rows), job["failed_count"])
        for row, words in zip(self.errors(job)[1:], rows.values(), strict=True):
            self.assertIn(words, row[0])

    def test_a_wrong_header_cannot_turn_the_error_file_around(self):
        for language in ("en", "ja"):
            for header in ("email,a\u202eb", "email,__a__,__\u202eb__,__\u202eb__", "\u202email,__a__"):
                with self.subTest(header):
                    delivery = self.draft()
                    answer = self.account.import_csv(
                        delivery, f"{header}\na@fast.example,x,y,z\n".encode(),
                        headers={"Accept-Language": language})
                    job = self.account.end_of(self.ok(answer, 201)["job_id"])
                    self.assertEqual("FAILED", job["status"])
                    self.assertNotRegex(self.errors(job)[1][0], "[\u202e]")

    def test_an_error_file_goes_with_its_delivery(self):
        def files():
            stack = door.world.stack
            if hasattr(stack, "sql"):  # a store that several processes share keeps them itself
                return set(stack.sql("SELECT name FROM uploads WHERE name LIKE '%.errors.%'"
                                     " AND gone = 0").split())
            return {path.name for path in stack.directory.rglob("*.errors.*")}

        before = files()
        delivery, job = self.imported(b"email\nbad\na@fast.example\n", {"ignore_errors": True})
        self.assertEqual(1, len(files() - before))
        self.drop(delivery)
        door.eventually(lambda: files() <= before, "the error file to be removed", 10)
        self.assertEqual(404, self.account.job(job["job_id"]).status)

    def test_uploads_do_not_stay_behind(self):
        def uploads():
            directory = door.world.stack.directory
            return [path for path in directory.rglob("*.upload*")]

        self.imported(b"email\na@fast.example\n")
        delivery = self.draft()
        self.account.import_csv(delivery, b"email\n", {"immediate": 5})
        self.post(f"/deliveries/{delivery}/emails/import", door.form(
            [('name="file"', "text/csv", b"email\n" * 1000)])[:-30],
            content_type="multipart/form-data; boundary=the-boundary")
        door.eventually(lambda: not uploads(), "uploads to be removed", 10)
