// SPDX-License-Identifier: Apache-2.0
#include "intake/problem.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "intake/check.h"
#include "mail/address.h"
#include "mime/uri.h"

namespace todoku::intake {
namespace {

// Each of these is refused for a reason of its own.
TEST(InJapanese, SaysWhateverIsWrongWithAnAddress) {
  const std::string long_domain = std::string(63, 'd') + "." + std::string(63, 'd') + "." +
                                  std::string(63, 'd') + "." + std::string(58, 'd') + ".jp";
  for (const std::string& address : std::vector<std::string>{"",
                                                             "nobody",
                                                             "@example.jp",
                                                             "a@",
                                                             "a@localhost",
                                                             "a@-x.jp",
                                                             "a@x..jp",
                                                             "a b@example.jp",
                                                             "a(b@example.jp",
                                                             "a\"b@example.jp",
                                                             "a@example.jp,",
                                                             "a@b@example.jp",
                                                             "a@example.jp;b@example.jp",
                                                             "A <a@example.jp>",
                                                             "mailto:a@example.jp",
                                                             "\"a@example.jp",
                                                             "\"a\"b\"@example.jp",
                                                             "a\x01@example.jp",
                                                             "a\xFF@example.jp",
                                                             "a\xE2\x80\x8B@example.jp",
                                                             std::string(65, 'a') + "@example.jp",
                                                             std::string(250, 'a') + "@example.jp",
                                                             "a@" + long_domain,
                                                             "a@xn--\xE5\xB1\x8A.jp",
                                                             "=?a?=@example.jp",
                                                             "a@[",
                                                             "a\xEF\xBC\xA0"
                                                             "b.jp"}) {
    const auto parsed = parse_address(address);
    ASSERT_FALSE(parsed) << address;
    EXPECT_NE(texts::in_japanese(parsed.error().detail), "") << parsed.error().detail;
  }
  EXPECT_EQ(texts::invalid_email("has no @").ja,
            "メールアドレスの形式が不正です (@がありません)。");
  EXPECT_EQ(texts::invalid_email("has the invisible character U+200B at character 5").ja,
            "メールアドレスの形式が不正です (5文字目に見えない文字U+200Bがあります)。");
  EXPECT_EQ(texts::invalid_email("does what nobody knows").ja, "メールアドレスの形式が不正です。");
}

TEST(InJapanese, SaysWhateverIsWrongWithAUri) {
  for (const std::string& uri : std::vector<std::string>{
           "https://", "mailto:", "ftp://a.example", "https://a\u3000b.example/",
           "https://a.example/" + std::string(2'000, '<')}) {
    const auto valid = mime::valid_uri(uri);
    ASSERT_FALSE(valid) << uri;
    EXPECT_NE(texts::in_japanese(valid.error().detail), "") << uri << valid.error().detail;
  }
  EXPECT_EQ(texts::invalid_uri("has no host").ja, "URIが不正です (ホスト名がありません)。");
  EXPECT_EQ(texts::invalid_uri("does what nobody knows").ja, "URIが不正です。");
}

// What an address may be and none that mail is sent to.
TEST(InJapanese, SaysWhyNoMailIsSentToAnAddress) {
  const auto problem_of = [](const std::string& to) {
    TransactionRequest request;
    request.content.from = {"order@example.jp", ""};
    request.content.subject = "s";
    request.content.text_part = "t";
    request.to = to;
    Problems problems;
    static_cast<void>(check_transaction(request, Limits{}, problems));
    return problems.empty() ? Text() : problems.list().front().text;
  };
  for (const std::string literal : {"a@[192.0.2.1]", "a@[IPv6:2001:db8::1]"}) {
    EXPECT_EQ(
        problem_of(literal).en,
        "invalid e-mail format: it has an IP address for a domain, and mail is sent to domain "
        "names only.");
    EXPECT_EQ(problem_of(literal).ja,
              "メールアドレスの形式が不正です "
              "(ドメインがIPアドレスです。IPアドレス宛てには送信できません)。");
  }
  for (const std::string number : {"a@192.0.2.1", "a@example.123", "a@\xEF\xBC\x91.0.0.1"}) {
    EXPECT_TRUE(problem_of(number).en.contains("whose last part is a number")) << number;
    EXPECT_TRUE(problem_of(number).ja.contains("数字です")) << number;
  }
  for (const std::string fine : {"a@1.example.jp", "a@3com.example", "a@example.xn--wgv71a"}) {
    EXPECT_EQ(problem_of(fine).en, "") << fine;
  }
}

// What a list holds in the place of a recipient, and what is said of it.
TEST(CheckRecipient, SaysWhatToDoAboutWhatListsHold) {
  const auto problem_of = [](const std::string& email) {
    Problems problems;
    static_cast<void>(check_recipient({email, {}}, {}, Limits{}, problems));
    return problems.empty() ? Text() : problems.list().front().text;
  };
  for (const std::string failed : {"#N/A", "#REF!", "#DIV/0!", "#NAME?", "#######"}) {
    EXPECT_TRUE(problem_of(failed).en.contains("an error value of a spreadsheet")) << failed;
    EXPECT_TRUE(problem_of(failed).ja.contains("表計算ソフトのエラー値です")) << failed;
  }
  EXPECT_EQ(problem_of("#N/A@good.example").en, "") << "a mailbox that there may be";
  EXPECT_EQ(
      problem_of("Ａ@good.example"),
      (Text{"invalid e-mail format: it has the fullwidth \"Ａ\" (U+FF21) before the @, write "
            "the halfwidth \"A\".",
            "メールアドレスの形式が不正です (@の前に全角の「Ａ」(U+FF21) があります。半角の「A」"
            "にしてください)。"}));
  EXPECT_TRUE(problem_of("taro。yamada@good.example").en.contains("write the halfwidth \".\""));
  EXPECT_EQ(problem_of("taro@ｇｏｏｄ。example").en, "") << "IDNA says what that means";
  EXPECT_EQ(problem_of("山田@good.example").en, "");
  EXPECT_TRUE(problem_of("a b@good.example").ja.contains("空白は使用できません"));
  EXPECT_TRUE(problem_of("a(b@good.example").ja.contains("\"(\"は使用できません"));
}

TEST(RefusalOf, SaysOfEveryErrorWhatItMeansForTheCaller) {
  const auto kind = [](ErrorKind of) { return refusal_of({of, "detail"}).kind; };
  EXPECT_EQ(kind(ErrorKind::not_found), ErrorKind::not_found);
  EXPECT_EQ(kind(ErrorKind::conflict), ErrorKind::conflict);
  for (const ErrorKind ours : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::closed,
                               ErrorKind::io, ErrorKind::corrupt, ErrorKind::cancelled}) {
    const Refusal refusal = refusal_of({ours, "the disk is full"});
    EXPECT_EQ(refusal.kind, ErrorKind::unavailable);
    EXPECT_EQ(refusal.problems.list().front().text.ja.find("disk"), std::string::npos);
  }
}

TEST(RefusalOfChange, DoesNotSayThatNothingWasStoredWhereNobodyKnows) {
  const Refusal refusal = refusal_of_change({ErrorKind::io, "the disk is gone"});
  EXPECT_EQ(refusal.kind, ErrorKind::io);
  EXPECT_TRUE(refusal.problems.list().front().text.en.contains("not known whether"));
  EXPECT_TRUE(refusal.problems.list().front().text.ja.contains("不明です"));
  EXPECT_EQ(refusal_of_change({ErrorKind::unavailable, "full"}).kind, ErrorKind::unavailable);
  EXPECT_EQ(refusal_of_change({ErrorKind::conflict, "no"}).kind, ErrorKind::conflict);
}

TEST(Problems, OfOneFieldTheSameIsToldOnce) {
  Problems problems;
  problems.add({"template"}, texts::wrong_type("an object", "オブジェクト"));
  problems.add({"template"}, texts::wrong_type("an object", "オブジェクト"));
  problems.add({"template"}, texts::required());
  problems.add({"to"}, texts::required());
  EXPECT_EQ(problems.list().size(), 3U);
}

// "gpj.exe" after it shows as "exe.jpg", and so does the rest of the sentence.
TEST(Problems, NothingThatIsRepeatedChangesHowTheTextAroundItShows) {
  Problems problems;
  problems.add({"insert_code", "a\u202Eb"}, texts::duplicate_key("__\u2066x\u202E__"));
  const Problem& told = problems.list().front();
  EXPECT_EQ(told.path.back(), "a?b");
  EXPECT_EQ(told.text.en, "__?x?__: the key is given more than once.");
  EXPECT_EQ(told.text.ja, "__?x?__: キーが重複しています。");
}

}  // namespace
}  // namespace todoku::intake
