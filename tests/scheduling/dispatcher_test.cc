// SPDX-License-Identifier: Apache-2.0
// What it costs to decide what is sent, counted in questions to the store, claims and batches given
// back, in simulated time: the real dispatcher, store and queue, with couriers and sites played by
// the test. No clock of the machine decides.
#include "delivery/scheduler/dispatcher.h"

#include <deque>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "queue/embedded/memory_queue.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::delivery::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::must;

// Counts what goes through it.
class CountingStore final : public store::Store {
 public:
  explicit CountingStore(store::Store& store) : store_(store) {}
  void submit(store::Accept accept, store::Answered<store::Accept> done) override {
    ++writes;
    store_.submit(std::move(accept), std::move(done));
  }
  void submit(store::Settle settle, store::Answered<store::Settle> done) override {
    ++writes;
    store_.submit(std::move(settle), std::move(done));
  }
  void submit(store::Claim claim, store::Answered<store::Claim> done) override {
    ++writes;
    store_.submit(std::move(claim), std::move(done));
  }
  void submit(store::StageRows stage, store::Answered<store::StageRows> done) override {
    ++writes;
    store_.submit(std::move(stage), std::move(done));
  }
  void submit(store::BellWork work, store::Answered<store::BellWork> done) override {
    store_.submit(std::move(work), std::move(done));
  }
  void submit(store::Due due, store::Answered<store::Due> done) override {
    ++reads;
    store_.submit(std::move(due), std::move(done));
  }
  void submit_write(store::WritePriority priority, store::WriteWork work,
                    store::Done done) override {
    ++writes;
    store_.submit_write(priority, std::move(work), std::move(done));
  }
  void submit_read(store::ReadWork work, store::Done done) override {
    ++reads;
    if (fails_in > 0 && --fails_in == 0) {
      done(fail(ErrorKind::unavailable, "as the test wants it"));
      return;
    }
    store_.submit_read(std::move(work), std::move(done));
  }
  [[nodiscard]] store::StoreFigures figures() const override { return store_.figures(); }
  [[nodiscard]] const Clock& clock() const override { return store_.clock(); }
  void close() override { store_.close(); }

  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t fails_in = 0;  // the so manieth read from now on fails; 0: none

 private:
  store::Store& store_;
};

// What couriers hold for a site, and how fast it takes mail.
struct Site {
  double per_second = 1e9;
  SteadyInstant rests_until{};
  bool refuses = false;  // fails whatever is tried, and then rests for ten seconds
  double permits = 0;
  std::deque<store::LeasedBatch> batches;
  std::size_t settled_of_first = 0;
};

struct Figures {
  std::int64_t passes = 0;
  std::int64_t claimed_batches = 0;
  std::int64_t settled = 0;  // recipients
  std::int64_t parked = 0;   // recipients
};

