// SPDX-License-Identifier: Apache-2.0
// The sources of the configuration, and where those that are warming up stand in their plans
// (delivery/policy/warm_up.h), by the counts that the store keeps.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/warm_up.h"
#include "store/warm_up.h"

namespace todoku::operate {

// What is configured.
struct ConfiguredSource {
  std::string name;
  std::string traffic;  // "any", "bulk", "transactional"
  std::string via;      // the smarthost that gets its mail; empty: none
  std::optional<delivery::policy::WarmUpPlan> plan;
};
struct ConfiguredSources {
  std::vector<ConfiguredSource> all;
  std::chrono::minutes date_offset{0};  // days begin so much earlier than in UTC
};

enum class WarmUpState : std::uint8_t { no_plan, not_begun, warming_up, over };
[[nodiscard]] std::string_view to_string(WarmUpState state);

// Of one day. `taken`: what was sent or is about to be; what a crash lost of a block, too.
struct WarmUpVolume {
  std::int64_t volume = 0;
  std::int64_t taken = 0;
  [[nodiscard]] std::int64_t left() const { return volume > taken ? volume - taken : 0; }
};
struct ReceiverVolume {
  std::string receiver;  // as the rules name it
  WarmUpVolume volume;
};
// Days are text, "2026-12-03".
struct WarmUpDayView {
  std::string day;
  std::int64_t taken = 0;
};
struct SourceView {
  ConfiguredSource source;
  WarmUpState state = WarmUpState::no_plan;
  std::string today;
  std::size_t step = 0;                   // of the plan's volumes, from 1; 0: of none
  WarmUpVolume volume;                    // today, in all; of warming_up alone
  std::vector<ReceiverVolume> receivers;  // of today, that have had some
  std::vector<WarmUpDayView> days;        // before today, the newest first, some
};

// `counts`: since the plan's first day, in any order.
[[nodiscard]] SourceView source_view(const ConfiguredSource& source,
                                     const std::vector<store::WarmUpCount>& counts,
                                     delivery::policy::Day today);

}  // namespace todoku::operate
