// SPDX-License-Identifier: Apache-2.0
#include "app/sending_platform.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/module_options.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::app {
namespace {

bool is_seen_as_it_is(const net::IpAddress& address) {
  switch (address.scope()) {
    case net::AddressScope::global:
    case net::AddressScope::reserved:  // of examples
      return !address.is_unspecified();
    case net::AddressScope::loopback:
    case net::AddressScope::private_use:
    case net::AddressScope::link_local:
    case net::AddressScope::multicast:
      break;
  }
  return false;
}

// The addresses of one source as receivers see them: what was said of it, else what it binds.
std::vector<std::string> seen_addresses_of(const config::Config::Egress& source) {
  std::vector<std::string> addresses;
  if (!source.via.empty()) return addresses;  // the smarthost's, which nobody has told us
  for (const bool v4 : {true, false}) {
    if (!(v4 ? source.ipv4 : source.ipv6)) continue;
    // What is bound towards a proxy, the proxy sees and nobody else.
    const std::string bound = !source.proxy.empty() ? "" : v4 ? source.bind_ipv4 : source.bind_ipv6;
    for (const std::string* text : {&source.public_address, &source.ec2_public_ipv4, &bound}) {
      const auto address = net::IpAddress::parse(*text);
      if (!address || address->is_v4() != v4 || !is_seen_as_it_is(*address)) continue;
      addresses.push_back(address->to_string());
      break;
    }
  }
  return addresses;
}

}  // namespace

doctor::Platform sending_platform(const config::Config& config) {
  doctor::Platform platform;
  for (const config::Config::Egress& source : config.egress) {
    const auto addresses = seen_addresses_of(source);
    if (addresses.empty()) platform.unknown_sources.push_back(source.name);
    for (const std::string& address : addresses) {
      if (std::ranges::find(platform.addresses, address) != platform.addresses.end()) continue;
      platform.addresses.push_back(address);
    }
  }
  if (config.egress.empty()) platform.unknown_sources.emplace_back("default");
  platform.mail_host = hello_name(config);
  const std::string& path = config.smtp_out.return_path_domain;
  platform.return_path = path.empty() ? platform.mail_host : to_ascii_domain(path).value_or(path);
  return platform;
}

bool checks_domains(const config::Config& config) {
  return !config.smtp_out.sandbox && config.doctor.enabled && config.doctor.domain_checks;
}

}  // namespace todoku::app
