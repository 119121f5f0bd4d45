// SPDX-License-Identifier: Apache-2.0
// Everybody who writes a recipient's progress holds its batch's row, so that is all the first
// flight locks. What is decided is decided here, by the engine's own rules (may_change); the second
// flight writes it. Of releases the store's rows decide: their due times come from what was just
// written.
#include <algorithm>
#include <map>
#include <set>

#include "merged.h"
#include "schema.h"
#include "store/texts.h"

namespace todoku::pg_sketch {
namespace {

using store::OutcomeRecord;
using store::RecipientKey;
using store::Settle;
using store::Settled;

const Sql kLockBatches{"settle_lock",
                       "SELECT b.number, b.delivery, b.size, b.open, b.token, b.holder, b.losses, "
                       "b.alone, d.expires, " PG_SKETCH_NOW
                       " FROM batches b JOIN deliveries d ON d.key = b.delivery"
                       " WHERE b.number = ANY($1) AND d.status IN (5, 6) AND d.deleted = 0"
                       " ORDER BY b.number FOR NO KEY UPDATE OF b"};
const Sql kPresent{"settle_present",
                   "SELECT p.batch, p.seq, p.state, p.attempts, p.due"
                   " FROM unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " JOIN progress p ON p.batch = u.batch AND p.seq = u.seq"};
// Only where recipients were removed does it have to be asked who is there.
const Sql kThere{"settle_there",
                 "SELECT r.batch, r.seq FROM unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                 " JOIN batches b ON b.number = u.batch AND b.removed > 0"
                 " JOIN recipients r ON r.batch = u.batch AND r.seq = u.seq"};
const Sql kHoles{"settle_holes",
                 "SELECT number FROM batches WHERE number = ANY($1) AND removed > 0"};
const Sql kInsert{
    "settle_insert",
    "INSERT INTO progress SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bytea[])"};
const Sql kUpdate{
    "settle_update",
    "UPDATE progress p SET state = u.state, attempts = u.attempts, due = u.due,"
    " history = history || u.more FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bytea[]) u(batch, seq, state, attempts, due, more)"
    " WHERE p.batch = u.batch AND p.seq = u.seq"};
// A release is due at the earliest due time of who is open (who has no progress: now), not before
// what was asked for, not after the end of its life. $1 number, $2 settled, $3 absolved,
// $4 released, $5 not before, $6 end of life, $7 earliest new due; $8 now.
const Sql kBatches{
    "settle_batches",
    "UPDATE batches b SET open = b.open - u.settled,"
    " losses = CASE WHEN u.absolved = 1 THEN 0 ELSE b.losses END,"
    " holder = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE b.holder END,"
    " ready_at = CASE WHEN b.open = u.settled THEN NULL"
    " WHEN u.released = 1 THEN least(greatest(u.not_before, (SELECT CASE"
    " WHEN count(*) < b.open - u.settled THEN $8 ELSE min(coalesce(p.due, $8)) END"
    " FROM progress p WHERE p.batch = b.number AND p.state <= 1)), greatest(u.expires, $8))"
    " WHEN b.holder = 0 THEN least(b.ready_at, u.due) ELSE b.ready_at END,"
    " alone = CASE WHEN u.released = 1 OR b.open = u.settled THEN NULL ELSE b.alone END,"
    " begun = CASE WHEN u.released = 1 OR b.open = u.settled THEN 0 ELSE b.begun END"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[]) u(number, settled, absolved, released, not_before, expires, due)"
    " WHERE b.number = u.number RETURNING b.number, b.open, b.ready_at"};
// Suspects that were begun, and nobody died of it.
const Sql kAbsolve{"settle_absolve",
                   "DELETE FROM suspects s USING unnest($1::bigint[], $2::bigint[]) u(batch, seq)"
                   " WHERE s.batch = u.batch AND s.seq = u.seq"};
const Sql kLockDeliveries{"settle_lock_deliveries",
                          "SELECT key FROM deliveries WHERE key = ANY($1) ORDER BY key"
                          " FOR NO KEY UPDATE"};
// $1 key, $2.. increments in the order of states 2..7, $8 deferred; $9 now.
const Sql kCounts{
    "settle_counts",
    "UPDATE deliveries d SET delivered = d.delivered + u.a, bounced = d.bounced + u.b,"
    " dropped = d.dropped + u.c, expired = d.expired + u.d, cancelled = d.cancelled + u.e,"
    " unknown = d.unknown + u.f, deferred = d.deferred + u.g, updated = greatest(d.updated, $9),"
    " finished = CASE WHEN status = 5 AND total = d.delivered + d.bounced + d.dropped + d.expired +"
    " d.cancelled + d.unknown + u.a + u.b + u.c + u.d + u.e + u.f THEN $9 ELSE finished END,"
    " status = CASE WHEN status = 5 AND total = d.delivered + d.bounced + d.dropped + d.expired +"
    " d.cancelled + d.unknown + u.a + u.b + u.c + u.d + u.e + u.f THEN 6 ELSE status END"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[], $8::bigint[]) u(key, a, b, c, d, e, f, g)"
    " WHERE d.key = u.key RETURNING d.key, status = 6"
    " AND finished = $9 AND u.a + u.b + u.c + u.d + u.e + u.f > 0"};

struct Batch {
  store::DeliveryKey delivery{};
  std::int64_t size = 0;
  std::int64_t open = 0;
  std::uint64_t token = 0;
  std::int64_t holder = 0;
  std::int64_t losses = 0;
  std::optional<std::int64_t> alone;
  std::int64_t expires = 0;
  bool holes = false;
  std::int64_t settled = 0;
  bool recorded = false;
  bool released = false;
  std::int64_t not_before = 0;
  std::optional<std::int64_t> due;

