// SPDX-License-Identifier: Apache-2.0
// Every negative reply of the relay: counted, and a line of the log as long as there is room for
// lines, so that "why was it not taken?" has an answer here as well.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"

namespace todoku::relay {

// Thread-safe.
class Refusals {
 public:
  static constexpr Milliseconds kWindow = std::chrono::minutes(1);
  static constexpr std::size_t kLinesOfConnection = 20;  // in a window
  static constexpr std::size_t kLines = 600;             // ... of all connections

  // Both outlive it.
  Refusals(Metrics& metrics, const Clock& clock);

  // Who is refused.
  struct Whom {
    std::string client;
    std::string_view listener;
    std::string_view credential = {};  // proven
    std::string_view claimed = {};     // as whom it tries to log in
  };
  struct Said {
    int code = 0;
    std::string_view text;
  };
  // `of_connection`: nullptr for one that ends with it.
  void tell(const Whom& whom, const Said& said, LineBudget* of_connection);

 private:
  const Clock& clock_;
  Counter& refused_;
  LineBudget lines_;
};

}  // namespace todoku::relay
