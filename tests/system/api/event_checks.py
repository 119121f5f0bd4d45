# SPDX-License-Identifier: Apache-2.0
"""Events: pages after a cursor, what they tell, who may read them, and streams."""
import http.client
import json
import re
import time
import urllib.parse

import patience
from door import Checks, eventually, issued, new_account

STREAM = {"Accept": "text/event-stream"}
RECIPIENT_KEYS = {"event_id", "kind", "timestamp", "delivery_id", "delivery_type", "subject",
                  "tags", "list_id", "purpose", "deleted", "maillog_id", "email", "reference",
                  "metadata"}
OUTCOME_KEYS = RECIPIENT_KEYS | {"attempt", "code", "message", "cause", "stage", "mx_host",
                                 "remote_ip", "source", "tls"}
MANY_KEYS = {"event_id", "kind", "timestamp", "delivery_id", "delivery_type", "subject", "tags",
             "list_id", "purpose", "deleted", "recipients", "job_id"}


class Stream:
    """A stream of server-sent events, block by block."""

    def __init__(self, account, query="", headers=None, token=...):
        self.connection = http.client.HTTPConnection("127.0.0.1", account.stack.api_port,
                                                     timeout=60)
        sent = {**STREAM, **(headers or {})}
        token = account.token if token is ... else token
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        self.connection.request("GET", f"/api/v1/events{query}", headers=sent)
        self.answer = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def block(self):
        """The fields of the next block; None at the end of the stream."""
        fields = {}
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if not line:
                if fields:
                    return fields
                continue
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")

    def events(self, count):
        found = []
        while len(found) < count:
            block = self.block()
            assert block is not None, "the stream ended"
            if "data" in block and block.get("event") is None:
                event = json.loads(block["data"])
                assert block["id"] == event["event_id"]
                found.append(event)
        return found


    def progress(self, until):
        """Each progress that is told up to the first that `until` wants; it has no id."""
        told = []
        while not told or not until(told[-1]):
            block = self.block()
            assert block is not None, f"the stream ended after {told}"
            if block.get("event") == "progress":
                assert "id" not in block, block
                told.append(json.loads(block["data"]))
        return told


