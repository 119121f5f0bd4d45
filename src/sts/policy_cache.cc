// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_cache.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "sts/policy_look.h"

namespace todoku::sts {
namespace {

using mailauth::mta_sts::Fault;
using mailauth::mta_sts::Fetched;
using mailauth::mta_sts::HeldPolicy;
using mailauth::mta_sts::Look;
using mailauth::mta_sts::Policy;

// An entry with its places in the list and the index; its texts come on top.
constexpr std::size_t kEntryOctets = 512;
// Until there may be room for a look.
constexpr Milliseconds kUntilThereIsRoom{50};
// Until a shelf is asked again that did not answer.
constexpr Milliseconds kUntilTheShelf{1'000};

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

Counter& fetches_counter(Metrics& metrics, std::string_view result) {
  return metrics.counter("todoku_mta_sts_fetches_total",
                         "MTA-STS policies fetched, by how it ended: fetched, or in the words of "
                         "RFC 8460.",
                         {{"result", std::string(result)}});
}

}  // namespace

PolicyCache::PolicyCache(World world, Options options)
    : world_(std::move(world)),
      options_(options),
      fetched_total_(fetches_counter(world_.metrics, "fetched")),
      fetch_errors_total_(fetches_counter(world_.metrics, to_string(Fault::policy_fetch_error))),
      invalid_total_(fetches_counter(world_.metrics, to_string(Fault::policy_invalid))),
      unproven_total_(fetches_counter(world_.metrics, to_string(Fault::webpki_invalid))),
      gone_without_total_(world_.metrics.counter(
          "todoku_mta_sts_unknown_in_time_total",
          "Times mail went on without knowing in time whether its domain has an MTA-STS policy.")),
      to_fetch_(options.fetches_max, options.fetches_of_one_max),
      looking_(world_.executor) {}

Task<void> PolicyCache::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  return looking_.stop();
}

bool PolicyCache::is_known(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  return found != entries_.end() && found->second.known.is_usable(world_.clock.now());
}

void PolicyCache::ask(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  look_if_due_locked(domain, entry_locked(domain), world_.clock.now());
}

Task<PolicyCache::Word> PolicyCache::policy(std::string domain) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const SteadyInstant deadline = world_.clock.steady_now() + options_.wait_max;
  std::shared_ptr<Waiter> waiter;
  const AtEnd left([this, &domain, &waiter] {
    if (waiter != nullptr) leave(domain, waiter);
  });
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
        if (world_.shelf != nullptr && !entry.from_shelf) {
          co_return std::unexpected(NoWord::shelf_unasked);
        }
        gone_without_total_.add();
        co_return PolicyInForce();
      }
      if (waiter == nullptr) waiter = std::make_shared<Waiter>(executor);
      entry.waiters.insert(waiter);
      if (!entry.looking && !entry.id_to_fetch) {
        until = std::min(deadline, world_.clock.steady_now() + kUntilThereIsRoom);
      }
    }
    co_await waiter->signal.wait_until(until);
    const auto cancelled = (co_await boost::asio::this_coro::cancellation_state).cancelled();
    if (cancelled != boost::asio::cancellation_type::none) {
      co_return std::unexpected(NoWord::cancelled);
    }
  }
}

void PolicyCache::leave(const std::string& domain, const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(domain);
  if (found != entries_.end()) found->second.waiters.erase(waiter);
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
  make_room_locked(1);
  by_use_.push_front(domain);
  Entry& entry = entries_[domain];
  entry.age = by_use_.begin();
  entry.octets = kEntryOctets + 2 * domain.size();
  octets_ += entry.octets;
  return entry;
}

