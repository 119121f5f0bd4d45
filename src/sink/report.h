// SPDX-License-Identifier: Apache-2.0
// What a sink has seen, as values and as JSON. docs/sink.md explains every field.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace todoku::sink {

// How DKIM verification of a message ended: pass if one signature passes, else the first
// signature's verdict in RFC 8601's words, "none" without a signature.
inline constexpr std::size_t kDkimResults = 7;
inline constexpr std::array<std::string_view, kDkimResults> kDkimWords = {
    "none", "pass", "fail", "policy", "neutral", "temperror", "permerror"};

struct Counts {
  std::uint64_t connections = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_peak = 0;
  std::uint64_t tls_sessions = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t messages = 0;    // taken: answered 250, or taken silently
  std::uint64_t recipients = 0;  // of messages taken
  std::uint64_t octets = 0;      // of messages taken
  std::uint64_t duplicates = 0;  // recipients that had taken this Message-ID before
  std::uint64_t duplicates_untracked = 0;
  std::uint64_t without_message_id = 0;  // messages
  std::uint64_t taken_silently = 0;      // messages taken, the connection closed without a reply
  std::uint64_t closed_by_script = 0;    // connections
  std::uint64_t broken_off = 0;          // connections lost within a transaction
  std::uint64_t stored = 0;              // messages
  std::int64_t first_ms = 0;             // Unix time of the first and last arrival; 0: none
  std::int64_t last_ms = 0;
  std::map<int, std::uint64_t> replies;  // by code
  std::map<std::string, std::uint64_t> dkim;

  void add(const Counts& other);
};

struct DomainCounts {
  std::uint64_t recipients = 0;  // of messages taken
  std::uint64_t duplicates = 0;
  std::uint64_t deferred = 0;  // RCPT answered 4xx
  std::uint64_t refused = 0;   // RCPT answered 5xx
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;

  void add(const DomainCounts& other);
};
inline constexpr std::string_view kOtherDomains = "(others)";

struct LatencySummary {
  std::uint64_t count = 0;
  std::uint64_t p50_ms = 0;
  std::uint64_t p90_ms = 0;
  std::uint64_t p99_ms = 0;
  std::uint64_t max_ms = 0;
};

struct ReceiverReport {
  std::vector<std::string> listening;  // addresses with ports
  Counts counts;
};

struct Report {
  std::uint64_t seed = 0;
  Instant started;
  Instant written;
  Counts total;
  std::map<std::string, ReceiverReport> receivers;
  std::map<std::string, DomainCounts> domains;
  LatencySummary latency;

  // Messages a second between the first and the last arrival; 0 if that is no span.
  [[nodiscard]] double messages_per_second() const;
};

// One JSON object, pretty enough to read, with a final newline.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace todoku::sink
