// SPDX-License-Identifier: Apache-2.0
// What many reports say together: by domain who sends in its name, how much of it is authenticated
// for it, since when and to whom. A report that comes twice counts once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "feedback/reports/dmarc_aggregate.h"
#include "feedback/reports/tls_report.h"

namespace todoku::feedback::reports {

inline constexpr std::size_t kDigestSourcesMax = 100'000;  // addresses, of all domains
inline constexpr std::size_t kNamesOfSourceMax = 20;

// One that sends in a domain's name.
struct SourceDigest {
  std::string source_ip;
  std::int64_t messages = 0;
  std::int64_t passed = 0;  // DMARC
  std::int64_t dkim_aligned = 0;
  std::int64_t spf_aligned = 0;
  std::int64_t quarantined = 0;
  std::int64_t rejected = 0;
  // What it showed: domains of DKIM signatures and of MAIL FROM that were good, whether aligned or
  // not: they say whose system it is.
  std::set<std::string> authenticated;
  std::set<std::string> reporters;
};

struct TlsDigest {
  std::int64_t successful = 0;
  std::int64_t failed = 0;
  std::map<std::string, std::int64_t> failures;  // sessions by result type
};

struct DomainDigest {
  std::string domain;
  std::int64_t reports = 0;
  Instant begin{};
  Instant end{};
  std::string policy;  // the newest report's
  std::int64_t messages = 0;
  std::int64_t passed = 0;
  std::int64_t quarantined = 0;
  std::int64_t rejected = 0;
  std::vector<SourceDigest> sources;  // those with most failures first, then with most messages
  TlsDigest tls;
};

class Digest {
 public:
  // False: it was there already, or its domain has more sources than are kept (`left_out`).
  bool add(const DmarcAggregate& report);
  bool add(const TlsReport& report);

  [[nodiscard]] std::vector<DomainDigest> domains() const;  // by name
  // Messages of sources beyond kDigestSourcesMax.
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  struct Domain {
    DomainDigest digest;
    std::map<std::string, SourceDigest> sources;
  };
  // Of one report or policy, whose time is from `begin` to `end`.
  Domain& domain_of(const std::string& name, Instant begin, Instant end);
  void add_row(Domain& domain, const std::string& reporter, const DmarcRow& row);

  std::map<std::string, Domain> domains_;
  // Organization, id, domain, begin: some use an id again.
  using Seen = std::tuple<std::string, std::string, std::string, Instant>;

  std::set<Seen> seen_;
  std::size_t sources_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace todoku::feedback::reports
