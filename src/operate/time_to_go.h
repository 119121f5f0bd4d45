// SPDX-License-Identifier: Apache-2.0
// How fast a delivery has gone lately and how long it will take, as a whole and by receiver: from
// what was counted at several moments, and from how the lanes fare. What is not known is not said:
// a delivery of which nobody has seen two moments has no speed yet, and a receiver of whose domains
// nobody knows here has no number of mails to go. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/lane_paces.h"

namespace todoku::operate {

// What there was of a delivery at one moment.
struct DoneSoFar {
  SteadyInstant at{};
  std::int64_t done = 0;  // answered by receivers, for good
  std::int64_t open = 0;  // in no terminal state
  // The former by site, as outcomes are counted (store/outcome_counts.h): who never came to an
  // attempt is not among them. Those of no name ("") belong to the others.
  std::map<std::string, std::int64_t> done_at;
};

// How many recipients a delivery has at each site that is known.
using SiteTotals = std::map<std::string, std::int64_t>;

// What a time to go was told by.
enum class ToldBy : std::uint8_t {
  speed,  // that it has gone at lately
  lanes,  // that the receiver's answers allow: it takes so long at least
};

struct SiteAhead {
  std::string site;  // empty: all others
  std::int64_t done = 0;
  std::optional<std::int64_t> remaining;  // about
  std::optional<double> mails_per_minute;
  std::optional<std::int64_t> seconds_left;
  std::optional<ToldBy> told_by;       // of `seconds_left`
  std::optional<Instant> rests_until;  // every lane to it is left alone so long, by then one is not
  // Of all lanes to it that are not left alone, whoever's mail goes by them.
  std::optional<double> allowed_per_minute;  // what its answers allow now
  std::optional<double> limit_per_minute;    // what its rule allows at most; nullopt: no limit
  // Why, by its name (explain/pace_words.h), of the one where most waits; empty: all are left
  // alone.
  std::string_view pace_reason = {};
};

struct Ahead {
  std::optional<double> mails_per_minute;
  std::int64_t over_seconds = 0;  // by which that was measured
  std::optional<std::int64_t> seconds_left;
  // At most kSitesTold, those with the most to go first, and the others last.
  std::vector<SiteAhead> sites;
};

inline constexpr std::size_t kSitesTold = 20;

class TimeToGo {
 public:
  // A speed is that of the last minute, and of so long at least.
  static constexpr Milliseconds kLately = std::chrono::seconds(60);
  static constexpr Milliseconds kLeast = std::chrono::seconds(5);

  // Later than what was added before. What is older than kLately, or more than so many moments ago,
  // is forgotten.
  void add(DoneSoFar moment);
  static constexpr std::size_t kMomentsMax = 64;

  // After the last moment. `lanes`: of whatever sites; `now`: by the clock that they are noted by.
  [[nodiscard]] Ahead ahead(const SiteTotals& totals, std::span<const store::LanePace> lanes,
                            Instant now) const;

 private:
  // Mails a minute; nullopt: not seen for long enough.
  [[nodiscard]] std::optional<double> speed_of(std::int64_t before, std::int64_t now) const;
  [[nodiscard]] std::optional<double> speed_at(const std::string& site) const;
  [[nodiscard]] SiteAhead site_ahead(const std::string& site, const SiteTotals& totals,
                                     std::span<const store::LanePace> lanes, Instant now) const;
  [[nodiscard]] SiteAhead others(std::span<const SiteAhead> named) const;

  std::deque<DoneSoFar> moments_;
};

}  // namespace todoku::operate
