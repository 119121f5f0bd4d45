// SPDX-License-Identifier: Apache-2.0
// What could be worked on (Due, store/work.h): from domain to domain by the index, a few batches of
// each, in one statement. Recipients are never read, and batches that wait behind others are not
// looked at.
#include <algorithm>
#include <tuple>
#include <utility>

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {

// Of a row: number, delivery, account, traffic, domain, open, since when it is due.
DueBatch Queries::due_batch(const Query& row) {
  DueBatch due;
  due.key = batch_key(row.integer(1), row.integer(0));
  due.account = AccountKey{row.integer(2)};
  due.traffic = static_cast<TrafficClass>(row.integer(3));
  due.domain = row.text(4);
  due.recipients = static_cast<std::uint32_t>(row.integer(5));
  due.due = row.instant(6);
  return due;
}

// What is due of a workload, in any order, up to one more than `limit`.
Query Queries::few_due(const Due& due) {
  if (!due.workload) {
    auto query = db_.query(
        "SELECT number, delivery, account, traffic, domain, open, max(ready_at, created)"
        " FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL AND ready_at <= ? LIMIT ?");
    query.bind(now_, due.limit + 1);
    return query;
  }
  auto query = db_.query(
      "SELECT b.number, b.delivery, b.account, b.traffic, b.domain, b.open,"
      " max(b.ready_at, d.started) FROM deliveries d"
      " JOIN sections s ON s.delivery = d.key AND s.state = 1"
      " JOIN batches b INDEXED BY batches_waiting ON b.section = s.id AND b.ready_at IS NOT NULL"
      " AND b.ready_at <= ?2 WHERE d.key = ?1 AND d.status = 5 AND d.deleted = 0 LIMIT ?3");
  query.bind(*due.workload, now_, due.limit + 1);
  return query;
}

// From domain to domain, beginning with the first that is not before `from`, which must live as
// long as the query: first all domains of the page, each with its batches; a domain without a batch
// that is due yet has one row without a number.
Query Queries::page_of_due(const Due& due, std::string_view from) {
  if (!due.workload) {
    auto query = db_.query(
        "WITH RECURSIVE page(domain, place) AS ("
        "SELECT (SELECT domain FROM batches INDEXED BY batches_urgent WHERE traffic = 0"
        " AND ready_at IS NOT NULL AND domain >= ?1 ORDER BY domain LIMIT 1), 1"
        " UNION ALL SELECT (SELECT domain FROM batches INDEXED BY batches_urgent"
        " WHERE traffic = 0 AND ready_at IS NOT NULL AND domain > page.domain"
        " ORDER BY domain LIMIT 1), place + 1"
        " FROM page WHERE page.domain IS NOT NULL AND place <= ?3)"
        " SELECT b.number, b.delivery, b.account, b.traffic, page.domain, b.open,"
        " max(b.ready_at, b.created), place FROM page LEFT JOIN batches b ON b.number IN"
        " (SELECT number FROM batches INDEXED BY batches_urgent WHERE traffic = 0"
        " AND domain = page.domain AND ready_at IS NOT NULL AND ready_at <= ?2"
        " ORDER BY ready_at, number LIMIT ?4)");
    query.bind(from, now_, due.limit, kDueBatchesGiven);
    return query;
  }
  auto query = db_.query(
      "WITH RECURSIVE parts(section, started) AS (SELECT s.id, d.started FROM deliveries d"
      " JOIN sections s ON s.delivery = d.key AND s.state = 1"
      " WHERE d.key = ?5 AND d.status = 5 AND d.deleted = 0),"
      " page(domain, place) AS ("
      "SELECT (SELECT min((SELECT domain FROM batches INDEXED BY batches_section"
      " WHERE section = parts.section AND domain >= ?1 ORDER BY domain LIMIT 1))"
      " FROM parts), 1"
      " UNION ALL SELECT (SELECT min((SELECT domain FROM batches INDEXED BY batches_section"
      " WHERE section = parts.section AND domain > page.domain ORDER BY domain LIMIT 1))"
      " FROM parts), place + 1 FROM page WHERE page.domain IS NOT NULL AND place <= ?3)"
      " SELECT b.number, b.delivery, b.account, b.traffic, page.domain, b.open,"
      " max(b.ready_at, parts.started), place FROM page CROSS JOIN parts LEFT JOIN batches b"
      " ON b.number IN (SELECT number FROM batches INDEXED BY batches_section"
      " WHERE section = parts.section AND domain = page.domain AND ready_at IS NOT NULL"
      " AND ready_at <= ?2 ORDER BY ready_at, number LIMIT ?4)");
  query.bind(from, now_, due.limit, kDueBatchesGiven, *due.workload);
  return query;
}

Query Queries::due_of_domain(const Due& due) {
  if (!due.workload) {
    auto query = db_.query(
        "SELECT number, delivery, account, traffic, domain, open, max(ready_at, created)"
        " FROM batches INDEXED BY batches_urgent WHERE traffic = 0 AND domain = ?"
        " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at, number LIMIT ?");
    query.bind(std::string_view(*due.only), now_, due.limit);
    return query;
  }
  auto query = db_.query(
      "SELECT b.number, b.delivery, b.account, b.traffic, b.domain, b.open,"
      " max(b.ready_at, d.started) FROM deliveries d"
      " JOIN sections s ON s.delivery = d.key AND s.state = 1"
      " JOIN batches b ON b.number IN (SELECT number FROM batches INDEXED BY batches_section"
      " WHERE section = s.id AND domain = ?2 AND ready_at IS NOT NULL AND ready_at <= ?3"
      " ORDER BY ready_at, number LIMIT ?4)"
      " WHERE d.key = ?1 AND d.status = 5 AND d.deleted = 0");
  query.bind(*due.workload, std::string_view(*due.only), now_, due.limit);
  return query;
}

// Everything that is due, by domain; nullopt if it is more than the limit.
Result<std::optional<DueDomains>> Queries::all_due(const Due& due) {
  std::vector<DueBatch> batches;
  {
    auto query = few_due(due);
    while (query.next()) batches.push_back(due_batch(query));
    if (query.failed()) return fail(query.error());
  }
  if (static_cast<std::int64_t>(batches.size()) > due.limit) return std::nullopt;
  std::ranges::sort(batches, {}, [](const DueBatch& batch) {
    return std::tuple(std::string_view(batch.domain), batch.due, batch.key);
  });
  DueDomains all;
  for (DueBatch& batch : batches) {
    if (all.domains.empty() || all.domains.back().domain != batch.domain) {
      all.domains.push_back({batch.domain, {}, false});
    }
    all.domains.back().batches.push_back(std::move(batch));
  }
  return all;
}

Result<DueDomains> Queries::due_by_domain(const Due& due) {
  DueDomains page;
  std::int64_t place = 0;
  std::string domain;
  // The least text that comes after the domain: no domain holds such a character.
  const std::string from = due.after ? *due.after + '\x01' : std::string();
  auto query = page_of_due(due, from);
  while (query.next() && !query.is_null(4)) {
    if (query.integer(7) != place) {
      // One domain beyond the page: there is more.
      if (query.integer(7) > due.limit) {
        page.next = domain;
        break;
      }
      place = query.integer(7);
      domain = query.text(4);
    }
    if (query.is_null(0)) continue;
    if (page.domains.empty() || page.domains.back().domain != domain) {
      page.domains.push_back({domain, {}, false});
    }
    page.domains.back().batches.push_back(due_batch(query));
  }
  if (query.failed()) return fail(query.error());
  for (DueDomain& found : page.domains) {
    std::ranges::sort(found.batches, {},
                      [](const DueBatch& batch) { return std::pair(batch.due, batch.key); });
    found.more = static_cast<std::int64_t>(found.batches.size()) >= kDueBatchesGiven;
  }
  return page;
}

Result<std::optional<Milliseconds>> Queries::upcoming(Workload workload) {
  auto query = workload ? db_.query(
                              "SELECT (SELECT ready_at FROM batches INDEXED BY batches_waiting"
                              " WHERE section = s.id AND ready_at IS NOT NULL AND ready_at > ?1"
                              " ORDER BY ready_at LIMIT 1) FROM deliveries d"
                              " JOIN sections s ON s.delivery = d.key AND s.state = 1"
                              " WHERE d.key = ?2 AND d.status = 5 AND d.deleted = 0")
                        : db_.query(
                              "SELECT ready_at FROM batches WHERE traffic = 0"
                              " AND ready_at IS NOT NULL AND ready_at > ?1"
                              " ORDER BY ready_at LIMIT 1");
  workload ? query.bind(now_, *workload) : query.bind(now_);
  std::optional<Milliseconds> earliest;
  while (query.next()) {
    const auto ready = query.optional_instant(0);
    if (ready && (!earliest || *ready - now_ < *earliest)) earliest = *ready - now_;
  }
  if (query.failed()) return fail(query.error());
  return earliest;
}

Result<DueDomains> Queries::due(const Due& due) {
  if (due.only) {
    DueDomains found;
    DueDomain domain{.domain = *due.only, .batches = {}, .more = false};
    auto query = due_of_domain(due);
    while (query.next()) domain.batches.push_back(due_batch(query));
    if (query.failed()) return fail(query.error());
    std::ranges::sort(domain.batches, {},
                      [](const DueBatch& batch) { return std::pair(batch.due, batch.key); });
    const auto limit = static_cast<std::size_t>(due.limit);
    domain.more = domain.batches.size() >= limit;
    if (domain.batches.size() > limit) domain.batches.resize(limit);
    if (!domain.batches.empty()) found.domains.push_back(std::move(domain));
    return found;
  }
  std::optional<DueDomains> found;
  if (!due.after) {
    auto all = all_due(due);
    if (!all) return fail(std::move(all.error()));
    found = std::move(*all);
  }
  if (!found) {
    auto page = due_by_domain(due);
    if (!page) return page;
    found = std::move(*page);
  }
  auto later = upcoming(due.workload);
  if (!later) return fail(std::move(later.error()));
  found->upcoming = *later;
  return std::move(*found);
}

}  // namespace todoku::store::sqlite
