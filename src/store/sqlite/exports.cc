// SPDX-License-Identifier: Apache-2.0
// Exports (store/exports.h).
#include <algorithm>

#include <fmt/format.h>

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

ExportJob export_in(const Query& row) {
  ExportJob job;
  job.account = AccountKey{row.integer(0)};
  job.id = row.integer(1);
  job.kind = static_cast<ExportKind>(row.integer(2));
  job.parameters = row.text(3);
  job.language = static_cast<Language>(row.integer(4));
  job.status = static_cast<ExportStatus>(row.integer(5));
  job.percentage = static_cast<std::int32_t>(row.integer(6));
  job.total = row.integer(7);
  job.file = row.text(8);
  job.created = row.instant(9);
  job.ended = row.optional_instant(10);
  return job;
}

std::unexpected<Error> not_its_own(PublicId id) {
  return fail(ErrorKind::conflict,
              fmt::format("export job {} has ended, or another node has it", id));
}

Result<std::vector<ExportJob>> exports_in(Query& rows) {
  std::vector<ExportJob> jobs;
  while (rows.next()) jobs.push_back(export_in(rows));
  if (rows.failed()) return fail(rows.error());
  return jobs;
}

}  // namespace

Result<ExportJob> Queries::export_job(AccountKey account, ExportKind kind, PublicId id) {
  auto query = db_.query(
      "SELECT "
      "account, id, kind, parameters, language, status, percentage, total, file, created, ended"
      " FROM export_jobs WHERE account = ? AND id = ? AND kind = ?");
  query.bind(account, id, kind);
  if (query.next()) return export_in(query);
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, fmt::format("there is no such export job {}", id));
}

Result<std::vector<ExportJob>> Queries::running_exports(NodeKey node, std::int64_t limit) {
  auto query = db_.query(
      "SELECT "
      "account, id, kind, parameters, language, status, percentage, total, file, created, ended"
      " FROM export_jobs WHERE status = 1 AND (node = ?1 OR NOT EXISTS"
      " (SELECT 1 FROM nodes n WHERE n.key = export_jobs.node AND n.void = 0))"
      " ORDER BY created LIMIT ?2");
  query.bind(node, limit);
  return exports_in(query);
}

Result<std::vector<ExportJob>> Queries::ended_exports(Instant before, std::int64_t limit) {
  auto query = db_.query(
      "SELECT "
      "account, id, kind, parameters, language, status, percentage, total, file, created, ended"
      " FROM export_jobs WHERE ended IS NOT NULL AND ended < ?"
      " ORDER BY ended LIMIT ?");
  query.bind(before, limit);
  return exports_in(query);
}

Result<ExportJob> SqliteWriteTransaction::create_export(const NewExport& wanted) {
  {
    auto query = db_.query("SELECT count(*) FROM export_jobs WHERE account = ? AND status = 1");
    query.bind(wanted.account);
    if (query.next() && query.integer(0) >= kExportsOfAccountMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("{} exports of the account are not done yet", query.integer(0)));
    }
    if (query.failed()) return fail(query.error());
  }
  const auto id = counters_.take_ids(wanted.account, IdKind::job, 1);
  if (!id) return fail(id.error());
  auto done = db_.query(
                     "INSERT INTO export_jobs(account, id, kind, parameters, language, status,"
                     " percentage, total, file, node, created)"
                     " VALUES(?, ?, ?, ?, ?, 1, 0, 0, '', 0, ?)")
                  .bind(wanted.account, *id, wanted.kind, std::string_view(wanted.parameters),
                        wanted.language, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return queries_.export_job(wanted.account, wanted.kind, *id);
}

Result<void> SqliteWriteTransaction::take_export(AccountKey account, PublicId id, NodeKey node) {
  auto done = db_.query(
                     "UPDATE export_jobs SET node = ?1, percentage = 0 WHERE account = ?2"
                     " AND id = ?3 AND status = 1 AND NOT EXISTS (SELECT 1 FROM nodes n"
                     " WHERE n.key = export_jobs.node AND n.key <> ?1 AND n.void = 0)")
                  .bind(node, account, id)
                  .run();
  if (done && db_.changes() == 0) return not_its_own(id);
  return done;
}

Result<void> SqliteWriteTransaction::tell_export(AccountKey account, PublicId id, NodeKey node,
                                                 std::int32_t percentage) {
  auto done = db_.query(
                     "UPDATE export_jobs SET percentage = ? WHERE account = ? AND id = ?"
                     " AND status = 1 AND node = ?")
                  .bind(std::clamp(percentage, 0, 99), account, id, node)
                  .run();
  if (done && db_.changes() == 0) return not_its_own(id);
  return done;
}

Result<void> SqliteWriteTransaction::end_export(AccountKey account, PublicId id, NodeKey node,
                                                const ExportEnd& end) {
  if (end.status == ExportStatus::running) {
    return fail(ErrorKind::invalid_input, "an export cannot end as running");
  }
  auto done = db_.query(
                     "UPDATE export_jobs SET status = ?, percentage = 100, total = ?, file = ?,"
                     " ended = ? WHERE account = ? AND id = ? AND status = 1 AND node = ?")
                  .bind(end.status, end.total, std::string_view(end.file), now_, account, id, node)
                  .run();
  if (done && db_.changes() == 0) return not_its_own(id);
  return done;
}

Result<void> SqliteWriteTransaction::drop_export(AccountKey account, PublicId id) {
  return db_.query("DELETE FROM export_jobs WHERE account = ? AND id = ? AND status <> 1")
      .bind(account, id)
      .run();
}

}  // namespace todoku::store::sqlite
