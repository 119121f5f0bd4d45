// SPDX-License-Identifier: Apache-2.0
// Delivery as a whole over a store whose calls fail: one after the other, and for a while. Whatever
// fails, every mail arrives once the store answers again, and none twice: nothing has crashed.
#include "app/delivering.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dns/fake_resolver.h"
#include "queue/embedded/memory_queue.h"
#include "sink/sink.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// Runs by itself, and jumps when told to.
class JumpingClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    return real_.now() + Milliseconds(jumped_ms_.load());
  }
  [[nodiscard]] SteadyInstant steady_now() const override { return real_.steady_now(); }
  void jump(Milliseconds by) { jumped_ms_ += by.count(); }

 private:
  const SystemClock real_;
  std::atomic<std::int64_t> jumped_ms_{0};
};

class NoKeys final : public delivery::KeyRing {
 public:
  delivery::Signing current(store::AccountKey, std::string_view) override { return {}; }
  Result<delivery::Signing> pinned(store::AccountKey, std::string_view) override {
    return delivery::Signing{};
  }
};

struct Patience {
  Microseconds answer_after{};  // to the content
  bool greylists = true;        // the first attempt of each recipient is deferred
};

// Has no files left for the first connections.
class PoorDialer final : public net::Dialer {
 public:
  explicit PoorDialer(int poor) : poor_(poor) {}
  Task<Result<net::Stream>> dial(net::Endpoint remote, net::DialOptions options,
                                 SteadyInstant deadline) override {
    if (poor_.fetch_sub(1) > 0) {
      co_return fail(ErrorKind::unavailable, "connect: Too many open files");
    }
    co_return co_await net::dial(remote, options, deadline);
  }
  [[nodiscard]] bool is_rich() const { return poor_.load() <= 0; }

 private:
  std::atomic<int> poor_;
};

sink::Options receivers(const Patience& patience) {
  sink::Options options;
  auto& receiver = options.receivers.emplace_back();
  receiver.name = "one";
  receiver.listen = {{net::IpAddress::v4({127, 0, 0, 1}), 0}};
  receiver.rules.push_back({.at = sink::Moment::body, .delay = patience.answer_after});
  if (patience.greylists) receiver.greylist = sink::Greylist{.tries = 2};
  return options;
}

delivery::Options delivery_options(std::uint16_t port) {
  delivery::Options options;
  options.sources = {{.name = "main", .ehlo = "sender.example.com"}};
  options.return_path_domain = options.message_id_domain = "bounce.example.com";
  options.port = port;
  options.retry_transactional.waits = options.retry_bulk.waits = {30s};
  options.own_wait = 50ms;
  return options;
}

