// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_rest.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using What = SourceRest::Change::What;

SourceLook look_with(std::string source, Outcome ptr, std::string same = "ptr_missing") {
  SourceLook look{.source = std::move(source), .seen = {}};
  for (auto& each : look.seen) each.outcome = Outcome::pass;
  look.seen[0] = {.outcome = ptr, .same = std::move(same)};
  return look;
}

class SourceRestTest : public testing::Test {
 protected:
  std::vector<SourceRest::Change> look(Outcome a, std::string same = "ptr_missing") {
    now += 15min;
    return rest.look(pool,
                     std::vector{look_with("a", a, std::move(same)), look_with("b", Outcome::pass)},
                     {}, now);
  }
  std::vector<std::string> pool{"a", "b"};
  SourceRest rest{SourceRest::Options{}};
  SteadyInstant now{};
};

TEST_F(SourceRestTest, TakesThreeEqualFailuresWithinAnHour) {
  EXPECT_THAT(look(Outcome::fail), IsEmpty());
  EXPECT_THAT(look(Outcome::fail), IsEmpty());
  const auto changes = look(Outcome::fail);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].what, What::rests);
  EXPECT_EQ(changes[0].check, SourceCheck::ptr);
  EXPECT_EQ(changes[0].reason, "ptr_missing");
  EXPECT_THAT(rest.resting(), ElementsAre("a"));
  EXPECT_THAT(look(Outcome::fail), IsEmpty()) << "it is told once";
  const auto back = look(Outcome::pass);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].what, What::returns);
  EXPECT_THAT(rest.resting(), IsEmpty());
}

TEST_F(SourceRestTest, CountsOnlyEqualOnesInARow) {
  (void)look(Outcome::fail);
  (void)look(Outcome::fail);
  EXPECT_THAT(look(Outcome::fail, "ptr_differs"), IsEmpty()) << "another failure";
  EXPECT_THAT(look(Outcome::fail, "ptr_differs"), IsEmpty());
  (void)look(Outcome::warning);
  EXPECT_THAT(look(Outcome::fail, "ptr_differs"), IsEmpty()) << "it was good in between";
  EXPECT_THAT(rest.resting(), IsEmpty());
}

TEST_F(SourceRestTest, CountsOnlyThoseOfTheLastHour) {
  (void)look(Outcome::fail);
  now += 35min;
  (void)look(Outcome::fail);
  EXPECT_THAT(look(Outcome::fail), IsEmpty()) << "the first is more than an hour old";
  EXPECT_EQ(look(Outcome::fail).size(), 1U);
}

TEST_F(SourceRestTest, WhatIsNotDeterminedNeverRests) {
  for (int i = 0; i < 100; ++i) EXPECT_THAT(look(Outcome::not_determined), IsEmpty());
  (void)look(Outcome::fail);
  (void)look(Outcome::not_determined);
  (void)look(Outcome::fail);
  EXPECT_EQ(look(Outcome::fail).size(), 1U) << "nor does it make a failure forgotten";
  EXPECT_THAT(look(Outcome::not_determined), IsEmpty());
  now += 1h;
  const auto back = look(Outcome::not_determined);
  ASSERT_EQ(back.size(), 1U) << "nobody has seen it fail for an hour";
  EXPECT_EQ(back[0].what, What::returns);
}

TEST_F(SourceRestTest, TheLastOfThePoolSends) {
  pool = {"a"};
  std::vector<SourceRest::Change> told;
  for (int i = 0; i < 6; ++i) {
    now += 5min;
    const auto changes = rest.look(pool, std::vector{look_with("a", Outcome::fail)}, {}, now);
    told.insert(told.end(), changes.begin(), changes.end());
  }
  ASSERT_EQ(told.size(), 1U) << "and that is told once";
  EXPECT_EQ(told[0].what, What::kept);
  EXPECT_FALSE(rest.rests("a"));
}

