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
#include "explain/advice_table.h"
#include "explain/own_words.h"
#include "explain/story_text.h"
#include "explain/time_text.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const std::string kCorpus = TODOKU_SOURCE_DIR "/tests/corpus/explain/";

// 2026-01-05 10:00:00 in Japan.
constexpr Instant kStart = from_epoch_ms(1'767'574'800'000);

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

store::Story base_story() {
  return {.account = "shop",
          .delivery_id = 12,
          .email_id = 34,
          .type = DeliveryType::transaction,
          .delivery_status = DeliveryStatus::sending,
          .subject = "ご注文の確認",
          .from = "shop@example.com",
          .address = "taro@example.jp",
          .created = kStart,
          .reservation = std::nullopt,
          .started = kStart,
          .state = RecipientState::pending,
          .due = std::nullopt,
          .attempts = {}};
}

store::Attempt attempt(std::uint16_t number, Milliseconds after, RecipientState state, Stage stage,
                       Reply reply) {
  return {.number = number,
          .at = kStart + after,
          .duration = 230ms,
          .outcome = {.state = state, .stage = stage, .reply = std::move(reply)},
          .path = {.mx_host = "mx1.example.jp",
                   .remote_ip = "192.0.2.25",
                   .egress_source = "tokyo-1",
                   .tls = TlsUse::verified,
                   .tls_detail = "TLSv1.3 TLS_AES_256_GCM_SHA384"}};
}

store::Story greylisted() {
  store::Story story = base_story();
  story.state = RecipientState::deferred;
  story.due = kStart + 6min;
  story.attempts = {
      attempt(1, 1s, RecipientState::deferred, Stage::rcpt_to,
              {450,
               "4.2.0 <taro@example.jp>: Recipient address rejected:\n"
               "Greylisted, see http://postgrey.example/"}),
      attempt(2, 61s, RecipientState::deferred, Stage::rcpt_to, {450, "4.2.0 Greylisted"})};
  return story;
}

store::Story delivered() {
  store::Story story = greylisted();
  story.state = RecipientState::delivered;
  story.due.reset();
  story.attempts.push_back(attempt(3, 361s, RecipientState::delivered, Stage::accepted,
                                   {250, "2.0.0 Ok: queued as 4Fk2"}));
  return story;
}

store::Story unreachable() {
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.state = RecipientState::expired;
  auto last = attempt(9, 24h, RecipientState::expired, Stage::connect,
                      {0, "connection timed out after 30 s"});
  last.path = {.mx_host = "mx.example.jp",
               .remote_ip = "",
               .egress_source = "tokyo-1",
               .tls = TlsUse::none,
               .tls_detail = ""};
  story.attempts = {last};
  return story;
}

store::Story reserved() {
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.delivery_status = DeliveryStatus::reserve;
  story.reservation = kStart + 3h;
  story.started.reset();
  return story;
}

store::Story set_aside() {
  store::Story story = base_story();
  story.due = story.expires = kStart + 20h;
  story.set_aside = true;
  auto put_by = attempt(1, 65s, RecipientState::deferred, Stage::none,
                        {0,
                         "4.3.0 set aside: 2 times a process died with this mail alone in hand; it "
                         "waits for an operator"});
  put_by.outcome.is_attempt = false;
  put_by.path = {};
  story.attempts = {put_by};
  return story;
}

store::Story cannot_be_made() {
  store::Story story = greylisted();
  auto unmade = attempt(3, 90s, RecipientState::deferred, Stage::none,
                        {0, "4.3.5 there is no DKIM key s1 of example.com"});
  unmade.outcome.is_attempt = false;
  unmade.path = {};
  story.attempts.push_back(unmade);
  story.due = kStart + 90s + 15min;
  return story;
}

store::Story too_large() {
  store::Story story = base_story();
  story.state = RecipientState::dropped;
  auto unmade = attempt(1, 2s, RecipientState::dropped, Stage::none,
                        {0,
                         "5.3.4 not made: its insert codes make it about 31457280 octets, the "
                         "limit is 26214400"});
  unmade.outcome.is_attempt = false;
  unmade.path = {};
  story.attempts = {unmade};
  return story;
}

