// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/scheduler.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/date_time.h"
#include "base/log.h"
#include "mail/address.h"

namespace todoku::delivery::scheduler {
namespace {

constexpr std::int64_t kStartsPerPass = 100;
constexpr std::chrono::seconds kLongestSleep{1};
constexpr std::chrono::milliseconds kShortestPass{25};

}  // namespace

Scheduler::Scheduler(const World& world, async::Executor executor)
    : store_(world.store),
      feedback_(world.feedback),
      leads_(world.leads),
      keys_(world.keys),
      clock_(world.clock),
      options_(world.options),
      dispatcher_(world.store, world.queues, world.feedback, world.live, world.clock, world.options,
                  world.metrics),
      nodes_(world.store, world.node, world.clock, world.metrics),
      passes_total_(
          world.metrics.counter("todoku_scheduler_passes_total", "Passes of the scheduler.")),
      executor_(executor),
      signal_(executor),
      tasks_(executor) {
  feedback_.listen([this] { notify(); });
  leads_.listen([this] { notify(); });
}

Scheduler::~Scheduler() {
  leads_.listen({});
  feedback_.listen({});
}

void Scheduler::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("scheduler", run()); });
}

Task<void> Scheduler::stop() {
  return tasks_.stop();
}

// ---- messages from other threads ---------------------------------------------------------------

void Scheduler::notify() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { signal_.notify(); });
}

void Scheduler::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  notify();
}

void Scheduler::take_messages() {
  bool woken = false;
  {
    const std::lock_guard lock(mutex_);
    woken = std::exchange(woken_, false);
    posted_ = false;
  }
  const News news = feedback_.take();
  for (const LaneRest& rest : news.rests) dispatcher_.rests(rest);
  for (const BatchProgress& step : news.progress) dispatcher_.take(step);
  if (woken) dispatcher_.look_again();
}

// ---- the loop ----------------------------------------------------------------------------------

bool Scheduler::may_go_on() {
  const bool leads = leads_.leads();
  if (leads && !led_) {
    dispatcher_.begin_anew();
    nodes_.begin_anew();
  }
  led_ = leads;
  return leads;
}

Task<void> Scheduler::run() {
  SteadyInstant wake_at = clock_.steady_now();
  SteadyInstant next_pass = wake_at;
  while (true) {
    take_messages();
    const SteadyInstant now = clock_.steady_now();
    const bool begins = !led_;
    if (!may_go_on()) {
      wake_at = next_pass = now + kLongestSleep;
    } else if (begins) {
      wake_at = next_pass = now;
    }
    if (led_ && now >= next_pass && (now >= wake_at || dispatcher_.has_news())) {
      passes_total_.add();
      wake_at = now + kLongestSleep;
      try {
        co_await pass();
        wake_at = co_await next_wake();
      } catch (const std::exception&) {
        async::report_exception("a pass of the scheduler", std::current_exception());
      }
      // Outcomes are committed hundreds of times a second; offering new work less often is enough,
      // since every site has seconds of work in hand.
      next_pass = now + kShortestPass;
    }
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    const bool soon = led_ && dispatcher_.has_news();
    co_await signal_.wait_until(soon ? next_pass : std::max(wake_at, next_pass));
  }
}

Task<void> Scheduler::pass() {
  const auto watched = co_await nodes_.look();
  steps_.report("look after nodes", watched, clock_.steady_now());
  if (nodes_.offered()) dispatcher_.look_again();
  const auto started = co_await start_due();
  steps_.report("start deliveries", started, clock_.steady_now());
  co_await dispatcher_.pass();
}

Task<SteadyInstant> Scheduler::next_wake() {
  const SteadyInstant asked = clock_.steady_now();
  const auto reservation = co_await store_.read(
      [](store::ReadTransaction& reader) { return reader.next_reservation(); });
  SteadyInstant until = asked + kLongestSleep;
  if (reservation && *reservation) until = std::min(until, asked + Microseconds(**reservation));
  if (const auto due = dispatcher_.upcoming()) until = std::min(until, *due);
  co_return until;
}

// ---- starting ----------------------------------------------------------------------------------

Task<Result<void>> Scheduler::start_due() {
  auto due = co_await store_.read(
      [](store::ReadTransaction& reader) { return reader.deliveries_to_start(kStartsPerPass); });
  if (!due) co_return fail(due.error());
  Result<void> all;
  for (store::StartingDelivery& starting : *due) {
    auto begun = co_await begin(std::move(starting));
    if (begun) continue;
    // Of one delivery: the others do not wait for it.
    all = std::move(begun);
    if (all.error().kind == ErrorKind::unavailable) break;
  }
  co_return all;
}

namespace {

// Cancelled or changed since it was read, or its account suspended.
bool nothing_to_start(const Result<void>& result) {
  return !result && (result.error().kind == ErrorKind::conflict ||
                     result.error().kind == ErrorKind::not_found);
}

}  // namespace

// Nobody has approved it in time.
Task<Result<void>> Scheduler::lapse(const store::Delivery& delivery) {
  auto lapsed = co_await store_.write(
      store::WritePriority::claims,
      [key = delivery.key](store::WriteTransaction& transaction) -> Result<void> {
        const auto approval = transaction.read().approval(key);
        if (!approval) return fail(approval.error());
        auto done = transaction.lapse_approval(key);
        if (!done) return done;
        const Instant by = *approval ? (*approval)->lapses : Instant{};
        return transaction.fail_delivery(
            key, fmt::format("nobody approved it by {}", format_date_time(by)));
      });
  if (nothing_to_start(lapsed)) co_return Result<void>{};
  if (lapsed) log::warning("nobody approved a delivery in time", {{"delivery", delivery.id}});
  co_return lapsed;
}

Task<Result<void>> Scheduler::begin(store::StartingDelivery starting) {
  const store::Delivery& delivery = starting.delivery;
  const store::DeliveryKey key = delivery.key;
  if (starting.lapsed) co_return co_await lapse(delivery);
  if (starting.late > options_.reservation_expiry) {
    log::warning("reservation missed", {{"delivery", delivery.id}});
    auto failed = co_await store_.write(
        store::WritePriority::claims, [key](store::WriteTransaction& transaction) {
          return transaction.fail_delivery(key,
                                           "the reserved time passed while the engine was not "
                                           "running or the account was suspended");
        });
    co_return nothing_to_start(failed) ? Result<void>{} : failed;
  }
  const auto from = parse_address(delivery.content.from.address);
  const Signing signing =
      keys_.current(delivery.account, from ? std::string_view(from->domain) : std::string_view());
  const Milliseconds life_time = options_.retry_of(delivery.traffic).life_time;
  auto started = co_await store_.write(
      store::WritePriority::claims,
      [key, pinned = signing.pinned, life_time](store::WriteTransaction& transaction) {
        return transaction.start_delivery(key, pinned, life_time);
      });
  if (nothing_to_start(started)) co_return Result<void>{};
  if (started) {
    log::info("delivery started",
              {{"delivery", delivery.id}, {"recipients", delivery.counts.total}});
    dispatcher_.look_again();
  }
  co_return started;
}

}  // namespace todoku::delivery::scheduler
