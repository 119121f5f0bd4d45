// SPDX-License-Identifier: Apache-2.0
// Suppression lists (store/suppressions.h).
//
// An entry's row id is where it is found: two bits that say of what kind it is, 53 bits of a keyed
// hash of subject and account, and 8 bits that tell entries of one subject apart. So a look-up is
// one descent for a subject, mostly none (stop_filter.h), and the few entries of domains and of the
// installation lie together; where there are none of a kind, which a commit asks once, nobody looks
// for them. What the hash names is compared before it is believed.
#include <algorithm>

#include "store/address_hash.h"
#include "store/personal_data.h"
#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

constexpr unsigned kHashBits = 53;
constexpr std::int64_t kLastSlot = (1 << kStopSlotBits) - 1;
static_assert(kStopsOfSubjectMax <= kLastSlot);
constexpr std::int64_t kSkippedMax = 20'000;
constexpr std::int64_t kRemovalsTold = 100;

// Two bits: the installation's, of a whole domain.
unsigned kind_of(AccountKey account, std::string_view subject) {
  return (account == kInstallation ? 2U : 0U) | (subject.starts_with('@') ? 1U : 0U);
}

std::int64_t first_of_kind(unsigned kind) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(kind) << (kHashBits + kStopSlotBits));
}

// The first of the row ids of a subject.
std::int64_t first_place(AccountKey account, std::string_view subject, std::uint64_t hash) {
  std::uint64_t mixed = hash ^ (static_cast<std::uint64_t>(account) * 0x9E37'79B9'7F4A'7C15U);
  mixed *= 0xFF51'AFD7'ED55'8CCDU;
  mixed ^= mixed >> 32U;
  return first_of_kind(kind_of(account, subject)) |
         static_cast<std::int64_t>(mixed >> (64U - kHashBits) << kStopSlotBits);
}

// Also an entry whose subject was erased (store/personal_data.h).
bool is_of(std::string_view kept, std::string_view subject, std::uint64_t hash) {
  return kept == subject || (kept.starts_with(kErasedSubject) && kept == erased_subject(hash));
}

Suppression suppression_in(const Query& row) {
  Suppression entry;
  entry.account = AccountKey{row.integer(1)};
  entry.subject = row.text(2);
  entry.reason = static_cast<StopReason>(row.integer(3));
  entry.list_id = row.text(4);
  entry.scope = static_cast<StopScope>(row.integer(5));
  entry.note = row.text(7);
  entry.cause.code = static_cast<int>(row.integer(8));
  entry.cause.text = row.text(9);
  entry.cause.at = row.optional_instant(10);
  entry.cause.delivery_id = row.integer(11);
  entry.cause.email_id = row.integer(12);
  entry.expires = row.optional_instant(13);
  entry.created = row.instant(14);
  entry.updated = row.instant(15);
  return entry;
}

}  // namespace

std::int64_t Queries::suppression_place(AccountKey account, std::string_view subject) const {
  return first_place(account, subject, stop_hash(hash_, subject));
}

Result<unsigned> Queries::stop_kinds() {
  if (stop_kinds_) return *stop_kinds_;
  auto query = db_.query(
      "SELECT EXISTS(SELECT 1 FROM suppressions WHERE id >= ?1 AND id < ?2),"
      " EXISTS(SELECT 1 FROM suppressions WHERE id >= ?2 AND id < ?3),"
      " EXISTS(SELECT 1 FROM suppressions WHERE id >= ?3)");
  query.bind(first_of_kind(1), first_of_kind(2), first_of_kind(3));
  unsigned kinds = 1;
  if (query.next()) {
    for (unsigned kind = 1; kind < 4; ++kind) {
      if (query.flag(static_cast<int>(kind) - 1)) kinds |= 1U << kind;
    }
  }
  if (query.failed()) return fail(query.error());
  stop_kinds_ = kinds;
  return kinds;
}

