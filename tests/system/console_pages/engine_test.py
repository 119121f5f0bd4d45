# SPDX-License-Identifier: Apache-2.0
"""The console in a browser against the engine: from the link of the first operator to what became of mails.

usage: engine_test.py TODOKU WORK_OF_CONSOLE
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "support"))

from stack import Stack  # noqa: E402

REFUSED = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "550 5.1.1 no such user"']
BULK = 40


def send_what_is_looked_for(stack):
    sender = {"email": "order@sender.example", "name": "サンプル商店"}
    for address, reference in (("hanako@one.example", "4710"), ("taro@gone.example", "4711")):
        stack.api.call("POST", "/deliveries/transaction", {
            "from": sender, "to": address, "subject": f"ご注文の確認（注文番号 {reference}）",
            "text_part": "ありがとうございます。", "html_part": "<p style=\"color:#123456\">ありがとうございます。</p>",
            "reference": reference})
    bulk = stack.api.call("POST", "/deliveries/bulk/begin", {
        "from": sender, "subject": "年末年始のお知らせ", "text_part": "よいお年を。"})["delivery_id"]
    for number in range(BULK):
        stack.api.call("POST", f"/deliveries/{bulk}/emails", {"email": f"person{number}@one.example"})
    # Slow enough to be seen on its way.
    stack.api.call("PUT", f"/deliveries/{bulk}/pace", {"mails": 6, "per": "minute"})
    stack.api.call("PATCH", f"/deliveries/bulk/commit/{bulk}/immediate", {})
    stack.api.call("POST", "/templates", {"name": "welcome", "subject": "__name__ 様", "text_part": "ようこそ __name__ 様",
                                          "html_part": "<p>ようこそ __name__ 様</p>"})
    return bulk


def main():
    with Stack(sys.argv[1], {"one.example": [], "gone.example": REFUSED},
               config=["[console]", 'listen = "127.0.0.1:0"']) as stack:
        url = json.loads(stack.command("--json", "status"))["console"]
        bulk = send_what_is_looked_for(stack)
        link = re.search(r"^\S+://\S+/link#\S+$", stack.command("console", "operator"), re.MULTILINE)[0]
        done = subprocess.run([sys.executable, "-B", ROOT / "tools/console", "browse", sys.argv[2], HERE / "engine_test.mjs",
                               url, link, str(bulk)])
        if done.returncode != 0:
            raise AssertionError("see above")


if __name__ == "__main__":
    main()
