// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/protection.h"

#include <gmock/gmock.h>

namespace todoku::delivery::policy {
namespace {

using enum ProtectionLevel;
using ::testing::Eq;
using ::testing::Optional;

OutcomeCounts bounces(std::int64_t hard, std::int64_t answered) {
  return {.answered = answered, .delivered = answered - hard, .hard = hard};
}
OutcomeCounts complaints(std::int64_t complained, std::int64_t reporting) {
  return {.answered = reporting,
          .delivered = reporting,
          .reporting = reporting,
          .complained = complained};
}

TEST(Protection, WarnsAndPausesAtItsLimits) {
  const ProtectionLimits limits;
  EXPECT_EQ(judge(bounces(49, 1'000), calm, limits).level, calm);
  EXPECT_EQ(judge(bounces(50, 1'000), calm, limits).level, warned);
  EXPECT_EQ(judge(bounces(99, 1'000), warned, limits).level, warned);
  const ProtectionVerdict verdict = judge(bounces(100, 1'000), warned, limits);
  EXPECT_EQ(verdict, (ProtectionVerdict{.level = paused,
                                        .rate = Rate::hard_bounces,
                                        .counted = 100,
                                        .of = 1'000,
                                        .limit = 100'000}));
  EXPECT_EQ(judge(complaints(0, 1'000), calm, limits).level, calm);
  EXPECT_EQ(judge(complaints(1, 1'000), calm, limits).level, warned);
  EXPECT_EQ(judge(complaints(3, 1'000), calm, limits).level, paused);
}

TEST(Protection, SaysNothingOfTooFew) {
  const ProtectionLimits limits;
  EXPECT_EQ(judge(bounces(199, 199), calm, limits).level, calm);
  EXPECT_EQ(judge(bounces(200, 200), calm, limits).level, paused);
  EXPECT_EQ(judge(complaints(50, 999), calm, limits).level, calm);
  EXPECT_EQ(judge({}, calm, limits).level, calm);
}

TEST(Protection, AWarningEndsClearlyBelowItsLimit) {
  const ProtectionLimits limits;
  EXPECT_EQ(judge(bounces(45, 1'000), warned, limits).level, warned);
  EXPECT_EQ(judge(bounces(45, 1'000), calm, limits).level, calm);
  EXPECT_EQ(judge(bounces(39, 1'000), warned, limits).level, calm);
}

TEST(Protection, NobodyButAPersonEndsAPause) {
  EXPECT_EQ(judge(bounces(0, 100'000), paused, {}).level, paused);
}

TEST(Protection, ComplaintsAreMeasuredByReceiversThatSendThem) {
  OutcomeCounts counts = complaints(3, 1'000);
  counts.answered = counts.delivered = 1'000'000;  // the others' receivers tell nobody
  EXPECT_EQ(judge(counts, calm, {}).level, paused);
  counts.reporting = 0;
  EXPECT_EQ(judge(counts, calm, {}).level, calm);
  EXPECT_EQ(rate_of(Rate::complaints, counts), std::nullopt) << "not 0 %";
  EXPECT_THAT(rate_of(Rate::hard_bounces, counts), Optional(Eq(0)));
}

TEST(Protection, ALimitOfZeroNeverDoesAnything) {
  ProtectionLimits limits;
  limits.hard_bounces.pause = 0;
  EXPECT_EQ(judge(bounces(1'000, 1'000), calm, limits).level, warned);
  limits.hard_bounces.warn = 0;
  EXPECT_EQ(judge(bounces(1'000, 1'000), calm, limits).level, calm);
}

TEST(Protection, UnknownUsersStopADelivery) {
  ProtectionLimits limits;
  limits.unknown_users.pause = 30'000;
  limits.hard_bounces = {};
  const OutcomeCounts counts{.answered = 100, .hard = 3, .unknown_users = 3};
  const ProtectionVerdict verdict = judge(counts, calm, limits);
  EXPECT_EQ(verdict.level, paused);
  EXPECT_EQ(verdict.rate, Rate::unknown_users);
}

TEST(Protection, ASentenceSaysHowManyOfHowMany) {
  EXPECT_EQ(sentence_of(judge(bounces(612, 5'000), calm, {})),
            "hard bounces: 612 of 5000 (12.24 %); the limit is 10 %");
  EXPECT_THAT(sentence_of(judge(bounces(231, 2'049), calm, {})), testing::HasSubstr("(11.27 %)"));
  EXPECT_EQ(sentence_of(judge(complaints(1, 1'000), calm, {})),
            "complaints: 1 of 1000 (0.1 %); the limit is 0.1 %");
}

TEST(Protection, AnAccountMayHaveLimitsOfItsOwn) {
  const ProtectionOverrides overrides{.complaints_pause = 5'000, .bounces_minimum = 50};
  const ProtectionLimits limits = with({}, overrides);
  EXPECT_EQ(limits.complaints.pause, 5'000);
  EXPECT_EQ(limits.complaints.warn, 1'000) << "as the installation";
  EXPECT_EQ(limits.hard_bounces.minimum, 50);
  EXPECT_EQ(pack(overrides), "- 5000 - - - 50 - -");
  EXPECT_EQ(unpack_overrides(pack(overrides)), overrides);
  EXPECT_EQ(pack({}), "");
  EXPECT_EQ(unpack_overrides(""), ProtectionOverrides{});
  for (const std::string_view broken :
       {"1", "- - - - - - -", "- - - - - x - -", "- - - - - - - -1"}) {
    EXPECT_FALSE(unpack_overrides(broken)) << broken;
  }
}

TEST(Protection, ACanaryIsPausedByWhatElseIsAWarning) {
  EXPECT_EQ(canary_of({}), std::nullopt);
  EXPECT_EQ(canary_of({.canary_recipients = 0, .canary_minutes = 5}), std::nullopt);
  EXPECT_EQ(canary_of({.canary_recipients = 200}),
            (Canary{.recipients = 200, .lasts = std::chrono::minutes(30)}));
  const ProtectionLimits limits = in_canary({});
  EXPECT_EQ(judge(bounces(0, 19), calm, limits).level, calm);
  EXPECT_EQ(judge(bounces(5, 100), calm, limits).level, paused) << "5 %";
  EXPECT_EQ(judge(complaints(1, 200), calm, limits).level, paused);
  const OutcomeCounts refused{.answered = 30, .delivered = 27};
  EXPECT_EQ(judge(refused, calm, {}).level, calm) << "a filter's refusals are no hard bounces";
  const ProtectionVerdict verdict = judge(refused, calm, limits);
  EXPECT_EQ(verdict.level, paused);
  EXPECT_EQ(verdict.rate, Rate::refusals);
}

}  // namespace
}  // namespace todoku::delivery::policy
