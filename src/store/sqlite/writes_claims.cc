// SPDX-License-Identifier: Apache-2.0
// Claim (store/work.h): the right to work on a batch. It hangs on its node's row (nodes.h); the
// batch says who has it and how often it was taken, and is due for nobody until it is released.
#include <algorithm>

#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

struct SqliteWriteTransaction::ClaimableBatch {
  std::int64_t number = 0;
  AccountKey account{};
  TrafficClass traffic{};
  std::string domain;
  std::uint64_t token = 0;
  std::int64_t open = 0;
  std::int64_t losses = 0;
  Milliseconds expires_in{};
  bool stands_still = false;
  Purpose purpose{};
  std::string list_id;
  std::string credential;
  std::int64_t steering = 0;
  bool has_pace = false;
  std::optional<Milliseconds> open_for;  // until the quiet hours of its delivery
  bool was_asked = false;                // whether its recipients are stopped: when it was accepted
};

// Due or a transaction's that nobody has had, free, visible, and its delivery is going out.
Result<std::optional<SqliteWriteTransaction::ClaimableBatch>> SqliteWriteTransaction::claimable(
    const BatchKey& key) {
  auto query = db_.query(
      "SELECT b.account, b.traffic, b.domain, b.token, b.open, b.losses, d.expires,"
      " a.suspended = 1 OR d.course = 1 OR coalesce(t.goes_from > ?3 OR t.goes_until <= ?3, 0)"
      " OR " CREDENTIAL_IS_HELD
      ", d.purpose, d.list_id, d.type, d.created, b.section IS NOT NULL, d.credential,"
      " coalesce(t.revision, 0), coalesce(t.mails, 0), t.goes_until"
      " FROM batches b"
      " JOIN deliveries d ON d.key = b.delivery"
      " JOIN accounts a ON a.key = b.account LEFT JOIN sections s ON s.id = b.section"
      " LEFT JOIN steering t ON t.delivery = b.delivery"
      " WHERE b.number = ?1 AND b.delivery = ?2 AND b.holder = 0"
      " AND (b.ready_at <= ?3 OR (b.token = 0 AND b.section IS NULL AND b.ready_at IS NOT NULL))"
      " AND (b.section IS NULL OR s.state = 1) AND d.status = 5 AND d.deleted = 0");
  query.bind(batch_number(key), key.delivery, now_);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return std::nullopt;
  }
  ClaimableBatch batch;
  batch.number = batch_number(key);
  batch.account = AccountKey{query.integer(0)};
  batch.traffic = static_cast<TrafficClass>(query.integer(1));
  batch.domain = query.text(2);
  batch.token = static_cast<std::uint64_t>(query.integer(3));
  batch.open = query.integer(4);
  batch.losses = query.integer(5);
  batch.expires_in = query.optional_instant(6).value_or(now_) - now_;
  batch.stands_still = query.flag(7);
  batch.purpose = purpose_of(static_cast<Purpose>(query.integer(8)),
                             static_cast<DeliveryType>(query.integer(10)));
  batch.list_id = query.text(9);
  batch.credential = query.text(13);
  batch.steering = query.integer(14);
  batch.has_pace = query.flag(15);
  if (const auto until = query.optional_instant(16)) batch.open_for = *until - now_;
  batch.was_asked = batch.traffic == TrafficClass::transactional && batch.token == 0 &&
                    !query.flag(12) && now_ - query.instant(11) < kAskedAgainAfter;
  return batch;
}

Result<std::vector<LeasedRecipient>> SqliteWriteTransaction::due_recipients(
    const ClaimableBatch& batch) {
  std::vector<LeasedRecipient> due;
  const auto most = batch.losses >= kLossesToSuspect ? 1 : kBatchRecipientsMax;
  auto query = db_.query(
      "SELECT r.id, address, codes, info >> 3, info & 7 FROM recipients r LEFT JOIN progress p ON "
      "p.id = r.id"
      " WHERE r.id BETWEEN ? AND ? AND (info IS NULL OR ((info & 7) <= 1 AND coalesce(due, 0) <= "
      "?))"
      " LIMIT ?");
  query.bind(first_row(batch.number), last_row(batch.number), now_, most);
  while (query.next()) {
    const std::int64_t row = query.integer(0);
    auto codes = unpack_codes(queries_.dictionary(), query.blob(2));
    if (!codes) return fail(std::move(codes.error()));
    (void)detach(*codes);  // it is never in the mail
    due.push_back({seq_of(row), full_address(query.text(1), batch.domain), std::move(*codes),
                   static_cast<std::uint16_t>(query.integer(3)),
                   query.integer(4) == static_cast<std::int64_t>(RecipientState::deferred)});
  }
  if (query.failed()) return fail(query.error());
  return due;
}

