// SPDX-License-Identifier: Apache-2.0
// What the keys of sources say together.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/proxy_url.h"
#include "config/smarthost_url.h"
#include "config/table.h"
#include "delivery/policy/warm_up.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

// EC2 translates from one private address to one public address.
template <class Report>
void check_public_address(const Config::Egress& source, const Report& report) {
  if (source.ec2_public_ipv4.empty()) return;
  const auto seen = net::IpAddress::parse(source.ec2_public_ipv4);
  if (seen && !seen->is_v4()) report(source, "ec2_public_ipv4 is an IPv6 address");
  if (source.bind_ipv4.empty() || !source.ipv4) {
    report(source, "ec2_public_ipv4 needs ipv4 and the bind_ipv4 that it belongs to");
  }
}

template <class Report>
void check_seen_address(const Config::Egress& source, const Report& report) {
  const auto seen = net::IpAddress::parse(source.public_address);
  if (!seen) return;
  if (seen->is_v4() ? !source.ipv4 : !source.ipv6) {
    report(source, fmt::format("public_address needs {}", seen->is_v4() ? "ipv4" : "ipv6"));
  }
  switch (seen->scope()) {
    case net::AddressScope::global:
    case net::AddressScope::reserved:
      return;
    case net::AddressScope::loopback:
    case net::AddressScope::private_use:
    case net::AddressScope::link_local:
    case net::AddressScope::multicast:
      report(source, fmt::format("public_address {} is seen by no receiver", seen->to_string()));
  }
}

template <class Report>
void check_smarthost(const Config::Egress& source, const Report& report) {
  const bool has_password =
      !source.via_password_file.empty() || !source.via_password_variable.empty();
  if (source.via.empty()) {
    if (!source.via_user.empty() || has_password) {
      report(source, "via_user and its password belong to via, which is empty");
    }
    return;
  }
  if (source.via_user.empty() == has_password) {
    report(source, "via_user needs via_password_file or via_password_variable, and they need it");
  }
  if (!source.via_password_file.empty() && !source.via_password_variable.empty()) {
    report(source, "via_password_file and via_password_variable each give the password: keep one");
  }
  constexpr std::size_t kUserOctetsMax = 255;
  if (source.via_user.size() > kUserOctetsMax) report(source, "via_user is over 255 octets");
  if (source.via_tls == "none" && !source.via_user.empty()) {
    report(source, "a password does not go in clear text: via_tls is \"none\"");
  }
  const auto host = parse_smarthost_url(source.via);
  if (host && source.via_tls == "verified" && net::IpAddress::parse(host->host)) {
    report(source,
           "via is an address, and certificates prove names: name the host, or set "
           "via_tls to \"unverified\" or \"none\"");
  }
  if (!source.public_address.empty() || !source.ec2_public_ipv4.empty()) {
    report(source,
           "receivers see the smarthost's address: public_address and ec2_public_ipv4 do "
           "not belong to a source with via");
  }
}

template <class Report>
void check_proxy(const Config::Egress& source, const Report& report) {
  const bool has_password =
      !source.proxy_password_file.empty() || !source.proxy_password_variable.empty();
  if (source.proxy.empty()) {
    if (!source.proxy_user.empty() || has_password) {
      report(source, "proxy_user and its password belong to proxy, which is empty");
    }
    return;
  }
  if (source.proxy_user.empty() == has_password) {
    report(source,
           "proxy_user needs proxy_password_file or proxy_password_variable, and they need it");
  }
  if (!source.proxy_password_file.empty() && !source.proxy_password_variable.empty()) {
    report(source,
           "proxy_password_file and proxy_password_variable each give the password: keep one");
  }
  constexpr std::size_t kUserOctetsMax = 255;  // RFC 1929
  if (source.proxy_user.size() > kUserOctetsMax) report(source, "proxy_user is over 255 octets");
  if (!source.ec2_public_ipv4.empty()) {
    report(source, "receivers see the proxy's address: ec2_public_ipv4 does not belong to proxy");
  }
  const auto proxy = parse_proxy_url(source.proxy);
  if (!proxy || proxy->kind != net::EgressProxy::Kind::haproxy) return;
  if (!source.proxy_user.empty()) report(source, "nobody logs in at haproxy: no proxy_user");
  if (source.public_address.empty() && source.via.empty()) {
    report(source, "haproxy has to be told the address to connect from: set public_address");
  }
  if (!source.via.empty()) report(source, "via by haproxy is not there: use socks5, or no proxy");
  if (source.ipv4 && source.ipv6) {
    report(source, "haproxy connects from one address: keep ipv4 or ipv6, as public_address is");
  }
}

template <class Report>
void check_warm_up(const Config::Egress& source, const Report& report) {
  if (source.warm_up_from.empty()) return;
  if (!delivery::policy::parse_day(source.warm_up_from)) {
    report(source, fmt::format("warm_up_from is {}, but must be a date such as \"2026-12-01\"",
                               to_toml(source.warm_up_from)));
  }
  if (source.warm_up_volumes.empty()) report(source, "warm_up_volumes is empty: name one");
  if (!std::ranges::is_sorted(source.warm_up_volumes)) {
    report(source, "warm_up_volumes go down: each must be at least the one before");
  }
  constexpr std::size_t kStepsMax = 365;
  if (source.warm_up_volumes.size() > kStepsMax) {
    report(source, fmt::format("warm_up_volumes has {} values, but at most {} are kept to",
                               source.warm_up_volumes.size(), kStepsMax));
  }
}

}  // namespace

void check_egress(const Config& config, std::vector<ConfigProblem>& problems) {
  std::vector<std::string_view> names;
  std::map<std::string, std::string_view> users;  // of addresses
  const auto report = [&](const Config::Egress& source, std::string_view message) {
    problems.push_back({"", fmt::format("egress {}: {}", to_toml(source.name), message)});
  };
  for (const Config::Egress& source : config.egress) {
    if (std::ranges::find(names, source.name) != names.end())
      report(source, "the name is used twice");
    names.push_back(source.name);
    if (!source.ipv4 && !source.ipv6) report(source, "ipv4 and ipv6 are both false");
    const auto v4 = net::IpAddress::parse(source.bind_ipv4);
    if (v4 && !v4->is_v4()) report(source, "bind_ipv4 is an IPv6 address");
    const auto v6 = net::IpAddress::parse(source.bind_ipv6);
    if (v6 && !v6->is_v6()) report(source, "bind_ipv6 is an IPv4 address");
    check_public_address(source, report);
    check_seen_address(source, report);
    check_smarthost(source, report);
    check_proxy(source, report);
    check_warm_up(source, report);
    // Limits hold for each source: a receiver would see both come from one address.
    if (!source.proxy.empty()) continue;  // they see the proxy's
    for (const auto& [at, used] : {std::pair(v4, source.ipv4), std::pair(v6, source.ipv6)}) {
      if (!at || !used) continue;
      const auto [user, is_new] = users.emplace(at->to_string(), source.name);
      if (is_new || user->second == source.name) continue;
      report(source, fmt::format("egress {} sends from {} as well, and receivers' limits are for "
                                 "one address: keep one of them",
                                 to_toml(std::string(user->second)), user->first));
    }
  }
}

}  // namespace todoku::config
