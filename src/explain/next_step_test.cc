// SPDX-License-Identifier: Apache-2.0
#include "explain/next_step.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain/test_stories.h"

namespace todoku::explain {
namespace {

using testing::HasSubstr;
using testing::Not;

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

TEST(NextStep, OfWhatIsReservedUnderAHoldIsTheRelease) {
  auto en = options(Language::english);
  store::Story story = reserved();
  story.credential_held = "relay";
  EXPECT_EQ(next_step(story, en),
            "nothing as long as the SMTP credential relay is held; it goes on with `todoku "
            "smtp-credential release shop relay`. It is reserved for 2026-01-05 13:00:00 JST.");
  en.holds["relay"] = {.since = kStart, .because = "a strange\nevening"};
  EXPECT_THAT(next_step(story, en),
              HasSubstr("is held (since 2026-01-05 10:00:00 JST: a strange?evening); it goes on"));
  story.delivery_status = DeliveryStatus::sending;
  EXPECT_THAT(next_step(story, en), HasSubstr("is held (since 2026-01-05 10:00:00 JST"));
  story.delivery_status = DeliveryStatus::edit;
  EXPECT_THAT(next_step(story, en), HasSubstr("until the delivery is committed"));
}

TEST(NextStep, SaysInJapaneseWhyAReceiverIsHeld) {
  auto ja = options(Language::japanese);
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.key.delivery = store::DeliveryKey{9};
  ja.rate_holds[story.key.delivery] = {
      {.site = "docomo", .because = "unknown users: 22 of 109 (20.18 %); the limit is 5 %"}};
  ja.way_of = [](const store::Story&) { return Way{.site = "docomo"}; };
  EXPECT_THAT(next_step(story, ja),
              testing::AllOf(HasSubstr("（存在しない宛先: 109 件中 22 件（20.18 %）、上限は 5 %）"),
                             Not(HasSubstr("unknown users"))));
}

TEST(NextStep, OfWhatItsSenderHoldsBackSaysWhyAndWhenItGoesOn) {
  store::Story story = reserved();
  story.type = DeliveryType::bulk;
  story.delivery_status = DeliveryStatus::sending;
  story.key.delivery = store::DeliveryKey{9};
  for (auto given : {options(Language::english), options(Language::japanese)}) {
    const bool is_english = given.language == Language::english;
    given.steered[story.key.delivery] = {.quiet_until = given.now + std::chrono::hours(2),
                                         .pace = "600/minute"};
    EXPECT_THAT(next_step(story, given),
                testing::AllOf(HasSubstr(is_english ? "quiet hours" : "静音時間帯"),
                               HasSubstr(is_english ? "in 2 h" : "2 時間後"),
                               HasSubstr("`todoku bulk quiet-hours 12 none`")));
    EXPECT_FALSE(waits_for_a_person(story, given)) << "it goes on by itself";
    given.steered[story.key.delivery] = {.quiet_until = given.now, .pace = "600/minute"};
    EXPECT_THAT(next_step(story, given),
                testing::AllOf(HasSubstr("600/minute"), HasSubstr("`todoku bulk pace 12`")))
        << "they are over";
    store::Story given_back = story;
    given_back.not_before = given.now + 3s;
    given.steered[story.key.delivery].left_over = 376;
    given.steered[story.key.delivery].of_all = 400;
    given.steered[story.key.delivery].ends = kStart + 24h;
    EXPECT_THAT(next_step(given_back, given),
                testing::AllOf(HasSubstr("600/minute"),
                               HasSubstr(is_english ? "about 376 of its 400 mails are not begun "
                                                      "before 2026-01-06 10:00:00 JST"
                                                    : "400 通のうち約 376 通が期限の 2026-01-06"),
                               Not(HasSubstr(is_english ? "given back" : "戻され"))));
    given.steered.clear();
    EXPECT_THAT(next_step(story, given), Not(HasSubstr("600/minute")));
  }
}

TEST(NextStep, OfWhatIsHeldBackForItsRatesSaysWhyAndHowItGoesOn) {
  auto en = options(Language::english);
  auto ja = options(Language::japanese);
  store::Story story = reserved();
  story.type = DeliveryType::bulk;
  story.delivery_status = DeliveryStatus::sending;
  story.key.delivery = store::DeliveryKey{9};
  const std::vector<RateHold> holds{{.site = "", .because = "hard bounces: 612 of 5000"},
                                    {.site = "docomo", .because = "unknown users: 5 of 100"}};
  en.rate_holds[story.key.delivery] = ja.rate_holds[story.key.delivery] = holds;
  story.delivery_paused = true;
  for (const auto& given : {en, ja}) {
    EXPECT_THAT(next_step(story, given), testing::AllOf(HasSubstr("hard bounces: 612 of 5000"),
                                                        HasSubstr("`todoku bulk resume 12`")));
  }
  story.delivery_paused = false;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("held back"))) << "where it goes is not known";
  const auto at = [](std::string site) {
    return [site](const store::Story&) { return Way{.site = site}; };
  };
  en.way_of = ja.way_of = at("docomo");
  for (const auto& given : {en, ja}) {
    EXPECT_THAT(next_step(story, given),
                testing::AllOf(HasSubstr("docomo"), HasSubstr("unknown users: 5 of 100"),
                               HasSubstr("`todoku bulk resume 12`")));
  }
  EXPECT_TRUE(waits_for_a_person(story, en));
  en.way_of = at("google");
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("held back"))) << "there it goes on";
  EXPECT_FALSE(waits_for_a_person(story, en));
  en.canaries[story.key.delivery] = en.now + std::chrono::minutes(10);
  EXPECT_THAT(
      next_step(story, en),
      testing::AllOf(HasSubstr("a few recipients at each receiver first"), HasSubstr("in 10 min")));
  en.canaries[story.key.delivery] = en.now;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("at each receiver first"))) << "it is over";
}

