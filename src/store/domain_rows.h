// SPDX-License-Identifier: Apache-2.0
// How what a claim of a domain says (domains.h) becomes a row, and again a claim.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/domains.h"

namespace todoku::store {

// Their numbers one after another, a space between.
[[nodiscard]] inline std::string pack_consents(const std::vector<AccountKey>& accounts) {
  std::string packed;
  for (const AccountKey account : accounts) {
    if (!packed.empty()) packed += ' ';
    packed += std::to_string(static_cast<std::int64_t>(account));
  }
  return packed;
}

[[nodiscard]] inline std::vector<AccountKey> unpack_consents(std::string_view packed) {
  std::vector<AccountKey> accounts;
  while (!packed.empty()) {
    const std::size_t end = std::min(packed.find(' '), packed.size());
    std::int64_t key = 0;
    const auto read = std::from_chars(packed.data(), packed.data() + end, key);
    if (read.ec == std::errc()) accounts.push_back(AccountKey{key});
    packed.remove_prefix(std::min(end + 1, packed.size()));
  }
  return accounts;
}

}  // namespace todoku::store
