// SPDX-License-Identifier: Apache-2.0
#include "base/minute_meter.h"

#include <algorithm>

namespace todoku {

std::int64_t MinuteMeter::filled(const Minute& minute) {
  return minute.most > 0 ? (minute.used + minute.most - 1) / minute.most : 0;
}

// Each minute that is over pays for as much as it may hold.
void MinuteMeter::roll(Minute& minute, SteadyInstant now) {
  const std::int64_t over = (now - minute.begin) / kWindow;
  if (over <= 0) return;
  if (over >= filled(minute)) {
    minute = {.begin = now, .used = 0, .most = minute.most};
  } else {
    minute.begin += over * kWindow;
    minute.used -= over * minute.most;
  }
}

// Another limit makes no debt of what was within the one before.
void MinuteMeter::set_most(Minute& minute, std::int64_t most, SteadyInstant now) {
  roll(minute, now);
  if (minute.used <= minute.most) minute.used = std::min(minute.used, most);
  minute.most = most;
}

void MinuteMeter::forget_old(SteadyInstant now) {
  std::erase_if(minutes_, [now](const auto& entry) {
    const Minute& minute = entry.second;
    return (now - minute.begin) / kWindow >= std::max<std::int64_t>(1, filled(minute));
  });
}

std::optional<MinuteMeter::Excess> MinuteMeter::look_locked(std::span<const Limit> limits,
                                                            std::int64_t amount,
                                                            SteadyInstant now) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const std::int64_t most = limits[i].most;
    const auto found = most > 0 ? minutes_.find(limits[i].name) : minutes_.end();
    if (found == minutes_.end()) continue;
    Minute& minute = found->second;
    set_most(minute, most, now);
    if (minute.used == 0 || minute.used <= most - amount) continue;
    // What is above the limit by itself waits until it would be alone.
    const std::int64_t too_much = minute.used - std::max<std::int64_t>(0, most - amount);
    const std::int64_t minutes = (too_much - 1) / most + 1;
    return Excess{i, std::chrono::ceil<Milliseconds>(minute.begin + minutes * kWindow - now)};
  }
  return std::nullopt;
}

void MinuteMeter::count_locked(std::span<const Limit> limits, std::int64_t amount,
                               SteadyInstant now) {
  for (const Limit& limit : limits) {
    if (limit.most <= 0) continue;
    auto found = minutes_.find(limit.name);
    if (found == minutes_.end()) {
      if (minutes_.size() >= names_max_) forget_old(now);
      if (minutes_.size() >= names_max_) continue;
      found = minutes_.emplace(limit.name, Minute{.begin = now}).first;
    }
    Minute& minute = found->second;
    set_most(minute, limit.most, now);
    minute.used += amount;
  }
}

std::optional<MinuteMeter::Excess> MinuteMeter::admit(std::span<const Limit> limits,
                                                      std::int64_t amount, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  const auto excess = look_locked(limits, amount, now);
  if (!excess) count_locked(limits, amount, now);
  return excess;
}

std::optional<MinuteMeter::Excess> MinuteMeter::look(std::span<const Limit> limits,
                                                     std::int64_t amount, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  return look_locked(limits, amount, now);
}

void MinuteMeter::count(std::span<const Limit> limits, std::int64_t amount, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  count_locked(limits, amount, now);
}

void MinuteMeter::give_back(std::span<const Limit> limits, std::int64_t amount,
                            SteadyInstant since) {
  const std::lock_guard lock(mutex_);
  for (const Limit& limit : limits) {
    const auto found = limit.most > 0 ? minutes_.find(limit.name) : minutes_.end();
    if (found == minutes_.end() || found->second.begin > since) continue;
    Minute& minute = found->second;
    minute.used = std::max<std::int64_t>(0, minute.used - amount);
  }
}

std::optional<MinuteMeter::Use> MinuteMeter::use_of(const std::string& name, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  const auto found = minutes_.find(name);
  if (found == minutes_.end()) return std::nullopt;
  roll(found->second, now);
  return Use{found->second.used, found->second.most};
}

}  // namespace todoku