TEST(NextStep, OfABulkThatNobodyHasApprovedIsSomebodysWord) {
  auto en = options(Language::english);
  store::Story story = reserved();
  en.approvals[story.key.delivery] = *story.reservation;
  EXPECT_EQ(next_step(story, en),
            "nothing until somebody else approves it; if nobody has by 2026-01-05 13:00:00 JST, it "
            "fails.");
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
}

TEST(NextStep, OfASuspendedAccountWhatHasBegunWaitsToo) {
  auto en = options(Language::english);
  store::Story story = base_story();
  story.account_suspended = true;
  EXPECT_EQ(next_step(story, en),
            "nothing as long as the account is suspended; resume it with `todoku account resume "
            "shop`. If it does not get through, it is given up at 2026-01-06 10:00:00 JST.");
  EXPECT_THAT(next_step(story, options(Language::japanese)),
              testing::StartsWith("アカウントが停止中のため送信しません。`todoku account resume "
                                  "shop` で停止を解除してください。"));
  store::Story again = greylisted();
  again.account_suspended = true;
  EXPECT_THAT(next_step(again, en), Not(HasSubstr("attempt 3")));
  again.due = kStart;
  EXPECT_THAT(next_step(again, en), HasSubstr("todoku account resume shop"));
  again.in_hand = true;
  EXPECT_THAT(next_step(again, en), HasSubstr("what is in hand still goes out"));
  en.way_of = [](const store::Story&) {
    return std::optional(Way{.site = "gmail",
                             .source = "tokyo-1",
                             .at_hand = AtHand{.since = kStart, .stage = Stage::rcpt_to}});
  };
  EXPECT_THAT(next_step(again, en), testing::AllOf(testing::StartsWith("it is being sent to gmail"),
                                                   HasSubstr("Its account is suspended: if")));
}

TEST(NextStep, WhereNobodySendsIsThatNobodyDoes) {
  auto en = options(Language::english);
  auto ja = options(Language::japanese);
  en.missing_roles = ja.missing_roles = {"scheduler", "courier"};
  const store::Story story = base_story();
  EXPECT_THAT(next_step(story, en),
              testing::StartsWith("nothing until a process with the role scheduler, courier runs"));
  EXPECT_THAT(next_step(story, ja), HasSubstr("scheduler, courier の役割"));
  en.engine_running = false;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("nothing until"))) << "none runs at all";
}

