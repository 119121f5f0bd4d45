// SPDX-License-Identifier: Apache-2.0
#include "delivery/sources.h"

#include <algorithm>
#include <exception>
#include <optional>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"
#include "net/bind_check.h"

namespace todoku::delivery {
namespace {

constexpr Milliseconds kLookForSourcesEvery{2'000};
// Who else could have them. Nothing waits for that but what makes it more even.
constexpr Milliseconds kAskCouriersEvery{6'000};
// While one comes or goes.
constexpr Milliseconds kLookSoon{100};
// After a question that the store did not answer.
constexpr Milliseconds kAskOwnersAgain{500};

bool is_ours(const std::optional<net::IpAddress>& address) {
  if (!address) return true;
  // Whatever else is wrong, like a want of files, is not the address.
  const auto bound = net::check_bindable({*address, 0});
  return bound || bound.error().kind != ErrorKind::not_found;
}

std::vector<policy::CourierSeen> couriers_of(const std::vector<store::Node>& nodes) {
  std::vector<policy::CourierSeen> couriers;
  for (const store::Node& node : nodes) {
    if (node.is_void || !store::lease_runs(node) || node.sources.empty()) continue;
    couriers.push_back({.node = static_cast<std::int64_t>(node.key),
                        .could = {node.sources.begin(), node.sources.end()}});
  }
  return couriers;
}

}  // namespace

bool is_on_host(const EgressSource& source) {
  return is_ours(source.bind_v4) && is_ours(source.bind_v6);
}

SourceKeeper::SourceKeeper(store::Store& store, const NodeLease& node, Options options,
                           const Clock& clock, Metrics& metrics, async::Executor executor)
    : store_(store),
      node_(node),
      options_(std::move(options)),
      clock_(clock),
      taken_total_(metrics.counter("todoku_sources_taken_total",
                                   "Sending addresses that this process has taken over.")),
      owned_gauge_(
          metrics.gauge("todoku_sources_owned", "Sending addresses that this process sends from.")),
      executor_(executor),
      wake_(executor),
      tasks_(executor) {}

void SourceKeeper::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("sources", run()); });
}

void SourceKeeper::listen(std::function<void()> changed) {
  const std::lock_guard lock(listening_);
  changed_ = std::move(changed);
}

std::vector<std::string> SourceKeeper::owned() const {
  const std::lock_guard lock(mutex_);
  if (as_ == store::kNobody || node_.key() != as_) return {};
  return owned_;
}

Task<void> SourceKeeper::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
  const store::NodeKey as = as_;  // only this thread changes it
  publish({}, as);
  if (as == store::kNobody) co_return;
  // All: also one whose taking was not answered.
  std::vector<std::string> names;
  for (const EgressSource& source : options_.sources) names.push_back(source.name);
  const auto given =
      co_await store_.write(store::WritePriority::claims,
                            [as, names](store::WriteTransaction& transaction) -> Result<void> {
                              // So that nobody hands one over. It may count as dead already.
                              auto none = transaction.offer_sources(as, {});
                              if (!none && none.error().kind != ErrorKind::conflict) return none;
                              for (const std::string& name : names) {
                                auto done = transaction.give_source(as, name);
                                if (!done) return done;
                              }
                              return {};
                            });
  if (!given) log::warning("sources not handed over", {{"reason", given.error().detail}});
}

Task<void> SourceKeeper::run() {
  while (!stopping_) {
    Result<Milliseconds> wait = fail(ErrorKind::cancelled, "an exception");
    try {
      wait = co_await turn();
    } catch (const std::exception&) {
      async::report_exception("asking whose the sources are", std::current_exception());
    }
    const SteadyInstant now = clock_.steady_now();
    if (wait) {
      asking_.worked(now);
    } else {
      asking_.failed(now, {{"reason", wait.error().detail}});
    }
    (void)co_await wake_.wait_until(now + wait.value_or(kAskOwnersAgain));
  }
}

