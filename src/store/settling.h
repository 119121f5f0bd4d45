// SPDX-License-Identifier: Apache-2.0
// What every back end decides alike when it settles (work.h): what an outcome makes of a recipient
// and of its delivery's counts, and the order in which the pieces of several Settles are taken.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/event_sheet.h"
#include "store/pending.h"
#include "store/work.h"

namespace todoku::store {

// What an outcome asks for: where the life of the delivery ends before the next attempt, it is
// recorded as expired.
struct Verdict {
  RecipientState next = RecipientState::pending;
  std::optional<Instant> due;
};
// `stopped`: its delivery (course.h), so that nothing of it waits for another attempt.
[[nodiscard]] Verdict verdict_of(const OutcomeRecord& outcome, Instant now, Instant expires,
                                 bool stopped);

// Whether it changes a recipient in `state`. An attempt ends nothing that is over: what a holder
// whose lease had lapsed heard comes after what the next one heard. A bounce message, which is no
// attempt, may still come. Of a delivery that was stopped, what became of a mail that was in such a
// holder's hand is truer than that it was cancelled or in doubt; once it has ended, which was told
// with its counts, that is kept in the story alone.
[[nodiscard]] bool moves(RecipientState state, const Verdict& verdict, const Outcome& outcome,
                         Course course);
// Nothing of it goes out any more.
[[nodiscard]] constexpr bool is_stopped(Course course) {
  return course >= Course::stopped;
}

// Of the `which`th recipient of a transaction, whose batches follow its key.
[[nodiscard]] SheetEntry accepted_event(DeliveryKey delivery, std::int64_t which, Instant now);
// What an outcome that changed a recipient adds to its account's events; `attempts`: made by now.
[[nodiscard]] SheetEntry event_of(const OutcomeRecord& outcome, RecipientState next,
                                  std::int64_t attempts, Instant now);

// To an outcome that was to be recorded only if nobody had: several processes write what a stop has
// reached.
[[nodiscard]] std::unexpected<Error> somebody_was_first();

// To a mail that came back of whom nothing was taken, or that came back before.
[[nodiscard]] std::unexpected<Error> nothing_was_taken();
// Whether there was something to come back (OutcomeRecord::if_taken).
[[nodiscard]] constexpr bool was_taken(RecipientState state) {
  return state == RecipientState::delivered || state == RecipientState::unknown;
}

// Whether the one event of a stop has told already that a recipient comes to this state.
[[nodiscard]] constexpr bool is_told_by_stop(bool stopped, RecipientState next) {
  return stopped && next == RecipientState::cancelled;
}

// Of a mail that may have been on its way when nobody could say any more what became of it, and why
// it is not sent again.
enum class Doubt : std::uint8_t { sent_at_most_once, stopped };
[[nodiscard]] OutcomeRecord doubtful(const RecipientKey& recipient, Doubt why);
// Of one whom a stop has reached, unless somebody has it in hand.
[[nodiscard]] OutcomeRecord stopped_record(const StoppedRecipient& recipient);

// The count of a state; nullptr: it has none.
[[nodiscard]] std::int64_t* count_of(DeliveryCounts& counts, RecipientState state);

// An outcome or a release, and where its answer goes.
struct SettlePiece {
  BatchKey batch;
  std::size_t place = 0;  // in the order given, releases last
  const OutcomeRecord* outcome = nullptr;
  Result<OutcomeRecorded>* recorded = nullptr;
  const BatchRelease* release = nullptr;
  Result<BatchReleased>* released = nullptr;
  const BegunMark* mark = nullptr;
  Result<void>* marked = nullptr;
};

// Everything that the items bring, in the order of the batches; of one batch first the outcomes, in
// the order given, and marks, then the releases. Answers are made room for; what is not sound is
// answered.
[[nodiscard]] std::vector<SettlePiece> pieces_of(Together<Settle> items);

// To each item the deliveries that it touched and that are finished.
void tell_finished(Together<Settle> items, const std::vector<DeliveryKey>& finished);

}  // namespace todoku::store
