# SPDX-License-Identifier: Apache-2.0
"""The SMTP relay: how fast it takes mail, how fast mail goes through it, whom it keeps waiting.

Interleaved rounds, medians; todoku_relay_load is the client of ours and of Postfix alike. Parts:
  accept    accepting alone (roles api and smtp-in), beside Postfix's smtpd and our own HTTP door
  path      SMTP in, committed, signed, SMTP out into smtp-sink, beside Postfix with OpenDKIM
  latency   from the client's sending to the receiver's last octet, at half of the highest rate
  large     transactions by the API while 100 connections hand in 25 MB each and it is delivered
  idle      connections under TLS that are logged in and say nothing
  flood     one account hands in mail as fast as it can, another sends single mails by the API
  --quick        shorter, fewer mails
  --only PARTS   of these, separated by commas; cases of `accept` and `path` by name, too, with `*`,
                 e.g. --only 'relay-2k-*,path,postfix-2k'
  --rounds N     instead of 3 (5 for the full run)
Cases: http-N, DOOR-SIZE-N[-tls] (DOOR relay or smtpd, SIZE 2k or 50k, N connections 20 or 1000);
path-SIZE, path-SIZE-fastest, postfix-SIZE. bench/README.md says what each figure is.
"""
import argparse
import contextlib
import fnmatch
import json
import os
import pathlib
import re
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, PLAIN, SIGNED, BenchStack  # noqa: E402  (first: it adds folders)
from figures import Rounds, figure  # noqa: E402
from ports import free_port  # noqa: E402
from postfix import PostfixWithOpenDkim  # noqa: E402
import load_tools  # noqa: E402
import machine  # noqa: E402
import process_info  # noqa: E402

DOMAIN = "one.example"
OUT_CONNECTIONS = 20
IN_CONNECTIONS = (20, 1000)
OCTETS = {"2k": 2048, "50k": 51_200}
LANES = [f"connections_max = {OUT_CONNECTIONS}", "messages_per_connection = 1000"]
# What a full and a quick round sends through the whole path.
PATH_MAILS = {"2k": (40_000, 20_000), "50k": (10_000, 3_000)}
POSTFIX_MAILS = {"2k": (4_000, 800), "50k": (2_000, 500)}
LARGE_CONNECTIONS, LARGE_OCTETS = 100, 25 * 1024 * 1024
API_RATE, API_CONNECTIONS = 500, 128  # transactions a second beside large messages
IDLE_CONNECTIONS = (10_000, 10_000)
IDLE_OPENING = 200  # that shake hands at once
FLOOD_MAILS = (200_000, 30_000)
ARRIVAL_RATE = 50  # transactions a second whose way to the receiver is timed


class RelayStack(BenchStack):
    """With a listener where clients may use TLS and log in without it, and a credential."""

    def __init__(self, binary, receivers, config=(), **more):
        self.smtp_port = free_port()
        self.number = 0
        super().__init__(binary, receivers, [
            "[smtp_in]", "enabled = true", 'hostname = "relay.sender.example"',
            "connections_per_network_max = 0",
            "[[smtp_in.listener]]", f'address = "127.0.0.1:{self.smtp_port}"',
            "auth_in_clear = true", *config], site_defaults=LANES, **more)

    def add_account(self):
        super().add_account()
        shown = self.command("smtp-credential", "add", "tester", "shop", "--connections", "0",
                             "--messages-per-minute", "0", "--recipients-per-minute", "0")
        self.password = re.search(r"^password\s+(\S+)$", shown, re.MULTILINE).group(1)

    def start_smtp(self, **options):
        self.number += 1_000_000
        return load_tools.start(self.binary, "relay", port=self.smtp_port, user="shop",
                                password=self.password, domain=DOMAIN, first=self.number,
                                **options)

    def smtp(self, **options):
        """Values of todoku_relay_load by name, and `engine_cpu`, seconds a mail."""
        cpu = process_info.cpu_seconds(self.engine.pid)
        values = load_tools.finish(self.start_smtp(**options))
        used = process_info.cpu_seconds(self.engine.pid) - cpu
        return {**values, "engine_cpu": used / max(1, values["accepted"])}

    def start_http(self, token=None, **options):
        self.number += 1_000_000
        return load_tools.start(self.binary, "accept", port=self.api_port, first=self.number,
                                token=token or self.api.token, **options)

    def http(self, **options):
        cpu = process_info.cpu_seconds(self.engine.pid)
        values = load_tools.finish(self.start_http(**options))
        used = process_info.cpu_seconds(self.engine.pid) - cpu
        return {**values, "engine_cpu": used / max(1, values["accepted"])}

    def drain(self, patience=600):
        self.wait_for(lambda: self.metric("todoku_queue_recipients") == 0, "the queue", patience)

    def arrivals(self):
        """What the receiver measured, from the time in the subject to the mail's last octet."""
        time.sleep(1.5)  # the sink writes its report every second
        return json.loads((self.directory / "report.json").read_text())["latency"]


