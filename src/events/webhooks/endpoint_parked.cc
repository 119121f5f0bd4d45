// SPDX-License-Identifier: Apache-2.0
// Events that were refused while others were taken: how they wait beside the stream, and for how
// long.
#include <algorithm>
#include <utility>

#include "events/webhooks/endpoint_policy.h"

namespace todoku::events::webhooks {
namespace {

// A store that does not answer is asked again after this.
constexpr Milliseconds kLoadAgain{1'000};

}  // namespace

void EndpointPolicy::park(const Slot& slot) {
  // Whoever waits for another one's end would keep a place in memory from those whose turn comes.
  const bool keeps =
      parked_loaded_ < options_.parked_loaded_max && !is_parked(slot.order_key) && slot.tries == 1;
  if (keeps) ++parked_loaded_;
  if (slot.order_key != 0) ++parked_keys_[slot.order_key];
  parked_.push_back({.event = {.id = slot.told->id,
                               .order_key = slot.order_key,
                               .tries = slot.tries,
                               .first_tried = slot.first_tried,
                               .due = slot.due},
                     .told = keeps ? slot.told : nullptr});
}

// Who holds up the stream for want of room: the one that has been refused for longest goes.
void EndpointPolicy::make_room(Instant now) {
  if (parked_.size() < options_.parked_max || window_.empty()) return;
  if (!waits_for_room(window_.front())) return;
  auto oldest = parked_.end();
  for (auto place = parked_.begin(); place != parked_.end(); ++place) {
    if (place->stage == Parked::Stage::leaving) return;  // there will be room
    if (place->stage != Parked::Stage::idle || place->event.tries == 0) continue;
    if (oldest == parked_.end() || place->event.first_tried < oldest->event.first_tried) {
      oldest = place;
    }
  }
  if (oldest != parked_.end()) set_aside(*oldest, now);
}

void EndpointPolicy::blame_parked(Parked& parked, Instant now) {
  ParkedEvent& event = parked.event;
  parked.stage = Parked::Stage::idle;
  if (event.tries == 0) event.first_tried = now;
  ++event.tries;
  dirty_ = true;
  const Instant end = event.first_tried + options_.refused_for;
  const bool out_of_tries = options_.tries_max > 0 && event.tries >= options_.tries_max;
  if (out_of_tries || now >= end) {
    set_aside(parked, now);
    return;
  }
  event.due = std::min(now + wait_after(event.tries), end);
  if (event.due > now + options_.waits.front()) forget_content(parked);
}

// It holds back those of its recipient until it is written down: a restart in between would try it
// again, behind them.
void EndpointPolicy::set_aside(Parked& parked, Instant now) {
  parked.stage = Parked::Stage::leaving;
  set_aside_.push_back(parked.event.id);
  dirty_ = true;
  save_at_ = now;
}

void EndpointPolicy::on_loaded(const std::string& id, std::shared_ptr<const WrittenEvent> told) {
  const auto place = std::ranges::find_if(parked_, [&](const Parked& one) {
    return one.event.id == id && one.stage == Parked::Stage::loading;
  });
  if (place == parked_.end()) return;
  place->stage = Parked::Stage::idle;
  place->told = std::move(told);
  if (place->told) return;
  --parked_loaded_;
  unpark(place);
}

void EndpointPolicy::on_load_failed(const std::string& id, Instant now) {
  for (Parked& parked : parked_) {
    if (parked.event.id != id || parked.stage != Parked::Stage::loading) continue;
    parked.stage = Parked::Stage::idle;
    parked.event.due = now + kLoadAgain;
    --parked_loaded_;
    return;
  }
}

void EndpointPolicy::forget_content(Parked& parked) {
  if (!parked.told) return;
  parked.told = nullptr;
  --parked_loaded_;
}

EndpointPolicy::ParkedPlace EndpointPolicy::unpark(ParkedPlace place) {
  forget_content(*place);
  if (const auto key = parked_keys_.find(place->event.order_key); key != parked_keys_.end()) {
    if (--key->second == 0) parked_keys_.erase(key);
  }
  dirty_ = true;
  return parked_.erase(place);
}

}  // namespace todoku::events::webhooks
