// SPDX-License-Identifier: Apache-2.0
// Reports of domains: whose they are, what is refused, what they say together.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/file_pool.h"
#include "base/date_time.h"
#include "operate/operations.h"
#include "support/installation.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view kOurs = "192.0.2.15";

struct Row {
  std::string source;
  int messages = 1;
  bool passes = true;
  std::string selector = "s1";
};

struct DomainReportsTest : testing::Test {
  TestStore installation;
  std::vector<OwnMailFailing> failing;
  Operations operations{*installation.store, installation.clock,
                        Operations::Options{.platform = {.addresses = {std::string(kOurs)}},
                                            .report_days = 100,
                                            .own_mail_failing = [this](const OwnMailFailing& each) {
                                              failing.push_back(each);
                                            }}};

  DomainReportsTest() {
    for (const char* name : {"shop", "other"}) {
      EXPECT_TRUE(run(operations.add_account({.name = name})));
    }
  }
  void has(const std::string& account, const std::string& domain) {
    EXPECT_TRUE(
        run(operations.add_domain({.account = account, .domain = domain, .vouched = true})));
  }
  [[nodiscard]] Instant now() const { return installation.store->clock().now(); }
  std::string report(const std::string& domain, const std::vector<Row>& rows,
                     std::string_view id = "1", Milliseconds ago = std::chrono::hours(30),
                     Milliseconds length = std::chrono::hours(24)) const {
    const auto seconds = [&](Milliseconds before) {
      return std::chrono::duration_cast<std::chrono::seconds>((now() - before).time_since_epoch())
          .count();
    };
    std::string xml = fmt::format(
        "<feedback><report_metadata><org_name>Receiver</org_name><report_id>{}</report_id>"
        "<date_range><begin>{}</begin><end>{}</end></date_range></report_metadata>"
        "<policy_published><domain>{}</domain><p>none</p></policy_published>",
        id, seconds(ago), seconds(ago - length), domain);
    for (const Row& row : rows) {
      const std::string_view word = row.passes ? "pass" : "fail";
      xml += fmt::format(
          "<record><row><source_ip>{0}</source_ip><count>{1}</count><policy_evaluated>"
          "<disposition>none</disposition><dkim>{2}</dkim><spf>fail</spf></policy_evaluated></row>"
          "<identifiers><header_from>{3}</header_from></identifiers><auth_results><dkim>"
          "<domain>{3}</domain><selector>{4}</selector><result>{2}</result></dkim></auth_results>"
          "</record>",
          row.source, row.messages, word, domain, row.selector);
    }
    return xml + "</feedback>";
  }
  ImportedReport import(const std::string& octets, const std::string& account = "") {
    const auto told = run(operations.import_reports(account, {.name = "f", .octets = octets}));
    EXPECT_TRUE(told) << told.error().detail;
    EXPECT_THAT(told->reports, SizeIs(1));
    return told->reports.front();
  }
  ReportOverview reported(const std::string& domain, const std::string& account = "") {
    auto told = run(operations.reported(account, domain, 30));
    EXPECT_TRUE(told) << told.error().detail;
    return std::move(*told);
  }
};

using Outcome = ImportedReport::Outcome;

TEST_F(DomainReportsTest, CountOnceAndGoToTheNearestThatHasTheDomain) {
  has("shop", "example.jp");
  const std::string given = report("mail.example.jp", {{.source = "198.51.100.7", .messages = 3}});
  EXPECT_EQ(import(given).outcome, Outcome::added);
  EXPECT_EQ(import(given).outcome, Outcome::repeated);
  EXPECT_EQ(reported("example.jp").sums.messages, 3);
  has("other", "news.example.jp");
  const std::string news = report("a.news.example.jp", {{.source = "198.51.100.7"}});
  EXPECT_EQ(import(news, "shop").outcome, Outcome::refused);
  EXPECT_EQ(import(news).outcome, Outcome::added);
  EXPECT_EQ(reported("news.example.jp").sums.messages, 1);
  EXPECT_EQ(reported("example.jp").sums.messages, 3) << "it is not the parent's";
  EXPECT_EQ(run(operations.reported("other", "example.jp", 30)).error().kind, ErrorKind::not_found);
  const auto nobodys = import(report("nobodys.example", {}));
  EXPECT_EQ(nobodys.outcome, Outcome::refused);
  EXPECT_THAT(nobodys.why.en, HasSubstr("nobodys.example"));
}

