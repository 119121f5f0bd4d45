// SPDX-License-Identifier: Apache-2.0
#include "events/journal/folding.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"

namespace todoku::events::journal {
namespace {

using store::Course;
using store::EventKind;

// Stories that one question asks for.
constexpr std::size_t kLookedAtOnce = 100;
constexpr std::size_t kSettledAtOnce = 1'000;
// A reservation is for an instant of the calendar, by the clock of whoever looks.
constexpr Milliseconds kAnyClocksDiffer = std::chrono::minutes(5);

constexpr std::string_view kActor = "journal";
constexpr std::string_view kWords = "as the journal has kept it: the store was restored";

RecipientState state_of(EventKind kind) {
  switch (kind) {
    case EventKind::sent:
      return RecipientState::delivered;
    case EventKind::hard_error:
      return RecipientState::bounced;
    case EventKind::dropped:
      return RecipientState::dropped;
    case EventKind::cancelled:
      return RecipientState::cancelled;
    case EventKind::unknown:
      return RecipientState::unknown;
    default:
      return RecipientState::expired;
  }
}

store::OutcomeRecord outcome_of(const Ended& ended, Instant now) {
  const RecipientState state = state_of(ended.kind);
  store::OutcomeRecord record{.key = ended.key,
                              .age = std::max(now - ended.at, Milliseconds(0)),
                              .outcome = {},
                              .path = {}};
  record.outcome.state = state;
  record.outcome.reply = {ended.code, std::string(kWords)};
  record.outcome.is_attempt = ended.code != 0 || state == RecipientState::delivered;
  if (state == RecipientState::delivered) record.outcome.stage = Stage::accepted;
  return record;
}

std::optional<Course> course_of(EventKind kind) {
  if (kind == EventKind::delivery_paused) return Course::paused;
  if (kind == EventKind::delivery_resumed) return Course::goes;
  if (kind == EventKind::delivery_stopped) return Course::stopped;
  return std::nullopt;
}

store::NewSuppression suppression_of(const Stopped& stop, Instant now) {
  store::NewSuppression entry{.account = stop.account,
                              .subject = stop.subject,
                              .reason = stop.reason,
                              .scope = stop.scope,
                              .list_id = stop.list_id,
                              .note = stop.note};
  if (stop.code != 0) entry.cause = {.code = stop.code, .text = {}, .at = stop.at};
  if (stop.expires) entry.lasts = *stop.expires - now;
  return entry;
}

// What may be refused for what it is, and is then left.
bool is_its_fault(const Error& error) {
  return error.kind == ErrorKind::not_found || error.kind == ErrorKind::conflict ||
         error.kind == ErrorKind::invalid_input;
}

class Folding {
 public:
  explicit Folding(store::Store& store) : store_(store) {}

  Result<void> take(const Record& record) {
    std::span<const Entry> rest(record.entries);
    while (!rest.empty()) {
      const auto is_outcome = [](const Entry& entry) {
        return std::holds_alternative<Ended>(entry);
      };
      const auto run = std::ranges::find_if_not(rest, is_outcome) - rest.begin();
      const std::size_t many = std::min(static_cast<std::size_t>(run), kSettledAtOnce);
      auto done = many > 0 ? settle(rest.first(many)) : apply(rest.front());
      if (!done) return done;
      rest = rest.subspan(std::max<std::size_t>(many, 1));
    }
    folded_.last_number = std::max(folded_.last_number, record.number);
    folded_.written = record.written;
    return {};
  }
  [[nodiscard]] Folded& folded() { return folded_; }

 private:
  // Whether an outcome is to be recorded.
  enum class Look : std::uint8_t { open, known, elsewhere };

  static Result<Look> look(store::ReadTransaction& transaction, const Ended& ended) {
    const auto story = transaction.story(ended.key);
    if (!story && story.error().kind == ErrorKind::not_found) return Look::elsewhere;
    if (!story) return fail(story.error());
    const bool is_meant =
        ended.address_hash == kAnyAddress || ended.address_hash == hash_of(story->address);
    if (!is_meant) return Look::elsewhere;
    return is_terminal(story->state) ? Look::known : Look::open;
  }

  Result<std::vector<Look>> look_at(std::span<const Entry> entries) {
    return store_.read_and_wait(
        [entries](store::ReadTransaction& transaction) -> Result<std::vector<Look>> {
          std::vector<Look> looks;
          for (const Entry& entry : entries) {
            const auto seen = look(transaction, std::get<Ended>(entry));
            if (!seen) return fail(seen.error());
            looks.push_back(*seen);
          }
          return looks;
        });
  }

  Result<void> settle(std::span<const Entry> entries) {
    std::vector<store::OutcomeRecord> outcomes;
    const Instant now = store_.clock().now();
    while (!entries.empty()) {
      const auto piece = entries.first(std::min(entries.size(), kLookedAtOnce));
      const auto looks = look_at(piece);
      if (!looks) return fail(looks.error());
      for (std::size_t i = 0; i < piece.size(); ++i) {
        if ((*looks)[i] == Look::known) ++folded_.known;
        if ((*looks)[i] == Look::elsewhere) ++folded_.elsewhere;
        if ((*looks)[i] != Look::open) continue;
        outcomes.push_back(outcome_of(std::get<Ended>(piece[i]), now));
      }
      entries = entries.subspan(piece.size());
    }
    if (outcomes.empty()) return {};
    const auto settled = store_.perform_and_wait(store::Settle{.outcomes = outcomes});
    if (!settled) return fail(settled.error());
    for (const auto& outcome : settled->outcomes) {
      if (outcome) {
        ++folded_.outcomes;
      } else if (outcome.error().kind == ErrorKind::not_found) {
        // A draft in this copy, or one that was to start and could not be started.
        ++folded_.elsewhere;
      } else {
        return fail(outcome.error());
      }
    }
    return {};
  }

