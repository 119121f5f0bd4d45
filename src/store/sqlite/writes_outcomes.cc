// SPDX-License-Identifier: Apache-2.0
// Outcomes: the hottest write of the engine. They are taken in the order of the rows they touch, a
// batch and a delivery are read and written once for all of their outcomes, and a recipient's first
// outcome, which is nearly always its last, is one insertion.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "store/sqlite/keys.h"
#include "store/sqlite/records.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

constexpr std::int64_t kAttemptsMax = 65'535;

std::int64_t info_of(RecipientState state, std::int64_t attempts) {
  return std::min(attempts, kAttemptsMax) << 3 | static_cast<std::int64_t>(state);
}

void count(DeliveryCounts& counts, RecipientState state, std::int64_t by) {
  switch (state) {
    case RecipientState::pending:
      return;
    case RecipientState::deferred:
      counts.deferred += by;
      return;
    case RecipientState::delivered:
      counts.delivered += by;
      return;
    case RecipientState::bounced:
      counts.bounced += by;
      return;
    case RecipientState::dropped:
      counts.dropped += by;
      return;
    case RecipientState::expired:
      counts.expired += by;
      return;
    case RecipientState::cancelled:
      counts.cancelled += by;
      return;
    case RecipientState::unknown:
      counts.unknown += by;
      return;
  }
}

// Waiting that we chose ourselves: a due time and nothing else.
bool is_parking(const OutcomeRecord& outcome) {
  return !outcome.outcome.is_attempt && outcome.outcome.state == RecipientState::deferred;
}

Result<void> check_outcome(const OutcomeRecord& outcome) {
  const RecipientState state = outcome.outcome.state;
  if (state == RecipientState::pending || state > RecipientState::unknown) {
    return fail(ErrorKind::invalid_input, "an outcome cannot be pending");
  }
  if ((state == RecipientState::deferred) != outcome.due.has_value()) {
    return fail(ErrorKind::invalid_input,
                "an outcome has a due time if and only if it is deferred");
  }
  return {};
}

}  // namespace

// What the outcomes of one batch add up to.
struct SqliteWriteTransaction::BatchOutcomes {
  DeliveryCounts counts;
  std::int64_t settled = 0;
  std::int64_t recorded = 0;
  std::int64_t superseded = 0;
  std::optional<Instant> due;  // the earliest new one
  std::int64_t size = 0;
  bool has_holes = false;
};

// False if there is no such recipient.
Result<bool> SqliteWriteTransaction::record_outcome(const OutcomeRecord& outcome,
                                                    BatchOutcomes& sum) {
  if (outcome.key.seq >= sum.size) return false;
  const std::int64_t row = recipient_row(outcome.key);
  if (sum.has_holes) {
    auto present = db_.query("SELECT 1 FROM recipients WHERE id = ?");
    present.bind(row);
    if (!present.next()) {
      if (present.failed()) return fail(present.error());
      return false;
    }
  }
  RecipientState state = RecipientState::pending;
  std::int64_t attempts = 0;
  std::optional<Instant> due;
  bool fresh = true;
  history_.clear();
  {
    auto query = db_.query("SELECT info, due, history FROM progress WHERE id = ?");
    query.bind(row);
    if (query.next()) {
      fresh = false;
      state = static_cast<RecipientState>(query.integer(0) & 7);
      attempts = query.integer(0) >> 3;
      due = query.optional_instant(1);
      history_ = query.blob(2);
    }
    if (query.failed()) return fail(query.error());
  }
  const RecipientState next = is_parking(outcome) ? state : outcome.outcome.state;
  const bool moves = is_parking(outcome) ? !is_terminal(state) : may_change(state, next);
  if (moves) {
    count(sum.counts, state, -1);
    count(sum.counts, next, 1);
    if (!is_terminal(state) && is_terminal(next)) ++sum.settled;
    due = outcome.due;
    if (due && (!sum.due || *due < *sum.due)) sum.due = due;
    ++sum.recorded;
  } else {
    ++sum.superseded;
    if (is_parking(outcome)) return true;
  }
  if (outcome.outcome.is_attempt) ++attempts;
  if (!is_parking(outcome)) {
    auto appended = append_history(queries_.dictionary(), outcome, history_);
    if (!appended) return fail(std::move(appended.error()));
  }
  const std::int64_t info = info_of(moves ? next : state, attempts);
  auto written = fresh
                     ? db_.query("INSERT INTO progress(id, info, due, history) VALUES(?, ?, ?, ?)")
                           .bind(row, info, due, Blob{history_})
                           .run()
                     : db_.query("UPDATE progress SET info = ?, due = ?, history = ? WHERE id = ?")
                           .bind(info, due, Blob{history_}, row)
                           .run();
  if (!written) return fail(std::move(written.error()));
  return true;
}

