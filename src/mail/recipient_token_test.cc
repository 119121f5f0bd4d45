// SPDX-License-Identifier: Apache-2.0
#include "mail/recipient_token.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku {
namespace {

const std::string kSecret(16, 's');

std::vector<RecipientToken> tokens() {
  return {{1, 0, 0}, {300, 7, 499}, {INT64_MAX, UINT32_MAX, UINT32_MAX}, {-1, 0, UINT32_MAX}};
}

std::string in_capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  });
  return text;
}

TEST(RecipientToken, KeepsTheFormOfMailsThatAreOut) {
  EXPECT_EQ(encode_recipient_token({1, 0, 0}, kSecret), "baeaabwppoahafky");
  EXPECT_EQ(encode_recipient_token({300, 7, 499}, kSecret), "bvqbap4ydfc5oq2bfte");
  EXPECT_EQ(encode_recipient_token({INT64_MAX, UINT32_MAX, UINT32_MAX}, kSecret),
            "b777777777777677777776d7777776d5vudwbrp25");
}

TEST(RecipientToken, ComesBackWhateverTheCase) {
  for (const RecipientToken token : tokens()) {
    const std::string local = encode_recipient_token(token, kSecret);
    EXPECT_LE(local.size(), 64U);
    EXPECT_EQ(local, to_ascii_lower(local));
    EXPECT_EQ(decode_recipient_token(local, kSecret), token);
    EXPECT_EQ(decode_recipient_token(in_capitals(local), kSecret), token);
  }
}

TEST(RecipientToken, NobodyElseCanMakeOne) {
  for (const RecipientToken token : tokens()) {
    const std::string local = encode_recipient_token(token, kSecret);
    EXPECT_FALSE(decode_recipient_token(local, std::string(16, 't')));
    for (std::size_t i = 0; i < local.size(); ++i) {
      std::string forged = local;
      forged[i] = forged[i] == 'a' ? 'b' : 'a';
      EXPECT_FALSE(decode_recipient_token(forged, kSecret)) << i;
      EXPECT_FALSE(decode_recipient_token(local.substr(0, i), kSecret)) << i;
    }
  }
}

// The last character and those that might follow hold bits that belong to no octet.
TEST(RecipientToken, HasOneFormOnly) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  for (const RecipientToken token : tokens()) {
    const std::string local = encode_recipient_token(token, kSecret);
    for (const char digit : kDigits) {
      EXPECT_FALSE(decode_recipient_token(local + digit, kSecret)) << digit;
      const std::string other = local.substr(0, local.size() - 1) + digit;
      EXPECT_EQ(decode_recipient_token(other, kSecret).has_value(), other == local) << digit;
    }
  }
}

TEST(RecipientToken, OtherWordsAreNone) {
  for (const std::string& word :
       {std::string(), std::string("b"), std::string("bounce"), std::string("postmaster"),
        std::string("b") + std::string(63, 'a'), std::string("b") + std::string(1'000'000, 'a'),
        std::string("b\0aaaaaaaaaaaa", 14), std::string("baaaaaaaaaaa="),
        std::string("b\xFF\xFE\xFD aaaaaaaaaa")}) {
    EXPECT_FALSE(decode_recipient_token(word, kSecret)) << word.size();
  }
}

}  // namespace
}  // namespace todoku
