// SPDX-License-Identifier: Apache-2.0
#include "cli/dkim_check.h"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>

#include "dns/fact_gathering.h"
#include "mailauth/dkim/key_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::cli {
namespace {

namespace dkim = mailauth::dkim;
using mailauth::DnsFact;

dkim::KeyAnswer key_answer_of(const DnsFact& fact) {
  switch (fact.status) {
    case DnsFact::Status::found:
      return dkim::KeyAnswer::from_texts(fact.values);
    case DnsFact::Status::empty:
    case DnsFact::Status::absent:
      return dkim::KeyAnswer::absent();
    case DnsFact::Status::unknown:
    case DnsFact::Status::failed:
      break;
  }
  return dkim::KeyAnswer::unavailable(fact.reason);
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
    auto result = dkim::verify(view, signature, key_answer_of(fact), {.now = now});
    checked.push_back(
        {.signature = signature, .result = std::move(result), .key_texts = std::move(fact.values)});
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

boost::json::array to_json(const CheckedSignatures& checked) {
  boost::json::array list;
  for (const CheckedSignature& one : checked.signatures) {
    list.push_back(boost::json::object{{"domain", one.result.domain},
                                       {"selector", one.result.selector},
                                       {"result", dkim::to_string(one.result.verdict)},
                                       {"reason", one.result.reason}});
  }
  return list;
}

}  // namespace todoku::cli