class DispatcherTest : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    auto future =
        boost::asio::co_spawn(io_.get_executor(), std::move(task), boost::asio::use_future);
    while (future.wait_for(seconds(0)) != std::future_status::ready) io_.run_one();
    return future.get();
  }
  template <class Work>
  auto write(Work work) {
    return must(store_->write_and_wait(store::WritePriority::accept, std::move(work)));
  }

  DispatcherTest() {
    store::SqliteStore::Options options;
    options.path = directory_.path() / "store.db";
    options.clock = &clock_;
    options.synchronous = store::SqliteStore::Synchronous::off;  // nothing is lost here
    store_ = must(store::SqliteStore::open(options));
    counting_.emplace(*store_);
    me_ = write([&](store::WriteTransaction& t) { return t.enter_node({.name = "test"}); });
    dispatcher_.emplace(*counting_, queues_, feedback_, live_, clock_, options_, metrics_);
  }

  // The store's threads may still let go of a task that is done here.
  ~DispatcherTest() override { store_->close(); }

  store::AccountKey account(std::string_view name, std::uint32_t weight = 1) {
    return write([&](store::WriteTransaction& t) -> Result<store::AccountKey> {
      auto made = must(t.create_account(name));
      made.weight = weight;
      must(t.change_account(made));
      return made.key;
    });
  }

  // A bulk delivery that goes out: `each` recipients at each of these domains.
  store::DeliveryKey bulk(store::AccountKey account, const std::vector<std::string>& domains,
                          std::int64_t each) {
    const auto key = write([&](store::WriteTransaction& t) -> Result<store::DeliveryKey> {
      return must(t.create_draft({.account = account,
                                  .type = DeliveryType::bulk,
                                  .traffic = TrafficClass::bulk,
                                  .content = {}},
                                 store::kDraftsMax))
          .key;
    });
    std::vector<store::NewRecipient> to;
    const auto append = [&] {
      write([&](store::WriteTransaction& t) { return t.append_recipients(key, to); });
      to.clear();
    };
    for (const std::string& domain : domains) {
      for (std::int64_t i = 0; i < each; ++i) {
        to.push_back({fmt::format("user{}@{}", i, domain), domain, {}});
      }
      if (to.size() >= 5'000) append();
    }
    if (!to.empty()) append();
    write([&](store::WriteTransaction& t) -> Result<void> {
      must(t.commit_draft(key, std::nullopt, {}));
      return t.start_delivery(key, "", store::kLifeTime);
    });
    dispatcher_->look_again();
    return key;
  }

  // Transactions whose couriers have died: due, a batch each.
  void transactions(store::AccountKey account, std::string_view domain, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      must(store_->perform_and_wait(store::Accept{
          .delivery = {.account = account, .content = {}},
          .recipients = {{fmt::format("one{}@{}", i, domain), std::string(domain), {}}},
          .signing = {},
          .life_time = store::kLifeTime}));
    }
    dispatcher_->look_again();
  }

  // As the scheduler's loop would: when there is news, something becomes due, or after a second.
  void let_dispatcher_work() {
    const auto upcoming = dispatcher_->upcoming();
    const bool due =
        clock_.steady_now() >= next_pass_ || (upcoming && *upcoming <= clock_.steady_now());
    if (!due && !dispatcher_->has_news()) return;
    run(dispatcher_->pass());
    ++figures_.passes;
    next_pass_ = clock_.steady_now() + seconds(1);
  }

  void claim(TrafficClass traffic) {
    auto queue = must(run(queues_.open({options_.sources.front().name, traffic})));
    while (true) {
      const auto bells = must(run(queue->receive(8, milliseconds(0))));
      if (bells.empty()) return;
      std::vector<store::BatchKey> keys;
      std::vector<queue::Receipt> receipts;
      for (const auto& bell : bells) {
        keys.push_back({store::DeliveryKey{bell.bell.delivery}, bell.bell.batch});
        receipts.push_back(bell.receipt);
      }
      must(run(queue->acknowledge(std::move(receipts))));
      write([&](store::WriteTransaction& t) { return t.renew_node(me_); });
      auto claimed = must(store_->perform_and_wait(store::Claim{.node = me_, .batches = keys}));
      std::vector<store::LeasedBatch> leased;
      for (auto& batch : claimed.batches) {
        if (batch) leased.push_back(std::move(*batch));
      }
      ASSERT_EQ(leased.size(), bells.size()) << "a bell for what was not due";
      figures_.claimed_batches += static_cast<std::int64_t>(leased.size());
      for (store::LeasedBatch& batch : leased) {
        if (!take_pace(batch)) continue;
        claimed_of_[batch.account] += static_cast<std::int64_t>(batch.recipients.size());
        sites_[site_of(batch.domain)].batches.push_back(std::move(batch));
      }
    }
  }

  // As couriers do: of a delivery that has a pace only what is granted is begun. False: nothing.
  bool take_pace(store::LeasedBatch& batch) {
    if (!batch.has_pace) return true;
    const auto all = static_cast<std::int64_t>(batch.recipients.size());
    const auto taken =
        write([&](store::WriteTransaction& t) { return t.take_pace(batch.key.delivery, all); });
    figures_.parked += all - taken.granted;
    batch.recipients.resize(static_cast<std::size_t>(taken.granted));
    if (taken.granted > 0) {
      dispatcher_->take({batch.key, all - taken.granted, all - taken.granted, std::nullopt});
      return true;
    }
    const std::vector<store::BatchRelease> releases{{.held = batch.held(), .not_before = {}}};
    const auto settled =
        must(store_->perform_and_wait(store::Settle{.outcomes = {}, .releases = releases}));
    dispatcher_->take({batch.key, all, all, must(settled.releases.front())});
    return false;
  }

  void say(store::DeliveryKey key, const store::SteeringChange& change) {
    write([&](store::WriteTransaction& t) { return store::change_steering(t, key, change, {}); });
    dispatcher_->look_again();
  }

  // Bulk bells that wait on a source's channel, and are taken away.
  std::size_t bells_of(const std::string& source) {
    auto queue = must(run(queues_.open({source, TrafficClass::bulk})));
    const auto bells = must(run(queue->receive(10, milliseconds(0))));
    std::vector<queue::Receipt> receipts;
    for (const auto& bell : bells) receipts.push_back(bell.receipt);
    must(run(queue->acknowledge(std::move(receipts))));
    return bells.size();
  }

  // The first batch of a site is over: with outcomes for all of it, or parked as a whole.
  void release_first(Site& site, std::optional<Milliseconds> parked) {
    const store::LeasedBatch batch = std::move(site.batches.front());
    site.batches.pop_front();
    site.settled_of_first = 0;
    std::vector<store::OutcomeRecord> outcomes;
    for (const store::LeasedRecipient& to : batch.recipients) {
      if (parked) break;
      auto& record = outcomes.emplace_back();
      record.key = {batch.key.delivery, batch.key.batch, to.seq};
      record.outcome.state = RecipientState::delivered;
    }
    const std::vector<store::BatchRelease> releases{
        {.held = batch.held(), .not_before = parked.value_or(Milliseconds(0))}};
    const auto settled =
        must(store_->perform_and_wait(store::Settle{.outcomes = outcomes, .releases = releases}));
    const auto all = static_cast<std::int64_t>(batch.recipients.size());
    (parked ? figures_.parked : figures_.settled) += all;
    dispatcher_->take({batch.key, all, parked ? all : 0, must(settled.releases.front())});
  }

  void let_site_work(const std::string& name, Site& site, Milliseconds step) {
    if (site.batches.empty()) {
      site.permits = 0;
      return;
    }
    if (site.refuses) {
      if (clock_.steady_now() >= site.rests_until) {
        site.rests_until = clock_.steady_now() + seconds(10);
        dispatcher_->rests({name, options_.sources.front().name, seconds(10)});
      }
      const auto rest = std::chrono::ceil<Milliseconds>(site.rests_until - clock_.steady_now());
      while (!site.batches.empty()) release_first(site, rest);
      return;
    }
    site.permits += site.per_second * std::chrono::duration<double>(step).count();
    while (!site.batches.empty()) {
      const store::LeasedBatch& batch = site.batches.front();
      const std::size_t left = batch.recipients.size() - site.settled_of_first;
      const auto now_settled = std::min(left, static_cast<std::size_t>(site.permits));
      site.permits -= static_cast<double>(now_settled);
      site.settled_of_first += now_settled;
      if (now_settled > 0) {
        dispatcher_->take({batch.key, static_cast<std::int64_t>(now_settled), 0, std::nullopt});
      }
      if (now_settled < left) return;
      release_first(site, std::nullopt);
    }
  }

  // Lets everything run for a time; what it cost.
  Figures live(Milliseconds time, Milliseconds step = milliseconds(100)) {
    figures_ = {};
    counting_->reads = counting_->writes = 0;
    for (Milliseconds passed(0); passed < time; passed += step) {
      let_dispatcher_work();
      claim(TrafficClass::transactional);
      claim(TrafficClass::bulk);
      clock_.advance(step);
      for (auto& [name, site] : sites_) let_site_work(name, site, step);
    }
    return figures_;
  }

  std::string site_of(std::string_view domain) {
    const auto known = site_names_.find(std::string(domain));
    return known == site_names_.end() ? std::string(domain) : known->second;
  }

  static std::vector<std::string> domains(std::int64_t count, std::string_view prefix) {
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < count; ++i)
      all.push_back(fmt::format("{}{:06}.example", prefix, i));
    return all;
  }

  store::TemporaryDirectory directory_;
  SharedClock clock_;
  std::unique_ptr<store::SqliteStore> store_;
  std::optional<CountingStore> counting_;
  store::NodeKey me_{};
  queue::MemoryQueues queues_{{}, clock_};
  std::int64_t looked_up_ = 0;  // domains, by the dispatcher
  MemoryFeedback feedback_{[this](std::string_view domain) {
    ++looked_up_;
    return site_of(domain);
  }};
  struct LiveOnes final : LiveSources {
    [[nodiscard]] std::vector<std::string> live() const override { return names; }
    std::vector<std::string> names{"main"};
  };
  LiveOnes live_;
  Options options_{.sources = {{.name = "main"}}};
  Metrics metrics_;
  boost::asio::io_context io_;
  // Without it the context stops for good when it runs out of work between two tasks.
  boost::asio::executor_work_guard<async::Executor> open_{io_.get_executor()};
  std::optional<Dispatcher> dispatcher_;
  std::map<std::string, Site> sites_;
  std::map<std::string, std::string> site_names_;
  std::map<store::AccountKey, std::int64_t> claimed_of_;
  Figures figures_;
  SteadyInstant next_pass_{};
};

