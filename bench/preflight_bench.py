# SPDX-License-Identifier: Apache-2.0
"""How long "will it arrive?" takes for a long list, where every answer of the DNS takes 50 ms and
the servers of each twentieth domain are dead: docs/api.md, "Will it arrive?".

The recipients are at --domains domains, few of them large and many small as in real lists. Each round
asks anew, of an engine that was just started and knows nobody, and once more of the same, which does.
  --recipients N   instead of 1,000,000
  --quick          a tenth, and one round
"""
import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import SIGNED, BenchStack  # noqa: E402  (first: it adds folders)
from figures import figure, median  # noqa: E402
from slow_names import SlowNames  # noqa: E402
import bench_mails  # noqa: E402

DOMAINS = 5_000
DEAD_EVERY = 20
LATENCY = 0.05
ROUNDS = 5
CONFIG = ("[[egress]]", 'name = "main"', 'bind_ipv4 = "127.0.0.1"',
          'public_address = "192.0.2.1"', 'hello_name = "mail.sender.example"')
NOTICES = "\n株式会社とどく 東京都千代田区千代田1-1\n配信停止 https://green.example/leave\n"


def domain_of(recipient):
    """Half of all at the first ten, the other half spread over the rest."""
    kind, number = recipient % 2, recipient // 2
    return f"d{number % 10 if kind else 10 + number % (DOMAINS - 10)}.list.example"


def is_dead(name):
    domain = name.removesuffix(".list.example")
    return domain != name and domain[1:].isdigit() and int(domain[1:]) % DEAD_EVERY == 7


class SlowStack(BenchStack):
    """Its zone has the key that its account signs with; the engine asks through SlowNames."""

    def start_dns(self):
        self.zone += ["*.list.example. MX 10 mx.one.example.",
                      'bounce.sender.example. TXT "v=spf1 ip4:192.0.2.1 -all"',
                      f'{SIGNED}. TXT "v=spf1 ip4:192.0.2.1 -all"', f"{SIGNED}. MX 10 mx.one.example.",
                      f'_dmarc.{SIGNED}. TXT "v=DMARC1; p=none"']
        self.names = None

    def write_config(self):
        self.dns_port = 1  # of nobody, until the zone is there
        super().write_config()

    def add_account(self):
        super().add_account()
        shown = json.loads(self.command("--json", "dkim", "generate", "--account", "tester",
                                        "--domain", SIGNED, "--selector", "s1"))
        record = next(value for value in shown.values()
                      if isinstance(value, str) and value.startswith("v=DKIM1"))
        strings = " ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
        self.zone.append(f"s1._domainkey.{SIGNED}. TXT {strings}")
        super().start_dns()
        self.names = SlowNames(self.dns_port, LATENCY, is_dead).__enter__()
        self.dns_port = self.names.port
        super().write_config()

    def restart(self):
        self.kill_engine()
        self.start_engine()

    def close(self):
        if self.names:
            self.names.__exit__()
        super().close()

    def timed(self, method, path, body=None):
        """(seconds, answer)"""
        began = time.monotonic()
        answer = self.api.call(method, path, body)
        return time.monotonic() - began, answer


def bad_codes(answer):
    return sorted({each["code"] for each in answer["findings"] if each["outcome"] != "pass"})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--recipients", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    recipients = options.recipients // (10 if options.quick else 1)
    rounds = 1 if options.quick else ROUNDS
    with SlowStack(options.binary, {"one.example": []}, CONFIG) as stack:
        delivery = stack.draft(bench_mails.text_of(2048) + NOTICES, signed=True)
        stack.fill(delivery, (f"user{i}@{domain_of(i)}" for i in range(recipients)))
        first, again = [], []
        for _ in range(rounds):
            stack.restart()
            seconds, answer = stack.timed("POST", f"/deliveries/{delivery}/preflight")
            first.append(seconds)
            seconds, _ = stack.timed("POST", f"/deliveries/{delivery}/preflight")
            again.append(seconds)
            print(f"# {first[-1]:.2f} s, then {seconds:.2f} s; {answer['coverage']}; "
                  f"{bad_codes(answer)}", file=sys.stderr)
        figure("preflight", median(first), "s")
        figure("preflight_worst", max(first), "s")
        figure("preflight_again", median(again), "s")
        coverage = answer["coverage"]
        figure("preflight_domains_answered", coverage["domains_answered"], "")
        figure("preflight_domains_asked", coverage["domains_asked"], "")
        figure("preflight_authentication_open",
               sum(each["kind"] == "authentication" and each["outcome"] == "not_determined"
                   for each in answer["findings"]), "")


if __name__ == "__main__":
    main()
