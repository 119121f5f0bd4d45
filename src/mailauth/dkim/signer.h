// SPDX-License-Identifier: Apache-2.0
// Signing (RFC 6376 section 5, RFC 8463): relaxed/relaxed, RSA-SHA256 and Ed25519-SHA256. Given the
// same headers, body and instant, the same octets come out, so a retry sends the same message.
//
//   const auto signer = Signer::create({{name, rsa_key}, {name2, ed25519_key}});
//   SigningContext context;                                     // one a thread
//   const BodyHash hash = context.body_hash(pieces);            // or once per delivery
//   signer->sign(context, {.headers = fields, .body_hash = hash, .signed_at = start}, out);
//
// Messages that are signed in one go are begun first, all of them, and finished then: their
// signatures are computed together, which may be one and a half times as fast.
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
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/signing_context.h"

namespace todoku::mailauth::dkim {

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

// At most this many signatures a message; receivers stop looking after a few.
inline constexpr std::size_t kIdentitiesMax = 4;

// The signatures of a message that are begun and not finished. Used again, it allocates nothing.
class BegunSignatures {
 private:
  friend class Signer;
  struct Field {
    std::string beginning;  // up to and with b=
    SigningContext::Ticket ticket;
  };
  std::array<Field, kIdentitiesMax> fields_;
  std::size_t count_ = 0;
};

// Signs for one sender: one signature per identity. Immutable and thread-safe; cheap to move.
class Signer {
 public:
  // The order given is the order of the header fields; put RSA first, for receivers that look at
  // one signature only. Two identities may differ in selector and domain. Errors: invalid_input
  // (none, too many, or two with one look-up name).
  [[nodiscard]] static Result<Signer> create(std::vector<SigningIdentity> identities);

  // Appends one whole "DKIM-Signature: ...\r\n" per identity to `out`, to stand before the fields
  // that were given. On an error `out` is as it was. Errors: invalid_input (no From field: RFC 6376
  // section 5.4 forbids it), unavailable (OpenSSL is out of memory).
  [[nodiscard]] Result<void> sign(SigningContext& context, const SigningInput& input,
                                  std::string& out) const;

  // sign() in its two halves, with its errors; `input` is needed for the first only. After the
  // first finish() of a context, what else was begun with it must be finished before more is begun,
  // or dropped.
  [[nodiscard]] Result<void> begin(SigningContext& context, const SigningInput& input,
                                   BegunSignatures& begun) const;
  [[nodiscard]] static Result<void> finish(SigningContext& context, const BegunSignatures& begun,
                                           std::string& out);

  // Whether a signature of its costs less when others are begun together with it.
  [[nodiscard]] bool gains_from_company(const SigningContext& context) const;

  [[nodiscard]] const std::vector<SigningIdentity>& identities() const { return identities_; }

 private:
  explicit Signer(std::vector<SigningIdentity> identities);
  void begin_field(SigningContext& context, const SigningInput& input, std::size_t which,
                   BegunSignatures::Field& field) const;

  std::vector<SigningIdentity> identities_;
  std::vector<std::string> beginnings_;  // of each identity's field, up to and with s=
  std::vector<std::string> key_names_;   // what each is looked up by
};

}  // namespace todoku::mailauth::dkim
