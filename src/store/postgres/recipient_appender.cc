// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/recipient_appender.h"

#include <algorithm>
#include <bit>

#include "store/numbers.h"
#include "store/postgres/domain_counts.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

// Locked, so that two who append at once fill its open batch one after the other. Where there is no
// section yet each may make one, which is as good: a draft may have several.
const Sql kLiveSection{"append: section",
                       "SELECT id, coalesce(open_batch, 0) FROM sections WHERE delivery = $1"
                       " AND state = 1 ORDER BY id LIMIT 1 FOR NO KEY UPDATE"};
const Sql kMakeSection{"append: make section",
                       "INSERT INTO sections(id, delivery, state)"
                       " VALUES($1, $2, 1)"};
const Sql kOpenBatch{"append: open batch", "SELECT " BATCH_ROW_COLUMNS
                                           " FROM batches b WHERE b.number = $1"
                                           " FOR NO KEY UPDATE"};
const Sql kSetOpenBatch{"append: set open batch",
                        "UPDATE sections SET open_batch = $2 WHERE id = $1"};
const Sql kInsertDraftBatches{
    "append: batches",
    "INSERT INTO batches(number, delivery, account, section, traffic, domain, first_email_id,"
    " capacity, size, removed, open, created, ready_at, token, holder, losses, begun)"
    " SELECT u.number, $1, $2, $3, $4::bigint, u.domain, u.email, u.capacity, u.size, 0, u.size, "
    "$5,"
    " CASE WHEN $4::bigint = 1 AND u.size > 0 THEN 0 END, 0, 0, 0, 0"
    " FROM unnest($6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])"
    " u(number, domain, email, capacity, size)"};
const Sql kFillBatch{"append: fill batch",
                     "UPDATE batches SET size = size + $2, open = open + $2,"
                     " ready_at = CASE WHEN traffic = 1 THEN 0 END WHERE number = $1"};
const Sql kInsertDraftRecipients{
    "append: recipients",
    "INSERT INTO recipients(batch, seq, address, hash, codes, created)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[],"
    " $6::bigint[])"};

}  // namespace

Result<void> RecipientAppender::find_section() {
  const auto id = session_.take_numbers(1);
  if (!id) return fail(id.error());
  const auto rows = session_.ask(kLiveSection, Params() << delivery_.key);
  if (!rows) return fail(rows.error());
  if (!rows->empty()) {
    section_ = rows->integer(0, 0);
    open_ = rows->integer(0, 1);
    return {};
  }
  section_ = *id;
  session_.add(kMakeSection, Params() << section_ << delivery_.key);
  return {};
}

Result<std::vector<PublicId>> RecipientAppender::append(std::span<const NewRecipient> recipients) {
  recipients_ = recipients;
  ids_.assign(recipients.size(), 0);
  auto done = find_section();
  if (!done) return fail(std::move(done.error()));
  const auto groups = grouped_by_domain(recipients);
  for (std::size_t i = 0; i + 1 < groups.size() && done; ++i) {
    done = append_group(groups[i], recipients[groups[i].front()].domain);
  }
  const Places& rest = groups.back();
  if (done) done = rest.size() >= kOwnBatchMin ? append_group(rest, {}) : append_singly(rest);
  // Counts come after batches and before the delivery, here and in changes.
  DomainColumns domains;
  const auto tallies = tally_domains(recipients);
  domains.add(section_, tallies);
  if (done) {
    domains.add_statements(session_);
    done = write();
  }
  if (!done) return fail(std::move(done.error()));
  return std::move(ids_);
}

Result<void> RecipientAppender::append_group(std::span<const std::uint32_t> group,
                                             std::string_view domain) {
  for (const auto part : cut_into_batches(group)) {
    const auto size = static_cast<std::int64_t>(part.size());
    const auto batch = new_batch(domain, size, size);  // with no room left
    if (!batch) return fail(batch.error());
    for (std::size_t i = 0; i < part.size(); ++i) {
      auto done = add_row(*batch, static_cast<std::int64_t>(i), part[i]);
      if (!done) return done;
    }
  }
  return {};
}

