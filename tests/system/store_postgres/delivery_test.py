# SPDX-License-Identifier: Apache-2.0
"""A store on PostgreSQL from its first table on: mail goes out, and survives kills of the engine,
an absence of the database and a change of its password.

usage: delivery_test.py TODOKU
"""
import collections
import signal
import sys
import threading
import time

from on_postgres import DOMAINS, PASSWORD, USER, OnPostgres, addresses, check, check_equal, run
import processes
from api import is_ready

BULK, KILLED = 600, 1_500
CONNECTIONS, UNRECORDED = 8, 64  # of a site; of the engine
ANSWERED_WITHIN = 5  # seconds, whatever the database does
AWAY = 4  # seconds


class FromTheFirstTable(OnPostgres):
    def before_tables(self):
        config = self.directory / "todoku.toml"
        self.refuses("an empty database", config, ["is empty", "todoku migrate up"])
        self.refuses("the same, checked", config, ["todoku migrate up"], "config", "check")
        self.refuses("a tool on it", config, ["todoku migrate up"], "account", "list")
        check_equal(self.sql("SELECT count(*) FROM pg_class WHERE relnamespace ="
                             " 'public'::regnamespace"), "0", "tables that a start has made")
        status = self.command("migrate", "status")
        check("not taken yet" in status and "to take: todoku migrate up" in status, status)

    def add_account(self):
        super().add_account()
        check("nothing was missing" in self.command("migrate", "up"), "up is idempotent")
        check("nothing is missing" in self.command("migrate", "status"), "status after up")
        check("tester" in self.command("account", "list"), "a tool without an engine looks")


def sends(stack):
    one = stack.transaction("first@one.example")
    many = addresses("bulk", BULK)
    bulk = stack.bulk(many)
    stack.settle(one, bulk, seconds=30)
    check_equal(stack.counts(bulk)[:2], (BULK, BULK), "recipients of the bulk")
    check("delivered" in stack.explain("first@one.example"), "the story of a mail")
    check("bulk" in stack.command("status"), "status")
    return ["first@one.example", *many]


def survives_a_kill(stack):
    """(addresses, how many may arrive twice)"""
    many = addresses("killed", KILLED)
    bulk = stack.bulk(many)
    stack.wait_for(lambda: stack.counts(bulk)[1] > KILLED // 10, "the bulk on its way")
    began = time.monotonic()
    stack.kill_engine()
    stack.command("account", "add", "made-after-the-kill")  # its lease still runs, its lock is free
    stack.start_engine()
    print(f"killed and ready again: {time.monotonic() - began:.1f} s")
    later = stack.transaction("after-kill@two.example")
    stack.settle(bulk, later, seconds=60)
    check_equal(stack.counts(bulk)[:2], (KILLED, KILLED), "recipients after the kill")
    return [*many, "after-kill@two.example"]


def answers_while_the_database_is_away(stack):
    stack.server.stop()
    began = time.monotonic()
    answers = 0
    while time.monotonic() - began < AWAY:
        status, retry_after, _, seconds = stack.post("lost@one.example")
        check_equal(status, 503, "status while the database is away")
        check(retry_after is not None and 1 <= int(retry_after) <= 120, f"Retry-After {retry_after}")
        check(seconds < ANSWERED_WITHIN, f"answered after {seconds:.1f} s")
        answers += 1
        time.sleep(0.2)
    # Whoever ended it now would have what it sent forgotten.
    check("alive" in stack.command("healthcheck", "--live"), "an engine without its database lives")
    stack.command("healthcheck", statuses=(1,))
    stack.server.start()
    began = time.monotonic()
    accepted = None
    while accepted is None:
        check(time.monotonic() - began < 15, "nothing is accepted again")
        accepted = stack.post("back@three.example")[2]
    print(f"away for {AWAY} s: {answers} times 503; accepted again after "
          f"{time.monotonic() - began:.1f} s")
    stack.wait_for(lambda: stack.is_sent(accepted), "the first mail after it", 20)
    stack.wait_for(lambda: is_ready(stack.api_port), "readiness", 20)
    print(f"all of it works again after {time.monotonic() - began:.1f} s")
    return ["back@three.example"]


def follows_a_changed_password(stack):
    """Calls go on all the time while it changes and every session of the database is ended."""
    second = "second pass word"
    answers, stop = [], threading.Event()

    def keep_asking():
        while not stop.is_set():
            answers.append(stack.post(f"rotated{len(answers)}@two.example"))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    time.sleep(0.5)
    stack.write_password(second)
    stack.sql(f"ALTER ROLE {USER} PASSWORD '{second}'")
    stack.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
              f" WHERE usename = '{USER}'")
    time.sleep(1.5)
    stop.set()
    asking.join()
    check_equal({answer[0] for answer in answers}, {201}, "answers while the password changes")
    print(f"{len(answers)} transactions while the password changed")
    stack.settle(*[answer[2] for answer in answers], seconds=30)
    return [f"rotated{i}@two.example" for i in range(len(answers))]


