// SPDX-License-Identifier: Apache-2.0
// Erasing what is kept of an address, and the audit (store/personal_data.h).
//
// What is erased is overwritten in the file, too: pages that this frees are filled with zeros
// (secure_delete), which costs writes that ordinary removals do without.
#include "store/personal_data.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/digest.h"
#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Sql audit_sql(const AuditQuestion& question) {
  constexpr Sql kOn(AUDIT_STRETCH " ORDER BY key LIMIT ?3");
  constexpr Sql kBack(AUDIT_STRETCH " ORDER BY key DESC LIMIT ?3");
  constexpr Sql kOfAddressOn(AUDIT_STRETCH " AND hash = ?4 AND hash <> 0 ORDER BY key LIMIT ?3");
  constexpr Sql kOfAddressBack(AUDIT_STRETCH
                               " AND hash = ?4 AND hash <> 0 ORDER BY key DESC LIMIT ?3");
  constexpr Sql kOfAccountOn(AUDIT_STRETCH " AND account = ?4 ORDER BY key LIMIT ?3");
  constexpr Sql kOfAccountBack(AUDIT_STRETCH " AND account = ?4 ORDER BY key DESC LIMIT ?3");
  if (!question.address.empty()) return question.newest_first ? kOfAddressBack : kOfAddressOn;
  if (question.account) return question.newest_first ? kOfAccountBack : kOfAccountOn;
  return question.newest_first ? kBack : kOn;
}

// For as long as it lives.
class OverwritingFreed {
 public:
  explicit OverwritingFreed(Connection& db) : db_(db) {
    (void)db_.execute("PRAGMA secure_delete=ON");
  }
  ~OverwritingFreed() { (void)db_.execute("PRAGMA secure_delete=FAST"); }
  OverwritingFreed(const OverwritingFreed&) = delete;
  OverwritingFreed& operator=(const OverwritingFreed&) = delete;

 private:
  Connection& db_;
};

struct HeaderLists {
  std::vector<std::string> to;
  std::vector<std::string> cc;
};

bool is_in_lists(const HeaderLists& lists, std::string_view address) {
  const auto is_it = [address](const std::string& each) {
    return equals_ignoring_case(each, address);
  };
  return std::ranges::any_of(lists.to, is_it) || std::ranges::any_of(lists.cc, is_it);
}

// Empty without content.
Result<HeaderLists> header_lists(Connection& db, DeliveryKey key) {
  auto query = db.query("SELECT header_to, header_cc FROM contents WHERE delivery = ?");
  query.bind(key);
  if (!query.next()) return query.failed() ? fail(query.error()) : Result<HeaderLists>();
  auto to = unpack_list(query.blob(0));
  if (!to) return fail(std::move(to.error()));
  auto cc = unpack_list(query.blob(1));
  if (!cc) return fail(std::move(cc.error()));
  return HeaderLists{.to = std::move(*to), .cc = std::move(*cc)};
}

// True: it had the address.
bool erase_in(std::vector<std::string>& list, std::string_view address) {
  bool had = false;
  for (std::string& each : list) {
    if (!equals_ignoring_case(each, address)) continue;
    each = kErasedAddress;
    had = true;
  }
  return had;
}

}  // namespace

// ---- audit -------------------------------------------------------------------------------------

