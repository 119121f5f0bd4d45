// SPDX-License-Identifier: Apache-2.0
#include "api/admin/causes_json.h"

#include "base/date_time.h"
#include "explain/causes.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

void add_cause(http::JsonWriter& json, const explain::Causes& causes,
               const explain::CauseLine& line, Language language) {
  const explain::ToldCause told = explain::told_cause(causes, line, language);
  json.begin_object();
  json.member("site", line.site);
  json.member("state", to_string(line.state));
  json.member("cause", to_string(line.cause));
  json.member("mails", line.mails);
  if (told.share) json.member("share", *told.share / 1'000);
  json.member("meaning", told.meaning);
  json.member("action", told.action);
  json.member("whose", told.whose);
  if (line.sample && told.answered) {
    json.key("sample");
    json.begin_object();
    json.member("account", line.sample->account);
    json.member("delivery_id", line.sample->delivery_id);
    json.member("email_id", line.sample->email_id);
    json.member("email", line.sample->address);
    json.member("at", format_date_time(*told.answered));
    json.member("answer", told.answer);
    json.end_object();
  }
  json.end_object();
}

void add_delivery(http::JsonWriter& json, const store::Delivery& delivery) {
  json.key("delivery");
  json.begin_object();
  json.member("delivery_id", delivery.id);
  json.member("total", delivery.counts.total);
  json.member("delivered", delivery.counts.delivered);
  json.member("bounced", delivery.counts.bounced);
  json.member("dropped", delivery.counts.dropped);
  json.member("expired", delivery.counts.expired);
  json.member("cancelled", delivery.counts.cancelled);
  json.member("unknown", delivery.counts.unknown);
  json.member("open", delivery.counts.total - delivery.counts.terminal());
  json.end_object();
}

}  // namespace

std::string causes_json(const operate::ExplainedCauses& told, Language language) {
  http::JsonWriter json;
  json.begin_object();
  json.member("text", told.text);
  if (told.delivery) add_delivery(json, *told.delivery);
  if (told.site) json.member("site", *told.site);
  if (told.since) json.member("since", format_date_time(*told.since));
  if (told.until) json.member("until", format_date_time(*told.until));
  json.member("more", told.causes.more);
  json.key("sites");
  json.begin_array();
  for (const explain::SiteSum& sum : told.causes.sites) {
    json.begin_object();
    json.member("site", sum.site);
    json.member("ended", sum.ended);
    json.member("delivered", sum.delivered);
    json.end_object();
  }
  json.end_array();
  json.key("causes");
  json.begin_array();
  for (const explain::CauseLine& line : told.causes.lines) {
    add_cause(json, told.causes, line, language);
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