Result<void> RecipientAppender::append_singly(std::span<const std::uint32_t> group) {
  while (!group.empty()) {
    auto batch = open_batch();
    if (!batch) return fail(std::move(batch.error()));
    const auto room = static_cast<std::size_t>(batch->capacity - batch->size);
    const auto part = group.first(std::min(room, group.size()));
    group = group.subspan(part.size());
    for (const std::uint32_t place : part) {
      auto done = add_row(*batch, batch->size++, place);
      if (!done) return done;
    }
    // After the batch is there, and before the next is looked for.
    auto done = write();
    if (!done) return done;
    const auto filled = session_.ask(kFillBatch, Params() << batch->number << part.size());
    if (!filled) return fail(filled.error());
  }
  return {};
}

Result<BatchRow> RecipientAppender::open_batch() {
  if (open_ != 0) {
    const auto rows = session_.ask(kOpenBatch, Params() << open_);
    if (!rows) return fail(rows.error());
    if (!rows->empty()) {
      BatchRow batch = batch_in(*rows, 0, 0);
      if (batch.size < batch.capacity) return batch;
    }
  }
  const std::int64_t present =
      delivery_.counts.total + static_cast<std::int64_t>(recipients_.size());
  const std::int64_t capacity = std::clamp(present, kOpenBatchMin, kBatchRecipientsMax);
  auto batch = new_batch({}, capacity, 0);
  if (!batch) return batch;
  open_ = batch->number;
  session_.add(kSetOpenBatch, Params() << section_ << open_);
  return batch;
}

Result<BatchRow> RecipientAppender::new_batch(std::string_view domain, std::int64_t capacity,
                                              std::int64_t size) {
  const auto number = session_.take_numbers(1);
  if (!number) return fail(number.error());
  if (!is_near(delivery_.key, *number)) {
    return fail(ErrorKind::conflict, "this draft is too old to be added to; make a new one");
  }
  const auto email = session_.take_ids(delivery_.account, IdKind::email, capacity);
  if (!email) return fail(email.error());
  BatchRow batch;
  batch.number = *number;
  batch.domain = domain;
  batch.first_email_id = *email;
  batch.capacity = capacity;
  batch.size = size;
  batch.created = session_.now();
  number_.add(batch.number);
  domain_.add(domain);
  email_.add(batch.first_email_id);
  capacity_.add(capacity);
  size_.add(size);
  return batch;
}

Result<void> RecipientAppender::add_row(const BatchRow& batch, std::int64_t seq,
                                        std::uint32_t place) {
  const NewRecipient& recipient = recipients_[place];
  std::string codes;
  auto packed = pack_codes(session_.dictionary(), recipient.insert_codes, codes);
  if (!packed) return packed;
  batch_.add(batch.number);
  seq_.add(seq);
  address_.add(stored_address(recipient.address, batch.domain));
  hash_.add(std::bit_cast<std::int64_t>(session_.hash()(recipient.address)));
  codes_.add(codes.empty() ? std::nullopt : std::optional(Octets{codes}));
  marks_.add(session_.hash(), delivery_.account, batch.number, seq, recipient.insert_codes);
  // A batch is filled over time; its own instant is that of its first recipients.
  made_.add(batch.created == session_.now() ? std::nullopt : std::optional(session_.now()));
  ids_[place] = batch.first_email_id + seq;
  return {};
}

Result<void> RecipientAppender::write() {
  if (!number_.empty()) {
    session_.add(kInsertDraftBatches, Params() << delivery_.key << delivery_.account << section_
                                               << delivery_.traffic << session_.now() << number_
                                               << domain_ << email_ << capacity_ << size_);
  }
  if (!batch_.empty()) {
    session_.add(kInsertDraftRecipients,
                 Params() << batch_ << seq_ << address_ << hash_ << codes_ << made_);
  }
  marks_.add_statement(session_);
  number_ = email_ = capacity_ = size_ = Column(kInt8);
  batch_ = seq_ = hash_ = made_ = Column(kInt8);
  domain_ = address_ = Column(kText);
  codes_ = Column(kBytea);
  const auto done = session_.fly();
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
