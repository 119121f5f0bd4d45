// SPDX-License-Identifier: Apache-2.0
// Any octets as a DMARC record, as names and as what the DNS says. Oracles: nothing dies; lists
// keep their bounds; the two ways agree on what they share; a walk ends within its questions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "mailauth/dmarc/discovery.h"
#include "mailauth/dmarc/evaluation.h"
#include "mailauth/identity/host_identity.h"

namespace todoku::mailauth::dmarc {
namespace {

std::string registered(std::string_view domain) {
  return std::string(last_labels(domain, 2));
}

void check_record(std::string_view text) {
  const auto record = parse_record(text);
  if (!record) return;
  check(text.starts_with('v') || text.starts_with('V'), "a record begins with its version");
  check(record->rua.size() <= kReportUrisMax && record->ruf.size() <= kReportUrisMax,
        "lists are bounded");
  check(record->percent >= 0 && record->percent <= 100, "a share is of a hundred");
  for (const std::string& uri : record->rua) {
    check(report_uri(uri).has_value(), "what is kept is a URI");
  }
}

// Every question gets the text, or one of the other answers.
void check_evaluation(std::string_view text, Random& random) {
  const std::string first(text.substr(0, text.find('\n')));
  Query query{.author_domains = {first, "a.example.jp"}, .from_fault = {}, .spf = {}, .dkim = {}};
  if (random.below(2) == 0) query.author_domains.erase(query.author_domains.begin());
  query.spf = {.check = Check::pass, .domain = "b.example.jp"};
  query.dkim.push_back({.check = Check::temperror, .domain = first});
  DnsFacts facts;
  while (true) {
    const Verdict verdict = evaluate(query, registered, facts);
    const auto wanted = facts.take_wanted();
    check(facts.known() <= 4 * kWalkQueriesMax, "questions are bounded");
    if (!wanted.empty()) {
      for (const DnsQuestion& question : wanted) {
        const auto status = static_cast<DnsFact::Status>(1 + random.below(4));
        DnsFact fact{.status = status, .values = {}, .reason = {}};
        if (status == DnsFact::Status::found) fact.values.emplace_back(text);
        facts.learn(question, fact);
      }
      continue;
    }
    for (const Answer& answer : {verdict.by_walk, verdict.by_list}) {
      const bool is_aligned = answer.spf_aligned || answer.dkim_aligned;
      check((answer.result == Result::pass) == is_aligned, "a pass is aligned");
      check(answer.result != Result::fail || !answer.domain.empty(), "a fail is by a record");
    }
    return;
  }
}

void check_identity(std::string_view text, Random& random) {
  DnsFacts facts;
  const std::string address(random.below(2) == 0 ? 4 : 16, '\x07');
  while (true) {
    const HostIdentity identity = identify_host(address, text, facts);
    const auto wanted = facts.take_wanted();
    check(identity.names.size() <= kPtrNamesMax, "names are bounded");
    if (wanted.empty()) return;
    for (const DnsQuestion& question : wanted) {
      facts.learn(question, {.status = DnsFact::Status::found,
                             .values = std::vector<std::string>(12, std::string(text)),
                             .reason = {}});
    }
  }
}

}  // namespace
}  // namespace todoku::mailauth::dmarc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::mailauth::dmarc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  todoku::SeededRandom random(size);
  check_record(text);
  check_evaluation(text, random);
  check_identity(text, random);
  return 0;
}
