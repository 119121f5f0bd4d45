// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "relay/login_guard.h"
#include "relay/minute_meter.h"

namespace todoku::relay {
namespace {

using namespace std::chrono_literals;

constexpr SteadyInstant kBegin{1h};

net::IpAddress at(std::string_view text) {
  return net::Network::parse(text)->prefix();
}

TEST(LoginGuard, LocksANameOutOfOneNetworkOnly) {
  LoginGuard guard({.failures_of_name = 3});
  const auto thief = at("192.0.2.1");
  for (int i = 0; i < 2; ++i) guard.failed(thief, "shop", kBegin);
  EXPECT_EQ(guard.locked_for(thief, "shop", kBegin), 0ms);
  guard.failed(thief, "shop", kBegin + 1min);
  EXPECT_EQ(guard.locked_for(thief, "shop", kBegin + 1min), 14min);
  EXPECT_EQ(guard.locked_for(at("192.0.2.2"), "shop", kBegin + 1min), 0ms);
  EXPECT_EQ(guard.locked_for(thief, "other", kBegin + 1min), 0ms);
  EXPECT_EQ(guard.locked_for(thief, "shop", kBegin + 15min), 0ms);
}

TEST(LoginGuard, TakesASixtyFourForOneNetwork) {
  LoginGuard guard({.failures_of_name = 2});
  guard.failed(at("2001:db8::1"), "shop", kBegin);
  guard.failed(at("2001:db8::ffff:2"), "shop", kBegin);
  EXPECT_GT(guard.locked_for(at("2001:db8::3"), "shop", kBegin), 0ms);
  EXPECT_EQ(guard.locked_for(at("2001:db8:0:1::1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, StopsWhoGuessesNames) {
  LoginGuard guard({.failures_of_network = 5});
  for (int i = 0; i < 5; ++i) guard.failed(at("192.0.2.1"), "n" + std::to_string(i), kBegin);
  EXPECT_GT(guard.locked_for(at("192.0.2.1"), "shop", kBegin), 0ms);
  EXPECT_EQ(guard.locked_for(at("198.51.100.1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, SuccessForgetsWhatWasWrong) {
  LoginGuard guard({.failures_of_name = 2});
  guard.failed(at("192.0.2.1"), "shop", kBegin);
  guard.succeeded(at("192.0.2.1"), "shop");
  guard.failed(at("192.0.2.1"), "shop", kBegin);
  EXPECT_EQ(guard.locked_for(at("192.0.2.1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, RemembersSoManyAndNoMore) {
  LoginGuard guard({.failures_of_network = 1'000'000, .entries_max = 100});
  for (int i = 0; i < 10'000; ++i) {
    guard.failed(at("192.0.2.1"), "n" + std::to_string(i), kBegin + Milliseconds(i));
  }
  EXPECT_LE(guard.entries(), 101U);
}

TEST(MinuteMeter, CountsByNameAndMinute) {
  MinuteMeter meter;
  EXPECT_EQ(meter.admit("a", 2, 3, kBegin), 0ms);
  EXPECT_EQ(meter.admit("a", 2, 3, kBegin + 20s), 40s);
  EXPECT_EQ(meter.admit("a", 1, 3, kBegin + 20s), 0ms);
  EXPECT_EQ(meter.admit("b", 3, 3, kBegin + 20s), 0ms);
  EXPECT_EQ(meter.admit("a", 2, 3, kBegin + 60s), 0ms);
}

TEST(MinuteMeter, LetsWhatIsLargerThanTheLimitPassAlone) {
  MinuteMeter meter;
  EXPECT_EQ(meter.admit("a", 10, 3, kBegin), 0ms);
  EXPECT_GT(meter.admit("a", 1, 3, kBegin + 1s), 0ms);
}

TEST(MinuteMeter, HoldsSoManyNamesAndNoMore) {
  MinuteMeter meter(2);
  EXPECT_EQ(meter.admit("a", 1, 1, kBegin), 0ms);
  EXPECT_EQ(meter.admit("b", 1, 1, kBegin), 0ms);
  EXPECT_EQ(meter.admit("c", 1, 1, kBegin), 0ms);  // uncounted
  EXPECT_GT(meter.admit("a", 1, 1, kBegin), 0ms);
  EXPECT_EQ(meter.admit("c", 1, 1, kBegin + 1min), 0ms);
  EXPECT_GT(meter.admit("c", 1, 1, kBegin + 1min), 0ms);
}

}  // namespace
}  // namespace todoku::relay