Result<void> Queries::add_stops(AccountKey account, std::string_view subject,
                                std::vector<Suppression>& found) {
  const auto kinds = stop_kinds();
  if (!kinds) return fail(kinds.error());
  const std::string_view domain = domain_subject(subject);
  for (const AccountKey owner : {account, kInstallation}) {
    for (const std::string_view asked : {subject, domain}) {
      if ((*kinds >> kind_of(owner, asked) & 1U) == 0) continue;
      const std::uint64_t hash = stop_hash(hash_, asked);
      const std::int64_t place = first_place(owner, asked, hash);
      if (!figures_.stops.may_have(place)) continue;
      auto query = db_.query(
          "SELECT "
          "id, account, subject, reason, list_id, scope, stopping, note, code, words, error_at,"
          " delivery, email, expires, created, updated"
          " FROM suppressions WHERE id BETWEEN ?1 AND ?1 + 255");
      query.bind(place);
      while (query.next()) {
        if (AccountKey{query.integer(1)} != owner || !is_of(query.text(2), asked, hash)) continue;
        const auto expires = query.optional_instant(13);
        if (!query.flag(6) || (expires && *expires <= now_)) continue;
        found.push_back(suppression_in(query));
      }
      if (query.failed()) return fail(query.error());
      if (domain == subject) break;
    }
    if (account == kInstallation) break;
  }
  return {};
}

Result<std::optional<StopReason>> Queries::stopped(AccountKey account, std::string_view address,
                                                   Purpose purpose, std::string_view list_id) {
  stops_.clear();
  auto done = add_stops(account, subject_of_address(address), stops_);
  if (!done) return fail(std::move(done.error()));
  std::optional<StopReason> first;
  for (const Suppression& entry : stops_) take_reason(first, entry, purpose, list_id);
  return first;
}

Result<std::vector<StoppedSubject>> Queries::stops_of(AccountKey account,
                                                      std::span<const std::string> subjects) {
  std::vector<StoppedSubject> found;
  std::vector<Suppression> entries;
  for (std::size_t place = 0; place < subjects.size(); ++place) {
    entries.clear();
    auto done = add_stops(account, subjects[place], entries);
    if (!done) return fail(std::move(done.error()));
    for (Suppression& entry : entries) found.push_back({place, std::move(entry)});
  }
  return found;
}

Result<SuppressionPage> Queries::suppressions(AccountKey account,
                                              const std::optional<SuppressionPlace>& from,
                                              std::int64_t limit) {
  SuppressionPage page;
  auto query = db_.query(
      "SELECT "
      "id, account, subject, reason, list_id, scope, stopping, note, code, words, error_at,"
      " delivery, email, expires, created, updated"
      " FROM suppressions WHERE account = ?1 AND (created, id) > (?2, ?3)"
      " ORDER BY created, id LIMIT ?4");
  query.bind(account, from ? from->time_ms : -1, from ? from->number : 0, limit);
  std::int64_t rows = 0;
  SuppressionPlace last;
  while (query.next()) {
    ++rows;
    last = {.time_ms = query.integer(14), .number = query.integer(0), .reason = 0, .list_id = {}};
    const auto expires = query.optional_instant(13);
    if (!query.flag(6) || (expires && *expires <= now_)) continue;
    page.entries.push_back(suppression_in(query));
  }
  if (query.failed()) return fail(query.error());
  if (rows == limit) page.next = last;
  return page;
}

