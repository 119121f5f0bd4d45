# SPDX-License-Identifier: Apache-2.0
"""People at the console, as a browser and as somebody who forges a browser's requests.

    console_test.py TODOKU [--postgres] [check names as unittest takes them]
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest
from email import message_from_bytes, policy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "store_postgres")]

from browser import Browser, code_of, link_in  # noqa: E402
import patience  # noqa: E402
from stack import Stack  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

PASSWORD = "correct horse battery"
# Couriers note every ten seconds which lanes are at work: its conversation lasts longer.
SLOW = "slow.example"
RECEIVERS = {"one.example": [], SLOW: ["delay = { body = 15 }"]}
OTHER = "quite another battery"
SCOPES = {"owner": {"send", "read", "content", "suppress", "admin"},
          "sender": {"send", "read", "content", "suppress"},
          "viewer": {"read"},
          "support": {"read", "suppress"}}
METHODS = ("get", "post", "put", "patch", "delete")
# Of the console's own: (method, path, body, whether somebody has to be signed in). A route that is
# not here fails the test that takes them from the sources.
ROUTES = [
    ("GET", "/session", None, False),
    ("POST", "/session", {"email": "a@b.example", "password": PASSWORD}, False),
    ("DELETE", "/session", None, True),
    ("POST", "/session/second-factor", {"code": "000000"}, True),
    ("GET", "/sign-ins", None, True),
    ("DELETE", "/sign-ins", None, True),
    ("DELETE", "/sign-ins/{id}", None, True),
    ("PUT", "/password", {"current": PASSWORD, "new": OTHER}, True),
    ("POST", "/totp", {}, True),
    ("POST", "/totp/confirm", {"code": "000000"}, True),
    ("DELETE", "/totp", {"password": PASSWORD}, True),
    ("POST", "/recovery-codes", {"password": PASSWORD}, True),
    ("PATCH", "/me", {"name": "Somebody"}, True),
    ("POST", "/me/confirmation", {}, True),
    ("POST", "/links/look", {"token": "x"}, False),
    ("POST", "/links/use", {"token": "x", "password": PASSWORD}, False),
    ("POST", "/resets", {"email": "nobody@b.example"}, False),
    ("PUT", "/acting-for", {"account": None}, True),
    ("GET", "/people", None, True),
    ("POST", "/people", {"email": "x@b.example", "name": "X", "role": "viewer", "language": "en"},
     True),
    ("PATCH", "/people/{id}", {"suspended": True}, True),
    ("DELETE", "/people/{id}", None, True),
    ("POST", "/people/{id}/invitation", {}, True),
    ("GET", "/rules", None, True),
    ("PUT", "/rules", {"second_factor": False, "networks": [], "approval": False}, True),
    ("GET", "/audit", None, True),
    ("GET", "/texts", None, True),
    ("GET", "/texts/{place}", None, True),
    ("PUT", "/texts/{place}", {"subject": "half a letter"}, True),
    ("DELETE", "/texts/{place}", None, True),
    ("GET", "/accounts", None, True),
    ("GET", "/keys", None, True),
    ("POST", "/keys", {"label": "x", "scopes": ["read"]}, True),
    ("POST", "/keys/{id}/rotation", {}, True),
    ("DELETE", "/keys/{id}", None, True),
    ("GET", "/smtp-credentials", None, True),
    ("POST", "/smtp-credentials", {"name": "relay-x"}, True),
    ("POST", "/smtp-credentials/{name}/rotation", {}, True),
    ("DELETE", "/smtp-credentials/{name}", None, True),
    ("POST", "/accounts", {"name": "another"}, True),
    ("PATCH", "/accounts/{account}", {"suspended": True}, True),
    ("GET", "/operations/status", None, True),
    ("GET", "/operations/nodes", None, True),
    ("GET", "/operations/lanes", None, True),
    ("GET", "/operations/sources", None, True),
    ("GET", "/operations/stuck", None, True),
    ("POST", "/operations/stuck/{account}/{email_id}/release", {}, True),
    ("POST", "/operations/held/{account}/{name}/release", {}, True),
]
# Who reaches them at all; all others are of whoever has signed in.
FOR_OWNERS = ("/people", "/rules", "/audit", "/keys", "/smtp-credentials")
FOR_OPERATORS = ("/accounts", "/acting-for", "/operations")


class World:
    stack = None
    url = None
    people = 0


world = World()


def declared_routes():
    """{(method, path)} as the sources have them."""
    calls = dict(re.findall(r"inline constexpr Call (k\w+)\{Verb::\w+,\s*\"([^\"]+)\"",
                            (ROOT / "src/console/calls.h").read_text()))
    found = set()
    for path in sorted((ROOT / "src/console").glob("routes_*.cc")):
        for method, call in re.findall(r"RouteOf\{http::Method::(\w+?)_?, Wanted::\w+, \w+,\s*"
                                       r"&calls::(k\w+)", path.read_text()):
            found.add((method.upper(), calls[call]))
    return found


def filled(path):
    return re.sub(r"\{[^}]*\}", lambda found: "compose" if found[0] == "{place}" else "1", path)


def eventually(condition, what, seconds=20):
    until = patience.until(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def address():
    world.people += 1
    return f"person{world.people}@people.example"


def person(role, account="shop", password=PASSWORD):
    """(browser that is signed in, address)."""
    email = address()
    words = ["people", "invite", email]
    if role != "operator":
        words += ["--account", account, "--role", role]
    browser = Browser(world.url)
    answer = browser.use_link(link_in(world.stack.command(*words)), password)
    if answer.status != 200:
        raise AssertionError(repr(answer))
    return browser, email


def operator(account=None):
    browser, email = person("operator")
    if account:
        answer = browser.ask("PUT", "/acting-for", {"account": account})
        if answer.status != 200:
            raise AssertionError(repr(answer))
    return browser, email


class Origin(unittest.TestCase):
    def test_pages_and_answers_are_guarded(self):
        browser = Browser(world.url)
        for path in ("/", "/deliveries/17", "/link", "/console/v1/session", "/api/v1/usages/latest",
                     "/console/v1/nothing", "/assets/none.js"):
            answer = browser.raw("GET", path)
            policy = answer.headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy, path)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["referrer-policy"], "no-referrer")
            self.assertEqual(answer.headers["cross-origin-opener-policy"], "same-origin")
        self.assertEqual(browser.raw("GET", "/deliveries/17").body, browser.raw("GET", "/").body)
        self.assertEqual(browser.raw("GET", "/assets/none.js").status, 404)

    def test_it_is_not_at_the_apis_address_and_the_api_takes_no_cookie(self):
        browser, _ = person("owner")
        self.assertEqual(browser.api("GET", "/usages/latest").status, 200)
        at_api = Browser(f"http://127.0.0.1:{world.stack.api_port}")
        at_api.cookie, at_api.token = browser.cookie, browser.token
        self.assertEqual(at_api.api("GET", "/usages/latest").status, 401)
        scheme = {"Authorization": "todoku-console " + browser.cookie.split("=", 1)[1]}
        self.assertEqual(at_api.api("GET", "/usages/latest", changed=scheme).status, 401)
        self.assertEqual(at_api.raw("GET", "/console/v1/session").status, 404)

    def test_keys_open_nothing_here(self):
        browser, _ = person("owner")
        key = {"Authorization": f"Bearer {world.stack.api.token}"}
        for path in ("/api/v1/usages/latest", "/console/v1/session"):
            answer = browser.raw("GET", path, changed=key)
            self.assertEqual(answer.status, 400)
            self.assertIn("API keys are not taken here", answer.message)

    def test_status_tells_the_address(self):
        self.assertIn(world.url, world.stack.command("status"))


class SigningIn(unittest.TestCase):
    def test_wrong_is_wrong_whatever_was_wrong(self):
        _, email = person("viewer")
        wrong = Browser(world.url).sign_in(email, OTHER)
        unknown = Browser(world.url).sign_in("nobody@people.example", OTHER)
        self.assertEqual((wrong.status, unknown.status), (401, 401))
        self.assertEqual(wrong.message, unknown.message)
        self.assertEqual(wrong.cookies, [])
        right = Browser(world.url).sign_in(email, PASSWORD)
        self.assertEqual(right.status, 200, right)
        self.assertEqual(right.json["person"]["email"], email)
        self.assertEqual(right.json["scopes"], ["read"])
        self.assertIn("HttpOnly", right.cookies[0])
        self.assertIn("SameSite=Strict", right.cookies[0])

    def test_guesses_are_slowed(self):
        _, email = person("viewer")
        statuses = []
        for _ in range(30):
            answer = Browser(world.url).sign_in(email, OTHER)
            statuses.append(answer.status)
            if answer.status == 429:
                self.assertGreater(int(answer.headers["retry-after"]), 0)
                break
        self.assertEqual(statuses[-1], 429, statuses)
        # Whoever guesses is not told that this one would have been right.
        self.assertEqual(Browser(world.url).sign_in(email, PASSWORD).status, 429)
        # Others of the same network sign in.
        other, other_email = person("viewer")
        self.assertEqual(Browser(world.url).sign_in(other_email, PASSWORD).status, 200)
        self.assertTrue(other.session()["signed_in"])

    def test_a_cookie_that_was_set_before_is_not_taken_over(self):
        _, email = person("viewer")
        browser = Browser(world.url)
        planted = "todoku-console=" + "A" * 43
        browser.cookie = planted
        self.assertEqual(browser.sign_in(email, PASSWORD).status, 200)
        self.assertNotEqual(browser.cookie, planted)
        other = Browser(world.url)
        other.cookie = planted
        self.assertFalse(other.session()["signed_in"])

    def test_a_new_password_ends_what_was_open(self):
        browser, email = person("viewer")
        elsewhere = Browser(world.url)
        self.assertEqual(elsewhere.sign_in(email, PASSWORD).status, 200)
        before = browser.cookie, browser.token
        changed = browser.ask("PUT", "/password", {"current": PASSWORD, "new": OTHER})
        self.assertEqual(changed.status, 200, changed)
        self.assertNotEqual((browser.cookie, browser.token), before)
        self.assertTrue(browser.session()["signed_in"])
        self.assertFalse(elsewhere.session()["signed_in"])
        stolen = Browser(world.url)
        stolen.cookie = before[0]
        self.assertFalse(stolen.session()["signed_in"])
        self.assertEqual(Browser(world.url).sign_in(email, PASSWORD).status, 401)
        for bad in ("short", "letmein12345", email):
            answer = browser.ask("PUT", "/password", {"current": OTHER, "new": bad})
            self.assertEqual(answer.status, 400, bad)

    def test_signing_out_ends_it_and_drops_what_was_typed(self):
        browser, email = person("sender")
        self.assertEqual(browser.ask("PUT", "/texts/compose", {"subject": "x"}).status, 204)
        self.assertEqual(browser.ask("GET", "/texts/compose").json, {"subject": "x"})
        other = Browser(world.url)
        other.sign_in(email, PASSWORD)
        self.assertEqual([text["place"] for text in other.ask("GET", "/texts").json["texts"]],
                         ["compose"])
        cookie = browser.cookie
        self.assertEqual(browser.ask("DELETE", "/session").status, 204)
        self.assertIsNone(browser.cookie)
        browser.cookie = cookie
        self.assertEqual(browser.api("GET", "/usages/latest").status, 401)
        self.assertEqual(other.ask("GET", "/texts").json["texts"], [])

    def test_who_signs_in_twice_at_once_is_signed_in(self):
        browser, email = person("viewer")
        twin = Browser(world.url)
        twin.cookie, twin.token = browser.cookie, browser.token
        for each in (browser, twin):
            self.assertEqual(each.sign_in(email, PASSWORD).status, 200)
            self.assertTrue(each.session()["signed_in"])

    def test_a_link_ends_what_the_browser_had_open(self):
        browser, _ = person("viewer")
        before = Browser(world.url)
        before.cookie, before.token = browser.cookie, browser.token
        link = link_in(world.stack.command("people", "invite", address(), "--account", "shop",
                                           "--role", "viewer"))
        self.assertEqual(browser.use_link(link, PASSWORD).status, 200)
        self.assertTrue(browser.session()["signed_in"])
        self.assertFalse(before.session()["signed_in"])

    def test_where_one_is_signed_in(self):
        browser, email = person("viewer")
        other = Browser(world.url, agent="Another/1.0")
        other.sign_in(email, PASSWORD)
        listed = browser.ask("GET", "/sign-ins").json["sign_ins"]
        self.assertEqual(sorted(each["agent"] for each in listed),
                         ["Another/1.0", "Mozilla/5.0 test"])
        theirs = next(each for each in listed if not each["current"])
        self.assertEqual(browser.ask("DELETE", f"/sign-ins/{theirs['id']}").status, 204)
        self.assertFalse(other.session()["signed_in"])
        other.sign_in(email, PASSWORD)
        self.assertEqual(browser.ask("DELETE", "/sign-ins").json, {"ended": 1})
        self.assertFalse(other.session()["signed_in"])
        self.assertTrue(browser.session()["signed_in"])
        stranger, _ = person("viewer")
        mine = browser.ask("GET", "/sign-ins").json["sign_ins"][0]["id"]
        self.assertEqual(stranger.ask("DELETE", f"/sign-ins/{mine}").status, 404)


class SecondFactor(unittest.TestCase):
    def set_up(self, browser):
        """(secret, recovery codes)."""
        secret = browser.ask("POST", "/totp", {}).json["secret"]
        confirmed = browser.ask("POST", "/totp/confirm", {"code": code_of(secret)})
        self.assertEqual(confirmed.status, 200, confirmed)
        return secret, confirmed.json["recovery_codes"]

    def test_a_password_alone_opens_nothing(self):
        browser, email = person("owner")
        before = browser.cookie
        secret, codes = self.set_up(browser)
        self.assertNotEqual(browser.cookie, before)
        self.assertEqual(len(set(codes)), 10)
        half = Browser(world.url)
        answer = half.sign_in(email, PASSWORD)
        self.assertTrue(answer.json["half"])
        self.assertNotIn("person", answer.json)
        self.assertEqual(half.api("GET", "/usages/latest").status, 403)
        for method, path, body, _ in ROUTES:
            if path in ("/session", "/session/second-factor") or "links" in path or "resets" in path:
                continue
            answer = half.ask(method, filled(path), body)
            self.assertEqual(answer.status, 403, f"{method} {path}: {answer}")
        self.assertEqual(half.ask("POST", "/session/second-factor", {"code": "000000"}).status, 401)
        # The code that set it up is used up: the one of the next step, which is taken early.
        late = code_of(secret, time.time() + 30)
        cookie = half.cookie
        whole = half.ask("POST", "/session/second-factor", {"code": late})
        self.assertEqual(whole.status, 200, whole)
        self.assertFalse(whole.json["half"])
        self.assertNotEqual(half.cookie, cookie)
        self.assertEqual(half.api("GET", "/usages/latest").status, 200)
        again = Browser(world.url)
        again.sign_in(email, PASSWORD)
        self.assertEqual(again.ask("POST", "/session/second-factor", {"code": late}).status, 401)

    def test_a_recovery_code_is_good_once(self):
        browser, email = person("owner")
        _, codes = self.set_up(browser)
        for expected in (200, 401):
            other = Browser(world.url)
            other.sign_in(email, PASSWORD)
            answer = other.ask("POST", "/session/second-factor", {"recovery_code": codes[0]})
            self.assertEqual(answer.status, expected, answer)
        self.assertEqual(browser.session()["second_factor"]["recovery_left"], 9)
        fresh = browser.ask("POST", "/recovery-codes", {"password": PASSWORD}).json["recovery_codes"]
        self.assertEqual(set(fresh) & set(codes), set())
        self.assertEqual(browser.ask("DELETE", "/totp", {"password": OTHER}).status, 403)
        self.assertEqual(browser.ask("DELETE", "/totp", {"password": PASSWORD}).status, 200)
        self.assertFalse(Browser(world.url).sign_in(email, PASSWORD).json["half"])

    def test_an_account_may_require_it(self):
        world.stack.command("account", "add", "strict", "--no-key")
        owner, _ = person("owner", "strict")
        self.set_up(owner)
        viewer, _ = person("viewer", "strict")
        rules = {"second_factor": True, "networks": [], "approval": False}
        self.assertEqual(owner.ask("PUT", "/rules", rules).json, rules)
        eventually(lambda: viewer.session()["must_set_up_second_factor"], "the rule")
        self.assertEqual(viewer.api("GET", "/usages/latest").status, 403)
        self.assertEqual(viewer.ask("GET", "/sign-ins").status, 403)
        self.set_up(viewer)
        self.assertEqual(viewer.api("GET", "/usages/latest").status, 200)


class Forged(unittest.TestCase):
    """Every changing route, with all that a browser sends but one thing."""

    def test_the_list_of_routes_is_that_of_the_sources(self):
        self.assertEqual({(method, path) for method, path, _, _ in ROUTES}, declared_routes())

    def test_each_change_is_refused_for_each_thing_that_is_not_ours(self):
        browser, _ = person("owner")
        host = browser.headers("GET")["Host"]
        for method, path, body, needs_sign_in in ROUTES:
            if method == "GET":
                continue
            wrong = {"Origin": [None, "null", "https://evil.example", f"http://{host}.evil.example"],
                     "Host": ["evil.example", host.replace(":", ".evil.example:")],
                     "Sec-Fetch-Site": ["cross-site", "same-site", "none"]}
            if needs_sign_in:
                wrong["X-Todoku-Token"] = [None, "x", "A" * 43]
            for name, values in wrong.items():
                for value in values:
                    answer = browser.ask(method, filled(path), body, {name: value})
                    self.assertEqual(answer.status, 421 if name == "Host" else 403,
                                     f"{method} {path} {name}={value}: {answer}")
            if body is not None:
                typed = browser.ask(method, filled(path), body, {"Content-Type": "text/plain"})
                self.assertIn(typed.status, (415, 400) if body else (415, 400, 202, 200, 409, 404, 403),
                              f"{method} {path}")
        # Nothing of all that has done anything.
        self.assertTrue(browser.session()["signed_in"])

    def test_changes_of_the_api_are_refused_likewise(self):
        browser, _ = person("owner")
        mail = {"from": {"email": "a@sender.example"}, "to": "forged@one.example", "subject": "s",
                "text_part": "t"}
        for changed in ({"Origin": None}, {"Origin": "https://evil.example"},
                        {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                        {"X-Todoku-Token": None}, {"X-Todoku-Token": "x"}):
            answer = browser.api("POST", "/deliveries/transaction", mail, changed)
            self.assertIn(answer.status, (403, 421), f"{changed}: {answer}")
        stale = browser.token
        browser.ask("PUT", "/password", {"current": PASSWORD, "new": OTHER})
        answer = browser.api("POST", "/deliveries/transaction", mail, {"X-Todoku-Token": stale})
        self.assertEqual(answer.status, 403)
        self.assertEqual(browser.api("POST", "/deliveries/transaction", mail).status, 201)

    def test_answers_are_read_by_no_other_page(self):
        browser, _ = person("owner")
        for changed in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            self.assertEqual(browser.api("GET", "/usages/latest", changed=changed).status, 403)
            self.assertEqual(browser.ask("GET", "/session", changed=changed).status, 403)
        answer = browser.api("GET", "/usages/latest")
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_without_a_cookie_nobody_is_signed_in(self):
        nobody = Browser(world.url)
        for method, path, body, needs_sign_in in ROUTES:
            if needs_sign_in:
                answer = nobody.ask(method, filled(path), body)
                self.assertEqual(answer.status, 401, f"{method} {path}: {answer}")

    def test_two_cookies_of_the_name_are_none(self):
        browser, _ = person("owner")
        browser.cookie += "; todoku-console=" + "A" * 43
        self.assertEqual(browser.api("GET", "/usages/latest").status, 401)

    def test_what_a_route_does_not_know_is_refused(self):
        browser, _ = person("owner")
        answer = browser.ask("PATCH", "/me", {"name": "x", "role": "operator"})
        self.assertEqual(answer.status, 400)
        self.assertIn("role", answer.body.decode())


class Rights(unittest.TestCase):
    """The public API by each role, generated from its description."""

    @classmethod
    def setUpClass(cls):
        description = json.loads((ROOT / "docs/openapi.json").read_text())
        cls.operations = []
        for path, operations in description["paths"].items():
            for method, operation in operations.items():
                if method in METHODS:
                    cls.operations.append((method.upper(), path, operation))
        cls.browsers = {role: person(role)[0] for role in SCOPES}

    def test_each_operation_says_which_scope_opens_it(self):
        for method, path, operation in self.operations:
            self.assertTrue(self.scopes_of(operation) <= SCOPES["owner"] and
                            self.scopes_of(operation), f"{method} {path}")

    @staticmethod
    def scopes_of(operation):
        return set(re.split(r"[,| ]+(?:or )?", operation["x-todoku-scope"]))

    def test_a_role_opens_what_its_scopes_open(self):
        for role, browser in self.browsers.items():
            for method, path, operation in self.operations:
                target = re.sub(r"\{[^}]*\}", "999999", path)
                # Nothing of it is right, so nothing is done by whom it is open to.
                body = b"[" if method in ("POST", "PUT", "PATCH") else None
                answer = browser.api(method, target, body)
                is_open = bool(self.scopes_of(operation) & SCOPES[role])
                lacks = answer.status == 403 and "lacks the scope" in answer.body.decode()
                self.assertEqual(not lacks, is_open, f"{role}: {method} {path}: {answer}")
                if not is_open:
                    self.assertEqual(answer.status, 403)

    def test_support_and_viewers_see_no_content(self):
        sent = self.browsers["owner"].api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": "seen@one.example",
            "subject": "the subject", "text_part": "the secret text"})
        self.assertEqual(sent.status, 201, sent)
        delivery = sent.json["delivery_id"]
        for role, sees in (("owner", True), ("sender", True), ("viewer", False),
                           ("support", False)):
            answer = self.browsers[role].api("GET", f"/deliveries/{delivery}")
            self.assertEqual(answer.status, 200)
            self.assertEqual("the secret text" in answer.body.decode(), sees, role)
        noted = self.browsers["owner"].ask("GET", "/audit?limit=1000").json["audit"]
        self.assertTrue(any(line["action"] == "content" and line["actor"].startswith("person ")
                            for line in noted), noted[-5:])

    def test_the_head_of_a_delivery_is_no_view_of_its_text(self):
        sent = self.browsers["owner"].api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": "unseen@one.example",
            "subject": "the subject", "text_part": "the secret text"})
        path = f"/deliveries/{sent.json['delivery_id']}"

        def views():
            noted = self.browsers["owner"].ask("GET", "/audit?limit=1000").json["audit"]
            return [line["action"] for line in noted if line["action"] == "content" and
                    line.get("delivery_id") == sent.json["delivery_id"]]

        head = self.browsers["owner"].api("GET", f"{path}?without_text=true")
        self.assertEqual((head.status, head.json["text_part"]), (200, ""))
        self.assertEqual(head.json["subject"], "the subject")
        self.assertEqual(views(), [])
        self.assertEqual(self.browsers["owner"].api("GET", f"{path}?without_text=x").status, 400)
        self.browsers["owner"].api("GET", path)
        self.assertEqual(views(), ["content"])

    def test_the_page_of_a_mail_is_for_whom_its_text_is_and_on_record(self):
        owner = self.browsers["owner"]
        sent = owner.api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": "framed@one.example",
            "subject": "the subject", "text_part": "t", "html_part": "<p>the secret text</p>"})
        delivery = sent.json["delivery_id"]
        path = f"/deliveries/{delivery}/preview?format=html"
        for role in ("viewer", "support"):
            self.assertEqual(self.browsers[role].api("GET", path).status, 403, role)

        def views():
            noted = owner.ask("GET", "/audit?limit=1000").json["audit"]
            return [line["action"] for line in noted if line["action"] == "preview" and
                    line.get("delivery_id") == delivery]

        self.assertEqual(views(), [])
        page = owner.api("GET", path)
        self.assertEqual(page.status, 200, page)
        self.assertIn("<p>the secret text</p>", page.body.decode())
        self.assertTrue(page.headers["content-security-policy"].startswith("sandbox;"), page.headers)
        self.assertEqual(page.headers["cache-control"], "no-store")
        self.assertEqual(views(), ["preview"])
        # A frame says in its address for whom the page around it was made.
        person_id = owner.session()["person"]["id"]
        for said, status in ((f"{person_id}%2Fshop", 200), (f"{person_id}%2Fother", 409),
                             (f"{person_id + 1}%2Fshop", 409)):
            self.assertEqual(owner.api("GET", f"{path}&as={said}").status, status, said)
        answer = owner.raw("GET", f"/api/v1{path}", changed={"Sec-Fetch-Site": "cross-site"})
        self.assertEqual(answer.status, 403)

    def test_who_changes_something_is_on_record(self):
        owner = self.browsers["owner"]
        begun = owner.api("POST", "/deliveries/bulk/begin", {
            "from": {"email": "a@sender.example"}, "subject": "s", "text_part": "t"})
        delivery = begun.json["delivery_id"]
        owner.api("DELETE", f"/deliveries/{delivery}")
        owner.api("DELETE", f"/deliveries/{delivery}")  # refused: nothing is there any more
        owner.api("POST", "/domains", {"domain": "audited.example"})
        owner.api("POST", "/suppressions", {"email": "audited@one.example"})
        actor = f"person {owner.session()['person']['id']} "
        noted = [line for line in owner.ask("GET", "/audit?limit=1000").json["audit"]
                 if line["actor"].startswith(actor)]
        about = [line["action"] for line in noted if line.get("delivery_id") == delivery]
        self.assertEqual(about, ["deliveries.remove", "deliveries.begin"])  # the newest first
        actions = [line["action"] for line in noted]
        self.assertIn("domain.add: audited.example", actions)
        self.assertIn("suppressions.add", actions)
        told = world.stack.command("audit", "list", "--address", "audited@one.example")
        self.assertIn("suppressions.add", told)

    def test_each_change_has_a_name_in_the_audit(self):
        named = re.findall(r'Named\{(\w+?)_?,\s+"([^"]+)",',
                           (ROOT / "src/api/changes.cc").read_text())
        changes = {(method, path) for method, path, _ in self.operations if method != "GET"}
        self.assertEqual(changes - {(method.upper(), path) for method, path in named}, set())

    def test_another_accounts_ids_are_not_found(self):
        world.stack.command("account", "add", "neighbour", "--no-key")
        sent = self.browsers["owner"].api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": "mine@one.example", "subject": "s",
            "text_part": "t"})
        neighbour, _ = person("owner", "neighbour")
        answer = neighbour.api("GET", f"/deliveries/{sent.json['delivery_id']}")
        nowhere = neighbour.api("GET", "/deliveries/987654321")
        self.assertEqual((answer.status, answer.body), (nowhere.status, nowhere.body))
        self.assertEqual(answer.status, 404)
        people = self.browsers["owner"].ask("GET", "/people").json["people"]
        for method, body in (("PATCH", {"suspended": True}), ("DELETE", None)):
            theirs = neighbour.ask(method, f"/people/{people[0]['id']}", body)
            none = neighbour.ask(method, "/people/987654", body)
            self.assertEqual(theirs.status, 404, theirs)
            self.assertEqual(theirs.body, none.body)
        self.assertEqual(
            [each["email"] for each in neighbour.ask("GET", "/people").json["people"]],
            [neighbour.session()["person"]["email"]])

    def test_each_route_is_for_whom_it_is_for(self):
        for role in ("sender", "viewer", "support"):
            browser = self.browsers[role]
            for method, path, body, _ in ROUTES:
                if path.startswith(FOR_OWNERS + FOR_OPERATORS):
                    answer = browser.ask(method, filled(path), body)
                    self.assertEqual(answer.status, 403, f"{role}: {method} {path}: {answer}")
        for method, path, body, _ in ROUTES:
            if path.startswith(FOR_OPERATORS):
                answer = self.browsers["owner"].ask(method, filled(path), body)
                self.assertEqual(answer.status, 403, f"{method} {path}: {answer}")

    def test_nobody_grants_more_than_they_hold_or_shuts_out_themselves(self):
        owner, email = person("owner")
        wanted = {"email": address(), "name": "X", "role": "operator", "language": "en"}
        self.assertIn(owner.ask("POST", "/people", wanted).status, (400, 403))
        mine = next(each["id"] for each in owner.ask("GET", "/people").json["people"]
                    if each["email"] == email)
        self.assertIn(owner.ask("PATCH", f"/people/{mine}", {"role": "viewer"}).status, (403, 409))
        self.assertIn(owner.ask("PATCH", f"/people/{mine}", {"suspended": True}).status, (403, 409))
        self.assertIn(owner.ask("DELETE", f"/people/{mine}").status, (403, 409))
        shut_out = {"second_factor": False, "networks": ["192.0.2.0/24"], "approval": False}
        self.assertEqual(owner.ask("PUT", "/rules", shut_out).status, 409)

    def test_operators_act_for_an_account_that_they_name(self):
        browser, _ = operator()
        answer = browser.api("GET", "/usages/latest")
        self.assertEqual(answer.status, 409, answer)
        self.assertEqual(browser.ask("PUT", "/acting-for", {"account": "nowhere"}).status, 404)
        names = [each["name"] for each in browser.ask("GET", "/accounts").json["accounts"]]
        self.assertIn("shop", names)
        self.assertEqual(browser.ask("PUT", "/acting-for", {"account": "shop"}).json["account"],
                         "shop")
        self.assertEqual(browser.api("GET", "/usages/latest").status, 200)
        closed = browser.ask("PUT", "/acting-for", {"account": "console-mail"})
        self.assertEqual(closed.status, 403)

    def test_nobody_of_the_account_that_mails_links_looks_into_it(self):
        browser, _ = person("owner", "console-mail")
        self.assertEqual(browser.api("GET", "/deliveries/all").status, 403)
        for method, path, body, _ in ROUTES:
            if method == "POST" and path in ("/keys", "/smtp-credentials"):
                self.assertIn(browser.ask(method, path, body).status, (403, 409), path)
        with self.assertRaisesRegex(RuntimeError, "console.mail_account"):
            world.stack.command("key", "add", "console-mail")


class Keys(unittest.TestCase):
    """What opens the API and the relay, made and ended by people."""

    @classmethod
    def setUpClass(cls):
        world.stack.command("account", "add", "keyed", "--no-key")
        cls.owner, cls.email = person("owner", "keyed")

    def noted(self, browser=None):
        lines = (browser or self.owner).ask("GET", "/audit?limit=1000").json["audit"]
        return [(line["actor"], line["action"]) for line in lines]

    def opens(self, token):
        at_api = Browser(f"http://127.0.0.1:{world.stack.api_port}")
        return at_api.api("GET", "/usages/latest",
                          changed={"Authorization": f"Bearer {token}"}).status

    def test_a_key_is_shown_once_opens_the_api_and_is_ended(self):
        made = self.owner.ask("POST", "/keys", {"label": "注文サーバー", "scopes": ["read", "send"],
                                                "networks": ["127.0.0.0/8"], "days": 30})
        self.assertEqual(made.status, 201, made)
        token, key = made.json["bearer_token"], made.json["id"]
        self.assertEqual(self.opens(token), 200)
        listed = self.owner.ask("GET", "/keys")
        mine = next(each for each in listed.json["keys"] if each["id"] == key)
        self.assertEqual((mine["label"], mine["scopes"], mine["networks"]),
                         ("注文サーバー", "send,read", ["127.0.0.0/8"]))
        for secret in (token, made.json["api_key"]):
            self.assertNotIn(secret, listed.body.decode())
        next_one = self.owner.ask("POST", f"/keys/{key}/rotation", {"overlap_hours": 0})
        self.assertEqual(next_one.status, 201, next_one)
        fresh = next_one.json["key"]
        eventually(lambda: self.opens(token) == 401, "the end of the old one")
        self.assertEqual(self.opens(fresh["bearer_token"]), 200)
        self.assertEqual(self.owner.ask("DELETE", f"/keys/{fresh['id']}").status, 204)
        eventually(lambda: self.opens(fresh["bearer_token"]) == 401, "the end of the key")
        self.assertEqual(self.owner.ask("DELETE", "/keys/987654").status, 404)
        who = next(actor for actor, _ in self.noted() if self.email in actor)
        for action in (f"api_key.add: {key} send,read", f"api_key.rotate: {key}",
                       f"api_key.end: {fresh['id']}"):
            self.assertIn((who, action), self.noted())

    def test_what_makes_no_sense_makes_no_key(self):
        before = self.owner.ask("GET", "/keys").json
        for wrong in ({"label": "x", "scopes": ["all"]}, {"label": "x", "scopes": []},
                      {"label": "x"}, {"scopes": ["read"], "label": "x", "networks": []},
                      {"scopes": ["read"], "label": "x", "networks": ["everywhere"]},
                      {"scopes": ["read"], "label": "x", "days": 0},
                      {"scopes": ["read"], "label": "x", "account": "shop"}):
            self.assertEqual(self.owner.ask("POST", "/keys", wrong).status, 400, wrong)
        self.assertEqual(self.owner.ask("GET", "/keys").json, before)

    def late(self, browser, path, body, meanwhile):
        """The answer to a request whose body comes to its end after `meanwhile`."""
        sent = {**browser.headers("POST"), "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(browser.host, browser.port, timeout=120)
        with contextlib.closing(connection):
            octets = json.dumps(body).encode()
            connection.putrequest("POST", f"/console/v1{path}", skip_host=True,
                                  skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(octets)))
            connection.endheaders(octets[:5])
            time.sleep(0.2)  # nothing tells from outside that the head has been read
            meanwhile()
            connection.send(octets[5:])
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_who_is_removed_while_the_request_comes_makes_nothing(self):
        key = {"label": "late", "scopes": ["read"]}
        for path, body in (("/keys", key), ("/smtp-credentials", {"name": "late-relay"})):
            for done in ("suspend", "remove"):
                browser, email = person("owner", "keyed")
                status, told = self.late(browser, path, body,
                                         lambda: world.stack.command("people", done, email))
                self.assertEqual(status, 401, (path, done, told))
        browser, _ = person("owner", "keyed")
        tab = Browser(world.url)
        tab.cookie, tab.token = browser.cookie, browser.token
        status, told = self.late(browser, "/keys", key, lambda: tab.ask("DELETE", "/session"))
        self.assertEqual(status, 401, told)
        operating, _ = operator()
        operating.ask("PUT", "/acting-for", {"account": "keyed"})
        tab.cookie, tab.token = operating.cookie, operating.token
        said = f"{operating.session()['person']['id']}/keyed"
        operating.headers = lambda method, sent=operating.headers: {
            **sent(method), "X-Todoku-As": said}
        status, told = self.late(operating, "/keys", key,
                                 lambda: tab.ask("PUT", "/acting-for", {"account": "shop"}))
        self.assertEqual(status, 409, told)
        self.assertNotIn("late", self.owner.ask("GET", "/keys").body.decode())

    def test_owners_make_no_keys_that_manage_accounts(self):
        """The stack's provisioning account is `managing`."""
        browser, _ = person("owner", "managing")
        refused = browser.ask("POST", "/keys", {"label": "x", "scopes": ["admin", "read"]})
        self.assertEqual(refused.status, 403, refused)
        made = browser.ask("POST", "/keys", {"label": "x", "scopes": ["send", "read"]})
        self.assertEqual(made.status, 201, made)
        keys = json.loads(world.stack.command("--json", "key", "add", "managing", "--scopes",
                                              "admin"))
        rotated = browser.ask("POST", f"/keys/{keys['id']}/rotation", {})
        self.assertEqual(rotated.status, 403, rotated)

    def test_a_user_name_stands_in_paths(self):
        for name in (".", ".."):
            refused = self.owner.ask("POST", "/smtp-credentials", {"name": name})
            self.assertEqual(refused.status, 400, refused)
            self.assertIn("not . or ..", refused.message)

    def test_another_accounts_keys_are_not_found(self):
        mine = self.owner.ask("POST", "/keys", {"label": "mine", "scopes": ["read"]}).json
        user = self.owner.ask("POST", "/smtp-credentials", {"name": "keyed-relay"})
        self.assertEqual(user.status, 201, user)
        stranger, _ = person("owner")
        for method, path in (("DELETE", f"/keys/{mine['id']}"),
                             ("DELETE", "/smtp-credentials/keyed-relay"),
                             ("POST", "/smtp-credentials/keyed-relay/rotation")):
            body = {} if method == "POST" else None
            self.assertEqual(stranger.ask(method, path, body).status, 404, path)
        self.assertEqual(self.opens(mine["bearer_token"]), 200)
        self.assertNotIn("keyed-relay", stranger.ask("GET", "/smtp-credentials").body.decode())

    def test_a_credential_of_the_relay_is_shown_once_and_ended(self):
        made = self.owner.ask("POST", "/smtp-credentials", {
            "name": "app@keyed", "traffic": "transactional", "from_address": "app@sender.example"})
        self.assertEqual(made.status, 201, made)
        password = made.json["password"]
        self.assertEqual(len(password), 32)
        listed = self.owner.ask("GET", "/smtp-credentials")
        self.assertIn("app@keyed", [each["name"] for each in listed.json["credentials"]])
        self.assertNotIn(password, listed.body.decode())
        again = self.owner.ask("POST", "/smtp-credentials/app@keyed/rotation", {"overlap_hours": 1})
        self.assertEqual(again.status, 201, again)
        self.assertNotEqual(again.json["password"], password)
        self.assertEqual(self.owner.ask("DELETE", "/smtp-credentials/app@keyed").status, 204)
        told = world.stack.command("--json", "smtp-credential", "list", "--account", "keyed")
        ended = next(each for each in json.loads(told)["credentials"] if each["name"] == "app@keyed")
        self.assertTrue(ended["revoked"])
        actions = [action for _, action in self.noted()]
        for action in ("add", "rotate", "end"):
            self.assertIn(f"smtp_credential.{action}: app@keyed", actions)

    def test_an_operator_makes_them_for_the_account_that_is_acted_for(self):
        browser, email = operator()
        wanted = {"label": "x", "scopes": ["read"]}
        self.assertEqual(browser.ask("GET", "/keys").status, 409)
        self.assertEqual(browser.ask("POST", "/keys", wanted).status, 409)
        browser.ask("PUT", "/acting-for", {"account": "keyed"})
        self.assertEqual(browser.ask("POST", "/keys", wanted).status, 201)
        self.assertTrue(any(email in actor and action.startswith("api_key.add")
                            for actor, action in self.noted()))


