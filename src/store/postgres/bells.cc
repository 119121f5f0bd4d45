// SPDX-License-Identifier: Apache-2.0
// Bells (store/bells.h). All that one process has to do with them is one flight, whose statements
// are one transaction because nothing but its end tells the server to commit (PostgreSQL, "Pipeline
// Mode"): who only listens pays for one statement.
//
// Only ringing waits for another's lock, in the order of the keys and before anything else of its
// flight is locked, so that nobody waits in a circle. Everything else leaves out what is locked.
#include "store/postgres/hot.h"
#include "store/postgres/transactions.h"
#include "store/texts.h"

namespace todoku::store::postgres {
namespace {

// True; and the transaction does not wait for the disk or a standby, because a bell that is lost is
// rung again, nor long for one that hangs.
#define AS_A_HINT                                         \
  "(SELECT set_config('synchronous_commit', 'off', true)" \
  " || set_config('lock_timeout', '1s', true)) IS NOT NULL"
// By the primary key, which begins with the batch. The channel is written so that no other index
// serves: a planner that knows nothing about the table might go through the whole channel.
#define SAME_BELL(one, other)                                                       \
  one ".delivery = " other ".delivery AND " one ".batch = " other ".batch AND " one \
      ".source || '' = " other ".source AND " one ".traffic + 0 = " other ".traffic"
// Those of a list of receptions that are theirs still, locked.
#define HELD_STILL(list)                                                                    \
  " AS MATERIALIZED (SELECT b.source, b.traffic, b.delivery, b.batch, u.delay FROM " list   \
  " JOIN bells b ON " SAME_BELL("b", "u") " AND b.reception = u.reception WHERE " AS_A_HINT \
                                          " FOR UPDATE OF b SKIP LOCKED)"

const Sql kRingBells{
    "bells: ring",
    "INSERT INTO bells AS b SELECT DISTINCT u.source, u.traffic, u.delivery, u.batch, " STORE_NOW
    ", 0, 0, NULL::bigint FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[])"
    " u(source, traffic, delivery, batch) WHERE " AS_A_HINT
    " ORDER BY 3, 4, 1, 2"
    " ON CONFLICT (delivery, batch, source, traffic) DO UPDATE SET ready_at = EXCLUDED.ready_at,"
    " hidden = 0, times = 0, reception = NULL"
    " WHERE b.reception IS NOT NULL OR b.ready_at > EXCLUDED.ready_at"};
const Sql kAcknowledgeBells{
    "bells: acknowledge",
    "WITH held" HELD_STILL("(SELECT *, 0 AS delay FROM unnest($1::text[], $2::bigint[],"
                           " $3::bigint[], $4::bigint[], $5::bigint[])"
                           " v(source, traffic, delivery, batch, reception)) u")
        " DELETE FROM bells b USING held h WHERE " SAME_BELL("b", "h")};
// One that is ready at once stays in its place, also in its page.
const Sql kGiveBellsBack{
    "bells: give back",
    "WITH held" HELD_STILL("unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
                           " $6::bigint[], $7::bigint[])"
                           " u(source, traffic, delivery, batch, reception, delay)")
        " UPDATE bells b SET hidden = 0, reception = NULL, ready_at = CASE WHEN h.delay > 0"
        " THEN " STORE_NOW " + h.delay ELSE b.ready_at END FROM held h WHERE " SAME_BELL("b", "h")};
// What is hidden for longer than anybody hides was hidden before the database's clock went back, as
// at a fail-over: nobody has it in hand for so long.
//
// What was locked is changed by its place in the table. Where somebody has changed it between this
// statement's snapshot and its lock, it has another place, and stays what he made of it.
const Sql kHearBells{
    "bells: hear",
    "WITH heard AS MATERIALIZED (SELECT r.place"
    " FROM unnest($2::text[], $3::bigint[], $4::bigint[]) w(source, traffic, most)"
    " CROSS JOIN LATERAL (SELECT b.ctid AS place FROM bells b"
    " WHERE b.source = w.source AND b.traffic = w.traffic AND b.ready_at <= " STORE_NOW
    " AND (b.hidden <= " STORE_NOW " OR b.hidden > " STORE_NOW
    " + $5 + 1000)"
    " ORDER BY b.source, b.traffic, b.ready_at LIMIT w.most"
    " FOR UPDATE SKIP LOCKED) r WHERE " AS_A_HINT
    ")"
    " UPDATE bells b SET hidden = " STORE_NOW
    " + $5, times = b.times + 1, reception = $6"
    " WHERE b.ctid = ANY(ARRAY(SELECT h.place FROM heard h))"
    " RETURNING b.source, b.traffic, b.delivery, b.batch, b.times"};
// From channel to channel, also those that nobody listens to any more.
const Sql kForgetBells{
    "bells: forget",
    "WITH RECURSIVE channels(source, traffic) AS ((SELECT b.source, b.traffic FROM bells b"
    " ORDER BY b.source, b.traffic LIMIT 1) UNION ALL SELECT n.source, n.traffic FROM channels c"
    " CROSS JOIN LATERAL (SELECT b.source, b.traffic FROM bells b WHERE (b.source, b.traffic) >"
    " (c.source, c.traffic) ORDER BY b.source, b.traffic LIMIT 1) n),"
    " old AS MATERIALIZED (SELECT o.place FROM channels c"
    " CROSS JOIN LATERAL (SELECT b.ctid AS place FROM bells b"
    " WHERE b.source = c.source AND b.traffic = c.traffic AND b.ready_at < " STORE_NOW
    " - $2"
    " ORDER BY b.source, b.traffic, b.ready_at LIMIT $3 FOR UPDATE SKIP LOCKED) o"
    " WHERE " AS_A_HINT
    " LIMIT $3)"
    " DELETE FROM bells b WHERE b.ctid = ANY(ARRAY(SELECT o.place FROM old o))"};
const Sql kBellDepth{
    "bells: depth",
    "SELECT count(*) FILTER (WHERE b.ready_at <= $3 AND b.hidden <= $3),"
    " count(*) FILTER (WHERE b.hidden > $3), count(*) FILTER (WHERE b.ready_at > $3),"
    " min(greatest(b.ready_at, b.hidden)) FILTER (WHERE b.ready_at <= $3 AND b.hidden <= $3)"
    " FROM (SELECT ready_at, hidden FROM bells WHERE source = $1 AND traffic = $2"
    " ORDER BY source, traffic, ready_at LIMIT $4) b"};

struct BellColumns {
  Column source{kText}, traffic{kInt8}, delivery{kInt8}, batch{kInt8};