// An installation that delivers to a sink of its own, all in this process.
class World {
 public:
  explicit World(const Patience& patience = {}, net::Dialer* dialer = nullptr)
      : sink_(sink::Sink::create(receivers(patience), clock).value()) {
    runtime_.start();
    const auto started = sink_->start(runtime_);
    if (!started) throw std::runtime_error(started.error().detail);
    node_.emplace(failing, clock, store::NewNode{"one", "all", "test"}, metrics_,
                  runtime_.executor(0));
    delivering_.emplace(runtime_, failing, *node_, queues_, routes_, keys_, rules_,
                        delivery_options(sink_->endpoints().front().port), clock, metrics_,
                        net::TlsClientContext::create({}).value(), dialer);
  }
  ~World() {
    wait_for(delivering_->stop(clock.steady_now() + 5s));
    wait_for(node_->stop());
    sink_->stop();
    runtime_.join();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A bulk that is to start now, and a transaction that is handed over at once.
  void send(int bulk_recipients) {
    const auto account =
        must(write([&](store::WriteTransaction& t) { return t.create_account("acme"); })).key;
    store::NewDelivery bulk{.account = account,
                            .type = DeliveryType::bulk,
                            .traffic = TrafficClass::bulk,
                            .content = content()};
    const auto draft =
        must(write([&](store::WriteTransaction& t) { return t.create_draft(bulk, 100); }));
    must(write([&](store::WriteTransaction& t) {
      return t.append_recipients(draft.key, to(bulk_recipients, "fast.example"));
    }));
    must(
        write([&](store::WriteTransaction& t) { return t.commit_draft(draft.key, std::nullopt); }));
    node_->start();
    delivering_->start();
    while (!node_->holds()) std::this_thread::sleep_for(1ms);
    auto accepted =
        store.perform_and_wait(store::Accept{.delivery = {.account = account, .content = content()},
                                             .recipients = to(2, "two.example"),
                                             .signing = "",
                                             .life_time = delivering_->life_time(),
                                             .holder = delivering_->holder(account)});
    if (!accepted) throw std::runtime_error(accepted.error().detail);
    const auto transaction_key = accepted->delivery.key;
    delivering_->hand_over(std::move(*accepted));
    deliveries_ = {draft.key, transaction_key};
    expected_ = static_cast<std::uint64_t>(bulk_recipients) + 2;
  }

  [[nodiscard]] bool all_delivered() {
    return std::ranges::all_of(deliveries_, [&](store::DeliveryKey key) {
      const auto delivery =
          must(store.read_and_wait([&](store::ReadTransaction& t) { return t.delivery(key); }));
      return delivery.status == DeliveryStatus::sent &&
             delivery.counts.delivered == delivery.counts.total;
    });
  }
  // Waits for it; jumps over what is waited for by the clock whenever nothing happens any more.
  [[nodiscard]] bool await_all_delivered(Milliseconds quiet) {
    for (int jumps = 0; jumps < 20; ++jumps) {
      const auto until = clock.steady_now() + quiet;
      while (clock.steady_now() < until || delivering_->recorder().unrecorded() > 0) {
        if (all_delivered()) return true;
        std::this_thread::sleep_for(5ms);
      }
      clock.jump(6min);
      delivering_->work_arrived();
    }
    return false;
  }
  void check_arrivals() {
    const sink::Report report = sink_->report();
    EXPECT_EQ(report.total.duplicates, 0U);
    EXPECT_EQ(report.total.recipients, expected_);
  }
  // The sum over the series of a counter whose labels hold `label`.
  [[nodiscard]] std::uint64_t counted(std::string_view name, std::string_view label = "") const {
    std::uint64_t sum = 0;
    metrics_.visit([&](std::string_view found, std::string_view, MetricKind,
                       std::span<const Metrics::Sample> samples) {
      for (const Metrics::Sample& sample : samples) {
        if (found == name && sample.labels.contains(label)) sum += sample.counter->value();
      }
    });
    return sum;
  }
  [[nodiscard]] std::uint64_t arrived() const { return sink_->report().total.recipients; }

 private:
  static Content content() {
    Content content;
    content.from = {"news@example.com", ""};
    content.subject = "x";
    content.text_part = "x";
    return content;
  }
  static std::vector<store::NewRecipient> to(int count, const std::string& domain) {
    std::vector<store::NewRecipient> recipients;
    for (int i = 0; i < count; ++i) {
      recipients.push_back({fmt::format("r{}@{}", i, domain), domain, {}});
    }
    return recipients;
  }
  template <class Work>
  std::invoke_result_t<Work&, store::WriteTransaction&> write(Work work) {
    return store.write_and_wait(store::WritePriority::accept, std::move(work));
  }
  template <class T>
  T wait_for(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  template <class T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  JumpingClock clock_;
  TestStore installation_{&clock_};

 public:
  store::Store& store = *installation_.store;
  FailingStore failing{store};
  JumpingClock& clock = clock_;

 private:
  dns::FakeResolver resolver_{
      {.mx = {{"fast.example", {{10, "mx.example"}}}, {"two.example", {{10, "mx.example"}}}},
       .a = {{"mx.example", {"127.0.0.1"}}}}};
  Metrics metrics_;
  dns::RouteCache routes_{
      resolver_, {.allow_private_receivers = true}, dns::RouteCache::Options{}, clock, metrics_};
  NoKeys keys_;
  delivery::policy::SiteRules rules_;
  queue::MemoryQueues queues_{queue::MemoryQueue::Options{}, clock};
  async::Runtime runtime_{2};
  std::unique_ptr<sink::Sink> sink_;
  std::optional<delivery::Node> node_;
  std::optional<Delivering> delivering_;
  std::vector<store::DeliveryKey> deliveries_;
  std::uint64_t expected_ = 0;
};

// How many calls an untouched delivery makes until all has arrived.
std::int64_t usual_calls() {
  World world;
  world.send(8);
  EXPECT_TRUE(world.await_all_delivered(300ms));
  world.check_arrivals();
  return world.failing.calls();
}

void fail_from(std::int64_t n, std::int64_t count) {
  SCOPED_TRACE(fmt::format("{} calls from the {}th on", count, n));
  World world;
  world.failing.fail_calls(n, count);
  world.send(8);
  EXPECT_TRUE(world.await_all_delivered(700ms)) << "not all was delivered";
  world.check_arrivals();
}

TEST(Delivering, EveryCallOfTheStoreMayFail) {
  const std::int64_t calls = usual_calls();
  EXPECT_GT(calls, 8);
  for (const std::int64_t count : {1, 6}) {
    // Most of the time is spent waiting, so many at once.
    std::atomic<std::int64_t> next{1};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (auto n = next++; n <= calls; n = next++) fail_from(n, count);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(async::unhandled_exceptions(), 0U);
  fmt::print("{} calls failed in turn, alone and with the five after them\n", calls);
}

TEST(Delivering, AWantOfOurOwnFilesIsNoAttemptAndNoSiteRests) {
  constexpr int kPoor = 12;
  PoorDialer dialer(kPoor);
  World world({.greylists = false}, &dialer);
  world.send(8);
  // Nothing is jumped over: a rest of the site or a retry would last for longer than this waits.
  while (!world.all_delivered()) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(dialer.is_rich());
  world.check_arrivals();
  EXPECT_EQ(world.counted("todoku_smtp_own_shortages_total"), std::uint64_t{kPoor});
  EXPECT_EQ(world.counted("todoku_outcomes_total", "state=\"delivered\""), 10U);
  EXPECT_EQ(world.counted("todoku_outcomes_total"), 10U);
}

TEST(Delivering, NothingGoesTwiceBecauseTheStoreWasAway) {
  World world({.answer_after = 2ms, .greylists = false});
  world.send(800);
  while (world.arrived() < 50) std::this_thread::sleep_for(1ms);
  world.failing.set_outage(true);
  std::this_thread::sleep_for(1500ms);  // the subject: outcomes and claims wait meanwhile
  world.failing.set_outage(false);
  EXPECT_TRUE(world.await_all_delivered(3s));
  world.check_arrivals();
}

}  // namespace
}  // namespace todoku::app
