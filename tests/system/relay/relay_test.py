# SPDX-License-Identifier: Apache-2.0
"""The SMTP relay through its public door: who is let in, what becomes of a message, what is refused."""
import base64
import hashlib
import hmac
import os
import pathlib
import re
import secrets
import smtplib
import socket
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "delivery"))
from installation import Installation, check, check_equal, run  # noqa: E402
from ports import free_port  # noqa: E402

FROM = "news@sender.example"
MESSAGE = (b"From: =?utf-8?B?44GK55+l44KJ44Gb?= <news@sender.example>\r\n"
           b"To: a@receiver.example\r\n"
           b"Subject: =?utf-8?B?44GU5rOo5paH?=\r\n"
           b"Date: Sun, 29 Nov 2026 09:00:00 +0900\r\n"
           b"Message-ID: <one@sender.example>\r\n"
           b"X-Odd:   kept \t as it is  \r\n"
           b"\r\n"
           b".a line with a dot\r\n"
           b"..two\r\n"
           b"From here on\r\n\r\n\r\n")


class Relay(Installation):
    """With listeners 587-like (starttls), 465-like (implicit), one for devices, one behind a proxy."""

    def __init__(self, binary, extra=(), receivers=None):
        self.starttls, self.implicit, self.device, self.proxied = (free_port() for _ in range(4))
        super().__init__(binary, receivers or {"receiver.example": []}, [
            "[delivery]", "transactional_retry_seconds = [1, 2]",
            "bulk_retry_seconds = [1, 2]", "site_rest_first_seconds = 2", "[smtp_in]", "enabled = true",
            'hostname = "relay.sender.example"', *extra,
            *self.listener(self.starttls), *self.listener(self.implicit, 'tls = "implicit"'),
            *self.listener(self.device, 'tls = "none"', 'auth = "networks"',
                           'networks = ["127.0.0.0/8"]', 'account = "tester"',
                           'from_domain = "sender.example"'),
            *self.listener(self.proxied, "proxy_protocol = true",
                           'proxy_networks = ["127.0.0.1"]')],
            sink_config=["store_directory = \"mails\""])
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    @staticmethod
    def listener(port, *lines):
        return ["[[smtp_in.listener]]", f'address = "127.0.0.1:{port}"', *lines]

    def credential(self, name, *options):
        shown = self.command("smtp-credential", "add", "tester", name, *options)
        return re.search(r"^password\s+(\S+)$", shown, re.MULTILINE).group(1)

    def connect(self, login=None, port=None):
        client = smtplib.SMTP("127.0.0.1", port or self.starttls, timeout=600)
        client.ehlo("client.example")
        client.starttls(context=self.tls)
        client.ehlo("client.example")
        if login:
            client.login(*login)
        return client

    def paths(self):
        # The envelope is written last: where it is, the message is whole.
        return sorted(path.with_suffix(".eml")
                      for path in (self.directory / "mails").rglob("*.json"))

    def mails(self):
        return [path.read_bytes() for path in self.paths()]

    def await_mails(self, count, seconds=30):
        self.wait_for(lambda: len(self.paths()) >= count, f"{count} mails", seconds)
        return self.mails()


def refused(call, code):
    try:
        answer = call()
    except smtplib.SMTPResponseException as error:
        check_equal(error.smtp_code, code, f"the answer ({error.smtp_error})")
        return error.smtp_error
    except smtplib.SMTPRecipientsRefused as error:
        (got, text), = error.recipients.values()
        check_equal(got, code, f"the answer ({text})")
        return text
    raise AssertionError(f"it was taken: {answer}")


def without_ours(mail):
    """What arrived without what the relay and the sink put in front."""
    at = mail.index(b"From: =?utf-8?B?44GK")
    return mail[at:]


