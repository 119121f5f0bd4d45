// SPDX-License-Identifier: Apache-2.0
#include "store/exports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::store {
namespace {

TEST(RecipientExport, IsReadAsItWasWritten) {
  const RecipientExport all{.delivery = 71, .states = {}};
  const auto read = read_recipient_export(written(all));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->delivery, 71);
  EXPECT_THAT(read->states, testing::IsEmpty());
  const RecipientExport some{
      .delivery = 9'007'199'254'740'992,
      .states = {RecipientState::delivered, RecipientState::pending, RecipientState::unknown}};
  const auto read_some = read_recipient_export(written(some));
  ASSERT_TRUE(read_some);
  EXPECT_EQ(read_some->delivery, some.delivery);
  EXPECT_EQ(read_some->states, some.states);
}

TEST(RecipientExport, NothingElseIsRead) {
  for (const char* wrong : {"", " 1", "x", "1 ", "1 sent", "1 delivered ", "1  delivered",
                            "1,delivered", "99999999999999999999"}) {
    EXPECT_FALSE(read_recipient_export(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace todoku::store
