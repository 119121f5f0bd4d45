# SPDX-License-Identifier: Apache-2.0
"""What an account has used, by month."""
import datetime
import re

import door
from door import Checks

KEYS = ["month", "current", "remaining", "update_time", "updated_time", "plan_id"]
JAPAN = datetime.timezone(datetime.timedelta(hours=9))


def this_month():
    now = datetime.datetime.now(JAPAN)
    return now.year * 100 + now.month


def before(month, months):
    count = month // 100 * 12 + month % 100 - 1 - months
    return count // 12 * 100 + count % 12 + 1


class Usages(Checks):
    def latest(self):
        return self.ok(self.get("/usages/latest"))

    def test_latest_is_this_month(self):
        usage = self.latest()
        self.assertEqual(KEYS, list(usage))
        self.assertEqual(this_month(), usage["month"])
        # Strict clients: numbers and texts, whatever the plan.
        for name in ("month", "current", "remaining"):
            self.assertIs(int, type(usage[name]), name)
            self.assertLess(usage[name], 2**31)
        self.assertEqual("unlimited", usage["plan_id"])
        self.assertEqual(usage["update_time"], usage["updated_time"])
        self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00",
                                     usage["update_time"]))

    def test_a_mail_counts_when_its_delivery_starts(self):
        used = self.latest()["current"]
        self.accepted(self.send({"to": "to@fast.example", "cc": ["cc@fast.example"],
                                 "bcc": ["bcc@fast.example"]}))
        self.assertEqual(used + 3, self.latest()["current"])
        delivery = self.draft([f"reader{n}@fast.example" for n in range(5)])
        self.assertEqual(used + 3, self.latest()["current"], "a draft is not used")
        self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
        door.eventually(lambda: self.latest()["current"] == used + 8, "the bulk to be counted")
        self.assertEqual(0, door.new_account("unused").request("GET", "/usages/latest")
                         .json["current"])

    def test_months_are_listed_newest_first(self):
        self.assertEqual([self.latest()], self.ok(self.get("/usages"))["data"])
        for count in (1, 3, 120):
            months = self.ok(self.get(f"/usages?month_ago={count}"))["data"]
            self.assertEqual([before(this_month(), n) for n in range(count)],
                             [usage["month"] for usage in months])
            self.assertEqual(self.latest(), months[0])
            for usage in months:
                self.assertEqual(KEYS, list(usage))
        # One client sends what it asks for as a body as well.
        self.assertEqual(3, len(self.ok(self.get("/usages?month_ago=3", {"month_ago": 3}))["data"]))
        self.ok(self.get("/usages?"))
        for bad in ("0", "121", "x", "-1", "1.5"):
            self.refused(self.get(f"/usages?month_ago={bad}"), "month_ago",
                         text="must be a number from 1 to 120.")

    def test_days_are_listed_newest_first_with_the_limits(self):
        account = door.new_account("by-day")
        self.accepted(account.send({"cc": ["cc@fast.example"]}))
        today = datetime.datetime.now(JAPAN).date()

        def days(query=""):
            return self.ok(account.request("GET", f"/usages/days{query}"))
        # A process tells the store every few seconds.
        door.eventually(lambda: sum(each["accepted"] for each in days("?days=2")["data"]) == 2,
                        "the mails of today")
        listed = days()
        self.assertEqual([], listed["limits"])
        self.assertEqual(31, len(listed["data"]))
        first = datetime.date.fromisoformat(listed["data"][0]["day"])
        self.assertIn((first - today).days, (0, 1), "or midnight has come")
        self.assertEqual((first - datetime.timedelta(days=30)).isoformat(),
                         listed["data"][-1]["day"])
        for bad in ("0", "63", "x"):
            self.refused(account.request("GET", f"/usages/days?days={bad}"), "days",
                         text="must be a number from 1 to 62.")
        self.assertNotIn("ratelimit", account.request("GET", "/usages/days").headers)

    def test_one_month(self):
        month = this_month()
        self.assertEqual(self.latest(), self.ok(self.get(f"/usages/{month}")))
        past = self.ok(self.get(f"/usages/{before(month, 1)}"))
        self.assertEqual((before(month, 1), 0), (past["month"], past["current"]))
        for none in (before(month, -1), "202613", "202600", "0", "-1", "x", "99999999999999999999",
                     "4294967296"):
            self.refused(self.get(f"/usages/{none}"), status=404, text="no data found.")
