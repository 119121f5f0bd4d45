// SPDX-License-Identifier: Apache-2.0
#include "cli/dkim_check.h"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "dns/fact_gathering.h"
#include "doctor/key_answer.h"
#include "mailauth/dkim/key_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/signature.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::cli {
namespace {

namespace dkim = mailauth::dkim;
using mailauth::DnsFact;

constexpr std::size_t kShownMax = 300;  // octets of foreign text in a line

std::string shown(std::string_view text) {
  return text.size() <= kShownMax ? std::string(text)
                                  : std::string(text.substr(0, kShownMax)) + "...";
}

// What the field says of itself.
void trace_field(const dkim::Signature& signature, std::vector<std::string>& trace) {
  trace.push_back(fmt::format(
      "the signature: a={} c={}/{} d={} s={} i={}", signature_algorithm(signature.algorithm),
      to_string(signature.header_form), to_string(signature.body_form), shown(signature.domain),
      shown(signature.selector), shown(signature.identity)));
  trace.push_back(shown(fmt::format("signed fields: {}", fmt::join(signature.signed_names, " "))));
  if (signature.signed_at) trace.push_back(fmt::format("signed at t={}", *signature.signed_at));
  if (signature.expires_at) trace.push_back(fmt::format("expires at x={}", *signature.expires_at));
}

void trace_key(const dkim::Signature& signature, const DnsFact& fact,
               std::vector<std::string>& trace) {
  const std::string name = signature.lookup_name() + " TXT";
  if (fact.status == DnsFact::Status::failed) {
    trace.push_back(fmt::format("{}: no answer: {}", name, shown(fact.reason)));
  } else if (fact.is_void()) {
    trace.push_back(fmt::format(
        "{}: {}", name,
        fact.status == DnsFact::Status::absent ? "no such name" : "no record of this type"));
  }
  const std::size_t looked_at = std::min(fact.values.size(), dkim::KeyAnswer::kRecordsMax);
  for (std::size_t i = 0; i < looked_at; ++i) {
    trace.push_back(fmt::format("{}: {}", name, shown(fact.values[i])));
  }
  if (looked_at < fact.values.size()) {
    trace.push_back(fmt::format("{}: {} more", name, fact.values.size() - looked_at));
  }
}

// The two comparisons that decide.
void trace_hashes(const dkim::Signature& signature, const dkim::SignatureResult& result,
                  std::vector<std::string>& trace) {
  if (result.key_bits > 0) {
    trace.push_back(fmt::format("the key: {}, {} bits{}", to_string(signature.algorithm),
                                result.key_bits, result.testing ? ", only being tried (t=y)" : ""));
  }
  if (result.body_matches) {
    const std::string said = to_base64(signature.body_hash);
    trace.push_back(*result.body_matches ? fmt::format("body hash: bh={}, as the body's", said)
                                         : fmt::format("body hash: bh={}, but the body's is {}",
                                                       shown(said), to_base64(result.body_hash)));
  }
  if (signature.body_octets) {
    trace.push_back(fmt::format("l={} leaves {} octets of the body unsigned",
                                *signature.body_octets, result.unsigned_octets));
  }
  if (result.signature_matches) {
    trace.push_back(fmt::format("header hash: {}, b= is {} signature of it",
                                to_base64(result.header_hash),
                                *result.signature_matches ? "a" : "no"));
  }
}

CheckedSignature judge_one(const dkim::MessageView& view, const dkim::Signature& signature,
                           const DnsFact& fact, Instant now) {
  CheckedSignature one;
  one.result = dkim::verify(view, signature, doctor::key_answer_of(fact), {.now = now});
  if (signature.problem) return one;
  trace_field(signature, one.trace);
  trace_key(signature, fact, one.trace);
  trace_hashes(signature, one.result, one.trace);
  return one;
}

std::vector<CheckedSignature> judge_all(const dkim::MessageView& view,
                                        const std::vector<dkim::Signature>& signatures,
                                        mailauth::DnsFacts& facts, Instant now) {
  std::vector<CheckedSignature> checked;
  bool all_known = true;
  for (const dkim::Signature& signature : signatures) {
    DnsFact fact{.status = DnsFact::Status::absent, .values = {}, .reason = {}};
    if (!signature.problem) fact = facts.ask(mailauth::FactType::txt, signature.lookup_name());
    all_known = all_known && fact.is_known();
    // Until all keys are there it is played again.
    if (!all_known) continue;
    checked.push_back(judge_one(view, signature, fact, now));
  }
  return checked;
}

}  // namespace

Task<CheckedSignatures> check_signatures(
    std::string_view mail,
    dns::Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    Instant now) {
  const dkim::MessageView view = dkim::split_message(mail);
  const std::vector<dkim::Signature> signatures = dkim::parse_signatures(view);
  mailauth::DnsFacts facts;
  CheckedSignatures checked;
  checked.signatures = co_await dns::gather_facts(resolver, facts, [&](mailauth::DnsFacts& known) {
    return judge_all(view, signatures, known, now);
  });
  checked.passed_over = dkim::count_signatures(view) - signatures.size();
  co_return checked;
}

boost::json::array to_json(const CheckedSignatures& checked, bool with_trace) {
  boost::json::array list;
  for (const CheckedSignature& one : checked.signatures) {
    boost::json::object object{{"domain", one.result.domain},
                               {"selector", one.result.selector},
                               {"result", dkim::to_string(one.result.verdict)},
                               {"reason", one.result.reason}};
    if (with_trace) object.emplace("trace", boost::json::array(one.trace.begin(), one.trace.end()));
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace todoku::cli
