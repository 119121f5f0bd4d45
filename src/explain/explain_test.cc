// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "explain/advice.h"
#include "explain/advice_book.h"
#include "explain/own_words.h"
#include "explain/story_text.h"
#include "explain/test_stories.h"
#include "explain/time_text.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kCorpus = TODOKU_SOURCE_DIR "/tests/corpus/explain/";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// TODOKU_REWRITE_GOLDENS=1 writes what was made; the difference is reviewed like code.
void expect_golden(const std::string& name, const std::string& made) {
  if (std::getenv("TODOKU_REWRITE_GOLDENS") != nullptr) {
    std::ofstream(kCorpus + name, std::ios::binary) << made;
  }
  EXPECT_EQ(made, read_file(kCorpus + name)) << "TODOKU_REWRITE_GOLDENS=1 accepts the new text";
}

TEST(Stories, AreToldInEnglish) {
  const std::vector<store::Story> stories = {reserved(), greylisted(), delivered(), unreachable()};
  expect_golden("stories_en.txt",
                tell_stories("taro@example.jp", stories, options(Language::english)));
}

TEST(Stories, AreToldInJapanese) {
  const std::vector<store::Story> stories = {reserved(), greylisted(), delivered(), unreachable()};
  expect_golden("stories_ja.txt",
                tell_stories("taro@example.jp", stories, options(Language::japanese)));
}

TEST(Stories, TellOfOurOwnFailuresInEnglish) {
  const std::vector<store::Story> stories = {set_aside(), cannot_be_made(), too_large()};
  expect_golden("failures_en.txt",
                tell_stories("taro@example.jp", stories, options(Language::english)));
}

TEST(Stories, TellOfOurOwnFailuresInJapanese) {
  const std::vector<store::Story> stories = {set_aside(), cannot_be_made(), too_large()};
  expect_golden("failures_ja.txt",
                tell_stories("taro@example.jp", stories, options(Language::japanese)));
}

TEST(Stories, OfWhatCameBackSayWhoHadTakenIt) {
  const std::vector<store::Story> stories = {came_back()};
  const std::string told = tell_stories("taro@example.jp", stories, options(Language::english));
  const auto taken = told.find(": accepted");
  const auto back = told.find("came back");
  ASSERT_NE(taken, std::string::npos) << told;
  ASSERT_NE(back, std::string::npos) << told;
  EXPECT_LT(taken, back);
  EXPECT_EQ(told.find("Attempt 4"), std::string::npos) << "it is no attempt of ours";
  EXPECT_NE(told.find("User unknown"), std::string::npos);
  EXPECT_NE(
      tell_stories("taro@example.jp", stories, options(Language::japanese)).find("戻ってきました"),
      std::string::npos);
}

TEST(Stories, OfADelayFurtherOnSayThatItIsNotOver) {
  store::Story story = delivered();
  auto late = attempt(1, 4h, RecipientState::deferred, Stage::accepted, {451, "4.4.1 No route"});
  late.outcome.is_attempt = false;
  late.path = {};
  story.delays = {late};
  const auto told_in = [&](Language language) {
    return tell_stories("taro@example.jp", std::span(&story, 1), options(language));
  };
  const std::string told = told_in(Language::english);
  const auto taken = told.find(": accepted");
  const auto delay = told.find("14:00:00 JST: a returned mail tells that it is late");
  ASSERT_NE(taken, std::string::npos) << told;
  ASSERT_NE(delay, std::string::npos) << told;
  EXPECT_LT(taken, delay) << "in the order of time";
  EXPECT_THAT(told, HasSubstr("answer: 451 4.4.1 No route"));
  EXPECT_THAT(told, Not(HasSubstr("which is not an attempt")));
  EXPECT_THAT(told_in(Language::japanese), HasSubstr("遅延の通知が届きました"));
  auto back = came_back().attempts.back();
  back.at = late.at + 1h;
  story.state = RecipientState::bounced;
  story.attempts.push_back(back);
  const std::string ended = told_in(Language::english);
  EXPECT_LT(ended.find("that it is late"), ended.find("came back")) << ended;
}

