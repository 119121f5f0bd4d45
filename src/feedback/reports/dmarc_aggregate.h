// SPDX-License-Identifier: Apache-2.0
// DMARC aggregate reports (RFC 7489 appendix C, RFC 9990): who sent in a domain's name, how it was
// authenticated and what a receiver did with it.
//
// Read as tolerantly as receivers write them: any namespace, elements in any order, unknown ones
// passed over, words in any case. Entities and document types are refused: no report needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::feedback::reports {

inline constexpr std::size_t kRowsMax = 100'000;
inline constexpr std::size_t kReportTextOctetsMax = 1'000;  // of one element; longer ones are cut
inline constexpr std::size_t kResultsMax = 20;              // of a row, of each method

// What a method said of a message. Words in lower case.
struct AuthResult {
  std::string domain;
  std::string selector;  // of DKIM
  std::string result;    // RFC 8601
};

struct DmarcRow {
  std::string source_ip;  // IPv4 or IPv6
  std::int64_t messages = 0;
  std::string disposition;  // none, pass, quarantine, reject
  bool dkim_aligned = false;
  bool spf_aligned = false;
  // Why the policy was not applied: "forwarded", "local_policy: arc=pass" ...
  std::vector<std::string> overrides;
  std::string header_from;
  std::string envelope_from;
  std::vector<AuthResult> dkim;
  std::vector<AuthResult> spf;

  [[nodiscard]] bool passes() const { return dkim_aligned || spf_aligned; }
};

struct DmarcAggregate {
  std::string organization;
  std::string contact;
  std::string report_id;
  Instant begin{};
  Instant end{};
  std::string domain;  // whose policy: lower case
  std::string policy;  // p
  std::string subdomain_policy;
  std::string nonexistent_policy;  // np
  std::string dkim_alignment;      // r, s
  std::string spf_alignment;
  bool testing = false;  // t
  std::vector<DmarcRow> rows;
};

// Errors: invalid_input (no such report: names what is missing or wrong, and the line), corrupt
// (the XML is cut or broken), limit_exceeded (kRowsMax).
[[nodiscard]] Result<DmarcAggregate> read_dmarc_aggregate(std::string_view xml);

}  // namespace todoku::feedback::reports
