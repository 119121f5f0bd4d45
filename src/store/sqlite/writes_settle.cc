// SPDX-License-Identifier: Apache-2.0
// Settle (store/work.h): the hottest write of the engine. What several items bring is taken
// together in the order of the rows it touches: a batch and a delivery are read and written once
// for all of it, and a recipient's first outcome, which is nearly always its last, is one
// insertion.
//
// Order of locks: batches by number, deliveries by key. A delivery's counts come last.
#include <algorithm>
#include <map>

#include "store/logs.h"
#include "store/records.h"
#include "store/settling.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

constexpr std::int64_t kAttemptsMax = 65'535;
std::int64_t info_of(RecipientState state, std::int64_t attempts) {
  return std::min(attempts, kAttemptsMax) << 3 | static_cast<std::int64_t>(state);
}

void count(DeliveryCounts& counts, RecipientState state, std::int64_t by) {
  if (std::int64_t* const counted = count_of(counts, state)) *counted += by;
}

std::unexpected<Error> nothing_there() {
  return fail(ErrorKind::not_found, "there is no such recipient any more");
}

std::unexpected<Error> fenced() {
  return fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
}

void answer_missing(const SettlePiece& piece) {
  if (piece.recorded != nullptr) *piece.recorded = nothing_there();
  if (piece.released != nullptr) *piece.released = nothing_there();
  if (piece.marked != nullptr) *piece.marked = nothing_there();
}

}  // namespace

// A batch as it is read, and what its pieces make of it.
struct SqliteWriteTransaction::BatchSettling {
  std::span<const SettlePiece> pieces;
  OutcomeTally* tally = nullptr;
  ErrorStop error_stop;
  // as stored
  std::int64_t number = 0;
  TrafficClass traffic{};
  AccountKey account{};
  PublicId first_email_id = 0;
  std::int64_t size = 0;
  bool has_holes = false;
  std::int64_t open = 0;
  std::optional<Instant> ready_at;
  std::uint64_t token = 0;
  NodeKey holder = kNobody;
  std::int64_t losses = 0;
  std::optional<std::int64_t> alone;
  bool begun = false;
  Instant expires{};
  bool at_most_once = false;
  Begun underway = 0;
  Course course{};
  bool stopped = false;
  // as it will be
  std::int64_t settled = 0;
  std::int64_t recorded = 0;
  std::optional<Instant> due;  // the earliest new one
  bool released = false;
};

// What is added to the deliveries.
struct SqliteWriteTransaction::Settling {
  struct Sum {
    DeliveryCounts counts;
    bool touched = false;
  };
  std::map<DeliveryKey, Sum> deliveries;
  std::vector<DeliveryKey> finished;
  OutcomeTally tally;
  Sum* sum = nullptr;  // of the delivery at hand
};