class Operators(unittest.TestCase):
    """What the admin socket tells, told to operators who have signed in."""

    @classmethod
    def setUpClass(cls):
        cls.browser, cls.email = operator()

    def told(self, path):
        answer = self.browser.ask("GET", f"/operations/{path}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_they_see_what_the_commands_tell(self):
        status = self.told("status")
        self.assertTrue(status["running"])
        self.assertEqual(status["version"],
                         json.loads(world.stack.command("--json", "status"))["version"])
        self.assertEqual({each["class"] for each in status["queues"]}, {"transactional", "bulk"})
        nodes = self.told("nodes")["nodes"]
        self.assertEqual([node["state"] for node in nodes], ["alive"])
        # The store says of nobody that he leads where one process works on it alone.
        command = json.loads(world.stack.command("--json", "nodes"))["nodes"]
        for name in ("node", "roles", "leads"):
            self.assertEqual([node[name] for node in nodes], [node[name] for node in command])
        sources = {each["name"] for each in self.told("sources")["sources"]}
        self.assertEqual(sources, {each["name"] for each in json.loads(
            world.stack.command("--json", "sources"))["sources"]})
        self.assertEqual(self.told("stuck"), {"mails": [], "more": False})
        self.assertEqual(self.browser.ask("GET", "/operations/stuck?limit=0").status, 400)
        self.assertEqual(self.browser.ask("GET", "/operations/lanes?limit=100000").status, 400)

    def test_lanes_tell_where_mail_went(self):
        owner, _ = person("owner")
        owner.api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": f"lane@{SLOW}", "subject": "s",
            "text_part": "t"})
        lane = eventually(lambda: self.told("lanes?all=true")["lanes"], "a lane", 60)[0]
        for name in ("site", "source", "waiting", "reason", "connections_max"):
            self.assertIn(name, lane)
        self.assertEqual(self.told("lanes?site=nowhere.example")["lanes"], [])

    def test_what_was_held_is_released_and_in_the_audit(self):
        world.stack.command("account", "add", "holding", "--no-key")
        world.stack.command("smtp-credential", "add", "holding", "held-one")
        world.stack.command("smtp-credential", "hold", "holding", "held-one", "--because", "strange")
        held = self.told("status")["held_credentials"]
        self.assertIn(("holding", "held-one", "strange"),
                      [(each["account"], each["name"], each["held_because"]) for each in held])
        path = "/operations/held/holding/held-one/release"
        self.assertEqual(self.browser.ask("POST", path, {}).status, 204)
        self.assertNotIn("held-one", [each["name"] for each in self.told("status")["held_credentials"]])
        nowhere = self.browser.ask("POST", "/operations/held/holding/nobody/release", {})
        self.assertEqual(nowhere.status, 404)
        self.assertEqual(self.browser.ask("POST", "/operations/stuck/holding/1/release", {}).status, 404)
        actions = [(line["actor"], line["action"])
                   for line in self.browser.ask("GET", "/audit?limit=1000").json["audit"]]
        self.assertTrue(any(self.email in actor and action == "smtp_credential.release: held-one"
                            for actor, action in actions))

    def test_an_account_is_added_suspended_and_resumed(self):
        added = self.browser.ask("POST", "/accounts", {"name": "fresh"})
        self.assertEqual(added.status, 201, added)
        self.assertNotIn("key", added.json)
        self.assertEqual(self.browser.ask("POST", "/accounts", {"name": "fresh"}).status, 409)
        self.assertEqual(self.browser.ask("POST", "/accounts", {"name": "a b"}).status, 400)
        owner, _ = person("owner", "fresh")
        self.assertEqual(owner.api("GET", "/usages/latest").status, 200)
        for suspended in (True, False):
            changed = self.browser.ask("PATCH", "/accounts/fresh", {"suspended": suspended})
            self.assertEqual(changed.status, 200, changed)
            self.assertEqual(changed.json["suspended"], suspended)
            self.assertEqual(owner.api("GET", "/usages/latest").status, 200, "it can be read")
            made = owner.ask("POST", "/keys", {"label": "x", "scopes": ["read"]})
            self.assertEqual(made.status, 423 if suspended else 201)
        actions = [line["action"] for line in self.browser.ask("GET", "/audit?limit=1000").json["audit"]]
        for action in ("account.add", "account.suspend", "account.resume"):
            self.assertIn(action, actions)


