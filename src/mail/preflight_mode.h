// SPDX-License-Identifier: Apache-2.0
// What becomes of an account's bulk deliveries that would not arrive, as a preflight judges them
// before they are committed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku {

// Stored as these numbers: never renumber.
enum class PreflightMode : std::uint8_t {
  off = 0,      // a commit judges nothing; whoever asks for a preflight gets one
  warn = 1,     // what was found is told with the commit
  enforce = 2,  // a bulk that breaks what large receivers demand of bulk senders is refused
};

inline constexpr std::array kPreflightModes{PreflightMode::off, PreflightMode::warn,
                                            PreflightMode::enforce};

[[nodiscard]] constexpr std::string_view to_string(PreflightMode mode) {
  switch (mode) {
    case PreflightMode::off:
      return "off";
    case PreflightMode::warn:
      return "warn";
    case PreflightMode::enforce:
      return "enforce";
  }
  return "";
}

[[nodiscard]] constexpr std::optional<PreflightMode> parse_preflight_mode(std::string_view word) {
  for (const PreflightMode mode : kPreflightModes) {
    if (word == to_string(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace todoku
