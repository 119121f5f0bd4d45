// SPDX-License-Identifier: Apache-2.0
#include "app/passing_on.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "delivery/policy/pools.h"

namespace todoku::app {

PassingOn::PassingOn(World world, async::Executor executor)
    : world_(std::move(world)),
      rung_total_(world_.metrics.counter(
          "todoku_transactions_rung_total",
          "Batches of accepted transactions for which this process told a courier of another.")),
      left_total_(world_.metrics.counter(
          "todoku_transactions_left_total",
          "Batches of accepted transactions that nobody could be told of: the scheduler finds "
          "them.")),
      executor_(executor),
      something_(executor),
      tasks_(executor) {
  if (world_.queues != nullptr && world_.store != nullptr) {
    pool_choice_.emplace(world_.pools, *world_.store, executor);
  }
}

void PassingOn::start() {
  if (world_.queues == nullptr) return;
  boost::asio::post(executor_, [this] { tasks_.spawn("ringing", run()); });
}

Task<void> PassingOn::stop(SteadyInstant deadline) {
  co_await tasks_.stop();
  if (pool_choice_) co_await pool_choice_->stop();
  if (world_.queues != nullptr && world_.clock.steady_now() < deadline) co_await ring_all();
}

// ---- intake::Handover --------------------------------------------------------------------------

std::string PassingOn::signing_for(store::AccountKey account, std::string_view from_domain) {
  // Whoever delivers it signs with the keys of its acceptance.
  return world_.keys.current(account, from_domain).pinned;
}

store::NodeKey PassingOn::holder(store::AccountKey account) {
  return world_.sending == nullptr ? store::kNobody : world_.sending->holder(account);
}

Milliseconds PassingOn::due_in() const {
  const bool somebody_hears = world_.queues != nullptr && !world_.live->live().empty();
  return somebody_hears ? kHeardWithin : Milliseconds(0);
}

void PassingOn::hand_over(store::Accepted accepted) {
  if (!accepted.waiting.empty() && world_.queues != nullptr) ring_for(accepted);
  if (!accepted.batches.empty()) world_.sending->hand_over(std::move(accepted));
}

void PassingOn::work_arrived() {
  if (world_.work_arrived) world_.work_arrived();
}

Task<void> PassingOn::courses_changed() {
  if (world_.courses_changed) co_await world_.courses_changed();
}

// ---- ringing -----------------------------------------------------------------------------------

void PassingOn::ring_for(const store::Accepted& accepted) {
  const std::vector<std::string> live = world_.live->live();
  const std::optional<delivery::policy::Pools::Place> pool =
      pool_choice_ ? pool_choice_->of(accepted.delivery, accepted.content.from)
                   : delivery::policy::Pools::kRest;
  const std::lock_guard lock(mutex_);
  for (const store::BatchKey& key : accepted.waiting) {
    const auto delivery = static_cast<std::int64_t>(key.delivery);
    std::optional<std::size_t> source;
    if (pool) {
      source = world_.pools.choose(live, *pool, TrafficClass::transactional, delivery, key.batch);
    }
    if (!source || waiting_count_ >= kBellsMax) {
      left_total_.add();
      continue;
    }
    waiting_[live[*source]].push_back({delivery, key.batch});
    ++waiting_count_;
  }
  if (waiting_.empty() || std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { something_.notify(); });
}

Task<void> PassingOn::run() {
  while (true) {
    co_await something_.wait();
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    try {
      co_await ring_all();
    } catch (const std::exception&) {
      async::report_exception("ringing for transactions", std::current_exception());
    }
  }
}

// While one call is under way, what else is accepted gathers for the next.
Task<void> PassingOn::ring_all() {
  while (true) {
    BellsBySource bells;
    {
      const std::lock_guard lock(mutex_);
      bells = std::exchange(waiting_, {});
      waiting_count_ = 0;
      if (bells.empty()) posted_ = false;
    }
    if (bells.empty()) co_return;
    for (auto& [source, of_source] : bells) {
      const std::size_t count = of_source.size();
      const auto rung = co_await ring(source, std::move(of_source));
      if (rung) {
        rung_total_.add(count);
        ringing_.worked(world_.clock.steady_now());
      } else {
        left_total_.add(count);
        ringing_.failed(world_.clock.steady_now(), {{"reason", rung.error().detail}});
      }
    }
  }
}

Task<Result<void>> PassingOn::ring(std::string source, std::vector<queue::Bell> bells) {
  auto queue = co_await world_.queues->open({std::move(source), TrafficClass::transactional});
  if (!queue) co_return fail(std::move(queue.error()));
  auto sent = co_await (*queue)->send(std::move(bells));
  co_return sent;
}

}  // namespace todoku::app