Result<void> SqliteWriteTransaction::record(const OutcomeRecord& outcome, BatchSettling& batch,
                                            DeliveryCounts& counts,
                                            Result<OutcomeRecorded>& answer) {
  if (outcome.key.seq >= batch.size) {
    answer = nothing_there();
    return {};
  }
  if (outcome.if_free && batch.holder != kNobody) {
    answer = fail(ErrorKind::conflict, "somebody has the batch in hand");
    return {};
  }
  const std::int64_t row = recipient_row(outcome.key);
  if (batch.has_holes) {
    auto present = db_.query("SELECT 1 FROM recipients WHERE id = ?");
    present.bind(row);
    if (!present.next()) {
      if (present.failed()) return fail(present.error());
      answer = nothing_there();
      return {};
    }
  }
  if (outcome.if_free) {
    auto query = db_.query("SELECT 1 FROM progress WHERE id = ? AND (info & 7) > 1");
    query.bind(row);
    if (query.next()) answer = somebody_was_first();
    if (query.failed()) return fail(query.error());
    if (!answer) return {};
  }
  if (outcome.if_taken) {
    auto query = db_.query("SELECT info & 7 FROM progress WHERE id = ?");
    query.bind(row);
    const bool taken = query.next() && was_taken(static_cast<RecipientState>(query.integer(0)));
    if (query.failed()) return fail(query.error());
    if (!taken) {
      answer = nothing_was_taken();
      return {};
    }
  }
  if (batch.at_most_once) {
    auto done = db_.query("DELETE FROM on_its_way WHERE recipient = ?").bind(row).run();
    if (!done) return done;
  }
  const Verdict verdict = verdict_of(outcome, now_, batch.expires, batch.stopped);
  const RecipientState next = verdict.next;
  std::optional<Instant> due = verdict.due;
  const std::int64_t tried = outcome.outcome.is_attempt ? 1 : 0;
  history_.clear();
  auto appended = append_history(queries_.dictionary(),
                                 {.at = now_ - outcome.age - outcome.duration,
                                  .duration = outcome.duration,
                                  .state = next,
                                  .outcome = outcome.outcome,
                                  .path = outcome.path},
                                 history_);
  if (!appended) return appended;
  RecipientState state = RecipientState::pending;
  std::int64_t attempts = 0;
  auto inserted = db_.query(
                         "INSERT OR IGNORE INTO progress(id, info, due, history)"
                         " VALUES(?, ?, ?, ?)")
                      .bind(row, info_of(next, tried), due, Blob{history_})
                      .run();
  if (!inserted) return inserted;
  const bool fresh = db_.changes() > 0;
  bool changes = true;
  if (!fresh) {
    std::optional<Instant> due_before;
    address_.clear();
    {
      auto query = db_.query("SELECT info, due, history FROM progress WHERE id = ?");
      query.bind(row);
      if (query.next()) {
        state = static_cast<RecipientState>(query.integer(0) & 7);
        attempts = query.integer(0) >> 3;
        due_before = query.optional_instant(1);
        address_ = query.blob(2);
      }
      if (query.failed()) return fail(query.error());
    }
    address_ += history_;
    changes = moves(state, verdict, outcome.outcome, batch.course);
    // Only what is set aside is due at the end of its life (writes_nodes.cc).
    if (changes && due_before && *due_before >= batch.expires) {
      const auto stays = keep_aside(row, is_terminal(next));
      if (!stays) return fail(stays.error());
      if (*stays) due = due_before;
    }
    if (!changes) due = due_before;
    auto updated =
        db_.query("UPDATE progress SET info = ?, due = ?, history = ? WHERE id = ?")
            .bind(info_of(changes ? next : state, attempts + tried), due, Blob{address_}, row)
            .run();
    if (!updated) return updated;
  }
  if (changes) {
    count(counts, state, -1);
    count(counts, next, 1);
    if (!is_terminal(state) && is_terminal(next)) ++batch.settled;
    batch.tally->add({.account = batch.account,
                      .key = outcome.key,
                      .is_bulk = batch.traffic == TrafficClass::bulk,
                      .site = outcome.site,
                      .was = state,
                      .is = next,
                      .cause = outcome.outcome.cause,
                      .came_back = outcome.if_taken,
                      .cause_before = outcome.cause_before});
    if (!is_told_by_stop(batch.stopped, next)) {
      events_.add(batch.account, event_of(outcome, next, attempts + tried, now_));
    }
    auto kept = keep_not_sent(batch.account, batch.first_email_id + outcome.key.seq, state, next,
                              log_code(outcome.outcome));
    if (!kept) return kept;
    if (due && (!batch.due || *due < *batch.due)) batch.due = due;
  }
  if (changes && next == RecipientState::bounced && outcome.against_address) {
    auto counted = count_hard_error(outcome, batch.error_stop);
    if (!counted) return counted;
  }
  ++batch.recorded;
  answer = OutcomeRecorded{.state = changes ? next : state,
                           .superseded = !changes,
                           .due = due ? std::optional(*due - now_) : std::nullopt};
  return {};
}

// What is sent at the first try, as nearly all is, is not written down (store/logs.h).
Result<void> SqliteWriteTransaction::keep_not_sent(AccountKey account, PublicId id,
                                                   RecipientState was, RecipientState is,
                                                   int code) {
  if (is_kept_not_sent(was) && was != is) {
    auto done = db_.query("DELETE FROM not_sent WHERE account = ? AND state = ? AND id = ?")
                    .bind(account, was, id)
                    .run();
    if (!done) return done;
  }
  if (!is_kept_not_sent(is)) return {};
  return db_.query("INSERT OR REPLACE INTO not_sent(account, state, id, code) VALUES(?, ?, ?, ?)")
      .bind(account, is, id, code)
      .run();
}

