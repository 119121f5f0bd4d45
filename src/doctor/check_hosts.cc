// SPDX-License-Identifier: Apache-2.0
// The hosts of the From domain and of the return path, and what the domain says of TLS of mail to
// it.
#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"
#include "doctor/null_mx.h"
#include "doctor/tls_reports.h"
#include "mailauth/mta_sts/record.h"
#include "mailauth/spf/address.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::FactType;

struct Hosts {
  DnsFact mx;
  DnsFact v4;
  DnsFact v6;

  [[nodiscard]] bool has_mx() const { return mx.status == DnsFact::Status::found; }
  [[nodiscard]] bool is_null() const { return is_null_mx(mx); }
  [[nodiscard]] bool has_address() const {
    return v4.status == DnsFact::Status::found || v6.status == DnsFact::Status::found;
  }
  [[nodiscard]] const DnsFact* failed() const {
    for (const DnsFact* each : {&mx, &v4, &v6}) {
      if (each->status == DnsFact::Status::failed || !each->is_known()) return each;
    }
    return nullptr;
  }
  [[nodiscard]] std::string addresses() const {
    std::vector<std::string> texts;
    for (const DnsFact* each : {&v4, &v6}) {
      for (const std::string& octets : each->values) {
        texts.push_back(mailauth::spf::address_text(octets));
      }
    }
    return all_of(texts);
  }
};

Hosts hosts_of(const std::string& domain, ZoneReading& zone) {
  return {.mx = zone.fact(FactType::mx, domain),
          .v4 = zone.fact(FactType::a, domain),
          .v6 = zone.fact(FactType::aaaa, domain)};
}

std::string mx_text(const Hosts& hosts) {
  return "MX " + all_of(hosts.mx.values);
}

// The line that gives the domain a host.
std::string entry_of(const DomainWish& wish, const std::string& name, std::string_view type) {
  const auto records = wanted_records(wish, {});
  if (!records) return {};
  const auto found = std::ranges::find_if(*records, [&](const WantedRecord& record) {
    return record.name == name && record.type.starts_with(type);
  });
  return found == records->end() ? std::string() : found->zone_entry();
}

// What is wrong with the hosts of an MX: none has an address. nullopt: nothing; one is enough.
std::optional<Finding> mx_fault(const DomainWish& wish, const std::string& name, const DnsFact& mx,
                                ZoneReading& zone) {
  const DnsFact* failed = nullptr;
  std::vector<DnsFact> facts;
  facts.reserve(2 * kMxHostsMax);
  for (const std::string& host : mx.values | std::views::take(kMxHostsMax)) {
    if (host.empty()) continue;
    for (const FactType type : {FactType::a, FactType::aaaa}) {
      const DnsFact& fact = facts.emplace_back(zone.fact(type, host));
      if (fact.status == DnsFact::Status::found) return std::nullopt;
      if (!fact.is_void()) failed = &fact;
    }
  }
  if (failed != nullptr) {
    return domain_finding("mx_undetermined", {.subject = name, .first = failed->reason});
  }
  const bool is_address = std::ranges::all_of(mx.values, [](const std::string& host) {
    return mailauth::spf::octets_of_ip4(host) || mailauth::spf::octets_of_ip6(host);
  });
  Finding fault = domain_finding(is_address ? "mx_is_address" : "mx_no_address",
                                 {.subject = name, .first = all_of(mx.values)});
  // Of other hosts the address is not ours to know.
  if (std::ranges::find(mx.values, wish.platform.mail_host) != mx.values.end()) {
    fault.paste = entry_of(wish, wish.platform.mail_host, "A");
  }
  return fault;
}

