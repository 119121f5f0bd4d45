# SPDX-License-Identifier: Apache-2.0
"""The console as a browser's page speaks to it: one cookie, one token, the headers that browsers send."""
import base64
import hashlib
import hmac
import http.client
import json
import re
import struct
import time
import urllib.parse

JSON = "application/json"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.cookies = [value for name, value in headers if name.lower() == "set-cookie"]
        self.body = body

    @property
    def json(self):
        return json.loads(self.body.decode())

    @property
    def message(self):
        return " ".join(self.json["error_messages"]["main"])

    def __repr__(self):
        return f"{self.status} {self.body[:1000]!r}"


class Browser:
    """`url`: the console's, as `todoku status` tells it."""

    def __init__(self, url, agent="Mozilla/5.0 test"):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.origin = url
        self.agent = agent
        self.cookie = None
        self.token = None

    def headers(self, method):
        sent = {"Host": urllib.parse.urlsplit(self.origin).netloc, "User-Agent": self.agent,
                "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method not in ("GET", "HEAD"):
            sent["Origin"] = self.origin
            if self.token:
                sent["X-Todoku-Token"] = self.token
        return sent

    def raw(self, method, path, body=None, changed=None):
        """`changed`: headers instead of those that a browser sends; None leaves one out."""
        sent = self.headers(method)
        if body is not None:
            sent["Content-Type"] = JSON
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, value in (changed or {}).items():
            if value is None:
                sent.pop(name, None)
            else:
                sent[name] = value
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def ask(self, method, path, body=None, changed=None):
        """A route of the console's own. What it sets is kept, as a browser does."""
        answer = self.raw(method, f"/console/v1{path}", body, changed)
        for cookie in answer.cookies:
            pair = cookie.split(";", 1)[0]
            self.cookie = pair if "Max-Age=0" not in cookie else None
        if answer.status == 200 and answer.headers.get("content-type", "").startswith(JSON):
            told = answer.json
            told = told.get("session", told) if isinstance(told, dict) else {}
            self.token = told.get("token", self.token)
        return answer

    def api(self, method, path, body=None, changed=None):
        return self.raw(method, f"/api/v1{path}", body, changed)

    def session(self):
        return self.ask("GET", "/session").json

    def sign_in(self, email, password):
        return self.ask("POST", "/session", {"email": email, "password": password})

    def use_link(self, url, password, **more):
        """By a page that was opened from a link."""
        token = url.split("#", 1)[1]
        return self.ask("POST", "/links/use", {"token": token, "password": password, **more})

    def stream(self, path):
        """(connection, answer) of an open event stream."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        connection.request("GET", f"/api/v1{path}", None,
                           {**self.headers("GET"), "Accept": "text/event-stream"})
        return connection, connection.getresponse()


def link_in(shown):
    """The link that a command has printed."""
    return re.search(r"^\S+://\S+/link#\S+$", shown, re.MULTILINE)[0]


def code_of(secret, at=None):
    """RFC 6238, of a secret in base32."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start:start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
