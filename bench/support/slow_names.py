# SPDX-License-Identifier: Apache-2.0
"""A name server before the real one, as it is met on the internet: each answer comes late, and the
servers of some domains are dead, so that nothing comes at all. UDP on loopback, a thread of its own."""
import asyncio
import socket
import threading


def name_asked(query):
    """The name in the only question of `query`, lower case: "a.example"."""
    labels, at = [], 12
    while query[at] != 0:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    return ".".join(labels)


class SlowNames(asyncio.DatagramProtocol):
    """`is_dead(name)`: nobody answers for it."""

    def __init__(self, real_port, latency, is_dead, port=0):
        self.real, self.latency, self.is_dead = ("127.0.0.1", real_port), latency, is_dead
        self.asked = self.unanswered = 0
        self.waiting = {}  # by the id that the real server was asked with
        self.next_id = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def serve(self):
        asyncio.set_event_loop(self.loop)
        make = self.loop.create_datagram_endpoint
        self.front, _ = self.loop.run_until_complete(make(lambda: self, sock=self.socket))
        answers = type("Answers", (asyncio.DatagramProtocol,),
                       {"datagram_received": lambda _, answer, __: self.answered(answer)})
        self.back, _ = self.loop.run_until_complete(make(answers, remote_addr=self.real))
        self.loop.run_forever()
        self.front.close()
        self.back.close()

    def datagram_received(self, query, client):
        self.asked += 1
        if self.is_dead(name_asked(query)):
            self.unanswered += 1
            return
        self.loop.call_later(self.latency, self.pass_on, query, client)

    def pass_on(self, query, client):
        self.next_id = (self.next_id + 1) & 0xFFFF
        self.waiting[self.next_id] = (query[:2], client)
        self.back.sendto(self.next_id.to_bytes(2, "big") + query[2:])

    def answered(self, answer):
        own_id, client = self.waiting.pop(int.from_bytes(answer[:2], "big"), (None, None))
        if own_id is not None:
            self.front.sendto(own_id + answer[2:], client)
