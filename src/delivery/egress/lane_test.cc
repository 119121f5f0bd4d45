// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane.h"

#include <thread>

#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

TEST(Lane, DeliversWhatItIsGiven) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  Fault none;
  LaneTestWorld world(none, 8);
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  world.check_mails();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
  }
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

// A lane tells of its mails first, and gives up their places then, on another thread.
bool comes_to_rest(LaneTestWorld& world) {
  const SystemClock clock;
  const SteadyInstant until = clock.steady_now() + std::chrono::seconds(20);
  while (world.lanes.in_use("main") && clock.steady_now() < until) world.lanes.tidy();
  return !world.lanes.in_use("main");
}

// What is sent reaches its lane on another thread.
bool comes_into_use(LaneTestWorld& world) {
  const SystemClock clock;
  const SteadyInstant until = clock.steady_now() + std::chrono::seconds(20);
  while (!world.lanes.in_use("main") && clock.steady_now() < until) std::this_thread::yield();
  return world.lanes.in_use("main");
}

TEST(Lane, OfASourceThatIsLostParksWhatWaitsAndComes) {
  Fault none;
  LaneTestWorld world(none, 1);
  // Others have the only connection.
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.lanes.drain("other");
  world.send();
  EXPECT_TRUE(comes_into_use(world));
  EXPECT_FALSE(world.recorder.knows(1));
  world.lanes.drain("main");
  for (const bool comes_later : {false, true}) {
    if (comes_later) world.send();
    world.tidy_until_all_is_told();
    for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
    EXPECT_TRUE(comes_to_rest(world));
    world.recorder.forget();
  }
  // Ours again: new lanes send.
  world.lanes.resume("main");
  world.places.give_back();
  world.send();
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
  }
  EXPECT_EQ(world.recorder.told().size(), kMails);
  world.drain();
  EXPECT_TRUE(comes_to_rest(world));
  world.check_that_all_is_free();
}

TEST(Lane, OfWhatIsHeldBackNothingIsBegun) {
  for (const bool there_are_connections : {false, true}) {
    Fault none;
    LaneTestWorld world(none, 1);
    if (!there_are_connections) {
      ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
    }
    const auto batch = batch_of_mails(24h, world.recorder, letter_of_large_values());
    batch->hold_back(true);
    world.send(batch);
    world.tidy_until_all_is_told();
    for (const auto& [address, told] : world.recorder.told()) {
      EXPECT_TRUE(told.parked) << address;
      EXPECT_EQ(told.times, 1) << address;
    }
    world.recorder.forget();
    batch->hold_back(false);
    if (!there_are_connections) world.places.give_back();
    world.send(batch);
    world.tidy_until_all_is_told();
    for (const auto& [address, told] : world.recorder.told()) {
      EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
    }
    world.drain();
    EXPECT_TRUE(comes_to_rest(world));
    world.check_that_all_is_free();
  }
}

TEST(Lane, MailThatWaitsForAConnectionExpiresThere) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send(-1h);
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.times, 1);
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  world.places.give_back();
  world.drain();
  world.check_that_all_is_free();
}

TEST(Lane, MailThatHasOutlivedItsTimeOpensNoConnection) {
  Fault none;
  LaneTestWorld world(none, 8);
  world.send(-1h);
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  EXPECT_EQ(world.metrics.counter("d", "").value(), 0U);
  world.check_that_all_is_free();
}

// Of an address that is on a list, one mail hears of it and waits, as the others do; a bad name
// that may be anything's is the mail's, unless the address is known to be listed; that of the
// sender's domain is always, whatever address the words begin with.
TEST(Lane, WhoseAddressIsRefusedAsBlocklistedRestsThereAndBouncesNothing) {
  struct Case {
    std::string_view reply;
    bool is_listed = false;
    bool rests = false;
  };
  for (const Case& each : {Case{"550 5.7.1 Client host blocked using bl.example.com", false, true},
                           Case{"550 5.7.1 mail from 192.0.2.7 sends spam", false, true},
                           Case{"550 5.7.1 mail from 192.0.2.77 sends spam", false, false},
                           Case{"550 5.7.1 mail that sends spam", false, false},
                           Case{"550 5.7.1 mail that sends spam", true, true},
                           Case{"550 5.7.1 [192.0.2.7] low reputation of the sending domain"},
                           Case{"550 5.7.1 low reputation of the sending domain", true}}) {
    Fault none;
    LaneTestWorld world(none, 1);
    world.seen_as("192.0.2.7");
    world.script().answers["MAIL"] = each.reply;
    if (each.is_listed) world.listed.set({"other", "main"});
    world.send();
    world.tidy_until_all_is_told();
    world.drain();
    int heard = 0;
    for (const auto& [address, told] : world.recorder.told()) {
      if (told.parked) continue;
      ++heard;
      EXPECT_EQ(told.outcome.cause, Cause::reputation);
      EXPECT_EQ(told.outcome.state, each.rests ? RecipientState::deferred : RecipientState::bounced)
          << each.reply;
    }
    EXPECT_EQ(heard, each.rests ? 1 : static_cast<int>(kMails)) << each.reply;
    EXPECT_EQ(world.feedback.elsewhere > 0, each.rests) << each.reply;
    world.check_that_all_is_free();
  }
}

