// SPDX-License-Identifier: Apache-2.0
#include "base/token_seal.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSecret = "0123456789abcdef";

std::string sealed(const TokenSeal& seal, std::string_view plain) {
  std::string out;
  seal.append(out, plain);
  return out;
}

TEST(TokenSeal, OpensWhatItSealedOfAnyLength) {
  const TokenSeal seal(as_octets(kSecret), "a purpose");
  std::string plain;
  for (std::size_t size = 0; size <= TokenSeal::kPlainOctetsMax; ++size) {
    const std::string text = sealed(seal, plain);
    EXPECT_EQ(text.size(), TokenSeal::text_octets(size));
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
              std::string::npos);
    EXPECT_EQ(seal.open(text), plain);
    plain += static_cast<char>(size * 7);
  }
}

TEST(TokenSeal, SealsTheSameOctetsToTheSameTextAndOthersToOthers) {
  const TokenSeal seal(as_octets(kSecret), "a purpose");
  const TokenSeal again(as_octets(kSecret), "a purpose");
  EXPECT_EQ(sealed(seal, "delivery 1"), sealed(again, "delivery 1"));
  std::set<std::string> texts;
  for (char c = 0; c < 100; ++c)
    texts.insert(sealed(seal, std::string("delivery ") + c).substr(16));
  EXPECT_EQ(texts.size(), 100U) << "the ciphertexts of neighbours differ";
}

TEST(TokenSeal, ShowsNothingOfWhatIsInside) {
  const TokenSeal seal(as_octets(kSecret), "a purpose");
  const std::string octets = *from_base64url(sealed(seal, "taro@example.jp"));
  EXPECT_THAT(octets, Not(HasSubstr("taro")));
}

TEST(TokenSeal, TakesNothingElse) {
  const TokenSeal seal(as_octets(kSecret), "a purpose");
  const std::string text = sealed(seal, "seven octets or so");
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'A', 'b', '9', '-', '_', '=', ' ', '\0'}) {
      std::string other = text;
      if (other[at] == c) continue;
      other[at] = c;
      EXPECT_EQ(seal.open(other), std::nullopt) << at << c;
    }
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(seal.open(text.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(seal.open(text + "A"), std::nullopt);
  EXPECT_EQ(seal.open(text + "="), std::nullopt);
  EXPECT_EQ(seal.open(std::string(10'000, 'A')), std::nullopt);
}

TEST(TokenSeal, NeitherAnotherSecretNorAnotherPurposeOpensIt) {
  const TokenSeal seal(as_octets(kSecret), "a purpose");
  const std::string text = sealed(seal, "an id");
  EXPECT_EQ(TokenSeal(as_octets("0123456789abcdeg"), "a purpose").open(text), std::nullopt);
  EXPECT_EQ(TokenSeal(as_octets(kSecret), "another").open(text), std::nullopt);
}

}  // namespace
}  // namespace todoku
