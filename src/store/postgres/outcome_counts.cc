// SPDX-License-Identifier: Apache-2.0
// Outcomes by cause (store/outcome_counts.h).
#include "store/outcome_counts.h"

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define OUTCOMES_PAGE                                                                           \
  "SELECT page.site, page.state, page.cause, page.n, page.last, b.delivery FROM (SELECT site, " \
  "state, cause, sum(mails)::bigint AS n, max(sample) AS last FROM "
#define OUTCOMES_ORDER                                                                \
  " GROUP BY site, state, cause HAVING sum(mails) > 0 ORDER BY n DESC, site, state, " \
  "cause LIMIT $1) page LEFT JOIN LATERAL (SELECT delivery FROM batches"              \
  " WHERE number = page.last >> 9 OFFSET 0) b ON true"                                \
  " ORDER BY page.n DESC, page.site, page.state, page.cause"
const Sql kOfDelivery{"outcomes: of a delivery",
                      OUTCOMES_PAGE "delivery_outcomes WHERE delivery = $2" OUTCOMES_ORDER};
const Sql kOfDeliveryAt{"outcomes: of a delivery at a site", OUTCOMES_PAGE
                        "delivery_outcomes WHERE delivery = $2 AND site = $3" OUTCOMES_ORDER};
const Sql kWithin{"outcomes: of hours",
                  OUTCOMES_PAGE
                  "hourly_outcomes WHERE account = $2 AND hour >= $3 AND hour < $4"  //
                  OUTCOMES_ORDER};
const Sql kWithinAt{"outcomes: of hours at a site", OUTCOMES_PAGE
                    "hourly_outcomes WHERE account = $2 AND hour >= $3 AND hour < $4"
                    " AND site = $5" OUTCOMES_ORDER};
const Sql kDropHours{"outcomes: drop hours",
                     "DELETE FROM hourly_outcomes WHERE ctid = ANY(ARRAY(SELECT ctid FROM"
                     " hourly_outcomes WHERE hour < $1 ORDER BY hour LIMIT $2"
                     " FOR UPDATE SKIP LOCKED))"};

Result<std::vector<OutcomeCount>> counts_in(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  std::vector<OutcomeCount> counts;
  for (int i = 0; i < rows->size(); ++i) {
    std::optional<DeliveryKey> delivery;
    if (const auto key = rows->optional_integer(i, 5)) delivery = DeliveryKey{*key};
    counts.push_back({.site = std::string(rows->text(i, 0)),
                      .state = static_cast<RecipientState>(rows->integer(i, 1)),
                      .cause = static_cast<Cause>(rows->integer(i, 2)),
                      .mails = rows->integer(i, 3),
                      .sample = sampled(rows->integer(i, 4), delivery)});
  }
  return counts;
}

}  // namespace

Result<std::vector<OutcomeCount>> Questions::outcomes_of(DeliveryKey key,
                                                         const std::optional<std::string>& site,
                                                         std::int64_t limit) {
  Params params;
  params << limit << key;
  if (site) params << *site;
  return counts_in(session_.ask(site ? kOfDeliveryAt : kOfDelivery, params));
}

Result<std::vector<OutcomeCount>> Questions::outcomes_within(const Hours& hours,
                                                             std::int64_t limit) {
  Params params;
  params << limit << hours.account << hours.first << hours.end;
  if (hours.site) params << *hours.site;
  return counts_in(session_.ask(hours.site ? kWithinAt : kWithin, params));
}

Result<bool> Changes::drop_outcome_hours(HourNumber before, std::int64_t rows) {
  const auto done = session_.ask(kDropHours, Params() << before << rows);
  if (!done) return fail(done.error());
  return done->changes() < rows;
}

}  // namespace todoku::store::postgres
