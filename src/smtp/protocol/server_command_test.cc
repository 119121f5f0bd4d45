// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_command.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace todoku::smtp {
namespace {

constexpr MailParameters kAll{.size = true, .eight_bit_mime = true, .smtputf8 = true, .auth = true};

std::string refusal(const std::expected<MailCommand, Reply>& parsed) {
  return parsed ? "accepted" : std::to_string(parsed.error().code) + " " + parsed.error().text;
}
std::string mail_refusal(std::string_view argument, MailParameters allowed = kAll) {
  return refusal(parse_mail(argument, allowed));
}
std::string rcpt(std::string_view argument, RcptParameters allowed = {}) {
  const auto parsed = parse_rcpt(argument, allowed, "mx.example.jp");
  return parsed ? parsed->recipient.to_string()
                : std::to_string(parsed.error().code) + " " + parsed.error().text;
}

TEST(ServerCommand, VerbsAreReadWithoutRegardToCaseOrBlanks) {
  EXPECT_EQ(parse_command_line("mAiL FROM:<>").verb, Verb::mail);
  EXPECT_EQ(parse_command_line("mAiL   FROM:<> ").argument, "FROM:<>");
  EXPECT_EQ(parse_command_line("QUIT ").verb, Verb::quit);
  EXPECT_EQ(parse_command_line("QUITE").verb, Verb::unknown);
  EXPECT_EQ(parse_command_line("").verb, Verb::unknown);
  EXPECT_EQ(parse_command_line("GET / HTTP/1.1").verb, Verb::http);
}

TEST(ServerCommand, MailTakesItsParametersInAnyOrder) {
  const auto parsed =
      parse_mail("FROM:<a@Example.JP> smtputf8 BODY=8bitmime SIZE=1234 AUTH=<>", kAll);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->sender->to_string(), "a@example.jp");
  EXPECT_EQ(parsed->size, 1234U);
  EXPECT_EQ(parsed->body, BodyType::eight_bit_mime);
  EXPECT_TRUE(parsed->smtputf8);
}

TEST(ServerCommand, TheNullPathIsASender) {
  const auto parsed = parse_mail("from:<> SIZE=10", kAll);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->sender);
}

TEST(ServerCommand, AnAddressMayLackItsDomainWhereThatIsAllowed) {
  const auto sender = [](std::string_view argument, bool allowed = true) {
    const auto parsed = parse_mail(argument, {.unqualified = allowed});
    if (!parsed) return std::to_string(parsed.error().code);
    return parsed->sender->local + "|" + parsed->sender->domain;
  };
  EXPECT_EQ(sender("FROM:<root>"), "root|");
  EXPECT_EQ(sender("FROM:<root@localhost>"), "root|");
  EXPECT_EQ(sender("FROM:<\"a b\"@web1>"), "a b|");
  EXPECT_EQ(sender("FROM:<root@web1.example.jp>"), "root|web1.example.jp");
  EXPECT_EQ(sender("FROM:<root@[127.0.0.1]>"), "root|[127.0.0.1]");
  EXPECT_EQ(sender("FROM:<a b>"), "501");
  EXPECT_EQ(sender("FROM:<a@b@web1>"), "501");
  EXPECT_EQ(sender("FROM:<@>"), "501");
  EXPECT_EQ(sender("FROM:<root>", false), "501");
  EXPECT_EQ(sender("FROM:<root@localhost>", false), "501");
  const auto recipient = [](std::string_view argument) {
    const auto parsed = parse_rcpt(argument, {.unqualified = true}, "mx.example.jp");
    return parsed ? parsed->recipient.local + "|" + parsed->recipient.domain
                  : std::to_string(parsed.error().code);
  };
  EXPECT_EQ(recipient("TO:<root>"), "root|");
  EXPECT_EQ(recipient("TO:<postmaster>"), "postmaster|");
  EXPECT_EQ(recipient("TO:<>"), "501");
}

TEST(ServerCommand, MailRefusesWithTheRightCode) {
  EXPECT_EQ(mail_refusal("a@example.jp"), "501 5.5.4 Syntax: MAIL FROM:<address>");
  EXPECT_EQ(mail_refusal("FROM:a@example.jp"), "501 5.5.4 Syntax: MAIL FROM:<address>");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp"), "501 5.5.4 Syntax: MAIL FROM:<address>");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp>SIZE=1"), "501 5.5.4 Syntax: MAIL FROM:<address>");
  EXPECT_EQ(mail_refusal("FROM:<a b@example.jp>"),
            "501 5.1.7 The address has a space, which an address cannot hold");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SIZE=x"), "501 5.5.4 Bad value of parameter SIZE");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SIZE=-1"), "501 5.5.4 Bad value of parameter SIZE");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> BODY=BINARYMIME"),
            "501 5.5.4 Bad value of parameter BODY");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SMTPUTF8=1"),
            "501 5.5.4 Bad value of parameter SMTPUTF8");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> RET=HDRS"), "555 5.5.4 Unknown parameter RET");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SIZE=1", {}), "555 5.5.4 Unknown parameter SIZE");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SIZE=1 size=2"),
            "501 5.5.4 Twice the parameter size");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> BODY=7BIT SIZE=1 BODY=7BIT"),
            "501 5.5.4 Twice the parameter BODY");
  EXPECT_EQ(mail_refusal("FROM:<a@example.jp> SMTPUTF8 SMTPUTF8"),
            "501 5.5.4 Twice the parameter SMTPUTF8");
}

