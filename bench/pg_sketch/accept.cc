// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "merged.h"
#include "schema.h"

namespace todoku::pg_sketch {
namespace {

using store::Accept;
using store::Accepted;
using store::AccountKey;
using store::NodeKey;

constexpr std::size_t kBatchMax = 500;

// Against being made void until this is committed: then what it is given is seen by whoever offers
// its work again. Its renewal is another row.
const Sql kHoldNodes{"hold_nodes",
                     "SELECT key FROM nodes WHERE key = ANY($1) ORDER BY key FOR SHARE"};
const Sql kDeliveries{
    "accept_deliveries",
    "INSERT INTO deliveries(key, account, id, type, traffic, status, deleted, at_most_once, "
    "created,"
    " updated, started, expires, total, delivered, bounced, dropped, expired, cancelled, unknown,"
    " deferred, signing)"
    " SELECT key, account, id, type, traffic, 5, 0, once, now, now, now, now + life, total,"
    " 0, 0, 0, 0, 0, 0, 0, signing FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[])"
    " u(key, account, id, type, traffic, once, life, total, signing),"
    " (SELECT " PG_SKETCH_NOW " AS now) clock"};
const Sql kContents{
    "accept_contents",
    "INSERT INTO contents SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[],"
    " $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])"};
// Given to its node if that lives; else due at once, for anybody.
const Sql kBatches{
    "accept_batches",
    "INSERT INTO batches SELECT u.number, u.delivery, u.account, NULL, u.traffic, u.domain, "
    "u.email,"
    " u.size, 0, u.size, now, CASE WHEN live.key IS NULL THEN now END,"
    " CASE WHEN live.key IS NULL THEN 0 ELSE 1 END, coalesce(live.key, 0), 0"
    " FROM (SELECT " PG_SKETCH_NOW
    " AS now) clock CROSS JOIN"
    " unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[],"
    " $7::bigint[], $8::bigint[]) u(number, delivery, account, traffic, domain, email, size, node)"
    " LEFT JOIN (SELECT n.key, l.until FROM nodes n JOIN node_leases l ON l.node = n.key"
    " WHERE n.void = 0) live ON live.key = u.node AND live.until > now"
    " RETURNING delivery, holder, created"};
const Sql kRecipients{
    "accept_recipients",
    "INSERT INTO recipients SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[],"
    " $4::bytea[])"};

struct Columns {
  Column key{kInt8}, account{kInt8}, id{kInt8}, type{kInt8}, traffic{kInt8}, once{kInt8},
      life{kInt8}, total{kInt8}, signing{kText};
  Column from{kText}, from_name{kText}, headers{kBytea}, encode{kInt8}, mailto{kText}, url{kText},
      subject{kText}, text{kText}, html{kText};
  Column number{kInt8}, delivery{kInt8}, owner{kInt8}, batch_traffic{kInt8}, domain{kText},
      email{kInt8}, size{kInt8}, node{kInt8};
  Column batch{kInt8}, seq{kInt8}, address{kText}, codes{kBytea};
};

std::string pack_headers(const Content& content) {
  std::string packed;
  put_text(packed, content.reply_to ? content.reply_to->address : "");
  put_text(packed, content.reply_to ? content.reply_to->name : "");
  for (const auto& to : content.header_to) put_text(packed, to);
  put_text(packed, "");
  for (const auto& cc : content.header_cc) put_text(packed, cc);
  return packed;
}

std::int64_t number_of(auto key) {
  return static_cast<std::int64_t>(key);
}

void add_recipients(const Accept& item, Accepted& answer, std::int64_t first_email,
                    Columns& columns) {
  const auto& all = item.recipients;
  const bool one_domain = std::ranges::all_of(
      all, [&](const auto& recipient) { return recipient.domain == all.front().domain; });
  for (std::size_t begin = 0, index = 0; begin < all.size(); begin += kBatchMax, ++index) {
    const auto part = std::span(all).subspan(begin, std::min(kBatchMax, all.size() - begin));
    const std::int64_t number = number_of(answer.delivery.key) + static_cast<std::int64_t>(index);
    auto& lease = answer.batches.emplace_back();
    lease.key = {answer.delivery.key, static_cast<std::uint32_t>(index)};
    lease.account = item.delivery.account;
    lease.traffic = item.delivery.traffic;
    if (one_domain) lease.domain = part.front().domain;
    lease.node = item.holder;
    lease.token = 1;
    lease.expires_in = item.life_time;
    columns.number.add(number);
    columns.delivery.add(number_of(answer.delivery.key));
    columns.owner.add(number_of(item.delivery.account));
    columns.batch_traffic.add(number_of(item.delivery.traffic));
    columns.domain.add(lease.domain);
    columns.email.add(first_email + static_cast<std::int64_t>(begin));
    columns.size.add(static_cast<std::int64_t>(part.size()));
    columns.node.add(number_of(item.holder));
    for (std::uint32_t seq = 0; seq < part.size(); ++seq) {
      columns.batch.add(number);
      columns.seq.add(std::int64_t{seq});
      columns.address.add(part[seq].address);
      columns.codes.add(pack_codes(part[seq].insert_codes));
      lease.recipients.push_back({seq, part[seq].address, part[seq].insert_codes, 0});
    }
  }
}

Accepted add(const Accept& item, std::int64_t key, std::int64_t id, std::int64_t email,
             Columns& columns) {
  Accepted answer;
  auto& made = answer.delivery;
  made.key = store::DeliveryKey{key};
  made.account = item.delivery.account;
  made.id = id;
  made.type = item.delivery.type;
  made.traffic = item.delivery.traffic;
  made.status = DeliveryStatus::sending;
  made.at_most_once = item.delivery.at_most_once;
  made.signing = item.signing;
  made.counts.total = static_cast<std::int64_t>(item.recipients.size());
  columns.key.add(key);
  columns.account.add(number_of(made.account));
  columns.id.add(id);
  columns.type.add(number_of(made.type));
  columns.traffic.add(number_of(made.traffic));
  columns.once.add(made.at_most_once ? std::int64_t{1} : 0);
  columns.life.add(std::int64_t{item.life_time.count()});
  columns.total.add(made.counts.total);
  columns.signing.add(item.signing);
  const Content& content = item.delivery.content;
  columns.from.add(content.from.address);
  columns.from_name.add(content.from.name);
  columns.headers.add(pack_headers(content));
  columns.encode.add(number_of(content.encode));
  columns.mailto.add(content.list_unsubscribe_mailto);
  columns.url.add(content.list_unsubscribe_url);
  columns.subject.add(content.subject);
  columns.text.add(content.text_part);
  columns.html.add(content.html_part);
  add_recipients(item, answer, email, columns);
  return answer;
}

}  // namespace

std::string pack_codes(const std::vector<InsertCode>& codes) {
  std::string packed;
  for (const InsertCode& code : codes) {
    put_text(packed, code.key);
    put_text(packed, code.value);
  }
  return packed;
}

std::vector<InsertCode> unpack_codes(std::string_view packed) {
  std::vector<InsertCode> codes;
  while (!packed.empty()) {
    InsertCode& code = codes.emplace_back();
    code.key = take_text(packed);
    code.value = take_text(packed);
  }
  return codes;
}

Result<Answers<Accept>> accept(Link& link, Ids& ids, Items<Accept> items) {
  std::map<AccountKey, Ids::Need> needs;
  std::int64_t numbers = 0;
  std::set<NodeKey> nodes;
  for (const Accept* const item : items) {
    auto& need = needs[item->delivery.account];
    ++need.deliveries;
    need.emails += static_cast<std::int64_t>(item->recipients.size());
    numbers += static_cast<std::int64_t>((item->recipients.size() + kBatchMax - 1) / kBatchMax);
    nodes.insert(item->holder);
  }
  if (auto provided = ids.provide(link, needs, numbers); !provided) return fail(provided.error());
  Columns c;
  Answers<Accept> answers;
  std::map<std::int64_t, std::pair<Accepted*, const Accept*>> by_key;
  answers.reserve(items.size());
  for (const Accept* const item : items) {
    const auto size = static_cast<std::int64_t>(item->recipients.size());
    const auto id = ids.take_delivery(item->delivery.account);
    const auto email = ids.take_emails(item->delivery.account, size);
    if (!id || !email) {
      answers.push_back(fail(ErrorKind::not_found, "there is no such account"));
      continue;
    }
    const auto key = ids.take_numbers((size + static_cast<std::int64_t>(kBatchMax) - 1) /
                                      std::int64_t{kBatchMax});
    answers.push_back(add(*item, key, *id, *email, c));
    by_key[key] = {&*answers.back(), item};
  }
  if (by_key.empty()) return answers;
  Column held(kInt8);
  for (const NodeKey node : nodes) held.add(number_of(node));
  link.add(kBegin)
      .add(kHoldNodes, Params() << held)
      .add(kDeliveries, Params() << c.key << c.account << c.id << c.type << c.traffic << c.once
                                 << c.life << c.total << c.signing)
      .add(kContents, Params() << c.key << c.from << c.from_name << c.headers << c.encode
                               << c.mailto << c.url << c.subject << c.text << c.html)
      .add(kBatches, Params() << c.number << c.delivery << c.owner << c.batch_traffic << c.domain
                              << c.email << c.size << c.node)
      .add(kRecipients, Params() << c.batch << c.seq << c.address << c.codes)
      .add(kCommit);
  const auto results = link.fly();
  if (!results) return fail(results.error());
  // Of a delivery without a node that lives nothing is leased.
  const Rows rows((*results)[4].get());
  for (int i = 0; i < rows.size(); ++i) {
    const auto [answer, item] = by_key.at(rows.integer(i, 0));
    auto& made = answer->delivery;
    made.created = made.updated = from_epoch_ms(rows.integer(i, 2));
    made.started = made.created;
    made.expires = made.created + item->life_time;
    if (rows.integer(i, 1) == 0) answer->batches.clear();
  }
  return answers;
}

}  // namespace todoku::pg_sketch