Result<std::vector<AuditEntry>> Queries::audit(const AuditQuestion& question) {
  if (auto sound = check_sound(question); !sound) return fail(std::move(sound.error()));
  std::int64_t since = 0;
  if (question.since) {
    auto query = db_.query("SELECT key FROM audit WHERE at >= ? ORDER BY at, key LIMIT 1");
    query.bind(*question.since);
    const bool any = query.next();
    if (query.failed()) return fail(query.error());
    if (!any) return std::vector<AuditEntry>();
    since = query.integer(0);
  }
  const AuditStretch stretch = stretch_of(question, since);
  auto query = db_.query(audit_sql(question));
  if (!question.address.empty()) {
    query.bind(stretch.first, stretch.last, question.limit,
               std::bit_cast<std::int64_t>(hash_(question.address)));
  } else if (question.account) {
    query.bind(stretch.first, stretch.last, question.limit, *question.account);
  } else {
    query.bind(stretch.first, stretch.last, question.limit);
  }
  std::vector<AuditEntry> entries;
  while (query.next()) {
    entries.push_back({.at = query.instant(1),
                       .actor = std::string(query.text(2)),
                       .action = std::string(query.text(3)),
                       .account = AccountKey{query.integer(4)},
                       .delivery = query.integer(5),
                       .email = query.integer(6),
                       .address_hash = std::bit_cast<std::uint64_t>(query.integer(7)),
                       .origin = std::string(query.text(8)),
                       .number = query.integer(0)});
  }
  if (query.failed()) return fail(query.error());
  return entries;
}

Result<void> SqliteWriteTransaction::add_audit(const AuditEntry& entry, std::string_view address) {
  const std::int64_t hash =
      address.empty() ? 0 : std::bit_cast<std::int64_t>(queries_.address_hash(address));
  return db_
      .query(
          "INSERT INTO audit(at, actor, action, account, delivery, email, hash, origin)"
          " VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(now_, std::string_view(entry.actor).substr(0, kAuditTextMax),
            std::string_view(entry.action).substr(0, kAuditTextMax), entry.account, entry.delivery,
            entry.email, hash, std::string_view(entry.origin).substr(0, kAuditTextMax))
      .run();
}

