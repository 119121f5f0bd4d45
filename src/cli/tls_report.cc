// SPDX-License-Identifier: Apache-2.0
// todoku tls-report show
#include <string>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

int tls_report_show(Session& session, const TlsReportWish& wish) {
  operate::Given given = operate::Given(calls::kTlsReport).with("limit", std::int64_t{1'000});
  if (!wish.domain.empty()) given.with("domain", wish.domain);
  if (wish.days) given.with("days", *wish.days);
  return session.ask_for(given, [&](const boost::json::value& report) {
    if (session.common().json) {
      session.out() << printable_json(boost::json::serialize(report)) << '\n';
      return;
    }
    const auto& results = list_of(report, "results");
    if (results.empty()) session.say({"Nothing was counted.", "記録はありません。"});
    for (const auto& each : results) {
      std::string domain = text_of(each, "domain");
      if (domain.empty()) domain = session.words({"(others)", "（その他）"});
      session.out() << fmt::format("{}  {:<32} {:<16} {:<26} {}\n", text_of(each, "day"),
                                   printable(domain), text_of(each, "policy_type"),
                                   text_of(each, "result_type"), number_of(each, "attempts"));
    }
  });
}

}  // namespace todoku::cli
