// SPDX-License-Identifier: Apache-2.0
// Questions of the scheduler: what is to be started, what is due. None of them reads recipients,
// and none grows with their number.
#include <algorithm>
#include <map>

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {
namespace {

DueBatch due_batch(const BatchRow& row, Instant started) {
  DueBatch due;
  due.key = batch_key(row.delivery, row.number);
  due.account = row.account;
  due.traffic = row.traffic;
  due.domain = row.domain;
  due.recipients = static_cast<std::uint32_t>(row.open);
  due.due = std::max(row.ready_at.value_or(started), started);
  return due;
}

}  // namespace

Result<std::vector<Delivery>> Queries::deliveries_to_start(Instant now, std::int64_t limit) {
  std::vector<Delivery> deliveries;
  auto query = db_.query(
      "SELECT key FROM deliveries WHERE agenda IS NOT NULL AND agenda <= ? ORDER BY agenda, key"
      " LIMIT ?");
  query.bind(now, limit);
  while (query.next()) {
    auto row = delivery(DeliveryKey{query.integer(0)});
    if (!row) return fail(std::move(row.error()));
    deliveries.push_back(std::move(*row));
  }
  if (query.failed()) return fail(query.error());
  return deliveries;
}

Result<std::optional<Instant>> Queries::next_reservation(Instant now) {
  auto query = db_.query(
      "SELECT agenda FROM deliveries WHERE agenda IS NOT NULL AND agenda > ?"
      " ORDER BY agenda LIMIT 1");
  query.bind(now);
  if (query.next()) return query.instant(0);
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<std::vector<Delivery>> Queries::sending_bulk() {
  std::vector<Delivery> deliveries;
  auto query = db_.query(
      "SELECT key FROM deliveries WHERE status = 5 AND traffic = 1 AND deleted = 0 ORDER BY key");
  while (query.next()) {
    auto row = delivery_row(DeliveryKey{query.integer(0)});
    if (!row) return fail(std::move(row.error()));
    deliveries.push_back(std::move(*row));
  }
  if (query.failed()) return fail(query.error());
  return deliveries;
}

Result<std::vector<std::int64_t>> Queries::live_sections(DeliveryKey delivery) {
  std::vector<std::int64_t> sections;
  auto query = db_.query("SELECT id FROM sections WHERE delivery = ? AND state = 1");
  query.bind(delivery);
  while (query.next()) sections.push_back(query.integer(0));
  if (query.failed()) return fail(query.error());
  return sections;
}

Result<void> Queries::add_due_domains(std::int64_t section, Instant started, Instant now,
                                      std::map<std::string, DueDomain>& domains) {
  // From domain to domain by the index, instead of along all batches.
  auto first = db_.query("SELECT domain FROM batches WHERE section = ? ORDER BY domain LIMIT 1");
  auto next = db_.query(
      "SELECT domain FROM batches WHERE section = ? AND domain > ? ORDER BY domain LIMIT 1");
  auto due = db_.query(
      "SELECT ready_at, open FROM batches WHERE section = ? AND domain = ?"
      " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at LIMIT ?");
  first.bind(section);
  std::optional<std::string> domain;
  if (first.next()) domain = std::string(first.text(0));
  if (first.failed()) return fail(first.error());
  while (domain) {
    due.reset();
    due.bind(section, *domain, now, kDueBatchesCounted);
    while (due.next()) {
      const auto [place, fresh] = domains.try_emplace(*domain);
      DueDomain& entry = place->second;
      const Instant ready = std::max(due.instant(0), started);
      if (fresh || ready < entry.earliest) entry.earliest = ready;
      ++entry.batches;
      entry.recipients += due.integer(1);
    }
    if (due.failed()) return fail(due.error());
    next.reset();
    next.bind(section, *domain);
    if (next.next()) {
      domain = std::string(next.text(0));
      continue;
    }
    if (next.failed()) return fail(next.error());
    domain.reset();
  }
  return {};
}

Result<std::vector<DueDomain>> Queries::due_domains(DeliveryKey delivery, Instant now) {
  std::vector<DueDomain> result;
  const auto row = delivery_row(delivery);
  if (!row) return fail(row.error());
  if (row->status != DeliveryStatus::sending) return result;
  const auto sections = live_sections(delivery);
  if (!sections) return fail(sections.error());
  std::map<std::string, DueDomain> domains;
  for (const std::int64_t section : *sections) {
    auto added = add_due_domains(section, row->started.value_or(now), now, domains);
    if (!added) return fail(std::move(added.error()));
  }
  for (auto& [domain, entry] : domains) {
    entry.domain = domain;
    result.push_back(std::move(entry));
  }
  return result;
}

Result<std::vector<DueBatch>> Queries::due_batches(DeliveryKey delivery, std::string_view domain,
                                                   Instant now, std::int64_t limit) {
  std::vector<DueBatch> result;
  const auto row = delivery_row(delivery);
  if (!row) return fail(row.error());
  if (row->status != DeliveryStatus::sending) return result;
  const auto sections = live_sections(delivery);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) {
    auto query = db_.query(
        "SELECT number FROM batches WHERE section = ? AND domain = ?"
        " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at, number LIMIT ?");
    query.bind(section, domain, now, limit);
    while (query.next()) {
      const auto found = batch(query.integer(0));
      if (!found) return fail(found.error());
      if (*found) result.push_back(due_batch(**found, row->started.value_or(now)));
    }
    if (query.failed()) return fail(query.error());
  }
  std::ranges::sort(result, {},
                    [](const DueBatch& batch) { return std::pair(batch.due, batch.key.batch); });
  if (result.size() > static_cast<std::size_t>(limit)) {
    result.resize(static_cast<std::size_t>(limit));
  }
  return result;
}

Result<std::vector<DueBatch>> Queries::due_transactional(Instant now, std::int64_t limit) {
  std::vector<DueBatch> result;
  auto query = db_.query(
      "SELECT b.number FROM batches b JOIN deliveries d ON d.key = b.delivery"
      " WHERE b.traffic = 0 AND b.ready_at IS NOT NULL AND b.ready_at <= ? AND d.status = 5"
      " AND d.deleted = 0 ORDER BY b.ready_at, b.number LIMIT ?");
  query.bind(now, limit);
  while (query.next()) {
    const auto found = batch(query.integer(0));
    if (!found) return fail(found.error());
    if (*found) result.push_back(due_batch(**found, (*found)->created));
  }
  if (query.failed()) return fail(query.error());
  return result;
}

Result<std::optional<Instant>> Queries::next_due(Instant now) {
  std::optional<Instant> earliest;
  for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
    auto query = db_.query(
        "SELECT ready_at FROM batches WHERE traffic = ? AND ready_at IS NOT NULL AND ready_at > ?"
        " ORDER BY ready_at LIMIT 1");
    query.bind(traffic, now);
    if (query.next() && (!earliest || query.instant(0) < *earliest)) earliest = query.instant(0);
    if (query.failed()) return fail(query.error());
  }
  return earliest;
}

Result<std::optional<Instant>> Queries::oldest_bulk(Instant now) {
  std::optional<Instant> oldest;
  const auto sending = sending_bulk();
  if (!sending) return fail(sending.error());
  for (const Delivery& delivery : *sending) {
    const auto domains = due_domains(delivery.key, now);
    if (!domains) return fail(domains.error());
    for (const DueDomain& domain : *domains) {
      if (!oldest || domain.earliest < *oldest) oldest = domain.earliest;
    }
  }
  return oldest;
}

Result<std::vector<QueueFigures>> Queries::queue_figures(Instant now) {
  std::vector<QueueFigures> figures(2);
  figures[0].traffic = TrafficClass::transactional;
  figures[1].traffic = TrafficClass::bulk;
  for (std::size_t i = 0; i < figures.size(); ++i) figures[i].waiting = figures_.waiting[i];
  const auto transactional = due_transactional(now, 1);
  if (!transactional) return fail(transactional.error());
  if (!transactional->empty()) figures[0].oldest = transactional->front().due;
  const auto bulk = oldest_bulk(now);
  if (!bulk) return fail(bulk.error());
  figures[1].oldest = *bulk;
  return figures;
}

}  // namespace todoku::store::sqlite
