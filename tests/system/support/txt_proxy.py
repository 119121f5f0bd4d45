# SPDX-License-Identifier: Apache-2.0
"""A name server before the real one to which TXT records can be given and taken while it runs."""
import struct

from dns_proxy import SOA, DnsProxy, end_of_question, reply

TYPE_TXT = 16
SERVFAIL = 2


def name_asked(query):
    labels, at = [], 12
    while query[at] != 0:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower()


class TxtProxy(DnsProxy):
    """`texts`: {name: text}, one each; `failing`: names that are answered SERVFAIL."""

    def __init__(self, real_port):
        super().__init__(real_port)
        self.texts = {}
        self.failing = set()

    def answer(self, query, mode):
        end = end_of_question(query)
        asked = struct.unpack("!H", query[end - 4:end - 2])[0]
        name = name_asked(query)
        if name in self.failing:
            return reply(query, SERVFAIL)
        if asked == TYPE_TXT and name in self.texts:
            text = self.texts[name].encode()
            data = bytes([len(text)]) + text
            record = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_TXT, 1, 60, len(data)) + data
            return reply(query, 0, answer=record)
        if asked == TYPE_TXT and name.startswith("_todoku-challenge."):
            return reply(query, 3, authority=SOA)  # remembered for an hour by who does not ask anew
        return super().answer(query, mode)
