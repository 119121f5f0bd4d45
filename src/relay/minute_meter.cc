// SPDX-License-Identifier: Apache-2.0
#include "relay/minute_meter.h"

namespace todoku::relay {

void MinuteMeter::forget_old(SteadyInstant now) {
  std::erase_if(minutes_, [now](const auto& entry) { return now - entry.second.begin >= kWindow; });
}

Milliseconds MinuteMeter::admit(std::string_view name, std::int64_t amount, std::int64_t most,
                                SteadyInstant now) {
  if (most <= 0 || amount <= 0) return Milliseconds(0);
  const std::lock_guard lock(mutex_);
  auto found = minutes_.find(std::string(name));
  if (found == minutes_.end()) {
    if (minutes_.size() >= names_max_) forget_old(now);
    if (minutes_.size() >= names_max_) return Milliseconds(0);
    found = minutes_.emplace(std::string(name), Minute{.begin = now}).first;
  }
  Minute& minute = found->second;
  if (now - minute.begin >= kWindow) minute = {.begin = now};
  if (minute.used > 0 && minute.used + amount > most) {
    return std::chrono::ceil<Milliseconds>(minute.begin + kWindow - now);
  }
  minute.used += amount;
  return Milliseconds(0);
}

}  // namespace todoku::relay
