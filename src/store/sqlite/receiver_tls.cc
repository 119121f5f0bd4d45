// SPDX-License-Identifier: Apache-2.0
// Transport security of receivers (store/receiver_tls.h).
#include "store/receiver_tls.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<std::optional<StsPolicy>> Queries::sts_policy(std::string_view domain) {
  auto query = db_.query("SELECT id, policy, fetched, expires FROM sts_policies WHERE domain = ?");
  query.bind(domain);
  if (query.next()) {
    return StsPolicy{.domain = std::string(domain),
                     .id = std::string(query.text(0)),
                     .text = std::string(query.text(1)),
                     .fetched = query.instant(2),
                     .expires = query.instant(3)};
  }
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<std::vector<TlsCount>> Queries::tls_counts(const TlsCountQuestion& question) {
  std::vector<TlsCount> counts;
  auto query = db_.query(
      "SELECT day, domain, policy, result, attempts FROM tls_counts WHERE day >= ?1"
      " AND (?2 IS NULL OR domain = ?2) ORDER BY day DESC, domain DESC, policy DESC, result DESC "
      "LIMIT ?3");
  query.bind(question.first_day, question.domain, question.limit);
  while (query.next()) {
    counts.push_back({.day = query.integer(0),
                      .domain = std::string(query.text(1)),
                      .policy = static_cast<TlsPolicyType>(query.integer(2)),
                      .result = static_cast<TlsResult>(query.integer(3)),
                      .attempts = query.integer(4)});
  }
  if (query.failed()) return fail(query.error());
  put_in_order(counts);
  return counts;
}

Result<void> SqliteWriteTransaction::keep_sts_policy(const StsPolicy& policy) {
  auto done = db_.query(
                     "DELETE FROM sts_policies WHERE domain IN (SELECT domain FROM sts_policies"
                     " WHERE expires <= ? ORDER BY expires LIMIT 10)")
                  .bind(now_)
                  .run();
  if (!done) return done;
  return db_
      .query(
          "INSERT INTO sts_policies(domain, id, policy, fetched, expires) VALUES(?1, ?2, ?3, ?4,"
          " ?5) ON CONFLICT(domain) DO UPDATE SET id = ?2, policy = ?3, fetched = ?4, expires = ?5"
          " WHERE fetched <= ?4")
      .bind(policy.domain, policy.id, policy.text, policy.fetched, policy.expires)
      .run();
}

Result<void> SqliteWriteTransaction::add_tls_counts(std::span<const TlsCount> counts,
                                                    std::int64_t keep_since) {
  auto done = db_.query("DELETE FROM tls_counts WHERE day < ?").bind(keep_since).run();
  for (const TlsCount& count : counts) {
    if (!done) return done;
    done = db_.query(
                  "INSERT INTO tls_counts(day, domain, policy, result, attempts)"
                  " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(day, domain, policy, result)"
                  " DO UPDATE SET attempts = attempts + ?5")
               .bind(count.day, count.domain, static_cast<std::int64_t>(count.policy),
                     static_cast<std::int64_t>(count.result), count.attempts)
               .run();
  }
  return done;
}

}  // namespace todoku::store::sqlite
