// SPDX-License-Identifier: Apache-2.0
// TLS reports (RFC 8460): how senders fared who wanted TLS to a domain's mail servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::feedback::reports {

inline constexpr std::size_t kTlsPoliciesMax = 1'000;
inline constexpr std::size_t kTlsFailuresMax = 1'000;  // of a policy

// RFC 8460 section 4.3.
struct TlsFailure {
  std::string result;  // certificate-expired, starttls-not-supported, validation-failure ...
  std::string sending_ip;
  std::string receiving_mx;
  std::string receiving_ip;
  std::int64_t sessions = 0;
  std::string reason;  // failure-reason-code, or what else is said
};

struct TlsPolicyResult {
  std::string domain;  // lower case
  std::string type;    // sts, tlsa, no-policy-found
  std::int64_t successful = 0;
  std::int64_t failed = 0;
  std::vector<TlsFailure> failures;
};

struct TlsReport {
  std::string organization;
  std::string contact;
  std::string report_id;
  Instant begin{};
  Instant end{};
  std::vector<TlsPolicyResult> policies;
};

// Unknown members are passed over. Errors: invalid_input (names what is missing or wrong), corrupt
// (no JSON), limit_exceeded (kTlsPoliciesMax, kTlsFailuresMax).
[[nodiscard]] Result<TlsReport> read_tls_report(std::string_view json);

}  // namespace todoku::feedback::reports
