// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connections.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/caught.h"
#include "base/log.h"
#include "store/pending.h"
#include "store/postgres/fitness.h"
#include "store/postgres/words.h"

namespace todoku::store::postgres {
namespace {

constexpr Milliseconds kLookEvery = std::chrono::seconds(3);
constexpr Milliseconds kNoOtherFor = std::chrono::seconds(5);
constexpr Milliseconds kLookMax = std::chrono::seconds(2);
// To make a connection, encrypted, over some way. Nobody who has less begins to: it would only be
// counted as a failure.
constexpr Milliseconds kLeastToDial{300};
// Connections that are listened to: readers need theirs.
constexpr std::size_t kSilentMost = 2;

// Places that are left for us, and a fifth of all.
const Sql kRoom{"connections: room",
                "SELECT current_setting('max_connections')::bigint"
                " - current_setting('superuser_reserved_connections')::bigint - count(*),"
                " current_setting('max_connections')::bigint / 5"
                " FROM pg_stat_get_activity(NULL) WHERE datid IS NOT NULL"};

SteadyInstant machine_now() {
  return SystemClock().steady_now();
}

bool has_little_room(const Table& room) {
  return room.integer(0, 0) < room.integer(0, 1);
}

// So that others find a place: a process needs one connection, more are for speed.
bool is_crowded(Link& link) noexcept {
  const auto crowded = caught([&]() -> Result<bool> {
    const auto room = link.fly_one(kRoom, {}, kLookMax);
    return room && has_little_room(*room);
  });
  return crowded && *crowded;
}

bool has_time_to_dial(SteadyInstant now, SteadyInstant until) {
  return until == SteadyInstant::max() || now + kLeastToDial <= until;
}

// Of a new connection, which somebody needs before `until`.
Milliseconds look_time(SteadyInstant until) {
  if (until == SteadyInstant::max()) return kLookMax;
  const auto left = std::chrono::floor<Milliseconds>(until - machine_now());
  return std::clamp(left, Milliseconds(1), kLookMax);
}

}  // namespace

void Closing::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  closed_.notify_all();
}

bool Closing::wait(Milliseconds time) {
  std::unique_lock lock(mutex_);
  closed_.wait_for(lock, time, [this] { return closing_; });
  return !closing_;
}

// Between nine and eleven tenths of it, so that not all end at once.
Milliseconds Connections::around(Milliseconds time) {
  constexpr double kLeast = 0.9;
  constexpr double kSpread = 0.2;
  const double share = kLeast + kSpread * random_.unit();
  return Milliseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * share));
}

Milliseconds Connections::pause(int tries) {
  const std::lock_guard lock(mutex_);
  return wait_before_dialing(tries, random_.unit());
}

bool Connections::work() const {
  const std::lock_guard lock(mutex_);
  return count_ > 0 && silent_.empty();
}

Result<std::unique_ptr<Link>> Connections::first(Milliseconds most) {
  const SteadyInstant until = machine_now() + most;
  for (int tries = 1;; ++tries) {
    auto dialed = dialer_.dial();
    if (dialed) {
      const auto timeline = ask_timeline(**dialed, kLookMax);
      if (timeline) (*dialed)->set_timeline(*timeline);
      return dialed;
    }
    if (!is_full(dialed.error()) || machine_now() >= until) return dialed;
    std::this_thread::sleep_for(pause(tries));
  }
}

void Connections::adopt(std::unique_ptr<Link> link) {
  {
    const std::lock_guard lock(mutex_);
    const SteadyInstant now = machine_now();
    end_past(link->timeline());
    resting_.push_back({std::move(link), now + around(limits_.life), now});
    ++count_;
  }
  returned_.notify_all();
}

void Connections::listen_to_silent(SteadyInstant now) {
  std::erase_if(silent_, [&](const Silent& each) {
    return now - each.since > limits_.silent_max || !each.link->awaits_commit();
  });
  while (silent_.size() > kSilentMost) silent_.pop_front();
}

std::size_t Connections::places_taken() const {
  const std::size_t all = count_ + silent_.size();
  if (!silent_host_) return all;
  const auto counts_not = [&](const Link& link) { return link.host() == *silent_host_; };
  std::size_t not_counted = 0;
  for (const Lent& each : resting_) not_counted += counts_not(*each.link) ? 1 : 0;
  for (const Silent& each : silent_) not_counted += counts_not(*each.link) ? 1 : 0;
  for (const Link* const link : lent_) not_counted += counts_not(*link) ? 1 : 0;
  return all - std::min(all, not_counted);
}

