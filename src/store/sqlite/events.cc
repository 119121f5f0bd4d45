// SPDX-License-Identifier: Apache-2.0
// Events (store/events.h): a group's sheets are its last insertions, one for each account. Their
// places are numbers of the line of deliveries and batches: what is committed later takes later
// ones.
#include "store/event_sieve.h"
#include "store/sqlite/event_join.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<void> SqliteWriteTransaction::write_events() {
  if (events_.empty()) return {};
  const auto sheets = events_.sheets(now_);
  const auto first = counters_.take_numbers(static_cast<std::int64_t>(sheets.size()));
  if (!first) return fail(first.error());
  const auto generation = queries_.event_generation();
  if (!generation) return fail(generation.error());
  std::int64_t place = sheet_place({*generation, static_cast<std::uint64_t>(*first), 0});
  for (const auto& [account, entries] : sheets) {
    auto done =
        db_.query("INSERT INTO event_sheets(place, account, at, entries) VALUES(?, ?, ?, ?)")
            .bind(place++, account, now_, Blob{entries})
            .run();
    if (!done) return done;
  }
  events_.clear();
  return {};
}

Result<bool> SqliteWriteTransaction::drop_events(Instant before, std::int64_t sheets) {
  std::int64_t last = 0;
  std::int64_t found = 0;
  {
    auto query =
        db_.query("SELECT place, at FROM event_sheets WHERE place > 0 ORDER BY place LIMIT ?");
    query.bind(sheets);
    while (query.next() && query.instant(1) < before) {
      last = query.integer(0);
      ++found;
    }
    if (query.failed()) return fail(query.error());
  }
  if (found == 0) return false;
  auto done = db_.query("DELETE FROM event_sheets WHERE place <= ?").bind(last).run();
  if (!done) return fail(std::move(done.error()));
  done = db_.query("UPDATE meta SET value = ? WHERE name = 'events_kept_from'").bind(last).run();
  if (!done) return fail(std::move(done.error()));
  return found == sheets;
}

void SqliteWriteTransaction::tell_of_recipient(EventKind kind, AccountKey account,
                                               const RecipientKey& key) {
  events_.add(account, event_of_recipient(kind, key.delivery, key.batch, key.seq, now_));
}

Result<void> SqliteWriteTransaction::begin_event_generation() {
  return db_.query("UPDATE meta SET value = value + 1 WHERE name = 'event_generation'").run();
}

Result<std::uint64_t> Queries::event_generation() {
  const auto stored = db_.integer("SELECT value FROM meta WHERE name = 'event_generation'");
  if (!stored) return fail(stored.error());
  return static_cast<std::uint64_t>(*stored);
}

Result<EventPlace> Queries::last_event_place() {
  const auto last = db_.integer(
      "SELECT max(coalesce((SELECT max(place) FROM event_sheets), 0),"
      " (SELECT value FROM meta WHERE name = 'events_kept_from'))");
  if (!last) return fail(last.error());
  const auto generation = event_generation();
  if (!generation) return fail(generation.error());
  return std::max(event_place_of(*last, UINT32_MAX), EventPlace{*generation, 0, UINT32_MAX});
}

Result<std::optional<std::vector<AccountKey>>> Queries::accounts_told(const EventPlace& after,
                                                                      const EventPlace& until,
                                                                      std::int64_t sheets_max) {
  auto query = db_.query(
      "SELECT account FROM event_sheets WHERE place > ? AND place <= ? ORDER BY place LIMIT ?");
  query.bind(sheet_place(after), sheet_place(until), sheets_max + 1);
  std::vector<AccountKey> accounts;
  while (query.next()) accounts.push_back(AccountKey{query.integer(0)});
  if (query.failed()) return fail(query.error());
  return each_once(std::move(accounts), sheets_max);
}

Result<EventPage> Queries::events(const EventQuestion& question) {
  const auto kept_from = db_.integer("SELECT value FROM meta WHERE name = 'events_kept_from'");
  if (!kept_from) return fail(kept_from.error());
  EventSieve sieve(question, *kept_from);
  bool ended = false;
  {
    auto query = question.account
                     ? db_.query(
                           "SELECT place, account, at, entries FROM event_sheets"
                           " WHERE account = ?2 AND place >= ?1 ORDER BY place")
                     : db_.query(
                           "SELECT place, account, at, entries FROM event_sheets WHERE place >= ?1"
                           " ORDER BY place");
    if (question.account) {
      query.bind(sheet_place(question.after), *question.account);
    } else {
      query.bind(sheet_place(question.after));
    }
    while (!sieve.full()) {
      if (!query.next()) {
        if (query.failed()) return fail(query.error());
        ended = true;
        break;
      }
      auto taken = sieve.take(
          {query.integer(0), AccountKey{query.integer(1)}, query.instant(2), query.blob(3)});
      if (!taken) return fail(std::move(taken.error()));
    }
    // Whether the last one was the last of all.
    if (!ended && !query.next()) {
      if (query.failed()) return fail(query.error());
      ended = true;
    }
  }
  const auto readable = last_event_place();
  if (!readable) return fail(readable.error());
  EventPage page = sieve.page(ended, *readable);
  auto joined = EventJoin(db_, dictionary_, question).join(page.events);
  if (!joined) return fail(std::move(joined.error()));
  keep_wanted(question, page);
  return page;
}

}  // namespace todoku::store::sqlite
