// SPDX-License-Identifier: Apache-2.0
// Counting on the hot path: one thread writes, any thread may read, nobody waits.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "sink/report.h"

namespace todoku::sink {

class Tally {
 public:
  void add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Milliseconds in buckets of 3 % width: exact below 64.
class LatencyTally {
 public:
  void add(std::uint64_t ms) {
    buckets_[bucket_of(ms)].add();
    if (ms > max_.value()) max_.set(ms);
  }
  // Adds what was counted to `into`, which has kBuckets elements.
  void collect(std::vector<std::uint64_t>& into, std::uint64_t& max) const;

  static constexpr std::size_t kBuckets = 32 * 29;
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ms);
  // The largest value of a bucket.
  [[nodiscard]] static std::uint64_t upper_end(std::size_t bucket);

 private:
  std::array<Tally, kBuckets> buckets_;
  Tally max_;
};

// Percentiles of what was collected.
[[nodiscard]] LatencySummary summarize(const std::vector<std::uint64_t>& buckets,
                                       std::uint64_t max);

// What one thread saw of one receiver.
struct ReceiverTally {
  Tally connections;
  Tally tls_sessions;
  Tally tls_failures;
  Tally messages;
  Tally recipients;
  Tally octets;
  Tally duplicates;
  Tally duplicates_untracked;
  Tally without_message_id;
  Tally taken_silently;
  Tally closed_by_script;
  Tally broken_off;
  Tally stored;
  Tally first_ms;  // Unix time; 0: none yet
  Tally last_ms;
  std::array<Tally, 400> replies;  // by code, from 200
  std::array<Tally, kDkimResults> dkim;

  void arrived(std::uint64_t now_ms) {
    if (first_ms.value() == 0) first_ms.set(now_ms);
    last_ms.set(now_ms);
  }
  void collect(Counts& into) const;
};

// What one thread saw of recipient domains: any number of them may come, so the first kDomainsMax
// are told apart and the others counted together.
class DomainTally {
 public:
  static constexpr std::size_t kDomainsMax = 10'000;

  template <class Change>
  void change(const std::string& domain, Change change) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(domain);
    if (found != counts_.end()) return change(found->second);
    if (counts_.size() < kDomainsMax) return change(counts_[domain]);
    change(counts_[std::string(kOtherDomains)]);
  }
  void collect(std::map<std::string, DomainCounts>& into) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, DomainCounts> counts_;
};

}  // namespace todoku::sink
