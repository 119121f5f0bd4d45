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
};

struct TlsPlan {
  TlsMode mode = TlsMode::opportunistic;
  TlsProof proof = TlsProof::none;
  friend bool operator==(const TlsPlan&, const TlsPlan&) = default;
};

}  // namespace todoku
