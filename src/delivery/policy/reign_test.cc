// SPDX-License-Identifier: Apache-2.0
// Who leads (reign.h), whose a source is (source_watch.h), and what both go by (renewal_watch.h).
// Several of them share a store here whose clock leaps; each has its own steady clock.
#include "delivery/policy/reign.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/policy/source_watch.h"

namespace todoku::delivery::policy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Milliseconds kHalf(500);

// ---- who leads ---------------------------------------------------------------------------------

class ReignTest : public ::testing::Test {
 protected:
  static constexpr Milliseconds kLength = seconds(8);
  static constexpr std::int64_t kMe = 1;
  static constexpr std::int64_t kOther = 2;

  bool may_take(std::optional<RenewalWatch::Seen> leader) {
    return reign_.may_take(leader, kMe, now_, now_ + Milliseconds(10));
  }
  // The other's row, renewed at `renewed` of the store's time.
  [[nodiscard]] static RenewalWatch::Seen others(Instant renewed) {
    return {.node = kOther, .until = renewed + kLength};
  }
  // Looks every second for as long, at a row that nobody renews. Whether it may be taken at the
  // end, and not before.
  bool only_after(Milliseconds time, const RenewalWatch::Seen& leader) {
    for (Milliseconds passed(0); passed < time; passed += seconds(1), now_ += seconds(1)) {
      if (may_take(leader)) return false;
    }
    return may_take(leader);
  }

