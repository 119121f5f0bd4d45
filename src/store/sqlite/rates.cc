// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints (store/rates.h).
#include "store/rates.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

OutcomeCounts counts_at(const Query& query, int column) {
  return {.answered = query.integer(column),
          .delivered = query.integer(column + 1),
          .reporting = query.integer(column + 2),
          .hard = query.integer(column + 3),
          .unknown_users = query.integer(column + 4),
          .complained = query.integer(column + 5)};
}

}  // namespace

Result<std::optional<RateState>> Queries::rate_state(const RateSubject& subject) {
  auto query = db_.query(
      "SELECT level, since, because, hour, answered, delivered, reporting, hard, unknown_users,"
      " complained FROM rate_states WHERE account = ? AND scope = ? AND delivery = ? AND name = ?");
  query.bind(subject.account, subject.scope, subject.delivery, std::string_view(subject.name));
  if (query.next()) {
    return RateState{.subject = subject,
                     .level = static_cast<std::uint8_t>(query.integer(0)),
                     .since = query.instant(1),
                     .because = std::string(query.text(2)),
                     .baseline_hour = query.integer(3),
                     .baseline = counts_at(query, 4)};
  }
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<OutcomeCounts> Queries::counted_between(const RateSubject& subject, RateHour first,
                                               RateHour last) {
  auto query = db_.query(
      "SELECT coalesce(sum(answered), 0), coalesce(sum(delivered), 0), coalesce(sum(reporting), 0),"
      " coalesce(sum(hard), 0), coalesce(sum(unknown_users), 0), coalesce(sum(complained), 0)"
      " FROM rate_counts WHERE account = ? AND scope = ? AND delivery = ? AND name = ?"
      " AND hour BETWEEN ? AND ?");
  query.bind(subject.account, subject.scope, subject.delivery, std::string_view(subject.name),
             first, last);
  if (!query.next()) return fail(query.error());
  return counts_at(query, 0);
}

Result<std::vector<RateFound>> Queries::rates(std::span<const RateSubject> subjects, RateHour from,
                                              RateHour now) {
  std::vector<RateFound> found;
  for (const RateSubject& subject : subjects) {
    auto state = rate_state(subject);
    if (!state) return fail(state.error());
    const bool has_baseline = *state && (*state)->baseline_hour >= from;
    auto counts =
        counted_between(subject, has_baseline ? (*state)->baseline_hour : from, INT64_MAX);
    if (!counts) return fail(counts.error());
    if (has_baseline) *counts -= (*state)->baseline;
    const auto this_hour = counted_between(subject, now, now);
    if (!this_hour) return fail(this_hour.error());
    found.push_back({.subject = subject,
                     .counts = *counts,
                     .this_hour = *this_hour,
                     .state = std::move(*state)});
  }
  return found;
}

Result<std::vector<RateSubject>> Queries::rate_subjects(const RateQuestion& question) {
  std::vector<RateSubject> subjects;
  // Each scope is sought by itself: by a range of them all hours of all deliveries would be walked.
  // The account's own has delivery 0, as its scopes have.
  auto query = question.from
                   ? db_.query(
                         "SELECT scope, delivery, name FROM rate_counts WHERE account = ?1"
                         " AND scope IN (?2, ?3, ?4) AND delivery = ?5 AND hour >= ?7"
                         " AND hour < ?8"
                         " UNION SELECT scope, delivery, name FROM rate_states WHERE account = ?1"
                         " AND scope IN (?2, ?3, ?4) AND delivery = ?5"
                         " ORDER BY scope, delivery, name LIMIT ?6")
                   : db_.query(
                         "SELECT scope, delivery, name FROM rate_states WHERE account = ?1"
                         " AND scope IN (?2, ?3, ?4) AND delivery = ?5"
                         " ORDER BY scope, delivery, name LIMIT ?6");
  const auto scopes = scopes_of(question);
  const DeliveryKey delivery = question.delivery.value_or(DeliveryKey{});
  if (question.from) {
    query.bind(question.account, scopes[0], scopes[1], scopes[2], delivery, question.limit,
               *question.from, question.until.value_or(kNoHour));
  } else {
    query.bind(question.account, scopes[0], scopes[1], scopes[2], delivery, question.limit);
  }
  while (query.next()) {
    subjects.push_back({.account = question.account,
                        .scope = static_cast<RateScope>(query.integer(0)),
                        .delivery = DeliveryKey{query.integer(1)},
                        .name = std::string(query.text(2))});
  }
  if (query.failed()) return fail(query.error());
  return subjects;
}

Result<std::vector<HeldReceiver>> Queries::held_receivers(std::int64_t limit) {
  std::vector<HeldReceiver> held;
  auto query = db_.query(
      "SELECT s.delivery, s.name FROM rate_states s JOIN deliveries d ON d.key = s.delivery"
      " WHERE s.scope = 4 AND s.level = 2 AND d.status = 5 AND d.deleted = 0"
      " ORDER BY s.delivery DESC, s.name DESC LIMIT ?");
  query.bind(limit);
  while (query.next()) {
    held.push_back({DeliveryKey{query.integer(0)}, std::string(query.text(1))});
  }
  if (query.failed()) return fail(query.error());
  return held;
}

Result<std::int64_t> Queries::rates_at(std::uint8_t level) {
  auto query = db_.query(
      "SELECT count(*) FROM (SELECT 1 FROM rate_states WHERE level = ? AND level > 0 LIMIT ?)");
  query.bind(level, kRatesCounted);
  if (!query.next()) return fail(query.error());
  return query.integer(0);
}

Result<void> SqliteWriteTransaction::count_rates(std::span<const RateIncrement> increments) {
  for (const RateIncrement& each : increments) {
    auto done = db_.query(
                       "INSERT INTO rate_counts(account, scope, delivery, name, hour, answered,"
                       " delivered, reporting, hard, unknown_users, complained)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
                       " ON CONFLICT(account, scope, delivery, name, hour) DO UPDATE SET"
                       " answered = answered + ?6, delivered = delivered + ?7,"
                       " reporting = reporting + ?8, hard = hard + ?9,"
                       " unknown_users = unknown_users + ?10, complained = complained + ?11")
                    .bind(each.subject.account, each.subject.scope, each.subject.delivery,
                          std::string_view(each.subject.name), each.hour, each.counts.answered,
                          each.counts.delivered, each.counts.reporting, each.counts.hard,
                          each.counts.unknown_users, each.counts.complained)
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<void> SqliteWriteTransaction::put_rate_state(const RateState& state) {
  if (auto sound = check_sound(state); !sound) return sound;
  auto done =
      db_.query(
             "INSERT INTO rate_states(account, scope, delivery, name, level, since, because, hour,"
             " answered, delivered, reporting, hard, unknown_users, complained)"
             " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
             " ON CONFLICT(account, scope, delivery, name) DO UPDATE SET level = ?5, since = ?6,"
             " because = ?7, hour = ?8, answered = ?9, delivered = ?10, reporting = ?11,"
             " hard = ?12, unknown_users = ?13, complained = ?14")
          .bind(state.subject.account, state.subject.scope, state.subject.delivery,
                std::string_view(state.subject.name), state.level, state.since,
                std::string_view(state.because), state.baseline_hour, state.baseline.answered,
                state.baseline.delivered, state.baseline.reporting, state.baseline.hard,
                state.baseline.unknown_users, state.baseline.complained)
          .run();
  // Couriers and the scheduler hear of what is held back at a receiver by the topic of holds.
  if (done && state.subject.scope == RateScope::delivery_at_receiver) done = changed(Topic::held);
  return done;
}

void SqliteWriteTransaction::tell_of_rate(EventKind kind, AccountKey account, std::string_view what,
                                          std::string_view because) {
  events_.add(account, event_of_credential(kind, what, because, now_));
}

Result<bool> SqliteWriteTransaction::drop_rates(RateHour before, std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM rate_counts WHERE (account, scope, delivery, name, hour) IN"
                     " (SELECT account, scope, delivery, name, hour FROM rate_counts"
                     " INDEXED BY rate_counts_hour WHERE hour < ? LIMIT ?)")
                  .bind(before, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  const bool more = db_.changes() >= rows;
  constexpr std::int64_t kHourMs = 3'600'000;
  done = db_.query(
                "DELETE FROM rate_states WHERE (account, scope, delivery, name) IN (SELECT account,"
                " scope, delivery, name FROM rate_states INDEXED BY rate_states_old"
                " WHERE delivery > 0 AND since < ? LIMIT ?)")
             .bind(before * kHourMs, rows)
             .run();
  if (!done) return fail(std::move(done.error()));
  return more || db_.changes() >= rows;
}

}  // namespace todoku::store::sqlite
