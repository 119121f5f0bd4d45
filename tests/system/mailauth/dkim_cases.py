# SPDX-License-Identifier: Apache-2.0
"""What may be wrong, or only unusual, about a signed mail: in its tags, in its key's record, on the
way. Signed mails of others come in `changes`."""
import hashlib
import re

DOMAIN = "example.jp"

MAIL = (b"From: news@example.jp\r\nTo: suzuki@example.com\r\nSubject: It arrives\r\n"
        b"Cc: a@example.com\r\n\r\nHello  there,\r\n\r\n it has arrived. \r\n")


def tags_for(now):
    """name: (tags without bh= and b=, what hand_signer.sign() must know)."""
    base = f"a=rsa-sha256; c=relaxed/relaxed; d={DOMAIN}; s=r2048"
    h = "h=from:to:subject"
    v = "v=1; "
    ed = base.replace("rsa-sha256", "ed25519-sha256").replace("r2048", "e1")
    yield from {
        "plain": (f"{v}{base}; {h}", {}),
        "ed25519": (f"{v}{ed}; {h}", {"key": "e1"}),
        "v= last": (f"{base}; {h}; v=1", {}),
        "v=2": (f"v=2; {base}; {h}", {}),
        "v=1.0": (f"v=1.0; {base}; {h}", {}),
        "no v=": (f"{base}; {h}", {}),
        "no d=": (f"{v}a=rsa-sha256; c=relaxed/relaxed; s=r2048; {h}", {}),
        "no s=": (f"{v}a=rsa-sha256; c=relaxed/relaxed; d={DOMAIN}; {h}", {}),
        "no h=": (f"{v}{base}", {"names": ""}),
        "no a=": (f"{v}c=relaxed/relaxed; d={DOMAIN}; s=r2048; {h}", {}),
        "a= twice": (f"{v}{base}; {h}; a=rsa-sha256", {}),
        "unknown tag": (f"{v}{base}; {h}; foo=bar; r=y", {}),
        "unknown tag twice": (f"{v}{base}; {h}; foo=bar; foo=bar", {}),
        "z= of other fields": (f"{v}{base}; {h}; z=From:x@example.com|Subject:other", {}),
        "unknown a=": (f"{v}{base.replace('sha256', 'sha512')}; {h}", {}),
        "a=rsa-sha1": (f"{v}{base.replace('sha256', 'sha1')}; {h}",
                       {"key": "sha1", "sha": hashlib.sha1}),
        "c= left out": (f"{v}a=rsa-sha256; d={DOMAIN}; s=r2048; {h}", {"forms": "simple/simple"}),
        "c=simple": (f"{v}{base}; {h}".replace("relaxed/relaxed", "simple"),
                     {"forms": "simple/simple"}),
        "c=relaxed": (f"{v}{base}; {h}".replace("relaxed/relaxed", "relaxed"),
                      {"forms": "relaxed/simple"}),
        "c=simple/relaxed": (f"{v}{base}; {h}".replace("relaxed/relaxed", "simple/relaxed"),
                             {"forms": "simple/relaxed"}),
        "c=nofws": (f"{v}{base}; {h}".replace("relaxed/relaxed", "nofws"), {}),
        "c=relaxed/nofws": (f"{v}{base}; {h}".replace("relaxed/relaxed", "relaxed/nofws"), {}),
        "l= of a part": (f"{v}{base}; {h}; l=5", {"length": 5}),
        "l=0": (f"{v}{base}; {h}; l=0", {"length": 0}),
        "l= with zeros before it": (f"{v}{base}; {h}; l=0005", {"length": 5}),
        "l= of 30 digits": (f"{v}{base}; {h}; l={'9' * 30}", {}),
        "l= of the whole": (f"{v}{base}; {h}; l=34", {}),
        "l= beyond the body": (f"{v}{base}; {h}; l=1000", {}),
        "l= is no number": (f"{v}{base}; {h}; l=x", {}),
        "l= is negative": (f"{v}{base}; {h}; l=-1", {}),
        "t= and x=": (f"{v}{base}; {h}; t={now - 60}; x={now + 86400}", {}),
        "expired": (f"{v}{base}; {h}; t={now - 9 * 86400}; x={now - 86400 * 2}", {}),
        "expired, no t=": (f"{v}{base}; {h}; x={now - 86400 * 2}", {}),
        "x= before t=": (f"{v}{base}; {h}; t={now - 60}; x={now - 86400 * 2}", {}),
        "from the future": (f"{v}{base}; {h}; t={now + 30 * 86400}", {}),
        "x= of 20 digits": (f"{v}{base}; {h}; x={'9' * 20}", {}),
        "t= is no number": (f"{v}{base}; {h}; t=now", {}),
        "x= is no number": (f"{v}{base}; {h}; x=never", {}),
        "i= of the domain": (f"{v}{base}; {h}; i=taro@{DOMAIN}", {}),
        "i= without local part": (f"{v}{base}; {h}; i=@{DOMAIN}", {}),
        "i= below the domain": (f"{v}{base}; {h}; i=@news.{DOMAIN}", {}),
        "i= in capitals": (f"{v}{base}; {h}; i=@{DOMAIN.upper()}", {}),
        "i= elsewhere": (f"{v}{base}; {h}; i=@example.com", {}),
        "i= of a longer name": (f"{v}{base}; {h}; i=@x{DOMAIN}", {}),
        "i= above the domain": (f"{v}{base}; {h}; i=@jp", {}),
        "i= folded": (f"{v}{base}; {h}; i=taro@\r\n {DOMAIN}", {}),
        "q=dns/txt": (f"{v}{base}; {h}; q=dns/txt", {}),
        "q= unknown": (f"{v}{base}; {h}; q=http", {}),
        "q= of two": (f"{v}{base}; {h}; q=x/y:dns/txt", {}),
        "From not signed": (f"{v}{base}; h=to:subject", {"names": "to:subject"}),
        "h= with white space": (f"{v}{base}; h=from :\r\n to\t: subject", {}),
        "h= in capitals": (f"{v}{base}; h=FROM:To:suBject", {}),
        "h= names more than there are": (f"{v}{base}; h=from:from:to:subject:subject:x-none",
                                         {"names": "from:from:to:subject:subject:x-none"}),
        "h= names DKIM-Signature": (f"{v}{base}; h=from:to:subject:dkim-signature",
                                    {"names": "from:to:subject:dkim-signature"}),
        "h= ends with a colon": (f"{v}{base}; h=from:to:subject:", {}),
        "h= is empty": (f"{v}{base}; h=", {"names": ""}),
        "tags folded": (f"{v}\r\n a = rsa-sha256 ;\r\n\tc=relaxed/relaxed;d={DOMAIN}\r\n ;"
                        f" s=\r\n r2048; {h}", {}),
        "no white space": (f"{v}{base}; {h}".replace("; ", ";"), {}),
        "name in capitals": (f"{v}{base}; {h}", {"name": b"DKIM-SIGNATURE"}),
        "name in small letters, c=simple": (
            f"{v}{base}; {h}".replace("relaxed/relaxed", "simple/simple"),
            {"forms": "simple/simple", "name": b"dkim-signature"}),
        "d= in capitals": (f"{v}{base}; {h}".replace(f"d={DOMAIN}", f"d={DOMAIN.upper()}"), {}),
        "d= with a final dot": (f"{v}{base}; {h}".replace(f"d={DOMAIN}", f"d={DOMAIN}."), {}),
        "d= is empty": (f"{v}{base}; {h}".replace(f"d={DOMAIN}", "d="), {}),
        "bh= of nothing": (f"{v}{base}; {h}", {"body_hash": ""}),
        "bh= too short": (f"{v}{base}; {h}", {"body_hash": "AAAA"}),
        "signed with another key": (f"{v}{base}; {h}", {"key": "r1024"}),
    }.items()


