# SPDX-License-Identifier: Apache-2.0
"""Messages of every shape arrive byte for byte, apart from what docs/smtp-relay.md says; signatures of
others still verify. What a receiver would not take as it is gets another encoding, or is told.

usage: relay_shapes_test.py TODOKU [TEST...]
"""
import base64
import contextlib
import email
import json
import os
import pathlib
import quopri
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "delivery"))
from installation import check, check_equal, run  # noqa: E402
from relay_test import FROM, Relay, refused  # noqa: E402

try:
    import dkim
except ImportError:
    sys.exit("missing: apt-get install python3-dkim")

RECEIVERS = {
    "wide.example": ["address_rules = false"],
    "narrow.example": ["address_rules = false", 'without = ["8BITMIME", "SMTPUTF8"]'],
    "old.example": ["address_rules = false",
                    'without = ["8BITMIME", "SMTPUTF8", "CHUNKING", "PIPELINING"]'],
}
HEAD = (b"From: news@sender.example\r\nTo: a@receiver.example\r\nSubject: a shape\r\n"
        b"Date: Sun, 29 Nov 2026 09:00:00 +0900\r\nMessage-ID: <%s@sender.example>\r\n"
        b"MIME-Version: 1.0\r\n")
JAPANESE = "届きました。\r\n.よろしく。\r\n"
LARGE = 50 << 20
# Of the engine, above what it holds before the large messages come. What is in flight is slices.
GROWTH_MAX = 160 << 20


def of(name, fields, body):
    return HEAD % name.encode() + fields + b"\r\n" + body


def plain_shapes():
    """Those that nobody has signed."""
    attachment = base64.encodebytes(random.Random(1).randbytes(5000)).replace(b"\n", b"\r\n")
    multipart = (b"a preamble\r\n--b-1\r\nContent-Type: text/plain; charset=utf-8\r\n"
                 b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=E5=B1=8A=E3=81=8F\r\n\r\n"
                 b"--b-1\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
                 b"Content-Transfer-Encoding: base64\r\n\r\n" + attachment +
                 b"\r\n--b-1--\r\nan epilogue\r\n")
    inner = of("inner", b"", b"text of an inner message\r\n")
    return {
        "text": of("text", b"", b"text\r\n"),
        "multipart": of("multipart", b"Content-Type: multipart/mixed; boundary=\"b-1\"\r\n", multipart),
        "rfc822": of("rfc822", b"Content-Type: message/rfc822\r\n", inner),
        "iso-2022-jp": of("iso-2022-jp", b"Content-Type: text/plain; charset=ISO-2022-JP\r\n"
                          b"Content-Transfer-Encoding: 7bit\r\n", JAPANESE.encode("iso-2022-jp")),
        "empty": of("empty", b"", b""),
        "blank": of("blank", b"", b"\r\n\r\n\r\n"),
        "dots": of("dots", b"", b".\r\n..\r\n.a\r\n...\r\n\r\n.\r\n"),
        "spaces": of("spaces", b"X-Odd:\tkept \t\r\n as  it\r\n\t is\t\r\nX-Empty:\r\nx-case:1\r\n",
                     b" \t\r\nline with spaces   \r\nFrom here on\r\n"),
        "998": of("998", b"X-Full: " + b"x" * 990 + b"\r\n", b"y" * 998 + b"\r\n"),
        "controls": of("controls", b"", bytes(set(range(1, 32)) - {10, 13}) + b"\x7f\r\n"),
    }


def eight_bit_shapes():
    return {
        "utf-8": of("utf-8", b"Content-Type: text/plain; charset=utf-8\r\n"
                    b"Content-Transfer-Encoding: 8bit\r\n", JAPANESE.encode()),
        "shift-jis": of("shift-jis", b"Content-Type: text/plain; charset=Shift_JIS\r\n"
                        b"Content-Transfer-Encoding: 8bit\r\n", JAPANESE.encode("shift_jis")),
        "octets": of("octets", b"Content-Type: application/octet-stream\r\n"
                     b"Content-Transfer-Encoding: 8bit\r\n",
                     bytes(set(range(1, 256)) - {10, 13}) * 3 + b"\r\n"),
        "mixed": of("mixed", b"Content-Type: multipart/alternative; boundary=b\r\n"
                    b"Content-Transfer-Encoding: 8bit\r\n",
                    b"--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n"
                    b"Content-Transfer-Encoding: 8bit\r\n\r\n<p>" + JAPANESE.encode() +
                    b"</p>\r\n--b--\r\n"),
    }


