// SPDX-License-Identifier: Apache-2.0
// Erasing what is kept of an address, and the audit (store/personal_data.h). The batch is locked
// first, as by whoever settles or records an opening.
//
// PostgreSQL keeps what a row was until it is vacuumed (docs/personal-data.md).
#include "store/personal_data.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.h"
#include "store/numbers.h"
#include "store/postgres/domain_counts.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

#define AUDIT_COLUMNS "key, at, actor, action, account, delivery, email, hash, origin"
const Sql kAuditSince{"audit: since",
                      "SELECT key FROM audit WHERE at >= $1 ORDER BY at, key LIMIT 1"};
#define AUDIT_STRETCH "SELECT " AUDIT_COLUMNS " FROM audit WHERE key BETWEEN $1 AND $2"
const Sql kAudit{"audit: all", AUDIT_STRETCH " ORDER BY key LIMIT $3"};
const Sql kAuditBack{"audit: all, back", AUDIT_STRETCH " ORDER BY key DESC LIMIT $3"};
const Sql kAuditOfAddress{"audit: of an address",
                          AUDIT_STRETCH " AND hash = $4 AND hash <> 0 ORDER BY key LIMIT $3"};
const Sql kAuditOfAddressBack{"audit: of an address, back", AUDIT_STRETCH
                              " AND hash = $4 AND hash <> 0 ORDER BY key DESC LIMIT $3"};
const Sql kAuditOfAccount{"audit: of an account",
                          AUDIT_STRETCH " AND account = $4 ORDER BY key LIMIT $3"};
const Sql kAuditOfAccountBack{"audit: of an account, back",
                              AUDIT_STRETCH " AND account = $4 ORDER BY key DESC LIMIT $3"};
