// SPDX-License-Identifier: Apache-2.0
#include "api/admin/personal_json.h"

#include "base/date_time.h"
#include "explain/time_text.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;

void add_instant(JsonWriter& json, std::string_view name, std::optional<Instant> instant) {
  if (instant) json.member(name, format_utc(*instant));
}

// The receiver's words as they were said.
void add_words(JsonWriter& json, const store::Attempt& attempt) {
  json.begin_object();
  json.member("number", attempt.number);
  json.member("at", format_utc(attempt.at));
  json.member("state", to_string(attempt.outcome.state));
  json.member("stage", to_string(attempt.outcome.stage));
  json.member("code", attempt.outcome.reply.code);
  json.member("answer", attempt.outcome.reply.text);
  json.member("host", attempt.path.mx_host);
  json.member("ip", attempt.path.remote_ip);
  json.member("source", attempt.path.egress_source);
  json.member("tls", to_string(attempt.path.tls));
  json.end_object();
}

void add_opens(JsonWriter& json, const store::OpenRecord& opens) {
  json.key("opens");
  json.begin_object();
  add_instant(json, "first", opens.opened);
  add_instant(json, "last", opens.opened_last);
  json.member("times", opens.times);
  add_instant(json, "prefetched", opens.prefetched);
  json.end_object();
}

void add_mail(JsonWriter& json, const operate::PersonalMail& mail) {
  const store::Story& story = mail.story;
  json.begin_object();
  json.member("account", story.account);
  json.member("delivery_id", story.delivery_id);
  json.member("email_id", story.email_id);
  json.member("delivery_type", contract_word(story.type));
  json.member("delivery_status", contract_word(story.delivery_status));
  json.member("address", story.address);
  json.member("from", story.from);
  json.member("subject", story.subject);
  json.member("state", to_string(story.state));
  add_instant(json, "created", story.created);
  add_instant(json, "reservation", story.reservation);
  add_instant(json, "started", story.started);
  add_instant(json, "due", story.due);
  json.member("purpose", to_string(purpose_of(mail.labels.purpose, story.type)));
  json.member("list_id", mail.labels.list_id);
  json.key("tags");
  json.begin_array();
  for (const std::string& tag : mail.labels.tags) json.value(tag);
  json.end_array();
  if (!mail.credential.empty()) json.member("smtp_credential", mail.credential);
  if (!story.attached.reference.empty()) json.member("reference", story.attached.reference);
  if (!story.attached.metadata.empty()) {
    json.key("metadata");
    write_metadata(json, story.attached.metadata);
  }
  if (!story.attached.message_id.empty()) json.member("message_id", story.attached.message_id);
  json.key("insert_codes");
  json.begin_array();
  for (const InsertCode& code : mail.insert_codes) {
    json.begin_object();
    json.member("key", code.key);
    json.member("value", code.value);
    json.end_object();
  }
  json.end_array();
  json.key("attempts");
  json.begin_array();
  for (const store::Attempt& attempt : story.attempts) add_words(json, attempt);
  for (const store::Attempt& delay : story.delays) add_words(json, delay);
  json.end_array();
  if (mail.opens && (mail.opens->opened || mail.opens->prefetched)) add_opens(json, *mail.opens);
  if (mail.opens && mail.opens->complained) add_instant(json, "complained", mail.opens->complained);
  json.end_object();
}

void add_stop(JsonWriter& json, const operate::PersonalStop& stop) {
  const store::Suppression& entry = stop.entry;
  json.begin_object();
  json.member("account", stop.account);
  json.member("email", entry.subject);
  json.member("reason", to_string(entry.reason));
  json.member("scope", to_string(entry.scope));
  json.member("list_id", entry.list_id);
  json.member("note", entry.note);
  json.member("code", entry.cause.code);
  json.member("answer", entry.cause.text);
  add_instant(json, "error_at", entry.cause.at);
  add_instant(json, "created", entry.created);
  add_instant(json, "updated", entry.updated);
  add_instant(json, "expires", entry.expires);
  json.end_object();
}

void add_removal(JsonWriter& json, const operate::PersonalRemoval& removal) {
  json.begin_object();
  json.member("account", removal.account);
  json.member("reason", to_string(removal.change.reason));
  json.member("list_id", removal.change.list_id);
  json.member("why", removal.change.why);
  json.member("actor", removal.change.actor);
  add_instant(json, "at", removal.change.at);
  json.end_object();
}

}  // namespace

std::string personal_json(const operate::PersonalPage& page) {
  JsonWriter json;
  json.begin_object();
  json.member("email", page.address);
  json.key("mails");
  json.begin_array();
  for (const operate::PersonalMail& mail : page.mails) add_mail(json, mail);
  json.end_array();
  json.key("suppressions");
  json.begin_array();
  for (const operate::PersonalStop& stop : page.stops) add_stop(json, stop);
  json.end_array();
  json.key("removed");
  json.begin_array();
  for (const operate::PersonalRemoval& removal : page.removals) add_removal(json, removal);
  json.end_array();
  if (!page.next.empty()) json.member("next", page.next);
  json.end_object();
  return json.take();
}

std::string erasure_json(const operate::Erasure& erasure) {
  JsonWriter json;
  json.begin_object();
  json.member("email", erasure.address);
  json.member("erased", erasure.erased);
  json.member("stopped", erasure.stopped);
  json.member("contents_erased", erasure.contents_erased);
  json.member("contents_kept", erasure.contents_kept);
  json.key("on_their_way");
  json.begin_array();
  for (const operate::MailOnItsWay& mail : erasure.on_their_way) {
    json.begin_object();
    json.member("account", mail.account);
    json.member("delivery_id", mail.delivery_id);
    json.member("email_id", mail.email_id);
    json.member("state", to_string(mail.state));
    json.member("others_wait", mail.others_wait);
    json.end_object();
  }
  json.end_array();
  json.member("suppressions_hashed", erasure.stops.hashed);
  json.member("suppressions_removed", erasure.stops.removed);
  json.member("removals_hashed", erasure.stops.removals);
  json.member("exports_removed", erasure.exports);
  if (!erasure.next.empty()) json.member("next", erasure.next);
  json.end_object();
  return json.take();
}

std::string audit_json(const operate::AuditPage& page, std::chrono::minutes offset) {
  JsonWriter json;
  json.begin_object();
  json.key("audit");
  json.begin_array();
  for (const operate::AuditLine& line : page.lines) {
    json.begin_object();
    add_instant(json, "at", line.entry.at);
    json.member("at_text", explain::time_text(line.entry.at, offset));
    json.member("actor", line.entry.actor);
    json.member("action", line.entry.action);
    json.member("account", line.account);
    if (line.entry.delivery != 0) json.member("delivery_id", line.entry.delivery);
    if (line.entry.email != 0) json.member("email_id", line.entry.email);
    json.member("origin", line.entry.origin);
    json.end_object();
  }
  json.end_array();
  if (page.next != 0) json.member("next", page.next);
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
