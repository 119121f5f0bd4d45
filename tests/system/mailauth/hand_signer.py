# SPDX-License-Identifier: Apache-2.0
"""DKIM signatures with any tags, made by the letter of RFC 6376 section 3 and nothing else.

    signed = sign(mail, "v=1; a=rsa-sha256; c=relaxed/simple; ...; bh={bh}; b={b}", key)
"""
import base64
import hashlib
import re

import nacl.signing
from dkim import crypto


class Rsa:
    def __init__(self, pem):
        self.key = crypto.parse_pem_private_key(pem)

    def sign(self, data):
        return crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(data), self.key)


class RsaSha1(Rsa):
    def sign(self, data):
        return crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha1(data), self.key)


class Ed25519:
    def __init__(self, seed):
        self.key = nacl.signing.SigningKey(seed)

    def record(self):
        return "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(self.key.verify_key)).decode()

    def sign(self, data):
        return self.key.sign(hashlib.sha256(data).digest()).signature


def relaxed_field(field):
    name, value = field.split(b":", 1)
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value + b"\r\n"


def relaxed_body(body):
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    body = b"\r\n".join(lines).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def simple_body(body):
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n"


def split(mail):
    head, _, body = mail.partition(b"\r\n\r\n")
    return re.findall(rb"[^\r\n][^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n", head + b"\r\n"), body


def picked(fields, names):
    """From the bottom up (section 5.4.2)."""
    left = list(fields)
    for name in names:
        for at in reversed(range(len(left))):
            if left[at].split(b":", 1)[0].strip().lower() == name:
                yield left.pop(at)
                break


def sign(mail, tags, key, forms="relaxed/relaxed", names="from:to:subject", length=None,
         name=b"DKIM-Signature", sha=hashlib.sha256, body_hash=None):
    """`tags` with {bh} and {b} and, as they are given here, whatever else; CRLF for its folds."""
    header, body_form = forms.split("/")
    fields, body = split(mail)
    body = relaxed_body(body) if body_form == "relaxed" else simple_body(body)
    if length is not None:
        body = body[:length]
    bh = base64.b64encode(sha(body).digest()).decode() if body_hash is None else body_hash
    tags = tags.replace("{bh}", bh).encode()
    empty = name + b": " + re.sub(rb"\s*\{b\}\s*", b"", tags) + b"\r\n"
    form = relaxed_field if header == "relaxed" else lambda field: field
    data = b"".join(form(f) for f in picked(fields, [n.encode() for n in names.split(":")]))
    b = base64.b64encode(key.sign(data + form(empty)[:-2]))
    return name + b": " + tags.replace(b"{b}", b) + b"\r\n" + mail