// Figures of one simulated minute, for the eye.
void show(std::string_view what, const Figures& figures, std::int64_t questions, double minutes) {
  fmt::print(
      "{}: a minute costs {:.0f} passes, {:.0f} questions, {:.0f} claims, {:.0f} parked; "
      "{:.0f} mails sent\n",
      what, static_cast<double>(figures.passes) / minutes, static_cast<double>(questions) / minutes,
      static_cast<double>(figures.claimed_batches) / minutes,
      static_cast<double>(figures.parked) / minutes,
      static_cast<double>(figures.settled) / minutes);
}

TEST_F(DispatcherTest, WhatASourceThatIsGoneWasOfferedGoesToTheOthersAtOnce) {
  bulk(account("shop"), {"one.example"}, 10);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 1U);
  live_.names = {"other"};
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("other"), 1U);
  live_.names = {};
  run(dispatcher_->pass());
  EXPECT_EQ(metrics_.gauge("todoku_outstanding_recipients", "").value(), 0) << "nobody sends";
  live_.names = {"main", "other"};
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main") + bells_of("other"), 1U);
}

TEST_F(DispatcherTest, WhatASiteDoesNotWantFromASourceGoesByAnother) {
  live_.names = {"main", "other"};
  // So many that the domain has a batch of its own.
  bulk(account("shop"), {"one.example"}, 60);
  dispatcher_->rests({site_of("one.example"), "main", seconds(600), true});
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
  EXPECT_EQ(bells_of("other"), 1U);
  // Where no source is wanted, it waits.
  bulk(account("other shop"), {"two.example"}, 60);
  dispatcher_->rests({site_of("two.example"), "main", seconds(600), true});
  dispatcher_->rests({site_of("two.example"), "other", seconds(600), true});
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main") + bells_of("other"), 0U);
}

