// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>
#include <zlib.h>

#include "base/date_time.h"
#include "feedback/reports/digest.h"
#include "feedback/reports/report_file.h"
#include "feedback/reports/report_mail.h"

namespace todoku::feedback::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kAggregate = R"(<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>receiver.example</org_name>
    <email>dmarc@receiver.example</email>
    <report_id>2026-11-29.1</report_id>
    <date_range><begin>1795824000</begin><end>1795910399</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>Example.JP</domain><adkim>r</adkim><aspf>s</aspf>
    <p>Quarantine</p><sp>reject</sp><np>reject</np><testing>y</testing>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.1</source_ip><count>120</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
      </policy_evaluated>
    </row>
    <identifiers><header_from>example.jp</header_from>
      <envelope_from>b.example.jp</envelope_from></identifiers>
    <auth_results>
      <dkim><domain>example.jp</domain><selector>s1</selector><result>pass</result></dkim>
      <spf><domain>b.example.jp</domain><result>pass</result></spf>
    </auth_results>
  </record>
  <record>
    <row>
      <source_ip>2001:db8::7</source_ip><count>3</count>
      <policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf>
        <reason><type>local_policy</type><comment>arc=pass</comment></reason></policy_evaluated>
    </row>
    <identifiers><header_from>news.example.jp</header_from></identifiers>
    <auth_results><spf><domain>other.example</domain><result>pass</result></spf></auth_results>
  </record>
</feedback>
)";

constexpr std::string_view kTls = R"({"organization-name": "Receiver", "report-id": "r1",
 "contact-info": "tls@receiver.example", "unknown": [1],
 "date-range": {"start-datetime": "2026-11-28T00:00:00Z", "end-datetime": "2026-11-28T23:59:59Z"},
 "policies": [{"policy": {"policy-type": "sts", "policy-domain": "Example.jp", "mx-host": ["*.example.jp"]},
  "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
  "failure-details": [
   {"result-type": "certificate-expired", "sending-mta-ip": "198.51.100.1",
    "receiving-mx-hostname": "mx1.example.jp", "failed-session-count": 100},
   {"result-type": "starttls-not-supported", "receiving-ip": "203.0.113.2",
    "failed-session-count": 203, "additional-information": "https://example.jp/?tls"}]}]})";

