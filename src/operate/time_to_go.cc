// SPDX-License-Identifier: Apache-2.0
#include "operate/time_to_go.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "explain/pace_words.h"

namespace todoku::operate {
namespace {

constexpr double kSecondsAMinute = 60;
constexpr double kLanePaceSeconds = 1'000;  // LanePace::pace is mails in so many

std::int64_t done_of(const DoneSoFar& moment, const std::string& site) {
  const auto found = moment.done_at.find(site);
  return found == moment.done_at.end() ? 0 : found->second;
}

// nullopt: it stands still, or nobody knows.
std::optional<std::int64_t> seconds_for(std::int64_t mails, std::optional<double> per_minute) {
  if (mails == 0) return 0;
  if (!per_minute || *per_minute <= 0) return std::nullopt;
  return std::llround(std::ceil(static_cast<double>(mails) * kSecondsAMinute / *per_minute));
}

struct AtLanes {
  std::optional<Instant> rests_until;  // all of them rest
  std::optional<double> per_minute;    // that those which do not rest may go at; nullopt: unknown
  std::optional<double> limit;         // of their rules, a minute; nullopt: one has none
  std::string_view reason;             // of the one of them where most waits
};

double a_minute(std::int64_t pace) {
  return static_cast<double>(pace) * kSecondsAMinute / kLanePaceSeconds;
}

AtLanes at_lanes(const std::string& site, std::span<const store::LanePace> lanes, Instant now) {
  AtLanes at;
  bool any_goes = false;
  bool all_known = true;
  bool all_limited = true;
  std::int64_t pace = 0;
  std::int64_t limit = 0;
  std::int64_t most_waiting = -1;
  for (const store::LanePace& lane : lanes) {
    if (lane.site != site) continue;
    if (lane.rests_until && *lane.rests_until > now) {
      at.rests_until = std::min(at.rests_until.value_or(*lane.rests_until), *lane.rests_until);
      continue;
    }
    any_goes = true;
    const std::int64_t its = lane.pace > 0 ? lane.pace : lane.ceiling;
    all_known = all_known && its > 0;
    pace += its;
    all_limited = all_limited && lane.ceiling > 0;
    limit += lane.ceiling;
    if (lane.waiting > most_waiting) at.reason = explain::pace_name(lane.reason);
    most_waiting = std::max(most_waiting, lane.waiting);
  }
  if (any_goes) at.rests_until.reset();
  if (any_goes && all_known) at.per_minute = a_minute(pace);
  if (any_goes && all_limited) at.limit = a_minute(limit);
  return at;
}

}  // namespace

void TimeToGo::add(DoneSoFar moment) {
  const SteadyInstant oldest = moment.at - kLately;
  moments_.push_back(std::move(moment));
  while (moments_.size() > kMomentsMax || moments_.front().at < oldest) moments_.pop_front();
}

std::optional<double> TimeToGo::speed_of(std::int64_t before, std::int64_t now) const {
  const auto span = std::chrono::duration<double>(moments_.back().at - moments_.front().at);
  if (span < kLeast) return std::nullopt;
  return static_cast<double>(std::max<std::int64_t>(now - before, 0)) * kSecondsAMinute /
         span.count();
}

std::optional<double> TimeToGo::speed_at(const std::string& site) const {
  return speed_of(done_of(moments_.front(), site), done_of(moments_.back(), site));
}

SiteAhead TimeToGo::site_ahead(const std::string& site, const SiteTotals& totals,
                               std::span<const store::LanePace> lanes, Instant now) const {
  const DoneSoFar& last = moments_.back();
  SiteAhead ahead{.site = site,
                  .done = done_of(last, site),
                  .remaining = std::nullopt,
                  .mails_per_minute = speed_at(site),
                  .seconds_left = std::nullopt,
                  .told_by = std::nullopt,
                  .rests_until = std::nullopt,
                  .allowed_per_minute = std::nullopt,
                  .limit_per_minute = std::nullopt,
                  .pace_reason = {}};
  const auto total = totals.find(site);
  // More than it has there: of some of its domains it was not known that they are this site's.
  if (total != totals.end() && total->second >= ahead.done) {
    ahead.remaining = std::min(total->second - ahead.done, last.open);
  } else if (last.open == 0) {
    ahead.remaining = 0;
  }
  if (last.open == 0) {
    ahead.seconds_left = 0;
    return ahead;
  }
  const AtLanes at = at_lanes(site, lanes, now);
  ahead.rests_until = at.rests_until;
  ahead.allowed_per_minute = at.per_minute;
  ahead.limit_per_minute = at.limit;
  ahead.pace_reason = at.reason;
  if (!ahead.remaining) return ahead;
  const bool has_speed = ahead.mails_per_minute && *ahead.mails_per_minute > 0;
  ahead.seconds_left =
      seconds_for(*ahead.remaining, has_speed ? ahead.mails_per_minute : at.per_minute);
  if (ahead.seconds_left) ahead.told_by = has_speed ? ToldBy::speed : ToldBy::lanes;
  if (ahead.seconds_left && *ahead.remaining > 0 && at.rests_until) {
    *ahead.seconds_left += std::chrono::ceil<std::chrono::seconds>(*at.rests_until - now).count();
  }
  return ahead;
}

SiteAhead TimeToGo::others(std::span<const SiteAhead> named) const {
  const DoneSoFar& first = moments_.front();
  const DoneSoFar& last = moments_.back();
  std::int64_t done_before = first.done;
  std::int64_t done = last.done;
  std::optional<std::int64_t> remaining = last.open;
  for (const SiteAhead& site : named) {
    done_before -= done_of(first, site.site);
    done -= site.done;
    remaining =
        remaining && site.remaining ? std::optional(*remaining - *site.remaining) : std::nullopt;
  }
  SiteAhead ahead{.site = {},
                  .done = std::max<std::int64_t>(done, 0),
                  .remaining = remaining,
                  .mails_per_minute = speed_of(done_before, done),
                  .seconds_left = std::nullopt,
                  .told_by = std::nullopt,
                  .rests_until = std::nullopt,
                  .allowed_per_minute = std::nullopt,
                  .limit_per_minute = std::nullopt,
                  .pace_reason = {}};
  if (!remaining) return ahead;
  ahead.remaining = std::max<std::int64_t>(*remaining, 0);
  ahead.seconds_left = seconds_for(*ahead.remaining, ahead.mails_per_minute);
  if (ahead.seconds_left) ahead.told_by = ToldBy::speed;
  return ahead;
}

Ahead TimeToGo::ahead(const SiteTotals& totals, std::span<const store::LanePace> lanes,
                      Instant now) const {
  Ahead told;
  if (moments_.empty()) return told;
  const DoneSoFar& last = moments_.back();
  told.mails_per_minute = speed_of(moments_.front().done, last.done);
  if (told.mails_per_minute) {
    told.over_seconds =
        std::chrono::round<std::chrono::seconds>(last.at - moments_.front().at).count();
  }
  told.seconds_left = seconds_for(last.open, told.mails_per_minute);
  std::set<std::string> names;
  for (const auto& [site, done] : last.done_at) names.insert(site);
  for (const auto& [site, total] : totals) names.insert(site);
  names.erase(std::string());
  if (names.empty()) return told;
  for (const std::string& site : names) told.sites.push_back(site_ahead(site, totals, lanes, now));
  std::ranges::sort(told.sites, [](const SiteAhead& one, const SiteAhead& other) {
    const auto of = [](const SiteAhead& site) {
      return std::tuple(-site.remaining.value_or(0), -site.done, std::string_view(site.site));
    };
    return of(one) < of(other);
  });
  if (told.sites.size() > kSitesTold) told.sites.resize(kSitesTold);
  // The slowest of them ends it.
  for (const SiteAhead& site : told.sites) {
    if (told.seconds_left && site.seconds_left) {
      told.seconds_left = std::max(*told.seconds_left, *site.seconds_left);
    }
  }
  if (SiteAhead rest = others(told.sites); rest.done > 0 || rest.remaining != 0) {
    told.sites.push_back(std::move(rest));
  }
  return told;
}

}  // namespace todoku::operate
