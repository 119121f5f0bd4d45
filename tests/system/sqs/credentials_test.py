# SPDX-License-Identifier: Apache-2.0
"""Credentials of a container and of an instance, which change while mail goes out.

usage: credentials_test.py TODOKU WORK_FOLDER
"""
import http.server
import json
import sys
import threading
import time

from on_sqs import (RECEIVERS, Installation, SqsProxy, addresses, check, check_all_arrived,
                    queue_config, run, set_environment)

PASS, TICKET = "let-me-in", "ticket"
ROLE = "todoku-mta"


class Giver(http.server.BaseHTTPRequestHandler):
    """Of containers at /container, of instances as IMDSv2."""

    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PUT(self):
        known = (self.path == "/latest/api/token" and
                 self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"))
        self.answer(200 if known else 404, TICKET)

    def do_GET(self):
        roles = "/latest/meta-data/iam/security-credentials/"
        allowed = self.headers.get("X-aws-ec2-metadata-token") == TICKET
        if self.path == "/container":
            allowed = self.headers.get("Authorization") == PASS
        if not allowed:
            self.answer(401)
        elif self.path == roles:
            self.answer(200, f"{ROLE}\n")
        elif self.path in ("/container", roles + ROLE):
            self.server.given += 1
            self.answer(200, json.dumps(self.server.credentials))
        else:
            self.answer(404)


def change(giver, proxy, generation, good_for=3600):
    """From now on others are given, and only they are known."""
    key, secret, token = (f"{word}{generation}" for word in ("ASIAEXAMPLE", "secret/", "token=="))
    giver.credentials = {
        "AccessKeyId": key, "SecretAccessKey": secret, "Token": token,
        "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + good_for))}
    proxy.secrets = {key: (secret, token)}


def goes_on_with_new_ones(binary, emulator, giver, variables, kind):
    with SqsProxy(emulator.port) as proxy:
        change(giver, proxy, f"{kind}1")
        giver.given = 0
        set_environment(**variables)
        # Queues of their own: the emulator still gives to polls whose process has gone.
        config = queue_config(proxy, prefix=f"todoku-{kind}")
        with Installation(binary, RECEIVERS, config) as stack:
            first = addresses(f"{kind}-first", 60)
            stack.settle(stack.bulk(first))
            check(giver.given == 1, f"{kind}: asked {giver.given} times")
            change(giver, proxy, f"{kind}2")
            proxy.fail("*", "expired")
            second = addresses(f"{kind}-second", 60)
            stack.settle(stack.bulk(second))
            stack.settled_log()
            check_all_arrived(stack, first, second)
            check(2 <= giver.given <= 4, f"{kind}: asked {giver.given} times")
            log = (stack.directory / "engine.log").read_text()
            check("secret/" not in log and "token==" not in log, "a secret is in the log")


def renews(binary, emulator):
    giver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Giver)
    threading.Thread(target=giver.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{giver.server_address[1]}"
    goes_on_with_new_ones(binary, emulator, giver, {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/container",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": PASS}, "container")
    goes_on_with_new_ones(binary, emulator, giver,
                          {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}, "instance")
    giver.shutdown()
    giver.server_close()


if __name__ == "__main__":
    sys.exit(run(renews, sys.argv[2]))