# ---- accept --------------------------------------------------------------------------------

class Accept:
    def __init__(self, stack, postfix, quick):
        self.stack = stack
        self.postfix = postfix
        self.seconds = 2 if quick else 10

    def cases(self):
        out = {}
        for connections in IN_CONNECTIONS:
            out[f"http-{connections}"] = lambda n=connections: self.stack.http(
                connections=n, seconds=self.seconds)
            for size in OCTETS:
                for tls in (False, True):
                    end = f"{size}-{connections}{'-tls' if tls else ''}"
                    options = {"connections": connections, "octets": OCTETS[size], "tls": tls,
                               "seconds": self.seconds}
                    out[f"relay-{end}"] = lambda o=options: self.stack.smtp(**o)
                    out[f"smtpd-{end}"] = lambda o=options: self.smtpd(**o)
        return out

    def smtpd(self, **options):
        values = load_tools.run(self.stack.binary, "relay", port=self.postfix.held_port,
                                domain=DOMAIN, **options)
        self.postfix.forget_held()
        return values


def report_accept(rounds, cases):
    for case in cases:
        if case not in rounds:
            continue
        name = f"accept_{case.replace('-', '_')}"
        figure(name, rounds.median(case), "mails/s")
        for value in ("p50", "p99"):
            figure(f"{name}_{value}", rounds.median(case, value), "ms")
        figure(f"{name}_client_cpu", rounds.median(case, "client_cpu"), "cores")
        if not case.startswith("smtpd"):
            figure(f"{name}_cpu", rounds.median(case, "engine_cpu") * 1e6, "us/mail")
    for case in cases:
        if not case.startswith("relay") or case not in rounds:
            continue
        _, size, connections, *tls = case.split("-")
        name = f"accept_{case.replace('-', '_')}"
        smtpd, http = case.replace("relay", "smtpd"), f"http-{connections}"
        if smtpd in rounds:
            figure(f"{name}_vs_smtpd", rounds.ratio(case, smtpd), "ratio")
        if http in rounds and size == "2k":
            figure(f"{name}_vs_http", rounds.ratio(case, http), "ratio")


# ---- the whole path ------------------------------------------------------------------------

class Path:
    def __init__(self, stacks, postfix, quick):
        self.stacks = stacks  # by arithmetic
        self.postfix = postfix
        self.quick = quick

    def cases(self):
        out = {}
        for size in OCTETS:
            out[f"path-{size}"] = lambda size=size: self.engine(size, "openssl")
            out[f"path-{size}-fastest"] = lambda size=size: self.engine(size, "fastest")
            out[f"postfix-{size}"] = lambda size=size: self.relay(size)
        return out

    def options(self, mails, size):
        return {"connections": OUT_CONNECTIONS, "octets": OCTETS[size], "mails": mails,
                "seconds": 600, "sender": f"a@{SIGNED}"}

    def engine(self, size, arithmetic):
        """From the first mail into it to the last out of it."""
        stack, mails = self.stacks[arithmetic], PATH_MAILS[size][self.quick]
        pid = stack.engine.pid
        cpu, out = process_info.cpu_seconds(pid), stack.metric("todoku_outcomes_total")
        running = stack.start_smtp(**self.options(mails, size))
        values = load_tools.finish(running)
        began = time.monotonic() - values["seconds"]
        stack.drain()
        seconds = time.monotonic() - began
        if stack.metric("todoku_outcomes_total") - out != mails:
            raise RuntimeError("not every mail has its outcome")
        return {"rate": mails / seconds, "in": values["rate"],
                "cpu": (process_info.cpu_seconds(pid) - cpu) / mails}

    def relay(self, size):
        mails = POSTFIX_MAILS[size][self.quick]
        port = self.postfix.doors[True].rpartition(":")[2]
        values = load_tools.run(self.stacks["openssl"].binary, "relay", port=port, domain=DOMAIN,
                                **self.options(mails, size))
        began = time.monotonic() - values["seconds"]
        self.postfix.drain(patience=300)
        return {"rate": mails / (time.monotonic() - began)}


def report_path(rounds, cases):
    for case in cases:
        if case not in rounds:
            continue
        name = case.replace("-", "_")
        figure(name, rounds.median(case), "mails/s")
        if case.startswith("path"):
            figure(f"{name}_in", rounds.median(case, "in"), "mails/s")
            figure(f"{name}_cpu", rounds.median(case, "cpu") * 1e6, "us/mail")
            postfix = f"postfix-{case.split('-')[1]}"
            if postfix in rounds:
                figure(f"{name}_vs_postfix_opendkim", rounds.ratio(case, postfix), "ratio")


