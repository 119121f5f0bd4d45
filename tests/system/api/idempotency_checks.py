# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key: a request that is repeated makes nothing twice and gets the same answer."""
import concurrent.futures
import datetime
import json

import door
from door import Checks, data_part, draft, file_part, mail, mails_to, new_account, world

TRANSACTION = "/deliveries/transaction"
BATCH = "/deliveries/transaction/batch"


def named(key):
    return {"Idempotency-Key": key}


class Repeats(Checks):
    def repeats(self, first, again, status=201):
        """`again` is the answer to a repeat of what was answered with `first`."""
        self.assertEqual(status, first.status, first)
        self.assertNotIn("idempotency-replayed", first.headers)
        self.assertEqual((first.status, first.body), (again.status, again.body))
        self.assertEqual("true", again.headers.get("idempotency-replayed"), again)
        return again.json

    def other_contents(self, answer):
        (told,) = self.refused(answer, status=409)
        self.assertIn("other contents", told)
        self.assertNotIn("retry-after", answer.headers)


class Transactions(Repeats):
    def test_a_repeat_gets_the_answer_and_no_second_mail(self):
        account = new_account("once")
        wanted = {"to": "keyed-once@fast.example", "cc": ["keyed-once-cc@fast.example"]}
        first = account.send(wanted, headers=named("one"))
        self.repeats(first, account.send(wanted, headers=named("one")))
        self.assertEqual(1, len(account.listed()))
        other = account.send(wanted, headers=named("ONE"))
        self.assertNotEqual(self.accepted(first), self.accepted(other))
        door.eventually(lambda: len(mails_to("keyed-once@fast.example")) >= 2, "two mails")
        self.assertEqual(2, len(mails_to("keyed-once@fast.example")))

    def test_how_a_request_is_written_does_not_matter(self):
        fields = mail(to="written@fast.example", text_part="本文 é", cc=[], html_part=None)
        first = self.post(TRANSACTION, fields, headers=named("written"))
        turned = {name: fields[name] for name in reversed(list(fields))}
        self.repeats(first, self.post(TRANSACTION, json.dumps(turned, indent=3).encode(),
                                      headers=named("written")))
        plain = {name: value for name, value in fields.items() if value}
        self.repeats(first, self.post(TRANSACTION, plain, headers=named("written")))
        for boundary in ("one", "----another"):
            self.repeats(first, self.multipart("POST", TRANSACTION, [data_part(plain)],
                                               boundary=boundary, headers=named("written")))

    def test_what_waits_and_what_is_added_to_the_header_count(self):
        when = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        when += datetime.timedelta(days=1)
        japan = datetime.timezone(datetime.timedelta(hours=9))
        fields = {"to": "keyed-waits@fast.example", "headers": {"X-A": "1", "X-B": "2"},
                  "send_at": when.isoformat(), "expires_in": 600}
        account = new_account("keyed-waits")
        first = account.send(fields, headers=named("waits"))
        again = account.send({**fields, "headers": {"X-B": "2", "X-A": "1"}, "expires_in": "600",
                              "send_at": when.astimezone(japan).isoformat()}, headers=named("waits"))
        self.repeats(first, again)
        self.assertEqual(first.headers["x-todoku-message-id"],
                         again.headers["x-todoku-message-id"])
        for changed in ({"send_at": None}, {"expires_in": 601}, {"headers": {"X-A": "1"}},
                        {"send_at": (when + datetime.timedelta(seconds=1)).isoformat()}):
            self.other_contents(account.send({**fields, **changed}, headers=named("waits")))
        self.assertEqual([self.accepted(first)],
                         [one["delivery_id"] for one in account.listed()])

    def test_attachments_count_by_what_they_are(self):
        fields = data_part(mail(to="attached@fast.example"))

        def ask(*files, boundary="b"):
            return self.multipart("POST", TRANSACTION, [fields, *files], boundary=boundary,
                                  headers=named("attached"))
        first = ask(file_part(octets=b"x" * 300_000))
        self.repeats(first, ask(file_part(octets=b"x" * 300_000), boundary="c"))
        for files in ([file_part(octets=b"x" * 299_999 + b"y")], [],
                      [file_part("b.txt", b"x" * 300_000)],
                      [file_part(octets=b"x" * 300_000, media_type="text/html")]):
            self.other_contents(ask(*files))

    def test_other_contents_under_the_same_key_are_refused_and_stored_nowhere(self):
        self.accepted(self.send({"to": "a@fast.example"}, headers=named("other")))
        with self.nothing_stored():
            for fields in ({"to": "b@fast.example"}, {"to": "a@fast.example", "subject": "x"},
                           {"to": "a@fast.example", "bcc": ["b@fast.example"]}):
                self.other_contents(self.send(fields, headers=named("other")))
        japanese = self.send({"to": "b@fast.example"},
                             headers={**named("other"), "Accept-Language": "ja"})
        self.assertIn("使用済み", self.refused(japanese, status=409)[0])

    def test_only_what_was_made_is_remembered(self):
        self.refused(self.send({"to": "nobody"}, headers=named("later")), "to")
        self.accepted(self.send({"to": "a@fast.example"}, headers=named("later")))
        self.refused(self.send({"to": "a@fast.example", "cc": 5}, headers=named("later")), "cc")

    def test_a_key_belongs_to_its_account_and_its_kind_of_request(self):
        first = self.accepted(self.send({"to": "a@fast.example"}, headers=named("shared")))
        other = new_account("other")
        answer = other.send({"to": "a@fast.example"}, headers=named("shared"))
        self.assertNotIn("idempotency-replayed", answer.headers)
        self.assertEqual([self.accepted(answer)],
                         [one["delivery_id"] for one in other.listed()])
        begun = self.post("/deliveries/bulk/begin", draft(), headers=named("shared"))
        self.assertNotEqual(first, self.ok(begun, 201)["delivery_id"])
        self.assertNotIn("idempotency-replayed", begun.headers)

    def test_a_key_that_is_none_is_refused_by_the_name_of_its_header(self):
        with self.nothing_stored():
            for key in ("", " ", "a b", "x" * 256, "é".encode().decode("latin-1"), "\t"):
                with self.subTest(key):
                    self.refused(self.send({}, headers=named(key)), "Idempotency-Key")
            body = json.dumps(mail()).encode()
            with door.Raw(world.stack.api_port) as raw:
                raw.send(door.head(self.account, "POST", TRANSACTION, "Idempotency-Key: a",
                                   "Content-Type: application/json", "Idempotency-Key: a",
                                   f"Content-Length: {len(body)}") + body)
                self.refused(raw.answer(), "Idempotency-Key")
        for key in ("x" * 255, "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", '"quoted"'):
            self.accepted(self.send({}, headers=named(key)))

    def test_of_many_at_once_one_is_carried_out(self):
        wanted = mail(to="race@fast.example")

        def ask(_):
            return self.post(TRANSACTION, wanted, headers=named("race"))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(ask, range(64)))
        made = {answer.body for answer in answers if answer.status == 201}
        self.assertEqual(1, len(made), answers)
        firsts = [answer for answer in answers
                  if answer.status == 201 and "idempotency-replayed" not in answer.headers]
        self.assertEqual(1, len(firsts))
        for answer in answers:
            if answer.status == 201:
                continue
            (told,) = self.refused(answer, status=409)
            self.assertIn("in progress", told)
            self.assertEqual("1", answer.headers["retry-after"])
        self.assertEqual(1, len([one for one in self.account.listed()
                                 if one["delivery_id"] == firsts[0].json["delivery_id"]]))

    def test_a_suspended_account_still_hears_what_it_did(self):
        account = new_account("suspended")
        first = account.send({}, headers=named("before"))
        world.stack.command("account", "suspend", account.name)
        self.repeats(first, account.send({}, headers=named("before")))
        self.assertEqual(423, account.send({}, headers=named("after")).status)