def endings():
    """How tags may end and where b= may stand: what follows the tags."""
    yield from {
        "a semicolon ends": "; bh={bh}; b={b};",
        "white space ends": "; bh={bh}; b={b} ; ",
        "b= before bh=": "; b={b}; bh={bh}",
        "two semicolons": ";; bh={bh}; b={b}",
        "b= on a line of its own": "; bh={bh};\r\n b={b}",
        "white space in bh=": "; bh=\r\n\t{bh}; b={b}",
    }.items()


def records(r2048, r1024, r768, pkcs1, ed25519):
    """Of keys, as p= has them: name: (which key signs, TXT records, more tags of the signature)."""
    yield from {
        "v= left out": ("r2048", [f"k=rsa; p={r2048}"], ""),
        "only p=": ("r2048", [f"p={r2048}"], ""),
        "a semicolon ends": ("r2048", [f"v=DKIM1; k=rsa; p={r2048};"], ""),
        "no white space": ("r2048", [f"v=DKIM1;k=rsa;p={r2048}"], ""),
        "much white space": ("r2048", [f" v = DKIM1 ;\t k = rsa ; p = {r2048} "], ""),
        "white space in p=": ("r2048", [f"v=DKIM1; p={r2048[:80]} {r2048[80:]}"], ""),
        "v= in the middle": ("r2048", [f"k=rsa; v=DKIM1; p={r2048}"], ""),
        "v=DKIM2": ("r2048", [f"v=DKIM2; k=rsa; p={r2048}"], ""),
        "v=dkim1": ("r2048", [f"v=dkim1; k=rsa; p={r2048}"], ""),
        "k= unknown": ("r2048", [f"v=DKIM1; k=dsa; p={r2048}"], ""),
        "k=ed25519 of RSA": ("r2048", [f"v=DKIM1; k=ed25519; p={r2048}"], ""),
        "no p=": ("r2048", ["v=DKIM1; k=rsa"], ""),
        "revoked": ("r2048", ["v=DKIM1; k=rsa; p="], ""),
        "p= is no base64": ("r2048", ["v=DKIM1; k=rsa; p=!!!"], ""),
        "p= cut short": ("r2048", [f"v=DKIM1; k=rsa; p={r2048[:40]}"], ""),
        "PKCS#1": ("r2048", [f"v=DKIM1; k=rsa; p={pkcs1}"], ""),
        "1024 bits": ("r1024", [f"v=DKIM1; k=rsa; p={r1024}"], ""),
        "768 bits": ("r768", [f"v=DKIM1; k=rsa; p={r768}"], ""),
        "g= of another": ("r2048", [f"v=DKIM1; g=hanako; k=rsa; p={r2048}"], ""),
        "h=sha256": ("r2048", [f"v=DKIM1; h=sha256; k=rsa; p={r2048}"], ""),
        "h=sha1:sha256": ("r2048", [f"v=DKIM1; h=sha1 : sha256; k=rsa; p={r2048}"], ""),
        "h=sha1": ("r2048", [f"v=DKIM1; h=sha1; k=rsa; p={r2048}"], ""),
        "s=email": ("r2048", [f"v=DKIM1; s=email; p={r2048}"], ""),
        "s=*": ("r2048", [f"v=DKIM1; s=*; p={r2048}"], ""),
        "s=x:email": ("r2048", [f"v=DKIM1; s=x:email; p={r2048}"], ""),
        "s=tlsrpt": ("r2048", [f"v=DKIM1; s=tlsrpt; p={r2048}"], ""),
        "t=y": ("r2048", [f"v=DKIM1; t=y; p={r2048}"], ""),
        "t=s": ("r2048", [f"v=DKIM1; t=s; p={r2048}"], ""),
        "t=s and i= below": ("r2048", [f"v=DKIM1; t=y:s; p={r2048}"], f"; i=@news.{DOMAIN}"),
        "t= unknown and i= below": ("r2048", [f"v=DKIM1; t=x; p={r2048}"], f"; i=@news.{DOMAIN}"),
        "n= and unknown tags": ("r2048", [f"v=DKIM1; n=a note; x=1; p={r2048}"], ""),
        "n= of 3000 octets": ("r2048", [f"v=DKIM1; n={'x' * 3000}; p={r2048}"], ""),
        "p= twice": ("r2048", [f"v=DKIM1; p={r2048}; p={r2048}"], ""),
        "junk": ("r2048", ["this is no key"], ""),
        "empty": ("r2048", [""], ""),
        "the wrong key": ("r2048", [f"v=DKIM1; p={r1024}"], ""),
        "another record first": ("r2048", ["v=spf1 -all", f"v=DKIM1; p={r2048}"], ""),
        "none": ("r2048", [], ""),
        "Ed25519": ("e1", [f"v=DKIM1; k=ed25519; p={ed25519}"], ""),
        "Ed25519 without k=": ("e1", [f"v=DKIM1; p={ed25519}"], ""),
        "Ed25519 cut short": ("e1", [f"v=DKIM1; k=ed25519; p={ed25519[:40]}"], ""),
    }.items()


