# SPDX-License-Identifier: Apache-2.0
"""The balancer of a local target: `balancer.py FOLDER`. FOLDER/balancer.json says where it listens
and who stands behind, {"127.0.0.1:8025": ["127.0.0.1:10123", ...]}, and is looked at again when it
changes. Ends when its folder is gone, or at SIGTERM.

A connection goes to the next of those behind; one that cannot be connected to is passed over, as
nothing was sent to it. A connection that is open stays where it is, also when that one is taken out.
It speaks no protocol, so it serves the API and the relay.
"""
import asyncio
import json
import pathlib
import sys

LOOK_SECONDS = 0.1
CONNECT_SECONDS = 2
PIECE_OCTETS = 1 << 16
WAITING_MAX = 512  # connections that the kernel keeps until they are taken


async def pass_on(reader, writer):
    try:
        while piece := await reader.read(PIECE_OCTETS):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()


class Door:
    """One address that it listens at."""

    def __init__(self):
        self.behind = []
        self.turn = 0
        self.server = None

    async def connect(self):
        for _ in range(len(self.behind)):
            host, _, port = self.behind[self.turn % len(self.behind)].rpartition(":")
            self.turn += 1
            try:
                return await asyncio.wait_for(asyncio.open_connection(host, int(port)),
                                              CONNECT_SECONDS)
            except OSError:
                continue
        return None

    async def serve(self, reader, writer):
        ends = await self.connect()
        if ends is None:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(pass_on(reader, ends[1]), pass_on(ends[0], writer))
        finally:
            ends[1].close()
            writer.close()


async def balance(folder):
    doors, seen = {}, None
    path = folder / "balancer.json"
    while folder.exists():
        text = path.read_text() if path.exists() else "{}"
        if text != seen:
            seen = text
            for address, behind in json.loads(text).items():
                if address not in doors:
                    host, _, port = address.rpartition(":")
                    door = doors[address] = Door()
                    door.server = await asyncio.start_server(door.serve, host, int(port),
                                                             backlog=WAITING_MAX)
                doors[address].behind = behind
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    asyncio.run(balance(pathlib.Path(sys.argv[1])))
