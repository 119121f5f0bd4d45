// SPDX-License-Identifier: Apache-2.0
// Imports: recipients go to a section of their own, which one row makes visible or discards.
#include <algorithm>

#include <fmt/format.h>

#include "store/sqlite/recipient_appender.h"
#include "store/sqlite/transactions.h"
#include "store/texts.h"

namespace todoku::store::sqlite {

struct SqliteWriteTransaction::StagedImport {
  DeliveryKey delivery{};
  TrafficClass traffic = TrafficClass::bulk;
  std::int64_t section = 0;
  std::int64_t staged = 0;
};

Result<ImportJob> SqliteWriteTransaction::create_import(DeliveryKey key, const NewImport& import,
                                                        NodeKey node) {
  auto done = db_.query(
                     "UPDATE deliveries SET status = 2, updated = ? WHERE key = ? AND status = 1"
                     " AND deleted = 0")
                  .bind(now_, key)
                  .run();
  if (done) done = changed_one(key, "edit");
  if (!done) return fail(std::move(done.error()));
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  const auto id = counters_.take_ids(delivery->account, IdKind::job, 1);
  if (!id) return fail(id.error());
  done = db_.query("INSERT INTO sections(delivery, state) VALUES(?, ?)")
             .bind(key, kSectionStaged)
             .run();
  if (!done) return fail(std::move(done.error()));
  const std::int64_t section = sqlite3_last_insert_rowid(db_.raw());
  constexpr std::string_view kNone;
  const std::string_view upload = import.upload;
  done = db_.query(
                "INSERT INTO import_jobs(account, id, delivery, section, status, ignore_errors,"
                " immediate, percentage, staged, success, failed, total, upload_file, error_file,"
                " created, node, keep_duplicates, language, form, dry_run, dry_file, asked_by,"
                " asked_person)"
                " VALUES(?, ?, ?, ?, 1, ?, ?, 0, 0, 0, 0, 0, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)")
             .bind(delivery->account, *id, key, section, import.ignore_errors, import.immediate,
                   import.dry_run ? kNone : upload, now_, node, import.keep_duplicates,
                   static_cast<std::int64_t>(import.language), import.form, import.dry_run,
                   import.dry_run ? upload : kNone, std::string_view(import.asked_by.actor),
                   import.asked_by.person)
             .run();
  if (!done) return fail(std::move(done.error()));
  return queries_.import_job(delivery->account, *id);
}

Result<SqliteWriteTransaction::StagedImport> SqliteWriteTransaction::running_import(
    PublicId job, AccountKey account, NodeKey node) {
  auto query = db_.query(
      "SELECT j.delivery, j.section, j.staged, j.status, j.node, d.traffic FROM import_jobs j"
      " JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0"
      " WHERE j.account = ? AND j.id = ?");
  query.bind(account, job);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return fail(ErrorKind::not_found, fmt::format("there is no import job {}", job));
  }
  if (static_cast<ImportStatus>(query.integer(3)) != ImportStatus::running) {
    return fail(ErrorKind::conflict, fmt::format("import job {} has ended", job));
  }
  if (NodeKey{query.integer(4)} != node) {
    return fail(ErrorKind::conflict, fmt::format("import job {} has another node", job));
  }
  return StagedImport{.delivery = DeliveryKey{query.integer(0)},
                      .traffic = static_cast<TrafficClass>(query.integer(5)),
                      .section = query.integer(1),
                      .staged = query.integer(2)};
}

Result<Staged> SqliteWriteTransaction::stage(const StageRows& stage) {
  const auto import = running_import(stage.job, stage.account, stage.node);
  if (!import) return fail(import.error());
  if (!stage.recipients.empty()) {
    RecipientAppender appender(*this, import->delivery, stage.account, import->section,
                               import->traffic);
    const auto ids = appender.append(stage.recipients, import->staged);
    if (!ids) return fail(ids.error());
  }
  auto done = db_.query(
                     "UPDATE import_jobs SET staged = staged + ?, folded = ?, percentage = ?"
                     " WHERE account = ? AND id = ?")
                  .bind(stage.recipients.size(), stage.folded, std::clamp(stage.percentage, 0, 100),
                        stage.account, stage.job)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return Staged{};
}