class Drafts(Repeats):
    def test_each_step_of_a_bulk_may_be_repeated(self):
        begin = [self.post("/deliveries/bulk/begin", draft(), headers=named("begin"))
                 for _ in range(2)]
        delivery = self.repeats(*begin)["delivery_id"]

        wanted = {"to": [{"email": "a@fast.example"}, {"email": "A@fast.example"}]}
        update = [self.put(f"/deliveries/bulk/update/{delivery}", wanted, headers=named("update"))
                  for _ in range(2)]
        self.repeats(*update, status=200)
        self.assertEqual(["1", "1"],
                         [answer.headers["x-todoku-folded-duplicates"] for answer in update])

        add = [self.post(f"/deliveries/{delivery}/emails", {"email": "b@fast.example"},
                         headers=named("add")) for _ in range(2)]
        self.repeats(*add)
        self.assertEqual(2, self.detail(delivery)["total_count"])

        path = f"/deliveries/bulk/commit/{delivery}"
        time = {"reservation_time": "2027-03-01T09:00:00+09:00"}
        commit = [self.patch(path, time, headers=named("commit")) for _ in range(2)]
        self.repeats(*commit, status=200)
        self.assertEqual(400, self.patch(path, time).status, "without a key it is no repeat")
        same = {"reservation_time": "2027-03-01T00:00:00Z"}
        self.repeats(commit[0], self.patch(path, same, headers=named("commit")), status=200)
        later = {"reservation_time": "2027-03-01T09:00:01+09:00"}
        self.other_contents(self.patch(path, later, headers=named("commit")))

        # What went before is still answered, and changes nothing.
        self.repeats(add[0], self.post(f"/deliveries/{delivery}/emails",
                                       {"email": "b@fast.example"}, headers=named("add")))
        self.assertEqual(("RESERVE", 2), (self.detail(delivery)["status"],
                                          self.detail(delivery)["total_count"]))
        self.ok(self.patch(f"/deliveries/{delivery}/cancel"))
        self.ok(self.delete(f"/deliveries/{delivery}"))
        self.repeats(commit[0], self.patch(path, time, headers=named("commit")), status=200)

    def test_a_start_is_answered_again_instead_of_refused(self):
        delivery = self.draft(["keyed-go@fast.example"])
        path = f"/deliveries/bulk/commit/{delivery}/immediate"
        first = self.patch(path, headers=named("go"))
        door.eventually(lambda: self.detail(delivery)["status"] == "SENT", "the bulk")
        self.repeats(first, self.patch(path, headers=named("go")), status=200)
        self.assertEqual(400, self.patch(path, headers=named("go on")).status)
        other = self.draft(["keyed-go@fast.example"])
        self.other_contents(self.patch(f"/deliveries/bulk/commit/{other}/immediate",
                                       headers=named("go")))
        self.assertEqual(1, len(mails_to("keyed-go@fast.example")))

    def test_an_import_is_known_by_its_list(self):
        delivery = self.draft()
        lists = b"email\na@fast.example\n", b"email\nb@fast.example\n"

        def ask(octets, options=None, to=delivery):
            return self.account.import_csv(to, octets, options, headers=named("import"))
        first = ask(lists[0])
        job = self.ok(first, 201)["job_id"]
        self.repeats(first, ask(lists[0], {}))
        self.account.end_of(job)
        self.repeats(first, ask(lists[0]))
        for answer in (ask(lists[1]), ask(lists[0], {"keep_duplicates": True}),
                       ask(lists[0], to=self.draft())):
            self.other_contents(answer)
        self.assertEqual(1, self.detail(delivery)["total_count"])


