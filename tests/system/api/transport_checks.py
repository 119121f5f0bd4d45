# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, cut off or speak no HTTP; oversized and truncated requests."""
import json
import time

import door
from door import CRLF, Checks, Raw, data_part, file_part, form, mail


class Connections(Checks):
    def port(self):
        return self.account.stack.api_port

    def test_a_client_that_leaves_in_the_middle_stores_nothing(self):
        body = json.dumps(mail()).encode()
        whole = door.head(self.account, "POST", "/deliveries/transaction",
                          f"Content-Length: {len(body)}") + body
        with self.nothing_stored():
            for cut in (1, 10, len(whole) // 2, len(whole) - 1):
                with Raw(self.port()) as raw:
                    raw.send(whole[:cut])
                with Raw(self.port()) as raw:  # half-closed: no more comes, but it still listens
                    raw.send(whole[:cut])
                    raw.half_close()
                    self.assertTrue((answer := raw.answer()) is None or answer.status >= 400)

    def test_a_half_closed_client_with_a_whole_request_gets_its_answer(self):
        body = json.dumps(mail()).encode()
        with Raw(self.port()) as raw:
            raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                               f"Content-Length: {len(body)}") + body)
            raw.half_close()
            self.accepted(raw.answer())

    def test_who_may_not_ask_is_told_before_the_body_comes(self):
        with Raw(self.port()) as raw:
            raw.send(b"POST /api/v1/deliveries/transaction HTTP/1.1\r\nHost: localhost\r\n"
                     b"Authorization: Bearer nobody\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 2000000\r\n\r\n{")
            self.refused(raw.answer(), status=401)

    def test_slow_clients_are_served_and_hold_up_nobody(self):
        body = json.dumps(mail()).encode()
        slow = [Raw(self.port()) for _ in range(50)]
        try:
            for raw in slow:
                raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                                   f"Content-Length: {len(body)}") + body[:5])
            began = time.monotonic()
            self.accepted(self.send({}))
            self.assertLess(time.monotonic() - began, 5)
            for octet in range(5, 15):
                slow[0].send(body[octet:octet + 1])
                time.sleep(0.05)
            slow[0].send(body[15:])
            self.accepted(slow[0].answer())
        finally:
            for raw in slow:
                raw.socket.close()

    def test_requests_on_one_connection(self):
        with Raw(self.port()) as raw:
            for _ in range(3):
                raw.send(door.head(self.account, "GET", "/deliveries?size=1"))
                self.ok(raw.answer())
            raw.send(door.head(self.account, "GET", "/nothing"))
            self.container_error(raw.answer(), 404)
            raw.send(door.head(self.account, "GET", "/deliveries", "Connection: close"))
            self.ok(raw.answer())
            self.assertEqual(b"", raw.socket.recv(1))

    def test_what_is_no_http_is_refused(self):
        for octets in (b"\0\0\0\0\r\n\r\n", b"HELO there\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                       b"GET /api/v1/deliveries HTTP/1.1\r\nno colon\r\n\r\n",
                       b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50 + b"\r\n\r\n"):
            with self.subTest(octets[:20]), Raw(self.port()) as raw:
                raw.send(octets)
                answer = raw.answer()
                self.assertTrue(answer is None or 400 <= answer.status < 600, answer)

    def test_framing_that_could_smuggle_a_request_is_refused(self):
        body = json.dumps(mail()).encode()
        length = f"Content-Length: {len(body)}"
        with self.nothing_stored():
            for fields in ((length, "Content-Length: 5"), (length, "Transfer-Encoding: chunked"),
                           ("Content-Length: +5",), ("Content-Length: 5x",),
                           ("Content-Length: -1",),
                           ("Transfer-Encoding: identity, chunked, x",),
                           ("Content-Length: 99999999999999999999999",)):
                with self.subTest(fields), Raw(self.port()) as raw:
                    raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                                       *fields) + body)
                    raw.half_close()
                    answer = raw.answer()
                    self.assertTrue(answer is None or answer.status in (400, 411, 413, 501), answer)

    def test_oversized_heads_are_refused(self):
        for fields in (["X-Long: " + "x" * 20_000], [f"X-{n}: y" for n in range(5_000)]):
            with Raw(self.port()) as raw:
                raw.send(door.head(self.account, "GET", "/deliveries", *fields))
                answer = raw.answer()
                self.assertTrue(answer is None or answer.status in (400, 413, 431), answer)

    def test_an_announced_oversized_body_is_refused_before_it_comes(self):
        with Raw(self.port()) as raw:
            raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                               f"Content-Length: {100 << 20}", "Expect: 100-continue"))
            self.container_error(raw.answer(), 413)
        delivery = self.draft()
        with Raw(self.port()) as raw:
            raw.send(door.head(self.account, "POST", f"/deliveries/{delivery}/emails/import",
                               f"Content-Length: {300 << 20}",
                               "Content-Type: multipart/form-data; boundary=b"))
            self.container_error(raw.answer(), 413)

    def test_an_import_that_is_not_allowed_is_refused_before_its_upload(self):
        with Raw(self.port()) as raw:
            raw.send(door.head(self.account, "POST", "/deliveries/999999/emails/import",
                               f"Content-Length: {200 << 20}",
                               "Content-Type: multipart/form-data; boundary=b"))
            self.refused(raw.answer(), status=404)

    def test_broken_chunks_store_nothing(self):
        body = json.dumps(mail()).encode()
        with self.nothing_stored():
            for chunks in (b"zz\r\n" + body, b"%x\r\n" % len(body) + body + b"XX0\r\n\r\n",
                           b"%x\r\n" % len(body) + body, b"-5\r\nabcde\r\n0\r\n\r\n",
                           b"ffffffffffffffffff\r\n" + body):
                with self.subTest(chunks[:10]), Raw(self.port()) as raw:
                    raw.send(door.head(self.account, "POST", "/deliveries/transaction",
                                       "Transfer-Encoding: chunked") + chunks)
                    raw.half_close()
                    answer = raw.answer()
                    self.assertTrue(answer is None or answer.status in (400, 413), answer)

    def test_the_health_of_the_engine_is_not_hurt(self):
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(200, door.ask(self.port(), "GET", path, None, {}).status)


