// SPDX-License-Identifier: Apache-2.0
// Suppression lists (store/suppressions.h), as requests of people see them. What mail does with
// them: stops.h. Rows are locked in the order of their keys.
#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

constexpr std::int64_t kSkippedMax = 20'000;
constexpr std::int64_t kRemovalsTold = 100;

#define SUPPRESSION_COLUMNS                                                              \
  "s.hash, s.account, s.subject, s.reason, s.list_id, s.scope, s.note, s.code, s.words," \
  " s.error_at, s.delivery, s.email, s.expires, s.created, s.updated"
// $1: now.
#define IT_STOPS " s.stopping = 1 AND (s.expires IS NULL OR s.expires > $1)"

const Sql kStopsOf{
    "suppressions: of subjects",
    "SELECT u.place, " SUPPRESSION_COLUMNS
    " FROM unnest($3::bigint[], $4::bigint[], $5::text[]) u(place, hash, subject)"
    " CROSS JOIN LATERAL (SELECT * FROM suppressions s WHERE s.hash = u.hash"
    " AND s.account IN (0, $2)"
    " AND (s.subject = u.subject OR s.subject = 'erased:' || to_hex(u.hash)) AND" IT_STOPS
    " OFFSET 0) s ORDER BY u.place, s.reason, s.account, s.list_id"};
const Sql kListStops{"suppressions: list",
                     "SELECT " SUPPRESSION_COLUMNS
                     ", s.stopping FROM suppressions s WHERE s.account = $1"
                     " AND (s.created, s.hash, s.reason, s.list_id) > ($2, $3, $4, $5)"
                     " ORDER BY s.created, s.hash, s.reason, s.list_id LIMIT $6"};
#define ERROR_LIST                                                                \
  "SELECT " SUPPRESSION_COLUMNS                                                   \
  " FROM suppressions s WHERE s.account = $1 AND s.reason = 1 AND s.stopping = 1" \
  " AND s.updated BETWEEN $2 AND $3 AND (s.updated, s.hash)"
const Sql kErrorsNewest{"suppressions: errors, newest", ERROR_LIST
                        " < ($4, $5) ORDER BY s.updated DESC, s.hash DESC OFFSET $6 LIMIT $7"};
const Sql kErrorsOldest{"suppressions: errors, oldest",
                        ERROR_LIST " > ($4, $5) ORDER BY s.updated, s.hash OFFSET $6 LIMIT $7"};
const Sql kRecentStops{"suppressions: recent",
                       "SELECT account, subject, updated FROM suppressions WHERE updated >= $1"
                       " ORDER BY updated LIMIT $2"};
const Sql kStopRemovals{"suppressions: removals",
                        "SELECT account, subject, reason, list_id, why, actor, at"
                        " FROM suppression_removals WHERE account = $1 AND subject = $2"
                        " ORDER BY key DESC LIMIT $3"};
const Sql kRemovalsAfter{"suppressions: removals after",
                         "SELECT key, account, subject, reason, list_id, actor, at"
                         " FROM suppression_removals WHERE key > $1 ORDER BY key LIMIT $2"};
// What a subject has: u is where in the request, one row a subject.
const Sql kStopsThere{
    "suppressions: there",
    "SELECT u.place, s.reason, s.list_id, CASE WHEN s.expires <= $1 THEN 0 ELSE 1 END"
    " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[])"
    " u(place, hash, account, subject) CROSS JOIN LATERAL"
    " (SELECT s.reason, s.list_id, s.expires FROM suppressions s WHERE s.hash = u.hash"
    " AND s.account = u.account AND s.subject = u.subject LIMIT $6) s"};
#define SAYS_NOTHING                                                                    \
  "(s.expires IS NULL OR s.expires > $1) AND excluded.code = 0 AND excluded.words = ''" \
  " AND excluded.error_at IS NULL AND excluded.delivery = 0 AND excluded.email = 0"
#define NEW_UNLESS_NONE(column) \
  #column " = CASE WHEN " SAYS_NOTHING " THEN s." #column " ELSE excluded." #column " END, "