class Shapes(Relay):
    """With a DKIM key of the sender, as every account has in the end."""

    def __init__(self, binary, extra=()):
        super().__init__(binary, extra, RECEIVERS)

    def __enter__(self):
        super().__enter__()
        try:
            shown = json.loads(self.command("--json", "dkim", "generate", "--account", "tester",
                                            "--domain", "sender.example", "--selector", "ours"))
            record = next(value for value in shown.values()
                          if isinstance(value, str) and value.startswith("v=DKIM1"))
            self.records = {"ours._domainkey.sender.example": record}
            self.password = self.credential("shop")
        except BaseException:
            self.close()
            raise
        return self

    @contextlib.contextmanager
    def client(self):
        with self.connect(("shop", self.password)) as client:
            yield client

    def mail_of(self, to):
        """What arrived for this address; its file is written once it is whole."""
        found = []

        def is_there():
            for path in (self.directory / "mails").rglob("*.json"):
                if to in json.loads(path.read_text())["rcpt_to"]:
                    found.append(path.with_suffix(".eml"))
                    return True
            return False
        self.wait_for(is_there, f"the mail of {to}", 60)
        return found[0].read_bytes()

    def check_signed(self, mail, what, index=0):
        verifier = dkim.DKIM(mail)
        records = self.records
        good = verifier.verify(idx=index, dnsfunc=lambda name, timeout=5: records.get(
            name.decode().rstrip("."), "").encode())
        check(good, f"{what}: signature {index + 1} does not verify")
        return verifier.signature_fields[b"d"].decode()


def stuffed(message):
    return b"\r\n".join(b"." + line if line.startswith(b".") else line
                        for line in message.split(b"\r\n"))


def hand_in(client, message, to, chunks=None, options=""):
    """By DATA; or by BDAT, in chunks of these sizes in turn. Returns the answer."""
    client.send(f"MAIL FROM:<{FROM}>{options}\r\nRCPT TO:<{to}>\r\n".encode())
    for what in ("MAIL", "RCPT"):
        code, text = client.getreply()
        check_equal(code, 250, f"{what} ({text})")
    if chunks is None:
        check_equal(client.docmd("DATA")[0], 354, "DATA")
        client.send(stuffed(message) + b".\r\n")
        return client.getreply()
    at = 0
    sent = 0
    while at < len(message) or sent == 0:
        size = min(chunks[sent % len(chunks)], len(message) - at)
        last = at + size == len(message)
        client.send(b"BDAT %d%s\r\n" % (size, b" LAST" if last else b"") + message[at:at + size])
        code, text = client.getreply()
        if last or code != 250:
            return code, text
        at, sent = at + size, sent + 1
    raise AssertionError("there is a last chunk")


def kept(answer):
    code, text = answer
    check_equal(code, 250, f"the message ({text})")


def in_front(mail, tail, what):
    """The names of the fields that were put in front of `tail`."""
    check(mail.endswith(tail), f"{what} arrived as {mail[-len(tail) - 300:]!r}, not {tail!r}"
          if len(tail) < 4000 else f"{what} arrived changed")
    front = mail[:len(mail) - len(tail)]
    return re.findall(rb"^([!-9;-~]+):", front, re.MULTILINE)


# ---- as it came --------------------------------------------------------------------------------

