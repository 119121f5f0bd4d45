// SPDX-License-Identifier: Apache-2.0
#include "operate/report_overview.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "net/endpoint.h"

namespace todoku::operate {
namespace {

using store::report_sum;

void add_name(std::set<std::string>& names, const std::string& name) {
  if (!name.empty() && names.size() < kReportNamesTold) names.insert(name);
}

std::string network_of(const std::string& source) {
  const auto address = net::IpAddress::parse(source);
  if (!address) return {};
  if (address->is_v4()) return source.substr(0, source.rfind('.')) + ".0/24";
  // The first three of its groups, of which "::" may stand for some.
  std::string groups;
  std::size_t from = 0;
  for (int group = 0; group < 3; ++group) {
    const std::size_t end = std::min(source.find(':', from), source.size());
    if (end == from) break;
    if (group > 0) groups += ':';
    groups += source.substr(from, end - from);
    from = end + 1;
  }
  return groups + "::/48";
}

}  // namespace

bool own_mail_fails(std::int64_t messages, std::int64_t failed) {
  return failed >= kOwnFailuresMin && failed * 100 >= messages * kOwnFailingPercent;
}

void DmarcSums::add(const store::DmarcLine& line, std::int64_t more) {
  messages = report_sum(messages, more);
  if (line.dkim_aligned || line.spf_aligned) passed = report_sum(passed, more);
  if (line.dkim_aligned) dkim_aligned = report_sum(dkim_aligned, more);
  if (line.spf_aligned) spf_aligned = report_sum(spf_aligned, more);
  if (line.disposition == "quarantine") quarantined = report_sum(quarantined, more);
  if (line.disposition == "reject") rejected = report_sum(rejected, more);
  if (line.excepted) excepted = report_sum(excepted, more);
}

std::string day_text(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

void OverviewMaker::add_dmarc(std::int64_t day, const store::DmarcLine& line,
                              std::int64_t messages) {
  const bool is_ours = own_.addresses.contains(line.source);
  overview_.sums.add(line, messages);
  ReportedDay& of_day = days_[day];
  of_day.sums.add(line, messages);
  if (is_ours) {
    overview_.ours.add(line, messages);
    of_day.ours.add(line, messages);
  }
  auto place = sources_.find(line.source);
  if (line.source.empty() || (place == sources_.end() && sources_.size() >= kOverviewSourcesMax)) {
    overview_.others.add(line, messages);
    return;
  }
  if (place == sources_.end()) {
    place = sources_
                .emplace(line.source, ReportedSource{.source = line.source,
                                                     .network = network_of(line.source),
                                                     .is_ours = is_ours,
                                                     .first_day = day,
                                                     .last_day = day})
                .first;
  }
  ReportedSource& source = place->second;
  source.sums.add(line, messages);
  source.first_day = std::min(source.first_day, day);
  source.last_day = std::max(source.last_day, day);
  add_name(source.header_from, line.header_from);
  if (line.dkim_result == "pass") add_name(source.authenticated, line.dkim_domain);
  if (line.spf_result == "pass") add_name(source.authenticated, line.spf_domain);
  if (!is_ours && line.dkim_aligned && own_.selectors.contains(line.dkim_selector)) {
    source.relays_ours = true;
  }
}

void OverviewMaker::add_tls(std::int64_t day, const store::TlsLine& line,
                            const store::ReportLine& sums) {
  if (line.result.empty()) {
    ReportedDay& of_day = days_[day];
    of_day.tls_successful = report_sum(of_day.tls_successful, sums.messages);
    of_day.tls_failed = report_sum(of_day.tls_failed, sums.failed);
    overview_.tls_successful = report_sum(overview_.tls_successful, sums.messages);
    overview_.tls_failed = report_sum(overview_.tls_failed, sums.failed);
    return;
  }
  TlsFailing& failing = failures_[sums.words];
  failing.what = line;
  failing.sessions = report_sum(failing.sessions, sums.failed);
}

Result<void> OverviewMaker::add(const store::DatedLine& line) {
  const auto kind = store::kind_of_line(line.line.words);
  if (!kind) return fail(kind.error());
  if (*kind == store::ReportKind::tls) {
    const auto words = store::unpack_tls_line(line.line.words);
    if (!words) return fail(words.error());
    add_tls(line.day, *words, line.line);
    return {};
  }
  const auto words = store::unpack_dmarc_line(line.line.words);
  if (!words) return fail(words.error());
  add_dmarc(line.day, *words, line.line.messages);
  return {};
}

void OverviewMaker::add(const store::DomainReport& report) {
  ++overview_.reports;
  auto& reporters = overview_.reporters;
  if (reporters.size() < kReportersTold || reporters.contains(report.organization)) {
    ++reporters[report.organization];
  }
  if (report.kind != store::ReportKind::dmarc || report.begin < policy_of_) return;
  policy_of_ = report.begin;
  overview_.policy = report.policy;
}

ReportOverview OverviewMaker::take(std::int64_t first, std::int64_t last) {
  overview_.first_day = first;
  overview_.last_day = last;
  for (auto& [day, of_day] : days_) {
    of_day.day = day;
    overview_.days.push_back(of_day);
  }
  for (auto& [name, source] : sources_) overview_.sources.push_back(std::move(source));
  std::ranges::sort(overview_.sources, [](const ReportedSource& a, const ReportedSource& b) {
    if (a.sums.failed() != b.sums.failed()) return a.sums.failed() > b.sums.failed();
    return a.sums.messages != b.sums.messages ? a.sums.messages > b.sums.messages
                                              : a.source < b.source;
  });
  for (auto& [words, failing] : failures_) overview_.tls_failures.push_back(std::move(failing));
  std::ranges::sort(overview_.tls_failures, [](const TlsFailing& a, const TlsFailing& b) {
    if (a.sessions != b.sessions) return a.sessions > b.sessions;
    return std::tie(a.what.receiving_mx, a.what.result, a.what.domain, a.what.policy) <
           std::tie(b.what.receiving_mx, b.what.result, b.what.domain, b.what.policy);
  });
  overview_.findings = report_findings(overview_);
  if (overview_.sources.size() > kSourcesTold) {
    overview_.sources_more = static_cast<std::int64_t>(overview_.sources.size() - kSourcesTold);
    overview_.sources.resize(kSourcesTold);
  }
  if (overview_.tls_failures.size() > kTlsFailuresTold) {
    overview_.tls_failures.resize(kTlsFailuresTold);
  }
  return std::move(overview_);
}

}  // namespace todoku::operate
