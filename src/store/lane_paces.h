// SPDX-License-Identifier: Apache-2.0
// How fast lanes go and what they have learnt of their receivers, so that it holds after a restart
// and where a source is sent from next; and so that every process can tell how the lanes of all
// fare. Kept in plain numbers: what they mean is known by delivery/policy/adaptive_pace.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::store {

// One lane as it was when its courier looked last.
struct LanePace {
  std::string source;
  std::string site;
  Instant noted{};
  Instant kept_until{};  // then it is forgotten
  // What was learnt. Messages in a thousand seconds; 0: the lane does not learn. While something
  // slows it: what it goes at.
  std::int64_t pace = 0;
  std::int64_t connections = 0;
  std::int64_t limit = 0;   // the pace it was throttled at; 0: never
  std::int64_t reason = 0;  // policy::PaceReason
  std::int64_t latency_floor_us = 0;
  std::int64_t latency_us = 0;
  // How it fares.
  Instant since{};                     // the reason
  std::optional<Instant> rests_until;  // it is left alone
  std::optional<Instant> eases_at;     // when what slows or suspends it ends by itself
  std::int64_t ceiling = 0;            // by its rule, in a thousand seconds; 0: none
  std::int64_t connections_open = 0;
  std::int64_t connections_max = 0;  // by its rule
  std::int64_t waiting = 0;
  friend bool operator==(const LanePace&, const LanePace&) = default;
};

struct LanePaceQuestion {
  std::optional<std::string> source;  // nullopt: all
  std::optional<std::string> site;
  Instant noted_since{};
  std::int64_t limit = 1'000;
};

// The order in which they are told.
void put_in_order(std::vector<LanePace>& paces);

class LanePaceReads {
 public:
  virtual ~LanePaceReads() = default;
  // Those noted last, by source and site.
  [[nodiscard]] virtual Result<std::vector<LanePace>> lane_paces(
      const LanePaceQuestion& question) = 0;
};

class LanePaceWrites {
 public:
  virtual ~LanePaceWrites() = default;
  // Each takes the place of what was noted of its lane before it. Some of what is kept no longer
  // goes with each call. At most one of each lane.
  [[nodiscard]] virtual Result<void> note_lane_paces(std::span<const LanePace> paces) = 0;
};

}  // namespace todoku::store