def acting_as(browser):
    told = browser.session()
    return {"X-Todoku-As": f"{told['person']['id']}/{told['account'] or ''}"}


class Approvals(unittest.TestCase):
    """Bulk of an account that wants a second person's word."""

    @classmethod
    def setUpClass(cls):
        for name in ("careful", "alone"):
            world.stack.command("account", "add", name, "--no-key")
        world.stack.vouch("careful")
        cls.owner, cls.owner_email = person("owner", "careful")
        cls.sender, cls.sender_email = person("sender", "careful")
        cls.third, _ = person("sender", "careful")
        cls.viewer, _ = person("viewer", "careful")
        put = cls.owner.ask("PUT", "/rules", {"second_factor": False, "networks": [],
                                              "approval": True})
        if put.status != 200 or not put.json["approval"]:
            raise AssertionError(repr(put))

    def draft(self, who, subject="Autumn", to="someone@one.example"):
        made = who.api("POST", "/deliveries/bulk/begin", {
            "from": {"email": "news@sender.example"}, "subject": subject, "text_part": "text"})
        self.assertEqual(made.status, 201, made)
        delivery = made.json["delivery_id"]
        added = who.api("POST", f"/deliveries/{delivery}/emails", {"email": to})
        self.assertEqual(added.status, 201, added)
        return delivery

    def committed(self, who, **more):
        delivery = self.draft(who, **more)
        done = who.api("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate", {})
        self.assertEqual(done.status, 200, done)
        self.assertIn("waits_for_approval", done.headers["x-todoku-warning"])
        return delivery

    def approval(self, who, delivery):
        told = who.api("GET", f"/deliveries/{delivery}/approval")
        self.assertEqual(told.status, 200, told)
        return told.json

    def decide(self, who, delivery, verb="approve", **more):
        body = {"revision": self.approval(self.viewer, delivery)["revision"], **more}
        return who.api("POST", f"/deliveries/{delivery}/approval/{verb}", body)

    def status(self, delivery):
        return self.viewer.api("GET", f"/deliveries/{delivery}").json["status"]

    def test_it_goes_when_somebody_else_has_approved_it(self):
        delivery = self.committed(self.sender)
        seen = self.approval(self.owner, delivery)
        self.assertEqual(seen["state"], "waiting")
        self.assertEqual(seen["asked_by"], {"kind": "person", "name": self.sender_email})
        self.assertTrue(seen["may_approve"])
        self.assertEqual(self.approval(self.sender, delivery)["why_not"], "own")
        self.assertEqual(self.approval(self.viewer, delivery)["why_not"], "no_right")
        listed = self.owner.api("GET", "/deliveries/approvals").json
        self.assertIn(delivery, [each["delivery_id"] for each in listed["approvals"]])
        for who in (self.sender, self.viewer):
            self.assertEqual(self.decide(who, delivery).status, 403)
        # Numbers are of an account: this one has nothing of its own.
        stranger, _ = person("owner", "alone")
        for method, path, body in (("GET", "", None), ("POST", "/approve", {"revision": 1}),
                                   ("POST", "/send_back", {"revision": 1, "reason": "x"})):
            theirs = stranger.api(method, f"/deliveries/{delivery}/approval{path}", body)
            self.assertEqual(theirs.status, 404, theirs)
        self.assertEqual(stranger.api("GET", "/deliveries/approvals").json["approvals"], [])
        self.assertEqual(self.status(delivery), "WAIT")
        done = self.decide(self.owner, delivery)
        self.assertEqual(done.status, 200, done)
        self.assertEqual(done.json["state"], "approved")
        self.assertEqual(done.json["decided_by"], {"kind": "person", "name": self.owner_email})
        eventually(lambda: self.status(delivery) == "SENT", "the bulk to be sent")
        lines = self.owner.ask("GET", "/audit?limit=50").json["audit"]
        self.assertIn(("deliveries.approve", delivery),
                      [(line["action"], line.get("delivery_id")) for line in lines])
        again = self.owner.api("POST", f"/deliveries/{delivery}/approval/approve", {"revision": 1})
        self.assertEqual(again.status, 409, again)

    def test_sent_back_it_is_a_draft_with_a_reason(self):
        delivery = self.committed(self.sender)
        for bad in ({}, {"reason": ""}, {"reason": "x" * 501}):
            self.assertEqual(self.decide(self.owner, delivery, "send_back", **bad).status, 400)
        for revision in (None, "x", 0):
            wrong = self.owner.api("POST", f"/deliveries/{delivery}/approval/approve",
                                   {} if revision is None else {"revision": revision})
            self.assertEqual(wrong.status, 400, wrong)
            self.assertIn("revision", wrong.body.decode())
        done = self.decide(self.owner, delivery, "send_back", reason="件名が違います")
        self.assertEqual(done.status, 200, done)
        self.assertEqual(self.status(delivery), "EDIT")
        self.assertEqual(self.approval(self.sender, delivery)["reason"], "件名が違います")

    def test_a_change_asks_anew(self):
        delivery = self.draft(self.sender)
        at = time.strftime("%Y-%m-%dT%H:%M:%S+09:00", time.gmtime(time.time() + 9 * 3600 + 3600))
        done = self.sender.api("PATCH", f"/deliveries/bulk/commit/{delivery}",
                               {"reservation_time": at})
        self.assertEqual(done.status, 200, done)
        self.assertEqual(self.decide(self.owner, delivery).status, 200)
        later = time.strftime("%Y-%m-%dT%H:%M:%S+09:00",
                              time.gmtime(time.time() + 9 * 3600 + 7200))
        moved = self.owner.api("PATCH", f"/deliveries/{delivery}/send_at", {"send_at": later})
        self.assertEqual(moved.status, 200, moved)
        self.assertIn("waits_for_approval", moved.headers.get("x-todoku-warning", ""))
        seen = self.approval(self.owner, delivery)
        self.assertEqual((seen["state"], seen["revision"], seen["why_not"]), ("waiting", 2, "own"))
        self.assertEqual(seen["asked_by"]["name"], self.sender_email)
        for who in (self.sender, self.owner):  # who committed it, and who changed it
            self.assertEqual(self.decide(who, delivery).status, 403)
        stale = self.third.api("POST", f"/deliveries/{delivery}/approval/approve", {"revision": 1})
        self.assertEqual(stale.status, 409, stale)
        paced = self.owner.api("PUT", f"/deliveries/{delivery}/pace", {"mails": 5, "per": "minute"})
        self.assertEqual(paced.status, 200, paced)
        self.assertIn("waits_for_approval", paced.headers.get("x-todoku-warning", ""))
        self.assertEqual(self.approval(self.sender, delivery)["revision"], 3)
        self.assertEqual(self.decide(self.third, delivery).status, 200)
        self.assertEqual(self.status(delivery), "RESERVE")

    def test_who_asked_takes_it_back(self):
        delivery = self.committed(self.sender)
        taken = self.sender.api("PATCH", f"/deliveries/{delivery}/cancel")
        self.assertEqual(taken.status, 200, taken)
        self.assertEqual(self.status(delivery), "EDIT")
        self.assertEqual(self.approval(self.owner, delivery)["state"], "void")
        self.assertEqual(self.decide(self.owner, delivery).status, 409)

    def test_a_key_asks_and_decides_nothing(self):
        made = self.owner.ask("POST", "/keys", {"label": "app", "scopes": ["send", "read"]}).json
        api = Browser(f"http://127.0.0.1:{world.stack.api_port}")

        def use(key):
            api.headers = lambda method: {"Host": f"127.0.0.1:{world.stack.api_port}",
                                          "Authorization": f"Bearer {key['bearer_token']}"}

        use(made)
        delivery = self.committed(api)
        seen = self.approval(self.owner, delivery)
        self.assertEqual(seen["asked_by"], {"kind": "key", "name": str(made["id"])})
        self.assertEqual(seen["why_not"], "own_key")
        self.assertEqual(self.decide(self.owner, delivery).status, 403)
        refused = self.decide(api, delivery)
        self.assertEqual(refused.status, 403, refused)
        self.assertEqual(self.approval(api, delivery)["why_not"], "not_signed_in")
        # The command line does not stand there for days.
        shown = subprocess.run(
            [world.stack.binary, "bulk", "show", str(delivery), "--follow"], text=True, timeout=120,
            capture_output=True, cwd=world.stack.directory,
            env={**os.environ, "TODOKU_URL": f"http://127.0.0.1:{world.stack.api_port}",
                 "TODOKU_ACCOUNT": "careful", "TODOKU_API_KEY": made["api_key"]})
        self.assertEqual(shown.returncode, 0, shown)
        self.assertRegex(shown.stdout, r"approval +waiting")
        self.assertIn("until somebody else approves it", shown.stderr)
        self.assertEqual(self.decide(self.sender, delivery).status, 200)
        # Of a key that a command made nobody knows whose it is: an owner may.
        use(json.loads(world.stack.command("--json", "key", "add", "careful")))
        delivery = self.committed(api)
        self.assertEqual(self.approval(self.sender, delivery)["why_not"], "unknown_maker")
        self.assertEqual(self.decide(self.sender, delivery).status, 403)
        self.assertEqual(self.decide(self.owner, delivery).status, 200)

    def test_a_list_that_is_to_go_at_once_waits(self):
        delivery = self.sender.api("POST", "/deliveries/bulk/begin", {
            "from": {"email": "news@sender.example"}, "subject": "List", "text_part": "t"}
        ).json["delivery_id"]
        rows = b'{"email": "list@one.example"}\n'
        job = self.sender.raw("POST", f"/api/v1/deliveries/{delivery}/emails/stream?immediate=true",
                              rows, {"Content-Type": "application/x-ndjson"})
        self.assertEqual(job.status, 201, job)
        eventually(lambda: self.status(delivery) == "WAIT", "the list to be imported")
        seen = self.approval(self.owner, delivery)
        self.assertEqual((seen["state"], seen["recipients"]), ("waiting", 1))
        self.assertEqual(seen["asked_by"]["name"], self.sender_email)
        story = world.stack.command("explain", "list@one.example")
        self.assertIn("until somebody else approves it", story)
        self.assertEqual(self.decide(self.owner, delivery).status, 200)

    def test_what_nobody_approves_in_time_fails(self):
        delivery = self.draft(self.sender, to="lapsed@one.example")
        soon = time.strftime("%Y-%m-%dT%H:%M:%S+09:00", time.gmtime(time.time() + 9 * 3600 + 3))
        done = self.sender.api("PATCH", f"/deliveries/bulk/commit/{delivery}",
                               {"reservation_time": soon})
        self.assertEqual(done.status, 200, done)
        eventually(lambda: self.status(delivery) == "FAILED", "the approval to lapse")
        seen = self.approval(self.owner, delivery)
        self.assertEqual((seen["state"], seen["may_approve"]), ("lapsed", False))
        self.assertIn("nobody approved it by", world.stack.command("explain", "lapsed@one.example"))

    def test_operators_alone_take_it_off(self):
        off = {"second_factor": False, "networks": [], "approval": False}
        other, _ = person("owner", "shop")
        self.assertEqual(other.ask("PUT", "/rules", {**off, "approval": True}).status, 200)
        refused = other.ask("PUT", "/rules", off)
        self.assertEqual(refused.status, 403, refused)
        self.assertTrue(other.ask("GET", "/rules").json["approval"])
        above, _ = operator("shop")
        self.assertEqual(above.ask("PUT", "/rules", off).status, 200)
        self.assertFalse(other.ask("GET", "/rules").json["approval"])


