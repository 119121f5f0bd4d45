// SPDX-License-Identifier: Apache-2.0
// Questions about what an engine would send (store/waiting.h).
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {

Result<WaitingStretch> Queries::waiting_deliveries(DeliveryKey after, std::int64_t limit) {
  WaitingStretch stretch;
  std::int64_t looked = 0;
  auto query = db_.query(
      "SELECT key, status, deleted, total - delivered - bounced - dropped - expired - cancelled"
      " - unknown, credential FROM deliveries WHERE key > ? ORDER BY key LIMIT ?");
  query.bind(after, limit);
  while (query.next()) {
    const DeliveryKey key{query.integer(0)};
    if (++looked == limit) stretch.next = key;
    const auto status = static_cast<DeliveryStatus>(query.integer(1));
    const bool to_start = status == DeliveryStatus::reserve || status == DeliveryStatus::wait;
    if (query.flag(2) || (!to_start && status != DeliveryStatus::sending)) continue;
    stretch.deliveries.push_back({.key = key,
                                  .started = !to_start,
                                  .recipients = query.integer(3),
                                  .credential = std::string(query.text(4))});
  }
  if (query.failed()) return fail(query.error());
  return stretch;
}

Result<OpenStretch> Queries::open_recipients(std::int64_t from, std::int64_t limit) {
  OpenStretch stretch;
  std::int64_t looked = 0;
  auto batches = db_.query(
      "SELECT b.number, b.delivery, b.open > 0 AND d.status = 5 AND d.deleted = 0"
      " AND (b.section IS NULL OR EXISTS (SELECT 1 FROM sections s WHERE s.id = b.section"
      " AND s.state = 1)) FROM batches b JOIN deliveries d ON d.key = b.delivery"
      " WHERE b.number >= ? ORDER BY b.number LIMIT ?");
  auto open = db_.query(
      "SELECT r.id FROM recipients r LEFT JOIN progress p ON p.id = r.id"
      " WHERE r.id BETWEEN ? AND ? AND (p.id IS NULL OR p.info & 7 <= 1) ORDER BY r.id");
  batches.bind(from, limit);
  while (batches.next()) {
    const std::int64_t number = batches.integer(0);
    if (++looked == limit) stretch.next = number + 1;
    if (!batches.flag(2)) continue;
    const BatchKey batch = batch_key(batches.integer(1), number);
    open.bind(first_row(number), last_row(number));
    while (open.next()) {
      stretch.recipients.push_back({batch.delivery, batch.batch, seq_of(open.integer(0))});
    }
    if (open.failed()) return fail(open.error());
    open.reset();
  }
  if (batches.failed()) return fail(batches.error());
  return stretch;
}

}  // namespace todoku::store::sqlite