const Sql kPutStops{
    "suppressions: put",
    "INSERT INTO suppressions AS s (hash, account, subject, reason, list_id, scope, stopping,"
    " errors, note, code, words, error_at, delivery, email, expires, created, updated, domain)"
    " SELECT u.hash, u.account, u.subject, u.reason, u.list_id, u.scope, 1, 0, u.note, u.code,"
    " u.words, u.error_at, u.delivery, u.email, $1 + u.lasts, $1, $1,"
    " CASE WHEN left(u.subject, 1) = '@' THEN 1 ELSE 0 END"
    " FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],"
    " $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[],"
    " $14::bigint[]) u(hash, account, subject, reason, list_id, scope, note, code, words, error_at,"
    " delivery, email, lasts) ORDER BY u.hash, u.account, u.reason, u.list_id"
    " ON CONFLICT (hash, account, reason, list_id, subject) DO UPDATE SET scope = excluded.scope,"
    " stopping = 1, note = excluded.note, " NEW_UNLESS_NONE(code) NEW_UNLESS_NONE(words)
        NEW_UNLESS_NONE(error_at) NEW_UNLESS_NONE(delivery) NEW_UNLESS_NONE(
            email) "expires = excluded.expires, updated = $1,"
    " errors = CASE WHEN s.expires <= $1 THEN 0 ELSE s.errors END,"
    " created = CASE WHEN s.expires <= $1 THEN $1 ELSE s.created END"};
const Sql kRemoveStops{"suppressions: remove",
                       "DELETE FROM suppressions s WHERE s.hash = $1 AND s.account = $2"
                       " AND (s.subject = $3 OR s.subject = 'erased:' || to_hex($1::bigint))"
                       " AND ($4::bigint IS NULL OR s.reason = $4)"
                       " AND ($5::text IS NULL OR s.list_id = $5) RETURNING " SUPPRESSION_COLUMNS
                       ", s.stopping"};
const Sql kTellStopsRemoved{
    "suppressions: tell removed",
    "INSERT INTO suppression_removals(key, account, subject, reason, list_id,"
    " why, actor, at) SELECT u.key, $1, $2, u.reason, u.list_id, $3, $4, $5"
    " FROM unnest($6::bigint[], $7::bigint[], $8::text[])"
    " u(key, reason, list_id)"};
const Sql kPurgeStops{
    "suppressions: purge",
    "DELETE FROM suppressions s WHERE s.ctid = ANY(ARRAY(SELECT o.ctid FROM suppressions o"
    " WHERE o.expires IS NOT NULL AND o.expires <= $1 ORDER BY o.expires LIMIT $2"
    " FOR UPDATE SKIP LOCKED))"};

Suppression suppression_in(const Table& rows, int row, int first) {
  Suppression entry;
  entry.account = AccountKey{rows.integer(row, first + 1)};
  entry.subject = rows.text(row, first + 2);
  entry.reason = static_cast<StopReason>(rows.integer(row, first + 3));
  entry.list_id = rows.text(row, first + 4);
  entry.scope = static_cast<StopScope>(rows.integer(row, first + 5));
  entry.note = rows.text(row, first + 6);
  entry.cause.code = static_cast<int>(rows.integer(row, first + 7));
  entry.cause.text = rows.text(row, first + 8);
  entry.cause.at = rows.optional_instant(row, first + 9);
  entry.cause.delivery_id = rows.integer(row, first + 10);
  entry.cause.email_id = rows.integer(row, first + 11);
  entry.expires = rows.optional_instant(row, first + 12);
  entry.created = rows.instant(row, first + 13);
  entry.updated = rows.instant(row, first + 14);
  return entry;
}

SuppressionPlace place_in(const Table& rows, int row, Instant time) {
  return {.time_ms = to_epoch_ms(time),
          .number = rows.integer(row, 0),
          .reason = rows.integer(row, 3),
          .list_id = std::string(rows.text(row, 4))};
}

