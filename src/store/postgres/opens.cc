// SPDX-License-Identifier: Apache-2.0
// Who opened what (store/opens.h). What a process saw is three flights, however much it is: whose
// it is, what of it counts, how many more that makes of each delivery. A recipient's row decides
// between processes that saw the same.
#include "store/opens.h"

#include <algorithm>
#include <map>
#include <set>

#include "store/numbers.h"
#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define OPEN_COLUMNS "id, opened, opened_last, times, prefetched, complained"
const Sql kOpensOf{"opens: of ids", "SELECT " OPEN_COLUMNS
                                    " FROM opens WHERE account = $1 AND id = ANY($2)"
                                    " ORDER BY id DESC"};
const Sql kOpensIn{"opens: in a range", "SELECT " OPEN_COLUMNS
                                        " FROM opens WHERE account = $1 AND id >= $2 AND id < $3"
                                        " ORDER BY id LIMIT $4"};
const Sql kOpenCounts{"opens: counts",
                      "SELECT opened, prefetched FROM open_counts WHERE delivery = $1"};

// The batch stays until this is committed: whoever purges it waits for its lock (writes_purge.cc).
const Sql kWhose{
    "opens: whose",
    "SELECT u.which, b.first_email_id + u.seq FROM unnest($1::bigint[], $2::bigint[],"
    " $3::bigint[], $4::bigint[], $5::bigint[]) u(which, account, delivery, batch, seq)"
    " CROSS JOIN LATERAL (SELECT first_email_id FROM batches WHERE number = u.batch"
    " AND delivery = u.delivery AND account = u.account AND size > u.seq OFFSET 0 FOR KEY SHARE) b"
    " CROSS JOIN LATERAL (SELECT 1 FROM deliveries WHERE key = u.delivery AND deleted = 0"
    " AND started IS NOT NULL OFFSET 0) d"};
// $4: how long nothing more counts. Of one recipient once in a statement.
const Sql kRead{"opens: read",
                "INSERT INTO opens AS o(account, id, opened, opened_last, times)"
                " SELECT u.account, u.id, u.at, u.at, 1"
                " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) u(account, id, at)"
                " ORDER BY u.account, u.id ON CONFLICT(account, id) DO UPDATE SET"
                " opened = coalesce(o.opened, excluded.opened),"
                " opened_last = excluded.opened_last, times = o.times + 1"
                " WHERE o.opened_last IS NULL OR o.opened_last <= excluded.opened_last - $4"
                " RETURNING o.account, o.id, o.opened = o.opened_last"};
const Sql kPrefetched{
    "opens: prefetched",
    "INSERT INTO opens AS o(account, id, times, prefetched, prefetched_last)"
    " SELECT u.account, u.id, 0, u.at, u.at"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) u(account, id, at)"
    " ORDER BY u.account, u.id ON CONFLICT(account, id) DO UPDATE SET"
    " prefetched = coalesce(o.prefetched, excluded.prefetched),"
    " prefetched_last = excluded.prefetched_last"
    " WHERE o.prefetched_last IS NULL OR o.prefetched_last <= excluded.prefetched_last - $4"
    " RETURNING o.account, o.id, o.prefetched = o.prefetched_last"};
const Sql kComplained{"opens: complained",
                      "INSERT INTO opens AS o(account, id, times, complained) VALUES($1, $2, 0, $3)"
                      " ON CONFLICT(account, id) DO UPDATE SET complained = excluded.complained"
                      " WHERE o.complained IS NULL RETURNING 1"};
const Sql kCountOpens{
    "opens: count",
    "INSERT INTO open_counts AS c(delivery, opened, prefetched) SELECT * FROM"
    " unnest($1::bigint[], $2::bigint[], $3::bigint[]) u(delivery, opened, prefetched)"
    " ORDER BY u.delivery ON CONFLICT(delivery) DO UPDATE SET"
    " opened = c.opened + excluded.opened,"
    " prefetched = c.prefetched + excluded.prefetched"};

std::vector<OpenRecord> records_in(const Table& rows) {
  std::vector<OpenRecord> records;
  for (int i = 0; i < rows.size(); ++i) {
    records.push_back({.id = rows.integer(i, 0),
                       .opened = rows.optional_instant(i, 1),
                       .opened_last = rows.optional_instant(i, 2),
                       .times = rows.integer(i, 3),
                       .prefetched = rows.optional_instant(i, 4),
                       .complained = rows.optional_instant(i, 5)});
  }
  return records;
}

using Owned = std::pair<std::int64_t, PublicId>;  // account, email_id

// Those that one statement is to record, by recipient; the first of each counts.
class OpensOfAKind {
 public:
  explicit OpensOfAKind(const Sql& sql) : sql_(sql) {}
  void add(const Owned& whose, std::size_t which) { which_.try_emplace(whose, which); }
  [[nodiscard]] bool empty() const { return which_.empty(); }
  void add_to(Session& session, std::span<const OpenSeen> seen) const {
    Column account(kInt8);
    Column id(kInt8);
    Column at(kInt8);
    for (const auto& [whose, which] : which_) {
      account.add(whose.first);
      id.add(whose.second);
      at.add(session.now() - seen[which].age);
    }
    session.add(sql_, Params() << account << id << at << kOpenEvery.count());
  }
  // Calls recorded(which, first) for what a row says.
  template <class Recorded>
  void answer(const Table& rows, Recorded&& recorded) const {
    for (int i = 0; i < rows.size(); ++i) {
      const auto found = which_.find({rows.integer(i, 0), rows.integer(i, 1)});
      if (found != which_.end()) recorded(found->second, rows.flag(i, 2));
    }
  }

