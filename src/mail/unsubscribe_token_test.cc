// SPDX-License-Identifier: Apache-2.0
#include "mail/unsubscribe_token.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace todoku {
namespace {

constexpr std::array<std::uint8_t, 16> kUnsubscribeSecret{1, 2,  3,  4,  5,  6,  7,  8,
                                                          9, 10, 11, 12, 13, 14, 15, 16};

std::string written(const UnsubscribeTokens& tokens, const UnsubscribeToken& token) {
  std::string out;
  std::string scratch = "what was there before";
  tokens.append(out, {token.account, token.delivery, token.batch, token.seq}, token.list_id,
                token.address, scratch);
  return out;
}

TEST(UnsubscribeToken, ReadsBackWhatItWrote) {
  const UnsubscribeTokens tokens(kUnsubscribeSecret);
  constexpr auto kKeyMax = std::numeric_limits<std::int64_t>::max();
  for (const UnsubscribeToken& token :
       {UnsubscribeToken{1, 2, 3, 4, "", "a@example.jp"},
        UnsubscribeToken{1, 2, 3, 4, "週刊", "Taro@example.jp"},
        UnsubscribeToken{kKeyMax, kKeyMax, 0xFFFF'FFFF, 0xFFFF'FFFF, std::string(252, 'l'),
                         std::string(320, 'a')}}) {
    const std::string text = written(tokens, token);
    EXPECT_LE(text.size(), UnsubscribeTokens::kTextOctetsMax);
    EXPECT_EQ(tokens.read(text), token);
    EXPECT_EQ(written(tokens, token), text) << "a retry has the same octets";
    EXPECT_FALSE(text.contains("example"));
  }
}

TEST(UnsubscribeToken, OneOctetOtherwiseIsNotOurs) {
  const UnsubscribeTokens tokens(kUnsubscribeSecret);
  const std::string text = written(tokens, {1, 42, 3, 7, "weekly", "a@example.jp"});
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.read(other), std::nullopt) << at;
  }
  EXPECT_EQ(tokens.read(""), std::nullopt);
  EXPECT_EQ(tokens.read(text + text), std::nullopt);
  EXPECT_EQ(tokens.read(std::string(UnsubscribeTokens::kTextOctetsMax + 1, 'A')), std::nullopt);
  auto secret = kUnsubscribeSecret;
  secret[0] ^= 1U;
  EXPECT_EQ(UnsubscribeTokens(secret).read(text), std::nullopt);
}

TEST(UnsubscribeToken, OfAnotherFormIsNotOurs) {
  const UnsubscribeTokens tokens(kUnsubscribeSecret);
  const TokenSeal seal(kUnsubscribeSecret, "unsubscribe");
  using namespace std::string_view_literals;
  for (const std::string_view plain :
       {"\x02\x01\x01\x01\x01\x00a"sv, "\x01\x01\x01\x01"sv, "\x01\x01\x01\x01\x01\x00"sv,
        "\x01\x01\x01\x01\x01\x05list"sv, "\x01\x01\x01\x01\x01\x04list"sv, "\x01"sv}) {
    std::string text;
    seal.append(text, plain);
    EXPECT_EQ(tokens.read(text), std::nullopt) << text;
  }
}

TEST(UnsubscribeToken, WhatDoesNotFitIsLeftOut) {
  const UnsubscribeTokens tokens(kUnsubscribeSecret);
  EXPECT_EQ(written(tokens, {1, 2, 3, 4, "", std::string(321, 'a')}), "");
  EXPECT_EQ(written(tokens, {1, 2, 3, 4, "", ""}), "");
  for (const std::size_t octets : {252U, 253U, 255U, 256U}) {
    const UnsubscribeToken whole{1, 2, 3, 4, std::string(octets, 'l'), std::string(320, 'a')};
    const std::string text = written(tokens, whole);
    EXPECT_LE(text.size(), UnsubscribeTokens::kTextOctetsMax);
    EXPECT_EQ(tokens.read(text), whole) << octets;
  }
  const auto token = tokens.read(written(tokens, {1, 2, 3, 4, std::string(257, 'l'), "a@b.jp"}));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->list_id, "") << "all advertisements are left";
}

}  // namespace
}  // namespace todoku