def measure_cases(options, wants):
    """Those of `accept` and `path`, in one run."""
    with contextlib.ExitStack() as resources:
        def stack(config):
            made = RelayStack(options.binary, {DOMAIN: FAST}, config)
            resources.enter_context(made)
            made.sign()
            return made

        accept, path = Accept(None, None, options.quick), Path({}, None, options.quick)
        accepts = {name: run for name, run in accept.cases().items() if wants("accept", name)}
        paths = {name: run for name, run in path.cases().items() if wants("path", name)}
        if accepts:
            accept.stack = stack(["[engine]", 'roles = ["api", "smtp-in"]'])
        for arithmetic in ("openssl", "fastest") if paths else ():
            path.stacks[arithmetic] = stack(["[delivery]", f'rsa_arithmetic = "{arithmetic}"'])
        with_postfix = [name for name in {**accepts, **paths}
                        if name.startswith(("smtpd", "postfix"))]
        if with_postfix and PostfixWithOpenDkim.is_possible():
            some = accept.stack or path.stacks["openssl"]
            accept.postfix = path.postfix = resources.enter_context(PostfixWithOpenDkim(
                (some.address_of(0), some.mail_port), OUT_CONNECTIONS, max(IN_CONNECTIONS) + 50))
        elif with_postfix:
            print("Postfix is left out: it needs root, postfix and opendkim", file=sys.stderr)
        rounds, quiet = Rounds(), machine.Quiet()
        chosen = {name: run for name, run in {**accepts, **paths}.items()
                  if accept.postfix or name not in with_postfix}
        for _ in range(options.rounds or (3 if options.quick else 5)):
            for name, run in chosen.items():
                quiet.look()
                rounds.add(name, **run())
        report_accept(rounds, accepts)
        report_path(rounds, paths)
        quiet.report()


# ---- the other parts -----------------------------------------------------------------------

def timed_stack(binary, config=()):
    return RelayStack(binary, {DOMAIN: []}, config,
                      sink_config=['latency_header = "Subject"', "duplicates_max = 0"])


def measure_latency(binary, quick):
    """The highest rate into `todoku sink`, and then half of it on an installation of its own, since
    the sink's percentiles are of all that it got."""
    seconds = 10 if quick else 60
    mails = PATH_MAILS["2k"][quick]
    with timed_stack(binary) as stack:
        stack.sign()
        values = stack.smtp(connections=OUT_CONNECTIONS, mails=mails, seconds=600,
                            sender=f"a@{SIGNED}")
        began = time.monotonic() - values["seconds"]
        stack.drain()
        highest = mails / (time.monotonic() - began)
    figure("latency_highest_rate", highest, "mails/s")
    with timed_stack(binary) as stack:
        stack.sign()
        values = stack.smtp(connections=OUT_CONNECTIONS, seconds=seconds, rate=highest / 2,
                            sender=f"a@{SIGNED}")
        stack.drain()
        latency = stack.arrivals()
    figure("latency_rate", values["rate"], "mails/s")
    for value in ("p50", "p99"):
        figure(f"latency_answer_{value}", values[value], "ms")
    for value in ("p50", "p99", "max"):
        figure(f"latency_{value}", latency[f"{value}_ms"], "ms")
    figure("latency_count", latency["count"], "mails")


def measure_large(binary, quick):
    seconds = 10 if quick else 30
    mails = LARGE_CONNECTIONS * (1 if quick else 4)
    with RelayStack(binary, {DOMAIN: FAST}) as stack:
        pid = stack.engine.pid
        stack.http(connections=API_CONNECTIONS, seconds=2, rate=API_RATE)
        alone = stack.http(connections=API_CONNECTIONS, seconds=seconds, rate=API_RATE)
        figure("large_memory_before", process_info.memory_now(pid), "MB")
        large = stack.start_smtp(connections=LARGE_CONNECTIONS, mails=mails, octets=LARGE_OCTETS,
                                 seconds=600)
        began = time.monotonic()
        beside = []
        while large.poll() is None or stack.metric("todoku_queue_recipients") > 0:
            beside.append(stack.http(connections=API_CONNECTIONS, seconds=seconds, rate=API_RATE))
        passed = time.monotonic() - began
        values = load_tools.finish(large)
        figure("large_memory_peak", process_info.memory_peak(pid), "MB")
    figure("large_submitted", values["rate"] * LARGE_OCTETS / 1e6, "MB/s")
    figure("large_submitted_and_delivered", mails * LARGE_OCTETS / 1e6 / passed, "MB/s")
    for value in ("p50", "p99", "max"):
        figure(f"large_api_{value}_alone", alone[value], "ms")
        figure(f"large_api_{value}_beside", max(each[value] for each in beside), "ms")


