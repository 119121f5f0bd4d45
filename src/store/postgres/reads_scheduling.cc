// SPDX-License-Identifier: Apache-2.0
// Questions of the scheduler about deliveries and imports, and figures of what waits.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/records.h"
#include "store/steering_row.h"

namespace todoku::store::postgres {
namespace {

const Sql kToStart{"scheduling: to start",
                   "SELECT " DELIVERY_COLUMNS
                   ", c.from_address, c.from_name, c.subject, coalesce((SELECT p.state = 1"
                   " FROM approvals p WHERE p.delivery = d.key), false)::int::bigint"
                   " FROM deliveries d JOIN accounts a ON a.key = d.account AND a.suspended = 0"
                   " LEFT JOIN contents c ON c.delivery = d.key"
                   " WHERE d.agenda IS NOT NULL AND d.agenda <= $1"
                   " ORDER BY d.agenda, d.key LIMIT $2"};
const Sql kNextReservation{"scheduling: next reservation",
                           "SELECT agenda FROM deliveries WHERE agenda IS NOT NULL AND agenda > $1"
                           " ORDER BY agenda LIMIT 1"};
const Sql kReservedWork{
    "scheduling: reserved work",
    "SELECT count(*), coalesce(sum(total), 0)::bigint, min(agenda) FROM (SELECT total, agenda"
    " FROM deliveries WHERE agenda IS NOT NULL AND agenda > $1 ORDER BY agenda LIMIT $2) t"};
const Sql kSendingBulk{"scheduling: sending bulk",
                       "SELECT d.key, d.account, a.weight, d.expires, t.mails, t.minutes,"
                       " t.used_to, t.goes_from, t.goes_until FROM deliveries d"
                       " JOIN accounts a ON a.key = d.account"
                       " LEFT JOIN steering t ON t.delivery = d.key"
                       " WHERE d.phase = 5 AND d.traffic = 1 AND d.deleted = 0"
                       " AND ((a.suspended = 0 AND d.course <> 1 AND NOT " CREDENTIAL_IS_HELD
                       ") OR d.expires <= $1)"
                       " ORDER BY d.key"};

#define JOB_COLUMNS                                                                   \
  "SELECT j.id, j.account, j.delivery, d.id, j.status, j.ignore_errors, j.immediate," \
  " j.percentage, j.success, j.failed, j.total, j.upload_file || j.dry_file,"         \
  " j.error_file, j.created, j.keep_duplicates, j.language, j.folded, j.form,"        \
  " j.dry_run, j.findings, j.asked_by, j.asked_person"                                \
  " FROM import_jobs j JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0 WHERE "
const Sql kImportJob{"scheduling: import job", JOB_COLUMNS "j.account = $1 AND j.id = $2"};
const Sql kRunningImports{"scheduling: running imports", JOB_COLUMNS
                          "j.status = 1 AND (j.node = $1 OR NOT EXISTS"
                          " (SELECT 1 FROM nodes n WHERE n.key = j.node AND n.void = 0))"
                          " ORDER BY j.created, j.account, j.id"};
const Sql kWaitingLists{"scheduling: waiting lists",
                        "SELECT upload_file || dry_file FROM import_jobs"
                        " WHERE status = 1 AND account = $1"};
const Sql kImportErrors{"scheduling: import errors",
                        "SELECT error_file FROM import_jobs WHERE delivery = $1"
                        " AND error_file <> ''"};

// What waits for a node, and what one has in hand. OFFSET 0: whatever the planner thinks of a table
// that it knows nothing of, these rows are looked up one by one.
const Sql kUrgentWaiting{
    "figures: urgent",
    "SELECT coalesce((SELECT sum(open) FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL), 0)::bigint + coalesce((SELECT sum(h.open) FROM nodes n"
    " CROSS JOIN LATERAL (SELECT open FROM batches WHERE holder = n.key AND holder <> 0"
    " AND traffic = 0 OFFSET 0) h), 0)::bigint,"
    " (SELECT ready_at FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL AND ready_at <= $1 ORDER BY ready_at LIMIT 1),"
    " coalesce((SELECT sum(open) FROM (SELECT open FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL AND ready_at <= $1 ORDER BY ready_at LIMIT $2) d), 0)::bigint"};
const Sql kBulkWaiting{"figures: bulk",
                       "SELECT coalesce(sum(total - delivered - bounced - dropped - expired"
                       " - cancelled - unknown), 0)::bigint, coalesce(sum(deferred), 0)::bigint"
                       " FROM deliveries WHERE phase = 5 AND traffic = 1 AND deleted = 0"};
const Sql kBulkOldest{"figures: bulk oldest",
                      "SELECT min(greatest(d.started, b.ready_at, t.goes_from)) FROM deliveries d"
                      " LEFT JOIN steering t ON t.delivery = d.key"
                      " JOIN accounts a ON a.key = d.account AND a.suspended = 0"
                      " JOIN sections s ON s.delivery = d.key AND s.state = 1"
                      " CROSS JOIN LATERAL (SELECT ready_at FROM batches WHERE section = s.id"
                      " AND ready_at IS NOT NULL AND ready_at <= $1 ORDER BY ready_at LIMIT 1) b"
                      " WHERE d.phase = 5 AND d.traffic = 1 AND d.deleted = 0 AND d.course = 0"
                      " AND coalesce(t.mails, 0) = 0"
                      " AND coalesce(t.goes_from <= $1 AND coalesce(t.goes_until > $1, true), true)"
                      " AND NOT " CREDENTIAL_IS_HELD};
// What goes out in bulk, what waits, and what nodes have in hand, as of kUrgentWaiting. Of each:
// deliveries, recipients, those in hand, what was looked at.
#define OF_ACCOUNT " FILTER (WHERE u.account = $1"
const Sql kWorkOf{
    "figures: of an account",
    "SELECT count(*), coalesce(sum(total - delivered - bounced - dropped - expired"
    " - cancelled - unknown), 0)::bigint, 0::bigint, 0::bigint FROM deliveries"
    " WHERE phase = 5 AND traffic = 1 AND deleted = 0 AND account = $1"
    " UNION ALL SELECT count(DISTINCT u.delivery)" OF_ACCOUNT "), coalesce(sum(u.open)" OF_ACCOUNT
    "), 0)::bigint, 0, count(*)"
    " FROM (SELECT account, delivery, open FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL ORDER BY ready_at LIMIT $2) u"
    " UNION ALL SELECT count(DISTINCT u.delivery)" OF_ACCOUNT
    " AND u.traffic = 0), coalesce(sum(u.open)" OF_ACCOUNT
    " AND u.traffic = 0), 0)::bigint, coalesce(sum(u.open)" OF_ACCOUNT
    "), 0)::bigint, count(*)"
    " FROM (SELECT h.* FROM nodes n CROSS JOIN LATERAL (SELECT account, delivery, traffic,"
    " open FROM batches WHERE holder = n.key AND holder <> 0 OFFSET 0) h LIMIT $2) u"};
#define BEGUN_BEFORE                                                        \
  " u LEFT JOIN LATERAL (SELECT key FROM deliveries WHERE key = u.delivery" \
  " AND u.account = $1 AND started < $2 OFFSET 0) d ON true"
const Sql kBegunBefore{
    "figures: what began before",
    "SELECT count(*), 0::bigint FROM deliveries"
    " WHERE phase = 5 AND traffic = 1 AND deleted = 0 AND account = $1 AND started < $2"
    " UNION ALL SELECT count(d.key), count(*) FROM (SELECT account, delivery FROM batches"
    " WHERE traffic = 0 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT $3)" BEGUN_BEFORE
    " UNION ALL SELECT count(d.key), count(*)"
    " FROM (SELECT h.* FROM nodes n CROSS JOIN LATERAL (SELECT account, delivery FROM batches"
    " WHERE holder = n.key AND holder <> 0 OFFSET 0) h LIMIT $3)" BEGUN_BEFORE};
#define ASIDE_JOINS                                                                             \
  " FROM suspects s CROSS JOIN LATERAL (SELECT 1 FROM progress p WHERE p.batch = s.batch"       \
  " AND p.seq = s.seq AND p.state <= 1 OFFSET 0) p"                                             \
  " CROSS JOIN LATERAL (SELECT delivery, account, first_email_id, domain, traffic FROM batches" \
  " WHERE number = s.batch OFFSET 0) b"                                                         \
  " CROSS JOIN LATERAL (SELECT id FROM deliveries WHERE key = b.delivery AND deleted = 0"       \
  " OFFSET 0) d"
const Sql kAsideCounts{"figures: set aside",
                       "SELECT count(*) FILTER (WHERE b.traffic = 0),"
                       " count(*) FILTER (WHERE b.traffic = 1)" ASIDE_JOINS
                       " WHERE s.aside IS NOT NULL"};
const Sql kAside{
    "scheduling: set aside",
    "SELECT s.batch, s.seq, s.aside, b.delivery, b.account, b.first_email_id,"
    " b.domain, r.address, d.id" ASIDE_JOINS
    " CROSS JOIN LATERAL (SELECT address FROM recipients WHERE batch = s.batch"
    " AND seq = s.seq OFFSET 0) r WHERE s.aside IS NOT NULL ORDER BY s.aside LIMIT $1"};

ImportJob import_job_in(const Table& rows, int row) {
  ImportJob job;
  job.id = rows.integer(row, 0);
  job.account = AccountKey{rows.integer(row, 1)};
  job.delivery = DeliveryKey{rows.integer(row, 2)};
  job.delivery_id = rows.integer(row, 3);
  job.status = static_cast<ImportStatus>(rows.integer(row, 4));
  job.ignore_errors = rows.flag(row, 5);
  job.immediate = rows.flag(row, 6);
  job.percentage = static_cast<std::int32_t>(rows.integer(row, 7));
  job.success_count = rows.integer(row, 8);
  job.failed_count = rows.integer(row, 9);
  job.total_count = rows.integer(row, 10);
  job.upload = rows.text(row, 11);
  job.errors = rows.text(row, 12);
  job.created = rows.instant(row, 13);
  job.keep_duplicates = rows.flag(row, 14);
  job.language = static_cast<Language>(rows.integer(row, 15));
  job.folded = rows.integer(row, 16);
  job.form = static_cast<ImportForm>(rows.integer(row, 17));
  job.dry_run = rows.flag(row, 18);
  job.findings = rows.text(row, 19);
  job.asked_by = {.actor = std::string(rows.text(row, 20)),
                  .person = PersonKey{rows.integer(row, 21)}};
  return job;
}

}  // namespace

Result<std::vector<StartingDelivery>> Questions::deliveries_to_start(std::int64_t limit) {
  const auto rows = session_.ask(kToStart, Params() << session_.wall() << limit);
  if (!rows) return fail(rows.error());
  std::vector<StartingDelivery> starting;
  for (int i = 0; i < rows->size(); ++i) {
    StartingDelivery& next = starting.emplace_back();
    next.delivery = delivery_in(*rows, i);
    next.delivery.content.from = {std::string(rows->text(i, kDeliveryColumns)),
                                  std::string(rows->text(i, kDeliveryColumns + 1))};
    next.delivery.content.subject = rows->text(i, kDeliveryColumns + 2);
    next.lapsed = rows->flag(i, kDeliveryColumns + 3);
    if (next.delivery.reservation) next.late = session_.wall() - *next.delivery.reservation;
  }
  return starting;
}

Result<std::optional<Milliseconds>> Questions::next_reservation() {
  const auto rows = session_.ask(kNextReservation, Params() << session_.wall());
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return rows->instant(0, 0) - session_.wall();
}

Result<ReservedWork> Questions::reserved_work() {
  const auto rows = session_.ask(kReservedWork, Params() << session_.wall() << kReservedLookedAt);
  if (!rows) return fail(rows.error());
  return ReservedWork{.deliveries = rows->integer(0, 0),
                      .recipients = rows->integer(0, 1),
                      .first = rows->optional_instant(0, 2),
                      .more = rows->integer(0, 0) == kReservedLookedAt};
}

Result<std::vector<SendingDelivery>> Questions::sending_bulk() {
  const auto rows = session_.ask(kSendingBulk, Params() << session_.now());
  if (!rows) return fail(rows.error());
  std::vector<SendingDelivery> sending;
  for (int i = 0; i < rows->size(); ++i) {
    sending.push_back({.key = DeliveryKey{rows->integer(i, 0)},
                       .account = AccountKey{rows->integer(i, 1)},
                       .weight = static_cast<std::uint32_t>(rows->integer(i, 2)),
                       .expires_in = rows->instant(i, 3) - session_.now()});
    if (rows->null(i, 4)) continue;
    SteeringRow row{.mails = rows->integer(i, 4),
                    .minutes = rows->integer(i, 5),
                    .goes_from = rows->instant(i, 7),
                    .used_to = rows->integer(i, 6)};
    if (!rows->null(i, 8)) row.goes_until = rows->instant(i, 8);
    note_steering(sending.back(), row, session_.now());
  }
  return sending;
}

Result<ImportJob> Questions::import_job(AccountKey account, PublicId id) {
  const auto rows = session_.ask(kImportJob, Params() << account << id);
  if (!rows) return fail(rows.error());
  if (rows->empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no import job {}", id));
  }
  return import_job_in(*rows, 0);
}

Result<std::vector<ImportJob>> Questions::running_imports(NodeKey node) {
  const auto rows = session_.ask(kRunningImports, Params() << node);
  if (!rows) return fail(rows.error());
  std::vector<ImportJob> jobs;
  for (int i = 0; i < rows->size(); ++i) jobs.push_back(import_job_in(*rows, i));
  return jobs;
}

Result<std::vector<std::string>> Questions::waiting_lists(AccountKey account) {
  const auto rows = session_.ask(kWaitingLists, Params() << account);
  if (!rows) return fail(rows.error());
  std::vector<std::string> names;
  for (int i = 0; i < rows->size(); ++i) names.emplace_back(rows->text(i, 0));
  return names;
}

Result<std::vector<std::string>> Questions::import_errors(DeliveryKey key) {
  const auto rows = session_.ask(kImportErrors, Params() << key);
  if (!rows) return fail(rows.error());
  std::vector<std::string> names;
  for (int i = 0; i < rows->size(); ++i) names.emplace_back(rows->text(i, 0));
  return names;
}

// ---- figures -----------------------------------------------------------------------------------

Result<AccountWork> Questions::work_of(AccountKey account) {
  const auto rows = session_.ask(kWorkOf, Params() << account << kWorkLookedAt);
  if (!rows) return fail(rows.error());
  AccountWork work;
  for (int i = 0; i < rows->size(); ++i) {
    work.deliveries += rows->integer(i, 0);
    work.recipients += rows->integer(i, 1);
    work.in_hand += rows->integer(i, 2);
    work.more = work.more || rows->integer(i, 3) >= kWorkLookedAt;
  }
  return work;
}

Result<bool> Questions::begun_before(AccountKey account, Instant at) {
  const auto rows = session_.ask(kBegunBefore, Params() << account << at << kBegunLookedAt);
  if (!rows) return fail(rows.error());
  bool some = false;
  for (int i = 0; i < rows->size(); ++i) {
    some = some || rows->integer(i, 0) > 0 || rows->integer(i, 1) >= kBegunLookedAt;
  }
  return some;
}

Result<std::vector<QueueFigures>> Questions::queue_figures() {
  const Instant now = session_.now();
  const auto answers = session_.add(kUrgentWaiting, Params() << now << kWorkLookedAt)
                           .add(kBulkWaiting)
                           .add(kBulkOldest, Params() << now)
                           .add(kAsideCounts)
                           .fly();
  if (!answers) return fail(answers.error());
  const Table& waiting = (*answers)[0];
  const Table& aside = (*answers)[3];
  std::vector<QueueFigures> figures(2);
  QueueFigures& urgent = figures[0];
  QueueFigures& bulk = figures[1];
  urgent.traffic = TrafficClass::transactional;
  urgent.waiting = waiting.integer(0, 0);
  if (const auto since = waiting.optional_instant(0, 1)) urgent.oldest = now - *since;
  urgent.ready = waiting.integer(0, 2);
  urgent.set_aside = aside.integer(0, 0);
  bulk.traffic = TrafficClass::bulk;
  bulk.waiting = (*answers)[1].integer(0, 0);
  bulk.ready = bulk.waiting - (*answers)[1].integer(0, 1);
  if (const auto since = (*answers)[2].optional_instant(0, 0)) bulk.oldest = now - *since;
  bulk.set_aside = aside.integer(0, 1);
  return figures;
}

Result<std::vector<SetAside>> Questions::set_aside(std::int64_t limit) {
  const auto rows = session_.ask(kAside, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<SetAside> list;
  for (int i = 0; i < rows->size(); ++i) {
    SetAside& aside = list.emplace_back();
    const BatchKey key = batch_key(rows->integer(i, 3), rows->integer(i, 0));
    const std::int64_t seq = rows->integer(i, 1);
    aside.key = {key.delivery, key.batch, static_cast<std::uint32_t>(seq)};
    aside.since = rows->instant(i, 2);
    aside.account = AccountKey{rows->integer(i, 4)};
    aside.email_id = rows->integer(i, 5) + seq;
    aside.address = full_address(rows->text(i, 7), rows->text(i, 6));
    aside.delivery_id = rows->integer(i, 8);
  }
  return list;
}

}  // namespace todoku::store::postgres
