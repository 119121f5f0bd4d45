// SPDX-License-Identifier: Apache-2.0
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.h"
#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct Told {
  int status;
  std::string out;
  std::string err;
};

Told rules(FakeHost& host, std::vector<std::string> arguments) {
  std::ostringstream out;
  std::ostringstream err;
  arguments.insert(arguments.begin(), "rules");
  const int status = run(arguments, host, out, err);
  return {.status = status, .out = out.str(), .err = err.str()};
}

TEST(Rules, CheckTellsEveryMistake) {
  FakeHost host;
  EXPECT_EQ(rules(host, {"check"}).status, 0);
  host.reply_rules.text = "[[reply]]\nid = \"x\"\ncause = \"no\"\ncodes = \"9\"\n";
  const Told told = rules(host, {"check"});
  EXPECT_EQ(told.status, 1);
  EXPECT_THAT(told.err, AllOf(HasSubstr("own.toml:3: reply.cause"),
                              HasSubstr("own.toml:4: reply.codes"), HasSubstr("reply.source")));
  EXPECT_THAT(rules(host, {"check", "--json"}).out,
              AllOf(HasSubstr("{\"mistakes\":[\"own.toml:"), HasSubstr("reply.codes")));
}

TEST(Rules, ExplainSaysWhatAReplyMeansAndWhichRuleSaysSo) {
  FakeHost host;
  const Told told = rules(host, {"explain", "552 5.2.2 <taro@example.jp> mailbox full"});
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(HasSubstr("mailbox_full"), HasSubstr("mailbox-full-552-x2.2"),
                              HasSubstr("rules/replies.toml:"), HasSubstr("2026-")));
  EXPECT_THAT(rules(host, {"explain", "--lang", "ja", "550 5.1.1 User unknown"}).out,
              AllOf(HasSubstr("宛先のアドレス"), HasSubstr("user unknown")));
  EXPECT_THAT(rules(host, {"explain", "--json", "450 4.7.1 Greylisted"}).out,
              AllOf(HasSubstr("\"class\":\"greylist\""), HasSubstr("\"permanent\":false"),
                    HasSubstr("\"rule\":\"greylist\"")));
  EXPECT_EQ(rules(host, {"explain", "--stage", "lunch", "550 no"}).status, 2);
  EXPECT_EQ(rules(host, {"explain", "--site", "nowhere", "550 no"}).status, 2);
}

TEST(Rules, ExplainGoesByTheOperatorsRulesOfTheSite) {
  FakeHost host;
  host.site_rules.text = "[bank]\ndomains = [\"bank.example\"]\n";
  host.reply_rules.text =
      "[[reply]]\nid = \"bank-busy\"\nsite = \"bank\"\ncause = \"rate\"\ncodes = \"4xx\"\n"
      "phrases = \"branch closed\"\nsource = \"(ours)\"\ndate = 2026-11-29\n";
  EXPECT_THAT(rules(host, {"explain", "--site", "bank", "450 Branch closed"}).out,
              AllOf(HasSubstr("bank-busy"), HasSubstr("own.toml:1")));
  EXPECT_THAT(rules(host, {"explain", "450 Branch closed"}).out, Not(HasSubstr("bank-busy")));
}

TEST(Rules, ExplainSaysWhatAnAnswerSetsOff) {
  FakeHost host;
  host.site_rules.text = "[bank]\ndomains = [\"bank.example\"]\n";
  host.automation_layer.text =
      "[[automation]]\nid = \"bank-closes\"\nsites = [\"bank\"]\nphrases = [\"closed\"]\n"
      "times = 3\nsuspend_seconds = 600\nsource = \"(ours)\"\ndate = 2026-11-30\n";
  EXPECT_THAT(rules(host, {"explain", "--site", "bank", "450 Branch closed"}).out,
              AllOf(HasSubstr("bank-closes: after 3 within 3600 s, the source rests there for 600 "
                              "s"),
                    HasSubstr("automations.toml:1 ((ours), 2026-11-30)")));
  EXPECT_THAT(rules(host, {"explain", "450 Branch closed"}).out, Not(HasSubstr("bank-closes")));
  EXPECT_THAT(rules(host, {"explain", "--json", "--site", "bank", "450 Branch closed"}).out,
              HasSubstr("\"suspend_seconds\":600"));
  host.automation_layer.text += "times = 0\n";
  EXPECT_EQ(rules(host, {"check"}).status, 1);
}

TEST(Rules, ExplainSaysWhereEachLimitOfADomainIsWritten) {
  FakeHost host;
  host.site_rules.text =
      "[defaults]\nconnections_max = 7\n[bank]\ndomains = [\"bank.example\"]\n"
      "messages_per_second = 2\nsource = \"their page\"\ndate = 2026-11-29\n";
  const Told told = rules(host, {"explain", "taro@bank.example"});
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(HasSubstr("site bank"), HasSubstr("their page (2026-11-29)"),
                              HasSubstr("sites.toml:2"), HasSubstr("sites.toml:5")));
  for (const char* none : {"no domain", "5.1.1", "hello", "192.0.2.1"}) {
    EXPECT_EQ(rules(host, {"explain", none}).status, 2) << none;
  }
}

TEST(Rules, ExplainWritesNumbersAsPeopleDo) {
  FakeHost host;
  host.site_rules.text =
      "[defaults]\nmessages_per_second = 10\n[bank]\ndomains = [\"bank.example\"]\n"
      "messages_per_second = 0.5\n";
  EXPECT_THAT(rules(host, {"explain", "other.example"}).out,
              AllOf(ContainsRegex("messages_per_second +10 "), Not(HasSubstr("E0"))));
  EXPECT_THAT(rules(host, {"explain", "bank.example"}).out,
              ContainsRegex("messages_per_second +0\\.5 "));
}

TEST(Rules, ExplainAsksTheConfiguredServersAndSaysWhereNoneAnswers) {
  FakeHost host;
  EXPECT_THAT(rules(host, {"explain", "other.example"}).out,
              HasSubstr("No rule names other.example"));
  EXPECT_TRUE(host.is_installations);
  host.zone.set_zone({.failures = {{"MX other.example", ErrorKind::unavailable}}});
  const Told told = rules(host, {"explain", "other.example"});
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(HasSubstr("No name server could say"),
                              Not(HasSubstr("No rule names other.example"))));
}

}  // namespace
}  // namespace todoku::cli
