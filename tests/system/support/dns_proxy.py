# SPDX-License-Identifier: Apache-2.0
"""A name server before the real one that can be told to lie. UDP on loopback.

    with DnsProxy(port_of_the_real_one) as proxy:
        proxy.mode = "deny"
"""
import socket
import struct
import threading

NXDOMAIN = 3
TYPE_A = 1
IPV4_OCTETS = 4

# An SOA of the root that lets NXDOMAIN be remembered for an hour (RFC 2308 section 5).
SOA = (b"\0" + struct.pack("!HHIH", 6, 1, 3600, 22) + b"\0\0" +
       struct.pack("!IIIII", 1, 3600, 600, 86400, 3600))


def end_of_question(packet):
    """Where the only question of `packet` ends."""
    at = 12
    while packet[at] != 0:
        at += 1 + packet[at]
    return at + 5


def reply(query, rcode, answer=b"", authority=b""):
    """`query` answered; `answer` and `authority` are one record each, or nothing."""
    header = query[:2] + struct.pack("!BBHHHH", 0x81, 0x80 | rcode, 1, bool(answer),
                                     bool(authority), 0)
    return header + query[12:end_of_question(query)] + answer + authority


class DnsProxy:
    """`mode`: honest (what the real server says), deny (NXDOMAIN for everything), empty (every name
    exists and has no records), invent (`invented` for names that do not exist), silent."""

    def __init__(self, real_port, invented="127.0.2.99"):
        self.mode = "honest"
        self.invented = socket.inet_aton(invented)
        self.real = ("127.0.0.1", real_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.mode = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            mode = self.mode
            if mode is None:
                return
            answer = self.answer(query, mode)
            if answer is not None:
                self.socket.sendto(answer, client)

    def answer(self, query, mode):
        if mode == "silent":
            return None
        if mode == "deny":
            return reply(query, NXDOMAIN, authority=SOA)
        if mode == "empty":
            return reply(query, 0, authority=SOA)
        honest = self.ask(query)
        asked = struct.unpack("!H", query[end_of_question(query) - 4:end_of_question(query) - 2])[0]
        if mode == "invent" and asked == TYPE_A and honest[3] & 0xF == NXDOMAIN:
            record = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, 60, IPV4_OCTETS) + self.invented
            return reply(query, 0, answer=record)
        return honest

    def ask(self, query):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(5)
            server.sendto(query, self.real)
            return server.recv(65535)
