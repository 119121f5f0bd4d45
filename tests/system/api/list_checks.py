# SPDX-License-Identifier: Apache-2.0
"""Lists of recipients: what offices export, in any encoding; streams of any length; dry runs."""
import gzip
import json

import door
import list_zoo
from import_checks import Imports


def lines(*recipients):
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in recipients)


def to(email, **codes):
    return {"email": email,
            "insert_code": [{"key": f"__{key}__", "value": value} for key, value in codes.items()]}


class Lists(Imports):
    def findings(self, job):
        return self.ok(self.get(f"/deliveries/-/emails/import/{job['job_id']}/findings"))

    def streamed(self, octets, query="", delivery=None, **how):
        """(delivery, end of its job)."""
        delivery = delivery or self.draft()
        job = self.ok(self.account.stream(delivery, octets, query, **how), 201)
        self.assertEqual(["job_id"], list(job))
        return delivery, {"job_id": job["job_id"], **self.account.end_of(job["job_id"])}

    def unchanged(self, delivery):
        detail = self.detail(delivery)
        self.assertEqual(("EDIT", 0), (detail["status"], detail["total_count"]))


class Zoo(Lists):
    def test_what_offices_export_is_read_as_it_was_meant(self):
        every = list(list_zoo.specimens())
        self.assertGreaterEqual(len(every), 40)
        delivery = self.draft()
        for one in every:
            with self.subTest(one.name):
                _, job = self.imported(one.octets, {"dry_run": True, "ignore_errors": True}, delivery)
                self.assertEqual("FINISHED", job["status"])
                found = self.findings(job)["list"]
                self.assertEqual((one.encoding, one.separator), (found["encoding"], found["separator"]))
                self.assertIn(one.by, (None, found["encoding_by"]))
                self.assertEqual((one.recipients, one.malformed),
                                 (found["check"]["recipients"], found["check"]["malformed"]), found)
                errors = self.errors(job)
                self.assertEqual(one.malformed, len(errors) - 1)
                if one.shown:
                    self.assertEqual(["bad", *one.shown], errors[-1][1:4])
        self.unchanged(delivery)

    def test_what_was_read_is_what_arrives(self):
        delivery = self.draft(subject="s", text_part="[__name__]")
        text = "email\t__name__\r\nzoo@fast.example\t髙橋①\r\n"
        _, job = self.imported(text.encode("utf-16"), {"immediate": True}, delivery)
        self.assertEqual(("FINISHED", 1), (job["status"], job["success_count"]))
        self.assertEqual("[髙橋①]", door.arrived("zoo@fast.example").get_content().strip())
        self.assertEqual({"job_id": job["job_id"], "status": "FINISHED", "dry_run": False,
                          "cancelled": False, "list": {"form": "csv", "encoding": "utf_16le", "encoding_by": "mark",
                                   "separator": "tab"}}, self.findings(job))

    def test_a_charset_that_is_named_and_does_not_fit_is_told(self):
        delivery = self.draft()
        octets = "email,__name__\na@example.jp,佐藤\n".encode("cp932")
        for name, warning in (("Shift_JIS", None), ("euc-jp", "the list is called euc-jp and read as shift_jis")):
            answer = self.account.stream(delivery, octets, "?dry_run=true",
                                         content_type=f"text/csv; charset={name}")
            self.account.end_of(self.ok(answer, 201)["job_id"])
            told = answer.headers.get("x-todoku-warning", "")
            self.assertEqual(warning is not None, "is called" in told, told)
            self.assertIn(warning or "", told)

    def test_a_broken_character_costs_its_row_and_names_the_column(self):
        octets = "email,__name__\na@example.jp,佐藤\nb@example.jp,".encode("cp932") + b"\xff\n"
        _, job = self.imported(octets, {"ignore_errors": True})
        self.assertEqual(("FINISHED", 1, 1), (job["status"], job["success_count"], job["failed_count"]))
        self.assertRegex(self.errors(job)[1][0], r"^\[__name__: .*Shift_JIS.*, row: 3\]$")

    def test_the_line_is_told_where_it_is_not_the_row(self):
        _, job = self.imported(b'email,__a__\na@example.jp,"two\nlines"\nbad,x\n', {"ignore_errors": True})
        self.assertRegex(self.errors(job)[1][0], r"^\[email: .*, row: 3, line: 4\]$")