TEST_F(DomainReportsTest, OfAnAbsurdTimeAreRefused) {
  using namespace std::chrono;
  has("shop", "example.jp");
  const auto why = [&](Milliseconds ago, Milliseconds length) {
    return import(report("example.jp", {}, "1", ago, length)).why.en;
  };
  EXPECT_THAT(why(-days(5), days(1)), HasSubstr("of the future"));
  EXPECT_THAT(why(days(50), days(40)), HasSubstr("more than 32 days"));
  EXPECT_THAT(why(days(2), -days(1)), HasSubstr("ends before it begins"));
  EXPECT_THAT(why(days(101), days(1)), HasSubstr("kept for 100 days"));
  EXPECT_EQ(reported("example.jp").reports, 0);
  EXPECT_EQ(reported("example.jp").findings.front().code, "no_reports");
}

TEST_F(DomainReportsTest, AreFoundAndReadWhereNoMailWaits) {
  has("shop", "example.jp");
  async::FilePool files({.threads = 1});
  Operations aside(*installation.store, installation.clock, Operations::Options{.files = &files});
  const auto taken = run(aside.import_reports(
      "", {.name = "f", .octets = report("example.jp", {{.source = "198.51.100.7"}})}));
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->count(Outcome::added), 1);
  files.stop();
  for (const std::string octets : {"Subject: none\r\n\r\nhas no report", "From nobody\n"}) {
    const auto told = run(aside.import_reports("", {.name = "f", .octets = octets}));
    ASSERT_FALSE(told) << octets;
    EXPECT_EQ(told.error().kind, ErrorKind::unavailable) << octets;
  }
}

TEST_F(DomainReportsTest, OfADomainThatSeveralHaveGoToEach) {
  has("shop", "example.jp");
  has("other", "example.jp");
  const Instant begin = now() - std::chrono::hours(30);
  const auto full = installation.store->write_and_wait(
      store::WritePriority::import, [begin](store::WriteTransaction& writer) -> Result<void> {
        const auto account = writer.read().account_by_name("shop");
        if (!account) return fail(account.error());
        for (std::int64_t i = 0; i < store::kReportsOfDayMax; ++i) {
          const store::DomainReport report{
              .account = account->key,
              .domain = "example.jp",
              .day = store::report_day_of(begin),
              .id = store::report_id_of(store::ReportKind::dmarc, "Full", std::to_string(i),
                                        "example.jp", begin),
              .organization = "Full",
              .reported = "example.jp",
              .begin = begin,
              .end = begin};
          const auto added = writer.add_domain_report(report, {});
          if (!added) return fail(added.error());
        }
        return {};
      });
  ASSERT_TRUE(full) << full.error().detail;
  const auto told = run(operations.import_reports(
      "", {.name = "f", .octets = report("example.jp", {{.source = "198.51.100.7"}})}));
  ASSERT_TRUE(told) << told.error().detail;
  ASSERT_THAT(told->reports, SizeIs(2));
  for (const ImportedReport& each : told->reports) {
    const bool is_full = each.account == "shop";
    EXPECT_EQ(each.outcome, is_full ? Outcome::refused : Outcome::added) << each.account;
    EXPECT_EQ(each.why.en.contains("2000 reports of a day"), is_full) << each.why.en;
  }
  EXPECT_NE(told->reports[0].account, told->reports[1].account);
  EXPECT_EQ(reported("example.jp", "other").sums.messages, 1);
  EXPECT_EQ(reported("example.jp", "shop").sums.messages, 0);
}

