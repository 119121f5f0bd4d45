// SPDX-License-Identifier: Apache-2.0
// Questions about deliveries and what they say.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "store/matching.h"
#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

#define CONTENT_COLUMNS                                                                      \
  "c.from_address, c.from_name, c.reply_address, c.reply_name, c.header_to, c.header_cc,"    \
  " c.encode, c.unsubscribe_mailto, c.unsubscribe_url, c.subject, c.text_part, c.html_part," \
  " c.text_from_html, c.open_tracking, c.headers, c.envelope, c.one_click, c.escaping,"      \
  " c.template, c.template_version"
#define WHOLE_DELIVERY                            \
  "SELECT " DELIVERY_COLUMNS ", " CONTENT_COLUMNS \
  " FROM deliveries d LEFT JOIN contents c ON c.delivery = d.key WHERE d.deleted = 0"
#define ATTACHMENT_COLUMNS "a.id, a.file_name, a.mime_type, a.size, a.created, a.content_id"

const Sql kDelivery{"deliveries: one", WHOLE_DELIVERY " AND d.key = $1"};
const Sql kDeliveryById{"deliveries: by id", WHOLE_DELIVERY " AND d.account = $1 AND d.id = $2"};
const Sql kAttachments{"deliveries: attachments",
                       "SELECT " ATTACHMENT_COLUMNS
                       " FROM attachments a WHERE a.delivery = $1 ORDER BY a.id"};
const Sql kAttachmentsById{"deliveries: attachments by id",
                           "SELECT " ATTACHMENT_COLUMNS
                           " FROM deliveries d JOIN attachments a ON a.delivery = d.key"
                           " WHERE d.account = $1 AND d.id = $2 AND d.deleted = 0 ORDER BY a.id"};
const Sql kHeads{"deliveries: heads",
                 "SELECT " DELIVERY_COLUMNS
                 ", c.from_address, c.from_name, c.subject"
                 " FROM unnest($1::bigint[]) WITH ORDINALITY u(key, place)"
                 " JOIN deliveries d ON d.key = u.key AND d.deleted = 0"
                 " LEFT JOIN contents c ON c.delivery = d.key ORDER BY u.place"};
const Sql kHeadById{"deliveries: head by id",
                    "SELECT " DELIVERY_COLUMNS
                    ", c.from_address, c.from_name, c.subject FROM deliveries d"
                    " LEFT JOIN contents c ON c.delivery = d.key"
                    " WHERE d.account = $1 AND d.id = $2 AND d.deleted = 0"};
const Sql kAttachmentData{"deliveries: attachment data",
                          "SELECT file_name, mime_type, data, content_id, relayed FROM attachments"
                          " WHERE delivery = $1 ORDER BY id"};
const Sql kRelayedWhole{"deliveries: relayed, whole",
                        "SELECT data FROM relayed_pieces WHERE relayed = $1 ORDER BY which"};
// Of data that is stored out of line and not compressed only the part is read.
const Sql kAttachmentPart{
    "deliveries: attachment part",
    "SELECT substring(data FROM ($3 + 1)::int FOR $4::int), size FROM attachments"
    " WHERE id = (SELECT id FROM attachments WHERE delivery = $1 ORDER BY id LIMIT 1 OFFSET $2)"};
// Of each piece what is asked for; one that is not in pieces has none.
const Sql kRelayedPart{
    "deliveries: relayed part",
    "SELECT substring(p.data FROM (greatest($3 - p.which * $5, 0) + 1)::int"
    " FOR greatest(least($3 + $4 - p.which * $5, $5) - greatest($3 - p.which * $5, 0), 0)::int)"
    " FROM relayed_pieces p WHERE p.relayed = (SELECT relayed FROM attachments"
    " WHERE delivery = $1 ORDER BY id LIMIT 1 OFFSET $2) AND p.which BETWEEN $3 / $5"
    " AND ($3 + $4 - 1) / $5 ORDER BY p.which"};
const Sql kCountDrafts{"deliveries: count drafts",
                       "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE account = $1"
                       " AND type = $2 AND phase IN (1, 2) AND phase <= 4 AND deleted = 0"
                       " LIMIT $3) drafts"};