class StaleTabs(unittest.TestCase):
    """What a page sends is for whom it was made, whoever has the browser's cookie by now."""

    def assert_stale(self, browser, stale):
        for method, path, body in (("GET", "/api/v1/usages/latest", None),
                                   ("POST", "/api/v1/suppressions",
                                    {"email": "stale@b.example"}),
                                   ("PATCH", "/console/v1/me", {"name": "Stale"}),
                                   ("GET", "/console/v1/sign-ins", None)):
            answer = browser.raw(method, path, body, stale)
            self.assertEqual(answer.status, 409, f"{method} {path}: {answer}")
            self.assertIn("nothing was done", answer.message)
        listed = browser.api("GET", "/suppressions?email=stale%40b.example").json["data"]
        self.assertEqual(listed, [])

    def test_another_person_has_signed_in(self):
        first, _ = person("owner")
        stale = acting_as(first)
        self.assertEqual(first.api("GET", "/usages/latest", None, stale).status, 200)
        self.assertEqual(first.raw("GET", "/console/v1/sign-ins", None, stale).status, 200)
        second, _ = person("owner")
        self.assert_stale(second, stale)

    def test_an_operator_acts_for_another_account(self):
        world.stack.command("account", "add", "magazine", "--no-key")
        browser, _ = operator("magazine")
        stale = acting_as(browser)
        self.assertEqual(browser.ask("PUT", "/acting-for", {"account": "shop"}).status, 200)
        self.assert_stale(browser, stale)
        now = acting_as(browser)
        self.assertEqual(browser.api("GET", "/usages/latest", None, now).status, 200)


