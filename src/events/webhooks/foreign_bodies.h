// SPDX-License-Identifier: Apache-2.0
// Events as other services tell of them, for programs that were written for those: SendGrid's Event
// Webhook, Postmark's webhooks, Resend's webhooks, each as its public reference describes it. What
// we do not know (a reader's client, a place) is left out, never made up. Pure; bounded as bodies.h
// says.
#pragma once

#include <optional>
#include <string_view>

#include "events/webhooks/told_event.h"
#include "http/json.h"
#include "store/webhooks.h"

namespace todoku::events::webhooks {

// The service's word of an event ("bounce", "SpamComplaint", "email.delivered"); nullopt: it has
// none, and is not told. Of forms that are no service's: nullopt.
[[nodiscard]] std::optional<std::string_view> foreign_type(store::WebhookForm form, ToldKind kind);

// One event's object. It must have a foreign_type(), and an address.
void write_foreign_event(http::JsonWriter& json, store::WebhookForm form, const ToldEvent& event);

}  // namespace todoku::events::webhooks