TEST(NextStep, OfAMailWhoseEngineDiedIsNotToPromiseWhatDoesNotCome) {
  auto en = options(Language::english);
  en.engine_running = false;
  auto ja = options(Language::japanese);
  ja.engine_running = false;
  store::Story story = base_story();
  story.in_hand = true;
  EXPECT_THAT(next_step(story, en), HasSubstr("it goes a second time. But the engine is not"));
  EXPECT_THAT(next_step(story, ja), HasSubstr("二重に届くことがあります。ただしエンジンは"));
  story.at_most_once = true;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("a second time"))) << "nothing of it was out";
  story.on_its_way = true;
  EXPECT_EQ(next_step(story, en),
            "it was on its way when the engine ended: it may have arrived. It becomes unknown as "
            "soon as an engine runs, and is not sent again. But the engine is not running: start "
            "it with `todoku serve`.");
  EXPECT_THAT(next_step(story, ja), testing::StartsWith("送信の途中でエンジンが終了しました。届いて"
                                                        "いる可能性があります。"));
  en.engine_running = true;
  EXPECT_THAT(next_step(story, en), testing::StartsWith("it is on its way just now"));
  story.on_its_way = false;
  story.at_most_once = false;
  EXPECT_THAT(next_step(story, en), Not(HasSubstr("second time"))) << "its engine lives";
}

TEST(NextStep, OfAnEngineThatRunsElsewhereSaysWhereToAsk) {
  auto en = options(Language::english);
  en.elsewhere = "3f9c2a1b (api,courier on mail1.example.jp)";
  auto ja = options(Language::japanese);
  ja.elsewhere = en.elsewhere;
  store::Story story = base_story();
  story.in_hand = true;
  for (const bool at_most_once : {false, true}) {
    story.at_most_once = story.on_its_way = at_most_once;
    const std::string said = next_step(story, en);
    EXPECT_THAT(said, HasSubstr("The engine of node 3f9c2a1b (api,courier on mail1.example.jp) has "
                                "it in hand"));
    EXPECT_THAT(said, Not(HasSubstr("todoku serve")));
    EXPECT_THAT(said, Not(HasSubstr("when it ended")));
    EXPECT_THAT(said, Not(HasSubstr("when the engine ended")));
  }
  EXPECT_THAT(next_step(story, ja), HasSubstr("ノード 3f9c2a1b (api,courier on mail1.example.jp) の"
                                              "エンジンが扱っています"));
  EXPECT_THAT(next_step(greylisted(), en),
              testing::AllOf(HasSubstr("attempt 3 at"), HasSubstr("runs as node 3f9c2a1b")));
  EXPECT_THAT(next_step(greylisted(), ja), HasSubstr("ノード 3f9c2a1b"));
  EXPECT_THAT(next_step(delivered(), en), Not(HasSubstr("node")));
}

TEST(NextStep, OfAnEngineThatDrainsPromisesNothingBeforeTheNextStart) {
  auto en = options(Language::english);
  auto ja = options(Language::japanese);
  en.drains_until = ja.drains_until = kStart + 3min;
  EXPECT_THAT(
      next_step(base_story(), en),
      testing::StartsWith("the engine is draining and begins nothing more: it goes on after "
                          "the next start."));
  EXPECT_THAT(next_step(base_story(), ja), testing::StartsWith("エンジンは停止の準備中で"));
  store::Story due = greylisted();
  EXPECT_THAT(next_step(due, en), HasSubstr("attempt 3 goes on at 2026-01-05 10:06:00 JST, or "
                                            "after the next start if that is later"));
  due.due = kStart;
  EXPECT_THAT(next_step(due, en), Not(HasSubstr("connection is free")));
  store::Story waits = reserved();
  EXPECT_THAT(next_step(waits, en), HasSubstr("But the engine is draining: not unless it runs"));
  waits.delivery_status = DeliveryStatus::wait;
  EXPECT_THAT(next_step(waits, en), Not(HasSubstr("about to start")));

  Way busy{.site = "gmail",
           .source = "tokyo-1",
           .at_hand = AtHand{.since = kStart, .stage = Stage::rcpt_to, .until = kStart + 12min}};
  en.way_of = [&](const store::Story&) { return std::optional(busy); };
  EXPECT_THAT(next_step(base_story(), en),
              testing::AllOf(HasSubstr("awaited until 2026-01-05 10:03:00 JST, in 1 min, at most."),
                             HasSubstr("is broken off and goes on after the next start")));
  busy.at_hand->content_is_out = true;
  EXPECT_THAT(next_step(base_story(), en), HasSubstr("perhaps a second time"));
  store::Story once = base_story();
  once.at_most_once = true;
  EXPECT_THAT(next_step(once, en), HasSubstr("it becomes unknown and is not sent again"));
}

