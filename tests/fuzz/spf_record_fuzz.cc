// SPDX-License-Identifier: Apache-2.0
// Any octets as a record, and as what the DNS says to all that it asks. Oracles: nothing dies; an
// evaluation ends within the limits, tells printable steps, and says the same when it is played in
// one go; what the grammar accepts has the shape that it promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "mailauth/spf/check_host.h"
#include "mailauth/spf/macro.h"
#include "mailauth/spf/record.h"

namespace todoku::mailauth::spf {
namespace {

void check_shape(std::string_view text) {
  const auto record = parse_record(text);
  if (!record) return;
  for (const Mechanism& mechanism : record->mechanisms) {
    check(!mechanism.text.empty() && text.find(mechanism.text) != std::string_view::npos,
          "a directive is of the text");
    check(mechanism.ip4_bits <= 32 && mechanism.ip6_bits <= 128, "prefixes fit");
    check(mechanism.domain_spec.empty() || check_domain_spec(mechanism.domain_spec).has_value(),
          "a domain was checked");
  }
}

// The input's lines, one for each question, again from the first after the last.
DnsFact answer(const DnsQuestion& question, std::string_view text, std::size_t number) {
  const auto end = [&text] { return std::min(text.find('\n'), text.size()); };
  for (std::size_t i = 0; i < number % 16 && end() < text.size(); ++i)
    text.remove_prefix(end() + 1);
  const std::string value(text.substr(0, end()));
  if (value.starts_with('!')) {
    return {.status = DnsFact::Status::failed, .values = {}, .reason = value};
  }
  DnsFact fact{.status = DnsFact::Status::found, .values = {value}, .reason = ""};
  if (question.type == FactType::a) fact.values = {std::string("\xC0\x00\x02\x01", 4)};
  if (question.type == FactType::aaaa) fact.values = {std::string(16, '\0')};
  if (value.starts_with('?'))
    fact = {.status = DnsFact::Status::absent, .values = {}, .reason = ""};
  return fact;
}

void check_evaluation(std::string_view text, std::string ip) {
  const Query query{.ip = std::move(ip),
                    .mail_from = std::string(text.substr(0, text.find('\n'))) + "@example.jp",
                    .helo = std::string(text.substr(0, 40)),
                    .receiver = "mx.example.com",
                    .now = {}};
  DnsFacts facts;
  facts.learn({FactType::txt, "example.jp"},
              {.status = DnsFact::Status::found,
               .values = {"v=spf1 " + std::string(text.substr(0, text.find('\n')))},
               .reason = ""});
  std::size_t asked = 0;
  while (true) {
    const Verdict verdict = check_host(query, facts);
    const auto wanted = facts.take_wanted();
    check(verdict.lookups <= 10 && verdict.void_lookups <= 3, "the limits hold");
    check(verdict.trace.size() <= kTraceLinesMax, "a trace is bounded");
    if (wanted.empty()) {
      check(check_host(query, facts).trace == verdict.trace, "facts decide");
      check((verdict.result == SpfResult::fail) || verdict.explanation.empty(),
            "only a fail is explained");
      break;
    }
    for (const DnsQuestion& question : wanted)
      facts.learn(question, answer(question, text, asked++));
    check(asked <= 150, "questions are limited");
  }
}

}  // namespace
}  // namespace todoku::mailauth::spf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::mailauth::spf;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_shape("v=spf1 " + std::string(text));
  check_evaluation(text, std::string("\xC0\x00\x02\x01", 4));
  check_evaluation(text, std::string(16, '\x01'));
  return 0;
}
