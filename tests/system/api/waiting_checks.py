# SPDX-License-Identifier: Apache-2.0
"""Transactions that wait: send_at, moved and cancelled, and how long a mail may be on its way."""
import datetime

from door import Checks, arrived, eventually, mail, mails_to, new_account

DAY = 24 * 3600


def at(seconds):
    """The date-time in so many seconds, as clients write it."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.isoformat(timespec="seconds")


class Waiting(Checks):
    def waiting(self):
        """The ids of the account's transactions that wait, as they are listed."""
        answer = self.get("/deliveries?delivery_type[]=TRANSACTION&status[]=RESERVE&size=1000")
        return [one["delivery_id"] for one in self.ok(answer)["data"]]

    def test_a_mail_goes_out_at_its_time_and_not_before(self):
        to = "waits@fast.example"
        delivery = self.accepted(self.send({"to": to, "send_at": at(4)}))
        detail = self.detail(delivery)
        self.assertEqual(("RESERVE", 1, 0, None),
                         (detail["status"], detail["total_count"], detail["sent_count"],
                          detail["delivery_time"]))
        self.assertIn(delivery, self.waiting())
        self.assertEqual([], mails_to(to))
        message = arrived(to)
        self.assertGreaterEqual(message["Date"].datetime, datetime.datetime.fromisoformat(
            detail["reservation_time"]) - datetime.timedelta(seconds=1))
        eventually(lambda: self.detail(delivery)["status"] == "SENT", "its end")
        self.assertNotIn(delivery, self.waiting())

    def test_those_that_wait_are_a_list_of_their_own(self):
        account = new_account("waiters")
        self.assertEqual({"data": [], "has_more": False},
                         self.ok(account.request("GET", "/deliveries/waiting")))
        sent = [account.send({"to": f"waiter{n}@fast.example", "subject": f"number {n}",
                              "send_at": at(DAY)}) for n in range(5)]
        made = [self.accepted(answer) for answer in sent]
        self.accepted(account.send({"to": "waiter-now@fast.example"}))
        self.ok(account.request("PATCH", f"/deliveries/{made[1]}/cancel"))
        seen = []
        cursor = ""
        while True:
            page = self.ok(account.request("GET", f"/deliveries/waiting?count=2{cursor}"))
            self.assertLessEqual(len(page["data"]), 2)
            seen += page["data"]
            self.assertEqual(page["has_more"], "next_cursor" in page)
            if not page["has_more"]:
                break
            cursor = "&cursor=" + page["next_cursor"]
        self.assertEqual([made[n] for n in (4, 3, 2, 0)], [one["delivery_id"] for one in seen])
        newest = self.ok(account.request("GET", f"/deliveries/{made[4]}"))
        self.assertEqual({"delivery_id": made[4], "total_count": 1, "subject": "number 4",
                          "message_id": sent[4].headers["x-todoku-message-id"],
                          "from": newest["from"]["email"], "send_at": newest["reservation_time"],
                          "created_time": newest["created_time"]}, seen[0])
        self.assertEqual([], self.ok(new_account().request("GET", "/deliveries/waiting"))["data"])
        for query in ("cursor=x", "cursor=1", "cursor=-", "cursor=1-", "cursor=-1-1", "cursor="):
            self.refused(account.request("GET", "/deliveries/waiting?" + query), "cursor")
        self.refused(account.request("GET", "/deliveries/waiting?count=0"), "count")

    def test_its_time_can_be_moved_until_it_begins(self):
        to = "moved@fast.example"
        delivery = self.accepted(self.send({"to": to, "send_at": at(DAY)}))
        path = f"/deliveries/{delivery}/send_at"
        self.assertEqual({"delivery_id": delivery},
                         self.ok(self.patch(path, {"send_at": at(2 * DAY)})))
        self.refused(self.patch(path, {"send_at": at(-DAY)}), "send_at")
        self.refused(self.patch(path, {"send_at": at(400 * DAY)}), "send_at")
        self.refused(self.patch(path, {"send_at": "soon"}), "send_at")
        self.refused(self.patch(path, {"send_at": 7}), "send_at")
        self.refused(self.patch(path, {}), "send_at")
        self.refused(self.patch(path, {"sendAt": at(DAY)}), "send_at")
        self.assertEqual(404, new_account().request("PATCH", path, {"send_at": at(1)}).status)
        self.assertEqual([], mails_to(to))
        self.ok(self.patch(path, {"send_at": at(0)}))
        arrived(to)
        eventually(lambda: self.detail(delivery)["status"] == "SENT", "its end")
        self.refused(self.patch(path, {"send_at": at(DAY)}))

    def test_what_is_cancelled_is_never_sent(self):
        to = "cancelled@fast.example"
        delivery = self.accepted(self.send({"to": to, "cc": ["cancelled-cc@fast.example"],
                                            "send_at": at(2)}))
        self.ok(self.patch(f"/deliveries/{delivery}/cancel"))
        detail = self.detail(delivery)
        self.assertEqual(("FAILED", 2, 2, 0), (detail["status"], detail["total_count"],
                                               detail["drop_count"], detail["sent_count"]))
        self.refused(self.patch(f"/deliveries/{delivery}/cancel"))
        self.refused(self.patch(f"/deliveries/{delivery}/send_at", {"send_at": at(DAY)}))
        # Another that was to go out later has gone out.
        after = "later-than-that@fast.example"
        self.accepted(self.send({"to": after, "send_at": at(3)}))
        arrived(after)
        self.assertEqual([], mails_to(to))

    def test_who_is_suppressed_meanwhile_gets_nothing(self):
        to, other = "meanwhile@fast.example", "meanwhile-cc@fast.example"
        delivery = self.accepted(self.send({"to": to, "cc": [other], "send_at": at(4)}))
        self.ok(self.post("/suppressions", {"email": to, "reason": "manual"}), 201)
        arrived(other)
        eventually(lambda: self.detail(delivery)["status"] == "SENT", "its end")
        detail = self.detail(delivery)
        self.assertEqual((1, 1), (detail["sent_count"], detail["drop_count"]))
        self.assertEqual([], mails_to(to))

    def test_its_time_is_counted_from_its_start(self):
        to = "short-lived@later.example"
        delivery = self.accepted(self.send({"to": to, "send_at": at(2), "expires_in": 1}))
        eventually(lambda: self.detail(delivery)["status"] == "SENT", "its end")
        self.assertEqual(1, self.detail(delivery)["soft_error_count"])

    def test_wrong_times_are_refused_and_nothing_is_stored(self):
        with self.nothing_stored():
            for value in ("", "tomorrow", at(-DAY), at(400 * DAY), 7, {}, []):
                with self.subTest(value):
                    self.refused(self.send({"send_at": value}), "send_at")
            for value in ("", 0, -1, "1.5", 1.5, "soon", 10 ** 9, 10 ** 30, {}, []):
                with self.subTest(value):
                    self.refused(self.send({"expires_in": value}), "expires_in")
            self.refused(self.send({"sendAt": at(DAY)}), "send_at")
            self.refused(self.post("/deliveries/bulk/begin", mail(to=..., send_at=at(DAY))),
                         "send_at")

    def test_no_time_at_all_is_now(self):
        to = "now@fast.example"
        self.accepted(self.send({"to": to, "send_at": None, "expires_in": None}))
        arrived(to)

    def test_mails_of_a_batch_wait_each_for_itself(self):
        answer = self.post("/deliveries/transaction/batch", {"mails": [
            mail(to="batch-now@fast.example"),
            mail(to="batch-later@fast.example", send_at=at(DAY)),
            mail(to="batch-never@fast.example", send_at=at(-DAY))]})
        told = answer.json["data"]
        self.assertEqual([201, 201, 400], [one["status"] for one in told])
        self.assertEqual("RESERVE", self.detail(told[1]["delivery_id"])["status"])
        self.ok(self.patch(f"/deliveries/{told[1]['delivery_id']}/cancel"))


