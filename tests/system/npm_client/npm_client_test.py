# SPDX-License-Identifier: Apache-2.0
"""The public npm package blastengine 2.2.9, unchanged but for its base URL, against the engine.

usage: npm_client_test.py TODOKU WORK_FOLDER
"""
import email
import email.policy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OFFICIAL = "https://app.engn.jp/api/v1"
MAILS = 1 + 3 + 60


def install(folder):
    """The package in `folder`, from the registry once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "client.js"):
        shutil.copy(HERE / name, folder)
    request = folder / "node_modules/blastengine/dist/libs/request.js"
    if not request.exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                        "--loglevel=error"], cwd=folder, check=True)
        shutil.copy(request, folder / "request.original.js")
    return request


def point_at(request, port, original):
    text = original.read_text()
    assert text.count(OFFICIAL) == 1, "the package has its base URL in one place"
    request.write_text(text.replace(OFFICIAL, f"http://127.0.0.1:{port}/api/v1"))


def messages(folder):
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(folder.glob("*.eml"))]


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def check_transaction(mails):
    (mail,) = [m for m in mails if m["To"].addresses[0].addr_spec == "buyer@one.example"]
    expect(mail["Subject"] == "ご注文の確認 山田 様", mail["Subject"])
    expect(mail["From"].addresses[0].display_name == "ショップ", mail["From"])
    text = mail.get_body(("plain",)).get_content()
    expect(text.strip() == "山田 様、ありがとうございます。", text)
    html = mail.get_body(("html",)).get_content()
    expect("<b>ありがとうございます。</b>" in html and "山田" in html, html)
    (attachment,) = mail.iter_attachments()
    expect(attachment.get_filename() == "請求書.txt", attachment.get_filename())
    expect(attachment.get_payload(decode=True).decode() == "合計 1,000 円\n", "attachment")


def run_client(stack, work, *arguments):
    done = subprocess.run(["node", "client.js", stack.login_id, stack.api_key, *arguments], cwd=work,
                          capture_output=True, text=True, timeout=600,
                          env={**os.environ, "TZ": "Asia/Tokyo"})
    expect(done.returncode == 0, done.stdout + done.stderr)
    return json.loads(done.stdout)


def check_log_and_usages(seen, bulk):
    expect(len(seen["logs"]) == MAILS, f"{len(seen['logs'])} rows of the log")
    expect({row["status"] for row in seen["logs"]} == {"SENT"}, seen["logs"])
    expect({row["lastResponseCode"] for row in seen["logs"]} == {"250"}, seen["logs"])
    expect(len(seen["own"]) == 3, seen["own"])
    expect({(row["deliveryId"], row["deliveryType"]) for row in seen["own"]} == {(bulk, "BULK")},
           seen["own"])
    expect(len(seen["months"]) == 3, seen["months"])
    expect(seen["months"][0] == seen["latest"], seen)
    expect([month["current"] for month in seen["months"]] == [MAILS, 0, 0], seen["months"])
    expect(seen["latest"]["planId"] == "unlimited", seen["latest"])
    expect("updateTime" in seen["latest"], seen["latest"])


def check_errors(seen, address):
    expect("no data found." in str(seen["nothing"]), seen)
    expect((seen["status"], seen["total"]) == ("FINISHED", 1), seen)
    expect(seen["url"].endswith("/download"), seen)
    (row,) = seen["rows"]
    expect((row["email"], row["response_code"]) == (address, "550"), row)
    expect(row["id"] > 0 and "5.1.1" in row["error_message"], row)
    expect(row["date"].startswith("20"), row)


def main():
    work = pathlib.Path(sys.argv[2])
    request = install(work)
    gone = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "550 5.1.1 no such user"']
    with Stack(sys.argv[1], {"one.example": [], "gone.example": gone},
               sink_config=['store_directory = "mails"', "store_max = 1000"]) as stack:
        point_at(request, stack.api_port, work / "request.original.js")
        attachment = stack.directory / "請求書.txt"
        attachment.write_text("合計 1,000 円\n", encoding="utf-8")
        result = run_client(stack, work, str(attachment))
        expect(result["subject"] == "ご注文の確認 __customer__ 様", result)
        expect(result["found"] == 2, result)
        stack.wait_for(lambda: len(messages(stack.directory / "mails")) >= MAILS, "all mails", 60)
        time.sleep(0.5)
        mails = messages(stack.directory / "mails")
        expect(len(mails) == MAILS, f"{len(mails)} mails, {MAILS} expected")
        check_transaction(mails)
        subjects = {m["Subject"] for m in mails}
        expect({f"お知らせ 読者{i} 様" for i in range(60)} <= subjects, "personalised subjects")
        for name in ("transaction", "bulk3", "bulk60"):
            stack.wait_for(lambda n=name: stack.status_of(result[n]) == "SENT", f"{name} to be SENT")
        check_log_and_usages(run_client(stack, work, "look", str(result["bulk3"])),
                             result["bulk3"])
        address = "nobody@gone.example"
        check_errors(run_client(stack, work, "errors", address), address)
    print(f"{MAILS} mails from the npm package arrived as written")


if __name__ == "__main__":
    main()