class Multipart(Checks):
    def test_truncated_and_broken_forms_store_nothing(self):
        whole = form([data_part(mail()), file_part("a.txt", b"x" * 100)])
        at_file = whole.index(b'name="file"')
        broken = {"no end": whole[:-8], "in the file": whole[:-60],
                  "in a header": whole[:at_file + 5],
                  "only the boundary": b"--the-boundary\r\n", "empty": b"",
                  "nothing like it": b"{}",
                  "bare LF": whole.replace(CRLF, b"\n"),
                  "another boundary": form([data_part(mail())], "x"),
                  "base64 part": whole.replace(
                      b"text/plain\r\n", b"text/plain\r\nContent-Transfer-Encoding: base64\r\n"),
                  "header too long": whole.replace(b"text/plain",
                                                   b"text/plain; x=" + b"y" * 20_000),
                  "too many parts": form([data_part(mail())] + [("name=x", None, b"")] * 400)}
        with self.nothing_stored():
            for name, body in broken.items():
                with self.subTest(name):
                    self.refused(self.account.request(
                        "POST", "/deliveries/transaction", body,
                        content_type="multipart/form-data; boundary=the-boundary"))
            for content_type in ("multipart/form-data", "multipart/form-data; boundary=",
                                 "multipart/form-data; boundary=" + "b" * 500):
                with self.subTest(content_type[:50]):
                    self.refused(self.post("/deliveries/transaction", whole,
                                           content_type=content_type))

    def test_file_octets_arrive_as_they_were(self):
        octets = bytes(range(256)) * 64 + b"\r\n--the-boundar\n\r\n-- \r\n\r\n--the-boundaryx"
        self.accepted(self.multipart("POST", "/deliveries/transaction", [
            data_part(mail(to="octets@fast.example")), file_part("x.bin", octets,
                                                                 "application/octet-stream")]))
        attached = list(door.arrived("octets@fast.example").iter_attachments())
        self.assertEqual([octets], [part.get_payload(decode=True) for part in attached])
