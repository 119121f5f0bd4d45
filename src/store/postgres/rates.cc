// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints (store/rates.h).
#include "store/rates.h"

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define RATE_SUMS(sum)                                              \
  "coalesce(sum(" sum ".answered), 0)::bigint, coalesce(sum(" sum   \
  ".delivered), 0)::bigint,"                                        \
  " coalesce(sum(" sum ".reporting), 0)::bigint, coalesce(sum(" sum \
  ".hard), 0)::bigint,"                                             \
  " coalesce(sum(" sum ".unknown_users), 0)::bigint, coalesce(sum(" sum ".complained), 0)::bigint"
// Counts from the baseline's hour on; what of that hour lies before it is taken off by who reads.
const Sql kRates{
    "rates: found",
    "SELECT c.*, h.*, s.level, s.since, s.because, s.hour, s.answered, s.delivered, s.reporting,"
    " s.hard, s.unknown_users, s.complained"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])"
    " WITH ORDINALITY u(account, scope, delivery, name, place)"
    " LEFT JOIN rate_states s ON s.account = u.account AND s.scope = u.scope"
    " AND s.delivery = u.delivery AND s.name = u.name"
    " CROSS JOIN LATERAL (SELECT " RATE_SUMS("r") " FROM rate_counts r WHERE r.account = u.account"
    " AND r.scope = u.scope AND r.delivery = u.delivery AND r.name = u.name"
    " AND r.hour >= greatest($5, s.hour)) c"
    " CROSS JOIN LATERAL (SELECT " RATE_SUMS("r") " FROM rate_counts r WHERE r.account = u.account"
    " AND r.scope = u.scope AND r.delivery = u.delivery AND r.name = u.name AND r.hour = $6) h"
    " ORDER BY u.place"};
// Each scope is sought by itself: by a range of them all hours of all deliveries would be walked.
const Sql kRateSubjects{
    "rates: subjects",
    "SELECT scope, delivery, name FROM rate_counts WHERE account = $1 AND scope IN ($2, $3, $4)"
    " AND delivery = $5 AND hour >= $7 AND hour < $8 UNION SELECT scope, delivery, name FROM "
    "rate_states"
    " WHERE account = $1 AND scope IN ($2, $3, $4) AND delivery = $5"
    " ORDER BY scope, delivery, name LIMIT $6"};
const Sql kRateSubjectsWithState{
    "rates: subjects with a state",
    "SELECT scope, delivery, name FROM rate_states WHERE account = $1 AND scope IN ($2, $3, $4)"
    " AND delivery = $5 ORDER BY scope, delivery, name LIMIT $6"};
const Sql kHeldReceivers{
    "rates: held receivers",
    "SELECT s.delivery, s.name FROM rate_states s JOIN deliveries d ON d.key = s.delivery"
    " WHERE s.scope = 4 AND s.level = 2 AND d.status = 5 AND d.deleted = 0"
    " ORDER BY s.delivery DESC, s.name DESC LIMIT $1"};
const Sql kRatesAt{"rates: at a level",
                   "SELECT count(*) FROM (SELECT 1 FROM rate_states WHERE level > 0 AND level = $1"
                   " LIMIT $2) l"};
// In the order of the key, as everybody who writes them: nobody waits in a circle.
const Sql kCountOutcomes{
    "rates: count",
    "INSERT INTO rate_counts AS c(account, scope, delivery, name, hour, answered, delivered,"
    " reporting, hard, unknown_users, complained) SELECT * FROM"
    " unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],"
    " $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])"
    " u(account, scope, delivery, name, hour, answered, delivered, reporting, hard, unknown_users,"
    " complained) ORDER BY u.account, u.scope, u.delivery, u.name COLLATE \"C\", u.hour"
    " ON CONFLICT(account, scope, delivery, name, hour) DO UPDATE SET"
    " answered = c.answered + excluded.answered, delivered = c.delivered + excluded.delivered,"
    " reporting = c.reporting + excluded.reporting, hard = c.hard + excluded.hard,"
    " unknown_users = c.unknown_users + excluded.unknown_users,"
    " complained = c.complained + excluded.complained"};
