// SPDX-License-Identifier: Apache-2.0
// Deliveries that are paused or stopped while they go out (store/course.h).
#include <algorithm>

#include <fmt/format.h>

#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<std::vector<DeliveryKey>> Queries::held_deliveries(std::int64_t limit) {
  std::vector<DeliveryKey> held;
  auto query = db_.query(
      "SELECT key FROM deliveries INDEXED BY deliveries_held WHERE key > 0"
      " AND course BETWEEN 1 AND 2 AND deleted = 0 AND (course = 2 OR status = 5)"
      " ORDER BY key DESC LIMIT ?");
  query.bind(limit);
  while (query.next()) held.push_back(DeliveryKey{query.integer(0)});
  if (query.failed()) return fail(query.error());
  return held;
}

// Batches that nobody has and of which something is open, but for those of which who lost them may
// have something to tell after `until`. Of a transaction they follow its key.
Result<std::vector<std::int64_t>> Queries::free_batches(DeliveryKey key, std::int64_t limit,
                                                        Instant until) {
  std::vector<std::int64_t> numbers;
  auto query = db_.query(
      "SELECT b.number FROM sections s JOIN batches b ON b.section = s.id"
      " WHERE s.delivery = ?1 AND s.state = 1 AND b.ready_at IS NOT NULL AND b.holder = 0"
      " AND coalesce(b.late_until, 0) <= ?3 LIMIT ?2");
  query.bind(key, limit, until);
  while (query.next()) numbers.push_back(query.integer(0));
  if (query.failed()) return fail(query.error());
  for (std::int64_t number = number_of(key);; ++number) {
    const auto found = batch(number);
    if (!found) return fail(found.error());
    if (!*found || (*found)->delivery != number_of(key)) return numbers;
    const BatchRow& row = **found;
    if (row.open == 0 || row.holder != kNobody) continue;
    auto late = db_.query("SELECT 1 FROM batches WHERE number = ? AND late_until > ?");
    late.bind(number, until);
    if (!late.next()) numbers.push_back(number);
    if (late.failed()) return fail(late.error());
  }
}

Result<void> Queries::add_open(DeliveryKey key, std::int64_t batch,
                               std::vector<StoppedRecipient>& open) {
  auto query = db_.query(
      "SELECT r.id, d.at_most_once = 0 AND (s.recipient IS NOT NULL"
      " OR (b.doubted >> (r.id - ?2) / ?1 & 1 AND coalesce(p.due, 0) <= b.lost_at))"
      " FROM batches b JOIN deliveries d ON d.key = b.delivery"
      " JOIN recipients r ON r.id BETWEEN ?2 AND ?3"
      " LEFT JOIN progress p ON p.id = r.id LEFT JOIN suspects s ON s.recipient = r.id"
      " WHERE b.number = ?4 AND (p.info IS NULL OR (p.info & 7) <= 1)");
  query.bind(kBegunTogether, first_row(batch), last_row(batch), batch);
  while (query.next()) {
    open.push_back(
        {{key, batch_key(number_of(key), batch).batch, seq_of(query.integer(0))}, query.flag(1)});
  }
  if (query.failed()) return fail(query.error());
  return {};
}

Result<StoppedWork> Queries::stopped_work(DeliveryKey after, std::int64_t recipients) {
  StoppedWork work;
  std::vector<DeliveryKey> stopped;
  {
    auto query = db_.query(
        "SELECT key FROM deliveries INDEXED BY deliveries_held WHERE key > ?"
        " AND course BETWEEN 1 AND 2 AND course = 2 AND deleted = 0 ORDER BY key LIMIT ?");
    query.bind(after, kStoppedLookedAt);
    while (query.next()) stopped.push_back(DeliveryKey{query.integer(0)});
    if (query.failed()) return fail(query.error());
  }
  if (std::ssize(stopped) == kStoppedLookedAt) work.next = stopped.back();
  for (std::size_t i = 0; i < stopped.size(); ++i) {
    const DeliveryKey key = stopped[i];
    if (std::ssize(work.open) >= recipients) {
      work.next = stopped[i - 1];
      break;
    }
    const auto batches = free_batches(key, recipients / kBatchRecipientsMax + 1, now_);
    if (!batches) return fail(batches.error());
    for (const std::int64_t number : *batches) {
      auto added = add_open(key, number, work.open);
      if (!added) return fail(std::move(added.error()));
    }
    if (!batches->empty()) continue;
    const auto late = free_batches(key, 1, Instant::max());
    if (!late) return fail(late.error());
    if (!late->empty()) continue;
    auto held = db_.query("SELECT 1 FROM batches WHERE holder <> 0 AND delivery = ? LIMIT 1");
    held.bind(key);
    const bool in_hand = held.next();
    if (held.failed()) return fail(held.error());
    if (!in_hand) work.over.push_back(key);
  }
  return work;
}

Result<bool> SqliteWriteTransaction::steer_delivery(DeliveryKey key, Course course) {
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  const auto steered = may_steer(*delivery, course);
  if (!steered) return fail(steered.error());
  if (!*steered) return false;
  const std::int64_t open = delivery->counts.total - delivery->counts.terminal();
  auto done = course == Course::stopped
                  ? db_.query(
                           "UPDATE deliveries SET course = 2, status = 6, finished = ?1,"
                           " updated = ?1, cancelled = cancelled + ?2, deferred = 0"
                           " WHERE key = ?3")
                        .bind(now_, open, key)
                        .run()
                  : db_.query("UPDATE deliveries SET course = ?, updated = ? WHERE key = ?")
                        .bind(course, now_, key)
                        .run();
  if (done) done = changed(Topic::held);
  if (!done) return fail(std::move(done.error()));
  if (course == Course::stopped && delivery->traffic == TrafficClass::transactional) {
    waiting_ -= open;
  }
  events_.add(delivery->account, event_of_many(event_kind(course), key, open, now_));
  return true;
}

Result<void> SqliteWriteTransaction::end_stopped(DeliveryKey key) {
  auto query = db_.query(
      "UPDATE deliveries SET course = 3 WHERE key = ? AND course = 2 AND deleted = 0"
      " RETURNING account, total");
  query.bind(key);
  while (query.next()) {
    events_.add(AccountKey{query.integer(0)},
                event_of_many(EventKind::delivery_finished, key, query.integer(1), now_));
  }
  if (query.failed()) return fail(query.error());
  return changed(Topic::held);
}

}  // namespace todoku::store::sqlite
