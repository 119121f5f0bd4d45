// SPDX-License-Identifier: Apache-2.0
// Who gets memory for the body of a request where it is scarce.
#include <cstddef>
#include <deque>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/body_room.h"
#include "http/test_server.h"

namespace todoku::http {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kBody(400'000, 'x');
const std::string kSmallBody(10'000, 'x');

ServerOptions with_room(std::size_t octets, Milliseconds patience) {
  ServerOptions options;
  options.bodies_octets_max = octets;
  options.displaced_after = patience;
  return options;
}

// All of it but the last octet.
std::string unfinished(std::string request) {
  request.pop_back();
  return request;
}

TEST_F(ServerTest, ABodyWithoutRoomIs503AndOthersGetIn) {
  start(with_room(1'000'000, 20ms));
  RawClient first(port_);
  first.send(post("/of/1?wait", kBody));
  gate.await_arrival();
  EXPECT_GE(server_->stats().bodies_octets, kBody.size());

  RawClient second(port_);
  second.send(post("/of/1", kBody, "Expect: 100-continue\r\n"));
  EXPECT_THAT(second.read_response(), StartsWith("503 ")) << "without 100 before it";
  EXPECT_THAT(second.last_head, ContainsRegex("Retry-After: ([1-9]|10)\r\n"));
  RawClient other(port_);
  other.send(post("/of/2", kBody));
  EXPECT_EQ(other.read_response(), "200 400000");
  RawClient small(port_);
  small.send(post("/of/1", kSmallBody));
  EXPECT_EQ(small.read_response(), "200 10000");

  gate.open();
  EXPECT_EQ(first.read_response(), "200 400000");
  first.send(post("/of/1", kBody));
  EXPECT_EQ(first.read_response(), "200 400000") << "what is done with makes room";
  const ServerStats stats = server_->stats();
  EXPECT_EQ(stats.bodies_refused, 1U);
  EXPECT_EQ(stats.bodies_cut, 0U);
  EXPECT_EQ(stats.bodies_octets, 0U);
}

TEST_F(ServerTest, ABodyThatDoesNotComeMakesRoomForOneThatDoes) {
  start(with_room(1'000'000, 100ms));
  RawClient silent(port_);
  silent.send(unfinished(post("/of/1", kBody)));
  while (server_->stats().bodies_octets == 0) ::poll(nullptr, 0, 5);
  // Who comes while the other's octets still arrive has less patience left than that one.
  std::string answer;
  for (int tries = 0; tries < 100 && !answer.starts_with("200"); ++tries) {
    RawClient quick(port_);
    quick.send(post("/of/1", kBody));
    answer = quick.read_response();
  }
  EXPECT_EQ(answer, "200 400000");
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(server_->stats().bodies_cut, 1U);
}

TEST_F(ServerTest, ABodyOfUnknownLengthCountsAsItGrows) {
  start(with_room(1'000'000, 20ms));
  const std::string head =
      "POST /of/1?wait HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient first(port_);
  first.send(head + "61a80\r\n" + kBody + "\r\n0\r\n\r\n");
  gate.await_arrival();
  EXPECT_GE(server_->stats().bodies_octets, kBody.size());
  RawClient second(port_);
  second.send(head + "61a80\r\n" + kBody + "\r\n0\r\n\r\n");
  EXPECT_THAT(second.read_response(), StartsWith("503 "));
  gate.open();
  EXPECT_EQ(first.read_response(), "200 400000");
}

TEST_F(ServerTest, BodiesOfManyOwnersStayWithinTheRoom) {
  constexpr std::size_t kRoom = 3'000'000;
  start(with_room(kRoom, 50ms));
  std::deque<RawClient> crowd;
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string path = "/of/" + std::to_string(1 + i % 4);
    crowd.emplace_back(port_).send(unfinished(post(path, kBody)));
    EXPECT_LE(server_->stats().bodies_octets, kRoom);
    if (i % 10 != 9) continue;
    RawClient other(port_);
    other.send(post("/of/9", kSmallBody));
    EXPECT_EQ(other.read_response(), "200 10000");
    EXPECT_LE(server_->stats().bodies_octets, kRoom);
  }
  RawClient newcomer(port_);
  newcomer.send(post("/of/9", kBody));
  EXPECT_EQ(newcomer.read_response(), "200 400000");
}

// The bodies of one owner after the other; who is cut is noted.
class BodyRoomTest : public testing::Test {
 protected:
  static SteadyInstant at(int ms) { return SteadyInstant(Milliseconds(ms)); }
  BodyRoom::Place enter(std::uint64_t owner, SteadyInstant due = SteadyInstant::max()) {
    const std::size_t number = count_++;
    const auto place = room_.enter(owner, [this, number] { cut_.push_back(number); });
    EXPECT_TRUE(room_.keep_until(place, due));
    return place;
  }

  BodyRoom room_{1'000};
  std::size_t count_ = 0;
  std::vector<std::size_t> cut_;
};

TEST_F(BodyRoomTest, EachLeavesTheOthersAsMuchAsItHas) {
  EXPECT_TRUE(room_.grow(enter(1), 300, at(0)));
  const auto second = enter(1);
  EXPECT_TRUE(room_.grow(second, 200, at(0))) << "half of all";
  EXPECT_FALSE(room_.grow(enter(1), 1, at(0)));
  EXPECT_TRUE(room_.grow(enter(2), 100, at(0)));
  EXPECT_TRUE(room_.grow(enter(2), 150, at(0))) << "half of the rest";
  EXPECT_FALSE(room_.grow(enter(2), 1, at(0)));
  EXPECT_TRUE(room_.grow(enter(3), 250, at(0))) << "its first, whatever is free";
  EXPECT_FALSE(room_.grow(enter(4), 1, at(0)));
  room_.leave(second);
  EXPECT_TRUE(room_.grow(enter(4), 200, at(0)));
  EXPECT_EQ(room_.figures().octets, 1'000U);
  EXPECT_TRUE(cut_.empty());
}

TEST_F(BodyRoomTest, WhatIsGivenToAnotherIsNoLongerTheFirstOnes) {
  const auto body = enter(0);
  EXPECT_TRUE(room_.grow(body, 400, at(0)));
  EXPECT_FALSE(room_.grow(enter(0), 200, at(0)));
  room_.give_to(body, 7);
  EXPECT_EQ(room_.figures().octets, 400U);
  EXPECT_TRUE(room_.grow(enter(0), 200, at(0)));
  EXPECT_FALSE(room_.grow(enter(7), 100, at(0))) << "it counts as that one's";
  room_.leave(body);
  EXPECT_TRUE(room_.grow(enter(7), 100, at(0)));
  EXPECT_EQ(room_.figures().octets, 300U);
}

TEST_F(BodyRoomTest, AloneABodyMayHaveAnySize) {
  const auto large = enter(1);
  EXPECT_TRUE(room_.grow(large, 5'000, at(0)));
  EXPECT_FALSE(room_.grow(enter(2), 1, at(0)));
  room_.leave(large);
  EXPECT_TRUE(room_.grow(enter(2), 1, at(0)));
}

TEST_F(BodyRoomTest, TheSlowestGoesFirstAndOnlyWhereThatHelps) {
  const auto slow = enter(1, at(10));
  const auto slower = enter(2, at(5));
  EXPECT_TRUE(room_.grow(slow, 250, at(0)));
  EXPECT_TRUE(room_.grow(slower, 250, at(0)));
  EXPECT_FALSE(room_.grow(enter(1), 200, at(9))) << "another's is not its share";
  EXPECT_TRUE(cut_.empty());
  EXPECT_TRUE(room_.grow(enter(3), 500, at(0)));
  EXPECT_FALSE(room_.grow(enter(4), 100, at(4)));
  EXPECT_TRUE(room_.grow(enter(4), 100, at(10)));
  EXPECT_EQ(cut_, std::vector<std::size_t>{1});
  EXPECT_FALSE(room_.keep_until(slower, at(20))) << "it hears of it";
  EXPECT_FALSE(room_.grow(slower, 251, at(10)));
  room_.leave(slower);
  EXPECT_EQ(room_.figures().octets, 850U);
  EXPECT_EQ(room_.figures().cut, 1U);
}

}  // namespace
}  // namespace todoku::http
