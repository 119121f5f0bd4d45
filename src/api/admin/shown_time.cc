// SPDX-License-Identifier: Apache-2.0
#include "api/admin/shown_time.h"

#include <fmt/format.h>

namespace todoku::api::admin {

std::string time_text(Instant instant) {
  const auto second = std::chrono::floor<std::chrono::seconds>(instant);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

void add_time(http::JsonWriter& json, std::string_view name, std::optional<Instant> instant) {
  if (instant) json.member(name, time_text(*instant));
}

void add_shown_time(http::JsonWriter& json, const std::string& name, std::optional<Instant> instant,
                    std::chrono::minutes offset) {
  add_time(json, name, instant);
  if (instant) json.member(name + "_text", explain::time_text(*instant, offset));
}

}  // namespace todoku::api::admin
