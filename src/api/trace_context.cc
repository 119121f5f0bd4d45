// SPDX-License-Identifier: Apache-2.0
#include "api/trace_context.h"

#include <algorithm>
#include <cstddef>

namespace todoku::api {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr std::size_t kOctets = 55;  // "00-", 32, "-", 16, "-", 2
  if (header.size() < kOctets) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  if (!is_hex(version) || version == "ff") return std::nullopt;
  if (header.size() > kOctets && (version == "00" || header[kOctets] != '-')) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const TraceContext trace{.trace_id = header.substr(3, 32), .parent_id = header.substr(36, 16)};
  if (!is_id(trace.trace_id) || !is_id(trace.parent_id) || !is_hex(header.substr(53, 2))) {
    return std::nullopt;
  }
  return trace;
}

}  // namespace todoku::api
