// SPDX-License-Identifier: Apache-2.0
// What happened, line by line: a digest that tells whether two runs were the same, and the last
// lines for whoever has to find out why one went wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sim/clock.h"

namespace todoku::sim {

class Trace {
 public:
  // Keeps the last `lines_max` lines. The clock must outlive the trace.
  Trace(const SimClock& clock, std::size_t lines_max) : clock_(clock), lines_max_(lines_max) {}

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::size_t lines() const { return lines_; }
  // The last lines, the newest last.
  [[nodiscard]] std::string tail() const;

 private:
  void add(const std::string& text);

  const SimClock& clock_;
  const std::size_t lines_max_;
  std::deque<std::string> last_;
  std::size_t lines_ = 0;
  std::uint64_t digest_ = 0xCBF29CE484222325ULL;  // FNV-1a
};

}  // namespace todoku::sim
