// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_cache.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "sts/policy_look.h"

namespace todoku::sts {
namespace {

using mailauth::mta_sts::Fetched;
using mailauth::mta_sts::HeldPolicy;
using mailauth::mta_sts::Look;
using mailauth::mta_sts::Policy;

// An entry with its places in the list and the index; its texts come on top.
constexpr std::size_t kEntryOctets = 512;
// Until there may be room for a look, or for a fetch.
constexpr Milliseconds kUntilThereIsRoom{50};

// Gives something back, however the task ends.
template <class GiveBack>
class AtEnd {
 public:
  explicit AtEnd(GiveBack give_back) : give_back_(std::move(give_back)) {}
  ~AtEnd() { give_back_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  GiveBack give_back_;
};

std::size_t octets_of(const Policy& policy) {
  std::size_t octets = sizeof(Policy);
  for (const std::string& host : policy.mx) octets += sizeof(std::string) + host.size();
  return octets;
}

}  // namespace

PolicyCache::PolicyCache(World world, Options options)
    : world_(std::move(world)),
      options_(options),
      fetched_total_(world_.metrics.counter("todoku_mta_sts_fetches_total",
                                            "MTA-STS policies fetched, by how it ended.",
                                            {{"result", "fetched"}})),
      failed_total_(world_.metrics.counter("todoku_mta_sts_fetches_total",
                                           "MTA-STS policies fetched, by how it ended.",
                                           {{"result", "failed"}})),
      gone_without_total_(world_.metrics.counter(
          "todoku_mta_sts_unknown_in_time_total",
          "Times mail went on without knowing in time whether its domain has an MTA-STS policy.")),
      looking_(world_.executor) {}

bool PolicyCache::is_known(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  return found != entries_.end() && found->second.known.is_usable(world_.clock.now());
}

void PolicyCache::ask(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  look_if_due_locked(domain, entry_locked(domain), world_.clock.now());
}

Task<std::optional<PolicyInForce>> PolicyCache::policy(std::string domain) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const SteadyInstant deadline = world_.clock.steady_now() + options_.wait_max;
  std::shared_ptr<Waiter> waiter;
  while (true) {
    SteadyInstant until = deadline;
    {
      const std::lock_guard lock(mutex_);
      Entry& entry = entry_locked(domain);
      const Instant now = world_.clock.now();
      look_if_due_locked(domain, entry, now);
      if (entry.known.is_usable(now)) {
        co_return entry.known.in_force(now) == nullptr ? PolicyInForce() : entry.in_force;
      }
      if (world_.clock.steady_now() >= deadline) {
        gone_without_total_.add();
        co_return PolicyInForce();
      }
      if (waiter == nullptr) waiter = std::make_shared<Waiter>(executor);
      if (std::ranges::find(entry.waiters, waiter) == entry.waiters.end()) {
        entry.waiters.push_back(waiter);
      }
      if (!entry.looking) {
        until = std::min(deadline, world_.clock.steady_now() + kUntilThereIsRoom);
      }
    }
    co_await waiter->signal.wait_until(until);
    const auto cancelled = (co_await boost::asio::this_coro::cancellation_state).cancelled();
    if (cancelled != boost::asio::cancellation_type::none) co_return std::nullopt;
  }
}

PolicyInForce PolicyCache::peek(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  if (found == entries_.end()) return nullptr;
  const Entry& entry = found->second;
  return entry.known.in_force(world_.clock.now()) == nullptr ? nullptr : entry.in_force;
}

std::optional<mailauth::mta_sts::FetchFailure> PolicyCache::failure(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  if (found == entries_.end()) return std::nullopt;
  return found->second.known.failure();
}

void PolicyCache::doubt(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  if (found != entries_.end()) found->second.known.doubt(world_.clock.now());
}

std::size_t PolicyCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

// ---- under the mutex ---------------------------------------------------------------------------

PolicyCache::Entry& PolicyCache::entry_locked(const std::string& domain) {
  if (const auto found = entries_.find(domain); found != entries_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second.age);
    return found->second;
  }
  make_room_locked();
  by_use_.push_front(domain);
  Entry& entry = entries_[domain];
  entry.age = by_use_.begin();
  entry.octets = kEntryOctets + 2 * domain.size();
  octets_ += entry.octets;
  return entry;
}

// Those that somebody waits for stay, and so no more than wait are too many.
void PolicyCache::make_room_locked() {
  for (auto place = by_use_.end(); place != by_use_.begin();) {
    if (entries_.size() < options_.domains_max && octets_ < options_.octets_max) return;
    --place;
    const auto found = entries_.find(*place);
    if (found->second.looking || !found->second.waiters.empty()) continue;
    octets_ -= found->second.octets;
    entries_.erase(found);
    place = by_use_.erase(place);
  }
}