std::int64_t stored_hash(const AddressHash& hash, std::string_view subject) {
  return std::bit_cast<std::int64_t>(stop_hash(hash, subject));
}

bool is_over(const Suppression& entry, Instant now) {
  return entry.expires && *entry.expires <= now;
}

using Subject =
    std::tuple<std::int64_t, AccountKey, std::string_view, StopReason, std::string_view>;

// Reason and list of each entry; false: it has expired.
using StopsOfSubject = std::map<std::pair<StopReason, std::string>, bool>;
using StopsThere = std::map<std::pair<AccountKey, std::string>, StopsOfSubject>;

// What is there of the subjects of `entries`.
Result<StopsThere> stops_there(Session& session, std::span<const NewSuppression> entries) {
  std::map<std::pair<AccountKey, std::string_view>, std::int64_t> subjects;  // and their places
  Column place(kInt8), hash(kInt8), account(kInt8), subject(kText);
  for (const NewSuppression& entry : entries) {
    const auto next = static_cast<std::int64_t>(subjects.size());
    if (!subjects.try_emplace({entry.account, entry.subject}, next).second) continue;
    place.add(next);
    hash.add(stored_hash(session.hash(), entry.subject));
    account.add(entry.account);
    subject.add(std::string_view(entry.subject));
  }
  const auto rows = session.ask(kStopsThere, Params() << session.now() << place << hash << account
                                                      << subject << 2 * kStopsOfSubjectMax);
  if (!rows) return fail(rows.error());
  std::vector<StopsOfSubject*> by_place(subjects.size());
  StopsThere there;
  for (const auto& [key, at] : subjects) {
    by_place[static_cast<std::size_t>(at)] = &there[{key.first, std::string(key.second)}];
  }
  for (int i = 0; i < rows->size(); ++i) {
    StopsOfSubject& its = *by_place[static_cast<std::size_t>(rows->integer(i, 0))];
    its[{static_cast<StopReason>(rows->integer(i, 1)), std::string(rows->text(i, 2))}] =
        rows->flag(i, 3);
  }
  return there;
}

}  // namespace

Result<std::vector<StoppedSubject>> Questions::stops_of(AccountKey account,
                                                        std::span<const std::string> subjects) {
  Column place(kInt8), hash(kInt8), subject(kText);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const std::string_view domain = domain_subject(subjects[i]);
    for (const std::string_view each : {std::string_view(subjects[i]), domain}) {
      place.add(i);
      hash.add(stored_hash(session_.hash(), each));
      subject.add(each);
      if (domain == subjects[i]) break;
    }
  }
  const auto rows =
      session_.ask(kStopsOf, Params() << session_.now() << account << place << hash << subject);
  if (!rows) return fail(rows.error());
  std::vector<StoppedSubject> found;
  for (int i = 0; i < rows->size(); ++i) {
    found.push_back({static_cast<std::size_t>(rows->integer(i, 0)), suppression_in(*rows, i, 1)});
  }
  return found;
}

Result<SuppressionPage> Questions::suppressions(AccountKey account,
                                                const std::optional<SuppressionPlace>& from,
                                                std::int64_t limit) {
  const SuppressionPlace after =
      from.value_or(SuppressionPlace{.time_ms = -1, .number = 0, .reason = 0, .list_id = {}});
  const auto rows =
      session_.ask(kListStops, Params() << account << after.time_ms << after.number << after.reason
                                        << std::string_view(after.list_id) << limit);
  if (!rows) return fail(rows.error());
  SuppressionPage page;
  for (int i = 0; i < rows->size(); ++i) {
    Suppression entry = suppression_in(*rows, i, 0);
    if (i + 1 == limit) page.next = place_in(*rows, i, entry.created);
    if (rows->flag(i, 15) && !is_over(entry, session_.now())) {
      page.entries.push_back(std::move(entry));
    }
  }
  return page;
}

