// SPDX-License-Identifier: Apache-2.0
// The private keys that sign mail: RSA (RFC 6376, RFC 8301) and Ed25519 (RFC 8463). Reading,
// making and writing them. What is published in the DNS is in mailauth/dkim/dns_record.h; keys at
// rest are sealed by base/secret_box.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "base/result.h"
#include "base/wipe.h"

namespace todoku::mailauth::dkim {

enum class KeyAlgorithm : std::uint8_t { rsa, ed25519 };

// The word of the k= tag: "rsa", "ed25519".
[[nodiscard]] std::string_view to_string(KeyAlgorithm algorithm);
// The word of the a= tag: "rsa-sha256", "ed25519-sha256".
[[nodiscard]] std::string_view signature_algorithm(KeyAlgorithm algorithm);

// RFC 8301 section 3.2: signers use at least 1024 bits and should use 2048; verifiers need not
// handle more than 4096.
inline constexpr int kRsaBitsMin = 1024;
inline constexpr int kRsaBitsMax = 4096;
inline constexpr int kRsaBitsRecommended = 2048;

// An immutable private key; copies share it. All members are thread-safe.
class SigningKey {
 public:
  // Reads one unencrypted private key in PEM: PKCS#8 ("PRIVATE KEY") of RSA or Ed25519, or PKCS#1
  // ("RSA PRIVATE KEY"). Of RSA each part must fit the others; a trial signature proves the rest.
  // Errors: invalid_input (no such PEM, encrypted, damaged: the sentence names the part),
  // unsupported (another kind of key, RSA outside kRsaBitsMin..kRsaBitsMax).
  [[nodiscard]] static Result<SigningKey> from_pem(std::string_view pem);

  // Makes a new key (RSA: kRsaBitsRecommended bits, exponent 65537) with the operating system's
  // randomness. Errors: unavailable.
  [[nodiscard]] static Result<SigningKey> generate(KeyAlgorithm algorithm);

  [[nodiscard]] KeyAlgorithm algorithm() const { return algorithm_; }
  // RSA: size of the modulus. Ed25519: 256.
  [[nodiscard]] int bits() const { return bits_; }

  // Unencrypted PKCS#8 PEM: a secret, to be sealed or written to a 0600 file only.
  [[nodiscard]] SecretText to_pem() const;

  // What the p= tag holds in base64. RSA: SubjectPublicKeyInfo in DER. Ed25519: the raw 32 octets
  // (RFC 8463 section 4).
  [[nodiscard]] std::string public_octets() const;

  // Borrowed; lives as long as any copy of this key.
  [[nodiscard]] EVP_PKEY* native() const { return key_.get(); }

 private:
  SigningKey(std::shared_ptr<EVP_PKEY> key, KeyAlgorithm algorithm, int bits)
      : key_(std::move(key)), algorithm_(algorithm), bits_(bits) {}

  std::shared_ptr<EVP_PKEY> key_;
  KeyAlgorithm algorithm_;
  int bits_;
};

}  // namespace todoku::mailauth::dkim
