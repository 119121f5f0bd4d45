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

#include "base/result.h"
#include "mailauth/rsa/lanes.h"

namespace todoku::mailauth::rsa {

inline constexpr std::size_t kOctets = 256;  // of a modulus, a message representative, a signature

// The numbers of one private key. A secret: the memory is wiped when it ends. Not thread-safe: a
// key holds the random numbers by which its next inputs are blinded. About 7 KB.
class PrivateKey {
 public:
  // nullopt: not RSA of exactly 2,048 bits with two primes of at most 1,024, or a part is missing
  // or wrong (key_check.h).
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
  // r^e and 1/r modulo both primes, in Montgomery form, for a random r.
  struct Blinding {
    Digits p_blind;
    Digits p_unblind;
    Digits q_blind;
    Digits q_unblind;
    unsigned uses_left;
  };
  PrivateKey() = default;

  [[nodiscard]] static bool fill(Prime& prime, const BIGNUM* value, const BIGNUM* exponent);
  [[nodiscard]] bool make(Blinding& blinding) const;
  // `input` is below n.
  [[nodiscard]] bool can_take(std::span<const std::uint8_t, kOctets> input) const;

  std::array<std::uint8_t, kOctets> modulus_{};  // the highest octet first
  std::uint64_t public_exponent_ = 0;
  Prime p_{};
  Prime q_{};
  Digits q_inverse_{};  // modulo p
  // One for each place among eight, so that eight of one key are blinded by unlike numbers.
  std::array<Blinding, kTogether> blinding_{};
};

// RSASP1 of RFC 8017 section 5.2.1: `output` = `input` ^ d mod n, both with the highest octet
// first, `input` below n.
struct PrivateOperation {
  PrivateKey* key = nullptr;
  std::span<const std::uint8_t, kOctets> input;
  std::span<std::uint8_t, kOctets> output;
};

// The fastest arithmetic of this processor; null: OpenSSL's own is.
[[nodiscard]] Compute* fastest_arithmetic();

// What is left in memory of what was computed with. `kept` is for the test that finds it.
enum class Traces : std::uint8_t { wiped, kept };

// Does one to kTogether operations in the time of kTogether. On an error nothing is computed.
// Errors: invalid_input (an input is not below its modulus), unavailable (OpenSSL has no memory or
// no randomness).
[[nodiscard]] Result<void> operate(std::span<const PrivateOperation> operations, Compute& compute,
                                   Traces traces = Traces::wiped);

}  // namespace todoku::mailauth::rsa
