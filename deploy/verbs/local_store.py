# SPDX-License-Identifier: Apache-2.0
"""The store of a local target: backup and restore, by PostgreSQL's own programs. See local.py.

    [store]
    database = "host=/run/postgresql dbname=mail user=todoku"   # for pg_dump and psql
    password_file = "password"
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

from verbs import tables
from verbs.target import ORDER, NeedsAHand, TargetError

SECONDS_MAX = 3600
# What the copy does not have goes, too: a later version's tables beside its own would be taken for made.
EMPTY = b"""BEGIN;
SET LOCAL client_min_messages = warning;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT c.oid::regclass::text FROM pg_class c
              WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE';
  END LOOP;
END $$;
"""


def database(target):
    """(words for a program of PostgreSQL, its environment)"""
    store = target.settings["store"]
    if "database" not in store:
        raise TargetError(f"{target.name}: [store] database is missing, which pg_dump is to copy")
    environment = dict(os.environ)
    if "password_file" in store:
        environment["PGPASSWORD"] = (target.folder / store["password_file"]).read_text().strip()
    return f"--dbname={store['database']}", environment


def run(program, *words, environment=None):
    """What it wrote."""
    try:
        done = subprocess.run([program, *words], env=environment, text=True, check=False,
                              capture_output=True, timeout=SECONDS_MAX)
    except OSError as error:
        raise TargetError(f"{program} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"{program} does not end in {SECONDS_MAX} s") from error
    if done.returncode != 0:
        raise TargetError(f"{program}: {done.stderr.strip()[-600:]}")
    return done.stdout


# ---- backup --------------------------------------------------------------------------------------

def backup(target, to, say):
    """A file of pg_dump's own format, whole before it has its name, never over another."""
    path = pathlib.Path(to).resolve()
    if path.exists():
        raise TargetError(f"{path} is there already")
    making = path.with_name(path.name + ".making")
    say(f"copying the store, as it is at this moment, to {path}")
    making.unlink(missing_ok=True)
    os.close(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        where, environment = database(target)
        run("pg_dump", where, "--format=custom", f"--file={making}", environment=environment)
        run_list(making)
        with open(making, "rb") as file:
            os.fsync(file.fileno())
        os.link(making, path)
    finally:
        making.unlink(missing_ok=True)
    say(f"{path}: {path.stat().st_size} octets. The master key is not in it: keep a copy apart")
    return str(path)


def run_list(path):
    try:
        run("pg_restore", "--list", str(path))
    except TargetError as error:
        raise TargetError(f"{path} is no whole copy: {error}") from error


# ---- restore -------------------------------------------------------------------------------------

def restore(target, copy, say):
    """Into emptied tables, in one transaction. Whatever fails before that is committed leaves the store
    as it was, and the tasks begin again; NeedsAHand if they do not."""
    path = pathlib.Path(copy).resolve()
    if not path.is_file():
        raise TargetError(f"{path} is not there")
    database(target)
    say(f"reading {path} as a whole")
    run_list(path)
    current = target.deployed().current
    older = current is not None and is_older(target, path, current, say)
    try:
        for name in reversed(ORDER):
            for task in [task for task in target.tasks() if task.service == name]:
                target.retire(task, say)
        say("replacing the store, in one transaction")
        put_back(target, path)
    except TargetError as error:
        say(f"the store is as it was: {error}")
        begin_again(target, current, say)
        raise TargetError("the copy was not put back; the tasks were ended and begun again on the store as it was: "
                          f"{error}") from error
    say("the store is that of the copy")
    if older:
        migrate(target, current, say)
    begin_again(target, current, say)


def is_older(target, path, current, say):
    """Whether the copy lacks steps that the version needs; TargetError where the version cannot work on it."""
    has, least = steps_of(path)
    try:
        known = tables.look(target, current, say).known
    except TargetError as error:  # the very reason for the restore may be that the store is spoilt
        say(f"how many steps version {current} knows cannot be told, so the copy's {has} are not compared: {error}")
        return True
    if has > known and (least is None or least > known):
        raise TargetError(f"nothing was done: the copy has {has} steps of the schema, and version {current}, which runs, "
                          f"knows {known}: roll a version first that can work on the copy")
    if has < known:
        say(f"the copy has {has} steps of the schema, version {current} needs {known}: it takes them before it begins")
    return has < known


def steps_of(path):
    """(steps of the schema that the copy has, how many a version must know to work on it, or None)"""
    def rows(table):
        words = run("pg_restore", "--data-only", f"--table={table}", "--file=-", str(path))
        data = re.search(r"^COPY [^\n]* FROM stdin;\n(.*?)^\\\.$", words, re.DOTALL | re.MULTILINE)
        return [line.split("\t") for line in data[1].splitlines()] if data else []

    steps = rows("todoku_schema")
    if not steps:
        raise TargetError(f"{path} is no copy of a store: it has no steps of a schema")
    told = [value for name, value in rows("meta") if name == "worked_on_by"]
    # bytea, as COPY writes it: \\x and the octets of the number's text.
    return len(steps), int(bytes.fromhex(told[0].removeprefix("\\\\x"))) if told else None


def put_back(target, path):
    """psql is given what pg_restore writes, and the word to commit only once that has ended well."""
    where, environment = database(target)
    reader = None
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        try:
            psql = subprocess.Popen(["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", where],
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        except OSError as error:
            raise TargetError(f"psql cannot be run: {error.strerror}") from error
        with Watched(psql):
            try:
                psql.stdin.write(EMPTY)
                psql.stdin.flush()
                reader = subprocess.Popen(["pg_restore", "--clean", "--if-exists", "--no-owner", "--file=-", str(path)],
                                          stdout=subprocess.PIPE, stderr=told)
                with Watched(reader):
                    shutil.copyfileobj(reader.stdout, psql.stdin)
                    if reader.wait() == 0:
                        psql.stdin.write(b"\nCOMMIT;\n")
                psql.stdin.close()
            except BrokenPipeError:
                pass  # psql says why
            psql.wait()
        wrong = []
        for program, process, words in (("pg_restore", reader, told), ("psql", psql, said)):
            if process is None or process.returncode != 0:
                words.seek(0)
                wrong.append(f"{program}: {words.read().decode(errors='replace').strip()[-600:]}")
        if wrong:
            raise TargetError("; ".join(wrong))


class Watched:
    """Ends the process where it does not end in time, or what reads or feeds it fails."""

    def __init__(self, process):
        self.process, self.timer = process, threading.Timer(SECONDS_MAX, process.kill)

    def __enter__(self):
        self.timer.daemon = True
        self.timer.start()

    def __exit__(self, *_):
        self.timer.cancel()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def migrate(target, version, say):
    try:
        ran = target.run_once(version, ["migrate", "up"], say)
    except TargetError as error:
        raise NeedsAHand(f"the store is that of the copy, and no task runs: {error}") from error
    if ran.status != 0:
        raise NeedsAHand(f"the store is that of the copy, and no task runs: version {version} cannot take the steps that "
                         f"it needs: {ran.words()[-400:]}")


def begin_again(target, current, say):
    if current is None:
        return
    say("starting the tasks again")
    try:
        for service in target.services():
            target.replace(service.name, current, say)
    except TargetError as error:
        raise NeedsAHand(f"the tasks do not begin again: {error}\n`roll --version {current}` goes on") from error
