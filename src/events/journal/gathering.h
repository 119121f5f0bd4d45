// SPDX-License-Identifier: Apache-2.0
// What the next record of the journal is to say, by one question to the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "events/journal/format.h"
#include "events/journal/journaler.h"
#include "store/store.h"

namespace todoku::events::journal {

// Entries that were changed up to so much before the newest one are asked for again, and removals
// of so long ago: writers at once may be seen in another order.
inline constexpr Milliseconds kStopsAgain = std::chrono::seconds(5);
inline constexpr std::int64_t kStopsAtOnce = 500;
inline constexpr std::int64_t kStopsLookedMax = 100'000;

using ToldStops = std::map<std::tuple<store::AccountKey, std::string>, Instant>;

// What was told before, and is seen again.
struct Told {
  ToldStops stops;                  // those that were changed since progress.stops_from
  std::set<std::int64_t> removals;  // with numbers greater than progress.removals_after
};

struct Gathered {
  std::vector<Entry> entries;
  Progress progress;            // once they are appended; `number` is as before
  Told told;                    // likewise
  std::size_t text_octets = 0;  // of what lists say in it
  bool more = false;            // something follows already
  bool lost = false;            // events were deleted before they were read
  bool crowded = false;         // more entries of one instant than were asked for: ask for more
};

// Opt-outs first, then what became of mails. `stops_limit`: so many are looked at; `now`: by the
// store's clock, which may have been ahead before.
[[nodiscard]] Result<Gathered> gather(store::ReadTransaction& transaction, const Progress& progress,
                                      const Told& told, std::int64_t stops_limit, Instant now);

}  // namespace todoku::events::journal