StoryOptions options(Language language) {
  return {
      .language = language, .now = kStart + 2min, .transactional_expiry = 24h, .bulk_expiry = 24h};
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

TEST(Stories, OfADeliveryThatCameTooLateNameBothReasons) {
  store::Story story = reserved();
  story.delivery_status = DeliveryStatus::failed;
  story.state = RecipientState::cancelled;
  EXPECT_THAT(told(story), HasSubstr("the engine was not running or the account was suspended"));
  EXPECT_THAT(told(story, Language::japanese), HasSubstr("エンジンまたはアカウントの停止中"));
}

TEST(Stories, SayThatThereIsNone) {
  EXPECT_EQ(tell_stories("x@example.jp", {}, options(Language::english)),
            "x@example.jp: no mail to this address is on record.\n");
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

TEST(NextStep, IsAnAttemptAtItsTimeOrTheEnd) {
  const auto en = options(Language::english);
  EXPECT_EQ(next_step(greylisted(), en),
            "attempt 3 at 2026-01-05 10:06:00 JST, in 4 min. If it does not get through, it is "
            "given up at 2026-01-06 10:00:00 JST.");
  EXPECT_EQ(next_step(delivered(), en), "nothing more is done.");
  store::Story due = greylisted();
  due.due = kStart;
  EXPECT_THAT(next_step(due, en), HasSubstr("is due and starts"));
}

TEST(NextStep, CountsAttemptsOnly) {
  EXPECT_THAT(next_step(cannot_be_made(), options(Language::english)),
              HasSubstr("attempt 3 at 2026-01-05 10:16:30 JST"));
}

TEST(NextStep, EndsWithTheLifeThatTheDeliveryBeganWith) {
  store::Story story = greylisted();
  story.expires = kStart + 2h;
  EXPECT_THAT(next_step(story, options(Language::english)),
              HasSubstr("given up at 2026-01-05 12:00:00 JST"));
}

TEST(NextStep, OfAMailThatIsSetAsideIsTheOperators) {
  EXPECT_EQ(next_step(set_aside(), options(Language::english)),
            "nothing until an operator releases it. If nobody does, it is given up at 2026-01-06 "
            "06:00:00 JST.");
}

TEST(NextStep, OfAPendingMailFollowsItsDelivery) {
  const auto en = options(Language::english);
  store::Story story = reserved();
  EXPECT_EQ(next_step(story, en), "it starts at 2026-01-05 13:00:00 JST, in 2 h 58 min.");
  story.delivery_status = DeliveryStatus::edit;
  EXPECT_THAT(next_step(story, en), HasSubstr("until the delivery is committed"));
  story.delivery_status = DeliveryStatus::sending;
  EXPECT_THAT(next_step(story, en), HasSubstr("its turn"));
}

TEST(NextStep, OfASuspendedAccountIsToResumeIt) {
  const auto en = options(Language::english);
  const auto ja = options(Language::japanese);
  store::Story story = reserved();
  story.account_suspended = true;
  EXPECT_THAT(next_step(story, en), testing::AllOf(HasSubstr("starts at 2026-01-05 13:00:00 JST"),
                                                   HasSubstr("`todoku account resume shop`")));
  story.reservation = kStart;
  for (const DeliveryStatus status : {DeliveryStatus::reserve, DeliveryStatus::wait}) {
    story.delivery_status = status;
    EXPECT_EQ(next_step(story, en),
              "nothing as long as the account is suspended; resume it with `todoku account resume "
              "shop`.");
    EXPECT_EQ(next_step(story, ja),
              "アカウントが停止中のため送信を始めません。`todoku account resume shop` "
              "で停止を解除してください。");
  }
  // What has begun goes on.
  story.delivery_status = DeliveryStatus::sending;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("suspended")));
}

Way way() {
  return {.site = "gmail", .source = "tokyo-1", .connections = 1, .connections_max = 20};
}

std::string next_of(const store::Story& story, const Way& way,
                    Language language = Language::english) {
  auto with = options(language);
  with.way_of = [way](const store::Story&) { return std::optional(way); };
  return next_step(story, with);
}

const std::string kGivenUp =
    " If it does not get through, it is given up at 2026-01-06 10:00:00 JST.";

