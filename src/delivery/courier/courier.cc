// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/courier.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/timer.h"
#include "base/log.h"

namespace todoku::delivery::courier {
namespace {

constexpr std::size_t kBellsAtOnce = 8;
constexpr Milliseconds kBellWait = std::chrono::seconds(10);
// Domains of one batch that are looked up at the same time.
constexpr std::size_t kLookupsAtOnce = 50;

std::string_view domain_of(std::string_view address) {
  return address.substr(address.rfind('@') + 1);
}

}  // namespace

Courier::Courier(CourierWorld& world, async::Executor executor, std::string pool)
    : world_(world),
      executor_(executor),
      pool_(std::move(pool)),
      claimed_total_(world.metrics.counter("todoku_claimed_recipients_total",
                                           "Recipients of claimed batches.")),
      stale_bells_total_(world.metrics.counter(
          "todoku_stale_bells_total", "Bells whose batch was not due or not free any more.")),
      receiving_(executor),
      work_(executor) {}

void Courier::start() {
  boost::asio::post(executor_, [this] {
    receiving_.spawn("courier transactional", receive(TrafficClass::transactional));
    receiving_.spawn("courier bulk", receive(TrafficClass::bulk));
    receiving_.spawn("courier leases", keep_leases());
  });
}

Task<void> Courier::stop() {
  co_await receiving_.stop();
  co_await work_.stop();
}

// ---- bells -------------------------------------------------------------------------------------

Task<void> Courier::receive(TrafficClass traffic) {
  auto queue = co_await world_.queues.open({pool_, traffic});
  if (!queue) {
    log::error("queue not opened", {{"reason", queue.error().detail}});
    co_return;
  }
  while (true) {
    auto bells = co_await (*queue)->receive(kBellsAtOnce, kBellWait);
    if (!bells) {
      if (bells.error().kind == ErrorKind::cancelled || bells.error().kind == ErrorKind::closed) {
        co_return;
      }
      log::warning("bells not received", {{"reason", bells.error().detail}});
      const bool awake = co_await async::sleep_for(std::chrono::seconds(1));
      if (!awake) co_return;
      continue;
    }
    if (!bells->empty()) co_await answer_bells(*queue, std::move(*bells));
  }
}

Task<void> Courier::answer_bells(std::shared_ptr<queue::Queue> queue,
                                 std::vector<queue::ReceivedBell> bells) {
  std::vector<store::BatchKey> keys;
  std::vector<Held> held;
  keys.reserve(bells.size());
  for (const auto& received : bells) {
    const store::BatchKey key{store::DeliveryKey{received.bell.delivery}, received.bell.batch};
    if (const auto already = held_already(key)) {
      held.push_back(*already);
    } else {
      keys.push_back(key);
    }
  }
  const Instant now = world_.clock.now();
  auto claimed = co_await world_.store.write(
      store::WritePriority::claims,
      [this, keys, held,
       now](store::WriteTransaction& transaction) -> Result<std::vector<store::LeasedBatch>> {
        const Instant until = now + world_.options.lease;
        auto extended = extend(transaction, held, until);
        if (!extended) return fail(std::move(extended.error()));
        return transaction.claim_batches(keys, world_.holder, until, now);
      });
  if (!claimed) {
    // Told once: the bells come again every second for as long as the disk is full.
    if (!std::exchange(claims_fail_, true)) {
      log::error("batches not claimed", {{"reason", claimed.error().detail}});
    }
    for (const auto& received : bells) {
      co_await queue->release(received.receipt, std::chrono::seconds(1));
    }
    co_return;
  }
  if (std::exchange(claims_fail_, false)) log::info("batches are claimed again");
  // The lease in the store is what holds the batch from here on; the bell has done its work.
  for (const auto& received : bells) co_await queue->acknowledge(received.receipt);

  std::vector<BatchProgress> stale;
  for (const store::BatchKey& key : keys) {
    const bool mine = std::ranges::any_of(
        *claimed, [&](const store::LeasedBatch& leased) { return leased.key == key; });
    if (!mine) stale.push_back({key, 0, 0, store::BatchReleased{}});
  }
  if (!stale.empty()) {
    stale_bells_total_.add(stale.size());
    world_.progress.progressed(std::move(stale));
  }
  for (store::LeasedBatch& leased : *claimed) {
    claimed_total_.add(leased.recipients.size());
    work_.spawn("batch", carry(std::move(leased)));
  }
}

// ---- batches -----------------------------------------------------------------------------------

Task<void> Courier::carry(store::LeasedBatch leased) {
  if (leased.recipients.empty()) {
    const Instant now = world_.clock.now();
    co_await give_back(std::move(leased), now);
    co_return;
  }
  const auto letter = co_await world_.letters.letter(leased.key.delivery);
  if (!letter) {
    // Nothing can be composed now: the key is gone, or the store does not answer. The mail waits.
    log::error("letter not made", {{"delivery", static_cast<std::int64_t>(leased.key.delivery)},
                                   {"reason", letter.error().detail}});
    const Instant later = world_.clock.now() + std::chrono::minutes(1);
    co_await give_back(std::move(leased), later);
    co_return;
  }
  auto batch = std::make_shared<BatchInFlight>(std::move(leased), *letter);
  follow(batch);
  co_await dispatch(std::move(batch));
}

void Courier::hand_over(std::shared_ptr<const Letter> letter,
                        std::vector<store::LeasedBatch> batches) {
  boost::asio::post(executor_,
                    [this, letter = std::move(letter), batches = std::move(batches)]() mutable {
                      for (store::LeasedBatch& leased : batches) {
                        auto batch = std::make_shared<BatchInFlight>(std::move(leased), letter);
                        follow(batch);
                        work_.spawn("transaction", dispatch(std::move(batch)));
                      }
                    });
}

Task<void> Courier::give_back(store::LeasedBatch leased, Instant not_before) {
  const Instant now = world_.clock.now();
  const auto released = co_await world_.store.write(
      store::WritePriority::claims, [key = leased.key, token = leased.token, not_before,
                                     now](store::WriteTransaction& transaction) {
        return transaction.release_batch(key, token, not_before, now);
      });
  if (!released) {
    log::warning("batch not given back, its lease will run out",
                 {{"reason", released.error().detail}});
  }
  const auto recipients = static_cast<std::int64_t>(leased.recipients.size());
  std::vector<BatchProgress> progress{
      {leased.key, recipients, recipients, released ? *released : store::BatchReleased{}}};
  world_.progress.progressed(std::move(progress));
}

Task<void> Courier::dispatch(std::shared_ptr<BatchInFlight> batch) {
  const Letter& letter = batch->letter();
  if (policy::life_time_over(world_.options.retry_of(letter.traffic), letter.started,
                             world_.clock.now())) {
    expire(batch);
    co_return;
  }
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_domain;
  const auto& recipients = batch->leased().recipients;
  for (std::uint32_t i = 0; i < recipients.size(); ++i) {
    const std::string_view domain = domain_of(recipients[i].address);
    auto found = by_domain.find(domain);
    if (found == by_domain.end()) found = by_domain.try_emplace(std::string(domain)).first;
    found->second.push_back(i);
  }
  // Known routes at once, so that a slow name server holds up only its own domains.
  std::vector<std::pair<std::string, std::vector<std::uint32_t>>> unknown;
  for (auto& [domain, indices] : by_domain) {
    if (world_.routes.peek(domain)) {
      co_await dispatch_domain(batch, domain, std::move(indices));
    } else {
      unknown.emplace_back(domain, std::move(indices));
    }
  }
  if (unknown.size() == 1) {
    auto& [domain, indices] = unknown.front();
    co_await dispatch_domain(batch, std::move(domain), std::move(indices));
    co_return;
  }
  for (auto& [domain, indices] : unknown) {
    while (work_.size() > kLookupsAtOnce * 20) {
      const bool awake = co_await async::sleep_for(std::chrono::milliseconds(5));
      if (!awake) co_return;
    }
    work_.spawn("route", dispatch_domain(batch, std::move(domain), std::move(indices)));
  }
}

Task<void> Courier::dispatch_domain(std::shared_ptr<BatchInFlight> batch, std::string domain,
                                    std::vector<std::uint32_t> indices) {
  const dns::RouteCache::Route answer = co_await world_.routes.route(domain);
  if (!answer) co_return;  // stopping: the lease runs out, or is void at the next start
  if (!*answer) {
    unroutable(batch, domain, indices, answer->error());
    co_return;
  }
  const dns::MailRoute& route = **answer;
  const std::string key = egress::route_key(route);
  std::map<const EgressSource*, std::vector<Mail>> by_source;
  for (const std::uint32_t index : indices) {
    Mail mail{batch, index};
    by_source[&source_for(mail)].push_back(std::move(mail));
  }
  for (auto& [source, mails] : by_source) {
    const dns::Families families{.ipv4 = source->use_v4, .ipv6 = source->use_v6};
    const bool reachable = std::ranges::any_of(route.hosts, [&](const dns::MailHost& host) {
      return std::ranges::any_of(host.addresses, [&](const net::IpAddress& address) {
        return address.is_v4() ? families.ipv4 : families.ipv6;
      });
    });
    if (!reachable) {
      std::vector<std::uint32_t> unreachable;
      for (const Mail& mail : mails) unreachable.push_back(mail.index);
      unroutable(batch, domain, unreachable, dns::no_common_family(route, families));
      continue;
    }
    world_.lanes.add(*source, {key, answer}, std::move(mails));
  }
}

const EgressSource& Courier::source_for(const Mail& mail) const {
  const auto& sources = world_.options.sources;
  // A recipient keeps its source on a retry: greylisting remembers the client's address.
  const store::RecipientKey key = mail.key();
  const auto place = static_cast<std::size_t>(static_cast<std::uint64_t>(key.delivery) * 31 +
                                              key.batch * 7 + key.seq);
  return sources[place % sources.size()];
}

void Courier::unroutable(const std::shared_ptr<BatchInFlight>& batch, std::string_view domain,
                         const std::vector<std::uint32_t>& indices, const dns::Unroutable& why) {
  for (const std::uint32_t index : indices) {
    world_.recorder.settled(
        {batch, index}, domain,
        {.state = why.permanent ? RecipientState::bounced : RecipientState::deferred,
         .stage = Stage::dns,
         .reply = {0, why.text()}},
        Path{}, Milliseconds(0));
  }
}

void Courier::expire(const std::shared_ptr<BatchInFlight>& batch) {
  const auto& retry = world_.options.retry_of(batch->letter().traffic);
  for (std::uint32_t i = 0; i < batch->leased().recipients.size(); ++i) {
    world_.recorder.settled({batch, i}, domain_of(batch->recipient(i).address),
                            policy::given_up(retry), Path{}, Milliseconds(0));
  }
}

// ---- leases ------------------------------------------------------------------------------------

void Courier::follow(const std::shared_ptr<BatchInFlight>& batch) {
  const std::lock_guard lock(mutex_);
  followed_[batch->leased().key] = batch;
  // A weak reference keeps the memory of what it refers to: thousands of transactions a second must
  // not pile up until the next round of leases.
  if (followed_.size() >= sweep_at_) sweep_locked();
}

void Courier::sweep_locked() {
  constexpr std::size_t kSweepAtLeast = 1'024;
  std::erase_if(followed_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepAtLeast, 2 * followed_.size());
}

std::shared_ptr<BatchInFlight> Courier::find_in_flight(const store::BatchKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = followed_.find(key);
  return found == followed_.end() ? nullptr : found->second.lock();
}

// A lease runs out under our hands when the time of day leaps forward (a machine that slept, a
// clock that was set) or when the store could not be written for so long. Claiming the batch again
// would send everything in it twice.
std::optional<Courier::Held> Courier::held_already(const store::BatchKey& key) const {
  for (const Courier* courier : world_.couriers) {
    if (const auto batch = courier->find_in_flight(key)) {
      return Held{key, batch->leased().token};
    }
  }
  return std::nullopt;
}

Result<void> Courier::extend(store::WriteTransaction& transaction, const std::vector<Held>& held,
                             Instant until) {
  for (const Held& lease : held) {
    auto done = transaction.extend_lease(lease.key, lease.token, until);
    // Settled meanwhile, or somebody else's: nothing to extend.
    if (!done && done.error().kind != ErrorKind::conflict &&
        done.error().kind != ErrorKind::not_found) {
      return done;
    }
  }
  return {};
}

Task<void> Courier::keep_leases() {
  while (true) {
    const bool awake = co_await async::sleep_for(world_.options.lease / 3);
    if (!awake) co_return;
    std::vector<Held> held;
    {
      const std::lock_guard lock(mutex_);
      sweep_locked();
      for (const auto& [key, weak] : followed_) {
        if (const auto batch = weak.lock()) held.push_back({key, batch->leased().token});
      }
    }
    if (held.empty()) continue;
    const Instant until = world_.clock.now() + world_.options.lease;
    const auto extended = co_await world_.store.write(
        store::WritePriority::claims,
        [held = std::move(held), until](store::WriteTransaction& transaction) {
          return extend(transaction, held, until);
        });
    if (!extended) log::error("leases not extended", {{"reason", extended.error().detail}});
  }
}

}  // namespace todoku::delivery::courier