const Sql kPutRateState{
    "rates: put state",
    "INSERT INTO rate_states(account, scope, delivery, name, level, since, because, hour, answered,"
    " delivered, reporting, hard, unknown_users, complained)"
    " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    " ON CONFLICT(account, scope, delivery, name) DO UPDATE SET level = excluded.level,"
    " since = excluded.since, because = excluded.because, hour = excluded.hour,"
    " answered = excluded.answered, delivered = excluded.delivered,"
    " reporting = excluded.reporting, hard = excluded.hard,"
    " unknown_users = excluded.unknown_users, complained = excluded.complained"};
const Sql kDropRateCounts{"rates: drop counts",
                          "DELETE FROM rate_counts WHERE ctid = ANY(ARRAY(SELECT ctid FROM"
                          " rate_counts WHERE hour < $1 ORDER BY hour LIMIT $2))"};
const Sql kDropRateStates{
    "rates: drop states",
    "DELETE FROM rate_states WHERE ctid = ANY(ARRAY(SELECT ctid FROM rate_states"
    " WHERE delivery > 0 AND since < $1 ORDER BY since LIMIT $2))"};

OutcomeCounts counts_at(const Table& rows, int row, int column) {
  return {.answered = rows.integer(row, column),
          .delivered = rows.integer(row, column + 1),
          .reporting = rows.integer(row, column + 2),
          .hard = rows.integer(row, column + 3),
          .unknown_users = rows.integer(row, column + 4),
          .complained = rows.integer(row, column + 5)};
}

RateFound found_at(const Table& rows, int row, const RateSubject& subject, RateHour from) {
  constexpr int kThisHour = 6;
  constexpr int kState = 12;
  constexpr int kBaseline = 16;
  RateFound found{.subject = subject,
                  .counts = counts_at(rows, row, 0),
                  .this_hour = counts_at(rows, row, kThisHour),
                  .state = std::nullopt};
  if (rows.null(row, kState)) return found;
  found.state = RateState{.subject = subject,
                          .level = static_cast<std::uint8_t>(rows.integer(row, kState)),
                          .since = rows.instant(row, kState + 1),
                          .because = std::string(rows.text(row, kState + 2)),
                          .baseline_hour = rows.integer(row, kState + 3),
                          .baseline = counts_at(rows, row, kBaseline)};
  if (found.state->baseline_hour >= from) found.counts -= found.state->baseline;
  return found;
}

// Of subjects, as a statement takes them.
struct SubjectColumns {
  Column account{kInt8};
  Column scope{kInt8};
  Column delivery{kInt8};
  Column name{kText};
  void add(const RateSubject& subject) {
    account.add(subject.account);
    scope.add(subject.scope);
    delivery.add(subject.delivery);
    name.add(std::string_view(subject.name));
  }
};

}  // namespace

Result<std::vector<RateFound>> Questions::rates(std::span<const RateSubject> subjects,
                                                RateHour from, RateHour now) {
  if (subjects.empty()) return std::vector<RateFound>{};
  SubjectColumns columns;
  for (const RateSubject& subject : subjects) columns.add(subject);
  const auto rows =
      session_.ask(kRates, Params() << columns.account << columns.scope << columns.delivery
                                    << columns.name << from << now);
  if (!rows) return fail(rows.error());
  if (rows->size() != std::ssize(subjects)) {
    return fail(ErrorKind::corrupt, "rates were not found for all that were asked for");
  }
  std::vector<RateFound> found;
  for (int i = 0; i < rows->size(); ++i) {
    found.push_back(found_at(*rows, i, subjects[static_cast<std::size_t>(i)], from));
  }
  return found;
}

