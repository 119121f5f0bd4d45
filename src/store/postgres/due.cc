// SPDX-License-Identifier: Apache-2.0
// One statement for whatever is asked: everything if it is little, else from domain to domain, and
// what comes next. PostgreSQL evaluates a branch only when it is read.
#include <algorithm>
#include <tuple>

#include "store/numbers.h"
#include "store/postgres/hot.h"

namespace todoku::store::postgres {
namespace {

// Columns: place (0: of the few; -1: what comes next), then the batch. $1 the time told, $2 after,
// $3 limit, $4 a domain's share, $5 only. A skip scan: the next domain is one step in the index
// each time. The clock is read by sub-selects: joined, it would be a filter and no condition of the
// index.
#define BATCH_COLUMNS "number, delivery, account, traffic, domain, open"
const Sql kDueTransactional{
    "due: transactional",
    "WITH RECURSIVE clock AS MATERIALIZED (SELECT " STORE_NOW
    " AS now),"
    " few AS MATERIALIZED (SELECT " BATCH_COLUMNS
    ", greatest(ready_at, created) AS due"
    " FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL AND ready_at <= (SELECT now FROM "
    "clock)"
    " AND $2::text IS NULL AND $5::text IS NULL ORDER BY ready_at LIMIT $3 + 1),"
    " is_few AS MATERIALIZED (SELECT $2::text IS NULL AND $5::text IS NULL AND count(*) <= $3 AS "
    "yes"
    " FROM few),"
    " page(domain, place) AS ("
    "(SELECT (CASE WHEN $5::text IS NOT NULL THEN $5"
    " WHEN $2::text IS NULL THEN (SELECT domain FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL ORDER BY domain LIMIT 1)"
    " ELSE (SELECT domain FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL AND domain > $2 COLLATE \"C\" ORDER BY domain LIMIT 1)"
    " END) COLLATE \"C\", 1::bigint WHERE NOT (SELECT yes FROM is_few))"
    " UNION ALL SELECT (SELECT b.domain FROM batches b WHERE traffic = 0 AND ready_at IS NOT NULL"
    " AND b.domain > page.domain ORDER BY b.domain LIMIT 1), place + 1 FROM page"
    " WHERE page.domain IS NOT NULL AND place <= $3 AND $5::text IS NULL)"
    " SELECT 0::bigint, " BATCH_COLUMNS
    ", due FROM few WHERE (SELECT yes FROM is_few)"
    " UNION ALL SELECT place, b.number, b.delivery, b.account, b.traffic, page.domain, b.open, "
    "b.due"
    " FROM page LEFT JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", greatest(ready_at, created) AS due"
    " FROM batches WHERE traffic = 0 AND domain = page.domain AND ready_at IS NOT NULL"
    " AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at, number"
    " LIMIT CASE WHEN $5::text IS NULL THEN $4 ELSE $3 END) b ON true WHERE page.domain IS NOT NULL"
    " UNION ALL SELECT -1::bigint, NULL, NULL, NULL, NULL, NULL, NULL, (SELECT ready_at -"
    " (SELECT now FROM clock) FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL"
    " AND ready_at > (SELECT now FROM clock) ORDER BY ready_at LIMIT 1)"};
// The same of the sections of one delivery, $6: each has an index of its own to step through.
const Sql kDueBulk{
    "due: bulk",
    "WITH RECURSIVE clock AS MATERIALIZED (SELECT " STORE_NOW
    " AS now),"
    " parts AS MATERIALIZED (SELECT s.id AS section, d.started FROM deliveries d"
    " JOIN sections s ON s.delivery = d.key AND s.state = 1"
    " WHERE d.key = $6 AND d.status = 5 AND d.deleted = 0),"
    " few AS MATERIALIZED (SELECT b.*, greatest(b.ready_at, parts.started) AS due FROM parts"
    " CROSS JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", ready_at FROM batches WHERE section = parts.section AND ready_at IS NOT NULL"
    " AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at LIMIT $3 + 1) b"
    " WHERE $2::text IS NULL AND $5::text IS NULL LIMIT $3 + 1),"
    " is_few AS MATERIALIZED (SELECT $2::text IS NULL AND $5::text IS NULL AND count(*) <= $3 AS "
    "yes"
    " FROM few),"
    " page(domain, place) AS ("
    "(SELECT (CASE WHEN $5::text IS NOT NULL THEN $5"
    " WHEN $2::text IS NULL THEN (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT domain"
    " FROM batches WHERE section = parts.section AND ready_at IS NOT NULL ORDER BY domain LIMIT 1)"
    " n ORDER BY n.domain LIMIT 1)"
    " ELSE (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT domain FROM batches"
    " WHERE section = parts.section AND ready_at IS NOT NULL AND domain > $2 COLLATE \"C\""
    " ORDER BY domain LIMIT 1) n ORDER BY n.domain LIMIT 1)"
    " END) COLLATE \"C\", 1::bigint WHERE NOT (SELECT yes FROM is_few))"
    " UNION ALL SELECT (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT b.domain"
    " FROM batches b WHERE b.section = parts.section AND b.ready_at IS NOT NULL"
    " AND b.domain > page.domain ORDER BY b.domain LIMIT 1) n ORDER BY n.domain LIMIT 1),"
    " place + 1 FROM page WHERE page.domain IS NOT NULL AND place <= $3 AND $5::text IS NULL)"
    " SELECT 0::bigint, " BATCH_COLUMNS
    ", due FROM few WHERE (SELECT yes FROM is_few)"
    " UNION ALL SELECT place, b.number, b.delivery, b.account, b.traffic, page.domain, b.open, "
    "b.due"
    " FROM page LEFT JOIN LATERAL (SELECT n.*, greatest(n.ready_at, parts.started) AS due"
    " FROM parts CROSS JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", ready_at FROM batches WHERE section = parts.section AND domain = page.domain"
    " AND ready_at IS NOT NULL AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at, number"
    " LIMIT CASE WHEN $5::text IS NULL THEN $4 ELSE $3 END) n ORDER BY due, n.number"
    " LIMIT CASE WHEN $5::text IS NULL THEN $4 ELSE $3 END) b ON true WHERE page.domain IS NOT NULL"
    " UNION ALL SELECT -1::bigint, NULL, NULL, NULL, NULL, NULL, NULL, min((SELECT ready_at -"
    " (SELECT now FROM clock) FROM batches WHERE section = parts.section AND ready_at IS NOT NULL"
    " AND ready_at > (SELECT now FROM clock) ORDER BY ready_at LIMIT 1)) FROM parts"};

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

}  // namespace

Result<DueDomains> find_due(Link& link, const Due& due, Told told, Milliseconds most) {
  struct Found {
    std::int64_t place = 0;
    std::string domain;
    std::optional<DueBatch> batch;
  };
  Params params;
  params << told << view_of(due.after) << due.limit << kDueBatchesGiven << view_of(due.only);
  if (due.workload) params << *due.workload;
  const auto answers = link.add(kBegin)
                           .add(kQuestionLimits)
                           .add(due.workload ? kDueBulk : kDueTransactional, params)
                           .add(kCommit)
                           .fly(most);
  if (!answers) return fail(answers.error());
  const Table* const rows = &(*answers)[2];
  std::vector<Found> found;
  DueDomains page;
  for (int i = 0; i < rows->size(); ++i) {
    const std::int64_t place = rows->integer(i, 0);
    if (place < 0) {
      if (!rows->null(i, 7)) page.upcoming = Milliseconds(rows->integer(i, 7));
      continue;
    }
    Found& row = found.emplace_back(place, std::string(rows->text(i, 5)), std::nullopt);
    if (rows->null(i, 1)) continue;
    DueBatch& batch = row.batch.emplace();
    batch.key = batch_key(rows->integer(i, 2), rows->integer(i, 1));
    batch.account = AccountKey{rows->integer(i, 3)};
    batch.traffic = static_cast<TrafficClass>(rows->integer(i, 4));
    batch.domain = row.domain;
    batch.recipients = static_cast<std::uint32_t>(rows->integer(i, 6));
    batch.due = rows->instant(i, 7);
  }
  std::ranges::sort(found, {}, [](const Found& row) {
    return std::tuple(row.place, std::string_view(row.domain),
                      row.batch ? row.batch->due : Instant{},
                      row.batch ? row.batch->key : BatchKey{});
  });
  const auto share = due.only ? due.limit : kDueBatchesGiven;
  std::optional<std::string> last;
  for (Found& row : found) {
    if (row.place > due.limit) {
      page.next = last;
      break;
    }
    last = row.domain;
    if (!row.batch) continue;
    if (page.domains.empty() || page.domains.back().domain != row.domain) {
      page.domains.push_back({row.domain, {}, false});
    }
    DueDomain& domain = page.domains.back();
    domain.batches.push_back(std::move(*row.batch));
    domain.more = row.place > 0 && static_cast<std::int64_t>(domain.batches.size()) >= share;
  }
  return page;
}

}  // namespace todoku::store::postgres
