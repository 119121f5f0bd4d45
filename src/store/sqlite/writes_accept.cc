// SPDX-License-Identifier: Apache-2.0
// Accept (store/work.h): transactions, stored, started and leased in one step.
#include <fmt/format.h>

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

Result<Accepted> SqliteWriteTransaction::accept(Accept& accept, NodeKey holder) {
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
  std::vector<std::optional<StopReason>> stopped;
  stopped.reserve(accept.recipients.size());
  const Purpose purpose = purpose_of(made->labels.purpose, made->type);
  for (const NewRecipient& recipient : accept.recipients) {
    auto reason = queries_.stopped(made->account, recipient.address, purpose, made->labels.list_id);
    if (!reason) return fail(std::move(reason.error()));
    if (*reason) ++made->counts.dropped;
    stopped.push_back(*reason);
  }
  if (made->counts.dropped == size) {
    made->status = DeliveryStatus::sent;
    made->finished = now_;
  }
  auto done = insert_delivery(*made);
  if (done) done = insert_content(*made, accept.delivery.content);
  if (!done) return fail(std::move(done.error()));
  RecipientAppender appender(*this, made->key, made->account, 0, made->traffic);
  Accepted accepted;
  done = appender.append_transaction(accept, stopped, holder, accepted);
  if (!done) return fail(std::move(done.error()));
  if (made->traffic == TrafficClass::transactional) {
    waiting_ += size - made->counts.dropped;
  }
  accepted.delivery = std::move(*made);
  return accepted;
}

Result<void> SqliteWriteTransaction::perform(Together<Accept> items) {
  std::optional<NodeKey> asked;
  bool lives = false;
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
    // Refused before anything was written: the account is not there.
    if (!accepted && accepted.error().kind != ErrorKind::not_found) {
      return fail(std::move(accepted.error()));
    }
    item->answer = std::move(accepted);
  }
  return {};
}

}  // namespace todoku::store::sqlite