TEST(Stories, OfWhatAReaderComplainedOfSaySo) {
  store::Story story = delivered();
  story.complained = kStart + 3h;
  const auto told_in = [&](Language language) {
    return tell_stories("taro@example.jp", std::span(&story, 1), options(language));
  };
  const std::string told = told_in(Language::english);
  const auto taken = told.find(": accepted");
  const auto complained = told.find("its reader calls it spam");
  ASSERT_NE(taken, std::string::npos) << told;
  ASSERT_NE(complained, std::string::npos) << told;
  EXPECT_LT(taken, complained) << "in the order of time";
  EXPECT_NE(told.find("To do: send this reader no advertisements"), std::string::npos) << told;
  EXPECT_NE(told_in(Language::japanese).find("迷惑メールとして申告"), std::string::npos);
}

TEST(Stories, ThatWentOnAfterARelease) {
  store::Story released = set_aside();
  released.set_aside = false;
  released.due = kStart + 2min;
  const std::vector stories = {released};
  const std::string text = tell_stories("taro@example.jp", stories, options(Language::english));
  EXPECT_THAT(text, HasSubstr("it goes out as soon as it is its turn"));
  EXPECT_THAT(text, Not(HasSubstr("To do")));
}

TEST(Stories, SayThatTheirTimeIsUp) {
  store::Story story = base_story();
  story.state = RecipientState::expired;
  auto end = attempt(1, 24h, RecipientState::expired, Stage::none,
                     {0, "4.4.7 given up: not delivered within 24 hours"});
  end.outcome.is_attempt = false;
  story.attempts = {end};
  const std::vector stories = {story};
  const std::string text = tell_stories("taro@example.jp", stories, options(Language::english));
  EXPECT_THAT(text, HasSubstr("2026-01-06 10:00:00 JST: given up"));
  EXPECT_THAT(text, Not(HasSubstr("put back")));
}

std::string told(const store::Story& story, Language language = Language::english) {
  return tell_stories("taro@example.jp", std::vector{story}, options(language));
}

TEST(Stories, OfALifeThatEndedInMidDialogueCountNoAttempt) {
  store::Story story = base_story();
  story.state = RecipientState::expired;
  auto end =
      attempt(1, 24h, RecipientState::expired, Stage::rcpt_to, {0, "the mail's time is over"});
  end.outcome.is_attempt = false;
  end.outcome.cause = Cause::out_of_time;
  story.attempts = {end};
  EXPECT_THAT(told(story), testing::AllOf(Not(HasSubstr("Attempt 0")),
                                          HasSubstr("JST: broken off at RCPT TO after 230 ms, "
                                                    "which is not an attempt")));
  EXPECT_THAT(told(story, Language::japanese),
              testing::AllOf(Not(HasSubstr("試行 0")), HasSubstr("RCPT TO の段階で打ち切り")));
}

TEST(Stories, OfALifeThatEndedForWantOfOursCountNoAttempt) {
  store::Story story = base_story();
  story.state = RecipientState::expired;
  auto end = attempt(1, 24h, RecipientState::expired, Stage::dns, {0, "no answer"});
  end.outcome.is_attempt = false;
  end.outcome.cause = Cause::resolver_doubted;
  story.attempts = {end};
  EXPECT_THAT(told(story),
              testing::AllOf(Not(HasSubstr("Attempt 0")), HasSubstr("10:00:00 JST: given up\n")));
}

TEST(Stories, OfAnEndWithTimeLeftSayWhy) {
  store::Story story = greylisted();
  story.state = story.attempts.back().outcome.state = RecipientState::expired;
  story.due.reset();
  story.expires = kStart + 5min;
  EXPECT_THAT(told(story), HasSubstr("Given up: its next attempt would have come after the end of "
                                     "its life at 2026-01-05 10:05:00 JST."));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("期限の 2026-01-05 10:05:00 JST より後"));
  story.expires = kStart + 61s;
  EXPECT_THAT(told(story), Not(HasSubstr("would have come")));
}

