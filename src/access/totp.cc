// SPDX-License-Identifier: Apache-2.0
#include "access/totp.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace todoku::access {
namespace {

constexpr std::size_t kTotpSecretOctets = 20;
constexpr std::size_t kRecoveryOctets = 10;
constexpr std::size_t kRecoveryGroup = 4;
constexpr std::size_t kTypedMax = 64;

using Sha1 = std::array<std::uint8_t, 20>;

Sha1 hmac_sha1(std::string_view key, std::string_view octets) {
  Sha1 code{};
  unsigned int size = 0;
  const auto data = as_octets(octets);
  check(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
             code.data(), &size) != nullptr &&
            size == code.size(),
        "HMAC-SHA-1 is available");
  return code;
}

// RFC 3986: what is not unreserved.
std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_ascii_alphanumeric(c) || std::string_view("-._~").contains(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string without_spaces(std::string_view typed) {
  std::string text(typed.substr(0, kTypedMax));
  std::erase_if(text, [](char c) { return c == ' ' || c == '-' || c == '\t'; });
  return text;
}

}  // namespace

SecretText new_totp_secret() {
  return SecretText(random_octets(kTotpSecretOctets));
}

std::string base32(std::string_view octets) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  text.reserve((octets.size() * 8 + 4) / 5);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char octet : octets) {
    bits = bits << 8U | static_cast<unsigned char>(octet);
    for (count += 8; count >= 5; count -= 5) text += kAlphabet[bits >> (count - 5) & 31U];
    bits &= (1U << count) - 1;
  }
  if (count > 0) text += kAlphabet[bits << (5 - count) & 31U];
  return text;
}

std::string hotp_code(std::string_view secret, std::uint64_t counter, unsigned digits) {
  std::string message;
  for (unsigned shift = 64; shift > 0;) message += static_cast<char>(counter >> (shift -= 8));
  const Sha1 code = hmac_sha1(secret, message);
  const std::size_t offset = code.back() & 15U;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | code.at(offset + i);
  number &= 0x7FFFFFFFU;
  std::uint32_t modulus = 1;
  for (unsigned i = 0; i < digits; ++i) modulus *= 10;
  return fmt::format("{:0{}}", number % modulus, digits);
}

std::optional<std::int64_t> totp_step(std::string_view secret, std::string_view code, Instant now,
                                      std::int64_t last_used) {
  const std::string typed = without_spaces(code);
  const std::int64_t current =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) / kTotpStep;
  std::optional<std::int64_t> found;
  for (const std::int64_t step : {current - 1, current, current + 1}) {
    if (step <= last_used || step < 0) continue;
    const std::string right = hotp_code(secret, static_cast<std::uint64_t>(step));
    if (equal_in_constant_time(right, typed) && !found) found = step;
  }
  return found;
}

SecretText totp_uri(std::string_view issuer, std::string_view name, std::string_view secret) {
  const std::string by = percent_encoded(issuer);
  const SecretText encoded(base32(secret));
  return SecretText(fmt::format("otpauth://totp/{}:{}?secret={}&issuer={}", by,
                                percent_encoded(name), encoded.view(), by));
}

SecretText new_recovery_code() {
  const SecretText octets(random_octets(kRecoveryOctets));
  const SecretText letters(base32(octets));
  std::string code;
  code.reserve(letters.view().size() * 2);
  for (std::size_t i = 0; i < letters.view().size(); ++i) {
    if (i > 0 && i % kRecoveryGroup == 0) code += '-';
    code += letters.view()[i];
  }
  return SecretText(std::move(code));
}

std::string recovery_hash(std::string_view code) {
  SecretText letters(without_spaces(code));
  std::string upper(letters.view());
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    // Not in the alphabet, and taken for these.
    if (c == '0') c = 'O';
    if (c == '1') c = 'I';
  }
  const SecretText whole(std::move(upper));
  return sha256_hex(whole);
}

}  // namespace todoku::access
