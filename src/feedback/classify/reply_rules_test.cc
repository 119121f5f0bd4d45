// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/reply_rules.h"

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feedback/classify/meaning.h"
#include "feedback/classify/phrase_set.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

using testing::HasSubstr;

constexpr std::string_view kEnd = "source = \"(ours)\"\ndate = 2026-11-29\n";

Result<ReplyRules> over_shipped(std::string_view text) {
  return ReplyRules::parse(
      std::array{ReplyRules::shipped_layer(), ReplyRules::Layer{"own.toml", std::string(text)}});
}

std::string mistakes(std::string_view text) {
  const auto rules = over_shipped(text);
  return rules ? "" : rules.error().detail;
}

// Every tenth text that the corpus of real replies has.
std::vector<std::string> some_of_the_corpus() {
  constexpr int kEach = 10;
  std::ifstream file(TODOKU_SOURCE_DIR "/tests/corpus/classify/replies.tsv");
  std::vector<std::string> texts;
  int count = 0;
  for (std::string row; std::getline(file, row);) {
    if (row.empty() || row.starts_with('#') || count++ % kEach != 0) continue;
    const std::size_t first = row.find('\t');
    const std::size_t second = row.find('\t', first + 1);
    texts.push_back(readable(row.substr(second + 1, row.find('\t', second + 1) - second - 1)));
  }
  return texts;
}

TEST(ReplyRules, ShippedOnesNameWhereTheyComeFromAndWhen) {
  const auto& rules = ReplyRules::shipped().rules();
  EXPECT_GE(rules.size(), 120U);
  std::set<std::string> names;
  for (const ReplyRule& rule : rules) {
    EXPECT_TRUE(names.insert(rule.id).second) << rule.id;
    EXPECT_FALSE(rule.source.empty()) << rule.id;
    EXPECT_EQ(rule.date.size(), 10U) << rule.id;
    EXPECT_THAT(rule.place, testing::StartsWith("rules/replies.toml:")) << rule.id;
  }
  const ReplyRule& last = rules.back();
  EXPECT_TRUE(last.said.empty() && last.codes.low == 0 && last.subject < 0 && !last.party);
  EXPECT_EQ(last.cause, Cause::unclear);
}

// A phrase that no rule can reach says that its author believed something that is not so.
TEST(ReplyRules, EachShippedPhraseIsFoundInItself) {
  for (const ReplyRule& rule : ReplyRules::shipped().rules()) {
    PhraseSet alone;
    std::vector<std::pair<std::string, std::size_t>> numbers;
    for (const ReplyRule::Said& said : rule.said) {
      numbers.emplace_back(said.words, alone.add_phrase(said.words));
    }
    alone.compile();
    for (const auto& [words, number] : numbers) {
      const std::string text = words.ends_with('*') ? words.substr(0, words.size() - 1) : words;
      EXPECT_TRUE(alone.find(text).has(number)) << rule.id << ": " << words;
    }
  }
}

TEST(PhraseSet, FindsWhatALookForEachPhraseFinds) {
  std::vector<std::string> phrases;
  for (const ReplyRule& rule : ReplyRules::shipped().rules()) {
    for (const ReplyRule::Said& said : rule.said) {
      // Not beginnings, nor expressions, which stand beside the phrases.
      const bool is_phrase = !said.words.starts_with(':') && !said.words.contains('[');
      if (is_phrase) phrases.push_back(said.words);
    }
  }
  ASSERT_GT(phrases.size(), 400U);
  PhraseSet set;
  std::vector<std::size_t> numbers;
  for (const std::string& phrase : phrases) numbers.push_back(set.add_phrase(phrase));
  set.compile();
  std::size_t found = 0;
  for (const std::string& text : some_of_the_corpus()) {
    const PhraseSet::Found all = set.find(text);
    for (std::size_t i = 0; i < phrases.size(); ++i) {
      EXPECT_EQ(all.has(numbers[i]), has_phrase(text, phrases[i])) << phrases[i] << " in " << text;
      found += all.has(numbers[i]) ? 1 : 0;
    }
  }
  EXPECT_GT(found, 50U);
}

TEST(PhraseSet, ReadsOctetsOfAnyCharset) {
  PhraseSet set;
  const std::size_t full = set.add_phrase("容量オーバー");
  const std::size_t beginning = set.add_beginning(": user");
  const auto pattern = set.add_pattern("wait [0-9]+ min");
  ASSERT_TRUE(pattern) << pattern.error().detail;
  EXPECT_EQ(set.add_phrase("容量オーバー"), full);
  EXPECT_FALSE(set.add_pattern("wait ["));
  set.compile();
  EXPECT_TRUE(set.find("\xff\xfe 容量オーバーです").has(full));
  EXPECT_TRUE(set.find(": user unknown").has(beginning));
  EXPECT_FALSE(set.find("no: user unknown").has(beginning));
  EXPECT_TRUE(set.find("please wait 15 minutes").has(*pattern));
  EXPECT_FALSE(set.find("").has(full));
}

TEST(ReplyRules, AnOperatorsRuleGoesBeforeThoseShipped) {
  const auto rules = over_shipped(fmt::format(
      "[[reply]]\nid = \"bank-full\"\nsite = \"bank\"\ncause = \"policy\"\ncodes = \"5xx\"\n"
      "phrases = [\"Mailbox Full\"]\n{}",
      kEnd));
  ASSERT_TRUE(rules) << rules.error().detail;
  const SaidByReceiver elsewhere{Stage::rcpt_to, 552, "5.2.2 mailbox full", "google"};
  SaidByReceiver at_the_bank = elsewhere;
  at_the_bank.site = "bank";
  EXPECT_EQ(rules->rule_for(elsewhere).cause, Cause::mailbox_full);
  EXPECT_EQ(rules->rule_for(at_the_bank).id, "bank-full");
  EXPECT_EQ(rules->rule_for(at_the_bank).place, "own.toml:1");
  EXPECT_EQ(rules->words_found(rules->rule_for(at_the_bank), at_the_bank), "mailbox full");
}

