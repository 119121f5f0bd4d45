# SPDX-License-Identifier: Apache-2.0
"""The public npm packages of Resend, Postmark, SendGrid and Amazon SES, with only base URL and
credentials changed, against the engine: what each field becomes at the receiver, and what each
package says of a refusal.

usage: doors_test.py TODOKU WORK_FOLDER
"""
import email
import email.policy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# Copies: of the full mails to and cc (and once bcc), and those of batches and entries.
COPIES = {"resend": 4 + 2, "postmark": 3 + 1, "sendgrid": 3 + 1, "ses": 3 + 1 + 2}


def install(folder):
    """The packages in `folder`, from the registry once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "client.js"):
        shutil.copy(HERE / name, folder)
    if not (folder / "node_modules/@aws-sdk/client-sesv2").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                        "--loglevel=error"], cwd=folder, check=True)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def mails_of(stack):
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((stack.directory / "mails").glob("*.eml"))]


def check_full(mails, door, subject, html):
    """Every field of the mail that each door was given."""
    copies = [mail for mail in mails if mail["Subject"] == subject]
    expect(len(copies) == (4 if door == "resend" else 3), f"{door}: {len(copies)} copies")
    for mail in copies:
        expect(mail["From"] == "Shop <shop@sender.example>", mail["From"])
        to = [address.addr_spec for address in mail["To"].addresses]
        expect(to == ["taro@one.example", "hanako@one.example"], to)
        expect(mail["Cc"] == "cc@one.example", mail["Cc"])
        expect(mail["Reply-To"] == "help@sender.example", mail["Reply-To"])
        expect(mail["X-Door"] == door, mail["X-Door"])
        text = mail.get_body(("plain",)).get_content()
        expect(text.startswith(f"{door} 本文"), text)
        expect(html in mail.get_body(("html",)).get_content(), html)
        (file,) = mail.iter_attachments()
        expect(file.get_filename() == "請求書.txt", file.get_filename())
        expect(file.get_payload(decode=True).decode() == "合計 1,000 円\n", "the file")


def check_resend(told):
    sent = told["sent"]["data"]["id"]
    expect(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sent), sent)
    expect(told["again"]["data"]["id"] == sent, "a repeat is answered as the first time")
    expect(told["other"]["error"]["name"] == "invalid_idempotent_request", told["other"])
    expect(len(told["batch"]["data"]["data"]) == 2, told["batch"])
    expect(told["strict"]["error"]["name"] == "validation_error", told["strict"])
    expect(told["template"]["error"]["message"].startswith("template: There is no template welcome"),
           told["template"])
    expect(told["stranger"]["error"]["name"] == "invalid_api_key", told["stranger"])


def check_postmark(told):
    sent = told["sent"]["answer"]
    expect((sent["ErrorCode"], sent["Message"]) == (0, "OK"), sent)
    expect(sent["To"] == "taro@one.example, hanako@one.example", sent)
    expect([each["ErrorCode"] for each in told["batch"]["answer"]] == [0, 300], told["batch"])
    for name, code, status in (("stream", 1235, 422), ("links", 300, 422), ("template", 1101, 422),
                               ("stranger", 10, 401)):
        error = told[name]["error"]
        expect((error["code"], error["status"]) == (code, status), error)
    expect(told["stranger"]["error"]["name"] == "InvalidAPIKeyError", told["stranger"])


def check_sendgrid(told):
    expect(told["sent"]["answer"]["status"] == 202, told["sent"])
    expect(told["sent"]["answer"]["id"], told["sent"])
    expect(told["sandbox"]["answer"]["status"] == 200, told["sandbox"])
    for name, status, field in (("template", 400, "template_id"),
                                ("clicks", 400, "tracking_settings.click_tracking"),
                                ("stranger", 401, None)):
        error = told[name]["error"]
        expect(error["code"] == status, error)
        expect(error["body"]["errors"][0]["field"] == field, error)


def check_ses(told, mails):
    sent = told["sent"]["answer"]["MessageId"]
    expect(any(mail["Message-ID"] == f"<{sent}>" for mail in mails), sent)
    entries = told["bulk"]["answer"]["BulkEmailEntryResults"]
    expect([entry["Status"] for entry in entries] == ["SUCCESS", "INVALID_PARAMETER"], entries)
    raw = [mail for mail in mails if mail["Subject"] == "ses raw"]
    expect(told["raw"]["answer"]["MessageId"] == "raw-7@sender.example", told["raw"])
    expect(len(raw) == 2, f"{len(raw)} copies of the whole message")
    for mail in raw:
        expect((mail["To"], mail["Bcc"]) == ("taro@one.example", None), mail)
        expect(mail["Message-ID"] == "<raw-7@sender.example>", mail["Message-ID"])
        expect(mail.get_content().strip() == "ses raw", repr(mail.get_content()))
        hops = mail.get_all("Received", [])
        expect(len(hops) == 1 and " with HTTP;" in hops[0], hops)
    for name, error_name, status in (("set", "NotFoundException", 404),
                                     ("tenant", "BadRequestException", 400),
                                     ("altered", "InvalidSignatureException", 403),
                                     ("stranger", "InvalidSignatureException", 403)):
        error = told[name]["error"]
        expect((error["name"], error["http"]) == (error_name, status), error)


def check_labels(stack, told):
    """What a mail is tagged with is the delivery's."""
    delivery = int(told["resend"]["sent"]["data"]["id"].rsplit("-", 1)[1], 16)
    labels = stack.api.call("GET", f"/deliveries/{delivery}/labels")
    expect("kind:order" in str(labels), labels)
    told = [event["metadata"] for event in stack.api.call("GET", "/events?count=1000&kind[]=accepted")["data"]
            if event["subject"] in ("postmark ご注文", "sendgrid 山田 様")]
    expect(told and all(each == {"order": "7"} for each in told), told)