std::string gzipped(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zipped(const std::vector<std::pair<std::string, std::string>>& files) {
  zip_error_t error{};
  zip_source_t* into = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(into);
  zip_t* archive = zip_open_from_source(into, ZIP_TRUNCATE, &error);
  for (const auto& [name, text] : files) {
    zip_source_t* from = zip_source_buffer(archive, text.data(), text.size(), 0);
    EXPECT_GE(zip_file_add(archive, name.c_str(), from, 0), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  zip_stat_t stat{};
  zip_source_stat(into, &stat);
  std::string out(stat.size, '\0');
  zip_source_open(into);
  EXPECT_EQ(zip_source_read(into, out.data(), out.size()), static_cast<zip_int64_t>(out.size()));
  zip_source_close(into);
  zip_source_free(into);
  return out;
}

std::string why(std::string_view xml) {
  const auto report = read_dmarc_aggregate(xml);
  return report ? "read" : report.error().detail;
}

std::string with(std::string_view from, std::string_view to) {
  std::string text(kAggregate);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DmarcAggregate, SaysWhoSentInWhoseName) {
  const auto report = read_dmarc_aggregate(kAggregate);
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->organization, "receiver.example");
  EXPECT_EQ(report->report_id, "2026-11-29.1");
  EXPECT_EQ(format_utc(report->begin), "2026-11-28T00:00:00.000Z");
  EXPECT_EQ(report->domain, "example.jp");
  EXPECT_EQ(report->policy, "quarantine");
  EXPECT_EQ(report->subdomain_policy, "reject");
  EXPECT_EQ(report->nonexistent_policy, "reject");
  EXPECT_EQ(report->spf_alignment, "s");
  EXPECT_TRUE(report->testing);
  ASSERT_EQ(report->rows.size(), 2U);
  const DmarcRow& ours = report->rows[0];
  EXPECT_EQ(ours.source_ip, "192.0.2.1");
  EXPECT_EQ(ours.messages, 120);
  EXPECT_TRUE(ours.dkim_aligned);
  EXPECT_FALSE(ours.spf_aligned);
  EXPECT_EQ(ours.envelope_from, "b.example.jp");
  ASSERT_EQ(ours.dkim.size(), 1U);
  EXPECT_EQ(ours.dkim[0].selector, "s1");
  const DmarcRow& other = report->rows[1];
  EXPECT_FALSE(other.passes());
  EXPECT_EQ(other.disposition, "quarantine");
  EXPECT_THAT(other.overrides, ElementsAre("local_policy: arc=pass"));
  EXPECT_EQ(other.header_from, "news.example.jp");
}

TEST(DmarcAggregate, IsReadAsTolerantlyAsItIsWritten) {
  EXPECT_EQ(why(with("<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">", "<feedback>")),
            "read");
  EXPECT_EQ(why(with("<version>1.0</version>", "<future><a/><b>x</b></future>")), "read");
  EXPECT_EQ(why(with("<email>", "<extra_contact_info/><email>\n ")), "read");
  EXPECT_EQ(why(with("<dkim>pass</dkim>", "<dkim> PASS </dkim>")), "read");
  std::string prefixed = R"(<d:feedback xmlns:d="x"><d:report_metadata><d:org_name>o</d:org_name>
    <d:report_id>1</d:report_id><d:date_range><d:begin>1</d:begin><d:end>2</d:end></d:date_range>
    </d:report_metadata><d:policy_published><d:domain>e.jp</d:domain></d:policy_published></d:feedback>)";
  EXPECT_EQ(why(prefixed), "read");
}

TEST(DmarcAggregate, WhatIsNoneIsToldFromWhatIsCut) {
  EXPECT_THAT(why("<html><body/></html>"), HasSubstr("is no DMARC report: begins with <html>"));
  EXPECT_THAT(why(kAggregate.substr(0, kAggregate.size() / 2)), HasSubstr("line "));
  EXPECT_THAT(why(""), HasSubstr("no element found"));
  EXPECT_THAT(why(with("<org_name>receiver.example</org_name>", "")),
              HasSubstr("report_metadata/org_name is missing"));
  EXPECT_THAT(why(with("<begin>1795824000</begin>", "")), HasSubstr("date_range is missing"));
  EXPECT_THAT(why(with("<begin>1795824000</begin>", "<begin>1795824000000</begin>")),
              HasSubstr("no seconds since 1970: \"1795824000000\""));
  EXPECT_THAT(why(with("<domain>Example.JP</domain>", "")), HasSubstr("policy_published/domain"));
  EXPECT_THAT(why(with("192.0.2.1", "192.0.2.256")), HasSubstr("row/source_ip is no address"));
  EXPECT_THAT(why(with("<count>120", "<count>-1")), HasSubstr("row/count is no number: \"-1\""));
  EXPECT_THAT(why(with("<count>120", "<count>99999999999999999999")), HasSubstr("row/count"));
}

TEST(DmarcAggregate, EntitiesAndDepthAreBounded) {
  EXPECT_THAT(why("<!DOCTYPE feedback [<!ENTITY a \"aaaa\"><!ENTITY b "
                  "\"&a;&a;\">]><feedback>&b;</feedback>"),
              HasSubstr("document type"));
  EXPECT_THAT(why("<!DOCTYPE feedback SYSTEM \"file:///etc/passwd\"><feedback/>"),
              HasSubstr("document type"));
  std::string deep = "<feedback>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(why(deep), HasSubstr("nests too deep"));
  const std::string row =
      R"(<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>)";
  std::string many = "<feedback>";
  for (std::size_t i = 0; i <= kRowsMax; ++i) many += row;
  EXPECT_THAT(why(many), HasSubstr("more than 100000 rows"));
  const auto long_name =
      read_dmarc_aggregate(with("receiver.example</org", std::string(5'000, 'x') + "</org"));
  ASSERT_TRUE(long_name);
  EXPECT_EQ(long_name->organization.size(), kReportTextOctetsMax);
}

TEST(TlsReport, SaysWhoseSessionsFailedAndWhy) {
  const auto report = read_tls_report(kTls);
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->organization, "Receiver");
  EXPECT_EQ(format_utc(report->end), "2026-11-28T23:59:59.000Z");
  ASSERT_EQ(report->policies.size(), 1U);
  const TlsPolicyResult& policy = report->policies[0];
  EXPECT_EQ(policy.domain, "example.jp");
  EXPECT_EQ(policy.type, "sts");
  EXPECT_EQ(policy.successful, 5326);
  EXPECT_EQ(policy.failed, 303);
  ASSERT_EQ(policy.failures.size(), 2U);
  EXPECT_EQ(policy.failures[0].result, "certificate-expired");
  EXPECT_EQ(policy.failures[0].receiving_mx, "mx1.example.jp");
  EXPECT_EQ(policy.failures[1].reason, "https://example.jp/?tls");
}

TEST(TlsReport, NamesWhatIsWrong) {
  const auto said = [](std::string_view json) {
    const auto report = read_tls_report(json);
    return report ? "read" : report.error().detail;
  };
  EXPECT_THAT(said("{"), HasSubstr("is no JSON"));
  EXPECT_THAT(said("[]"), HasSubstr("an object is missing"));
  EXPECT_THAT(said("{}"), HasSubstr("organization-name is missing"));
  std::string wrong(kTls);
  wrong.replace(wrong.find("5326"), 4, "\"no\"");
  EXPECT_THAT(said(wrong), HasSubstr("total-successful-session-count is no count"));
  EXPECT_THAT(said(std::string(100'000, '[')), HasSubstr("is no JSON"));
}

TEST(ReportFile, OpensWhatReceiversSend) {
  for (const std::string& octets :
       {std::string(kAggregate), gzipped(kAggregate), "\xEF\xBB\xBF" + std::string(kAggregate),
        zipped({{"receiver.example!example.jp!1!2.xml", std::string(kAggregate)}}),
        zipped({{"readme.txt", "x"}, {"R.XML", std::string(kAggregate)}})}) {
    const auto file = open_report(octets);
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->kind, ReportFile::Kind::dmarc);
    EXPECT_TRUE(read_dmarc_aggregate(file->text));
  }
  const auto tls = open_report(gzipped(kTls));
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->kind, ReportFile::Kind::tls);
  EXPECT_EQ(tls->text, kTls);
}

TEST(ReportFile, WhatExpandsWithoutEndIsRefused) {
  const std::string bomb = gzipped(std::string(kExpandedOctetsMax + 1, ' '));
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_THAT(open_report(bomb).error().detail, HasSubstr("expands to more than"));
  const std::string zip_bomb = zipped({{"a.xml", std::string(kExpandedOctetsMax + 1, ' ')}});
  EXPECT_THAT(open_report(zip_bomb).error().detail, HasSubstr("expands to more than"));
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 17; ++i) files.emplace_back(std::to_string(i), "x");
  EXPECT_THAT(open_report(zipped(files)).error().detail, HasSubstr("17 files"));
}

TEST(ReportFile, WhatIsBrokenIsTold) {
  const std::string whole = gzipped(kAggregate);
  EXPECT_EQ(open_report(whole.substr(0, whole.size() / 2)).error().kind, ErrorKind::corrupt);
  const std::string archive = zipped({{"a.xml", std::string(kAggregate)}});
  EXPECT_EQ(open_report(archive.substr(0, archive.size() / 2)).error().kind, ErrorKind::corrupt);
  EXPECT_THAT(open_report(zipped({{"a.txt", "x"}})).error().detail, HasSubstr("no .xml"));
  EXPECT_THAT(open_report(zipped({{"a.xml", "<a/>"}, {"b.xml", "<a/>"}})).error().detail,
              HasSubstr("more than one report"));
  for (const std::string_view other : {std::string_view(), std::string_view("hello"),
                                       std::string_view("  \r\n"), std::string_view("\x1F\x8B")}) {
    EXPECT_FALSE(open_report(other)) << other;
  }
}

TEST(ReportFile, OpensWhatStandsBesideAReport) {
  const std::string xml(kAggregate);
  for (const std::string& octets :
       {zipped({{"a.xml", xml}, {"__MACOSX/._a.xml", "x"}, {"._b.xml", "x"}}),
        zipped({{"a.xml", xml}}) + "\r\n", gzipped(xml) + std::string(512, '\0'),
        gzipped(xml) + "\r\n"}) {
    const auto file = open_report(octets);
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->text, xml);
  }
}

TEST(TlsReport, CountsMayBeTextAndAreBounded) {
  const auto with_count = [](std::string_view count) {
    std::string text(kTls);
    text.replace(text.find("5326"), 4, count);
    return read_tls_report(text);
  };
  EXPECT_EQ(with_count("\"12\"")->policies[0].successful, 12);
  for (const std::string_view wrong : {"\"1x\"", "-1", "9223372036854775807", "1e30", "{}"}) {
    EXPECT_FALSE(with_count(wrong)) << wrong;
  }
}

TEST(TlsReport, WhatGrowsAsJsonIsRefused) {
  std::string text = "{\"a\":[0";
  while (text.size() < std::size_t{24} << 20U) text += ",0";
  text += "]}";
  const auto report = read_tls_report(text);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::limit_exceeded);
}

TEST(Reports, ANameForgesNoLine) {
  const auto dmarc =
      read_dmarc_aggregate(with("Example.JP</domain>", "a.example\nb.example</domain>"));
  ASSERT_TRUE(dmarc);
  EXPECT_EQ(dmarc->domain, "a.example b.example");
  std::string text(kTls);
  text.replace(text.find("certificate-expired"), 19, "x\\ny");
  EXPECT_EQ(read_tls_report(text)->policies[0].failures[0].result, "x y");
}

TEST(ReportDigest, AnIdThatIsUsedAgainIsAnotherReport) {
  Digest digest;
  DmarcAggregate report = read_dmarc_aggregate(kAggregate).value();
  EXPECT_TRUE(digest.add(report));
  report.begin += std::chrono::hours(24);
  EXPECT_TRUE(digest.add(report));
  TlsReport tls = read_tls_report(kTls).value();
  EXPECT_TRUE(digest.add(tls));
  EXPECT_FALSE(digest.add(tls));
  tls.policies[0].domain = "other.example";
  EXPECT_TRUE(digest.add(tls));
  tls.policies.push_back(tls.policies[0]);
  tls.report_id = "two policies of one domain";
  EXPECT_TRUE(digest.add(tls));
  EXPECT_EQ(digest.domains().back().tls.failed, 3 * 303);
}

TEST(ReportDigest, AddsUpAndCountsAReportOnce) {
  Digest digest;
  const auto report = read_dmarc_aggregate(kAggregate).value();
  EXPECT_TRUE(digest.add(report));
  EXPECT_FALSE(digest.add(report)) << "it came twice";
  DmarcAggregate next = report;
  next.report_id = "next";
  next.begin += std::chrono::hours(24);
  next.end += std::chrono::hours(24);
  next.policy = "reject";
  EXPECT_TRUE(digest.add(next));
  EXPECT_TRUE(digest.add(read_tls_report(kTls).value()));
  const auto domains = digest.domains();
  ASSERT_EQ(domains.size(), 1U);
  const DomainDigest& domain = domains[0];
  EXPECT_EQ(domain.domain, "example.jp");
  EXPECT_EQ(domain.reports, 3);
  EXPECT_EQ(domain.policy, "reject");
  EXPECT_EQ(domain.messages, 246);
  EXPECT_EQ(domain.passed, 240);
  EXPECT_EQ(domain.quarantined, 6);
  EXPECT_EQ(domain.rejected, 0);
  EXPECT_EQ(domain.end, next.end);
  ASSERT_EQ(domain.sources.size(), 2U);
  EXPECT_EQ(domain.sources[0].source_ip, "2001:db8::7") << "what fails comes first";
  EXPECT_EQ(domain.sources[0].quarantined, 6);
  EXPECT_THAT(domain.sources[0].authenticated, ElementsAre("other.example"));
  EXPECT_THAT(domain.sources[1].authenticated, ElementsAre("b.example.jp", "example.jp"));
  EXPECT_EQ(domain.tls.failed, 303);
  EXPECT_EQ(domain.tls.failures.at("certificate-expired"), 100);
}

// A message with this part beside a text.
std::string with_part(std::string_view head, std::string_view body) {
  return "From: dmarc@receiver.example\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: "
         "text/plain\r\n\r\n"
         "A report.\r\n--b\r\n" +
         std::string(head) + "\r\n\r\n" + std::string(body) + "\r\n--b--\r\n";
}

std::vector<std::string> found_in(std::string_view message) {
  const auto found = reports_in(message, "file");
  if (!found) return {found.error().detail};
  std::vector<std::string> told;
  for (const HandedOver& each : *found) told.push_back(each.name + ": " + each.octets);
  return told;
}

TEST(ReportMail, FindsWhatLooksLikeAReport) {
  EXPECT_THAT(found_in("<feedback/>"), ElementsAre("file: <feedback/>")) << "it is one itself";
  EXPECT_THAT(found_in(with_part("Content-Type: application/gzip; name=\"r.xml.gz\"\r\n"
                                 "Content-Transfer-Encoding: base64",
                                 "H4s=")),
              ElementsAre("r.xml.gz: \x1F\x8B"));
  EXPECT_THAT(found_in(with_part("Content-Type: text/xml", "<feedback/>")),
              ElementsAre(": <feedback/>"));
  EXPECT_THAT(found_in(with_part("Content-Type: application/octet-stream\r\n"
                                 "Content-Disposition: attachment; filename=R.ZIP",
                                 "x")),
              ElementsAre("R.ZIP: x"))
      << "by its name";
  EXPECT_THAT(found_in(with_part("Content-Type: application/octet-stream\r\n"
                                 "Content-Transfer-Encoding: base64",
                                 "UEsDBA==")),
              ElementsAre(": PK\x03\x04"))
      << "by its first octets";
  EXPECT_THAT(found_in(with_part("Content-Type: message/rfc822",
                                 with_part("Content-Type: application/json", "{}"))),
              ElementsAre(HasSubstr("{}")))
      << "in a message that was forwarded";
  EXPECT_THAT(found_in(with_part("Content-Type: text/plain; name=a.txt", "hello")),
              ElementsAre("the message carries no report as an attachment"));
}

TEST(ReportMail, IsBounded) {
  std::string many = "Content-Type: text/xml\r\n\r\n<a/>";
  for (std::size_t i = 0; i < kReportsOfMessageMax; ++i) {
    many += "\r\n--b\r\nContent-Type: text/xml\r\n\r\n<a/>";
  }
  EXPECT_THAT(found_in(with_part(many, "")), ElementsAre(HasSubstr("more than 8 reports")));
  std::string delimiters = "From: a@example.com\n\n";
  for (int i = 0; i < 2'000; ++i) delimiters += "\n--b\n";
  EXPECT_THAT(found_in(delimiters), ElementsAre(HasSubstr("lines that may begin a part")));
  EXPECT_FALSE(reports_in(std::string(kHandedOverMax + 1, ' '), "large"));
}

TEST(ReportMail, AddressFieldsOfStrangersAreNotBuilt) {
  std::string groups = "To: ";
  for (int i = 0; i < 200'000; ++i) groups += "a:";
  std::string octets = "From: x\r\nCc : ";
  for (int i = 0; i < 225'000; ++i) octets += "\\\xff,";
  for (const std::string& field : {groups, octets}) {
    EXPECT_THAT(found_in(field + "\r\n\r\nx"), ElementsAre(HasSubstr("carries no report")));
    EXPECT_THAT(found_in(field + "\r\nContent-Type: text/xml\r\n\r\nTo: a\r\n<b/>"),
                ElementsAre(": To: a\r\n<b/>"))
        << "what it carries is as it was";
  }
}

TEST(ReportMail, AMailboxIsItsMessages) {
  EXPECT_THAT(messages_in("<a/>"), ElementsAre("<a/>"));
  EXPECT_THAT(
      messages_in("From x\nA: 1\n\nFrom here\nis text\n\nFrom y\r\nB: 2\r\n\r\nz\r\n\r\nFrom z\n"),
      ElementsAre("A: 1\n\n", "is text\n\n", "B: 2\r\n\r\nz\r\n\r\n"));
  EXPECT_THAT(messages_in("From x\nA: 1\nFrom no blank line\n"),
              ElementsAre("A: 1\nFrom no blank line\n"));
  EXPECT_THAT(messages_in("From x"), testing::IsEmpty());
  std::string many;
  for (int i = 0; i < 700; ++i) many += "From x\nA: 1\n\n";
  EXPECT_THAT(messages_in(many), testing::SizeIs(kMessagesMax + 1));
}

TEST(ReportsOfMessages, BoundsHeaderFieldsBeforeTheyAreRead) {
  const auto problem = [](std::string octets) {
    const auto found = reports_in(octets, "m.eml");
    return found ? std::string() : found.error().detail;
  };
  std::string many = "From: a@example.jp\r\n";
  for (int i = 0; i < 20'001; ++i) many += "X:\n";
  EXPECT_THAT(problem(many + "\r\nx"), testing::HasSubstr("more than 20000 header fields"));
  std::string within = "From: a@example.jp\r\nContent-Type: message/rfc822\r\n\r\n";
  EXPECT_THAT(problem(within + many + "\r\nx"), testing::HasSubstr("header fields"));
  std::string addresses = "To: a@example.jp";
  while (addresses.size() < (std::size_t{1} << 20U)) addresses += ",\r\n a@example.jp";
  EXPECT_THAT(problem(addresses + "\r\n\r\nx"), testing::HasSubstr("octets together"));
  EXPECT_THAT(problem("From: a@example.jp\r\n\r\n" + std::string(3'000'000, 'x')),
              testing::HasSubstr("carries no report"));
}

}  // namespace
}  // namespace todoku::feedback::reports
