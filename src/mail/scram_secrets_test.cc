// SPDX-License-Identifier: Apache-2.0
#include "mail/scram_secrets.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "mail/saslprep.h"

namespace todoku {
namespace {

std::string prepared(std::string_view text, SaslprepOf of = SaslprepOf::stored) {
  const auto done = saslprep(text, of);
  return done ? *done : "refused";
}

// RFC 4013 section 3.
TEST(Saslprep, DoesAsThePublishedExamples) {
  EXPECT_EQ(prepared("I\u00ADX"), "IX") << "a soft hyphen is mapped to nothing";
  EXPECT_EQ(prepared("user"), "user");
  EXPECT_EQ(prepared("USER"), "USER") << "case is kept";
  EXPECT_EQ(prepared("\u00AA"), "a") << "NFKC";
  EXPECT_EQ(prepared("\u2168"), "IX") << "NFKC";
  EXPECT_EQ(prepared("\x07"), "refused");
  EXPECT_EQ(prepared("\u0627\u0031"), "refused") << "bidirectional check";
}

TEST(Saslprep, TakesTextAndNothingElse) {
  EXPECT_EQ(prepared(""), "");
  EXPECT_EQ(prepared("パスワード"), "パスワード");
  EXPECT_EQ(prepared("ﾊﾟｽ"), "パス") << "half width";
  EXPECT_EQ(prepared("a\u3000b"), "a b") << "an ideographic space is a space";
  EXPECT_EQ(prepared("\u00AD"), "");
  EXPECT_EQ(prepared("\xFF"), "refused");
  EXPECT_EQ(prepared(std::string("a\0b", 3)), "refused");
  EXPECT_EQ(prepared(std::string(kSaslprepOctetsMax + 1, 'a')), "refused");
}

TEST(Saslprep, WhatIsKeptHoldsNoUnassignedCharacter) {
  EXPECT_EQ(prepared("\u0221"), "refused");
  EXPECT_EQ(prepared("\u0221", SaslprepOf::query), "\u0221");
}

std::string rfc7677_salt() {
  return from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
}

// The exchange of RFC 7677 section 3 is tested with smtp/protocol's scram_messages.h.
constexpr std::string_view kLine =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(ScramSecrets, OfAPasswordAreOneLineAndBack) {
  const auto made = ScramSecrets::from_password("pencil", rfc7677_salt(), 4096);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->to_string(), kLine);
  const auto read = ScramSecrets::parse(kLine);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, *made);
  EXPECT_TRUE(read->matches("pencil"));
  EXPECT_FALSE(read->matches("Pencil"));
  EXPECT_FALSE(read->matches(""));
  EXPECT_FALSE(read->matches("pencil\xFF"));
  EXPECT_FALSE(read->matches(std::string("pencil\0", 7)));
}

TEST(ScramSecrets, APasswordIsTheSameOnAnyKeyboard) {
  const auto made = ScramSecrets::from_password("か\u3099ぎ\u00AD", "salt", kScramIterationsMin);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches("がぎ"));
  EXPECT_TRUE(made->matches("がき\u3099"));
  EXPECT_FALSE(made->matches("かぎ"));
}

TEST(ScramSecrets, AreOfPasswordsThatAnExchangeCanCarry) {
  const auto made = [](std::string_view password, std::string salt, std::uint32_t iterations) {
    return ScramSecrets::from_password(password, std::move(salt), iterations).has_value();
  };
  EXPECT_TRUE(made(std::string(kPasswordOctetsMax, 'x'), "s", kScramIterationsMin));
  EXPECT_FALSE(made(std::string(kPasswordOctetsMax + 1, 'x'), "s", kScramIterationsMin));
  EXPECT_FALSE(made("", "s", kScramIterationsMin));
  EXPECT_FALSE(made("\u00AD", "s", kScramIterationsMin)) << "nothing is left of it";
  EXPECT_FALSE(made("a\nb", "s", kScramIterationsMin));
  EXPECT_FALSE(made("x", "", kScramIterationsMin));
  EXPECT_FALSE(made("x", std::string(kScramSaltOctetsMax + 1, 's'), kScramIterationsMin));
  EXPECT_FALSE(made("x", "s", kScramIterationsMin - 1));
  EXPECT_FALSE(made("x", "s", kScramIterationsMax + 1));
}

TEST(ScramSecrets, AreReadFromNothingElse) {
  const std::string line(kLine);
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string changed = line;
    return changed.replace(changed.find(what), what.size(), instead);
  };
  for (const std::string& bad :
       {std::string(), line.substr(0, line.size() - 1), line + "=", line + " ", " " + line,
        with("SHA-256", "SHA-1"), with("4096", "4095"), with("4096", "4294967297"),
        with("4096", "+4096"), with("4096", ""), with("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
        with("gQ==", "gR=="), with("$WG5d", "$ WG5d"), with(":wfPL", "$wfPL")}) {
    EXPECT_FALSE(ScramSecrets::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace todoku
