// SPDX-License-Identifier: Apache-2.0
// Deliveries that are paused or stopped while they go out (store/course.h). The delivery's row
// decides: counts of outcomes that are settled at the same time are added after, or before, and
// what they mean follows from the course that they find there (settling_set.cc).
#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kHeld{"course: held",
                "SELECT key FROM deliveries WHERE course BETWEEN 1 AND 2 AND deleted = 0"
                " AND (course = 2 OR status = 5) ORDER BY key DESC LIMIT $1"};
const Sql kStopped{"course: stopped",
                   "SELECT key FROM deliveries WHERE course BETWEEN 1 AND 2 AND course = 2"
                   " AND deleted = 0 AND key > $1 ORDER BY key LIMIT $2"};
// Batches that nobody has and of which something is open, but for those of which who lost them may
// have something to tell after $3. Of a transaction they follow its key.
const Sql kFreeBatches{
    "course: free batches",
    "WITH RECURSIVE its(number) AS (SELECT number FROM batches WHERE number = $1 AND delivery = $1"
    " UNION ALL SELECT b.number FROM its JOIN batches b ON b.number = its.number + 1"
    " AND b.delivery = $1)"
    " SELECT b.number FROM its JOIN batches b ON b.number = its.number"
    " WHERE b.open > 0 AND b.holder = 0 AND coalesce(b.late_until, 0) <= $3 UNION ALL"
    " SELECT w.number FROM sections s CROSS JOIN LATERAL (SELECT number FROM batches"
    " WHERE section = s.id AND ready_at IS NOT NULL AND coalesce(late_until, 0) <= $3"
    " ORDER BY ready_at LIMIT $2) w"
    " WHERE s.delivery = $1 AND s.state = 1 LIMIT $2"};
// In hand, or open after all. One look: a batch passes from one to the other.
const Sql kIsLeft{
    "course: is left",
    "SELECT EXISTS(SELECT 1 FROM nodes n CROSS JOIN LATERAL (SELECT delivery FROM batches"
    " WHERE holder = n.key AND holder <> 0 OFFSET 0) b WHERE b.delivery = $1)"
    " OR EXISTS(SELECT 1 FROM sections s CROSS JOIN LATERAL (SELECT 1 FROM batches"
    " WHERE section = s.id AND ready_at IS NOT NULL LIMIT 1) w"
    " WHERE s.delivery = $1 AND s.state = 1)"
    " OR EXISTS(WITH RECURSIVE its(number) AS (SELECT number FROM batches WHERE number = $1"
    " AND delivery = $1 UNION ALL SELECT b.number FROM its JOIN batches b"
    " ON b.number = its.number + 1 AND b.delivery = $1)"
    " SELECT 1 FROM its JOIN batches b ON b.number = its.number WHERE b.open > 0)"};
const Sql kOpen{"course: open recipients",
                "SELECT o.batch, o.seq, d.at_most_once = 0 AND (s.seq IS NOT NULL"
                " OR (b.doubted >> (o.seq / $2)::int & 1 = 1 AND coalesce(o.due, 0) <= b.lost_at))"
                " FROM unnest($1::bigint[]) u(number) JOIN batches b ON b.number = u.number"
                " JOIN deliveries d ON d.key = b.delivery CROSS JOIN LATERAL"
                " (SELECT r.batch, r.seq, p.due FROM recipients r LEFT JOIN progress p"
                " ON p.batch = r.batch AND p.seq = r.seq WHERE r.batch = u.number"
                " AND (p.state IS NULL OR p.state <= 1) OFFSET 0) o LEFT JOIN suspects s"
                " ON s.batch = o.batch AND s.seq = o.seq ORDER BY o.batch, o.seq"};
const Sql kLockDeliveries{
    "course: lock deliveries",
    "SELECT key FROM deliveries WHERE key = ANY($1) ORDER BY key FOR NO KEY UPDATE"};
const Sql kSteer{"course: steer", "UPDATE deliveries SET course = $2, updated = $3 WHERE key = $1"};
const Sql kStop{"course: stop",
                "UPDATE deliveries SET course = 2, status = 6,"
                " phase = CASE WHEN phase IS NOT NULL THEN 6 END, finished = $2, updated = $2,"
                " cancelled = cancelled + $3, deferred = 0 WHERE key = $1"};
