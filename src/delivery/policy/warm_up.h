// SPDX-License-Identifier: Apache-2.0
// How much a new source may send each day, in all and to one receiver, until receivers know it.
// Pure: plan, counts of days, today. That the counts are true, store/warm_up.h sees to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

using Day = std::int64_t;  // days since 1970-01-01, where the plan's days begin

struct WarmUpPlan {
  Day first_day = 0;
  std::vector<std::int64_t> volumes;  // mails of each day in all, from the first on; at least one
  // What one receiver that the rules name may have of a day's volume, at most; 1 to 100.
  std::int64_t site_percent = 50;
  // The next volume comes when nine tenths of the one before have been sent on a day; else with
  // each day, sent or not.
  bool waits_for_volume = true;
  // What is over a day's volume goes by other sources of its pool; else it waits for tomorrow.
  bool overflows = true;
};

// "2026-12-01" as a day; nullopt: there is no such date.
[[nodiscard]] std::optional<Day> parse_day(std::string_view date);
// The day that an instant is on, where midnight comes `offset` earlier than in UTC.
[[nodiscard]] Day day_of(Instant now, std::chrono::minutes offset);
// When the next day begins.
[[nodiscard]] Instant next_day(Instant now, std::chrono::minutes offset);

// What went in all on one day.
struct SentOnDay {
  Day day = 0;
  std::int64_t sent = 0;
};

// How much a source may send today. nullopt: as much as it likes, the plan is over. 0 before the
// first day. `before`: the days before today since the first one, in any order; days on which
// nothing went may be missing.
[[nodiscard]] std::optional<std::int64_t> volume_of_day(const WarmUpPlan& plan, Day today,
                                                        std::span<const SentOnDay> before);
// At least 1 where anything may be sent.
[[nodiscard]] std::int64_t site_volume(const WarmUpPlan& plan, std::int64_t volume);

// How many are taken from the store at once, of a day's volume: few enough that a crash wastes
// little of it, so many that no mail needs a statement of its own.
[[nodiscard]] std::int64_t block_of(std::int64_t volume);

// What one process may send of what it has taken and not sent. Each purse belongs to one day.
class WarmUpPurse {
 public:
  // Up to `want` of the site's; "" is the purse of all whose counts are not kept apart.
  [[nodiscard]] std::int64_t take(Day today, std::string_view site, std::int64_t want);
  // Not sent after all. Of another day: gone.
  void give_back(Day day, std::string_view site, std::int64_t count);
  // Taken from the store for that day.
  void put_in(Day day, std::string_view site, std::int64_t count);
  [[nodiscard]] std::int64_t left(Day today, std::string_view site) const;
  struct Left {
    Day day = 0;
    std::string site;
    std::int64_t count = 0;
  };
  // Empties it.
  [[nodiscard]] std::vector<Left> take_all();

 private:
  void begin(Day day);

  Day day_ = std::numeric_limits<Day>::min();
  std::map<std::string, std::int64_t, std::less<>> by_site_;
};

}  // namespace todoku::delivery::policy