bool Connections::may_dial(SteadyInstant now) const {
  if (dialing_ || places_taken() >= limits_.most) return false;
  return now >= (count_ == 0 ? next_try_ : next_other_);
}

// `raw`: with the words of libpq, which are for the log.
void Connections::failed(const Error& raw, Error told, SteadyInstant now) {
  passes_ = is_full(raw) || is_refused(raw);
  if (count_ > 0) {
    // Where there is no room those that are there have to do. Otherwise they may be to a server
    // that is gone, and nobody knows it yet.
    const bool no_room = is_full(raw);
    next_other_ = now + (no_room ? around(kNoOtherFor)
                                 : wait_before_dialing(other_failures_++, random_.unit()));
    return;
  }
  if (failures_ == 0) log::warning("the database cannot be reached", {{"error", raw.detail}});
  next_try_ = now + wait_before_dialing(failures_++, random_.unit());
  last_ = std::move(told);
}

void Connections::end_past(std::int64_t timeline) {
  if (timeline <= timeline_) return;
  if (timeline_ > 0) {
    log::warning("another server has taken over the database", {{"timeline", timeline}});
  }
  timeline_ = timeline;
  const auto past = [&](const auto& each) {
    return each.link->timeline() > 0 && each.link->timeline() < timeline;
  };
  count_ -= std::erase_if(resting_, past);
  std::erase_if(silent_, past);
  for (Link* const link : lent_) {
    if (link->timeline() > 0 && link->timeline() < timeline) link->interrupt();
  }
}

bool Connections::is_of_the_past(const Link& link) {
  const Lock lock(mutex_);
  return link.timeline() > 0 && link.timeline() < timeline_;
}

// What it is told of comes with its first answer, and whether there is room for it.
Result<std::unique_ptr<Link>> Connections::dial_fit(bool besides, bool& reached,
                                                    SteadyInstant until) {
  auto dialed = dialer_.dial(until);
  reached = dialed.has_value();
  if (!dialed) return dialed;
  Link& link = **dialed;
  link.add(kNewConnection);
  if (besides) link.add(kRoom);
  const auto said = link.fly(look_time(until));
  if (!said) return fail(in_our_words(link.failure(), said.error()));
  auto fit = check_new(said->front(), limits_.must_keep);
  if (!fit) return fail(std::move(fit.error()));
  const auto timeline = ask_timeline(link, look_time(until));
  if (!timeline) return fail(in_our_words(link.failure(), timeline.error()));
  link.set_timeline(*timeline);
  if (is_of_the_past(link)) {
    (void)dialer_.turn_away(link);
    return fail(ErrorKind::unavailable,
                "this server of the database goes on by itself, though another has taken over");
  }
  if (besides && has_little_room(said->back())) dialed->reset();
  return dialed;
}

Result<Connections::Lent> Connections::dial(Lock& lock, bool besides, SteadyInstant until) {
  dialing_ = true;
  lock.unlock();
  bool reached = false;
  auto dialed = caught([&] { return dial_fit(besides, reached, until); });
  const SteadyInstant now = machine_now();
  lock.lock();
  dialing_ = false;
  returned_.notify_all();
  return caught([&]() -> Result<Lent> {
    if (!dialed) {
      Error told = reached ? shared_error(dialed.error())
                           : Error{dialed.error().kind, "the database cannot be reached"};
      failed(dialed.error(), told, now);
      return fail(std::move(told));
    }
    if (*dialed == nullptr) {
      next_other_ = now + around(kNoOtherFor);
      return fail(ErrorKind::unavailable, "the database has little room for other connections");
    }
    if (failures_ > 0) log::info("the database is reached again", {{"failures", failures_}});
    failures_ = other_failures_ = 0;
    end_past((*dialed)->timeline());
    if (silent_host_ == (*dialed)->host()) silent_host_.reset();
    if (besides && places_taken() >= limits_.most) {
      next_other_ = now + around(kNoOtherFor);
      return fail(ErrorKind::unavailable, "all connections to the database are in use");
    }
    return Lent{std::move(*dialed), now + around(limits_.life), now};
  });
}

// The old one is kept until there is a new one: a password may just be changed, or the server have
// no room for one more.
Connections::Lent Connections::renewed(Lock& lock, Lent old, SteadyInstant until) {
  if (!dialing_ && has_time_to_dial(machine_now(), until)) {
    auto made = dial(lock, false, until);
    if (made) return std::move(*made);
  }
  constexpr int kTries = 10;
  old.ends = machine_now() + around(std::min(limits_.life / kTries, kNoOtherFor));
  return old;
}