// Of a smarthost one mail hears that our account is used up; the others wait and nothing bounces.
TEST(Lane, RestsWhereASmarthostRefusesOurAccount) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.behind_smarthost();
  world.script().answers["MAIL"] = "550 5.4.5 Daily user sending limit exceeded.";
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  int told_so = 0;
  for (const auto& [address, told] : world.recorder.told()) {
    if (told.parked) continue;
    ++told_so;
    EXPECT_EQ(told.outcome.cause, Cause::smarthost);
    EXPECT_EQ(told.outcome.state, RecipientState::deferred);
    EXPECT_FALSE(told.outcome.is_attempt);
  }
  EXPECT_EQ(told_so, 1);
  EXPECT_GT(world.feedback.count.load(), 0) << "the source rests";
  world.check_that_all_is_free();
}

// Nor does what it says of one sender's domain, which all of these mails happen to have, keep the
// source from going on.
TEST(Lane, GoesOnWhereASmarthostRefusesASendersDomain) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.behind_smarthost();
  world.script().answers["MAIL"] = "550 5.7.1 very low reputation of the sending domain";
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_FALSE(told.parked) << address;
    EXPECT_EQ(told.outcome.cause, Cause::reputation) << address;
    EXPECT_EQ(told.outcome.state, RecipientState::bounced) << address;
  }
  EXPECT_EQ(world.feedback.count.load(), 0) << "the source does not rest";
  world.check_that_all_is_free();
}

// Not even one that is refused before any other mail was taken: its mails wait, each by itself.
TEST(Lane, ARefusedSenderIsNoReasonForASmarthostToRest) {
  static_assert(kMails < policy::kSendersRefusedMost);
  Fault none;
  LaneTestWorld world(none, 1);
  world.behind_smarthost();
  world.script().answers["MAIL"] = "553 5.7.1 Sender address rejected: not owned by user mailer";
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_FALSE(told.parked) << address;
    EXPECT_EQ(told.outcome.cause, Cause::smarthost) << address;
    EXPECT_EQ(told.outcome.state, RecipientState::deferred) << address;
  }
  EXPECT_EQ(world.feedback.count.load(), 0) << "the source does not rest";
  world.check_that_all_is_free();
}

// Its first mail: the receiver says nothing, and the others wait behind it.
TEST(Lane, TellsWhatTheMailAtHandWaitsFor) {
  Fault none;
  LaneTestWorld world(none, 1, "");
  const SystemClock clock;
  const SteadyInstant before = clock.steady_now();
  world.send(1s);
  const auto sight_of = [&](std::uint32_t seq) {
    return world.lanes.at_hand("example.jp", "main", {store::DeliveryKey{1}, 1, seq});
  };
  auto sight = sight_of(0);
  while (clock.steady_now() < before + 20s && (!sight || sight->awaited.stage != Stage::greeting)) {
    if (world.recorder.knows(kMails)) break;
    sight = sight_of(0);
  }
  ASSERT_TRUE(sight);
  EXPECT_EQ(sight->awaited.stage, Stage::greeting);
  EXPECT_FALSE(sight->awaited.content_is_out);
  EXPECT_GE(sight->since, before);
  EXPECT_GT(sight->awaited.until, before);
  EXPECT_FALSE(sight_of(1));
  EXPECT_FALSE(world.lanes.at_hand("example.org", "main", {store::DeliveryKey{1}, 1, 0}));
  world.tidy_until_all_is_told();
  // It is told first, and let go of next, by another thread.
  const SteadyInstant told = clock.steady_now();
  while (sight_of(0) && clock.steady_now() < told + 20s) world.tidy_until_all_is_told();
  EXPECT_FALSE(sight_of(0)) << "its story has ended";
  world.drain();
}

TEST(Lane, MailThatOutlivesItsTimeWhileOpeningIsNotBlamedOnTheSite) {
  Fault none;
  LaneTestWorld world(none, 8, "");  // the receiver says nothing
  world.send(200ms);
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  EXPECT_EQ(world.feedback.count.load(), 0);
  EXPECT_FALSE(world.is_last(ShakyDialer::kLiving)) << "nor on the host";
  world.check_that_all_is_free();
}