Result<SuppressionPage> Queries::error_list(const ErrorListFilter& filter,
                                            const std::optional<SuppressionPlace>& from,
                                            std::int64_t skip, std::int64_t limit) {
  SuppressionPage page;
  const std::int64_t least = filter.from ? to_epoch_ms(*filter.from) : 0;
  const std::int64_t most = filter.until ? to_epoch_ms(*filter.until) : INT64_MAX;
  auto query = filter.newest_first
                   ? db_.query(
                         "SELECT "
                         "id, account, subject, reason, list_id, scope, stopping, note, code, "
                         "words, error_at,"
                         " delivery, email, expires, created, updated"
                         " FROM suppressions WHERE account = ?1 AND reason = 1 AND stopping = 1"
                         " AND updated BETWEEN ?2 AND ?3 AND (updated, id) < (?4, ?5)"
                         " ORDER BY updated DESC, id DESC LIMIT ?6")
                   : db_.query(
                         "SELECT "
                         "id, account, subject, reason, list_id, scope, stopping, note, code, "
                         "words, error_at,"
                         " delivery, email, expires, created, updated"
                         " FROM suppressions WHERE account = ?1 AND reason = 1 AND stopping = 1"
                         " AND updated BETWEEN ?2 AND ?3 AND (updated, id) > (?4, ?5)"
                         " ORDER BY updated, id LIMIT ?6");
  const std::int64_t beyond = filter.newest_first ? INT64_MAX : -1;
  skip = std::clamp<std::int64_t>(skip, 0, kSkippedMax);
  query.bind(filter.account, least, most, from ? from->time_ms : beyond, from ? from->number : 0,
             skip + limit);
  std::int64_t rows = 0;
  SuppressionPlace last;
  while (query.next()) {
    last = {.time_ms = query.integer(15), .number = query.integer(0), .reason = 0, .list_id = {}};
    const auto expires = query.optional_instant(13);
    if (++rows <= skip || (expires && *expires <= now_)) continue;
    page.entries.push_back(suppression_in(query));
  }
  if (query.failed()) return fail(query.error());
  if (rows == skip + limit) page.next = last;
  return page;
}

Result<std::vector<RecentStop>> Queries::recent_suppressions(Instant from, std::int64_t limit) {
  std::vector<RecentStop> entries;
  auto query = db_.query(
      "SELECT account, subject, updated FROM suppressions WHERE updated >= ? ORDER BY updated"
      " LIMIT ?");
  query.bind(from, limit);
  while (query.next()) {
    entries.push_back({AccountKey{query.integer(0)}, std::string(query.text(1)), query.instant(2)});
  }
  if (query.failed()) return fail(query.error());
  return entries;
}

Result<std::vector<SuppressionChange>> Queries::removals_of(AccountKey account,
                                                            std::string_view subject) {
  std::vector<SuppressionChange> removals;
  auto query = db_.query(
      "SELECT account, subject, reason, list_id, why, actor, at FROM suppression_removals"
      " WHERE account = ? AND subject = ? ORDER BY key DESC LIMIT ?");
  query.bind(account, subject, kRemovalsTold);
  while (query.next()) {
    removals.push_back({.account = AccountKey{query.integer(0)},
                        .subject = std::string(query.text(1)),
                        .reason = static_cast<StopReason>(query.integer(2)),
                        .list_id = std::string(query.text(3)),
                        .why = std::string(query.text(4)),
                        .actor = std::string(query.text(5)),
                        .at = query.instant(6)});
  }
  if (query.failed()) return fail(query.error());
  return removals;
}

Result<std::vector<SuppressionChange>> Queries::removals_after(std::int64_t number,
                                                               std::int64_t limit) {
  std::vector<SuppressionChange> removals;
  auto query = db_.query(
      "SELECT key, account, subject, reason, list_id, actor, at FROM suppression_removals"
      " WHERE key > ? ORDER BY key LIMIT ?");
  query.bind(number, limit);
  while (query.next()) {
    removals.push_back({.account = AccountKey{query.integer(1)},
                        .subject = std::string(query.text(2)),
                        .reason = static_cast<StopReason>(query.integer(3)),
                        .list_id = std::string(query.text(4)),
                        .why = {},
                        .actor = std::string(query.text(5)),
                        .at = query.instant(6),
                        .number = query.integer(0)});
  }
  if (query.failed()) return fail(query.error());
  return removals;
}

// ---- changes -----------------------------------------------------------------------------------

// Where the entry of this reason and list is, or where one would go.
struct SqliteWriteTransaction::SuppressionSeat {
  std::int64_t id = 0;
  bool there = false;
  bool lives = false;  // and has not expired
  bool full = false;   // nothing can go there: the subject has too many entries
  std::int64_t errors = 0;
  bool stopping = false;
  Suppression entry;
};

