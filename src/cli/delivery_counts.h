// SPDX-License-Identifier: Apache-2.0
// What the API's progress of a delivery says, for commands that wait for its end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/session.h"

namespace todoku::cli {

inline constexpr std::array<std::string_view, 8> kRecipientStates = {
    "pending", "deferred", "delivered", "bounced", "dropped", "expired", "cancelled", "unknown"};

[[nodiscard]] inline bool has_ended(std::string_view state) {
  return state == "sent" || state == "stopped" || state == "failed";
}

// "delivered 9 bounced 1": those that there are, but for the pending.
[[nodiscard]] inline std::string counts_of(const boost::json::value& progress) {
  std::string out;
  for (const std::string_view state : kRecipientStates) {
    const std::int64_t count = number_of(progress, state);
    if (count == 0 || state == "pending") continue;
    if (!out.empty()) out += ' ';
    out += fmt::format("{} {}", state, count);
  }
  return out;
}

// How many of its recipients have come to an end.
[[nodiscard]] inline std::int64_t done_of(const boost::json::value& progress) {
  return number_of(progress, "total") - number_of(progress, "pending") -
         number_of(progress, "deferred");
}

}  // namespace todoku::cli
