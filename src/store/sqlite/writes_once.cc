// SPDX-License-Identifier: Apache-2.0
// Deliveries that are sent at most once: who sends such a mail says so before (store/work.h), and
// whoever was on the way when a lease ended without an outcome may have it already.
#include <vector>

#include "store/settling.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<void> SqliteWriteTransaction::mark_on_its_way(const HeldBatch& held, std::uint32_t seq,
                                                     bool on_its_way) {
  const std::int64_t batch = batch_number(held.key);
  {
    auto query = db_.query("SELECT 1 FROM batches WHERE number = ? AND token = ? AND holder <> 0");
    query.bind(batch, held.token);
    const bool is_held = query.next();
    if (query.failed()) return fail(query.error());
    if (!is_held) return fail(ErrorKind::conflict, "this batch has passed to another node");
  }
  const std::int64_t row = recipient_row(batch, seq);
  if (on_its_way) {
    return db_.query("INSERT OR IGNORE INTO on_its_way(recipient) VALUES(?)").bind(row).run();
  }
  return db_.query("DELETE FROM on_its_way WHERE recipient = ?").bind(row).run();
}

// What is to be said of those on their way whose holder says nothing any more.
Result<std::vector<OutcomeRecord>> SqliteWriteTransaction::doubtful(const BatchKey& batch) {
  std::vector<OutcomeRecord> outcomes;
  const std::int64_t number = batch_number(batch);
  auto query = db_.query("SELECT recipient FROM on_its_way WHERE recipient BETWEEN ? AND ?");
  query.bind(first_row(number), last_row(number));
  while (query.next()) {
    outcomes.push_back(store::doubtful({batch.delivery, batch.batch, seq_of(query.integer(0))},
                                       Doubt::sent_at_most_once));
  }
  if (query.failed()) return fail(query.error());
  return outcomes;
}

// How many there were.
Result<std::int64_t> SqliteWriteTransaction::doubt_those_on_their_way(const BatchKey& batch) {
  const auto outcomes = doubtful(batch);
  if (!outcomes) return fail(outcomes.error());
  if (outcomes->empty()) return 0;
  Pending<Settle> item{.op = {.outcomes = *outcomes}};
  Pending<Settle>* const together[] = {&item};
  auto done = perform(Together<Settle>(together));
  if (!done) return fail(std::move(done.error()));
  return static_cast<std::int64_t>(outcomes->size());
}

}  // namespace todoku::store::sqlite
