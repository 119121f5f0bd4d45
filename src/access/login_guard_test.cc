// SPDX-License-Identifier: Apache-2.0
#include "access/login_guard.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::access {
namespace {

using namespace std::chrono_literals;

constexpr SteadyInstant kBegin{1h};

net::IpAddress at(std::string_view text) {
  return net::Network::parse(text)->prefix();
}

// Tries with a wrong password.
void miss(LoginGuard& guard, const net::IpAddress& from, const std::string& name,
          SteadyInstant now) {
  (void)guard.ask(from, name, now);
}

// How long a name is locked from there; zero: it got its turn.
Milliseconds locked(LoginGuard& guard, const net::IpAddress& from, const std::string& name,
                    SteadyInstant now) {
  auto turn = guard.ask(from, name, now);
  EXPECT_EQ(turn.locked == 0ms, static_cast<bool>(turn.attempt));
  turn.attempt.withdraw();
  return turn.locked;
}

TEST(LoginGuard, LocksANameOutOfOneNetworkOnly) {
  LoginGuard guard({.failures_of_name = 3});
  const auto thief = at("192.0.2.1");
  for (int i = 0; i < 2; ++i) miss(guard, thief, "shop", kBegin);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin), 0ms);
  miss(guard, thief, "shop", kBegin + 1min);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin + 1min), 14min);
  EXPECT_EQ(locked(guard, at("192.0.2.2"), "shop", kBegin + 1min), 0ms);
  EXPECT_EQ(locked(guard, thief, "other", kBegin + 1min), 0ms);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin + 15min), 0ms);
}

