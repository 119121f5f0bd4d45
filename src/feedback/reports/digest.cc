// SPDX-License-Identifier: Apache-2.0
#include "feedback/reports/digest.h"

#include <algorithm>
#include <limits>

namespace todoku::feedback::reports {
namespace {

// Whoever reports may write any number.
void sum_up(std::int64_t& sum, std::int64_t number) {
  if (__builtin_add_overflow(sum, number, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

void add_name(std::set<std::string>& names, const std::string& name) {
  if (!name.empty() && names.size() < kNamesOfSourceMax) names.insert(name);
}

}  // namespace

Digest::Domain& Digest::domain_of(const std::string& name, Instant begin, Instant end) {
  auto [place, is_new] = domains_.try_emplace(name);
  DomainDigest& digest = place->second.digest;
  if (is_new) {
    digest.domain = name;
    digest.begin = begin;
    digest.end = end;
  }
  digest.begin = std::min(digest.begin, begin);
  digest.end = std::max(digest.end, end);
  ++digest.reports;
  return place->second;
}

void Digest::add_row(Domain& domain, const std::string& reporter, const DmarcRow& row) {
  auto place = domain.sources.find(row.source_ip);
  sum_up(domain.digest.messages, row.messages);
  sum_up(domain.digest.passed, row.passes() ? row.messages : 0);
  sum_up(domain.digest.quarantined, row.disposition == "quarantine" ? row.messages : 0);
  sum_up(domain.digest.rejected, row.disposition == "reject" ? row.messages : 0);
  if (place == domain.sources.end()) {
    if (sources_ >= kDigestSourcesMax) {
      sum_up(left_out_, row.messages);
      return;
    }
    ++sources_;
    place = domain.sources.emplace(row.source_ip, SourceDigest{.source_ip = row.source_ip}).first;
  }
  SourceDigest& source = place->second;
  sum_up(source.messages, row.messages);
  sum_up(source.passed, row.passes() ? row.messages : 0);
  sum_up(source.dkim_aligned, row.dkim_aligned ? row.messages : 0);
  sum_up(source.spf_aligned, row.spf_aligned ? row.messages : 0);
  sum_up(source.quarantined, row.disposition == "quarantine" ? row.messages : 0);
  sum_up(source.rejected, row.disposition == "reject" ? row.messages : 0);
  for (const auto* const results : {&row.dkim, &row.spf}) {
    for (const AuthResult& result : *results) {
      if (result.result == "pass") add_name(source.authenticated, result.domain);
    }
  }
  add_name(source.reporters, reporter);
}

bool Digest::add(const DmarcAggregate& report) {
  if (!seen_.emplace(report.organization, report.report_id, report.domain, report.begin).second) {
    return false;
  }
  Domain& domain = domain_of(report.domain, report.begin, report.end);
  if (report.end >= domain.digest.end) domain.digest.policy = report.policy;
  for (const DmarcRow& row : report.rows) add_row(domain, report.organization, row);
  return true;
}

bool Digest::add(const TlsReport& report) {
  // A report may have several policies of a domain.
  std::set<std::string> added;
  for (const TlsPolicyResult& policy : report.policies) {
    const Seen seen{report.organization, report.report_id, policy.domain, report.begin};
    if (!added.contains(policy.domain) && !seen_.insert(seen).second) continue;
    added.insert(policy.domain);
    TlsDigest& tls = domain_of(policy.domain, report.begin, report.end).digest.tls;
    sum_up(tls.successful, policy.successful);
    sum_up(tls.failed, policy.failed);
    for (const TlsFailure& failure : policy.failures) {
      if (tls.failures.size() < kNamesOfSourceMax || tls.failures.contains(failure.result)) {
        sum_up(tls.failures[failure.result], failure.sessions);
      }
    }
  }
  return !added.empty();
}

std::vector<DomainDigest> Digest::domains() const {
  std::vector<DomainDigest> all;
  for (const auto& [name, domain] : domains_) {
    DomainDigest digest = domain.digest;
    for (const auto& [ip, source] : domain.sources) digest.sources.push_back(source);
    std::ranges::sort(digest.sources, [](const SourceDigest& a, const SourceDigest& b) {
      const auto failed = [](const SourceDigest& source) {
        return source.messages - source.passed;
      };
      if (failed(a) != failed(b)) return failed(a) > failed(b);
      return a.messages != b.messages ? a.messages > b.messages : a.source_ip < b.source_ip;
    });
    all.push_back(std::move(digest));
  }
  return all;
}

}  // namespace todoku::feedback::reports
