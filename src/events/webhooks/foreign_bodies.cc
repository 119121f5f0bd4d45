// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/foreign_bodies.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/date_time.h"
#include "base/utf8.h"
#include "events/webhooks/bodies.h"
#include "mail/delivery_uuid.h"
#include "mail/reply.h"

namespace todoku::events::webhooks {
namespace {

using http::JsonWriter;
using store::WebhookForm;

struct ServiceWord {
  ToldKind kind;
  std::string_view sendgrid;  // empty: it has none
  std::string_view postmark;
  std::string_view resend;
};

// SendGrid: "Event Webhook Reference", delivery and engagement events. Postmark: "Webhooks
// overview"; it tells neither of mail that it takes nor of what is tried again. Resend: "Event
// Types", whose bounces are also those that its list of suppressed addresses keeps from being sent.
constexpr std::array kServiceWords = std::to_array<ServiceWord>({
    {ToldKind::accepted, "processed", "", "email.sent"},
    {ToldKind::sent, "delivered", "Delivery", "email.delivered"},
    {ToldKind::deferred, "deferred", "", "email.delivery_delayed"},
    {ToldKind::hard_error, "bounce", "Bounce", "email.bounced"},
    {ToldKind::soft_error, "bounce", "Bounce", "email.bounced"},
    {ToldKind::expired, "bounce", "Bounce", "email.bounced"},
    {ToldKind::dropped, "dropped", "", "email.bounced"},
    {ToldKind::opened, "open", "Open", "email.opened"},
    {ToldKind::complained, "spamreport", "SpamComplaint", "email.complained"},
    {ToldKind::unsubscribed, "unsubscribe", "SubscriptionChange", ""},
});

std::string_view message_of(const ToldEvent& event) {
  return utf8_prefix(event.message, kMessageOctetsMax);
}

std::string_view subject_of(const ToldEvent& event) {
  return utf8_prefix(event.delivery->subject, kSubjectOctetsMax);
}

// The receiver's whole reply; where there was none, our words.
std::string reply_of(const ToldEvent& event) {
  if (event.code == 0) return std::string(message_of(event));
  return fmt::format("{} {}", event.code, message_of(event));
}

// A tag "name:value" is one of the pairs that these services attach to a mail (Resend's and SES's
// doors take theirs so, api/doors/letter.h); any other is a word.
std::optional<std::pair<std::string_view, std::string_view>> pair_of(std::string_view tag) {
  const std::size_t colon = tag.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  return std::pair(tag.substr(0, colon), tag.substr(colon + 1));
}

// What came with the recipient as metadata (mail/attached.h), then the tags that are pairs. The
// first of a name counts: an object has a member once.
std::vector<std::pair<std::string_view, std::string_view>> pairs_of(const ToldEvent& event) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const MetadataMember& member : event.attached.metadata) {
    pairs.emplace_back(member.name, member.value);
  }
  const std::size_t most = pairs.size() + kTagsMax;
  for (const std::string& tag : event.delivery->labels.tags) {
    if (pairs.size() == most) break;
    const auto pair = pair_of(tag);
    if (!pair) continue;
    const bool is_there =
        std::ranges::any_of(pairs, [&](const auto& other) { return other.first == pair->first; });
    if (!is_there) pairs.push_back(*pair);
  }
  return pairs;
}

std::vector<std::string_view> words_of(const ToldEvent& event) {
  std::vector<std::string_view> words;
  for (const std::string& tag : event.delivery->labels.tags) {
    if (words.size() < kTagsMax && !pair_of(tag)) words.push_back(tag);
  }
  return words;
}

void write_pairs(JsonWriter& json, std::string_view name, const ToldEvent& event) {
  json.key(name);
  json.begin_object();
  for (const auto& [key, value] : pairs_of(event)) json.member(key, value);
  json.end_object();
}

// ---- SendGrid -----------------------------------------------------------------------------------

// Its "bounce classification" of a receiver's answer.
std::string_view classification_of(Cause cause) {
  switch (cause) {
    case Cause::mailbox:
    case Cause::bad_address:
    case Cause::moved:
    case Cause::no_such_domain:
    case Cause::null_mx:
      return "Invalid Address";
    case Cause::mailbox_full:
    case Cause::mailbox_disabled:
    case Cause::mailbox_busy:
      return "Mailbox Unavailable";
    case Cause::reputation:
    case Cause::authentication:
    case Cause::dmarc:
    case Cause::spf:
    case Cause::dkim:
    case Cause::reverse_dns:
      return "Reputation";
    case Cause::content:
    case Cause::size:
    case Cause::form:
      return "Content";
    case Cause::rate:
    case Cause::unsolicited:
    case Cause::too_many_recipients:
      return "Frequency or Volume Too High";
    case Cause::unreachable:
    case Cause::silence:
    case Cause::connection_lost:
    case Cause::tls_failed:
    case Cause::dns_failed:
    case Cause::protocol:
    case Cause::receiver_trouble:
      return "Technical Failure";
    default:
      return "Unclassified";
  }
}

