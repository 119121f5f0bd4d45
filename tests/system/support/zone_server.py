# SPDX-License-Identifier: Apache-2.0
"""A name server on loopback, over UDP and TCP, for names made by a test.

    with ZoneServer({("example.jp", "TXT"): ["v=spf1 -all"], ("lame.jp", "A"): SERVFAIL}) as server:
        ...  # 127.0.0.1, server.port, unless others are given

Values: TXT and addresses as text, or octets for TXT; MX as "10 host."; PTR and CNAME as "host.".
A name without any record does not exist; SERVFAIL in place of values is that.
"""
import socketserver
import struct
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

SERVFAIL = "SERVFAIL"
TXT_STRING_OCTETS = 255
UDP_OCTETS = 1232


def txt(value):
    octets = value if isinstance(value, bytes) else value.encode()
    strings = [octets[i:i + TXT_STRING_OCTETS] for i in range(0, len(octets), TXT_STRING_OCTETS)]
    return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings or [b""])


class ZoneServer:
    def __init__(self, zone, address="127.0.0.1", port=0):
        self.zone, self.names = {}, set()
        self.answers = {}
        self.add(zone)
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                query, socket = self.request
                answer = server.answer(query, UDP_OCTETS)
                if answer:
                    socket.sendto(answer, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while len(head := self.rfile.read(2)) == 2:
                    query = self.rfile.read(struct.unpack("!H", head)[0])
                    answer = server.answer(query, 65535)
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)

        socketserver.ThreadingTCPServer.daemon_threads = True
        self.tcp = socketserver.ThreadingTCPServer((address, port), Tcp)
        self.port = self.tcp.server_address[1]
        self.udp = socketserver.UDPServer((address, self.port), Udp)

    def add(self, zone):
        for (name, kind), values in zone.items():
            key = dns.name.from_text(name).canonicalize()
            self.zone[key, dns.rdatatype.from_text(kind)] = values
            while key != dns.name.root:  # what is above a name exists, too (RFC 8020)
                self.names.add(key)
                key = key.parent()

    def __enter__(self):
        for server in (self.udp, self.tcp):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()

    def answer(self, octets, octets_max):
        query = dns.message.from_wire(octets)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA | dns.flags.AA
        question = query.question[0]
        name = question.name.canonicalize()
        values = self.zone.get((name, question.rdtype))
        alias = self.zone.get((name, dns.rdatatype.CNAME))
        if values == SERVFAIL:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            reply.answer.append(self.rrset(question.name, question.rdtype, values))
        elif alias:  # which who asks follows
            reply.answer.append(self.rrset(question.name, dns.rdatatype.CNAME, alias))
        elif name not in self.names:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        # Else what the question allows, and no TC beyond it; records in the order of the zone.
        wire = reply.to_wire(max_size=65535, want_shuffle=False)
        if len(wire) <= octets_max:
            return wire
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    @staticmethod
    def rrset(name, kind, values):
        if kind == dns.rdatatype.TXT:
            return dns.rrset.from_rdata_list(name, 60, [txt(value) for value in values])
        return dns.rrset.from_text(name, 60, "IN", dns.rdatatype.to_text(kind), *values)
