// SPDX-License-Identifier: Apache-2.0
// Imports: recipients go to a section of their own, which one row makes visible or discards. A
// job's row is locked first, its delivery's last.
#include <fmt/format.h>

#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kBeginImport{"imports: begin",
                       "UPDATE deliveries SET status = 2, phase = 2, updated = $2"
                       " WHERE key = $1 AND status = 1 AND deleted = 0 RETURNING account"};
const Sql kStagedSection{"imports: section",
                         "INSERT INTO sections(id, delivery, state)"
                         " VALUES($1, $2, 2)"};
const Sql kInsertJob{
    "imports: insert",
    "INSERT INTO import_jobs(account, id, delivery, section, status, ignore_errors, immediate,"
    " keep_duplicates, language, percentage, staged, folded, success, failed, total, upload_file,"
    " error_file, created, node, form, dry_run, dry_file, asked_by, asked_person)"
    " VALUES($1, $2, $3, $4, 1, $5, $6, $7, $8, 0, 0, 0, 0, 0, 0, $9, '', $10, $11, $12, $13,"
    " $14, $15, $16)"};
const Sql kLockJob{"imports: lock job",
                   "SELECT j.delivery, j.section, j.staged, j.status, j.node FROM import_jobs j"
                   " JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0"
                   " WHERE j.account = $1 AND j.id = $2 FOR NO KEY UPDATE OF j"};
// The list lives as long as its job runs, what was wrong with it as long as its job is there.
const Sql kWantUpload{"imports: want upload",
                      "UPDATE uploads SET wanted = 1 WHERE name = $1 AND wanted = 0"};
const Sql kDropList{"imports: drop list",
                    "UPDATE uploads SET name = NULL, gone = 1 WHERE name ="
                    " (SELECT upload_file || dry_file FROM import_jobs"
                    " WHERE account = $1 AND id = $2)"};
const Sql kEndJob{"imports: end",
                  "UPDATE import_jobs SET status = $3, percentage = 100, success = $4, failed = $5,"
                  " total = $6, upload_file = '', dry_file = '', error_file = $7,"
                  " folded = $8, findings = $9"
                  " WHERE account = $1 AND id = $2"};
const Sql kEndSection{"imports: end section",
                      "UPDATE sections SET state = $2, open_batch = NULL WHERE id = $1"};
const Sql kBackToEdit{"imports: back to edit",
                      "UPDATE deliveries SET status = 1, phase = 1, total = total + $2,"
                      " updated = $3 WHERE key = $1"};
// Before who has it is looked at: of two that take one at once, the second sees the first.
const Sql kHoldJob{"imports: hold job",
                   "SELECT node FROM import_jobs WHERE account = $1 AND id = $2 FOR NO KEY UPDATE"};
// Unless another node that lives has it.
const Sql kTakeJob{"imports: take over",
                   "UPDATE import_jobs j SET node = $3 WHERE account = $1 AND id = $2"
                   " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.key = j.node AND n.key <> $3"
                   " AND n.void = 0)"};
const Sql kRestartJob{"imports: restart",
                      "UPDATE import_jobs SET section = $3, staged = 0, folded = 0, percentage = 0"
                      " WHERE account = $1 AND id = $2"};

struct RunningImport {
  DeliveryKey delivery{};
  std::int64_t section = 0;
  std::int64_t staged = 0;
};

Result<RunningImport> running_import(Session& session, PublicId job, AccountKey account,
                                     NodeKey node) {
  const auto rows = session.ask(kLockJob, Params() << account << job);
  if (!rows) return fail(rows.error());
  if (rows->empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no import job {}", job));
  }
  if (static_cast<ImportStatus>(rows->integer(0, 3)) != ImportStatus::running) {
    return fail(ErrorKind::conflict, fmt::format("import job {} has ended", job));
  }
  if (NodeKey{rows->integer(0, 4)} != node) {
    return fail(ErrorKind::conflict, fmt::format("import job {} has another node", job));
  }
  return RunningImport{.delivery = DeliveryKey{rows->integer(0, 0)},
                       .section = rows->integer(0, 1),
                       .staged = rows->integer(0, 2)};
}

}  // namespace