class Streams(Lists):
    def test_a_recipient_a_line_is_sent_to(self):
        delivery = self.draft(subject="s", text_part="[__name__|__n__]")
        octets = lines(to("stream1@fast.example", name="山田\n太郎", n="1"), {"email": "stream2@fast.example"})
        _, job = self.streamed(octets.replace(b"\n{", b"\r\n\r\n{"), "?immediate=true", delivery)
        self.assertEqual(("FINISHED", 2, 0, 2), (job["status"], job["success_count"], job["failed_count"],
                                                 job["total_count"]))
        self.assertEqual("[山田\n太郎|1]", door.arrived("stream1@fast.example").get_content().strip()
                         .replace("\r\n", "\n"))
        self.assertEqual("[__name__|__n__]", door.arrived("stream2@fast.example").get_content().strip())
        self.assertEqual({"form": "ndjson", "encoding": "utf_8"}, self.findings(job)["list"])

    def test_a_csv_comes_the_same_way(self):
        delivery, job = self.streamed("email;__a__\na@example.jp;値\n".encode("cp932"),
                                      content_type="text/csv; charset=Shift_JIS")
        self.assertEqual(("FINISHED", 1), (job["status"], job["success_count"]))
        self.assertEqual(1, self.detail(delivery)["total_count"])
        self.assertEqual("shift_jis", self.findings(job)["list"]["encoding"])

    def test_gzip_is_taken(self):
        octets = b"".join(lines(to(f"r{n}@example.jp", n=str(n))) for n in range(5_000))
        for name in ("gzip", "X-GZIP"):
            delivery, job = self.streamed(gzip.compress(octets[:99_999]) + gzip.compress(octets[99_999:]),
                                          headers={"Content-Encoding": name})
            self.assertEqual(("FINISHED", 5_000), (job["status"], job["success_count"]))
            self.assertEqual(5_000, self.detail(delivery)["total_count"])
            self.drop(delivery)

    def test_bad_lines_are_told_with_line_column_and_reason(self):
        octets = b"\n".join([b'{"email":"a@example.jp"}', b'{"email":"bad"}', b'{"email": ,}', b"[]", b"",
                             b'{"email":"b@example.jp","name":"x"}', b'{"email":"c\xff@example.jp"}',
                             b'{"email":"d@example.jp","insert_code":[{"key":"__a__","value":{}}]}',
                             b'{"insert_code":[]}', b'{"email":"' + b"x" * (300 << 10) + b'"}',
                             b'{"email":"e@example.jp"}', b'{"email":"f@example.jp","insert_code":["x"]}'])
        delivery, job = self.streamed(octets)
        self.assertEqual(("FAILED", 0, 9), (job["status"], job["success_count"], job["failed_count"]))
        self.unchanged(delivery)
        _, job = self.streamed(octets, "?ignore_errors=true", delivery)
        self.assertEqual(("FINISHED", 2, 9, 11), (job["status"], job["success_count"], job["failed_count"],
                                                  job["total_count"]))
        head, *errors = self.errors(job)
        self.assertEqual("row", head[1])
        for error, pattern in zip(errors, (
                r"^\[email: .*, row: 2\]$", r"^\[row 3, column 11: is no JSON", r"^\[row 4: is no JSON object\]$",
                r"^\[name: is no member of a row.*, row: 6\]$", r"^\[row 7, column \d+: is no JSON",
                r"^\[__a__: .*, row: 8\]$", r"^\[email: .*, row: 9\]$",
                r"^\[row 10: is longer than 262144 bytes\]$",
                r"^\[insert_code\.0: .*, row: 12\]$"), strict=True):
            self.assertRegex(error[0], pattern)
        self.assertEqual('{"email":"bad"}', errors[0][1])

    def test_a_stream_that_breaks_leaves_nothing(self):
        whole = gzip.compress(lines(*(to(f"r{n}@example.jp") for n in range(100))))
        delivery = self.draft()
        for octets in (whole[:-1], whole[:40], whole + b"more", b"", b'{"email":"a@example.jp"}\n'):
            answer = self.account.stream(delivery, octets, headers={"Content-Encoding": "gzip"})
            self.refused(answer)
            self.unchanged(delivery)
        with door.Raw(door.world.stack.api_port) as raw:
            raw.send(door.head(self.account, "POST", f"/deliveries/{delivery}/emails/stream",
                               "Content-Type: application/x-ndjson", "Content-Length: 1000000"))
            raw.send(lines(to("a@example.jp")) * 2_000)
        self.unchanged(delivery)
        _, job = self.streamed(lines(to("after@example.jp")), delivery=delivery)
        self.assertEqual(("FINISHED", 1), (job["status"], job["success_count"]))

    def test_one_that_runs_is_cancelled_and_leaves_nothing(self):
        delivery = self.draft()
        rows = lines(*(to(f"r{n}@cancelled.example") for n in range(60_000)))
        job = self.ok(self.account.stream(delivery, rows), 201)
        path = f"/deliveries/-/emails/import/{job['job_id']}"
        self.assertEqual(job, self.ok(self.account.request("DELETE", path)))
        self.assertEqual("FAILED", self.account.job(job["job_id"]).json["status"])
        self.assertEqual({"job_id": job["job_id"], "status": "FAILED", "dry_run": False, "cancelled": True,
                          "list": None}, self.findings(job))
        self.unchanged(delivery)
        self.refused(self.account.request("DELETE", path))
        self.assertEqual(404, self.account.request("DELETE", path + "9").status)
        _, job = self.streamed(lines(to("after@example.jp")), delivery=delivery)
        self.assertEqual(("FINISHED", 1), (job["status"], job["success_count"]))
        self.assertEqual(1, self.detail(delivery)["total_count"])

    def test_what_a_little_expands_to_is_bounded(self):
        delivery = self.draft()
        bomb = gzip.compress(b" " * (50 << 20))
        self.assertLess(len(bomb), 100_000)
        answer = self.account.stream(delivery, bomb, headers={"Content-Encoding": "gzip"})
        self.container_error(answer, 413)
        self.unchanged(delivery)

    def test_another_form_or_encoding_is_named(self):
        delivery = self.draft()
        row = lines(to("a@example.jp"))
        self.container_error(self.account.stream(delivery, row, content_type=door.JSON), 415)
        answer = self.account.stream(delivery, row, headers={"Content-Encoding": "br"})
        self.container_error(answer, 415)
        self.assertEqual("gzip, identity", answer.headers["accept-encoding"])
        for query in ("maybe", "", "true&ignore_errors=false"):
            self.refused(self.account.stream(delivery, row, "?ignore_errors=" + query), "ignore_errors")
        self.refused(self.account.stream(delivery, row, "?dry_run&immediate=true"), "dry_run")
        answer = self.account.stream(delivery, row, "?dry_run=1&ignore_error=1")
        self.account.end_of(self.ok(answer, 201)["job_id"])
        self.assertEqual("ignore_error", answer.headers["x-todoku-unknown-fields"])
        self.unchanged(delivery)

    def test_a_repeat_makes_no_second_job(self):
        delivery = self.draft()
        key = {"Idempotency-Key": "list-of-may"}
        first = self.ok(self.account.stream(delivery, lines(to("a@example.jp")), headers=key), 201)
        self.account.end_of(first["job_id"])
        again = self.account.stream(delivery, lines(to("a@example.jp")), headers=key)
        self.assertEqual((first, "true"), (self.ok(again, 201), again.headers["idempotency-replayed"]))
        self.assertEqual(409, self.account.stream(delivery, lines(to("b@example.jp")), headers=key).status)
        self.assertEqual(1, self.detail(delivery)["total_count"])


