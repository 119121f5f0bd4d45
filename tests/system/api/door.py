# SPDX-License-Identifier: Apache-2.0
"""The public door as a test sees it: requests octet by octet, answers whole, mails as they arrived.

`world` is the one installation that all checks share; each class of checks has its own account.
"""
import email
import email.policy
import http.client
import json
import pathlib
import re
import socket
import time
import unittest

import patience

FROM = {"email": "shop@sender.example", "name": "お店"}
JSON = "application/json"
CRLF = b"\r\n"


class World:
    stack = None
    stack_like = None  # makes another on the same kind of store: see api_test.py
    accounts = 0


world = World()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body.decode())

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Account:
    """A tenant and how it calls. `token` may be changed to try others."""

    def __init__(self, stack, name):
        self.stack = stack
        self.name = name
        self.login_id, self.api_key, self.token = issued(stack.command("account", "add", name))
        stack.vouch(name)

    def request(self, method, path, body=None, headers=None, content_type=JSON, token=None):
        """`body`: octets, or anything else to be sent as JSON. A header of None is left out."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        sent = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None and content_type is not None:
            sent["Content-Type"] = content_type
        for name, value in (headers or {}).items():
            if value is None:
                sent.pop(name, None)
            else:
                sent[name] = value
        return ask(self.stack.api_port, method, f"/api/v1{path}", body, sent)

    def send(self, fields, **how):
        return self.request("POST", "/deliveries/transaction", mail(**fields), **how)

    def multipart(self, method, path, parts, boundary="the-boundary", content_type=None, **how):
        return self.request(method, path, form(parts, boundary),
                            content_type=content_type or
                            f"multipart/form-data; boundary={boundary}", **how)

    def import_csv(self, delivery, csv, options=None, part_type="text/csv", headers=None):
        """The answer to the upload. `options`: octets of the part "data", a dict, or None."""
        parts = []
        if options is not None:
            octets = options if isinstance(options, bytes) else json.dumps(options).encode()
            parts.append(('name="data"', JSON, octets))
        parts.append(('name="file"; filename="a.csv"', part_type, csv))
        return self.multipart("POST", f"/deliveries/{delivery}/emails/import", parts, headers=headers)

    def stream(self, delivery, lines, query="", content_type="application/x-ndjson", headers=None):
        """The answer to a list as the body itself."""
        return self.request("POST", f"/deliveries/{delivery}/emails/stream{query}", lines,
                            headers=headers, content_type=content_type)

    def job(self, job):
        return self.request("GET", f"/deliveries/-/emails/import/{job}")

    def end_of(self, job, seconds=60):
        return eventually(lambda: (lambda a: a.json if a.json["percentage"] == 100 else None)(
            self.job(job)), f"import {job}", seconds)

    def detail(self, delivery):
        return self.request("GET", f"/deliveries/{delivery}").json

    def listed(self):
        """What is stored, as far as the door shows it."""
        return self.request("GET", "/deliveries/all?size=1000").json["data"]


def ask(port, method, target, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def issued(shown):
    """(login id, API key, bearer token) of what the command line printed."""
    fields = dict(re.findall(r"^(login id|API key|bearer token)\s+(\S+)$", shown, re.MULTILINE))
    return fields["login id"], fields["API key"], fields["bearer token"]


def new_account(kind="checks"):
    world.accounts += 1
    return Account(world.stack, f"{kind}-{world.accounts}")


def mail(**fields):
    """A transaction that is right but for what `fields` change; a value of ... leaves it out."""
    out = {"from": FROM, "to": "to@fast.example", "subject": "件名", "text_part": "本文", **fields}
    return {name: value for name, value in out.items() if value is not ...}


def draft(**fields):
    return mail(**{"to": ..., **fields})


def form(parts, boundary="the-boundary"):
    """`parts`: (what follows "form-data; ", type or None, octets)."""
    out = b""
    for disposition, media_type, octets in parts:
        out += f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n".encode()
        if media_type is not None:
            out += f"Content-Type: {media_type}\r\n".encode()
        out += CRLF + octets + CRLF
    return out + f"--{boundary}--\r\n".encode()


def data_part(content, disposition='name="data"', media_type=JSON):
    return disposition, media_type, json.dumps(content, ensure_ascii=False).encode()


def file_part(name="a.txt", octets=b"attached", media_type="text/plain"):
    return f'name="file"; filename="{name}"', media_type, octets


def eventually(condition, what, seconds=20):
    until = patience.until(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def mails_to(address):
    """[(envelope, octets)] of the mails that the receivers kept for an address."""
    found = []
    whole = re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w.-])", re.I)  # not the end of a longer one
    for path in pathlib.Path(world.stack.directory / "mails").glob("*.json"):
        try:
            envelope = json.loads(path.read_text())
        except json.JSONDecodeError:
            continue  # being written
        if any(whole.search(json.dumps(to, ensure_ascii=False)) for to in envelope["rcpt_to"]):
            found.append((envelope, path.with_suffix(".eml").read_bytes()))
    return found


def arrived(address):
    """The one mail for an address, parsed, with its octets as `.octets`."""
    found = eventually(lambda: mails_to(address), f"a mail to {address}")
    octets = found[0][1]
    message = email.message_from_bytes(octets, policy=email.policy.default)
    message.octets = octets
    return message


def header_lines(octets):
    """The names of all header fields, in order, as a strict reader sees them."""
    head = octets.split(b"\r\n\r\n", 1)[0]
    return [line.split(b":", 1)[0].decode() for line in head.split(b"\r\n")
            if line[:1] not in (b" ", b"\t")]


class Raw:
    """A connection on which anything can be said."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self):
        """The next answer, or None if the peer closed without one."""
        response = http.client.HTTPResponse(self.socket)
        try:
            response.begin()
        except (http.client.BadStatusLine, ConnectionResetError):
            return None
        return Answer(response.status, response.getheaders(), response.read())


