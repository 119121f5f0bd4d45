// SPDX-License-Identifier: Apache-2.0
// Who leaves what by the link of List-Unsubscribe (RFC 8058 section 3.1; docs/adr/0031): the last
// segment of its URL, sealed. It says all that has to be known by itself, so that it works when the
// delivery is long gone, and in an installation that was restored or moved to another store.
//
//   plaintext = octet varint varint varint varint octet list address
//               form (1), account, delivery, batch, seq, octets of the list's id
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
#include "mail/labels.h"

namespace todoku {

struct UnsubscribeToken {
  std::int64_t account = 0;
  std::int64_t delivery = 0;
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  std::string list_id;  // empty: it belongs to none
  std::string address;  // as the delivery has it
  friend bool operator==(const UnsubscribeToken&, const UnsubscribeToken&) = default;
};

// Immutable and thread-safe.
class UnsubscribeTokens {
 public:
  // RFC 5321 section 4.5.3.1: 64 octets, an @, 255 octets.
  static constexpr std::size_t kAddressOctetsMax = 320;
  static constexpr std::size_t kPlainOctetsMax =
      1 + 10 + 10 + 5 + 5 + 1 + 4 * kListIdCharactersMax + kAddressOctetsMax;
  // Of any token. 130 characters are usual.
  static constexpr std::size_t kTextOctetsMax = TokenSeal::text_octets(kPlainOctetsMax);
  static_assert(kPlainOctetsMax <= TokenSeal::kPlainOctetsMax);

  // `secret`: the installation's, the same for its life.
  explicit UnsubscribeTokens(std::span<const std::uint8_t, 16> secret)
      : seal_(secret, "unsubscribe") {}

  // Whose copy it is, as numbers that are the same on every retry.
  struct Copy {
    std::int64_t account = 0;
    std::int64_t delivery = 0;
    std::uint32_t batch = 0;
    std::uint32_t seq = 0;
  };
  // Appends nothing where the address is longer than any that SMTP carries. A list whose id is
  // longer than any that is taken (labels.h) is left out: then all advertisements are left.
  // `scratch` keeps its memory from one mail to the next.
  void append(std::string& out, const Copy& copy, std::string_view list_id,
              std::string_view address, std::string& scratch) const;
  // nullopt: it is not one of ours.
  [[nodiscard]] std::optional<UnsubscribeToken> read(std::string_view text) const;

 private:
  TokenSeal seal_;
};

}  // namespace todoku
