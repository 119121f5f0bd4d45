// SPDX-License-Identifier: Apache-2.0
#include "store/recipient_sample.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SpreadIds, TakesTheFirstTheLastAndOthersEvenlyBetween) {
  const LogRange ranges[] = {{1, 1'001}};
  EXPECT_THAT(spread_ids(ranges, 5), ElementsAre(1, 250, 500, 750, 1'000));
  EXPECT_THAT(spread_ids(ranges, 2), ElementsAre(1, 1'000));
  EXPECT_THAT(spread_ids(ranges, 1), ElementsAre(1));
}

TEST(SpreadIds, PassesOverWhatIsNotOfTheDelivery) {
  // The newest first, as the store tells them.
  const LogRange ranges[] = {{1'000'000, 1'000'002}, {501, 501}, {11, 13}};
  EXPECT_THAT(spread_ids(ranges, 100), ElementsAre(11, 12, 1'000'000, 1'000'001));
  EXPECT_THAT(spread_ids(ranges, 3), ElementsAre(11, 12, 1'000'001));
}

TEST(SpreadIds, TakesNothingOfNothing) {
  EXPECT_THAT(spread_ids({}, 10), IsEmpty());
  const LogRange empty[] = {{5, 5}};
  EXPECT_THAT(spread_ids(empty, 10), IsEmpty());
  const LogRange one[] = {{5, 6}};
  EXPECT_THAT(spread_ids(one, 0), IsEmpty());
}

TEST(SpreadIds, OfTenMillionEachIsAnother) {
  const LogRange ranges[] = {{1, 10'000'001}};
  const auto ids = spread_ids(ranges, 1'000);
  ASSERT_THAT(ids, SizeIs(1'000));
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::less_equal<>()));
  EXPECT_EQ(ids.back(), 10'000'000);
}

}  // namespace
}  // namespace todoku::store
