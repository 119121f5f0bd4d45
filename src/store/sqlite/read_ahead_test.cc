// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/read_ahead.h"

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/schema.h"

namespace todoku::store::sqlite {
namespace {

class ReadAheadTest : public ::testing::Test {
 protected:
  // Connections to databases of their own, whose looks are counted.
  std::unique_ptr<ReadAhead> make(bool prepared) {
    std::vector<std::unique_ptr<Connection>> connections;
    for (int i = 0; i < 3; ++i) {
      auto db = std::move(*Connection::open({.path = ":memory:", .vfs = "", .create = true}));
      if (prepared) {
        EXPECT_TRUE(prepare_schema(*db));
      }
      sqlite3_trace_v2(db->raw(), SQLITE_TRACE_STMT, &ReadAheadTest::begun, this);
      connections.push_back(std::move(db));
    }
    auto ahead = std::make_unique<ReadAhead>(
        std::move(connections), figures_, *AddressHash::from_secret(std::string(16, 's')), clock_);
    ahead->start();
    return ahead;
  }
  static int begun(unsigned /*event*/, void* self, void* statement, void* /*text*/) {
    const std::string_view sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
    if (sql.starts_with("SELECT") && sql.find(" FROM batches ") != std::string_view::npos) {
      ++static_cast<ReadAheadTest*>(self)->looks_;
    }
    return 0;
  }

  SystemClock system_;
  ForwardClock clock_{system_};
  LiveFigures figures_;
  std::atomic<int> looks_{0};
};

TEST_F(ReadAheadTest, EachBatchIsLookedAt) {
  const auto ahead = make(true);
  const std::vector<std::int64_t> rows{first_row(7), first_row(5), first_row(3)};
  ahead->batches(rows);
  ahead->stories(AccountKey{1}, {});
  ahead->stop();
  EXPECT_EQ(looks_, 3);
}

TEST_F(ReadAheadTest, OfNeighboursNoneIsLookedAt) {
  const auto ahead = make(true);
  const std::vector<PublicId> near{1'020, 1'019, 1'018, 1'000};
  ahead->stories(AccountKey{1}, near);
  const std::vector<PublicId> far{9'000, 8'000, 7'999, 7'000, 6'000};
  ahead->stories(AccountKey{1}, far);
  ahead->stop();
  EXPECT_EQ(looks_, 3) << "8,000, 7,000 and 6,000; the first is read by who asked";
}

TEST_F(ReadAheadTest, ALookThatFailsIsNobodysConcern) {
  const auto ahead = make(false);  // there are no tables
  const std::vector<std::int64_t> rows(5'000, first_row(7));
  ahead->batches(rows);  // more than may wait
  ahead->stop();
  ahead->batches(rows);
  EXPECT_EQ(looks_, 0);
}

}  // namespace
}  // namespace todoku::store::sqlite
