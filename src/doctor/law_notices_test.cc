// SPDX-License-Identifier: Apache-2.0
#include "doctor/law_notices.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kComplete =
    "春のセールのご案内です。\n"
    "\n"
    "発行元: 株式会社とどく商店\n"
    "〒100-0001 東京都千代田区千代田1-1\n"
    "配信停止をご希望の方はこちら:\n"
    "https://example.jp/leave\n"
    "お問い合わせ: 03-1234-5678\n";

std::vector<std::string_view> codes_of(std::string_view text, std::string_view name = "") {
  const std::vector<LawPart> parts{{.name = "text_part", .text = text}};
  std::vector<std::string_view> codes;
  for (const Finding& finding : law_findings(parts, name)) codes.push_back(finding.code);
  return codes;
}

bool names_sender(std::string_view line, std::string_view name = "") {
  return law_notices(line, name).sender.has_value();
}
bool has_address(std::string_view line) {
  return law_notices(line, "").address.has_value();
}
bool tells_opt_out(std::string_view line) {
  return law_notices(line, "").opt_out.has_value();
}
bool names_contact(std::string_view line) {
  const LawNotices notices = law_notices(line, "");
  return notices.contact.has_value() && notices.contact_has_way;
}

TEST(LawNotices, ATextThatHasAllIsComplete) {
  EXPECT_THAT(codes_of(kComplete), ElementsAre("law_complete"));
  EXPECT_THAT(codes_of("Sent by Example Inc., 1 Main Street, Springfield\n"
                       "Unsubscribe: https://example.com/leave\n"
                       "Questions? Contact us: info@example.com\n"),
              ElementsAre("law_complete"));
}

TEST(LawNotices, EachLineThatIsTakenOutIsMissed) {
  const auto without = [](std::string_view line) {
    std::string text(kComplete);
    const std::size_t at = text.find(line);
    EXPECT_NE(at, std::string::npos);
    text.erase(at, line.size());
    return text;
  };
  EXPECT_THAT(codes_of(without("発行元: 株式会社とどく商店\n")), ElementsAre("law_sender_missing"));
  EXPECT_THAT(codes_of(without("〒100-0001 東京都千代田区千代田1-1\n")),
              ElementsAre("law_address_missing"));
  EXPECT_THAT(codes_of(without("配信停止をご希望の方はこちら:\n")),
              ElementsAre("law_opt_out_missing"));
  EXPECT_THAT(codes_of(without("https://example.jp/leave\n")),
              ElementsAre("law_opt_out_without_way"));
  EXPECT_THAT(codes_of(without("お問い合わせ: 03-1234-5678\n")),
              ElementsAre("law_contact_missing"));
  EXPECT_THAT(codes_of(without(" 03-1234-5678")), ElementsAre("law_contact_without_way"));
  EXPECT_THAT(codes_of(""), ElementsAre("law_sender_missing", "law_address_missing",
                                        "law_opt_out_missing", "law_contact_missing"));
}

TEST(LawNotices, AFindingPointsToItsLineAndSaysWhatToAdd) {
  const std::vector<LawPart> parts{
      {.name = "html_part", .text = "株式会社A\n\n東京都港区芝1-1-1\n配信停止はできます\n"}};
  const auto findings = law_findings(parts, "");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].code, "law_opt_out_without_way");
  EXPECT_EQ(findings[0].outcome, Outcome::warning);
  EXPECT_EQ(findings[0].subject, "html_part");
  EXPECT_THAT(findings[0].sentence.en, HasSubstr("line 4"));
  EXPECT_THAT(findings[0].sentence.ja, HasSubstr("4 行目"));
  EXPECT_EQ(findings[0].found, "配信停止はできます");
  EXPECT_THAT(findings[0].expected, HasSubstr("https://"));
}

TEST(LawNotices, SendersAreNamedInManyWays) {
  for (const std::string_view line :
       {"株式会社とどく", "㈱とどく", "（株）とどく", "有限会社A", "特定非営利活動法人 B",
        "Example Inc.", "Example Co., Ltd.", "Acme LLC", "配信者：山田太郎", "運営会社 A"}) {
    EXPECT_TRUE(names_sender(line)) << line;
  }
  for (const std::string_view line :
       {"セールのお知らせ", "Prices include tax", "increase", "弊社より"}) {
    EXPECT_FALSE(names_sender(line)) << line;
  }
  EXPECT_TRUE(names_sender("とどく商店です。", "とどく商店"));
  EXPECT_FALSE(names_sender("an ad", "ad")) << "too short to be told from a word";
}

