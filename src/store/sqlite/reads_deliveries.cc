// SPDX-License-Identifier: Apache-2.0
// Questions about deliveries and what they say.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "store/matching.h"
#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {
namespace {

std::unexpected<Error> no_delivery() {
  return fail(ErrorKind::not_found, "there is no such delivery");
}

DeliveryCounts counts_in(const Query& row, int column) {
  DeliveryCounts counts;
  for (std::int64_t* count :
       {&counts.total, &counts.delivered, &counts.bounced, &counts.dropped, &counts.expired,
        &counts.cancelled, &counts.unknown, &counts.deferred}) {
    *count = row.integer(column++);
  }
  return counts;
}

// Reads the content without attachments; their number is in the last column.
Result<Content> content_in(const Query& row) {
  Content content;
  content.from = {std::string(row.text(0)), std::string(row.text(1))};
  if (!row.is_null(2)) {
    content.reply_to = Mailbox{std::string(row.text(2)), std::string(row.text(3))};
  }
  auto to = unpack_list(row.blob(4));
  if (!to) return fail(std::move(to.error()));
  content.header_to = std::move(*to);
  auto cc = unpack_list(row.blob(5));
  if (!cc) return fail(std::move(cc.error()));
  content.header_cc = std::move(*cc);
  content.encode = static_cast<Encoding>(row.integer(6));
  content.list_unsubscribe_mailto = row.text(7);
  content.list_unsubscribe_url = row.text(8);
  content.subject = row.text(9);
  content.text_part = row.text(10);
  content.html_part = row.text(11);
  content.text_from_html = row.flag(12);
  content.open_tracking = row.flag(13);
  auto headers = unpack_headers(row.blob(14));
  if (!headers) return fail(std::move(headers.error()));
  content.headers = std::move(*headers);
  auto envelope = unpack_envelope(row.blob(15));
  if (!envelope) return fail(std::move(envelope.error()));
  content.relayed = std::move(*envelope);
  content.list_unsubscribe_one_click = row.flag(16);
  content.escape = static_cast<Escape>(row.integer(17));
  if (row.integer(18) != 0) content.from_template = TemplatePin{row.integer(18), row.integer(19)};
  return content;
}

}  // namespace

Delivery Queries::delivery_in(const Query& row) {
  Delivery delivery;
  delivery.key = DeliveryKey{row.integer(0)};
  delivery.account = AccountKey{row.integer(1)};
  delivery.id = row.integer(2);
  delivery.type = static_cast<DeliveryType>(row.integer(3));
  delivery.traffic = static_cast<TrafficClass>(row.integer(4));
  delivery.status = static_cast<DeliveryStatus>(row.integer(5));
  delivery.at_most_once = row.flag(6);
  delivery.created = row.instant(7);
  delivery.updated = row.instant(8);
  delivery.reservation = row.optional_instant(9);
  delivery.started = row.optional_instant(10);
  delivery.expires = row.optional_instant(11);
  delivery.finished = row.optional_instant(12);
  delivery.signing = row.text(13);
  delivery.failure_reason = row.text(14);
  delivery.counts = counts_in(row, 15);
  delivery.course = static_cast<Course>(row.integer(26));
  delivery.labels = {split_tags(row.text(25)), std::string(row.text(24)),
                     static_cast<Purpose>(row.integer(23))};
  return delivery;
}

Result<Delivery> Queries::delivery_row(DeliveryKey key) {
  auto query = db_.query(
      "SELECT key, account, id, type, traffic, status, at_most_once, created, updated,"
      " reservation, started, expires, finished, signing, failure_reason, total, delivered,"
      " bounced, dropped, expired, cancelled, unknown, deferred, purpose, list_id, tags,"
      " course FROM deliveries"
      " WHERE key = ? AND deleted = 0");
  query.bind(key);
  if (query.next()) return delivery_in(query);
  if (query.failed()) return fail(query.error());
  return no_delivery();
}

Result<Delivery> Queries::with_content(Delivery delivery) {
  std::int64_t attachments = 0;
  {
    auto query = db_.query(
        "SELECT from_address, from_name, reply_address, reply_name, header_to, header_cc, encode,"
        " unsubscribe_mailto, unsubscribe_url, subject, text_part, html_part,"
        " text_from_html, open_tracking, headers, envelope, one_click, escaping, template,"
        " template_version, attachments FROM contents"
        " WHERE delivery = ?");
    query.bind(delivery.key);
    if (query.next()) {
      auto content = content_in(query);
      if (!content) return fail(std::move(content.error()));
      delivery.content = std::move(*content);
      attachments = query.integer(20);
    }
    if (query.failed()) return fail(query.error());
  }
  if (attachments == 0) return delivery;
  auto query = db_.query(
      "SELECT id, file_name, mime_type, size, created, content_id FROM attachments"
      " WHERE delivery = ?"
      " ORDER BY id");
  query.bind(delivery.key);
  while (query.next()) {
    AttachmentRecord& attachment = delivery.attachments.emplace_back();
    attachment.id = query.integer(0);
    attachment.file_name = query.text(1);
    attachment.mime_type = query.text(2);
    attachment.size = query.integer(3);
    attachment.created = query.instant(4);
    attachment.content_id = query.text(5);
  }
  if (query.failed()) return fail(query.error());
  return delivery;
}

