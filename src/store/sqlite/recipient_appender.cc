// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/recipient_appender.h"

#include <algorithm>

#include "store/batching.h"
#include "store/logs.h"
#include "store/numbers.h"
#include "store/records.h"
#include "store/settling.h"
#include "store/sqlite/keys.h"

namespace todoku::store::sqlite {

Result<std::vector<PublicId>> RecipientAppender::append(std::span<const NewRecipient> recipients,
                                                        std::int64_t present) {
  std::vector<PublicId> ids(recipients.size());
  const auto groups = grouped_by_domain(recipients);
  for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
    const std::string_view domain = recipients[groups[i].front()].domain;
    auto done = append_group(recipients, groups[i], domain, ids);
    if (!done) return fail(std::move(done.error()));
  }
  const Places& rest = groups.back();
  auto done = rest.size() >= kOwnBatchMin
                  ? append_group(recipients, rest, {}, ids)
                  : append_singly(recipients, rest,
                                  present + static_cast<std::int64_t>(recipients.size()), ids);
  if (done) done = transaction_.count_domains(section_, tally_domains(recipients));
  if (!done) return fail(std::move(done.error()));
  return ids;
}

Result<void> RecipientAppender::append_group(std::span<const NewRecipient> recipients,
                                             std::span<const std::uint32_t> group,
                                             std::string_view domain, std::vector<PublicId>& ids) {
  for (const auto part : cut_into_batches(group)) {
    const auto size = static_cast<std::int64_t>(part.size());
    const auto batch = new_batch(domain, size, size);  // with no room left
    if (!batch) return fail(batch.error());
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto seq = static_cast<std::int64_t>(i);
      auto done = insert_recipient(*batch, seq, recipients[part[i]]);
      if (!done) return done;
      ids[part[i]] = batch->first_email_id + seq;
    }
  }
  return {};
}

