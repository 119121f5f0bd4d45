// SPDX-License-Identifier: Apache-2.0
// Removal of what was deleted or discarded, in slices. Nobody else touches such rows any more but
// who has just recorded an opening, so hardly anything is locked; several that purge at once skip
// what another has in hand.
#include "store/postgres/fate.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kDiscarded{"purge: discarded section",
                     "SELECT id FROM sections WHERE state = 3 LIMIT 1 FOR UPDATE SKIP LOCKED"};
const Sql kSectionBatches{"purge: batches of a section",
                          "SELECT number, size FROM batches WHERE section = $1 ORDER BY number"
                          " LIMIT $2"};
const Sql kDropDomainCounts{"purge: counts of domains",
                            "DELETE FROM domain_counts WHERE section = $1 AND domain = ANY(ARRAY("
                            "SELECT domain FROM domain_counts WHERE section = $1 LIMIT $2))"};
const Sql kDropSection{"purge: section", "DELETE FROM sections WHERE id = $1"};
const Sql kDeleted{"purge: deleted delivery",
                   "SELECT key FROM deliveries WHERE deleted = 1 LIMIT 1 FOR UPDATE SKIP LOCKED"};
const Sql kTransactionBatches{
    "purge: batches of a transaction",
    "WITH RECURSIVE its(number, size) AS (SELECT number, size FROM batches"
    " WHERE number = $1 AND delivery = $1 UNION ALL"
    " SELECT b.number, b.size FROM its JOIN batches b ON b.number = its.number + 1"
    " AND b.delivery = $1) SELECT number, size FROM its ORDER BY number DESC LIMIT $2"};
const Sql kDropRecipients{"purge: recipients", "DELETE FROM recipients WHERE batch = ANY($1)"};
const Sql kDropMarks{"purge: marks", "DELETE FROM recipient_marks WHERE batch = ANY($1)"};
const Sql kDropProgress{"purge: progress", "DELETE FROM progress WHERE batch = ANY($1)"};
const Sql kDropWays{"purge: on their way", "DELETE FROM on_its_way WHERE batch = ANY($1)"};
const Sql kDropSuspects{"purge: suspects", "DELETE FROM suspects WHERE batch = ANY($1)"};
// Batches that are removed together are of one account.
const Sql kDropNotSent{
    "purge: not sent",
    "DELETE FROM not_sent WHERE account = (SELECT account FROM batches"
    " WHERE number = ($1::bigint[])[1]) AND state = ANY(ARRAY[1, 3, 4, 5, 6, 7]::bigint[])"
    " AND id = ANY(ARRAY(SELECT n.id FROM batches b CROSS JOIN LATERAL (SELECT id FROM not_sent"
    " WHERE account = b.account AND state = ANY(ARRAY[1, 3, 4, 5, 6, 7]::bigint[])"
    " AND id >= b.first_email_id AND id < b.first_email_id + b.capacity OFFSET 0) n"
    " WHERE b.number = ANY($1)))"};
// Whoever records an opening holds the batch until it is committed (opens.cc).
const Sql kHoldBatches{"purge: hold batches",
                       "SELECT number FROM batches WHERE number = ANY($1) ORDER BY number"
                       " FOR UPDATE"};
const Sql kDropOpens{
    "purge: opens",
    "DELETE FROM opens WHERE account = (SELECT account FROM batches"
    " WHERE number = ($1::bigint[])[1]) AND id = ANY(ARRAY(SELECT o.id FROM batches b"
    " CROSS JOIN LATERAL (SELECT id FROM opens WHERE account = b.account"
    " AND id >= b.first_email_id AND id < b.first_email_id + b.capacity OFFSET 0) o"
    " WHERE b.number = ANY($1)))"};
const Sql kDropOpenCounts{"purge: open counts", "DELETE FROM open_counts WHERE delivery = $1"};
const Sql kDropOutcomes{"purge: outcomes", "DELETE FROM delivery_outcomes WHERE delivery = $1"};
const Sql kDropSteering{"purge: steering", "DELETE FROM steering WHERE delivery = $1"};
const Sql kDropResends{"purge: resends", "DELETE FROM resends WHERE delivery = $1"};
const Sql kDropApproval{"purge: approval", "DELETE FROM approvals WHERE delivery = $1"};
const Sql kDropBatches{"purge: batches", "DELETE FROM batches WHERE number = ANY($1)"};
const Sql kDropRelayed{"purge: relayed",
                       "UPDATE relayed SET gone = 1 WHERE key = ANY(ARRAY(SELECT relayed"
                       " FROM attachments WHERE delivery = $1 AND relayed <> 0))"};
const Sql kDropAttachments{"purge: attachments", "DELETE FROM attachments WHERE delivery = $1"};
const Sql kDropUploads{"purge: uploads of import jobs",
                       "UPDATE uploads SET name = NULL, gone = 1 WHERE name = ANY(ARRAY("
                       "SELECT error_file FROM import_jobs WHERE delivery = $1 UNION ALL"
                       " SELECT upload_file || dry_file FROM import_jobs WHERE delivery = $1))"};