TEST(Stories, OfAnExpiredMailInDoubtSendItNotAgain) {
  for (const Cause cause : {Cause::in_doubt, Cause::garbled_in_doubt}) {
    store::Story story = base_story();
    story.state = RecipientState::expired;
    auto last = attempt(1, 24h, RecipientState::expired, Stage::data, {0, "connection reset"});
    last.outcome.cause = cause;
    story.attempts = {last};
    EXPECT_THAT(told(story), testing::AllOf(HasSubstr("it is not sent again."),
                                            HasSubstr("ask the recipient before sending it anew"),
                                            Not(HasSubstr("arrive twice")),
                                            Not(HasSubstr("send the mail again"))));
    // An earlier attempt in doubt, whatever came after it.
    story.attempts.front().outcome.state = RecipientState::deferred;
    story.attempts.push_back(
        attempt(2, 25h, RecipientState::expired, Stage::connect, {0, "connection timed out"}));
    EXPECT_THAT(told(story), HasSubstr("ask the recipient before sending it anew"));
  }
}

TEST(Stories, OfADeliveryThatFailedAsAWholeSayWhy) {
  store::Story story = reserved();
  story.delivery_status = DeliveryStatus::failed;
  story.state = RecipientState::cancelled;
  story.failure_reason =
      "the reserved time passed while the engine was not running or the account was suspended";
  EXPECT_THAT(told(story), HasSubstr("the engine was not running or the account was suspended"));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("エンジンまたはアカウントの停止中"));
  story.failure_reason = "it was cancelled before its time";
  EXPECT_THAT(told(story), testing::AllOf(HasSubstr("Not sent: it was cancelled before its time"),
                                          Not(HasSubstr("was not running"))));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("送信予定の前に取り消されました"));
}

TEST(Stories, SayThatThereIsNone) {
  EXPECT_EQ(tell_stories("x@example.jp", {}, options(Language::english)),
            "x@example.jp: no mail to this address is on record.\n"
            " What the API refused was not taken and is not on record: its answer says why.\n");
}

TEST(Stories, CannotSteerATerminal) {
  store::Story story = delivered();
  story.subject =
      "a\x1b[2Jb\xc2\x9b"
      "1mc";
  story.attempts.back().outcome.reply.text = "ok\x1b]0;title\x07 \xff\xfe";
  const std::vector stories = {story};
  const std::string text = tell_stories("taro@example.jp", stories, options(Language::english));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, HasSubstr("a?[2Jb?1mc"));
  EXPECT_TRUE(is_utf8(text));
}

TEST(TimeText, NamesTheZone) {
  EXPECT_EQ(time_text(kStart, 9h), "2026-01-05 10:00:00 JST");
  EXPECT_EQ(time_text(kStart, 0min), "2026-01-05 01:00:00 UTC");
  EXPECT_EQ(time_text(kStart, -330min), "2026-01-04 19:30:00 -05:30");
}