// When to look again.
Task<Result<Milliseconds>> SourceKeeper::turn() {
  const store::NodeKey itself = node_.key();
  if (itself != as_) publish({}, itself);  // what it was counts as dead
  // While the lease does not hold nothing is begun, and nothing is taken. Connections end before
  // the lease does in the store, after which another may open its own.
  if (itself == store::kNobody || !node_.holds()) {
    publish({}, itself);
    co_return kLookSoon;
  }
  const std::vector<policy::SourceWatch::Configured> here = configured();
  auto offered = co_await offer(itself, here);
  if (!offered && offered.error().kind == ErrorKind::conflict) co_return kLookSoon;  // it died
  if (!offered) co_return fail(std::move(offered.error()));
  const SteadyInstant asked = clock_.steady_now();
  const auto seen = co_await ask();
  if (!seen) co_return fail(seen.error());
  const auto steps =
      watch_.look(here, *seen, static_cast<std::int64_t>(itself), asked, clock_.steady_now());
  publish(steps.owned, itself);
  if (steps.hand_over) {
    log::info("a source is handed over: another courier has fewer", {{"source", *steps.hand_over}});
  }
  for (const std::string& name : steps.give) {
    auto given = co_await give(itself, name);
    if (!given) co_return fail(std::move(given.error()));
  }
  if (!steps.take) co_return steps.ending ? kLookSoon : kLookForSourcesEvery;
  co_return co_await take(itself, *steps.take);
}

// What it could send from, for others to know; only what has changed is written.
Task<Result<void>> SourceKeeper::offer(store::NodeKey itself,
                                       const std::vector<policy::SourceWatch::Configured>& here) {
  std::vector<std::string> could;
  for (const policy::SourceWatch::Configured& source : here) {
    if (source.is_here) could.push_back(source.name);
  }
  if (offered_as_ == itself && offered_ == could) co_return Result<void>{};
  auto offered = co_await store_.write(store::WritePriority::claims,
                                       [itself, could](store::WriteTransaction& transaction) {
                                         return transaction.offer_sources(itself, could);
                                       });
  if (!offered) co_return fail(std::move(offered.error()));
  offered_ = std::move(could);
  offered_as_ = itself;
  co_return Result<void>{};
}

// Whose they are, and now and then who could have them.
Task<Result<std::vector<policy::SourceSeen>>> SourceKeeper::ask() {
  const SteadyInstant asked = clock_.steady_now();
  const bool all = !couriers_asked_ || asked - *couriers_asked_ >= kAskCouriersEvery;
  using Rows = std::pair<std::vector<store::SourceOwner>, std::vector<store::Node>>;
  const auto rows = co_await store_.read([all](store::ReadTransaction& reader) -> Result<Rows> {
    auto owners = reader.source_owners();
    if (!owners) return fail(std::move(owners.error()));
    if (!all) return Rows{std::move(*owners), std::vector<store::Node>()};
    auto nodes = reader.nodes();
    if (!nodes) return fail(std::move(nodes.error()));
    return Rows{std::move(*owners), std::move(*nodes)};
  });
  if (!rows) co_return fail(rows.error());
  if (all) {
    couriers_asked_ = asked;
    watch_.couriers(couriers_of(rows->second), asked);
  }
  std::vector<policy::SourceSeen> seen;
  for (const store::SourceOwner& owner : rows->first) seen.push_back(seen_of(owner));
  co_return seen;
}

Task<Result<void>> SourceKeeper::give(store::NodeKey itself, std::string name) {
  auto given = co_await store_.write(store::WritePriority::claims,
                                     [itself, name](store::WriteTransaction& transaction) {
                                       return transaction.give_source(itself, name);
                                     });
  if (given) log::info("a source was given up", {{"source", name}});
  co_return given;
}

// When to look again.
Task<Result<Milliseconds>> SourceKeeper::take(store::NodeKey itself, std::string name) {
  const auto owner = co_await store_.write(store::WritePriority::claims,
                                           [itself, name](store::WriteTransaction& transaction) {
                                             return transaction.take_source(itself, name);
                                           });
  if (!owner && owner.error().kind == ErrorKind::conflict) co_return kLookSoon;  // it died
  if (!owner) co_return fail(owner.error());
  if (owner->node == itself) {
    taken_total_.add();
    log::info("a source was taken over", {{"source", owner->source}});
  }
  co_return kLookSoon;
}

std::vector<policy::SourceWatch::Configured> SourceKeeper::configured() const {
  std::vector<policy::SourceWatch::Configured> all;
  for (const EgressSource& source : options_.sources) {
    all.push_back({.name = source.name,
                   .is_here = options_.is_here ? options_.is_here(source) : is_on_host(source),
                   .in_use = options_.in_use && options_.in_use(source.name)});
  }
  return all;
}

void SourceKeeper::publish(std::vector<std::string> owned, store::NodeKey as) {
  if (as == as_ && owned == owned_) return;  // only this thread changes them
  owned_gauge_.set(static_cast<double>(owned.size()));
  {
    const std::lock_guard lock(mutex_);
    owned_ = std::move(owned);
    as_ = as;
  }
  const std::lock_guard lock(listening_);
  if (changed_) changed_();
}

}  // namespace todoku::delivery
