# SPDX-License-Identifier: Apache-2.0
"""pause, resume and stop as requests: what they take, and what they refuse. What becomes of the mail
is in tests/system/delivery/steering_test.py."""
from door import Checks, eventually, new_account

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
