// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/rows.h"

namespace todoku::store::postgres {
namespace {

const Sql kDeliveryRow{"rows: delivery", "SELECT " DELIVERY_COLUMNS
                                         " FROM deliveries d WHERE d.key = $1 AND d.deleted = 0"};
const Sql kLockedDelivery{"rows: locked delivery",
                          "SELECT " DELIVERY_COLUMNS
                          " FROM deliveries d WHERE d.key = $1 AND d.deleted = 0"
                          " FOR NO KEY UPDATE"};

Result<Delivery> one_delivery(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, "there is no such delivery");
  return delivery_in(*rows, 0);
}

}  // namespace

Delivery delivery_in(const Table& rows, int row) {
  Delivery delivery;
  delivery.key = DeliveryKey{rows.integer(row, 0)};
  delivery.account = AccountKey{rows.integer(row, 1)};
  delivery.id = rows.integer(row, 2);
  delivery.type = static_cast<DeliveryType>(rows.integer(row, 3));
  delivery.traffic = static_cast<TrafficClass>(rows.integer(row, 4));
  delivery.status = static_cast<DeliveryStatus>(rows.integer(row, 5));
  delivery.at_most_once = rows.flag(row, 6);
  delivery.created = rows.instant(row, 7);
  delivery.updated = rows.instant(row, 8);
  delivery.reservation = rows.optional_instant(row, 9);
  delivery.started = rows.optional_instant(row, 10);
  delivery.expires = rows.optional_instant(row, 11);
  delivery.finished = rows.optional_instant(row, 12);
  delivery.signing = rows.text(row, 13);
  delivery.failure_reason = rows.text(row, 14);
  int column = 15;
  DeliveryCounts& counts = delivery.counts;
  for (std::int64_t* const count :
       {&counts.total, &counts.delivered, &counts.bounced, &counts.dropped, &counts.expired,
        &counts.cancelled, &counts.unknown, &counts.deferred}) {
    *count = rows.integer(row, column++);
  }
  delivery.course = static_cast<Course>(rows.integer(row, column + 3));
  delivery.labels = {split_tags(rows.text(row, column + 2)),
                     std::string(rows.text(row, column + 1)),
                     static_cast<Purpose>(rows.integer(row, column))};
  return delivery;
}

Result<Delivery> delivery_row(Session& session, DeliveryKey key) {
  return one_delivery(session.ask(kDeliveryRow, Params() << key));
}

Result<Delivery> locked_delivery(Session& session, DeliveryKey key) {
  return one_delivery(session.ask(kLockedDelivery, Params() << key));
}

BatchRow batch_in(const Table& rows, int row, int column) {
  BatchRow batch;
  batch.number = rows.integer(row, column);
  batch.delivery = DeliveryKey{rows.integer(row, column + 1)};
  batch.account = AccountKey{rows.integer(row, column + 2)};
  batch.section = rows.optional_integer(row, column + 3);
  batch.domain = rows.text(row, column + 4);
  batch.first_email_id = rows.integer(row, column + 5);
  batch.capacity = rows.integer(row, column + 6);
  batch.size = rows.integer(row, column + 7);
  batch.open = rows.integer(row, column + 8);
  batch.created = rows.instant(row, column + 9);
  batch.ready_at = rows.optional_instant(row, column + 10);
  batch.holder = NodeKey{rows.integer(row, column + 11)};
  return batch;
}

}  // namespace todoku::store::postgres
