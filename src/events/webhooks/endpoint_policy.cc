// SPDX-License-Identifier: Apache-2.0
// The window, the state that is written, and what answers mean. What is called when is in
// endpoint_calls.cc; those that wait beside the stream are in endpoint_parked.cc.
#include "events/webhooks/endpoint_policy.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "events/webhooks/bodies.h"

namespace todoku::events::webhooks {
namespace {

using Status = EndpointState::Status;
using How = CallAnswer::How;

// What a receiver may ask us to wait, at most: it is no way to keep events for ever.
constexpr Milliseconds kThrottledMax = std::chrono::hours(1);
// After an answer that blames nobody.
constexpr Milliseconds kSoon{1'000};
// So often may a call be put off by the receiver; then it counts as refused, so that the one that
// is always put off is found and the others go on.
constexpr int kThrottledMost = 8;

}  // namespace

EndpointPolicy::EndpointPolicy(EndpointOptions options, EndpointState state, Random& random)
    : options_(std::move(options)),
      random_(random),
      status_(state.status),
      failing_since_(state.failing_since),
      owner_told_(state.owner_told),
      cursor_(state.cursor),
      read_from_(std::move(state.cursor)) {
  for (ParkedEvent& event : state.parked) {
    if (event.order_key != 0) ++parked_keys_[event.order_key];
    parked_.push_back({.event = std::move(event), .told = nullptr});
  }
}

Milliseconds EndpointPolicy::varied(Milliseconds wait) {
  const double factor = 0.8 + 0.4 * random_.unit();
  return Milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor));
}

Milliseconds EndpointPolicy::wait_after(int tries) {
  const auto at = static_cast<std::size_t>(std::max(tries, 1) - 1);
  return varied(options_.waits[std::min(at, options_.waits.size() - 1)]);
}

// ---- the window
// ----------------------------------------------------------------------------------

bool EndpointPolicy::wants_events() const {
  if (status_ == Status::disabled) return false;
  // What was all refused may be in the way of one that is taken.
  const bool is_stuck =
      status_ == Status::failing && std::ranges::none_of(window_, [](const Slot& one) {
        return one.stage != Stage::done && one.tries + one.given_back == 0;
      });
  if (is_stuck) {
    return window_.size() < options_.window_events_max &&
           window_octets_ < options_.window_octets_max;
  }
  // Half a window at a time: a page is worth its question.
  return window_.size() <= options_.window_events_max / 2 &&
         window_octets_ <= options_.window_octets_max / 2;
}

std::size_t EndpointPolicy::room() const {
  return options_.window_events_max - std::min(options_.window_events_max, window_.size());
}

void EndpointPolicy::on_page(std::vector<OfferedEvent> events, std::string cursor, Instant now) {
  follow_clock(now);
  // What has only been asked for events that it refused may well take another one.
  const bool has_untried = std::ranges::any_of(
      window_, [](const Slot& one) { return one.stage != Stage::done && one.tries == 0; });
  if (!events.empty() && !has_untried) probe_at_ = std::min(probe_at_, now + options_.probe_first);
  for (OfferedEvent& event : events) {
    Slot slot{.told = std::move(event.told),
              .order_key = event.order_key,
              .cursor_behind = std::move(event.cursor_behind),
              .company_max = options_.batch_events_max,
              .offered = now,
              .due = now};
    slot.octets = octets_of(*slot.told);
    window_octets_ += slot.octets;
    window_.push_back(std::move(slot));
  }
  if (cursor == read_from_) return;
  read_from_ = std::move(cursor);
  if (!window_.empty() && window_.back().cursor_behind == read_from_) return;
  window_.push_back({.cursor_behind = read_from_, .stage = Stage::done, .offered = now});
}

void EndpointPolicy::leave_front() {
  while (!window_.empty()) {
    const Slot& front = window_.front();
    if (front.stage == Stage::in_flight) return;
    if (front.stage == Stage::waiting) {
      if (!waits_for_room(front) || parked_.size() >= options_.parked_max) return;
      park(front);
    } else if (front.told) {
      ++unsaved_;
    }
    cursor_ = front.cursor_behind;
    window_octets_ -= front.octets;
    dirty_ = dirty_ || front.told != nullptr;
    place_moved_ = true;
    window_.pop_front();
    ++first_number_;
  }
}

// ---- answers
// -------------------------------------------------------------------------------------

