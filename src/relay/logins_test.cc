// SPDX-License-Identifier: Apache-2.0
#include "relay/logins.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::relay {
namespace {

using std::chrono::hours;

ScramSecrets made_of(std::string_view password) {
  return ScramSecrets::from_password(password, std::string(16, 's'), kScramIterationsMin).value();
}

TEST(Logins, ASessionGoesOnWhileThePasswordThatOpenedItCounts) {
  const Instant now = Instant{} + hours(1000);
  const Sha256 old_key = made_of("old").stored_key;
  Login login;
  login.credential.secret = made_of("old").to_string();
  EXPECT_TRUE(still_opens(login, old_key, now));

  login.credential.previous_secret = login.credential.secret;
  login.credential.secret = made_of("new").to_string();
  login.credential.previous_until = now + hours(24);
  EXPECT_TRUE(still_opens(login, old_key, now)) << "they overlap";
  EXPECT_TRUE(still_opens(login, made_of("new").stored_key, now));
  EXPECT_EQ(secrets_at(login, now).size(), 2U);
  EXPECT_FALSE(still_opens(login, old_key, now + hours(24))) << "the overlap ends";

  login.credential.previous_until = now;
  EXPECT_FALSE(still_opens(login, old_key, now)) << "there is none";
  EXPECT_TRUE(still_opens(login, made_of("new").stored_key, now));
  login.credential.previous_until.reset();
  EXPECT_FALSE(still_opens(login, old_key, now));
  EXPECT_FALSE(still_opens(login, made_of("third").stored_key, now));
}

}  // namespace
}  // namespace todoku::relay
