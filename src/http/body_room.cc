// SPDX-License-Identifier: Apache-2.0
#include "http/body_room.h"

#include <algorithm>

namespace todoku::http {

bool BodyRoom::grow(Place place, std::size_t octets, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  Entry& entry = *place;
  if (entry.given_up) return false;
  if (octets <= entry.octets) return true;
  const std::size_t more = octets - entry.octets;
  while (!has_free(more) || !may_have(entry, more)) {
    // Where only its own share is used up, another's body is no help.
    Entry* const slow = slowest(now, has_free(more) ? &entry.owner : nullptr);
    if (slow == nullptr) return false;
    slow->cut();
    slow->given_up = true;
    ++figures_.cut;
    count_off(*slow);
  }
  entry.octets += more;
  figures_.octets += more;
  owned_[entry.owner] += more;
  return true;
}

void BodyRoom::give_to(Place place, std::uint64_t owner) {
  const std::lock_guard lock(mutex_);
  Entry& entry = *place;
  const std::size_t octets = entry.octets;
  count_off(entry);
  entry.owner = owner;
  if (octets == 0) return;
  entry.octets = octets;
  figures_.octets += octets;
  owned_[owner] += octets;
}

// Alone, a body may have any size.
bool BodyRoom::has_free(std::size_t more) const {
  return figures_.octets == 0 || figures_.octets + more <= octets_max_;
}

bool BodyRoom::may_have(const Entry& entry, std::size_t more) const {
  const auto found = owned_.find(entry.owner);
  const std::size_t own = found == owned_.end() ? 0 : found->second;
  if (own == entry.octets) return true;  // it has no other
  const std::size_t others = figures_.octets - own;
  return others <= octets_max_ && own + more <= (octets_max_ - others) / 2;
}

BodyRoom::Entry* BodyRoom::slowest(SteadyInstant now, const std::uint64_t* owner) {
  Entry* slow = nullptr;
  for (Entry& each : entries_) {
    if (each.octets == 0 || each.due > now) continue;
    if (owner != nullptr && each.owner != *owner) continue;
    if (slow == nullptr || each.due < slow->due) slow = &each;
  }
  return slow;
}

void BodyRoom::count_off(Entry& entry) {
  if (entry.octets == 0) return;
  figures_.octets -= entry.octets;
  const auto found = owned_.find(entry.owner);
  if ((found->second -= entry.octets) == 0) owned_.erase(found);
  entry.octets = 0;
}

}  // namespace todoku::http
