// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/settling_set.h"

#include <algorithm>
#include <array>

#include "store/logs.h"
#include "store/postgres/event_sheets.h"
#include "store/postgres/link.h"
#include "store/postgres/session.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

const Sql kLockBatches{"settle: lock batches",
                       "SELECT number, delivery, size, removed, open, token, holder, losses, alone,"
                       " ready_at, account, first_email_id, underway, traffic"
                       " FROM batches WHERE number = ANY($1) ORDER BY number"
                       " FOR NO KEY UPDATE"};
// None of these is told to have ended (course.cc) before the commit: its counts change no more
// after that. Others who settle are not kept out.
const Sql kHoldStopped{"settle: hold stopped",
                       "SELECT key FROM deliveries WHERE key = ANY($1) AND course = 2"
                       " AND status IN (5, 6) ORDER BY key FOR KEY SHARE"};
const Sql kSending{"settle: deliveries",
                   "SELECT key, expires, total, course FROM deliveries WHERE key = ANY($1)"
                   " AND status IN (5, 6) AND deleted = 0"};
// OFFSET 0: looked up one by one, whatever the planner thinks of a table that it knows nothing of.
const Sql kPresent{"settle: progress",
                   "SELECT u.batch, u.seq, p.state, p.attempts, p.due, s.aside IS NOT NULL"
                   " FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[]) a(batch, seq) UNION"
                   " SELECT w.batch, w.seq FROM on_its_way w WHERE w.batch = ANY($3)) u"
                   " CROSS JOIN LATERAL (SELECT state, attempts, due FROM progress"
                   " WHERE batch = u.batch AND seq = u.seq OFFSET 0) p"
                   " LEFT JOIN suspects s ON s.batch = u.batch AND s.seq = u.seq"};
const Sql kOnTheWay{"settle: on their way",
                    "SELECT batch, seq FROM on_its_way WHERE batch = ANY($1)"};
// Only where recipients were removed has it to be asked who is there.
const Sql kThere{"settle: who is there",
                 "SELECT r.batch, r.seq FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[])"
                 " a(batch, seq) UNION SELECT w.batch, w.seq FROM on_its_way w"
                 " WHERE w.batch = ANY($3)) u"
                 " JOIN batches b ON b.number = u.batch AND b.removed > 0"
                 " JOIN recipients r ON r.batch = u.batch AND r.seq = u.seq"};
const Sql kInsertProgress{
    "settle: insert",
    "INSERT INTO progress(batch, seq, state, attempts, due, history)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bytea[])"};
const Sql kUpdateProgress{
    "settle: update",
    "UPDATE progress p SET state = u.state, attempts = u.attempts, due = u.due,"
    " history = p.history || u.more FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bytea[]) u(batch, seq, state, attempts, due, more)"
    " WHERE p.batch = u.batch AND p.seq = u.seq"};
// Whose mail was begun, and nobody died of it; and who was set aside, and it is over.
const Sql kAbsolve{"settle: absolve",
                   "DELETE FROM suspects s USING unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " WHERE s.batch = u.batch AND s.seq = u.seq"};
// A release is due at the earliest due time of who is open (who has no progress: now), not before
// what was asked for, not after the end of its life. $8: now.
const Sql kSettleBatches{
    "settle: batches",
    "UPDATE batches b SET open = b.open - u.settled,"
    " losses = CASE WHEN u.absolved = 1 THEN 0 ELSE b.losses END,"
    " holder = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE b.holder END,"
    " ready_at = CASE WHEN b.open = u.settled THEN NULL"
    " WHEN u.released = 1 THEN least(greatest(u.not_before, (SELECT CASE"
    " WHEN count(*) < b.open - u.settled THEN least($8, min(coalesce(p.due, $8)))"
    " ELSE min(coalesce(p.due, $8)) END"
    " FROM progress p WHERE p.batch = b.number AND p.state <= 1)), greatest(u.expires, $8))"
    " WHEN b.holder = 0 THEN least(b.ready_at, u.due) ELSE b.ready_at END,"
    " alone = CASE WHEN u.released = 1 OR b.open = u.settled THEN NULL ELSE b.alone END,"
    " begun = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE b.begun END,"
    " underway = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE u.underway END"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[], $9::bigint[])"
    " u(number, settled, absolved, released, not_before, expires, due, underway)"
    " WHERE b.number = u.number RETURNING b.number, b.open, b.ready_at"};
