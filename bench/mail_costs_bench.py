# SPDX-License-Identifier: Apache-2.0
"""What one mail costs the store on PostgreSQL and the processors: what docs/scale.md multiplies.

A signed bulk, its import apart from its sending, and transactions one after the other from several
callers, on a server of its own with everything on that makes a commit last (fsync,
synchronous_commit, full_page_writes). Counted by the server: octets of its log, commits, rows; what
the tables grew by. Processor time is the engine's and that of all of the server's processes.
  --mails N         of the bulk, instead of 100,000
  --transactions N  instead of 10,000
  --quick           a tenth of both
"""
import argparse
import concurrent.futures
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, SIGNED, BenchStack  # noqa: E402  (first: it adds folders)
from figures import figure  # noqa: E402
import bench_mails  # noqa: E402
import postgres_server  # noqa: E402
import process_info  # noqa: E402

TEXT = bench_mails.text_of(2048)
CALLERS = 32
SETTINGS = ("listen_addresses=", "max_connections=40", "shared_buffers=512MB", "max_wal_size=4GB",
            "unix_socket_permissions=0777", "log_min_messages=fatal",
            "password_encryption=scram-sha-256")
USER, PASSWORD, DATABASE = "todoku", "pass word", "mail"
SENDING_SECONDS_MAX = 900
STATISTICS_SECONDS = 11  # after which an idle session has told what it did


class OnServer(BenchStack):
    def __init__(self, binary, server):
        super().__init__(binary, {"one.example": FAST}, [
            "connections_max = 20", "messages_per_connection = 1000", "[store]",
            'kind = "postgres"', "[store.postgres]",
            f'address = "{server.address(DATABASE, USER)}"', 'password_file = "password"'])
        self.server = server
        server.make_user(USER, PASSWORD)
        server.make_database(DATABASE, USER)
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")

    def add_account(self):
        self.command("migrate", "up")
        super().add_account()

    def sending(self, mails, commit):
        """Seconds from `commit` until so many more outcomes are on record."""
        before = self.metric("todoku_outcomes_total")
        began = time.monotonic()
        commit()
        while self.metric("todoku_outcomes_total") - before < mails:
            if time.monotonic() - began > SENDING_SECONDS_MAX:
                raise RuntimeError("the mails do not go out")
            time.sleep(2)  # each look costs the server something, too
        return time.monotonic() - began


def server_cpu(server):
    """Seconds of the server and of all its processes, those that have ended included."""
    pid = server.process.pid
    ended = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    living = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (sum(int(each) for each in ended) / process_info.CLOCK_TICKS +
            sum(process_info.cpu_seconds(int(each)) for each in [pid, *living]))


def costs(stack):
    """What has been spent so far."""
    time.sleep(STATISTICS_SECONDS)
    one = stack.server.sql(
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, xact_commit,"
        " tup_inserted, tup_updated, tup_deleted, pg_database_size(current_database())"
        f" FROM pg_stat_database WHERE datname = '{DATABASE}'", DATABASE)
    log, commits, inserted, updated, deleted, size = (int(each) for each in one.split("|"))
    return {"log": log, "commits": commits, "inserted": inserted, "updated": updated,
            "deleted": deleted, "stored": size, "engine_cpu": process_info.cpu_seconds(
                stack.engine.pid), "server_cpu": server_cpu(stack.server)}


UNITS = {"log": "octets", "commits": "", "inserted": "rows", "updated": "rows", "deleted": "rows",
         "stored": "octets", "engine_cpu": "us", "server_cpu": "us"}


def tell(what, before, after, mails):
    for name, unit in UNITS.items():
        scale = 1e6 if unit == "us" else 1
        figure(f"{what}_{name}", (after[name] - before[name]) * scale / mails, f"{unit}/mail")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    share = 10 if options.quick else 1
    mails, transactions = options.mails // share, options.transactions // share
    postgres_server.SETTINGS = SETTINGS
    with postgres_server.PostgresServer() as server, OnServer(options.binary, server) as stack:
        stack.sign()
        delivery = stack.draft(TEXT, signed=True)
        start = costs(stack)
        seconds = stack.fill(delivery, (f"user{i}@one.example" for i in range(mails)))
        imported = costs(stack)
        figure("import", mails / seconds, "rows/s")
        tell("import", start, imported, mails)
        seconds = stack.sending(mails, lambda: stack.commit(delivery))
        sent = costs(stack)
        figure("bulk", mails / seconds, "mails/s")
        tell("bulk", imported, sent, mails)

        def transaction(number):
            stack.api.call("POST", "/deliveries/transaction", {
                "from": {"email": f"shop@{SIGNED}"}, "to": f"t{number}@one.example",
                "subject": "x", "text_part": TEXT})

        def all_transactions():
            with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
                list(callers.map(transaction, range(transactions)))

        seconds = stack.sending(transactions, all_transactions)
        figure("transaction", transactions / seconds, "mails/s")
        tell("transaction", sent, costs(stack), transactions)


if __name__ == "__main__":
    main()
