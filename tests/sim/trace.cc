// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

namespace todoku::sim {

void Trace::add(const std::string& text) {
  const auto us = clock_.elapsed().count();
  std::string line = fmt::format("{:>6}.{:06} {}", us / 1'000'000, us % 1'000'000, text);
  for (const char octet : line) {
    digest_ = (digest_ ^ static_cast<unsigned char>(octet)) * 0x100000001B3ULL;
  }
  ++lines_;
  last_.push_back(std::move(line));
  if (last_.size() > lines_max_) last_.pop_front();
}

std::string Trace::tail() const {
  std::string all;
  for (const std::string& line : last_) all += line + "\n";
  return all;
}

}  // namespace todoku::sim
