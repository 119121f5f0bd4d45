// SPDX-License-Identifier: Apache-2.0
#include "access/passwords.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <sodium.h>

#include "access/common_passwords.h"
#include "async/runtime.h"

namespace todoku::access {
namespace {

constexpr Passwords::Options kQuick{.passes = 1, .memory_octets = 8192};

TEST(PasswordFault, IsOfWhatIsShortLongOrGuessedFirst) {
  const auto is_good = [](std::string_view password) {
    return !password_fault(password, "taro.yamada@example.jp");
  };
  EXPECT_TRUE(is_good("twelve-octet"));
  EXPECT_FALSE(is_good("eleven-octe"));
  EXPECT_TRUE(is_good("四文字だ")) << "octets are counted";
  std::string longest;
  while (longest.size() < 1'024) longest += "long";
  EXPECT_TRUE(is_good(longest));
  EXPECT_FALSE(is_good(longest + "x"));
  EXPECT_FALSE(is_good("invalid \xff utf-8"));
  EXPECT_FALSE(is_good("Taro.Yamada@example.jp"));
  EXPECT_FALSE(password_fault("a-long-local-part", "a-long-local-part@example.jp") == std::nullopt);
  EXPECT_FALSE(is_good("Password1234"));
  EXPECT_FALSE(is_good("qwertyuiop123"));
  EXPECT_FALSE(is_good("zzzzzzzzzzzzzzzzzzzz"));
  EXPECT_FALSE(is_good("xyxyxyxyxyxyxyxy"));
}

TEST(PasswordFault, TheCommonOnesAreAsTheyAreLookedUp) {
  for (const std::string_view each : kCommonPasswords) {
    EXPECT_GE(each.size(), kPasswordOctetsMin) << each << " is refused for its length";
    EXPECT_TRUE(std::ranges::none_of(each, [](char c) { return c >= 'A' && c <= 'Z'; })) << each;
  }
}

Task<void> try_passwords(Passwords& passwords) {
  const auto hash = co_await passwords.make(1, "correct horse");
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << *hash;
  const auto other = co_await passwords.make(1, "correct horse");
  EXPECT_NE(*hash, *other) << "each has a salt of its own";
  const auto right = co_await passwords.check(1, "correct horse", *hash);
  EXPECT_TRUE(right->is_right);
  EXPECT_FALSE(right->is_stale);
  const auto wrong = co_await passwords.check(1, "correct horsf", *hash);
  EXPECT_FALSE(wrong->is_right);
  const auto nobody = co_await passwords.check(1, "correct horse", "");
  EXPECT_FALSE(nobody->is_right);
  const auto damaged = co_await passwords.check(1, "correct horse", "$argon2id$");
  EXPECT_FALSE(damaged->is_right);
}

TEST(Passwords, AreRightOrNot) {
  Passwords passwords(kQuick);
  async::run_to_completion(try_passwords(passwords));
}

Task<void> grow(Passwords& before, Passwords& now) {
  const auto hash = co_await before.make(1, "correct horse");
  const auto verdict = co_await now.check(1, "correct horse", *hash);
  EXPECT_TRUE(verdict->is_right);
  EXPECT_TRUE(verdict->is_stale);
}

TEST(Passwords, HashesOfSmallerLimitsAreToBeMadeAnew) {
  Passwords before(kQuick);
  Passwords now({.passes = 2, .memory_octets = 16384});
  async::run_to_completion(grow(before, now));
}

TEST(Passwords, NobodysHashCostsWhatOthersDo) {
  const std::string hash = hash_of_nobody(kQuick);
  EXPECT_EQ(crypto_pwhash_str_needs_rehash(hash.c_str(), kQuick.passes, kQuick.memory_octets), 0)
      << hash << " can be read, and has these limits";
  EXPECT_NE(hash, hash_of_nobody(kQuick));
}

Task<void> ask_without_a_turn(Passwords& passwords) {
  const auto verdict = co_await passwords.check(1, "anything at all", "");
  EXPECT_EQ(verdict.error().kind, ErrorKind::unavailable);
}

TEST(Passwords, WhoGetsNoTurnIsNotToldThatItIsWrong) {
  Passwords passwords({.passes = 1, .memory_octets = 8192, .threads = 1, .waiting_max = 0});
  async::run_to_completion(ask_without_a_turn(passwords));
}

}  // namespace
}  // namespace todoku::access
