# SPDX-License-Identifier: Apache-2.0
"""Mails to send: every body has the recipient's name in its first line, and so is its own."""

GREETING = "__name__ 様、いつもご利用いただきありがとうございます。"
LINE = "本文の行です。" * 6
SUBJECT = "お知らせ __name__ 様"


def text_of(octets):
    """A text part whose base64 has about so many octets. All letters are Japanese."""
    wanted = octets * 3 // 4 - len(GREETING.encode())
    return "\n".join([GREETING] + [LINE] * max(1, round(wanted / (len(LINE.encode()) + 1))))


def csv(addresses):
    """The file to import; `addresses` in its order, a name for each."""
    rows = ["email,__name__"]
    rows += [f"{address},受信者{number}" for number, address in enumerate(addresses)]
    return ("\n".join(rows) + "\n").encode()
