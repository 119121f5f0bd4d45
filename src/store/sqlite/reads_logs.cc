// SPDX-License-Identifier: Apache-2.0
// Questions about the log and about what accounts have used (store/logs.h, store/usages.h).
#include <algorithm>
#include <functional>
#include <limits>

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/read_ahead.h"

namespace todoku::store::sqlite {
namespace {

// Adds a range below all others; one that touches the last one is joined to it.
void add_below(std::vector<LogRange>& ranges, LogRange range) {
  if (!ranges.empty() && ranges.back().first == range.end) {
    ranges.back().first = range.first;
  } else {
    ranges.push_back(range);
  }
}

Result<std::vector<LogHit>> hits_in(Query query) {
  std::vector<LogHit> hits;
  while (query.next()) {
    hits.push_back({query.integer(0), static_cast<RecipientState>(query.integer(1)),
                    static_cast<int>(query.integer(2))});
  }
  if (query.failed()) return fail(query.error());
  return hits;
}

}  // namespace

Result<std::optional<Queries::IdPlace>> Queries::place_of_id(AccountKey account, PublicId id) {
  auto query = db_.query(
      "SELECT number, first_email_id, size, created FROM batches WHERE account = ?"
      " AND first_email_id <= ? ORDER BY first_email_id DESC LIMIT 1");
  query.bind(account, id);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return std::nullopt;
  }
  return IdPlace{query.integer(0), query.integer(1), query.integer(2), query.instant(3)};
}

Result<std::vector<LogRange>> Queries::log_ranges(DeliveryKey key) {
  std::vector<LogRange> ranges;
  const auto sections = live_sections(key);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) {
    auto query = db_.query(
        "SELECT first_email_id, capacity FROM batches WHERE section = ?"
        " ORDER BY first_email_id DESC");
    query.bind(section);
    while (query.next()) {
      add_below(ranges, {query.integer(0), query.integer(0) + query.integer(1)});
    }
    if (query.failed()) return fail(query.error());
  }
  // A transaction's batches follow each other from its key on, and are of no section.
  for (std::int64_t number = number_of(key); sections->empty(); ++number) {
    const auto its = batch(number);
    if (!its) return fail(its.error());
    if (!*its || (*its)->delivery != number_of(key) || (*its)->section != 0) break;
    ranges.insert(ranges.begin(),
                  {(*its)->first_email_id, (*its)->first_email_id + (*its)->capacity});
  }
  return ranges;
}

// Ids are given out in the order of time: looked for by halves.
Result<PublicId> Queries::log_id_since(AccountKey account, Instant at) {
  const auto last = place_of_id(account, std::numeric_limits<PublicId>::max());
  if (!last) return fail(last.error());
  PublicId before = 0;  // begins before `at`, or there is no such batch
  PublicId since = *last ? (*last)->first + 1 : 1;
  while (since - before > 1) {
    const PublicId middle = before + (since - before) / 2;
    const auto place = place_of_id(account, middle);
    if (!place) return fail(place.error());
    if (!*place || (*place)->created < at) {
      before = middle;
    } else {
      since = (*place)->first;
    }
  }
  return since;
}

