// SPDX-License-Identifier: Apache-2.0
// What is reported of domains: a report counts once, its lines are summed by day and bounded, each
// account's are its own, and they go after their time (store/domain_reports.h).
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kReportDay = 20'000;

Domain proven(AccountKey account, std::string_view domain) {
  Domain made;
  made.account = account;
  made.domain = domain;
  made.token = "token";
  made.state = DomainState::proven;
  return made;
}

DomainReport report_of(AccountKey account, std::string_view id, std::int64_t day = kReportDay) {
  DomainReport report;
  report.account = account;
  report.domain = "example.jp";
  report.begin = from_epoch_ms(day * 86'400'000);
  report.end = report.begin + std::chrono::days(1);
  report.day = report_day_of(report.begin);
  report.id = report_id_of(ReportKind::dmarc, "Receiver", id, "mail.example.jp", report.begin);
  report.organization = "Receiver";
  report.reported = "mail.example.jp";
  report.policy = "p=none";
  report.messages = 3;
  return report;
}

ReportLine line_from(std::string_view source, std::int64_t messages) {
  return {.words = pack_line(DmarcLine{.source = std::string(source),
                                       .header_from = "mail.example.jp",
                                       .disposition = "none",
                                       .spf_aligned = true}),
          .messages = messages,
          .failed = 0};
}

TEST(ReportWords, ComeBackAsTheyWereAndHostileOnesAreCutToText) {
  const DmarcLine line{.source = "2001:db8::7",
                       .header_from = "mail.example.jp",
                       .disposition = "reject",
                       .dkim_aligned = true,
                       .spf_aligned = false,
                       .excepted = true,
                       .dkim_domain = "example.jp",
                       .dkim_selector = "s1",
                       .dkim_result = "pass",
                       .spf_domain = "b.example.jp",
                       .spf_result = "softfail"};
  EXPECT_EQ(unpack_dmarc_line(pack_line(line)).value(), line);
  const TlsLine tls{.domain = "example.jp",
                    .policy = "sts",
                    .result = "certificate-expired",
                    .receiving_mx = "mx.example.jp"};
  EXPECT_EQ(unpack_tls_line(pack_line(tls)).value(), tls);
  EXPECT_FALSE(unpack_tls_line(pack_line(line)));
  EXPECT_FALSE(unpack_dmarc_line(pack_line(tls)));
  EXPECT_FALSE(unpack_dmarc_line(pack_line(line).substr(0, 20)));
  EXPECT_FALSE(kind_of_line(""));
  const DmarcLine hostile{.source = std::string("\x1b[2J\0\xff", 6) + "192.0.2.1",
                          .header_from = std::string(1'000, 'a')};
  const DmarcLine kept = unpack_dmarc_line(pack_line(hostile)).value();
  EXPECT_EQ(kept.source, "[2J192.0.2.1");
  EXPECT_THAT(kept.header_from, SizeIs(kReportNameMax));
}

TEST_P(StoreSuite, AReportOfADomainCountsOnceAndItsLinesAreSummed) {
  const Account acme = account("acme");
  const Account shop = account("shop");
  must(write([&](WriteTransaction& t) { return t.add_domain(proven(acme.key, "example.jp")); }));
  const auto add = [&](AccountKey key, std::string_view id, const std::vector<ReportLine>& lines) {
    return write(
        [&](WriteTransaction& t) { return t.add_domain_report(report_of(key, id), lines); });
  };
  EXPECT_TRUE(must(add(acme.key, "1", {line_from("192.0.2.1", 2), line_from("192.0.2.2", 1)})));
  EXPECT_FALSE(must(add(acme.key, "1", {line_from("192.0.2.1", 2)})));
  EXPECT_TRUE(must(add(acme.key, "2", {line_from("192.0.2.1", 40)})));
  EXPECT_EQ(error_of(add(shop.key, "1", {line_from("192.0.2.1", 2)})), "not_found");
  EXPECT_EQ(error_of(add(acme.key, "3", {{.words = "none", .messages = 1, .failed = 0}})),
            "invalid_input");
  reopen();
  const auto reports = must(
      read([&](ReadTransaction& t) { return t.domain_reports(acme.key, "example.jp", {}, 100); }));
  ASSERT_THAT(reports, SizeIs(2));
  for (const DomainReport& report : reports) {
    EXPECT_EQ(report.organization, "Receiver");
    EXPECT_EQ(report.reported, "mail.example.jp");
    EXPECT_EQ(report.policy, "p=none");
    EXPECT_EQ(report.messages, 3);
    EXPECT_EQ(report.day, kReportDay);
  }
  const auto lines = must(
      read([&](ReadTransaction& t) { return t.report_lines(acme.key, "example.jp", {}, 100); }));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(unpack_dmarc_line(lines[0].line.words)->source, "192.0.2.1");
  EXPECT_EQ(lines[0].line.messages, 42);
  EXPECT_EQ(lines[1].line.messages, 1);
  const auto rest = must(read([&](ReadTransaction& t) {
    return t.report_lines(acme.key, "example.jp", {kReportDay, lines[0].line.words}, 100);
  }));
  EXPECT_THAT(rest, SizeIs(1));
  EXPECT_THAT(must(read([&](ReadTransaction& t) {
                return t.report_lines(shop.key, "example.jp", {}, 100);
              })),
              IsEmpty());
}

TEST_P(StoreSuite, ADomainsReportsNeedAProofThatStands) {
  const Account acme = account("acme");
  Domain claim = proven(acme.key, "example.jp");
  claim.state = DomainState::unproven;
  must(write([&](WriteTransaction& t) { return t.add_domain(claim); }));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.add_domain_report(report_of(acme.key, "1"), {});
            })),
            "not_found");
}

