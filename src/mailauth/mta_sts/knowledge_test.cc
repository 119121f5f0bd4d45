// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/knowledge.h"

#include <gtest/gtest.h>

namespace todoku::mailauth::mta_sts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = from_epoch_ms(1'767'225'600'000);

Look id_is(std::string id) {
  return {.said = Look::Said::id, .id = std::move(id), .reason = {}, .ttl = seconds(300)};
}
Look no_record() {
  return {.said = Look::Said::no_record, .id = {}, .reason = {}, .ttl = seconds(300)};
}
Look failed() {
  return {.said = Look::Said::failed, .id = {}, .reason = "SERVFAIL"};
}
Policy enforced(seconds max_age = hours(24 * 7)) {
  return {.mode = Mode::enforce, .mx = {"mx.example.jp"}, .max_age = max_age};
}
Fetched nothing() {
  return std::unexpected(FetchFailure{.fault = Fault::policy_fetch_error, .reason = "no answer"});
}

Knowledge holding(const Policy& policy) {
  Knowledge known;
  EXPECT_TRUE(known.looked(id_is("1"), kStart));
  known.fetched("1", policy, kStart);
  return known;
}

TEST(StsKnowledge, OfADomainNeverSeenNothingIsUsable) {
  const Knowledge known;
  EXPECT_FALSE(known.is_usable(kStart));
  EXPECT_TRUE(known.look_is_due(kStart));
  EXPECT_EQ(known.in_force(kStart), nullptr);
}

TEST(StsKnowledge, APolicyThatWasFetchedIsInForceUntilItsAgeIsOver) {
  const Knowledge known = holding(enforced(hours(2)));
  ASSERT_NE(known.in_force(kStart), nullptr);
  EXPECT_NE(known.in_force(kStart + hours(2) - seconds(1)), nullptr);
  EXPECT_EQ(known.in_force(kStart + hours(2)), nullptr);
}

TEST(StsKnowledge, TheSameIdIsNotFetchedAgainTheSameDay) {
  Knowledge known = holding(enforced());
  EXPECT_FALSE(known.look_is_due(kStart + minutes(4)));
  EXPECT_TRUE(known.look_is_due(kStart + minutes(5)));
  EXPECT_FALSE(known.looked(id_is("1"), kStart + minutes(5)));
  EXPECT_FALSE(known.looked(id_is("1"), kStart + hours(23)));
  EXPECT_TRUE(known.looked(id_is("1"), kStart + hours(24)));
}

TEST(StsKnowledge, AShortLivedPolicyIsFetchedBeforeItEnds) {
  Knowledge known = holding(enforced(hours(2)));
  EXPECT_FALSE(known.looked(id_is("1"), kStart + minutes(59)));
  EXPECT_TRUE(known.looked(id_is("1"), kStart + minutes(60)));
}

TEST(StsKnowledge, AnotherIdIsFetchedAtOnce) {
  Knowledge known = holding(enforced());
  EXPECT_TRUE(known.looked(id_is("2"), kStart + minutes(5)));
  known.fetched("2", Policy{.mode = Mode::none, .mx = {}, .max_age = hours(24)},
                kStart + minutes(5));
  // "mode: none" takes the old one's place.
  EXPECT_EQ(known.in_force(kStart + minutes(5)), nullptr);
  EXPECT_TRUE(known.is_usable(kStart + minutes(5)));
}

TEST(StsKnowledge, NeitherTheDnsNorTheWebTakesAValidPolicyAway) {
  Knowledge known = holding(enforced());
  EXPECT_FALSE(known.looked(no_record(), kStart + hours(1)));
  EXPECT_NE(known.in_force(kStart + hours(1)), nullptr);
  EXPECT_FALSE(known.looked(failed(), kStart + hours(2)));
  EXPECT_NE(known.in_force(kStart + hours(2)), nullptr);
  EXPECT_TRUE(known.looked(id_is("2"), kStart + hours(3)));
  known.fetched("2", nothing(), kStart + hours(3));
  ASSERT_NE(known.in_force(kStart + hours(3)), nullptr);
  ASSERT_TRUE(known.failure());
  EXPECT_EQ(known.failure()->fault, Fault::policy_fetch_error);
}

TEST(StsKnowledge, WithoutAPolicyAFailedFetchIsNoMtaStsAndNotTriedForAWhile) {
  Knowledge known;
  EXPECT_TRUE(known.looked(id_is("1"), kStart));
  // The fetch is under way: nothing can be said yet.
  EXPECT_FALSE(known.is_usable(kStart));
  known.fetched("1", nothing(), kStart + seconds(9));
  EXPECT_TRUE(known.is_usable(kStart + seconds(9)));
  EXPECT_EQ(known.in_force(kStart + seconds(9)), nullptr);
  EXPECT_FALSE(known.look_is_due(kStart + minutes(5)));
  EXPECT_TRUE(known.look_is_due(kStart + minutes(5) + seconds(9)));
}

TEST(StsKnowledge, ARecordThatIsGoneEndsTheFailure) {
  Knowledge known;
  EXPECT_TRUE(known.looked(id_is("1"), kStart));
  known.fetched("1", nothing(), kStart);
  EXPECT_FALSE(known.looked(no_record(), kStart + minutes(5)));
  EXPECT_FALSE(known.failure());
}

TEST(StsKnowledge, MailThatFailsHastensTheNextLookWithinBounds) {
  Knowledge known;
  Look look = id_is("1");
  look.ttl = hours(5);
  EXPECT_TRUE(known.looked(look, kStart));
  known.fetched("1", enforced(), kStart);
  EXPECT_FALSE(known.look_is_due(kStart + minutes(59)));
  known.doubt(kStart + minutes(1));
  EXPECT_FALSE(known.look_is_due(kStart + minutes(4)));
  EXPECT_TRUE(known.look_is_due(kStart + minutes(5)));
}

TEST(StsKnowledge, WhatWasStoredHoldsBeforeAnybodyLooks) {
  const Knowledge known(HeldPolicy{.id = "1", .policy = enforced(hours(2)), .fetched = kStart});
  EXPECT_TRUE(known.is_usable(kStart + hours(1)));
  EXPECT_TRUE(known.look_is_due(kStart + hours(1)));
  EXPECT_FALSE(known.is_usable(kStart + hours(3)));
}

}  // namespace
}  // namespace todoku::mailauth::mta_sts
