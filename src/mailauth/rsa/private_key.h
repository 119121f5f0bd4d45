// SPDX-License-Identifier: Apache-2.0
// RSA-2048 private operations eight at a time: almost twice as many from a core as OpenSSL makes
// one after the other. For mail, whose signatures come in hundreds; the eight may be of eight keys.
//
// The caller must check every result with the public key before it leaves the process: a wrong one
// (a fault of the processor, a bug here) would not only be useless, it can give the key away
// (Boneh, DeMillo, Lipton, "On the importance of checking cryptographic protocols for faults").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <openssl/types.h>

#include "mailauth/rsa/numbers.h"

namespace todoku::mailauth::rsa {

inline constexpr std::size_t kOctets = 256;  // of a modulus, a message representative, a signature

// The numbers of one private key. A secret: the memory is wiped when it ends.
class PrivateKey {
 public:
  // nullopt: not RSA of exactly 2,048 bits with two primes of at most 1,024, or a part is missing.
  [[nodiscard]] static std::optional<PrivateKey> of(const EVP_PKEY* key);

  PrivateKey(PrivateKey&&) = default;
  PrivateKey& operator=(PrivateKey&&) = default;
  ~PrivateKey();

 private:
  friend class Together;
  using Digits = std::array<std::uint64_t, kDigits>;
  struct Prime {
    Digits value;
    Digits r_squared;
    std::uint64_t inverse;
    std::array<std::uint64_t, kExponentWords> exponent;
  };
  PrivateKey() = default;

  [[nodiscard]] static bool fill(Prime& prime, const BIGNUM* value, const BIGNUM* exponent);

  Prime p_{};
  Prime q_{};
  Digits q_inverse_{};  // modulo p
};

// RSASP1 of RFC 8017 section 5.2.1: `output` = `input` ^ d mod n, both with the highest octet
// first, `input` below n.
struct PrivateOperation {
  const PrivateKey* key = nullptr;
  std::span<const std::uint8_t, kOctets> input;
  std::span<std::uint8_t, kOctets> output;
};

// Does one to kTogether operations in the time of kTogether. Only if vectors_available().
void operate(std::span<const PrivateOperation> operations);

}  // namespace todoku::mailauth::rsa
