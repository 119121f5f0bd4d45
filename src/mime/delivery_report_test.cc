// SPDX-License-Identifier: Apache-2.0
#include "mime/delivery_report.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "mime/test_reader.h"

namespace todoku::mime {
namespace {

using test::Entity;

constexpr std::string_view kMail =
    "Subject: hello\r\nMessage-ID: <1@example.com>\r\n\r\nHow are you?\r\n";

DeliveryReport report() {
  DeliveryReport report;
  report.host = "mx.example.jp";
  report.to = "sender@example.com";
  report.message_id = "<report-1@mx.example.jp>";
  report.date = from_epoch_ms(1'767'225'600'000);  // 2026-01-01 00:00 UTC
  report.date_offset_minutes = 540;
  report.arrival = from_epoch_ms(1'767'222'000'000);
  report.message_id_of_mail = "<1@example.com>";
  report.mail = kMail;
  report.mail_is_whole = true;
  ReportedRecipient recipient;
  recipient.address = "nobody@example.net";
  recipient.status = {5, 1, 1};
  recipient.remote_mta = "mx.example.net";
  recipient.reply = {550, "5.1.1 No such user\nSorry"};
  recipient.explanation = "There is no such mailbox.";
  report.recipients.push_back(recipient);
  return report;
}

// The report as a reader sees it; what is wrong with it fails the test.
struct ReadReport {
  explicit ReadReport(const DeliveryReport& report) {
    const auto composed = compose_delivery_report(report);
    if (!composed) {
      ADD_FAILURE() << composed.error().detail;
      return;
    }
    EXPECT_EQ(test::form_problem(*composed, 990), "");
    EXPECT_LE(composed->size(), kDeliveryReportOctetsMax);
    whole = test::read_entity(*composed);
    parts = test::read_parts(whole);
    EXPECT_GE(parts.size(), 2U);
    parts.resize(3);
    text = test::read_content(parts[0]).value_or("unreadable");
    // RFC 3464 section 2.1: groups of fields with a blank line between them.
    std::string rest = test::read_content(parts[1]).value_or("unreadable");
    while (!rest.empty()) {
      Entity group = test::read_entity(rest);
      rest = std::move(group.body);
      group.body.clear();
      groups.push_back(std::move(group));
    }
    groups.resize(std::max<std::size_t>(groups.size(), 2));
  }

