# SPDX-License-Identifier: Apache-2.0
"""The metadata of an EC2 instance (IMDSv2), as far as it tells which public addresses are translated
to which private ones ("Use IMDS", Amazon EC2 User Guide)."""
import http.server
import threading

MAC = "02:00:00:00:00:01"
FOLDER = "/latest/meta-data/network/interfaces/macs/"
TOKEN = "a-token"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_PUT(self):
        is_token = self.path == "/latest/api/token"
        asked = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self.answer(TOKEN if is_token and asked else None)

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            self.answer(None, 401)
        else:
            self.answer(self.server.content(self.path))

    def answer(self, body, status=404):
        octets = (body or "").encode()
        self.send_response(status if body is None else 200)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


class Imds(http.server.ThreadingHTTPServer):
    """`public`: by public address the private one; may be changed at any time."""

    daemon_threads = True

    def __init__(self, public):
        super().__init__(("127.0.0.1", 0), Handler)
        self.public = public
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        self.thread.join()

    def content(self, path):
        associations = f"{FOLDER}{MAC}/ipv4-associations/"
        if path == FOLDER:
            return f"{MAC}/"
        if path == associations:
            return "\n".join(self.public) or None
        if path.startswith(associations):
            return self.public.get(path.removeprefix(associations))
        return None
