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
    const auto there = std::ranges::find(state->parked, event.parked.id, &ParkedEvent::id);
    if (there == state->parked.end()) {
      state->parked.push_back(event.parked);
    } else {
      there->due = event.parked.due;  // at once
    }
  }
  if (state->parked.size() > webhooks::EndpointOptions{}.parked_max) return too_many_replays();
  std::ranges::sort(state->parked, {}, &ParkedEvent::id);  // the order of events
  state->cursor = webhooks::pack(*place);
  return webhooks::pack_state(*state);
}

Result<std::size_t> tell_events(WriteTransaction& transaction, store::AccountKey account,
                                std::string_view name, std::vector<std::string> ids) {
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  const auto webhook = transaction.read().webhook(account, name);
  if (!webhook) return fail(webhook.error());
  const Wanted wanted{
      .account = account, .form = webhook->form, .wishes = webhook->terms.wishes, .explain = {}};
  const Wanted any{.account = account, .wishes = {}, .explain = {}};
  std::vector<NamedEvent> events;
  std::vector<std::string> done;  // told again, or there no more
  for (std::string& id : ids) {
    const auto event = find_event(transaction.read(), wanted, id);
    if (!event) return fail(event.error());
    if (!*event) {
      // What its filters leave out today its owner may want tomorrow.
      const auto stands = find_event(transaction.read(), any, id);
      if (!stands) return fail(stands.error());
      if (!*stands) done.push_back(std::move(id));
      continue;
    }
    events.push_back({.place = (*event)->place,
                      .parked = {.id = id, .order_key = webhooks::order_key_of((*event)->entry)}});
    done.push_back(std::move(id));
  }
  auto told = transaction.redirect_webhook(
      account, name, [&](const store::Webhook& its) { return with_events(its, events); });
  if (told) told = transaction.drop_set_aside(name, done);
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
