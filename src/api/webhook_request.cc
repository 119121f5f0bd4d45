// SPDX-License-Identifier: Apache-2.0
#include "api/webhook_request.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "api/fields.h"
#include "base/bytes.h"
#include "events/webhooks/forms.h"
#include "events/webhooks/told_of.h"
#include "intake/field_digest.h"
#include "mail/address.h"
#include "mail/labels.h"
#include "store/event_sheet.h"

namespace todoku::api {
namespace {

using events::endpoints::EndpointChange;
using events::endpoints::NewEndpoint;
using events::endpoints::ReplayOrder;
using store::WebhookForm;

// Reads the lists of words by which events are chosen.
class Wishes {
 public:
  Wishes(const boost::json::object& object, intake::Problems& problems)
      : object_(object), problems_(problems), fields_(object, {}, problems) {}

  // Words of types of events.
  [[nodiscard]] std::vector<std::string> kinds() const {
    const auto is_one = [](std::string& word) {
      const auto told = events::webhooks::kind_of(word);
      return told && events::webhooks::stored_kind(*told);
    };
    return words("kinds", kWebhookKindsMax, is_one, [](const std::string& word) {
      return intake::texts::not_one_of(word, events::webhooks::type_words());
    });
  }
  [[nodiscard]] std::vector<std::string> tags() const {
    return words("tags", kTagsMax, [](std::string& tag) {
      return !tag.empty() && is_utf8(tag) && utf8_length(tag) <= kTagCharactersMax;
    });
  }
  [[nodiscard]] std::vector<std::string> domains() const {
    return words("domains", kWebhookDomainsMax, [](std::string& domain) {
      auto ascii = to_ascii_domain(domain);
      if (!ascii) return false;
      domain = std::move(*ascii);
      return true;
    });
  }
  [[nodiscard]] std::vector<std::string> purposes() const {
    const auto is_one = [](std::string& word) {
      const auto purpose = parse_purpose(word);
      return purpose && *purpose != Purpose::by_type;
    };
    return words("purposes", kWebhookPurposesMax, is_one, [](const std::string& word) {
      return intake::texts::not_one_of(word, "advertisement, notice, transactional");
    });
  }
  [[nodiscard]] bool has(std::string_view name) const {
    const auto* const value = object_.if_contains(name);
    return value != nullptr && !value->is_null();
  }

 private:
  // `good` may put a word into its canonical form. Of a member of a wrong type only that is told.
  template <class Good, class Why = decltype(&intake::texts::invalid_format)>
  [[nodiscard]] std::vector<std::string> words(std::string_view name, std::size_t words_max,
                                               Good good,
                                               Why why = &intake::texts::invalid_format) const {
    const std::size_t before = problems_.list().size();
    std::vector<std::string> words = fields_.texts(name, words_max);
    if (problems_.list().size() > before) return words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (!good(words[i])) problems_.add({std::string(name), std::to_string(i)}, why(words[i]));
    }
    return words;
  }

