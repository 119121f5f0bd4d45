// SPDX-License-Identifier: Apache-2.0
// Settle (store/work.h): two flights. Everybody who writes a recipient's progress holds its batch's
// row, so that is all the first one locks; it reads what is to be decided on. What is decided is
// decided here, by the rules that every back end has (settling.h); the second flight writes it, one
// statement a table. Of releases the database decides: their due times come from what was just
// written.
#include <algorithm>
#include <set>

#include "base/safeguard.h"
#include "store/numbers.h"
#include "store/postgres/hot.h"
#include "store/postgres/settling_set.h"
#include "store/postgres/stops.h"

namespace todoku::store::postgres {
namespace {

// Of what is stored already.
const Sql kReleasedNow{"settle: released",
                       "SELECT number, open, ready_at FROM batches WHERE number = ANY($1)"};
const Sql kFinishedNow{"settle: finished",
                       "SELECT key FROM deliveries WHERE key = ANY($1) AND finished = $2"};

Result<SettlingSet> lock_and_read(Hot& hot, std::int64_t token,
                                  const std::vector<SettlePiece>& pieces) {
  std::set<BatchKey> batches;
  std::set<Place> places;
  for (const SettlePiece& piece : pieces) {
    batches.insert(piece.batch);
    if (piece.outcome != nullptr) places.insert(place_of(piece.outcome->key));
  }
  add_begin(hot.link, token, hot.told);
  add_reading(hot.link, batches, places);
  const auto answers = hot.link.fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  return SettlingSet::of(std::span(*answers).subspan(kBeginStatements, kReadingStatements),
                         (*answers)[kBeginStatements - 1].instant(0, 0));
}

// False: it is answered. True: it is what the database will say.
bool settle_release(const BatchRelease& release, SettlingSet& set, Result<BatchReleased>& answer) {
  SettlingBatch* const batch = set.batch(release.held.key);
  if (batch == nullptr) {
    answer = fail(ErrorKind::not_found, "there is no such batch any more");
    return false;
  }
  const bool is_open = batch->open > batch->settled;
  const bool passed = batch->token != release.held.token || (is_open && batch->holder == kNobody);
  if (passed && stands(Safeguard::token_checked)) {
    answer = fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else");
    return false;
  }
  batch->released = true;
  batch->not_before = set.now + release.not_before;
  return true;
}

void tell_released(const Table& batches, Instant now,
                   std::multimap<std::int64_t, Result<BatchReleased>*>& released) {
  for (int i = 0; i < batches.size(); ++i) {
    const bool done = batches.integer(i, 1) == 0;
    const auto next = batches.optional_instant(i, 2);
    const auto [begin, end] = released.equal_range(batches.integer(i, 0));
    for (auto it = begin; it != end; ++it) {
      *it->second = BatchReleased{
          .done = done, .next = done || !next ? std::nullopt : std::optional(*next - now)};
    }
  }
}

}  // namespace

Result<void> Flight<Settle>::perform(Hot& hot, std::int64_t token) {
  const std::vector<SettlePiece> pieces = pieces_of(items_);
  released_.clear();
  touched_.clear();
  if (pieces.empty()) return {};
  auto set = lock_and_read(hot, token, pieces);
  if (!set) return fail(std::move(set.error()));
  now_ = set->now;
  for (const SettlePiece& piece : pieces) {
    if (piece.outcome != nullptr) {
      *piece.recorded = set->settle(*piece.outcome);
    } else if (piece.mark != nullptr) {
      *piece.marked = set->mark(*piece.mark);
    } else if (settle_release(*piece.release, *set, *piece.released)) {
      auto doubted = set->doubt(piece.batch);
      if (!doubted) return doubted;
      released_.emplace(batch_number(piece.batch), piece.released);
    }
  }
  for (const auto& [key, counts] : set->counts) touched_.push_back(key);
  add_recipients(hot.link, *set);
  add_hard_errors(hot.link, now_, set->hard_errors, items_.front()->op.error_stop);
  add_batches(hot.link, *set);
  if (!touched_.empty()) add_counts(hot.link, *set);
  const auto answers = hot.link.add(kCommit).fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  const std::size_t size = answers->size();
  tell_released((*answers)[size - (touched_.empty() ? 2 : 4)], now_, released_);
  std::vector<DeliveryKey> finished;
  if (!touched_.empty()) {
    const Table& counted = (*answers)[size - 2];
    for (int i = 0; i < counted.size(); ++i) {
      if (counted.flag(i, 1)) finished.push_back(DeliveryKey{counted.integer(i, 0)});
    }
    std::ranges::sort(finished);
  }
  tell_finished(items_, finished);
  return {};
}

// What became of the outcomes was decided before the commit.
Result<void> Flight<Settle>::answer_stored(Hot& hot, std::int64_t /*token*/) {
  Column numbers(kInt8);
  for (const auto& [number, answer] : released_) numbers.add(number);
  Column keys(kInt8);
  for (const DeliveryKey key : touched_) keys.add(key);
  const auto answers = hot.link.add(kReleasedNow, Params() << numbers)
                           .add(kFinishedNow, Params() << keys << now_)
                           .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  tell_released(answers->front(), now_, released_);
  std::vector<DeliveryKey> finished;
  for (int i = 0; i < answers->back().size(); ++i) {
    finished.push_back(DeliveryKey{answers->back().integer(i, 0)});
  }
  tell_finished(items_, finished);
  return {};
}

}  // namespace todoku::store::postgres
