// SPDX-License-Identifier: Apache-2.0
// The local part of MAIL FROM as a signed token of its recipient, so that a bounce tells by itself
// whom it is about and nobody can forge one (the idea of VERP and of BATV, draft-levine-smtp-batv).
//
//   local part = "b" base32(delivery varint, batch varint, seq varint, 6 octets of keyed hash)
//
// Base32 in lower case survives receivers that fold case. At most 64 octets (RFC 5321 section
// 4.5.3.1.1): 1 + ceil((10 + 5 + 5 + 6) * 8 / 5) = 43. Mails with such senders are out in the
// world, and their bounces come back for days: the form does not change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

struct RecipientToken {
  std::int64_t delivery = 0;
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  friend bool operator==(const RecipientToken&, const RecipientToken&) = default;
};

// `secret`: at least 16 octets, the same for the life of the installation.
[[nodiscard]] std::string encode_recipient_token(const RecipientToken& token,
                                                 std::string_view secret);
// nullopt if it is not one of ours: any other octets than those that encode_recipient_token() gives
// for the token, whatever their case.
[[nodiscard]] std::optional<RecipientToken> decode_recipient_token(std::string_view local_part,
                                                                   std::string_view secret);

}  // namespace todoku
