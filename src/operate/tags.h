// SPDX-License-Identifier: Apache-2.0
// What became of an account's mail by the tags of its deliveries (store::RateScope::tag): counted
// while it happens, so that nobody goes through mails to tell it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/outcome_counts.h"
#include "store/store.h"

namespace todoku::operate {

inline constexpr std::int64_t kTagDaysUsual = 7;
inline constexpr std::int64_t kTagDaysMax = store::kRateDays;

struct TagLine {
  std::string tag;
  OutcomeCounts counts;
};

struct TagReport {
  Instant since{};             // the beginning of the first day, in Japan
  std::vector<TagLine> lines;  // most answered mails first
  // Of tags that were too many on their day; nullopt: there were none.
  std::optional<OutcomeCounts> others;
};

// Of the `days` up to today in Japan, at most kTagDaysMax.
[[nodiscard]] Result<TagReport> read_tags(store::ReadTransaction& reader, store::AccountKey account,
                                          std::int64_t days, Instant now);

}  // namespace todoku::operate
