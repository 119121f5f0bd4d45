// SPDX-License-Identifier: Apache-2.0
// Figures about the running engine: counters, gauges and histograms of time, and the registry that
// owns them. A module asks the registry once for the handles that it needs and keeps the
// references; counting is then one uncontended atomic addition. ops/exposition.h writes them out.
//
// Names follow Prometheus: todoku_<what>_<unit>, counters end in _total.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace todoku {

namespace internal {
inline constexpr std::size_t kMetricSlots = 8;
// Which of the slots this thread adds to: neighbours in time get different ones.
[[nodiscard]] std::size_t metric_slot() noexcept;
}  // namespace internal

// Only grows. All members are thread-safe and never block.
class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    cells_[internal::metric_slot()].value.fetch_add(count, std::memory_order_relaxed);
  }
  // For a total that somebody else counts: from one thread at a time, and never beside add().
  void mirror(std::uint64_t total) noexcept {
    cells_[0].value.store(total, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, internal::kMetricSlots> cells_;
};

// A level that rises and falls. All members are thread-safe and never block.
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double change) noexcept { value_.fetch_add(change, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

// How long something took, counted in buckets. All members are thread-safe and never block.
class Histogram {
 public:
  static constexpr std::size_t kBoundsMax = 23;

  // `bounds`: inclusive upper ends, ascending, at most kBoundsMax; one more bucket has no end.
  explicit Histogram(std::span<const Microseconds> bounds);

  void observe(Microseconds duration) noexcept;

  struct Snapshot {
    std::vector<Microseconds> bounds;
    std::vector<std::uint64_t> counts;  // one per bound and a last one without end; not cumulated
    Microseconds sum{};
  };
  [[nodiscard]] Snapshot snapshot() const;

 private:
  struct alignas(64) Slot {
    std::array<std::atomic<std::uint64_t>, kBoundsMax + 1> counts{};
    std::atomic<std::int64_t> sum_us{0};
  };
  std::vector<Microseconds> bounds_;
  std::array<Slot, internal::kMetricSlots> slots_;
};

// 0.5 ms to 30 s: requests, commits, dialogues with receivers.
[[nodiscard]] std::span<const Microseconds> short_durations();
// 10 ms to a day: from acceptance to delivery.
[[nodiscard]] std::span<const Microseconds> long_durations();

struct MetricLabel {
  std::string_view name;
  std::string_view value;
};
using MetricLabels = std::initializer_list<MetricLabel>;

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

// Owns every metric of one process (or of one test). Thread-safe. References stay valid as long as
// the registry. Asking again for the same name and labels gives the same metric; the same name with
// another kind is a mistake of ours. Label values must come from a bounded set: see TopLabels.
class Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  [[nodiscard]] Counter& counter(std::string_view name, std::string_view help,
                                 MetricLabels labels = {});
  [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help,
                             MetricLabels labels = {});
  [[nodiscard]] Histogram& histogram(std::string_view name, std::string_view help,
                                     std::span<const Microseconds> bounds,
                                     MetricLabels labels = {});

  // A metric as the exposition sees it; exactly one of the three pointers is set.
  struct Sample {
    std::string_view labels;  // `site="example.jp",state="delivered"`, escaped; may be empty
    const Counter* counter = nullptr;
    const Gauge* gauge = nullptr;
    const Histogram* histogram = nullptr;
  };
  using Visitor = std::function<void(std::string_view name, std::string_view help, MetricKind kind,
                                     std::span<const Sample> samples)>;
  // Calls `visitor` for each name in alphabetical order. It must not ask for new metrics.
  void visit(const Visitor& visitor) const;

 private:
  struct Family {
    std::string help;
    MetricKind kind = MetricKind::counter;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
  };
  Family& family(std::string_view name, std::string_view help, MetricKind kind);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

// Gives the values that matter a label of their own and calls the rest "other", so that a campaign
// to a million domains does not make a million time series. A value matters once it has been seen
// `needed` times; at most `limit` values ever do. Thread-safe.
class TopLabels {
 public:
  explicit TopLabels(std::size_t limit, std::uint64_t needed = 100)
      : limit_(limit), needed_(needed) {}

  // Counts `times` more sightings of `value` and returns the label to use for them, valid as long
  // as this object.
  [[nodiscard]] std::string_view label(std::string_view value, std::uint64_t times = 1);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  template <class T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  const std::size_t limit_;
  const std::uint64_t needed_;
  std::mutex mutex_;
  Map<std::monostate> chosen_;
  Map<std::uint64_t> candidates_;
};

}  // namespace todoku
