// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/refused_login.h"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace todoku::delivery::egress {
namespace {

using std::chrono::seconds;

RefusedLogin::Login login(std::string user, std::string password) {
  return std::make_shared<const ClientLogin>(
      ClientLogin{.user = std::move(user), .password = SecretText(std::move(password))});
}

TEST(RefusedLogin, IsBarredForItsTimeAndAnotherIsNot) {
  RefusedLogin refused;
  const SteadyInstant now(seconds(100));
  EXPECT_FALSE(refused.bars(login("shop", "wrong"), now));
  EXPECT_FALSE(refused.bars(nullptr, now)) << "none was refused yet";
  refused.refused(login("shop", "wrong"), now + seconds(600));
  EXPECT_TRUE(refused.bars(login("shop", "wrong"), now)) << "read anew, and the same";
  EXPECT_FALSE(refused.bars(login("shop", "right"), now));
  EXPECT_FALSE(refused.bars(login("other", "wrong"), now));
  EXPECT_FALSE(refused.bars(nullptr, now));
  EXPECT_TRUE(refused.holds(now + seconds(599)));
  EXPECT_FALSE(refused.bars(login("shop", "wrong"), now + seconds(600)));
  EXPECT_FALSE(refused.holds(now + seconds(600)));
}

TEST(RefusedLogin, ThatThereWasNoneBarsNoneAlone) {
  RefusedLogin refused;
  const SteadyInstant now(seconds(100));
  refused.refused(nullptr, now + seconds(600));
  EXPECT_TRUE(refused.bars(nullptr, now));
  EXPECT_FALSE(refused.bars(login("shop", "right"), now));
  refused.forget();
  EXPECT_FALSE(refused.bars(nullptr, now));
}

}  // namespace
}  // namespace todoku::delivery::egress