TEST(DurationText, HasAtMostTwoUnits) {
  EXPECT_EQ(duration_text(-5s, Language::english), "0 ms");
  EXPECT_EQ(duration_text(1230ms, Language::english), "1.2 s");
  EXPECT_EQ(duration_text(59'600ms, Language::english), "1 min");
  EXPECT_EQ(duration_text(270s, Language::english), "4 min 30 s");
  EXPECT_EQ(duration_text(2h + 30s, Language::english), "2 h");
  EXPECT_EQ(duration_text(76h + 5min, Language::japanese), "3 日 4 時間");
}

// Each line: state, stage, code, text of the reply, then the beginning of what it must mean.
TEST(Advice, MeansWhatTheCorpusOfRepliesSays) {
  std::istringstream lines(read_file(kCorpus + "replies.tsv"));
  std::string row;
  int count = 0;
  while (std::getline(lines, row)) {
    if (row.empty() || row.starts_with('#')) continue;
    std::vector<std::string> cells;
    std::istringstream stream(row);
    for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 5U) << row;
    Outcome outcome;
    for (int i = 0; i < 8; ++i) {
      if (to_string(RecipientState(i)) == cells[0]) outcome.state = RecipientState(i);
    }
    for (int i = 0; i < 11; ++i) {
      if (to_string(Stage(i)) == cells[1]) outcome.stage = Stage(i);
    }
    outcome.reply = {std::stoi(cells[2]), cells[3]};
    EXPECT_TRUE(advice_for(outcome, false).meaning.en.starts_with(cells[4]))
        << row << "\n  means: " << advice_for(outcome, false).meaning.en;
    ++count;
  }
  EXPECT_GE(count, 40);
}

TEST(Advice, HasWordsOfItsOwnForEveryCause) {
  for (const Cause cause : kCauses) {
    if (cause == Cause::none) continue;
    const feedback::classify::Answer answer{.cause = cause};
    const auto meaning = feedback::classify::meaning_of(answer);
    const Outcome outcome{.state = feedback::classify::state_of(meaning, false),
                          .stage = Stage::data,
                          .cause = cause};
    EXPECT_NE(&advice_for(outcome, false), &AdviceBook::shipped().rules().back().advice)
        << to_string(cause);
  }
}

TEST(Advice, WordsTheStoredCauseWhateverTheReplySays) {
  const Outcome outcome{.state = RecipientState::bounced,
                        .stage = Stage::rcpt_to,
                        .reply = {550, "5.1.1 User unknown"},
                        .cause = Cause::reputation};
  EXPECT_THAT(std::string(advice_for(outcome, false).meaning.en), HasSubstr("blocklist"));
}

TEST(Stories, TellADrainAsOurs) {
  store::Story story = greylisted();
  auto cut = attempt(3, 361s, RecipientState::deferred, Stage::rcpt_to,
                     {0, "read: cancelled (waiting for the answer to RCPT TO)"});
  cut.outcome.is_attempt = false;
  cut.outcome.cause = Cause::stopping;
  story.attempts.push_back(cut);
  const std::vector stories = {story};
  const std::string text = tell_stories("taro@example.jp", stories, options(Language::english));
  EXPECT_THAT(text, HasSubstr("put back by us, which is not an attempt"));
  EXPECT_THAT(text, HasSubstr("The engine was stopped while it talked with the receiver"));
  EXPECT_THAT(text, HasSubstr("Next: attempt 3 "));
}

// Whatever the second fits, the first fits too.
bool always_speaks_before(const AdviceRule& first, const AdviceRule& second) {
  const auto covers = [](const auto& mine, const auto& other) { return !mine || mine == other; };
  return covers(first.cause, second.cause) && covers(first.state, second.state) &&
         covers(first.stage, second.stage) && covers(first.is_signed, second.is_signed) &&
         (first.site.empty() || first.site == second.site);
}

TEST(Advice, IsReachedByEveryRuleThatGivesIt) {
  const auto rules = AdviceBook::shipped().rules();
  for (std::size_t later = 1; later + 1 < rules.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      EXPECT_FALSE(always_speaks_before(rules[earlier], rules[later]))
          << rules[later].place << " never speaks: " << rules[earlier].place << " does before it";
    }
  }
}

AdviceBook::Layer own_advice(std::string_view text) {
  return {"own.toml", std::string(text)};
}

delivery::policy::SiteRules two_sites() {
  const std::array layers = {delivery::policy::SiteRules::Layer{
      "sites.toml",
      "[docomo]\ndomains = [\"docomo.ne.jp\"]\n[au]\ndomains = [\"*.ezweb.ne.jp\", "
      "\"ezweb.ne.jp\"]\n[softbank]\ndomains = [\"i.softbank.jp\"]\n"
      "[nifty]\nmx_suffixes = [\"nifty.com\"]\n",
      ""}};
  return *delivery::policy::SiteRules::parse(layers);
}

TEST(Advice, OfOneReceiverIsSaidOfItAlone) {
  const auto book = AdviceBook::parse(std::array{AdviceBook::shipped_layer()}, two_sites());
  ASSERT_TRUE(book) << book.error().detail;
  const Outcome taken{.state = RecipientState::delivered, .stage = Stage::accepted};
  const auto means = [&](const Where& where) {
    return std::string(book->find(taken, true, where).meaning.en);
  };
  EXPECT_THAT(means({.address = "Taro@DOCOMO.ne.jp"}), HasSubstr("docomo accepted"));
  EXPECT_THAT(means({.address = "taro@ezweb.ne.jp"}), HasSubstr("au accepted"));
  EXPECT_THAT(means({.address = "taro@example.jp", .mx_host = "mx1.nifty.com"}),
              HasSubstr("nifty accepted"));
  EXPECT_THAT(means({.address = "taro@example.jp", .mx_host = "mx.example.jp"}),
              HasSubstr("The receiving server accepted"));
  EXPECT_THAT(means({}), HasSubstr("The receiving server accepted"));
  const Outcome filtered{.state = RecipientState::bounced,
                         .stage = Stage::rcpt_to,
                         .reply = {550, ": User unknown"},
                         .cause = Cause::policy};
  EXPECT_THAT(std::string(book->find(filtered, true, {.address = "a@ezweb.ne.jp"}).action.ja),
              HasSubstr("受信リスト"));
}

