// SPDX-License-Identifier: Apache-2.0
#include "sim/store.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace todoku::sim {
namespace {

constexpr Microseconds kSlowReadMax{50'000};
// From the commit to the hearing of it.
constexpr Microseconds kNewsMax{300};
// The share of accepts that are committed and denied, where the fault is planted.
constexpr double kDenied = 0.2;
// What a piece of work says that went well and was undone.
constexpr std::string_view kUndone = "undone";

std::unexpected<Error> gone() {
  return fail(ErrorKind::unavailable, "the process is gone");
}

}  // namespace

FaultyStore::FaultyStore(Disk& disk, async::Executor executor, const SimClock& clock, Trace& trace)
    : disk_(disk), clock_(clock), trace_(trace), filled_(executor), tasks_(executor) {
  tasks_.spawn("disk", write_groups());
}

bool FaultyStore::refuses() {
  const bool full = clock_.elapsed() < disk_.full_until || is_away();
  const bool unlucky = disk_.random.unit() < disk_.script.failing;
  return full || unlucky;
}

void FaultyStore::enqueue(store::WritePriority priority, Work work, store::Done done) {
  if (dead_) {
    done(gone());
    return;
  }
  queues_[static_cast<std::size_t>(priority)].push_back({std::move(work), std::move(done), {}});
  filled_.notify();
}

void FaultyStore::submit_write(store::WritePriority priority, store::WriteWork work,
                               store::Done done) {
  enqueue(
      priority,
      [this, work = std::move(work)](store::WriteTransaction& transaction) mutable {
        auto worked = work(transaction);
        if (worked && !disk_.way_remembered) disk_.store.forget_ways();
        return worked;
      },
      std::move(done));
}

// As a store would see a settlement that took any token for the right one.
void FaultyStore::falsify(store::Settle& settle, Forged& forged) {
  const Faults& faults = disk_.faults;
  if ((faults.bounces_as_delivered || faults.deliveries_deferred) && forged.outcomes.empty()) {
    forged.outcomes.assign(settle.outcomes.begin(), settle.outcomes.end());
    for (store::OutcomeRecord& record : forged.outcomes) {
      RecipientState& state = record.outcome.state;
      if (faults.bounces_as_delivered && state == RecipientState::bounced) {
        state = RecipientState::delivered;
      } else if (faults.deliveries_deferred && state == RecipientState::delivered) {
        state = RecipientState::deferred;
        record.wait = std::chrono::minutes(3);
      }
    }
    settle.outcomes = forged.outcomes;
  }
  if (disk_.token_checked) return;
  if (forged.releases.empty()) {
    forged.releases.assign(settle.releases.begin(), settle.releases.end());
  }
  for (store::BatchRelease& release : forged.releases) {
    release.held.token = disk_.store.token_of(release.held.key);
  }
  settle.releases = forged.releases;
}

void FaultyStore::falsify_answer(store::Claimed& claimed) {
  if (!disk_.faults.recipients_mixed_up) return;
  for (auto& batch : claimed.batches) {
    if (!batch || batch->recipients.size() < 2) continue;
    std::swap(batch->recipients[0].address, batch->recipients[1].address);
  }
}

bool FaultyStore::lies(std::size_t priority) const {
  const auto is = [priority](store::WritePriority each) {
    return priority == static_cast<std::size_t>(each);
  };
  return (disk_.faults.accepts_told_early && is(store::WritePriority::accept)) ||
         (disk_.faults.outcomes_told_early && is(store::WritePriority::outcomes));
}

template <class Op>
void FaultyStore::perform(store::WritePriority priority, Op op, store::Answered<Op> done) {
  auto item = std::make_shared<store::Pending<Op>>();
  item->op = std::move(op);
  enqueue(
      priority,
      [this, item, forged = Forged()](
          store::sqlite::SqliteWriteTransaction& transaction) mutable -> Result<void> {
        falsify(item->op, forged);
        store::Pending<Op>* const items[] = {item.get()};
        auto performed = transaction.perform(store::Together<Op>(items));
        if (!performed) return performed;
        if (!item->answer) return fail(item->answer.error());
        return {};
      },
      [this, item, done = std::move(done)](Result<void> result) mutable {
        if (!result) {
          done(fail(std::move(result.error())));
          return;
        }
        if constexpr (std::is_same_v<Op, store::Accept>) {
          item->answer->content = std::move(item->op.delivery.content);
        }
        constexpr bool kLeases =
            std::is_same_v<Op, store::Accept> || std::is_same_v<Op, store::Claim>;
        falsify_answer(*item->answer);
        if (std::is_same_v<Op, store::Accept> && disk_.faults.accepts_denied &&
            disk_.random.unit() < kDenied) {
          done(fail(ErrorKind::unavailable, "the disk is full"));
          return;
        }
        if (const double share = disk_.script.lost_answers; kLeases && share > 0) {
          if (disk_.random.unit() < share) {
            ++doubts_;
            done(fail(ErrorKind::io, "the answer was lost"));
            return;
          }
        }
        done(std::move(item->answer));
      });
}

void FaultyStore::submit(store::Accept accept, store::Answered<store::Accept> done) {
  perform(store::WritePriority::accept, std::move(accept), std::move(done));
}

void FaultyStore::submit(store::Settle settle, store::Answered<store::Settle> done) {
  perform(store::WritePriority::outcomes, std::move(settle), std::move(done));
}

void FaultyStore::submit(store::Claim claim, store::Answered<store::Claim> done) {
  perform(store::WritePriority::claims, std::move(claim), std::move(done));
}

void FaultyStore::submit(store::StageRows stage, store::Answered<store::StageRows> done) {
  perform(store::WritePriority::import, std::move(stage), std::move(done));
}

void FaultyStore::submit(store::Due due, store::Answered<store::Due> done) {
  auto found = std::make_shared<store::DueDomains>();
  submit_read(
      [due = std::move(due), found](store::ReadTransaction& reader) -> Result<void> {
        auto answer = static_cast<store::sqlite::SqliteReadTransaction&>(reader).due(due);
        if (!answer) return fail(std::move(answer.error()));
        *found = std::move(*answer);
        return {};
      },
      [found, done = std::move(done)](Result<void> result) mutable {
        if (!result) {
          done(fail(std::move(result.error())));
        } else {
          done(std::move(*found));
        }
      });
}

void FaultyStore::submit(store::BellWork /*work*/, store::Answered<store::BellWork> done) {
  done(fail(ErrorKind::unsupported, "the simulation has a queue of its own (bells.h)"));
}

void FaultyStore::submit_read(store::ReadWork work, store::Done done) {
  Result<void> result = gone();
  if (!dead_ && (is_away() || disk_.random.unit() < disk_.script.failing_reads)) {
    result = fail(ErrorKind::unavailable, "the disk does not answer");
  } else if (!dead_) {
    result = disk_.store.read(
        [&work](store::ReadTransaction& transaction) { return work(transaction); });
  }
  if (dead_ || disk_.random.unit() >= disk_.script.slow_reads) {
    done(std::move(result));
    return;
  }
  const auto after = disk_.random.below(static_cast<std::uint64_t>(kSlowReadMax.count()));
  tasks_.spawn("read", answer_later(std::move(done), std::move(result), Microseconds(after)));
}

Task<void> FaultyStore::answer_later(store::Done done, Result<void> result, Microseconds after) {
  co_await async::sleep_for(after);
  done(dead_ ? Result<void>(gone()) : std::move(result));
}

Task<void> FaultyStore::write_groups() {
  while (true) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    const bool stopping = state.cancelled() != boost::asio::cancellation_type::none;
    const bool empty =
        std::ranges::all_of(queues_, [](const auto& queue) { return queue.empty(); });
    if (empty) {
      if (stopping) co_return;
      co_await filled_.wait();
      continue;
    }
    // What comes while one group commits goes with the next.
    std::vector<Piece> group;
    const bool slow = clock_.elapsed() < disk_.slow_until;
    const auto longest = static_cast<std::uint64_t>(disk_.script.commit.count());
    const Microseconds takes =
        slow ? disk_.slow_commit : Microseconds(1 + disk_.random.below(longest));
    co_await async::sleep_for(takes);
    commit(group);
    // The process may die between a commit and the news of it.
    co_await async::sleep_for(Microseconds(disk_.random.below(kNewsMax.count())));
    for (Piece& piece : group) piece.done(dead_ ? Result<void>(gone()) : std::move(piece.result));
  }
}

