// SPDX-License-Identifier: Apache-2.0
#include "ops/emf.h"

#include <algorithm>
#include <set>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ops/emf_reporter.h"

namespace todoku::ops {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr Instant kNow{Milliseconds(1'795'338'843'000)};

// The rules of "Specification: Embedded metric format" and its JSON schema, from the Amazon
// CloudWatch User Guide. What a line breaks of them; empty: nothing.
std::string broken_rule(std::string_view line) {
  if (line.size() > 1U << 20U) return "a log event has at most 1 MB";
  boost::system::error_code error;
  const json::value root = json::parse(line, error);
  if (error || !root.is_object()) return "the event is one JSON object and nothing else";
  const json::object& object = root.as_object();
  const json::value* const metadata = object.if_contains("_aws");
  if (metadata == nullptr || !metadata->is_object()) return "`_aws` is an object";
  const json::value* const timestamp = metadata->as_object().if_contains("Timestamp");
  if (timestamp == nullptr || !timestamp->is_int64()) return "Timestamp is a whole number";
  if (timestamp->as_int64() < 1'000'000'000'000) return "Timestamp is in milliseconds";
  const json::value* const directives = metadata->as_object().if_contains("CloudWatchMetrics");
  if (directives == nullptr || !directives->is_array()) return "CloudWatchMetrics is an array";
  static const std::set<std::string_view> kUnits = {"Seconds",
                                                    "Microseconds",
                                                    "Milliseconds",
                                                    "Bytes",
                                                    "Kilobytes",
                                                    "Megabytes",
                                                    "Gigabytes",
                                                    "Terabytes",
                                                    "Bits",
                                                    "Kilobits",
                                                    "Megabits",
                                                    "Gigabits",
                                                    "Terabits",
                                                    "Percent",
                                                    "Count",
                                                    "Bytes/Second",
                                                    "Count/Second",
                                                    "Kilobytes/Second",
                                                    "Megabytes/Second",
                                                    "Gigabytes/Second",
                                                    "Terabytes/Second",
                                                    "Bits/Second",
                                                    "Kilobits/Second",
                                                    "Megabits/Second",
                                                    "Gigabits/Second",
                                                    "Terabits/Second",
                                                    "None"};
  for (const json::value& each : directives->as_array()) {
    if (!each.is_object()) return "a directive is an object";
    const json::object& directive = each.as_object();
    const json::value* const name_space = directive.if_contains("Namespace");
    if (name_space == nullptr || !name_space->is_string()) return "Namespace is a string";
    const std::size_t length = name_space->as_string().size();
    if (length < 1 || length > 1'024) return "Namespace has 1 to 1024 characters";
    const json::value* const sets = directive.if_contains("Dimensions");
    if (sets == nullptr || !sets->is_array() || sets->as_array().empty()) {
      return "Dimensions is an array of at least one set";
    }
    for (const json::value& set : sets->as_array()) {
      if (!set.is_array() || set.as_array().size() > 30) return "a set has at most 30 keys";
      for (const json::value& key : set.as_array()) {
        if (!key.is_string() || key.as_string().empty() || key.as_string().size() > 250) {
          return "a key of a dimension has 1 to 250 characters";
        }
        const json::value* const target = object.if_contains(key.as_string());
        if (target == nullptr || !target->is_string()) return "a dimension is a string at the root";
        if (target->as_string().empty() || target->as_string().size() > 1'024) {
          return "the value of a dimension has 1 to 1024 characters";
        }
      }
    }
    const json::value* const metrics = directive.if_contains("Metrics");
    if (metrics == nullptr || !metrics->is_array()) return "Metrics is an array";
    if (metrics->as_array().size() > 100) return "a directive has at most 100 metrics";
    for (const json::value& metric : metrics->as_array()) {
      if (!metric.is_object()) return "a metric is an object";
      const json::value* const name = metric.as_object().if_contains("Name");
      if (name == nullptr || !name->is_string() || name->as_string().empty() ||
          name->as_string().size() > 1'024) {
        return "a name has 1 to 1024 characters";
      }
      const json::value* const unit = metric.as_object().if_contains("Unit");
      if (unit != nullptr && (!unit->is_string() || !kUnits.contains(unit->as_string()))) {
        return "a unit is one of CloudWatch's";
      }
      const json::value* const target = object.if_contains(name->as_string());
      if (target == nullptr || !target->is_number()) return "a metric is a number at the root";
    }
  }
  return {};
}

std::vector<std::string> metric_names(std::string_view line) {
  std::vector<std::string> names;
  const json::value root = json::parse(line);
  for (const auto& metric :
       root.at("_aws").at("CloudWatchMetrics").at(0).at("Metrics").as_array()) {
    names.emplace_back(metric.at("Name").as_string());
  }
  return names;
}

TEST(Emf, ValidatorKnowsWhatIsWrong) {
  const std::string right =
      R"({"_aws":{"Timestamp":1795338843000,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":)"
      R"([["role"]],"Metrics":[{"Name":"A","Unit":"Count"}]}]},"role":"api","A":1})";
  EXPECT_EQ(broken_rule(right), "");
  const auto with = [&](std::string_view part, std::string_view other) {
    std::string text = right;
    text.replace(text.find(part), part.size(), other);
    return broken_rule(text);
  };
  EXPECT_NE(broken_rule("info " + right), "");
  EXPECT_NE(with("1795338843000", "1795338843"), "");
  EXPECT_NE(with("1795338843000", "1795338843000.5"), "");
  EXPECT_NE(with(R"("Unit":"Count")", R"("Unit":"Recipients")"), "");
  EXPECT_NE(with(R"("role":"api",)", ""), "");
  EXPECT_NE(with(R"(,"A":1)", ""), "");
  EXPECT_NE(with(R"(,"A":1)", R"(,"A":"1")"), "");
  EXPECT_NE(with(R"([["role"]])", R"(["role"])"), "");
}

TEST(Emf, IsWhatTheSpecificationSays) {
  const std::vector<EmfValue> values = {{"WorkSeconds", "Seconds", 12.5}, {"Couriers", "Count", 3}};
  const std::string line = emf_line("todoku", "scheduler", kNow, values);
  EXPECT_EQ(line,
            R"({"_aws":{"Timestamp":1795338843000,"CloudWatchMetrics":[{"Namespace":"todoku",)"
            R"("Dimensions":[["role"]],"Metrics":[{"Name":"WorkSeconds","Unit":"Seconds"},)"
            R"({"Name":"Couriers","Unit":"Count"}]}]},"role":"scheduler","WorkSeconds":12.5,)"
            R"("Couriers":3})");
  EXPECT_EQ(broken_rule(line), "");
}

TEST(Emf, LeavesOutWhatIsNotKnown) {
  const std::vector<EmfValue> values = {{"WorkSeconds", "Seconds", std::nan("")},
                                        {"Couriers", "Count", 0}};
  const std::string line = emf_line("todoku", "scheduler", kNow, values);
  EXPECT_EQ(metric_names(line), std::vector<std::string>{"Couriers"});
  EXPECT_EQ(broken_rule(line), "");
  EXPECT_EQ(emf_line("todoku", "scheduler", kNow, std::span(values).first(1)), "");
}

TEST(Emf, HasAtMostTwentyMetricsWithNamesOfTheirOwn) {
  const auto names = EmfSelection::names();
  EXPECT_LE(names.size(), kEmfMetricsMax);
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(EmfSelection, ShowsLevelsAndWhatWasAdded) {
  Metrics metrics;
  Counter& delivered =
      metrics.counter("todoku_outcomes_total", "", {{"site", "a"}, {"state", "delivered"}});
  delivered.add(100);
  metrics.gauge("todoku_smtp_connections", "").set(7);
  EmfSelection selection(metrics);
  delivered.add(5);
  metrics.counter("todoku_outcomes_total", "", {{"site", "b"}, {"state", "delivered"}}).add(2);
  metrics.counter("todoku_outcomes_total", "", {{"site", "b"}, {"state", "bounced"}}).add(1);
  selection.step();
  const auto value = [&](std::string_view name) {
    for (const EmfValue& each : selection.values("courier")) {
      if (each.name == name) return each.value;
    }
    return -1.0;
  };
  EXPECT_EQ(value("Outcomes"), 8);
  EXPECT_EQ(value("Delivered"), 7);
  EXPECT_EQ(value("Bounced"), 1);
  EXPECT_EQ(value("Connections"), 7);
  EXPECT_EQ(value("MailsInHand"), -1) << "nobody keeps it";
  selection.step();
  EXPECT_EQ(value("Outcomes"), 0) << "nothing came, which is known";
  EXPECT_EQ(value("Connections"), 7);
}

TEST(EmfSelection, CountsTheApisOwnErrors) {
  Metrics metrics;
  EmfSelection selection(metrics);
  const auto requests = [&](std::string_view server, std::string_view status) -> Counter& {
    return metrics.counter("todoku_http_requests_total", "",
                           {{"server", server}, {"route", "none"}, {"status", status}});
  };
  requests("api", "200").add(3);
  requests("api", "503").add(2);
  requests("admin", "500").add(9);
  selection.step();
  const auto values = selection.values("api");
  ASSERT_GE(values.size(), 2U);
  EXPECT_EQ(values[0].name, "Requests");
  EXPECT_EQ(values[0].value, 5);
  EXPECT_EQ(values[1].name, "ServerErrors");
  EXPECT_EQ(values[1].value, 2);
}

TEST(EmfSelection, IsALineThatAPipeTakesWhole) {
  for (const std::string_view role : {"scheduler", "courier", "api"}) {
    std::vector<EmfValue> values;
    for (const std::string_view name : EmfSelection::names()) {
      values.push_back({name, "Seconds", -1.2345678901234567e-300});
    }
    const std::string line = emf_line(std::string(255, 'n'), role, kNow, values);
    EXPECT_LT(line.size(), kEmfLineMax);
    EXPECT_EQ(broken_rule(line), "");
  }
}

TEST(WriteWholeLine, NeverWaitsForWhoReads) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const std::string line(1'000, 'x');
  int written = 0;
  while (write_whole_line(ends[1], line)) ++written;
  EXPECT_GT(written, 10);
  std::vector<char> read(1U << 20U);
  const ssize_t got = ::read(ends[0], read.data(), read.size());
  EXPECT_EQ(got, written * 1'001) << "no line was cut";
  EXPECT_TRUE(write_whole_line(ends[1], line)) << "there is room again";
  EXPECT_FALSE(write_whole_line(ends[1], std::string(kEmfLineMax, 'x')))
      << "too long for one piece";
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace todoku::ops
