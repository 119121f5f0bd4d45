# SPDX-License-Identifier: Apache-2.0
"""The table endpoint x state -> status (docs/api.md), and other accounts' deliveries."""
import threading
import time

import door
from door import Checks, new_account

LATER = {"reservation_time": "2027-06-01T00:00:00+09:00"}


class States(Checks):
    def calls(self, account, delivery, email):
        """What each endpoint answers for this delivery; reading first, deleting last."""
        csv = b"email\nimported@fast.example\n"
        return {
            "detail": lambda: account.request("GET", f"/deliveries/{delivery}"),
            "recipient": lambda: account.request("GET", f"/deliveries/-/emails/{email}"),
            "cancel": lambda: account.request("PATCH", f"/deliveries/{delivery}/cancel"),
            "update": lambda: account.request("PUT", f"/deliveries/bulk/update/{delivery}",
                                              {"subject": "changed"}),
            "add": lambda: account.request("POST", f"/deliveries/{delivery}/emails",
                                           {"email": "new@fast.example"}),
            "change": lambda: account.request("PUT", f"/deliveries/-/emails/{email}",
                                              {"email": "changed@fast.example"}),
            "remove": lambda: account.request("DELETE", f"/deliveries/-/emails/{email}"),
            "import": lambda: account.import_csv(delivery, csv),
            "commit": lambda: account.request("PATCH", f"/deliveries/bulk/commit/{delivery}",
                                              LATER),
            "immediate": lambda: account.request(
                "PATCH", f"/deliveries/bulk/commit/{delivery}/immediate"),
            "delete": lambda: account.request("DELETE", f"/deliveries/{delivery}"),
        }

    def draft_with_recipient(self, to):
        delivery = self.draft()
        email = self.ok(self.post(f"/deliveries/{delivery}/emails", {"email": to}),
                        201)["email_id"]
        return delivery, email

    def answers(self, delivery, email, state, expected, account=None):
        """Calls everything and compares; a refusal by state must name it and change nothing."""
        account = account or self.account
        for name, call in self.calls(account, delivery, email).items():
            before = account.request("GET", f"/deliveries/{delivery}").json
            answer = call()
            with self.subTest(f"{state}: {name}"):
                self.assertEqual(expected[name], answer.status, f"{name}: {answer}")
                if answer.status == 400:
                    self.assertIn(state, self.refused(answer)[0])
                    after = account.request("GET", f"/deliveries/{delivery}").json
                    self.assertEqual((before["subject"], before["total_count"]),
                                     (after["subject"], after["total_count"]))
                if answer.status == 404:
                    self.refused(answer, status=404, text="no data found.")

    READ_ONLY = {"detail": 200, "recipient": 200, "cancel": 400, "update": 400, "add": 400,
                 "change": 400, "remove": 400, "import": 400, "commit": 400, "immediate": 400,
                 "delete": 400}
    UNKNOWN = dict.fromkeys(READ_ONLY, 404)

    def test_edit(self):
        for name, status in (("detail", 200), ("recipient", 200), ("update", 200), ("add", 201),
                             ("change", 200), ("remove", 200), ("import", 201), ("commit", 200),
                             ("immediate", 200), ("delete", 200), ("cancel", 400)):
            delivery, email = self.draft_with_recipient("a@fast.example")
            with self.subTest(name):
                answer = self.calls(self.account, delivery, email)[name]()
                self.assertEqual(status, answer.status, answer)

    def test_reserve(self):
        delivery, email = self.draft_with_recipient("a@fast.example")
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}", LATER))
        calls = {**self.READ_ONLY, "cancel": 200, "delete": 200}
        kept = self.calls
        self.calls = lambda *a: {n: c for n, c in kept(*a).items() if n not in ("cancel", "delete")}
        self.answers(delivery, email, "RESERVE", calls)
        self.calls = kept
        self.ok(self.patch(f"/deliveries/{delivery}/cancel"))
        detail = self.detail(delivery)
        self.assertEqual(("EDIT", None), (detail["status"], detail["reservation_time"]))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}", LATER))
        self.ok(self.delete(f"/deliveries/{delivery}"))

    def test_sending(self):
        delivery, email = self.draft_with_recipient("defer-451@fast.example")
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        door.eventually(lambda: self.detail(delivery)["soft_error_count"] == 1, "the deferral")
        self.answers(delivery, email, "SENDING", self.READ_ONLY)

    def test_sent(self):
        delivery, email = self.draft_with_recipient("sent@fast.example")
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        door.eventually(lambda: self.detail(delivery)["status"] == "SENT", "SENT")
        self.answers(delivery, email, "SENT", {**self.READ_ONLY, "delete": 200})

    def test_a_transaction_is_no_draft(self):
        delivery = self.accepted(self.send({"to": "defer-451@fast.example"}))
        answers = {name: call() for name, call in self.calls(self.account, delivery, 0).items()}
        for name, answer in answers.items():
            with self.subTest(name):
                expected = {"detail": 200, "recipient": 404, "change": 404, "remove": 404}.get(name,
                                                                                               400)
                self.assertEqual(expected, answer.status, answer)

    def test_deleted(self):
        delivery, email = self.draft_with_recipient("a@fast.example")
        self.ok(self.delete(f"/deliveries/{delivery}"))
        self.answers(delivery, email, "", self.UNKNOWN)
        self.assertNotIn(delivery, [entry["delivery_id"] for entry in self.account.listed()])

    def test_another_accounts_delivery_does_not_exist(self):
        stranger = new_account("stranger")
        delivery, email = self.draft_with_recipient("a@fast.example")
        # Ids are counted per account: the stranger has none that could be meant.
        before = self.detail(delivery)
        self.answers(delivery, email, "", self.UNKNOWN, account=stranger)
        self.assertEqual(before, self.detail(delivery))
        job = self.ok(self.account.import_csv(delivery, b"email\nb@fast.example\n"), 201)["job_id"]
        self.account.end_of(job)
        self.refused(stranger.job(job), status=404)

    def test_a_commit_without_recipients_is_refused(self):
        delivery = self.draft()
        for path, body in ((f"/deliveries/bulk/commit/{delivery}", LATER),
                           (f"/deliveries/bulk/commit/{delivery}/immediate", None)):
            self.assertIn("recipients", self.refused(self.patch(path, body))[0])
        self.assertEqual("EDIT", self.detail(delivery)["status"])

    def test_importing(self):
        delivery, email = self.draft_with_recipient("a@fast.example")
        # Imports run one after the other: this delivery's waits behind the first.
        rows = "".join(f"i{number}@fast.example,名前{number}\n" for number in range(300_000))
        big, big_email = self.draft_with_recipient("a@fast.example")
        job = self.ok(self.account.import_csv(big, b"email,__name__\n" + rows.encode()),
                      201)["job_id"]
        second = self.ok(self.account.import_csv(delivery, b"email\nb@fast.example\n"),
                         201)["job_id"]
        status = self.ok(self.account.job(job))
        self.assertEqual({"percentage", "status"}, set(status), "the import ended too soon")
        self.assertEqual("IMPORTING", status["status"])
        self.assertTrue(0 <= status["percentage"] < 100)

        kept = self.calls
        self.calls = lambda *a: {n: c for n, c in kept(*a).items()
                                 if n not in ("update", "commit", "immediate")}
        self.answers(delivery, email, "IMPORTING", self.READ_ONLY)
        self.calls = kept
        self.refused(self.account.request(
            "GET", f"/deliveries/-/emails/import/{second}/errorinfo/download"), status=404)

        # Update waits for the import rather than refuse what the client may take for done.
        waited = {}

        def update():
            began = time.monotonic()
            waited["answer"] = self.put(f"/deliveries/bulk/update/{delivery}",
                                        {"subject": "after"})
            waited["seconds"] = time.monotonic() - began

        thread = threading.Thread(target=update)
        thread.start()
        self.assertEqual("FINISHED", self.account.end_of(second, 120)["status"])
        thread.join()
        # It waits for ten seconds; how long the import took is the machine's.
        if waited["seconds"] < 9 or waited["answer"].status == 200:
            self.ok(waited["answer"])
            self.assertEqual("after", self.detail(delivery)["subject"])
        else:
            self.assertIn("IMPORTING", self.refused(waited["answer"])[0])
        detail = self.detail(big)
        self.assertEqual(("EDIT", 300_001), (detail["status"], detail["total_count"]))
        self.assertEqual(("EDIT", 2), (self.detail(delivery)["status"],
                                       self.detail(delivery)["total_count"]))

    def test_of_many_commits_at_once_one_succeeds(self):
        delivery, _ = self.draft_with_recipient("once-only@fast.example")
        statuses = []
        path = f"/deliveries/bulk/commit/{delivery}/immediate"
        threads = [threading.Thread(target=lambda: statuses.append(self.patch(path).status))
                   for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200] + [400] * 11, sorted(statuses))
        door.arrived("once-only@fast.example")
        door.eventually(lambda: self.detail(delivery)["status"] == "SENT", "SENT")
        self.assertEqual(1, len(door.mails_to("once-only@fast.example")))

    def test_drafts_begun_at_once_stay_within_the_limit(self):
        account = new_account("hasty")
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.extend(
            account.request("POST", "/deliveries/bulk/begin", door.draft()).status
            for _ in range(5))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([201] * 30 + [400] * 10, sorted(statuses))

    def test_a_cancelled_reservation_can_be_changed_and_sent(self):
        delivery, _ = self.draft_with_recipient("again@fast.example")
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}", LATER))
        self.ok(self.patch(f"/deliveries/{delivery}/cancel"))
        self.ok(self.put(f"/deliveries/bulk/update/{delivery}", {"subject": "二回目"}))
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.assertEqual("二回目", door.arrived("again@fast.example")["Subject"])
