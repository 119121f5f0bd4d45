// SPDX-License-Identifier: Apache-2.0
// How bulk deliveries are to go (store/steering.h).
#include "store/postgres/session.h"
#include "store/postgres/transactions.h"
#include "store/steering_row.h"

namespace todoku::store::postgres {
namespace {

const Sql kSteering{"steering: of one",
                    "SELECT revision, mails, minutes, quiet_from, quiet_until, zone,"
                    " goes_from, goes_until, used_to FROM steering WHERE delivery = $1"};
// Several that take from one delivery wait for each other here.
const Sql kSteeringLocked{
    "steering: lock",
    "SELECT revision, mails, minutes, quiet_from, quiet_until, zone,"
    " goes_from, goes_until, used_to FROM steering WHERE delivery = $1 FOR NO KEY UPDATE"};
const Sql kSteeringRevisions{
    "steering: revisions",
    "SELECT t.delivery, t.revision FROM deliveries d JOIN steering t ON t.delivery = d.key"
    " WHERE d.phase = 5 AND d.traffic = 1 AND d.deleted = 0 ORDER BY d.key DESC LIMIT $1"};
const Sql kPutSteering{
    "steering: put",
    "INSERT INTO steering AS t(delivery, revision, mails, minutes, quiet_from, quiet_until, zone,"
    " goes_from, goes_until, used_to) VALUES($1, 1, $2, $3, $4, $5, $6, $7, $8, 0) ON "
    "CONFLICT(delivery) DO UPDATE SET"
    " revision = t.revision + 1, mails = $2, minutes = $3, quiet_from = $4, quiet_until = $5,"
    " zone = $6, goes_from = $7, goes_until = $8"};
const Sql kPaceUsed{"steering: pace used", "UPDATE steering SET used_to = $2 WHERE delivery = $1"};
const Sql kMoveWindow{"steering: move window",
                      "UPDATE steering SET goes_from = $2, goes_until = $3 WHERE delivery = $1"};

Result<Steering> steering_of(Session& session, const Sql& sql, DeliveryKey key) {
  const auto rows = session.ask(sql, Params() << key);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return Steering();
  SteeringRow row{.revision = rows->integer(0, 0),
                  .mails = rows->integer(0, 1),
                  .minutes = rows->integer(0, 2),
                  .quiet_from = rows->integer(0, 3),
                  .quiet_until = rows->integer(0, 4),
                  .zone = std::string(rows->text(0, 5)),
                  .goes_from = rows->instant(0, 6),
                  .goes_until = {},
                  .used_to = rows->integer(0, 8)};
  if (!rows->null(0, 7)) row.goes_until = rows->instant(0, 7);
  return steering_in(row);
}

}  // namespace

Result<Steering> Questions::steering(DeliveryKey key) {
  return steering_of(session_, kSteering, key);
}

Result<std::vector<SteeringRevision>> Questions::steering_revisions(std::int64_t limit) {
  const auto rows = session_.ask(kSteeringRevisions, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<SteeringRevision> revisions;
  for (int i = 0; i < rows->size(); ++i) {
    revisions.push_back({DeliveryKey{rows->integer(i, 0)}, rows->integer(i, 1)});
  }
  return revisions;
}

Result<void> Changes::put_steering(DeliveryKey key, const SteeringRules& rules) {
  if (rules.pace || rules.quiet) {
    if (auto known = questions_.all_know(Novelty::steering); !known) {
      return fail(std::move(known.error()));
    }
  }
  const SteeringRow row = steering_row(rules, session_.now());
  const auto done = session_.ask(
      kPutSteering, Params() << key << row.mails << row.minutes << row.quiet_from << row.quiet_until
                             << std::string_view(row.zone) << row.goes_from << row.goes_until);
  if (!done) return fail(done.error());
  return changed(Topic::held);
}

Result<PaceTaken> Changes::take_pace(DeliveryKey key, std::int64_t want) {
  const auto steering = steering_of(session_, kSteeringLocked, key);
  if (!steering) return fail(steering.error());
  if (!steering->rules.pace) return PaceTaken{.granted = want};
  const PaceTaken taken =
      take_of(*steering->rules.pace, steering->pace_used_to, session_.now(), want);
  if (taken.granted == 0) return taken;
  const auto done = session_.ask(kPaceUsed, Params() << key << std::int64_t{taken.used_to.count()});
  if (!done) return fail(done.error());
  return taken;
}

Result<void> Changes::move_window(DeliveryKey key) {
  const auto steering = steering_of(session_, kSteeringLocked, key);
  if (!steering) return fail(steering.error());
  const Instant now = session_.now();
  if (!steering->rules.quiet || !steering->open || steering->open->until > now) return {};
  const OpenWindow open = open_window(*steering->rules.quiet, now);
  const auto done = session_.ask(kMoveWindow, Params() << key << open.from << open.until);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