const Sql kAddAudit{"audit: add", "INSERT INTO audit(" AUDIT_COLUMNS
                                  ") VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
const Sql kDropAudit{"audit: drop",
                     "DELETE FROM audit WHERE key = ANY(ARRAY(SELECT key FROM audit WHERE at < $1"
                     " ORDER BY at LIMIT $2))"};

const Sql kHoldBatch{"erase: hold batch",
                     "SELECT account, section FROM batches WHERE number = $1 FOR NO KEY UPDATE"};
const Sql kHistory{"erase: history", "SELECT history FROM progress WHERE batch = $1 AND seq = $2"};
const Sql kEraseRecipient{"erase: recipient",
                          "UPDATE recipients SET address = $3, hash = $4, codes = NULL"
                          " WHERE batch = $1 AND seq = $2"};
const Sql kEraseMarks{"erase: marks", "DELETE FROM recipient_marks WHERE batch = $1 AND seq = $2"};
const Sql kEraseHistory{"erase: words",
                        "UPDATE progress SET history = $3 WHERE batch = $1 AND seq = $2"};
const Sql kEraseOpens{"erase: opens", "DELETE FROM opens WHERE account = $1 AND id = $2"};
const Sql kOthersLeft{
    "erase: others left",
    "WITH RECURSIVE its(number) AS (SELECT number FROM batches WHERE number = $1 AND delivery = $1"
    " UNION ALL SELECT b.number FROM its JOIN batches b ON b.number = its.number + 1"
    " AND b.delivery = $1), of_all(number) AS (SELECT number FROM its UNION SELECT b.number"
    " FROM sections s CROSS JOIN LATERAL (SELECT number FROM batches WHERE section = s.id OFFSET "
    "0) b"
    " WHERE s.delivery = $1)"
    " SELECT 1 FROM of_all CROSS JOIN LATERAL (SELECT FROM recipients r"
    " WHERE r.batch = of_all.number AND r.address <> $2 LIMIT 1) x LIMIT 1"};
const Sql kHeaderLists{"erase: header lists",
                       "SELECT header_to, header_cc FROM contents WHERE delivery = $1"};
const Sql kEraseHeader{"erase: in header",
                       "UPDATE contents SET header_to = $2, header_cc = $3 WHERE delivery = $1"};
const Sql kEraseContent{"erase: content",
                        "UPDATE contents SET header_to = '', header_cc = '', attachments = 0,"
                        " subject = $2, text_part = $2, html_part = '', headers = '',"
                        " envelope = '' WHERE delivery = $1"
                        " AND NOT (subject = $2 AND text_part = $2)"};
const Sql kEraseRelayed{"erase: relayed",
                        "UPDATE relayed SET gone = 1 WHERE key = ANY(ARRAY(SELECT relayed"
                        " FROM attachments WHERE delivery = $1 AND relayed <> 0))"};
const Sql kEraseAttachments{"erase: attachments", "DELETE FROM attachments WHERE delivery = $1"};

// Of a subject: $1 hash, $2 account, $3 subject, $4 erased subject.
const Sql kRemoveHardErrors{"erase: hard errors",
                            "DELETE FROM suppressions WHERE hash = $1 AND account = $2"
                            " AND subject = $3 AND reason = 1"};
// That would be taken for what goes on: what was erased before may last longer.
const Sql kRemoveExpired{"erase: expired entries",
                         "DELETE FROM suppressions WHERE hash = $1 AND account = $2"
                         " AND subject = $3 AND expires <= $4"};
// What was erased before and put again since is there twice: one goes on, for as long as both.
const Sql kLastLonger{
    "erase: later expiry",
    "UPDATE suppressions s SET expires = CASE WHEN e.expires IS NOT NULL"
    " THEN greatest(s.expires, e.expires) END FROM suppressions e"
    " WHERE s.hash = $1 AND s.account = $2 AND s.subject = $3 AND s.expires IS NOT NULL"
    " AND e.hash = $1 AND e.account = $2 AND e.subject = $4"
    " AND e.reason = s.reason AND e.list_id = s.list_id"};
const Sql kRemoveTwins{
    "erase: twins",
    "DELETE FROM suppressions e WHERE e.hash = $1 AND e.account = $2 AND e.subject = $4"
    " AND EXISTS (SELECT FROM suppressions s WHERE s.hash = $1 AND s.account = $2"
    " AND s.subject = $3 AND s.reason = e.reason AND s.list_id = e.list_id)"};
const Sql kHashStops{"erase: subjects",
                     "UPDATE suppressions SET subject = $4, note = '', words = ''"
                     " WHERE hash = $1 AND account = $2 AND subject = $3"};
const Sql kHashRemovals{"erase: removals",
                        "UPDATE suppression_removals SET subject = $3, why = ''"
                        " WHERE account = $1 AND subject = $2"};
// Before those that have ended are looked at: one that ends meanwhile is among them then.
const Sql kRestartExports{"erase: exports under way",
                          "UPDATE export_jobs SET node = 0, percentage = 0 WHERE account = $1"
                          " AND status = 1"};
const Sql kExpireExports{"erase: exports",
                         "UPDATE export_jobs SET ended = 0 WHERE account = $1"
                         " AND ended IS NOT NULL AND ended <> 0"};
const Sql kEndpoints{"erase: endpoints", "SELECT name FROM webhooks WHERE account = $1"};
const Sql kForgetCalls{"erase: calls", "DELETE FROM webhook_calls WHERE webhook = $1"};

std::int64_t stored_address_hash(Session& session, std::string_view address) {
  return std::bit_cast<std::int64_t>(session.hash()(address));
}

// Read in the order of their keys: the instant comes first, as of removals of suppressions.
std::int64_t audit_key(Instant at, std::int64_t number) {
  constexpr std::int64_t kOfAnInstant = std::int64_t{1} << 20U;
  return to_epoch_ms(at) * kOfAnInstant + number % kOfAnInstant;
}

Result<Table> ask_audit(Session& session, const AuditQuestion& question,
                        const AuditStretch& stretch) {
  const bool back = question.newest_first;
  Params given;
  given << stretch.first << stretch.last << question.limit;
  if (!question.address.empty()) {
    given << stored_address_hash(session, question.address);
    return session.ask(back ? kAuditOfAddressBack : kAuditOfAddress, given);
  }
  if (question.account) {
    given << *question.account;
    return session.ask(back ? kAuditOfAccountBack : kAuditOfAccount, given);
  }
  return session.ask(back ? kAuditBack : kAudit, given);
}

struct HeaderNames {
  std::vector<std::string> to;
  std::vector<std::string> cc;
};

// Empty without content.
Result<HeaderNames> header_names(Session& session, DeliveryKey key) {
  const auto rows = session.ask(kHeaderLists, Params() << key);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return HeaderNames{};
  auto to = unpack_list(rows->text(0, 0));
  if (!to) return fail(std::move(to.error()));
  auto cc = unpack_list(rows->text(0, 1));
  if (!cc) return fail(std::move(cc.error()));
  return HeaderNames{.to = std::move(*to), .cc = std::move(*cc)};
}

bool is_named(const HeaderNames& names, std::string_view address) {
  const auto is_it = [address](const std::string& each) {
    return equals_ignoring_case(each, address);
  };
  return std::ranges::any_of(names.to, is_it) || std::ranges::any_of(names.cc, is_it);
}

// True: it had the address.
bool erase_address_in(std::vector<std::string>& list, std::string_view address) {
  bool had = false;
  for (std::string& each : list) {
    if (!equals_ignoring_case(each, address)) continue;
    each = kErasedAddress;
    had = true;
  }
  return had;
}

Result<void> erase_address_in_header(Session& session, DeliveryKey key, std::string_view address) {
  auto names = header_names(session, key);
  if (!names) return fail(std::move(names.error()));
  const bool in_to = erase_address_in(names->to, address);
  const bool in_cc = erase_address_in(names->cc, address);
  if (!in_to && !in_cc) return {};
  const std::string packed_to = pack_list(names->to);
  const std::string packed_cc = pack_list(names->cc);
  const auto done =
      session.ask(kEraseHeader, Params() << key << Octets{packed_to} << Octets{packed_cc});
  if (!done) return fail(done.error());
  return {};
}

Result<void> erase_address_in_history(Session& session, std::int64_t batch, std::int64_t seq,
                                      std::string_view address) {
  const auto rows = session.ask(kHistory, Params() << batch << seq);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return {};
  std::vector<std::int64_t> numbers;  // there is no dictionary
  const auto erased = without_address(session.dictionary(), rows->text(0, 0), address, numbers);
  if (!erased) return fail(erased.error());
  const auto done = session.ask(kEraseHistory, Params() << batch << seq << Octets{*erased});
  if (!done) return fail(done.error());
  return {};
}

}  // namespace

