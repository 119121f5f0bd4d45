// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/address.h"

#include <array>
#include <cstddef>

#include <arpa/inet.h>

namespace todoku::mailauth::spf {
namespace {

constexpr std::size_t kIp4Octets = 4;
constexpr std::size_t kIp6Octets = 16;
constexpr std::string_view kMappedPrefix("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);

std::optional<std::string> octets_of(int family, std::size_t octets, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  // An embedded NUL would hide the rest of the text from inet_pton.
  if (text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  text.copy(terminated.data(), text.size());
  std::string address(octets, '\0');
  if (inet_pton(family, terminated.data(), address.data()) != 1) return std::nullopt;
  return address;
}

}  // namespace

std::optional<std::string> octets_of_ip4(std::string_view text) {
  return octets_of(AF_INET, kIp4Octets, text);
}

std::optional<std::string> octets_of_ip6(std::string_view text) {
  return octets_of(AF_INET6, kIp6Octets, text);
}

std::string address_text(std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (octets.size() == kIp4Octets) inet_ntop(AF_INET, octets.data(), text.data(), text.size());
  if (octets.size() == kIp6Octets) inet_ntop(AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

std::string unmapped(std::string octets) {
  if (octets.size() != kIp6Octets || !octets.starts_with(kMappedPrefix)) return octets;
  return octets.substr(kMappedPrefix.size());
}

bool in_network(std::string_view address, std::string_view network, unsigned bits) {
  if (address.size() != network.size() || bits > address.size() * 8) return false;
  const std::size_t whole = bits / 8;
  if (address.substr(0, whole) != network.substr(0, whole)) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto differs = static_cast<unsigned char>(address[whole] ^ network[whole]);
  return (differs >> (8U - rest)) == 0;
}

}  // namespace todoku::mailauth::spf
