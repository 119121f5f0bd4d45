// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_rest.h"

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

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
    return rest.look(std::vector{look_with("a", a, std::move(same)), look_with("b", Outcome::pass)},
                     now);
  }
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

TEST_F(SourceRestTest, TheOtherMayBeOfAnotherProcessWhereNothingOfItFails) {
  const auto look_alone = [this](Outcome ptr) {
    now += 15min;
    return rest.look(std::vector{look_with("a", ptr)}, now);
  };
  const auto know = [this](std::string source, bool is_whole, Microseconds age) {
    LookElsewhere other{.source = std::move(source), .at = now - age, .is_whole = is_whole};
    other.passed.fill(true);
    rest.know_elsewhere({other});
  };
  for (int i = 0; i < 2; ++i) EXPECT_THAT(look_alone(Outcome::fail), IsEmpty());
  EXPECT_EQ(look_alone(Outcome::fail).at(0).what, What::kept) << "nobody else is known";
  know("b", true, 2h);
  EXPECT_THAT(rest.reconsider(now), IsEmpty()) << "too long ago";
  know("b", false, 5min);
  EXPECT_THAT(rest.reconsider(now), IsEmpty()) << "it may be about to rest itself";
  know("a", true, 5min);
  EXPECT_THAT(rest.reconsider(now), IsEmpty()) << "the same source, told by another process before";
  know("b", true, 5min);
  const auto rests = rest.reconsider(now);
  ASSERT_EQ(rests.size(), 1U);
  EXPECT_EQ(rests[0].what, What::rests);
  // The other process has gone: this one sends again, for nobody else does, and says so.
  rest.know_elsewhere({});
  const auto back = rest.reconsider(now);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[1].what, What::kept);
  EXPECT_EQ(back[0].what, What::returns);
  EXPECT_EQ(back[0].reason, "no other source of its mail is known to pass the check");
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
  std::vector<SourceRest::Change> told;
  for (int i = 0; i < 6; ++i) {
    now += 5min;
    const auto changes = rest.look(std::vector{look_with("a", Outcome::fail)}, now);
    told.insert(told.end(), changes.begin(), changes.end());
  }
  ASSERT_EQ(told.size(), 1U) << "and that is told once";
  EXPECT_EQ(told[0].what, What::kept);
  EXPECT_FALSE(rest.rests("a"));
}

TEST_F(SourceRestTest, WhatFailsAtAllRestsNobody) {
  std::vector<SourceRest::Change> told;
  for (int i = 0; i < 6; ++i) {
    now += 5min;
    const auto changes =
        rest.look(std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::fail),
                              look_with("c", Outcome::not_determined)},
                  now);
    told.insert(told.end(), changes.begin(), changes.end());
  }
  ASSERT_EQ(told.size(), 2U) << "of each once";
  EXPECT_EQ(told[0].what, What::kept);
  EXPECT_EQ(told[1].what, What::kept);
  EXPECT_THAT(rest.resting(), IsEmpty()) << "of c nothing is known";
}

TEST_F(SourceRestTest, ReturnsWhenTheOtherFailsTheSame) {
  for (int i = 0; i < 3; ++i) (void)look(Outcome::fail);
  ASSERT_TRUE(rest.rests("a"));
  now += 5min;
  const std::vector both{look_with("a", Outcome::fail), look_with("b", Outcome::fail)};
  const auto back = rest.look(both, now);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].what, What::returns);
  EXPECT_EQ(back[0].reason, "no other source of its mail is known to pass the check");
  EXPECT_EQ(back[1].what, What::kept);
  EXPECT_THAT(rest.resting(), IsEmpty());
}

TEST_F(SourceRestTest, RestsForWhatItAloneFails) {
  const auto of = [](std::string name, Outcome port_25) {
    SourceLook look = look_with(std::move(name), Outcome::fail);
    look.seen[3] = {.outcome = port_25, .same = "closed"};
    return look;
  };
  for (int i = 0; i < 3; ++i) {
    now += 5min;
    (void)rest.look(std::vector{of("a", Outcome::fail), of("b", Outcome::pass)}, now);
  }
  EXPECT_THAT(rest.resting(), ElementsAre("a")) << "both have no PTR, a no port 25 either";
}

TEST_F(SourceRestTest, OneThatLeavesIsForgotten) {
  for (int i = 0; i < 3; ++i) (void)look(Outcome::fail);
  ASSERT_TRUE(rest.rests("a"));
  (void)rest.look(std::vector{look_with("b", Outcome::pass)}, now);
  EXPECT_THAT(rest.resting(), IsEmpty());
  EXPECT_THAT(look(Outcome::fail), IsEmpty()) << "it begins anew";
  EXPECT_FALSE(rest.rests("a"));
}

