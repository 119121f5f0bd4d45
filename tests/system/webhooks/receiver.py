# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks as its owner would write it: an HTTP server on loopback that keeps every
call and answers as a test says. Verifies by docs/webhooks.md, with code of its own.

    with Receiver() as receiver:
        hook = receiver.hook("orders")
        hook.url     # register that
        hook.events  # what came, in order
"""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

TOLERANCE = 300


def verified(key, headers, body):
    """Whether one of the call's signatures is of this key: "whsec_..." or "whpk_..."."""
    kind, _, text = key.partition("_")
    octets = base64.b64decode(text)
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERANCE:
        return False
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    for each in headers["webhook-signature"].split(" "):
        version, _, encoded = each.partition(",")
        signature = base64.b64decode(encoded)
        if (kind, version) == ("whsec", "v1"):
            if hmac.compare_digest(hmac.new(octets, content, hashlib.sha256).digest(), signature):
                return True
        if (kind, version) == ("whpk", "v1a"):
            try:
                Ed25519PublicKey.from_public_bytes(octets).verify(signature, content)
                return True
            except InvalidSignature:
                pass
    return False


def verified_by_twilio(key, headers, body):
    """Whether the call's signature is of this key, as SendGrid's libraries are given it."""
    field = "x-twilio-email-event-webhook-"
    known = load_der_public_key(base64.b64decode(key))
    try:
        known.verify(base64.b64decode(headers[field + "signature"]),
                     headers[field + "timestamp"].encode() + body, ECDSA(SHA256()))
        return True
    except InvalidSignature:
        return False


class Call:
    def __init__(self, headers, body):
        self.headers = headers
        self.body = body
        self.at = time.monotonic()
        self.json = json.loads(body)

    @property
    def id(self):
        return self.headers.get("webhook-id")

    @property
    def kind(self):
        """Of our own forms."""
        return self.json.get("type") if isinstance(self.json, dict) else None

    @property
    def events(self):
        """[(id, event)] that are told in it."""
        if self.kind == "events.batch":
            return [(each["id"], each) for each in self.json["data"]["events"]]
        return [(self.id, self.json)]


class Hook:
    """One URL. `answer`: the status of a call, or a function of it that says one."""

    def __init__(self, receiver, name):
        self.url = f"http://{receiver.address}:{receiver.port}/{name}"
        self.answer = 200
        self.challenges = []
        self.echoes = True  # what the challenge asks for
        self.calls = []     # all but challenges, in the order in which they began
        self.taken = []     # of these, those that were answered with a 2xx
        self.open = self.open_most = 0  # calls that have no answer yet
        self.lock = threading.Lock()

    @property
    def events(self):
        """[(id, event)] of what was taken, in order."""
        with self.lock:
            return [event for call in self.taken for event in call.events]

    def types(self):
        return [event["type"] for _, event in self.events]

    def take(self, call):
        """(status, body) of the answer."""
        if call.kind == "endpoint.challenge":
            self.challenges.append(call)
            asked = call.json["data"]["challenge"]
            return 200, asked.encode() if self.echoes else b"what?"
        with self.lock:
            self.calls.append(call)
            self.open += 1
            self.open_most = max(self.open_most, self.open)
        status = self.answer(call) if callable(self.answer) else self.answer
        with self.lock:
            self.open -= 1
            if 200 <= status < 300:
                self.taken.append(call)
        return status, b'{"seen":true}'


class Receiver:
    def __init__(self, address="127.0.0.1"):
        self.address = address
        hooks = self.hooks = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, said = hooks[self.path.strip("/")].take(Call(headers, body))
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except OSError:
                    pass  # the engine was killed

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a connection that was cut

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_port

    def hook(self, name):
        self.hooks[name] = Hook(self, name)
        return self.hooks[name]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
