// SPDX-License-Identifier: Apache-2.0
#include "app/delivering.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "async/timer.h"
#include "base/log.h"

namespace todoku::app {
namespace {

constexpr std::string_view kPool = "default";
constexpr std::chrono::seconds kTidyEvery{60};
// For what takes a moment even after the deadline.
constexpr std::chrono::milliseconds kCutPatience{500};
// Transactions in flight beyond this wait in the store instead of in memory.
constexpr std::size_t kHandedOverMax = 20'000;

std::string site_of(dns::RouteCache& routes, std::string_view domain) {
  const auto route = routes.peek(domain);
  return route && *route ? (**route).site : std::string(domain);
}

}  // namespace

Delivering::Delivering(async::Runtime& runtime, store::Store& store, queue::Queues& queues,
                       dns::RouteCache& routes, delivery::KeyRing& keys,
                       const delivery::policy::SiteRules& rules, delivery::Options options,
                       store::Holder holder, const Clock& clock, Metrics& metrics,
                       std::shared_ptr<const net::TlsClientContext> tls)
    : runtime_(runtime),
      store_(store),
      keys_(keys),
      clock_(clock),
      options_(std::move(options)),
      holder_(holder),
      recorder_(store, clock, options_, rules, metrics, runtime.executor(0)),
      letters_(store, keys, options_),
      lane_world_{.runtime = runtime,
                  .clock = clock,
                  .options = options_,
                  .outcomes = recorder_,
                  .tls = std::move(tls),
                  .site_rests =
                      [this](std::string site, SteadyInstant until) {
                        scheduler_.site_rests(std::move(site), until);
                      },
                  .connections = connections_,
                  .connections_gauge = metrics.gauge("todoku_smtp_connections",
                                                     "Connections to receivers, opening included."),
                  .waiting_gauge = metrics.gauge("todoku_lane_waiting_recipients",
                                                 "Recipients waiting in lanes for a connection."),
                  .in_hand_gauge = metrics.gauge("todoku_mails_in_hand",
                                                 "Mails that a connection is sending now: at most "
                                                 "one each."),
                  .dials_total = metrics.counter("todoku_smtp_dials_total",
                                                 "Connections begun to receivers.")},
      lanes_(lane_world_, rules),
      scheduler_(
          store, queues, keys, clock, options_, metrics,
          [&routes](std::string_view domain) { return site_of(routes, domain); },
          runtime.executor(0)),
      courier_world_{.store = store,
                     .queues = queues,
                     .routes = routes,
                     .lanes = lanes_,
                     .recorder = recorder_,
                     .letters = letters_,
                     .progress = scheduler_,
                     .clock = clock,
                     .options = options_,
                     .holder = holder,
                     .metrics = metrics},
      tasks_(runtime.executor(0)) {
  recorder_.set_listener(scheduler_);
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    connections_.push_back(std::make_unique<async::TaskGroup>(runtime.executor(i)));
    couriers_.push_back(std::make_unique<delivery::courier::Courier>(
        courier_world_, runtime.executor(i), std::string(kPool)));
  }
}

Delivering::~Delivering() = default;

void Delivering::start() {
  for (const auto& courier : couriers_) courier->start();
  scheduler_.start();
  boost::asio::post(runtime_.executor(0), [this] { tasks_.spawn("tidy lanes", tidy_lanes()); });
  accepting_ = true;
}

Task<void> Delivering::tidy_lanes() {
  while (true) {
    const bool awake = co_await async::sleep_for(kTidyEvery);
    if (!awake) co_return;
    lanes_.remove_idle();
  }
}

// ---- stopping ----------------------------------------------------------------------------------

bool Delivering::wait_until_settled(SteadyInstant deadline) {
  const auto run = [this]<class T>(std::size_t thread, Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(thread), std::move(task),
                                 boost::asio::use_future);
  };
  const auto steady = [&] {
    return std::chrono::steady_clock::time_point(deadline.time_since_epoch());
  };
  bool clean = true;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    auto empty = run(i, connections_[i]->wait_empty());
    if (empty.wait_until(steady()) != std::future_status::ready) {
      clean = false;
      auto cut = run(i, connections_[i]->stop());
      // Who waits for a commit that does not come (the disk says no) cannot be cut off otherwise.
      if (cut.wait_for(kCutPatience) != std::future_status::ready) recorder_.stop();
      cut.wait();
      empty.wait();
    }
  }
  // What was cut off has just told how far it came: that is worth a commit beyond the deadline.
  auto flushed = run(0, recorder_.flushed());
  const auto patience = std::max(steady(), std::chrono::steady_clock::now() + kCutPatience);
  if (flushed.wait_until(patience) != std::future_status::ready) {
    clean = false;
    recorder_.stop();
    flushed.wait();
  }
  return clean;
}

Task<void> Delivering::stop_couriers() {
  for (const auto& courier : couriers_)
    co_await async::run_on(courier->executor(), courier->stop());
}

bool Delivering::stop(SteadyInstant deadline) {
  accepting_ = false;
  const auto run = [this](Task<void> task) {
    boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future).wait();
  };
  run(scheduler_.stop());
  run(tasks_.stop());
  // Lanes park what waits; couriers stop receiving and looking up routes.
  run(stop_couriers());
  lanes_.drain();
  const bool clean = wait_until_settled(deadline);
  recorder_.stop();
  // A connection that was on its way to its thread while the lanes drained.
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    boost::asio::co_spawn(runtime_.executor(i), connections_[i]->stop(), boost::asio::use_future)
        .wait();
  }
  // What is still leased (a batch cut off in the middle) is void for the next run, which releases
  // the leases of others when it starts.
  log::info("delivery stopped", {{"clean", clean}, {"unrecorded", recorder_.unrecorded()}});
  return clean;
}

// ---- handover ----------------------------------------------------------------------------------

std::string Delivering::signing_for(store::AccountKey account, std::string_view from_domain) {
  return keys_.current(account, from_domain).pinned;
}

std::optional<intake::Handover::Lease> Delivering::lease() {
  if (!accepting_) return std::nullopt;
  std::size_t in_flight = 0;
  for (const auto& courier : couriers_) in_flight += courier->in_flight();
  if (in_flight > kHandedOverMax) return std::nullopt;
  return Lease{holder_, options_.lease};
}

void Delivering::hand_over(store::WriteTransaction::AcceptedTransaction accepted, Content content) {
  // Account weights matter among bulk; one transaction is one pick either way.
  auto letter = delivery::make_letter(accepted.delivery, std::move(content), 1, keys_, options_);
  if (!letter || !accepting_) {
    if (!letter) log::error("letter not made", {{"reason", letter.error().detail}});
    give_back(accepted);
    return;
  }
  const std::size_t turn = next_courier_.fetch_add(1) % couriers_.size();
  couriers_[turn]->hand_over(std::move(accepted.delivery), std::move(*letter),
                             std::move(accepted.batches));
}

void Delivering::give_back(const store::WriteTransaction::AcceptedTransaction& accepted) {
  for (const store::LeasedBatch& batch : accepted.batches) {
    const Instant now = clock_.now();
    store_.submit_write(
        store::WritePriority::claims,
        [key = batch.key, token = batch.token,
         now](store::WriteTransaction& transaction) -> Result<void> {
          const auto released = transaction.release_batch(key, token, now, now);
          if (!released) return fail(released.error());
          return {};
        },
        [](Result<void> result) {
          if (!result) log::warning("lease not given back", {{"reason", result.error().detail}});
        });
  }
}

}  // namespace todoku::app
