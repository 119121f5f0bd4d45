// SPDX-License-Identifier: Apache-2.0
// How one connection to a receiver is to be protected: decided in delivery/policy, carried out by
// smtp/protocol, in one value.
#pragma once

#include <cstdint>

namespace todoku {

enum class TlsMode : std::uint8_t {
  never,          // no STARTTLS
  opportunistic,  // when offered; refused or not offered: clear text
  required,       // no mail without it
};

// What the receiver's certificate has to prove.
enum class TlsProof : std::uint8_t {
  none,     // anything will do; what it proves is recorded
  mx_name,  // the name of the MX host, by a public authority
  dane,     // that it is what the host's TLSA records name (RFC 7672)
};

// Who asks for it, for the story.
enum class TlsAsker : std::uint8_t {
  rule,     // the rule of the site, or nobody in particular
  dane,     // the receiver, by TLSA records in the signed DNS
  mta_sts,  // the recipient's domain, by its policy (RFC 8461)
};

// What the DNS says of a host's certificate, as far as DNSSEC proves it.
enum class DaneDemand : std::uint8_t {
  nothing,      // there are no TLSA records, or it is not proven that there are
  encryption,   // there are, and none that can be used: TLS, but nothing to prove (RFC 7672 2.2)
  proof,        // the certificate has to be one that they name
  not_answered  // nobody can tell: such a host is not used (RFC 7672 section 2.1.2)
};

struct TlsPlan {
  TlsMode mode = TlsMode::opportunistic;
  TlsProof proof = TlsProof::none;
  TlsAsker asked_by = TlsAsker::rule;
  friend bool operator==(const TlsPlan&, const TlsPlan&) = default;
};

}  // namespace todoku