TEST(LawNotices, AddressesHaveTheirForms) {
  for (const std::string_view line :
       {"〒１００－０００１", "東京都千代田区千代田1-1", "北海道札幌市中央区",
        "大阪市北区梅田3丁目1番", "P.O. Box 12, Springfield", "1-2-3 Shiba, Minato-ku, Tokyo",
        "100 Main Street"}) {
    EXPECT_TRUE(has_address(line)) << line;
  }
  for (const std::string_view line : {"電話 03-1234-5678", "2026年1月1日", "市場価格より20%引き",
                                      "注文番号 123-4567", "東京都内の店舗"}) {
    EXPECT_FALSE(has_address(line)) << line;
  }
}

TEST(LawNotices, OptOutsAreToldInManyWays) {
  for (const std::string_view line :
       {"配信停止はこちら", "メルマガの解除", "今後メールの配信を希望されない方は",
        "購読を中止する", "受信拒否の方法", "UNSUBSCRIBE", "To opt out, click here",
        "Ｕｎｓｕｂｓｃｒｉｂｅ"}) {
    EXPECT_TRUE(tells_opt_out(line)) << line;
  }
  for (const std::string_view line :
       {"配信のお知らせ", "停止線で止まる", "メールでお届けします", "Subscribe now"}) {
    EXPECT_FALSE(tells_opt_out(line)) << line;
  }
}

TEST(LawNotices, ALinkCountsOnItsLineAndTheTwoAfterIt) {
  const auto has_way = [](std::string_view text) { return law_notices(text, "").opt_out_has_way; };
  EXPECT_TRUE(has_way("配信停止 https://example.jp/"));
  EXPECT_TRUE(has_way("配信停止\n\nhttps://example.jp/"));
  EXPECT_FALSE(has_way("配信停止\n-\n-\nhttps://example.jp/"));
  EXPECT_FALSE(has_way("https://example.jp/\n配信停止"));
  EXPECT_TRUE(has_way("配信停止は leave@example.jp まで"));
  EXPECT_TRUE(has_way("配信停止: __leave__")) << "an insert code may be the link";
  EXPECT_FALSE(has_way("配信停止は 03-1234-5678 まで")) << "not by telephone";
  EXPECT_TRUE(has_way("配信停止は下記から\n-\n-\n-\n配信停止 https://example.jp/"))
      << "one notice with a link is enough";
}

TEST(LawNotices, ContactsHaveATelephoneAnAddressOrALink) {
  for (const std::string_view line :
       {"お問い合わせ 03-1234-5678", "TEL 0120-123-456", "連絡先：０３（１２３４）５６７８",
        "苦情は info@example.jp へ", "Contact us: https://example.com/help",
        "Customer support +81 3 1234 5678"}) {
    EXPECT_TRUE(names_contact(line)) << line;
  }
  for (const std::string_view line :
       {"お問い合わせください", "電話 1234", "2026-01-01 03:04 https://example.jp/"}) {
    EXPECT_FALSE(names_contact(line)) << line;
  }
}

TEST(LawNotices, OfALongTextTheBeginningAndTheEndAreLookedAt) {
  std::string text(kComplete);
  std::string filler;
  while (filler.size() < kLawTextOctetsMax) filler += "本文がここに続きます。\n";
  EXPECT_THAT(codes_of(filler + text), ElementsAre("law_complete"));
  EXPECT_THAT(codes_of(text + filler), ElementsAre("law_complete"));
  const LawNotices notices = law_notices(filler + text, "");
  ASSERT_TRUE(notices.sender.has_value());
  const auto lines = static_cast<std::size_t>(std::count(filler.begin(), filler.end(), '\n'));
  EXPECT_EQ(notices.sender->number, lines + 3);
  EXPECT_THAT(codes_of(std::string(10'000'000, 'x')), testing::SizeIs(4)) << "and ends";
}

TEST(LawNotices, TextThatIsNoUtf8IsNoHarm) {
  EXPECT_THAT(codes_of("\xEF\xBC\xEF\xBD\xFF\n\xEF"), testing::SizeIs(4));
  EXPECT_THAT(law_findings({}, ""), IsEmpty());
}

}  // namespace
}  // namespace todoku::doctor