  Entity whole;
  std::vector<Entity> parts;
  std::string text;
  std::vector<Entity> groups;  // of the mail, then one for each recipient
};

TEST(DeliveryReport, TellsAPersonAndAMachine) {
  DeliveryReport given = report();
  given.envelope_id = "order 17";
  given.subject_of_mail = "hello\r\nX: y";
  given.number_of_mail = 42;
  given.recipients[0].original = OriginalRecipient{"rfc822", "list@example.org"};
  given.recipients[0].last_attempt = given.date;
  const ReadReport read(given);
  EXPECT_EQ(read.whole.field("From"), "Mail Delivery System <MAILER-DAEMON@mx.example.jp>");
  EXPECT_EQ(read.whole.field("To"), "sender@example.com");
  EXPECT_EQ(read.whole.field("Subject"), "Your mail could not be delivered");
  EXPECT_EQ(read.whole.field("Date"), "Thu, 01 Jan 2026 09:00:00 +0900");
  EXPECT_EQ(read.whole.field("Message-ID"), "<report-1@mx.example.jp>");
  EXPECT_EQ(read.whole.field("In-Reply-To"), "<1@example.com>");
  EXPECT_EQ(read.whole.field("References"), "<1@example.com>");
  EXPECT_EQ(read.whole.field("Auto-Submitted"), "auto-replied");
  EXPECT_TRUE(read.whole.field("Content-Type")
                  .starts_with("multipart/report; report-type=delivery-status;"));

  EXPECT_TRUE(read.text.contains("<nobody@example.net> (sent to list@example.org)"));
  given.recipients[0].original = OriginalRecipient{"rfc822", "Nobody@Example.NET"};
  EXPECT_FALSE(ReadReport(given).text.contains("sent to")) << "it is the same address";
  EXPECT_TRUE(read.text.contains("There is no such mailbox."));
  EXPECT_TRUE(read.text.contains("    Subject: hello"));
  EXPECT_FALSE(read.text.contains("\nX: y"));
  EXPECT_TRUE(read.text.contains("    kept as delivery 42\r\n"));
  EXPECT_TRUE(
      read.text.contains("The mail server mx.example.net answered:\r\n"
                         "      550 5.1.1 No such user Sorry\r\n"));

  EXPECT_EQ(read.parts[1].field("Content-Type"), "message/delivery-status");
  ASSERT_EQ(read.groups.size(), 2U);
  EXPECT_EQ(read.groups[0].field("Reporting-MTA"), "dns; mx.example.jp");
  EXPECT_EQ(read.groups[0].field("Original-Envelope-Id"), "order 17");
  EXPECT_EQ(read.groups[0].field("Arrival-Date"), "Thu, 01 Jan 2026 08:00:00 +0900");
  const Entity& recipient = read.groups[1];
  EXPECT_EQ(recipient.field("Original-Recipient"), "rfc822; list@example.org");
  EXPECT_EQ(recipient.field("Final-Recipient"), "rfc822; nobody@example.net");
  EXPECT_EQ(recipient.field("Action"), "failed");
  EXPECT_EQ(recipient.field("Status"), "5.1.1");
  EXPECT_EQ(recipient.field("Remote-MTA"), "dns; mx.example.net");
  EXPECT_EQ(recipient.field("Diagnostic-Code"), "smtp; 550 5.1.1 No such user Sorry");
  EXPECT_EQ(recipient.field("Last-Attempt-Date"), "Thu, 01 Jan 2026 09:00:00 +0900");
  EXPECT_EQ(recipient.count("Will-Retry-Until"), 0U);

  EXPECT_EQ(read.parts[2].field("Content-Type"), "message/rfc822");
  EXPECT_EQ(read.parts[2].body, kMail);
}

TEST(DeliveryReport, SpeaksJapanese) {
  DeliveryReport given = report();
  given.language = Language::japanese;
  given.recipients[0].explanation = "宛先のメールアドレスが存在しません。";
  const ReadReport read(given);
  EXPECT_TRUE(read.whole.field("Subject").starts_with("=?UTF-8?B?"));
  EXPECT_TRUE(read.whole.field("From").ends_with("<MAILER-DAEMON@mx.example.jp>"));
  EXPECT_TRUE(read.text.contains("次の宛先にメールをお届けできませんでした"));
  EXPECT_TRUE(read.text.contains("宛先のメールアドレスが存在しません。"));
  EXPECT_EQ(read.groups[1].field("Action"), "failed") << "for machines nothing differs";
}

TEST(DeliveryReport, SaysOfADelayHowLongItIsTried) {
  DeliveryReport given = report();
  ReportedRecipient& recipient = given.recipients[0];
  recipient.action = ReportAction::delayed;
  recipient.status = {4, 4, 1};
  recipient.reply = {0, "connection timed out after 30 s"};
  recipient.retry_until = from_epoch_ms(1'767'312'000'000);
  const ReadReport read(given);
  EXPECT_EQ(read.whole.field("Subject"), "Your mail is delayed");
  EXPECT_EQ(read.groups[1].field("Action"), "delayed");
  EXPECT_EQ(read.groups[1].field("Status"), "4.4.1");
  EXPECT_EQ(read.groups[1].field("Will-Retry-Until"), "Fri, 02 Jan 2026 09:00:00 +0900");
  EXPECT_EQ(read.groups[1].field("Diagnostic-Code"), "X-Todoku; connection timed out after 30 s");
  EXPECT_EQ(read.parts[2].field("Content-Type"), "text/rfc822-headers") << "RFC 3461 section 4.3";
  EXPECT_EQ(read.parts[2].body, "Subject: hello\r\nMessage-ID: <1@example.com>\r\n");
}

TEST(DeliveryReport, HasAStatusOfTheActionsClass) {
  DeliveryReport given = report();
  given.recipients[0].action = ReportAction::relayed;
  EXPECT_EQ(ReadReport(given).groups[1].field("Status"), "2.0.0");
  given.recipients[0].action = ReportAction::failed;
  given.recipients[0].status = {};
  EXPECT_EQ(ReadReport(given).groups[1].field("Status"), "5.0.0");
  given.recipients[0].status = {4, 4, 7};
  EXPECT_EQ(ReadReport(given).groups[1].field("Status"), "4.4.7") << "its time is over";
}

TEST(DeliveryReport, IsNotBrokenByWhatOthersSaid) {
  DeliveryReport given = report();
  for (const std::string_view said :
       {std::string_view("no\r\n\r\nFinal-Recipient: rfc822; x@example.com\r\nAction: delivered"),
        std::string_view("a\nb\rc\0d\x80\xff\x1b[31m", 14), std::string_view("日本語の応答\u2028"),
        std::string_view("\r\n--=_\r\n")}) {
    given.recipients[0].reply.text = said;
    given.recipients[0].remote_mta = said;
    given.recipients[0].explanation = said;
    given.recipients[0].original = OriginalRecipient{"rfc822", std::string(said)};
    given.recipients[0].action = ReportAction::failed;
    given.envelope_id = said;
    given.message_id_of_mail = said;
    const ReadReport read(given);
    ASSERT_EQ(read.groups.size(), 2U);
    EXPECT_EQ(read.groups[1].count("Action"), 1U);
    EXPECT_EQ(read.groups[1].field("Action"), "failed");
    EXPECT_EQ(read.groups[1].count("Final-Recipient"), 1U);
    EXPECT_EQ(read.whole.count("In-Reply-To"), 0U);
    EXPECT_EQ(read.parts[2].body, kMail);
  }
}

TEST(DeliveryReport, IsNotBrokenByTheMail) {
  DeliveryReport given = report();
  // The boundary is known to who knows everything that goes in, but for the mail itself.
  const std::string boundary =
      test::parameter(ReadReport(given).whole.field("Content-Type"), "boundary");
  const std::string mail = std::string(kMail) + "--" + boundary + "--\r\n";
  given.mail = mail;
  const ReadReport read(given);
  EXPECT_NE(test::parameter(read.whole.field("Content-Type"), "boundary"), boundary);
  EXPECT_EQ(read.parts[2].body, mail);
}

TEST(DeliveryReport, ReturnsWhatFits) {
  DeliveryReport given = report();
  given.returned = DsnReturn::hdrs;
  EXPECT_EQ(ReadReport(given).parts[2].field("Content-Type"), "text/rfc822-headers");
  given.returned = DsnReturn::full;
  const std::string large = std::string(kMail) + std::string(kReturnedMailOctetsMax, '\n');
  given.mail = large;
  EXPECT_EQ(ReadReport(given).parts[2].field("Content-Type"), "text/rfc822-headers");
  const std::string signed_by_others = "DKIM-Signature: v=1\r\nSubject: a\r\n\r\n日本\r\n";
  given.mail = signed_by_others;
  EXPECT_EQ(ReadReport(given).parts[2].field("Content-Type"), "text/rfc822-headers");
  const std::string bare = std::string(kMail) + "a\nb\r\n";
  given.mail = bare;
  EXPECT_EQ(ReadReport(given).parts[2].field("Content-Type"), "text/rfc822-headers");
  const std::string open_end = std::string(kMail) + "no line end";
  given.mail = open_end;
  EXPECT_EQ(ReadReport(given).parts[2].body, open_end + "\r\n");
  std::string long_head;
  for (int i = 0; i < 4000; ++i) long_head += "X-Field: value\r\n";
  given.mail = long_head;
  const ReadReport cut(given);
  EXPECT_LE(cut.parts[2].body.size(), kReturnedHeadOctetsMax);
  EXPECT_TRUE(cut.parts[2].body.ends_with("X-Field: value\r\n"));
  given.mail = {};
  EXPECT_TRUE(ReadReport(given).parts[2].fields.empty());
}

// RFC 2046 section 5.2.1: message/rfc822 itself cannot be encoded, its parts can.
TEST(DeliveryReport, ReturnsAMailThatIsEightBitOrHasLongLinesWithItsPartsEncoded) {
  for (const std::string& text : {std::string("届きました。"), std::string(2000, 'x')}) {
    DeliveryReport given = report();
    const std::string mail =
        "Subject: order\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        "8bit\r\n\r\n" +
        text + "\r\n--b\r\n\r\nplain\r\n--b--\r\n";
    given.mail = mail;
    const ReadReport read(given);
    ASSERT_EQ(read.parts.size(), 3U);
    EXPECT_EQ(read.parts[2].field("Content-Type"), "message/rfc822");
    EXPECT_EQ(read.parts[2].field("Content-Transfer-Encoding"), "7bit");
    const auto returned = test::read_entity(read.parts[2].body);
    EXPECT_EQ(returned.field("Subject"), "order");
    const auto parts = test::read_parts(returned);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(test::read_content(parts[0]), text);
    EXPECT_EQ(parts[1].body, "plain");
    given.returned = DsnReturn::hdrs;
    EXPECT_EQ(ReadReport(given).parts[2].field("Content-Type"), "text/rfc822-headers");
  }
}

TEST(DeliveryReport, SaysAddressesBeyondAscii) {
  DeliveryReport given = report();
  given.recipients[0].address = "届く@example.jp";
  const std::string mail = "Subject: 件名\r\n\r\n本文\r\n";
  given.mail = mail;
  const ReadReport read(given);
  EXPECT_TRUE(read.whole.field("Content-Type").contains("report-type=global-delivery-status;"));
  EXPECT_EQ(read.parts[1].field("Content-Type"), "message/global-delivery-status");
  EXPECT_EQ(read.groups[1].field("Final-Recipient"), "utf-8;届く@example.jp");
  EXPECT_EQ(read.parts[2].field("Content-Type"), "message/global");
  EXPECT_EQ(test::read_content(read.parts[2]), mail);
  given.returned = DsnReturn::hdrs;
  const ReadReport heads(given);
  EXPECT_EQ(heads.parts[2].field("Content-Type"), "message/global-headers");
  EXPECT_EQ(test::read_content(heads.parts[2]), "Subject: 件名\r\n");
}

// RFC 6533 section 3: what could be read as \x{HEX}, or ends a parameter, is said by it.
TEST(DeliveryReport, SaysAddressesOfTypeUtf8InTheirOwnForm) {
  DeliveryReport given = report();
  given.recipients[0].original = OriginalRecipient{"UTF-8", R"("a\x{E9} b"+c@example.jp)"};
  const ReadReport ascii(given);
  EXPECT_EQ(ascii.parts[1].field("Content-Type"), "message/delivery-status");
  EXPECT_EQ(ascii.groups[1].field("Original-Recipient"),
            R"(utf-8;"a\x{5C}x{E9}\x{20}b"\x{2B}c@example.jp)");
  given.recipients[0].original = OriginalRecipient{"utf-8", "届く+c@example.jp"};
  const ReadReport global(given);
  EXPECT_EQ(global.parts[1].field("Content-Type"), "message/global-delivery-status");
  EXPECT_EQ(global.groups[1].field("Original-Recipient"), R"(utf-8;届く\x{2B}c@example.jp)");
  EXPECT_EQ(parse_orcpt(global.groups[1].field("Original-Recipient"), true),
            given.recipients[0].original);
}

TEST(DeliveryReport, IsBounded) {
  DeliveryReport given = report();
  given.language = Language::japanese;
  ReportedRecipient& first = given.recipients[0];
  first.address = "届";
  for (int i = 0; i < 500; ++i) first.address += "く";
  first.reply.text = std::string(100'000, '\xff');
  first.explanation = std::string(100'000, '\xff');
  first.original = OriginalRecipient{"utf-8", first.address};
  given.recipients.resize(130, first);
  const ReadReport read(given);
  EXPECT_EQ(read.groups.size(), 1 + kReportedRecipientsMax);
  EXPECT_TRUE(read.text.contains("このほか 30 件の宛先"));
}

TEST(DeliveryReport, IsTheSameForTheSame) {
  EXPECT_EQ(compose_delivery_report(report()), compose_delivery_report(report()));
}

TEST(DeliveryReport, RefusesWhatIsNone) {
  const auto refused = [](auto change) {
    DeliveryReport given = report();
    change(given);
    return !compose_delivery_report(given);
  };
  EXPECT_TRUE(refused([](DeliveryReport& given) { given.recipients.clear(); }));
  EXPECT_TRUE(refused([](DeliveryReport& given) { given.to = ""; }));
  EXPECT_TRUE(refused([](DeliveryReport& given) { given.host = "a\r\nBcc: x"; }));
  EXPECT_TRUE(refused([](DeliveryReport& given) { given.message_id = "<a@b> <c@d>"; }));
}

}  // namespace
}  // namespace todoku::mime
