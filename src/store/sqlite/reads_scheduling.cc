// SPDX-License-Identifier: Apache-2.0
// Questions of the scheduler: what is to be started, what is due. None of them reads recipients,
// and none grows with their number.
#include <algorithm>
#include <tuple>
#include <utility>

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
    auto row = delivery_head(DeliveryKey{query.integer(0)});
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

// ---- what is due -------------------------------------------------------------------------------

Result<std::vector<Queries::Part>> Queries::parts_of(Workload workload) {
  std::vector<Part> parts;
  if (!workload) {
    parts.push_back({});
    return parts;
  }
  const auto row = delivery_row(*workload);
  if (!row) return fail(row.error());
  if (row->status != DeliveryStatus::sending || row->traffic != TrafficClass::bulk) return parts;
  const auto sections = live_sections(*workload);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) parts.push_back({section, row->started});
  return parts;
}

Query Queries::earliest_in(const Part& part, Instant now, std::int64_t limit) {
  if (part.section == 0) {
    auto query = db_.query(
        "SELECT number FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL AND ready_at <= ?"
        " ORDER BY ready_at, number LIMIT ?");
    query.bind(now, limit);
    return query;
  }
  auto query = db_.query(
      "SELECT number FROM batches WHERE section = ? AND ready_at IS NOT NULL AND ready_at <= ?"
      " ORDER BY ready_at, number LIMIT ?");
  query.bind(part.section, now, limit);
  return query;
}

Query Queries::due_of_domain(const Part& part, std::string_view domain, Instant now,
                             std::int64_t limit) {
  if (part.section == 0) {
    auto query = db_.query(
        "SELECT number FROM batches INDEXED BY batches_urgent WHERE traffic = 0 AND domain = ?"
        " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at, number LIMIT ?");
    query.bind(domain, now, limit);
    return query;
  }
  auto query = db_.query(
      "SELECT number FROM batches INDEXED BY batches_section WHERE section = ? AND domain = ?"
      " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at, number LIMIT ?");
  query.bind(part.section, domain, now, limit);
  return query;
}

// From domain to domain by the index, instead of along all batches.
Result<std::optional<std::string>> Queries::domain_after(const Part& part,
                                                         const std::optional<std::string>& after) {
  const auto domain_query = [&]() -> Query {
    if (part.section == 0) {
      if (!after) {
        return db_.query(
            "SELECT domain FROM batches INDEXED BY batches_urgent WHERE traffic = 0"
            " AND ready_at IS NOT NULL ORDER BY domain LIMIT 1");
      }
      auto query = db_.query(
          "SELECT domain FROM batches INDEXED BY batches_urgent WHERE traffic = 0"
          " AND ready_at IS NOT NULL AND domain > ? ORDER BY domain LIMIT 1");
      query.bind(std::string_view(*after));
      return query;
    }
    if (!after) {
      auto query = db_.query(
          "SELECT domain FROM batches INDEXED BY batches_section WHERE section = ?"
          " ORDER BY domain LIMIT 1");
      query.bind(part.section);
      return query;
    }
    auto query = db_.query(
        "SELECT domain FROM batches INDEXED BY batches_section WHERE section = ? AND domain > ?"
        " ORDER BY domain LIMIT 1");
    query.bind(part.section, std::string_view(*after));
    return query;
  };
  auto query = domain_query();
  if (query.next()) return std::string(query.text(0));
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<void> Queries::add_batches(Query& numbers, const Part& part,
                                  std::vector<DueBatch>& batches) {
  while (numbers.next()) {
    const auto found = batch(numbers.integer(0));
    if (!found) return fail(found.error());
    if (!*found) continue;
    batches.push_back(due_batch(**found, part.started.value_or((*found)->created)));
  }
  if (numbers.failed()) return fail(numbers.error());
  return {};
}

// Everything that is due, by domain; nullopt if it is more than `limit` batches.
Result<std::optional<DueDomains>> Queries::all_due(const std::vector<Part>& parts, Instant now,
                                                   std::int64_t limit) {
  std::vector<DueBatch> batches;
  for (const Part& part : parts) {
    auto earliest = earliest_in(part, now, limit + 1);
    auto added = add_batches(earliest, part, batches);
    if (!added) return fail(std::move(added.error()));
    if (static_cast<std::int64_t>(batches.size()) > limit) return std::nullopt;
  }
  std::ranges::sort(batches, {}, [](const DueBatch& batch) {
    return std::tuple(std::string_view(batch.domain), batch.due, batch.key);
  });
  DueDomains due;
  for (DueBatch& batch : batches) {
    if (due.domains.empty() || due.domains.back().domain != batch.domain) {
      due.domains.push_back({batch.domain, {}, false});
    }
    due.domains.back().batches.push_back(std::move(batch));
  }
  return due;
}

Result<DueDomains> Queries::due_by_domain(const std::vector<Part>& parts, Instant now,
                                          std::optional<std::string_view> after,
                                          std::int64_t limit) {
  // The next domain of each part; the smallest of them is next of all.
  std::vector<std::optional<std::string>> heads;
  const auto start = after ? std::optional(std::string(*after)) : std::nullopt;
  for (const Part& part : parts) {
    auto head = domain_after(part, start);
    if (!head) return fail(std::move(head.error()));
    heads.push_back(std::move(*head));
  }
  DueDomains due;
  for (std::int64_t looked = 0; looked < limit; ++looked) {
    std::optional<std::string> domain;
    for (const auto& head : heads) {
      if (head && (!domain || *head < *domain)) domain = head;
    }
    if (!domain) return due;
    due.next = domain;
    DueDomain entry{.domain = *domain, .batches = {}, .more = false};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (heads[i] != domain) continue;
      auto numbers = due_of_domain(parts[i], *domain, now, kDueBatchesGiven);
      auto added = add_batches(numbers, parts[i], entry.batches);
      if (!added) return fail(std::move(added.error()));
      auto head = domain_after(parts[i], domain);
      if (!head) return fail(std::move(head.error()));
      heads[i] = std::move(*head);
    }
    if (entry.batches.empty()) continue;
    entry.more = static_cast<std::int64_t>(entry.batches.size()) >= kDueBatchesGiven;
    due.domains.push_back(std::move(entry));
  }
  if (std::ranges::none_of(heads, [](const auto& head) { return head.has_value(); })) {
    due.next.reset();
  }
  return due;
}