def shapes_arrive_byte_for_byte(binary):
    with Shapes(binary) as stack, stack.client() as client:
        # RFC 3030: what is not offered is not taken; lines stay lines in chunks as well.
        check("binarymime" not in client.esmtp_features, "BINARYMIME is offered")
        code, text = client.docmd("MAIL", f"FROM:<{FROM}> BODY=BINARYMIME")
        check(code in (501, 504, 555), f"BINARYMIME: {code} {text}")
        narrow = plain_shapes()
        wide = {**narrow, **eight_bit_shapes()}
        sent = [(f"{name}@{domain}", message)
                for domain, shapes in (("wide.example", wide), ("narrow.example", narrow),
                                       ("old.example", narrow))
                for name, message in shapes.items()]
        for index, (to, message) in enumerate(sent):
            kept(hand_in(client, message, to, None if index % 2 else (7, 1, 0, 64, 3, 1000)))
        for to, message in sent:
            mail = stack.mail_of(to)
            check_equal(in_front(mail, message, to), [b"DKIM-Signature", b"Received"], to)
            stack.check_signed(mail, to)


def what_is_missing_is_added(binary):
    with Shapes(binary) as stack:
        stack.password = stack.credential("bare", "--from", "robot@sender.example")
        with stack.connect(("bare", stack.password)) as client:
            for name, message, tail in (
                    ("no-header", b"\r\nonly a body\r\n", b"\r\nonly a body\r\n"),
                    ("nothing", b"", b"\r\n"),
                    ("bcc", b"Bcc: x@receiver.example,\r\n y@receiver.example\r\nX-Todoku-Tag: a\r\n"
                     b"X-A: 1\r\n\r\nbody\r\n", b"X-A: 1\r\n\r\nbody\r\n"),
                    ("no-end", b"X-A: 1\r\n\r\nno end", b"X-A: 1\r\n\r\nno end\r\n")):
                to = f"{name}@wide.example"
                kept(hand_in(client, message, to, (5,)))
                mail = stack.mail_of(to)
                check_equal(in_front(mail, tail, to),
                            [b"DKIM-Signature", b"Received", b"Date", b"Message-ID", b"From"], to)
                check_equal(email.message_from_bytes(mail)["From"], "robot@sender.example", "From")
                stack.check_signed(mail, to)
            for message, line in ((b"only a body\r\n", 1),
                                  (b"X-A: 1\r\nno field\r\nBcc: x@receiver.example\r\n\r\n", 2)):
                code, text = hand_in(client, message, "no-field@wide.example")
                check_equal(code, 550, text)
                check(b"5.6.0 line %d of the message" % line in text, text)


def ten_thousand_fields_arrive(binary):
    with Shapes(binary) as stack, stack.client() as client:
        ours = HEAD.count(b"\r\n")
        fields = b"".join(b"X-%d: %d\r\n" % (i, i) for i in range(10_000 - ours))
        message = of("many", fields, b"x\r\n")
        kept(hand_in(client, message, "many@wide.example"))
        code, text = hand_in(client, of("more", fields + b"X-More: 1\r\n", b"x\r\n"), "more@wide.example")
        check_equal(code, 552, f"one more ({text})")
        check(b"more than 10000 header fields" in text, text)
        mail = stack.mail_of("many@wide.example")
        check_equal(in_front(mail, message, "10,000 fields"), [b"DKIM-Signature", b"Received"], "front")


def addresses_and_fields_in_utf_8(binary):
    with Shapes(binary) as stack, stack.client() as client:
        message = of("utf8", "X-Name: 届く\r\nCc: 誰か@wide.example\r\n".encode(), JAPANESE.encode())
        long_line = of("utf8-long", "X-Name: 届く\r\nContent-Type: text/plain; charset=utf-8\r\n".encode(),
                       ("長い行" * 500 + "\r\n").encode())
        for name, each in (("届", message), ("長", long_line)):
            kept(hand_in(client, each, f"{name}@wide.example", options=" SMTPUTF8 BODY=8BITMIME"))
        kept(hand_in(client, message, "a@narrow.example", options=" SMTPUTF8 BODY=8BITMIME"))
        mail = stack.mail_of("届@wide.example")
        check_equal(in_front(mail, message, "UTF-8"), [b"DKIM-Signature", b"Received"], "front")
        check(b"with UTF8SMTPSA" in mail[:2000], mail[:2000])
        encoded = stack.mail_of("長@wide.example")
        check("X-Name: 届く\r\n".encode() in encoded, "the field stays as it is")
        check_equal(decoded(encoded).decode(), "長い行" * 500 + "\r\n", "the long line")
        story = stack.await_story("a@narrow.example", "5.6.7")
        check("SMTPUTF8" in story, story)


