# SPDX-License-Identifier: Apache-2.0
"""Webhooks from their registration to the last event: a receiver on loopback, which the operator
allows, told by the engine of mail that is really sent."""
import json
import pathlib
import sys
import threading

import door
from door import Checks, eventually, issued

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "webhooks"))

from receiver import Receiver, verified, verified_by_twilio  # noqa: E402

READER = "reader@fast.example"
GONE = "gone@gone.example"  # 550 5.1.1
PRIVATE = "inside.example"  # a name of a private address
OUTCOMES = ["recipient.accepted", "recipient.sent", "delivery.finished"]


class Allowing:
    """A stack whose operator allows loopback, at every port of 127.0.0.1."""

    def start_dns(self):
        self.zone += [f"{PRIVATE}. A 10.1.2.3", "hooks.example. A 127.0.0.1"]
        super().start_dns()


class WebhookChecks(Checks):
    names = 0  # of accounts and hooks so far

    @classmethod
    def setUpClass(cls):
        receivers = {"fast.example": [],
                     "gone.example": ["[[receiver.rule]]", 'at = "rcpt"',
                                      'reply = "550 5.1.1 no such user"']}
        cls.stack = cls.enterClassContext(door.world.stack_like(
            Allowing, receivers, ["[outbound]", 'allow = ["127.0.0.1:*"]']))
        cls.receiver = cls.enterClassContext(Receiver())

    def setUp(self):
        WebhookChecks.names += 1
        self.account = self.new_account(f"owner-{WebhookChecks.names}")

    def new_account(self, name):
        account = door.Account(self.stack, name)
        account.admin = issued(self.stack.command(
            "key", "add", name, "--scopes", "send,read,content,suppress,admin"))[2]
        return account

    def asked(self, method, path, body=None, account=None, **how):
        account = account or self.account
        return account.request(method, path, body, token=account.admin, **how)

    def hook(self):
        WebhookChecks.names += 1
        return self.receiver.hook(f"hook-{WebhookChecks.names}")

    def registered(self, hook, account=None, **fields):
        """What the registration answers."""
        made = self.ok(self.asked("POST", "/webhooks", {"url": hook.url, **fields}, account), 201)
        hook.name = made["webhook"]
        return made

    def shown(self, hook, account=None):
        return self.ok(self.asked("GET", f"/webhooks/{hook.name}", account=account))

    def send(self, to=READER, account=None, **fields):
        return self.accepted((account or self.account).send({"to": to, **fields}))

    def bulk(self, to, account=None, **fields):
        account = account or self.account
        delivery = self.ok(account.request("POST", "/deliveries/bulk/begin",
                                           door.draft(**fields)), 201)["delivery_id"]
        self.ok(account.import_csv(delivery, "\n".join(["email", *to]).encode(),
                                   {"immediate": True}), 201)
        return delivery

    def told(self, hook, count, seconds=60):
        """The first `count` events that it took."""
        return eventually(lambda: hook.events[:count] if len(hook.events) >= count else None,
                          f"{count} events", seconds)

    def all_events(self, account=None):
        """{id: kind} of all that GET /events has."""
        found, cursor = {}, ""
        while True:
            page = self.ok((account or self.account).request(
                "GET", f"/events?count=1000{cursor}"))
            found |= {each["event_id"]: each["kind"] for each in page["data"]}
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"