void PolicyCache::learnt_locked(const std::string& domain, Entry& entry, Instant now) {
  const Policy* policy = entry.known.in_force(now);
  if (policy == nullptr) {
    entry.in_force = nullptr;
  } else if (entry.in_force == nullptr || entry.in_force->policy != *policy) {
    entry.in_force = std::make_shared<const DomainPolicy>(DomainPolicy{domain, *policy});
  }
  octets_ -= entry.octets;
  entry.octets = kEntryOctets + 2 * domain.size();
  // Once as it was fetched, once to be shared.
  if (policy != nullptr) entry.octets += 2 * octets_of(*policy);
  octets_ += entry.octets;
  if (!entry.known.is_usable(now)) return;
  for (const std::shared_ptr<Waiter>& waiter : entry.waiters) {
    boost::asio::post(waiter->executor, [waiter] { waiter->signal.notify(); });
  }
  entry.waiters.clear();
}

void PolicyCache::look_if_due_locked(const std::string& domain, Entry& entry, Instant now) {
  if (entry.looking || looks_ >= options_.looks_max || !entry.known.look_is_due(now)) return;
  boost::asio::post(world_.executor, [this, domain] { looking_.spawn("MTA-STS", look(domain)); });
  entry.looking = true;
  ++looks_;
}

void PolicyCache::looked_locked(const std::string& domain) {
  --looks_;
  const auto found = entries_.find(domain);
  Entry& entry = found->second;
  entry.looking = false;
  // Who still waits looks for himself.
  for (const std::shared_ptr<Waiter>& waiter : entry.waiters) {
    boost::asio::post(waiter->executor, [waiter] { waiter->signal.notify(); });
  }
  entry.waiters.clear();
}

// ---- looking -----------------------------------------------------------------------------------

Task<void> PolicyCache::look(std::string domain) {
  const AtEnd landed([this, &domain] {
    const std::lock_guard lock(mutex_);
    looked_locked(domain);
  });
  co_await look_and_fetch(domain);
}

Task<void> PolicyCache::look_and_fetch(std::string domain) {
  co_await ask_shelf(domain);
  const Look look = co_await look_at(world_.resolver, domain);
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(domain);
    const Instant now = world_.clock.now();
    if (!entry.known.looked(look, now)) {
      learnt_locked(domain, entry, now);
      co_return;
    }
  }
  const bool has_place = co_await fetch_place();
  if (!has_place) co_return;
  const AtEnd given_back([this] { --fetches_; });
  Fetched fetched = co_await world_.fetch.fetch(domain);
  (fetched ? fetched_total_ : failed_total_).add();
  std::optional<HeldPolicy> to_keep;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(domain);
    const Instant now = world_.clock.now();
    const bool is_new = fetched.has_value();
    entry.known.fetched(look.id, std::move(fetched), now);
    learnt_locked(domain, entry, now);
    if (const HeldPolicy* held = entry.known.held(now); is_new && held != nullptr) to_keep = *held;
  }
  if (!to_keep || world_.shelf == nullptr) co_return;
  const auto kept = co_await world_.shelf->keep(domain, std::move(*to_keep));
  const SteadyInstant now = world_.clock.steady_now();
  if (kept) {
    shelf_trouble_.worked(now);
  } else {
    shelf_trouble_.failed(now, {{"domain", domain}, {"reason", kept.error().detail}});
  }
}

Task<void> PolicyCache::ask_shelf(std::string domain) {
  {
    const std::lock_guard lock(mutex_);
    bool& asked = entries_.at(domain).from_shelf;
    if (world_.shelf == nullptr || std::exchange(asked, true)) co_return;
  }
  auto held = co_await world_.shelf->find(domain);
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(domain);
  if (!held) {
    entry.from_shelf = false;  // the next look asks again
    shelf_trouble_.failed(world_.clock.steady_now(),
                          {{"domain", domain}, {"reason", held.error().detail}});
    co_return;
  }
  if (!*held) co_return;
  entry.known = mailauth::mta_sts::Knowledge(std::move(**held));
  learnt_locked(domain, entry, world_.clock.now());
}

Task<bool> PolicyCache::fetch_place() {
  while (fetches_ >= options_.fetches_max) {
    const bool awake = co_await async::sleep_for(kUntilThereIsRoom);
    if (!awake) co_return false;
  }
  ++fetches_;
  co_return true;
}

}  // namespace todoku::sts
