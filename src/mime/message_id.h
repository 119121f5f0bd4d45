// SPDX-License-Identifier: Apache-2.0
// What stands before the @ of our Message-IDs: which copy of which delivery it is, for nobody but
// us, so that whoever is told a Message-ID (by a recipient, say) finds the mail without any index.
//
//   text = 32 digits of hex: 16 octets, enciphered
//          octets: delivery (8), batch (4), seq (4), big-endian
//   cipher: a Feistel network of four rounds over halves of 8 octets, whose function is SipHash
//           keyed by the installation's secret (Luby, Rackoff 1988: nobody can tell it from a
//           random permutation of 16 octets)
//
// It has no tag of its own: of the 2^128 texts those that name a delivery and recipient which the
// store has are so few that nobody finds one by guessing, and what is found is shown to its own
// account only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace todoku::mime {

struct CopyNumbers {
  std::int64_t delivery = 0;
  std::uint32_t batch = 0;  // of a transaction, whose copies are one message, both are 0
  std::uint32_t seq = 0;
  friend bool operator==(const CopyNumbers&, const CopyNumbers&) = default;
};

inline constexpr std::size_t kMessageIdDigits = 32;

[[nodiscard]] std::array<char, kMessageIdDigits> seal_copy(
    const CopyNumbers& copy, std::span<const std::uint8_t, 16> secret);

// Of a Message-ID, with or without its angle brackets, whatever its domain and the case of its
// digits: which copy it names. nullopt: it is not written as ours are, or was never one of ours (a
// few that were not are read all the same, and name nothing that there is).
[[nodiscard]] std::optional<CopyNumbers> open_message_id(std::string_view message_id,
                                                         std::span<const std::uint8_t, 16> secret);

}  // namespace todoku::mime
