// SPDX-License-Identifier: Apache-2.0
#include "cli/sender_check.h"

#include <utility>

#include "base/bytes.h"
#include "dns/fact_gathering.h"
#include "mailauth/facts/dns_facts.h"
#include "net/endpoint.h"

namespace todoku::cli {
namespace {

namespace spf = mailauth::spf;

Result<spf::Query> query_of(SenderOfMail sender, Instant now) {
  const auto ip = net::IpAddress::parse(sender.ip);
  if (!ip) return fail(ip.error());
  std::string mail_from = std::move(sender.mail_from);
  if (mail_from.starts_with('<') && mail_from.ends_with('>')) {
    mail_from = mail_from.substr(1, mail_from.size() - 2);
  }
  if (mail_from.empty() && sender.helo.empty()) {
    return fail(ErrorKind::invalid_input, "neither a sender nor a HELO name is given");
  }
  return spf::Query{.ip = std::string(as_text(ip->octets())),
                    .mail_from = std::move(mail_from),
                    .helo = std::move(sender.helo),
                    .now = now};
}

}  // namespace

Task<Result<spf::Verdict>> check_sender(
    SenderOfMail sender,
    dns::Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    Instant now) {
  const auto query = query_of(std::move(sender), now);
  if (!query) co_return fail(query.error());
  mailauth::DnsFacts facts;
  co_return co_await dns::gather_facts(resolver, facts, [&query](mailauth::DnsFacts& known) {
    return spf::check_host(*query, known);
  });
}

}  // namespace todoku::cli
