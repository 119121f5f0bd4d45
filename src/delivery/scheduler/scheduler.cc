// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/scheduler.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "delivery/policy/fair_queue.h"
#include "mail/address.h"

namespace todoku::delivery::scheduler {
namespace {

constexpr std::int64_t kStartsPerPass = 100;
constexpr std::int64_t kTransactionalPerPass = 500;
constexpr std::int64_t kBatchesPerRead = 16;
// Batches shared by small domains have no site of their own; they are limited as if they had one.
constexpr std::string_view kSharedSite = "(shared)";
constexpr std::chrono::seconds kLongestSleep{1};
constexpr std::chrono::seconds kRefreshEvery{5};
constexpr std::chrono::milliseconds kShortestPass{25};
constexpr std::string_view kPool = "default";

}  // namespace

Scheduler::Scheduler(store::Store& store, queue::Queues& queues, KeyRing& keys, const Clock& clock,
                     const Options& options, Metrics& metrics, SiteOf site_of,
                     async::Executor executor)
    : store_(store),
      queues_(queues),
      keys_(keys),
      clock_(clock),
      options_(options),
      site_of_(std::move(site_of)),
      credit_(options.credit),
      outstanding_gauge_(metrics.gauge("todoku_outstanding_recipients",
                                       "Recipients handed to couriers and not yet settled.")),
      bells_total_(metrics.counter("todoku_bells_total", "Batches offered to couriers.")),
      passes_total_(metrics.counter("todoku_scheduler_passes_total", "Passes of the scheduler.")),
      executor_(executor),
      signal_(executor),
      tasks_(executor) {}

void Scheduler::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("scheduler", run()); });
}

Task<void> Scheduler::stop() {
  return tasks_.stop();
}

// ---- messages from other threads ---------------------------------------------------------------

void Scheduler::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { signal_.notify(); });
}

void Scheduler::progressed(std::vector<BatchProgress> progress) {
  const std::lock_guard lock(mutex_);
  std::ranges::move(progress, std::back_inserter(progress_));
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { signal_.notify(); });
}

void Scheduler::site_rests(std::string site, SteadyInstant until) {
  const std::lock_guard lock(mutex_);
  rests_.emplace_back(std::move(site), until);
}

bool Scheduler::has_been_woken() {
  const std::lock_guard lock(mutex_);
  return woken_;
}

void Scheduler::take_messages() {
  std::vector<BatchProgress> progress;
  std::vector<std::pair<std::string, SteadyInstant>> rests;
  bool woken = false;
  {
    const std::lock_guard lock(mutex_);
    progress.swap(progress_);
    rests.swap(rests_);
    woken = std::exchange(woken_, false);
    posted_ = false;
  }
  for (const auto& [site, until] : rests) credit_.rest_until(site, until);
  for (const BatchProgress& step : progress) take_progress(step);
  if (woken) sending_known_ = false;
}

void Scheduler::take_progress(const BatchProgress& progress) {
  const auto sending = sending_.find(progress.key.delivery);
  if (sending != sending_.end() && progress.released) sending->second.stale = true;
  const auto found = offered_.find(progress.key);
  if (found == offered_.end()) return;  // handed over in memory, never offered
  Offered& offered = found->second;
  const std::int64_t settled = std::min(progress.settled, offered.open);
  credit_.settle(offered.site, settled, clock_.steady_now());
  offered.open -= settled;
  offered.since = clock_.steady_now();
  if (!progress.released) return;
  if (offered.open > 0) credit_.settle(offered.site, offered.open, clock_.steady_now());
  offered_.erase(found);
}

// A bell may be lost with whoever had it. After two leases without news the batch may be offered
// again: the store says whether it is free.
void Scheduler::forget_lost_bells() {
  const SteadyInstant oldest = clock_.steady_now() - 2 * options_.lease;
  std::erase_if(offered_, [&](const auto& entry) {
    const Offered& offered = entry.second;
    if (offered.since >= oldest) return false;
    credit_.settle(offered.site, offered.open, clock_.steady_now());
    return true;
  });
}

// ---- the loop ----------------------------------------------------------------------------------

