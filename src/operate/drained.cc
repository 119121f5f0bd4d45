// SPDX-License-Identifier: Apache-2.0
#include "operate/drained.h"

#include <charconv>

#include <fmt/format.h>

namespace todoku::operate {

std::string to_text(const Drained& drained) {
  return fmt::format("{} {}", drained.at.time_since_epoch().count(), drained.in_doubt);
}

std::optional<Drained> parse_drained(std::string_view text) {
  std::int64_t at = 0;
  std::int64_t in_doubt = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, at);
  if (error != std::errc() || after == end || *after != ' ') return std::nullopt;
  const auto [last, wrong] = std::from_chars(after + 1, end, in_doubt);
  if (wrong != std::errc() || last != end) return std::nullopt;
  return Drained{.at = from_epoch_ms(at), .in_doubt = in_doubt};
}

}  // namespace todoku::operate
