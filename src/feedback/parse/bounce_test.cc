// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/bounce.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feedback/parse/judged.h"
#include "feedback/parse/mail_parts.h"

namespace todoku::feedback::parse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Bounce::Kind;
using Action = ReturnedRecipient::Action;

Bounce bounce_of(std::string_view mail) {
  auto bounce = read_bounce(mail);
  EXPECT_TRUE(bounce) << bounce.error().detail;
  return bounce ? std::move(*bounce) : Bounce();
}

std::string report(std::string_view status, std::string_view text = "It came back.\n") {
  return std::string(
             "From: Mail System <MAILER-DAEMON@mx.example.jp>\n"
             "To: shop@sender.example\nSubject: Returned\nMIME-Version: 1.0\n"
             "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n"
             "--b\nContent-Type: text/plain\n\n") +
         std::string(text) + "\n--b\nContent-Type: message/delivery-status\n\n" +
         std::string(status) +
         "\n--b\nContent-Type: text/rfc822-headers\n\nTo: taro@example.jp\nSubject: x\n\n--b--\n";
}

std::string plain(std::string_view text, std::string_view fields = "") {
  return std::string("From: MAILER-DAEMON@mx.example.jp\nTo: shop@sender.example\n") +
         std::string(fields) + "Subject: failure notice\n\n" + std::string(text);
}

// "address class suppress?" of each recipient.
std::vector<std::string> told(const Bounce& bounce) {
  std::vector<std::string> lines;
  for (const ReturnedRecipient& each : bounce.recipients) {
    const Judged judged = judge(bounce, &each);
    lines.push_back(each.address + " " + judged.word + (judged.permanent ? " permanent" : "") +
                    (judged.suppress ? " suppress" : ""));
  }
  return lines;
}

// ---- the standard's form -----------------------------------------------------------------------

TEST(Bounce, OfTheStandardIsReadByItsFields) {
  const Bounce bounce = bounce_of(
      report("Reporting-MTA: dns; mx.example.jp\n\n"
             "Final-Recipient: rfc822; taro@example.jp\nAction: failed\nStatus: 5.1.1\n"
             "Remote-MTA: dns; in.example.jp\n"
             "Diagnostic-Code: smtp; 550 5.1.1 <taro@example.jp>: Recipient address rejected:\n"
             "    User unknown\n"));
  EXPECT_EQ(bounce.kind, Kind::report);
  ASSERT_THAT(bounce.recipients, SizeIs(1));
  EXPECT_EQ(bounce.recipients[0].reply.code, 550);
  EXPECT_EQ(bounce.recipients[0].status, "5.1.1");
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp mailbox permanent suppress"));
}

TEST(Bounce, WithLineEndsOfTheWireIsTheSame) {
  std::string mail = report(
      "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; taro@example.jp\n"
      "Action: failed\nStatus: 5.2.2\n");
  std::string wire;
  for (const char c : mail) wire += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(told(bounce_of(wire)), told(bounce_of(mail)));
  EXPECT_THAT(told(bounce_of(wire)), ElementsAre("taro@example.jp mailbox_full permanent"));
}

TEST(Bounce, NamesTheAddressThatItsSenderKnows) {
  const Bounce bounce = bounce_of(
      report("Reporting-MTA: dns; a\n\nOriginal-Recipient: rfc822;sales@example.jp\n"
             "Final-Recipient: rfc822;taro@inside.example.jp\nAction: failed\nStatus: 5.1.1\n"));
  ASSERT_THAT(bounce.recipients, SizeIs(1));
  EXPECT_EQ(bounce.recipients[0].address, "sales@example.jp");
}

TEST(Bounce, TellsSeveralRecipientsApart) {
  for (const std::string_view between : {"\n", ""}) {
    const Bounce bounce = bounce_of(
        report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@example.jp\nAction: failed\n"
               "Status: 5.1.1\n" +
               std::string(between) +
               "Final-Recipient: rfc822; b@example.jp\nAction: delayed\nStatus: 4.4.1\n"));
    EXPECT_THAT(told(bounce),
                ElementsAre("a@example.jp mailbox permanent suppress", "b@example.jp unreachable"));
  }
}

TEST(Bounce, OfMailThatArrivedSpeaksAgainstNobody) {
  const Bounce bounce = bounce_of(
      report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@example.jp\nAction: relayed\n"
             "Status: 2.0.0\n"));
  EXPECT_THAT(told(bounce), ElementsAre("a@example.jp delivered"));
}