const Sql kLockDeliveries{"settle: lock deliveries",
                          "SELECT key FROM deliveries WHERE key = ANY($1) ORDER BY key"
                          " FOR NO KEY UPDATE"};
// $9: now. Only here is it known which deliveries end; what is told of that stands ready ($12). Of
// one that was stopped all that was open counts as cancelled since then: what becomes of it counts
// instead, also where it was stopped after the first flight had read it.
const Sql kCount{
    "settle: count",
    "WITH counted AS (UPDATE deliveries d SET delivered = d.delivered + u.delivered, bounced = "
    "d.bounced + "
    "u.bounced,"
    " dropped = d.dropped + u.dropped, expired = d.expired + u.expired,"
    " cancelled = d.cancelled + u.cancelled - CASE WHEN d.course >= 2 THEN u.delivered + u.bounced"
    " + u.dropped + u.expired + u.cancelled + u.unknown ELSE 0 END, unknown = d.unknown + "
    "u.unknown,"
    " deferred = d.deferred + CASE WHEN d.course >= 2 THEN 0 ELSE u.deferred END,"
    " updated = greatest(d.updated, $9),"
    " finished = CASE WHEN u.over THEN $9 ELSE d.finished END,"
    " status = CASE WHEN u.over THEN 6 ELSE d.status END,"
    " phase = CASE WHEN u.over AND d.phase IS NOT NULL THEN 6 ELSE d.phase END"
    " FROM (SELECT s.*, e.status = 5 AND e.total = e.delivered + e.bounced + e.dropped + e.expired"
    " + e.cancelled + e.unknown + s.delivered + s.bounced + s.dropped + s.expired + s.cancelled"
    " + s.unknown AS over FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],"
    " $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])"
    " s(key, delivered, bounced, dropped, expired, cancelled, unknown, deferred)"
    " JOIN deliveries e ON e.key = s.key) u WHERE d.key = u.key"
    " RETURNING d.key, d.account, u.over),"
    " told AS (INSERT INTO event_sheets(account, place, at, entries)"
    " SELECT t.account, " SHEET_PLACE
    ", $9, t.entries || coalesce((SELECT string_agg(f.entry, '')"
    " FROM counted c JOIN unnest($1::bigint[], $12::bytea[]) f(key, entry) ON f.key = c.key"
    " WHERE c.over AND c.account = t.account), '')"
    " FROM unnest($10::bigint[], $11::bytea[]) t(account, entries)" ONE_SHEET
    ") SELECT key, over FROM counted"};
const Sql kArrived{"settle: not on their way any more",
                   "DELETE FROM on_its_way w USING unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " WHERE w.batch = u.batch AND w.seq = u.seq"};

const Sql kNoLongerNotSent{
    "settle: no longer not sent",
    "DELETE FROM not_sent n USING unnest($1::bigint[], $2::bigint[], $3::bigint[])"
    " u(account, state, id) WHERE n.account = u.account AND n.state = u.state AND n.id = u.id"};
const Sql kNotSent{"settle: not sent",
                   "INSERT INTO not_sent(account, state, id, code) SELECT * FROM"
                   " unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"};

const Sql kCountDeliveries{
    "settle: outcomes of deliveries",
    "INSERT INTO delivery_outcomes AS c(delivery, site, state, cause, mails, sample)"
    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[]) u(whose, site, state, cause, mails, sample)"
    " ORDER BY u.whose, u.site COLLATE \"C\", u.state, u.cause"
    " ON CONFLICT(delivery, site, state, cause) DO UPDATE SET mails = c.mails + excluded.mails,"
    " sample = greatest(c.sample, excluded.sample)"};
