// SPDX-License-Identifier: Apache-2.0
// Events (store/events.h). A sheet's place is its transaction's number. Readers take what is below
// every transaction that is still open: nothing can be added there any more (docs/adr/0014).
#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/safeguard.h"
#include "store/event_sieve.h"
#include "store/numbers.h"
#include "store/postgres/event_sheets.h"
#include "store/postgres/marks.h"
#include "store/postgres/session.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

const Sql kInsertSheets{
    "events: insert",
    "INSERT INTO event_sheets(account, place, at, entries)"
    " SELECT u.account, " SHEET_PLACE ", " STORE_NOW
    ", u.entries FROM unnest($2::bigint[], $3::bytea[]) u(account, entries)" ONE_SHEET};

// numbers.line: 1: the generation; 2: the place of the last sheet that was deleted.
#define NEVER_CHANGES_BELOW                             \
  "((SELECT next FROM numbers WHERE line = 1) << 48) +" \
  " pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
const Sql kBounds{"events: bounds",
                  "SELECT (SELECT next FROM numbers WHERE line = 1),"
                  " (SELECT next FROM numbers WHERE line = 2), " NEVER_CHANGES_BELOW};
// As many sheets as are worth so many octets, at least one; `found`: of how many that were looked
// at. $5: 0 in a proof that the bound is needed (base/safeguard.h).
#define PAGE_OF_SHEETS(condition)                                                                 \
  "SELECT place, account, at, entries, found FROM (SELECT s.*, count(*) OVER () AS found,"        \
  " sum(octet_length(entries)) OVER (ORDER BY place, account) - octet_length(entries)"            \
  " AS octets_before FROM (SELECT place, account, at, entries FROM event_sheets WHERE " condition \
  " AND place < CASE $5::bigint WHEN 1 THEN " NEVER_CHANGES_BELOW                                 \
  " ELSE 9223372036854775807 END ORDER BY place, account LIMIT $2) s) t"                          \
  " WHERE octets_before < $3 ORDER BY place, account"
const Sql kSheetsOfAccount{"events: of an account", PAGE_OF_SHEETS("place >= $1 AND account = $4")};
const Sql kSheetsOfAll{"events: of all",
                       PAGE_OF_SHEETS("place >= $1 AND (place, account) >= ($1, $4)")};
const Sql kAccountsTold{"events: of whom",
                        "SELECT account FROM event_sheets WHERE place > $1 AND place <= $2"
                        " ORDER BY place LIMIT $3"};
// OFFSET 0: looked up one by one, whatever the planner thinks of tables that it knows nothing of.
const Sql kJoin{
    "events: what is long",
    "SELECT u.which, d.id, d.type, b.first_email_id, b.domain, r.address, p.history,"
    " c.subject, d.tags, d.list_id, d.purpose, r.codes, a.sandbox"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[]) u(which, account, delivery, batch, seq, has_outcome)"
    " CROSS JOIN LATERAL (SELECT id, type, tags, list_id, purpose FROM deliveries WHERE key = "
    "u.delivery"
    " AND account = u.account AND deleted = 0 AND ($7::bigint IS NULL OR type = $7 OR ($8::bigint = 1 AND tags <> '')) OFFSET 0) d"
    " LEFT JOIN LATERAL (SELECT first_email_id, domain FROM batches WHERE number = u.batch"
    " AND delivery = u.delivery OFFSET 0) b ON true"
    " LEFT JOIN LATERAL (SELECT address, " ATTACHED_CODES("recipients")
    " AS codes FROM recipients WHERE batch = u.batch AND seq = u.seq OFFSET 0) r ON true"
    " LEFT JOIN LATERAL (SELECT history FROM progress WHERE batch = u.batch AND seq = u.seq"
    " AND u.has_outcome = 1 OFFSET 0) p ON true"
    " LEFT JOIN LATERAL (SELECT subject FROM contents WHERE delivery = u.delivery OFFSET 0) c"
    " ON true"
    " LEFT JOIN LATERAL (SELECT sandbox FROM accounts WHERE key = u.account OFFSET 0) a"
    " ON true"};