// RFC 3463: the receiver's, or the class of the failure and nothing more.
std::string status_of(const ToldEvent& event) {
  if (const auto status = parse_enhanced_status(event.message)) {
    return status->to_string();
  }
  return event.kind == ToldKind::hard_error ? "5.0.0" : "4.0.0";
}

// What was given up after temporary failures is a bounce of the type "blocked": its address is not
// at fault, and clients take none of these off their lists.
void write_sendgrid_outcome(JsonWriter& json, const ToldEvent& event) {
  switch (event.kind) {
    case ToldKind::sent:
      json.member("response", reply_of(event));
      break;
    case ToldKind::deferred:
      json.member("response", reply_of(event));
      json.member("attempt", fmt::format("{}", event.attempt));  // a text, as the reference has it
      break;
    case ToldKind::hard_error:
    case ToldKind::soft_error:
    case ToldKind::expired:
      json.member("reason", reply_of(event));
      json.member("status", status_of(event));
      json.member("type", event.kind == ToldKind::hard_error ? "bounce" : "blocked");
      json.member("bounce_classification", classification_of(event.cause));
      break;
    case ToldKind::dropped:
      json.member("reason", event.message.empty() ? std::string("Bounced Address")
                                                  : std::string(message_of(event)));
      break;
    case ToldKind::opened:
      json.member("sg_machine_open", event.by_machine);
      break;
    default:
      break;
  }
}

// Its unique arguments (metadata, or tags) are members of the event, beside its own, which they
// never replace.
bool is_sendgrids(std::string_view name) {
  constexpr std::array kOwn = std::to_array<std::string_view>(
      {"email", "timestamp", "event", "category", "sg_event_id", "sg_message_id", "smtp-id",
       "response", "attempt", "reason", "status", "type", "bounce_classification",
       "sg_machine_open", "ip", "useragent", "url", "asm_group_id", "tls"});
  return std::ranges::find(kOwn, name) != kOwn.end();
}

void write_sendgrid(JsonWriter& json, std::string_view type, const ToldEvent& event) {
  json.begin_object();
  json.member("email", event.email);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(event.at.time_since_epoch());
  json.member("timestamp", static_cast<std::int64_t>(seconds.count()));
  json.member("event", type);
  if (const auto words = words_of(event); !words.empty()) {
    json.key("category");
    json.begin_array();
    for (const std::string_view word : words) json.value(word);
    json.end_array();
  }
  json.member("sg_event_id", event.id);
  // What its door answers as X-Message-Id, a dot, and what tells recipients apart.
  json.member("sg_message_id",
              fmt::format("{}.{}", delivery_uuid(event.delivery->id), event.email_id.value_or(0)));
  write_sendgrid_outcome(json, event);
  for (const auto& [name, value] : pairs_of(event)) {
    if (!is_sendgrids(name)) json.member(name, value);
  }
  json.end_object();
}

// ---- Postmark -----------------------------------------------------------------------------------

// The only stream and the only server that there are ("MessageStream", "ServerID").
constexpr std::string_view kStream = "outbound";
constexpr int kServer = 1;

struct BounceType {
  std::string_view type;
  int code;
  std::string_view name;
};

// "Bounce types" of its Bounce API; the code of a complaint is that of its webhook's example.
BounceType postmark_bounce(const ToldEvent& event) {
  if (event.kind == ToldKind::complained) return {"SpamComplaint", 512, "Spam complaint"};
  if (event.kind == ToldKind::hard_error) return {"HardBounce", 1, "Hard bounce"};
  return {"SoftBounce", 4096, "Soft bounce"};
}

