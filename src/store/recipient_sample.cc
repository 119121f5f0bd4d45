// SPDX-License-Identifier: Apache-2.0
#include "store/recipient_sample.h"

#include <algorithm>

namespace todoku::store {

Result<std::vector<std::optional<StopReason>>> stopped_in_sample(
    SuppressionReads& reads, AccountKey account, std::span<const SampledRecipient> sample,
    Purpose purpose, const std::string& list_id) {
  std::vector<std::string> subjects;
  subjects.reserve(sample.size());
  for (const SampledRecipient& recipient : sample) {
    subjects.push_back(subject_of_address(recipient.address));
  }
  const auto found = reads.stops_of(account, subjects);
  if (!found) return fail(found.error());
  std::vector<std::optional<StopReason>> stopped(sample.size());
  for (const StoppedSubject& stop : *found) {
    take_reason(stopped[stop.place], stop.entry, purpose, list_id);
  }
  return stopped;
}

std::vector<PublicId> spread_ids(std::span<const LogRange> ranges, std::size_t wanted) {
  std::int64_t all = 0;
  for (const LogRange& range : ranges) all += std::max<std::int64_t>(range.end - range.first, 0);
  const auto most = std::min<std::int64_t>(static_cast<std::int64_t>(wanted), all);
  std::vector<PublicId> ids;
  // The newest range comes first: from the last one on.
  std::size_t left = ranges.size();
  std::int64_t before = 0;  // ids of the ranges that are passed
  for (std::int64_t i = 0; i < most; ++i) {
    const std::int64_t place = most == 1 ? 0 : i * (all - 1) / (most - 1);
    while (true) {
      const LogRange& range = ranges[left - 1];
      const auto size = std::max<std::int64_t>(range.end - range.first, 0);
      if (place - before < size) {
        ids.push_back(range.first + (place - before));
        break;
      }
      before += size;
      --left;
    }
  }
  return ids;
}

}  // namespace todoku::store
