// SPDX-License-Identifier: Apache-2.0
#include "api/admin/lanes_json.h"

#include <optional>
#include <string_view>

#include "base/date_time.h"
#include "explain/pace_words.h"
#include "explain/time_text.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

// Of the figures that the store keeps: messages in a thousand seconds.
void add_pace(http::JsonWriter& json, std::string_view name, std::int64_t stored) {
  if (stored <= 0) return json.null_member(name);
  json.key(name);
  json.value(static_cast<double>(stored) / 1'000);
}

void add_instant(http::JsonWriter& json, const std::string& name, std::optional<Instant> instant,
                 std::chrono::minutes offset) {
  if (!instant) return json.null_member(name);
  json.member(name, format_date_time(*instant));
  json.member(name + "_text", explain::time_text(*instant, offset));
}

}  // namespace

std::string lanes_json(std::span<const store::LanePace> lanes, std::chrono::minutes offset) {
  http::JsonWriter json;
  json.begin_object();
  json.key("lanes");
  json.begin_array();
  for (const store::LanePace& lane : lanes) {
    json.begin_object();
    json.member("site", lane.site);
    json.member("source", lane.source);
    json.member("waiting", lane.waiting);
    json.member("connections", lane.connections_open);
    json.member("connections_wanted", lane.connections);
    json.member("connections_max", lane.connections_max);
    add_pace(json, "messages_per_second", lane.pace > 0 ? lane.pace : lane.ceiling);
    add_pace(json, "messages_per_second_max", lane.ceiling);
    add_pace(json, "throttled_at", lane.limit);
    json.member("reason", explain::pace_name(lane.reason));
    add_instant(json, "since", lane.since, offset);
    json.member("latency_ms", lane.latency_us / 1'000);
    add_instant(json, "rests_until", lane.rests_until, offset);
    add_instant(json, "eases_at", lane.eases_at, offset);
    add_instant(json, "noted", lane.noted, offset);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
