// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace todoku {
namespace {

using namespace std::chrono_literals;

TEST(Metrics, GiveTheSameHandleForTheSameNameAndLabels) {
  Metrics metrics;
  Counter& first = metrics.counter("todoku_outcomes_total", "Outcomes.", {{"state", "delivered"}});
  Counter& again = metrics.counter("todoku_outcomes_total", "Outcomes.", {{"state", "delivered"}});
  Counter& other = metrics.counter("todoku_outcomes_total", "Outcomes.", {{"state", "bounced"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
}

TEST(Metrics, LoseNoAdditionOfAnyThread) {
  Metrics metrics;
  Counter& counter = metrics.counter("todoku_test_total", "Test.");
  Histogram& histogram = metrics.histogram("todoku_test_seconds", "Test.", short_durations());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        counter.add(2);
        histogram.observe(1ms);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(counter.value(), 240'000U);
  EXPECT_EQ(histogram.snapshot().sum, 120'000 * 1ms);
}

TEST(Histogram, CountsADurationInTheFirstBucketThatHoldsIt) {
  const std::vector<Microseconds> bounds = {1ms, 10ms};
  Histogram histogram(bounds);
  histogram.observe(0us);
  histogram.observe(1ms);
  histogram.observe(1001us);
  histogram.observe(10s);
  const auto snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts, (std::vector<std::uint64_t>{2, 1, 1}));
  EXPECT_EQ(snapshot.sum, 10'002'001us);
}

TEST(Metrics, EscapeLabelValues) {
  Metrics metrics;
  (void)metrics.gauge("todoku_test", "Test.", {{"a", "x\"y\\z\n"}, {"b", ""}});
  std::string labels;
  metrics.visit([&](std::string_view, std::string_view, MetricKind,
                    std::span<const Metrics::Sample> samples) { labels = samples[0].labels; });
  EXPECT_EQ(labels, R"(a="x\"y\\z\n",b="")");
}

TEST(TopLabels, GiveALabelOnlyToValuesThatMatter) {
  TopLabels labels(2, 3);
  EXPECT_EQ(labels.label("example.jp"), "other");
  EXPECT_EQ(labels.label("example.jp"), "other");
  EXPECT_EQ(labels.label("example.jp"), "example.jp");
  EXPECT_EQ(labels.label("example.com", 500), "example.com");
  EXPECT_EQ(labels.label("example.net", 500), "other") << "the limit of two is used up";
  EXPECT_EQ(labels.label("example.jp"), "example.jp");
}

TEST(TopLabels, StayBoundedWhateverComes) {
  TopLabels labels(10, 100);
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_EQ(labels.label("d" + std::to_string(i) + ".example"), "other");
  }
  EXPECT_EQ(labels.label("example.jp", 100), "example.jp");
}

}  // namespace
}  // namespace todoku
