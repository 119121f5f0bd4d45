// SPDX-License-Identifier: Apache-2.0
// From the store's events to what an endpoint is told: whether it wants to be told of one, and all
// that is told of it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "events/webhooks/told_event.h"
#include "store/deliveries.h"
#include "store/events.h"
#include "store/webhooks.h"

namespace todoku::events::webhooks {

[[nodiscard]] ToldKind told_kind(store::EventKind kind);
// nullopt: only we make such an event.
[[nodiscard]] std::optional<store::EventKind> stored_kind(ToldKind kind);

// Of the kinds that are asked of the store. Empty: all.
[[nodiscard]] std::vector<store::EventKind> kinds_wanted(store::WebhookForm form,
                                                         const store::WebhookWishes& wishes);

// Whether there is anything that it would be told.
[[nodiscard]] bool tells_any(store::WebhookForm form, const store::WebhookWishes& wishes);

// Whether the delivery has to be known for what follows: for From, and for counts.
[[nodiscard]] bool asks_for_delivery(store::WebhookForm form, const store::WebhookWishes& wishes,
                                     const store::EventRecord& event);
// Of an event of a kind that is wanted. `head`: its delivery, if that was asked for.
[[nodiscard]] bool is_wanted(store::WebhookForm form, const store::WebhookWishes& wishes,
                             const store::EventRecord& event, const store::Delivery* head);

// What is told of it; without insert codes and explanation, which have to be looked up. `head`: as
// above.
[[nodiscard]] ToldEvent told_of(store::EventRecord event, const store::Delivery* head);

// Events of one recipient have the same one; 0: it is about many.
[[nodiscard]] std::uint64_t order_key_of(const store::SheetEntry& entry);

}  // namespace todoku::events::webhooks
