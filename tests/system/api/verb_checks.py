# SPDX-License-Identifier: Apache-2.0
"""pause, resume, stop, pace, quiet hours and resend as requests: what they take, and what they refuse. What becomes of the mail
is in tests/system/delivery/steering_test.py."""
import csv
import email as email_parser
import io
import time
import zipfile

from door import Checks, eventually, issued, mail, mails_to, new_account, world

VERBS = ("pause", "resume", "stop")


class Verbs(Checks):
    def steer(self, delivery, verb, method="POST"):
        return self.account.request(method, f"/deliveries/{delivery}/{verb}")

    def progress(self, delivery):
        return self.ok(self.get(f"/deliveries/{delivery}/progress"))

    def test_what_does_not_go_out_is_refused(self):
        delivery = self.draft(["verbs@fast.example"])
        for verb in VERBS:
            self.assertIn("EDIT", self.refused(self.steer(delivery, verb))[0])
        self.assertEqual("edit", self.progress(delivery)["state"])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        eventually(lambda: self.detail(delivery)["status"] == "SENT", "its end")
        for verb in ("pause", "stop"):
            self.assertIn("SENT", self.refused(self.steer(delivery, verb))[0])
        told = self.progress(delivery)
        self.assertEqual(("sent", 1, 1, 0), (told["state"], told["total"], told["delivered"],
                                             told["cancelled"]))

    def night(self):
        """Quiet hours that go on now, and for more than an hour."""
        now = time.gmtime()
        return {"from": f"{(now.tm_hour - 1) % 24:02}:00", "until": f"{(now.tm_hour + 2) % 24:02}:00",
                "time_zone": "UTC"}

    def test_nothing_is_begun_in_quiet_hours(self):
        delivery = self.draft(["quiet1@fast.example", "quiet2@fast.example"])
        night = self.night()
        self.assertEqual({"delivery_id": delivery}, self.ok(
            self.put(f"/deliveries/{delivery}/quiet_hours", night)))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        eventually(lambda: self.progress(delivery)["state"] == "sending", "its start")
        told = self.progress(delivery)
        self.assertEqual((night, "quiet_hours", 2), (told["quiet_hours"], told["waits"]["because"],
                                                     told["pending"]))
        self.assertRegex(told["waits"]["until"], r"T\d\d:00:00\+")
        for language, word in (("en", "quiet hours"), ("ja", "静音時間帯")):
            why = self.ok(self.get("/explain?email=quiet1@fast.example",
                                   headers={"Accept-Language": language}))
            self.assertIn(word, why["text"])
        self.ok(self.account.request("DELETE", f"/deliveries/{delivery}/quiet_hours"))
        eventually(lambda: self.progress(delivery)["delivered"] == 2, "its mails")
        told = self.progress(delivery)
        self.assertEqual((None, None), (told["quiet_hours"], told["waits"]))
        self.assertIn("SENT", self.refused(
            self.put(f"/deliveries/{delivery}/quiet_hours", night))[0])

    def test_a_pace_holds_and_can_be_changed_while_it_goes_out(self):
        delivery = self.draft([f"pace{i}@fast.example" for i in range(30)], pace={
            "mails": 2, "per": "hour"})
        told = self.progress(delivery)
        self.assertEqual(({"mails": 2, "per": "hour"}, None),
                         (told["pace"], told["expected_to_expire"]))
        slower = self.put(f"/deliveries/{delivery}/pace", {"mails": 1, "per": "hour"})
        self.ok(slower)
        self.assertIn("about 6 mails are not begun", slower.headers["x-todoku-warning"])
        self.assertEqual(6, self.progress(delivery)["expected_to_expire"]["mails"])
        judged = self.ok(self.post(f"/deliveries/{delivery}/preflight"))
        self.assertIn("pace_too_slow", [finding["code"] for finding in judged["findings"]])
        committed = self.patch(f"/deliveries/bulk/commit/{delivery}/immediate")
        self.ok(committed)
        self.assertIn("about 6 mails are not begun", committed.headers["x-todoku-warning"])
        eventually(lambda: self.progress(delivery)["delivered"] > 0, "its first mail")
        told = self.progress(delivery)
        self.assertEqual((1, "pace"), (told["delivered"], told["waits"]["because"]))
        free = self.account.request("DELETE", f"/deliveries/{delivery}/pace")
        self.ok(free)
        self.assertNotIn("x-todoku-warning", free.headers)
        self.assertIsNone(self.progress(delivery)["expected_to_expire"])
        eventually(lambda: self.progress(delivery)["delivered"] == 30, "the others")

    def test_how_it_is_to_go_is_read_exactly(self):
        delivery = self.draft(["how@fast.example"])
        for body, member in (({"mails": 0, "per": "hour"}, "mails"),
                             ({"mails": 1_000_001, "per": "hour"}, "mails"),
                             ({"mails": 1.5, "per": "hour"}, "mails"), ({"per": "hour"}, "mails"),
                             ({"mails": 5, "per": "day"}, "per"), ({"mails": 5}, "per")):
            answer = self.put(f"/deliveries/{delivery}/pace", body)
            self.assertEqual((400, {member}), (answer.status, set(answer.json["error_messages"])))
        night = {"from": "21:00", "until": "08:00", "time_zone": "Asia/Tokyo"}
        for member, value in (("from", "9:00"), ("from", "24:00"), ("until", "08:60"),
                              ("until", "21:00"), ("time_zone", "Asia/Tokio"),
                              ("time_zone", "GMT+9"), ("time_zone", None)):
            answer = self.put(f"/deliveries/{delivery}/quiet_hours", {**night, member: value})
            self.assertEqual((400, {member}), (answer.status, set(answer.json["error_messages"])))
        told = self.progress(delivery)
        self.assertEqual((None, None, None), (told["pace"], told["quiet_hours"], told["waits"]))
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {
            "quiet_hours": night, "pace": {"mails": 600, "per": "minute"}}))
        told = self.progress(delivery)
        self.assertEqual(({"mails": 600, "per": "minute"}, night),
                         (told["pace"], told["quiet_hours"]))
        urgent = self.ok(self.post("/deliveries/transaction", mail()), 201)["delivery_id"]
        self.assertIn("bulk", self.refused(
            self.put(f"/deliveries/{urgent}/pace", {"mails": 5, "per": "hour"}))[0])

    def export(self, delivery, body=None, **headers):
        """(the job when it has ended, its file's rows)."""
        job = self.ok(self.post(f"/deliveries/{delivery}/recipients/export", body,
                                headers=headers), 201)["job_id"]
        path = f"/deliveries/-/recipients/export/{job}"
        status = eventually(lambda: (lambda s: s if s["percentage"] == 100 else None)(
            self.ok(self.get(path))), "the export")
        self.assertTrue(status["recipients_file_url"].endswith(f"/api/v1{path}/download"))
        self.assertEqual({"percentage", "status", "total_count", "recipients_file_url"}, set(status))
        answer = self.get(f"{path}/download")
        self.assertEqual((200, "application/zip"), (answer.status, answer.headers["content-type"]))
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        name, = archive.namelist()
        return status, list(csv.reader(io.StringIO(archive.read(name).decode(), newline="")))

    def test_what_became_of_each_recipient_is_exported(self):
        addresses = ["ex1@fast.example", "ex2@gone.example", "ex3@later.example"]
        delivery = self.draft(addresses)
        self.assertIn("EDIT", self.refused(
            self.post(f"/deliveries/{delivery}/recipients/export"))[0])
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        eventually(lambda: (lambda p: p["delivered"] + p["bounced"] + p["deferred"] == 3)(
            self.progress(delivery)), "what becomes of them")
        _, rows = self.export(delivery)
        self.assertEqual(["id", "email", "state", "time", "response_code", "message"], rows[0])
        self.assertEqual([("ex1@fast.example", "delivered", "250"),
                          ("ex2@gone.example", "bounced", "550"),
                          ("ex3@later.example", "deferred", "451")],
                         sorted((row[1], row[2], row[4]) for row in rows[1:]))
        self.ok(self.steer(delivery, "stop"))
        # Asked at once, it waits until all that a stop writes is written.
        status, rows = self.export(delivery, {"states": ["cancelled", "bounced"]},
                                   **{"Accept-Language": "ja"})
        self.assertEqual(("stopped", 2), (self.progress(delivery)["state"], status["total_count"]))

        def listed(stopped):
            data = self.ok(self.get(f"/deliveries/all?status[]=SENT&stopped={stopped}"))["data"]
            return delivery in [entry["delivery_id"] for entry in data]

        self.assertEqual((True, False), (listed("true"), listed("false")))
        self.assertEqual("状態", rows[0][2])
        self.assertEqual([("ex2@gone.example", "bounced"), ("ex3@later.example", "cancelled")],
                         sorted((row[1], row[2]) for row in rows[1:]))
        for row in rows[1:]:
            self.assertRegex(row[3], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$")
        self.refused(self.post(f"/deliveries/{delivery}/recipients/export", {"states": ["sent"]}),
                     "states", "0")
        self.refused(self.post(f"/deliveries/{delivery}/recipients/export", {"states": "sent"}),
                     "states")
        key = {"Idempotency-Key": "export-1"}
        first = self.ok(self.post(f"/deliveries/{delivery}/recipients/export", headers=key), 201)
        self.assertEqual(first, self.ok(
            self.post(f"/deliveries/{delivery}/recipients/export", {}, headers=key), 201))
        self.assertEqual(409, self.post(f"/deliveries/{delivery}/recipients/export",
                                        {"states": ["bounced"]}, headers=key).status)
        # Another account's is as if it were not there, and so is a job of another kind.
        stranger = new_account()
        job = first["job_id"]
        for method, path in (("POST", f"/deliveries/{delivery}/recipients/export"),
                             ("GET", f"/deliveries/-/recipients/export/{job}"),
                             ("GET", f"/deliveries/-/recipients/export/{job}/download")):
            self.assertEqual(404, stranger.request(method, path).status, path)
        self.assertEqual(404, self.get(f"/deliveries/-/analysis/report/{job}").status)

    def test_another_accounts_delivery_is_not_there(self):
        delivery = self.draft()
        other = new_account()
        for verb in VERBS:
            for method in ("POST", "PATCH"):
                answer = other.request(method, f"/deliveries/{delivery}/{verb}")
                self.refused(answer, status=404, text="no data found.")
        self.assertEqual(404, other.request("GET", f"/deliveries/{delivery}/progress").status)
        self.assertEqual(404, self.steer(99_999_999, "stop").status)
        self.assertEqual(404, self.steer("x", "stop").status)


class Resends(Checks):
    def mail_of(self, address):
        """Its number, when it is over."""
        row = eventually(lambda: self.ok(self.get(f"/logs/mails/results?email={address}"))["data"],
                         "its row")[0]
        return row["maillog_id"]

    def resend(self, email, body=None, **how):
        return self.post(f"/deliveries/-/emails/{email}/resend", body, **how)

    def test_a_mail_goes_again_to_the_address_that_was_meant(self):
        first = self.accepted(self.send({
            "to": "typo@gone.example", "subject": "ご注文の確認", "tags": ["order"],
            "text_part": "__name__ 様", "insert_code": [{"key": "__name__", "value": "山田"}]}))
        email = self.mail_of("typo@gone.example")
        named = {"Idempotency-Key": "meant"}
        again = self.accepted(self.resend(email, {"to": "meant@fast.example"}, headers=named))
        self.assertNotEqual(first, again)
        kept, = eventually(lambda: mails_to("meant@fast.example"), "the mail")
        self.assertIn("山田 様", email_parser.message_from_bytes(kept[1]).get_payload(decode=True).decode())
        repeated = self.resend(email, {"to": "meant@fast.example"}, headers=named)
        self.assertEqual((again, "true"), (self.ok(repeated, 201)["delivery_id"],
                                           repeated.headers["idempotency-replayed"]))
        self.assertEqual(409, self.resend(email, {"to": "other@fast.example"},
                                          headers=named).status)
        told = self.ok(self.get("/explain?email=typo@gone.example",
                                headers={"Accept-Language": "en"}))["text"]
        self.assertIn(f"It was sent once more, as delivery {again}.", told)
        told = self.ok(self.get("/explain?email=meant@fast.example",
                                headers={"Accept-Language": "en"}))["text"]
        self.assertIn(f"it says what mail {email} said", told)
        labels = self.ok(self.get(f"/deliveries/{again}/labels"))
        self.assertEqual((["order"], "transactional"), (labels["tags"], labels["purpose"]))

    def test_it_passes_the_door_as_any_mail(self):
        self.accepted(self.send({"to": "once-more@fast.example"}))
        email = self.mail_of("once-more@fast.example")
        self.assertIn("invalid", self.refused(self.resend(email, {"to": "no address"}), "to")[0])
        self.assertEqual(404, self.resend(987654321).status)
        # Whoever is on a list of the account's is not sent it.
        self.ok(self.post("/suppressions", {"email": "stopped@fast.example", "reason": "manual"}), 201)
        dropped = self.accepted(self.resend(email, {"to": "stopped@fast.example"}))
        eventually(lambda: self.ok(self.get(f"/deliveries/{dropped}/progress"))["dropped"] == 1,
                   "the list's word")
        self.assertEqual([], mails_to("stopped@fast.example"))
        # Without an address: to its recipient.
        self.accepted(self.resend(email))
        eventually(lambda: len(mails_to("once-more@fast.example")) == 2, "the second one")

    def test_what_is_on_its_way_is_not_sent_a_second_time(self):
        waiting = self.accepted(self.send({"to": "slow@later.example"}))
        eventually(lambda: self.ok(self.get(f"/deliveries/{waiting}/progress"))["deferred"] == 1,
                   "its first attempt")
        email = self.mail_of("slow@later.example")
        self.assertIn("still on its way", self.refused(self.resend(email))[0])
        self.ok(self.patch(f"/deliveries/{waiting}/stop"))

    def test_it_needs_the_scope_content(self):
        account = new_account("resender")
        self.assertEqual(201, account.send({"to": "scoped@fast.example"}).status)
        eventually(lambda: account.request("GET", "/logs/mails/results").json["data"], "its row")
        email = account.request("GET", "/logs/mails/results").json["data"][0]["maillog_id"]
        path = f"/deliveries/-/emails/{email}/resend"
        token = self.key(account, "send,read")
        answer = account.request("POST", path, token=token)
        self.assertEqual((403, ["this API key lacks the scope content."]),
                         (answer.status, answer.json["error_messages"]["main"]))
        self.assertEqual(201, account.request("POST", path,
                                              token=self.key(account, "send,content")).status)

    def key(self, account, scopes):
        return issued(world.stack.command("key", "add", account.name, "--label", "r", "--scopes",
                                          scopes))[2]
