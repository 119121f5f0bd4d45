# SPDX-License-Identifier: Apache-2.0
"""What a sender attaches to recipients: it comes back as given, and their mails are found by it."""
import json
import urllib.parse

import door
from door import Checks, eventually, new_account

METADATA = {"customer": "42", "店": "渋谷 \"一\"", "empty": ""}


def emails(explained):
    return sorted(mail["email_id"] for mail in explained["mails"])


class References(Checks):
    def explained(self, account=None, **by):
        return self.ok((account or self.account).request(
            "GET", f"/explain?{urllib.parse.urlencode(by)}"))

    def ended(self, delivery):
        return eventually(lambda: [event for event in self.ok(
            self.get(f"/events?delivery_id={delivery}&kind[]=sent"))["data"]], "the mail sent")

    def test_it_comes_back_and_its_mail_is_found(self):
        made = self.send({"to": "ref-one@fast.example", "cc": ["ref-two@fast.example"],
                          "reference": "注文 4711/a", "metadata": METADATA})
        delivery = self.accepted(made)
        events = eventually(lambda: (lambda found: found if len(found) == 2 else None)(
            self.ended(delivery)), "both sent")
        for event in events:
            self.assertEqual(("注文 4711/a", METADATA), (event["reference"], event["metadata"]))
        mail = events[0]["maillog_id"]
        for path in (f"/logs/mails/{mail}", f"/deliveries/-/emails/{mail}"):
            told = self.ok(self.get(path))
            self.assertEqual(("注文 4711/a", METADATA), (told["reference"], told["metadata"]), path)
            self.assertEqual([], told.get("insert_code", []), path)
        self.assertNotIn(b"4711", door.arrived("ref-one@fast.example").octets)
        ids = sorted(event["maillog_id"] for event in events)
        found = self.explained(reference="注文 4711/a")
        self.assertEqual(ids, emails(found))
        self.assertEqual(METADATA, found["mails"][0]["metadata"])
        rows = self.ok(self.get("/logs/mails/results?" + urllib.parse.urlencode(
            {"reference": "注文 4711/a"})))["data"]
        self.assertEqual(ids, sorted(row["maillog_id"] for row in rows))
        self.assertEqual({"注文 4711/a"}, {row["reference"] for row in rows})
        self.assertEqual([], emails(self.explained(reference="注文 4711/A")))
        stranger = new_account("refstranger")
        self.assertEqual([], emails(self.explained(stranger, reference="注文 4711/a")))
        # By its Message-ID, as it arrived and as it was told; and by its number.
        message_id = made.headers["x-todoku-message-id"]
        self.assertEqual(message_id, door.arrived("ref-one@fast.example")["Message-ID"])
        for written in (message_id, message_id.strip("<>"), message_id.upper()):
            self.assertEqual(ids, emails(self.explained(message_id=written)), written)
        self.assertEqual([], emails(self.explained(stranger, message_id=message_id)))
        self.assertEqual([mail], emails(self.explained(email_id=mail)))
        self.assertEqual([], emails(self.explained(message_id="<nobody@example.com>")))

    def test_recipients_of_a_bulk_have_their_own(self):
        delivery = self.draft()
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"to": [
            {"email": "to1@fast.example", "reference": 1001, "metadata": {"a": "b"}},
            {"email": "to2@fast.example"}]}))
        self.ok(self.post(f"/deliveries/{delivery}/emails",
                          {"email": "to3@fast.example", "reference": "1003"}), 201)
        self.imported(b"email,reference,__a__\nto4@fast.example,1004,x\n", delivery=delivery)
        rows = [{"email": "to5@fast.example", "reference": "1005", "metadata": METADATA},
                {"email": "to6@fast.example", "reference": 1006}]
        job = self.ok(self.account.stream(
            delivery, "\n".join(json.dumps(row) for row in rows).encode()), 201)
        end = self.account.end_of(job["job_id"])
        self.assertEqual("FINISHED", end["status"], end)
        for number in (1, 3, 4, 5, 6):
            (mail,) = eventually(lambda: self.explained(reference=f"100{number}")["mails"],
                                 f"to{number}")
            told = self.ok(self.get(f"/deliveries/-/emails/{mail['email_id']}"))
            self.assertEqual(f"to{number}@fast.example", told["email"])
            self.assertEqual({1: {"a": "b"}, 5: METADATA}.get(number, {}), mail["metadata"])
            if number == 4:
                self.assertEqual([{"key": "__a__", "value": "x"}], told["insert_code"])
        # It stays, whatever else is changed.
        self.refused(self.put(f"/deliveries/-/emails/{mail['email_id']}",
                              {"email": "to6@fast.example", "reference": "1007"}), "reference")
        self.ok(self.put(f"/deliveries/-/emails/{mail['email_id']}", {"email": "to7@fast.example"}))
        (again,) = self.explained(reference="1006")["mails"]
        self.assertEqual(mail["email_id"], again["email_id"])

    def test_what_is_wrong_is_named(self):
        for fields, path in (({"reference": "x" * 101}, "reference"),
                             ({"reference": ["x"]}, "reference"),
                             ({"metadata": {f"m{n}": "" for n in range(21)}}, "metadata"),
                             ({"metadata": {"a": "x" * 2_000}}, "metadata"),
                             ({"metadata": {"": "x"}}, "metadata"),
                             ({"metadata": "x"}, "metadata")):
            with self.subTest(fields=str(fields)[:60]):
                self.refused(self.send(fields), path)
        answer = self.send({"metadata": {"a": 1}})
        self.assertEqual(400, answer.status, answer)
        self.assertEqual(400, self.get("/explain?reference=a&email=a@example.jp").status)
        for text in ("a\x1bb", "a\u202eb", "a\nb", "a\u2066b"):
            for fields, path in (({"metadata": {"a": text}}, "metadata"),
                                 ({"metadata": {text: "a"}}, "metadata"),
                                 ({"reference": text}, "reference")):
                self.refused(self.send(fields), path)
        for name in ("reference", "message_id", "address"):
            answer = self.get(f"/explain?{name}=%20")
            self.assertEqual(400, answer.status, answer)
            self.assertIn(f"{name} is empty", str(answer.json))
        answer = self.get("/explain?message_id=%3Ca@vm%3E%20%3Cb@vm%3E")
        self.assertEqual(400, answer.status, answer)
        self.refused(self.get("/logs/mails/results?reference="), "reference")
        self.assertEqual(400, self.get("/explain?reference=a&site=docomo").status)
        _, job = self.imported(b"email,reference,reference\na@fast.example,1,2\n")
        self.assertEqual("FAILED", job["status"])