TEST_F(DomainReportsTest, SayWhatAStricterPolicyWouldDo) {
  has("shop", "example.jp");
  import(report("example.jp", {{.source = std::string(kOurs), .messages = 90},
                               {.source = "198.51.100.7", .messages = 10, .passes = false}}));
  const ReportOverview told = reported("example.jp", "shop");
  EXPECT_EQ(told.account, "shop");
  EXPECT_EQ(told.ours.messages, 90);
  ASSERT_THAT(told.sources, SizeIs(2));
  EXPECT_EQ(told.sources[0].source, "198.51.100.7");
  EXPECT_EQ(told.sources[0].network, "198.51.100.0/24");
  EXPECT_FALSE(told.sources[0].is_ours);
  EXPECT_TRUE(told.sources[1].is_ours);
  const auto would =
      std::ranges::find(told.findings, "policy_would_refuse", &doctor::Finding::code);
  ASSERT_NE(would, told.findings.end());
  EXPECT_EQ(would->sentence.en,
            "If you went to p=reject today, 10 of 100 messages would be refused, all of them from "
            "198.51.100.7 (p=quarantine: put into spam)");
  EXPECT_EQ(would->outcome, doctor::Outcome::warning) << "refused mail is not well";
}

TEST_F(DomainReportsTest, OurOwnMailThatBeginsToFailIsToldOnceADay) {
  has("shop", "example.jp");
  const auto import_row = [&](std::string_view id, int messages, bool passes) {
    import(report("example.jp",
                  {{.source = std::string(kOurs), .messages = messages, .passes = passes}}, id));
  };
  import_row("good", 1'000, true);
  import_row("few", 19, false);
  EXPECT_THAT(failing, SizeIs(0)) << "fewer than the least";
  import_row("more", 30, false);
  EXPECT_THAT(failing, SizeIs(0)) << "a share below";
  import_row("many", 100, false);
  ASSERT_THAT(failing, SizeIs(1));
  EXPECT_EQ(failing[0].failed, 149);
  EXPECT_EQ(failing[0].messages, 1'149);
  import_row("yet more", 100, false);
  import_row("many", 100, false);
  EXPECT_THAT(failing, SizeIs(1));
  EXPECT_EQ(reported("example.jp").findings.front().code, "own_mail_fails");
}

TEST(ReportedSource, ThatPassesOnWhatWeSignedIsKnown) {
  OverviewMaker maker("example.jp", {.addresses = {std::string(kOurs)}, .selectors = {"s1"}});
  const auto add = [&](const char* source, const char* selector, bool aligned) {
    const store::DmarcLine line{
        .source = source, .dkim_aligned = aligned, .dkim_selector = selector};
    EXPECT_TRUE(
        maker.add(store::DatedLine{.day = 1, .line = {.words = pack_line(line), .messages = 1}}));
  };
  add(kOurs.data(), "s1", true);
  add("198.51.100.1", "s1", true);
  add("198.51.100.2", "s1", false);
  add("198.51.100.3", "other", true);
  const ReportOverview told = maker.take(1, 1);
  for (const ReportedSource& source : told.sources) {
    EXPECT_EQ(source.relays_ours, source.source == "198.51.100.1") << source.source;
    EXPECT_EQ(source.is_ours, source.source == kOurs);
  }
}

TEST(ReportedNetwork, IsNamedOfBothKinds) {
  OverviewMaker maker("example.jp", {});
  for (const char* source : {"198.51.100.77", "2001:db8:1:2::3", "2001:db8::7"}) {
    const store::DmarcLine line{.source = source};
    ASSERT_TRUE(
        maker.add(store::DatedLine{.day = 1, .line = {.words = pack_line(line), .messages = 1}}));
  }
  std::vector<std::string> networks;
  for (const auto& source : maker.take(1, 1).sources) networks.push_back(source.network);
  EXPECT_THAT(networks,
              testing::UnorderedElementsAre("198.51.100.0/24", "2001:db8:1::/48", "2001:db8::/48"));
}

}  // namespace
}  // namespace todoku::operate
