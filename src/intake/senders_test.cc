// SPDX-License-Identifier: Apache-2.0
#include "intake/senders.h"

#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

using enum Senders::Verdict;

constexpr store::AccountKey kOne{1};
constexpr store::AccountKey kTwo{2};

store::Domain held(store::AccountKey account, std::string_view domain) {
  store::Domain made;
  made.account = account;
  made.domain = domain;
  made.state = store::DomainState::proven;
  return made;
}

TEST(Senders, AreRefusedUntilTheyAreKnown) {
  EXPECT_EQ(Senders().judge(kOne, "example.jp"), refused);
  EXPECT_EQ(Senders(true).judge(kOne, "example.jp"), refused);
}

TEST(Senders, SendFromTheirDomainsAndThoseBelow) {
  Senders senders;
  senders.load({held(kOne, "example.jp"), held(kTwo, "mail.example.jp")}, true);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), proven);
  EXPECT_EQ(senders.judge(kOne, "a.b.example.jp"), proven);
  EXPECT_EQ(senders.judge(kOne, "notexample.jp"), refused);
  EXPECT_EQ(senders.judge(kOne, "jp"), refused);
  EXPECT_EQ(senders.judge(kOne, ""), refused);
  EXPECT_EQ(senders.judge(kOne, "[192.0.2.1]"), refused);
  EXPECT_EQ(senders.judge(kOne, "mail.example.jp"), of_another);
  EXPECT_EQ(senders.judge(kOne, "x.mail.example.jp"), of_another);
  EXPECT_EQ(senders.judge(kTwo, "x.mail.example.jp"), proven);
  EXPECT_EQ(senders.judge(kTwo, "example.jp"), of_another);
  for (const auto verdict : {refused, of_another}) EXPECT_TRUE(Senders::refuses(verdict));
  for (const auto verdict : {proven, unproven}) EXPECT_FALSE(Senders::refuses(verdict));
}

TEST(Senders, MayShareADomain) {
  Senders senders;
  senders.load({held(kOne, "example.jp"), held(kTwo, "example.jp")}, true);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), proven);
  EXPECT_EQ(senders.judge(kTwo, "example.jp"), proven);
}

TEST(Senders, WhatIsNotProvenCountsForNothing) {
  Senders senders;
  store::Domain lapsed = held(kOne, "example.jp");
  lapsed.state = store::DomainState::lapsed;
  senders.load({lapsed}, true);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), refused);
}

TEST(Senders, TheOnlyAccountStartsWithoutProof) {
  Senders senders;
  senders.load({}, false);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), unproven);
  EXPECT_TRUE(senders.starts_unproven(kOne));
  senders.load({held(kOne, "example.jp")}, false);
  EXPECT_FALSE(senders.starts_unproven(kOne));
  EXPECT_EQ(senders.judge(kOne, "example.jp"), proven);
  EXPECT_EQ(senders.judge(kOne, "example.com"), unproven);
  senders.load({held(kOne, "example.jp")}, true);
  EXPECT_EQ(senders.judge(kOne, "example.com"), refused) << "there is somebody to be taken for";
}

TEST(Senders, AccountsForTrialsSendAsAnybody) {
  Senders senders;
  senders.load({held(kOne, "example.jp")}, true, {kTwo});
  EXPECT_EQ(senders.judge(kTwo, "example.jp"), proven) << "it reaches nobody";
  EXPECT_FALSE(senders.starts_unproven(kTwo));
  EXPECT_EQ(senders.judge(kOne, "example.com"), refused);
}

TEST(Senders, AnyIsForOneAccount) {
  Senders senders(true);
  senders.load({}, false);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), proven);
  EXPECT_FALSE(senders.starts_unproven(kOne));
  senders.load({}, true);
  EXPECT_EQ(senders.judge(kOne, "example.jp"), refused);
}

}  // namespace
}  // namespace todoku::intake