TEST_P(StoreSuite, SourcesBeyondADaysLinesAreSummedWithoutNames) {
  const Account acme = account("acme");
  must(write([&](WriteTransaction& t) { return t.add_domain(proven(acme.key, "example.jp")); }));
  std::vector<ReportLine> lines;
  for (std::size_t i = 0; i < kReportLinesMax + 30; ++i) {
    lines.push_back(
        line_from(fmt::format("10.0.{}.{}", i / 250, i % 250), static_cast<std::int64_t>(i) + 1));
  }
  must(write(
      [&](WriteTransaction& t) { return t.add_domain_report(report_of(acme.key, "1"), lines); }));
  // One more that is there, and one that is not.
  must(write([&](WriteTransaction& t) {
    return t.add_domain_report(report_of(acme.key, "2"), std::vector{lines.back(), lines[0]});
  }));
  const auto kept = must(
      read([&](ReadTransaction& t) { return t.report_lines(acme.key, "example.jp", {}, 1'000); }));
  EXPECT_THAT(kept, SizeIs(kReportLinesMax + 1));
  std::int64_t nameless = 0;
  std::int64_t all = 0;
  for (const DatedLine& line : kept) {
    all += line.line.messages;
    if (unpack_dmarc_line(line.line.words)->source.empty()) nameless += line.line.messages;
  }
  EXPECT_EQ(nameless, 30 * 31 / 2 + 1);  // the smallest of the first, and the one that came later
  EXPECT_EQ(all, 530 * 531 / 2 + 530 + 1);
}

TEST_P(StoreSuite, SumsOfReportsEndWhereNumbersDo) {
  const Account acme = account("acme");
  must(write([&](WriteTransaction& t) { return t.add_domain(proven(acme.key, "example.jp")); }));
  for (const std::string_view id : {"1", "2", "3"}) {
    must(write([&](WriteTransaction& t) {
      return t.add_domain_report(report_of(acme.key, id),
                                 std::vector{line_from("192.0.2.1", kReportSumMax - 1)});
    }));
  }
  const auto lines = must(
      read([&](ReadTransaction& t) { return t.report_lines(acme.key, "example.jp", {}, 100); }));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].line.messages, kReportSumMax);
}

TEST_P(StoreSuite, TheSameReportAtTheSameTimeCountsOnce) {
  const Account acme = account("acme");
  must(write([&](WriteTransaction& t) { return t.add_domain(proven(acme.key, "example.jp")); }));
  std::vector<std::future<Result<bool>>> tries;
  for (int i = 0; i < 4; ++i) {
    tries.push_back(std::async(std::launch::async, [&] {
      return write([&](WriteTransaction& t) {
        return t.add_domain_report(report_of(acme.key, "1"),
                                   std::vector{line_from("192.0.2.1", 5)});
      });
    }));
  }
  int added = 0;
  for (auto& each : tries) added += must(each.get()) ? 1 : 0;
  EXPECT_EQ(added, 1);
  const auto lines = must(
      read([&](ReadTransaction& t) { return t.report_lines(acme.key, "example.jp", {}, 100); }));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].line.messages, 5);
}

TEST_P(StoreSuite, ReportsGoAfterTheirTimeInSlices) {
  const Account acme = account("acme");
  must(write([&](WriteTransaction& t) { return t.add_domain(proven(acme.key, "example.jp")); }));
  for (std::int64_t day = kReportDay; day < kReportDay + 5; ++day) {
    must(write([&](WriteTransaction& t) {
      return t.add_domain_report(report_of(acme.key, "1", day),
                                 std::vector{line_from("192.0.2.1", 5)});
    }));
  }
  const auto drop = [&](std::int64_t day) {
    return must(write([&](WriteTransaction& t) { return t.drop_domain_reports(day, 2); }));
  };
  EXPECT_TRUE(drop(kReportDay + 3));
  EXPECT_FALSE(drop(kReportDay + 3));
  EXPECT_THAT(must(read([&](ReadTransaction& t) {
                return t.domain_reports(acme.key, "example.jp", {}, 100);
              })),
              SizeIs(2));
  EXPECT_THAT(must(read([&](ReadTransaction& t) {
                return t.report_lines(acme.key, "example.jp", {}, 100);
              })),
              SizeIs(2));
}

}  // namespace
}  // namespace todoku::store
