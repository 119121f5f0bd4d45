// SPDX-License-Identifier: Apache-2.0
#include "cli/author_check.h"

#include <string>
#include <utility>

#include "dns/fact_gathering.h"
#include "doctor/author_domains.h"
#include "mailauth/dkim/message.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/suffixes/public_suffix.h"

namespace todoku::cli {
namespace {

namespace dkim = mailauth::dkim;
namespace dmarc = mailauth::dmarc;
namespace spf = mailauth::spf;

dmarc::Check check_of(spf::SpfResult result) {
  if (result == spf::SpfResult::pass) return dmarc::Check::pass;
  return result == spf::SpfResult::temperror ? dmarc::Check::temperror : dmarc::Check::fail;
}

dmarc::Check check_of(dkim::Verdict verdict) {
  if (verdict == dkim::Verdict::pass) return dmarc::Check::pass;
  return verdict == dkim::Verdict::temperror ? dmarc::Check::temperror : dmarc::Check::fail;
}

dmarc::Query query_of(std::string_view mail, const spf::Verdict& sender,
                      const CheckedSignatures& signatures) {
  dmarc::Query query;
  if (auto domains = doctor::author_domains(dkim::split_message(mail)); domains) {
    query.author_domains = std::move(*domains);
  } else {
    query.from_fault = std::move(domains.error().detail);
  }
  query.spf = {.check = check_of(sender.result), .domain = sender.domain};
  for (const CheckedSignature& one : signatures.signatures) {
    query.dkim.push_back({.check = check_of(one.result.verdict), .domain = one.result.domain});
  }
  return query;
}

}  // namespace

Task<Result<CheckedAuthor>> check_author(
    SenderOfMail sender, std::string_view mail,
    dns::Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    Instant now) {
  CheckedAuthor checked;
  if (!sender.mail_from.empty() || !sender.helo.empty()) {
    auto verdict = co_await check_sender(std::move(sender), resolver, now);
    if (!verdict) co_return fail(std::move(verdict.error()));
    checked.spf = std::move(*verdict);
  }
  checked.dkim = co_await check_signatures(mail, resolver, now);
  const dmarc::Query query = query_of(mail, checked.spf, checked.dkim);
  mailauth::DnsFacts facts;
  checked.verdict = co_await dns::gather_facts(resolver, facts, [&](mailauth::DnsFacts& known) {
    return dmarc::evaluate(query, mailauth::registered_domain, known);
  });
  co_return checked;
}

}  // namespace todoku::cli
