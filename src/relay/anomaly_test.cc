// SPDX-License-Identifier: Apache-2.0
#include "relay/anomaly.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_counts.h"

namespace todoku::relay {
namespace {

using namespace std::chrono_literals;
using ::testing::Eq;
using ::testing::HasSubstr;

// A Monday, 00:00 UTC.
constexpr Instant kMonday = from_epoch_ms(1'767'571'200'000);

net::IpAddress client(std::string_view text) {
  return net::IpAddress::parse(text).value();
}

CredentialUse mail_from(std::string_view where, std::int64_t recipients) {
  CredentialUse use;
  use.add(client(where), recipients);
  return use;
}

CredentialUse outcomes(std::int64_t ended, std::int64_t unknown) {
  return {.recipients = {}, .ended = ended, .unknown = unknown};
}

class AnomalyTest : public ::testing::Test {
 protected:
  // So many recipients in each of `hours` hours of each day.
  void live(int days, int hours, std::int64_t recipients) {
    for (int day = 0; day < days; ++day) {
      for (int hour = 0; hour < hours; ++hour) {
        absorb(habits_, mail_from("192.0.2.1", recipients), limits_, now_ + hour * 1h);
        ASSERT_FALSE(judge(habits_, limits_, now_ + hour * 1h));
      }
      now_ += 24h;
    }
  }
  [[nodiscard]] std::string verdict() const {
    const auto anomaly = judge(habits_, limits_, now_);
    return anomaly ? std::string(to_string(anomaly->kind)) + ": " + anomaly->because : "usual";
  }
  void does(const CredentialUse& use) { absorb(habits_, use, limits_, now_); }

