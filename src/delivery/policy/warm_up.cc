// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/warm_up.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace todoku::delivery::policy {
namespace {

constexpr std::int64_t kBlocksOfDay = 50;
constexpr std::int64_t kBlockMax = 1'000;

std::optional<int> number_in(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return {};
  return number;
}

std::chrono::sys_days local_day(Instant now, std::chrono::minutes offset) {
  return std::chrono::floor<std::chrono::days>(now + offset);
}

}  // namespace

std::optional<Day> parse_day(std::string_view date) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
  const auto year = number_in(date.substr(0, 4));
  const auto month = number_in(date.substr(5, 2));
  const auto day = number_in(date.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day found{std::chrono::year(*year),
                                          std::chrono::month(static_cast<unsigned>(*month)),
                                          std::chrono::day(static_cast<unsigned>(*day))};
  if (!found.ok()) return std::nullopt;
  return std::chrono::sys_days(found).time_since_epoch().count();
}

Day day_of(Instant now, std::chrono::minutes offset) {
  return local_day(now, offset).time_since_epoch().count();
}

Instant next_day(Instant now, std::chrono::minutes offset) {
  return std::chrono::time_point_cast<Instant::duration>(local_day(now, offset) +
                                                         std::chrono::days(1)) -
         offset;
}

std::optional<std::int64_t> volume_of_day(const WarmUpPlan& plan, Day today,
                                          std::span<const SentOnDay> before) {
  if (today < plan.first_day) return 0;
  auto step = static_cast<std::size_t>(today - plan.first_day);
  if (plan.waits_for_volume) {
    std::vector<SentOnDay> days(before.begin(), before.end());
    std::ranges::sort(days, {}, &SentOnDay::day);
    step = 0;
    for (const SentOnDay& each : days) {
      if (each.day < plan.first_day || each.day >= today) continue;
      if (step < plan.volumes.size() && each.sent >= plan.volumes[step] * 9 / 10) ++step;
    }
  }
  if (step >= plan.volumes.size()) return std::nullopt;
  return plan.volumes[step];
}

std::int64_t site_volume(const WarmUpPlan& plan, std::int64_t volume) {
  if (volume <= 0) return 0;
  return std::max<std::int64_t>(1, volume * plan.site_percent / 100);
}

std::int64_t block_of(std::int64_t volume) {
  return std::clamp<std::int64_t>(volume / kBlocksOfDay, 1, kBlockMax);
}

void WarmUpPurse::begin(Day day) {
  if (day == day_) return;
  day_ = day;
  by_site_.clear();
}

std::int64_t WarmUpPurse::take(Day today, std::string_view site, std::int64_t want) {
  const std::int64_t taken = std::min(want, left(today, site));
  if (taken <= 0) return 0;
  const auto found = by_site_.find(site);
  found->second -= taken;
  if (found->second == 0) by_site_.erase(found);
  return taken;
}

void WarmUpPurse::give_back(Day day, std::string_view site, std::int64_t count) {
  if (day == day_ && count > 0) by_site_[std::string(site)] += count;
}

void WarmUpPurse::put_in(Day day, std::string_view site, std::int64_t count) {
  if (day < day_) return;
  begin(day);
  if (count > 0) by_site_[std::string(site)] += count;
}

std::int64_t WarmUpPurse::left(Day today, std::string_view site) const {
  const auto found = by_site_.find(site);
  return today != day_ || found == by_site_.end() ? 0 : found->second;
}

std::vector<WarmUpPurse::Left> WarmUpPurse::take_all() {
  std::vector<Left> all;
  for (auto& [site, count] : std::exchange(by_site_, {})) all.push_back({day_, site, count});
  return all;
}

}  // namespace todoku::delivery::policy
