# SPDX-License-Identifier: Apache-2.0
"""The log: search, detail, and the message as it was sent."""
import re

import door
from door import Checks, arrived, mails_to, new_account

ROW = ["maillog_id", "delivery_id", "delivery_type", "email", "status", "last_response_code",
       "last_response_message", "delivery_time", "open_time", "created_time", "updated_time"]
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00")


class Logs(Checks):
    """An account with one mail of each end."""
    FATES = {"reader@fast.example": ("SENT", "250"), "bounce-550@fast.example": ("HARDERROR", "550"),
             "late-554@fast.example": ("HARDERROR", "554"),
             "defer-451@fast.example": ("RETRY", "451")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        account = cls.account
        cls.deliveries = {}
        for to in cls.FATES:
            answer = account.send({"to": to})
            assert answer.status == 201, answer
            cls.deliveries[to] = answer.json["delivery_id"]
        door.eventually(lambda: len(cls.rows_of(account)) == len(cls.FATES), "a row for each mail")

    @staticmethod
    def rows_of(account, query=""):
        return account.request("GET", f"/logs/mails/results{query}").json["data"]

    def rows(self, query=""):
        return self.ok(self.get(f"/logs/mails/results{query}"))["data"]

    def emails(self, query=""):
        return [row["email"] for row in self.rows(query)]

    def test_a_row_has_the_keys_of_the_contract(self):
        for row in self.rows():
            self.assertEqual(ROW, list(row))
            status, code = self.FATES[row["email"]]
            self.assertEqual((status, code), (row["status"], row["last_response_code"]))
            self.assertEqual(self.deliveries[row["email"]], row["delivery_id"])
            self.assertEqual("TRANSACTION", row["delivery_type"])
            self.assertTrue(row["last_response_message"])
            self.assertIsNone(row["open_time"])
            for name in ("delivery_time", "created_time", "updated_time"):
                self.assertRegex(row[name], DATE)

    def test_rows_are_ordered_by_their_id_alone(self):
        ids = [row["maillog_id"] for row in self.rows()]
        self.assertEqual(sorted(ids, reverse=True), ids)
        paged = []
        page = self.rows("?count=1")
        while page:
            paged += page
            page = self.rows(f"?count=1&anchor={paged[-1]['maillog_id']}")
        self.assertEqual(ids, [row["maillog_id"] for row in paged])
        self.assertEqual([], self.rows(f"?anchor={ids[-1]}"))

    def test_by_status(self):
        by = {}
        for to, (status, _) in self.FATES.items():
            by.setdefault(status, set()).add(to)
        for status in ("SENT", "RETRY", "HARDERROR", "SOFTERROR", "DROP"):
            self.assertEqual(by.get(status, set()), set(self.emails(f"?status[]={status}")), status)
        self.assertEqual(by["SENT"] | by["RETRY"],
                         set(self.emails("?status[]=SENT&status[]=RETRY")))
        everybody = set(self.FATES)
        # Clients mix the words of two lists, write arrays in many ways, and ask for what is not.
        for query in ("", "?status[]=ALL", "?status[]=EDIT", "?status=SENT&status=ALL", "?size=10",
                      "?delivery_type[]=ALL", "?status%5B0%5D=ALL"):
            self.assertEqual(everybody, set(self.emails(query)), query)
        self.assertEqual(by["SENT"] | by["HARDERROR"],
                         set(self.emails("?status=%5B'SENT',%20'HARDERROR'%5D")))

    def test_what_is_not_known_is_ignored_and_told(self):
        def unknown(query):
            answer = self.get("/logs/mails/results" + query)
            self.assertEqual(200, answer.status, answer)
            return answer.headers.get("x-todoku-unknown-fields")
        self.assertEqual("mail, status=BOUNCED", unknown("?mail=x@example.jp&status=BOUNCED"))
        self.assertIsNone(unknown("?email=x@example.jp&status=SENT&status=ALL&response_code[]=250"
                                  "&delivery_start=2026-01-01&delivery_end=2026-01-02&count=1"
                                  "&anchor=5&delivery_id=1&delivery_type=BULK"))

    def test_by_code(self):
        self.assertEqual(["bounce-550@fast.example"], self.emails("?response_code[]=550"))
        self.assertEqual({"bounce-550@fast.example", "late-554@fast.example"},
                         set(self.emails("?response_code[]=550&response_code[]=554")))
        self.assertEqual(["reader@fast.example"], self.emails("?response_code[]=250"))
        self.assertEqual(["defer-451@fast.example"],
                         self.emails("?response_code[]=451&status[]=RETRY"))
        self.assertEqual([], self.emails("?response_code[]=550&status[]=RETRY"))

    def test_by_address_delivery_and_type(self):
        for to, delivery in self.deliveries.items():
            self.assertEqual([to], self.emails(f"?email={to}"))
            self.assertEqual([to], self.emails(f"?email={to.upper()}"))
            self.assertEqual([to], self.emails(f"?delivery_id={delivery}"))
        self.assertEqual([], self.emails("?email=nobody@fast.example"))
        self.assertEqual([], self.emails("?delivery_id=2147483647"))
        self.assertEqual([], self.emails("?delivery_type[]=BULK"))
        self.assertEqual(len(self.FATES), len(self.emails("?delivery_type[]=TRANSACTION")))

    def test_by_time(self):
        first, last = (self.rows()[i]["delivery_time"] for i in (-1, 0))
        # The second it began in, and a '+' that a client forgot to encode.
        query = f"?delivery_start={first}&delivery_end={last[:-6]}.999%2B09:00"
        self.assertEqual(len(self.FATES), len(self.emails(query)))
        self.assertEqual([], self.emails("?delivery_end=2020-01-01T00:00:00Z"))
        self.assertEqual([], self.emails("?delivery_start=2099-01-01"))

    def test_cc_and_bcc_have_rows_of_their_own(self):
        account = new_account("logcopies")
        to = ["to@fast.example", "cc@fast.example", "bcc@fast.example"]
        delivery = self.accepted(account.send({"to": to[0], "cc": [to[1]], "bcc": [to[2]]}))
        rows = door.eventually(
            lambda: (lambda found: found if len(found) == 3 else None)(self.rows_of(account)),
            "three rows")
        self.assertEqual(set(to), {row["email"] for row in rows})
        self.assertEqual({delivery}, {row["delivery_id"] for row in rows})

    def test_a_bulk_is_found_by_what_became_of_it(self):
        account = new_account("logbulk")
        made = self.ok(account.request("POST", "/deliveries/bulk/begin", door.draft()), 201)
        delivery = made["delivery_id"]
        to = [f"reader{n}@fast.example" for n in range(40)] + ["bounce.1@fast.example"]
        self.ok(account.request("PUT", f"/deliveries/bulk/update/{delivery}",
                                {"to": [{"email": address} for address in to]}))
        self.assertEqual([], self.rows_of(account))
        self.ok(account.request("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate"))
        door.eventually(lambda: account.detail(delivery)["status"] == "SENT", "its end")
        rows = self.rows_of(account, f"?delivery_id={delivery}&count=1000")
        self.assertEqual(set(to), {row["email"] for row in rows})
        (bad,) = self.rows_of(account, f"?delivery_id={delivery}&status[]=HARDERROR")
        self.assertEqual("bounce.1@fast.example", bad["email"])
        self.assertEqual("BULK", bad["delivery_type"])

    def test_a_detail_tells_every_attempt(self):
        for row in self.rows():
            detail = self.ok(self.get(f"/logs/mails/{row['maillog_id']}"))
            self.assertEqual([*ROW, "sent_history"], list(detail))
            self.assertEqual(row, {name: detail[name] for name in ROW})
            (attempt,) = detail["sent_history"]
            self.assertEqual(["status", "response_code", "delivery_time", "response_message"],
                             list(attempt))
            self.assertEqual((row["status"], row["last_response_code"],
                              row["last_response_message"]),
                             (attempt["status"], attempt["response_code"],
                              attempt["response_message"]))
            self.assertRegex(attempt["delivery_time"], DATE)

    def test_another_accounts_rows_are_not_there(self):
        stranger = new_account("logstranger")
        row = self.rows()[0]
        for path in (f"/logs/mails/{row['maillog_id']}",
                     f"/deliveries/-/emails/{row['maillog_id']}/message.eml"):
            self.refused(stranger.request("GET", path), status=404, text="no data found.")
        for query in ("", f"?email={row['email']}", f"?delivery_id={row['delivery_id']}",
                      "?status[]=HARDERROR", "?response_code[]=550"):
            self.assertEqual([], self.rows_of(stranger, query), query)

    def test_what_is_wrong_is_named(self):
        for query, name in (("count=0", "count"), ("count=1001", "count"), ("count=x", "count"),
                            ("anchor=0", "anchor"), ("anchor=-1", "anchor"),
                            ("anchor=99999999999999999999", "anchor"), ("delivery_id=a", "delivery_id"),
                            ("email=nobody", "email"), (f"email={'a' * 255}@fast.example", "email"),
                            ("email=%ff@fast.example", "email"),
                            ("response_code[]=x", "response_code"),
                            ("response_code[]=1000", "response_code"),
                            ("&".join(["response_code[]=550"] * 31), "response_code"),
                            ("&".join(["status[]=SENT"] * 11), "status"),
                            ("delivery_start=soon", "delivery_start"),
                            ("delivery_end=2026-02-30", "delivery_end")):
            answer = self.get(f"/logs/mails/results?{query}")
            self.assertEqual(400, answer.status, (query, answer))
            self.assertEqual([name], list(answer.json["error_messages"]), query)
        for query in ("count=1000", "&".join(["response_code[]=550"] * 30),
                      "&".join(["status[]=SENT"] * 10)):
            self.rows(f"?{query}")
        for id in ("0", "x", "-1", "2147483647", "99999999999999999999"):
            self.refused(self.get(f"/logs/mails/{id}"), status=404, text="no data found.")

    def test_reading_the_log_needs_its_scope(self):
        shown = door.world.stack.command("key", "add", self.account.name, "--scopes", "send")
        token = door.issued(shown)[2]
        for path in ("/logs/mails/results", "/logs/mails/1", "/usages/latest"):
            self.refused(self.get(path, token=token), status=403,
                         text="this API key lacks the scope read.")
        self.refused(self.get("/deliveries/-/emails/1/message.eml", token=token), status=403,
                     text="this API key lacks the scope content.")


class Messages(Checks):
    def message_of(self, account, to, kept=1):
        """(the octets that the API tells, those that arrived)."""
        door.eventually(lambda: len(mails_to(to)) >= kept, f"a mail to {to}")
        row = door.eventually(
            lambda: account.request("GET", f"/logs/mails/results?email={to}").json["data"], "a row")
        answer = account.request("GET",
                                 f"/deliveries/-/emails/{row[0]['maillog_id']}/message.eml")
        self.assertEqual(200, answer.status, answer)
        self.assertEqual("message/rfc822", answer.headers["content-type"])
        return answer.body, arrived(to).octets

    def test_it_is_what_arrived(self):
        self.accepted(self.send({"to": "copy1@fast.example", "html_part": "<p>__name__</p>",
                                 "insert_code": [{"key": "__name__", "value": "山田"}]}))
        told, octets = self.message_of(self.account, "copy1@fast.example")
        self.assertEqual(octets, told)

    def test_signed_and_with_an_attachment(self):
        account = new_account("signed")
        door.world.stack.command("dkim", "generate", "--account", account.name, "--domain",
                                 "sender.example", "--selector", "log1")

        def signed(to):
            self.ok(account.multipart("POST", "/deliveries/transaction", [
                door.data_part(door.mail(to=to)), door.file_part(octets=b"attached" * 5000)]), 201)
            return b"DKIM-Signature" in arrived(to).octets
        number = iter(range(100))
        last = {}

        def one():
            last["to"] = f"copy2.{next(number)}@fast.example"
            return signed(last["to"])
        door.eventually(one, "a mail that is signed")  # an engine that runs sees the key soon
        told, octets = self.message_of(account, last["to"])
        self.assertIn(b"DKIM-Signature", told)
        self.assertEqual(octets, told)

        # Without the key it cannot be made as it was.
        door.world.stack.command("dkim", "remove", "--account", account.name, "--domain",
                                 "sender.example", "--selector", "log1", statuses=(0, 1, 2))
        row = account.request("GET", f"/logs/mails/results?email={last['to']}").json["data"][0]
        path = f"/deliveries/-/emails/{row['maillog_id']}/message.eml"
        door.eventually(lambda: account.request("GET", path).status == 410, "the key to be gone")

    def test_of_what_was_stopped_before_it_was_tried_there_is_none(self):
        self.ok(self.post("/suppressions", {"email": "stopped-eml@fast.example"}), 201)
        self.accepted(self.send({"to": "stopped-eml@fast.example"}))
        (row,) = self.ok(self.get("/logs/mails/results?email=stopped-eml@fast.example"))["data"]
        self.assertEqual("DROP", row["status"])
        self.refused(self.get(f"/deliveries/-/emails/{row['maillog_id']}/message.eml"),
                     status=410)

    def test_of_a_draft_there_is_none(self):
        delivery = self.draft()
        added = self.ok(self.post(f"/deliveries/{delivery}/emails", {"email": "a@fast.example"}),
                        201)
        self.refused(self.get(f"/deliveries/-/emails/{added['email_id']}/message.eml"),
                     text="its delivery has not started: no message of it was made yet.")
        self.refused(self.get("/deliveries/-/emails/2147483647/message.eml"), status=404)