def a_message_goes_on_as_it_came(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            code, text = client.mail(FROM, [f"size={len(MESSAGE)}"])
            check_equal(code, 250, "MAIL")
            check_equal(client.rcpt("a@receiver.example")[0], 250, "RCPT")
            code, text = client.data(MESSAGE)
            check_equal(code, 250, "the message")
            delivery = int(re.search(rb"delivery (\d+)", text).group(1))
        stack.settle(delivery)
        detail = stack.detail(delivery)
        check_equal(detail["delivery_type"], "SMTP", "the type")
        check_equal(detail["subject"], "ご注文", "the subject")
        mail, = stack.await_mails(1)
        check_equal(without_ours(mail), MESSAGE, "the message")
        check(b"Received: from client.example\r\n ([127.0.0.1])\r\n by relay.sender.example with "
              b"ESMTPSA" in mail, f"Received: {mail[:500]}")
        entry, = stack.await_arrivals(1)
        check(entry["mail_from"].endswith("@bounce.sender.example"), entry["mail_from"])
        story = stack.explain("a@receiver.example")
        check("accepted" in story or "delivered" in story, story)


def a_program_with_many_connections_logs_in_at_once(binary):
    """More than whose passwords may wait to be computed."""
    with Relay(binary, ["connections_per_network_max = 0"]) as stack:
        password = stack.credential("shop", "--connections", "0")
        plain = base64.b64encode(f"\0shop\0{password}".encode()).decode()
        clients = [stack.connect() for _ in range(400)]
        for client in clients:
            client.putcmd(f"AUTH PLAIN {plain}")
        answers = {client.getreply()[0] for client in clients}
        check_equal(answers, {235}, "the answers")
        # A password that was known is forgotten with its credential's change.
        stack.command("smtp-credential", "rotate", "tester", "shop", "--overlap-hours", "0")
        with stack.connect() as client:
            refused(lambda: client.login("shop", password), 535)
        for client in clients:
            client.close()


def a_session_ends_with_the_password_that_opened_it(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        by_password, again, by_scram = (stack.connect() for _ in range(3))
        for client in (by_password, again):  # the second is known, and not computed
            client.login("shop", password)
        check_equal(scram(by_scram, "shop", password), 235, "SCRAM-SHA-256")
        begun = stack.connect()
        begun.login("shop", password)
        check_equal(begun.mail(FROM)[0], 250, "MAIL")
        check_equal(begun.rcpt("a@receiver.example")[0], 250, "RCPT")
        stack.command("smtp-credential", "rotate", "tester", "shop")
        for client in (by_password, again, by_scram):
            check_equal(client.mail(FROM)[0], 250, "the passwords overlap")
            client.rset()
        stack.command("smtp-credential", "rotate", "tester", "shop", "--overlap-hours", "0")
        for client in (by_password, again, by_scram):
            check_equal(client.mail(FROM)[0], 535, "MAIL with a password that was replaced")
        check_equal(begun.data(MESSAGE)[0], 535, "the end of what was begun with it")
        for client in (by_password, again, by_scram, begun):
            client.close()


def every_mechanism_lets_in(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        for mechanism in ("PLAIN", "LOGIN"):
            with stack.connect() as client:
                client.user, client.password = "shop", password
                method = getattr(client, f"auth_{mechanism.lower()}")
                check_equal(client.auth(mechanism, method)[0], 235, mechanism)
        with stack.connect() as client:
            check_equal(scram(client, "shop", password), 235, "SCRAM-SHA-256")
        with stack.connect() as client:
            check_equal(scram(client, "shop", "wrong"), 535, "SCRAM with a wrong password")
        with stack.connect() as client:
            check_equal(scram(client, "nobody", password), 535, "SCRAM of nobody")
        with smtplib.SMTP_SSL("127.0.0.1", stack.implicit, context=stack.tls, timeout=600) as client:
            client.login("shop", password)
            client.sendmail(FROM, ["a@receiver.example"], MESSAGE)
        stack.await_mails(1)
        refused(lambda: stack.connect(("shop", "wrong")), 535)
        refused(lambda: stack.connect(("nobody", password)), 535)
        new = re.search(r"^password\s+(\S+)$",
                        stack.command("smtp-credential", "rotate", "tester", "shop"),
                        re.MULTILINE).group(1)
        for each in (password, new):
            stack.connect(("shop", each)).quit()
        stack.command("smtp-credential", "revoke", "tester", "shop")
        refused(lambda: stack.connect(("shop", new)), 535)


def scram(client, user, password):
    nonce = base64.b64encode(secrets.token_bytes(12)).decode()
    bare = f"n={user},r={nonce}"
    code, text = client.docmd("AUTH", "SCRAM-SHA-256 " +
                              base64.b64encode(f"n,,{bare}".encode()).decode())
    check_equal(code, 334, f"the first message ({text})")
    first = base64.b64decode(text).decode()
    fields = dict(part.split("=", 1) for part in first.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]),
                                 int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = f"c=biws,r={fields['r']}"
    auth = ",".join((bare, first, without_proof)).encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), auth, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    code, text = client.docmd(base64.b64encode(
        f"{without_proof},p={base64.b64encode(proof).decode()}".encode()).decode())
    if code != 334:
        return code
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    wanted = b"v=" + base64.b64encode(hmac.digest(server_key, auth, "sha256"))
    check_equal(base64.b64decode(text), wanted, "the server's proof")
    return client.docmd("")[0]


def nobody_is_served_without_right(binary):
    with Relay(binary) as stack:
        stack.command("account", "add", "other")  # now there is somebody to be taken for
        password = stack.credential("shop")
        stack.credential("elsewhere", "--networks", "192.0.2.0/24")
        with smtplib.SMTP("127.0.0.1", stack.starttls, timeout=600) as client:
            client.ehlo("client.example")
            check("auth" not in client.esmtp_features, "AUTH is offered in clear")
            check_equal(client.docmd("AUTH", "PLAIN AHNob3AAeA==")[0], 530, "AUTH in clear")
            check_equal(client.docmd("MAIL", f"FROM:<{FROM}>")[0], 530, "MAIL in clear")
        with stack.connect() as client:
            check("auth" in client.esmtp_features, "AUTH under TLS")
            for word in ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE", "DSN",
                         "ENHANCEDSTATUSCODES"):
                check(word.lower() in client.esmtp_features, f"{word} is not offered")
            check_equal(client.docmd("MAIL", f"FROM:<{FROM}>")[0], 530, "MAIL before AUTH")
        with stack.connect(("shop", password)) as client:
            other = MESSAGE.replace(b"news@sender.example>\r\nTo", b"boss@other.example>\r\nTo")
            text = refused(lambda: client.sendmail(FROM, ["a@receiver.example"], other), 550)
            check(b"5.7.1" in text, text)
            behalf = b"Sender: boss@other.example\r\n" + MESSAGE
            text = refused(lambda: client.sendmail(FROM, ["a@receiver.example"], behalf), 550)
            check(b"5.7.1 Sender: " in text, text)
            for nowhere in ("x@[127.0.2.1]", "x@[IPv6:2001:db8::1]", "x@example.123"):
                client.mail(FROM)
                code, text = client.rcpt(nowhere)
                check(code == 550 and text.startswith(b"5.1.2 "), f"{nowhere}: {code} {text}")
                client.rset()
            two = MESSAGE.replace(b"\r\nTo:", b", b@sender.example\r\nTo:")
            refused(lambda: client.sendmail(FROM, ["a@receiver.example"], two), 550)
        check_equal(stack.log(), [], "arrivals")


