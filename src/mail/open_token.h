// SPDX-License-Identifier: Apache-2.0
// Whose copy of which mail a pixel is in (docs/adr/0025): the last segment of its URL, sealed, so
// that nobody can make one or read an id in it; no address is in it.
//
//   plaintext = octet varint varint varint varint     form (1), account, delivery, batch, seq
//
// Mails with such URLs lie in mailboxes for years: the form does not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/token_seal.h"

namespace todoku {

struct OpenToken {
  std::int64_t account = 0;
  std::int64_t delivery = 0;
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  friend bool operator==(const OpenToken&, const OpenToken&) = default;
};

// Immutable and thread-safe.
class OpenTokens {
 public:
  // Of any token: 1 + 10 + 10 + 5 + 5 octets sealed. 40 characters are usual.
  static constexpr std::size_t kTextOctetsMax = TokenSeal::text_octets(31);

  // `secret`: the installation's, the same for its life.
  explicit OpenTokens(std::span<const std::uint8_t, 16> secret) : seal_(secret, "open tracking") {}

  // `scratch` keeps its memory from one mail to the next.
  void append(std::string& out, const OpenToken& token, std::string& scratch) const;
  // nullopt: it is not one of ours.
  [[nodiscard]] std::optional<OpenToken> read(std::string_view text) const;

 private:
  TokenSeal seal_;
};

}  // namespace todoku
