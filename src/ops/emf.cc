// SPDX-License-Identifier: Apache-2.0
#include "ops/emf.h"

#include <array>
#include <cmath>

#include "http/json.h"

namespace todoku::ops {
namespace {

struct Shown {
  std::string_view role;
  std::string_view name;
  std::string_view unit;
  std::string_view metric;
  std::string_view label;  // parts of the labels of what is added up; empty: all
  std::string_view also;
  bool grows = false;  // shown as what has come since the last line
};

constexpr std::string_view kCount = "Count";
constexpr std::string_view kSeconds = "Seconds";
constexpr std::string_view kPercent = "Percent";
constexpr std::string_view kRecipients = "todoku_queue_recipients";
constexpr std::string_view kAge = "todoku_queue_age_seconds";
constexpr std::string_view kOutcomes = "todoku_outcomes_total";
constexpr std::string_view kRequests = "todoku_http_requests_total";
constexpr std::string_view kUrgent = "class=\"transactional\"";
constexpr std::string_view kBulk = "class=\"bulk\"";

constexpr std::array kTable = {
    Shown{"scheduler", "WorkSeconds", kSeconds, "todoku_work_seconds", "", "", false},
    Shown{"scheduler", "CourierLoad", kPercent, "todoku_courier_load_ratio", "", "", false},
    Shown{"scheduler", "BacklogPerCourier", kCount, "todoku_backlog_per_courier", "", "", false},
    Shown{"scheduler", "OldestTransactional", kSeconds, kAge, kUrgent, "", false},
    Shown{"scheduler", "OldestBulk", kSeconds, kAge, kBulk, "", false},
    Shown{"scheduler", "WaitingTransactional", kCount, kRecipients, kUrgent, "", false},
    Shown{"scheduler", "WaitingBulk", kCount, kRecipients, kBulk, "", false},
    Shown{"scheduler", "SetAside", kCount, "todoku_set_aside_recipients", "", "", false},
    Shown{"scheduler", "Couriers", kCount, "todoku_couriers", "", "", false},
    Shown{"courier", "Outcomes", kCount, kOutcomes, "", "", true},
    Shown{"courier", "Delivered", kCount, kOutcomes, "state=\"delivered\"", "", true},
    Shown{"courier", "Bounced", kCount, kOutcomes, "state=\"bounced\"", "", true},
    Shown{"courier", "Connections", kCount, "todoku_smtp_connections", "", "", false},
    Shown{"courier", "MailsInHand", kCount, "todoku_mails_in_hand", "", "", false},
    Shown{"courier", "LaneWaiting", kCount, "todoku_lane_waiting_recipients", "", "", false},
    Shown{"api", "Requests", kCount, kRequests, "server=\"api\"", "", true},
    Shown{"api", "ServerErrors", kCount, kRequests, "server=\"api\"", "status=\"5", true},
};
constexpr std::array kOfLambda = {kDeadLetters, kImports, kImportFailures};
static_assert(kTable.size() + kOfLambda.size() <= kEmfMetricsMax);

double value_of(const Metrics::Sample& sample) {
  if (sample.counter != nullptr) return static_cast<double>(sample.counter->value());
  return sample.gauge != nullptr ? sample.gauge->value() : 0;
}

}  // namespace

std::string emf_line(std::string_view name_space, std::string_view role, Instant at,
                     std::span<const EmfValue> values) {
  std::vector<EmfValue> finite;
  for (const EmfValue& value : values) {
    if (std::isfinite(value.value)) finite.push_back(value);
  }
  if (finite.empty()) return {};
  http::JsonWriter json;
  json.begin_object();
  json.key("_aws");
  json.begin_object();
  json.member("Timestamp", to_epoch_ms(at));
  json.key("CloudWatchMetrics");
  json.begin_array();
  json.begin_object();
  json.member("Namespace", name_space);
  json.key("Dimensions");
  json.raw(R"([["role"]])");
  json.key("Metrics");
  json.begin_array();
  for (const EmfValue& value : finite) {
    json.begin_object();
    json.member("Name", value.name);
    json.member("Unit", value.unit);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  json.member("role", role);
  for (const EmfValue& value : finite) json.member(value.name, value.value);
  json.end_object();
  return json.take();
}

EmfSelection::EmfSelection(const Metrics& metrics) : metrics_(metrics), readings_(kTable.size()) {
  step();
}

void EmfSelection::step() {
  for (Reading& reading : readings_) reading = {.before = reading.now};
  metrics_.visit([this](std::string_view name, std::string_view, MetricKind,
                        std::span<const Metrics::Sample> samples) {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
      const Shown& shown = kTable[i];
      if (name != shown.metric) continue;
      for (const Metrics::Sample& sample : samples) {
        if (!sample.labels.contains(shown.label) || !sample.labels.contains(shown.also)) continue;
        readings_[i].now += value_of(sample);
        readings_[i].there = true;
      }
    }
  });
}

std::vector<EmfValue> EmfSelection::values(std::string_view role) const {
  std::vector<EmfValue> values;
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    const Shown& shown = kTable[i];
    const Reading& reading = readings_[i];
    // A counter begins to be there with the first thing that it counts.
    if (shown.role != role || (!reading.there && !shown.grows)) continue;
    const double value = shown.grows ? reading.now - reading.before : reading.now;
    values.push_back({.name = shown.name,
                      .unit = shown.unit,
                      .value = shown.unit == kPercent ? value * 100 : value});
  }
  return values;
}

std::vector<std::string_view> EmfSelection::names() {
  std::vector<std::string_view> names(kOfLambda.begin(), kOfLambda.end());
  for (const Shown& shown : kTable) names.push_back(shown.name);
  return names;
}

}  // namespace todoku::ops