TEST_F(DispatcherTest, AClassWithSourcesOfItsOwnWaitsForThese) {
  options_.pools = policy::Pools({{.name = "main", .only = TrafficClass::transactional},
                                  {.name = "news", .only = TrafficClass::bulk}});
  bulk(account("shop"), {"one.example"}, 10);
  live_.names = {"main"};
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
  live_.names = {"main", "news"};
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("news"), 1U);
}

TEST_F(DispatcherTest, ARuleChoosesThePoolThatADeliveryGoesBy) {
  options_.pools = policy::Pools({{.name = "main"}, {.name = "news"}}, {{"news", {"news"}}},
                                 {{.pool = "news", .account = "shop"}});
  bulk(account("shop"), {"one.example"}, 10);
  live_.names = {"main"};
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U) << "it waits for its pool";
  live_.names = {"main", "news"};
  bulk(account("other"), {"two.example"}, 10);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("news"), 1U);
  EXPECT_EQ(bells_of("main"), 1U);
}

TEST_F(DispatcherTest, ADeliveryWhoseSenderCouldNotBeReadWaitsForItsPool) {
  options_.pools = policy::Pools({{.name = "main"}, {.name = "news"}}, {{"news", {"news"}}},
                                 {{.pool = "news", .account = "shop"}});
  live_.names = {"main", "news"};
  bulk(account("shop"), {"one.example"}, 10);
  counting_->fails_in = 2;  // after the one that tells of the delivery
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main") + bells_of("news"), 0U);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
  EXPECT_EQ(bells_of("news"), 1U);
}

