// SPDX-License-Identifier: Apache-2.0
// Leases: the time-limited right to work on a batch. A lease that runs out needs nobody to end it:
// its end is the instant at which the batch is ready again.
#include <algorithm>

#include "store/sqlite/keys.h"
#include "store/sqlite/records.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

std::unexpected<Error> fenced() {
  return fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
}

struct Progress {
  std::int64_t row = 0;
  RecipientState state = RecipientState::pending;
  std::uint16_t attempts = 0;
  std::optional<Instant> due;
};

// States of those recipients of a batch that have one, by row.
Result<std::vector<Progress>> progress_of(Connection& db, std::int64_t batch) {
  std::vector<Progress> progress;
  auto query = db.query("SELECT id, info, due FROM progress WHERE id BETWEEN ? AND ?");
  query.bind(first_row(batch), last_row(batch));
  while (query.next()) {
    const std::int64_t info = query.integer(1);
    progress.push_back({query.integer(0), static_cast<RecipientState>(info & 7),
                        static_cast<std::uint16_t>(info >> 3), query.optional_instant(2)});
  }
  if (query.failed()) return fail(query.error());
  return progress;
}

}  // namespace

Result<std::int64_t> SqliteWriteTransaction::release_leases_of_others(Holder holder, Instant now,
                                                                      std::int64_t limit) {
  auto done =
      db_.query(
             "UPDATE batches SET holder = 0, token = token + 1, ready_at = min(ready_at, ?)"
             " WHERE number IN (SELECT number FROM batches WHERE holder <> 0 AND holder < ?2"
             " UNION ALL SELECT number FROM batches WHERE holder <> 0 AND holder > ?2 LIMIT ?3)")
          .bind(now, holder, limit)
          .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes();
}

// The earliest instant at which a recipient of the batch is due; nullopt if none is open.
Result<std::optional<Instant>> SqliteWriteTransaction::earliest_due(const BatchRow& batch,
                                                                    Instant now) {
  if (batch.open <= 0) return std::nullopt;
  const auto progress = progress_of(db_, batch.number);
  if (!progress) return fail(progress.error());
  std::int64_t open = 0;
  std::optional<Instant> earliest;
  for (const Progress& entry : *progress) {
    if (is_terminal(entry.state)) continue;
    ++open;
    const Instant due = entry.due.value_or(now);
    if (!earliest || due < *earliest) earliest = due;
  }
  // Who is open and has no progress has not been tried yet.
  if (open < batch.open && (!earliest || now < *earliest)) earliest = now;
  return earliest;
}

Result<std::optional<LeasedBatch>> SqliteWriteTransaction::claim(const BatchRow& batch,
                                                                 Holder holder, Instant lease_until,
                                                                 Instant now) {
  const auto progress = progress_of(db_, batch.number);
  if (!progress) return fail(progress.error());
  LeasedBatch lease;
  auto known = progress->begin();
  {
    auto query = db_.query("SELECT id, address, codes FROM recipients WHERE id BETWEEN ? AND ?");
    query.bind(first_row(batch.number), last_row(batch.number));
    while (query.next()) {
      const std::int64_t row = query.integer(0);
      while (known != progress->end() && known->row < row) ++known;
      std::uint16_t attempts = 0;
      if (known != progress->end() && known->row == row) {
        if (is_terminal(known->state) || known->due.value_or(now) > now) continue;
        attempts = known->attempts;
      }
      auto codes = unpack_codes(queries_.dictionary(), query.blob(2));
      if (!codes) return fail(std::move(codes.error()));
      lease.recipients.push_back(
          {seq_of(row), full_address(query.text(1), batch.domain), std::move(*codes), attempts});
    }
    if (query.failed()) return fail(query.error());
  }
  if (lease.recipients.empty()) {
    const auto due = earliest_due(batch, now);
    if (!due) return fail(due.error());
    auto done = db_.query("UPDATE batches SET holder = 0, ready_at = ? WHERE number = ?")
                    .bind(*due, batch.number)
                    .run();
    if (!done) return fail(std::move(done.error()));
    return std::nullopt;
  }
  lease.key = batch_key(batch.delivery, batch.number);
  lease.account = batch.account;
  lease.traffic = batch.traffic;
  lease.domain = batch.domain;
  lease.token = batch.token + 1;
  lease.lease_until = lease_until;
  auto done = db_.query("UPDATE batches SET token = ?, holder = ?, ready_at = ? WHERE number = ?")
                  .bind(lease.token, holder, lease_until, batch.number)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return lease;
}

Result<std::vector<LeasedBatch>> SqliteWriteTransaction::claim_batches(
    std::span<const BatchKey> batches, Holder holder, Instant lease_until, Instant now) {
  std::vector<LeasedBatch> leases;
  std::optional<DeliveryKey> asked;
  bool sending = false;
  for (const BatchKey& key : batches) {
    if (asked != key.delivery) {
      const auto delivery = queries_.delivery_row(key.delivery);
      if (!delivery && delivery.error().kind != ErrorKind::not_found) {
        return fail(delivery.error());
      }
      asked = key.delivery;
      sending = delivery && delivery->status == DeliveryStatus::sending;
    }
    if (!sending) continue;
    const auto batch = queries_.batch(batch_number(key));
    if (!batch) return fail(batch.error());
    if (!*batch || (*batch)->delivery != number_of(key.delivery)) continue;
    if (!(*batch)->ready_at || *(*batch)->ready_at > now) continue;
    const auto shown = queries_.visible(**batch);
    if (!shown) return fail(shown.error());
    if (!*shown) continue;
    auto lease = claim(**batch, holder, lease_until, now);
    if (!lease) return fail(std::move(lease.error()));
    if (*lease) leases.push_back(std::move(**lease));
  }
  return leases;
}

Result<void> SqliteWriteTransaction::extend_lease(const BatchKey& key, std::uint64_t token,
                                                  Instant lease_until) {
  const auto batch = queries_.batch(batch_number(key));
  if (!batch) return fail(batch.error());
  if (!*batch) return fail(ErrorKind::not_found, "there is no such batch");
  if ((*batch)->token != token) return fenced();
  if (!(*batch)->ready_at) return {};  // nothing is open: there is nothing to hold on to
  if ((*batch)->holder == 0) return fenced();
  return db_.query("UPDATE batches SET ready_at = ? WHERE number = ?")
      .bind(lease_until, (*batch)->number)
      .run();
}

Result<BatchReleased> SqliteWriteTransaction::release_batch(const BatchKey& key,
                                                            std::uint64_t token, Instant not_before,
                                                            Instant now) {
  const auto batch = queries_.batch(batch_number(key));
  if (!batch) return fail(batch.error());
  if (!*batch) return fail(ErrorKind::not_found, "there is no such batch");
  if ((*batch)->token != token) return fenced();
  if (!(*batch)->ready_at) return BatchReleased{true, std::nullopt};
  if ((*batch)->holder == 0) return fenced();
  const auto due = earliest_due(**batch, now);
  if (!due) return fail(due.error());
  const auto next = *due ? std::optional(std::max(**due, not_before)) : std::nullopt;
  auto done = db_.query("UPDATE batches SET holder = 0, ready_at = ? WHERE number = ?")
                  .bind(next, (*batch)->number)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return BatchReleased{!next, next};
}

}  // namespace todoku::store::sqlite
