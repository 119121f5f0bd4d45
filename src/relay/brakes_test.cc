// SPDX-License-Identifier: Apache-2.0
#include "relay/brakes.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/login_guard.h"

namespace todoku::relay {
namespace {

using namespace std::chrono_literals;

constexpr SteadyInstant kBegin{1h};

net::IpAddress at(std::string_view text) {
  return net::Network::parse(text)->prefix();
}

// Tries with a wrong password.
void fail(LoginGuard& guard, const net::IpAddress& from, const std::string& name,
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
  for (int i = 0; i < 2; ++i) fail(guard, thief, "shop", kBegin);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin), 0ms);
  fail(guard, thief, "shop", kBegin + 1min);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin + 1min), 14min);
  EXPECT_EQ(locked(guard, at("192.0.2.2"), "shop", kBegin + 1min), 0ms);
  EXPECT_EQ(locked(guard, thief, "other", kBegin + 1min), 0ms);
  EXPECT_EQ(locked(guard, thief, "shop", kBegin + 15min), 0ms);
}

TEST(LoginGuard, TakesASixtyFourForOneNetwork) {
  LoginGuard guard({.failures_of_name = 2});
  fail(guard, at("2001:db8::1"), "shop", kBegin);
  fail(guard, at("2001:db8::ffff:2"), "shop", kBegin);
  EXPECT_GT(locked(guard, at("2001:db8::3"), "shop", kBegin), 0ms);
  EXPECT_EQ(locked(guard, at("2001:db8:0:1::1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, StopsWhoGuessesNames) {
  LoginGuard guard({.failures_of_network = 5});
  for (int i = 0; i < 5; ++i) fail(guard, at("192.0.2.1"), "n" + std::to_string(i), kBegin);
  EXPECT_GT(locked(guard, at("192.0.2.1"), "shop", kBegin), 0ms);
  EXPECT_EQ(locked(guard, at("198.51.100.1"), "shop", kBegin), 0ms);
}

TEST(LoginGuard, SuccessForgetsWhatWasWrong) {
  LoginGuard guard({.failures_of_name = 2, .failures_of_network = 4});
  const auto client = at("192.0.2.1");
  for (int i = 0; i < 3; ++i) {
    fail(guard, client, "shop", kBegin);
    guard.ask(client, "shop", kBegin).attempt.succeeded();
  }
  EXPECT_EQ(locked(guard, client, "shop", kBegin), 0ms);
  fail(guard, client, "other", kBegin);
  EXPECT_GT(locked(guard, client, "shop", kBegin), 0ms) << "the network's failures stay";
}

// All of them ask before one has failed.
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
  fail(guard, here, "shop", kBegin);
  EXPECT_TRUE(guard.lockouts(kBegin, 10).empty());
  fail(guard, here, "shop", kBegin + 1min);
  fail(guard, at("2001:db8::7"), "shop", kBegin);
  fail(guard, at("2001:db8::8"), "shop", kBegin);
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

  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) fail(guard, here, name, kBegin);
  EXPECT_TRUE(guard.ask(here, "new", kBegin).of_network);
  EXPECT_EQ(guard.unlock(*net::Network::parse("192.0.2.0/24"), kBegin), 1U);
  EXPECT_EQ(locked(guard, here, "new", kBegin), 0ms);
}

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
  fail(guard, thief, "shop", kBegin);
  under_way.clear();
  EXPECT_EQ(locked(guard, thief, "shop", kBegin), 15min) << "who breaks off has guessed as well";
}

TEST(LoginGuard, ATurnThatEndsLateTakesNothingFromOthers) {
  LoginGuard guard({.failures_of_name = 2});
  const auto thief = at("192.0.2.1");
  auto late = guard.ask(thief, "shop", kBegin);
  for (int i = 0; i < 2; ++i) fail(guard, thief, "shop", kBegin + 15min);
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
    fail(guard, at("192.0.2.1"), "n" + std::to_string(i), kBegin + Milliseconds(i));
  }
  EXPECT_LE(guard.entries(), 101U);
}

class BrakesTest : public ::testing::Test {
 protected:
  BrakesTest() {
    login_.credential.name = "shop";
    login_.account.key = store::AccountKey{7};
    listener_.name = "587";
  }
  [[nodiscard]] Sender sender() const { return {login_, listener_, client_}; }
  static std::string text(const std::optional<Reply>& reply) {
    return reply ? std::to_string(reply->code) + " " + reply->text : "taken";
  }

  Login login_;
  ListenerOptions listener_;
  net::IpAddress client_ = at("192.0.2.1");
  RelayOptions options_;
  MinuteMeter meter_;
  Brakes brakes_{options_, meter_};
};

