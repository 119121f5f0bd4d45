// SPDX-License-Identifier: Apache-2.0
// The platform's zone, which the CNAMEs of domains lead into: as a zone file, and its changes as
// lines for nsupdate or knsupdate. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::operate {

struct ZoneRecord {
  std::string name;  // without a final dot
  std::string text;  // of the TXT record
  friend auto operator<=>(const ZoneRecord&, const ZoneRecord&) = default;
};

struct ZoneTerms {
  std::string zone;
  std::vector<std::string> name_servers;
  std::uint32_t ttl = 3'600;  // of the records, in seconds
};

// The records in the order of a zone file, which is always the same.
[[nodiscard]] std::string zone_body(std::vector<ZoneRecord> records, std::uint32_t ttl);
// A whole file: SOA, NS and the body.
[[nodiscard]] std::string zone_file(const ZoneTerms& terms, std::uint32_t serial,
                                    std::string_view body);
// RFC 1982: one that is later than `before`; the time in seconds where that is.
[[nodiscard]] std::uint32_t next_serial(std::uint32_t before, Instant now);

// A name that holds this from now on, and nothing else.
struct ZoneChange {
  std::string name;
  std::optional<std::string> text;  // nullopt: nothing
};
// One update (RFC 2136), which is done as a whole or not at all. Said again, it is the same.
[[nodiscard]] std::string zone_update(const ZoneTerms& terms, std::span<const ZoneChange> changes);

// What is remembered of the zone, and who may write it now: one process at a time.
struct ZoneState {
  std::uint32_t serial = 0;
  std::string digest;            // of the body that the serial belongs to
  std::string holder;            // names a process; empty: nobody
  std::optional<Instant> until;  // when it no longer holds it, in the store's time
};
[[nodiscard]] std::string pack_zone(const ZoneState& state);
[[nodiscard]] Result<ZoneState> unpack_zone(std::string_view packed);

}  // namespace todoku::operate