TEST_F(DispatcherTest, WhatWaitsForTheSourcesOfItsClassIsNotReadInVain) {
  options_.pools = policy::Pools({{.name = "main", .only = TrafficClass::transactional},
                                  {.name = "news", .only = TrafficClass::bulk}});
  bulk(account("shop"), {"one.example"}, 10'000);
  live_.names = {"main"};
  run(dispatcher_->pass());
  counting_->reads = 0;
  run(dispatcher_->pass());
  EXPECT_EQ(counting_->reads, 0) << "nobody who lives may send it";
}

TEST_F(DispatcherTest, ADomainIsLookedUpOnceAPass) {
  live_.names = {"main", "other", "third"};
  for (const std::string_view name : {"shop", "another shop"}) {
    bulk(account(name), {"one.example", "two.example"}, 2'000);
  }
  dispatcher_->rests({"one.example", "main", seconds(600), true});
  run(dispatcher_->pass());
  EXPECT_GT(bells_of("other") + bells_of("third"), 0U);
  EXPECT_EQ(looked_up_, 2);
}

TEST_F(DispatcherTest, WhoBeginsAnewKnowsOfNothingThatIsOutstanding) {
  bulk(account("shop"), {"one.example"}, 10);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 1U);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
  dispatcher_->begin_anew();
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 1U);
  EXPECT_EQ(metrics_.gauge("todoku_outstanding_recipients", "").value(), 10);
}

TEST_F(DispatcherTest, ADeliveryWhoseCanaryCouldNotBeReadWaitsForIt) {
  const store::AccountKey shop = account("shop");
  write([&](store::WriteTransaction& t) {
    return t.put_setting(store::rate_limits_setting(shop), policy::pack({.canary_recipients = 10}));
  });
  const std::vector<std::string> names{"one.example", "two.example"};
  for (const std::string& domain : names) site_names_[domain] = "site";
  bulk(shop, names, 50);
  counting_->fails_in = 2;  // after the one that tells of the delivery
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 1U) << "one batch at the site, not both";
  run(dispatcher_->pass());
  EXPECT_EQ(bells_of("main"), 0U);
}

// Each delivery that goes out costs a page now and then, if only to find that nothing is due.
TEST_F(DispatcherTest, ANewDeliveryIsFoundBehindHundredsThatOnlyWait) {
  const store::AccountKey shop = account("shop");
  const auto silent = domains(400, "silent");
  for (const std::string& domain : silent) {
    sites_[domain].per_second = 0;
    bulk(shop, {domain}, 1);
  }
  live(seconds(20));
  EXPECT_EQ(claimed_of_[shop], 400);
  const Figures idle = live(seconds(60));
  EXPECT_LE(counting_->reads, 60 * 64) << "nor does waiting cost much";
  EXPECT_LE(idle.passes, 60 * 10);
  bulk(shop, {"new.example"}, 10);
  EXPECT_EQ(live(seconds(2)).settled, 10);
}

TEST_F(DispatcherTest, WhatWaitsForASlowSiteCostsNextToNothing) {
  sites_["slow.example"].per_second = 100;
  std::map<std::int64_t, std::int64_t> questions;
  for (const std::int64_t recipients : {20'000, 200'000}) {
    bulk(account(fmt::format("a{}", recipients)), {"slow.example"}, recipients);
    live(seconds(30));
    const Figures figures = live(std::chrono::minutes(2), milliseconds(500));
    questions[recipients] = counting_->reads;
    show(fmt::format("{} behind a site at 100/s", recipients), figures, counting_->reads, 2);
    EXPECT_NEAR(static_cast<double>(figures.settled), 12'000, 1'500) << "the site is kept busy";
    EXPECT_LE(figures.claimed_batches, 28) << "500 at a time, as the site takes them";
    EXPECT_EQ(figures.parked, 0);
    EXPECT_EQ(counting_->writes, 0) << "waiting writes nothing";
    EXPECT_LE(counting_->reads, 2 * 200);
  }
  EXPECT_LE(questions[200'000], questions[20'000] * 2);
}

