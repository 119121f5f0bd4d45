// SPDX-License-Identifier: Apache-2.0
// The life of a delivery from commit to removal.
#include <fmt/format.h>

#include "store/sqlite/keys.h"
#include "store/sqlite/recipient_appender.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

std::unexpected<Error> wrong_status(const Delivery& delivery, std::string_view wanted) {
  return fail(ErrorKind::conflict, fmt::format("the delivery is in status {}, not {}",
                                               to_string(delivery.status), wanted));
}

bool waits_to_start(const Delivery& delivery) {
  return delivery.status == DeliveryStatus::reserve || delivery.status == DeliveryStatus::wait;
}

}  // namespace

Result<void> SqliteWriteTransaction::commit_draft(DeliveryKey key,
                                                  std::optional<Instant> reservation, Instant now) {
  const auto delivery = draft(key);
  if (!delivery) return fail(delivery.error());
  const auto status = reservation ? DeliveryStatus::reserve : DeliveryStatus::wait;
  return db_
      .query(
          "UPDATE deliveries SET status = ?, reservation = ?, agenda = ?, updated = ?"
          " WHERE key = ?")
      .bind(status, reservation, reservation.value_or(Instant{}), now, key)
      .run();
}

Result<void> SqliteWriteTransaction::cancel_reservation(DeliveryKey key, Instant now) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (delivery->status != DeliveryStatus::reserve) return wrong_status(*delivery, "reserve");
  return db_
      .query(
          "UPDATE deliveries SET status = ?, reservation = NULL, agenda = NULL,"
          " updated = ? WHERE key = ?")
      .bind(DeliveryStatus::edit, now, key)
      .run();
}

Result<void> SqliteWriteTransaction::start_delivery(DeliveryKey key, std::string_view signing,
                                                    Instant now) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (!waits_to_start(*delivery)) return wrong_status(*delivery, "reserve or wait");
  const bool empty = delivery->counts.total == 0;
  const auto finished = empty ? std::optional(now) : std::nullopt;
  auto done = db_.query(
                     "UPDATE deliveries SET status = ?, started = ?, finished = ?, agenda = NULL,"
                     " signing = ?, updated = ? WHERE key = ?")
                  .bind(empty ? DeliveryStatus::sent : DeliveryStatus::sending, now, finished,
                        signing, now, key)
                  .run();
  if (!done) return done;
  waiting_[static_cast<std::size_t>(delivery->traffic)] += delivery->counts.total;
  if (delivery->traffic == TrafficClass::bulk) return {};  // due since they were made
  const auto sections = queries_.live_sections(key);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) {
    done = db_.query("UPDATE batches SET ready_at = ? WHERE section = ? AND open > 0")
               .bind(now, section)
               .run();
    if (!done) return done;
  }
  return {};
}

Result<void> SqliteWriteTransaction::fail_delivery(DeliveryKey key, std::string_view reason,
                                                   Instant now) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (!waits_to_start(*delivery)) return wrong_status(*delivery, "reserve or wait");
  return db_
      .query(
          "UPDATE deliveries SET status = ?, finished = ?, agenda = NULL, cancelled = total,"
          " failure_reason = ?, updated = ? WHERE key = ?")
      .bind(DeliveryStatus::failed, now, reason, now, key)
      .run();
}

Result<void> SqliteWriteTransaction::delete_delivery(DeliveryKey key, Instant now) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (delivery->status == DeliveryStatus::importing) {
    return fail(ErrorKind::conflict, "the delivery is importing");
  }
  auto done =
      db_.query("UPDATE deliveries SET deleted = 1, agenda = NULL, updated = ? WHERE key = ?")
          .bind(now, key)
          .run();
  if (!done) return done;
  done = db_.query("UPDATE sections SET state = ? WHERE delivery = ?")
             .bind(kSectionDiscarded, key)
             .run();
  if (!done) return done;
  if (delivery->status == DeliveryStatus::sending) {
    waiting_[static_cast<std::size_t>(delivery->traffic)] -=
        delivery->counts.total - delivery->counts.terminal();
  }
  if (delivery->traffic == TrafficClass::bulk) return {};
  // Out of the index of what is due, which is asked for all transactions at once.
  for (std::int64_t number = number_of(key);; ++number) {
    done = db_.query(
                  "UPDATE batches SET ready_at = NULL, holder = 0 WHERE number = ?"
                  " AND delivery = ?")
               .bind(number, key)
               .run();
    if (!done || db_.changes() == 0) break;
  }
  if (!done) return done;
  return db_
      .query(
          "UPDATE batches SET ready_at = NULL, holder = 0 WHERE section IN"
          " (SELECT id FROM sections WHERE delivery = ?)")
      .bind(key)
      .run();
}

