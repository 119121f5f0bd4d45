# SPDX-License-Identifier: Apache-2.0
"""Bulk throughput through the whole engine, beside Postfix with OpenDKIM and the machine's limits.

In one run, interleaved, medians of the rounds; every mail of the engine is personalised.
  --quick        fewer mails
  --only CASES   of these, separated by commas; `*` allowed, e.g. --only '*signed-2k'
  --rounds N     instead of 3 (5 for the full run)
Cases: source-SIZE, unsigned-SIZE, signed-SIZE (SIZE 2k, 50k, 100k), signed-2k-openssl,
postfix-signed-2k, postfix-unsigned-2k, tls-20, tls-1000. bench/README.md says what each figure is.
"""
import argparse
import contextlib
import fnmatch
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, BenchStack  # noqa: E402  (first: it knows where the others are)
from figures import Rounds, figure  # noqa: E402
from postfix import PostfixWithOpenDkim  # noqa: E402
import bench_mails  # noqa: E402
import machine  # noqa: E402
import process_info  # noqa: E402

CONNECTIONS = 20
OCTETS = {"2k": 2048, "50k": 51_200, "100k": 102_400}
# What a full and a quick round sends. The slower of them, Postfix, sends for seconds even so.
MAILS = {"2k": (40_000, 6_000), "50k": (10_000, 2_000), "100k": (10_000, 1_500),
         "postfix": (4_000, 600), "tls": (20_000, 3_000)}
FAST_DOMAIN = "one.example"
# Receivers that speak TLS, by messages per connection.
TLS_DOMAINS = {20: "tls20.example", 1000: "tls1000.example"}


# With whose arithmetic a signed bulk is measured: a case and the end of its figures' names. Both
# are asked for by name; the engine's default is OpenSSL.
ARITHMETIC = {"signed-2k": "", "signed-2k-openssl": "_openssl"}


def make_stack(binary, config=()):
    config = [*config]
    for messages, domain in TLS_DOMAINS.items():
        config += [f"[sites.tls{messages}]", f'domains = ["{domain}"]',
                   f"messages_per_connection = {messages}"]
    receivers = {FAST_DOMAIN: FAST, **{domain: ['tls = "good"'] for domain in TLS_DOMAINS.values()}}
    lanes = [f"connections_max = {CONNECTIONS}", "messages_per_connection = 1000"]
    return BenchStack(binary, receivers, config, site_defaults=lanes,
                      sink_config=["duplicates_max = 0"])


class Bench:
    def __init__(self, stack, postfix, quick):
        self.stack = stack
        self.postfix = postfix
        self.quick = quick
        self.with_openssl = None  # the same for an installation that signs with OpenSSL alone
        self.receiver = f"{stack.address_of(0)}:{stack.mail_port}"

    def mails(self, kind):
        return MAILS[kind][self.quick]

    def cases(self):
        """Name: the function that does a round and returns its values, in the order of a round."""
        out = {}
        for size in OCTETS:
            out[f"source-{size}"] = lambda size=size: self.source(size)
            out[f"unsigned-{size}"] = lambda size=size: self.engine(size, False)
            out[f"signed-{size}"] = lambda size=size: self.engine(size, True)
        out["signed-2k"] = self.signed_between_signatures
        out["signed-2k-openssl"] = lambda: self.with_openssl.signed_between_signatures()
        for signed in (True, False):
            name = f"postfix-{'signed' if signed else 'unsigned'}-2k"
            out[name] = lambda signed=signed: self.relay(signed)
        for messages, domain in TLS_DOMAINS.items():
            out[f"tls-{messages}"] = lambda domain=domain: self.tls(domain)
        return out

    def draft(self, size, signed, mails, domain=FAST_DOMAIN):
        delivery = self.stack.draft(bench_mails.text_of(OCTETS[size]), signed)
        self.stack.fill(delivery, (f"u{number}@{domain}" for number in range(mails)))
        return delivery

    def send(self, delivery, mails):
        pid = self.stack.engine.pid
        cpu = process_info.cpu_seconds(pid)
        seconds = self.stack.send(delivery, mails)
        return {"rate": mails / seconds, "cpu": (process_info.cpu_seconds(pid) - cpu) / mails}

    def engine(self, size, signed):
        mails = self.mails(size)
        return self.send(self.draft(size, signed, mails), mails)

    def signed_between_signatures(self):
        """Signatures just before and just after, because the speed of virtual machines drifts
        within seconds."""
        delivery = self.draft("2k", True, self.mails("2k"))
        before = self.signatures()
        values = self.send(delivery, self.mails("2k"))
        after = self.signatures()
        return {**values, **{name: (before[name] + after[name]) / 2 for name in before}}

    def tls(self, domain):
        pid = self.stack.scripted_sink.pid
        mails = self.mails("tls")
        delivery = self.draft("2k", True, mails, domain)
        cpu = process_info.cpu_seconds(pid)
        values = self.send(delivery, mails)
        receiver_cpu = (process_info.cpu_seconds(pid) - cpu) / mails
        return {**values, "receiver_cpu": receiver_cpu}

    def source(self, size):
        mails = self.mails(size)
        return {"rate": mails / machine.smtp_source(self.receiver, mails, OCTETS[size],
                                                    CONNECTIONS)}

    def signatures(self):
        seconds = 1 if self.quick else 2
        return {"rsa_all_cores": machine.rsa_signatures(os.cpu_count(), seconds),
                "rsa_one_core": machine.rsa_signatures(1, seconds)}

    def relay(self, signed):
        """From the first mail into Postfix to the last out of it."""
        mails = self.mails("postfix")
        began = time.monotonic()
        machine.smtp_source(self.postfix.doors[signed], mails, OCTETS["2k"], CONNECTIONS,
                            sender="a@signed.example")
        self.postfix.drain(patience=300)
        return {"rate": mails / (time.monotonic() - began)}


