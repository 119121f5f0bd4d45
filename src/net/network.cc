// SPDX-License-Identifier: Apache-2.0
#include "net/network.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace todoku::net {
namespace {

unsigned bits_of(const IpAddress& address) {
  return address.is_v6() ? 128 : 32;
}

IpAddress first_of(const IpAddress& address, unsigned bits) {
  std::array<std::uint8_t, 16> octets{};
  std::ranges::copy(address.octets(), octets.begin());
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = std::min(8U, bits - std::min(bits, i * 8));
    octets[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  if (address.is_v6()) return IpAddress::v6(octets);
  return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
}

}  // namespace

Network::Network(IpAddress address, unsigned bits)
    : prefix_(first_of(address, std::min(bits, bits_of(address)))),
      bits_(std::min(bits, bits_of(address))) {}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return fail(address.error());
  if (slash == std::string_view::npos) return Network(*address, bits_of(*address));
  const std::string_view length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size() || bits > bits_of(*address)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the length of a prefix is a number from 0 to {}", bits_of(*address)));
  }
  return Network(*address, bits);
}

IpAddress Network::last() const {
  std::array<std::uint8_t, 16> octets{};
  std::ranges::copy(prefix_.octets(), octets.begin());
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = std::min(8U, bits_ - std::min(bits_, i * 8));
    octets[i] |= static_cast<std::uint8_t>(0xFFU >> kept);
  }
  if (prefix_.is_v6()) return IpAddress::v6(octets);
  return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
}

bool Network::contains(const IpAddress& address) const {
  return address.is_v6() == prefix_.is_v6() && first_of(address, bits_) == prefix_;
}

bool contain(std::span<const Network> networks, const IpAddress& address) {
  return std::ranges::any_of(networks,
                             [&](const Network& network) { return network.contains(address); });
}

std::string Network::to_string() const {
  return fmt::format("{}/{}", prefix_.to_string(), bits_);
}

}  // namespace todoku::net