TEST(NextStep, OfAMailWhoseSiteRestsSaysUntilWhenAndWhy) {
  Way resting = way();
  resting.rests_until = kStart + 32min;
  resting.failures = 3;
  resting.failure = {421, "4.7.0 try later"};
  EXPECT_EQ(next_of(base_story(), resting),
            "it waits: gmail rests until 2026-01-05 10:32:00 JST, in 30 min, for tokyo-1 (after 3 "
            "failures in a row, the last: 421 4.7.0 try later)." +
                kGivenUp);
  resting.failures = 1;
  resting.failure = {0, "connect: no answer within 30 s"};
  EXPECT_EQ(
      next_of(base_story(), resting, Language::japanese),
      "gmail への送信を 2026-01-05 10:32:00 JST まで休止しているため待機しています（あと 30 "
      "分、送信元 tokyo-1、直前の失敗: 接続: 30 秒以内に応答がありませんでした）。届かなければ "
      "2026-01-06 10:00:00 JST に打ち切ります。");
  store::Story deferred = greylisted();
  EXPECT_THAT(next_of(deferred, resting),
              HasSubstr("But gmail rests until 2026-01-05 10:32:00 JST, after a failure: connect"));
  deferred.due = kStart + 40min;
  EXPECT_THAT(next_of(deferred, resting), Not(HasSubstr("rests")));
  deferred.due = kStart;
  EXPECT_THAT(next_of(deferred, resting), HasSubstr("attempt 3 is due, but it waits: gmail rests"));
  resting.rests_until = kStart;
  EXPECT_THAT(next_of(base_story(), resting), HasSubstr("tried with one mail at a time"));
}

TEST(NextStep, OfAMailThatWaitsInItsLaneSaysForWhat) {
  Way busy = way();
  busy.waiting = 7;
  busy.connections = 20;
  EXPECT_EQ(next_of(base_story(), busy),
            "it waits: all 20 connections to gmail from tokyo-1 are in use, and 7 mails wait for "
            "them." +
                kGivenUp);
  EXPECT_THAT(next_of(base_story(), busy, Language::japanese),
              HasSubstr("gmail への接続（送信元 tokyo-1）が上限の 20 本とも使用中"));
  busy.connections = 1;
  EXPECT_EQ(next_of(base_story(), busy), "it waits behind 7 other mails to gmail." + kGivenUp);
  busy.next_permit = kStart + 10min;
  EXPECT_THAT(next_of(base_story(), busy), HasSubstr("messages_per_second"));
  busy.connections = 0;
  busy.in_line = true;
  EXPECT_THAT(next_of(base_story(), busy), HasSubstr("smtp_out.connections_max"));
  busy.opens_none_until = kStart + 10min;
  EXPECT_THAT(next_of(base_story(), busy), HasSubstr("the next one is begun at 2026-01-05 10:10"));
  busy.wants_room = true;
  EXPECT_THAT(next_of(base_story(), busy),
              HasSubstr("take all the memory in which mails are composed; the next connection from "
                        "tokyo-1 is begun at 2026-01-05 10:10"));
  EXPECT_THAT(next_of(base_story(), busy, Language::japanese), HasSubstr("メモリーを使い切って"));
}

TEST(NextStep, OfAMailAtHandSaysWhatTheReceiverIsWaitedFor) {
  Way busy = way();
  busy.waiting = 7;
  busy.connections = 20;
  busy.at_hand = AtHand{.since = kStart + 75s, .stage = Stage::rcpt_to, .until = kStart + 7min};
  EXPECT_EQ(next_of(base_story(), busy),
            "it is being sent to gmail from tokyo-1 just now, for 45 s so far. The receiver's "
            "answer at RCPT TO is awaited until 2026-01-05 10:07:00 JST, in 5 min, at most." +
                kGivenUp);
  EXPECT_THAT(
      next_of(base_story(), busy, Language::japanese),
      HasSubstr("gmail へ送信中です（送信元 tokyo-1、開始から 45 秒）。RCPT TO の段階で、"
                "受信側の応答を最長で 2026-01-05 10:07:00 JST まで待ちます（あと 5 分）。"));
  busy.at_hand->stage = Stage::data;
  busy.at_hand->content_is_out = true;
  EXPECT_THAT(next_of(base_story(), busy),
              HasSubstr("so far. The whole mail is out, and the receiver's answer to it is awaited "
                        "until 2026-01-05 10:07:00 JST, in 5 min, at most; it may have taken"));
  busy.at_hand->stage = Stage::mail_from;
  EXPECT_THAT(next_of(base_story(), busy),
              HasSubstr("answer at MAIL FROM is awaited until 2026-01-05 10:07:00 JST, in 5 min, "
                        "at most. The whole mail went out with the commands; it may have taken"));
  busy.at_hand->content_is_out = false;
  busy.at_hand->stage = Stage::connect;
  EXPECT_THAT(next_of(base_story(), busy), HasSubstr("is being connected to, until 2026-01-05"));
  busy.at_hand->until.reset();
  EXPECT_EQ(next_of(base_story(), busy),
            "it is being sent to gmail from tokyo-1 just now, for 45 s so far." + kGivenUp);
  store::Story due = greylisted();
  due.due = kStart;
  EXPECT_THAT(next_of(due, busy), testing::StartsWith("it is being sent to gmail"));
}