class DryRuns(Lists):
    def test_a_dry_run_tells_what_an_import_would_bring(self):
        self.ok(self.post("/suppressions", {"email": "left@example.com", "reason": "manual"}), 201)
        delivery = self.draft(["before@example.jp"], subject="__name__", text_part="__name__ __code__",
                              html_part="<p>%%other%%</p>")
        text = ("email,__name__,__code__\na@example.jp,x,1\nb@example.jp,,2\nleft@example.com,z\n"
                "A@example.jp,twice,4\nbad,x,5\n")
        for name, octets, how in (
                ("form", text.encode("cp932"), None),
                ("stream", lines(to("a@example.jp", name="x", code="1"), to("b@example.jp", name="", code="2"),
                                 to("left@example.com", name="z"), to("A@example.jp"), to("bad")), "")):
            with self.subTest(name):
                if how is None:
                    _, job = self.imported(octets, {"dry_run": "true"}, delivery)
                else:
                    _, job = self.streamed(octets, "?dry_run=true", delivery)
                self.assertEqual(("FAILED", 0, 1, 5), (job["status"], job["success_count"],
                                                       job["failed_count"], job["total_count"]))
                self.assertEqual(2, len(self.errors(job)))
                found = self.findings(job)
                self.assertTrue(found["dry_run"])
                self.assertEqual({
                    "rows": 5, "recipients": 3, "malformed": 1, "duplicates": 1, "suppressed": 1,
                    "domains": [{"domain": "example.jp", "recipients": 2},
                                {"domain": "example.com", "recipients": 1}],
                    "other_domains": {"domains": 0, "recipients": 0},
                    "codes": [{"key": "__name__", "missing": 0}, {"key": "__code__", "missing": 1},
                              {"key": "%%other%%", "missing": 3}]}, found["list"]["check"])
                self.assertEqual(1, self.detail(delivery)["total_count"])
        _, job = self.imported(text.encode(), {"dry_run": True, "ignore_errors": True}, delivery)
        self.assertEqual(("FINISHED", 3, 1, 5), (job["status"], job["success_count"], job["failed_count"],
                                                 job["total_count"]))
        self.assertEqual(("EDIT", 1), (self.detail(delivery)["status"],
                                       self.detail(delivery)["total_count"]))

    def test_it_sends_nothing(self):
        delivery = self.draft()
        self.refused(self.account.import_csv(delivery, b"email\na@example.jp\n",
                                             {"dry_run": True, "immediate": True}), "dry_run")
        self.refused(self.account.stream(delivery, lines(to("a@example.jp")),
                                         "?dry_run=true&immediate=true"), "dry_run")
        self.unchanged(delivery)

    def test_a_file_that_is_no_list_has_findings_too(self):
        _, job = self.imported("名前,email\n".encode("cp932"), {"dry_run": True})
        self.assertEqual("FAILED", job["status"])
        found = self.findings(job)["list"]
        self.assertEqual(("shift_jis", 0), (found["encoding"], found["check"]["recipients"]))