// Why the batch is not leased.
Result<Result<LeasedBatch>> SqliteWriteTransaction::refused(const BatchKey& key, NodeKey node) {
  auto query = db_.query("SELECT holder FROM batches WHERE number = ? AND delivery = ?");
  query.bind(batch_number(key), key.delivery);
  const bool has_it = query.next() && NodeKey{query.integer(0)} == node;
  if (query.failed()) return fail(query.error());
  if (has_it) return Result<LeasedBatch>(fail(ErrorKind::conflict, "the node has it already"));
  return Result<LeasedBatch>(fail(ErrorKind::not_found, "the batch is not due or not free"));
}

// Bulk that is paused, of a suspended account or of a held credential is not offered
// (sending_bulk); transactional mail is offered of all accounts at once, so that it has to stand
// aside.
Result<void> SqliteWriteTransaction::hold_back(const ClaimableBatch& batch) {
  if (batch.traffic == TrafficClass::bulk) return {};
  return db_.query("UPDATE batches SET ready_at = ? WHERE number = ?")
      .bind(now_ + std::min(kSuspendedWait, batch.expires_in), batch.number)
      .run();
}

// What nobody has had of a transaction was asked when it was accepted, lately, unless it has waited
// for its time since.
Result<void> SqliteWriteTransaction::drop_stopped(const BatchKey& key, ClaimableBatch& batch,
                                                  std::vector<LeasedRecipient>& recipients) {
  if (batch.was_asked) return {};
  if (batch.expires_in <= Milliseconds(0)) return {};  // it ends as expired
  std::vector<OutcomeRecord> dropped;
  for (const LeasedRecipient& recipient : recipients) {
    const auto reason =
        queries_.stopped(batch.account, recipient.address, batch.purpose, batch.list_id);
    if (!reason) return fail(reason.error());
    if (!*reason) continue;
    dropped.push_back({.key = {key.delivery, key.batch, recipient.seq},
                       .outcome = dropped_for(**reason),
                       .path = {}});
  }
  if (dropped.empty()) return {};
  auto settled = perform_one(Settle{.outcomes = dropped, .releases = {}});
  if (!settled) return fail(std::move(settled.error()));
  for (const OutcomeRecord& outcome : dropped) {
    std::erase_if(recipients, [&](const LeasedRecipient& recipient) {
      return recipient.seq == outcome.key.seq;
    });
  }
  batch.open -= static_cast<std::int64_t>(dropped.size());
  return {};
}

Result<Result<LeasedBatch>> SqliteWriteTransaction::claim(const BatchKey& key, NodeKey node) {
  auto batch = claimable(key);
  if (!batch) return fail(batch.error());
  if (!*batch) return refused(key, node);
  if ((*batch)->stands_still && (*batch)->expires_in > Milliseconds(0)) {
    auto held_back = hold_back(**batch);
    if (!held_back) return fail(std::move(held_back.error()));
    return refused(key, node);
  }
  auto recipients = due_recipients(**batch);
  if (!recipients) return fail(std::move(recipients.error()));
  auto asked = drop_stopped(key, **batch, *recipients);
  if (!asked) return fail(std::move(asked.error()));
  if (recipients->empty()) {
    const auto due = earliest_due((*batch)->number, (*batch)->open);
    if (!due) return fail(due.error());
    auto done = db_.query("UPDATE batches SET ready_at = ? WHERE number = ?")
                    .bind(*due, (*batch)->number)
                    .run();
    if (!done) return fail(std::move(done.error()));
    return refused(key, node);
  }
  LeasedBatch lease;
  lease.key = key;
  lease.account = (*batch)->account;
  lease.traffic = (*batch)->traffic;
  lease.domain = std::move((*batch)->domain);
  lease.node = node;
  lease.token = (*batch)->token + 1;
  lease.expires_in = (*batch)->expires_in;
  lease.credential = std::move((*batch)->credential);
  lease.steering = (*batch)->steering;
  lease.has_pace = (*batch)->has_pace;
  lease.open_for = (*batch)->open_for;
  lease.suspect = (*batch)->losses >= kLossesToSuspect;
  lease.recipients = std::move(*recipients);
  const auto alone = lease.suspect ? std::optional(lease.recipients.front().seq) : std::nullopt;
  auto done =
      db_.query(
             "UPDATE batches SET token = ?, holder = ?, ready_at = NULL, alone = ?, begun = 0,"
             " underway = ? WHERE number = ? AND holder = 0")
          .bind(lease.token, node, alone,
                static_cast<std::int64_t>(begun_when_leased(lease.traffic)), (*batch)->number)
          .run();
  if (!done) return fail(std::move(done.error()));
  return lease;
}

Result<void> SqliteWriteTransaction::perform(Together<Claim> items) {
  for (Pending<Claim>* const item : items) {
    const auto lives = node_lives(item->op.node);
    if (!lives) return fail(lives.error());
    if (!*lives) {
      item->answer = fail(ErrorKind::conflict, "the lease of this node has lapsed");
      continue;
    }
    Claimed claimed;
    for (const BatchKey& key : item->op.batches) {
      auto lease = claim(key, item->op.node);
      if (!lease) return fail(std::move(lease.error()));
      claimed.batches.push_back(std::move(*lease));
    }
    item->answer = std::move(claimed);
  }
  return {};
}

}  // namespace todoku::store::sqlite
