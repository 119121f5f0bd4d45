// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/forms.h"

#include "base/check.h"

namespace todoku::events::webhooks {

using store::WebhookForm;

std::optional<SecretKind> secret_kind(WebhookForm form, SecretKind asked) {
  switch (form) {
    case WebhookForm::standard:
      return asked;
    case WebhookForm::sendgrid:
      return SecretKind::ecdsa;
    case WebhookForm::resend:
      return SecretKind::hmac;
    case WebhookForm::contract:
    case WebhookForm::postmark:  // it knows user and password in the URL
      return std::nullopt;
  }
  return std::nullopt;
}

std::string body_of(WebhookForm form, std::span<const WrittenEvent* const> events) {
  check(!events.empty(), "a call tells something");
  if (form == WebhookForm::standard) return signed_body(events);
  if (form == WebhookForm::contract) return contract_body(events);
  if (tells_one_by_one(form)) {
    check(events.size() == 1, "the form tells events one by one");
    return events.front()->text;
  }
  http::JsonWriter json;
  json.begin_array();
  for (const WrittenEvent* event : events) json.raw(event->text);
  json.end_array();
  return json.take();
}

void sign_call(http::Headers& headers, WebhookForm form, std::span<const SigningSecret> secrets,
               const CallMark& mark, std::string_view body) {
  if (form == WebhookForm::standard) add_signature(headers, secrets, mark, body);
  if (form == WebhookForm::resend) add_signature(headers, secrets, mark, body, kSvixFields);
  if (form == WebhookForm::sendgrid) add_twilio_signature(headers, secrets, mark.at, body);
}

}  // namespace todoku::events::webhooks