TEST(NextStep, NamesNoTimeBeyondTheMailsOwnEnd) {
  auto en = options(Language::english);
  store::Story story = base_story();
  story.expires = kStart + 3min;
  Way way{.site = "gmail",
          .source = "tokyo-1",
          .at_hand = AtHand{.since = kStart, .stage = Stage::rcpt_to, .until = kStart + 12min}};
  en.way_of = [&](const store::Story&) { return std::optional(way); };
  EXPECT_THAT(next_step(story, en), HasSubstr("awaited until 2026-01-05 10:03:00 JST"));
  way.at_hand.reset();
  way.rests_until = kStart + 30min;
  way.failures = 1;
  EXPECT_THAT(next_step(story, en), testing::EndsWith("But its life ends before that: it is given "
                                                      "up at 2026-01-05 10:03:00 JST."));
  story.expires = kStart + 1min;
  EXPECT_EQ(next_step(story, en),
            "its time ran out at 2026-01-05 10:01:00 JST: it is given up as "
            "soon as the engine comes to it.");
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

TEST(NextStep, OfAMailThatIsOverTheDaysVolumeSaysByWhomItGoes) {
  Way full = way();
  full.rests_until = kStart + 32min;
  full.pace = Way::Pace{.reason = delivery::policy::PaceReason::warming_up};
  EXPECT_THAT(next_of(base_story(), full), HasSubstr("has gone. It goes at 2026-01-05 10:32:00"));
  EXPECT_THAT(next_of(base_story(), full, Language::japanese),
              HasSubstr("2026-01-05 10:32:00 JST（30 分後）に送ります"));
  EXPECT_THAT(next_of(base_story(), full, Language::japanese), Not(HasSubstr("別の送信元")));
  full.overflows = true;
  EXPECT_THAT(next_of(base_story(), full), HasSubstr("It goes by another source of its pool, or"));
}

TEST(NextStep, OfAMailWhoseLaneGoesByTheAnswersSaysHowFastAndWhy) {
  Way slow = way();
  slow.waiting = 7;
  slow.next_permit = kStart + 10min;
  slow.pace = Way::Pace{.messages_per_second = 0.5,
                        .connections_max = 3,
                        .reason = delivery::policy::PaceReason::too_fast};
  EXPECT_EQ(next_of(base_story(), slow),
            "it waits: 7 other mails or more are in its lane, and gmail gets 0.5 a second over at "
            "most 3 connections now: the receiver said that it was too much; going back to near "
            "that pace slowly." +
                kGivenUp);
  EXPECT_THAT(next_of(base_story(), slow, Language::japanese),
              HasSubstr("毎秒 0.5 通、接続 3 本まで"));
  slow.next_permit = std::nullopt;
  EXPECT_THAT(next_of(base_story(), slow), HasSubstr("it waits behind 7"));
  slow.connections = 3;
  EXPECT_THAT(next_of(base_story(), slow), HasSubstr("over at most 3 connections"));
  slow.pace->reason = delivery::policy::PaceReason::suspended;
  slow.rests_until = kStart + 10min;
  EXPECT_THAT(
      next_of(base_story(), slow),
      HasSubstr("an automation stopped what tokyo-1 sends to gmail until 2026-01-05 10:10"));
}

TEST(NextStep, OfAMailWhoseSourcesPlanHasNotBegunSaysWhenItDoes) {
  Way early = way();
  early.rests_until = kStart + 10min;
  early.pace = Way::Pace{.messages_per_second = 1,
                         .connections_max = 3,
                         .reason = delivery::policy::PaceReason::not_begun,
                         .until = kStart + 24h};
  EXPECT_THAT(next_of(base_story(), early),
              HasSubstr("tokyo-1 is to warm up, and its plan begins at 2026-01-06 10:00"));
  EXPECT_THAT(next_of(base_story(), early), Not(HasSubstr("has gone")));
  EXPECT_THAT(next_of(base_story(), early, Language::japanese), HasSubstr("warm_up_from"));
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

}  // namespace
}  // namespace todoku::explain