Task<void> Scheduler::run() {
  while (true) {
    take_messages();
    const SteadyInstant began = clock_.steady_now();
    const Instant passed = clock_.now();
    co_await pass();
    const SteadyInstant until = co_await next_wake(passed);
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    co_await signal_.wait_until(until);
    // Outcomes are committed hundreds of times a second; offering new work less often is enough,
    // since every site has seconds of work in hand.
    const auto rest = began + kShortestPass - clock_.steady_now();
    if (rest > Microseconds(0) && !has_been_woken()) co_await async::sleep_for(rest);
  }
}

Task<void> Scheduler::pass() {
  passes_total_.add();
  forget_lost_bells();
  // Told once each: a full disk may last for hours.
  const auto report = [this](std::string_view step, const Result<void>& result) {
    if (!result && failing_steps_.insert(step).second) {
      log::error("scheduling step fails", {{"step", step}, {"reason", result.error().detail}});
    }
    if (result && failing_steps_.erase(step) > 0) {
      log::info("scheduling step succeeds again", {{"step", step}});
    }
  };
  const auto started = co_await start_due();
  report("start deliveries", started);
  const auto transactional = co_await ring_transactional();
  report("offer transactional batches", transactional);
  const auto refreshed = co_await refresh_sending();
  report("read deliveries", refreshed);
  const auto bulk = co_await ring_bulk();
  report("offer bulk batches", bulk);
  outstanding_gauge_.set(static_cast<double>(credit_.outstanding_total()));
}

Task<SteadyInstant> Scheduler::next_wake(Instant passed) {
  // Seen from the beginning of the pass: what became due while it ran may have been missed.
  const auto reservation = co_await store_.read(
      [passed](store::ReadTransaction& reader) { return reader.next_reservation(passed); });
  const auto due = co_await store_.read(
      [passed](store::ReadTransaction& reader) { return reader.next_due(passed); });
  const Instant now = clock_.now();
  const SteadyInstant steady = clock_.steady_now();
  SteadyInstant until = steady + kLongestSleep;
  const auto wake_at = [&](const std::optional<Instant>& when) {
    if (when) until = std::min(until, steady + Microseconds(*when - now));
  };
  if (reservation) wake_at(*reservation);
  if (due) {
    wake_at(*due);
    next_due_ = *due;
  }
  co_return until;
}

// ---- starting ----------------------------------------------------------------------------------

Task<Result<void>> Scheduler::start_due() {
  const Instant now = clock_.now();
  auto due = co_await store_.read([now](store::ReadTransaction& reader) {
    return reader.deliveries_to_start(now, kStartsPerPass);
  });
  if (!due) co_return fail(due.error());
  for (store::Delivery& delivery : *due) {
    auto begun = co_await begin(std::move(delivery));
    if (!begun) co_return begun;
  }
  co_return Result<void>{};
}

Task<Result<void>> Scheduler::begin(store::Delivery delivery) {
  const Instant now = clock_.now();
  const store::DeliveryKey key = delivery.key;
  if (delivery.reservation && now - *delivery.reservation > options_.reservation_expiry) {
    log::warning("reservation missed", {{"delivery", delivery.id}});
    co_return co_await store_.write(
        store::WritePriority::claims, [key, now](store::WriteTransaction& transaction) {
          return transaction.fail_delivery(
              key, "the reserved time passed while the engine was not running", now);
        });
  }
  const auto from = parse_address(delivery.content.from.address);
  const Signing signing =
      keys_.current(delivery.account, from ? std::string_view(from->domain) : std::string_view());
  const std::string pinned = signing.pinned;
  auto started = co_await store_.write(store::WritePriority::claims,
                                       [key, now, pinned](store::WriteTransaction& transaction) {
                                         return transaction.start_delivery(key, pinned, now);
                                       });
  // Cancelled or changed since it was read: nothing to start.
  if (!started && (started.error().kind == ErrorKind::conflict ||
                   started.error().kind == ErrorKind::not_found)) {
    co_return Result<void>{};
  }
  if (started) {
    log::info("delivery started",
              {{"delivery", delivery.id}, {"recipients", delivery.counts.total}});
    sending_known_ = false;
  }
  co_return started;
}

// ---- offering ----------------------------------------------------------------------------------

std::string Scheduler::site_for(std::string_view domain) const {
  return domain.empty() ? std::string(kSharedSite) : site_of_(domain);
}

bool Scheduler::life_over(const store::Delivery& delivery) const {
  return policy::life_time_over(options_.retry_of(delivery.traffic),
                                delivery.started.value_or(clock_.now()), clock_.now());
}

