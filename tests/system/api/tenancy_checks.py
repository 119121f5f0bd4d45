# SPDX-License-Identifier: Apache-2.0
"""Two accounts in one installation: whatever is one's is for the other as if it were not there, in
every operation of docs/openapi.json that names something, and in every list, search and stream.

What is the owner's has a word in it that no answer to the stranger may hold.
"""
import time
import urllib.parse

import door
from bad_input import NOT_THERE
from bad_input_checks import RIGHT, example_of
from door import Checks, draft, eventually, issued, new_account
from event_checks import Stream
from openapi_checks import operations, resolved

WORD = "ownersword"
DOMAIN = f"{WORD}.example"
READER = f"{WORD}@fast.example"
CSV = f"email\n{WORD}-b@fast.example\n{WORD} is no address\n".encode()
# Parameters of paths that name nothing of an account's.
OF_NOBODY = {"month"}
# What an operation does with its own: these are looked at by their answers to the owner.
LISTS_OF_OWN = {"listDeliveries", "listAllDeliveries", "searchLogs", "listEvents", "listDomains",
                "listErrors", "listSuppressions", "exportSuppressions", "listWaiting",
                "listWebhooks", "listTemplates"}
TIMES = {"commitBulk": "reservation_time", "moveStart": "send_at"}  # by the member that has it
STOPPED = f"{WORD}@gone.example"


def holds_word(answer):
    return WORD.encode() in answer.body.lower()


def in_three_days():
    return time.strftime("%Y-%m-%d", time.localtime(time.time() + 3 * 86_400))


def without_question(answer):
    """The answer of a look-up without the address that it repeats."""
    if READER not in (answer.json.get("email"), answer.json.get("address")):
        return answer
    # The explanation repeats it in its text.
    repeated = 2 if "address" in answer.json else 1
    return door.Answer(answer.status, (), answer.body.replace(READER.encode(), b"", repeated))


