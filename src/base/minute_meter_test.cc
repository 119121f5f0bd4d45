// SPDX-License-Identifier: Apache-2.0
#include "base/minute_meter.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace todoku {
namespace {

using namespace std::chrono_literals;

constexpr SteadyInstant kBegin{1h};

// How long it is until that fits; zero: it was counted.
Milliseconds wait_of(MinuteMeter& meter, const std::string& name, std::int64_t amount,
                     std::int64_t most, SteadyInstant now) {
  const std::array<MinuteMeter::Limit, 1> limit{{{name, most}}};
  const auto excess = meter.admit(limit, amount, now);
  return excess ? excess->wait : 0ms;
}

TEST(MinuteMeter, CountsByNameAndMinute) {
  MinuteMeter meter;
  EXPECT_EQ(wait_of(meter, "a", 2, 3, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "a", 2, 3, kBegin + 20s), 40s);
  EXPECT_EQ(wait_of(meter, "a", 1, 3, kBegin + 20s), 0ms);
  EXPECT_EQ(wait_of(meter, "b", 3, 3, kBegin + 20s), 0ms);
  EXPECT_EQ(wait_of(meter, "a", 2, 3, kBegin + 60s), 0ms);
  EXPECT_EQ(wait_of(meter, "none", 1'000, 0, kBegin), 0ms);
}

TEST(MinuteMeter, LetsWhatIsLargerThanTheLimitPassAloneAndWaitsForItsMinutes) {
  MinuteMeter meter;
  EXPECT_EQ(wait_of(meter, "a", 10, 3, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "a", 3, 3, kBegin + 1s), 4min - 1s);
  EXPECT_EQ(wait_of(meter, "a", 2, 3, kBegin + 1s), 3min - 1s);
  EXPECT_EQ(wait_of(meter, "a", 10, 3, kBegin + 3min), 1min) << "one octet is left to pay for";
  EXPECT_EQ(wait_of(meter, "a", 2, 3, kBegin + 3min), 0ms);
  EXPECT_EQ(wait_of(meter, "a", 10, 3, kBegin + 4min), 0ms);
}

TEST(MinuteMeter, CountsByAllOrByNone) {
  MinuteMeter meter;
  const std::array<MinuteMeter::Limit, 2> both{{{"a", 5}, {"b", 2}}};
  EXPECT_FALSE(meter.admit(both, 2, kBegin));
  const auto excess = meter.admit(both, 1, kBegin);
  ASSERT_TRUE(excess);
  EXPECT_EQ(excess->which, 1U);
  EXPECT_EQ(wait_of(meter, "a", 3, 5, kBegin), 0ms) << "what was refused was not counted";
  meter.count(both, 100, kBegin);
  EXPECT_EQ(wait_of(meter, "a", 1, 5, kBegin), 21min) << "what cannot be refused is waited for";
}

TEST(MinuteMeter, HoldsSoManyNamesAndNoMore) {
  MinuteMeter meter(2);
  EXPECT_EQ(wait_of(meter, "a", 1, 1, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "b", 1, 1, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "c", 1, 1, kBegin), 0ms);  // uncounted
  EXPECT_GT(wait_of(meter, "a", 1, 1, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "c", 1, 1, kBegin + 1min), 0ms);
  EXPECT_GT(wait_of(meter, "c", 1, 1, kBegin + 1min), 0ms);
}

TEST(MinuteMeter, WhatCameToNothingIsForOthers) {
  MinuteMeter meter;
  const std::array<MinuteMeter::Limit, 2> both{{{"a", 3}, {"b", 0}}};
  EXPECT_FALSE(meter.admit(both, 3, kBegin));
  EXPECT_TRUE(meter.admit(both, 1, kBegin + 1s));
  meter.give_back(both, 1, kBegin);
  EXPECT_FALSE(meter.admit(both, 1, kBegin + 1s));
  EXPECT_TRUE(meter.admit(both, 1, kBegin + 1s));
  // It is a minute later, and what is in it was taken by others.
  EXPECT_FALSE(meter.admit(both, 3, kBegin + 61s));
  meter.give_back(both, 3, kBegin + 1s);
  EXPECT_TRUE(meter.admit(both, 1, kBegin + 61s));
  EXPECT_EQ(meter.use_of("a", kBegin + 61s)->used, 3);
  meter.give_back(both, 30, kBegin + 61s);
  EXPECT_EQ(meter.use_of("a", kBegin + 61s)->used, 0);
  EXPECT_FALSE(meter.use_of("b", kBegin));
}

TEST(MinuteMeter, ALowerLimitMakesNoDebt) {
  MinuteMeter meter;
  EXPECT_EQ(wait_of(meter, "a", 500, 1'000, kBegin), 0ms);
  EXPECT_EQ(wait_of(meter, "a", 1, 2, kBegin + 20s), 40s);
  EXPECT_EQ(wait_of(meter, "a", 1, 2, kBegin + 60s), 0ms);
}

}  // namespace
}  // namespace todoku
