// SPDX-License-Identifier: Apache-2.0
// How every back end makes a page of events (events.h) out of stored sheets, which it hands over in
// the order of their places.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/dictionary.h"
#include "store/events.h"
#include "store/records.h"

namespace todoku::store {

class EventSieve {
 public:
  // `kept_from`: the place of the last sheet that was deleted. `question` must outlive it.
  EventSieve(const EventQuestion& question, std::int64_t kept_from);

  struct Sheet {
    std::int64_t place = 0;
    AccountKey account{};
    Instant at{};
    std::string_view entries;
  };
  // Of the sheets from the place asked for on, the next one. corrupt.
  [[nodiscard]] Result<void> take(const Sheet& sheet);
  // No other one is wanted.
  [[nodiscard]] bool full() const;
  // What was let through, to be joined. `ended`: there were no more sheets, up to `readable`
  // (EventReads::last_event_place()): who has little to hear goes on from there, and not from a
  // place that retention passes.
  [[nodiscard]] EventPage page(bool ended, const EventPlace& readable);

 private:
  [[nodiscard]] bool wanted(const SheetEntry& entry) const;

  const EventQuestion& question_;
  std::int64_t limit_;
  std::int64_t looked_ = 0;
  std::int64_t sheets_ = 0;
  bool stopped_ = false;  // within a sheet
  EventPage page_;
};

// Takes from recipients' stories what events of one page are about.
class OutcomesTold {
 public:
  explicit OutcomesTold(Dictionary& dictionary) : dictionary_(dictionary) {}
  // Whether a story tells anything about it.
  [[nodiscard]] static bool is_told(EventKind kind);
  // Errors: corrupt, of the dictionary.
  [[nodiscard]] Result<void> tell(EventRecord& event, std::string_view history);

 private:
  [[nodiscard]] Result<std::shared_ptr<const Path>> path(const PackedEntry& entry);
  [[nodiscard]] Result<void> tell_outcome(EventRecord& event, const PackedEntry& entry);

  Dictionary& dictionary_;
  // Mails to one receiver take one path: the last one is kept, by its number.
  std::uint64_t last_ref_ = 0;
  std::shared_ptr<const Path> last_;
};

// For EventReads::accounts_told(): of the accounts of so many sheets.
[[nodiscard]] std::optional<std::vector<AccountKey>> each_once(std::vector<AccountKey> accounts,
                                                               std::int64_t sheets_max);

// The last sieve, once addresses and labels are joined; cuts the page at its limit.
void keep_wanted(const EventQuestion& question, EventPage& page);

}  // namespace todoku::store
