// SPDX-License-Identifier: Apache-2.0
// What a server says it can do in its answer to EHLO (RFC 5321 section 4.1.1.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mail/reply.h"

namespace todoku::smtp {

struct Capabilities {
  bool pipelining = false;             // RFC 2920
  bool chunking = false;               // RFC 3030
  bool eight_bit_mime = false;         // RFC 6152
  bool smtputf8 = false;               // RFC 6531
  bool starttls = false;               // RFC 3207
  bool enhanced_status_codes = false;  // RFC 2034
  bool dsn = false;                    // RFC 3461
  bool size = false;                   // RFC 1870
  std::uint64_t size_max = 0;          // octets; 0: announced without a limit, or not at all
  std::vector<std::string> auth;       // RFC 4954: mechanisms, upper case, as announced

  // Reads a positive reply to EHLO. Keywords are read without regard to case; unknown ones and
  // bad parameters are passed over, as clients must.
  [[nodiscard]] static Capabilities from_ehlo(const Reply& reply);

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

// Extensions that a server offers and stumbles over when they are used.
struct BrokenOffers {
  bool pipelining = false;
  bool chunking = false;

  [[nodiscard]] bool any() const { return pipelining || chunking; }
  friend bool operator==(const BrokenOffers&, const BrokenOffers&) = default;
};

}  // namespace todoku::smtp