class Tenancy(Checks):
    @classmethod
    def setUpClass(cls):
        # In this order: lists that go on beyond their account's end would come to the owner's.
        cls.stranger, cls.owner = new_account("stranger"), new_account("owner")
        stack = door.world.stack
        stack.vouch(cls.owner.name, DOMAIN)
        cls.admins = {account.name: issued(stack.command(
            "key", "add", account.name, "--label", WORD, "--scopes",
            "send,read,content,suppress,admin"))[2] for account in (cls.owner, cls.stranger)}
        cls.own = cls.things_of(cls.owner)

    @classmethod
    def things_of(cls, account):
        """{parameter of a path: what it names of this account's}."""
        sent = account.send({"to": READER, "from": {"email": f"shop@{DOMAIN}"}, "subject": WORD}).json
        waits = account.send({"to": READER, "from": {"email": f"shop@{DOMAIN}"}, "subject": WORD,
                              "send_at": in_three_days()})
        assert waits.status == 201, waits
        begun = account.request("POST", "/deliveries/bulk/begin", draft(subject=WORD)).json
        delivery = begun["delivery_id"]
        email = account.request("POST", f"/deliveries/{delivery}/emails",
                                {"email": f"{WORD}-a@fast.example"}).json
        job = account.import_csv(delivery, CSV, {"ignore_errors": True}).json
        account.end_of(job["job_id"])
        row = eventually(lambda: account.request("GET", "/logs/mails/results").json["data"],
                         "the owner's mail in the log")[0]
        assert row["delivery_id"] == sent["delivery_id"]
        for _ in range(2):
            gone = account.send({"to": STOPPED}).json["delivery_id"]
            eventually(lambda: account.detail(gone)["status"] == "SENT", "the hard error")
        eventually(lambda: account.request("GET", "/errors").json["data"], "the stopped address")
        export = account.request("POST", "/errors/list", {}).json["job_id"]
        eventually(lambda: account.request("GET", f"/errors/list/{export}").json["percentage"] == 100,
                   "the export")
        report = account.request("POST", f"/deliveries/{sent['delivery_id']}/analysis/report")
        report = report.json["job_id"]
        eventually(lambda: account.request("GET", f"/deliveries/-/analysis/report/{report}")
                   .json["percentage"] == 100, "the report")
        recipients = account.request("POST", f"/deliveries/{sent['delivery_id']}/recipients/export")
        recipients = recipients.json["job_id"]
        eventually(lambda: account.request("GET", f"/deliveries/-/recipients/export/{recipients}")
                   .json["percentage"] == 100, "the list of recipients")
        added = account.request("POST", "/suppressions", {"email": READER, "reason": "unsubscribe"})
        assert added.status == 201, added
        hook = account.request("POST", "/webhooks", {"url": f"https://{DOMAIN}/x", "form": "contract"},
                               token=cls.admins[account.name])
        assert hook.status == 201, hook
        kept = account.request("POST", "/templates", {"name": f"{WORD}-{account.name}", "subject": WORD,
                                                      "text_part": WORD})
        assert kept.status == 201, kept
        return {"webhook": hook.json["webhook"], "template": f"{WORD}-{account.name}", "export": export, "report": report,
                "recipients": recipients,
                "delivery_id": delivery, "email_id": email["email_id"], "job_id": job["job_id"],
                "maillog_id": row["maillog_id"], "domain": DOMAIN, "account": account.name,
                "id": "1", "sent": sent["delivery_id"]}

    def call(self, account, method, path, description, ids):
        name = description["operationId"]
        if name == "importRecipients":
            return account.import_csv(ids["delivery_id"], b"email\nx@fast.example\n")
        if name == "streamRecipients":
            return account.stream(ids["delivery_id"], b'{"email":"x@fast.example"}\n')
        token = self.admins[account.name]
        if path.startswith("/errors/list/"):
            ids = {**ids, "job_id": ids["export"]}
        if path.startswith("/deliveries/-/analysis/report/"):
            ids = {**ids, "job_id": ids["report"]}
        if path.startswith("/deliveries/-/recipients/export/"):
            ids = {**ids, "job_id": ids["recipients"]}
        if name == "getMessage":  # of a mail that has been sent
            ids = {**ids, "email_id": ids.get("maillog_id", ids["email_id"])}
        body = RIGHT[name]() if name in RIGHT else example_of(description)
        if name in TIMES:
            body = {TIMES[name]: in_three_days()}
        return account.request(method.upper(), path.format(**ids), body, token=token)

    def naming(self):
        """(method, path, description, the parameters of its path) of what names something."""
        for method, path, description in operations():
            names = [parameter["name"] for parameter in
                     map(resolved, description.get("parameters", ())) if parameter["in"] == "path"]
            if set(names) - OF_NOBODY:
                yield method, path, description, names

    def snapshot(self):
        """All that is the owner's."""
        owner, own = self.owner, self.own
        paths = [f"/deliveries/{own['delivery_id']}", f"/deliveries/-/emails/{own['email_id']}",
                 f"/deliveries/-/emails/import/{own['job_id']}", "/domains", "/deliveries/all"]
        return [self.ok(owner.request("GET", path, token=self.admins[owner.name])) for path in paths]

    def test_what_is_named_is_as_if_it_were_not_there(self):
        before = self.snapshot()
        tried = 0
        for method, path, description, names in self.naming():
            with self.subTest(f"{method} {path}"):
                unknown = set(names) - set(self.own)
                self.assertFalse(unknown, "things_of() makes none of these: teach it how")
                absent = {name: NOT_THERE if name != "domain" else "nowhere.example"
                          for name in self.own}
                there = self.call(self.stranger, method, path, description, self.own)
                nowhere = self.call(self.stranger, method, path, description, absent)
                self.assertIn(there.status, (403, 404), there)
                if there.status == 403:
                    self.assertTrue(path.startswith("/accounts"), there)
                self.assertEqual(nowhere.status, there.status, there)
                self.assertEqual(self.masked(nowhere, absent), self.masked(there, self.own))
                tried += 1
        self.assertEqual(before, self.snapshot())
        self.assertGreater(tried, 20)

    @staticmethod
    def masked(answer, ids):
        text = answer.body.decode()
        for value in ids.values():
            text = text.replace(str(value), "?") if len(str(value)) > 3 else text
        return text

    def test_the_owner_sees_what_the_stranger_was_asked_about(self):
        """Else the check above would be about nothing. What waits for approval is looked at by
        system/console, whose accounts ask for it."""
        for method, path, description, _ in self.naming():
            if method == "get" and not path.startswith("/accounts") and not path.endswith("/approval"):
                with self.subTest(path):
                    answer = self.call(self.owner, method, path, description, self.own)
                    self.assertEqual(200, answer.status, answer)

    # ---- lists, searches -------------------------------------------------------------------------

    def questions(self, path, description):
        """A list as it is, and asked for what is the owner's by each of its parameters."""
        events = self.owner.request("GET", "/events?count=1").json
        values = {"delivery_id": self.own["sent"], "email": READER, "subject": WORD, "text_part": "本文",
                  "from": "sender.example", "cursor": events["next_cursor"], "limit": 1000, "count": 1000,
                  "size": 1000, "after": "0", "anchor": 2**31 - 1, "month_ago": 2}
        yield path
        for parameter in map(resolved, description.get("parameters", ())):
            if parameter["in"] == "query" and parameter["name"] in values:
                value = urllib.parse.quote(str(values[parameter["name"]]))
                yield f"{path}?{parameter['name']}={value}"

    def test_no_list_and_no_search_tells_of_another_account(self):
        asked = 0
        for method, path, description in operations():
            if method != "get" or "{" in path:
                continue
            for target in self.questions(path, description):
                with self.subTest(target):
                    answer = self.stranger.request("GET", target,
                                                   token=self.admins[self.stranger.name])
                    # 404: a number that nobody has is told so, too.
                    self.assertIn(answer.status, (200, 400, 403, 404), answer)
                    if target.startswith(("/suppressions?email=", "/personal-data?email=",
                                          "/explain?email=")):
                        answer = without_question(answer)
                    self.assertFalse(holds_word(answer), answer)
                    asked += 1
            if description["operationId"] in LISTS_OF_OWN:
                answer = self.owner.request("GET", path, token=self.admins[self.owner.name])
                self.assertTrue(holds_word(answer), f"{path}: {answer}")
        self.assertGreater(asked, 25)

    def test_what_is_stopped_is_stopped_for_one_account(self):
        nowhere = self.stranger.request("DELETE", "/suppressions?email=nobody%40fast.example&why=x")
        answer = self.stranger.request("DELETE", f"/suppressions?email={READER}&why=x")
        self.assertEqual((nowhere.status, nowhere.body), (answer.status, answer.body))
        left = self.ok(self.owner.request("GET", f"/suppressions?email={READER}"))["data"]
        self.assertEqual(["unsubscribe"], [entry["reason"] for entry in left])

    def test_counts_are_of_the_own_account(self):
        self.assertEqual(0, self.ok(self.stranger.request("GET", "/usages/latest"))["current"])
        self.assertGreater(self.ok(self.owner.request("GET", "/usages/latest"))["current"], 0)
        days = self.ok(self.stranger.request("GET", "/usages/days?days=62"))["data"]
        self.assertEqual(0, sum(each["accepted"] for each in days))

    def test_a_number_that_both_have_is_the_own_one(self):
        other = new_account("twin")
        while True:
            twin = self.accepted(other.send({"subject": "of the twin"}))
            if twin >= self.own["sent"]:
                break
        self.assertEqual(self.own["sent"], twin)
        self.assertEqual("of the twin", other.detail(twin)["subject"])
        # Its own row of this number is not what the owner's address has had.
        numbers = eventually(lambda: (lambda rows: rows if any(
            row["maillog_id"] >= self.own["maillog_id"] for row in rows) else None)(
            other.request("GET", "/logs/mails/results").json["data"]), "the twin's log")
        self.assertIn(self.own["maillog_id"], [row["maillog_id"] for row in numbers])
        self.assertEqual([], self.ok(other.request(
            "GET", f"/logs/mails/results?email={READER}"))["data"])
        self.assertEqual(WORD, self.owner.detail(twin)["subject"])
        self.ok(eventually(lambda: (lambda a: a if a.status == 200 else None)(
            other.request("DELETE", f"/deliveries/{twin}")), "the deletion"))
        self.assertEqual(WORD, self.owner.detail(twin)["subject"])

    def test_a_stream_goes_past_what_is_another_accounts(self):
        cursor = self.ok(self.owner.request("GET", "/events?count=1"))["next_cursor"]
        listener = new_account("listener")
        with Stream(listener, f"?cursor={cursor}") as stream:
            self.accepted(self.owner.send({"to": READER, "subject": WORD}))
            mine = self.accepted(listener.send({"to": "mine@fast.example"}))
            event, = stream.events(1)
            self.assertEqual((mine, "mine@fast.example"), (event["delivery_id"], event["email"]))

    def test_a_key_of_a_request_is_the_accounts_own(self):
        key = {"Idempotency-Key": "order-of-two-shops"}
        first = self.accepted(self.owner.send({"to": READER}, headers=key))
        second = new_account("another").send({"to": "x@fast.example"}, headers=key)
        self.accepted(second)
        self.assertNotIn("idempotency-replayed", second.headers)
        again = self.owner.send({"to": READER}, headers=key)
        self.assertEqual((first, "true"), (again.json["delivery_id"],
                                           again.headers["idempotency-replayed"]))

    def test_an_error_file_is_not_handed_over(self):
        job = f"/deliveries/-/emails/import/{self.own['job_id']}"
        place = self.ok(self.owner.request("GET", job))["error_file_url"]
        path = urllib.parse.urlsplit(place).path.removeprefix("/api/v1")
        whole = self.owner.request("GET", path, token=self.admins[self.owner.name])
        self.assertEqual((200, b"PK"), (whole.status, whole.body[:2]))
        self.refused(self.stranger.request("GET", path, token=self.admins[self.stranger.name]),
                     status=404, text="no data found.")
