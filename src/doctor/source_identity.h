// SPDX-License-Identifier: Apache-2.0
// What receivers make of a sending address: its name (PTR), whether the name leads back to it
// (FCrDNS), whether it greets with a name that is its own (EHLO), and whether it reaches port 25 of
// anybody. Facts in, findings out; while something is wanted of `facts` the findings mean nothing.
//
// Only an answer proves something. A name server that is silent or broken, an address that
// receivers do not see, a single receiver that does not listen: `not_determined`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"
#include "doctor/source_address.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

// A source and the addresses that it is seen by.
struct SourceIdentity {
  std::string name;
  std::string hello;  // its EHLO name
  std::vector<SourceAddress> addresses;
};

// Of its PTR, its confirmation and its EHLO name, each of its addresses. One finding,
// `address_unknown`, where nobody knows by which address receivers see it.
[[nodiscard]] std::vector<Finding> identity_findings(const SourceIdentity& source,
                                                     mailauth::DnsFacts& facts);

// How it went to reach port 25 of somebody.
enum class Reached : std::uint8_t {
  reached,
  refused,     // by the host, or by whoever is on the way
  unanswered,  // until the time-out
  unknown,     // nobody was asked: no such host, no answer of the DNS, no files of ours
};
struct PortTry {
  std::string host;  // as configured
  Reached reached = Reached::unknown;
  std::string said;  // of a failure, why
};

// It takes so many hosts that all fail to say that it is the source's fault and not theirs.
inline constexpr std::size_t kHostsToBlame = 2;
[[nodiscard]] Finding port_25_finding(std::string_view source, std::span<const PortTry> tries);

// What a source may be rested for (source_rest.h).
enum class SourceCheck : std::uint8_t { ptr, confirmation, hello, port_25 };
inline constexpr std::size_t kSourceChecks = 4;
[[nodiscard]] std::string_view to_string(SourceCheck check);

// One look at a source: the worst of each check over its addresses. `same`: equal findings have
// equal texts.
struct SourceLook {
  struct Seen {
    Outcome outcome = Outcome::not_determined;
    std::string same;
  };
  std::string source;
  std::array<Seen, kSourceChecks> seen;
};
[[nodiscard]] SourceLook look_of(std::string_view source, std::span<const Finding> findings);

}  // namespace todoku::doctor