  AnomalyLimits limits_;
  Habits habits_;
  Instant now_ = kMonday;
};

TEST_F(AnomalyTest, MuchMoreThanUsualIsOdd) {
  live(10, 8, 300);
  does(mail_from("192.0.2.1", 3'000));
  EXPECT_EQ(verdict(), "usual") << "ten times as much is the limit itself";
  does(mail_from("192.0.2.1", 1));
  EXPECT_EQ(verdict(), "volume: 3001 recipients in this hour, where 300 are usual");
  now_ += 1h;
  EXPECT_EQ(verdict(), "usual") << "the hour is over";
  limits_.volume_factor = 0;
  does(mail_from("192.0.2.1", 1'000'000));
  EXPECT_EQ(verdict(), "usual") << "it is switched off";
}

TEST_F(AnomalyTest, LittleIsNeverOddAndWhatIsYoungMayDoMore) {
  live(10, 1, 2);
  does(mail_from("192.0.2.1", 1'000));
  EXPECT_EQ(verdict(), "usual") << "the floor";
  does(mail_from("192.0.2.1", 1));
  EXPECT_THAT(verdict(), HasSubstr("where 2 are usual"));

  habits_ = {};
  does(mail_from("192.0.2.1", 100'000));
  EXPECT_EQ(verdict(), "usual") << "nothing is usual yet";
  does(mail_from("192.0.2.1", 1));
  EXPECT_EQ(verdict(), "volume: 100001 recipients in this hour, and it is new");
}

TEST_F(AnomalyTest, AMonthlyNewsletterStaysUsual) {
  live(8, 1, 100);
  for (int month = 0; month < 6; ++month) {
    does(mail_from("192.0.2.1", 50'000));
    if (month == 0) forgive(habits_, now_);  // somebody said so, once
    EXPECT_EQ(verdict(), "usual") << "month " << month;
    now_ += 30 * 24h;
  }
}

TEST_F(AnomalyTest, VolumeFromWhereItNeverWasIsOdd) {
  live(10, 8, 300);
  does(mail_from("198.51.100.7", 999));
  EXPECT_EQ(verdict(), "usual") << "little from a new place is a person who travels";
  does(mail_from("2001:db8::", 1));
  EXPECT_EQ(verdict(),
            "network: 1000 recipients today from 2001:db8::, where it never came from before");
  forgive(habits_, now_);
  does(mail_from("2001:db8::", 1'500));
  EXPECT_EQ(verdict(), "usual") << "somebody said that it may";
}

TEST_F(AnomalyTest, TheMachineItselfIsNoNewNetwork) {
  live(10, 1, 5'000);
  CredentialUse use;
  use.add(net::client_of(net::IpAddress()), 5'000);
  does(use);
  EXPECT_EQ(verdict(), "usual");
  does(mail_from("198.51.100.7", 5'000));
  EXPECT_NE(verdict(), "usual");
}

TEST_F(AnomalyTest, APlaceIsFamiliarAfterADay) {
  live(10, 8, 300);
  does(mail_from("198.51.100.7", 10));
  now_ += 25h;
  does(mail_from("198.51.100.7", 1'200));
  EXPECT_EQ(verdict(), "usual");
}

TEST_F(AnomalyTest, WhoComesFromEverywhereDoesNotPushOutWhatIsFamiliar) {
  live(10, 8, 300);
  for (int i = 0; i < 200; ++i) {
    does(mail_from("203.0.113." + std::to_string(i), 1));
    now_ += 1ms;
  }
  EXPECT_LE(habits_.networks.size(), Habits::kNetworksMax);
  EXPECT_THAT(habits_.strange, Eq(200)) << "they add up";
  does(mail_from("192.0.2.1", 1'500));
  EXPECT_EQ(verdict(), "usual");
}

TEST_F(AnomalyTest, ManyUnknownUsersAreOdd) {
  does(outcomes(200, 99));
  EXPECT_EQ(verdict(), "usual") << "too few to tell";
  does(outcomes(100, 1));
  EXPECT_EQ(verdict(), "unknown_users: 100 of 300 recipients are unknown to their receivers");
  does(outcomes(100, 0));
  EXPECT_EQ(verdict(), "usual") << "a fourth";
  now_ += 24h;
  does(outcomes(0, 50));
  EXPECT_EQ(habits_.ended, 200) << "half is forgotten each day";
  EXPECT_EQ(habits_.unknown, 100);
  EXPECT_THAT(verdict(), HasSubstr("100 of 200"));
}

TEST_F(AnomalyTest, WhatWasReleasedIsUsualFromThenOn) {
  live(10, 8, 300);
  does(mail_from("192.0.2.1", 9'000));
  does(outcomes(400, 400));
  EXPECT_NE(verdict(), "usual");
  forgive(habits_, now_);
  EXPECT_EQ(verdict(), "usual");
  const Habits after = habits_;
  forgive(habits_, now_);
  EXPECT_EQ(habits_, after) << "once";
  does(mail_from("192.0.2.1", 90'000));
  EXPECT_NE(verdict(), "usual") << "not whatever comes next";
}

TEST_F(AnomalyTest, AClockThatGoesBackChangesNoHour) {
  live(10, 8, 300);
  does(mail_from("192.0.2.1", 2'000));
  const std::int64_t hour = habits_.hour;
  now_ -= 5h;
  does(mail_from("192.0.2.1", 500));
  EXPECT_EQ(habits_.hour, hour);
  EXPECT_EQ(habits_.of_hour, 2'500);
}

TEST_F(AnomalyTest, WhatIsDamagedIsNoHabits) {
  EXPECT_EQ(unpack_habits("").value(), Habits{});
  live(9, 2, 40);
  does(mail_from("2001:db8:1::", 7));
  const std::string packed = pack_habits(habits_);
  EXPECT_EQ(unpack_habits(packed).value(), habits_);
  for (std::size_t size = 1; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack_habits(packed.substr(0, size))) << size;
  }
  EXPECT_FALSE(unpack_habits(packed + "x"));
}

// ---- whatever comes ----------------------------------------------------------------------------

class AnomalyProperties : public ::testing::Test {
 protected:
  AnomalyProperties() : seed_(std::random_device()()), random_(seed_) {
    RecordProperty("seed", std::to_string(seed_));
  }
  [[nodiscard]] std::int64_t up_to(std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random_);
  }
  [[nodiscard]] std::string trace() const { return "seed " + std::to_string(seed_); }

  const unsigned seed_;
  std::mt19937_64 random_;
};

TEST_F(AnomalyProperties, WhatSeveralSawIsWhatOneWouldHaveSeen) {
  SCOPED_TRACE(trace());
  const AnomalyLimits limits{.young_for = 6h};
  for (int round = 0; round < 200; ++round) {
    Habits alone;
    Habits shared;
    Instant now = kMonday;
    for (int step = 0; step < 40; ++step) {
      now += Milliseconds(up_to(7'200'000));
      absorb(alone, {}, limits, now);
      std::array<CredentialUse, 3> seen;  // by process, within a minute
      for (std::int64_t left = up_to(6); left > 0; --left) {
        CredentialUse one = outcomes(1, up_to(1));
        one.add(client("192.0.2." + std::to_string(up_to(5))), up_to(300));
        seen.at(static_cast<std::size_t>(up_to(2))).add(one);
        absorb(alone, one, limits, now);
      }
      for (const CredentialUse& use : seen) absorb(shared, use, limits, now);
      ASSERT_EQ(alone.of_hour, shared.of_hour);
      ASSERT_EQ(alone.busiest, shared.busiest);
      ASSERT_EQ(alone.usual, shared.usual);
      ASSERT_EQ(alone.strange, shared.strange);
      ASSERT_EQ(alone.ended, shared.ended);
      ASSERT_EQ(alone.unknown, shared.unknown);
      ASSERT_EQ(judge(alone, limits, now).has_value(), judge(shared, limits, now).has_value());
      ASSERT_EQ(unpack_habits(pack_habits(shared)).value(), shared);
    }
  }
}

TEST_F(AnomalyProperties, WhoDoesWhatHeAlwaysDidIsNeverHeldAndABurstAlwaysIs) {
  SCOPED_TRACE(trace());
  const AnomalyLimits limits;
  for (int round = 0; round < 100; ++round) {
    const std::int64_t usual = 10 + up_to(20'000);
    Habits habits;
    Instant now = kMonday;
    for (int hour = 0; hour < 24 * 20; ++hour) {
      absorb(habits, mail_from("192.0.2.1", (usual / 2) + up_to(usual)), limits, now);
      absorb(habits, outcomes(5 + up_to(100), 1), limits, now);
      ASSERT_FALSE(judge(habits, limits, now)) << "usual " << usual << ", hour " << hour;
      now += 1h;
    }
    absorb(habits, mail_from("192.0.2.1", std::max(limits.volume_floor, 20 * usual) + 1), limits,
           now);
    ASSERT_TRUE(judge(habits, limits, now)) << "usual " << usual;
    forgive(habits, now);
    ASSERT_FALSE(judge(habits, limits, now)) << "usual " << usual;
  }
}

TEST_F(AnomalyProperties, NoFiguresOverflow) {
  SCOPED_TRACE(trace());
  const AnomalyLimits limits{.volume_factor = 10'000};
  Habits habits;
  Instant now = kMonday;
  for (int step = 0; step < 2'000; ++step) {
    CredentialUse use = outcomes(up_to(INT64_MAX), up_to(INT64_MAX));
    use.add(client("192.0.2." + std::to_string(up_to(255))), up_to(INT64_MAX));
    absorb(habits, use, limits, now);
    now += Milliseconds(up_to(100'000'000));
    (void)judge(habits, limits, now);
    ASSERT_EQ(unpack_habits(pack_habits(habits)).value(), habits);
    if (step % 100 == 0) forgive(habits, now);
  }
}

}  // namespace
}  // namespace todoku::relay
