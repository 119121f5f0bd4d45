// SPDX-License-Identifier: Apache-2.0
// Who opened what (store/opens.h). Everything goes by email_id: a few looks at indices for each.
#include "store/opens.h"

#include <algorithm>
#include <functional>
#include <map>

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

OpenRecord open_in(const Query& row) {
  return {.id = row.integer(0),
          .opened = row.optional_instant(1),
          .opened_last = row.optional_instant(2),
          .times = row.integer(3),
          .prefetched = row.optional_instant(4),
          .complained = row.optional_instant(5)};
}

}  // namespace

Result<std::vector<OpenRecord>> Queries::opens_of(AccountKey account,
                                                  std::span<const PublicId> ids) {
  std::vector<PublicId> ordered(ids.begin(), ids.end());
  std::ranges::sort(ordered, std::greater{});
  std::vector<OpenRecord> records;
  auto query = db_.query(
      "SELECT id, opened, opened_last, times, prefetched, complained FROM opens"
      " WHERE account = ? AND id = ?");
  for (const PublicId id : ordered) {
    query.bind(account, id);
    if (query.next()) records.push_back(open_in(query));
    if (query.failed()) return fail(query.error());
    query.reset();
  }
  return records;
}

Result<std::vector<OpenRecord>> Queries::opens_in(AccountKey account, LogRange range,
                                                  std::int64_t limit) {
  std::vector<OpenRecord> records;
  auto query = db_.query(
      "SELECT id, opened, opened_last, times, prefetched, complained FROM opens"
      " WHERE account = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?");
  query.bind(account, range.first, range.end, limit);
  while (query.next()) records.push_back(open_in(query));
  if (query.failed()) return fail(query.error());
  return records;
}

Result<OpenCounts> Queries::open_counts(DeliveryKey key) {
  auto query = db_.query("SELECT opened, prefetched FROM open_counts WHERE delivery = ?");
  query.bind(key);
  if (query.next()) return OpenCounts{query.integer(0), query.integer(1)};
  if (query.failed()) return fail(query.error());
  return OpenCounts{};
}

// The email_id; 0: there is no such recipient.
Result<PublicId> SqliteWriteTransaction::opened_id(AccountKey account, const RecipientKey& key) {
  auto query = db_.query(
      "SELECT b.first_email_id + ?1 FROM batches b JOIN deliveries d ON d.key = b.delivery"
      " WHERE b.number = ?2 AND b.delivery = ?3 AND b.account = ?4 AND b.size > ?1"
      " AND d.deleted = 0 AND d.started IS NOT NULL");
  query.bind(key.seq, batch_number(key.delivery, key.batch), key.delivery, account);
  if (query.next()) return query.integer(0);
  if (query.failed()) return fail(query.error());
  return 0;
}

Result<OpenRecorded> SqliteWriteTransaction::record_open(const OpenSeen& seen, OpenCounts& counts) {
  const auto id = opened_id(seen.account, seen.recipient);
  if (!id) return fail(id.error());
  if (*id == 0) return OpenRecorded::unknown;
  const Instant at = now_ - seen.age;
  const bool is_prefetch = seen.by == OpenedBy::prefetch;
  auto query = is_prefetch
                   ? db_.query(
                         "INSERT INTO opens(account, id, times, prefetched, prefetched_last)"
                         " VALUES(?1, ?2, 0, ?3, ?3) ON CONFLICT(account, id) DO UPDATE SET"
                         " prefetched = coalesce(prefetched, ?3), prefetched_last = ?3"
                         " WHERE prefetched_last IS NULL OR prefetched_last <= ?3 - ?4"
                         " RETURNING prefetched = prefetched_last")
                   : db_.query(
                         "INSERT INTO opens(account, id, opened, opened_last, times)"
                         " VALUES(?1, ?2, ?3, ?3, 1) ON CONFLICT(account, id) DO UPDATE SET"
                         " opened = coalesce(opened, ?3), opened_last = ?3, times = times + 1"
                         " WHERE opened_last IS NULL OR opened_last <= ?3 - ?4"
                         " RETURNING opened = opened_last");
  query.bind(seen.account, *id, at, kOpenEvery.count());
  bool recorded = false;
  bool first = false;
  while (query.next()) {
    recorded = true;
    first = query.flag(0);
  }
  if (query.failed()) return fail(query.error());
  if (!recorded) return OpenRecorded::repeated;
  if (first) ++(is_prefetch ? counts.prefetched : counts.opened);
  events_.add(seen.account, {.kind = EventKind::opened,
                             .at = at,
                             .delivery = seen.recipient.delivery,
                             .batch = seen.recipient.batch,
                             .seq = seen.recipient.seq,
                             .opened_by = seen.by});
  return OpenRecorded::recorded;
}

Result<std::vector<OpenRecorded>> SqliteWriteTransaction::record_opens(
    std::span<const OpenSeen> seen) {
  std::map<DeliveryKey, OpenCounts> counts;
  std::vector<OpenRecorded> answers;
  for (const OpenSeen& each : seen) {
    OpenCounts by;
    const auto recorded = record_open(each, by);
    if (!recorded) return fail(recorded.error());
    answers.push_back(*recorded);
    if (by == OpenCounts{}) continue;
    OpenCounts& sum = counts[each.recipient.delivery];
    sum.opened += by.opened;
    sum.prefetched += by.prefetched;
  }
  for (const auto& [delivery, by] : counts) {
    auto done = db_.query(
                       "INSERT INTO open_counts(delivery, opened, prefetched) VALUES(?1, ?2, ?3)"
                       " ON CONFLICT(delivery) DO UPDATE SET opened = opened + ?2,"
                       " prefetched = prefetched + ?3")
                    .bind(delivery, by.opened, by.prefetched)
                    .run();
    if (!done) return fail(std::move(done.error()));
  }
  return answers;
}

Result<OpenRecorded> SqliteWriteTransaction::record_complaint(AccountKey account,
                                                              const RecipientKey& key,
                                                              ComplaintEvent event) {
  const auto id = opened_id(account, key);
  if (!id) return fail(id.error());
  if (*id == 0) return OpenRecorded::unknown;
  auto query = db_.query(
      "INSERT INTO opens(account, id, times, complained) VALUES(?1, ?2, 0, ?3)"
      " ON CONFLICT(account, id) DO UPDATE SET complained = ?3 WHERE complained IS NULL"
      " RETURNING 1");
  query.bind(account, *id, now_);
  bool recorded = false;
  while (query.next()) recorded = true;
  if (query.failed()) return fail(query.error());
  if (!recorded) return OpenRecorded::repeated;
  if (event == ComplaintEvent::told) tell_of_recipient(EventKind::complained, account, key);
  return OpenRecorded::recorded;
}

}  // namespace todoku::store::sqlite