TEST(ServerCommand, AddressesBeyondAsciiNeedTheParameter) {
  EXPECT_EQ(mail_refusal("FROM:<届く@example.jp>"), "553 5.6.7 The address needs SMTPUTF8");
  EXPECT_EQ(mail_refusal("FROM:<届く@example.jp> SMTPUTF8"), "accepted");
  EXPECT_EQ(rcpt("TO:<届く@example.jp>"), "553 5.6.7 The address needs SMTPUTF8");
  EXPECT_EQ(rcpt("TO:<a@日本語.jp>", {.smtputf8 = true}), "a@xn--wgv71a119e.jp");
}

TEST(ServerCommand, RcptReadsQuotedRoutedAndBlankLedPaths) {
  EXPECT_EQ(rcpt("TO:<a@example.jp>"), "a@example.jp");
  EXPECT_EQ(rcpt("to: <a@example.jp>"), "a@example.jp");
  EXPECT_EQ(rcpt(R"(TO:<"a>b\"c"@example.jp>)"), R"("a>b\"c"@example.jp)");
  EXPECT_EQ(rcpt(R"(TO:<"a..b."@docomo.ne.jp>)"), R"("a..b."@docomo.ne.jp)");
  EXPECT_EQ(rcpt("TO:<@relay.example.com,@x.example.com:a@example.jp>"), "a@example.jp");
  EXPECT_EQ(rcpt("TO:<a@[192.0.2.1]>"), "a@[192.0.2.1]");
}

TEST(ServerCommand, RcptRefusesWithTheRightCode) {
  EXPECT_EQ(rcpt("TO:<>"), "501 5.1.3 The address is empty");
  EXPECT_EQ(rcpt("TO:<a>"), "501 5.1.3 The address has no @");
  EXPECT_EQ(rcpt("TO:a@example.jp"), "501 5.5.4 Syntax: RCPT TO:<address>");
  EXPECT_EQ(rcpt("TO:<@x.example.com>"), "501 5.5.4 Syntax: RCPT TO:<address>");
  EXPECT_EQ(rcpt("TO:<a@example.jp> NOTIFY=NEVER"), "555 5.5.4 Unknown parameter NOTIFY");
}

constexpr RcptParameters kDsn{.dsn = true};

TEST(ServerCommand, ParametersOfReportsAreTakenOnceAndWithinBounds) {
  EXPECT_EQ(rcpt("TO:<a@example.jp> NOTIFY=NEVER", kDsn), "a@example.jp");
  EXPECT_EQ(rcpt("TO:<a@example.jp> ORCPT=rfc822;" + std::string(493, 'x'), kDsn), "a@example.jp");
  for (const std::string& bad :
       {std::string("NOTIFY="), std::string("NOTIFY"), std::string("NOTIFY=NEVER,DELAY"),
        std::string("NOTIFY=DELAY NOTIFY=DELAY"), std::string("NOTIFY=DELAY,")}) {
    EXPECT_EQ(rcpt("TO:<a@example.jp> " + bad, kDsn), "501 5.5.4 Bad value of parameter NOTIFY");
  }
  for (const std::string& bad :
       {std::string("ORCPT=a@example.jp"), std::string("ORCPT=rfc822;"),
        std::string("ORCPT=rfc822;a+0D+0A"), std::string("ORCPT=rfc822;a ORCPT=rfc822;a"),
        "ORCPT=rfc822;" + std::string(494, 'x')}) {
    EXPECT_EQ(rcpt("TO:<a@example.jp> " + bad, kDsn), "501 5.5.4 Bad value of parameter ORCPT");
  }
  constexpr RcptParameters kDsnUtf8{.smtputf8 = true, .dsn = true};
  EXPECT_EQ(rcpt(R"(TO:<a@example.jp> ORCPT=utf-8;\x{E9}@example.jp)", kDsn), "a@example.jp");
  EXPECT_EQ(rcpt("TO:<a@example.jp> ORCPT=utf-8;é@example.jp", kDsnUtf8), "a@example.jp");
  EXPECT_EQ(rcpt("TO:<a@example.jp> ORCPT=utf-8;é@example.jp", kDsn).substr(0, 3), "501");
  const MailParameters dsn{.dsn = true};
  EXPECT_EQ(mail_refusal("FROM:<> RET=FULL ENVID=" + std::string(100, 'x'), dsn), "accepted");
  for (const std::string& bad : {std::string("RET=ALL"), std::string("RET=FULL RET=FULL")}) {
    EXPECT_EQ(mail_refusal("FROM:<> " + bad, dsn), "501 5.5.4 Bad value of parameter RET");
  }
  for (const std::string& bad :
       {std::string("ENVID="), std::string("ENVID=+0A"), std::string("ENVID=a=b"),
        std::string("ENVID=a ENVID=a"), "ENVID=" + std::string(101, 'x')}) {
    EXPECT_EQ(mail_refusal("FROM:<> " + bad, dsn), "501 5.5.4 Bad value of parameter ENVID");
  }
}

TEST(ServerCommand, PostmasterNeedsNoDomain) {
  EXPECT_EQ(rcpt("TO:<PostMaster>"), "PostMaster@mx.example.jp");
}

TEST(ServerCommand, BdatReadsSizeAndLast) {
  EXPECT_EQ(parse_bdat("0")->octets, 0U);
  EXPECT_FALSE(parse_bdat("86")->last);
  EXPECT_TRUE(parse_bdat("86 last")->last);
  EXPECT_EQ(parse_bdat("18446744073709551615")->octets, 18'446'744'073'709'551'615U);
  for (const std::string_view bad :
       {"", "LAST", "1x", "-1", "+1", "1 LASTLY", "1 LAST 2", "18446744073709551616", "0x10"}) {
    EXPECT_FALSE(parse_bdat(bad)) << bad;
  }
}

}  // namespace
}  // namespace todoku::smtp
