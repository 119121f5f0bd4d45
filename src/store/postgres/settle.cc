// SPDX-License-Identifier: Apache-2.0
// Settle (store/work.h): two flights. Everybody who writes a recipient's progress holds its batch's
// row, so that is all the first one locks; it reads what is to be decided on. What is decided is
// decided here, by the rules that every back end has (settling.h); the second flight writes it, one
// statement a table. Of releases the database decides: their due times come from what was just
// written.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "store/numbers.h"
#include "store/postgres/hot.h"
#include "store/records.h"
#include "store/settling.h"

namespace todoku::store::postgres {
namespace {

const Sql kLockBatches{"settle: lock batches",
                       "SELECT number, delivery, size, removed, open, token, holder, losses, alone,"
                       " ready_at FROM batches WHERE number = ANY($1) ORDER BY number"
                       " FOR NO KEY UPDATE"};
const Sql kSending{"settle: deliveries",
                   "SELECT key, expires FROM deliveries WHERE key = ANY($1)"
                   " AND status IN (5, 6) AND deleted = 0"};
const Sql kPresent{"settle: progress",
                   "SELECT p.batch, p.seq, p.state, p.attempts, p.due, s.aside IS NOT NULL"
                   " FROM unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " JOIN progress p ON p.batch = u.batch AND p.seq = u.seq"
                   " LEFT JOIN suspects s ON s.batch = u.batch AND s.seq = u.seq"};
// Only where recipients were removed has it to be asked who is there.
const Sql kThere{"settle: who is there",
                 "SELECT r.batch, r.seq FROM unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
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
    " begun = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE b.begun END"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[]) u(number, settled, absolved, released, not_before, expires, due)"
    " WHERE b.number = u.number RETURNING b.number, b.open, b.ready_at"};
const Sql kLockDeliveries{"settle: lock deliveries",
                          "SELECT key FROM deliveries WHERE key = ANY($1) ORDER BY key"
                          " FOR NO KEY UPDATE"};
// $9: now.
const Sql kCount{
    "settle: count",
    "UPDATE deliveries d SET delivered = d.delivered + u.delivered, bounced = d.bounced + "
    "u.bounced,"
    " dropped = d.dropped + u.dropped, expired = d.expired + u.expired,"
    " cancelled = d.cancelled + u.cancelled, unknown = d.unknown + u.unknown,"
    " deferred = d.deferred + u.deferred, updated = greatest(d.updated, $9),"
    " finished = CASE WHEN u.over THEN $9 ELSE d.finished END,"
    " status = CASE WHEN u.over THEN 6 ELSE d.status END,"
    " phase = CASE WHEN u.over AND d.phase IS NOT NULL THEN 6 ELSE d.phase END"
    " FROM (SELECT s.*, e.status = 5 AND e.total = e.delivered + e.bounced + e.dropped + e.expired"
    " + e.cancelled + e.unknown + s.delivered + s.bounced + s.dropped + s.expired + s.cancelled"
    " + s.unknown AS over FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],"
    " $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])"
    " s(key, delivered, bounced, dropped, expired, cancelled, unknown, deferred)"
    " JOIN deliveries e ON e.key = s.key) u WHERE d.key = u.key RETURNING d.key, u.over"};
// Of what is stored already.
const Sql kReleasedNow{"settle: released",
                       "SELECT number, open, ready_at FROM batches WHERE number = ANY($1)"};
const Sql kFinishedNow{"settle: finished",
                       "SELECT key FROM deliveries WHERE key = ANY($1) AND finished = $2"};

using Place = std::pair<std::int64_t, std::int64_t>;  // batch number, seq

Place place_of(const RecipientKey& key) {
  return {batch_number(key.delivery, key.batch), key.seq};
}

// As stored, and what its pieces make of it.
struct SettlingBatch {
  DeliveryKey delivery{};
  std::int64_t size = 0;
  bool has_holes = false;
  std::int64_t open = 0;
  std::uint64_t token = 0;
  NodeKey holder = kNobody;
  std::int64_t losses = 0;
  std::optional<std::int64_t> alone;
  std::optional<Instant> ready_at;
  Instant expires{};
  bool known = false;  // its delivery is going out, or has

