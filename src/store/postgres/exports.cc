// SPDX-License-Identifier: Apache-2.0
// Exports (store/exports.h). A job names its file from its end on, so that the upload lives as long
// as the job.
#include <algorithm>

#include <fmt/format.h>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define EXPORT_COLUMNS                                                                          \
  "j.account, j.id, j.kind, j.parameters, j.language, j.status, j.percentage, j.total, j.file," \
  " j.created, j.ended"
const Sql kExportJob{"exports: one", "SELECT " EXPORT_COLUMNS
                                     " FROM export_jobs j WHERE account = $1 AND id = $2"
                                     " AND kind = $3"};
const Sql kRunningExports{"exports: running",
                          "SELECT " EXPORT_COLUMNS
                          " FROM export_jobs j WHERE status = 1 AND (node = $1 OR NOT EXISTS"
                          " (SELECT 1 FROM nodes n WHERE n.key = j.node AND n.void = 0))"
                          " ORDER BY created LIMIT $2"};
const Sql kEndedExports{"exports: ended",
                        "SELECT " EXPORT_COLUMNS
                        " FROM export_jobs j WHERE ended IS NOT NULL AND ended < $1"
                        " ORDER BY ended LIMIT $2"};
// So that of several at once not each finds room.
const Sql kLockExportOwner{"exports: lock account",
                           "SELECT key FROM accounts WHERE key = $1 FOR NO KEY UPDATE"};
const Sql kCountExports{"exports: count",
                        "SELECT count(*) FROM export_jobs WHERE account = $1 AND status = 1"};
const Sql kCreateExport{"exports: create",
                        "INSERT INTO export_jobs(account, id, kind, parameters, language, status,"
                        " percentage, total, file, node, created)"
                        " VALUES($1, $2, $3, $4, $5, 1, 0, 0, '', 0, $6)"};
const Sql kHoldExport{
    "exports: hold", "SELECT id FROM export_jobs WHERE account = $1 AND id = $2 FOR NO KEY UPDATE"};
const Sql kTakeExport{"exports: take",
                      "UPDATE export_jobs j SET node = $3, percentage = 0 WHERE account = $1"
                      " AND id = $2 AND status = 1 AND NOT EXISTS (SELECT 1 FROM nodes n"
                      " WHERE n.key = j.node AND n.key <> $3 AND n.void = 0)"};
const Sql kTellExport{"exports: tell",
                      "UPDATE export_jobs SET percentage = $4 WHERE account = $1 AND id = $2"
                      " AND status = 1 AND node = $3"};
const Sql kEndExport{"exports: end",
                     "UPDATE export_jobs SET status = $4, percentage = 100, total = $5, file = $6,"
                     " ended = $7 WHERE account = $1 AND id = $2 AND status = 1 AND node = $3"};
const Sql kWantExportFile{"exports: want file",
                          "UPDATE uploads SET wanted = 1 WHERE name = $1 AND wanted = 0"};
const Sql kDropExport{"exports: drop",
                      "DELETE FROM export_jobs WHERE account = $1 AND id = $2 AND status <> 1"
                      " RETURNING file"};

ExportJob export_in(const Table& rows, int row) {
  ExportJob job;
  job.account = AccountKey{rows.integer(row, 0)};
  job.id = rows.integer(row, 1);
  job.kind = static_cast<ExportKind>(rows.integer(row, 2));
  job.parameters = rows.text(row, 3);
  job.language = static_cast<Language>(rows.integer(row, 4));
  job.status = static_cast<ExportStatus>(rows.integer(row, 5));
  job.percentage = static_cast<std::int32_t>(rows.integer(row, 6));
  job.total = rows.integer(row, 7);
  job.file = rows.text(row, 8);
  job.created = rows.instant(row, 9);
  job.ended = rows.optional_instant(row, 10);
  return job;
}

Result<std::vector<ExportJob>> exports_in(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  std::vector<ExportJob> jobs;
  for (int i = 0; i < rows->size(); ++i) jobs.push_back(export_in(*rows, i));
  return jobs;
}

Result<void> export_is_own(const Result<Table>& changed, PublicId id) {
  if (!changed) return fail(changed.error());
  if (changed->changes() > 0) return {};
  return fail(ErrorKind::conflict,
              fmt::format("export job {} has ended, or another node has it", id));
}

}  // namespace

Result<ExportJob> Questions::export_job(AccountKey account, ExportKind kind, PublicId id) {
  const auto rows = session_.ask(kExportJob, Params() << account << id << kind);
  if (!rows) return fail(rows.error());
  if (rows->empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no such export job {}", id));
  }
  return export_in(*rows, 0);
}

Result<std::vector<ExportJob>> Questions::running_exports(NodeKey node, std::int64_t limit) {
  return exports_in(session_.ask(kRunningExports, Params() << node << limit));
}

Result<std::vector<ExportJob>> Questions::ended_exports(Instant before, std::int64_t limit) {
  return exports_in(session_.ask(kEndedExports, Params() << before << limit));
}

Result<ExportJob> Changes::create_export(const NewExport& wanted) {
  const auto id = session_.take_ids(wanted.account, IdKind::job, 1);
  if (!id) return fail(id.error());
  session_.add(kLockExportOwner, Params() << wanted.account);
  const auto running = session_.ask(kCountExports, Params() << wanted.account);
  if (!running) return fail(running.error());
  if (running->integer(0, 0) >= kExportsOfAccountMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("{} exports of the account are not done yet", running->integer(0, 0)));
  }
  const auto done = session_.ask(kCreateExport, Params() << wanted.account << *id << wanted.kind
                                                         << std::string_view(wanted.parameters)
                                                         << wanted.language << session_.now());
  if (!done) return fail(done.error());
  return questions_.export_job(wanted.account, wanted.kind, *id);
}

Result<void> Changes::take_export(AccountKey account, PublicId id, NodeKey node) {
  session_.add(kHoldExport, Params() << account << id);
  return export_is_own(session_.ask(kTakeExport, Params() << account << id << node), id);
}

Result<void> Changes::tell_export(AccountKey account, PublicId id, NodeKey node,
                                  std::int32_t percentage) {
  return export_is_own(
      session_.ask(kTellExport, Params() << account << id << node << std::clamp(percentage, 0, 99)),
      id);
}

Result<void> Changes::end_export(AccountKey account, PublicId id, NodeKey node,
                                 const ExportEnd& end) {
  if (end.status == ExportStatus::running) {
    return fail(ErrorKind::invalid_input, "an export cannot end as running");
  }
  auto ended = export_is_own(
      session_.ask(kEndExport, Params() << account << id << node << end.status << end.total
                                        << std::string_view(end.file) << session_.now()),
      id);
  if (!ended || end.file.empty()) return ended;
  const auto named = session_.ask(kWantExportFile, Params() << std::string_view(end.file));
  if (!named) return fail(named.error());
  return {};
}

Result<void> Changes::drop_export(AccountKey account, PublicId id) {
  const auto dropped = session_.ask(kDropExport, Params() << account << id);
  if (!dropped) return fail(dropped.error());
  if (dropped->empty() || dropped->text(0, 0).empty()) return {};
  return drop_upload(dropped->text(0, 0));
}

}  // namespace todoku::store::postgres
