// SPDX-License-Identifier: Apache-2.0
#include "api/webhook_json.h"

#include <string>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/webhook_request.h"
#include "base/date_time.h"

namespace todoku::api {
namespace {

void write_words(http::JsonWriter& json, std::string_view name,
                 const std::vector<std::string>& words) {
  json.key(name);
  json.begin_array();
  for (const std::string& word : words) json.value(std::string_view(word));
  json.end_array();
}

}  // namespace

void write_webhook(http::JsonWriter& json, const events::endpoints::EndpointView& view) {
  const store::Webhook& webhook = view.webhook;
  const store::WebhookWishes& wishes = webhook.terms.wishes;
  json.member("webhook", webhook.name);
  json.member("url", webhook.terms.shown);
  json.member("form", to_string(webhook.form));
  json.member("status", to_string(webhook.status));
  date_or_null(json, "failing_since", view.failing_since);
  write_words(json, "kinds", wishes.kinds);
  write_words(json, "tags", wishes.tags);
  write_words(json, "domains", wishes.domains);
  write_words(json, "purposes", wishes.purposes);
  json.member("insert_codes", wishes.insert_codes);
  json.member("single", wishes.single);
  json.member("refused", static_cast<std::int64_t>(view.parked));
  json.member("replays", static_cast<std::int64_t>(view.replays));
  text_or_null(json, "public_key", view.public_key);
  json.key("old_secrets_until");
  json.begin_array();
  for (const Instant until : view.old_secrets_until) {
    json.value(std::string_view(format_date_time(until)));
  }
  json.end_array();
  json.member("created_time", format_date_time(webhook.created));
  json.member("updated_time", format_date_time(webhook.changed));
}

void write_webhook_call(http::JsonWriter& json, const events::webhooks::RecentCall& call,
                        bool with_bodies) {
  json.begin_object();
  json.member("time", format_date_time(call.at));
  text_or_null(json, "id", call.id);
  json.member("type", call.type);
  json.member("events", static_cast<std::int64_t>(call.events));
  text_or_null(json, "request", with_bodies ? std::string_view(call.request) : "");
  if (call.status == 0) {
    json.null_member("status");
  } else {
    json.member("status", call.status);
  }
  text_or_null(json, "answer", with_bodies ? std::string_view(call.answer) : "");
  text_or_null(json, "failure", call.failure);
  json.member("took_ms", static_cast<std::int64_t>(call.took.count()));
  json.end_object();
}

}  // namespace todoku::api
