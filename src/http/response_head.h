// SPDX-License-Identifier: Apache-2.0
// The head of a response as octets (RFC 9112 section 4). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace todoku::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), kept as long as the second lasts.
class DateText {
 public:
  [[nodiscard]] std::string_view at(Instant now);

 private:
  std::int64_t second_ = INT64_MIN;
  std::array<char, 29> text_{};
};

// How the end of the body is told.
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct HeadFacts {
  Framing framing = Framing::length;
  std::uint64_t length = 0;
  bool keep_alive = true;
  bool is_http_1_1 = true;  // the client's version
  std::string_view date;
  std::string_view request_id;  // may be empty
};

// True for statuses whose responses never have a body (RFC 9112 section 6.3).
[[nodiscard]] bool has_no_body(int status);

void append_response_head(std::string& out, const Response& response, const HeadFacts& facts);

}  // namespace todoku::http