// $7: the hour, $8: the slot.
const Sql kCountHours{
    "settle: outcomes of hours",
    "INSERT INTO hourly_outcomes AS c(account, hour, slot, site, state, cause, mails, sample)"
    " SELECT u.whose, $7, $8, u.site, u.state, u.cause, u.mails, u.sample"
    " FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[]) u(whose, site, state, cause, mails, sample)"
    " ORDER BY u.whose, u.site COLLATE \"C\", u.state, u.cause"
    " ON CONFLICT(account, hour, slot, site, state, cause) DO UPDATE SET"
    " mails = c.mails + excluded.mails, sample = greatest(c.sample, excluded.sample)"};

}  // namespace

SettlingSet SettlingSet::of(std::span<const Table> answers, Instant now) {
  SettlingSet set;
  set.now = now;
  const Table& rows = answers[0];
  const Table& sending = answers[2];
  std::map<DeliveryKey, Instant> lives;
  for (int i = 0; i < sending.size(); ++i) {
    lives[DeliveryKey{sending.integer(i, 0)}] =
        sending.optional_instant(i, 1).value_or(from_epoch_ms(INT64_MAX / 4));
    set.totals[DeliveryKey{sending.integer(i, 0)}] = sending.integer(i, 2);
    set.courses[DeliveryKey{sending.integer(i, 0)}] = static_cast<Course>(sending.integer(i, 3));
  }
  for (int i = 0; i < rows.size(); ++i) {
    SettlingBatch& row = set.batches[rows.integer(i, 0)];
    row.delivery = DeliveryKey{rows.integer(i, 1)};
    row.size = rows.integer(i, 2);
    row.has_holes = rows.integer(i, 3) > 0;
    row.open = rows.integer(i, 4);
    row.token = static_cast<std::uint64_t>(rows.integer(i, 5));
    row.holder = NodeKey{rows.integer(i, 6)};
    row.losses = rows.integer(i, 7);
    row.alone = rows.optional_integer(i, 8);
    row.ready_at = rows.optional_instant(i, 9);
    row.account = AccountKey{rows.integer(i, 10)};
    row.first_email_id = rows.integer(i, 11);
    const auto life = lives.find(row.delivery);
    row.known = life != lives.end();
    if (row.known) row.expires = life->second;
    if (row.known) row.course = set.courses.at(row.delivery);
    row.stopped = is_stopped(row.course);
    row.underway = static_cast<Begun>(rows.integer(i, 12));
    row.traffic = static_cast<TrafficClass>(rows.integer(i, 13));
  }
  const Table& present = answers[3];
  for (int i = 0; i < present.size(); ++i) {
    SettlingRecipient& row = set.recipients[{present.integer(i, 0), present.integer(i, 1)}];
    row.present = true;
    row.state = static_cast<RecipientState>(present.integer(i, 2));
    row.attempts = present.integer(i, 3);
    row.due = present.optional_instant(i, 4);
    row.aside = present.flag(i, 5);
  }
  const Table& there = answers[4];
  for (int i = 0; i < there.size(); ++i)
    set.there.emplace(there.integer(i, 0), there.integer(i, 1));
  const Table& way = answers[5];
  for (int i = 0; i < way.size(); ++i) {
    set.on_their_way.emplace(way.integer(i, 0), way.integer(i, 1));
  }
  return set;
}

