// SPDX-License-Identifier: Apache-2.0
#include "mail/recipient_token.h"

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "mail/varint.h"

namespace todoku {
namespace {

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 section 6
constexpr std::size_t kHashOctets = 6;
constexpr std::size_t kLocalPartOctetsMax = 64;

std::string to_base32(std::string_view octets) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : octets) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(c);
    count += 8;
    while (count >= 5) {
      count -= 5;
      out += kBase32[(bits >> count) & 31U];
    }
    bits &= (1U << count) - 1;
  }
  if (count > 0) out += kBase32[(bits << (5 - count)) & 31U];
  return out;
}

std::optional<std::string> from_base32(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = kBase32.find(ascii_lower(c));
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 5U) | static_cast<std::uint32_t>(digit);
    count += 5;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFFU);
    }
    bits &= (1U << count) - 1;
  }
  return out;
}

std::string keyed_hash(std::string_view ids, std::string_view secret) {
  check(secret.size() >= 16, "the instance secret has at least 16 octets");
  std::uint64_t keys[2];
  std::memcpy(keys, secret.data(), sizeof keys);
  const std::uint64_t hash = siphash64(keys[0], keys[1], ids);
  std::string out(kHashOctets, '\0');
  for (std::size_t i = 0; i < kHashOctets; ++i) out[i] = static_cast<char>(hash >> (8 * i));
  return out;
}

}  // namespace

std::string encode_recipient_token(const RecipientToken& token, std::string_view secret) {
  std::string octets;
  append_varint(octets, static_cast<std::uint64_t>(token.delivery));
  append_varint(octets, token.batch);
  append_varint(octets, token.seq);
  octets += keyed_hash(octets, secret);
  return "b" + to_base32(octets);
}

std::optional<RecipientToken> decode_recipient_token(std::string_view local_part,
                                                     std::string_view secret) {
  if (local_part.size() > kLocalPartOctetsMax || local_part.empty() ||
      ascii_lower(local_part.front()) != 'b') {
    return std::nullopt;
  }
  const auto octets = from_base32(local_part.substr(1));
  if (!octets || octets->size() <= kHashOctets) return std::nullopt;
  std::string_view ids(*octets);
  const std::string_view hash = ids.substr(ids.size() - kHashOctets);
  ids.remove_suffix(kHashOctets);
  if (!equal_in_constant_time(hash, keyed_hash(ids, secret))) return std::nullopt;
  const auto delivery = read_varint(ids);
  const auto batch = read_varint(ids);
  const auto seq = read_varint(ids);
  if (!delivery || !batch || !seq || !ids.empty()) return std::nullopt;
  const RecipientToken token{static_cast<std::int64_t>(*delivery),
                             static_cast<std::uint32_t>(*batch), static_cast<std::uint32_t>(*seq)};
  // A few bits behind the last octet are no part of what is hashed.
  if (!equals_ignoring_case(local_part, encode_recipient_token(token, secret))) {
    return std::nullopt;
  }
  return token;
}

}  // namespace todoku
