// SPDX-License-Identifier: Apache-2.0
// What couriers tell the scheduler of another process, on a real store.
#include "delivery/stored_feedback.h"

#include <atomic>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include "async/runtime.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::delivery {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

BatchProgress step_of(std::int64_t delivery, std::int64_t settled, bool released = false) {
  BatchProgress step{.key = {store::DeliveryKey{delivery}, 3}, .settled = settled, .parked = 1};
  if (released) step.released = store::BatchReleased{.done = false, .next = 1'500ms};
  return step;
}

TEST(KnownSites, RemembersTheLastOnes) {
  KnownSites sites(2);
  EXPECT_TRUE(sites.learn("a.example", "site"));
  EXPECT_FALSE(sites.learn("a.example", "site"));
  EXPECT_TRUE(sites.learn("a.example", "other"));
  EXPECT_EQ(*sites.find("a.example"), "other");
  for (const char* domain : {"b.example", "c.example", "d.example"}) sites.learn(domain, "site");
  EXPECT_NE(sites.find("c.example"), nullptr);
  sites.learn("e.example", "site");
  EXPECT_EQ(sites.find("a.example"), nullptr);
  EXPECT_EQ(sites.find("nobody.example"), nullptr);
  sites.grow_old();
  EXPECT_NE(sites.find("e.example"), nullptr);
  sites.grow_old();
  EXPECT_EQ(sites.find("e.example"), nullptr);
}

ToldNews some_news() {
  ToldNews told;
  told.news.progress = {step_of(1, 500), step_of(INT64_MAX, 0, true)};
  told.news.progress[1].released->next = -5ms;
  told.news.progress.push_back(step_of(2, 7));
  told.news.progress.back().released = store::BatchReleased{.done = true, .next = std::nullopt};
  told.news.rests = {{"site", "source", 90s}};
  told.routed = {{"one.example", "google"}};
  return told;
}

TEST(NewsText, ReadsAsItWasWritten) {
  const auto pieces = write_news(some_news(), 1'000);
  ASSERT_THAT(pieces, SizeIs(1));
  const auto read = read_news(pieces[0]);
  ASSERT_TRUE(read);
  ASSERT_THAT(read->news.progress, SizeIs(3));
  EXPECT_EQ(read->news.progress[0].settled, 500);
  EXPECT_EQ(read->news.progress[0].parked, 1);
  EXPECT_FALSE(read->news.progress[0].released);
  EXPECT_EQ(read->news.progress[1].key.delivery, store::DeliveryKey{INT64_MAX});
  EXPECT_EQ(read->news.progress[1].key.batch, 3U);
  EXPECT_EQ(read->news.progress[1].released->next, 0ms) << "what has passed is now";
  EXPECT_TRUE(read->news.progress[2].released->done);
  EXPECT_FALSE(read->news.progress[2].released->next);
  ASSERT_THAT(read->news.rests, SizeIs(1));
  EXPECT_EQ(read->news.rests[0].site, "site");
  EXPECT_EQ(read->news.rests[0].rest, 90s);
  EXPECT_THAT(read->routed, ElementsAre(std::pair("one.example", "google")));
}

// A leader of the version before reads the rest of the news.
TEST(NewsText, TellsOfAnUnwantedSourceApart) {
  ToldNews told = some_news();
  told.news.rests.push_back({"other", "source", 5s, true});
  const auto pieces = write_news(told, 1'000);
  ASSERT_THAT(pieces, SizeIs(2));
  EXPECT_EQ(pieces[0], write_news(some_news(), 1'000).at(0));
  const auto read = read_news(pieces[1]);
  ASSERT_TRUE(read);
  ASSERT_THAT(read->news.rests, SizeIs(1));
  EXPECT_EQ(read->news.rests[0].site, "other");
  EXPECT_TRUE(read->news.rests[0].elsewhere);
}

TEST(NewsText, IsCutIntoPiecesAndLeavesOutWhatFitsInNone) {
  ToldNews told = some_news();
  told.routed.emplace_back(std::string(200, 'd'), "site");
  const auto pieces = write_news(told, 30);
  EXPECT_GT(pieces.size(), 1U);
  ToldNews all;
  for (const std::string& piece : pieces) {
    EXPECT_LE(piece.size(), 30U);
    const auto read = read_news(piece);
    ASSERT_TRUE(read);
    all.news.progress.insert(all.news.progress.end(), read->news.progress.begin(),
                             read->news.progress.end());
    all.routed.insert(all.routed.end(), read->routed.begin(), read->routed.end());
  }
  EXPECT_THAT(all.news.progress, SizeIs(3));
  EXPECT_THAT(all.routed, SizeIs(1));
  EXPECT_THAT(write_news({}, 30), IsEmpty());
}

TEST(NewsText, IsNotBelievedWhereSomethingIsWrong) {
  const std::string sound = write_news(some_news(), 1'000).at(0);
  EXPECT_FALSE(read_news(""));
  EXPECT_FALSE(read_news("\x02"));
  EXPECT_FALSE(read_news("\x01x"));
  EXPECT_FALSE(read_news(sound + "p"));
  EXPECT_FALSE(read_news(sound.substr(0, sound.size() - 1)));
  EXPECT_FALSE(read_news(std::string("\x01p\1\1\1\1\2", 7))) << "a flag that is none";
  EXPECT_FALSE(read_news("\x01r\x01s\x01s\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) << "too long";
}

class Leading final : public Leads {
 public:
  [[nodiscard]] bool leads() const override { return leads_; }
  void listen(std::function<void()> /*changed*/) override {}
  void set(bool leads) { leads_ = leads; }

 private:
  std::atomic<bool> leads_{false};
};

class SomeNode final : public NodeLease {
 public:
  [[nodiscard]] store::NodeKey key() const override { return store::NodeKey{1}; }
  [[nodiscard]] bool holds() const override { return true; }
  void renew_soon() override {}
};

std::string itself(std::string_view domain) {
  return std::string(domain);
}

// A courier's process and a scheduler's.
class StoredFeedbackTest : public ::testing::Test {
 protected:
  StoredFeedbackTest() {
    runtime_.start();
    scheduler_.listen([this] { ++told_; });
    for (StoredFeedback* const each : {&courier_, &scheduler_}) each->start();
  }
  ~StoredFeedbackTest() override {
    for (StoredFeedback* const each : {&courier_, &scheduler_}) run(each->stop());
    scheduler_.listen({});
    runtime_.join();
  }

  void run(Task<void> task) {
    boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future).get();
  }
  // All that the scheduler hears until it has heard of so many batches.
  News hear(std::size_t batches) {
    News all;
    const auto until = clock_.steady_now() + 10s;
    while (all.progress.size() < batches && clock_.steady_now() < until) {
      News some = scheduler_.take();
      all.progress.insert(all.progress.end(), some.progress.begin(), some.progress.end());
      all.rests.insert(all.rests.end(), some.rests.begin(), some.rests.end());
      std::this_thread::sleep_for(1ms);
    }
    return all;
  }
  std::size_t stored() {
    return installation_.store
        ->read_and_wait([](store::ReadTransaction& t) { return t.news(1'000); })
        .value()
        .size();
  }
  double dropped() {
    return static_cast<double>(metrics_.counter("todoku_news_dropped_total", "").value());
  }

  const SystemClock clock_;
  TestStore installation_;
  FailingStore failing_{*installation_.store};
  Metrics metrics_;
  async::Runtime runtime_{1};
  SomeNode node_;
  Leading nobody_;
  Leading leading_;
  std::atomic<int> told_{0};
  StoredFeedback courier_{failing_,
                          node_,
                          nobody_,
                          itself,
                          clock_,
                          metrics_,
                          runtime_.executor(0),
                          {.listens = false, .gather = 20ms}};
  StoredFeedback scheduler_{*installation_.store,
                            node_,
                            leading_,
                            itself,
                            clock_,
                            metrics_,
                            runtime_.executor(0),
                            {.gather = 1ms, .look_soon = 1ms, .look_late = 5ms}};
};

TEST_F(StoredFeedbackTest, WhatCouriersTellReachesWhoLeadsInAnotherProcess) {
  leading_.set(true);
  courier_.routed("one.example", "google");
  courier_.routed("own.example", "own.example");
  courier_.rests({"google", "main", 30s});
  courier_.progressed({step_of(1, 10), step_of(2, 1)});
  courier_.progressed({step_of(1, 5, true)});
  const News news = hear(2);
  ASSERT_THAT(news.progress, SizeIs(2)) << "what is told of one batch is one";
  EXPECT_EQ(news.progress[0].settled, 15);
  EXPECT_EQ(news.progress[0].parked, 2);
  EXPECT_EQ(news.progress[0].released->next, 1'500ms);
  EXPECT_EQ(news.progress[1].settled, 1);
  ASSERT_THAT(news.rests, SizeIs(1));
  EXPECT_EQ(news.rests[0].source, "main");
  EXPECT_EQ(scheduler_.site_of("one.example"), "google");
  EXPECT_EQ(scheduler_.site_of("own.example"), "own.example");
  EXPECT_GT(told_, 0);
  const auto until = clock_.steady_now() + 10s;
  while (stored() > 0 && clock_.steady_now() < until) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(stored(), 0U) << "it is dropped when it was read";
}

TEST_F(StoredFeedbackTest, WhoLeadsInAnotherProcessHearsThatASourceIsUnwanted) {
  leading_.set(true);
  courier_.rests({"google", "main", 30s, true});
  courier_.rests({"google", "main", 30s});
  courier_.progressed({step_of(1, 10)});
  News news = hear(1);
  const auto until = clock_.steady_now() + 10s;
  while (news.rests.size() < 2 && clock_.steady_now() < until) {
    const News more = scheduler_.take();
    news.rests.insert(news.rests.end(), more.rests.begin(), more.rests.end());
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_THAT(news.rests, SizeIs(2)) << "the one does not take the other's place";
  EXPECT_EQ(news.rests[0].source, "main");
  EXPECT_NE(news.rests[0].elsewhere, news.rests[1].elsewhere);
}

TEST_F(StoredFeedbackTest, WhoLeadsHearsItsOwnCouriersInMemory) {
  leading_.set(true);
  scheduler_.progressed({step_of(1, 10)});
  scheduler_.rests({"google", "main", 30s});
  scheduler_.routed("one.example", "google");
  EXPECT_EQ(told_, 1);
  const News news = scheduler_.take();
  EXPECT_THAT(news.progress, SizeIs(1));
  EXPECT_THAT(news.rests, SizeIs(1));
  run(scheduler_.stop());
  EXPECT_EQ(stored(), 0U);
}

TEST_F(StoredFeedbackTest, WhoDoesNotLeadReadsNothing) {
  courier_.progressed({step_of(1, 10)});
  run(courier_.stop());
  EXPECT_EQ(stored(), 1U) << "what is gathered is written at the end";
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(stored(), 1U);
  leading_.set(true);
  EXPECT_THAT(hear(1).progress, SizeIs(1));
}

TEST_F(StoredFeedbackTest, WhatCannotBeWrittenIsDroppedAndCounted) {
  failing_.set_outage(true);
  courier_.progressed({step_of(1, 10), step_of(2, 10)});
  const auto until = clock_.steady_now() + 10s;
  while (dropped() < 2 && clock_.steady_now() < until) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(dropped(), 2);
  failing_.set_outage(false);
  leading_.set(true);
  courier_.progressed({step_of(3, 10)});
  EXPECT_EQ(hear(1).progress.at(0).key.delivery, store::DeliveryKey{3});
}

TEST_F(StoredFeedbackTest, NewsThatCannotBeReadHarmsNoOther) {
  for (const char* body : {"\x07nonsense", ""}) {
    (void)installation_.store->write_and_wait(
        store::WritePriority::accept,
        [body](store::WriteTransaction& t) { return t.tell_news(store::NodeKey{9}, body); });
  }
  courier_.progressed({step_of(1, 10)});
  leading_.set(true);
  EXPECT_THAT(hear(1).progress, SizeIs(1));
}

}  // namespace
}  // namespace todoku::delivery