TEST(Advice, OfAnOperatorGoesBeforeThatShipped) {
  constexpr std::string_view kOwn =
      "[[advice]]\ncause = \"rate\"\nmeaning.en = \"Slow.\"\nmeaning.ja = \"遅く。\"\n"
      "action.en = \"Ask us.\"\naction.ja = \"連絡を。\"\nsource = \"(ours)\"\n"
      "date = 2026-11-29\n";
  const auto book =
      AdviceBook::parse(std::array{AdviceBook::shipped_layer(), own_advice(kOwn)}, two_sites());
  ASSERT_TRUE(book) << book.error().detail;
  const Outcome slow{.stage = Stage::data, .reply = {450, "x"}, .cause = Cause::rate};
  EXPECT_EQ(book->find(slow, false, {}).meaning.en, "Slow.");
  const Outcome full{.stage = Stage::data, .reply = {452, "x"}, .cause = Cause::mailbox_full};
  EXPECT_NE(book->find(full, false, {}).meaning.en, "Slow.");
}

TEST(Advice, TellsEveryMistakeWithItsLine) {
  const auto book = AdviceBook::parse(
      std::array{own_advice("[[advice]]\ncause = \"x\"\nstate = \"y\"\nstage = \"z\"\n"
                            "site = \"nowhere\"\nmeaning.en = \"\"\naction = 3\n"
                            "comes.en = \"a\"\nother = 1\n")},
      two_sites());
  ASSERT_FALSE(book);
  for (const std::string_view mistake :
       {"own.toml:2: advice.cause is \"x\"", "own.toml:3: advice.state", "own.toml:4: advice.stage",
        "own.toml:5: advice.site is \"nowhere\"", "advice.meaning.en must be text",
        "advice.meaning.ja is missing", "own.toml:7: advice.action must be a table",
        "advice.comes.ja is missing", "own.toml:9: advice.other is not a key",
        "advice.source is"}) {
    EXPECT_THAT(book.error().detail, HasSubstr(mistake));
  }
}

TEST(Advice, SpeaksBothLanguagesInEveryRule) {
  for (const AdviceRule& rule : AdviceBook::shipped().rules()) {
    EXPECT_FALSE(rule.advice.meaning.en.empty());
    EXPECT_FALSE(rule.advice.meaning.ja.empty()) << rule.advice.meaning.en;
    EXPECT_FALSE(rule.advice.action.en.empty()) << rule.advice.meaning.en;
    EXPECT_FALSE(rule.advice.action.ja.empty()) << rule.advice.meaning.en;
  }
}

TEST(Advice, DependsOnWhetherTheMailWasSigned) {
  const Outcome outcome{.state = RecipientState::bounced,
                        .stage = Stage::data,
                        .reply = {550, "5.7.26 unauthenticated"},
                        .cause = Cause::authentication};
  EXPECT_THAT(std::string(advice_for(outcome, false).action.en), HasSubstr("dkim generate"));
  EXPECT_THAT(std::string(advice_for(outcome, true).action.en), Not(HasSubstr("generate")));
  store::Story story = base_story();
  story.signing = "example.com:s1";
  const std::vector stories = {story};
  EXPECT_THAT(tell_stories("taro@example.jp", stories, options(Language::english)),
              HasSubstr("DKIM key: example.com:s1"));
}

store::Story in_doubt_thrice() {
  store::Story story = base_story();
  for (std::uint16_t number = 1; number <= 3; ++number) {
    story.attempts.push_back(attempt(number, std::chrono::hours(number), RecipientState::deferred,
                                     Stage::mail_from,
                                     {0,
                                      "the receiver closed the connection before it answered "
                                      "RSET"}));
    story.attempts.back().outcome.cause = Cause::in_doubt;
  }
  story.state = RecipientState::deferred;
  story.due = kStart + 5h;
  return story;
}

