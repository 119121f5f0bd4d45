# SPDX-License-Identifier: Apache-2.0
"""Requests that are large where nothing needs to be: answers stay small, and others are served."""
import json
import threading
import time

import door
from door import Checks, data_part, draft, file_part, mail

ANSWER_MAX = 20_000


def padded(fields, name, element, octets=2_300_000):
    """JSON of `fields` with a list `name` of as many `element`s as fill so many octets."""
    whole = json.dumps(fields, ensure_ascii=False)
    assert whole.endswith("}")
    count = octets // (len(element) + 1)
    return f'{whole[:-1]},"{name}":[{",".join([element] * count)}]}}'.encode()


class Sizes(Checks):
    def small(self, answer):
        self.assertLess(len(answer.body), ANSWER_MAX)
        return answer

    def test_lists_are_judged_by_their_size(self):
        code = '{"key":"__a__","value":"v"}'
        with self.nothing_stored():
            for name in ("cc", "bcc"):
                for element in ("1", '"a@fast.example"', "[[[1,2],3]]", '{"a":[{"b":1}]}'):
                    with self.subTest(f"{name} of {element}"):
                        began = time.monotonic()
                        answer = self.small(self.post("/deliveries/transaction",
                                                      padded(mail(), name, element)))
                        self.refused(answer, name, text="must not have more than 10 entries.")
                        self.assertLess(time.monotonic() - began, 5)
            for element in ("1", code):
                answer = self.small(self.post("/deliveries/transaction",
                                              padded(mail(), "insert_code", element)))
                self.refused(answer, "insert_code", text="must not have more than 50 entries.")
            answer = self.small(self.post("/deliveries/transaction", padded(mail(to=...), "to", "1")))
            self.refused(answer, "to")
        delivery = self.draft()
        for element in ("1", '{"email":"a@fast.example"}', f'{{"insert_code":[{code}]}}'):
            answer = self.small(self.put(f"/deliveries/bulk/update/{delivery}",
                                         padded({"subject": "s"}, "to", element)))
            self.refused(answer, "to", text="must not have more than 50 entries.")

    def test_a_hundred_problems_are_told_and_the_number_of_others(self):
        delivery = self.draft()
        codes = [{"key": f"bad{number}", "value": "v"} for number in range(50)]
        update = {"to": [{"email": "a@fast.example", "insert_code": codes}] * 50}
        for language, text in (("en", "and 2,400 more."), ("ja", "ほかに2,400件の問題があります。")):
            answer = self.small(self.put(f"/deliveries/bulk/update/{delivery}", update,
                                         headers={"Accept-Language": language}))
            self.assertEqual(400, answer.status)
            self.assertEqual([text], answer.json["error_messages"]["main"])
            self.assertEqual(["0", "1"], sorted(answer.json["error_messages"]["to"]))

    def test_long_values_are_not_repeated_whole(self):
        long = "x" * 1_000_000
        with self.nothing_stored():
            for fields, path in (({"encode": long}, ("encode",)),
                                 ({"insert_code": [{"key": long, "value": ""}]},
                                  ("insert_code", "0", "key")),
                                 ({"list_unsubscribe": {"url": long}},
                                  ("list_unsubscribe", "url"))):
                self.refused(self.small(self.send(fields)), *path)
            body = json.dumps(mail())[:-1] + f',"{long}":1,"{long}":2}}'
            self.refused(self.small(self.post("/deliveries/transaction", body.encode())))

    def test_attachments_beyond_the_limit_are_refused_by_their_number(self):
        parts = [data_part(mail()), *[file_part(f"{n}.txt", b"") for n in range(200)]]
        with self.nothing_stored():
            answer = self.small(self.multipart("POST", "/deliveries/transaction", parts))
            self.refused(answer, "file", text="must not have more than 100 entries.")

    def test_objects_and_depths_have_limits(self):
        with self.nothing_stored():
            many = json.dumps({**draft(), **{f"m{n}": n for n in range(100_000)}}).encode()
            self.refused(self.small(self.post("/deliveries/bulk/begin", many)))
            deep = json.dumps(draft())[:-1] + ',"x":' + "[" * 500_000 + "]" * 500_000 + "}"
            self.refused(self.small(self.post("/deliveries/bulk/begin", deep.encode())))

    def test_others_are_served_meanwhile(self):
        body = padded(mail(), "x", '{"a":[1,2,3],"b":"text"}')
        stop = threading.Event()

        def burden():
            while not stop.is_set():
                self.post("/deliveries/bulk/begin", body)

        threads = [threading.Thread(target=burden) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            waits = []
            for _ in range(50):
                began = time.monotonic()
                self.ok(self.get("/deliveries?size=1"))
                waits.append(time.monotonic() - began)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        # Ample: the machine may be busy with other things, and these threads are, too.
        self.assertLess(sorted(waits)[len(waits) // 2], 0.5)
