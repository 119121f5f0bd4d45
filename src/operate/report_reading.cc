// SPDX-License-Identifier: Apache-2.0
#include "operate/report_reading.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "feedback/reports/dmarc_aggregate.h"
#include "feedback/reports/report_file.h"
#include "feedback/reports/tls_report.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::operate {
namespace {

namespace reports = feedback::reports;
using store::ReportKind;
using store::ReportLine;

constexpr std::size_t kShownMax = 200;  // octets of a name that strangers write
// No receiver wrote one before (dmarc.org was founded in January 2012).
constexpr std::int64_t kFirstYear = 2012;
constexpr Milliseconds kClocksDiffer = std::chrono::hours(48);

std::string shown(std::string_view text) {
  return printable(text.substr(0, kShownMax));
}

// Lines with the same words are one.
class Lines {
 public:
  void add(std::string words, std::int64_t messages, std::int64_t failed) {
    ReportLine& line = lines_[words];
    line.words = std::move(words);
    line.messages = store::report_sum(line.messages, messages);
    line.failed = store::report_sum(line.failed, failed);
    all_ = store::report_sum(store::report_sum(all_, messages), failed);
  }
  void add_to(ReadReport::Part& part) && {
    for (auto& [words, line] : lines_) part.lines.push_back(std::move(line));
    part.messages = store::report_sum(part.messages, all_);
  }

 private:
  std::map<std::string, ReportLine> lines_;
  std::int64_t all_ = 0;
};

bool is_within(std::string_view domain, std::string_view other) {
  const std::string_view shorter = domain.size() < other.size() ? domain : other;
  const std::string_view longer = domain.size() < other.size() ? other : domain;
  return !shorter.empty() && longer.ends_with(shorter) &&
         (longer.size() == shorter.size() || longer[longer.size() - shorter.size() - 1] == '.');
}

// Of several signatures the one that says most of whose mail it is: a good one of the same domain,
// then a good one.
const reports::AuthResult* telling(const std::vector<reports::AuthResult>& results,
                                   std::string_view header_from) {
  const reports::AuthResult* best = nullptr;
  int most = -1;
  for (const reports::AuthResult& each : results) {
    const bool good = each.result == "pass";
    const int says = (good ? 2 : 0) + (is_within(each.domain, header_from) ? 1 : 0);
    if (says > most) best = &each;
    most = std::max(most, says);
  }
  return best;
}

std::string words_of(const reports::DmarcRow& row) {
  const auto address = net::IpAddress::parse(row.source_ip);
  store::DmarcLine line{.source = address ? address->to_string() : row.source_ip,
                        .header_from = row.header_from,
                        .disposition = row.disposition,
                        .dkim_aligned = row.dkim_aligned,
                        .spf_aligned = row.spf_aligned,
                        .excepted = !row.overrides.empty()};
  if (const auto* const dkim = telling(row.dkim, row.header_from)) {
    line.dkim_domain = dkim->domain;
    line.dkim_selector = dkim->selector;
    line.dkim_result = dkim->result;
  }
  if (const auto* const spf = telling(row.spf, row.header_from)) {
    line.spf_domain = spf->domain;
    line.spf_result = spf->result;
  }
  return store::pack_line(line);
}

Result<std::string> reported_domain(std::string_view reported) {
  auto domain = to_ascii_domain(reported);
  if (domain) return to_ascii_lower(*domain);
  return fail(ErrorKind::invalid_input, fmt::format("is of no domain: \"{}\"", shown(reported)));
}

Result<ReadReport> read_dmarc(std::string_view xml) {
  const auto given = reports::read_dmarc_aggregate(xml);
  if (!given) return fail(given.error());
  auto domain = reported_domain(given->domain);
  if (!domain) return fail(std::move(domain.error()));
  ReadReport report{.kind = ReportKind::dmarc,
                    .organization = shown(given->organization),
                    .report_id = shown(given->report_id),
                    .begin = given->begin,
                    .end = given->end};
  ReadReport::Part part{.domain = std::move(*domain)};
  part.policy = shown(fmt::format("p={}", given->policy.empty() ? "none" : given->policy));
  const auto tag = [&part](std::string_view name, const std::string& value) {
    if (!value.empty()) part.policy += fmt::format("; {}={}", name, shown(value));
  };
  tag("sp", given->subdomain_policy);
  tag("np", given->nonexistent_policy);
  if (given->testing) tag("t", "y");
  Lines lines;
  for (const reports::DmarcRow& row : given->rows) lines.add(words_of(row), row.messages, 0);
  std::move(lines).add_to(part);
  part.lines = store::within_lines_max({}, part.lines);
  report.parts.push_back(std::move(part));
  return report;
}

void add_policy(Lines& lines, const std::string& domain, const reports::TlsPolicyResult& policy) {
  lines.add(store::pack_line(store::TlsLine{.domain = domain, .policy = policy.type}),
            policy.successful, policy.failed);
}

// Not among the sum of sessions, which the policy has told.
void add_failures(Lines& lines, const std::string& domain, const reports::TlsPolicyResult& policy) {
  for (const reports::TlsFailure& failure : policy.failures) {
    lines.add(store::pack_line(
                  store::TlsLine{.domain = domain,
                                 .policy = policy.type,
                                 .result = failure.result.empty() ? "unknown" : failure.result,
                                 .receiving_mx = to_ascii_lower(failure.receiving_mx)}),
              0, failure.sessions);
  }
}

Result<ReadReport> read_tls(std::string_view json) {
  const auto given = reports::read_tls_report(json);
  if (!given) return fail(given.error());
  ReadReport report{.kind = ReportKind::tls,
                    .organization = shown(given->organization),
                    .report_id = shown(given->report_id),
                    .begin = given->begin,
                    .end = given->end};
  struct Sums {
    Lines sessions;
    Lines failures;
  };
  std::map<std::string, Sums> by_domain;
  for (const reports::TlsPolicyResult& policy : given->policies) {
    auto domain = reported_domain(policy.domain);
    if (!domain) return fail(std::move(domain.error()));
    Sums& sums = by_domain[*domain];
    add_policy(sums.sessions, *domain, policy);
    add_failures(sums.failures, *domain, policy);
  }
  if (by_domain.empty()) return fail(ErrorKind::invalid_input, "is of no domain");
  for (auto& [domain, sums] : by_domain) {
    ReadReport::Part part{.domain = domain};
    std::move(sums.sessions).add_to(part);
    const std::int64_t sessions = part.messages;
    std::move(sums.failures).add_to(part);
    part.messages = sessions;
    part.lines = store::within_lines_max({}, part.lines);
    report.parts.push_back(std::move(part));
  }
  return report;
}

}  // namespace