TEST_F(BrakesTest, EachLimitIsItsOwnAndEndsByItself) {
  struct Case {
    std::int64_t& most;
    std::string_view says;
  };
  store::SmtpCredentialSettings& terms = login_.credential.settings;
  const std::array cases{
      Case{terms.messages_per_minute, "451 4.7.1 Too many messages of this credential"},
      Case{options_.of_account.messages, "451 4.7.1 Too many messages of this account"},
      Case{options_.of_network.messages, "451 4.7.1 Too many messages of this network"},
      Case{listener_.per_minute.messages, "451 4.3.2 Too many messages of this listener"},
      Case{terms.recipients_per_minute, "451 4.7.1 Too many recipients of this credential"},
      Case{options_.of_account.recipients, "451 4.7.1 Too many recipients of this account"},
      Case{options_.of_network.recipients, "451 4.7.1 Too many recipients of this network"},
      Case{listener_.per_minute.recipients, "451 4.3.2 Too many recipients of this listener"}};
  SteadyInstant now = kBegin;
  for (const Case& each : cases) {
    each.most = 2;
    const bool of_messages = each.says.contains("messages");
    const auto one = [&] {
      return text(of_messages ? brakes_.begin_message(sender(), 0, now)
                              : brakes_.add_recipient(sender(), now));
    };
    EXPECT_EQ(one(), "taken") << each.says;
    now += 15s;
    EXPECT_EQ(one(), "taken") << each.says;
    EXPECT_EQ(one(), std::string(each.says) + " in this minute, try again in 45 s");
    now += 45s;
    EXPECT_EQ(one(), "taken") << each.says;
    each.most = 0;
  }
}

TEST_F(BrakesTest, AMessageThatIsNotTakenUsesUpNothing) {
  login_.credential.settings.messages_per_minute = 1;
  options_.of_account.recipients = 2;
  const Brakes::Counted counted{
      .message_at = kBegin, .recipients = 2, .recipients_from = kBegin + 1s};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin)), "taken");
    EXPECT_NE(text(brakes_.begin_message(sender(), 0, kBegin)), "taken") << "while it is under way";
    EXPECT_EQ(text(brakes_.add_recipient(sender(), kBegin + 1s)), "taken");
    EXPECT_EQ(text(brakes_.add_recipient(sender(), kBegin + 1s)), "taken");
    EXPECT_NE(text(brakes_.add_recipient(sender(), kBegin + 1s)), "taken");
    brakes_.give_back(sender(), counted);
  }
}

TEST_F(BrakesTest, WhoseMessagesAlwaysFailWaitsAfterFourTimesTheLimit) {
  login_.credential.settings.messages_per_minute = 2;
  const auto fail_one = [&](SteadyInstant now) {
    std::string answer = text(brakes_.begin_message(sender(), 0, now));
    if (answer == "taken") {
      brakes_.count_failure(sender(), now);
      brakes_.give_back(sender(), {.message_at = now});
    }
    return answer;
  };
  for (int i = 0; i < 8; ++i) EXPECT_EQ(fail_one(kBegin), "taken") << i;
  EXPECT_EQ(fail_one(kBegin + 10s),
            "451 4.7.1 Too many refused messages of this credential in this minute, try again in "
            "50 s");
  EXPECT_EQ(fail_one(kBegin + 1min), "taken");
  login_.credential.settings.messages_per_minute = 0;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(fail_one(kBegin + 1min), "taken") << "there is no limit";
}

TEST_F(BrakesTest, OctetsAreRefusedBySizeOrWaitedFor) {
  login_.credential.settings.octets_per_minute = 1'000;
  EXPECT_EQ(text(brakes_.begin_message(sender(), 900, kBegin)), "taken");
  EXPECT_EQ(text(brakes_.begin_message(sender(), 900, kBegin)), "taken") << "nothing has come yet";
  brakes_.count_octets(sender(), 600, kBegin);
  EXPECT_EQ(text(brakes_.begin_message(sender(), 900, kBegin)),
            "451 4.7.1 Too many octets of this credential in this minute, try again in 60 s");
  EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin)), "taken") << "it may be small";
  brakes_.count_octets(sender(), 1'900, kBegin);
  EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin + 1min)),
            "451 4.7.1 Too many octets of this credential in this minute, try again in 60 s");
  EXPECT_EQ(text(brakes_.begin_message(sender(), 500, kBegin + 2min)), "taken");
}

TEST_F(BrakesTest, OneNetworkIsASixtyFourAndADeviceHasItsOwnLimit) {
  options_.of_network.messages = 1;
  client_ = at("2001:db8::1");
  EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin)), "taken");
  client_ = at("2001:db8::2");
  EXPECT_NE(text(brakes_.begin_message(sender(), 0, kBegin)), "taken");
  options_.of_network.messages = 0;
  listener_.device_account = "office";
  options_.device_messages_per_minute = 1;
  EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin)), "taken");
  EXPECT_EQ(text(brakes_.begin_message(sender(), 0, kBegin)),
            "451 4.7.1 Too many messages of this device in this minute, try again in 60 s");
}

}  // namespace
}  // namespace todoku::relay
