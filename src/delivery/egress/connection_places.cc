// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/connection_places.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace todoku::delivery::egress {

ConnectionPlaces::ConnectionPlaces(std::size_t places)
    : places_(places),
      places_for_bulk_(std::max<std::size_t>(1, places - places / 8)),
      idle_max_(places / 4) {
  check(places >= 1, "there is a place for one connection");
}

bool ConnectionPlaces::take(TrafficClass traffic, Granted granted) {
  const bool urgent = traffic == TrafficClass::transactional;
  const std::lock_guard lock(mutex_);
  auto& line = urgent ? urgent_line_ : bulk_line_;
  if (line.empty() && taken_ < (urgent ? places_ : places_for_bulk_)) {
    ++taken_;
    return true;
  }
  line.push_back(std::move(granted));
  return false;
}

void ConnectionPlaces::give_back() noexcept {
  {
    const std::lock_guard lock(mutex_);
    check(taken_ > 0, "what is given back was taken");
    --taken_;
  }
  while (Granted granted = next()) {
    if (granted()) return;
    const std::lock_guard lock(mutex_);
    --taken_;
  }
}

ConnectionPlaces::Granted ConnectionPlaces::next() noexcept {
  const std::lock_guard lock(mutex_);
  auto* line = !urgent_line_.empty() && taken_ < places_          ? &urgent_line_
               : !bulk_line_.empty() && taken_ < places_for_bulk_ ? &bulk_line_
                                                                  : nullptr;
  if (line == nullptr) return nullptr;
  ++taken_;
  Granted granted = std::move(line->front());
  line->pop_front();
  return granted;
}

bool ConnectionPlaces::begin_idle() {
  const std::lock_guard lock(mutex_);
  if (idle_ >= idle_max_ || !urgent_line_.empty() || !bulk_line_.empty()) return false;
  ++idle_;
  return true;
}

void ConnectionPlaces::end_idle() noexcept {
  const std::lock_guard lock(mutex_);
  --idle_;
}

std::optional<Microseconds> ConnectionPlaces::stalled(SteadyInstant now) const {
  const SteadyInstant moved{Microseconds(progressed_at_.load(std::memory_order_relaxed))};
  if (now - moved < kStalledAfter) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (urgent_line_.empty() && bulk_line_.empty()) return std::nullopt;
  return now - moved;
}

}  // namespace todoku::delivery::egress
