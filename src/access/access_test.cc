// SPDX-License-Identifier: Apache-2.0
#include "access/access.h"

#include <gtest/gtest.h>

namespace todoku::access {
namespace {

using std::chrono::seconds;

TEST(BearerToken, MatchesTheVectorsOfTheContract) {
  EXPECT_EQ(bearer_token("blastengine", "ABCDEFG"),
            "MWYwZWVlOGZjMTIwNjc2ZmM1ODk0OTJmMTUyMjhlZmIzZDAyMWYwYWVlNGIwMDZlZmIyN2M3ZWUzM2Y1ZDZj"
            "OQ==");
  EXPECT_EQ(bearer_token("testUserId", "testApiKey"),
            "NGY4YjlhNzE0OWYzMTFiNDE5OTJhMmJlYTQxMDlkMmE4MmY1MTNhZWVjNWVhZDRiOGFkNzgxYzZmZmY3MTZj"
            "Ng==");
}

TEST(RateLimit, CountsByWindowAndAccount) {
  RateLimit limit(2);
  const SteadyInstant start(seconds(100));
  const store::AccountKey one{1};
  EXPECT_EQ(limit.admit(one, start).remaining, 1U);
  EXPECT_TRUE(limit.admit(one, start).allowed);
  const auto refused = limit.admit(one, start + seconds(20));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after_seconds, 40U);
  EXPECT_EQ(limit.remaining(one, start + seconds(20)), 0U);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 2U);
  EXPECT_TRUE(limit.admit(store::AccountKey{2}, start).allowed);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 1U);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 1U) << "to look is not to ask";
  EXPECT_EQ(limit.remaining(one, start + seconds(60)), 2U);
  EXPECT_TRUE(limit.admit(one, start + seconds(60)).allowed);
}

}  // namespace
}  // namespace todoku::access
