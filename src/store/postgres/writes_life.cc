// SPDX-License-Identifier: Apache-2.0
// The life of a delivery from commit to its end. Each change names the status that it relies on: of
// writers at once the row decides. deliveries.phase follows the status of what was a draft.
#include <fmt/format.h>

#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/usages.h"

namespace todoku::store::postgres {
namespace {

const Sql kCommitDraft{"life: commit",
                       "UPDATE deliveries SET status = $2, phase = $2, reservation = $3,"
                       " agenda = $4, updated = $5"
                       " WHERE key = $1 AND status = 1 AND deleted = 0"
                       " RETURNING account, type, total"};
// Of a transaction that was made as a reservation.
const Sql kItsRecipients{"life: its recipients",
                         "SELECT b.number, r.seq FROM sections s CROSS JOIN LATERAL (SELECT number"
                         " FROM batches WHERE section = s.id OFFSET 0) b CROSS JOIN LATERAL"
                         " (SELECT seq FROM recipients WHERE batch = b.number OFFSET 0) r"
                         " WHERE s.delivery = $1 AND s.state = 1 ORDER BY b.number, r.seq"};
const Sql kCancelReservation{"life: cancel reservation",
                             "UPDATE deliveries SET status = 1, phase = 1, reservation = NULL,"
                             " agenda = NULL, updated = $2"
                             " WHERE key = $1 AND deleted = 0 AND (status = 3 OR status = 4"
                             " AND EXISTS (SELECT 1 FROM approvals p WHERE p.delivery = $1"
                             " AND p.state = 1))"};
const Sql kMoveReservation{"life: move reservation",
                           "UPDATE deliveries SET reservation = $2, agenda = $2, updated = $3"
                           " WHERE key = $1 AND status = 3 AND deleted = 0"};
const Sql kStart{
    "life: start",
    "UPDATE deliveries d SET status = CASE total WHEN 0 THEN 6 ELSE 5 END,"
    " phase = CASE total WHEN 0 THEN 6 ELSE 5 END, started = $2::bigint,"
    " expires = $2::bigint + least($3::bigint, life),"
    " finished = CASE total WHEN 0 THEN $2::bigint END, agenda = NULL, signing = $4, updated = $2"
    " WHERE key = $1 AND status IN (3, 4) AND deleted = 0 AND NOT coalesce(agenda > $5, false)"
    " AND NOT EXISTS (SELECT 1 FROM approvals p WHERE p.delivery = $1 AND p.state <> 2)"
    " AND (SELECT suspended FROM accounts a WHERE a.key = d.account) = 0"
    " RETURNING traffic, account, total"};
const Sql kCountUsage{
    "life: usage",
    "INSERT INTO usages(account, month, slot, mails, updated) VALUES($1, $2, $3, $4, $5)"
    " ON CONFLICT(account, month, slot) DO UPDATE SET mails = usages.mails + excluded.mails,"
    " updated = greatest(usages.updated, excluded.updated)"};
// Before the delivery's row, as everywhere. Bulk batches are due since they were made.
const Sql kLockUrgentBatches{"life: lock batches",
                             "SELECT b.number FROM sections s JOIN batches b ON b.section = s.id"
                             " AND b.traffic = 0 WHERE s.delivery = $1 AND s.state = 1"
                             " ORDER BY b.number FOR NO KEY UPDATE OF b"};
const Sql kMakeDue{"life: make due",
                   "UPDATE batches SET ready_at = $2 WHERE number = ANY($1) AND open > 0"};
const Sql kFail{"life: fail",
                "UPDATE deliveries SET status = 7, phase = 7, finished = $3, agenda = NULL,"
                " cancelled = total, failure_reason = $2, updated = $3"
                " WHERE key = $1 AND status IN (3, 4) AND deleted = 0"
                " RETURNING account, type, total"};
// All batches of a transaction, which follow its key, and of its sections.
const Sql kLockItsBatches{
    "life: lock its batches",
    "SELECT number FROM batches WHERE number = ANY(ARRAY("
    "WITH RECURSIVE its(number) AS (SELECT number FROM batches"
    " WHERE number = $1 AND delivery = $1 UNION ALL"
    " SELECT b.number FROM its JOIN batches b ON b.number = its.number + 1"
    " AND b.delivery = $1) SELECT number FROM its UNION"
    " SELECT b.number FROM sections s CROSS JOIN LATERAL (SELECT number FROM batches"
    " WHERE section = s.id AND traffic = 0 OFFSET 0) b WHERE s.delivery = $1))"
    " ORDER BY number FOR NO KEY UPDATE"};
// Out of the index of what is due, which is asked for all transactions at once.
const Sql kWithdraw{"life: withdraw",
                    "UPDATE batches SET ready_at = NULL, holder = 0 WHERE number = ANY($1)"};
const Sql kDelete{"life: delete",
                  "UPDATE deliveries SET deleted = 1, agenda = NULL, updated = $2 WHERE key = $1"
                  " AND deleted = 0 AND status <> 2"};
const Sql kDiscardAll{"life: discard sections",
                      "UPDATE sections SET state = 3 WHERE delivery = $1"};

std::unexpected<Error> wrong_status(const Delivery& delivery, std::string_view wanted) {
  return fail(ErrorKind::conflict, fmt::format("the delivery is in status {}, not {}",
                                               to_string(delivery.status), wanted));
}

// After a change whose condition named a status: what stood against it, if anything did.
Result<void> changed_one(Session& session, const Result<Table>& changed, DeliveryKey key,
                         std::string_view wanted) {
  if (!changed) return fail(changed.error());
  if (changed->changes() > 0) return {};
  const auto delivery = delivery_row(session, key);
  if (!delivery) return fail(delivery.error());
  return wrong_status(*delivery, wanted);
}

Column numbers_in(const Table& rows) {
  Column numbers(kInt8);
  for (int i = 0; i < rows.size(); ++i) numbers.add(rows.integer(i, 0));
  return numbers;
}

}  // namespace

Result<void> Changes::commit_draft(DeliveryKey key, std::optional<Instant> reservation,
                                   const AskedBy& by) {
  const auto status = reservation ? DeliveryStatus::reserve : DeliveryStatus::wait;
  const auto committed =
      session_.ask(kCommitDraft, Params() << key << status << reservation
                                          << reservation.value_or(Instant{}) << session_.now());
  auto done = changed_one(session_, committed, key, "edit");
  if (!done) return done;
  const AccountKey account{committed->integer(0, 0)};
  if (static_cast<DeliveryType>(committed->integer(0, 1)) != DeliveryType::bulk) {
    return tell_each(key, account, EventKind::accepted);
  }
  const auto rules = questions_.sign_in_rules(account);
  if (!rules) return fail(rules.error());
  return rules->approval ? ask_approval(key, account, reservation, by) : forget_approval(key);
}

// About each recipient of a transaction that was made as a reservation.
Result<void> Changes::tell_each(DeliveryKey key, AccountKey account, EventKind kind) {
  const auto rows = session_.ask(kItsRecipients, Params() << key);
  if (!rows) return fail(rows.error());
  for (int i = 0; i < rows->size(); ++i) {
    events_.add(account, {.kind = kind,
                          .at = session_.now(),
                          .delivery = key,
                          .batch = batch_key(number_of(key), rows->integer(i, 0)).batch,
                          .seq = static_cast<std::uint32_t>(rows->integer(i, 1))});
  }
  return {};
}

Result<void> Changes::cancel_reservation(DeliveryKey key) {
  auto done =
      changed_one(session_, session_.ask(kCancelReservation, Params() << key << session_.now()),
                  key, "reserve");
  return done ? end_approval(key) : done;
}

Result<void> Changes::move_reservation(DeliveryKey key, Instant reservation, const AskedBy& by) {
  auto done = changed_one(
      session_, session_.ask(kMoveReservation, Params() << key << reservation << session_.now()),
      key, "reserve");
  return done ? void_approval(key, by) : done;
}

Result<void> Changes::start_delivery(DeliveryKey key, std::string_view signing,
                                     Milliseconds life_time) {
  const Instant now = session_.now();
  const auto answers =
      session_.add(kLockUrgentBatches, Params() << key)
          .add(kStart, Params() << key << now << life_time << signing << session_.wall())
          .fly();
  if (!answers) return fail(answers.error());
  const Table& started = answers->back();
  if (started.empty()) {
    const auto delivery = delivery_row(session_, key);
    if (!delivery) return fail(delivery.error());
    return wrong_status(*delivery, "reserve or wait");
  }
  const AccountKey account{started.integer(0, 1)};
  const std::int64_t total = started.integer(0, 2);
  events_.add(account, event_of_many(EventKind::delivery_started, key, total, now));
  if (total == 0) events_.add(account, event_of_many(EventKind::delivery_finished, key, 0, now));
  if (total > 0) {
    const auto counted =
        session_.ask(kCountUsage, Params() << account << month_of(now)
                                           << (number_of(key) & (kUsageSlots - 1)) << total << now);
    if (!counted) return fail(counted.error());
  }
  if (static_cast<TrafficClass>(started.integer(0, 0)) == TrafficClass::bulk) return {};
  const auto due = session_.ask(kMakeDue, Params() << numbers_in(answers->front()) << now);
  if (!due) return fail(due.error());
  return {};
}

Result<void> Changes::fail_delivery(DeliveryKey key, std::string_view reason) {
  const auto failed = session_.ask(kFail, Params() << key << reason << session_.now());
  auto done = changed_one(session_, failed, key, "reserve or wait");
  if (!done) return done;
  const AccountKey account{failed->integer(0, 0)};
  if (static_cast<DeliveryType>(failed->integer(0, 1)) != DeliveryType::bulk) {
    auto told = tell_each(key, account, EventKind::cancelled);
    if (!told) return told;
  }
  events_.add(account, event_of_many(EventKind::delivery_failed, key, failed->integer(0, 2),
                                     session_.now()));
  return end_approval(key);
}

Result<void> Changes::delete_delivery(DeliveryKey key) {
  const auto seen = delivery_row(session_, key);
  if (!seen) return fail(seen.error());
  if (seen->traffic == TrafficClass::transactional) {
    const auto locked = session_.ask(kLockItsBatches, Params() << key);
    if (!locked) return fail(locked.error());
    session_.add(kWithdraw, Params() << numbers_in(*locked));
  }
  const auto deleted =
      session_.add(kDiscardAll, Params() << key).ask(kDelete, Params() << key << session_.now());
  if (!deleted) return fail(deleted.error());
  if (deleted->changes() > 0) return end_approval(key);
  const auto delivery = delivery_row(session_, key);
  if (!delivery) return fail(delivery.error());
  return fail(ErrorKind::conflict, "the delivery is importing");
}

}  // namespace todoku::store::postgres
