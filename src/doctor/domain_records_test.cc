// SPDX-License-Identifier: Apache-2.0
#include "doctor/domain_records.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

using ::testing::ElementsAre;

DomainWish example() {
  DomainWish wish;
  wish.domain = "example.jp";
  wish.platform = {.addresses = {"192.0.2.1", "2001:db8::1"},
                   .unknown_sources = {},
                   .spf_include = {},
                   .return_path = "bounce.example.jp",
                   .mail_host = "mail.example.com"};
  wish.keys = {{.selector = "r1", .record = "v=DKIM1; k=rsa; p=AAAA"}};
  wish.report_address = "dmarc@example.com";
  return wish;
}

std::vector<std::string> entries(const std::vector<WantedRecord>& records) {
  std::vector<std::string> texts;
  for (const WantedRecord& record : records) {
    texts.push_back(record.name + " " + record.type + " " + record.value);
  }
  return texts;
}

const WantedRecord& record_at(const std::vector<WantedRecord>& records, std::string_view name) {
  return *std::ranges::find(records, name, &WantedRecord::name);
}

TEST(DomainRecords, OfAnEmptyZoneAreAllThatIsNeeded) {
  const auto records = wanted_records(example(), {});
  ASSERT_TRUE(records);
  EXPECT_THAT(
      entries(*records),
      ElementsAre("r1._domainkey.example.jp TXT v=DKIM1; k=rsa; p=AAAA",
                  "example.jp TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all",
                  "bounce.example.jp TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all",
                  "bounce.example.jp MX 10 mail.example.com.",
                  "_dmarc.example.jp TXT v=DMARC1; p=none; rua=mailto:dmarc@example.com",
                  "example.jp A 192.0.2.1", "example.jp._report._dmarc.example.com TXT v=DMARC1"));
  EXPECT_TRUE(records->back().is_elsewhere);
  EXPECT_EQ(record_at(*records, "bounce.example.jp").zone_entry().back(), '\n');
}

TEST(DomainRecords, KeepWhatIsThere) {
  ZoneNow now;
  now.texts = {"v=spf1 mx -all"};
  now.dmarc_texts = {"v=DMARC1; p=reject"};
  now.has_mx = true;
  now.other_texts["r1._domainkey.example.jp"] = {"v=DKIM1; k=rsa; p=AAAA"};
  const auto records = wanted_records(example(), now);
  ASSERT_TRUE(records);
  const WantedRecord& spf = record_at(*records, "example.jp");
  EXPECT_EQ(spf.value, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 mx -all");
  EXPECT_TRUE(spf.replaces);
  EXPECT_TRUE(record_at(*records, "r1._domainkey.example.jp").is_there);
  EXPECT_TRUE(record_at(*records, "_dmarc.example.jp").replaces) << "its reports come here, too";
  EXPECT_EQ(record_at(*records, "_dmarc.example.jp").value,
            "v=DMARC1; p=reject; rua=mailto:dmarc@example.com");
  EXPECT_EQ(std::ranges::count(*records, "A", &WantedRecord::type), 0);
  EXPECT_TRUE(record_at(*records, "_smtp._tls.example.jp").is_optional);
  EXPECT_FALSE(record_at(*records, "_smtp._tls.example.jp").is_for_later);
  EXPECT_TRUE(record_at(*records, "_mta-sts.example.jp").is_for_later) << "no policy is served yet";
}

TEST(DomainRecords, AnMtaStsRecordThatCountsForNothingIsNotThere) {
  const auto announced = [](std::vector<std::string> texts) {
    ZoneNow now;
    now.has_mx = true;
    now.mta_sts_texts = std::move(texts);
    return record_at(*wanted_records(example(), now), "_mta-sts.example.jp");
  };
  EXPECT_TRUE(announced({"v=STSv1; id=20261130"}).is_there);
  const WantedRecord broken = announced({"v=STSv1; id=2026-11-30"});
  EXPECT_FALSE(broken.is_there);
  EXPECT_TRUE(broken.replaces);
  EXPECT_FALSE(announced({"v=STSv1; id=1", "v=STSv1; id=2"}).is_there);
  EXPECT_FALSE(announced({"something else"}).replaces);
}

TEST(DomainRecords, OurHostGetsItsAddressesWhereItIsOfTheDomain) {
  DomainWish wish = example();
  wish.platform.mail_host = "mail.example.jp";
  const auto records = wanted_records(wish, {});
  ASSERT_TRUE(records);
  EXPECT_THAT(entries(*records), ::testing::IsSupersetOf({"mail.example.jp A 192.0.2.1",
                                                          "mail.example.jp AAAA 2001:db8::1"}));
  ZoneNow now;
  now.mail_host_has_address = true;
  const auto again = wanted_records(wish, now);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::ranges::count(*again, "mail.example.jp", &WantedRecord::name), 0);
}