class Streams(unittest.TestCase):
    def test_a_stream_ends_with_the_sign_in(self):
        browser, email = person("viewer")
        connection, answer = browser.stream("/events")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "text/event-stream")
        self.assertTrue(answer.read1())
        ended = threading.Event()

        def read():
            while answer.read1():
                pass
            ended.set()
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        other = Browser(world.url)
        other.sign_in(email, PASSWORD)
        self.assertEqual(other.ask("DELETE", "/sign-ins").json, {"ended": 1})
        self.assertTrue(ended.wait(20 * patience.BUSY), "the stream goes on")
        connection.close()
        # Another one's goes on.
        self.assertTrue(other.session()["signed_in"])

    def test_events_come(self):
        browser, _ = person("owner")
        connection, answer = browser.stream("/events")
        self.assertTrue(answer.read1())
        browser.api("POST", "/deliveries/transaction", {
            "from": {"email": "a@sender.example"}, "to": "told@one.example", "subject": "s",
            "text_part": "t"})
        seen = b""
        until = patience.until(30)
        while b"told@one.example" not in seen and time.monotonic() < until:
            seen += answer.read1()
        self.assertIn(b"told@one.example", seen)
        connection.close()
        self.assertEqual(browser.ask("GET", "/session").status, 200)
        self.assertEqual(browser.api("POST", "/events/ticket", {}).status, 400)