const Sql kDropSheets{"events: drop",
                      "DELETE FROM event_sheets WHERE place = ANY(ARRAY(SELECT place"
                      " FROM event_sheets ORDER BY place LIMIT $2)) AND at < $1 RETURNING place"};
const Sql kKeptFrom{"events: kept from",
                    "UPDATE numbers SET next = greatest(next, $1) WHERE line = 2"};
const Sql kNextGeneration{"events: generation",
                          "UPDATE numbers SET next = next + 1 WHERE line = 1"};

// Of what was just read; sheets of merged commits hold hundreds of entries.
constexpr std::int64_t kSheetsAtOnce = 256;
constexpr std::int64_t kOctetsAnEntry = 16;

std::shared_ptr<const EventDelivery> delivery_of(const Table& rows, int row) {
  return std::make_shared<const EventDelivery>(
      EventDelivery{.id = rows.integer(row, 1),
                    .type = static_cast<DeliveryType>(rows.integer(row, 2)),
                    .subject = std::string(rows.text(row, 7)),
                    .labels = {split_tags(rows.text(row, 8)), std::string(rows.text(row, 9)),
                               static_cast<Purpose>(rows.integer(row, 10))},
                    .sandbox = rows.flag(row, 12)});
}

// Of deliveries that are not asked for (asks_for()) no more is read, and their events are gone.
Result<void> join(Session& session, std::vector<EventRecord>& events,
                  const EventQuestion& question) {
  if (events.empty()) return {};
  Column which(kInt8), account(kInt8), delivery(kInt8), batch(kInt8), seq(kInt8), outcome(kInt8);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const SheetEntry& entry = events[i].entry;
    if (is_of_credential(entry.kind)) continue;
    events[i].is_gone = true;  // unless it is found
    which.add(i);
    account.add(events[i].account);
    delivery.add(entry.delivery);
    batch.add(is_of_many(entry.kind) ? 0 : batch_number(entry.delivery, entry.batch));
    seq.add(entry.seq);
    outcome.add(OutcomesTold::is_told(entry.kind));
  }
  const auto rows =
      session.ask(kJoin, Params() << which << account << delivery << batch << seq << outcome
                                  << question.type << std::int64_t{question.or_tagged ? 1 : 0});
  if (!rows) return fail(rows.error());
  NoDictionary dictionary;
  OutcomesTold outcomes(dictionary);
  std::unordered_map<DeliveryKey, std::shared_ptr<const EventDelivery>> deliveries;
  for (int row = 0; row < rows->size(); ++row) {
    EventRecord& event = events[static_cast<std::size_t>(rows->integer(row, 0))];
    const bool has_recipient = !is_of_many(event.entry.kind);
    event.is_gone = has_recipient && (rows->null(row, 3) || rows->null(row, 5));
    if (event.is_gone) continue;
    auto& its_delivery = deliveries[event.entry.delivery];
    if (!its_delivery) its_delivery = delivery_of(*rows, row);
    event.delivery = its_delivery;
    if (!has_recipient) continue;
    event.log_id = rows->integer(row, 3) + event.entry.seq;
    event.address = full_address(rows->text(row, 5), rows->text(row, 4));
    event.attached = attached_in(rows->text(row, 11));
    if (rows->null(row, 6)) continue;
    auto told = outcomes.tell(event, rows->text(row, 6));
    if (!told) return told;
  }
  return {};
}

}  // namespace

template <class To>
void add_events(To& to, CommitEvents& events, Told told, Instant committed) {
  if (events.empty()) return;
  Column account(kInt8);
  Column entries(kBytea);
  for (const auto& [its_account, sheet] : events.sheets(committed)) {
    account.add(its_account);
    entries.add(Octets{sheet});
  }
  events.clear();
  to.add(kInsertSheets, Params() << told << account << entries);
}

