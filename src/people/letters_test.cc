// SPDX-License-Identifier: Apache-2.0
#include "people/letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "people/refusal.h"
#include "people/remembered.h"

namespace todoku::people {
namespace {

using store::LinkPurpose;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kUrl = "https://console.example.jp/link#abc";

TEST(LinkLetter, HasTheLinkInTextAndHtmlAndSaysHowLongItIsGood) {
  for (const LinkPurpose purpose :
       {LinkPurpose::invitation, LinkPurpose::reset, LinkPurpose::confirm}) {
    for (const Language language : {Language::english, Language::japanese}) {
      const Letter letter = link_letter(purpose, language, kUrl);
      EXPECT_THAT(letter.text, HasSubstr("\n" + std::string(kUrl) + "\n"));
      EXPECT_THAT(letter.html, HasSubstr("<a href=\"" + std::string(kUrl) + "\">"));
      EXPECT_THAT(letter.text, HasSubstr("30"));
      EXPECT_FALSE(letter.subject.empty());
    }
  }
}

TEST(LinkLetter, IsInTheLanguageOfItsReader) {
  EXPECT_THAT(link_letter(LinkPurpose::reset, Language::japanese, kUrl).subject,
              HasSubstr("パスワード再設定"));
  EXPECT_THAT(link_letter(LinkPurpose::reset, Language::japanese, kUrl).html,
              HasSubstr("lang=\"ja\""));
  EXPECT_THAT(link_letter(LinkPurpose::reset, Language::english, kUrl).text,
              HasSubstr("second factor"));
}

TEST(LinkLetter, ShowsAUrlHarmlessly) {
  const Letter letter = link_letter(LinkPurpose::reset, Language::english, "https://a/\"><b>");
  EXPECT_THAT(letter.html, Not(HasSubstr("<b>")));
}

TEST(ElsewhereLetter, SaysThatNothingHasChangedAndHasNoLinkThatIsGoodOnce) {
  for (const Language language : {Language::english, Language::japanese}) {
    const Letter letter = elsewhere_letter(language, "https://console.example.jp");
    EXPECT_THAT(letter.text, HasSubstr("\nhttps://console.example.jp\n"));
    EXPECT_THAT(letter.html, HasSubstr("<a href=\"https://console.example.jp\">"));
    EXPECT_THAT(letter.text, Not(HasSubstr("30")));
    EXPECT_THAT(letter.html, Not(HasSubstr("<br>")));
  }
}

TEST(Refusal, IsInBothLanguagesAlsoOnItsWayThroughATransaction) {
  const auto stopped = stop(ErrorKind::conflict, texts::kLast);
  const auto refused = refuse(stopped.error()).error();
  EXPECT_EQ(refused.reason.ja, texts::kLast.ja);
  EXPECT_EQ(refused.kind, ErrorKind::conflict);
  EXPECT_FALSE(refused.forbidden);
  EXPECT_TRUE(refuse(ErrorKind::unauthorized, texts::kMayNot).error().forbidden);
  EXPECT_FALSE(refuse(ErrorKind::unauthorized, texts::kSignedOut).error().forbidden);
}

TEST(Remembered, ForTwoSecondsUnlessSomethingChanged) {
  Remembered remembered;
  const SteadyInstant now{std::chrono::hours(1)};
  const Who who = std::make_shared<const SignedIn>();
  const auto before = remembered.find("a", now);
  EXPECT_EQ(before.who, nullptr);
  remembered.put("a", who, before.forgotten, now);
  EXPECT_EQ(remembered.find("a", now + std::chrono::milliseconds(1'999)).who, who);
  EXPECT_EQ(remembered.find("a", now + std::chrono::seconds(2)).who, nullptr);
  remembered.forget();
  EXPECT_EQ(remembered.find("a", now).who, nullptr);
  remembered.put("a", who, before.forgotten, now);
  EXPECT_EQ(remembered.find("a", now).who, nullptr) << "it was read before the change";
}

}  // namespace
}  // namespace todoku::people