TEST(Stories, ThatAreOverPromiseNothingMore) {
  store::Story story = in_doubt_thrice();
  EXPECT_THAT(told(story), HasSubstr("It is sent again, so it may arrive twice."));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("再送するので、二重に"));
  story.due.reset();
  for (const RecipientState end : {RecipientState::expired, RecipientState::delivered,
                                   RecipientState::bounced, RecipientState::cancelled}) {
    story.state = end;
    EXPECT_THAT(told(story), Not(HasSubstr("again, so"))) << to_string(end);
    EXPECT_THAT(told(story, Language::japanese), Not(HasSubstr("再送するので")));
    if (end == RecipientState::delivered) continue;
    EXPECT_THAT(told(story), HasSubstr("ask the recipient before sending it anew"))
        << to_string(end);
  }
}

TEST(Stories, OfWhatWentOutWithItsCommandsSaySo) {
  const store::Story story = in_doubt_thrice();
  EXPECT_THAT(told(story), HasSubstr("All commands and the whole mail had been sent at once"));
  EXPECT_THAT(told(story), HasSubstr("RSET is the first command of a mail"));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("まとめて送り終えていました"));
  store::Story later = story;
  for (store::Attempt& each : later.attempts) each.outcome.stage = Stage::data;
  EXPECT_THAT(told(later), Not(HasSubstr("sent at once")));
}

TEST(Stories, OfAnExpiredMailSayThatItsTimeRanOut) {
  store::Story story = greylisted();
  story.state = RecipientState::expired;
  story.due.reset();
  story.expires = kStart + 61s;
  EXPECT_THAT(told(story), HasSubstr("Given up: its time ran out with that attempt."));
  story.expires.reset();
  EXPECT_THAT(told(story), HasSubstr("Given up: its time ran out"));
  story.attempts.clear();
  EXPECT_THAT(told(story), HasSubstr("It was never tried: until its time ran out it waited"));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("一度も試していません。"));
}

TEST(Stories, SayNothingOfATimeThatNobodyMeasured) {
  store::Story story = greylisted();
  story.attempts.back().duration = 0ms;
  EXPECT_THAT(told(story), HasSubstr("Attempt 2, 2026-01-05 10:01:01 JST: ended at RCPT TO"));
  EXPECT_THAT(told(story), Not(HasSubstr("took 0")));
}

TEST(Stories, OfAMailThatWaitsForItsKeyHaveTheCommandWhole) {
  store::Story story = cannot_be_made();
  story.signing = "sender.example:r20260105";
  story.attempts.back().outcome.cause = Cause::key_missing;
  EXPECT_THAT(told(story), HasSubstr("todoku dkim import --account shop --domain sender.example "
                                     "--selector r20260105 --pem FILE"));
}

TEST(Advice, PromisesInItsOwnPlaceAlone) {
  for (const AdviceRule& rule : AdviceBook::shipped().rules()) {
    for (const std::string_view said : {rule.advice.meaning.en, rule.advice.action.en}) {
      EXPECT_FALSE(said.contains("is tried again") || said.contains("It is sent again") ||
                   said.contains("by itself soon") || said.contains("later attempt"))
          << said;
    }
    EXPECT_EQ(rule.advice.comes.en.empty(), rule.advice.comes.ja.empty()) << rule.advice.comes.en;
  }
}

TEST(Stories, OfAMailWhoseKeyWasGoneAtItsEndNameTheKey) {
  store::Story story = cannot_be_made();
  story.state = story.attempts.back().outcome.state = RecipientState::expired;
  story.attempts.back().outcome.cause = Cause::key_missing;
  const std::vector stories = {story};
  const std::string text = tell_stories("taro@example.jp", stories, options(Language::english));
  EXPECT_THAT(text, HasSubstr("2026-01-05 10:01:30 JST: given up"));
  EXPECT_THAT(text, HasSubstr("there is no DKIM key s1 of example.com"));
  EXPECT_THAT(text, HasSubstr("Its time ran out while the signing key"));
}

std::string in_japanese(const std::string& own) {
  return reply_text({0, own}, Language::japanese);
}

