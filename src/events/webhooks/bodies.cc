// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/bodies.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/date_time.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "events/webhooks/foreign_bodies.h"
#include "mail/labels.h"

namespace todoku::events::webhooks {
namespace {

using http::JsonWriter;

// The code of a drop is always this text (blastengine-api.md section 5.2).
constexpr std::string_view kDropCode = "554(errors)";

// Receivers of the contract's form expect a code. Where no reply came, it is the one that stands
// for the kind of the failure and claims nothing more (RFC 5321 section 4.2.3).
std::string contract_code(const ToldEvent& event) {
  if (event.kind == ToldKind::dropped) return std::string(kDropCode);
  if (event.code > 0) return fmt::format("{}", event.code);
  return event.kind == ToldKind::hard_error ? "550" : "451";
}

std::size_t octets_of_codes(const ToldEvent& event) {
  std::size_t octets = 0;
  for (const auto& [key, value] : event.insert_codes) octets += key.size() + value.size();
  return octets;
}

bool tells_codes(const ToldEvent& event) {
  return !event.insert_codes.empty() && octets_of_codes(event) <= kInsertCodesOctetsMax;
}

void write_codes(JsonWriter& json, const ToldEvent& event) {
  if (!tells_codes(event)) return;
  json.key("insert_codes");
  json.begin_array();
  for (const auto& [key, value] : event.insert_codes) {
    json.begin_object();
    json.member("key", key);
    json.member("value", value);
    json.end_object();
  }
  json.end_array();
}

void write_contract_event(JsonWriter& json, const ToldEvent& event) {
  const auto type = contract_type(event);
  check(type.has_value(), "the contract has a word for what is written in its form");
  const std::string_view words = event.explanation.empty() ? event.message : event.explanation;
  json.begin_object();
  json.key("event");
  json.begin_object();
  json.member("type", *type);
  json.member("datetime", format_date_time(event.at));
  json.key("detail");
  json.begin_object();
  json.member("mailaddress", event.email);
  json.member("subject", utf8_prefix(event.delivery->subject, kSubjectOctetsMax));
  json.member("error_code", contract_code(event));
  json.member("error_message", utf8_prefix(words, kMessageOctetsMax));
  json.member("delivery_id", event.delivery->id);
  write_codes(json, event);
  json.end_object();
  json.end_object();
  json.end_object();
}

void write_counts(JsonWriter& json, const store::DeliveryCounts& counts) {
  json.key("counts");
  json.begin_object();
  json.member("total", counts.total);
  json.member("sent", counts.delivered);
  json.member("hard_error", counts.bounced);
  json.member("dropped", counts.dropped);
  json.member("expired", counts.expired);
  json.member("cancelled", counts.cancelled);
  json.member("unknown", counts.unknown);
  json.member("deferred", counts.deferred);
  json.end_object();
}

void write_recipient(JsonWriter& json, const ToldEvent& event) {
  if (event.email.empty()) return;
  json.member("email", event.email);
  if (event.email_id) json.member("email_id", *event.email_id);
  if (event.maillog_id) json.member("maillog_id", *event.maillog_id);
  if (event.attempt > 0) json.member("attempt", event.attempt);
  if (event.code > 0) json.member("code", event.code);
  if (!event.message.empty()) {
    json.member("message", utf8_prefix(event.message, kMessageOctetsMax));
  }
  if (event.cause != Cause::none) json.member("cause", to_string(event.cause));
  if (!event.attached.reference.empty()) json.member("reference", event.attached.reference);
  if (!event.attached.metadata.empty()) {
    json.key("metadata");
    write_metadata(json, event.attached.metadata);
  }
  write_codes(json, event);
}

std::size_t octets_of(std::span<const WrittenEvent* const> events) {
  std::size_t octets = 100;  // around them
  for (const WrittenEvent* event : events) octets += webhooks::octets_of(*event);
  return octets;
}

}  // namespace

std::optional<std::string_view> contract_type(const ToldEvent& event) {
  if (event.delivery->type == DeliveryType::smtp || event.email.empty()) return std::nullopt;
  switch (event.kind) {
    case ToldKind::hard_error:
      return contract_word(RecipientState::bounced);
    case ToldKind::soft_error:
    case ToldKind::expired:
      return contract_word(RecipientState::expired);
    case ToldKind::dropped:
      return contract_word(RecipientState::dropped);
    default:
      return std::nullopt;
  }
}

WrittenEvent EventWriter::write(ToldEvent event) {
  constexpr std::size_t kUsual = 512;  // octets
  JsonWriter json;
  json.reserve(kUsual);
  if (form_ == store::WebhookForm::contract) {
    write_contract_event(json, event);
  } else if (form_ == store::WebhookForm::standard) {
    write_signed(json, event);
  } else {
    write_foreign_event(json, form_, event);
  }
  return {.id = std::move(event.id),
          .kind = event.kind,
          .at = event.at,
          .has_codes = tells_codes(event),
          .text = json.take()};
}

// The members of one event's object; the brackets are the body's.
void EventWriter::write_signed(JsonWriter& json, const ToldEvent& event) {
  if (const std::string& shared = shared_text(event); !shared.empty()) {
    json.raw(shared);
  } else {
    begin_signed(json, event);
  }
  write_recipient(json, event);
  if (event.counts) write_counts(json, *event.counts);
  if (!event.credential.empty()) {
    json.member("credential", event.credential);
    json.member("because", utf8_prefix(event.because, kMessageOctetsMax));
  }
  if (!event.domain.empty()) {
    json.member("domain", event.domain);
    json.member("because", utf8_prefix(event.because, kMessageOctetsMax));
  }
  if (!event.limit.empty()) {
    json.member("limit", event.limit);
    json.member("because", utf8_prefix(event.because, kMessageOctetsMax));
  }
  if (!event.rates_of.empty()) {
    json.member("rates_of", event.rates_of);
    json.member("because", utf8_prefix(event.because, kMessageOctetsMax));
  }
  json.end_object();
}

void EventWriter::begin_signed(JsonWriter& json, const ToldEvent& event) {
  json.member("type", type_of(event.kind));
  json.member("timestamp", format_utc(event.at));
  json.key("data");
  json.begin_object();
  if (const std::string& members = members_of(event.delivery); !members.empty()) json.raw(members);
}

// Those of one commit that are of one kind and delivery begin alike. Empty: of no delivery, where
// nothing stands behind the bracket yet.
const std::string& EventWriter::shared_text(const ToldEvent& event) {
  const bool is_same = !shared_.empty() && event.delivery == last_ && event.kind == shared_kind_ &&
                       event.at == shared_at_;
  if (is_same) return shared_;
  shared_.clear();
  if (members_of(event.delivery).empty()) return shared_;
  JsonWriter json;
  begin_signed(json, event);
  shared_ = json.take();
  shared_kind_ = event.kind;
  shared_at_ = event.at;
  return shared_;
}

const std::string& EventWriter::members_of(
    const std::shared_ptr<const store::EventDelivery>& delivery) {
  if (delivery == last_) return last_members_;
  last_ = delivery;
  JsonWriter json;
  if (delivery->id != 0) {
    json.member("delivery_id", delivery->id);
    json.member("delivery_type", contract_word(delivery->type));
    json.member("subject", utf8_prefix(delivery->subject, kSubjectOctetsMax));
    if (delivery->sandbox) json.member("sandbox", true);
    const Labels& labels = delivery->labels;
    json.member("purpose", to_string(purpose_of(labels.purpose, delivery->type)));
    if (!labels.list_id.empty()) json.member("list_id", labels.list_id);
    json.key("tags");
    json.begin_array();
    for (std::size_t i = 0; i < std::min(kTagsMax, labels.tags.size()); ++i) {
      json.value(std::string_view(labels.tags[i]));
    }
    json.end_array();
  }
  last_members_ = json.take();
  return last_members_;
}

std::size_t octets_of(const WrittenEvent& event) {
  constexpr std::size_t kAround = 16;  // brackets, commas, the name of its id
  return event.text.size() + event.id.size() + kAround;
}

std::string contract_body(std::span<const WrittenEvent* const> events) {
  JsonWriter json;
  json.reserve(octets_of(events));
  json.begin_object();
  json.key("events");
  json.begin_array();
  for (const WrittenEvent* event : events) json.raw(event->text);
  json.end_array();
  json.end_object();
  return json.take();
}

std::string signed_body(std::span<const WrittenEvent* const> events) {
  check(!events.empty(), "a call tells something");
  JsonWriter json;
  json.reserve(octets_of(events));
  json.begin_object();
  if (events.size() == 1) {
    json.raw(events.front()->text);
    json.end_object();
    return json.take();
  }
  json.member("type", "events.batch");
  json.member("timestamp", format_utc(events.front()->at));
  json.key("data");
  json.begin_object();
  json.key("events");
  json.begin_array();
  for (const WrittenEvent* event : events) {
    json.begin_object();
    json.member("id", event->id);
    json.raw(event->text);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_object();
  return json.take();
}

std::string call_id(std::span<const WrittenEvent* const> events) {
  check(!events.empty(), "a call tells something");
  if (events.size() == 1) return events.front()->id;
  std::string all;
  all.reserve(events.size() * (events.front()->id.size() + 1));
  for (const WrittenEvent* event : events) all.append(event->id).append("\n");
  return "batch_" + sha256_hex(all).substr(0, 32);
}

}  // namespace todoku::events::webhooks
