// SPDX-License-Identifier: Apache-2.0
// Reads the store's events for one endpoint: what it wants to be told of, whole, in order, with the
// place at which reading goes on behind each.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "events/webhooks/bodies.h"
#include "events/webhooks/endpoint_policy.h"
#include "store/store.h"

namespace todoku::events::endpoints {

// What an outcome means, in Japanese, for receivers of the contract's form.
using Explain = std::function<std::string(const store::EventRecord&)>;

struct Wanted {
  store::AccountKey account{};
  store::WebhookForm form = store::WebhookForm::standard;
  store::WebhookWishes wishes;
  Explain explain;  // may be empty
};

struct EventsRead {
  std::vector<webhooks::OfferedEvent> events;
  std::string cursor;  // webhooks/reading_place.h; where reading goes on
  bool more = false;   // something follows already
  bool lost = false;   // what followed the cursor was deleted before it was read
};

// For how much there is room: the event that goes beyond the octets is the last one.
struct EventsRoom {
  std::size_t events = 0;
  std::size_t octets = 0;
};

// On from `cursor`. Errors: of the store; corrupt, the cursor.
[[nodiscard]] Result<EventsRead> read_events(store::ReadTransaction& transaction,
                                             const Wanted& wanted, std::string_view cursor,
                                             const EventsRoom& room);

// The event of that id; null if it is gone, another account's, or not wanted (any more).
[[nodiscard]] Result<std::shared_ptr<const webhooks::WrittenEvent>> read_event(
    store::ReadTransaction& transaction, const Wanted& wanted, std::string_view id);
// The same as the store has it.
[[nodiscard]] Result<std::optional<store::EventRecord>> find_event(
    store::ReadTransaction& transaction, const Wanted& wanted, std::string_view id);

// Behind which the account's events of that time and later come; as closely as commits are in the
// order of time. Errors: of the store.
[[nodiscard]] Result<store::EventPlace> place_before(store::ReadTransaction& transaction,
                                                     store::AccountKey account, Instant time);

}  // namespace todoku::events::endpoints
