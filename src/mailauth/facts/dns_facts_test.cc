// SPDX-License-Identifier: Apache-2.0
#include "mailauth/facts/dns_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DnsFacts, WhatIsNotKnownIsWantedOnce) {
  DnsFacts facts;
  EXPECT_FALSE(facts.ask(FactType::txt, "Example.JP.").is_known());
  EXPECT_FALSE(facts.ask(FactType::txt, "example.jp").is_known());
  EXPECT_FALSE(facts.ask(FactType::mx, "example.jp").is_known());
  EXPECT_THAT(facts.take_wanted(), ElementsAre(DnsQuestion{FactType::txt, "example.jp"},
                                               DnsQuestion{FactType::mx, "example.jp"}));
  EXPECT_THAT(facts.take_wanted(), IsEmpty());
}

TEST(DnsFacts, WhatWasLearntIsNotWanted) {
  DnsFacts facts;
  facts.learn({FactType::txt, "example.jp"},
              {.status = DnsFact::Status::found, .values = {"v=spf1 -all"}, .reason = ""});
  EXPECT_THAT(facts.ask(FactType::txt, "EXAMPLE.jp").values, ElementsAre("v=spf1 -all"));
  EXPECT_THAT(facts.take_wanted(), IsEmpty());
}

TEST(DnsFacts, OnlyAnswersAreVoid) {
  EXPECT_TRUE((DnsFact{.status = DnsFact::Status::absent, .values = {}, .reason = ""}.is_void()));
  EXPECT_TRUE((DnsFact{.status = DnsFact::Status::empty, .values = {}, .reason = ""}.is_void()));
  EXPECT_FALSE((DnsFact{.status = DnsFact::Status::failed, .values = {}, .reason = ""}.is_void()));
  EXPECT_FALSE(DnsFact().is_void());
}

TEST(DnsFacts, AnAddressIsNamedBackwards) {
  EXPECT_EQ(reverse_name(std::string("\xC0\x00\x02\x04", 4)), "4.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x1f"),
            "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

}  // namespace
}  // namespace todoku::mailauth