TEST_F(SourceRestTest, OneThatOthersSendFromCounts) {
  const std::vector<std::string> others{"b"};
  const auto alone = [&](std::span<const std::string> send) {
    now += 5min;
    return rest.look(pool, std::vector{look_with("a", Outcome::fail)}, send, now);
  };
  (void)alone({});
  (void)alone({});
  ASSERT_EQ(alone({}).size(), 1U);
  EXPECT_FALSE(rest.rests("a")) << "b is configured, and nobody sends from it";
  (void)alone(others);
  EXPECT_TRUE(rest.rests("a"));
  const auto back = alone({});
  ASSERT_GE(back.size(), 1U);
  EXPECT_EQ(back[0].what, What::returns);
  EXPECT_FALSE(rest.rests("a")) << "b has gone";
}

// Two processes, each with one source, that learn of each other late.
TEST_F(SourceRestTest, TwoThatRestAtOnceDoNotGoOnForEver) {
  SourceRest first{SourceRest::Options{}};
  SourceRest second{SourceRest::Options{}};
  const std::vector<std::string> a{"a"};
  const std::vector<std::string> b{"b"};
  const std::vector<std::string> nobody;
  for (int i = 0; i < 3; ++i) {
    now += 5min;
    (void)first.look(pool, std::vector{look_with("a", Outcome::fail)}, b, now);
    (void)second.look(pool, std::vector{look_with("b", Outcome::fail)}, a, now);
  }
  EXPECT_TRUE(first.rests("a") && second.rests("b"));
  int silent = 0;
  for (int i = 0; i < 120; ++i) {
    now += 5s;
    const bool a_sends = !first.rests("a");
    const bool b_sends = !second.rests("b");
    if (!a_sends && !b_sends) ++silent;
    (void)first.reconsider(pool, b_sends ? b : nobody, now);
    (void)second.reconsider(pool, a_sends ? a : nobody, now);
  }
  EXPECT_LE(silent, 1);
  EXPECT_TRUE(first.rests("a")) << "one of them rests in the end";
  EXPECT_FALSE(second.rests("b"));
}

TEST_F(SourceRestTest, MayBeAllowedToRestTheLast) {
  SourceRest all(SourceRest::Options{.last_may_rest = true});
  pool = {"a"};
  for (int i = 0; i < 3; ++i) {
    now += 5min;
    (void)all.look(pool, std::vector{look_with("a", Outcome::fail)}, {}, now);
  }
  EXPECT_TRUE(all.rests("a"));
}

TEST_F(SourceRestTest, TurnedOffItOnlyTells) {
  SourceRest off(SourceRest::Options{.enabled = false});
  std::vector<SourceRest::Change> told;
  for (int i = 0; i < 5; ++i) {
    now += 5min;
    const auto changes = off.look(
        pool, std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::pass)}, {}, now);
    told.insert(told.end(), changes.begin(), changes.end());
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].what, What::kept);
  EXPECT_THAT(off.resting(), IsEmpty());
}

// Whatever the checks say, in whatever order: somebody sends, and without a definite failure in the
// last hour nobody rests.
TEST(SourceRest, NeverRestsTheWholePool) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> pool;
    for (unsigned i = 0; i <= random() % 4; ++i) pool.push_back(std::string(1, char('a' + i)));
    SourceRest rest(SourceRest::Options{});
    SteadyInstant now{};
    std::map<std::string, SteadyInstant> failed;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::minutes(random() % 40);
      std::vector<SourceLook> looks;
      for (const std::string& name : pool) {
        SourceLook look{.source = name, .seen = {}};
        for (auto& each : look.seen) {
          each.outcome = static_cast<Outcome>(random() % 16 < 12 ? 2 : random() % 4);
          each.same = std::string(1, char('x' + random() % 8 / 7));
          if (each.outcome == Outcome::fail) failed[name] = now;
        }
        looks.push_back(std::move(look));
      }
      (void)rest.look(pool, looks, {}, now);
      ASSERT_LT(rest.resting().size(), pool.size()) << "seed " << seed << ", step " << step;
      for (const std::string& name : rest.resting()) {
        ASSERT_TRUE(failed.contains(name)) << "seed " << seed;
        ASSERT_LE(now - failed[name], std::chrono::hours(1)) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace todoku::doctor
