// SPDX-License-Identifier: Apache-2.0
// todoku dmarc check
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/author_check.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"

namespace todoku::cli {
namespace {

namespace dkim = mailauth::dkim;
namespace dmarc = mailauth::dmarc;
namespace spf = mailauth::spf;

boost::json::object to_json(const dmarc::Answer& answer) {
  return {{"result", dmarc::to_string(answer.result)},
          {"policy", dmarc::to_string(answer.policy)},
          {"domain", answer.domain},
          {"spf_aligned", answer.spf_aligned},
          {"dkim_aligned", answer.dkim_aligned}};
}

// With how it came about.
boost::json::object to_json_at_length(const CheckedAuthor& checked) {
  const dmarc::Verdict& verdict = checked.verdict;
  boost::json::object answer = to_json(verdict.by_walk);
  answer["reason"] = verdict.by_walk.reason;
  answer["author_domain"] = verdict.author_domain;
  answer["by_suffix_list"] = to_json(verdict.by_list);
  answer["spf"] = boost::json::object{{"result", spf::to_string(checked.spf.result)},
                                      {"domain", checked.spf.domain}};
  answer["signatures"] = to_json(checked.dkim, true);
  answer["warnings"] = boost::json::array(verdict.warnings.begin(), verdict.warnings.end());
  answer["trace"] = boost::json::array(verdict.trace.begin(), verdict.trace.end());
  return answer;
}

Task<Result<boost::json::object>> judge_author(
    const boost::json::object& given,  // NOLINT(*-reference-coroutine-parameters)
    dns::Resolver& resolver,           // NOLINT(*-reference-coroutine-parameters)
    Instant now, bool at_length) {
  const auto file = needed_case_text(given, "file");
  if (!file) co_return fail(file.error());
  auto ip = needed_case_text(given, "ip");
  if (!ip) co_return fail(ip.error());
  auto mail_from = case_text(given, "mail_from");
  if (!mail_from) co_return fail(mail_from.error());
  auto helo = case_text(given, "helo");
  if (!helo) co_return fail(helo.error());
  const auto mail = read_mail(*file);
  if (!mail) co_return fail(mail.error());
  SenderOfMail sender{
      .ip = std::move(*ip), .mail_from = std::move(*mail_from), .helo = std::move(*helo)};
  const auto checked = co_await check_author(std::move(sender), *mail, resolver, now);
  if (!checked) co_return fail(checked.error());
  co_return at_length ? to_json_at_length(*checked) : to_json(checked->verdict.by_walk);
}

void show(Session& session, const CheckedAuthor& checked) {
  const dmarc::Verdict& verdict = checked.verdict;
  const dmarc::Answer& answer = verdict.by_walk;
  // RFC 9989 section 9.2, RFC 8601 section 2.7.
  session.out() << fmt::format("dmarc={} header.from={} policy.dmarc={}\n",
                               dmarc::to_string(answer.result), verdict.author_domain,
                               dmarc::to_string(answer.policy));
  if (!answer.domain.empty()) {
    session.say({"record      _dmarc.{}", "レコード    _dmarc.{}"}, answer.domain);
  }
  if (!answer.reason.empty()) {
    session.say({"because     {}", "理由        {}"},
                printable(in_language_of(session, answer.reason)));
  }
  session.out() << fmt::format("spf={} {}\n", spf::to_string(checked.spf.result),
                               printable(checked.spf.domain));
  for (const CheckedSignature& one : checked.dkim.signatures) {
    session.out() << fmt::format("dkim={} {} {}\n", dkim::to_string(one.result.verdict),
                                 printable(one.result.domain),
                                 printable(in_language_of(session, one.result.reason)));
  }
  for (const std::string& warning : verdict.warnings) {
    session.say({"warning     {}", "警告        {}"}, in_language_of(session, warning));
  }
  for (const std::string& step : verdict.trace) session.out() << "  " << step << '\n';
}

Task<int> check_given(Session& session,           // NOLINT(*-reference-coroutine-parameters)
                      const DmarcCheck& which,    // NOLINT(*-reference-coroutine-parameters)
                      dns::Resolver& resolver) {  // NOLINT(*-reference-coroutine-parameters)
  const auto mail = read_mail(which.file, session.host().input());
  if (!mail) co_return unreadable(session, mail.error().detail);
  SenderOfMail sender{.ip = which.ip, .mail_from = which.mail_from, .helo = which.helo};
  const auto checked =
      co_await check_author(std::move(sender), *mail, resolver, session.host().clock().now());
  if (!checked) co_return unreadable(session, checked.error().detail);
  if (session.common().json) {
    session.out() << printable_json(boost::json::serialize(to_json_at_length(*checked))) << '\n';
  } else {
    show(session, *checked);
  }
  co_return 0;
}

}  // namespace

int dmarc_check(Session& session, const DmarcCheck& which) {
  const bool has_case = !which.ip.empty() && !which.file.empty();
  const bool is_empty = which.ip.empty() && which.file.empty();
  if (which.options.batch ? !is_empty : !has_case) {
    return unreadable(session,
                      session.words({"either --ip and a file, or --batch is needed",
                                     "--ip とファイル、または --batch を指定してください"}));
  }
  const Clock& clock = session.host().clock();
  if (which.options.batch) {
    return check_batch(session, which.options,
                       [&clock, at_length = session.common().json](const boost::json::object& given,
                                                                   dns::Resolver& resolver) {
                         return judge_author(given, resolver, clock.now(), at_length);
                       });
  }
  return check_once(session, which.options,
                    [&](dns::Resolver& resolver) { return check_given(session, which, resolver); });
}

}  // namespace todoku::cli