Result<std::vector<DeliveryKey>> Queries::late_starts(AccountKey account, Instant from, Instant to,
                                                      std::int64_t limit) {
  auto query = db_.query(
      "SELECT key FROM deliveries WHERE account = ? AND started BETWEEN ? AND ?"
      " AND started > created + 60000 AND deleted = 0 ORDER BY started LIMIT ?");
  query.bind(account, from, to, limit);
  std::vector<DeliveryKey> keys;
  while (query.next()) keys.push_back(DeliveryKey{query.integer(0)});
  if (query.failed()) return fail(query.error());
  return keys;
}
static_assert(kLogLateStart == Milliseconds(60'000));

Result<std::vector<LogHit>> Queries::not_sent(AccountKey account, LogKey key, LogRange range,
                                              std::int64_t limit) {
  auto query = key.by == LogKey::By::state
                   ? db_.query(
                         "SELECT id, state, code FROM not_sent WHERE account = ? AND state = ?"
                         " AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?")
                   : db_.query(
                         "SELECT id, state, code FROM not_sent WHERE account = ? AND code = ?"
                         " AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?");
  query.bind(account, key.value, range.first, range.end, limit);
  return hits_in(std::move(query));
}

Result<std::vector<LogBatch>> Queries::log_batches(AccountKey account, LogRange range,
                                                   std::int64_t limit) {
  // The first one may begin before the range.
  const auto at = place_of_id(account, range.first);
  if (!at) return fail(at.error());
  const PublicId first = *at ? (*at)->first : range.first;
  auto query = db_.query(
      "SELECT b.number, b.first_email_id, b.size, d.id, d.type,"
      " CASE WHEN d.status IN (5, 6) AND d.deleted = 0 AND (b.section IS NULL OR (SELECT state"
      " FROM sections s WHERE s.id = b.section) = 1) THEN d.started END"
      " FROM batches b LEFT JOIN deliveries d ON d.key = b.delivery"
      " WHERE b.account = ? AND b.first_email_id >= ? AND b.first_email_id < ?"
      " ORDER BY b.first_email_id DESC LIMIT ?");
  query.bind(account, first, range.end, limit);
  std::vector<LogBatch> batches;
  while (query.next()) {
    batches.push_back({query.integer(0), query.integer(1), query.integer(2), query.integer(3),
                       static_cast<DeliveryType>(query.integer(4)), query.optional_instant(5)});
  }
  if (query.failed()) return fail(query.error());
  return batches;
}

Result<std::vector<LogHit>> Queries::log_hits(std::span<const LogBatch> batches,
                                              std::int64_t limit) {
  std::vector<LogHit> hits;
  for (const LogBatch& batch : batches) {
    const auto left = limit - static_cast<std::int64_t>(hits.size());
    if (left <= 0) break;
    auto query = db_.query(
        "SELECT id, info & 7 FROM progress WHERE id BETWEEN ? AND ? AND (info & 7) <> 0"
        " ORDER BY id DESC LIMIT ?");
    query.bind(first_row(batch.number), last_row(batch.number), left);
    while (query.next()) {
      hits.push_back({batch.first + seq_of(query.integer(0)),
                      static_cast<RecipientState>(query.integer(1)), 0});
    }
    if (query.failed()) return fail(query.error());
  }
  return hits;
}

// Recipients and their email ids are numbered in the same order, by one writer.
Result<LogReads::Addressed> Queries::log_ids_of(const LogReads::AddressQuestion& question) {
  LogReads::Addressed addressed;
  std::optional<std::int64_t> from = question.from;
  if (!from) {
    const auto top = place_of_id(question.account, question.below - 1);
    if (!top) return fail(top.error());
    if (!*top) return addressed;
    from = first_row((*top)->number) + std::min(question.below - (*top)->first, (*top)->size);
  }
  const auto most = static_cast<std::size_t>(question.most);
  const auto found = question.mark == nullptr
                         ? find_address(db_, hash_, question.address, *from, most)
                         : find_mark(db_, hash_, *question.mark, *from, most);
  if (!found) return fail(found.error());
  if (ahead_ != nullptr) ahead_->batches(found->rows);
  addressed.next = found->next;
  addressed.effort = 1 + static_cast<std::int64_t>(found->rows.size());
  for (const std::int64_t row : found->rows) {
    const auto owner = batch(batch_of(row));
    if (!owner) return fail(owner.error());
    if (!*owner || (*owner)->account != question.account) continue;
    addressed.ids.push_back((*owner)->first_email_id + seq_of(row));
  }
  return addressed;
}

Result<std::vector<Story>> Queries::log_stories(AccountKey account, std::span<const PublicId> ids) {
  std::vector<PublicId> ordered(ids.begin(), ids.end());
  std::ranges::sort(ordered, std::greater{});
  if (ahead_ != nullptr) ahead_->stories(account, ordered);
  std::vector<Story> stories;
  for (const PublicId id : ordered) {
    const auto place = place_of_id(account, id);
    if (!place) return fail(place.error());
    if (!*place || id - (*place)->first >= (*place)->size) continue;
    auto story =
        story_of(recipient_row((*place)->number, id - (*place)->first), Told::without_content);
    if (!story) return fail(std::move(story.error()));
    if (*story) stories.push_back(std::move(**story));
  }
  return stories;
}

Result<std::vector<Usage>> Queries::usages(AccountKey account, Month first, Month last) {
  auto query = db_.query(
      "SELECT month, sum(mails), max(updated) FROM usages WHERE account = ?"
      " AND month BETWEEN ? AND ? GROUP BY month ORDER BY month DESC");
  query.bind(account, first, last);
  std::vector<Usage> usages;
  while (query.next()) {
    usages.push_back({static_cast<Month>(query.integer(0)), query.integer(1), query.instant(2)});
  }
  if (query.failed()) return fail(query.error());
  return usages;
}

}  // namespace todoku::store::sqlite
