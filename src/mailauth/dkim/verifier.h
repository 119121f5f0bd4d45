// SPDX-License-Identifier: Apache-2.0
// Verifying (RFC 6376 section 6, RFC 8301, RFC 8463) in two steps, so that the DNS stays outside:
//
//   const MessageView message = split_message(text);
//   for (const Signature& signature : parse_signatures(message)) {
//     KeyAnswer key = KeyAnswer::absent();
//     if (!signature.problem) key = look_up(signature.lookup_name());   // the caller's; cacheable
//     SignatureResult result = verify(message, signature, key, {.now = now});
//   }
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "mailauth/dkim/key_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/signature.h"

namespace todoku::mailauth::dkim {

struct VerifyOptions {
  Instant now;                      // for x=
  int rsa_bits_min = kRsaBitsMin;   // a shorter key gives policy (RFC 8301 section 3.2)
  bool accept_partial_body = true;  // false: octets beyond l= give policy
  // By how much t= may be ahead of `now`, for clocks and time zones that are set wrongly; more
  // gives policy (RFC 6376 section 3.5: verifiers may ignore such signatures).
  std::chrono::seconds ahead_max = std::chrono::hours(10);
};

struct SignatureResult {
  Verdict verdict = Verdict::neutral;
  std::string reason;  // empty for pass
  std::string domain;
  std::string selector;
  std::string identity;
  KeyAlgorithm algorithm = KeyAlgorithm::rsa;
  int key_bits = 0;      // 0: no key was used
  bool testing = false;  // the key says t=y: whatever the verdict, treat the message as unsigned
  std::uint64_t unsigned_octets = 0;  // canonical body octets that l= leaves unsigned
  // How it came about; nullopt: no key could be used, so it was not looked at.
  std::optional<bool> signature_matches;
  std::optional<bool> body_matches;
  std::string body_hash;    // of the body as it is; octets
  std::string header_hash;  // what the signature should be of; octets
};

// `signature` is one of parse_signatures(message), `key` the answer for its lookup_name(); of
// several key records one that verifies is enough. Thread-safe, no state kept. Costs one pass over
// the body.
[[nodiscard]] SignatureResult verify(const MessageView& message, const Signature& signature,
                                     const KeyAnswer& key, const VerifyOptions& options);

}  // namespace todoku::mailauth::dkim