Result<ImportJob> Changes::create_import(DeliveryKey key, const NewImport& import, NodeKey node) {
  const auto section = session_.take_numbers(1);
  if (!section) return fail(section.error());
  const auto begun = session_.ask(kBeginImport, Params() << key << session_.now());
  if (!begun) return fail(begun.error());
  if (begun->empty()) {
    const auto delivery = delivery_row(session_, key);
    if (!delivery) return fail(delivery.error());
    return fail(ErrorKind::conflict,
                fmt::format("the delivery is in status {}, not edit", to_string(delivery->status)));
  }
  const AccountKey account{begun->integer(0, 0)};
  const auto id = session_.take_ids(account, IdKind::job, 1);
  if (!id) return fail(id.error());
  constexpr std::string_view kNone;
  const std::string_view upload = import.upload;
  const auto done =
      session_.add(kStagedSection, Params() << *section << key)
          .add(kInsertJob, Params()
                               << account << *id << key << *section << import.ignore_errors
                               << import.immediate << import.keep_duplicates << import.language
                               << (import.dry_run ? kNone : upload) << session_.now() << node
                               << import.form << import.dry_run << (import.dry_run ? upload : kNone)
                               << std::string_view(import.asked_by.actor) << import.asked_by.person)
          .add(kWantUpload, Params() << upload)
          .fly();
  if (!done) return fail(done.error());
  return questions_.import_job(account, *id);
}

Result<void> Changes::end_import(PublicId job, AccountKey account, const ImportEnd& end,
                                 NodeKey node) {
  if (end.status == ImportStatus::running) {
    return fail(ErrorKind::invalid_input, "an import cannot end as running");
  }
  const auto import = running_import(session_, job, account, node);
  if (!import) return fail(import.error());
  const bool finished = end.status == ImportStatus::finished;
  const std::int64_t appended = finished ? import->staged : 0;
  events_.add(account, event_of_many(EventKind::import_ended, import->delivery, appended,
                                     session_.now(), job));
  const auto done =
      session_.add(kDropList, Params() << account << job)
          .add(kWantUpload, Params() << std::string_view(end.errors))
          .add(kEndJob, Params() << account << job << end.status << end.success_count
                                 << end.failed_count << end.total_count
                                 << std::string_view(end.errors) << end.folded
                                 << std::string_view(end.findings))
          .add(kEndSection, Params()
                                << import->section << (finished ? kSectionLive : kSectionDiscarded))
          .add(kBackToEdit, Params() << import->delivery << appended << session_.now())
          .fly();
  if (!done) return fail(done.error());
  return {};
}

// With the row held nobody takes it over before it has ended.
Result<void> Changes::cancel_import(PublicId job, AccountKey account) {
  const auto held = session_.ask(kHoldJob, Params() << account << job);
  if (!held) return fail(held.error());
  if (held->empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no import job {}", job));
  }
  return end_import(
      job, account,
      {.status = ImportStatus::failed, .errors = {}, .findings = std::string(kCancelledFindings)},
      NodeKey{held->integer(0, 0)});
}

Result<void> Changes::restart_import(PublicId job, AccountKey account, NodeKey node) {
  const auto section = session_.take_numbers(1);
  if (!section) return fail(section.error());
  session_.add(kHoldJob, Params() << account << job)
      .add(kTakeJob, Params() << account << job << node);
  const auto import = running_import(session_, job, account, node);
  if (!import) return fail(import.error());
  const auto done = session_.add(kEndSection, Params() << import->section << kSectionDiscarded)
                        .add(kStagedSection, Params() << *section << import->delivery)
                        .add(kRestartJob, Params() << account << job << *section)
                        .fly();
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