// Of a bounce, and of a complaint, which has the same members. `Inactive`: the address is not to be
// written to again.
void write_postmark_bounce(JsonWriter& json, const ToldEvent& event) {
  const BounceType type = postmark_bounce(event);
  const bool is_final = event.kind != ToldKind::soft_error && event.kind != ToldKind::expired;
  json.member("ID", event.email_id.value_or(0));
  json.member("Type", type.type);
  json.member("TypeCode", type.code);
  json.member("Name", type.name);
  json.member("Description", "");
  json.member("Details", reply_of(event));
  json.member("Email", event.email);
  json.member("From", event.from.address);
  json.member("BouncedAt", format_utc(event.at));
  json.member("DumpAvailable", false);
  json.member("Inactive", is_final);
  json.member("CanActivate", event.kind != ToldKind::complained);
  json.member("Subject", subject_of(event));
}

void write_postmark_rest(JsonWriter& json, const ToldEvent& event) {
  switch (event.kind) {
    case ToldKind::sent:
      json.member("Recipient", event.email);
      json.member("DeliveredAt", format_utc(event.at));
      json.member("Details", reply_of(event));
      break;
    case ToldKind::opened:
      json.member("Recipient", event.email);
      json.member("ReceivedAt", format_utc(event.at));
      break;
    case ToldKind::unsubscribed:
      json.member("Recipient", event.email);
      json.member("ChangedAt", format_utc(event.at));
      json.member("Origin", "Recipient");
      json.member("SuppressSending", true);
      json.member("SuppressionReason", "ManualSuppression");
      break;
    default:
      write_postmark_bounce(json, event);
      break;
  }
}

void write_postmark(JsonWriter& json, std::string_view type, const ToldEvent& event) {
  json.begin_object();
  json.member("RecordType", type);
  json.member("MessageStream", kStream);
  json.member("ServerID", kServer);
  json.member("MessageID", delivery_uuid(event.delivery->id));
  const auto words = words_of(event);
  json.member("Tag", words.empty() ? std::string_view() : words.front());
  write_pairs(json, "Metadata", event);
  write_postmark_rest(json, event);
  json.end_object();
}

// ---- Resend -------------------------------------------------------------------------------------

// "Acme <mail@example.com>", which is how its events write a sender.
std::string written_sender(const Mailbox& from) {
  return from.name.empty() ? from.address : fmt::format("{} <{}>", from.name, from.address);
}

// "Email Bounces": the type says whether it is for good, the subtype why.
void write_resend_bounce(JsonWriter& json, const ToldEvent& event) {
  const bool is_final = event.kind == ToldKind::hard_error || event.kind == ToldKind::dropped;
  std::string_view subtype = "General";
  if (event.kind == ToldKind::dropped) subtype = "Suppressed";
  if (event.cause == Cause::mailbox_full) subtype = "MailboxFull";
  json.key("bounce");
  json.begin_object();
  json.member("message", reply_of(event));
  json.member("subType", subtype);
  json.member("type", is_final ? "Permanent" : "Transient");
  json.end_object();
}

void write_resend(JsonWriter& json, std::string_view type, const ToldEvent& event) {
  json.begin_object();
  json.member("type", type);
  json.member("created_at", format_utc(event.at));
  json.key("data");
  json.begin_object();
  json.member("created_at", format_utc(event.created.value_or(event.at)));
  json.member("email_id", delivery_uuid(event.delivery->id));
  json.member("from", written_sender(event.from));
  json.key("to");
  json.begin_array();
  json.value(event.email);
  json.end_array();
  json.member("subject", subject_of(event));
  if (type == "email.bounced") write_resend_bounce(json, event);
  if (const auto pairs = pairs_of(event); !pairs.empty()) write_pairs(json, "tags", event);
  json.end_object();
  json.end_object();
}

}  // namespace

std::optional<std::string_view> foreign_type(WebhookForm form, ToldKind kind) {
  for (const ServiceWord& each : kServiceWords) {
    if (each.kind != kind) continue;
    std::string_view word;
    if (form == WebhookForm::sendgrid) word = each.sendgrid;
    if (form == WebhookForm::postmark) word = each.postmark;
    if (form == WebhookForm::resend) word = each.resend;
    return word.empty() ? std::nullopt : std::optional(word);
  }
  return std::nullopt;
}

void write_foreign_event(JsonWriter& json, WebhookForm form, const ToldEvent& event) {
  const auto type = foreign_type(form, event.kind);
  check(type.has_value() && !event.email.empty(),
        "the service has a word for what is written in its form");
  if (form == WebhookForm::sendgrid) write_sendgrid(json, *type, event);
  if (form == WebhookForm::postmark) write_postmark(json, *type, event);
  if (form == WebhookForm::resend) write_resend(json, *type, event);
}

}  // namespace todoku::events::webhooks
