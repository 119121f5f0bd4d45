// SPDX-License-Identifier: Apache-2.0
// How bulk deliveries are to go (store/steering.h).
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"
#include "store/steering_row.h"

namespace todoku::store::sqlite {

Result<Steering> Queries::steering(DeliveryKey key) {
  auto query = db_.query(
      "SELECT revision, mails, minutes, quiet_from, quiet_until, zone,"
      " goes_from, goes_until, used_to FROM steering WHERE delivery = ?");
  query.bind(key);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return Steering();
  }
  return steering_in({.revision = query.integer(0),
                      .mails = query.integer(1),
                      .minutes = query.integer(2),
                      .quiet_from = query.integer(3),
                      .quiet_until = query.integer(4),
                      .zone = std::string(query.text(5)),
                      .goes_from = query.instant(6),
                      .goes_until = query.optional_instant(7),
                      .used_to = query.integer(8)});
}

Result<std::vector<SteeringRevision>> Queries::steering_revisions(std::int64_t limit) {
  std::vector<SteeringRevision> revisions;
  auto query = db_.query(
      "SELECT t.delivery, t.revision FROM deliveries d JOIN steering t ON t.delivery = d.key"
      " WHERE d.status = 5 AND d.traffic = 1 AND d.deleted = 0 ORDER BY d.key DESC LIMIT ?");
  query.bind(limit);
  while (query.next()) revisions.push_back({DeliveryKey{query.integer(0)}, query.integer(1)});
  if (query.failed()) return fail(query.error());
  return revisions;
}

Result<void> SqliteWriteTransaction::put_steering(DeliveryKey key, const SteeringRules& rules) {
  const SteeringRow row = steering_row(rules, now_);
  auto done = db_.query(
                     "INSERT INTO steering(delivery, revision, mails, minutes, quiet_from, "
                     "quiet_until, zone,"
                     " goes_from, goes_until, used_to) VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                     "0) ON CONFLICT(delivery) DO UPDATE SET"
                     " revision = revision + 1, mails = ?2, minutes = ?3, quiet_from = ?4,"
                     " quiet_until = ?5, zone = ?6, goes_from = ?7, goes_until = ?8")
                  .bind(key, row.mails, row.minutes, row.quiet_from, row.quiet_until, row.zone,
                        row.goes_from, row.goes_until)
                  .run();
  if (done) done = changed(Topic::held);
  return done;
}

Result<PaceTaken> SqliteWriteTransaction::take_pace(DeliveryKey key, std::int64_t want) {
  const auto steering = queries_.steering(key);
  if (!steering) return fail(steering.error());
  if (!steering->rules.pace) return PaceTaken{.granted = want};
  const PaceTaken taken = take_of(*steering->rules.pace, steering->pace_used_to, now_, want);
  if (taken.granted == 0) return taken;
  auto done = db_.query("UPDATE steering SET used_to = ? WHERE delivery = ?")
                  .bind(taken.used_to.count(), key)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return taken;
}

Result<void> SqliteWriteTransaction::move_window(DeliveryKey key) {
  const auto steering = queries_.steering(key);
  if (!steering) return fail(steering.error());
  if (!steering->rules.quiet || !steering->open || steering->open->until > now_) return {};
  const OpenWindow open = open_window(*steering->rules.quiet, now_);
  return db_.query("UPDATE steering SET goes_from = ?, goes_until = ? WHERE delivery = ?")
      .bind(open.from, open.until, key)
      .run();
}

}  // namespace todoku::store::sqlite
