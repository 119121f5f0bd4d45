// SPDX-License-Identifier: Apache-2.0
// todoku dkim verify
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/dkim_check.h"
#include "cli/printable_stream.h"

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
  co_return boost::json::object{{"signatures", to_json(checked)}};
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
      const boost::json::object answer{{"file", file}, {"signatures", to_json(checked)}};
      session.out() << printable_json(boost::json::serialize(answer)) << '\n';
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