Result<ReadReport> read_report(std::string_view octets) {
  const auto file = reports::open_report(octets);
  if (!file) return fail(file.error());
  return file->kind == reports::ReportFile::Kind::dmarc ? read_dmarc(file->text)
                                                        : read_tls(file->text);
}

BilingualText wrong_time(const ReadReport& report, Instant now, std::int64_t kept_days) {
  using namespace std::chrono;
  if (report.end < report.begin) {
    return {"it ends before it begins", "終わりの日時が始まりの日時より前です"};
  }
  if (report.end - report.begin > days(kReportDaysMax)) {
    return {fmt::format("it is of more than {} days", kReportDaysMax),
            fmt::format("期間が{}日を超えています", kReportDaysMax)};
  }
  const std::string begin = format_utc(report.begin);
  if (report.begin > now + kClocksDiffer) {
    return {fmt::format("it is of the future: it begins at {}", begin),
            fmt::format("開始日時が未来です（{}）", begin)};
  }
  if (report.begin < Instant(sys_days(year(kFirstYear) / January / 1).time_since_epoch())) {
    return {fmt::format("it begins at {}, before there were such reports", begin),
            fmt::format("開始日時が古すぎます（{}）", begin)};
  }
  if (kept_days != 0 && report.begin < now - days(kept_days)) {
    return {fmt::format("it begins at {}, and reports are kept for {} days (retention.report_days)",
                        begin, kept_days),
            fmt::format("開始日時が{}で、レポートの保存期間（{}日、retention.report_days）を"
                        "過ぎています",
                        begin, kept_days)};
  }
  return {};
}

}  // namespace todoku::operate