// Whoever is settling something of it is waited for (settling_set.cc).
const Sql kHoldEnding{"course: hold",
                      "SELECT key FROM deliveries WHERE key = $1 AND course = 2 FOR UPDATE"};
const Sql kEnd{"course: end",
               "UPDATE deliveries SET course = 3 WHERE key = $1 AND course = 2 AND deleted = 0"
               " RETURNING account, total"};

}  // namespace

Result<std::vector<DeliveryKey>> Questions::held_deliveries(std::int64_t limit) {
  const auto rows = session_.ask(kHeld, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<DeliveryKey> held;
  for (int i = 0; i < rows->size(); ++i) held.push_back(DeliveryKey{rows->integer(i, 0)});
  return held;
}

Result<StoppedWork> Questions::stopped_work(DeliveryKey after, std::int64_t recipients) {
  StoppedWork work;
  const auto stopped = session_.ask(kStopped, Params() << after << kStoppedLookedAt);
  if (!stopped) return fail(stopped.error());
  const int count = stopped->size();
  if (count == kStoppedLookedAt) work.next = DeliveryKey{stopped->integer(count - 1, 0)};
  for (int i = 0; i < count; ++i) {
    const DeliveryKey key{stopped->integer(i, 0)};
    if (std::ssize(work.open) >= recipients) {
      work.next = DeliveryKey{stopped->integer(i - 1, 0)};
      break;
    }
    const auto batches = session_.ask(
        kFreeBatches, Params() << key << recipients / kBatchRecipientsMax + 1 << session_.now());
    if (!batches) return fail(batches.error());
    Column numbers(kInt8);
    for (int n = 0; n < batches->size(); ++n) numbers.add(batches->integer(n, 0));
    const auto rest = batches->empty() ? session_.ask(kIsLeft, Params() << key)
                                       : session_.ask(kOpen, Params() << numbers << kBegunTogether);
    if (!rest) return fail(rest.error());
    if (batches->empty()) {
      if (!rest->flag(0, 0)) work.over.push_back(key);
      continue;
    }
    for (int n = 0; n < rest->size(); ++n) {
      work.open.push_back({{key, batch_key(number_of(key), rest->integer(n, 0)).batch,
                            static_cast<std::uint32_t>(rest->integer(n, 1))},
                           rest->flag(n, 2)});
    }
  }
  return work;
}

Result<void> Changes::lock_deliveries(std::span<const DeliveryKey> keys) {
  if (keys.empty()) return {};
  Column column(kInt8);
  for (const DeliveryKey key : keys) column.add(key);
  const auto locked = session_.ask(kLockDeliveries, Params() << column);
  if (!locked) return fail(locked.error());
  return {};
}

Result<bool> Changes::steer_delivery(DeliveryKey key, Course course) {
  const auto delivery = locked_delivery(session_, key);
  if (!delivery) return fail(delivery.error());
  const auto steered = may_steer(*delivery, course);
  if (!steered) return fail(steered.error());
  if (!*steered) return false;
  const std::int64_t open = delivery->counts.total - delivery->counts.terminal();
  const Instant now = session_.now();
  const auto done = course == Course::stopped
                        ? session_.ask(kStop, Params() << key << now << open)
                        : session_.ask(kSteer, Params() << key << course << now);
  if (!done) return fail(done.error());
  events_.add(delivery->account, event_of_many(event_kind(course), key, open, now));
  auto told = changed(Topic::held);
  if (!told) return fail(std::move(told.error()));
  return true;
}

Result<void> Changes::end_stopped(DeliveryKey key) {
  const auto answers = session_.add(kHoldEnding, Params() << key).add(kEnd, Params() << key).fly();
  if (!answers) return fail(answers.error());
  const Table& ended = answers->back();
  if (ended.empty()) return {};
  events_.add(AccountKey{ended.integer(0, 0)}, event_of_many(EventKind::delivery_finished, key,
                                                             ended.integer(0, 1), session_.now()));
  return changed(Topic::held);
}

}  // namespace todoku::store::postgres
