// SPDX-License-Identifier: Apache-2.0
// MAIL FROM as a signed token of its recipient, so that a bounce tells by itself whom it is about
// and nobody can forge one (the idea of VERP and of BATV, draft-levine-smtp-batv).
//
//   local part = "b" base32(delivery varint, batch varint, seq varint, 6 octets of keyed hash)
//
// Base32 in lower case survives receivers that fold case. At most 64 octets (RFC 5321 section
// 4.5.3.1.1): 1 + ceil((10 + 5 + 5 + 6) * 8 / 5) = 43.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku::delivery::policy {

struct ReturnPathToken {
  std::int64_t delivery = 0;
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  friend bool operator==(const ReturnPathToken&, const ReturnPathToken&) = default;
};

// `secret`: at least 16 octets, the same for the life of the installation.
[[nodiscard]] std::string encode_return_path(const ReturnPathToken& token, std::string_view secret);
// nullopt if it is not one of ours: wrong form or wrong hash.
[[nodiscard]] std::optional<ReturnPathToken> decode_return_path(std::string_view local_part,
                                                                std::string_view secret);

}  // namespace todoku::delivery::policy
