# SPDX-License-Identifier: Apache-2.0
"""Takes checks out of the engine one by one and shows that a test fails for each.

    python3 tests/mutation/mutate.py [NAME...]      all of MUTANTS, or these
    python3 tests/mutation/mutate.py --built [NAME...]      with what the last run has built

Each mutant is a place in the sources and what stands there when its check is out. All of them are put
in at once, each behind its name in the environment (TODOKU_MUTANT), so that one build makes them
all; the sources are put back whatever happens. Then each named test has to pass with nothing taken
out, and to fail with its check out. Changes no file that has changes of its own.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
API = ROOT / "tests/system/api/api_test.py"
BINARY = ROOT / "build/release/src/todoku"
MUTATED = ROOT / "build/mutants/todoku"
OUT = "todoku::mutant(\"{name}\")"
# For every mutated file: whether the check of this name is taken out.
HELPER = """#ifndef TODOKU_MUTANT  // files of a module are built as one
#define TODOKU_MUTANT
#include <cstdlib>
#include <cstring>
namespace todoku {
inline bool mutant(const char* name) {
  const char* const chosen = std::getenv("TODOKU_MUTANT");
  return chosen != nullptr && std::strcmp(chosen, name) == 0;
}
}  // namespace todoku
#endif
"""


@dataclasses.dataclass
class Mutant:
    """`where`: a file, and text that it has once; `without`: what stands there instead, OUT being
    true when the check is out; `proof`: the check of tests/system/api that must fail then, or a file
    of tests/system."""
    name: str
    where: str
    text: str
    without: str
    proof: str


MUTANTS = [
    Mutant("scope", "src/api/api.cc", "if ((call.scopes & door.opened_by) == 0)",
           "if ((call.scopes & door.opened_by) == 0 && !OUT)",
           "access_checks.Tokens.test_a_key_opens_what_its_scopes_say"),
    Mutant("rate_limit", "src/api/api.cc", "if (rate.allowed) {", "if (rate.allowed || OUT) {",
           "access_checks.RateLimit.test_the_limit_counts_down_per_account_and_ends_in_429"),
    Mutant("networks_of_a_key", "src/access/access.cc",
           "if (!key.networks.empty() && !net::contain(known.networks, from)) {",
           "if (!key.networks.empty() && !net::contain(known.networks, from) && !OUT) {",
           "access_checks.Tokens.test_a_key_is_for_its_networks_and_can_be_rotated"),
    Mutant("suspended", "src/intake/changes.h", "if (!account.suspended) return std::nullopt;",
           "if (!account.suspended || OUT) return std::nullopt;",
           "access_checks.Suspended.test_a_suspended_account_is_423_and_back_after_resume"),
    Mutant("sender", "src/intake/senders.cc", "= table->several ? Verdict::refused",
           "= table->several && !OUT ? Verdict::refused", "domain_checks.Domains.test_every_door_asks"),
    Mutant("members_once", "src/http/json_reader.cc", "if (!level.names.insert(key_).second) return",
           "if (!level.names.insert(key_).second && !OUT) return",
           "type_checks.WrongTypes.test_a_member_given_twice_is_refused_by_its_name"),
    Mutant("depth", "src/http/json_reader.cc", "options.max_depth = limits.depth_max;",
           "options.max_depth = OUT ? 1'000'000 : limits.depth_max;",
           "size_checks.Sizes.test_objects_and_depths_have_limits"),
    Mutant("control_characters", "src/intake/check.cc",
           "if (has_control_character(text)) problems.add(path, texts::control_character());",
           "if (has_control_character(text) && !OUT)\n"
           "    problems.add(path, texts::control_character());",
           "header_checks.Injection.test_line_breaks_in_what_becomes_a_header_are_refused"),
    Mutant("extensions", "src/intake/check.cc", "  if (refused) {\n    problems.add(name_path, texts::refused",
           "  if (refused && !OUT) {\n    problems.add(name_path, texts::refused",
           "limit_checks.Attachments.test_refused_extensions"),
    Mutant("size_of_a_mail", "src/intake/check_size.cc",
           "if (octets <= limits.message_octets_max) return;\n  if (views.empty()",
           "if (octets <= limits.message_octets_max || OUT) return;\n  if (views.empty()",
           "limit_checks.Sizes.test_transaction"),
    Mutant("fingerprint", "src/intake/repeats.cc", "if ((*kept)->fingerprint != asked.fingerprint) {",
           "if ((*kept)->fingerprint != asked.fingerprint && !OUT) {",
           "idempotency_checks.Transactions."
           "test_other_contents_under_the_same_key_are_refused_and_stored_nowhere"),
    Mutant("answer_of_a_rotation", "src/events/endpoints/registry.cc",
           "        made.webhook = std::move(*after);\n        if (!keep) return made;",
           "        made.webhook = std::move(*after);\n        if (!keep || OUT) return made;",
           "webhook_checks.Webhooks.test_a_repeated_rotation_and_replay_do_nothing_twice"),
    Mutant("search_is_text", "src/api/list_query.cc", "if (!is_utf8(parameter->value)) problems_.add",
           "if (!is_utf8(parameter->value) && !OUT) problems_.add",
           "type_checks.WrongTypes.test_searches_are_for_text"),
    Mutant("claims_of_an_account", "src/operate/domains.cc",
           "if (only && claim.account != *only) {", "if (only && claim.account != *only && !OUT) {",
           "tenancy_checks.Tenancy.test_no_list_and_no_search_tells_of_another_account"),
    Mutant("held_back", "src/delivery/courier/holdings.cc",
           "if (const auto batch = weak.lock()) batch->hold_back(",
           "if (const auto batch = weak.lock(); batch && !OUT) batch->hold_back(",
           "delivery/steering_test.py"),
    Mutant("begun_told", "src/delivery/egress/lane_connection_mail.cc",
           "  world_.outcomes.begin_soon(mail, ahead);\n",
           "  if (OUT) return false;\n  world_.outcomes.begin_soon(mail, ahead);\n",
           "delivery/stopped_and_killed_test.py"),
    Mutant("begun_alone", "src/delivery/courier/outcome_recorder.cc",
           "{batch.leased().held(), wanted}", "{batch.leased().held(), OUT ? ~store::Begun{0} : wanted}",
           "delivery/stopped_and_killed_test.py"),
    Mutant("hearing", "src/delivery/hearing.h", "if (!within_) return true;",
           "if (!within_ || OUT) return true;", "store_postgres/courses_test.py"),
    Mutant("why_opt_outs_go", "src/intake/suppression_lists.cc", "if (!gone || says_why) return gone;",
           "if (!gone || says_why || OUT) return gone;",
           "suppression_checks.Suppressions.test_an_opt_out_is_taken_back_only_with_a_reason"),
    Mutant("opt_outs_and_notices", "src/intake/suppression_lists.cc",
           "if (is_opt_out(entry.reason) && entry.scope == StopScope::all) {",
           "if (is_opt_out(entry.reason) && entry.scope == StopScope::all && !OUT) {",
           "suppression_checks.Suppressions.test_wrong_entries_are_refused_by_their_fields"),
    Mutant("tickets", "src/api/api.cc", "if (ticket == nullptr || !wants_stream(request)) return",
           "if (ticket == nullptr || (!wants_stream(request) && !OUT)) return",
           "event_checks.Events.test_a_ticket_opens_one_stream"),
    Mutant("whole_content_ids", "src/mime/inline_parts.cc",
           "if (!id.contains('@')) whole += tail;", "if (!id.contains('@') && !OUT) whole += tail;",
           "inline_checks.Inline.test_parts_of_json_are_shown_by_the_html"),
    Mutant("inline_parts_want_html", "src/intake/check.cc",
           "if (has_inline && content.html_part.empty())",
           "if (has_inline && content.html_part.empty() && !OUT)",
           "inline_checks.Inline.test_what_is_wrong_is_refused_by_its_field"),
    Mutant("states_of_an_export", "src/events/exports/recipient_list.cc",
           "return wanted.states.empty() ||", "return OUT || wanted.states.empty() ||",
           "verb_checks.Verbs.test_what_became_of_each_recipient_is_exported"),
]


def mutated(text, mutants):
    for mutant in mutants:
        if text.count(mutant.text) != 1:
            raise SystemExit(f"{mutant.name}: its place is {text.count(mutant.text)} times in "
                             f"{mutant.where}: say where the check is now")
        out = OUT.format(name=mutant.name)
        text = text.replace(mutant.text, mutant.without.replace("OUT", out))
    licence, _, rest = text.partition("\n")
    return f"{licence}\n{HELPER}{rest}"


def build(mutants):
    """MUTATED: the engine with all of them. The sources are as before then."""
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant.where, []).append(mutant)
    changed = subprocess.run(["git", "status", "--porcelain", "--", *by_file], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    if changed:
        raise SystemExit(f"these files have changes that are not committed:\n{changed}")
    before = {path: (ROOT / path).read_text() for path in by_file}
    after = {path: mutated(before[path], some) for path, some in by_file.items()}
    MUTATED.parent.mkdir(parents=True, exist_ok=True)
    try:
        for path, text in after.items():
            (ROOT / path).write_text(text)
        subprocess.run([ROOT / "tools/build", "release", "todoku"], cwd=ROOT, check=True)
        shutil.copy2(BINARY, MUTATED)
    finally:
        for path, text in before.items():
            (ROOT / path).write_text(text)


def passes(proof, mutant=None):
    environment = {name: value for name, value in os.environ.items() if name != "TODOKU_MUTANT"}
    if mutant is not None:
        environment["TODOKU_MUTANT"] = mutant
    is_file = proof.endswith(".py")
    words = [API.parents[1] / proof, MUTATED] if is_file else [API, MUTATED, proof]
    done = subprocess.run([sys.executable, *words], env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # A test that could not run shows nothing.
    if not is_file and "\nRan 1 test" not in done.stdout:
        raise SystemExit(f"{proof} did not run:\n{done.stdout}")
    return done.returncode == 0


def main():
    names = [word for word in sys.argv[1:] if word != "--built"]
    mutants = [each for each in MUTANTS if not names or each.name in names]
    if not mutants:
        raise SystemExit(f"there are {', '.join(each.name for each in MUTANTS)}")
    if names == sys.argv[1:]:
        build(MUTANTS)
    alive = 0
    for mutant in mutants:
        whole, without = passes(mutant.proof), passes(mutant.proof, mutant.name)
        killed = whole and not without
        alive += not killed
        word = "fails" if killed else "STILL PASSES" if whole else "FAILS WITH THE CHECK IN"
        print(f"{mutant.name:20} {mutant.where}: {mutant.proof} {word}", flush=True)
    print(f"{len(mutants) - alive} of {len(mutants)} checks are missed by a test when they are out")
    print("the sources are as before; the next build makes the engine as it was")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
