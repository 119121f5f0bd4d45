// SPDX-License-Identifier: Apache-2.0
#include "relay/known_passwords.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::relay {
namespace {

ScramSecrets secrets_of(std::string_view password, char salt = 's') {
  return ScramSecrets::from_password(password, std::string(16, salt), kScramIterationsMin).value();
}

class KnownPasswordsTest : public testing::Test {
 protected:
  FakeClock clock_;
  KnownPasswords passwords_{clock_};
};

TEST_F(KnownPasswordsTest, KnowsWhatItWasToldForItsTime) {
  const std::vector secrets{secrets_of("right")};
  const auto mark = passwords_.mark_of(secrets, "right");
  EXPECT_FALSE(passwords_.knows(mark));
  passwords_.remember(mark);
  EXPECT_TRUE(passwords_.knows(passwords_.mark_of(secrets, "right")));
  EXPECT_FALSE(passwords_.knows(passwords_.mark_of(secrets, "wrong")));
  clock_.advance(KnownPasswords::kRememberedFor - Milliseconds(1));
  EXPECT_TRUE(passwords_.knows(mark));
  clock_.advance(Milliseconds(1));
  EXPECT_FALSE(passwords_.knows(mark));
}

TEST_F(KnownPasswordsTest, APasswordIsKnownOnlyWhereTheSameSecretsCount) {
  const std::vector before{secrets_of("right"), secrets_of("older")};
  passwords_.remember(passwords_.mark_of(before, "older"), 1);
  EXPECT_EQ(passwords_.knows(passwords_.mark_of(before, "older")), std::size_t{1});
  const std::vector after{secrets_of("right")};
  EXPECT_FALSE(passwords_.knows(passwords_.mark_of(after, "older")));
  const std::vector of_another{secrets_of("older", 't')};
  EXPECT_FALSE(passwords_.knows(passwords_.mark_of(of_another, "older")));
}

TEST_F(KnownPasswordsTest, AnotherProcessHasOtherMarks) {
  const std::vector secrets{secrets_of("right")};
  const KnownPasswords other(clock_);
  EXPECT_NE(passwords_.mark_of(secrets, "right"), other.mark_of(secrets, "right"));
}

TEST_F(KnownPasswordsTest, ForgetsAllWhenToldAndWhenTheyAreTooMany) {
  passwords_.remember("one");
  passwords_.forget();
  EXPECT_FALSE(passwords_.knows("one"));
  for (std::size_t i = 0; i < KnownPasswords::kPasswordsMax; ++i) {
    passwords_.remember(std::to_string(i));
  }
  EXPECT_TRUE(passwords_.knows("0"));
  passwords_.remember("one more");
  EXPECT_FALSE(passwords_.knows("0"));
  EXPECT_TRUE(passwords_.knows("one more"));
}

}  // namespace
}  // namespace todoku::relay
