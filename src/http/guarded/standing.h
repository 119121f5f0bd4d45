// SPDX-License-Identifier: Apache-2.0
// How promptly one who is called has answered of late. Whoever lets calls hang holds places that
// others want (places.h), so who answers comes first. Whether the answers were good is another
// matter: a refusal that comes at once holds up nobody. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace todoku::http {

// The better ones first.
enum class Standing : std::uint8_t {
  prompt,
  asked,  // somebody waits for this one answer
  unknown,
  slow,
};
inline constexpr std::size_t kStandings = 4;

class Promptness {
 public:
  // An answer within this is prompt: eight places then make four calls a second at least.
  static constexpr Milliseconds kPromptWithin{2'000};
  // One that is late, but within this, happens to everybody: a second one before there were
  // kCallsUntilPrompt in time makes slow.
  static constexpr Milliseconds kLateWithin{5'000};
  // So many one after the other, and for so long after it was slow: or a few prompt answers would
  // buy silences that last far longer than they did.
  static constexpr int kCallsUntilPrompt = 4;
  static constexpr Milliseconds kProvenFor = std::chrono::minutes(5);

  explicit Promptness(Standing beginning = Standing::unknown) : standing_(beginning) {}

  // After so long there was an answer, or none was waited for any more.
  void answered(Milliseconds took, SteadyInstant now) {
    if (took > kPromptWithin) {
      in_row_ = 0;
      if (took <= kLateWithin && !std::exchange(was_late_, true)) return;
      standing_ = Standing::slow;
      slow_until_ = now + kProvenFor;
      return;
    }
    in_row_ = std::min(in_row_ + 1, kCallsUntilPrompt);
    if (in_row_ < kCallsUntilPrompt) return;
    was_late_ = false;
    if (now >= slow_until_) standing_ = Standing::prompt;
  }
  [[nodiscard]] Standing standing() const { return standing_; }

 private:
  Standing standing_;
  int in_row_ = 0;
  bool was_late_ = false;       // since there were so many in a row
  SteadyInstant slow_until_{};  // at least
};

}  // namespace todoku::http
