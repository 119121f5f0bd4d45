// SPDX-License-Identifier: Apache-2.0
// Hashes and keyed hashes over OpenSSL, a fast 64-bit hash for look-ups, and random octets fit for
// secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace todoku {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view octets);
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view octets);
// PBKDF2 (RFC 8018 section 5.2) with HMAC-SHA-256, its first block; `iterations` from 1 on. Two
// blocks of SHA-256 for each of them, so thousands take milliseconds.
[[nodiscard]] Sha256 pbkdf2_sha256(std::string_view password, std::string_view salt,
                                   std::uint32_t iterations);
[[nodiscard]] std::string sha256_hex(std::string_view octets);

// Keyed SipHash-2-4 (Aumasson, Bernstein 2012): 64 bits, stable across processes for one key.
[[nodiscard]] std::uint64_t siphash64(std::uint64_t key0, std::uint64_t key1,
                                      std::string_view octets);

// FNV-1a, unkeyed: for stable, non-adversarial spreading (e.g. a site to a thread).
[[nodiscard]] std::uint64_t fnv1a64(std::string_view octets);

// Octets from the operating system's generator; aborts if there is none.
[[nodiscard]] std::string random_octets(std::size_t count);

// Compares in time that depends on the lengths only.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace todoku
