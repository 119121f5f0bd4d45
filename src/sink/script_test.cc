// SPDX-License-Identifier: Apache-2.0
#include "sink/script.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sink/options_toml.h"
#include "sink/provider.h"

namespace todoku::sink {
namespace {

class ScriptTest : public testing::Test {
 protected:
  // Asks at rcpt unless told otherwise. "ok", "450", "close", with "+5s" for a delay.
  std::string ask(const Script& script, std::string_view address, Moment at = Moment::rcpt) {
    const Address recipient = parse_address(address).value();
    return ask_about(script, {&recipient, 1}, at);
  }
  std::string ask_about(const Script& script, std::span<const Address> recipients, Moment at) {
    const Decision decision = script.decide(
        {.at = at, .client = client_, .sender = "a@example.com", .recipients = recipients}, random_,
        now_);
    std::string said = decision.close ? "close" : decision.reply ? "" : "ok";
    if (decision.reply) said = std::to_string(decision.reply->code);
    if (decision.delay > Microseconds::zero()) {
      said += "+" + std::to_string(decision.delay.count() / 1'000'000) + "s";
    }
    return said;
  }
  // How many of `count` recipients are answered with something else than ok.
  int failures(const Script& script, int count) {
    int failed = 0;
    for (int i = 0; i < count; ++i) {
      failed += ask(script, "user" + std::to_string(i) + "@example.jp") == "ok" ? 0 : 1;
    }
    return failed;
  }

