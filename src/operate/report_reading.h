// SPDX-License-Identifier: Apache-2.0
// A report of a receiver as what is kept of it (store/domain_reports.h): domain by domain, summed.
// Pure; a large one takes a second of a processor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/domain_reports.h"

namespace todoku::operate {

// A report is of a day; some are of a week. More is none that can be told by day.
inline constexpr std::int64_t kReportDaysMax = 32;

struct ReadReport {
  struct Part {
    std::string domain;                    // as it is reported, in A-labels and lower case
    std::string policy;                    // of DMARC: "p=none; sp=reject"
    std::vector<store::ReportLine> lines;  // about kReportLinesMax at most
    std::int64_t messages = 0;             // of TLS: sessions
  };
  store::ReportKind kind = store::ReportKind::dmarc;
  std::string organization;
  std::string report_id;
  Instant begin{};
  Instant end{};
  std::vector<Part> parts;  // of DMARC one
};

// `octets` as they came: XML or JSON, also in gzip or a zip. Errors: those of
// feedback/reports/report_file.h and of what reads each kind; invalid_input: it is of no domain.
[[nodiscard]] Result<ReadReport> read_report(std::string_view octets);

// Why a report of this time is not taken; empty: it is. `kept_days` 0: without an end.
[[nodiscard]] BilingualText wrong_time(const ReadReport& report, Instant now,
                                       std::int64_t kept_days);

}  // namespace todoku::operate