# ---- signatures of others ----------------------------------------------------------------------

def openssl(*words, octets=b""):
    done = subprocess.run(["openssl", *map(str, words)], input=octets, capture_output=True, check=False)
    check_equal(done.returncode, 0, f"openssl {words}: {done.stderr.decode()}")
    return done.stdout


class Signers:
    """A foreign DKIM key, an S/MIME certificate and a PGP key."""

    def __init__(self, folder):
        self.folder = folder
        self.private = openssl("genrsa", "-traditional", "2048")
        public = openssl("rsa", "-pubout", octets=self.private).decode()
        self.record = "v=DKIM1; k=rsa; p=" + "".join(public.split("\n")[1:-2])
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=news/emailAddress=news@sender.example", "-keyout", folder / "key.pem", "-out",
                folder / "cert.pem")
        self.gpg("--passphrase", "", "--quick-generate-key", "news@sender.example", "rsa2048", "sign")

    def gpg(self, *words, octets=b""):
        home = self.folder / "gnupg"
        home.mkdir(mode=0o700, exist_ok=True)
        done = subprocess.run(["gpg", "--homedir", home, "--batch", "--quiet", "--trust-model", "always",
                               "--pinentry-mode", "loopback", *map(str, words)], input=octets,
                              capture_output=True, check=False)
        check_equal(done.returncode, 0, f"gpg {words}: {done.stderr.decode()}")
        return done.stdout

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.folder / "gnupg", "--kill", "all"], check=False)

    def dkim(self, message):
        return dkim.sign(message, b"theirs", b"other.example", self.private,
                         include_headers=[b"from", b"to", b"subject", b"date", b"message-id"],
                         canonicalize=(b"simple", b"simple")) + message

    def smime(self, name, entity):
        signed = openssl("cms", "-sign", "-signer", self.folder / "cert.pem", "-inkey",
                         self.folder / "key.pem", octets=entity)
        return HEAD.replace(b"MIME-Version: 1.0\r\n", b"") % name.encode() + crlf(signed)

    def smime_verifies(self, mail):
        done = subprocess.run(["openssl", "cms", "-verify", "-CAfile", self.folder / "cert.pem"],
                              input=mail, capture_output=True, check=False)
        return done.returncode == 0

    def pgp_mime(self, name, entity):
        signature = crlf(self.gpg("--armor", "--detach-sign", octets=entity))
        return of(name, b"Content-Type: multipart/signed; boundary=p; micalg=pgp-sha512;\r\n"
                  b" protocol=\"application/pgp-signature\"\r\n",
                  b"--p\r\n" + entity + b"\r\n--p\r\nContent-Type: application/pgp-signature\r\n\r\n" +
                  signature + b"--p--\r\n")

    def pgp_mime_verifies(self, mail):
        entity, signature = mail.split(b"\r\n--p\r\n")[-2:]
        entity = entity.split(b"--p\r\n", 1)[1] if b"--p\r\n" in entity else entity
        signed, detached = self.folder / "signed", self.folder / "detached.asc"
        signed.write_bytes(entity)
        detached.write_bytes(signature.split(b"\r\n\r\n", 1)[1].split(b"--p--")[0])
        return self.verifies(detached, signed)

    def pgp_text(self, name, fields, text):
        return of(name, fields, crlf(self.gpg("--clear-sign", octets=text)))

    def pgp_text_verifies(self, mail):
        path = self.folder / "clear.asc"
        path.write_bytes(mail.split(b"\r\n\r\n", 1)[1])
        return self.verifies(path)

    def verifies(self, *paths):
        try:
            self.gpg("--verify", *paths)
            return True
        except Exception:
            return False


def crlf(text):
    return re.sub(rb"\r?\n", b"\r\n", text)


@contextlib.contextmanager
def signers():
    with tempfile.TemporaryDirectory(prefix="todoku-signers-") as folder:
        made = Signers(pathlib.Path(folder))
        try:
            yield made
        finally:
            made.close()