  std::int64_t settled = 0;
  bool recorded = false;
  bool released = false;
  Instant not_before{};
  std::optional<Instant> due;  // the earliest new one

  [[nodiscard]] bool absolved() const {
    return recorded && losses > 0 && losses < kLossesToSuspect;
  }
  [[nodiscard]] bool hastens() const {
    return holder == kNobody && due && ready_at && *due < *ready_at;
  }
  [[nodiscard]] bool changes() const { return settled > 0 || released || absolved() || hastens(); }
};

// A recipient's state, and what is added to its story. Several outcomes of one are one row.
struct SettlingRecipient {
  bool present = false;
  bool touched = false;
  bool aside = false;
  RecipientState state = RecipientState::pending;
  std::int64_t attempts = 0;
  std::optional<Instant> due;
  std::string more;
};

struct SettlingSet {
  Instant now{};
  std::map<std::int64_t, SettlingBatch> batches;
  std::map<Place, SettlingRecipient> recipients;
  std::set<Place> there;
  std::set<Place> absolved;
  std::map<DeliveryKey, DeliveryCounts> counts;  // to be added, of each that is touched

  // nullptr: it is not there, or its number is another delivery's.
  [[nodiscard]] SettlingBatch* batch(const BatchKey& key) {
    const auto found = batches.find(batch_number(key));
    if (found == batches.end() || found->second.delivery != key.delivery) return nullptr;
    return found->second.known ? &found->second : nullptr;
  }
};

Result<SettlingSet> lock_and_read(Hot& hot, std::int64_t token,
                                  const std::vector<SettlePiece>& pieces) {
  std::set<std::int64_t> numbers;
  std::set<Place> places;
  std::set<DeliveryKey> keys;
  for (const SettlePiece& piece : pieces) {
    numbers.insert(batch_number(piece.batch));
    keys.insert(piece.batch.delivery);
    if (piece.outcome != nullptr) places.insert(place_of(piece.outcome->key));
  }
  Column number(kInt8);
  Column batch(kInt8);
  Column seq(kInt8);
  Column delivery(kInt8);
  for (const std::int64_t each : numbers) number.add(each);
  for (const DeliveryKey each : keys) delivery.add(each);
  for (const auto& [its_batch, position] : places) {
    batch.add(its_batch);
    seq.add(position);
  }
  add_begin(hot.link, token, hot.told);
  hot.link.add(kLockBatches, Params() << number)
      .add(kSending, Params() << delivery)
      .add(kPresent, Params() << batch << seq)
      .add(kThere, Params() << batch << seq);
  const auto answers = hot.link.fly(hot.flight_max);
  if (!answers) return fail(answers.error());

  SettlingSet set;
  set.now = (*answers)[kBeginStatements - 1].instant(0, 0);
  const Table& rows = (*answers)[kBeginStatements];
  const Table& sending = (*answers)[kBeginStatements + 1];
  std::map<DeliveryKey, Instant> lives;
  for (int i = 0; i < sending.size(); ++i) {
    lives[DeliveryKey{sending.integer(i, 0)}] =
        sending.optional_instant(i, 1).value_or(from_epoch_ms(INT64_MAX / 4));
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
    const auto life = lives.find(row.delivery);
    row.known = life != lives.end();
    if (row.known) row.expires = life->second;
  }
  const Table& present = (*answers)[kBeginStatements + 2];
  for (int i = 0; i < present.size(); ++i) {
    SettlingRecipient& row = set.recipients[{present.integer(i, 0), present.integer(i, 1)}];
    row.present = true;
    row.state = static_cast<RecipientState>(present.integer(i, 2));
    row.attempts = present.integer(i, 3);
    row.due = present.optional_instant(i, 4);
    row.aside = present.flag(i, 5);
  }
  const Table& there = (*answers)[kBeginStatements + 3];
  for (int i = 0; i < there.size(); ++i)
    set.there.emplace(there.integer(i, 0), there.integer(i, 1));
  return set;
}

Result<OutcomeRecorded> settle_outcome(const OutcomeRecord& outcome, SettlingSet& set) {
  SettlingBatch* const batch = set.batch(outcome.key.batch_key());
  const Place place = place_of(outcome.key);
  if (batch == nullptr || outcome.key.seq >= batch->size ||
      (batch->has_holes && !set.there.contains(place))) {
    return fail(ErrorKind::not_found, "there is no such recipient any more");
  }
  const Verdict verdict = verdict_of(outcome, set.now, batch->expires);
  SettlingRecipient& recipient = set.recipients[place];
  NoDictionary dictionary;
  auto appended = append_history(dictionary,
                                 {.at = set.now - outcome.age - outcome.duration,
                                  .duration = outcome.duration,
                                  .state = verdict.next,
                                  .outcome = outcome.outcome,
                                  .path = outcome.path},
                                 recipient.more);
  if (!appended) return fail(std::move(appended.error()));
  recipient.touched = true;
  recipient.attempts += outcome.outcome.is_attempt ? 1 : 0;
  batch->recorded = true;
  DeliveryCounts& counts = set.counts[outcome.key.delivery];
  const bool changes = moves(recipient.state, verdict, outcome.outcome);
  if (changes) {
    std::optional<Instant> due = verdict.due;
    if (recipient.aside && is_terminal(verdict.next)) set.absolved.insert(place);
    // A last word ends that it is set aside, any other changes nothing about it.
    if (recipient.aside && !is_terminal(verdict.next)) due = recipient.due;
    if (auto* const was = count_of(counts, recipient.state)) --*was;
    if (auto* const is = count_of(counts, verdict.next)) ++*is;
    if (!is_terminal(recipient.state) && is_terminal(verdict.next)) ++batch->settled;
    recipient.state = verdict.next;
    recipient.due = due;
    if (due && (!batch->due || *due < *batch->due)) batch->due = due;
  }
  return OutcomeRecorded{
      .state = recipient.state,
      .superseded = !changes,
      .due = recipient.due ? std::optional(*recipient.due - set.now) : std::nullopt};
}

// False: it is answered. True: it is what the database will say.
bool settle_release(const BatchRelease& release, SettlingSet& set, Result<BatchReleased>& answer) {
  SettlingBatch* const batch = set.batch(release.held.key);
  if (batch == nullptr) {
    answer = fail(ErrorKind::not_found, "there is no such batch any more");
    return false;
  }
  const bool is_open = batch->open > batch->settled;
  if (batch->token != release.held.token || (is_open && batch->holder == kNobody)) {
    answer = fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
    return false;
  }
  batch->released = true;
  batch->not_before = set.now + release.not_before;
  return true;
}

void add_progress(Link& link, const SettlingSet& set) {
  struct ProgressColumns {
    Column batch{kInt8}, seq{kInt8}, state{kInt8}, attempts{kInt8}, due{kInt8}, history{kBytea};
  };
  constexpr std::int64_t kAttemptsMax = 65'535;
  std::array<ProgressColumns, 2> columns;
  for (const auto& [place, recipient] : set.recipients) {
    if (!recipient.touched) continue;
    ProgressColumns& to = columns.at(recipient.present ? 1 : 0);
    to.batch.add(place.first);
    to.seq.add(place.second);
    to.state.add(recipient.state);
    to.attempts.add(std::min(recipient.attempts, kAttemptsMax));
    to.due.add(recipient.due);
    to.history.add(Octets{recipient.more});
  }
  for (const bool present : {false, true}) {
    const ProgressColumns& from = columns.at(present ? 1 : 0);
    if (from.batch.empty()) continue;
    link.add(present ? kUpdateProgress : kInsertProgress, Params() << from.batch << from.seq
                                                                   << from.state << from.attempts
                                                                   << from.due << from.history);
  }
}

void add_absolved(Link& link, const SettlingSet& set) {
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
  link.add(kAbsolve, Params() << batch << seq);
}

void add_batches(Link& link, const SettlingSet& set) {
  Column number(kInt8), settled(kInt8), absolved(kInt8), released(kInt8), not_before(kInt8),
      expires(kInt8), due(kInt8);
  for (const auto& [each, batch] : set.batches) {
    if (!batch.changes()) continue;
    number.add(each);
    settled.add(batch.settled);
    absolved.add(batch.absolved());
    released.add(batch.released);
    not_before.add(batch.not_before);
    expires.add(batch.expires);
    due.add(batch.due);
  }
  link.add(kSettleBatches, Params() << number << settled << absolved << released << not_before
                                    << expires << due << set.now);
}

void add_counts(Link& link, const SettlingSet& set) {
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
  }
  link.add(kLockDeliveries, Params() << key)
      .add(kCount, Params() << key << delivered << bounced << dropped << expired << cancelled
                            << unknown << deferred << set.now);
}