// Those that somebody waits for stay, and so no more than wait are too many.
void PolicyCache::make_room_locked(std::size_t more) {
  for (auto place = by_use_.end(); place != by_use_.begin();) {
    const bool has_room = entries_.size() + more <= options_.domains_max;
    if (has_room && octets_ < options_.octets_max) return;
    --place;
    const auto found = entries_.find(*place);
    if (found->second.looking || !found->second.waiters.empty()) continue;
    if (found->second.id_to_fetch) to_fetch_.remove(*place);
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
  // Once as it was fetched, once to be shared; one of "mode: none" is held, too.
  if (const HeldPolicy* held = entry.known.held(now)) entry.octets += 2 * octets_of(held->policy);
  octets_ += entry.octets;
  if (entry.known.is_usable(now)) wake(entry);
}

void PolicyCache::wake(const Entry& entry) {
  for (const std::shared_ptr<Waiter>& waiter : entry.waiters) {
    boost::asio::post(waiter->executor, [waiter] { waiter->signal.notify(); });
  }
}

void PolicyCache::look_if_due_locked(const std::string& domain, Entry& entry, Instant now) {
  if (stopping_ || entry.looking || entry.id_to_fetch) return;
  if (world_.shelf != nullptr && !entry.from_shelf) {
    const bool may_ask = world_.clock.steady_now() >= entry.shelf_at;
    if (!may_ask || at_shelf_ >= options_.shelf_max) return;
    boost::asio::post(world_.executor,
                      [this, domain] { looking_.spawn("MTA-STS", ask_shelf(domain)); });
    ++at_shelf_;
  } else {
    if (looks_ >= options_.looks_max || !entry.known.look_is_due(now)) return;
    boost::asio::post(world_.executor, [this, domain] { looking_.spawn("MTA-STS", look(domain)); });
    ++looks_;
  }
  entry.looking = true;
}

void PolicyCache::fetch_next_locked() {
  while (!stopping_) {
    const auto domain = to_fetch_.next();
    if (!domain) return;
    Entry& entry = entries_.at(*domain);
    entry.looking = true;
    std::string id = *std::exchange(entry.id_to_fetch, std::nullopt);
    boost::asio::post(world_.executor, [this, domain = *domain, id = std::move(id)] {
      looking_.spawn("MTA-STS", fetch(domain, id));
    });
  }
}

std::optional<Milliseconds> PolicyCache::wait_for_address_locked(Entry& entry) const {
  if (entry.was_busy >= options_.busy_times) return std::nullopt;
  return options_.busy_wait * (1 << entry.was_busy++);
}

Counter& PolicyCache::failed_total(Fault fault) {
  switch (fault) {
    case Fault::policy_fetch_error:
      return fetch_errors_total_;
    case Fault::policy_invalid:
      return invalid_total_;
    case Fault::webpki_invalid:
      break;
  }
  return unproven_total_;
}

PolicyCache::Entry& PolicyCache::landed_locked(const std::string& domain) {
  Entry& entry = entries_.at(domain);
  entry.looking = false;
  wake(entry);
  return entry;
}

// ---- looking: each a task of its own, which keeps its entry -------------------------------------

Task<void> PolicyCache::ask_shelf(std::string domain) {
  const AtEnd landed([this, &domain] {
    const std::lock_guard lock(mutex_);
    --at_shelf_;
    Entry& entry = landed_locked(domain);
    if (entry.from_shelf) look_if_due_locked(domain, entry, world_.clock.now());
    make_room_locked(0);
  });
  auto held = co_await world_.shelf->find(domain);
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(domain);
  const SteadyInstant now = world_.clock.steady_now();
  if (!held) {
    entry.shelf_at = now + kUntilTheShelf;
    shelf_trouble_.failed(now, {{"domain", domain}, {"reason", held.error().detail}});
    co_return;
  }
  entry.from_shelf = true;
  if (!*held) co_return;
  entry.known = mailauth::mta_sts::Knowledge(std::move(**held));
  learnt_locked(domain, entry, world_.clock.now());
}

Task<void> PolicyCache::look(std::string domain) {
  const AtEnd landed([this, &domain] {
    const std::lock_guard lock(mutex_);
    --looks_;
    landed_locked(domain);
    fetch_next_locked();
  });
  Look look = co_await look_at(world_.resolver, domain);
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(domain);
  const Instant now = world_.clock.now();
  if (!entry.known.looked(look, now)) {
    learnt_locked(domain, entry, now);
    co_return;
  }
  to_fetch_.add(domain);
  entry.id_to_fetch = std::move(look.id);
}

Task<void> PolicyCache::fetch(std::string domain, std::string id) {
  bool has_place = true;
  const AtEnd landed([this, &domain, &has_place] {
    const std::lock_guard lock(mutex_);
    if (has_place) to_fetch_.done(domain);
    landed_locked(domain);
    fetch_next_locked();
    make_room_locked(0);
  });
  Fetched fetched = co_await world_.fetch.fetch(domain);
  if (!fetched && fetched.error().is_busy) {
    std::optional<Milliseconds> wait;
    {
      const std::lock_guard lock(mutex_);
      wait = wait_for_address_locked(entries_.at(domain));
      if (wait) {
        to_fetch_.done(domain);
        has_place = false;
        fetch_next_locked();
      }
    }
    if (wait) {
      const bool awake = co_await async::sleep_for(*wait);
      const std::lock_guard lock(mutex_);
      if (!awake || stopping_) co_return;
      to_fetch_.add(domain);
      entries_.at(domain).id_to_fetch = std::move(id);
      co_return;
    }
  }
  (fetched ? fetched_total_ : failed_total(fetched.error().fault)).add();
  std::optional<HeldPolicy> to_keep;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(domain);
    const Instant now = world_.clock.now();
    entry.was_busy = 0;
    const bool is_new = fetched.has_value();
    entry.known.fetched(std::move(id), std::move(fetched), now);
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

}  // namespace todoku::sts
