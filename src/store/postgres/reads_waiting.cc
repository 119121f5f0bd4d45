// SPDX-License-Identifier: Apache-2.0
// Questions about what an engine would send (store/waiting.h).
#include "store/numbers.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kWaitingDeliveries{
    "waiting: deliveries",
    "SELECT key, status, deleted, total - delivered - bounced - dropped - expired - cancelled"
    " - unknown, coalesce(credential, '') FROM deliveries WHERE key > $1 ORDER BY key LIMIT $2"};
const Sql kOpenBatches{
    "waiting: open batches",
    "SELECT b.number, b.delivery, (b.open > 0 AND d.status = 5 AND d.deleted = 0"
    " AND (b.section IS NULL OR s.state = 1))::int::bigint"
    " FROM (SELECT number, delivery, section, open FROM batches WHERE number >= $1"
    " ORDER BY number LIMIT $2) b"
    " CROSS JOIN LATERAL (SELECT status, deleted FROM deliveries WHERE key = b.delivery"
    " OFFSET 0) d"
    " LEFT JOIN LATERAL (SELECT state FROM sections WHERE id = b.section OFFSET 0) s ON true"
    " ORDER BY b.number"};
const Sql kOpenRecipients{
    "waiting: open recipients",
    "SELECT u.number, u.delivery, r.seq FROM unnest($1::bigint[], $2::bigint[])"
    " u(number, delivery)"
    " CROSS JOIN LATERAL (SELECT seq FROM recipients WHERE batch = u.number OFFSET 0) r"
    " LEFT JOIN LATERAL (SELECT state FROM progress WHERE batch = u.number AND seq = r.seq"
    " OFFSET 0) p ON true"
    " WHERE coalesce(p.state, 0) <= 1 ORDER BY u.number, r.seq"};

}  // namespace

Result<WaitingStretch> Questions::waiting_deliveries(DeliveryKey after, std::int64_t limit) {
  const auto rows = session_.ask(kWaitingDeliveries, Params() << after << limit);
  if (!rows) return fail(rows.error());
  WaitingStretch stretch;
  for (int i = 0; i < rows->size(); ++i) {
    const DeliveryKey key{rows->integer(i, 0)};
    if (i + 1 == limit) stretch.next = key;
    const auto status = static_cast<DeliveryStatus>(rows->integer(i, 1));
    const bool to_start = status == DeliveryStatus::reserve || status == DeliveryStatus::wait;
    if (rows->flag(i, 2) || (!to_start && status != DeliveryStatus::sending)) continue;
    stretch.deliveries.push_back({.key = key,
                                  .started = !to_start,
                                  .recipients = rows->integer(i, 3),
                                  .credential = std::string(rows->text(i, 4))});
  }
  return stretch;
}

Result<OpenStretch> Questions::open_recipients(std::int64_t from, std::int64_t limit) {
  const auto batches = session_.ask(kOpenBatches, Params() << from << limit);
  if (!batches) return fail(batches.error());
  OpenStretch stretch;
  Column numbers(kInt8);
  Column deliveries(kInt8);
  for (int i = 0; i < batches->size(); ++i) {
    if (i + 1 == limit) stretch.next = batches->integer(i, 0) + 1;
    if (!batches->flag(i, 2)) continue;
    numbers.add(batches->integer(i, 0));
    deliveries.add(batches->integer(i, 1));
  }
  const auto open = session_.ask(kOpenRecipients, Params() << numbers << deliveries);
  if (!open) return fail(open.error());
  for (int i = 0; i < open->size(); ++i) {
    const BatchKey batch = batch_key(open->integer(i, 1), open->integer(i, 0));
    stretch.recipients.push_back(
        {batch.delivery, batch.batch, static_cast<std::uint32_t>(open->integer(i, 2))});
  }
  return stretch;
}

}  // namespace todoku::store::postgres