class Webhooks(WebhookChecks):
    # ---- registering -----------------------------------------------------------------------------

    def test_an_endpoint_echoes_a_signed_challenge_before_it_is_registered(self):
        hook = self.hook()
        hook.echoes = False
        self.refused(self.asked("POST", "/webhooks", {"url": hook.url}), "url")
        self.assertEqual([], self.ok(self.asked("GET", "/webhooks"))["data"])
        hook.echoes = True
        made = self.registered(hook)
        challenge = hook.challenges[-1]
        self.assertTrue(verified(made["secret"], challenge.headers, challenge.body))
        self.assertEqual("active", made["status"])
        self.assertNotIn("secret", self.shown(hook))
        # Elsewhere as well: it shows anew that it wants them.
        other = self.hook()
        other.echoes = False
        self.refused(self.asked("PATCH", f"/webhooks/{hook.name}", {"url": other.url}), "url")
        self.assertEqual(hook.url, self.shown(hook)["url"])

    def test_a_repeated_registration_makes_no_second_endpoint(self):
        hook = self.hook()
        fields = {"url": hook.url, "kinds": ["recipient.sent", "recipient.opened"]}

        def ask(named="register", account=None, **changed):
            return self.asked("POST", "/webhooks", {**fields, **changed}, account,
                              headers={"Idempotency-Key": named})

        hook.echoes = False
        self.refused(ask(), "url")
        hook.echoes = True
        first = ask()
        made = self.ok(first, 201)
        self.assertNotIn("idempotency-replayed", first.headers)
        challenges = len(hook.challenges)
        again = ask(tags=[], domains=None)
        self.assertEqual((201, made), (again.status, again.json))
        self.assertEqual("true", again.headers.get("idempotency-replayed"))
        self.assertEqual("no-store", again.headers.get("cache-control"))
        self.assertEqual(challenges, len(hook.challenges))
        for changed in ({"single": True}, {"kinds": ["recipient.sent"]}, {"url": hook.url + "/x"},
                        {"signature": "ed25519"}, {"purposes": ["notice"]}, {"tags": ["x"]},
                        {"domains": ["x.example"]}, {"insert_codes": True},
                        {"form": "contract"}):
            with self.subTest(changed):
                self.refused(ask(**changed), status=409)
        self.assertEqual([made["webhook"]],
                         [each["webhook"] for each in self.ok(self.asked("GET", "/webhooks"))["data"]])
        path = f"/webhooks/{made['webhook']}"
        new = self.ok(self.asked("POST", f"{path}/rotate", {}), 201)["secret"]
        self.assertEqual(new, self.ok(ask(), 201)["secret"])
        other = self.new_account(f"other-{self.account.name}")
        self.assertNotEqual(made["webhook"], self.ok(ask(account=other), 201)["webhook"])
        self.stack.kill_engine()
        self.stack.start_engine()
        self.assertEqual(made["webhook"], self.ok(ask(), 201)["webhook"])
        self.ok(self.asked("DELETE", path))
        self.refused(ask(), status=404)
        self.assertNotEqual(made["webhook"], self.ok(ask("anew"), 201)["webhook"])

    def test_a_repeated_rotation_and_replay_do_nothing_twice(self):
        hook, other = self.hook(), self.hook()
        first = self.registered(hook)["secret"]
        self.registered(other)
        self.send()
        self.told(hook, 3)
        # So that nobody tells it meanwhile: what an order has made stays to be seen.
        self.ok(self.asked("PATCH", f"/webhooks/{hook.name}", {"enabled": False}))

        def ask(action, body, named="again", to=hook):
            return self.asked("POST", f"/webhooks/{to.name}/{action}", body,
                              headers={"Idempotency-Key": named})

        for action, status, body, others in (
                ("rotate", 201, {"overlap_hours": 24}, ({"overlap_hours": 2},)),
                ("replay", 202, {"from": "2026-01-01"}, ({"from": "2026-01-02"}, {"set_aside": True}))):
            with self.subTest(action):
                made = ask(action, body)
                self.assertNotIn("idempotency-replayed", made.headers)
                answer = self.ok(made, status)
                again = ask(action, body)
                self.assertEqual((status, answer), (again.status, again.json))
                self.assertEqual("true", again.headers.get("idempotency-replayed"))
                for changed in others:
                    self.refused(ask(action, changed), status=409)
                self.refused(ask(action, body, to=other), status=409)
        self.assertEqual({"events": None}, answer)
        self.assertEqual(1, self.shown(hook)["replays"])
        self.ok(ask("replay", {"from": "2026-01-01"}, "next"), 202)
        self.assertEqual(2, self.shown(hook)["replays"])
        # Absent is what it stands for.
        self.assertEqual("true", ask("rotate", {}).headers.get("idempotency-replayed"))
        # A third secret would have been one more that signs.
        self.assertEqual(1, len(self.shown(hook)["old_secrets_until"]))
        secret = ask("rotate", {}).json["secret"]
        self.assertNotEqual(first, secret)
        self.assertNotEqual(secret, self.ok(ask("rotate", {}, "next"), 201)["secret"])

    def test_what_is_wrong_is_refused_with_its_member(self):
        hook = self.hook()
        for field, value in {"url": "ftp://127.0.0.1/x", "form": "xml", "signature": "rsa",
                             "kinds": ["recipient.vanished"], "tags": [""], "domains": ["a b"],
                             "purposes": ["fun"], "insert_codes": "maybe"}.items():
            with self.subTest(field):
                answer = self.asked("POST", "/webhooks", {"url": hook.url, field: value})
                self.assertEqual(400, answer.status, answer)
                self.assertEqual([field], list(answer.json["error_messages"]), answer)
        self.refused(self.asked("POST", "/webhooks", {}), "url")
        self.refused(self.asked("POST", "/webhooks", {
            "url": hook.url, "form": "contract", "kinds": ["recipient.sent"]}))
        for order in ({}, {"set_aside": True, "delivery_id": 1}, {"from": "soon"}, {"events": ["x"]}):
            made = hook.name if hasattr(hook, "name") else self.registered(hook)["webhook"]
            self.assertEqual(400, self.asked("POST", f"/webhooks/{made}/replay", order).status)
        self.assertEqual([], hook.calls)

    def test_an_account_has_ten(self):
        hook = self.hook()
        for _ in range(10):
            self.registered(hook)
        self.refused(self.asked("POST", "/webhooks", {"url": hook.url}))
        self.ok(self.asked("DELETE", f"/webhooks/{hook.name}"))
        self.registered(hook)

    def test_private_addresses_are_refused(self):
        port = self.receiver.port
        for url in (f"http://127.0.0.2:{port}/x", "http://10.0.0.1/x", "http://[::1]/x",
                    "http://169.254.169.254/latest", "http://192.0.2.1:8080/x", "http://0.0.0.0/x",
                    f"http://{PRIVATE}/x", f"http://{PRIVATE}:{port}/x", "http://127.1/x",
                    "http://nowhere.example/x"):
            with self.subTest(url):
                self.refused(self.asked("POST", "/webhooks", {"url": url}), "url")
        hook = self.hook()
        hook.url = hook.url.replace("127.0.0.1", "hooks.example")
        self.registered(hook)

    def test_only_admins_may_and_only_with_content_codes_are_told(self):
        hook = self.hook()
        self.refused(self.account.request("GET", "/webhooks"), status=403)
        admin = issued(self.stack.command("key", "add", self.account.name, "--scopes", "admin"))[2]
        body = {"url": hook.url, "insert_codes": True}
        self.refused(self.account.request("POST", "/webhooks", body, token=admin), status=403)
        self.registered(hook, insert_codes=True)
        self.refused(self.account.request("PATCH", f"/webhooks/{hook.name}", {
            "url": self.hook().url}, token=admin), status=403)
        self.send(text_part="__name__", insert_code=[{"key": "__name__", "value": "花子"}])
        (_, event), *_ = self.told(hook, 2)
        self.assertEqual([{"key": "__name__", "value": "花子"}], event["data"]["insert_codes"])

    def test_another_account_finds_nothing(self):
        hook = self.hook()
        self.registered(hook)
        self.send()
        self.told(hook, 3)
        other = self.new_account(f"other-{self.account.name}")
        self.assertEqual([], self.ok(self.asked("GET", "/webhooks", account=other))["data"])
        for method, path, body in (
                ("GET", "", None), ("PATCH", "", {"enabled": False}), ("DELETE", "", None),
                ("POST", "/rotate", {}), ("POST", "/test", None), ("GET", "/calls", None),
                ("GET", "/set_aside", None), ("POST", "/replay", {"from": "2026-01-01"})):
            answer = self.asked(method, f"/webhooks/{hook.name}{path}", body, account=other)
            self.refused(answer, status=404)
        before = len(hook.events)
        self.send(account=other)
        self.send()
        for _, event in self.told(hook, before + 3)[before:]:
            self.assertEqual(READER, event["data"].get("email", READER))
        self.assertEqual(set(dict(hook.events)), set(self.all_events()))

    # ---- telling ---------------------------------------------------------------------------------

    def test_the_events_of_a_mail_arrive_signed_and_in_order(self):
        hook, public = self.hook(), self.hook()
        secret = self.registered(hook)["secret"]
        made = self.registered(public, signature="ed25519")
        self.assertIsNone(made["secret"])
        delivery = self.send(tags=["spring"], list_id="news", subject="ご注文")
        self.assertEqual(OUTCOMES, [event["type"] for _, event in self.told(hook, 3)])
        self.told(public, 3)
        for key, one in ((secret, hook), (made["public_key"], public)):
            for call in one.calls:
                self.assertTrue(verified(key, call.headers, call.body), call.headers)
        event = hook.events[1][1]["data"]
        self.assertEqual(
            {"delivery_id": delivery, "delivery_type": "TRANSACTION", "subject": "ご注文",
             "purpose": "transactional", "list_id": "news", "tags": ["spring"], "email": READER,
             "attempt": 1, "code": 250},
            {name: event[name] for name in ("delivery_id", "delivery_type", "subject", "purpose",
                                            "list_id", "tags", "email", "attempt", "code")})
        self.assertEqual(list(self.all_events()), [name for name, _ in hook.events])

    def test_only_what_is_wanted_is_told(self):
        self.stack.vouch(self.account.name, "other.example")
        of_kind, of_tag, of_domain, of_purpose = (self.hook() for _ in range(4))
        self.registered(of_kind, kinds=["recipient.hard_error"])
        self.registered(of_tag, tags=["spring", "summer"])
        self.registered(of_domain, domains=["other.example"])
        self.registered(of_purpose, purposes=["notice"])
        seen = self.hook()
        self.registered(seen)
        self.send(to=GONE)
        tagged = self.send(tags=["summer", "x"])
        elsewhere = self.send(**{"from": {"email": "shop@other.example"}})
        notice = self.send(purpose="notice")
        self.told(seen, 12)
        self.told(of_kind, 1)
        for hook, delivery in ((of_tag, tagged), (of_domain, elsewhere), (of_purpose, notice)):
            self.told(hook, 3)
            self.assertEqual([delivery] * 3, [event["data"]["delivery_id"]
                                              for _, event in hook.events])
        self.assertEqual(["recipient.hard_error"], of_kind.types())
        changed = self.ok(self.asked("PATCH", f"/webhooks/{of_kind.name}",
                                     {"kinds": ["recipient.sent"]}))
        self.assertEqual(["recipient.sent"], changed["kinds"])

    def test_a_refused_call_comes_again_under_the_same_id(self):
        hook = self.hook()
        hook.answer = lambda call: 500 if len(hook.calls) == 1 else 200
        secret = self.registered(hook, single=True)["secret"]
        self.send()
        self.told(hook, 3)
        first = hook.calls[0]
        again = [call for call in hook.calls[1:] if call.id == first.id]
        self.assertEqual([first.body], [call.body for call in again])
        self.assertTrue(verified(secret, again[0].headers, again[0].body))
        self.assertEqual(OUTCOMES[:2], [kind for kind in hook.types() if kind in OUTCOMES[:2]])
        self.assertEqual(len(hook.events), len(dict(hook.events)))
        shown = eventually(lambda: self.ok(self.asked("GET", f"/webhooks/{hook.name}/calls"))["data"],
                           "the calls")
        self.assertEqual([500], [each["status"] for each in shown if each["status"] != 200])
        self.assertEqual({'{"seen":true}'}, {each["answer"] for each in shown})
        self.assertIn(first.id, [each["id"] for each in shown])

    def test_one_that_hangs_holds_up_nobody(self):
        released = threading.Event()
        hanging, others = [self.hook() for _ in range(2)], self.hook()
        for hook in hanging:
            hook.answer = lambda call: 200 if released.wait(60) else 500
            self.registered(hook)
        self.registered(others)
        other = self.new_account(f"other-{self.account.name}")
        of_other = self.hook()
        self.registered(of_other, account=other)
        self.send()
        eventually(lambda: all(hook.calls for hook in hanging), "the calls that hang")
        for number in range(20):
            self.send(account=other)
        self.told(of_other, 60)
        self.send()
        self.told(others, 6)
        self.assertEqual([0] * 2, [len(hook.taken) for hook in hanging])
        self.assertEqual([1] * 2, [hook.open_most for hook in hanging])
        released.set()
        for hook in hanging:
            eventually(lambda: len(dict(hook.events)) == 6, "what it was not told", 60)

    def test_many_that_hang_at_its_host_keep_nobody_waiting_who_answers(self):
        """All are at one host here, and more hang than it has places."""
        mine = self.hook()
        self.registered(mine)
        for number in range(6):
            self.send()
            self.told(mine, 2 * (number + 1))
        released = threading.Event()
        self.addCleanup(released.set)
        hanging = []
        for number in range(3):
            other = self.new_account(f"hanging-{number}-{self.account.name}")
            for _ in range(8):
                hook = self.hook()
                hook.answer = lambda call: 200 if released.wait(120) else 500
                self.registered(hook, account=other)
                hanging.append((hook, other))
            self.send(account=other)
        eventually(lambda: sum(hook.open for hook, _ in hanging) >= 4, "calls that hang")
        for number in range(20):
            self.send()
            self.told(mine, 2 * (number + 7), 12)  # sooner than a call that hangs is broken off
        shown = self.ok(self.asked("GET", f"/webhooks/{mine.name}/calls"))["data"]
        self.assertEqual({200}, {each["status"] for each in shown}, shown)
        eventually(lambda: any(
            (each.get("failure") or "").startswith("not sent:") for hook, account in hanging
            for each in self.ok(self.asked("GET", f"/webhooks/{hook.name}/calls", account=account))["data"]),
            "who waits for a place can see why")

    def test_after_kills_nothing_is_missing_and_no_event_has_two_ids(self):
        hook = self.hook()
        hook.answer = lambda call: 200
        secret = self.registered(hook)["secret"]
        to = [f"r{number}@fast.example" for number in range(400)]
        delivery = self.bulk(to)
        for _ in range(3):
            calls = len(hook.calls)
            eventually(lambda: len(hook.calls) > calls, "a call")
            self.stack.kill_engine()
            self.stack.start_engine()
            self.send()
        eventually(lambda: self.account.detail(delivery)["status"] == "SENT", "the end", 90)
        def both():
            told, events = dict(hook.events), self.all_events()
            return (told, events) if set(told) == set(events) else None

        # Those of the last single mail may still come, to both.
        told, events = eventually(both, "each event told, and nothing else", 90)
        self.assertGreaterEqual(len(told), len(to))
        for call in hook.calls:
            self.assertTrue(verified(secret, call.headers, call.body))
        # Whatever was told twice: the first time each was in its place.
        for address in to:
            seen = []
            for name, event in hook.events:
                if event["data"].get("email") == address and name not in seen:
                    seen.append(name)
            self.assertEqual(seen, [name for name in events if name in seen], address)

    # ---- what owners do --------------------------------------------------------------------------

    def test_a_replaced_secret_signs_beside_the_new_one(self):
        hook = self.hook()
        old = self.registered(hook)["secret"]
        new = self.ok(self.asked("POST", f"/webhooks/{hook.name}/rotate", {}), 201)["secret"]
        self.assertNotEqual(old, new)
        self.assertEqual(1, len(self.shown(hook)["old_secrets_until"]))
        tested = self.ok(self.asked("POST", f"/webhooks/{hook.name}/test"))
        self.assertTrue(tested["accepted"])
        self.assertEqual("endpoint.test", hook.calls[-1].json["type"])
        for key in (old, new):
            self.assertTrue(verified(key, hook.calls[-1].headers, hook.calls[-1].body))
        last = self.ok(self.asked("POST", f"/webhooks/{hook.name}/rotate",
                                  {"overlap_hours": 0}), 201)["secret"]
        self.ok(self.asked("POST", f"/webhooks/{hook.name}/test"))
        call = hook.calls[-1]
        self.assertEqual([False, False, True], [verified(key, call.headers, call.body)
                                                for key in (old, new, last)])
        self.send()
        self.told(hook, 3 + 2)  # beside the tests
        self.assertTrue(verified(last, hook.calls[-1].headers, hook.calls[-1].body))

    def test_events_are_told_again_where_that_is_wanted(self):
        hook = self.hook()
        self.registered(hook)
        first, second = self.send(), self.send()
        before = [name for name, _ in self.told(hook, 6)]
        of_first = [name for name, event in hook.events if event["data"]["delivery_id"] == first]
        path = f"/webhooks/{hook.name}/replay"

        def told_again(order, expected):
            """How many the answer says. What was told within the second before an order may come
            once more besides: it was not yet written that it had been."""
            count = len(hook.events)
            answer = self.ok(self.asked("POST", path, order), 202)
            again = eventually(lambda: (lambda new: new if set(new) >= set(expected) else None)(
                dict(hook.events[count:])), f"what {order} asks for")
            self.assertLessEqual(set(again), set(before))
            self.assertEqual(expected, [name for name in again if name in expected])
            return answer["events"]

        self.assertIsNone(told_again({"delivery_id": first}, of_first))
        self.assertEqual(1, told_again({"events": of_first[:1]}, of_first[:1]))
        self.assertIsNone(told_again({"from": "2026-01-01"}, before))
        self.refused(self.asked("POST", path, {"delivery_id": second + 1000}), status=404)
        self.assertEqual({"data": [], "next": None}, self.ok(
            self.asked("GET", f"/webhooks/{hook.name}/set_aside")))

    def test_only_what_it_wants_is_told_again(self):
        old = self.hook()
        self.registered(old, form="contract")
        hook = self.hook()
        self.registered(hook, kinds=["recipient.hard_error"])
        self.send()
        self.send(to=GONE)
        self.told(hook, 1)
        events = self.all_events()
        others = [name for name, kind in events.items() if kind != "hard_error"]
        self.assertGreaterEqual(len(others), 3)
        for name in (old.name, hook.name):
            answer = self.ok(self.asked("POST", f"/webhooks/{name}/replay", {"events": others}), 202)
            self.assertEqual(0, answer["events"], f"{answer} of {events}")
        bad = [name for name, kind in events.items() if kind == "hard_error"]
        path = f"/webhooks/{hook.name}/replay"
        self.refused(self.asked("POST", path, {"events": others[:1] * 100 + bad}), "events")
        self.assertEqual(1, self.ok(self.asked("POST", path, {"events": others[:1] * 99 + bad}),
                                    202)["events"])
        eventually(lambda: len(hook.events) > 1, "the last of a hundred")
        self.assertEqual(set(bad), {name for name, _ in hook.events})

    def test_what_was_not_told_yet_keeps_its_turn(self):
        hook = self.hook()
        self.registered(hook)
        hook.answer = 500
        delivery = self.send()
        sent = eventually(lambda: [name for name, kind in self.all_events().items()
                                   if kind == "sent"], "its end")
        self.ok(self.asked("POST", f"/webhooks/{hook.name}/replay", {"events": sent}), 202)
        hook.answer = 200
        told = self.told(hook, 3)
        self.assertEqual(OUTCOMES, [event["type"] for _, event in told], delivery)

    def test_insert_codes_stay_with_who_may_see_them(self):
        hook = self.hook()
        self.registered(hook, insert_codes=True)
        few = issued(self.stack.command("key", "add", self.account.name, "--scopes", "admin"))[2]

        def asked(method, path="", body=None):
            return self.account.request(method, f"/webhooks/{hook.name}{path}", body, token=few)

        self.send(insert_code=[{"key": "__word__", "value": "topsecretvalue"}])
        self.told(hook, 3)
        self.assertIn("topsecretvalue", json.dumps(hook.calls[-1].json) + json.dumps(
            [event for _, event in hook.events]))
        calls = eventually(lambda: self.ok(self.asked("GET", f"/webhooks/{hook.name}/calls"))["data"],
                           "its calls")
        self.assertIn("topsecretvalue", json.dumps(calls))
        self.ok(asked("PATCH", body={"insert_codes": False}))
        answer = asked("GET", "/calls")
        self.assertNotIn("topsecretvalue", json.dumps(self.ok(answer)))
        self.assertEqual("request, answer", answer.headers["x-todoku-withheld"])

    def test_one_that_is_gone_is_told_nothing_until_its_owner_says_so(self):
        hook = self.hook()
        hook.answer = 410
        self.registered(hook)
        self.send()
        eventually(lambda: self.shown(hook)["status"] == "disabled", "the end of it")
        hook.answer = 200
        self.send()
        self.ok(self.asked("PATCH", f"/webhooks/{hook.name}", {"enabled": True}))
        self.told(hook, 6)  # it goes on where it stopped
        self.ok(self.asked("PATCH", f"/webhooks/{hook.name}", {"enabled": False}))
        self.assertEqual("disabled", self.shown(hook)["status"])
        self.ok(self.asked("DELETE", f"/webhooks/{hook.name}"))
        self.refused(self.asked("GET", f"/webhooks/{hook.name}"), status=404)

    # ---- the contract's form ---------------------------------------------------------------------

    def test_the_contracts_form(self):
        hook = self.hook()
        hook.url = hook.url.replace("127.0.0.1", "user:word@127.0.0.1")
        made = self.registered(hook, form="contract")
        self.assertIsNone(made["secret"])
        self.assertNotIn("word", json.dumps(made))
        self.refused(self.asked("POST", f"/webhooks/{hook.name}/rotate", {}))
        self.send()
        delivery = self.send(to=GONE)
        call = eventually(lambda: hook.calls and hook.calls[0], "the call")
        self.assertEqual("Basic dXNlcjp3b3Jk", call.headers["authorization"])
        self.assertNotIn("webhook-signature", call.headers)
        (told,) = call.json["events"]
        detail = told["event"]["detail"]
        self.assertEqual(("HARDERROR", GONE, "550", delivery),
                         (told["event"]["type"], detail["mailaddress"], detail["error_code"],
                          detail["delivery_id"]))
        self.assertRegex(detail["error_message"], "[ぁ-ん]")

    # ---- other services' forms -------------------------------------------------------------------

    def test_the_forms_of_other_services(self):
        hooks = {form: self.hook() for form in ("sendgrid", "postmark", "resend")}
        made = {form: self.registered(hook, form=form) for form, hook in hooks.items()}
        self.assertEqual((None, None), (made["postmark"]["secret"], made["postmark"]["public_key"]))
        self.refused(self.asked("POST", "/webhooks", {
            "url": hooks["resend"].url, "form": "sendgrid", "insert_codes": True}),
            "insert_codes")
        self.refused(self.asked("POST", "/webhooks", {
            "url": hooks["resend"].url, "form": "sendgrid", "signature": "hmac"}),
            "signature")
        self.refused(self.asked("POST", "/webhooks", {"url": hooks["resend"].url, "form": "ses"}), "form")
        attached = {"order": "7", "type": "none"}
        delivery = self.send(to=GONE, metadata=attached)
        uuid = f"00000000-0000-4000-8000-{delivery:012x}"

        def told(form, is_it):
            for call in hooks[form].calls:
                for event in call.json if isinstance(call.json, list) else [call.json]:
                    if is_it(event):
                        return call, event
            return None

        call, event = eventually(
            lambda: told("sendgrid", lambda e: e["event"] == "bounce"), "SendGrid's bounce")
        self.assertEqual((GONE, "bounce", "7"), (event["email"], event["type"], event["order"]))
        self.assertTrue(event["sg_message_id"].startswith(uuid + "."))
        self.assertTrue(verified_by_twilio(made["sendgrid"]["public_key"], call.headers, call.body))
        self.assertFalse(verified_by_twilio(made["sendgrid"]["public_key"], call.headers, b"[]"))
        _, event = eventually(
            lambda: told("postmark", lambda e: e["RecordType"] == "Bounce"), "Postmark's bounce")
        self.assertEqual((GONE, uuid, "HardBounce", attached),
                         (event["Email"], event["MessageID"], event["Type"], event["Metadata"]))
        call, event = eventually(
            lambda: told("resend", lambda e: e["type"] == "email.bounced"), "Resend's bounce")
        self.assertEqual(([GONE], uuid), (event["data"]["to"], event["data"]["email_id"]))
        headers = {name.replace("svix-", "webhook-"): value for name, value in call.headers.items()
                   if not name.startswith("webhook-")}
        self.assertTrue(verified(made["resend"]["secret"], headers, call.body))
