// SPDX-License-Identifier: Apache-2.0
#include "delivery/pace_memory.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::delivery {
namespace {

using policy::PaceReason;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr Instant kNoted = from_epoch_ms(1'800'000'000'000);

store::LanePace lane(std::string site, PaceReason reason = PaceReason::near_limit) {
  return {.source = "s",
          .site = std::move(site),
          .noted = kNoted,
          .pace = 7'500,
          .connections = 4,
          .limit = 10'000,
          .reason = static_cast<std::int64_t>(reason),
          .latency_floor_us = 80'000};
}

TEST(PaceMemory, HandsOnWhatALaneHasLearnt) {
  PaceMemory memory;
  EXPECT_FALSE(memory.of("s", "a.example", kNoted));
  memory.note(lane("a.example"));
  const auto known = memory.of("s", "a.example", kNoted + 90s);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->age, 90s);
  EXPECT_EQ(known->pace, (policy::RememberedPace{.pace = 7.5,
                                                 .connections = 4,
                                                 .limit = 10,
                                                 .reason = PaceReason::near_limit,
                                                 .latency_floor = 80ms}));
  EXPECT_FALSE(memory.of("other", "a.example", kNoted));
}

TEST(PaceMemory, HandsOnHowLongALaneIsSuspended) {
  PaceMemory memory;
  store::LanePace suspended = lane("a.example", PaceReason::suspended);
  suspended.eases_at = kNoted + 1h;
  memory.note(suspended);
  EXPECT_EQ(memory.of("s", "a.example", kNoted)->pace.suspended_for, 1h);
  EXPECT_EQ(memory.of("s", "a.example", kNoted)->pace.reason, PaceReason::near_limit);
}

TEST(PaceMemory, HandsOnToWhatALaneIsSlowedAndForHowLong) {
  PaceMemory memory;
  store::LanePace slowed = lane("a.example", PaceReason::slowed);
  slowed.pace = 500;
  slowed.eases_at = kNoted + 1h;
  memory.note(slowed);
  const auto known = memory.of("s", "a.example", kNoted);
  ASSERT_TRUE(known);
  EXPECT_DOUBLE_EQ(known->pace.slowed_to, 0.5);
  EXPECT_EQ(known->pace.slowed_for, 1h);
  EXPECT_EQ(known->pace.suspended_for, 0h);
  EXPECT_EQ(known->pace.reason, PaceReason::near_limit);
}

TEST(PaceMemory, KeepsNothingOfLanesThatSayNothing) {
  PaceMemory memory;
  store::LanePace quiet = lane("a.example", PaceReason::starting);
  quiet.limit = 0;
  memory.note(quiet);
  EXPECT_EQ(memory.size(), 0U);
  quiet.waiting = 3;
  memory.note(quiet);
  EXPECT_EQ(memory.size(), 1U);
  quiet.waiting = 0;
  memory.note(quiet);
  EXPECT_EQ(memory.take_untold().front().waiting, 0) << "nor is what is known of it left as it was";
}

TEST(PaceMemory, TellsEachChangeOnceAndTheMostTellingFirst) {
  PaceMemory memory({.told_max = 2});
  for (const auto* site : {"a.example", "b.example"}) {
    store::LanePace plain = lane(site, PaceReason::starting);
    plain.limit = 0;
    plain.waiting = 1;
    memory.note(plain);
  }
  memory.note(lane("c.example"));
  const auto first = memory.take_untold();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].site, "c.example");
  EXPECT_EQ(first[0].kept_until, kNoted + 168h);
  EXPECT_EQ(first[1].kept_until, kNoted + 1h);
  EXPECT_THAT(memory.take_untold(), SizeIs(1));
  EXPECT_THAT(memory.take_untold(), IsEmpty());
  memory.not_told(first);
  EXPECT_THAT(memory.take_untold(), SizeIs(2));
}

TEST(PaceMemory, TellsOfEachLaneInTurnHoweverManyThereAre) {
  PaceMemory memory({.told_max = 2});
  std::map<std::string, int> times;
  for (int tidy = 0; tidy < 6; ++tidy) {
    for (int i = 0; i < 4; ++i) {
      store::LanePace busy = lane("site" + std::to_string(i) + ".example");
      busy.noted += 11s * tidy;
      busy.waiting = 1'000 * i + tidy;
      memory.note(busy);
    }
    for (const store::LanePace& told : memory.take_untold()) ++times[told.site];
  }
  EXPECT_THAT(times, SizeIs(4));
  for (const auto& [site, told] : times) EXPECT_EQ(told, 3) << site;
}

TEST(PaceMemory, TellsAgainWhatHasNotChangedBeforeItIsTakenForOver) {
  PaceMemory memory;
  store::LanePace resting = lane("a.example");
  resting.since = kNoted - 1h;
  resting.rests_until = kNoted + 1h;
  memory.note(resting);
  EXPECT_THAT(memory.take_untold(), SizeIs(1));
  for (const auto later : {10s, 20s}) {
    store::LanePace same = resting;
    same.noted += later;
    *same.rests_until += 1ms;
    memory.note(same);
    EXPECT_THAT(memory.take_untold(), IsEmpty());
  }
  resting.noted += 30s;
  memory.note(resting);
  EXPECT_THAT(memory.take_untold(), SizeIs(1));
  resting.connections = 1;
  memory.note(resting);
  EXPECT_THAT(memory.take_untold(), SizeIs(1));
}

TEST(PaceMemory, LearnsFromTheStoreWhatIsLater) {
  PaceMemory memory;
  memory.note(lane("a.example"));
  store::LanePace later = lane("a.example");
  later.noted += 5s;
  later.pace = 1'000;
  store::LanePace earlier = lane("a.example");
  earlier.noted -= 5s;
  memory.learn({later, lane("b.example")});
  memory.learn({earlier});
  EXPECT_DOUBLE_EQ(memory.of("s", "a.example", kNoted)->pace.pace, 1);
  EXPECT_THAT(memory.take_untold(), IsEmpty());
}

TEST(PaceMemory, IsBoundedAndForgetsTheOldestFirst) {
  PaceMemory memory({.lanes_max = 20});
  for (int i = 0; i < 100; ++i) {
    store::LanePace pace = lane("site" + std::to_string(i) + ".example");
    pace.noted += std::chrono::seconds(i);
    memory.note(pace);
    ASSERT_LE(memory.size(), 20U);
  }
  EXPECT_TRUE(memory.of("s", "site99.example", kNoted));
  EXPECT_FALSE(memory.of("s", "site50.example", kNoted));
}

}  // namespace
}  // namespace todoku::delivery