// What a list looks through, and what of it a filter asks for.
#define LISTED                                                                                  \
  "SELECT d.key, d.id, d.type, d.status, d.started, d.updated, d.created, c.from_address,"      \
  " c.from_name, c.unsubscribe_mailto, c.unsubscribe_url, c.subject, c.text_part, c.html_part," \
  " d.tags, d.course FROM ("
#define LISTED_ROWS                                                                       \
  "SELECT key, id, type, status, started, updated, created, tags, course FROM deliveries" \
  " WHERE account = $1 AND deleted = 0"
// Texts only where they are asked for: $5.
#define LISTED_TEXTS ") d LEFT JOIN contents c ON $5 = 1 AND c.delivery = d.key"
const Sql kStartAscending{
    "deliveries: by start", LISTED LISTED_ROWS
    " AND coalesce(started, 0) BETWEEN $2 AND $3 AND (coalesce(started, 0) > $2 OR key > $4)"
    " ORDER BY coalesce(started, 0), key LIMIT $6" LISTED_TEXTS
    " ORDER BY coalesce(d.started, 0), d.key"};
const Sql kStartDescending{
    "deliveries: by start, descending", LISTED LISTED_ROWS
    " AND coalesce(started, 0) BETWEEN $2 AND $3 AND (coalesce(started, 0) < $3 OR key < $4)"
    " ORDER BY coalesce(started, 0) DESC, key DESC LIMIT $6" LISTED_TEXTS
    " ORDER BY coalesce(d.started, 0) DESC, d.key DESC"};
const Sql kNewest{"deliveries: newest", LISTED LISTED_ROWS
                  " AND created <= $2 AND (created < $3 OR key < $4)"
                  " ORDER BY created DESC, key DESC LIMIT $6" LISTED_TEXTS
                  " ORDER BY d.created DESC, d.key DESC"};
const Sql kNewestOfFew{
    "deliveries: newest of few", LISTED LISTED_ROWS
    " AND created <= $2 AND (created < $3 OR key < $4)"
    " AND phase IS NOT NULL ORDER BY created DESC, key DESC LIMIT $6" LISTED_TEXTS
    " ORDER BY d.created DESC, d.key DESC"};

std::unexpected<Error> no_such_delivery() {
  return fail(ErrorKind::not_found, "there is no such delivery");
}

// From the first of CONTENT_COLUMNS on.
Result<Content> content_in(const Table& rows, int row, int column) {
  Content content;
  content.from = {std::string(rows.text(row, column)), std::string(rows.text(row, column + 1))};
  if (!rows.null(row, column + 2)) {
    content.reply_to =
        Mailbox{std::string(rows.text(row, column + 2)), std::string(rows.text(row, column + 3))};
  }
  auto to = unpack_list(rows.text(row, column + 4));
  if (!to) return fail(std::move(to.error()));
  content.header_to = std::move(*to);
  auto cc = unpack_list(rows.text(row, column + 5));
  if (!cc) return fail(std::move(cc.error()));
  content.header_cc = std::move(*cc);
  content.encode = static_cast<Encoding>(rows.integer(row, column + 6));
  content.list_unsubscribe_mailto = rows.text(row, column + 7);
  content.list_unsubscribe_url = rows.text(row, column + 8);
  content.subject = rows.text(row, column + 9);
  content.text_part = rows.text(row, column + 10);
  content.html_part = rows.text(row, column + 11);
  content.text_from_html = rows.flag(row, column + 12);
  content.open_tracking = rows.flag(row, column + 13);
  auto headers = unpack_headers(rows.text(row, column + 14));
  if (!headers) return fail(std::move(headers.error()));
  content.headers = std::move(*headers);
  auto envelope = unpack_envelope(rows.text(row, column + 15));
  if (!envelope) return fail(std::move(envelope.error()));
  content.relayed = std::move(*envelope);
  content.list_unsubscribe_one_click = rows.flag(row, column + 16);
  content.escape = static_cast<Escape>(rows.integer(row, column + 17));
  if (const std::int64_t id = rows.integer(row, column + 18); id != 0) {
    content.from_template = TemplatePin{id, rows.integer(row, column + 19)};
  }
  return content;
}