TEST_F(DispatcherTest, ABulkGoesAtItsPaceAndCostsLittleBesides) {
  const auto key = bulk(account("acme"), {"one.example", "two.example", "three.example"}, 3'000);
  say(key, {.pace = Pace{600, std::chrono::minutes(1)}});
  const Figures slow = live(std::chrono::minutes(5));
  show("a pace of 600/minute", slow, counting_->reads, 5);
  EXPECT_LE(slow.settled, 3'000);
  EXPECT_GE(slow.settled, 2'400);
  EXPECT_LE(slow.claimed_batches, 200) << "claims are in vain";
  EXPECT_LE(counting_->reads, 1'200);

  // Faster from now on, and then without any.
  say(key, {.pace = Pace{3'000, std::chrono::minutes(1)}});
  const Figures faster = live(std::chrono::minutes(1));
  EXPECT_LE(faster.settled, 3'000);
  EXPECT_GE(faster.settled, 2'000);
  say(key, {.pace = std::optional<Pace>()});
  live(std::chrono::minutes(1));
  EXPECT_EQ(claimed_of_.begin()->second, 9'000);
}

TEST_F(DispatcherTest, QuietHoursCostNextToNothingAndEndByThemselves) {
  const auto key = bulk(account("acme"), {"one.example"}, 20'000);
  const auto other = account("other");
  sites_["one.example"].per_second = 10;
  const auto of_day = std::chrono::floor<std::chrono::minutes>(
      (clock_.now() + std::chrono::minutes(2)).time_since_epoch() % std::chrono::hours(24));
  say(key, {.quiet = QuietHours{.from = of_day,
                                .until = (of_day + std::chrono::hours(1)) % std::chrono::hours(24),
                                .zone = "UTC"}});
  EXPECT_GT(live(std::chrono::minutes(1)).settled, 0);
  live(std::chrono::minutes(5));  // they begin; what was in hand is over
  const Figures quiet = live(std::chrono::minutes(50));
  show("quiet hours", quiet, counting_->reads, 50);
  EXPECT_EQ(quiet.claimed_batches, 0);
  EXPECT_LE(counting_->reads, 50 * 150);
  bulk(other, {"two.example"}, 10);
  EXPECT_EQ(live(seconds(3)).settled, 10) << "others wait, too";
  EXPECT_GT(live(std::chrono::minutes(10)).settled, 0);
}

TEST_F(DispatcherTest, QuietHoursThatAreTakenAwayOrShortenedHoldNothingThatAlsoHasAPace) {
  const auto key = bulk(account("acme"), {"one.example"}, 5'000);
  const auto quiet_for = [this](std::chrono::minutes time) {
    const auto of_day = [this](std::chrono::minutes from_now) {
      return std::chrono::floor<std::chrono::minutes>((clock_.now() + from_now).time_since_epoch() %
                                                      std::chrono::hours(24));
    };
    return QuietHours{
        .from = of_day(-std::chrono::minutes(30)), .until = of_day(time), .zone = "UTC"};
  };
  say(key, {.pace = Pace{600, std::chrono::minutes(1)}, .quiet = quiet_for(std::chrono::hours(5))});
  EXPECT_EQ(live(std::chrono::minutes(1)).claimed_batches, 0);
  say(key, {.quiet = std::optional<QuietHours>()});
  EXPECT_GT(live(std::chrono::minutes(1)).settled, 0) << "they were taken away";
  say(key, {.quiet = quiet_for(std::chrono::hours(5))});
  EXPECT_EQ(live(std::chrono::minutes(1)).claimed_batches, 0);
  say(key, {.quiet = quiet_for(std::chrono::minutes(2))});
  EXPECT_GT(live(std::chrono::minutes(5)).settled, 0) << "they were shortened";
}

TEST_F(DispatcherTest, ASiteThatFailsIsTriedWithOneBatchARest) {
  sites_["down.example"].refuses = true;
  bulk(account("acme"), {"down.example"}, 50'000);
  live(seconds(60));
  const Figures figures = live(std::chrono::minutes(5), milliseconds(500));
  show("50000 at a site that fails, rests of 10 s", figures, counting_->reads, 5);
  EXPECT_LE(figures.claimed_batches, 31) << "one for each rest";
  EXPECT_LE(figures.parked, 31 * 500);
  EXPECT_GE(figures.claimed_batches, 20) << "it is tried when it may be";
  sites_["down.example"].refuses = false;
  EXPECT_GT(live(seconds(60)).settled, 40'000) << "and gets everything when it has come back";
}

TEST_F(DispatcherTest, ADomainCostsTheSameHoweverManyThereAre) {
  std::map<std::int64_t, double> per_thousand;
  for (const std::int64_t count : {1'000, 8'000}) {
    const std::int64_t before = counting_->reads;
    bulk(account(fmt::format("a{}", count)), domains(count, fmt::format("d{}-", count)), 50);
    std::int64_t settled = 0;
    std::int64_t reads = 0;
    for (int second = 0; second < 120 && settled < count * 50; ++second) {
      settled += live(seconds(1)).settled;
      reads += counting_->reads;
    }
    EXPECT_EQ(settled, count * 50) << before;
    per_thousand[count] = static_cast<double>(reads) * 1000 / static_cast<double>(settled);
    fmt::print("{} domains of 50: {} questions, {:.2f} for 1000 recipients\n", count, reads,
               per_thousand[count]);
  }
  EXPECT_LE(per_thousand[8'000], 1.0);
  EXPECT_LE(per_thousand[8'000], per_thousand[1'000] * 1.5);
}

TEST_F(DispatcherTest, SitesThatTakeNothingDoNotHideTheOthers) {
  // More domains than are kept in sight, all of them stuck, before the one that is not.
  const auto stuck = domains(1'000, "a");
  for (const std::string& domain : stuck) site_names_[domain] = "stuck";
  sites_["stuck"].per_second = 0;
  auto all = stuck;
  all.emplace_back("z.example");
  bulk(account("acme"), all, 50);
  const Figures figures = live(seconds(5));
  EXPECT_EQ(figures.settled, 50);
  fmt::print("1000 stuck domains: {} questions in 5 s\n", counting_->reads);
  live(std::chrono::minutes(1), milliseconds(500));
  EXPECT_LE(counting_->reads, 60 * 12) << "nor are they looked through in a circle";
}

TEST_F(DispatcherTest, AccountsShareASiteByWeightAndASingleMailDoesNotWait) {
  sites_["slow.example"].per_second = 100;
  const auto light = account("light", 1);
  const auto heavy = account("heavy", 3);
  bulk(light, {"slow.example"}, 60'000);
  bulk(heavy, {"slow.example"}, 60'000);
  live(std::chrono::minutes(5), milliseconds(500));
  const auto shares =
      static_cast<double>(claimed_of_[heavy]) / static_cast<double>(claimed_of_[light]);
  fmt::print("weights 3 and 1: {} and {} recipients\n", claimed_of_[heavy], claimed_of_[light]);
  EXPECT_NEAR(shares, 3.0, 0.3);
  // A third one sends a few: they are next when the site has room.
  const auto third = account("third");
  bulk(third, {"slow.example"}, 60);
  Milliseconds waited(0);
  while (claimed_of_[third] == 0 && waited < seconds(60)) {
    live(milliseconds(100));
    waited += milliseconds(100);
  }
  fmt::print("another account's bulk is claimed after {} ms\n", waited.count());
  EXPECT_LE(waited, seconds(6)) << "the time the site needs for one batch";
}

TEST_F(DispatcherTest, TransactionsBehindASlowSiteNeitherHideOthersNorAreMovedAround) {
  sites_["slow.example"].per_second = 10;
  const auto acme = account("acme");
  transactions(acme, "slow.example", 5'000);
  transactions(acme, "other.example", 20);
  const Figures begun = live(seconds(2));
  EXPECT_EQ(begun.settled, 20 + 20) << "those at the other site, and what the slow one takes";
  const Figures figures = live(std::chrono::minutes(2), milliseconds(500));
  show("5000 transactions behind a site at 10/s", figures, counting_->reads, 2);
  EXPECT_EQ(counting_->writes, 0) << "nothing is postponed";
  EXPECT_EQ(figures.parked, 0);
  EXPECT_LE(counting_->reads, 2 * 300);
}

TEST_F(DispatcherTest, ABellThatIsLostIsRungAgain) {
  sites_["quick.example"].per_second = 1'000;
  bulk(account("acme"), {"quick.example"}, 1'000);
  run(dispatcher_->pass());
  auto queue = must(run(queues_.open({options_.sources.front().name, TrafficClass::bulk})));
  for (const auto& lost : must(run(queue->receive(8, milliseconds(0))))) {
    must(run(queue->acknowledge({lost.receipt})));
  }
  const std::int64_t at_once = live(seconds(25)).settled;
  EXPECT_LT(at_once, 1'000);
  EXPECT_EQ(at_once + live(seconds(15)).settled, 1'000);
}

TEST_F(DispatcherTest, TransactionsHaveCreditOfTheirOwnAtASiteThatBulkFills) {
  sites_["slow.example"].per_second = 0;
  const auto acme = account("acme");
  bulk(acme, {"slow.example"}, 20'000);
  EXPECT_GT(live(seconds(1)).claimed_batches, 0);
  transactions(acme, "slow.example", 3);
  EXPECT_EQ(live(seconds(1)).claimed_batches, 3);
}

}  // namespace
}  // namespace todoku::delivery::scheduler