Result<WriteTransaction::AcceptedTransaction> SqliteWriteTransaction::accept_transaction(
    const NewDelivery& delivery, std::span<const NewRecipient> recipients, std::string_view signing,
    Holder holder, Instant lease_until, Instant now) {
  if (recipients.empty()) {
    return fail(ErrorKind::invalid_input, "a transaction needs at least one recipient");
  }
  const auto size = static_cast<std::int64_t>(recipients.size());
  const auto number =
      counters_.take_numbers((size + kBatchRecipientsMax - 1) / kBatchRecipientsMax);
  if (!number) return fail(number.error());
  auto made = new_delivery(delivery, *number, now);
  if (!made) return fail(std::move(made.error()));
  made->status = DeliveryStatus::sending;
  made->started = now;
  made->signing = signing;
  made->counts.total = size;
  auto done = insert_delivery(*made);
  if (done) done = insert_content(*made, delivery.content, now);
  if (!done) return fail(std::move(done.error()));
  RecipientAppender appender(*this, made->key, made->account, 0, made->traffic, now);
  auto batches = appender.append_leased(recipients, holder, lease_until);
  if (!batches) return fail(std::move(batches.error()));
  waiting_[static_cast<std::size_t>(made->traffic)] += size;

  AcceptedTransaction accepted;
  accepted.delivery = std::move(*made);
  accepted.batches = std::move(*batches);
  return accepted;
}

// ---- removal -----------------------------------------------------------------------------------

Result<void> SqliteWriteTransaction::purge_batch(std::int64_t number, std::int64_t& rows) {
  auto done = db_.query("DELETE FROM recipients WHERE id BETWEEN ? AND ?")
                  .bind(first_row(number), last_row(number))
                  .run();
  if (!done) return done;
  rows -= db_.changes();
  done = db_.query("DELETE FROM progress WHERE id BETWEEN ? AND ?")
             .bind(first_row(number), last_row(number))
             .run();
  if (!done) return done;
  rows -= db_.changes();
  --rows;
  return db_.query("DELETE FROM batches WHERE number = ?").bind(number).run();
}

// True when no discarded section is left.
Result<bool> SqliteWriteTransaction::purge_sections(std::int64_t& rows) {
  while (rows > 0) {
    const auto section = db_.integer("SELECT id FROM sections WHERE state = 3 LIMIT 1");
    if (!section) return fail(section.error());
    if (*section == 0) return true;
    std::int64_t number = 0;
    {
      auto query = db_.query("SELECT number FROM batches WHERE section = ? LIMIT 1");
      query.bind(*section);
      if (query.next()) number = query.integer(0);
      if (query.failed()) return fail(query.error());
    }
    auto done = number == 0 ? db_.query("DELETE FROM sections WHERE id = ?").bind(*section).run()
                            : purge_batch(number, rows);
    if (!done) return fail(std::move(done.error()));
  }
  return false;
}

// True when no deleted delivery is left. Their sections are gone by now.
Result<bool> SqliteWriteTransaction::purge_deliveries(std::int64_t& rows) {
  while (rows > 0) {
    const auto key = db_.integer("SELECT key FROM deliveries WHERE deleted = 1 LIMIT 1");
    if (!key) return fail(key.error());
    if (*key == 0) return true;
    for (std::int64_t number = *key;; ++number) {
      const auto batch = queries_.batch(number);
      if (!batch) return fail(batch.error());
      if (!*batch || (*batch)->delivery != *key) break;
      auto done = purge_batch(number, rows);
      if (!done) return fail(std::move(done.error()));
    }
    for (const auto& sql : {Sql("DELETE FROM attachments WHERE delivery = ?"),
                            Sql("DELETE FROM import_jobs WHERE delivery = ?"),
                            Sql("DELETE FROM contents WHERE delivery = ?"),
                            Sql("DELETE FROM deliveries WHERE key = ?")}) {
      auto done = db_.query(sql).bind(*key).run();
      if (!done) return fail(std::move(done.error()));
      rows -= db_.changes();
    }
  }
  return false;
}

Result<bool> SqliteWriteTransaction::purge_deleted(std::int64_t rows) {
  const auto sections = purge_sections(rows);
  if (!sections) return fail(sections.error());
  if (!*sections) return true;
  const auto deliveries = purge_deliveries(rows);
  if (!deliveries) return fail(deliveries.error());
  return !*deliveries;
}

}  // namespace todoku::store::sqlite
