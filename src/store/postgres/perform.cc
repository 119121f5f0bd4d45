// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/perform.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/caught.h"
#include "store/postgres/transactions.h"
#include "store/postgres/words.h"

namespace todoku::store::postgres {
namespace {

// Of the same set or function, when another writer stood in the way or a connection was lost.
constexpr int kTriesMax = 12;
// To find out what became of a commit. Who accepts has somebody waiting at the other end, and can
// say that it may be stored; what a courier tells or takes is only worth while if it is known.
constexpr Milliseconds kDoubtAnsweredWithin{1'500};
constexpr Milliseconds kFlightWaitedFor{2'500};
constexpr Milliseconds kFlightLeast{1'000};
constexpr Milliseconds kAnsweredWithin{4'500};
constexpr Milliseconds kLeastWait{200};
constexpr Milliseconds kDoubtPursuedFor = std::chrono::seconds(90);
// A connection that had ended says so at once; who had to wait for that is not made to wait again.
constexpr Milliseconds kBrokeAtOnce{1'000};
// A function that needs ids of several kinds is run again for each.
constexpr int kRunsMax = 64;

// Told even where there is no memory for a sentence: it must not be taken for "not stored".
Error in_doubt(const Error& error) noexcept {
  log_words(Words::failure, "the database did not say whether something is stored", error.detail);
  try {
    return {ErrorKind::io, "the database did not say whether it is stored; it may be"};
  } catch (const std::exception&) {
    return {ErrorKind::io, "may be stored"};
  }
}

// The machine's: it bounds how long somebody waits, and nothing that is stored depends on it.
SteadyInstant now_here() {
  return SystemClock().steady_now();
}

// For a flight, of which what becomes of it may have to be found out, too.
Milliseconds flight_time(const Ground& ground) {
  if (ground.until == SteadyInstant::max()) return ground.flight_max;
  const auto left =
      std::chrono::floor<Milliseconds>(ground.until - now_here()) - kDoubtAnsweredWithin;
  return std::min(ground.flight_max, std::clamp(left, kFlightLeast, kFlightWaitedFor));
}

// Whether there is time for one more flight, and to find out what became of it.
bool has_time(const Ground& ground) {
  return ground.until == SteadyInstant::max() ||
         now_here() + kFlightLeast + kDoubtAnsweredWithin < ground.until;
}

// By when it must have a connection to be of use.
SteadyInstant link_by(SteadyInstant until) {
  return until == SteadyInstant::max() ? until : until - kFlightLeast - kDoubtAnsweredWithin;
}

// A transaction that failed, and until when it may be pursued if its fate is unknown.
struct Doubt {
  std::int64_t token = 0;
  SteadyInstant until{};
};

// Over whatever connection there is, until it succeeds. False: it has not until then.
template <class Work>
bool pursue(const Ground& ground, SteadyInstant until, const Work& work) {
  for (int tries = 1; now_here() < until; ++tries) {
    const auto done = caught([&]() -> Result<void> {
      auto link = ground.link(Use::finding_out, until);
      if (!link) return fail(std::move(link.error()));
      return work(**link);
    });
    if (done) return true;
    if (!ground.pause(tries)) break;
  }
  return false;
}

// Whether the transaction, whose commit was not answered, is stored. nullopt: nobody says.
std::optional<bool> find_out(const Ground& ground, const Doubt& doubt) {
  if (!ground.pause(1)) return std::nullopt;
  bool stored = false;
  const bool said = pursue(ground, doubt.until, [&](Link& link) -> Result<void> {
    const auto left = std::chrono::ceil<Milliseconds>(doubt.until - now_here());
    auto committed = was_committed(
        link, doubt.token, std::clamp(left, kLeastWait, std::max(ground.flight_max, kLeastWait)));
    if (!committed) return fail(std::move(committed.error()));
    stored = *committed;
    return {};
  });
  return said ? std::optional(stored) : std::nullopt;
}

// What to do after a flight that failed.
enum class Next : std::uint8_t { again, refused, stored, unknown };

// Throws nothing once a COMMIT was handed over.
Next after_failure(const Ground& ground, Failure failure, const Doubt& doubt, int tries) {
  if (failure.in_doubt) {
    const auto committed = find_out(ground, doubt);
    if (!committed) return Next::unknown;
    if (*committed) return Next::stored;
    return tries < kTriesMax && has_time(ground) ? Next::again : Next::refused;
  }
  const bool again = failure.lost() || failure.transient();
  if (!again || tries >= kTriesMax || !has_time(ground)) return Next::refused;
  if (!ground.pause(tries)) return Next::refused;
  return Next::again;
}

// What became of a set, all or nothing. Unless it is `known` it may be stored, and must not be
// performed once more; nor need it be where it was `held_up`, by what would hold up each of them,
// or until there is no time left.
struct SetFate {
  Result<void> done;
  bool known = true;
  bool held_up = false;
};

template <class Op>
SteadyInstant answered_by(Together<Op> items) {
  if constexpr (!std::is_same_v<Op, Accept>) return SteadyInstant::max();
  SteadyInstant asked = now_here();
  for (const Pending<Op>* const item : items) {
    if (item->since != SteadyInstant{}) asked = std::min(asked, item->since);
  }
  return postgres::answered_by(asked);
}

// Whatever is thrown or refused after a COMMIT was handed over is a doubt about it. What leaves
// this as an exception was thrown before.
template <class Op>
SetFate perform_set(const Ground& on, Together<Op> items) {
  constexpr bool kWaited = std::is_same_v<Op, Accept>;
  Ground ground = on;
  ground.until = answered_by<Op>(items);
  for (int tries = 1;; ++tries) {
    auto link = ground.link(Use::change, link_by(ground.until));
    if (!link) return {fail(std::move(link.error()))};
    const std::int64_t token = new_token();
    (*link)->forget_failure();
    Hot hot{**link, ground.ids, ground.hash, ground.time().now, flight_time(ground)};
    Flight<Op> flight(items);
    auto done = caught([&] { return flight.perform(hot, token); });
    const Doubt doubt{token, now_here() + (kWaited ? kDoubtAnsweredWithin : kDoubtPursuedFor)};
    if (!done) {
      const Failure failure = (*link)->failure();
      const Next next = after_failure(ground, failure, doubt, tries);
      if (next == Next::again) continue;
      if (next == Next::refused) {
        return {.done = fail(in_our_words(failure, done.error())),
                .held_up = kWaited && (failure.held_up() || !has_time(ground))};
      }
      const bool answered =
          next == Next::stored && pursue(ground, doubt.until, [&](Link& other) {
            Hot again{other, ground.ids, ground.hash, ground.time().now, ground.flight_max};
            return flight.answer_stored(again, token);
          });
      if (!answered) return {fail(in_doubt(done.error())), false};
    }
    if constexpr (std::is_same_v<Op, Claim>) {
      // What cannot be put back within that time stays with its node until that ends.
      if (flight.has_damaged())
        (void)pursue(ground, doubt.until, [&](Link& other) {
          Hot after{other, ground.ids, ground.hash, ground.time().now, ground.flight_max};
          return flight.put_back_damaged(after, token);
        });
    }
    return {};
  }
}

struct Run {
  Result<void> result;
  std::optional<Failure> failure;
  std::optional<IdNeeds> lacks;
};

// Once, from its beginning to its commit.
Run run_once(const Ground& ground, Link& link, Session& session, std::int64_t token,
             WriteWork& work) {
  const TimeTold told = ground.time();
  const bool waited_for = ground.until != SteadyInstant::max();
  const Milliseconds most = flight_time(ground);
  link.forget_failure();
  add_begin(link, token, told.now, waited_for ? limits_within(most) : TimeLimits{});
  const auto begun = link.fly(most);
  if (!begun) return {fail(begun.error()), link.failure(), {}};
  const Instant now = begun->back().instant(0, 0);
  session.begun(now, told.wall.value_or(now), most);
  Changes changes(session);
  auto result = caught([&] { return work(changes); });
  if (session.failure()) {
    if (result)
      result = fail(ErrorKind::unavailable, "a change failed, and its function did not say so");
    return {std::move(result), session.failure(), {}};
  }
  if (session.lacks() || !result) {
    (void)link.roll_back(most);
    if (result) result = fail(ErrorKind::unavailable, "ids are used up");
    return {std::move(result), {}, session.lacks()};
  }
  auto committed = caught([&] {
    changes.add_events();
    changes.add_topics();
    return link.add(kCommit).fly(most);
  });
  if (!committed) return {fail(std::move(committed.error())), link.failure(), {}};
  return {};
}

}  // namespace

SteadyInstant answered_by(SteadyInstant asked) {
  return asked + kAnsweredWithin;
}

template <class Op>
void perform_together(const Ground& ground, Together<Op> items) {
  bool is_last = false;
  in_halves<Op>(
      items,
      [&](Together<Op> some) {
        is_last = false;
        auto fate = SetFate{};
        auto performed = caught([&]() -> Result<void> {
          fate = perform_set<Op>(ground, some);
          return {};
        });
        if (!performed) fate.done = std::move(performed);
        // Nothing is found out by halves when nobody answers, and what may be stored is not done
        // again.
        if (!fate.done) {
          is_last = !fate.known || fate.held_up || !caught([&] {
            return ground.link(Use::change, link_by(answered_by<Op>(some)));
          });
        }
        return std::move(fate.done);
      },
      [&] { return is_last; });
}

template void perform_together(const Ground&, Together<Accept>);
template void perform_together(const Ground&, Together<Settle>);
template void perform_together(const Ground&, Together<Claim>);
template void perform_together(const Ground&, Together<StageRows>);

Result<void> perform_function(const Ground& ground, WriteWork& work) {
  std::set<AccountKey> missing;
  int runs = 0;
  for (int tries = 1;;) {
    auto link = ground.link(Use::change, link_by(ground.until));
    if (!link) return fail(std::move(link.error()));
    Session session(**link, ground.ids, ground.hash);
    session.set_missing(missing);
    const std::int64_t token = new_token();
    Run run = run_once(ground, **link, session, token, work);
    if (run.result) return {};
    if (!run.failure || !run.failure->in_doubt) session.undo_ids();
    if (run.lacks && ++runs < kRunsMax) {
      auto provided = ground.ids.provide(**link, *run.lacks, flight_time(ground));
      if (!provided) return fail(in_our_words((*link)->failure(), provided.error()));
      missing.merge(*provided);
      continue;
    }
    if (!run.failure) return fail(in_our_words({.state = "none"}, run.result.error()));
    const Doubt doubt{token, now_here() + kDoubtAnsweredWithin};
    const Next next = after_failure(ground, *run.failure, doubt, tries);
    if (next == Next::stored) return {};
    if (next == Next::unknown) return fail(in_doubt(run.result.error()));
    if (next == Next::refused || ++tries > kTriesMax) {
      return fail(in_our_words(*run.failure, run.result.error()));
    }
  }
}

const Sql kQuestionLimits{"question: limits",
                          "SELECT set_config('statement_timeout', '2s', true),"
                          " set_config('idle_in_transaction_session_timeout', '10s', true),"
                          " set_config('jit', 'off', true)"};

namespace {

const Sql kBeginQuestion{"question: begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
const Sql kQuestionTime{"question: time", "SELECT " STORE_NOW};

}  // namespace

Result<void> answer_question(const Ground& ground, ReadWork& work, Milliseconds most) {
  for (int tries = 1;; ++tries) {
    auto link = ground.link(Use::question, SteadyInstant::max());
    if (!link) return fail(std::move(link.error()));
    const TimeTold told = ground.time();
    const SteadyInstant asked = now_here();
    const auto begun = (*link)
                           ->add(kBeginQuestion)
                           .add(kQuestionLimits)
                           .add(kQuestionTime, Params() << told.now)
                           .fly(most);
    if (!begun) {
      // An old connection that broke while nobody looked: once more over a new one.
      if ((*link)->failure().lost() && tries == 1 && now_here() - asked < kBrokeAtOnce) continue;
      return fail(in_our_words((*link)->failure(), begun.error()));
    }
    Session session(**link, ground.ids, ground.hash);
    const Instant now = begun->back().instant(0, 0);
    if (ground.clock != nullptr) ground.clock->told(now, asked, now_here());
    session.begun(now, told.wall.value_or(now), most);
    Questions questions(session);
    auto result = caught([&] { return work(questions); });
    if (session.failure()) {
      if (session.failure()->lost() && tries == 1 && now_here() - asked < kBrokeAtOnce) continue;
      if (!result) return fail(in_our_words(*session.failure(), result.error()));
      return result;
    }
    (void)(*link)->roll_back(most);  // nothing was changed
    return result;
  }
}

}  // namespace todoku::store::postgres
