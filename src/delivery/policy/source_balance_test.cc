// SPDX-License-Identifier: Apache-2.0
// Who hands what to whom, of couriers that all see the same; whole clusters are simulated
// (tests/sim/rivals_test.cc).
#include "delivery/policy/source_balance.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Couriers that look every two seconds; what is handed over is the receiver's at once, if it takes.
class SourceBalanceTest : public ::testing::Test {
 protected:
  void plays(Milliseconds time) {
    for (Milliseconds passed{}; passed < time; passed += seconds(2), now_ += seconds(2)) look();
  }
  void look() {
    for (const CourierSeen& courier : couriers_) {
      const auto given =
          balances_[courier.node].look(couriers_, owned_, courier.node, is_settled_, now_);
      if (!given) continue;
      ASSERT_EQ(owned_.at(*given), courier.node) << "it is its own";
      ++moves_;
      if (takes_) owned_[*given] = fewest_that_could(*given);
    }
  }
  [[nodiscard]] std::size_t count(std::int64_t node) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(owned_, [&](const auto& each) { return each.second == node; }));
  }
  [[nodiscard]] std::int64_t fewest_that_could(const std::string& source) const {
    std::int64_t found = 0;
    for (const CourierSeen& courier : couriers_) {
      if (!courier.could.contains(source)) continue;
      if (found == 0 || count(courier.node) < count(found)) found = courier.node;
    }
    return found;
  }

  const std::set<std::string> all_{"a", "b", "c", "d", "e", "f"};
  std::vector<CourierSeen> couriers_{{1, all_}, {2, all_}, {3, all_}};
  std::map<std::string, std::int64_t> owned_{{"a", 1}, {"b", 1}, {"c", 1},
                                             {"d", 2}, {"e", 2}, {"f", 2}};
  std::map<std::int64_t, SourceBalance> balances_;
  SteadyInstant now_{seconds(1'000)};
  bool is_settled_ = true;
  bool takes_ = true;
  int moves_ = 0;
};

TEST_F(SourceBalanceTest, WhoHasTheFewestIsGivenOneByOne) {
  plays(SourceBalance::kUneven);
  EXPECT_EQ(moves_, 0) << "a difference has to stay";
  plays(minutes(5));
  EXPECT_EQ(moves_, 2);
  for (std::int64_t node = 1; node <= 3; ++node) EXPECT_EQ(count(node), 2U);
}

TEST_F(SourceBalanceTest, ADifferenceOfOneMovesNothing) {
  owned_ = {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 3}};
  plays(minutes(10));
  EXPECT_EQ(moves_, 0);
}

TEST_F(SourceBalanceTest, NobodyIsGivenWhatItCouldNotSendFrom) {
  couriers_[2].could = {"f"};
  plays(minutes(10));
  EXPECT_EQ(owned_.at("f"), 3);
  EXPECT_EQ(moves_, 1);
  couriers_[2].could = {};
  owned_["f"] = 2;
  plays(minutes(10));
  EXPECT_EQ(moves_, 1) << "it has none of the addresses";
}

// 1 could have everything, 3 only what 2 has.
TEST_F(SourceBalanceTest, WhereNotAllCouldHaveAllItComesToAnEnd) {
  couriers_ = {{1, all_}, {2, all_}, {3, {"d", "e"}}};
  owned_ = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 2}, {"e", 2}, {"f", 1}};
  plays(minutes(5));
  const int then = moves_;
  plays(minutes(30));
  EXPECT_EQ(moves_, then);
  EXPECT_GE(count(3), 1U);
  EXPECT_LE(then, 4);
}

TEST_F(SourceBalanceTest, WhoComesAndGoesIsGivenNothing) {
  const std::vector<CourierSeen> with = couriers_;
  const std::vector<CourierSeen> without{with[0], with[1]};
  for (int i = 0; i < 20; ++i) {
    couriers_ = with;
    plays(seconds(16));
    couriers_ = without;
    plays(seconds(4));
  }
  EXPECT_EQ(moves_, 0);
}

TEST_F(SourceBalanceTest, NothingMovesWhileSomethingIsOnItsWay) {
  is_settled_ = false;
  plays(minutes(10));
  EXPECT_EQ(moves_, 0);
}

TEST_F(SourceBalanceTest, WhoDoesNotTakeIsGivenNoneForLong) {
  takes_ = false;
  plays(minutes(9));
  EXPECT_EQ(moves_, 1);
  plays(minutes(11));
  EXPECT_EQ(moves_, 2);
}

}  // namespace
}  // namespace todoku::delivery::policy