def report_cases(rounds):
    """The plain figures: rates and processor time of everything that was measured."""
    for size in OCTETS:
        if f"source-{size}" in rounds:
            figure(f"smtp_source_{size}", rounds.median(f"source-{size}"), "mails/s")
    for case, end in ARITHMETIC.items():
        if case in rounds:
            for cores in ("all_cores", "one_core"):
                figure(f"rsa2048_{cores}{end}", rounds.median(case, f"rsa_{cores}"),
                       "signatures/s")
    if "signed-2k-openssl" in rounds:
        figure("signed_2k_openssl", rounds.median("signed-2k-openssl"), "mails/s")
        figure("signed_2k_openssl_cpu", rounds.median("signed-2k-openssl", "cpu") * 1e6, "us/mail")
    for size in OCTETS:
        for kind in ("unsigned", "signed"):
            case = f"{kind}-{size}"
            if case in rounds:
                figure(f"{kind}_{size}", rounds.median(case), "mails/s")
                figure(f"{kind}_{size}_cpu", rounds.median(case, "cpu") * 1e6, "us/mail")
    for kind in ("unsigned", "signed"):
        if f"postfix-{kind}-2k" in rounds:
            figure(f"postfix_{kind}_2k", rounds.median(f"postfix-{kind}-2k"), "mails/s")
    for messages in TLS_DOMAINS:
        case = f"tls-{messages}"
        if case in rounds:
            name = f"signed_2k_starttls_{messages}_per_connection"
            figure(name, rounds.median(case), "mails/s")
            figure(f"{name}_cpu", rounds.median(case, "cpu") * 1e6, "us/mail")
            figure(f"{name}_receiver_cpu", rounds.median(case, "receiver_cpu") * 1e6, "us/mail")


def report_ratios(rounds):
    """The figures that have aims, as far as both sides were measured."""
    def ratio(name, of, to):
        if of in rounds and to in rounds:
            figure(name, rounds.ratio(of, to), "ratio")

    for case, end in ARITHMETIC.items():
        ratio(f"signed_2k_vs_postfix_opendkim{end}", case, "postfix-signed-2k")
    ratio("unsigned_2k_vs_postfix", "unsigned-2k", "postfix-unsigned-2k")
    for size in OCTETS:
        ratio(f"unsigned_{size}_vs_smtp_source", f"unsigned-{size}", f"source-{size}")
    for case, end in ARITHMETIC.items():
        if case in rounds:
            report_signed(rounds, case, end)


def report_signed(rounds, case, end):
    rate, wall, cpu = (case, "rate"), (case, "rsa_all_cores"), (case, "cpu")
    figure(f"signed_2k_vs_rsa_wall{end}", rounds.median_of(lambda own, rsa: own / rsa, rate, wall),
           "ratio")
    if "unsigned-2k" in rounds:
        figure(f"signed_2k_vs_model{end}", rounds.median_of(
            lambda own, rsa, unsigned: own * (1 / rsa + 1 / unsigned), rate, wall,
            ("unsigned-2k", "rate")), "ratio")
    # `openssl speed` on one core counts processor time, as the engine's figure does. Where cores
    # that are all busy are slower than one alone, the second figure is the like-for-like one.
    figure(f"engine_cpu_per_signature{end}", rounds.median_of(
        lambda seconds, rsa: seconds * rsa, cpu, (case, "rsa_one_core")), "ratio")
    figure(f"engine_cpu_per_signature_all_cores{end}", rounds.median_of(
        lambda seconds, rsa: seconds * rsa / os.cpu_count(), cpu, wall), "ratio")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="*")
    parser.add_argument("--rounds", type=int)
    return parser.parse_args()


def main():
    options = parse_arguments()
    patterns = options.only.split(",")
    with contextlib.ExitStack() as resources:
        stack = resources.enter_context(make_stack(
            options.binary, ["[delivery]", 'rsa_arithmetic = "fastest"']))
        stack.sign()
        bench = Bench(stack, None, options.quick)
        chosen = {name: run for name, run in bench.cases().items()
                  if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)}
        if any(name.startswith("postfix-") for name in chosen):
            if PostfixWithOpenDkim.is_possible():
                bench.postfix = resources.enter_context(PostfixWithOpenDkim(
                    (stack.address_of(0), stack.mail_port), CONNECTIONS))
            else:
                print("Postfix is left out: it needs root, postfix and opendkim", file=sys.stderr)
                chosen = {name: run for name, run in chosen.items()
                          if not name.startswith("postfix-")}
        if "signed-2k-openssl" in chosen:
            other = resources.enter_context(make_stack(
                options.binary, ["[delivery]", 'rsa_arithmetic = "openssl"']))
            other.sign()
            bench.with_openssl = Bench(other, None, options.quick)
        if not chosen:
            raise SystemExit(f"no such case; there are: {' '.join(bench.cases())}")
        rounds, quiet = Rounds(), machine.Quiet()
        for _ in range(options.rounds or (3 if options.quick else 5)):
            for name, run in chosen.items():
                quiet.look()
                rounds.add(name, **run())
        memory = process_info.memory_peak(stack.engine.pid)
    report_cases(rounds)
    report_ratios(rounds)
    quiet.report()
    figure("engine_memory_peak", memory, "MB")


if __name__ == "__main__":
    main()
