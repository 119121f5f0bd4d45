// SPDX-License-Identifier: Apache-2.0
#include "sink/tally.h"

#include <algorithm>
#include <bit>

namespace todoku::sink {

// Below 64 a bucket is a millisecond; above, each doubling has 32 buckets.
std::size_t LatencyTally::bucket_of(std::uint64_t ms) {
  if (ms < 64) return static_cast<std::size_t>(ms);
  const auto doublings = static_cast<std::size_t>(std::bit_width(ms)) - 6;
  const std::size_t bucket = doublings * 32 + static_cast<std::size_t>(ms >> doublings);
  return std::min(bucket, kBuckets - 1);
}

std::uint64_t LatencyTally::upper_end(std::size_t bucket) {
  if (bucket < 64) return bucket;
  const std::size_t doublings = bucket / 32 - 1;
  return ((bucket - doublings * 32 + 1) << doublings) - 1;
}

void LatencyTally::collect(std::vector<std::uint64_t>& into, std::uint64_t& max) const {
  for (std::size_t i = 0; i < kBuckets; ++i) into[i] += buckets_[i].value();
  max = std::max(max, max_.value());
}

LatencySummary summarize(const std::vector<std::uint64_t>& buckets, std::uint64_t max) {
  LatencySummary summary{.max_ms = max};
  for (const std::uint64_t count : buckets) summary.count += count;
  const auto percentile = [&](std::uint64_t percent) {
    // The smallest bucket with at least this share at or below it.
    const std::uint64_t wanted = (summary.count * percent + 99) / 100;
    std::uint64_t reached = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      reached += buckets[i];
      if (reached >= wanted) return std::min(LatencyTally::upper_end(i), max);
    }
    return max;
  };
  if (summary.count == 0) return summary;
  summary.p50_ms = percentile(50);
  summary.p90_ms = percentile(90);
  summary.p99_ms = percentile(99);
  return summary;
}

void ReceiverTally::collect(Counts& into) const {
  Counts mine{.connections = connections.value(),
              .tls_sessions = tls_sessions.value(),
              .tls_failures = tls_failures.value(),
              .messages = messages.value(),
              .recipients = recipients.value(),
              .octets = octets.value(),
              .duplicates = duplicates.value(),
              .duplicates_untracked = duplicates_untracked.value(),
              .without_message_id = without_message_id.value(),
              .taken_silently = taken_silently.value(),
              .closed_by_script = closed_by_script.value(),
              .broken_off = broken_off.value(),
              .stored = stored.value(),
              .first_ms = static_cast<std::int64_t>(first_ms.value()),
              .last_ms = static_cast<std::int64_t>(last_ms.value())};
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].value() != 0) mine.replies[static_cast<int>(i) + 200] = replies[i].value();
  }
  for (std::size_t i = 0; i < dkim.size(); ++i) {
    if (dkim[i].value() != 0) mine.dkim[std::string(kDkimWords[i])] = dkim[i].value();
  }
  into.add(mine);
}

void DomainTally::collect(std::map<std::string, DomainCounts>& into) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [domain, counts] : counts_) into[domain].add(counts);
}

}  // namespace todoku::sink
