// SPDX-License-Identifier: Apache-2.0
#include "mailauth/suffixes/public_suffix.h"

#include <gtest/gtest.h>

namespace todoku::mailauth {
namespace {

TEST(PublicSuffix, OthersDomainsAreBelowIt) {
  EXPECT_TRUE(is_public_suffix("jp"));
  EXPECT_TRUE(is_public_suffix("co.jp"));
  EXPECT_FALSE(is_public_suffix("example.jp"));
  EXPECT_FALSE(is_public_suffix("example.co.jp"));
}

TEST(PublicSuffix, WhatWasRegisteredIsOneLabelMore) {
  EXPECT_EQ(registered_domain("a.mail.example.co.jp"), "example.co.jp");
  EXPECT_EQ(registered_domain("mail.example.jp"), "example.jp");
  EXPECT_EQ(registered_domain("example.jp"), "example.jp");
  // Rules with "*" and "!": kawasaki.jp has wards below it, and the city itself.
  EXPECT_EQ(registered_domain("a.b.example.kawasaki.jp"), "b.example.kawasaki.jp");
  EXPECT_EQ(registered_domain("www.city.kawasaki.jp"), "city.kawasaki.jp");
}

TEST(PublicSuffix, ASuffixIsItsOwn) {
  EXPECT_EQ(registered_domain("co.jp"), "co.jp");
  EXPECT_EQ(registered_domain("localhost"), "localhost");
}

}  // namespace
}  // namespace todoku::mailauth
