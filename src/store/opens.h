// SPDX-License-Identifier: Apache-2.0
// What readers did with a mail. Who opened it, as the image in it tells (docs/adr/0025): of each
// recipient the first and the last time, by a reader and by who loads images before anybody reads;
// and how many recipients of each delivery did. And who complained of it as spam, as his provider
// tells (docs/inbound.md). There is a row only for whom something was seen.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/event_sheet.h"
#include "store/keys.h"
#include "store/logs.h"
#include "store/recipients.h"

namespace todoku::store {

// Within it a recipient's further openings are the same one: no event, no count.
inline constexpr Milliseconds kOpenEvery = std::chrono::hours(1);

// A request for the image.
struct OpenSeen {
  AccountKey account{};
  RecipientKey recipient;
  OpenedBy by = OpenedBy::reader;
  Milliseconds age{};  // since it came
};

enum class OpenRecorded : std::uint8_t {
  recorded,
  repeated,  // within kOpenEvery of one that was
  unknown,   // the account has no such recipient (any more)
};

struct OpenRecord {
  PublicId id = 0;                // email_id
  std::optional<Instant> opened;  // first by a reader, himself or by a proxy
  std::optional<Instant> opened_last;
  std::int64_t times = 0;             // so often, in different hours
  std::optional<Instant> prefetched;  // first, by nobody who reads
  std::optional<Instant> complained;  // told first; it need not have been opened with images
};

// Recipients of a delivery, each once.
struct OpenCounts {
  std::int64_t opened = 0;
  std::int64_t prefetched = 0;  // also those that were opened besides
  friend bool operator==(const OpenCounts&, const OpenCounts&) = default;
};

class OpenReads {
 public:
  virtual ~OpenReads() = default;
  // Of those ids that were seen, newest first.
  [[nodiscard]] virtual Result<std::vector<OpenRecord>> opens_of(AccountKey account,
                                                                 std::span<const PublicId> ids) = 0;
  // Of a range of ids, oldest first, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<OpenRecord>> opens_in(AccountKey account, LogRange range,
                                                                 std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<OpenCounts> open_counts(DeliveryKey key) = 0;
};

class ReadTransaction;
// Says of each of an account's stories when it was opened first, and complained of.
[[nodiscard]] Result<void> add_opens(ReadTransaction& transaction, AccountKey account,
                                     std::span<Story> stories);

// Whether a complaint is an event, by which rates count readers who complain, or stands in the
// story of its mail alone: its reader has complained of another a while ago.
enum class ComplaintEvent : std::uint8_t { told, not_told };

class OpenWrites {
 public:
  virtual ~OpenWrites() = default;
  // As data: all that a process has seen in a while, in one commit with the events and the counts.
  // Of two that are the same within kOpenEvery one is recorded, whichever process hands it over:
  // the recipient's row decides. In the order given.
  [[nodiscard]] virtual Result<std::vector<OpenRecorded>> record_opens(
      std::span<const OpenSeen> seen) = 0;
  // That its reader calls a mail spam. Each mail counts once: told again, by whom ever and however
  // much later, it is `repeated`.
  [[nodiscard]] virtual Result<OpenRecorded> record_complaint(AccountKey account,
                                                              const RecipientKey& key,
                                                              ComplaintEvent event) = 0;
};

}  // namespace todoku::store
