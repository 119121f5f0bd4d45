// SPDX-License-Identifier: Apache-2.0
// todoku dkim verify
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/dkim_check.h"
#include "cli/printable_stream.h"
#include "mailauth/dkim/signature.h"

namespace todoku::cli {
namespace {

Task<Result<boost::json::object>> judge_file(
    const boost::json::object& given,  // NOLINT(*-reference-coroutine-parameters)
    dns::Resolver& resolver,           // NOLINT(*-reference-coroutine-parameters)
    Instant now) {
  const auto file = needed_case_text(given, "file");
  if (!file) co_return fail(file.error());
  const auto mail = read_mail(*file);
  if (!mail) co_return fail(mail.error());
  const CheckedSignatures checked = co_await check_signatures(*mail, resolver, now);
  boost::json::object answer{{"signatures", to_json(checked, false)}};
  if (checked.passed_over > 0) answer.emplace("passed_over", checked.passed_over);
  co_return answer;
}

void show(Session& session, const std::string& file, const CheckedSignatures& checked) {
  const std::size_t looked_at = checked.signatures.size();
  const std::size_t all = looked_at + checked.passed_over;
  session.say({"{}: {}", "{}: {}"}, file,
              all == 0 ? session.words({"none (no signature)", "none（署名なし）"})
              : checked.passed_over > 0
                  ? session.words({"signatures: {}, of which the first {} were looked at",
                                   "署名 {} 件（先頭の {} 件のみ検証）"},
                                  all, looked_at)
                  : session.words({"signatures: {}", "署名 {} 件"}, all));
  for (const CheckedSignature& one : checked.signatures) {
    const mailauth::dkim::SignatureResult& result = one.result;
    session.say({"  {}{} (domain {}, selector {})", "  {}{}（ドメイン {}、セレクター {}）"},
                mailauth::dkim::to_string(result.verdict),
                result.reason.empty() ? "" : ": " + in_language_of(session, result.reason),
                result.domain.empty() ? "?" : result.domain,
                result.selector.empty() ? "?" : result.selector);
    for (const std::string& line : one.trace) session.out() << "    " << line << '\n';
  }
  if (checked.passed_over > 0) {
    session.say({"  {} more signatures were not looked at: {} are the most that are",
                 "  残りの署名 {} 件は調べていません（調べるのは {} 件まで）"},
                checked.passed_over, mailauth::dkim::kSignaturesMax);
  }
}

Task<int> verify_files(Session& session,           // NOLINT(*-reference-coroutine-parameters)
                       const DkimVerify& which,    // NOLINT(*-reference-coroutine-parameters)
                       dns::Resolver& resolver) {  // NOLINT(*-reference-coroutine-parameters)
  int status = 0;
  for (const std::string& file : which.files) {
    const auto mail = read_mail(file, session.host().input());
    if (!mail) {
      status = unreadable(session, mail.error().detail);
      continue;
    }
    const CheckedSignatures checked =
        co_await check_signatures(*mail, resolver, session.host().clock().now());
    if (session.common().json) {
      const boost::json::object answer{{"file", file},
                                       {"signatures", to_json(checked, true)},
                                       {"passed_over", checked.passed_over}};
      session.out() << printable_json(boost::json::serialize(answer)) << '\n';
    } else {
      show(session, file, checked);
    }
  }
  co_return status;
}

}  // namespace

int dkim_verify(Session& session, const DkimVerify& which) {
  if (which.options.batch != which.files.empty()) {
    return unreadable(session, session.words({"either files or --batch is needed",
                                              "ファイルか --batch のどちらかを指定してください"}));
  }
  const Clock& clock = session.host().clock();
  if (which.options.batch) {
    return check_batch(session, which.options,
                       [&clock](const boost::json::object& given, dns::Resolver& resolver) {
                         return judge_file(given, resolver, clock.now());
                       });
  }
  return check_once(session, which.options, [&](dns::Resolver& resolver) {
    return verify_files(session, which, resolver);
  });
}

}  // namespace todoku::cli
