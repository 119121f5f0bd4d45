// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/replay.h"

#include <algorithm>
#include <utility>

#include "events/endpoints/reading.h"
#include "events/webhooks/endpoint_policy.h"
#include "events/webhooks/endpoint_state.h"
#include "events/webhooks/reading_place.h"
#include "events/webhooks/told_of.h"

namespace todoku::events::endpoints {
namespace {

using store::WriteTransaction;
using webhooks::ParkedEvent;

std::unexpected<Error> too_many_replays() {
  return fail(ErrorKind::conflict, "too much of this endpoint is being told again; wait a little");
}

// The state with what is to be told again, from where the endpoint has been told now.
Result<std::string> with_range(const store::Webhook& webhook,
                               std::optional<store::DeliveryKey> delivery,
                               const store::EventPlace& after) {
  auto state = webhooks::unpack_state(webhook.state, webhook.status);
  if (!state) return fail(std::move(state.error()));
  auto place = webhooks::unpack_reading_place(state->cursor);
  if (!place) return fail(std::move(place.error()));
  if (place->replays.size() >= webhooks::kReplaysMax) return too_many_replays();
  // What it has not come to it will be told anyway.
  place->replays.push_back({.delivery = delivery, .after = after, .until = place->after});
  state->cursor = webhooks::pack(*place);
  return webhooks::pack_state(*state);
}

struct NamedEvent {
  store::EventPlace place;
  ParkedEvent parked;
};

Result<std::string> with_events(const store::Webhook& webhook,
                                const std::vector<NamedEvent>& events) {
  auto state = webhooks::unpack_state(webhook.state, webhook.status);
  if (!state) return fail(std::move(state.error()));
  auto place = webhooks::unpack_reading_place(state->cursor);
  if (!place) return fail(std::move(place.error()));
  ++place->orders;
  for (const NamedEvent& event : events) {
    // What is not written as told comes from there in its turn.
    if (event.place > place->after) continue;
    const bool is_there = std::ranges::any_of(
        state->parked, [&](const ParkedEvent& other) { return other.id == event.parked.id; });
    if (!is_there) state->parked.push_back(event.parked);
  }
  if (state->parked.size() > webhooks::EndpointOptions{}.parked_max) return too_many_replays();
  std::ranges::sort(state->parked, {}, &ParkedEvent::id);  // the order of events
  state->cursor = webhooks::pack(*place);
  return webhooks::pack_state(*state);
}

Result<std::size_t> tell_events(WriteTransaction& transaction, store::AccountKey account,
                                std::string_view name, const std::vector<std::string>& ids) {
  const auto webhook = transaction.read().webhook(account, name);
  if (!webhook) return fail(webhook.error());
  const Wanted wanted{
      .account = account, .form = webhook->form, .wishes = webhook->terms.wishes, .explain = {}};
  std::vector<NamedEvent> events;
  for (const std::string& id : ids) {
    const auto event = find_event(transaction.read(), wanted, id);
    if (!event) return fail(event.error());
    if (!*event) continue;
    events.push_back({.place = (*event)->place,
                      .parked = {.id = id, .order_key = webhooks::order_key_of((*event)->entry)}});
  }
  auto told = transaction.redirect_webhook(
      account, name, [&](const store::Webhook& its) { return with_events(its, events); });
  if (told) told = transaction.drop_set_aside(name, ids);
  if (!told) return fail(std::move(told.error()));
  return events.size();
}

}  // namespace

Result<std::optional<std::size_t>> tell_again(store::WriteTransaction& transaction,
                                              store::AccountKey account, std::string_view name,
                                              const ReplayOrder& order) {
  if (!order.events.empty() || order.set_aside) {
    std::vector<std::string> ids = order.events;
    if (order.set_aside) {
      // Not before it is known that the endpoint is this account's.
      const auto mine = transaction.read().webhook(account, name);
      if (!mine) return fail(mine.error());
      const auto kept = transaction.read().set_aside_of(name, {}, kReplayedMax);
      if (!kept) return fail(kept.error());
      for (const store::SetAsideEvent& event : *kept) ids.push_back(event.event);
    }
    return tell_events(transaction, account, name, ids);
  }
  std::optional<store::DeliveryKey> delivery;
  Instant from = order.from.value_or(Instant{});
  if (order.delivery) {
    const auto head = transaction.read().delivery_head(account, *order.delivery);
    if (!head) return fail(head.error());
    delivery = head->key;
    from = std::max(from, head->created);
  }
  const auto after = place_before(transaction.read(), account, from);
  if (!after) return fail(after.error());
  auto told = transaction.redirect_webhook(account, name, [&](const store::Webhook& webhook) {
    return with_range(webhook, delivery, *after);
  });
  if (!told) return fail(std::move(told.error()));
  return std::nullopt;
}

}  // namespace todoku::events::endpoints
