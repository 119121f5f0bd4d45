# SPDX-License-Identifier: Apache-2.0
"""Ports of this machine to listen on. As a program: prints one that is free for UDP and TCP.

They lie below those that the system gives to outgoing connections (net.ipv4.ip_local_port_range,
32768 and up): such a one would be taken by somebody between the look and the listening.
"""
import random
import socket

FIRST, LAST = 10_000, 32_000


def free_port(*addresses, with_udp=False):
    """One that is free on all of the addresses; without any, on 127.0.0.1."""
    kinds = [socket.SOCK_STREAM] + ([socket.SOCK_DGRAM] if with_udp else [])
    for _ in range(1_000):
        port = random.randint(FIRST, LAST)
        if all(is_free(address, port, kind)
               for address in addresses or ("127.0.0.1",) for kind in kinds):
            return port
    raise RuntimeError(f"no port is free on {', '.join(addresses)}")


def is_free(address, port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


if __name__ == "__main__":
    print(free_port(with_udp=True))
