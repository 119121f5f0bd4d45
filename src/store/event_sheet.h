// SPDX-License-Identifier: Apache-2.0
// What changed the story of a recipient or of a delivery, as it is kept and as it is named outside
// (docs/adr/0014).
//
// All that one commit makes true for one account lies in one row, a sheet: a row of its own for
// each event would cost a PostgreSQL more than all the rest of a recipient's story. What is long
// (address, host, words of the reply) is not repeated: whoever reads joins it by recipient and
// attempt.
//
//   sheet  = zigzag *entry          zigzag: milliseconds since 2025-01-01, of the commit
//   entry  = octet zigzag zigzag (recipient / many)
//            octet: kind; zigzag: milliseconds from the commit; delivery less that of the entry
//            before
//   recipient = zigzag varint zigzag varint varint varint
//            batch (signed, store/numbers.h), seq, log id less that of the entry before,
//            attempt, code of the reply, cause
//   many   = varint varint          job, or 0; how many recipients it was about
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/cause.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class EventKind : std::uint8_t {
  // of one recipient
  accepted = 1,
  sent = 2,  // a receiver's 250: accepted, not read
  deferred = 3,
  hard_error = 4,
  soft_error = 5,  // given up after temporary failures
  dropped = 6,
  expired = 7,
  cancelled = 8,
  unknown = 9,
  opened = 10,
  // 11 to 13: bounced later, complained, unsubscribed

  // of many at once
  delivery_started = 32,
  delivery_paused = 33,
  delivery_resumed = 34,
  delivery_stopped = 35,
  delivery_finished = 36,
  delivery_failed = 37,
  import_ended = 38,
};

// nullopt: no kind has this number, or this word.
[[nodiscard]] std::optional<EventKind> event_kind(std::uint8_t number);
[[nodiscard]] std::optional<EventKind> event_kind(std::string_view word);
[[nodiscard]] std::string_view to_string(EventKind kind);
[[nodiscard]] bool is_of_many(EventKind kind);

struct SheetEntry {
  EventKind kind{};
  Instant at{};
  DeliveryKey delivery{};
  // of one recipient
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  PublicId log_id = 0;  // 0: it has none yet
  std::uint16_t attempt = 0;
  std::uint16_t code = 0;  // of the reply; 0: there was none
  Cause cause = Cause::none;
  // of many
  PublicId job = 0;
  std::int64_t recipients = 0;
  friend bool operator==(const SheetEntry&, const SheetEntry&) = default;
};

[[nodiscard]] std::string pack_sheet(Instant committed, const std::vector<SheetEntry>& entries);
// corrupt: it was not packed so. Entries of kinds that only a later version knows are corrupt, too:
// such a version does not work on a store beside this one.
[[nodiscard]] Result<std::vector<SheetEntry>> unpack_sheet(std::string_view sheet);

// ---- places ------------------------------------------------------------------------------------

// Where an event stands among those of its account: which commit, and which entry of its sheet.
// Later commits of what follows from each other have greater numbers. Another history of the store
// (one that was carried over, or restored) counts anew and has another generation.
struct EventPlace {
  std::uint64_t generation = 0;
  std::uint64_t commit = 0;
  std::uint32_t entry = 0;
  friend auto operator<=>(const EventPlace&, const EventPlace&) = default;
};

// The name of an event, which is also the cursor that goes on after it: opaque outside, the same
// from every process, and in the order of places as text.
[[nodiscard]] std::string event_id(const EventPlace& place);
// invalid_input: it is not one of ours.
[[nodiscard]] Result<EventPlace> event_place(std::string_view id);

}  // namespace todoku::store