Result<OutcomeRecorded> SettlingSet::settle(const OutcomeRecord& outcome) {
  SettlingBatch* const its = batch(outcome.key.batch_key());
  const Place place = place_of(outcome.key);
  if (its == nullptr || outcome.key.seq >= its->size ||
      (its->has_holes && !there.contains(place))) {
    return fail(ErrorKind::not_found, "there is no such recipient any more");
  }
  // A claim may have committed since somebody saw the batch free.
  if (outcome.if_free && its->holder != kNobody) {
    return fail(ErrorKind::conflict, "somebody has the batch in hand");
  }
  const Verdict verdict = verdict_of(outcome, now, its->expires, its->stopped);
  SettlingRecipient& recipient = recipients[place];
  if (outcome.if_free && is_terminal(recipient.state)) return somebody_was_first();
  if (outcome.if_taken && !was_taken(recipient.state)) return nothing_was_taken();
  NoDictionary dictionary;
  auto appended = append_history(dictionary,
                                 {.at = now - outcome.age - outcome.duration,
                                  .duration = outcome.duration,
                                  .state = verdict.next,
                                  .outcome = outcome.outcome,
                                  .path = outcome.path},
                                 recipient.more);
  if (!appended) return fail(std::move(appended.error()));
  recipient.touched = true;
  if (on_their_way.erase(place) > 0) arrived.insert(place);
  recipient.attempts += outcome.outcome.is_attempt ? 1 : 0;
  its->recorded = true;
  DeliveryCounts& sum = counts[outcome.key.delivery];
  const bool changes = moves(recipient.state, verdict, outcome.outcome, its->course);
  if (changes) {
    std::optional<Instant> due = verdict.due;
    if (recipient.aside && is_terminal(verdict.next)) absolved.insert(place);
    // A last word ends that it is set aside, any other changes nothing about it.
    if (recipient.aside && !is_terminal(verdict.next)) due = recipient.due;
    if (auto* const was = count_of(sum, recipient.state)) --*was;
    if (auto* const is = count_of(sum, verdict.next)) ++*is;
    if (!is_terminal(recipient.state) && is_terminal(verdict.next)) ++its->settled;
    if (!is_told_by_stop(its->stopped, verdict.next)) {
      events.add(its->account, event_of(outcome, verdict.next, recipient.attempts, now));
    }
    tally.add({.account = its->account,
               .key = outcome.key,
               .is_bulk = its->traffic == TrafficClass::bulk,
               .site = outcome.site,
               .was = recipient.state,
               .is = verdict.next,
               .cause = outcome.outcome.cause,
               .came_back = outcome.if_taken,
               .cause_before = outcome.cause_before});
    keep_log(*its, place, verdict.next, log_code(outcome.outcome));
    recipient.state = verdict.next;
    recipient.due = due;
    if (due && (!its->due || *due < *its->due)) its->due = due;
    if (verdict.next == RecipientState::bounced && outcome.against_address) {
      hard_errors.push_back(
          {place, now - outcome.age, outcome.outcome.reply.code, outcome.outcome.reply.text});
    }
  }
  return OutcomeRecorded{.state = recipient.state,
                         .superseded = !changes,
                         .due = recipient.due ? std::optional(*recipient.due - now) : std::nullopt};
}

Result<void> SettlingSet::mark(const BegunMark& mark) {
  SettlingBatch* const its = batch(mark.held.key);
  if (its == nullptr) return fail(ErrorKind::not_found, "there is no such batch any more");
  if (its->token != mark.held.token || its->holder == kNobody) {
    return fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
  }
  its->says_more = its->says_more || (mark.begun & ~its->underway) != 0;
  its->underway |= mark.begun;
  return {};
}

// What is sent at the first try, as nearly all is, is not written down.
void SettlingSet::keep_log(const SettlingBatch& its, const Place& place, RecipientState next,
                           int code) {
  const RecipientState was = recipients[place].state;
  if (!is_kept_not_sent(was) && !is_kept_not_sent(next)) return;
  const auto [entry, added] = log.try_emplace(place);
  if (added) {
    entry->second = {.account = its.account, .id = its.first_email_id + place.second, .was = was};
  }
  entry->second.is = next;
  entry->second.code = code;
}

Result<void> SettlingSet::doubt(const BatchKey& key) {
  const std::int64_t number = batch_number(key);
  while (true) {
    const auto next = on_their_way.lower_bound({number, 0});
    if (next == on_their_way.end() || next->first != number) return {};
    const auto seq = static_cast<std::uint32_t>(next->second);
    const auto settled = settle(doubtful({key.delivery, key.batch, seq}, Doubt::sent_at_most_once));
    if (!settled && settled.error().kind != ErrorKind::not_found) return fail(settled.error());
    // Of a delivery that was deleted.
    if (on_their_way.erase({number, seq}) > 0) arrived.emplace(number, seq);
  }
}