void FaultyStore::commit(std::vector<Piece>& group) {
  const bool refused = dead_ || refuses();
  for (std::size_t priority = 0; priority < queues_.size(); ++priority) {
    for (Piece& piece : std::exchange(queues_[priority], {})) {
      const bool twice = disk_.random.unit() < disk_.script.repeated;
      // A commit that fails has run its work; that it leaves nothing behind is the work's promise.
      if (!dead_ && (refused || twice)) piece.result = run(piece.work, true);
      if (!refused) piece.result = run(piece.work, false);
      const bool went_well = !piece.result && piece.result.error().detail == kUndone;
      if (refused && !dead_ && went_well && lies(priority)) {
        piece.result = {};
      } else if (refused) {
        piece.result = fail(ErrorKind::unavailable, "the disk is full");
      }
      group.push_back(std::move(piece));
    }
  }
  if (refused && !dead_) trace_.line("disk refuses a commit of {}", group.size());
}

Result<void> FaultyStore::run(Work& work, bool undo) {
  return disk_.store.write(
      [&work, undo](store::sqlite::SqliteWriteTransaction& transaction) -> Result<void> {
        Result<void> result = work(transaction);
        if (result && undo) return fail(ErrorKind::unavailable, std::string(kUndone));
        return result;
      });
}

void FaultyStore::die() {
  dead_ = true;
}

}  // namespace todoku::sim
