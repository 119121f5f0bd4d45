// SPDX-License-Identifier: Apache-2.0
#include "mime/charset.h"

#include <gtest/gtest.h>

#include "mime/test_reader.h"

namespace todoku::mime {
namespace {

std::string encoded(std::string_view utf8) {
  std::string out;
  const auto result = append_iso_2022_jp(out, utf8);
  return result ? out : result.error().detail;
}

// The octets in the kanji state that stand for `utf8`, all of which must be in JIS X 0208.
std::string kanji_octets(std::string_view utf8) {
  const std::string out = encoded(utf8);
  if (!out.starts_with("\x1B$B") || !out.ends_with("\x1B(B")) return "not kanji: " + out;
  return out.substr(3, out.size() - 6);
}

TEST(Iso2022Jp, ChangesStateOnlyWhereItMust) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("abc\r\n"), "abc\r\n");
  EXPECT_EQ(encoded("日本語"), "\x1B$BF|K\\8l\x1B(B");
  EXPECT_EQ(encoded("A日本B語"), "A\x1B$BF|K\\\x1B(BB\x1B$B8l\x1B(B");
  EXPECT_EQ(encoded("日\r\n本"), "\x1B$BF|\x1B(B\r\n\x1B$BK\\\x1B(B");
}

TEST(Iso2022Jp, HasTheExtensionsOfCodePage50220) {
  EXPECT_EQ(kanji_octets("①"), "-!");
  EXPECT_EQ(kanji_octets("㈱"), "-j");
  EXPECT_EQ(kanji_octets("№"), "-b");
  EXPECT_EQ(kanji_octets("Ⅳ"), "-8");
  EXPECT_FALSE(fits_iso_2022_jp("㍿"));  // of no Windows code page
}

TEST(Iso2022Jp, SaysIbmExtensionsInTheRowsThatNecSelected) {
  EXPECT_EQ(kanji_octets("髙"), "|b");
  EXPECT_EQ(kanji_octets("﨑"), "yu");
  EXPECT_EQ(kanji_octets("纊"), "y!");
  EXPECT_EQ(kanji_octets("ⅰ"), "|q");
}

TEST(Iso2022Jp, PrefersJisX0208WhereNecRepeatsIt) {
  EXPECT_EQ(kanji_octets("≒≡∫√⊥∠∵∩∪"), "\"b\"a\"i\"e\"]\"\\\"h\"A\"@");
  EXPECT_EQ(kanji_octets("￢"), "\"L");
}

TEST(Iso2022Jp, WidensHalfWidthKanaAndJoinsTheirMarks) {
  EXPECT_EQ(encoded("ｶﾞｷﾞｸﾞｹﾞｺﾞ"), encoded("ガギグゲゴ"));
  EXPECT_EQ(encoded("ｻﾞｼﾞｽﾞｾﾞｿﾞﾀﾞﾁﾞﾂﾞﾃﾞﾄﾞ"), encoded("ザジズゼゾダヂヅデド"));
  EXPECT_EQ(encoded("ﾊﾞﾋﾞﾌﾞﾍﾞﾎﾞﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ"), encoded("バビブベボパピプペポ"));
  EXPECT_EQ(encoded("ｳﾞｧｲｵﾘﾝ"), encoded("ヴァイオリン"));
  EXPECT_EQ(encoded("｡｢｣､･ｰﾞﾟ"), encoded("。「」、・ー゛゜"));
  EXPECT_EQ(encoded("ｧｨｩｪｫｬｭｮｯｱﾝ"), encoded("ァィゥェォャュョッアン"));
  EXPECT_EQ(encoded("ｱﾞﾜﾞﾅﾟｶﾟ"), encoded("ア゛ワ゛ナ゜カ゜"));
  EXPECT_EQ(encoded("ｯﾞ"), encoded("ッ゛"));
}

TEST(Iso2022Jp, JoinsCombiningMarksAsFileSystemsWriteThem) {
  EXPECT_EQ(encoded("か\u3099は\u309A"), encoded("がぱ"));
  EXPECT_EQ(encoded("ヽ\u3099ゝ\u3099"), encoded("ヾゞ"));
  EXPECT_EQ(encoded("う\u3099"), encoded("う゛"));
  // A half-width mark does not join a full-width kana.
  EXPECT_EQ(encoded("カﾞ"), encoded("カ゛"));
}

TEST(Iso2022Jp, TakesEveryVendorsCodePointForTheSameSign) {
  EXPECT_EQ(encoded("〜"), encoded("～"));
  EXPECT_EQ(kanji_octets("〜"), "!A");
  EXPECT_EQ(encoded("−"), encoded("－"));
  EXPECT_EQ(kanji_octets("−"), "!]");
  EXPECT_EQ(encoded("‖"), encoded("∥"));
  EXPECT_EQ(encoded("—"), encoded("―"));
  EXPECT_EQ(kanji_octets("¢£¬¥‾"), kanji_octets("￠￡￢￥￣"));
  EXPECT_EQ(encoded("¦"), encoded("￤"));
}

TEST(Iso2022Jp, RefusesWhatTheCodePageDoesNotHaveAndLeavesTheOutputAlone) {
  EXPECT_EQ(encoded("😀"), "U+1F600 has no place in ISO-2022-JP (code page 50220)");
  EXPECT_EQ(encoded("日é"), "U+00E9 has no place in ISO-2022-JP (code page 50220)");
  EXPECT_EQ(encoded("\x1B$B"), "U+001B has no place in ISO-2022-JP (code page 50220)");
  EXPECT_EQ(encoded("\xE3\x81"), "ill-formed UTF-8 has no place in ISO-2022-JP (code page 50220)");
  EXPECT_FALSE(fits_iso_2022_jp("\x0E"));
  EXPECT_FALSE(fits_iso_2022_jp("\x7F"));
  EXPECT_FALSE(fits_iso_2022_jp("\uE000"));  // no user-defined characters
  std::string out = "before";
  EXPECT_FALSE(append_iso_2022_jp(out, std::string(1000, 'x') + "日本語😀"));
  EXPECT_EQ(out, "before");
}

TEST(Iso2022Jp, EveryCharacterOfTheCodePageComesBackTheSame) {
  int characters = 0;
  for (char32_t value = 0x80; value < 0x10000; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string utf8;
    utf8 += static_cast<char>(value < 0x800 ? 0xC0 | value >> 6U : 0xE0 | value >> 12U);
    if (value >= 0x800) utf8 += static_cast<char>(0x80 | (value >> 6U & 0x3FU));
    utf8 += static_cast<char>(0x80 | (value & 0x3FU));
    if (!fits_iso_2022_jp(utf8)) continue;
    ++characters;
    const auto back = test::from_iso_2022_jp(encoded(utf8));
    ASSERT_TRUE(back) << static_cast<unsigned>(value);
    // Widened and equivalent characters come back as what they became.
    ASSERT_EQ(encoded(*back), encoded(utf8)) << static_cast<unsigned>(value);
  }
  // JIS X 0208; rows 13 and 89-92 less what they repeat; half-width kana; the equivalents.
  EXPECT_EQ(characters, 6879 + (83 - 9) + (374 - 1) + 63 + 12);
}

}  // namespace
}  // namespace todoku::mime
