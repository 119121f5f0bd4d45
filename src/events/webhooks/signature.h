// SPDX-License-Identifier: Apache-2.0
// Signatures of webhooks by the Standard Webhooks specification 1.0.0: HMAC-SHA256 ("v1", a secret
// that both sides know) or Ed25519 ("v1a", of which the receiver knows the public half). Pure but
// for generate().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/types.h>

#include "base/clock.h"
#include "base/result.h"
#include "base/wipe.h"
#include "http/headers.h"

namespace todoku::events::webhooks {

// Stored as these numbers: never renumber.
enum class SecretKind : std::uint8_t { hmac = 1, ed25519 = 2 };

// What an endpoint's calls are signed with. Never printed: to_text() is a secret, to be sealed, or
// shown once to its owner. Immutable and thread-safe.
class SigningSecret {
 public:
  // "whsec_" and base64 of 24 to 64 octets, or "whsk_" and base64 of an Ed25519 seed of 32 octets,
  // as the specification's own libraries write it, or of seed and public key, 64, as others do.
  // Errors: invalid_input, repeating nothing of the text.
  [[nodiscard]] static Result<SigningSecret> parse(std::string_view text);
  // Of the operating system's randomness.
  [[nodiscard]] static SigningSecret generate(SecretKind kind);

  [[nodiscard]] SecretKind kind() const { return key_ ? SecretKind::ed25519 : SecretKind::hmac; }
  // As parse() reads it.
  [[nodiscard]] SecretText to_text() const;
  // "whpk_..." for receivers to verify with. Empty for HMAC, where that takes the secret itself.
  [[nodiscard]] std::string public_text() const;

  // "v1,<base64>" or "v1a,<base64>" of "id.seconds.body".
  [[nodiscard]] std::string sign(std::string_view signed_content) const;

 private:
  friend class Verifier;
  SigningSecret(SecretText octets, std::shared_ptr<EVP_PKEY> key)
      : octets_(std::move(octets)), key_(std::move(key)) {}

  SecretText octets_;              // the HMAC key, or the seed
  std::shared_ptr<EVP_PKEY> key_;  // Ed25519 only
};

inline constexpr std::string_view kIdField = "webhook-id";
inline constexpr std::string_view kTimestampField = "webhook-timestamp";
inline constexpr std::string_view kSignatureField = "webhook-signature";

// What is said of a call beside its body. `id` stays the same however often the call is repeated;
// `at` is the time of this attempt.
struct CallMark {
  std::string id;  // without a dot, which separates it from what follows
  Instant at;
};

// Adds the three fields. With several secrets, while one is replaced by another, each signs, so
// that a receiver that knows either is content; the newest is the first.
void add_signature(http::Headers& headers, std::span<const SigningSecret> secrets,
                   const CallMark& mark, std::string_view body);

// The receiving side, for tests and for whoever checks an installation.
class Verifier {
 public:
  static constexpr std::chrono::minutes kTolerance{5};

  // "whsec_", "whsk_" or "whpk_". Errors: invalid_input.
  [[nodiscard]] static Result<Verifier> parse(std::string_view text);

  // Errors: unauthorized (no signature of this key, or a time that is more than kTolerance away),
  // invalid_input (a field is missing or cannot be read).
  [[nodiscard]] Result<void> verify(const http::Headers& headers, std::string_view body,
                                    Instant now) const;

 private:
  explicit Verifier(SecretText octets, std::shared_ptr<EVP_PKEY> key)
      : octets_(std::move(octets)), key_(std::move(key)) {}
  [[nodiscard]] bool is_signed_by_us(std::string_view signature, std::string_view content) const;

  SecretText octets_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace todoku::events::webhooks
