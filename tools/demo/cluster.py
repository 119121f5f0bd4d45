# SPDX-License-Identifier: Apache-2.0
"""The demonstration behind ./run --cluster: an installation of several processes over one PostgreSQL
server, each with addresses of its own, under load, of which two are killed on the way. Shows who did
what, and where every mail ended.

What a cluster is made of on one machine is what its test has (tests/system/cluster): everything is on
loopback, in a folder that is gone at the end.
"""
import argparse
import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system/cluster")]

from on_cluster import DOMAINS, OnCluster, addresses, queue_lines  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from show import width_of  # noqa: E402

ROLES = {"api1": "api", "api2": "api", "scheduler1": "scheduler", "scheduler2": "scheduler",
         "courier1": "courier", "courier2": "courier", "courier3": "courier",
         "events1": "events"}
RECEIVERS = {domain: ["delay = { body = 0.02 }"] for domain in DOMAINS}
BULK = 3_000
ARRIVE_WITHIN = 90
APIS = ("api1", "api2")


class Clients(threading.Thread):
    """Post transactions to both API processes by turns, as a balancer would have it."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.acknowledged = {name: [] for name in APIS}
        self.refused = 0
        self.enough = threading.Event()

    def run(self):
        number = 0
        while not self.enough.wait(0.02):
            number += 1
            name, to = APIS[number % 2], f"order{number}@{DOMAINS[number % len(DOMAINS)]}"
            if self.cluster.try_to_post(name, to):
                self.acknowledged[name].append(to)
            else:
                self.refused += 1

    def all(self):
        return [to for each in self.acknowledged.values() for to in each]


def print_table(rows):
    """The first row is the heading."""
    widths = [max(width_of(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths)]
        print(("  " + "  ".join(cells)).rstrip())


def owner_of_a_source(cluster):
    return next(name for name, part in cluster.parts.items()
                if part.roles == "courier" and cluster.sources_of(name) > 0)


def show_processes(cluster, said):
    print(f"\n{said}")
    rows = [("process", "roles", "leads", "sends from")]
    # A process is named by its data folder.
    names = {path.read_text().strip(): path.parent.name.removesuffix("-data")
             for path in cluster.directory.glob("*-data/node.id")}
    for node in sorted(cluster.nodes("api1"), key=lambda node: names[node["node"]]):
        rows.append((names[node["node"]], node["roles"], "yes" if node["leads"] else "",
                     ", ".join(node["sources"]) or ("stands by" if "courier" in node["roles"]
                                                    else "")))
    print_table(rows)


def show_end(cluster, clients, bulk, killed):
    senders = cluster.senders()
    wanted = set(bulk) | set(clients.all())
    rows = [("process", "accepted", "sent", "")]
    for name in ROLES:
        accepted = len(clients.acknowledged.get(name, ())) + (len(bulk) if name == "api1" else 0)
        sent = sum(by.count(name) for by in senders.values())
        rows.append((name, str(accepted or ""), str(sent or ""),
                     "killed" if name in killed else ""))
    print("\nwho did what")
    print_table(rows)
    lost = wanted - senders.keys()
    twice = {to: by for to, by in senders.items() if len(by) > 1}
    unexplained = [to for to, by in twice.items() if by[0] not in killed]
    print(f"\nacknowledged: {len(wanted)} recipients, {len(bulk)} of them of the bulk; refused while "
          f"nobody could store them: {clients.refused}")
    print(f"arrived: {len(wanted & senders.keys())}; lost: {len(lost)}; twice: {len(twice)}, each "
          "time first by the courier that was killed before its outcome was stored"
          if not unexplained else f"twice without a reason: {unexplained[:5]}")
    return not lost and not unexplained


def demonstrate(binary, server, queue, many):
    print("==> starting a database, receivers and eight processes of todoku")
    with OnCluster(binary, server, queue, ROLES, RECEIVERS) as cluster:
        cluster.wait_for(lambda: cluster.leader() is not None, "a leader")
        cluster.wait_for(lambda: sum(cluster.sources_of(name) for name, roles in ROLES.items()
                                     if roles == "courier") == 2, "owners of the sources")
        show_processes(cluster, "before")
        clients = Clients(cluster)
        clients.start()
        cluster.use("api1")
        bulk = addresses("reader", many)
        print(f"\n==> transactions to both API processes, and a bulk of {many}")
        cluster.bulk(bulk)
        cluster.wait_for(lambda: len(cluster.log()) > many // 4, "mail that goes out")
        killed = (cluster.leader(), owner_of_a_source(cluster))
        print(f"==> kill -9 of {killed[0]}, which leads, and of {killed[1]}, while it sends")
        for name in killed:
            cluster.kill(name)
        began = time.monotonic()
        cluster.wait_for(lambda: cluster.leader() is not None, "another leader", 20)
        print(f"    {cluster.leader()} leads after {time.monotonic() - began:.1f} s")
        left = [name for name, roles in ROLES.items() if roles == "courier" and name not in killed]
        cluster.wait_for(lambda: sum(cluster.sources_of(name) for name in left) == 2,
                         "other owners", 60)
        print(f"    its source is sent from again after {time.monotonic() - began:.1f} s: its lease "
              "was waited out")
        clients.enough.set()
        clients.join()
        cluster.await_arrivals_of(bulk + clients.all(), "all that was acknowledged", ARRIVE_WITHIN)
        print(f"    all that was acknowledged has arrived after {time.monotonic() - began:.1f} s")
        show_processes(cluster, "after")
        return show_end(cluster, clients, bulk, killed)


def main():
    parser = argparse.ArgumentParser(prog="./run --cluster", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--queue", choices=("store", "sqs"), default="store",
                        help="bells in the database, or in an emulator of Amazon SQS")
    parser.add_argument("--binary", type=pathlib.Path, metavar="FILE",
                        default=ROOT / "build/release/src/todoku",
                        help="a todoku that is built already; nothing is installed or built")
    parser.add_argument("--recipients", type=int, default=BULK, metavar="N",
                        help=f"of the bulk; {BULK} by default")
    given = parser.parse_args()
    work = [ROOT / "build/release/tests/sqs_emulator"] if given.queue == "sqs" else []
    with PostgresServer() as server, queue_lines(given.queue, *work) as queue:
        sound = demonstrate(given.binary, server, queue, given.recipients)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
