// SPDX-License-Identifier: Apache-2.0
// Sending and scheduling in one process over a store whose calls fail: one after the other, and for
// a while. Whatever fails, every mail arrives once the store answers again, and none twice: nothing
// has crashed.
#include "app/sending.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "delivery/scheduler/scheduler.h"
#include "dns/fake_resolver.h"
#include "queue/embedded/memory_queue.h"
#include "sink/sink.h"
#include "support/failing_store.h"
#include "support/installation.h"
#include "support/shared_clock.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

class NoKeys final : public delivery::KeyRing {
 public:
  delivery::Signing current(store::AccountKey, std::string_view) override { return {}; }
  Result<delivery::Signing> pinned(store::AccountKey, std::string_view) override {
    return delivery::Signing{};
  }
};

// What others decide in a cluster.
class SettableLeads final : public delivery::Leads {
 public:
  [[nodiscard]] bool leads() const override { return leads_; }
  void listen(std::function<void()> changed) override { changed_ = std::move(changed); }
  void set(bool leads) {
    leads_ = leads;
    changed_();
  }

 private:
  std::atomic<bool> leads_{true};
  std::function<void()> changed_;
};

class SettableOwned final : public delivery::OwnedSources {
 public:
  [[nodiscard]] std::vector<std::string> owned() const override {
    return ours_ ? std::vector<std::string>{"main"} : std::vector<std::string>{};
  }
  void listen(std::function<void()> changed) override { changed_ = std::move(changed); }
  void set(bool ours) {
    ours_ = ours;
    changed_();
  }

 private:
  std::atomic<bool> ours_{true};
  std::function<void()> changed_;
};

struct Patience {
  Microseconds answer_after{};  // to the content
  bool greylists = true;        // the first attempt of each recipient is deferred
  std::size_t attached = 0;     // octets; more than a few go in slices
  bool stubborn_queues = false;
  std::size_t claimed_max = 20'000;  // transactions
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

// Queues that open only at the third time, and are done with no acknowledgement before the end.
class StubbornQueues final : public queue::Queues {
 public:
  explicit StubbornQueues(queue::MemoryQueues& inner) : inner_(inner) {}
  Task<Result<std::shared_ptr<queue::Queue>>> open(queue::Channel channel) override {
    if (refusals_.fetch_add(1) < kRefusals) co_return fail(ErrorKind::unavailable, "not yet");
    co_return std::make_shared<Stubborn>(inner_.get(channel));
  }

 private:
  class Stubborn final : public queue::Queue {
   public:
    explicit Stubborn(std::shared_ptr<queue::MemoryQueue> inner) : inner_(std::move(inner)) {}
    Task<Result<void>> send(std::vector<queue::Bell> bells) override {
      return inner_->send(std::move(bells));
    }
    Task<Result<std::vector<queue::ReceivedBell>>> receive(std::size_t max,
                                                           Milliseconds wait) override {
      return inner_->receive(max, wait);
    }
    Task<Result<void>> acknowledge(std::vector<queue::Receipt> /*receipts*/) override {
      (void)co_await async::sleep_for(1h);
      co_return fail(ErrorKind::cancelled, "the end has come");
    }
    Task<Result<void>> release(std::vector<queue::Receipt> receipts, Milliseconds delay) override {
      return inner_->release(std::move(receipts), delay);
    }
    Task<Result<queue::Depth>> depth() override { return inner_->depth(); }

   private:
    const std::shared_ptr<queue::MemoryQueue> inner_;
  };
  static constexpr int kRefusals = 12;  // of two couriers' two classes, and the scheduler