// The earliest instant at which a recipient of the batch is due; nullopt if none is open.
Result<std::optional<Instant>> SqliteWriteTransaction::earliest_due(std::int64_t batch,
                                                                    std::int64_t open) {
  if (open <= 0) return std::nullopt;
  auto query = db_.query(
      "SELECT count(*), min(coalesce(due, ?)) FROM progress WHERE id BETWEEN ? AND ?"
      " AND (info & 7) <= 1");
  query.bind(now_, first_row(batch), last_row(batch));
  std::optional<Instant> earliest;
  std::int64_t tried = 0;
  if (query.next()) {
    tried = query.integer(0);
    earliest = query.optional_instant(1);
  }
  if (query.failed()) return fail(query.error());
  // Who is open and has no progress has not been tried yet.
  if (tried < open && (!earliest || now_ < *earliest)) earliest = now_;
  return earliest;
}

Result<void> SqliteWriteTransaction::release(const BatchRelease& release, BatchSettling& batch,
                                             DeliveryCounts& counts,
                                             Result<BatchReleased>& answer) {
  if (batch.token != release.held.token) {
    answer = fenced();
    return {};
  }
  if (batch.at_most_once) {
    const auto outcomes = doubtful(release.held.key);
    if (!outcomes) return fail(outcomes.error());
    for (const OutcomeRecord& outcome : *outcomes) {
      Result<OutcomeRecorded> recorded;
      auto done = record(outcome, batch, counts, recorded);
      if (!done) return done;
    }
  }
  const std::int64_t open = batch.open - batch.settled;
  if (open <= 0) {
    batch.released = true;
    answer = BatchReleased{.done = true, .next = std::nullopt};
    return {};
  }
  if (batch.holder == kNobody) {
    answer = fenced();
    return {};
  }
  const auto due = earliest_due(batch.number, open);
  if (!due) return fail(due.error());
  // What waits beyond the end of its life is due then, to be given up.
  const Instant wanted = std::max(due->value_or(now_), now_ + release.not_before);
  const Instant next = std::min(wanted, std::max(batch.expires, now_));
  batch.ready_at = next;
  batch.released = true;
  answer = BatchReleased{.done = false, .next = next - now_};
  return {};
}

Result<void> SqliteWriteTransaction::settle_batch(BatchSettling& batch, Settling& settling) {
  {
    auto query = db_.query(
        "SELECT b.traffic, b.size, b.removed, b.open, b.ready_at, b.token, b.holder, b.losses,"
        " b.alone, b.begun, d.expires, d.at_most_once, b.account, b.first_email_id, d.course,"
        " b.underway"
        " FROM batches b"
        " JOIN deliveries d ON d.key = b.delivery"
        " WHERE b.number = ? AND b.delivery = ? AND d.status IN (5, 6) AND d.deleted = 0");
    query.bind(batch.number, batch.pieces.front().batch.delivery);
    if (!query.next()) {
      if (query.failed()) return fail(query.error());
      // Deleted while its mails were on their way: there is nothing left to tell a story of.
      std::ranges::for_each(batch.pieces, answer_missing);
      return {};
    }
    batch.traffic = static_cast<TrafficClass>(query.integer(0));
    batch.size = query.integer(1);
    batch.has_holes = query.integer(2) > 0;
    batch.open = query.integer(3);
    batch.ready_at = query.optional_instant(4);
    batch.token = static_cast<std::uint64_t>(query.integer(5));
    batch.holder = NodeKey{query.integer(6)};
    batch.losses = query.integer(7);
    if (!query.is_null(8)) batch.alone = query.integer(8);
    batch.begun = query.flag(9);
    batch.expires = query.optional_instant(10).value_or(Instant::max());
    batch.at_most_once = query.flag(11);
    batch.account = AccountKey{query.integer(12)};
    batch.first_email_id = query.integer(13);
    batch.course = static_cast<Course>(query.integer(14));
    batch.stopped = is_stopped(batch.course);
    batch.underway = static_cast<Begun>(query.integer(15));
  }
  DeliveryCounts& counts = settling.sum->counts;
  bool says_more = false;
  for (const SettlePiece& piece : batch.pieces) {
    if (piece.mark != nullptr) {
      const bool is_its = batch.token == piece.mark->held.token && batch.holder != kNobody;
      *piece.marked = is_its ? Result<void>() : fenced();
      says_more = says_more || (is_its && (piece.mark->begun & ~batch.underway) != 0);
      if (is_its) batch.underway |= piece.mark->begun;
      continue;
    }
    auto done = piece.outcome != nullptr ? record(*piece.outcome, batch, counts, *piece.recorded)
                                         : release(*piece.release, batch, counts, *piece.released);
    if (!done) return done;
  }
  if (batch.traffic == TrafficClass::transactional && !batch.stopped) waiting_ -= batch.settled;
  const std::int64_t open = batch.open - batch.settled;
  if (batch.alone && batch.recorded > 0) {
    // It was begun, and nobody died of it.
    auto done = db_.query("DELETE FROM suspects WHERE recipient = ?")
                    .bind(recipient_row(batch.number, *batch.alone))
                    .run();
    if (!done) return done;
  }
  // Nobody holds it, and something of it is due earlier than the rest.
  const bool hastens =
      batch.holder == kNobody && batch.due && batch.ready_at && *batch.due < *batch.ready_at;
  // Whoever tells an outcome lives: it is not this batch that kills. A suspect stays one until it
  // is done; then nobody asks.
  const bool absolved = batch.recorded > 0 && batch.losses > 0 && batch.losses < kLossesToSuspect;
  if (open == batch.open && !batch.released && !hastens && !absolved && !says_more) return {};
  const bool ends = open == 0 || batch.released;
  const auto ready = open == 0 ? std::nullopt : hastens ? batch.due : batch.ready_at;
  return db_
      .query(
          "UPDATE batches SET open = ?, ready_at = ?, holder = ?, losses = ?, alone = ?, begun = ?,"
          " underway = ? WHERE number = ?")
      .bind(open, ready, ends ? kNobody : batch.holder, absolved ? 0 : batch.losses,
            ends ? std::nullopt : batch.alone, !ends && batch.begun,
            static_cast<std::int64_t>(ends ? 0 : batch.underway), batch.number)
      .run();
}

