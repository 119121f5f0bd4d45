// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035 section 4) as octets: for questions to one server that libunbound would
// answer from somewhere else. Pure; whatever a message holds, reading it takes a time that its
// length bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::dns {

using WireOctets = std::span<const std::uint8_t>;

inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
// What we tell servers that fits a datagram (RFC 6891; the size of the DNS flag day 2020).
inline constexpr std::size_t kDatagramOctets = 1'232;
inline constexpr std::size_t kWireRecordsMax = 500;  // of a message; more are not read

// A query for `name` (A-labels, with or without final dot) of the class IN with EDNS. `recurse`:
// RD, which one does not ask of an authoritative server. Errors: invalid_input (no name).
[[nodiscard]] Result<std::string> make_query(std::uint16_t id, std::string_view name,
                                             std::uint16_t type, bool recurse);

struct WireRecord {
  std::string owner;  // lower case, without final dot
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;  // 0 where the top bit is set (RFC 2181 section 8)
  std::string rdata;      // names in CNAME, NS, PTR, MX and SOA uncompressed, in lower case
};

struct WireMessage {
  std::uint16_t id = 0;
  bool is_answer = false;      // QR
  bool authoritative = false;  // AA
  bool truncated = false;      // TC
  unsigned rcode = 0;          // without the extension of EDNS
  std::string name;            // of the question
  std::uint16_t type = 0;
  std::vector<WireRecord> answer;  // of the class IN
  std::vector<WireRecord> authority;
};

// Errors: corrupt, with what is wrong. With TC the records may be fewer than announced.
[[nodiscard]] Result<WireMessage> parse_message(WireOctets octets);

}  // namespace todoku::dns