Result<std::vector<RateSubject>> Questions::rate_subjects(const RateQuestion& question) {
  const auto scopes = scopes_of(question);
  Params params;
  params << question.account << scopes[0] << scopes[1] << scopes[2]
         << question.delivery.value_or(DeliveryKey{}) << question.limit;
  if (question.from) params << *question.from << question.until.value_or(kNoHour);
  const auto rows = session_.ask(question.from ? kRateSubjects : kRateSubjectsWithState, params);
  if (!rows) return fail(rows.error());
  std::vector<RateSubject> subjects;
  for (int i = 0; i < rows->size(); ++i) {
    subjects.push_back({.account = question.account,
                        .scope = static_cast<RateScope>(rows->integer(i, 0)),
                        .delivery = DeliveryKey{rows->integer(i, 1)},
                        .name = std::string(rows->text(i, 2))});
  }
  return subjects;
}

Result<std::vector<HeldReceiver>> Questions::held_receivers(std::int64_t limit) {
  const auto rows = session_.ask(kHeldReceivers, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<HeldReceiver> held;
  for (int i = 0; i < rows->size(); ++i) {
    held.push_back({DeliveryKey{rows->integer(i, 0)}, std::string(rows->text(i, 1))});
  }
  return held;
}

Result<std::int64_t> Questions::rates_at(std::uint8_t level) {
  const auto rows = session_.ask(kRatesAt, Params() << std::int64_t{level} << kRatesCounted);
  if (!rows) return fail(rows.error());
  return rows->integer(0, 0);
}

Result<void> Changes::count_rates(std::span<const RateIncrement> increments) {
  if (increments.empty()) return {};
  SubjectColumns columns;
  Column hour(kInt8);
  Column answered(kInt8);
  Column delivered(kInt8);
  Column reporting(kInt8);
  Column hard(kInt8);
  Column unknown_users(kInt8);
  Column complained(kInt8);
  for (const RateIncrement& each : increments) {
    columns.add(each.subject);
    hour.add(each.hour);
    answered.add(each.counts.answered);
    delivered.add(each.counts.delivered);
    reporting.add(each.counts.reporting);
    hard.add(each.counts.hard);
    unknown_users.add(each.counts.unknown_users);
    complained.add(each.counts.complained);
  }
  const auto counted =
      session_.ask(kCountOutcomes, Params() << columns.account << columns.scope << columns.delivery
                                            << columns.name << hour << answered << delivered
                                            << reporting << hard << unknown_users << complained);
  if (!counted) return fail(counted.error());
  return {};
}

Result<void> Changes::put_rate_state(const RateState& state) {
  if (auto sound = check_sound(state); !sound) return sound;
  const RateSubject& subject = state.subject;
  const OutcomeCounts& counts = state.baseline;
  const auto put =
      session_.ask(kPutRateState,
                   Params() << subject.account << subject.scope << subject.delivery
                            << std::string_view(subject.name) << std::int64_t{state.level}
                            << state.since << std::string_view(state.because) << state.baseline_hour
                            << counts.answered << counts.delivered << counts.reporting
                            << counts.hard << counts.unknown_users << counts.complained);
  if (!put) return fail(put.error());
  // Couriers and the scheduler hear of what is held back at a receiver by the topic of holds.
  return subject.scope == RateScope::delivery_at_receiver ? changed(Topic::held) : Result<void>();
}

void Changes::tell_of_rate(EventKind kind, AccountKey account, std::string_view what,
                           std::string_view because) {
  events_.add(account, event_of_credential(kind, what, because, session_.now()));
}

Result<bool> Changes::drop_rates(RateHour before, std::int64_t rows) {
  constexpr std::int64_t kHourMs = 3'600'000;
  const auto dropped = session_.add(kDropRateCounts, Params() << before << rows)
                           .add(kDropRateStates, Params() << before * kHourMs << rows)
                           .fly();
  if (!dropped) return fail(dropped.error());
  return dropped->front().changes() >= rows || dropped->back().changes() >= rows;
}

}  // namespace todoku::store::postgres
