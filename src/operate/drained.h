// SPDX-License-Identifier: Apache-2.0
// What an engine leaves behind in the store when it has drained, for whoever asked it to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace todoku::operate {

// The name of its setting (store/settings.h). Of an engine that was killed there is none: an older
// one's stays.
inline constexpr std::string_view kDrainedSetting = "drained";

struct Drained {
  Instant at{};               // its delivery had stopped
  std::int64_t in_doubt = 0;  // mails that were out, of which no answer had come when it broke off
};

[[nodiscard]] std::string to_text(const Drained& drained);
// nullopt: it is none.
[[nodiscard]] std::optional<Drained> parse_drained(std::string_view text);

}  // namespace todoku::operate
