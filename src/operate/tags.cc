// SPDX-License-Identifier: Apache-2.0
#include "operate/tags.h"

#include <algorithm>
#include <tuple>

namespace todoku::operate {

Result<TagReport> read_tags(store::ReadTransaction& reader, store::AccountKey account,
                            std::int64_t days, Instant now) {
  const std::int64_t wanted = std::clamp<std::int64_t>(days, 1, kTagDaysMax);
  const store::RateHour first = store::tag_day(now, wanted - 1);
  TagReport report{.since = Instant{std::chrono::hours(first)}, .lines = {}, .others = {}};
  // Every day may have others of its own.
  const auto subjects = reader.rate_subjects({.account = account,
                                              .delivery = std::nullopt,
                                              .from = first,
                                              .limit = (store::kTagsCountedMax + 1) * wanted,
                                              .tags = true});
  if (!subjects) return fail(subjects.error());
  const auto found = reader.rates(*subjects, first, store::tag_day(now));
  if (!found) return fail(found.error());
  for (const store::RateFound& each : *found) {
    if (each.subject.name.empty()) {
      report.others = each.counts;
    } else {
      report.lines.push_back({.tag = each.subject.name, .counts = each.counts});
    }
  }
  std::ranges::sort(report.lines, [](const TagLine& one, const TagLine& other) {
    return std::tie(other.counts.answered, one.tag) < std::tie(one.counts.answered, other.tag);
  });
  return report;
}

}  // namespace todoku::operate