TEST(OwnWords, AreInTheReadersLanguageWithTheirFacts) {
  EXPECT_EQ(
      in_japanese("4.3.5 delivery 282 of tester: signing keys: there is no DKIM key of "
                  "sender.example any more"),
      "4.3.5 アカウント tester の配信 282 の署名鍵: sender.example の DKIM 鍵がもうありません");
  EXPECT_EQ(in_japanese("4.4.7 given up: not delivered within 24 hours"),
            "4.4.7 24 時間以内に配送できず、打ち切りました");
  EXPECT_EQ(in_japanese("the receiver closed the connection before it answered the greeting; its "
                        "answer had begun: 220 m"),
            "受信側が最初の応答（220）を返さずに接続を閉じました。受信済みの応答の先頭: 220 m");
  EXPECT_EQ(in_japanese("no answer to RCPT TO within 300 s"),
            "RCPT TO への応答が 300 秒以内にありませんでした");
  EXPECT_EQ(
      in_japanese("the receiver answered RCPT TO with 354 go and 2 hours, which is no answer "
                  "to it in SMTP"),
      "受信側が RCPT TO に「354 go and 2 hours」と応答しました。SMTP として正しくない応答です");
  EXPECT_EQ(
      in_japanese("the receiver sent '600 hm', which is no SMTP reply, where we waited for "
                  "the answer to the content"),
      "本文への応答を待っているところに、受信側から SMTP の応答ではない「600 hm」が届きました");
  EXPECT_EQ(in_japanese("no answer to the greeting within 300 s"),
            "接続してから 300 秒以内に、受信側の最初の応答（220）がありませんでした");
  EXPECT_EQ(in_japanese("could not send the TLS handshake within 5 s"),
            "5 秒以内に TLS のハンドシェイクを送れませんでした");
  EXPECT_EQ(in_japanese("connect: Connection refused"),
            "接続: 接続が拒否されました (Connection refused)");
  EXPECT_EQ(in_japanese("4.3.5 there is no DKIM key s1 of example.com"),
            "4.3.5 example.com の DKIM 鍵 s1 がありません");
  EXPECT_EQ(in_japanese("something else"), "something else");
  EXPECT_EQ(reply_text({0, "no address to try"}, Language::english), "no address to try");
}

