// SPDX-License-Identifier: Apache-2.0
#include "store/settling.h"

#include <algorithm>
#include <utility>

#include "store/numbers.h"
#include "store/texts.h"

namespace todoku::store {
namespace {

// Beyond any number of outcomes.
constexpr std::size_t kReleases = std::size_t{1} << 40U;

static_assert(kBatchRecipientsMax <= kBegunTogether * kBegunBits);

}  // namespace

Verdict verdict_of(const OutcomeRecord& outcome, Instant now, Instant expires, bool stopped) {
  Verdict verdict{.next = outcome.outcome.state, .due = std::nullopt};
  if (!outcome.wait) return verdict;
  if (stopped) {
    verdict.next = RecipientState::cancelled;
    return verdict;
  }
  const Instant due = now - outcome.age + *outcome.wait;
  if (due > expires) {
    verdict.next = RecipientState::expired;
  } else {
    verdict.due = due;
  }
  return verdict;
}

bool moves(RecipientState state, const Verdict& verdict, const Outcome& outcome, Course course) {
  if (course == Course::ended && outcome.is_attempt) return false;
  if (is_stopped(course) && state == RecipientState::cancelled && outcome.is_attempt) {
    return verdict.next == RecipientState::delivered || verdict.next == RecipientState::bounced;
  }
  if (is_terminal(state) && outcome.is_attempt && state != RecipientState::unknown) return false;
  return may_change(state, verdict.next);
}

SheetEntry accepted_event(DeliveryKey delivery, std::int64_t which, Instant now) {
  return {.kind = EventKind::accepted,
          .at = now,
          .delivery = delivery,
          .batch = static_cast<std::uint32_t>(which / kBatchRecipientsMax),
          .seq = static_cast<std::uint32_t>(which % kBatchRecipientsMax)};
}

SheetEntry event_of(const OutcomeRecord& outcome, RecipientState next, std::int64_t attempts,
                    Instant now) {
  constexpr std::int64_t kAttemptsMax = 65'535;
  return {.kind = event_kind(next, attempts > 0),
          .at = now - outcome.age,
          .delivery = outcome.key.delivery,
          .batch = outcome.key.batch,
          .seq = outcome.key.seq,
          .attempt = static_cast<std::uint16_t>(std::min(attempts, kAttemptsMax)),
          .code = static_cast<std::uint16_t>(std::max(outcome.outcome.reply.code, 0)),
          .cause = outcome.outcome.cause};
}

OutcomeRecord doubtful(const RecipientKey& recipient, Doubt why) {
  std::string text = "4.3.0 its sending was interrupted on our side; it may have arrived, and is ";
  text += why == Doubt::stopped ? "not sent again because its delivery was stopped"
                                : "not sent again because that was asked for";
  return {.key = recipient,
          .outcome = {.state = RecipientState::unknown,
                      .stage = Stage::data,
                      .reply = {0, std::move(text)},
                      .cause = Cause::in_doubt}};
}

std::unexpected<Error> somebody_was_first() {
  return fail(ErrorKind::conflict, "what became of this recipient is recorded already");
}

std::unexpected<Error> nothing_was_taken() {
  return fail(ErrorKind::conflict, "nothing that a receiver took is left to come back");
}

OutcomeRecord stopped_record(const StoppedRecipient& recipient) {
  OutcomeRecord record;
  if (recipient.may_have_arrived) {
    record = doubtful(recipient.key, Doubt::stopped);
    record.outcome.is_attempt = false;  // nobody knows of one
  } else {
    record = {.key = recipient.key,
              .outcome = {.state = RecipientState::cancelled,
                          .reply = {0, "the delivery was stopped before this mail went out"},
                          .is_attempt = false}};
  }
  record.if_free = true;
  return record;
}

std::int64_t* count_of(DeliveryCounts& counts, RecipientState state) {
  switch (state) {
    case RecipientState::pending:
      return nullptr;
    case RecipientState::deferred:
      return &counts.deferred;
    case RecipientState::delivered:
      return &counts.delivered;
    case RecipientState::bounced:
      return &counts.bounced;
    case RecipientState::dropped:
      return &counts.dropped;
    case RecipientState::expired:
      return &counts.expired;
    case RecipientState::cancelled:
      return &counts.cancelled;
    case RecipientState::unknown:
      return &counts.unknown;
  }
  return nullptr;
}

std::vector<SettlePiece> pieces_of(Together<Settle> items) {
  std::vector<SettlePiece> pieces;
  for (Pending<Settle>* const item : items) {
    Settled& answer = item->answer.emplace();
    answer.outcomes.resize(item->op.outcomes.size());
    answer.releases.resize(item->op.releases.size());
    answer.marks.resize(item->op.marks.size());
    for (std::size_t i = 0; i < item->op.outcomes.size(); ++i) {
      const OutcomeRecord& outcome = item->op.outcomes[i];
      if (auto sound = check_sound(outcome); !sound) {
        answer.outcomes[i] = fail(std::move(sound.error()));
        continue;
      }
      pieces.push_back({.batch = outcome.key.batch_key(),
                        .place = pieces.size(),
                        .outcome = &outcome,
                        .recorded = &answer.outcomes[i]});
    }
    for (std::size_t i = 0; i < item->op.marks.size(); ++i) {
      pieces.push_back({.batch = item->op.marks[i].held.key,
                        .place = pieces.size(),
                        .mark = &item->op.marks[i],
                        .marked = &answer.marks[i]});
    }
    for (std::size_t i = 0; i < item->op.releases.size(); ++i) {
      pieces.push_back({.batch = item->op.releases[i].held.key,
                        .place = kReleases + pieces.size(),
                        .release = &item->op.releases[i],
                        .released = &answer.releases[i]});
    }
  }
  std::ranges::sort(pieces, {},
                    [](const SettlePiece& piece) { return std::pair(piece.batch, piece.place); });
  return pieces;
}

void tell_finished(Together<Settle> items, const std::vector<DeliveryKey>& finished) {
  for (Pending<Settle>* const item : items) {
    if (!item->answer) continue;
    if (items.size() == 1) {
      item->answer->finished = finished;
      return;
    }
    for (const DeliveryKey key : finished) {
      const bool its = std::ranges::any_of(item->op.outcomes, [&](const OutcomeRecord& outcome) {
        return outcome.key.delivery == key;
      });
      if (its) item->answer->finished.push_back(key);
    }
  }
}

}  // namespace todoku::store
