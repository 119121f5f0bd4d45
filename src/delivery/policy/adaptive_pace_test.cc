// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/adaptive_pace.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::delivery::policy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A receiver that takes so many messages a second and says "too much" of the others.
struct Receiver {
  double rate = 0;  // 0: any
  Microseconds latency = milliseconds(50);
  double tokens = 1;
  SteadyInstant at{};

  bool takes(SteadyInstant now) {
    if (rate <= 0) return true;
    tokens =
        std::min(1 + rate / 10, tokens + rate * std::chrono::duration<double>(now - at).count());
    at = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }
};

// A lane with as much mail as it may send.
class PaceRun {
 public:
  PaceRun(AdaptivePace& pace, Receiver receiver) : pace_(pace), receiver_(receiver) {}

  void run(Microseconds time) {
    for (const SteadyInstant end = now_ + time; now_ < end; now_ += milliseconds(1)) step();
  }
  void step() {
    while (!under_way_.empty() && under_way_.front().answered_at <= now_) {
      const Message message = under_way_.front();
      under_way_.pop_front();
      --busy_;
      ++(message.taken ? good : refused);
      rests += pace_.answered({.reply = message.taken ? PaceReply::good : PaceReply::too_fast,
                               .latency = now_ - message.began},
                              now_)
                   ? 1
                   : 0;
    }
    while (busy_ < pace_.connections_allowed(now_) && pace_.take(1, now_) == 1) {
      ++busy_;
      under_way_.push_back({now_, now_ + receiver_.latency, receiver_.takes(now_)});
    }
  }
  [[nodiscard]] SteadyInstant now() const { return now_; }
  void set(Receiver receiver) { receiver_ = receiver; }

  int good = 0;
  int refused = 0;
  int rests = 0;

 private:
  struct Message {
    SteadyInstant began;
    SteadyInstant answered_at;
    bool taken;
  };

