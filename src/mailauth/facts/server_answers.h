// SPDX-License-Identifier: Apache-2.0
// What one authoritative server of a zone says, as it says it: nothing followed, joined or cached.
// For those who look for faults that a resolver hides (doctor/domain_check.h);
// dns/ask_server.h asks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth {

struct ServerAnswer {
  enum class Status : std::uint8_t {
    unknown,  // not asked
    found,    // records of the type
    alias,    // a CNAME instead
    empty,    // the name exists, without records of this type
    absent,   // NXDOMAIN
    lame,     // an answer without authority, a referral, REFUSED: not this server's zone
    failed,   // SERVFAIL, silence, an answer that cannot be read
  };
  Status status = Status::unknown;
  // As in DnsFact; of TXT one for each record, its strings joined.
  std::vector<std::string> values;
  // TXT: the strings of each record, as they are.
  std::vector<std::vector<std::string>> strings;
  std::string alias;      // where the CNAME leads, if there is one
  std::uint32_t ttl = 0;  // seconds; found, alias
  // empty, absent: for how long resolvers remember it, in seconds (RFC 2308 section 5).
  std::uint32_t negative_ttl = 0;
  std::optional<std::uint32_t> serial;  // of the zone, where the answer told it
  std::string reason;                   // lame, failed: why
  std::string reason_ja;                // the same in Japanese; empty: it has not been said in it

  [[nodiscard]] bool is_void() const { return status == Status::empty || status == Status::absent; }
  [[nodiscard]] bool is_found() const { return status == Status::found; }
  // An answer that counts.
  [[nodiscard]] bool is_said() const { return is_found() || is_void() || status == Status::alias; }
};

// To each question that was asked.
using ServerAnswers = std::map<DnsQuestion, ServerAnswer>;

}  // namespace todoku::mailauth