def smuggling_is_refused_and_never_repaired(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        second = b"MAIL FROM:<x@sender.example>\r\nRCPT TO:<victim@receiver.example>\r\nDATA\r\n"
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"):
            with stack.connect(("shop", password)) as client:
                client.mail(FROM)
                client.rcpt("a@receiver.example")
                check_equal(client.docmd("DATA")[0], 354, "DATA")
                client.send(MESSAGE + b"x" + end + second + b"body\r\n.\r\n")
                code, text = client.getreply()
                check_equal(code, 550, f"{end!r}: {text}")
                check_equal(client.noop()[0], 250, "the session goes on")
        with socket.create_connection(("127.0.0.1", stack.starttls)) as raw:
            stream = raw.makefile("rwb")
            stream.readline()
            stream.write(b"EHLO client.example\r\nSTARTTLS\r\nMAIL FROM:<x@sender.example>\r\n")
            stream.flush()
            lines = stream.read().decode()
            check("\n554 5.5.0" in lines and "\n220 " not in lines, lines)
        check_equal(stack.log(), [], "arrivals")


def devices_and_proxies_are_known_by_their_networks(binary):
    with Relay(binary) as stack:
        with smtplib.SMTP("127.0.0.1", stack.device, timeout=600) as client:
            client.sendmail("scan@sender.example", ["a@receiver.example"], MESSAGE)
            foreign = MESSAGE.replace(b"<news@sender.example>\r\nTo", b"<n@other.example>\r\nTo")
            refused(lambda: client.sendmail(FROM, ["a@receiver.example"], foreign), 550)
        stack.await_mails(1)
        password = stack.credential("shop", "--networks", "192.0.2.0/24")
        with socket.create_connection(("127.0.0.1", stack.proxied), timeout=60) as raw:
            raw.sendall(b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 587\r\n")
            client = smtplib.SMTP(timeout=600)
            client.sock, client.file = raw, None
            client._host = "127.0.0.1"
            check_equal(client.getreply()[0], 220, "behind a proxy")
            client.ehlo("client.example")
            client.starttls(context=stack.tls)
            client.ehlo("client.example")
            client.login("shop", password)
            client.sendmail(FROM, ["a@receiver.example"], MESSAGE)
        check(b"([192.0.2.7])" in stack.await_mails(2)[-1] or
              any(b"([192.0.2.7])" in mail for mail in stack.mails()), "the client's address")
        with socket.create_connection(("127.0.0.1", stack.proxied), timeout=60) as raw:
            raw.sendall(b"EHLO client.example\r\n")
            try:
                heard = raw.recv(100)
            except ConnectionResetError:
                heard = b""
            check_equal(heard, b"", "without a header")


def options_are_for_who_may(binary):
    with Relay(binary) as stack:
        plain = stack.credential("plain")
        keyed = stack.credential("keyed", "--options",
                                 "tag,idempotency-key,purpose,reference")
        tagged = (b"X-Todoku-Tag: spring, sale\r\nX-Todoku-Idempotency-Key: order-1\r\n"
                  b"X-Todoku-Reference: 4711\r\n"
                  b"Bcc: hidden@receiver.example\r\n") + MESSAGE
        with stack.connect(("plain", plain)) as client:
            client.sendmail(FROM, ["a@receiver.example"], tagged)
            client.sendmail(FROM, ["a@receiver.example"], tagged)
        stack.await_mails(2)
        answers = []
        with stack.connect(("keyed", keyed)) as client:
            for recipients in (["b@receiver.example"], ["b@receiver.example"],
                               ["c@receiver.example"]):
                client.mail(FROM)
                for each in recipients:
                    client.rcpt(each)
                answers.append(client.data(tagged))
            doubled = b"X-Todoku-Tag: one\r\nX-Todoku-Tag: two\r\n" + MESSAGE
            refused(lambda: client.sendmail(FROM, ["a@receiver.example"], doubled), 550)
        check_equal([code for code, _ in answers], [250, 250, 554], "the answers")
        ids = [re.search(rb"delivery (\d+)", text).group(1) for _, text in answers[:2]]
        check_equal(ids[0], ids[1], "a repeat's delivery")
        for mail in stack.await_mails(3):
            check(b"X-Todoku" not in mail and b"hidden@" not in mail, mail[:500])
        labels = stack.api.call("GET", f"/deliveries/{int(ids[0])}/labels")
        check_equal(labels["tags"], ["spring", "sale"], "tags")
        for by, addresses in (("reference=4711", {"b@receiver.example"}),
                              ("message_id=One@sender.example",
                               {"a@receiver.example", "b@receiver.example"})):
            found = stack.api.call("GET", f"/explain?{by}")["mails"]
            rows = [stack.api.call("GET", f"/deliveries/-/emails/{mail['email_id']}") for mail in found]
            check_equal({row["email"] for row in rows}, addresses, by)


def hostile_clients_end_in_order(binary):
    with Relay(binary, ["message_bytes_max = 200000"]) as stack:
        password = stack.credential("shop")

        def say(octets, port=None):
            with socket.create_connection(("127.0.0.1", port or stack.starttls)) as raw:
                raw.settimeout(10)
                try:
                    raw.sendall(octets)
                    raw.shutdown(socket.SHUT_WR)
                    heard = b""
                    while chunk := raw.recv(65536):
                        heard += chunk
                    return heard
                except ConnectionError:
                    return b""

        heard = say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        check(heard.splitlines()[-1][:3] in (b"421", b"554"), f"HTTP: {heard}")
        say(os.urandom(100_000))
        say(b"EHLO " + b"x" * 1_000_000)
        say(os.urandom(1000), stack.implicit)
        with stack.connect(("shop", password)) as client:
            check_equal(client.docmd("MAIL", f"FROM:<{FROM}> SIZE=200001")[0], 552, "SIZE")
            check_equal(client.mail(FROM)[0], 250, "MAIL")
            check_equal(client.rcpt("a@receiver.example")[0], 250, "RCPT")
            code, text = client.data(MESSAGE + (b"x" * 70 + b"\r\n") * 4_000)
            check_equal(code, 552, f"a lie about SIZE ({text})")
            check_equal(client.docmd("AUTH", "PLAIN !!!")[0], 503, "AUTH twice")
            client.mail(FROM)
            client.rcpt("a@receiver.example")
            client.send(b"BDAT %d LAST\r\n" % len(MESSAGE) + MESSAGE)
            check_equal(client.getreply()[0], 250, "BDAT")
        stack.await_mails(1)
        with stack.connect() as client:
            check_equal(client.docmd("AUTH", "PLAIN !!!")[0], 501, "broken base64")
            check_equal(client.docmd("AUTH", "CRAM-MD5")[0], 504, "a mechanism that is not there")
        # A guess that is broken off is one as well.
        for _ in range(12):
            with stack.connect() as client:
                first = base64.b64encode(b"n,,n=guessed,r=abcdefghijklmnop").decode()
                code, _ = client.docmd("AUTH", "SCRAM-SHA-256 " + first)
                check(code in (334, 454), f"SCRAM: {code}")
                if code == 334:
                    check_equal(client.docmd("*")[0], 501, "an exchange that is cancelled")
        check_equal(code, 454, "after as many as may fail")
        # The same wrong password again is a program with an old one, and no guess.
        for number in [0] * 6 + list(range(12)):
            with stack.connect() as client:
                guess = base64.b64encode(b"\0shop\0wrong%d" % number).decode()
                code, _ = client.docmd("AUTH", "PLAIN " + guess)
                check(number > 0 or code == 535, f"a repeated one: {code}")
        refused(lambda: stack.connect(("shop", password)), 454)


def a_newsletter_is_bulk_and_respects_who_opted_out(binary):
    with Relay(binary) as stack:
        password = stack.credential("news")
        stack.command("suppression", "add", "gone@receiver.example", "--account", "tester",
                      "--reason", "unsubscribe")
        letter = b"List-Unsubscribe: <mailto:leave@sender.example>\r\n" + MESSAGE
        with stack.connect(("news", password)) as client:
            client.mail(FROM)
            for to in ("a@receiver.example", "gone@receiver.example"):
                client.rcpt(to)
            code, text = client.data(letter)
            check_equal(code, 250, "the newsletter")
            delivery = int(re.search(rb"delivery (\d+)", text).group(1))
            client.mail(FROM)
            client.rcpt("gone@receiver.example")
            check_equal(client.data(MESSAGE)[0], 250, "what was asked for")
        stack.settle(delivery)
        labels = stack.api.call("GET", f"/deliveries/{delivery}/labels")
        check_equal(labels["purpose"], "advertisement", "the purpose")
        stack.await_mails(2)
        arrived = sorted(entry["rcpt_to"] for entry in stack.settled_log())
        check_equal(arrived, ["a@receiver.example", "gone@receiver.example"], "arrivals")


def what_waits_for_its_time_can_be_called_off(binary):
    with Relay(binary) as stack:
        password = stack.credential("later", "--options", "send-at")
        later = b"X-Todoku-Send-At: 2027-01-01T09:00:00+09:00\r\n" + MESSAGE
        with stack.connect(("later", password)) as client:
            client.mail(FROM)
            client.rcpt("a@receiver.example")
            code, text = client.data(later)
            check_equal(code, 250, "a message for later")
            delivery = int(re.search(rb"delivery (\d+)", text).group(1))
        check_equal(stack.status_of(delivery), "RESERVE", "its status")
        stack.api.call("PATCH", f"/deliveries/{delivery}/cancel", {})
        check_equal(stack.status_of(delivery), "FAILED", "its status after that")
        check_equal(stack.settled_log(), [], "arrivals")


def limits_of_a_credential_hold(binary):
    with Relay(binary) as stack:
        one = stack.credential("one", "--connections", "1", "--messages-per-minute", "2")
        with stack.connect(("one", one)) as client:
            refused(lambda: stack.connect(("one", one)), 454)
            for _ in range(3):  # what is broken off uses up nothing
                check_equal(client.mail(FROM)[0], 250, "MAIL")
                client.rset()
            for _ in range(2):
                client.sendmail(FROM, ["a@receiver.example"], MESSAGE)
            check_equal(client.mail(FROM)[0], 451, "MAIL of a third message in a minute")
        stack.connect(("one", one)).quit()


def large_messages_go_through_whole(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        line = b"0123456789" * 7 + b"\r\n"
        large = MESSAGE + line * (8_000_000 // len(line))
        errors = []

        def send():
            try:
                with stack.connect(("shop", password)) as client:
                    client.sendmail(FROM, ["a@receiver.example"], large)
            except Exception as error:  # noqa: BLE001
                errors.append(error)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_equal(errors, [], "errors")
        for mail in stack.await_mails(4):
            check_equal(hashlib.sha256(without_ours(mail)).hexdigest(),
                        hashlib.sha256(large).hexdigest(), "a large message")


if __name__ == "__main__":
    sys.exit(run(a_message_goes_on_as_it_came, every_mechanism_lets_in,
                 a_session_ends_with_the_password_that_opened_it,
                 a_program_with_many_connections_logs_in_at_once, nobody_is_served_without_right, smuggling_is_refused_and_never_repaired,
                 devices_and_proxies_are_known_by_their_networks, options_are_for_who_may,
                 hostile_clients_end_in_order, limits_of_a_credential_hold,
                 a_newsletter_is_bulk_and_respects_who_opted_out,
                 what_waits_for_its_time_can_be_called_off, large_messages_go_through_whole))