  AdaptivePace& pace_;
  Receiver receiver_;
  std::deque<Message> under_way_;
  std::uint32_t busy_ = 0;
  SteadyInstant now_{seconds(1'000)};
};

TEST(AdaptivePace, BeginsWithFewConnectionsAndALowPace) {
  const AdaptivePace pace({.connections_max = 20});
  EXPECT_EQ(pace.connections_allowed({}), 1U);
  EXPECT_DOUBLE_EQ(pace.messages_per_second({}), 5);
  EXPECT_EQ(pace.why({}).reason, PaceReason::starting);
}

TEST(AdaptivePace, ARuleThatAllowsLittleIsTheReasonFromTheStart) {
  const AdaptivePace pace({.messages_per_second = 2});
  EXPECT_DOUBLE_EQ(pace.messages_per_second({}), 2);
  EXPECT_EQ(pace.why({}).reason, PaceReason::at_ceiling);
}

TEST(AdaptivePace, TheFirstMessageOfAColdLaneGoesAtOnce) {
  AdaptivePace pace({});
  EXPECT_EQ(pace.take(1, SteadyInstant(seconds(5))), 1U);
}

TEST(AdaptivePace, AReceiverThatAnswersAtOnceHasFullSpeedWithinASecond) {
  AdaptivePace pace({.connections_max = 20});
  SteadyInstant now{seconds(10)};
  for (int ms = 0; ms < 1'000; ++ms, now += milliseconds(1)) {
    const std::uint32_t count = pace.take(100, now);
    pace.answered({.count = count, .latency = Microseconds(200)}, now);
  }
  EXPECT_GT(pace.messages_per_second(now), 10'000);
  EXPECT_EQ(pace.connections_allowed(now), 20U);
  EXPECT_EQ(pace.why(now).reason, PaceReason::growing);
}

TEST(AdaptivePace, APaceThatIsNotUsedDoesNotGrow) {
  AdaptivePace pace({});
  SteadyInstant now{seconds(10)};
  for (int i = 0; i < 10'000; ++i, now += milliseconds(250)) {
    ASSERT_EQ(pace.take(1, now), 1U);
    pace.answered({.latency = milliseconds(20)}, now);
  }
  EXPECT_LE(pace.messages_per_second(now), 15) << "four a second were shown";
}

TEST(AdaptivePace, FindsAHiddenLimitAndStaysNearItWithFewRefusals) {
  for (const double limit : {5.0, 40.0, 300.0}) {
    SCOPED_TRACE(limit);
    AdaptivePace pace({.connections_max = 40});
    PaceRun run(pace, {.rate = limit});
    run.run(std::chrono::minutes(5));
    EXPECT_GT(pace.why(run.now()).limit, 0);
    run.good = run.refused = 0;
    run.run(std::chrono::minutes(20));
    EXPECT_GE(run.good, limit * 20 * 60 * 0.85);
    EXPECT_LE(run.refused, 0.005 * run.good + 5);
  }
}

TEST(AdaptivePace, FollowsALimitThatFallsAndOneThatRises) {
  AdaptivePace pace({.connections_max = 40});
  PaceRun run(pace, {.rate = 100});
  run.run(std::chrono::minutes(5));
  run.set({.rate = 20});
  run.run(std::chrono::minutes(3));
  EXPECT_LT(pace.messages_per_second(run.now()), 25);
  run.set({.rate = 100});
  run.run(std::chrono::minutes(10));
  EXPECT_GT(pace.messages_per_second(run.now()), 60);
}

TEST(AdaptivePace, TooMuchShrinksOnceForAllThatWasUnderWay) {
  AdaptivePace pace({.connections_max = 40});
  SteadyInstant now{seconds(10)};
  const PaceAnswer refused{.reply = PaceReply::too_fast, .latency = milliseconds(100)};
  EXPECT_FALSE(pace.answered(refused, now));
  EXPECT_DOUBLE_EQ(pace.messages_per_second(now), 1.75);
  EXPECT_FALSE(pace.answered(refused, now + milliseconds(50)));
  EXPECT_DOUBLE_EQ(pace.messages_per_second(now), 1.75);
  EXPECT_EQ(pace.why(now).reason, PaceReason::too_fast);
}

TEST(AdaptivePace, AReceiverThatTakesNothingAnyMoreIsLeftAlone) {
  AdaptivePace pace({});
  SteadyInstant now{seconds(10)};
  std::vector<bool> rests;
  for (int i = 0; i < 4; ++i, now += seconds(1)) {
    rests.push_back(pace.answered({.reply = PaceReply::too_fast, .latency = milliseconds(5)}, now));
  }
  EXPECT_EQ(rests, (std::vector<bool>{false, false, true, true}));
  EXPECT_DOUBLE_EQ(pace.why(now).limit, 5) << "a longer count of the receiver's is no lower pace";
  pace.answered({.latency = milliseconds(5)}, now);
  EXPECT_FALSE(pace.answered({.reply = PaceReply::too_fast, .latency = milliseconds(5)}, now));
}

TEST(AdaptivePace, AnswersThatComeEverLaterSlowItDownOnce) {
  AdaptivePace pace({.connections_max = 40});
  PaceRun run(pace, {.latency = milliseconds(100)});
  run.run(seconds(10));
  const double fast = pace.messages_per_second(run.now());
  run.set({.latency = seconds(3)});
  run.run(seconds(20));
  EXPECT_LT(pace.messages_per_second(run.now()), fast);
  EXPECT_EQ(pace.why(run.now()).reason, PaceReason::answers_late);
  const double slow = pace.messages_per_second(run.now());
  run.run(seconds(60));
  EXPECT_GE(pace.messages_per_second(run.now()), slow) << "that is how the receiver is now";
}

TEST(AdaptivePace, ConnectionsThatWereTooManyComeBackOneByOne) {
  AdaptivePace pace({.connections_max = 20});
  PaceRun run(pace, {});
  run.run(seconds(5));
  ASSERT_EQ(pace.connections_allowed(run.now()), 20U);
  pace.answered({.reply = PaceReply::too_many}, run.now());
  EXPECT_EQ(pace.connections_allowed(run.now()), 14U);
  EXPECT_EQ(pace.why(run.now()).reason, PaceReason::too_many);
  run.run(seconds(50));
  EXPECT_EQ(pace.connections_allowed(run.now()), 14U);
  run.run(seconds(75));
  EXPECT_EQ(pace.connections_allowed(run.now()), 16U);
}

TEST(AdaptivePace, AReceiverThatSaysNothingHoldsUpNeitherUrgentMailNorAllElse) {
  AdaptivePace pace({.connections_max = 4}, {.connections_start = 1});
  SteadyInstant now{seconds(100)};
  EXPECT_EQ(pace.connections_for_urgent(now), 4U);
  EXPECT_EQ(pace.connections_allowed(now), 1U);
  for (int i = 0; i < 5; ++i) pace.nothing_heard(now);
  EXPECT_EQ(pace.connections_allowed(now), 4U);
  AdaptivePace heard({.connections_max = 4});
  heard.answered({.reply = PaceReply::too_many, .connections = 1}, now);
  heard.nothing_heard(now + seconds(60));
  EXPECT_EQ(heard.connections_allowed(now), 1U);
  EXPECT_EQ(heard.connections_for_urgent(now), 1U) << "it has said how many are too many";
}

TEST(AdaptivePace, ItHasAsManyConnectionsAsWereTakenAndTriesAnotherEverMoreSeldom) {
  AdaptivePace pace({.connections_max = 20});
  PaceRun run(pace, {});
  run.run(seconds(5));
  const auto refuse = [&] {
    pace.answered({.reply = PaceReply::too_many, .connections = 3}, run.now());
  };
  refuse();
  EXPECT_EQ(pace.connections_allowed(run.now()), 3U);
  run.run(seconds(65));
  EXPECT_EQ(pace.connections_allowed(run.now()), 4U) << "after a minute";
  refuse();
  run.run(seconds(65));
  EXPECT_EQ(pace.connections_allowed(run.now()), 3U);
  run.run(seconds(60));
  EXPECT_EQ(pace.connections_allowed(run.now()), 4U) << "after two";
}

TEST(AdaptivePace, ASuspensionIsKeptAndThenOneMessageProbes) {
  AdaptivePace pace({});
  const SteadyInstant now{seconds(100)};
  pace.suspend(now + seconds(60));
  pace.suspend(now + seconds(30));
  EXPECT_EQ(pace.connections_allowed(now), 0U);
  EXPECT_EQ(pace.take(5, now + seconds(59)), 0U);
  EXPECT_EQ(pace.next_permit_at(), now + seconds(60));
  EXPECT_EQ(pace.why(now).reason, PaceReason::suspended);
  pace.answered({.latency = milliseconds(5)}, now + seconds(1));
  const SteadyInstant later = now + seconds(60);
  EXPECT_EQ(pace.connections_allowed(later), 1U);
  EXPECT_EQ(pace.why(later).reason, PaceReason::probing) << "an answer of before proves nothing";
  EXPECT_EQ(pace.take(5, later), 1U);
  pace.answered({.latency = milliseconds(5)}, later);
  EXPECT_FALSE(pace.probing());
}

TEST(AdaptivePace, SlowsDownForATimeAndGoesOnAtOnceAfterIt) {
  AdaptivePace pace({});
  SteadyInstant now{seconds(100)};
  pace.slow_to(0.01, now + seconds(60), now);
  EXPECT_EQ(pace.take(5, now), 1U);
  EXPECT_EQ(pace.take(5, now + seconds(59)), 0U);
  EXPECT_EQ(pace.why(now).reason, PaceReason::slowed);
  EXPECT_EQ(pace.next_permit_at(), now + seconds(60));
  EXPECT_EQ(pace.take(1, now + seconds(60)), 1U);
  EXPECT_DOUBLE_EQ(pace.messages_per_second(now + seconds(60)), 5);
}

TEST(AdaptivePace, WhatDoesNotAdaptGoesByItsRule) {
  AdaptivePace pace({.connections_max = 20, .messages_per_second = 1'000}, {.adaptive = false});
  const SteadyInstant now{seconds(100)};
  EXPECT_EQ(pace.connections_allowed(now), 20U);
  EXPECT_EQ(pace.take(100, now), 10U);
  EXPECT_TRUE(pace.answered({.reply = PaceReply::too_fast}, now)) << "it rests at once";
  EXPECT_DOUBLE_EQ(pace.messages_per_second(now), 1'000);
  EXPECT_EQ(pace.why(now).reason, PaceReason::fixed);
  EXPECT_DOUBLE_EQ(pace.remembered(now).pace, 0) << "nothing was learnt";
  AdaptivePace unlimited({}, {.adaptive = false});
  EXPECT_EQ(unlimited.take(1'000, now), 1'000U);
}

TEST(AdaptivePace, WhatIsRememberedCountsLessWithTime) {
  AdaptivePace pace({.connections_max = 40});
  PaceRun run(pace, {.rate = 1'000, .latency = milliseconds(10)});
  run.run(std::chrono::minutes(2));
  const RememberedPace remembered = pace.remembered(run.now());
  ASSERT_GT(remembered.pace, 500);
  const auto restored = [&](Microseconds age) {
    AdaptivePace next({.connections_max = 40});
    next.restore(remembered, age, SteadyInstant(seconds(5)));
    return next.messages_per_second(SteadyInstant(seconds(5)));
  };
  EXPECT_NEAR(restored(seconds(0)), remembered.pace, 1);
  EXPECT_LT(restored(hours(6)), restored(hours(1)));
  EXPECT_NEAR(restored(hours(6)), std::sqrt(5 * remembered.pace), 1);
  EXPECT_NEAR(restored(hours(24 * 8)), 5, 0.1);
}

TEST(AdaptivePace, ASuspensionIsRememberedAndRunsOut) {
  AdaptivePace pace({});
  const SteadyInstant now{seconds(100)};
  pace.suspend(now + hours(2));
  const RememberedPace remembered = pace.remembered(now);
  AdaptivePace next({});
  next.restore(remembered, hours(1), now);
  EXPECT_TRUE(next.suspended(now + seconds(3'599)));
  EXPECT_FALSE(next.suspended(now + seconds(3'600)));
  AdaptivePace late({});
  late.restore(remembered, hours(3), now);
  EXPECT_FALSE(late.suspended(now));
}

TEST(AdaptivePace, ASlowDownIsRememberedAndRunsOut) {
  for (const bool adaptive : {true, false}) {
    AdaptivePace pace({}, {.adaptive = adaptive});
    const SteadyInstant now{seconds(100)};
    pace.slow_to(0.5, now + hours(2), now);
    const RememberedPace remembered = pace.remembered(now);
    EXPECT_DOUBLE_EQ(remembered.slowed_to, 0.5);
    AdaptivePace next({}, {.adaptive = adaptive});
    next.restore(remembered, hours(1), now);
    EXPECT_DOUBLE_EQ(next.messages_per_second(now + seconds(3'599)), 0.5);
    EXPECT_FALSE(next.slowed(now + seconds(3'600)));
    AdaptivePace late({}, {.adaptive = adaptive});
    late.restore(remembered, hours(3), now);
    EXPECT_FALSE(late.slowed(now));
  }
}

TEST(AdaptivePace, ReasonsAreToldApartByNumberAndName) {
  for (int number = 0; number <= 12; ++number) {
    const auto reason = pace_reason(number);
    ASSERT_TRUE(reason);
    EXPECT_EQ(static_cast<int>(*reason), number);
    EXPECT_FALSE(to_string(*reason).empty());
  }
  EXPECT_FALSE(pace_reason(13));
  EXPECT_FALSE(pace_reason(-1));
}

// Whatever is said to it and in which order: no more connections than the rule's, and in no stretch
// of time more permits than the rule's pace gives.
TEST(AdaptivePace, NeverExceedsTheRuleInAnyInterleaving) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const PaceCeilings rule{.connections_max = 1 + static_cast<std::uint32_t>(random.below(30)),
                            .messages_per_second = 0.5 + random.unit() * 500};
    AdaptivePace pace(rule, {.adaptive = random.below(8) != 0});
    SteadyInstant now{seconds(1'000)};
    if (random.below(2) == 0) {
      pace.restore({.pace = random.unit() * 1e5,
                    .connections = random.unit() * 1e5,
                    .limit = random.unit() * 1e5},
                   seconds(random.below(100'000)), now);
    }
    std::vector<SteadyInstant> taken;  // and not given back
    for (int step = 0; step < 3'000; ++step, now += Microseconds(random.below(20'000))) {
      ASSERT_LE(pace.connections_allowed(now), rule.connections_max);
      ASSERT_LE(pace.messages_per_second(now), rule.messages_per_second);
      switch (random.below(12)) {
        case 0:
          pace.answered({.reply = PaceReply::too_fast, .latency = milliseconds(random.below(500))},
                        now);
          break;
        case 1:
          pace.answered({.reply = PaceReply::too_many}, now);
          break;
        case 2:
          if (random.below(40) == 0) pace.suspend(now + milliseconds(random.below(5'000)));
          break;
        case 3:
          if (random.below(40) == 0) {
            pace.slow_to(0.1 + random.unit() * 1'000, now + milliseconds(random.below(5'000)), now);
          }
          break;
        case 4:
          if (!taken.empty()) {
            // Whole takes or the last of one; of old ones nothing comes back, which is safe.
            const auto when =
                taken[taken.size() - 1 - random.below(std::min<std::uint64_t>(taken.size(), 30))];
            const bool was_last = when == taken.back();
            const auto count = static_cast<std::uint32_t>(
                1 + random.below(static_cast<std::uint64_t>(std::ranges::count(taken, when))));
            pace.give_back(count, when);
            if (was_last) taken.resize(taken.size() - count);
          }
          break;
        case 5:
          if (random.below(40) == 0) pace.probe();
          break;
        default:
          pace.answered({.count = static_cast<std::uint32_t>(random.below(40)),
                         .latency = Microseconds(random.below(3'000'000))},
                        now);
          taken.insert(taken.end(), pace.take(static_cast<std::uint32_t>(random.below(40)), now),
                       now);
      }
    }
    for (std::size_t first = 0; first < taken.size(); ++first) {
      for (std::size_t last = first; last < std::min(taken.size(), first + 200); ++last) {
        constexpr double kBurst = 0.010;
        const double time = std::chrono::duration<double>(taken[last] - taken[first]).count();
        // Both ends count.
        ASSERT_LE(static_cast<double>(last - first + 1),
                  rule.messages_per_second * (time + kBurst) + 1 + 1e-6)
            << first << " to " << last;
      }
    }
  }
}

}  // namespace
}  // namespace todoku::delivery::policy
