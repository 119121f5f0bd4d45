// SPDX-License-Identifier: Apache-2.0
// Accept (store/work.h): transactions, stored, started and leased in one step: one flight, one
// commit. Of several with one idempotency key the unique key of their answers lets one in: the
// flight that comes second is refused as a whole, and flies again without those that have an answer
// already.
#include <bit>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "store/batching.h"
#include "store/postgres/contents.h"
#include "store/postgres/event_sheets.h"
#include "store/postgres/hot.h"
#include "store/postgres/marks.h"
#include "store/postgres/stops.h"
#include "store/records.h"
#include "store/settling.h"
#include "store/texts.h"
#include "store/usages.h"

namespace todoku::store::postgres {
namespace {

// Against being made void until this is committed: then what it is given is seen by whoever offers
// its work again. Its renewal is another row.
const Sql kHoldNodes{"accept: hold nodes",
                     "SELECT key FROM nodes WHERE key = ANY($1) ORDER BY key FOR SHARE"};
const Sql kInsertDeliveries{
    "accept: deliveries",
    "INSERT INTO deliveries(key, account, id, type, traffic, status, deleted, at_most_once,"
    " created, updated, started, expires, total, delivered, bounced, dropped, expired, cancelled,"
    " unknown, deferred, signing, failure_reason, purpose, list_id, tags, credential)"
    " SELECT u.key, account, id, type, traffic, 5, 0, once, now, now, now, now + life, total,"
    " 0, 0, 0, 0, 0, 0, 0, signing, '', purpose, list_id, tags, credential"
    " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],"
    " $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::text[],"
    " $13::text[], $14::text[])"
    " u(key, account, id, type, traffic, once, life, total, signing, purpose, list_id, tags,"
    " credential),"
    " (SELECT " STORE_NOW " AS now) clock"};
// Given to its node if that lives; else due for anybody, at once or in a while.
const Sql kInsertBatches{
    "accept: batches",
    "INSERT INTO batches(number, delivery, account, traffic, domain, first_email_id, capacity,"
    " size, removed, open, created, ready_at, token, holder, losses, begun, underway)"
    " SELECT u.number, u.delivery, u.account, u.traffic, u.domain, u.email, u.size, u.size, 0,"
    " u.size, now, CASE WHEN live.key IS NULL THEN now + u.due_in END,"
    " CASE WHEN live.key IS NULL THEN 0 ELSE 1 END, coalesce(live.key, 0), 0, 0,"
    " CASE WHEN live.key IS NOT NULL AND u.traffic = 0 THEN -1 ELSE 0 END"
    " FROM (SELECT " STORE_NOW
    " AS now) clock CROSS JOIN"
    " unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],"
    " $8::bigint[], $9::bigint[], $10::bigint[])"
    " u(number, delivery, account, traffic, domain, email, size, node, due_in)"
    " LEFT JOIN (SELECT n.key, l.until FROM nodes n JOIN node_leases l ON l.node = n.key"
    " WHERE n.void = 0) live ON live.key = u.node AND live.until > now"
    " RETURNING delivery, holder, created"};
const Sql kInsertRecipients{
    "accept: recipients",
    "INSERT INTO recipients(batch, seq, address, hash, codes)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[])"};
// The place of one that is not kept any more is free.
const Sql kDropOldAnswers{"accept: old answers",
                          "DELETE FROM kept_answers WHERE key = ANY($2) AND until <= " STORE_NOW};
const Sql kKeepAnswers{
    "accept: answers",
    "INSERT INTO kept_answers(key, account, route, fingerprint, answer, until)"
    " SELECT u.key, u.account, u.route, u.fingerprint, u.answer,"
    " greatest(now, coalesce(u.begins, now)) + $8"
    " FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[])"
    " u(key, account, route, fingerprint, answer, begins),"
    " (SELECT " STORE_NOW " AS now) clock"};
const Sql kKeptAnswers{"accept: kept answers",
                       "SELECT key, account, route FROM kept_answers WHERE key = ANY($2)"
                       " AND until > " STORE_NOW};
// Another transaction that accepts has another slot, mostly: none waits for this row, which is the
// last that is locked.
const Sql kCountUsages{
    "accept: usages",
    "INSERT INTO usages(account, month, slot, mails, updated) SELECT account, to_char("
    "to_timestamp(" STORE_NOW
    " / 1000 + 32400) AT TIME ZONE 'UTC', 'YYYYMM')::bigint, $4::bigint, mails, " STORE_NOW
    " FROM unnest($2::bigint[], $3::bigint[]) u(account, mails)"
    " ON CONFLICT(account, month, slot) DO UPDATE SET mails = usages.mails + excluded.mails,"
    " updated = greatest(usages.updated, excluded.updated)"};
// Of what is stored already.
const Sql kStored{"accept: stored",
                  "SELECT b.delivery, CASE WHEN b.token = 1 THEN b.holder ELSE 0 END, d.created"
                  " FROM unnest($1::bigint[]) u(key) JOIN deliveries d ON d.key = u.key"
                  " JOIN batches b ON b.number = u.key"};

const Sql kStoredDropped{
    "accept: stored, dropped",
    "SELECT p.batch, p.seq FROM unnest($1::bigint[]) u(key) JOIN deliveries d ON d.key = u.key"
    " AND d.dropped > 0 CROSS JOIN LATERAL (SELECT batch, seq FROM progress"
    " WHERE batch BETWEEN u.key AND u.key + (d.total - 1) / 500 AND state = 4 OFFSET 0) p"};

const Sql kOpenRelayed{"accept: open relayed",
                       "SELECT key, octets FROM relayed WHERE key = ANY($1) AND delivery = 0"
                       " AND gone = 0"};

struct AcceptColumns {
  CommitEvents events;
  Column key{kInt8}, account{kInt8}, id{kInt8}, type{kInt8}, traffic{kInt8}, once{kInt8},
      life{kInt8}, total{kInt8}, signing{kText}, purpose{kInt8}, list_id{kText}, tags{kText},
      credential{kText};
  Column number{kInt8}, delivery{kInt8}, owner{kInt8}, batch_traffic{kInt8}, domain{kText},
      email{kInt8}, size{kInt8}, node{kInt8}, due_in{kInt8};
  Column batch{kInt8}, seq{kInt8}, address{kText}, hash{kInt8}, codes{kBytea};
  MarkColumns marks;
  ContentColumns contents;
};

// By key, so that two flights with the same keys wait in one order.
using KeyedIds = std::map<IdempotencyKey, std::pair<const IdempotencyRecord*, PublicId>>;

void add_answers(Link& link, Told told, const KeyedIds& keyed) {
  Column key(kBytea);
  Column account(kInt8);
  Column route(kInt8);
  Column fingerprint(kBytea);
  Column answer(kInt8);
  Column begins(kInt8);
  for (const auto& [its_key, kept] : keyed) {
    const auto& [record, id] = kept;
    key.add(Octets{as_text(its_key.hash)});
    account.add(its_key.account);
    route.add(its_key.route);
    fingerprint.add(Octets{as_text(record->fingerprint)});
    answer.add(id);
    begins.add(record->begins);
  }
  link.add(kDropOldAnswers, Params() << told << key)
      .add(kKeepAnswers, Params() << told << key << account << route << fingerprint << answer
                                  << begins << kAnswersKept);
}

std::unexpected<Error> has_an_answer() {
  return fail(ErrorKind::conflict, "an answer is kept under this key");
}

Result<void> add_batches(const Accept& item, Accepted& answer, PublicId first_email,
                         const AddressHash& hash, AcceptColumns& columns) {
  NoDictionary dictionary;
  std::string codes;
  const std::string_view domain = common_domain(item.recipients);
  std::span<const NewRecipient> rest = item.recipients;
  for (std::int64_t number = number_of(answer.delivery.key); !rest.empty(); ++number) {
    const auto part =
        rest.first(std::min(rest.size(), static_cast<std::size_t>(kBatchRecipientsMax)));
    rest = rest.subspan(part.size());
    LeasedBatch& lease = answer.batches.emplace_back();
    lease.key = batch_key(number_of(answer.delivery.key), number);
    lease.account = item.delivery.account;
    lease.traffic = item.delivery.traffic;
    lease.domain = domain;
    lease.node = item.holder;
    lease.token = 1;
    lease.expires_in = item.life_time;
    lease.credential = item.delivery.credential().value_or("");
    columns.number.add(number);
    columns.delivery.add(answer.delivery.key);
    columns.owner.add(item.delivery.account);
    columns.batch_traffic.add(item.delivery.traffic);
    columns.domain.add(domain);
    columns.email.add(first_email);
    columns.size.add(part.size());
    columns.node.add(item.holder);
    columns.due_in.add(item.due_in);
    first_email += static_cast<PublicId>(part.size());
    for (std::uint32_t seq = 0; seq < part.size(); ++seq) {
      auto packed = pack_codes(dictionary, part[seq].insert_codes, codes);
      if (!packed) return packed;
      columns.batch.add(number);
      columns.seq.add(seq);
      columns.address.add(stored_address(part[seq].address, domain));
      columns.hash.add(std::bit_cast<std::int64_t>(hash(part[seq].address)));
      columns.codes.add(codes.empty() ? std::nullopt : std::optional(Octets{codes}));
      columns.marks.add(hash, item.delivery.account, number, seq, part[seq].insert_codes);
      lease.recipients.push_back({seq, part[seq].address, part[seq].insert_codes, 0});
    }
  }
  return {};
}

Result<Accepted> add_accept(const Accept& item, TakenIds& ids, const AddressHash& hash,
                            AcceptColumns& columns) {
  const AccountKey account = item.delivery.account;
  const auto size = static_cast<std::int64_t>(item.recipients.size());
  const auto id = ids.take(account, IdKind::delivery, 1);
  const auto email = ids.take(account, IdKind::email, size);
  if (!id || !email) return fail(ErrorKind::not_found, "there is no such account");
  Accepted answer;
  Delivery& made = answer.delivery;
  made.key = DeliveryKey{ids.take_numbers((size + kBatchRecipientsMax - 1) / kBatchRecipientsMax)};
  made.account = account;
  made.id = *id;
  made.type = item.delivery.type;
  made.traffic = item.delivery.traffic;
  made.status = DeliveryStatus::sending;
  made.at_most_once = item.delivery.at_most_once;
  made.labels = item.delivery.labels;
  made.signing = item.signing;
  made.counts.total = size;
  columns.key.add(made.key);
  columns.account.add(account);
  columns.id.add(*id);
  columns.type.add(made.type);
  columns.traffic.add(made.traffic);
  columns.once.add(made.at_most_once);
  columns.life.add(item.life_time);
  columns.total.add(size);
  columns.signing.add(item.signing);
  columns.purpose.add(made.labels.purpose);
  columns.list_id.add(std::string_view(made.labels.list_id));
  columns.tags.add(std::string_view(joined_tags(made.labels.tags)));
  columns.credential.add(item.delivery.credential());
  const auto attachments = static_cast<std::int64_t>(item.delivery.content.attachments.size());
  const std::int64_t first_attachment = attachments > 0 ? ids.take_numbers(attachments) : 0;
  columns.contents.add(made, item.delivery, first_attachment);
  for (std::int64_t i = 0; i < size; ++i) {
    // The commit's instant is the server's to say.
    columns.events.add(account, accepted_event(made.key, i, Instant{}));
  }
  auto done = add_batches(item, answer, *email, hash, columns);
  if (!done) return fail(std::move(done.error()));
  return answer;
}

IdNeeds needs_of(Together<Accept> items) {
  IdNeeds needs;
  for (const Pending<Accept>* const item : items) {
    const auto size = static_cast<std::int64_t>(item->op.recipients.size());
    needs.add(item->op.delivery.account, IdKind::delivery, 1);
    needs.add(item->op.delivery.account, IdKind::email, size);
    needs.numbers += (size + kBatchRecipientsMax - 1) / kBatchRecipientsMax +
                     static_cast<std::int64_t>(item->op.delivery.content.attachments.size());
  }
  return needs;
}

}  // namespace

// PostgreSQL's documentation, appendix A: unique_violation.
constexpr std::string_view kUniqueViolation = "23505";

Result<void> Flight<Accept>::perform(Hot& hot, std::int64_t token) {
  for (Pending<Accept>* const item : items_) {
    if (auto checked = check_sound(item->op); !checked) {
      item->answer = fail(std::move(checked.error()));
    } else {
      flying_.push_back(item);
    }
  }
  while (true) {
    auto done = fly(hot, token);
    if (done) return done;
    const auto& state = hot.link.failure().state;
    if (state != kUniqueViolation && state != kRelayedMissing) return done;
    const auto left_out =
        state == kUniqueViolation ? leave_out_repeats(hot) : leave_out_missing(hot);
    if (!left_out) return fail(left_out.error());
    if (!*left_out) return done;
    hot.link.forget_failure();
  }
}

Result<bool> Flight<Accept>::leave_out_repeats(Hot& hot) {
  Column keys(kBytea);
  for (const Pending<Accept>* const item : flying_) {
    if (item->op.idempotency) keys.add(Octets{as_text(item->op.idempotency->key.hash)});
  }
  if (keys.empty()) return false;
  const auto kept = hot.link.fly_one(kKeptAnswers, Params() << hot.told << keys, hot.flight_max);
  if (!kept) return fail(kept.error());
  const auto has_answer = [&](const Pending<Accept>* item) {
    if (!item->op.idempotency) return false;
    const IdempotencyKey& key = item->op.idempotency->key;
    for (int row = 0; row < kept->size(); ++row) {
      if (kept->text(row, 0) == as_text(key.hash) && kept->integer(row, 1) == stored(key.account) &&
          kept->integer(row, 2) == stored(key.route)) {
        return true;
      }
    }
    return false;
  };
  const auto left_out = std::erase_if(flying_, [&](Pending<Accept>* item) {
    if (!has_answer(item)) return false;
    item->answer = has_an_answer();
    return true;
  });
  return left_out > 0;
}

Result<bool> Flight<Accept>::leave_out_missing(Hot& hot) {
  Column keys(kInt8);
  for (const Pending<Accept>* const item : flying_) {
    if (item->op.delivery.relayed_data) keys.add(item->op.delivery.relayed_data->key);
  }
  const auto open = hot.link.fly_one(kOpenRelayed, Params() << keys, hot.flight_max);
  if (!open) return fail(open.error());
  std::map<std::int64_t, std::int64_t> octets;
  for (int row = 0; row < open->size(); ++row)
    octets[open->integer(row, 0)] = open->integer(row, 1);
  const auto left_out = std::erase_if(flying_, [&](Pending<Accept>* item) {
    const auto& data = item->op.delivery.relayed_data;
    if (!data) return false;
    const auto found = octets.find(static_cast<std::int64_t>(data->key));
    if (found != octets.end() && found->second == static_cast<std::int64_t>(data->octets)) {
      return false;
    }
    item->answer = octets_are_gone();
    return true;
  });
  return left_out > 0;
}

Result<void> Flight<Accept>::fly(Hot& hot, std::int64_t token) {
  if (flying_.empty()) return {};
  auto ids = hot.ids.take(hot.link, needs_of(flying_), hot.flight_max);
  if (!ids) return fail(std::move(ids.error()));
  AcceptColumns c;
  KeyedIds keyed;
  std::set<RelayedKey> relayed;
  std::set<NodeKey> holders;
  std::map<AccountKey, std::int64_t> mails;
  std::map<std::int64_t, DeliveryKey> batches;
  by_key_.clear();
  for (Pending<Accept>* const item : flying_) {
    const auto& record = item->op.idempotency;
    if (record && keyed.contains(record->key)) {
      item->answer = has_an_answer();
      continue;
    }
    if (const auto& data = item->op.delivery.relayed_data;
        data && !relayed.insert(data->key).second) {
      item->answer = octets_are_gone();
      continue;
    }
    auto added = add_accept(item->op, *ids, hot.hash, c);
    if (!added && added.error().kind != ErrorKind::not_found) return fail(std::move(added.error()));
    item->answer = std::move(added);
    if (!item->answer) continue;
    if (record) keyed[record->key] = {&*record, item->answer->delivery.id};
    const DeliveryKey key = item->answer->delivery.key;
    by_key_[number_of(key)] = item;
    for (const LeasedBatch& batch : item->answer->batches) batches[batch_number(batch.key)] = key;
    holders.insert(item->op.holder);
    mails[item->op.delivery.account] += item->answer->delivery.counts.total;
  }
  if (by_key_.empty()) return {};
  Column held(kInt8);
  for (const NodeKey holder : holders) held.add(holder);
  Column users(kInt8);
  Column used(kInt8);
  for (const auto& [account, count] : mails) {
    users.add(account);
    used.add(count);
  }
  add_begin(hot.link, token, hot.told, limits_within(hot.flight_max));
  if (!keyed.empty()) add_answers(hot.link, hot.told, keyed);
  hot.link.add(kHoldNodes, Params() << held)
      .add(kInsertDeliveries, Params() << hot.told << c.key << c.account << c.id << c.type
                                       << c.traffic << c.once << c.life << c.total << c.signing
                                       << c.purpose << c.list_id << c.tags << c.credential);
  c.contents.add_statements(hot.link, hot.told);
  add_events(hot.link, c.events, hot.told, Instant{});
  c.marks.add_statement(hot.link);
  hot.link.add(kInsertRecipients, Params() << c.batch << c.seq << c.address << c.hash << c.codes)
      .add(kInsertBatches, Params()
                               << hot.told << c.number << c.delivery << c.owner << c.batch_traffic
                               << c.domain << c.email << c.size << c.node << c.due_in);
  add_drop_stopped(hot.link, hot.told, batches, std::nullopt);
  const auto answers =
      hot.link
          .add(kCountUsages, Params() << hot.told << users << used << (token & (kUsageSlots - 1)))
          .add(kCommit)
          .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  take_dropped((*answers)[answers->size() - 3]);
  take_answer((*answers)[answers->size() - 4]);
  return {};
}

void Flight<Accept>::take_dropped(const Table& dropped) {
  std::map<std::int64_t, std::pair<Accepted*, LeasedBatch*>> batches;
  if (dropped.empty()) return;
  for (const auto& [key, item] : by_key_) {
    for (LeasedBatch& batch : item->answer->batches) {
      batches[batch_number(batch.key)] = {&*item->answer, &batch};
    }
  }
  for (int row = 0; row < dropped.size(); ++row) {
    const auto found = batches.find(dropped.integer(row, 0));
    if (found == batches.end()) continue;
    auto& [answer, batch] = found->second;
    const auto seq = static_cast<std::uint32_t>(dropped.integer(row, 1));
    std::erase_if(batch->recipients,
                  [&](const LeasedRecipient& recipient) { return recipient.seq == seq; });
    DeliveryCounts& counts = answer->delivery.counts;
    if (++counts.dropped == counts.total) answer->delivery.status = DeliveryStatus::sent;
  }
}

// Of a delivery without a node that lives nothing is leased.
void Flight<Accept>::take_answer(const Table& batches) {
  for (int row = 0; row < batches.size(); ++row) {
    Pending<Accept>& item = *by_key_.at(batches.integer(row, 0));
    Accepted& answer = *item.answer;
    Delivery& made = answer.delivery;
    made.created = made.updated = batches.instant(row, 2);
    made.started = made.created;
    made.expires = made.created + item.op.life_time;
    if (made.status == DeliveryStatus::sent) made.finished = made.created;
    for (AttachmentRecord& attachment : made.attachments) attachment.created = made.created;
    std::erase_if(answer.batches,
                  [](const LeasedBatch& batch) { return batch.recipients.empty(); });
    if (batches.integer(row, 1) != 0 || answer.batches.empty()) continue;
    for (const LeasedBatch& batch : answer.batches) answer.waiting.push_back(batch.key);
    answer.batches.clear();
  }
}

Result<void> Flight<Accept>::answer_stored(Hot& hot, std::int64_t /*token*/) {
  Column keys(kInt8);
  for (const auto& [key, item] : by_key_) keys.add(key);
  const auto answers = hot.link.add(kStoredDropped, Params() << keys)
                           .add(kStored, Params() << keys)
                           .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  take_dropped(answers->front());
  take_answer(answers->back());
  return {};
}

}  // namespace todoku::store::postgres