def measure_idle(binary, quick):
    measure_opened(binary, quick, IDLE_OPENING, "")
    measure_opened(binary, quick, None, "_opened_at_once")


def connections_that_fit(stack, wanted):
    """By the division that the engine itself makes of the files that it may open; the client needs as
    many."""
    shown = stack.command("config", "show")
    fit = int(re.search(r"smtp_in\.connections_max (\d+)", shown)[1])
    if fit < wanted:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        print(f"{fit} connections instead of {wanted}: a process may open {hard} files here "
              "(ulimit -Hn)", file=sys.stderr)
    return min(fit, wanted)


def measure_opened(binary, quick, opening, end):
    # Where a process may have 20,000 files, the API is to leave the relay enough of them.
    os.environ["TODOKU_API__CONNECTIONS_MAX"] = "1000"
    config = ["[engine]", 'roles = ["api", "smtp-in"]']
    with RelayStack(binary, {DOMAIN: FAST}, config) as stack:
        pid = stack.engine.pid
        connections = connections_that_fit(stack, IDLE_CONNECTIONS[quick])
        before = process_info.memory_now(pid)
        figure(f"idle_memory_before{end}", before, "MB")
        running = stack.start_smtp(connections=connections, tls=True, hold=True,
                                   opening=opening)
        values = load_tools.values_of("".join(running.stdout.readline() for _ in range(2)))
        memory = process_info.memory_now(pid)
        cpu, began = process_info.cpu_seconds(pid), time.monotonic()
        time.sleep(12)
        used = (process_info.cpu_seconds(pid) - cpu) / (time.monotonic() - began)
        settled = process_info.memory_now(pid)
        running.communicate()
    figure(f"idle_connections{end}", values["open"], "connections")
    figure(f"idle_logins{end}", values["open"] / values["login_seconds"], "logins/s")
    figure(f"idle_memory{end}", memory, "MB")
    figure(f"idle_memory_settled{end}", settled, "MB")
    figure(f"idle_octets_a_connection{end}", (settled - before) * 2**20 / values["open"], "octets")
    figure(f"idle_cpu{end}", used, "cores")


def measure_flood(binary, quick):
    """Only the other account's mails say when they were sent, and so are timed."""
    with timed_stack(binary) as stack:
        other = stack.add_named_account("other")
        alone = stack.http(token=other.token, connections=16, seconds=5 if quick else 20,
                           rate=ARRIVAL_RATE)
        mails = FLOOD_MAILS[quick]
        flood = stack.start_smtp(connections=OUT_CONNECTIONS, mails=mails, seconds=600, octets=1024,
                                 sender=f"news@{PLAIN}", untimed=True)
        stack.wait_for(lambda: stack.metric("todoku_smtp_in_messages_total") > 1_000, "the flood")
        beside = []
        while flood.poll() is None:
            beside.append(stack.http(token=other.token, connections=16, seconds=2,
                                     rate=ARRIVAL_RATE))
        values = load_tools.finish(flood)
        waiting = stack.metric("todoku_queue_recipients")
        latency = stack.arrivals()
        began = time.monotonic()
        stack.drain()
        figure("flood_drain", waiting / max(time.monotonic() - began, 0.1), "mails/s")
    figure("flood_rate", values["rate"], "mails/s")
    figure("flood_waiting_at_its_end", waiting, "mails")
    for value in ("p50", "p99"):
        figure(f"flood_other_answer_{value}_alone", alone[value], "ms")
        figure(f"flood_other_answer_{value}", max(each[value] for each in beside), "ms")
    for value in ("p50", "p99", "max"):
        figure(f"flood_other_to_sink_{value}", latency[f"{value}_ms"], "ms")
    figure("flood_other_count", latency["count"], "mails")


PARTS = {"latency": measure_latency, "large": measure_large, "idle": measure_idle,
         "flood": measure_flood}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="accept,path," + ",".join(PARTS))
    parser.add_argument("--rounds", type=int)
    return parser.parse_args()


def main():
    options = parse_arguments()
    asked = options.only.split(",")

    def wants(part, case):
        return part in asked or any(fnmatch.fnmatch(case, pattern) for pattern in asked)

    names = [*Accept(None, None, True).cases(), *Path({}, None, True).cases()]
    if any(wants("accept", name) or wants("path", name) for name in names):
        measure_cases(options, wants)
    for part, measure in PARTS.items():
        if part in asked:
            quiet = machine.Quiet()
            quiet.look()
            measure(options.binary, options.quick)
            quiet.report()


if __name__ == "__main__":
    main()