// Of a delivery that was stopped all that was open counts as cancelled since then: what becomes of
// it counts instead.
Result<void> SqliteWriteTransaction::count_delivery(DeliveryKey key, const DeliveryCounts& by,
                                                    Settling& settling) {
  auto query = db_.query(
      "UPDATE deliveries SET delivered = delivered + ?1, bounced = bounced + ?2,"
      " dropped = dropped + ?3, expired = expired + ?4,"
      " cancelled = cancelled + ?5 - CASE WHEN course >= 2 THEN ?9 ELSE 0 END,"
      " unknown = unknown + ?6, deferred = deferred + CASE WHEN course >= 2 THEN 0 ELSE ?7 END,"
      " updated = max(updated, ?8),"
      " finished = CASE WHEN status = 5 AND total = delivered + bounced + dropped + expired"
      " + cancelled + unknown + ?9 THEN ?8 ELSE finished END,"
      " status = CASE WHEN status = 5 AND total = delivered + bounced + dropped + expired"
      " + cancelled + unknown + ?9 THEN 6 ELSE status END"
      " WHERE key = ?10 RETURNING finished = ?8 AND ?9 > 0 AND course < 2, account, total");
  query.bind(by.delivered, by.bounced, by.dropped, by.expired, by.cancelled, by.unknown,
             by.deferred, now_, by.terminal(), key);
  bool finished = false;
  AccountKey account{};
  std::int64_t total = 0;
  while (query.next()) {
    finished = query.flag(0);
    account = AccountKey{query.integer(1)};
    total = query.integer(2);
  }
  if (query.failed()) return fail(query.error());
  if (!finished) return {};
  settling.finished.push_back(key);
  events_.add(account, event_of_many(EventKind::delivery_finished, key, total, now_));
  return {};
}

Result<void> SqliteWriteTransaction::perform(Together<Settle> items) {
  const std::vector<SettlePiece> pieces = pieces_of(items);
  Settling settling;
  for (auto begin = pieces.begin(); begin != pieces.end();) {
    const auto end = std::find_if(
        begin, pieces.end(), [&](const SettlePiece& piece) { return piece.batch != begin->batch; });
    BatchSettling batch;
    batch.pieces = std::span(begin, end);
    batch.tally = &settling.tally;
    batch.error_stop = items.front()->op.error_stop;
    batch.number = batch_number(begin->batch);
    Settling::Sum& sum = settling.deliveries[begin->batch.delivery];
    settling.sum = &sum;
    auto done = settle_batch(batch, settling);
    if (!done) return done;
    sum.touched = sum.touched || batch.recorded > 0;
    begin = end;
  }
  for (const auto& [key, sum] : settling.deliveries) {
    if (!sum.touched) continue;
    auto done = count_delivery(key, sum.counts, settling);
    if (!done) return done;
  }
  if (auto done = count_outcomes(settling.tally); !done) return done;
  tell_finished(items, settling.finished);
  return {};
}

}  // namespace todoku::store::sqlite
