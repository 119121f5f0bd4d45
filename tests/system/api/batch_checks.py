# SPDX-License-Identifier: Apache-2.0
"""POST /deliveries/transaction/batch: many different mails, an answer for each."""
import json

from door import Checks, arrived, mail, new_account

PATH = "/deliveries/transaction/batch"


class Batches(Checks):
    def batch(self, mails, account=None, **more):
        return (account or self.account).request("POST", PATH, {"mails": mails}, **more)

    def test_each_mail_is_a_delivery_of_its_own(self):
        mails = [mail(to=f"batch{i}@fast.example", subject=f"number {i}") for i in range(100)]
        answer = self.batch(mails)
        told = self.ok(answer, 201)
        self.assertEqual((100, 0), (told["accepted_count"], told["refused_count"]))
        self.assertEqual({201}, {one["status"] for one in told["data"]})
        ids = [one["delivery_id"] for one in told["data"]]
        self.assertEqual(100, len(set(ids)))
        for i in (0, 42, 99):
            delivery = self.ok(self.get(f"/deliveries/{ids[i]}"))
            self.assertEqual(f"number {i}", delivery["subject"])
            self.assertEqual("TRANSACTION", delivery["delivery_type"])
            self.assertEqual(1, delivery["total_count"])
        self.assertEqual("number 42", arrived("batch42@fast.example")["subject"])

    def test_a_wrong_mail_is_told_in_its_place_and_stops_no_other(self):
        answer = self.batch([mail(to="one@fast.example"), mail(to="nobody"), 7,
                             mail(to="two@fast.example", duplicate_policies="x"),
                             mail(subject="", to="three@fast.example")])
        self.assertEqual(207, answer.status)
        told = answer.json
        self.assertEqual([201, 400, 400, 201, 400], [one["status"] for one in told["data"]])
        self.assertEqual((2, 3), (told["accepted_count"], told["refused_count"]))
        self.assertEqual(["to"], list(told["data"][1]["error_messages"]))
        self.assertEqual(["main"], list(told["data"][2]["error_messages"]))
        self.assertEqual(["subject"], list(told["data"][4]["error_messages"]))
        self.assertEqual("mails[3].duplicate_policies", answer.headers["x-todoku-unknown-fields"])

    def test_where_none_is_accepted_clients_see_a_failure(self):
        answer = self.batch([mail(to="nobody"), mail(to="nobody else")])
        self.assertEqual(400, answer.status)
        self.assertIn("none of the 2 mails was accepted", answer.json["error_messages"]["main"][0])
        self.assertEqual([400, 400], [one["status"] for one in answer.json["data"]])
        japanese = self.batch([mail(to="nobody")], headers={"Accept-Language": "ja-JP"})
        self.assertIn("受け付けられません", japanese.json["error_messages"]["main"][0])

    def test_a_thousand_mails_are_taken_and_one_more_is_too_many(self):
        account = new_account("batches")
        answer = self.batch([mail(to=f"{i}@fast.example") for i in range(1000)], account)
        self.assertEqual(1000, self.ok(answer, 201)["accepted_count"])
        answer = self.batch([mail(to=f"{i}@fast.example") for i in range(1001)], account)
        self.refused(answer, "mails", status=400)

    def test_what_is_no_batch_is_refused_as_a_whole(self):
        for body in ({}, {"mails": []}, {"mails": None}):
            with self.subTest(body):
                self.refused(self.account.request("POST", PATH, body), "mails", status=400)
        for body in ({"mails": {}}, {"mails": "x"}, {"mails": 1}):
            with self.subTest(body):
                self.refused(self.account.request("POST", PATH, body), "mails", status=400)
        self.refused(self.account.request("POST", PATH, []), status=400)
        for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            answer = self.account.request("POST", PATH, b"x", content_type=kind)
            self.assertEqual(415, answer.status, kind)

    def test_what_is_told_of_many_wrong_mails_is_bounded(self):
        wrong = {"from": {"email": "x"}, "to": "x", "cc": ["y"] * 10, "bcc": ["z"] * 10,
                 "subject": "", "text_part": ""}
        answer = self.batch([wrong] * 1000)
        self.assertEqual(400, answer.status)
        problems = [sum(len(texts) if isinstance(texts, list) else len(texts.values())
                        for texts in one["error_messages"].values())
                    for one in answer.json["data"]]
        self.assertGreater(problems[0], 10)
        self.assertEqual({1}, set(problems[-500:]))
        self.assertLess(sum(problems), 2100)
        self.assertLess(len(json.dumps(answer.json)), 500_000)