template <class To>
void add_reading(To& to, const std::set<BatchKey>& batches, const std::set<Place>& places) {
  Column number(kInt8);
  Column delivery(kInt8);
  Column batch(kInt8);
  Column seq(kInt8);
  std::set<DeliveryKey> keys;
  for (const BatchKey& each : batches) {
    number.add(batch_number(each));
    keys.insert(each.delivery);
  }
  for (const DeliveryKey each : keys) delivery.add(each);
  for (const auto& [its_batch, position] : places) {
    batch.add(its_batch);
    seq.add(position);
  }
  to.add(kLockBatches, Params() << number);
  to.add(kHoldStopped, Params() << delivery);
  to.add(kSending, Params() << delivery);
  to.add(kPresent, Params() << batch << seq << number);
  to.add(kThere, Params() << batch << seq << number);
  to.add(kOnTheWay, Params() << number);
}

template <class To>
void add_progress(To& to, const SettlingSet& set) {
  struct ProgressColumns {
    Column batch{kInt8}, seq{kInt8}, state{kInt8}, attempts{kInt8}, due{kInt8}, history{kBytea};
  };
  constexpr std::int64_t kAttemptsMax = 65'535;
  std::array<ProgressColumns, 2> columns;
  for (const auto& [place, recipient] : set.recipients) {
    if (!recipient.touched) continue;
    ProgressColumns& into = columns.at(recipient.present ? 1 : 0);
    into.batch.add(place.first);
    into.seq.add(place.second);
    into.state.add(recipient.state);
    into.attempts.add(std::min(recipient.attempts, kAttemptsMax));
    into.due.add(recipient.due);
    into.history.add(Octets{recipient.more});
  }
  for (const bool present : {false, true}) {
    const ProgressColumns& from = columns.at(present ? 1 : 0);
    if (from.batch.empty()) continue;
    to.add(present ? kUpdateProgress : kInsertProgress, Params() << from.batch << from.seq
                                                                 << from.state << from.attempts
                                                                 << from.due << from.history);
  }
}

template <class To>
void add_absolved(To& to, const SettlingSet& set) {
  std::set<Place> places = set.absolved;
  for (const auto& [number, batch] : set.batches) {
    if (batch.recorded && batch.alone) places.emplace(number, *batch.alone);
  }
  if (places.empty()) return;
  Column batch(kInt8);
  Column seq(kInt8);
  for (const auto& [number, position] : places) {
    batch.add(number);
    seq.add(position);
  }
  to.add(kAbsolve, Params() << batch << seq);
}

template <class To>
void add_arrived(To& to, const SettlingSet& set) {
  if (set.arrived.empty()) return;
  Column batch(kInt8);
  Column seq(kInt8);
  for (const auto& [number, position] : set.arrived) {
    batch.add(number);
    seq.add(position);
  }
  to.add(kArrived, Params() << batch << seq);
}

template <class To>
void add_log(To& to, const SettlingSet& set) {
  struct Columns {
    Column account{kInt8}, state{kInt8}, id{kInt8};
  };
  Columns gone;
  Columns come;
  Column code(kInt8);
  for (const auto& [place, entry] : set.log) {
    if (is_kept_not_sent(entry.was)) {
      gone.account.add(entry.account);
      gone.state.add(entry.was);
      gone.id.add(entry.id);
    }
    if (!is_kept_not_sent(entry.is)) continue;
    come.account.add(entry.account);
    come.state.add(entry.is);
    come.id.add(entry.id);
    code.add(entry.code);
  }
  if (!gone.id.empty()) to.add(kNoLongerNotSent, Params() << gone.account << gone.state << gone.id);
  if (!come.id.empty()) {
    to.add(kNotSent, Params() << come.account << come.state << come.id << code);
  }
}

