# SPDX-License-Identifier: Apache-2.0
"""Ports of this machine to listen on. As a program: prints one that is free for UDP and TCP.

They lie below those that the system gives to outgoing connections (net.ipv4.ip_local_port_range,
32768 and up): such a one would be taken by somebody between the look and the listening. For the same
reason a port that a process was told of is its own until it ends: a socket of an abstract name says
so to the others (unix(7)), also while nobody listens there yet.
"""
import random
import socket

FIRST, LAST = 10_000, 32_000
taken = {}


def free_port(*addresses, with_udp=False):
    """One that is free on all of the addresses; without any, on 127.0.0.1."""
    kinds = [socket.SOCK_STREAM] + ([socket.SOCK_DGRAM] if with_udp else [])
    for _ in range(1_000):
        port = random.randint(FIRST, LAST)
        if take(port) and all(
                is_free(address, port, kind)
                for address in addresses or ("127.0.0.1",) for kind in kinds):
            return port
    raise RuntimeError(f"no port is free on {', '.join(addresses)}")


def take(port):
    """Makes it ours; False where it was somebody's, or ours already."""
    if port in taken:
        return False
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0todoku-port-{port}")
    except OSError:
        claim.close()
        return False
    taken[port] = claim
    return True


def is_free(address, port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


if __name__ == "__main__":
    print(free_port(with_udp=True))
