// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;

class SpfCheckTest : public CommandLineTest {
 protected:
  SpfCheckTest() {
    host.zone.set_zone({
        .a = {{"mail.example.jp", {"192.0.2.1"}}},
        .txt = {{"example.jp", {"v=spf1 a:mail.example.jp exp=why.example.jp -all"}},
                {"mail.example.jp", {"v=spf1 a -all"}},
                {"why.example.jp", {"Ask %{o} about %{i}"}}},
        .failures = {{"TXT lame.example.jp", ErrorKind::unavailable}},
    });
  }
};

TEST_F(SpfCheckTest, SaysTheResultAndHowItCameAbout) {
  EXPECT_EQ(run({"spf", "check", "--ip", "192.0.2.1", "--mail-from", "taro@example.jp", "--helo",
                 "mail.example.jp", "--resolver", "192.0.2.53:5353"}),
            0);
  EXPECT_EQ(host.its_resolver, "192.0.2.53:5353");
  EXPECT_THAT(out.str(), HasSubstr("spf=pass smtp.mailfrom=example.jp\n"
                                   "decided by      a:mail.example.jp of example.jp\n"
                                   "look-ups        1 of 10, without a record 0 of 2\n"));
  EXPECT_THAT(out.str(), HasSubstr("  example.jp a:mail.example.jp: match: pass\n"));
}

TEST_F(SpfCheckTest, AVerdictIsNoFailureOfTheCommand) {
  EXPECT_EQ(run({"spf", "check", "--ip", "2001:db8::1", "--mail-from", "taro@example.jp"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("the domain says Ask example.jp about 2.0.0.1."));
  EXPECT_EQ(run({"spf", "check", "--ip", "192.0.2.1", "--mail-from", "taro@lame.example.jp"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("spf=temperror"));
  EXPECT_EQ(
      run({"spf", "check", "--ip", "192.0.2.1", "--mail-from", "<>", "--helo", "mail.example.jp"}),
      0);
  EXPECT_THAT(out.str(), HasSubstr("spf=pass smtp.helo=mail.example.jp"));
}

TEST_F(SpfCheckTest, GivesJson) {
  EXPECT_EQ(run({"--json", "spf", "check", "--ip", "192.0.2.9", "--mail-from", "t@example.jp"}), 0);
  EXPECT_THAT(out.str(),
              HasSubstr(R"({"result":"fail","explanation":"Ask example.jp about 192.0.2.9",)"
                        R"("trace":["example.jp: record v=spf1 )"));
}

TEST_F(SpfCheckTest, AnswersCasesLineByLine) {
  host.its_input.str(R"({"id":1,"ip":"192.0.2.1","mail_from":"t@example.jp","helo":"x"})"
                     "\n"
                     R"({"id":"b","ip":"192.0.2.300","mail_from":"t@example.jp","helo":"x"})"
                     "\n"
                     R"({"id":3,"mail_from":"t@example.jp"})"
                     "\n"
                     R"({"id":4,"ip":"::ffff:192.0.2.1","mail_from":"","helo":"mail.example.jp"})"
                     "\n");
  EXPECT_EQ(run({"spf", "check", "--batch"}), 2);
  EXPECT_THAT(out.str(),
              testing::MatchesRegex(R"(\{"id":1,"result":"pass","explanation":"","trace":\[.*\]\}.)"
                                    R"(\{"id":"b","error":"'192.0.2.300' is no IP address"\}.)"
                                    R"(\{"id":3,"error":"\\"ip\\" is missing"\}.)"
                                    R"(\{"id":4,"result":"pass",.*\}.)"));
}

TEST_F(SpfCheckTest, WhatCannotBeReadIsStatusTwo) {
  EXPECT_EQ(run({"spf", "check"}), 2);
  EXPECT_EQ(run({"spf", "check", "--batch", "--ip", "192.0.2.1"}), 2);
  EXPECT_EQ(run({"spf", "check", "--ip", "mail.example.jp", "--mail-from", "t@example.jp"}), 2);
  EXPECT_EQ(run({"spf", "check", "--ip", "192.0.2.1"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("neither a sender nor a HELO name is given"));
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace todoku::cli