Result<void> SqliteWriteTransaction::record_batch(std::span<const OutcomeRecord* const> outcomes,
                                                  DeliveryCounts& counts,
                                                  OutcomesRecorded& result) {
  const RecipientKey& key = outcomes.front()->key;
  const auto batch = queries_.batch(batch_number(key.delivery, key.batch));
  if (!batch) return fail(batch.error());
  if (!*batch || (*batch)->delivery != number_of(key.delivery)) return {};
  BatchOutcomes sum;
  sum.counts = counts;
  sum.size = (*batch)->size;
  sum.has_holes = (*batch)->removed > 0;
  for (const OutcomeRecord* outcome : outcomes) {
    const auto known = record_outcome(*outcome, sum);
    if (!known) return fail(known.error());
  }
  counts = sum.counts;
  result.recorded += sum.recorded;
  result.superseded += sum.superseded;
  waiting_[static_cast<std::size_t>((*batch)->traffic)] -= sum.settled;

  const std::int64_t open = (*batch)->open - sum.settled;
  auto ready = (*batch)->ready_at;
  // Who holds the lease works out the next due time when it is released.
  if ((*batch)->holder == 0 && sum.due && ready && *sum.due < *ready) ready = sum.due;
  if (open == 0) ready.reset();
  if (open == (*batch)->open && ready == (*batch)->ready_at) return {};
  return db_.query("UPDATE batches SET open = ?, ready_at = ?, holder = ? WHERE number = ?")
      .bind(open, ready, open == 0 ? Holder{0} : (*batch)->holder, (*batch)->number)
      .run();
}

Result<void> SqliteWriteTransaction::record_delivery(std::span<const OutcomeRecord* const> outcomes,
                                                     OutcomesRecorded& result) {
  const DeliveryKey key = outcomes.front()->key.delivery;
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) {
    // Deleted while its mails were on their way: there is nothing left to tell a story of.
    if (delivery.error().kind == ErrorKind::not_found) return {};
    return fail(delivery.error());
  }
  if (delivery->status != DeliveryStatus::sending && delivery->status != DeliveryStatus::sent) {
    return {};
  }
  DeliveryCounts counts = delivery->counts;
  Instant last = delivery->updated;
  for (std::size_t begin = 0; begin < outcomes.size();) {
    std::size_t end = begin;
    while (end < outcomes.size() && outcomes[end]->key.batch == outcomes[begin]->key.batch) {
      last = std::max(last, outcomes[end]->at);
      ++end;
    }
    auto done = record_batch(outcomes.subspan(begin, end - begin), counts, result);
    if (!done) return done;
    begin = end;
  }
  const bool finishes =
      delivery->status == DeliveryStatus::sending && counts.terminal() == counts.total;
  if (finishes) result.finished.push_back(key);
  const auto finished = finishes ? std::optional(last) : delivery->finished;
  const auto status = finishes ? DeliveryStatus::sent : delivery->status;
  return db_
      .query(
          "UPDATE deliveries SET status = ?, finished = ?, updated = ?, delivered = ?,"
          " bounced = ?, dropped = ?, expired = ?, cancelled = ?, unknown = ?, deferred = ?"
          " WHERE key = ?")
      .bind(status, finished, last, counts.delivered, counts.bounced, counts.dropped,
            counts.expired, counts.cancelled, counts.unknown, counts.deferred, key)
      .run();
}

Result<OutcomesRecorded> SqliteWriteTransaction::record_outcomes(
    std::span<const OutcomeRecord> outcomes) {
  std::vector<const OutcomeRecord*> sorted;
  sorted.reserve(outcomes.size());
  for (const OutcomeRecord& outcome : outcomes) {
    auto valid = check_outcome(outcome);
    if (!valid) return fail(std::move(valid.error()));
    sorted.push_back(&outcome);
  }
  // Of two outcomes of one recipient the one given first came first.
  std::ranges::sort(sorted, [](const OutcomeRecord* a, const OutcomeRecord* b) {
    return a->key != b->key ? a->key < b->key : a < b;
  });
  OutcomesRecorded result;
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin;
    while (end < sorted.size() && sorted[end]->key.delivery == sorted[begin]->key.delivery) ++end;
    auto done = record_delivery(std::span(sorted).subspan(begin, end - begin), result);
    if (!done) return fail(std::move(done.error()));
    begin = end;
  }
  return result;
}

}  // namespace todoku::store::sqlite