Task<Result<void>> Scheduler::ring(TrafficClass traffic, std::vector<store::DueBatch> batches) {
  if (batches.empty()) co_return Result<void>{};
  auto queue = co_await queues_.open({std::string(kPool), traffic});
  if (!queue) co_return fail(queue.error());
  std::vector<queue::Bell> bells;
  bells.reserve(batches.size());
  for (const store::DueBatch& batch : batches) {
    bells.push_back({static_cast<std::int64_t>(batch.key.delivery), batch.key.batch, 0});
  }
  const auto sent = co_await (*queue)->send(std::move(bells));
  if (!sent) co_return fail(sent.error());
  for (const store::DueBatch& batch : batches) {
    Offered offered{site_for(batch.domain), batch.recipients, clock_.steady_now()};
    credit_.hand_out(offered.site, offered.open);
    offered_[batch.key] = std::move(offered);
  }
  bells_total_.add(batches.size());
  co_return Result<void>{};
}

Task<Result<void>> Scheduler::ring_transactional() {
  const Instant now = clock_.now();
  const auto limit = kTransactionalPerPass + static_cast<std::int64_t>(offered_.size());
  auto due = co_await store_.read([now, limit](store::ReadTransaction& reader) {
    return reader.due_transactional(now, limit);
  });
  if (!due) co_return fail(due.error());
  std::vector<store::DueBatch> chosen;
  std::vector<store::BatchKey> postponed;
  for (store::DueBatch& batch : *due) {
    if (offered_.contains(batch.key)) continue;
    if (credit_.available(site_for(batch.domain), clock_.steady_now()) > 0) {
      chosen.push_back(std::move(batch));
    } else {
      postponed.push_back(batch.key);
    }
  }
  // Their site has no credit. Out of the way of the others, which are read in order of due time.
  if (!postponed.empty()) {
    const Instant until = now + std::chrono::seconds(10);
    const auto moved = co_await store_.write(
        store::WritePriority::claims,
        [postponed = std::move(postponed), until](store::WriteTransaction& transaction) {
          return transaction.postpone_batches(postponed, until);
        });
    if (!moved) co_return moved;
  }
  co_return co_await ring(TrafficClass::transactional, std::move(chosen));
}

Task<Result<void>> Scheduler::refresh_sending() {
  const SteadyInstant steady = clock_.steady_now();
  if (!sending_known_ || steady - refreshed_ > kRefreshEvery) {
    auto deliveries =
        co_await store_.read([](store::ReadTransaction& reader) { return reader.sending_bulk(); });
    if (!deliveries) co_return fail(deliveries.error());
    const auto accounts =
        co_await store_.read([](store::ReadTransaction& reader) { return reader.accounts(); });
    if (!accounts) co_return fail(accounts.error());
    std::map<store::DeliveryKey, Sending> fresh;
    for (store::Delivery& delivery : *deliveries) {
      Sending entry;
      for (const store::Account& account : *accounts) {
        if (account.key == delivery.account) entry.weight = account.weight;
      }
      const store::DeliveryKey key = delivery.key;
      entry.delivery = std::move(delivery);
      fresh.emplace(key, std::move(entry));
    }
    carry_service(fresh);
    sending_ = std::move(fresh);
    sending_known_ = true;
    refreshed_ = steady;
  }
  const Instant now = clock_.now();
  // The store does not say whose retry has become due: look at all that are going out.
  const bool some_due = next_due_ && *next_due_ <= now;
  for (auto& [key, sending] : sending_) {
    if (!sending.stale && !some_due) continue;
    const store::DeliveryKey delivery = key;
    auto domains = co_await store_.read([delivery, now](store::ReadTransaction& reader) {
      return reader.due_domains(delivery, now);
    });
    if (!domains) co_return fail(domains.error());
    sending.domains = std::move(*domains);
    sending.stale = false;
  }
  co_return Result<void>{};
}

