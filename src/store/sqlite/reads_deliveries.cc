// SPDX-License-Identifier: Apache-2.0
// Questions about deliveries and what they say.
#include <algorithm>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/records.h"

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
  return content;
}

bool contains(std::string_view text, std::string_view part) {
  return part.empty() || text.find(part) != std::string_view::npos;
}

bool matches_columns(const Delivery& delivery, const DeliveryFilter& filter) {
  const auto among = [](const auto& list, auto value) {
    return list.empty() || std::ranges::find(list, value) != list.end();
  };
  if (!among(filter.statuses, delivery.status) || !among(filter.types, delivery.type)) return false;
  if (filter.delivery_start && (!delivery.started || *delivery.started < *filter.delivery_start)) {
    return false;
  }
  return !filter.delivery_end || (delivery.started && *delivery.started <= *filter.delivery_end);
}

bool asks_texts(const DeliveryFilter& filter) {
  return !filter.text_part.empty() || !filter.html_part.empty() || !filter.subject.empty() ||
         !filter.from.empty() || !filter.list_unsubscribe_url.empty() ||
         !filter.list_unsubscribe_mailto.empty();
}

// What the wanted orders compare, so that sorting needs no whole deliveries.
struct SortKey {
  PublicId id = 0;
  DeliveryKey key{};
  Instant delivery_time;
  Instant updated;
};

bool comes_before(const SortKey& a, const SortKey& b, const std::vector<DeliverySort>& sorts) {
  for (const DeliverySort sort : sorts) {
    switch (sort) {
      case DeliverySort::newest_first:
        break;
      case DeliverySort::delivery_time_ascending:
        if (a.delivery_time != b.delivery_time) return a.delivery_time < b.delivery_time;
        break;
      case DeliverySort::delivery_time_descending:
        if (a.delivery_time != b.delivery_time) return a.delivery_time > b.delivery_time;
        break;
      case DeliverySort::updated_time_ascending:
        if (a.updated != b.updated) return a.updated < b.updated;
        break;
      case DeliverySort::updated_time_descending:
        if (a.updated != b.updated) return a.updated > b.updated;
        break;
    }
  }
  return a.id > b.id;
}

}  // namespace

Result<Delivery> Queries::delivery_row(DeliveryKey key) {
  auto query = db_.query(
      "SELECT account, id, type, traffic, status, at_most_once, created, updated, reservation,"
      " started, finished, signing, failure_reason, total, delivered, bounced, dropped, expired,"
      " cancelled, unknown, deferred FROM deliveries WHERE key = ? AND deleted = 0");
  query.bind(key);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return no_delivery();
  }
  Delivery delivery;
  delivery.key = key;
  delivery.account = AccountKey{query.integer(0)};
  delivery.id = query.integer(1);
  delivery.type = static_cast<DeliveryType>(query.integer(2));
  delivery.traffic = static_cast<TrafficClass>(query.integer(3));
  delivery.status = static_cast<DeliveryStatus>(query.integer(4));
  delivery.at_most_once = query.flag(5);
  delivery.created = query.instant(6);
  delivery.updated = query.instant(7);
  delivery.reservation = query.optional_instant(8);
  delivery.started = query.optional_instant(9);
  delivery.finished = query.optional_instant(10);
  delivery.signing = query.text(11);
  delivery.failure_reason = query.text(12);
  delivery.counts = counts_in(query, 13);
  return delivery;
}

Result<Delivery> Queries::with_content(Delivery delivery) {
  std::int64_t attachments = 0;
  {
    auto query = db_.query(
        "SELECT from_address, from_name, reply_address, reply_name, header_to, header_cc, encode,"
        " unsubscribe_mailto, unsubscribe_url, subject, text_part, html_part, attachments"
        " FROM contents WHERE delivery = ?");
    query.bind(delivery.key);
    if (query.next()) {
      auto content = content_in(query);
      if (!content) return fail(std::move(content.error()));
      delivery.content = std::move(*content);
      attachments = query.integer(12);
    }
    if (query.failed()) return fail(query.error());
  }
  if (attachments == 0) return delivery;
  auto query = db_.query(
      "SELECT id, file_name, mime_type, size, created FROM attachments WHERE delivery = ?"
      " ORDER BY id");
  query.bind(delivery.key);
  while (query.next()) {
    AttachmentRecord& attachment = delivery.attachments.emplace_back();
    attachment.id = query.integer(0);
    attachment.file_name = query.text(1);
    attachment.mime_type = query.text(2);
    attachment.size = query.integer(3);
    attachment.created = query.instant(4);
  }
  if (query.failed()) return fail(query.error());
  return delivery;
}

