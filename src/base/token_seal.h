// SPDX-License-Identifier: Apache-2.0
// Seals a few octets into text that goes out into the world and comes back, an id in a URL, say:
// nobody else can read or make one, and the same octets give the same text whenever they are
// sealed, so that a mail that is made again has it octet for octet.
//
//   text = base64url(tag (12) | ciphertext)       tag: keyed BLAKE2b of the plaintext
//
// The tag is the nonce of the cipher (ChaCha20), which is what makes it deterministic and safe: two
// plaintexts have two nonces (the idea of SIV, RFC 5297). What does not give its own tag was not
// sealed here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace todoku {

class TokenSeal {
 public:
  static constexpr std::size_t kTagOctets = 12;
  static constexpr std::size_t kPlainOctetsMax = 640;
  // Of the text of so many octets.
  [[nodiscard]] static constexpr std::size_t text_octets(std::size_t plain) {
    return ((kTagOctets + plain) * 4 + 2) / 3;
  }

  // `secret`: 16 octets or more that nobody can guess. `purpose` parts the tokens of one secret:
  // what was sealed for one does not open for another.
  TokenSeal(std::span<const std::uint8_t> secret, std::string_view purpose);
  TokenSeal(const TokenSeal&) = delete;
  TokenSeal& operator=(const TokenSeal&) = delete;
  ~TokenSeal();

  // Appends the text of at most kPlainOctetsMax octets.
  void append(std::string& out, std::string_view plain) const;
  // nullopt: it was not sealed here, or is written in any other way.
  [[nodiscard]] std::optional<std::string> open(std::string_view text) const;

 private:
  using Tag = std::array<std::uint8_t, kTagOctets>;
  [[nodiscard]] Tag tag_of(std::string_view plain) const;

  std::array<std::uint8_t, 32> tag_key_{};
  std::array<std::uint8_t, 32> cipher_key_{};
};

}  // namespace todoku
