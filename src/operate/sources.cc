// SPDX-License-Identifier: Apache-2.0
#include "operate/sources.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "operate/operations.h"
#include "operate/report_overview.h"

namespace todoku::operate {
namespace {

namespace policy = delivery::policy;

// Rows of the counts that are read of one source: days, and sites of the last ones.
constexpr std::int64_t kWarmUpCountsRead = 20'000;
constexpr std::size_t kWarmUpDaysShown = 14;

// Volumes may be equal, so that none says which step it is of: of plans that end after one, two,
// three of them, the first that is not over today ends with today's.
std::size_t step_of(policy::WarmUpPlan plan, policy::Day today,
                    const std::vector<policy::SentOnDay>& before) {
  std::size_t step = 0;
  const auto volumes = std::exchange(plan.volumes, {});
  for (const std::int64_t volume : volumes) {
    plan.volumes.push_back(volume);
    ++step;
    if (policy::volume_of_day(plan, today, before)) return step;
  }
  return 0;
}

}  // namespace

std::string_view to_string(WarmUpState state) {
  switch (state) {
    case WarmUpState::no_plan:
      return "no_plan";
    case WarmUpState::not_begun:
      return "not_begun";
    case WarmUpState::warming_up:
      return "warming_up";
    case WarmUpState::over:
      return "over";
  }
  return "";
}

SourceView source_view(const ConfiguredSource& source,
                       const std::vector<store::WarmUpCount>& counts, policy::Day today) {
  SourceView view{.source = source, .today = day_text(today)};
  if (!source.plan) return view;
  const policy::WarmUpPlan& plan = *source.plan;
  std::vector<policy::SentOnDay> before;
  for (const store::WarmUpCount& count : counts) {
    if (count.day < plan.first_day || count.day > today) continue;
    if (!count.site.empty()) {
      if (count.day != today) continue;
      view.receivers.push_back({.receiver = count.site, .volume = {.taken = count.taken}});
    } else if (count.day == today) {
      view.volume.taken = count.taken;
    } else {
      before.push_back({count.day, count.taken});
    }
  }
  std::ranges::sort(before, std::greater(), &policy::SentOnDay::day);
  for (const policy::SentOnDay& each : before) {
    if (view.days.size() >= kWarmUpDaysShown) break;
    view.days.push_back({day_text(each.day), each.sent});
  }
  std::ranges::sort(view.receivers, {}, &ReceiverVolume::receiver);
  if (today < plan.first_day) {
    view.state = WarmUpState::not_begun;
    return view;
  }
  const auto volume = policy::volume_of_day(plan, today, before);
  view.state = volume ? WarmUpState::warming_up : WarmUpState::over;
  view.volume.volume = volume.value_or(0);
  for (ReceiverVolume& each : view.receivers) {
    each.volume.volume = policy::site_volume(plan, view.volume.volume);
  }
  view.step = step_of(plan, today, before);
  return view;
}

Task<Result<std::vector<SourceView>>> Operations::sources() {
  const policy::Day today = policy::day_of(store_.clock().now(), options_.sources.date_offset);
  co_return co_await store_.read(
      [this, today](store::ReadTransaction& reader) -> Result<std::vector<SourceView>> {
        std::vector<SourceView> views;
        for (const ConfiguredSource& source : options_.sources.all) {
          std::vector<store::WarmUpCount> counts;
          if (source.plan) {
            auto read =
                reader.warm_up_counts(source.name, source.plan->first_day, kWarmUpCountsRead);
            if (!read) return fail(std::move(read.error()));
            counts = std::move(*read);
          }
          views.push_back(source_view(source, counts, today));
        }
        return views;
      });
}

}  // namespace todoku::operate
