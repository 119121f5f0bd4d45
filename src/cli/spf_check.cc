// SPDX-License-Identifier: Apache-2.0
// todoku spf check
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "cli/sender_check.h"

namespace todoku::cli {
namespace {

namespace spf = mailauth::spf;

boost::json::object to_json(const spf::Verdict& verdict) {
  return {{"result", spf::to_string(verdict.result)},
          {"explanation", verdict.explanation},
          {"trace", boost::json::array(verdict.trace.begin(), verdict.trace.end())}};
}

Task<Result<boost::json::object>> judge_sender(
    const boost::json::object& given,  // NOLINT(*-reference-coroutine-parameters)
    dns::Resolver& resolver,           // NOLINT(*-reference-coroutine-parameters)
    Instant now) {
  auto ip = needed_case_text(given, "ip");
  if (!ip) co_return fail(ip.error());
  auto mail_from = case_text(given, "mail_from");
  if (!mail_from) co_return fail(mail_from.error());
  auto helo = case_text(given, "helo");
  if (!helo) co_return fail(helo.error());
  SenderOfMail sender{
      .ip = std::move(*ip), .mail_from = std::move(*mail_from), .helo = std::move(*helo)};
  const auto verdict = co_await check_sender(std::move(sender), resolver, now);
  if (!verdict) co_return fail(verdict.error());
  co_return to_json(*verdict);
}

void show(Session& session, const spf::Verdict& verdict) {
  // RFC 8601 section 2.7.2.
  session.out() << fmt::format("spf={} smtp.{}={}\n", spf::to_string(verdict.result),
                               verdict.is_of_helo ? "helo" : "mailfrom", printable(verdict.domain));
  if (!verdict.mechanism.empty()) {
    session.say({"decided by      {} of {}", "決め手          {1} の {0}"}, verdict.mechanism,
                verdict.mechanism_domain);
  }
  if (!verdict.problem.empty()) {
    session.say({"because         {}", "理由            {}"},
                in_language_of(session, verdict.problem));
  }
  if (!verdict.explanation.empty()) {
    session.say({"the domain says {}", "ドメインの説明  {}"}, verdict.explanation);
  }
  const spf::Limits limits;
  session.say({"look-ups        {} of {}, without a record {} of {}",
               "DNS の参照      {} / {}、レコードなし {} / {}"},
              verdict.lookups, limits.lookups, verdict.void_lookups, limits.void_lookups);
  for (const std::string& step : verdict.trace) session.out() << "  " << step << '\n';
}

Task<int> check_given(Session& session,  // NOLINT(*-reference-coroutine-parameters)
                      SenderOfMail sender,
                      dns::Resolver& resolver) {  // NOLINT(*-reference-coroutine-parameters)
  const auto verdict =
      co_await check_sender(std::move(sender), resolver, session.host().clock().now());
  if (!verdict) co_return unreadable(session, verdict.error().detail);
  if (session.common().json) {
    session.out() << printable_json(boost::json::serialize(to_json(*verdict))) << '\n';
  } else {
    show(session, *verdict);
  }
  co_return 0;
}

}  // namespace

int spf_check(Session& session, const SpfCheck& which) {
  if (which.options.batch != which.ip.empty()) {
    return unreadable(session, session.words({"either --ip or --batch is needed",
                                              "--ip か --batch のどちらかを指定してください"}));
  }
  const Clock& clock = session.host().clock();
  if (which.options.batch) {
    return check_batch(session, which.options,
                       [&clock](const boost::json::object& given, dns::Resolver& resolver) {
                         return judge_sender(given, resolver, clock.now());
                       });
  }
  return check_once(session, which.options, [&](dns::Resolver& resolver) {
    SenderOfMail sender{.ip = which.ip, .mail_from = which.mail_from, .helo = which.helo};
    return check_given(session, std::move(sender), resolver);
  });
}

}  // namespace todoku::cli
