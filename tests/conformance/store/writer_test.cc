// SPDX-License-Identifier: Apache-2.0
// Group commit: neighbours in a group do not harm each other, and nobody is forgotten.
#include <atomic>
#include <latch>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::SizeIs;

// Holds the writer until released, so that what is submitted meanwhile forms the next group.
class Hold {
 public:
  explicit Hold(Store& store) {
    store.submit_write(
        WritePriority::retention,
        [this](WriteTransaction&) -> Result<void> {
          begun_.count_down();
          released_.wait();
          return {};
        },
        [](Result<void>) {});
    begun_.wait();
  }
  void release() { released_.count_down(); }

 private:
  std::latch begun_{1};
  std::latch released_{1};
};

TEST_P(StoreSuite, AFailingPieceOfWorkIsUndoneAloneInItsGroup) {
  const Account acme = account();
  const auto commits = store_->figures().commits;
  auto hold = std::make_unique<Hold>(*store_);
  constexpr int kPieces = 20;
  std::latch answered(kPieces);
  std::array<std::string, kPieces> answers;
  for (int i = 0; i < kPieces; ++i) {
    store_->submit_write(
        WritePriority::accept,
        [&, i](WriteTransaction& t) -> Result<void> {
          const auto made = t.create_draft(bulk(acme.key), kDraftsMax);
          if (!made) return fail(made.error());
          const auto ids = t.append_recipients(made->key, {{recipient(fmt::format("piece{}", i))}});
          if (!ids) return fail(ids.error());
          if (i % 3 == 1) return fail(ErrorKind::conflict, "changed its mind");
          return {};
        },
        [&, i](Result<void> result) {
          answers[static_cast<std::size_t>(i)] = error_of(result);
          answered.count_down();
        });
  }
  hold->release();
  answered.wait();
  for (int i = 0; i < kPieces; ++i) {
    const bool fails = i % 3 == 1;
    EXPECT_EQ(answers[static_cast<std::size_t>(i)], fails ? "conflict" : "none");
    EXPECT_THAT(stories(fmt::format("piece{}@example.jp", i)), SizeIs(fails ? 0 : 1));
  }
  // One group and the commit of what held it up; a group also ends after a time, and the index of
  // addresses commits by itself.
  if (GetParam().shares_commits) {
    EXPECT_LE(store_->figures().commits - commits, kPieces / 4U) << "they shared their commits";
  }
  reopen();
  DeliveryFilter filter;
  filter.account = acme.key;
  EXPECT_THAT(deliveries_of(*store_, filter), SizeIs(13));
}

TEST_P(StoreSuite, UrgentWorkGoesBeforePatientWork) {
  auto hold = std::make_unique<Hold>(*store_);
  std::mutex mutex;
  std::vector<WritePriority> order;
  std::latch answered(5);
  for (const WritePriority priority :
       {WritePriority::retention, WritePriority::import, WritePriority::claims,
        WritePriority::outcomes, WritePriority::accept}) {
    store_->submit_write(
        priority, [](WriteTransaction& t) { return t.put_setting("x", "y"); },
        [&, priority](Result<void> result) {
          EXPECT_TRUE(result);
          {
            const std::lock_guard lock(mutex);
            order.push_back(priority);
          }
          answered.count_down();  // from here on the mutex may be gone
        });
  }
  hold->release();
  answered.wait();
  EXPECT_THAT(order, ::testing::ElementsAre(WritePriority::accept, WritePriority::outcomes,
                                            WritePriority::claims, WritePriority::import,
                                            WritePriority::retention));
}

TEST_P(StoreSuite, AFullQueueRefusesAtOnce) {
  auto hold = std::make_unique<Hold>(*store_);
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  int submitted = 0;
  // The bound is the back end's choice; that there is one is not.
  while (refused == 0 && submitted < 1'000'000) {
    ++submitted;
    store_->submit_write(
        WritePriority::retention, [](WriteTransaction&) -> Result<void> { return {}; },
        [&](Result<void> result) {
          if (!result && result.error().kind == ErrorKind::unavailable) ++refused;
          ++answered;
        });
  }
  EXPECT_EQ(refused, 1);
  EXPECT_GE(store_->figures().queued, static_cast<std::uint64_t>(submitted - 1));
  hold->release();
  store_->close();
  EXPECT_EQ(answered, submitted);
}

TEST_P(StoreSuite, AClosedStoreHasDoneWhatItTookAndRefusesTheRest) {
  const Account acme = account();
  std::atomic<int> done{0};
  for (int i = 0; i < 50; ++i) {
    store_->submit_write(
        WritePriority::import,
        [&](WriteTransaction& t) -> Result<void> {
          const auto made = t.create_draft(bulk(acme.key), kDraftsMax);
          return made ? Result<void>() : fail(made.error());
        },
        [&](Result<void> result) { done += result ? 1 : 0; });
  }
  store_->close();
  store_->close();
  EXPECT_EQ(done, 50);
  EXPECT_EQ(error_of(write([](WriteTransaction& t) { return t.put_setting("a", "b"); })),
            "unavailable");
  EXPECT_EQ(error_of(read([](ReadTransaction& t) { return t.setting("a"); })), "unavailable");
  reopen();
  DeliveryFilter filter;
  filter.account = acme.key;
  EXPECT_THAT(deliveries_of(*store_, filter), SizeIs(50));
}

TEST_P(StoreSuite, ManyThreadsWriteAndReadAtOnce) {
  const Account acme = account();
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < kEach; ++i) {
        const std::string local = fmt::format("t{}n{}", n, i);
        const std::vector to{recipient(local)};
        const auto accepted = store_->perform_and_wait(acceptance(acme.key, to));
        if (!accepted) {
          ++wrong;
          continue;
        }
        const auto told = store_->read_and_wait(
            [&](ReadTransaction& t) { return t.stories(local + "@example.jp", acme.key, 10, {}); });
        if (!told || told->stories.size() != 1) ++wrong;
        const std::vector outcomes{outcome(accepted->batches[0].key, 0, RecipientState::delivered)};
        const auto settled = store_->perform_and_wait(Settle{.outcomes = outcomes, .releases = {}});
        if (!settled || !settled->outcomes.at(0) || settled->finished.size() != 1) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  const StoreFigures figures = store_->figures();
  EXPECT_EQ(figures.failed_commits, 0U);
  EXPECT_EQ(figures.queued, 0U);
  EXPECT_GE(figures.writes, 2U * kThreads * kEach);
  EXPECT_LE(figures.commits, figures.writes);
}

}  // namespace
}  // namespace todoku::store