TEST(Bounce, OfAnInternationalAddressIsRead) {
  std::string mail = report(
      "Reporting-MTA: dns; a\n\nFinal-Recipient: utf-8; 太郎@example.jp\n"
      "Action: failed\nStatus: 5.1.1\n");
  mail.replace(mail.find("message/delivery-status"), 23, "message/global-delivery-status");
  EXPECT_THAT(told(bounce_of(mail)), ElementsAre("太郎@example.jp mailbox permanent suppress"));
}

TEST(Bounce, TakesFromTheTextWhatTheFieldsDoNotSay) {
  const Bounce bounce = bounce_of(
      report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; taro@example.jp\nAction: failed\n"
             "Status: 5.0.0\n",
             "<taro@example.jp>: host in.example.jp said: 552 5.2.2 mailbox full (in reply to end "
             "of data)\n"));
  ASSERT_THAT(bounce.recipients, SizeIs(1));
  EXPECT_EQ(bounce.recipients[0].reply.code, 552);
  EXPECT_EQ(bounce.recipients[0].stage, Stage::data);
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp mailbox_full permanent"));
}

// ---- text for people ---------------------------------------------------------------------------

TEST(Bounce, OfFreeTextIsReadByWhereAnAddressStands) {
  const Bounce bounce = bounce_of(
      plain("Hi. This is the program at mx.example.jp. Questions: postmaster@mx.example.jp\n\n"
            "<taro@example.jp>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 550 5.1.1 No such user\nGiving up on 192.0.2.1.\n\n"
            "<hanako@example.com>:\n198.51.100.1 failed after I sent the message.\n"
            "Remote host said: 552 5.2.2 Mailbox full\n\n"
            "--- Below this line is a copy of the message.\n\nReturn-Path: <shop@sender.example>\n"
            "To: others@example.net\nSubject: x\n\nWrite to <sales@sender.example>:\n"));
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp mailbox permanent suppress",
                                        "hanako@example.com mailbox_full permanent"));
}

TEST(Bounce, ByAListInItsHeaderIsNoAutomaticAnswer) {
  const Bounce bounce =
      bounce_of(plain("This message was created automatically.\n\n  taro@example.jp\n"
                      "    SMTP error from remote mail server after RCPT TO:<taro@example.jp>:\n"
                      "    550 5.7.1 your address is on a blocklist\n\n------ This is a copy of "
                      "it. ------\n\nTo: x\n",
                      "Auto-Submitted: auto-replied\nX-Failed-Recipients: taro@example.jp\n"));
  EXPECT_EQ(bounce.kind, Kind::report);
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp reputation permanent"));
}

TEST(Bounce, InJapaneseIsRead) {
  // "The mailbox is full." in ISO-2022-JP, which the mail does not say.
  const std::string full = "\x1B$B%a!<%k%\\%C%/%9$,0lGU\x1B(B";
  const Bounce bounce =
      bounce_of(plain(full + "\n\n<taro@example.jp>\n\nReceived: from a\n by b\n"));
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp mailbox_full permanent"));
}

TEST(Bounce, OfADomainThatIsNotThereIsNoMailboxs) {
  EXPECT_THAT(told(bounce_of(plain(
                  "<taro@exmaple.jp>:\nI couldn't find any host named exmaple.jp. (#5.1.2)\n"))),
              ElementsAre("taro@exmaple.jp no_such_domain permanent suppress"));
  EXPECT_THAT(told(bounce_of(plain("<taro@example.jp>:\nConnection timed out. (#4.4.1)\n"
                                   "This message has been in the queue too long.\n"))),
              ElementsAre("taro@example.jp out_of_time"));
}

TEST(Bounce, WithoutANameIsOfWhomTheMailWasFor) {
  const Bounce bounce =
      bounce_of(plain("Sorry. 550 5.1.1 User unknown\n\nReceived: from a\n by b\n"
                      "To: Taro <taro@example.jp>\nSubject: x\n\nHello\n"));
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp mailbox permanent suppress"));
}

