// SPDX-License-Identifier: Apache-2.0
#include "mail/attached.h"

#include <gtest/gtest.h>

namespace todoku {
namespace {

const std::vector<InsertCode> kCodes = {{"__name__", "山田"}, {"%%point%%", "12"}};

TEST(Attached, ComesBackAsItWasGiven) {
  const Attached given{.reference = "order 4711/ä",
                       .metadata = {{"customer", "42"}, {"空", ""}, {"a", std::string(300, 'x')}},
                       .message_id = "1@example.com"};
  std::vector<InsertCode> codes = kCodes;
  attach(given, codes);
  EXPECT_EQ(codes.size(), kCodes.size() + 3);
  for (const InsertCode& code : codes) EXPECT_FALSE(code.value.contains('\0')) << code.key;
  EXPECT_EQ(detach(codes), given);
  EXPECT_EQ(codes, kCodes) << "insert codes are left as they were";
}

TEST(Attached, CostsNothingWhereThereIsNone) {
  std::vector<InsertCode> codes = kCodes;
  attach({}, codes);
  EXPECT_EQ(codes, kCodes);
  EXPECT_TRUE(detach(codes).empty());
}

TEST(Attached, DamagedMembersAreNone) {
  for (const std::string_view damaged :
       {"5:a", "1:a", "1:a1", "a", ":", "1:a99999999999999999999:b", "-1:a1:b", "1:a1:b1"}) {
    Attached attached;
    take_attached("metadata=", damaged, attached);
    EXPECT_TRUE(attached.empty());
  }
}

}  // namespace
}  // namespace todoku