// Who begins to send starts level with the least served of the others: neither behind those who
// sent much before, nor with a claim to what it did not use.
void Scheduler::carry_service(std::map<store::DeliveryKey, Sending>& fresh) {
  std::map<store::AccountKey, double> served;
  std::optional<double> least;
  for (const auto& [key, entry] : fresh) {
    const auto before = served_.find(entry.delivery.account);
    if (before == served_.end()) continue;
    served[before->first] = before->second;
    least = std::min(least.value_or(before->second), before->second);
  }
  std::map<store::AccountKey, double> least_delivery;
  for (auto& [key, entry] : fresh) {
    const auto before = sending_.find(key);
    if (before == sending_.end()) continue;
    entry.served = before->second.served;
    const auto lowest = least_delivery.try_emplace(entry.delivery.account, entry.served).first;
    lowest->second = std::min(lowest->second, entry.served);
  }
  for (auto& [key, entry] : fresh) {
    served.try_emplace(entry.delivery.account, least.value_or(0));
    const auto lowest = least_delivery.find(entry.delivery.account);
    if (lowest != least_delivery.end() && !sending_.contains(key)) entry.served = lowest->second;
  }
  served_ = std::move(served);
}

std::vector<const Scheduler::Sending*> Scheduler::by_service() const {
  std::vector<const Sending*> order;
  order.reserve(sending_.size());
  for (const auto& [key, sending] : sending_) order.push_back(&sending);
  const auto service = [this](const Sending* sending) {
    return std::tuple(served_.at(sending->delivery.account), sending->served,
                      sending->delivery.key);
  };
  std::ranges::sort(order, {}, service);
  return order;
}

// Credit often lasts for one turn of a pass only, so whose turn it is must outlive the pass.
Task<Result<void>> Scheduler::ring_bulk() {
  // One turn is a few batches of one domain of one delivery.
  struct Turn {
    store::DeliveryKey delivery;
    std::string domain;
  };
  policy::FairQueue<Turn> turns;
  for (const Sending* sending : by_service()) {
    const store::DeliveryKey key = sending->delivery.key;
    const policy::Flow flow{TrafficClass::bulk,
                            static_cast<std::int64_t>(sending->delivery.account),
                            static_cast<std::int64_t>(key), sending->weight};
    for (const store::DueDomain& domain : sending->domains) {
      turns.push(flow, {key, domain.domain});
    }
  }
  while (auto turn = turns.pop()) {
    const auto sending = sending_.find(turn->delivery);
    if (sending == sending_.end()) continue;
    std::int64_t credit = credit_.available(site_for(turn->domain), clock_.steady_now());
    // What is to be given up needs no credit of a site that will not see it.
    if (credit <= 0 && life_over(sending->second.delivery)) credit = options_.credit.minimum;
    if (credit <= 0) continue;
    const auto rung = co_await ring_domain(sending->second, turn->domain, credit);
    if (!rung) co_return fail(rung.error());
    if (*rung > 0) {
      Sending& entry = sending->second;
      const auto recipients = static_cast<double>(*rung);
      entry.served += recipients;
      served_[entry.delivery.account] += recipients / std::max(1U, entry.weight);
      turns.push({TrafficClass::bulk, static_cast<std::int64_t>(entry.delivery.account),
                  static_cast<std::int64_t>(turn->delivery), entry.weight},
                 std::move(*turn));
    }
  }
  co_return Result<void>{};
}

// Returns how many recipients were offered.
Task<Result<std::int64_t>> Scheduler::ring_domain(const Sending& sending, std::string domain,
                                                  std::int64_t credit) {
  const Instant now = clock_.now();
  const store::DeliveryKey delivery = sending.delivery.key;
  // Batches already offered are still due until a courier leases them: read past them.
  std::int64_t pending = 0;
  for (auto it = offered_.lower_bound({delivery, 0});
       it != offered_.end() && it->first.delivery == delivery; ++it) {
    ++pending;
  }
  const std::int64_t limit = kBatchesPerRead + pending;
  auto due = co_await store_.read([delivery, domain, now, limit](store::ReadTransaction& reader) {
    return reader.due_batches(delivery, domain, now, limit);
  });
  if (!due) co_return fail(due.error());
  std::vector<store::DueBatch> chosen;
  std::int64_t recipients = 0;
  for (store::DueBatch& batch : *due) {
    if (credit <= 0) break;
    if (offered_.contains(batch.key)) continue;
    credit -= batch.recipients;
    recipients += batch.recipients;
    chosen.push_back(std::move(batch));
    if (chosen.size() == static_cast<std::size_t>(kBatchesPerRead)) break;
  }
  const auto rung = co_await ring(TrafficClass::bulk, std::move(chosen));
  if (!rung) co_return fail(rung.error());
  co_return recipients;
}

}  // namespace todoku::delivery::scheduler
