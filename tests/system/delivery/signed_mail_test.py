# SPDX-License-Identifier: Apache-2.0
"""Mail of every kind as the receiver gets it: its words are those that were sent, and OpenDKIM and
dkimpy verify both its signatures."""
import codecs
import email
import email.policy
import json
import re
import subprocess
import sys

from installation import QUICK, Installation, check, check_equal, run

try:
    import dkim
except ImportError:
    sys.exit("missing: apt-get install python3-dkim python3-nacl opendkim")

SENDER = {"email": "news@sender.example", "name": "髙橋商店"}
TEXT = "こんにちは、__name__ 様。\n①㈱の割引は%%rate%%です。\n.点で始まる行\n" + "とても長い行" * 200 + "\n"
HTML = "<html><body><p>こんにちは、<b>__name__</b> 様。</p></body></html>"
CODES = [{"key": "__name__", "value": "鈴木 花子"}, {"key": "%%rate%%", "value": "30%"}]
UNSUBSCRIBE = {"mailto": "mailto:leave+__user__@sender.example",
               "url": "https://sender.example/leave?u=__user__", "one_click": True}
FILES = [("請求書.pdf", "application/pdf", bytes(range(256)) * 500), ("a.txt", "text/plain", b"x\n")]

# In which FILES have no room.
SMALL_CACHE = (*QUICK, "content_cache_bytes = 1_048_576")

# Local part: what is sent beside sender, recipient and text.
KINDS = {
    "text": {"subject": "__name__ 様へのお知らせ"},
    "html": {"subject": "HTML", "html_part": HTML},
    "attachment": {"subject": "添付", "files": FILES},
    "html-attachment": {"subject": "両方", "html_part": HTML, "files": FILES},
    "iso": {"subject": "髙橋①__name__", "encode": "ISO-2022-JP", "html_part": HTML},
    "emoji": {"subject": "😀 絵文字", "encode": "ISO-2022-JP", "text_part": "😀 __name__"},
    "long": {"subject": "長い件名" * 60},
    "ascii": {"subject": "plain", "text_part": "plain __name__\n"},
    "list": {"subject": "退会", "list_unsubscribe": UNSUBSCRIBE},
    "cc": {"subject": "写し", "cc": ["copy@one.example"], "bcc": ["blind@one.example"]},
    "inject": {"subject": "a", "from": {"email": "news@sender.example", "name": 'a", <x@y.example>'}},
}


def keys_of(stack):
    """{name: record} of the two keys made for the sender's domain."""
    records = {}
    for selector, more in (("rsa1", []), ("ed1", ["--ed25519"])):
        shown = json.loads(stack.command(
            "--json", "dkim", "generate", "--account", "tester", "--domain", "sender.example",
            "--selector", selector, *more))
        text = json.dumps(shown)
        record = next(value for value in shown.values()
                      if isinstance(value, str) and value.startswith("v=DKIM1"))
        check("PRIVATE" not in text, "the private key is shown")
        records[f"{selector}._domainkey.sender.example"] = record
    return records


def send(stack, local, kind):
    body = {"from": SENDER, "to": f"{local}@one.example", "text_part": TEXT,
            "insert_code": [*CODES, {"key": "__user__", "value": "u42"}], **kind}
    files = body.pop("files", None)
    if files is None:
        return stack.api.call("POST", "/deliveries/transaction", body)["delivery_id"]
    return stack.api.call_multipart("POST", "/deliveries/transaction", body, files)["delivery_id"]


def check_dkimpy(octets, records, what):
    selectors = set()
    for index in range(2):
        verifier = dkim.DKIM(octets)
        good = verifier.verify(idx=index, dnsfunc=lambda name, timeout=5: records.get(
            name.decode().rstrip("."), "").encode())
        check(good, f"{what}: dkimpy refuses signature {index + 1}")
        selectors.add(verifier.signature_fields[b"s"].decode())
        signed = verifier.signature_fields[b"h"].decode().lower()
        for header in ("from", "subject", "to", "date", "message-id"):
            check(header in signed, f"{what}: {header} is not signed: {signed}")
        if b"\nlist-unsubscribe" in octets.lower():
            check("list-unsubscribe:" in signed + ":" and "list-unsubscribe-post" in signed,
                  f"{what}: List-Unsubscribe is not signed: {signed}")
    check_equal(selectors, {"rsa1", "ed1"}, f"{what}: selectors")


