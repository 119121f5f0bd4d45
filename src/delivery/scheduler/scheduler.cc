// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "mail/address.h"

namespace todoku::delivery::scheduler {
namespace {

constexpr std::int64_t kStartsPerPass = 100;
constexpr std::chrono::seconds kLongestSleep{1};
constexpr std::chrono::milliseconds kShortestPass{25};

}  // namespace

Scheduler::Scheduler(store::Store& store, queue::Queues& queues, KeyRing& keys, const Clock& clock,
                     const Options& options, Metrics& metrics, Dispatcher::SiteOf site_of,
                     async::Executor executor)
    : store_(store),
      keys_(keys),
      clock_(clock),
      options_(options),
      dispatcher_(store, queues, clock, options, metrics, std::move(site_of)),
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
  for (const auto& [site, until] : rests) dispatcher_.site_rests(site, until);
  for (const BatchProgress& step : progress) dispatcher_.take(step);
  if (woken) dispatcher_.look_again();
}

// ---- the loop ----------------------------------------------------------------------------------

Task<void> Scheduler::run() {
  SteadyInstant wake_at = clock_.steady_now();
  SteadyInstant next_pass = wake_at;
  while (true) {
    take_messages();
    const SteadyInstant now = clock_.steady_now();
    if (now >= next_pass && (now >= wake_at || dispatcher_.has_news())) {
      passes_total_.add();
      const Instant passed = clock_.now();
      const auto started = co_await start_due();
      steps_.report("start deliveries", started);
      co_await dispatcher_.pass();
      wake_at = co_await next_wake(passed);
      // Outcomes are committed hundreds of times a second; offering new work less often is enough,
      // since every site has seconds of work in hand.
      next_pass = now + kShortestPass;
    }
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    co_await signal_.wait_until(dispatcher_.has_news() ? next_pass : std::max(wake_at, next_pass));
  }
}

Task<SteadyInstant> Scheduler::next_wake(Instant passed) {
  // Seen from the beginning of the pass: what became due while it ran may have been missed.
  const auto reservation = co_await store_.read(
      [passed](store::ReadTransaction& reader) { return reader.next_reservation(passed); });
  const Instant now = clock_.now();
  const SteadyInstant steady = clock_.steady_now();
  SteadyInstant until = steady + kLongestSleep;
  const auto wake_at = [&](const std::optional<Instant>& when) {
    if (when) until = std::min(until, steady + Microseconds(*when - now));
  };
  if (reservation) wake_at(*reservation);
  wake_at(dispatcher_.upcoming());
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
    dispatcher_.look_again();
  }
  co_return started;
}

}  // namespace todoku::delivery::scheduler
