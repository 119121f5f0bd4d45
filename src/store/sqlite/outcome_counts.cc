// SPDX-License-Identifier: Apache-2.0
// Outcomes by cause (store/outcome_counts.h).
#include "store/outcome_counts.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Result<std::vector<OutcomeCount>> counts_in(Query& query) {
  std::vector<OutcomeCount> counts;
  while (query.next()) {
    std::optional<DeliveryKey> delivery;
    if (!query.is_null(5)) delivery = DeliveryKey{query.integer(5)};
    counts.push_back({.site = std::string(query.text(0)),
                      .state = static_cast<RecipientState>(query.integer(1)),
                      .cause = static_cast<Cause>(query.integer(2)),
                      .mails = query.integer(3),
                      .sample = sampled(query.integer(4), delivery)});
  }
  if (query.failed()) return fail(query.error());
  return counts;
}

}  // namespace

Result<std::vector<OutcomeCount>> Queries::outcomes_of(DeliveryKey key,
                                                       const std::optional<std::string>& site,
                                                       std::int64_t limit) {
  auto query = db_.query(
      "SELECT page.site, page.state, page.cause, page.mails, page.sample, b.delivery FROM"
      " (SELECT site, state, cause, mails, sample FROM delivery_outcomes WHERE delivery = ?1"
      " AND (?2 IS NULL OR site = ?2) AND mails > 0 ORDER BY mails DESC, site, state, cause"
      " LIMIT ?3) page LEFT JOIN batches b ON b.number = page.sample >> 9"
      " ORDER BY page.mails DESC, page.site, page.state, page.cause");
  query.bind(key, site, limit);
  return counts_in(query);
}

Result<std::vector<OutcomeCount>> Queries::outcomes_within(const OutcomeCountReads::Hours& hours,
                                                           std::int64_t limit) {
  auto query = db_.query(
      "SELECT page.site, page.state, page.cause, page.n, page.last, b.delivery FROM"
      " (SELECT site, state, cause, sum(mails) AS n, max(sample) AS last FROM hourly_outcomes"
      " WHERE account = ?1 AND hour >= ?2 AND hour < ?3 AND (?4 IS NULL OR site = ?4)"
      " GROUP BY site, state, cause ORDER BY n DESC, site, state, cause LIMIT ?5) page"
      " LEFT JOIN batches b ON b.number = page.last >> 9"
      " ORDER BY page.n DESC, page.site, page.state, page.cause");
  query.bind(hours.account, hours.first, hours.end, hours.site, limit);
  return counts_in(query);
}

Result<void> SqliteWriteTransaction::count_outcomes(const OutcomeTally& tally) {
  for (const auto& [key, sum] : tally.deliveries) {
    const auto& [site, state, cause] = key.second;
    auto done =
        db_.query(
               "INSERT INTO delivery_outcomes(delivery, site, state, cause, mails, sample)"
               " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(delivery, site, state, cause)"
               " DO UPDATE SET mails = mails + ?5, sample = max(sample, ?6)")
            .bind(key.first, site, state, static_cast<std::int64_t>(cause), sum.mails, sum.sample)
            .run();
    if (!done) return done;
  }
  const HourNumber hour = hour_of(now_);
  for (const auto& [key, sum] : tally.hours) {
    const auto& [site, state, cause] = key.second;
    auto done =
        db_.query(
               "INSERT INTO hourly_outcomes(account, hour, site, state, cause, mails, sample)"
               " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(account, hour, site, state, cause)"
               " DO UPDATE SET mails = mails + ?6, sample = max(sample, ?7)")
            .bind(key.first, hour, site, state, static_cast<std::int64_t>(cause), sum.mails,
                  sum.sample)
            .run();
    if (!done) return done;
  }
  return {};
}

Result<bool> SqliteWriteTransaction::drop_outcome_hours(HourNumber before, std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM hourly_outcomes WHERE (account, hour, site, state, cause) IN"
                     " (SELECT account, hour, site, state, cause FROM hourly_outcomes"
                     " WHERE hour < ? ORDER BY hour LIMIT ?)")
                  .bind(before, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() < rows;
}

}  // namespace todoku::store::sqlite
