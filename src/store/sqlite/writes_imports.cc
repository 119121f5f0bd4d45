// SPDX-License-Identifier: Apache-2.0
// Imports: recipients go to a section of their own, which one row makes visible or discards.
#include <algorithm>

#include <fmt/format.h>

#include "store/sqlite/recipient_appender.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

struct SqliteWriteTransaction::StagedImport {
  Delivery delivery;
  std::int64_t section = 0;
  std::int64_t staged = 0;
};

Result<ImportJob> SqliteWriteTransaction::create_import(DeliveryKey key, bool ignore_errors,
                                                        bool immediate,
                                                        std::string_view upload_file, Instant now) {
  const auto delivery = draft(key);
  if (!delivery) return fail(delivery.error());
  const auto id = counters_.take_ids(delivery->account, IdKind::job, 1);
  if (!id) return fail(id.error());
  auto done = db_.query("INSERT INTO sections(delivery, state) VALUES(?, ?)")
                  .bind(key, kSectionStaged)
                  .run();
  if (!done) return fail(std::move(done.error()));
  const std::int64_t section = sqlite3_last_insert_rowid(db_.raw());
  done = db_.query(
                "INSERT INTO import_jobs(account, id, delivery, section, status, ignore_errors,"
                " immediate, percentage, staged, success, failed, total, upload_file, error_file,"
                " created) VALUES(?, ?, ?, ?, 1, ?, ?, 0, 0, 0, 0, 0, ?, '', ?)")
             .bind(delivery->account, *id, key, section, ignore_errors, immediate, upload_file, now)
             .run();
  if (done) done = set_status(key, DeliveryStatus::importing, now);
  if (!done) return fail(std::move(done.error()));
  return queries_.import_job(delivery->account, *id);
}

Result<SqliteWriteTransaction::StagedImport> SqliteWriteTransaction::running_import(
    PublicId job, AccountKey account) {
  StagedImport import;
  DeliveryKey key{};
  {
    auto query = db_.query(
        "SELECT delivery, section, staged, status FROM import_jobs WHERE account = ? AND id = ?");
    query.bind(account, job);
    if (!query.next()) {
      if (query.failed()) return fail(query.error());
      return fail(ErrorKind::not_found, fmt::format("there is no import job {}", job));
    }
    if (static_cast<ImportStatus>(query.integer(3)) != ImportStatus::running) {
      return fail(ErrorKind::conflict, fmt::format("import job {} has ended", job));
    }
    key = DeliveryKey{query.integer(0)};
    import.section = query.integer(1);
    import.staged = query.integer(2);
  }
  auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(std::move(delivery.error()));
  import.delivery = std::move(*delivery);
  return import;
}

Result<void> SqliteWriteTransaction::append_staged(PublicId job, AccountKey account,
                                                   std::span<const NewRecipient> recipients,
                                                   std::int32_t percentage, Instant now) {
  const auto import = running_import(job, account);
  if (!import) return fail(import.error());
  if (!recipients.empty()) {
    RecipientAppender appender(*this, import->delivery.key, account, import->section,
                               import->delivery.traffic, now);
    const auto ids = appender.append(recipients, import->staged);
    if (!ids) return fail(ids.error());
  }
  return db_
      .query(
          "UPDATE import_jobs SET staged = staged + ?, percentage = ? WHERE account = ?"
          " AND id = ?")
      .bind(recipients.size(), std::clamp(percentage, 0, 100), account, job)
      .run();
}

Result<void> SqliteWriteTransaction::end_import(PublicId job, AccountKey account,
                                                const ImportEnd& end, Instant now) {
  if (end.status == ImportStatus::running) {
    return fail(ErrorKind::invalid_input, "an import cannot end as running");
  }
  const auto import = running_import(job, account);
  if (!import) return fail(import.error());
  const bool finished = end.status == ImportStatus::finished;
  auto done = db_.query(
                     "UPDATE import_jobs SET status = ?, percentage = 100, success = ?,"
                     " failed = ?, total = ?, upload_file = '', error_file = ?"
                     " WHERE account = ? AND id = ?")
                  .bind(end.status, end.success_count, end.failed_count, end.total_count,
                        std::string_view(end.error_file), account, job)
                  .run();
  if (!done) return done;
  done = db_.query("UPDATE sections SET state = ?, open_batch = NULL WHERE id = ?")
             .bind(finished ? kSectionLive : kSectionDiscarded, import->section)
             .run();
  if (!done) return done;
  return db_.query("UPDATE deliveries SET status = ?, total = total + ?, updated = ? WHERE key = ?")
      .bind(DeliveryStatus::edit, finished ? import->staged : 0, now, import->delivery.key)
      .run();
}

Result<void> SqliteWriteTransaction::restart_import(PublicId job, AccountKey account) {
  const auto import = running_import(job, account);
  if (!import) return fail(import.error());
  auto done = db_.query("UPDATE sections SET state = ? WHERE id = ?")
                  .bind(kSectionDiscarded, import->section)
                  .run();
  if (!done) return done;
  done = db_.query("INSERT INTO sections(delivery, state) VALUES(?, ?)")
             .bind(import->delivery.key, kSectionStaged)
             .run();
  if (!done) return done;
  return db_
      .query(
          "UPDATE import_jobs SET section = ?, staged = 0, percentage = 0"
          " WHERE account = ? AND id = ?")
      .bind(sqlite3_last_insert_rowid(db_.raw()), account, job)
      .run();
}

}  // namespace todoku::store::sqlite
