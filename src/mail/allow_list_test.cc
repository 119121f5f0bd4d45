// SPDX-License-Identifier: Apache-2.0
#include "mail/allow_list.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku {
namespace {

using ::testing::HasSubstr;

TEST(AllowList, AnEmptyOneLetsEverybodyPass) {
  EXPECT_EQ(read_allow_list(" \n,").value(), "");
  EXPECT_TRUE(allows("", "ken@example.jp"));
}

TEST(AllowList, HasAddressesDomainsAndWhatIsBelowThem) {
  const std::string list =
      read_allow_list("Ken@Example.jp, example.com\n*.test.example.net").value();
  EXPECT_EQ(list, "ken@example.jp\nexample.com\n*.test.example.net");
  for (const char* address : {"ken@example.jp", "KEN@example.jp", "a@example.com",
                              "a@x.test.example.net", "a@y.x.test.example.net"}) {
    EXPECT_TRUE(allows(list, address)) << address;
  }
  for (const char* address :
       {"jo@example.jp", "a@sub.example.com", "a@notexample.com", "a@test.example.net",
        "a@xtest.example.net", "ken@example.jp.example.org", "example.com@example.org"}) {
    EXPECT_FALSE(allows(list, address)) << address;
  }
}

TEST(AllowList, DomainsMeetInALabels) {
  const std::string list = read_allow_list("日本語.example.jp").value();
  EXPECT_EQ(list, "xn--wgv71a119e.example.jp");
  EXPECT_TRUE(allows(list, "a@xn--wgv71a119e.example.jp"));
}

TEST(AllowList, AnEntryIsKeptOnce) {
  EXPECT_EQ(read_allow_list("example.jp EXAMPLE.jp").value(), "example.jp");
}

TEST(AllowList, WhatIsNoEntryIsNamed) {
  for (const char* wrong : {"ken@", "@example.jp", "exa mple..jp", "*", "*.", "http://x"}) {
    EXPECT_FALSE(read_allow_list(wrong)) << wrong;
  }
  EXPECT_THAT(read_allow_list("example.jp, ken@").error().detail, HasSubstr("ken@"));
}

TEST(AllowList, HasABound) {
  std::string text;
  for (std::size_t i = 0; i < kAllowListEntriesMax; ++i) {
    text += "d" + std::to_string(i) + ".example.jp ";
  }
  EXPECT_TRUE(read_allow_list(text));
  EXPECT_THAT(read_allow_list(text + "one.more.example").error().detail, HasSubstr("100"));
}

}  // namespace
}  // namespace todoku
