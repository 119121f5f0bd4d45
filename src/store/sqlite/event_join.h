// SPDX-License-Identifier: Apache-2.0
// What a sheet does not repeat of its events (store/event_sheet.h), read for a whole page: each
// delivery and batch once, and recipients that lie near each other in one go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/event_sieve.h"
#include "store/events.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/dictionary.h"

namespace todoku::store::sqlite {

class EventJoin {
 public:
  // Of deliveries that `question`, which outlives it, does not ask for no more is read, and their
  // events are gone.
  EventJoin(Connection& db, Dictionary& dictionary, const EventQuestion& question)
      : db_(db), outcomes_(dictionary), question_(question) {}

  // Events whose delivery or recipient is no more are gone.
  [[nodiscard]] Result<void> join(std::vector<EventRecord>& events);

 private:
  // An event and the row of its recipient.
  struct Wanted {
    std::int64_t row;
    EventRecord* event;
  };
  struct Batch {
    std::int64_t first_log_id;
    std::string domain;
  };

  [[nodiscard]] Result<std::shared_ptr<const EventDelivery>> delivery(const EventRecord& event);
  // All of one batch, by row.
  [[nodiscard]] Result<void> join_batch(std::span<Wanted> wanted);
  [[nodiscard]] Result<void> join_recipients(std::span<Wanted> wanted, const Batch& batch);

  Connection& db_;
  OutcomesTold outcomes_;
  const EventQuestion& question_;
  // Null: there is none, or none that this account sees.
  std::unordered_map<DeliveryKey, std::shared_ptr<const EventDelivery>> deliveries_;
};

}  // namespace todoku::store::sqlite