def check_opendkim(directory, file, what):
    done = subprocess.run(["/usr/sbin/opendkim", "-x", str(directory / "opendkim.conf"), "-vvv",
                           "-t", str(file)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    verdicts = dict(reversed(pair) for pair in re.findall(r"dkim=(\w+)[^;]*header\.s=(\w+)", said))
    check_equal(verdicts, {"rsa1": "pass", "ed1": "pass"}, f"{what}: OpenDKIM's verdicts")


def text_of(message, subtype):
    part = message.get_body((subtype,))
    check(part is not None, f"no {subtype} part")
    return part.get_content().replace("\r\n", "\n")


def check_words(local, kind, message):
    wanted_from = kind.get("from", SENDER)
    sender = message["From"].addresses[0]
    check_equal((len(message["From"].addresses), sender.addr_spec, sender.display_name),
                (1, wanted_from["email"], wanted_from["name"]), f"{local}: From")
    check_equal(message["To"].addresses[0].addr_spec, f"{local}@one.example", f"{local}: To")
    check_equal(message["Subject"], kind["subject"].replace("__name__", "鈴木 花子"),
                f"{local}: Subject")
    text = kind.get("text_part", TEXT).replace("__name__", "鈴木 花子").replace("%%rate%%", "30%")
    check_equal(text_of(message, "plain").rstrip("\n"), text.rstrip("\n"), f"{local}: text")
    if "html_part" in kind:
        check_equal(text_of(message, "html").strip(),
                    HTML.replace("__name__", "鈴木 花子"), f"{local}: html")
    charset = message.get_body(("plain",)).get_content_charset()
    if local in ("iso", "emoji"):
        check_equal(charset, "x-cp50220" if local == "iso" else "utf-8", f"{local}: charset")
    files = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
             for part in message.iter_attachments()]
    check_equal([file[::2] for file in files], [file[::2] for file in kind.get("files", [])],
                f"{local}: attachments")
    check_equal(message["Cc"], "copy@one.example" if "cc" in kind else None, f"{local}: Cc")
    check(message["Bcc"] is None, f"{local}: Bcc is told")
    if "list_unsubscribe" in kind:
        check_equal(re.sub(r"\s+", " ", message["List-Unsubscribe"]),
                    "<https://sender.example/leave?u=u42>, <mailto:leave+u42@sender.example>",
                    "List-Unsubscribe")
        check_equal(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click",
                    "List-Unsubscribe-Post")


def decode_cp50220(octets, errors="strict"):
    """ISO-2022-JP as Japanese mail software means it; Python has no codec for that."""
    octets, size, out = bytes(octets), len(octets), []
    for part in re.split(rb"(?=\x1b)", octets):
        if part.startswith(b"\x1b$"):
            pairs = zip(part[3::2], part[4::2])
            out.append(b"".join(shift_jis(*pair) for pair in pairs).decode("cp932", errors))
        else:
            out.append((part[3:] if part.startswith(b"\x1b") else part).decode("ascii", errors))
    return "".join(out), size


def shift_jis(first, second):
    row = first - 0x21
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = second + 0x7E if row % 2 else second + 0x1F + (second >= 0x60)
    return bytes((lead, trail))


def read(octets):
    codecs.register(lambda name: codecs.CodecInfo(None, decode_cp50220, name="x-cp50220")
                    if name.replace("_", "-") == "x-cp50220" else None)
    renamed = re.sub(rb"(?i)iso-2022-jp", b"x-cp50220", octets)
    return email.message_from_bytes(renamed, policy=email.policy.default)


def envelopes(folder):
    """[(recipient, file)] of the stored messages."""
    return [(json.loads(file.read_text())["rcpt_to"][0], file.with_suffix(".eml"))
            for file in sorted(folder.glob("*.json"))]


def arrives_as_sent_and_verifies(binary, kinds=KINDS, config=QUICK):
    stack = Installation(binary, {"one.example": []}, config)
    folder = stack.directory
    stack.sink_config.append(f'store_directory = "{folder}/mail"')
    with stack:
        records = keys_of(stack)
        (folder / "opendkim.keys").write_text("".join(f"{k} {v}\n" for k, v in records.items()))
        (folder / "opendkim.conf").write_text(
            f"TestPublicKeys {folder}/opendkim.keys\nMode v\nRequireSafeKeys no\n")
        stack.settle(*[send(stack, local, kind) for local, kind in kinds.items()])
        stored = envelopes(folder / "mail")
        copies = ["copy@one.example", "blind@one.example"] if "cc" in kinds else []
        check_equal(sorted(address for address, _ in stored),
                    sorted([f"{local}@one.example" for local in kinds] + copies), "recipients")
        for address, file in stored:
            octets = file.read_bytes()
            local = address.partition("@")[0]
            local = "cc" if local in ("copy", "blind") else local
            check_dkimpy(octets, records, address)
            check_opendkim(folder, file, address)
            check_words(local, kinds[local], read(octets))
            check(all(len(line) <= 998 for line in octets.split(b"\r\n")), f"{address}: lines")
            check(octets.isascii() and b"\n" not in octets.replace(b"\r\n", b""),
                  f"{address}: not 7-bit, or a bare LF")
        for local, fell_back in (("emoji", True), ("iso", False)):
            if local not in kinds:
                continue
            story = stack.command("explain", f"{local}@one.example")
            check_equal("sent in UTF-8" in story, fell_back, f"{local}: charset in the story")


def arrives_in_slices(binary):
    """The same of attachments that are too large for the cache, and are not in memory as a whole."""
    files = [("large.pdf", "application/pdf", bytes(range(251)) * 2_500), FILES[1]]
    arrives_as_sent_and_verifies(
        binary, {local: {**KINDS[local], "files": files}
                 for local in ("attachment", "html-attachment")}, SMALL_CACHE)


def is_the_same_in_slices_on_a_retry(binary):
    is_the_same_on_a_retry(binary, SMALL_CACHE)


def is_the_same_on_a_retry(binary, config=QUICK):
    """The first answer is lost after the message was taken: both copies are kept by the sink."""
    stack = Installation(binary, {"one.example": []}, config)
    stack.sink_config.append(f'store_directory = "{stack.directory}/mail"')
    with stack:
        keys_of(stack)
        send(stack, "close-body", KINDS["html-attachment"])
        stack.wait_for(lambda: len(envelopes(stack.directory / "mail")) >= 2, "a second copy")
        copies = {file.read_bytes() for _, file in envelopes(stack.directory / "mail")}
        check_equal(len(copies), 1, "different copies")


if __name__ == "__main__":
    sys.exit(run(arrives_as_sent_and_verifies, is_the_same_on_a_retry, arrives_in_slices,
                 is_the_same_in_slices_on_a_retry))
