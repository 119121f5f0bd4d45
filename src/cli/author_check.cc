// SPDX-License-Identifier: Apache-2.0
#include "cli/author_check.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "dns/fact_gathering.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/suffixes/public_suffix.h"
#include "mime/encoded_words.h"
#include "mime/mailbox_list.h"

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
  if (auto domains = author_domains(dkim::split_message(mail)); domains) {
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

Result<std::vector<std::string>> author_domains(const dkim::MessageView& message) {
  const HeaderField* from = nullptr;
  for (const HeaderField& field : message.fields) {
    if (!equals_ignoring_case(field.name, "From")) continue;
    // RFC 5322 section 3.6: exactly one. Of two, people may be shown the other.
    if (from != nullptr) return fail(ErrorKind::invalid_input, "there is more than one From");
    from = &field;
  }
  if (from == nullptr) return fail(ErrorKind::invalid_input, "there is no From");
  const std::string body = mime::unfolded(from->raw.substr(from->raw.find(':') + 1));
  auto listed = mime::parse_mailbox_list(body);
  if (!listed) {
    return fail(ErrorKind::invalid_input, fmt::format("From {}", listed.error().detail));
  }
  std::vector<std::string> domains;
  for (const mime::ListedMailbox& each : *listed) {
    const std::string& address = each.mailbox.address;
    const std::size_t at = address.rfind('@');
    // Left out, it would be an author whom people see and nobody has judged.
    if (!each.is_qualified || at == std::string::npos) {
      return fail(ErrorKind::invalid_input, "From names an address without a domain");
    }
    domains.push_back(address.substr(at + 1));
  }
  return domains;
}

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
