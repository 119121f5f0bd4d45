// SPDX-License-Identifier: Apache-2.0
#include "ops/exposition.h"

#include <cmath>

#include <fmt/format.h>

namespace todoku::ops {
namespace {

std::string_view word(std::string_view name, MetricKind kind) {
  // A total that is no whole number, such as seconds of processor time, is kept in a gauge.
  if (kind == MetricKind::gauge && name.ends_with("_total")) return "counter";
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
  }
  return "untyped";
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

double seconds(Microseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

void append_escaped_help(std::string& out, std::string_view help) {
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::string_view value) {
  out += name;
  if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels,
                      const Histogram& histogram) {
  const auto snapshot = histogram.snapshot();
  const std::string comma = labels.empty() ? "" : ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
    below += snapshot.counts[i];
    const std::string bound =
        i < snapshot.bounds.size() ? number(seconds(snapshot.bounds[i])) : "+Inf";
    append_sample(out, fmt::format("{}_bucket", name),
                  fmt::format("{}{}le=\"{}\"", labels, comma, bound), fmt::format("{}", below));
  }
  append_sample(out, fmt::format("{}_sum", name), labels, number(seconds(snapshot.sum)));
  append_sample(out, fmt::format("{}_count", name), labels, fmt::format("{}", below));
}

}  // namespace

std::string exposition(const Metrics& metrics) {
  std::string out;
  metrics.visit([&](std::string_view name, std::string_view help, MetricKind kind,
                    std::span<const Metrics::Sample> samples) {
    fmt::format_to(std::back_inserter(out), "# HELP {} ", name);
    append_escaped_help(out, help);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name, word(name, kind));
    for (const Metrics::Sample& sample : samples) {
      if (sample.counter != nullptr) {
        append_sample(out, name, sample.labels, fmt::format("{}", sample.counter->value()));
      } else if (sample.gauge != nullptr) {
        append_sample(out, name, sample.labels, number(sample.gauge->value()));
      } else {
        append_histogram(out, name, sample.labels, *sample.histogram);
      }
    }
  });
  return out;
}

}  // namespace todoku::ops