Result<Delivery> Queries::delivery(DeliveryKey key) {
  auto row = delivery_row(key);
  if (!row) return row;
  return with_content(std::move(*row));
}

Result<DeliveryKey> Queries::key_of(AccountKey account, PublicId id) {
  auto query = db_.query("SELECT key FROM deliveries WHERE account = ? AND id = ? AND deleted = 0");
  query.bind(account, id);
  if (query.next()) return DeliveryKey{query.integer(0)};
  if (query.failed()) return fail(query.error());
  return no_delivery();
}

Result<Delivery> Queries::delivery(AccountKey account, PublicId id) {
  const auto key = key_of(account, id);
  if (!key) return fail(key.error());
  return delivery(*key);
}

Result<Delivery> Queries::delivery_head(DeliveryKey key) {
  auto heads = delivery_heads(std::span(&key, 1));
  if (!heads) return fail(std::move(heads.error()));
  if (heads->empty()) return no_delivery();
  return std::move(heads->front());
}

Result<std::vector<Delivery>> Queries::delivery_heads(std::span<const DeliveryKey> keys) {
  std::vector<Delivery> heads;
  heads.reserve(keys.size());
  std::string list = "[";
  for (const DeliveryKey key : keys) {
    if (list.size() > 1) list += ',';
    list += std::to_string(number_of(key));
  }
  list += ']';
  // In the order of the keys: SQLite leaves the tables of a CROSS JOIN in their order ("The SQLite
  // Query Optimizer Overview", manual control).
  auto query = db_.query(
      "SELECT d.key, d.account, d.id, d.type, d.traffic, d.status, d.at_most_once, d.created, "
      "d.updated,"
      " reservation, started, expires, finished, signing, failure_reason, total, delivered,"
      " bounced, dropped, expired, cancelled, unknown, deferred, purpose, list_id, tags, "
      "course, from_address,"
      " from_name, subject"
      " FROM json_each(?) j CROSS JOIN deliveries d ON d.key = j.value AND d.deleted = 0"
      " LEFT JOIN contents c ON c.delivery = d.key");
  query.bind(std::string_view(list));
  while (query.next()) {
    Delivery& head = heads.emplace_back(delivery_in(query));
    head.content.from = {std::string(query.text(27)), std::string(query.text(28))};
    head.content.subject = query.text(29);
  }
  if (query.failed()) return fail(query.error());
  return heads;
}

Result<Delivery> Queries::delivery_head(AccountKey account, PublicId id) {
  const auto key = key_of(account, id);
  if (!key) return fail(key.error());
  return delivery_head(*key);
}

Result<Content> Queries::content(DeliveryKey key) {
  auto whole = delivery(key);
  if (!whole) return fail(std::move(whole.error()));
  Content content = std::move(whole->content);
  if (whole->attachments.empty()) return content;
  auto query = db_.query(
      "SELECT file_name, mime_type, data, content_id, relayed, size FROM attachments"
      " WHERE delivery = ? ORDER BY id");
  query.bind(key);
  while (query.next()) {
    content.attachments.push_back({std::string(query.text(0)), std::string(query.text(1)),
                                   std::string(query.blob(2)), std::string(query.text(3))});
    if (query.integer(4) == 0) continue;
    auto data = relayed_part(query.integer(4), 0, static_cast<std::size_t>(query.integer(5)));
    if (!data) return fail(std::move(data.error()));
    content.attachments.back().data = std::move(*data);
  }
  if (query.failed()) return fail(query.error());
  return content;
}

Result<std::string> Queries::attachment_part(DeliveryKey key, std::size_t which,
                                             std::uint64_t offset, std::size_t octets) {
  auto query = db_.query(
      "SELECT id, relayed, size FROM attachments WHERE delivery = ? ORDER BY id"
      " LIMIT 1 OFFSET ?");
  query.bind(key, which);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return fail(ErrorKind::not_found, "no such attachment");
  }
  if (query.integer(1) == 0) {
    return db_.part_of_blob({"attachments", "data", query.integer(0)}, offset, octets);
  }
  const auto size = static_cast<std::uint64_t>(query.integer(2));
  if (offset > size || octets > size - offset) {
    return fail(ErrorKind::invalid_input, "the message has not so many octets");
  }
  return relayed_part(query.integer(1), offset, octets);
}

// ---- lists -------------------------------------------------------------------------------------

Result<bool> Queries::matches_texts(DeliveryKey key, const DeliveryFilter& filter,
                                    std::int64_t& effort) {
  auto query = db_.query(
      "SELECT from_address, from_name, unsubscribe_mailto, unsubscribe_url, subject, text_part,"
      " html_part FROM contents WHERE delivery = ?");
  query.bind(key);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return false;
  }
  const ListedTexts texts{.from_address = query.text(0),
                          .from_name = query.text(1),
                          .unsubscribe_mailto = query.text(2),
                          .unsubscribe_url = query.text(3),
                          .subject = query.text(4),
                          .text_part = query.text(5),
                          .html_part = query.text(6)};
  return matches(texts, filter, effort);
}