  [[nodiscard]] bool absolved() const {
    return recorded && losses > 0 && losses < store::kLossesToSuspect;
  }
  [[nodiscard]] bool changes() const {
    return settled > 0 || released || absolved() || (holder == 0 && due);
  }
};

// A recipient's state, and what is added to its story. Several outcomes of one are one row.
struct Progress {
  bool present = false;
  bool touched = false;
  RecipientState state = RecipientState::pending;
  std::int64_t attempts = 0;
  std::optional<std::int64_t> due;
  std::string more;
};

using Place = std::pair<std::int64_t, std::int64_t>;  // batch number, seq

std::int64_t number_of(const store::BatchKey& key) {
  return static_cast<std::int64_t>(key.delivery) + key.batch;
}
Place place_of(const RecipientKey& key) {
  return {number_of(key.batch_key()), key.seq};
}

struct Known {
  std::int64_t now = 0;
  std::map<std::int64_t, Batch> batches;
  std::map<Place, Progress> progress;
  std::set<Place> there;

  // Nullptr: it is not there, or its number is another delivery's.
  [[nodiscard]] Batch* batch(const store::BatchKey& key) {
    const auto found = batches.find(number_of(key));
    if (found == batches.end() || found->second.delivery != key.delivery) return nullptr;
    return &found->second;
  }
};

std::string story_of(const OutcomeRecord& record, RecipientState state, std::int64_t now) {
  std::string story;
  story.push_back(static_cast<char>(static_cast<unsigned>(record.outcome.stage) << 4U |
                                    static_cast<unsigned>(state)));
  story.push_back(record.outcome.is_attempt ? '1' : '0');
  put_be(story, static_cast<std::uint64_t>(now - record.age.count() - record.duration.count()), 8);
  put_be(story, static_cast<std::uint64_t>(record.duration.count()), 4);
  put_be(story,
         static_cast<std::uint64_t>(record.outcome.reply.code) +
             (record.outcome.charset_fell_back ? 1'024 : 0),
         2);
  put_text(story, record.outcome.reply.text);
  put_text(story, record.path.mx_host);
  put_text(story, record.path.remote_ip);
  put_text(story, record.path.egress_source);
  story.push_back(static_cast<char>(record.path.tls));
  put_text(story, record.path.tls_detail);
  return story;
}

Result<Known> read_and_lock(Link& link, Items<Settle> items) {
  std::set<std::int64_t> numbers;
  std::set<Place> places;
  for (const Settle* const item : items) {
    for (const auto& outcome : item->outcomes) places.insert(place_of(outcome.key));
    for (const auto& release : item->releases) numbers.insert(number_of(release.held.key));
  }
  Column batch(kInt8);
  Column seq(kInt8);
  for (const auto& [number, position] : places) {
    numbers.insert(number);
    batch.add(number);
    seq.add(position);
  }
  Column number(kInt8);
  for (const auto each : numbers) number.add(each);
  link.add(kBegin)
      .add(kLockBatches, Params() << number)
      .add(kHoles, Params() << number)
      .add(kPresent, Params() << batch << seq)
      .add(kThere, Params() << batch << seq);
  const auto results = link.fly();
  if (!results) return fail(results.error());
  Known known;
  const Rows batches((*results)[1].get());
  for (int i = 0; i < batches.size(); ++i) {
    known.batches[batches.integer(i, 0)] = {
        .delivery = store::DeliveryKey{batches.integer(i, 1)},
        .size = batches.integer(i, 2),
        .open = batches.integer(i, 3),
        .token = static_cast<std::uint64_t>(batches.integer(i, 4)),
        .holder = batches.integer(i, 5),
        .losses = batches.integer(i, 6),
        .alone = batches.null(i, 7) ? std::nullopt : std::optional(batches.integer(i, 7)),
        .expires = batches.null(i, 8) ? INT64_MAX : batches.integer(i, 8)};
    known.now = batches.integer(i, 9);
  }
  const Rows holes((*results)[2].get());
  for (int i = 0; i < holes.size(); ++i) {
    if (const auto found = known.batches.find(holes.integer(i, 0)); found != known.batches.end()) {
      found->second.holes = true;
    }
  }
  const Rows present((*results)[3].get());
  for (int i = 0; i < present.size(); ++i) {
    auto& progress = known.progress[{present.integer(i, 0), present.integer(i, 1)}];
    progress = {.present = true,
                .state = static_cast<RecipientState>(present.integer(i, 2)),
                .attempts = present.integer(i, 3)};
    if (!present.null(i, 4)) progress.due = present.integer(i, 4);
  }
  const Rows there((*results)[4].get());
  for (int i = 0; i < there.size(); ++i)
    known.there.emplace(there.integer(i, 0), there.integer(i, 1));
  return known;
}

// Sums by delivery; index 0: deferred, 2..7: states.
using Sums = std::map<store::DeliveryKey, std::array<std::int64_t, 8>>;

Result<store::OutcomeRecorded> record(const OutcomeRecord& record, Known& known, Sums& sums) {
  if (auto sound = store::check_sound(record); !sound) return fail(std::move(sound.error()));
  Batch* const found = known.batch(record.key.batch_key());
  const Place place = place_of(record.key);
  if (found == nullptr || record.key.seq >= found->size ||
      (found->holes && !known.there.contains(place))) {
    return fail(ErrorKind::not_found, "there is no such recipient any more");
  }
  Batch& batch = *found;
  RecipientState next = record.outcome.state;
  std::optional<std::int64_t> due;
  if (record.wait) {
    due = known.now - record.age.count() + record.wait->count();
    if (*due > batch.expires) {
      next = RecipientState::expired;
      due.reset();
    }
  }
  Progress& progress = known.progress[place];
  progress.touched = true;
  progress.more += story_of(record, next, known.now);
  progress.attempts += record.outcome.is_attempt ? 1 : 0;
  batch.recorded = true;
  auto& sum = sums[record.key.delivery];
  const bool moves = may_change(progress.state, next);
  if (moves) {
    const auto count = [&](RecipientState state, std::int64_t by) {
      if (state == RecipientState::pending) return;
      sum.at(state == RecipientState::deferred ? 0 : static_cast<std::size_t>(state)) += by;
    };
    count(progress.state, -1);
    count(next, 1);
    if (!is_terminal(progress.state) && is_terminal(next)) ++batch.settled;
    progress.state = next;
    progress.due = due;
    if (due && (!batch.due || *due < *batch.due)) batch.due = due;
  }
  const auto left =
      progress.due ? std::optional(Milliseconds(*progress.due - known.now)) : std::nullopt;
  return store::OutcomeRecorded{.state = progress.state, .superseded = !moves, .due = left};
}

void add_progress(Link& link, const Known& known) {
  std::array<std::array<Column, 6>, 2> columns{
      {{Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8), Column(kBytea)},
       {Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8),
        Column(kBytea)}}};
  std::array<bool, 2> any{};
  for (const auto& [place, progress] : known.progress) {
    if (!progress.touched) continue;
    const std::size_t which = progress.present ? 1 : 0;
    any.at(which) = true;
    auto& to = columns.at(which);
    to[0].add(place.first);
    to[1].add(place.second);
    to[2].add(static_cast<std::int64_t>(progress.state));
    to[3].add(progress.attempts);
    to[4].add(progress.due);
    to[5].add(progress.more);
  }
  for (const std::size_t which : {0U, 1U}) {
    if (!any.at(which)) continue;
    Params params;
    for (const Column& column : columns.at(which)) params << column;
    link.add(which == 0 ? kInsert : kUpdate, std::move(params));
  }
}