def signed_shapes(who, body, fields):
    entity = fields + b"\r\n" + body
    return {
        "dkim": (who.dkim(of("dkim", fields, body)), None),
        "smime": (who.smime("smime", entity), who.smime_verifies),
        "pgp-mime": (who.pgp_mime("pgp-mime", entity), who.pgp_mime_verifies),
        "pgp-text": (who.pgp_text("pgp-text", fields, body), who.pgp_text_verifies),
    }


def signatures_of_others_verify_or_it_is_told(binary):
    with signers() as who, Shapes(binary) as stack, stack.client() as client:
        stack.records["theirs._domainkey.other.example"] = who.record
        ascii_ones = signed_shapes(who, b".signed\r\n\r\n- text \r\n", b"Content-Type: text/plain\r\n")
        eight_bit = signed_shapes(who, JAPANESE.encode(), b"Content-Type: text/plain; charset=utf-8\r\n"
                                  b"Content-Transfer-Encoding: 8bit\r\n")
        sent = [(f"{name}@{domain}", *shape) for domain in ("wide.example", "old.example")
                for name, shape in ascii_ones.items()]
        sent += [(f"8-bit-{name}@wide.example", *shape) for name, shape in eight_bit.items()]
        told = [(f"8-bit-{name}@narrow.example", shape[0]) for name, shape in eight_bit.items()]
        for to, message, *_ in sent + told:
            kept(hand_in(client, message, to))
        for to, message, verifies in sent:
            mail = stack.mail_of(to)
            check_equal(in_front(mail, message, to), [b"DKIM-Signature", b"Received"], to)
            stack.check_signed(mail, to)
            if verifies:
                check(verifies(mail), f"{to}: the signature does not verify")
                broken = mail.replace(b"signed\r", b"sighed\r").replace(JAPANESE[:2].encode(), b"??????")
                check(not verifies(broken), f"{to}: any octets verify")
            else:
                check_equal(stack.check_signed(mail, to, 1), "other.example", "whose signature it is")
        for to, _ in told:
            story = stack.await_story(to, "5.6.3")
            check("another encoding would break" in story, story)
        arrived = [entry["rcpt_to"] for entry in stack.settled_log()]
        check(not [to for to, _ in told if to in arrived], f"it was sent all the same: {arrived}")


# ---- in another encoding -----------------------------------------------------------------------

def decoded(mail):
    head, body = mail.split(b"\r\n\r\n", 1)
    encoding = email.message_from_bytes(head + b"\r\n\r\n")["Content-Transfer-Encoding"]
    check(encoding in ("base64", "quoted-printable"), f"the encoding is {encoding}")
    return base64.b64decode(body) if encoding == "base64" else quopri.decodestring(body)


def parts_of(octets):
    found = []
    for part in email.message_from_bytes(octets).walk():
        if not part.is_multipart():
            found.append((part.get_content_type(), part.get_content_charset(),
                          part.get_payload(decode=True)))
    return found


def is_fit(mail):
    return mail.isascii() and max(map(len, mail.split(b"\r\n"))) <= 998


def eight_bit_is_encoded_for_who_does_not_take_it(binary):
    with Shapes(binary) as stack, stack.client() as client:
        shapes = eight_bit_shapes()
        bare = b"From: news@sender.example\r\n\r\n" + JAPANESE.encode()
        for domain in ("narrow.example", "old.example"):
            for name, message in shapes.items():
                kept(hand_in(client, message, f"{name}@{domain}"))
            kept(hand_in(client, bare, f"bare@{domain}"))
        for domain in ("narrow.example", "old.example"):
            for name, message in shapes.items():
                to = f"{name}@{domain}"
                mail = stack.mail_of(to)
                check(is_fit(mail), f"{to}: {mail}")
                stack.check_signed(mail, to)
                check_equal(parts_of(mail), parts_of(message), to)
            mail = stack.mail_of(f"bare@{domain}")
            check(is_fit(mail) and b"\r\nMIME-Version: 1.0\r\n" in mail, mail)
            check_equal(parts_of(mail), [("text/plain", "utf-8", JAPANESE.encode())], "without MIME")
        raw = of("field", b"X-Raw: " + JAPANESE[:3].encode() + b"\r\n", b"x\r\n")
        code, text = hand_in(client, raw, "field@wide.example")
        check_equal(code, 550, text)
        check(b"5.6.7 the X-Raw field is not ASCII" in text, text)


