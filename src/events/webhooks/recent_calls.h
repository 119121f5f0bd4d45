// SPDX-License-Identifier: Apache-2.0
// The latest calls of an endpoint, for its owner to look at when something is wrong: what was sent,
// what came back, how long it took. Bounded. Pure.
//
//   calls = octet varint *call           form of this, 1; how many, the oldest first
//   call  = zigzag text text varint text varint text text varint varint
//           when, id, type, events, request, status, answer, failure, milliseconds, codes (1) or
//           not
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::events::webhooks {

struct RecentCall {
  static constexpr std::size_t kShownMax = 1'024;  // octets of the request and of the answer
  static constexpr std::size_t kFailureShown = 300;

  Instant at{};
  std::string id;    // of the call; empty: its form has none
  std::string type;  // "recipient.sent", "events.batch"
  std::size_t events = 1;
  std::string request;  // the beginning of its body
  int status = 0;       // 0: there was no answer
  std::string answer;   // the beginning of its body, as UTF-8
  std::string failure;  // why there was none
  Milliseconds took{};
  bool has_codes = false;  // the request told insert codes, which an answer may repeat
  friend bool operator==(const RecentCall&, const RecentCall&) = default;
};

class RecentCalls {
 public:
  static constexpr std::size_t kMax = 20;

  void add(RecentCall call);
  [[nodiscard]] const std::deque<RecentCall>& all() const { return calls_; }

  [[nodiscard]] std::string pack() const;
  // Errors: corrupt.
  [[nodiscard]] static Result<RecentCalls> unpack(std::string_view packed);

 private:
  std::deque<RecentCall> calls_;  // the oldest first
};

// The beginning of what somebody else sent, as text that can be shown: what is no UTF-8 is
// replaced.
[[nodiscard]] std::string shown_text(std::string_view octets);

}  // namespace todoku::events::webhooks