TEST(LoginGuard, TakesASixtyFourForOneNetwork) {
  LoginGuard guard({.failures_of_name = 2});
  miss(guard, at("2001:db8::1"), "shop", kBegin);
  miss(guard, at("2001:db8::ffff:2"), "shop", kBegin);
  EXPECT_GT(locked(guard, at("2001:db8::3"), "shop", kBegin), 0ms);
  EXPECT_EQ(locked(guard, at("2001:db8:0:1::1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, StopsWhoGuessesNames) {
  LoginGuard guard({.failures_of_network = 5});
  for (int i = 0; i < 5; ++i) miss(guard, at("192.0.2.1"), "n" + std::to_string(i), kBegin);
  EXPECT_GT(locked(guard, at("192.0.2.1"), "shop", kBegin), 0ms);
  EXPECT_EQ(locked(guard, at("198.51.100.1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, SuccessForgetsWhatWasWrong) {
  LoginGuard guard({.failures_of_name = 2, .failures_of_network = 4});
  const auto client = at("192.0.2.1");
  for (int i = 0; i < 3; ++i) {
    miss(guard, client, "shop", kBegin);
    guard.ask(client, "shop", kBegin).attempt.succeeded();
  }
  EXPECT_EQ(locked(guard, client, "shop", kBegin), 0ms);
  miss(guard, client, "other", kBegin);
  EXPECT_GT(locked(guard, client, "shop", kBegin), 0ms) << "the network's failures stay";
}

// Tries with the password that `mark` stands for, which is wrong. True: it was known to be.
bool fail_with(LoginGuard& guard, const net::IpAddress& from, const std::string& mark,
               SteadyInstant now) {
  auto turn = guard.ask(from, "shop", now);
  const bool is_known = turn.attempt.repeats(mark);
  if (is_known) {
    turn.attempt.withdraw();
  } else {
    turn.attempt.failed(mark);
  }
  return is_known;
}

TEST(LoginGuard, ARefusedPasswordThatComesAgainCountsOnce) {
  LoginGuard guard({.failures_of_name = 3, .failures_of_network = 4});
  const auto here = at("192.0.2.1");
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(fail_with(guard, here, "old", kBegin), i > 0) << i;
    guard.ask(here, "shop", kBegin).attempt.succeeded();  // another program there, that is right
  }
  EXPECT_EQ(locked(guard, here, "shop", kBegin), 0ms);
  EXPECT_FALSE(fail_with(guard, at("192.0.2.2"), "old", kBegin)) << "elsewhere it is a guess";
  for (const std::string guess : {"a", "b", "c"}) fail_with(guard, here, guess, kBegin);
  EXPECT_GT(locked(guard, here, "shop", kBegin), 0ms) << "guesses count";
  guard.unlock("shop", kBegin);
  EXPECT_FALSE(fail_with(guard, here, "old", kBegin + 1min));
}

TEST(LoginGuard, TellsWhoIsLockedOutAndLetsThemInAgain) {
  LoginGuard guard({.failures_of_name = 2, .failures_of_network = 5});
  const auto here = at("192.0.2.1");
  miss(guard, here, "shop", kBegin);
  EXPECT_TRUE(guard.lockouts(kBegin, 10).empty());
  miss(guard, here, "shop", kBegin + 1min);
  miss(guard, at("2001:db8::7"), "shop", kBegin);
  miss(guard, at("2001:db8::8"), "shop", kBegin);
  const auto lockouts = guard.lockouts(kBegin + 2min, 10);
  ASSERT_EQ(lockouts.size(), 2U);
  EXPECT_EQ(lockouts[0].network.to_string(), at("192.0.2.1").to_string() + "/32");
  EXPECT_EQ(lockouts[0].name, "shop");
  EXPECT_EQ(lockouts[0].since, kBegin);
  EXPECT_EQ(lockouts[0].until, kBegin + 15min);
  EXPECT_EQ(lockouts[0].failures, 2U);
  EXPECT_EQ(lockouts[1].network.to_string(), "2001:db8::/64");
  EXPECT_EQ(guard.lockouts(kBegin + 2min, 1).size(), 1U);
  EXPECT_TRUE(guard.lockouts(kBegin + 16min, 10).empty());

  EXPECT_EQ(guard.unlock("other", kBegin + 2min), 0U);
  EXPECT_EQ(guard.unlock(*net::Network::parse("2001:db8::7"), kBegin + 2min), 1U);
  EXPECT_GT(locked(guard, here, "shop", kBegin + 2min), 0ms);
  EXPECT_EQ(guard.unlock("shop", kBegin + 2min), 1U);
  EXPECT_EQ(locked(guard, here, "shop", kBegin + 2min), 0ms);

  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) miss(guard, here, name, kBegin);
  EXPECT_TRUE(guard.ask(here, "new", kBegin).of_network);
  EXPECT_EQ(guard.unlock(*net::Network::parse("192.0.2.0/24"), kBegin), 1U);
  EXPECT_EQ(locked(guard, here, "new", kBegin), 0ms);
}

// All of them ask before one has failed.
TEST(LoginGuard, OfThoseWhoTryAtOnceNoMoreGetATurnThanMayFail) {
  LoginGuard guard({.failures_of_name = 10});
  const auto thief = at("192.0.2.1");
  std::vector<LoginGuard::Attempt> under_way;
  for (int i = 0; i < 256; ++i) {
    auto turn = guard.ask(thief, "shop", kBegin);
    EXPECT_EQ(turn.locked, 0ms) << "none has failed yet";
    if (turn.attempt) under_way.push_back(std::move(turn.attempt));
  }
  ASSERT_EQ(under_way.size(), 10U);
  under_way.back().withdraw();
  under_way.pop_back();
  EXPECT_EQ(locked(guard, thief, "shop", kBegin), 0ms);
  miss(guard, thief, "shop", kBegin);
  under_way.clear();
  EXPECT_EQ(locked(guard, thief, "shop", kBegin), 15min) << "who breaks off has guessed as well";
}

TEST(LoginGuard, ATurnThatEndsLateTakesNothingFromOthers) {
  LoginGuard guard({.failures_of_name = 2});
  const auto thief = at("192.0.2.1");
  auto late = guard.ask(thief, "shop", kBegin);
  for (int i = 0; i < 2; ++i) miss(guard, thief, "shop", kBegin + 15min);
  late.attempt.withdraw();
  EXPECT_GT(locked(guard, thief, "shop", kBegin + 15min), 0ms);
}

TEST(LoginGuard, ATurnOfAForgottenTallyEndsNoneOfTheNext) {
  LoginGuard guard({.failures_of_network = 1});
  const auto here = at("192.0.2.1");
  auto before = guard.ask(here, "shop", kBegin);
  guard.unlock(*net::Network::parse("192.0.2.0/24"), kBegin);
  auto after = guard.ask(here, "shop", kBegin);
  ASSERT_TRUE(after.attempt);
  before.attempt.failed("mark");
  after.attempt.succeeded();
  EXPECT_EQ(locked(guard, here, "new", kBegin), 0ms) << "nobody was wrong since";
}

TEST(LoginGuard, RemembersSoManyAndNoMore) {
  LoginGuard guard({.failures_of_network = 1'000'000, .entries_max = 100});
  for (int i = 0; i < 10'000; ++i) {
    miss(guard, at("192.0.2.1"), "n" + std::to_string(i), kBegin + Milliseconds(i));
  }
  EXPECT_LE(guard.entries(), 101U);
}

TEST(LoginGuard, MakesWhoMistypesWaitALittleAndThenTwiceAsLong) {
  LoginGuard guard({.failures_of_name = 3, .window = 1h, .first_wait = 30s});
  const auto here = at("192.0.2.1");
  for (int i = 0; i < 3; ++i) miss(guard, here, "shop", kBegin);
  EXPECT_EQ(locked(guard, here, "shop", kBegin), 30s);
  EXPECT_EQ(locked(guard, at("192.0.2.2"), "shop", kBegin), 0ms);
  SteadyInstant now = kBegin + 30s;
  std::size_t guesses = 3;
  for (Milliseconds wait = 1min; now < kBegin + 1h; wait *= 2) {
    miss(guard, here, "shop", now);
    ++guesses;
    const Milliseconds left = std::chrono::floor<Milliseconds>(kBegin + 1h - now);
    ASSERT_EQ(locked(guard, here, "shop", now), std::min(wait, left));
    now += std::min(wait, left);
  }
  EXPECT_EQ(guesses, 9U) << "of an hour";
  miss(guard, here, "shop", now);
  EXPECT_EQ(locked(guard, here, "shop", now), 0ms) << "a new window";
}

TEST(LoginGuard, AfterAWaitOneMayTryAndNotAThousandAtOnce) {
  LoginGuard guard({.failures_of_name = 1, .window = 1h, .first_wait = 30s});
  const auto here = at("192.0.2.1");
  miss(guard, here, "shop", kBegin);
  const auto one = guard.ask(here, "shop", kBegin + 30s);
  EXPECT_TRUE(one.attempt);
  EXPECT_FALSE(guard.ask(here, "shop", kBegin + 30s).attempt);
}

}  // namespace
}  // namespace todoku::access
