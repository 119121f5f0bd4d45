// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/author_check.h"
#include "cli/fake_host.h"
#include "doctor/author_domains.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DmarcCheckTest : public CommandLineTest {
 protected:
  DmarcCheckTest() {
    host.zone.set_zone({
        .txt = {{"_dmarc.example.jp", {"v=DMARC1; p=reject; sp=quarantine"}},
                {"bounce.example.jp", {"v=spf1 ip4:192.0.2.1 -all"}},
                {"example.com", {"v=spf1 ip4:192.0.2.1 -all"}}},
        .failures = {{"TXT _dmarc.lame.example.com", ErrorKind::unavailable}},
    });
  }

  int check(std::string_view from, std::string mail_from, bool json = false) {
    host.its_input.clear();
    host.its_input.str(fmt::format("{}Subject: hi\n\nhello\n", from));
    std::vector<std::string> words{
        "dmarc", "check", "--ip", "192.0.2.1", "--mail-from", std::move(mail_from), "-"};
    if (json) words.insert(words.begin(), "--json");
    return run(words);
  }
};

TEST_F(DmarcCheckTest, SaysTheResultAndHowItCameAbout) {
  EXPECT_EQ(check("From: Taro <taro@example.jp>\n", "a@bounce.example.jp"), 0);
  EXPECT_THAT(out.str(), HasSubstr("dmarc=pass header.from=example.jp policy.dmarc=reject\n"
                                   "record      _dmarc.example.jp\n"
                                   "spf=pass bounce.example.jp\n"));
  EXPECT_THAT(out.str(), HasSubstr("  RFC 9989: SPF pass of bounce.example.jp is aligned"));
}

TEST_F(DmarcCheckTest, AVerdictIsNoFailureOfTheCommand) {
  EXPECT_EQ(check("From: taro@news.example.jp\n", "a@example.com"), 0);
  EXPECT_THAT(out.str(), HasSubstr("dmarc=fail header.from=news.example.jp "
                                   "policy.dmarc=quarantine\n"));
  EXPECT_EQ(check("From: taro@lame.example.com\n", "a@example.com"), 0);
  EXPECT_THAT(out.str(), HasSubstr("dmarc=temperror header.from=lame.example.com"));
  EXPECT_EQ(check("", "a@example.com"), 0);
  EXPECT_THAT(out.str(), HasSubstr("dmarc=permerror header.from= policy.dmarc=none\n"
                                   "because     there is no From\n"));
}

TEST_F(DmarcCheckTest, GivesJson) {
  EXPECT_EQ(check("From: taro@example.jp\n", "a@bounce.example.jp", true), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"({"result":"pass","policy":"reject","domain":"example.jp",)"
                                   R"("spf_aligned":true,"dkim_aligned":false,"reason":"",)"));
  EXPECT_THAT(out.str(), HasSubstr(R"("by_suffix_list":{"result":"pass",)"));
}

TEST_F(DmarcCheckTest, WhatCannotBeReadIsStatusTwo) {
  EXPECT_EQ(run({"dmarc", "check"}), 2);
  EXPECT_EQ(run({"dmarc", "check", "--ip", "192.0.2.1"}), 2);
  EXPECT_EQ(run({"dmarc", "check", "--batch", "--ip", "192.0.2.1"}), 2);
  EXPECT_EQ(run({"dmarc", "check", "--ip", "192.0.2.1", "/nowhere/mail.eml"}), 2);
  host.its_input.str(R"({"id":1,"ip":"192.0.2.1","mail_from":"a@example.jp"})"
                     "\n");
  EXPECT_EQ(run({"dmarc", "check", "--batch"}), 2);
  EXPECT_EQ(out.str(), R"({"id":1,"error":"\"file\" is missing"})"
                       "\n");
}

Result<std::vector<std::string>> authors(std::string_view head) {
  const std::string mail = fmt::format("{}\r\n", head);
  return doctor::author_domains(mailauth::dkim::split_message(mail));
}

TEST(AuthorDomains, AreOfEveryAddressInTheOneFrom) {
  EXPECT_THAT(*authors("from : \"a@example.com\" <b@example.jp>\r\n"), ElementsAre("example.jp"));
  EXPECT_THAT(*authors("From: a@example.jp,\r\n b@example.com\r\n"),
              ElementsAre("example.jp", "example.com"));
  EXPECT_FALSE(authors("From: root\r\n"));
  EXPECT_FALSE(authors("From: a@example.jp, root\r\n")) << "people see him, too";
  EXPECT_FALSE(authors("To: a@example.jp\r\n"));
  EXPECT_FALSE(authors("From: a@example.jp\r\nFrom: a@example.jp\r\n"));
  EXPECT_FALSE(authors("From: a@example.jp b@example.com\r\n"));
}

}  // namespace
}  // namespace todoku::cli