Result<DueDomains> Queries::due_domains(Workload workload, Instant now,
                                        std::optional<std::string_view> after, std::int64_t limit) {
  const auto parts = parts_of(workload);
  if (!parts) return fail(parts.error());
  std::optional<DueDomains> due;
  if (!after) {
    auto all = all_due(*parts, now, limit);
    if (!all) return fail(std::move(all.error()));
    due = std::move(*all);
  }
  if (!due) {
    auto page = due_by_domain(*parts, now, after, limit);
    if (!page) return page;
    due = std::move(*page);
  }
  const auto later = upcoming(*parts, now);
  if (!later) return fail(later.error());
  due->upcoming = *later;
  return std::move(*due);
}

Result<std::vector<DueBatch>> Queries::due_batches(Workload workload, std::string_view domain,
                                                   Instant now, std::int64_t limit) {
  std::vector<DueBatch> result;
  const auto parts = parts_of(workload);
  if (!parts) return fail(parts.error());
  for (const Part& part : *parts) {
    auto numbers = due_of_domain(part, domain, now, limit);
    auto added = add_batches(numbers, part, result);
    if (!added) return fail(std::move(added.error()));
  }
  std::ranges::sort(result, {},
                    [](const DueBatch& batch) { return std::pair(batch.due, batch.key); });
  if (result.size() > static_cast<std::size_t>(limit)) {
    result.resize(static_cast<std::size_t>(limit));
  }
  return result;
}

Result<std::optional<Instant>> Queries::upcoming(const std::vector<Part>& parts, Instant now) {
  std::optional<Instant> earliest;
  for (const Part& part : parts) {
    auto query = part.section == 0
                     ? db_.query(
                           "SELECT ready_at FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL"
                           " AND ready_at > ? ORDER BY ready_at LIMIT 1")
                     : db_.query(
                           "SELECT ready_at FROM batches WHERE section IS NOT NULL"
                           " AND ready_at IS NOT NULL AND ready_at > ? AND section = ?"
                           " ORDER BY ready_at LIMIT 1");
    part.section == 0 ? query.bind(now) : query.bind(now, part.section);
    if (query.next() && (!earliest || query.instant(0) < *earliest)) earliest = query.instant(0);
    if (query.failed()) return fail(query.error());
  }
  return earliest;
}

Result<std::optional<Instant>> Queries::oldest_due(Workload workload, Instant now) {
  const auto parts = parts_of(workload);
  if (!parts) return fail(parts.error());
  std::vector<DueBatch> oldest;
  for (const Part& part : *parts) {
    auto earliest = earliest_in(part, now, 1);
    auto added = add_batches(earliest, part, oldest);
    if (!added) return fail(std::move(added.error()));
  }
  if (oldest.empty()) return std::nullopt;
  return std::ranges::min(oldest, {}, &DueBatch::due).due;
}

Result<std::vector<QueueFigures>> Queries::queue_figures(Instant now) {
  std::vector<QueueFigures> figures(2);
  figures[0].traffic = TrafficClass::transactional;
  figures[1].traffic = TrafficClass::bulk;
  for (std::size_t i = 0; i < figures.size(); ++i) figures[i].waiting = figures_.waiting[i];
  const auto transactional = oldest_due(std::nullopt, now);
  if (!transactional) return fail(transactional.error());
  figures[0].oldest = *transactional;
  const auto sending = sending_bulk();
  if (!sending) return fail(sending.error());
  for (const Delivery& delivery : *sending) {
    const auto oldest = oldest_due(delivery.key, now);
    if (!oldest) return fail(oldest.error());
    if (*oldest && (!figures[1].oldest || **oldest < *figures[1].oldest)) {
      figures[1].oldest = *oldest;
    }
  }
  return figures;
}

}  // namespace todoku::store::sqlite
