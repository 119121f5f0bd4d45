// SPDX-License-Identifier: Apache-2.0
// The identity of a sending host: the names of its address (PTR), whether they lead back to it
// (FCrDNS, "iprev" of RFC 8601 sections 2.7.3 and 3), and whether its EHLO name agrees. Pure: what
// the DNS says is asked of `facts`, and while something is wanted there the identity means nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth {

// RFC 8601 section 2.7.3:
//   pass       a name of the address has the address
//   fail       there are names with addresses, and it is not among them
//   temperror  the DNS did not answer
//   permerror  the address has no name, or none of its names has an address
enum class Iprev : std::uint8_t { pass, fail, temperror, permerror };
[[nodiscard]] std::string_view to_string(Iprev result);

enum class HelloAgreement : std::uint8_t {
  unsaid,        // no EHLO name was given
  same,          // it is a confirmed name of the address
  confirmed,     // another name, which has the address
  differs,       // it does not have the address
  literal,       // an address in brackets, which RFC 5321 allows and receivers dislike
  invalid,       // no name of a host with a domain
  undetermined,  // the DNS did not answer
};
[[nodiscard]] std::string_view to_string(HelloAgreement agreement);

// More names of one address are not asked about (RFC 7208 section 4.6.4).
inline constexpr std::size_t kPtrNamesMax = 10;

struct NameOfHost {
  std::string name;
  bool is_confirmed = false;
  std::string generic_sign;  // see generic_name.h; empty: none
};

struct HostIdentity {
  Iprev iprev = Iprev::permerror;
  std::vector<NameOfHost> names;  // of the PTR records, at most kPtrNamesMax
  HelloAgreement hello = HelloAgreement::unsaid;
  std::string hello_generic_sign;
  std::vector<std::string> trace;
};

// `address`: 4 or 16 octets in network order. `hello`: as it was said, any text.
[[nodiscard]] HostIdentity identify_host(std::string_view address, std::string_view hello,
                                         DnsFacts& facts);

}  // namespace todoku::mailauth
