// SPDX-License-Identifier: Apache-2.0
#include "relay/brakes.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::relay {
namespace {

using namespace std::chrono_literals;

constexpr SteadyInstant kBegin{1h};

net::IpAddress at(std::string_view text) {
  return net::Network::parse(text)->prefix();
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
