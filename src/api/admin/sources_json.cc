// SPDX-License-Identifier: Apache-2.0
#include "api/admin/sources_json.h"

#include "http/json.h"
#include "operate/report_overview.h"

namespace todoku::api::admin {
namespace {

void add_volume(http::JsonWriter& json, const operate::WarmUpVolume& volume) {
  json.member("volume", volume.volume);
  json.member("taken", volume.taken);
  json.member("left", volume.left());
}

void add_plan(http::JsonWriter& json, const operate::SourceView& view) {
  const auto& plan = *view.source.plan;
  json.begin_object();
  json.member("first_day", operate::day_text(plan.first_day));
  json.member("today", view.today);
  json.member("step", view.step);
  json.member("steps", plan.volumes.size());
  json.key("volumes");
  json.begin_array();
  for (const std::int64_t volume : plan.volumes) json.value(volume);
  json.end_array();
  json.member("waits_for_volume", plan.waits_for_volume);
  json.member("overflow", plan.overflows ? "pool" : "tomorrow");
  add_volume(json, view.volume);
  json.key("receivers");
  json.begin_array();
  for (const operate::ReceiverVolume& each : view.receivers) {
    json.begin_object();
    json.member("receiver", each.receiver);
    add_volume(json, each.volume);
    json.end_object();
  }
  json.end_array();
  json.key("days");
  json.begin_array();
  for (const operate::WarmUpDayView& each : view.days) {
    json.begin_object();
    json.member("day", each.day);
    json.member("taken", each.taken);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::string sources_json(std::span<const operate::SourceView> sources) {
  http::JsonWriter json;
  json.begin_object();
  json.key("sources");
  json.begin_array();
  for (const operate::SourceView& view : sources) {
    json.begin_object();
    json.member("name", view.source.name);
    json.member("traffic", view.source.traffic);
    json.member("via", view.source.via);
    json.member("state", operate::to_string(view.state));
    if (view.source.plan) {
      json.key("warm_up");
      add_plan(json, view);
    } else {
      json.null_member("warm_up");
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