  Reign reign_{kLength};
  SteadyInstant now_{seconds(1'000)};
  Instant store_{seconds(5'000)};
};

TEST_F(ReignTest, WhatIsFreeIsTakenAtOnce) {
  EXPECT_TRUE(may_take(std::nullopt));
}

TEST_F(ReignTest, WhatIsOursByTheStoreIsTakenAtOnce) {
  EXPECT_TRUE(may_take(RenewalWatch::Seen{.node = kMe, .until = store_}))
      << "the answer to the last question was lost";
}

TEST_F(ReignTest, WhoeverLeadsStopsTwoSecondsBeforeTheStoreLetsIt) {
  EXPECT_FALSE(reign_.leads(now_));
  reign_.confirmed(now_);
  EXPECT_TRUE(reign_.leads(now_ + seconds(6) - Milliseconds(1)));
  EXPECT_FALSE(reign_.leads(now_ + seconds(6)));
  reign_.confirmed(now_ + seconds(2));
  EXPECT_TRUE(reign_.leads(now_ + seconds(7)));
  reign_.lost();
  EXPECT_FALSE(reign_.leads(now_ + seconds(3)));
}

TEST_F(ReignTest, ADeathIsWaitedOut) {
  EXPECT_TRUE(only_after(seconds(9), others(store_))) << "eight, and what an answer takes";
}

TEST_F(ReignTest, ALeaderThatRenewsIsLeftAlone) {
  for (int i = 0; i < 100; ++i, now_ += seconds(1)) {
    EXPECT_FALSE(may_take(others(store_ + seconds(i - i % 2))));
  }
}

TEST_F(ReignTest, AReignThatLapsedByALeapOfTheStoresClockIsWaitedOutAllTheSame) {
  // Its row is as it was; only the store's now is ten minutes later, or earlier.
  EXPECT_FALSE(may_take(others(store_)));
  now_ += seconds(1);
  EXPECT_FALSE(may_take(others(store_ - minutes(10)))) << "never heard of: it may lead for long";
  EXPECT_TRUE(only_after(seconds(9), others(store_ - minutes(10))));
}

TEST_F(ReignTest, ARenewalByAClockThatLeaptIsARenewal) {
  EXPECT_FALSE(may_take(others(store_)));
  now_ += seconds(7);
  EXPECT_FALSE(may_take(others(store_ - minutes(10)))) << "the clock went back, and it renewed";
  now_ += seconds(7);
  EXPECT_FALSE(may_take(others(store_ + minutes(10)))) << "and forth";
}

TEST_F(ReignTest, WhoStoodStillHasSeenNothingMeanwhile) {
  EXPECT_FALSE(may_take(others(store_)));
  now_ += seconds(60);
  EXPECT_FALSE(may_take(others(store_ + seconds(60)))) << "it has renewed all the time";
  EXPECT_TRUE(only_after(seconds(9), others(store_ + seconds(60))));
}

TEST_F(ReignTest, AVoidLeadersReignIsTakenAtOnce) {
  EXPECT_TRUE(may_take(RenewalWatch::Seen{.node = kOther, .until = store_, .is_void = true}));
}

// However the answers are late: who takes over has waited from after the last renewal could have
// been asked for.
TEST_F(ReignTest, TheOldHasStoppedBeforeTheNewBegins) {
  for (Milliseconds late(0); late < seconds(10); late += kHalf) {
    Reign old_one{kLength};
    Reign new_one{kLength};
    SteadyInstant now{seconds(1'000)};
    Instant row = store_;
    std::optional<SteadyInstant> taken;
    for (int step = 0; step < 100 && !taken; ++step, now += kHalf) {
      // Renews every two seconds until it stands still after the fifth, each answered late.
      if (step % 4 == 0 && step <= 20) {
        old_one.confirmed(now);
        row += seconds(2);
      }
      const RenewalWatch::Seen seen{.node = kOther, .until = row};
      if (new_one.may_take(seen, kMe, now, now + late)) taken = now;
    }
    ASSERT_TRUE(taken) << late.count();
    EXPECT_FALSE(old_one.leads(*taken)) << late.count();
  }
}

// ---- whose a source is -------------------------------------------------------------------------

class SourceWatchTest : public ::testing::Test {
 protected:
  static constexpr Milliseconds kLease = seconds(15);
  static constexpr std::int64_t kMe = 1;
  static constexpr std::int64_t kOther = 2;

  SourceWatch::Steps look(const std::vector<SourceSeen>& owners, Milliseconds after = seconds(2)) {
    now_ += after;
    return watch_.look(configured_, owners, kMe, now_, now_ + Milliseconds(10));
  }
  [[nodiscard]] SourceSeen of(std::int64_t node, const std::string& name) const {
    return {.source = name, .node = node, .left = kLease, .until = until_};
  }
  [[nodiscard]] SourceSeen dead(const std::string& name) const {
    return {.source = name, .node = kOther, .left = -kLease, .until = until_, .is_void = true};
  }

  std::vector<SourceWatch::Configured> configured_{{"a"}, {"b"}};
  SourceWatch watch_{kLease};
  SteadyInstant now_{seconds(1'000)};
  Instant until_{seconds(5'000)};
};

TEST_F(SourceWatchTest, FreeSourcesAreTakenOneAtATime) {
  const auto first = look({});
  EXPECT_THAT(first.owned, IsEmpty());
  ASSERT_TRUE(first.take);
  const auto second = look({of(kMe, *first.take)});
  EXPECT_THAT(second.owned, ElementsAre(*first.take));
  ASSERT_TRUE(second.take);
  EXPECT_NE(*second.take, *first.take);
  const auto all = look({of(kMe, "b"), of(kMe, "a")});
  EXPECT_THAT(all.owned, ElementsAre("a", "b")) << "in the order of the configuration";
  EXPECT_FALSE(all.take);
}

TEST_F(SourceWatchTest, WhoHasOneLeavesAFreeOneToOthersFirst) {
  EXPECT_FALSE(look({of(kMe, "a"), of(kOther, "b")}).take);
  EXPECT_FALSE(look({of(kMe, "a")}).take) << "it has just been given up";
  EXPECT_EQ(look({of(kMe, "a")}, SourceWatch::kOthersFirst).take, "b") << "nobody wanted it";
}

TEST_F(SourceWatchTest, CouriersThatBeginTogetherTryDifferentOnes) {
  std::set<std::string> tried;
  for (std::int64_t node = 1; node <= 20; ++node) {
    SourceWatch watch{kLease};
    const SteadyInstant now{seconds(1)};
    tried.insert(watch.look(configured_, {}, node, now, now).take.value_or(""));
  }
  EXPECT_THAT(tried, ElementsAre("a", "b"));
}

TEST_F(SourceWatchTest, ASecondCourierStandsBy) {
  for (int i = 0; i < 100; ++i, until_ += seconds(i % 2 == 0 ? 3 : 0)) {
    const auto steps = look({of(kOther, "a"), of(kOther, "b")});
    EXPECT_FALSE(steps.take);
    EXPECT_THAT(steps.owned, IsEmpty());
  }
}

TEST_F(SourceWatchTest, WhatWasGivenUpIsTakenAtOnce) {
  EXPECT_FALSE(look({of(kOther, "a"), of(kOther, "b")}).take);
  EXPECT_EQ(look({of(kOther, "a")}).take, "b");
}

TEST_F(SourceWatchTest, ADeathIsWaitedOut) {
  EXPECT_FALSE(look({of(kOther, "a"), of(kOther, "b")}).take);
  // The store's clock has leapt: it says at once that the lease is over.
  for (Milliseconds waited = seconds(2); waited <= seconds(14); waited += seconds(2)) {
    EXPECT_FALSE(look({dead("a"), dead("b")}).take) << waited.count();
  }
  EXPECT_TRUE(look({dead("a"), dead("b")}).take);
}

TEST_F(SourceWatchTest, WhoComesLaterWaitsFromThen) {
  EXPECT_FALSE(look({dead("a"), dead("b")}).take);
  EXPECT_FALSE(look({dead("a"), dead("b")}, seconds(15)).take) << "the answer was not there yet";
  EXPECT_TRUE(look({dead("a"), dead("b")}, kHalf).take);
}

TEST_F(SourceWatchTest, ADeadOwnerThatIsGoneIsNoNewOne) {
  EXPECT_FALSE(look({dead("a"), dead("b")}).take);
  until_ = Instant{};  // its row has gone, and so has the end of its lease
  EXPECT_TRUE(look({dead("a"), dead("b")}, seconds(16)).take);
}

TEST_F(SourceWatchTest, ALapseAloneIsNoDeath) {
  SourceSeen lapsed = of(kOther, "a");
  lapsed.left = -minutes(10);
  EXPECT_EQ(look({lapsed, of(kOther, "b")}, minutes(1)).take, std::nullopt);
  EXPECT_EQ(look({lapsed, of(kOther, "b")}, minutes(1)).take, std::nullopt);
}

TEST_F(SourceWatchTest, WhatIsNotOnThisHostIsNotTaken) {
  configured_[0].is_here = false;
  EXPECT_EQ(look({}).take, "b");
  EXPECT_FALSE(look({of(kMe, "b")}).take);
}

TEST_F(SourceWatchTest, ASourceWhoseAddressGoesEndsAndIsGivenUpWhenNothingUsesIt) {
  EXPECT_THAT(look({of(kMe, "a"), of(kMe, "b")}).owned, ElementsAre("a", "b"));
  configured_[0].is_here = false;
  auto steps = look({of(kMe, "a"), of(kMe, "b")});
  EXPECT_THAT(steps.owned, ElementsAre("b")) << "first nothing more is begun";
  EXPECT_THAT(steps.give, IsEmpty());
  EXPECT_TRUE(steps.ending);
  configured_[0].in_use = true;
  EXPECT_THAT(look({of(kMe, "a"), of(kMe, "b")}).give, IsEmpty());
  configured_[0] = {.name = "a", .is_here = true, .in_use = true};
  steps = look({of(kMe, "a"), of(kMe, "b")});
  EXPECT_THAT(steps.owned, ElementsAre("b")) << "what has begun to end ends";
  configured_[0].in_use = false;
  steps = look({of(kMe, "a"), of(kMe, "b")});
  EXPECT_THAT(steps.give, ElementsAre("a"));
  EXPECT_FALSE(steps.ending);
  EXPECT_FALSE(look({of(kMe, "b")}).take) << "others first";
  EXPECT_EQ(look({of(kMe, "b")}).take, "a") << "and begins anew";
}

TEST_F(SourceWatchTest, WhatStaysInUseIsGivenUpAfterALease) {
  configured_[0] = {.name = "a", .is_here = false, .in_use = true};
  EXPECT_THAT(look({of(kMe, "a")}).give, IsEmpty());
  EXPECT_THAT(look({of(kMe, "a")}, seconds(14)).give, IsEmpty());
  EXPECT_THAT(look({of(kMe, "a")}, seconds(1)).give, ElementsAre("a"));
}

TEST_F(SourceWatchTest, WhatIsNotConfiguredAnyMoreIsGivenUp) {
  EXPECT_TRUE(look({of(kMe, "old")}).ending);
  EXPECT_THAT(look({of(kMe, "old")}).give, ElementsAre("old"));
}

// ---- which live --------------------------------------------------------------------------------

TEST(LivingWatch, SourcesLiveAsLongAsTheirOwners) {
  LivingWatch watch{seconds(15)};
  SteadyInstant now{seconds(1'000)};
  const Instant until{seconds(5'000)};
  const auto look = [&](const std::vector<SourceSeen>& owners) {
    now += seconds(2);
    return watch.look(owners, now, now);
  };
  SourceSeen a{.source = "a", .node = 1, .left = seconds(15), .until = until};
  SourceSeen b{.source = "b", .node = 2, .left = seconds(15), .until = until};
  EXPECT_THAT(look({b, a}), ElementsAre("a", "b"));
  a.left = -minutes(10);
  b.left = -minutes(10);
  EXPECT_THAT(look({a, b}), ElementsAre("a", "b")) << "the store's clock may have leapt";
  for (int i = 0; i < 10; ++i) {
    b.until += seconds(2);
    (void)look({a, b});
  }
  EXPECT_THAT(look({a, b}), ElementsAre("b")) << "one has renewed since";
  b.is_void = true;
  EXPECT_THAT(look({a, b}), IsEmpty());
}

}  // namespace
}  // namespace todoku::delivery::policy