// Sentences of the DNS as its sources have them, with facts in the place of "{}": those that reach
// a mail's story as the reason why its receiver was not found.
std::vector<std::string> sentences_of_dns() {
  std::vector<std::string> found;
  const std::regex literals(R"re("(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)re");
  const std::regex between(R"re("\s*")re");
  const std::regex word("[a-z][a-z]");
  const std::regex comments("//[^\n]*");
  for (const auto& entry : std::filesystem::directory_iterator(TODOKU_SOURCE_DIR "/src/dns")) {
    const std::string name = entry.path().filename();
    // The third holds other people's words; what single servers answer is told by `todoku domain
    // check`, not in stories.
    if (!name.ends_with(".cc") || name.ends_with("_test.cc") || name.starts_with("fake_") ||
        name == "unbound_complaints.cc" || name == "ask_server.cc" || name == "server_answer.cc" ||
        name == "wire.cc") {
      continue;
    }
    std::ifstream file(entry.path());
    const std::string code =
        std::regex_replace(std::string(std::istreambuf_iterator<char>(file), {}), comments, "");
    for (std::sregex_iterator i(code.begin(), code.end(), literals), end; i != end; ++i) {
      const auto at = static_cast<std::size_t>(i->position());
      const std::size_t begin = code.find_last_of(";{}", at);
      const std::string before = code.substr(begin + 1, at - begin - 1);
      std::string text = std::regex_replace(i->str(), between, "");
      if (text.size() < 2) continue;
      text = text.substr(1, text.size() - 2);
      const bool is_sentence = text.contains(' ') && std::regex_search(text, word);
      const auto is_of = [&](std::string_view word) { return before.contains(word); };
      // Logs, metrics, names of tasks.
      if (!is_sentence || is_of("log::") || is_of("metrics.") || is_of("Help") || is_of("spawn(") ||
          is_of("report_exception(") || is_of("\"action\"")) {
        continue;
      }
      // What goes on behind it.
      if (before.ends_with("fail(")) text += ": {}";
      if (is_of("set.") && !is_of("fail(")) text += " {}";
      if (text.starts_with(' ')) text.insert(0, "{}");
      if (text.ends_with(' ')) text += "{}";
      for (int n = 0; text.contains("{}"); ++n) {
        text.replace(text.find("{}"), 2, "X" + std::to_string(n));
      }
      found.push_back(text);
    }
  }
  return found;
}

TEST(OwnWords, HaveEverySentenceOfTheDnsInJapanese) {
  const auto sentences = sentences_of_dns();
  EXPECT_GT(sentences.size(), 50U);
  for (const std::string& sentence : sentences) {
    const std::string said = own_words(sentence, Language::japanese);
    EXPECT_TRUE(std::ranges::any_of(said, [](char c) { return (c & 0x80) != 0; })) << sentence;
    for (int n = 0; sentence.contains("X" + std::to_string(n)); ++n) {
      EXPECT_THAT(said, HasSubstr("X" + std::to_string(n))) << sentence;
    }
  }
}

TEST(OwnWords, AreInJapaneseAlsoWithinOneAnother) {
  EXPECT_EQ(in_japanese("4.4.3 the mail server (MX) of a.example could not be looked up: the name "
                        "servers answered SERVFAIL for MX a.example"),
            "4.4.3 a.example のメールサーバー（MX）を調べられませんでした: MX a.example "
            "の問い合わせに、ネームサーバーが SERVFAIL を返しました");
  EXPECT_EQ(in_japanese("our own resolver cannot be believed about a.example: no name server "
                        "answers: no answer for jp within 5000 ms"),
            "当方の DNS リゾルバーの a.example についての答えを信用できません: "
            "応答するネームサーバーがありません: jp の問い合わせに 5000 "
            "ミリ秒以内に応答がありませんでした");
  const std::string lie =
      "the name server 192.0.2.1:53 denies names that exist (no records for the "
      "NS of jp)";
  std::string lies = lie;
  for (int i = 0; i < 7; ++i) lies += "; " + lie;
  EXPECT_THAT(in_japanese("our own resolver cannot be believed about a.example: " + lies),
              Not(HasSubstr("denies")));
  EXPECT_EQ(in_japanese("no mail server of a.example has an address (a, b, c and 3 more)"),
            "a.example のどのメールサーバーにもアドレスがありません（a, b, c ほか 3 件）");
}

TEST(OwnWords, LeaveTheReceiversAlone) {
  EXPECT_EQ(reply_text({450, "4.2.0 in 2 hours"}, Language::japanese), "450 4.2.0 in 2 hours");
  const auto japanese = [](Stage stage, Reply reply) {
    return answer_text({.stage = stage, .reply = std::move(reply)}, Language::japanese);
  };
  const std::string noted = "5.7.0 first (said without TLS: STARTTLS not offered)";
  EXPECT_EQ(japanese(Stage::starttls, {530, noted}),
            "530 5.7.0 first（TLS なしの接続での応答: STARTTLS 非対応）");
  EXPECT_EQ(japanese(Stage::rcpt_to, {550, noted}), "550 " + noted);
  EXPECT_EQ(reply_text({550, noted}, Language::japanese), "550 " + noted);
  const std::string odd = "ok (sent twice in this attempt: hm; it may arrive twice)";
  EXPECT_EQ(japanese(Stage::accepted, {250, odd}), "250 " + odd);
  EXPECT_EQ(
      japanese(Stage::accepted,
               {250,
                "2.0.0 ok (sent twice in this attempt: no answer to the content within 3 "
                "s; it may arrive twice)"}),
      "250 2.0.0 ok（この試行で 2 回送信: 本文への応答が 3 秒以内にありませんでした。二重に届く"
      "ことがあります）");
  EXPECT_EQ(japanese(Stage::rcpt_to,
                     {550,
                      "5.1.1 gone (sent before in this attempt: no answer to the content within 3 "
                      "s; it may have arrived)"}),
            "550 5.1.1 gone（この試行で一度送信済み: 本文への応答が 3 秒以内にありませんでした。"
            "届いている可能性があります）");
}

TEST(LanguageTag, IsReadWithOrWithoutARegion) {
  EXPECT_EQ(parse_language("ja"), Language::japanese);
  EXPECT_EQ(parse_language("ja_JP.UTF-8"), Language::japanese);
  EXPECT_EQ(parse_language("EN-us"), Language::english);
  EXPECT_EQ(parse_language("fr"), std::nullopt);
  EXPECT_EQ(parse_language(""), std::nullopt);
}

}  // namespace
}  // namespace todoku::explain