void check_from(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  const Hosts hosts = hosts_of(wish.domain, zone);
  if (hosts.is_null()) {
    findings.push_back(domain_finding("from_null_mx", {.subject = wish.domain}));
  } else if (auto fault = hosts.has_mx() ? mx_fault(wish, wish.domain, hosts.mx, zone)
                                         : std::optional<Finding>()) {
    findings.push_back(std::move(*fault));
  } else if (hosts.has_mx() || hosts.has_address()) {
    findings.push_back(domain_finding(
        "from_host_ok", {.subject = wish.domain,
                         .first = hosts.has_mx() ? mx_text(hosts) : "A " + hosts.addresses()}));
  } else if (const DnsFact* const failed = hosts.failed()) {
    findings.push_back(domain_finding("from_host_undetermined",
                                      {.subject = wish.domain, .first = failed->reason}));
  } else {
    Finding finding = domain_finding("from_no_host", {.subject = wish.domain});
    finding.paste = entry_of(wish, wish.domain, "A");
    findings.push_back(std::move(finding));
  }
}

void check_return_path(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  const std::string& path = wish.platform.return_path;
  if (path.empty() || path == wish.domain) return;
  const Hosts hosts = hosts_of(path, zone);
  if (hosts.has_mx() && !hosts.is_null()) {
    auto fault = mx_fault(wish, path, hosts.mx, zone);
    findings.push_back(
        fault ? std::move(*fault)
              : domain_finding("return_path_ok", {.subject = path, .first = mx_text(hosts)}));
    return;
  }
  Finding finding;
  if (hosts.has_address() && !hosts.has_mx()) {
    finding = domain_finding("return_path_no_mx", {.subject = path, .first = hosts.addresses()});
  } else if (const DnsFact* const failed = hosts.failed()) {
    finding =
        domain_finding("return_path_undetermined", {.subject = path, .first = failed->reason});
  } else {
    finding = domain_finding("return_path_no_host", {.subject = path});
  }
  if (finding.outcome != Outcome::not_determined) finding.paste = entry_of(wish, path, "MX");
  findings.push_back(std::move(finding));
}

// RFC 8461 section 3.1.
void check_mta_sts(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  const std::string name = "_mta-sts." + wish.domain;
  const DnsFact fact = zone.fact(FactType::txt, name);
  if (fact.status == DnsFact::Status::failed || !fact.is_known()) return;
  Finding finding;
  if (mailauth::mta_sts::policy_id(fact.values)) {
    finding = domain_finding("mta_sts_ok", {.subject = wish.domain});
  } else if (fact.status == DnsFact::Status::found) {
    finding =
        domain_finding("mta_sts_broken", {.subject = wish.domain, .first = all_of(fact.values)});
  } else {
    finding = domain_finding("mta_sts_missing", {.subject = wish.domain});
    finding.paste = text_entry(name, "v=STSv1; id=1");
  }
  finding.found = all_of(fact.values);
  findings.push_back(std::move(finding));
}

// RFC 8460 section 3.
void check_tls_reports(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  const std::string name = "_smtp._tls." + wish.domain;
  const DnsFact fact = zone.fact(FactType::txt, name);
  if (fact.status == DnsFact::Status::failed || !fact.is_known()) return;
  const TlsReports reports = read_tls_reports(fact.values);
  Finding finding = domain_finding(!reports.is_there          ? "tls_rpt_missing"
                                   : reports.fault.en.empty() ? "tls_rpt_ok"
                                                              : "tls_rpt_broken",
                                   {.subject = wish.domain,
                                    .first = std::string(reports.fault.en),
                                    .first_ja = std::string(reports.fault.ja)});
  finding.found = all_of(fact.values);
  if (finding.outcome != Outcome::pass) {
    // A domain that takes mail reads this address (RFC 5321 section 4.5.1).
    const std::string to =
        wish.report_address.empty() ? "postmaster@" + wish.domain : wish.report_address;
    finding.paste = text_entry(name, "v=TLSRPTv1; rua=" + report_uri(to));
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void check_hosts(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  check_from(wish, zone, findings);
  check_return_path(wish, zone, findings);
}

void check_transport(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings) {
  const Hosts hosts = hosts_of(wish.domain, zone);
  if (!hosts.has_mx() || hosts.is_null()) return;  // it takes no mail
  check_mta_sts(wish, zone, findings);
  check_tls_reports(wish, zone, findings);
}

}  // namespace todoku::doctor