const Sql kDropJobs{"purge: import jobs", "DELETE FROM import_jobs WHERE delivery = $1"};
const Sql kDropContents{"purge: contents", "DELETE FROM contents WHERE delivery = $1"};
const Sql kDropDelivery{"purge: delivery", "DELETE FROM deliveries WHERE key = $1"};
const Sql kForgetFlights{"purge: flights",
                         "DELETE FROM flights WHERE token = ANY(ARRAY(SELECT token FROM flights"
                         " WHERE at < $1 ORDER BY at LIMIT $2))"};

// As many batches as fit into `rows`, at least one. Takes them from `rows`; how many there were.
Result<int> drop_batches(Session& session, const Result<Table>& batches, std::int64_t& rows) {
  if (!batches) return fail(batches.error());
  Column numbers(kInt8);
  int dropped = 0;
  for (; dropped < batches->size() && rows > 0; ++dropped) {
    numbers.add(batches->integer(dropped, 0));
    rows -= batches->integer(dropped, 1) + 1;
  }
  if (dropped == 0) return 0;
  const auto done = session.add(kDropRecipients, Params() << numbers)
                        .add(kDropProgress, Params() << numbers)
                        .add(kDropWays, Params() << numbers)
                        .add(kDropSuspects, Params() << numbers)
                        .add(kDropMarks, Params() << numbers)
                        .add(kDropNotSent, Params() << numbers)
                        .add(kHoldBatches, Params() << numbers)
                        .add(kDropOpens, Params() << numbers)
                        .add(kDropBatches, Params() << numbers)
                        .fly();
  if (!done) return fail(done.error());
  for (int i = 0; i < 2; ++i) rows -= i == 1 ? (*done)[1].changes() : 0;
  return dropped;
}

// True when no discarded section is left.
Result<bool> purge_sections(Session& session, std::int64_t& rows) {
  while (rows > 0) {
    const auto section = session.ask(kDiscarded);
    if (!section) return fail(section.error());
    if (section->empty()) return true;
    const std::int64_t id = section->integer(0, 0);
    const auto dropped =
        drop_batches(session, session.ask(kSectionBatches, Params() << id << rows), rows);
    if (!dropped) return fail(dropped.error());
    if (*dropped > 0) continue;
    const auto counts = session.ask(kDropDomainCounts, Params() << id << rows);
    if (!counts) return fail(counts.error());
    rows -= counts->changes();
    if (rows <= 0) return false;
    const auto done = session.ask(kDropSection, Params() << id);
    if (!done) return fail(done.error());
  }
  return false;
}

// True when no deleted delivery is left. Their sections are gone by now.
Result<bool> purge_deliveries(Session& session, std::int64_t& rows) {
  while (rows > 0) {
    const auto delivery = session.ask(kDeleted);
    if (!delivery) return fail(delivery.error());
    if (delivery->empty()) return true;
    const std::int64_t key = delivery->integer(0, 0);
    // From the last one back, so that those that are left still follow each other.
    const auto dropped =
        drop_batches(session, session.ask(kTransactionBatches, Params() << key << rows), rows);
    if (!dropped) return fail(dropped.error());
    if (*dropped > 0) continue;
    const auto done = session.add(kDropRelayed, Params() << key)
                          .add(kDropAttachments, Params() << key)
                          .add(kDropUploads, Params() << key)
                          .add(kDropJobs, Params() << key)
                          .add(kDropContents, Params() << key)
                          .add(kDropOpenCounts, Params() << key)
                          .add(kDropOutcomes, Params() << key)
                          .add(kDropSteering, Params() << key)
                          .add(kDropResends, Params() << key)
                          .add(kDropApproval, Params() << key)
                          .add(kDropDelivery, Params() << key)
                          .fly();
    if (!done) return fail(done.error());
    for (const Table& table : *done) rows -= table.changes();
  }
  return false;
}

}  // namespace

Result<bool> Changes::purge_deleted(std::int64_t rows) {
  const auto hour_ago = session_.now() - std::chrono::hours(1);
  const auto forgotten = session_.ask(kForgetFlights, Params() << hour_ago << rows);
  if (!forgotten) return fail(forgotten.error());
  const auto answers = purge_answers(rows);
  if (!answers) return fail(answers.error());
  const bool more_small = forgotten->changes() >= rows || !*answers;
  const auto sections = purge_sections(session_, rows);
  if (!sections) return fail(sections.error());
  if (!*sections) return true;
  const auto deliveries = purge_deliveries(session_, rows);
  if (!deliveries) return fail(deliveries.error());
  if (!*deliveries) return true;
  const auto relayed = purge_relayed(rows);
  if (!relayed) return fail(relayed.error());
  if (!*relayed) return true;
  const auto uploads = purge_uploads(rows);
  if (!uploads) return fail(uploads.error());
  if (!*uploads) return true;
  const auto suppressions = purge_suppressions(rows);
  if (!suppressions) return fail(suppressions.error());
  return !*suppressions || more_small;
}

}  // namespace todoku::store::postgres
