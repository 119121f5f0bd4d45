// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/address_indexer.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/schema.h"

namespace todoku::store::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One connection is reader and writer; the recipients are written by hand.
class AddressIndexerTest : public ::testing::Test {
 protected:
  AddressIndexerTest() {
    db_ = std::move(*Connection::open({.path = ":memory:", .vfs = "", .create = true}));
    EXPECT_TRUE(prepare_schema(*db_));
    hash_.emplace(*load_address_hash(*db_));
    indexer_.emplace(
        *db_, *hash_,
        [this](AddressIndexer::Change change) -> Result<void> {
          if (fails_after_ >= 0 && fails_after_-- == 0) {
            return fail(ErrorKind::unavailable, "as asked for");
          }
          return change(*db_);
        },
        AddressIndexer::Limits{.run_entries_min = 300,
                               .run_entries_max = 600,
                               .recent_max = 20,
                               .fan_in = 4,
                               .slice_chunks = 3});
  }

  // A batch of 500 recipients user<first>@example.jp and following, or of one address again and
  // again; returns its first row.
  std::int64_t add_batch(int first, bool all_the_same = false) {
    const std::int64_t batch = ++batches_;
    EXPECT_TRUE(db_->query("INSERT INTO batches(number, delivery, account, traffic, domain,"
                           " first_email_id, capacity, size, removed, open, created, token, holder)"
                           " VALUES(?, 1, 1, 1, 'example.jp', 1, 500, 500, 0, 500, 0, 0, 0)")
                    .bind(batch)
                    .run());
    for (int i = 0; i < 500; ++i) {
      const std::string address = fmt::format("user{}@", all_the_same ? first : first + i);
      EXPECT_TRUE(db_->query("INSERT INTO recipients(id, address) VALUES(?, ?)")
                      .bind(recipient_row(batch, i), std::string_view(address))
                      .run());
    }
    return first_row(batch);
  }
  int work() {
    int steps = 0;
    for (;;) {
      const auto worked = indexer_->step();
      EXPECT_TRUE(worked) << worked.error().detail;
      if (!worked || !*worked) return steps;
      ++steps;
    }
  }
  std::vector<std::int64_t> find(int user) { return find(fmt::format("USER{}@Example.JP", user)); }
  std::vector<std::int64_t> find(const std::string& address) {
    std::vector<std::int64_t> rows;
    std::optional<std::int64_t> below = std::numeric_limits<std::int64_t>::max();
    while (below) {
      auto found = find_address(*db_, *hash_, address, *below, 100);
      EXPECT_TRUE(found) << found.error().detail;
      if (!found) break;
      rows.insert(rows.end(), found->rows.begin(), found->rows.end());
      below = found->next;
    }
    return rows;
  }
  std::int64_t count(Sql sql) { return db_->integer(sql).value_or(-1); }

  std::unique_ptr<Connection> db_;
  std::optional<AddressHash> hash_;
  std::optional<AddressIndexer> indexer_;
  int batches_ = 0;
  int fails_after_ = -1;
};

TEST_F(AddressIndexerTest, EverythingIsFoundBeforeAndAfterMerging) {
  std::vector<std::int64_t> firsts;
  for (int batch = 0; batch < 60; ++batch) {
    firsts.push_back(add_batch(batch * 500));
    ASSERT_THAT(find(batch * 500 + 499), ElementsAre(firsts.back() + 499));
    work();
  }
  EXPECT_LT(count("SELECT count(*) FROM address_runs WHERE state = 2"), 12);
  EXPECT_EQ(count("SELECT count(*) FROM address_runs WHERE state <> 2"), 0);
  EXPECT_EQ(count("SELECT sum(entries) FROM address_runs"), 60 * 500);
  EXPECT_EQ(count("SELECT sum(chunks) FROM address_runs"),
            count("SELECT count(*) FROM address_chunks"));
  for (int user = 0; user < 30'000; ++user) {
    ASSERT_THAT(find(user), ElementsAre(firsts[static_cast<std::size_t>(user / 500)] + user % 500));
  }
  for (int user = 30'000; user < 31'000; ++user) ASSERT_THAT(find(user), IsEmpty());
}

