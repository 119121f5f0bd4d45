// SPDX-License-Identifier: Apache-2.0
// The life of a delivery from commit to removal.
#include <algorithm>

#include <fmt/format.h>

#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

std::unexpected<Error> wrong_status(const Delivery& delivery, std::string_view wanted) {
  return fail(ErrorKind::conflict, fmt::format("the delivery is in status {}, not {}",
                                               to_string(delivery.status), wanted));
}

// Whose a delivery is that was changed.
struct Owner {
  AccountKey account{};
  DeliveryType type{};
  std::int64_t total = 0;
};
Owner owner_in(const Query& row) {
  return {AccountKey{row.integer(0)}, static_cast<DeliveryType>(row.integer(1)), row.integer(2)};
}

}  // namespace

// After a change whose condition named a status: what stood against it, if anything did.
Result<void> SqliteWriteTransaction::changed_one(DeliveryKey key, std::string_view wanted) {
  if (db_.changes() > 0) return {};
  return not_in_status(key, wanted);
}

Result<void> SqliteWriteTransaction::not_in_status(DeliveryKey key, std::string_view wanted) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  return wrong_status(*delivery, wanted);
}

Result<void> SqliteWriteTransaction::commit_draft(DeliveryKey key,
                                                  std::optional<Instant> reservation,
                                                  const AskedBy& by) {
  const auto status = reservation ? DeliveryStatus::reserve : DeliveryStatus::wait;
  std::optional<Owner> owner;
  {
    auto query = db_.query(
        "UPDATE deliveries SET status = ?, reservation = ?, agenda = ?, updated = ?"
        " WHERE key = ? AND status = 1 AND deleted = 0 RETURNING account, type, total");
    query.bind(status, reservation, reservation.value_or(Instant{}), now_, key);
    while (query.next()) owner = owner_in(query);
    if (query.failed()) return fail(query.error());
  }
  if (!owner) return not_in_status(key, "edit");
  if (owner->type != DeliveryType::bulk) {
    return tell_each(key, owner->account, EventKind::accepted);
  }
  const auto rules = queries_.sign_in_rules(owner->account);
  if (!rules) return fail(rules.error());
  return rules->approval ? ask_approval(key, owner->account, reservation, by)
                         : forget_approval(key);
}

// About each recipient of what was made as a reservation, a transaction or a message by SMTP.
Result<void> SqliteWriteTransaction::tell_each(DeliveryKey key, AccountKey account,
                                               EventKind kind) {
  auto query = db_.query(
      "SELECT r.id FROM sections s JOIN batches b ON b.section = s.id"
      " JOIN recipients r ON r.id >= b.number << ?1 AND r.id < (b.number + 1) << ?1"
      " WHERE s.delivery = ?2 AND s.state = ?3");
  query.bind(kSeqBits, key, kSectionLive);
  std::vector<std::int64_t> rows;
  while (query.next()) rows.push_back(query.integer(0));
  if (query.failed()) return fail(query.error());
  std::ranges::sort(rows);
  for (const std::int64_t row : rows) {
    events_.add(account, {.kind = kind,
                          .at = now_,
                          .delivery = key,
                          .batch = batch_key(number_of(key), batch_of(row)).batch,
                          .seq = seq_of(row)});
  }
  return {};
}

Result<void> SqliteWriteTransaction::cancel_reservation(DeliveryKey key) {
  auto done = db_.query(
                     "UPDATE deliveries SET status = 1, reservation = NULL, agenda = NULL,"
                     " updated = ?1 WHERE key = ?2 AND deleted = 0 AND (status = 3 OR status = 4"
                     " AND EXISTS (SELECT 1 FROM approvals p WHERE p.delivery = ?2"
                     " AND p.state = 1))")
                  .bind(now_, key)
                  .run();
  if (done) done = changed_one(key, "reserve");
  return done ? end_approval(key) : done;
}

Result<void> SqliteWriteTransaction::move_reservation(DeliveryKey key, Instant reservation,
                                                      const AskedBy& by) {
  auto done = db_.query(
                     "UPDATE deliveries SET reservation = ?1, agenda = ?1, updated = ?2"
                     " WHERE key = ?3 AND status = 3 AND deleted = 0")
                  .bind(reservation, now_, key)
                  .run();
  if (done) done = changed_one(key, "reserve");
  return done ? void_approval(key, by) : done;
}

