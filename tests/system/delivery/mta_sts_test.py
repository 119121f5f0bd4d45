# SPDX-License-Identifier: Apache-2.0
"""Mail to a domain with an MTA-STS policy goes only as the policy allows, or waits and says why."""
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

from installation import Installation, check, check_equal, run

ENFORCE = "enforce"
BY_POLICY = "required by MTA-STS"
# Domain: the receiver's TLS; the policy's mode and mx, or None for a domain without a record.
DOMAINS = {
    "good.example": ("good", (ENFORCE, "mx.good.example")),
    "wild.example": ("good", (ENFORCE, "*.wild.example")),
    "wrong-mx.example": ("good", (ENFORCE, "mx.elsewhere.example")),
    "expired.example": ("expired", (ENFORCE, "mx.expired.example")),
    "clear.example": ("none", (ENFORCE, "mx.clear.example")),
    "absent.example": ("none", None),
    "testing.example": ("none", ("testing", "mx.elsewhere.example")),
    "unproven.example": ("none", (ENFORCE, "mx.elsewhere.example")),  # its policy host is not
    "excepted.example": ("none", (ENFORCE, "mx.excepted.example")),
    "loose.example": ("none", (ENFORCE, "mx.loose.example")),  # its site is, found by its MX
}
# Its MX were forged: they lead to the excepted site of another.
FORGED = "forged.example"
GO = ["good", "wild", "absent", "testing", "unproven", "excepted", "loose"]
WAIT = {
    "forged": "names none of its mail servers: mx.loose.example",
    "wrong-mx": "names none of its mail servers: mx.wrong-mx.example",
    "expired": "MTA-STS asks for verified TLS",
    "clear": "MTA-STS asks for verified TLS",
}


# Domain: {(policy type, result type): attempts}, as TLS reports have it (RFC 8460).
COUNTED = {
    "good.example": {("sts", "successful"): 1},
    "wrong-mx.example": {("sts", "validation-failure"): 1},
    "expired.example": {("sts", "certificate-expired"): 1},
    "clear.example": {("sts", "starttls-not-supported"): 1},
    "testing.example": {("sts", "starttls-not-supported"): 1},
    "absent.example": {("no-policy-found", "starttls-not-supported"): 1},
    "unproven.example": {("no-policy-found", "starttls-not-supported"): 1,
                         ("sts", "sts-webpki-invalid"): 1},
}