  void add(const Bell& bell) {
    source.add(std::string_view(bell.channel.source));
    traffic.add(bell.channel.traffic);
    delivery.add(bell.batch.delivery);
    batch.add(bell.batch.batch);
  }
};
Params& operator<<(Params& params, const BellColumns& bells) {
  return params << bells.source << bells.traffic << bells.delivery << bells.batch;
}

void add_ringing(Link& link, const BellWork& work, Told told) {
  BellColumns bells;
  for (const Bell& bell : work.rung) bells.add(bell);
  Params params;
  params << told << bells;
  link.add(kRingBells, params);
}

void add_acknowledging(Link& link, const BellWork& work) {
  BellColumns bells;
  Column receptions(kInt8);
  for (const HeldBell& held : work.acknowledged) {
    bells.add(held.bell);
    receptions.add(held.reception);
  }
  Params params;
  params << bells << receptions;
  link.add(kAcknowledgeBells, params);
}

void add_giving_back(Link& link, const BellWork& work, Told told) {
  BellColumns bells;
  Column receptions(kInt8);
  Column delays(kInt8);
  for (const GivenBack& given : work.given_back) {
    bells.add(given.held.bell);
    receptions.add(given.held.reception);
    delays.add(given.delay);
  }
  Params params;
  params << told << bells << receptions << delays;
  link.add(kGiveBellsBack, params);
}

void add_hearing(Link& link, const BellWork& work, Told told) {
  Column sources(kText);
  Column traffics(kInt8);
  Column most(kInt8);
  for (const BellsWanted& wanted : work.wanted) {
    sources.add(std::string_view(wanted.channel.source));
    traffics.add(wanted.channel.traffic);
    most.add(wanted.most);
  }
  link.add(kHearBells,
           Params() << told << sources << traffics << most << work.visibility << work.reception);
}

}  // namespace

Result<BellsHeard> perform_bells(Link& link, const BellWork& work, Told told, Milliseconds most) {
  auto sound = check_sound(work);
  if (!sound) return fail(std::move(sound.error()));
  int statements = 0;
  const auto wants = [&statements](bool it_is_so) {
    statements += it_is_so ? 1 : 0;
    return it_is_so;
  };
  if (wants(!work.rung.empty())) add_ringing(link, work, told);
  if (wants(!work.acknowledged.empty())) add_acknowledging(link, work);
  if (wants(!work.given_back.empty())) add_giving_back(link, work, told);
  const bool hears = wants(!work.wanted.empty());
  if (hears) add_hearing(link, work, told);
  const bool forgets = wants(work.forget > 0);
  if (forgets) link.add(kForgetBells, Params() << told << kBellLife << work.forget);
  BellsHeard heard;
  if (statements == 0) return heard;
  const auto answers = link.fly(most);
  if (!answers) return fail(answers.error());
  if (forgets) heard.forgotten = answers->back().changes();
  if (!hears) return heard;
  const Table& rows = (*answers)[answers->size() - (forgets ? 2U : 1U)];
  for (int i = 0; i < rows.size(); ++i) {
    HeardBell& one = heard.bells.emplace_back();
    one.bell.channel = {std::string(rows.text(i, 0)),
                        static_cast<TrafficClass>(rows.integer(i, 1))};
    one.bell.batch = {DeliveryKey{rows.integer(i, 2)},
                      static_cast<std::uint32_t>(rows.integer(i, 3))};
    one.times = static_cast<std::uint32_t>(rows.integer(i, 4));
  }
  return heard;
}

Result<BellDepth> Questions::bell_depth(const BellChannel& channel) {
  const auto row =
      session_.ask(kBellDepth, Params() << std::string_view(channel.source) << channel.traffic
                                        << session_.now() << kBellsCounted);
  if (!row) return fail(row.error());
  BellDepth depth{.ready = row->integer(0, 0),
                  .held = row->integer(0, 1),
                  .delayed = row->integer(0, 2),
                  .oldest_ready_age = {}};
  if (!row->null(0, 3)) depth.oldest_ready_age = session_.now() - row->instant(0, 3);
  return depth;
}

}  // namespace todoku::store::postgres
