// SPDX-License-Identifier: Apache-2.0
#include "api/admin/tls_report_json.h"

#include <chrono>

#include <fmt/format.h>

#include "http/json.h"

namespace todoku::api::admin {
namespace {

std::string written_day(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

std::string tls_report_json(std::span<const store::TlsCount> counts) {
  http::JsonWriter json;
  json.begin_object();
  json.key("results");
  json.begin_array();
  for (const store::TlsCount& count : counts) {
    json.begin_object();
    json.member("day", written_day(count.day));
    json.member("domain", count.domain);
    json.member("policy_type", to_string(count.policy));
    json.member("result_type", to_string(count.result));
    json.member("attempts", count.attempts);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