Result<std::vector<AuditEntry>> Questions::audit(const AuditQuestion& question) {
  if (auto sound = check_sound(question); !sound) return fail(std::move(sound.error()));
  std::int64_t since = 0;
  std::vector<AuditEntry> entries;
  if (question.since) {
    const auto rows = session_.ask(kAuditSince, Params() << *question.since);
    if (!rows) return fail(rows.error());
    if (rows->empty()) return entries;
    since = rows->integer(0, 0);
  }
  const auto rows = ask_audit(session_, question, stretch_of(question, since));
  if (!rows) return fail(rows.error());
  for (int i = 0; i < rows->size(); ++i) {
    entries.push_back({.at = rows->instant(i, 1),
                       .actor = std::string(rows->text(i, 2)),
                       .action = std::string(rows->text(i, 3)),
                       .account = AccountKey{rows->integer(i, 4)},
                       .delivery = rows->integer(i, 5),
                       .email = rows->integer(i, 6),
                       .address_hash = std::bit_cast<std::uint64_t>(rows->integer(i, 7)),
                       .origin = std::string(rows->text(i, 8)),
                       .number = rows->integer(i, 0)});
  }
  return entries;
}

Result<void> Changes::add_audit(const AuditEntry& entry, std::string_view address) {
  const auto number = session_.take_numbers(1);
  if (!number) return fail(number.error());
  const std::int64_t hash = address.empty() ? 0 : stored_address_hash(session_, address);
  const auto done =
      session_.ask(kAddAudit, Params() << audit_key(session_.now(), *number) << session_.now()
                                       << std::string_view(entry.actor).substr(0, kAuditTextMax)
                                       << std::string_view(entry.action).substr(0, kAuditTextMax)
                                       << entry.account << entry.delivery << entry.email << hash
                                       << std::string_view(entry.origin).substr(0, kAuditTextMax));
  if (!done) return fail(done.error());
  return {};
}

Result<bool> Changes::drop_audit(Instant before, std::int64_t rows) {
  const auto done = session_.ask(kDropAudit, Params() << before << rows);
  if (!done) return fail(done.error());
  return done->changes() >= rows;
}