void tell_released(const Table& batches, Instant now,
                   std::multimap<std::int64_t, Result<BatchReleased>*>& released) {
  for (int i = 0; i < batches.size(); ++i) {
    const bool done = batches.integer(i, 1) == 0;
    const auto next = batches.optional_instant(i, 2);
    const auto [begin, end] = released.equal_range(batches.integer(i, 0));
    for (auto it = begin; it != end; ++it) {
      *it->second = BatchReleased{
          .done = done, .next = done || !next ? std::nullopt : std::optional(*next - now)};
    }
  }
}

}  // namespace

Result<void> Flight<Settle>::perform(Hot& hot, std::int64_t token) {
  const std::vector<SettlePiece> pieces = pieces_of(items_);
  released_.clear();
  touched_.clear();
  if (pieces.empty()) return {};
  auto set = lock_and_read(hot, token, pieces);
  if (!set) return fail(std::move(set.error()));
  now_ = set->now;
  for (const SettlePiece& piece : pieces) {
    if (piece.outcome != nullptr) {
      *piece.recorded = settle_outcome(*piece.outcome, *set);
    } else if (settle_release(*piece.release, *set, *piece.released)) {
      released_.emplace(batch_number(piece.batch), piece.released);
    }
  }
  for (const auto& [key, counts] : set->counts) touched_.push_back(key);
  add_progress(hot.link, *set);
  add_absolved(hot.link, *set);
  add_batches(hot.link, *set);
  if (!touched_.empty()) add_counts(hot.link, *set);
  const auto answers = hot.link.add(kCommit).fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  const std::size_t size = answers->size();
  tell_released((*answers)[size - (touched_.empty() ? 2 : 4)], now_, released_);
  std::vector<DeliveryKey> finished;
  if (!touched_.empty()) {
    const Table& counted = (*answers)[size - 2];
    for (int i = 0; i < counted.size(); ++i) {
      if (counted.flag(i, 1)) finished.push_back(DeliveryKey{counted.integer(i, 0)});
    }
    std::ranges::sort(finished);
  }
  tell_finished(items_, finished);
  return {};
}

// What became of the outcomes was decided before the commit.
Result<void> Flight<Settle>::answer_stored(Hot& hot, std::int64_t /*token*/) {
  Column numbers(kInt8);
  for (const auto& [number, answer] : released_) numbers.add(number);
  Column keys(kInt8);
  for (const DeliveryKey key : touched_) keys.add(key);
  const auto answers = hot.link.add(kReleasedNow, Params() << numbers)
                           .add(kFinishedNow, Params() << keys << now_)
                           .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  tell_released(answers->front(), now_, released_);
  std::vector<DeliveryKey> finished;
  for (int i = 0; i < answers->back().size(); ++i) {
    finished.push_back(DeliveryKey{answers->back().integer(i, 0)});
  }
  tell_finished(items_, finished);
  return {};
}

}  // namespace todoku::store::postgres
