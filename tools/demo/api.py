# SPDX-License-Identifier: Apache-2.0
"""The public REST API as a client sees it (docs/api.md), in a few lines."""
import http.client
import json
import secrets


class ApiError(Exception):
    pass


class Api:
    def __init__(self, port, token):
        self.port = port
        self.token = token

    def call(self, method, path, body=None, content_type="application/json"):
        """The answer's JSON. Raises ApiError with the server's words for anything but 2xx."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en-US"}
        if body is not None:
            headers["Content-Type"] = content_type
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/api/v1{path}", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:
            raise ApiError(f"{method} {path}: no answer ({error})") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ApiError(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)

    def call_multipart(self, method, path, data, files):
        """`files`: (file name, content type, octets). `data`: JSON of the part "data", or None."""
        boundary = secrets.token_hex(16)
        body = bytearray()

        def add(disposition, content_type, octets):
            body.extend(f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
                        f"Content-Type: {content_type}\r\n\r\n".encode() + octets + b"\r\n")

        if data is not None:
            add('name="data"', "application/json", json.dumps(data, ensure_ascii=False).encode())
        for file_name, content_type, octets in files:
            add(f'name="file"; filename="{file_name}"', content_type, octets)
        body.extend(f"--{boundary}--\r\n".encode())
        return self.call(method, path, bytes(body), f"multipart/form-data; boundary={boundary}")


def is_ready(port):
    """True once the engine says that it serves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
