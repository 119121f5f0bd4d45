# SPDX-License-Identifier: Apache-2.0
"""A smoke mail: through the API as a client sends one, to each of the target's recipients, until the
engine says what became of it. Nothing of it is retried but the asking: a refused request is a fault.
"""
import http.client
import json
import time
import urllib.parse

from verbs.target import TargetError

ASK_SECONDS = 0.2
MEANWHILE_SECONDS = 1
ANSWER_OCTETS_MAX = 1 << 20

class Api:
    """The API at a URL with a path of its own before /api/v1, if any."""

    def __init__(self, url, token):
        self.url = urllib.parse.urlsplit(url)
        self.token = token

    def call(self, method, path, body=None):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else \
            http.client.HTTPConnection
        connection = kind(self.url.hostname, self.url.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en-US",
                   "Content-Type": "application/json"}
        try:
            connection.request(method, f"{self.url.path.rstrip('/')}/api/v1{path}",
                               None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            text = answer.read(ANSWER_OCTETS_MAX).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(f"the API at {self.url.netloc} does not answer: {error}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise TargetError(f"{method} {path} was answered {answer.status}: {text[:300]}")
        return json.loads(text)


def send(api, sender, recipients, say, seconds=60, meanwhile=lambda: None):
    """TargetError if one of them has not got it within this time. `meanwhile` is called each second
    of the wait, and ends it by what it raises."""
    sent = []
    for name, address in recipients:
        delivery = api.call("POST", "/deliveries/transaction", {
            "from": {"email": sender}, "to": address, "subject": "Smoke mail",
            "text_part": "Sent by deploy/bin to see that mail goes out. Nothing is to be done.\n"})
        sent.append((name, address, delivery["delivery_id"]))
    until = time.monotonic() + seconds
    for name, address, delivery in sent:
        await_outcome(api, name, address, delivery, until, meanwhile)
    say("smoke mail: taken by " + ", ".join(f"{name} ({address})" for name, address, _ in sent))


def await_outcome(api, name, address, delivery, until, meanwhile):
    """By the log: a delivery that is over may have failed."""
    looked = time.monotonic()
    while True:
        rows = api.call("GET", f"/logs/mails/results?delivery_id={delivery}")["data"]
        told = rows[0]["status"] if rows else "not tried"
        if told == "SENT":
            return
        if told not in ("not tried", "RETRY") or time.monotonic() > until:
            words = rows[0].get("last_response_message", "") if rows else ""
            raise TargetError(f"the smoke mail to {name} ({address}), delivery {delivery}, is "
                              f"{told}{': ' if words else ''}{words}")
        if time.monotonic() > looked + MEANWHILE_SECONDS:
            looked = time.monotonic()
            meanwhile()
        time.sleep(ASK_SECONDS)