// The tables of a whole delivery and of its attachments.
Result<Delivery> whole_delivery(const Result<std::vector<Table>>& tables) {
  if (!tables) return fail(tables.error());
  const Table& rows = tables->front();
  if (rows.empty()) return no_such_delivery();
  Delivery delivery = delivery_in(rows, 0);
  auto content = content_in(rows, 0, kDeliveryColumns);
  if (!content) return fail(std::move(content.error()));
  delivery.content = std::move(*content);
  const Table& attachments = tables->back();
  for (int i = 0; i < attachments.size(); ++i) {
    AttachmentRecord& attachment = delivery.attachments.emplace_back();
    attachment.id = attachments.integer(i, 0);
    attachment.file_name = attachments.text(i, 1);
    attachment.mime_type = attachments.text(i, 2);
    attachment.size = attachments.integer(i, 3);
    attachment.created = attachments.instant(i, 4);
    attachment.content_id = attachments.text(i, 5);
  }
  return delivery;
}

Delivery head_in(const Table& rows, int row) {
  Delivery head = delivery_in(rows, row);
  head.content.from = {std::string(rows.text(row, kDeliveryColumns)),
                       std::string(rows.text(row, kDeliveryColumns + 1))};
  head.content.subject = rows.text(row, kDeliveryColumns + 2);
  return head;
}

Result<Table> listed(Session& session, const DeliveryFilter& filter, DeliveryOrder order,
                     const std::optional<DeliveryPlace>& from, std::int64_t most) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto ms = [](const std::optional<Instant>& instant, std::int64_t otherwise) {
    return instant ? to_epoch_ms(*instant) : otherwise;
  };
  // A delivery that has not started counts as started at 0: before all others.
  const std::int64_t first = ms(filter.delivery_start, filter.delivery_end ? 1 : 0);
  const std::int64_t last = ms(filter.delivery_end, kLast);
  const std::int64_t texts = asks_texts(filter) ? 1 : 0;
  const auto ask = [&](const Sql& sql, std::int64_t low, std::int64_t high, std::int64_t number) {
    return session.ask(sql, Params() << filter.account << low << high << number << texts << most);
  };
  switch (order) {
    case DeliveryOrder::start_ascending: {
      const DeliveryPlace place = from.value_or(DeliveryPlace{first, 0});
      return ask(kStartAscending, std::max(place.time_ms, first), last, place.number);
    }
    case DeliveryOrder::start_descending: {
      const DeliveryPlace place = from.value_or(DeliveryPlace{last, kLast});
      return ask(kStartDescending, first, std::min(place.time_ms, last), place.number);
    }
    case DeliveryOrder::newest_first:
      break;
  }
  const DeliveryPlace place = from.value_or(DeliveryPlace{kLast, kLast});
  return ask(is_among_few(filter) ? kNewestOfFew : kNewest, place.time_ms, place.time_ms,
             place.number);
}

}  // namespace

Result<Delivery> Questions::delivery(DeliveryKey key) {
  return whole_delivery(
      session_.add(kDelivery, Params() << key).add(kAttachments, Params() << key).fly());
}

Result<Delivery> Questions::delivery(AccountKey account, PublicId id) {
  return whole_delivery(session_.add(kDeliveryById, Params() << account << id)
                            .add(kAttachmentsById, Params() << account << id)
                            .fly());
}

Result<Delivery> Questions::delivery_head(DeliveryKey key) {
  auto heads = delivery_heads(std::span(&key, 1));
  if (!heads) return fail(std::move(heads.error()));
  if (heads->empty()) return no_such_delivery();
  return std::move(heads->front());
}

Result<Delivery> Questions::delivery_head(AccountKey account, PublicId id) {
  const auto rows = session_.ask(kHeadById, Params() << account << id);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return no_such_delivery();
  return head_in(*rows, 0);
}

Result<std::vector<Delivery>> Questions::delivery_heads(std::span<const DeliveryKey> keys) {
  Column list(kInt8);
  for (const DeliveryKey key : keys) list.add(key);
  const auto rows = session_.ask(kHeads, Params() << list);
  if (!rows) return fail(rows.error());
  std::vector<Delivery> heads;
  for (int i = 0; i < rows->size(); ++i) heads.push_back(head_in(*rows, i));
  return heads;
}

