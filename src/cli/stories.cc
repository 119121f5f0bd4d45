// SPDX-License-Identifier: Apache-2.0
// todoku explain ADDRESS
#include <fmt/format.h>

#include "cli/commands.h"

namespace todoku::cli {

int explain_address(Session& session, const Explain& options) {
  std::string target =
      fmt::format("/explain?address={}&limit={}", encoded(options.address), options.limit);
  target += session.language() == Language::japanese ? "&lang=ja" : "&lang=en";
  if (!options.account.empty()) target += "&account=" + encoded(options.account);
  if (options.utc) target += "&utc_offset_minutes=0";
  return session.call({.target = std::move(target)}, [&](const boost::json::value& answer) {
    session.out() << text_of(answer, "text");
  });
}

}  // namespace todoku::cli
