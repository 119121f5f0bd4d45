// SPDX-License-Identifier: Apache-2.0
#include "api/progress_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "api/answers.h"
#include "api/api.h"
#include "base/date_time.h"
#include "store/outcome_counts.h"
#include "store/walks.h"

namespace todoku::api {
namespace {

constexpr Milliseconds kFreshFor{1'000};
// Kinds of outcomes, the most frequent first.
constexpr std::int64_t kKindsMax = 2'000;
// Domains of a list that are sorted by receiver; the rest are among the others.
constexpr std::size_t kDomainsMax = 500;
constexpr std::int64_t kLanesMax = 1'000;
// Couriers note their lanes twice a minute at least (operate/lanes.cc).
constexpr std::chrono::seconds kLanesTrue{60};

void number_or_null(http::JsonWriter& json, std::string_view name,
                    std::optional<std::int64_t> number) {
  if (number) {
    json.member(name, *number);
  } else {
    json.null_member(name);
  }
}

// With one digit: nobody reads more.
void speed_or_null(http::JsonWriter& json, std::string_view name, std::optional<double> speed) {
  constexpr double kDigits = 10;
  if (speed) {
    json.member(name, std::round(*speed * kDigits) / kDigits);
  } else {
    json.null_member(name);
  }
}

void told_by_member(http::JsonWriter& json, std::optional<operate::ToldBy> told_by) {
  if (!told_by) {
    json.null_member("told_by");
  } else {
    json.member("told_by", *told_by == operate::ToldBy::speed ? "speed" : "lanes");
  }
}

void site_object(http::JsonWriter& json, const operate::SiteAhead& site) {
  json.begin_object();
  if (site.site.empty()) {
    json.null_member("site");
  } else {
    json.member("site", site.site);
  }
  json.member("done", site.done);
  number_or_null(json, "remaining", site.remaining);
  speed_or_null(json, "mails_per_minute", site.mails_per_minute);
  number_or_null(json, "seconds_left", site.seconds_left);
  told_by_member(json, site.told_by);
  date_or_null(json, "rests_until", site.rests_until);
  speed_or_null(json, "allowed_per_minute", site.allowed_per_minute);
  speed_or_null(json, "limit_per_minute", site.limit_per_minute);
  text_or_null(json, "pace_reason", site.pace_reason);
  json.end_object();
}

void ahead_members(http::JsonWriter& json, const operate::Ahead& ahead) {
  json.key("speed");
  if (ahead.mails_per_minute) {
    json.begin_object();
    speed_or_null(json, "mails_per_minute", ahead.mails_per_minute);
    json.member("over_seconds", ahead.over_seconds);
    json.end_object();
  } else {
    json.null();
  }
  number_or_null(json, "seconds_left", ahead.seconds_left);
  json.key("sites");
  json.begin_array();
  for (const operate::SiteAhead& site : ahead.sites) site_object(json, site);
  json.end_array();
}

bool has_ended(const store::Delivery& delivery) {
  const bool over =
      delivery.status == DeliveryStatus::sent || delivery.status == DeliveryStatus::failed;
  // One that was stopped has something in hand for a while.
  return over && delivery.course != store::Course::stopped;
}

// A pace holds on between its mails: its bulk goes.
bool is_going(const Progress& progress) {
  const bool rests = progress.pause && progress.pause->why != store::SteeredWait::pace;
  return progress.delivery.status == DeliveryStatus::sending &&
         progress.delivery.course == store::Course::goes && !rests;
}

}  // namespace

struct ProgressWatch::Seen {
  Progress progress;
  std::vector<store::OutcomeCount> outcomes;
  std::vector<store::LanePace> lanes;
  Instant now{};
};

ProgressWatch::ProgressWatch(Api& api, store::Delivery delivery)
    : api_(api), delivery_(std::move(delivery)) {}

bool ProgressWatch::may_look(SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  if (looking_ || told_.ended || now < look_at_) return false;
  looking_ = true;
  look_at_ = now + kFreshFor;
  return true;
}

Task<ToldProgress> ProgressWatch::look() {
  if (may_look(api_.clock().steady_now())) {
    // Also of who leaves while the store is asked.
    struct Looking {
      ProgressWatch& watch;
      explicit Looking(ProgressWatch& its) : watch(its) {}
      ~Looking() {
        const std::lock_guard lock(watch.mutex_);
        watch.looking_ = false;
      }
      Looking(const Looking&) = delete;
      Looking& operator=(const Looking&) = delete;
    } const looking(*this);
    const auto seen = co_await see();
    if (seen) {
      co_await count_domains(seen->progress.delivery);
      tell(*seen);
    } else if (seen.error().kind == ErrorKind::not_found) {
      tell_deleted();
    }
  }
  const std::lock_guard lock(mutex_);
  co_return told_;
}

Task<Result<ProgressWatch::Seen>> ProgressWatch::see() {
  co_return co_await api_.store().read(
      // Who asked may have left before it is done.
      [account = delivery_.account, id = delivery_.id, life = api_.options().bulk_life,
       now = api_.store().clock().now()](store::ReadTransaction& reader) -> Result<Seen> {
        auto progress = read_progress(reader, account, id, life, now);
        if (!progress) return fail(std::move(progress.error()));
        Seen seen{.progress = std::move(*progress), .outcomes = {}, .lanes = {}, .now = now};
        const store::Delivery& delivery = seen.progress.delivery;
        const bool is_counted = delivery.type == DeliveryType::bulk && delivery.started;
        if (!is_counted) return seen;
        auto outcomes = reader.outcomes_of(delivery.key, std::nullopt, kKindsMax);
        if (!outcomes) return fail(std::move(outcomes.error()));
        seen.outcomes = std::move(*outcomes);
        if (!is_going(seen.progress)) return seen;
        auto lanes = reader.lane_paces({.source = std::nullopt,
                                        .site = std::nullopt,
                                        .noted_since = now - kLanesTrue,
                                        .limit = kLanesMax});
        if (!lanes) return fail(std::move(lanes.error()));
        seen.lanes = std::move(*lanes);
        return seen;
      });
}

Task<void> ProgressWatch::count_domains(const store::Delivery& delivery) {
  const bool is_settled = delivery.type == DeliveryType::bulk && delivery.started;
  if (!is_settled || domains_of_ == delivery.counts.total) co_return;
  store::DomainHistogram histogram(delivery.key);
  const auto walked = co_await store::walk(api_.store(), histogram);
  if (!walked) co_return;  // next time
  domains_ = histogram.known() ? histogram.largest(kDomainsMax) : std::vector<store::DomainCount>();
  domains_of_ = delivery.counts.total;
}

operate::SiteTotals ProgressWatch::totals_at(const operate::DoneSoFar& done) const {
  operate::SiteTotals totals;
  if (api_.operations() == nullptr) return totals;
  for (const store::DomainCount& domain : domains_) {
    std::string site = api_.operations()->site_of(domain.domain);
    // Of whom nothing is known it says the domain, which may be the site's name, too.
    const bool is_known = site != domain.domain || done.done_at.contains(site);
    if (is_known) totals[std::move(site)] += domain.recipients;
  }
  return totals;
}

void ProgressWatch::tell(const Seen& seen) {
  const store::DeliveryCounts& counts = seen.progress.delivery.counts;
  operate::DoneSoFar done{.at = api_.clock().steady_now(),
                          .done = counts.delivered + counts.bounced + counts.unknown,
                          .open = counts.total - counts.terminal(),
                          .done_at = {}};
  for (const store::OutcomeCount& outcome : seen.outcomes) {
    if (is_terminal(outcome.state)) done.done_at[outcome.site] += outcome.mails;
  }
  const operate::SiteTotals totals = totals_at(done);
  time_.add(std::move(done));
  operate::Ahead ahead = time_.ahead(totals, seen.lanes, seen.now);
  if (!is_going(seen.progress) && !has_ended(seen.progress.delivery)) {
    ahead.mails_per_minute.reset();
    ahead.seconds_left.reset();
    for (operate::SiteAhead& site : ahead.sites) {
      site.mails_per_minute.reset();
      site.seconds_left.reset();
      site.told_by.reset();
    }
  }
  http::JsonWriter json;
  json.begin_object();
  progress_members(json, seen.progress);
  ahead_members(json, ahead);
  json.end_object();
  put(json.take(), seen.now, has_ended(seen.progress.delivery));
}

void ProgressWatch::tell_deleted() {
  http::JsonWriter json;
  json.begin_object();
  json.member("delivery_id", delivery_.id);
  json.member("state", "deleted");
  json.end_object();
  put(json.take(), api_.store().clock().now(), true);
}

void ProgressWatch::put(std::string members, Instant now, bool ended) {
  if (members == members_) return;
  members_ = members;
  // Only what else has changed is worth another time.
  members.insert(1, fmt::format("\"time\":\"{}\",", format_date_time(now)));
  const std::lock_guard lock(mutex_);
  told_ = {.number = told_.number + 1,
           .json = std::make_shared<const std::string>(std::move(members)),
           .ended = ended};
}

std::shared_ptr<ProgressWatch> ProgressWatches::watch(const store::Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watches_, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<ProgressWatch>& kept = watches_[delivery.key];
  auto watch = kept.lock();
  if (watch == nullptr) {
    watch = std::make_shared<ProgressWatch>(api_, delivery);
    kept = watch;
  }
  return watch;
}

}  // namespace todoku::api