Result<ErasedRecipient> Changes::erase_recipient(const RecipientKey& key,
                                                 std::string_view address) {
  const std::int64_t batch = batch_number(key.batch_key());
  const auto held = session_.ask(kHoldBatch, Params() << batch);
  if (!held) return fail(held.error());
  const auto story = questions_.story(key);
  if (!story) return fail(story.error());
  if (!equals_ignoring_case(story->address, address)) {
    return fail(ErrorKind::not_found, "there is no such recipient");
  }
  if (!is_terminal(story->state)) return fail(ErrorKind::conflict, "it is on its way");
  if (!is_over(story->delivery_status)) {
    const auto names = header_names(session_, key.delivery);
    if (!names) return fail(names.error());
    if (is_named(*names, address)) {
      return fail(ErrorKind::conflict,
                  "its delivery has its address in the header, and others are on their way");
    }
  }
  const auto changed =
      session_.ask(kEraseRecipient, Params() << batch << key.seq << kErasedAddress
                                             << stored_address_hash(session_, kErasedAddress));
  if (!changed) return fail(changed.error());
  const auto unmarked = session_.ask(kEraseMarks, Params() << batch << key.seq);
  if (!unmarked) return fail(unmarked.error());
  // A domain may name somebody as an address does: the recipient is one of the others from now on.
  if (!held->null(0, 1)) {
    const DomainTally other{{}, 1};
    DomainColumns domains;
    domains.add(held->integer(0, 1), std::span(&other, 1));
    DomainColumns::add_discount(session_, held->integer(0, 1), domain_of(story->address));
    domains.add_statements(session_);
  }
  auto done = erase_address_in_history(session_, batch, key.seq, address);
  if (!done) return fail(std::move(done.error()));
  const auto opens = session_.ask(kEraseOpens, Params() << held->integer(0, 0) << story->email_id);
  if (!opens) return fail(opens.error());
  if (story->type == DeliveryType::bulk) return ErasedRecipient{};
  const auto left = session_.ask(kOthersLeft, Params() << key.delivery << kErasedAddress);
  if (!left) return fail(left.error());
  if (!left->empty()) {
    done = erase_address_in_header(session_, key.delivery, address);
    if (!done) return fail(std::move(done.error()));
    return ErasedRecipient{.content_erased = false, .content_stays = true};
  }
  const auto erased = erase_content(key.delivery);
  if (!erased) return fail(erased.error());
  return ErasedRecipient{.content_erased = *erased, .content_stays = false};
}

Result<bool> Changes::erase_content(DeliveryKey key) {
  const auto delivery = questions_.delivery_head(key);
  if (!delivery) return fail(delivery.error());
  if (!is_over(delivery->status)) {
    return fail(ErrorKind::conflict, "the delivery is not over");
  }
  const auto erased = session_.ask(kEraseContent, Params() << key << kErasedText);
  if (!erased) return fail(erased.error());
  if (erased->changes() == 0) return false;
  const auto done =
      session_.add(kEraseRelayed, Params() << key).add(kEraseAttachments, Params() << key).fly();
  if (!done) return fail(done.error());
  return true;
}

Result<ErasedStops> Changes::erase_suppressions(AccountKey account, std::string_view subject) {
  const std::uint64_t number = session_.hash()(subject);
  const auto hash = std::bit_cast<std::int64_t>(number);
  const std::string erased = erased_subject(number);
  const auto removed = session_.ask(kRemoveHardErrors, Params() << hash << account << subject);
  if (!removed) return fail(removed.error());
  const auto expired =
      session_.ask(kRemoveExpired, Params() << hash << account << subject << session_.now());
  if (!expired) return fail(expired.error());
  const auto longer =
      session_.ask(kLastLonger, Params() << hash << account << subject << std::string_view(erased));
  if (!longer) return fail(longer.error());
  const auto twins = session_.ask(
      kRemoveTwins, Params() << hash << account << subject << std::string_view(erased));
  if (!twins) return fail(twins.error());
  const auto hashed =
      session_.ask(kHashStops, Params() << hash << account << subject << std::string_view(erased));
  if (!hashed) return fail(hashed.error());
  const auto removals =
      session_.ask(kHashRemovals, Params() << account << subject << std::string_view(erased));
  if (!removals) return fail(removals.error());
  return ErasedStops{.hashed = hashed->changes(),
                     .removed = removed->changes() + expired->changes(),
                     .removals = removals->changes()};
}

Result<std::int64_t> Changes::expire_copies(AccountKey account) {
  const auto restarted = session_.ask(kRestartExports, Params() << account);
  if (!restarted) return fail(restarted.error());
  const auto exports = session_.ask(kExpireExports, Params() << account);
  if (!exports) return fail(exports.error());
  const auto endpoints = session_.ask(kEndpoints, Params() << account);
  if (!endpoints) return fail(endpoints.error());
  if (endpoints->empty()) return exports->changes();
  for (int i = 0; i < endpoints->size(); ++i) {  // kWebhooksMax of them at most
    session_.add(kForgetCalls, Params() << endpoints->text(i, 0));
  }
  const auto calls = session_.fly();
  if (!calls) return fail(calls.error());
  return exports->changes();
}

}  // namespace todoku::store::postgres