Result<SuppressionPage> Questions::error_list(const ErrorListFilter& filter,
                                              const std::optional<SuppressionPlace>& from,
                                              std::int64_t skip, std::int64_t limit) {
  const std::int64_t least = filter.from ? to_epoch_ms(*filter.from) : 0;
  const std::int64_t most = filter.until ? to_epoch_ms(*filter.until) : INT64_MAX;
  const std::int64_t beyond = filter.newest_first ? INT64_MAX : -1;
  skip = std::clamp<std::int64_t>(skip, 0, kSkippedMax);
  const auto rows =
      session_.ask(filter.newest_first ? kErrorsNewest : kErrorsOldest,
                   Params() << filter.account << least << most << (from ? from->time_ms : beyond)
                            << (from ? from->number : 0) << skip << limit);
  if (!rows) return fail(rows.error());
  SuppressionPage page;
  for (int i = 0; i < rows->size(); ++i) {
    Suppression entry = suppression_in(*rows, i, 0);
    if (i + 1 == limit) page.next = place_in(*rows, i, entry.updated);
    if (!is_over(entry, session_.now())) page.entries.push_back(std::move(entry));
  }
  return page;
}

Result<std::vector<RecentStop>> Questions::recent_suppressions(Instant from, std::int64_t limit) {
  const auto rows = session_.ask(kRecentStops, Params() << from << limit);
  if (!rows) return fail(rows.error());
  std::vector<RecentStop> entries;
  for (int i = 0; i < rows->size(); ++i) {
    entries.push_back(
        {AccountKey{rows->integer(i, 0)}, std::string(rows->text(i, 1)), rows->instant(i, 2)});
  }
  return entries;
}

Result<std::vector<SuppressionChange>> Questions::removals_of(AccountKey account,
                                                              std::string_view subject) {
  const auto rows = session_.ask(kStopRemovals, Params() << account << subject << kRemovalsTold);
  if (!rows) return fail(rows.error());
  std::vector<SuppressionChange> removals;
  for (int i = 0; i < rows->size(); ++i) {
    removals.push_back({.account = AccountKey{rows->integer(i, 0)},
                        .subject = std::string(rows->text(i, 1)),
                        .reason = static_cast<StopReason>(rows->integer(i, 2)),
                        .list_id = std::string(rows->text(i, 3)),
                        .why = std::string(rows->text(i, 4)),
                        .actor = std::string(rows->text(i, 5)),
                        .at = rows->instant(i, 6)});
  }
  return removals;
}

Result<std::vector<SuppressionChange>> Questions::removals_after(std::int64_t number,
                                                                 std::int64_t limit) {
  const auto rows = session_.ask(kRemovalsAfter, Params() << number << limit);
  if (!rows) return fail(rows.error());
  std::vector<SuppressionChange> removals;
  for (int i = 0; i < rows->size(); ++i) {
    removals.push_back({.account = AccountKey{rows->integer(i, 1)},
                        .subject = std::string(rows->text(i, 2)),
                        .reason = static_cast<StopReason>(rows->integer(i, 3)),
                        .list_id = std::string(rows->text(i, 4)),
                        .why = {},
                        .actor = std::string(rows->text(i, 5)),
                        .at = rows->instant(i, 6),
                        .number = rows->integer(i, 0)});
  }
  return removals;
}

