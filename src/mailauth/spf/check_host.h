// SPDX-License-Identifier: Apache-2.0
// check_host() of RFC 7208 section 4: may this host send mail of this domain?
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth::spf {

// Section 2.6.
enum class SpfResult : std::uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };

// RFC 8601's word, equal to the enumerator's name.
[[nodiscard]] std::string_view to_string(SpfResult result);

struct Query {
  std::string ip;                    // 4 or 16 octets in network order
  std::string mail_from;             // without "<>"; empty: the identity is HELO (section 2.4)
  std::string helo;                  // as it was said
  std::string receiver = "unknown";  // %{r} in explanations: our own name
  Instant now{};                     // %{t} in explanations
};

// Section 4.6.4.
struct Limits {
  int lookups = 10;            // terms that ask the DNS; one more is a permerror
  int void_lookups = 2;        // answers without a record; one more is a permerror
  std::size_t mx_names = 10;   // of one mx; more are a permerror
  std::size_t ptr_names = 10;  // of the address; more are not looked at
};

struct Options {
  Limits limits{};
  std::string explanation;  // of a fail to which the domain says nothing (section 6.2)
};

struct Verdict {
  SpfResult result = SpfResult::none;
  std::string domain;            // that was asked for: of mail_from, or HELO; A-labels
  bool is_of_helo = false;       // the identity that was checked
  std::string mechanism;         // the directive that matched, e.g. "-all"; empty: none did
  std::string mechanism_domain;  // whose record it is in: `domain`, or where a redirect led
  std::string explanation;       // of a fail; printable US-ASCII
  std::string problem;           // none, temperror, permerror: why, in one clause
  int lookups = 0;               // terms that asked the DNS, and answers without a record: what
  int void_lookups = 0;          // the limits count
  // What was done, in order: "example.jp mx: MX example.jp: mx1.example.jp (look-ups 1, void 0)".
  // At most kTraceLinesMax printable lines of at most kTraceColumnsMax octets.
  std::vector<std::string> trace;
};

inline constexpr std::size_t kTraceLinesMax = 200;
inline constexpr std::size_t kTraceColumnsMax = 400;

// Pure. Where `facts` do not know an answer it is wanted of them, and the verdict is none yet
// (facts.take_wanted() is not empty): learn, and call again (dns/fact_gathering.h).
[[nodiscard]] Verdict check_host(const Query& query, DnsFacts& facts, const Options& options = {});

}  // namespace todoku::mailauth::spf