void add_batches(Link& link, const Known& known) {
  std::array<Column, 7> to{Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8),
                           Column(kInt8), Column(kInt8), Column(kInt8)};
  for (const auto& [number, batch] : known.batches) {
    if (!batch.changes()) continue;
    to[0].add(number);
    to[1].add(batch.settled);
    to[2].add(batch.absolved() ? std::int64_t{1} : 0);
    to[3].add(batch.released ? std::int64_t{1} : 0);
    to[4].add(batch.not_before);
    to[5].add(batch.expires);
    to[6].add(batch.due);
  }
  Params params;
  for (const Column& column : to) params << column;
  params << known.now;
  link.add(kBatches, std::move(params));
}

void add_absolved(Link& link, const Known& known) {
  Column number(kInt8);
  Column seq(kInt8);
  bool any = false;
  for (const auto& [each, batch] : known.batches) {
    if (!batch.recorded || !batch.alone) continue;
    any = true;
    number.add(each);
    seq.add(*batch.alone);
  }
  if (any) link.add(kAbsolve, Params() << number << seq);
}

void add_counts(Link& link, const Known& known, const Sums& sums) {
  Column keys(kInt8);
  std::array<Column, 7> by{Column(kInt8), Column(kInt8), Column(kInt8), Column(kInt8),
                           Column(kInt8), Column(kInt8), Column(kInt8)};
  for (const auto& [key, sum] : sums) {
    keys.add(static_cast<std::int64_t>(key));
    for (std::size_t i = 2; i < 8; ++i) by.at(i - 2).add(sum.at(i));
    by[6].add(sum[0]);
  }
  Params params;
  params << keys;
  for (const Column& column : by) params << column;
  params << known.now;
  link.add(kLockDeliveries, Params() << keys).add(kCounts, std::move(params));
}

}  // namespace

