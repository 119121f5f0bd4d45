// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <bit>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku {

Sha256 sha256(std::string_view octets) {
  Sha256 digest;
  unsigned size = 0;
  check(EVP_Digest(octets.data(), octets.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
        "SHA-256 is available");
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view octets) {
  Sha256 digest;
  unsigned size = 0;
  const auto data = as_octets(octets);
  check(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
             digest.data(), &size) != nullptr,
        "HMAC-SHA-256 is available");
  return digest;
}

Sha256 pbkdf2_sha256(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  Sha256 key;
  const auto octets = as_octets(salt);
  check(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets.data(),
                          static_cast<int>(octets.size()), static_cast<int>(iterations),
                          EVP_sha256(), static_cast<int>(key.size()), key.data()) == 1,
        "PBKDF2 with HMAC-SHA-256 is available");
  return key;
}

std::string sha256_hex(std::string_view octets) {
  return to_hex(as_text(sha256(octets)));
}

std::uint64_t siphash64(std::uint64_t key0, std::uint64_t key1, std::string_view octets) {
  std::uint64_t v0 = 0x736f6d6570736575ULL ^ key0;
  std::uint64_t v1 = 0x646f72616e646f6dULL ^ key1;
  std::uint64_t v2 = 0x6c7967656e657261ULL ^ key0;
  std::uint64_t v3 = 0x7465646279746573ULL ^ key1;
  const auto round = [&] {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  };
  const auto absorb = [&](std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };
  std::uint64_t last = static_cast<std::uint64_t>(octets.size()) << 56U;
  for (; octets.size() >= 8; octets.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data(), 8);
    absorb(word);
  }
  for (std::size_t i = 0; i < octets.size(); ++i) {
    last |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(octets[i])) << (8U * i);
  }
  absorb(last);
  v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

std::uint64_t fnv1a64(std::string_view octets) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : octets) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::string random_octets(std::size_t count) {
  std::string out(count, '\0');
  check(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1,
        "the operating system gives random octets");
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace todoku
