// SPDX-License-Identifier: Apache-2.0
// Who gets one of the server's connections where they are scarce.
#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/connection_list.h"
#include "http/held_bodies.h"
#include "http/test_server.h"

namespace todoku::http {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServerTest, MoreConnectionsThanAllowedAreRefused) {
  ServerOptions options;
  options.connections_max = 2;
  start(options);
  RawClient first(port_);
  RawClient second(port_);
  first.send(get("/things/1"));
  second.send(get("/things/2"));
  EXPECT_THAT(first.read_response(), HasSubstr("id=1"));
  EXPECT_THAT(second.read_response(), HasSubstr("id=2"));
  RawClient third(port_);
  third.send(get("/things/3"));
  EXPECT_THAT(third.read_response(), StartsWith("503 "));
  EXPECT_THAT(third.last_head, ContainsRegex("Retry-After: ([1-9]|10)\r\n"));
  EXPECT_EQ(server_->stats().connections_refused, 1U);
  first.send(get("/things/4"));
  EXPECT_THAT(first.read_response(), HasSubstr("id=4"));
}

TEST(ConnectionList, KnowsWhoWaitsForLongest) {
  ConnectionList list;
  // They are only told apart.
  std::array<std::byte, 3> places{};
  const auto connection = [&](std::size_t i) -> Connection& {
    return *reinterpret_cast<Connection*>(&places[i]);
  };
  const auto at = [](int ms) { return SteadyInstant(Milliseconds(ms)); };
  EXPECT_EQ(list.longest_waiting(), nullptr);
  EXPECT_EQ(list.longest_wait_since(), SteadyInstant::max());
  const auto first = list.enter(connection(0), at(1));
  const auto second = list.enter(connection(1), at(2));
  const auto third = list.enter(connection(2), at(3));
  EXPECT_EQ(list.longest_waiting(), &connection(0));
  EXPECT_EQ(list.longest_wait_since(), at(1));
  list.work(first);
  EXPECT_EQ(list.longest_waiting(), &connection(1));
  list.wait(first, at(4));
  list.wait(second, at(5));
  EXPECT_EQ(list.longest_waiting(), &connection(2));
  list.leave(third);
  EXPECT_EQ(list.longest_waiting(), &connection(0));
  EXPECT_EQ(list.longest_wait_since(), at(4));
  list.work(first);
  list.work(second);
  EXPECT_EQ(list.longest_waiting(), nullptr);
  EXPECT_EQ(list.size(), 2U);
  list.leave(first);
  list.leave(second);
  EXPECT_EQ(list.size(), 0U);
}

TEST_F(ServerTest, AnIdleConnectionMakesRoomAndOneThatWorksDoesNot) {
  ServerOptions options;
  options.connections_max = 2;
  options.displaced_after = 0ms;
  start(options);
  RawClient busy(port_);
  busy.send(get("/gate"));
  gate.await_arrival();
  RawClient idle(port_);
  idle.send(get("/things/1"));
  EXPECT_THAT(idle.read_response(), HasSubstr("id=1"));
  const auto newcomer = served_newcomer();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_TRUE(idle.ended_in_order());
  EXPECT_EQ(server_->stats().connections_displaced, 1U);
  gate.open();
  EXPECT_EQ(busy.read_response(), "200 passed");
}

TEST_F(ServerTest, ADrippingHeadMakesRoomToo) {
  ServerOptions options;
  options.connections_max = 1;
  options.displaced_after = 0ms;
  start(options);
  RawClient dripping(port_);
  dripping.send("GET /things/1 HTTP/1.1\r\nHost: exa");
  await_connections(1);
  const auto newcomer = served_newcomer();
  EXPECT_FALSE(dripping.send("m") && dripping.send("p") && !dripping.read_to_end().empty());
  EXPECT_EQ(server_->stats().connections_displaced, 1U);
}

TEST_F(ServerTest, OneClientHasItsShareOnly) {
  ServerOptions options;
  options.connections_per_client_max = 2;
  options.trusted = {net::Network::parse("127.0.0.9").value()};
  start(options);
  RawClient first(port_);
  std::optional<RawClient> second(std::in_place, port_);
  await_connections(2);
  RawClient third(port_);
  third.send(get("/things/3"));
  EXPECT_THAT(third.read_response(), StartsWith("503 "));
  EXPECT_THAT(third.last_head, ContainsRegex("Retry-After: ([1-9]|10)\r\n"));
  EXPECT_EQ(server_->stats().connections_refused, 1U);

  RawClient neighbour(port_, 2);
  neighbour.send(get("/things/4"));
  EXPECT_THAT(neighbour.read_response(), HasSubstr("id=4"));
  std::deque<RawClient> proxied;
  for (int i = 0; i < 5; ++i) {
    proxied.emplace_back(port_, 9).send(get("/things/5"));
    EXPECT_THAT(proxied.back().read_response(), HasSubstr("id=5"));
  }
  third.finish_sending();
  EXPECT_EQ(third.read_to_end(), "");
  second.reset();
  while (server_->stats().connections_open > 1 + 1 + 5) ::poll(nullptr, 0, 5);
  RawClient fourth(port_);
  fourth.send(get("/things/6"));
  EXPECT_THAT(fourth.read_response(), HasSubstr("id=6")) << "a place that was left is free again";
}

