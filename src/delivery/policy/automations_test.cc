// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/automations.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kEnd = "source = \"s\"\ndate = 2026-11-30\n";

Result<Automations> parsed(const std::string& text) {
  return Automations::parse(std::array{Automations::Layer{"own.toml", text}});
}

std::vector<std::string> ids(const std::vector<const Automation*>& automations) {
  std::vector<std::string> all;
  for (const Automation* each : automations) all.push_back(each->id);
  return all;
}

TEST(Automations, GoBySiteCauseAndWords) {
  const auto automations = parsed(
      "[[automation]]\nid = \"one\"\nsites = [\"bank\"]\nphrases = [\"Come Back\"]\n"
      "suspend_seconds = 60\n" +
      std::string(kEnd) +
      "[[automation]]\nid = \"two\"\ncauses = [\"rate\"]\nslow_to = 2\nslow_seconds = 10\n" +
      std::string(kEnd) +
      "[[automation]]\nid = \"three\"\npatterns = [\"wait [0-9]+ min\"]\nalarm = true\n" +
      std::string(kEnd));
  ASSERT_TRUE(automations) << automations.error().detail;
  const auto set_off = [&](std::string_view site, Cause cause, std::string_view text) {
    return ids(automations->set_off_by({.site = site, .cause = cause, .text = text}));
  };
  EXPECT_THAT(set_off("bank", Cause::greylist, "4.7.1 come back, later"), ElementsAre("one"));
  EXPECT_THAT(set_off("other", Cause::greylist, "4.7.1 come back, later"), IsEmpty());
  EXPECT_THAT(set_off("other", Cause::rate, "4.7.1 slow down"), ElementsAre("two"));
  EXPECT_THAT(set_off("bank", Cause::rate, "come back, wait 10 minutes"),
              ElementsAre("one", "two", "three"));
  EXPECT_EQ(automations->all()[0].suspend_for, seconds(60));
  EXPECT_DOUBLE_EQ(automations->all()[1].slow_to, 2);
  EXPECT_EQ(automations->all()[1].slow_for, seconds(10));
  EXPECT_EQ(automations->all()[2].place, "own.toml:15");
}

TEST(Automations, AreReplacedAndSwitchedOffByLaterLayers) {
  const Automations::Layer below{"below.toml",
                                 "[[automation]]\nid = \"a\"\ncauses = [\"rate\"]\nalarm = true\n" +
                                     std::string(kEnd) +
                                     "[[automation]]\nid = \"b\"\ncauses = [\"rate\"]\nalarm = "
                                     "true\n" +
                                     std::string(kEnd)};
  const Automations::Layer above{"own.toml",
                                 "off = [\"b\"]\n[[automation]]\nid = \"a\"\ncauses = [\"rate\"]\n"
                                 "times = 3\nsuspend_seconds = 9\n" +
                                     std::string(kEnd)};
  const auto automations = Automations::parse(std::array{below, above});
  ASSERT_TRUE(automations) << automations.error().detail;
  ASSERT_EQ(automations->all().size(), 1U);
  EXPECT_EQ(automations->all()[0].times, 3U);
  EXPECT_FALSE(automations->all()[0].alarm);
}

TEST(Automations, MistakesAreToldWithTheirPlace) {
  const auto wrong = [](const std::string& text) {
    const auto automations = parsed("[[automation]]\n" + text + std::string(kEnd));
    return automations ? "" : automations.error().detail;
  };
  const std::string good = "id = \"a\"\ncauses = [\"rate\"]\n";
  EXPECT_EQ(wrong(good + "alarm = true\n"), "");
  EXPECT_THAT(wrong(good), HasSubstr("own.toml:1: automation.slow_to is missing, and so are"));
  EXPECT_THAT(wrong(good + "slow_to = 1\n"), HasSubstr("slow_seconds is missing"));
  EXPECT_THAT(wrong(good + "slow_to = 0\nslow_seconds = 1\n"),
              HasSubstr("own.toml:4: automation.slow_to must be a number from 0.01 to 100000"));
  EXPECT_THAT(wrong(good + "suspend_seconds = 604801\n"),
              HasSubstr("suspend_seconds must be a whole number from 1 to 604800"));
  EXPECT_THAT(wrong(good + "alarm = true\ntimes = 0\n"), HasSubstr("automation.times must be"));
  EXPECT_THAT(wrong(good + "alarm = true\nsuspend = 1\n"), HasSubstr("suspend"));
  EXPECT_THAT(wrong("id = \"a\"\nalarm = true\n"), HasSubstr("it would go by any answer"));
  EXPECT_THAT(wrong("id = \"a\"\ncauses = [\"reat\"]\nalarm = true\n"), HasSubstr("no cause"));
  EXPECT_THAT(wrong("id = \"a\"\npatterns = [\"(\"]\nalarm = true\n"),
              HasSubstr("no regular expression"));
  EXPECT_THAT(parsed("off = [\"x\"]\n").error().detail, HasSubstr("names \"x\""));
  EXPECT_THAT(parsed("[automatic]\n").error().detail, HasSubstr("neither off nor"));
}

TEST(Automations, TheShippedOnesAreValid) {
  const auto automations = Automations::parse(std::array{Automations::shipped_layer()});
  ASSERT_TRUE(automations) << automations.error().detail;
  EXPECT_THAT(ids(automations->set_off_by(
                  {.site = "yahoo",
                   .cause = Cause::rate,
                   .text = "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to "
                           "unexpected volume or user complaints"})),
              ElementsAre("yahoo-tss04"));
  for (const Automation& each : automations->all()) {
    EXPECT_TRUE(each.suspend_for < std::chrono::minutes(10) || each.times >= 3)
        << each.id << ": one odd answer must not keep mail back for long";
  }
}

TEST(Automations, AnAnswerThatComesOftenEnoughSetsOff) {
  Automation automation{.times = 3, .within = seconds(60)};
  AutomationCounts counts;
  const SteadyInstant now(seconds(1'000));
  EXPECT_FALSE(counts.counted(automation, now));
  EXPECT_FALSE(counts.counted(automation, now + seconds(1)));
  EXPECT_FALSE(counts.counted(automation, now + seconds(61))) << "the first is too old";
  EXPECT_TRUE(counts.counted(automation, now + seconds(61)));
  EXPECT_FALSE(counts.counted(automation, now + seconds(62))) << "it begins anew";
}

}  // namespace
}  // namespace todoku::delivery::policy
