# SPDX-License-Identifier: Apache-2.0
"""What an account keeps of an address, told and erased by its own key with the scope admin."""
import copy

import door
from door import Checks, arrived, draft, eventually, issued, new_account

ADDRESS = "person@fast.example"


class PersonalData(Checks):
    def admin_of(self, account):
        admin = copy.copy(account)
        admin.token = issued(door.world.stack.command("key", "add", account.name, "--scopes", "admin"))[2]
        return admin

    def kept(self, account, address=ADDRESS):
        """All mails that are told of the address, page by page."""
        mails, after = [], ""
        while True:
            page = self.ok(account.request(
                "GET", f"/personal-data?email={address}" + (f"&after={after}" if after else "")))
            mails += page["mails"]
            after = page.get("next")
            if not after:
                return mails

    def sent(self, account, to):
        delivery = self.ok(account.send({"to": to}), 201)["delivery_id"]
        eventually(lambda: account.detail(delivery)["status"] == "SENT", f"the end of {delivery}")

    def test_it_is_told_and_erased_for_its_own_account_alone(self):
        ours, others = new_account("persons"), new_account("persons")
        self.sent(ours, ADDRESS)
        self.sent(others, ADDRESS)
        arrived(ADDRESS)
        us, them = self.admin_of(ours), self.admin_of(others)
        self.assertEqual([ADDRESS], [mail["address"] for mail in self.kept(us)])
        self.assertEqual([], self.kept(us, "nobody@fast.example"))
        self.assertEqual(403, ours.request("GET", f"/personal-data?email={ADDRESS}").status)
        self.assertEqual(403, ours.request("DELETE", f"/personal-data?email={ADDRESS}").status)
        self.assertEqual(1, len(self.kept(us)), "nothing was erased by it")

        erased = self.ok(us.request("DELETE", f"/personal-data?email={ADDRESS}"))
        self.assertEqual(1, erased["erased"])
        self.assertEqual([], self.kept(us))
        self.assertEqual([ADDRESS], [mail["address"] for mail in self.kept(them)])
        self.assertEqual(0, self.ok(us.request("DELETE", f"/personal-data?email={ADDRESS}"))["erased"],
                         "once more")

    def test_no_message_is_made_up_of_who_was_erased(self):
        account = new_account("persons")
        admin = self.admin_of(account)
        alone, shared = "alone@fast.example", "shared@fast.example"
        self.sent(account, alone)
        delivery = self.ok(account.send({"to": shared, "cc": ["other@fast.example"]}), 201)["delivery_id"]
        eventually(lambda: account.detail(delivery)["status"] == "SENT", f"the end of {delivery}")
        paths = [f"/deliveries/-/emails/{mail['email_id']}/message.eml"
                 for address in (alone, shared, "other@fast.example")
                 for mail in self.kept(admin, address)]
        self.assertEqual([200] * 3, [account.request("GET", path).status for path in paths])
        for address in (alone, shared):
            self.ok(admin.request("DELETE", f"/personal-data?email={address}"))
        self.assertEqual([410] * 3, [account.request("GET", path).status for path in paths])

    def test_insert_codes_are_for_keys_with_content(self):
        account = new_account("persons")
        codes = [{"key": "__name__", "value": "secret"}]
        begun = self.ok(account.request("POST", "/deliveries/bulk/begin", draft(html_part="<p>x</p>")),
                        201)["delivery_id"]
        self.ok(account.request("POST", f"/deliveries/{begun}/emails",
                                {"email": "codes@fast.example", "insert_code": codes}), 201)
        for scopes, withheld in (("admin", "insert_codes"), ("admin,content", None)):
            key = copy.copy(account)
            key.token = issued(door.world.stack.command("key", "add", account.name, "--scopes", scopes))[2]
            told = key.request("GET", "/personal-data?email=codes@fast.example")
            mails = self.ok(told)["mails"]
            self.assertEqual([[] if withheld else codes], [mail["insert_codes"] for mail in mails])
            self.assertEqual(withheld, told.headers.get("x-todoku-withheld"), scopes)
            self.assertEqual(400 if withheld else 200, key.request(
                "GET", "/personal-data?email=codes@fast.example&without_insert_codes=false").status)

    def test_what_is_no_address_is_refused(self):
        us = self.admin_of(new_account("persons"))
        for query in ("", "?email=", "?email=nobody", "?email=a@b@c", "?email=%00@fast.example"):
            for method in ("GET", "DELETE"):
                self.assertEqual(400, us.request(method, "/personal-data" + query).status, query)