  queue::MemoryQueues& inner_;
  std::atomic<int> refusals_{0};
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
  options.content_cache_bytes = 64UL * 1'024;
  return options;
}

// An installation that delivers to a sink of its own, all in this process.
class World {
 public:
  explicit World(const Patience& patience = {}, net::Dialer* dialer = nullptr)
      : attached_(patience.attached),
        sink_(sink::Sink::create(receivers(patience), clock).value()) {
    runtime_.start();
    const auto started = sink_->start(runtime_);
    if (!started) throw std::runtime_error(started.error().detail);
    options_ = delivery_options(sink_->endpoints().front().port);
    options_.claimed_transactions_max = patience.claimed_max;
    node_.emplace(failing, clock, store::NewNode{"one", "all", "test"}, metrics_,
                  runtime_.executor(0));
    queue::Queues& queues =
        patience.stubborn_queues ? static_cast<queue::Queues&>(stubborn_queues_) : queues_;
    sending_.emplace(Sending::World{.runtime = runtime_,
                                    .store = failing,
                                    .node = *node_,
                                    .queues = queues,
                                    .routes = routes_,
                                    .feedback = feedback_,
                                    .owned = owned,
                                    .live = live_,
                                    .keys = keys_,
                                    .rules = rules_,
                                    .clock = clock,
                                    .metrics = metrics_},
                     options_, net::TlsClientContext::create({}).value(), dialer);
    scheduler_.emplace(delivery::scheduler::Scheduler::World{.store = failing,
                                                             .queues = queues,
                                                             .feedback = feedback_,
                                                             .leads = leads,
                                                             .live = live_,
                                                             .node = *node_,
                                                             .keys = keys_,
                                                             .clock = clock,
                                                             .options = options_,
                                                             .metrics = metrics_},
                       runtime_.executor(0));
  }
  ~World() {
    wait_for(scheduler_->stop());
    wait_for(sending_->stop(clock.steady_now() + 5s));
    wait_for(node_->stop());
    sink_->stop();
    runtime_.join();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A bulk that is to start now, and a transaction that is handed over at once.
  // And single ones that nobody holds.
  void send(int bulk_recipients, int unheld = 0) {
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
    must(write(
        [&](store::WriteTransaction& t) { return t.commit_draft(draft.key, std::nullopt, {}); }));
    node_->start();
    sending_->start();
    scheduler_->start();
    while (!node_->holds()) std::this_thread::sleep_for(1ms);
    auto accepted =
        store.perform_and_wait(store::Accept{.delivery = {.account = account, .content = content()},
                                             .recipients = to(2, "two.example"),
                                             .signing = "",
                                             .life_time = sending_->life_time(),
                                             .holder = sending_->holder(account)});
    if (!accepted) throw std::runtime_error(accepted.error().detail);
    const auto transaction_key = accepted->delivery.key;
    sending_->hand_over(std::move(*accepted));
    deliveries_ = {draft.key, transaction_key};
    for (int i = 0; i < unheld; ++i) {
      auto single = must(store.perform_and_wait(
          store::Accept{.delivery = {.account = account, .content = content()},
                        .recipients = {{fmt::format("s{}@two.example", i), "two.example", {}}},
                        .signing = "",
                        .life_time = sending_->life_time()}));
      deliveries_.push_back(single.delivery.key);
    }
    if (unheld > 0) scheduler_->wake();
    expected_ = static_cast<std::uint64_t>(bulk_recipients + unheld) + 2;
  }

  [[nodiscard]] bool all_delivered() {
    return std::ranges::all_of(deliveries_, [&](store::DeliveryKey key) {
      const auto delivery =
          must(store.read_and_wait([&](store::ReadTransaction& t) { return t.delivery(key); }));
      return delivery.status == DeliveryStatus::sent &&
             delivery.counts.delivered == delivery.counts.total;
    });
  }
  // Waits for it; jumps over what is waited for by the clock whenever nothing has happened for so
  // long. Where outcomes are not recorded yet it may be the machine that stands still.
  [[nodiscard]] bool await_all_delivered(Milliseconds quiet) {
    for (int jumps = 0; jumps < 20; ++jumps) {
      auto happened = what_happened();
      auto since = clock.steady_now();
      while (clock.steady_now() - since <
             (sending_->recorder().unrecorded() > 0 ? 20 * quiet : quiet)) {
        if (all_delivered()) return true;
        std::this_thread::sleep_for(5ms);
        if (const auto now = what_happened(); now != happened) {
          happened = now;
          since = clock.steady_now();
        }
      }
      clock.jump(6min);
      scheduler_->wake();
    }
    return false;
  }
  [[nodiscard]] std::array<std::uint64_t, 3> what_happened() const {
    return {arrived(), settled(), counted("todoku_claimed_recipients_total")};
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
  // The bells of the bulk come once more.
  void ring_again() {
    std::vector<queue::Bell> bells;
    for (std::uint32_t batch = 0; batch < 8; ++batch) {
      bells.push_back({static_cast<std::int64_t>(deliveries_.front()), batch});
    }
    must(wait_for(queues_.get({"main", TrafficClass::bulk})->send(std::move(bells))));
  }
  [[nodiscard]] std::int64_t bulk_open() {
    const auto counts = must(store.read_and_wait([&](store::ReadTransaction& t) {
                          return t.delivery_head(deliveries_.front());
                        })).counts;
    return counts.total - counts.terminal();
  }
  [[nodiscard]] double outstanding() {
    return metrics_.gauge("todoku_outstanding_recipients", "").value();
  }
  [[nodiscard]] std::uint64_t settled() const {
    return counted("todoku_outcomes_total") + counted("todoku_parked_recipients_total");
  }
  void wait_for_bells() {
    while (counted("todoku_bells_total") == 0) std::this_thread::sleep_for(1ms);
  }
  [[nodiscard]] store::NodeKey taken_over() { return sending_->holder(store::AccountKey{1}); }
  // No connection has anything in hand any more, and nothing waits for one.
  void await_quiet() {
    while (sending_->in_use("main")) std::this_thread::sleep_for(1ms);
  }
  [[nodiscard]] std::uint64_t arrived() const { return sink_->report().total.recipients; }

 private:
  [[nodiscard]] Content content() const {
    Content content;
    content.from = {"news@example.com", ""};
    content.subject = "x";
    content.text_part = "x";
    if (attached_ == 0) return content;
    content.attachments = {{"a.bin", "application/octet-stream", std::string(attached_, 'a')},
                           {"b.bin", "application/octet-stream", "b"}};
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

  const std::size_t attached_;
  SharedClock clock_{SharedClock::Goes::by_itself};
  TestStore installation_{&clock_};

 public:
  store::Store& store = *installation_.store;
  FailingStore failing{store};
  SettableLeads leads;
  SettableOwned owned;
  SharedClock& clock = clock_;

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
  StubbornQueues stubborn_queues_{queues_};
  async::Runtime runtime_{2};
  std::unique_ptr<sink::Sink> sink_;
  std::optional<delivery::Node> node_;
  delivery::Options options_;
  delivery::MemoryFeedback feedback_{[this](std::string_view domain) {
    const auto route = routes_.peek(domain);
    return route && *route ? (**route).site : std::string(domain);
  }};
  delivery::AllLiveSources live_{{"main"}};
  std::optional<Sending> sending_;
  std::optional<delivery::scheduler::Scheduler> scheduler_;
  std::vector<store::DeliveryKey> deliveries_;
  std::uint64_t expected_ = 0;
};

struct Load {
  Patience patience = {};
  int bulk = 8;
};

// How many calls an untouched delivery makes until all has arrived.
std::int64_t usual_calls(const Load& load) {
  World world(load.patience);
  world.send(load.bulk);
  EXPECT_TRUE(world.await_all_delivered(5s));
  world.check_arrivals();
  return world.failing.calls();
}

void fail_from(const Load& load, std::int64_t n, std::int64_t count) {
  SCOPED_TRACE(fmt::format("{} calls from the {}th on", count, n));
  World world(load.patience);
  world.failing.fail_calls(n, count);
  world.send(load.bulk);
  EXPECT_TRUE(world.await_all_delivered(700ms)) << "not all was delivered";
  world.check_arrivals();
}

// Each call fails in turn, with so many after it. Most of the time is spent waiting, so many at
// once.
void fail_each(const Load& load, std::int64_t calls, std::int64_t count) {
  const auto exceptions_before = async::unhandled_exceptions();
  std::atomic<std::int64_t> next{1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (auto n = next++; n <= calls; n = next++) fail_from(load, n, count);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(async::unhandled_exceptions(), exceptions_before);
  fmt::print("{} calls failed in turn, {} at a time\n", calls, count);
}

TEST(Sending, EveryCallOfTheStoreMayFail) {
  const Load load;
  const std::int64_t calls = usual_calls(load);
  EXPECT_GT(calls, 8);
  for (const std::int64_t count : {1, 6}) fail_each(load, calls, count);
}

TEST(Sending, ContentInSlicesArrivesWhicheverCallOfTheStoreFails) {
  const Load load{.patience = {.greylists = false, .attached = 500'000}, .bulk = 2};
  const std::int64_t calls = usual_calls(load);
  // Four mails in four slices: they are read, and not kept.
  EXPECT_GT(calls, 16);
  fail_each(load, calls, 1);
}

// Hundreds that wait when the source goes, some of them in the hands of connections.
TEST(Sending, FromASourceThatIsLostGoesOnWhereItIsOurs) {
  World world(Patience{.answer_after = 25ms, .greylists = false});
  world.owned.set(false);
  world.send(800);
  world.wait_for_bells();
  EXPECT_EQ(world.arrived(), 0U);
  EXPECT_EQ(world.taken_over(), store::kNobody) << "nor is anything taken over in memory";
  world.owned.set(true);
  while (world.arrived() < 50) std::this_thread::sleep_for(1ms);
  world.owned.set(false);
  world.await_quiet();
  const std::uint64_t arrived = world.arrived();
  EXPECT_LT(arrived, 802U);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(world.arrived(), arrived);
  world.owned.set(true);
  EXPECT_TRUE(world.await_all_delivered(1s));
  world.check_arrivals();
}

// They come by bells, as from who accepts elsewhere.
TEST(Sending, TransactionsAreTakenIntoMemoryAsFarAsThereIsRoom) {
  World world({.answer_after = 20ms, .greylists = false, .claimed_max = 5});
  world.send(1, 100);
  double most = 0;
  while (!world.all_delivered()) {
    const auto claimed = world.counted("todoku_claimed_recipients_total");
    most = std::max(most, static_cast<double>(claimed) - static_cast<double>(world.settled()));
    std::this_thread::sleep_for(1ms);
  }
  // Ten bells at once, of each of two couriers.
  EXPECT_LE(most, 5 + 20);
  world.check_arrivals();
}

TEST(Sending, WaitsForASchedulerThatLeads) {
  World world;
  world.leads.set(false);
  world.send(20);
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(world.outstanding(), 0);
  EXPECT_LE(world.arrived(), 2U) << "what is taken over in memory goes out";
  world.leads.set(true);
  while (world.outstanding() == 0) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(world.await_all_delivered(300ms));
  world.check_arrivals();
}

TEST(Sending, AWantOfOurOwnFilesIsNoAttemptAndNoSiteRests) {
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

TEST(Sending, ABellThatComesTwiceFreesNoCredit) {
  World world({.answer_after = 50ms, .greylists = false});
  world.send(800);
  while (world.outstanding() < 800) std::this_thread::sleep_for(1ms);
  while (world.arrived() < 10) std::this_thread::sleep_for(1ms);
  world.ring_again();
  bool rung = false;
  while (!world.all_delivered()) {
    rung = rung || world.counted("todoku_stale_bells_total") > 0;
    // Credit comes back after the commit that settles, so it is never ahead of the store.
    const double outstanding = world.outstanding();
    ASSERT_GE(outstanding, static_cast<double>(world.bulk_open()));
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_TRUE(rung);
  world.check_arrivals();
}

TEST(Sending, MailGoesOutThoughItsQueuesOpenLateAndForgetSlowly) {
  World world({.greylists = false, .stubborn_queues = true});
  world.send(800);
  EXPECT_TRUE(world.await_all_delivered(20s));
  world.check_arrivals();
}

TEST(Sending, NothingGoesTwiceBecauseTheStoreWasAway) {
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
