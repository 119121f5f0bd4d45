# SPDX-License-Identifier: Apache-2.0
"""What is sent: the texts, the addressees, and what each of them must find in their mailbox."""
import csv
import dataclasses
import io

from scenario import RECEIVERS, SENDER_DOMAIN

SURNAMES = ("佐藤", "鈴木", "髙橋", "田中", "伊藤", "渡邊", "山本", "中村", "小林", "加藤", "吉田",
            "山﨑", "佐々木", "齋藤", "松本", "井上", "木村", "林", "清水", "山口")
GIVEN_NAMES = ("太郎", "花子", "一郎", "さくら", "健", "美咲", "大輔", "陽子", "翔太", "結衣")
ROMAN = ("sato", "suzuki", "takahashi", "tanaka", "ito", "watanabe", "yamamoto", "nakamura",
         "kobayashi", "kato", "yoshida", "yamazaki", "sasaki", "saito", "matsumoto", "inoue",
         "kimura", "hayashi", "shimizu", "yamaguchi")
FROM = {"email": f"news@{SENDER_DOMAIN}", "name": "届く商店"}


@dataclasses.dataclass(frozen=True)
class Addressee:
    email: str
    name: str
    points: str
    coupon: str


def addressees():
    """Everybody on the list of the bulk, in an order that mixes the domains."""
    people = []
    for receiver in RECEIVERS:
        for i in range(receiver.mails):
            number = len(people)
            surname = number % len(SURNAMES)
            name = SURNAMES[surname] + " " + GIVEN_NAMES[(number // 20) % len(GIVEN_NAMES)]
            people.append((i / receiver.mails,
                           Addressee(f"{ROMAN[surname]}{number + 1:04}@{receiver.domain}", name,
                                     f"{(number * 7919) % 9000 + 100:,}",
                                     f"TDK-{(number * 104729) % 1000000:06}")))
    return [person for _, person in sorted(people, key=lambda entry: entry[0])]


BULK = {
    "from": FROM,
    "subject": "__name__ 様へ: 今月のポイントは __points__ 点です",
    "text_part": "__name__ 様\r\n\r\nいつも届く商店をご利用いただき、ありがとうございます。\r\n"
    "現在のポイントは __points__ 点です。\r\n"
    "クーポン番号 __coupon__ を、今月末までお使いいただけます。\r\n\r\n届く商店\r\n",
    "html_part": "<html><body><p><b>__name__ 様</b></p><p>現在のポイントは <b>__points__</b> 点です。"
    "<br>クーポン番号: __coupon__</p><p>届く商店</p></body></html>",
    "list_unsubscribe": {"url": f"https://{SENDER_DOMAIN}/unsubscribe?c=__coupon__"},
}


def bulk_csv(people):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["email", "__name__", "__points__", "__coupon__"])
    for person in people:
        writer.writerow([person.email, person.name, person.points, person.coupon])
    return text.getvalue().encode()


CUSTOMER = Addressee("taro.yamada@example.jp", "山田 太郎", "", "TDK-20481")
ATTACHMENT_NAME = "ご注文明細.txt"
ATTACHMENT = "品名,数量,金額\r\n届く手帳,2,2400円\r\n封筒 (100枚),1,880円\r\n".encode()
TRANSACTION = {
    "from": {"email": f"order@{SENDER_DOMAIN}", "name": "届く商店 ご注文係"},
    "to": CUSTOMER.email,
    "subject": "【届く商店】ご注文 __order__ を承りました",
    "text_part": "__name__ 様\r\n\r\nご注文 __order__ を承りました。\r\n明細を添付いたします。\r\n",
    "html_part": "",
    "insert_code": [{"key": "__name__", "value": CUSTOMER.name},
                    {"key": "__order__", "value": CUSTOMER.coupon}],
}


def expected_words(person):
    """Words that stand in the mail of this person and nowhere else."""
    return [word for word in (person.name, person.points, person.coupon) if word]
