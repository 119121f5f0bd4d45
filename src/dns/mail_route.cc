// SPDX-License-Identifier: Apache-2.0
#include "dns/mail_route.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "dns/statuses.h"
#include "mail/address.h"

namespace todoku::dns {
namespace {

// Bounds on what a domain's owner can make us do.
constexpr std::size_t kHostsMax = 100;
constexpr std::size_t kAddressesMax = 20;

std::unexpected<Unroutable> permanent(Cause cause, EnhancedStatus status, std::string reason) {
  return std::unexpected(
      Unroutable{.permanent = true, .status = status, .reason = std::move(reason), .cause = cause});
}

// So says the resolver, not the domain's records.
std::unexpected<Unroutable> by_absence(Cause cause, EnhancedStatus status, std::string reason) {
  auto verdict = permanent(cause, status, std::move(reason));
  verdict.error().by_absence = true;
  return verdict;
}

std::unexpected<Unroutable> temporary(std::string reason, bool ours) {
  return std::unexpected(Unroutable{.permanent = false,
                                    .status = kDirectoryFailure,
                                    .reason = std::move(reason),
                                    .ours = ours,
                                    .cause = ours ? Cause::own_shortage : Cause::dns_failed});
}

// The resolver asked nobody (resolver.h).
bool is_ours(const Error& error) {
  return error.kind == ErrorKind::limit_exceeded;
}

// "a, b and 3 more"
std::string list(const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 3;
  const std::size_t shown = std::min(items.size(), kShown);
  std::string text = fmt::format(
      "{}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (items.size() > shown) text += fmt::format(" and {} more", items.size() - shown);
  return text;
}

// An MX record must name a host; owners do write addresses (RFC 2181 section 10.3 and below).
bool names_a_host(std::string_view host) {
  return to_ascii_domain(host).has_value() && !net::IpAddress::parse(host).has_value();
}

bool is_self(const net::IpAddress& address, const RouteOptions& options) {
  if (address.is_loopback() && options.allow_private_receivers) return false;
  return options.own_addresses.contains(address);
}

bool is_usable(const net::IpAddress& address, const RouteOptions& options) {
  switch (address.scope()) {
    case net::AddressScope::global:
      return true;
    case net::AddressScope::multicast:
      return false;
    case net::AddressScope::reserved:
      // 0.0.0.0 and :: would connect to ourselves.
      return options.allow_private_receivers && !address.is_unspecified();
    case net::AddressScope::loopback:
    case net::AddressScope::private_use:
    case net::AddressScope::link_local:
      return options.allow_private_receivers;
  }
  return false;
}

// Each host once, with its best preference, in the order of trying.
std::vector<MailHost> distinct_hosts(const std::vector<MxRecord>& records) {
  std::map<std::string_view, std::uint16_t> best;
  for (const MxRecord& record : records) {
    const auto [host, fresh] = best.emplace(record.host, record.preference);
    if (!fresh) host->second = std::min(host->second, record.preference);
  }
  std::vector<MailHost> hosts;
  for (const auto& [name, preference] : best) {
    hosts.push_back({.name = std::string(name), .preference = preference});
  }
  std::ranges::sort(hosts, {}, [](const MailHost& host) {
    return std::tuple<std::uint16_t, std::string_view>(host.preference, host.name);
  });
  return hosts;
}

// RFC 5321 section 5.1: a relay that finds itself in the list ignores itself and every host that
// is not more preferred, or mail would go in a circle.
void cut_at(std::vector<MailHost>& hosts, std::uint16_t preference) {
  std::erase_if(hosts, [&](const MailHost& host) { return host.preference >= preference; });
}

// What the hosts' answers come to.
struct Findings {
  std::vector<MailHost> usable;
  std::optional<std::uint16_t> self_preference;
  std::vector<std::string> selves;        // "mx.example.jp"
  std::vector<std::string> not_allowed;   // "mx.example.jp 127.0.0.1"
  std::vector<std::string> without;       // "mx.example.jp"
  std::vector<std::string> not_answered;  // details of errors
  bool not_asked = false;                 // one of them is ours
};

void judge_host(MailHost host, const HostAnswers& answers, const RouteOptions& options,
                RoutePlan& plan, Findings& findings) {
  bool failed = false;
  bool any = false;
  for (const AddressAnswer* answer : {&answers.ipv4, &answers.ipv6}) {
    const AddressAnswer& said = *answer;
    if (!said) {
      // There is no such host, or its name cannot be asked for: no address, and that is final.
      if (said.error().kind == ErrorKind::not_found) continue;
      if (said.error().kind == ErrorKind::invalid_input) continue;
      findings.not_answered.push_back(said.error().detail);
      findings.not_asked = findings.not_asked || is_ours(said.error());
      failed = true;
      continue;
    }
    // One that was proven is enough, whatever became of the other: who could hold back one answer
    // could else talk us out of DANE.
    if (said->secure) {
      host.secure = true;
      host.canonical = said->canonical;
    } else if (!said->canonical.empty()) {
      host.leads_out = true;
    }
    if (!said->records.empty()) plan.ttl = std::min(plan.ttl, said->ttl);
    for (const net::IpAddress& address : said->records) {
      any = true;
      if (is_self(address, options)) {
        findings.self_preference =
            std::min(findings.self_preference.value_or(host.preference), host.preference);
        findings.selves.push_back(fmt::format("{} {}", host.name, address.to_string()));
      } else if (!is_usable(address, options)) {
        findings.not_allowed.push_back(fmt::format("{} {}", host.name, address.to_string()));
      } else if (host.addresses.size() < kAddressesMax) {
        host.addresses.push_back(address);
      }
    }
  }
  host.leads_out = host.leads_out && !host.secure;
  if (!any && !failed) findings.without.push_back(host.name);
  if (host.addresses.empty()) return;
  std::ranges::sort(host.addresses);
  findings.usable.push_back(std::move(host));
}

std::unexpected<Unroutable> loop(std::string_view domain, const std::vector<std::string>& selves) {
  return permanent(Cause::points_to_ourselves, kLoop,
                   fmt::format("the mail server of {} is this engine itself ({}), so the "
                               "mail would loop",
                               domain, list(selves)));
}

// Every address is one that we must not connect to. Records in the making look like that, a split
// view of the DNS that leaked, and a rule of ours that is too strict: unlike a null MX (RFC 7505)
// it declares nothing, so it is left its time to be mended.
std::unexpected<Unroutable> nowhere(std::string_view domain, const Findings& findings,
                                    const RouteOptions& options) {
  const std::string addresses = list(findings.not_allowed);
  return std::unexpected(Unroutable{
      .permanent = false,
      .status = kUnableToRoute,
      .reason = options.allow_private_receivers
                    ? fmt::format("the mail server of {} has no address that can be used ({})",
                                  domain, addresses)
                    : fmt::format("the mail server of {} has no public address ({}), and delivery "
                                  "to loopback and private addresses is not allowed by "
                                  "allow_private_receivers",
                                  domain, addresses),
      .cause = Cause::unusable_mx});
}

// The verdict when no host is left; the kindest reason that applies.
std::unexpected<Unroutable> no_host_left(std::string_view domain, const Findings& findings,
                                         bool implicit_mx, const RouteOptions& options) {
  if (!findings.not_answered.empty()) {
    return temporary(fmt::format("the address of the mail server of {} could not be looked up: {}",
                                 domain, findings.not_answered.front()),
                     findings.not_asked);
  }
  if (!findings.selves.empty()) {
    auto verdict = loop(domain, findings.selves);
    verdict.error().by_absence = true;  // an address said so
    return verdict;
  }
  if (!findings.not_allowed.empty()) return nowhere(domain, findings, options);
  if (implicit_mx) {
    return by_absence(Cause::no_such_domain, kBadSystem,
                      fmt::format("{} has neither a mail server (MX) nor an address", domain));
  }
  return by_absence(
      Cause::no_such_domain, kBadSystem,
      fmt::format("no mail server of {} has an address ({})", domain, list(findings.without)));
}

std::string name_site(std::string_view domain, const std::vector<MailHost>& hosts,
                      const RouteOptions& options) {
  std::vector<std::string> names;
  std::vector<std::string_view> preferred;
  for (const MailHost& host : hosts) {
    names.push_back(host.name);
    if (host.preference == hosts.front().preference) preferred.push_back(host.name);
  }
  if (options.site_naming) {
    if (auto named = options.site_naming(domain, preferred)) return *std::move(named);
  }
  return site_of_hosts(std::move(names));
}

// How long the addresses of a host count that is not asked for by a record of its own.
constexpr std::chrono::seconds kHostTtl{3'600};

}  // namespace

RoutePlan plan_host(std::string_view host) {
  return {.hosts = {{.name = std::string(host)}}, .implicit_mx = true, .ttl = kHostTtl};
}

MailRoute route_to(const net::IpAddress& address, const RouteOptions& options) {
  std::string name = address.to_string();
  std::vector<MailHost> hosts = {{.name = name, .addresses = {address}}};
  std::string site = name_site(name, hosts, options);
  return {.domain = std::move(name),
          .hosts = std::move(hosts),
          .site = std::move(site),
          .ttl = kHostTtl};
}

RouteOptions for_host(const RouteOptions& options) {
  return {.allow_private_receivers = true, .site_naming = options.site_naming};
}

std::expected<RoutePlan, Unroutable> plan_route(std::string_view domain,
                                                const Result<Answer<MxRecord>>& mx,
                                                const RouteOptions& options) {
  if (!mx) {
    switch (mx.error().kind) {
      case ErrorKind::not_found:
        return by_absence(Cause::no_such_domain, kBadSystem,
                          fmt::format("{} does not exist in the DNS", domain));
      case ErrorKind::invalid_input:
        return permanent(Cause::no_such_domain, kBadSystem,
                         fmt::format("{} is not a domain name", domain));
      default:
        return temporary(fmt::format("the mail server (MX) of {} could not be looked up: {}",
                                     domain, mx.error().detail),
                         is_ours(mx.error()));
    }
  }
  RoutePlan plan{.hosts = {}, .implicit_mx = false, .secure = mx->secure, .ttl = mx->ttl};
  std::vector<MxRecord> records = mx->records;
  if (records.empty()) {
    // RFC 5321 section 5.1: the domain is treated as if it had an MX of preference 0 for itself.
    plan.implicit_mx = true;
    records.push_back({.preference = 0, .host = std::string(domain)});
  }
  const auto nulls =
      std::erase_if(records, [](const MxRecord& mx_record) { return mx_record.host.empty(); });
  // RFC 7505 section 3 forbids other MX records beside it; where they are, they are used.
  if (nulls > 0 && records.empty()) {
    return permanent(Cause::null_mx, kNullMx,
                     fmt::format("{} accepts no mail (null MX, RFC 7505)", domain));
  }
  std::vector<std::string> impossible;
  std::erase_if(records, [&](const MxRecord& mx_record) {
    if (names_a_host(mx_record.host)) return false;
    impossible.push_back(mx_record.host);
    return true;
  });
  if (records.empty()) {
    // A mistake in the DNS, such as an IP address for a name, is mended within hours.
    return std::unexpected(Unroutable{
        .permanent = false,
        .status = kUnableToRoute,
        .reason = fmt::format("the MX records of {} name no host ({})", domain, list(impossible)),
        .cause = Cause::unusable_mx});
  }
  plan.hosts = distinct_hosts(records);
  const auto self = std::ranges::find_if(
      plan.hosts, [&](const MailHost& host) { return options.own_names.contains(host.name); });
  if (self != plan.hosts.end()) {
    const std::string name = self->name;
    cut_at(plan.hosts, self->preference);
    if (plan.hosts.empty()) return loop(domain, {name});
  }
  if (plan.hosts.size() > kHostsMax) {
    plan.hosts.resize(kHostsMax);
    plan.cut = true;
  }
  return plan;
}

RouteAnswer settle_route(std::string_view domain, RoutePlan plan,
                         std::span<const HostAnswers> answers, const RouteOptions& options) {
  Findings findings;
  std::string site = name_site(domain, plan.hosts, options);
  for (std::size_t i = 0; i < plan.hosts.size() && i < answers.size(); ++i) {
    judge_host(plan.hosts[i], answers[i], options, plan, findings);
  }
  if (findings.self_preference) cut_at(findings.usable, *findings.self_preference);
  if (findings.usable.empty() && plan.cut) {
    // Those that were not looked at may serve.
    return temporary(
        fmt::format("none of the first {} mail servers of {} can be used", kHostsMax, domain),
        false);
  }
  if (findings.usable.empty()) return no_host_left(domain, findings, plan.implicit_mx, options);
  // A host that could not be looked up is missed only until the resolver answers again.
  if (!findings.not_answered.empty()) plan.ttl = std::chrono::seconds(0);
  return MailRoute{.domain = std::string(domain),
                   .hosts = std::move(findings.usable),
                   .site = std::move(site),
                   .implicit_mx = plan.implicit_mx,
                   .secure = plan.secure,
                   .ttl = plan.ttl};
}

bool reaches(const MailRoute& route, Families families) {
  return std::ranges::any_of(route.hosts, [&](const MailHost& host) {
    return std::ranges::any_of(host.addresses, [&](const net::IpAddress& address) {
      return address.is_v4() ? families.ipv4 : families.ipv6;
    });
  });
}

std::vector<Candidate> candidates(const MailRoute& route, Families families, Random& random) {
  struct Ranked {
    std::uint16_t preference;
    std::size_t rank;      // of the address among the host's
    std::uint64_t chance;  // of the host among those of the same preference
    Candidate candidate;
  };
  std::vector<Ranked> ranked;
  for (const MailHost& host : route.hosts) {
    const std::uint64_t chance = random.next();
    std::vector<std::pair<std::uint64_t, net::IpAddress>> addresses;
    for (const net::IpAddress& address : host.addresses) {
      if (address.is_v4() ? !families.ipv4 : !families.ipv6) continue;
      // IPv4 first: receivers ask more of a sender on IPv6, and it is more often broken on the way.
      const std::uint64_t family = address.is_v4() ? 0 : 1ULL << 63U;
      addresses.emplace_back(family | (random.next() >> 1U), address);
    }
    std::ranges::sort(addresses);
    for (std::size_t rank = 0; rank < addresses.size(); ++rank) {
      ranked.push_back({.preference = host.preference,
                        .rank = rank,
                        .chance = chance,
                        .candidate = {.host = host.name,
                                      .preference = host.preference,
                                      .address = addresses[rank].second}});
    }
  }
  std::ranges::sort(ranked, {}, [](const Ranked& one) {
    return std::tuple(one.preference, one.rank, one.chance, one.candidate.address);
  });
  std::vector<Candidate> order;
  for (Ranked& one : ranked) order.push_back(std::move(one.candidate));
  return order;
}

Unroutable no_common_family(const MailRoute& route, Families families) {
  return Unroutable{
      .permanent = false,
      .status = kUnableToRoute,
      .reason = fmt::format("{} can be reached by {} only, which the egress source does not have",
                            route.domain, families.ipv4 ? "IPv6" : "IPv4"),
      .cause = Cause::ipv6_only};
}

}  // namespace todoku::dns
