// SPDX-License-Identifier: Apache-2.0
// A mailbox address: local part and domain, as SMTP needs them (RFC 5321 section 4.1.2, RFC 6531).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku {

// A domain name in the form used for look-ups and comparison: lower-case A-labels, no final dot.
// ICU-free IDNA2008 by libidn2 (non-transitional UTS 46). Errors: invalid_input with the reason.
[[nodiscard]] Result<std::string> to_ascii_domain(std::string_view domain);

struct Address {
  std::string local;   // as given, unquoted; may hold UTF-8
  std::string domain;  // A-labels, lower case; or an address literal in brackets

  // local@domain with the local part quoted where RFC 5321 needs it, e.g. the old carrier
  // addresses "a..b."@docomo.ne.jp. This is the form of the wire.
  [[nodiscard]] std::string to_string() const;
  // True if the local part needs SMTPUTF8 (RFC 6531).
  [[nodiscard]] bool needs_smtputf8() const;
  [[nodiscard]] bool is_address_literal() const { return domain.starts_with('['); }

  friend bool operator==(const Address&, const Address&) = default;
};

// Parses one bare addr-spec. Tolerant where real mailboxes exist (dots anywhere in the local part,
// as older Japanese carriers handed out), strict where a mistake is certain: white space, invisible
// and control characters (also around it, see trim_invisible()), encoded-words, missing or
// impossible domain, local part over 64 octets, whole over 254, as given and as to_string() writes
// it. What is accepted can stand in a command of SMTP. Errors: invalid_input, detail is one clause
// without the address, e.g. "has no @".
[[nodiscard]] Result<Address> parse_address(std::string_view text);

// An address with a display name, as From and Reply-To carry it.
struct Mailbox {
  std::string address;  // as accepted; parse_address() has succeeded on it
  std::string name;     // UTF-8, may be empty
  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

}  // namespace todoku
