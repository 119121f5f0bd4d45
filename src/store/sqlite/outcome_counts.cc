// SPDX-License-Identifier: Apache-2.0
// Outcomes by cause (store/outcome_counts.h).
#include "store/outcome_counts.h"

#include <algorithm>
#include <map>

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// Rows of several hours, as one count each.
class Kinds {
 public:
  void add(const Query& row) {
    OutcomeTally::Of& sum =
        sums_[{std::string(row.text(0)), static_cast<RecipientState>(row.integer(1)),
               static_cast<Cause>(row.integer(2))}];
    sum.mails += row.integer(3);
    sum.sample = std::max(sum.sample, row.integer(4));
  }

  // With the number of the sample in place of who it is.
  [[nodiscard]] const std::map<OutcomeTally::Kind, OutcomeTally::Of>& sums() const { return sums_; }

 private:
  std::map<OutcomeTally::Kind, OutcomeTally::Of> sums_;
};

}  // namespace

Result<std::vector<OutcomeCount>> Queries::with_samples(
    const std::map<OutcomeTally::Kind, OutcomeTally::Of>& sums, std::int64_t limit) {
  std::vector<OutcomeCount> counts;
  counts.reserve(sums.size());
  for (const auto& [kind, sum] : sums) {
    const auto& [site, state, cause] = kind;
    counts.push_back(
        {.site = site, .state = state, .cause = cause, .mails = sum.mails, .sample = {}});
  }
  keep_largest(counts, static_cast<std::size_t>(limit));
  for (OutcomeCount& count : counts) {
    const std::int64_t sample = sums.at({count.site, count.state, count.cause}).sample;
    const auto its = batch(sample >> kSampleSeqBits);
    if (!its) return fail(its.error());
    if (*its) count.sample = sampled(sample, DeliveryKey{(*its)->delivery});
  }
  return counts;
}

Result<std::vector<OutcomeCount>> Queries::outcomes_of(DeliveryKey key,
                                                       const std::optional<std::string>& site,
                                                       std::int64_t limit) {
  Kinds kinds;
  auto query = db_.query(
      "SELECT site, state, cause, mails, sample FROM delivery_outcomes WHERE delivery = ?1"
      " AND (?2 IS NULL OR site = ?2)");
  query.bind(key, site);
  while (query.next()) kinds.add(query);
  if (query.failed()) return fail(query.error());
  return with_samples(kinds.sums(), limit);
}

Result<std::vector<OutcomeCount>> Queries::outcomes_within(const OutcomeCountReads::Hours& hours,
                                                           std::int64_t limit) {
  Kinds kinds;
  auto query = db_.query(
      "SELECT site, state, cause, mails, sample FROM hourly_outcomes WHERE account = ?1"
      " AND hour >= ?2 AND hour < ?3 AND (?4 IS NULL OR site = ?4)");
  query.bind(hours.account, hours.first, hours.end, hours.site);
  while (query.next()) kinds.add(query);
  if (query.failed()) return fail(query.error());
  return with_samples(kinds.sums(), limit);
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
