// SPDX-License-Identifier: Apache-2.0
// Nobody who is on a list is left out by the filter, whenever it is made and whatever is written
// meanwhile; of those who are on none it lets few through.
#include "store/sqlite/stop_filter.h"

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/random.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

template <class T>
T done_or_told(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}
void done_or_told(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().detail);
}

std::vector<std::int64_t> places(std::uint64_t seed, std::size_t count) {
  SeededRandom random(seed);
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < count; ++i) {
    found.push_back(static_cast<std::int64_t>(random.next() >> 3U));
  }
  return found;
}

TEST(StopFilter, EverybodyMayBeOnAListUntilItIsMade) {
  StopFilter filter;
  EXPECT_TRUE(filter.may_have(1 << 10));
  EXPECT_TRUE(filter.crowded());
  filter.begin(1);
  EXPECT_TRUE(filter.may_have(1 << 10));
  filter.complete();
  EXPECT_FALSE(filter.may_have(1 << 10));
  EXPECT_FALSE(filter.crowded());
}

TEST(StopFilter, LeavesNobodyOutAndLetsFewThrough) {
  StopFilter filter;
  constexpr std::int64_t kEntries = 200'000;
  filter.begin(kEntries);
  const auto listed = places(1, kEntries);
  (void)filter.include(listed);
  filter.complete();
  for (const std::int64_t place : listed) ASSERT_TRUE(filter.may_have(place));
  std::int64_t through = 0;
  for (const std::int64_t place : places(2, kEntries)) through += filter.may_have(place) ? 1 : 0;
  EXPECT_LT(through, kEntries * 2 / 100);
}

TEST(StopFilter, EntriesOfOneSubjectAreOnePlace) {
  StopFilter filter;
  filter.begin(1);
  filter.complete();
  constexpr std::int64_t kSubject = 77LL << kStopSlotBits;
  filter.add(kSubject + 3);
  EXPECT_TRUE(filter.may_have(kSubject));
  EXPECT_FALSE(filter.may_have(kSubject + (1 << kStopSlotBits)));
}

TEST(StopFilter, IsCrowdedByWhatIsAdded) {
  StopFilter filter;
  filter.begin(1);
  filter.complete();
  for (const std::int64_t place : places(3, StopFilter::kEntriesLeast)) filter.add(place);
  EXPECT_FALSE(filter.crowded());
  for (const std::int64_t place : places(4, StopFilter::kEntriesLeast / 2)) filter.add(place);
  EXPECT_TRUE(filter.crowded());
}

class MakingAStopFilter : public ::testing::Test {
 protected:
  MakingAStopFilter() {
    char name[] = "/tmp/todoku-filter-XXXXXX";
    folder_ = ::mkdtemp(name);
    db_ = done_or_told(Connection::open({.path = (folder_ / "store.db").string(),
                                         .vfs = {},
                                         .create = true,
                                         .cache_kib = 4'096,
                                         .synchronous = "OFF"}));
    done_or_told(prepare_schema(*db_));
    const AddressHash hash = done_or_told(load_address_hash(*db_));
    transaction_ = std::make_unique<SqliteWriteTransaction>(*db_, figures_, hash);
    queries_ = std::make_unique<Queries>(*db_, figures_, hash);
    queries_->set_now(now_);
    maker_ = std::make_unique<StopFilterMaker>(
        *db_, figures_.stops, [this](const StopFilterMaker::Change& change) -> Result<void> {
          if (begins_fail_ > 0) {
            --begins_fail_;
            return fail(ErrorKind::unavailable, "the disk is full");
          }
          return change(*db_);
        });
  }
  ~MakingAStopFilter() override {
    maker_.reset();
    queries_.reset();
    transaction_.reset();
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  static std::string subject(int number) { return fmt::format("reader{}@example.jp", number); }

  void put(int from, int until) {
    done_or_told(db_->execute("BEGIN IMMEDIATE"));
    now_ += Milliseconds(1);
    transaction_->set_now(now_);
    std::vector<NewSuppression> entries;
    for (int i = from; i < until; ++i) {
      entries.push_back({.account = kAccount,
                         .subject = subject(i),
                         .reason = StopReason::manual,
                         .scope = StopScope::all,
                         .list_id = {},
                         .note = {}});
    }
    done_or_told(transaction_->put_suppressions(entries));
    done_or_told(db_->execute("COMMIT"));
  }
  void make() {
    while (done_or_told(maker_->step())) {
    }
  }
  int stopped(int from, int until) {
    queries_->set_now(now_);
    int found = 0;
    for (int i = from; i < until; ++i) {
      const auto reason =
          done_or_told(queries_->stopped(kAccount, subject(i), Purpose::notice, ""));
      found += reason ? 1 : 0;
    }
    return found;
  }
  // Of subjects that have no entry, those that are let through.
  int let_through(int from, int until) {
    int through = 0;
    for (int i = from; i < until; ++i) {
      const auto place = queries_->suppression_place(kAccount, subject(i));
      through += figures_.stops.may_have(place) ? 1 : 0;
    }
    return through;
  }

  static constexpr AccountKey kAccount{5};
  std::filesystem::path folder_;
  LiveFigures figures_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  int begins_fail_ = 0;
  std::unique_ptr<Connection> db_;
  std::unique_ptr<SqliteWriteTransaction> transaction_;
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<StopFilterMaker> maker_;
};

TEST_F(MakingAStopFilter, TakesInWhatIsThere) {
  put(0, 5'000);
  EXPECT_EQ(let_through(5'000, 6'000), 1'000);
  make();
  EXPECT_EQ(stopped(0, 5'000), 5'000);
  EXPECT_LT(let_through(5'000, 6'000), 20);
}

TEST_F(MakingAStopFilter, WhatIsPutLaterIsStopped) {
  make();
  put(0, 100);
  EXPECT_EQ(stopped(0, 100), 100);
  EXPECT_LT(let_through(100, 1'100), 20);
}

TEST_F(MakingAStopFilter, WhatIsPutOrChangedMeanwhileIsStopped) {
  put(0, 5'000);
  ASSERT_TRUE(done_or_told(maker_->step()));  // 2,000 of them
  put(5'000, 5'100);
  put(4'000, 5'000);  // not read yet, and written anew
  put(0, 500);        // read, and will be once more
  make();
  EXPECT_EQ(stopped(0, 5'100), 5'100);
  EXPECT_LT(let_through(10'000, 11'000), 20);
}

TEST_F(MakingAStopFilter, GrowsWithTheListAndIsInUseMeanwhile) {
  make();
  constexpr int kMany = static_cast<int>(StopFilter::kEntriesLeast) * 3;
  for (int i = 0; i < kMany; i += 4'096) put(i, i + 4'096);
  ASSERT_TRUE(figures_.stops.crowded());
  begins_fail_ = 1;
  EXPECT_FALSE(maker_->step());
  bool more = true;
  for (int i = 0; more; ++i) {
    more = done_or_told(maker_->step());
    if (i % 8 == 0) put(kMany + i, kMany + i + 1);
    if (i % 16 == 0) ASSERT_EQ(stopped(kMany + i, kMany + i + 1), 1);
  }
  EXPECT_FALSE(figures_.stops.crowded());
  EXPECT_EQ(stopped(0, kMany), kMany);
  EXPECT_LT(let_through(kMany * 2, kMany * 2 + 1'000), 20);
}

}  // namespace
}  // namespace todoku::store::sqlite