Result<void> SqliteWriteTransaction::start_delivery(DeliveryKey key, std::string_view signing,
                                                    Milliseconds life_time) {
  std::int64_t total = 0;
  TrafficClass traffic{};
  AccountKey account{};
  {
    auto query = db_.query(
        "UPDATE deliveries SET status = CASE total WHEN 0 THEN 6 ELSE 5 END, started = ?1,"
        " expires = ?1 + min(?2, coalesce(life, ?2)),"
        " finished = CASE total WHEN 0 THEN ?1 END, agenda = NULL, signing = ?3,"
        " updated = ?1 WHERE key = ?4 AND status IN (3, 4) AND deleted = 0"
        " AND NOT coalesce(agenda > ?5, 0) AND NOT EXISTS"
        " (SELECT 1 FROM approvals p WHERE p.delivery = ?4 AND p.state <> 2)"
        " AND (SELECT suspended FROM accounts a WHERE a.key = deliveries.account) = 0"
        " RETURNING total, traffic, account");
    query.bind(now_, life_time.count(), signing, key, queries_.wall());
    const bool started = query.next();
    if (query.failed()) return fail(query.error());
    if (started) {
      total = query.integer(0);
      traffic = static_cast<TrafficClass>(query.integer(1));
      account = AccountKey{query.integer(2)};
      (void)query.next();
    } else {
      const auto delivery = queries_.delivery_row(key);
      if (!delivery) return fail(delivery.error());
      return wrong_status(*delivery, "reserve or wait");
    }
  }
  events_.add(account, event_of_many(EventKind::delivery_started, key, total, now_));
  if (total == 0) events_.add(account, event_of_many(EventKind::delivery_finished, key, 0, now_));
  auto counted = count_usage(account, total);
  if (!counted) return counted;
  if (traffic == TrafficClass::bulk) return {};  // due since they were made
  waiting_ += total;
  const auto sections = queries_.live_sections(key);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) {
    auto done = db_.query("UPDATE batches SET ready_at = ? WHERE section = ? AND open > 0")
                    .bind(now_, section)
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<void> SqliteWriteTransaction::count_usage(AccountKey account, std::int64_t mails) {
  if (mails == 0) return {};
  return db_
      .query(
          "INSERT INTO usages(account, month, slot, mails, updated) VALUES(?, ?, 0, ?, ?)"
          " ON CONFLICT(account, month, slot) DO UPDATE SET mails = mails + excluded.mails,"
          " updated = max(updated, excluded.updated)")
      .bind(account, month_of(now_), mails, now_)
      .run();
}

Result<void> SqliteWriteTransaction::fail_delivery(DeliveryKey key, std::string_view reason) {
  std::optional<Owner> owner;
  {
    auto query = db_.query(
        "UPDATE deliveries SET status = 7, finished = ?1, agenda = NULL,"
        " cancelled = total, failure_reason = ?2, updated = ?1"
        " WHERE key = ?3 AND status IN (3, 4) AND deleted = 0 RETURNING account, type, total");
    query.bind(now_, reason, key);
    while (query.next()) owner = owner_in(query);
    if (query.failed()) return fail(query.error());
  }
  if (!owner) return not_in_status(key, "reserve or wait");
  if (owner->type != DeliveryType::bulk) {
    auto told = tell_each(key, owner->account, EventKind::cancelled);
    if (!told) return told;
  }
  events_.add(owner->account, event_of_many(EventKind::delivery_failed, key, owner->total, now_));
  return end_approval(key);
}

Result<void> SqliteWriteTransaction::delete_delivery(DeliveryKey key) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (delivery->status == DeliveryStatus::importing) {
    return fail(ErrorKind::conflict, "the delivery is importing");
  }
  auto done =
      db_.query("UPDATE deliveries SET deleted = 1, agenda = NULL, updated = ? WHERE key = ?")
          .bind(now_, key)
          .run();
  if (!done) return done;
  done = db_.query("UPDATE sections SET state = ? WHERE delivery = ?")
             .bind(kSectionDiscarded, key)
             .run();
  if (done) done = end_approval(key);
  if (!done) return done;
  if (delivery->traffic == TrafficClass::bulk) return {};
  if (delivery->status == DeliveryStatus::sending) {
    waiting_ -= delivery->counts.total - delivery->counts.terminal();
  }
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

// ---- removal -----------------------------------------------------------------------------------

Result<void> SqliteWriteTransaction::purge_batch(std::int64_t number, std::int64_t& rows) {
  auto forgotten =
      db_.query(
             "DELETE FROM not_sent WHERE account = (SELECT account FROM batches WHERE number = ?1)"
             " AND state IN (1, 3, 4, 5, 6, 7)"
             " AND id BETWEEN (SELECT first_email_id FROM batches WHERE number = ?1)"
             " AND (SELECT first_email_id + capacity - 1 FROM batches WHERE number = ?1)")
          .bind(number)
          .run();
  if (!forgotten) return forgotten;
  rows -= db_.changes();
  forgotten =
      db_.query(
             "DELETE FROM opens WHERE account = (SELECT account FROM batches WHERE number = ?1)"
             " AND id BETWEEN (SELECT first_email_id FROM batches WHERE number = ?1)"
             " AND (SELECT first_email_id + capacity - 1 FROM batches WHERE number = ?1)")
          .bind(number)
          .run();
  if (!forgotten) return forgotten;
  rows -= db_.changes();
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
  done = db_.query("DELETE FROM on_its_way WHERE recipient BETWEEN ? AND ?")
             .bind(first_row(number), last_row(number))
             .run();
  if (!done) return done;
  done = db_.query("DELETE FROM suspects WHERE recipient BETWEEN ? AND ?")
             .bind(first_row(number), last_row(number))
             .run();
  if (!done) return done;
  return db_.query("DELETE FROM batches WHERE number = ?").bind(number).run();
}

// Of a section without batches: its counts of domains, as many as fit into `rows`, and then itself.
Result<void> SqliteWriteTransaction::purge_section(std::int64_t section, std::int64_t& rows) {
  auto done = db_.query(
                     "DELETE FROM domain_counts WHERE section = ?1 AND domain IN"
                     " (SELECT domain FROM domain_counts WHERE section = ?1 LIMIT ?2)")
                  .bind(section, rows)
                  .run();
  if (!done) return done;
  const std::int64_t dropped = db_.changes();
  if (dropped >= rows) {
    rows = 0;
    return {};
  }
  rows -= dropped;
  return db_.query("DELETE FROM sections WHERE id = ?").bind(section).run();
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
    auto done = number == 0 ? purge_section(*section, rows) : purge_batch(number, rows);
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
    for (const auto& sql : {Sql("UPDATE relayed SET gone = 1 WHERE key IN"
                                " (SELECT relayed FROM attachments WHERE delivery = ?)"),
                            Sql("DELETE FROM attachments WHERE delivery = ?"),
                            Sql("DELETE FROM import_jobs WHERE delivery = ?"),
                            Sql("DELETE FROM contents WHERE delivery = ?"),
                            Sql("DELETE FROM open_counts WHERE delivery = ?"),
                            Sql("DELETE FROM delivery_outcomes WHERE delivery = ?"),
                            Sql("DELETE FROM steering WHERE delivery = ?"),
                            Sql("DELETE FROM resends WHERE delivery = ?"),
                            Sql("DELETE FROM approvals WHERE delivery = ?"),
                            Sql("DELETE FROM deliveries WHERE key = ?")}) {
      auto done = db_.query(sql).bind(*key).run();
      if (!done) return fail(std::move(done.error()));
      rows -= db_.changes();
    }
  }
  return false;
}

Result<bool> SqliteWriteTransaction::purge_deleted(std::int64_t rows) {
  const auto answers = purge_answers(rows);
  if (!answers) return fail(answers.error());
  const auto sections = purge_sections(rows);
  if (!sections) return fail(sections.error());
  if (!*sections) return true;
  const auto deliveries = purge_deliveries(rows);
  if (!deliveries) return fail(deliveries.error());
  if (!*deliveries) return true;
  const auto relayed = purge_relayed(rows);
  if (!relayed) return fail(relayed.error());
  if (!*relayed) return true;
  const auto suppressions = purge_suppressions(rows);
  if (!suppressions) return fail(suppressions.error());
  return !*suppressions || !*answers;
}

}  // namespace todoku::store::sqlite