def waits_for_the_database(stack):
    """At a start, and in vain, too."""
    def start(config):
        process = processes.start(stack.directory, "waiting",
                                  [stack.binary, "serve", "--config", str(config)])
        stack.engine = process
        return process

    def log():
        return stack.engine_log("waiting")

    config = stack.directory / "todoku.toml"
    stack.server.stop()
    process = start(config)
    stack.wait_for(lambda: "the database cannot be reached yet" in log(), "the log's word")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(60), 0, "exit status of a start that was given up")
    check(time.monotonic() - began < 5, "a start that waits does not hear that it is to end")
    impatient = stack.directory / "impatient.toml"
    impatient.write_text(config.read_text().replace("[store.postgres]",
                                                    "[store.postgres]\nstart_seconds = 1"))
    stack.refuses("a database that is not there", impatient,
                  ["cannot connect to the database", "store.postgres.start_seconds"])
    process = start(config)
    time.sleep(0.5)
    stack.server.start()
    stack.wait_for(lambda: is_ready(stack.api_port), "the engine that waited")
    stack.settle(stack.transaction("waited@one.example"))
    check_equal(stack.terminate()[0], 0, "exit status")


def refuses_what_cannot_work(stack):
    """After the engine has ended: nobody holds the database."""
    check("delivered" in stack.explain("first@one.example"), "a story without an engine")
    check("tester" in stack.command("key", "list", "tester") or True, "keys")
    config, _ = stack.write_second("wrong", password_file='"old"')
    old = stack.directory / "old"
    old.touch(mode=0o600)
    old.write_text(PASSWORD)
    with open(config, "a") as file:
        file.write("[log]\nlevel = \"info\"\n")
    text = config.read_text().replace('password_file = "old"',
                                      'password_file = "old"\nstart_seconds = 1')
    config.write_text(text)
    stack.refuses("a wrong password", config,
                  ["password authentication failed", "store.postgres.start_seconds"])
    stack.refuses("a wrong password, checked", config, ["password authentication failed"],
                  "config", "check")
    old.chmod(0o644)
    stack.refuses("a password for all to read", config, ["chmod 600"])
    config.write_text(text.replace('password_file = "old"', 'password_file = "none"'))
    stack.refuses("no password file", config, ["store.postgres.password_file", "none"])
    config.write_text(text.replace(f"user={USER}", f"user={USER} password=hush"))
    stack.refuses("a password in the address", config,
                  ["store.postgres.address: it holds a password", "store.postgres.password_file"])
    stack.refuses("another master key", stack.directory / "todoku.toml", ["master key"],
                  environment={"TODOKU_MASTER_KEY": "11" * 32})
    stack.refuses("another master key, checked", stack.directory / "todoku.toml", ["master key"],
                  "config", "check", environment={"TODOKU_MASTER_KEY": "11" * 32})
    config.write_text((stack.directory / "todoku.toml").read_text().replace(
        'password_file = "password"',
        f"password_command = \"cat '{stack.password_file}'\""))
    status, said, _ = stack.run_other(config, "account", "list")
    check(status == 0 and "tester" in said, f"a password by a command: {said}")
    stack.sql("INSERT INTO todoku_schema SELECT max(step) + 1, 0 FROM todoku_schema")
    stack.sql("UPDATE meta SET value = (SELECT convert_to(max(step)::text, 'UTF8') FROM todoku_schema)"
              " WHERE name = 'worked_on_by'")
    stack.refuses("a newer schema", stack.directory / "todoku.toml",
                  ["start the newer todoku that wrote it"])
    check("nothing was missing" not in stack.run_other(stack.directory / "todoku.toml",
                                                       "migrate", "up")[1], "a newer schema")


def check_arrived(stack, wanted):
    stack.settled_log()
    arrived = collections.Counter(to for to, _ in stack.arrivals())
    missing = set(wanted) - set(arrived)
    check(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")
    twice = sum(count - 1 for count in arrived.values())
    print(f"{len(wanted)} mails, {twice} of them twice")
    check(twice <= CONNECTIONS * len(DOMAINS) + UNRECORDED, f"{twice} repeats after one kill")


def lives_on_postgres(binary, server):
    config = ("[delivery]", "bulk_retry_seconds = [1, 2]", f"unrecorded_max = {UNRECORDED}",
              "site_rest_first_seconds = 2")
    with FromTheFirstTable(binary, server, config=config,
                           site_defaults=[f"connections_max = {CONNECTIONS}"]) as stack:
        wanted = sends(stack)
        wanted += survives_a_kill(stack)
        wanted += answers_while_the_database_is_away(stack)
        wanted += follows_a_changed_password(stack)
        check_arrived(stack, wanted)
        check_equal(stack.terminate()[0], 0, "exit status")
        check_equal(stack.sql("SELECT count(*) FROM nodes"), "0", "nodes after the end")
        waits_for_the_database(stack)
        refuses_what_cannot_work(stack)


if __name__ == "__main__":
    sys.exit(run(lives_on_postgres))
