// SPDX-License-Identifier: Apache-2.0
// Changes of drafts: what they say and whom they go to.
#include <bit>

#include "base/bytes.h"
#include "store/drafts.h"
#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/recipient_appender.h"
#include "store/sqlite/transactions.h"
#include "store/texts.h"

namespace todoku::store::sqlite {
namespace {

std::optional<std::string_view> view(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

}  // namespace

Result<Delivery> SqliteWriteTransaction::draft(DeliveryKey key) {
  return checked_draft(queries_.delivery_row(key));
}

Result<void> SqliteWriteTransaction::touch(DeliveryKey key) {
  return db_.query("UPDATE deliveries SET updated = ? WHERE key = ?").bind(now_, key).run();
}

Result<Delivery> SqliteWriteTransaction::new_delivery(const NewDelivery& delivery,
                                                      std::int64_t number) {
  const auto id = counters_.take_ids(delivery.account, IdKind::delivery, 1);
  if (!id) return fail(id.error());
  Delivery made;
  made.key = DeliveryKey{number};
  made.account = delivery.account;
  made.id = *id;
  made.type = delivery.type;
  made.traffic = delivery.traffic;
  made.at_most_once = delivery.at_most_once;
  made.labels = delivery.labels;
  made.created = made.updated = now_;
  return made;
}

Result<void> SqliteWriteTransaction::insert_delivery(const Delivery& delivery,
                                                     const NewDelivery& wanted,
                                                     std::optional<Milliseconds> life) {
  const std::string tags = joined_tags(delivery.labels.tags);
  const auto ms = life ? std::optional<std::int64_t>(life->count()) : std::nullopt;
  return db_
      .query(
          "INSERT INTO deliveries(key, account, id, type, traffic, status, deleted,"
          " at_most_once, created, updated, started, expires, finished, total, delivered, bounced,"
          " dropped, expired, cancelled, unknown, deferred, signing, failure_reason, purpose,"
          " list_id, tags, life, credential)"
          " VALUES(?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0, 0, 0, 0, ?, '', ?, ?, ?,"
          " ?, ?)")
      .bind(delivery.key, delivery.account, delivery.id, delivery.type, delivery.traffic,
            delivery.status, delivery.at_most_once, delivery.created, delivery.updated,
            delivery.started, delivery.expires, delivery.finished, delivery.counts.total,
            delivery.counts.dropped, std::string_view(delivery.signing), delivery.labels.purpose,
            std::string_view(delivery.labels.list_id), std::string_view(tags), ms,
            wanted.credential())
      .run();
}

Result<void> SqliteWriteTransaction::insert_attachments(Delivery& delivery,
                                                        std::span<const Attachment> attachments,
                                                        const std::optional<RelayedData>& relayed) {
  const std::int64_t pieces = relayed ? static_cast<std::int64_t>(relayed->key) : 0;
  for (const Attachment& attachment : attachments) {
    const auto size = static_cast<std::int64_t>(relayed ? relayed->octets : attachment.data.size());
    auto done = db_.query(
                       "INSERT INTO attachments(delivery, file_name, mime_type, size, created,"
                       " data, content_id, relayed) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
                    .bind(delivery.key, std::string_view(attachment.file_name),
                          std::string_view(attachment.mime_type), size, now_, Blob{attachment.data},
                          std::string_view(attachment.content_id), pieces)
                    .run();
    if (!done) return done;
    delivery.attachments.push_back({sqlite3_last_insert_rowid(db_.raw()), attachment.file_name,
                                    attachment.mime_type, size, now_, attachment.content_id});
  }
  return {};
}

Result<void> SqliteWriteTransaction::insert_content(Delivery& delivery, const NewDelivery& wanted) {
  const Content& content = wanted.content;
  auto done = insert_attachments(delivery, content.attachments, wanted.relayed_data);
  if (done && wanted.relayed_data) done = name_relayed(wanted.relayed_data->key, delivery.key);
  if (!done) return done;
  const std::string to = pack_list(content.header_to);
  const std::string cc = pack_list(content.header_cc);
  const std::string headers = pack_headers(content.headers);
  const std::string envelope = pack_envelope(content.relayed);
  const TemplatePin pin = content.from_template.value_or(TemplatePin{});
  const auto reply_address =
      content.reply_to ? std::optional<std::string_view>(content.reply_to->address) : std::nullopt;
  const auto reply_name =
      content.reply_to ? std::optional<std::string_view>(content.reply_to->name) : std::nullopt;
  return db_
      .query(
          "INSERT INTO contents(delivery, from_address, from_name, reply_address,"
          " reply_name, header_to, header_cc, encode, unsubscribe_mailto,"
          " unsubscribe_url, attachments, subject, text_part, html_part, text_from_html,"
          " open_tracking, headers, envelope, one_click, escaping, template, template_version)"
          " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(delivery.key, std::string_view(content.from.address),
            std::string_view(content.from.name), reply_address, reply_name, Blob{to}, Blob{cc},
            content.encode, std::string_view(content.list_unsubscribe_mailto),
            std::string_view(content.list_unsubscribe_url), content.attachments.size(),
            std::string_view(content.subject), std::string_view(content.text_part),
            std::string_view(content.html_part), content.text_from_html, content.open_tracking,
            Blob{headers}, Blob{envelope}, content.list_unsubscribe_one_click, content.escape,
            pin.id, pin.version)
      .run();
}

Result<Delivery> SqliteWriteTransaction::create_draft(const NewDelivery& delivery,
                                                      std::optional<std::int64_t> drafts_max) {
  if (delivery.relayed_data) {
    auto sound = check_relayed_data(delivery);
    if (sound) sound = find_relayed(*delivery.relayed_data);
    if (!sound) return fail(std::move(sound.error()));
  }
  if (drafts_max) {
    auto room = check_one_more_draft(
        queries_.count_drafts(delivery.account, delivery.type, *drafts_max), *drafts_max);
    if (!room) return fail(std::move(room.error()));
  }
  const auto number = counters_.take_numbers(1);
  if (!number) return fail(number.error());
  auto made = new_delivery(delivery, *number);
  if (!made) return made;
  auto done = insert_delivery(*made, delivery, delivery.life);
  if (done) done = insert_content(*made, delivery);
  if (!done) return fail(std::move(done.error()));
  return made;
}

Result<void> SqliteWriteTransaction::replace_inline_parts(Delivery& delivery,
                                                          std::span<const Attachment> parts) {
  auto done = db_.query("DELETE FROM attachments WHERE delivery = ? AND content_id <> ''")
                  .bind(delivery.key)
                  .run();
  if (done) done = insert_attachments(delivery, parts);
  if (!done) return done;
  return db_
      .query(
          "UPDATE contents SET attachments = (SELECT count(*) FROM attachments WHERE delivery = ?)"
          " WHERE delivery = ?")
      .bind(delivery.key, delivery.key)
      .run();
}

Result<void> SqliteWriteTransaction::change_draft(DeliveryKey key, const DraftChange& change) {
  auto delivery = draft(key);
  if (!delivery) return fail(delivery.error());
  if (change.inline_parts) {
    auto done = replace_inline_parts(*delivery, *change.inline_parts);
    if (!done) return done;
  }
  std::optional<std::string_view> from;
  std::optional<std::string_view> from_name;
  if (change.from) {
    from = change.from->address;
    from_name = change.from->name;
  }
  std::optional<std::string_view> reply;
  std::optional<std::string_view> reply_name;
  if (change.reply_to && *change.reply_to) {
    reply = (*change.reply_to)->address;
    reply_name = (*change.reply_to)->name;
  }
  const std::string headers = pack_headers(change.headers.value_or(std::vector<ExtraHeader>()));
  const bool changes_reply = change.reply_to.has_value();
  auto done =
      db_.query(
             "UPDATE contents SET from_address = coalesce(?, from_address),"
             " from_name = coalesce(?, from_name),"
             " reply_address = CASE WHEN ? THEN ? ELSE reply_address END,"
             " reply_name = CASE WHEN ? THEN ? ELSE reply_name END,"
             " subject = coalesce(?, subject), text_part = coalesce(?, text_part),"
             " html_part = coalesce(?, html_part),"
             " unsubscribe_mailto = coalesce(?, unsubscribe_mailto),"
             " unsubscribe_url = coalesce(?, unsubscribe_url), headers = coalesce(?, headers),"
             " one_click = coalesce(?, one_click)"
             " WHERE delivery = ?")
          .bind(from, from_name, changes_reply, reply, changes_reply, reply_name,
                view(change.subject), view(change.text_part), view(change.html_part),
                view(change.list_unsubscribe_mailto), view(change.list_unsubscribe_url),
                change.headers ? std::optional(Blob{headers}) : std::nullopt,
                change.list_unsubscribe_one_click, key)
          .run();
  if (!done) return done;
  if (change.tags || change.list_id || change.purpose) {
    std::optional<std::string> tags;
    if (change.tags) tags = joined_tags(*change.tags);
    done = db_.query(
                  "UPDATE deliveries SET tags = coalesce(?, tags), list_id = coalesce(?, list_id),"
                  " purpose = coalesce(?, purpose) WHERE key = ?")
               .bind(view(tags), view(change.list_id), change.purpose, key)
               .run();
    if (!done) return done;
  }
  return touch(key);
}

// The section that single appends go to: the first live one, made when it is needed.
Result<std::int64_t> SqliteWriteTransaction::live_section(const Delivery& delivery) {
  const auto sections = queries_.live_sections(delivery.key);
  if (!sections) return fail(sections.error());
  if (!sections->empty()) return sections->front();
  auto done = db_.query("INSERT INTO sections(delivery, state) VALUES(?, ?)")
                  .bind(delivery.key, kSectionLive)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return sqlite3_last_insert_rowid(db_.raw());
}

Result<std::vector<PublicId>> SqliteWriteTransaction::append_recipients(
    DeliveryKey key, std::span<const NewRecipient> recipients) {
  const auto delivery = draft(key);
  if (!delivery) return fail(delivery.error());
  if (recipients.empty()) return std::vector<PublicId>();
  const auto section = live_section(*delivery);
  if (!section) return fail(section.error());
  RecipientAppender appender(*this, key, delivery->account, *section, delivery->traffic);
  auto ids = appender.append(recipients, delivery->counts.total);
  if (!ids) return ids;
  auto done = db_.query("UPDATE deliveries SET total = total + ?, updated = ? WHERE key = ?")
                  .bind(recipients.size(), now_, key)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return ids;
}

Result<void> SqliteWriteTransaction::clear_recipients(DeliveryKey key) {
  const auto delivery = draft(key);
  if (!delivery) return fail(delivery.error());
  auto done = db_.query("UPDATE sections SET state = ? WHERE delivery = ? AND state = ?")
                  .bind(kSectionDiscarded, key, kSectionLive)
                  .run();
  if (!done) return done;
  return db_.query("UPDATE deliveries SET total = 0, updated = ? WHERE key = ?")
      .bind(now_, key)
      .run();
}

// The batch of a recipient of a delivery that may be changed: what was found of that.
Result<BatchRow> SqliteWriteTransaction::batch_to_change(const Result<Delivery>& delivery,
                                                         const RecipientKey& key) {
  if (!delivery) return fail(delivery.error());
  auto batch = queries_.batch(batch_number(key.delivery, key.batch));
  if (!batch) return fail(std::move(batch.error()));
  if (*batch && (*batch)->delivery == number_of(key.delivery)) {
    const auto shown = queries_.visible(**batch);
    if (!shown) return fail(shown.error());
    if (*shown) return std::move(**batch);
  }
  return fail(ErrorKind::not_found, "there is no such recipient");
}

// An address of another domain comes into a batch of one domain: from now on it is shared.
Result<void> SqliteWriteTransaction::make_shared_batch(const BatchRow& batch) {
  auto done =
      db_.query(
             "UPDATE recipients SET address = address || ? WHERE id BETWEEN ? AND ?"
             " AND address LIKE '%@'")
          .bind(std::string_view(batch.domain), first_row(batch.number), last_row(batch.number))
          .run();
  if (!done) return done;
  return db_.query("UPDATE batches SET domain = '' WHERE number = ?").bind(batch.number).run();
}

Result<void> SqliteWriteTransaction::remember_address(std::int64_t row, std::string_view address) {
  const std::uint64_t hash = queries_.address_hash(address);
  addresses_written_.fetch_add(1, std::memory_order_relaxed);
  return db_.query("INSERT OR REPLACE INTO address_recent(recipient, hash) VALUES(?, ?)")
      .bind(row, std::bit_cast<std::int64_t>(hash))
      .run();
}

Result<void> SqliteWriteTransaction::change_recipient(const RecipientKey& key,
                                                      const NewRecipient& recipient) {
  auto batch = batch_to_change(draft(key.delivery), key);
  if (!batch) return fail(std::move(batch.error()));
  const std::int64_t row = recipient_row(key);
  const auto before = domain_at(row, *batch);
  if (!before) return fail(before.error());
  if (!batch->domain.empty() && recipient.domain != batch->domain) {
    auto shared = make_shared_batch(*batch);
    if (!shared) return shared;
    batch->domain.clear();
  }
  std::string codes;
  auto packed = pack_codes(queries_.dictionary(), recipient.insert_codes, codes);
  if (!packed) return packed;
  const auto blob = codes.empty() ? std::nullopt : std::optional(Blob{codes});
  auto done = db_.query("UPDATE recipients SET address = ?, codes = ?, updated = ? WHERE id = ?")
                  .bind(stored_address(recipient.address, batch->domain), blob, now_, row)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "there is no such recipient");
  done = remember_address(row, recipient.address);
  if (done && *before != recipient.domain) {
    done = discount_domain(batch->section, *before);
    if (done) done = count_domains(batch->section, tally_domains(std::span(&recipient, 1)));
  }
  if (!done) return done;
  return touch(key.delivery);
}

Result<void> SqliteWriteTransaction::remove_recipient(const RecipientKey& key) {
  return remove_from(batch_to_change(draft(key.delivery), key), key);
}

Result<void> SqliteWriteTransaction::withdraw_recipient(const RecipientKey& key) {
  const auto delivery = checked_not_begun(queries_.delivery_row(key.delivery));
  auto done = remove_from(batch_to_change(delivery, key), key);
  return done ? void_approval(key.delivery, std::nullopt) : done;
}

Result<void> SqliteWriteTransaction::remove_from(const Result<BatchRow>& batch,
                                                 const RecipientKey& key) {
  if (!batch) return fail(batch.error());
  const auto domain = domain_at(recipient_row(key), *batch);
  if (!domain) return fail(domain.error());
  auto done = db_.query("DELETE FROM recipients WHERE id = ?").bind(recipient_row(key)).run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "there is no such recipient");
  done = discount_domain(batch->section, *domain);
  if (!done) return done;
  done = db_.query(
                "UPDATE batches SET open = open - 1, removed = removed + 1,"
                " ready_at = CASE WHEN open > 1 THEN ready_at END WHERE number = ?")
             .bind(batch->number)
             .run();
  if (!done) return done;
  return db_.query("UPDATE deliveries SET total = total - 1, updated = ? WHERE key = ?")
      .bind(now_, key.delivery)
      .run();
}

}  // namespace todoku::store::sqlite
