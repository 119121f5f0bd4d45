// SPDX-License-Identifier: Apache-2.0
// The clock of tests with threads: stands still or runs by itself, and is moved by the test.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace todoku {

// Thread-safe.
class SharedClock final : public Clock {
 public:
  enum class Goes : std::uint8_t { when_told, by_itself };

  explicit SharedClock(Goes goes = Goes::when_told) : goes_(goes) {}

  [[nodiscard]] Instant now() const override {
    const Instant base = goes_ == Goes::by_itself ? machine_.now() : kStart;
    return base + Milliseconds(advanced_ms_.load() + jumped_ms_.load());
  }
  [[nodiscard]] SteadyInstant steady_now() const override {
    const SteadyInstant base = goes_ == Goes::by_itself ? machine_.steady_now() : SteadyInstant{};
    return base + Milliseconds(advanced_ms_.load());
  }
  // Both clocks, as time does.
  void advance(Milliseconds by) { advanced_ms_ += by.count(); }
  // As when an operator or NTP sets the time of day.
  void jump(Milliseconds by) { jumped_ms_ += by.count(); }

 private:
  static constexpr Instant kStart = from_epoch_ms(1'767'225'600'000);  // 2026-01-01T00:00:00Z

  const Goes goes_;
  const SystemClock machine_;
  std::atomic<std::int64_t> advanced_ms_{0};
  std::atomic<std::int64_t> jumped_ms_{0};
};

}  // namespace todoku