  const boost::json::object& object_;
  intake::Problems& problems_;
  const Fields fields_;
};

constexpr std::string_view kFormWords = "standard, contract, sendgrid, postmark, resend";

std::optional<WebhookForm> webhook_form(std::string_view word) {
  for (const WebhookForm form :
       {WebhookForm::standard, WebhookForm::contract, WebhookForm::sendgrid, WebhookForm::postmark,
        WebhookForm::resend}) {
    if (word == to_string(form)) return form;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(WebhookForm form) {
  switch (form) {
    case WebhookForm::standard:
      return "standard";
    case WebhookForm::contract:
      return "contract";
    case WebhookForm::sendgrid:
      return "sendgrid";
    case WebhookForm::postmark:
      return "postmark";
    case WebhookForm::resend:
      return "resend";
  }
  return "";
}

std::string_view to_string(store::WebhookStatus status) {
  switch (status) {
    case store::WebhookStatus::active:
      return "active";
    case store::WebhookStatus::failing:
      return "failing";
    case store::WebhookStatus::disabled:
      return "disabled";
  }
  return "";
}

NewEndpoint read_new_webhook(const boost::json::object& object, intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  const Wishes wishes(object, problems);
  NewEndpoint wanted;
  auto url = fields.text("url");
  if (!wishes.has("url")) problems.add({"url"}, intake::texts::required());
  wanted.url = SecretText(std::move(url).value_or(""));
  const std::string form = fields.text("form").value_or("standard");
  if (const auto known = webhook_form(form)) {
    wanted.form = *known;
  } else {
    problems.add({"form"}, intake::texts::not_one_of(form, kFormWords));
  }
  if (events::webhooks::is_foreign(wanted.form) && wishes.has("signature")) {
    problems.add({"signature"}, {"is chosen for the form standard alone.",
                                 "選べるのはform standardの場合だけです。"});
  }
  if (events::webhooks::is_foreign(wanted.form) && fields.truth("insert_codes").value_or(false)) {
    problems.add({"insert_codes"}, {"has no place in this form.", "このformでは通知できません。"});
  }
  const std::string signature = fields.text("signature").value_or("hmac");
  if (signature == "ed25519") {
    wanted.kind = events::webhooks::SecretKind::ed25519;
  } else if (signature != "hmac") {
    problems.add({"signature"}, intake::texts::not_one_of(signature, "hmac, ed25519"));
  }
  wanted.wishes.insert_codes = fields.truth("insert_codes").value_or(false);
  wanted.wishes.single = fields.truth("single").value_or(false);
  wanted.wishes.kinds = wishes.kinds();
  wanted.wishes.tags = wishes.tags();
  wanted.wishes.domains = wishes.domains();
  wanted.wishes.purposes = wishes.purposes();
  return wanted;
}

Sha256 fingerprint_of(const NewEndpoint& request) {
  const auto& [url, form, kind, wishes] = request;
  const auto& [kinds, tags, domains, purposes, insert_codes, single] = wishes;
  intake::FieldDigest digest("webhook");
  digest.field("url", url.view());
  digest.field("contract", form == WebhookForm::contract);
  // Only then: of the others it is what versions have made that knew no more.
  if (events::webhooks::is_foreign(form)) digest.field("form", to_string(form));
  digest.field("ed25519", kind == events::webhooks::SecretKind::ed25519);
  digest.field("kinds", kinds);
  digest.field("tags", tags);
  digest.field("domains", domains);
  digest.field("purposes", purposes);
  digest.field("insert_codes", insert_codes);
  digest.field("single", single);
  return digest.finish();
}

Sha256 fingerprint_of(std::string_view webhook, Milliseconds overlap) {
  intake::FieldDigest digest("webhook secret");
  digest.field("webhook", webhook);
  digest.field("overlap", std::optional(overlap));
  return digest.finish();
}

Sha256 fingerprint_of(std::string_view webhook, const ReplayOrder& order) {
  const auto& [from, delivery, events, set_aside] = order;
  intake::FieldDigest digest("webhook replay");
  digest.field("webhook", webhook);
  digest.field("from", from);
  digest.field("delivery", delivery);
  digest.field("events", events);
  digest.field("set_aside", set_aside);
  return digest.finish();
}

EndpointChange read_webhook_change(const boost::json::object& object, intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  const Wishes wishes(object, problems);
  EndpointChange change;
  if (auto url = fields.text("url")) change.url = SecretText(std::move(*url));
  change.enabled = fields.truth("enabled");
  change.insert_codes = fields.truth("insert_codes");
  change.single = fields.truth("single");
  if (wishes.has("kinds")) change.kinds = wishes.kinds();
  if (wishes.has("tags")) change.tags = wishes.tags();
  if (wishes.has("domains")) change.domains = wishes.domains();
  if (wishes.has("purposes")) change.purposes = wishes.purposes();
  return change;
}

namespace {

std::optional<std::int64_t> whole_number_of(const boost::json::object& object,
                                            std::string_view name, intake::Problems& problems) {
  const auto* const value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  problems.add({std::string(name)}, intake::texts::wrong_type("a number", "数値"));
  return std::nullopt;
}

}  // namespace

Milliseconds read_overlap(const boost::json::object& object, intake::Problems& problems) {
  const auto hours = whole_number_of(object, "overlap_hours", problems);
  if (!hours) return events::endpoints::kOverlapStandard;
  if (*hours < 0 || *hours > kOverlapHoursMax) {
    problems.add({"overlap_hours"}, intake::texts::invalid_format(std::to_string(*hours)));
  }
  return std::chrono::hours(std::clamp<std::int64_t>(*hours, 0, kOverlapHoursMax));
}

ReplayOrder read_replay(const boost::json::object& object, intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  ReplayOrder order;
  order.from = fields.date("from");
  order.delivery = whole_number_of(object, "delivery_id", problems);
  order.events = fields.texts("events", events::endpoints::kReplayedMax);
  order.set_aside = fields.truth("set_aside").value_or(false);
  if (!problems.empty()) return order;
  for (std::size_t i = 0; i < order.events.size(); ++i) {
    if (store::event_place(order.events[i])) continue;
    problems.add({"events", std::to_string(i)}, intake::texts::invalid_format(order.events[i]));
  }
  const int ways = (order.from || order.delivery ? 1 : 0) + (order.events.empty() ? 0 : 1) +
                   (order.set_aside ? 1 : 0);
  if (ways != 1) {
    problems.add({}, {"say what is to be told again: from, delivery_id, events or set_aside.",
                      "再送する対象を from、delivery_id、events、set_aside のいずれかで指定してくだ"
                      "さい。"});
  }
  return order;
}

}  // namespace todoku::api