def posted(stack, path, body, headers):
    """(status, JSON or None, headers) of a door's answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.api_port}/doors/{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


def deliveries_of(stack):
    return len(stack.api.call("GET", "/deliveries?size=100")["data"])


def check_limit_of_all(stack):
    """What does not fit as a whole sends nothing, so its repeat sends nothing twice."""
    headers = {"Authorization": f"Bearer {stack.api.token}"}
    mail = {"from": {"email": "shop@sender.example"},
            "content": [{"type": "text/plain", "value": "t"}], "subject": "limit",
            "personalizations": [{"to": [{"email": f"u{i}@one.example"}]} for i in range(3)]}
    before = deliveries_of(stack)
    # What was sent today counts, whenever the limit was set.
    stack.command("account", "limit", "tester", "--mails-per-day", "1000000")
    limit, = stack.api.call("GET", "/usages/days?days=1")["limits"]
    sent = limit["used"]
    for limit, status in ((2, 400), (sent + 4, 202), (sent + 5, 429), (sent + 100, 202)):
        stack.command("account", "limit", "tester", "--mails-per-day", str(limit))
        told = posted(stack, "sendgrid/v3/mail/send", mail, headers)
        expect(told[0] == status, (limit, told[0], told[1]))
        before += 3 if status == 202 else 0
        expect(deliveries_of(stack) == before, f"{deliveries_of(stack)}, not {before}")
    expect(told[2]["Idempotency-Replayed"] is None, "the same octets after all were accepted")


def check_places(stack):
    """A mail keeps its place in its request, whatever became of those before it."""
    headers = {"X-Postmark-Server-Token": stack.api.token, "Idempotency-Key": "places"}
    mails = [{"From": "shop@sender.example", "To": to, "Subject": "places", "TextBody": "t"}
             for to in ("nobody", "b@one.example")]
    before = deliveries_of(stack)
    first = posted(stack, "postmark/email/batch", mails, headers)[1]
    expect([each["ErrorCode"] for each in first] == [300, 0], first)
    mails[0]["To"] = "a@one.example"
    second = posted(stack, "postmark/email/batch", mails, headers)[1]
    expect([each["ErrorCode"] for each in second] == [0, 0], second)
    expect(second[1]["MessageID"] == first[1]["MessageID"], (first, second))
    expect(second[0]["To"] == "a@one.example", second)
    expect(deliveries_of(stack) == before + 2, f"{deliveries_of(stack)} after {before}")


def main():
    work = pathlib.Path(sys.argv[2])
    install(work)
    with Stack(sys.argv[1], {"one.example": []},
               sink_config=['store_directory = "mails"', "store_max = 1000"]) as stack:
        shown = stack.command("key", "add", "tester", "--label", "ses", "--scopes", "ses")
        access_key = re.search(r"access key id\s+(\S+)", shown).group(1)
        secret = re.search(r"secret access key\s+(\S+)", shown).group(1)
        done = subprocess.run(["node", "client.js", f"http://127.0.0.1:{stack.api_port}",
                               stack.api.token, access_key, secret], cwd=work, capture_output=True,
                              text=True)
        expect(done.returncode == 0 and done.stdout, done.stdout + done.stderr)
        told = json.loads(done.stdout)
        check_resend(told["resend"])
        check_postmark(told["postmark"])
        check_sendgrid(told["sendgrid"])
        stack.wait_for(lambda: len(mails_of(stack)) >= sum(COPIES.values()), "all mails", 60)
        mails = mails_of(stack)
        subjects = [mail["Subject"] for mail in mails]
        expect(not [each for each in subjects if each in ("never", "other", "ses ご注意")], subjects)
        expect(len(mails) == sum(COPIES.values()), subjects)
        check_ses(told["ses"], mails)
        check_full(mails, "resend", "resend ご注文", "resend <b>HTML</b>")
        check_full(mails, "postmark", "postmark ご注文", "postmark <b>HTML</b>")
        check_full(mails, "sendgrid", "sendgrid 山田 様", "sendgrid <b>山田</b>")
        check_full(mails, "ses", "ses ご注文", "ses <b>HTML</b>")
        for subject in ("resend batch b", "postmark batch a", "sendgrid 鈴木 様", "ses bulk 山田"):
            expect(subject in subjects, f"{subject} in {subjects}")
        check_labels(stack, told)
        check_places(stack)
        check_limit_of_all(stack)
    print(f"{len(mails)} copies arrived through four doors as written")


if __name__ == "__main__":
    main()