def body_only(change):
    def changed(mail):
        head, middle, body = mail.partition(b"\r\n\r\n")
        return head + middle + change(body)
    return changed


def header_only(change):
    def changed(mail):
        head, middle, body = mail.partition(b"\r\n\r\n")
        return change(head + b"\r\n")[:-2] + middle + body
    return changed


def in_signature(change):
    def changed(mail):
        field = re.match(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", mail)[0]
        return change(field) + mail[len(field):]
    return changed


CHANGES = {
    "as it was": lambda mail: mail,
    "blank lines at the end": lambda mail: mail + b"\r\n\r\n",
    "white lines at the end": lambda mail: mail + b" \r\n\t\r\n",
    "a line at the end": lambda mail: mail + b"more\r\n",
    "no line end at the end": lambda mail: mail[:-2] if mail.endswith(b"\r\n") else mail,
    "no body": lambda mail: mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
    "white space at line ends": body_only(lambda body: body.replace(b"\r\n", b" \t\r\n")),
    "white space doubled": body_only(lambda body: body.replace(b" ", b"  ")),
    "a tab for a space": body_only(lambda body: body.replace(b" ", b"\t")),
    "white space taken away": body_only(lambda body: body.replace(b" ", b"")),
    "a blank line first": body_only(lambda body: b"\r\n" + body),
    "a letter changed": body_only(lambda body: body.replace(b"e", b"E", 1)),
    "field folded": header_only(lambda h: re.sub(rb"(\r\nTo:)", rb"\1\r\n ", h)),
    "field folded over a white line": header_only(
        lambda h: re.sub(rb"(\r\nTo:)", b"\\1\r\n \t\r\n ", h)),
    "field spaced": header_only(lambda h: re.sub(rb"(\r\nTo:)", rb"\1   ", h)),
    "field name in capitals": header_only(lambda h: h.replace(b"\r\nTo:", b"\r\nTO:")),
    "white space before the colon": header_only(lambda h: h.replace(b"\r\nTo:", b"\r\nTo :")),
    "field in capitals": header_only(lambda h: h.replace(b"suzuki", b"Suzuki")),
    "a field on top": lambda mail: b"Received: from a\r\n" + mail,
    "another Subject on top": lambda mail: b"Subject: x\r\n" + mail,
    "another Subject below": header_only(lambda h: h + b"Subject: x\r\n"),
    "another From on top": lambda mail: b"From: x@example.com\r\n" + mail,
    "a field below": header_only(lambda h: h + b"X-New: x\r\n"),
    "a field less": header_only(lambda h: re.sub(rb"\r\nTo:[^\r]*(\r\n[ \t][^\r]*)*", b"", h)),
    "b= folded": in_signature(lambda f: re.sub(rb"(\bb=\s*\S{7})", b"\\1\r\n\t ", f)),
    "signature refolded": in_signature(lambda f: f.replace(b"; ", b";\r\n   ")),
    "signature spaced": in_signature(lambda f: f.replace(b"; ", b";  ")),
    "another selector": in_signature(lambda f: re.sub(rb"\bs=\w+", b"s=nobody", f)),
    "x= added": in_signature(lambda f: f.replace(b"v=1;", b"v=1; x=99999999999;")),
}