class Links(unittest.TestCase):
    def test_a_link_is_looked_at_often_and_used_once(self):
        email = address()
        link = link_in(world.stack.command("people", "invite", email, "--account", "shop",
                                           "--role", "viewer"))
        self.assertTrue(link.startswith(f"{world.url}/link#"))
        token = link.split("#")[1]
        for _ in range(3):
            looked = Browser(world.url).ask("POST", "/links/look", {"token": token})
            self.assertEqual(looked.json["purpose"], "invitation")
            self.assertEqual(looked.json["email"], email)
        refused = Browser(world.url).use_link(link, "short")
        self.assertEqual(refused.status, 400)
        used = Browser(world.url).use_link(link, PASSWORD)
        self.assertEqual(used.status, 200, used)
        self.assertTrue(used.json["signed_in"])
        self.assertEqual(Browser(world.url).use_link(link, OTHER).status, 404)
        self.assertEqual(Browser(world.url).sign_in(email, PASSWORD).status, 200)

    def test_a_reset_ends_sign_ins_and_keeps_the_second_factor(self):
        browser, email = person("viewer")
        secret = browser.ask("POST", "/totp", {}).json["secret"]
        browser.ask("POST", "/totp/confirm", {"code": code_of(secret)})
        link = link_in(world.stack.command("people", "reset", email))
        fresh = Browser(world.url)
        used = fresh.use_link(link, OTHER)
        self.assertEqual(used.status, 200, used)
        self.assertTrue(used.json["half"])
        eventually(lambda: not browser.session()["signed_in"], "the end of the sign-in", 5)
        self.assertEqual(Browser(world.url).sign_in(email, PASSWORD).status, 401)

    def test_an_earlier_link_is_void(self):
        _, email = person("viewer")
        first = link_in(world.stack.command("people", "reset", email))
        second = link_in(world.stack.command("people", "reset", email))
        self.assertEqual(Browser(world.url).use_link(first, OTHER).status, 404)
        self.assertEqual(Browser(world.url).use_link(second, OTHER).status, 200)

    def test_who_asks_for_a_reset_learns_nothing_and_the_mail_comes(self):
        email = f"reset{world.people}@one.example"
        world.stack.command("people", "invite", email, "--account", "shop", "--role", "viewer")
        link = link_in(world.stack.command("people", "reset", email))
        self.assertEqual(Browser(world.url).use_link(link, PASSWORD).status, 200)
        known = Browser(world.url).ask("POST", "/resets", {"email": email})
        unknown = Browser(world.url).ask("POST", "/resets", {"email": "nobody@one.example"})
        self.assertEqual((known.status, known.body), (202, unknown.body))
        self.assertEqual(unknown.status, 202)

        def mailed():
            for path in (world.stack.directory / "mails").glob("*.eml"):
                mail = message_from_bytes(path.read_bytes(), policy=policy.default)
                text = mail.get_body(("plain",))
                link = text and re.search(re.escape(world.url) + r"/link#[\w-]+",
                                          text.get_content())
                if link and email in str(mail["to"]):
                    return link[0]
            return None
        link = eventually(mailed, "the mail", 30)
        self.assertEqual(Browser(world.url).use_link(link, OTHER).status, 200)
        self.assertEqual(Browser(world.url).sign_in(email, OTHER).status, 200)

    def test_mail_to_people_is_seen_by_no_tenant(self):
        owner, _ = person("owner")
        wanted = {"email": "invited@one.example", "name": "Invited", "role": "viewer",
                  "language": "ja"}
        invited = owner.ask("POST", "/people", wanted)
        self.assertEqual(invited.status, 201, invited)
        self.assertTrue(invited.json["mailed"])
        eventually(lambda: any("invited@one.example" in str(to) for to, _ in world.stack.arrivals()),
                   "the invitation", 30)
        for path in ("/deliveries/all?size=1000", "/logs/mails/results?size=100", "/events?limit=1000"):
            answer = owner.api("GET", path)
            self.assertEqual(answer.status, 200, answer)
            self.assertNotIn("invited@one.example", answer.body.decode(), path)

    def test_whoever_asks_for_a_reset_voids_no_link_of_another(self):
        email = "unvoided@one.example"
        link = link_in(world.stack.command("people", "invite", email, "--account", "shop",
                                           "--role", "viewer"))
        self.assertEqual(Browser(world.url).ask("POST", "/resets", {"email": email}).status, 202)
        eventually(lambda: any(email in str(to) for to, _ in world.stack.arrivals()), "the mail", 30)
        self.assertEqual(Browser(world.url).use_link(link, PASSWORD).status, 200)

    def test_somebody_suspended_or_removed_is_out(self):
        for words in (("people", "suspend"), ("people", "remove")):
            browser, email = person("viewer")
            world.stack.command(*words, email)
            eventually(lambda: not browser.session()["signed_in"], "the end", 5)  # noqa: B023
            self.assertEqual(Browser(world.url).sign_in(email, PASSWORD).status, 401)


