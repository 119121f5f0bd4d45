// SPDX-License-Identifier: Apache-2.0
// What a signer publishes: the name and text of the key record (RFC 6376 section 3.6, RFC 8463
// section 4), and its form in a zone file. Reading records is in mailauth/dkim/key_record.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mailauth/dkim/key.h"

namespace todoku::mailauth::dkim {

// A selector and the domain that signs, checked and normalised (lower case, A-labels).
struct KeyName {
  std::string domain;    // d=
  std::string selector;  // s=, may hold dots

  // Checks both for signing. Strict where receivers may be: labels of letters, digits and inner
  // hyphens (RFC 6376 section 3.1: sub-domain of RFC 5321), the domain with at least one dot, the
  // whole look-up name within 253 octets. Errors: invalid_input, naming the part and the rule.
  [[nodiscard]] static Result<KeyName> parse(std::string_view domain, std::string_view selector);

  // Where the key is looked up: "s1._domainkey.example.jp", without a final dot.
  [[nodiscard]] std::string lookup_name() const;

  friend bool operator==(const KeyName&, const KeyName&) = default;
};

// "v=DKIM1; k=rsa; p=...": the TXT record's whole text for the public half of `key`.
[[nodiscard]] std::string key_record_text(const SigningKey& key);

// A TXT record's text as DNS character-strings of at most 255 octets (RFC 1035 section 3.3.14);
// receivers join them without a space (RFC 6376 section 3.6.2.2). Never empty.
[[nodiscard]] std::vector<std::string_view> split_txt_strings(std::string_view text);

// One entry as a zone file of BIND, knot or nsd takes it, ends with a line break:
//   s1._domainkey.example.jp. IN TXT ( "v=DKIM1; k=rsa; p=MIIB..."
//     "..." )
[[nodiscard]] std::string zone_file_entry(std::string_view name, std::string_view text);

}  // namespace todoku::mailauth::dkim
