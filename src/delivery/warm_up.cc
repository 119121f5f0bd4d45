// SPDX-License-Identifier: Apache-2.0
#include "delivery/warm_up.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"

namespace todoku::delivery {
namespace {

// Rows of the counts that are read at once: days, and sites of the last ones.
constexpr std::int64_t kCountsRead = 20'000;
// So many days at one volume are too little mail for the plan.
constexpr policy::Day kStalledDays = 4;

std::vector<policy::SentOnDay> in_all(const std::vector<store::WarmUpCount>& counts) {
  std::vector<policy::SentOnDay> days;
  for (const store::WarmUpCount& count : counts) {
    if (count.site.empty()) days.push_back({count.day, count.taken});
  }
  return days;
}

// Its volume is what it was, although it could have grown meanwhile.
bool is_stalled(const policy::WarmUpPlan& plan, policy::Day today,
                const std::vector<policy::SentOnDay>& before) {
  const policy::Day then = today - kStalledDays;
  return plan.waits_for_volume && then >= plan.first_day &&
         volume_of_day(plan, then, before) == volume_of_day(plan, today, before);
}

}  // namespace

WarmUp::WarmUp(Plans plans, std::chrono::minutes offset, store::Store& store, const Clock& clock,
               Metrics& metrics)
    : offset_(offset), store_(store), clock_(clock) {
  for (auto& [name, plan] : plans) {
    const MetricLabels labels{{"source", name}};
    Source source{.plan = std::move(plan)};
    source.volume = &metrics.gauge("todoku_warm_up_volume",
                                   "Mails that a source which is warming up may send today; -1: "
                                   "its plan is over.",
                                   labels);
    source.sent = &metrics.gauge("todoku_warm_up_taken",
                                 "Of these, mails that were sent or are about to be.", labels);
    source.full = &metrics.counter("todoku_warm_up_full_total",
                                   "Lanes that stopped for today because the volume of the day, "
                                   "in all or for their site, had gone.",
                                   labels);
    sources_.emplace(name, std::move(source));
  }
}

WarmUp::Permits WarmUp::take(std::string_view source, std::string_view site, std::int64_t want) {
  const policy::Day today = policy::day_of(store_.clock().now(), offset_);
  const std::lock_guard lock(mutex_);
  Source& known = at(source);
  return {today, known.over ? want : known.purse.take(today, site, want)};
}

void WarmUp::give_back(std::string_view source, std::string_view site, Permits permits) {
  const std::lock_guard lock(mutex_);
  Source& known = at(source);
  if (!known.over) known.purse.give_back(permits.day, site, permits.count);
}

Task<Result<void>> WarmUp::learn_volume(std::string source, policy::Day today) {
  policy::WarmUpPlan plan;
  {
    const std::lock_guard lock(mutex_);
    const Source& known = at(source);
    if (known.over || known.known_of == today) co_return Result<void>{};
    plan = known.plan;
  }
  const auto counts = co_await store_.read([&](store::ReadTransaction& reader) {
    return reader.warm_up_counts(source, plan.first_day, kCountsRead);
  });
  if (!counts) co_return fail(counts.error());
  const auto before = in_all(*counts);
  const auto volume = volume_of_day(plan, today, before);
  if (volume && is_stalled(plan, today, before)) {
    // Alarms go by what the log calls an error.
    log::error("a source that is warming up sends too little for its plan",
               {{"source", source}, {"volume", *volume}, {"days", kStalledDays}});
  }
  const std::lock_guard lock(mutex_);
  Source& known = at(source);
  known.known_of = today;
  known.over = !volume;
  known.volume_today = volume.value_or(0);
  known.volume->set(volume ? static_cast<double>(*volume) : -1);
  known.full_until.clear();
  co_return Result<void>{};
}

Task<Result<WarmUp::Answer>> WarmUp::ask(std::string source, std::string site, std::int64_t want) {
  const Instant now = store_.clock().now();
  const policy::Day today = policy::day_of(now, offset_);
  const auto learnt = co_await learn_volume(source, today);
  if (!learnt) co_return fail(learnt.error());
  store::WarmUpTake take{.source = source, .day = today, .site = site};
  {
    const std::lock_guard lock(mutex_);
    const Source& known = at(source);
    if (known.over) co_return Answer{.granted = true};
    take.volume = known.volume_today;
    take.first_day = known.plan.first_day;
    take.site_volume = site_volume(known.plan, known.volume_today);
    take.want = std::clamp<std::int64_t>(want, 1, policy::block_of(take.volume));
  }
  const auto taken = co_await store_.write(
      store::WritePriority::claims, [&take](store::WriteTransaction& writer) -> Result<Taken> {
        const auto granted = writer.take_warm_up(take);
        if (!granted) return fail(granted.error());
        // What went in all comes first.
        const auto counts = writer.read().warm_up_counts(take.source, take.day, 1);
        if (!counts) return fail(counts.error());
        const bool any = !counts->empty() && counts->front().day == take.day;
        return Taken{*granted, any ? counts->front().taken : 0};
      });
  if (!taken) co_return fail(taken.error());
  const std::lock_guard lock(mutex_);
  co_return answer(at(source), site, today, *taken, now);
}

WarmUp::Answer WarmUp::answer(Source& source, const std::string& site, policy::Day today,
                              const Taken& taken, Instant now) {
  source.sent->set(static_cast<double>(taken.sent));
  if (taken.granted > 0) {
    source.purse.put_in(today, site, taken.granted);
    return {.granted = true};
  }
  source.full->add();
  const SteadyInstant until =
      clock_.steady_now() + (policy::next_day(now, offset_) - now) + Milliseconds(1);
  const bool everywhere = taken.sent >= source.volume_today;
  source.full_until[everywhere ? std::string() : site] = until;
  Answer none{.full_until = until, .overflows = source.plan.overflows, .everywhere = everywhere};
  if (today < source.plan.first_day) {
    none.begins =
        policy::next_day(now, offset_) + std::chrono::days(source.plan.first_day - today - 1);
  }
  return none;
}

bool WarmUp::is_full(std::string_view source, std::string_view site) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(source);
  if (found == sources_.end() || !found->second.plan.overflows) return false;
  const SteadyInstant now = clock_.steady_now();
  const auto full = [&](std::string_view where) {
    const auto until = found->second.full_until.find(where);
    return until != found->second.full_until.end() && now < until->second;
  };
  return full("") || (!site.empty() && full(site));
}

Task<void> WarmUp::hand_back(std::string source) {
  std::vector<policy::WarmUpPurse::Left> left;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sources_.find(source);
    if (found == sources_.end()) co_return;
    left = found->second.purse.take_all();
    found->second.known_of.reset();  // others send now
  }
  if (left.empty()) co_return;
  const auto told = co_await store_.write(
      store::WritePriority::claims, [&](store::WriteTransaction& writer) -> Result<void> {
        for (const auto& each : left) {
          auto done = writer.give_back_warm_up(source, {each.day, each.site, each.count});
          if (!done) return done;
        }
        return {};
      });
  if (!told) {
    log::warning("mails that a source did not send today count as sent",
                 {{"source", source}, {"reason", told.error().detail}});
  }
}

}  // namespace todoku::delivery