Result<void> SqliteWriteTransaction::perform(Together<StageRows> items) {
  for (Pending<StageRows>* const item : items) {
    if (auto sound = check_sound(item->op); !sound) {
      item->answer = fail(std::move(sound.error()));
      continue;
    }
    auto staged = stage(item->op);
    // Refused before anything was written.
    const bool refused = !staged && (staged.error().kind == ErrorKind::not_found ||
                                     staged.error().kind == ErrorKind::conflict);
    if (!staged && !refused) return fail(std::move(staged.error()));
    item->answer = std::move(staged);
  }
  return {};
}

Result<void> SqliteWriteTransaction::end_import(PublicId job, AccountKey account,
                                                const ImportEnd& end, NodeKey node) {
  if (end.status == ImportStatus::running) {
    return fail(ErrorKind::invalid_input, "an import cannot end as running");
  }
  const auto import = running_import(job, account, node);
  if (!import) return fail(import.error());
  const bool finished = end.status == ImportStatus::finished;
  auto done = db_.query(
                     "UPDATE import_jobs SET status = ?, percentage = 100, success = ?,"
                     " failed = ?, total = ?, upload_file = '', dry_file = '',"
                     " error_file = ?, folded = ?, findings = ? WHERE account = ? AND id = ?")
                  .bind(end.status, end.success_count, end.failed_count, end.total_count,
                        std::string_view(end.errors), end.folded, std::string_view(end.findings),
                        account, job)
                  .run();
  if (!done) return done;
  done = db_.query("UPDATE sections SET state = ?, open_batch = NULL WHERE id = ?")
             .bind(finished ? kSectionLive : kSectionDiscarded, import->section)
             .run();
  if (!done) return done;
  const std::int64_t appended = finished ? import->staged : 0;
  events_.add(account,
              event_of_many(EventKind::import_ended, import->delivery, appended, now_, job));
  return db_.query("UPDATE deliveries SET status = ?, total = total + ?, updated = ? WHERE key = ?")
      .bind(DeliveryStatus::edit, appended, now_, import->delivery)
      .run();
}

Result<void> SqliteWriteTransaction::cancel_import(PublicId job, AccountKey account) {
  auto query = db_.query("SELECT node FROM import_jobs WHERE account = ? AND id = ?");
  query.bind(account, job);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return fail(ErrorKind::not_found, fmt::format("there is no import job {}", job));
  }
  const NodeKey node{query.integer(0)};
  return end_import(
      job, account,
      {.status = ImportStatus::failed, .errors = {}, .findings = std::string(kCancelledFindings)},
      node);
}

Result<void> SqliteWriteTransaction::restart_import(PublicId job, AccountKey account,
                                                    NodeKey node) {
  auto done = db_.query(
                     "UPDATE import_jobs SET node = ?1 WHERE account = ?2 AND id = ?3"
                     " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.key = import_jobs.node"
                     " AND n.key <> ?1 AND n.void = 0)")
                  .bind(node, account, job)
                  .run();
  if (!done) return done;
  const auto import = running_import(job, account, node);
  if (!import) return fail(import.error());
  done = db_.query("UPDATE sections SET state = ? WHERE id = ?")
             .bind(kSectionDiscarded, import->section)
             .run();
  if (!done) return done;
  done = db_.query("INSERT INTO sections(delivery, state) VALUES(?, ?)")
             .bind(import->delivery, kSectionStaged)
             .run();
  if (!done) return done;
  return db_
      .query(
          "UPDATE import_jobs SET section = ?, staged = 0, folded = 0, percentage = 0"
          " WHERE account = ? AND id = ?")
      .bind(sqlite3_last_insert_rowid(db_.raw()), account, job)
      .run();
}

}  // namespace todoku::store::sqlite