Result<SqliteWriteTransaction::SuppressionSeat> SqliteWriteTransaction::suppression_seat(
    AccountKey account, std::string_view subject, StopReason reason, std::string_view list_id) {
  const std::int64_t first = queries_.suppression_place(account, subject);
  SuppressionSeat seat;
  std::int64_t free = first;
  std::int64_t entries = 0;
  auto query = db_.query(
      "SELECT "
      "id, account, subject, reason, list_id, scope, stopping, note, code, words, error_at,"
      " delivery, email, expires, created, updated, errors"
      " FROM suppressions WHERE id BETWEEN ?1 AND ?1 + 255 ORDER BY id");
  query.bind(first);
  while (query.next()) {
    const std::int64_t id = query.integer(0);
    if (id == free) ++free;
    if (AccountKey{query.integer(1)} != account || query.text(2) != subject) continue;
    if (!query.text(4).empty()) ++entries;
    if (static_cast<StopReason>(query.integer(3)) != reason || query.text(4) != list_id) continue;
    seat.id = id;
    seat.there = true;
    seat.errors = query.integer(16);
    seat.stopping = query.flag(6);
    seat.entry = suppression_in(query);
    seat.lives = !seat.entry.expires || *seat.entry.expires > now_;
  }
  if (query.failed()) return fail(query.error());
  if (seat.there) return seat;
  seat.full = (!list_id.empty() && entries >= kStopsOfSubjectMax) || free > first + kLastSlot;
  seat.id = free;
  return seat;
}

Result<PutSuppressions> SqliteWriteTransaction::put_suppressions(
    std::span<const NewSuppression> entries) {
  queries_.forget_stop_kinds();
  PutSuppressions put;
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const NewSuppression& entry = entries[place];
    if (auto sound = check_sound(entry); !sound) return fail(std::move(sound.error()));
    const auto seat = suppression_seat(entry.account, entry.subject, entry.reason, entry.list_id);
    if (!seat) return fail(seat.error());
    if (seat->full) {
      put.refused.push_back(place);
      continue;
    }
    if (!seat->lives) ++put.made;
    figures_.stops.add(seat->id);
    const StopCause& cause = seat->lives && is_none(entry.cause) ? seat->entry.cause : entry.cause;
    const auto expires = entry.lasts ? std::optional(now_ + *entry.lasts) : std::nullopt;
    auto done =
        db_.query(
               "INSERT OR REPLACE INTO suppressions(id, account, subject, reason, list_id, scope,"
               " stopping, errors, note, code, words, error_at, delivery, email, expires, created,"
               " updated) VALUES(?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(seat->id, entry.account, std::string_view(entry.subject), entry.reason,
                  std::string_view(entry.list_id), entry.scope, seat->lives ? seat->errors : 0,
                  cut_stop_text(entry.note), cause.code, cut_stop_text(cause.text), cause.at,
                  cause.delivery_id, cause.email_id, expires,
                  seat->lives ? seat->entry.created : now_, now_)
            .run();
    if (!done) return fail(std::move(done.error()));
  }
  return put;
}

Result<std::vector<Suppression>> SqliteWriteTransaction::remove_suppressions(
    AccountKey account, std::string_view subject, std::optional<StopReason> reason,
    const std::optional<std::string>& list_id, std::string_view why, std::string_view actor) {
  std::vector<Suppression> removed;
  std::vector<std::int64_t> ids;
  {
    auto query = db_.query(
        "SELECT "
        "id, account, subject, reason, list_id, scope, stopping, note, code, words, error_at,"
        " delivery, email, expires, created, updated"
        " FROM suppressions WHERE id BETWEEN ?1 AND ?1 + 255 ORDER BY id");
    query.bind(queries_.suppression_place(account, subject));
    const std::uint64_t hash = queries_.address_hash(subject);
    while (query.next()) {
      if (AccountKey{query.integer(1)} != account) continue;
      if (!is_of(query.text(2), subject, hash)) continue;
      if (reason && static_cast<StopReason>(query.integer(3)) != *reason) continue;
      if (list_id && query.text(4) != *list_id) continue;
      ids.push_back(query.integer(0));
      const auto expires = query.optional_instant(13);
      if (!query.flag(6) || (expires && *expires <= now_)) continue;
      removed.push_back(suppression_in(query));
    }
    if (query.failed()) return fail(query.error());
  }
  for (const std::int64_t id : ids) {
    auto done = db_.query("DELETE FROM suppressions WHERE id = ?").bind(id).run();
    if (!done) return fail(std::move(done.error()));
  }
  for (const Suppression& entry : removed) {
    auto done = db_.query(
                       "INSERT INTO suppression_removals(account, subject, reason, list_id, why,"
                       " actor, at) VALUES(?, ?, ?, ?, ?, ?, ?)")
                    .bind(account, subject, entry.reason, std::string_view(entry.list_id),
                          cut_stop_text(why), cut_stop_text(actor), now_)
                    .run();
    if (!done) return fail(std::move(done.error()));
  }
  return removed;
}

