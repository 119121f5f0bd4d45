// SPDX-License-Identifier: Apache-2.0
#include "mail/open_token.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku {
namespace {

constexpr std::array<std::uint8_t, 16> kInstallation{1, 2,  3,  4,  5,  6,  7,  8,
                                                     9, 10, 11, 12, 13, 14, 15, 16};

std::string text_of(const OpenTokens& tokens, const OpenToken& token) {
  std::string out;
  std::string scratch = "what was there before";
  tokens.append(out, token, scratch);
  return out;
}

TEST(OpenToken, ReadsBackWhatItWrote) {
  const OpenTokens tokens(kInstallation);
  for (const OpenToken& token :
       {OpenToken{}, OpenToken{1, 2, 3, 4}, OpenToken{7, 123'456'789, 0xFFFF'FFFF, 499},
        OpenToken{std::numeric_limits<std::int64_t>::max(),
                  std::numeric_limits<std::int64_t>::max(), 0xFFFF'FFFF, 0xFFFF'FFFF}}) {
    const std::string text = text_of(tokens, token);
    EXPECT_LE(text.size(), OpenTokens::kTextOctetsMax);
    EXPECT_EQ(tokens.read(text), token);
    EXPECT_EQ(text_of(tokens, token), text) << "a retry has the same octets";
  }
  EXPECT_LE(text_of(tokens, {12, 3'000'000, 4'000, 499}).size(), 40U);
}

TEST(OpenToken, OneOctetOtherwiseIsNotOurs) {
  const OpenTokens tokens(kInstallation);
  const std::string text = text_of(tokens, {1, 42, 3, 7});
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.read(other), std::nullopt) << at;
  }
  EXPECT_EQ(tokens.read(text.substr(1)), std::nullopt);
  EXPECT_EQ(tokens.read(""), std::nullopt);
  EXPECT_EQ(tokens.read(std::string(OpenTokens::kTextOctetsMax + 1, 'A')), std::nullopt);
}

TEST(OpenToken, OfAnotherInstallationOrAnotherFormIsNotOurs) {
  auto other = kInstallation;
  other[0] ^= 1U;
  EXPECT_EQ(OpenTokens(kInstallation).read(text_of(OpenTokens(other), {1, 42, 3, 7})),
            std::nullopt);
  const TokenSeal seal(kInstallation, "open tracking");
  for (const std::string_view plain :
       {std::string_view("\x02\x01\x01\x01\x01"), std::string_view("\x01\x01\x01\x01"),
        std::string_view("\x01\x01\x01\x01\x01\x01"), std::string_view("\x01")}) {
    std::string text;
    seal.append(text, plain);
    EXPECT_EQ(OpenTokens(kInstallation).read(text), std::nullopt);
  }
}

}  // namespace
}  // namespace todoku