Query Queries::deliveries_in_order(const DeliveryFilter& filter, DeliveryOrder order,
                                   std::optional<DeliveryPlace> from) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto ms = [](const std::optional<Instant>& instant, std::int64_t otherwise) {
    return instant ? to_epoch_ms(*instant) : otherwise;
  };
  // A delivery that has not started counts as started at 0: before all others.
  const std::int64_t first = ms(filter.delivery_start, filter.delivery_end ? 1 : 0);
  const std::int64_t last = ms(filter.delivery_end, kLast);
  switch (order) {
    case DeliveryOrder::start_ascending: {
      const DeliveryPlace place = from.value_or(DeliveryPlace{first, 0});
      auto query = db_.query(
          "SELECT key, id, type, status, started, updated, created, tags, course"
          " FROM deliveries"
          " WHERE account = ? AND deleted = 0 AND coalesce(started, 0) BETWEEN ?2 AND ?3"
          " AND (coalesce(started, 0) > ?2 OR key > ?4)"
          " ORDER BY coalesce(started, 0), key");
      query.bind(filter.account, std::max(place.time_ms, first), last, place.number);
      return query;
    }
    case DeliveryOrder::start_descending: {
      const DeliveryPlace place = from.value_or(DeliveryPlace{last, kLast});
      auto query = db_.query(
          "SELECT key, id, type, status, started, updated, created, tags, course"
          " FROM deliveries"
          " WHERE account = ? AND deleted = 0 AND coalesce(started, 0) BETWEEN ?2 AND ?3"
          " AND (coalesce(started, 0) < ?3 OR key < ?4)"
          " ORDER BY coalesce(started, 0) DESC, key DESC");
      query.bind(filter.account, first, std::min(place.time_ms, last), place.number);
      return query;
    }
    case DeliveryOrder::newest_first:
      break;
  }
  const DeliveryPlace place = from.value_or(DeliveryPlace{kLast, kLast});
  auto query = is_among_few(filter)
                   ? db_.query(
                         "SELECT key, id, type, status, started, updated, created, tags, course"
                         " FROM deliveries"
                         " INDEXED BY deliveries_few"
                         " WHERE account = ?1 AND deleted = 0 AND created <= ?2"
                         " AND (created < ?2 OR key < ?3)"
                         " AND (type = 2 OR status NOT IN (5, 6))"
                         " ORDER BY created DESC, key DESC")
                   : db_.query(
                         "SELECT key, id, type, status, started, updated, created, tags, course"
                         " FROM deliveries"
                         " WHERE account = ?1 AND deleted = 0 AND created <= ?2"
                         " AND (created < ?2 OR key < ?3) ORDER BY created DESC, key DESC");
  query.bind(filter.account, place.time_ms, place.number);
  return query;
}

Result<DeliveryStretch> Queries::match_deliveries(const DeliveryFilter& filter, DeliveryOrder order,
                                                  std::optional<DeliveryPlace> from,
                                                  std::int64_t wanted) {
  const bool texts = asks_texts(filter);
  DeliveryStretch stretch;
  auto query = deliveries_in_order(filter, order, from);
  while (query.next()) {
    const DeliveryKey key{query.integer(0)};
    ++stretch.effort;
    const ListedDelivery listed{.type = static_cast<DeliveryType>(query.integer(2)),
                                .status = static_cast<DeliveryStatus>(query.integer(3)),
                                .course = static_cast<Course>(query.integer(8)),
                                .started = query.optional_instant(4),
                                .tags = query.text(7)};
    bool wanted_one = matches(listed, filter);
    if (wanted_one && texts) {
      const auto found = matches_texts(key, filter, stretch.effort);
      if (!found) return fail(found.error());
      wanted_one = *found;
    }
    if (wanted_one) {
      stretch.matches.push_back(
          {key, query.integer(1), query.instant(6), query.optional_instant(4), query.instant(5)});
    }
    if (stretch.effort >= kStretchEffortMax ||
        static_cast<std::int64_t>(stretch.matches.size()) >= wanted) {
      const int time = order == DeliveryOrder::newest_first ? 6 : 4;
      stretch.next = DeliveryPlace{query.integer(time), query.integer(0)};
      return stretch;
    }
  }
  if (query.failed()) return fail(query.error());
  return stretch;
}

Result<std::int64_t> Queries::count_drafts(AccountKey account, DeliveryType type,
                                           std::int64_t most) {
  auto query = db_.query(
      "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE account = ? AND type = ?"
      " AND status IN (1, 2) AND status <= 4 AND deleted = 0 LIMIT ?)");
  query.bind(account, type, most);
  std::int64_t count = 0;
  if (query.next()) count = query.integer(0);
  if (query.failed()) return fail(query.error());
  return count;
}

}  // namespace todoku::store::sqlite