Result<Delivery> Queries::delivery(DeliveryKey key) {
  auto row = delivery_row(key);
  if (!row) return row;
  return with_content(std::move(*row));
}

Result<Delivery> Queries::delivery(AccountKey account, PublicId id) {
  DeliveryKey key{};
  {
    auto query =
        db_.query("SELECT key FROM deliveries WHERE account = ? AND id = ? AND deleted = 0");
    query.bind(account, id);
    if (!query.next()) {
      if (query.failed()) return fail(query.error());
      return no_delivery();
    }
    key = DeliveryKey{query.integer(0)};
  }
  return delivery(key);
}

Result<Content> Queries::content(DeliveryKey key) {
  auto whole = delivery(key);
  if (!whole) return fail(std::move(whole.error()));
  Content content = std::move(whole->content);
  if (whole->attachments.empty()) return content;
  auto query = db_.query(
      "SELECT file_name, mime_type, data FROM attachments WHERE delivery = ? ORDER BY id");
  query.bind(key);
  while (query.next()) {
    content.attachments.push_back(
        {std::string(query.text(0)), std::string(query.text(1)), std::string(query.blob(2))});
  }
  if (query.failed()) return fail(query.error());
  return content;
}

Result<bool> Queries::matches_texts(const Delivery& delivery, const DeliveryFilter& filter) {
  auto query = db_.query(
      "SELECT from_address, from_name, unsubscribe_mailto, unsubscribe_url, subject, text_part,"
      " html_part FROM contents WHERE delivery = ?");
  query.bind(delivery.key);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return false;
  }
  return (contains(query.text(0), filter.from) || contains(query.text(1), filter.from)) &&
         contains(query.text(2), filter.list_unsubscribe_mailto) &&
         contains(query.text(3), filter.list_unsubscribe_url) &&
         contains(query.text(4), filter.subject) && contains(query.text(5), filter.text_part) &&
         contains(query.text(6), filter.html_part);
}

Result<std::vector<Delivery>> Queries::deliveries(const DeliveryFilter& filter) {
  const bool sorted = std::ranges::any_of(
      filter.sort, [](DeliverySort sort) { return sort != DeliverySort::newest_first; });
  const bool texts = asks_texts(filter);
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(filter.limit, 0));
  const auto skipped = static_cast<std::size_t>(std::max<std::int64_t>(filter.offset, 0));

  std::vector<SortKey> found;
  auto query =
      db_.query("SELECT key FROM deliveries WHERE account = ? AND deleted = 0 ORDER BY id DESC");
  query.bind(filter.account);
  while ((sorted || found.size() < skipped + wanted) && query.next()) {
    const auto row = delivery_row(DeliveryKey{query.integer(0)});
    if (!row) return fail(row.error());
    if (!matches_columns(*row, filter)) continue;
    if (texts) {
      const auto match = matches_texts(*row, filter);
      if (!match) return fail(match.error());
      if (!*match) continue;
    }
    found.push_back({row->id, row->key, row->started.value_or(Instant::min()), row->updated});
  }
  if (query.failed()) return fail(query.error());

  if (sorted) {
    std::ranges::sort(
        found, [&](const SortKey& a, const SortKey& b) { return comes_before(a, b, filter.sort); });
  }
  std::vector<Delivery> deliveries;
  for (std::size_t i = skipped; i < found.size() && deliveries.size() < wanted; ++i) {
    auto whole = delivery(found[i].key);
    if (!whole) return fail(std::move(whole.error()));
    deliveries.push_back(std::move(*whole));
  }
  return deliveries;
}

Result<std::int64_t> Queries::count_in_status(AccountKey account, DeliveryType type,
                                              DeliveryStatus status) {
  // Of the statuses before sending there is an index; the others are counted along the account's
  // deliveries.
  auto query = status <= DeliveryStatus::wait
                   ? db_.query(
                         "SELECT count(*) FROM deliveries WHERE account = ? AND type = ?"
                         " AND status = ? AND status <= 4 AND deleted = 0")
                   : db_.query(
                         "SELECT count(*) FROM deliveries WHERE account = ? AND type = ?"
                         " AND status = ? AND deleted = 0");
  query.bind(account, type, status);
  std::int64_t count = 0;
  if (query.next()) count = query.integer(0);
  if (query.failed()) return fail(query.error());
  return count;
}

}  // namespace todoku::store::sqlite
