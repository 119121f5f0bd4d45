// SPDX-License-Identifier: Apache-2.0
// How lanes fare (store/lane_paces.h).
#include "store/lane_paces.h"

#include <algorithm>
#include <tuple>

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define LANE_PACE_COLUMNS                                                                  \
  "source, site, noted, kept_until, pace, connections, pace_limit, reason, latency_floor," \
  " latency, since, rests_until, eases_at, ceiling, connections_open, connections_max, waiting"
#define LANE_PACES "SELECT " LANE_PACE_COLUMNS " FROM lane_paces WHERE noted >= $1"
#define LANE_PACES_ORDER " ORDER BY noted DESC LIMIT $2"
const Sql kLanePaces{"lane paces: all", LANE_PACES LANE_PACES_ORDER};
const Sql kLanePacesOfSource{"lane paces: of a source",
                             LANE_PACES " AND source = $3" LANE_PACES_ORDER};
const Sql kLanePacesOfSite{"lane paces: of a site", LANE_PACES " AND site = $3" LANE_PACES_ORDER};
const Sql kLanePace{"lane paces: of a lane",
                    LANE_PACES " AND source = $3 AND site = $4" LANE_PACES_ORDER};
const Sql kDropLanePaces{"lane paces: drop",
                         "DELETE FROM lane_paces WHERE ctid = ANY(ARRAY(SELECT ctid FROM lane_paces"
                         " WHERE kept_until <= $1 ORDER BY kept_until LIMIT 1000"
                         " FOR UPDATE SKIP LOCKED))"};
// They come in the order of the key, as everybody writes them: nobody waits in a circle.
const Sql kNoteLanePaces{
    "lane paces: note",
    "INSERT INTO lane_paces AS l(" LANE_PACE_COLUMNS
    ") SELECT * FROM unnest($1::text[], $2::text[],"
    " $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],"
    " $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],"
    " $15::bigint[], $16::bigint[], $17::bigint[]) ON CONFLICT(source, site) DO UPDATE SET"
    " noted = excluded.noted, kept_until = excluded.kept_until, pace = excluded.pace,"
    " connections = excluded.connections, pace_limit = excluded.pace_limit,"
    " reason = excluded.reason, latency_floor = excluded.latency_floor,"
    " latency = excluded.latency, since = excluded.since, rests_until = excluded.rests_until,"
    " eases_at = excluded.eases_at, ceiling = excluded.ceiling,"
    " connections_open = excluded.connections_open, connections_max = excluded.connections_max,"
    " waiting = excluded.waiting WHERE l.noted <= excluded.noted"};

const Sql& question_for(const LanePaceQuestion& question) {
  if (question.source && question.site) return kLanePace;
  if (question.source) return kLanePacesOfSource;
  return question.site ? kLanePacesOfSite : kLanePaces;
}

}  // namespace

Result<std::vector<LanePace>> Questions::lane_paces(const LanePaceQuestion& question) {
  Params params;
  params << question.noted_since << question.limit;
  if (question.source) params << *question.source;
  if (question.site) params << *question.site;
  const auto rows = session_.ask(question_for(question), params);
  if (!rows) return fail(rows.error());
  std::vector<LanePace> paces;
  for (int i = 0; i < rows->size(); ++i) {
    paces.push_back({.source = std::string(rows->text(i, 0)),
                     .site = std::string(rows->text(i, 1)),
                     .noted = rows->instant(i, 2),
                     .kept_until = rows->instant(i, 3),
                     .pace = rows->integer(i, 4),
                     .connections = rows->integer(i, 5),
                     .limit = rows->integer(i, 6),
                     .reason = rows->integer(i, 7),
                     .latency_floor_us = rows->integer(i, 8),
                     .latency_us = rows->integer(i, 9),
                     .since = rows->instant(i, 10),
                     .rests_until = rows->optional_instant(i, 11),
                     .eases_at = rows->optional_instant(i, 12),
                     .ceiling = rows->integer(i, 13),
                     .connections_open = rows->integer(i, 14),
                     .connections_max = rows->integer(i, 15),
                     .waiting = rows->integer(i, 16)});
  }
  put_in_order(paces);
  return paces;
}

Result<void> Changes::note_lane_paces(std::span<const LanePace> paces) {
  std::vector<const LanePace*> by_key;
  for (const LanePace& pace : paces) by_key.push_back(&pace);
  std::ranges::sort(by_key, [](const LanePace* one, const LanePace* other) {
    return std::tie(one->source, one->site) < std::tie(other->source, other->site);
  });
  Column source(kText);
  Column site(kText);
  Column noted(kInt8);
  Column kept_until(kInt8);
  Column pace(kInt8);
  Column connections(kInt8);
  Column pace_limit(kInt8);
  Column reason(kInt8);
  Column latency_floor(kInt8);
  Column latency(kInt8);
  Column since(kInt8);
  Column rests_until(kInt8);
  Column eases_at(kInt8);
  Column ceiling(kInt8);
  Column connections_open(kInt8);
  Column connections_max(kInt8);
  Column waiting(kInt8);
  for (const LanePace* lane : by_key) {
    source.add(std::string_view(lane->source));
    site.add(std::string_view(lane->site));
    noted.add(lane->noted);
    kept_until.add(lane->kept_until);
    pace.add(lane->pace);
    connections.add(lane->connections);
    pace_limit.add(lane->limit);
    reason.add(lane->reason);
    latency_floor.add(lane->latency_floor_us);
    latency.add(lane->latency_us);
    since.add(lane->since);
    rests_until.add(lane->rests_until);
    eases_at.add(lane->eases_at);
    ceiling.add(lane->ceiling);
    connections_open.add(lane->connections_open);
    connections_max.add(lane->connections_max);
    waiting.add(lane->waiting);
  }
  const auto noted_all =
      session_.add(kDropLanePaces, Params() << session_.now())
          .add(kNoteLanePaces, Params() << source << site << noted << kept_until << pace
                                        << connections << pace_limit << reason << latency_floor
                                        << latency << since << rests_until << eases_at << ceiling
                                        << connections_open << connections_max << waiting)
          .fly();
  if (!noted_all) return fail(noted_all.error());
  return {};
}

}  // namespace todoku::store::postgres