class Batches(Repeats):
    def batch(self, mails, key="batch"):
        return self.post(BATCH, {"mails": mails}, headers=named(key))

    def test_a_batch_that_is_repeated_accepts_what_is_missing(self):
        mails = [mail(to=f"part{i}@fast.example") for i in range(20)]
        wrong = [mail(to="nobody") if i % 2 else one for i, one in enumerate(mails)]
        first = self.batch(wrong)
        self.assertEqual(207, first.status)
        self.assertNotIn("idempotency-replayed", first.headers)
        told = self.ok(self.batch(mails), 201)
        for i, one in enumerate(told["data"]):
            self.assertEqual(i % 2 == 0, one.get("replayed", False))
            if i % 2 == 0:
                self.assertEqual(first.json["data"][i]["delivery_id"], one["delivery_id"])
        again = self.batch(mails)
        self.assertEqual("true", again.headers["idempotency-replayed"])
        self.assertEqual([one["delivery_id"] for one in told["data"]],
                         [one["delivery_id"] for one in self.ok(again, 201)["data"]])
        self.assertEqual(20, len(self.account.listed()))

    def test_of_batches_at_once_each_mail_is_accepted_once(self):
        before = len(self.account.listed())
        mails = [mail(to=f"many{i}@fast.example") for i in range(30)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.batch(mails, "many"), range(24)))
        for answer in answers:
            statuses = {one["status"] for one in answer.json.get("data", [])} or {answer.status}
            self.assertLessEqual(statuses, {201, 409}, answer.body)
            if 409 in statuses:
                self.assertEqual("1", answer.headers["retry-after"])
        told = self.ok(self.batch(mails, "many"), 201)["data"]
        self.assertEqual(30, len({one["delivery_id"] for one in told}))
        self.assertEqual(30, len(self.account.listed()) - before)

    def test_another_mail_in_the_same_place_is_told_there(self):
        self.ok(self.batch([mail(), mail()], "places"), 201)
        answer = self.batch([mail(), mail(subject="another"), mail()], "places")
        self.assertEqual(207, answer.status)
        self.assertEqual([201, 409, 201], [one["status"] for one in answer.json["data"]])
        answer = self.batch([mail(subject="another")], "places")
        self.assertEqual(409, answer.status)


class Restarts(Repeats):
    def test_answers_outlive_a_killed_engine(self):
        first = self.send({"to": "kept@fast.example"}, headers=named("kept"))
        delivery = self.draft(["kept-too@fast.example"])
        path = f"/deliveries/bulk/commit/{delivery}/immediate"
        commit = self.patch(path, headers=named("commit"))
        stack = world.stack
        stack.kill_engine()
        stack.start_engine()
        self.repeats(first, self.send({"to": "kept@fast.example"}, headers=named("kept")))
        self.repeats(commit, self.patch(path, headers=named("commit")), status=200)
        self.other_contents(self.send({"to": "other@fast.example"}, headers=named("kept")))
        self.assertEqual(2, len(self.account.listed()))
