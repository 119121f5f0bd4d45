// SPDX-License-Identifier: Apache-2.0
#include "intake/address_set.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

std::string numbered(int number) {
  return "recipient." + std::to_string(number) + "@example.jp";
}

TEST(AddressSet, KnowsWhatItHasHadWhateverItsCase) {
  AddressSet set({1, 2}, 100);
  EXPECT_TRUE(set.insert("Yamada@example.jp"));
  EXPECT_FALSE(set.insert("yamada@EXAMPLE.jp"));
  EXPECT_TRUE(set.insert("yamada@example.com"));
  EXPECT_EQ(set.size(), 2U);
}

TEST(AddressSet, GrowsWithoutForgetting) {
  AddressSet set(AddressSet::random_key(), 1'000'000);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(set.insert(numbered(i))) << i;
  for (int i = 0; i < 100'000; ++i) ASSERT_FALSE(set.insert(numbered(i))) << i;
}

TEST(AddressSet, RemembersTheFirstOnesOnceItIsFull) {
  AddressSet set({1, 2}, 3);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(set.insert(numbered(i)));
  EXPECT_TRUE(set.full());
  EXPECT_EQ(set.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(set.insert(numbered(i)));
  EXPECT_TRUE(set.insert(numbered(9)));
  AddressSet none({1, 2}, 0);
  EXPECT_TRUE(none.insert("a@example.jp"));
  EXPECT_TRUE(none.insert("a@example.jp"));
}

}  // namespace
}  // namespace todoku::intake
