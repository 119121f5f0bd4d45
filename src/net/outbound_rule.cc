// SPDX-License-Identifier: Apache-2.0
#include "net/outbound_rule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace todoku::net {
namespace {

constexpr std::uint16_t kHttp = 80;
constexpr std::uint16_t kHttps = 443;

// Azure answers every machine of its own there ("What is IP address 168.63.129.16?"): an address
// of the Internet by its registration, the inside of a data centre in truth.
constexpr IpAddress kPlatformHost = IpAddress::v4({168, 63, 129, 16});

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::array<std::uint8_t, 12> kNat64 = {0, 0x64, 0xFF, 0x9B};  // RFC 6052 section 2.1

// The IPv4 address behind the prefix, or the address itself.
IpAddress without(const std::array<std::uint8_t, 12>& prefix, const IpAddress& address) {
  const auto octets = address.octets();
  if (address.is_v4() || !std::ranges::equal(octets.first(prefix.size()), prefix)) return address;
  return IpAddress::v4({octets[12], octets[13], octets[14], octets[15]});
}

std::unexpected<Error> no_permit(std::string_view text) {
  return fail(ErrorKind::invalid_input,
              fmt::format("'{}' is no network:port, such as 10.1.0.0/16:443", text));
}

}  // namespace

Result<OutboundRule::Permit> OutboundRule::Permit::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return no_permit(text);
  const std::string_view port = text.substr(colon + 1);
  std::string_view network = text.substr(0, colon);
  Permit permit;
  if (port != "*") {
    const char* end = port.data() + port.size();
    const auto [stop, error] = std::from_chars(port.data(), end, permit.port);
    if (error != std::errc() || stop != end || permit.port == 0) return no_permit(text);
  }
  if (network == "*") {
    if (permit.port == 0) return no_permit(text);  // every port of everybody: not by a slip
    return permit;
  }
  const bool bracketed = network.starts_with('[') && network.ends_with(']');
  if (bracketed) network = network.substr(1, network.size() - 2);
  const auto parsed = Network::parse(network);
  // Without brackets the last group of an IPv6 address would be taken for the port.
  if (!parsed || parsed->prefix().is_v6() != bracketed) return no_permit(text);
  permit.network = *parsed;
  return permit;
}

OutboundRule::OutboundRule(std::vector<Permit> permits, std::set<IpAddress> own, Internet internet)
    : permits_(std::move(permits)), own_(std::move(own)), internet_(internet) {}

Result<void> OutboundRule::judge(const Endpoint& to) const {
  // A system that is given an IPv4-mapped address connects to the IPv4 one (RFC 4291 section
  // 2.5.5.2), so for permits both are the same place. What is behind a translator is not.
  const IpAddress address = without(kMapped, to.address);
  const IpAddress reached = without(kNat64, address);
  const bool outside = reached.is_global() && reached != kPlatformHost && !own_.contains(reached);
  bool port_serves = to.port == kHttp || to.port == kHttps;
  for (const Permit& permit : permits_) {
    const bool port_fits = permit.port == 0 || permit.port == to.port;
    if (permit.network && permit.network->contains(address) && port_fits) return {};
    if (!permit.network && port_fits) port_serves = true;
  }
  if (internet_ == Internet::closed) {
    return fail(ErrorKind::unauthorized,
                "nothing leaves this machine (smtp_out.sandbox): only what outbound.allow names is "
                "reached");
  }
  if (!outside) {
    return fail(ErrorKind::unauthorized,
                "the host has an address that is not on the Internet, and outbound.allow does not "
                "have it");
  }
  if (!port_serves) {
    return fail(ErrorKind::unauthorized,
                fmt::format("port {} is not allowed, only {}, {} and those of outbound.allow",
                            to.port, kHttp, kHttps));
  }
  return {};
}

bool OutboundRule::knows_port(std::uint16_t port) const {
  return port == kHttp || port == kHttps || std::ranges::any_of(permits_, [&](const Permit& one) {
           return one.port == 0 || one.port == port;
         });
}

}  // namespace todoku::net
