// SPDX-License-Identifier: Apache-2.0
// What the forms of a webhook differ in: how a call's body is put together, how it is signed, and
// how many events it holds (docs/webhooks.md). Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/webhooks/bodies.h"
#include "events/webhooks/signature.h"
#include "http/headers.h"
#include "store/webhooks.h"

namespace todoku::events::webhooks {

// Another service's.
[[nodiscard]] constexpr bool is_foreign(store::WebhookForm form) {
  return form == store::WebhookForm::sendgrid || form == store::WebhookForm::postmark ||
         form == store::WebhookForm::resend;
}
[[nodiscard]] constexpr bool tells_one_by_one(store::WebhookForm form) {
  return form == store::WebhookForm::postmark || form == store::WebhookForm::resend;
}
// Its calls have an id of their own.
[[nodiscard]] constexpr bool has_call_id(store::WebhookForm form) {
  return form == store::WebhookForm::standard || form == store::WebhookForm::resend;
}
// Programs that know the others answer no challenge.
[[nodiscard]] constexpr bool is_challenged(store::WebhookForm form) {
  return form == store::WebhookForm::standard;
}

// What its calls are signed with; nullopt: they are not. `asked`: of the form that leaves a choice.
[[nodiscard]] std::optional<SecretKind> secret_kind(store::WebhookForm form, SecretKind asked);

// Of a form that tells one by one, of one event.
[[nodiscard]] std::string body_of(store::WebhookForm form,
                                  std::span<const WrittenEvent* const> events);

// Nothing where it is not signed. `mark.id` may be empty where has_call_id() is false.
void sign_call(http::Headers& headers, store::WebhookForm form,
               std::span<const SigningSecret> secrets, const CallMark& mark, std::string_view body);

}  // namespace todoku::events::webhooks
