// SPDX-License-Identifier: Apache-2.0
// What an endpoint is called with now: batches out of the window, single events that were refused
// before, and the probe of an endpoint that fails.
#include <algorithm>
#include <utility>

#include "events/webhooks/endpoint_policy.h"
#include "events/webhooks/key_set.h"

namespace todoku::events::webhooks {

EndpointActions EndpointPolicy::next(Instant now) {
  EndpointActions actions;
  wake_at_ = Instant::max();
  follow_clock(now);
  make_room(now);
  leave_front();
  if (may_call(now)) {
    if (status_ == EndpointState::Status::failing) {
      probe(now, actions);
    } else {
      choose_calls(now, actions);
    }
  }
  choose_loads(now, actions);
  tell_owner(now, actions);
  save(now, actions);
  return actions;
}

bool EndpointPolicy::may_call(Instant now) {
  if (status_ == EndpointState::Status::disabled) return false;
  if (unsaved_ >= options_.unsaved_max) return false;  // until on_saved()
  if (now < not_before_) {
    wake(not_before_);
    return false;
  }
  if (status_ != EndpointState::Status::failing) return true;
  if (now < probe_at_) {
    wake(probe_at_);
    return false;
  }
  return calls_.empty();
}

void EndpointPolicy::choose_calls(Instant now, EndpointActions& actions) {
  const std::size_t calls_max = std::min(options_.in_flight_max, 1 + accepted_in_row_);
  while (calls_.size() < calls_max) {
    // Half of the calls are for the stream, however many of the parked are due.
    const std::size_t parked_calls_max = (calls_max + 1) / 2;
    if (parked_in_flight_ < parked_calls_max) {
      if (const auto place = due_parked(now); place) {
        call_parked(*place, actions);
        continue;
      }
    }
    std::vector<std::uint64_t> numbers = gather(now);
    if (numbers.empty() || waits_for_more(numbers, now)) return;
    call_slots(std::move(numbers), actions);
  }
}

// Events in order, each if nobody of its recipient before it is left behind, as many as may go
// together.
std::vector<std::uint64_t> EndpointPolicy::gather(Instant now) {
  std::vector<std::uint64_t> numbers;
  KeySet held_back(window_.size());
  std::size_t octets = 0;
  std::size_t company_max = options_.batch_events_max;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const Slot& one = window_[i];
    if (one.stage == Stage::done) continue;
    const bool is_held =
        one.order_key != 0 && (held_back.contains(one.order_key) || is_parked(one.order_key));
    if (one.stage == Stage::in_flight || is_held || one.due > now) {
      if (one.stage == Stage::waiting && !is_held) wake(one.due);
      if (one.order_key != 0) (void)held_back.insert(one.order_key);
      continue;
    }
    const std::size_t company = std::min(company_max, one.company_max);
    if (numbers.size() + 1 > company) break;
    if (!numbers.empty() && octets + one.octets > options_.batch_octets_max) break;
    company_max = company;
    octets += one.octets;
    numbers.push_back(first_number_ + i);
  }
  return numbers;
}

// Only beside a call that is under way: a single event is told at once. Whoever was refused before
// has waited.
bool EndpointPolicy::waits_for_more(const std::vector<std::uint64_t>& numbers, Instant now) {
  const Slot& first = slot(numbers.front());
  if (calls_.empty() || numbers.size() >= options_.batch_events_max) return false;
  if (first.company_max < options_.batch_events_max) return false;
  const Instant until = first.offered + options_.linger;
  if (now >= until) return false;
  wake(until);
  return true;
}

// One event: the least refused of all that may go, so that one that nobody takes does not keep an
// endpoint failing that takes all others.
void EndpointPolicy::probe(Instant now, EndpointActions& actions) {
  if (const auto number = least_refused(); number) {
    call_slots({*number}, actions);
    return;
  }
  KeySet held_back(parked_.size());
  for (auto place = parked_.begin(); place != parked_.end(); ++place) {
    const std::uint64_t key = place->event.order_key;
    if (key != 0 && !held_back.insert(key)) continue;
    if (place->stage != Parked::Stage::idle) continue;
    if (place->told) return call_parked(place, actions);
    place->event.due = std::min(place->event.due, now);  // so that it is loaded
    return;
  }
}

std::optional<std::uint64_t> EndpointPolicy::least_refused() const {
  std::optional<std::uint64_t> best;
  int tries = 0;
  KeySet held_back(window_.size());
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const Slot& one = window_[i];
    if (one.stage == Stage::done) continue;
    const bool is_held =
        one.order_key != 0 && (!held_back.insert(one.order_key) || is_parked(one.order_key));
    if (is_held || one.stage == Stage::in_flight) continue;
    // Probes count here too, though not against it: else one that nobody takes would be the least
    // refused for ever.
    const int its = one.tries + one.given_back;
    if (best && its >= tries) continue;
    best = first_number_ + i;
    tries = its;
    if (tries == 0) break;
  }
  return best;
}

void EndpointPolicy::call_slots(std::vector<std::uint64_t> numbers, EndpointActions& actions) {
  EndpointActions::Call call{.number = next_call_++};
  for (const std::uint64_t number : numbers) {
    Slot& one = slot(number);
    one.stage = Stage::in_flight;
    call.events.push_back(one.told);
  }
  calls_.emplace(call.number, CallUnderWay{.slots = std::move(numbers)});
  actions.calls.push_back(std::move(call));
}

void EndpointPolicy::call_parked(ParkedPlace place, EndpointActions& actions) {
  EndpointActions::Call call{.number = next_call_++, .events = {place->told}};
  place->stage = Parked::Stage::in_flight;
  ++parked_in_flight_;
  calls_.emplace(call.number, CallUnderWay{.parked = place});
  actions.calls.push_back(std::move(call));
}

// The first of its recipient that is due and in memory.
std::optional<EndpointPolicy::ParkedPlace> EndpointPolicy::due_parked(Instant now) {
  KeySet held_back(parked_.size());
  for (auto place = parked_.begin(); place != parked_.end(); ++place) {
    const std::uint64_t key = place->event.order_key;
    if (key != 0 && !held_back.insert(key)) continue;
    if (place->stage != Parked::Stage::idle) continue;
    if (place->event.due > now) {
      wake(place->event.due);
    } else if (place->told) {
      return place;
    }
  }
  return std::nullopt;
}

// The content of those whose turn has come and that are not in memory.
void EndpointPolicy::choose_loads(Instant now, EndpointActions& actions) {
  if (status_ == EndpointState::Status::disabled) return;
  KeySet held_back(parked_.size());
  for (Parked& parked : parked_) {
    if (parked_loaded_ >= options_.parked_loaded_max) return;
    const std::uint64_t key = parked.event.order_key;
    if (key != 0 && !held_back.insert(key)) continue;
    if (parked.stage != Parked::Stage::idle || parked.told || parked.event.due > now) continue;
    parked.stage = Parked::Stage::loading;
    ++parked_loaded_;
    actions.load.push_back(parked.event.id);
  }
}

}  // namespace todoku::events::webhooks
