// SPDX-License-Identifier: Apache-2.0
// The secrets of an installation: the master key, under which the others are sealed, and the secret
// that keys return paths and Message-IDs.
//
//   store without a check value, no key   first start: a key is made and written, mode 0600
//   store without a check value, a key    first start with a prepared key
//   store with one, the same key          every later start
//   store with one, another or no key     refused: what is sealed could not be opened
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_box.h"
#include "config/config.h"
#include "store/store.h"

namespace todoku::app {

struct VaultOptions {
  std::string master_key_file;
  std::string master_key;      // from the environment; wins over the file
  bool is_for_trials = false;  // nobody misses what it opens: a new one is no warning
};

[[nodiscard]] VaultOptions vault_options(const config::Config& config);

// The store's setting that tells whether a key is its own.
inline constexpr std::string_view kKeyCheckSetting = "master_key_check";

// Finds or makes the master key and proves that it is the store's. Blocks. Errors: unauthorized
// (another key, or a file that others can read), not_found (the key of this store is missing),
// invalid_input (that is no key), io; the sentence says what to do.
[[nodiscard]] Result<SecretBox> open_vault(const VaultOptions& options, store::Store& store);

// That the key, if there is one already, can be read and is one. Errors: as open_vault.
[[nodiscard]] Result<void> check_key(const VaultOptions& options);

// That it is there and the one whose check value data has; one that cannot be read is
// check_key()'s. Errors: as open_vault.
[[nodiscard]] Result<void> check_key_of_data(const VaultOptions& options,
                                             std::string_view check_value);

using InstanceSecret = std::array<std::uint8_t, 16>;

// Made on the first start, the same ever after. Blocks. Errors: those of the store; corrupt.
[[nodiscard]] Result<InstanceSecret> instance_secret(const SecretBox& box, store::Store& store);

}  // namespace todoku::app