Result<void> SqliteWriteTransaction::count_hard_error(const OutcomeRecord& outcome,
                                                      const ErrorStop& rule) {
  if (rule.errors == 0) return {};
  AccountKey account{};
  PublicId delivery = 0;
  PublicId email = 0;
  std::string subject;
  {
    auto query = db_.query(
        "SELECT b.account, d.id, b.first_email_id, b.domain, r.address FROM batches b"
        " JOIN deliveries d ON d.key = b.delivery JOIN recipients r ON r.id = ?2"
        " WHERE b.number = ?1");
    query.bind(batch_number(outcome.key.batch_key()), recipient_row(outcome.key));
    if (!query.next()) return query.failed() ? fail(query.error()) : Result<void>();
    account = AccountKey{query.integer(0)};
    delivery = query.integer(1);
    email = query.integer(2) + outcome.key.seq;
    subject = subject_of_address(full_address(query.text(4), query.text(3)));
  }
  const auto seat = suppression_seat(account, subject, StopReason::hard_error, {});
  if (!seat) return fail(seat.error());
  // Other kinds of entries fill it: it is stopped already.
  if (seat->full) return {};
  const bool lives = seat->lives;
  const Suppression& there = seat->entry;
  // Two copies of one mail are one error.
  if (lives && there.cause.delivery_id == delivery) return {};
  const bool stopped = lives && seat->stopping;
  // What stops nothing yet expires when its errors no longer count.
  const bool counts =
      lives && (!stopped || (there.cause.at && *there.cause.at > now_ - rule.within));
  const std::int64_t errors = (counts ? seat->errors : 0) + 1;
  const bool enough = errors >= rule.errors;
  std::optional<Instant> expires = now_ + rule.within;
  if (stopped) expires = there.expires;
  if (enough && rule.lasts == Milliseconds(0)) {
    expires = std::nullopt;
  } else if (enough && (!stopped || expires)) {
    const Instant until = now_ + rule.lasts;
    expires = stopped ? std::max(*expires, until) : until;
  }
  figures_.stops.add(seat->id);
  return db_
      .query(
          "INSERT OR REPLACE INTO suppressions(id, account, subject, reason, list_id, scope,"
          " stopping, errors, note, code, words, error_at, delivery, email, expires, created,"
          " updated) VALUES(?, ?, ?, 1, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(seat->id, account, std::string_view(subject),
            stopped && !enough ? there.scope : StopScope::all, stopped || enough, errors,
            lives ? std::string_view(there.note) : std::string_view(), outcome.outcome.reply.code,
            cut_stop_text(outcome.outcome.reply.text), now_ - outcome.age, delivery, email, expires,
            lives ? there.created : now_, now_)
      .run();
}

Result<bool> SqliteWriteTransaction::purge_suppressions(std::int64_t& rows) {
  if (rows <= 0) return false;
  auto done = db_.query(
                     "DELETE FROM suppressions WHERE id IN (SELECT id FROM suppressions"
                     " WHERE expires IS NOT NULL AND expires <= ? ORDER BY expires LIMIT ?)")
                  .bind(now_, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  const std::int64_t removed = db_.changes();
  const bool all = removed < rows;
  rows -= removed;
  return all;
}

}  // namespace todoku::store::sqlite
