# SPDX-License-Identifier: Apache-2.0
"""A relay on loopback to a database's Unix socket, which can swallow everything both ways without a
word, as a network does that is cut.

    with SocketRelay(server_folder, "127.0.4.1", port) as relay:
        relay.cut(); relay.mend()
"""
import pathlib
import selectors
import socket
import threading

NAME = ".s.PGSQL.5432"
CHUNK = 1 << 16


class SocketRelay:
    def __init__(self, server_folder, address, port):
        self.server = str(pathlib.Path(server_folder) / NAME)
        self.whole = threading.Event()
        self.whole.set()
        self.over = False
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((address, port), backlog=64)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.whole.set()
        self.thread.join(5)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def cut(self):
        self.whole.clear()

    def mend(self):
        self.whole.set()

    def run(self):
        while not self.over:
            self.whole.wait()
            for key, _ in self.selector.select(0.2):
                if not self.whole.is_set():
                    break
                if key.data is None:
                    self.join_up()
                else:
                    self.carry(key.fileobj, key.data)

    def join_up(self):
        near, _ = self.listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self.server)
        except OSError:
            near.close()
            return
        self.selector.register(near, selectors.EVENT_READ, far)
        self.selector.register(far, selectors.EVENT_READ, near)

    def carry(self, source, target):
        try:
            octets = source.recv(CHUNK)
            if octets:
                target.sendall(octets)
                return
        except OSError:
            pass
        for each in (source, target):
            try:
                self.selector.unregister(each)
            except (KeyError, ValueError):
                pass
            each.close()
