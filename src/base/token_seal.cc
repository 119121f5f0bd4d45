// SPDX-License-Identifier: Apache-2.0
#include "base/token_seal.h"

#include <algorithm>

#include <sodium.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace todoku {
namespace {

static_assert(TokenSeal::kTagOctets == crypto_stream_chacha20_IETF_NONCEBYTES);

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5, without padding; here because to_base64url() makes a string of its own, and
// this is done for each mail.
void append_base64url(std::string& out, std::string_view octets) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : octets) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) out += kDigits[(bits >> (count - 6)) & 63U];
    bits &= (1U << count) - 1;
  }
  if (count > 0) out += kDigits[(bits << (6 - count)) & 63U];
}

}  // namespace

TokenSeal::TokenSeal(std::span<const std::uint8_t> secret, std::string_view purpose) {
  check(sodium_init() >= 0, "libsodium initialises");
  check(secret.size() >= crypto_generichash_KEYBYTES_MIN &&
            secret.size() <= crypto_generichash_KEYBYTES_MAX,
        "a secret has 16 octets or more");
  std::array<std::uint8_t, 64> keys{};
  const auto octets = as_octets(purpose);
  check(crypto_generichash(keys.data(), keys.size(), octets.data(), octets.size(), secret.data(),
                           secret.size()) == 0,
        "keys are derived from a secret");
  std::copy_n(keys.begin(), tag_key_.size(), tag_key_.begin());
  std::copy_n(keys.begin() + tag_key_.size(), cipher_key_.size(), cipher_key_.begin());
  sodium_memzero(keys.data(), keys.size());
}

TokenSeal::~TokenSeal() {
  sodium_memzero(tag_key_.data(), tag_key_.size());
  sodium_memzero(cipher_key_.data(), cipher_key_.size());
}

TokenSeal::Tag TokenSeal::tag_of(std::string_view plain) const {
  // libsodium gives no fewer than 16.
  std::array<std::uint8_t, crypto_generichash_BYTES_MIN> hash{};
  const auto octets = as_octets(plain);
  check(crypto_generichash(hash.data(), hash.size(), octets.data(), octets.size(), tag_key_.data(),
                           tag_key_.size()) == 0,
        "a tag can be made");
  Tag tag{};
  std::copy_n(hash.begin(), tag.size(), tag.begin());
  return tag;
}

void TokenSeal::append(std::string& out, std::string_view plain) const {
  check(plain.size() <= kPlainOctetsMax, "a token holds a few octets");
  const Tag tag = tag_of(plain);
  std::array<std::uint8_t, kTagOctets + kPlainOctetsMax> sealed{};
  std::ranges::copy(tag, sealed.begin());
  crypto_stream_chacha20_ietf_xor(sealed.data() + kTagOctets, as_octets(plain).data(), plain.size(),
                                  tag.data(), cipher_key_.data());
  append_base64url(out, as_text(std::span(sealed).first(kTagOctets + plain.size())));
}

std::optional<std::string> TokenSeal::open(std::string_view text) const {
  if (text.size() > text_octets(kPlainOctetsMax)) return std::nullopt;
  const auto sealed = from_base64url(text);
  if (!sealed || sealed->size() < kTagOctets || sealed->size() > kTagOctets + kPlainOctetsMax) {
    return std::nullopt;
  }
  const auto octets = as_octets(*sealed);
  std::string plain(sealed->size() - kTagOctets, '\0');
  crypto_stream_chacha20_ietf_xor(reinterpret_cast<unsigned char*>(plain.data()),
                                  octets.data() + kTagOctets, plain.size(), octets.data(),
                                  cipher_key_.data());
  const Tag tag = tag_of(plain);
  if (!equal_in_constant_time(as_text(tag), std::string_view(*sealed).substr(0, kTagOctets))) {
    return std::nullopt;
  }
  // A few bits behind the last octet are part of neither.
  std::string again;
  append(again, plain);
  if (again != text) return std::nullopt;
  return plain;
}

}  // namespace todoku