 private:
  const Sql& sql_;
  std::map<Owned, std::size_t> which_;
};

}  // namespace

Result<std::vector<OpenRecord>> Questions::opens_of(AccountKey account,
                                                    std::span<const PublicId> ids) {
  Column wanted(kInt8);
  for (const PublicId id : ids) wanted.add(id);
  const auto rows = session_.ask(kOpensOf, Params() << account << wanted);
  if (!rows) return fail(rows.error());
  return records_in(*rows);
}

Result<std::vector<OpenRecord>> Questions::opens_in(AccountKey account, LogRange range,
                                                    std::int64_t limit) {
  const auto rows =
      session_.ask(kOpensIn, Params() << account << range.first << range.end << limit);
  if (!rows) return fail(rows.error());
  return records_in(*rows);
}

Result<OpenCounts> Questions::open_counts(DeliveryKey key) {
  const auto rows = session_.ask(kOpenCounts, Params() << key);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return OpenCounts{};
  return OpenCounts{rows->integer(0, 0), rows->integer(0, 1)};
}

Result<std::vector<OpenRecorded>> Changes::record_opens(std::span<const OpenSeen> seen) {
  std::vector<OpenRecorded> answers(seen.size(), OpenRecorded::unknown);
  if (seen.empty()) return answers;
  // By batch, as all lock them.
  std::vector<std::size_t> order(seen.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {},
                    [&](std::size_t i) { return batch_number(seen[i].recipient.batch_key()); });
  Column which(kInt8), account(kInt8), delivery(kInt8), batch(kInt8), seq(kInt8);
  for (const std::size_t i : order) {
    which.add(i);
    account.add(seen[i].account);
    delivery.add(seen[i].recipient.delivery);
    batch.add(batch_number(seen[i].recipient.batch_key()));
    seq.add(seen[i].recipient.seq);
  }
  const auto whose = session_.ask(kWhose, Params() << which << account << delivery << batch << seq);
  if (!whose) return fail(whose.error());
  OpensOfAKind read(kRead);
  OpensOfAKind prefetched(kPrefetched);
  for (int i = 0; i < whose->size(); ++i) {
    const auto each = static_cast<std::size_t>(whose->integer(i, 0));
    answers[each] = OpenRecorded::repeated;
    (seen[each].by == OpenedBy::prefetch ? prefetched : read)
        .add({static_cast<std::int64_t>(seen[each].account), whose->integer(i, 1)}, each);
  }
  if (whose->empty()) return answers;
  for (const OpensOfAKind* some : {&read, &prefetched}) some->add_to(session_, seen);
  const auto recorded = session_.fly();
  if (!recorded) return fail(recorded.error());
  std::map<DeliveryKey, OpenCounts> counts;
  const auto note = [&](std::size_t each, bool first) {
    const OpenSeen& what = seen[each];
    answers[each] = OpenRecorded::recorded;
    events_.add(what.account, {.kind = EventKind::opened,
                               .at = session_.now() - what.age,
                               .delivery = what.recipient.delivery,
                               .batch = what.recipient.batch,
                               .seq = what.recipient.seq,
                               .opened_by = what.by});
    if (!first) return;
    OpenCounts& sum = counts[what.recipient.delivery];
    ++(what.by == OpenedBy::prefetch ? sum.prefetched : sum.opened);
  };
  read.answer((*recorded)[0], note);
  prefetched.answer((*recorded)[1], note);
  if (counts.empty()) return answers;
  Column counted(kInt8), more_opened(kInt8), more_prefetched(kInt8);
  for (const auto& [key, by] : counts) {
    counted.add(key);
    more_opened.add(by.opened);
    more_prefetched.add(by.prefetched);
  }
  const auto done =
      session_.ask(kCountOpens, Params() << counted << more_opened << more_prefetched);
  if (!done) return fail(done.error());
  return answers;
}

Result<OpenRecorded> Changes::record_complaint(AccountKey account, const RecipientKey& key,
                                               ComplaintEvent event) {
  Column which(kInt8), owner(kInt8), delivery(kInt8), batch(kInt8), seq(kInt8);
  which.add(0);
  owner.add(account);
  delivery.add(key.delivery);
  batch.add(batch_number(key.batch_key()));
  seq.add(key.seq);
  const auto whose = session_.ask(kWhose, Params() << which << owner << delivery << batch << seq);
  if (!whose) return fail(whose.error());
  if (whose->empty()) return OpenRecorded::unknown;
  const auto recorded =
      session_.ask(kComplained, Params() << account << whose->integer(0, 1) << session_.now());
  if (!recorded) return fail(recorded.error());
  if (recorded->empty()) return OpenRecorded::repeated;
  if (event == ComplaintEvent::told) tell_of_recipient(EventKind::complained, account, key);
  return OpenRecorded::recorded;
}

}  // namespace todoku::store::postgres
