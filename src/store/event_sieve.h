// SPDX-License-Identifier: Apache-2.0
// How every back end makes a page of events (events.h) out of stored sheets, which it hands over in
// the order of their places.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/events.h"
#include "store/recipients.h"

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
  // What was let through, to be joined. `ended`: there were no more sheets.
  [[nodiscard]] EventPage page(bool ended);

 private:
  [[nodiscard]] bool wanted(const SheetEntry& entry) const;

  const EventQuestion& question_;
  std::int64_t limit_;
  std::int64_t looked_ = 0;
  std::int64_t sheets_ = 0;
  bool stopped_ = false;  // within a sheet
  EventPage page_;
};

// Takes from a recipient's story what this event is about.
void tell_outcome(EventRecord& event, const std::vector<Attempt>& story);
// The last sieve, once addresses and labels are joined; cuts the page at its limit.
void keep_wanted(const EventQuestion& question, EventPage& page);

}  // namespace todoku::store