def head(account, method, path, *fields):
    lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: door.example",
             f"Authorization: Bearer {account.token}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Checks(unittest.TestCase):
    """A class of checks with an account of its own."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.account = new_account(cls.__name__.lower())

    def get(self, path, body=None, **how):
        return self.account.request("GET", path, body, **how)

    def post(self, path, body=None, **how):
        return self.account.request("POST", path, body, **how)

    def put(self, path, body=None, **how):
        return self.account.request("PUT", path, body, **how)

    def patch(self, path, body=None, **how):
        return self.account.request("PATCH", path, body, **how)

    def delete(self, path, body=None, **how):
        return self.account.request("DELETE", path, body, **how)

    def send(self, fields, **how):
        return self.account.send(fields, **how)

    def multipart(self, method, path, parts, **how):
        return self.account.multipart(method, path, parts, **how)

    def detail(self, delivery):
        return self.account.detail(delivery)

    def ok(self, answer, status=200):
        self.assertEqual(status, answer.status, answer)
        self.assertTrue(answer.headers["content-type"].startswith(JSON), answer.headers)
        return answer.json

    def accepted(self, answer):
        """The id of the transaction that was accepted."""
        content = self.ok(answer, 201)
        self.assertEqual(["delivery_id"], list(content))
        return content["delivery_id"]

    def refused(self, answer, *path, status=400, text=None):
        """The messages at `path` of a refusal; every other message would be a failure."""
        self.assertEqual(status, answer.status, answer)
        self.assertTrue(answer.headers["content-type"].startswith(JSON), answer.headers)
        content = answer.json
        self.assertEqual(["error_messages"], list(content), answer)
        found = content["error_messages"]
        for step in path or ("main",):
            self.assertIsInstance(found, dict, answer)
            self.assertEqual([step], list(found), answer)
            found = found[step]
        self.assertIsInstance(found, list, answer)
        self.assertTrue(found and all(isinstance(text, str) and text for text in found), answer)
        if text is not None:
            self.assertIn(text, found)
        return found

    def container_error(self, answer, status):
        self.assertEqual(status, answer.status, answer)
        self.assertTrue(answer.headers["content-type"].startswith(JSON), answer.headers)
        content = answer.json
        self.assertEqual({"status", "error", "message", "path", "error_messages"}, set(content))
        self.assertEqual(status, content["status"])
        self.assertTrue(content["message"])
        # Clients take an answer without them for success.
        self.assertEqual(["main"], list(content["error_messages"]))
        (told,) = content["error_messages"]["main"]
        self.assertTrue(told)
        return told

    def draft(self, recipients=(), **fields):
        """The id of a new draft, which is deleted after the check (unless it is sent)."""
        made = self.ok(self.account.request("POST", "/deliveries/bulk/begin", draft(**fields)), 201)
        self.assertEqual(["delivery_id"], list(made))
        delivery = made["delivery_id"]
        self.addCleanup(self.account.request, "DELETE", f"/deliveries/{delivery}")
        if recipients:
            self.ok(self.account.request("PUT", f"/deliveries/bulk/update/{delivery}",
                                         {"to": [{"email": to} for to in recipients]}))
        return delivery

    def imported(self, csv, options=None, delivery=None, seconds=60):
        """(delivery, end of its import job)."""
        delivery = delivery or self.draft()
        job = self.ok(self.account.import_csv(delivery, csv, options), 201)
        self.assertEqual(["job_id"], list(job))
        return delivery, {"job_id": job["job_id"], **self.account.end_of(job["job_id"], seconds)}

    def nothing_stored(self):
        """A context in which the account's deliveries must not change."""
        return Unchanged(self, self.account)


class Unchanged:
    def __init__(self, checks, account):
        self.checks = checks
        self.account = account

    def seen(self):
        # What is being sent goes on by itself; drafts must not change in anything.
        return [entry if entry["status"] == "EDIT" else entry["delivery_id"]
                for entry in self.account.listed()]

    def __enter__(self):
        self.before = self.seen()

    def __exit__(self, kind, *_):
        if kind is None:
            self.checks.assertEqual(self.before, self.seen())
