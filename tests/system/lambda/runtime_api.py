# SPDX-License-Identifier: Apache-2.0
"""AWS Lambda's runtime API ("Using the Lambda runtime API for custom runtimes") as a function sees
it, on loopback.

    with RuntimeApi() as api:
        kind, answer = api.invoke({"Records": [...]})
"""
import http.server
import json
import queue
import threading
import time
import uuid

PREFIX = "/2018-06-01/runtime/"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        api = self.server.api
        if self.path != f"{PREFIX}invocation/next":
            self.answer(404, b"{}")
            return
        event = api.events.get()
        if event is None:
            api.events.put(None)  # a client asks again when a connection was closed under it
            self.close_connection = True
            return
        request_id, body = event
        until = int((time.time() + api.seconds) * 1000)
        self.answer(200, body, {"Lambda-Runtime-Aws-Request-Id": request_id,
                                "Lambda-Runtime-Deadline-Ms": str(until),
                                "Lambda-Runtime-Trace-Id": "Root=1-0-0"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type")
        self.server.api.told.put((self.path.removeprefix(PREFIX), json.loads(body), error_type))
        self.answer(202, b'{"status":"OK"}')

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # it has ended meanwhile
            self.close_connection = True


class RuntimeApi:
    def __init__(self, seconds=30):
        self.seconds = seconds
        self.events = queue.Queue()
        self.told = queue.Queue()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.api = self
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end()
        self.server.shutdown()
        self.server.server_close()

    def end(self):
        """The function that waits for an event gets none any more."""
        self.events.put(None)

    def invoke(self, event, seconds=20):
        """("response" or "error", what was said) about `event`: JSON, or octets as they are."""
        request_id = str(uuid.uuid4())
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.events.put((request_id, body))
        path, answer, error_type = self.told.get(timeout=seconds)
        where, _, kind = path.rpartition("/")
        assert where == f"invocation/{request_id}", path
        assert (error_type is not None) == (kind == "error"), error_type
        return kind, answer
