// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <new>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "delivery/policy/backoff.h"
#include "delivery/policy/credit.h"
#include "delivery/policy/fair_queue.h"
#include "delivery/policy/given_back.h"
#include "delivery/policy/lane_answers.h"
#include "delivery/policy/pacer.h"
#include "delivery/policy/retry.h"
#include "delivery/policy/room.h"
#include "delivery/policy/turns.h"
#include "delivery/policy/verdict.h"

namespace todoku::delivery::policy {
namespace {

using feedback::classify::NextStep;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Flow bulk(std::int64_t account, std::int64_t delivery, std::uint32_t weight = 1) {
  return {TrafficClass::bulk, account, delivery, weight};
}
constexpr Flow urgent(std::int64_t account) {
  return {TrafficClass::transactional, account, 0, 1};
}

TEST(FairQueue, AnotherAccountsSingleMailWaitsOneTurnOnly) {
  FairQueue<int> queue;
  for (int i = 0; i < 1000; ++i) queue.push(bulk(1, 1), i);
  queue.push(bulk(2, 2), 7777);
  EXPECT_EQ(queue.pop(), 0);
  EXPECT_EQ(queue.pop(), 7777);
  EXPECT_EQ(queue.pop(), 1);
}

TEST(FairQueue, AccountsShareByWeight) {
  FairQueue<int> queue;
  for (int i = 0; i < 400; ++i) {
    queue.push(bulk(1, 1, 3), 1);
    queue.push(bulk(2, 2, 1), 2);
  }
  int first = 0;
  for (int i = 0; i < 100; ++i) first += *queue.pop() == 1 ? 1 : 0;
  EXPECT_EQ(first, 75);
}

TEST(FairQueue, DeliveriesOfOneAccountTakeTurns) {
  FairQueue<int> queue;
  for (int i = 0; i < 10; ++i) queue.push(bulk(1, 1), 1);
  for (int i = 0; i < 10; ++i) queue.push(bulk(1, 2), 2);
  std::string order;
  for (int i = 0; i < 6; ++i) order += std::to_string(*queue.pop());
  EXPECT_EQ(order, "121212");
}

TEST(FairQueue, TransactionalOvertakesAndBulkKeepsATenth) {
  FairQueue<int> queue;
  for (int i = 0; i < 100; ++i) {
    queue.push(bulk(1, 1), 1);
    queue.push(urgent(2), 0);
  }
  int bulk_picks = 0;
  for (int i = 0; i < 50; ++i) bulk_picks += *queue.pop();
  EXPECT_EQ(bulk_picks, 5);
}

TEST(FairQueue, GivesEverythingOutOnceWhateverTheOrder) {
  SeededRandom random(11);
  FairQueue<int> queue;
  std::vector<int> seen(5000, 0);
  int pushed = 0;
  while (pushed < 5000 || !queue.empty()) {
    if (pushed < 5000 && random.below(2) == 0) {
      const auto account = static_cast<std::int64_t>(random.below(7));
      const auto traffic = random.below(3) == 0 ? TrafficClass::transactional : TrafficClass::bulk;
      queue.push({traffic, account, static_cast<std::int64_t>(random.below(4)),
                  static_cast<std::uint32_t>(1 + random.below(5))},
                 pushed++);
    } else if (const auto item = queue.pop()) {
      ++seen[static_cast<std::size_t>(*item)];
    }
  }
  EXPECT_TRUE(std::ranges::all_of(seen, [](int count) { return count == 1; }));
}

TEST(Pacer, NeverExceedsThePaceByMoreThanOneBlock) {
  Pacer pacer(100.0, milliseconds(50));
  SteadyInstant now(seconds(5));
  std::uint32_t granted = 0;
  for (int ms = 0; ms < 10'000; ++ms, now += milliseconds(1)) granted += pacer.take(10, now);
  EXPECT_GE(granted, 1000U);
  EXPECT_LE(granted, 1006U);
}

TEST(Pacer, IdleTimeIsNotSavedUp) {
  Pacer pacer(10.0);
  const SteadyInstant start(seconds(1));
  EXPECT_EQ(pacer.take(5, start), 1U);
  EXPECT_EQ(pacer.take(5, start + seconds(3600)), 1U);
}

TEST(Pacer, GivesBackWhatWasNotUsed) {
  Pacer pacer(10.0);
  const SteadyInstant now(seconds(1));
  EXPECT_EQ(pacer.take(1, now), 1U);
  EXPECT_EQ(pacer.take(1, now), 0U);
  EXPECT_GT(pacer.next_permit_at(), now);
  pacer.give_back(1, now);
  EXPECT_EQ(pacer.take(1, now), 1U);
  const SteadyInstant later = now + milliseconds(100);
  EXPECT_EQ(pacer.take(1, later), 1U);
  pacer.give_back(1, now);
  EXPECT_EQ(pacer.take(1, later + milliseconds(50)), 0U) << "the later one would be too near";
}

TEST(Pacer, AnotherPaceHoldsFromTheLastPermitOn) {
  Pacer pacer(0.01);
  const SteadyInstant now(seconds(1));
  EXPECT_EQ(pacer.take(1, now), 1U);
  pacer.set_rate(2);
  EXPECT_EQ(pacer.next_permit_at(), now + milliseconds(500));
  EXPECT_EQ(pacer.take(1, now + milliseconds(500)), 1U);
  pacer.set_rate(0.1);
  EXPECT_EQ(pacer.next_permit_at(), now + milliseconds(1000)) << "what was given stays";
}

TEST(GivenBack, CountsWhatIsNotDueYet) {
  GivenBack parked;
  const SteadyInstant now(seconds(100));
  parked.add(300, now + seconds(60), now);
  parked.add(20, now + seconds(5), now);
  parked.add(7, now, now);
  EXPECT_EQ(parked.count(now), 320U) << "what is due at once waits for nothing";
  EXPECT_EQ(parked.count(now + seconds(5)), 300U);
  parked.add(20, now + seconds(60), now + seconds(5));
  EXPECT_EQ(parked.count(now + seconds(59)), 320U);
  EXPECT_EQ(parked.count(now + seconds(60)), 0U);
}

TEST(LaneNews, OfAnAnswerIsWhatTheLaneHasToHearOfIt) {
  const auto news = [](const Answer& answer, bool delivered = false) {
    return lane_news(answer, judge(answer, false), {.delivered = delivered});
  };
  const Reply closing{421, "4.7.0 too many connections from your host"};
  EXPECT_EQ(news({.stage = Stage::data, .reply = {250, "2.0.0 Ok"}}), LaneNews::good);
  EXPECT_EQ(news({.stage = Stage::rcpt_to, .reply = {550, "5.1.1 unknown user"}}), LaneNews::good)
      << "its recipient's own matter";
  EXPECT_EQ(news({.stage = Stage::mail_from, .reply = {450, "4.7.1 Error: too much mail"}}),
            LaneNews::too_fast);
  EXPECT_EQ(news({.stage = Stage::greeting, .reply = closing}), LaneNews::too_many);
  EXPECT_EQ(news({.stage = Stage::rcpt_to, .reply = closing}), LaneNews::too_fast);
  EXPECT_EQ(news({.stage = Stage::rcpt_to, .reply = closing}, true), LaneNews::nothing)
      << "enough for this connection";
  EXPECT_EQ(news({.stage = Stage::connect}), LaneNews::site_failed);
  EXPECT_EQ(news({.stage = Stage::auth, .reply = {535, "5.7.8"}, .cause = Cause::smarthost}),
            LaneNews::site_failed);
}

// The words are of SES, SendGrid, Google Workspace and Exchange Online.
TEST(JudgeForSource, ARefusalOfItsAddressLetsTheMailWait) {
  const std::vector<std::string> ours = {"192.0.2.7", "2001:db8::7"};
  const auto verdict = [&](int code, std::string text, bool is_listed = false) {
    return judge_for_source({.stage = Stage::rcpt_to, .reply = {code, std::move(text)}}, false,
                            ours, is_listed);
  };
  for (const std::string_view text :
       {"5.7.1 Service unavailable; Client host [198.51.100.3] blocked using zen.spamhaus.org",
        "5.7.1 198.51.100.3 is listed at bl.example.com",
        "5.7.1 Your IP is blocked, see https://ipcheck.proofpoint.com",
        "5.7.606 Access denied, banned sending IP", "OU-001 messages from your network",
        "5.7.1 192.0.2.7 has a poor reputation", "5.7.1 poor reputation (2001:db8::7)."}) {
    const Verdict refused = verdict(550, std::string(text));
    EXPECT_EQ(refused.cause, Cause::reputation) << text;
    EXPECT_TRUE(refused.refuses_address) << text;
    EXPECT_EQ(refused.state, RecipientState::deferred) << text;
  }
  EXPECT_TRUE(verdict(451, "IP temporarily blacklisted").refuses_address);
  for (const std::string_view text :
       {"5.7.1 poor reputation", "5.7.1 192.0.2.70 or 1.192.0.2.7 has a poor reputation"}) {
    EXPECT_FALSE(verdict(550, std::string(text)).refuses_address) << text;
    EXPECT_EQ(verdict(550, std::string(text)).state, RecipientState::bounced) << text;
    EXPECT_TRUE(verdict(550, std::string(text), true).refuses_address)
        << text << ", which is known to be listed";
  }
  EXPECT_FALSE(verdict(550, "5.1.1 unknown user", true).refuses_address);
}

// Another address of ours would fare the same, whatever lists this one is on.
TEST(JudgeForSource, ABadNameOfTheDomainOrTheContentIsNotItsAddresss) {
  const std::vector<std::string> ours = {"192.0.2.7"};
  for (const std::string_view text :
       {"5.7.1 very low reputation of the sending domain",
        "5.7.1 [192.0.2.7      19] Gmail has detected that this message is likely\n5.7.1 "
        "suspicious due to the very low reputation of the sending domain.",
        "5.7.1 Your email address has been blacklisted",
        "5.7.1 Sender address [a@b.example] blocked using dbl.spamhaus.org",
        "5.7.1 Sender address [a@b.example] blocked using rhsbl.sorbs.net",
        "5.7.1 Sender domain mail3 is listed in RBL",
        "5.7.1 The domain in your message is listed at zen.spamhaus.org",
        "5.7.1 [192.0.2.7] URL in body listed by dnsbl.example.net",
        "5.7.1 192.0.2.7: a link in the message is blacklisted by RBL",
        "5.7.1 message 12345 was blocked by content filter", "5.7.1 was blocked by policy",
        "5.7.1 本文中のURLがRBLに登録されています"}) {
    for (const bool is_listed : {false, true}) {
      const Verdict verdict = judge_for_source(
          {.stage = Stage::data, .reply = {550, std::string(text)}}, false, ours, is_listed);
      EXPECT_FALSE(verdict.refuses_address) << text;
      EXPECT_EQ(verdict.state, RecipientState::bounced) << text;
    }
  }
}

TEST(JudgeSmarthost, WhatItSaysOfUsIsNoRecipientsFaultAndRestsTheSource) {
  struct Said {
    Stage stage;
    int code;
    std::string_view text;
  };
  for (const Said& said : std::vector<Said>{
           {Stage::data, 454, "Throttling failure: Daily message quota exceeded."},
           {Stage::mail_from, 451, "Authentication failed: Maximum credits exceeded"},
           {Stage::mail_from, 550, "Unauthenticated senders not allowed"},
           {Stage::rcpt_to, 550, "5.4.5 Daily user sending limit exceeded."},
           {Stage::data, 554, "Message rejected: Sending suspended for this account."},
           {Stage::data, 550, "5.1.90 you've reached your daily limit for message recipients"},
           {Stage::data, 554,
            "Access denied: User `arn:aws:iam::1:user/a' is not authorized to "
            "perform `ses:SendRawEmail' on resource `x'"},
           {Stage::rcpt_to, 550, "5.7.1 Relaying denied"},
           {Stage::data, 550, "5.7.1 low reputation of your account"},
           {Stage::data, 550, "5.7.1 You have exceeded the quota of messages per hour"},
           {Stage::data, 550,
            "5.7.1 an unusual rate of unsolicited mail originating from your IP address"},
           {Stage::rcpt_to, 550, "5.7.1 Client host blocked using bl.example.com"}}) {
    const Answer answer{.stage = said.stage, .reply = {said.code, std::string(said.text)}};
    const Verdict verdict = judge_smarthost(answer, false);
    EXPECT_EQ(verdict.cause, Cause::smarthost) << said.text;
    EXPECT_EQ(verdict.state, RecipientState::deferred) << said.text;
    EXPECT_FALSE(verdict.is_attempt) << said.text;
    EXPECT_TRUE(verdict.refuses_us) << said.text;
    EXPECT_EQ(lane_news(answer, verdict, {.delivered = true}), LaneNews::site_failed) << said.text;
  }
}

TEST(JudgeSmarthost, WhatItSaysOfOneSenderLetsOthersMailGo) {
  const Answer answer{
      .stage = Stage::data,
      .reply = {554,
                "Message rejected: Email address is not verified. The following identities "
                "failed the check in region AP-NORTHEAST-1: news@example.jp"}};
  const Verdict verdict = judge_smarthost(answer, false);
  EXPECT_EQ(verdict.cause, Cause::smarthost);
  EXPECT_EQ(verdict.state, RecipientState::deferred);
  EXPECT_FALSE(verdict.refuses_us);
  EXPECT_TRUE(verdict.refuses_sender);
  EXPECT_EQ(lane_news(answer, verdict, {.senders_refused = 1}), LaneNews::nothing)
      << "the first on its connection";
  EXPECT_EQ(lane_news(answer, verdict, {.senders_refused = kSendersRefusedMost}),
            LaneNews::site_failed)
      << "nobody's mail was taken between";
  EXPECT_EQ(lane_news(answer, verdict, {.delivered = true, .senders_refused = 100}),
            LaneNews::nothing);
}

// One tenant's bad name must not rest the source for all.
TEST(JudgeSmarthost, WhatItSaysOfABadNameIsThatMailsUnlessItIsOurs) {
  const auto said = [](std::string text) {
    const Answer answer{.stage = Stage::data, .reply = {550, std::move(text)}};
    const Verdict verdict = judge_smarthost(answer, false);
    EXPECT_FALSE(verdict.refuses_us) << answer.reply.text;
    EXPECT_EQ(lane_news(answer, verdict, {.delivered = true}), LaneNews::nothing)
        << answer.reply.text;
    return verdict;
  };
  for (const std::string_view text :
       {"5.7.1 very low reputation of the sending domain",
        "5.7.1 the domain of the sender is on a blocklist",
        "5.7.1 [192.0.2.1] URL in body listed by dnsbl.example.net"}) {
    const Verdict verdict = said(std::string(text));
    EXPECT_EQ(verdict.cause, Cause::reputation) << text;
    EXPECT_EQ(verdict.state, RecipientState::bounced) << text;
    EXPECT_FALSE(verdict.site_failed) << text << ", were it the first on its connection, too";
  }
  const Verdict unsaid = said("5.7.1 poor reputation");
  EXPECT_EQ(unsaid.cause, Cause::smarthost) << "it may be the account's: the mail waits";
  EXPECT_EQ(unsaid.state, RecipientState::deferred);
  const Verdict paced =
      said("5.7.1 You have exceeded the quota of messages per hour of this sender domain");
  EXPECT_EQ(paced.state, RecipientState::deferred);
}

TEST(JudgeSmarthost, WhatItSaysOfARecipientOrAMailCountsAsEver) {
  const auto verdict = [](Stage stage, int code, std::string text) {
    return judge_smarthost({.stage = stage, .reply = {code, std::move(text)}}, false);
  };
  EXPECT_EQ(verdict(Stage::rcpt_to, 550, "5.1.1 unknown user").cause, Cause::mailbox);
  EXPECT_EQ(verdict(Stage::rcpt_to, 550, "5.1.1 unknown user").state, RecipientState::bounced);
  EXPECT_EQ(verdict(Stage::rcpt_to, 552, "5.2.2 Mailbox full").cause, Cause::mailbox_full);
  EXPECT_EQ(verdict(Stage::data, 552, "5.3.4 Message too big").cause, Cause::size);
  EXPECT_EQ(verdict(Stage::accepted, 250, "Ok").state, RecipientState::delivered);
  const Verdict fast =
      verdict(Stage::data, 454, "Throttling failure: Maximum sending rate exceeded");
  EXPECT_EQ(fast.cause, Cause::rate) << "its pace is a lane's usual matter";
  EXPECT_TRUE(fast.slow_down);
  // A receiver means its own mailbox where a smarthost means our account.
  const Answer suspended{.stage = Stage::rcpt_to, .reply = {550, "5.2.1 account is suspended"}};
  EXPECT_EQ(judge(suspended, false).cause, Cause::mailbox_disabled);
}

TEST(LaneNews, AConnectionNotTakenIsTheSitesFailureUnlessOthersAreServed) {
  SeededRandom random(3);
  AdaptivePace pace({.connections_max = 20, .messages_per_second = 0}, {});
  Backoff backoff({.first = seconds(10), .longest = seconds(60), .jitter = 0});
  const SteadyInstant now(seconds(100));
  EXPECT_TRUE(too_many_told(pace, backoff, 0, milliseconds(5), now));
  EXPECT_FALSE(too_many_told(pace, backoff, 3, milliseconds(5), now));
  EXPECT_LE(pace.connections_allowed(now), 3U) << "so many were served";
  backoff.failed(now, random);
  EXPECT_TRUE(too_many_told(pace, backoff, 3, milliseconds(5), now + seconds(20)));
}

TEST(Backoff, DoublesUpToTheLongestAndForgetsOnSuccess) {
  SeededRandom random(3);
  Backoff backoff({.first = seconds(10), .longest = seconds(60), .jitter = 0});
  SteadyInstant now(seconds(100));
  backoff.failed(now, random);
  EXPECT_EQ(backoff.until() - now, seconds(10));
  backoff.failed(now + seconds(1), random);
  EXPECT_EQ(backoff.until() - now, seconds(10)) << "a rest is not lengthened while it lasts";
  now = backoff.until();
  backoff.failed(now, random);
  EXPECT_EQ(backoff.until() - now, seconds(20));
  for (int i = 0; i < 40; ++i) {
    now = backoff.until();
    backoff.failed(now, random);
  }
  EXPECT_EQ(backoff.until() - now, seconds(60));
  backoff.rest_until(now + seconds(5));
  EXPECT_TRUE(backoff.resting(now + seconds(4)));
  now = backoff.until();
  backoff.failed(now, random);
  EXPECT_EQ(backoff.until() - now, seconds(60)) << "what failed is known after a shorter rest";
  backoff.succeeded();
  EXPECT_FALSE(backoff.resting(now));
}

TEST(Retry, FollowsTheScheduleAndRepeatsItsLastWait) {
  const RetryOptions options{.waits = {seconds(60), seconds(300)}, .jitter = 0};
  EXPECT_EQ(wait_after(options, NextStep::retry, 1, 9), seconds(60));
  EXPECT_EQ(wait_after(options, NextStep::retry, 2, 9), seconds(300));
  EXPECT_EQ(wait_after(options, NextStep::retry, 9, 9), seconds(300));
}

TEST(Retry, AGreylistHasItsFirstWaitsAndThenTheUsual) {
  const RetryOptions options{.waits = {seconds(60), seconds(300), seconds(900)},
                             .greylist_waits = {seconds(180), seconds(200)},
                             .jitter = 0};
  EXPECT_EQ(wait_after(options, NextStep::retry_greylisted, 1, 9), seconds(180));
  EXPECT_EQ(wait_after(options, NextStep::retry_greylisted, 2, 9), seconds(200));
  EXPECT_EQ(wait_after(options, NextStep::retry_greylisted, 3, 9), seconds(900));
}

TEST(Retry, WhoWantsLessIsTriedLaterAndNeverSoonerThanUsual) {
  const RetryOptions options{.waits = {seconds(60), seconds(3000)},
                             .rate_waits = {seconds(600), seconds(1800)},
                             .refused_waits = {seconds(900)},
                             .jitter = 0};
  EXPECT_EQ(wait_after(options, NextStep::retry_slowly, 1, 9), seconds(600));
  EXPECT_EQ(wait_after(options, NextStep::retry_slowly, 2, 9), seconds(3000));
  EXPECT_EQ(wait_after(options, NextStep::retry_refused, 1, 9), seconds(900));
  RetryOptions without = options;
  without.rate_waits.clear();
  EXPECT_EQ(wait_after(without, NextStep::retry_slowly, 1, 9), seconds(60));
}

TEST(Retry, WhatIsOursToMendIsLookedAtNowAndThen) {
  const RetryOptions options;
  EXPECT_EQ(wait_after(options, NextStep::look_again, 1, 9), std::chrono::minutes(15));
  EXPECT_LE(wait_after(options, NextStep::soon, 1, 9), seconds(10));
}

TEST(Retry, GivingUpTellsTheLifeTimeInAUnitThatFits) {
  const auto told = [](Milliseconds life_time) {
    return given_up({.life_time = life_time}).reply.text;
  };
  EXPECT_EQ(told(std::chrono::hours(24)), "4.4.7 given up: not delivered within 24 hours");
  EXPECT_EQ(told(std::chrono::hours(1)), "4.4.7 given up: not delivered within 1 hour");
  EXPECT_EQ(told(std::chrono::minutes(90)), "4.4.7 given up: not delivered within 90 minutes");
  EXPECT_EQ(told(std::chrono::seconds(4)), "4.4.7 given up: not delivered within 4 seconds");
  const Outcome outcome = given_up({});
  EXPECT_EQ(outcome.state, RecipientState::expired);
  EXPECT_EQ(outcome.cause, Cause::out_of_time);
  EXPECT_FALSE(outcome.is_attempt);
}

TEST(Retry, ABatchComesBackTogetherAndBatchesApart) {
  const RetryOptions options;
  EXPECT_EQ(wait_after(options, NextStep::retry, 1, 77),
            wait_after(options, NextStep::retry, 1, 77));
  EXPECT_EQ(wait_after(options, NextStep::retry, 1, 77).count() % 1000, 0);
  std::set<Milliseconds> waits;
  for (std::uint64_t spread = 0; spread < 100; ++spread) {
    const Milliseconds wait = wait_after(options, NextStep::retry, 3, spread);
    EXPECT_GE(wait, seconds(900));
    EXPECT_LE(wait, seconds(1036));
    waits.insert(wait);
  }
  EXPECT_GT(waits.size(), 10U);
}

// Throws when it is moved for the n-th time from now, if told to.
struct Brittle {
  explicit Brittle(int number) : value(number) {}
  Brittle(Brittle&& other) : value(other.value) {
    if (breaks_in > 0 && --breaks_in == 0) throw std::bad_alloc();
  }
  int value;
  static inline int breaks_in = 0;
};

TEST(FairQueue, APushThatThrowsChangesNothing) {
  FairQueue<Brittle> queue;
  const auto fails_at = [&](std::int64_t account, std::int64_t delivery) {
    Brittle::breaks_in = 2;  // once the queue has made room for it
    EXPECT_THROW(queue.push({TrafficClass::bulk, account, delivery, 1}, Brittle(9)),
                 std::bad_alloc);
  };
  fails_at(1, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.pop());
  queue.push({TrafficClass::bulk, 1, 1, 1}, Brittle(1));
  fails_at(1, 1);
  fails_at(1, 2);
  fails_at(2, 1);
  queue.push({TrafficClass::bulk, 2, 1, 1}, Brittle(2));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.pop()->value, 1);
  EXPECT_EQ(queue.pop()->value, 2);
  EXPECT_FALSE(queue.pop());
}

TEST(Verdict, ReadsTheTable) {
  const auto state = [](Stage stage, int code) {
    return judge({.stage = stage, .reply = {code, ""}}, false).state;
  };
  EXPECT_EQ(state(Stage::accepted, 250), RecipientState::delivered);
  EXPECT_EQ(state(Stage::rcpt_to, 550), RecipientState::bounced);
  EXPECT_EQ(state(Stage::rcpt_to, 451), RecipientState::deferred);
  EXPECT_EQ(state(Stage::mail_from, 553), RecipientState::bounced);
  EXPECT_EQ(state(Stage::data, 554), RecipientState::bounced);
  EXPECT_EQ(state(Stage::greeting, 554), RecipientState::deferred);
  EXPECT_TRUE(judge({.stage = Stage::greeting, .reply = {554, ""}}, false).try_next_host);
  EXPECT_TRUE(judge({.stage = Stage::connect}, false).site_failed);
  EXPECT_TRUE(judge({.stage = Stage::rcpt_to, .reply = {421, ""}}, false).site_failed);
  EXPECT_EQ(judge({.stage = Stage::dns, .permanent = true}, false).state, RecipientState::bounced);
  EXPECT_EQ(judge({.stage = Stage::dns}, false).state, RecipientState::deferred);
}

TEST(Verdict, ARefusalForWantOfTlsIsNoBounce) {
  enum class Made { wants_tls, bounced, other };
  using enum Made;
  const auto judged = [](int code, std::string text, bool in_clear = true) {
    const Verdict verdict = judge(
        {.stage = Stage::mail_from, .reply = {code, std::move(text)}, .in_clear = in_clear}, false);
    if (verdict.lacks_tls) {
      EXPECT_EQ(verdict.state, RecipientState::deferred);
      EXPECT_EQ(verdict.cause, Cause::tls_required);
      EXPECT_FALSE(verdict.site_failed || verdict.try_next_host);
      return wants_tls;
    }
    return verdict.state == RecipientState::bounced ? bounced : other;
  };
  EXPECT_EQ(judged(530, "5.7.0 Must issue a STARTTLS command first"), wants_tls);
  EXPECT_EQ(judged(530, "Must issue a STARTTLS command first"), wants_tls);
  EXPECT_EQ(judged(530, "5.7.0 Please go away and come back safely"), wants_tls);
  EXPECT_EQ(judged(530, ""), wants_tls);
  EXPECT_EQ(judged(523, "5.7.10 Needed"), wants_tls);
  EXPECT_EQ(judged(554, "5.7.10 Needed"), wants_tls);
  EXPECT_EQ(judged(538, "5.7.11 Required"), wants_tls);
  EXPECT_EQ(judged(550, "5.7.1 This domain takes no mail over non-TLS connections"), wants_tls);
  EXPECT_EQ(judged(550, "5.7.1 Encryption required.\nSee https://www.example.jp/"), wants_tls);
  EXPECT_EQ(judged(550, "Session encryption is required"), wants_tls);
  EXPECT_EQ(judged(451, "4.7.1 TLS required"), wants_tls);

  EXPECT_EQ(judged(530, "5.7.0 Must issue a STARTTLS command first", false), bounced);
  EXPECT_EQ(judged(530, "5.7.0 Authentication required"), bounced);
  EXPECT_EQ(judged(550, "5.1.1 no such user, and TLS is required"), bounced);
  EXPECT_EQ(judged(550, "unknown user <tls@example.jp>"), bounced);
  EXPECT_EQ(judged(550, "unknown user <a@tls.example.jp>"), bounced);
  EXPECT_EQ(judged(550, "5.7.1 hustlsson is not wanted"), bounced);
  EXPECT_EQ(
      judge({.stage = Stage::accepted, .reply = {250, "TLS next time"}, .in_clear = true}, false)
          .state,
      RecipientState::delivered);
}

TEST(Verdict, TlsThatOurRulesSwitchOffIsOurs) {
  const Verdict verdict = judge({.stage = Stage::mail_from,
                                 .reply = {530, "5.7.0 Must issue a STARTTLS command first"},
                                 .in_clear = true,
                                 .tls_off = true},
                                false);
  EXPECT_EQ(verdict.cause, Cause::tls_switched_off);
  EXPECT_TRUE(verdict.lacks_tls);
}

TEST(Verdict, WhoWantsLessGetsARest) {
  const Answer much{.stage = Stage::rcpt_to, .reply = {450, "4.7.1 Error: too much mail from you"}};
  EXPECT_TRUE(judge(much, false).slow_down);
  EXPECT_TRUE(judge(much, false).site_failed);
  // Said of one mailbox, or of this connection.
  const Answer mailbox{.stage = Stage::rcpt_to,
                       .reply = {450, "4.2.1 The user is receiving mail too quickly"}};
  EXPECT_FALSE(judge(mailbox, false).site_failed);
  const Answer session{.stage = Stage::rcpt_to, .reply = {421, "too many messages"}};
  EXPECT_FALSE(judge(session, false).slow_down);
}

TEST(Verdict, WhatWeBrokeOffSaysNothingOfTheSiteAndIsNoAttempt) {
  for (const Stage stage : {Stage::connect, Stage::greeting, Stage::rcpt_to}) {
    const Verdict verdict = judge({.stage = stage, .cause = Cause::stopping}, false);
    EXPECT_EQ(verdict.state, RecipientState::deferred);
    EXPECT_FALSE(verdict.is_attempt || verdict.site_failed || verdict.try_next_host);
  }
}

TEST(Verdict, DoubtIsRetriedUnlessAtMostOnceWasAskedFor) {
  const Answer answer{.stage = Stage::data, .in_doubt = true};
  EXPECT_EQ(judge(answer, false).state, RecipientState::deferred);
  EXPECT_EQ(judge(answer, true).state, RecipientState::unknown);
}

TEST(Credit, GrowsWithThePaceASiteShows) {
  CreditLedger ledger({.minimum = 100, .maximum = 5000, .total = 10000, .horizon = seconds(10)});
  SteadyInstant now(seconds(10));
  EXPECT_EQ(ledger.available("a", now), 100);
  ledger.hand_out("a", 100);
  EXPECT_EQ(ledger.available("a", now), 0);
  for (int i = 0; i < 5; ++i) {
    now += seconds(1);
    ledger.settle("a", 50, now);
    ledger.hand_out("a", 50);
  }
  EXPECT_GT(ledger.available("a", now), 200);
  EXPECT_LE(ledger.available("a", now) + ledger.outstanding("a"), 500);
}

TEST(Credit, ARestingSiteGetsNoneAndTheTotalBindsAll) {
  CreditLedger ledger({.minimum = 100, .maximum = 5000, .total = 150, .horizon = seconds(10)});
  const SteadyInstant now(seconds(10));
  ledger.rest_until("a", now + seconds(5));
  EXPECT_EQ(ledger.available("a", now), 0);
  ledger.hand_out("b", 100);
  EXPECT_EQ(ledger.available("c", now), 50);
}

TEST(Credit, AfterARestASiteGetsOneBatchUntilItHasTakenSomething) {
  CreditLedger ledger({.minimum = 100, .maximum = 5000, .total = 5000, .horizon = seconds(10)});
  SteadyInstant now(seconds(10));
  ledger.hand_out("a", 100);
  ledger.rest_until("a", now + seconds(5));
  ledger.settle("a", 1, now);  // the mail that told of the failure
  ledger.give_back("a", 99);
  now += seconds(5);
  EXPECT_EQ(ledger.available("a", now), 1);
  ledger.hand_out("a", 50);
  EXPECT_EQ(ledger.available("a", now), 0) << "one batch, however large";
  ledger.give_back("a", 50);
  EXPECT_EQ(ledger.available("a", now), 1) << "given back is not taken";
  ledger.settle("a", 1, now);
  EXPECT_EQ(ledger.available("a", now), 100);
}

TEST(Credit, WhatIsGivenBackUntriedIsNoPace) {
  CreditLedger ledger({.minimum = 100, .maximum = 5000, .total = 5000, .horizon = seconds(10)});
  SteadyInstant now(seconds(10));
  for (int i = 0; i < 5; ++i, now += seconds(1)) {
    ledger.hand_out("a", 1000);
    ledger.give_back("a", 1000);
  }
  EXPECT_EQ(ledger.available("a", now), 100);
}

TEST(Room, AFloodOfOneAccountLeavesRoomForTheOthers) {
  Room room(20'000);
  int of_flood = 0;
  for (; room.has_place_for(1); ++of_flood) room.enter(1);
  EXPECT_EQ(of_flood, 10'000);
  int of_second = 0;
  for (; room.has_place_for(2); ++of_second) room.enter(2);
  EXPECT_EQ(of_second, 5'000);
  EXPECT_FALSE(room.has_place_for(1));
  EXPECT_TRUE(room.has_place_for(3));
  for (int i = 0; i < of_flood; ++i) room.leave(1);
  EXPECT_TRUE(room.has_place_for(1));
  EXPECT_TRUE(room.has_place_for(2));
}

TEST(Room, WhatIsLargeTakesAsMuchOfItAsItNeeds) {
  Room room(1'000);
  int of_flood = 0;
  for (; room.has_place_for(1); ++of_flood) room.enter(1, 300);
  EXPECT_EQ(of_flood, 2);
  EXPECT_TRUE(room.has_place_for(2));
  room.enter(2, 400);  // all of it is taken now
  EXPECT_FALSE(room.has_place_for(3));
  room.leave(2, 400);
  room.leave(1, 300);
  EXPECT_TRUE(room.has_place_for(1));
}

// The order of turns when everyone always has something: recipients by account and by delivery.
std::map<std::int64_t, std::int64_t> shares(Turns& turns,
                                            const std::vector<std::int64_t>& deliveries,
                                            const std::map<std::int64_t, std::int64_t>& a_turn,
                                            int rounds) {
  std::map<std::int64_t, std::int64_t> served;
  for (int i = 0; i < rounds; ++i) {
    // A pass with credit for one turn only, as behind a slow site.
    for (const std::int64_t delivery : deliveries) turns.ready(delivery);
    const std::int64_t next = *turns.next();
    const std::int64_t recipients = a_turn.contains(next) ? a_turn.at(next) : 500;
    turns.served(next, recipients);
    served[next] += recipients;
    turns.clear_ready();
  }
  return served;
}

TEST(Turns, AccountsShareByWeightAndTheirDeliveriesEvenly) {
  Turns turns;
  turns.join(1, 1, 11);
  turns.join(1, 1, 12);
  turns.join(1, 1, 13);
  turns.join(2, 3, 21);
  // Delivery 12 has small batches: what counts is recipients, not turns.
  const auto served = shares(turns, {11, 12, 13, 21}, {{12, 50}}, 4'000);
  const auto of_one = static_cast<double>(served.at(11) + served.at(12) + served.at(13));
  EXPECT_NEAR(static_cast<double>(served.at(21)) / of_one, 3.0, 0.02);
  EXPECT_NEAR(static_cast<double>(served.at(12)) / static_cast<double>(served.at(11)), 1.0, 0.05);
  EXPECT_NEAR(static_cast<double>(served.at(13)) / static_cast<double>(served.at(11)), 1.0, 0.05);
}

TEST(Turns, WhoBeginsIsLevelWithTheOthersNotAheadForWhatItDidNotUse) {
  Turns turns;
  turns.join(1, 1, 11);
  shares(turns, {11}, {}, 1'000);
  turns.join(2, 1, 21);
  auto served = shares(turns, {11, 21}, {}, 10);
  EXPECT_EQ(served[21], 2'500);
  EXPECT_EQ(served[11], 2'500);
  // The site of 21 takes nothing for a while, then it takes again: no claim to the time between.
  shares(turns, {11}, {}, 1'000);
  served = shares(turns, {11, 21}, {}, 10);
  EXPECT_EQ(served[21], 2'500);
  EXPECT_EQ(served[11], 2'500);
}

TEST(Turns, ATurnThatCannotBeUsedChangesNothing) {
  Turns turns;
  turns.join(1, 1, 11);
  turns.join(2, 3, 21);
  std::map<std::int64_t, std::int64_t> served;
  for (int i = 0; i < 4'000; ++i) {
    turns.ready(11);
    turns.ready(21);
    // Credit for the first only; the other one is asked, too, and can be given nothing.
    const std::int64_t first = *turns.next();
    turns.served(first, 500);
    served[first] += 500;
    turns.served(*turns.next(), 0);
    EXPECT_EQ(turns.next(), std::nullopt);
  }
  EXPECT_NEAR(static_cast<double>(served[21]) / static_cast<double>(served[11]), 3.0, 0.02);
}

TEST(Turns, WhoLeavesIsForgottenAndTheRestGoesOn) {
  Turns turns;
  turns.join(1, 1, 11);
  turns.join(1, 1, 12);
  turns.join(2, 1, 21);
  for (const std::int64_t delivery : {11, 12, 21}) turns.ready(delivery);
  turns.leave(11);
  turns.leave(21);
  turns.leave(99);
  EXPECT_EQ(turns.next(), 12);
  EXPECT_EQ(turns.next(), std::nullopt);
}

TEST(Turns, AnAccountThatComesBackLateWithTwoDeliveriesLeavesNothingBehind) {
  Turns turns;
  turns.join(1, 1, 11);
  turns.join(1, 1, 12);
  turns.join(2, 1, 21);
  for (int i = 0; i < 3; ++i) {
    turns.ready(21);
    EXPECT_EQ(turns.next(), 21);
    turns.served(21, 500);
  }
  turns.ready(11);
  turns.ready(12);
  EXPECT_EQ(turns.next(), 11) << "its account moves up to the present while 12 waits";
  turns.leave(11);
  turns.leave(12);
  EXPECT_EQ(turns.next(), std::nullopt);
  turns.clear_ready();
}

}  // namespace
}  // namespace todoku::delivery::policy