Result<Connections::Lent> Connections::take(Use use, SteadyInstant until) {
  Lock lock(mutex_);
  auto found = find(lock, use, until);
  if (found) lent_.push_back(found->link.get());
  return found;
}

Result<Connections::Lent> Connections::find(Lock& lock, Use use, SteadyInstant until) {
  SteadyInstant now = machine_now();
  const SteadyInstant waits_until = std::min(now + limits_.wait_max, until);
  while (true) {
    if (ended_) return fail(ErrorKind::unavailable, "the store is closing");
    listen_to_silent(now);
    if (use == Use::change && !silent_.empty()) {
      return fail(ErrorKind::unavailable,
                  "the database does not say that it stores what it was given before");
    }
    while (!resting_.empty()) {
      Lent lent = std::move(resting_.back());
      resting_.pop_back();
      if (lent.link->ready())
        return now < lent.ends ? std::move(lent) : renewed(lock, std::move(lent), until);
      --count_;
    }
    if (may_dial(now) && has_time_to_dial(now, until)) {
      auto dialed = dial(lock, count_ > 0, until);
      if (dialed) {
        ++count_;
        return dialed;
      }
      if (count_ == 0 && !passes_) return dialed;
      now = machine_now();
      continue;
    }
    if (count_ == 0 && !dialing_ && !passes_) return fail(last_);
    if (now >= waits_until) {
      if (count_ == 0) return fail(last_);
      return fail(ErrorKind::unavailable, "all connections to the database are in use");
    }
    SteadyInstant next = waits_until;
    if (count_ == 0 && !dialing_) next = std::min(next, next_try_);
    returned_.wait_until(lock, next);
    now = machine_now();
  }
}

void Connections::give_back(Lent lent) noexcept {
  const SteadyInstant now = machine_now();
  Lock lock(mutex_);
  std::erase(lent_, lent.link.get());
  if (lent.link->usable() && lent.link->last_commit() > SteadyInstant{}) {
    std::erase_if(silent_,
                  [&](const Silent& each) { return each.since < lent.link->last_commit(); });
  }
  if (lent.link->fell_silent()) {
    if (dialer_.turn_away(*lent.link)) silent_host_ = lent.link->host();
  } else if (silent_host_ == lent.link->host() && lent.link->usable()) {
    silent_host_.reset();
  }
  const bool past = lent.link->timeline() > 0 && lent.link->timeline() < timeline_;
  bool keeps = !past && lent.link->usable() && !lent.link->in_transaction() && lent.link->ready();
  if (keeps && count_ > 1 && now >= next_look_) {
    next_look_ = now + kLookEvery;
    lock.unlock();
    const bool crowded = is_crowded(*lent.link);
    lock.lock();
    if (crowded && count_ > 1) {
      keeps = false;
      next_other_ = now + around(kNoOtherFor);
    }
    keeps = keeps && lent.link->ready();
  }
  keeps = keeps && !ended_ && caught([&]() -> Result<void> {
            lent.rests_since = now;
            resting_.push_back(std::move(lent));
            return {};
          });
  if (!keeps) {
    --count_;
    if (lent.link->awaits_commit() && !ended_ && !past) {
      (void)caught([&]() -> Result<void> {
        silent_.push_back({std::move(lent.link), now});
        return {};
      });
    }
  }
  end_resting(lock, now);
  lock.unlock();
  returned_.notify_all();
}

void Connections::end_resting(const Lock& /*lock*/, SteadyInstant now) {
  while (count_ > 1 && !resting_.empty() && now - resting_.front().rests_since > limits_.rest_max) {
    resting_.pop_front();
    --count_;
  }
}

void Connections::end() {
  const Lock lock(mutex_);
  ended_ = true;
  count_ -= resting_.size();
  resting_.clear();
  silent_.clear();
}

void Connections::end_resting() {
  const Lock lock(mutex_);
  end_resting(lock, machine_now());
}

Result<Link*> Borrowed::get(Use use, SteadyInstant until) {
  if (lent_.link != nullptr && lent_.link->usable() && !lent_.link->in_transaction() &&
      lent_.link->ready()) {
    return lent_.link.get();
  }
  give_back();
  auto lent = connections_.take(use, until);
  if (!lent) return fail(std::move(lent.error()));
  lent_ = std::move(*lent);
  return lent_.link.get();
}

void Borrowed::give_back() {
  if (lent_.link != nullptr) connections_.give_back(std::exchange(lent_, {}));
}

}  // namespace todoku::store::postgres
