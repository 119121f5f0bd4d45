// SPDX-License-Identifier: Apache-2.0
// todoku explain ADDRESS
#include <utility>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

int explain_address(Session& session, const Explain& options) {
  using operate::Given;
  Given given =
      Given(operate::calls::kExplain)
          .with("address", options.address)
          .with("limit", options.limit)
          .with("lang", std::string(session.language() == Language::japanese ? "ja" : "en"));
  if (!options.account.empty()) given.with("account", options.account);
  if (options.utc) given.with("utc_offset_minutes", std::int64_t{0});
  return session.call(
      request_of(given),
      [&](const boost::json::value& answer) { session.out() << text_of(answer, "text"); },
      [](const boost::json::value& answer) { return !list_of(answer, "mails").empty(); });
}

}  // namespace todoku::cli