TEST_F(SourceRestTest, TheLastOfEachPoolAndClassSends) {
  const auto resting_with = [this](std::vector<SourceRest::Shared> shared) {
    SourceRest some(SourceRest::Options{.shared = std::move(shared)});
    for (int i = 0; i < 3; ++i) {
      now += 5min;
      (void)some.look(std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::pass),
                                  look_with("c", Outcome::pass)},
                      now);
    }
    return some.resting();
  };
  EXPECT_THAT(resting_with({{.sources = {"a"}}, {.sources = {"b", "c"}}}), IsEmpty())
      << "b and c send nothing of what a does";
  EXPECT_THAT(resting_with({{.sources = {"a", "b"}}, {.sources = {"c"}}}), ElementsAre("a"));
  EXPECT_THAT(resting_with({{.sources = {"a", "b"}}, {.sources = {"a"}}}), IsEmpty())
      << "of two pools it is the last of one";
  EXPECT_THAT(resting_with({{.sources = {"a", "b"}}, {.sources = {"c", "a"}}}), ElementsAre("a"));
  EXPECT_THAT(resting_with({{.sources = {"a"}, .is_open = true}}), ElementsAre("a"))
      << "b is named by none, and so one of an open one";
  EXPECT_THAT(resting_with({{.sources = {"b"}}}), ElementsAre("a")) << "a is in none";
}

TEST_F(SourceRestTest, AnotherProcesssSourceHasToSendTheSame) {
  SourceRest some(SourceRest::Options{.shared = {{.sources = {"a", "far"}}, {.sources = {"b"}}}});
  const auto know = [&](std::string source) {
    LookElsewhere other{.source = std::move(source), .at = now, .is_whole = true};
    other.passed.fill(true);
    some.know_elsewhere({other});
  };
  for (int i = 0; i < 3; ++i) {
    now += 5min;
    know("other");
    (void)some.look(std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::pass)}, now);
  }
  EXPECT_THAT(some.resting(), IsEmpty());
  know("far");
  (void)some.reconsider(now);
  EXPECT_THAT(some.resting(), ElementsAre("a"));
}

TEST_F(SourceRestTest, OfEachMailOneGoesOn) {
  SourceRest some(SourceRest::Options{
      .shared = {{.sources = {"a", "b"}}, {.sources = {"b", "c"}}, {.sources = {"a", "c"}}}});
  for (int i = 0; i < 4; ++i) {
    now += 5min;
    (void)some.look(std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::fail),
                                look_with("c", Outcome::pass)},
                    now);
  }
  EXPECT_THAT(some.resting(), IsEmpty()) << "what a and b send would have nobody";
}

TEST_F(SourceRestTest, MayBeAllowedToRestTheLast) {
  SourceRest all(SourceRest::Options{.last_may_rest = true});
  for (int i = 0; i < 3; ++i) {
    now += 5min;
    (void)all.look(std::vector{look_with("a", Outcome::fail)}, now);
  }
  EXPECT_TRUE(all.rests("a"));
}

TEST_F(SourceRestTest, TurnedOffItOnlyTells) {
  SourceRest off(SourceRest::Options{.enabled = false});
  std::vector<SourceRest::Change> told;
  for (int i = 0; i < 5; ++i) {
    now += 5min;
    const auto changes =
        off.look(std::vector{look_with("a", Outcome::fail), look_with("b", Outcome::pass)}, now);
    told.insert(told.end(), changes.begin(), changes.end());
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].what, What::kept);
  EXPECT_THAT(off.resting(), IsEmpty());
}

// Whatever the checks say, in whatever order: who rests failed within the last hour, and one that
// sends is known to pass what it rests for. So somebody sends.
TEST(SourceRest, RestsOnlyWhereAnotherDoesBetter) {
  bool anybody_rested = false;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> pool;
    for (unsigned i = 0; i <= random() % 4; ++i) pool.push_back(std::string(1, char('a' + i)));
    SourceRest rest(SourceRest::Options{});
    SteadyInstant now{};
    std::map<std::string, SteadyInstant> failed;
    std::map<std::string, std::array<bool, kSourceChecks>> passes;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::minutes(random() % 40);
      std::vector<SourceLook> looks;
      for (const std::string& name : pool) {
        SourceLook look{.source = name, .seen = {}};
        for (std::size_t i = 0; i < kSourceChecks; ++i) {
          auto& each = look.seen[i];
          each.outcome = static_cast<Outcome>(random() % 16 < 12 ? 2 : random() % 4);
          each.same = std::string(1, char('x' + random() % 8 / 7));
          if (each.outcome == Outcome::fail) failed[name] = now;
          if (each.outcome == Outcome::not_determined) continue;
          passes[name][i] = each.outcome != Outcome::fail;
        }
        looks.push_back(std::move(look));
      }
      (void)rest.look(looks, now);
      for (const std::string& name : rest.resting()) {
        anybody_rested = true;
        ASSERT_TRUE(failed.contains(name)) << "seed " << seed;
        ASSERT_LE(now - failed[name], std::chrono::hours(1)) << "seed " << seed;
        bool another_does_better = false;
        for (const std::string& other : pool) {
          for (std::size_t i = 0; i < kSourceChecks && !rest.rests(other); ++i) {
            another_does_better |= passes[other][i] && !passes[name][i];
          }
        }
        ASSERT_TRUE(another_does_better) << "seed " << seed << ", step " << step;
      }
    }
  }
  EXPECT_TRUE(anybody_rested);
}

}  // namespace
}  // namespace todoku::doctor
