// SPDX-License-Identifier: Apache-2.0
#include "mime/message_id.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

constexpr std::array<std::uint8_t, 16> kSecret{1, 2,  3,  4,  5,  6,  7,  8,
                                               9, 10, 11, 12, 13, 14, 15, 16};

std::string message_id(const CopyNumbers& copy, const std::array<std::uint8_t, 16>& secret) {
  const auto text = seal_copy(copy, secret);
  return "<" + std::string(text.data(), text.size()) + "@mail.example.jp>";
}

TEST(MessageId, TellsWhichCopyItIs) {
  for (const CopyNumbers copy :
       {CopyNumbers{1, 0, 0}, CopyNumbers{42, 3, 7}, CopyNumbers{INT64_MAX, UINT32_MAX, 499},
        // A batch that another process made, before its delivery.
        CopyNumbers{9'000'000'000, static_cast<std::uint32_t>(-5), 12}}) {
    EXPECT_EQ(open_message_id(message_id(copy, kSecret), kSecret), copy);
  }
}

TEST(MessageId, IsReadAsPeopleWriteIt) {
  const CopyNumbers copy{42, 3, 7};
  std::string id = message_id(copy, kSecret);
  id = id.substr(1, id.size() - 2);  // without angle brackets
  EXPECT_EQ(open_message_id(id, kSecret), copy);
  for (char& c : id) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  EXPECT_EQ(open_message_id(id, kSecret), copy);
}

TEST(MessageId, AnotherInstallationReadsNothingOfIt) {
  auto other = kSecret;
  other[15] ^= 1U;
  const CopyNumbers copy{42, 3, 7};
  EXPECT_NE(open_message_id(message_id(copy, kSecret), other), copy);
}

TEST(MessageId, OneDigitMoreOrLessOrOtherIsAnotherOrNone) {
  const CopyNumbers copy{42, 3, 7};
  const std::string id = message_id(copy, kSecret);
  for (std::size_t i = 1; i <= kMessageIdDigits; ++i) {
    std::string changed = id;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_NE(open_message_id(changed, kSecret), copy) << i;
  }
  for (const std::string_view other :
       {"", "<", "<>", "@", "<@mail.example.jp>", "abc@example.jp",
        "<00112233445566778899aabbccddeeff>", "<00112233445566778899aabbccddeef@example.jp>",
        "<00112233445566778899aabbccddeeff0@example.jp>",
        "<00112233445566778899aabbccddeefg@example.jp>"}) {
    EXPECT_EQ(open_message_id(other, kSecret), std::nullopt) << other;
  }
}

TEST(MessageId, NeighboursLookNothingAlike) {
  std::set<std::string> heads;
  std::set<std::string> tails;
  for (std::uint32_t seq = 0; seq < 500; ++seq) {
    const auto text = seal_copy({42, 3, seq}, kSecret);
    heads.emplace(text.data(), 8);
    tails.emplace(text.data() + 24, 8);
  }
  // Of 500 random words of 32 bits two are the same once in 30,000 times; these are not random.
  EXPECT_EQ(heads.size(), 500U);
  EXPECT_EQ(tails.size(), 500U);
}

}  // namespace
}  // namespace todoku::mime
