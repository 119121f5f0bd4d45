# SPDX-License-Identifier: Apache-2.0
"""GetObject of Amazon S3 on loopback. It checks every signature by a derivation of its own
("Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk").

    with S3Stub() as s3:
        s3.objects[("lists", "mails/12/a.csv")] = (b"email\\n", {"todoku-delivery": "12"})
"""
import hashlib
import hmac
import http.server
import re
import threading
import time
import urllib.parse

REGION = "ap-northeast-1"
KEY, SECRET, TOKEN = "ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPx", "FwoGZXIvYXdzEXAMPLE//token=="
OFF_MAX = 900
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def uri_encode(text, keep=""):
    return urllib.parse.quote(text, safe=f"-._~{keep}")


def refusal(method, target, headers, secret, now):
    """Why S3 would not have the request; None: it is signed right."""
    found = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if not found:
        return "AccessDenied"
    key, day, region, signed, signature = found.groups()
    if key != KEY:
        return "InvalidAccessKeyId"
    names = signed.split(";")
    date = headers.get("X-Amz-Date", "")
    digest = headers.get("X-Amz-Content-Sha256", "")
    if headers.get("X-Amz-Security-Token") != TOKEN:
        return "InvalidToken"
    for name in ("host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"):
        if name not in names:
            return f"AccessDenied: {name} is not signed"
    if region != REGION or names != sorted(names):
        return "AuthorizationHeaderMalformed"
    if digest != hashlib.sha256(b"").hexdigest():
        return "XAmzContentSHA256Mismatch"
    path, _, query = target.partition("?")
    # As S3 sees it: decoded once, encoded once in its own way, parameters in order.
    path = uri_encode(urllib.parse.unquote(path, errors="strict"), keep="/")
    pairs = sorted((uri_encode(name), uri_encode(value)) for name, value in
                   urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([
        method, path, "&".join(f"{name}={value}" for name, value in pairs),
        *[f"{name}:{' '.join(headers[name].split())}" for name in names], "", signed, digest])
    text = "\n".join(["AWS4-HMAC-SHA256", date, f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    derived = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request"):
        derived = keyed(derived, part)
    if not hmac.compare_digest(keyed(derived, text).hex(), signature):
        return "SignatureDoesNotMatch"
    at = time.mktime(time.strptime(date, "%Y%m%dT%H%M%SZ")) - time.timezone
    return None if date[:8] == day and abs(at - now) <= OFF_MAX else "RequestTimeTooSkewed"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        stub = self.server.stub
        stub.asked.append(self.path)
        why = refusal("GET", self.path, self.headers, stub.secret, time.time())
        if why:
            stub.refusals.append(why)
            self.answer(403, f"<Error><Code>{why}</Code></Error>".encode(), {})
            return
        if stub.status != 200:
            self.answer(stub.status, b"<Error/>", {})
            return
        _, bucket, key = urllib.parse.unquote(self.path.partition("?")[0]).split("/", 2)
        if (bucket, key) not in stub.objects:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {})
            return
        content, metadata = stub.objects[(bucket, key)]
        self.answer(200, content, metadata)

    def answer(self, status, body, metadata):
        self.send_response(status)
        for name, value in metadata.items():
            self.send_header(f"x-amz-meta-{name}", value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class S3Stub:
    def __init__(self):
        self.objects = {}
        self.secret = SECRET
        self.status = 200
        self.asked = []
        self.refusals = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.stub = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
