// SPDX-License-Identifier: Apache-2.0
// Rows that several questions and changes read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/deliveries.h"
#include "store/numbers.h"
#include "store/postgres/session.h"

namespace todoku::store::postgres {

// Of table d.
#define DELIVERY_COLUMNS                                                                       \
  "d.key, d.account, d.id, d.type, d.traffic, d.status, d.at_most_once, d.created, d.updated," \
  " d.reservation, d.started, d.expires, d.finished, d.signing, d.failure_reason, d.total,"    \
  " d.delivered, d.bounced, d.dropped, d.expired, d.cancelled, d.unknown, d.deferred,"         \
  " d.purpose, d.list_id, d.tags, d.course"
inline constexpr int kDeliveryColumns = 27;
[[nodiscard]] Delivery delivery_in(const Table& rows, int row);

// A delivery without its content; not_found if it is deleted.
[[nodiscard]] Result<Delivery> delivery_row(Session& session, DeliveryKey key);
// The same, its row locked against other changes.
[[nodiscard]] Result<Delivery> locked_delivery(Session& session, DeliveryKey key);

// Of the delivery d: its credential is held (store/smtp_credentials.h).
#define CREDENTIAL_IS_HELD                                                              \
  "(d.credential IS NOT NULL AND EXISTS (SELECT 1 FROM smtp_credentials h WHERE h.name" \
  " = d.credential AND h.held IS NOT NULL))"

// A batch as stored, of table b.
struct BatchRow {
  std::int64_t number = 0;
  DeliveryKey delivery{};
  AccountKey account{};
  std::optional<std::int64_t> section;  // none: a transaction's
  std::string domain;
  PublicId first_email_id = 0;
  std::int64_t capacity = 0;
  std::int64_t size = 0;
  std::int64_t open = 0;
  Instant created{};
  std::optional<Instant> ready_at;
  NodeKey holder = kNobody;
  [[nodiscard]] BatchKey key() const { return batch_key(number_of(delivery), number); }
};
#define BATCH_ROW_COLUMNS                                                                       \
  "b.number, b.delivery, b.account, b.section, b.domain, b.first_email_id, b.capacity, b.size," \
  " b.open, b.created, b.ready_at, b.holder"
inline constexpr int kBatchRowColumns = 12;
[[nodiscard]] BatchRow batch_in(const Table& rows, int row, int column);

}  // namespace todoku::store::postgres
