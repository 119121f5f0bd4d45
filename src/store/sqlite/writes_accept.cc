// SPDX-License-Identifier: Apache-2.0
// Accept (store/work.h): transactions, stored, started and leased in one step.
#include <map>

#include <fmt/format.h>

#include "store/settling.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/recipient_appender.h"
#include "store/sqlite/transactions.h"
#include "store/texts.h"

namespace todoku::store::sqlite {

// Whether a node may be given work now: one that lapsed would not begin it.
Result<bool> SqliteWriteTransaction::node_lives(NodeKey node) {
  if (node == kNobody) return false;
  auto query = db_.query("SELECT 1 FROM nodes WHERE key = ? AND void = 0 AND lease_until > ?");
  query.bind(node, now_);
  const bool lives = query.next();
  if (query.failed()) return fail(query.error());
  return lives;
}

// Why its recipients are stopped, in their order; what comes of it is told to the delivery.
Result<std::vector<std::optional<StopReason>>> SqliteWriteTransaction::stops_for(
    const Accept& accept, Delivery& made) {
  std::vector<std::optional<StopReason>> stopped;
  stopped.reserve(accept.recipients.size());
  const Purpose purpose = purpose_of(made.labels.purpose, made.type);
  for (const NewRecipient& recipient : accept.recipients) {
    const auto reason =
        queries_.stopped(made.account, recipient.address, purpose, made.labels.list_id);
    if (!reason) return fail(reason.error());
    if (*reason) ++made.counts.dropped;
    stopped.push_back(*reason);
  }
  if (made.counts.dropped == made.counts.total) {
    made.status = DeliveryStatus::sent;
    made.finished = now_;
  }
  return stopped;
}

Result<Accepted> SqliteWriteTransaction::accept(Accept& accept, NodeKey holder) {
  if (accept.delivery.relayed_data) {
    auto found = find_relayed(*accept.delivery.relayed_data);
    if (!found) return fail(std::move(found.error()));
  }
  const auto size = static_cast<std::int64_t>(accept.recipients.size());
  const auto number =
      counters_.take_numbers((size + kBatchRecipientsMax - 1) / kBatchRecipientsMax);
  if (!number) return fail(number.error());
  auto made = new_delivery(accept.delivery, *number);
  if (!made) return fail(std::move(made.error()));
  made->status = DeliveryStatus::sending;
  made->started = now_;
  made->expires = now_ + accept.life_time;
  made->signing = accept.signing;
  made->counts.total = size;
  const auto stopped = stops_for(accept, *made);
  if (!stopped) return fail(stopped.error());
  Result<void> done;
  if (accept.idempotency) {
    accept.idempotency->answer = made->id;
    done = keep_answer(*accept.idempotency);
  }
  if (done) done = insert_delivery(*made, accept.delivery, std::nullopt);
  if (done) done = insert_content(*made, accept.delivery);
  if (!done) return fail(std::move(done.error()));
  for (std::int64_t i = 0; i < size; ++i) {
    events_.add(made->account, accepted_event(made->key, i, now_));
  }
  RecipientAppender appender(*this, made->key, made->account, 0, made->traffic);
  Accepted accepted;
  done = appender.append_transaction(accept, *stopped, holder, accepted);
  if (!done) return fail(std::move(done.error()));
  if (made->finished) {
    events_.add(made->account, event_of_many(EventKind::delivery_finished, made->key, size, now_));
  }
  if (made->traffic == TrafficClass::transactional) waiting_ += size - made->counts.dropped;
  accepted.delivery = std::move(*made);
  return accepted;
}

Result<void> SqliteWriteTransaction::perform(Together<Accept> items) {
  std::optional<NodeKey> asked;
  bool lives = false;
  std::map<AccountKey, std::int64_t> mails;
  for (Pending<Accept>* const item : items) {
    if (auto sound = check_sound(item->op); !sound) {
      item->answer = fail(std::move(sound.error()));
      continue;
    }
    if (asked != item->op.holder) {
      asked = item->op.holder;
      const auto known = node_lives(*asked);
      if (!known) return fail(known.error());
      lives = *known;
    }
    auto accepted = accept(item->op, lives ? *asked : kNobody);
    // Refused before anything was written: the account or its octets are not there, or a repeat's
    // answer is.
    if (!accepted && accepted.error().kind != ErrorKind::not_found &&
        accepted.error().kind != ErrorKind::conflict) {
      return fail(std::move(accepted.error()));
    }
    if (accepted) mails[item->op.delivery.account] += accepted->delivery.counts.total;
    item->answer = std::move(accepted);
  }
  for (const auto& [account, count] : mails) {
    auto counted = count_usage(account, count);
    if (!counted) return counted;
  }
  return {};
}

}  // namespace todoku::store::sqlite
