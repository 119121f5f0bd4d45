# SPDX-License-Identifier: Apache-2.0
"""What stands before the SQS emulator: it checks every signature by a derivation of its own
(AWS General Reference, "Signature Version 4"), as no emulator does, and makes faults on demand.

    with SqsProxy(emulator_port) as proxy:
        proxy.fail("SendMessageBatch", "throttle", times=3)

Faults of the next calls of an action ("*": of any):
  throttle  refused with ThrottlingException, not done
  expired   refused with ExpiredTokenException, not done
  error     503 without a word of SQS, not done
  lose      done, but the connection is broken off instead of the answer
  partial   every second entry of a batch fails with InternalError and is not done
  again     done; what was received is given once more by the next receive
  turned    done; what was received is given in the opposite order
  late      done; the answer comes half a second late
"""
import collections
import hashlib
import hmac
import http.client
import http.server
import json
import re
import select
import socket
import threading
import time

OFF_MAX = 300  # seconds that a signature may be off
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def verify(method, path, headers, body, secrets, now, region):
    """Raises Refused unless the request on the wire is signed right."""
    found = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if not found:
        raise Refused("MissingAuthenticationToken", "no Authorization")
    key, day, scope_region, service, signed, signature = found.groups()
    if key not in secrets:
        raise Refused("UnrecognizedClientException", "the key is unknown")
    names = signed.split(";")
    date = headers.get("X-Amz-Date", "")
    for name in ("host", "x-amz-date", "x-amz-target", "content-type"):
        if name not in names:
            raise Refused("IncompleteSignature", f"{name} is not signed")
    secret, token = secrets[key]
    if token != headers.get("X-Amz-Security-Token"):
        raise Refused("ExpiredTokenException", "the token is not the key's")
    if token is not None and "x-amz-security-token" not in names:
        raise Refused("IncompleteSignature", "the token is not signed")
    if names != sorted(names) or (scope_region, service) != (region, "sqs"):
        raise Refused("InvalidSignatureException",
                      "Credential should be scoped to a valid region")
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
    canonical = "\n".join([method, path, "", *lines, "", signed,
                           hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", date, f"{day}/{region}/sqs/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    derived = ("AWS4" + secret).encode()
    for part in (day, region, "sqs", "aws4_request"):
        derived = keyed(derived, part)
    if not hmac.compare_digest(keyed(derived, text).hex(), signature):
        raise Refused("InvalidSignatureException", "the signature does not match")
    at = time.strptime(date + " UTC", "%Y%m%dT%H%M%SZ %Z")
    if date[:8] != day or abs(time.mktime(at) - time.timezone - now) > OFF_MAX:
        raise Refused("InvalidSignatureException", "Signature expired: it is too far off")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.server.proxy.now() if timestamp is None else timestamp)

    def do_POST(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/control":
            proxy.control(json.loads(body))
            self.answer(200, b"{}")
            return
        if proxy.down:
            self.close_connection = True
            return
        action = self.headers.get("X-Amz-Target", "").removeprefix("AmazonSQS.")
        with proxy.lock:
            proxy.calls[action] += 1
        try:
            verify("POST", self.path, self.headers, body, proxy.secrets, proxy.now(), proxy.region)
        except Refused as refused:
            proxy.refusals.append(f"{action}: {refused.code}: {refused}")
            self.refuse(refused.code, str(refused))
            return
        try:
            self.serve(proxy, action, body)
        except Refused as refused:
            self.refuse(refused.code, str(refused))

    def serve(self, proxy, action, body):
        fault = proxy.next_fault(action)
        if fault == "throttle":
            raise Refused("ThrottlingException", "Rate exceeded")
        if fault == "expired":
            raise Refused("ExpiredTokenException", "The security token is expired")
        if fault == "error":
            self.answer(503, b"<html>busy</html>")
            return
        failed = []
        if fault == "partial":
            request = json.loads(body)
            failed = request["Entries"][1::2]
            request["Entries"] = request["Entries"][0::2]
            body = json.dumps(request).encode()
        status, content = self.forward(proxy, body)
        if status is None or fault == "lose":
            self.close_connection = True
            return
        if fault == "late":
            time.sleep(0.5)
        answer = json.loads(content or b"{}")
        for entry in failed:
            answer.setdefault("Failed", []).append({"Id": entry["Id"], "Code": "InternalError",
                                                    "SenderFault": False, "Message": "once more"})
        if action == "GetQueueAttributes" and proxy.pretend_fifo:
            answer["Attributes"]["FifoQueue"] = "true"
        if action == "ReceiveMessage" and status == 200:
            with proxy.lock:
                again, proxy.again = proxy.again, []
                if fault == "again":
                    proxy.again = answer.get("Messages", [])
            answer["Messages"] = (answer.get("Messages", []) + again)[:10]
            if fault == "turned":
                answer["Messages"].reverse()
        self.answer(status, json.dumps(answer).encode())

    def forward(self, proxy, body):
        """(status, content); (None, b"") if whoever asked has gone."""
        began = time.monotonic()
        upstream = http.client.HTTPConnection("127.0.0.1", proxy.emulator_port, timeout=30)
        try:
            # Queues' URLs are made of the Host that was asked.
            upstream.putrequest("POST", self.path, skip_host=True)
            for name in ("Host", "Content-Type", "X-Amz-Target", "X-Amz-Date", "Authorization"):
                upstream.putheader(name, self.headers[name])
            upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body)
            while True:
                readable, _, _ = select.select([upstream.sock, self.connection], [], [], 0.2)
                if proxy.down or began < proxy.polls_of_old:
                    return None, b""
                if self.connection in readable:
                    if not self.connection.recv(1, socket.MSG_PEEK):
                        return None, b""
                if upstream.sock in readable:
                    response = upstream.getresponse()
                    return response.status, response.read()
        except OSError:
            return None, b""
        finally:
            upstream.close()

    def refuse(self, code, message):
        self.answer(400, json.dumps({"__type": f"com.amazon.coral.service#{code}",
                                     "message": message}).encode())

    def answer(self, status, content):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
        except OSError:
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class SqsProxy:
    """`secrets`: {key: (secret, token or None)}. `down`: whoever comes is sent away without a word.
    `ahead`: seconds by which the clock of this SQS is ahead. `calls`: {action: times}.
    `refusals`: of signatures, in words."""

    def __init__(self, emulator_port, secrets=None, region="ap-northeast-1"):
        self.emulator_port = emulator_port
        self.secrets = secrets or {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG", None)}
        self.region = region
        self.down = False
        self.ahead = 0
        self.pretend_fifo = False
        self.polls_of_old = 0  # polls that began before this time are broken off
        self.calls = collections.Counter()
        self.refusals = []
        self.again = []
        self.faults = []
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.down = True
        self.server.shutdown()
        self.server.server_close()

    def now(self):
        return time.time() + self.ahead

    def fail(self, action, fault, times=1):
        with self.lock:
            self.faults += [(action, fault)] * times

    def break_polls_off(self):
        """What is under way now brings nothing."""
        self.polls_of_old = time.monotonic()

    def next_fault(self, action):
        with self.lock:
            for index, (of, fault) in enumerate(self.faults):
                if of in (action, "*"):
                    del self.faults[index]
                    return fault
        return None

    def control(self, order):
        """The same for programs: {"fail": [action, fault, times]}, {"ahead": s}, {"down": bool},
        {"delete": name of a queue}."""
        if "fail" in order:
            self.fail(*order["fail"])
        self.ahead = order.get("ahead", self.ahead)
        self.down = order.get("down", self.down)
        if "delete" in order:
            self.ask("DeleteQueue", {"QueueUrl": self.queue_url(order["delete"])})

    def queue_url(self, name):
        return self.ask("GetQueueUrl", {"QueueName": name})["QueueUrl"]

    def ask(self, action, request):
        """A call past all checks and faults; queues are named as the engine names them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.emulator_port, timeout=60)
        connection.putrequest("POST", "/", skip_host=True)
        content = json.dumps(request).encode()
        for name, value in (("Host", f"127.0.0.1:{self.port}"),
                            ("Content-Type", "application/x-amz-json-1.0"),
                            ("X-Amz-Target", f"AmazonSQS.{action}"),
                            ("Content-Length", str(len(content)))):
            connection.putheader(name, value)
        connection.endheaders(content)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"{action}: {answer}")
        return answer
