// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace todoku::mailauth::rsa {

// The seed that TODOKU_SEED gives, else another one each time; tests print it when they fail.
[[nodiscard]] inline std::uint64_t test_seed() {
  const char* const given = std::getenv("TODOKU_SEED");
  return given != nullptr ? std::stoull(given) : std::random_device{}();
}

}  // namespace todoku::mailauth::rsa