class Events(Checks):
    def setUp(self):
        self.account = new_account("events")

    def page(self, query="", account=None):
        answer = (account or self.account).request("GET", f"/events{query}")
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def all(self, query="", count=2, account=None):
        """Every event, page by page."""
        events = []
        cursor = ""
        while True:
            page = self.page(f"?count={count}{cursor}{query}", account)
            self.assertLessEqual(len(page["data"]), count)
            events += page["data"]
            if not page["has_more"]:
                return events
            cursor = f"&cursor={page['next_cursor']}"

    def until(self, kinds, query=""):
        """All events, once these kinds are among them."""
        def there():
            events = self.all(query)
            return events if set(kinds) <= {e["kind"] for e in events} else None
        return eventually(there, f"events {kinds}")

    def send(self, to="one@fast.example", **fields):
        return self.ok(self.account.send({"to": to, **fields}), 201)["delivery_id"]

    def test_a_mail_has_its_story(self):
        delivery = self.send()
        events = self.until(["delivery_finished"])
        self.assertEqual(["accepted", "sent", "delivery_finished"], [e["kind"] for e in events])
        accepted, sent, finished = events
        self.assertEqual(RECIPIENT_KEYS, set(accepted))
        self.assertEqual(OUTCOME_KEYS, set(sent))
        self.assertEqual(MANY_KEYS, set(finished))
        for event in events:
            self.assertEqual(delivery, event["delivery_id"])
            self.assertEqual("TRANSACTION", event["delivery_type"])
            self.assertEqual("件名", event["subject"])
            self.assertRegex(event["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual("one@fast.example", sent["email"])
        self.assertEqual(accepted["maillog_id"], sent["maillog_id"])
        self.assertEqual((1, 250, "accepted"),
                         (sent["attempt"], sent["code"], sent["stage"]))
        self.assertTrue(sent["message"])
        self.assertTrue(sent["mx_host"])
        self.assertEqual(1, finished["recipients"])

    def test_ids_sort_and_each_is_a_cursor(self):
        for i in range(5):
            self.send(f"u{i}@fast.example")
        ids = eventually(lambda: (lambda e: e if len(e) == 15 else None)(
            [e["event_id"] for e in self.all()]), "15 events")
        self.assertEqual(sorted(set(ids)), ids)
        for i, cursor in enumerate(ids):
            rest = self.all(f"&cursor={cursor}", count=100)
            self.assertEqual(ids[i + 1:], [e["event_id"] for e in rest])

    def test_a_reader_that_is_up_to_date_gets_its_cursor_back(self):
        self.send()
        self.until(["delivery_finished"])
        end = self.page()["next_cursor"]
        page = self.page(f"?cursor={end}")
        self.assertEqual(([], False), (page["data"], page["has_more"]))
        self.assertGreaterEqual(page["next_cursor"], end, "others' events may move it on, and nothing back")
        latest = self.page("?cursor=latest")
        self.assertEqual([], latest["data"])
        self.send("two@fast.example")
        after = eventually(lambda: self.page(f"?cursor={latest['next_cursor']}")["data"],
                           "the second mail")
        self.assertEqual("two@fast.example", after[0]["email"])

    def test_conditions(self):
        first = self.send("one@fast.example")
        second = self.send("Two@fast.example")
        self.until(["delivery_finished"])
        eventually(lambda: len(self.all()) == 6, "six events")

        def kinds(query):
            return [e["kind"] for e in self.all(query, count=1)]
        story = ["accepted", "sent", "delivery_finished"]
        self.assertEqual(["sent", "sent"], kinds("&kind=sent"))
        self.assertCountEqual(["accepted", "accepted", "sent", "sent"],
                              kinds("&kind[]=sent&kind[]=accepted"))
        self.assertEqual(story, kinds(f"&delivery_id={second}"))
        self.assertEqual(["sent"], kinds(f"&delivery_id={first}&kind=sent"))
        self.assertEqual(story[:2], kinds("&email=one@fast.example"))
        self.assertEqual(story[:2], kinds("&email=" + urllib.parse.quote("TWO@FAST.example")))
        self.assertEqual([], kinds("&email=three@fast.example"))
        self.assertEqual([], kinds(f"&delivery_id={second + 1000}"))

    def test_labels_are_told_and_found(self):
        labels = {"tags": ["春", "order-4711"], "list_id": "weekly", "purpose": "notice"}
        sent = self.account.send({"to": "one@fast.example", **labels}).json["delivery_id"]
        plain = self.account.send({"to": "two@fast.example"}).json["delivery_id"]
        eventually(lambda: len(self.all()) == 6, "six events")
        for tag in labels["tags"]:
            events = self.all("&tag=" + urllib.parse.quote(tag), count=1)
            self.assertEqual([sent] * 3, [e["delivery_id"] for e in events])
            for event in events:
                self.assertEqual(labels, {name: event[name] for name in labels})
        self.assertEqual([], self.all("&tag=order"))
        unsaid = {"tags": [], "list_id": None, "purpose": "transactional"}
        for delivery, said in ((sent, labels), (plain, unsaid)):
            told = self.ok(self.account.request("GET", f"/deliveries/{delivery}/labels"))
            self.assertEqual({"delivery_id": delivery, **said}, told)
        self.assertEqual(404, self.account.request("GET", "/deliveries/999/labels").status)

    def test_wrong_parameters_are_named(self):
        good = self.page()["next_cursor"]
        for query, field in (("count=0", "count"), ("count=1001", "count"), ("count=x", "count"),
                             ("cursor=x", "cursor"), (f"cursor={good}0", "cursor"),
                             (f"cursor={good[:-1]}", "cursor"), ("cursor=" + "v" * 33, "cursor"),
                             ("kind=delivered", "kind"), ("kind[]=", "kind"),
                             ("delivery_id=0", "delivery_id"), ("delivery_id=x", "delivery_id"),
                             ("delivery_id=99999999999999999999", "delivery_id"),
                             ("email=nobody", "email"), ("email=%FF%FE", "email"),
                             ("tag=" + "x" * 65, "tag"), ("tag=%FF", "tag")):
            with self.subTest(query):
                answer = self.account.request("GET", f"/events?{query}")
                self.assertEqual(400, answer.status, answer)
                self.assertEqual([field], list(answer.json["error_messages"]))
        self.assertEqual(200, self.account.request("GET", "/events?count=1000").status)
        self.assertEqual(200, self.account.request("GET", "/events?count=1").status)
        answer = self.account.request("GET", "/events",
                                      headers={**STREAM, "Last-Event-ID": "nonsense"})
        self.assertEqual(400, answer.status, answer)

    def test_another_account_sees_nothing_of_it(self):
        delivery = self.send()
        events = self.until(["delivery_finished"])
        other = new_account("stranger")
        self.assertEqual([], self.all(account=other))
        self.assertEqual([], self.all(f"&delivery_id={delivery}", account=other))
        self.assertEqual([], self.all("&email=one@fast.example", account=other))
        self.assertEqual([], self.all(f"&cursor={events[0]['event_id']}", account=other))

    def test_of_what_was_deleted_the_event_is_left(self):
        delivery = self.draft()
        self.ok(self.account.request("POST", f"/deliveries/{delivery}/emails",
                                     {"email": "gone@fast.example"}), 201)
        self.ok(self.account.request("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate"))
        self.until(["delivery_finished"])
        answer = self.account.request("DELETE", f"/deliveries/{delivery}")
        if answer.status != 200:
            self.skipTest(f"what was sent is kept: {answer.status}")
        for event in self.all():
            self.assertEqual((True, None), (event["deleted"], event["delivery_id"]))
            self.assertIsNone(event.get("email"))

    def test_a_bulk_delivery_starts_and_ends_once(self):
        delivery = self.draft()
        job = self.ok(self.account.import_csv(
            delivery, b"email\na@fast.example\nb@fast.example\n"), 201)
        self.account.end_of(job["job_id"])
        self.ok(self.account.request("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate"))
        events = self.until(["delivery_finished"])
        self.assertEqual(["import_ended", "delivery_started", "sent", "sent", "delivery_finished"],
                         [e["kind"] for e in events])
        self.assertEqual([2, 2, 2], [e["recipients"] for e in events if "recipients" in e])
        self.assertEqual(job["job_id"], events[0]["job_id"])
        self.assertEqual("BULK", events[1]["delivery_type"])

    def test_mail_is_counted_by_tag(self):
        account = new_account("tagged")
        for to, tags in (("one@fast.example", ["order", "spring"]), ("two@fast.example", ["order"]),
                         ("three@gone.example", ["order"]), ("four@fast.example", [])):
            self.ok(account.send({"to": to, "tags": tags}), 201)
        def counted():
            told = account.request("GET", "/tags?days=2").json
            return told if {"order": 3, "spring": 1} == {
                line["tag"]: line["answered"] for line in told["data"]} else None
        told = eventually(counted, "the counts")
        order = told["data"][0]
        self.assertEqual(("order", 2, 1, 1), (order["tag"], order["delivered"], order["hard_bounces"],
                                              order["unknown_users"]))
        self.assertEqual((2, None), (told["days"], told["others"]))
        self.assertRegex(told["from"], r"T00:00:00\+09:00$")
        self.assertEqual([], self.account.request("GET", "/tags").json["data"])
        for days in ("0", "15", "many"):
            self.refused(account.request("GET", f"/tags?days={days}"), "days")

    # ---- streams --------------------------------------------------------------------------------

    def test_a_stream_tells_what_happens_from_now_on(self):
        self.send("before@fast.example")
        self.until(["delivery_finished"])
        with Stream(self.account) as stream:
            self.assertEqual(200, stream.answer.status)
            self.assertEqual("text/event-stream", stream.answer.getheader("Content-Type"))
            self.assertIn("retry", stream.block())
            self.send("after@fast.example")
            events = stream.events(3)
        self.assertEqual(["accepted", "sent", "delivery_finished"], [e["kind"] for e in events])
        self.assertEqual("after@fast.example", events[0]["email"])

    def test_a_stream_goes_on_after_the_last_id(self):
        self.send()
        events = self.until(["delivery_finished"])
        with Stream(self.account, headers={"Last-Event-ID": events[0]["event_id"]}) as stream:
            self.assertEqual(events[1:], stream.events(2))
        with Stream(self.account, f"?cursor={events[1]['event_id']}&kind=delivery_finished") as s:
            self.assertEqual(events[2:], s.events(1))

    def test_a_stream_tells_how_far_a_delivery_is(self):
        """From the draft to its end, between its events; the same for whoever comes later."""
        addresses = [f"far{number}@fast.example" for number in range(8)]
        delivery = self.draft(addresses, pace={"mails": 2, "per": "hour"})
        query = f"?delivery_id={delivery}&progress=true"
        with Stream(self.account, query) as stream, Stream(self.account, query) as other:
            draft = stream.progress(lambda told: True)[0]
            self.assertEqual(("edit", 8, 8, None, None, []),
                             (draft["state"], draft["total"], draft["pending"], draft["speed"],
                              draft["seconds_left"], draft["sites"]))
            self.ok(self.patch(f"/deliveries/bulk/commit/{delivery}/immediate"))
            waits = stream.progress(lambda told: told["waits"] and told["delivered"])[-1]
            self.assertEqual(("pace", None), (waits["waits"]["because"], waits["seconds_left"]))
            other.progress(lambda told: told["waits"] and told["delivered"])
            self.ok(self.account.request("DELETE", f"/deliveries/{delivery}/pace"))
            for each in (stream, other):
                told = each.progress(lambda told: told["state"] == "sent")[-1]
                self.assertEqual((8, 0, 0), (told["delivered"], told["pending"], told["seconds_left"]))
                self.assertEqual([8], [site["done"] for site in told["sites"]])
        # Nothing of it is the place of an event: who comes again misses none, and hears all at once.
        events = self.until(["delivery_finished"], f"&delivery_id={delivery}")
        with Stream(self.account, query, headers={"Last-Event-ID": events[0]["event_id"]}) as again:
            self.assertEqual("sent", again.progress(lambda told: True)[0]["state"])
            self.assertEqual(events[1:], again.events(len(events) - 1))
        shown = self.ok(self.get(f"/deliveries/{delivery}/progress"))
        self.assertEqual(shown, {name: told[name] for name in shown})

    def test_progress_of_what_is_deleted_ends(self):
        delivery = self.draft(["gone@fast.example"])
        with Stream(self.account, f"?delivery_id={delivery}&progress=true") as stream:
            stream.progress(lambda told: True)
            self.ok(self.account.request("DELETE", f"/deliveries/{delivery}"))
            told = stream.progress(lambda told: told["state"] == "deleted")[-1]
            self.assertEqual(delivery, told["delivery_id"])

    def test_progress_is_asked_for_exactly(self):
        delivery = self.draft(["exact@fast.example"])
        for query, member in (("?progress=true", "progress"), ("?progress=often&delivery_id=1", "progress")):
            self.refused(self.account.request("GET", f"/events{query}", headers=STREAM), member)
        page = self.account.request("GET", f"/events?progress=true&delivery_id={delivery}")
        self.assertIn("text/event-stream", self.refused(page, "progress")[0])
        for account, asked in ((self.account, 987654321), (new_account("stranger"), delivery)):
            answer = account.request("GET", f"/events?progress=true&delivery_id={asked}", headers=STREAM)
            self.assertEqual(404, answer.status, asked)

    def test_a_stream_of_a_revoked_key_ends(self):
        stack = self.account.stack
        shown = stack.command("key", "add", self.account.name, "--label", "second")
        number = re.search(r"Key (\d+) of account", shown).group(1)
        with Stream(self.account, token=issued(shown)[2]) as stream:
            self.assertIn("retry", stream.block())
            stack.command("key", "revoke", self.account.name, number)
            while stream.block() is not None:
                pass

    def test_a_ticket_opens_one_stream(self):
        answer = self.account.request("POST", "/events/ticket")
        self.assertEqual(201, answer.status, answer)
        self.assertEqual(60, answer.json["expires_in"])
        ticket = f"?ticket={answer.json['ticket']}"
        page = self.account.request("GET", f"/events{ticket}", headers={"Authorization": None})
        self.refused(page, status=401)  # and it is still good
        with Stream(self.account, ticket, token=None) as stream:
            self.assertEqual(200, stream.answer.status)
            self.assertIn("retry", stream.block())
            self.send("by-ticket@fast.example")
            self.assertEqual("by-ticket@fast.example", stream.events(1)[0]["email"])
        for query in (ticket, "?ticket=", "?ticket=nonsense"):
            with Stream(self.account, query, token=None) as again:
                self.assertEqual(401, again.answer.status, query)

    def test_a_ticket_opens_nothing_else(self):
        for method, path in (("GET", "/deliveries"), ("POST", "/events/ticket")):
            ticket = self.account.request("POST", "/events/ticket").json["ticket"]
            answer = self.account.request(method, f"{path}?ticket={ticket}",
                                          headers={"Authorization": None})
            self.refused(answer, status=401)

    def come_back(self):
        """A stream, asked for again while there is no place; shorter than a heartbeat's 15 s."""
        until = patience.until(10)
        while True:
            stream = Stream(self.account)
            if stream.answer.status == 200:
                return stream
            self.assertEqual(429, stream.answer.status)
            stream.connection.close()
            self.assertLess(time.monotonic(), until, "the place of who left is not free")
            time.sleep(0.2)

    def test_streams_of_one_account_leave_others_some(self):
        streams = []
        try:
            while len(streams) <= 64:
                streams.append(Stream(self.account))
                if streams[-1].answer.status != 200:
                    break
            self.assertEqual(429, streams[-1].answer.status)
            self.assertGreater(len(streams), 16)
            other = new_account("other")
            with Stream(other) as stream:
                self.assertEqual(200, stream.answer.status)
            # Browsers come back once; who finds no place then does not come again.
            streams[0].connection.close()
            streams.append(self.come_back())
        finally:
            for stream in streams:
                stream.connection.close()
