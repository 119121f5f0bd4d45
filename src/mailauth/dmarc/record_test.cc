// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth::dmarc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Record read(std::string_view text) {
  auto record = parse_record(text);
  EXPECT_TRUE(record) << text;
  return record.value_or(Record{});
}

TEST(DmarcRecord, OnlyItsVersionAtTheVeryBeginningMakesARecord) {
  for (const char* text :
       {"", "v", "v=", "v=DMARC", "v=dmarc1; p=none", "v=DMARC12; p=none", "v=DMARC1 p=none",
        "p=none; v=DMARC1", " v=DMARC1; p=none", "\tv=DMARC1", "\"v=DMARC1\"; p=none",
        "v=spf1 -all", "vv=DMARC1", "v==DMARC1", "v=DMARC1,p=none", "x; v=DMARC1"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
  for (const char* text : {"v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p=none", "V=DMARC1; p=none",
                           "v\t=\tDMARC1\t;p=none", "v=DMARC1;;;p=none"}) {
    EXPECT_TRUE(parse_record(text)) << text;
  }
}

TEST(DmarcRecord, AllTagsAreRead) {
  const Record record = read(
      "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; "
      "rua=mailto:a@example.jp,mailto:b@example.com!10m; ruf=https://example.jp/f?x=1; fo=1:d:s; "
      "ri=3600; rf=afrf; pct=30");
  EXPECT_EQ(record.p.value, Policy::reject);
  EXPECT_EQ(record.sp.value, Policy::quarantine);
  EXPECT_EQ(record.np.value, Policy::none);
  EXPECT_EQ(record.dkim, Alignment::strict);
  EXPECT_EQ(record.spf, Alignment::strict);
  EXPECT_EQ(record.psd, SuffixFlag::no);
  EXPECT_TRUE(record.is_testing);
  EXPECT_THAT(record.rua, ElementsAre("mailto:a@example.jp", "mailto:b@example.com"));
  EXPECT_THAT(record.ruf, ElementsAre("https://example.jp/f?x=1"));
  EXPECT_EQ(record.failure_options, "1:d:s");
  EXPECT_EQ(record.interval_seconds, 3600U);
  EXPECT_EQ(record.percent, 30);
  EXPECT_THAT(record.warnings, IsEmpty());
}

TEST(DmarcRecord, WhatIsNotSaidIsTheDefault) {
  const Record record = read("v=DMARC1");
  EXPECT_FALSE(record.p.is_present);
  EXPECT_FALSE(record.p.is_broken());
  EXPECT_EQ(record.dkim, Alignment::relaxed);
  EXPECT_EQ(record.spf, Alignment::relaxed);
  EXPECT_EQ(record.psd, SuffixFlag::unsaid);
  EXPECT_FALSE(record.is_testing);
  EXPECT_EQ(record.failure_options, "0");
  EXPECT_EQ(record.percent, 100);
  EXPECT_EQ(record.interval_seconds, 86'400U);
}

TEST(DmarcRecord, WordsAreInAnyCaseAndUnknownTagsAreNothing) {
  const Record record = read("v=DMARC1;P=REJECT;aDKIM=S;psd=Y;zz=1;future=\x7f?;t=Y");
  EXPECT_EQ(record.p.value, Policy::reject);
  EXPECT_EQ(record.dkim, Alignment::strict);
  EXPECT_EQ(record.psd, SuffixFlag::yes);
  EXPECT_TRUE(record.is_testing);
  EXPECT_THAT(record.warnings, IsEmpty());
}

TEST(DmarcRecord, WhatIsWrongIsAsIfItWereNotThere) {
  const Record record = read(
      "v=DMARC1; p=reject; adkim=strict; aspf=; psd=maybe; t=1; fo=2; ri=day; pct=101; junk; =x");
  EXPECT_EQ(record.p.value, Policy::reject);
  EXPECT_EQ(record.dkim, Alignment::relaxed);
  EXPECT_EQ(record.spf, Alignment::relaxed);
  EXPECT_EQ(record.psd, SuffixFlag::unsaid);
  EXPECT_FALSE(record.is_testing);
  EXPECT_EQ(record.percent, 100);
  EXPECT_THAT(record.warnings, SizeIs(9));
}

TEST(DmarcRecord, AWrongPolicyIsNotAnAbsentOne) {
  EXPECT_TRUE(read("v=DMARC1; p=rejct").p.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=").p.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=none; sp=no").sp.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=none; np=rejected").np.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=reject; p=none").p.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=none; sp=none; sp=none").sp.is_broken());
  EXPECT_TRUE(read("v=DMARC1; p=none; sp=\x01").sp.is_broken());
  EXPECT_FALSE(read("v=DMARC1; p = reject ").p.is_broken());
  EXPECT_FALSE(read("v=DMARC1; p=none; sp=; np=").sp.is_present);
}

TEST(DmarcRecord, FailureOptionsStandOnceAndZeroExcludesOne) {
  const struct {
    const char* text;
    const char* options;
  } kCases[] = {{"0", "0"},   {"1", "1"}, {"d:s", "d:s"}, {"s : D : 1", "s:d:1"}, {"0:1", "0"},
                {"d:d", "0"}, {"", "0"},  {"1:", "0"},    {"1;d", "1"},           {"all", "0"}};
  for (const auto& [text, options] : kCases) {
    EXPECT_EQ(read(std::string("v=DMARC1; p=none; fo=") + text).failure_options, options) << text;
  }
}

TEST(DmarcRecord, ReportsGoToUrisOnly) {
  for (const char* text : {"mailto:dmarc@example.jp", "MAILTO:a%2Cb@example.jp",
                           "https://example.jp/", "mailto:a@example.jp?subject=x", "x-a+b.c:d"}) {
    EXPECT_EQ(report_uri(text), text);
  }
  EXPECT_EQ(report_uri("mailto:a@example.jp!50"), "mailto:a@example.jp");
  EXPECT_EQ(report_uri("mailto:a@example.jp!5G"), "mailto:a@example.jp");
  for (const char* text :
       {"", "dmarc@example.jp", "mailto:", "mailto:dmarc", "mailto:@example.jp", "mailto:a@",
        "mailto:a b@example.jp", "1x:y", ":y", "mailto:a@b%2", "mailto:a@example.jp\x01"}) {
    EXPECT_FALSE(report_uri(text)) << text;
  }
  EXPECT_THAT(read("v=DMARC1; rua = , dmarc@example.jp , mailto:a@example.jp ,").rua,
              ElementsAre("mailto:a@example.jp"));
}

TEST(DmarcRecord, NoListIsLongerThanItsBound) {
  std::string uris = "v=DMARC1; p=none; rua=mailto:a@example.jp";
  for (int i = 0; i < 100; ++i) uris += ",mailto:a@example.jp";
  EXPECT_THAT(read(uris).rua, SizeIs(kReportUrisMax));
  std::string tags = "v=DMARC1";
  for (int i = 0; i < 100; ++i) tags += ";x" + std::to_string(i) + "=1";
  EXPECT_FALSE(read(tags + ";p=reject").p.is_present);
}

}  // namespace
}  // namespace todoku::mailauth::dmarc