template void add_events(Link&, CommitEvents&, Told, Instant);
template void add_events(Session&, CommitEvents&, Told, Instant);

void Changes::add_events() {
  postgres::add_events(session_, events_, session_.now(), session_.now());
}

Result<EventPlace> Questions::last_event_place() {
  const auto bounds = session_.ask(kBounds);
  if (!bounds) return fail(bounds.error());
  return event_place_of(bounds->integer(0, 2) - 1, UINT32_MAX);
}

Result<std::optional<std::vector<AccountKey>>> Questions::accounts_told(const EventPlace& after,
                                                                        const EventPlace& until,
                                                                        std::int64_t sheets_max) {
  const auto rows = session_.ask(
      kAccountsTold, Params() << sheet_place(after) << sheet_place(until) << sheets_max + 1);
  if (!rows) return fail(rows.error());
  std::vector<AccountKey> accounts;
  for (int row = 0; row < rows->size(); ++row) {
    accounts.push_back(AccountKey{rows->integer(row, 0)});
  }
  return each_once(std::move(accounts), sheets_max);
}

Result<EventPage> Questions::events(const EventQuestion& question) {
  const std::int64_t octets =
      (std::clamp<std::int64_t>(question.limit, 1, kEventsLimitMax) + 1) * kOctetsAnEntry;
  const bool bounded = stands(Safeguard::open_transactions_awaited);
  std::int64_t place = sheet_place(question.after);
  auto account = static_cast<std::int64_t>(question.account.value_or(question.after_account));
  session_.add(kBounds);
  std::optional<EventSieve> sieve;
  EventPlace readable;
  for (bool ended = false;;) {
    const auto answers =
        session_
            .add(question.account ? kSheetsOfAccount : kSheetsOfAll,
                 Params() << place << kSheetsAtOnce << octets << account << bounded)
            .fly();
    if (!answers) return fail(answers.error());
    if (!sieve) {
      sieve.emplace(question, answers->front().integer(0, 1));
      // As of the first look, so that what a later one may find is not skipped.
      readable = event_place_of(answers->front().integer(0, 2) - 1, UINT32_MAX);
    }
    const Table& sheets = answers->back();
    for (int row = 0; row < sheets.size() && !sieve->full(); ++row) {
      const std::int64_t its_account = sheets.integer(row, 1);
      auto taken = sieve->take({sheets.integer(row, 0), AccountKey{its_account},
                                sheets.instant(row, 2), sheets.text(row, 3)});
      if (!taken) return fail(std::move(taken.error()));
      place = sheets.integer(row, 0) + (question.account ? 1 : 0);
      account = its_account + (question.account ? 0 : 1);
      const std::int64_t found = sheets.integer(row, 4);
      ended = found < kSheetsAtOnce && row + 1 == found;
    }
    ended = ended || sheets.empty();
    if (!ended && !sieve->full()) continue;
    EventPage page = sieve->page(ended, readable);
    auto done = join(session_, page.events, question);
    if (!done) return fail(std::move(done.error()));
    keep_wanted(question, page);
    return page;
  }
}

Result<bool> Changes::drop_events(Instant before, std::int64_t sheets) {
  const auto dropped = session_.ask(kDropSheets, Params() << before << sheets);
  if (!dropped) return fail(dropped.error());
  std::int64_t last = 0;
  for (int row = 0; row < dropped->size(); ++row) last = std::max(last, dropped->integer(row, 0));
  if (last == 0) return false;
  const auto kept = session_.ask(kKeptFrom, Params() << last);
  if (!kept) return fail(kept.error());
  return dropped->size() >= sheets;
}

void Changes::tell_of_recipient(EventKind kind, AccountKey account, const RecipientKey& key) {
  events_.add(account, event_of_recipient(kind, key.delivery, key.batch, key.seq, session_.now()));
}

Result<void> Changes::begin_event_generation() {
  const auto begun = session_.ask(kNextGeneration);
  if (!begun) return fail(begun.error());
  return {};
}

}  // namespace todoku::store::postgres
