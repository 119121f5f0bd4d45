// SPDX-License-Identifier: Apache-2.0
#include "explain/causes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain/test_stories.h"

namespace todoku::explain {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

store::OutcomeCount outcomes(std::string site, RecipientState state, Cause cause,
                             std::int64_t mails) {
  return {.site = std::move(site), .state = state, .cause = cause, .mails = mails, .sample = {}};
}

// 959 of 1,000 at docomo arrived, 41 were refused.
std::vector<store::OutcomeCount> at_docomo() {
  return {outcomes("docomo", RecipientState::delivered, Cause::none, 959),
          outcomes("docomo", RecipientState::bounced, Cause::sender_address, 41),
          outcomes("docomo", RecipientState::deferred, Cause::rate, 300),
          outcomes("gmail", RecipientState::delivered, Cause::none, 50'000)};
}

store::Story refused_by_docomo() {
  store::Story story = base_story();
  story.address = "taro@docomo.ne.jp";
  story.state = RecipientState::bounced;
  story.attempts = {attempt(1, 1s, RecipientState::bounced, Stage::rcpt_to,
                            {550, "5.7.1 From domain has no A or MX record"})};
  story.attempts[0].outcome.cause = Cause::sender_address;
  return story;
}

TEST(Causes, TellTheShareOfAReceiverTheWordsAndTheRemedy) {
  Causes causes = causes_in(at_docomo(), 20);
  ASSERT_THAT(causes.sites, SizeIs(2));
  EXPECT_EQ(causes.sites[0].site, "docomo") << "the most failures first";
  ASSERT_THAT(causes.lines, SizeIs(2));
  EXPECT_EQ(causes.lines[0].cause, Cause::rate);
  EXPECT_EQ(told_cause(causes, causes.lines[0], Language::english).share, std::nullopt);
  causes.lines[1].sample = refused_by_docomo();
  const std::string text = tell_causes({.of = "all accounts"}, causes, Language::english);
  EXPECT_THAT(text, AllOf(HasSubstr("docomo: 1,000 ended, 95.9 % of them delivered"),
                          HasSubstr("4.1 % (41) bounced, sender_address: "),
                          HasSubstr("300 answers for later, rate: "),
                          HasSubstr("For example: 550 5.7.1 From domain has no A or MX record "
                                    "(delivery 12, mail 34, 2026-01-05 10:00:01 JST)"),
                          HasSubstr("Whose turn: the operator's"),
                          HasSubstr("gmail: 50,000 ended, 100.0 % of them delivered")));
  const std::string ja = tell_causes({.of = "すべて"}, causes, Language::japanese);
  EXPECT_THAT(ja, AllOf(HasSubstr("docomo: 完了 1,000 件、うち配送済み 95.9 %"),
                        HasSubstr("4.1 %（41 件）不達 (bounced)、sender_address: "),
                        HasSubstr("誰の番か: 管理者")));
}

TEST(Causes, OfADeliveryCountWhoCameToNoAttempt) {
  store::DeliveryCounts all;
  all.total = 1'100;
  all.delivered = 959;
  all.bounced = 51;  // ten before causes were counted
  all.dropped = 30;
  auto counts = at_docomo();
  counts.pop_back();
  const Causes causes = causes_in(counts, 20, all);
  const auto line = [&](RecipientState state, Cause cause) -> const CauseLine* {
    for (const CauseLine& each : causes.lines) {
      if (each.state == state && each.cause == cause) return &each;
    }
    return nullptr;
  };
  const CauseLine* const dropped = line(RecipientState::dropped, Cause::suppressed);
  ASSERT_NE(dropped, nullptr);
  EXPECT_EQ(dropped->mails, 30);
  EXPECT_THAT(told_cause(causes, *dropped, Language::english).action, HasSubstr("suppression"));
  const CauseLine* const before = line(RecipientState::bounced, Cause::none);
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(before->mails, 10);
  EXPECT_THAT(told_cause(causes, *before, Language::english).meaning,
              HasSubstr("before causes were counted"));
  const std::string text =
      tell_causes({.of = "delivery 12", .counts = all}, causes, Language::english);
  EXPECT_THAT(text, AllOf(HasSubstr("1,100 recipients, delivered 959 (87.2 %), bounced 51 (4.6 %), "
                                    "dropped 30 (2.7 %), 60 not over"),
                          HasSubstr("(others): ")));
}

TEST(Causes, OfAStoppedBulkIsThatItWasCancelled) {
  const std::vector counts = {outcomes("", RecipientState::cancelled, Cause::none, 104)};
  const Causes causes = causes_in(counts, 5);
  ASSERT_THAT(causes.lines, SizeIs(1));
  EXPECT_EQ(causes.lines[0].cause, Cause::cancelled);
  EXPECT_THAT(tell_causes({.of = "all"}, causes, Language::english),
              AllOf(HasSubstr("(104) cancelled, cancelled: "), Not(HasSubstr("were counted"))));
}

TEST(Causes, TheLargestAreToldAndThatThereAreMore) {
  std::vector<store::OutcomeCount> counts;
  for (int i = 0; i < 30; ++i) {
    counts.push_back(outcomes("s" + std::to_string(i), RecipientState::bounced, Cause::policy, i));
  }
  const Causes causes = causes_in(counts, 5);
  EXPECT_THAT(causes.lines, SizeIs(5));
  EXPECT_EQ(causes.lines[0].mails, 29);
  EXPECT_TRUE(causes.more);
  EXPECT_THAT(tell_causes({.of = "all"}, causes, Language::english),
              HasSubstr("there are more causes: --limit"));
}

TEST(Causes, OfAFewStoriesAreThoseOfTheirAttempts) {
  store::Story later = greylisted();
  const std::vector<store::Story> stories = {refused_by_docomo(), later, delivered()};
  const Causes causes = causes_in(stories, 20);
  std::vector<std::pair<std::string, std::int64_t>> found;
  for (const CauseLine& line : causes.lines) {
    found.emplace_back(std::string(to_string(line.cause)), line.mails);
    EXPECT_TRUE(line.sample);
  }
  EXPECT_THAT(found, ElementsAre(std::pair("greylist", 4), std::pair("sender_address", 1)));
}

TEST(Causes, ControlCharactersOfNamesAreHarmless) {
  const std::vector counts = {outcomes("a\x1b[2J", RecipientState::bounced, Cause::policy, 1)};
  EXPECT_THAT(tell_causes({.of = "x\x1b"}, causes_in(counts, 5), Language::english),
              Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace todoku::explain