Result<PutSuppressions> Changes::put_suppressions(std::span<const NewSuppression> entries) {
  for (const NewSuppression& entry : entries) {
    if (auto sound = check_sound(entry); !sound) return fail(std::move(sound.error()));
  }
  PutSuppressions put;
  if (entries.empty()) return put;
  auto there = stops_there(session_, entries);
  if (!there) return fail(there.error());
  std::map<Subject, const NewSuppression*> wanted;  // the last of several that are the same
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const NewSuppression& entry = entries[i];
    StopsOfSubject& its = (*there)[{entry.account, entry.subject}];
    const auto found = its.find({entry.reason, entry.list_id});
    const auto of_lists =
        std::ranges::count_if(its, [](const auto& each) { return !each.first.second.empty(); });
    if (found == its.end() && !entry.list_id.empty() && of_lists >= kStopsOfSubjectMax) {
      put.refused.push_back(i);
      continue;
    }
    if (found == its.end() || !found->second) ++put.made;
    its[{entry.reason, entry.list_id}] = true;
    wanted[{stored_hash(session_.hash(), entry.subject), entry.account, entry.subject, entry.reason,
            entry.list_id}] = &entry;
  }
  if (wanted.empty()) return put;
  Column hash(kInt8), account(kInt8), subject(kText), reason(kInt8), list(kText), scope(kInt8),
      note(kText), code(kInt8), words(kText), error_at(kInt8), delivery(kInt8), email(kInt8),
      lasts(kInt8);
  for (const auto& [key, entry] : wanted) {
    hash.add(std::get<0>(key));
    account.add(entry->account);
    subject.add(std::string_view(entry->subject));
    reason.add(entry->reason);
    list.add(std::string_view(entry->list_id));
    scope.add(entry->scope);
    note.add(cut_stop_text(entry->note));
    code.add(entry->cause.code);
    words.add(cut_stop_text(entry->cause.text));
    error_at.add(entry->cause.at);
    delivery.add(entry->cause.delivery_id);
    email.add(entry->cause.email_id);
    lasts.add(entry->lasts);
  }
  const auto done = session_.ask(
      kPutStops, Params() << session_.now() << hash << account << subject << reason << list << scope
                          << note << code << words << error_at << delivery << email << lasts);
  if (!done) return fail(done.error());
  return put;
}

namespace {

// Removals are read in the order of their keys. Numbers of the blocks that processes hold tell
// nothing of time, so the instant comes first; behind it the low bits of such a number, so that
// each removal of one instant has a key of its own.
std::int64_t removal_key(Instant at, std::int64_t number) {
  constexpr std::int64_t kOfAnInstant = std::int64_t{1} << 20U;
  return to_epoch_ms(at) * kOfAnInstant + number % kOfAnInstant;
}

}  // namespace

Result<std::vector<Suppression>> Changes::remove_suppressions(
    AccountKey account, std::string_view subject, std::optional<StopReason> reason,
    const std::optional<std::string>& list_id, std::string_view why, std::string_view actor) {
  std::optional<std::string_view> list;
  if (list_id) list = *list_id;
  const auto rows = session_.ask(kRemoveStops, Params() << stored_hash(session_.hash(), subject)
                                                        << account << subject << reason << list);
  if (!rows) return fail(rows.error());
  std::vector<Suppression> removed;
  for (int i = 0; i < rows->size(); ++i) {
    Suppression entry = suppression_in(*rows, i, 0);
    if (rows->flag(i, 15) && !is_over(entry, session_.now())) removed.push_back(std::move(entry));
  }
  if (removed.empty()) return removed;
  std::ranges::sort(removed, {}, [](const Suppression& entry) {
    return std::pair(entry.reason, std::string_view(entry.list_id));
  });
  const auto first = session_.take_numbers(static_cast<std::int64_t>(removed.size()));
  if (!first) return fail(first.error());
  Column key(kInt8), its_reason(kInt8), its_list(kText);
  for (std::size_t i = 0; i < removed.size(); ++i) {
    key.add(removal_key(session_.now(), *first + static_cast<std::int64_t>(i)));
    its_reason.add(removed[i].reason);
    its_list.add(std::string_view(removed[i].list_id));
  }
  const auto told =
      session_.ask(kTellStopsRemoved, Params() << account << subject << cut_stop_text(why)
                                               << cut_stop_text(actor) << session_.now() << key
                                               << its_reason << its_list);
  if (!told) return fail(told.error());
  return removed;
}

Result<bool> Changes::purge_suppressions(std::int64_t& rows) {
  if (rows <= 0) return false;
  const auto purged = session_.ask(kPurgeStops, Params() << session_.now() << rows);
  if (!purged) return fail(purged.error());
  const bool all = purged->changes() < rows;
  rows -= purged->changes();
  return all;
}

}  // namespace todoku::store::postgres
