// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/endpoint_policy.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/webhooks/test_endpoint.h"

namespace todoku::events::webhooks {
namespace {

using namespace std::chrono_literals;

std::vector<OfferedEvent> events_of(int count) {
  std::vector<OfferedEvent> events;
  for (int number = 0; number < count; ++number) {
    auto told = std::make_shared<WrittenEvent>();
    told->id = fmt::format("e{}", number);
    events.push_back({.told = std::move(told),
                      .order_key = static_cast<std::uint64_t>(number) + 1,
                      .cursor_behind = fmt::format("{}", number + 1)});
  }
  return events;
}

TEST(EndpointPolicy, TellsEverythingInOrderInFewCalls) {
  EndpointWorld world({.events = 5'000, .recipients = 200});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 5'000U);
  EXPECT_EQ(world.told_again(), 0U);
  EXPECT_LT(world.calls(), 400U);
}

TEST(EndpointPolicy, WritingDoesNotSlowItDown) {
  EndpointWorld world({.events = 20'000, .recipients = 2'000});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_LT(world.elapsed(), 15s);  // a writing a second would let out a thousand in each
}

TEST(EndpointPolicy, TellsASingleEventAtOnce) {
  EndpointWorld world({.events = 1, .recipients = 1});
  world.run();
  EXPECT_EQ(world.accepted(), 1U);
  EXPECT_LT(world.elapsed(), 2s);
}

TEST(EndpointPolicy, OneThatIsRefusedHoldsBackItsRecipientAndNobodyElse) {
  EndpointWorld world({.events = 3'000, .recipients = 100, .refused = {500}});
  world.run_until([&] { return world.accepted() >= 3'000 - 25; });
  EXPECT_LT(world.elapsed(), 10min);  // long before the refused one is given up
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 2'999U);
  EXPECT_EQ(world.set_aside(), std::set<std::size_t>{500});
  EXPECT_GE(world.elapsed(), 24h);
  EXPECT_LT(world.elapsed(), 26h);
}

TEST(EndpointPolicy, OneThatIsTakenAfterHoursIsTaken) {
  EndpointWorld world({.events = 300, .recipients = 10, .refused = {7, 8, 100}, .refused_for = 6h});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 300U);
  EXPECT_TRUE(world.set_aside().empty());
}

TEST(EndpointPolicy, AnEndpointThatIsAwayForDaysLosesNothing) {
  EndpointWorld world({.events = 2'000, .recipients = 50, .away_from = 500ms, .away_until = 72h});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 2'000U);
  EXPECT_TRUE(world.set_aside().empty());
  const std::vector<EndpointActions::Notice> expected = {EndpointActions::Notice::failing,
                                                         EndpointActions::Notice::recovered};
  EXPECT_EQ(world.notices(), expected);
  EXPECT_LT(world.calls_while_away(), 600U);  // a probe each ten minutes or so
  EXPECT_LT(world.elapsed(), 72h + 30min);
}

TEST(EndpointPolicy, NothingIsParkedWhereEverythingIsRefused) {
  WorldOptions options{.events = 50, .recipients = 50, .away_from = 0ms, .away_until = 48h};
  options.endpoint.batch_events_max = 1;
  EndpointWorld world(options);
  world.pass(24h);
  EXPECT_EQ(world.policy().parked_events(), 0U);
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 50U);
}

TEST(EndpointPolicy, ASingleRefusedOneDoesNotKeepItsEndpointFailing) {
  EndpointWorld world({.events = 2, .recipients = 2, .refused = {0}, .second_after = 3h});
  world.run_until([&] { return world.accepted() == 1; });
  EXPECT_LT(world.elapsed(), 3h + 1min);
  world.run();
  EXPECT_EQ(world.faults(), "");
}

// Each probe is another event's: the refused ones at the front do not hide those that are taken.
TEST(EndpointPolicy, SeveralRefusedOnesDoNotKeepTheirEndpointFailing) {
  WorldOptions options{.events = 200, .recipients = 200, .refused = {0, 1, 2, 3, 4, 5, 6, 7}};
  options.endpoint.batch_events_max = 1;
  EndpointWorld world(options);
  world.run_until([&] { return world.accepted() == 192; });
  EXPECT_LT(world.elapsed(), 2h);
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.set_aside().size(), 8U);
}

// What an endpoint holds back for ever by "later" is found and parked like what it refuses.
TEST(EndpointPolicy, OneThatIsAlwaysPutOffDoesNotStopTheOthers) {
  SeededRandom random(3);
  EndpointPolicy policy({}, {}, random);
  Instant now = from_epoch_ms(1'767'225'600'000);
  policy.on_page(events_of(20), "20", now);
  std::set<std::string> accepted;
  for (int step = 0; step < 2'000 && accepted.size() < 19; ++step) {
    auto actions = policy.next(now);
    if (actions.save) policy.on_saved(true);
    for (const auto& call : actions.calls) {
      const bool has_bad =
          std::ranges::any_of(call.events, [](const auto& told) { return told->id == "e0"; });
      if (!has_bad) {
        for (const auto& told : call.events) accepted.insert(told->id);
      }
      policy.on_answer(call.number,
                       {.how = has_bad ? CallAnswer::How::throttled : CallAnswer::How::accepted},
                       now);
    }
    now += 10s;
  }
  EXPECT_EQ(accepted.size(), 19U);
}

// Nor when it says so for an hour each time, and all others come after it.
TEST(EndpointPolicy, OneThatIsPutOffByTheHourIsSetAsideAndTheStreamGoesOn) {
  constexpr int kPages = 10;
  SeededRandom random(3);
  EndpointPolicy policy({}, {}, random);
  const Instant begin = from_epoch_ms(1'767'225'600'000);
  Instant now = begin;
  std::set<std::string> accepted;
  std::vector<std::string> set_aside;
  Instant all_told;
  const std::vector<OfferedEvent> events = events_of(kPages * 20);
  for (int page = 0; now < begin + 72h && set_aside.empty(); now += 30s) {
    if (policy.wants_events() && page < kPages && now >= begin + page * 1h) {
      const auto from = events.begin() + page++ * 20;
      policy.on_page({from, from + 20}, fmt::format("{}", page * 20), now);
    }
    auto actions = policy.next(now);
    if (actions.save) {
      set_aside.insert(set_aside.end(), actions.save->set_aside.begin(),
                       actions.save->set_aside.end());
      policy.on_saved(true);
    }
    for (const std::string& id : actions.load) policy.on_loaded(id, events.front().told);
    for (const auto& call : actions.calls) {
      const bool has_bad =
          std::ranges::any_of(call.events, [](const auto& told) { return told->id == "e0"; });
      if (!has_bad) {
        for (const auto& told : call.events) accepted.insert(told->id);
        if (accepted.size() == kPages * 20 - 1) all_told = now;
      }
      policy.on_answer(call.number,
                       has_bad ? CallAnswer{.how = CallAnswer::How::throttled, .retry_after = 1h}
                               : CallAnswer{.how = CallAnswer::How::accepted},
                       now);
    }
  }
  EXPECT_EQ(accepted.size(), kPages * 20U - 1);
  EXPECT_LT(all_told, begin + 24h);
  EXPECT_EQ(set_aside, std::vector<std::string>{"e0"});
}

// Each time it has more than it can take it says so, and takes them a moment later.
TEST(EndpointPolicy, WhoLimitsItsRateIsNotBlamed) {
  SeededRandom random(3);
  EndpointPolicy policy(EndpointOptions::of_contract(), {}, random);
  Instant now = from_epoch_ms(1'767'225'600'000);
  policy.on_page(events_of(900), "900", now);
  std::set<std::string> accepted;
  bool takes = false;
  for (int step = 0; step < 2'000 && accepted.size() < 900; ++step, now += 500ms) {
    auto actions = policy.next(now);
    if (actions.save) {
      EXPECT_TRUE(actions.save->set_aside.empty());
      policy.on_saved(true);
    }
    for (const auto& call : actions.calls) {
      takes = !takes;
      if (takes) {
        for (const auto& told : call.events) accepted.insert(told->id);
      }
      policy.on_answer(call.number,
                       {.how = takes ? CallAnswer::How::accepted : CallAnswer::How::throttled},
                       now);
    }
  }
  EXPECT_EQ(accepted.size(), 900U);
  EXPECT_EQ(policy.parked_events(), 0U);
}

TEST(EndpointPolicy, WhereNoMoreCanWaitTheOneRefusedForLongestIsSetAside) {
  WorldOptions options{.events = 300, .recipients = 300};
  for (std::size_t i = 10; i < 110; i += 5) options.refused.insert(i);
  options.endpoint.parked_max = 5;
  options.endpoint.window_events_max = 10;
  EndpointWorld world(options);
  world.run_until([&] { return world.accepted() == 280; });
  EXPECT_LT(world.elapsed(), 12h);
  EXPECT_GE(world.set_aside().size(), 10U);
  EXPECT_LE(world.policy().parked_events(), 6U);
}

TEST(EndpointPolicy, AClockThatIsSetBackMakesNothingWaitForIt) {
  SeededRandom random(3);
  EndpointPolicy policy({}, {}, random);
  Instant now = from_epoch_ms(1'767'225'600'000);
  policy.on_page(events_of(1), "1", now);
  for (int refusals = 0; refusals < 6; ++refusals) {
    auto calls = policy.next(now).calls;
    for (int waits = 0; calls.empty() && waits < 1'000; ++waits) {
      calls = policy.next(now += 1min).calls;
    }
    ASSERT_EQ(calls.size(), 1U);
    policy.on_answer(calls[0].number, {.how = CallAnswer::How::refused}, now);
  }
  now -= 2h;
  bool called = false;
  for (int seconds = 0; seconds < 60 * 15 && !called; ++seconds) {
    called = !policy.next(now += 1s).calls.empty();
  }
  EXPECT_TRUE(called) << "within the longest wait for a probe";
}

TEST(EndpointPolicy, WhatWasWrittenUnderAClockThatRanAheadDoesNotWaitForIt) {
  SeededRandom random(3);
  const Instant now = from_epoch_ms(1'767'225'600'000);
  EndpointState state;
  state.parked = {
      {.id = "e0", .order_key = 1, .tries = 1, .first_tried = now + 48h, .due = now + 72h}};
  EndpointPolicy policy({}, state, random);
  (void)policy.next(now);
  EXPECT_THAT(policy.next(now + 11h).load, testing::ElementsAre("e0"));
}

TEST(EndpointPolicy, WhatItsOwnerHastensWaitsNoLonger) {
  SeededRandom random(3);
  const Instant now = from_epoch_ms(1'767'225'600'000);
  EndpointState state;
  state.parked = {
      {.id = "e9", .order_key = 9, .tries = 4, .first_tried = now - 5h, .due = now + 5h}};
  EndpointPolicy policy({}, state, random);
  policy.on_page(events_of(2), "1", now);
  const auto first = policy.next(now).calls;
  ASSERT_EQ(first.size(), 1U);
  policy.on_answer(first[0].number,
                   {.how = CallAnswer::How::throttled, .retry_after = std::chrono::minutes(50)},
                   now);
  EXPECT_TRUE(policy.next(now + 1s).calls.empty());
  policy.hasten(now + 2s);
  const EndpointActions hastened = policy.next(now + 2s);
  EXPECT_EQ(hastened.calls.size(), 1U);
  EXPECT_THAT(hastened.load, testing::ElementsAre("e9"));
}

TEST(EndpointPolicy, TheContractsFormGivesUpAfterThreeRetries) {
  WorldOptions options{.events = 100, .recipients = 10, .refused = {3}};
  options.endpoint = EndpointOptions::of_contract();
  EndpointWorld world(options);
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.set_aside(), std::set<std::size_t>{3});
  EXPECT_EQ(world.refusals_alone(3), 4U);
}

TEST(EndpointPolicy, GoneIsGone) {
  EndpointWorld world({.events = 5'000, .recipients = 10, .gone_at = 100ms});
  world.run();
  world.pass(1min);
  EXPECT_EQ(world.written().status, EndpointState::Status::disabled);
  EXPECT_EQ(world.notices(), std::vector{EndpointActions::Notice::disabled});
  const std::size_t before = world.calls();
  world.pass(48h);
  EXPECT_EQ(world.calls(), before);
  EXPECT_FALSE(world.policy().wants_events());
}

TEST(EndpointPolicy, WaitsAsItIsAsked) {
  EndpointWorld world(
      {.events = 100, .recipients = 10, .throttled_until = 10min, .retry_after = 2min});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 100U);
  EXPECT_LE(world.calls(), 8U);
}

TEST(EndpointPolicy, WhatIsOursIsNoRefusal) {
  EndpointWorld world({.events = 200, .recipients = 10, .busy_until = 30h});
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 200U);
  EXPECT_TRUE(world.notices().empty());
}

TEST(EndpointPolicy, SendsNoMoreThanCanBeWrittenDown) {
  WorldOptions options{.events = 10'000, .recipients = 100, .store_away_until = 1h};
  options.endpoint.unsaved_max = 300;
  EndpointWorld world(options);
  world.pass(30min);
  EXPECT_LE(world.accepted(), 300 + options.endpoint.window_events_max);
  world.run();
  EXPECT_EQ(world.faults(), "");
  EXPECT_EQ(world.accepted(), 10'000U);
}

TEST(EndpointPolicy, WhatIsNoLongerKeptIsLeftOut) {
  EndpointWorld world({.events = 100, .recipients = 10, .refused = {3}, .forgotten_at = 10h});
  world.run();
  EXPECT_EQ(world.accepted(), 90U);  // without those that waited behind the third
  EXPECT_TRUE(world.set_aside().empty());
  EXPECT_EQ(world.policy().parked_events(), 0U);
}

// What hangs holds one call, and what answers gets one more for each answer.
TEST(EndpointPolicy, CallsOnceUntilACallWasAccepted) {
  SeededRandom random(1);
  EndpointOptions options;
  options.batch_events_max = 1;
  EndpointPolicy policy(options, {}, random);
  const Instant now = from_epoch_ms(1'767'225'600'000);
  policy.on_page(events_of(20), "20", now);
  auto calls = policy.next(now).calls;
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_TRUE(policy.next(now + 10s).calls.empty());
  policy.on_answer(calls[0].number, {.how = CallAnswer::How::accepted}, now + 10s);
  calls = policy.next(now + 10s).calls;
  EXPECT_EQ(calls.size(), 2U);
  policy.on_answer(calls[0].number, {.how = CallAnswer::How::accepted}, now + 11s);
  EXPECT_EQ(policy.next(now + 11s).calls.size(), 2U);
  EXPECT_EQ(policy.calls_in_flight(), 3U);
  policy.on_answer(calls[1].number, {.how = CallAnswer::How::refused}, now + 12s);
  EXPECT_TRUE(policy.next(now + 12s).calls.empty());
}

// ---- whatever happens
// ----------------------------------------------------------------------------

WorldOptions random_world(std::uint64_t seed) {
  SeededRandom random(seed);
  WorldOptions options{.seed = seed,
                       .events = 200 + random.below(2'000),
                       .recipients = 1 + random.below(60),
                       .refused_for = Milliseconds(random.below(48) * 3'600'000),
                       .lost_answers = random.unit() * 0.2,
                       .failures = random.unit() * random.unit(),
                       .crashes = random.unit() * 0.02,
                       .filtered = random.unit() * 0.5};
  for (std::uint64_t count = random.below(20); count > 0; --count) {
    options.refused.insert(random.below(options.events));
  }
  if (random.below(3) == 0) {
    options.away_from = Milliseconds(random.below(60'000));
    options.away_until = options.away_from + Milliseconds(random.below(30) * 3'600'000);
  }
  EndpointOptions& endpoint = options.endpoint;
  endpoint.in_flight_max = 1 + random.below(6);
  endpoint.batch_events_max = 1 + random.below(100);
  endpoint.window_events_max = 20 + random.below(500);
  endpoint.parked_max = 5 + random.below(200);
  endpoint.parked_loaded_max = 1 + random.below(8);
  endpoint.unsaved_max = 10 + random.below(500);
  return options;
}

TEST(EndpointPolicyProperty, NothingIsMissingAndOrderIsKeptThroughCrashes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    EndpointWorld world(random_world(seed));
    world.run();
    ASSERT_EQ(world.faults(), "") << "seed " << seed;
  }
}

// The checks find what they are there for: a store that forgets one half of what is written.
TEST(EndpointPolicyProperty, AStoreThatForgetsIsFoundOut) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldOptions options = random_world(seed);
    options.crashes = 0.05;
    options.store_forgets_parked = true;
    EndpointWorld world(options);
    world.run();
    if (!world.faults().empty()) ++found;
  }
  EXPECT_GT(found, 10U);
}

TEST(EndpointPolicyProperty, AnOrderThatNobodyKeepsIsFoundOut) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldOptions options = random_world(seed);
    options.tells_recipients = false;
    EndpointWorld world(options);
    world.run();
    if (!world.faults().empty()) ++found;
  }
  EXPECT_GT(found, 10U);
}

}  // namespace
}  // namespace todoku::events::webhooks
