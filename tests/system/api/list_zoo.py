# SPDX-License-Identifier: Apache-2.0
"""Lists as programs of Japanese offices write them, octet by octet, each with what is in it.

Made by what is known of each program: Excel, Numbers, Access, LibreOffice, Google Sheets, kintone,
Salesforce, databases. Every list has rows that are good and one whose address is none, so that its
error row shows the values as they were read.
"""
import dataclasses

HEADER = ("email", "__name__", "__note__")


@dataclasses.dataclass
class Specimen:
    name: str
    octets: bytes
    encoding: str
    separator: str
    recipients: int = 2
    malformed: int = 1
    shown: tuple = ("髙橋 ①", "㈱山﨑")  # of the last row that is refused: its values
    by: str = None  # None: whatever it is known by


def field(text, separator, quoted):
    if quoted or any(c in text for c in f'{separator}"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def table(rows, separator=",", end="\r\n", quoted=False, last_end=True):
    lines = [separator.join(field(cell, separator, quoted) for cell in row) for row in rows]
    return end.join(lines) + (end if last_end else "")


def rows(name="髙橋 ①", note="㈱山﨑", header=HEADER):
    return [header, ("a@example.jp", "佐藤", "表示"), ("b@example.com", "鈴木", ""), ("bad", name, note)]


def specimens():
    plain = rows()
    utf8, sjis, bom = "utf_8", "shift_jis", b"\xef\xbb\xbf"

    def made(name, octets, encoding, separator="comma", **more):
        return Specimen(name, octets, encoding, separator, **more)

    yield made("Excel, CSV UTF-8", bom + table(plain).encode(), utf8, by="mark")
    yield made("Excel, CSV", table(plain).encode("cp932"), sjis, by="octets")
    yield made("Excel, Unicode text", table(plain, "\t").encode("utf-16"), "utf_16le", "tab", by="mark")
    yield made("Excel, Unicode text, the other order", b"\xfe\xff" + table(plain, "\t").encode("utf-16-be"),
               "utf_16be", "tab", by="mark")
    yield made("Excel, UTF-16 whose mark was lost", table(plain, "\t").encode("utf-16-le"), "utf_16le",
               "tab", by="octets")
    yield made("Excel, text", table(plain, "\t").encode("cp932"), sjis, "tab")
    yield made("Excel where lists have semicolons", bom + table(plain, ";").encode(), utf8, "semicolon")
    yield made("Excel, sep=;", bom + b"sep=;\r\n" + table(plain, ";").encode(), utf8, "semicolon")
    yield made("Excel, sep=,", b"sep=,\r\n" + table(plain).encode("cp932"), sjis)
    yield made("Excel, sep= and a tab", b"sep=\t\r\n" + table(plain, "\t").encode("cp932"), sjis, "tab")
    yield made("Excel, sep=|, with ポ, whose second octet is one",
               b"sep=|\r\n" + table(rows("ポチ", "ポ|タ"), "|").encode("cp932"), sjis, "bar",
               shown=("ポチ", "ポ|タ"))
    yield made("Excel, columns that were deleted",
               table([(*row, "", "") for row in plain]).encode("cp932"), sjis)
    yield made("Excel, rows that were deleted",
               table([*plain, ("", "", ""), ("", "", "")]).encode("cp932"), sjis)
    yield made("Excel, both", bom + table([(*row, "", "", "") for row in [*plain, ("", "", "")]]).encode(),
               utf8)
    yield made("Excel for the old Macintosh", table(plain, end="\r").encode("cp932"), sjis)
    yield made("Excel, lines in cells", table(rows("髙橋\n①", "㈱\n山﨑")).encode("cp932"), sjis,
               shown=("髙橋\n①", "㈱\n山﨑"))
    yield made("Excel, quotation marks", table(rows('"髙橋"', '①"')).encode("cp932"), sjis,
               shown=('"髙橋"', '①"'))
    yield made("Excel, half-width katakana", table(rows("ﾀｶﾊｼ ｲﾁﾛｳ", "ｶﾌﾞ")).encode("cp932"), sjis,
               shown=("ﾀｶﾊｼ ｲﾁﾛｳ", "ｶﾌﾞ"))
    yield made("Excel, nothing but half-width katakana",
               table([HEADER, ("a@example.jp", "ｻﾄｳ", ""), ("bad", "ﾀｶﾊｼ", "ｶﾌﾞ")]).encode("cp932"), sjis,
               recipients=1, shown=("ﾀｶﾊｼ", "ｶﾌﾞ"))
    yield made("Excel, characters that end in a backslash", table(rows("表計算ソフト", "能力")).encode("cp932"),
               sjis, shown=("表計算ソフト", "能力"))
    yield made("Excel, what IBM and NEC added", table(rows("髙﨑彅", "㌔㍉Ⅲ№")).encode("cp932"), sjis,
               shown=("髙﨑彅", "㌔㍉Ⅲ№"))
    yield made("Excel, beyond the BMP", table(rows("𠮷野", "😀"), "\t").encode("utf-16"), "utf_16le", "tab",
               shown=("𠮷野", "😀"))
    yield made("Excel, a wave dash and a minus", table(rows("～－", "∥￢")).encode("cp932"), sjis,
               shown=("～－", "∥￢"))
    yield made("Numbers", table(plain, end="\n").encode(), utf8)
    yield made("Numbers, for Excel", table(plain).encode(), utf8)
    yield made("Numbers, Windows Japanese", table(plain, end="\n").encode("cp932"), sjis)
    yield made("Numbers, UTF-16", table(plain, end="\n").encode("utf-16"), "utf_16le")
    yield made("Access", table(plain, quoted=True).encode("cp932"), sjis)
    yield made("Access, tabs", table(plain, "\t", quoted=True).encode("cp932"), sjis, "tab")
    yield made("Access, UTF-8", table(plain, ";", quoted=True).encode(), utf8, "semicolon")
    yield made("LibreOffice", table(plain, end="\n").encode(), utf8)
    yield made("LibreOffice, all text quoted", table(plain, end="\n", quoted=True).encode(), utf8)
    yield made("LibreOffice, Unicode", table(plain, end="\n").encode("utf-16"), "utf_16le")
    yield made("LibreOffice, Japanese (Windows-932)", table(plain, ";", "\n").encode("cp932"), sjis,
               "semicolon")
    yield made("LibreOffice, Japanese (EUC-JP), told row by row",
               table(rows("高橋太郎", "山田"), end="\n").encode("euc-jp"), utf8, recipients=0, malformed=3,
               shown=None)
    yield made("Google Sheets", table(plain, last_end=False).encode(), utf8)
    yield made("Google Sheets, TSV", table(plain, "\t", last_end=False).encode(), utf8, "tab")
    yield made("kintone", table(plain, quoted=True, end="\n").encode("cp932"), sjis)
    yield made("kintone, UTF-8", bom + table(plain, quoted=True, end="\n").encode(), utf8)
    yield made("Salesforce", table(plain, quoted=True, end="\n").encode(), utf8)
    yield made("PostgreSQL, copy", table(plain, end="\n").encode(), utf8)
    yield made("MySQL, batch", table(plain, "\t", "\n").encode(), utf8, "tab")
    yield made("ASCII alone", table([HEADER, ("a@example.jp", "Sato", ""), ("bad", "Abe", "x")]).encode(),
               utf8, recipients=1, shown=("Abe", "x"), by="ascii")
    yield made("rows that are short", table([HEADER, ("a@example.jp",), ("b@example.com", "鈴木"),
                                             ("bad", "髙橋 ①", "㈱山﨑")]).encode("cp932"), sjis)
    yield made("empty rows before and between", "\r\n\r\n".join(
        ["", *table(plain, last_end=False).split("\r\n")]).encode("cp932"), sjis)
    yield made("a row pasted from another file",
               table(plain[:3]).encode() + "c@example.jp,山田,\r\n".encode("cp932") + b"bad,x,y\r\n",
               utf8, malformed=2, shown=("x", "y"))
    yield made("an octet that is none", table(plain[:3]).encode("cp932") + b"c@example.jp,\xff,\r\n" +
               "bad,山,田\r\n".encode("cp932"), sjis, malformed=2, shown=("山", "田"))
    yield made("a quotation mark without an end",
               table(plain).encode("cp932") + '"c@example.jp,山田\r\n'.encode("cp932"), sjis, malformed=2,
               shown=None)
