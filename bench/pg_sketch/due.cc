// SPDX-License-Identifier: Apache-2.0
// One statement for whatever is asked: everything if it is little, else from domain to domain, and
// what comes next. PostgreSQL evaluates a branch only when it is read.
#include <algorithm>
#include <tuple>

#include "merged.h"
#include "schema.h"

namespace todoku::pg_sketch {
namespace {

using store::Due;
using store::DueBatch;
using store::DueDomains;

// Columns: place (0: of the few; -1: what comes next), then the batch. $1 after, $2 limit, $3 a
// domain's share, $4 only. A skip scan: the next domain is one step in the index each time. The
// clock is read by sub-selects: joined, it would be a filter and no condition of the index.
#define BATCH_COLUMNS "number, delivery, account, traffic, domain, open"
const Sql kTransactional{
    "due_transactional",
    "WITH RECURSIVE clock AS MATERIALIZED (SELECT " PG_SKETCH_NOW
    " AS now),"
    " few AS MATERIALIZED (SELECT " BATCH_COLUMNS
    ", greatest(ready_at, created) AS due"
    " FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL AND ready_at <= (SELECT now FROM "
    "clock)"
    " AND $1::text IS NULL AND $4::text IS NULL ORDER BY ready_at LIMIT $2 + 1),"
    " is_few AS MATERIALIZED (SELECT $1::text IS NULL AND $4::text IS NULL AND count(*) <= $2 AS "
    "yes"
    " FROM few),"
    " page(domain, place) AS ("
    "(SELECT (CASE WHEN $4::text IS NOT NULL THEN $4"
    " WHEN $1::text IS NULL THEN (SELECT domain FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL ORDER BY domain LIMIT 1)"
    " ELSE (SELECT domain FROM batches WHERE traffic = 0"
    " AND ready_at IS NOT NULL AND domain > $1 COLLATE \"C\" ORDER BY domain LIMIT 1)"
    " END) COLLATE \"C\", 1::bigint WHERE NOT (SELECT yes FROM is_few))"
    " UNION ALL SELECT (SELECT b.domain FROM batches b WHERE traffic = 0 AND ready_at IS NOT NULL"
    " AND b.domain > page.domain ORDER BY b.domain LIMIT 1), place + 1 FROM page"
    " WHERE page.domain IS NOT NULL AND place <= $2 AND $4::text IS NULL)"
    " SELECT 0::bigint, " BATCH_COLUMNS
    ", due FROM few WHERE (SELECT yes FROM is_few)"
    " UNION ALL SELECT place, b.number, b.delivery, b.account, b.traffic, page.domain, b.open, "
    "b.due"
    " FROM page LEFT JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", greatest(ready_at, created) AS due"
    " FROM batches WHERE traffic = 0 AND domain = page.domain AND ready_at IS NOT NULL"
    " AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at, number"
    " LIMIT CASE WHEN $4::text IS NULL THEN $3 ELSE $2 END) b ON true WHERE page.domain IS NOT NULL"
    " UNION ALL SELECT -1::bigint, NULL, NULL, NULL, NULL, NULL, NULL, (SELECT ready_at -"
    " (SELECT now FROM clock) FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL"
    " AND ready_at > (SELECT now FROM clock) ORDER BY ready_at LIMIT 1)"};
// The same of the sections of one delivery, $5: each has an index of its own to step through.
const Sql kBulk{
    "due_bulk",
    "WITH RECURSIVE clock AS MATERIALIZED (SELECT " PG_SKETCH_NOW
    " AS now),"
    " parts AS MATERIALIZED (SELECT s.id AS section, d.started FROM deliveries d"
    " JOIN sections s ON s.delivery = d.key AND s.state = 1"
    " WHERE d.key = $5 AND d.status = 5 AND d.deleted = 0),"
    " few AS MATERIALIZED (SELECT b.*, greatest(b.ready_at, parts.started) AS due FROM parts"
    " CROSS JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", ready_at FROM batches WHERE section = parts.section AND ready_at IS NOT NULL"
    " AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at LIMIT $2 + 1) b"
    " WHERE $1::text IS NULL AND $4::text IS NULL LIMIT $2 + 1),"
    " is_few AS MATERIALIZED (SELECT $1::text IS NULL AND $4::text IS NULL AND count(*) <= $2 AS "
    "yes"
    " FROM few),"
    " page(domain, place) AS ("
    "(SELECT (CASE WHEN $4::text IS NOT NULL THEN $4"
    " WHEN $1::text IS NULL THEN (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT domain"
    " FROM batches WHERE section = parts.section AND ready_at IS NOT NULL ORDER BY domain LIMIT 1)"
    " n ORDER BY n.domain LIMIT 1)"
    " ELSE (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT domain FROM batches"
    " WHERE section = parts.section AND ready_at IS NOT NULL AND domain > $1 COLLATE \"C\""
    " ORDER BY domain LIMIT 1) n ORDER BY n.domain LIMIT 1)"
    " END) COLLATE \"C\", 1::bigint WHERE NOT (SELECT yes FROM is_few))"
    " UNION ALL SELECT (SELECT n.domain FROM parts CROSS JOIN LATERAL (SELECT b.domain"
    " FROM batches b WHERE b.section = parts.section AND b.ready_at IS NOT NULL"
    " AND b.domain > page.domain ORDER BY b.domain LIMIT 1) n ORDER BY n.domain LIMIT 1),"
    " place + 1 FROM page WHERE page.domain IS NOT NULL AND place <= $2 AND $4::text IS NULL)"
    " SELECT 0::bigint, " BATCH_COLUMNS
    ", due FROM few WHERE (SELECT yes FROM is_few)"
    " UNION ALL SELECT place, b.number, b.delivery, b.account, b.traffic, page.domain, b.open, "
    "b.due"
    " FROM page LEFT JOIN LATERAL (SELECT n.*, greatest(n.ready_at, parts.started) AS due"
    " FROM parts CROSS JOIN LATERAL (SELECT " BATCH_COLUMNS
    ", ready_at FROM batches WHERE section = parts.section AND domain = page.domain"
    " AND ready_at IS NOT NULL AND ready_at <= (SELECT now FROM clock) ORDER BY ready_at, number"
    " LIMIT CASE WHEN $4::text IS NULL THEN $3 ELSE $2 END) n ORDER BY due, n.number"
    " LIMIT CASE WHEN $4::text IS NULL THEN $3 ELSE $2 END) b ON true WHERE page.domain IS NOT NULL"
    " UNION ALL SELECT -1::bigint, NULL, NULL, NULL, NULL, NULL, NULL, min((SELECT ready_at -"
    " (SELECT now FROM clock) FROM batches WHERE section = parts.section AND ready_at IS NOT NULL"
    " AND ready_at > (SELECT now FROM clock) ORDER BY ready_at LIMIT 1)) FROM parts"};

}  // namespace

Result<DueDomains> due(Link& link, const Due& due) {
  Params params;
  due.after ? params << std::string_view(*due.after) : params << nullptr;
  params << due.limit << store::kDueBatchesGiven;
  due.only ? params << std::string_view(*due.only) : params << nullptr;
  if (due.workload) params << static_cast<std::int64_t>(*due.workload);
  const auto results = link.add(due.workload ? kBulk : kTransactional, std::move(params)).fly();
  if (!results) return fail(results.error());
  const Rows rows((*results)[0].get());
  struct Found {
    std::int64_t place;
    std::string domain;
    std::optional<DueBatch> batch;
  };
  std::vector<Found> found;
  DueDomains page;
  for (int i = 0; i < rows.size(); ++i) {
    const std::int64_t place = rows.integer(i, 0);
    if (place < 0) {
      if (!rows.null(i, 7)) page.upcoming = Milliseconds(rows.integer(i, 7));
      continue;
    }
    Found& row = found.emplace_back(place, std::string(rows.text(i, 5)), std::nullopt);
    if (rows.null(i, 1)) continue;
    DueBatch batch;
    batch.key.delivery = store::DeliveryKey{rows.integer(i, 2)};
    batch.key.batch = static_cast<std::uint32_t>(rows.integer(i, 1) - rows.integer(i, 2));
    batch.account = store::AccountKey{rows.integer(i, 3)};
    batch.traffic = static_cast<TrafficClass>(rows.integer(i, 4));
    batch.domain = row.domain;
    batch.recipients = static_cast<std::uint32_t>(rows.integer(i, 6));
    batch.due = from_epoch_ms(rows.integer(i, 7));
    row.batch = std::move(batch);
  }
  std::ranges::sort(found, {}, [](const Found& row) {
    return std::tuple(row.place, std::string_view(row.domain),
                      row.batch ? row.batch->due : Instant{},
                      row.batch ? row.batch->key : store::BatchKey{});
  });
  const auto share = due.only ? due.limit : store::kDueBatchesGiven;
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
    page.domains.back().batches.push_back(std::move(*row.batch));
    page.domains.back().more =
        row.place > 0 && static_cast<std::int64_t>(page.domains.back().batches.size()) >= share;
  }
  return page;
}

}  // namespace todoku::pg_sketch
