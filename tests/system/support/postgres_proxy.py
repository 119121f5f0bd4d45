# SPDX-License-Identifier: Apache-2.0
"""A network between an engine and its PostgreSQL server: it passes octets on until it is told to
lose an answer, and is away from then on.

    with PostgresProxy(server) as proxy:
        proxy.lose_answer(b"INSERT INTO deliveries(")
        ...
        proxy.come_back()
"""
import socket
import threading
import time

from ports import free_port

DONE_WITHIN = 0.5  # seconds: what has reached the server is done by then


class PostgresProxy:
    def __init__(self, server):
        self.target = str(server.folder / ".s.PGSQL.5432")
        self.port = free_port()
        self.lock = threading.Lock()
        self.pairs = set()
        self.wanted = None  # what the statement has whose answer gets lost
        self.lost = threading.Event()
        self.away = False
        self.sees = None  # octets of who sees the server also while it is away for others
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def address(self, database, user):
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user}"

    def lose_answer(self, statement):
        self.lost.clear()
        self.wanted = statement

    def come_back(self):
        self.away = False

    def cut(self):
        with self.lock:
            pairs = list(self.pairs)
        for end in (end for pair in pairs for end in pair):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        with client, server:
            try:
                sees = self.is_seen_by(client)
                if self.away and not sees:
                    return
                server.connect(self.target)
            except OSError:
                return
            pair = (client, server)
            with self.lock:
                self.pairs.add(pair)
            if self.away and not sees:  # since it was asked above: cut() has not seen it
                self.end_both(client, server)
            down = threading.Thread(target=self.pass_down, args=(server, client, sees), daemon=True)
            down.start()
            self.pass_up(client, server, sees)
            down.join()
            with self.lock:
                self.pairs.discard(pair)

    @staticmethod
    def end_both(one, other):
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def is_seen_by(self, client):
        """By what the client says first (without TLS, the parameters of its connection)."""
        return self.sees is not None and self.sees in client.recv(4096, socket.MSG_PEEK)

    def pass_down(self, server, client, sees):
        try:
            while octets := server.recv(65536):
                if sees or not self.away:
                    client.sendall(octets)
        except OSError:
            pass
        self.end_both(server, client)

    def pass_up(self, client, server, sees):
        try:
            while octets := client.recv(65536):
                wanted = self.wanted
                if wanted is not None and wanted in octets:
                    self.wanted, self.away = None, True
                    server.sendall(octets)
                    self.pass_rest(client, server)
                    self.lost.set()
                    self.cut()
                    return
                if sees or not self.away:
                    server.sendall(octets)
        except OSError:
            pass
        self.end_both(client, server)

    @staticmethod
    def pass_rest(client, server):
        """Of a flight that came in several pieces."""
        until = time.monotonic() + DONE_WITHIN
        client.settimeout(DONE_WITHIN)
        try:
            while time.monotonic() < until and (octets := client.recv(65536)):
                server.sendall(octets)
        except TimeoutError:
            pass
