// SPDX-License-Identifier: Apache-2.0
#include "delivery/pace_memory.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace todoku::delivery {
namespace {

constexpr double kStored = 1'000;  // messages in so many seconds
// By then a lane has done the rounds in which it finds out.
constexpr double kTellingPace = 200;
constexpr auto kKeptLearnt = std::chrono::hours(24 * 7);
constexpr auto kKeptElse = std::chrono::hours(1);
// Half of the time for which it is taken for true (operate/lanes.cc).
constexpr auto kToldAgain = std::chrono::seconds(30);

policy::PaceReason reason_of(const store::LanePace& pace) {
  return policy::pace_reason(pace.reason).value_or(policy::PaceReason::starting);
}

// The more, the sooner it is told, and the longer it is kept here.
auto weight_of(const store::LanePace& pace) {
  return std::tuple(has_learnt(pace), pace.waiting, pace.noted);
}

// The store's times are made of the process's own clock anew each time.
bool is_about(const std::optional<Instant>& one, const std::optional<Instant>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return *one - *other < std::chrono::seconds(1) && *other - *one < std::chrono::seconds(1);
}

// But for when it was noted.
bool says_the_same(const store::LanePace& one, store::LanePace other) {
  if (!is_about(one.since, other.since) || !is_about(one.rests_until, other.rests_until) ||
      !is_about(one.eases_at, other.eases_at)) {
    return false;
  }
  other.noted = one.noted;
  other.kept_until = one.kept_until;
  other.since = one.since;
  other.rests_until = one.rests_until;
  other.eases_at = one.eases_at;
  return one == other;
}

}  // namespace

std::int64_t stored_pace(double messages_per_second) {
  return std::llround(std::clamp(messages_per_second, 0.0, 1e9) * kStored);
}

double pace_of_stored(std::int64_t stored) {
  return static_cast<double>(stored) / kStored;
}

bool has_learnt(const store::LanePace& pace) {
  const policy::PaceReason reason = reason_of(pace);
  return pace.limit > 0 || pace.pace > stored_pace(kTellingPace) ||
         reason == policy::PaceReason::suspended || reason == policy::PaceReason::slowed ||
         reason == policy::PaceReason::too_many;
}

policy::RememberedPace remembered_of(const store::LanePace& pace) {
  policy::RememberedPace remembered{.pace = pace_of_stored(pace.pace),
                                    .connections = static_cast<double>(pace.connections),
                                    .limit = pace_of_stored(pace.limit),
                                    .reason = reason_of(pace),
                                    .latency_floor = Microseconds(pace.latency_floor_us)};
  if (pace.eases_at && *pace.eases_at > pace.noted) {
    const Microseconds left = *pace.eases_at - pace.noted;
    if (remembered.reason == policy::PaceReason::suspended) remembered.suspended_for = left;
    if (remembered.reason == policy::PaceReason::slowed) {
      remembered.slowed_to = remembered.pace;
      remembered.slowed_for = left;
    }
  }
  switch (remembered.reason) {
    case policy::PaceReason::suspended:
    case policy::PaceReason::slowed:
    case policy::PaceReason::probing:
    case policy::PaceReason::warming_up:
    case policy::PaceReason::not_begun:
    case policy::PaceReason::fixed:
      remembered.reason =
          pace.limit > 0 ? policy::PaceReason::near_limit : policy::PaceReason::growing;
      break;
    case policy::PaceReason::starting:
    case policy::PaceReason::growing:
    case policy::PaceReason::at_ceiling:
    case policy::PaceReason::too_fast:
    case policy::PaceReason::too_many:
    case policy::PaceReason::answers_late:
    case policy::PaceReason::near_limit:
      break;
  }
  return remembered;
}

std::optional<PaceMemory::Known> PaceMemory::of(std::string_view source, std::string_view site,
                                                Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = lanes_.find(Name(source, site));
  if (found == lanes_.end()) return std::nullopt;
  const store::LanePace& pace = found->second.pace;
  return Known{.pace = remembered_of(pace), .age = std::max(now - pace.noted, Milliseconds(0))};
}

void PaceMemory::note(store::LanePace pace) {
  const bool learnt = has_learnt(pace);
  pace.kept_until = pace.noted + (learnt ? Milliseconds(kKeptLearnt) : Milliseconds(kKeptElse));
  const std::lock_guard lock(mutex_);
  const bool tells =
      learnt || pace.waiting > 0 || pace.connections_open > 0 || pace.rests_until.has_value();
  const auto found = lanes_.find(Name(pace.source, pace.site));
  if (found == lanes_.end()) {
    if (tells) put({.pace = std::move(pace), .untold = true});
    return;
  }
  Entry& known = found->second;
  known.untold =
      known.untold || !says_the_same(known.pace, pace) || pace.noted - known.told >= kToldAgain;
  known.pace = std::move(pace);
}

void PaceMemory::learn(std::vector<store::LanePace> paces) {
  const std::lock_guard lock(mutex_);
  for (store::LanePace& pace : paces) {
    const auto found = lanes_.find(Name(pace.source, pace.site));
    if (found != lanes_.end() && found->second.pace.noted >= pace.noted) continue;
    const Instant told = pace.noted;
    put({.pace = std::move(pace), .told = told});
  }
}

void PaceMemory::put(Entry entry) {
  Name name(entry.pace.source, entry.pace.site);
  if (!lanes_.contains(name)) make_room();
  lanes_.insert_or_assign(std::move(name), std::move(entry));
}

void PaceMemory::make_room() {
  if (lanes_.size() < options_.lanes_max) return;
  // A tenth at once, or each new lane would go through all.
  std::vector<std::pair<Instant, const Name*>> oldest;
  oldest.reserve(lanes_.size());
  for (const auto& [name, entry] : lanes_) oldest.emplace_back(entry.pace.noted, &name);
  const std::size_t going = std::max<std::size_t>(1, options_.lanes_max / 10);
  std::ranges::nth_element(oldest, oldest.begin() + static_cast<std::ptrdiff_t>(going - 1));
  std::vector<Name> names;
  for (std::size_t i = 0; i < going; ++i) names.push_back(*oldest[i].second);
  for (const Name& name : names) lanes_.erase(name);
}

std::vector<store::LanePace> PaceMemory::take_untold() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry*> untold;
  for (auto& [name, entry] : lanes_) {
    if (entry.untold) untold.push_back(&entry);
  }
  const std::size_t count = std::min(untold.size(), options_.told_max);
  std::ranges::partial_sort(untold, untold.begin() + static_cast<std::ptrdiff_t>(count),
                            [](const Entry* one, const Entry* other) {
                              if (one->told != other->told) return one->told < other->told;
                              return weight_of(one->pace) > weight_of(other->pace);
                            });
  std::vector<store::LanePace> told;
  for (std::size_t i = 0; i < count; ++i) {
    untold[i]->untold = false;
    untold[i]->told = untold[i]->pace.noted;
    told.push_back(untold[i]->pace);
  }
  return told;
}

void PaceMemory::not_told(const std::vector<store::LanePace>& paces) {
  const std::lock_guard lock(mutex_);
  for (const store::LanePace& pace : paces) {
    const auto found = lanes_.find(Name(pace.source, pace.site));
    if (found == lanes_.end()) continue;
    found->second.untold = true;
    found->second.told = {};
  }
}

std::size_t PaceMemory::size() const {
  const std::lock_guard lock(mutex_);
  return lanes_.size();
}

}  // namespace todoku::delivery
