// SPDX-License-Identifier: Apache-2.0
#include "mail/reply.h"

#include <charconv>

#include <fmt/format.h>

namespace todoku {

std::string EnhancedStatus::to_string() const {
  return fmt::format("{}.{}.{}", klass, subject, detail);
}

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  EnhancedStatus status;
  const auto number = [&](std::uint16_t& value, std::uint16_t max) {
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || next - at > 3 || value > max) return false;
    at = next;
    return true;
  };
  const auto dot = [&] { return at != end && *at++ == '.'; };
  if (!number(status.klass, 5) || !dot() || !number(status.subject, 999) || !dot() ||
      !number(status.detail, 999)) {
    return std::nullopt;
  }
  if (status.klass != 2 && status.klass != 4 && status.klass != 5) return std::nullopt;
  if (at != end && *at != ' ' && *at != '\t' && *at != '\n') return std::nullopt;
  return status;
}

}  // namespace todoku