  Result<void> apply(const Entry& entry) {
    if (const auto* const steered = std::get_if<Steered>(&entry)) return steer(*steered);
    if (const auto* const stop = std::get_if<Stopped>(&entry)) return put(*stop);
    if (const auto* const unstop = std::get_if<Unstopped>(&entry)) return remove(*unstop);
    return {};
  }

  template <class Change>
  Result<bool> change(Change change) {
    auto done = store_.write_and_wait(store::WritePriority::claims, std::move(change));
    if (done) return true;
    if (is_its_fault(done.error())) return false;
    return fail(std::move(done.error()));
  }

  Result<void> steer(const Steered& steered) {
    if (steered.kind == EventKind::delivery_started) return start(steered);
    const auto done = change([&steered](store::WriteTransaction& t) -> Result<void> {
      const auto course = course_of(steered.kind);
      if (!course) return t.fail_delivery(steered.delivery, kWords);
      const auto changed = t.steer_delivery(steered.delivery, *course);
      return changed ? Result<void>() : Result<void>(fail(changed.error()));
    });
    if (!done) return fail(done.error());
    if (*done) ++folded_.steered;
    return {};
  }

  Result<void> start(const Steered& steered) {
    const auto head = store_.read_and_wait([&](store::ReadTransaction& transaction) {
      return transaction.delivery_head(steered.delivery);
    });
    if (!head && head.error().kind == ErrorKind::not_found) return {};
    if (!head) return fail(head.error());
    if (head->status == DeliveryStatus::edit || head->status == DeliveryStatus::importing) {
      ++folded_.unfinished;
      log::warning(
          "a delivery that was begun after the copy was made is a draft in it",
          {{"account", static_cast<std::int64_t>(head->account)}, {"delivery_id", head->id}});
      return {};
    }
    if (head->status != DeliveryStatus::reserve && head->status != DeliveryStatus::wait) return {};
    const Instant now = store_.clock().now();
    const Milliseconds life = steered.expires ? *steered.expires - now : Milliseconds(1);
    const auto done =
        change([&steered, past = now - kAnyClocksDiffer, life = std::max(life, Milliseconds(1))](
                   store::WriteTransaction& t) -> Result<void> {
          // Only what is reserved for later has to be moved.
          const auto moved = t.move_reservation(steered.delivery, past, {});
          if (!moved && moved.error().kind != ErrorKind::conflict) return fail(moved.error());
          // It has begun, so whoever had to has approved it.
          auto settled = t.settle_approval(steered.delivery);
          if (!settled) return settled;
          return t.start_delivery(steered.delivery, steered.signing, life);
        });
    if (!done) return fail(done.error());
    if (*done) {
      ++folded_.steered;
    } else {
      ++folded_.unfinished;
    }
    return {};
  }

  Result<void> put(const Stopped& stop) {
    const Instant now = store_.clock().now();
    if (stop.expires && *stop.expires <= now) return {};
    const auto done = change([&, now](store::WriteTransaction& t) -> Result<void> {
      const store::NewSuppression entry = suppression_of(stop, now);
      const auto put = t.put_suppressions(std::span(&entry, 1));
      if (!put) return fail(put.error());
      return put->refused.empty() ? Result<void>()
                                  : fail(ErrorKind::conflict, "the subject has too many entries");
    });
    return count(done, folded_.stops);
  }

  Result<void> remove(const Unstopped& unstop) {
    const auto done = change([&](store::WriteTransaction& t) -> Result<void> {
      const auto removed = t.remove_suppressions(unstop.account, unstop.subject, unstop.reason,
                                                 unstop.list_id, kWords, kActor);
      return removed ? Result<void>() : Result<void>(fail(removed.error()));
    });
    return count(done, folded_.removals);
  }

  Result<void> count(const Result<bool>& done, std::int64_t& counted) {
    if (!done) return fail(done.error());
    ++(*done ? counted : folded_.refused);
    return {};
  }

  store::Store& store_;
  Folded folded_;
};

}  // namespace

Result<Folded> fold(store::Store& store, const FoldOrder& order) {
  Folding folding(store);
  std::optional<SteadyInstant> until;
  const auto reading =
      read(order.folder, order.store, order.number, [&](const Record& record) -> Result<bool> {
        if (!until) until = SystemClock().steady_now() + order.enough;
        auto done = folding.take(record);
        if (!done) return fail(std::move(done.error()));
        return SystemClock().steady_now() < *until;
      });
  if (!reading) return fail(reading.error());
  Folded folded = folding.folded();
  folded.records = reading->records;
  folded.missing = reading->missing;
  folded.torn = reading->torn;
  folded.ended = reading->ended;
  return folded;
}

}  // namespace todoku::events::journal
