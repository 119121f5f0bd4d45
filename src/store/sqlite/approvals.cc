// SPDX-License-Identifier: Apache-2.0
// What waits for a second person's word (store/approvals.h).
#include "store/approvals.h"

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// A row of APPROVAL_COLUMNS.
Approval approval_in(const Query& row) {
  return {.delivery = DeliveryKey{row.integer(0)},
          .account = AccountKey{row.integer(1)},
          .state = static_cast<ApprovalState>(row.integer(2)),
          .revision = row.integer(3),
          .asked_by = {.actor = std::string(row.text(4)), .person = PersonKey{row.integer(5)}},
          .asked = row.instant(6),
          .lapses = row.instant(7),
          .decided_by = {.actor = std::string(row.text(8)), .person = PersonKey{row.integer(9)}},
          .decided = row.optional_instant(10),
          .reason = std::string(row.text(11))};
}

}  // namespace

Result<std::optional<Approval>> Queries::approval(DeliveryKey key) {
  auto query = db_.query("SELECT " APPROVAL_COLUMNS " FROM approvals WHERE delivery = ?");
  query.bind(key);
  if (query.next()) return approval_in(query);
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<std::vector<Approval>> Queries::approvals_waiting(AccountKey account, std::int64_t limit) {
  std::vector<Approval> waiting;
  auto query = db_.query("SELECT " APPROVAL_COLUMNS
                         " FROM approvals WHERE account = ? AND state = 1"
                         " ORDER BY lapses, delivery LIMIT ?");
  query.bind(account, limit);
  while (query.next()) waiting.push_back(approval_in(query));
  if (query.failed()) return fail(query.error());
  return waiting;
}

// Of a bulk that was committed just now.
Result<void> SqliteWriteTransaction::ask_approval(DeliveryKey key, AccountKey account,
                                                  std::optional<Instant> reservation,
                                                  const AskedBy& by) {
  const Instant lapses = reservation.value_or(queries_.wall() + kApprovalLife);
  auto done = db_.query("INSERT INTO approvals(" APPROVAL_COLUMNS
                        ") VALUES(?1, ?2, 1, 1, ?3, ?4, ?5, ?6, '', 0, NULL, '')"
                        " ON CONFLICT(delivery) DO UPDATE SET state = 1, revision = revision + 1,"
                        " asked_by = ?3, asked_person = ?4, asked = ?5, lapses = ?6,"
                        " decided_by = '', decided_person = 0, decided = NULL, reason = ''")
                  .bind(key, account, std::string_view(by.actor), by.person, now_, lapses)
                  .run();
  if (!done) return done;
  return db_.query("UPDATE deliveries SET agenda = ? WHERE key = ?").bind(lapses, key).run();
}

// Of a draft that is committed and needs none: what was decided of it before is not of what goes.
Result<void> SqliteWriteTransaction::forget_approval(DeliveryKey key) {
  return db_.query("DELETE FROM approvals WHERE delivery = ?").bind(key).run();
}

Result<void> SqliteWriteTransaction::end_approval(DeliveryKey key) {
  return db_.query("UPDATE approvals SET state = 5 WHERE delivery = ? AND state = 1")
      .bind(key)
      .run();
}

Result<void> SqliteWriteTransaction::approve(DeliveryKey key, const Decision& decision) {
  auto done = db_.query(
                     "UPDATE approvals SET state = 2, decided_by = ?, decided_person = ?,"
                     " decided = ?, reason = '' WHERE delivery = ? AND state = 1 AND revision = ?"
                     " AND lapses > ? AND (asked_person = 0 OR asked_person <> ?)"
                     " AND (decided_person = 0 OR decided_person <> ?)")
                  .bind(std::string_view(decision.by.actor), decision.by.person, now_, key,
                        decision.revision, queries_.wall(), decision.by.person, decision.by.person)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return not_as_it_waits();
  done = db_.query(
                "UPDATE deliveries SET agenda = coalesce(reservation, 0), updated = ?"
                " WHERE key = ? AND status IN (3, 4) AND deleted = 0")
             .bind(now_, key)
             .run();
  if (!done) return done;
  return db_.changes() > 0 ? Result<void>() : not_as_it_waits();
}

Result<void> SqliteWriteTransaction::send_back(DeliveryKey key, const Decision& decision) {
  auto done = db_.query(
                     "UPDATE approvals SET state = 3, decided_by = ?, decided_person = ?,"
                     " decided = ?, reason = ? WHERE delivery = ? AND state = 1 AND revision = ?"
                     " AND (asked_person = 0 OR asked_person <> ?)"
                     " AND (decided_person = 0 OR decided_person <> ?)")
                  .bind(std::string_view(decision.by.actor), decision.by.person, now_,
                        std::string_view(decision.reason), key, decision.revision,
                        decision.by.person, decision.by.person)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return not_as_it_waits();
  done = db_.query(
                "UPDATE deliveries SET status = 1, reservation = NULL, agenda = NULL, updated = ?"
                " WHERE key = ? AND status IN (3, 4) AND deleted = 0")
             .bind(now_, key)
             .run();
  if (!done) return done;
  return db_.changes() > 0 ? Result<void>() : not_as_it_waits();
}

Result<void> SqliteWriteTransaction::void_approval(DeliveryKey key,
                                                   const std::optional<AskedBy>& by) {
  auto done = db_.query(
                     "UPDATE deliveries SET agenda = coalesce(reservation, ?1)"
                     " WHERE key = ?2 AND status IN (3, 4) AND deleted = 0 AND EXISTS"
                     " (SELECT 1 FROM approvals p WHERE p.delivery = ?2 AND p.state IN (1, 2))")
                  .bind(queries_.wall() + kApprovalLife, key)
                  .run();
  if (!done || db_.changes() == 0) return done;
  // Who approved it has no part in what waits now; who changed it before still has.
  done = db_.query(
                "UPDATE approvals SET state = 1, revision = revision + 1, asked = ?1,"
                " lapses = (SELECT agenda FROM deliveries WHERE key = ?2),"
                " decided_by = CASE state WHEN 1 THEN decided_by ELSE '' END,"
                " decided_person = CASE state WHEN 1 THEN decided_person ELSE 0 END,"
                " decided = NULL, reason = '' WHERE delivery = ?2")
             .bind(now_, key)
             .run();
  if (!done || !by) return done;
  return db_.query("UPDATE approvals SET decided_by = ?, decided_person = ? WHERE delivery = ?")
      .bind(std::string_view(by->actor), by->person, key)
      .run();
}

Result<void> SqliteWriteTransaction::lapse_approval(DeliveryKey key) {
  auto done = db_.query(
                     "UPDATE approvals SET state = 4, decided = ?"
                     " WHERE delivery = ? AND state = 1 AND lapses <= ?")
                  .bind(now_, key, queries_.wall())
                  .run();
  if (!done) return done;
  return db_.changes() > 0 ? Result<void>() : not_as_it_waits();
}

Result<void> SqliteWriteTransaction::settle_approval(DeliveryKey key) {
  auto done = db_.query("DELETE FROM approvals WHERE delivery = ? AND state = 1").bind(key).run();
  if (!done || db_.changes() == 0) return done;
  return db_.query("UPDATE deliveries SET agenda = coalesce(reservation, 0) WHERE key = ?")
      .bind(key)
      .run();
}

}  // namespace todoku::store::sqlite
