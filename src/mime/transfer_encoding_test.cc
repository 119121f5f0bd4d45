// SPDX-License-Identifier: Apache-2.0
#include "mime/transfer_encoding.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

std::string quoted_printable(std::string_view text) {
  std::string out;
  append_quoted_printable(out, text);
  return out;
}

TEST(QuotedPrintable, KeepsTextReadableAndProtectsWhatOthersChange) {
  EXPECT_EQ(quoted_printable("a=b\r\n"), "a=3Db\r\n");
  EXPECT_EQ(quoted_printable("end \r\ntab\t"), "end=20\r\ntab=09");
  EXPECT_EQ(quoted_printable(".\r\n..x\r\nFrom here"), "=2E\r\n=2E.x\r\n=46rom here");
  EXPECT_EQ(quoted_printable(std::string_view("\0\x1B", 2)), "=00=1B");
}

TEST(QuotedPrintable, BreaksLongLinesSoftly) {
  EXPECT_EQ(quoted_printable(std::string(76, 'x')), std::string(75, 'x') + "=\r\nx");
  EXPECT_EQ(quoted_printable(std::string(75, 'x') + "\r\n"), std::string(75, 'x') + "\r\n");
}

TEST(QuotedPrintable, GivesBackWhatItWasGiven) {
  const std::uint64_t seed = 7;
  SeededRandom random(seed);
  constexpr std::string_view kAlphabet = "ab. \t=From\x01";
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(300); i > 0; --i) {
      if (random.below(20) == 0) {
        text += "\r\n";
      } else {
        text += kAlphabet[random.below(kAlphabet.size())];
      }
    }
    const std::string encoded = quoted_printable(text);
    ASSERT_EQ(test::from_quoted_printable(encoded), text) << "seed " << seed << " round " << round;
    ASSERT_EQ(test::form_problem(encoded + "\r\n", 76), "");
    ASSERT_FALSE(encoded.starts_with('.') || encoded.contains("\n.")) << encoded;
    ASSERT_FALSE(encoded.starts_with("From ") || encoded.contains("\nFrom ")) << encoded;
  }
}

TEST(BodyText, HasOnlyCrlfLineEnds) {
  EXPECT_EQ(body_text("a\nb\rc\r\nd\n\re"), "a\r\nb\r\nc\r\nd\r\n\r\ne");
  EXPECT_EQ(body_text("日\x80本"), "日\uFFFD本");
}

TEST(TextTraits, TellWhatA7BitBodyMayHold) {
  EXPECT_TRUE(text_traits("plain\ttext\r\n").fits_seven_bit());
  EXPECT_FALSE(text_traits("with\x0B control").fits_seven_bit());
  EXPECT_FALSE(text_traits("日本").is_ascii);
  EXPECT_TRUE(text_traits(std::string(kLineOctetsMax, 'x') + "\r\nx").fits_seven_bit());
  EXPECT_FALSE(text_traits(std::string(kLineOctetsMax + 1, 'x')).fits_seven_bit());
  EXPECT_TRUE(text_traits("a\r\n.b").lines.has_leading_dot);
  EXPECT_FALSE(text_traits("a.\r\nb").lines.has_leading_dot);
  EXPECT_FALSE(text_traits("a\r\n--=_b").fits_seven_bit());
  EXPECT_TRUE(text_traits("a --=_b\r\n--b").fits_seven_bit());
}

}  // namespace
}  // namespace todoku::mime
