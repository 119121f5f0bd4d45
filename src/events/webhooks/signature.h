// SPDX-License-Identifier: Apache-2.0
// Signatures of webhooks by the Standard Webhooks specification 1.0.0: HMAC-SHA256 ("v1", a secret
// that both sides know) or Ed25519 ("v1a", of which the receiver knows the public half); the same
// under the names that Svix and so Resend's clients look for; and SendGrid's ("Signed Event
// Webhook"): ECDSA on P-256 with SHA-256. Pure but for generate().
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
enum class SecretKind : std::uint8_t { hmac = 1, ed25519 = 2, ecdsa = 3 };

// What an endpoint's calls are signed with. Never printed: to_text() is a secret, to be sealed, or
// shown once to its owner. Immutable and thread-safe.
class SigningSecret {
 public:
  // "whsec_" and base64 of 24 to 64 octets, or "whsk_" and base64 of an Ed25519 seed of 32 octets,
  // as the specification's own libraries write it, or of seed and public key, 64, as others do, or
  // "whec_" and base64 of a private key of P-256 as DER (RFC 5915).
  // Errors: invalid_input, repeating nothing of the text.
  [[nodiscard]] static Result<SigningSecret> parse(std::string_view text);
  // Of the operating system's randomness.
  [[nodiscard]] static SigningSecret generate(SecretKind kind);

  [[nodiscard]] SecretKind kind() const { return kind_; }
  // As parse() reads it.
  [[nodiscard]] SecretText to_text() const;
  // "whpk_..." for receivers to verify with; of ECDSA base64 of its DER (RFC 5280 section 4.1.2.7),
  // as SendGrid's libraries take it. Empty for HMAC, where that takes the secret itself.
  [[nodiscard]] std::string public_text() const;

  // "v1,<base64>" or "v1a,<base64>" of "id.seconds.body"; of ECDSA "<base64>", of its DER, which is
  // of "secondsbody".
  [[nodiscard]] std::string sign(std::string_view signed_content) const;

 private:
  friend class Verifier;
  SigningSecret(SecretKind kind, SecretText octets, std::shared_ptr<EVP_PKEY> key)
      : kind_(kind), octets_(std::move(octets)), key_(std::move(key)) {}

  SecretKind kind_;
  SecretText octets_;              // the HMAC key, the seed, or the DER
  std::shared_ptr<EVP_PKEY> key_;  // not of HMAC
};

inline constexpr std::string_view kIdField = "webhook-id";
inline constexpr std::string_view kTimestampField = "webhook-timestamp";
inline constexpr std::string_view kSignatureField = "webhook-signature";

// What a call's mark stands in.
struct MarkFields {
  std::string_view id = kIdField;
  std::string_view timestamp = kTimestampField;
  std::string_view signature = kSignatureField;
};
inline constexpr MarkFields kSvixFields{"svix-id", "svix-timestamp", "svix-signature"};

inline constexpr std::string_view kTwilioSignatureField = "X-Twilio-Email-Event-Webhook-Signature";
inline constexpr std::string_view kTwilioTimestampField = "X-Twilio-Email-Event-Webhook-Timestamp";

// What is said of a call beside its body. `id` stays the same however often the call is repeated;
// `at` is the time of this attempt.
struct CallMark {
  std::string id;  // without a dot, which separates it from what follows
  Instant at;
};

// Adds the three fields. With several secrets, while one is replaced by another, each signs, so
// that a receiver that knows either is content; the newest is the first.
void add_signature(http::Headers& headers, std::span<const SigningSecret> secrets,
                   const CallMark& mark, std::string_view body, const MarkFields& fields = {});

// SendGrid's two fields, of ECDSA secrets. There is room for one signature: while one secret is
// replaced, the one that is replaced signs until its time is over, and then its successor.
void add_twilio_signature(http::Headers& headers, std::span<const SigningSecret> secrets,
                          Instant now, std::string_view body);

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