TEST_F(AddressIndexerTest, AnAddressInManyRunsIsFoundNewestFirst) {
  std::vector<std::int64_t> firsts;
  for (int batch = 0; batch < 9; ++batch) {
    firsts.insert(firsts.begin(), add_batch(0));
    if (batch < 8) work();
  }
  EXPECT_EQ(find(0), firsts);
}

// Hashes are looked for where they would lie if they were uniform.
TEST_F(AddressIndexerTest, OneAddressMayFillMostOfTheIndex) {
  for (int batch = 0; batch < 64; ++batch) {
    add_batch(batch % 16 == 5 ? batch * 500 : 7, batch % 16 != 5);
    work();
  }
  for (const int batch : {5, 21, 37, 53}) {
    for (int i = 0; i < 500; ++i) {
      ASSERT_THAT(find(batch * 500 + i), ElementsAre(first_row(batch + 1) + i));
    }
  }
  EXPECT_THAT(find(7), ::testing::SizeIs(60 * 500));
}

TEST_F(AddressIndexerTest, RecentAddressesGoIntoARun) {
  add_batch(0);
  work();
  const std::string moved = "moved@example.jp";
  for (int i = 0; i < 25; ++i) {
    const auto hash = static_cast<std::int64_t>((*hash_)(i == 3 ? moved : fmt::format("x{}", i)));
    ASSERT_TRUE(db_->query("INSERT INTO address_recent(recipient, hash) VALUES(?, ?)")
                    .bind(recipient_row(1, i), hash)
                    .run());
  }
  const auto find_moved = [&] { return find(moved); };
  EXPECT_THAT(find_moved(), ElementsAre(recipient_row(1, 3)));
  EXPECT_GE(work(), 1);
  EXPECT_EQ(count("SELECT count(*) FROM address_recent"), 0);
  EXPECT_THAT(find_moved(), ElementsAre(recipient_row(1, 3)));
}

TEST_F(AddressIndexerTest, RunsOfPurgedRecipientsGoAway) {
  for (int batch = 0; batch < 10; ++batch) add_batch(batch * 500);
  work();
  ASSERT_EQ(count("SELECT sum(entries) FROM address_runs"), 4'800) << "two merged runs";
  ASSERT_TRUE(db_->query("DELETE FROM recipients WHERE id < ?").bind(first_row(10)).run());
  work();
  EXPECT_EQ(count("SELECT sum(entries) FROM address_runs"), 2'400) << "one has living entries";
  EXPECT_THAT(find(9 * 500), ElementsAre(first_row(10)));
  ASSERT_TRUE(db_->query("DELETE FROM recipients").run());
  work();
  EXPECT_THAT(find(9 * 500), ::testing::SizeIs(::testing::Le(1U)))
      << "a stale entry is allowed, others are not";
}

TEST_F(AddressIndexerTest, AnyWriteMayFailAndAllIsFoundAllTheSame) {
  for (int failing = 0; failing < 60; ++failing) {
    add_batch(failing * 500);
    fails_after_ = failing % 11;
    for (;;) {
      const auto worked = indexer_->step();
      if (!worked) {
        ASSERT_EQ(worked.error().kind, ErrorKind::unavailable);
        fails_after_ = -1;
        ASSERT_TRUE(indexer_->recover());
        continue;
      }
      if (!*worked) break;
    }
    fails_after_ = -1;
    for (int user = failing % 7; user < (failing + 1) * 500; user += 97) {
      ASSERT_THAT(find(user), ElementsAre(first_row(1 + user / 500) + user % 500));
    }
  }
  EXPECT_EQ(count("SELECT sum(chunks) FROM address_runs"),
            count("SELECT count(*) FROM address_chunks"));
}

TEST_F(AddressIndexerTest, ADamagedChunkIsAnError) {
  for (int batch = 0; batch < 4; ++batch) add_batch(batch * 500);
  work();
  ASSERT_TRUE(db_->execute("UPDATE address_chunks SET entries = x'00112233'"));
  const auto found =
      find_address(*db_, *hash_, "user1@example.jp", std::numeric_limits<std::int64_t>::max(), 100);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace todoku::store::sqlite
