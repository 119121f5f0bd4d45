// SPDX-License-Identifier: Apache-2.0
// Reading a DKIM-Signature field (RFC 6376 sections 3.5 and 6.1.1) and the words in which
// verification answers (RFC 8601 section 2.7.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/header_field.h"
#include "mailauth/dkim/canonical.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/message.h"

namespace todoku::mailauth::dkim {

//   pass        the signature is good
//   fail        the key was there and the signature or the body hash is wrong
//   policy      good or not, it is not acceptable: SHA-1, weak key, expired, dated in the
//               future, partial body refused
//   neutral     the field cannot be understood: syntax, unknown version, algorithm or form
//   temperror   the key could not be looked up now
//   permerror   it can never verify: From not signed, i= outside d=, no key, key revoked, key
//               record wrong or for another use
enum class Verdict : std::uint8_t { pass, fail, policy, neutral, temperror, permerror };

// RFC 8601's word, equal to the enumerator's name.
[[nodiscard]] std::string_view to_string(Verdict verdict);

// Why a signature cannot be verified, whatever its key says.
struct SignatureProblem {
  Verdict verdict;
  std::string reason;  // one clause, may hold foreign text without control characters
};

// One DKIM-Signature field as it was understood.
struct Signature {
  std::size_t field_index = 0;  // of MessageView::fields
  std::string domain;           // d=, lower-case A-labels; empty if it could not be read
  std::string selector;         // s=, likewise
  std::string identity;         // i=, or "@" and d=
  KeyAlgorithm algorithm = KeyAlgorithm::rsa;
  Canonicalization header_form = Canonicalization::simple;
  Canonicalization body_form = Canonicalization::simple;
  std::vector<std::string> signed_names;  // h=, lower case, in order, with repetitions
  std::string body_hash;                  // bh=, octets
  std::string octets;                     // b=, octets
  // Of numbers that do not fit, the largest that does.
  std::optional<std::uint64_t> body_octets;  // l=
  std::optional<std::int64_t> signed_at;     // t=, Unix seconds
  std::optional<std::int64_t> expires_at;    // x=, Unix seconds
  std::string_view raw;                      // the field, a view into the message
  std::string_view signature_room;           // what "b=" is followed by, a view into raw
  std::optional<SignatureProblem> problem;   // set: no look-up is needed, verify() says this

  // Where its key is: "s1._domainkey.example.jp".
  [[nodiscard]] std::string lookup_name() const;
};

// Reads one field whose name is DKIM-Signature. Never fails: what is wrong is in `problem`.
[[nodiscard]] Signature parse_signature(const HeaderField& field);

// All signatures of a message from top to bottom, at most kSignaturesMax: more are an attack on our
// time and are not looked at.
inline constexpr std::size_t kSignaturesMax = 16;
[[nodiscard]] std::vector<Signature> parse_signatures(const MessageView& message);
// How many there are, also those that are not looked at.
[[nodiscard]] std::size_t count_signatures(const MessageView& message);

}  // namespace todoku::mailauth::dkim
