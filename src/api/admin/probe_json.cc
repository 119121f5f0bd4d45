// SPDX-License-Identifier: Apache-2.0
#include "api/admin/probe_json.h"

#include <optional>
#include <string_view>

#include "api/admin/shown_time.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

void add_seconds(http::JsonWriter& json, std::string_view name, const std::optional<Instant>& from,
                 const std::optional<Instant>& to) {
  if (!from || !to) return;
  json.key(name);
  json.value(std::chrono::duration<double>(*to - *from).count());
}

void add_text(http::JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

}  // namespace

std::string probe_plan_json(const operate::ProbePlan& plan) {
  http::JsonWriter json;
  json.begin_object();
  json.member("every_minutes", plan.every_minutes);
  json.key("from");
  json.begin_array();
  for (const std::string& sender : plan.senders) json.value(sender);
  json.end_array();
  json.key("mailboxes");
  json.begin_array();
  for (const operate::ProbeMailbox& mailbox : plan.mailboxes) {
    json.begin_object();
    json.member("name", mailbox.name);
    json.member("provider", mailbox.provider);
    json.member("address", mailbox.address);
    json.member("host", mailbox.host);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string probes_json(std::span<const store::Probe> probes, std::chrono::minutes offset) {
  http::JsonWriter json;
  json.begin_object();
  json.key("probes");
  json.begin_array();
  for (const store::Probe& probe : probes) {
    const store::ProbeNews& news = probe.news;
    json.begin_object();
    json.member("id", probe.token);
    json.member("mailbox", probe.mailbox);
    json.member("provider", news.provider);
    json.member("from", news.sender);
    json.member("place", store::to_string(news.place));
    json.member("over", !probe.due.has_value());
    add_shown_time(json, "asked", probe.asked, offset);
    add_shown_time(json, "sent", news.sent, offset);
    add_shown_time(json, "accepted", news.accepted, offset);
    add_shown_time(json, "found", news.found, offset);
    add_seconds(json, "seconds", news.sent, news.found);
    add_text(json, "source", news.source);
    add_text(json, "folder", news.folder);
    add_text(json, "spf", news.spf);
    add_text(json, "dkim", news.dkim);
    add_text(json, "dmarc", news.dmarc);
    add_text(json, "detail", news.detail);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
