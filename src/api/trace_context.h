// SPDX-License-Identifier: Apache-2.0
// The trace that a request belongs to (W3C Trace Context, level 1, section 3.2): told in the log,
// so that whoever follows a request through several programs finds what this one did of it.
#pragma once

#include <optional>
#include <string_view>

namespace todoku::api {

// Views into the header.
struct TraceContext {
  std::string_view trace_id;   // 32 hexadecimal digits, lower case, not all zero
  std::string_view parent_id;  // 16 of them, likewise
};

// nullopt: no such header, or one that the section says is to be ignored. Of a version above 00
// what follows the flags is not looked at.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view header);

}  // namespace todoku::api