TEST(ReplyRules, OneThatIsSwitchedOffSpeaksNoMore) {
  const SaidByReceiver said{Stage::rcpt_to, 450, "4.7.1 Greylisted, come back", ""};
  const auto rules = over_shipped("off = [\"greylist\"]\n");
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(ReplyRules::shipped().rule_for(said).id, "greylist");
  EXPECT_NE(rules->rule_for(said).id, "greylist");
  // And another may take its name.
  const auto other = over_shipped(
      fmt::format("off = [\"greylist\"]\n[[reply]]\nid = \"greylist\"\ncause = \"rate\"\n"
                  "codes = \"450-459\"\nphrases = \"greylisted\"\n{}",
                  kEnd));
  ASSERT_TRUE(other) << other.error().detail;
  EXPECT_EQ(other->rule_for(said).cause, Cause::rate);
}

TEST(ReplyRules, OfASmarthostsAccountOfOursAreNotOfTheRecipient) {
  const auto cause = [](int code, std::string_view text) {
    return ReplyRules::shipped()
        .rule_for({.stage = Stage::rcpt_to, .code = code, .text = text, .by_smarthost = true})
        .cause;
  };
  for (const std::string_view text :
       {"5.7.1 Your trial account has expired; upgrade to send",
        "5.1.1 The account you authenticated with has been suspended",
        "5.1.1 Recipient not allowed: your sandbox account may only send to verified addresses",
        "5.7.1 You are not allowed to send", "Ihr Konto wurde gesperrt"}) {
    EXPECT_EQ(cause(550, text), Cause::smarthost) << text;
  }
  EXPECT_EQ(cause(552, "5.2.2 Your account is over quota; sending disabled"), Cause::smarthost);
  EXPECT_EQ(cause(550, "5.1.1 User unknown"), Cause::mailbox);
  EXPECT_EQ(cause(552, "5.2.2 Mailbox full"), Cause::mailbox_full);
  EXPECT_NE(cause(550, "5.7.1 You are not allowed to send to this group"), Cause::smarthost);
  EXPECT_NE(cause(550, "5.1.1 The address is on the suppression list of your account, unknown"),
            Cause::smarthost);
}

TEST(ReplyRules, WithoutAnyRuleNothingIsKnown) {
  const auto none = ReplyRules::parse({});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->rule_for({Stage::rcpt_to, 550, "5.1.1 User unknown", ""}).cause, Cause::unclear);
}

TEST(ReplyRules, TellEveryMistakeWithItsLine) {
  const std::string told = mistakes(
      "wrong = 1\n"
      "[[reply]]\nid = \"Bad Name\"\ncause = \"nothing\"\nstages = [\"lunch\"]\ncodes = \"6xx\"\n"
      "status = \"a\"\nunless_status = \"7.1\"\nparty = \"me\"\nlist = \"none\"\n"
      "patterns = [\"[\"]\nphrase = [\"x\"]\n"
      "source = \"\"\ndate = \"today\"\n");
  for (const std::string_view mistake :
       {"own.toml:1: \"wrong\" is not one of", "own.toml:3: reply.id must be of small letters",
        "own.toml:4: reply.cause is \"nothing\"", "own.toml:5: reply.stages has \"lunch\"",
        "own.toml:6: reply.codes must be", "own.toml:7: reply.status must be",
        "own.toml:8: reply.unless_status must be", "own.toml:9: reply.party must be",
        "own.toml:10: reply.list names \"none\"", "own.toml:11: reply.patterns has one",
        "own.toml:12: reply.phrase is not a key of it (did you mean phrases?)",
        "own.toml:13: reply.source must be", "own.toml:14: reply.date must be a date"}) {
    EXPECT_THAT(told, HasSubstr(mistake));
  }
  EXPECT_THAT(mistakes("off = [\"no-such\"]"),
              HasSubstr("own.toml:1: rules.off names \"no-such\""));
  EXPECT_THAT(mistakes("[[reply]\n"), HasSubstr("own.toml:1: "));
  EXPECT_THAT(mistakes(fmt::format("[[reply]]\nid = \"rate\"\ncause = \"rate\"\n{}", kEnd)),
              HasSubstr("reply.id is \"rate\", which another rule has"));
  EXPECT_THAT(mistakes("[parties]\nsenders = [\"x\"]\n"), HasSubstr("did you mean sender?"));
  EXPECT_THAT(mistakes(std::string(1'100'000, '#')), HasSubstr("at most"));
}

TEST(ReplyRules, TheOneThatSpokeIsTold) {
  const RuleBehind behind =
      rule_behind({.stage = Stage::rcpt_to, .reply = {552, "5.2.2 <a@example.jp> mailbox full"}});
  EXPECT_EQ(behind.id, "mailbox-full-552-x2.2");
  EXPECT_THAT(behind.place, testing::StartsWith("rules/replies.toml:"));
  const RuleBehind words =
      rule_behind({.stage = Stage::rcpt_to, .reply = {550, "5.1.1 User unknown"}});
  EXPECT_EQ(words.words, "user unknown");
  EXPECT_EQ(rule_behind({.cause = Cause::key_missing}).id, "our own finding");
}

}  // namespace
}  // namespace todoku::feedback::classify