void EndpointPolicy::on_answer(std::uint64_t number, const CallAnswer& answer, Instant now) {
  follow_clock(now);
  const auto found = calls_.find(number);
  check(found != calls_.end(), "an answer belongs to a call");
  const CallUnderWay call = std::move(found->second);
  calls_.erase(found);
  switch (answer.how) {
    case How::accepted:
      last_accepted_ = now;
      note_accepted(call);
      break;
    case How::busy:
      not_before_ = now + varied(kSoon);
      give_back(call, now);
      break;
    case How::throttled:
      throttle(call, answer.retry_after.value_or(varied(options_.waits.front())), now);
      break;
    case How::gone:
      give_back(call, now);
      if (status_ != Status::disabled) notices_.push_back(EndpointActions::Notice::disabled);
      status_ = Status::disabled;
      dirty_ = true;
      break;
    case How::refused:
      // A parked event has been refused before: that it is again says nothing about the endpoint.
      if (!call.parked || status_ == Status::failing) note_failure(now);
      if (status_ == Status::active) {
        blame(call, now);
      } else {
        // In company it is nobody's own.
        if (call.slots.size() == 1) ++slot(call.slots.front()).given_back;
        give_back(call, now);
      }
      break;
  }
  leave_front();
}

void EndpointPolicy::throttle(const CallUnderWay& call, Milliseconds wait, Instant now) {
  wait = std::clamp(wait, kSoon, kThrottledMax);
  // A parked event was refused before, and may be put off for ever: the stream waits when it is put
  // off itself.
  if (call.parked && status_ == Status::active) {
    ParkedEvent& event = (*call.parked)->event;
    blame(call, now);
    event.due = std::max(event.due, now + wait);
    return;
  }
  not_before_ = now + wait;
  note_failure(now);
  bool too_often = false;
  for (const std::uint64_t each : call.slots) {
    too_often = ++slot(each).given_back > kThrottledMost || too_often;
  }
  if (too_often && status_ == Status::active) {
    blame(call, now);
  } else {
    give_back(call, now);
  }
}

void EndpointPolicy::note_accepted(const CallUnderWay& call) {
  for (const std::uint64_t number : call.slots) {
    slot(number).stage = Stage::done;
  }
  if (call.parked) {
    ++unsaved_;
    --parked_in_flight_;
    unpark(*call.parked);
  }
  failures_in_row_ = 0;
  ++accepted_in_row_;
  probes_ = 0;
  if (status_ != Status::failing) return;
  status_ = Status::active;
  dirty_ = true;
  if (owner_told_) notices_.push_back(EndpointActions::Notice::recovered);
  owner_told_ = false;
}

void EndpointPolicy::give_back(const CallUnderWay& call, Instant due) {
  for (const std::uint64_t number : call.slots) {
    Slot& one = slot(number);
    one.stage = Stage::waiting;
    one.due = due;
  }
  if (!call.parked) return;
  --parked_in_flight_;
  (*call.parked)->stage = Parked::Stage::idle;
  (*call.parked)->event.due = due;
}

void EndpointPolicy::note_failure(Instant now) {
  ++failures_in_row_;
  accepted_in_row_ = 0;
  if (status_ == Status::active && failures_in_row_ >= options_.failures_until_failing) {
    status_ = Status::failing;
    failing_since_ = now;
    owner_told_ = false;
    probes_ = 0;
    dirty_ = true;
  }
  if (status_ != Status::failing) return;
  Milliseconds wait = options_.probe_first;
  for (int i = 0; i < probes_ && wait < options_.probe_longest; ++i) wait *= 2;
  ++probes_;
  probe_at_ = now + varied(std::min(wait, options_.probe_longest));
}

// Who is refused in company is tried again soon, in half of it: so the one that nobody takes is
// found in a few calls, and the others have lost seconds.
void EndpointPolicy::blame(const CallUnderWay& call, Instant now) {
  if (call.parked) {
    --parked_in_flight_;
    blame_parked(**call.parked, now);
    return;
  }
  if (call.slots.size() > 1) {
    const Instant due = now + varied(kSoon);
    for (const std::uint64_t number : call.slots) {
      Slot& one = slot(number);
      one.stage = Stage::waiting;
      one.company_max = call.slots.size() / 2;
      one.due = due;
    }
    return;
  }
  Slot& one = slot(call.slots.front());
  one.stage = Stage::waiting;
  one.company_max = 1;
  if (one.tries == 0) one.first_tried = now;
  ++one.tries;
  one.due = now + wait_after(one.tries);
}

