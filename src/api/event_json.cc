// SPDX-License-Identifier: Apache-2.0
#include "api/event_json.h"

#include <string_view>

#include "api/answers.h"
#include "api/labels.h"
#include "base/date_time.h"

namespace todoku::api {
namespace {

void id_or_null(http::JsonWriter& json, std::string_view name, store::PublicId id) {
  if (id == 0) {
    json.null_member(name);
  } else {
    json.member(name, id);
  }
}

void outcome_members(http::JsonWriter& json, const store::EventRecord& event) {
  json.member("attempt", event.entry.attempt);
  id_or_null(json, "code", event.entry.code);
  text_or_null(json, "message", event.reply);
  if (event.entry.cause == Cause::none) {
    json.null_member("cause");
  } else {
    json.member("cause", to_string(event.entry.cause));
  }
  if (event.is_gone) {
    json.null_member("stage");
  } else {
    json.member("stage", to_string(event.stage));
  }
  text_or_null(json, "mx_host", event.path->mx_host);
  text_or_null(json, "remote_ip", event.path->remote_ip);
  text_or_null(json, "source", event.path->egress_source);
  text_or_null(json, "tls", event.path->tls_detail);
}

std::string_view name_of_subject(store::EventKind kind) {
  if (store::is_of_protection(kind)) return "rates_of";
  if (store::is_of_limit(kind)) return "limit";
  return store::is_of_domain_check(kind) ? "domain" : "credential";
}

}  // namespace

void write_event(http::JsonWriter& json, const store::EventRecord& event) {
  json.begin_object();
  json.member("event_id", store::event_id(event.place));
  json.member("kind", to_string(event.entry.kind));
  json.member("timestamp", format_utc(event.entry.at));
  id_or_null(json, "delivery_id", event.delivery->id);
  if (event.is_gone || store::is_of_credential(event.entry.kind)) {
    json.null_member("delivery_type");
    json.null_member("subject");
    no_label_members(json);
  } else {
    json.member("delivery_type", contract_word(event.delivery->type));
    json.member("subject", event.delivery->subject);
    if (event.delivery->sandbox) json.member("sandbox", true);
    label_members(json, event.delivery->labels, event.delivery->type);
  }
  json.member("deleted", event.is_gone);
  if (const auto& credential = event.entry.credential) {
    json.member(name_of_subject(event.entry.kind), credential->name);
    json.member("because", credential->because);
  } else if (store::is_of_many(event.entry.kind)) {
    json.member("recipients", event.entry.recipients);
    id_or_null(json, "job_id", event.entry.job);
  } else {
    id_or_null(json, "maillog_id", event.log_id);
    text_or_null(json, "email", event.address);
    text_or_null(json, "reference", event.attached.reference);
    json.key("metadata");
    write_metadata(json, event.attached.metadata);
    if (store::has_outcome(event.entry.kind)) outcome_members(json, event);
    if (event.entry.kind == store::EventKind::opened) {
      json.member("opened_by", to_string(event.entry.opened_by));
    }
  }
  json.end_object();
}

}  // namespace todoku::api
