// SPDX-License-Identifier: Apache-2.0
// Transport security of receivers (store/receiver_tls.h).
#include "store/receiver_tls.h"

#include <algorithm>

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kStsPolicy{"receiver tls: policy",
                     "SELECT id, policy, fetched, expires FROM sts_policies WHERE domain = $1"};
const Sql kDropStsPolicies{"receiver tls: drop policies",
                           "DELETE FROM sts_policies WHERE ctid = ANY(ARRAY(SELECT ctid FROM"
                           " sts_policies WHERE expires <= $1 ORDER BY expires LIMIT 10"
                           " FOR UPDATE SKIP LOCKED))"};
const Sql kKeepStsPolicy{"receiver tls: keep policy",
                         "INSERT INTO sts_policies AS p(domain, id, policy, fetched, expires)"
                         " VALUES($1, $2, $3, $4, $5) ON CONFLICT(domain) DO UPDATE SET"
                         " id = excluded.id, policy = excluded.policy, fetched = excluded.fetched,"
                         " expires = excluded.expires WHERE p.fetched <= excluded.fetched"};
#define TLS_COUNTS "SELECT day, domain, policy, result, attempts FROM tls_counts WHERE day >= $1"
#define TLS_COUNTS_ORDER " ORDER BY day DESC, domain DESC, policy DESC, result DESC LIMIT $2"
const Sql kTlsCounts{"receiver tls: counts", TLS_COUNTS TLS_COUNTS_ORDER};
const Sql kTlsCountsOf{"receiver tls: counts of a domain",
                       TLS_COUNTS " AND domain = $3" TLS_COUNTS_ORDER};
// Some with each addition, of which there are thousands a day.
const Sql kDropTlsCounts{"receiver tls: drop counts",
                         "DELETE FROM tls_counts WHERE ctid = ANY(ARRAY(SELECT ctid FROM"
                         " tls_counts WHERE day < $1 ORDER BY day LIMIT 1000))"};
// In the order of the key, as everybody who writes them: nobody waits in a circle.
const Sql kAddTlsCounts{
    "receiver tls: add counts",
    "INSERT INTO tls_counts AS c(day, domain, policy, result, attempts) SELECT * FROM"
    " unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])"
    " u(day, domain, policy, result, attempts)"
    " ORDER BY u.day, u.domain COLLATE \"C\", u.policy, u.result"
    " ON CONFLICT(day, domain, policy, result) DO UPDATE SET"
    " attempts = c.attempts + excluded.attempts"};

}  // namespace

Result<std::optional<StsPolicy>> Questions::sts_policy(std::string_view domain) {
  const auto rows = session_.ask(kStsPolicy, Params() << domain);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return StsPolicy{.domain = std::string(domain),
                   .id = std::string(rows->text(0, 0)),
                   .text = std::string(rows->text(0, 1)),
                   .fetched = rows->instant(0, 2),
                   .expires = rows->instant(0, 3)};
}

Result<std::vector<TlsCount>> Questions::tls_counts(const TlsCountQuestion& question) {
  Params params;
  params << question.first_day << question.limit;
  if (question.domain) params << *question.domain;
  const auto rows = session_.ask(question.domain ? kTlsCountsOf : kTlsCounts, params);
  if (!rows) return fail(rows.error());
  std::vector<TlsCount> counts;
  for (int i = 0; i < rows->size(); ++i) {
    counts.push_back({.day = rows->integer(i, 0),
                      .domain = std::string(rows->text(i, 1)),
                      .policy = static_cast<TlsPolicyType>(rows->integer(i, 2)),
                      .result = static_cast<TlsResult>(rows->integer(i, 3)),
                      .attempts = rows->integer(i, 4)});
  }
  put_in_order(counts);
  return counts;
}

Result<void> Changes::keep_sts_policy(const StsPolicy& policy) {
  const auto kept = session_.add(kDropStsPolicies, Params() << session_.now())
                        .add(kKeepStsPolicy, Params() << policy.domain << policy.id << policy.text
                                                      << policy.fetched << policy.expires)
                        .fly();
  if (!kept) return fail(kept.error());
  return {};
}

Result<void> Changes::add_tls_counts(std::span<const TlsCount> counts, std::int64_t keep_since) {
  Column day(kInt8);
  Column domain(kText);
  Column policy(kInt8);
  Column result(kInt8);
  Column attempts(kInt8);
  for (const TlsCount& count : counts) {
    day.add(count.day);
    domain.add(count.domain);
    policy.add(static_cast<std::int64_t>(count.policy));
    result.add(static_cast<std::int64_t>(count.result));
    attempts.add(count.attempts);
  }
  const auto added =
      session_.add(kDropTlsCounts, Params() << keep_since)
          .add(kAddTlsCounts, Params() << day << domain << policy << result << attempts)
          .fly();
  if (!added) return fail(added.error());
  return {};
}

}  // namespace todoku::store::postgres