class PolicyHosts:
    """https://mta-sts.<domain>/.well-known/mta-sts.txt for all domains, at one port."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="todoku-policies-"))
        proven = [domain for domain in DOMAINS if domain != "unproven.example"]
        names = ",".join(f"DNS:mta-sts.{domain}" for domain in [*proven, FORGED])
        self.certificate = self.directory / "policies.pem"
        key = self.directory / "policies.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=policies", "-addext", f"subjectAltName={names}", "-keyout", key,
                        "-out", self.certificate], check=True, capture_output=True)
        policies = self.policies = {
            f"mta-sts.{FORGED}": f"version: STSv1\nmode: enforce\nmx: mx.{FORGED}\nmax_age: 86400\n"}
        for domain, (_, policy) in DOMAINS.items():
            if policy:
                policies[f"mta-sts.{domain}"] = (f"version: STSv1\r\nmode: {policy[0]}\r\n"
                                                 f"mx: {policy[1]}\r\nmax_age: 86400\r\n")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                text = policies.get(self.headers["Host"].partition(":")[0])
                found = text is not None and self.path == "/.well-known/mta-sts.txt"
                body = (text if found else "").encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def zone():
    lines = [f"{FORGED}. MX 10 mx.loose.example.", f'_mta-sts.{FORGED}. TXT "v=STSv1; id=1"',
             f"mta-sts.{FORGED}. A 127.0.0.1"]
    for domain, (_, policy) in DOMAINS.items():
        if policy:
            lines += [f'_mta-sts.{domain}. TXT "v=STSv1; id=1"', f"mta-sts.{domain}. A 127.0.0.1"]
    return lines


def installation(binary, hosts):
    receivers = {domain: [f'tls = "{tls}"'] for domain, (tls, _) in DOMAINS.items()}
    config = ["[delivery]", "transactional_retry_seconds = [600]", "[sites.excepted]",
              'domains = ["excepted.example"]', "mta_sts = false", "[sites.loose]",
              'mx_suffixes = ["mx.loose.example"]', "mta_sts = false", "[outbound]",
              f'allow = ["127.0.0.1:{hosts.port}"]', f'ca_file = "{hosts.certificate}"']
    stack = Installation(binary, receivers, config,
                         sink_config=['certificates_file = "authorities.pem"'], zone=zone())
    os.environ["TODOKU_SMTP_OUT__TLS_CA_FILE"] = str(stack.directory / "authorities.pem")
    os.environ["TODOKU_SMTP_OUT__MTA_STS_PORT"] = str(hosts.port)
    return stack


def checked(stack, domain, *options, statuses=(0,)):
    return stack.command("mta-sts", "check", domain, "--resolver", f"127.0.0.1:{stack.dns_port}",
                         *options, statuses=statuses)


def counted(stack, domain):
    report = json.loads(stack.command("--json", "tls-report", "show", "--domain", domain))
    return {(each["policy_type"], each["result_type"]): each["attempts"]
            for each in report["results"]}


def is_gone_by_and_told(binary):
    hosts = PolicyHosts()
    try:
        with installation(binary, hosts) as stack:
            sent = [stack.transaction(f"a@{name}.example") for name in GO]
            waiting = {name: stack.transaction(f"a@{name}.example") for name in WAIT}
            stack.settle(*sent)
            stack.await_arrivals(len(sent))
            for name in ("good", "wild"):
                story = stack.explain(f"a@{name}.example")
                check(BY_POLICY in story and "Attempt 2" not in story, f"{name}:\n{story}")
            for name in ("absent", "testing", "unproven", "excepted", "loose"):
                check("MTA-STS" not in stack.explain(f"a@{name}.example"), name)
            for name, words in WAIT.items():
                story = stack.await_story(f"a@{name}.example", "Attempt 1")
                check(words in story and "deferred" in story and
                      "todoku mta-sts check" in story, f"{name}:\n{story}")
                check("MTA-STS" in stack.explain(f"a@{name}.example", "ja"), "the Japanese story")
                check_equal(stack.counts(waiting[name])[1], 0, f"mails to {name} that went")

            # What became of it is counted, and outlives the process.
            stack.wait_for(lambda: counted(stack, "clear.example"), "the counts", seconds=25)
            for domain, counts in COUNTED.items():
                check_equal(counted(stack, domain), counts, f"counts of {domain}")
            check_equal(stack.metric("todoku_tls_results_total", policy="sts",
                                     result="certificate-expired"), 1.0, "the metric")

            # A policy that was fetched holds although nobody serves it any more.
            hosts.stop()
            stack.terminate()
            stack.start_engine()
            stack.settle(stack.transaction("b@good.example"))
            check(BY_POLICY in stack.explain("b@good.example"), "the policy after a restart")
            held = stack.transaction("b@wrong-mx.example")
            stack.await_story("b@wrong-mx.example", WAIT["wrong-mx"])
            check_equal(stack.counts(held)[1], 0, "mails to wrong-mx after a restart")
            arrived = {entry["rcpt_to"].partition("@")[2] for entry in stack.settled_log()}
            check_equal(arrived, {f"{name}.example" for name in GO}, "domains that got mail")
    finally:
        hosts.close()


def is_shown_by_a_command(binary):
    hosts = PolicyHosts()
    try:
        with installation(binary, hosts) as stack:
            good = json.loads(checked(stack, "good.example", "--json"))
            check_equal((good["verdict"], good["policy"]["mode"], good["hosts"]),
                        ("enforced", ENFORCE, [{"name": "mx.good.example", "named": True}]),
                        "good.example")
            wrong = json.loads(checked(stack, "wrong-mx.example", "--json", statuses=(1,)))
            check_equal(wrong["verdict"], "no_host_named", "wrong-mx.example")
            absent = json.loads(checked(stack, "absent.example", "--json"))
            check_equal((absent["verdict"], absent["record"]), ("none", "absent"), "absent.example")
            unproven = json.loads(checked(stack, "unproven.example", "--json", statuses=(1,)))
            check_equal((unproven["verdict"], unproven["failure"]["result_type"]),
                        ("none", "sts-webpki-invalid"), "unproven.example")
            hosts.policies["mta-sts.good.example"] = "version: STSv1\nmode: strict\nmax_age: 1\n"
            broken = json.loads(checked(stack, "good.example", "--json", statuses=(1,)))
            check_equal(broken["failure"]["result_type"], "sts-policy-invalid", "a broken policy")
            text = checked(stack, "testing.example", "--lang", "ja", statuses=(0, 1))
            check("testing" in text and "mx.testing.example" in text, text)
    finally:
        hosts.close()


if __name__ == "__main__":
    sys.exit(run(is_gone_by_and_told, is_shown_by_a_command))
