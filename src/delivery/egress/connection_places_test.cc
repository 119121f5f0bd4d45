// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/connection_places.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::delivery::egress {
namespace {

constexpr auto kBulk = TrafficClass::bulk;
constexpr auto kUrgent = TrafficClass::transactional;

class ConnectionPlacesTest : public ::testing::Test {
 protected:
  // '+': has a place; the name: stands in line, and says so again when its turn has come.
  bool take(ConnectionPlaces& places, TrafficClass traffic, char name, bool wants = true) {
    return places.take(traffic, [this, name, wants] noexcept {
      granted_ += name;
      return wants;
    });
  }
  std::string granted_;
};

TEST_F(ConnectionPlacesTest, GoToThoseInLineAsTheyCame) {
  ConnectionPlaces places(2);
  EXPECT_TRUE(take(places, kBulk, 'a'));
  EXPECT_TRUE(take(places, kBulk, 'b'));
  EXPECT_FALSE(take(places, kBulk, 'c'));
  EXPECT_FALSE(take(places, kBulk, 'd'));
  EXPECT_EQ(granted_, "");
  places.give_back();
  EXPECT_EQ(granted_, "c");
  EXPECT_FALSE(take(places, kBulk, 'e')) << "not past those in line";
  places.give_back();
  places.give_back();
  EXPECT_EQ(granted_, "cde");
  places.give_back();
  places.give_back();
  EXPECT_EQ(granted_, "cde");
  EXPECT_TRUE(take(places, kBulk, 'f'));
}

TEST_F(ConnectionPlacesTest, SomeAreKeptForTransactionalMailWhichAlsoGoesFirst) {
  ConnectionPlaces places(8);
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(take(places, kBulk, 'a'));
  EXPECT_FALSE(take(places, kBulk, 'b'));
  EXPECT_TRUE(take(places, kUrgent, 'u'));
  EXPECT_FALSE(take(places, kUrgent, 'v'));
  places.give_back();
  EXPECT_EQ(granted_, "v");
  places.give_back();
  EXPECT_EQ(granted_, "v") << "the last one is not for bulk";
  places.give_back();
  EXPECT_EQ(granted_, "vb");
}

TEST_F(ConnectionPlacesTest, PassOnFromWhoHasGone) {
  ConnectionPlaces places(1);
  EXPECT_TRUE(take(places, kBulk, 'a'));
  EXPECT_FALSE(take(places, kBulk, 'b', false));
  EXPECT_FALSE(take(places, kBulk, 'c', false));
  EXPECT_FALSE(take(places, kBulk, 'd'));
  places.give_back();
  EXPECT_EQ(granted_, "bcd");
  places.give_back();
  EXPECT_TRUE(take(places, kBulk, 'e'));
}

TEST_F(ConnectionPlacesTest, ArePartlyForIdleConnectionsAndNotWhileSomebodyWaits) {
  ConnectionPlaces places(8);
  EXPECT_TRUE(places.begin_idle());
  EXPECT_TRUE(places.begin_idle());
  EXPECT_FALSE(places.begin_idle());
  places.end_idle();
  EXPECT_TRUE(places.begin_idle());
  places.end_idle();
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(take(places, kBulk, 'a'));
  EXPECT_FALSE(take(places, kBulk, 'b'));
  EXPECT_FALSE(places.begin_idle());
  places.give_back();
  EXPECT_TRUE(places.begin_idle());
}

TEST_F(ConnectionPlacesTest, SayWhenNothingMovesAlthoughSomebodyWaits) {
  using std::chrono::minutes;
  ConnectionPlaces places(1);
  SteadyInstant now(std::chrono::hours(5));
  EXPECT_EQ(places.stalled(now), std::nullopt) << "nobody wants anything";
  EXPECT_TRUE(take(places, kBulk, 'a'));
  places.progressed(now);
  EXPECT_EQ(places.stalled(now + minutes(60)), std::nullopt) << "nobody waits";
  EXPECT_FALSE(take(places, kBulk, 'b'));
  EXPECT_EQ(places.stalled(now + minutes(14)), std::nullopt);
  EXPECT_EQ(places.stalled(now + minutes(16)), minutes(16));
  places.progressed(now + minutes(16));  // a mail was settled
  EXPECT_EQ(places.stalled(now + minutes(20)), std::nullopt);
  places.give_back();
  EXPECT_EQ(places.stalled(now + minutes(60)), std::nullopt);
}

}  // namespace
}  // namespace todoku::delivery::egress