TEST(Lane, ADialThatIsCutShortIsNotBlamedOnTheHost) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.dead_hosts_are_silent();
  world.send(batch_of_mails(200ms, world.recorder, letter_of_large_values()), 1);
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  EXPECT_GE(world.metrics.counter("d", "").value(), 1U);
  EXPECT_FALSE(world.is_last(net::IpAddress::v4({127, 0, 1, 1})));
  world.drain();
}

void expect_all_delivered(const LaneTestWorld& world) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.times, 1) << address;
    EXPECT_FALSE(told.parked) << address;
    EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
  }
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

TEST(Lane, AReceiverThatStumblesOverItsOffersIsRememberedAndNobodyIsBlamed) {
  for (const auto& [script, avoided] :
       {std::pair{smtp::Script{.answers = {{"BDAT", "502 5.5.1 no"}}},
                  policy::Avoided{.chunking = true}},
        std::pair{smtp::Script{.hangs_up_at = "BDAT"}, policy::Avoided{.chunking = true}},
        std::pair{smtp::Script{.groups = smtp::Groups::refused},
                  policy::Avoided{.pipelining = true}}}) {
    Fault none;
    LaneTestWorld world(none, 8);
    world.script() = script;
    world.script().offers = {"PIPELINING", "CHUNKING"};
    world.send();
    world.tidy_until_all_is_told();
    world.drain();
    world.check_that_all_is_free();
    world.check_mails();
    expect_all_delivered(world);
    EXPECT_TRUE(!avoided.chunking || world.avoided().chunking);
    EXPECT_TRUE(!avoided.pipelining || world.avoided().pipelining);
    EXPECT_EQ(world.feedback.count.load(), 0) << "the site need not rest";
  }
}

TEST(Lane, ALivingHostBehindDeadOnesIsFound) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.send_past_dead_hosts(7);
  world.tidy_until_all_is_told();
  expect_all_delivered(world);
  EXPECT_EQ(world.metrics.counter("d", "").value(), 8U);
  world.drain();
}

TEST(Lane, ALaterAttemptBeginsWhereTheOneBeforeEnded) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.rest_never();
  world.send_past_dead_hosts(30);
  world.tidy_until_all_is_told();
  // The first connection tries the first twenty hosts, the second, for the mail after, the rest.
  int deferred = 0;
  for (const auto& [address, told] : world.recorder.told()) {
    if (told.outcome.state == RecipientState::deferred && !told.parked) ++deferred;
  }
  EXPECT_EQ(deferred, 1);
  world.recorder.forget();
  const std::uint64_t dials = world.metrics.counter("d", "").value();
  world.send_past_dead_hosts(30);
  world.tidy_until_all_is_told();
  expect_all_delivered(world);
  EXPECT_LE(world.metrics.counter("d", "").value(), dials + 11);
  world.drain();
}

TEST(Lane, ASuspectThatGoesBackIsNotCountedAsBegun) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.script().hangs_up_at = "BDAT";
  world.send_suspect();
  world.tidy_until_all_is_told();
  world.drain();
  expect_all_delivered(world);
  const int back = world.recorder.suspects_let_wait;
  EXPECT_GE(back, 1);
  EXPECT_EQ(world.recorder.suspects_begun, static_cast<int>(kMails) + back);
}

Task<void> take_all_room(ComposingMemory& memory, std::optional<ComposingMemory::Share>& share) {
  share = co_await memory.share(SIZE_MAX, TrafficClass::bulk, SystemClock().steady_now());
}

TEST(Lane, WhereAMailFindsNoRoomTheLanePausesAndSaysSo) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.wait_for_room(20ms);
  std::optional<ComposingMemory::Share> all;
  async::run_to_completion(take_all_room(world.memory, all));
  ASSERT_TRUE(all);
  world.send();
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
  EXPECT_EQ(world.metrics.counter("d", "").value(), 1U) << "it does not dial again at once";
  EXPECT_EQ(world.metrics.counter("todoku_composing_memory_shortages_total", "").value(), 1U);
  all.reset();
  world.drain();
  const auto figures = world.lanes.figures_of("example.jp", "main");
  ASSERT_TRUE(figures) << "it is not forgotten before its pause is over";
  EXPECT_TRUE(figures->wants_room);
  EXPECT_GT(figures->opens_none_until, SystemClock().steady_now());
  EXPECT_EQ(world.feedback.count.load(), 0) << "the site need not rest";
  world.check_that_all_is_free();
}

TEST(Lane, MailForWhichThereIsNoPlaceGoesBackWhenItDrains) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send();
  world.drain();
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
  world.places.give_back();
  world.check_that_all_is_free();
}

}  // namespace
}  // namespace todoku::delivery::egress