TEST(DomainRecords, AnotherTextUnderASelectorIsReplaced) {
  ZoneNow now;
  now.other_texts["r1._domainkey.example.jp"] = {"v=DKIM1; k=rsa; p=BBBB"};
  const auto records = wanted_records(example(), now);
  ASSERT_TRUE(records);
  const WantedRecord& key = record_at(*records, "r1._domainkey.example.jp");
  EXPECT_TRUE(key.replaces);
  EXPECT_FALSE(key.is_there);
  EXPECT_EQ(key.value, "v=DKIM1; k=rsa; p=AAAA");
}

TEST(DomainRecords, APolicyThatIsThereIsAskedForReportsToo) {
  const auto dmarc = [](std::string there, bool asked = true) {
    ZoneNow now;
    now.dmarc_texts = {std::move(there)};
    DomainWish wish = example();
    if (!asked) wish.report_address.clear();
    return record_at(*wanted_records(wish, now), "_dmarc.example.jp");
  };
  EXPECT_EQ(dmarc("v=DMARC1; p=none; rua = mailto:a@example.jp ; pct=50").value,
            "v=DMARC1; p=none; rua = mailto:a@example.jp,mailto:dmarc@example.com ; pct=50");
  EXPECT_EQ(dmarc("v=DMARC1; p=reject;").value, "v=DMARC1; p=reject; rua=mailto:dmarc@example.com");
  EXPECT_TRUE(dmarc("v=DMARC1; p=none; rua=mailto:a@example.jp").replaces);
  EXPECT_TRUE(dmarc("v=DMARC1; p=none; rua=mailto:dmarc@example.com").is_there);
  EXPECT_TRUE(dmarc("v=DMARC1; p=reject", false).is_there);
  ZoneNow now;
  now.has_mx = true;
  now.tls_rpt_texts = {"v=TLSRPTv1; rua=mailto:tls@example.jp"};
  const auto records = wanted_records(example(), now);
  const WantedRecord& tls = record_at(*records, "_smtp._tls.example.jp");
  EXPECT_EQ(tls.value, "v=TLSRPTv1; rua=mailto:tls@example.jp,mailto:dmarc@example.com");
  EXPECT_TRUE(tls.replaces);
}

TEST(DomainRecords, ABrokenPolicyKeepsItsAddresses) {
  ZoneNow now;
  now.dmarc_texts = {"\"v=DMARC1; p=none; rua=mailto:a@example.jp, mailto:b@example.jp\""};
  DomainWish wish = example();
  const auto both = wanted_records(wish, now);
  ASSERT_TRUE(both);
  EXPECT_EQ(record_at(*both, "_dmarc.example.jp").value,
            "v=DMARC1; p=none; "
            "rua=mailto:a@example.jp,mailto:b@example.jp,mailto:dmarc@example.com");
  EXPECT_TRUE(record_at(*both, "_dmarc.example.jp").replaces);
  wish.report_address.clear();
  now.dmarc_texts = {"v=DMARC1; p=nothing; rua=mailto:a@example.jp; pct=100"};
  EXPECT_EQ(record_at(*wanted_records(wish, now), "_dmarc.example.jp").value,
            "v=DMARC1; p=none; rua=mailto:a@example.jp");
  now.dmarc_texts = {"v=DMARC1; p=nothing; rua=\x1b[2J"};
  EXPECT_EQ(record_at(*wanted_records(wish, now), "_dmarc.example.jp").value, "v=DMARC1; p=none");
}

