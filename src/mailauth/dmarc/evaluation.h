// SPDX-License-Identifier: Apache-2.0
// Evaluates DMARC for one message, by RFC 9989 (tree walk) and by RFC 7489 (list of public
// suffixes), which receivers still run. Pure: what the DNS says is asked of `facts`, and while
// something is wanted there the verdict means nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/dmarc/record.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth::dmarc {

// The words of RFC 8601 section 2.7 and RFC 9989 section 9.2:
//   none       no record applies
//   pass       an authenticated domain is aligned with the author's
//   fail       none is
//   temperror  the DNS did not answer something that decides
//   permerror  From has not exactly one domain, or the record that applies cannot be used
enum class Result : std::uint8_t { none, pass, fail, temperror, permerror };
[[nodiscard]] std::string_view to_string(Result result);

// How a check of SPF, or of one signature, ended. All that is neither pass nor temperror is fail.
enum class Check : std::uint8_t { fail, pass, temperror };

struct Identifier {
  Check check = Check::fail;
  // SPF: of MAIL FROM, or of EHLO where that is empty (RFC 7208 section 2.4). DKIM: d=. In any
  // case, with A-labels or U-labels; empty: none.
  std::string domain;
};

// More signatures are not looked at: each can cost a walk.
inline constexpr std::size_t kSignaturesMax = 16;

struct Query {
  // Of each address in From, as it stands there.
  std::vector<std::string> author_domains;
  // Why From tells of no author, in one clause: it is missing, repeated or cannot be read. Empty:
  // author_domains are all that it tells.
  std::string from_fault;
  Identifier spf;
  std::vector<Identifier> dkim;
};

// One way's answer.
struct Answer {
  Result result = Result::none;
  // What the record asks for mail that fails, whether this one does or not: of p=, sp= and np= the
  // one that applies, after t=y (RFC 9989) or pct=0 (RFC 7489).
  Policy policy = Policy::none;
  std::string domain;                 // where the record is, without "_dmarc."; empty: none applies
  std::string organizational_domain;  // of the author; empty: it was not needed
  bool spf_aligned = false;           // ... and passed
  bool dkim_aligned = false;          // a signature that passed is
  std::string reason;                 // none, temperror, permerror: one clause
  friend bool operator==(const Answer&, const Answer&) = default;
};

struct Verdict {
  std::string author_domain;  // A-labels; empty: not exactly one
  Answer by_walk;             // RFC 9989: the verdict
  Answer by_list;             // RFC 7489
  std::vector<std::string> warnings;
  std::vector<std::string> trace;  // how by_walk came about, then by_list
};

// The organisational domain of a domain by a list (mailauth/suffixes/public_suffix.h).
using RegisteredDomain = std::string (*)(std::string_view domain);

[[nodiscard]] Verdict evaluate(const Query& query, RegisteredDomain registered_domain,
                               DnsFacts& facts);

}  // namespace todoku::mailauth::dmarc
