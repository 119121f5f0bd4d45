// SPDX-License-Identifier: Apache-2.0
#include "cli/submitted_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The same wherever it is cut.
std::string text(std::string_view written, bool dot_ends = true) {
  std::string whole;
  for (const std::size_t size : {written.size() + 1, std::size_t{1}, std::size_t{3}}) {
    std::string out;
    SubmittedText reader(dot_ends);
    for (std::size_t at = 0; at < written.size(); at += size) {
      if (!reader.take(written.substr(at, size), out)) break;
    }
    reader.finish(out);
    if (size > written.size()) whole = out;
    EXPECT_EQ(out, whole) << "in pieces of " << size;
  }
  return whole;
}

std::vector<std::string> recipients(std::string_view written) {
  SubmittedHead head;
  for (const char c : written) head.take({&c, 1});
  auto found = head.recipients();
  return found ? std::move(*found) : std::vector{"error: " + found.error().detail};
}

TEST(SubmittedText, LinesEndAsSmtpWantsThem) {
  EXPECT_EQ(text("a\nb\n"), "a\r\nb\r\n");
  EXPECT_EQ(text("a\r\nb\r\n"), "a\r\nb\r\n");
  EXPECT_EQ(text("a\r\r\nb"), "a\r\nb\r\n");
  EXPECT_EQ(text("\n\n"), "\r\n\r\n");
  EXPECT_EQ(text("a\r"), "a\r\n");
  EXPECT_EQ(text(""), "");
}

TEST(SubmittedText, ACarriageReturnElsewhereStaysForTheRelayToRefuse) {
  EXPECT_EQ(text("a\rb\n"), "a\rb\r\n");
  EXPECT_EQ(text("\r.\n"), "\r.\r\n") << "no line with a dot alone";
  EXPECT_EQ(text(".\rb\n"), ".\rb\r\n");
  const std::string many(1000, '\r');
  EXPECT_THAT(text("a" + many + "\n"), HasSubstr("a\r\r"));
}

TEST(SubmittedText, ADotAloneEndsIt) {
  EXPECT_EQ(text("a\n.\nb\n"), "a\r\n");
  EXPECT_EQ(text("a\r\n.\r\nb\r\n"), "a\r\n");
  EXPECT_EQ(text("a\n."), "a\r\n");
  EXPECT_EQ(text("a\n..\n.b\n. \n"), "a\r\n..\r\n.b\r\n. \r\n");
  EXPECT_EQ(text("a\n.\nb\n", false), "a\r\n.\r\nb\r\n");
  EXPECT_EQ(text("a\n.", false), "a\r\n.\r\n");
}

TEST(SubmittedText, TheLineOfAMailboxFileGoes) {
  EXPECT_EQ(text("From root Thu Jan  1 00:00:00 2026\nTo: a\n\nFrom b\n"),
            "To: a\r\n\r\nFrom b\r\n");
  EXPECT_EQ(text("From: a\n"), "From: a\r\n");
  EXPECT_EQ(text("Fro"), "Fro\r\n");
  EXPECT_EQ(text("From "), "");
}

TEST(SubmittedText, ATextAloneHasNoHeader) {
  EXPECT_TRUE(has_header("Subject: x\r\n\r\nbody\r\n"));
  EXPECT_TRUE(has_header("Subject : x\r\n"));
  EXPECT_TRUE(has_header("\r\nbody\r\n"));
  EXPECT_TRUE(has_header(""));
  EXPECT_FALSE(has_header("the disk is full\r\nTo: a\r\n"));
  EXPECT_FALSE(has_header("the disk: full\r\n"));
  EXPECT_FALSE(has_header(" To: a\r\n"));
  EXPECT_FALSE(has_header(": a\r\n"));
}

TEST(SubmittedHead, RecipientsAreThoseOfToCcAndBcc) {
  EXPECT_THAT(recipients("From: x@example.jp\r\nTo: Taro <a@example.jp>, b@example.com\r\n"
                         "CC: c@example.com\r\nbcc : d@example.com,\r\n e@example.com\r\n\r\n"
                         "To: body@example.com\r\n"),
              ElementsAre("a@example.jp", "b@example.com", "c@example.com", "d@example.com",
                          "e@example.com"));
  EXPECT_THAT(recipients("To: root, Web <www-data@web1>\r\n"),
              ElementsAre("root", "www-data@web1"));
  EXPECT_THAT(recipients("To: undisclosed-recipients:;\r\n\r\n"), IsEmpty());
  EXPECT_THAT(recipients("To: us: a@example.jp, b@example.jp;\r\n\r\n"),
              ElementsAre("a@example.jp", "b@example.jp"));
  EXPECT_THAT(recipients("no field\r\nTo: a@example.jp\r\n"), IsEmpty());
}

TEST(SubmittedHead, WhatIsSentAnewGoesToTheNewestOnly) {
  const std::string old = "Resent-To: old@example.jp\r\nResent-From: y@example.jp\r\n";
  const std::string rest = "To: first@example.jp\r\nCc: cc@example.jp\r\n\r\n";
  EXPECT_THAT(recipients("Resent-From: x@example.jp\r\nResent-To: a@example.jp\r\n"
                         "Resent-Bcc: b@example.jp\r\n" +
                         old + rest),
              ElementsAre("a@example.jp", "b@example.jp"));
  EXPECT_THAT(recipients(old + rest), ElementsAre("old@example.jp"));
}

TEST(SubmittedHead, SaysWhichFieldIsNone) {
  EXPECT_THAT(recipients("To: a@example.jp\r\nCc: <b@example.jp\r\n\r\n"),
              ElementsAre("error: the field cc: has a < without its >"));
  EXPECT_THAT(recipients("X: " + std::string(SubmittedHead::kOctetsMax, 'x')),
              ElementsAre(HasSubstr("error: the header section is larger than")));
}

TEST(SubmittedHead, KnowsWhichFieldsThereAre) {
  SubmittedHead head;
  head.take("FROM: a@example.jp\r\nSubject: From\r\n\r\nSender: b\r\n");
  EXPECT_TRUE(head.has("From"));
  EXPECT_TRUE(head.has("subject"));
  EXPECT_FALSE(head.has("Sender"));
}

}  // namespace
}  // namespace todoku::cli