def long_lines_are_encoded_for_everybody(binary):
    with signers() as who, Shapes(binary) as stack, stack.client() as client:
        longest = b"x" * 65536 + b"\r\n"
        sent = {"text": of("text", b"", longest), "bare": b"From: news@sender.example\r\n\r\n" + longest,
                "html": of("html", b"Content-Type: text/html; charset=utf-8\r\n"
                           b"Content-Transfer-Encoding: 8bit\r\n",
                           "<p>届く</p>".encode() * 3000 + b"\r\n")}
        for domain in ("wide.example", "narrow.example"):
            for index, (name, message) in enumerate(sent.items()):
                kept(hand_in(client, message, f"{name}@{domain}", (4000,) if index % 2 else None))
            for name, message in sent.items():
                mail = stack.mail_of(f"{name}@{domain}")
                check(is_fit(mail), f"{name}@{domain}: {mail[:3000]}")
                check_equal(decoded(mail), message.split(b"\r\n\r\n", 1)[1], name)
                stack.check_signed(mail, name)
        code, text = hand_in(client, of("over", b"", b"x" + longest), "over@wide.example")
        check_equal((code, text), (550, b"5.6.0 The message has a line of over 65536 octets"), "more")
        code, text = hand_in(client, of("field", b"X-Long: " + b"x" * 991 + b"\r\n", b""),
                             "over@wide.example")
        check_equal(code, 550, f"a long field ({text})")
        check(b"a header line of over 998 octets" in text, text)
        kept(hand_in(client, who.dkim(of("signed", b"", longest)), "signed@wide.example"))
        story = stack.await_story("signed@wide.example", "5.6.1")
        check("another encoding would break" in story, story)


# ---- large -------------------------------------------------------------------------------------

def memory_of(process):
    """(most, now), octets."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024 for name in ("VmHWM", "VmRSS"))


def fifty_megabytes_pass_in_slices(binary):
    line = random.Random(3)
    body = b"".join(bytes(line.choices(range(32, 256), k=900)) + b"\r\n" for _ in range(50))
    fields = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n"
    with Shapes(binary) as stack, stack.client() as client:
        kept(hand_in(client, of("warm", fields, body), "warm@narrow.example"))
        stack.mail_of("warm@narrow.example")
        before = memory_of(stack.engine)[1]
        whole = of("large", fields, b"")
        whole += body * ((LARGE - len(whole)) // len(body))
        whole += b"x" * min(900, LARGE - len(whole) - 2) + b"\r\n"
        for to, chunks in (("large@wide.example", None), ("large@narrow.example", (1 << 20,)),
                           ("large@old.example", (999_983,))):
            kept(hand_in(client, whole, to, chunks, f" SIZE={len(whole)} BODY=8BITMIME"))
        code, text = hand_in(client, whole + b"y" * 900 + b"\r\n" + body, "over@wide.example")
        check_equal(code, 552, f"more than that ({text})")
        mail = stack.mail_of("large@wide.example")
        check_equal(in_front(mail, whole, "50 MB"), [b"DKIM-Signature", b"Received"], "front")
        stack.check_signed(mail, "50 MB")
        for to in ("large@narrow.example", "large@old.example"):
            mail = stack.mail_of(to)
            check(mail.isascii(), f"{to}: it is 8-bit")
            check(decoded(mail) == whole.split(b"\r\n\r\n", 1)[1], f"{to}: it is another message")
            stack.check_signed(mail, to)
        most = memory_of(stack.engine)[0]
        print(f"memory: {before >> 20} MiB before, at most {most >> 20} MiB with "
              f"{len(whole) / 1e6:.1f} MB to three receivers", flush=True)
        check(most - before < GROWTH_MAX, f"the engine grew by {(most - before) >> 20} MiB")


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(run(shapes_arrive_byte_for_byte, what_is_missing_is_added, ten_thousand_fields_arrive,
                 addresses_and_fields_in_utf_8, signatures_of_others_verify_or_it_is_told,
                 eight_bit_is_encoded_for_who_does_not_take_it, long_lines_are_encoded_for_everybody,
                 fifty_megabytes_pass_in_slices))