TEST(Bounce, OfAFilterOfTheRecipientsNeverSuppresses) {
  EXPECT_THAT(
      told(bounce_of(report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@au.example\n"
                            "Action: failed\nStatus: 5.0.0\n"
                            "Diagnostic-Code: smtp; 550 : User unknown\n"))),
      ElementsAre("a@au.example policy permanent"));
  EXPECT_THAT(
      told(bounce_of(report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@au.example\n"
                            "Action: failed\nStatus: 5.0.0\n"
                            "Diagnostic-Code: smtp; 550 <a@au.example>: User unknown\n"))),
      ElementsAre("a@au.example mailbox permanent suppress"));
}

TEST(Bounce, ThatWillBeTriedAgainIsNotOver) {
  EXPECT_THAT(told(bounce_of(plain("<taro@example.jp>: 550 5.1.1 User unknown\n"
                                   "It will be retried. You do not need to resend it.\n"))),
              ElementsAre("taro@example.jp mailbox"));
}

TEST(Bounce, WhatItSaysBeginsBehindTheClosedAddress) {
  const Bounce bounce =
      bounce_of(plain("<taro@example.jp>:\n宛先のユーザーが見つかりません\n",
                      "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                      "Content-Transfer-Encoding: 8bit\n"));
  ASSERT_EQ(bounce.recipients.size(), 1U);
  EXPECT_EQ(bounce.recipients[0].reply.text, "宛先のユーザーが見つかりません");
  const Bounce beside = bounce_of(plain("<taro@example.jp>: no such user\n"));
  ASSERT_EQ(beside.recipients.size(), 1U);
  EXPECT_EQ(beside.recipients[0].reply.text, "no such user");
}

TEST(Bounce, ThatSpeaksOfAnotherHostIsNotTheRecipients) {
  const auto diagnosed = [](std::string_view status, std::string_view diagnostic) {
    return told(bounce_of(
        report("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@example.jp\n"
               "Action: failed\nStatus: " +
               std::string(status) + "\nDiagnostic-Code: " + std::string(diagnostic) + "\n")));
  };
  for (const std::string_view quoted :
       {"smtp; 450 4.7.1 <mail.sender.example>: Helo command rejected: Host not found",
        "smtp; 554 5.7.1 <mail.sender.example>: Helo command rejected: Host not found",
        "smtp; 450 4.1.2 <a@example.jp>: Recipient address rejected: Domain not found",
        "smtp; 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: unknown host",
        "smtp; 550 HELO mail.sender.example: domain does not exist",
        "smtp; 550 reverse lookup failed: NXDOMAIN", "smtp; 550 No such domain: sender.example",
        "smtp; 550 5.1.2 Sender's domain: Host unknown",
        "smtp; 550 url in body: domain does not exist", "smtp; 451 4.4.3 nxdomain",
        "X-Postfix; Host or domain name not found. Name service error for name=example.jp "
        "type=MX: Host not found, try again"}) {
    for (const std::string& line : diagnosed(quoted.contains(" 4") ? "4.4.3" : "5.0.0", quoted)) {
      EXPECT_THAT(line, testing::Not(testing::HasSubstr("suppress"))) << quoted;
    }
  }
  EXPECT_THAT(diagnosed("5.1.2", "smtp; 550 5.1.2 <a@example.jp>... Host unknown"),
              ElementsAre("a@example.jp no_such_domain permanent suppress"));
}

TEST(Bounce, LettersOfPeopleAreNone) {
  const auto kind = [](std::string_view fields, std::string_view text) {
    return bounce_of(std::string(fields) + "\n" + std::string(text)).kind;
  };
  EXPECT_EQ(kind("From: taro@example.jp\nSubject: Rejected invoice\n",
                 "Please ask hanako@example.jp, the account suspended one.\n"),
            Kind::none);
  EXPECT_EQ(kind("From: taro@example.jp\nSubject: Re: Undelivered Mail Returned to Sender\n",
                 "> <hanako@example.jp>: 550 5.1.1 User unknown\n"),
            Kind::none);
  EXPECT_EQ(kind("From: taro@example.jp\nReturn-Path: <>\nSubject: Re: your mail\n",
                 "My account is disabled. Write to jiro@example.jp.\n"),
            Kind::auto_reply);
  EXPECT_EQ(kind("From: postmaster@example.jp\nAuto-Submitted: auto-replied\n"
                 "Subject: Automatic reply: hi\n",
                 "Mail to jiro@example.jp: account disabled\n"),
            Kind::auto_reply);
  EXPECT_EQ(kind("From: shop@example.jp\nSubject: Trampoline bounce house offer\n",
                 "The old account has been disabled.\n"),
            Kind::none);
}

TEST(Bounce, WhatTheReturnedMailSaidIsNoReason) {
  EXPECT_THAT(told(bounce_of(plain("Your message to taro@example.jp was rejected as spam.\n"
                                   "> Subject: 550 5.1.1 user unknown\n"
                                   "> hello 550 5.1.1 User unknown\n"))),
              testing::Each(testing::Not(testing::HasSubstr("suppress"))));
  EXPECT_THAT(told(bounce_of(plain("could not be delivered: virus found\n"
                                   "Recipient: taro@example.jp\nSubject: user unknown\n"))),
              testing::Each(testing::Not(testing::HasSubstr("suppress"))));
}

TEST(Bounce, AnAddressIsReadOutOfItsEncoding) {
  const auto address = [](std::string_view fields) {
    const Bounce bounce = bounce_of(report("Reporting-MTA: dns; a\n\n" + std::string(fields) +
                                           "Action: failed\nStatus: 5.1.1\n"));
    return bounce.recipients.empty() ? std::string() : bounce.recipients[0].address;
  };
  EXPECT_EQ(address("Final-Recipient: utf-8;\\x{592A}\\x{90CE}@example.jp\n"), "太郎@example.jp");
  EXPECT_EQ(address("Original-Recipient: rfc822;a+2Bb@example.jp\n"
                    "Final-Recipient: rfc822;a+b@example.jp\n"),
            "a+b@example.jp");
  EXPECT_EQ(address("Original-Recipient: rfc822;Taro+2Bb@Example.JP\n"
                    "Final-Recipient: rfc822;taro+b@example.jp\n"),
            "taro+b@example.jp")
      << "servers write addresses in small letters";
}

// ---- what is no report -------------------------------------------------------------------------

TEST(Bounce, AComplaintIsOfTheAddressThatItNames) {
  const std::string mail =
      "From: abuse@example.jp\nTo: fbl@sender.example\nSubject: FW: x\nMIME-Version: 1.0\n"
      "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
      "--b\nContent-Type: text/plain\n\nA report.\n--b\nContent-Type: message/feedback-report\n\n"
      "Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <taro@example.jp>\n\n"
      "--b\nContent-Type: message/rfc822\n\nTo: other@example.jp\nSubject: x\n\nHello\n--b--\n";
  EXPECT_EQ(bounce_of(mail).kind, Kind::complaint);
  EXPECT_THAT(told(bounce_of(mail)), ElementsAre("taro@example.jp complaint suppress"));
  std::string taken_back = mail;
  taken_back.replace(taken_back.find("abuse\n"), 5, "not-spam");
  EXPECT_THAT(told(bounce_of(taken_back)), ElementsAre("taro@example.jp not_spam"));
  std::string nameless = mail;
  nameless.erase(nameless.find("Original-Rcpt-To"), 36);
  EXPECT_THAT(told(bounce_of(nameless)), ElementsAre("other@example.jp complaint suppress"));
}

TEST(Bounce, AnAnswerOfSomebodyAwayIsNone) {
  for (const std::string_view fields :
       {"Auto-Submitted: auto-replied\nSubject: Re: x\n", "Subject: Out of Office: x\n",
        "Subject: =?UTF-8?B?6Ieq5YuV5b+c562U?=\n", "X-Autoreply: yes\nSubject: Re: x\n"}) {
    const Bounce bounce = bounce_of("From: taro@example.jp\nReturn-Path: <>\n" +
                                    std::string(fields) + "\nI am away.\n");
    EXPECT_EQ(bounce.kind, Kind::auto_reply) << fields;
    EXPECT_THAT(bounce.recipients, IsEmpty());
  }
}

TEST(Bounce, OrdinaryMailIsNone) {
  EXPECT_EQ(
      bounce_of("From: taro@example.jp\nSubject: Your order\n\n550 5.1.1 <x@example.jp>\n").kind,
      Kind::none);
  EXPECT_FALSE(read_bounce("no field at all"));
  EXPECT_FALSE(read_bounce(""));
}

// ---- what is broken ----------------------------------------------------------------------------

TEST(Bounce, CutAnywhereIsReadAsFarAsItGoes) {
  const std::string whole = report(
      "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; taro@example.jp\n"
      "Action: failed\nStatus: 5.1.1\n");
  for (std::size_t octets = 0; octets <= whole.size(); ++octets) {
    const auto bounce = read_bounce(std::string_view(whole).substr(0, octets));
    if (!bounce) continue;
    for (const ReturnedRecipient& each : bounce->recipients) {
      EXPECT_LE(each.address.size(), whole.size());
      (void)judge(*bounce, &each);
    }
  }
}

TEST(Bounce, IsBounded) {
  std::string status = "Reporting-MTA: dns; a\n";
  for (int i = 0; i < 5'000; ++i) {
    status += "\nFinal-Recipient: rfc822; u" + std::to_string(i) +
              "@example.jp\nAction: failed\nStatus: 5.1.1\n";
  }
  EXPECT_THAT(bounce_of(report(status)).recipients, SizeIs(kRecipientsMax));
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "<u" + std::to_string(i) + "@example.jp>:\n550 no\n";
  EXPECT_LE(bounce_of(plain(text)).recipients.size(), kRecipientsMax);
  std::string addresses;
  for (int i = 0; i < 40'000; ++i) addresses += "a@b.cc ";
  EXPECT_LE(bounce_of(plain(addresses)).recipients.size(), kRecipientsMax) << "in no time";
  std::string nested = "From: MAILER-DAEMON@a.example\n";
  for (int i = 0; i < 500; ++i) {
    const std::string name = "b" + std::to_string(i);
    nested += "Content-Type: multipart/mixed; boundary=" + name + "\n\n--" + name + "\n";
  }
  EXPECT_EQ(bounce_of(nested + "\n550 5.1.1 x").kind, Kind::report);
}

TEST(Bounce, AMillionFieldsAreReadNoFurtherThanABound) {
  std::string fields = "From: MAILER-DAEMON@a.example\n";
  for (int i = 0; i < 1'000'000; ++i) fields += "a:\n";
  EXPECT_TRUE(read_bounce(fields + "\n550 5.1.1 x"));
  std::string parameters = "From: MAILER-DAEMON@a.example\nContent-Type: text/plain";
  for (int i = 0; i < 400'000; ++i) parameters += ";\n a=b";
  EXPECT_TRUE(read_bounce(parameters + "\n\n550 5.1.1 x"));
  std::string parts = "From: MAILER-DAEMON@a.example\nContent-Type: multipart/mixed; boundary=b\n";
  for (int part = 0; part < 400; ++part) {
    parts += "\n--b\nContent-Type: text/plain";
    for (int i = 0; i < 1'400; ++i) parts += ";a=b";
    parts += "\n";
  }
  EXPECT_TRUE(read_bounce(parts));
  // What people write with colons is no field of it, and what stands behind a long one is read.
  std::string log;
  for (int i = 0; i < 300; ++i) log += "12:00:00 begun\n";
  const Bounce told = bounce_of(plain(log + "<taro@example.jp>:\n550 5.1.1 unknown\n"));
  ASSERT_THAT(told.recipients, SizeIs(1));
  EXPECT_EQ(told.recipients[0].address, "taro@example.jp");
}

TEST(Bounce, AddressFieldsOfStrangersAreNotBuilt) {
  std::string groups;
  for (int i = 0; i < 200'000; ++i) groups += "a:";
  std::string octets;
  for (int i = 0; i < 200'000; ++i) octets += "\\\xff,";
  for (const std::string& name :
       {std::string("To : "), std::string("Reply-To\t:"), std::string("Cc:"),
        "Bcc" + std::string(200, ' ') + ":", std::string("\xEF\xBB\xBFTo:")}) {
    for (const std::string& value : {groups, octets}) {
      std::string field = name;
      for (std::size_t at = 0; at < value.size(); at += 800) {
        field.append(value, at, 800).append("\n ");
      }
      field += "\n";
      EXPECT_TRUE(read_bounce("From: x\n" + field + "\nhi"));
      EXPECT_TRUE(read_bounce("From: x\n" + name + value + "\n\nhi"));
      EXPECT_TRUE(read_bounce("From: x\nContent-Type: message/rfc822\n\n" + field + "\nhi"));
    }
  }
}

TEST(Bounce, WhatLooksLikeAFieldWithinATextStaysAsItWas) {
  const auto mail = read_mail(
      "From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nTo : x\nCc: y\n"
      "--b\nContent-Type: message/rfc822\n\nTo : taro@example.jp\nSubject: s\n\nFrom: z\n"
      "--b--\n");
  ASSERT_TRUE(mail);
  ASSERT_THAT(mail->parts, SizeIs(2));
  EXPECT_THAT(mail->parts[0].text, testing::StartsWith("To : x\nCc: y"));
  EXPECT_EQ(mail->parts[1].fields.first("to"), "taro@example.jp");
  EXPECT_EQ(mail->parts[1].fields.first("subject"), "s");
  EXPECT_THAT(mail->parts[1].text, testing::HasSubstr("\n\nFrom: z"));
}

TEST(Bounce, AReplyOfAFreeTextIsPrintable) {
  using namespace std::string_literals;
  const auto text_of_reply = [](const std::string& text) {
    const Bounce bounce = bounce_of(plain(text));
    return bounce.recipients.empty() ? std::string() : bounce.recipients[0].reply.text;
  };
  EXPECT_EQ(text_of_reply("<taro@example.jp>: 550 5.1.1 no\0 such\x1B[31m user \u202E.\n"s),
            "5.1.1 no? such?[31m user ?.");
  EXPECT_THAT(text_of_reply("<taro@example.jp>:\nnobody\0 of\x1B[0m that\tname\u202E\n"s),
              testing::EndsWith("nobody? of?[0m that name?"));
}

TEST(Bounce, ARepliesCodeIsNoPartOfSomethingElse) {
  const auto reply = [](std::string_view text) {
    const Bounce bounce = bounce_of(plain("<taro@example.jp>:\n" + std::string(text) + "\n"));
    return bounce.recipients.empty() ? -1 : bounce.recipients[0].reply.code;
  };
  EXPECT_EQ(reply("host 192.0.2.1[192.0.2.450] said: 550-5.1.1 no\n550 5.1.1 such user"), 550);
  EXPECT_EQ(reply("message id 450123 of 5501 octets"), 0);
  EXPECT_EQ(reply("(reason: 452 4.2.2 full)"), 452);
  EXPECT_EQ(reply("port 587 was closed"), 0);
  EXPECT_EQ(reply(">>> MAIL From:<a@b.example> SIZE=559\n<<< 421 4.7.0 later"), 421);
  EXPECT_EQ(reply(">>> MAIL From:<a@b.example> SIZE=559 <<< 452 4.2.2 full"), 452);
}

TEST(Bounce, OfEximTellsWhatWasSaidInJapanese) {
  const auto text_of = [](const std::string& diagnostic) {
    const Bounce bounce =
        bounce_of(report("Reporting-MTA: dns; mx.example.jp\n\nAction: failed\n"
                         "Final-Recipient: rfc822;taro@example.jp\nStatus: 5.0.0\n"
                         "Diagnostic-Code: smtp; 550 5.1.1 " +
                         diagnostic + "\n"));
    return bounce.recipients.empty() ? std::string() : bounce.recipients[0].reply.text;
  };
  EXPECT_EQ(text_of(R"(\345\256\233\345\205\210\344\270\215\346\230\216)"), "5.1.1 宛先不明");
  // Neither half a letter, nor a folder of somebody's, nor a control.
  EXPECT_EQ(text_of(R"(\345\256)"), R"(5.1.1 \345\256)");
  EXPECT_EQ(text_of(R"(C:\200\400 \033)"), R"(5.1.1 C:\200\400 \033)");
}

TEST(Bounce, OfAWarningIsNotOverWhateverItSaysOfTime) {
  const Bounce bounce =
      bounce_of(report("Reporting-MTA: dns; mx.example.jp\n\n"
                       "Final-Recipient: rfc822; taro@example.jp\nAction: delayed\n"
                       "Status: 4.4.3\n",
                       "451 <taro@example.jp>... example.jp: Name server timeout\n"
                       "Warning: message still undelivered after 4 hours\n"));
  EXPECT_THAT(told(bounce), ElementsAre("taro@example.jp receiver_trouble"));
}

TEST(Bounce, OfADomainWithoutAMailServerNamesIt) {
  const Bounce exim =
      bounce_of(report("Reporting-MTA: dns; mx.example.jp\n\nAction: failed\n"
                       "Final-Recipient: rfc822;taro@example.jp\nStatus: 5.0.0\n",
                       "  taro@example.jp\n    an MX or SRV record indicated no SMTP service\n"));
  EXPECT_THAT(told(exim), ElementsAre("taro@example.jp null_mx permanent"));
}

}  // namespace
}  // namespace todoku::feedback::parse