class FirstRun(unittest.TestCase):
    """Before all others: nobody is there."""

    def test_the_first_operator_is_made_by_a_link_of_the_machine(self):
        browser = Browser(world.url)
        self.assertTrue(browser.session()["first_run"])
        for _ in range(2):  # the second voids the first
            link = link_in(world.stack.command("console", "operator"))
        looked = browser.ask("POST", "/links/look", {"token": link.split("#")[1]})
        self.assertEqual(looked.json["purpose"], "first_operator")
        used = browser.use_link(link, PASSWORD, name="First", email="first@people.example",
                                language="en")
        self.assertEqual(used.status, 200, used)
        self.assertEqual(used.json["person"]["role"], "operator")
        self.assertIsNone(used.json["account"])
        self.assertFalse(Browser(world.url).session()["first_run"])
        self.assertIn("first@people.example", world.stack.command("people", "list"))
        self.assertIn("first@people.example", world.stack.command("audit", "list"))


class WithConsole:
    """A stack with a console, whose receivers keep every mail. `managing` provisions."""

    def write_config(self):
        super().write_config()
        path = self.directory / "todoku.toml"
        path.write_text(path.read_text().replace(
            "[api]\n", '[api]\nprovisioning_account = "managing"\n'
            'provisioning_networks = ["127.0.0.0/8"]\n', 1))

    def start_sink(self):
        (self.directory / "mails").mkdir()
        self.sink_config.append(f'store_directory = "{self.directory}/mails"')
        super().start_sink()


