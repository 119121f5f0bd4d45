// SPDX-License-Identifier: Apache-2.0
// The keyed hash by which recipients are looked up: of an address in its lower-case form, with a
// secret of the installation, so that nobody can make addresses that share one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku::store {

inline constexpr std::size_t kAddressSecretOctets = 16;

class AddressHash {
 public:
  // nullopt: that is no secret.
  [[nodiscard]] static std::optional<AddressHash> from_secret(std::string_view secret);
  AddressHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

  [[nodiscard]] std::uint64_t operator()(std::string_view address) const;

 private:
  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace todoku::store
