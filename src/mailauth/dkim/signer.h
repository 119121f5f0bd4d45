// SPDX-License-Identifier: Apache-2.0
// Signing (RFC 6376 section 5, RFC 8463): relaxed/relaxed, RSA-SHA256 and Ed25519-SHA256. Given the
// same headers, body and instant, the same octets come out, so a retry sends the same message.
//
//   const auto signer = Signer::create({{name, rsa_key}, {name2, ed25519_key}});
//   SigningContext context;                                     // one a thread
//   const BodyHash hash = context.body_hash(pieces);            // or once per delivery
//   signer->sign(context, {.headers = fields, .body_hash = hash, .signed_at = start}, out);
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/header_field.h"
#include "mailauth/dkim/canonical.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/openssl_ptr.h"

namespace todoku::mailauth::dkim {

// What a thread needs again and again while it signs: digest contexts, prepared keys, buffers.
// Not thread-safe: one per thread. Memory: a few kilobytes, and about 7 KB for each of the at most
// kKeysMax RSA keys that were used last.
class SigningContext {
 public:
  static constexpr std::size_t kKeysMax = 64;

  SigningContext();
  SigningContext(SigningContext&&) noexcept;
  SigningContext& operator=(SigningContext&&) noexcept;
  ~SigningContext();

  // SHA-256 of the relaxed canonical form of the body whose octets are the pieces joined, wherever
  // they are cut. For a body that arrives in slices use a BodyHasher of its own.
  [[nodiscard]] BodyHash body_hash(std::span<const std::string_view> pieces) {
    return body_hasher_.hash(pieces);
  }

 private:
  friend class Signer;
  struct PreparedKey;

  // Signs `hash` (32 octets) into signature_. Errors: unavailable.
  [[nodiscard]] Result<std::string_view> sign_hash(const SigningKey& key,
                                                   std::span<const std::uint8_t> hash);
  [[nodiscard]] Result<PreparedKey*> prepared(const SigningKey& key);

  BodyHasher body_hasher_;
  DigestContextPtr header_digest_;
  std::vector<PreparedKey> keys_;
  std::uint64_t uses_ = 0;
  std::string canonical_;     // the signed fields
  std::string signed_names_;  // the value of h= and a ";", unfolded
  std::string own_;           // our field, canonical
  std::array<std::uint8_t, kRsaBitsMax / 8> signature_{};
};

struct SigningIdentity {
  KeyName name;
  SigningKey key;
};

struct SigningInput {
  // Every field of the message, in its order. The names decide what is signed (signer.cc).
  std::span<const HeaderField> headers;
  BodyHash body_hash{};
  // t=: for mail of ours the delivery's start, not the present. Whole seconds count.
  Instant signed_at;
};

// Signs for one sender: one signature per identity. Immutable and thread-safe; cheap to move.
class Signer {
 public:
  // At most this many signatures a message; receivers stop looking after a few.
  static constexpr std::size_t kIdentitiesMax = 4;

  // The order given is the order of the header fields; put RSA first, for receivers that look at
  // one signature only. Two identities may differ in selector and domain. Errors: invalid_input
  // (none, too many, or two with one look-up name).
  [[nodiscard]] static Result<Signer> create(std::vector<SigningIdentity> identities);

  // Appends one whole "DKIM-Signature: ...\r\n" per identity to `out`, to stand before the fields
  // that were given. On an error `out` is as it was. Errors: invalid_input (no From field: RFC 6376
  // section 5.4 forbids it), unavailable (OpenSSL is out of memory).
  [[nodiscard]] Result<void> sign(SigningContext& context, const SigningInput& input,
                                  std::string& out) const;

  [[nodiscard]] const std::vector<SigningIdentity>& identities() const { return identities_; }

 private:
  explicit Signer(std::vector<SigningIdentity> identities);
  [[nodiscard]] Result<void> append_signature(SigningContext& context, const SigningInput& input,
                                              std::size_t which, std::string& out) const;

  std::vector<SigningIdentity> identities_;
  std::vector<std::string> beginnings_;  // of each identity's field, up to and with s=
};

}  // namespace todoku::mailauth::dkim
