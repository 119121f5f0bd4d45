# SPDX-License-Identifier: Apache-2.0
"""Two PostgreSQL servers: one that takes writes and commits nothing that the other, its synchronous
standby, has not got; and what a fail-over does to them."""
import signal
import time

import patience
from postgres_server import KEEPER, PostgresServer

STANDBY = "standby"


class Standby(PostgresServer):
    """Of a server that runs."""

    def __init__(self, primary):
        # Once it has taken over it has no standby of its own yet, and commits by itself.
        super().__init__(("hot_standby=on", "synchronous_standby_names="))
        self.primary = primary

    def fill_folder(self):
        self.run("pg_basebackup", "-D", self.folder / "data", "-R", "-X", "stream", "-c", "fast",
                 "-d", f"host={self.primary.folder} user={KEEPER} application_name={STANDBY}")


class PostgresPair:
    """Speaks like PostgresServer, of the one that takes writes now."""

    def __init__(self):
        self.first = PostgresServer(("wal_level=replica",))
        self.second = None
        self.now = self.first

    def __enter__(self):
        self.first.__enter__()
        try:
            self.second = Standby(self.first)
            self.second.__enter__()
            self.first.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            self.first.sql("SELECT pg_reload_conf()")
            until = patience.until(20)
            while self.sql("SELECT sync_state FROM pg_stat_replication") != "sync":
                if time.monotonic() > until:
                    raise RuntimeError("the standby does not follow")
                time.sleep(0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.second is not None:
            self.second.close()
        self.first.close()

    def sql(self, *statements):
        return self.now.sql(*statements)

    def make_user(self, name, password):
        self.first.make_user(name, password)

    def make_database(self, name, owner):
        self.first.make_database(name, owner)

    def address(self, database, user):
        return f"host={self.first.folder},{self.second.folder} dbname={database} user={user}"

    # ---- what happens ----------------------------------------------------------------------

    def lose_first(self, number=signal.SIGKILL):
        self.first.signal_all(number)

    def take_over(self):
        self.second.sql("SELECT pg_promote(true, 20)")
        self.now = self.second

    def first_comes_back(self):
        """It believes that nothing has happened; its standby's name is not taken back."""
        self.first.signal_all(signal.SIGCONT)
