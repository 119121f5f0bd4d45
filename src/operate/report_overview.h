// SPDX-License-Identifier: Apache-2.0
// What the reports of a domain say together: who sends in its name, what of it is authenticated,
// what a stricter policy would do, and how TLS to its servers fares. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "doctor/finding.h"
#include "store/domain_reports.h"

namespace todoku::operate {

inline constexpr std::size_t kOverviewSourcesMax = 10'000;  // in memory; more are `others`
inline constexpr std::size_t kSourcesTold = 200;
inline constexpr std::size_t kTlsFailuresTold = 200;
inline constexpr std::size_t kReportersTold = 100;
inline constexpr std::size_t kReportNamesTold = 20;  // of a source

// Our own mail is told to fail from so many messages of a day on, and from such a share of them.
inline constexpr std::int64_t kOwnFailuresMin = 20;
inline constexpr std::int64_t kOwnFailingPercent = 5;
[[nodiscard]] bool own_mail_fails(std::int64_t messages, std::int64_t failed);

// Whose mail is ours.
struct OwnSenders {
  std::set<std::string> addresses;  // of our sources, as receivers see them
  std::set<std::string> selectors;  // of the domain's DKIM keys here
};

struct DmarcSums {
  std::int64_t messages = 0;
  std::int64_t passed = 0;  // DMARC
  std::int64_t dkim_aligned = 0;
  std::int64_t spf_aligned = 0;
  std::int64_t quarantined = 0;
  std::int64_t rejected = 0;
  std::int64_t excepted = 0;  // the receiver made an exception of its policy
  void add(const store::DmarcLine& line, std::int64_t messages_more);
  [[nodiscard]] std::int64_t failed() const { return messages - passed; }
};

struct ReportedSource {
  std::string source;
  std::string network;  // 192.0.2.0/24, 2001:db8:1::/48: neighbours are often of one owner
  bool is_ours = false;
  bool relays_ours = false;  // passed on what we signed
  DmarcSums sums;
  std::set<std::string> header_from;
  std::set<std::string> authenticated;  // domains that DKIM or SPF said good of
  std::int64_t first_day = 0;
  std::int64_t last_day = 0;
};

struct ReportedDay {
  std::int64_t day = 0;
  DmarcSums sums;
  DmarcSums ours;
  std::int64_t tls_successful = 0;
  std::int64_t tls_failed = 0;
};

struct TlsFailing {
  store::TlsLine what;
  std::int64_t sessions = 0;
};

struct ReportOverview {
  std::string account;
  std::string domain;
  std::int64_t first_day = 0;
  std::int64_t last_day = 0;
  std::int64_t reports = 0;
  std::map<std::string, std::int64_t> reporters;  // reports of each
  std::string policy;                             // of the newest DMARC report
  DmarcSums sums;
  DmarcSums ours;
  std::vector<ReportedDay> days;        // those of which there is something
  std::vector<ReportedSource> sources;  // those with most failures first, then with most messages
  std::int64_t sources_more = 0;        // that are not among them
  DmarcSums others;                     // of sources that are not kept by name
  std::int64_t tls_successful = 0;
  std::int64_t tls_failed = 0;
  std::vector<TlsFailing> tls_failures;  // the most sessions first
  std::vector<doctor::Finding> findings;
};

// 2026-11-29
[[nodiscard]] std::string day_text(std::int64_t day);

class OverviewMaker {
 public:
  OverviewMaker(std::string domain, OwnSenders own) : own_(std::move(own)) {
    overview_.domain = std::move(domain);
  }
  // In any order. Errors: corrupt.
  [[nodiscard]] Result<void> add(const store::DatedLine& line);
  void add(const store::DomainReport& report);
  // Once. Of the days from `first` to `last`.
  [[nodiscard]] ReportOverview take(std::int64_t first, std::int64_t last);

 private:
  void add_dmarc(std::int64_t day, const store::DmarcLine& line, std::int64_t messages);
  void add_tls(std::int64_t day, const store::TlsLine& line, const store::ReportLine& sums);

  const OwnSenders own_;
  ReportOverview overview_;
  std::map<std::string, ReportedSource> sources_;
  std::map<std::int64_t, ReportedDay> days_;
  std::map<std::string, TlsFailing> failures_;
  Instant policy_of_{};
};

// What is to be done about it, worst first (report_findings.cc).
[[nodiscard]] std::vector<doctor::Finding> report_findings(const ReportOverview& overview);

}  // namespace todoku::operate
