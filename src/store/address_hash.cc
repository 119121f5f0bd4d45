// SPDX-License-Identifier: Apache-2.0
#include "store/address_hash.h"

#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::store {
namespace {

std::uint64_t first_octets(std::string_view octets) {
  std::uint64_t value = 0;
  std::memcpy(&value, octets.data(), sizeof value);
  return std::byteswap(value);
}

}  // namespace

std::optional<AddressHash> AddressHash::from_secret(std::string_view secret) {
  if (secret.size() != kAddressSecretOctets) return std::nullopt;
  return AddressHash(first_octets(secret), first_octets(secret.substr(sizeof(std::uint64_t))));
}

std::uint64_t AddressHash::operator()(std::string_view address) const {
  return siphash64(key0_, key1_, to_ascii_lower(address));
}

}  // namespace todoku::store
