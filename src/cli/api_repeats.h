// SPDX-License-Identifier: Apache-2.0
// Which answers of the API, and which lack of one, are no last word.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/result.h"
#include "cli/api_port.h"

namespace todoku::cli {

inline constexpr int kRepeatsMax = 5;
inline constexpr std::chrono::seconds kPatience{60};  // the longest Retry-After that is waited for

[[nodiscard]] inline std::optional<std::chrono::seconds> retry_after(const ApiAnswer& answer) {
  const std::string_view text = answer.headers.get("Retry-After");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return std::chrono::seconds(number);
}

// No answer, but perhaps one the next time.
[[nodiscard]] inline bool is_passing(ErrorKind kind) {
  return kind == ErrorKind::timeout || kind == ErrorKind::closed || kind == ErrorKind::io;
}

[[nodiscard]] inline bool waits(const ApiAnswer& answer) {
  if (answer.status == 429 || answer.status == 503) return true;
  // Of a request with this idempotency key that is still in progress.
  return answer.status == 409 && answer.headers.find("Retry-After").has_value();
}

}  // namespace todoku::cli
