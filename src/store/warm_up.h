// SPDX-License-Identifier: Apache-2.0
// How much a source that is warming up has sent each day, in all and to receivers: what holds its
// plan across nodes and restarts. Counts are taken before anything is sent, in blocks, so that no
// mail needs a statement of its own and a crash loses part of a block, never the count. What the
// volumes are is known by delivery/policy/warm_up.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::store {

using WarmUpDay = std::int64_t;  // days since 1970-01-01, wherever the day of a plan begins

struct WarmUpTake {
  std::string source;
  WarmUpDay day = 0;
  std::string site;  // whose count is kept apart besides; empty: none is
  std::int64_t want = 0;
  std::int64_t volume = 0;                                      // of the day, in all
  std::int64_t site_volume = 0;                                 // of the site; nothing without one
  WarmUpDay first_day = std::numeric_limits<WarmUpDay>::max();  // of the plan
};

struct WarmUpCount {
  WarmUpDay day = 0;
  std::string site;  // empty: in all
  std::int64_t taken = 0;
  friend bool operator==(const WarmUpCount&, const WarmUpCount&) = default;
};

// Of days before the last seven only what went in all is kept, and that for so many days, or since
// the first day of the plan: what its volume is follows from all of them.
inline constexpr WarmUpDay kWarmUpSitesKept = 7;
inline constexpr WarmUpDay kWarmUpDaysKept = 400;
[[nodiscard]] inline WarmUpDay kept_since(const WarmUpTake& take) {
  return std::min(take.first_day, take.day - kWarmUpDaysKept);
}

class WarmUpReads {
 public:
  virtual ~WarmUpReads() = default;
  // By day, latest first, and site; at most `limit`.
  [[nodiscard]] virtual Result<std::vector<WarmUpCount>> warm_up_counts(std::string_view source,
                                                                        WarmUpDay since,
                                                                        std::int64_t limit) = 0;
};

class WarmUpWrites {
 public:
  virtual ~WarmUpWrites() = default;
  // How many of `want` may be sent: those by which neither count goes beyond its volume, which then
  // have them. A row of the day in all is locked until the end of the transaction, so that several
  // takers never get more together. Forgets what is no longer kept.
  [[nodiscard]] virtual Result<std::int64_t> take_warm_up(const WarmUpTake& take) = 0;
  // What was taken and not sent.
  [[nodiscard]] virtual Result<void> give_back_warm_up(std::string_view source,
                                                       const WarmUpCount& unsent) = 0;
};

}  // namespace todoku::store
