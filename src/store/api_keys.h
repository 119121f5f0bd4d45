// SPDX-License-Identifier: Apache-2.0
// How the terms of an API key (accounts.h) become a row, and again a key.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/accounts.h"

namespace todoku::store {

// One after another, a space between; they have none.
[[nodiscard]] inline std::string pack_networks(const std::vector<std::string>& networks) {
  std::string packed;
  for (const std::string& network : networks) {
    if (!packed.empty()) packed += ' ';
    packed += network;
  }
  return packed;
}

[[nodiscard]] inline std::vector<std::string> unpack_networks(std::string_view packed) {
  std::vector<std::string> networks;
  while (!packed.empty()) {
    const std::size_t end = std::min(packed.find(' '), packed.size());
    networks.emplace_back(packed.substr(0, end));
    packed.remove_prefix(std::min(end + 1, packed.size()));
  }
  return networks;
}

// As a row has it.
[[nodiscard]] inline std::optional<std::int64_t> life_ms(const ApiKey& key) {
  return key.life ? std::optional<std::int64_t>(key.life->count()) : std::nullopt;
}

// The key that is made at `now`.
[[nodiscard]] inline ApiKey made_of(const NewApiKey& key, std::int64_t id, Instant now) {
  ApiKey made{.id = id, .label = key.label, .created = now, .revoked = std::nullopt};
  made.scopes = key.scopes;
  made.networks = key.networks;
  made.life = key.life;
  made.made_by = key.made_by;
  if (key.life) made.expires = now + *key.life;
  return made;
}

}  // namespace todoku::store
