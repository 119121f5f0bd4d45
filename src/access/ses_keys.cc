// SPDX-License-Identifier: Apache-2.0
#include "access/ses_keys.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::access {
namespace {

constexpr std::size_t kSecretOctets = 30;  // 240 bits, 40 characters of base64

}  // namespace

std::string new_access_key_id() {
  return access_key_id_of(random_octets(kAccessKeyOctets));
}

std::string access_key_id_of(std::string_view octets) {
  // RFC 4648 section 6: five bits each, 80 in all; the id is no secret.
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string id = "TDKA";
  for (const char octet : octets.substr(0, kAccessKeyOctets)) {
    id += kAlphabet[static_cast<unsigned char>(octet) % kAlphabet.size()];
  }
  return id;
}

std::string access_key_hash(std::string_view access_key_id) {
  // No field of a header has a NUL (RFC 9110 section 5.5), so no bearer token has this hash.
  return sha256_hex(std::string("ses\0", 4) + std::string(access_key_id));
}

SecretText secret_access_key(const SecretBox& box, std::string_view access_key_id) {
  const SecretText octets = box.derive(fmt::format("ses access key/{}", access_key_id));
  return SecretText(to_base64(octets.view().substr(0, kSecretOctets)));
}

}  // namespace todoku::access