Result<Answers<Settle>> settle(Link& link, Items<Settle> items) {
  auto known = read_and_lock(link, items);
  if (!known) return fail(std::move(known.error()));
  Answers<Settle> answers(items.size());
  Sums sums;
  std::multimap<std::int64_t, Result<store::BatchReleased>*> released;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& outcome : items[i]->outcomes) {
      answers[i]->outcomes.push_back(record(outcome, *known, sums));
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    answers[i]->releases.resize(items[i]->releases.size());
    for (std::size_t k = 0; k < items[i]->releases.size(); ++k) {
      const store::BatchRelease& release = items[i]->releases[k];
      auto& answer = answers[i]->releases[k];
      Batch* const found = known->batch(release.held.key);
      if (found == nullptr) {
        answer = fail(ErrorKind::not_found, "there is no such batch any more");
        continue;
      }
      Batch& batch = *found;
      const bool free = batch.holder == 0 || batch.released;
      if (batch.token != release.held.token || (free && batch.open > batch.settled)) {
        answer = fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
        continue;
      }
      batch.released = true;
      batch.not_before = known->now + release.not_before.count();
      released.emplace(number_of(release.held.key), &answer);
    }
  }
  add_progress(link, *known);
  add_absolved(link, *known);
  add_batches(link, *known);
  if (!sums.empty()) add_counts(link, *known, sums);
  const auto results = link.add(kCommit).fly();
  if (!results) return fail(results.error());
  const std::size_t size = results->size();
  const Rows batches((*results)[size - (sums.empty() ? 2 : 4)].get());
  for (int i = 0; i < batches.size(); ++i) {
    const auto [begin, end] = released.equal_range(batches.integer(i, 0));
    for (auto it = begin; it != end; ++it) {
      const bool done = batches.integer(i, 1) == 0;
      *it->second = store::BatchReleased{
          .done = done,
          .next = done ? std::nullopt
                       : std::optional(Milliseconds(batches.integer(i, 2) - known->now))};
    }
  }
  if (sums.empty()) return answers;
  const Rows deliveries((*results)[size - 2].get());
  for (int i = 0; i < deliveries.size(); ++i) {
    if (deliveries.integer(i, 1) == 0) continue;
    const store::DeliveryKey key{deliveries.integer(i, 0)};
    for (std::size_t k = 0; k < items.size(); ++k) {
      const bool its = std::ranges::any_of(
          items[k]->outcomes, [&](const auto& outcome) { return outcome.key.delivery == key; });
      if (its) answers[k]->finished.push_back(key);
    }
  }
  return answers;
}

}  // namespace todoku::pg_sketch