TEST(DomainRecords, WhatSeparatesInARecordIsEncodedInAnAddress) {
  EXPECT_EQ(report_uri("dmarc+all@example.jp"), "mailto:dmarc+all@example.jp");
  EXPECT_EQ(report_uri("a!b@example.jp"), "mailto:a%21b@example.jp");
  EXPECT_EQ(report_uri("\"a,b;p=reject\"@example.jp"),
            "mailto:%22a%2Cb%3Bp%3Dreject%22@example.jp");
  DomainWish wish = example();
  wish.report_address = "a!b@example.jp";
  EXPECT_EQ(record_at(*wanted_records(wish, {}), "_dmarc.example.jp").value,
            "v=DMARC1; p=none; rua=mailto:a%21b@example.jp");
}

TEST(DomainRecords, TheHostOfAReportAddressIsInAnyCase) {
  DomainWish wish = example();
  wish.report_address = "dmarc@Example.JP";
  EXPECT_FALSE(wanted_records(wish, {})->back().is_elsewhere);
}

TEST(DomainRecords, AReturnPathElsewhereIsNotOurs) {
  DomainWish wish = example();
  wish.platform.return_path = "bounce.example.com";
  wish.platform.spf_include = "_spf.example.com";
  wish.report_address = "dmarc@reports.example.jp";
  const auto records = wanted_records(wish, {});
  ASSERT_TRUE(records);
  EXPECT_THAT(
      entries(*records),
      ElementsAre("r1._domainkey.example.jp TXT v=DKIM1; k=rsa; p=AAAA",
                  "example.jp TXT v=spf1 include:_spf.example.com ~all",
                  "_dmarc.example.jp TXT v=DMARC1; p=none; rua=mailto:dmarc@reports.example.jp",
                  "example.jp A 192.0.2.1"));
}

TEST(DomainRecords, ATermOfSpfThatCannotBeReadStopsNothing) {
  ZoneNow now;
  now.texts = {"v=spf1 ip4:192.0.2.256 include:other.example -all"};
  const auto records = wanted_records(example(), now);
  ASSERT_TRUE(records);
  EXPECT_EQ(records->size(), wanted_records(example(), {})->size()) << "all the others are shown";
  const WantedRecord& spf = record_at(*records, "example.jp");
  EXPECT_EQ(spf.value, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 include:other.example -all");
  EXPECT_TRUE(spf.replaces);
  EXPECT_THAT(spf.left_out, ElementsAre(::testing::HasSubstr("ip4:192.0.2.256")));
  EXPECT_TRUE(record_at(*records, "bounce.example.jp").left_out.empty());
}

TEST(DomainRecords, ASpfRecordThatLetsEverybodySendIsWarnedOf) {
  for (const std::string term : {"+all", "ip4:0.0.0.0/0", "ip6:2000::/3", "a//0"}) {
    ZoneNow now;
    now.texts = {"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 " + term};
    const auto records = wanted_records(example(), now);
    ASSERT_TRUE(records);
    const WantedRecord& spf = record_at(*records, "example.jp");
    EXPECT_TRUE(spf.is_there);
    ASSERT_EQ(spf.warnings.size(), 1U) << term;
    EXPECT_THAT(spf.warnings[0].en, ::testing::HasSubstr(": " + term + "."));
    EXPECT_TRUE(record_at(*records, "bounce.example.jp").warnings.empty());
  }
}

TEST(DomainRecords, AnMxThatNobodyFindsIsWarnedOf) {
  DomainWish wish = example();
  const auto mx_of = [](const std::vector<WantedRecord>& records) {
    return *std::ranges::find(records, "MX", &WantedRecord::type);
  };
  EXPECT_TRUE(mx_of(*wanted_records(wish, {})).warnings.empty());
  wish.platform.mail_host = "relay";
  const WantedRecord mx = mx_of(*wanted_records(wish, {}));
  ASSERT_EQ(mx.warnings.size(), 1U);
  EXPECT_THAT(mx.warnings[0].en, ::testing::HasSubstr("smtp_out.hello_name"));
  EXPECT_THAT(mx.warnings[0].ja, ::testing::HasSubstr("smtp_out.hello_name"));
}

TEST(DomainRecords, NamesBelowADomainAreWholeLabels) {
  EXPECT_TRUE(is_at_or_below("a.example.jp", "example.jp"));
  EXPECT_TRUE(is_at_or_below("example.jp", "example.jp"));
  EXPECT_FALSE(is_at_or_below("notexample.jp", "example.jp"));
}

}  // namespace
}  // namespace todoku::doctor