TEST_F(ServerTest, AFloodOfRefusedOnesHoldsUpNobody) {
  ServerOptions options;
  options.connections_per_client_max = 1;
  options.refusals_max = 4;
  start(options);
  std::deque<RawClient> flood;
  for (int i = 0; i < 100; ++i) flood.emplace_back(port_);
  RawClient neighbour(port_, 2);
  neighbour.send(get("/things/1"));
  EXPECT_THAT(neighbour.read_response(), HasSubstr("id=1"));
  EXPECT_EQ(server_->stats().connections_refused, 99U);
  while (server_->stats().connections_open > 2U + 4U) ::poll(nullptr, 0, 5);
  EXPECT_THAT(flood.back().read_response(), StartsWith("503 "));
}

// A client that has not sent its request yet when its connection is closed is reset by its sending,
// and never sees the answer.
TEST_F(ServerTest, ManyThatFindNoPlaceAllHearWhy) {
  ServerOptions options;
  options.connections_max = 1;
  options.refusals_max = 4;
  options.displaced_after = 5s;
  start(options);
  RawClient served(port_);
  served.send(get("/gate"));
  gate.await_arrival();
  std::deque<RawClient> crowd;
  for (int i = 0; i < 30; ++i) crowd.emplace_back(port_);
  for (RawClient& each : crowd) {
    EXPECT_TRUE(each.send(get("/things/1")));
    EXPECT_THAT(each.read_response(), StartsWith("503 "));
    EXPECT_THAT(each.last_head, HasSubstr("Retry-After: "));
    each.finish_sending();
    EXPECT_EQ(each.read_to_end(), "");
    EXPECT_TRUE(each.ended_in_order());
  }
  gate.open();
  EXPECT_EQ(served.read_response(), "200 passed");
  EXPECT_EQ(server_->stats().connections_refused, 30U);
}

TEST_F(ServerTest, WhoWaitsForAPlaceGetsOneThatComesFree) {
  ServerOptions options;
  options.connections_max = 1;
  options.refusals_max = 2;
  options.displaced_after = 60s;
  start(options);
  std::optional<RawClient> served(std::in_place, port_);
  served->send(get("/things/1"));
  EXPECT_THAT(served->read_response(), HasSubstr("id=1"));
  // One on each thread; that is all there can be.
  std::deque<RawClient> silent;
  for (std::size_t i = 0; i < 2; ++i) {
    silent.emplace_back(port_);
    await_connections(2 + i);
  }
  RawClient waiting(port_);
  waiting.send(get("/things/2"));
  served.reset();
  EXPECT_THAT(waiting.read_response(), HasSubstr("id=2"));
}

// A client that asks for what is large and reads nothing of it.
class NonReader {
 public:
  explicit NonReader(std::uint16_t port) : client_(port) {
    for (int i = 0; i < 20; ++i) client_.send(get("/large"));
  }
  // Everything, to the end.
  [[nodiscard]] std::size_t octets() { return client_.read_to_end().size(); }

 private:
  RawClient client_;
};

TEST_F(ServerTest, ResponsesThatNobodyReadsMakeRoomInMemory) {
  ServerOptions options;
  options.displaced_after = 0ms;
  options.held_octets_max = 2 * 3'500'000;  // of two threads: one response each
  start(options);
  std::deque<NonReader> clients;
  for (int i = 0; i < 6; ++i) clients.emplace_back(port_);
  while (server_->stats().responses_cut < 4) ::poll(nullptr, 0, 5);
  EXPECT_LT(clients.front().octets(), 60'000'000U) << "the oldest was cut";
  RawClient reader(port_);
  reader.send(get("/large"));
  EXPECT_EQ(reader.read_response().size(), 4 + 3'000'000U);
}

TEST_F(ServerTest, AResponseForWhichNoMemoryIsLeftIs503) {
  ServerOptions options;
  options.displaced_after = 1h;
  options.held_octets_max = 2 * 3'500'000;
  start(options);
  std::deque<NonReader> clients;
  for (int i = 0; i < 2; ++i) clients.emplace_back(port_);
  for (;;) {
    RawClient client(port_);
    client.send(get("/large"));
    if (client.read_response().starts_with("200 ")) continue;  // those two are not at it yet
    EXPECT_THAT(client.last_head, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(client.last_head, ContainsRegex("Retry-After: ([1-9]|10)\r\n"));
    client.send(get("/things/1"));
    EXPECT_THAT(client.read_response(), HasSubstr("id=1")) << "the connection is whole";
    break;
  }
  EXPECT_EQ(server_->stats().responses_cut, 0U);
}

TEST(HeldBodies, CountUntilTheyAreGoneOrGivenUp) {
  HeldBodies bodies(100);
  std::array<std::byte, 2> places{};
  const auto connection = [&](std::size_t i) -> Connection& {
    return *reinterpret_cast<Connection*>(&places[i]);
  };
  const auto at = [](int ms) { return SteadyInstant(Milliseconds(ms)); };
  EXPECT_TRUE(bodies.has_room(1'000)) << "alone";
  const auto first = bodies.enter(connection(0), 60, at(1));
  EXPECT_TRUE(bodies.has_room(40));
  EXPECT_FALSE(bodies.has_room(41));
  const auto second = bodies.enter(connection(1), 40, at(2));
  EXPECT_EQ(bodies.give_up_longest(at(0)), nullptr) << "too young";
  EXPECT_EQ(bodies.give_up_longest(at(1)), &connection(0));
  EXPECT_TRUE(bodies.has_room(60));
  EXPECT_EQ(bodies.give_up_longest(at(1)), nullptr);
  bodies.leave(first);
  EXPECT_FALSE(bodies.has_room(61)) << "given up, it was counted no more";
  bodies.leave(second);
  EXPECT_TRUE(bodies.has_room(1'000));
}

}  // namespace
}  // namespace todoku::http
