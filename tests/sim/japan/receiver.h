// SPDX-License-Identifier: Apache-2.0
// One receiver at work: what it answers to connections and messages of our sources, by its hidden
// limits at that time. Time must not go back between calls.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sim/japan/world.h"

namespace todoku::sim::japan {

enum class Said : std::uint8_t {
  taken,                 // 250
  unknown,               // 550: no such user
  too_fast,              // 450 4.7.1, at MAIL FROM
  too_busy,              // 451 4.3.2: more than it can carry
  too_many_connections,  // 421 4.7.0, at the greeting
  session_full,          // 421 4.7.0: enough messages on this connection
  suspended,             // 421 4.7.0: "too much from your address, try later"
  blocked,               // 554 5.7.1, at the greeting
};
constexpr std::size_t kSaidCount = 8;

[[nodiscard]] std::string_view name_of(Said said);
// What was said because of a limit. The recipient is tried again.
[[nodiscard]] constexpr bool is_limit(Said said) {
  return said >= Said::too_fast;
}
// The connection ends with it.
[[nodiscard]] constexpr bool ends_connection(Said said) {
  return said >= Said::too_many_connections;
}

class ReceiverAtWork {
 public:
  // `receiver` must outlive it.
  ReceiverAtWork(const Receiver& receiver, unsigned sources);

  // A connection is asked for; `taken` opens it, and then closed() must follow some time.
  [[nodiscard]] Said connect(unsigned source, SteadyInstant now);
  void closed(unsigned source);
  // A message begins, the `nth` (from 1) on its connection.
  [[nodiscard]] Said message(unsigned source, std::uint32_t nth, SteadyInstant now, Random& random);
  // How long the answer to a message that begins now takes.
  [[nodiscard]] Microseconds answer_time(SteadyInstant now);
  [[nodiscard]] Microseconds handshake_time() const { return receiver_.round_trip * 4; }

  // ---- hidden from all but the oracle
  [[nodiscard]] const Limits& limits(SteadyInstant now);
  // When a message of this source may begin while `held` others are about to; `now` if at once.
  [[nodiscard]] SteadyInstant welcome_at(unsigned source, std::uint32_t held, SteadyInstant now);

 private:
  // What is known of one of our sources.
  struct Caller {
    std::uint32_t open = 0;
    double tokens = 0;
    SteadyInstant filled_at{};
    double refusals = 0;  // faded
    SteadyInstant refused_at{};
    SteadyInstant suspended_until{};
    double knocks = 0;
    SteadyInstant blocked_until{};
    unsigned blocks = 0;
  };

  void fill(Caller& caller, SteadyInstant now);
  Said refuse(Caller& caller, Said said, SteadyInstant now);
  // Whether it is shut to the caller, who has just knocked.
  Said shut(Caller& caller, SteadyInstant now);
  [[nodiscard]] double load(SteadyInstant now) const;

  const Receiver& receiver_;
  std::size_t stretch_ = 0;  // of the day
  double recent_ = 0;        // messages taken of late, faded
  SteadyInstant recent_at_{};
  std::vector<Caller> callers_;
};

}  // namespace todoku::sim::japan