TEST(NextStep, NothingIsGivenUpBeforeAnAnswerThatIsAwaited) {
  store::Story story = base_story();
  story.expires = kStart + 5min;
  Way busy = way();
  busy.at_hand = AtHand{
      .since = kStart, .stage = Stage::data, .content_is_out = true, .until = kStart + 12min};
  EXPECT_THAT(next_of(story, busy),
              testing::EndsWith(" If it does not get through now, it is not tried again: its life "
                                "ends at 2026-01-05 10:05:00 JST."));
  EXPECT_THAT(next_of(story, busy, Language::japanese),
              testing::EndsWith("今回届かなければ再送しません（期限 2026-01-05 10:05:00 JST）。"));
  busy.at_hand->until = kStart + 4min;
  EXPECT_THAT(next_of(story, busy), HasSubstr("it is given up at 2026-01-05 10:05:00 JST."));
}

TEST(NextStep, OfAMailThatWasGivenBackSaysUntilWhen) {
  store::Story story = base_story();
  story.not_before = kStart + 12min;
  EXPECT_THAT(next_step(story, options(Language::english)),
              HasSubstr("it waits until 2026-01-05 10:12:00 JST, in 10 min: it was given back"));
}

// A dead resolver gives mail back, and is why it waits.
TEST(NextStep, OfAMailThatWasGivenBackSaysWhatIsMissingHere) {
  store::Story story = cannot_be_made();
  for (const auto& [cause, en, ja] : std::vector<std::tuple<Cause, std::string, std::string>>{
           {Cause::resolver_doubted, "it waits for our resolver (dns.servers).", "リゾルバー"},
           {Cause::own_shortage, "it waits for what this machine lacks for a connection.", "資源"},
           {Cause::key_missing, "it waits for the signing key.", "署名鍵"},
           {Cause::content_unreadable, "it waits for its content to be readable.", "内容"},
           {Cause::cannot_compose, "it waits until it can be made.", "作れるように"}}) {
    story.attempts.back().outcome.cause = cause;
    story.due = kStart;
    story.not_before = kStart + 12min;
    EXPECT_THAT(next_step(story, options(Language::english)),
                HasSubstr("is due, but " + en +
                          " It is looked at again at 2026-01-05 10:12:00 "
                          "JST, in 10 min."));
    EXPECT_THAT(next_step(story, options(Language::japanese)), HasSubstr(ja));
    story.state = RecipientState::pending;
    EXPECT_THAT(next_step(story, options(Language::english)), HasSubstr(en));
    story.state = RecipientState::deferred;
  }
}

TEST(NextStep, OfAMailWhoseKeyIsGoneSaysSo) {
  store::Story story = cannot_be_made();
  EXPECT_THAT(next_step(story, options(Language::english)),
              HasSubstr("attempt 3 at 2026-01-05 10:16:30 JST, in 14 min 30 s, if the signing key "
                        "is there then."));
  story.due = kStart;
  EXPECT_THAT(next_step(story, options(Language::english)),
              HasSubstr("attempt 3 is due, but it waits for the signing key."));
}

TEST(NextStep, DependsOnARunningEngine) {
  auto stopped = options(Language::english);
  stopped.engine_running = false;
  EXPECT_THAT(next_step(greylisted(), stopped), HasSubstr("the engine is not running"));
  EXPECT_THAT(next_step(delivered(), stopped), Not(HasSubstr("engine")));
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
    EXPECT_NE(&advice_for(outcome, false), &advice_rules().back().advice) << to_string(cause);
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

TEST(Advice, SpeaksBothLanguagesInEveryRule) {
  for (const AdviceRule& rule : advice_rules()) {
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
    // The last holds other people's words.
    if (!name.ends_with(".cc") || name.ends_with("_test.cc") || name.starts_with("fake_") ||
        name == "unbound_complaints.cc") {
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