// Both in the order of their keys, before the deliveries: nobody waits in a circle.
template <class To>
void add_outcomes(To& to, const SettlingSet& set) {
  struct Columns {
    Column of{kInt8}, site{kText}, state{kInt8}, cause{kInt8}, mails{kInt8}, sample{kInt8};
    void add(std::int64_t whose, const OutcomeTally::Kind& kind, const OutcomeTally::Of& sum) {
      of.add(whose);
      site.add(std::get<0>(kind));
      state.add(std::get<1>(kind));
      cause.add(static_cast<std::int64_t>(std::get<2>(kind)));
      mails.add(sum.mails);
      sample.add(sum.sample);
    }
  };
  if (set.tally.empty()) return;
  if (!set.tally.deliveries.empty()) {
    Columns rows;
    for (const auto& [key, sum] : set.tally.deliveries) {
      rows.add(number_of(key.first), key.second, sum);
    }
    to.add(kCountDeliveries, Params() << rows.of << rows.site << rows.state << rows.cause
                                      << rows.mails << rows.sample);
  }
  Columns rows;
  for (const auto& [key, sum] : set.tally.hours) {
    rows.add(static_cast<std::int64_t>(key.first), key.second, sum);
  }
  const std::int64_t slot = to_epoch_ms(set.now) % kOutcomeSlots;
  to.add(kCountHours, Params() << rows.of << rows.site << rows.state << rows.cause << rows.mails
                               << rows.sample << hour_of(set.now) << slot);
}

template <class To>
void add_recipients(To& to, const SettlingSet& set) {
  add_progress(to, set);
  add_log(to, set);
  add_absolved(to, set);
  add_arrived(to, set);
  add_outcomes(to, set);
}

template <class To>
void add_batches(To& to, const SettlingSet& set) {
  Column number(kInt8), settled(kInt8), absolved(kInt8), released(kInt8), not_before(kInt8),
      expires(kInt8), due(kInt8), underway(kInt8);
  for (const auto& [each, batch] : set.batches) {
    if (!batch.changes()) continue;
    number.add(each);
    settled.add(batch.settled);
    absolved.add(batch.absolved());
    released.add(batch.released);
    not_before.add(batch.not_before);
    expires.add(batch.expires);
    due.add(batch.due);
    underway.add(static_cast<std::int64_t>(batch.underway));
  }
  to.add(kSettleBatches, Params() << number << settled << absolved << released << not_before
                                  << expires << due << set.now << underway);
}

template <class To>
void add_counts(To& to, SettlingSet& set) {
  Column ends(kBytea);
  Column key(kInt8), delivered(kInt8), bounced(kInt8), dropped(kInt8), expired(kInt8),
      cancelled(kInt8), unknown(kInt8), deferred(kInt8);
  for (const auto& [each, by] : set.counts) {
    key.add(each);
    delivered.add(by.delivered);
    bounced.add(by.bounced);
    dropped.add(by.dropped);
    expired.add(by.expired);
    cancelled.add(by.cancelled);
    unknown.add(by.unknown);
    deferred.add(by.deferred);
    const auto total = set.totals.find(each);
    const SheetEntry end = event_of_many(EventKind::delivery_finished, each,
                                         total == set.totals.end() ? 0 : total->second, set.now);
    ends.add(Octets{pack_sheet(set.now, std::span(&end, 1))});
  }
  Column account(kInt8);
  Column entries(kBytea);
  for (const auto& [its_account, sheet] : set.events.sheets(set.now)) {
    account.add(its_account);
    entries.add(Octets{sheet});
  }
  to.add(kLockDeliveries, Params() << key);
  to.add(kCount, Params() << key << delivered << bounced << dropped << expired << cancelled
                          << unknown << deferred << set.now << account << entries << ends);
}

template void add_reading(Link&, const std::set<BatchKey>&, const std::set<Place>&);
template void add_recipients(Link&, const SettlingSet&);
template void add_batches(Link&, const SettlingSet&);
template void add_counts(Link&, SettlingSet&);
template void add_reading(Session&, const std::set<BatchKey>&, const std::set<Place>&);
template void add_recipients(Session&, const SettlingSet&);
template void add_batches(Session&, const SettlingSet&);
template void add_counts(Session&, SettlingSet&);

}  // namespace todoku::store::postgres
