// SPDX-License-Identifier: Apache-2.0
// Reports of strangers: whatever they hold, reading ends and is bounded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "feedback/reports/digest.h"
#include "feedback/reports/report_file.h"
#include "feedback/reports/report_mail.h"
#include "operate/report_overview.h"
#include "operate/report_reading.h"

namespace {

// What is kept of a report, and told again.
void check_kept(std::string_view octets) {
  using namespace todoku;
  const auto report = operate::read_report(octets);
  if (!report) return;
  check(!report->parts.empty(), "a report is of a domain");
  operate::OverviewMaker maker("example.jp", {});
  for (const auto& part : report->parts) {
    check(part.messages >= 0 && part.messages <= store::kReportSumMax, "sums are bounded");
    for (const auto& line : store::within_lines_max({}, part.lines)) {
      check(line.words.size() <= 1'200, "a line fits a key");
      check(maker.add(store::DatedLine{.day = 20'000, .line = line}).has_value(),
            "what is packed is unpacked");
    }
  }
  const auto overview = maker.take(20'000, 20'000);
  check(overview.sums.passed <= overview.sums.messages, "what passes was sent");
}

void check_messages(std::string_view octets) {
  using namespace todoku::feedback::reports;
  std::size_t taken = 0;
  for (const std::string_view message : messages_in(octets)) {
    taken += message.size();
    const auto found = reports_in(message, "name");
    if (!found) continue;
    todoku::check(found->size() <= kReportsOfMessageMax, "a message carries so many at most");
    for (const HandedOver& each : *found) check_kept(each.octets);
  }
  todoku::check(taken <= octets.size(), "messages are of the file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::feedback::reports;
  using todoku::check;
  check_messages({reinterpret_cast<const char*>(data), size});
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