class MessageIds(Checks):
    def test_the_message_id_is_told_and_is_the_one_that_arrives(self):
        to = "told-id@fast.example"
        answer = self.send({"to": to, "cc": ["told-id-cc@other.example"]})
        delivery = self.accepted(answer)
        told = answer.headers["x-todoku-message-id"]
        self.assertEqual(told, arrived(to)["Message-ID"])
        self.assertEqual(told, arrived("told-id-cc@other.example")["Message-ID"])
        self.assertEqual(told, self.get(f"/deliveries/{delivery}").headers["x-todoku-message-id"])

    def test_of_a_mail_that_waits_too(self):
        to = "told-later@fast.example"
        answer = self.send({"to": to, "send_at": at(1)})
        self.accepted(answer)
        self.assertEqual(answer.headers["x-todoku-message-id"], arrived(to)["Message-ID"])

    def test_of_each_mail_of_a_batch(self):
        addresses = [f"told-batch{i}@fast.example" for i in range(3)]
        told = self.ok(self.post("/deliveries/transaction/batch",
                                 {"mails": [mail(to=to) for to in addresses]}), 201)["data"]
        self.assertEqual(3, len({one["message_id"] for one in told}))
        for to, one in zip(addresses, told):
            self.assertEqual(one["message_id"], arrived(to)["Message-ID"])

    def test_of_each_recipient_of_a_bulk(self):
        delivery = self.draft(["told-first@fast.example"])
        added = self.ok(self.post(f"/deliveries/{delivery}/emails",
                                  {"email": "told-second@fast.example"}), 201)["email_id"]
        told = self.get(f"/deliveries/-/emails/{added}").headers["x-todoku-message-id"]
        self.assertNotIn("x-todoku-message-id", self.get(f"/deliveries/{delivery}").headers)
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.assertEqual(told, arrived("told-second@fast.example")["Message-ID"])
        self.assertNotEqual(told, arrived("told-first@fast.example")["Message-ID"])

    def test_a_refusal_has_none(self):
        self.assertNotIn("x-todoku-message-id", self.send({"to": "nobody"}).headers)