Result<Content> Questions::content(DeliveryKey key) {
  auto whole = delivery(key);
  if (!whole) return fail(std::move(whole.error()));
  Content content = std::move(whole->content);
  if (whole->attachments.empty()) return content;
  const auto rows = session_.ask(kAttachmentData, Params() << key);
  if (!rows) return fail(rows.error());
  for (int i = 0; i < rows->size(); ++i) {
    content.attachments.push_back({std::string(rows->text(i, 0)), std::string(rows->text(i, 1)),
                                   std::string(rows->text(i, 2)), std::string(rows->text(i, 3))});
    if (rows->integer(i, 4) == 0) continue;
    const auto pieces = session_.ask(kRelayedWhole, Params() << rows->integer(i, 4));
    if (!pieces) return fail(pieces.error());
    for (int piece = 0; piece < pieces->size(); ++piece) {
      content.attachments.back().data += pieces->text(piece, 0);
    }
  }
  return content;
}

Result<std::string> Questions::attachment_part(DeliveryKey key, std::size_t which,
                                               std::uint64_t offset, std::size_t octets) {
  const auto tables =
      session_.add(kAttachmentPart, Params() << key << which << offset << octets)
          .add(kRelayedPart, Params() << key << which << offset << octets << kRelayedPieceOctets)
          .fly();
  if (!tables) return fail(tables.error());
  const Table& rows = tables->front();
  if (rows.empty()) return fail(ErrorKind::not_found, "no such attachment");
  if (offset + octets > static_cast<std::uint64_t>(rows.integer(0, 1))) {
    return fail(ErrorKind::invalid_input, "the attachment has not so many octets");
  }
  std::string part(rows.text(0, 0));
  const Table& pieces = tables->back();
  for (int piece = 0; piece < pieces.size(); ++piece) part += pieces.text(piece, 0);
  if (part.size() != octets) return fail(ErrorKind::corrupt, "octets of a message are not there");
  return part;
}

Result<std::int64_t> Questions::count_drafts(AccountKey account, DeliveryType type,
                                             std::int64_t most) {
  const auto rows = session_.ask(kCountDrafts, Params() << account << type << most);
  if (!rows) return fail(rows.error());
  return rows->integer(0, 0);
}

// ---- lists -------------------------------------------------------------------------------------

Result<DeliveryStretch> Questions::match_deliveries(const DeliveryFilter& filter,
                                                    DeliveryOrder order,
                                                    std::optional<DeliveryPlace> from,
                                                    std::int64_t wanted) {
  // With texts a row may be large; without, a round trip should be worth its while.
  const std::int64_t most = asks_texts(filter) ? 256 : kStretchEffortMax;
  const auto rows = listed(session_, filter, order, from, most);
  if (!rows) return fail(rows.error());
  DeliveryStretch stretch;
  for (int i = 0; i < rows->size(); ++i) {
    ++stretch.effort;
    const ListedDelivery delivery{.type = static_cast<DeliveryType>(rows->integer(i, 2)),
                                  .status = static_cast<DeliveryStatus>(rows->integer(i, 3)),
                                  .course = static_cast<Course>(rows->integer(i, 15)),
                                  .started = rows->optional_instant(i, 4),
                                  .tags = rows->text(i, 14)};
    const ListedTexts texts{.from_address = rows->text(i, 7),
                            .from_name = rows->text(i, 8),
                            .unsubscribe_mailto = rows->text(i, 9),
                            .unsubscribe_url = rows->text(i, 10),
                            .subject = rows->text(i, 11),
                            .text_part = rows->text(i, 12),
                            .html_part = rows->text(i, 13)};
    if (matches(delivery, filter) &&
        (!asks_texts(filter) || matches(texts, filter, stretch.effort))) {
      stretch.matches.push_back({DeliveryKey{rows->integer(i, 0)}, rows->integer(i, 1),
                                 rows->instant(i, 6), rows->optional_instant(i, 4),
                                 rows->instant(i, 5)});
    }
    const bool enough = stretch.effort >= kStretchEffortMax ||
                        static_cast<std::int64_t>(stretch.matches.size()) >= wanted;
    if (enough || i + 1 == most) {
      const int time = order == DeliveryOrder::newest_first ? 6 : 4;
      stretch.next = DeliveryPlace{rows->integer(i, time), rows->integer(i, 0)};
      return stretch;
    }
  }
  return stretch;
}

}  // namespace todoku::store::postgres