Result<bool> SqliteWriteTransaction::drop_audit(Instant before, std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM audit WHERE key IN (SELECT key FROM audit WHERE at < ?"
                     " ORDER BY at LIMIT ?)")
                  .bind(before, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() >= rows;
}

// ---- erasing -----------------------------------------------------------------------------------

Result<bool> SqliteWriteTransaction::has_unerased(std::int64_t batch) {
  auto query =
      db_.query("SELECT 1 FROM recipients WHERE id BETWEEN ? AND ? AND address <> ? LIMIT 1");
  query.bind(first_row(batch), last_row(batch), kErasedAddress);
  const bool has = query.next();
  if (query.failed()) return fail(query.error());
  return has;
}

// Batches of a transaction follow its key, or are those of its section if it waited.
Result<bool> SqliteWriteTransaction::others_left(DeliveryKey key) {
  for (std::int64_t number = number_of(key);; ++number) {
    const auto found = queries_.batch(number);
    if (!found) return fail(found.error());
    if (!*found || (*found)->delivery != number_of(key)) break;
    const auto has = has_unerased(number);
    if (!has || *has) return has;
  }
  std::vector<std::int64_t> numbers;
  {
    auto query = db_.query(
        "SELECT b.number FROM sections s JOIN batches b ON b.section = s.id WHERE s.delivery = ?");
    query.bind(key);
    while (query.next()) numbers.push_back(query.integer(0));
    if (query.failed()) return fail(query.error());
  }
  for (const std::int64_t number : numbers) {
    const auto has = has_unerased(number);
    if (!has || *has) return has;
  }
  return false;
}

Result<void> SqliteWriteTransaction::erase_in_history(std::int64_t row, std::string_view address) {
  std::string history;
  {
    auto query = db_.query("SELECT history FROM progress WHERE id = ?");
    query.bind(row);
    if (!query.next()) return query.failed() ? fail(query.error()) : Result<void>();
    history = query.blob(0);
  }
  std::vector<std::int64_t> numbers;
  auto& dictionary = queries_.dictionary();
  const auto erased = without_address(dictionary, history, address, numbers);
  if (!erased) return fail(erased.error());
  for (const std::int64_t number : numbers) {
    const auto value = dictionary.value(number);
    if (!value) return fail(value.error());
    dictionary_replaced_ = true;
    auto done = dictionary.replace(number, DictionaryKind::reply, without_address(*value, address));
    if (!done) return done;
  }
  return db_.query("UPDATE progress SET history = ? WHERE id = ?").bind(Blob{*erased}, row).run();
}

Result<void> SqliteWriteTransaction::erase_in_header(DeliveryKey key, std::string_view address) {
  auto lists = header_lists(db_, key);
  if (!lists) return fail(std::move(lists.error()));
  const bool in_to = erase_in(lists->to, address);
  const bool in_cc = erase_in(lists->cc, address);
  if (!in_to && !in_cc) return {};
  return db_.query("UPDATE contents SET header_to = ?, header_cc = ? WHERE delivery = ?")
      .bind(Blob{pack_list(lists->to)}, Blob{pack_list(lists->cc)}, key)
      .run();
}

// A domain may name somebody as an address does: the recipient is one of the others from now on.
Result<void> SqliteWriteTransaction::erase_in_histogram(const RecipientKey& key,
                                                        std::string_view address) {
  const auto batch = queries_.batch(batch_number(key.delivery, key.batch));
  if (!batch) return fail(batch.error());
  if (!*batch || (*batch)->section == 0) return {};
  auto done = discount_domain((*batch)->section, domain_of(address));
  const DomainTally other{{}, 1};
  if (done) done = count_domains((*batch)->section, std::span(&other, 1));
  return done;
}

Result<ErasedRecipient> SqliteWriteTransaction::erase_recipient(const RecipientKey& key,
                                                                std::string_view address) {
  const OverwritingFreed overwriting(db_);
  const auto story = queries_.story(key);
  if (!story) return fail(story.error());
  if (!equals_ignoring_case(story->address, address)) {
    return fail(ErrorKind::not_found, "there is no such recipient");
  }
  if (!is_terminal(story->state)) return fail(ErrorKind::conflict, "it is on its way");
  const auto delivery = queries_.delivery_row(key.delivery);
  if (!delivery) return fail(delivery.error());
  if (!is_over(delivery->status)) {
    const auto lists = header_lists(db_, key.delivery);
    if (!lists) return fail(lists.error());
    if (is_in_lists(*lists, address))
      return fail(ErrorKind::conflict,
                  "its delivery has its address in the header, and others are on their way");
  }
  const std::int64_t row = recipient_row(key);
  auto done = db_.query("UPDATE recipients SET address = ?, codes = NULL WHERE id = ?")
                  .bind(kErasedAddress, row)
                  .run();
  if (done) done = erase_in_histogram(key, story->address);
  if (done) done = erase_in_history(row, address);
  if (done) {
    done = db_.query("DELETE FROM opens WHERE account = ? AND id = ?")
               .bind(delivery->account, story->email_id)
               .run();
  }
  if (!done) return fail(std::move(done.error()));
  if (delivery->type == DeliveryType::bulk) return ErasedRecipient{};
  const auto left = others_left(key.delivery);
  if (!left) return fail(left.error());
  if (*left) {
    done = erase_in_header(key.delivery, address);
    if (!done) return fail(std::move(done.error()));
    return ErasedRecipient{.content_erased = false, .content_stays = true};
  }
  const auto erased = erase_content(key.delivery);
  if (!erased) return fail(erased.error());
  return ErasedRecipient{.content_erased = *erased, .content_stays = false};
}

Result<bool> SqliteWriteTransaction::erase_content(DeliveryKey key) {
  const OverwritingFreed overwriting(db_);
  const auto delivery = queries_.delivery_row(key);
  if (!delivery) return fail(delivery.error());
  if (!is_over(delivery->status)) {
    return fail(ErrorKind::conflict, "the delivery is not over");
  }
  auto done = db_.query(
                     "UPDATE contents SET header_to = NULL, header_cc = NULL, attachments = 0,"
                     " subject = ?1, text_part = ?1, html_part = '', headers = x'', envelope = x''"
                     " WHERE delivery = ?2 AND NOT (subject = ?1 AND text_part = ?1)")
                  .bind(kErasedText, key)
                  .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return false;
  for (const auto& sql : {Sql("UPDATE relayed SET gone = 1 WHERE key IN"
                              " (SELECT relayed FROM attachments WHERE delivery = ?)"),
                          Sql("DELETE FROM attachments WHERE delivery = ?")}) {
    done = db_.query(sql).bind(key).run();
    if (!done) return fail(std::move(done.error()));
  }
  return true;
}

Result<ErasedStops> SqliteWriteTransaction::erase_suppressions(AccountKey account,
                                                               std::string_view subject) {
  const OverwritingFreed overwriting(db_);
  const std::int64_t first = queries_.suppression_place(account, subject);
  const std::string erased = erased_subject(queries_.address_hash(subject));
  ErasedStops told;
  // A hard error is counted anew. What has expired would be taken for what goes on: what was erased
  // before may last longer.
  auto done = db_.query(
                     "DELETE FROM suppressions WHERE id BETWEEN ?1 AND ?1 + 255 AND account = ?2"
                     " AND subject = ?3 AND (reason = 1 OR expires <= ?4)")
                  .bind(first, account, subject, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  told.removed = db_.changes();
  // What was erased before and put again since is there twice: one goes on, for as long as both.
  done = db_.query(
                "UPDATE suppressions SET expires = (SELECT CASE WHEN e.expires IS NOT NULL"
                " THEN max(e.expires, suppressions.expires) END FROM suppressions e WHERE e.id"
                " BETWEEN ?1 AND ?1 + 255 AND e.account = ?2 AND e.subject = ?3"
                " AND e.reason = suppressions.reason AND e.list_id = suppressions.list_id)"
                " WHERE id BETWEEN ?1 AND ?1 + 255 AND account = ?2 AND subject = ?4"
                " AND expires IS NOT NULL AND EXISTS (SELECT 1 FROM suppressions e WHERE e.id"
                " BETWEEN ?1 AND ?1 + 255 AND e.account = ?2 AND e.subject = ?3"
                " AND e.reason = suppressions.reason AND e.list_id = suppressions.list_id)")
             .bind(first, account, std::string_view(erased), subject)
             .run();
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "DELETE FROM suppressions WHERE id BETWEEN ?1 AND ?1 + 255 AND account = ?2"
                " AND subject = ?3 AND EXISTS (SELECT 1 FROM suppressions s WHERE s.id BETWEEN ?1"
                " AND ?1 + 255 AND s.account = ?2 AND s.subject = ?4"
                " AND s.reason = suppressions.reason AND s.list_id = suppressions.list_id)")
             .bind(first, account, std::string_view(erased), subject)
             .run();
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "UPDATE suppressions SET subject = ?3, note = '', words = ''"
                " WHERE id BETWEEN ?1 AND ?1 + 255 AND account = ?2 AND subject = ?4")
             .bind(first, account, std::string_view(erased), subject)
             .run();
  if (!done) return fail(std::move(done.error()));
  told.hashed = db_.changes();
  done = db_.query(
                "UPDATE suppression_removals SET subject = ?, why = '' WHERE account = ?"
                " AND subject = ?")
             .bind(std::string_view(erased), account, subject)
             .run();
  if (!done) return fail(std::move(done.error()));
  told.removals = db_.changes();
  return told;
}

Result<std::int64_t> SqliteWriteTransaction::expire_copies(AccountKey account) {
  auto done = db_.query(
                     "UPDATE export_jobs SET ended = 0 WHERE account = ? AND ended IS NOT NULL"
                     " AND ended <> 0")
                  .bind(account)
                  .run();
  if (!done) return fail(std::move(done.error()));
  const std::int64_t exports = db_.changes();
  done = db_.query(
                "UPDATE export_jobs SET node = 0, percentage = 0 WHERE account = ?"
                " AND status = 1")
             .bind(account)
             .run();
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "DELETE FROM webhook_calls WHERE webhook IN"
                " (SELECT name FROM webhooks WHERE account = ?)")
             .bind(account)
             .run();
  if (!done) return fail(std::move(done.error()));
  return exports;
}

}  // namespace todoku::store::sqlite