@contextlib.contextmanager
def installation(binary, on_postgres):
    with contextlib.ExitStack() as held:
        base, server = Stack, ()
        if on_postgres:
            base, server = OnPostgres, (held.enter_context(PostgresServer()),)
        kind = type("Installed", (WithConsole, base), {})
        config = ["[console]", 'listen = "127.0.0.1:0"', 'mail_account = "console-mail"',
                  'mail_from = "console@sender.example"']
        yield held.enter_context(kind(binary, *server, receivers=RECEIVERS, config=config))


def main():
    words = [word for word in sys.argv[2:] if word != "--postgres"]
    with installation(sys.argv[1], "--postgres" in sys.argv) as stack:
        world.stack = stack
        world.url = json.loads(stack.command("--json", "status"))["console"]
        stack.command("account", "add", "shop", "--no-key")
        stack.command("account", "add", "console-mail", "--no-key")
        stack.command("account", "add", "managing", "--no-key")
        for name in ("shop", "console-mail"):
            stack.vouch(name)
        loader = unittest.defaultTestLoader
        suite = unittest.TestSuite([loader.loadTestsFromTestCase(FirstRun)])
        here = sys.modules[__name__]
        if words:
            suite.addTests(loader.loadTestsFromNames(words, here))
        else:
            for checks in (Origin, SigningIn, SecondFactor, Forged, Rights, Keys, Operators, Approvals,
                           StaleTabs,
                           Streams, Links):
                suite.addTests(loader.loadTestsFromTestCase(checks))
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
        if stack.engine.poll() is not None:
            print(f"the engine ended with {stack.engine.returncode}")
            return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
