// SPDX-License-Identifier: Apache-2.0
#include "delivery/leadership.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::delivery {
namespace {

// So that a death is noticed within the ten seconds that a take-over may take: a renewal may be as
// old as that when it is seen first.
constexpr Milliseconds kLookForLeaderEvery = store::kLeadEvery / 2;
// After a question that the store did not answer: a reign runs on.
constexpr Milliseconds kAskLeaderAgain{500};

policy::RenewalWatch::Seen seen(const store::Leader& leader) {
  return {.node = static_cast<std::int64_t>(leader.node),
          .until = leader.until,
          .is_void = leader.is_void};
}

}  // namespace

Leadership::Leadership(store::Store& store, const NodeLease& node, const Clock& clock,
                       Metrics& metrics, async::Executor executor)
    : store_(store),
      node_(node),
      clock_(clock),
      reigns_total_(metrics.counter("todoku_leader_reigns_total",
                                    "Times that the scheduler of this process began to lead.")),
      leads_gauge_(metrics.gauge("todoku_scheduler_leads",
                                 "1 while the scheduler of this process is the one that leads.")),
      executor_(executor),
      wake_(executor),
      tasks_(executor) {}

void Leadership::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("leadership", run()); });
}

void Leadership::listen(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
}

Task<void> Leadership::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
  const store::NodeKey as{as_.load()};
  reign_.lost();
  publish(as);
  if (as == store::kNobody) co_return;
  // Also when this is not known to lead: the answer to the last question may be lost.
  const auto given = co_await store_.write(
      store::WritePriority::claims,
      [as](store::WriteTransaction& transaction) { return transaction.stop_leading(as); });
  if (!given) log::warning("leadership not handed over", {{"reason", given.error().detail}});
}

Task<void> Leadership::run() {
  while (!stopping_) {
    Result<void> asked = fail(ErrorKind::cancelled, "an exception");
    try {
      asked = co_await turn();
    } catch (const std::exception&) {
      async::report_exception("asking who leads", std::current_exception());
    }
    const SteadyInstant now = clock_.steady_now();
    if (asked) {
      asking_.worked(now);
    } else {
      asking_.failed(now, {{"reason", asked.error().detail}});
    }
    const bool leads = reign_.leads(now);
    publish(store::NodeKey{as_.load()});
    const Milliseconds wait = !asked  ? kAskLeaderAgain
                              : leads ? store::kLeadEvery
                                      : kLookForLeaderEvery;
    // An end that comes with the time is told when it comes.
    const SteadyInstant next = now + wait;
    (void)co_await wake_.wait_until(leads ? std::min(next, reign_.until()) : next);
  }
}

Task<Result<void>> Leadership::turn() {
  const store::NodeKey itself = node_.key();
  if (itself != store::NodeKey{as_.load()}) {  // what it was counts as dead
    reign_.lost();
    until_us_ = 0;
    as_ = static_cast<std::int64_t>(itself);
  }
  if (itself == store::kNobody) co_return Result<void>{};
  std::optional<Instant> known;
  if (!reign_.leads(clock_.steady_now())) {
    if (!node_.holds()) co_return Result<void>{};
    const SteadyInstant asked = clock_.steady_now();
    const auto leader =
        co_await store_.read([](store::ReadTransaction& reader) { return reader.leader(); });
    if (!leader) co_return fail(leader.error());
    std::optional<policy::RenewalWatch::Seen> who;
    if (*leader) {
      who = seen(**leader);
      known = (*leader)->until;
    }
    const auto key = static_cast<std::int64_t>(itself);
    if (!reign_.may_take(who, key, asked, clock_.steady_now())) co_return Result<void>{};
  }
  co_return co_await lead(itself, known);
}

// `known`: of another's reign that is to be taken. If that was renewed since, it is not.
Task<Result<void>> Leadership::lead(store::NodeKey itself, std::optional<Instant> known) {
  const SteadyInstant asked = clock_.steady_now();
  const auto leader = co_await store_.write(
      store::WritePriority::claims,
      [itself, known](store::WriteTransaction& transaction) -> Result<store::Leader> {
        if (known) {
          auto now = transaction.read().leader();
          if (!now) return fail(now.error());
          if (*now && (*now)->node != itself && (*now)->until != *known) return std::move(**now);
        }
        return transaction.lead(itself);
      });
  if (!leader && leader.error().kind != ErrorKind::conflict) co_return fail(leader.error());
  if (leader && leader->node == itself) {
    reign_.confirmed(asked);
  } else {
    reign_.lost();
  }
  co_return Result<void>{};
}

void Leadership::publish(store::NodeKey as) {
  until_us_ = reign_.until().time_since_epoch().count();
  const bool leads = reign_.leads(clock_.steady_now()) && node_.key() == as;
  if (leads == std::exchange(led_, leads)) return;
  if (leads) reigns_total_.add();
  leads_gauge_.set(leads ? 1 : 0);
  log::info(leads ? "this process leads the schedulers" : "this process leads no more",
            {{"node", static_cast<std::int64_t>(as)}});
  const std::lock_guard lock(mutex_);
  if (changed_) changed_();
}

}  // namespace todoku::delivery