Result<void> RecipientAppender::append_singly(std::span<const NewRecipient> recipients,
                                              std::span<const std::uint32_t> group,
                                              std::int64_t present, std::vector<PublicId>& ids) {
  while (!group.empty()) {
    auto batch = open_batch(present);
    if (!batch) return fail(std::move(batch.error()));
    const auto room = static_cast<std::size_t>(batch->capacity - batch->size);
    const auto part = group.first(std::min(room, group.size()));
    group = group.subspan(part.size());
    for (const std::uint32_t index : part) {
      const std::int64_t row = recipient_row(batch->number, batch->size);
      auto done = insert_recipient(*batch, batch->size, recipients[index]);
      if (!done) return done;
      // The address index may have passed this batch already.
      done = transaction_.remember_address(row, recipients[index].address);
      if (!done) return done;
      ids[index] = batch->first_email_id + batch->size;
      ++batch->size;
    }
    const auto ready =
        traffic_ == TrafficClass::bulk ? std::optional<std::int64_t>(0) : std::nullopt;
    auto done = transaction_.connection()
                    .query(
                        "UPDATE batches SET size = ?, open = open + ?, ready_at = ?"
                        " WHERE number = ?")
                    .bind(batch->size, part.size(), ready, batch->number)
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<BatchRow> RecipientAppender::open_batch(std::int64_t present) {
  Connection& db = transaction_.connection();
  std::int64_t number = 0;
  {
    auto query = db.query("SELECT open_batch FROM sections WHERE id = ?");
    query.bind(section_);
    if (query.next()) number = query.integer(0);
    if (query.failed()) return fail(query.error());
  }
  if (number != 0) {
    auto batch = transaction_.queries_.batch(number);
    if (!batch) return fail(std::move(batch.error()));
    if (*batch && (*batch)->size < (*batch)->capacity) return std::move(**batch);
  }
  const std::int64_t capacity = std::clamp(present, kOpenBatchMin, kBatchRecipientsMax);
  auto batch = new_batch({}, capacity, 0);
  if (!batch) return batch;
  auto done = db.query("UPDATE sections SET open_batch = ? WHERE id = ?")
                  .bind(batch->number, section_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return batch;
}

Result<BatchRow> RecipientAppender::new_batch(std::string_view domain, std::int64_t capacity,
                                              std::int64_t size) {
  const auto number = transaction_.counters_.take_numbers(1);
  if (!number) return fail(number.error());
  if (!is_near(delivery_, *number)) {
    return fail(ErrorKind::limit_exceeded, "this draft is too old to be added to; make a new one");
  }
  const auto email = transaction_.counters_.take_ids(account_, IdKind::email, capacity);
  if (!email) return fail(email.error());
  BatchRow batch;
  batch.number = *number;
  batch.domain = domain;
  batch.first_email_id = *email;
  batch.capacity = capacity;
  batch.size = size;
  batch.open = size;
  if (traffic_ == TrafficClass::bulk && size > 0) batch.ready_at = from_epoch_ms(0);
  auto done = insert_batch(batch);
  if (!done) return fail(std::move(done.error()));
  return batch;
}

Result<void> RecipientAppender::insert_batch(const BatchRow& batch) {
  const auto section = section_ == 0 ? std::nullopt : std::optional(section_);
  return transaction_.connection()
      .query(
          "INSERT INTO batches(number, delivery, account, section, traffic, domain,"
          " first_email_id, capacity, size, removed, open, created, ready_at, token, holder,"
          " underway) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)")
      .bind(batch.number, delivery_, account_, section, traffic_, std::string_view(batch.domain),
            batch.first_email_id, batch.capacity, batch.size, batch.open, transaction_.now_,
            batch.ready_at, batch.token, batch.holder,
            static_cast<std::int64_t>(batch.holder == kNobody ? 0 : begun_when_leased(traffic_)))
      .run();
}

Result<void> RecipientAppender::insert_recipient(const BatchRow& batch, std::int64_t seq,
                                                 const NewRecipient& recipient) {
  auto packed = pack_codes(transaction_.queries_.dictionary(), recipient.insert_codes, codes_);
  if (!packed) return packed;
  transaction_.addresses_written_.fetch_add(1, std::memory_order_relaxed);
  const auto codes = codes_.empty() ? std::nullopt : std::optional(Blob{codes_});
  // A batch is filled over time; its own instant is that of its first recipients.
  const Instant now = transaction_.now_;
  const auto created =
      batch.created == now || batch.created == Instant{} ? std::nullopt : std::optional(now);
  return transaction_.connection()
      .query("INSERT INTO recipients(id, address, codes, created) VALUES(?, ?, ?, ?)")
      .bind(recipient_row(batch.number, seq), stored_address(recipient.address, batch.domain),
            codes, created)
      .run();
}

// What an outcome of this kind brings (writes_settle.cc), of one that is just accepted.
Result<void> RecipientAppender::insert_dropped(const BatchRow& batch, std::int64_t seq,
                                               StopReason reason) {
  const OutcomeRecord dropped{
      .key = {delivery_, batch_key(number_of(delivery_), batch.number).batch,
              static_cast<std::uint32_t>(seq)},
      .outcome = dropped_for(reason),
      .path = {}};
  std::string history;
  auto done = append_history(transaction_.queries_.dictionary(),
                             {.at = transaction_.now_,
                              .duration = {},
                              .state = RecipientState::dropped,
                              .outcome = dropped.outcome,
                              .path = {}},
                             history);
  if (!done) return done;
  done = transaction_.connection()
             .query("INSERT INTO progress(id, info, due, history) VALUES(?, ?, NULL, ?)")
             .bind(recipient_row(batch.number, seq),
                   static_cast<std::int64_t>(RecipientState::dropped), Blob{history})
             .run();
  if (!done) return done;
  transaction_.events_.add(account_,
                           event_of(dropped, RecipientState::dropped, 0, transaction_.now_));
  return transaction_.keep_not_sent(account_, batch.first_email_id + seq, RecipientState::pending,
                                    RecipientState::dropped, log_code(dropped.outcome));
}

Result<void> RecipientAppender::append_transaction(
    const Accept& accept, std::span<const std::optional<StopReason>> stopped, NodeKey holder,
    Accepted& accepted) {
  std::span<const NewRecipient> recipients = accept.recipients;
  const std::string_view domain = common_domain(recipients);
  const auto first = transaction_.counters_.take_ids(account_, IdKind::email,
                                                     static_cast<std::int64_t>(recipients.size()));
  if (!first) return fail(first.error());
  PublicId email = *first;
  for (std::int64_t number = number_of(delivery_); !recipients.empty(); ++number) {
    const auto part = recipients.first(
        std::min(recipients.size(), static_cast<std::size_t>(kBatchRecipientsMax)));
    const auto stops = stopped.first(part.size());
    recipients = recipients.subspan(part.size());
    stopped = stopped.subspan(part.size());
    BatchRow batch;
    batch.number = number;
    batch.domain = domain;
    batch.first_email_id = email;
    batch.capacity = batch.size = batch.open = static_cast<std::int64_t>(part.size());
    batch.open -= std::ranges::count_if(stops, [](const auto& stop) { return stop.has_value(); });
    const bool leased = holder != kNobody && batch.open > 0;
    batch.token = leased ? 1 : 0;
    batch.holder = leased ? holder : kNobody;
    if (!leased && batch.open > 0) batch.ready_at = transaction_.now_ + accept.due_in;
    auto done = insert_batch(batch);
    if (!done) return done;
    for (std::size_t i = 0; i < part.size(); ++i) {
      done = insert_recipient(batch, static_cast<std::int64_t>(i), part[i]);
      if (done && stops[i]) done = insert_dropped(batch, static_cast<std::int64_t>(i), *stops[i]);
      if (!done) return done;
    }
    email += batch.size;
    if (batch.open == 0) continue;
    const BatchKey key = batch_key(number_of(delivery_), batch.number);
    if (!leased) {
      accepted.waiting.push_back(key);
      continue;
    }
    LeasedBatch& lease = accepted.batches.emplace_back();
    lease.key = key;
    lease.account = account_;
    lease.traffic = traffic_;
    lease.domain = batch.domain;
    lease.node = holder;
    lease.token = batch.token;
    lease.expires_in = accept.life_time;
    lease.credential = accept.delivery.credential().value_or("");
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (stops[i]) continue;
      lease.recipients.push_back(
          {static_cast<std::uint32_t>(i), part[i].address, part[i].insert_codes, 0});
    }
  }
  return {};
}

}  // namespace todoku::store::sqlite
