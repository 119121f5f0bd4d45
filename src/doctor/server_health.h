// SPDX-License-Identifier: Apache-2.0
// What the machine under the engine lacks: certificates that end, a clock that drifts, name servers
// that lie, a disk or a limit of open files that is too small. Facts in, findings out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"

namespace todoku::doctor {

struct CertificateFact {
  std::string key;      // "api.tls_certificate_file"
  std::string problem;  // why it cannot be used; empty: it can
  Instant valid_from{};
  Instant valid_until{};
};

struct ClockFact {
  std::optional<bool> is_synchronised;  // as the kernel was told; nullopt: it does not say
};

struct ResolverFact {
  enum class State : std::uint8_t { honest, lies, silent };
  State state = State::silent;
  std::string problem;  // in words; empty: none
};

struct DnssecFact {
  bool has_anchor = false;           // dns.trust_anchor_files
  std::string zone;                  // that was asked about
  std::optional<bool> is_validated;  // nullopt: no answer
};

struct DiskFact {
  std::string folder;
  std::string problem;  // why nothing is known; empty: something is
  std::uint64_t octets = 0;
  std::uint64_t octets_free = 0;  // for this process
};

struct FilesFact {
  std::uint64_t limit = 0;
  std::string problem;  // what it does not suffice for; empty: it does
};

struct ServerFacts {
  std::vector<CertificateFact> certificates;
  ClockFact clock;
  ResolverFact resolver;
  DnssecFact dnssec;
  DiskFact disk;
  FilesFact files;
};

// Renewal is usually at 30 days: what is left with less was not renewed.
inline constexpr Milliseconds kCertificateEndsSoon = std::chrono::hours(24 * 14);
inline constexpr unsigned kDiskFreeWarningPercent = 10;
inline constexpr unsigned kDiskFreeFailPercent = 3;

[[nodiscard]] std::vector<Finding> server_findings(const ServerFacts& facts, Instant now);

}  // namespace todoku::doctor