  Attempts attempts_;
  SeededRandom random_{1};
  Instant now_ = from_epoch_ms(1'767'225'600'000);
  std::string client_ = "127.0.0.1";
};

TEST_F(ScriptTest, AcceptsWhatNoRuleConcerns) {
  const Receiver receiver;
  const Script script(receiver, 1, attempts_);
  for (std::size_t at = 0; at < kMoments; ++at) {
    EXPECT_EQ(ask_about(script, {}, static_cast<Moment>(at)), "ok");
  }
  EXPECT_EQ(ask(script, "suzuki@example.jp"), "ok");
}

TEST_F(ScriptTest, LocalPartsSayWhatHappens) {
  const Receiver receiver;
  const Script script(receiver, 1, attempts_);
  EXPECT_EQ(ask(script, "bounce@example.jp"), "550");
  EXPECT_EQ(ask(script, "Bounce-552@example.jp"), "552");
  EXPECT_EQ(ask(script, "bounce-550+17@example.jp"), "550");
  EXPECT_EQ(ask(script, "bounce-554.17@example.jp"), "554");
  EXPECT_EQ(ask(script, "defer@example.jp"), "450");
  EXPECT_EQ(ask(script, "defer-421@example.jp"), "421");
  EXPECT_EQ(ask(script, "slow-7@example.jp"), "ok+7s");
  EXPECT_EQ(ask(script, "close-rcpt@example.jp"), "close");
  EXPECT_EQ(ask(script, "close-rcpt@example.jp", Moment::data), "ok");
  EXPECT_EQ(ask(script, "close-body@example.jp", Moment::body), "close");
  EXPECT_EQ(ask(script, "late-451@example.jp"), "ok");
  EXPECT_EQ(ask(script, "late-451@example.jp", Moment::body), "451");
}

TEST_F(ScriptTest, LocalPartsThatOnlyLookLikeItAreOrdinary) {
  const Receiver receiver;
  const Script script(receiver, 1, attempts_);
  for (const std::string_view local : {"bounce-450", "bounce-x", "bouncer", "defer-550",
                                       "deferral-450", "grey-0", "late-250", "close-quit"}) {
    EXPECT_EQ(ask(script, std::string(local) + "@example.jp"), "ok") << local;
  }
  const Receiver off{.address_rules = false};
  EXPECT_EQ(ask(Script(off, 1, attempts_), "bounce-550@example.jp"), "ok");
}

TEST_F(ScriptTest, GreyAddressesComeThroughAtTheirAttempt) {
  const Receiver receiver;
  const Script script(receiver, 1, attempts_);
  EXPECT_EQ(ask(script, "grey@example.jp"), "450");
  EXPECT_EQ(ask(script, "grey@example.jp"), "ok");
  EXPECT_EQ(ask(script, "grey-3@example.jp"), "450");
  EXPECT_EQ(ask(script, "grey-3@example.jp"), "450");
  EXPECT_EQ(ask(script, "grey-3@example.jp"), "ok");
}

TEST_F(ScriptTest, GreylistsByClientSenderAndRecipient) {
  const Receiver receiver{.greylist = Greylist{.tries = 2}};
  const Script script(receiver, 1, attempts_);
  EXPECT_EQ(ask(script, "a@example.jp"), "450");
  EXPECT_EQ(ask(script, "b@example.jp"), "450");
  EXPECT_EQ(ask(script, "a@example.jp"), "ok");
  EXPECT_EQ(ask(script, "a@example.jp"), "ok");
  client_ = "127.0.0.2";
  EXPECT_EQ(ask(script, "a@example.jp"), "450");
}

TEST_F(ScriptTest, GreylistsByTime) {
  const Receiver receiver{.greylist = Greylist{.tries = 0, .seconds = 60}};
  const Script script(receiver, 1, attempts_);
  EXPECT_EQ(ask(script, "a@example.jp"), "450");
  now_ += std::chrono::seconds(59);
  EXPECT_EQ(ask(script, "a@example.jp"), "450");
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(ask(script, "a@example.jp"), "ok");
}

TEST_F(ScriptTest, TheFirstRuleThatDecidesWinsAndDelaysAddUp) {
  Receiver receiver;
  receiver.rules = {delay_rule(Moment::rcpt, 2),
                    {.at = Moment::rcpt, .local = "vip*", .delay = std::chrono::seconds(3)},
                    {.at = Moment::rcpt, .local = "vip-no", .reply = Reply{550, "5.1.1 x"}},
                    {.at = Moment::rcpt, .domain = "*.example.jp", .close = true},
                    {.at = Moment::rcpt, .local = "vip-no", .reply = Reply{450, "4.0.0 y"}}};
  const Script script(receiver, 1, attempts_);
  EXPECT_EQ(ask(script, "a@example.jp"), "ok+2s");
  EXPECT_EQ(ask(script, "VIP@example.jp"), "ok+5s");
  EXPECT_EQ(ask(script, "vip-no@sub.example.jp"), "550+5s");
  EXPECT_EQ(ask(script, "a@sub.example.jp"), "close+2s");
}

TEST_F(ScriptTest, RulesAfterTheEnvelopeHoldIfAnyRecipientFits) {
  Receiver receiver;
  receiver.rules = {{.at = Moment::body, .local = "b", .reply = Reply{554, "5.7.1 x"}}};
  const Script script(receiver, 1, attempts_);
  const std::vector<Address> both = {{"a", "example.jp"}, {"b", "example.jp"}};
  EXPECT_EQ(ask_about(script, both, Moment::body), "554");
  EXPECT_EQ(ask_about(script, {both.data(), 1}, Moment::body), "ok");
}

TEST_F(ScriptTest, PermanentOddsStickToTheAddress) {
  Receiver receiver;
  receiver.rules = {fail_rule(Excuse::any_permanent, 0.1)};
  const Script script(receiver, 7, attempts_);
  EXPECT_NEAR(failures(script, 10'000), 1'000, 150);
  std::map<std::string, std::string> first;
  for (int i = 0; i < 200; ++i) {
    const std::string address = "user" + std::to_string(i) + "@example.jp";
    first[address] = ask(script, address);
  }
  // Another script of the same seed, asked in another order.
  Attempts other;
  const Script again(receiver, 7, other);
  for (auto entry = first.rbegin(); entry != first.rend(); ++entry) {
    EXPECT_EQ(ask(again, entry->first), entry->second);
  }
  EXPECT_NE(failures(Script(receiver, 8, attempts_), 10'000), failures(script, 10'000));
}

TEST_F(ScriptTest, TemporaryOddsLetALaterAttemptThrough) {
  Receiver receiver;
  receiver.rules = {fail_rule(Excuse::any_temporary, 0.5)};
  const Script script(receiver, 7, attempts_);
  EXPECT_NEAR(failures(script, 4'000), 2'000, 200);
  EXPECT_NEAR(failures(script, 4'000), 1'000, 150);  // those that failed, drawn again
  for (int round = 0; round < 20; ++round) static_cast<void>(failures(script, 4'000));
  EXPECT_EQ(failures(script, 4'000), 0);
}

TEST_F(ScriptTest, ServesItsDomainsAndTheirPatterns) {
  const Receiver receiver{.domains = {"Example.JP", "*.example.com"}};
  const Script script(receiver, 1, attempts_);
  EXPECT_TRUE(script.serves("example.jp"));
  EXPECT_TRUE(script.serves("a.b.example.com"));
  EXPECT_FALSE(script.serves("example.com"));
  EXPECT_FALSE(script.serves("sub.example.jp"));
  const Receiver all;
  EXPECT_TRUE(Script(all, 1, attempts_).serves("anything.example"));
}

TEST(Fits, StarsAndQuestionMarksMatch) {
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("a*b*c", "aXXbYYc"));
  EXPECT_TRUE(fits("a*bc", "abcbc"));
  EXPECT_TRUE(fits("User?@", "uSER7@"));
  EXPECT_FALSE(fits("a?", "a"));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_FALSE(fits("a*b", "acbd"));
}

TEST(ProviderReply, EveryProviderHasWordsForEveryExcuse) {
  const Mentioned mentioned{
      .address = "x@example.jp", .client = "192.0.2.1", .hostname = "mx.example.jp"};
  for (int p = 0; p < 10; ++p) {
    for (int e = 0; e < 12; ++e) {
      const auto provider = static_cast<Provider>(p);
      const Reply reply = provider_reply(provider, static_cast<Excuse>(e), mentioned, 3);
      EXPECT_TRUE(reply.temporary() || reply.permanent()) << to_string(provider);
      EXPECT_FALSE(reply.text.contains('{')) << reply.text;
      // The enhanced code, where there is one, agrees with the code.
      if (const auto enhanced = reply.enhanced()) EXPECT_EQ(enhanced->klass, reply.code / 100);
    }
    EXPECT_TRUE(
        provider_reply(static_cast<Provider>(p), Excuse::any_temporary, mentioned, 5).temporary());
    EXPECT_TRUE(
        provider_reply(static_cast<Provider>(p), Excuse::any_permanent, mentioned, 5).permanent());
  }
}

TEST(ProviderReply, MentionsWhomItConcerns) {
  EXPECT_EQ(provider_reply(Provider::docomo, Excuse::unknown_user, {.address = "x@example.jp"}),
            (Reply{550, "Unknown user x@example.jp"}));
  EXPECT_TRUE(provider_reply(Provider::yahoo, Excuse::too_fast, {.client = "192.0.2.1"})
                  .text.contains("[TSS04] Messages from 192.0.2.1"));
}

TEST(ProviderReply, AWantedCodeIsKept) {
  for (int p = 0; p < 10; ++p) {
    for (int code = 400; code < 600; ++code) {
      const Reply reply = provider_reply_with_code(static_cast<Provider>(p), code, {});
      EXPECT_EQ(reply.code, code);
      if (const auto enhanced = reply.enhanced()) EXPECT_EQ(enhanced->klass, code / 100);
    }
  }
}

}  // namespace
}  // namespace todoku::sink
