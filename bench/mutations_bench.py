#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether a check could go missing from the API unseen: each mutation takes one check out of the
sources, builds, and runs the checks that have to fail then.

    bench/run mutations [NAME ...]     all of them, or those

The sources of this checkout are changed in place and put back, whatever happens; it has to have no
changes of its own in those files. Prints a line for each mutation: name, seconds, what failed.
"""
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
API_TEST = ROOT / "tests/system/api/api_test.py"


@dataclass
class Mutation:
    name: str
    path: str
    old: str
    new: str
    checks: tuple  # of api_test.py


MUTATIONS = (
    Mutation("a key that has expired", "src/access/access.cc",
             "if (key.expires && store_.clock().now() >= *key.expires) {", "if (false) {",
             ("access_checks", "provisioning_checks")),
    Mutation("the networks of a key", "src/access/access.cc",
             "if (!key.networks.empty() && !net::contain(known.networks, from)) {", "if (false) {",
             ("access_checks",)),
    Mutation("the scopes of a key", "src/api/api.cc",
             "if ((call.scopes & door.opened_by) == 0) co_return", "if (false) co_return",
             ("access_checks",)),
    Mutation("the networks of provisioning", "src/api/provisioning.cc",
             "net::contain(options.provisioning_networks, call.from);", "true;",
             ("provisioning_checks",)),
    Mutation("whose mail a log id is", "src/store/sqlite/reads_logs.cc",
             'query.bind(account, id);', 'query.bind(AccountKey{1}, id);',
             ("tenancy_checks", "log_checks")),
    Mutation("whose events are read", "src/store/sqlite/events.cc",
             '" WHERE account = ?2 AND place >= ?1 ORDER BY place")',
             '" WHERE ?2 > 0 AND place >= ?1 ORDER BY place")',
             ("tenancy_checks", "event_checks")),
    Mutation("what a key of idempotency was used for", "src/intake/repeats.cc",
             "if ((*kept)->fingerprint != asked.fingerprint) {", "if (false) {",
             ("idempotency_checks",)),
    Mutation("the domain of another account", "src/intake/senders.cc",
             "if (found->second.contains(account)) return Verdict::proven;",
             "return Verdict::proven;",
             ("domain_checks", "tenancy_checks")),
    Mutation("a message id that is none", "src/mime/extra_header.cc",
             "if (id.front() != '<' || id.back() != '>') return false;", "",
             ("header_checks", "waiting_checks", "openapi_checks")),
    Mutation("header names that are the engine's", "src/mime/extra_header.cc",
             'return fail(ErrorKind::invalid_input, "cannot be given");',
             "return HeaderForm::text;",
             ("header_checks", "waiting_checks")),
    Mutation("a member twice in one object", "src/http/json_reader.cc",
             "if (!level.names.insert(key_).second) return refuse(JsonFault::Kind::repeated_member,"
             " code);", "level.names.insert(key_);",
             ("type_checks", "tolerance_checks", "transport_checks")),
    Mutation("an opt-out that stops everything", "src/intake/suppression_lists.cc",
             "if (is_opt_out(entry.reason) && entry.scope == StopScope::all) {", "if (false) {",
             ("suppression_checks",)),
    Mutation("why an opt-out is taken back", "src/intake/suppression_lists.cc",
             "if (!gone || says_why) return gone;", "return gone;",
             ("suppression_checks",)),
    Mutation("how many mails a batch may have", "src/api/transaction_batch.cc",
             "constexpr std::size_t kMailsMax = 1'000;",
             "constexpr std::size_t kMailsMax = 1'001;",
             ("batch_checks", "openapi_checks")),
)


def build():
    return subprocess.run([ROOT / "tools/build", "release", "todoku"], cwd=ROOT, check=False,
                          capture_output=True, text=True)


def failures(checks):
    """The names of the checks that fail; None where the run itself did not come to its end."""
    done = subprocess.run([sys.executable, "-B", API_TEST, ROOT / "build/release/src/todoku",
                           *checks], cwd=ROOT, check=False, capture_output=True, text=True)
    found = [line.split()[1] for line in done.stdout.splitlines()
             if line.startswith(("FAIL: ", "ERROR: "))]
    ended = any(line.startswith("Ran ") for line in done.stdout.splitlines())
    return found if ended else None


def run(mutation):
    """True if somebody notices."""
    path = ROOT / mutation.path
    text = path.read_text()
    if text.count(mutation.old) != 1:
        print(f"{mutation.name}\t0\tnot found once in {mutation.path}", flush=True)
        return False
    began = time.monotonic()
    try:
        path.write_text(text.replace(mutation.old, mutation.new))
        built = build()
        # One set of checks after the other, until somebody notices.
        found = None
        if built.returncode == 0:
            for checks in mutation.checks:
                found = failures([checks])
                if found:
                    break
    finally:
        path.write_text(text)
    told = "does not build" if built.returncode != 0 else \
        "the checks did not end" if found is None else \
        "NOBODY NOTICED" if not found else f"{len(found)} failed, such as {found[0]}"
    print(f"{mutation.name}\t{time.monotonic() - began:.0f}\t{told}", flush=True)
    if built.returncode != 0:
        print(built.stdout[-2000:], file=sys.stderr)
    return bool(found)


def main():
    wanted = sys.argv[1 + 1:]
    chosen = [m for m in MUTATIONS if not wanted or m.name in wanted]
    changed = subprocess.run(["git", "status", "--porcelain", *{m.path for m in chosen}], cwd=ROOT,
                             check=True, capture_output=True, text=True).stdout
    if changed:
        print(f"changed already:\n{changed}", file=sys.stderr)
        return 1
    try:
        noticed = sum(run(mutation) for mutation in chosen)
    finally:
        build()
    print(f"noticed\t{noticed}\tof {len(chosen)}")
    return 0 if noticed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
