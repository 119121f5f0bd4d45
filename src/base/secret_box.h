// SPDX-License-Identifier: Apache-2.0
// Encryption at rest: secrets (DKIM keys and the like) are sealed under one 32-octet master key
// that lives outside the data directory. XChaCha20-Poly1305 by libsodium.
//
// Format of a sealed secret, binary: version (1 octet, value 1) | nonce (24) | ciphertext and tag
// (plaintext + 16). Random nonces of 192 bits do not repeat in practice.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wipe.h"

namespace todoku {

// Holds the key in memory and wipes it when it goes. Not copyable; never logged.
class MasterKey {
 public:
  static constexpr std::size_t kOctets = 32;

  // Reads 64 hexadecimal digits, or 32 octets in base64 (standard or URL-safe, padded or not);
  // white space around is ignored, so a file with a line break is fine. Errors: invalid_input,
  // never repeating the text.
  [[nodiscard]] static Result<MasterKey> parse(std::string_view text);
  // A new one from the operating system's generator.
  [[nodiscard]] static MasterKey generate();

  MasterKey(MasterKey&& other) noexcept;
  MasterKey& operator=(MasterKey&& other) noexcept;
  ~MasterKey();

  // Base64 with padding, as parse() reads it: a secret, for the key file only.
  [[nodiscard]] SecretText to_base64() const;

 private:
  friend class SecretBox;
  MasterKey() = default;
  std::array<std::uint8_t, kOctets> octets_{};
};

// Seals and opens secrets. Immutable after construction and thread-safe.
class SecretBox {
 public:
  explicit SecretBox(const MasterKey& key);
  SecretBox(SecretBox&& other) noexcept;
  SecretBox& operator=(SecretBox&&) = delete;
  ~SecretBox();

  // `context` says what the secret is and whose ("dkim-key/example.jp/s1"). It is not stored, but
  // open() needs the same one: a sealed secret copied into another row does not open there.
  [[nodiscard]] std::string seal(std::string_view plaintext, std::string_view context) const;

  // Errors: corrupt (not a sealed secret: too short, unknown version), unauthorized (it does not
  // open: another master key, another context, or changed octets; they cannot be told apart).
  [[nodiscard]] Result<SecretText> open(std::string_view sealed, std::string_view context) const;

  // 32 octets that belong to the master key and `purpose`, the same ever after: a secret that is
  // stored nowhere. Nothing that is sealed depends on them.
  [[nodiscard]] SecretText derive(std::string_view purpose) const;

  // Sixteen hexadecimal digits that belong to the master key and give nothing of it away: stored
  // with the data, so that start-up can tell a wrong key before anything is opened.
  [[nodiscard]] std::string key_check_value() const;
  // Errors: unauthorized, in words for the operator.
  [[nodiscard]] Result<void> verify_key(std::string_view stored_check_value) const;

 private:
  using Subkey = std::array<std::uint8_t, MasterKey::kOctets>;
  Subkey sealing_{};
  Subkey deriving_{};
  std::array<std::uint8_t, 8> check_{};
};

}  // namespace todoku