// A clock that was set back would have everything wait for as long; and what was written under a
// clock that ran ahead waits no longer than anything does.
void EndpointPolicy::follow_clock(Instant now) {
  const bool is_first = !seen_;
  const Milliseconds back = is_first || now >= *seen_ ? Milliseconds(0) : *seen_ - now;
  seen_ = now;
  if (is_first) {
    const Instant latest = now + 2 * options_.waits.back();
    failing_since_ = std::min(failing_since_, now);
    for (Parked& parked : parked_) {
      parked.event.due = std::min(parked.event.due, latest);
      parked.event.first_tried = std::min(parked.event.first_tried, now);
    }
  }
  if (back == Milliseconds(0)) return;
  for (Instant* const each :
       {&not_before_, &probe_at_, &save_at_, &save_place_at_, &failing_since_, &last_accepted_})
    *each -= back;
  for (Slot& one : window_) {
    for (Instant* const each : {&one.first_tried, &one.offered, &one.due}) *each -= back;
  }
  for (Parked& parked : parked_) {
    parked.event.first_tried -= back;
    parked.event.due -= back;
  }
}

void EndpointPolicy::enable(Instant now) {
  status_ = Status::active;
  failures_in_row_ = 0;
  probes_ = 0;
  not_before_ = now;
  owner_told_ = false;
  dirty_ = true;
}

void EndpointPolicy::hasten(Instant now) {
  follow_clock(now);
  not_before_ = std::min(not_before_, now);
  probe_at_ = std::min(probe_at_, now);
  for (Slot& one : window_) one.due = std::min(one.due, now);
  for (Parked& parked : parked_) parked.event.due = std::min(parked.event.due, now);
}

// ---- what is written
// -----------------------------------------------------------------------------

void EndpointPolicy::save(Instant now, EndpointActions& actions) {
  if (saving_ || (!dirty_ && !place_moved_)) return;
  if (!dirty_ && now < save_place_at_) return wake(save_place_at_);
  // Sooner than usual before sending has to wait for it.
  if (now < save_at_ && unsaved_ < options_.unsaved_max / 2) return wake(save_at_);
  EndpointState state{.status = status_,
                      .failing_since = failing_since_,
                      .owner_told = owner_told_,
                      .cursor = cursor_};
  for (const Parked& parked : parked_) {
    if (parked.stage != Parked::Stage::leaving) state.parked.push_back(parked.event);
  }
  actions.save = EndpointActions::Save{.state = std::move(state), .set_aside = set_aside_};
  // What an answer has changed does not wait for a place that was just written.
  if (dirty_) save_at_ = now + options_.save_every;
  dirty_ = place_moved_ = false;
  saving_ = true;
  save_place_at_ = now + options_.save_place_every;
  unsaved_before_ = unsaved_;
  set_aside_before_ = set_aside_.size();
}

void EndpointPolicy::on_saved(bool stored) {
  check(saving_, "what is said to be written was to be written");
  saving_ = false;
  if (!stored) {
    dirty_ = true;
    return;
  }
  unsaved_ -= unsaved_before_;
  const auto written = set_aside_.begin() + static_cast<std::ptrdiff_t>(set_aside_before_);
  const std::unordered_set<std::string> gone(set_aside_.begin(), written);
  set_aside_.erase(set_aside_.begin(), written);
  if (gone.empty()) return;
  const bool was_dirty = dirty_;
  for (auto place = parked_.begin(); place != parked_.end();) {
    const bool leaves = place->stage == Parked::Stage::leaving && gone.contains(place->event.id);
    place = leaves ? unpark(place) : std::next(place);
  }
  dirty_ = was_dirty;  // what was written does not hold them any more
  leave_front();
}

void EndpointPolicy::tell_owner(Instant now, EndpointActions& actions) {
  if (status_ == Status::failing && !owner_told_) {
    const Instant at = failing_since_ + options_.told_after;
    if (now >= at) {
      owner_told_ = true;
      dirty_ = true;
      notices_.push_back(EndpointActions::Notice::failing);
    } else {
      wake(at);
    }
  }
  actions.notices = std::exchange(notices_, {});
}

}  // namespace todoku::events::webhooks
