// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <algorithm>

#include "base/check.h"

namespace todoku {
namespace internal {

std::size_t metric_slot() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t slot = next.fetch_add(1, std::memory_order_relaxed) % kMetricSlots;
  return slot;
}

}  // namespace internal

namespace {

using namespace std::chrono_literals;

constexpr std::array kShort = {
    Microseconds(500us), Microseconds(1ms),   Microseconds(2ms),  Microseconds(5ms),
    Microseconds(10ms),  Microseconds(20ms),  Microseconds(50ms), Microseconds(100ms),
    Microseconds(200ms), Microseconds(500ms), Microseconds(1s),   Microseconds(2s),
    Microseconds(5s),    Microseconds(10s),   Microseconds(30s),
};

constexpr std::array kLong = {
    Microseconds(10ms),  Microseconds(20ms),  Microseconds(50ms), Microseconds(100ms),
    Microseconds(200ms), Microseconds(500ms), Microseconds(1s),   Microseconds(2s),
    Microseconds(5s),    Microseconds(10s),   Microseconds(30s),  Microseconds(1min),
    Microseconds(5min),  Microseconds(15min), Microseconds(1h),   Microseconds(4h),
    Microseconds(12h),   Microseconds(24h),
};

// The candidates that TopLabels remembers per label it may give.
constexpr std::size_t kCandidatesPerLabel = 16;

// Prometheus text format 0.0.4: backslash, quote and line feed are escaped in label values.
void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string label_text(MetricLabels labels) {
  std::string out;
  for (const MetricLabel& label : labels) {
    if (!out.empty()) out += ',';
    out += label.name;
    out += "=\"";
    append_label_value(out, label.value);
    out += '"';
  }
  return out;
}

}  // namespace

std::uint64_t Counter::value() const noexcept {
  std::uint64_t total = 0;
  for (const Cell& cell : cells_) total += cell.value.load(std::memory_order_relaxed);
  return total;
}

Histogram::Histogram(std::span<const Microseconds> bounds) : bounds_(bounds.begin(), bounds.end()) {
  check(bounds.size() <= kBoundsMax, "a histogram has too many buckets");
  check(std::ranges::is_sorted(bounds), "the bounds of a histogram must ascend");
}

void Histogram::observe(Microseconds duration) noexcept {
  Slot& slot = slots_[internal::metric_slot()];
  const auto bucket = std::ranges::lower_bound(bounds_, duration) - bounds_.begin();
  slot.counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  slot.sum_us.fetch_add(duration.count(), std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot snapshot{.bounds = bounds_,
                    .counts = std::vector<std::uint64_t>(bounds_.size() + 1),
                    .sum = Microseconds{}};
  for (const Slot& slot : slots_) {
    for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
      snapshot.counts[i] += slot.counts[i].load(std::memory_order_relaxed);
    }
    snapshot.sum += Microseconds(slot.sum_us.load(std::memory_order_relaxed));
  }
  return snapshot;
}

std::span<const Microseconds> short_durations() {
  return kShort;
}

std::span<const Microseconds> long_durations() {
  return kLong;
}

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, MetricKind kind) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    found =
        families_.emplace(std::string(name), Family{.help = std::string(help), .kind = kind}).first;
  }
  check(found->second.kind == kind, "one metric name is used for two kinds");
  return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& child = family(name, help, MetricKind::counter).counters[label_text(labels)];
  if (!child) child = std::make_unique<Counter>();
  return *child;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& child = family(name, help, MetricKind::gauge).gauges[label_text(labels)];
  if (!child) child = std::make_unique<Gauge>();
  return *child;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::span<const Microseconds> bounds, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& child = family(name, help, MetricKind::histogram).histograms[label_text(labels)];
  if (!child) child = std::make_unique<Histogram>(bounds);
  return *child;
}

void Metrics::visit(const Visitor& visitor) const {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> samples;
  for (const auto& [name, family] : families_) {
    samples.clear();
    for (const auto& [labels, counter] : family.counters) {
      samples.push_back({.labels = labels, .counter = counter.get()});
    }
    for (const auto& [labels, gauge] : family.gauges) {
      samples.push_back({.labels = labels, .gauge = gauge.get()});
    }
    for (const auto& [labels, histogram] : family.histograms) {
      samples.push_back({.labels = labels, .histogram = histogram.get()});
    }
    visitor(name, family.help, family.kind, samples);
  }
}

std::string_view TopLabels::label(std::string_view value, std::uint64_t times) {
  constexpr std::string_view kOther = "other";
  const std::lock_guard lock(mutex_);
  if (const auto found = chosen_.find(value); found != chosen_.end()) return found->first;
  if (chosen_.size() >= limit_) return kOther;
  // Forgetting all candidates at once keeps the memory bounded; one that matters is soon back.
  if (candidates_.size() >= limit_ * kCandidatesPerLabel) candidates_.clear();
  auto candidate = candidates_.find(value);
  if (candidate == candidates_.end()) candidate = candidates_.emplace(value, 0).first;
  candidate->second += times;
  if (candidate->second < needed_) return kOther;
  candidates_.erase(candidate);
  return chosen_.emplace(value, std::monostate{}).first->first;
}

}  // namespace todoku
