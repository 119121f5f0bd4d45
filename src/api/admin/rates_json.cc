// SPDX-License-Identifier: Apache-2.0
#include "api/admin/rates_json.h"

#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;

template <class Number>
void number_or_null(JsonWriter& json, std::string_view name, const std::optional<Number>& number) {
  if (number) {
    json.member(name, *number);
  } else {
    json.null_member(name);
  }
}

void percent_or_null(JsonWriter& json, std::string_view name,
                     const std::optional<delivery::policy::PerMillion>& share) {
  std::optional<double> percent;
  if (share) percent = static_cast<double>(*share) / delivery::policy::kPerMillionOfPercent;
  number_or_null(json, name, percent);
}

void write_line(JsonWriter& json, const operate::RateLine& line) {
  json.begin_object();
  json.member("scope", to_string(line.scope));
  json.member("name", line.name);
  json.member("level", line.level);
  json.member("because", line.because);
  if (line.since) {
    json.member("since", format_utc(*line.since));
  } else {
    json.null_member("since");
  }
  json.member("answered", line.counts.answered);
  json.member("delivered", line.counts.delivered);
  json.member("hard_bounces", line.counts.hard);
  number_or_null(json, "hard_bounce_percent", line.hard_bounces);
  json.member("unknown_users", line.counts.unknown_users);
  number_or_null(json, "unknown_user_percent", line.unknown_users);
  json.member("complaints", line.counts.complained);
  // Without mails to receivers that send complaints nobody knows.
  json.member("complaints_measured_by", line.counts.reporting);
  number_or_null(json, "complaint_percent", line.complaints);
  json.end_object();
}

void write_limits(JsonWriter& json, const delivery::policy::ProtectionOverrides& limits) {
  percent_or_null(json, "complaint_warn_percent", limits.complaints_warn);
  percent_or_null(json, "complaint_pause_percent", limits.complaints_pause);
  number_or_null(json, "complaint_minimum", limits.complaints_minimum);
  percent_or_null(json, "bounce_warn_percent", limits.bounces_warn);
  percent_or_null(json, "bounce_pause_percent", limits.bounces_pause);
  number_or_null(json, "bounce_minimum", limits.bounces_minimum);
  number_or_null(json, "canary_recipients", limits.canary_recipients);
  number_or_null(json, "canary_minutes", limits.canary_minutes);
}

}  // namespace

std::string rates_json(const operate::RateReport& report) {
  JsonWriter json;
  json.begin_object();
  if (report.delivery == 0) {
    json.member("hours", report.hours);
    json.null_member("delivery_id");
  } else {
    json.null_member("hours");
    json.member("delivery_id", report.delivery);
  }
  json.key("rates");
  json.begin_array();
  for (const operate::RateLine& line : report.lines) write_line(json, line);
  json.end_array();
  json.key("own_limits");
  json.begin_object();
  write_limits(json, report.own_limits);
  json.end_object();
  json.end_object();
  return json.take();
}

std::string rate_limits_json(const delivery::policy::ProtectionOverrides& limits) {
  JsonWriter json;
  json.begin_object();
  write_limits(json, limits);
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
