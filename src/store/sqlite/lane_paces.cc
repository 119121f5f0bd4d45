// SPDX-License-Identifier: Apache-2.0
// How lanes fare (store/lane_paces.h).
#include "store/lane_paces.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<std::vector<LanePace>> Queries::lane_paces(const LanePaceQuestion& question) {
  std::vector<LanePace> paces;
  auto query = db_.query(
      "SELECT source, site, noted, kept_until, pace, connections, pace_limit, reason,"
      " latency_floor, latency, since, rests_until, eases_at, ceiling, connections_open,"
      " connections_max, waiting FROM lane_paces WHERE (?1 IS NULL OR source = ?1)"
      " AND (?2 IS NULL OR site = ?2) AND noted >= ?3 ORDER BY noted DESC LIMIT ?4");
  query.bind(question.source, question.site, question.noted_since, question.limit);
  while (query.next()) {
    paces.push_back({.source = std::string(query.text(0)),
                     .site = std::string(query.text(1)),
                     .noted = query.instant(2),
                     .kept_until = query.instant(3),
                     .pace = query.integer(4),
                     .connections = query.integer(5),
                     .limit = query.integer(6),
                     .reason = query.integer(7),
                     .latency_floor_us = query.integer(8),
                     .latency_us = query.integer(9),
                     .since = query.instant(10),
                     .rests_until = query.optional_instant(11),
                     .eases_at = query.optional_instant(12),
                     .ceiling = query.integer(13),
                     .connections_open = query.integer(14),
                     .connections_max = query.integer(15),
                     .waiting = query.integer(16)});
  }
  if (query.failed()) return fail(query.error());
  put_in_order(paces);
  return paces;
}

Result<void> SqliteWriteTransaction::note_lane_paces(std::span<const LanePace> paces) {
  auto done = db_.query(
                     "DELETE FROM lane_paces WHERE (source, site) IN (SELECT source, site FROM"
                     " lane_paces WHERE kept_until <= ? ORDER BY kept_until LIMIT 1000)")
                  .bind(now_)
                  .run();
  for (const LanePace& pace : paces) {
    if (!done) return done;
    done = db_.query(
                  "INSERT INTO lane_paces(source, site, noted, kept_until, pace, connections,"
                  " pace_limit, reason, latency_floor, latency, since, rests_until, eases_at,"
                  " ceiling, connections_open, connections_max, waiting)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
                  " ?17) ON CONFLICT(source, site) DO UPDATE SET noted = ?3, kept_until = ?4,"
                  " pace = ?5, connections = ?6, pace_limit = ?7, reason = ?8, latency_floor = ?9,"
                  " latency = ?10, since = ?11, rests_until = ?12, eases_at = ?13, ceiling = ?14,"
                  " connections_open = ?15, connections_max = ?16, waiting = ?17"
                  " WHERE noted <= ?3")
               .bind(pace.source, pace.site, pace.noted, pace.kept_until, pace.pace,
                     pace.connections, pace.limit, pace.reason, pace.latency_floor_us,
                     pace.latency_us, pace.since, pace.rests_until, pace.eases_at, pace.ceiling,
                     pace.connections_open, pace.connections_max, pace.waiting)
               .run();
  }
  return done;
}

}  // namespace todoku::store::sqlite
