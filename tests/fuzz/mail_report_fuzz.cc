// SPDX-License-Identifier: Apache-2.0
// Reports of strangers: whatever they hold, reading ends and is bounded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "feedback/reports/digest.h"
#include "feedback/reports/report_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::feedback::reports;
  using todoku::check;
  const auto file = open_report({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  check(file->text.size() <= kExpandedOctetsMax, "a report expands to so much at most");
  Digest digest;
  if (const auto report = read_dmarc_aggregate(file->text)) {
    check(report->rows.size() <= kRowsMax, "a report has so many rows at most");
    check(!report->domain.empty(), "a report is of a domain");
    check(digest.add(*report), "it is new");
    check(!digest.add(*report), "it counts once");
  }
  if (const auto report = read_tls_report(file->text)) {
    check(report->policies.size() <= kTlsPoliciesMax, "a report has so many policies at most");
    digest.add(*report);
  }
  for (const DomainDigest& domain : digest.domains()) {
    check(domain.passed <= domain.messages, "what passes was sent");
  }
  return 0;
}
