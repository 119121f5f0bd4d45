// SPDX-License-Identifier: Apache-2.0
#include "probe/verdicts.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::probe {
namespace {

std::string all(const Verdicts& verdicts) {
  return verdicts.spf + '/' + verdicts.dkim + '/' + verdicts.dmarc;
}

TEST(Verdicts, AreThoseOfTheReceiver) {
  const std::string header =
      "Delivered-To: seed@example.com\r\n"
      "Authentication-Results: mx.example.com;\r\n"
      "       dkim=pass header.i=@example.jp header.s=s1 header.b=\"a;b\";\r\n"
      "       spf=pass (mx.example.com: domain of a@example.jp; designates 192.0.2.1)\r\n"
      "        smtp.mailfrom=a@example.jp;\r\n"
      "       dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=example.jp\r\n"
      "Authentication-Results: elsewhere.example; dmarc=pass; spf=fail\r\n"
      "Subject: a\r\n\r\nAuthentication-Results: mx.example.com; dmarc=pass\r\n";
  EXPECT_EQ(all(read_verdicts(header, "mx.example.com")), "pass/pass/fail");
  EXPECT_EQ(all(read_verdicts(header, "MX.Example.COM")), "pass/pass/fail");
  EXPECT_EQ(all(read_verdicts(header, "example.com")), "pass/pass/fail") << "a name below it";
  EXPECT_EQ(all(read_verdicts(header, "ample.com")), "//") << "no name below it";
  EXPECT_EQ(all(read_verdicts(header, "")), "//") << "nobody is believed";
  EXPECT_EQ(all(read_verdicts(header, "elsewhere.example")), "fail//pass");
  EXPECT_EQ(read_verdicts(header, "").said_by, "mx.example.com");
  EXPECT_EQ(read_verdicts("Subject: a\r\n\r\n", "example.com").said_by, "");
}

TEST(Verdicts, TheTopmostFieldCountsAndOneGoodSignatureIsEnough) {
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example 1; dkim=fail; dkim=pass; "
                              "dkim=neutral\n"
                              "Authentication-Results: a.example; dkim=none; spf=softfail\n",
                              "a.example")),
            "softfail/pass/");
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example; dkim=fail\n"
                              "Authentication-Results: a.example; dkim=pass\n",
                              "a.example")),
            "/fail/");
}

TEST(Verdicts, OddFormsAreReadOrLeft) {
  EXPECT_EQ(all(read_verdicts("authentication-results: (by us) \"a.example\" (really);\n"
                              "\tSPF/1 = Pass (\\) ;dmarc=pass); dmarc (x) = none\n",
                              "a.example")),
            "pass//none");
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example; none\n", "a.example")), "//");
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example; spf=\n", "a.example")), "//");
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example; spf=pa\x01ss\n", "a.example")),
            "//");
  EXPECT_EQ(all(read_verdicts("Authentication-Results: a.example; x-spf=pass\n", "a.example")),
            "//");
}

TEST(Verdicts, ASubjectIsReadWhereverItIsFolded) {
  EXPECT_TRUE(has_subject_with("From: a\r\nSubject: todoku\r\n 0123abc\r\n\r\n", "0123abc"));
  EXPECT_FALSE(has_subject_with("From: 0123abc\r\nSubject: b\r\n\r\nSubject: 0123abc", "0123abc"));
}

}  // namespace
}  // namespace todoku::probe
